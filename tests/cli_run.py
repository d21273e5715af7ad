# SPDX-License-Identifier: GPL-2.0-or-later
"""Running arenasnap as people and scripts do, and holding what it says against the rules.

Every JSON line that comes back is held against arenasnap.schema.json, against the order of its
keys, against the exit status, and against itself (counts, order and addresses of pages).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(HERE)
EXIT = {"complete": 0, "partial": 1, "failed": 3}
SANITIZER = "detect_leaks=0:exitcode=99:print_stacktrace=1"
HEADING = "       ID BPF_MAP           USER_VM_START  MAPPED DECLARED FLAGS NAME"
U32 = 0xffffffff

try:
    import jsonschema
except ImportError:
    sys.exit("cli.py: the module jsonschema is missing (Debian: apt-get install python3-jsonschema)")


class Wrong(Exception):
    """The behaviour is not what the test names; the text says how."""


class Skip(Exception):
    """The test cannot be made here; the text says why."""


def expect(condition, text, *args):
    if not condition:
        raise Wrong(text % args if args else text)


def equal(got, want, what):
    expect(got == want, "%s: %s, not %s", what, short(got), short(want))


def short(value, most=300):
    text = repr(value)
    return text if len(text) <= most else text[:most] + "..."


def num(text):
    """A number, or an address as JSON has it."""
    return int(text, 16) if isinstance(text, str) else text


# The registry: each test is a function of a Case; its name says the behaviour.

TESTS = []


def test(function):
    TESTS.append((function.__name__, function, None))
    return function


def test_each(*values):
    """The same test for each value, which it gets as second argument."""
    def register(function):
        for value in values:
            TESTS.append(("%s[%s]" % (function.__name__, value), function, value))
        return function
    return register


class Ran:
    """How it ended: status (negative: a signal), out and err (bytes), docs (JSON lines)."""

    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds
        self.docs = []

    @property
    def text(self):
        return self.out.decode("utf-8", "replace")

    @property
    def messages(self):
        return self.err.decode("utf-8", "replace").splitlines()

    @property
    def doc(self):
        expect(len(self.docs) == 1, "%d JSON lines, not one; stderr: %s", len(self.docs),
               short(self.err))
        return self.docs[0]


class Setup:
    """What all tests share: the program, mkdump, unpacked dumps."""

    def __init__(self, binary, mkdump, slow, tmp):
        # a copy: make may link a new one meanwhile, and another user may not see ours
        self.binary = os.path.join(tmp, "arenasnap")
        shutil.copy(binary, self.binary)
        os.chmod(self.binary, 0o755)
        self.mkdump = os.path.abspath(mkdump) if mkdump else None
        self.slow = slow
        self.tmp = tmp
        self.made = {}
        self.json_lines = 0
        with open(self.binary, "rb") as f:
            self.sanitized = b"__asan_init" in f.read()
        self.patience = 8 if self.sanitized else 1
        self.scratch = os.path.join(tmp, "scratch")
        os.mkdir(self.scratch)
        os.chmod(self.scratch, 0o1777)
        self.env = dict(os.environ, LC_ALL="C.UTF-8", TMPDIR=self.scratch)
        # leaks: libkdumpfile 0.5.1 is never freed, on purpose; 99: not to be taken for an answer
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            self.env[key] = self.env.get(key, "") + ":" + SANITIZER

    def once(self, name, make):
        """Make a file of the test run once: make(path); returns its path."""
        if name not in self.made:
            path = os.path.join(self.tmp, name)
            make(path)
            self.made[name] = path
        return self.made[name]


class Case:
    """One test: a folder of its own, and the program."""

    def __init__(self, setup):
        self.setup = setup
        self.tmp = tempfile.mkdtemp(dir=setup.tmp)
        os.chmod(self.tmp, 0o755)

    def path(self, *names):
        return os.path.join(self.tmp, *names)

    def file(self, name, data=b""):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def start(self, *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec=None, env=None,
              cwd=None):
        """Start it in a process group of its own."""
        return subprocess.Popen([self.setup.binary, *args], stdin=subprocess.DEVNULL,
                                stdout=stdout, stderr=stderr, preexec_fn=preexec, cwd=cwd,
                                env=dict(self.setup.env, **(env or {})), start_new_session=True)

    def end(self, child, args, limit=60, broken_stdout=False):
        """Wait for it and hold what it said against the rules."""
        start = time.monotonic()
        try:
            out, err = child.communicate(timeout=limit * self.setup.patience)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            raise Wrong("%s: not done after %d s" % (describe(args), limit * self.setup.patience))
        ran = Ran(child.returncode, out or b"", err or b"", time.monotonic() - start)
        for line in ran.messages:
            expect("ERROR: " not in line or "Sanitizer" not in line, "%s: %s; %s", describe(args),
                   line, next((at for at in ran.messages if at.startswith("SUMMARY")), ""))
            expect("runtime error:" not in line, "%s: %s", describe(args), line)
        if asks_json(args) and ran.status in (0, 1, 3) and not broken_stdout:
            ran.docs = read_lines(ran, describe(args))
            self.setup.json_lines += len(ran.docs)
        return ran

    def run(self, *args, status=None, limit=60, broken_stdout=False, **how):
        """Run it to its end. status: the exit statuses that are right (default: 0)."""
        status = (0,) if status is None else status if isinstance(status, tuple) else (status,)
        ran = self.end(self.start(*args, **how), args, limit, broken_stdout)
        expect(ran.status in status, "%s: status %d, not %s; stderr: %s", describe(args),
               ran.status, " or ".join(map(str, status)), short(ran.err))
        return ran

    def snapshot(self, folder):
        """snapshot.json of a folder of -o, held against the rules."""
        with open(os.path.join(folder, "snapshot.json"), "rb") as f:
            data = f.read()
        doc = read_json(data, "snapshot.json")
        self.setup.json_lines += 1
        expect(data.count(b"\n") == 1 and data.endswith(b"\n"), "snapshot.json is not one line")
        for arena in doc["arenas"]:
            expect("pages" in arena, "snapshot.json: arena %s has no pages", arena["id"])
        return doc

    def no_dump(self, name="no-dump"):
        return self.file(name, b"this is no vmcore\n" * 1000)


def describe(args):
    return " ".join(["arenasnap"] + [os.path.basename(a) or a for a in args])


def asks_json(args):
    return any(a == "--json" or (a.startswith("-") and not a.startswith("--") and "j" in a)
               for a in args)


# JSON.

def load_schema():
    with open(os.path.join(REPO, "arenasnap.schema.json"), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    return schema, jsonschema.Draft7Validator(schema)


SCHEMA, VALIDATOR = load_schema()
ORDERS = [(list(s["properties"]), set(s["required"])) for s in
          [SCHEMA] + list(SCHEMA["definitions"].values()) if "properties" in s]


def ordered(pairs):
    keys = [key for key, _ in pairs]
    orders = [[key for key in order if key in keys or key in required]
              for order, required in ORDERS]
    expect(keys in orders, "keys are not those of the schema in its order: %s", short(keys))
    return dict(pairs)


def no_constant(text):
    raise Wrong("not JSON: " + text)


def read_json(data, what):
    """One JSON text, held against the schema and against itself."""
    try:
        doc = json.loads(data.decode("utf-8"), object_pairs_hook=ordered,
                         parse_constant=no_constant)
    except ValueError as err:
        raise Wrong("%s: not JSON in UTF-8: %s: %s" % (what, err, short(data)))
    error = next(iter(VALIDATOR.iter_errors(doc)), None)
    expect(error is None, "%s: against the schema: %s at %s", what, error and short(error.message),
           error and "/".join(map(str, error.absolute_path)))
    for arena in doc["arenas"] or []:
        hold_against_itself(arena, doc["page_size"], "%s: arena %s" % (what, arena["id"]))
    ids = [a["id"] for a in doc["arenas"] or [] if a["id"] is not None]
    expect(ids == sorted(set(ids)), "%s: ids do not ascend", what)
    if doc["status"] == "partial":
        gone = any(page["stored"] is False for a in doc["arenas"] for page in a.get("pages", []))
        expect(doc["errors"] or gone or any(a["truncated"] for a in doc["arenas"]),
               "%s: partial for no reason", what)
    return doc


def read_lines(ran, what):
    """All JSON lines of a run, held against its exit status."""
    expect(ran.out.endswith(b"\n"), "%s: stdout is not whole lines: %s; stderr: %s", what,
           short(ran.out[-200:]), short(ran.err))
    docs = [read_json(line, what) for line in ran.out[:-1].split(b"\n")]
    status = max(EXIT[doc["status"]] for doc in docs)
    expect(status == ran.status, "%s: exit status %d, but JSON says %s; stderr: %s", what,
           ran.status, [doc["status"] for doc in docs], short(ran.err))
    return docs


def hold_against_itself(arena, page_size, what):
    window = (1 << 32) // page_size
    if arena["max_entries"] is not None:
        equal(arena["declared_pages"], min(arena["max_entries"], window), what + ": declared_pages")
        equal(arena["span_capped"], arena["max_entries"] > window, what + ": span_capped")
    for lost in arena["lost"]:
        expect(lost["n"] <= window + 2 * 65536 // 4096, "%s: lost range of %d pages", what,
               lost["n"])
    if "pages" not in arena:
        return
    pages = arena["pages"]
    for kind, field in (("page", "mapped"), ("scratch", "scratch"), ("outside", "outside")):
        count = sum(1 for p in pages if p["kind"] == kind)
        expect(arena[field] == count or (arena[field] is None and not count),
               "%s: %s is %s, but %d pages are of kind %s", what, field, arena[field], count, kind)
    missing = sum(1 for p in pages if p["kind"] == "page" and p["stored"] is False)
    expect(arena["missing"] in (missing, None), "%s: missing is %s, but %d pages are not stored",
           what, arena["missing"], missing)
    hold_pages(arena, pages, page_size, what)


def hold_pages(arena, pages, page_size, what):
    pgoffs = [p["pgoff"] for p in pages if p["pgoff"] is not None]
    expect(all(a < b for a, b in zip(pgoffs, pgoffs[1:])), "%s: pgoffs do not ascend", what)
    expect(all(p["pgoff"] is not None for p in pages[:len(pgoffs)]),
           "%s: a page without pgoff is not last", what)
    start, base = num(arena["user_vm_start"]), num(arena["kern_vm_start"])
    for page in pages:
        where = "%s: page at %s" % (what, page["kernel"])
        expect(num(page["phys"]) % page_size == 0, "%s: phys %s", where, page["phys"])
        if page["pgoff"] is None:
            continue
        low = (start + page["pgoff"] * page_size) & U32
        equal(num(page["kernel"]), base + low, where + ": kernel address of its pgoff")
        equal(num(page["user"]) & U32, low, where + ": user address of its pgoff")
        if page["kind"] != "scratch" and arena["declared_pages"] is not None:
            equal(page["kind"], "page" if page["pgoff"] < arena["declared_pages"] else "outside",
                  where + ": kind")


# The worker.

def children_of(pid):
    """Process ids whose parent is pid."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, "rb") as f:
                fields = f.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != b"Z":
            found.append(int(name))
    return found


def has_worker(pid):
    """The parent has a socket to each worker; a child before that looks for split dumps."""
    try:
        return any(os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:")
                   for fd in os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return False


def stop_worker(case, *args, when=lambda: True, **how):
    """Start it and stop its worker with SIGSTOP as soon as it is there and when() holds.

    Returns the parent (Popen) and the worker's process id. The worker of a real dump works
    for 0.1 s and more; should it be done sooner all the same, try again.
    """
    before = set(os.listdir(case.tmp))
    for _ in range(20):
        child = case.start(*args, **how)
        while child.poll() is None:
            for worker in children_of(child.pid) if has_worker(child.pid) and when() else []:
                try:
                    os.kill(worker, signal.SIGSTOP)
                except OSError:
                    continue
                if child.poll() is None and worker in children_of(child.pid):
                    return child, worker
        child.communicate()
        for name in set(os.listdir(case.tmp)) - before:
            shutil.rmtree(case.path(name), ignore_errors=True)
    raise Skip("the worker was always done before it could be stopped")


def resume(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except OSError:
        pass


# Reporting.

def run_tests(setup, words):
    passed = failed = skipped = 0
    for name, function, value in TESTS:
        if words and not any(word in name for word in words):
            continue
        case = Case(setup)
        start = time.monotonic()
        try:
            remark = function(case) if value is None else function(case, value)
            equal(os.listdir(setup.scratch), [], "temporary files that stay behind")
            passed += 1
            seconds = time.monotonic() - start
            remarks = [remark] * bool(remark) + ["%.0f s" % seconds] * (seconds > 5)
            print("ok %s%s" % (name, "  (%s)" % "; ".join(remarks) if remarks else ""), flush=True)
        except Skip as why:
            skipped += 1
            print("skipped %s, because %s" % (name, why), flush=True)
        except Wrong as why:
            failed += 1
            print("FAIL %s: %s" % (name, why), flush=True)
        except Exception as err:        # a bug of ours is no pass
            failed += 1
            at = err.__traceback__
            while at.tb_next:
                at = at.tb_next
            print("FAIL %s: %s: %s (%s:%d)" % (
                name, type(err).__name__, err, os.path.basename(at.tb_frame.f_code.co_filename),
                at.tb_lineno), flush=True)
        finally:
            for folder, _, _ in os.walk(case.tmp):
                os.chmod(folder, 0o755)
            shutil.rmtree(case.tmp, ignore_errors=True)
    print("%d JSON lines were held against the schema" % setup.json_lines)
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


warnings.filterwarnings("ignore", category=DeprecationWarning)
