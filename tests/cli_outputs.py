# SPDX-License-Identifier: GPL-2.0-or-later
"""Options, output folders that must never hurt a dump, stdout, signals, several vmcores."""

import array
import fcntl
import hashlib
import os
import pwd
import resource
import shutil
import signal
import subprocess
import termios
import time

from cli_answers import hold_contents, without_pages
from cli_dumps import ARM, NEW, OLD, Truth, elf, vmcore
from cli_run import (HEADING, Skip, children_of, equal, expect, resume, short, stop_worker, test,
                     test_each)


F_SETPIPE_SZ = 1031     # fcntl has it from Python 3.10 on


def sha(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def copy_of_dump(case, name="vmcore"):
    shutil.copyfile(vmcore(case, OLD), case.path(name))
    return case.path(name)


# Options.

WRONG_OPTIONS = {
    "none": [],
    "json_alone": ["-j"],
    "unknown_long": ["--no-such-option", "x"],
    "unknown_short": ["-Z", "x"],
    "verbose_and_pages": ["-v", "-p", "x"],
    "runs_without_pages": ["--runs", "x"],
    "runs_with_verbose": ["--runs", "-v", "x"],
    "max_pages_0": ["--max-pages", "0", "x"],
    "max_pages_x": ["--max-pages", "x", "x"],
    "max_pages_negative": ["--max-pages=-1", "x"],
    "max_pages_with_rest": ["--max-pages", "12pages", "x"],
    "max_pages_empty": ["--max-pages=", "x"],
    "max_pages_too_large": ["--max-pages", "99999999999999999999", "x"],
    "max_pages_without_number": ["x", "--max-pages"],
    "jobs_0": ["--jobs", "0", "x"],
    "jobs_x": ["--jobs", "x", "x"],
    "jobs_negative": ["--jobs", "-1", "x"],
    "jobs_too_many": ["--jobs", "1000000", "x"],
    "arena_without_argument": ["x", "-m"],
    "output_without_argument": ["x", "-o"],
    "output_with_two_vmcores": ["-o", "out", "x", "y"],
    "argument_of_a_flag": ["--json=yes", "x"],
}


@test_each(*WRONG_OPTIONS)
def usage_error_is_status_2_with_a_sentence_and_a_hint(case, which):
    ran = case.run(*WRONG_OPTIONS[which], status=2, cwd=case.tmp)
    equal(ran.out, b"", "stdout")
    equal(len(ran.messages), 2, "lines on stderr (%s)" % ran.messages)
    expect(ran.messages[0].partition(": ")[0].endswith("arenasnap") and
           len(ran.messages[0]) > 20, "stderr: %s", ran.messages[0])
    expect("--help" in ran.messages[1], "no hint: %s", ran.messages[1])
    equal(os.listdir(case.tmp), [], "files that were made")


@test
def help_is_status_0_and_names_every_option(case):
    ran = case.run("--help")
    equal(ran.err, b"", "stderr")
    for word in ("-m, --arena", "-v, --verbose", "-p, --pages", "--runs", "-j, --json",
                 "-o, --output", "--max-pages", "-q, --quiet", "--no-headings", "--help",
                 "--version", "VMCORE", "Exit status"):
        expect(word in ran.text, "no %s", word)
    expect(max(map(len, ran.text.splitlines())) <= 80, "a line of more than 80 columns")


@test
def version_is_status_0_and_one_line(case):
    ran = case.run("--version")
    equal(ran.err, b"", "stderr")
    expect(ran.text.startswith("arenasnap ") and ran.text.count("\n") == 1, "stdout: %s", ran.text)


@test
def options_may_follow_the_vmcore(case):
    equal(case.run(vmcore(case, OLD), "-j").out, case.run("-j", vmcore(case, OLD)).out, "-j")


@test
def two_dashes_end_the_options(case):
    os.symlink(vmcore(case, OLD), case.path("-v"))
    ran = case.run("-j", "--", "-v", cwd=case.tmp)
    equal(ran.doc["vmcore"], "-v", "vmcore")


# -q.

@test
def quiet_says_nothing_of_a_bad_dump(case):
    for options in (["-q"], ["--quiet"], ["-q", "-j"], ["-q", "-o", case.path("out")]):
        equal(case.run(*options, case.no_dump(), status=3).err, b"", "stderr")


@test
def quiet_says_nothing_of_a_part(case):
    equal(case.run("-q", "-m", "no_such_arena", vmcore(case, OLD), status=1).err, b"", "stderr")


@test
def quiet_says_nothing_of_a_failed_write(case):
    ran = case.run("-q", "-o", case.path("out"), vmcore(case, OLD), status=3,
                   preexec=small_files_told)
    equal(ran.err, b"", "stderr")


@test
def quiet_gives_the_same_answer(case):
    equal(case.run("-q", vmcore(case, OLD)).out, case.run(vmcore(case, OLD)).out, "stdout")


# -o: what may be there before.

def refused(case, *args, what, vmcore_path=None, status=2):
    """Status 2, one line that says so, and nothing changed."""
    before = sorted(os.listdir(case.tmp))
    sums = {name: sha(case.path(name)) for name in before if os.path.isfile(case.path(name))}
    ran = case.run(*args, status=status)
    equal(ran.out, b"", "stdout")
    equal(len(ran.messages), 1, "lines on stderr (%s)" % ran.messages)
    expect(what in ran.messages[0], "stderr does not say '%s': %s", what, ran.messages[0])
    equal(sorted(os.listdir(case.tmp)), before, "files")
    for name, value in sums.items():
        equal(sha(case.path(name)), value, "contents of " + name)


@test
def output_refuses_an_existing_file(case):
    refused(case, "-o", case.file("file", b"precious"), vmcore(case, OLD),
            what="exists; not overwritten")


@test
def output_refuses_a_folder_with_a_file(case):
    os.mkdir(case.path("full"))
    case.file("full/precious", b"precious")
    refused(case, "-o", case.path("full"), vmcore(case, OLD), what="not overwritten")
    equal(os.listdir(case.path("full")), ["precious"], "files in it")


@test
def output_refuses_a_folder_with_a_hidden_file(case):
    os.mkdir(case.path("full"))
    case.file("full/.precious", b"precious")
    refused(case, "-o", case.path("full"), vmcore(case, OLD), what="not overwritten")


@test
def output_refuses_a_second_run(case):
    case.run("-o", case.path("out"), vmcore(case, OLD))
    refused(case, "-o", case.path("out"), vmcore(case, OLD), what="not overwritten")


@test
def output_refuses_the_vmcore_itself(case):
    path = copy_of_dump(case)
    refused(case, "-o", path, path, what="exists; not overwritten")


@test
def output_refuses_swapped_arguments_with_a_new_folder(case):
    refused(case, "-o", copy_of_dump(case), case.path("out"), what="exists; not overwritten")


@test
def output_refuses_swapped_arguments_with_an_empty_folder(case):
    path = copy_of_dump(case)
    os.mkdir(case.path("out"))
    refused(case, "-o", path, case.path("out"), what="exists; not overwritten")


@test
def output_refuses_swapped_arguments_with_a_full_folder(case):
    path = copy_of_dump(case)
    os.mkdir(case.path("out"))
    case.file("out/precious")
    refused(case, "-o", path, case.path("out"), what="exists; not overwritten")


@test
def output_refuses_a_link_to_the_vmcore(case):
    path = copy_of_dump(case)
    os.symlink(path, case.path("link"))
    refused(case, "-o", case.path("link"), path, what="exists; not overwritten")


@test
def output_refuses_the_folder_of_the_vmcore(case):
    path = copy_of_dump(case)
    refused(case, "-o", case.tmp, path, what="not overwritten")


@test
def output_refuses_a_dangling_link(case):
    os.symlink(case.path("nowhere"), case.path("link"))
    case.run("-o", case.path("link"), vmcore(case, OLD), status=2)
    equal(os.listdir(case.tmp), ["link"], "files")


@test
def output_into_a_folder_that_is_empty(case):
    os.mkdir(case.path("out"))
    case.run("-o", case.path("out"), vmcore(case, OLD))
    hold_contents(case.snapshot(case.path("out")), Truth(OLD), case.path("out"))


@test
def output_with_json_says_the_same_on_stdout(case):
    ran = case.run("-j", "-o", case.path("out"), vmcore(case, OLD))
    equal(ran.doc, without_pages(case.snapshot(case.path("out"))), "stdout")


@test
def output_with_a_slash_at_the_end(case):
    case.run("-o", case.path("out") + "/", vmcore(case, OLD))
    case.snapshot(case.path("out"))


@test
def output_respects_umask(case):
    case.run("-o", case.path("out"), vmcore(case, OLD), preexec=lambda: os.umask(0o077))
    for name in ["."] + os.listdir(case.path("out")):
        mode = os.stat(case.path("out", name)).st_mode & 0o777
        expect(not mode & 0o077, "%s has mode %o, umask is 077", name, mode)


# -o: when it goes wrong.

def nothing_left(case, *but):
    left = sorted(set(os.listdir(case.tmp)) - set(but))
    equal(left, [], "left behind")


@test
def output_of_a_file_that_is_no_dump_leaves_nothing(case):
    case.run("-o", case.path("out"), case.no_dump(), status=3)
    nothing_left(case, "no-dump")


@test
def output_of_a_file_that_is_no_dump_leaves_an_empty_folder_empty(case):
    os.mkdir(case.path("out"))
    case.run("-o", case.path("out"), case.no_dump(), status=3)
    equal(os.listdir(case.path("out")), [], "left behind")


@test
def output_of_a_missing_file_leaves_nothing(case):
    case.run("-o", case.path("out"), case.path("missing"), status=3)
    nothing_left(case)


def small_files():
    """Files of at most 64 KiB; a larger one is a signal, as after ulimit -f."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))


def small_files_told():
    """Files of at most 64 KiB; a larger one is an error, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    small_files()


@test
def output_that_cannot_be_written_is_status_3_and_leaves_nothing(case):
    ran = case.run("-o", case.path("out"), vmcore(case, OLD), status=3, preexec=small_files_told)
    nothing_left(case)
    equal(len(ran.messages), 1, "lines on stderr (%s)" % ran.messages)
    expect("written" in ran.messages[0] and "File too large" in ran.messages[0], "stderr: %s",
           ran.messages[0])


@test
def output_over_ulimit_f_is_not_blamed_on_the_dump(case):
    ran = case.run("-o", case.path("out"), vmcore(case, OLD), status=3, preexec=small_files)
    nothing_left(case)
    expect("damaged" not in ran.messages[0], "stderr: %s", ran.messages[0])


@test
def output_that_cannot_be_written_is_a_failed_json_line(case):
    ran = case.run("-j", "-o", case.path("out"), vmcore(case, OLD), status=3,
                   preexec=small_files_told)
    equal(ran.doc["status"], "failed", "status")
    equal(ran.doc["errors"][0]["code"], "io", "code")
    nothing_left(case)


@test
def output_keeps_an_empty_folder_when_it_cannot_be_written(case):
    os.mkdir(case.path("out"))
    case.run("-o", case.path("out"), vmcore(case, OLD), status=3, preexec=small_files_told)
    equal(os.listdir(case.path("out")), [], "left in the folder")


def in_small_filesystem(case, options, script):
    """Run a shell script beside a file system of its own at $1 ($2: arenasnap, $3: a vmcore)."""
    os.mkdir(case.path("mnt"))
    # what a mount cannot do here is told apart from what arenasnap does
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o %s none \"$1\" || exit 99\n%s" % (
            options, script), "sh", case.path("mnt"), case.setup.binary, vmcore(case, OLD)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=case.setup.env,
        stdin=subprocess.DEVNULL)
    if ran.returncode in (1, 99) and b"arenasnap" not in ran.stderr:
        raise Skip("no file system can be mounted here: " + short(ran.stderr))
    return ran


@test
def output_into_a_full_filesystem_is_status_3_and_leaves_nothing(case):
    if not shutil.which("unshare"):
        raise Skip("there is no unshare")
    ran = in_small_filesystem(case, "size=256k",
                              '"$2" -o "$1/out" "$3" >&2; echo $?; ls -A "$1"')
    equal(ran.stdout, b"3\n", "status, files left")
    expect(b"No space left on device" in ran.stderr, "stderr: %s", ran.stderr)


@test
def output_into_a_readonly_filesystem_is_status_3(case):
    if not shutil.which("unshare"):
        raise Skip("there is no unshare")
    ran = in_small_filesystem(case, "ro", '"$2" -o "$1/out" "$3"; echo $?; ls -A "$1"')
    equal(ran.stdout, b"3\n", "status, files left")
    expect(b"Read-only file system" in ran.stderr, "stderr: %s", ran.stderr)


def as_nobody(case):
    """Run as nobody, who may read the dumps but write only to $TMPDIR."""
    if os.getuid():
        return {}
    nobody = pwd.getpwnam("nobody")

    def become():
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
    os.mkdir(case.path("tmp"))
    os.chmod(case.path("tmp"), 0o777)
    try:
        probe = subprocess.run([case.setup.binary, "--version"], preexec_fn=become,
                               env=case.setup.env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        allowed = probe.returncode == 0
    except (OSError, subprocess.SubprocessError):
        allowed = False
    if not allowed:
        raise Skip("another user may not run %s" % case.setup.binary)
    return {"preexec": become, "env": {"TMPDIR": case.path("tmp")}}


@test
def output_into_a_folder_that_forbids_it_is_status_3(case):
    how = as_nobody(case)
    path = copy_of_dump(case)
    os.mkdir(case.path("mine"))
    os.chmod(case.path("mine"), 0o555)
    ran = case.run("-o", case.path("mine", "out"), path, status=3, **how)
    expect("Permission denied" in ran.messages[0], "stderr: %s", ran.messages)
    equal(os.listdir(case.path("mine")), [], "files")
    # a JSON line for each vmcore, also where the outputs are to blame
    ran = case.run("-j", "-o", case.path("mine", "out"), path, status=3, **how)
    equal(ran.doc["errors"][0]["code"], "io", "code")


@test
def a_vmcore_that_may_not_be_read_is_a_sentence(case):
    how = as_nobody(case)
    os.chmod(copy_of_dump(case), 0)
    ran = case.run("-j", case.path("vmcore"), status=3, **how)
    equal(len(ran.messages), 1, "lines on stderr")
    expect("Permission denied" in ran.messages[0], "stderr: %s", ran.messages)
    equal(ran.doc["errors"][0]["code"], "io", "code")


@test
def output_never_replaces_a_file_that_appears_meanwhile(case):
    for name in ("snapshot.json", "2.bin"):
        out = case.path("out-" + name)
        args = ("-j", "-o", out, vmcore(case, OLD))
        child, worker = stop_worker(case, *args, when=lambda: os.path.isdir(out))
        case.file("out-%s/%s" % (name, name), b"precious")
        resume(worker)
        ran = case.end(child, args)
        expect(ran.status in (2, 3), "status %d", ran.status)
        equal(os.listdir(out), [name], "files")
        with open(os.path.join(out, name), "rb") as f:
            equal(f.read(), b"precious", name)
        expect(any("not overwritten" in line for line in ran.messages), "stderr: %s", ran.messages)


@test
def output_does_not_write_through_a_link_that_appears_meanwhile(case):
    out = case.path("out")
    victim = case.file("victim", b"precious")
    args = ("-o", out, vmcore(case, OLD))
    child, worker = stop_worker(case, *args, when=lambda: os.path.isdir(out))
    for name in (".5.bin.tmp", ".snapshot.json.tmp", ".53.bin.tmp"):
        try:
            os.symlink(victim, os.path.join(out, name))
        except FileExistsError:
            pass
    resume(worker)
    case.end(child, args)
    with open(victim, "rb") as f:
        equal(f.read(), b"precious", "the file that the link points to")


# Signals.

def interrupted(case, number, whole_group, args):
    """Stop the worker in the middle, signal, and return how it ended."""
    child, worker = stop_worker(case, *args)
    if whole_group:
        os.killpg(child.pid, number)
    else:
        os.kill(child.pid, number)
        time.sleep(0.1)
    resume(worker)
    ran = case.end(child, args, limit=10)
    equal(ran.status, -number, "status, as a signal")
    return ran


@test_each("INT", "TERM", "HUP")
def a_signal_to_all_leaves_no_output_and_kills(case, name):
    number = getattr(signal, "SIG" + name)
    ran = interrupted(case, number, True, ("-o", case.path("out"), vmcore(case, OLD)))
    nothing_left(case)
    equal(ran.out, b"", "stdout")
    equal(ran.err, b"", "stderr")


@test_each("INT", "TERM", "HUP")
def a_signal_to_the_parent_alone_leaves_no_output_and_kills(case, name):
    number = getattr(signal, "SIG" + name)
    interrupted(case, number, False, ("-o", case.path("out"), vmcore(case, OLD)))
    nothing_left(case)


@test
def a_signal_to_the_parent_alone_ends_the_worker(case):
    args = ("-j", vmcore(case, OLD))
    child, worker = stop_worker(case, *args)
    os.kill(child.pid, signal.SIGTERM)
    ran = case.end(child, args, limit=10)
    equal(ran.status, -signal.SIGTERM, "status")
    deadline = time.monotonic() + 5
    while os.path.exists("/proc/%d" % worker) and time.monotonic() < deadline:
        time.sleep(0.01)
    gone = not os.path.exists("/proc/%d" % worker)
    if not gone:
        os.kill(worker, signal.SIGKILL)
    expect(gone, "the worker lives on")


@test
def ctrl_c_keeps_an_empty_folder_that_was_there(case):
    os.mkdir(case.path("out"))
    args = ("-o", case.path("out"), vmcore(case, OLD))
    child, worker = stop_worker(case, *args, when=lambda: os.listdir(case.path("out")))
    os.killpg(child.pid, signal.SIGINT)
    resume(worker)
    ran = case.end(child, args, limit=10)
    equal(ran.status, -signal.SIGINT, "status")
    equal(os.listdir(case.path("out")), [], "files")


@test
def ctrl_c_during_one_of_several_vmcores_ends_all(case):
    args = ("-j", vmcore(case, OLD), vmcore(case, ARM))
    child, worker = stop_worker(case, *args)
    os.killpg(child.pid, signal.SIGINT)
    resume(worker)
    ran = case.end(child, args, limit=10)
    equal(ran.status, -signal.SIGINT, "status")
    equal(ran.out, b"", "stdout")


@test
def a_signal_that_was_ignored_stays_ignored(case):
    """nohup arenasnap ... must outlive the terminal."""
    args = ("-j", vmcore(case, OLD))
    child, worker = stop_worker(
        case, *args, preexec=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    os.killpg(child.pid, signal.SIGHUP)
    resume(worker)
    equal(case.end(child, args).status, 0, "status after an ignored SIGHUP")


@test_each("INT", "TERM")
def a_signal_ends_it_while_nobody_reads_stdout(case, name):
    """A pager that waits, a pipe that is stuck."""
    number = getattr(signal, "SIG" + name)
    args = ("-jp", vmcore(case, OLD))
    reader, writer = os.pipe()
    size = fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    child = case.start(*args, stdout=writer)
    os.close(writer)
    # the pipe is full, and it sleeps in write()
    full = array.array("i", [0])
    deadline = time.monotonic() + 10 * case.setup.patience
    while full[0] < size and time.monotonic() < deadline:
        fcntl.ioctl(reader, termios.FIONREAD, full)
        time.sleep(0.01)
    equal((full[0], child.poll()), (size, None), "bytes in the pipe, status")
    time.sleep(0.1)
    os.kill(child.pid, number)
    try:
        status = child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()
        status = None
    finally:
        os.close(reader)
        child.communicate()
    equal(status, -number, "status (None: it went on waiting)")


# --reduce.

def reduces(case):
    if "--reduce" not in case.run("--help").text:
        raise Skip("there is no --reduce yet")


@test_each("kdump", "elf", "aarch64")
def reduced_dump_is_smaller_and_gives_the_same_answer(case, which):
    reduces(case)
    path = {"kdump": lambda: vmcore(case, NEW), "elf": lambda: elf(case),
            "aarch64": lambda: vmcore(case, ARM)}[which]()
    small = case.path("small")
    ran = case.run("-jp", "--reduce", small, path)
    # the recorded ones are reduced already
    most = os.stat(path).st_blocks * 512 * (0.6 if which == "elf" else 1)
    expect(os.path.getsize(small) <= most, "%d bytes of %d", os.path.getsize(small),
           os.path.getsize(path))
    equal(case.run("-jp", small).doc, dict(ran.doc, vmcore=small), "-jp of the small one")
    equal(case.run(small).out, case.run(path).out, "the list")
    out = case.path("out")
    case.run("-o", out, small)
    hold_contents(case.snapshot(out), Truth(ARM if which == "aarch64" else NEW), out)
    case.run("--reduce", case.path("again"), small)
    equal(case.run("-jp", case.path("again")).doc, dict(ran.doc, vmcore=case.path("again")),
          "-jp of one that was made small twice")


@test
def reduce_refuses_what_is_there(case):
    reduces(case)
    path = copy_of_dump(case)
    os.mkdir(case.path("folder"))
    os.symlink(path, case.path("link"))
    os.symlink(case.path("nowhere"), case.path("dangling"))
    case.file("file", b"precious")
    for target in ("file", "vmcore", "link", "dangling", "folder"):
        refused(case, "--reduce", case.path(target), path, what="exists; not overwritten")
    refused(case, "--reduce", path, case.path("new"), what="exists; not overwritten")


@test
def reduce_that_fails_leaves_nothing(case):
    reduces(case)
    small = case.path("small")
    case.run("--reduce", small, case.no_dump(), status=3)
    nothing_left(case, "no-dump")
    case.run("--reduce", small, case.path("missing"), status=3)
    nothing_left(case, "no-dump")
    ran = case.run("-j", "--reduce", small, vmcore(case, OLD), status=3,
                   preexec=small_files_told)
    equal(ran.doc["errors"][0]["code"], "io", "code")
    nothing_left(case, "no-dump")


@test_each("INT", "TERM")
def reduce_that_is_stopped_leaves_nothing(case, name):
    reduces(case)
    number = getattr(signal, "SIG" + name)
    for whole_group in (True, False):
        interrupted(case, number, whole_group,
                    ("--reduce", case.path("small"), vmcore(case, OLD)))
        nothing_left(case)


@test
def reduce_never_replaces_a_file_that_appears_meanwhile(case):
    reduces(case)
    args = ("-j", "--reduce", case.path("small"), vmcore(case, OLD))
    child, worker = stop_worker(case, *args)
    case.file("small", b"precious")
    resume(worker)
    ran = case.end(child, args)
    expect(ran.status in (2, 3), "status %d", ran.status)
    equal(os.listdir(case.tmp), ["small"], "files")
    with open(case.path("small"), "rb") as f:
        equal(f.read(), b"precious", "contents")


# stdout.

def closed_pipe():
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@test_each("-j", "-p", "-v", "list")
def stdout_that_is_a_closed_pipe_ends_by_sigpipe(case, view):
    args = (vmcore(case, OLD),) if view == "list" else (view, vmcore(case, OLD))
    writer = closed_pipe()
    ran = case.run(*args, stdout=writer, status=-signal.SIGPIPE, broken_stdout=True)
    os.close(writer)
    equal(ran.err, b"", "stderr")


@test
def stdout_that_is_a_closed_pipe_ends_by_sigpipe_with_a_bad_dump(case):
    writer = closed_pipe()
    case.run("-j", case.no_dump(), stdout=writer, status=-signal.SIGPIPE, broken_stdout=True)
    os.close(writer)


@test_each("-j", "-p", "list", "--help", "--version", "bad")
def stdout_that_is_full_is_status_3_and_named(case, view):
    args = {"list": (vmcore(case, OLD),), "bad": ("-j", case.no_dump()), "--help": ("--help",),
            "--version": ("--version",)}.get(view, (view, vmcore(case, OLD)))
    with open("/dev/full", "wb") as full:
        ran = case.run(*args, stdout=full, status=3, broken_stdout=True)
    told = [line for line in ran.messages if "standard output" in line]
    equal(len(told), 1, "sentences about standard output (stderr: %s)" % ran.messages)


@test
def stdout_that_is_full_does_not_stop_the_output_folder(case):
    with open("/dev/full", "wb") as full:
        case.run("-o", case.path("out"), vmcore(case, OLD), stdout=full, status=3,
                 broken_stdout=True)
    if os.path.exists(case.path("out")):
        case.snapshot(case.path("out"))


@test
def stdout_that_is_closed_is_no_success(case):
    ran = case.run("-j", vmcore(case, OLD), status=(3, -signal.SIGPIPE), broken_stdout=True,
                   preexec=lambda: os.close(1))
    equal(ran.out, b"", "stdout")


@test
def stdout_that_is_closed_does_not_write_into_the_output(case):
    """Descriptor 1 must not become one of the files that are written."""
    case.run("-o", case.path("out"), vmcore(case, OLD), status=(0, 3), broken_stdout=True,
             preexec=lambda: [os.close(fd) for fd in (0, 1, 2)])
    if os.path.exists(case.path("out")):
        hold_contents(case.snapshot(case.path("out")), Truth(OLD), case.path("out"))


@test
def temporary_folder_that_is_missing_is_a_sentence(case):
    ran = case.run("-j", vmcore(case, OLD), status=3, env={"TMPDIR": case.path("none")})
    expect("TMPDIR" in ran.messages[0], "stderr: %s", ran.messages)
    equal(ran.doc["errors"][0]["code"], "io", "code")


# Several vmcores.

@test
def several_vmcores_are_answered_in_order(case):
    paths = [vmcore(case, name) for name in (NEW, OLD, ARM)]
    ran = case.run("-j", *paths)
    equal([doc["vmcore"] for doc in ran.docs], paths, "vmcores")
    for doc, path in zip(ran.docs, paths):
        equal(doc, case.run("-j", path).doc, "the line of " + path)


@test
def several_lists_have_headings_and_blank_lines(case):
    paths = [vmcore(case, name) for name in (OLD, NEW)]
    want = "\n".join("%s:\n%s" % (path, case.run(path).text) for path in paths)
    equal(case.run(*paths).text, want, "stdout")


@test
def one_vmcore_has_no_heading(case):
    equal(case.run(vmcore(case, OLD)).text.splitlines()[0], HEADING, "first line")


@test
def a_bad_vmcore_in_the_middle_costs_only_itself(case):
    paths = [vmcore(case, OLD), case.no_dump(), case.path("missing"), vmcore(case, NEW)]
    ran = case.run("-j", *paths, status=3)
    equal([doc["vmcore"] for doc in ran.docs], paths, "vmcores")
    equal([doc["status"] for doc in ran.docs], ["complete", "failed", "failed", "complete"],
          "status")
    equal(len(ran.messages), 2, "lines on stderr")
    for path, line in zip(paths[1:3], ran.messages):
        expect(line.startswith("arenasnap: %s: " % path), "stderr: %s", line)
    ran = case.run(*paths, status=3)
    good = [case.run(path).text for path in (paths[0], paths[3])]
    equal(ran.text, "%s:\n%s\n%s:\n\n%s:\n\n%s:\n%s" % (
        paths[0], good[0], paths[1], paths[2], paths[3], good[1]), "stdout")


@test
def several_vmcores_give_the_highest_status(case):
    good, bad = vmcore(case, OLD), case.no_dump()
    case.run("-j", "-m", "no_such_arena", good, good, status=1)
    case.run("-j", "-m", "no_such_arena", good, bad, good, status=3)
    case.run("-j", "-m", "scratch", good, vmcore(case, NEW), status=1)


@test
def the_same_vmcore_twice_is_two_answers(case):
    ran = case.run("-j", vmcore(case, OLD), vmcore(case, OLD))
    equal(ran.docs[0], ran.docs[1], "the second answer")


# --jobs.

@test
def jobs_do_not_change_the_answer(case):
    paths = [vmcore(case, NEW), case.no_dump(), vmcore(case, OLD), vmcore(case, ARM),
             case.path("missing"), vmcore(case, OLD)]
    for view in ([], ["-j"]):
        one = case.run(*view, *paths, status=3)
        for jobs in ("1", "2", "3", "6", "64"):
            ran = case.run(*view, "--jobs", jobs, *paths, status=3)
            equal(ran.out, one.out, "stdout of --jobs " + jobs)
            equal(ran.err, one.err, "stderr of --jobs " + jobs)


@test
def jobs_run_at_once_but_no_more(case):
    args = ("-j", "--jobs", "2") + (vmcore(case, OLD),) * 5
    child, worker = stop_worker(case, *args)
    most, calm = 0, time.monotonic()
    deadline = calm + 30 * case.setup.patience
    while time.monotonic() < min(calm + 0.5, deadline):
        now = len(children_of(child.pid))
        most = max(most, now)
        if now != 1 or most < 2:
            calm = time.monotonic()
    equal(most, 2, "workers at once")
    equal(children_of(child.pid), [worker], "workers, when all others are done")
    resume(worker)
    ran = case.end(child, args)
    equal(len(ran.docs), 5, "lines")


@test
def jobs_stay_in_order_behind_a_slow_one(case):
    paths = [vmcore(case, OLD), vmcore(case, ARM), case.no_dump()]
    args = ("-j", "--jobs", "3", *paths)
    child, worker = stop_worker(case, *args)
    time.sleep(0.5)
    resume(worker)
    ran = case.end(child, args)
    equal([doc["vmcore"] for doc in ran.docs], paths, "vmcores")


@test
def jobs_beyond_the_limit_of_open_files_are_no_failures(case):
    paths = [vmcore(case, OLD)] * 24
    ran = case.run("-j", "--jobs", "24", *paths, status=(0, 3), preexec=lambda: (
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))))
    bad = [doc["errors"][0]["text"] for doc in ran.docs if doc["status"] == "failed"]
    expect(not bad, "%d of 24 good vmcores failed: %s", len(bad), bad[:1])


@test
def ctrl_c_ends_all_jobs(case):
    args = ("-j", "--jobs", "3") + (vmcore(case, OLD),) * 6
    child, worker = stop_worker(case, *args)
    workers = children_of(child.pid)
    os.kill(child.pid, signal.SIGINT)
    ran = case.end(child, args, limit=10)
    equal(ran.status, -signal.SIGINT, "status")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(
            os.path.exists("/proc/%d" % w) for w in workers + [worker]):
        time.sleep(0.01)
    left = [w for w in workers + [worker] if os.path.exists("/proc/%d" % w)]
    equal(left, [], "workers that live on")


# Hostile names of files.

UGLY = b"a\nb\x1b[31m\x07\xff\xfe \"quote\\ \xc2\x9b31m \xe2\x82\xac.kdump"


def only_text(data, what):
    """No control character, C1 ones among them, reaches a terminal."""
    text = data.decode("utf-8", "surrogateescape")
    bad = [c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7f <= ord(c) < 0xa0]
    expect(not bad, "%s has control characters %s: %s", what, short(bad), short(data))


@test
def ugly_path_is_valid_in_json(case):
    path = os.path.join(os.fsencode(case.tmp), UGLY)
    os.symlink(vmcore(case, OLD), path)
    want = path.decode("utf-8", "replace")
    equal(case.run("-j", path.decode("utf-8", "surrogateescape")).doc["vmcore"], want, "vmcore")
    os.unlink(path)
    ran = case.run("-j", path.decode("utf-8", "surrogateescape"), status=3)
    equal(ran.doc["vmcore"], want, "vmcore of a failed line")


@test
def ugly_path_cannot_write_to_a_terminal_by_a_message(case):
    path = os.path.join(os.fsencode(case.tmp), UGLY)
    for make in (None, lambda: os.symlink(case.no_dump(), path)):
        if make:
            make()
        ran = case.run(path.decode("utf-8", "surrogateescape"), status=3)
        only_text(ran.err, "stderr")
        equal(ran.err.count(b"\n"), 1, "lines on stderr")


@test
def ugly_path_cannot_write_to_a_terminal_by_a_heading(case):
    path = os.path.join(os.fsencode(case.tmp), UGLY)
    os.symlink(vmcore(case, OLD), path)
    name = path.decode("utf-8", "surrogateescape")
    ran = case.run("--no-headings", name, name)
    only_text(ran.out, "stdout")
    equal(ran.out.count(b"\n"), 2 * (1 + len(Truth(OLD).arenas)) + 1, "lines on stdout")


@test
def ugly_output_cannot_write_to_a_terminal(case):
    path = os.path.join(os.fsencode(case.tmp), UGLY)
    with open(path, "wb"):
        pass
    ran = case.run("-o", path.decode("utf-8", "surrogateescape"), vmcore(case, OLD), status=2)
    only_text(ran.err, "stderr")


@test
def ugly_arena_is_valid_in_json_and_on_a_terminal(case):
    text = "x\x1b[31m\udcff" + "\u20ac" * 40
    ran = case.run("-j", "-m", text, vmcore(case, OLD), status=1)
    expect("x\x1b[31m\ufffd" in ran.doc["errors"][0]["text"] or
           "x" in ran.doc["errors"][0]["text"], "errors: %s", ran.doc["errors"])
    only_text(ran.err, "stderr")
