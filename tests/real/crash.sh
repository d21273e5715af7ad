#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run crash of one of the Debian suites, see suite-run.sh.

set -eu

usage='usage: crash.sh VERSION [ARG]...   (VERSION: 8.0.2, 8.0.6, 9.0.2)'
case ${1:-} in
8.0.2) suite=bookworm ;;
8.0.6) suite=trixie ;;
9.0.2) suite=forky ;;
-h) echo "$usage"; exit 0 ;;
*) echo "$usage" >&2; exit 2 ;;
esac
version=$1
shift
run=$(cd "$(dirname "$0")" && pwd)/suite-run.sh
"$run" "$suite" crash >/dev/null || exit 3
# a suite moves on; what is tested is to be what is said
got=$("$run" "$suite" crash crash --version 2>/dev/null | awk '/^crash / { print $2; exit }')
case $got in
"$version"*) ;;
*) echo "crash.sh: $suite has crash ${got:-of no version}, not $version" >&2; exit 3 ;;
esac
exec "$run" "$suite" crash crash "$@"
