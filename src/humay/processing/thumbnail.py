"""A small picture of a product for people: 8 bits, stretched between percentiles, JPEG."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from humay.arrays import BoolArray
from humay.processing.store import jpeg_bytes

WIDTH_PX = 512
STRETCH_PERCENT = (2.0, 98.0)
"""Of the valid pixels, of all bands together: what lies outside is black or white."""


def thumbnail_bytes(
    image: NDArray[Any],
    *,
    nodata: float | None,
    width_px: int = WIDTH_PX,
    stretch_percent: tuple[float, float] = STRETCH_PERCENT,
) -> bytes:
    """A JPEG of one band or of red, green and blue: (1 or 3, row, col).

    Pixels are averaged without their nodata down to at most `width_px`. One stretch serves all
    bands, so that grey stays grey; places without any value are black.
    """
    if image.ndim != 3 or image.shape[0] not in (1, 3) or image.size == 0:
        raise ValueError(f"image is {image.shape}, expected (1 or 3, rows, cols)")
    valid = np.ones(image.shape, bool) if nodata is None else image != nodata
    valid &= np.isfinite(image)
    values, valid = _averaged(image, valid.all(axis=0), -(-image.shape[2] // width_px))
    if not valid.any():
        return jpeg_bytes(np.zeros(values.shape, np.uint8))
    low, high = np.percentile(values[:, valid], stretch_percent)
    shown = (values - low) * (255.0 / max(high - low, np.finfo(np.float64).tiny))
    return jpeg_bytes(np.where(valid, np.clip(np.rint(shown), 0, 255), 0).astype(np.uint8))


def _averaged(
    image: NDArray[Any], valid: BoolArray, step: int
) -> tuple[NDArray[np.float64], BoolArray]:
    """Means over blocks of step x step pixels, and where there is at least one valid pixel."""
    rows, cols = valid.shape
    row, col = np.arange(0, rows, step), np.arange(0, cols, step)

    def sums(values: NDArray[Any]) -> NDArray[np.float64]:
        by_row = np.add.reduceat(values, row, axis=-2, dtype=np.float64)
        return np.asarray(np.add.reduceat(by_row, col, axis=-1))

    count = sums(valid)
    return sums(np.where(valid, image, 0)) / np.maximum(count, 1), count > 0
