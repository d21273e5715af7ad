#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Check arenasnap and arena.so on real dumps.

usage: run.sh [quick] [-t SECONDS] [WORD]...
       run.sh matrix

  matrix      only print the table of the last run without a WORD
  quick       the checks that fit in about 25 minutes from an empty cache
  -t SECONDS  after that many seconds the rest is skipped
  WORD        only checks with WORD in their name, such as a dump, `crash`, `aborts`,
              `cut`, `damaged`, `formats`, `reduce`, `vmlinux`, `lost`, `noinfo`,
              `repo:`, `shared:`

Dumps come from fixtures/vmcores (repo:), from the folder that
ARENA_SHARED_VMCORES names (shared:, default ../shared/vmcores beside the
repository), and from make-dumps.sh, which makes them in ARENA_CACHE.
ARENASNAP and ARENA_SO name other builds than those at the top of the repository.
"""

import argparse
import os
import sys

import answers
import asked
import crash_check
import cuts
import damage
import in_crash
import lost_check
import matrix
import noinfo_check
import reduce_check
import vmlinux_check
from harness import (ARENASNAP, CACHE, REPO, Report, load_schema, made_dumps,
                     stored_dumps)


def parse(argv):
    parser = argparse.ArgumentParser(prog="run.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-t", "--time", type=int, metavar="SECONDS",
                        default=int(os.environ.get("ARENA_TIME") or 0) or None)
    parser.add_argument("words", nargs="*")
    opts = parser.parse_args(argv)
    opts.quick = "quick" in opts.words
    opts.words = [word for word in opts.words if word != "quick"]
    return opts


def check_dump(report, dump):
    """What is asked of one whole dump, by what it is"""
    if "load" in dump.tags:
        report.check(dump.name + " asked: load_is_never_damage", answers.untouched,
                     asked.load_is_never_damage, dump)
        return
    if "none" in dump.tags:
        report.check(dump.name + " no arenas", answers.untouched, answers.none_is_an_answer, dump)
    else:
        report.check(dump.name + " -j", answers.untouched, answers.json_is_true, dump)
        if "nocontents" not in dump.tags:
            report.check(dump.name + " -o", answers.untouched, answers.contents_are_true, dump)
        report.check(dump.name + " list", answers.untouched, answers.list_is_plain, dump)
        if "lossy" not in dump.tags and "tables" not in dump.tags:
            report.check(dump.name + " -a", answers.untouched, answers.addresses_are_true, dump)
            report.check(dump.name + " crash", answers.untouched, answers.crash_is_told, dump)
            if "nocontents" not in dump.tags:
                report.check(dump.name + " -f", answers.untouched, answers.hits_are_all, dump)
            report.check(dump.name + " -r", answers.untouched, answers.memory_is_true, dump)
        if "ask" in dump.tags:
            for check in (asked.pointers_are_found, asked.values_are_found, asked.ranges_are_held,
                          asked.users_are_told, asked.users_table_is_true,
                          asked.faults_are_told, asked.scheduler_log_is_told):
                report.check("%s asked: %s" % (dump.name, check.__name__), answers.untouched, check,
                             dump)
        if dump.load_truth().get("scheduler"):
            report.check(dump.name + " asked: scheduler_is_told", answers.untouched,
                         asked.scheduler_is_told, dump)
        report.check(dump.name + " -c", answers.untouched, answers.checks_are_true, dump)
        report.check(dump.name + " -u", answers.untouched, answers.users_are_true, dump)
        if "nocontents" not in dump.tags:
            report.check(dump.name + " --reduce", answers.untouched,
                         answers.reduced_answers_the_same, dump)
        if "split" in dump.tags:
            report.check(dump.name + " parts", answers.untouched, answers.parts_are_one, dump)
        if "lossy" in dump.tags:
            report.check(dump.name + " lost", answers.untouched, lost_check.lost_is_found, dump)


def all_dumps(report, quick):
    """Every dump there is, the small ones first"""
    own = list(stored_dumps(os.path.join(REPO, "fixtures", "vmcores"), "repo:"))
    yield from own
    shared = os.environ.get("ARENA_SHARED_VMCORES") or os.path.join(
        os.path.dirname(REPO), "shared", "vmcores")
    if os.path.isdir(shared):
        known = {os.path.basename(dump.path) for dump in own}
        for dump in stored_dumps(shared, "shared:"):
            if os.path.basename(dump.path) not in known:
                yield dump
    else:
        report.skip("shared:", "there is no folder %s" % shared)
    yield from made_dumps(report, quick)


def in_crash_too(dump, quick):
    """In the quick run only small dumps of one kernel: its vmlinux alone is 1 GB"""
    return "crash" in dump.tags and (not quick or dump.name.endswith("zlib.kdump") or
                                     dump.name.startswith("repo:x86_64-6.12"))


def main():
    opts = parse(sys.argv[1:])
    if opts.words == ["matrix"]:
        return matrix.show_last()
    if not os.access(ARENASNAP, os.X_OK):
        print("run.sh: no %s: make it first" % ARENASNAP, file=sys.stderr)
        return 2
    report = Report(opts.words, opts.time)
    print("dumps are made and kept in %s" % os.path.join(CACHE, "dumps"))
    report.always("schema", load_schema)
    dumps = []
    for dump in all_dumps(report, opts.quick):
        check_dump(report, dump)
        dumps.append(dump)
    formats = [dump for dump in dumps if "formats" in dump.tags]
    if formats:
        report.check("formats of one crash", answers.variants_agree, formats)
    report.check("many vmcores at once", answers.many_at_once,
                 [dump for dump in dumps if dump.name.startswith("repo:")])
    vmlinux_check.check_vmlinux(report, opts.quick)
    noinfo_check.check_noinfo(report, opts.quick)
    for version in in_crash.VERSIONS:
        for dump in dumps:
            if in_crash_too(dump, opts.quick):
                report.check("crash %s %s" % (version, dump.name), in_crash.same_in_crash, dump,
                             version)
                report.check("crash %s reduced %s" % (version, dump.name),
                             reduce_check.reduced_in_crash, dump, version)
            # 8.0.2 opens no KASLR kernel of 6.12 in full; for 7.3 every one wants options
            if version != "8.0.2" and not opts.quick and dump.name.endswith("zlib.kdump"):
                report.check("crash %s in full %s" % (version, dump.name), in_crash.same_in_crash,
                             dump, version, [])
    crash_check.check_crash(report, opts.quick)
    for dump in dumps:
        if "cut" in dump.tags:
            report.check("cut %s" % dump.name, cuts.cut_everywhere, dump)
    for dump in dumps:
        if dump.name.startswith("repo:x86_64"):
            report.check("damaged %s" % dump.name, damage.damaged, dump)
    matrix.show(matrix.take(report, dumps), keep=not opts.words)
    return report.summary()


if __name__ == "__main__":
    sys.exit(main())
