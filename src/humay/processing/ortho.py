"""Orthorectification: an image laid over the surface and read out on a map grid.

`plan_ortho` finds the lattice of each source once; `OrthoPlan.blocks` then streams the result in
row blocks, so that memory does not grow with the product. `docs/design/ortho.md` tells why.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from humay.arrays import FloatArray
from humay.processing.dem import Dem
from humay.processing.grid import OutputGrid, Window, check_cover, window_of
from humay.processing.lattice import Lattice, fit_lattice
from humay.processing.resample import sample_cubic, sample_wide, tile_positions
from humay.sensor import SensorModel

Image: TypeAlias = NDArray[np.float32]
Flags: TypeAlias = NDArray[np.uint8]

TILE_PX = 256  # a side of the work units
_WIDEN_FROM = 1.5  # source pixels in one of the product, from where the kernel is widened
_NO_FLAGS: Flags = np.zeros((0, 0), dtype=np.uint8)


class Pixels(Protocol):
    """An image that can be read by parts, from several threads."""

    @property
    def shape(self) -> tuple[int, int]: ...

    def part(self, rows: slice, cols: slice) -> tuple[Image, Flags | None]:
        """Values (NaN where there are none) and quality bits, None where all are 0."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayPixels:
    """Pixels that are all in memory."""

    values: Image
    flags: Flags | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32 or min(self.shape) < 4:
            raise ValueError(
                f"pixels are {self.values.shape} of {self.values.dtype}, expected float32, two "
                "dimensions of 4 at least"
            )
        if self.flags is not None and (
            self.flags.shape != self.shape or self.flags.dtype != np.uint8
        ):
            raise ValueError(f"flags are {self.flags.shape}, expected uint8 {self.shape}")

    @property
    def shape(self) -> tuple[int, int]:
        rows, cols = self.values.shape
        return rows, cols

    def part(self, rows: slice, cols: slice) -> tuple[Image, Flags | None]:
        flags = None if self.flags is None else self.flags[rows, cols]
        return self.values[rows, cols], flags


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Pixels and the model of where they looked.

    Where several see a place, each answers for its `own_columns` (first, end): the seam lies half
    a pixel before the first. None means all columns.
    """

    model: SensorModel
    pixels: Pixels
    own_columns: tuple[int, int] | None = None

    @property
    def own(self) -> tuple[float, float]:
        first, end = self.own_columns or (0, self.pixels.shape[1])
        return first - 0.5, end - 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Rows of a product from `row` on: float32 values, NaN where nothing was seen, and flags."""

    row: int
    values: Image
    flags: Flags


@dataclass(frozen=True, kw_only=True, eq=False)
class Ortho:
    """A whole product in memory. `bound_px` is how far, in pixels of the image, it may be off."""

    grid: OutputGrid
    values: Image
    flags: Flags
    bound_px: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Placed:
    """A source with its lattice, and pixels of it in one of the product along rows and columns."""

    source: Source
    lattice: Lattice
    scale: tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class OrthoPlan:
    """All that is computed once; `blocks` may be asked again and again."""

    grid: OutputGrid
    dem: Dem
    placed: tuple[_Placed, ...]

    @property
    def bound_px(self) -> float:
        """How far, in pixels of the image, a place may be from where the model says."""
        return max((each.lattice.bound_px for each in self.placed), default=0.0)

    def blocks(self, *, threads: int = 1, block_rows: int = TILE_PX) -> Iterator[Block]:
        """Rows from top to bottom; the same bytes for any number of threads and any block.

        About twice as many tiles are under way as there are threads.
        """
        tiles = (
            Window(
                row=row, col=col,
                end_row=min(row + block_rows, self.grid.rows),
                end_col=min(col + TILE_PX, self.grid.cols),
            )
            for row in range(0, self.grid.rows, block_rows)
            for col in range(0, self.grid.cols, TILE_PX)
        )  # fmt: skip
        across = -(-self.grid.cols // TILE_PX)
        with ThreadPoolExecutor(max_workers=threads) as pool:
            done = _in_order(pool, self, tiles, ahead=max(2 * threads, across))
            for row in range(0, self.grid.rows, block_rows):
                parts = list(islice(done, across))
                yield Block(
                    row=row,
                    values=np.concatenate([values for values, _ in parts], axis=1),
                    flags=np.concatenate([flags for _, flags in parts], axis=1),
                )

    def tile(self, tile: Window) -> tuple[Image, Flags]:
        """What all sources together see of a part of the grid."""
        value = np.full(tile.shape, np.nan, dtype=np.float32)
        flag = np.zeros(tile.shape, dtype=np.uint8)
        depth = np.full(tile.shape, -np.inf)
        for each in self.placed:
            _add(each, self.dem, tile, value, flag, depth)
        return value, flag


def plan_ortho(
    sources: Sequence[Source], grid: OutputGrid, dem: Dem, *, tolerance_px: float = 0.01
) -> OrthoPlan:
    """Lattices for all sources; see `fit_lattice` for the tolerance.

    Raises `ProcessingError` where the DEM does not cover what a source sees.
    """
    placed = []
    for source in sources:
        check_cover(source.model, source.pixels.shape, dem)
        window = window_of(source.model, source.pixels.shape, dem, grid)
        if min(window.shape) == 0:
            continue
        lattice = fit_lattice(
            source.model, source.pixels.shape, grid, window, dem, tolerance_px=tolerance_px
        )
        placed.append(_Placed(source=source, lattice=lattice, scale=_scale(lattice)))
    return OrthoPlan(grid=grid, dem=dem, placed=tuple(placed))


def ortho_band(
    sources: Sequence[Source],
    grid: OutputGrid,
    dem: Dem,
    *,
    tolerance_px: float = 0.01,
    threads: int | None = None,
) -> Ortho:
    """The whole product at once, for what fits into memory."""
    plan = plan_ortho(sources, grid, dem, tolerance_px=tolerance_px)
    values, flags = np.empty(grid.shape, np.float32), np.empty(grid.shape, np.uint8)
    for block in plan.blocks(threads=threads or os.cpu_count() or 1):
        rows = slice(block.row, block.row + len(block.values))
        values[rows], flags[rows] = block.values, block.flags
    return Ortho(grid=grid, values=values, flags=flags, bound_px=plan.bound_px)


def _in_order(
    pool: ThreadPoolExecutor, plan: OrthoPlan, tiles: Iterator[Window], *, ahead: int
) -> Iterator[tuple[Image, Flags]]:
    """Results of tiles as they come in order, no more than `ahead` of them waiting."""
    waiting = [pool.submit(plan.tile, tile) for tile in islice(tiles, ahead)]
    while waiting:
        result = waiting.pop(0).result()
        waiting += [pool.submit(plan.tile, tile) for tile in islice(tiles, 1)]
        yield result


def _scale(lattice: Lattice) -> tuple[float, float]:
    """Image pixels (rows, cols) in one of the grid, at least 1: more only where it matters."""
    steps = np.array(lattice.spacing, dtype=np.float64)
    scale = [
        np.hypot(
            np.nanmedian(np.diff(lattice.fields[field], axis=0)) / steps[0],
            np.nanmedian(np.diff(lattice.fields[field], axis=1)) / steps[1],
        )
        for field in (3, 6)
    ]
    if max(scale) <= _WIDEN_FROM:
        return 1.0, 1.0
    return max(float(scale[0]), 1.0), max(float(scale[1]), 1.0)


def _add(
    each: _Placed, dem: Dem, tile: Window, value: Image, flag: Flags, depth: FloatArray
) -> None:
    """What one source sees of a tile."""
    part = _common(tile, each.lattice.window)
    if min(part.shape) == 0:
        return
    row, col = np.empty(part.shape), np.empty(part.shape)
    lattice, window = each.lattice, each.lattice.window
    first = part.row - window.row, part.col - window.col
    tile_positions(lattice.fields, lattice.spacing, lattice.reach_m, dem.posts_m, first, row, col)
    image, flags, start = _needed(each, row, col)
    if image.size == 0:
        return
    here = (
        slice(part.row - tile.row, part.end_row - tile.row),
        slice(part.col - tile.col, part.end_col - tile.col),
    )
    into = value[here], flag[here], depth[here]
    if each.scale == (1.0, 1.0):
        sample_cubic(image, flags, start, each.source.own, row, col, *into)
    else:
        sample_wide(image, flags, start, each.source.own, each.scale, row, col, *into)


def _common(a: Window, b: Window) -> Window:
    return Window(
        row=max(a.row, b.row), col=max(a.col, b.col),
        end_row=min(a.end_row, b.end_row), end_col=min(a.end_col, b.end_col),
    )  # fmt: skip


def _needed(
    each: _Placed, row: FloatArray, col: FloatArray
) -> tuple[Image, Flags, tuple[int, int]]:
    """The part of the source that the kernels at these positions reach, and its first pixel."""
    ranges = []
    for position, scale, count in zip(
        (row, col), each.scale, each.source.pixels.shape, strict=True
    ):
        seen = position[(position >= 0) & (position <= count - 1)]
        if seen.size == 0:
            return np.empty((0, 0), np.float32), _NO_FLAGS, (0, 0)
        reach = int(2 * scale) + 2
        begin, end = int(seen.min()) - reach, int(seen.max()) + reach + 1
        ranges.append(slice(max(begin, 0), min(end, count)))
    rows, cols = ranges
    image, flags = each.source.pixels.part(rows, cols)
    flagged = flags is not None and bool(flags.any())
    return (
        np.ascontiguousarray(image),
        np.ascontiguousarray(flags) if flags is not None and flagged else _NO_FLAGS,
        (rows.start, cols.start),
    )
