"""Urgent requests put into the plan that flies: it stays but for what they displace."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from humay.chain import Flying
from humay.check import check_plan, load_plan
from humay.errors import PlanError
from humay.mission import Request
from humay.schedule import answers_document, answers_text
from humay.time import format_utc
from tests.chain.command import humay, refusal
from tests.chain.test_replanning import BUSY, HOUR, QUICK, again, first_plan
from tests.schedule.random_problems import START, Problem, random_problem

RELEASE = START - HOUR


def split(problem: Problem, name: str) -> tuple[Problem, Request]:
    """The problem without one request, and that one as somebody in a hurry would ask for it."""
    left = tuple(r for r in problem.requests if r.name != name)
    own = next(r for r in problem.requests if r.name == name)
    return replace(problem, requests=left), replace(own, priority=10, weight=1e5)


def twin(problem: Problem, name: str, new: str) -> Request:
    """What is asked for already, asked for again under another name, and worth far more."""
    own = next(r for r in problem.requests if r.name == name)
    return replace(own, name=new, priority=10, weight=1e6)


def hurried(problem: Problem, old: dict[str, Any], *urgent: Request, most: float) -> dict[str, Any]:
    """The plan with urgent requests, accepted by the checker on its own and beside the old one."""
    flying = Flying(document=old, urgent=urgent, most_changed=most)
    return again(problem, flying, release=RELEASE)


def flown(plan: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(a["satellite"], a["strip"], a["start"]) for a in plan["acquisitions"]}


@pytest.mark.parametrize(
    "seed", [pytest.param(s, marks=[] if s in QUICK else [pytest.mark.slow]) for s in BUSY]
)
def test_what_fits_beside_the_plan_that_flies_changes_nothing_in_it(
    seed: int, tmp_path: Path
) -> None:
    whole = random_problem(seed, tmp_path)
    name = first_plan(whole)["acquisitions"][0]["request"]
    problem, urgent = split(whole, name)
    old = first_plan(problem)
    new = hurried(problem, old, urgent, most=0.0)
    assert flown(old) <= flown(new)
    assert {a[1] for a in flown(new) - flown(old)} <= {
        strip["id"] for r in new["requests"] if r["name"] == name for strip in r["strips"]
    }
    assert [new["previous"][key] for key in ("moved", "dropped")] == [0, 0]
    passes = [[(p["id"], p["start"], p["end"]) for p in plan["passes"]] for plan in (old, new)]
    assert passes[0] == passes[1]
    (answer,) = answers_document(old, new)["requests"]
    assert answer["displaced"] == []
    assert (answer["image"] is None) == (answer["outcome"] == "left out")


@pytest.mark.parametrize("seed", [2, 23])
def test_what_is_displaced_is_named_and_no_more_than_may_be(seed: int, tmp_path: Path) -> None:
    """Twins of all that is planned, worth far more: each must take the place of something."""
    problem = random_problem(seed, tmp_path)
    old = first_plan(problem)
    names = sorted({a["request"] for a in old["acquisitions"]})
    urgent = [twin(problem, name, f"again {name}") for name in names]
    tied, free = (hurried(problem, old, *urgent, most=most) for most in (0.0, 1.0))
    assert flown(old) <= flown(tied)
    told = free["previous"]
    displaced = [one for each in told["urgent"]["requests"] for one in each["displaced"]]
    assert len(displaced) == told["moved"] + told["dropped"] >= 1
    text = answers_text(answers_document(old, free))
    for one in displaced:
        (entry,) = (a for a in old["acquisitions"] if a["id"] == one)
        assert f"in the place of {entry['strip']}, {entry['satellite']}" in text
    assert free["objective"]["value"] > tied["objective"]["value"]
    reasons = {r["name"]: r["reason"] for r in free["requests"] if r["outcome"] == "left out"}
    assert all(reason["text"] for reason in reasons.values())
    room = hurried(problem, old, *urgent, most=1.5 / len(old["acquisitions"]))
    assert room["previous"]["moved"] + room["previous"]["dropped"] == 1


def test_what_is_not_planned_says_why_and_what_was_left_out_keeps_its_reason(
    tmp_path: Path,
) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    nowhere = replace(problem.requests[0], name="nowhere", max_off_nadir_rad=1e-6)
    new = hurried(problem, old, nowhere, most=1.0)
    (answer,) = answers_document(old, new)["requests"]
    assert answer["outcome"] == "left out"
    assert answer["reason"]["code"] in {"no_opportunity", "margin"}
    before = {r["name"]: r["reason"] for r in old["requests"]}
    for entry in new["requests"]:
        if entry["name"] != "nowhere":
            assert (entry["reason"] or {}).get("code") == (before[entry["name"]] or {}).get("code")


def test_requests_that_are_neither_known_nor_urgent_and_known_names_are_refused(
    tmp_path: Path,
) -> None:
    problem = random_problem(12, tmp_path)
    old = first_plan(problem)
    name = old["acquisitions"][0]["request"]
    one, two = (twin(problem, name, new) for new in ("one", "two"))
    more = replace(problem, requests=(*problem.requests, two))
    with pytest.raises(PlanError, match="'two' is neither in the previous plan nor urgent"):
        hurried(more, old, one, most=1.0)
    with pytest.raises(PlanError, match="asked for already"):
        hurried(problem, old, replace(one, name=name), most=1.0)
    less = replace(problem, requests=tuple(r for r in problem.requests if r.name != name))
    with pytest.raises(PlanError, match=f"was asked for '{name}', too.*--book"):
        hurried(less, old, one, most=1.0)
    with pytest.raises(PlanError, match="most_changed"):
        hurried(problem, old, one, most=1.1)


# The checker --------------------------------------------------------------------------------------


def _told_urgent_but_known(plan: dict[str, Any], old: dict[str, Any]) -> None:
    plan["previous"]["urgent"]["requests"][0]["name"] = old["requests"][0]["name"]


def _displaced_though_it_stays(plan: dict[str, Any], old: dict[str, Any]) -> None:
    stays = next(a["id"] for a in old["acquisitions"] if _place(a) in map(_place, _acts(plan)))
    plan["previous"]["urgent"]["requests"][0]["displaced"] = [stays]


def _more_than_may_be(plan: dict[str, Any], _old: dict[str, Any]) -> None:
    plan["previous"]["urgent"]["most_changed"] = 0.0


def _not_urgent(plan: dict[str, Any], _old: dict[str, Any]) -> None:
    plan["previous"]["urgent"]["requests"] = []


def _acts(plan: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = plan["acquisitions"]
    return entries


def _place(entry: dict[str, Any]) -> tuple[str, str, str]:
    return entry["satellite"], entry["strip"], entry["start"]


@pytest.mark.parametrize(
    "change",
    [_told_urgent_but_known, _displaced_though_it_stays, _more_than_may_be, _not_urgent],
)
def test_the_checker_finds_each_breach_of_what_is_told_of_the_urgent(
    change: Callable[[dict[str, Any], dict[str, Any]], None], tmp_path: Path
) -> None:
    problem = random_problem(23, tmp_path)
    old = first_plan(problem)
    name = old["acquisitions"][0]["request"]
    urgent = twin(problem, name, "now")
    new = hurried(problem, old, urgent, most=1.0)
    assert new["previous"]["urgent"]["requests"][0]["displaced"]
    changed = copy.deepcopy(new)
    change(changed, old)
    found = check_plan(problem.mission, [*problem.requests, urgent], changed, old)
    assert any(v.code == "previous" and "urgent" in v.where for v in found)


# The command --------------------------------------------------------------------------------------


def test_the_command_puts_urgent_requests_in_and_writes_the_new_book(tmp_path: Path) -> None:
    problem = random_problem(2, tmp_path)
    files = tmp_path / "mission-2.toml", tmp_path / "requests-2.geojson"
    old, new, book = (tmp_path / name for name in ("old.json", "new.json", "book.geojson"))
    span = ("--start", format_utc(START), "--hours", 5, "--iterations", 0, "--quiet")
    assert humay("plan", *files, *span, "-o", old).returncode == 0
    feature = json.loads(files[1].read_text())["features"][0]
    feature["properties"] |= {"name": "flood", "priority": 10, "weight": 1e4}
    late = tmp_path / "late.geojson"
    late.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    urgent = ("--previous", old, "--urgent", late)
    done = humay("plan", *files, *urgent, "-o", new, "--book", book, "--json", "--quiet")
    assert done.returncode == 0, done
    told = json.loads(done.stdout)["urgent"]
    assert [each["name"] for each in told["requests"]] == ["flood"]
    assert told["seconds"] < 1.0
    assert load_plan(new)["end"] == load_plan(old)["end"]
    for words in ((files[0], book), (*files, "--urgent", late)):
        checked = humay("check", words[0], words[1], new, *words[2:], "--previous", old, "--quiet")
        assert checked.stdout == "valid\n", checked
    assert len(problem.requests) + 1 == len(json.loads(book.read_text())["features"])
    done = humay("plan", *files, "--urgent", late, "-o", new, "--quiet")
    assert (done.returncode, "needs --previous" in done.stderr) == (2, True)
    done = humay("plan", *files, "-o", new, "--quiet")
    assert (done.returncode, "--start and --hours are needed" in done.stderr) == (2, True)
    refusal(humay("plan", *files, *urgent, "-o", late, "--quiet"), "late.geojson")
