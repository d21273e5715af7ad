# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that end too early: cut in headers, bitmaps, descriptors and data."""

import json
import os
import shutil
import struct
import zlib

from harness import Wrong, arenasnap, expect, one_object, scratch_dir

LIMIT = 10      # seconds for each run
PLACES = 50


def kdump_borders(f):
    """Where parts of a kdump-compressed file begin and end."""
    f.seek(428)
    block, sub, bitmap_blocks, _ = struct.unpack("<iiII", f.read(16))
    first = (1 + sub) * block
    half = bitmap_blocks * block // 2
    descs = first + 2 * half
    f.seek(first + half)
    stored = sum(bin(byte).count("1") for byte in f.read(half))
    f.seek(block + 40)          # sub header: offset and size of VMCOREINFO
    vmcoreinfo, size = struct.unpack("<QQ", f.read(16))
    return [8, 428, 444, block, vmcoreinfo, vmcoreinfo + size, first, first + half, descs,
            descs + 24, descs + 24 * (stored // 2), descs + 24 * stored]


def elf_borders(f):
    """Where parts of an ELF core begin and end."""
    f.seek(32)
    phoff, = struct.unpack("<Q", f.read(8))
    f.seek(54)
    entry, count = struct.unpack("<HH", f.read(4))
    borders = [16, 64, phoff, phoff + entry, phoff + entry * count]
    for i in range(count):
        f.seek(phoff + entry * i)
        _, _, offset, _, _, size = struct.unpack("<IIQQQQ", f.read(40))
        borders += [offset, offset + size]
    return borders


def places(path):
    """PLACES lengths, all shorter than the file: borders, beside them, and evenly over the data"""
    size = os.path.getsize(path)
    with open(path, "rb") as f:
        magic = f.read(8)
        borders = kdump_borders(f) if magic == b"KDUMP   " else elf_borders(f)
    chosen = [0, 1, size - 1, size - 4096]
    for border in sorted(set(borders)):
        chosen += [border - 1, border, border + 1]
    chosen = sorted({n for n in chosen if 0 <= n < size})
    missing = max(PLACES - len(chosen), 12)
    start = max((b for b in borders if b < size // 2), default=0)
    chosen += [start + (size - start) * i // (missing + 1) | 1 for i in range(1, missing + 1)]
    return sorted(set(chosen), reverse=True)


class Truth:
    """pages of the truth by arena id: pgoff -> (phys, crc32 or None)"""

    def __init__(self, truth):
        self.page_size = truth["page_size"]
        self.arenas = {}
        for arena in truth["arenas"]:
            pages = self.arenas[arena["id"]] = {}
            for run in arena.get("runs", []):
                crcs = run.get("crc32", [])
                for i in range(run["n"]):
                    crc = int(crcs[i], 0) if i < len(crcs) else None
                    pages[run["pgoff"] + i] = (int(run["phys"], 0) + i * self.page_size, crc)


def arena_is_true(arena, truth, folder):
    """No page that is not there, none left out in silence, no wrong contents"""
    who = "arena %s" % arena["id"]
    if arena["id"] is None:
        return
    expect(arena["id"] in truth.arenas, "%s: not in the truth", who)
    want = truth.arenas[arena["id"]]
    seen = 0
    data = None
    path = os.path.join(folder, "%d.bin" % arena["id"])
    if os.path.exists(path):
        data = open(path, "rb")
    try:
        for page in arena["pages"] or []:
            pgoff = page["pgoff"]
            if page["kind"] == "scratch" or pgoff is None:
                continue
            expect(pgoff in want, "%s: page %d: not in the truth", who, pgoff)
            phys, crc = want[pgoff]
            seen += 1
            expect(int(page["phys"], 0) == phys, "%s: page %d: phys %s", who, pgoff, page["phys"])
            if page["stored"] and data and crc is not None:
                data.seek(pgoff * truth.page_size)
                got = zlib.crc32(data.read(truth.page_size))
                expect(got == crc, "%s: page %d: contents %08x, truth %08x", who, pgoff, got, crc)
    finally:
        if data:
            data.close()
    if not arena["truncated"] and not arena["unknown"]:
        expect(seen == len(want), "%s: %d pages of %d, and not truncated", who, seen, len(want))


def one_cut(path, size, truth, tmp):
    """The file at path, cut at size: told, and nothing made up"""
    ran = arenasnap("-j", "-p", path, limit=LIMIT)
    doc = one_object(ran, "-j")
    expect(ran.status in (1, 3), "status %d", ran.status)
    expect(doc["errors"], "status %d, but no error", ran.status)
    out = os.path.join(tmp, "out")
    written = arenasnap("-o", out, path, limit=LIMIT)
    expect(written.status in (1, 3), "-o: status %d", written.status)
    expect(written.err, "-o: status %d without a word", written.status)
    snapshot = os.path.join(out, "snapshot.json")
    if os.path.exists(snapshot):
        with open(snapshot, encoding="utf-8") as f:
            saved = json.load(f)
        expect(saved["arenas"] == doc["arenas"], "snapshot.json has other arenas than -j -p")
    for arena in doc["arenas"] or []:
        arena_is_true(arena, truth, out)
    shutil.rmtree(out, ignore_errors=True)
    return ran.status, len(doc["arenas"] or []), max(ran.wall, written.wall)


def cut_everywhere(dump):
    """Each cut of one dump; the file is copied once and then only gets shorter"""
    truth = Truth(dump.load_truth())
    wrong, status, slowest, partly = [], {1: 0, 3: 0}, 0.0, 0
    todo = places(dump.path)
    with scratch_dir() as tmp:
        path = os.path.join(tmp, "cut")
        shutil.copyfile(dump.path, path)
        for size in todo:
            os.truncate(path, size)
            try:
                ended, arenas, wall = one_cut(path, size, truth, tmp)
                status[ended] += 1
                partly += arenas > 0
                slowest = max(slowest, wall)
            except (Wrong, ValueError, KeyError, TypeError) as why:
                wrong.append("at %d: %s" % (size, why))
    expect(not wrong, "%d of %d cuts: %s", len(wrong), len(todo), "; ".join(wrong[:5]))
    expect(partly, "no arena found in any of %d cuts: a refusal is no answer", len(todo))
    return "%d cuts: status 1 %d times, 3 %d times; arenas found in %d; slowest %.1f s" % (
        len(todo), status[1], status[3], partly, slowest)
