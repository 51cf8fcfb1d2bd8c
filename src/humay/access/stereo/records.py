"""What the search for stereo gives, in columns: a row is a pair of windows, or three of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.time import Epoch

FIRST, MIDDLE, LAST = 0, 1, 2
PAIRS = ((FIRST, LAST), (FIRST, MIDDLE), (MIDDLE, LAST))


@dataclass(frozen=True, kw_only=True, eq=False)
class Slices:
    """Regions of n rows: while one look is at `at_s` (m,), the other is from `low_s` to `high_s`.

    `begin` (n + 1,) says where the slices of each row begin. An instant with several spans has as
    many slices. Instants of a region are at most a second apart; what holds between them is known
    to a second or two, at its corners and tips no better.
    """

    begin: IntArray
    at_s: FloatArray
    low_s: FloatArray
    high_s: FloatArray

    def of(self, row: int) -> FloatArray:
        """The slices (k, 3) of one row: instant, begin, end."""
        part = slice(self.begin[row], self.begin[row + 1])
        return np.stack([self.at_s[part], self.low_s[part], self.high_s[part]], axis=-1)


@dataclass(frozen=True, kw_only=True, eq=False)
class StereoSets:
    """Opportunities that can be combined (n,), SI units, times as in their windows.

    Looks stand in a last axis of three, in order of time: first, middle and last; a pair has no
    middle (None, NaN). What belongs to two looks has a last axis of three as well: first and last,
    first and middle, middle and last.

    `lon_rad` and `lat_rad` are those of the place, of a strip of its middle.

    `region` holds for instants of the first look the spans of the last; of three looks, those for
    which a middle one exists. It lies within both `before`, for the first look the spans of the
    middle one, and `after`, for the last look those of the middle one. `area_s2` is the area of
    `region`. `at_s` is the best place in it, where `slack` is largest: how far inside their limits
    the looks are, 1 in the middle of each range and 0 at the edge of one; angles are those there.
    """

    epoch: Epoch
    span_s: tuple[float, float]
    stereo_id: Any  # (n,) str
    request: Any
    strip: Any
    opportunity: Any  # (n, 3) str or None
    satellite: Any
    lon_rad: FloatArray
    lat_rad: FloatArray
    same_pass: BoolArray
    area_s2: FloatArray
    slack: FloatArray
    at_s: FloatArray
    incidence_rad: FloatArray
    azimuth_rad: FloatArray
    pitch_rad: FloatArray
    convergence_rad: FloatArray
    base_to_height: FloatArray
    parallax_ratio: FloatArray
    bisector_elevation_rad: FloatArray
    asymmetry_rad: FloatArray
    overlap: FloatArray
    sun_change_rad: FloatArray
    region: Slices
    before: Slices
    after: Slices

    def __len__(self) -> int:
        return len(self.area_s2)

    def looks(self, row: int) -> int:
        """How many looks a row has: two or three."""
        return 2 if self.opportunity[row, MIDDLE] is None else 3
