# SPDX-License-Identifier: GPL-2.0-or-later
"""The stored pages of a kdump file of zlib or plain pages, read without anything of ours."""

import struct
import zlib

DESC = struct.Struct("<QIIQ")   # offset, size, flags, page flags


class RawDump:
    """A kdump-compressed file, not split: which pages it stores, and what is in them"""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = f.read()
        if self.data[:8] != b"KDUMP   ":
            raise ValueError("%s: no kdump-compressed file" % path)
        self.page_size, sub, bitmap_blocks, _ = struct.unpack_from("<iiII", self.data, 428)
        first = (1 + sub) * self.page_size
        half = bitmap_blocks * self.page_size // 2
        self.descs = first + 2 * half
        bitmap = self.data[first + half:self.descs]
        self.rank = {}                  # of a stored pfn: the number of its descriptor
        for byte, bits in enumerate(bitmap):
            for bit in range(8) if bits else ():
                if bits >> bit & 1:
                    self.rank[8 * byte + bit] = len(self.rank)
        self.last = (None, b"")         # zero pages share one block

    def stored(self, phys):
        return phys // self.page_size in self.rank

    def page(self, pfn):
        place = self.descs + DESC.size * self.rank[pfn]
        offset, size, flags, _ = DESC.unpack_from(self.data, place)
        if self.last[0] != offset:
            packed = self.data[offset:offset + size]
            if flags & ~1:
                raise ValueError("page %#x is packed otherwise than by zlib" % pfn)
            self.last = (offset, zlib.decompress(packed) if flags & 1 else packed)
        return self.last[1]

    def word(self, phys):
        """The 8 bytes at a physical address, None if they are not stored"""
        pfn, offset = divmod(phys, self.page_size)
        if pfn not in self.rank:
            return None
        return struct.unpack_from("<Q", self.page(pfn), offset)[0]

    def find(self, wanted):
        """Where aligned words of a set lie: word -> physical addresses"""
        places = {word: [] for word in wanted}
        words = struct.Struct("<%dQ" % (self.page_size // 8))
        for pfn in self.rank:
            page = words.unpack(self.page(pfn))
            if wanted.isdisjoint(page):
                continue
            for i, word in enumerate(page):
                if word in places:
                    places[word].append(pfn * self.page_size + 8 * i)
        return places
