"""Code `calibration`: looks that calibrate cameras, when they are due, at what, and under which
limits (docs/reference/calibration.md)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from humay.arrays import FloatArray, angle_between, dot, norm, unit
from humay.check.calibration_law import sites, stars, target_gcrf
from humay.check.case import TIME_TOLERANCE_S, CalibrationLook, Case, Json
from humay.check.earlier import made_before
from humay.check.scans import look as look_from
from humay.check.violations import Violation
from humay.earth import (
    WGS84_A_M,
    elevation_angle,
    ellipsoid_normal,
    itrf_from_geodetic,
    moon_gcrf,
    sun_itrf,
    sunlit_fraction,
)
from humay.frames import itrf_from_gcrf
from humay.mission import Calibration
from humay.time import format_utc, parse_utc

PLACE_TOLERANCE_M = 100.0
ANGLE_TOLERANCE_DEG = 0.01
LIMIT_TOLERANCE_DEG = 0.02
VALUE_TOLERANCE = 1e-6
ATMOSPHERE_M = 100e3
GROUPS = {
    "desert": ("desert",),
    "instrumented": ("instrumented",),
    "side_slither": ("desert", "snow"),
    "rayleigh": ("ocean",),
    "dark_ocean": ("ocean",),
}
FAINTEST_MAG = 3.0


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A look that a mission wants in the span of a plan, and when it may be taken."""

    calibration: Calibration
    satellite: str
    due: datetime
    deadline: datetime
    begin: datetime
    end: datetime

    @property
    def overdue(self) -> bool:
        return self.begin >= self.deadline


def due_name(expected: Expected) -> str:
    """How the plan names it."""
    when = format_utc(expected.due)
    return f"{expected.calibration.name} of {expected.satellite}, due {when}"


def dues_of(case: Case) -> list[Expected]:
    """Every look that is due, early or late, inside the plan's span."""
    return [
        expected
        for calibration in case.mission.calibrations
        for satellite in case.mission.satellites
        if calibration.satellites is None or satellite.name in calibration.satellites
        for expected in _cadence(calibration, satellite.name, case.clock.start, case.clock.end)
    ]


def _cadence(
    calibration: Calibration, satellite: str, start: datetime, end: datetime
) -> Iterator[Expected]:
    """Dates `every_days` apart; one that is past its deadline as the plan starts may be made up for
    until the next may be made."""
    step = timedelta(days=calibration.every_days)
    slack = timedelta(days=calibration.tolerance_days)
    origin = start - step if calibration.last is None else calibration.last
    first = math.floor((start - slack - origin) / step) - 1
    last = math.ceil((end + slack - origin) / step) + 1
    for number in range(max(first, 1), last + 1):
        due = origin + number * step
        close = due + slack if due + slack > start else due + step - slack
        if due - slack < end and close > start:
            yield Expected(
                calibration=calibration,
                satellite=satellite,
                due=due,
                deadline=due + slack,
                begin=max(start, due - slack),
                end=min(end, close),
            )


def calibration_value(case: Case) -> float:
    """What the looks taken are worth together: each that is due once."""
    worth = {due_name(each): each.calibration.worth for each in dues_of(case)}
    taken = {d["name"] for d in case.plan.get("calibrations", ()) if d["look"] is not None}
    return math.fsum(worth.get(name, 0.0) for name in taken)


def check_calibrations(case: Case) -> Iterator[Violation]:
    """[calibration] Every look that is due is told with what became of it; those taken look where
    they say, in time, as long as they should, and within their limits."""
    entries = case.plan.get("calibrations", ())
    expected = {due_name(each): each for each in dues_of(case)}
    counts = Counter(entry["name"] for entry in entries)
    for name in expected.keys() | counts.keys():
        if counts[name] != (name in expected):
            message = f"{counts[name]} entries for {name!r}, expected {int(name in expected)}"
            yield case.at("calibration", "plan.calibrations", message)
    for entry in entries:
        if entry["name"] in expected:
            yield from _as_due(case, entry, expected[entry["name"]])
    for taken in case.looks:
        if taken.due["name"] in expected:
            yield from _taken(case, taken, expected[taken.due["name"]])


def _as_due(case: Case, entry: Json, expected: Expected) -> Iterator[Violation]:
    where = f"calibration {entry['name']!r}"
    done, made = entry["look"] is not None, entry["name"] in made_before(case.plan)
    after = timedelta(days=expected.calibration.every_days) if done or made else timedelta(0)
    if made and done:
        message = "an earlier plan has made it, expected that it is not taken again"
        yield case.at("calibration", where, message)
    if made:
        outcome = "made"
    elif done:
        outcome = "late" if expected.overdue else "met"
    else:
        outcome = "open" if expected.deadline > case.clock.end else "missed"
    for key, wanted in (
        ("calibration", expected.calibration.name),
        ("kind", expected.calibration.kind),
        ("satellite", expected.satellite),
        ("priority", expected.calibration.priority),
        ("due", format_utc(expected.due)),
        ("deadline", format_utc(expected.deadline)),
        ("outcome", outcome),
        ("next_due", format_utc(expected.due + after)),
    ):
        found = entry[key]
        timed = key in ("due", "deadline", "next_due")
        same = parse_utc(found) == parse_utc(str(wanted)) if timed else found == wanted
        if not same:
            message = f"{key} is {found!r}, expected {wanted!r}"
            yield case.at("calibration", where, message)
    if (entry["reason"] is None) != done:
        message = "has a look and a reason, or neither, expected one of them"
        yield case.at("calibration", where, message)
    if made != ((entry["reason"] or {}).get("code") == "imaged"):
        message = f"is {'' if made else 'not '}made before, expected the reason 'imaged' if it is"
        yield case.at("calibration", where, message)


def _taken(case: Case, taken: CalibrationLook, expected: Expected) -> Iterator[Violation]:
    def fault(message: str) -> Violation:
        return case.at("calibration", taken.where, message, taken.start_s)

    begin_s, end_s = (case.epoch.seconds(t) for t in (expected.begin, expected.end))
    slack = TIME_TOLERANCE_S
    if taken.start_s < begin_s - slack or taken.end_s > end_s + slack:
        yield fault(
            f"is taken from {taken.entry['start']} to {taken.entry['end']}, expected between"
            f" {format_utc(expected.begin)} and {format_utc(expected.end)}"
        )
    lasts_s, wanted_s = taken.end_s - taken.start_s, taken.calibration.duration_s
    if abs(lasts_s - wanted_s) > slack:
        yield fault(f"lasts {lasts_s:.6f} s, expected {wanted_s:g} s")
    worth = taken.calibration.worth
    if abs(taken.entry["value"] - worth) > VALUE_TOLERANCE * worth:
        yield fault(f"value is {taken.entry['value']:g}, expected {worth:g}")
    names, name = taken.calibration.targets, taken.entry["target"]
    if names is not None and name not in names:
        yield fault(f"looks at {name!r}, expected one of {', '.join(names)}")
    law = "inertial" if taken.line is None else "strip"
    law = "across" if taken.calibration.kind == "side_slither" else law
    if taken.entry["law"] != law:
        yield fault(f"law is {taken.entry['law']!r}, expected {law!r}")
    for message in _at_target(taken):
        yield fault(message)


def _at_target(taken: CalibrationLook) -> Iterator[str]:
    name, kind = taken.entry["target"], taken.calibration.kind
    if kind == "moon" and name != "Moon":
        yield f"looks at {name!r}, expected 'Moon'"
    elif taken.line is not None:
        row = sites().get(name)
        if row is None or row["group"] not in GROUPS[kind]:
            yield f"looks at {name!r}, expected a site for {kind!r}"
        else:
            yield from _at_site(taken, row)
    elif target_gcrf(taken) is None:
        yield f"looks at {name!r}, expected a star of the table"
    else:
        yield from _in_the_sky(taken)


# ---------------------------------------------------------------- limits


def _too_little(what: str, found_rad: float, least_deg: float) -> Iterator[str]:
    if math.degrees(found_rad) < least_deg - LIMIT_TOLERANCE_DEG:
        yield f"{what} is {math.degrees(found_rad):.3f} deg, expected at least {least_deg:g} deg"


def _too_much(what: str, found_rad: float, most_deg: float) -> Iterator[str]:
    if math.degrees(found_rad) > most_deg + LIMIT_TOLERANCE_DEG:
        yield f"{what} is {math.degrees(found_rad):.3f} deg, expected at most {most_deg:g} deg"


def _at_site(taken: CalibrationLook, row: dict[str, str]) -> Iterator[str]:
    """The middle line crosses the site, seen and lit as its kind needs it."""
    assert taken.line is not None
    t_s, kind, satellite = np.array([taken.middle_s]), taken.calibration.kind, taken.satellite
    lon, lat = (np.radians([float(row[key])]) for key in ("lon_deg", "lat_deg"))
    place = itrf_from_geodetic(lon, lat, np.array([float(row["height_m"])]))
    up = ellipsoid_normal(lon, lat)
    off_m = float(norm(taken.line.points(np.array([0.5]))[0] - place)[0])
    if off_m > PLACE_TOLERANCE_M:
        yield f"its middle line is {off_m:.0f} m off the site, expected {PLACE_TOLERANCE_M:g} m"
    seen = look_from(taken.orbit, t_s, place, up)
    tilt = 5.0 if kind == "side_slither" else 90.0
    most = min(tilt, math.degrees(satellite.max_off_nadir_rad))
    yield from _too_much("off-nadir", float(seen.off_nadir_rad[0]), most)
    for what, angle, limit in (
        ("roll", seen.roll_rad, satellite.max_roll_rad),
        ("pitch", seen.pitch_rad, satellite.max_pitch_rad),
    ):
        yield from _too_much(what, abs(float(angle[0])), math.degrees(limit))
    sun = sun_itrf(taken.orbit.epoch, t_s) - place
    height = float(elevation_angle(sun, up)[0])
    if kind == "dark_ocean":
        yield from _too_much("Sun elevation", height, -18.0)
        yield from _moonless(taken, place, up, sun)
    else:
        least = 20.0 if kind == "side_slither" else 30.0
        least = max(least, math.degrees(satellite.min_sun_elevation_rad))
        yield from _too_little("Sun elevation", height, least)
    sight = unit(taken.orbit.position_itrf(t_s) - place)
    if kind in ("desert", "instrumented"):
        yield from _too_much("incidence", float(angle_between(sight, up)[0]), 30.0)
    if kind == "rayleigh":
        mirrored = 2 * dot(unit(sun), up)[..., None] * up - unit(sun)
        yield from _too_little(
            "off the Sun's image", float(angle_between(sight, mirrored)[0]), 55.0
        )


def _moonless(
    taken: CalibrationLook, place: FloatArray, up: FloatArray, sun: FloatArray
) -> Iterator[str]:
    """The Moon below the horizon, or a crescent."""
    t_s, epoch = np.array([taken.middle_s]), taken.orbit.epoch
    turn = itrf_from_gcrf(epoch, t_s)
    moon = (turn @ moon_gcrf(epoch, t_s)[..., None])[..., 0] - place
    height = math.degrees(float(elevation_angle(moon, up)[0]))
    phase = math.degrees(float(angle_between(sun - moon, -moon)[0]))
    slack = LIMIT_TOLERANCE_DEG
    if height > -1.0 + slack and phase < 150.0 - slack:
        yield f"the Moon stands {height:.2f} deg up at a phase of {phase:.1f} deg, expected neither"


def _in_the_sky(taken: CalibrationLook) -> Iterator[str]:
    """The direction that is told, and how far it is from Earth, Sun and Moon."""
    t_s, orbit = np.array([taken.middle_s]), taken.orbit
    there = target_gcrf(taken)
    assert there is not None
    ra, dec = (np.radians(taken.entry[key]) for key in ("ra_deg", "dec_deg"))
    off_deg = math.degrees(float(angle_between(ellipsoid_normal(ra, dec), there)))
    if off_deg > ANGLE_TOLERANCE_DEG:
        most = f"expected at most {ANGLE_TOLERANCE_DEG:g} deg"
        yield f"ra_deg and dec_deg lie {off_deg:.4f} deg off its target, {most}"
    r_itrf, turn = orbit.position_itrf(t_s), itrf_from_gcrf(orbit.epoch, t_s)
    r = (np.swapaxes(turn, -1, -2) @ r_itrf[..., None])[0, :, 0]
    to_sun = (np.swapaxes(turn, -1, -2) @ sun_itrf(orbit.epoch, t_s)[..., None])[0, :, 0] - r
    to_moon = moon_gcrf(orbit.epoch, t_s)[0] - r
    earth = math.asin(min(1.0, (WGS84_A_M + ATMOSPHERE_M) / float(norm(r))))
    above = float(angle_between(there, -r)) - earth
    if taken.calibration.kind == "moon":
        yield from _too_little("height above the limb", above, 10.0)
        yield from _too_little("off the Sun", float(angle_between(there, to_sun)), 45.0)
        phase = float(angle_between(to_sun - to_moon, -to_moon))
        yield from _too_little("phase of the Moon", phase, 2.0)
        yield from _too_much("phase of the Moon", phase, 90.0)
        return
    yield from _too_little("height above the limb", above, 5.0)
    yield from _too_little("off the Moon", float(angle_between(there, to_moon)), 20.0)
    if float(sunlit_fraction(r_itrf, sun_itrf(orbit.epoch, t_s))[0]) > 0:
        yield "the satellite sees the Sun, expected it in the umbra"
    if float(stars()[taken.entry["target"]]["v_mag"]) > FAINTEST_MAG:
        yield f"is fainter than {FAINTEST_MAG:g} mag, expected a brighter star"
