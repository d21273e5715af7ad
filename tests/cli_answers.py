# SPDX-License-Identifier: GPL-2.0-or-later
"""Right answers: recorded dumps against the truth of their guests, in every view."""

import json
import os
import subprocess
import sys
import zlib

from cli_dumps import CHECK_TRUTH, NEW, OLD, RECORDED, Truth, elf, truth_path, vmcore
from cli_run import HEADING, U32, equal, expect, num, short, test, test_each


def check_truth(name, path, *options):
    """Hold a JSON file against the truth with the guest's own checker."""
    ran = subprocess.run([sys.executable, CHECK_TRUTH, *options, truth_path(name), path],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    expect(ran.returncode == 0, "check-truth.py: %s", short(ran.stdout, 1000))
    return ran.stdout.strip()


def without_pages(doc):
    return dict(doc, arenas=[{k: v for k, v in a.items() if k != "pages"} for a in doc["arenas"]])


def quiet(ran):
    equal(ran.err, b"", "stderr")


def rows(text):
    return [line.split() for line in text.splitlines()]


# JSON.

@test_each(*RECORDED)
def json_with_pages_is_the_truth(case, name):
    ran = case.run("-j", "-p", vmcore(case, name))
    quiet(ran)
    equal(ran.doc["errors"], [], "errors")
    equal(ran.doc["status"], "complete", "status")
    equal(ran.doc["tool"], "arenasnap", "tool")
    equal(ran.doc["vmcore"], vmcore(case, name), "vmcore")
    expect(all(p["stored"] is True for a in ran.doc["arenas"] for p in a["pages"]),
           "a page is not stored")
    return check_truth(name, case.file("out.json", ran.out))


@test_each(*RECORDED)
def json_without_pages_is_the_same_but_for_pages(case, name):
    all_of_it = case.run("-jp", vmcore(case, name)).doc
    ran = case.run("--json", vmcore(case, name))
    quiet(ran)
    equal(ran.doc, without_pages(all_of_it), "-j")


@test_each(*RECORDED)
def output_folder_is_the_truth(case, name):
    out = case.path("out")
    ran = case.run("-o", out, vmcore(case, name))
    quiet(ran)
    doc = case.snapshot(out)
    equal(sorted(os.listdir(out)), sorted(["snapshot.json"] + [
        "%d.bin" % a["id"] for a in doc["arenas"]]), "files")
    equal(doc, case.run("-j", "-p", vmcore(case, name)).doc, "snapshot.json")
    equal(ran.out, case.run(vmcore(case, name)).out, "the list")
    hold_contents(doc, Truth(name), out)
    return check_truth(name, os.path.join(out, "snapshot.json"), "--pages", out)


@test
def elf_core_gives_the_same_answer_as_kdump(case):
    want = case.run("-jp", vmcore(case, NEW)).doc
    got = case.run("-jp", elf(case)).doc
    equal(dict(got, vmcore=""), dict(want, vmcore=""), "-jp")
    out = case.path("out")
    case.run("-o", out, elf(case))
    return check_truth(NEW, os.path.join(out, "snapshot.json"), "--pages", out)


@test
def answers_are_the_same_twice(case):
    first = case.run("-jp", vmcore(case, OLD))
    equal(case.run("-jp", vmcore(case, OLD)).out, first.out, "second run")


def data_ranges(f, size):
    """What is no hole of a file."""
    at = 0
    while at < size:
        try:
            at = os.lseek(f, at, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(f, at, os.SEEK_HOLE)
        yield at, end
        at = end


def contents_name(row):
    return "kern-%x.bin" % num(row["kern_vm_start"]) if row["id"] is None else "%d.bin" % row["id"]


def hold_contents(doc, truth, folder):
    """Each .bin: the pages that snapshot.json calls stored, and nothing but zeros elsewhere."""
    size = truth.page_size
    for row in doc["arenas"]:
        name, arena = contents_name(row), truth.of(row)
        pages = {}      # by place in the file
        for told in row["pages"]:
            place = told["pgoff"]
            if place is None and "user_vm_start" in row["unknown"]:
                place = (num(told["kernel"]) - num(row["kern_vm_start"])) // size
            if told["kind"] != "scratch" and place is not None:
                pages[place] = told
        want = {place: arena.page_of(told).crc for place, told in pages.items() if told["stored"]}
        last = max(pages, default=-1) + 1
        with open(os.path.join(folder, name), "rb") as f:
            equal(os.fstat(f.fileno()).st_size, last * size, "size of " + name)
            for place, crc in want.items():
                f.seek(place * size)
                got = zlib.crc32(f.read(size))
                expect(crc is None or got == crc, "%s: page %d: crc32 %08x, truth %08x",
                       name, place, got, crc or 0)
            for start, end in list(data_ranges(f.fileno(), last * size)):
                for place in range(start // size, -(-end // size)):
                    f.seek(place * size)
                    expect(place in want or not any(f.read(size)),
                           "%s: bytes at page %d, which is not there", name, place)


# The list.

def list_row(arena, map_text):
    """The line of the list, as design.md §4 shows it."""
    return "%9d %16s %14x %7d %8d %-5s %s" % (
        arena.id, map_text, arena.user_vm_start, arena.count("page"), arena.declared,
        arena.flags or "-", arena.name or "-")


@test_each(*RECORDED)
def list_is_the_truth_within_80_columns(case, name):
    ran = case.run(vmcore(case, name))
    quiet(ran)
    lines = ran.text.splitlines()
    equal(lines[0], HEADING, "heading")
    truth = Truth(name)
    equal(len(lines) - 1, len(truth.arenas), "arenas in the list")
    for line, arena in zip(lines[1:], truth.arenas):
        got = line.split()[1]
        expect(len(got) == 16, "BPF_MAP %s", got)
        expect(arena.map in (None, int(got, 16)), "arena %d: map %s, truth %x", arena.id, got,
               arena.map or 0)
        equal(line, list_row(arena, got), "arena %d" % arena.id)
    expect(max(map(len, lines)) <= 80, "a line of %d columns", max(map(len, lines)))


@test
def list_without_headings_is_rows_alone(case):
    with_it = case.run(vmcore(case, OLD)).text.splitlines()
    equal(case.run("--no-headings", vmcore(case, OLD)).text.splitlines(), with_it[1:], "rows")


# -v.

def verbose_blocks(text):
    """The paragraphs as dictionaries: first where it came from, then the arenas."""
    blocks = []
    for part in text.split("\n\n"):
        pairs = [line.split(":", 1) for line in part.splitlines() if ":" in line]
        blocks.append({key.strip(): value.strip() for key, value in pairs})
    return blocks


@test_each(*RECORDED)
def verbose_is_the_truth(case, name):
    truth = Truth(name)
    ran = case.run("-v", vmcore(case, name))
    quiet(ran)
    source, *arenas = verbose_blocks(ran.text)
    expect(truth.release in source["kernel"] and truth.machine in source["kernel"],
           "kernel: %s", source["kernel"])
    for key in ("dump", "symbols", "types", "page tables"):
        expect(source.get(key), "no %s", key)
    equal([int(a["id"]) for a in arenas], [a.id for a in truth.arenas], "ids")
    for got, arena in zip(arenas, truth.arenas):
        who = "arena %d: " % arena.id
        equal(got["name"], arena.name or "-", who + "name")
        for key in ("map", "map_extra", "map_flags", "user_vm_start", "user_vm_end",
                    "kern_vm_start"):
            want = getattr(arena, key)
            expect(want in (None, int(got[key], 16)), "%s%s: %s, truth %x", who, key, got[key],
                   want or 0)
        for key, want in (("max_entries", arena.max_entries), ("declared", arena.declared),
                          ("mapped", arena.count("page")), ("scratch", arena.count("scratch")),
                          ("outside", arena.count("outside")), ("missing", 0)):
            equal(got[key], str(want), who + key)
        equal(got["truncated"], "no", who + "truncated")
        equal(got["found_by"], "map_idr", who + "found_by")


# -p.

def page_row_is(row, arena, page, n, who):
    """One row of -p or -p --runs."""
    got_id, pgoff, *count, user, kernel, phys, kind, stored = row
    equal(got_id, str(arena.id), who + "id")
    equal(pgoff, str(page.pgoff), who + "pgoff")
    equal(count, [] if n is None else [str(n)], who + "pages")
    equal(user, "%x" % page.user, who + "user")
    if page.kernel is not None:
        equal(kernel, "%x" % page.kernel, who + "kernel")
    if page.phys is not None:
        equal(phys, "%x" % page.phys, who + "phys")
    equal(kind, page.kind, who + "kind")
    equal(stored, "yes", who + "stored")


def parts_of_pages(text):
    """-p: (heading, column names, rows) for each arena."""
    parts = []
    for part in text.split("\n\n"):
        lines = part.splitlines()
        parts.append((lines[0], lines[1:2], rows("\n".join(lines[2:]))))
    return parts


@test_each(*RECORDED)
def pages_are_the_truth(case, name):
    truth = Truth(name)
    ran = case.run("-p", vmcore(case, name))
    quiet(ran)
    parts = parts_of_pages(ran.text)
    equal(len(parts), len(truth.arenas), "arenas")
    for (heading, _, got), arena in zip(parts, truth.arenas):
        who = "arena %d: " % arena.id
        expect(heading.startswith("arena %d %s: " % (arena.id, arena.name or "-")),
               "heading: %s", heading)
        expect(" %d of %d " % (arena.count("page"), arena.declared) in heading,
               "heading: %s", heading)
        equal(len(got), len(arena.pages), who + "rows")
        for row, page in zip(got, arena.pages):
            page_row_is(row, arena, page, None, who)


@test_each(*RECORDED)
def pages_without_headings_are_rows_alone(case, name):
    truth = Truth(name)
    got = rows(case.run("-p", "--no-headings", vmcore(case, name)).text)
    want = [(arena, page) for arena in truth.arenas for page in arena.pages]
    equal(len(got), len(want), "rows")
    for row, (arena, page) in zip(got, want):
        page_row_is(row, arena, page, None, "arena %d: " % arena.id)


def runs_of(arena, page_size):
    """Neighbours in every address, of one kind; scratch pages all have one frame."""
    runs = []
    for page in arena.pages:
        if runs and page.kind != "scratch":
            first, n = runs[-1]
            if (page.pgoff, page.phys, page.kind) == (
                    first.pgoff + n, (first.phys or 0) + n * page_size, first.kind) and (
                    page.user & U32) == (first.user & U32) + n * page_size:
                runs[-1][1] += 1
                continue
        runs.append([page, 1])
    return runs


@test_each(*RECORDED)
def runs_join_the_neighbours_of_the_truth(case, name):
    truth = Truth(name)
    joined = 0
    parts = parts_of_pages(case.run("-p", "--runs", vmcore(case, name)).text)
    equal(len(parts), len(truth.arenas), "arenas")
    for (_, _, got), arena in zip(parts, truth.arenas):
        who = "arena %d: " % arena.id
        want = runs_of(arena, truth.page_size)
        equal(len(got), len(want), who + "rows")
        for row, (page, n) in zip(got, want):
            page_row_is(row, arena, page, n, who)
            joined += n > 1
    return "%d rows of more than one page" % joined


# ARENA.

def ids_of(case, name, *arenas, status=0):
    options = [word for arena in arenas for word in ("-m", arena)]
    return [a["id"] for a in case.run("-j", *options, vmcore(case, name), status=status)
            .doc["arenas"]]


def owners(truth, address):
    """Ids of the arenas in whose user or kernel window an address is."""
    return [a.id for a in truth.arenas if a.user_vm_start <= address < a.user_vm_end or
            (a.kern_vm_start or 1 << 64) <= address < (a.kern_vm_start or 0) + (1 << 32)]


@test_each(OLD, NEW)
def arena_by_id(case, name):
    for arena in Truth(name).arenas[::4]:
        # 100 and more could be the hexadecimal address of another arena; none is so low here
        equal(ids_of(case, name, str(arena.id)), [arena.id], "-m %d" % arena.id)


@test
def arena_by_address_of_its_struct(case):
    for arena in Truth(OLD).arenas[::5]:
        if arena.map is None:
            continue
        for text in ("0x%x" % arena.map, "%x" % arena.map, "0x%X" % arena.map):
            equal(ids_of(case, OLD, text), [arena.id], "-m " + text)


@test
def arena_by_any_user_address_of_its_window(case):
    truth = Truth(OLD)
    for arena in truth.arenas[:12:3]:
        if arena.user_vm_end == 0:
            continue
        for address in (arena.user_vm_start, arena.user_vm_start + 8, arena.user_vm_end - 1):
            for text in ("0x%x" % address, "%x" % address):
                equal(ids_of(case, OLD, text), owners(truth, address), "-m " + text)


@test
def arena_by_any_kernel_address_of_its_window(case):
    truth = Truth(OLD)
    for arena in truth.arenas[:6:2]:
        base = arena.kern_vm_start
        for address in (base, base + (arena.user_vm_start & U32) + 123, base + U32):
            for text in ("0x%x" % address, "%x" % address):
                equal(ids_of(case, OLD, text), [arena.id], "-m " + text)


@test
def arena_not_by_an_address_behind_its_user_window(case):
    truth = Truth(OLD)
    arena = truth.named("fixed")
    equal(owners(truth, arena.user_vm_end), [], "arenas there by the truth")
    ids_of(case, OLD, "0x%x" % arena.user_vm_end, status=1)


@test_each(OLD, NEW)
def arena_by_digits_that_are_a_hexadecimal_address(case, name):
    truth = Truth(name)
    arena = next(a for a in truth.arenas if a.user_vm_end and ("%x" % a.user_vm_start).isdigit())
    text = "%x" % arena.user_vm_start
    equal(ids_of(case, name, text), owners(truth, arena.user_vm_start), "-m " + text)
    return "-m %s is arena %d" % (text, arena.id)


@test
def arena_with_0x_is_never_an_id(case):
    ids_of(case, OLD, "0x1", status=1)


@test
def arena_by_name_gives_all_of_that_name(case):
    truth = Truth(OLD)
    for name in ("twin", "fixed", "name_15_letters"):
        want = [a.id for a in truth.arenas if a.name == name]
        equal(ids_of(case, OLD, name), want, "-m " + name)
        equal(ids_of(case, OLD, "name:" + name), want, "-m name:" + name)
    equal(ids_of(case, OLD, "name:"), [a.id for a in truth.arenas if not a.name], "-m name:")


@test
def arena_by_prefix_name_is_no_id(case):
    ids_of(case, OLD, "name:1", status=1)


@test
def arena_without_a_match_is_status_1_and_a_sentence(case):
    for text in ("no_such_arena", "4000000", "0xdead0000", "name:fixed ", "18446744073709551616"):
        ran = case.run("-j", "-m", text, vmcore(case, OLD), status=1)
        equal(ran.doc["arenas"], [], "arenas")
        equal(len(ran.doc["errors"]), 1, "errors")
        expect(text in ran.doc["errors"][0]["text"], "errors: %s", ran.doc["errors"])
        equal(len(ran.messages), 1, "lines on stderr")
        expect(text in ran.messages[0], "stderr: %s", ran.messages)


@test
def arena_without_a_match_does_not_blame_the_dump(case):
    ran = case.run("-m", "no_such_arena", vmcore(case, OLD), status=1)
    expect("no BPF arenas" not in ran.text and "could be read" not in ran.text,
           "stdout, about a dump that is all there and has 30 arenas: %s", ran.text)


@test
def arena_without_a_match_leaves_the_others(case):
    equal(ids_of(case, OLD, "no_such_arena", "fixed", status=1),
          [Truth(OLD).named("fixed").id], "arenas")


@test
def arena_may_be_repeated_and_each_is_shown_once(case):
    truth = Truth(OLD)
    fixed = truth.named("fixed")
    twins = [a.id for a in truth.arenas if a.name == "twin"]
    got = ids_of(case, OLD, "twin", "fixed", str(fixed.id), "0x%x" % fixed.map)
    equal(got, sorted(twins + [fixed.id]), "arenas")


@test
def arena_alone_means_verbose(case):
    for words in (["-m", "fixed"], ["--arena", "fixed"], ["--arena=fixed"]):
        equal(case.run(*words, vmcore(case, OLD)).out,
              case.run("-v", "-m", "fixed", vmcore(case, OLD)).out, " ".join(words))
    ran = case.run("-p", "-m", "fixed", vmcore(case, OLD))
    equal(len(parts_of_pages(ran.text)[0][2]), len(Truth(OLD).named("fixed").pages), "rows")


@test
def arena_that_is_asked_for_is_written_alone(case):
    out = case.path("out")
    case.run("-o", out, "-m", "fixed", vmcore(case, OLD))
    equal(sorted(os.listdir(out)), ["%d.bin" % Truth(OLD).named("fixed").id, "snapshot.json"],
          "files")
    case.snapshot(out)


# --max-pages.

@test_each(OLD, NEW)
def max_pages_gives_the_first_pages_and_truncated(case, name):
    truth = Truth(name)
    for most in (1, 7, 200, 100000):
        ran = case.run("-jp", "--max-pages", str(most), vmcore(case, name))
        quiet(ran)
        equal(ran.doc["status"], "complete", "status")
        for got, arena in zip(ran.doc["arenas"], truth.arenas):
            who = "--max-pages %d: arena %d: " % (most, arena.id)
            equal([p["pgoff"] for p in got["pages"]], [p.pgoff for p in arena.pages[:most]],
                  who + "pages")
            equal(got["truncated"], len(arena.pages) > most, who + "truncated")
            left = arena.pages[most:]
            equal([lost["code"] for lost in got["lost"]], ["limit"] if left else [], who + "lost")
            for lost in got["lost"] if left else []:
                covers = range(lost["pgoff"], lost["pgoff"] + lost["n"])
                expect(all(p.pgoff in covers for p in left), "%slost %s does not cover page %d",
                       who, covers, left[-1].pgoff)
                expect(arena.pages[most - 1].pgoff not in covers, "%slost covers a listed page",
                       who)


@test
def max_pages_shows_in_every_view(case):
    arena = Truth(OLD).named("dense")
    ran = case.run("--max-pages", "7", vmcore(case, OLD))
    row = next(r for r in rows(ran.text) if r[0] == str(arena.id))
    equal(row[3:6], ["7", str(arena.declared), "T"], "MAPPED, DECLARED, FLAGS")
    ran = case.run("-p", "--max-pages=7", "--no-headings", "-m", "dense", vmcore(case, OLD))
    equal(len(rows(ran.text)), 7, "rows of -p")
    ran = case.run("-v", "--max-pages", "7", "-m", "dense", vmcore(case, OLD))
    equal(verbose_blocks(ran.text)[1]["truncated"], "yes", "-v: truncated")


@test
def max_pages_limits_contents_too(case):
    out = case.path("out")
    case.run("-o", out, "--max-pages", "3", vmcore(case, OLD))
    hold_contents(case.snapshot(out), Truth(OLD), out)


@test
def json_is_the_last_key_status(case):
    ran = case.run("-j", vmcore(case, OLD))
    equal(list(json.loads(ran.out))[-1], "status", "last key")
    equal(num(ran.doc["arenas"][0]["map"]), Truth(OLD).arenas[0].map, "map")
