#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run a program of another Debian suite without installing it: its package and
# all that this depends on are unpacked in the cache, and the program is started
# by the loader that came along. Needs no root. What it starts itself is the
# system's own.

set -eu

usage='usage: suite-run.sh SUITE PACKAGE PROGRAM [ARG]...
       suite-run.sh SUITE PACKAGE               only unpack; prints where'
[ "${1:-}" != -h ] || { echo "$usage"; exit 0; }
[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
suite=$1 package=$2
shift 2
cache=${ARENA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arena}
root=$cache/suite/$suite-$package

die()
{
	echo "suite-run: $*" >&2
	exit 1
}

unpack()
{
	mkdir -p "$cache/suite"
	tmp=$(mktemp -d "$cache/suite/.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	conf=$("$here/../../fixtures/guest/suite-apt.sh" "$suite" "$cache/apt") ||
		die "no package lists of $suite"
	names=$(APT_CONFIG=$conf apt-get -qq -s --no-install-recommends install \
		"$package" | awk '$1 == "Inst" { print $2 }')
	[ -n "$names" ] || die "no package $package in $suite"
	mkdir "$tmp/deb" "$tmp/root"
	# shellcheck disable=SC2086
	(cd "$tmp/deb" && APT_CONFIG=$conf apt-get -qq download $names >&2) ||
		die "cannot download $package of $suite"
	for deb in "$tmp"/deb/*.deb; do
		dpkg-deb -x "$deb" "$tmp/root"
	done
	# another run may have been faster
	mv -T "$tmp/root" "$root" 2>/dev/null || [ -d "$root" ]
	rm -rf "$tmp"
	trap - EXIT
}

[ -d "$root" ] || unpack
[ $# -ge 1 ] || { echo "$root"; exit 0; }
program=$1
shift
path=''
for d in usr/lib/x86_64-linux-gnu lib/x86_64-linux-gnu usr/lib lib; do
	path=$path:$root/$d
done
loader=$(find "$root" -name ld-linux-x86-64.so.2 | head -n 1)
[ -n "$loader" ] || die "no loader in $root"
exec "$loader" --library-path "${path#:}" "$root/usr/bin/$program" "$@"
