#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps without a VMCOREINFO note: the text is found in memory, and the answer is the same.

usage: noinfo_check.py [quick] [WORD...]	on the dumps of $ARENA_CACHE/dumps (part of run.sh)

QEMU writes the note or not by its command line; memory is the same. So a pair is a dump and a
copy of it in which nothing but the note's name is changed.
"""

import os
import shutil
import struct
import sys

from harness import (CACHE, GUEST, Report, Skip, Wrong, arenasnap, expect, load_schema,
                     one_object, run, scratch_dir)

DUMPS = os.path.join(CACHE, "dumps")
PAIRS = ("x86_64-7.3-qemu.elf", "x86_64-7.3-qemu-5level.elf", "x86_64-6.18-qemu.elf",
         "x86_64-6.12-panic-copy.elf", "x86_64-6.12-panic-zlib.kdump",
         "x86_64-7.3-panic-4cpu.kdump", "aarch64-4k-7.3-qemu-va48.elf",
         "aarch64-4k-6.12-qemu-lpa2.elf", "aarch64-16k-7.3-qemu-va47.elf",
         "aarch64-16k-7.3-qemu-lpa2.elf", "aarch64-4k-7.3-panic.elf")
QUICK = ("x86_64-6.12-panic-zlib.kdump", "x86_64-7.3-panic-4cpu.kdump")
REAL = "x86_64-6.12-qemu-noinfo.elf"    # of a guest without the device
OTHER = "x86_64-7.3-qemu.elf"           # for a text that is of another kernel
NAME = b"VMCOREINFO\0"


def dump(name):
    path = os.path.join(DUMPS, name)
    if not os.path.exists(path):
        raise Skip("there is no " + path)
    return path


def notes_of(data):
    """[offset, size] of the notes of an ELF file or a kdump, whose first bytes these are"""
    if data[:4] == b"\x7fELF":
        at, = struct.unpack_from("<Q", data, 32)
        count, = struct.unpack_from("<H", data, 56)
        for i in range(count):
            kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at + 56 * i)
            if kind == 4:
                return offset, size
    elif data[:8] == b"KDUMP   ":
        block, = struct.unpack_from("<I", data, 428)
        return struct.unpack_from("<QQ", data, block + 48)
    raise Wrong("no notes")


def note_at(path):
    """Offset and bytes of the VMCOREINFO note"""
    with open(path, "rb") as f:
        head = f.read(1 << 16)
        offset, size = notes_of(head)
        f.seek(offset)
        notes = f.read(size)
    at = notes.find(NAME) - 12
    expect(at >= 0, "%s has no VMCOREINFO note", path)
    size, = struct.unpack_from("<I", notes, at + 4)
    return offset + at, notes[at:at + 24 + size]


def hide(path, copy):
    """A copy whose note has another name, and which a kdump header does not point to"""
    shutil.copyfile(path, copy)
    at, _ = note_at(path)
    with open(copy, "r+b") as f:
        if f.read(5) == b"KDUMP":
            f.seek(428)
            block, = struct.unpack("<I", f.read(4))
            f.seek(block + 32)
            f.write(bytes(16))
        f.seek(at + 12)
        f.write(b"N")
    return copy


def answer(*args):
    return dict(one_object(arenasnap("-jp", *args), os.path.basename(args[-1])), vmcore=None)


def same_answer(name):
    """With the note and without it; by hand; and reduced"""
    path = dump(name)
    whole = answer(path)
    with scratch_dir() as tmp:
        copy = hide(path, os.path.join(tmp, name))
        expect(answer(copy) == whole, "another answer")
        text = arenasnap("-v", copy).out.decode()
        found = [at for at in text.splitlines() if "vmcoreinfo: found in memory" in at]
        expect(len(found) == 1, "-v does not say where it was found")
        expect("vmcoreinfo" not in arenasnap("-v", path).out.decode(), "-v of the whole dump")
        for form, data in (("note", note_at(path)[1]), ("text", note_at(path)[1][24:])):
            hand = os.path.join(tmp, form)
            with open(hand, "wb") as f:
                f.write(data)
            expect(answer("--vmcoreinfo", hand, copy) == whole, "%s by hand: another answer", form)
        small = os.path.join(tmp, "small")
        ran = arenasnap("-q", "--reduce", small, copy)
        expect(ran.status in (0, 1), "--reduce: status %d", ran.status)
        expect(answer(small) == whole, "reduced: another answer")
    return found[0].split(", at ")[1]


def truth_of_the_real_one():
    """A guest without the device, against what it printed"""
    path = dump(REAL)
    with scratch_dir() as tmp:
        out = os.path.join(tmp, "out.json")
        with open(out, "wb") as f:
            f.write(arenasnap("-jp", path).out)
        ran = run([sys.executable, os.path.join(GUEST, "check-truth.py"), path + ".truth.json",
                   out])
    lines = ran.out.decode().splitlines()
    expect(not ran.status, "%s", "; ".join(lines))
    return lines[-1].split(", fields")[0]


def text_of_another_kernel():
    """By hand, and in the note"""
    with scratch_dir() as tmp:
        hand = os.path.join(tmp, "other")
        with open(hand, "wb") as f:
            f.write(note_at(dump(OTHER))[1])
        doc = one_object(arenasnap("-j", "--vmcoreinfo", hand, dump(REAL)), "by hand")
        expect(doc["status"] == "failed" and "proves nothing" in doc["errors"][0]["text"],
               "by hand: %s", doc["errors"])
        path = dump("x86_64-7.3-qemu-5level.elf")
        whole = answer(path)
        copy = shutil.copyfile(path, os.path.join(tmp, "copy"))
        at, note = note_at(path)
        release = note.index(b"OSRELEASE=") + 10
        with open(copy, "r+b") as f:
            f.seek(at + release)
            f.write(b"9")
        expect(answer(copy) == whole, "a note that lies: another answer")
        expect("(VMCOREINFO is of Linux 9" in arenasnap("-v", copy).out.decode(),
               "-v does not say that the note lies")


def check_noinfo(report, quick):
    """All of it; what is quick takes small dumps"""
    for name in QUICK if quick else PAIRS:
        report.check("noinfo " + name, same_answer, name)
    report.check("noinfo truth", truth_of_the_real_one)
    if not quick:
        report.check("noinfo other", text_of_another_kernel)


def main():
    report = Report([word for word in sys.argv[1:] if word != "quick"])
    report.always("schema", load_schema)
    check_noinfo(report, "quick" in sys.argv[1:])
    return report.summary()


if __name__ == "__main__":
    sys.exit(main())
