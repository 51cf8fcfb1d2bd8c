"""Links: how a contact goes, second by second: where the antenna looks and what it receives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from humay.access.passes import Corners, Passes, corners_of
from humay.access.records import Contacts
from humay.access.sky import sky_over
from humay.arrays import FloatArray, IntArray, frozen
from humay.mission import Mission, Satellite, Station
from humay.orbit import Ephemeris
from humay.roots import bracketed_roots

_STEP_TOLERANCE_S = 1e-7  # volume stays good to 1e-6 in a contact of a second
_DIRECTION_STEP_S = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Link:
    """One contact on its way.

    The antenna looks to `azimuth_rad` (clockwise from north, continuous) and `elevation_rad`, all
    (k,), at `t_s`, a second apart or less, from start to end. It receives `rate_bit_s` (m,) between
    `edges_s` (m + 1,): the integral over any part of the contact is exact but for the edges, which
    are good to 0.1 microseconds.
    """

    t_s: FloatArray
    azimuth_rad: FloatArray
    elevation_rad: FloatArray
    edges_s: FloatArray
    rate_bit_s: FloatArray

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            object.__setattr__(self, name, frozen(values))


def find_links(
    contacts: Contacts, mission: Mission, orbits: Mapping[str, Ephemeris]
) -> tuple[Link, ...]:
    """The link of each contact (n), in their order."""
    found: dict[int, Link] = {}
    names = [station.name for station in mission.stations]
    for satellite in mission.satellites:
        rows = np.flatnonzero(contacts.satellite == satellite.name)
        if not len(rows):
            continue
        passes = Passes(
            ephemeris=orbits[satellite.name],
            sky=sky_over(mission.stations),
            which=np.array([names.index(name) for name in contacts.station[rows]], dtype=np.int64),
            start_s=contacts.start_s[rows],
            end_s=contacts.end_s[rows],
        )
        pieces = rate_pieces(passes, corners_of(passes), satellite, mission.stations)
        for i, row in enumerate(rows):
            found[int(row)] = _link(passes, pieces, i)
    return tuple(found[row] for row in range(len(contacts)))


def _link(passes: Passes, pieces: Pieces, i: int) -> Link:
    start_s, end_s = float(passes.start_s[i]), float(passes.end_s[i])
    count = max(2, math.ceil((end_s - start_s) / _DIRECTION_STEP_S) + 1)
    t_s = np.linspace(start_s, end_s, count)
    seen = passes.view(t_s, np.full(count, i))
    own = slice(*np.searchsorted(pieces.row, [i, i + 1]))
    rate_bit_s = pieces.rate_bit_s[own]
    changes = np.flatnonzero(np.diff(rate_bit_s)) + 1
    return Link(
        t_s=t_s,
        azimuth_rad=np.unwrap(seen.azimuth_rad),
        elevation_rad=seen.elevation_rad,
        edges_s=np.concatenate([[start_s], pieces.start_s[own][changes], [end_s]]),
        rate_bit_s=rate_bit_s[np.concatenate([[0], changes])],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Stretches (k,) of contacts `row` (k,) with one rate each, in their order and without gap."""

    row: IntArray
    start_s: FloatArray
    end_s: FloatArray
    rate_bit_s: FloatArray


def rate_pieces(
    passes: Passes, corners: Corners, satellite: Satellite, stations: Sequence[Station]
) -> Pieces:
    """The lower rate of satellite and station along every contact.

    Coding and modulation are switched in steps, so the rate is constant between the elevations of
    two steps; above the keyhole nothing is received.
    """
    elevation_rad, rate_bit_s = _rate_steps(satellite, stations)
    edges = [(corners.t_s, corners.row)]
    for step in range(elevation_rad.shape[1]):
        edges.append(_crossings(passes, corners, elevation_rad[passes.which, step]))
    t_s, row = (np.concatenate(column) for column in zip(*edges, strict=True))
    order = np.lexsort((t_s, row))
    t_s, row = t_s[order], row[order]
    real = (row[1:] == row[:-1]) & (t_s[1:] > t_s[:-1])
    start_s, end_s, row = t_s[:-1][real], t_s[1:][real], row[:-1][real]
    seen = passes.view(0.5 * (start_s + end_s), row).elevation_rad
    station = passes.which[row]
    step = np.sum(elevation_rad[station] <= seen[:, None], axis=1)
    rates = np.concatenate([np.zeros((len(stations), 1)), rate_bit_s], axis=1)
    return Pieces(row=row, start_s=start_s, end_s=end_s, rate_bit_s=rates[station, step])


def _rate_steps(satellite: Satellite, stations: Sequence[Station]) -> tuple[FloatArray, FloatArray]:
    """Elevations (m, k) from which the rates (m, k) of the stations hold; infinite where none."""
    tables = [_steps(satellite, station) for station in stations]
    width = max([1, *(len(table) for table in tables)])
    filled = [table + [(math.inf, 0.0)] * (width - len(table)) for table in tables]
    both = np.array(filled, dtype=np.float64).reshape(len(stations), width, 2)
    return both[..., 0], both[..., 1]


def _steps(satellite: Satellite, station: Station) -> list[tuple[float, float]]:
    received = math.inf if station.downlink_bit_s is None else station.downlink_bit_s
    highest = min(satellite.downlink_bit_s, received) if station.downlink else 0.0
    steps = [(s.elevation_rad, min(highest, s.rate_bit_s)) for s in station.rate_by_elevation]
    top = station.max_elevation_rad
    below = [step for step in steps or [(-math.pi, highest)] if step[0] < top]
    return below if top >= math.pi / 2 else [*below, (top, 0.0)]


def _crossings(
    passes: Passes, corners: Corners, level_rad: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Instants (k,) and contacts (k,) at which elevation crosses the `level_rad` (n,) of each."""
    row, t_s = corners.row, corners.t_s
    above = corners.elevation_rad >= level_rad[row]
    crossed = np.flatnonzero((row[1:] == row[:-1]) & (above[1:] != above[:-1]))
    here = row[crossed]
    crossing_s = bracketed_roots(
        lambda t: passes.view(t, here).elevation_rad - level_rad[here],
        t_s[crossed],
        t_s[crossed + 1],
        tolerance=_STEP_TOLERANCE_S,
    )
    return crossing_s, here
