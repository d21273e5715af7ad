#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run the arm64 crash of a Debian suite under qemu-aarch64. Nothing is installed: its packages,
# and qemu-user-static if there is none, are unpacked in the cache.

set -eu

# shellcheck source=tests/real/crash-suite.sh
. "$(dirname "$0")/crash-suite.sh"
here=$(cd "$(dirname "$0")" && pwd)
cache=${ARENA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arena}
root=$cache/suite/$suite-crash-arm64

die()
{
	echo "crash-arm64.sh: $*" >&2
	exit 3
}

# unpack TARGET PACKAGE...: packages of apt's current configuration
unpack()
{
	target=$1
	shift
	mkdir -p "$cache/suite"
	tmp=$(mktemp -d "$cache/suite/.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	mkdir "$tmp/deb" "$tmp/root"
	(cd "$tmp/deb" && apt-get -qq download "$@" >&2) || die "cannot download $*"
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb -x "$deb" "$tmp/root"
	done
	mv -T "$tmp/root" "$target" 2>/dev/null || [ -d "$target" ]
	rm -rf "$tmp"
	trap - EXIT
}

unpack_crash()
{
	APT_CONFIG=$("$here/../../fixtures/guest/suite-apt.sh" "$suite" "$cache/apt") ||
		die "no package lists of $suite"
	export APT_CONFIG
	names=$(apt-get -qq -s --no-install-recommends install crash:arm64 |
		awk '$1 == "Inst" { print $2 }')
	[ -n "$names" ] || die "no arm64 crash in $suite"
	# shellcheck disable=SC2086
	unpack "$root" $names
}

qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || :)
if [ -z "$qemu" ]; then
	qemu=$cache/suite/qemu-user-static/usr/bin/qemu-aarch64-static
	[ -x "$qemu" ] || (unset APT_CONFIG; unpack "$cache/suite/qemu-user-static" qemu-user-static)
fi
[ -d "$root" ] || (unpack_crash)
loader=$(find "$root" -name ld-linux-aarch64.so.1 | head -n 1)
[ -n "$loader" ] || die "no loader in $root"
path=''
for d in usr/lib/aarch64-linux-gnu lib/aarch64-linux-gnu usr/lib lib; do
	path=$path:$root/$d
done
run_crash()
{
	exec "$qemu" "$loader" --library-path "${path#:}" "$root/usr/bin/crash" "$@"
}
got=$(run_crash --version 2>/dev/null | awk '/^crash / { print $2; exit }')
case $got in
"$version"*) ;;
*) die "$suite has crash ${got:-of no version}, not $version" ;;
esac
run_crash "$@"
