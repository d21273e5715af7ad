# SPDX-License-Identifier: GPL-2.0-or-later
"""Every field of the headers of a kdump and of an ELF core, set to values that it must not have.

Whatever a header says: no signal, no hang, no page that was not mapped, and a sentence where
something is missing. Expected pages come from the writer of the dump (mkdump -t).
"""

import struct

from cli_run import Wrong, expect, num, test
from cli_synth import dump

HANG = 10       # seconds

# offset, size in bytes; see diskdump_mod.h of makedumpfile, and core/dumpfile_kdump.c
KDUMP_HEADER = [(0, 8), (8, 4), (12, 8), (12 + 4 * 65, 8), (408, 8), (416, 8)] + [
    (at, 4) for at in range(424, 464, 4)]
KDUMP_SUB = [(0, 8), (8, 4), (12, 4)] + [(at, 8) for at in range(16, 104, 8)]
DESC = [(0, 8), (8, 4), (12, 4), (16, 8)]
ELF_HEADER = [(0, 4), (4, 1), (5, 1), (6, 1), (16, 2), (18, 2), (20, 4), (24, 8), (32, 8), (40, 8),
              (48, 4)] + [(at, 2) for at in range(52, 64, 2)]
ELF_SEGMENT = [(0, 4), (4, 4)] + [(at, 8) for at in range(8, 56, 8)]
NOTE = [(0, 4), (4, 4), (8, 4), (12, 8)]


def values(was, size):
    """0, 1, -1, huge, and just wrong"""
    top = 1 << 8 * size
    found = {0, 1, top - 1, top >> 1, (top >> 1) - 1, top >> 4, (was + 1) % top, (was - 1) % top,
             was * 2 % top, was // 2}
    return sorted(found - {was})


def kdump_fields(data):
    block, sub, blocks = struct.unpack_from("<iii", data, 428)
    note, = struct.unpack_from("<Q", data, block + 48)
    bitmap = (1 + sub) * block
    descs = bitmap + blocks * block
    fields = [(at, n) for at, n in KDUMP_HEADER]
    fields += [(block + at, n) for at, n in KDUMP_SUB]
    fields += [(note + at, n) for at, n in NOTE]
    fields += [(bitmap, 8), (bitmap + blocks * block // 2, 8)]
    for i in (0, 1, 40):
        fields += [(descs + 24 * i + at, n) for at, n in DESC]
    return fields


def elf_fields(data):
    table, = struct.unpack_from("<Q", data, 32)
    count, = struct.unpack_from("<H", data, 56)
    fields = list(ELF_HEADER)
    for i in sorted({0, 1, count // 2, count - 1}):
        fields += [(table + 56 * i + at, n) for at, n in ELF_SEGMENT]
        if struct.unpack_from("<I", data, table + 56 * i)[0] == 4:
            note, = struct.unpack_from("<Q", data, table + 56 * i + 8)
            fields += [(note + at, n) for at, n in NOTE]
    return fields


def hold(case, path, truth):
    ran = case.run("-jp", path, status=(0, 1, 3), limit=HANG)
    doc = ran.doc
    if doc["status"] != "complete":
        expect(0 < len(ran.messages) <= 12, "%d lines on stderr", len(ran.messages))
    for arena in doc["arenas"] or []:
        for page in arena["pages"]:
            if page["kind"] == "scratch":
                continue
            got = (num(page["kernel"]), num(page["phys"]))
            expect(truth.get(arena["id"], {}).get(page["pgoff"]) == got,
                   "arena %d: page %s at %s is not true", arena["id"], page["pgoff"], got)


def change_each(case, name, fields_of):
    path, truth = dump(case, name)
    with open(path, "rb") as f:
        data = f.read()
    changes = [(at, size, value) for at, size in fields_of(data)
               for value in values(int.from_bytes(data[at:at + size], "little"), size)]
    # a sanitized run is some ten times slower: a part of them, another one for each format
    if case.setup.sanitized:
        changes = changes[len(name) % 6::6]
    wrong = []
    for at, size, value in changes:
        changed = bytearray(data)
        changed[at:at + size] = value.to_bytes(size, "little")
        try:
            hold(case, case.file("changed", changed), truth)
        except Wrong as why:
            wrong.append("%d bytes at %d set to %#x: %s" % (size, at, value, why))
    expect(not wrong, "%d of %d: %s", len(wrong), len(changes), "; ".join(wrong[:5]))
    return "%d changes" % len(changes)


@test
def no_field_of_a_kdump_is_believed(case):
    return change_each(case, "kdump-x86_64", kdump_fields)


@test
def no_field_of_an_elf_core_is_believed(case):
    return change_each(case, "elf-overlap", elf_fields)


@test
def five_hundred_vmcores_in_order_with_twenty_damaged(case):
    path, _ = dump(case, "kdump-x86_64")
    with open(path, "rb") as f:
        data = f.read()
    half, none = case.file("cut", data[:len(data) * 9 // 10]), case.no_dump()
    count = 100 if case.setup.sanitized else 500
    paths = [(half if i % 50 == 3 else none) if i % 25 == 3 else path for i in range(count)]
    ran = case.run("-j", "--jobs", "2", *paths, status=3, limit=240)
    expect([doc["vmcore"] for doc in ran.docs] == paths, "the lines are not in order")
    wrong = [i for i, doc in enumerate(ran.docs)
             if (doc["status"] == "complete") != (paths[i] == path)]
    expect(not wrong, "status of lines %s", wrong)
    return "%d lines" % count
