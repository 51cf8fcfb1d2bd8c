"""Antennas: who gets what when satellites meet, and what is never given twice."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.schedule.antennas import STEP_S, Offer, longest_turn_s, turn_s
from humay.schedule.assignment import Booking, Need
from tests.schedule.ground_offers import (
    ROWS,
    assigned,
    halved,
    most_seconds,
    offer,
    seconds,
    station,
)


def spans(offers: list[Offer], bookings: list[Booking]) -> list[tuple[str, float, float]]:
    return [(offers[b.offer].satellite, b.start_s, b.end_s) for b in bookings]


def test_an_offer_that_nobody_else_wants_is_taken_whole() -> None:
    offers = [offer("a", 0, 600), offer("b", 660, 1200)]
    assert spans(offers, assigned(offers)) == [("a", 0, 600), ("b", 660, 1200)]


def test_of_two_that_meet_only_the_set_up_is_lost() -> None:
    """From 0 to 780 less 60 s of set-up."""
    offers = [offer("a", 0, 600), offer("b", 180, 780)]
    assert seconds(assigned(offers)) == pytest.approx(720.0)


def test_a_short_one_inside_a_long_one_is_left() -> None:
    offers = [offer("a", 0, 600), offer("b", 200, 300)]
    assert spans(offers, assigned(offers)) == [("a", 0, 600)]


def test_an_antenna_may_come_back_to_a_long_one_where_both_are_worth_it() -> None:
    """100 s of b bring ten times as much; the set-ups cost a twice 20 s."""
    at = station(setup_s=20.0)
    offers = [offer("a", 0, 600, at), offer("b", 200, 300, at, rates=[1e10])]
    assert spans(offers, assigned(offers)) == [("a", 0, 180), ("b", 200, 300), ("a", 320, 600)]


def test_who_has_more_to_send_gets_the_antenna() -> None:
    """a has 100 Gbit for its Gbit/s, b nothing."""
    offers = [offer("a", 0, 600), offer("b", 0, 600)]
    for full, empty in (("a", "b"), ("b", "a")):
        needs = {
            full: Need(t_s=np.array([0.0]), bits=np.array([600e9])),
            empty: Need(t_s=np.array([0.0]), bits=np.array([0.0])),
        }
        assert spans(offers, assigned(offers, needs)) == [(full, 0, 600)]


def test_two_with_little_to_send_share_so_that_both_bring_it_all() -> None:
    """Half a pass less half the set-up is 270 s each at 1 Gbit/s."""
    offers = [offer("a", 0, 600), offer("b", 0, 600)]
    needs = {name: Need(t_s=np.array([0.0]), bits=np.array([260e9])) for name in "ab"}
    booked = assigned(offers, needs)
    assert {offers[b.offer].satellite for b in booked} == {"a", "b"}
    assert all(b.end_s - b.start_s >= 260.0 - 1e-6 for b in booked)


def test_what_is_not_yet_recorded_is_no_need() -> None:
    """b records its data after the passes."""
    offers = [offer("a", 0, 600), offer("b", 0, 600)]
    needs = {
        "a": Need(t_s=np.array([0.0]), bits=np.array([300e9])),
        "b": Need(t_s=np.array([0.0, 900.0]), bits=np.array([0.0, 500e9])),
    }
    assert spans(offers, assigned(offers, needs)) == [("a", 0, 600)]


def test_every_satellite_keeps_a_pass_for_its_commands() -> None:
    """b would bring nothing, but without its pass it could not be commanded at all."""
    needs = {"b": Need(t_s=np.array([0.0]), bits=np.array([0.0]))}
    for commands_from_s, both in ((0.0, True), (10_000.0, False)):
        offers = [
            offer("a", 0, 600, commands_from_s=0.0),
            offer("b", 0, 600, commands_from_s=commands_from_s),
        ]
        booked = {offers[b.offer].satellite for b in assigned(offers, needs)}
        assert booked == ({"a", "b"} if both else {"a"})


def test_the_passes_of_a_day_are_those_that_bring_most() -> None:
    """Two a day: of the first day the longer ones, and all of the second. The pass over midnight
    gives its first second away, so as to count for the second day."""
    at = station(passes_per_day=2)
    lengths = [(0, 300), (10_000, 500), (20_000, 100), (30_000, 400), (86_399, 450), (90_000, 60)]
    offers = [offer("a", start, start + length, at) for start, length in lengths]
    assert [b.start_s for b in assigned(offers)] == [10_000, 30_000, 86_400, 90_000]


def test_two_antennas_on_one_satellite_do_not_count_twice() -> None:
    """Both stations see a; the second is better used for b."""
    one, two = station("one"), station("two")
    offers = [offer("a", 0, 600, one), offer("a", 0, 600, two), offer("b", 0, 600, two)]
    booked = {(offers[b.offer].station.name, offers[b.offer].satellite) for b in assigned(offers)}
    assert booked == {("one", "a"), ("two", "b")}


def test_nobody_is_given_a_pass_in_which_a_turn_would_not_end() -> None:
    """180 deg at 2 deg/s are 90 s; 40 deg are 20 s, less than the set-up of 60 s."""
    at = station(antenna_rate_rad_s=math.radians(2.0))
    left = offer("a", 0, 600, at)
    ends_at_deg = 600 / 5
    for azimuth_deg, wanted_s in ((ends_at_deg + 180, 90.0), (ends_at_deg + 40, 60.0)):
        taken = offer("b", 600, 1200, at, azimuth_deg=azimuth_deg)
        found = turn_s(left, np.array(600.0), taken, np.array([600.0]))
        assert found[0] == pytest.approx(wanted_s)
    assert longest_turn_s(at) == pytest.approx(90.0)
    same = offer("a", 600, 1200, at, azimuth_deg=90.0)
    assert turn_s(left, np.array(600.0), same, np.array([600.0]))[0] == 0.0


@given(
    end=st.floats(0, 100), start=st.floats(0, 100), azimuth=st.floats(-400, 400)
)  # fmt: skip
def test_a_turn_is_never_told_shorter_than_it_is(end: float, start: float, azimuth: float) -> None:
    """Asked at any instant, against the straight lines between the samples."""
    at = station(setup_s=0.0, antenna_rate_rad_s=1.0)
    left, taken = offer("a", 0, 100, at), offer("b", 0, 100, at, azimuth_deg=azimuth)
    told = float(turn_s(left, np.array(end), taken, np.array([start]))[0])
    ways = []
    for name in ("azimuth_rad", "elevation_rad"):
        a = np.interp(end, left.link.t_s, getattr(left.link, name))
        b = np.interp(start, taken.link.t_s, getattr(taken.link, name))
        ways.append(abs(math.remainder(b - a, 2 * math.pi)))
    assert told >= max(ways) - 1e-9
    assert told <= max(ways) + math.radians(0.8)  # two samples of a fifth of a degree


# Properties --------------------------------------------------------------------------------------


def named(rows: list[tuple[int, int]], setup_s: float, **more: Any) -> list[Offer]:
    at = station(setup_s=setup_s, **more)
    return [
        offer(f"s{k}", start, start + length, at, azimuth_deg=47.0 * k)
        for k, (start, length) in enumerate(rows)
    ]


@settings(max_examples=60)
@given(rows=ROWS, setup_s=st.sampled_from([0, 30, 60, 120]))
def test_an_antenna_is_used_as_long_as_it_can_be(rows: list[tuple[int, int]], setup_s: int) -> None:
    """To the step between the times at which passes may begin and end, by a dynamic program; so it
    is not less than what halving gives that two have in common."""
    offers = named(rows, setup_s)
    used, most = seconds(assigned(offers)), most_seconds(offers, setup_s)
    assert most - STEP_S <= used <= most + 1e-3
    assert used >= sum(o.end_s - o.start_s for o in halved(offers)) - STEP_S


def test_sharing_by_the_program_beats_halving_and_is_next_to_exact() -> None:
    """Twenty days of an antenna over which a dozen satellites come in 50 minutes."""
    gained = []
    for day in range(20):
        rng = np.random.default_rng(day)
        setup_s = int(rng.choice([30, 60, 120]))
        rows = [(int(rng.integers(0, 3000)), int(rng.integers(200, 700))) for _ in range(12)]
        offers = named(rows, setup_s)
        used, most = seconds(assigned(offers)), most_seconds(offers, setup_s)
        assert used > 0.999 * most
        gained.append(used - sum(o.end_s - o.start_s for o in halved(offers)))
    assert min(gained) > -1e-3
    assert np.mean(gained) > 60.0


@settings(max_examples=60)
@given(
    rows=ROWS,
    setup_s=st.floats(0, 200),
    rate=st.none() | st.floats(0.01, 1.0),
    a_day=st.none() | st.integers(1, 5),
)
def test_no_antenna_serves_two_and_every_pass_lies_in_its_offer(
    rows: list[tuple[int, int]], setup_s: float, rate: float | None, a_day: int | None
) -> None:
    offers = named(rows, setup_s, antenna_rate_rad_s=rate, passes_per_day=a_day)
    booked = assigned(offers)
    for b in booked:
        own = offers[b.offer]
        assert own.start_s <= b.start_s <= b.end_s - 30.0 + 1e-6 <= own.end_s
    for before, after in pairwise(booked):
        one, two = offers[before.offer], offers[after.offer]
        needed = turn_s(one, np.array(before.end_s), two, np.array([after.start_s]))[0]
        assert after.start_s >= before.end_s + needed - 1e-5
    assert a_day is None or len(booked) <= a_day
    assert bool(booked) == bool(offers)
