# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded dumps, the truth about them, and changed copies: filtered, patched, as ELF.

All facts come from the truth that the guest printed, or from the bytes of the dump; nothing
here asks arenasnap.
"""

import json
import os
import struct
import zlib

from cli_run import REPO, U32

VMCORES = os.path.join(REPO, "fixtures", "vmcores")
CHECK_TRUTH = os.path.join(REPO, "fixtures", "guest", "check-truth.py")
OLD = "x86_64-6.12-panic-d31"
NEW = "x86_64-7.3-qemu"
ARM = "aarch64-16k-7.3-panic-d31"
RECORDED = (OLD, NEW, ARM)
LOST = "x86_64-7.3-panic-4cpu-lost"     # a filter took most structs and nodes: see cli_lost.py

DESC = struct.Struct("<QIIQ")       # struct page_desc: offset, size, flags, page_flags
ZLIB = 1


def vmcore(case, name):
    """Path of a recorded dump."""
    return os.path.join(VMCORES, name + ".kdump")


def truth_path(name):
    return os.path.join(VMCORES, name + ".kdump.truth.json")


class Page:
    def __init__(self, pgoff, user, kernel, phys, kind, crc):
        self.pgoff, self.user, self.kernel = pgoff, user, kernel
        self.phys, self.kind, self.crc = phys, kind, crc    # phys: None where it is not known


class Arena:
    """One arena of the truth. map, kern_vm_start: None where the guest could not know them."""

    def __init__(self, told, page_size):
        self.id, self.name, self.max_entries = told["id"], told["name"], told["max_entries"]
        for key in ("map_extra", "map_flags", "user_vm_start", "user_vm_end", "map",
                    "kern_vm_start"):
            setattr(self, key, int(told[key], 0) if key in told else None)
        self.declared = min(self.max_entries, (1 << 32) // page_size)
        self.pages = [self.page(run["pgoff"] + i, page_size, int(run["phys"], 0) + i * page_size,
                                None, int(run["crc32"][i], 0) if i < len(run["crc32"]) else None)
                      for run in told["runs"] for i in range(run["n"])]
        self.pages += [self.page(pgoff, page_size, None, "scratch", None)
                       for pgoff in told["scratch"]]
        self.pages.sort(key=lambda page: page.pgoff)
        self.by_pgoff = {page.pgoff: page for page in self.pages}
        self.by_kernel = {page.kernel: page for page in self.pages}

    def page_of(self, told):
        """The page that one of JSON is, by pgoff, else by kernel address; None: there is none."""
        if told["pgoff"] is not None:
            return self.by_pgoff.get(told["pgoff"])
        return self.by_kernel.get(int(told["kernel"], 16))

    def page(self, pgoff, page_size, phys, kind, crc):
        user = self.user_vm_start + pgoff * page_size
        kernel = None if self.kern_vm_start is None else self.kern_vm_start + (user & U32)
        kind = kind or ("page" if pgoff < self.declared else "outside")
        return Page(pgoff, user, kernel, phys, kind, crc)

    def count(self, kind):
        return sum(1 for page in self.pages if page.kind == kind)

    @property
    def flags(self):
        return ("S" if self.count("scratch") else "") + ("O" if self.count("outside") else "")


class Truth:
    def __init__(self, name):
        with open(truth_path(name), encoding="utf-8") as f:
            told = json.load(f)
        self.release, self.machine = told["release"], told["machine"]
        self.page_size = told["page_size"]
        self.symbols = {name: int(value, 0) for name, value in told["symbols"].items()}
        self.iomem = told["iomem"]
        self.arenas = [Arena(a, self.page_size) for a in told["arenas"]]
        self.by_id = {arena.id: arena for arena in self.arenas}

    def of(self, row):
        """The arena that a row of JSON is, by its id, else by its window; None: there is none."""
        if row["id"] is not None:
            return self.by_id.get(row["id"])
        start = int(row["kern_vm_start"], 16)
        return next((a for a in self.arenas if start and a.kern_vm_start == start), None)

    def named(self, name):
        return next(arena for arena in self.arenas if arena.name == name)

    def image_phys(self, symbol):
        """Physical address of a symbol of the kernel's image."""
        code = next(line for line in self.iomem if line.endswith(": Kernel code"))
        return int(code.split("-")[0], 16) + self.symbols[symbol] - self.symbols["_text"]


class Kdump:
    """A kdump-compressed file with zlib or plain pages, in memory."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        self.block, sub, blocks, pages = struct.unpack_from("<iiII", self.data, 428)
        self.bitmap = (1 + sub) * self.block
        self.half = blocks * self.block // 2
        self.descs = self.bitmap + 2 * self.half
        self.vmcoreinfo = struct.unpack_from("<QQ", self.data, self.block + 32)
        self.notes = struct.unpack_from("<QQ", self.data, self.block + 48)
        self.desc = {}
        bits = self.data[self.bitmap + self.half:self.descs]
        for byte, value in enumerate(bits):
            for bit in range(8) if value else ():
                if value >> bit & 1 and byte * 8 + bit < pages:
                    self.desc[byte * 8 + bit] = DESC.unpack_from(
                        self.data, self.descs + DESC.size * len(self.desc))

    def page(self, pfn):
        offset, size, flags, _ = self.desc[pfn]
        data = self.data[offset:offset + size]
        return zlib.decompress(data) if flags & ZLIB else data

    def read(self, phys, n):
        at = phys % self.block
        return self.page(phys // self.block)[at:at + n]

    def u64(self, phys):
        return struct.unpack("<Q", self.read(phys, 8))[0]

    def save(self, path, without=(), changed=None, zero_descs=()):
        """A copy without some pages, as a filter leaves them out, or with other contents.

        changed: {phys: bytes}, each within one page. zero_descs: pfns that have a descriptor
        of zeros, as in a dump that could not be finished.
        """
        pages = {}
        for phys, data in (changed or {}).items():
            pfn, at = divmod(phys, self.block)
            page = pages.setdefault(pfn, bytearray(self.page(pfn)))
            page[at:at + len(data)] = data
        bitmap = bytearray(self.data[self.bitmap + self.half:self.descs])
        table, extra = bytearray(), bytearray()
        for pfn in without:
            if pfn in self.desc:
                bitmap[pfn // 8] &= ~(1 << pfn % 8)
        # descriptors only get fewer, so pages may stay where they are
        for pfn, (offset, size, flags, other) in self.desc.items():
            if pfn in without:
                continue
            if pfn in pages:
                offset, size, flags = len(self.data) + len(extra), self.block, 0
                extra += pages[pfn]
            if pfn in zero_descs:
                offset = size = flags = 0
            table += DESC.pack(offset, size, flags, other)
        end = self.descs + DESC.size * len(self.desc)
        with open(path, "wb") as f:
            f.write(self.data[:self.bitmap + self.half] + bitmap)
            f.write(table.ljust(end - self.descs, b"\0"))
            f.write(self.data[end:])
            f.write(extra)

    def save_elf(self, path):
        """The same memory as an ELF core; pages of zeros become holes of the file system."""
        note = self.data[self.notes[0]:sum(self.notes)]
        runs = []
        for pfn in sorted(self.desc):
            if runs and sum(runs[-1]) == pfn:
                runs[-1][1] += 1
            else:
                runs.append([pfn, 1])
        headers = 64 + 56 * (1 + len(runs))
        at = -(-(headers + len(note)) // self.block) * self.block
        with open(path, "wb") as f:
            f.write(b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
                "<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 1 + len(runs), 0, 0, 0))
            f.write(struct.pack("<IIQQQQQQ", 4, 0, headers, 0, 0, len(note), len(note), 0))
            for pfn, n in runs:
                f.write(struct.pack("<IIQQQQQQ", 1, 7, at, 0, pfn * self.block, n * self.block,
                                    n * self.block, 0))
                at += n * self.block
            f.write(note)
            at = -(-f.tell() // self.block) * self.block
            for pfn, n in runs:
                for i in range(n):
                    page = self.page(pfn + i)
                    if page.count(0) != self.block:
                        f.seek(at)
                        f.write(page)
                    at += self.block
            f.truncate(at)

    def save_parts(self, paths):
        """The same as parts of makedumpfile --split, one for each path."""
        pages, = struct.unpack_from("<Q", self.data, self.block + 96)
        pages = pages or struct.unpack_from("<I", self.data, 440)[0]
        order = sorted(self.desc)
        for i, path in enumerate(paths):
            # an even share of the stored pages
            start = order[len(order) * i // len(paths)] if i else 0
            end = order[len(order) * (i + 1) // len(paths)] if i + 1 < len(paths) else pages
            head = bytearray(self.data[:self.descs])
            struct.pack_into("<IQQ", head, self.block + 12, 1, start, end)
            struct.pack_into("<QQ", head, self.block + 80, start, end)
            at = self.descs + DESC.size * len(order)
            table, data = bytearray(), bytearray()
            for pfn in order:
                offset, size, flags, other = self.desc[pfn]
                if not start <= pfn < end:
                    continue
                table += DESC.pack(at + len(data), size, flags, other)
                data += self.data[offset:offset + size]
            with open(path, "wb") as f:
                # descriptors of this range alone, but room for all of them
                f.write(head + table.ljust(DESC.size * len(order), b"\0") + data)

    def borders(self):
        """Where parts of the file begin and end."""
        n = DESC.size * len(self.desc)
        first = min(offset for offset, _, _, _ in self.desc.values())
        return [464, self.block, self.block + 104, self.notes[0], sum(self.notes),
                self.vmcoreinfo[0], sum(self.vmcoreinfo), self.bitmap, self.bitmap + self.half,
                self.descs, self.descs + DESC.size, self.descs + n // 48 * 24, self.descs + n,
                first]


FLAT_HEAD = b"makedumpfile".ljust(16, b"\0") + struct.pack(">qq", 1, 1)


def flatten(data, path, piece=1 << 20):
    """data as makedumpfile -F writes it: pieces with their places, the first one again last."""
    with open(path, "wb") as f:
        f.write(FLAT_HEAD.ljust(4096, b"\0"))
        for at in list(range(0, len(data), piece)) + [0]:
            part = data[at:at + piece]
            f.write(struct.pack(">qq", at, len(part)) + part)
        f.write(struct.pack(">qq", -1, -1))


def elf_borders(path):
    with open(path, "rb") as f:
        head = f.read(1 << 20)
    count, = struct.unpack_from("<H", head, 56)
    borders = [64, 64 + 56, 64 + 56 * count]
    for i in range(count):
        _, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", head, 64 + 56 * i)
        borders += [offset, offset + size]
    return borders


class Memory:
    """Kernel memory of a recorded x86_64 dump with 4 levels, by the truth's symbols."""

    def __init__(self, case, name):
        self.kdump = Kdump(vmcore(case, name))
        self.truth = Truth(name)
        self.page_offset = self.kdump.u64(self.truth.image_phys("page_offset_base"))
        self.top = self.truth.image_phys("init_top_pgt")

    def linear(self, va):
        """Physical address of what lies in the direct map, such as struct bpf_arena."""
        return va - self.page_offset

    def tables(self, va):
        """Physical addresses of the page-table pages for va, from the top down to PTEs."""
        found = [self.top]
        for shift in (39, 30, 21):
            entry = self.kdump.u64(found[-1] + (va >> shift & 511) * 8)
            if not entry & 1 or entry & 0x80:
                break
            found.append(entry & 0xffffffffff000)
        return found


def memory(case, name=NEW):
    key = "memory of " + name
    if key not in case.setup.made:
        case.setup.made[key] = Memory(case, name)
    return case.setup.made[key]


def elf(case):
    """The recorded 7.3 dump as an ELF core."""
    return case.setup.once("x86_64-7.3.elf", lambda path: memory(case).kdump.save_elf(path))
