# SPDX-License-Identifier: GPL-2.0-or-later
"""--vmlinux: dumps that lost their symbols or types, and files that are no help.

The vmlinux here is a small one, made by the compiler: the symbols of the truth moved back to
where a kernel is linked, the build ID of the dump, and the BTF that the whole dump has. Debian's
own, with DWARF, is asked by tests/real/vmlinux_check.py.
"""

import os
import subprocess

from cli_dumps import NEW, OLD, Kdump, Truth, vmcore
from cli_outputs import as_nobody, copy_of_dump
from cli_run import Skip, equal, expect, short, test, test_each

LINKED_AT = 0xffffffff81000000
SYMBOLS = ("_stext", "map_idr", "arena_map_ops", "__start_BTF", "__stop_BTF")


def pages_of(truth, kdump, first, last):
    """Numbers of the pages from symbol first to the byte before symbol last."""
    return set(range(truth.image_phys(first) // kdump.block,
                     (truth.image_phys(last) - 1) // kdump.block + 1))


def lossy(case, what):
    """A copy of the recorded 6.12 dump without its BTF, without its kallsyms, or both."""
    truth = Truth(OLD)

    def make(path):
        kdump = Kdump(vmcore(case, OLD))
        without = set()
        if what != "kallsyms":
            without |= pages_of(truth, kdump, "__start_BTF", "__stop_BTF")
        if what != "btf":
            without |= pages_of(truth, kdump, "kallsyms_num_syms", "kallsyms_offsets")
        kdump.save(path, without=without)
    return case.setup.once("no-%s.kdump" % what, make)


def vmcoreinfo(kdump):
    offset, size = kdump.vmcoreinfo
    text = kdump.data[offset:offset + size].split(b"\0")[0].decode()
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def run_tool(*args):
    try:
        ran = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        raise Skip("there is no %s" % args[0])
    expect(ran.returncode == 0, "%s: %s", args[0], short(ran.stdout))


def small_vmlinux(case, build_id=None, btf=True):
    """A vmlinux of the recorded 6.12 dump, of 5 MB."""
    kdump, truth = Kdump(vmcore(case, OLD)), Truth(OLD)
    info = vmcoreinfo(kdump)
    move = LINKED_AT - truth.symbols["_stext"]
    addresses = {name: truth.symbols[name] for name in SYMBOLS}
    addresses["init_uts_ns"] = int(info["SYMBOL(init_uts_ns)"], 16)
    source = case.file("vmlinux.c", "".join(
        'asm(".globl %s; .set %s, %#x");\n' % (name, name, (addr + move) % 2 ** 64)
        for name, addr in addresses.items()).encode())
    path = case.path("vmlinux")
    run_tool(os.environ.get("CC") or "gcc", "-shared", "-nostdlib", "-o", path, source,
             "-Wl,--build-id=0x" + (build_id or info["BUILD-ID"]))
    if btf:
        start = truth.image_phys("__start_BTF")
        end = truth.image_phys("__stop_BTF")
        data = b"".join(kdump.page(n) for n in range(start // kdump.block,
                                                     end // kdump.block + 1))
        at = start % kdump.block
        section = case.file("btf", data[at:at + end - start])
        run_tool("objcopy", "--add-section", ".BTF=" + section, path)
    return path


def without_name(doc):
    return {k: v for k, v in doc.items() if k != "vmcore"}


@test_each("btf", "kallsyms", "both")
def dump_that_lost_them_is_told_with_the_cure(case, what):
    path = lossy(case, what)
    ran = case.run("-j", path, status=3)
    error, = ran.doc["errors"]
    equal(error["code"], "excluded", "code")
    expect(("BTF" if what == "btf" else "kallsyms") in error["text"], "%s", error)
    expect("--" not in error["text"], "the text names an option: %s", error["text"])
    equal(ran.messages, ["arenasnap: %s: %s; --vmlinux FILE, the kernel's with debug symbols, "
                         "can stand in" % (path, error["text"])], "stderr")
    equal(case.run("-q", path, status=3).err, b"", "stderr with -q")


@test_each("btf", "kallsyms", "both")
def with_its_vmlinux_it_answers_as_the_whole_dump(case, what):
    whole = case.run("-jp", vmcore(case, OLD)).doc
    vmlinux = small_vmlinux(case)
    with open(vmlinux, "rb") as f:
        before = f.read()
    ran = case.run("-jp", "--vmlinux", vmlinux, lossy(case, what))
    equal(ran.err, b"", "stderr")
    equal(without_name(ran.doc), without_name(whole), "the answer")
    with open(vmlinux, "rb") as f:
        expect(f.read() == before, "the vmlinux was changed")


@test
def whole_dump_answers_as_without_it(case):
    whole = case.run("-jp", vmcore(case, OLD))
    ran = case.run("-jp", "--vmlinux", small_vmlinux(case, btf=False), vmcore(case, OLD))
    equal(ran.out, whole.out, "the answer")


@test
def verbose_says_what_came_from_it_and_why(case):
    vmlinux = small_vmlinux(case)
    text = case.run("-v", "--vmlinux", vmlinux, lossy(case, "kallsyms")).text
    expect("symbols: vmlinux " + vmlinux in text, "%s", short(text))
    expect("(kallsyms: " in text and "types: BTF in the dump" in text, "%s", short(text))
    text = case.run("-v", "--vmlinux", vmlinux, lossy(case, "btf")).text
    expect("types: BTF of vmlinux " + vmlinux in text, "%s", short(text))
    expect("symbols: kallsyms in the dump" in text, "%s", short(text))


@test_each("whole", "btf")
def vmlinux_of_another_build_is_refused(case, what):
    path = vmcore(case, OLD) if what == "whole" else lossy(case, what)
    other = "9c54a8e41141472ef75c7d0bef45c721ad398683"
    ran = case.run("-j", "--vmlinux", small_vmlinux(case, build_id=other), path, status=3)
    error, = ran.doc["errors"]
    equal(error["code"], "unsupported", "code")
    expect("another build" in error["text"] and other in error["text"] and
           other[:-1] + "2" in error["text"], "%s", error["text"])
    expect(len(ran.messages) == 1, "%s", ran.messages)


@test
def vmlinux_that_lacks_what_is_asked_is_said(case):
    ran = case.run("-j", "--vmlinux", small_vmlinux(case, btf=False), lossy(case, "btf"),
                   status=3)
    error, = ran.doc["errors"]
    equal(error["code"], "excluded", "code")
    expect("no debug information" in error["text"], "%s", error["text"])


@test_each("missing", "folder", "fifo", "empty", "text", "dump", "unreadable", "vmlinuz",
           "no_build_id")
def file_that_is_no_vmlinux_is_one_sentence(case, what):
    path, how = case.path("vmlinux"), {}
    if what == "folder":
        os.mkdir(path)
    elif what == "fifo":
        os.mkfifo(path)
    elif what == "dump":
        path = vmcore(case, NEW)
    elif what == "no_build_id":
        small_vmlinux(case, btf=False)
        run_tool("objcopy", "--remove-section", ".note.gnu.build-id", path)
    elif what == "unreadable":
        how = as_nobody(case)
        os.chmod(case.file("vmlinux"), 0)
    elif what != "missing":
        case.file("vmlinux", {"empty": b"", "text": b"hello\n" * 99,
                              "vmlinuz": b"MZ" + bytes(9999)}[what])
    dump = copy_of_dump(case)
    ran = case.run("-j", "--vmlinux", path, dump, status=3, limit=10, **how)
    error, = ran.doc["errors"]
    equal(ran.messages, ["arenasnap: %s: %s" % (dump, error["text"])], "stderr")
    expect("vmlinux " + path in error["text"], "%s", error["text"])


@test
def vmlinux_takes_exactly_one_vmcore(case):
    path = vmcore(case, OLD)
    ran = case.run("--vmlinux", "x", path, path, status=2)
    equal(ran.out, b"", "stdout")
    expect("--vmlinux takes exactly one" in ran.messages[0], "%s", ran.messages)


@test
def vmlinux_without_a_file_is_usage(case):
    case.run(vmcore(case, OLD), "--vmlinux", status=2)


@test
def vmlinux_that_is_cut_anywhere_does_no_harm(case):
    vmlinux, path = small_vmlinux(case), lossy(case, "both")
    with open(vmlinux, "rb") as f:
        data = f.read()
    for n in (1, 16, 63, 64, 65, 4096, len(data) // 2, len(data) - 4096, len(data) - 1):
        case.run("-j", "--vmlinux", case.file("cut", data[:n]), path, status=3, limit=10)
