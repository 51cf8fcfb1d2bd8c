"""Contacts of one satellite, looked at along their way: where functions of the view turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from humay.access.looks import EDGE_TOLERANCE_S
from humay.access.sky import Sky, View
from humay.arrays import FloatArray, IntArray
from humay.orbit import Ephemeris
from humay.roots import bracketed_roots

_PIECE_S = 60.0  # in a minute, elevation, range and range rate turn at most once

Rate: TypeAlias = Callable[[FloatArray, IntArray], FloatArray]
"""A rate of change at instants (k,) of contacts (k,)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Passes:
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
class Corners:
    """Instants (k,) between which elevation only rises or only falls, by contact and time."""

    t_s: FloatArray
    row: IntArray
    elevation_rad: FloatArray


def corners_of(passes: Passes) -> Corners:
    def rise(seen: View) -> FloatArray:  # of the sine of elevation: smooth in the zenith, too
        return seen.elevation_rate_rad_s * np.cos(seen.elevation_rad)

    turns = passes.turns(lambda t_s, row: rise(passes.view(t_s, row)), rise(passes.way_view))
    t_s, row = passes.with_ends(*turns)
    return Corners(t_s=t_s, row=row, elevation_rad=passes.view(t_s, row).elevation_rad)
