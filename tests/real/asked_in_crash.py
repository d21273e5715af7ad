# SPDX-License-Identifier: GPL-2.0-or-later
"""asked.py at the prompt of crash: the same checks against the guest, and arenasnap's answers."""

import os
import re
import subprocess
import zlib

import asked
from answers import places
from crash_session import MARK, hold, json_of, vmlinux
from harness import ARENA_SO, HERE, Skip, expect, hold_against_schema, scratch_dir
from in_crash import MINIMAL, need_crash

CHECKS = (asked.pointers_are_found, asked.values_are_found, asked.ranges_are_held,
          asked.users_are_told, asked.users_table_is_true, asked.faults_are_told,
          asked.scheduler_log_is_told, asked.scheduler_is_told)


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


class Both:
    """asked.ask() and asked.text() at the prompt: the answers must be arenasnap's"""

    def __init__(self, prompt):
        self.prompt, self.ask, self.text = prompt, asked.ask, asked.text

    def __enter__(self):
        asked.ask, asked.text = self.ask_there, self.text_there
        return self

    def __exit__(self, *_):
        asked.ask, asked.text = self.ask, self.text
        self.prompt.close()

    def ask_there(self, dump, *options):
        doc = json_of(self.prompt.say(" ".join(["arena", "-j", *map(quoted, options)])))
        hold_against_schema(doc, " ".join(options))
        hold(doc, self.ask(dump, *options))
        return doc

    def text_there(self, dump, *options):
        lines = self.prompt.say(" ".join(["arena", *options]))
        expect(lines == self.text(dump, *options), "arena %s is another text", " ".join(options))
        return lines


def memory_is_written(both, dump, truth):
    """-r, and -w: pages as the guest had them"""
    with scratch_dir() as tmp:
        for i, (arena, run_of) in enumerate(places(truth, 3)):
            start = int(arena["user_vm_start"], 0) + run_of["pgoff"] * truth["page_size"]
            path = os.path.join(tmp, "page%d" % i)
            both.prompt.say("arena -r %x -l %d -w %s" % (start, truth["page_size"], path))
            with open(path, "rb") as f:
                data = f.read()
            expect(len(data) == truth["page_size"] and
                   zlib.crc32(data) == int(run_of["crc32"][0], 0), "-r %x -w: other bytes", start)
            for options in (["-r", "%x" % start, "-l", "64"], ["-a", "%x" % (start + 8)]):
                both.ask_there(dump, *options)
                both.text_there(dump, *options)


def asked_in_crash(version, release, dump):
    """All that asked.py asks: true to the guest, and what arenasnap answers"""
    need_crash(version)
    truth, done, left = dump.load_truth(), [], []
    with Both(Prompt(version, vmlinux(release), dump)) as both:
        for check in CHECKS:
            if check is asked.scheduler_is_told and not truth.get("scheduler"):
                continue
            try:
                done.append(check(dump))
            except Skip as why:
                left.append(str(why))
        memory_is_written(both, dump, truth)
        both.text_there(dump, "-c")
        both.text_there(dump)
        return "%d questions; %s" % (both.prompt.asked, "; ".join(done + left))


def crash_in_crash(version, release, dump):
    """Where it crashed, and its scheduler: what arenasnap says, which the guest was held against"""
    need_crash(version)
    with Both(Prompt(version, vmlinux(release), dump)) as both:
        hits = both.ask_there(dump)["crash"]["hits"]
        for options in ([], ["-v"], ["-u"], ["-c"]):
            both.text_there(dump, *options)
        if dump.load_truth().get("scheduler"):
            asked.scheduler_is_told(dump)
    return "%d hits" % len(hits)
