"""Codes `energy` (the battery, from sunlight on the panels) and `eclipse` (the Sun covered)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np

from humay.arrays import FloatArray, IntArray, dot, norm, unit
from humay.check.attitude import AT_ONCE, laws_of, orb_from_itrf, sun_from_satellite, to_body
from humay.check.case import Case, Segment
from humay.check.data import curve_times, disagreement
from humay.check.timeline import Slews
from humay.check.violations import Violation
from humay.earth import AU_M, SOLAR_CONSTANT_W_M2, sun_itrf, sunlit_fraction
from humay.mission import Power, Satellite
from humay.orbit import Ephemeris
from humay.time import format_utc

STEP_S = 1.0
SUN_STEP_S = 10.0  # on ITRF axes the Sun turns by 7e-4 rad: a chord is 7e-8 rad off the arc
PIECE_S = 43_200.0  # as many instants at a time, so that memory hardly grows with the span
FLOOR_TOLERANCE = 0.002  # of the capacity
CURVE_TOLERANCE = 0.01  # of the capacity
ECLIPSE_TOLERANCE_S = 1.0
ECLIPSE_STEP_S = 10.0


class _Lasting(Protocol):
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


class Sunlight:
    """The Sun on ITRF axes over a span, from a table on a 10 s grid."""

    def __init__(self, case: Case) -> None:
        count = int(np.ceil((case.end_s - case.start_s) / SUN_STEP_S)) + 1
        self.t_s = np.linspace(case.start_s, case.end_s, max(2, count))
        self.sun_itrf = sun_itrf(case.epoch, self.t_s)

    def at(self, t_s: FloatArray) -> FloatArray:
        """The Sun (n, 3) in metres at times (n,) inside the span."""
        columns = [np.interp(t_s, self.t_s, column) for column in self.sun_itrf.T]
        return np.stack(columns, axis=-1)

    def fraction(self, orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
        """Share (n,) of the Sun's disc that a satellite sees."""
        return sunlit_fraction(orbit.position_itrf(t_s), self.at(t_s))


# ---------------------------------------------------------------- battery


def check_energy(case: Case, slews: Slews, sunlight: Sunlight) -> Iterator[Violation]:
    """[energy] The battery stays above its floor, and the stated curve is right."""
    for satellite in case.mission.satellites:
        stated = case.plan["resources"].get(satellite.name)
        where = f"resources[{satellite.name!r}].battery_wh"
        if satellite.power is None:
            if stated is not None and "battery_wh" in stated:
                yield case.at(
                    "energy", where, "found, expected none: the mission has no power table"
                )
            continue
        t_s, charge_j = battery_j(case, satellite, satellite.power, slews, sunlight)
        yield from _floor(case, satellite, satellite.power, t_s, charge_j)
        if stated is None:
            continue
        curve = stated.get("battery_wh")
        times_s = curve_times(case, satellite)
        if curve is None or len(curve) != len(times_s) or not len(times_s):
            count = "no" if curve is None else str(len(curve))
            message = f"has {count} values for {len(times_s)} times, expected one each and some"
            yield case.at("energy", where, message)
            continue
        yield from disagreement(
            case, "energy", where, times_s, np.array(curve, float),
            np.interp(times_s, t_s, charge_j) / 3600.0,
            CURVE_TOLERANCE * satellite.power.battery_j / 3600.0, "Wh",
        )  # fmt: skip


def _floor(
    case: Case, satellite: Satellite, power: Power, t_s: FloatArray, charge_j: FloatArray
) -> Iterator[Violation]:
    floor_j = (1 - power.max_depth_of_discharge) * power.battery_j
    low = charge_j < floor_j - FLOOR_TOLERANCE * power.battery_j
    if low.any():
        first, lowest = int(np.argmax(low)), int(np.argmin(charge_j))
        yield case.at(
            "energy",
            f"satellite {satellite.name!r}",
            f"battery falls below its floor, to {charge_j[lowest] / 3600:.2f} Wh at"
            f" {format_utc(case.clock.utc(float(t_s[lowest])))}, expected at least"
            f" {floor_j / 3600:.2f} Wh",
            float(t_s[first]),
        )


def battery_j(
    case: Case, satellite: Satellite, power: Power, slews: Slews, sunlight: Sunlight
) -> tuple[FloatArray, FloatArray]:
    """Times (n,), at most 1 s apart, and the charge (n,) in joules then.

    What exceeds the capacity is lost. With S the sum of gains and losses since the beginning of a
    piece, the charge is S + min(charge at its beginning, capacity - max of S up to now).
    """
    charge_j = np.array([power.battery_j * power.initial_charge])
    times, charges = [np.array([case.start_s])], [charge_j]
    for t_s in _pieces(case, satellite):
        change_j = _change_j(case, satellite, power, slews, sunlight, t_s)
        total_j = np.concatenate([[0.0], np.cumsum(change_j)])
        room_j = power.battery_j - np.maximum.accumulate(total_j)
        charge_j = total_j + np.minimum(charge_j[-1], room_j)
        times.append(t_s[1:])
        charges.append(charge_j[1:])
    return np.concatenate(times), np.concatenate(charges)


def _pieces(case: Case, satellite: Satellite) -> Iterator[FloatArray]:
    """Times (n,) from the plan's start to its end, a piece at a time, each with its last neighbour.

    At most 1 s apart, and wherever attitude or loads change.
    """
    acquisitions, downlinks = case.of(satellite)
    records: tuple[_Lasting, ...] = (*case.segments[satellite.name], *acquisitions, *downlinks)
    edges = np.unique([t for record in records for t in (record.start_s, record.end_s)])
    begins_s = np.arange(case.start_s, case.end_s, PIECE_S)
    for begin_s, end_s in zip(begins_s, np.append(begins_s[1:], case.end_s), strict=True):
        inside = edges[(edges > begin_s) & (edges < end_s)]
        yield np.unique(np.concatenate([np.arange(begin_s, end_s, STEP_S), inside, [end_s]]))


def _change_j(
    case: Case,
    satellite: Satellite,
    power: Power,
    slews: Slews,
    sunlight: Sunlight,
    t_s: FloatArray,
) -> FloatArray:
    """Joules gained less joules spent (n - 1,) between times (n,), which have all edges of loads.

    Gains are trapezoids over each step, loads are exact.
    """
    acquisitions, downlinks = case.of(satellite)
    turning = [s for s in case.segments[satellite.name] if s.mode in ("slew", "settle")]
    loads: tuple[tuple[Sequence[_Lasting], float], ...] = (
        (acquisitions, power.imaging_w),
        (downlinks, power.downlink_w),
        (turning, power.slew_w),
    )
    load_w = np.full(len(t_s) - 1, float(power.platform_w))
    for users, extra_w in loads:
        spans = np.array([(user.start_s, user.end_s) for user in users]).reshape(-1, 2)
        load_w += extra_w * _how_many(spans, (t_s[1:] + t_s[:-1]) / 2)
    sun = sunlight.at(t_s)
    lit = sunlight.fraction(case.orbits[satellite.name], t_s)
    lit *= panel_share(case, satellite, t_s, slews, sunlight)
    peak_w = SOLAR_CONSTANT_W_M2 * power.panel_area_m2 * power.panel_efficiency
    gain_w = peak_w * lit / (norm(sun) / AU_M) ** 2
    return np.asarray(np.diff(t_s) * ((gain_w[1:] + gain_w[:-1]) / 2 - load_w))


def _how_many(spans: FloatArray, t_s: FloatArray) -> FloatArray:
    """How many of the spans (k, 2) each of the times (n,) lies in."""
    begun = np.searchsorted(np.sort(spans[:, 0]), t_s, side="right")
    over = np.searchsorted(np.sort(spans[:, 1]), t_s, side="left")
    return np.asarray(begun - over, dtype=np.float64)


def panel_share(
    case: Case, satellite: Satellite, t_s: FloatArray, slews: Slews, sunlight: Sunlight
) -> FloatArray:
    """max(0, n.s) (n,) at times (n,): n the panel normal, s the Sun.

    Where the plan says no attitude, or one that is refused elsewhere, the panels get nothing.
    """
    share = np.zeros(t_s.shape)
    power = satellite.power
    if power is None:
        return share
    normal_body = unit(np.array(power.panel_normal))
    nadir = np.zeros(t_s.shape, dtype=bool)
    segments = case.segments[satellite.name]
    spans = [_instants(t_s, segment) for segment in segments]
    turned = _turned(case, satellite, t_s, normal_body, slews, spans)
    for number, (segment, here) in enumerate(zip(segments, spans, strict=True)):
        if segment.law == "nadir":
            nadir[here] = True
        elif segment.law in ("sun", "charging"):
            share[here], nadir[here] = 1.0, False
        elif number in turned:
            share[here], nadir[here] = turned[number], False
    share[nadir] = _nadir_share(case.orbits[satellite.name], t_s[nadir], normal_body, sunlight)
    return np.maximum(share, 0.0)


def _instants(t_s: FloatArray, segment: Segment) -> slice:
    first = int(np.searchsorted(t_s, segment.start_s, side="left"))
    return slice(first, int(np.searchsorted(t_s, segment.end_s, side="right")))


def _nadir_share(
    orbit: Ephemeris, t_s: FloatArray, normal_body: FloatArray, sunlight: Sunlight
) -> FloatArray:
    """n.s (n,) with body axes on `orb` axes."""
    normal_itrf = np.einsum("nij,i->nj", orb_from_itrf(orbit, t_s), normal_body)
    return dot(normal_itrf, unit(sunlight.at(t_s) - orbit.position_itrf(t_s)))


def _turned(
    case: Case, satellite: Satellite, t_s: FloatArray, normal_body: FloatArray, slews: Slews,
    spans: Sequence[slice],
) -> dict[int, FloatArray]:  # fmt: skip
    """n.s at the instants of each segment that follows a strip or a station, or slews, by number.

    `spans` are the places of the segments' instants among all, `t_s` (n,).
    """
    orbit, segments = case.orbits[satellite.name], case.segments[satellite.name]
    free = [
        i for i, segment in enumerate(segments)
        if segment.law not in ("nadir", "sun", "charging") and spans[i].start < spans[i].stop
    ]  # fmt: skip
    flown = {i: slew for i in free if (slew := slews.get((satellite.name, segments[i].number)))}
    lawful = [i for i in free if i not in flown]
    times_s = {i: t_s[spans[i]] for i in lawful}
    attitude = laws_of(segments, orbit)(
        np.repeat(np.array(lawful, np.int64), [len(t) for t in times_s.values()]),
        np.concatenate([np.empty(0), *times_s.values()]),
    )
    shares = _sun_shares(orbit, times_s, attitude, normal_body)
    bracketing = {i: slew.part(_around(slew.t_s, t_s[spans[i]])) for i, slew in flown.items()}
    # A false slew may run on past the plan.
    begun_s = {i: np.clip(slew.t_s, case.start_s, case.end_s) for i, slew in bracketing.items()}
    attitude = np.concatenate([np.empty((0, 4)), *(s.body_from_gcrf for s in bracketing.values())])
    for i, share in _sun_shares(orbit, begun_s, attitude, normal_body).items():
        shares[i] = np.interp(t_s[spans[i]], bracketing[i].t_s, share)
    return shares


def _around(steps_s: FloatArray, t_s: FloatArray) -> IntArray:
    """Places of the steps right before and after each of the times: all that lines between need."""
    after = np.searchsorted(steps_s, t_s)
    return np.unique(np.clip([after - 1, after], 0, len(steps_s) - 1))


def _sun_shares(
    orbit: Ephemeris, times_s: Mapping[int, FloatArray], attitude: FloatArray,
    normal_body: FloatArray,
) -> dict[int, FloatArray]:  # fmt: skip
    """n.s (n,) at the times (n,) of each number, from all their attitudes in a row; 0 without."""
    t_s = np.concatenate([np.empty(0), *times_s.values()])
    share = np.empty(len(t_s))
    for i in range(0, len(t_s), AT_ONCE):
        piece = slice(i, i + AT_ONCE)
        sun_gcrf = unit(sun_from_satellite(orbit, t_s[piece]))
        share[piece] = to_body(attitude[piece], sun_gcrf) @ normal_body
    ends = np.cumsum([len(t) for t in times_s.values()], dtype=np.int64)
    parts = np.split(np.where(np.isnan(share), 0.0, share), ends[:-1])
    return dict(zip(times_s, parts, strict=False))


# ---------------------------------------------------------------- eclipses


def check_eclipses(case: Case, sunlight: Sunlight) -> Iterator[Violation]:
    """[eclipse] Eclipses last from the first to the last instant with any of the Sun covered."""
    slack = ECLIPSE_TOLERANCE_S * np.array([-1.0, 1.0])
    for satellite in case.mission.satellites:
        entries = case.plan["eclipses"].get(satellite.name, ())
        spans = np.array(
            [[case.clock.seconds(entry[key]) for key in ("start", "end")] for entry in entries]
        ).reshape(-1, 2)
        grid_s = np.arange(case.start_s, case.end_s, ECLIPSE_STEP_S)
        hair = 1.001 * slack  # just beyond the tolerance, outside and inside
        t_s = np.unique(np.concatenate([grid_s, (spans + hair).ravel(), (spans - hair).ravel()]))
        t_s = t_s[(t_s >= case.start_s) & (t_s <= case.end_s)]
        covered = sunlight.fraction(case.orbits[satellite.name], t_s) < 1.0
        missing = covered & (_how_many(spans + slack, t_s) <= 0)
        false = ~covered & (_how_many(spans - slack, t_s) > 0)
        if (missing | false).any():
            first = int(np.argmax(missing | false))
            stated, expected = ("none", "one") if missing[first] else ("one", "none")
            yield case.at(
                "eclipse",
                f"eclipses[{satellite.name!r}]",
                f"{stated} is stated, {expected} expected at this time (edges to"
                f" {ECLIPSE_TOLERANCE_S:g} s)",
                float(t_s[first]),
            )
