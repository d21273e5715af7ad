# SPDX-License-Identifier: GPL-2.0-or-later
"""The same questions in the crash prompt: the answers are those of arenasnap."""

import json
import os
import subprocess

from answers import answered, first_difference
from harness import ARENA_SO, HERE, Skip, arenasnap, expect, hold_against_schema, one_object, run

VERSIONS = ("8.0.2", "8.0.6", "9.0.2")
# 8.0.2 does not recognise KASLR of 6.12 and later by itself
MINIMAL = {"8.0.2": ["--minimal", "--kaslr=auto"]}


def vmlinux_of(dump):
    """The vmlinux of the dump's kernel, or Skip"""
    release = dump.load_truth()["release"]
    got = subprocess.run([os.path.join(HERE, "vmlinux.sh"), release], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, check=False)
    if got.returncode:
        raise Skip("there is no vmlinux of %s: %s" % (release, got.stderr.decode()))
    return got.stdout.decode().strip()


def need_crash(version):
    got = subprocess.run([os.path.join(HERE, "crash.sh"), version, "--version"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if got.returncode:
        raise Skip("there is no crash %s: %s" % (version, got.stderr.decode()))


def session(version, vmlinux, dump, commands, options=None, extension=None):
    """Lines that crash prints for the commands, arena.so being loaded"""
    argv = [os.path.join(HERE, "crash.sh"), version, "-s"]
    argv += MINIMAL.get(version, ["--minimal"]) if options is None else options
    text = "\n".join(["set scroll off", "extend %s" % (extension or ARENA_SO), *commands, "quit",
                      ""])
    ran = run(argv + [vmlinux, *dump.parts], text.encode(), limit=600)
    return (ran.out + ran.err).decode("utf-8", errors="replace").splitlines()


def same_in_crash(dump, version, options=None):
    """`arena -j -p` is `arenasnap -j -p` but for tool and vmcore; the list is the list"""
    need_crash(version)
    expect(os.path.exists(ARENA_SO), "no %s: make it first", ARENA_SO)
    vmlinux = vmlinux_of(dump)
    lines = session(version, vmlinux, dump, ["arena -j -p", "arena"], options)
    objects = [line for line in lines if line.startswith("{")]
    said = [line for line in lines if "arena" in line.lower() or "error" in line.lower()]
    expect(len(objects) == 1, "%d JSON lines, not 1; crash says: %s", len(objects),
           " | ".join(said[-3:] or lines[-3:]))
    there = json.loads(objects[0])
    hold_against_schema(there, "arena -j")
    here = one_object(answered(arenasnap("-j", "-p", dump.path)), "-j -p")
    for doc in (here, there):
        doc.pop("tool")
        doc.pop("vmcore")
    expect(list(here) == list(there), "keys: %s, %s", list(here), list(there))
    expect(here == there, "arenasnap, crash: %s", first_difference(here, there))
    listed = arenasnap(dump.path).out.decode("utf-8").splitlines()
    missing = [line for line in listed if line not in lines]
    expect(not missing, "of the list, `arena` does not print: %s", missing[:1])
    return "%d arenas" % len(there["arenas"])
