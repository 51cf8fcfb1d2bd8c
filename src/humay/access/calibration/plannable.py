"""Calibration looks for a planner: windows of start times with attitudes and data, as rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from humay.access.calibration.ground import find_passes_of, narrowed_looks, sites_of
from humay.access.calibration.limits import CalibrationLimits
from humay.access.calibration.records import CalibrationLooks, Kind
from humay.access.calibration.records import joined as joined_looks
from humay.access.calibration.search import find_calibrations
from humay.access.calibration.sky import Sky
from humay.access.calibration.targets import Site, Star, calibration_sites, calibration_stars
from humay.access.lines import MEAN_RADIUS_M, GroundLine
from humay.access.pointing import find_pointing
from humay.access.records import LOOKS, Opportunities, Pointing, joined
from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, norm, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf
from humay.errors import AccessError
from humay.frames import (
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_product,
)
from humay.mission import Calibration, Mission, Satellite, suggestion
from humay.orbit import Ephemeris

SIGMAS = 3.0
NODE_STEP_S = 10.0  # of inertial looks: by then the Moon has turned by 0.01 deg, evenly to 1e-5 deg
STARS_AN_ORBIT = 3
"""Of the stars that a satellite sees in an orbit, so many are offered, those in sight longest."""
LEAST_ASIDE = 0.1  # of a panel's normal across the line of sight, below which its side has no say
_BELOW_M = 1_000.0  # a line under the satellite, where a row has to have one
_QUARTER_TURN = np.array([0.0, 0.0, math.sin(math.pi / 4), math.cos(math.pi / 4)])


@dataclass(frozen=True, kw_only=True, eq=False)
class PlannableLooks:
    """Windows (n,) of calibrations, whose names stand in `request` and `strip`: the attitudes over
    each, None where none of it is left, and what it looks at."""

    opportunities: Opportunities
    pointing: tuple[Pointing | None, ...]
    target: Any

    def __len__(self) -> int:
        return len(self.opportunities)


def find_plannable(
    mission: Mission,
    *,
    start: datetime,
    end: datetime,
    orbits: Mapping[str, Ephemeris],
    limits: CalibrationLimits | None = None,
    offered: AbstractSet[str] = frozenset(),
) -> PlannableLooks | None:
    """The looks of all calibrations of a mission over [start, end]; None if it has none.

    Windows are those of `find_calibrations`, trimmed by three sigma of the orbit, in which the
    middle of a look may lie; only those in which a look is due, and of stars a few an orbit, with
    those that must be `offered`.
    """
    if not mission.calibrations:
        return None
    limits = CalibrationLimits() if limits is None else limits
    parts = [
        part
        for calibration in mission.calibrations
        for part in (
            _inertial(mission, calibration, start, end, orbits, limits, offered)
            if calibration.inertial
            else _ground(mission, calibration, start, end, orbits, limits)
        )
    ]
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    rows = joined([part.opportunities for part in parts], epoch=epoch, span_s=span, strips=())
    place = {
        str(name): (part, i)
        for part in parts
        for i, name in enumerate(part.opportunities.opportunity_id)
    }
    found = [place[str(name)] for name in rows.opportunity_id]
    return PlannableLooks(
        opportunities=rows,
        pointing=tuple(part.pointing[i] for part, i in found),
        target=np.array([part.target[i] for part, i in found], dtype=object),
    )


def _only(mission: Mission, calibration: Calibration) -> Mission:
    """The mission with the satellites that take such looks, whatever the clouds."""
    own = tuple(each for each in mission.satellites if calibration.allows(each.name))
    return replace(
        mission,
        satellites=own,
        calibrations=(),
        outages=(),
        clouds=None,
        objective=replace(mission.objective, clouds="ignored"),
    )


def _targets(calibration: Calibration, known: Sequence[Site] | Sequence[Star]) -> list[Any]:
    """The sites or stars that a calibration names, all of them if it names none."""
    names = [each.name for each in known]
    for name in calibration.targets or ():
        if name not in names:
            raise AccessError(
                f"calibration {calibration.name!r}: no target {name!r} of kind"
                f" {calibration.kind!r}{suggestion(name, names)}"
            )
    return [
        each for each in known if calibration.targets is None or each.name in calibration.targets
    ]


def _asked_then(
    looks: CalibrationLooks, calibration: Calibration, start: datetime, end: datetime
) -> BoolArray:
    """Which windows (n,) lie in a time in which a look is due."""
    seconds, asked = looks.epoch.seconds, np.zeros(len(looks), dtype=bool)
    for due in calibration.dues(start, end):
        asked |= (looks.start_s < seconds(due.end)) & (looks.end_s > seconds(due.begin))
    return asked


# Looks at the ground -----------------------------------------------------------------------------


def _ground(
    mission: Mission, calibration: Calibration, start: datetime, end: datetime,
    orbits: Mapping[str, Ephemeris], limits: CalibrationLimits,
) -> list[PlannableLooks]:  # fmt: skip
    kind: Kind = calibration.kind
    asked = _targets(calibration, sites_of(kind, calibration_sites(), limits))
    if not asked:
        return []
    only = _only(mission, calibration)
    found = find_passes_of(
        only, kind, asked, start=start, end=end, nadir="geodetic", orbits=orbits, limits=limits
    )
    parts = []
    for satellite in only.satellites:
        own = narrowed_looks(
            satellite, orbits[satellite.name], kind, asked, found, "geodetic", limits
        )
        looks = joined_looks([own], epoch=found.epoch, span_s=found.span_s)
        looks = looks.take(_asked_then(looks, calibration, start, end))
        rows = _swept(found, looks, calibration)
        pointing = find_pointing(rows, only, orbits)
        if kind == "side_slither":
            pointing = [None if each is None else _across(each) for each in pointing]
        parts.append(
            PlannableLooks(opportunities=rows, pointing=tuple(pointing), target=looks.target)
        )
    return parts


def _swept(
    found: Opportunities, looks: CalibrationLooks, calibration: Calibration
) -> Opportunities:
    """The opportunities that looks lie in, as sweeps of the calibration's duration at the speed of
    the ground, begun so that the middle line lies in the look."""
    which = np.array([_within(found, looks, i) for i in range(len(looks))], dtype=np.int64)
    own, duration_s = found.take(which), calibration.duration_s
    half_s, trim_s = 0.5 * duration_s, SIGMAS * looks.sigma_s
    low = np.maximum(own.plan_start_s + 0.5 * own.scan_s, looks.start_s + trim_s) - half_s
    high = np.minimum(own.plan_end_s + 0.5 * own.scan_s, looks.end_s - trim_s) - half_s
    low, high = _inside(low, high, found.span_s, duration_s)
    half = np.full(len(which), 0.5)
    stretched = GroundLine.centred(
        own.line.normal(half),
        own.line.tangent(half),
        own.line.length_m * duration_s / own.scan_s,
        own.line.heights_m.mean(axis=-1),
    )
    return replace(
        own,
        **_names(calibration, looks),
        start_s=looks.start_s,
        end_s=looks.end_s,
        best_s=np.clip(looks.best_s - half_s, looks.start_s - half_s, looks.end_s - half_s),
        line=stretched,
        scan_s=np.full(len(which), duration_s),
        data_bit=own.data_bit * duration_s / own.scan_s,
        plan_start_s=low,
        plan_end_s=high,
    )


def _within(found: Opportunities, looks: CalibrationLooks, i: int) -> int:
    """The opportunity that a look is a part of."""
    same = (found.satellite == looks.satellite[i]) & (found.request == looks.target[i])
    holds = (found.start_s <= looks.start_s[i] + 1e-6) & (found.end_s >= looks.end_s[i] - 1e-6)
    [row, *_] = np.flatnonzero(same & holds)
    return int(row)


def _names(calibration: Calibration, looks: CalibrationLooks) -> dict[str, Any]:
    name = np.full(len(looks), calibration.name, dtype=object)
    ids = [f"{calibration.name}:{each}" for each in looks.look_id]
    return {"opportunity_id": np.array(ids, dtype=object), "request": name, "strip": name}


def _inside(
    low: FloatArray, high: FloatArray, span_s: tuple[float, float], duration_s: float
) -> tuple[FloatArray, FloatArray]:
    """Start times (n,) inside a span, NaN where none is left."""
    low, high = np.maximum(low, span_s[0]), np.minimum(high, span_s[1] - duration_s)
    left = high > low
    return np.where(left, low, np.nan), np.where(left, high, np.nan)


def _across(pointing: Pointing) -> Pointing:
    """The same sweep with the body a quarter turn further about its line of sight, so that the line
    of detectors lies along the way over the ground."""
    turned = {}
    for name in ("settle", "first", "last"):
        attitude = getattr(pointing, f"{name}_attitude")
        rate = getattr(pointing, f"{name}_rate_rad_s")
        turned[f"{name}_attitude"] = quaternion_product(_QUARTER_TURN, attitude)
        turned[f"{name}_rate_rad_s"] = np.stack(
            [rate[..., 1], -rate[..., 0], rate[..., 2]], axis=-1
        )
    return replace(pointing, **turned)


# Looks at Moon and stars -------------------------------------------------------------------------


def _inertial(
    mission: Mission, calibration: Calibration, start: datetime, end: datetime,
    orbits: Mapping[str, Ephemeris], limits: CalibrationLimits, offered: AbstractSet[str],
) -> list[PlannableLooks]:  # fmt: skip
    only, kind = _only(mission, calibration), calibration.kind
    stars = _targets(calibration, calibration_stars()) if kind == "star" else ()
    looks = find_calibrations(
        only, start=start, end=end, kinds=[kind], limits=limits, stars=stars, orbits=orbits
    )
    by_name = {star.name: star for star in stars}
    parts = []
    for satellite in only.satellites:
        own = looks.take(looks.satellite == satellite.name)
        own = own.take(_asked_then(own, calibration, start, end))
        own = own.take(_in_sight_longest(own, offered)) if kind == "star" else own
        rows = _held(own, calibration, satellite, orbits[satellite.name])
        pointing = [
            None
            if np.isnan(rows.plan_start_s[i])
            else _aimed(rows, i, calibration, satellite, orbits[satellite.name], by_name.get(name))
            for i, name in enumerate(own.target)
        ]
        parts.append(
            PlannableLooks(opportunities=rows, pointing=tuple(pointing), target=own.target)
        )
    return parts


def _in_sight_longest(looks: CalibrationLooks, offered: AbstractSet[str]) -> IntArray:
    """The longest windows of each orbit, and those of stars that must be offered, in order of
    time."""
    order = np.lexsort((looks.start_s, looks.start_s - looks.end_s, looks.orbit))
    orbit = looks.orbit[order]
    first = np.searchsorted(orbit, orbit)
    longest = np.arange(len(order)) - first < STARS_AN_ORBIT
    return np.sort(order[longest | np.isin(looks.target[order].astype(str), list(offered))])


def _held(
    looks: CalibrationLooks, calibration: Calibration, satellite: Satellite, ephemeris: Ephemeris
) -> Opportunities:
    """Looks as rows; a column that speaks of the ground is zero, the line lies below."""
    n, duration_s = len(looks), calibration.duration_s
    trim_s, half_s = SIGMAS * looks.sigma_s, 0.5 * duration_s
    low, high = looks.start_s + trim_s, looks.end_s - trim_s - duration_s
    low, high = _inside(low, high, looks.span_s, duration_s)
    up = ellipsoid_normal(looks.lon_rad, looks.lat_rad)
    below = GroundLine.centred(
        up, cross(up, np.array([0.0, 0.0, 1.0])), np.full(n, _BELOW_M), np.zeros(n)
    )
    period_s = _line_period_s(calibration, satellite, ephemeris, looks.best_s)
    none = np.zeros(n)
    columns: dict[str, Any] = dict.fromkeys(
        (
            "roll_rad", "pitch_rad", "incidence_rad", "azimuth_rad", "sun_elevation_rad",
            "sun_azimuth_rad", "gsd_along_m", "gsd_across_m", "off_nadir_start_rad",
            "off_nadir_end_rad", "sun_elevation_start_rad", "sun_elevation_end_rad",
            "scan_heading_rad", "width_m",
        ),
        none,
    )  # fmt: skip
    return Opportunities(
        epoch=looks.epoch,
        span_s=looks.span_s,
        strips=(),
        satellite=looks.satellite,
        **_names(calibration, looks),
        **columns,
        start_s=looks.start_s,
        end_s=looks.end_s,
        best_s=looks.best_s - half_s,
        sigma_s=looks.sigma_s,
        orbit=looks.orbit,
        anx_offset_s=looks.anx_offset_s,
        ascending=np.zeros(n, dtype=bool),
        off_nadir_rad=looks.off_nadir_rad,
        line=below,
        scan_s=np.full(n, duration_s),
        line_period_s=period_s,
        data_bit=duration_s / period_s * satellite.camera.bits_per_pan_line(),
        plan_start_s=low,
        plan_end_s=high,
    )


def _line_period_s(
    calibration: Calibration, satellite: Satellite, ephemeris: Ephemeris, t_s: FloatArray
) -> FloatArray:
    """Seconds (n,) between lines: those in which the line of sight sweeps on by a pixel; held
    still, the camera keeps the period it has over nadir."""
    ifov = satellite.camera.ifov_rad
    if calibration.scan_rad_s:
        return np.full(len(t_s), ifov / calibration.scan_rad_s)
    r, v = ephemeris.state_itrf(t_s)
    height = geodetic_from_itrf(r)[2]
    aside = v - dot(v, unit(r))[..., None] * unit(r)
    return np.asarray(height * ifov / (norm(aside) * MEAN_RADIUS_M / norm(r)))


def _aimed(
    rows: Opportunities, i: int, calibration: Calibration, satellite: Satellite,
    ephemeris: Ephemeris, star: Star | None,
) -> Pointing:  # fmt: skip
    """The attitudes of a window: the camera on the target in the middle of the look."""
    low, high = float(rows.plan_start_s[i]), float(rows.plan_end_s[i])
    start_s = np.linspace(low, high, max(2, math.ceil((high - low) / NODE_STEP_S) + 1))
    n, half_s = len(start_s), 0.5 * calibration.duration_s
    sky = Sky(ephemeris, start_s + half_s)
    towards = unit(sky.moon) if star is None else sky.towards(star.place, star.motion)
    middle = inertial_attitude(satellite, towards, unit(sky.sun))
    rate = np.broadcast_to([0.0, calibration.scan_rad_s, 0.0], (n, 3))

    def at(after_s: float) -> FloatArray:
        return quaternion_product(quaternion_from_rotation_vector(rate * after_s), middle)

    none = np.zeros(n)
    return Pointing(
        start_s=start_s,
        settle_attitude=at(-half_s - satellite.settle_s),
        settle_rate_rad_s=rate,
        first_attitude=at(-half_s),
        first_rate_rad_s=rate,
        last_attitude=at(half_s),
        last_rate_rad_s=rate,
        roll_rad=np.zeros((n, LOOKS)),
        pitch_rad=np.zeros((n, LOOKS)),
        to_satellite_enu=np.broadcast_to([0.0, 0.0, 1.0], (n, 3)),
        sun_elevation_rad=none,
        gsd_mean_m=none,
        line_period_s=np.full(n, rows.line_period_s[i]),
        data_bit=np.full(n, rows.data_bit[i]),
    )


def inertial_attitude(satellite: Satellite, towards: FloatArray, sun: FloatArray) -> FloatArray:
    """`body_from_gcrf` (n, 4) with the camera in unit directions (n, 3).

    The turn about it puts the panels as nearly as it can on the Sun; where they look along the
    camera, so that it makes no difference, body -x.
    """
    power = satellite.power
    normal = np.zeros(3) if power is None else unit(np.array(power.panel_normal))
    aside = normal * np.array([1.0, 1.0, 0.0])
    side = unit(aside) if norm(aside) >= LEAST_ASIDE else np.array([-1.0, 0.0, 0.0])
    body = _triad(np.array([0.0, 0.0, 1.0]), side)
    return quaternion_from_matrix(body.T @ _triad(towards, sun))


def _triad(first: FloatArray, towards: FloatArray) -> FloatArray:
    """Rows (..., 3, 3): `first`, `towards` made orthogonal to it, their product."""
    second = unit(towards - dot(towards, first)[..., None] * first)
    return np.stack([first, second, cross(first, second)], axis=-2)
