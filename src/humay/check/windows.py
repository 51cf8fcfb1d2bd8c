"""Code `window`: from the propagated orbit, may each strip be imaged when the plan says so?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, angle_between, dot, norm, unit
from humay.check.attitude import orb_from_itrf, scan_frame
from humay.check.case import Acquisition, Case
from humay.check.conditions import fault, room
from humay.check.quantities import Looks
from humay.check.violations import Violation
from humay.earth import azimuth_angle, elevation_angle, sun_itrf
from humay.frames import EARTH_RATE_RAD_S, inertial_velocity, roll_pitch
from humay.mission import Limits, conditions, limits
from humay.orbit import Ephemeris
from humay.time import format_utc

STEP_S = 0.25
SIGMAS = 3.0
LIMIT_TOLERANCE_DEG = 0.01
STATED_TOLERANCE_DEG = 0.05
STATED_TOLERANCE = 0.02  # relative, for ground sample distances
SWATH_TOLERANCE = 0.01  # relative
LINE_PERIOD_TOLERANCE = 0.01  # relative: what the charge of a TDI detector may lag behind
LONGEST_SCAN_S = 7_200.0
GRAZING = 1e-3  # sine of the lowest view whose ground is computed; long before, limits are exceeded


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """A satellite looking at its aim points: angles (n,) in radians, distances (n,) in metres."""

    elevation_rad: FloatArray
    off_nadir_rad: FloatArray
    roll_rad: FloatArray
    pitch_rad: FloatArray
    azimuth_rad: FloatArray
    range_m: FloatArray


def look(
    orbit: Ephemeris,
    t_s: FloatArray,
    aim_itrf: FloatArray,
    up: FloatArray,
    late_s: FloatArray | float = 0.0,
) -> Look:
    """From `orbit` to `aim_itrf` (n, 3), where the normals are `up`, at `t_s` (n,).

    `late_s` is how many seconds the satellite runs ahead on its orbit in space: it is then where it
    would be that much later, over an Earth that has not turned on meanwhile.
    """
    moved_s = t_s + late_s
    turn = EARTH_RATE_RAD_S * np.broadcast_to(late_s, t_s.shape)
    aim_later, up_later = _turned(aim_itrf, -turn), _turned(up, -turn)
    sight = aim_later - orbit.position_itrf(moved_s)
    sight_orb = unit(np.einsum("nij,nj->ni", orb_from_itrf(orbit, moved_s), sight))
    up = up_later
    roll, pitch = roll_pitch(sight_orb)
    return Look(
        elevation_rad=elevation_angle(-sight, up),
        off_nadir_rad=angle_between(sight_orb, np.broadcast_to([0.0, 0.0, 1.0], sight.shape)),
        roll_rad=roll,
        pitch_rad=pitch,
        azimuth_rad=azimuth_angle(-sight, up),
        range_m=norm(sight),
    )


def _turned(v: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Vectors (n, 3) turned about the pole, eastwards by `angle_rad` (n,)."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    x, y = c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1]
    return np.stack([x, y, v[:, 2]], axis=-1)


def orbit_shift_s(acquisition: Acquisition, t_s: FloatArray) -> FloatArray:
    """Seconds (n,) that 3 sigma of along-track uncertainty put the satellite ahead or behind."""
    sigma = acquisition.satellite.orbit_sigma
    orbit = acquisition.orbit
    sigma_m = sigma.at_epoch_m + sigma.per_day_m * orbit.age_days(t_s)
    return np.asarray(SIGMAS * sigma_m / norm(inertial_velocity(*orbit.state_itrf(t_s))))


def check_windows(case: Case) -> Iterator[Violation]:
    """[window] Each limit is kept at each line, the satellite where it should be or 3 sigma off."""
    for acquisition in case.acquisitions:
        yield from _period(case, acquisition)
        yield from _satellite(case, acquisition)
        lasts_s = acquisition.end_s - acquisition.start_s
        if lasts_s > LONGEST_SCAN_S:
            message = f"lasts {lasts_s:.0f} s, expected at most {LONGEST_SCAN_S:.0f} s"
            yield case.at("window", acquisition.where, message, acquisition.start_s)
            continue
        yield from _limits(case, acquisition)
        yield from _conditions(case, acquisition)
        yield from _excluded(case, acquisition)
        yield from _stated(case, acquisition)
        yield from _sampled(case, acquisition)


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


def _scan_times(acquisition: Acquisition) -> FloatArray:
    lasts_s = acquisition.end_s - acquisition.start_s
    count = max(3, math.ceil(lasts_s / STEP_S) + 1)
    return np.linspace(acquisition.start_s, acquisition.end_s, count)


def _limits(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    t_s = _scan_times(acquisition)
    f = acquisition.share_of_scan(t_s)
    (aim, _), (up, _) = acquisition.line.points(f), acquisition.line.normals(f)
    limit = limits(acquisition.satellite, acquisition.request)
    shift_s = orbit_shift_s(acquisition, t_s)
    for words, late_s in (
        ("", 0.0 * shift_s),
        (", 3 sigma ahead", shift_s),
        (", 3 sigma behind", -shift_s),
    ):
        seen = look(acquisition.orbit, t_s, aim, up, late_s)
        yield from _exceeded(case, acquisition, t_s, seen, limit, words)
    sun = sun_itrf(case.epoch, t_s) - aim
    excess = limit.min_sun_elevation_rad - elevation_angle(sun, up)
    yield from _worst(
        case, acquisition, t_s, excess, "Sun elevation", limit.min_sun_elevation_rad, below=True
    )


def _conditions(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    """The conditions of satellite and request at each line.

    Where the attitude decides, with 3 sigma of pointing and of the orbit; the others hold for the
    expected orbit.
    """
    satellite, clouds = acquisition.satellite, case.mission.clouds
    tree = conditions(satellite, acquisition.request, clouds)
    if tree is None:
        return
    t_s = _scan_times(acquisition)
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
        place=_turned(aim, turn),
        up=_turned(up, turn),
        along=_turned(along, turn),
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
    return acquisition.share_of_scan(_scan_times(acquisition))


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


def _stated(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    """Angles that the plan states of a strip: the largest off-nadir, the others in the middle."""
    t_s = np.append(_scan_times(acquisition), (acquisition.start_s + acquisition.end_s) / 2)
    f = acquisition.share_of_scan(t_s)
    (aim, _), (up, _) = acquisition.line.points(f), acquisition.line.normals(f)
    seen = look(acquisition.orbit, t_s, aim, up)
    sun = elevation_angle(sun_itrf(case.epoch, t_s) - aim, up)
    middle = {
        "off_nadir_deg": float(np.max(seen.off_nadir_rad)),
        "roll_deg": seen.roll_rad[-1],
        "pitch_deg": seen.pitch_rad[-1],
        "incidence_deg": math.pi / 2 - seen.elevation_rad[-1],
        "azimuth_deg": seen.azimuth_rad[-1],
        "sun_elevation_deg": sun[-1],
    }
    for key, derived_rad in middle.items():
        stated_deg, derived_deg = float(acquisition.entry[key]), math.degrees(derived_rad)
        if abs((stated_deg - derived_deg + 180) % 360 - 180) > STATED_TOLERANCE_DEG:
            yield case.at(
                "window",
                acquisition.where,
                f"{key} is {stated_deg:.3f}, expected {derived_deg:.3f}"
                f" within {STATED_TOLERANCE_DEG:g}",
                float(t_s[-1]),
            )


def _sampled(case: Case, acquisition: Acquisition) -> Iterator[Violation]:
    """The ground sample distance, the usable width and the line period that the plan states."""
    t_s = _scan_times(acquisition)
    t_s[len(t_s) // 2] = (acquisition.start_s + acquisition.end_s) / 2
    ground = _ground(acquisition, t_s)
    i, camera = len(t_s) // 2, acquisition.satellite.camera
    along_m, across_m = ground.along_m[i] * camera.ifov_rad, ground.across_m[i] * camera.ifov_rad
    matched_s = along_m / ground.speed_m_s[i]  # lines then join, and the stages see one place
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
                float(t_s[i]),
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ground:
    """What the camera draws on the ground at times (n,): metres per radian of view along and across
    the lines' motion, metres of swath to both sides alike, metres per second of scanning."""

    along_m: FloatArray
    across_m: FloatArray
    swath_m: FloatArray
    speed_m_s: FloatArray


def _ground(acquisition: Acquisition, t_s: FloatArray) -> _Ground:
    """On the plane that touches the ellipsoid (raised to the strip's height) at the aim point."""
    f = acquisition.share_of_scan(t_s)
    (aim, along), (up, _) = acquisition.line.points(f), acquisition.line.normals(f)
    r_itrf = acquisition.orbit.position_itrf(t_s)
    x, y, z = np.moveaxis(scan_frame(r_itrf, acquisition.line, f), -2, 0)
    range_m, down = norm(aim - r_itrf), np.minimum(dot(z, up), -GRAZING)
    half_rad = acquisition.satellite.camera.swath_rad / 2
    half_rad = max(0.0, half_rad - SIGMAS * acquisition.satellite.pointing_sigma_rad)
    across = unit(np.cross(up, along))
    reach_m = []
    for side in (-1.0, 1.0):
        ray = z * math.cos(half_rad) + side * y * math.sin(half_rad)
        hit = ray * (range_m * down / np.minimum(dot(ray, up), -GRAZING))[:, None]
        reach_m.append(np.abs(dot(hit - (aim - r_itrf), across)))
    return _Ground(
        along_m=range_m * np.hypot(1.0, dot(x, up) / down),
        across_m=range_m * np.hypot(1.0, dot(y, up) / down),
        swath_m=2 * np.minimum(*reach_m),
        speed_m_s=norm(along) / (acquisition.end_s - acquisition.start_s),
    )
