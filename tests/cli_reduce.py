# SPDX-License-Identifier: GPL-2.0-or-later
"""--reduce: a small dump that gives the same answers, and never hurts another file."""

import filecmp
import os
import re
import shutil
import signal
import struct

from cli_answers import without_pages
from cli_dumps import ARM, DESC, NEW, OLD, RECORDED, Kdump, memory, vmcore
from cli_outputs import (as_nobody, copy_of_dump, in_small_filesystem, interrupted, nothing_left,
                         refused, sha, small_files_told)
from cli_run import Skip, equal, expect, resume, short, stop_worker, test, test_each
from cli_synth import MEMORY_KIB, digest, mkdump, peak_kib

MB = 1000 * 1000
MOST = 6 * MB               # of a recorded dump, reduced


def reduce(case, path, name="small", status=(0, 1), args=()):
    small = case.path(name)
    case.run("--reduce", small, *args, path, status=status)
    return small


def folders_equal(one, two, what):
    """Without the holes: a file may have 4 GiB of them."""
    whole, less = digest(one), digest(two)
    equal(sorted(less), sorted(whole), what + ": files")
    for name, sums in whole.items():
        expect(less[name] == sums, "%s: %s is not the same", what, name)


def answers(case, path, tag):
    """What -j -p -o, -v and the list say, without the name of the file and of the dump"""
    out = case.path("out-" + tag)
    ran = case.run("-j", "-p", "-o", out, path, status=(0, 1))
    doc, snapshot = ran.doc, case.snapshot(out)
    for each in (doc, snapshot):
        equal(each.pop("vmcore"), path, "vmcore")
    equal(without_pages(doc), without_pages(snapshot), "snapshot.json")
    verbose = case.run("-v", path, status=(0, 1)).text.splitlines()
    # VMCOREINFO that was found in memory is a note of the reduced dump
    lines = [line for line in verbose if not line.startswith(("         dump: ", "   vmcoreinfo: "))
             and line != "               (the dump has no such note)"]
    messages = [line.replace(path, "") for line in ran.messages]
    return doc, lines, case.run(path, status=(0, 1)).text, messages


def hold_same(case, path, small, what):
    whole, less = answers(case, path, "whole"), answers(case, small, "small")
    for name, one, two in zip(("-j -p", "-v", "list", "messages"), whole, less):
        if one != two and name == "-j -p":
            for key in one:
                equal(two[key], one[key], "%s: %s of -j -p" % (what, key))
        equal(two, one, "%s: %s" % (what, name))
    folders_equal(case.path("out-whole"), case.path("out-small"), what)
    for tag in ("whole", "small"):
        shutil.rmtree(case.path("out-" + tag))
    return whole[0]


# Same answers.

@test_each(*RECORDED)
def reduced_dump_answers_as_the_recorded_one(case, name):
    small = reduce(case, vmcore(case, name))
    hold_same(case, vmcore(case, name), small, name)
    size = os.path.getsize(small)
    expect(size < MOST, "it has %d bytes", size)
    return "%.1f MB of %.1f" % (size / MB, os.path.getsize(vmcore(case, name)) / MB)


@test_each(*RECORDED)
def reduced_dump_reduced_again_is_the_same_file(case, name):
    small = reduce(case, vmcore(case, name))
    expect(filecmp.cmp(small, reduce(case, small, "again"), False), "it is another file")


@test
def reduced_dump_is_the_same_whatever_is_asked_beside(case):
    want = sha(reduce(case, vmcore(case, OLD)))
    for i, args in enumerate((["-m", "no_such_arena"], ["-m", "9", "-p", "--max-pages", "1"],
                              ["-j", "-o", case.path("out")], ["-v"], ["-q"])):
        small = reduce(case, vmcore(case, OLD), "small%d" % i, (0, 1), args)
        equal(sha(small), want, "file with " + " ".join(args))


@test
def reduced_dump_answers_about_one_arena(case):
    small = reduce(case, vmcore(case, OLD), args=["-m", "no_such_arena"])
    for args in (["-j", "-m", "huge4g"], ["-p", "-m", "huge4g"],
                 ["-jp", "-m", "forked", "--max-pages", "1"]):
        less, whole = case.run(*args, small).out, case.run(*args, vmcore(case, OLD)).out
        equal(less.replace(small.encode(), vmcore(case, OLD).encode()), whole, " ".join(args))


@test
def reduced_dump_says_so(case):
    small = reduce(case, vmcore(case, OLD))
    said = case.run("-v", small).text
    expect("dump: reduced by arenasnap from kdump, zlib, level 31\n" in said, "-v: %s",
           short(said[:300]))
    with open(small, "rb") as f:
        expect(b"REDUCED=by arenasnap" in f.read(65536), "strings would not tell")


@test
def reduced_made_dumps_answer_as_the_whole_ones(case):
    n = refused_too = 0
    for line in mkdump(case).splitlines():
        name = line.split()[0]
        path = case.path(name)
        # a million pages are a test of their own
        if name == "big":
            continue
        mkdump(case, name, path)
        status = case.run("-j", path, status=(0, 1, 3)).status
        small = reduce(case, path, "small-" + name, status)
        if status == 3:
            expect(not os.path.exists(small), "%s: a file was written", name)
            refused_too += 1
        else:
            hold_same(case, path, small, name)
            equal(sha(reduce(case, small, "again")), sha(small), name + " reduced again")
            os.unlink(case.path("again"))
            os.unlink(small)
            n += 1
        os.unlink(path)
    expect(n > 20, "only %d dumps could be reduced", n)
    return "%d, and %d that cannot be answered" % (n, refused_too)


# What is missing stays missing, for the same reason.

def spoil(case, name, pfns, how):
    """A copy of a recorded dump in which some pages are in a bad state"""
    kdump = memory(case, name).kdump
    path = case.path("spoiled")
    if how == "excluded":
        kdump.save(path, without=pfns)
        return path
    data = bytearray(kdump.data)
    place = {pfn: kdump.descs + DESC.size * i for i, pfn in enumerate(sorted(kdump.desc))}
    for pfn in pfns:
        at = place[pfn]
        offset, size, flags, _ = kdump.desc[pfn]
        if how == "cut":
            data[at:at + DESC.size] = bytes(DESC.size)
        elif how == "damaged":
            struct.pack_into("<I", data, at + 12, 0x40)
        elif how == "absent":
            data[kdump.bitmap + pfn // 8] &= ~(1 << pfn % 8)
        else:
            # packed bytes that cannot be unpacked, at a place of their own
            struct.pack_into("<QII", data, at, len(data), 8, 1)
            data += b"\xff" * 8
    if how == "absent":
        case.file("bitmap1", bytes(data))
        Kdump(case.path("bitmap1")).save(path, without=pfns)
    else:
        case.file("spoiled", bytes(data))
    return path


def need_sane_decoder(case, path, pfns, how):
    """libkdumpfile up to 0.5.4: after a page that cannot be decoded good ones fail, too"""
    if how != "undecodable":
        return
    text = case.run("-j", path, status=(0, 1, 3)).text
    said = re.findall(r"physical 0x([0-9a-f]+) cannot be decoded", text)
    if not {int(phys, 16) >> 12 for phys in said} <= set(pfns):
        raise Skip("the decoder fails on good pages after a bad one")


@test_each("excluded", "absent", "cut", "damaged", "undecodable")
def reduced_dump_keeps_the_reason(case, how):
    truth = memory(case, OLD).truth
    arena = next(a for a in truth.arenas if a.count("page") > 3)
    pages = [p.phys >> 12 for p in arena.pages if p.phys is not None][1::2]
    tables = memory(case, OLD).tables(truth.arenas[-1].kern_vm_start)
    pages.append(tables[-1] >> 12)
    path = spoil(case, OLD, pages, how)
    need_sane_decoder(case, path, pages, how)
    small = reduce(case, path)
    doc = hold_same(case, path, small, how)
    codes = {error["code"] for error in doc["errors"]}
    expect({"undecodable": "damaged"}.get(how, how) in codes, "codes: %s", codes)
    equal(sha(reduce(case, small, "again")), sha(small), "reduced again")


@test_each("excluded", "cut", "undecodable")
def reduced_dump_keeps_the_reason_of_a_lost_struct(case, how):
    m = memory(case, OLD)
    pages = [m.linear(a.map) >> 12 for a in m.truth.arenas[:3]]
    path = spoil(case, OLD, pages, how)
    need_sane_decoder(case, path, pages, how)
    hold_same(case, path, reduce(case, path), how)


@test
def reduced_cut_dump_answers_as_the_cut_one(case):
    data = Kdump(vmcore(case, OLD)).data
    n = 0
    for tenths in range(500, 1000, 93):
        path = case.file("cut", data[:len(data) * tenths // 1000])
        status = case.run("-j", path, status=(0, 1, 3)).status
        small = reduce(case, path, "small", status)
        if status != 3:
            hold_same(case, path, small, "cut at %.1f %%" % (tenths / 10))
            os.unlink(small)
            n += 1
    expect(n, "none of the cut dumps gives an answer")
    return "%d" % n


@test
def reduced_cut_elf_answers_as_the_cut_one(case):
    path, n = case.path("elf"), 0
    mkdump(case, "elf-aarch64-4k", path)
    with open(path, "rb") as f:
        data = f.read()
    for size in range(len(data) // 2, len(data), len(data) // 13):
        path = case.file("cut", data[:size])
        status = case.run("-j", path, status=(0, 1, 3)).status
        small = reduce(case, path, "small", status)
        if status != 3:
            hold_same(case, path, small, "cut at %d" % size)
            os.unlink(small)
            n += 1
    expect(n, "none of the cut dumps gives an answer")
    return "%d" % n


# The file.

@test_each(*RECORDED)
def reduced_dump_is_a_kdump_as_makedumpfile_writes_it(case, name):
    whole, small = Kdump(vmcore(case, name)), Kdump(reduce(case, vmcore(case, name)))
    head = struct.unpack_from("<8si", small.data)
    equal(head, (b"KDUMP   ", 6), "magic and version")
    status, block, _, _, pages = struct.unpack_from("<IiiII", small.data, 424)
    equal((status, block), (1, whole.block), "status, block size")
    machine = small.data[12 + 4 * 65:].split(b"\0")[0]
    equal(machine, b"aarch64" if name == ARM else b"x86_64", "machine")
    text = dict(line.split(b"=", 1) for line in small.data[
        small.vmcoreinfo[0]:sum(small.vmcoreinfo)].split(b"\n") if b"=" in line)
    equal(small.data[12 + 2 * 65:].split(b"\0")[0], text[b"OSRELEASE"], "release")
    base, level, split = struct.unpack_from("<Qii", small.data, small.block)
    key = b"NUMBER(PHYS_OFFSET)" if name == ARM else b"NUMBER(phys_base)"
    equal(base, int(text[key], 0) % 2**64, "phys_base")
    equal((level, split), (struct.unpack_from("<i", whole.data, whole.block + 8)[0], 0),
          "level, split")
    equal(struct.unpack_from("<Q", small.data, small.block + 96), (pages,), "max_mapnr_64")
    equal(pages, max(small.desc) + 1, "max_mapnr")
    hold_pages(small, whole)


def hold_pages(small, whole):
    """Every page is one of the whole dump, zeros share a block, and nothing is behind the last"""
    zeros = set()
    for pfn, (offset, _, _, _) in small.desc.items():
        page = small.page(pfn)
        equal(page == whole.page(pfn), True, "page %#x is that of the whole dump" % pfn)
        if page.count(0) == len(page):
            zeros.add(offset)
    expect(len(zeros) == 1, "%d blocks of zeros", len(zeros))
    equal(max(offset + size for offset, size, _, _ in small.desc.values()), len(small.data),
          "end of the last page")
    notes = small.data[small.notes[0]:sum(small.notes)]
    equal(notes[:whole.notes[1]], whole.data[whole.notes[0]:sum(whole.notes)], "notes")


@test
def reduce_shows_the_usual_answer(case):
    for args in ([], ["-v"], ["-j", "-p"]):
        ran = case.run(*args, "--reduce", case.path("small"), vmcore(case, OLD))
        equal(ran.out, case.run(*args, vmcore(case, OLD)).out, "stdout")
        os.unlink(case.path("small"))


@test
def reduce_says_how_small_it_is(case):
    ran = case.run("--reduce", case.path("small"), vmcore(case, OLD))
    equal(len(ran.messages), 1, "lines on stderr")
    before, after = (os.path.getsize(path) / MB
                     for path in (vmcore(case, OLD), case.path("small")))
    expect(ran.messages[0] == "arenasnap: %s: reduced from %.1f MB to %.1f MB" % (
        case.path("small"), before, after), "stderr: %s", ran.messages)
    equal(case.run("-q", "--reduce", case.path("quiet"), vmcore(case, OLD)).err, b"", "with -q")


@test
def reduce_into_the_current_folder(case):
    case.run("--reduce", "small", vmcore(case, OLD), cwd=case.tmp)
    equal(os.listdir(case.tmp), ["small"], "files")


@test
def reduce_of_a_name_as_long_as_can_be(case):
    name = "n" * 255
    reduce(case, vmcore(case, OLD), name)
    equal(os.listdir(case.tmp), [name], "files")


@test
def reduce_respects_umask(case):
    case.run("--reduce", case.path("small"), vmcore(case, OLD), preexec=lambda: os.umask(0o077))
    equal(os.stat(case.path("small")).st_mode & 0o777, 0o600, "mode")


@test
def reduce_and_output_at_once(case):
    case.run("-o", case.path("out"), "--reduce", case.path("small"), vmcore(case, OLD))
    equal(case.snapshot(case.path("out"))["status"], "complete", "status")
    equal(case.run("-jp", case.path("small")).doc["status"], "complete", "status")


@test
def reduce_fits_in_64_mib(case):
    if case.setup.sanitized:
        raise Skip("a sanitizer has memory of its own")
    path = case.path("big")
    mkdump(case, "big", path)
    peak = peak_kib(case, "--reduce", case.path("small"), "-q", path)
    expect(peak < MEMORY_KIB, "peak memory %d KiB", peak)
    return "%d MiB" % (peak >> 10)


# Refused, and gone wrong.

@test
def reduce_refuses_an_existing_file(case):
    refused(case, "--reduce", case.file("file", b"precious"), vmcore(case, OLD),
            what="exists; not overwritten")


@test
def reduce_refuses_an_existing_folder(case):
    os.mkdir(case.path("folder"))
    refused(case, "--reduce", case.path("folder"), vmcore(case, OLD),
            what="exists; not overwritten")


@test
def reduce_refuses_the_vmcore_itself(case):
    path = copy_of_dump(case)
    refused(case, "--reduce", path, path, what="exists; not overwritten")


@test
def reduce_refuses_swapped_arguments(case):
    refused(case, "--reduce", copy_of_dump(case), case.path("small"),
            what="exists; not overwritten")


@test
def reduce_refuses_a_link(case):
    os.symlink(copy_of_dump(case), case.path("link"))
    refused(case, "--reduce", case.path("link"), case.path("vmcore"),
            what="exists; not overwritten")


@test
def reduce_refuses_a_dangling_link(case):
    os.symlink(case.path("nowhere"), case.path("link"))
    refused(case, "--reduce", case.path("link"), vmcore(case, OLD),
            what="exists; not overwritten")


@test
def reduce_refuses_two_vmcores(case):
    case.run("--reduce", case.path("small"), vmcore(case, OLD), vmcore(case, NEW), status=2)
    nothing_left(case)


@test
def reduce_refused_makes_no_folder_of_output(case):
    case.file("file", b"precious")
    case.run("-o", case.path("out"), "--reduce", case.path("file"), vmcore(case, OLD), status=2)
    nothing_left(case, "file")


@test
def reduce_into_a_missing_folder_is_status_3(case):
    ran = case.run("-j", "--reduce", case.path("none", "small"), vmcore(case, OLD), status=3)
    expect("No such file or directory" in ran.messages[0], "stderr: %s", ran.messages)
    nothing_left(case)


@test
def reduce_into_a_folder_that_forbids_it_is_status_3(case):
    how = as_nobody(case)
    path = copy_of_dump(case)
    os.mkdir(case.path("mine"))
    os.chmod(case.path("mine"), 0o555)
    ran = case.run("--reduce", case.path("mine", "small"), path, status=3, **how)
    expect("Permission denied" in ran.messages[0], "stderr: %s", ran.messages)
    equal(os.listdir(case.path("mine")), [], "files")


@test
def reduce_of_a_file_that_is_no_dump_leaves_nothing(case):
    case.run("--reduce", case.path("small"), case.no_dump(), status=3)
    nothing_left(case, "no-dump")


@test
def reduce_of_a_missing_file_leaves_nothing(case):
    case.run("--reduce", case.path("small"), case.path("missing"), status=3)
    nothing_left(case)


@test
def reduce_that_cannot_be_written_is_status_3_and_leaves_nothing(case):
    ran = case.run("-j", "--reduce", case.path("small"), vmcore(case, OLD), status=3,
                   preexec=small_files_told)
    nothing_left(case)
    expect("File too large" in ran.messages[0], "stderr: %s", ran.messages)
    equal(ran.doc["errors"][0]["code"], "io", "code")


@test
def reduce_into_a_full_filesystem_is_status_3_and_leaves_nothing(case):
    if not shutil.which("unshare"):
        raise Skip("there is no unshare")
    ran = in_small_filesystem(case, "size=1m",
                              '"$2" --reduce "$1/small" "$3" >/dev/null; echo $?; ls -A "$1"')
    equal(ran.stdout, b"3\n", "status, files left")
    expect(b"No space left on device" in ran.stderr, "stderr: %s", ran.stderr)


@test
def reduce_never_replaces_a_file_that_appears_meanwhile(case):
    args = ("-j", "--reduce", case.path("small"), vmcore(case, OLD))
    child, worker = stop_worker(case, *args, when=lambda: os.listdir(case.tmp))
    case.file("small", b"precious")
    resume(worker)
    ran = case.end(child, args)
    equal(ran.status, 3, "status")
    equal(os.listdir(case.tmp), ["small"], "files")
    with open(case.path("small"), "rb") as f:
        equal(f.read(), b"precious", "the file")
    expect("not overwritten" in ran.messages[0], "stderr: %s", ran.messages)


@test_each("INT", "TERM", "HUP")
def reduce_stopped_by_a_signal_leaves_nothing(case, name):
    interrupted(case, getattr(signal, "SIG" + name), True,
                ("--reduce", case.path("small"), vmcore(case, OLD)))
    nothing_left(case)


@test
def reduce_by_a_worker_that_dies_leaves_nothing(case):
    args = ("-j", "--reduce", case.path("small"), vmcore(case, OLD))
    child, worker = stop_worker(case, *args, when=lambda: os.listdir(case.tmp))
    os.kill(worker, signal.SIGKILL)
    ran = case.end(child, args)
    equal(ran.doc["errors"][0]["code"], "worker", "code")
    nothing_left(case)
