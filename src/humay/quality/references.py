"""What the chips of a product are held against: the scene drawn anew, or another product."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from humay.arrays import BoolArray, FloatArray
from humay.errors import QualityError
from humay.imaging import Scene, SpectralBand
from humay.quality.files import ProductFile
from humay.quality.matching import Match, Refusal, margin_px, match
from humay.quality.rendering import OVERSAMPLING, boxes, draw

WIDEST_PX = 1.4  # blur of a product in its own pixels
_MATCHED = 2  # samples to a pixel; four drawn ones make one: no blur is sharper
Corner: TypeAlias = tuple[int, int]
"""Row and column of a chip's first pixel; or how many of both something is off by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnScene:
    """The scene, drawn where the product's grid says that its pixels lie.

    `widest_px` is how blurred a chip may be at most.
    """

    file: ProductFile
    scene: Scene
    band: SpectralBand
    sun_itrf: FloatArray
    chip_px: int
    widest_px: float

    def shown(self, corner: Corner, size_px: int) -> FloatArray:
        return self._drawn(corner, size_px, oversampling=1)

    def matched(self, corner: Corner, away: Corner) -> Match | Refusal:
        chip = self.file.chip(self.band.name, *corner, (self.chip_px, self.chip_px))
        margin = margin_px(self.widest_px)
        first = corner[0] - away[0] - margin, corner[1] - away[1] - margin
        picture = self._drawn(first, self.chip_px + 2 * margin, oversampling=OVERSAMPLING)
        picture = boxes(picture, OVERSAMPLING // _MATCHED)
        return _moved(match(chip, picture, oversampling=_MATCHED), away)

    def _drawn(self, corner: Corner, size_px: int, *, oversampling: int) -> FloatArray:
        return draw(
            self.scene,
            self.file.grid,
            corner,
            (size_px, size_px),
            band=self.band,
            sun_itrf=self.sun_itrf,
            oversampling=oversampling,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class OtherProduct:
    """Another product on the same grid, its corner elsewhere."""

    file: ProductFile
    other: ProductFile
    band: str
    chip_px: int

    def shown(self, corner: Corner, size_px: int) -> FloatArray:
        return self.other.chip(self.band, *self._theirs(corner), (size_px, size_px))

    def matched(self, corner: Corner, away: Corner) -> Match | Refusal:
        """Half the difference of both ways, so that neither product is the better one."""
        theirs = self._theirs((corner[0] - away[0], corner[1] - away[1]))
        places = (self.file, corner), (self.other, theirs)
        chips = [self._around(file, at, 0) for file, at in places]
        wide = [self._around(file, at, self.margin_px) for file, at in places]
        return _moved(_both_ways(match(chips[0], wide[1]), match(chips[1], wide[0])), away)

    @property
    def margin_px(self) -> int:
        """What has to be valid around a chip."""
        return margin_px(WIDEST_PX)

    def valid(self, step: int) -> BoolArray:
        """Where the other product holds data, on every `step`-th pixel of the first."""
        theirs = self.other.valid(step)
        down, across = self._apart
        rows, cols = (-(-n // step) for n in self.file.grid.shape)
        row, col = (
            (np.arange(rows) * step + down) // step,
            (np.arange(cols) * step + across) // step,
        )
        inside = np.logical_and.outer(
            (row >= 0) & (row < theirs.shape[0]), (col >= 0) & (col < theirs.shape[1])
        )
        last = theirs.shape[0] - 1, theirs.shape[1] - 1
        near = np.ix_(np.clip(row, 0, last[0]), np.clip(col, 0, last[1]))
        return np.asarray(inside & theirs[near])

    def _around(self, file: ProductFile, corner: Corner, room_px: int) -> FloatArray:
        size = self.chip_px + 2 * room_px
        return file.chip(self.band, corner[0] - room_px, corner[1] - room_px, (size, size))

    def _theirs(self, corner: Corner) -> Corner:
        return corner[0] + self._apart[0], corner[1] + self._apart[1]

    @cached_property
    def _apart(self) -> Corner:
        """Rows and columns from a pixel of the product to the same place in the other."""
        a, b = self.file.grid, self.other.grid
        apart = np.array(b.row_col(*a.east_north(np.asarray(0.0), np.asarray(0.0))))
        whole = np.rint(apart)
        if a.epsg != b.epsg or a.pixel_m != b.pixel_m or np.abs(apart - whole).max() > 1e-3:
            raise QualityError(
                f"{self.file.name} lies on {a}, {self.other.name} on {b}, expected one grid"
            )
        return int(whole[0]), int(whole[1])


def _moved(found: Match | Refusal, away: Corner) -> Match | Refusal:
    """A match with a picture that was taken `away` from its place."""
    if isinstance(found, Refusal):
        return found
    down, across = found.shift_px
    return replace(found, shift_px=(down + away[0], across + away[1]))


def _both_ways(there: Match | Refusal, back: Match | Refusal) -> Match | Refusal:
    """Half the difference of a match and that with the pictures exchanged."""
    if isinstance(there, Refusal):
        return there
    if isinstance(back, Refusal):
        return back
    shift = 0.5 * (np.array(there.shift_px) - back.shift_px)
    sigma = 0.5 * (np.array(there.sigma_px) + back.sigma_px)
    return replace(
        there,
        shift_px=(float(shift[0]), float(shift[1])),
        sigma_px=(float(sigma[0]), float(sigma[1])),
        correlation=min(there.correlation, back.correlation),
    )
