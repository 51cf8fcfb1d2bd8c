"""Code `antenna`: one satellite at a time, time to set up and to turn, so many passes a day."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import numpy as np

from humay.check.case import TIME_TOLERANCE_S, Case, Pass
from humay.check.contacts import direction
from humay.check.violations import Violation


def check_antennas(case: Case) -> Iterator[Violation]:
    """[antenna] A station serves one satellite at a time; between different ones its antenna is set
    up and turned; no UTC day sees more passes begin than it takes."""
    for station in case.mission.stations:
        booked = sorted((p for p in case.passes if p.station is station), key=lambda p: p.start_s)
        latest: dict[str, Pass] = {}  # of each satellite, the pass that ends last so far
        for this in booked:
            for other in latest.values():
                yield from _too_close(case, other, this)
            before = latest.get(this.satellite.name)
            if before is None or before.end_s < this.end_s:
                latest[this.satellite.name] = this
        if station.passes_per_day is not None:
            yield from _too_many(case, booked, station.passes_per_day)


def _too_close(case: Case, before: Pass, after: Pass) -> Iterator[Violation]:
    wanted_s, why = _between(before, after)
    apart_s = after.start_s - before.end_s
    if apart_s < wanted_s - TIME_TOLERANCE_S:
        yield case.at(
            "antenna",
            after.where,
            f"begins {abs(apart_s):.3f} s {'after' if apart_s > 0 else 'before'} the end of"
            f" {before.where}, expected at least {wanted_s:g} s after it{why}",
            after.start_s,
        )


def _between(before: Pass, after: Pass) -> tuple[float, str]:
    """Seconds from the end of one pass to the start of another, and what takes them."""
    station = before.station
    if before.satellite is after.satellite:
        return 0.0, ""
    if station.antenna_rate_rad_s is None:
        return station.setup_s, ""
    angle_rad = _travel_rad(before, after)
    turn_s = angle_rad / station.antenna_rate_rad_s
    if turn_s <= station.setup_s:
        return station.setup_s, ""
    return turn_s, f" for a turn of {math.degrees(angle_rad):.1f} deg"


def _travel_rad(before: Pass, after: Pass) -> float:
    """The longer way of both axes, azimuth the shorter way round."""
    left = direction(before.station, before.orbit, np.array([before.end_s]))
    taken = direction(after.station, after.orbit, np.array([after.start_s]))
    climb, swing = (float(b[0] - a[0]) for a, b in zip(left, taken, strict=True))
    return max(abs(climb), abs(math.remainder(swing, 2 * math.pi)))


def _too_many(case: Case, booked: list[Pass], most: int) -> Iterator[Violation]:
    days: dict[date, list[Pass]] = defaultdict(list)
    for this in booked:
        days[case.clock.utc(this.start_s).date()].append(this)
    for day, own in days.items():
        if len(own) > most:
            yield case.at(
                "antenna",
                f"station {own[0].station.name!r}",
                f"{len(own)} passes begin on {day.isoformat()}, expected at most {most}",
                own[most].start_s,
            )
