#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the command in crash: answers, losses, aborts, the binary. Part of run.sh.

usage: crash_check.py [quick] [WORD]...

  WORD  only checks with WORD in their name, such as `8.0.6`, `types`, `aborts`, `lossy`

Wants the dumps and vmlinux files of run.sh in ARENA_CACHE; what is not there is skipped.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]

import crash_answers as answers  # noqa: E402
import crash_binary as binary  # noqa: E402
import crash_terminal as terminal  # noqa: E402
from asked_in_crash import asked_in_crash, crash_in_crash  # noqa: E402
from cli_dumps import NEW, OLD  # noqa: E402
from crash_session import K612, K73, made, recorded  # noqa: E402
from harness import Report  # noqa: E402
from in_crash import VERSIONS  # noqa: E402

# by makedumpfiles that do not know the kernel
LOSSY = ((K612, "x86_64-6.12-panic-1.7.2.kdump"), (K73, "x86_64-7.3-panic-4cpu.kdump"),
         (K73, "x86_64-7.3-panic-4cpu-1.7.8.kdump"))
# in an access to an arena, by taking away the kernel's pages; a scheduler that ends
CRASHED = ((K612, "x86_64-6.12-panic-crash.kdump"), (K73, "x86_64-7.3-panic-crash.kdump"),
           (K73, "x86_64-7.3-panic-oops.kdump"), (K73, "x86_64-7.3-qemu-qmap-error.elf"))


def check_answers(check, version, quick):
    check("text and files 6.12 recorded", answers.text_and_files, K612, recorded())
    check("stands in for types", answers.crash_stands_in, K612, recorded(), "types")
    check("stands in for symbols", answers.crash_stands_in, K612, recorded(), "symbols")
    check("stands in for both", answers.crash_stands_in, K612, recorded(), "both")
    check("left by longjmp", answers.abandoned, K612, recorded())
    check("help", answers.help_is_plain, K612, recorded())
    check("another machine's", answers.other_machine, K612, recorded())
    check("lossy table", answers.lossy, K612, OLD, "table")
    check("lossy upper table", answers.lossy, K612, OLD, "upper table")
    check("asked 6.12 recorded", asked_in_crash, K612, recorded("x86_64-6.12-qemu-ask"))
    check("excluded contents", answers.excluded_contents, K612, OLD)
    if quick:       # for the rest another vmlinux of 1 GB is wanted
        return
    check("lossy leaf", answers.lossy, K73, NEW, "leaf")
    check("lossy table 7.3", answers.lossy, K73, NEW, "table")
    check("text and files 7.3 recorded", answers.text_and_files, K73, recorded(NEW))
    check("asked 7.3 recorded", asked_in_crash, K73, recorded("x86_64-7.3-qemu-ask"))
    check("wrong vmlinux", answers.wrong_vmlinux, K73, recorded())


def check_made(check, version):
    def on(function, release, name, parts=1):
        return lambda v: function(v, release, made(name, parts))
    check("text and files 6.12 kdump",
          on(answers.text_and_files, K612, "x86_64-6.12-panic-zlib.kdump"))
    check("text and files 7.3 QEMU",
          on(answers.text_and_files, K73, "x86_64-7.3-qemu.elf"))
    check("asked 6.12 kdump", on(asked_in_crash, K612, "x86_64-6.12-panic-ask.kdump"))
    for release, name in CRASHED:
        check("crash site " + name, on(crash_in_crash, release, name))
    check("asked 7.3 QEMU", on(asked_in_crash, K73, "x86_64-7.3-qemu-ask.elf"))
    check("no VMCOREINFO note", on(answers.text_and_files, K612, "x86_64-6.12-qemu-noinfo.elf"))
    for release, name in LOSSY:
        check("losses " + name, on(answers.losses_are_the_same, release, name))
    check("flattened", on(answers.true_here_alone, K612, "x86_64-6.12-panic-flat.kdump"))
    check("split", on(answers.parts_are_refused, K612, "x86_64-6.12-panic-split3.kdump", 3))


def check_crash(report, quick):
    """All of it; what is quick needs nothing made and the vmlinux of 6.12 alone"""
    report.check("crash arena.so exports nothing", binary.exports_nothing)
    for version in VERSIONS:
        def check(name, function, *args, version=version):
            report.check("crash %s %s" % (version, name), function, version, *args)
        check("symbols", binary.symbols_fit)
        check("arm64 symbols", binary.arm_symbols_fit)
        check_answers(check, version, quick)
        check("pager quit", terminal.pager_quit)
        check("aborts in gdb", terminal.aborts_in_gdb)
        if not quick:
            check_made(check, version)
            check("aborts", terminal.aborts)
            check("scan stopped", terminal.scan_stops)
    for version in ("8.0.6", "9.0.2"):
        report.check("crash %s newer header" % version, binary.newer_header, version, K612,
                     recorded())
    report.check("crash wrong file", binary.wrong_file, "8.0.6", K612, recorded())
    for version in () if quick else ("8.0.6", "9.0.2"):
        report.check("crash %s arm64" % version, binary.arm_answers, version)


def main():
    words = [word for word in sys.argv[1:] if word != "quick"]
    report = Report(words)
    check_crash(report, "quick" in sys.argv[1:])
    return report.summary()


if __name__ == "__main__":
    sys.exit(main())
