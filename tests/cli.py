#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What arenasnap does, seen from outside: its command line on recorded and made dumps.

usage: cli.py [--mkdump PATH] [--slow] ARENASNAP [WORD...]

Only tests with one of the WORDs in their name, if any are given. Prints `ok NAME`,
`FAIL NAME: why` or `skipped NAME, because why`, and counts them; exit status 1 if one failed.
ARENASNAP may be built with ASan and UBSan.

cli_run.py       runs it and holds every JSON line against schema and sense
cli_dumps.py     recorded dumps, their truth, and changed copies of them
cli_answers.py   answers against the truth: JSON, list, -v, -p, ARENA, --max-pages
cli_ask.py       -a, -r: where an address lies, and what is there
cli_asked.py     all questions, of guests that were made to be asked
cli_check.py     -c: page tables against the allocator
cli_crash.py     registers of CPUs that point into arenas
cli_outputs.py   options, -o, stdout, signals, several vmcores
cli_damage.py    cut, filtered and changed dumps, other files, workers that die
cli_synth.py     dumps that mkdump (fixtures/synth) makes
cli_fields.py    every field of the headers with values that it must not have
cli_reduce.py    --reduce: same answers, and no harm to other files
cli_vmlinux.py   --vmlinux: dumps without symbols or types, and files that are no help
cli_vmcoreinfo.py  --vmcoreinfo, and VMCOREINFO that is found in memory
cli_lost.py      a dump whose filter took most structs of arenas
"""

import argparse
import signal
import sys
import tempfile

sys.dont_write_bytecode = True

import cli_run                  # noqa: E402
import cli_answers              # noqa: E402,F401  registers tests, like the next three
import cli_ask                  # noqa: E402,F401
import cli_asked                # noqa: E402,F401
import cli_check                # noqa: E402,F401
import cli_crash                # noqa: E402,F401
import cli_outputs              # noqa: E402,F401
import cli_damage               # noqa: E402,F401
import cli_synth                # noqa: E402,F401
import cli_fields               # noqa: E402,F401
import cli_reduce               # noqa: E402,F401
import cli_vmlinux              # noqa: E402,F401
import cli_vmcoreinfo           # noqa: E402,F401
import cli_lost                 # noqa: E402,F401


def main():
    # a shell's background job has it ignored, and so would all that is started here
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mkdump", metavar="PATH", help="the program that makes dumps")
    parser.add_argument("--slow", action="store_true", help="more places, larger dumps")
    parser.add_argument("arenasnap")
    parser.add_argument("word", nargs="*")
    options = parser.parse_intermixed_args()
    with tempfile.TemporaryDirectory(prefix="arena-cli.") as tmp:
        cli_dumps_readable(tmp)
        setup = cli_run.Setup(options.arenasnap, options.mkdump, options.slow, tmp)
        return cli_run.run_tests(setup, options.word)


def cli_dumps_readable(tmp):
    """Some tests run it as another user."""
    import os
    os.chmod(tmp, 0o755)


if __name__ == "__main__":
    sys.exit(main())
