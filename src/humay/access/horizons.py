"""The horizons of many stations: lowest elevation in use by azimuth, and its extremes over arcs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.mission import Station

TURN = 2 * np.pi
_STRIDE = 4 * TURN  # from one station's ring to the next among the keys

Pick: TypeAlias = Callable[[FloatArray, FloatArray], FloatArray]
"""np.minimum or np.maximum."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Horizons:
    """The horizons of m stations as straight lines between vertices (k,), those of each station
    twice round, from `base_rad` (m,) on.

    Of a vertex: `key` places it among all, by station and angle from the base. `low` and `high`
    (l, k) are the extremes of the 2^l elevations from each vertex on.
    """

    base_rad: FloatArray
    key: FloatArray
    elevation_rad: FloatArray
    slope: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def lowest_rad(self) -> FloatArray:
        """Lowest elevation (m,) in use at any azimuth."""
        first = np.searchsorted(self.key, _STRIDE * np.arange(len(self.base_rad)))
        return np.asarray(np.minimum.reduceat(self.elevation_rad, first))

    def at(self, which: IntArray, azimuth_rad: FloatArray) -> FloatArray:
        """Lowest elevation (n,) in use at azimuths (n,)."""
        return self._on(*self._sector(which, np.mod(azimuth_rad - self.base_rad[which], TURN)))

    def over(
        self, which: IntArray, low_rad: FloatArray, high_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Least and largest elevation over arcs (n,) under a turn, and the slope of the horizon:
        NaN where it bends there."""
        turn = np.mod(low_rad - self.base_rad[which], TURN)
        first, key = self._sector(which, turn)
        last, end_key = self._sector(which, turn + (high_rad - low_rad))
        ends = self._on(first, key), self._on(last, end_key)
        least = self._extreme(np.minimum, self.low, first, last, np.minimum(*ends))
        largest = self._extreme(np.maximum, self.high, first, last, np.maximum(*ends))
        slope = np.where(first == last, self.slope[first], np.nan)
        return least, largest, np.where(least == largest, 0.0, slope)

    def _sector(self, which: IntArray, turn: FloatArray) -> tuple[IntArray, FloatArray]:
        """The vertex before a place on the ring, and the key of the place."""
        key = which * _STRIDE + turn
        return np.searchsorted(self.key, key, side="right") - 1, key

    def _on(self, vertex: IntArray, key: FloatArray) -> FloatArray:
        return np.asarray(
            self.elevation_rad[vertex] + self.slope[vertex] * (key - self.key[vertex])
        )

    def _extreme(
        self, pick: Pick, table: FloatArray, first: IntArray, last: IntArray, ends: FloatArray
    ) -> FloatArray:
        """The extreme of both ends and of the vertices after `first` up to `last`."""
        inside = last > first
        count = np.maximum(last - first, 1)
        level = np.floor(np.log2(count)).astype(np.int64)
        begin = np.minimum(first + 1, last)
        vertices = pick(table[level, begin], table[level, last + 1 - 2**level])
        return np.where(inside, pick(ends, vertices), ends)


def horizons_of(stations: Sequence[Station]) -> Horizons:
    """The horizons of stations: the higher one of mask and least elevation, everywhere."""
    keys, elevations, slopes = ([np.zeros(0)] for _ in range(3))
    for i, station in enumerate(stations):
        turn, elevation = _ring(station)
        twice = np.concatenate([turn, turn + TURN, [2 * TURN]])
        values = np.concatenate([elevation, elevation, elevation[:1]])
        keys.append(i * _STRIDE + twice[:-1])
        elevations.append(values[:-1])
        slopes.append(np.diff(values) / np.maximum(np.diff(twice), 1e-15))
    elevation = np.concatenate(elevations)
    return Horizons(
        base_rad=np.array([s.mask[0][0] if s.mask else 0.0 for s in stations]),
        key=np.concatenate(keys),
        elevation_rad=elevation,
        slope=np.concatenate(slopes),
        low=_runs(np.minimum, elevation),
        high=_runs(np.maximum, elevation),
    )


def _ring(station: Station) -> tuple[FloatArray, FloatArray]:
    """Vertices of the horizon in use: angle past the first one's azimuth, and elevation.

    Where a mask passes the least elevation the horizon has a vertex of its own.
    """
    least = station.min_elevation_rad
    if not station.mask:
        return np.zeros(1), np.array([least])
    azimuth, elevation = np.array([*station.mask, station.mask[0]]).T
    turn = np.append(azimuth[:-1] - azimuth[0], TURN)
    over = elevation - least
    passed = np.flatnonzero(over[:-1] * over[1:] < 0)
    share = over[passed] / (over[passed] - over[passed + 1])
    extra = turn[passed] + share * (turn[passed + 1] - turn[passed])
    vertices = np.concatenate([turn[:-1], extra])
    heights = np.concatenate([np.maximum(elevation[:-1], least), np.full(len(extra), least)])
    vertices, kept = np.unique(vertices, return_index=True)
    return vertices, heights[kept]


def _runs(pick: Pick, values: FloatArray) -> FloatArray:
    """Extremes (l, k) of the 2^l values from each on, as far as there are so many."""
    levels, step = [values], 1
    while 2 * step <= len(values):
        longer = levels[-1].copy()
        longer[:-step] = pick(longer[:-step], levels[-1][step:])
        levels.append(longer)
        step *= 2
    return np.stack(levels)
