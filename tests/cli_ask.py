# SPDX-License-Identifier: GPL-2.0-or-later
"""-a, -r, -f, --refs: where an address lies, what is there, where something is found.

Held against the truth of the guests; hits against a search here, through the files of -o, whose
pages have the truth's checksums.
"""

import os
import re
import struct
import zlib

from cli_dumps import LOST, OLD, RECORDED, Truth, vmcore
from cli_run import U32, equal, expect, num, test, test_each


def ask(case, name, address, status=0):
    """The arenas that an address lies in: {id: address of JSON}."""
    doc = case.run("-j", "-a", "%x" % address, vmcore(case, name), status=status).doc
    return {a["id"]: a["address"] for a in doc["arenas"]}


def users(truth, address):
    """Ids of arenas that have this user address: in the window, or of a page outside of it."""
    page = address & ~(truth.page_size - 1)
    return {a.id for a in truth.arenas if a.user_vm_start <= address < a.user_vm_end or
            any(p.user == page for p in a.pages)}


def lows(truth, low):
    """Ids of arenas that a low half may mean: by arithmetic, in 32 bits."""
    return {a.id for a in truth.arenas if a.user_vm_start and
            a.id in users(truth, (a.user_vm_start & ~U32) | low)}


def hold(told, form, page, offset):
    equal(told["form"], form, "form")
    equal(told["certain"], form != "low32", "certain")
    equal(told["pgoff"], page.pgoff, "pgoff")
    equal(told["offset"], offset, "offset")
    equal(told["user"], "0x%x" % (page.user + offset), "user")
    equal(told["low32"], "0x%x" % ((page.user + offset) & U32), "low32")
    equal(told["page"], page.kind, "page")
    if page.kernel is not None:
        equal(told["kernel"], "0x%x" % (page.kernel + offset), "kernel")
    if page.phys is not None:
        equal(told["phys"], "0x%x" % (page.phys + offset), "phys")
        equal(told["stored"], True, "stored")


@test_each(*RECORDED)
def address_of_a_page_in_three_forms(case, name):
    truth = Truth(name)
    asked = 0
    for arena in truth.arenas[::8]:
        for page in arena.pages[:1] + arena.pages[-1:]:
            offset = truth.page_size - 8
            user = page.user + offset
            told = ask(case, name, user)
            equal(set(told), users(truth, user), "arenas of user address %x" % user)
            hold(told[arena.id], "user", page, offset)
            told = ask(case, name, user & U32)
            equal(set(told), lows(truth, user & U32), "arenas of low half %x" % (user & U32))
            hold(told[arena.id], "low32", page, offset)
            if page.kernel is not None:
                told = ask(case, name, page.kernel + offset)
                equal(set(told), {arena.id}, "arenas of kernel address")
                hold(told[arena.id], "kernel", page, offset)
            asked += 1
    expect(asked > 4, "only %d pages were asked for", asked)
    return "%d pages" % asked


@test_each(*RECORDED)
def address_without_a_page(case, name):
    truth = Truth(name)
    arena = truth.named("huge4g")
    pgoff = next(n for n in range(arena.declared) if n not in arena.by_pgoff)
    user = arena.user_vm_start + pgoff * truth.page_size
    told = ask(case, name, user)[arena.id]
    equal((told["page"], told["phys"], told["stored"]), ("not_mapped", None, None), "page")
    for guard in (arena.kern_vm_start - 1, arena.kern_vm_start + U32 + 1):
        told = ask(case, name, guard)
        equal(set(told), {arena.id}, "arenas of a guard")
        equal(told[arena.id]["page"], "guard", "page")
        equal(told[arena.id]["pgoff"], None, "pgoff")


@test
def address_of_no_arena(case):
    truth = Truth(OLD)
    for address in (0, truth.symbols["_text"], truth.named("fixed").user_vm_end):
        equal(users(truth, address), set(), "arenas there by the truth")
        equal(ask(case, OLD, address, status=1), {}, "arenas of 0x%x" % address)
    ran = case.run("-a", "0", vmcore(case, OLD), status=1)
    equal(ran.out, b"", "stdout")
    expect(b"0x0 lies in no arena" in ran.err, "no such sentence: %r", ran.err)


@test
def address_on_the_screen(case):
    truth = Truth(OLD)
    arena = truth.named("huge4g")
    page = arena.pages[1]
    ran = case.run("--address", "0x%X" % (page.user + 0x123), vmcore(case, OLD))
    equal(ran.err, b"", "stderr")
    equal(ran.out.decode().splitlines(), [
        "%x: user address of arena %d huge4g" % (page.user + 0x123, arena.id),
        "   pgoff: %d, byte 0x123 of it" % page.pgoff,
        "    user: %x" % (page.user + 0x123),
        "  kernel: %x" % (page.kernel + 0x123),
        "   low32: %x" % ((page.user + 0x123) & U32),
        "    phys: %x" % (page.phys + 0x123),
        "    page: mapped"], "stdout")


@test
def address_is_a_view_and_hexadecimal(case):
    path = vmcore(case, OLD)
    for options in (("-a", "1000", "-v"), ("-a", "1000", "-p"), ("-a", "1000", "--max-pages", "1"),
                    ("-a", ""), ("-a", "0x"), ("-a", "-1"), ("-a", "huge4g"),
                    ("-a", "1" + "0" * 16)):
        ran = case.run(*options, path, status=2)
        equal(ran.out, b"", "stdout of %s" % " ".join(options))
        expect(ran.err, "no sentence")


@test
def address_of_the_arenas_asked_for(case):
    truth = Truth(OLD)
    arena = truth.named("huge4g")
    doc = case.run("-j", "-a", "%x" % arena.user_vm_start, "-m", "name:fixed",
                   vmcore(case, OLD), status=1).doc
    equal(doc["arenas"], [], "arenas")
    expect("of these" in doc["errors"][0]["text"], "%s", doc["errors"])


@test
def address_of_no_arena_where_not_all_are_known(case):
    errors = case.run("-j", "-a", "0", vmcore(case, LOST), status=1).doc["errors"]
    expect(any("lies in no arena, as far as they could be read" in e["text"] for e in errors),
           "said as if all were known: %s", errors[-1:])


# -r: the truth has a checksum of each page.

LINE = re.compile("^ *([0-9a-f]+):  ((?:[0-9a-f]+ )+)")


def bytes_of(text, width):
    """What a table of -r shows, put together again: the address of the first byte, and all."""
    start, data = None, b""
    for line in text.splitlines():
        row = LINE.match(line)
        expect(row, "not a line of memory: %s", line)
        address = int(row.group(1), 16)
        start = address if start is None else start
        equal(address, start + len(data), "address of a line")
        piece = b"".join(int(word, 16).to_bytes(width // 8, "little")
                         for word in row.group(2).split())
        shown = "".join(chr(c) if 32 <= c < 127 else "." for c in piece)
        expect(line.endswith("   " + shown), "text of %s", line)
        data += piece
    return start, data


@test_each(*RECORDED)
def memory_of_a_page_in_all_widths(case, name):
    truth, path = Truth(name), vmcore(case, name)
    widths, asked = (8, 16, 32, 64), 0
    for arena in truth.arenas[::6]:
        for page in [p for p in arena.pages if p.crc is not None and p.kind == "page"][-1:]:
            width = widths[asked % 4]
            for address in (page.user, page.kernel):
                if address is None:
                    continue
                ran = case.run("-r", "%x" % address, "-l", str(truth.page_size), "-%d" % width,
                               "-m", str(arena.id), "--no-headings", path)
                start, data = bytes_of(ran.out.decode(), width)
                equal(start, address, "first address")
                equal(len(data), truth.page_size, "bytes")
                equal(zlib.crc32(data), page.crc, "checksum of pgoff %d" % page.pgoff)
            asked += 1
    expect(asked >= 4, "only %d pages were read", asked)
    return "%d pages" % asked


@test_each(*RECORDED)
def memory_as_json_and_as_a_file(case, name):
    truth, path = Truth(name), vmcore(case, name)
    size, arena = truth.page_size, truth.named("huge4g")
    first, second = arena.by_pgoff[0], arena.by_pgoff[1]
    read = case.run("-j", "-m", str(arena.id), "-r", "%x" % (first.user & U32 or first.kernel),
                    "-l", "0x%x" % (2 * size), path).doc["arenas"][0]["read"]
    equal([(p["pgoff"], p["n"], p["page"]) for p in read["pieces"]],
          [(0, size, "page"), (1, size, "page")], "pieces")
    for piece, page in zip(read["pieces"], (first, second)):
        equal(zlib.crc32(bytes.fromhex(piece["data"])), page.crc, "checksum")
    out = case.path("bytes")
    ran = case.run("-r", "%x" % first.user, "-l", str(2 * size), "-w", out, path)
    equal(ran.out, b"", "stdout")
    with open(out, "rb") as f:
        data = f.read()
    equal([zlib.crc32(data[:size]), zlib.crc32(data[size:])], [first.crc, second.crc],
          "checksums")
    equal(len(data), 2 * size, "length")


@test
def memory_that_is_not_mapped_is_no_zeros(case):
    truth, path = Truth(OLD), vmcore(case, OLD)
    arena = truth.named("huge4g")
    expect(2 not in arena.by_pgoff and 1 in arena.by_pgoff, "another guest")
    end = arena.user_vm_start + 2 * truth.page_size
    ran = case.run("-r", "%x" % (end - 4), "-l", "8", "-32", path, status=1)
    lines = ran.out.decode().splitlines()
    expect(lines[1].endswith("????"), "%s", lines)
    equal(lines[2], "%16x:  (not mapped)" % end, "line")
    out = case.path("bytes")
    ran = case.run("-r", "%x" % (end - 4), "-l", "8", "-w", out, path, status=1)
    expect(b"4 of 8 bytes are not there" in ran.err, "%s", ran.err)
    equal(os.listdir(case.tmp), [], "files")


@test
def memory_of_a_low_half_is_of_each_arena(case):
    truth, path = Truth(OLD), vmcore(case, OLD)
    low = truth.named("fixed").pages[0].user + 8 & U32
    want = lows(truth, low)
    expect(len(want) > 1, "another guest")
    told = case.run("-j", "-r", "%x" % low, path, status=(0, 1)).doc["arenas"]
    equal({a["id"] for a in told}, want, "arenas")
    equal([a["read"]["certain"] for a in told], [False] * len(told), "certain")
    ran = case.run("-r", "%x" % low, "-l", "8", "-w", case.path("bytes"), path, status=1)
    expect(b"more than one arena" in ran.err, "%s", ran.err)
    equal(os.listdir(case.tmp), [], "files")


@test
def memory_is_never_written_over_a_file(case):
    path, out = vmcore(case, OLD), case.path("bytes")
    with open(out, "wb") as f:
        f.write(b"mine")
    start = Truth(OLD).named("huge4g").user_vm_start
    ran = case.run("-r", "%x" % start, "-l", "8", "-w", out, path, status=2)
    expect(b"exists; not overwritten" in ran.err, "%s", ran.err)
    with open(out, "rb") as f:
        equal(f.read(), b"mine", "the file")


@test
def options_of_reading_that_make_no_sense(case):
    path = vmcore(case, OLD)
    for options in (("-l", "8"), ("-8",), ("-w", "x"), ("-r", "1000", "-p"), ("-r", "1000", "-17"),
                    ("-r", "1000", "-l", "0"), ("-r", "1000", "-l", "12"), ("-r", "x"),
                    ("-r", "1000", "-l", "9G"), ("-r", "1000", "-w", "x"),
                    ("-r", "ffffffffffffffff", "-l", "8"), ("-r", "1000", "-a", "1000"),
                    ("-r", "1000", "-l", "8", "-w", "x", "-j"), ("-r", "1000", "-6"),
                    ("-r", "1000", "--max-pages", "1"), ("-r", "1000", "-l", "0x200000001", "-8")):
        ran = case.run(*options, path, status=2)
        equal(ran.out, b"", "stdout of %s" % " ".join(options))
        expect(ran.err, "no sentence")
    expect(not os.path.exists("x"), "a file was made")


# -f and --refs: searched for here, too.

def contents(case, name):
    """The pages of each arena: {id: {pgoff: bytes}}, proved by the checksums of the truth."""
    truth, out = Truth(name), case.path("out")
    case.run("-o", out, vmcore(case, name))
    pages = {}
    for arena in truth.arenas:
        of = pages[arena.id] = {}
        with open(os.path.join(out, "%d.bin" % arena.id), "rb") as f:
            for page in [p for p in arena.pages if p.kind != "scratch"]:
                f.seek(page.pgoff * truth.page_size)
                of[page.pgoff] = f.read(truth.page_size)
                if page.crc is not None:
                    equal(zlib.crc32(of[page.pgoff]), page.crc, "checksum")
    return truth, pages


def joined(truth, arena, pages):
    """Pages that follow each other, as one: (pgoff of the first, bytes)"""
    runs = []
    for pgoff in sorted(pages):
        user = arena.user_vm_start + pgoff * truth.page_size
        if runs and runs[-1][0] + len(runs[-1][1]) // truth.page_size == pgoff and user & U32:
            runs[-1] = (runs[-1][0], runs[-1][1] + pages[pgoff])
        else:
            runs.append((pgoff, pages[pgoff]))
    return runs


def places_of(truth, pages, pattern, step):
    """Where the bytes are: {(id, pgoff, offset)}"""
    places = set()
    for arena in truth.arenas:
        for first, data in joined(truth, arena, pages[arena.id]):
            at = data.find(pattern)
            while at >= 0:
                if at % step == 0:
                    places.add((arena.id, first + at // truth.page_size, at % truth.page_size))
                at = data.find(pattern, at + 1)
    return places


def told_places(doc, key):
    return [(a["id"], hit["pgoff"], hit["offset"]) for a in doc["arenas"] for hit in a[key]]


@test_each(*RECORDED)
def value_is_found_wherever_it_is(case, name):
    truth, pages = contents(case, name)
    arena = truth.named("huge4g")
    page = pages[arena.id][0]
    border = pages[truth.named("dense").id]
    word = int.from_bytes(page[16:24], "little")
    straddles = (border[0][-3:] + border[1][:3]).hex()
    asked = [(["-f", "0x%x" % word], page[16:24], 8),
             (["-f", "0x%x" % (word & U32), "-32"], page[16:20], 4),
             (["-f", "0x%x" % (word & 0xffff), "-16", "--unaligned"], page[16:18], 1),
             (["-f", "huge4g page 0"], b"huge4g page 0", 1),
             (["-f", "".join("\\x" + straddles[i:i + 2] for i in range(0, 12, 2))],
              bytes.fromhex(straddles), 1)]
    found = 0
    for options, pattern, step in asked:
        want = places_of(truth, pages, pattern, step)
        expect(want, "%s is nowhere", options)
        doc = case.run("-j", *options, vmcore(case, name)).doc
        told = told_places(doc, "found")
        equal(len(told), len(set(told)), "hits that are told twice")
        equal(set(told), want, "hits of %s" % " ".join(options))
        for row in doc["arenas"]:
            arena = truth.by_id[row["id"]]
            equal(row["searched"], len(pages[arena.id]), "pages searched")
            for hit in row["found"]:
                at = arena.by_pgoff[hit["pgoff"]]
                equal(num(hit["user"]), at.user + hit["offset"], "user address")
                expect(at.kernel is None or num(hit["kernel"]) == at.kernel + hit["offset"],
                       "kernel address of %s", hit)
        found += len(want)
    return "%d hits" % found


@test_each(*RECORDED)
def words_that_point_to_a_page(case, name):
    truth, pages = contents(case, name)
    size = truth.page_size
    total = 0
    for arena in truth.arenas[2::12]:
        if not arena.pages or arena.kern_vm_start is None:
            continue
        page = arena.pages[-1]
        forms = {"user": page.user, "kernel": page.kernel, "low32": page.user & U32}
        want = set()
        for other in truth.arenas:
            for pgoff, data in pages[other.id].items():
                for i, word in enumerate(struct.unpack("<%dQ" % (size // 8), data)):
                    # most words are none of the three
                    for form, start in forms.items() if word else ():
                        if start <= word < start + size and (form != "low32" or other is arena):
                            want.add((other.id, pgoff, 8 * i, form))
        doc = case.run("-j", "--refs", "%x" % page.kernel, vmcore(case, name)).doc
        told = {(a["id"], r["pgoff"], r["offset"], r["form"]) for a in doc["arenas"]
                for r in a["refs"]}
        equal(told, want, "words that point to arena %d" % arena.id)
        total += len(want)
    return "%d words" % total


@test
def value_that_is_nowhere_is_an_answer(case):
    path = vmcore(case, OLD)
    ran = case.run("-f", "no page has this text", path)
    expect(ran.out.startswith(b"not found in ") and ran.out.count(b"\n") == 1, "%s", ran.out)
    equal(case.run("-f", "no page has this text", "--no-headings", path).out, b"", "stdout")
    ran = case.run("--refs", "%x" % Truth(OLD).symbols["_text"], path, status=1)
    expect(b"lies in no arena" in ran.err, "%s", ran.err)


@test
def hits_on_the_screen(case):
    truth = Truth(OLD)
    arena = truth.named("huge4g")
    page = arena.pages[0]
    ran = case.run("-f", "page 0 line 0", "-m", "huge4g", vmcore(case, OLD))
    lines = ran.out.decode().splitlines()
    equal(lines[0], "     ID   PGOFF           USER           KERNEL", "heading")
    equal(lines[1].split(), [str(arena.id), "0", "%x" % (page.user + 16),
                             "%x" % (page.kernel + 16)], "first hit")


@test
def options_of_searching_that_make_no_sense(case):
    path = vmcore(case, OLD)
    for options in (("-f", ""), ("-f", "256", "-8"), ("-f", "12g"), ("-f", '"open'),
                    ("-f", "1", "-p"), ("--unaligned",), ("--refs", "x"), ("--refs", "8", "-8"),
                    ("-f", "1", "--refs", "1"), ("-f", "1", "--max-pages", "1"),
                    ("-f", "1", "-l", "8"), ("-f", "a" * 257)):
        ran = case.run(*options, path, status=2)
        equal(ran.out, b"", "stdout of %s" % " ".join(options))
        expect(ran.err, "no sentence")
