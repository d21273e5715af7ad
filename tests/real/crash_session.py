# SPDX-License-Identifier: GPL-2.0-or-later
"""A crash session with arena.so: what is asked, what comes back, and dumps for it."""

import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

from answers import first_difference  # noqa: E402
from cli_dumps import OLD, VMCORES, Kdump, Truth  # noqa: E402
from harness import CACHE, GUEST, Skip, expect, run  # noqa: E402
from in_crash import MINIMAL, need_crash, session  # noqa: E402,F401

K612, K73 = "6.12.107+deb13-amd64", "7.3.4+deb13-amd64"
MARK = "== %s =="


class File:
    """A dump by its path, as in_crash.session() wants it. Of a split set: all its parts"""

    def __init__(self, path, *more):
        self.path, self.parts, self.truth = path, [path, *more], path + ".truth.json"

    def load_truth(self):
        with open(need(self.truth), encoding="utf-8") as f:
            return json.load(f)


def need(path):
    if not os.path.exists(path):
        raise Skip("there is no %s" % path)
    return path


def vmlinux(release):
    """In the cache: in_crash.vmlinux_of() fetches one where a check of run.sh wants it"""
    got = subprocess.run([os.path.join(HERE, "vmlinux.sh"), "-n", release],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if got.returncode:
        raise Skip("there is no vmlinux of %s in the cache: tests/real/vmlinux.sh %s gets it" %
                   (release, release))
    return got.stdout.decode().strip()


def recorded(name=OLD):
    return File(os.path.join(VMCORES, name + ".kdump"))


def made(name, parts=1):
    path = os.path.join(CACHE, "dumps", name)
    return File(need(path), *[need("%s.%d" % (path, i)) for i in range(2, parts + 1)])


def made_or(name, other):
    try:
        return made(name)
    except Skip:
        return other


def ask(version, release, dump, *commands, options=None, extension=None):
    """What crash prints for each command"""
    need_crash(version)
    marked = []
    for i, command in enumerate(commands):
        marked += ["!echo '%s'" % (MARK % i), command]
    marked += ["!echo '%s'" % (MARK % len(commands))]
    lines = session(version, vmlinux(release), dump, marked, options, extension)
    places = [i for i, line in enumerate(lines) if re.fullmatch("== [0-9]+ ==", line)]
    expect(len(places) == len(commands) + 1, "the session ended early: %s", lines[-3:])
    return [lines[a + 1:b] for a, b in zip(places, places[1:])]


def bare(doc):
    return {key: value for key, value in doc.items() if key not in ("tool", "vmcore")}


def hold(got, want):
    expect(bare(got) == bare(want), "arenasnap, crash: %s",
           first_difference(bare(want), bare(got)))


def json_of(lines):
    expect(len(lines) == 1, "%d lines: %s", len(lines), lines[:2])
    return json.loads(lines[0])


def hold_truth(dump, output, pages=None, lost=False):
    """The sum of check-truth.py; all arenas, if @lost is not set"""
    argv = [sys.executable, os.path.join(GUEST, "check-truth.py"), "--max", "3"]
    argv += ["--pages", pages] if pages else []
    argv += ["--allow-lost"] if lost else []
    ran = run(argv + [dump.truth, output], limit=600)
    lines = ran.out.decode().splitlines()
    expect(not ran.status, "%s", "; ".join(lines))
    found = re.match(r"arenas (\d+) of (\d+), pages (\d+) of (\d+),", lines[-1])
    expect(lost or found and found[1] == found[2] and found[3] == found[4], "%s", lines[-1])
    return lines[-1].split(", fields")[0]


def hold_doc_to_truth(dump, doc, folder, lost=False):
    output = os.path.join(folder, "out.json")
    with open(output, "w", encoding="utf-8") as f:
        json.dump(doc, f)
    return hold_truth(dump, output, lost=lost)


def without_symbols(tmp, what):
    """The recorded 6.12 dump without its BTF (types), its kallsyms (symbols), or both"""
    kdump, truth = Kdump(recorded().path), Truth(OLD)
    pairs = {"types": [("__start_BTF", "__stop_BTF")],
             "symbols": [("kallsyms_num_syms", "kallsyms_offsets")]}
    pairs["both"] = pairs["types"] + pairs["symbols"]
    gone = set()
    for first, last in pairs[what]:
        gone |= set(range(truth.image_phys(first) // kdump.block,
                          (truth.image_phys(last) - 1) // kdump.block + 1))
    path = os.path.join(tmp, "vmcore")
    kdump.save(path, without=gone)
    return File(path)
