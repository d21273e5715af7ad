# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that are cut, filtered or changed, files that are no dumps, workers that die.

Whatever the dump says: it ends by itself, in time; what it reports is true; what it does not
know it says.
"""

import lzma
import os
import random
import re
import resource
import shutil
import signal
import struct
import time

from cli_answers import hold_contents
from cli_dumps import (ARM, FLAT_HEAD, Kdump, NEW, OLD, Truth, elf_borders, flatten, memory, vmcore)
from cli_outputs import UGLY, as_nobody, nothing_left, only_text
from cli_run import (SANITIZER, Skip, Wrong, equal, expect, num, resume, stop_worker, test, test_each)

PLACES = 60
SECONDS = 10        # for each cut dump


def hold_true(doc, truth):
    """Each page that is reported is one of the truth, and none is left out in silence."""
    seen = 0
    told = [truth.of(row) for row in doc["arenas"] or []]
    expect(len({id(arena) for arena in told}) == len(told), "an arena is listed twice")
    for row, want in zip(doc["arenas"] or [], told):
        who = "arena %s at %s" % (row["id"], row["kern_vm_start"])
        expect(want, "%s is not in the truth", who)
        seen += hold_row(row, want, who)
    if not doc["errors"] and doc["status"] != "failed":
        equal([row["id"] for row in doc["arenas"]], sorted(truth.by_id), "no errors, but arenas")
    return seen


def hold_row(row, want, who):
    """What is said of one arena; returns how many of its pages are listed."""
    for key in ("name", "max_entries", "map_extra", "map_flags", "user_vm_end", "map",
                "user_vm_start", "kern_vm_start"):
        if key not in row["unknown"] and getattr(want, key) is not None:
            equal(num(row[key]) if key != "name" else row[key], getattr(want, key),
                  "%s: %s" % (who, key))
    seen = 0
    for page in row["pages"]:
        if page["pgoff"] is None:
            expect("user_vm_start" in row["unknown"], "%s: no pgoff at %s", who, page["kernel"])
            if want.kern_vm_start is None:
                continue
        true = want.page_of(page)
        where = "%s: page %s at %s" % (who, page["pgoff"], page["kernel"])
        expect(true, "%s is not in the truth", where)
        if true.kind == "scratch":
            # not known as one where the other entries are lost
            expect(page["kind"] == "scratch" or row["truncated"], "%s: scratch, but of kind %s",
                   where, page["kind"])
            continue
        kind = "page" if "max_entries" in row["unknown"] else true.kind
        equal(page["kind"], kind, where + ": kind")
        equal(num(page["phys"]), true.phys, where + ": phys")
        seen += 1
    if not row["truncated"] and "mapped" not in row["unknown"]:
        equal(len(row["pages"]), len(want.pages), "%s, not truncated: pages" % who)
    else:
        hold_lost(row, want, who)
    return seen


def hold_lost(arena, want, who):
    """A page of the truth that is not listed lies in a lost range."""
    if "user_vm_start" in arena["unknown"] or any(lost["pgoff"] is None for lost in arena["lost"]):
        return
    listed = {page["pgoff"] for page in arena["pages"]}
    ranges = [range(lost["pgoff"], lost["pgoff"] + lost["n"]) for lost in arena["lost"]]
    for pgoff in want.by_pgoff:
        inside = any(pgoff in r for r in ranges)
        expect(pgoff in listed or inside, "%s: page %d is not listed and in no lost range", who,
               pgoff)
        expect(pgoff not in listed or not inside, "%s: page %d is listed and in a lost range",
               who, pgoff)


# Cut files.

def places(size, borders, count):
    """Lengths to cut at: borders and beside them, the ends, and evenly between."""
    chosen = {size - 1, size - 4096}
    for border in borders:
        chosen |= {border - 1, border, border + 1}
    chosen = {n for n in chosen if 16 <= n < size}
    if len(chosen) > count - 24:
        chosen = set(random.Random(1).sample(sorted(chosen), count - 24))
    first = max(b for b in borders if b <= size * 3 // 4)
    first = min(first, size // 4)
    rest = count - len(chosen)
    chosen |= {first + (size - first) * i // (rest + 1) | 1 for i in range(1, rest + 1)}
    return sorted(chosen, reverse=True)


def hold_cut(case, path, truth):
    """One cut file; returns how many pages were found all the same."""
    out = case.path("out")
    ran = case.run("-j", "-p", "-o", out, path, status=(1, 3), limit=SECONDS)
    doc = ran.doc
    expect(doc["errors"], "no errors")
    expect(all(e["code"] != "worker" for e in doc["errors"]), "the worker died: %s",
           doc["errors"])
    expect(any("cut" in line for line in ran.messages), "stderr does not say cut: %s",
           ran.messages)
    seen = hold_true(doc, truth)
    if ran.status == 3:
        expect(not os.path.exists(out), "status 3, but %s is there", out)
        return seen
    snapshot = case.snapshot(out)
    equal(snapshot["arenas"], doc["arenas"], "snapshot.json")
    hold_contents(snapshot, truth, out)
    shutil.rmtree(out)
    return seen


def cut_everywhere(case, path, borders, name):
    truth = Truth(name)
    size = os.path.getsize(path)
    wrong, found, whole = [], 0, sum(len(a.pages) for a in truth.arenas)
    # a sanitizer takes several times as long; what it adds does not need every place
    todo = places(size, borders, PLACES * (4 if case.setup.slow else 1))
    if case.setup.sanitized and not case.setup.slow:
        todo = todo[::3]
    for n in todo:
        try:
            os.truncate(path, n)
            found += 0 < hold_cut(case, path, truth) <= whole
        except Wrong as why:
            wrong.append("at %d: %s" % (n, why))
            shutil.rmtree(case.path("out"), ignore_errors=True)
    expect(not wrong, "%d of %d cuts of a file of %d bytes: %s", len(wrong), len(todo), size,
           "; ".join(wrong[:4]))
    expect(found, "no page was found in any of %d cut files; all refused", len(todo))
    return "%d cuts, pages found in %d" % (len(todo), found)


@test
def cut_kdump_is_told_and_nothing_is_made_up(case):
    path = case.path("dump")
    shutil.copyfile(vmcore(case, NEW), path)
    return cut_everywhere(case, path, memory(case).kdump.borders(), NEW)


@test
def cut_elf_is_told_and_nothing_is_made_up(case):
    path = case.path("dump")
    # keeps the holes
    memory(case).kdump.save_elf(path)
    return cut_everywhere(case, path, elf_borders(path), NEW)


@test
def cut_by_one_byte_costs_one_page_and_is_said(case):
    """The page at the end of the file is lost, and nothing else."""
    path = case.path("dump")
    shutil.copyfile(vmcore(case, OLD), path)
    os.truncate(path, os.path.getsize(path) - 1)
    ran = case.run("-jp", path, status=1)
    hold_true(ran.doc, Truth(OLD))
    equal({e["code"] for e in ran.doc["errors"]}, {"cut"}, "codes of errors")
    expect("the file is cut" in ran.doc["errors"][0]["text"], "errors: %s", ran.doc["errors"])
    lost = {e["address"] for e in ran.doc["errors"][1:]}
    expect(len({num(at) // 4096 for at in lost}) <= 1, "more than one page is lost: %s", lost)
    equal([a["id"] for a in ran.doc["arenas"]], [a.id for a in Truth(OLD).arenas], "arenas")


# Flattened dumps, and parts of split ones.

@test
def flattened_dump_gives_the_same_answer(case):
    path = case.path("flat")
    flatten(memory(case).kdump.data, path)
    want = case.run("-jp", vmcore(case, NEW)).doc
    ran = case.run("-jp", path)
    equal(ran.err, b"", "stderr")
    equal(dict(ran.doc, vmcore=""), dict(want, vmcore=""), "-jp")
    out = case.path("out")
    case.run("-o", out, path)
    hold_contents(case.snapshot(out), Truth(NEW), out)


@test
def flattened_elf_gives_the_same_answer(case):
    with open(mini_elf(case), "rb") as f:
        data = f.read()
    flatten(data, case.path("flat"))
    want = case.run("-jp", mini_elf(case)).doc
    equal(dict(case.run("-jp", case.path("flat")).doc, vmcore=""), dict(want, vmcore=""), "-jp")


def mini_elf(case):
    """The recorded 6.12 dump as ELF: few pages."""
    return case.setup.once("x86_64-6.12.elf",
                           lambda path: memory(case, OLD).kdump.save_elf(path))


@test
def cut_flattened_dump_is_told_and_nothing_is_made_up(case):
    path = case.path("dump")
    kdump = memory(case).kdump
    flatten(kdump.data, path, 1 << 18)
    n = -(-len(kdump.data) // (1 << 18))
    borders = [4096 + i * ((1 << 18) + 16) for i in range(1, n, 8)] + [4096, 4112]
    return cut_everywhere(case, path, borders, NEW)


@test
def flattened_dump_without_room_for_the_plain_one_is_a_sentence(case):
    path = case.path("flat")
    flatten(memory(case).kdump.data, path)

    def little():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    ran = case.run("-j", path, status=3, preexec=little)
    equal(len(ran.messages), 1, "lines on stderr")
    equal(ran.doc["errors"][0]["code"], "io", "code")
    expect("TMPDIR" in ran.messages[0], "stderr: %s", ran.messages)


def parts(case, n, name=NEW):
    paths = [case.path("part%d" % i) for i in range(n)]
    memory(case, name).kdump.save_parts(paths)
    return paths


@test
def parts_of_a_split_dump_are_one_vmcore_in_any_order(case):
    want = case.run("-jp", vmcore(case, NEW)).doc
    paths = parts(case, 3)
    for order in (paths, paths[::-1], [paths[1], paths[0], paths[2]]):
        ran = case.run("-jp", *order)
        equal(ran.err, b"", "stderr")
        equal(ran.doc, dict(want, vmcore=order[0]), "-jp")
    equal(case.run(*paths).out, case.run(vmcore(case, NEW)).out, "the list, without a heading")
    out = case.path("out")
    case.run("-o", out, *paths)
    hold_contents(case.snapshot(out), Truth(NEW), out)


@test
def parts_of_two_split_dumps_and_a_whole_one_are_three_vmcores(case):
    new, whole = parts(case, 2), vmcore(case, ARM)
    old = [path + "old" for path in new]
    memory(case, OLD).kdump.save_parts(old)
    ran = case.run("-j", new[0], old[1], whole, new[1], old[0])
    equal([doc["vmcore"] for doc in ran.docs], [new[0], old[1], whole], "vmcores")
    equal([doc["release"] for doc in ran.docs],
          [Truth(name).release for name in (NEW, OLD, ARM)], "releases")


@test
def parts_that_are_missing_are_told_and_nothing_is_made_up(case):
    paths = parts(case, 3)
    found = 0
    for some in ([0], [1], [2], [0, 1], [0, 2], [1, 2]):
        shown = [paths[i] for i in some]
        out = case.path("out")
        ran = case.run("-j", "-p", "-o", out, *shown, status=(1, 3))
        expect(any("part" in line or "split" in line for line in ran.messages),
               "parts %s: stderr does not say what is missing: %s", some, ran.messages)
        found += hold_true(ran.doc, Truth(NEW))
        if ran.status == 1:
            hold_contents(case.snapshot(out), Truth(NEW), out)
        shutil.rmtree(out, ignore_errors=True)
    return "%d pages found" % found


@test
def part_that_is_given_twice_is_a_sentence(case):
    paths = parts(case, 2)
    for args in ([paths[0], paths[0], paths[1]], [paths[0], paths[0]]):
        ran = case.run("-j", *args, status=(0, 1, 3))
        if ran.status == 3:
            equal(len(ran.messages), 1, "lines on stderr")
        for doc in ran.docs:
            hold_true(dict(doc, arenas=[]), Truth(NEW)) if doc["errors"] else None


@test
def part_that_is_cut_is_told_and_nothing_is_made_up(case):
    paths = parts(case, 2)
    for i in (0, 1):
        size = os.path.getsize(paths[i])
        os.rename(paths[i], case.path("whole"))
        for keep in (size - 1, size * 3 // 4):
            shutil.copyfile(case.path("whole"), paths[i])
            os.truncate(paths[i], keep)
            ran = case.run("-jp", *paths, status=(1, 3))
            expect(any("cut" in line for line in ran.messages), "stderr: %s", ran.messages)
            hold_true(ran.doc, Truth(NEW))
        os.rename(case.path("whole"), paths[i])


# Filtered and unfinished dumps, made from a recorded one.

def lossy(case, without=(), zero_descs=(), changed=None):
    m = memory(case)
    path = case.path("lossy")
    m.kdump.save(path, without, changed, zero_descs)
    return path


def pfns(case, *addresses):
    return {phys // memory(case).kdump.block for phys in addresses}


def arena_named(doc, name):
    return next(a for a in doc["arenas"] if a["name"] == name)


@test
def an_unchanged_copy_gives_the_same_answer(case):
    """The test's own way to copy a kdump is right."""
    want = case.run("-jp", vmcore(case, NEW)).doc
    equal(dict(case.run("-jp", lossy(case)).doc, vmcore=""), dict(want, vmcore=""), "-jp")


@test_each("excluded", "cut")
def page_contents_that_are_not_stored_are_missing(case, code):
    truth = memory(case).truth
    arena = truth.named("sparse")
    gone = pfns(case, arena.pages[1].phys, arena.pages[-1].phys)
    path = lossy(case, **{"without" if code == "excluded" else "zero_descs": gone})
    ran = case.run("-jp", path)
    hold_true(ran.doc, truth)
    got = arena_named(ran.doc, "sparse")
    equal(got["missing"], 2, "missing")
    equal([p["stored"] for p in got["pages"]], [True, False] + [True] * 3 + [False], "stored")
    row = next(r.split() for r in case.run(path).text.splitlines() if r.endswith(" sparse"))
    equal(row[5], "M", "FLAGS")
    equal([r.split()[-1] for r in case.run("-p", "--no-headings", "-m", "sparse", path)
           .text.splitlines()], ["yes", "no"] + ["yes"] * 3 + ["no"], "-p: STORED")


@test_each("excluded", "cut")
def contents_that_were_asked_for_and_are_not_stored_are_status_1(case, code):
    truth = memory(case).truth
    arena = truth.named("sparse")
    gone = pfns(case, arena.pages[1].phys, arena.pages[-1].phys)
    path = lossy(case, **{"without" if code == "excluded" else "zero_descs": gone})
    out = case.path("out")
    ran = case.run("-j", "-o", out, path, status=1)
    expect(ran.messages, "nothing on stderr")
    doc = case.snapshot(out)
    equal(doc["status"], "partial", "status in snapshot.json")
    equal([(e["code"], e["arena"]) for e in doc["errors"]], [(code, arena.id)], "errors")
    hold_contents(doc, truth, out)


@test_each("excluded", "cut")
def page_table_that_is_not_stored_is_a_lost_range(case, code):
    truth = memory(case).truth
    arena = truth.named("dense")
    table = memory(case).tables(arena.pages[0].kernel)[-1]
    path = lossy(case, **{"without" if code == "excluded" else "zero_descs": pfns(case, table)})
    ran = case.run("-jp", path, status=1)
    hold_true(ran.doc, truth)
    got = arena_named(ran.doc, "dense")
    expect(got["truncated"], "not truncated")
    equal({(lost["code"], num(lost["table"])) for lost in got["lost"]}, {(code, table)}, "lost")
    expect(sum(lost["n"] for lost in got["lost"]) == 512, "lost: %s", got["lost"])
    expect(any(e["arena"] == arena.id for e in ran.doc["errors"]) or got["lost"], "no errors")
    expect(ran.messages, "nothing on stderr")
    row = next(r.split() for r in case.run(path, status=1).text.splitlines()
               if r.endswith(" dense"))
    equal(row[5], "T", "FLAGS")
    for other in ran.doc["arenas"]:
        expect(other["id"] == arena.id or not other["truncated"], "arena %d is truncated, too",
               other["id"])


@test
def neighbouring_lost_tables_are_one_range(case):
    truth = memory(case).truth
    arena = truth.named("huge4g")
    base = arena.kern_vm_start & ~((1 << 21) - 1)
    tables = [memory(case).tables(base + (i << 21)) for i in (100, 101, 102)]
    expect(all(len(t) == 4 for t in tables), "no page tables there: %s", tables)
    path = lossy(case, without=pfns(case, *[t[-1] for t in tables]))
    got = arena_named(case.run("-jp", path, status=1).doc, "huge4g")
    equal([(lost["n"], num(lost["table"])) for lost in got["lost"]], [(3 * 512, tables[0][-1])],
          "lost")


@test
def upper_page_table_that_is_not_stored_is_a_lost_range(case):
    truth = memory(case).truth
    arena = truth.named("huge4g")
    table = memory(case).tables(arena.kern_vm_start + (1 << 30))[2]
    doc = case.run("-jp", lossy(case, without=pfns(case, table)), status=1).doc
    hold_true(doc, truth)
    expect(arena_named(doc, "huge4g")["truncated"], "not truncated")


@test
def arena_whose_struct_is_not_stored_is_an_error_with_its_id(case):
    truth = memory(case).truth
    arena = truth.named("fixed")
    gone = pfns(case, memory(case).linear(arena.map))
    there = {a.id for a in truth.arenas if a.map is None or
             not pfns(case, memory(case).linear(a.map)) & gone}
    ran = case.run("-jp", lossy(case, without=gone), status=1)
    hold_true(ran.doc, truth)
    equal({a["id"] for a in ran.doc["arenas"]} - {None}, there, "arenas")
    # page tables may show windows of the others
    expect(all(truth.of(a).id not in there for a in ran.doc["arenas"] if a["id"] is None),
           "an arena is listed twice")
    # maps that share the page are told together
    told = re.fullmatch(r"maps? ([0-9, ]+) may be (an arena|arenas): .*",
                        ran.doc["errors"][0]["text"])
    expect(told, "errors: %s", ran.doc["errors"])
    expect(set(truth.by_id) - there <= set(map(int, told[1].split(", "))), "of %s are told: %s",
           sorted(set(truth.by_id) - there), told[1])
    equal({e["code"] for e in ran.doc["errors"]}, {"excluded"}, "codes")


@test
def root_of_map_idr_that_is_not_stored_is_said(case):
    root = memory(case).kdump.u64(memory(case).truth.image_phys("map_idr") + 8) & ~3
    path = lossy(case, without=pfns(case, memory(case).linear(root)))
    ran = case.run("-j", path, status=(1, 3))
    expect(ran.doc["errors"][0]["code"] == "excluded", "errors: %s", ran.doc["errors"])
    ran = case.run(path, status=(1, 3))
    expect("no BPF arenas among" not in ran.text, "stdout: %s", ran.text)
    expect("map_idr" in ran.messages[0], "stderr: %s", ran.messages)


@test
def kernel_image_that_is_not_stored_is_a_failed_line(case):
    path = lossy(case, without=pfns(case, memory(case).truth.image_phys("kallsyms_names")))
    ran = case.run("-j", path, status=(1, 3))
    expect(ran.messages, "nothing on stderr")


@test_each(NEW, ARM)
def top_page_table_that_is_not_stored_leaves_all_structs(case, name):
    """The kernel maps its memory in one piece: only the arenas' own windows need tables."""
    kdump, truth = Kdump(vmcore(case, name)), Truth(name)
    top = truth.image_phys("init_top_pgt" if truth.machine == "x86_64" else "swapper_pg_dir")
    path = case.path("lossy")
    kdump.save(path, without={top // kdump.block})
    doc = case.run("-jp", path, status=1).doc
    equal([(a["id"], a["name"], num(a["user_vm_start"])) for a in doc["arenas"]],
          [(a.id, a.name, a.user_vm_start) for a in truth.arenas], "arenas")
    expect(all(a["truncated"] and not a["pages"] for a in doc["arenas"]), "pages out of nowhere")


@test
def many_lost_pages_are_a_few_messages(case):
    truth = memory(case).truth
    gone = pfns(case, *[p.phys for a in truth.arenas for p in a.pages if p.phys])
    out = case.path("out")
    ran = case.run("-j", "-o", out, lossy(case, without=gone), status=1)
    expect(2 <= len(ran.messages) <= 12, "%d lines on stderr", len(ran.messages))
    hold_contents(case.snapshot(out), truth, out)


# Facts in the dump that lie.

def with_name(case, arena, name):
    m = memory(case)
    at = m.kdump.read(m.linear(arena.map), 256).find(arena.name.encode() + b"\0")
    expect(at > 0, "no name in the struct")
    return lossy(case, changed={m.linear(arena.map) + at: name})


@test
def hostile_name_of_an_arena_is_valid_in_json_and_on_a_terminal(case):
    arena = memory(case).truth.named("name_15_letters")
    path = with_name(case, arena, b"\x1b[31m\n\"\\\xff\xc3\x28\x07\x9b\xc2\x85")
    got = next(a for a in case.run("-j", path).doc["arenas"] if a["id"] == arena.id)
    equal(got["name"], "\x1b[31m\n\"\\\ufffd\ufffd(\x07\ufffd\x85", "name")
    for view in ([], ["-v"], ["-p"]):
        ran = case.run(*view, path)
        only_text(ran.out, "stdout")
    equal(len(case.run(path).text.splitlines()), len(memory(case).truth.arenas) + 1, "lines")
    expect(max(map(len, case.run(path).text.splitlines())) <= 80 + 3 * 16, "a very long line")


@test
def name_without_an_end_is_cut_at_16_bytes(case):
    arena = memory(case).truth.named("name_15_letters")
    path = with_name(case, arena, b"X" * 20)
    got = next(a for a in case.run("-j", path, status=(0, 1)).doc["arenas"]
               if a["id"] == arena.id)
    equal(got["name"], "X" * 16, "name")


@test
def hostile_release_is_valid_in_json_and_on_a_terminal(case):
    path = case.path("lossy")
    data = memory(case).kdump.data
    release = memory(case).truth.release.encode()
    at = data.index(b"OSRELEASE=" + release) + 10
    ugly = b"\x1b[31m\x07\xff\"\\".ljust(len(release), b"x")
    with open(path, "wb") as f:
        f.write(data[:at] + ugly + data[at + len(ugly):])
    for view in (["-j"], ["-v"], []):
        ran = case.run(*view, path, status=(0, 1, 3))
        only_text(ran.out, "stdout")
        only_text(ran.err, "stderr")


# struct bpf_arena of 7.3, by the offsets that BTF of the recorded dump gives: found by value.

def member_at(case, arena, value, n=8):
    """Offset in struct bpf_arena of the one member that has this value."""
    m = memory(case)
    data = m.kdump.read(m.linear(arena.map), 512)
    packed = value.to_bytes(n, "little")
    at = [i for i in range(0, 512, n) if data[i:i + n] == packed]
    expect(len(at) == 1, "the value %x is at %s", value, at)
    return m.linear(arena.map) + at[0]


@test
def user_vm_start_that_is_no_page_is_unknown(case):
    arena = memory(case).truth.named("sparse")
    where = member_at(case, arena, arena.user_vm_start)
    path = lossy(case, changed={where: struct.pack("<Q", arena.user_vm_start + 8)})
    ran = case.run("-jp", path, status=1)
    got = arena_named(ran.doc, "sparse")
    equal(got["user_vm_start"], "0x0", "user_vm_start")
    expect("user_vm_start" in got["unknown"], "unknown: %s", got["unknown"])
    equal([(p["pgoff"], p["user"]) for p in got["pages"]], [(None, None)] * 6, "pages")
    equal(sorted(num(p["phys"]) for p in got["pages"]), sorted(p.phys for p in arena.pages),
          "phys")
    row = next(r.split() for r in case.run(path, status=1).text.splitlines()
               if r.endswith(" sparse"))
    equal(row[2], "?", "USER_VM_START in the list")


@test
def max_entries_beyond_4_gib_is_capped(case):
    arena = memory(case).truth.named("huge4g")
    m = memory(case)
    data = m.kdump.read(m.linear(arena.map), 128)
    at = data.index(struct.pack("<I", 1 << 20))
    path = lossy(case, changed={m.linear(arena.map) + at: struct.pack("<I", 0xffffffff)})
    ran = case.run("-jp", path, status=(0, 1))
    got = arena_named(ran.doc, "huge4g")
    equal((got["max_entries"], got["declared_pages"], got["span_capped"]),
          (0xffffffff, 1 << 20, True), "max_entries, declared_pages, span_capped")
    row = next(r.split() for r in case.run(path, status=ran.status).text.splitlines()
               if r.endswith(" huge4g"))
    equal((row[4], row[5]), ("1048576", "C"), "DECLARED, FLAGS")


def kern_vm_of(case, arena):
    """Its place in struct bpf_arena, and that of the struct vm_struct it points to."""
    m = memory(case)
    data = m.kdump.read(m.linear(arena.map), 512)
    at = data.index(struct.pack("<QQ", arena.user_vm_start, arena.user_vm_end))
    # the pointer in the direct map whose struct says the arena's area
    for offset in range(0, 512, 8):
        value, = struct.unpack_from("<Q", data, offset)
        if value % 8 or not 0 < m.linear(value) < 1 << 29 or offset == at:
            continue
        try:
            if m.kdump.u64(m.linear(value) + 8) == arena.kern_vm_start - 32768:
                return m.linear(arena.map) + offset, m.linear(value)
        except KeyError:
            continue
    raise Wrong("kern_vm is not found in the struct")


def hold_no_window(case, path, arena):
    """Nothing is known of its pages, and that is said everywhere; returns the row of JSON."""
    ran = case.run("-jp", path, status=1)
    rows = ran.doc["arenas"]
    hold_true(dict(ran.doc, arenas=[row for row in rows if row["id"] is not None]),
              memory(case).truth)
    got = arena_named(ran.doc, arena.name)
    equal(got["kern_vm_start"], "0x0", "kern_vm_start")
    equal(got["unknown"], ["kern_vm_start", "mapped", "scratch", "outside", "missing"], "unknown")
    # this dump has nothing that ties its window to it: that is a row of its own, and it is said
    alone = [row for row in rows if row["id"] is None]
    equal([{(num(p["kernel"]), num(p["phys"])) for p in row["pages"]} for row in alone],
          [{(p.kernel, p.phys) for p in arena.pages}], "pages of a window without a struct")
    expect(any("without its struct, which is lost or listed without a window" in e["text"]
               for e in ran.doc["errors"]), "errors: %s", ran.doc["errors"])
    equal((got["truncated"], got["pages"]), (True, []), "truncated, pages")
    expect(any(e["arena"] == arena.id for e in ran.doc["errors"]), "errors: %s",
           ran.doc["errors"])
    row = next(r.split() for r in case.run(path, status=1).text.splitlines()
               if r.endswith(" " + arena.name))
    equal((row[3], row[5]), ("?", "T"), "MAPPED, FLAGS")
    verbose = case.run("-v", "-m", arena.name, path, status=1).text
    expect("mapped: ?" in verbose and "kern_vm_start: ?" in verbose, "-v: %s", verbose)
    return got


@test
def kern_vm_that_is_lost_makes_the_counts_unknown(case):
    arena = memory(case).truth.named("sparse")
    hold_no_window(case, lossy(case, changed={kern_vm_of(case, arena)[0]: bytes(8)}), arena)


@test
def lost_vm_struct_makes_the_window_unknown(case):
    """Where no vmap_area stands in: they are not in this dump. The lost range has the cause's code."""
    arena = memory(case).truth.named("sparse")
    path = lossy(case, without=pfns(case, kern_vm_of(case, arena)[1]))
    got = hold_no_window(case, path, arena)
    equal([lost["code"] for lost in got["lost"]], ["excluded"], "code in lost")


@test
def random_wrong_bytes_end_in_time_with_json(case):
    chance = random.Random(2)
    path = case.path("wrong")
    shutil.copyfile(vmcore(case, OLD), path)
    size = os.path.getsize(path)
    descs = memory(case, OLD).kdump.borders()[9]
    wrong, status = [], {0: 0, 1: 0, 3: 0}
    with open(path, "r+b", buffering=0) as f:
        for i in range(200 if case.setup.slow else 40):
            at = chance.randrange(8, (descs, size)[i % 2] - 8) if i % 4 else chance.randrange(8, 464)
            was = os.pread(f.fileno(), 8, at)
            now = chance.choice([b"\xff" * 8, bytes(8), chance.getrandbits(64).to_bytes(8, "big")])
            os.pwrite(f.fileno(), now, at)
            try:
                ran = case.run("-jp", path, status=(0, 1, 3), limit=SECONDS)
                status[ran.status] += 1
                expect(all(e["code"] != "worker" for e in ran.doc["errors"]), "the worker died")
            except Wrong as why:
                wrong.append("%s at %d: %s" % (now.hex(), at, why))
            os.pwrite(f.fileno(), was, at)
    expect(not wrong, "%d places: %s", len(wrong), "; ".join(wrong[:4]))
    return "status 0 %d times, 1 %d times, 3 %d times" % (status[0], status[1], status[3])


# Files that are no dumps.

def elf_header(kind=4, wide=2, machine=62, phnum=1, order=1):
    return (b"\x7fELF" + bytes([wide, order, 1]) + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", kind, machine, 1, 0, 64, 0, 0, 64, 56, phnum, 0, 0, 0)).ljust(
            4096, b"\0")


NO_DUMPS = {
    "text": (b"hello\n" * 1000, "not a vmcore"),
    "short_text": (b"x", "not a vmcore"),
    "empty": (b"", "empty"),
    "zeros": (bytes(1 << 16), "not a vmcore"),
    "gzip": (b"\x1f\x8b\x08" + bytes(5000), "gzip"),
    "xz": (b"\xfd7zXZ\0" + bytes(5000), "xz"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(5000), "zstd"),
    "flattened_zeros": (b"makedumpfile\0\0\0\0" + bytes(5000), None),
    "flattened_magic_alone": (b"makedumpfile\0\0\0\0", None),
    "flattened_text": (FLAT_HEAD.ljust(4096, b"\0") + struct.pack(">qq", 0, 5) + b"hello" +
                       struct.pack(">qq", -1, -1), "not a vmcore"),
    "flattened_far": (FLAT_HEAD.ljust(4096, b"\0") + struct.pack(">qq", 1 << 62, 5) + b"hello" +
                      struct.pack(">qq", -1, -1), None),
    "flattened_huge": (FLAT_HEAD.ljust(4096, b"\0") + struct.pack(">qq", 1 << 50, 5) + b"hello" +
                       struct.pack(">qq", -1, -1), None),
    "flattened_negative": (FLAT_HEAD.ljust(4096, b"\0") + struct.pack(">qq", 0, -5) + b"hello",
                           None),
    "magic_of_kdump_alone": (b"KDUMP   ", "cut"),
    "kdump_of_zeros": (b"KDUMP   " + bytes(1 << 16), None),
    "kdump_of_ones": (b"KDUMP   " + b"\xff" * (1 << 16), None),
    "magic_of_elf_alone": (b"\x7fELF", "cut"),
    "vmlinux": (elf_header(kind=2), "vmlinux"),
    "elf_object": (elf_header(kind=1), "core"),
    "elf32_core": (b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack(
        "<HHIIIIIHHHHHH", 4, 3, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0) + bytes(4096), "64-bit"),
    "elf_big_endian": (b"\x7fELF\x02\x02\x01" + bytes(9) + struct.pack(
        ">HHIQQQIHHHHHH", 4, 22, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0) + bytes(4096), "endian"),
    "elf_core_without_segments": (elf_header(phnum=0), None),
    "elf_core_of_a_null_segment": (elf_header(), None),
    "elf_core_of_a_program": (elf_header(phnum=2)[:64] + struct.pack(
        "<IIQQQQQQ", 4, 4, 176, 0, 0, 24, 24, 4) + struct.pack(
        "<IIQQQQQQ", 1, 5, 4096, 0x400000, 0, 4096, 4096, 4096) + struct.pack(
        "<III", 5, 4, 3) + b"CORE\0\0\0\0" + b"abcd" + bytes(3896 + 4096), "VMCOREINFO"),
}


def hold_failed(case, path, *words, codes=("unsupported", "damaged", "cut", "io"), cure=""):
    """One sentence, status 3, the failed line, in every view."""
    ran = case.run("-j", path, status=3)
    equal(ran.doc["status"], "failed", "status")
    equal(ran.doc["vmcore"], path, "vmcore")
    equal(len(ran.doc["errors"]), 1, "errors")
    error = ran.doc["errors"][0]
    expect(error["code"] in codes, "code %s", error["code"])
    equal(ran.messages, ["arenasnap: %s: %s%s" % (path, error["text"], cure)], "stderr")
    for word in words:
        expect(word in error["text"], "'%s' does not say '%s'", error["text"], word)
    expect(20 <= len(error["text"]) + len(path) <= 400 and not error["text"].endswith("."),
           "no clear sentence: %s", error["text"])
    for view in ([], ["-v"], ["-p"]):
        ran = case.run(*view, path, status=3)
        equal(ran.out, b"", "stdout")
        equal(len(ran.messages), 1, "lines on stderr")
    return error["text"]


@test_each(*NO_DUMPS)
def a_file_that_is_no_dump_is_one_sentence(case, which):
    data, word = NO_DUMPS[which]
    cure = ""
    if which == "elf_core_of_a_program":    # it may as well be of a kernel
        cure = "; --vmcoreinfo FILE, the text of another source, can stand in"
    return hold_failed(case, case.file("file", data), *[word] if word else [], cure=cure)


@test
def a_compressed_dump_names_the_cure(case):
    for which, cure in (("gzip", "gzip -d"), ("xz", "xz -d"), ("zstd", "zstd -d")):
        hold_failed(case, case.file(which, NO_DUMPS[which][0]), cure)


@test
def a_recorded_dump_in_xz_names_the_cure(case):
    with open(vmcore(case, OLD), "rb") as f:
        path = case.file("dump.xz", lzma.compress(f.read(1 << 20), preset=0))
    return hold_failed(case, path, "xz -d")


@test
def a_folder_is_one_sentence(case):
    os.mkdir(case.path("folder"))
    return hold_failed(case, case.path("folder"), "folder")


@test
def a_fifo_is_one_sentence_and_does_not_wait(case):
    os.mkfifo(case.path("fifo"))
    return hold_failed(case, case.path("fifo"), "regular file")


@test
def a_device_is_one_sentence(case):
    return hold_failed(case, "/dev/zero", "regular file")


@test
def a_missing_file_is_one_sentence(case):
    return hold_failed(case, case.path("missing"), "No such file", codes=("io",))


@test
def a_name_that_is_too_long_is_one_sentence(case):
    ran = case.run("-j", "x" * 300, status=3)
    equal(len(ran.messages), 1, "lines on stderr")
    equal(ran.doc["errors"][0]["code"], "io", "code")


@test
def an_empty_name_is_one_sentence(case):
    equal(len(case.run("", status=3).messages), 1, "lines on stderr")


@test
def a_dump_marked_incomplete_is_status_1_and_said(case):
    data = bytearray(memory(case, OLD).kdump.data)
    status, = struct.unpack_from("<I", data, 424)
    struct.pack_into("<I", data, 424, status | 8)
    ran = case.run("-jp", case.file("incomplete", data), status=1)
    expect("incomplete" in ran.messages[0], "stderr: %s", ran.messages)
    equal(hold_true(ran.doc, Truth(OLD)), sum(len(a.pages) for a in Truth(OLD).arenas), "pages")


# Workers that die.

DEATHS = {"SEGV": signal.SIGSEGV, "BUS": signal.SIGBUS, "KILL": signal.SIGKILL,
          "ABRT": signal.SIGABRT, "XCPU": signal.SIGXCPU}


def killed(case, number, *args):
    # the sanitizer's own handlers would turn the signal into an exit
    env = {"ASAN_OPTIONS": SANITIZER + ":handle_segv=0:handle_sigbus=0:handle_abort=0"}
    child, worker = stop_worker(case, *args, env=env)
    os.kill(worker, number)
    resume(worker)
    return case.end(child, args)


@test_each(*DEATHS)
def a_worker_that_dies_is_told_with_its_signal(case, name):
    ran = killed(case, DEATHS[name], "-j", vmcore(case, OLD))
    equal(ran.status, 3, "status")
    equal(ran.doc["status"], "failed", "status in JSON")
    equal([e["code"] for e in ran.doc["errors"]], ["worker"], "code")
    equal(len(ran.messages), 1, "lines on stderr")
    if name != "XCPU":
        for word in ("signal %d" % DEATHS[name], signal.strsignal(DEATHS[name])):
            expect(word in ran.messages[0], "stderr does not say '%s': %s", word, ran.messages[0])


@test
def a_worker_that_dies_leaves_no_output(case):
    ran = killed(case, signal.SIGKILL, "-o", case.path("out"), vmcore(case, OLD))
    equal(ran.status, 3, "status")
    equal(ran.out, b"", "stdout")
    nothing_left(case)


@test
def a_worker_that_is_killed_is_not_blamed_on_the_dump(case):
    """SIGKILL is the system short of memory, or a person."""
    ran = killed(case, signal.SIGKILL, "-j", vmcore(case, OLD))
    expect("damaged" not in ran.messages[0], "stderr: %s", ran.messages[0])


@test
def a_worker_that_dies_costs_only_its_vmcore(case):
    args = ("-j", vmcore(case, OLD), vmcore(case, ARM))
    ran = killed(case, signal.SIGKILL, *args)
    equal(ran.status, 3, "status")
    equal([doc["status"] for doc in ran.docs], ["failed", "complete"], "status in JSON")


@test
def a_worker_without_memory_is_a_sentence(case):
    """A limit of the user's is kept, and what it costs is said."""
    if case.setup.sanitized:
        raise Skip("a sanitizer needs more address space than any limit")
    how = as_nobody(case)
    become = how.get("preexec", lambda: None)

    def little():
        resource.setrlimit(resource.RLIMIT_AS, (12 << 20, 12 << 20))
        become()
    path = case.path("vmcore")
    shutil.copyfile(vmcore(case, OLD), path)
    ran = case.run("-j", path, status=3, **dict(how, preexec=little))
    expect(ran.messages, "nothing on stderr")
    expect("damaged" not in ran.messages[0], "stderr: %s", ran.messages[0])
    return ran.messages[0].rpartition(": ")[2]


@test
def the_worker_keeps_the_limits_of_the_user(case):
    args = ("-j", vmcore(case, OLD))
    child, worker = stop_worker(case, *args, preexec=lambda: (
        resource.setrlimit(resource.RLIMIT_CPU, (100, resource.getrlimit(
            resource.RLIMIT_CPU)[1])),
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.getrlimit(
            resource.RLIMIT_AS)[1]))
        if not case.setup.sanitized else None))
    limits = {}
    for _ in range(10):         # past the place where it sets its own
        resume(worker)
        time.sleep(0.005)
        try:
            os.kill(worker, signal.SIGSTOP)
            with open("/proc/%d/limits" % worker, encoding="ascii") as f:
                limits = {line[:25].strip(): line[25:].split() for line in f}
        except OSError:
            break
    resume(worker)
    case.end(child, args)
    cpu, space = limits["Max cpu time"], limits["Max address space"]
    expect(int(cpu[0]) <= 100, "CPU seconds are raised to %s, the user's are 100", cpu[0])
    if not case.setup.sanitized:
        expect(int(space[0]) <= 1 << 30, "the address space is raised to %s", space[0])


@test
def an_ugly_path_of_a_dying_worker_is_valid_json(case):
    path = os.path.join(os.fsencode(case.tmp), UGLY)
    os.symlink(vmcore(case, OLD), path)
    ran = killed(case, signal.SIGKILL, "-j", path.decode("utf-8", "surrogateescape"))
    equal(ran.doc["vmcore"], path.decode("utf-8", "replace"), "vmcore")


@test
def a_file_that_shrinks_while_it_is_read_is_told(case):
    path = case.path("shrinks")
    shutil.copyfile(vmcore(case, OLD), path)
    args = ("-jp", path)
    child, worker = stop_worker(case, *args)
    os.truncate(path, 1 << 20)
    resume(worker)
    ran = case.end(child, args)
    expect(ran.status in (1, 3), "status %d", ran.status)
    expect(all(e["code"] != "worker" for e in ran.doc["errors"]), "the worker died: %s",
           ran.doc["errors"])
    hold_true(ran.doc, Truth(OLD))


@test
def reading_a_dump_does_not_change_it(case):
    path = case.path("vmcore")
    shutil.copyfile(vmcore(case, OLD), path)
    os.utime(path, (1, 1))
    os.chmod(path, 0o444)
    before = os.stat(path)
    with open(path, "rb") as f:
        data = f.read()
    case.run("-jp", "-o", case.path("out"), path)
    after = os.stat(path)
    equal((after.st_mtime_ns, after.st_mode, after.st_size, after.st_ino),
          (before.st_mtime_ns, before.st_mode, before.st_size, before.st_ino), "the file's facts")
    with open(path, "rb") as f:
        expect(f.read() == data, "the vmcore has changed")
