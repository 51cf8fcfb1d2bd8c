"""`Lattice`: where an image sees each pixel of a grid, known exactly at nodes and cubic between.

A node holds the image position of its place at three heights: that of the surface there, and one
`reach_m` below and above. Between nodes everything is interpolated along both axes by the cubic
through four neighbours, and in height, counted from the interpolated height of the nodes, by the
parabola through the three. Nodes follow the surface because a satellite that shakes while it looks
ahead or back sees places of different height at different instants: far from the surface that is
not smooth in height at any distance between nodes.

The distance between nodes is halved, along each axis by itself, until the residual against the
exact model in the middle between neighbours is within the tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from humay.arrays import FloatArray
from humay.errors import ProcessingError
from humay.processing.dem import Dem, bilinear
from humay.processing.grid import OutputGrid, Window
from humay.sensor import SensorModel

FIELDS = 9  # DEM row and column, height of the node, row and column by powers of height
_COARSEST_PX = 128
_LEAST_STEPS = 8  # along each axis, so that even a small image is looked at in many places
_FINEST_PX = 2
_FINEST_AT_ENDS_PX = 8  # where the model has no answer close to its image
_STEEPNESS = 0.35  # reach in height over half the way between nodes: a slope of 35 degrees
_LEAST_REACH_M = 5.0
_SIDE_WEIGHT = 1.25  # sum of the sizes of the four weights in the middle between two nodes
_MARGIN_PX = 2.0  # of an image, inside which a residual counts


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """Nodes `spacing` (rows, cols) pixels apart over a `window` of a grid.

    `fields` (9, n, m): row and column on the DEM's posts; the height h0 of the node; then row and
    column in the image as powers 0, 1, 2 of (h - h0) / reach_m, each. Node [1, 1] lies on the first
    pixel of the window: a ring of nodes surrounds it. `bound_px` is the largest residual to expect.
    """

    window: Window
    spacing: tuple[int, int]
    reach_m: float
    fields: FloatArray
    bound_px: float

    def positions(
        self, row: FloatArray, col: FloatArray, posts_m: NDArray[np.float32]
    ) -> tuple[FloatArray, FloatArray]:
        """Image rows and columns of grid positions (...) inside the window; NaN without a height.

        What the compiled kernel does for whole pixels, in NumPy for any position.
        """
        values = self._between_nodes(row, col)
        height = bilinear(posts_m, values[0], values[1])
        eta = (height - values[2]) / self.reach_m
        return (
            values[3] + eta * (values[4] + eta * values[5]),
            values[6] + eta * (values[7] + eta * values[8]),
        )

    def _between_nodes(self, row: FloatArray, col: FloatArray) -> FloatArray:
        """All fields (9, ...) at grid positions."""
        i, s = np.divmod((row - self.window.row) / self.spacing[0], 1.0)
        j, t = np.divmod((col - self.window.col) / self.spacing[1], 1.0)
        i, j = i.astype(np.int64), j.astype(np.int64)
        down, across = cubic_weights(s), cubic_weights(t)
        return np.asarray(
            sum(
                down[a] * across[b] * self.fields[:, i + a, j + b]
                for a in range(4)
                for b in range(4)
            )
        )


def cubic_weights(share: FloatArray) -> FloatArray:
    """Weights (4, ...) of the nodes at -1, 0, 1, 2 for the cubic through them, at 0 to 1."""
    t = np.asarray(share, dtype=np.float64)
    return np.stack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ]
    )


def fit_lattice(
    model: SensorModel,
    shape: tuple[int, int],
    grid: OutputGrid,
    window: Window,
    dem: Dem,
    *,
    tolerance_px: float,
) -> Lattice:
    """The lattice of the fewest halvings that keeps `tolerance_px` inside an image of `shape`.

    Raises `ProcessingError` where nodes at every second pixel do not, and where the model has no
    answer for nodes just outside of the image.
    """
    spacing = _first_step(window.shape[0]), _first_step(window.shape[1])
    while True:
        lattice = _nodes(model, grid, window, dem, spacing)
        down, across = (_residual(lattice, axis, model, shape, grid, dem) for axis in (0, 1))
        bound = max(down + _SIDE_WEIGHT * across, _SIDE_WEIGHT * down + across)
        if bound <= tolerance_px:
            return replace(lattice, bound_px=bound)
        finer = tuple(
            _halved(step, residual, tolerance_px)
            for step, residual in zip(spacing, (down, across), strict=True)
        )
        if math.isinf(bound) and max(spacing) <= _FINEST_AT_ENDS_PX:
            raise ProcessingError(
                f"the sensor model ends within {2 * spacing[0]} pixels of the edge of its image, "
                "expected it to go on"
            )
        if finer == spacing:
            raise ProcessingError(
                f"the sensor model is not smooth: {bound:.3g} px off between nodes "
                f"{spacing[0]} x {spacing[1]} px apart, expected {tolerance_px:g} at most"
            )
        spacing = (finer[0], finer[1])


def _first_step(count: int) -> int:
    step = _COARSEST_PX
    while step > _FINEST_PX and step * _LEAST_STEPS > count:
        step //= 2
    return step


def _halved(step: int, residual: float, tolerance_px: float) -> int:
    """A step that promises a third of the tolerance: a residual falls with its fourth power."""
    if math.isinf(residual):  # nodes reach beyond the end of the model: closer ones may not
        return max(step // 2, _FINEST_PX)
    goal = tolerance_px / 3
    while residual > goal and step > _FINEST_PX:
        step, residual = step // 2, residual / 16
    return step


def _nodes(
    model: SensorModel, grid: OutputGrid, window: Window, dem: Dem, spacing: tuple[int, int]
) -> Lattice:
    """A lattice that nothing was measured of yet."""
    row, col = (
        first + step * np.arange(-1.0, -(-count // step) + 2.0)
        for first, step, count in zip((window.row, window.col), spacing, window.shape, strict=True)
    )
    lon, lat = grid.places(row[:, None], col[None, :])
    height = dem.held_m(lon, lat)
    reach_m = max(_LEAST_REACH_M, _STEEPNESS * max(spacing) * grid.pixel_m)
    low, mid, high = (
        np.stack(model.project(lon, lat, height + side * reach_m)) for side in (-1, 0, 1)
    )
    powers = np.stack([mid, 0.5 * (high - low), 0.5 * (high + low) - mid], axis=1)
    posts = np.stack(dem.posts_at(lon, lat))
    return Lattice(
        window=window,
        spacing=spacing,
        reach_m=reach_m,
        fields=np.concatenate([posts, height[None], powers.reshape(6, *height.shape)]),
        bound_px=np.inf,
    )


def _residual(
    lattice: Lattice,
    axis: int,
    model: SensorModel,
    shape: tuple[int, int],
    grid: OutputGrid,
    dem: Dem,
) -> float:
    """Largest distance (px) from the exact model in the middle between neighbours along an axis.

    Only places that the image sees count; one of them without an answer counts as infinitely far.
    """
    row, col = (
        first + step * (np.arange(-(-count // step)) + 0.5 * (axis == i))
        for i, (first, step, count) in enumerate(
            zip((lattice.window.row, lattice.window.col), lattice.spacing, lattice.window.shape,
                strict=True)
        )
    )  # fmt: skip
    row, col = (part.ravel() for part in np.meshgrid(row, col, indexing="ij"))
    exact_row, exact_col = exact_positions(model, grid, dem, row, col)
    seen = (
        (exact_row > -_MARGIN_PX) & (exact_row < shape[0] - 1 + _MARGIN_PX)
        & (exact_col > -_MARGIN_PX) & (exact_col < shape[1] - 1 + _MARGIN_PX)
    )  # fmt: skip
    if not seen.any():
        return 0.0
    found_row, found_col = lattice.positions(row[seen], col[seen], dem.posts_m)
    off = np.hypot(found_row - exact_row[seen], found_col - exact_col[seen])
    return float(np.max(np.where(np.isnan(off), np.inf, off)))


def exact_positions(
    model: SensorModel, grid: OutputGrid, dem: Dem, row: FloatArray, col: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Image rows and columns of grid positions, point by point: the slow path and the truth."""
    lon, lat = grid.places(row, col)
    return model.project(lon, lat, dem.ellipsoidal_m(lon, lat))
