"""Contacts: when a satellite stands above a station's mask, where it stands, what it can send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from humay.access.links import rate_pieces
from humay.access.passes import Corners, Passes, corners_of
from humay.access.records import Contacts
from humay.access.sky import find_passes, sky_over
from humay.arrays import FloatArray, IntArray, norm
from humay.earth import LIGHT_M_S
from humay.frames import inertial_velocity
from humay.mission import Mission, Satellite, Station
from humay.orbit import Ephemeris, ephemerides

_DOPPLER_STEP_S = 1.0

Columns: TypeAlias = dict[str, Any]
"""Arrays (n,) by the names of the record's fields."""


def find_contacts(
    mission: Mission,
    *,
    start: datetime,
    end: datetime,
    orbits: Mapping[str, Ephemeris] | None = None,
) -> Contacts:
    """Every span over [start, end] in which a satellite is above a station's mask, in order of
    time, edges to 0.01 ms. None is missed, however short, nor is one where the orbit has a gap.

    Elevation is geometric, to the ellipsoid's horizon plane at the station; refraction is left out.
    The time an antenna needs between two satellites is the planner's affair.
    """
    if orbits is None:
        orbits = ephemerides(mission, start, end)
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    parts = [
        _contacts_of(satellite, orbits[satellite.name], mission.stations, span)
        for satellite in mission.satellites
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    keys = [columns[name].tolist() for name in ("start_s", "satellite", "station", "orbit")]
    rows = sorted(zip(*keys, range(len(keys[0])), strict=True))
    order = np.array([row[-1] for row in rows], dtype=np.int64)
    columns = {name: column[order] for name, column in columns.items()}
    names = _distinct(f"{satellite}@{station}:{orbit}" for _, satellite, station, orbit, _ in rows)
    return Contacts(epoch=epoch, span_s=span, contact_id=names, **columns)


def _distinct(wanted: Iterable[str]) -> Any:
    """The names (n,), with `.2` and so on from the second of each on."""
    seen: dict[str, int] = {}
    names = []
    for name in wanted:
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return np.array(names, dtype=object)


def _contacts_of(
    satellite: Satellite,
    ephemeris: Ephemeris,
    stations: Sequence[Station],
    span_s: tuple[float, float],
) -> Columns:
    """The columns of one satellite's contacts, by station and time."""
    sky = sky_over(stations)
    which, start_s, end_s = find_passes(ephemeris, sky, *span_s)
    passes = Passes(ephemeris=ephemeris, sky=sky, which=which, start_s=start_s, end_s=end_s)
    orbit, anx_offset_s = ephemeris.orbit_at(start_s)
    speed = norm(inertial_velocity(*ephemeris.state_itrf(start_s)))
    corners = corners_of(passes)
    return {
        "satellite": np.full(len(which), satellite.name, dtype=object),
        "station": np.array([station.name for station in stations], dtype=object)[which],
        "start_s": start_s,
        "end_s": end_s,
        "orbit": orbit.astype(np.int64),
        "anx_offset_s": anx_offset_s,
        "sigma_s": satellite.orbit_sigma.along_m(ephemeris.age_days(start_s)) / speed,
        **_angles(passes, corners),
        **_ranges(passes),
        **_doppler(passes, satellite.downlink_hz),
        "volume_bit": _volume(passes, corners, satellite, stations),
    }


def _angles(passes: Passes, corners: Corners) -> Columns:
    """Highest elevation, and the azimuths on the way."""
    order = np.lexsort((corners.t_s, -corners.elevation_rad, corners.row))
    best = order[np.searchsorted(corners.row[order], passes.rows)]
    best_s = corners.t_s[best]
    return {
        "best_s": best_s,
        "max_elevation_rad": corners.elevation_rad[best],
        "azimuth_start_rad": passes.first.azimuth_rad,
        "azimuth_best_rad": passes.view(best_s, passes.rows).azimuth_rad,
        "azimuth_end_rad": passes.last.azimuth_rad,
    }


def _ranges(passes: Passes) -> Columns:
    """Distance and range rate at both ends, and the least distance."""
    turn_s, row = passes.turns(
        lambda t_s, row: passes.view(t_s, row).range_rate_m_s, passes.way_view.range_rate_m_s
    )
    least = np.minimum(passes.first.range_m, passes.last.range_m)
    np.minimum.at(least, row, passes.view(turn_s, row).range_m)
    return {
        "range_start_m": passes.first.range_m,
        "range_min_m": least,
        "range_end_m": passes.last.range_m,
        "range_rate_start_m_s": passes.first.range_rate_m_s,
        "range_rate_end_m_s": passes.last.range_rate_m_s,
    }


def _doppler(passes: Passes, carrier_hz: float | None) -> Columns:
    """Largest and least Doppler shift -f v/c, NaN without a carrier.

    First order: light time and relativity, left out, change it by under 10 Hz at 8 GHz. Its
    extremes are the ends unless the mask lies below the horizon: there, range rate turns.
    """
    if carrier_hz is None:
        nothing = np.full(len(passes.which), np.nan)
        return {"doppler_max_hz": nothing, "doppler_min_hz": nothing}

    def gain(t_s: FloatArray, row: IntArray) -> FloatArray:
        before = np.maximum(t_s - _DOPPLER_STEP_S, passes.start_s[row])
        after = np.minimum(t_s + _DOPPLER_STEP_S, passes.end_s[row])
        rates = [passes.view(t, row).range_rate_m_s for t in (before, after)]
        return np.asarray(rates[1] - rates[0])

    t_s, row = passes.with_ends(*passes.turns(gain, gain(*passes.way)))
    shift_hz = -carrier_hz / LIGHT_M_S * passes.view(t_s, row).range_rate_m_s
    first = np.searchsorted(row, passes.rows)
    return {
        "doppler_max_hz": np.maximum.reduceat(shift_hz, first),
        "doppler_min_hz": np.minimum.reduceat(shift_hz, first),
    }


def _volume(
    passes: Passes, corners: Corners, satellite: Satellite, stations: Sequence[Station]
) -> FloatArray:
    """Bits (n,) that each contact could bring down alone."""
    pieces = rate_pieces(passes, corners, satellite, stations)
    bits = pieces.rate_bit_s * (pieces.end_s - pieces.start_s)
    return np.bincount(pieces.row, bits, len(passes.which)).astype(np.float64, copy=False)
