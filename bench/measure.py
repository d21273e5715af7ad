#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure arenasnap on real dumps, each figure beside its target.

usage: run.sh [-n RUNS]

CPU is user and system time of the process and its workers, the median of RUNS
runs. The ratio to drgn is taken in one go, so that it does not depend on the
machine. Dumps, drgn and vmlinux come from the cache of tests/real or are fetched
into it. Status 1 when a target is missed.
"""

import argparse
import glob
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(HERE)
REAL = os.path.join(REPO, "tests", "real")
ARENASNAP = os.environ.get("ARENASNAP") or os.path.join(REPO, "arenasnap")
BENCH_SCAN = os.path.join(REPO, "build", "plain", "bench_scan")
CACHE = os.environ.get("ARENA_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "arena")
TIME = shutil.which("time", path="/usr/bin:/bin")
MIB = 1024


class Missing(Exception):
    """Something to measure with cannot be had; the text says what."""


class Table:
    """The lines, and whether all targets are met."""

    def __init__(self):
        self.over = 0

    def line(self, what, measured, target, met):
        self.over += not met
        print("%-62s %18s  target %-10s %s" % (what, measured, target, "PASS" if met else "over"),
              flush=True)

    def note(self, what, measured):
        """A figure without a target, to see where it goes"""
        print("%-62s %18s" % (what, measured), flush=True)

    def skip(self, what, why):
        print("%-62s skipped, because %s" % (what, why), flush=True)


def cpu_of(argv, env=None):
    """CPU seconds of one run, children that it waited for included"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env,
                          check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise Missing("%s: status %d: %s" % (os.path.basename(argv[0]), done.returncode,
                                             lines[-1] if lines else "nothing on stderr"))
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def median_cpu(runs, argv, env=None):
    cpu_of(argv, env)           # the first fills the page cache
    return statistics.median(cpu_of(argv, env) for _ in range(runs))


def peak_mib(argv):
    """Peak memory of the largest process of a run; time(1) itself is small"""
    if not TIME:
        raise Missing("there is no /usr/bin/time")
    with tempfile.NamedTemporaryFile("r") as usage:
        subprocess.run([TIME, "-q", "-f", "%M", "-o", usage.name, *argv],
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        return int(usage.read().split()[0]) / MIB


def dump(pattern):
    """The dump of make-dumps.sh whose name ends so; made if need be"""
    script = os.path.join(REAL, "make-dumps.sh")
    listing = subprocess.run([script, "-l", pattern], stdout=subprocess.PIPE, check=False)
    names = [line.split()[0] for line in listing.stdout.decode().splitlines()]
    if not names:
        raise Missing("make-dumps.sh knows no %s" % pattern)
    path = os.path.join(CACHE, "dumps", names[0])
    if not os.path.exists(path):
        print("making %s" % names[0], file=sys.stderr)
        for name in ("x86_64-*-panic-copy.elf", names[0]):  # others are filtered from the first
            if "panic" in names[0] or name == names[0]:
                subprocess.run([script, name], stdout=sys.stderr, check=False)
    if not os.path.exists(path):
        raise Missing("%s cannot be made" % names[0])
    return path


def truth_of(path):
    with open(path + ".truth.json", encoding="utf-8") as f:
        return json.load(f)


def output_of(argv, what):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        raise Missing("%s: %s" % (what, done.stderr.decode(errors="replace").strip()[-200:]))
    return done.stdout.decode().strip()


def drgn_of(suite, path):
    """argv and environment of drgn_arena.py with the drgn of a Debian suite"""
    run = os.path.join(REAL, "suite-run.sh")
    root = output_of([run, suite, "python3-drgn"], "no drgn")
    python = sorted(glob.glob(os.path.join(root, "usr/bin/python3.[0-9]*")))
    if not python:
        raise Missing("there is no python in the drgn of %s" % suite)
    vmlinux = output_of([os.path.join(REAL, "vmlinux.sh"), truth_of(path)["release"]], "no vmlinux")
    # not through suite-run.sh: its shell would count as CPU of drgn
    libs = ":".join(os.path.join(root, d) for d in ("usr/lib/x86_64-linux-gnu",
                                                    "lib/x86_64-linux-gnu"))
    loader = glob.glob(os.path.join(root, "**/ld-linux-x86-64.so.2"), recursive=True)[0]
    env = dict(os.environ, PYTHONHOME=os.path.join(root, "usr"),
               PYTHONPATH=os.path.join(root, "usr/lib/python3/dist-packages"))
    return [loader, "--library-path", libs, python[-1], os.path.join(HERE, "drgn_arena.py"),
            "-c", path, "-s", vmlinux, "--json"], env


def listing(table, runs):
    """CPU of the list with all pages, alone and beside drgn"""
    path = dump("x86_64-6.*-panic-zlib.kdump")
    name = os.path.basename(path)
    ours = median_cpu(runs, [ARENASNAP, "-j", "-p", path])
    table.line("%s, arenasnap -j -p, CPU" % name, "%.1f ms" % (ours * 1e3), "< 100 ms", ours < 0.1)
    plain = median_cpu(runs, [ARENASNAP, path])
    table.line("%s, arenasnap, CPU" % name, "%.1f ms" % (plain * 1e3), "< 100 ms", plain < 0.1)
    for suite in ("trixie", "forky"):
        what = "%s, arenasnap -j -p : drgn of %s" % (name, suite)
        try:
            argv, env = drgn_of(suite, path)
            theirs = median_cpu(max(3, runs // 3), argv, env)
            table.line(what, "1 : %.1f (%.0f ms)" % (theirs / ours, theirs * 1e3), "<= 1 : 10",
                       ours * 10 <= theirs)
        except Missing as why:
            table.skip(what, why)


def new_kernel(table, runs):
    """From 7.0 on each arena has all its page tables, 2049 of them: that is what costs"""
    path = dump("x86_64-[7-9].*-qemu.elf")
    name = os.path.basename(path)
    ours = median_cpu(max(3, runs // 3), [ARENASNAP, "-j", "-p", path])
    table.note("%s, arenasnap -j -p, CPU" % name, "%.0f ms" % (ours * 1e3))
    argv, env = drgn_of("forky", path)
    theirs = median_cpu(3, argv, env)
    table.note("%s, arenasnap -j -p : drgn of forky" % name,
               "1 : %.1f (%.0f ms)" % (theirs / ours, theirs * 1e3))


def pages_of(arena):
    return sum(run["n"] for run in arena["runs"])


def declared(table, runs):
    """An arena of 4 GiB with few pages must cost what a small one with as many costs"""
    path = dump("x86_64-6.*-panic-zlib.kdump")
    arenas = truth_of(path)["arenas"]
    huge = next(arena for arena in arenas if arena["name"] == "huge4g")
    small = min((arena for arena in arenas if arena["max_entries"] <= 1024 and arena["name"]),
                key=lambda arena: abs(pages_of(arena) - pages_of(huge)))
    cpu = [median_cpu(runs, [ARENASNAP, "-j", "-p", "-m", str(arena["id"]), path])
           for arena in (huge, small)]
    table.line("4 GiB with %d pages : %d KiB with %d pages, CPU" % (
        pages_of(huge), small["max_entries"] * 4, pages_of(small)),
               "%.2f (%.1f ms)" % (cpu[0] / cpu[1], cpu[0] * 1e3), "<= 1.5", cpu[0] <= 1.5 * cpu[1])
    strace = shutil.which("strace")
    if not strace:
        table.skip("the same, calls that read", "there is no strace")
        return
    calls = [reads([strace, "-f", "-e", "trace=read,pread64,preadv,mmap"],
                   [ARENASNAP, "-j", "-p", "-m", str(arena["id"]), path]) for arena in (huge, small)]
    table.line("the same, calls that read", "%d : %d" % tuple(calls), "<= +100",
               calls[0] <= calls[1] + 100)


def reads(strace, argv):
    with tempfile.NamedTemporaryFile("r") as log:
        subprocess.run(strace + ["-o", log.name] + argv, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, check=False)
        return sum(1 for _ in log)


def memory(table, runs, pattern="x86_64-6.*-qemu-big.elf", write=True):
    """Peak memory and CPU for an arena of many pages"""
    path = dump(pattern)
    count = max(pages_of(arena) for arena in truth_of(path)["arenas"])
    for options in ([], ["-v"], ["-p"], ["-j"], ["-j", "-p"]):
        what = "arena of %d pages, arenasnap %s" % (count, " ".join(options))
        peak = peak_mib([ARENASNAP, *options, path])
        table.line(what.rstrip() + ", peak memory", "%.1f MiB" % peak, "< 64 MiB", peak < 64)
    cpu = median_cpu(max(3, runs // 3), [ARENASNAP, "-j", "-p", path])
    limit = count / 262144 * 0.5
    table.line("arena of %d pages, arenasnap -j -p, CPU" % count, "%.0f ms" % (cpu * 1e3),
               "< %.0f ms" % (limit * 1e3), cpu < limit)
    if not write:               # 4 GiB of contents, more than a bench should leave a disk with
        return
    with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
        peak = peak_mib([ARENASNAP, "-o", os.path.join(tmp, "out"), path])
    table.line("arena of %d pages, arenasnap -o, peak memory" % count, "%.1f MiB" % peak,
               "< 64 MiB", peak < 64)


def memory_of_the_largest(table, runs):
    """The same for the largest arena that there can be"""
    memory(table, runs, "x86_64-6.*-qemu-full.kdump", write=False)


def scan(table, runs):
    """CPU of the search of all pages beside that of the same reads alone, in one process"""
    for pattern in ("x86_64-6.*-qemu-big.elf", "x86_64-6.*-panic-zlib.kdump"):
        path = dump(pattern)
        name = os.path.basename(path)
        figures = output_of([BENCH_SCAN, "-n", str(max(3, runs // 3)), path], "no bench_scan")
        read, search, peak = (float(figure) for figure in figures.split()[:3])
        table.line("%s, scan : reading all pages, CPU" % name,
                   "%.2f (%.2f s)" % (search / read, search), "<= 1.3", search <= 1.3 * read)
        table.line("%s, scan, peak memory" % name, "%.1f MiB" % (peak / MIB), "< 64 MiB",
                   peak / MIB < 64)


def main():
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--runs", type=int, default=9)
    opts = parser.parse_args()
    if not os.access(ARENASNAP, os.X_OK):
        print("run.sh: no %s: make it first" % ARENASNAP, file=sys.stderr)
        return 2
    table = Table()
    for part in (listing, new_kernel, declared, memory, memory_of_the_largest, scan):
        try:
            part(table, opts.runs)
        except Missing as why:
            table.skip(part.__name__, why)
    return 1 if table.over else 0


if __name__ == "__main__":
    sys.exit(main())
