# SPDX-License-Identifier: GPL-2.0-or-later
"""What the command answers in crash, against the guest's truth and against arenasnap."""

import json
import os
import subprocess

from answers import first_difference, places
from cli_dumps import Arena, Memory, vmcore
from crash_session import (File, ask, hold, hold_doc_to_truth, hold_truth, json_of, need,
                           without_symbols)
from harness import ARENA_SO, Skip, Wrong, arenasnap, expect, one_object, scratch_dir
from in_crash import need_crash

HERE = os.path.dirname(os.path.abspath(__file__))


def truth_of(dump):
    with open(need(dump.truth), encoding="utf-8") as f:
        told = json.load(f)
    return [Arena(arena, told["page_size"]) for arena in told["arenas"]]


def list_is_true(dump, lines):
    """The list's lines, by the guest's truth"""
    rows = {int(row[0]): row for row in (line.split(None, 6) for line in lines[1:])}
    truth = truth_of(dump)
    expect(sorted(rows) == [arena.id for arena in truth] and len(lines) == len(truth) + 1,
           "ids of the list: %s", sorted(rows))
    for a in truth:
        _, bpf_map, user, mapped, declared, flags, name = rows[a.id]
        want = (a.user_vm_start, a.count("page"), a.declared, a.flags or "-", a.name or "-")
        got = (int(user, 16), int(mapped), int(declared), flags, name)
        expect(got == want, "arena %d: truth %s, list %s", a.id, want, got)
        expect(a.map in (None, int(bpf_map, 16)), "arena %d: map %s", a.id, bpf_map)


def pages_are_true(dump, lines):
    """The lines of -p, by the guest's truth"""
    got = {}
    for line in lines:
        row = line.split()
        if len(row) == 7 and row[0].isdigit():
            got.setdefault(int(row[0]), []).append(row[1:])
    for a in truth_of(dump):
        rows = got.pop(a.id, [])
        expect(len(rows) == len(a.pages), "arena %d: %d pages, not %d", a.id, len(rows),
               len(a.pages))
        for page, (pgoff, user, kernel, phys, kind, stored) in zip(a.pages, rows):
            want = (page.pgoff, page.user, page.kernel, page.phys, page.kind)
            told = (int(pgoff), int(user, 16), int(kernel, 16) if page.kernel else None,
                    int(phys, 16) if page.phys else None, kind)
            expect(told == want and (page.kind == "scratch" or stored == "yes"),
                   "arena %d: truth %s, line %s %s", a.id, want, told, stored)
    expect(not got, "pages of arenas that are not: %s", sorted(got))


def fields_are_true(dump, lines):
    """What -v says of each arena, by the guest's truth"""
    blocks, key_value = [], {}
    for line in lines + [""]:
        key, colon, value = line.partition(":")
        if colon:
            key_value[key.strip()] = value.strip()
        elif not line.strip() and key_value:
            blocks.append(key_value)
            key_value = {}
    by_id = {int(block["id"]): block for block in blocks if "id" in block}
    for a in truth_of(dump):
        block = by_id.get(a.id)
        expect(block, "-v has no arena %d", a.id)
        want = (a.max_entries, a.map_extra, a.user_vm_start, a.user_vm_end, a.count("page"),
                a.count("scratch"), a.count("outside"))
        got = (int(block["max_entries"]), int(block["map_extra"], 16),
               int(block["user_vm_start"], 16), int(block["user_vm_end"], 16),
               int(block["mapped"]), int(block["scratch"]), int(block["outside"]))
        expect(got == want, "arena %d: truth %s, -v %s", a.id, want, got)


def holes(path):
    """Size, and where data begins and ends; blocks would have the file system's own, too"""
    size, places = os.stat(path).st_size, [0]
    with open(path, "rb") as f:
        while places[-1] < size:
            try:
                data = os.lseek(f.fileno(), places[-1], os.SEEK_DATA)
            except OSError:     # none from there on
                break
            places += [data, os.lseek(f.fileno(), data, os.SEEK_HOLE)]
    return size, places


def text_and_files(version, release, dump):
    """arena, -v, -p, --runs, -m, -j and -o: true, and the same as arenasnap's"""
    asked = [[], ["-v"], ["-p"], ["-p", "--runs", "--no-headings"], ["-m", "twin"],
             ["-p", "--max-pages", "2", "-m", "twin", "-m", "dense"]]
    with open(dump.truth, encoding="utf-8") as f:
        told = json.load(f)
    arena, run_of = places(told)[-1]
    start = int(arena["user_vm_start"], 0)
    # a user address, and a low half
    asked += [["-a", "%x" % address] for address in (start, (start & 0xffffffff) + 8)]
    page = start + run_of["pgoff"] * told["page_size"]
    asked += [["-r", "%x" % (page + 5), "-l", str(told["page_size"] - 8), "-%d" % width]
              for width in (8, 16, 32, 64)]
    asked += [["-f", "arena %d" % arena["id"], "-m", str(arena["id"])],
              ["-f", "0x%x" % arena["id"], "-32", "--unaligned", "-m", str(arena["id"])],
              ["--refs", "%x" % page]]
    by_address = ["-j", "-a", "%x" % (start + 8)]
    with scratch_dir() as tmp:
        there, here = os.path.join(tmp, "crash"), os.path.join(tmp, "batch")
        *texts, lies, checked, short, told, _ = ask(version, release, dump,
                                     *[" ".join(["arena"] + a) for a in asked],
                                     " ".join(["arena"] + by_address), "arena -j -c",
                                     "arena -j", "arena -j -p", "arena -o %s" % there)
        for options, text in zip(asked, texts):
            want = arenasnap(*options, dump.path).out.decode().splitlines()
            expect(text == want, "arena %s: %s", " ".join(options),
                   first_difference(want, text) if len(want) == len(text) else text[:2])
        list_is_true(dump, texts[0])
        fields_are_true(dump, texts[1])
        pages_are_true(dump, texts[2])
        hold(json_of(lies), one_object(arenasnap(*by_address, dump.path), "-j -a"))
        hold(json_of(checked), one_object(arenasnap("-j", "-c", dump.path), "-j -c"))
        hold(json_of(short), one_object(arenasnap("-j", dump.path), "-j"))
        hold(json_of(told), one_object(arenasnap("-j", "-p", dump.path), "-j -p"))
        arenasnap("-o", here, dump.path, limit=600)
        expect(sorted(os.listdir(there)) == sorted(os.listdir(here)), "files differ")
        for name in os.listdir(here):       # what is in them the truth knows
            expect(name == "snapshot.json" or holes(os.path.join(here, name)) ==
                   holes(os.path.join(there, name)), "%s differs in size or holes", name)
        with open(os.path.join(there, "snapshot.json"), encoding="utf-8") as f:
            hold(json.load(f), json_of(told))
        return hold_truth(dump, os.path.join(there, "snapshot.json"), there)


def losses_are_the_same(version, release, dump):
    """A dump that lost the kernel's own pages: all ways to arenas, and the same messages"""
    asked = [[], ["-v"], ["--scan", "-p"], ["-j", "-p"], ["-j", "--scan"]]
    got = ask(version, release, dump, *[" ".join(["arena"] + a) for a in asked])
    doc = json_of(got[3])
    expect(doc["status"] == "partial", "status %s", doc["status"])
    for options, text in zip(asked, got):
        ran = arenasnap(*options, dump.path)
        if "-j" in options:
            hold(json_of(text), one_object(ran, " ".join(options)))
            continue
        want = ran.out.decode().splitlines()
        for line in ran.err.decode().splitlines():
            want.append(line.replace("arenasnap: %s: " % dump.path, "arena: "))
        expect(text == want, "arena %s: %s", " ".join(options), first_difference(want, text)
               if len(want) == len(text) else text[-2:])
    expect(any("next time" in line for line in got[0]), "no cure: %s", got[0][-1:])
    with scratch_dir() as tmp:
        return hold_doc_to_truth(dump, doc, tmp, lost=True)


def true_here_alone(version, release, dump):
    """A dump of which only crash has the map"""
    with scratch_dir() as tmp:
        out = os.path.join(tmp, "out")
        told, text, _ = ask(version, release, dump, "arena -j -p", "arena", "arena -o " + out)
        doc = json_of(told)
        expect(doc["status"] == "complete", "errors: %s", doc["errors"])
        list_is_true(dump, text)
        hold_doc_to_truth(dump, doc, tmp)
        return hold_truth(dump, os.path.join(out, "snapshot.json"), out)


def parts_are_refused(version, release, dump):
    """All files of a --split set on crash's command line: crash mixes up pages, so no answer"""
    told, text, alive = ask(version, release, dump, "arena -j -p", "arena", "eval 7")
    doc = json_of(told)
    expect(doc["status"] == "failed" and doc["arenas"] is None and
           doc["errors"][0]["code"] == "unsupported", "answered: %s", doc["errors"])
    expect(len(text) == 1 and "split" in text[0] and "arenasnap" in text[0], "not said: %s", text)
    expect(any("decimal: 7" in line for line in alive), "the session does not live: %s", alive)


def crash_stands_in(version, release, whole, what):
    """The dump does not name its types or symbols: crash's do, and -v says so"""
    with scratch_dir() as tmp:
        dump = without_symbols(tmp, what)
        told, text = ask(version, release, dump, "arena -j -p", "arena -v -m one")
        hold(json_of(told), one_object(arenasnap("-j", "-p", whole.path), "-j -p"))
        for line, name in (("types:", "types"), ("symbols:", "symbols")):
            wanted = what in (name, "both")
            expect(any(line in x and ("vmlinux" in x) == wanted for x in text), "-v: %s", text[:8])


def does_crash_open(version, release, dump):
    """None, or the last that crash says before any command"""
    need_crash(version)
    try:
        ask(version, release, dump, "eval 7", extension="-s")
        return None
    except Wrong as why:
        return str(why)


def wrong_vmlinux(version, other, whole):
    """--minimal takes any vmlinux: it is told, and not believed"""
    told, text = ask(version, other, whole, "arena -j -p", "arena")
    hold(json_of(told), one_object(arenasnap("-j", "-p", whole.path), "-j -p"))
    expect(any("another kernel" in line for line in text), "not a word: %s", text[-1:])
    with scratch_dir() as tmp:
        refused = []
        for what in ("types", "symbols"):
            dump = without_symbols(tmp, what)
            if does_crash_open(version, other, dump) is not None:
                # where the wrong vmlinux has crash's variables there is a hole: not ours
                refused.append("the one without " + what)
                continue
            told, text = ask(version, other, dump, "arena -j", "arena")
            doc = json_of(told)
            expect(doc["status"] == "failed" and doc["arenas"] is None, "answered: %s", doc)
            expect("another kernel" in doc["errors"][0]["text"] and
                   any("another kernel" in line for line in text), "not said: %s", text)
    if refused:
        return "crash without arena.so does not open " + " nor ".join(refused)


class Setup:
    """What cli_dumps.Memory asks of a test case: nothing, for a dump that is not packed"""


class Losses:
    """Pages of a recorded dump that a filter could take, and what goes with them"""

    def __init__(self, name):
        self.memory, self.path = Memory(Setup(), name), vmcore(None, name)
        self.arenas = self.memory.truth.arenas
        self.block = self.memory.kdump.block

    def nodes(self):
        """map_idr: (physical address, shift, ids that its slots hold), the root first"""
        kdump, read = self.memory.kdump, self.memory.kdump.u64
        todo = [(read(self.memory.truth.image_phys("map_idr") + 8), 0)]
        while todo:
            entry, first = todo.pop()
            node = self.memory.linear(entry & ~3)
            # struct xa_node: slots behind shift, offset, count, nr_values, parent, array, list
            shift = kdump.read(node, 1)[0]
            slots = [read(node + 40 + 8 * i) for i in range(64)]
            if shift:
                todo += [(slot, first + (i << shift)) for i, slot in enumerate(slots)
                         if slot & 3 == 2]
            yield node, shift, [] if shift else [first + i for i, s in enumerate(slots) if s]

    def leaf(self):
        """A page that is of one leaf alone, and the ids there. A node may lie on two pages."""
        pages = [({node // self.block, (node + 575) // self.block}, shift, ids)
                 for node, shift, ids in self.nodes()]
        maps = sum(len(ids) for _, _, ids in pages)
        expect(maps >= 65, "only %d maps", maps)
        arenas = {arena.id for arena in self.arenas}
        for i, (mine, shift, ids) in enumerate(pages):
            others = set().union(*[p for j, (p, _, _) in enumerate(pages) if j != i])
            here = arenas & set(ids)
            if not shift and here and here != arenas and mine - others:
                return min(mine - others), here
        raise Skip("no leaf of map_idr has a page to itself in this dump")

    def table(self, level):
        """A page-table page of the arena with most pages: its last level, or the one above"""
        dense = self.memory.truth.named("dense")
        gone = self.memory.tables(dense.pages[0].kernel)[level]
        lost = [page.pgoff for page in dense.pages
                if self.memory.tables(page.kernel)[level] == gone]
        return gone // self.block, dense.id, lost


def others_are_right(doc, whole, lost):
    """All arenas but those that are lost are, to the letter, as in the whole dump"""
    want = {arena["id"]: arena for arena in whole["arenas"] if arena["id"] not in lost}
    got = {arena["id"]: arena for arena in doc["arenas"]}
    for ident, arena in want.items():
        expect(ident in got, "arena %d is not there any more", ident)
        expect(got[ident] == arena, "arena %d: %s", ident, first_difference(arena, got[ident]))
    return len(want)


def names_page(doc, pfn, block, memory):
    """The errors name the page that is gone as excluded, by one of its addresses"""
    phys = pfn * block
    places = {"phys": phys, "virt": phys + memory.page_offset}
    return any(error["code"] == "excluded" and error["space"] in places and
               0 <= int(error["address"], 0) - places[error["space"]] < block
               for error in doc["errors"])


def lossy(version, release, name, which):
    """A page of tables, or a leaf of map_idr, is excluded: said, and the others are right"""
    losses = Losses(name)
    gone_pages = []
    if which == "leaf":
        pfn, lost = losses.leaf()
    else:
        pfn, dense, gone_pages = losses.table(-1 if which == "table" else -2)
        lost = {dense}
    whole = one_object(arenasnap("-j", "-p", losses.path), "-j -p")
    with scratch_dir() as tmp:
        dump = File(os.path.join(tmp, "vmcore"))
        dump.truth = losses.path + ".truth.json"
        losses.memory.kdump.save(dump.path, without={pfn})
        one = next(a for a in losses.arenas if a.id not in lost and a.pages)
        commands = ["arena -j -p", "arena", "arena -p -m %d" % one.id]
        answers = ask(version, release, dump, *commands)
        told, text, after = answers
        doc = json_of(told)
        hold(doc, one_object(arenasnap("-j", "-p", dump.path), "-j -p"))
        expect(doc["status"] == "partial", "status %s", doc["status"])
        expect(names_page(doc, pfn, losses.block, losses.memory),
               "page %#x is not named: %s", pfn * losses.block, doc["errors"][:2])
        expect(any("excluded" in line for line in text), "not said: %s", text[-2:])
        right = others_are_right(doc, whole, lost)
        expect(len([line for line in after if line.split()[:1] == [str(one.id)]]) ==
               len(one.pages), "the session does not live: %s", after[:3])
        hold_doc_to_truth(dump, doc, tmp, lost=True)
        if gone_pages:
            dense = next(arena for arena in doc["arenas"] if arena["id"] in lost)
            kept = {page.pgoff for page in losses.memory.truth.named("dense").pages}
            kept -= set(gone_pages)
            expect(dense["truncated"] and {p["pgoff"] for p in dense["pages"]} == kept,
                   "arena %d is not truncated", dense["id"])
        # crash then says that what was excluded is zeros
        zeros = ask(version, release, dump, "set zero_excluded on", *commands, "set zero_excluded")
        expect(zeros[1:-1] == answers, "zero_excluded: %s", zeros[2][-2:])
        expect(zeros[-1] == ["zero_excluded: on"], "zero_excluded is not put back: %s", zeros[-1])
        return "%d arenas right, %d lost in part or whole" % (right, len(lost))


def excluded_contents(version, release, name):
    """A page of an arena is excluded: never shown as zeros, with zero_excluded neither"""
    losses = Losses(name)
    page = losses.memory.truth.named("dense").pages[1]
    ident = losses.memory.truth.named("dense").id
    with scratch_dir() as tmp:
        dump = File(os.path.join(tmp, "vmcore"))
        losses.memory.kdump.save(dump.path, without={page.phys // losses.block})
        out = os.path.join(tmp, "out")
        told, said = ask(version, release, dump, "arena -j -p", "arena -o " + out,
                         options=(["--minimal", "--kaslr=auto", "--zero_excluded"]))
        expect(any("excluded" in line or "stored" in line for line in said[-2:]), "not said: %s",
               said[-2:])
        arena = next(a for a in json_of(told)["arenas"] if a["id"] == ident)
        stored = {p["pgoff"]: p["stored"] for p in arena["pages"]}
        expect(stored.pop(page.pgoff) is False and all(stored.values()), "stored: %s", stored)
        with open(os.path.join(out, "%d.bin" % ident), "rb") as f:
            at = page.pgoff * losses.block
            hole = os.lseek(f.fileno(), at, os.SEEK_HOLE)
        expect(hole == at, "what is not there is written as zeros")


def bomb(tmp):
    """An extension that ends other commands by error(FATAL)"""
    so = os.path.join(tmp, "bomb.so")
    header = os.environ.get("CRASH_INCLUDE") or "/usr/include/crash"
    need(os.path.join(header, "defs.h"))
    subprocess.run([os.environ.get("CC") or "gcc", "-w", "-shared", "-fPIC", "-I" + header, "-o", so,
                    os.path.join(HERE, "crash_bomb.c")], check=True)
    return so


def abandoned(version, release, dump):
    """crash leaves the command by longjmp, from the inside of a read: nothing stays behind"""
    with scratch_dir() as tmp:
        so, out = bomb(tmp), os.path.join(tmp, "out")
        commands = ["set zero_excluded on", "extend " + so, "bomb"]
        reads = [1, 30, 300] + list(range(1500, 3000, 60))
        for n in reads:
            commands += ["bomb %d %s" % (n, out), "arena -p -o " + out, "bomb",
                         "!ls -A %s 2>&1 | wc -l; rm -rf %s" % (out, out)]
        *answers, last = ask(version, release, dump, *commands, "arena")
        before, exploded, writing = answers[2], 0, 0
        for i in range(3, len(answers), 4):
            text, after, left = answers[i + 1:i + 4]
            if not any("bomb went off" in line for line in text):
                continue
            exploded += 1
            files = next(line for line in text if line.startswith("bomb: files"))
            writing += int(files.split(":")[-1]) > 1
            expect(after == before, "left behind: %s; was: %s", after, before)
            expect(left == ["1"], "files are left: %s", left)      # ls: no such folder
        expect(exploded >= 3 and writing, "the command was left %d times, %d of them while it "
               "wrote contents", exploded, writing)
        want = arenasnap(dump.path).out.decode().splitlines()
        expect(last == want, "arena does not answer any more: %s", last[-2:])
        expect("cleanup none, sigint crash's, zero_excluded on" in before[0], "%s", before)
        return "left %d times, %d of them with contents half written" % (exploded, writing)


def other_machine(version, release, dump):
    """In a crash that was built for another machine the command is not registered"""
    with scratch_dir() as tmp:
        # x86_64's crash for ARM64 loads extensions of x86_64; here crash is made to say it is one
        *_, refused, gone, _, again = ask(
            version, release, dump, "extend " + bomb(tmp), "extend -u " + ARENA_SO,
            "bomb machine ARM64", "extend " + ARENA_SO, "arena -m one", "bomb machine X86_64",
            "extend " + ARENA_SO, options=["--minimal", "--kaslr=auto"])
        expect(any("X86_64" in line and "ARM64" in line for line in refused), "not said: %s",
               refused)
        expect(any("not available" in line or "invalid" in line for line in gone),
               "it answers: %s", gone)
        expect(any("shared object loaded" in line for line in again), "not loaded again: %s", again)


def help_is_plain(version, release, dump):
    """help arena: all of it, within 80 columns; usage for what is no option"""
    text, misuse, batch = ask(version, release, dump, "help arena", "arena -x",
                              "arena --reduce small")
    joined = "\n".join(text)
    for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "--runs", "-o DIR",
                 "crash> arena -p huge4g"):
        expect(part in joined, "no %s in help arena", part)
    expect("%" not in joined, "a format is not filled in")
    wide = [line for line in text if len(line) > 80]
    expect(not wide, "wider than 80 columns: %s", wide[:1])
    expect(any(line.startswith("Usage:") for line in misuse) and
           any('"help arena"' in line for line in misuse), "arena -x: %s", misuse)
    expect(len(batch) == 1 and "arenasnap" in batch[0], "arena --reduce: %s", batch)
