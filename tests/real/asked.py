# SPDX-License-Identifier: GPL-2.0-or-later
"""What the guest made to be asked about (arenas.ask=1), against what it printed of it."""

import glob
import re

from answers import answered, check_of_arena
from harness import Skip, arenasnap, expect, one_object


def ask(dump, *options):
    return one_object(answered(arenasnap("-j", *options, *dump.parts)), " ".join(options))


def text(dump, *options):
    return answered(arenasnap(*options, *dump.parts)).out.decode("utf-8").splitlines()


def the_arena(truth, name):
    return next(arena for arena in truth["arenas"] if arena["name"] == name)


def pointers_are_found(dump):
    """--refs: each word that the guest stored points where it says, by any form of the address"""
    truth = dump.load_truth()
    size, arena = truth["page_size"], the_arena(truth, "pointers")
    base, kernel = int(arena["user_vm_start"], 0), int(arena["kern_vm_start"], 0)
    targets = {(w["target_pgoff"], w["target_offset"]) for w in arena["pointers"]}
    asked = 0
    for pgoff, offset in sorted(targets):
        user = base + pgoff * size + offset
        want = {(w["pgoff"], w["offset"], w["form"], w["target_offset"] == offset)
                for w in arena["pointers"] if w["target_pgoff"] == pgoff and
                (w["target_offset"] == offset or not offset)}
        for address in (user, kernel + (user & 0xffffffff), user & 0xffffffff):
            doc = ask(dump, "--refs", "%x" % address)
            told = {(a["id"], r["pgoff"], r["offset"], r["form"], r["exact"])
                    for a in doc["arenas"] for r in a["refs"] if r["arena"] == arena["id"]}
            expect(told == {(arena["id"], *w) for w in want}, "--refs %x: %s, not %s", address,
                   sorted(told), sorted(want))
            asked += 1
    expect(asked > 12, "only %d addresses were asked for", asked)
    return "%d words, %d addresses" % (len(arena["pointers"]), asked)


def values_are_found(dump):
    """-f: strings and numbers are where the guest put them, and in no other arena"""
    truth = dump.load_truth()
    arena = the_arena(truth, "pointers")
    for value in arena["values"]:
        options = ["-f", value.get("text") or value["number"]]
        same = [v for v in arena["values"] if v.get("text") == value.get("text") and
                v.get("number") == value.get("number")]
        aligned = [v for v in same if "text" in v or v["offset"] % v["size"] == 0]
        for extra, want in (([], aligned), (["--unaligned"], same)):
            doc = ask(dump, *options, *extra)
            told = [(a["id"], hit["pgoff"], hit["offset"]) for a in doc["arenas"]
                    for hit in a["found"]]
            expect(told == [(arena["id"], v["pgoff"], v["offset"]) for v in want], "%s: %s",
                   " ".join(options + extra), told)
    return "%d values" % len(arena["values"])


def ranges_are_held(dump):
    """-c: what is reserved and what is free is as the guest has it; all is consistent"""
    truth, n = dump.load_truth(), 0
    told = {a["id"]: a["check"] for a in ask(dump, "-c")["arenas"]}
    for arena in truth["arenas"]:
        check = told[arena["id"]]
        # sched_ext changes its own
        expect(check["verdict"] == "consistent" or arena.get("live"), "arena %d: %s", arena["id"],
               check)
        if arena.get("reserved") is None:
            continue
        got = [(r["pgoff"], r["n"]) for r in check["reserved"]]
        want = [(r["pgoff"], r["n"]) for r in arena["reserved"]]
        expect(got == want, "arena %d: reserved %s, not %s", arena["id"], got, want)
        free = sum(r["n"] for r in arena["free"])
        expect(check["free"] == free, "arena %d: %s free, not %d", arena["id"], check["free"], free)
        hole = max((r["n"] for r in arena["free"]), default=0)
        expect(check["largest_hole"] == hole, "arena %d: hole %s, not %d", arena["id"],
               check["largest_hole"], hole)
        n += len(want)
    return "%d reserved ranges" % n


def programs_of(truth, arena):
    keys = ("id", "name", "type", "tag", "uid", "load_time")
    known = {p["id"]: p for p in truth["programs"]}
    return [tuple(known[i][key] for key in keys) for i in arena["progs"]]


def users_are_told(dump):
    """-u: programs, processes and counts of references are those that the guest's kernel told"""
    truth = dump.load_truth()
    told = {a["id"]: a["users"] for a in ask(dump, "-u")["arenas"]}
    for arena in truth["arenas"]:
        users, who = told[arena["id"]], "arena %d" % arena["id"]
        got = [tuple(p[key] for key in ("id", "name", "type", "tag", "uid", "load_time"))
               for p in users["programs"]]
        expect(got == programs_of(truth, arena), "%s: programs %s", who, got)
        got = sorted((p["pid"], p["comm"], [[m["start"], m["end"]] for m in p["mappings"]],
                      p["descriptors"]) for p in users["processes"])
        want = sorted((p["pid"], p["comm"], p["maps"], p["fds"]) for p in arena["processes"])
        expect(got == want, "%s: processes %s, not %s", who, got, want)
        got = users["refcnt"], users["usercnt"], users["unexplained"], users["unexplained_users"]
        want = arena["refcnt"], arena["usercnt"], arena["pinned"], arena["pinned"]
        expect(got == want, "%s: references %s, not %s", who, got, want)
    return "%d programs, %d arenas" % (len(truth["programs"]), len(told))


PROGRAM = re.compile(r" +(\d+) \S+ +([0-9a-f]{16}) +(\d+) +\+(\d+\.\d{3}) (\S+)")
MAPPING = re.compile(r" +(\d+) maps +([0-9a-f]+)-([0-9a-f]+) +(\S+)")
DESCRIPTOR = re.compile(r" +(\d+) fd +(\d+) +(\S+)")


def users_of_lines(lines):
    """Of each arena of the table of -u: programs, mappings, descriptors, its first two lines"""
    told = {}
    for i, line in enumerate(lines):
        found = re.match(r"arena (\d+) ", line)
        if found:
            arena = told[int(found[1])] = ([], [], [], " ".join(lines[i:i + 2]))
        for kind, row in enumerate((PROGRAM, MAPPING, DESCRIPTOR)):
            found = row.fullmatch(line)
            if found:
                arena[kind].append(found.groups())
    return told


def users_table_is_true(dump):
    """-u as a table: the same programs, processes and references, line by line"""
    truth, rows = dump.load_truth(), 0
    told = users_of_lines(text(dump, "-u"))
    expect(set(told) == {a["id"] for a in truth["arenas"]}, "arenas %s", sorted(told))
    known = {p["id"]: p for p in truth["programs"]}
    for arena in truth["arenas"]:
        programs, mappings, descriptors, head = told[arena["id"]]
        want = [(str(p["id"]), p["tag"], str(p["uid"]), "%d.%03d" % (p["load_time"] // 10**9,
                 p["load_time"] // 10**6 % 1000), p["name"] or "-")
                for p in (known[i] for i in arena["progs"])]
        expect(programs == want, "arena %d: programs %s, not %s", arena["id"], programs, want)
        want = sorted((str(p["pid"]), start[2:], end[2:], p["comm"]) for p in arena["processes"]
                      for start, end in p["maps"])
        expect(sorted(mappings) == want, "arena %d: %s, not %s", arena["id"], mappings, want)
        want = sorted((str(p["pid"]), str(fd), p["comm"]) for p in arena["processes"]
                      for fd in p["fds"])
        expect(sorted(descriptors) == want, "arena %d: %s, not %s", arena["id"], descriptors, want)
        n, m, r = len(arena["progs"]), len(arena["processes"]), arena["refcnt"]
        want = "arena %d %s: %d program%s, %d process%s, %d reference%s" % (
            arena["id"], arena["name"] or "-", n, "s" * (n != 1), m, "es" * (m != 1), r,
            "s" * (r != 1))
        expect(head.startswith(want), "'%s' is not '%s'", head, want)
        expect(("not explained: pinned" in head) == bool(arena["pinned"]), "%s", head)
        rows += len(programs) + len(mappings) + len(descriptors)
    return "%d rows" % rows


def faults_are_told(dump):
    """-u: the reports that nobody read are those of the accesses that the guest made"""
    truth, n = dump.load_truth(), 0
    if not truth["streams"]:
        raise Skip("this kernel reports no accesses out of bounds")
    told = {a["id"]: a["users"]["programs"] for a in ask(dump, "-u")["arenas"]}
    for stream in truth["streams"]:
        program = next(p for p in told[stream["arena"]] if p["id"] == stream["prog"])
        got = [line for line in program["stderr"].splitlines() if line.startswith("ERROR")]
        want = ["ERROR: Arena %s access at unmapped address %s" %
                ("WRITE" if fault["write"] else "READ", fault["address"])
                for fault in stream["faults"]]
        expect(got == want, "program %d: %s, not %s", stream["prog"], got, want)
        n += len(want)
    return "%d reports" % n


def scheduler_is_told(dump):
    """-u: the scheduler that the guest started, its state and why it ends; its arena"""
    truth = dump.load_truth()["scheduler"]
    doc = ask(dump, "-u")
    told = doc["scheduler"]
    expect(told["state_name"] == truth["state"] and told["schedulers_complete"], "%s", told)
    one, *others = told["schedulers"]
    expect(one["root"] and one["name"] == truth["ops"], "%s, not %s", one, truth["ops"])
    expect(one["arena"] == (truth["arena"] if truth["kernel_holds"] else None), "arena %s, not %s",
           one["arena"], truth)
    want = ["SCX_EXIT_NONE", None, None]
    if truth["state"] == "disabling":   # what scx_qmap -e calls scx_bpf_error() with
        want = ["SCX_EXIT_ERROR_BPF", "scx_bpf_error", "test triggering error"]
    got = [one["exit_kind_name"], one["reason"], (one["message"] or "").split(": ")[-1] or None]
    expect(got == want, "exit %s, not %s", got, want)
    lines = text(dump, "-u")
    expect(lines[0] == "sched_ext: " + truth["state"] and lines[1].startswith("  scheduler %s" %
           truth["ops"]), "the table begins with %s", lines[:2])
    subs = [truth["sub"]] if truth.get("sub") else []
    got = [(s["root"], s["name"], s["arena"], s["exit_kind_name"]) for s in others]
    expect(got == [(False, truth["ops"], s["arena"], "SCX_EXIT_NONE") for s in subs],
           "sub-schedulers: %s", others)
    for scheduler in [truth] + subs:
        users = next(a["users"] for a in doc["arenas"] if a["id"] == scheduler["arena"])
        expect(scheduler["pid"] in {p["pid"] for p in users["processes"]}, "no process of %s",
               scheduler)
        expect(users["schedulers"] == scheduler["kernel_holds"], "%d schedulers hold arena %d",
               users["schedulers"], scheduler["arena"])
    return "%s, %s, %d programs" % (one["name"], told["state_name"], len(users["programs"]))


def scheduler_log_is_told(dump):
    """-u: the last lines of the log that tell of schedulers, of those that have ended, too"""
    truth = dump.load_truth().get("sched_log")
    if truth is None:
        raise Skip("this guest did not print its log")
    told = ask(dump, "-u")["scheduler"]
    expect(bool(told) or not truth, "no scheduler, but %s", truth[:1])
    got = [line["text"] for line in told["log"]] if told else []
    want = [line["text"] for line in truth][-8:]
    expect(got == want, "log: %s, not %s", got, want)
    shown = [re.sub(r"^  \[ *\d+\.\d{6}\] ", "sched_ext: ", line) for line in text(dump, "-u")
             if re.match(r"  \[ *\d+\.\d{6}\] ", line)]
    expect(shown == want, "log in the table: %s, not %s", shown, want)
    return "%d lines" % len(got)


def load_is_never_damage(dump):
    """-c of dumps that were taken while CPUs allocate and free: consistent or in flight, no more"""
    truth = {a["id"]: a for a in dump.load_truth()["arenas"]}
    paths = [dump.path] + sorted(glob.glob(dump.path + ".[0-9]*"))
    flight, states = 0, set()
    for path in paths:
        doc = one_object(answered(arenasnap("-j", "-c", path)), path)
        expect(doc["status"] == "complete" and len(doc["arenas"]) == len(truth), "%s: %s, %d arenas",
               path, doc["status"], len(doc["arenas"]))
        for told in doc["arenas"]:
            arena, check = truth[told["id"]], told["check"]
            expect(check["verdict"] in ("consistent", "in_flight"), "%s: %s is %s: %s", path,
                   arena["name"], check["verdict"], check["evidence"][:2])
            if arena.get("churned"):
                flight += check["verdict"] == "in_flight"
                states.add((told["id"], check["allocated"]))
            else:
                expect(check["verdict"] == "consistent", "%s: %s", arena["name"], check["verdict"])
                check_of_arena(arena, told, doc["page_size"], True, [path])
    churned = sum(bool(arena.get("churned")) for arena in truth.values())
    expect(len(paths) == 20 and len(states) > churned and flight, "%d dumps, nothing moves",
           len(paths))
    return "%d dumps, %d arenas in flight" % (len(paths), flight)
