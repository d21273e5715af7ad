# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded guests that were made to be asked about: each question against what the guest printed.

The checks are those of real/, which ask whole dumps the same."""

import os
import sys

from cli_dumps import truth_path, vmcore
from cli_run import REPO, Wrong, test_each

sys.path.insert(0, os.path.join(REPO, "tests", "real"))

import answers          # noqa: E402
import asked            # noqa: E402
import harness          # noqa: E402

# pointers, reservations, users, faults, a CPU in an access; of 7.3 also a scheduler
OLD, NEW = "x86_64-6.12-qemu-ask", "x86_64-7.3-qemu-ask"
BOTH = (answers.crash_is_told, answers.addresses_are_true, answers.memory_is_true,
        answers.json_is_true, answers.contents_are_true, answers.hits_are_all,
        answers.checks_are_true, answers.users_are_true, asked.pointers_are_found,
        asked.values_are_found, asked.ranges_are_held, asked.users_are_told,
        asked.users_table_is_true, asked.scheduler_log_is_told)
ONLY_NEW = (asked.faults_are_told, asked.scheduler_is_told)



@test_each(*["%s %s" % (name, check.__name__)
             for name, more in ((OLD, ()), (NEW, ONLY_NEW)) for check in BOTH + more])
def guest_is_asked(case, which):
    name, wanted = which.split()
    check = next(c for c in BOTH + ONLY_NEW if c.__name__ == wanted)
    harness.ARENASNAP, harness.CACHE = case.setup.binary, case.tmp
    # real/ measures memory, and holds against the schema; with sanitizers both take too much
    harness.MEMORY_LIMIT_KB = 1 << 30
    if not case.setup.sanitized and not harness.VALIDATOR:
        harness.load_schema()
    try:
        return check(harness.Dump(vmcore(case, name), truth_path(name), ["ask"]))
    except harness.Wrong as why:
        raise Wrong(str(why)) from None
