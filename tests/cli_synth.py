# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that mkdump makes (fixtures/synth): machines that were not recorded, losses, size."""

import hashlib
import os
import subprocess
import sys

from cli_answers import data_ranges, parts_of_pages, rows
from cli_run import HEADING, U32, Skip, Wrong, equal, expect, num, short, test

MEMORY_KIB = 64 * 1024      # design.md §7: each process


def mkdump(case, *args):
    program = case.setup.mkdump
    if not program:
        raise Skip("no --mkdump is given")
    if not os.access(program, os.X_OK):
        raise Skip("%s is not there" % program)
    ran = subprocess.run([program, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True)
    expect(ran.returncode == 0, "mkdump %s: %s", " ".join(args), ran.stderr)
    return ran.stdout


def dump(case, name):
    """(path, {arena id: {pgoff: (kernel, phys)}}) of an example"""
    path = case.path(name)
    truth = {}
    for line in mkdump(case, "-t", name, path).splitlines():
        ident, pgoff, kernel, phys = line.split("\t")
        truth.setdefault(int(ident), {})[int(pgoff, 0)] = (int(kernel, 0), int(phys, 0))
    return path, truth


def machines(case):
    names = [line.split()[0] for line in mkdump(case).splitlines()]
    found = [n[4:] for n in names if n.startswith("elf-") and "kdump-" + n[4:] in names]
    expect(len(found) >= 8, "only %d machines: %s", len(found), found)
    return found


def arena(doc, ident):
    return next(a for a in doc["arenas"] if a["id"] == ident)


def ident_of(row, truth):
    """The id of an arena of JSON; of one that has none, by the place of its pages."""
    if row["id"] is not None:
        return row["id"]
    places = {num(p["kernel"]) for p in row["pages"]}
    return next((ident for ident, pages in truth.items()
                 if places & {kernel for kernel, _ in pages.values()}), None)


def hold_pages(doc, truth, but=()):
    """The pages of each arena are those that were mapped; but: pgoffs of arena 9 that are not."""
    idents = [ident_of(a, truth) for a in doc["arenas"]]
    equal(len(set(idents)), len(idents), "arenas that are listed once")
    for a, ident in zip(doc["arenas"], idents):
        placed = "user_vm_start" not in a["unknown"]
        got = {(p["pgoff"], num(p["kernel"]), num(p["phys"])) for p in a["pages"]
               if p["kind"] != "scratch" and (p["pgoff"] is not None or not placed)}
        want = {(pgoff if placed else None, kernel, phys)
                for pgoff, (kernel, phys) in truth.get(ident, {}).items()
                if ident != 9 or pgoff not in but}
        equal(got, want, "pages of arena %s" % ident)
    equal(set(idents) >= set(truth), True, "all arenas with pages are there")


@test
def made_machines_are_their_truth(case):
    wrong = []
    for machine in machines(case):
        try:
            path, truth = dump(case, "kdump-" + machine)
            doc = case.run("-jp", path).doc
            hold_pages(doc, truth)
            equal([a["id"] for a in doc["arenas"]], [6, 9, 23, 31], "ids")
            ring = arena(doc, 31)
            expect((num(ring["user_vm_start"]) & U32) + 12 * doc["page_size"] > 1 << 32,
                   "arena 31 does not go around")
        except Wrong as why:
            wrong.append("%s: %s" % (machine, why))
    expect(not wrong, "%s", "; ".join(wrong))
    return "%d machines" % len(machines(case))


def digest(folder):
    """What the files of -o hold, and where."""
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            size = os.fstat(f.fileno()).st_size
            sums = hashlib.sha256(b"%d" % size)
            for start, end in list(data_ranges(f.fileno(), size)):
                f.seek(start)
                data = f.read(end - start)
                for at in range(0, len(data), 4096):
                    if any(data[at:at + 4096]):
                        sums.update(b"%d" % (start + at) + data[at:at + 4096])
            found[name] = sums.hexdigest()
    del found["snapshot.json"]
    return found


@test
def made_elf_and_kdump_of_a_machine_give_the_same(case):
    wrong = []
    for machine in machines(case):
        try:
            docs, sums = [], []
            for form in ("elf-", "kdump-"):
                path, _ = dump(case, form + machine + "")
                out = path + ".out"
                docs.append(dict(case.run("-jp", "-o", out, path).doc, vmcore=""))
                equal(dict(case.snapshot(out), vmcore=""), docs[-1], "snapshot.json")
                sums.append(digest(out))
                equal(len(sums[-1]), 4, "files")
            equal(docs[1], docs[0], "kdump")
            equal(sums[1], sums[0], "contents of kdump")
        except Wrong as why:
            wrong.append("%s: %s" % (machine, why))
    expect(not wrong, "%s", "; ".join(wrong))


@test
def made_forms_of_one_machine_give_the_same(case):
    path, truth = dump(case, "kdump-x86_64")
    want = dict(case.run("-jp", path).doc, vmcore="")
    hold_pages(want, truth)
    for name in ("kdump-raw", "elf-overlap", "elf-segments", "elf-unaligned"):
        path, _ = dump(case, name)
        equal(dict(case.run("-jp", path).doc, vmcore=""), want, name)


@test
def made_list_has_the_looks_of_the_design(case):
    path, _ = dump(case, "kdump-x86_64")
    doc = case.run("-j", path).doc
    want = [HEADING] + ["%9d %016x %14x %7d %8d %-5s %s" % (
        a["id"], num(a["map"]), num(a["user_vm_start"]), a["mapped"], a["declared_pages"],
        "-", a["name"]) for a in doc["arenas"]]
    equal(case.run(path).text.splitlines(), want, "the list")
    for machine in machines(case):
        path, _ = dump(case, "elf-" + machine)
        expect(max(map(len, case.run(path).text.splitlines())) <= 80, "%s: a long line", machine)


@test
def kernel_without_arenas_is_a_complete_answer(case):
    path, _ = dump(case, "no-arenas")
    ran = case.run(path)
    equal(ran.err, b"", "stderr")
    equal(len(ran.text.splitlines()), 1, "lines on stdout")
    expect(ran.text.startswith("no BPF arenas"), "stdout: %s", ran.text)
    equal(case.run("-j", path).doc["arenas"], [], "arenas")
    equal(case.run("-p", path).out, ran.out, "-p")
    case.run("-o", case.path("out"), path)
    equal(os.listdir(case.path("out")), ["snapshot.json"], "files")
    case.run("-m", "arena", path, status=1)


@test
def maps_without_arenas_are_counted_in_one_line(case):
    path, _ = dump(case, "no-arena-maps")
    ran = case.run(path)
    equal(ran.text, "no BPF arenas among 56 maps\n", "stdout")
    equal(ran.err, b"", "stderr")


@test
def dump_without_vmcoreinfo_is_a_failed_line(case):
    path, _ = dump(case, "no-vmcoreinfo")
    ran = case.run("-j", path, status=3)
    expect("VMCOREINFO" in ran.messages[0], "stderr: %s", ran.messages)


@test
def half_known_arenas_are_a_failed_line_and_not_none(case):
    for name, code in (("only-btf", "unknown_type"), ("only-kallsyms", "unknown_type"),
                       ("no-member", "unknown_type"), ("other-kernel", None)):
        path, _ = dump(case, name)
        ran = case.run("-j", path, status=3)
        equal(len(ran.messages), 1, "%s: lines on stderr" % name)
        expect(code in (None, ran.doc["errors"][0]["code"]), "%s: errors: %s", name,
               ran.doc["errors"])
        equal(case.run(path, status=3).out, b"", "%s: stdout" % name)


# Losses.

@test
def lost_node_of_map_idr_names_the_ids(case):
    path, truth = dump(case, "lossy-node")
    ran = case.run("-jp", path, status=1)
    hold_pages(ran.doc, truth)
    equal([e["code"] for e in ran.doc["errors"]], ["excluded"], "errors")
    expect("64 to 127" in ran.doc["errors"][0]["text"], "errors: %s", ran.doc["errors"])


@test
def lost_struct_names_its_map_and_its_window_is_listed(case):
    path, truth = dump(case, "lossy-struct")
    ran = case.run("-jp", path, status=1)
    hold_pages(ran.doc, truth)
    equal([a["id"] for a in ran.doc["arenas"]], [6, 23, 31, None], "ids")
    first, *_ = ran.doc["errors"]
    equal((first["code"], first["arena"]), ("excluded", 9), "errors")
    expect(first["map"], "no address of the struct")
    # the slot may be another map: nothing ties it to the window
    got = ran.doc["arenas"][-1]
    expect({"id", "map", "name", "max_entries", "user_vm_start"} <= set(got["unknown"]),
           "unknown: %s", got["unknown"])
    row = rows(case.run(path, status=1).text)[-1]
    equal(row, ["?", "kern_vm_start", got["kern_vm_start"][2:], "12", "?", "L", "?"], "the list")


@test
def lost_vm_struct_is_made_up_for_by_its_vmap_area(case):
    path, truth = dump(case, "lossy-vm-struct")
    ran = case.run("-jp", path)
    hold_pages(ran.doc, truth)
    equal(arena(ran.doc, 9)["unknown"], [], "unknown")
    equal(ran.err, b"", "stderr")


@test
def lost_table_names_the_pages(case):
    path, truth = dump(case, "lossy-table")
    ran = case.run("-jp", path, status=1)
    got = arena(ran.doc, 23)
    expect(got["truncated"], "arena 23 is not truncated")
    listed = {p["pgoff"] for p in got["pages"]}
    for pgoff in truth[23]:
        inside = [lost for lost in got["lost"] if lost["pgoff"] is not None and
                  lost["pgoff"] <= pgoff < lost["pgoff"] + lost["n"]]
        expect((pgoff in listed) != bool(inside), "page %d is listed or lost, not %s", pgoff,
               "both" if inside else "neither")
        expect(all(lost["code"] == "excluded" and lost["table"] for lost in inside), "lost: %s",
               inside)
    expect(0 < len(listed) < len(truth[23]), "%d of %d pages", len(listed), len(truth[23]))
    hold_pages(dict(ran.doc, arenas=[a for a in ran.doc["arenas"] if a["id"] != 23]),
               {i: p for i, p in truth.items() if i != 23})
    text = case.run("-p", "-m", "23", path, status=1).text
    expect("lost: pgoff 0 to" in text, "-p: %s", short(text))


@test
def lost_pages_are_listed_and_missing_in_kdump_and_elf(case):
    docs = []
    for name in ("lossy-pages", "lossy-pages-elf"):
        path, truth = dump(case, name)
        ran = case.run("-jp", path)
        hold_pages(ran.doc, truth)
        got = arena(ran.doc, 9)
        equal(got["missing"], 6, name + ": missing")
        equal([p["stored"] for p in got["pages"]], [True, False] * 6, name + ": stored")
        row = next(r for r in rows(case.run(path).text) if r[0] == "9")
        equal(row[5], "M", name + ": FLAGS")
        out = path + ".out"
        ran = case.run("-j", "-o", out, path, status=1)
        equal([e["arena"] for e in ran.doc["errors"]], [9], name + ": errors")
        doc = case.snapshot(out)
        equal(doc["status"], "partial", name + ": status")
        with open(os.path.join(out, "9.bin"), "rb") as f:
            data = f.read()
        pages = arena(doc, 9)["pages"]
        for p in pages:
            page = data[p["pgoff"] * 4096:][:4096]
            expect(any(page) == p["stored"], "%s: page %d: stored %s, but %s", name, p["pgoff"],
                   p["stored"], "bytes" if any(page) else "zeros")
        docs.append(dict(doc, vmcore="", errors=[]))
    equal(docs[1], docs[0], "the answer of ELF")


# Contradictions.

@test
def struct_that_contradicts_itself_is_not_believed(case):
    """Its window is listed all the same: its vmalloc area and page tables are an arena's."""
    for name, wrong in (("wrong-id", {"id"}), ("wrong-ops", {"id", "map", "name"})):
        path, truth = dump(case, name)
        ran = case.run("-jp", path, status=1)
        hold_pages(ran.doc, truth)
        equal([a["id"] for a in ran.doc["arenas"]], [6, 23, 31, None], name + ": ids")
        expect(wrong <= set(ran.doc["arenas"][-1]["unknown"]), "%s: unknown: %s", name,
               ran.doc["arenas"][-1]["unknown"])
        first, *_ = ran.doc["errors"]
        equal((first["code"], first["arena"]), ("damaged", 9), name + ": errors")


@test
def made_max_entries_beyond_4_gib_is_capped(case):
    path, truth = dump(case, "capped")
    ran = case.run("-jp", path)
    hold_pages(ran.doc, truth)
    got = arena(ran.doc, 9)
    equal((got["max_entries"], got["declared_pages"], got["span_capped"]),
          (U32, 1 << 20, True), "max_entries, declared_pages, span_capped")
    row = next(r for r in rows(case.run(path).text) if r[0] == "9")
    equal((row[4], row[5]), ("1048576", "C"), "DECLARED, FLAGS")


@test
def window_that_is_null_makes_the_counts_unknown(case):
    path, _ = dump(case, "no-window")
    got = arena(case.run("-jp", path, status=1).doc, 9)
    equal(got["kern_vm_start"], "0x0", "kern_vm_start")
    equal([got[k] for k in ("mapped", "scratch", "outside", "missing")], [None] * 4, "counts")


@test
def scratch_and_outside_pages_are_no_pages_of_the_arena(case):
    path, truth = dump(case, "stray")
    ran = case.run("-jp", path)
    hold_pages(ran.doc, truth, but=(3, 7))
    got = arena(ran.doc, 9)
    equal((got["mapped"], got["scratch"], got["outside"]), (10, 3, 2),
          "mapped, scratch, outside")
    kinds = [(p["pgoff"], p["kind"]) for p in got["pages"] if p["kind"] != "page"]
    equal(sorted(kinds, key=str), sorted([(3, "scratch"), (7, "scratch"), (40, "outside"),
                                          (None, "outside"), (None, "scratch")], key=str), "kinds")
    row = next(r for r in rows(case.run(path).text) if r[0] == "9")
    equal((row[3], row[5]), ("10", "SO"), "MAPPED, FLAGS")
    guards = [r for r in parts_of_pages(case.run("-p", "-m", "9", path).text)[-1][2]
              if r[1] == "-"]
    equal([(r[2], r[5]) for r in guards], [("-", "outside"), ("-", "scratch")], "guards in -p")
    out = case.path("out")
    case.run("-o", out, path)
    with open(os.path.join(out, "9.bin"), "rb") as f:
        data = f.read()
    equal(len(data), 41 * 4096, "size of 9.bin")
    expect(any(data[40 * 4096:]), "page 40 (outside) is not in 9.bin")
    expect(not any(data[3 * 4096:4 * 4096]) and not any(data[7 * 4096:8 * 4096]),
           "a scratch page is in 9.bin")


# Cut ones.

@test
def made_cut_dumps_say_so(case):
    for name, status in (("cut-kdump", 1), ("cut-elf", 1), ("cut-early", 3)):
        path, truth = dump(case, name)
        ran = case.run("-jp", path, status=status)
        expect("cut" in ran.messages[0].replace(path, ""), "%s: stderr: %s", name, ran.messages)
        for a in ran.doc["arenas"] or []:
            for p in a["pages"]:
                equal((num(p["kernel"]), num(p["phys"])), truth[a["id"]][p["pgoff"]],
                      "%s: page %d of arena %d" % (name, p["pgoff"], a["id"]))


# Resources.

MEASURE = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)])
_, status, usage = os.wait4(pid, 0)
print(os.WEXITSTATUS(status), usage.ru_maxrss)
"""


def peak_kib(case, *args):
    """Peak memory of it and its workers. A small Python starts it: a child's peak begins with
    that of who forks it, and this one has read dumps."""
    ran = subprocess.run([sys.executable, "-E", "-S", "-c", MEASURE, os.devnull,
                          case.setup.binary, *args], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=case.setup.env)
    expect(ran.returncode == 0 and not ran.stderr, "%s", ran.stderr)
    status, peak = map(int, ran.stdout.split())
    equal(status, 0, "status")
    return peak


@test
def million_pages_fit_in_64_mib(case):
    if case.setup.sanitized:
        raise Skip("a sanitizer has memory of its own")
    path, _ = dump(case, "big")
    peaks = []
    for args in (["-jp"], ["-j"], [], ["-p"], ["-p", "--runs"], ["-v"], ["-c"], ["-jc"],
                 ["-o", case.path("out")]):
        peak = peak_kib(case, *args, path)
        expect(peak < MEMORY_KIB, "%s: peak memory %d KiB", " ".join(args), peak)
        peaks.append("%s %d" % (" ".join(args[:2])[:9], peak >> 10))
    return "MiB: " + ", ".join(peaks)


@test
def million_pages_are_all_there(case):
    path, truth = dump(case, "big")
    out = case.path("out.json")
    with open(out, "wb") as f:
        case.run("-jp", path, stdout=f, broken_stdout=True)
    with open(out, "rb") as f:
        data = f.read()
    expect(data.count(b'{"pgoff":') == 1 << 20, "%d pages", data.count(b'{"pgoff":'))
    for pgoff in (0, 1, 511, 512, 262144, 1048575):
        kernel, phys = truth[5][pgoff]
        line = b'{"pgoff":%d,"user":"0x%x","kernel":"0x%x","phys":"0x%x","kind":"page",' % (
            pgoff, (1 << 44) + pgoff * 4096, kernel, phys)
        expect(line in data, "no %s", line)
    row = rows(case.run(path).text)[1]
    equal((row[3], row[4]), ("1048576", "1048576"), "MAPPED, DECLARED")


@test
def time_grows_with_tables_not_with_what_is_declared(case):
    """12 pages in an arena of 4 GiB cost what 12 pages in one of 16 pages cost."""
    seconds = {}
    for name in ("small-12", "huge4g-12"):
        path, truth = dump(case, name)
        hold_pages(case.run("-jp", path).doc, truth)
        seconds[name] = min(case.run("-jp", path).seconds for _ in range(5))
    expect(seconds["huge4g-12"] < 2 * seconds["small-12"] + 0.05, "%s", seconds)
