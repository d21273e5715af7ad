#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh SUITE...: all tests of 'make check'. Each Check suite runs under valgrind and once more
# built with ASan and UBSan; the command line is tested with both builds too.

set -u

cd "$(dirname "$0")/.."
passed=0 failed=0 skipped=0

# count FILE: add up the closing line of one run, Check's or ours
count()
{
	local line numbers

	line=$(grep -E '^([0-9]+%: Checks: |[0-9]+ passed, [0-9]+ failed)' "$1" | tail -n 1)
	mapfile -t numbers < <(grep -oE '[0-9]+' <<<"$line")
	case $line in
	*Checks:*)
		failed=$((failed + numbers[2] + numbers[3]))
		passed=$((passed + numbers[1] - numbers[2] - numbers[3])) ;;
	*passed*)
		passed=$((passed + numbers[0]))
		failed=$((failed + numbers[1]))
		skipped=$((skipped + ${numbers[2]:-0})) ;;
	*)
		return 1 ;;
	esac
}

# run NAME COMMAND...: shows the output where something failed or was skipped
run()
{
	local name=$1 log before=$failed status=0

	shift
	log=$(mktemp)
	"$@" >"$log" 2>&1 || status=$?
	if ! count "$log"; then
		failed=$((failed + 1))
		status=1
	elif [ $status != 0 ] && [ "$failed" = "$before" ]; then
		# all tests passed, but valgrind or a sanitizer did not
		failed=$((failed + 1))
	fi
	if [ $status != 0 ]; then
		echo "== $name: FAILED (status $status)"
		cat "$log"
	else
		echo "== $name: $(grep -E 'Checks: |passed, ' "$log" | tail -n 1)"
		grep '^skipped' "$log"
	fi
	rm -f "$log"
}

export UBSAN_OPTIONS=print_stacktrace=1
valgrind='valgrind -q --error-exitcode=9 --leak-check=full'
run layers tests/layers.sh
for s in "$@"; do
	if [ "$s" = check_vmlinux ]; then
		# valgrind reads debug symbols of every ELF file that is mapped, and dies of broken ones
		echo "skipped $s under valgrind, because valgrind itself dies of broken ELF files"
		skipped=$((skipped + 1))
		run "$s" env CK_FORK=no "build/plain/$s"
	else
		# shellcheck disable=SC2086
		run "$s, valgrind" env CK_FORK=no $valgrind "build/plain/$s"
	fi
	run "$s, sanitizers" env CK_FORK=no "build/san/$s"
done
run 'arenasnap' "$PYTHON" tests/cli.py ./arenasnap --mkdump build/plain/mkdump
# libkdumpfile 0.5.1 is not closed on purpose: leaks are not asked for
run 'arenasnap, sanitizers' env ASAN_OPTIONS=detect_leaks=0 \
	"$PYTHON" tests/cli.py build/san/arenasnap --mkdump build/plain/mkdump
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
