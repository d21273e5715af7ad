#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Arenas of a dump whose filter took the kernel's own objects.

usage: lost_check.py [-e] [--twin ELF] DUMP [TRUTH]

  -e          only print what is left of each arena in the dump
  --twin ELF  the same crash unfiltered: the answers are compared page by page

What is demanded of arenasnap:
- every arena of the truth, each page of it at the right kernel and physical
  address, no other arena and no other page;
- every field that the guest knows right, or null and in `unknown`; nothing
  unknown of an arena whose struct is stored;
- no more than three lines on stderr, with the cause and the cure.

An arena may be left out only if a search of all stored pages, which knows
nothing of our code, finds no struct, vm_struct, vmap_area or VMA of it; or if it has
no page and no struct and is told to be in use or freed.
"""

import argparse
import os
import re
import sys
from types import SimpleNamespace

from harness import Dump, Skip, Wrong, arenasnap, expect, one_object
from rawdump import RawDump

GIB4 = 1 << 32
FIELDS = ("name", "max_entries", "map_extra", "map_flags", "user_vm_start", "user_vm_end", "map",
          "kern_vm_start", "id")
MOST_LINES = 3
STRUCT = 512            # bytes that a struct bpf_arena takes: it is in kmalloc-512


def num(value):
    return int(value, 0) if isinstance(value, str) else value


class Truth:
    """An arena as the guest knows it; pages and scratch by kernel address"""

    def __init__(self, arena, page_size):
        self.arena = arena
        self.who = "arena %d %s" % (arena["id"], arena["name"] or "(no name)")
        self.start = num(arena["kern_vm_start"])
        self.user = num(arena["user_vm_start"])
        guard = max(1 << 16, 2 * page_size)
        self.area = self.start - guard // 2
        self.area_size = GIB4 + guard + page_size
        self.declared = min(arena["max_entries"], GIB4 // page_size)
        self.page_size = page_size
        self.pages = {}         # kernel address -> (pgoff, physical address)
        for run in arena["runs"]:
            for i in range(run["n"]):
                pgoff = run["pgoff"] + i
                self.pages[self.kernel(pgoff)] = (pgoff, num(run["phys"]) + i * page_size)
        self.scratch = {self.kernel(pgoff): pgoff for pgoff in arena["scratch"]}

    def kernel(self, pgoff):
        return self.start + (self.user + pgoff * self.page_size) % GIB4


# What the dump still has, by a search of its pages

def direct_map(dump, truth):
    """Kernel address of physical address 0: a variable of the kernel image"""
    symbols = truth["symbols"]
    code = next(line for line in truth["iomem"] if line.endswith(": Kernel code"))
    place = num(symbols["page_offset_base"]) - num(symbols["_text"]) + int(code.split("-")[0], 16)
    return dump.word(place)


def evidence_in(path, truth):
    """Of each arena, by id: struct (None: its place is not known), vm_struct, vmap_area, vma,
    pointers: physical addresses where they are stored"""
    if truth["machine"] != "x86_64":
        raise Skip("the search of raw pages knows the direct map of x86_64 alone")
    dump = RawDump(path)
    base = direct_map(dump, truth)
    arenas = [Truth(arena, truth["page_size"]) for arena in truth["arenas"]]
    wanted = {num(a.arena.get("map")) for a in arenas} | {a.area for a in arenas}
    places = dump.find((wanted | {a.user for a in arenas}) - {None, 0})
    found = {}
    for a in arenas:
        place = num(a.arena.get("map"))

        def pair(first, second, a=a):
            return [phys for phys in places.get(first, ()) if dump.word(phys + 8) == second]

        found[a.arena["id"]] = SimpleNamespace(
            struct=None if place is None or base is None else dump.stored(place - base),
            vm_struct=pair(a.area, a.area_size), vmap_area=pair(a.area, a.area + a.area_size),
            vma=[phys for phys in pair(a.user, num(a.arena["user_vm_end"]))
                 if place is None or base is None or not 0 <= phys - (place - base) < STRUCT],
            pointers=places.get(place, []))
    return found


def show_evidence(found, truth):
    print("   ID NAME             STRUCT VM_STRUCT VMAP_AREA VMA POINTERS")
    for arena in truth["arenas"]:
        left = found[arena["id"]]
        print("%5d %-16s %-6s %9d %9d %3d %8d" % (
            arena["id"], arena["name"], {True: "yes", False: "no", None: "?"}[left.struct],
            len(left.vm_struct), len(left.vmap_area), len(left.vma), len(left.pointers)))


# What arenasnap says, against the truth

def pages_are_true(a, row):
    """Each page of the truth, and no other; pgoff and user right or, as a whole, not known"""
    left = dict(a.pages)
    placed = "user_vm_start" not in row["unknown"]
    declared = None if "max_entries" in row["unknown"] else a.declared
    mapped = 0
    for page in row["pages"]:
        kernel, phys = num(page["kernel"]), num(page["phys"])
        where = "%s: page at %#x" % (a.who, kernel)
        pgoff, right = left.pop(kernel, (a.scratch.get(kernel), phys))
        expect(pgoff is not None, "%s: not in the truth, or twice", where)
        expect(phys == right, "%s: at %#x, truth %#x", where, phys, right)
        want = (pgoff, a.user + pgoff * a.page_size) if placed else (None, None)
        expect((page["pgoff"], num(page["user"])) == want, "%s: pgoff %s, user %s, truth %s", where,
               page["pgoff"], page["user"], want)
        kind = "outside" if declared is not None and pgoff >= declared else "page"
        if kernel in a.scratch and page["kind"] == "scratch":
            kind = "scratch"            # at one place alone, it may look like a page
        expect(page["kind"] == kind, "%s: kind %s, truth %s", where, page["kind"], kind)
        expect(page["stored"] is True, "%s: stored %s", where, page["stored"])
        mapped += kind == "page"
    expect(not left, "%s: %d pages are missing, the first at %#x", a.who, len(left),
           min(left, default=0))
    expect(row["mapped"] == mapped, "%s: mapped %s, but %d pages listed", a.who, row["mapped"],
           mapped)
    expect(not row["truncated"] and not row["lost"], "%s: truncated, but no table is lost", a.who)


def fields_are_true(a, row):
    """Each is right, or null (0x0) and in `unknown`"""
    for key in FIELDS:
        if key in row["unknown"]:
            expect(row[key] in (None, "0x0"), "%s: %s is unknown, but %s", a.who, key, row[key])
        elif key in a.arena:
            same = row[key] == a.arena[key] if key == "name" else num(row[key]) == num(a.arena[key])
            expect(same, "%s: %s: truth %s, output %s", a.who, key, a.arena[key], row[key])


def row_is_true(a, row, left):
    fields_are_true(a, row)
    window = left is None or left.vm_struct or left.vmap_area
    if window or "kern_vm_start" not in row["unknown"]:
        expect("kern_vm_start" not in row["unknown"], "%s: kern_vm_start is unknown, but the dump "
               "has %s", a.who, left and vars(left))
        pages_are_true(a, row)
    else:
        expect(not row["pages"] and row["mapped"] is None, "%s: pages of an unknown window", a.who)
    if left and left.struct:
        allowed = set() if window else {"kern_vm_start", "mapped", "scratch", "outside", "missing"}
        unknown = set(row["unknown"]) - allowed
        expect(not unknown, "%s: its struct is stored, but unknown are %s", a.who, sorted(unknown))


def arena_of(row, arenas):
    """The arena of the truth that a row is"""
    for a in arenas:
        same = num(row["kern_vm_start"]) == a.start
        if row["id"] == a.arena["id"] or (row["id"] is None and same):
            return a
    raise Wrong("a false arena: id %s, kern_vm_start %s" % (row["id"], row["kern_vm_start"]))


def rows_are_true(doc, truth, found):
    """Every row is an arena of the truth, and right; which of the truth have none"""
    arenas = [Truth(arena, truth["page_size"]) for arena in truth["arenas"]]
    listed = set()
    for row in doc["arenas"]:
        a = arena_of(row, arenas)
        expect(a.start not in listed, "%s: twice in the output", a.who)
        listed.add(a.start)
        row_is_true(a, row, found and found[a.arena["id"]])
    return [a for a in arenas if a.start not in listed]


def nothing_is_left(a, left, doc):
    """An arena that is not listed: no evidence of it in any page, and what points to it is told"""
    expect(left is not None, "%s is not listed", a.who)
    # one without a page looks as if it were freed where nothing leads to its area: that is told
    if not a.arena["mapped"] and not left.struct and any(
            "without pages" in error["text"] for error in doc["errors"]):
        return
    for kind in ("struct", "vm_struct", "vmap_area", "vma"):
        expect(not getattr(left, kind), "%s is not listed, but its %s is in the dump: %s", a.who,
               kind, getattr(left, kind))
    expect(not left.pointers or any(error["map"] == a.arena.get("map") for error in doc["errors"]),
           "%s is not listed, but pointers to it at %s, and no error names it", a.who,
           left.pointers)


def losses_are_told(ran, doc, what):
    """In a few lines: what was lost, the likely cause and the cure"""
    lines = ran.err.decode("utf-8").splitlines()
    expect(len(lines) <= MOST_LINES, "%s: %d lines on stderr: %s", what, len(lines), lines)
    if not any(row["unknown"] for row in doc["arenas"]):
        return
    expect(ran.status == 1 and doc["errors"], "%s: arenas with unknown fields, but status %d, "
           "%d errors", what, ran.status, len(doc["errors"]))
    text = " ".join(lines)
    for word in (r"makedumpfile", r"-d 23", re.escape(doc["release"])):
        expect(re.search(word, text), "%s: no %s on stderr: %s", what, word, lines)


def as_the_twin(doc, twin):
    """The answer of the unfiltered dump, page by page"""
    whole = one_object(arenasnap("-j", "-p", twin), "twin")["arenas"]
    whole = {row["kern_vm_start"]: row for row in whole}
    for row in doc["arenas"]:
        if "kern_vm_start" in row["unknown"]:
            continue
        other = whole[row["kern_vm_start"]]
        pages = [sorted((num(page["kernel"]), num(page["phys"])) for page in side["pages"])
                 for side in (row, other)]
        expect(pages[0] == pages[1], "arena %s: other pages than the unfiltered dump's",
               other["id"])
        for key in set(FIELDS) - set(row["unknown"]):
            expect(row[key] == other[key], "arena %s: %s: %s, unfiltered %s", other["id"], key,
                   row[key], other[key])


def twin_of(dump):
    """The unfiltered dump of the same crash, as make-dumps.sh names it in a tag"""
    names = [tag.split("=", 1)[1] for tag in dump.tags if tag.startswith("twin=")]
    path = os.path.join(os.path.dirname(dump.path), names[0]) if names else None
    return path if path and os.path.exists(path) else None


def lost_is_found(dump, twin=None):
    """What a filter left of the arenas is listed, and nothing else"""
    truth = dump.load_truth()
    twin = twin or twin_of(dump)
    try:
        found = evidence_in(dump.path, truth)
    except (Skip, ValueError):
        found = None            # then every arena must be there
    ran = arenasnap("-j", "-p", dump.path)
    doc = one_object(ran, "-j -p")
    missing = rows_are_true(doc, truth, found)
    for a in missing:
        nothing_is_left(a, found and found[a.arena["id"]], doc)
    losses_are_told(ran, doc, "-j -p")
    losses_are_told(arenasnap(dump.path), doc, "list")
    if twin:
        as_the_twin(doc, twin)
    whole = sum(not row["unknown"] for row in doc["arenas"])
    return "%d of %d arenas, %d of them in full, %d pages; by %s" % (
        len(doc["arenas"]), len(truth["arenas"]), whole,
        sum(len(row["pages"]) for row in doc["arenas"]),
        ", ".join("%s %d" % (way, sum(row["found_by"] == way for row in doc["arenas"]))
                  for way in sorted({row["found_by"] for row in doc["arenas"]})))


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("-e", "--evidence", action="store_true")
    ap.add_argument("--twin", metavar="ELF")
    ap.add_argument("dump")
    ap.add_argument("truth", nargs="?")
    opts = ap.parse_args()
    dump = Dump(opts.dump, opts.truth or opts.dump + ".truth.json")
    try:
        if opts.evidence:
            truth = dump.load_truth()
            show_evidence(evidence_in(dump.path, truth), truth)
        else:
            print("ok %s  (%s)" % (dump.name, lost_is_found(dump, opts.twin)))
    except (Wrong, Skip) as why:
        print("FAIL %s: %s" % (dump.name, why))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
