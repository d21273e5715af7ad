#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What `make bench` runs: figures, each beside its target. run.sh -h: options.

here=$(cd "$(dirname "$0")" && pwd)
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/measure.py" "$@"
