# SPDX-License-Identifier: GPL-2.0-or-later
"""The command in a crash session on a terminal: Ctrl-C, pagers, loading again, memory."""

import fcntl
import os
import pty
import random
import re
import select
import shutil
import signal
import struct
import termios
import time

from crash_session import K612, MINIMAL, made_or, recorded, vmlinux, without_symbols
from harness import ARENA_SO, HERE, Skip, expect, scratch_dir
from in_crash import need_crash

PROMPT = b"crash> "
LIMIT = 60
FLAT_KB = 4096


class Terminal:
    """A crash session on a pty; arena.so is loaded"""

    def __init__(self, version, release, dump, scroll="off"):
        argv = [os.path.join(HERE, "crash.sh"), version, "-s"]
        argv += MINIMAL.get(version, ["--minimal"]) + [vmlinux(release), dump.path]
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="vt100", LINES="24", COLUMNS="100")
            os.execv(argv[0], argv)
        self.seen = bytearray()
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.wait(PROMPT, 120)
        self.ask("set scroll %s" % scroll)
        expect("loaded" in self.ask("extend " + ARENA_SO), "arena.so is not loaded")

    def read(self, seconds):
        """What comes within the time; False: nothing"""
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 1 << 20)
        except OSError:
            data = b""
        expect(data, "the session ended: %s", bytes(self.seen[-200:]))
        self.seen += data
        return True

    def drain(self):
        while self.read(0.05):
            pass

    def read_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(max(0, end - time.monotonic()))

    def wait(self, text, limit=LIMIT):
        """All up to the text, which is taken, too"""
        end, looked = time.monotonic() + limit, 0
        while True:
            at = self.seen.find(text, looked)
            if at >= 0:
                break
            expect(time.monotonic() < end, "no %r after %d s: %s", text, limit,
                   bytes(self.seen[-200:]))
            looked = max(0, len(self.seen) - len(text))
            self.read(1)
        before = bytes(self.seen[:at])
        del self.seen[:at + len(text)]
        expect(b"segmentation violation" not in before, "segmentation violation")
        return before.decode(errors="replace")

    def type(self, text):
        os.write(self.fd, text.encode())

    def ask(self, command, limit=LIMIT):
        self.type(command + "\n")
        return self.wait(PROMPT, limit)

    def reload(self):
        self.ask("extend -u " + ARENA_SO)
        expect("loaded" in self.ask("extend " + ARENA_SO), "arena.so is not loaded again")

    def interrupt(self):
        """Ctrl-C; all that the session says until its prompt is there and nothing runs"""
        os.kill(self.crash_pid(), signal.SIGINT)
        said = self.wait(PROMPT)
        # one that came before or after the command makes crash print a prompt of its own, and
        # readline may lose a character then
        self.type("\n")
        self.type("eval 7\n")
        said += self.wait(b"decimal: 7") + self.wait(PROMPT)
        self.drain()
        return said

    def crash_pid(self):
        """crash itself: crash.sh and suite-run.sh become it, or wait for it"""
        pids, found = [self.pid], self.pid
        while pids:
            found = pids.pop()
            with open("/proc/%d/task/%d/children" % (found, found), encoding="ascii") as f:
                pids = [int(pid) for pid in f.read().split()]
        return found

    def memory_kb(self):
        """Its own, whether there or not: huge pages change what is there by themselves"""
        with open("/proc/%d/status" % self.crash_pid(), encoding="ascii") as f:
            return int(re.search(r"VmData:\s+(\d+)", f.read()).group(1))

    def files(self):
        return len(os.listdir("/proc/%d/fd" % self.crash_pid()))

    def close(self):
        self.type("quit\n")
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def duration(t, command):
    start = time.monotonic()
    t.ask(command, 120)
    return time.monotonic() - start


def nothing_half_written(out):
    """True: there is a whole answer. A folder that was made for one that is not is gone."""
    if not os.path.exists(out):
        return False
    hidden = [name for name in os.listdir(out) if name.startswith(".")]
    expect(not hidden and os.path.exists(os.path.join(out, "snapshot.json")),
           "left in the folder: %s", os.listdir(out))
    shutil.rmtree(out)
    return True


def is_writing(out):
    return os.path.isdir(out) and not os.path.exists(os.path.join(out, "snapshot.json"))


def interrupt_many(t, out, n):
    """Counts of interrupted -p, interrupted -o, and of those that had files half written"""
    rand = random.Random(10)
    commands = ("arena -p", "arena -p -o " + out)
    t.ask(commands[0])      # the first one is slower
    spans = [duration(t, command) for command in commands]
    expect(nothing_half_written(out), "arena -o wrote nothing")
    stopped, writing, memory = [0, 0], 0, []
    for i in range(n):
        which = i % 2
        if i % 5 == 0:      # the kernel is opened anew: that is interrupted, too
            t.reload()
        t.type(commands[which] + "\n")
        t.read_for(rand.random() * spans[which])
        half = which and is_writing(out)
        said = t.interrupt()
        done = "(interrupted)" in said
        stopped[which] += done
        whole = nothing_half_written(out)
        expect(not (whole and half and done), "an interrupted answer was kept")
        writing += half and done
        memory.append(t.memory_kb())
    return stopped, writing, memory


def aborts(version):
    """SIGINT at random instants of a hundred commands; then reloads; memory is flat"""
    need_crash(version)
    # with a GiB of pages there is a middle of -p and -o
    dump = made_or("x86_64-6.12-qemu-big.elf", recorded())
    with scratch_dir() as tmp:
        t = Terminal(version, K612, dump)
        before = t.ask("arena")
        expect("huge4g" in before, "no list: %s", before[-200:])
        files = t.files()
        stopped, writing, memory = interrupt_many(t, os.path.join(tmp, "out"), 100)
        for _ in range(10):
            t.reload()
        after = t.ask("arena")
        expect(after == before, "arena does not say the same any more: %s", after[-200:])
        expect(t.files() == files, "%d files are open, not %d", t.files(), files)
        grown = t.memory_kb() - max(memory[:30])
        t.close()
    expect(min(stopped) >= 10, "of 50 each, only %s commands were interrupted", stopped)
    expect(grown < FLAT_KB, "memory grew by %d KiB: %s", grown, memory[::5])
    return "interrupted: %d of 50 -p, %d of 50 -o, %d with files half written; memory %+d KiB" % (
        *stopped, writing, grown)


def aborts_in_gdb(version):
    """While crash's gdb is asked its own handler stands, and leaves the command by longjmp"""
    need_crash(version)
    rand = random.Random(11)
    with scratch_dir() as tmp:
        dump = without_symbols(tmp, "types")
        t = Terminal(version, K612, dump)
        t.type("arena\n")       # gdb reads its types only once: this is the slow one
        t.read_for(0.1)
        left = "huge4g" not in t.interrupt()
        t.reload()
        span, tries = duration(t, "arena"), 1
        while tries < 13 or (not left and tries < 60):
            t.reload()
            t.type("arena\n")
            t.read_for(rand.random() * span)
            left += "huge4g" not in t.interrupt()
            tries += 1
        text = t.ask("arena")
        expect("huge4g" in text, "arena does not answer any more: %s", text[-200:])
        # Ctrl-C of the command that follows is ours again
        t.type("arena -p\n")
        t.read_for(0.05)
        t.interrupt()
        expect(t.ask("arena") == text, "arena does not say the same any more")
        t.close()
    # it answers all the same, but nothing was shown of what this is about
    if not left:
        raise Skip("none of %d commands was interrupted: they are too fast here" % tries)
    return "%d of %d interrupted" % (left, tries)


def scan_stops(version):
    """Ctrl-C while every page is read"""
    need_crash(version)
    rand, stopped = random.Random(12), 0
    t = Terminal(version, K612, made_or("x86_64-6.12-qemu-big.elf", recorded()))
    before = t.ask("arena")
    expect("huge4g" in before, "no list: %s", before[-200:])
    span, usual = duration(t, "arena --scan"), duration(t, "arena")
    for _ in range(8):
        t.type("arena --scan\n")
        t.read_for(usual + rand.random() * max(0, span - usual) * 0.7)
        stopped += "(interrupted)" in t.interrupt()
    expect(t.ask("arena") == before, "arena does not say the same any more")
    t.close()
    expect(stopped >= 2, "%d of 8 were interrupted, of %.1f s each", stopped, span)
    return "%d of 8 interrupted" % stopped


def pager_quit(version):
    """q in the middle of a long listing; a pipe whose reader goes"""
    need_crash(version)
    pager = next((p for p in ("less", "more") if os.access("/usr/bin/" + p, os.X_OK)), None)
    if not pager:
        raise Skip("there is neither less nor more")
    t = Terminal(version, K612, recorded(), pager)
    t.ask("set scroll off")
    t.ask("arena")
    files = t.files()
    t.ask("set scroll on")
    for _ in range(3):
        t.type("arena -p\n")
        t.wait(b"arena 2 ")
        while t.read(0.3):
            pass
        expect(b"twin" not in t.seen, "there is no pager: %s", bytes(t.seen[-200:]))
        t.type("q")
        t.wait(PROMPT)
    t.ask("set scroll off")
    text = t.ask("arena -p | head -n 3")
    expect("twin" not in text, "head -n 3 took more than that: %s", text[-200:])
    text = t.ask("arena")
    expect("huge4g" in text, "arena does not answer any more: %s", text[-200:])
    expect(t.files() == files, "%d files are open, not %d", t.files(), files)
    t.close()
