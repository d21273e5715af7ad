# SPDX-License-Identifier: GPL-2.0-or-later
"""The table at the end of a run: what was asked of which kernel in which format."""

import json
import os
import re
import struct

from harness import CACHE

LAST = os.path.join(CACHE, "matrix.json")
COLUMNS = ["qemu ELF", "qemu kdump", "ELF", "zlib", "lzo", "zstd", "raw", "flat", "split", "-E",
           "reduced"]
LEGEND = """\
Each cell: arenas/pages, all of them exact: found, at the right addresses, with the right contents.
x86: x86_64, 4K pages; 4K, 16K: aarch64. Last number: bits of an address.
panic: /proc/vmcore as it is, then by makedumpfile; flat: QEMU's too. -: not run. same: as the dump.
>4G: pages above 4 GiB. d31: at -d 31 of a makedumpfile that does not know the kernel."""
OTHERWISE = """\
Only with synthetic dumps: 64K pages, LPA, SME. Not at all: 6.9 to 6.11, snappy."""


def file_kind(dump):
    """elf, flat, zlib, lzo, snappy, zstd or raw, and the VMCOREINFO numbers"""
    with open(dump.path, "rb") as f:
        head = f.read(4 << 20)
    numbers = {key.decode(): int(value, 0) for key, value in
               re.findall(rb"NUMBER\((\w+)\)=(0x[0-9a-f]+|\d+)\n", head)}
    if head.startswith(b"makedumpfile"):
        return "flat", numbers
    if head.startswith(b"\x7fELF"):
        return "elf", numbers
    status, = struct.unpack_from("<i", head, 424)
    for bit, kind in ((1, "zlib"), (2, "lzo"), (4, "snappy"), (32, "zstd")):
        if status & bit:
            return kind, numbers
    return "raw", numbers


def row_of(truth, numbers):
    """Kernel, machine or page size, bits of an address"""
    kernel = ".".join(truth["release"].split("+")[0].split(".")[:2])
    if truth["machine"] == "x86_64":
        kind, bits = "x86", 57 if numbers.get("pgtable_l5_enabled") else 48
    else:
        kind = "%dK" % (truth["page_size"] // 1024)
        # VA_BITS is what the kernel was built for, T1SZ what the processor could do
        bits = 64 - numbers["TCR_EL1_T1SZ"] if "TCR_EL1_T1SZ" in numbers else numbers["VA_BITS"]
    high = any(int(r["phys"], 0) >> 32 for arena in truth["arenas"] for r in arena["runs"])
    return "%s %s %s" % (kernel, kind, ">4G" if high else bits)


def column_of(dump, kind):
    if "split" in dump.tags:
        return "split"
    if kind == "flat":
        return "flat"
    if "E" in dump.tags:
        return "-E"
    if "qemu" in dump.name:
        return "qemu ELF" if kind == "elf" else "qemu kdump"
    return "ELF" if kind == "elf" else kind


def cell(state, summary, what):
    """One answer: how many of how many, and what is lost"""
    found = re.match(r"arenas (\d+) of (\d+), pages (\d+) of (\d+)", summary)
    if state != "ok" or not found:
        return {"arenas": 0, "pages": 0, "lost": "FAIL %s: %s" % (what, summary[:50])}
    arenas, of_arenas, pages, of_pages = map(int, found.groups())
    lost = None
    if (arenas, pages) != (of_arenas, of_pages):
        lost = "%s: %d of %d arenas, %d of %d pages exact; losses named" % (
            what, arenas, of_arenas, pages, of_pages)
    return {"arenas": of_arenas, "pages": of_pages, "lost": lost}


def take(report, dumps):
    """Of each check of a dump that was made: row, column, name, arenas, pages, lost"""
    cells = []
    for dump in dumps:
        state, summary = report.outcome.get(dump.name + " -j", ("skipped", ""))
        if state == "skipped":
            continue
        kind, numbers = file_kind(dump)
        row = row_of(dump.load_truth(), numbers)
        if "lossy" in dump.tags:
            row = "%s d31" % row.rsplit(" ", 1)[0]
        got = cell(state, summary, dump.name)
        wrong = report.outcome.get(dump.name + " -o", ("ok", ""))
        if wrong[0] == "FAIL" and not got["lost"]:
            got["lost"] = "FAIL %s: contents: %s" % (dump.name, wrong[1][:40])
        if got["pages"] > 65536 and not got["lost"]:
            continue        # the truth has not the contents of all these pages
        if "tables" in dump.tags and not got["lost"]:
            got["lost"] = "%d/%d exact, but truncated: tables of zeros are left out; one error" % (
                got["arenas"], got["pages"])
        cells.append(dict(got, row=row, column=column_of(dump, kind), name=dump.name))
        state, summary = report.outcome.get(dump.name + " --reduce", ("skipped", ""))
        if state == "FAIL":
            got = cell(state, summary, dump.name)
        elif state == "ok" and got["lost"]:
            got["lost"] = "as the dump that was reduced"
        if state != "skipped":
            cells.append(dict(got, row=row, column="reduced", name=dump.name))
    return cells


def in_order(row):
    kernel, kind, bits = row.split()
    return [kind != "x86", int(kind[:-1]) if kind != "x86" else 0,
            [int(n) for n in kernel.split(".")], bits]


def short(n):
    return "%dk" % (n // 1000) if n >= 10000 else str(n)


def lines(cells):
    """The table: in a cell the dump that lost something, else the largest one"""
    notes = []
    width = max(len(cell["row"]) for cell in cells)
    pad = [8] * len(COLUMNS)
    heads = [name.replace("qemu ", "") for name in COLUMNS]
    yield " " * width + "%8s%8s%8s" % ("QEMU", "QEMU", "panic")
    yield " " * width + "".join("%*s" % pair for pair in zip(pad, heads))
    for row in sorted({cell["row"] for cell in cells}, key=in_order):
        text = row.ljust(width)
        for column in COLUMNS:
            here = [c for c in cells if (c["row"], c["column"]) == (row, column)]
            losses = sorted({c["lost"] for c in here if c["lost"]})
            exact = [c for c in here if not c["lost"]]
            if column == "reduced":      # a loss is that of another column
                losses = [lost for lost in losses if lost.startswith("FAIL")]
            if not here:
                what = "-"
            elif not losses and not exact:
                what = "same"
            elif losses:
                for lost in losses:
                    if lost not in notes:
                        notes.append(lost)
                what = ",".join("(%s)" % chr(97 + notes.index(lost)) for lost in losses)
            else:
                most = max(exact, key=lambda c: c["pages"])
                what = "%d/%s" % (most["arenas"], short(most["pages"]))
            text += "%8s" % what
        yield text
    for i, note in enumerate(notes):
        yield "(%s) %s" % (chr(97 + i), note)


def show(cells, keep=False):
    if not cells:
        return
    if keep:
        with open(LAST, "w", encoding="utf-8") as f:
            json.dump(cells, f, indent=0)
    print("\n%s\n\n%s\n%s\n" % ("\n".join(lines(cells)), LEGEND, OTHERWISE), flush=True)


def show_last():
    """run.sh matrix"""
    try:
        with open(LAST, encoding="utf-8") as f:
            show(json.load(f))
    except FileNotFoundError:
        print("run.sh: no run yet")
        return 2
    return 0
