# SPDX-License-Identifier: GPL-2.0-or-later
"""What the crash has to do with arenas: recorded dumps whose CPU is given registers that point
into arenas of the truth, by writing them into the file's notes."""

import struct

from cli_dumps import ARM, NEW, OLD, Kdump, Truth, vmcore
from cli_run import U32, equal, expect, test, test_each

# Places in pr_reg: struct user_regs_struct of x86_64, struct user_pt_regs of aarch64.
X86 = {"r12": 3, "rax": 10, "rdi": 14}
ARM64 = {"x28": 28, "x0": 0, "x1": 1}
NAMES = {OLD: (X86, "r12", "rdi", "rax"), NEW: (X86, "r12", "rdi", "rax"),
         ARM: (ARM64, "x28", "x1", "x0")}
PR_REG = 112        # in struct elf_prstatus
QEMU_CR2 = 408      # in struct QEMUCPUState


def crashed(case, name, registers, cr2=None):
    """A copy of a dump whose first CPU has these registers."""
    kdump = Kdump(vmcore(case, name))
    data = bytearray(kdump.data)
    note = data.index(b"CORE\0\0\0\0", kdump.notes[0]) + 8
    for register, value in registers.items():
        struct.pack_into("<Q", data, note + PR_REG + 8 * NAMES[name][0][register], value)
    if cr2 is not None:
        note = data.index(b"QEMU\0\0\0\0", kdump.notes[0]) + 8
        struct.pack_into("<Q", data, note + QEMU_CR2, cr2)
    return case.file("crashed", bytes(data))


def placed(truth):
    """An arena with a page that lies in its window in the kernel, not at its begin."""
    for arena in truth.arenas:
        for page in arena.pages:
            if page.kernel and page.kind == "page" and page.user & U32 >= truth.page_size:
                return arena, page
    raise AssertionError("no such arena in the truth")


@test_each(OLD, NEW, ARM)
def crash_of_registers_in_an_arena(case, name):
    truth = Truth(name)
    arena, page = placed(truth)
    _, base, pointer, low = NAMES[name]
    path = crashed(case, name, {base: arena.kern_vm_start, pointer: page.kernel + 8,
                                low: (page.user & U32) + 16})
    crash = case.run("-j", path).doc["crash"]
    equal((crash["registers"], crash["more"]), ("prstatus", 0), "registers")
    told = {(h["register"], h["form"]): h for h in crash["hits"] if h["arena"] == arena.id}
    equal(set(told), {(base, "base"), (pointer, "kernel"), (low, "low32")}, "hits")
    for hit in crash["hits"]:
        equal(hit["strong"], hit["form"] != "low32", "strong of %s" % hit["register"])
        equal((hit["source"], hit["time_ns"]), ("prstatus", None), "source")
    kernel, half = told[pointer, "kernel"], told[low, "low32"]
    equal((kernel["pgoff"], kernel["offset"], kernel["page"], kernel["stored"]),
          (page.pgoff, 8, "page", True), "kernel address")
    equal((half["pgoff"], half["offset"], half["page"]), (page.pgoff, 16, "page"), "low half")
    equal((told[base, "base"]["pgoff"], told[base, "base"]["page"]), (None, None), "base")


@test_each(OLD, NEW, ARM)
def crash_is_said_above_the_list(case, name):
    truth = Truth(name)
    arena, page = placed(truth)
    _, _, pointer, _ = NAMES[name]
    plain = case.run(vmcore(case, name)).out.decode()
    path = crashed(case, name, {pointer: page.kernel + 8})
    out = case.run(path).out.decode()
    block, _, rest = out.partition("\n\n")
    equal(rest, plain, "the list below")
    lines = block.splitlines()
    equal(len(lines), 2, "lines above")
    expect(lines[0].endswith("%s %x (NT_PRSTATUS), kernel address, mapped" %
                             (pointer, page.kernel + 8)), "%s", lines[0])
    expect(lines[1].split() == ["arena", str(arena.id), arena.name + ",", "pgoff",
                                "%d," % page.pgoff, "byte", "0x8"], "%s", lines[1])
    expect(case.run("-v", path).out.decode().startswith(block + "\n\n"), "not above -v")
    for options in (("--no-headings",), ("-p",), ("-a", "%x" % page.user)):
        out = case.run(*options, path).out.decode()
        equal(out, case.run(*options, vmcore(case, name)).out.decode(), " ".join(options))


@test_each(OLD, NEW, ARM)
def crash_elsewhere_says_nothing(case, name):
    for hit in case.run("-j", vmcore(case, name)).doc["crash"]["hits"]:
        expect(False, "a hit in a dump of a guest that crashed elsewhere: %s", hit)


@test
def crash_is_of_all_arenas(case):
    truth = Truth(OLD)
    arena, page = placed(truth)
    other = next(a for a in truth.arenas if a.id != arena.id)
    path = crashed(case, OLD, {"rdi": page.kernel})
    doc = case.run("-j", "-m", str(other.id), path).doc
    equal([a["id"] for a in doc["arenas"]], [other.id], "arenas")
    equal([h["arena"] for h in doc["crash"]["hits"]], [arena.id], "hits")


@test
def crash_by_cr2_of_qemu(case):
    truth = Truth(NEW)
    arena, page = placed(truth)
    path = crashed(case, NEW, {}, cr2=page.kernel + 0x10)
    hits = case.run("-j", path).doc["crash"]["hits"]
    equal([(h["source"], h["register"], h["arena"], h["pgoff"], h["offset"], h["strong"])
           for h in hits], [("cr2", "cr2", arena.id, page.pgoff, 0x10, True)], "hits")
    # as a process leaves it when it touches a page for the first time
    path = crashed(case, NEW, {}, cr2=page.user)
    hits = [h for h in case.run("-j", path).doc["crash"]["hits"] if h["arena"] == arena.id]
    equal([(h["form"], h["pgoff"], h["strong"]) for h in hits], [("user", page.pgoff, False)], "hits")
    equal(case.run(path).out, case.run(vmcore(case, NEW)).out, "the list")


@test_each(OLD, NEW, ARM)
def crash_is_in_reduced_dumps(case, name):
    truth = Truth(name)
    _, page = placed(truth)
    path = crashed(case, name, {NAMES[name][2]: page.kernel})
    small = case.path("small")
    case.run("--reduce", small, path)
    equal(case.run("-j", small).doc["crash"], case.run("-j", path).doc["crash"], "crash")
