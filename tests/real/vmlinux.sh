#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Print the path of the vmlinux with debug symbols of a Debian kernel. It comes
# out of the -dbg package (1 GB to download, 400 MB to keep) into the cache.

set -eu

usage='usage: vmlinux.sh [-n] RELEASE   (-n: only if it is in the cache)'
[ "${1:-}" != -h ] || { echo "$usage"; exit 0; }
fetch=y
[ "${1:-}" != -n ] || { fetch=''; shift; }
[ $# -eq 1 ] || { echo "$usage" >&2; exit 2; }
release=$1
here=$(cd "$(dirname "$0")" && pwd)
cache=${ARENA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/arena}
file=$cache/vmlinux/$release
if [ -s "$file" ]; then
	echo "$file"
	exit 0
fi
[ -n "$fetch" ] || exit 1

die()
{
	echo "vmlinux: $*" >&2
	exit 1
}

case $release in
6.1.*) suite=bookworm ;;
6.12.*+deb13-*) suite=trixie ;;
*+deb13-*) suite=trixie-backports ;;
*+deb14-*) suite=forky ;;
*) die "no known suite has $release" ;;
esac
conf=$("$here/../../fixtures/guest/suite-apt.sh" "$suite" "$cache/apt") ||
	die "no package lists of $suite"
mkdir -p "$cache/vmlinux"
tmp=$(mktemp -d "$cache/vmlinux/.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
(cd "$tmp" && APT_CONFIG=$conf apt-get -qq download "linux-image-$release-dbg" >&2) ||
	die "no package of the debug symbols of $release"
dpkg-deb --fsys-tarfile "$tmp"/*.deb | tar -x -C "$tmp" --wildcards '*/vmlinux*'
# beside the file there are symbolic links of that name
found=$(find "$tmp" -type f -name 'vmlinux*' | head -n 1)
[ -n "$found" ] || die "no vmlinux in the package of $release"
mv "$found" "$file"
echo "$file"
