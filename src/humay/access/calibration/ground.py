"""Looks at the ground: uniform and instrumented sites, turned by 90 degrees, oceans by day and
night."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Protocol

import numpy as np

from humay.access.calibration.limits import CalibrationLimits
from humay.access.calibration.records import CalibrationLooks, Kind, Windows, rows
from humay.access.calibration.sky import known, moon_phase, phase_cosine
from humay.access.calibration.spans import Spans, columns, common, either, grid, spans_above_zero
from humay.access.calibration.targets import Group, Site
from humay.access.looks import Nadir, down_at, look_angles, sun_azimuth, sun_elevation
from humay.access.opportunities import find_opportunities
from humay.access.records import Opportunities
from humay.arrays import FloatArray, IntArray, angle_between, dot, norm, unit
from humay.earth import azimuth_angle, elevation_angle, geodetic_from_itrf, moon_gcrf, sun_itrf
from humay.frames import inertial_velocity, itrf_from_gcrf, orbital_frame
from humay.mission import Mission, Satellite
from humay.orbit import Ephemeris

STEP_S = 10.0  # a pass lasts two minutes; no margin turns back twice in so short a time
GROUPS: Mapping[Kind, tuple[Group, ...]] = {
    "desert": ("desert",),
    "instrumented": ("instrumented",),
    "side_slither": ("desert", "snow"),
    "rayleigh": ("ocean",),
    "dark_ocean": ("ocean",),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Scene:
    """A satellite, a place and the sky over it at times (n,), ITRF axes: positions of satellite
    and place, the place's normal, Sun and Moon from the place, all (n, 3)."""

    r: FloatArray
    place: FloatArray
    up: FloatArray
    sun: FloatArray
    moon: FloatArray

    @property
    def to_satellite(self) -> FloatArray:
        return unit(self.r - self.place)

    @property
    def mirrored_sun(self) -> FloatArray:
        """Where level water throws the Sun's image: unit vectors (n, 3) from the place."""
        sun = unit(self.sun)
        return np.asarray(2 * dot(sun, self.up)[..., None] * self.up - sun)


def scene_at(
    ephemeris: Ephemeris, sites: Sequence[Site], which: IntArray, t_s: FloatArray
) -> Scene:
    """The scene of the sites with indices (n,) at times (n,)."""
    place = np.array([site.r_itrf for site in sites]).reshape(-1, 3)[which]
    moon = moon_gcrf(ephemeris.epoch, t_s)
    turned = np.einsum("...ij,...j->...i", itrf_from_gcrf(ephemeris.epoch, t_s), moon)
    return Scene(
        r=ephemeris.position_itrf(t_s),
        place=place,
        up=np.array([site.up for site in sites]).reshape(-1, 3)[which],
        sun=sun_itrf(ephemeris.epoch, t_s) - place,
        moon=turned - place,
    )


class PlaceMargin(Protocol):
    """A margin (n,) of scenes, positive where its limit is kept."""

    def __call__(self, scene: Scene, limits: CalibrationLimits) -> FloatArray: ...


# Margins ---------------------------------------------------------------------------------------


def _from_above(scene: Scene, limits: CalibrationLimits) -> FloatArray:
    return dot(scene.to_satellite, scene.up) - math.cos(limits.ground_max_incidence_rad)


def _off_glint(scene: Scene, limits: CalibrationLimits) -> FloatArray:
    return math.cos(limits.ocean_min_glint_rad) - dot(scene.to_satellite, scene.mirrored_sun)


def _night(scene: Scene, limits: CalibrationLimits) -> FloatArray:
    return math.sin(limits.dark_max_sun_elevation_rad) - dot(unit(scene.sun), scene.up)


def _moon_down(scene: Scene, limits: CalibrationLimits) -> FloatArray:
    return math.sin(limits.dark_max_moon_elevation_rad) - dot(unit(scene.moon), scene.up)


def _crescent(scene: Scene, limits: CalibrationLimits) -> FloatArray:
    return math.cos(limits.dark_min_moon_phase_rad) - phase_cosine(scene.sun, scene.moon)


CONDITIONS: Mapping[Kind, tuple[tuple[PlaceMargin, ...], ...]] = {
    "desert": ((_from_above,),),
    "instrumented": ((_from_above,),),
    "side_slither": (),
    "rayleigh": ((_off_glint,),),
    "dark_ocean": ((_night,), (_moon_down, _crescent)),
}
"""All of these must hold beside the satellite's limits, of alternatives one."""


# Windows -----------------------------------------------------------------------------------------


def find_ground_looks(
    mission: Mission,
    kind: Kind,
    sites: Sequence[Site],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir,
    orbits: Mapping[str, Ephemeris],
    limits: CalibrationLimits,
) -> list[CalibrationLooks]:
    """Windows of one kind: the opportunities of its sites, narrowed to its own limits."""
    asked = sites_of(kind, sites, limits)
    if not asked:
        return []
    found = find_passes_of(
        mission, kind, asked, start=start, end=end, nadir=nadir, orbits=orbits, limits=limits
    )
    return [
        narrowed_looks(satellite, orbits[satellite.name], kind, asked, found, nadir, limits)
        for satellite in mission.satellites
    ]


def sites_of(kind: Kind, sites: Sequence[Site], limits: CalibrationLimits) -> list[Site]:
    """The sites that serve a kind."""
    asked = [site for site in sites if site.group in GROUPS[kind]]
    if kind == "dark_ocean":
        asked = [site for site in asked if site.shore_m() >= limits.dark_min_shore_m]
    return asked


def find_passes_of(
    mission: Mission,
    kind: Kind,
    asked: Sequence[Site],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir,
    orbits: Mapping[str, Ephemeris],
    limits: CalibrationLimits,
) -> Opportunities:
    """The opportunities of sites of one kind within the satellites' limits."""
    if kind == "dark_ocean":
        mission = _by_night(mission)
    tilt_rad = limits.yaw_max_off_nadir_rad if kind == "side_slither" else None
    sun_rad = {
        "side_slither": limits.yaw_min_sun_elevation_rad, "dark_ocean": None
    }.get(kind, limits.ground_min_sun_elevation_rad)  # fmt: skip
    requests = [site.to_request(max_off_nadir_rad=tilt_rad, min_sun_rad=sun_rad) for site in asked]
    return find_opportunities(mission, requests, start=start, end=end, nadir=nadir, orbits=orbits)


def _by_night(mission: Mission) -> Mission:
    """The mission without the satellites' own limits of the Sun, which are those of pictures."""
    anything = [replace(one, min_sun_elevation_rad=-math.pi / 2) for one in mission.satellites]
    return replace(mission, satellites=tuple(anything))


def narrowed_looks(
    satellite: Satellite, ephemeris: Ephemeris, kind: Kind, sites: Sequence[Site],
    found: Opportunities, nadir: Nadir, limits: CalibrationLimits,
) -> CalibrationLooks:  # fmt: skip
    """What a kind's own limits leave of the opportunities of a satellite."""
    own = found.take(found.satellite == satellite.name)
    index = {site.name: i for i, site in enumerate(sites)}
    which = np.array([index[name] for name in own.request], dtype=np.int64)
    row, start_s, end_s = _narrowed(
        ephemeris, sites, which, own.start_s, own.end_s, CONDITIONS[kind], limits
    )
    which, best_s = which[row], np.clip(own.best_s[row], start_s, end_s)
    if kind == "side_slither":
        swath_m = limits.yaw_min_swaths * _swath_m(satellite, ephemeris, best_s)
        wide = np.array([site.width_m for site in sites])[which] >= swath_m
        which, start_s, end_s, best_s = which[wide], start_s[wide], end_s[wide], best_s[wide]
    windows = Windows(
        target=np.array([sites[i].name for i in which], dtype=object),
        start_s=start_s,
        end_s=end_s,
        best_s=best_s,
    )
    angles = _angles(ephemeris, sites, which, best_s, nadir, across=kind == "side_slither")
    return rows(satellite, ephemeris, kind, windows, **angles)


def _narrowed(
    ephemeris: Ephemeris, sites: Sequence[Site], which: IntArray, start_s: FloatArray,
    end_s: FloatArray, conditions: Sequence[Sequence[PlaceMargin]], limits: CalibrationLimits,
) -> tuple[IntArray, FloatArray, FloatArray]:  # fmt: skip
    """The parts of windows (n,) at sites (n,) in which all conditions hold: (which window, ...)."""
    left: list[Spans] = [[window] for window in zip(start_s, end_s, strict=True)]
    if left:
        most = math.ceil(float(np.max(end_s - start_s)) / STEP_S) + 8
        t_s = np.array([grid(window, STEP_S, most) for [window] in left])
        for alternatives in conditions:
            met: list[Spans] = [[] for _ in left]
            for margin in alternatives:
                found = _where(ephemeris, sites, which, t_s, partial(margin, limits=limits))
                met = [either(a, b) for a, b in zip(met, found, strict=True)]
            left = [common(a, b) for a, b in zip(left, met, strict=True)]
    row = np.repeat(np.arange(len(left)), [len(spans) for spans in left])
    return row, *columns(span for spans in left for span in spans)


def _where(
    ephemeris: Ephemeris, sites: Sequence[Site], which: IntArray, t_s: FloatArray,
    margin: Callable[[Scene], FloatArray],
) -> list[Spans]:  # fmt: skip
    """Spans inside nodes (m, n) in which a margin at sites (m,) is not negative."""

    def of_time(t: FloatArray, row: IntArray) -> FloatArray:
        return margin(scene_at(ephemeris, sites, which[row], known(ephemeris, t)))

    rows_of_nodes = np.repeat(np.arange(len(t_s)), t_s.shape[1])
    value = of_time(t_s.ravel(), rows_of_nodes).reshape(t_s.shape)
    return spans_above_zero(of_time, t_s, value)


def _swath_m(satellite: Satellite, ephemeris: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Width of the swath at nadir."""
    height = geodetic_from_itrf(ephemeris.position_itrf(t_s))[2]
    return np.asarray(2 * height * math.tan(satellite.camera.swath_rad / 2))


def _angles(
    ephemeris: Ephemeris, sites: Sequence[Site], which: IntArray, t_s: FloatArray, nadir: Nadir,
    *, across: bool,
) -> dict[str, FloatArray]:  # fmt: skip
    """Columns of looks at sites (n,) at times (n,); `across`: the body is turned by 90 degrees."""
    scene = scene_at(ephemeris, sites, which, t_s)
    r, v = ephemeris.state_itrf(t_s)
    off_nadir, roll, pitch = look_angles(r, v, scene.place, nadir)
    sight, up = scene.to_satellite, scene.up
    return {
        "lon_rad": np.radians([sites[i].lon_deg for i in which]),
        "lat_rad": np.radians([sites[i].lat_deg for i in which]),
        "off_nadir_rad": off_nadir,
        "roll_rad": roll,
        "pitch_rad": pitch,
        "yaw_rad": math.pi / 2 + _drift(r, v, nadir) if across else np.zeros(len(t_s)),
        "heading_rad": azimuth_angle(v, up),
        "incidence_rad": angle_between(sight, up),
        "azimuth_rad": azimuth_angle(sight, up),
        "sun_elevation_rad": sun_elevation(ephemeris.epoch, t_s, scene.place, up),
        "sun_azimuth_rad": sun_azimuth(ephemeris.epoch, t_s, scene.place, up),
        "glint_rad": angle_between(sight, scene.mirrored_sun),
        "moon_elevation_rad": elevation_angle(scene.moon, up),
        "moon_phase_rad": _moon_phase(ephemeris, scene, t_s),
        "moon_distance_m": norm(scene.moon),
    }


def _moon_phase(ephemeris: Ephemeris, scene: Scene, t_s: FloatArray) -> FloatArray:
    """Signed phase from the place; its sign wants axes of the GCRF."""
    turn = itrf_from_gcrf(ephemeris.epoch, t_s)
    sun, moon = (np.einsum("...ji,...j->...i", turn, body) for body in (scene.sun, scene.moon))
    return moon_phase(sun, moon)


def _drift(r: FloatArray, v: FloatArray, nadir: Nadir) -> FloatArray:
    """Yaw (rad) of the way over the ground in the orbital frame: the Earth turns below, by up to
    4 deg. Line and track fall together at 90 deg from there."""
    frame = orbital_frame(down_at(r, nadir), inertial_velocity(r, v))
    ahead, aside, _ = np.moveaxis(np.einsum("...ij,...j->...i", frame, v), -1, 0)
    return np.asarray(np.arctan2(aside, ahead))
