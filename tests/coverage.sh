#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# coverage.sh SUITE...: branch coverage of core/ by the Check suites, file by file.

set -eu

cd "$(dirname "$0")/.."
find build/cov -name '*.gcda' -delete
for s in "$@"; do
	"build/cov/$s" >/dev/null || echo "$s fails"
done
for c in core/*.c; do
	gcov -b -o "build/cov/core" "$c" 2>/dev/null |
		awk -v f="$c" '$0 == "File \047" f "\047" { hit = 1 }
			hit && /^Lines/ { split($0, l, /[:%]/) ; lines = l[2]; n = $NF }
			hit && /^Taken/ { split($0, b, /[:%]/); printf "%-28s lines %6.2f%%  branches taken %6.2f%% of %d\n", f, lines, b[2], $NF; exit }
			/^$/ { hit = 0 }'
	rm -f ./*.gcov
done | tee build/coverage.txt
awk '{ n = $NF; t += n * $6 / 100; a += n } END { printf "core/ branches taken: %.1f%% of %d\n", 100 * t / a, a }' build/coverage.txt
