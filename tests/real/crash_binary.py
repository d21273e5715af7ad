# SPDX-License-Identifier: GPL-2.0-or-later
"""The file arena.so: what it asks of crash, other headers, other machines."""

import os
import shutil
import subprocess

from answers import first_difference
from crash_session import File, ask, hold, json_of, need, vmlinux
from harness import (ARENA_SO, CACHE, HERE, REPO, Skip, arenasnap, expect, one_object, run,
                     scratch_dir)
from in_crash import need_crash

SUITE = {"8.0.2": "bookworm", "8.0.6": "trixie", "9.0.2": "forky"}
ARM_GCC = "aarch64-linux-gnu-gcc"


def names(path, *options):
    """Dynamic symbols: (name, whether a library's version stands behind it)"""
    got = subprocess.run(["nm", "-D", *options, path], stdout=subprocess.PIPE, check=True)
    found = [line.split()[-1] for line in got.stdout.decode().splitlines()
             if line.split()[-2:-1] != ["w"]]
    return {name.partition("@")[0]: "@" in name for name in found}


def exports_nothing():
    mine = names(need(ARENA_SO), "--defined-only")
    expect(not mine, "arena.so exports %s", sorted(mine)[:5])


def fit(so, crash):
    """Nothing missing, nothing overridden"""
    exported, wanted = names(crash, "--defined-only"), names(so, "-u")
    missing = [name for name, library in wanted.items() if not library and name not in exported]
    expect(not missing, "crash does not export %s", missing)
    # optarg and optind of libc are where crash has them, by its version: it is no other one
    taken = [name for name, library in wanted.items() if library and exported.get(name) is False]
    expect(not taken, "of libc, but crash has its own %s", taken)
    return "%d of crash, %d of libc" % (
        sum(not library for library in wanted.values()), sum(wanted.values()))


def symbols_fit(version):
    need_crash(version)
    return fit(need(ARENA_SO), need(os.path.join(
        CACHE, "suite", SUITE[version] + "-crash", "usr", "bin", "crash")))


def build(tmp, header, cc=None, flags=""):
    """arena.so of the sources, built in a folder of its own"""
    for name in ("Makefile", "core", "batch", "extension"):
        path = os.path.join(REPO, name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(tmp, name))
        else:
            shutil.copy(path, tmp)
    argv = ["make", "-s", "-C", tmp, "CRASH_INCLUDE=" + need(header), "CFLAGS=-O2 " + flags]
    argv += ["CC=" + cc] if cc else []
    made = subprocess.run(argv + ["arena.so"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    expect(not made.returncode, "not built: %s", made.stdout.decode()[-300:])
    return os.path.join(tmp, "arena.so")


def headers(version):
    need_crash(version)
    return os.path.join(CACHE, "suite", SUITE[version] + "-crash", "usr", "include", "crash")


def newer_header(version, release, dump):
    """Built with Debian 13's header, it answers in its crash and in the newer one"""
    with scratch_dir() as tmp:
        so = build(tmp, headers("8.0.6"))
        fit(so, os.path.join(CACHE, "suite", SUITE[version] + "-crash", "usr", "bin", "crash"))
        told, = ask(version, release, dump, "arena -j -p", extension=so)
        hold(json_of(told), one_object(arenasnap("-j", "-p", dump.path), "-j -p"))


def build_for_arm(tmp):
    if not shutil.which(ARM_GCC):
        raise Skip("there is no %s" % ARM_GCC)
    # of the system's own headers only zlib.h is wanted, which is of no machine
    return build(tmp, headers("8.0.2"), ARM_GCC,
                 "-idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu")


def need_arm_crash(version):
    got = subprocess.run([os.path.join(HERE, "crash-arm64.sh"), version, "--version"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if got.returncode:
        raise Skip("there is no arm64 crash %s: %s" % (version, got.stderr.decode()))


def arm_symbols_fit(version):
    with scratch_dir() as tmp:
        so = build_for_arm(tmp)
        need_arm_crash(version)
        return fit(so, os.path.join(CACHE, "suite", SUITE[version] + "-crash-arm64", "usr", "bin",
                                    "crash"))


def wrong_file(version, release, dump):
    """arm64's file in x86_64's crash: refused, and the session lives"""
    with scratch_dir() as tmp:
        so = build_for_arm(tmp)
        said, after = ask(version, release, dump, "extend " + so, "arena -m one")
        expect(not any("shared object loaded" in line for line in said), "loaded: %s", said)
        expect(said and len(after) > 10, "the session does not live: %s", after)


def arm_dumps():
    shared = os.environ.get("ARENA_SHARED_VMCORES") or os.path.join(
        os.path.dirname(REPO), "shared", "vmcores")
    places = [os.path.join(shared, "aarch64-4k-6.12-panic-d31.kdump"),
              os.path.join(CACHE, "dumps", "aarch64-4k-6.12-qemu-lpa2.elf")]
    found = [File(path) for path in places if os.path.exists(path)]
    if not found:
        raise Skip("there is none of %s" % ", ".join(places))
    return found


def arm_answers(version):
    """arm64's crash under qemu-aarch64 on dumps of aarch64 with 4K pages"""
    dumps, kernel = arm_dumps(), vmlinux("6.12.107+deb13-arm64")
    with scratch_dir() as tmp:
        so = build_for_arm(tmp)
        need_arm_crash(version)
        for dump in dumps:
            text = "\n".join(["set scroll off", "extend " + so, "arena -j -p", "arena", "quit", ""])
            ran = run([os.path.join(HERE, "crash-arm64.sh"), version, "-s", "--minimal", kernel,
                       dump.path], text.encode(), limit=900)
            lines = ran.out.decode("utf-8", errors="replace").splitlines()
            hold(json_of([line for line in lines if line.startswith("{")]),
                 one_object(arenasnap("-j", "-p", dump.path), "-j -p"))
            listed = arenasnap(dump.path).out.decode().splitlines()
            expect(lines[-len(listed):] == listed, "the list: %s",
                   first_difference(listed, lines[-len(listed):]))
    return ", ".join(os.path.basename(dump.path) for dump in dumps)
