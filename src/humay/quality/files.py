"""Finished products as they lie on disk: their grid, and the pixels of small windows."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

from humay.arrays import BoolArray, FloatArray
from humay.errors import QualityError
from humay.quality.map_grid import MapGrid


@dataclass(frozen=True, kw_only=True, eq=False)
class ProductFile:
    """An open product. `bands` are the names it gives its bands; `flags` the raster of its flags,
    where a pixel other than 0 is saturated or otherwise not to be trusted."""

    name: str
    grid: MapGrid
    bands: tuple[str, ...]
    raster: Any  # rasterio has no types
    flags: Any = None

    def valid(self, step: int) -> BoolArray:
        """Where all bands hold data, of about every `step`-th pixel of every `step`-th row."""
        shape = tuple(-(-n // step) for n in self.grid.shape)
        masks = self.raster.read_masks(
            out_shape=(len(self.bands), *shape), resampling=Resampling.nearest
        )
        return np.asarray((masks > 0).all(axis=0))

    def chip(self, band: str, row: int, col: int, shape: tuple[int, int]) -> FloatArray:
        """Values (rows, cols) from a row and column on, NaN where there is none or a flag."""
        if band not in self.bands:
            raise QualityError(f"{self.name}: bands are {self.bands}, expected {band!r} among them")
        rows, cols = shape
        out = np.full(shape, np.nan)
        top, left = max(row, 0), max(col, 0)
        end, right = min(row + rows, self.grid.rows), min(col + cols, self.grid.cols)
        if top >= end or left >= right:
            return out
        index = self.bands.index(band) + 1
        window = Window(left, top, right - left, end - top)
        pixels = self.raster.read(index, window=window, masked=True).astype(np.float64)
        scale, offset = self.raster.scales[index - 1], self.raster.offsets[index - 1]
        values = (pixels * scale + offset).filled(np.nan)
        if self.flags is not None:
            values[self.flags.read(1, window=window) != 0] = np.nan
        out[top - row : end - row, left - col : right - col] = values
        return out


@contextlib.contextmanager
def open_product(path: Path, flags: Path | None = None) -> Iterator[ProductFile]:
    """A product to read from, with the raster of its flags.

    Raises `QualityError` where it is no raster on a map, north up, or its flags lie elsewhere.
    """
    with contextlib.ExitStack() as stack:
        raster = _opened(stack, path)
        grid = _grid(raster, path)
        beside = None if flags is None else _opened(stack, flags)
        if flags is not None and _grid(beside, flags) != grid:
            raise QualityError(f"{flags}: lies on {_grid(beside, flags)}, expected {grid}")
        names = enumerate(raster.descriptions, start=1)
        yield ProductFile(
            name=path.stem,
            grid=grid,
            bands=tuple(name or f"band {i}" for i, name in names),
            raster=raster,
            flags=beside,
        )


def _opened(stack: contextlib.ExitStack, path: Path) -> Any:
    try:
        return stack.enter_context(rasterio.open(path))
    except RasterioError as error:
        raise QualityError(f"{path}: could not be read ({error})") from error


def _grid(raster: Any, path: Path) -> MapGrid:
    a, b, west_m, d, e, north_m = tuple(raster.transform)[:6]
    epsg = raster.crs.to_epsg() if raster.crs else None
    if epsg is None or not raster.crs.is_projected or b or d or a != -e or not a > 0:
        raise QualityError(
            f"{path}: lies on {raster.crs} with transform {tuple(raster.transform)[:6]}, expected "
            "an EPSG map and square pixels, north up"
        )
    return MapGrid(
        epsg=epsg, pixel_m=a, east_m=west_m + 0.5 * a, north_m=north_m - 0.5 * a,
        rows=raster.height, cols=raster.width,
    )  # fmt: skip
