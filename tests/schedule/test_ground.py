"""Antennas: who gets what when satellites meet, and what is never given twice."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from humay.schedule.ground import Pass, _without_conflict
from humay.time import Epoch

EPOCH = Epoch(datetime(2026, 1, 1, tzinfo=UTC))


def contact(satellite: str, start_s: float, end_s: float) -> Pass:
    """A contact not yet cut."""
    return Pass(
        pass_id=f"{satellite}:{start_s:g}", station="s", satellite=satellite, start_s=start_s,
        end_s=end_s, contact_start_s=start_s, contact_end_s=end_s, max_elevation_rad=1.0,
        uplink=True, downlink=True,
    )  # fmt: skip


def spans(passes: list[Pass]) -> list[tuple[str, float, float]]:
    return [(p.satellite, p.start_s, p.end_s) for p in passes]


def test_two_that_meet_for_most_of_a_pass_halve_the_common_time() -> None:
    booked = _without_conflict([contact("a", 0, 600), contact("b", 180, 780)], 60.0)
    assert spans(booked) == [("a", 0, 360), ("b", 420, 780)]


def test_a_pass_inside_another_does_not_cost_the_longer_one_its_end() -> None:
    booked = _without_conflict([contact("a", 0, 600), contact("b", 200, 300)], 60.0)
    assert spans(booked) == [("a", 0, 600)]
    booked = _without_conflict([contact("a", 0, 600), contact("b", 300, 310)], 0.0)
    assert spans(booked) == [("a", 0, 600)]


def test_three_that_meet_use_the_antenna_at_least_as_long_as_one_would() -> None:
    three = [contact("a", 0, 600), contact("b", 10, 620), contact("c", 20, 640)]
    booked = _without_conflict(three, 120.0)
    assert sum(p.end_s - p.start_s for p in booked) >= 600


rows = st.tuples(st.sampled_from("abc"), st.floats(0, 5000), st.floats(1, 900))


def of_one_station(found: list[tuple[str, float, float]]) -> list[Pass]:
    """Contacts of which no two of one satellite overlap: a station sees it once at a time."""
    kept: list[Pass] = []
    for satellite, start_s, length_s in sorted(found, key=lambda row: row[1]):
        new = contact(satellite, round(start_s, 1), round(start_s + length_s, 1))
        if all(p.satellite != satellite or p.end_s < new.start_s for p in kept):
            kept.append(new)
    return kept


contacts = st.lists(rows, max_size=10).map(of_one_station)


@given(wanted=contacts, setup_s=st.floats(0, 300))
def test_no_antenna_serves_two_and_every_pass_lies_in_its_contact(
    wanted: list[Pass], setup_s: float
) -> None:
    booked = _without_conflict(wanted, setup_s)
    for p in booked:
        assert p.contact_start_s <= p.start_s < p.end_s <= p.contact_end_s
    for before, after in pairwise(booked):
        if before.satellite != after.satellite:
            assert after.start_s >= before.end_s + setup_s - 1e-9
    alone = max((p.end_s - p.start_s for p in wanted), default=0.0)
    used = sum(p.end_s - p.start_s for p in booked)
    assert used >= alone - 1e-9 or alone < 30.0 or np.isclose(used, alone)
