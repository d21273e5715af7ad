# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps with wrong bytes: whatever they say, arenasnap ends by itself, in time, with JSON."""

import os
import random
import shutil

from cuts import LIMIT, elf_borders, kdump_borders
from harness import Wrong, arenasnap, expect, one_object, scratch_dir

PLACES = 120


def places(path, chance):
    """Where to write: half in the file's own map, half in the pages"""
    size = os.path.getsize(path)
    with open(path, "rb") as f:
        borders = kdump_borders(f) if f.read(8) == b"KDUMP   " else elf_borders(f)
    borders = sorted({b for b in borders if 0 < b < size})
    ranges = list(zip([0] + borders, borders))
    chosen = [chance.randrange(*chance.choice(ranges)) for _ in range(PLACES // 2)]
    return chosen + [chance.randrange(size) for _ in range(PLACES - len(chosen))]


def damaged(dump):
    """Eight bytes at a time are made wrong, and put back"""
    chance = random.Random(1)
    status, slowest, wrong = {0: 0, 1: 0, 3: 0}, 0.0, []
    with scratch_dir() as tmp:
        path = os.path.join(tmp, "damaged")
        shutil.copyfile(dump.path, path)
        with open(path, "r+b", buffering=0) as f:
            for at in places(path, chance):
                f.seek(at)
                was = f.read(8)
                now = chance.choice([b"\xff" * 8, bytes(8), chance.randbytes(8)])[:len(was)]
                f.seek(at)
                f.write(now)
                try:
                    ran = arenasnap("-j", "-p", path, limit=LIMIT)
                    one_object(ran, "-j -p")
                    status[ran.status] += 1
                    slowest = max(slowest, ran.wall)
                except (Wrong, ValueError, KeyError, TypeError) as why:
                    wrong.append("%s at %d: %s" % (now.hex(), at, why))
                f.seek(at)
                f.write(was)
    expect(not wrong, "%d of %d: %s", len(wrong), PLACES, "; ".join(wrong[:5]))
    return "%d places: status 0 %d times, 1 %d times, 3 %d times; slowest %.1f s" % (
        PLACES, status[0], status[1], status[3], slowest)
