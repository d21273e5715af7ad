# SPDX-License-Identifier: GPL-2.0-or-later
"""VMCOREINFO that is no note of the dump: found in memory, or by hand with --vmcoreinfo."""

import os

from cli_dumps import NEW, OLD, Kdump, vmcore
from cli_outputs import as_nobody, copy_of_dump
from cli_run import equal, expect, short, test, test_each
from cli_synth import dump, hold_pages

FOUND = "   vmcoreinfo: found in memory, at physical 0x"
NOTE_HEAD = b"\x0b\0\0\0%b\0\0\0\0VMCOREINFO\0\0"


def text_of(case, name):
    """The VMCOREINFO text of a recorded dump."""
    kdump = Kdump(vmcore(case, name))
    offset, size = kdump.vmcoreinfo
    return kdump.data[offset:offset + size].split(b"\0")[0]


def without_note(case, name):
    """A copy of a recorded dump that says nothing of VMCOREINFO; its memory has none either."""
    kdump = Kdump(vmcore(case, name))
    data = bytearray(kdump.data)
    data[kdump.block + 32:kdump.block + 48] = bytes(16)
    at = data.find(b"VMCOREINFO\0", kdump.notes[0], sum(kdump.notes))
    if at >= 0:
        data[at:at + 1] = b"N"
    return case.file("no-note", bytes(data))


def as_note(text):
    note = NOTE_HEAD % len(text).to_bytes(4, "little") + text
    return note + bytes(-len(note) % 4)


def without_name(doc):
    return {k: v for k, v in doc.items() if k != "vmcore"}


def whole(case, name):
    return without_name(case.run("-jp", vmcore(case, name)).doc)


# Found in memory.

@test_each("text-in-memory", "text-in-kdump", "text-in-aarch64", "text-twice")
def dump_without_a_note_answers_by_the_text_in_memory(case, name):
    path, truth = dump(case, name)
    ran = case.run("-jp", path)
    hold_pages(ran.doc, truth)
    equal(ran.err, b"", "stderr")
    equal([a["id"] for a in ran.doc["arenas"]], [6, 9, 23, 31], "ids")


@test
def answer_is_that_of_the_dump_with_the_note(case):
    for name, same in (("text-in-memory", "elf-x86_64"), ("text-in-kdump", "kdump-x86_64-7.3"),
                       ("text-in-aarch64", "elf-aarch64-16k"), ("text-twice", "elf-x86_64-7.3")):
        docs = [without_name(case.run("-jp", dump(case, n)[0]).doc) for n in (name, same)]
        equal(docs[0], docs[1], name)


@test
def verbose_says_where_it_was_found(case):
    path, _ = dump(case, "text-in-memory")
    text = case.run("-v", path).text
    expect(FOUND in text and "(the dump has no such note)" in text, "%s", short(text))
    expect(max(map(len, text.splitlines())) <= 80, "a long line")
    path, _ = dump(case, "elf-x86_64")
    expect("vmcoreinfo" not in case.run("-v", path).text, "-v of a dump with the note")


@test
def reduced_dump_has_it_as_a_note(case):
    path, _ = dump(case, "text-twice")
    small = case.path("small")
    case.run("-q", "--reduce", small, path)
    equal(without_name(case.run("-jp", small).doc), without_name(case.run("-jp", path).doc),
          "the answer")
    expect("vmcoreinfo" not in case.run("-v", small).text, "it was searched for again")


@test
def dump_without_any_is_told_with_the_cure(case):
    path, _ = dump(case, "no-vmcoreinfo")
    ran = case.run("-j", path, status=3)
    error, = ran.doc["errors"]
    equal(error["code"], "unsupported", "code")
    expect("--" not in error["text"], "the text names an option: %s", error["text"])
    equal(ran.messages, ["arenasnap: %s: %s; --vmcoreinfo FILE, the text of another source, can "
                         "stand in" % (path, error["text"])], "stderr")


# By hand.

@test_each("text", "note", "notes", "padded")
def by_hand_it_answers_as_the_whole_dump(case, form):
    for name in (OLD, NEW):
        text = text_of(case, name)
        data = {"text": text, "note": as_note(text), "padded": text + bytes(999),
                "notes": NOTE_HEAD.replace(b"VMCOREINFO", b"SOMETHING\0") %
                         b"\4\0\0\0" + b"abcd" + as_note(text)}[form]
        path = case.file("by-hand", data)
        ran = case.run("-jp", "--vmcoreinfo", path, without_note(case, name))
        equal(ran.err, b"", "stderr")
        equal(without_name(ran.doc), whole(case, name), name)


@test
def verbose_names_the_file(case):
    path = case.file("by-hand", text_of(case, OLD))
    text = case.run("-v", "--vmcoreinfo", path, without_note(case, OLD)).text
    expect("   vmcoreinfo: %s\n" % path in text, "%s", short(text))


@test
def reduced_dump_has_what_came_by_hand(case):
    path = case.file("by-hand", text_of(case, OLD))
    small = case.path("small")
    case.run("-q", "--reduce", small, "--vmcoreinfo", path, without_note(case, OLD))
    equal(without_name(case.run("-jp", small).doc), whole(case, OLD), "the answer")


@test
def it_takes_the_place_of_the_note(case):
    equal(without_name(case.run("-jp", "--vmcoreinfo", case.file("by-hand", text_of(case, OLD)),
                                vmcore(case, OLD)).doc), whole(case, OLD), "the answer")
    # also where the note is right and the file is not
    ran = case.run("-j", "--vmcoreinfo", case.file("other", text_of(case, NEW)),
                   vmcore(case, OLD), status=3)
    expect("proves nothing" in ran.doc["errors"][0]["text"], "%s", ran.doc["errors"])


@test
def text_of_another_kernel_is_refused_and_nothing_else_is_tried(case):
    path, _ = dump(case, "text-in-memory")
    other = case.file("other", text_of(case, NEW))
    ran = case.run("-j", "--vmcoreinfo", other, path, status=3)
    error, = ran.doc["errors"]
    expect(error["text"].startswith("vmcoreinfo %s proves nothing for this dump: " % other[:100]),
           "%s", error["text"])
    equal(ran.messages, ["arenasnap: %s: %s" % (path, error["text"])], "stderr")


@test_each("missing", "folder", "fifo", "empty", "text", "binary", "dump", "large", "address",
           "unreadable", "makedumpfile")
def file_that_is_no_vmcoreinfo_is_one_sentence(case, what):
    path, how, limit = case.path("by-hand"), {}, 10
    if what == "folder":
        os.mkdir(path)
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "dump":
        path = vmcore(case, NEW)
    elif what == "unreadable":
        how = as_nobody(case)
        os.chmod(case.file("by-hand"), 0)
    elif what != "missing":
        case.file("by-hand", {
            "empty": b"", "text": b"hello\n" * 99, "binary": bytes(range(256)) * 9,
            "large": b"A=1\n" * (2 << 20), "address": b"0x000000013fe00000 1024\n",
            # of a vmlinux: where the kernel was put it cannot know
            "makedumpfile": b"OSRELEASE=6.12\nPAGESIZE=4096\nSYMBOL(init_uts_ns)=ffffffff8280\n"
        }[what])
    target = copy_of_dump(case)
    ran = case.run("-j", "--vmcoreinfo", path, target, status=3, limit=limit, **how)
    error, = ran.doc["errors"]
    equal(ran.messages, ["arenasnap: %s: %s" % (target, error["text"])], "stderr")
    expect("vmcoreinfo " + path[:100] in error["text"], "%s", error["text"])


@test
def vmcoreinfo_takes_exactly_one_vmcore(case):
    path = vmcore(case, OLD)
    ran = case.run("--vmcoreinfo", "x", path, path, status=2)
    equal(ran.out, b"", "stdout")
    expect("--vmcoreinfo takes exactly one" in ran.messages[0], "%s", ran.messages)


@test
def vmcoreinfo_without_a_file_is_usage(case):
    case.run(vmcore(case, OLD), "--vmcoreinfo", status=2)


@test
def text_that_is_cut_or_changed_anywhere_does_no_harm(case):
    text, path = text_of(case, OLD), without_note(case, OLD)
    for n in range(0, len(text), 1 if case.setup.slow else 211):
        case.run("-j", "--vmcoreinfo", case.file("cut", text[:n]), path, status=(0, 3), limit=10)
        changed = text[:n] + b"7" + text[n + 1:]
        case.run("-j", "--vmcoreinfo", case.file("cut", changed), path, status=(0, 1, 3), limit=10)


# Kernels without CONFIG_KALLSYMS_ALL.

@test
def kernel_without_arenas_and_variables_is_a_complete_answer(case):
    path, _ = dump(case, "functions-no-arenas")
    ran = case.run(path)
    equal(ran.err, b"", "stderr")
    expect(ran.text.startswith("no BPF arenas"), "stdout: %s", ran.text)
    text = case.run("-v", path).text
    expect("without CONFIG_KALLSYMS_ALL" in text and "found by its header" in text, "%s",
           short(text))
