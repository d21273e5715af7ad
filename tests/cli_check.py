# SPDX-License-Identifier: GPL-2.0-or-later
"""-c: page tables against the allocator, on recorded dumps and made ones."""

from cli_dumps import RECORDED, Truth, vmcore
from cli_run import equal, expect, test, test_each

# what a sentence of each weight may lead to
VERDICTS = {"damage": {"damaged"}, "doubt": {"damaged", "in_flight", "unknown"},
            "unknown": {"damaged", "unknown"}, "moving": {"in_flight", "damaged", "unknown"}}


def hold_ranges(arena, truth):
    """All declared pages once, in order, and mapped where the guest had them."""
    check, at, mapped = arena["check"], 0, set()
    for run in check["ranges"]:
        expect(run["pgoff"] == at or at >= arena["declared_pages"], "ranges: %s, not pgoff %d",
               run, at)
        at = run["pgoff"] + run["n"]
        if run["page"] == "page":
            mapped |= set(range(run["pgoff"], at))
    expect(at >= arena["declared_pages"], "ranges end at %d", at)
    equal(mapped, {page.pgoff for page in truth.pages if page.kind != "scratch"}, "mapped pages in ranges")


def hold_verdict(check):
    weights = {e["weight"] for e in check["evidence"]}
    for weight in weights & set(VERDICTS):
        expect(check["verdict"] in VERDICTS[weight], "%s, with evidence of %s", check["verdict"],
               weight)
    if check["verdict"] != "consistent":
        expect(weights - {"note"}, "%s without evidence", check["verdict"])
    known = check["allocated"] is not None
    equal((check["free"] is None, check["full"] is None), (not known, not known), "counts")


@test_each(*RECORDED)
def check_of_a_recorded_dump(case, name):
    """Healthy guests: never damaged; unknown is an error, and no error is unknown."""
    truth, verdicts = Truth(name), []
    ran = case.run("-j", "-c", vmcore(case, name), status=(0, 1))
    for arena in ran.doc["arenas"]:
        check = arena["check"]
        hold_verdict(check)
        if arena["declared_pages"] is not None and not arena["truncated"]:
            hold_ranges(arena, truth.of(arena))
        expect(check["verdict"] in ("consistent", "unknown"), "arena %s is %s: %s", arena["id"],
               check["verdict"], check["evidence"][:1])
        verdicts.append(check["verdict"])
        if check["verdict"] == "unknown" and arena["map"] is not None:
            expect(ran.doc["errors"], "unknown without an error")
        equal(check["orphans"], [], "orphans")
    expect(ran.status == 1 or "unknown" not in verdicts, "unknown, and status 0")
    return "%d consistent, %d unknown" % (verdicts.count("consistent"), verdicts.count("unknown"))


@test_each(*RECORDED)
def check_in_a_table(case, name):
    doc = case.run("-j", "-c", vmcore(case, name), status=(0, 1)).doc
    ran = case.run("-c", vmcore(case, name), status=(0, 1))
    lines = ran.out.decode().splitlines()
    heads = [line for line in lines if line.startswith("arena ")]
    equal([line.rsplit(": ")[1].replace(" ", "_") for line in heads],
          [arena["check"]["verdict"] for arena in doc["arenas"]], "verdicts")
    wide = [line for line in lines if len(line) > 80]
    expect(not wide, "wider than 80 columns: %s", wide[:1])
    arena = doc["arenas"][0]["id"]
    one = case.run("-c", "-m", str(arena), vmcore(case, name), status=(0, 1)).out.decode()
    equal(one.splitlines()[0], heads[0], "the first arena alone")


@test
def check_is_a_view(case):
    for args in (["-c", "-p"], ["-c", "-v"], ["-a", "1000", "-c"], ["-c", "--max-pages", "3"]):
        ran = case.run(*args, vmcore(case, RECORDED[0]), status=2)
        equal(ran.out, b"", "stdout")
