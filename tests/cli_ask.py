# SPDX-License-Identifier: GPL-2.0-or-later
"""-a: where an address lies, against the truth of the guests."""

from cli_dumps import LOST, OLD, RECORDED, Truth, vmcore
from cli_run import U32, equal, expect, test, test_each


def ask(case, name, address, status=0):
    """The arenas that an address lies in: {id: address of JSON}."""
    doc = case.run("-j", "-a", "%x" % address, vmcore(case, name), status=status).doc
    return {a["id"]: a["address"] for a in doc["arenas"]}


def users(truth, address):
    """Ids of arenas that have this user address: in the window, or of a page outside of it."""
    page = address & ~(truth.page_size - 1)
    return {a.id for a in truth.arenas if a.user_vm_start <= address < a.user_vm_end or
            any(p.user == page for p in a.pages)}


def lows(truth, low):
    """Ids of arenas that a low half may mean: by arithmetic, in 32 bits."""
    return {a.id for a in truth.arenas if a.user_vm_start and
            a.id in users(truth, (a.user_vm_start & ~U32) | low)}


def hold(told, form, page, offset):
    equal(told["form"], form, "form")
    equal(told["certain"], form != "low32", "certain")
    equal(told["pgoff"], page.pgoff, "pgoff")
    equal(told["offset"], offset, "offset")
    equal(told["user"], "0x%x" % (page.user + offset), "user")
    equal(told["low32"], "0x%x" % ((page.user + offset) & U32), "low32")
    equal(told["page"], page.kind, "page")
    if page.kernel is not None:
        equal(told["kernel"], "0x%x" % (page.kernel + offset), "kernel")
    if page.phys is not None:
        equal(told["phys"], "0x%x" % (page.phys + offset), "phys")
        equal(told["stored"], True, "stored")


@test_each(*RECORDED)
def address_of_a_page_in_three_forms(case, name):
    truth = Truth(name)
    asked = 0
    for arena in truth.arenas[::8]:
        for page in arena.pages[:1] + arena.pages[-1:]:
            offset = truth.page_size - 8
            user = page.user + offset
            told = ask(case, name, user)
            equal(set(told), users(truth, user), "arenas of user address %x" % user)
            hold(told[arena.id], "user", page, offset)
            told = ask(case, name, user & U32)
            equal(set(told), lows(truth, user & U32), "arenas of low half %x" % (user & U32))
            hold(told[arena.id], "low32", page, offset)
            if page.kernel is not None:
                told = ask(case, name, page.kernel + offset)
                equal(set(told), {arena.id}, "arenas of kernel address")
                hold(told[arena.id], "kernel", page, offset)
            asked += 1
    expect(asked > 4, "only %d pages were asked for", asked)
    return "%d pages" % asked


@test_each(*RECORDED)
def address_without_a_page(case, name):
    truth = Truth(name)
    arena = truth.named("huge4g")
    pgoff = next(n for n in range(arena.declared) if n not in arena.by_pgoff)
    user = arena.user_vm_start + pgoff * truth.page_size
    told = ask(case, name, user)[arena.id]
    equal((told["page"], told["phys"], told["stored"]), ("not_mapped", None, None), "page")
    for guard in (arena.kern_vm_start - 1, arena.kern_vm_start + U32 + 1):
        told = ask(case, name, guard)
        equal(set(told), {arena.id}, "arenas of a guard")
        equal(told[arena.id]["page"], "guard", "page")
        equal(told[arena.id]["pgoff"], None, "pgoff")


@test
def address_of_no_arena(case):
    truth = Truth(OLD)
    for address in (0, truth.symbols["_text"], truth.named("fixed").user_vm_end):
        equal(users(truth, address), set(), "arenas there by the truth")
        equal(ask(case, OLD, address, status=1), {}, "arenas of 0x%x" % address)
    ran = case.run("-a", "0", vmcore(case, OLD), status=1)
    equal(ran.out, b"", "stdout")
    expect(b"0x0 lies in no arena" in ran.err, "no such sentence: %r", ran.err)


@test
def address_on_the_screen(case):
    truth = Truth(OLD)
    arena = truth.named("huge4g")
    page = arena.pages[1]
    ran = case.run("--address", "0x%X" % (page.user + 0x123), vmcore(case, OLD))
    equal(ran.err, b"", "stderr")
    equal(ran.out.decode().splitlines(), [
        "%x: user address of arena %d huge4g" % (page.user + 0x123, arena.id),
        "   pgoff: %d, byte 0x123 of it" % page.pgoff,
        "    user: %x" % (page.user + 0x123),
        "  kernel: %x" % (page.kernel + 0x123),
        "   low32: %x" % ((page.user + 0x123) & U32),
        "    phys: %x" % (page.phys + 0x123),
        "    page: mapped"], "stdout")


@test
def address_is_a_view_and_hexadecimal(case):
    path = vmcore(case, OLD)
    for options in (("-a", "1000", "-v"), ("-a", "1000", "-p"), ("-a", "1000", "--max-pages", "1"),
                    ("-a", ""), ("-a", "0x"), ("-a", "-1"), ("-a", "huge4g"),
                    ("-a", "1" + "0" * 16)):
        ran = case.run(*options, path, status=2)
        equal(ran.out, b"", "stdout of %s" % " ".join(options))
        expect(ran.err, "no sentence")


@test
def address_of_the_arenas_asked_for(case):
    truth = Truth(OLD)
    arena = truth.named("huge4g")
    doc = case.run("-j", "-a", "%x" % arena.user_vm_start, "-m", "name:fixed",
                   vmcore(case, OLD), status=1).doc
    equal(doc["arenas"], [], "arenas")
    expect("of these" in doc["errors"][0]["text"], "%s", doc["errors"])


@test
def address_of_no_arena_where_not_all_are_known(case):
    errors = case.run("-j", "-a", "0", vmcore(case, LOST), status=1).doc["errors"]
    expect(any("lies in no arena, as far as they could be read" in e["text"] for e in errors),
           "said as if all were known: %s", errors[-1:])
