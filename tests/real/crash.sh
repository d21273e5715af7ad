#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run crash of one of the Debian suites, see suite-run.sh.

set -eu

# shellcheck source=tests/real/crash-suite.sh
. "$(dirname "$0")/crash-suite.sh"
run=$(cd "$(dirname "$0")" && pwd)/suite-run.sh
"$run" "$suite" crash >/dev/null || exit 3
# a suite moves on; what is tested is to be what is said
got=$("$run" "$suite" crash crash --version 2>/dev/null | awk '/^crash / { print $2; exit }')
case $got in
"$version"*) ;;
*) echo "crash.sh: $suite has crash ${got:-of no version}, not $version" >&2; exit 3 ;;
esac
exec "$run" "$suite" crash crash "$@"
