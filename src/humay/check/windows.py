"""Code `window`: from the propagated orbit, may each strip be imaged when the plan says so?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from humay.arrays import FloatArray
from humay.check.case import Acquisition, Case
from humay.check.conditions import fault, room
from humay.check.quantities import Looks
from humay.check.scans import SIGMAS, Look, Scan, orbit_shift_s, scan_times, scans, turned
from humay.check.violations import Violation
from humay.frames import EARTH_RATE_RAD_S
from humay.mission import Limits, conditions, limits
from humay.time import format_utc

LIMIT_TOLERANCE_DEG = 0.01
STATED_TOLERANCE_DEG = 0.05
STATED_TOLERANCE = 0.02  # relative, for ground sample distances
SWATH_TOLERANCE = 0.01  # relative
LINE_PERIOD_TOLERANCE = 0.01  # relative: what the charge of a TDI detector may lag behind
LONGEST_SCAN_S = 7_200.0


def check_windows(case: Case) -> Iterator[Violation]:
    """[window] Each limit is kept at each line, the satellite where it should be or 3 sigma off."""
    for satellite in case.mission.satellites:
        own = [a for a in case.acquisitions if a.satellite is satellite]
        for acquisition in own:
            yield from _period(case, acquisition)
            yield from _satellite(case, acquisition)
            lasts_s = acquisition.end_s - acquisition.start_s
            if lasts_s > LONGEST_SCAN_S:
                message = f"lasts {lasts_s:.0f} s, expected at most {LONGEST_SCAN_S:.0f} s"
                yield case.at("window", acquisition.where, message, acquisition.start_s)
        scannable = [a for a in own if a.end_s - a.start_s <= LONGEST_SCAN_S]
        for acquisition, scan in scans(scannable):
            yield from _limits(case, acquisition, scan)
            yield from _conditions(case, acquisition)
            yield from _excluded(case, acquisition)
            yield from _stated(case, acquisition, scan)
            yield from _sampled(case, acquisition, scan)


def _period(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    request = acquisition.request
    start, end = case.clock.utc(acquisition.start_s), case.clock.utc(acquisition.end_s)
    if request.start is not None and start < request.start:
        message = f"begins before its request does, expected not before {format_utc(request.start)}"
        yield case.at("window", acquisition.where, message, acquisition.start_s)
    if request.end is not None and end > request.end:
        message = f"ends after its request does, expected not after {format_utc(request.end)}"
        yield case.at("window", acquisition.where, message, acquisition.start_s)


def _satellite(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    allowed = acquisition.request.satellites
    if allowed is not None and acquisition.satellite.name not in allowed:
        message = f"its request is only for {', '.join(allowed)}"
        yield case.at("window", acquisition.where, message, acquisition.start_s)


def _limits(case: Case, acquisition: Acquisition, scan: Scan) -> Iterator[Violation]:
    limit = limits(acquisition.satellite, acquisition.request)
    for words, seen in (
        ("", scan.expected),
        (", 3 sigma ahead", scan.ahead),
        (", 3 sigma behind", scan.behind),
    ):
        yield from _exceeded(case, acquisition, scan.t_s, seen, limit, words)
    excess = limit.min_sun_elevation_rad - scan.sun_elevation_rad
    yield from _worst(
        case, acquisition, scan.t_s, excess, "Sun elevation", limit.min_sun_elevation_rad,
        below=True,
    )  # fmt: skip


def _conditions(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    """The conditions of satellite and request at each line.

    Where the attitude decides, with 3 sigma of pointing and of the orbit; the others hold for the
    expected orbit.
    """
    satellite, clouds = acquisition.satellite, case.mission.clouds
    tree = conditions(satellite, acquisition.request, clouds)
    if tree is None:
        return
    t_s = scan_times(acquisition)
    shift_s = orbit_shift_s(acquisition, t_s)
    cases = [_looks(case, acquisition, t_s, late_s) for late_s in (0 * t_s, shift_s, -shift_s)]
    pointing_rad = SIGMAS * satellite.pointing_sigma_rad
    inside, _ = room(tree, cases, pointing_rad)
    i = int(np.argmin(inside))
    if inside[i] < -1:
        message = fault(tree, cases, i, pointing_rad)
        yield case.at("window", acquisition.where, message, float(t_s[i]))


def _looks(case: Case, acquisition: Acquisition, t_s: FloatArray, late_s: FloatArray) -> Looks:
    """The looks at each line with the satellite `late_s` (n,) ahead, as in `look`."""
    f = acquisition.share_of_scan(t_s)
    (aim, along), (up, _) = acquisition.line.points(f), acquisition.line.normals(f)
    turn = -EARTH_RATE_RAD_S * late_s
    return Looks(
        request=acquisition.request.name,
        orbit=acquisition.orbit,
        t_s=t_s + late_s,
        place=turned(aim, turn),
        up=turned(up, turn),
        along=turned(along, turn),
        middle_up=acquisition.line.normals(np.array(0.5))[0],
        ifov_rad=acquisition.satellite.camera.ifov_rad,
        heights=case.mission.heights,
        clouds=case.mission.clouds,
    )


def _excluded(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    """Nothing is imaged for a place, nor along a line, that lies in an excluded area."""
    f = np.array([0.5]) if acquisition.request.kind == "point" else _shares(acquisition)
    up, _ = acquisition.line.normals(f)
    lon, lat = np.arctan2(up[:, 1], up[:, 0]), np.arcsin(np.clip(up[:, 2], -1, 1))
    if np.all(case.mission.excludes(lon, lat)):
        message = "lies in an excluded area, expected a place outside of all"
        yield case.at("window", acquisition.where, message, acquisition.start_s)


def _shares(acquisition: Acquisition) -> FloatArray:
    return acquisition.share_of_scan(scan_times(acquisition))


def _exceeded(
    case: Case, acquisition: Acquisition, t_s: FloatArray, seen: Look, limit: Limits, words: str
) -> Iterator[Violation]:
    margin = SIGMAS * acquisition.satellite.pointing_sigma_rad
    for name, angle, most in (
        ("off-nadir angle", seen.off_nadir_rad, limit.max_off_nadir_rad),
        ("roll", np.abs(seen.roll_rad), limit.max_roll_rad),
        ("pitch", np.abs(seen.pitch_rad), limit.max_pitch_rad),
    ):
        named = f"{name} with 3 sigma of pointing{words}"
        yield from _worst(case, acquisition, t_s, angle + margin - most, named, most, below=False)
    # Behind the Earth a place also lies close to the nadir line: it must be above the horizon.
    yield from _worst(
        case,
        acquisition,
        t_s,
        -seen.elevation_rad,
        f"satellite's elevation{words}",
        0.0,
        below=True,
    )


def _worst(
    case: Case,
    acquisition: Acquisition,
    t_s: FloatArray,
    excess_rad: FloatArray,
    name: str,
    limit_rad: float,
    *,
    below: bool,
) -> Iterator[Violation]:
    """A violation at the line where a limit is exceeded most, if it is."""
    i = int(np.argmax(excess_rad))
    if math.degrees(excess_rad[i]) <= LIMIT_TOLERANCE_DEG:
        return
    found_deg = math.degrees(limit_rad + (-excess_rad[i] if below else excess_rad[i]))
    bound = "at least" if below else "at most"
    yield case.at(
        "window",
        acquisition.where,
        f"{name} is {found_deg:.3f} deg, expected {bound} {math.degrees(limit_rad):.3f} deg",
        float(t_s[i]),
    )


def _stated(case: Case, acquisition: Acquisition, scan: Scan) -> Iterator[Violation]:
    """Angles that the plan states of a strip: the largest off-nadir, the others in the middle."""
    seen = scan.expected
    middle = {
        "off_nadir_deg": float(np.max(seen.off_nadir_rad)),
        "roll_deg": seen.roll_rad[-1],
        "pitch_deg": seen.pitch_rad[-1],
        "incidence_deg": math.pi / 2 - seen.elevation_rad[-1],
        "azimuth_deg": seen.azimuth_rad[-1],
        "sun_elevation_deg": scan.sun_elevation_rad[-1],
    }
    for key, derived_rad in middle.items():
        stated_deg, derived_deg = float(acquisition.entry[key]), math.degrees(derived_rad)
        if abs((stated_deg - derived_deg + 180) % 360 - 180) > STATED_TOLERANCE_DEG:
            yield case.at(
                "window",
                acquisition.where,
                f"{key} is {stated_deg:.3f}, expected {derived_deg:.3f}"
                f" within {STATED_TOLERANCE_DEG:g}",
                float(scan.t_s[-1]),
            )


def _sampled(case: Case, acquisition: Acquisition, scan: Scan) -> Iterator[Violation]:
    """The ground sample distance, the usable width and the line period that the plan states."""
    ground, camera = scan.ground, acquisition.satellite.camera
    along_m, across_m = ground.along_m[-1] * camera.ifov_rad, ground.across_m[-1] * camera.ifov_rad
    matched_s = along_m / ground.speed_m_s[-1]  # lines then join, and the stages see one place
    gsd_m = math.sqrt(along_m * across_m), (along_m + across_m) / 2  # two usual means, 1 % apart
    for key, low, high in (
        ("gsd_m", gsd_m[0] * (1 - STATED_TOLERANCE), gsd_m[1] * (1 + STATED_TOLERANCE)),
        ("width_m", 0.0, float(ground.swath_m.min()) * (1 + SWATH_TOLERANCE)),
        ("line_period_s", *(matched_s * (1 + LINE_PERIOD_TOLERANCE * side) for side in (-1, 1))),
    ):
        stated = float(acquisition.entry[key])
        if not low <= stated <= high:
            yield case.at(
                "memory" if key == "line_period_s" else "window",
                acquisition.where,
                f"{key} is {stated:.6g}, expected {low:.6g} to {high:.6g}",
                float(scan.t_s[-1]),
            )
