# SPDX-License-Identifier: GPL-2.0-or-later
"""What arenasnap says about a whole dump, against the truth of its guest."""

import itertools
import json
import os
import re
import sys
import zlib

import cuts
from harness import (ARENASNAP, GUEST, Skip, Wrong, arenasnap, expect, hold_against_schema,
                     one_object, run, scratch_dir)

CODES = {"excluded", "absent", "cut", "damaged", "unknown_type", "unsupported", "limit", "worker",
         "io", "nomem"}


def against_truth(dump, output, pages=None):
    """check-truth.py on a file; its summary, or Wrong with the first difference"""
    argv = [sys.executable, os.path.join(GUEST, "check-truth.py"), "--max", "3"]
    if pages:
        argv += ["--pages", pages]
    if "lossy" in dump.tags or "tables" in dump.tags or ("holes" in dump.tags and pages):
        argv += ["--allow-lost"]
    ran = run(argv + [dump.truth, output], limit=600)
    lines = ran.out.decode().splitlines()
    if ran.status:
        raise Wrong("; ".join(lines) or ran.first_error())
    if "lossy" not in dump.tags:        # what is allowed to be lost are contents, and errors
        found = re.match(r"arenas (\d+) of (\d+), pages (\d+) of (\d+),", lines[-1])
        expect(found and found[1] == found[2] and found[3] == found[4], "%s", lines[-1])
    return lines[-1].split(", fields")[0]


def losses_are_named(doc):
    """Of a dump that a filter took pages from: nothing is lost without a word"""
    expect(doc["errors"], "lossy, but no error")
    for error in doc["errors"]:
        expect(error["code"] in CODES, "error code %s", error["code"])
        expect(error["text"].strip(), "an error without a text")
    named = {error["map"] for error in doc["errors"]} | {error["arena"] for error in doc["errors"]}
    for arena in doc["arenas"]:
        who = "arena %s" % arena["id"]
        if arena["truncated"]:
            expect(arena["lost"], "%s: truncated, but nothing in lost", who)
        for lost in arena["lost"]:
            expect(lost["code"] in CODES and lost["text"], "%s: lost without a reason", who)
        if arena["unknown"] and "name" not in arena["unknown"] and arena["id"] is not None:
            expect(arena["map"] in named or arena["id"] in named, "%s: unknown %s, but no error",
                   who, arena["unknown"])
    # rows without a struct are told together
    lost = sum("name" in arena["unknown"] for arena in doc["arenas"])
    told = [re.match(r"(\d+) arenas? (?:is|are) listed without (?:its|their) struct", error["text"])
            for error in doc["errors"]]
    told = [int(found[1]) for found in told if found]
    expect(told == [lost] * bool(lost), "%d arenas without a struct, told are %s", lost, told)


def holes_are_zeros(dump, doc):
    """An ELF core without its pages of zeros: only those are not stored"""
    zeros = "0x%08x" % zlib.crc32(bytes(doc["page_size"]))
    crc = {(arena["id"], r["pgoff"] + i): c for arena in dump.load_truth()["arenas"]
           for r in arena["runs"] for i, c in enumerate(r["crc32"])}
    missing = [(arena["id"], page["pgoff"]) for arena in doc["arenas"] for page in arena["pages"]
               if page["stored"] is False and page["kind"] != "scratch"]
    expect(missing, "no page is left out: this dump is no test")
    for place in missing:
        expect(crc.get(place) == zeros, "arena %s: page %s is not stored, and no page of zeros",
               *place)


def tables_are_told(doc):
    """An ELF core without its page tables of zeros, thousands on 7.0 and later: told once"""
    expect(doc["status"] == "partial", "status %s", doc["status"])
    # -o names the contents that are not stored too, arena by arena
    told = [error for error in doc["errors"] if ": contents of " not in error["text"]]
    expect(len(told) == 1 and told[0]["arena"] is None, "%d errors, not 1 for the dump: %s",
           len(told), told[:2])
    expect(any(arena["truncated"] for arena in doc["arenas"]), "no arena is truncated")
    losses_are_named(doc)


def status_is_right(dump, ran, doc):
    if "holes" in dump.tags:
        holes_are_zeros(dump, doc)
    if "tables" in dump.tags:
        tables_are_told(doc)
        return
    if "lossy" in dump.tags:
        expect(ran.status == 1, "lossy, but status %d", ran.status)
        losses_are_named(doc)
        return
    expect(ran.status == 0, "status %d: %s", ran.status, ran.first_error())
    expect(doc["errors"] == [], "errors: %s", doc["errors"][:1])
    expect(not ran.err, "on stderr: %s", ran.first_error())


def untouched(function, dump):
    """The dump is never at risk"""
    before = [os.stat(path) for path in dump.parts]
    result = function(dump)
    for path, was in zip(dump.parts, before):
        now = os.stat(path)
        expect((was.st_size, was.st_mtime_ns) == (now.st_size, now.st_mtime_ns),
               "%s was written to", path)
    return result


def answered(ran):
    """The same run, if it is an answer at all"""
    expect(ran.status != 3, "status 3: %s", ran.first_error())
    return ran


def json_is_true(dump):
    """-j with pages: equal to the truth; without: the same but for pages"""
    with scratch_dir() as tmp:
        ran = answered(arenasnap("-j", "-p", *dump.parts))
        doc = one_object(ran, "-j -p")
        output = os.path.join(tmp, "out.json")
        with open(output, "wb") as f:
            f.write(ran.out)
        summary = against_truth(dump, output)
    status_is_right(dump, ran, doc)
    short = arenasnap("-j", *dump.parts)
    for arena in doc["arenas"]:
        arena.pop("pages")
    expect(one_object(short, "-j") == doc, "-j differs from -j -p in more than pages")
    return "%s, %.2f s CPU, %d KiB" % (summary, short.cpu, short.peak_kb)


def places(truth, most=6):
    """Arenas of the truth, each with a mapped page of it that is the arena's own, spread out"""
    has = [(arena, arena["runs"][-1]) for arena in truth["arenas"]
           if arena["runs"] and int(arena["user_vm_start"], 0)]
    return has[::max(1, len(has) // most)]


def addresses_are_true(dump):
    """-a: a user address, its low half and its kernel address lie where the guest had them"""
    truth, asked = dump.load_truth(), 0
    size = truth["page_size"]
    for arena, run_of in places(truth):
        start = int(arena["user_vm_start"], 0)
        low = (start + run_of["pgoff"] * size + 8) & 0xffffffff
        user = start >> 32 << 32 | low
        for form, address in (("user", user), ("low32", low),
                              ("kernel", int(arena.get("kern_vm_start", "0"), 0) + low)):
            if form == "kernel" and address == low:
                continue
            ran = answered(arenasnap("-j", "-a", "%x" % address, *dump.parts))
            told = {a["id"]: a["address"] for a in one_object(ran, "-a")["arenas"]}
            expect(arena["id"] in told, "%x is not in arena %d", address, arena["id"])
            told = told[arena["id"]]
            got = told["form"], told["pgoff"], told["offset"], told["user"], told["phys"]
            want = (form, run_of["pgoff"], 8, "0x%x" % user, "0x%x" % (int(run_of["phys"], 0) + 8))
            expect(got == want, "-a %x: %s, not %s", address, got, want)
            asked += 1
    expect(asked, "no address was asked for")
    return "%d addresses" % asked


def site_is_true(truth, strong):
    """The base of the window and the address are in registers of that CPU, and nothing else is"""
    base, address = int(truth["base"], 0), int(truth["address"], 0)
    values = {"base": base, "user": address, "kernel": base + (address & 0xffffffff)}
    for hit in strong:
        expect((hit["cpu"], hit["arena"]) == (truth["cpu"], truth["arena"]) and
               int(hit["value"], 0) == values[hit["form"]], "hit %s", hit)
        expect(hit["form"] == "base" or (hit["pgoff"], hit["offset"], hit["page"]) ==
               (truth["pgoff"], truth["offset"], "page"), "hit %s", hit)
    forms = {hit["form"] for hit in strong}
    expect({"base", "user"} <= forms, "no register has the base, or the address: %s", strong)


def oops_is_true(truth, strong):
    """The log has the kernel address of a page that was taken away, and so has a register"""
    for hit in strong:
        expect(hit["arena"] == truth["arena"] and hit["form"] == "kernel" and
               hit["pgoff"] < truth["oops_pages"] and hit["page"] == "not_mapped", "hit %s", hit)
    expect({"log", "prstatus"} == {hit["source"] for hit in strong} and
           len({hit["value"] for hit in strong}) == 1, "hits: %s", strong)


def crash_is_told(dump):
    """crash of JSON: the CPU that was in an arena, and of the others nothing"""
    truth = dump.load_truth()
    doc = one_object(answered(arenasnap("-j", *dump.parts)), "-j")
    crash = doc["crash"]
    strong, oopses = [hit for hit in crash["hits"] if hit["strong"]], 0
    if truth.get("crash"):
        site_is_true(truth["crash"], strong)
    elif truth.get("scheduler", {}).get("oops_pages"):
        oopses = 1
        oops_is_true(truth["scheduler"], strong)
    else:
        expect(not strong, "strong hits: %s", strong[:1])
    expect(crash["registers"] == "prstatus" and crash["cpus"], "no registers: %s", crash)
    log = crash["log"]
    if not log and dump.name.startswith("repo:"):
        return "no log: reduced before logs were read"
    expect(log, "no log: %s", crash["no_log"])
    expect(log["records"] > 50 and log["lost"] == 0 and log["oopses"] == oopses and not log["more"],
           "log: %s", log)
    return "%d CPUs, %d records of the log" % (crash["cpus"], log["records"])


def memory_is_true(dump):
    """-r and -w: pages by a user address and by its kernel address have the guest's checksums"""
    truth, asked = dump.load_truth(), 0
    size = truth["page_size"]
    for arena, run_of in places(truth):
        low = int(arena["user_vm_start"], 0) + run_of["pgoff"] * size
        kernel = int(arena.get("kern_vm_start", "0"), 0)
        for address in [low] + [kernel + (low & 0xffffffff)] * bool(kernel):
            which = ["-m", str(arena["id"]), "-r", "%x" % address, "-l", str(size)]
            told = one_object(answered(arenasnap("-j", *which, *dump.parts)), "-r")
            pieces = told["arenas"][0]["read"]["pieces"]
            expect([p["n"] for p in pieces] == [size], "-r %x: %.200s", address, pieces)
            data = bytes.fromhex(pieces[0]["data"])
            expect(zlib.crc32(data) == int(run_of["crc32"][0], 0), "-r %x: checksum", address)
            with scratch_dir() as tmp:
                out = os.path.join(tmp, "bytes")
                answered(arenasnap("-w", out, *which, *dump.parts))
                with open(out, "rb") as f:
                    expect(f.read() == data, "-w %x: other bytes than -j", address)
            asked += 1
    expect(asked, "no page was read")
    return "%d pages" % asked


def check_of_arena(arena, told, size, whole, parts):
    """-c of one arena against what the guest did to it"""
    who, check = "arena %s %s" % (told["id"], arena["name"]), told["check"]
    expect(check["verdict"] != "damaged", "%s is damaged: %s", who, check["evidence"][:2])
    if not whole:
        return
    expect(check["verdict"] in ("consistent", "in_flight"), "%s is %s: %s", who, check["verdict"],
           check["evidence"][:2])
    if check["verdict"] == "in_flight":     # it was caught in a change: nothing is told of that
        return
    pages = {r["pgoff"] + i for r in arena["runs"] for i in range(r["n"])}
    alloc = {r["pgoff"] + i: r["alloc"] for r in check["ranges"] if r["page"] == "page"
             for i in range(r["n"])}
    expect(pages <= set(alloc), "%s: no such pages: %s", who, sorted(pages - set(alloc))[:4])
    free = [pgoff for pgoff in pages if alloc[pgoff] == "free"]
    expect(not free, "%s: mapped, but free: %s", who, free[:4])
    # of a scheduler's arena the guest knows how many pages there are, not which
    inside = arena["mapped"] if arena.get("live") else \
        sum(pgoff < arena["max_entries"] for pgoff in pages)
    held = [(r["pgoff"], r["n"]) for r in arena.get("reserved") or []]
    got = [(r["pgoff"], r["n"]) for r in check["reserved"]]
    if arena.get("reserved") is not None:
        expect(got == held, "%s: reserved are %s, not %s", who, got, held)
    elif arena.get("scratch_reserved") is not None:
        expect(got == [(arena["scratch_reserved"], 1)] and
               [e["code"] for e in check["evidence"]] == ["scratch_allocated"], "%s: %s, %s", who,
               got, check["evidence"][:2])
    elif arena["name"] != "reserve":
        expect(not got, "%s: reserved are %s", who, got)
    if not arena.get("scratch") and (inside or not arena.get("live")):
        expect(check["allocated"] == inside + check["reserved_pages"], "%s: %s allocated", who,
               check["allocated"])
    for pgoff, n in held:
        address = int(arena["user_vm_start"], 0) + (pgoff + n - 1) * size
        ran = answered(arenasnap("-j", "-a", "%x" % address, *parts))
        at = {a["id"]: a["address"] for a in one_object(ran, "-a")["arenas"]}[told["id"]]
        expect(at["alloc"] == "allocated" and at["page"] != "page", "-a %x: %s", address, at)
    expect(check["full"] == (check["allocated"] == arena["max_entries"]), "%s: full %s", who,
           check["full"])


def checks_are_true(dump):
    """-c: healthy guests are never damaged, and what is held is what the guest held"""
    truth = {a["id"]: a for a in dump.load_truth()["arenas"]}
    doc = one_object(answered(arenasnap("-j", "-c", *dump.parts)), "-c")
    hold_against_schema(doc, "-c")
    # recorded dumps were reduced before there was a check: their trees are not there
    whole = not {"lossy", "tables", "nocontents", "reduced"} & set(dump.tags) and \
        doc["status"] == "complete"
    verdicts = {}
    for told in doc["arenas"]:
        if told["id"] in truth:
            check_of_arena(truth[told["id"]], told, doc["page_size"], whole, dump.parts)
        verdict = told["check"]["verdict"]
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
    expect("damaged" not in verdicts, "%s", verdicts)
    return ", ".join("%d %s" % (n, verdict) for verdict, n in sorted(verdicts.items()))


def users_are_true(dump):
    """-u: programs, mappings and descriptors are those that the guest told; no other loses references"""
    with open(dump.truth) as f:
        truth = json.load(f)
    doc = one_object(answered(arenasnap("-j", "-u", *dump.parts)), "-u")
    hold_against_schema(doc, "-u")
    found = {arena["id"]: arena["users"] for arena in doc["arenas"] if arena.get("users")}
    programs = incomplete = 0
    for told in truth["arenas"]:
        users, who = found.get(told["id"]), "arena %s" % told["id"]
        if users is None:
            expect("lossy" in dump.tags, "%s: no users", who)
            continue
        if not (users["programs_complete"] and users["processes_complete"]):
            # reduced before this was asked, or by a filter: said, and nothing is made up
            expect(doc["status"] == "partial" and users["unexplained"] is None, "%s: %s", who,
                   users)
            expect({p["id"] for p in users["programs"]} <= set(told["progs"]) and
                   {p["pid"] for p in users["processes"] if p["mappings"]} <=
                   {vma["pid"] for vma in told["vmas"]}, "%s: %s", who, users)
            incomplete += 1
            continue
        mapped = sorted(p["pid"] for p in users["processes"] if p["mappings"])
        maps = told.get("processes")
        maps = told["vmas"] if maps is None else [p for p in maps if p["maps"]]
        expect(sorted({p["pid"] for p in maps}) == mapped or "lossy" in dump.tags,
               "%s is mapped by %s", who, mapped)
        ids = [program["id"] for program in users["programs"]]
        want = sorted(p["id"] if isinstance(p, dict) else p for p in told["progs"])
        expect(ids == want or "lossy" in dump.tags, "%s: programs %s, not %s", who, ids, want)
        held = any(p["descriptors"] for p in users["processes"])
        expect(held == told["fd_open"] or "lossy" in dump.tags, "%s: descriptor %s", who, held)
        # a CPU that does not leave a program lets no reference go
        if "lossy" not in dump.tags and "arenas.sched_error=" not in truth["cmdline"]:
            # the guest leaves one arena to bpffs, or to a program, without a descriptor
            pinned = told.get("pinned", not told["fd_open"] and not told["vmas"] and not want)
            expect(users["unexplained"] == users["unexplained_users"] == pinned,
                   "%s: %s references are not explained", who, users["unexplained"])
        programs += len(ids)
    expect(not incomplete or dump.name.startswith("repo:") or "lossy" in dump.tags,
           "users of %d arenas are not all known", incomplete)
    return "users of %d arenas, %d programs; %d not complete" % (len(found), programs, incomplete)


def hits_are_all(dump):
    """-f: a word of a page is found where it is in the files of -o, and nowhere else"""
    truth, asked = dump.load_truth(), 0
    size, pages = truth["page_size"], {}
    with scratch_dir() as tmp:
        out = os.path.join(tmp, "out")
        answered(arenasnap("-o", out, *dump.parts, limit=600))
        for arena in truth["arenas"]:
            with open(os.path.join(out, "%d.bin" % arena["id"]), "rb") as f:
                for run_of in arena["runs"]:
                    for i in range(run_of["n"]):
                        f.seek((run_of["pgoff"] + i) * size)
                        page = pages[arena["id"], run_of["pgoff"] + i] = f.read(size)
                        if i < len(run_of["crc32"]):
                            expect(zlib.crc32(page) == int(run_of["crc32"][i], 0), "checksum")
    for arena, run_of in places(truth, 3):
        page = pages[arena["id"], run_of["pgoff"]]
        # not one that fills pages, as zeros do: each hit is held against the schema
        words = [page[at:at + 8] for at in range(0, size, 8) if any(page[at:at + 8])]
        if not words:
            continue
        word = min(words, key=page.count)
        value = "0x%x" % int.from_bytes(word, "little")
        want = {(where, at) for where, page in pages.items()
                for at in range(0, size, 8) if word in page and page[at:at + 8] == word}
        told = one_object(answered(arenasnap("-j", "-f", value, *dump.parts, limit=600)), "-f")
        # what a scheduler has in its pages the guest does not know
        live = {arena["id"] for arena in truth["arenas"] if arena.get("live")}
        got = {((a["id"], hit["pgoff"]), hit["offset"]) for a in told["arenas"]
               for hit in a["found"] if a["id"] not in live or (a["id"], hit["pgoff"]) in pages}
        expect(got == want, "-f %s: %d hits, not %d: %s", value, len(got), len(want),
               sorted(got ^ want)[:3])
        asked += len(want)
    expect(asked, "nothing was found")
    return "%d hits" % asked


def contents_are_true(dump):
    """-o: snapshot.json and the pages of each arena"""
    with scratch_dir() as tmp:
        out = os.path.join(tmp, "out")
        ran = answered(arenasnap("-o", out, *dump.parts, limit=600))
        snapshot = os.path.join(out, "snapshot.json")
        summary = against_truth(dump, snapshot, out)
        with open(snapshot, encoding="utf-8") as f:
            doc = json.load(f)
        hold_against_schema(doc, "snapshot.json")
        if "holes" in dump.tags:        # contents were asked for
            expect(ran.status == 1, "pages are not stored, but status %d", ran.status)
            expect(ran.err, "pages are not stored, and not a word about it")
        else:
            status_is_right(dump, ran, doc)
        strange = [name for name in os.listdir(out)
                   if name != "snapshot.json" and not name.endswith(".bin")]
        expect(not strange, "left in the folder: %s", strange)
    return summary


def list_is_plain(dump):
    """The list: one line for each arena, within 80 columns"""
    doc = one_object(answered(arenasnap("-j", *dump.parts)), "-j")
    ran = arenasnap(*dump.parts)
    lines = ran.out.decode("utf-8").splitlines()
    wide = [line for line in lines if len(line) > 80]
    expect(not wide, "wider than 80 columns: %s", wide[:1])
    # what the crash has to do with arenas is above it
    if any(hit["strong"] for hit in doc["crash"]["hits"]):
        lines = lines[lines.index("") + 1:]
    expect(len(lines) == len(doc["arenas"]) + 1, "%d lines for %d arenas", len(lines),
           len(doc["arenas"]))
    want = {"complete": 0, "partial": 1, "failed": 3}[doc["status"]]
    expect(ran.status == want, "status %d, with -j %d", ran.status, want)


def none_is_an_answer(dump):
    """A kernel without arenas: status 0 and a sentence"""
    ran = arenasnap(dump.path)
    text = ran.out.decode("utf-8").splitlines()
    expect(ran.status == 0, "status %d: %s", ran.status, ran.first_error())
    expect(len(text) == 1 and "arena" in text[0], "no clear sentence: %r, %s", text,
           ran.first_error())
    doc = one_object(arenasnap("-j", dump.path), "-j")
    expect(doc["arenas"] == [] and doc["errors"] == [] and doc["status"] == "complete",
           "-j: arenas %s, errors %s, status %s", doc["arenas"], doc["errors"], doc["status"])
    return text[0]


def reduced_answers_the_same(dump):
    """--reduce: a small kdump with the same answers, contents included"""
    with scratch_dir() as tmp:
        small = os.path.join(tmp, "small")
        ran = run([ARENASNAP, "--reduce", small, *dump.parts], limit=600)
        if ran.status == 2 and not os.path.exists(small):
            raise Skip("this arenasnap has no --reduce")
        expect(ran.status in (0, 1), "--reduce: status %d: %s", ran.status, ran.first_error())
        docs = [one_object(answered(arenasnap("-j", "-p", *paths)), paths[0])
                for paths in (dump.parts, [small])]
        for doc in docs:
            doc.pop("vmcore")
        expect(docs[0]["crash"] == docs[1]["crash"], "crash: %s",
               first_difference(docs[0]["crash"], docs[1]["crash"]))
        expect(docs[0]["arenas"] == docs[1]["arenas"], "arenas: %s",
               first_difference(docs[0]["arenas"], docs[1]["arenas"]))
        expect(docs[0]["status"] == docs[1]["status"], "status %s, reduced %s", docs[0]["status"],
               docs[1]["status"])
        docs = [one_object(answered(arenasnap("-j", "-c", *paths)), paths[0])
                for paths in (dump.parts, [small])]
        expect(docs[0]["arenas"] == docs[1]["arenas"], "-c: %s",
               first_difference(docs[0]["arenas"], docs[1]["arenas"]))
        out = os.path.join(tmp, "out")
        arenasnap("-o", out, small, limit=600)
        against_truth(dump, os.path.join(out, "snapshot.json"), out)
        return "%.1f of %.1f MiB" % (os.path.getsize(small) / 2**20,
                                     sum(map(os.path.getsize, dump.parts)) / 2**20)


def parts_are_one(dump):
    """Parts of a split set: in any order one vmcore; without one of them not the whole"""
    docs = []
    for order in itertools.permutations(dump.parts):
        doc = one_object(answered(arenasnap("-j", "-p", *order)), "all parts")
        expect(doc.pop("vmcore") == order[0], "named otherwise than by the first part")
        docs.append(doc)
        expect(doc == docs[0], "order %s: %s", order, first_difference(docs[0], doc))
    for n in range(1, len(dump.parts)):
        for some in itertools.combinations(dump.parts, n):
            ran = arenasnap("-j", "-p", *some)
            doc = one_object(ran, "parts")
            expect(ran.status in (1, 3), "a part is missing, but status %d", ran.status)
            expect(any(error["code"] == "cut" and "part" in error["text"]
                       for error in doc["errors"]), "a part is missing: %s", doc["errors"][:2])
            with scratch_dir() as tmp:
                for arena in doc["arenas"] or []:
                    cuts.arena_is_true(arena, cuts.Truth(dump.load_truth()), tmp)
    return "%d parts, %d orders" % (len(dump.parts), len(docs))


def variants_agree(dumps):
    """The formats of one crash: the same but for the name of the file"""
    first = None
    with scratch_dir() as tmp:
        small = os.path.join(tmp, "small")
        ran = run([ARENASNAP, "--reduce", small, dumps[0].path], limit=600)
        expect(ran.status == 0, "--reduce: status %d: %s", ran.status, ran.first_error())
        for name, parts in [(dump.name, dump.parts) for dump in dumps] + [("reduced", [small])]:
            doc = one_object(answered(arenasnap("-j", "-p", *parts)), name)
            doc.pop("vmcore")
            first = first or doc
            expect(doc == first, "%s differs from %s: %s", name, dumps[0].name,
                   first_difference(first, doc))
    return "%d formats" % (len(dumps) + 1)


def many_at_once(dumps):
    """Several vmcores: a line each, in the order of the arguments"""
    paths = [dump.path for dump in dumps]
    ran = arenasnap("-j", *paths, limit=300)
    docs = [json.loads(line) for line in ran.out.decode("utf-8").splitlines()]
    expect([doc["vmcore"] for doc in docs] == paths, "order: %s", [doc["vmcore"] for doc in docs])
    for path, doc in zip(paths, docs):
        expect(one_object(arenasnap("-j", path), path) == doc, "%s: other than alone", path)
    expect(arenasnap("-j", "--jobs", "2", *paths, limit=300).out == ran.out, "--jobs 2 differs")
    return "%d vmcores" % len(paths)


def first_difference(a, b, where=""):
    """The place of the first difference of two JSON values"""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in list(a) + [key for key in b if key not in a]:
            if key not in a or key not in b or a[key] != b[key]:
                return first_difference(a.get(key), b.get(key), "%s.%s" % (where, key))
    if isinstance(a, list) and isinstance(b, list):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return first_difference(x, y, "%s[%d]" % (where, i))
        return "%s: %d entries, %d entries" % (where, len(a), len(b))
    return "%s: %.80r, %.80r" % (where, a, b)
