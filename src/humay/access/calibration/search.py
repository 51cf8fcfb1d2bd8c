"""`find_calibrations`: when each satellite can look at what its camera is calibrated on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from humay.access.calibration.ground import find_ground_looks
from humay.access.calibration.inertial import find_moon_looks, find_star_looks, pieces
from humay.access.calibration.limits import CalibrationLimits
from humay.access.calibration.records import INERTIAL, KINDS, CalibrationLooks, Kind, joined
from humay.access.calibration.targets import Site, Star, calibration_sites, calibration_stars
from humay.access.looks import Nadir
from humay.errors import AccessError
from humay.mission import Mission
from humay.orbit import Ephemeris, ephemerides


def find_calibrations(
    mission: Mission,
    *,
    start: datetime,
    end: datetime,
    kinds: Sequence[Kind] = KINDS,
    limits: CalibrationLimits | None = None,
    sites: Sequence[Site] | None = None,
    stars: Sequence[Star] | None = None,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris] | None = None,
) -> CalibrationLooks:
    """Every window of these kinds over [start, end], in order of time.

    Edges are roots, good to 0.01 ms for the given orbit; `sigma_s` says how far its uncertainty may
    move them. Looks at the ground keep the satellite's limits of pointing and, by day, of the Sun;
    how far and how fast it can turn to the Moon or a star is left to whoever plans. `orbits` saves
    propagating again what is known already.
    """
    _refuse_unknown(kinds)
    limits = CalibrationLimits() if limits is None else limits
    sites = calibration_sites() if sites is None else sites
    stars = calibration_stars() if stars is None else stars
    _refuse_twins("site", [site.name for site in sites])
    _refuse_twins("star", [star.name for star in stars])
    if orbits is None:
        orbits = ephemerides(mission, start, end)
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    parts: list[CalibrationLooks] = []
    for kind in KINDS:
        if kind not in kinds:
            continue
        if kind not in INERTIAL:
            parts += find_ground_looks(
                mission, kind, sites, start=start, end=end, nadir=nadir, orbits=orbits,
                limits=limits,
            )  # fmt: skip
            continue
        for satellite in mission.satellites:
            ephemeris = orbits[satellite.name]
            for piece in pieces(ephemeris, span):
                if kind == "moon":
                    parts.append(find_moon_looks(satellite, ephemeris, piece, limits))
                else:
                    parts += find_star_looks(satellite, ephemeris, piece, stars, limits)
    return joined(parts, epoch=epoch, span_s=span)


def _refuse_unknown(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise AccessError(f"kind is {kind!r}, expected one of {', '.join(KINDS)}")


def _refuse_twins(what: str, names: Sequence[str]) -> None:
    for name, times in Counter(names).items():
        if times > 1:
            raise AccessError(f"{times} {what}s are named {name!r}, expected one")
