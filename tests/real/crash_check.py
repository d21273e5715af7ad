#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the command in crash: text, files, losses, aborts.

usage: crash_check.py [WORD]...

  WORD  only checks with WORD in their name, such as `8.0.6`, `types`, `aborts`, `lossy`

Wants the dumps and vmlinux files of run.sh in ARENA_CACHE; what is not there is skipped.
"""

import fcntl
import json
import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

from answers import first_difference  # noqa: E402
from cli_dumps import OLD, VMCORES, Kdump, Memory, Truth  # noqa: E402
from harness import (ARENA_SO, CACHE, GUEST, Report, Skip, Wrong, arenasnap, expect,  # noqa: E402
                     one_object, run, scratch_dir)
from in_crash import MINIMAL, VERSIONS, need_crash, session  # noqa: E402

K612, K73 = "6.12.107+deb13-amd64", "7.3.4+deb13-amd64"
MARK = "== %s =="


class File:
    """A dump by its path, as in_crash.session() wants it"""

    def __init__(self, path):
        self.path, self.truth = path, path + ".truth.json"


def need(path):
    if not os.path.exists(path):
        raise Skip("there is no %s" % path)
    return path


def vmlinux(release):
    return need(os.path.join(CACHE, "vmlinux", release))


def recorded():
    return File(os.path.join(VMCORES, OLD + ".kdump"))


def made(name):
    return File(need(os.path.join(CACHE, "dumps", name)))


def ask(version, release, dump, *commands):
    """What crash prints for each command"""
    need_crash(version)
    marked = []
    for i, command in enumerate(commands):
        marked += ["!echo '%s'" % (MARK % i), command]
    marked += ["!echo '%s'" % (MARK % len(commands))]
    lines = session(version, vmlinux(release), dump, marked)
    places = [i for i, line in enumerate(lines) if re.fullmatch("== [0-9]+ ==", line)]
    expect(len(places) == len(commands) + 1, "the session ended early: %s", lines[-3:])
    return [lines[a + 1:b] for a, b in zip(places, places[1:])]


def bare(doc):
    return {key: value for key, value in doc.items() if key not in ("tool", "vmcore")}


def hold(got, want):
    expect(bare(got) == bare(want), "arenasnap, crash: %s", first_difference(bare(want), bare(got)))


def json_of(lines):
    expect(len(lines) == 1, "%d lines: %s", len(lines), lines[:2])
    return json.loads(lines[0])


def hold_truth(dump, output, pages=None):
    argv = [sys.executable, os.path.join(GUEST, "check-truth.py"), "--max", "3"]
    argv += ["--pages", pages] if pages else []
    ran = run(argv + [dump.truth, output], limit=600)
    lines = ran.out.decode().splitlines()
    expect(not ran.status, "%s", "; ".join(lines))
    return lines[-1].split(", fields")[0]


def text_and_files(version, release, dump):
    """arena, -v, -p, --runs, -m, -j and -o: the same text and the same files as arenasnap's"""
    asked = [[], ["-v"], ["-p"], ["-p", "--runs", "--no-headings"], ["-m", "twin"],
             ["-p", "--max-pages", "2", "-m", "twin", "-m", "dense"]]
    with scratch_dir() as tmp:
        there, here = os.path.join(tmp, "crash"), os.path.join(tmp, "batch")
        *texts, told, _ = ask(version, release, dump, *[" ".join(["arena"] + a) for a in asked],
                              "arena -j -p", "arena -o %s" % there)
        for options, text in zip(asked, texts):
            want = arenasnap(*options, dump.path).out.decode().splitlines()
            expect(text == want, "arena %s: %s", " ".join(options),
                   first_difference(want, text) if len(want) == len(text) else text[:2])
        hold(json_of(told), one_object(arenasnap("-j", "-p", dump.path), "-j -p"))
        arenasnap("-o", here, dump.path, limit=600)
        expect(sorted(os.listdir(there)) == sorted(os.listdir(here)), "files differ")
        for name in os.listdir(here):       # what is in them the truth knows; holes are 4 GiB
            sizes = [os.stat(os.path.join(x, name)) for x in (here, there)]
            expect(name == "snapshot.json" or sizes[0].st_size == sizes[1].st_size and
                   sizes[0].st_blocks == sizes[1].st_blocks, "%s differs in size", name)
        return hold_truth(dump, os.path.join(there, "snapshot.json"), there)


def true_here_alone(version, dump):
    """A dump that arenasnap does not answer (no note), or reads by way of a copy (flattened)"""
    told, = ask(version, K612, dump, "arena -j -p")
    doc = json_of(told)
    expect(doc["status"] == "complete", "errors: %s", doc["errors"])
    with scratch_dir() as tmp:
        output = os.path.join(tmp, "out.json")
        with open(output, "w", encoding="utf-8") as f:
            json.dump(doc, f)
        return hold_truth(dump, output)


def without_symbols(tmp, what):
    """The recorded 6.12 dump without its BTF, its kallsyms, or both"""
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


def crash_stands_in(version, what):
    """The dump does not name its types or symbols: crash's do, and -v says so"""
    with scratch_dir() as tmp:
        dump = without_symbols(tmp, what)
        told, text = ask(version, K612, dump, "arena -j -p", "arena -v -m one")
        hold(json_of(told), one_object(arenasnap("-j", "-p", recorded().path), "-j -p"))
        for line, name in (("types:", "types"), ("symbols:", "symbols")):
            if what in (name, "both"):
                expect(any(line in x and "vmlinux" in x for x in text), "-v: %s", text[:8])


def wrong_vmlinux(version):
    """--minimal takes any vmlinux: it is told, and not believed"""
    told, text = ask(version, K73, recorded(), "arena -j -p", "arena")
    hold(json_of(told), one_object(arenasnap("-j", "-p", recorded().path), "-j -p"))
    expect(any("another kernel" in line for line in text), "not a word: %s", text[-1:])
    with scratch_dir() as tmp:
        try:
            told, = ask(version, K73, without_symbols(tmp, "types"), "arena -j")
        except Wrong as why:
            # without arena.so, too: where the wrong vmlinux has its variables there is a hole
            expect("ended early: []" in str(why), "%s", why)
            return "crash itself does not open the one without BTF"
        doc = json_of(told)
        expect(doc["status"] == "failed" and "another kernel" in doc["errors"][0]["text"],
               "answered: %s", doc["errors"])


class Setup:
    """What cli_dumps.Memory asks of a test case: nothing, for a dump that is not packed"""


def lossy(version, which):
    """A page of tables, or a leaf of map_idr, is excluded: said, and the others are right"""
    memory = Memory(Setup(), OLD)
    kdump, truth = memory.kdump, memory.truth
    if which == "table":
        gone = memory.tables(truth.named("dense").pages[0].kernel)[-1]
    else:
        root = kdump.u64(truth.image_phys("map_idr") + 8) & ~3
        node = memory.linear(root)
        # struct xa_node: slots behind shift, offset, count, nr_values, parent, array, list
        leaves = [memory.linear(kdump.u64(node + 40 + 8 * i) & ~3) for i in (0, 1)]
        pages = {leaf // kdump.block for leaf in leaves} | {node // kdump.block}
        if len(pages) == 1:
            raise Skip("all nodes of map_idr are on one page of this dump")
        gone = next(leaf for leaf in leaves if leaf // kdump.block != node // kdump.block)
    with scratch_dir() as tmp:
        path = os.path.join(tmp, "vmcore")
        kdump.save(path, without={gone // kdump.block})
        told, text, after = ask(version, K612, File(path), "arena -j -p", "arena", "arena -m one")
        doc = json_of(told)
        hold(doc, one_object(arenasnap("-j", "-p", path), "-j -p"))
        expect(doc["errors"] and doc["errors"][0]["code"] == "excluded", "errors: %s",
               doc["errors"])
        expect(any("excluded" in line for line in text), "not said: %s", text[-2:])
        expect(after, "the session does not live")
        return "%d of %d arenas" % (len(doc["arenas"]), len(truth.arenas))


class Terminal:
    """A crash session on a pty"""

    def __init__(self, version, release, dump, scroll):
        argv = [os.path.join(HERE, "crash.sh"), version, "-s"]
        argv += MINIMAL.get(version, ["--minimal"]) + [vmlinux(release), dump.path]
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="vt100", LINES="24", COLUMNS="100")
            os.execv(argv[0], argv)
        self.seen = ""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.wait("crash> ", 120)
        self.ask("set scroll %s" % scroll)
        self.ask("extend " + ARENA_SO)

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                data = b""
            expect(data, "the session ended: %s", self.seen[-200:])
            self.seen += data.decode(errors="replace")

    def wait(self, text, limit=60):
        end = time.monotonic() + limit
        while text not in self.seen:
            expect(time.monotonic() < end, "no '%s' after %d s: %s", text, limit, self.seen[-200:])
            self.read(1)
        before, _, self.seen = self.seen.partition(text)
        expect("segmentation violation" not in before, "segmentation violation")
        return before

    def type(self, text):
        os.write(self.fd, text.encode())

    def ask(self, command, limit=60):
        self.type(command + "\n")
        return self.wait("crash> ", limit)

    def crash_pid(self):
        """crash itself: crash.sh and suite-run.sh become it, or wait for it"""
        pids, found = [self.pid], self.pid
        while pids:
            found = pids.pop()
            with open("/proc/%d/task/%d/children" % (found, found), encoding="ascii") as f:
                pids = [int(pid) for pid in f.read().split()]
        return found

    def memory_kb(self):
        with open("/proc/%d/status" % self.crash_pid(), encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def close(self):
        self.type("quit\n")
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def aborts(version):
    """SIGINT at random instants of a hundred commands; then reloads; memory is flat"""
    need_crash(version)
    rand = random.Random(10)
    with scratch_dir() as tmp:
        t = Terminal(version, K612, recorded(), "off")
        t.ask("arena -j -p")
        stopped, first = 0, 0
        for i in range(100):
            out = os.path.join(tmp, "out")
            if i % 5 == 0:      # the kernel is opened anew: that is interrupted, too
                t.ask("extend -u " + ARENA_SO)
                t.ask("extend " + ARENA_SO)
            t.type(("arena -p -o %s\n" % out) if i % 2 else "arena -p\n")
            time.sleep(rand.random() * 0.12)
            os.kill(t.crash_pid(), signal.SIGINT)
            # one that came before or after the command makes crash print a prompt of its own
            said = t.wait("crash> ")
            t.type("eval 7\n")
            said += t.wait("decimal: 7")
            t.wait("crash> ")
            while True:
                seen = len(t.seen)
                t.read(0.02)
                if len(t.seen) == seen:
                    break
            stopped += "(interrupted)" in said
            if os.path.isdir(out):
                left = [name for name in os.listdir(out) if name.startswith(".")]
                expect(not left and os.path.exists(os.path.join(out, "snapshot.json")),
                       "left in the folder: %s", left)
                shutil.rmtree(out)
            if i == 20:
                first = t.memory_kb()
        for _ in range(10):
            t.ask("extend -u " + ARENA_SO)
            t.ask("extend " + ARENA_SO)
        expect("huge4g" in t.ask("arena"), "arena does not answer any more")
        grown = t.memory_kb() - first
        t.close()
    expect(stopped >= 10, "only %d commands were interrupted", stopped)
    expect(grown < 4096, "memory grew by %d KiB", grown)
    return "%d interrupted, memory %+d KiB" % (stopped, grown)


def pager_quit(version):
    """q in the middle of a long listing"""
    need_crash(version)
    pager = next((p for p in ("less", "more") if os.access("/usr/bin/" + p, os.X_OK)), None)
    if not pager:
        raise Skip("there is neither less nor more")
    t = Terminal(version, K612, recorded(), pager)
    t.ask("set scroll on")
    for _ in range(3):
        t.type("arena -p\n")
        t.wait("arena 2 ")
        while select.select([t.fd], [], [], 0.3)[0]:
            t.read(1)
        expect("twin" not in t.seen, "there is no pager: %s", t.seen[-200:])
        t.type("q")
        t.wait("crash> ")
    t.ask("set scroll off")
    expect("huge4g" in t.ask("arena"), "arena does not answer any more")
    t.close()


def main():
    report = Report(sys.argv[1:])
    for version in VERSIONS:
        def check(name, function, *args, version=version):
            report.check("crash %s %s" % (version, name), function, version, *args)
        check("text and files 6.12", text_and_files, K612, recorded())
        report.check("crash %s text and files 7.3" % version, lambda v: text_and_files(
            v, K73, made("x86_64-7.3-qemu.elf")), version)
        report.check("crash %s noinfo" % version, lambda v: true_here_alone(
            v, made("x86_64-6.12-qemu-noinfo.elf")), version)
        report.check("crash %s flattened" % version, lambda v: true_here_alone(
            v, made("x86_64-6.12-panic-flat.kdump")), version)
        for what in ("types", "symbols", "both"):
            check("stands in for " + what, crash_stands_in, what)
        check("wrong vmlinux", wrong_vmlinux)
        for which in ("table", "leaf"):
            check("lossy " + which, lossy, which)
        check("pager quit", pager_quit)
        check("aborts", aborts)
    return report.summary()


if __name__ == "__main__":
    sys.exit(main())
