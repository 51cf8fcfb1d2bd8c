"""Calibration looks in the mission file: when they are due, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import MissionError
from humay.mission import Calibration, Mission

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
END = "min_elevation_deg = 5.0\n"


def weekly(**changes: object) -> Calibration:
    fields: dict[str, object] = {
        "name": "m", "kind": "moon", "every_days": 7.0, "tolerance_days": 1.0, "last": NOON,
    }  # fmt: skip
    return Calibration(**{**fields, **changes})  # type: ignore[arg-type]


def days(count: float) -> timedelta:
    return timedelta(days=count)


def test_a_look_is_due_a_cadence_after_the_last_and_may_be_early_or_late_by_the_tolerance() -> None:
    [due] = weekly().dues(NOON + days(5), NOON + days(9))
    assert due.due == NOON + days(7)
    assert due.deadline == NOON + days(8)
    assert (due.begin, due.end) == (NOON + days(6), NOON + days(8))


def test_the_time_for_a_look_is_cut_to_the_plan() -> None:
    [due] = weekly().dues(NOON + days(6.5), NOON + days(7.5))
    assert (due.begin, due.end) == (NOON + days(6.5), NOON + days(7.5))


def test_nothing_is_due_between_two_looks_that_are_in_time() -> None:
    assert list(weekly().dues(NOON, NOON + days(6))) == []


def test_a_look_whose_deadline_has_passed_is_made_up_for_until_the_next_may_be_taken() -> None:
    [due] = weekly().dues(NOON + days(9), NOON + days(12.5))
    assert due.due == NOON + days(7)
    assert due.deadline < NOON + days(9)
    assert (due.begin, due.end) == (NOON + days(9), NOON + days(12.5))
    late, _ = weekly().dues(NOON + days(9), NOON + days(14))
    assert late.end == NOON + days(13)  # where that of the 14th day begins


def test_without_a_last_look_the_first_is_due_as_the_plan_begins() -> None:
    first, second = weekly(last=None).dues(NOON, NOON + days(7))
    assert first.due == NOON
    assert second.due == NOON + days(7)


@given(
    every=st.floats(0.2, 40),
    share=st.floats(0.01, 1),
    since=st.floats(0, 200),
    long=st.floats(0.1, 60),
)
def test_the_times_for_looks_lie_in_the_plan_and_never_overlap(
    every: float, share: float, since: float, long: float
) -> None:
    start, end = NOON + days(since), NOON + days(since + long)
    calibration = weekly(every_days=every, tolerance_days=0.5 * every * share)
    dues = list(calibration.dues(start, end))
    for due in dues:
        assert start <= due.begin < due.end <= end
        assert (due.due - NOON) / days(every) == pytest.approx(
            round((due.due - NOON) / days(every))
        )
    for before, after in pairwise(dues):
        assert after.due - before.due == pytest.approx(days(every), abs=timedelta(microseconds=2))
        assert before.end <= after.begin


def test_a_look_is_worth_its_weight_and_each_step_of_priority_doubles_it() -> None:
    assert weekly(priority=7, weight=1.5).worth == 6.0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"tolerance_days": 3.6}, "tolerance_days is 3.6, expected at most half of every_days"),
        ({"kind": "desert", "scan_rad_s": 0.01}, "has scan_deg_s with kind 'desert'"),
        ({"scan_rad_s": 0.1, "duration_s": 6.0}, "sweeps 34.3775 deg .*, expected at most 30"),
        ({"targets": ("Mars",)}, "targets are Mars, expected none but Moon"),
        ({"kind": "sun"}, "kind is 'sun'"),
        ({"every_days": 0.0}, "every_days is 0"),
        ({"duration_s": float("nan")}, "duration_s is nan"),
    ],
)
def test_a_calibration_that_cannot_be_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(MissionError, match=why):
        weekly(**changes)


def calibrations(*rows: str) -> tuple[str, str]:
    """A change of the mission of the tests: these calibrations at its end."""
    head = '[[calibration]]\nname = "moon"\nkind = "moon"\nevery_days = 7\ntolerance_days = 1\n'
    return END, f"{END}" + "".join(f"{head}{row}\n" for row in rows)


def test_a_file_gives_them_in_si(load: Callable[..., Mission]) -> None:
    [calibration] = load(calibrations("scan_deg_s = 0.2\nlast = 2019-11-04T12:00:00Z")).calibrations
    assert calibration.scan_rad_s == pytest.approx(0.0034906585)
    assert calibration.last == datetime(2019, 11, 4, 12, tzinfo=UTC)
    assert calibration.satellites is None
    assert calibration.allows("spot-7")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (('satellites = ["spot-8"]',), "satellite 'spot-8', no such satellite, did you mean"),
        (("", ""), "2 calibrations are named 'moon', expected one"),
        (("evry_days = 1",), "unknown key 'evry_days', did you mean 'every_days'"),
    ],
)
def test_a_file_with_a_fault_is_refused(
    load: Callable[..., Mission], rows: tuple[str, ...], why: str
) -> None:
    with pytest.raises(MissionError, match=why):
        load(calibrations(*rows))
