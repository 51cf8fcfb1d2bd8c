"""Hand-made contacts for tests of antennas, and two other ways of sharing an antenna: halving the
common time of each pair, which is what a careful person does at once, and a dynamic program over
whole seconds, which is exact."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from hypothesis import strategies as st

from humay.access import Link
from humay.mission import Station
from humay.schedule.antennas import SHORTEST_PASS_S, Offer
from humay.schedule.assignment import Booking, Need, assign
from humay.time import Epoch

EPOCH = Epoch(datetime(2026, 1, 1, tzinfo=UTC))
ENDLESS = Need(t_s=np.array([0.0]), bits=np.array([1e15]))


def station(name: str = "s", setup_s: float = 60.0, **more: object) -> Station:
    values = {"lon_rad": 0.0, "lat_rad": 0.0, "height_m": 0.0, "min_elevation_rad": 0.1}
    return Station(name=name, setup_s=setup_s, **(values | more))  # type: ignore[arg-type]


def link(
    start_s: float, end_s: float, rates: Sequence[float] = (1e9,), azimuth_deg: float = 0.0
) -> Link:
    """Rates of equal lengths; the antenna turns by a degree in 5 s, up to the middle and down."""
    t_s = np.linspace(start_s, end_s, max(2, math.ceil(end_s - start_s) + 1))
    half = abs(t_s - (start_s + end_s) / 2)
    return Link(
        t_s=t_s,
        azimuth_rad=np.radians(azimuth_deg + (t_s - start_s) / 5),
        elevation_rad=np.radians(5 + (half.max() - half) / 10),
        edges_s=np.linspace(start_s, end_s, len(rates) + 1),
        rate_bit_s=np.array(rates),
    )


def offer(
    satellite: str,
    start_s: float,
    end_s: float,
    at: Station | None = None,
    rates: Sequence[float] = (1e9,),
    azimuth_deg: float = 0.0,
    commands_from_s: float = math.inf,
) -> Offer:
    return Offer(
        station=at or station(),
        satellite=satellite,
        start_s=start_s,
        end_s=end_s,
        link=link(start_s, end_s, rates, azimuth_deg),
        commands_from_s=commands_from_s,
    )


def assigned(offers: Sequence[Offer], needs: dict[str, Need] | None = None) -> list[Booking]:
    names = {o.satellite for o in offers}
    wanted = dict.fromkeys(names, ENDLESS) | (needs or {})
    return assign(offers, wanted, dict.fromkeys(names, 0.0), EPOCH)


def seconds(bookings: Sequence[Booking]) -> float:
    return sum(b.end_s - b.start_s for b in bookings)


ROWS = st.lists(st.tuples(st.integers(0, 3000), st.integers(30, 700)), max_size=8)
"""Starts and lengths."""


# Other ways --------------------------------------------------------------------------------------


def halved(offers: Sequence[Offer]) -> list[Offer]:
    """In order of time; of two that meet both get a part, or one the whole, whatever is longer."""
    kept: list[Offer] = []
    for new in sorted(offers, key=lambda o: (o.start_s, o.satellite)):
        resolved = [new]
        while kept and resolved == [new] and kept[-1].satellite != new.satellite:
            resolved = _both_or_one(kept.pop(), new)
        kept += resolved
    return kept


def _both_or_one(old: Offer, new: Offer) -> list[Offer]:
    setup_s = old.station.setup_s
    if new.start_s >= old.end_s + setup_s:
        return [old, new]
    middle = 0.5 * (new.start_s + min(old.end_s, new.end_s))
    head = replace(old, end_s=min(old.end_s, middle - 0.5 * setup_s))
    tail = replace(new, start_s=max(new.start_s, head.end_s + setup_s))
    choices = [[old], [new]]
    if min(head.end_s - head.start_s, tail.end_s - tail.start_s) >= SHORTEST_PASS_S:
        choices.insert(0, [head, tail])
    return max(choices, key=lambda parts: sum(o.end_s - o.start_s for o in parts))


def most_seconds(offers: Sequence[Offer], setup_s: int) -> float:
    """The longest that one antenna can be in use, for whole seconds; exact.

    free[t] is the most until t if the antenna is free then, ride[i, t] if it follows i.
    """
    if not offers:
        return 0.0
    last, shortest = int(max(o.end_s for o in offers)), int(SHORTEST_PASS_S)
    free = np.full(last + setup_s + 2, -np.inf)
    free[0] = 0.0
    ride = np.full((len(offers), last + 1), -np.inf)
    for t in range(last + 1):
        free[t] = max(free[t], free[t - 1]) if t else free[t]
        for i, own in enumerate(offers):
            if own.start_s <= t <= own.end_s:
                if t - shortest >= own.start_s:
                    ride[i, t] = free[t - shortest] + shortest
                if t > own.start_s:
                    ride[i, t] = max(ride[i, t], ride[i, t - 1] + 1)
                free[t + setup_s] = max(free[t + setup_s], ride[i, t])
    return float(max(ride.max(), 0.0))
