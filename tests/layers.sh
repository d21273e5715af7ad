#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# core/ knows no dump library, no front end and no crash, and prints and opens nothing.

set -eu

cd "$(dirname "$0")/.."
passed=0 failed=0

verdict()
{
	if [ -z "$2" ]; then
		echo "ok $1"
		passed=$((passed + 1))
	else
		echo "FAIL $1: $2"
		failed=$((failed + 1))
	fi
}

bad=$(grep -nE '#[[:space:]]*include[[:space:]]*[<"](libkdumpfile|.*defs\.h|crash/|\.\./)' core/*.[ch] || :)
verdict 'core includes no header of crash, libkdumpfile or a front end' "$bad"

bad=$(grep -lE 'include.*defs\.h' core/* batch/* extension/* | grep -v '^extension/crash.c$' || :)
verdict "crash's header is included in extension/crash.c alone" "$bad"

objects=$(ls build/plain/core/*.o)
# shellcheck disable=SC2086
bad=$(nm -u $objects | awk '$1 == "U" { print $2 }' |
	grep -xE '(__)?(v|f|d|vf|vd)?printf(_chk)?|f?puts|fwrite|fopen|exit|_exit|abort|__assert_fail|open|read|write|stdout|stderr' || :)
verdict 'core neither prints, opens, exits nor asserts' "$bad"

# shellcheck disable=SC2086
bad=$(size -A $objects | awk '/ :$/ { f = $1 } $1 ~ /^\.(data|bss)(\.[^r]|$)/ && $2 { print f }')
verdict 'core has no variables of its own' "$bad"

if [ -e arena.so ]; then
	bad=$(nm -D --defined-only arena.so | awk '{ print $3 }' || :)
	verdict 'arena.so exports nothing' "$bad"
	bad=$(ldd arena.so | awk '{ print $1 }' | grep -vE '^(linux-vdso|libc|/lib.*/ld-linux)' || :)
	verdict 'arena.so is linked with libc alone' "$bad"
	crash=$(command -v crash || :)
	if [ -n "$crash" ]; then
		nm -D --defined-only "$crash" | awk '{ print $3 }' | sort >build/crash-exports
		nm -D -u arena.so | awk '$2 !~ /@/ && $1 == "U" { print $2 }' | sort >build/arena-needs
		bad=$(comm -13 build/crash-exports build/arena-needs)
		verdict 'crash exports all that arena.so needs' "$bad"
	else
		echo "skipped 'crash exports all that arena.so needs', because crash is not installed"
	fi
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
