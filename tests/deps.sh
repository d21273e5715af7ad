#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deps.sh demo|check: make sure that the packages for it are there. As root on Debian they are
# installed, after saying so in one line (DEPS=no forbids it); else that line is printed.

set -eu

demo='gcc libc6-dev pkg-config libkdumpfile-dev zlib1g-dev libdw-dev'
check="$demo check valgrind python3 python3-jsonschema binutils crash libc6-dbg lcov"
case ${1:-} in
demo) packages=$demo ;;
check) packages=$check ;;
*) echo "usage: deps.sh demo|check" >&2; exit 2 ;;
esac

# Not a Debian system: the compiler and the linker will say what is missing
command -v dpkg-query >/dev/null || exit 0

missing=''
for p in $packages; do
	case $(dpkg-query -W -f='${db:Status-Status}' "$p" 2>/dev/null) in
	installed*) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0

command="apt-get install --no-install-recommends$missing"
if [ "$(id -u)" != 0 ] || [ "${DEPS:-yes}" = no ]; then
	echo "missing; as root: $command"
	exit 1
fi
echo "installing what is missing: $command"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
# the lists of a fresh system are empty, or too old
# shellcheck disable=SC2086
if ! { apt-get -qq update && apt-get -qq -y install --no-install-recommends $missing; } \
	>"$log" 2>&1
then
	cat "$log"
	rm -f "$log"
	exit 1
fi
rm -f "$log"
