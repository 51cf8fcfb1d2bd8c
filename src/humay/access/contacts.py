"""Contacts: when a satellite stands above a station's mask, where it stands, what it can send."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from humay.access.looks import EDGE_TOLERANCE_S
from humay.access.records import Contacts
from humay.access.sky import Sky, View, find_passes, sky_over
from humay.arrays import FloatArray, IntArray, norm
from humay.earth import LIGHT_M_S
from humay.frames import inertial_velocity
from humay.mission import Mission, Satellite, Station
from humay.orbit import Ephemeris, ephemerides
from humay.roots import bracketed_roots

_PIECE_S = 60.0  # in a minute, elevation, range and range rate turn at most once
_DOPPLER_STEP_S = 1.0
_STEP_TOLERANCE_S = 1e-7  # volume stays good to 1e-6 in a contact of a second

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
    passes = _Passes(ephemeris=ephemeris, sky=sky, which=which, start_s=start_s, end_s=end_s)
    orbit, anx_offset_s = ephemeris.orbit_at(start_s)
    speed = norm(inertial_velocity(*ephemeris.state_itrf(start_s)))
    corners = _corners(passes)
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


Rate: TypeAlias = Callable[[FloatArray, IntArray], FloatArray]
"""A rate of change at instants (k,) of contacts (k,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Passes:
    """Contacts (n,) of one satellite with the stations `which`."""

    ephemeris: Ephemeris
    sky: Sky
    which: IntArray
    start_s: FloatArray
    end_s: FloatArray

    def view(self, t_s: FloatArray, row: IntArray) -> View:
        """The satellite at instants (k,) of contacts `row` (k,)."""
        return self.sky.view(*self.ephemeris.state_itrf(t_s), self.which[row])

    @property
    def rows(self) -> IntArray:
        return np.arange(len(self.which))

    @cached_property
    def first(self) -> View:
        """The satellite as each contact begins."""
        return self.view(self.start_s, self.rows)

    @cached_property
    def last(self) -> View:
        """The satellite as each contact ends."""
        return self.view(self.end_s, self.rows)

    @cached_property
    def way(self) -> tuple[FloatArray, IntArray]:
        """Instants (k,) and their contacts, from start to end of each, a minute apart or less."""
        length = self.end_s - self.start_s
        pieces = np.maximum(np.ceil(length / _PIECE_S), 1).astype(np.int64)
        row = np.repeat(self.rows, pieces + 1)
        number = np.arange(len(row)) - np.searchsorted(row, row)
        t_s = self.start_s[row] + length[row] * (number / pieces[row])
        return np.minimum(t_s, self.end_s[row]), row

    @cached_property
    def way_view(self) -> View:
        return self.view(*self.way)

    def turns(self, rate: Rate, on_way: FloatArray) -> tuple[FloatArray, IntArray]:
        """Instants at which a rate, `on_way` (k,) at those of `way`, changes sign inside."""
        t_s, row = self.way
        changes = (row[1:] == row[:-1]) & ((on_way[1:] > 0) != (on_way[:-1] > 0))
        here = row[:-1][changes]
        turn_s = bracketed_roots(
            lambda t: rate(t, here),
            t_s[:-1][changes],
            t_s[1:][changes],
            tolerance=EDGE_TOLERANCE_S,
        )
        return turn_s, here

    def with_ends(self, t_s: FloatArray, row: IntArray) -> tuple[FloatArray, IntArray]:
        """The instants and both ends of every contact, by contact and time."""
        t_s = np.concatenate([self.start_s, t_s, self.end_s])
        row = np.concatenate([self.rows, row, self.rows])
        order = np.lexsort((t_s, row))
        return t_s[order], row[order]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Corners:
    """Instants (k,) between which elevation only rises or only falls, by contact and time."""

    t_s: FloatArray
    row: IntArray
    elevation_rad: FloatArray


def _corners(passes: _Passes) -> _Corners:
    def rise(seen: View) -> FloatArray:  # of the sine of elevation: smooth in the zenith, too
        return seen.elevation_rate_rad_s * np.cos(seen.elevation_rad)

    turns = passes.turns(lambda t_s, row: rise(passes.view(t_s, row)), rise(passes.way_view))
    t_s, row = passes.with_ends(*turns)
    return _Corners(t_s=t_s, row=row, elevation_rad=passes.view(t_s, row).elevation_rad)


def _angles(passes: _Passes, corners: _Corners) -> Columns:
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


def _ranges(passes: _Passes) -> Columns:
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


def _doppler(passes: _Passes, carrier_hz: float | None) -> Columns:
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
    passes: _Passes, corners: _Corners, satellite: Satellite, stations: Sequence[Station]
) -> FloatArray:
    """Bits (n,) that each contact could bring down: the lower rate of satellite and station, by
    elevation, over time.

    Coding and modulation are switched in steps, so the rate is constant between the elevations of
    two steps, and the sum of rates times seconds is the integral.
    """
    elevation_rad, rate_bit_s = _rate_steps(satellite, stations)
    volume = np.zeros(len(passes.which))
    below = np.zeros(len(passes.which))
    for step in range(elevation_rad.shape[1]):
        rate = rate_bit_s[passes.which, step]
        above_s = _seconds_above(passes, corners, elevation_rad[passes.which, step])
        volume += (rate - below) * above_s
        below = rate
    return volume


def _rate_steps(satellite: Satellite, stations: Sequence[Station]) -> tuple[FloatArray, FloatArray]:
    """Elevations (m, k) of the stations' steps and the rates received from there on."""
    width = max([1, *(len(station.rate_by_elevation) for station in stations)])
    elevation = np.full((len(stations), width), np.inf)
    rate = np.zeros((len(stations), width))
    for i, station in enumerate(stations):
        received = math.inf if station.downlink_bit_s is None else station.downlink_bit_s
        highest = min(satellite.downlink_bit_s, received) if station.downlink else 0.0
        steps = station.rate_by_elevation
        elevation[i, : len(steps) or 1] = [step.elevation_rad for step in steps] or -np.pi
        rate[i] = min(highest, steps[-1].rate_bit_s) if steps else highest
        rate[i, : len(steps)] = [min(highest, step.rate_bit_s) for step in steps]
    return elevation, rate


def _seconds_above(passes: _Passes, corners: _Corners, least_rad: FloatArray) -> FloatArray:
    """How long (n,) each contact is at `least_rad` (n,) or higher."""
    row, t_s = corners.row, corners.t_s
    above = corners.elevation_rad >= least_rad[row]
    same = row[1:] == row[:-1]
    crossed = np.flatnonzero(same & (above[1:] != above[:-1]))
    here = row[crossed]
    step_s = bracketed_roots(
        lambda t: passes.view(t, here).elevation_rad - least_rad[here],
        t_s[crossed],
        t_s[crossed + 1],
        tolerance=_STEP_TOLERANCE_S,
    )
    seconds = np.where(same & above[1:] & above[:-1], np.diff(t_s), 0.0)
    seconds[crossed] = np.where(above[crossed], step_s - t_s[crossed], t_s[crossed + 1] - step_s)
    return np.bincount(row[:-1], seconds, len(passes.which)).astype(np.float64, copy=False)
