"""Contacts: when a satellite stands above a station's mask."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

import numpy as np

from humay.access.looks import EDGE_TOLERANCE_S, find_approaches
from humay.access.records import Contacts
from humay.arrays import FloatArray, norm
from humay.earth import azimuth_angle, elevation_angle, ellipsoid_normal, itrf_from_geodetic
from humay.frames import inertial_velocity
from humay.mission import Mission, Satellite, Station
from humay.orbit import Ephemeris, ephemerides
from humay.roots import Function, positive_spans
from humay.time import Epoch

_NODE_STEP_S = 5.0  # a satellite moves 0.3 deg of the orbit in it: a mask bends no faster


def find_contacts(
    mission: Mission,
    *,
    start: datetime,
    end: datetime,
    orbits: Mapping[str, Ephemeris] | None = None,
) -> Contacts:
    """Every span over [start, end] in which a satellite is above a station's mask, in order of
    time.

    Elevation is geometric, to the ellipsoid's horizon plane at the station; refraction is left out.
    """
    if orbits is None:
        orbits = ephemerides(mission, start, end)
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    rows = [
        (begin, finish, satellite, station, highest)
        for satellite in mission.satellites
        for station in mission.stations
        for begin, finish, highest in _passes(orbits[satellite.name], station, span)
    ]
    rows.sort(key=lambda row: (row[0], row[2].name, row[3].name))
    return _columns(rows, orbits, epoch, span)


def _columns(
    rows: list[tuple[float, float, Satellite, Station, float]],
    orbits: Mapping[str, Ephemeris],
    epoch: Epoch,
    span: tuple[float, float],
) -> Contacts:
    orbit, offset, sigma = [], [], []
    for begin, _, satellite, _, _ in rows:
        ephemeris = orbits[satellite.name]
        number, after = ephemeris.orbit_at(np.array(begin))
        orbit.append(int(number))
        offset.append(float(after))
        speed = float(norm(inertial_velocity(*ephemeris.state_itrf(np.array(begin)))))
        along = float(satellite.orbit_sigma.along_m(ephemeris.age_days(np.array(begin))))
        sigma.append(along / speed)
    names = [
        f"{satellite.name}@{station.name}:{number}"
        for (_, _, satellite, station, _), number in zip(rows, orbit, strict=True)
    ]
    return Contacts(
        epoch=epoch,
        span_s=span,
        contact_id=np.array(_distinct(names), dtype=object),
        satellite=np.array([row[2].name for row in rows], dtype=object),
        station=np.array([row[3].name for row in rows], dtype=object),
        start_s=np.array([row[0] for row in rows], dtype=np.float64),
        end_s=np.array([row[1] for row in rows], dtype=np.float64),
        max_elevation_rad=np.array([row[4] for row in rows], dtype=np.float64),
        orbit=np.array(orbit, dtype=np.int64),
        anx_offset_s=np.array(offset, dtype=np.float64),
        sigma_s=np.array(sigma, dtype=np.float64),
    )


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return out


def _passes(
    ephemeris: Ephemeris, station: Station, span: tuple[float, float]
) -> list[tuple[float, float, float]]:
    """(rise, set, highest elevation) of each pass inside the span."""
    place = itrf_from_geodetic(
        np.array(station.lon_rad), np.array(station.lat_rad), np.array(station.height_m)
    )
    up = ellipsoid_normal(np.array(station.lon_rad), np.array(station.lat_rad))
    farthest = max(float(np.max(norm(segment.r_itrf))) for segment in ephemeris.segments)
    lowest = station.min_elevation_rad
    cosine = min(1.0, float(norm(place)) * math.cos(lowest) / farthest)
    cap = math.acos(cosine) - lowest + 0.006  # the normal leaves the radius by at most 0.2 deg
    _, closest_s = find_approaches(ephemeris, place[None], np.array([cap]))
    half_s = cap / _slowest_rate(ephemeris) + 30.0

    def elevation(t_s: FloatArray) -> FloatArray:
        return elevation_angle(ephemeris.position_itrf(t_s) - place, up)

    def above(t_s: FloatArray) -> FloatArray:
        azimuth = azimuth_angle(
            ephemeris.position_itrf(t_s) - place, np.broadcast_to(up, (*t_s.shape, 3))
        )
        return elevation(t_s) - station.horizon_rad(azimuth)

    found = []
    for t in closest_s:
        low, high = max(t - half_s, span[0]), min(t + half_s, span[1])
        if high <= low:
            continue
        nodes = np.linspace(low, high, max(5, math.ceil((high - low) / _NODE_STEP_S) + 1))
        for begin, end in positive_spans(above, nodes, tolerance=EDGE_TOLERANCE_S):
            found.append((begin, end, _highest(elevation, begin, end)))
    return found


def _highest(elevation: Function, begin_s: float, end_s: float) -> float:
    """The largest value inside a span, closing in on it: over the zenith it is a sharp peak."""
    low, high, best = begin_s, end_s, -math.inf
    for _ in range(4):
        t_s = np.linspace(low, high, 101)
        values = elevation(t_s)
        top = int(np.argmax(values))
        best = max(best, float(values[top]))
        low, high = t_s[max(top - 1, 0)], t_s[min(top + 1, 100)]
    return best


def _slowest_rate(ephemeris: Ephemeris) -> float:
    """Least angular rate (rad/s) of the sub-satellite direction."""
    rates = []
    for segment in ephemeris.segments:
        u = segment.r_itrf / norm(segment.r_itrf)[:, None]
        rates.append(float(np.min(norm(np.diff(u, axis=0)))) / segment.step_s)
    return min(rates)
