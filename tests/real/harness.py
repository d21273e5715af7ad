# SPDX-License-Identifier: GPL-2.0-or-later
"""What all checks on real dumps need: a report, programs with a limit, dumps."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
GUEST = os.path.join(REPO, "fixtures", "guest")
ARENASNAP = os.environ.get("ARENASNAP") or os.path.join(REPO, "arenasnap")
ARENA_SO = os.environ.get("ARENA_SO") or os.path.join(REPO, "arena.so")
CACHE = os.environ.get("ARENA_CACHE") or os.path.join(
    os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "arena")
TIME = shutil.which("time", path="/usr/bin:/bin")
MEMORY_LIMIT_KB = 64 * 1024     # design: each process


class Report:
    """One line for each check; counts them."""

    def __init__(self, only=(), seconds=None):
        self.only = only
        self.end = time.monotonic() + seconds if seconds else None
        self.passed = self.failed = self.skipped = 0
        self.outcome = {}       # of each check: ok, FAIL or skipped, and the remark

    def wants(self, name):
        return not self.only or any(word in name for word in self.only)

    def over(self):
        return self.end is not None and time.monotonic() > self.end

    def ok(self, name, extra=""):
        self.passed += 1
        self.outcome[name] = ("ok", extra)
        print("ok %s%s" % (name, "  (%s)" % extra if extra else ""), flush=True)

    def fail(self, name, why):
        self.failed += 1
        self.outcome[name] = ("FAIL", str(why))
        print("FAIL %s: %s" % (name, " | ".join(str(why).splitlines())), flush=True)

    def skip(self, name, why):
        self.skipped += 1
        self.outcome[name] = ("skipped", str(why))
        # of what a program said, the last line is the sum
        print("skipped %s, because %s" % (name, str(why).strip().splitlines()[-1]), flush=True)

    def check(self, name, function, *args):
        """Run a check: it returns None or what is worth a remark, or raises."""
        if self.wants(name):
            self.always(name, function, *args)

    def always(self, name, function, *args):
        """The same, whatever checks are wanted"""
        if self.over():
            self.skip(name, "the time is over")
            return
        try:
            self.ok(name, function(*args) or "")
        except Skip as why:
            self.skip(name, why)
        except Wrong as why:
            self.fail(name, why)
        except (OSError, ValueError, KeyError, TypeError) as err:
            self.fail(name, "%s: %s" % (type(err).__name__, err))

    def summary(self):
        print("%d passed, %d failed, %d skipped" % (
            self.passed, self.failed, self.skipped), flush=True)
        return 1 if self.failed else 0


class Wrong(Exception):
    """The check failed; the text says how."""


class Skip(Exception):
    """The check cannot be made here; the text says why."""


def expect(condition, text, *args):
    if not condition:
        raise Wrong(text % args if args else text)


class Ran:
    """How a program ended: status, out, err (bytes), wall, cpu, peak_kb."""

    def first_error(self):
        lines = self.err.decode(errors="replace").splitlines()
        return lines[0] if lines else "nothing on stderr"


def run(argv, stdin=b"", limit=120, env=None):
    """Run argv; a death by signal or running over the limit is Wrong."""
    with tempfile.NamedTemporaryFile("r") as usage:
        # time(1), not wait4(): a child's peak begins with that of who forks it
        measure = [TIME, "-q", "-f", "%e %U %S %M", "-o", usage.name] if TIME else []
        start = time.monotonic()
        with subprocess.Popen(measure + argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, start_new_session=True) as child:
            try:
                out, err = child.communicate(stdin, timeout=limit)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()
                raise Wrong("%s: not done after %d s" % (os.path.basename(argv[0]), limit))
        ran = Ran()
        ran.status, ran.out, ran.err = child.returncode, out, err
        ran.wall, ran.cpu, ran.peak_kb = time.monotonic() - start, 0.0, 0
        fields = usage.read().split()
        if len(fields) == 4:
            ran.cpu, ran.peak_kb = float(fields[1]) + float(fields[2]), int(fields[3])
    died = -ran.status if ran.status < 0 else ran.status - 128
    expect(died <= 0, "%s died of signal %d: %s", os.path.basename(argv[0]), died, ran.first_error())
    return ran


def arenasnap(*args, limit=120):
    """Run arenasnap; it may end with 0, 1 or 3 and use 64 MiB."""
    ran = run([ARENASNAP, *args], limit=limit)
    expect(ran.status in (0, 1, 3), "arenasnap %s: status %d: %s", " ".join(args), ran.status,
           ran.first_error())
    expect(ran.peak_kb < MEMORY_LIMIT_KB, "arenasnap %s: peak memory %d KiB", " ".join(args),
           ran.peak_kb)
    return ran


def one_object(ran, what):
    """The single JSON line of a run, held against the schema and the status."""
    lines = ran.out.decode("utf-8").splitlines()
    expect(len(lines) == 1, "%s: %d lines on stdout, not 1; %s", what, len(lines),
           ran.first_error())
    doc = json.loads(lines[0])
    hold_against_schema(doc, what)
    status = {0: "complete", 1: "partial", 3: "failed"}[ran.status]
    expect(doc["status"] == status, "%s: exit status %d, but in JSON %s", what, ran.status,
           doc["status"])
    return doc


VALIDATOR = []


def load_schema():
    """Take the repository's schema: all JSON is held against it from now on"""
    try:
        import jsonschema
    except ImportError:
        raise Skip("there is no python3-jsonschema") from None
    with open(os.path.join(REPO, "arenasnap.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    VALIDATOR.append(kind(schema))


def hold_against_schema(doc, what):
    """The first 2000 pages of an arena stand for all: the validator takes 0.1 ms for each"""
    if not VALIDATOR:
        return
    if doc.get("arenas"):
        doc = dict(doc, arenas=[dict(arena, pages=arena["pages"][:2000])
                                if arena.get("pages") else arena for arena in doc["arenas"]])
    error = next(VALIDATOR[0].iter_errors(doc), None)
    expect(error is None, "%s: schema: %s at %s", what, error and error.message[:200],
           error and "/".join(map(str, error.absolute_path)))


class Dump:
    """A vmcore, its truth and what is special about it."""

    def __init__(self, path, truth, tags=(), prefix=""):
        self.path, self.truth, self.tags = path, truth, set(tags)
        self.name = prefix + os.path.basename(path)
        # of a --split set the others lie beside it
        self.parts = [path] + ([path + ".2", path + ".3"] if "split" in self.tags else [])

    def load_truth(self):
        with open(self.truth, encoding="utf-8") as f:
            return json.load(f)


def scratch_dir():
    """A temporary folder with room for contents of arenas."""
    os.makedirs(CACHE, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=".run-", dir=CACHE)


def makes_sense(report, name):
    """Is a dump to be made when only some checks are wanted?"""
    groups = ("formats", "crash", "cut", "8.0.", "9.0.", "reduce", "list")
    return not report.only or any(word in name or name in word or word.startswith(groups)
                                  for word in report.only)


def made_dumps(report, quick):
    """The dumps of make-dumps.sh, made if need be; yields Dump."""
    script = os.path.join(HERE, "make-dumps.sh")
    listing = subprocess.run([script, "-l"] + (["-q"] if quick else []), stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, check=False)
    for line in listing.stdout.decode().splitlines():
        name, *tags = line.split()
        path = os.path.join(CACHE, "dumps", name)
        if "here" not in tags:
            if not makes_sense(report, name):
                continue
            if report.over():
                report.skip(name, "the time is over")
                continue
            made = subprocess.run([script, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL, check=False)
            if made.returncode:
                lines = made.stderr.decode(errors="replace").strip().splitlines()
                report.skip(name, "it cannot be made: %s" % (lines[-1] if lines else "no reason given"))
                continue
        yield Dump(path, path + ".truth.json", tags)


def stored_dumps(folder, prefix):
    """The dumps with a truth in a folder; .xz is unpacked into the cache."""
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".truth.json"):
            continue
        base = name[:-len(".truth.json")]
        path = os.path.join(folder, base)
        if not os.path.exists(path) and os.path.exists(path + ".xz"):
            path = unpacked(path + ".xz", base)
        tags = ["lossy"] if "4cpu-d31" in base or base.endswith("-lost.kdump") else []
        if base.startswith("x86_64-6.12"):
            tags += ["crash", "quick"]
        if base.endswith("-lost.kdump"):
            tags += ["crash"]
        if base.endswith("-ask.kdump"):
            tags += ["ask"]
        yield Dump(path, os.path.join(folder, name), tags, prefix)


def unpacked(packed, base):
    target = os.path.join(CACHE, "unpacked", base)
    if not os.path.exists(target):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target + ".new", "wb") as out:
            subprocess.run(["xz", "-dc", packed], stdout=out, check=True)
        os.rename(target + ".new", target)
    return target
