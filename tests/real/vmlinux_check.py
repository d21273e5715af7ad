# SPDX-License-Identifier: GPL-2.0-or-later
"""--vmlinux with Debian's own vmlinux of 400 MB: BTF, DWARF, and one of another kernel."""

import os
import subprocess
import sys

from harness import (ARENASNAP, HERE, REPO, Skip, arenasnap, expect, one_object, run,
                     scratch_dir)

RELEASE = "6.12.107+deb13-amd64"
OTHER = "7.3.4+deb13-amd64"


def cli_module():
    """tests/cli_vmlinux.py: it makes the copies of the recorded dump."""
    sys.path.insert(0, os.path.join(REPO, "tests"))
    try:
        import cli_vmlinux
    except SystemExit as why:
        raise Skip(why) from None
    finally:
        sys.path.pop(0)
    return cli_vmlinux


def vmlinux(release, fetch):
    ran = subprocess.run([os.path.join(HERE, "vmlinux.sh")] + ([] if fetch else ["-n"]) + [release],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if ran.returncode:
        raise Skip(ran.stderr.decode(errors="replace").strip() or
                   "the vmlinux of %s is not in the cache" % release)
    return ran.stdout.decode().strip()


class Recorded:
    """What cli_vmlinux wants of a test case: files that are made once."""

    def __init__(self, folder):
        self.folder, self.made, self.setup = folder, {}, self

    def once(self, name, make):
        if name not in self.made:
            self.made[name] = os.path.join(self.folder, name)
            make(self.made[name])
        return self.made[name]


def answer(*args):
    return dict(one_object(arenasnap("-jp", *args), os.path.basename(args[-1])), vmcore=None)


def objcopy(*args):
    try:
        subprocess.run(["objcopy", *args], check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError) as why:
        raise Skip("objcopy: %s" % why) from None


def same_answers(path, compressed):
    """Copies of the recorded dump without BTF, without kallsyms, without both"""
    cli = cli_module()
    with scratch_dir() as tmp:
        case = Recorded(tmp)
        whole = answer(cli.vmcore(case, cli.OLD))
        dwarf = os.path.join(tmp, "dwarf-only")
        objcopy("--remove-section", ".BTF", path, dwarf)
        files = {"its BTF": path, "DWARF only": dwarf}
        for what in ("btf", "kallsyms", "both"):
            dump = cli.lossy(case, what)
            expect(arenasnap("-j", dump).status == 3, "without %s: answered alone", what)
            for kind, file in files.items():
                expect(answer("--vmlinux", file, dump) == whole, "without %s, %s: another answer",
                       what, kind)
        if not compressed:
            return "6 answers are that of the whole dump"
        objcopy("--compress-debug-sections=zlib", dwarf, dwarf + "-z")
        # unpacked in memory, so not within 64 MiB
        ran = run([ARENASNAP, "-jp", "--vmlinux", dwarf + "-z", cli.lossy(case, "both")])
        expect(dict(one_object(ran, "compressed DWARF"), vmcore=None) == whole,
               "compressed DWARF: another answer")
        return "7 answers are that of the whole dump"


def other_is_refused(path):
    cli = cli_module()
    with scratch_dir() as tmp:
        dump = cli.vmcore(Recorded(tmp), cli.OLD)
        doc = one_object(arenasnap("-j", "--vmlinux", path, dump), "another kernel's vmlinux")
    expect(doc["status"] == "failed" and "another build" in doc["errors"][0]["text"], "%s",
           doc["errors"])


def check_vmlinux(report, quick):
    """All of it; the quick run takes what is in the cache"""
    report.check("vmlinux %s" % RELEASE,
                 lambda: same_answers(vmlinux(RELEASE, not quick), not quick))
    report.check("vmlinux of another kernel is refused",
                 lambda: other_is_refused(vmlinux(OTHER, not quick)))
