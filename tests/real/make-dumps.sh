#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make the real dumps that run.sh checks, each only if it is not in the cache.
#
# shellcheck disable=SC2317	# functions that are called by name

set -u

usage()
{
	cat <<-'END'
	usage: make-dumps.sh [-l] [-q] [NAME]...

	  -l    only list: name, tags, whether it is there
	  -q    only those that run.sh quick wants
	  NAME  only these; a shell pattern such as 'aarch64-*' will do

	NAME.truth.json is made beside each. A dump that cannot be made is
	reported, the others are made all the same; status 1 then.

	environment: ARENA_CACHE (default XDG_CACHE_HOME/arena, ~/.cache/arena);
	ARENA_STABLE and ARENA_NEWEST: kernels to use, as 6.12.107+deb13 (default:
	those below while Debian has them, else the newest that it has)
	END
}

list='' quick=''
while getopts 'lqh' o; do
	case $o in
	l) list=y ;;
	q) quick=y ;;
	h) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
done
shift $((OPTIND - 1))
here=$(cd "$(dirname "$0")" && pwd)
guest=$here/../../fixtures/guest
cache=${ARENA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arena}
export ARENA_CACHE=$cache
dumps=$cache/dumps
mkdir -p "$dumps"
wanted=("$@")
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
renice -n 10 $$ >/dev/null	# a guest takes all it can get

say()
{
	echo "make-dumps: $*" >&2
}

# release WISH SUITE PATTERN: WISH while it is to be had, else the newest of SUITE
release()
{
	local wish=$1 suite=$2 pattern=$3 conf newest

	if [ -d "$cache/kernel/$wish-amd64" ] ||
	   ! conf=$("$guest/suite-apt.sh" "$suite" "$cache/apt" 2>/dev/null) ||
	   APT_CONFIG=$conf apt-cache show "linux-image-$wish-amd64" >/dev/null 2>&1; then
		echo "$wish"
		return
	fi
	newest=$(APT_CONFIG=$conf apt-cache search --names-only "^linux-image-$pattern-amd64\$" |
		awk '{ print $1 }' | sort -V | tail -n 1)
	newest=${newest#linux-image-}
	newest=${newest%-amd64}
	echo "${newest:-$wish}"
}

# short RELEASE: 6.12 of 6.12.107+deb13
short()
{
	echo "${1%%+*}" | cut -d. -f1,2
}

is_wanted()
{
	local name=$1 tags=$2 w

	[ -z "$quick" ] || case $tags in *quick*) ;; *) return 1 ;; esac
	[ ${#wanted[@]} -gt 0 ] || return 0
	for w in "${wanted[@]}"; do
		# shellcheck disable=SC2254
		case $name in $w) return 0 ;; esac
	done
	return 1
}

# dump NAME TAGS COMMAND [ARG]...: COMMAND gets the path as its last argument
dump()
{
	local name=$1 tags=$2 start=$SECONDS
	local path=$dumps/$name

	shift 2
	is_wanted "$name" "$tags" || return 0
	if [ -n "$list" ]; then
		[ -s "$path" ] && [ -s "$path.truth.json" ] && tags="$tags here"
		echo "$name $tags"
		return
	fi
	[ ! -s "$path" ] || [ ! -s "$path.truth.json" ] || return 0
	if "$@" "$path" >"$log" 2>&1 </dev/null &&
	   [ -s "$path" ] && [ -s "$path.truth.json" ]; then
		say "$name made in $((SECONDS - start)) s"
	else
		say "$name: $(grep -v '^$' "$log" | tail -n 1)"
		rm -f "$path" "$path.truth.json"
		failed=1
	fi
}

# boot RELEASE [OPTION]... OUT
boot()
{
	local k=$1

	shift
	"$guest/make-vmcore.sh" -k "$k" "$@"
}

# boot_sched RELEASE PROGRAM MORE [OPTION]... OUT: with a scheduler of tools/sched_ext
boot_sched()
{
	local k=$1 args="arenas.sched=$2 $3" dir

	shift 3
	dir=$("$guest/make-scx.sh" "$k") || return 1
	boot "$k" -x "$dir" -a "$args" "$@"
}

# boot_version PATTERN [OPTION]... OUT: the newest kernel of a series
boot_version()
{
	local k

	k=$(release none trixie-backports "$1")-amd64
	shift
	boot "$k" "$@"
}

# filter_by SUITE FROM [OPTION]... OUT: its makedumpfile on an older dump of the cache
filter_by()
{
	local suite=$1 from=$2 out=${*: -1}

	[ -s "$dumps/$from" ] || { echo "no $from"; return 1; }
	shift 2
	rm -f "$out"
	"$here/suite-run.sh" "$suite" makedumpfile makedumpfile "${@:1:$#-1}" "$dumps/$from" \
		"$out" || return 1
	cp "$dumps/$from.truth.json" "$out.truth.json"
}

# filter FROM [OPTION]... OUT: by that of forky.
# 1.7.8: 1.7.2 takes slab pages for user data, 1.7.6 leaves out no free page
filter()
{
	filter_by forky "$@"
}

# flatten FROM [OPTION]... OUT: the same, as it comes over a pipe
flatten()
{
	local from=$1 out=${*: -1}

	[ -s "$dumps/$from" ] || { echo "no $from"; return 1; }
	shift
	"$here/suite-run.sh" forky makedumpfile makedumpfile -F "${@:1:$#-1}" "$dumps/$from" \
		>"$out" 2>"$out.log" || { cat "$out.log"; rm -f "$out.log"; return 1; }
	rm -f "$out.log"
	cp "$dumps/$from.truth.json" "$out.truth.json"
}

# split FROM OUT: OUT, OUT.2 and OUT.3. Blocks of 8 MiB: pages in each part
split()
{
	local from=$1 out=$2

	[ -s "$dumps/$from" ] || { echo "no $from"; return 1; }
	rm -f "$out" "$out.2" "$out.3"
	"$here/suite-run.sh" forky makedumpfile makedumpfile --split --splitblock-size 8 \
		-c -d 31 "$dumps/$from" "$out" "$out.2" "$out.3" || return 1
	cp "$dumps/$from.truth.json" "$out.truth.json"
}

# unflatten FROM OUT: QEMU 7.2 writes kdump flattened
unflatten()
{
	local from=$1 out=$2

	[ -s "$dumps/$from" ] || { echo "no $from"; return 1; }
	rm -f "$out"
	"$here/suite-run.sh" forky makedumpfile makedumpfile -R "$out" <"$dumps/$from" || return 1
	cp "$dumps/$from.truth.json" "$out.truth.json"
}

# boot_kdump: both at once, and only the plain file is kept
boot_kdump()
{
	local out=${*: -1}

	boot "${@:1:$#-1}" "$out.flat" || return 1
	unflatten "$(basename "$out.flat")" "$out" || return 1
	rm -f "$out.flat" "$out.flat.truth.json"
}

stable=${ARENA_STABLE:-$(release 6.12.107+deb13 trixie '6[.]12[.].*[+]deb13')}
newest=${ARENA_NEWEST:-$(release 7.3.4+deb13 trixie-backports '.*[+]deb13')}
before=$(release 6.1.0-50 bookworm '6[.]1[.]0-[0-9]*')
s=$(short "$stable")
n=$(short "$newest")

# Tags: quick; lossy (a filter took what is asked for); twin=NAME (NAME is the same
# crash, not filtered); formats (variants of one
# crash); holes (pages of zeros are left out); tables (page tables of zeros are);
# E (by makedumpfile -E); none (a kernel without arenas); noinfo (no VMCOREINFO
# note); cut (cut at many places); crash (asked in crash too);
# nocontents (too many for -o); ask (made to be asked about: asked.py); load (20
# dumps, .2 to .20, only -c is asked); split (a set of three files); versions;
# bench (see bench/run.sh)
crash=x86_64-$s-panic-copy.elf
dump "$crash" 'quick formats crash' boot "$stable-amd64" -t panic -m 512 -C 160M -j copy
dump "x86_64-$s-panic-zlib.kdump" 'quick formats cut crash bench' filter "$crash" -c -d 31
dump "x86_64-$s-panic-lzo.kdump" 'quick formats' filter "$crash" -l -d 31
dump "x86_64-$s-panic-zstd.kdump" 'quick formats' filter "$crash" -z -d 31
dump "x86_64-$s-panic-raw.kdump" 'quick formats' filter "$crash" -d 31
dump "x86_64-$s-panic-flat.kdump" 'quick formats' flatten "$crash" -c -d 31
dump "x86_64-$s-panic-split3.kdump" 'quick formats split' split "$crash"
dump "x86_64-$s-panic-d30.elf" 'quick formats cut E' filter "$crash" -E -d 30
dump "x86_64-$s-panic-flat.elf" 'quick formats E' flatten "$crash" -E -d 30
dump "x86_64-$s-panic-d31.elf" 'quick formats E' filter "$crash" -E -d 31
dump "x86_64-$s-panic-holes.elf" 'quick holes E' \
	boot "$stable-amd64" -t panic -m 512 -C 160M -j '-E,-d,31' -a arenas.zeros=4096
# what makedumpfile of Debian 12, 1.7.2, takes away
dump "x86_64-$s-panic-1.7.2.kdump" "quick lossy twin=$crash" \
	filter_by bookworm "$crash" -c -d 31
crash=x86_64-$s-panic-4cpu-copy.elf
dump "$crash" '' boot "$stable-amd64" -t panic -p 4 -m 640 -j copy
dump "x86_64-$s-panic-4cpu-1.7.2.kdump" "lossy twin=$crash" \
	filter_by bookworm "$crash" -c -d 31
dump "x86_64-$s-qemu.elf" 'quick crash' boot "$stable-amd64"
dump "x86_64-6.1-qemu.elf" 'quick none' boot "$before-amd64"
dump "x86_64-$s-qemu-noinfo.elf" 'quick noinfo' boot "$stable-amd64" -n
dump "x86_64-$n-qemu.elf" 'quick crash' boot "$newest-amd64"
# what the questions are about: pointers, reservations, users, faults
dump "x86_64-$s-qemu-ask.elf" 'ask' boot "$stable-amd64" -a arenas.ask=1
dump "x86_64-$s-panic-ask.kdump" 'ask' \
	boot "$stable-amd64" -t panic -m 512 -C 160M -j '-c,-d,31' -a arenas.ask=1
dump "x86_64-$n-qemu-ask.elf" 'quick ask' boot "$newest-amd64" -a arenas.ask=1
dump "aarch64-16k-$n-qemu-ask.elf" 'ask' boot "$newest-arm64-16k" -m 768 -a arenas.ask=1
# four CPUs allocate and free: 20 dumps of one boot
dump "x86_64-$s-qemu-load.kdump" 'load' \
	boot "$stable-amd64" -p 4 -m 640 -N 20 -f zlib -a arenas.load=1
dump "x86_64-$n-qemu-load.kdump" 'load' \
	boot "$newest-amd64" -p 4 -m 640 -N 20 -f zlib -a arenas.load=1
# PREEMPT_RT has other locks
dump "x86_64-$s-rt-qemu-load.kdump" 'load' \
	boot "$stable-rt-amd64" -p 4 -m 640 -N 20 -f zlib -a arenas.load=1
dump "x86_64-$n-rt-qemu-ask.elf" 'ask' \
	boot "$newest-rt-amd64" -p 2 -a 'arenas.ask=1 arenas.crash=1'
# a CPU in an access to an arena
dump "x86_64-$n-qemu-crash.elf" '' boot "$newest-amd64" -p 2 -a arenas.crash=1
dump "x86_64-$s-panic-crash.kdump" '' \
	boot "$stable-amd64" -t panic -m 512 -C 160M -p 2 -j '-c,-d,31' -a arenas.crash=1
dump "x86_64-$n-panic-crash.kdump" '' \
	boot "$newest-amd64" -t panic -m 832 -p 2 -j '-c,-d,23' -a arenas.crash=1
dump "aarch64-16k-$n-qemu-crash.elf" '' \
	boot "$newest-arm64-16k" -m 768 -p 2 -a arenas.crash=1
# sched_ext: one with an arena that the kernel knows, one that it does not, one that ends
dump "x86_64-$n-qemu-qmap.elf" '' boot_sched "$newest-amd64" scx_qmap ''
dump "x86_64-$n-qemu-sdt.elf" '' boot_sched "$newest-amd64" scx_sdt '' -p 2
# one and a sub-scheduler
dump "x86_64-$n-qemu-qmap-sub.elf" '' \
	boot_sched "$newest-amd64" scx_qmap arenas.sched_sub=1 -p 2
# and one whose pages are taken away from under the kernel
dump "x86_64-$n-panic-oops.kdump" '' boot_sched "$newest-amd64" scx_qmap arenas.oops=1 \
	-t panic -m 832 -j '-c,-d,23'
dump "x86_64-$n-qemu-qmap-error.elf" '' \
	boot_sched "$newest-amd64" scx_qmap arenas.sched_error=200 -p 2
dump "x86_64-$n-qemu-5level.elf" 'quick' boot "$newest-amd64" -5
dump "x86_64-$n-panic-4cpu.kdump" 'quick lossy crash' \
	boot "$newest-amd64" -t panic -p 4 -m 832 -j '-c,-d,31'
# the same kernel in another crash, before and after the filter
crash=x86_64-$n-panic-4cpu-copy.elf
dump "$crash" '' boot "$newest-amd64" -t panic -p 4 -m 832 -j copy -a arenas.seed=3
dump "x86_64-$n-panic-4cpu-1.7.8.kdump" "lossy twin=$crash" filter "$crash" -c -d 31
dump "x86_64-$n-panic-d23.kdump" 'quick' boot "$newest-amd64" -t panic -m 832 -j '-c,-d,23'
dump "aarch64-16k-$n-qemu-lpa2.elf" 'quick' boot "$newest-arm64-16k" -m 768
dump "aarch64-16k-$n-qemu-va47.elf" '' boot "$newest-arm64-16k" -m 768 -c neoverse-n1
dump "aarch64-4k-$n-qemu-lpa2.elf" '' boot "$newest-arm64" -m 768
dump "aarch64-4k-$n-qemu-va48.elf" '' boot "$newest-arm64" -m 768 -c neoverse-n1
dump "aarch64-4k-$s-qemu-lpa2.elf" '' boot "$stable-arm64" -m 768
# QEMU writes kdump of aarch64 in blocks of 64K, whatever the pages of the guest
dump "aarch64-16k-$n-qemu-flat.kdump" 'quick' boot "$newest-arm64-16k" -m 768 -f zlib
dump "aarch64-16k-$n-qemu-64k.kdump" 'quick' \
	unflatten "aarch64-16k-$n-qemu-flat.kdump"
dump "aarch64-4k-$n-qemu-64k.kdump" '' boot_kdump "$newest-arm64" -m 768 -f zlib
dump "aarch64-4k-$n-panic.elf" '' boot "$newest-arm64" -t panic -m 832 -j copy
dump "aarch64-16k-$n-panic.elf" '' boot "$newest-arm64-16k" -t panic -m 832 -j copy
# kernels between the two, where each first had something new
for k in 6.16 6.18 7.2; do
	dump "x86_64-$k-qemu.elf" 'versions' \
		boot_version "${k/./[.]}[.][0-9]*[+]deb13"
done
# their modules are no longer in the archive, so QEMU's dump would have no VMCOREINFO
for k in 7.0 7.1; do
	dump "x86_64-$k-panic.elf" 'versions' \
		boot_version "${k/./[.]}[.][0-9]*[+]deb13" -t panic -m 832 -j copy
done
dump "x86_64-7.0-panic-d31.elf" 'versions tables E' filter x86_64-7.0-panic.elf -E -d 31
# memory above 4 GiB; all its pages, packed
dump "x86_64-$s-qemu-high.kdump" '' boot_kdump "$stable-amd64" -f zlib -m 3584
# one arena of a GiB
dump "x86_64-$s-qemu-big.elf" 'bench' boot "$stable-amd64" -m 1792 -a arenas.big=262144
# one arena of 4 GiB, all its pages there: as large as an arena can be
dump "x86_64-$s-qemu-full.kdump" 'bench nocontents' \
	boot_kdump "$stable-amd64" -f zlib -m 5632 -a arenas.big=1048576
exit $failed
