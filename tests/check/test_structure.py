"""Plan files that are none: refused in one line, alike by the checker and by the schema."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from humay.check import Violation, check_plan, load_plan, verdict
from humay.check.structure import check_structure
from humay.errors import PlanError
from tests.check.valid_plan import MISSION, Json, requests, valid_plan

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/schemas/plan.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

Path_ = tuple[str | int, ...]


def plain(value: Any) -> Any:
    """As read from a file: lists for tuples."""
    return json.loads(json.dumps(value))


PLAN: Json = plain(valid_plan())


def fits(plan: Any) -> bool:
    try:
        check_structure(plan)
    except PlanError as error:
        return not is_one_line(error)
    return True


def is_one_line(error: PlanError) -> bool:
    assert "\n" not in str(error)
    return True


def test_the_schema_is_one_and_accepts_a_valid_plan() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(PLAN)
    check_structure(PLAN)


def test_the_schema_has_every_key_of_the_reference_page(repository: Path) -> None:
    page = (repository / "docs/reference/plan.md").read_text(encoding="utf-8")
    sections = re.split(r"^##+ ", page, flags=re.MULTILINE)
    for title, name in (("satellites", "satellite"), ("requests", "request"),
                        ("acquisitions", "acquisition")):  # fmt: skip
        (section,) = [s for s in sections if s.startswith(title + "\n")]
        rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
        keys = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
        named = set(re.findall(r"`(\w+)`", section))
        assert keys <= set(SCHEMA["$defs"][name]["properties"]) <= named


# ---------------------------------------------------------------- one place changed


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every place of a document, the few first of long lists."""
    yield at
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*at, key))
    elif isinstance(value, list):
        for index, part in enumerate(value[:3]):
            yield from places(part, (*at, index))


PLACES = list(places(PLAN))[1:]


def changed(plan: Any, at: Path_, change: Callable[[Any, Any], None]) -> Any:
    """A copy of a plan after `change(container, key)` at one place."""
    made = copy.deepcopy(plan)
    container = made
    for key in at[:-1]:
        container = container[key]
    change(container, at[-1])
    return made


def put(value: Any) -> Callable[[Any, Any], None]:
    def change(container: Any, key: Any) -> None:
        container[key] = copy.deepcopy(value)

    return change


def drop(container: Any, key: Any) -> None:
    del container[key]


def rename(container: Any, key: Any) -> None:
    if isinstance(container, dict):
        container[f"{key}_"] = container.pop(key)


def scale(factor: float) -> Callable[[Any, Any], None]:
    def change(container: Any, key: Any) -> None:
        value = container[key]
        if isinstance(value, int | float) and not isinstance(value, bool):
            container[key] = value * factor

    return change


def swap(container: Any, key: Any) -> None:  # noqa: ARG001 - the shape of every change
    if isinstance(container, list):
        container.reverse()


NONSENSE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    "",
    "x",
    "2026-03-01T01:00:00Z",
    [],
    [0.0, 0.0],
    {},
    {"a": 1},
)
CHANGES = st.one_of(
    st.sampled_from([drop, rename, swap]),
    st.sampled_from(NONSENSE).map(put),
    st.sampled_from([-1.0, 0.0, 0.5, 1.01, 2.0, 1e3, 1e-3, 1e9]).map(scale),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(at=st.sampled_from(PLACES), change=CHANGES)
def test_checker_and_schema_refuse_the_same(at: Path_, change: Callable[[Any, Any], None]) -> None:
    plan = changed(PLAN, at, change)
    assert fits(plan) == VALIDATOR.is_valid(plan)


def spoilt(changes: list[tuple[Path_, Callable[[Any, Any], None]]]) -> Any:
    """A plan after changes, leaving out those whose place an earlier one has taken away."""
    plan = PLAN
    for at, change in changes:
        with contextlib.suppress(LookupError, TypeError, AttributeError):
            plan = changed(plan, at, change)
    return plan


def answer(plan: Any) -> None:
    """A hostile plan is refused or answered, never anything else."""
    try:
        found = check_plan(MISSION, requests(), plan)
    except PlanError as error:
        is_one_line(error)
        return
    assert all(isinstance(violation, Violation) for violation in found)
    assert verdict(found)


MANY_CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), CHANGES), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=MANY_CHANGES)
def test_no_change_of_a_plan_makes_the_checker_fall(
    changes: list[tuple[Path_, Callable[[Any, Any], None]]],
) -> None:
    answer(spoilt(changes))


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes=MANY_CHANGES)
def test_no_change_of_hundreds_makes_the_checker_fall(
    changes: list[tuple[Path_, Callable[[Any, Any], None]]],
) -> None:
    plan = spoilt(changes)
    answer(plan)
    assert fits(plan) == VALIDATOR.is_valid(plan)


# ---------------------------------------------------------------- files


def refusal(path: Path, content: str | bytes) -> str:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(PlanError) as caught:
        load_plan(path)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


def test_a_plan_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(PLAN))
    assert load_plan(path) == PLAN


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1, column 1: not JSON: Expecting value"),
        ('{"format": \n  nope}', "line 2, column 3: not JSON: Expecting value"),
        (b"\xff\xfe", "byte 0 is not UTF-8, expected JSON in UTF-8"),
        ("[]", "the plan is [], expected an object"),
        ("{}", "the plan has format None, expected 'humay-plan-1'"),
        ('{"format": "humay-plan-2"}', "the plan has format 'humay-plan-2', expected 'humay-p"),
        ('{"format": "humay-plan-1"}', "plan has no 'mission', expected one (docs/reference/p"),
        ('{"seed": NaN}', "NaN found, expected finite numbers"),
        ('{"seed": -Infinity}', "-Infinity found, expected finite numbers"),
        ('{"seed": 1, "seed": 2}', "key 'seed' is given twice in one object, expected once"),
        ("[" * 100_000, "nested too deep, expected a plan"),
        ('{"format": 1' + "0" * 5_000 + "}", "Exceeds the limit (4300 digits)"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_plan_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    assert refusal(tmp_path / "plan.json", content).startswith(said)


def test_a_missing_file_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"plan\.json: cannot be read: No such file or directory$"):
        load_plan(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (("seed",), 1.5, "plan.seed is 1.5, expected a whole number of at least 0"),
        (("objective", "gap"), "none", "plan.objective.gap is 'none', expected a number"),
        (("objective", "value"), True, "plan.objective.value is True, expected a number"),
        (("acquisitions", 1, "orbit"), None, "plan.acquisitions[1].orbit is None, expected a"),
        (("acquisitions", 0, "start"), "2026-13-01T00:00:00Z", "plan.acquisitions[0].start: '2026"),
        (("acquisitions", 0, "start"), "2026-03-01", "plan.acquisitions[0].start is '2026-0"),
        (("passes", 0, "uplink"), 1, "plan.passes[0].uplink is 1, expected true or false"),
        (("attitude", "alpha", 0, "mode"), "spin", "plan.attitude['alpha'][0].mode is 'spin'"),
        (("requests", 0, "outcome"), "lost", "plan.requests[0].outcome is 'lost', expected 'ser"),
        (("requests", 1, "geometry", "type"), "Circle", "plan.requests[1].geometry.type is 'Ci"),
        (("acquisitions", 0, "centre_line"), [], "plan.acquisitions[0].centre_line has 0"),
        (("acquisitions", 0, "width_m"), 0, "plan.acquisitions[0].width_m is 0, expected a num"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_what_was_found_and_what_was_expected(
    tmp_path: Path, at: Path_, value: Any, said: str
) -> None:
    plan = changed(PLAN, at, put(value))
    line = refusal(tmp_path / "plan.json", json.dumps(plan))
    assert line.startswith(said)
    assert fits(plan) is False


def test_a_number_too_large_for_a_float_is_refused(tmp_path: Path) -> None:
    text = json.dumps(changed(PLAN, ("objective", "bound"), put("HERE"))).replace('"HERE"', "1e999")
    assert refusal(tmp_path / "plan.json", text).startswith("plan.objective.bound is inf, expected")


def test_an_unknown_key_is_refused_by_name() -> None:
    with pytest.raises(
        PlanError, match=r"plan\.objective has 'optimum', expected only value, bound"
    ):
        check_structure(changed(PLAN, ("objective", "optimum"), put(1.0)))
