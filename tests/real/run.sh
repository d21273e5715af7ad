#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `make check-real` runs: arenasnap and arena.so on real dumps.
# run.sh -h shows the options.

here=$(cd "$(dirname "$0")" && pwd)
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/check_real.py" "$@"
