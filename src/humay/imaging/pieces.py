"""Which lines and columns of which chips see the ground of a window."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray
from humay.errors import ImagingError
from humay.imaging.chips import GUESS_M, Block, ChipView, chip_views
from humay.imaging.layout import LEAST_CHIP_PIXELS, Window, axis_model, band_columns
from humay.imaging.rays import rays_of
from humay.imaging.scene import Scene
from humay.mission import Band, Camera, Satellite
from humay.spacecraft import Acquisition

_EDGE_PX = 1e-3  # of a line that may stay unseen at the ends of a window


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """What one chip records of a window: lines and columns (first, end) of the chip."""

    view: ChipView
    lines: tuple[int, int]
    columns: tuple[int, int]

    def __post_init__(self) -> None:
        if min(self.shape) < LEAST_CHIP_PIXELS:
            raise ImagingError(
                f"window: leaves {self.shape[0]} lines of {self.shape[1]} columns to band "
                f"{self.view.band.name!r} chip {self.view.span.index}, expected at least "
                f"{LEAST_CHIP_PIXELS} of both or none"
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.lines[1] - self.lines[0], self.columns[1] - self.columns[0]

    @property
    def own_columns(self) -> tuple[int, int]:
        """The chip's own among them, counted from the first."""
        span, first = self.view.span, self.view.span.first + self.columns[0]
        return max(0, span.own_first - first), min(self.shape[1], span.own_end - first)

    def place(self, block: Block) -> tuple[slice, slice]:
        """Where a block stands in the piece's array."""
        rows, cols = (
            slice(first - origin, end - origin)
            for (first, end), origin in zip(
                (block.lines, block.columns), (self.lines[0], self.columns[0]), strict=True
            )
        )
        return rows, cols


def find_pieces(
    acquisition: Acquisition, satellite: Satellite, scene: Scene, window: Window, *, seed: int
) -> tuple[Piece, ...]:
    """What each chip of the camera records, those left out that see nothing with columns of theirs.

    Lines are the whole ones that hold the ground of the window's first and last line, at the
    height of the scene there. Raises `ImagingError` where a band sees too little of it.
    """
    camera = satellite.camera
    ground = WindowGround(acquisition=acquisition, camera=camera, scene=scene, window=window)
    pieces = []
    for view in chip_views(acquisition, satellite, scene, seed=seed):
        span = view.span
        first, end = band_columns(camera, view.band, window)
        if first < span.own_end and span.own_first < end:
            columns = max(first, span.first), min(end, span.end)
            pieces.append(
                Piece(
                    view=view,
                    lines=ground.lines_of(view, columns),
                    columns=(columns[0] - span.first, columns[1] - span.first),
                )
            )
    return tuple(pieces)


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowGround:
    """The ground under the edges of a window."""

    acquisition: Acquisition
    camera: Camera
    scene: Scene
    window: Window

    def lines_of(self, view: ChipView, columns: tuple[int, int]) -> tuple[int, int]:
        """Lines (first, end) of a chip that see the window between columns of the band's row."""
        edges = self.window.first_line - 0.5, self.window.end_line - 0.5
        pan = _pan_columns(self.camera, view.band, np.linspace(columns[0], columns[1] - 1, 3))
        axis = axis_model(self.acquisition, self.camera)
        chart = view.lattice.chart
        rays = rays_of(axis, np.array(edges)[:, None], pan, chart, GUESS_M)
        height = rays.met(self.scene.height_m)
        row, _ = view.model.project(*chart.place(*rays.at(height)), height)
        # What no instant of the way flown sees lies beyond the ends of the strip.
        first = float(np.min(np.where(np.isnan(row[0]), -math.inf, row[0])))
        last = float(np.max(np.where(np.isnan(row[1]), math.inf, row[1])))
        first = min(max(first + 0.5 + _EDGE_PX, 0.0), float(view.lines))
        end = min(max(last + 0.5 - _EDGE_PX, first), float(view.lines))
        return math.floor(first), math.ceil(end)


def _pan_columns(camera: Camera, band: Band, columns: FloatArray) -> FloatArray:
    """Columns of the PAN row at the same field angles as those of a band's row."""
    middle = 0.5 * (camera.pan.pixels - 1)
    return np.asarray(middle + (columns - 0.5 * (band.pixels - 1)) * camera.line_ratio(band))
