"""Plans that cannot be flown are refused in one line that says where, what, and what else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from humay.errors import HumayError, PlanError
from humay.orbit import Ephemeris
from humay.spacecraft import fly
from tests.check.valid_plan import MISSION, moved

Plan = dict[str, Any]
Change = Callable[[Plan], None]


def alpha(plan: Plan) -> list[Plan]:
    """The attitude of the first satellite."""
    segments: list[Plan] = plan["attitude"]["alpha"]
    return segments


def put(*path: Any) -> Change:
    """A change that puts the last of `path` where the others lead."""
    *way, key, value = path

    def change(plan: Plan) -> None:
        at: Any = plan
        for step in way:
            at = at[step]
        at[key] = value

    return change


def drop(*path: Any) -> Change:
    def change(plan: Plan) -> None:
        at: Any = plan
        for step in path[:-1]:
            at = at[step]
        del at[path[-1]]

    return change


def first(plan: Plan, mode: str) -> Plan:
    return next(segment for segment in alpha(plan) if segment["mode"] == mode)


def twice(plan: Plan) -> None:
    plan["acquisitions"].append(copy.deepcopy(plan["acquisitions"][0]))


def gap(plan: Plan) -> None:
    alpha(plan)[0]["end"] = moved(alpha(plan)[0]["end"], -2.0)


def shifted(plan: Plan) -> None:
    entry = plan["acquisitions"][0]
    entry["start"] = moved(entry["start"], 0.5)


def turned_too_far(plan: Plan) -> None:
    for phase in first(plan, "slew")["phases"]:
        phase["acceleration_deg_s2"] = [1.1 * a for a in phase["acceleration_deg_s2"]]


def imaged_twice(plan: Plan) -> None:
    images = [segment for segment in alpha(plan) if segment["mode"] == "image"]
    images[1]["acquisition"] = images[0]["acquisition"]


def in_an_instant(plan: Plan) -> None:
    entry = plan["acquisitions"][0]
    entry["end"] = moved(entry["start"], 1e-5)


BAD: dict[str, tuple[Change, str]] = {
    "format": (put("format", "humay-plan-9"), r"plan\.format is 'humay-plan-9', expected 'humay"),
    "no format": (drop("format"), r"plan has no 'format', expected one"),
    "mission": (put("mission", "other"), r"plan\.mission is 'other', expected 'pair'"),
    "no acquisitions": (drop("acquisitions"), r"plan has no 'acquisitions'"),
    "no list": (put("acquisitions", {"id": 1}), r"acquisitions is {'id': 1}, expected a list"),
    "no object": (put("acquisitions", 0, 7), r"plan\.acquisitions\[0\] is 7, expected an object"),
    "no key": (drop("acquisitions", 0, "line_period_s"), r"has no 'line_period_s', expected one"),
    "foreign": (
        put("acquisitions", 0, "satellite", "gamma"),
        r"satellite is 'gamma', expected 'alpha' or 'beta'",
    ),
    "no such strip": (
        put("acquisitions", 0, "strip", "9"),
        r"strip is '9' of request '.*', expected a strip of the plan",
    ),
    "text for number": (put("acquisitions", 0, "data_gbit", "3"), r"data_gbit is '3', expected a"),
    "flag for number": (put("acquisitions", 0, "orbit", True), r"orbit is True, expected a number"),
    "not a number": (put("acquisitions", 0, "data_gbit", float("nan")), r"data_gbit is nan, exp"),
    "no time": (put("acquisitions", 0, "start", "soon"), r"\.start: 'soon' is not a time"),
    "backwards": (put("acquisitions", 0, "end", "2026-01-01T00:00:00Z"), r"expected a time after"),
    "off the span": (put("end", "2026-03-01T00:10:00Z"), r"leaves the plan's span"),
    "no line": (
        put("acquisitions", 0, "centre_line", [[1.0, 2.0, 3.0]] * 2),
        r"centre_line is 0 m long, expected 1 to 6.4e\+06 m",
    ),
    "ragged line": (
        put("acquisitions", 0, "centre_line", [[1.0], [1.0, 2.0]]),
        r"expected 2 x 3 numbers",
    ),
    "line of texts": (put("acquisitions", 0, "centre_line", [["1"] * 3] * 2), r"2 x 3 numbers"),
    "in an instant": (in_an_instant, r"sweeps .* m in 0\.000010 s, expected less than"),
    "twice": (twice, r"acquisitions\['a1'\] is there twice, expected once"),
    "shifted": (shifted, r"acquisitions\['a1'\] is not imaged from its start to its end"),
    "imaged twice": (imaged_twice, r"acquisitions\['a[12]'\] is not imaged"),
    "no attitude": (drop("attitude", "beta"), r"attitude is of 'alpha', expected the satellites"),
    "another's attitude": (
        put("attitude", "gamma", []),
        r"plan\.attitude is of 'alpha', 'beta', 'gamma', expected",
    ),
    "empty attitude": (put("attitude", "alpha", []), r"attitude\.alpha begins with no law"),
    "begins with a slew": (drop("attitude", "alpha", 0), r"attitude\.alpha begins with no law"),
    "ends early": (drop("attitude", "alpha", -1), r"attitude\.alpha\[\d+\] begins \+\d"),
    "gap": (gap, r"attitude\.alpha\[1\] begins \+2\.000000 s after the one before ends"),
    "mode": (put("attitude", "alpha", 0, "mode", "spin"), r"mode is 'spin', expected 'idle' or"),
    "law": (put("attitude", "alpha", 0, "law", "moon"), r"law is 'moon', expected 'nadir' or"),
    "jump": (turned_too_far, r"attitude\.alpha jumps by \d+\.\d+ deg at .*Z, expected at most 0"),
    "no sigma": (drop("satellites", 0, "orbit_sigma_m"), r"has no 'orbit_sigma_m'"),
    "downlink": (put("downlinks", 0, "satellite", "x"), r"satellite is 'x', expected 'alpha' or"),
    "deep": (put("acquisitions", 0, "id", [[[[[[[[[1]]]]]]]]]), r"id is \[\[\[.*, expected a text"),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_plan_is_refused_in_one_line(
    change: Change, message: str, plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    bad = copy.deepcopy(plan)
    change(bad)
    with pytest.raises(PlanError, match=message) as refusal:
        fly(MISSION, bad, orbits, seed=1)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400


def test_an_acquisition_that_is_not_there_cannot_be_imaged(
    plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    bad = copy.deepcopy(plan)
    first(bad, "image")["acquisition"] = "a7"
    with pytest.raises(PlanError, match="names acquisition 'a7', expected one of this satellite"):
        fly(MISSION, bad, orbits, seed=1)


@pytest.mark.parametrize("document", [[], "plan", None, 3])
def test_what_is_no_plan_is_refused(document: Any, orbits: Mapping[str, Ephemeris]) -> None:
    with pytest.raises(PlanError, match="expected an object"):
        fly(MISSION, document, orbits, seed=1)


KEYS = [
    (section, key)
    for section, keys in (
        ("acquisitions", ("id", "request", "opportunity", "start", "end", "anx_offset_s")),
        ("downlinks", ("id", "station", "start", "end", "gbit")),
        ("requests", ("name", "strips")),
        ("satellites", ("name",)),
    )
    for key in keys
]


@pytest.mark.parametrize(("section", "key"), KEYS)
@pytest.mark.parametrize("value", [None, [], {}, "", 1e300, -1])
def test_no_value_makes_a_traceback(
    section: str, key: str, value: Any, plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    """Whatever stands under a key that a flight reads: refused as bad data, or flown."""
    bad = copy.deepcopy(plan)
    bad[section][0][key] = value
    message = ""
    try:
        fly(MISSION, bad, orbits, seed=1)
    except HumayError as refusal:
        message = str(refusal)
    assert "\n" not in message
