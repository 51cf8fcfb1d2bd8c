"""How well a finished product lies: its own pixels against the scene, or against another product.

Nothing here knows a camera, an orbit or a DEM: the scene is drawn at the longitude and latitude
that the product's map grid gives to its pixels, and both pictures are laid over each other. What
all of a product is off by is looked for first, in whole pixels; chips are matched from there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.imaging import Scene, SpectralBand
from humay.quality.files import ProductFile, open_product
from humay.quality.matching import Match, Refusal, best_shift, likeness
from humay.quality.points import NEAR_EDGE, choose, near_edge, places, textures
from humay.quality.records import LocationResult, Place, Point, Rejected
from humay.quality.references import WIDEST_PX, Corner, DrawnScene, OtherProduct

POINTS = 36
CHIP_PX = 40
COARSE_PX = 32
"""How far off a whole product may be, for its points to be found."""

_COARSE_POINTS = 9
_MASK_STEP = 4


class _Reference(Protocol):
    """What the chips of a product are held against."""

    @property
    def chip_px(self) -> int:
        """Rows and columns of a chip."""

    def shown(self, corner: Corner, size_px: int) -> FloatArray:
        """A square that begins at a row and column of the product, in its pixels."""

    def matched(self, corner: Corner, away: Corner) -> Match | Refusal:
        """The shift of a chip that is off by about `away`."""


def measure_location(
    product: Path,
    scene: Scene,
    *,
    bands: Sequence[SpectralBand],
    sun_itrf: FloatArray,
    native_m: float,
    flags: Path | None = None,
    points: int = POINTS,
    sharpened_by: int = 1,
) -> LocationResult:
    """Match a product with the scene it shows, at `points` places of each of the bands.

    `sun_itrf` is the unit vector to the Sun when the picture was taken, `native_m` the sensor's own
    pixel on the ground, `flags` a raster that is 0 where pixels are good. Bands go by the names the
    product gives them. A pixel of the colours that were sharpened is `sharpened_by` wide: chips are
    as much larger, and may be as much more blurred.
    """
    with open_product(product, flags) as file:
        valid = file.valid(_MASK_STEP)
        found: list[Point | Rejected] = []
        for band in bands:
            reference = DrawnScene(
                file=file,
                scene=scene,
                band=band,
                sun_itrf=sun_itrf,
                chip_px=CHIP_PX * sharpened_by,
                widest_px=WIDEST_PX * sharpened_by,
            )
            found += _measured(file, valid, band.name, points, reference)
        return _result(file.name, "scene", native_m, [band.name for band in bands], found)


def compare_products(
    product: Path,
    other: Path,
    *,
    bands: Sequence[str],
    native_m: float,
    points: int = POINTS,
) -> LocationResult:
    """How a product lies against another of the same place, where they overlap.

    The errors are those of `product` if `other` has none. Each is matched with the other, and half
    the difference taken, so that the answer only turns its sign when they change places.
    """
    with open_product(product) as one, open_product(other) as two:
        found: list[Point | Rejected] = []
        for band in bands:
            reference = OtherProduct(file=one, other=two, band=band, chip_px=CHIP_PX)
            valid = one.valid(_MASK_STEP) & reference.valid(_MASK_STEP)
            found += _measured(one, valid, band, points, reference, reference.margin_px)
        return _result(one.name, two.name, native_m, bands, found)


def _measured(
    file: ProductFile,
    valid: BoolArray,
    band: str,
    points: int,
    reference: _Reference,
    room_px: int = 0,
) -> Iterator[Point | Rejected]:
    """One point of each part of a product, its chip `room_px` away from what is not valid."""
    size = reference.chip_px
    reach = round(NEAR_EDGE * np.sqrt(valid.sum()) + (0.5 * size + room_px) / _MASK_STEP)
    free = places(valid, step=_MASK_STEP, size_px=size + 2 * room_px) + room_px
    corners = choose(free, _textures(file, band, free, size), points)
    away = _off_by(file, band, corners[:: max(len(corners) // _COARSE_POINTS, 1)], reference)
    for corner in corners:
        row, col = (first + 0.5 * (size - 1) for first in corner)
        east_m, north_m = file.grid.east_north(np.asarray(row), np.asarray(col))
        place = Place(
            band=band,
            east_m=float(east_m),
            north_m=float(north_m),
            near_edge=near_edge(valid, row / _MASK_STEP, col / _MASK_STEP, reach),
        )
        yield _point(place, reference.matched(corner, away), file.grid.pixel_m)


def _textures(file: ProductFile, band: str, corners: IntArray, size: int) -> FloatArray:
    """Of chips (n,) with their first pixels at `corners` (n, 2), in order of rows."""
    found = [np.empty(0)]
    for row in np.unique(corners[:, 0]):
        cols = corners[corners[:, 0] == row, 1]
        strip = file.chip(band, int(row), int(cols[0]), (size, int(cols[-1] - cols[0]) + size))
        found.append(textures(strip, cols - cols[0]))
    return np.concatenate(found)


def _off_by(
    file: ProductFile, band: str, corners: Sequence[Corner], reference: _Reference
) -> Corner:
    """Whole rows and columns that all of a product is off by: where most of some chips agree."""
    alike = np.zeros((2 * COARSE_PX + 1,) * 2)
    inset = (reference.chip_px - CHIP_PX) // 2  # the middle of a large chip is enough
    for row, col in corners:
        chip = file.chip(band, row + inset, col + inset, (CHIP_PX, CHIP_PX))
        first = row + inset - COARSE_PX, col + inset - COARSE_PX
        wide = reference.shown(first, CHIP_PX + 2 * COARSE_PX)
        if np.isfinite(chip).all() and np.isfinite(wide).all():
            alike += likeness(chip, wide)
    down, across = best_shift(alike) if alike.any() else (0, 0)
    return int(down), int(across)


def _point(place: Place, found: Match | Refusal, pixel_m: float) -> Point | Rejected:
    if isinstance(found, Refusal):
        return Rejected(place=place, reason=found.reason)
    down, across = found.shift_px
    return Point(
        place=place,
        error_m=(across * pixel_m, -down * pixel_m),
        sigma_m=(found.sigma_px[1] * pixel_m, found.sigma_px[0] * pixel_m),
        correlation=found.correlation,
    )


def _result(
    product: str,
    reference: str,
    native_m: float,
    bands: Sequence[str],
    found: Sequence[Point | Rejected],
) -> LocationResult:
    return LocationResult(
        product=product,
        reference=reference,
        native_m=native_m,
        bands=tuple(bands),
        points=tuple(each for each in found if isinstance(each, Point)),
        rejected=tuple(each for each in found if isinstance(each, Rejected)),
    )
