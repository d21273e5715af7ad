# SPDX-License-Identifier: GPL-2.0-or-later
"""Reduced dumps in the crash prompt: the answers of the whole ones."""

import json
import os

from answers import answered, first_difference
from harness import Dump, arenasnap, expect, hold_against_schema, one_object, scratch_dir
from in_crash import need_crash, session, vmlinux_of


def without_path(doc):
    """An answer, but for who gave it and of which file"""
    return {key: value for key, value in doc.items() if key not in ("tool", "vmcore")}


def reduced(dump, folder):
    small = os.path.join(folder, "small.kdump")
    ran = arenasnap("-q", "--reduce", small, dump.path)
    expect(ran.status in (0, 1), "--reduce: status %d: %s", ran.status,
           ran.err.decode(errors="replace"))
    return Dump(small, dump.truth, dump.tags)


def reduced_in_crash(dump, version):
    """crash --minimal opens the reduced dump, and `arena -j -p` there is that of the whole one"""
    need_crash(version)
    vmlinux = vmlinux_of(dump)
    with scratch_dir() as folder:
        lines = session(version, vmlinux, reduced(dump, folder), ["arena -j -p"])
    objects = [line for line in lines if line.startswith("{")]
    expect(len(objects) == 1, "%d JSON lines, not 1; crash says: %s", len(objects),
           " | ".join(lines[-3:]))
    there = json.loads(objects[0])
    hold_against_schema(there, "arena -j -p")
    here = one_object(answered(arenasnap("-j", "-p", dump.path)), "-j -p")
    expect(without_path(here) == without_path(there), "whole, reduced in crash: %s",
           first_difference(without_path(here), without_path(there)))
    return "%d arenas" % len(there["arenas"])
