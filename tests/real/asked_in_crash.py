# SPDX-License-Identifier: GPL-2.0-or-later
"""asked.py at the prompt of crash: the same checks against the guest, and arenasnap's answers."""

import os
import re
import subprocess

import asked
from crash_session import MARK, hold, json_of, vmlinux
from harness import ARENA_SO, HERE, Skip, expect, hold_against_schema
from in_crash import MINIMAL, need_crash

CHECKS = (asked.pointers_are_found, asked.values_are_found, asked.ranges_are_held,
          asked.users_are_told, asked.users_table_is_true, asked.faults_are_told, asked.scheduler_is_told)


class Prompt:
    """A crash that stays: one start for many questions."""

    def __init__(self, version, symbols, dump):
        argv = [os.path.join(HERE, "crash.sh"), version, "-s", *MINIMAL.get(version, ["--minimal"])]
        self.crash = subprocess.Popen(argv + [symbols, *dump.parts], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.asked = 0
        self.say("set scroll off")
        self.say("extend %s" % ARENA_SO)

    def say(self, command):
        """Lines that crash prints for the command"""
        mark, lines = MARK % self.asked, []
        self.asked += 1
        self.crash.stdin.write(("%s\n!echo '%s'\n" % (command, mark)).encode())
        self.crash.stdin.flush()
        for line in self.crash.stdout:
            lines.append(line.decode("utf-8", errors="replace").rstrip("\n"))
            if lines[-1] == mark:
                return lines[:-1]
        expect(False, "crash ended at '%s': %s", command, lines[-2:])

    def close(self):
        self.crash.stdin.close()
        self.crash.wait()


def quoted(option):
    return option if re.fullmatch("[-0-9a-zA-Z_]+", option) else '"%s"' % option


def asked_in_crash(version, release, dump):
    """All that asked.py asks: true to the guest, and what arenasnap answers"""
    need_crash(version)
    here, here_text, done, left = asked.ask, asked.text, [], []
    prompt = Prompt(version, vmlinux(release), dump)

    def there(what, *options):
        doc = json_of(prompt.say(" ".join(["arena", "-j", *map(quoted, options)])))
        hold_against_schema(doc, " ".join(options))
        hold(doc, here(what, *options))
        return doc

    def text_there(what, *options):
        lines = prompt.say(" ".join(["arena", *options]))
        expect(lines == here_text(what, *options), "arena %s is another text", " ".join(options))
        return lines

    asked.ask, asked.text = there, text_there
    try:
        truth = dump.load_truth()
        for check in CHECKS:
            if check is asked.scheduler_is_told and not truth.get("scheduler"):
                continue
            try:
                done.append(check(dump))
            except Skip as why:
                left.append(str(why))
        base = int(asked.the_arena(truth, "pointers")["user_vm_start"], 0)
        for options in (["-a", "%x" % (base + 9 * truth["page_size"] + 8)], ["-a", "%x" % base],
                        ["-r", "%x" % (base + 9 * truth["page_size"]), "-l", "64"], []):
            there(dump, *options)
            text_there(dump, *options)
        text_there(dump, "-c")
    finally:
        asked.ask, asked.text = here, here_text
        prompt.close()
    return "%d questions; %s" % (prompt.asked, "; ".join(done + left))
