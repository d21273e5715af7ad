# SPDX-License-Identifier: GPL-2.0-or-later
"""A real dump whose filter took most structs of arenas, nodes of map_idr and that of prog_idr.

All arenas of the truth are there, all their pages, and not one more; what of an arena is not
known is not shown.
"""

import os
import random

from cli_answers import hold_contents, verbose_blocks
from cli_damage import hold_true
from cli_dumps import LOST, Truth, memory, vmcore
from cli_reduce import hold_same, reduce
from cli_run import HEADING, U32, equal, expect, num, test

MOST_LINES = 3


def answer(case, *args):
    """What it says of the dump, and the truth."""
    return case.run(*args, vmcore(case, LOST), status=1), Truth(LOST)


def whole(case):
    """-jp, asked once: the scan takes a sanitizer some seconds."""
    key = "answer of " + LOST
    if key not in case.setup.made:
        case.setup.made[key] = answer(case, "-jp")[0].doc
    return case.setup.made[key]


def rows_and_arenas(case):
    """Rows of JSON with pages, each with its arena of the truth."""
    truth = Truth(LOST)
    return [(row, truth.of(row)) for row in whole(case)["arenas"]]


def without_struct(case):
    """The arenas whose struct is not in the dump, as far as the guest knew where it was."""
    m = memory(case, LOST)
    return [arena for arena in m.truth.arenas if arena.map is not None and
            m.linear(arena.map) // m.kdump.block not in m.kdump.desc]


@test
def lost_arenas_are_all_listed_with_every_page(case):
    ran, truth = answer(case, "-jp")
    hold_true(ran.doc, truth)
    rows = rows_and_arenas(case)
    equal({arena.id for _, arena in rows}, set(truth.by_id), "arenas")
    for row, arena in rows:
        who = "arena %d: " % arena.id
        equal(num(row["kern_vm_start"]), arena.kern_vm_start, who + "kern_vm_start")
        equal((row["truncated"], row["lost"]), (False, []), who + "truncated, lost")
        equal({num(p["kernel"]) for p in row["pages"]}, {p.kernel for p in arena.pages},
              who + "pages")
        expect(all(p["stored"] for p in row["pages"]), who + "a page is not stored")
        equal(row["missing"], 0, who + "missing")
    return "%d pages" % sum(len(row["pages"]) for row, _ in rows)


@test
def lost_structs_alone_leave_fields_unknown(case):
    """What is not null is right: hold_true. Nothing is unknown of an arena whose struct is there."""
    lost = {arena.id for arena in without_struct(case)}
    expect(2 * len(lost) > len(Truth(LOST).arenas), "only %d structs are lost", len(lost))
    for row, arena in rows_and_arenas(case):
        if arena.id not in lost:
            equal(row["unknown"], [], "arena %d: unknown" % arena.id)
        else:
            expect({"name", "max_entries", "declared_pages"} <= set(row["unknown"]),
                   "arena %d has no struct, but unknown are only %s", arena.id, row["unknown"])
    return "%d of %d structs are lost" % (len(lost), len(Truth(LOST).arenas))


@test
def lost_arenas_have_places_for_users_where_they_are_known(case):
    placed = 0
    for row, arena in rows_and_arenas(case):
        known = "user_vm_start" not in row["unknown"]
        placed += known
        for page in row["pages"]:
            true = arena.by_kernel[num(page["kernel"])]
            want = (true.pgoff, "0x%x" % true.user) if known else (None, None)
            equal((page["pgoff"], page["user"]), want, "arena %d: pgoff, user" % arena.id)
    expect(placed > len(Truth(LOST).arenas) // 2, "user_vm_start of %d arenas is known", placed)


@test
def lost_arenas_are_told_in_three_lines_with_cause_and_cure(case):
    views = [], ["-j"], ["-p"], ["-v"], ["-jp", "-o", case.path("out")]
    for args in views[:2] if case.setup.sanitized else views:
        ran, truth = answer(case, *args)
        expect(0 < len(ran.messages) <= MOST_LINES, "%s: stderr: %s", args, ran.messages)
        text = " ".join(ran.messages)
        for word in ("makedumpfile", "level 31", truth.release, "-d 23", "BEFORE THE CRASH)"):
            expect(word in text, "%s: no %s on stderr: %s", args, word, ran.messages)
        expect("%d arenas are listed without their structs" % len(without_struct(case)) in text,
               "%d structs are lost, stderr: %s", len(without_struct(case)), ran.messages)
    equal(answer(case, "-q")[0].err, b"", "-q: stderr")


@test
def lost_ids_are_told(case):
    """Each arena of the truth has a row with its id, or an error says that its id, or the struct
    at its address, is lost."""
    doc, truth = answer(case, "-j")[0].doc, Truth(LOST)
    told = {row["id"] for row in doc["arenas"]}
    for error in doc["errors"]:
        words = error["text"].split(": excluded")[0].replace(",", " ").split()
        told |= {int(word) for word in words if word.isdigit()}
        told |= {a.id for a in truth.arenas if a.map and "0x%x" % a.map in words}
        for first, to, last in zip(words, words[1:], words[2:]):
            if to == "to" and first.isdigit() and last.isdigit():
                told |= set(range(int(first), int(last) + 1))
    equal(set(truth.by_id) - told, set(), "ids that are neither listed nor told")


# The views.

def list_line(row, arena):
    """design.md §4; an arena with neither struct nor user address is shown by its window."""
    unknown = row["unknown"]
    user = "?" if "user_vm_start" in unknown else "%x" % arena.user_vm_start
    where = "%-16s %14s" % ("?" if "map" in unknown else "%016x" % num(row["map"]), user)
    if {"map", "user_vm_start"} <= set(unknown):
        where = " kern_vm_start %016x" % arena.kern_vm_start
    flags = "".join(letter for letter, there in (
        ("S", arena.count("scratch")), ("O", "max_entries" not in unknown and arena.count("outside")),
        ("L", "name" in unknown)) if there)
    return "%9s %s %7d %8s %-5s %s" % (
        "?" if row["id"] is None else row["id"], where, row["mapped"],
        "?" if "declared_pages" in unknown else arena.declared, flags or "-",
        "?" if "name" in unknown else arena.name or "-")


@test
def lost_arenas_have_lines_of_80_columns_in_the_list(case):
    lines = answer(case)[0].text.splitlines()
    equal(lines[0], HEADING, "heading")
    equal(lines[1:], [list_line(row, arena) for row, arena in rows_and_arenas(case)], "lines")
    expect(max(map(len, lines)) <= 80, "a line of %d columns", max(map(len, lines)))


@test
def lost_arenas_have_question_marks_in_verbose(case):
    text = answer(case, "-v")[0].text
    expect(max(map(len, text.splitlines())) <= 80, "-v: a long line")
    source, *blocks = verbose_blocks(text)
    # what was tried
    for word in ("map_idr", "programs", "vmalloc areas", "all pages"):
        expect(word in text[:text.index("\n\n")], "-v does not say %s: %s", word, source)
    rows = rows_and_arenas(case)
    equal(len(blocks), len(rows), "arenas")
    for got, (row, arena) in zip(blocks, rows):
        who = "arena %d: " % arena.id
        equal(int(got["kern_vm_start"], 16), arena.kern_vm_start, who + "kern_vm_start")
        equal(got["found_by"], row["found_by"], who + "found_by")
        for key, shown in (("id", "%d"), ("name", "%s"), ("max_entries", "%d"),
                           ("user_vm_start", "%x"), ("user_vm_end", "%x")):
            want = "?" if key in row["unknown"] else shown % getattr(arena, key) or "-"
            equal(got[key], want, who + key)
        equal(got["map"].endswith("(lost)"), "name" in row["unknown"], who + "map is lost")


def page_line(row, arena, page):
    known = "user_vm_start" not in row["unknown"]
    kind = "page" if page.kind == "outside" and "max_entries" in row["unknown"] else page.kind
    return ["?" if row["id"] is None else str(row["id"]), str(page.pgoff) if known else "?",
            "%x" % page.user if known else "?%08x" % (page.user & U32), "%x" % page.kernel,
            None if page.phys is None else "%x" % page.phys, kind, "yes"]


@test
def lost_arenas_have_all_lines_of_pages(case):
    """Where user_vm_start is not known, the low 32 bits of the user address are."""
    lines = [line.split() for line in
             answer(case, "-p", "--no-headings")[0].text.splitlines()]
    want = []
    for row, arena in rows_and_arenas(case):
        pages = arena.pages
        if "user_vm_start" in row["unknown"]:
            pages = sorted(pages, key=lambda page: page.kernel)
        want += [page_line(row, arena, page) for page in pages]
    equal(len(lines), len(want), "lines")
    for got, line in zip(lines, want):
        equal(got, [b if b is not None else a for a, b in zip(got, line)], "line of -p")


@test
def lost_arenas_have_their_contents(case):
    out = case.path("out")
    truth = answer(case, "-o", out)[1]
    doc = case.snapshot(out)
    equal(doc, whole(case), "snapshot.json")
    equal(sorted(os.listdir(out)), sorted(["snapshot.json"] + [
        "%d.bin" % row["id"] if row["id"] is not None else
        "kern-%x.bin" % truth.of(row).kern_vm_start for row in doc["arenas"]]), "files")
    expect(all(page.crc is not None for arena in truth.arenas for page in arena.pages
               if page.kind != "scratch"), "a page of the truth has no crc32")
    hold_contents(doc, truth, out)


@test
def lost_arena_is_selected_by_any_address_of_its_window(case):
    rows = rows_and_arenas(case)
    chosen = [pair for pair in rows if "map" in pair[0]["unknown"]] + rows[::8]
    if case.setup.sanitized:
        chosen = chosen[::4]
    for row, arena in chosen:
        start = arena.kern_vm_start
        ran, _ = answer(case, "-jp", "-m", "0x%x" % start, "-m", "%x" % (start + U32))
        equal(ran.doc["arenas"], [row], "-m 0x%x" % start)
    row, arena = next(pair for pair in rows
                      if pair[0]["id"] is None and "user_vm_start" not in pair[0]["unknown"])
    ran, _ = answer(case, "-jp", "-m", "0x%x" % arena.user_vm_start)
    equal(ran.doc["arenas"], [row], "-m of a user address")
    return "%d arenas" % len(chosen)


# The same by other ways.

@test
def lost_arenas_are_the_same_with_scan(case):
    equal(answer(case, "-jp", "--scan")[0].doc, whole(case), "--scan")


@test
def lost_arenas_are_the_same_in_the_reduced_dump(case):
    small = reduce(case, vmcore(case, LOST), status=1)
    hold_same(case, vmcore(case, LOST), small, LOST)


@test
def losing_more_invents_no_arena_and_no_page(case):
    """Every fifth page left out too, of those that no answer needs at once: the kernel's image."""
    kdump, truth = memory(case, LOST).kdump, Truth(LOST)
    image = {truth.image_phys(name) // kdump.block for name in truth.symbols}
    listed = answered = 0
    for seed in range(12 if case.setup.slow else 2 if case.setup.sanitized else 4):
        chance = random.Random(seed)
        gone = {pfn for pfn in kdump.desc if chance.random() < 0.2} - set(
            range(min(image), max(image) + 1))
        path = case.path("less")
        kdump.save(path, without=gone)
        ran = case.run("-jp", path, status=(1, 3))
        if ran.doc["arenas"] is not None:
            answered += 1
            listed += len(ran.doc["arenas"])
            hold_true(ran.doc, truth)
    return "%d answers with %d arenas" % (answered, listed)
