#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `make check-real` runs: arenasnap and arena.so on real dumps.
# run.sh -h shows the options.

here=$(cd "$(dirname "$0")" && pwd)
# the first python3 need not be the one that Debian's packages belong to
python=python3
for p in ${PYTHON:-python3} python3 /usr/bin/python3; do
	"$p" -c 'import jsonschema' 2>/dev/null || continue
	python=$p
	break
done
PYTHONDONTWRITEBYTECODE=1 exec "$python" "$here/check_real.py" "$@"
