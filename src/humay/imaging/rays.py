"""Where lines of sight meet the ground: exactly at nodes, bilinear in between.

Nodes lie on a lattice of the strip's lines and the chip's columns, so that a place is the same
whatever window it is seen in. At each row of nodes `Pushbroom.locate` is asked at 12 Chebyshev
points across the chip and three heights; a polynomial of degree 11 across and a parabola in height
between them are within 0.2 mm of it. The height where a ray meets the relief follows by the
secant method. Between nodes coordinates are interpolated on a `Chart`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from humay.arrays import BoolArray, FloatArray
from humay.errors import ImagingError
from humay.sensor import Pushbroom

HeightAt = Callable[[FloatArray, FloatArray], FloatArray]
"""Ellipsoidal heights (m) of the surface at longitudes and latitudes (rad), any shape."""

NODE_SPACING_M = 17.6  # at most
RELIEF_TOLERANCE_M = 1e-3
POLAR_RAD = math.radians(80.0)  # a strip whose middle is beyond is drawn on a plane at the pole
_EARTH_RADIUS_M = 6_378_137.0
_HEIGHT_STEP_M = 1000.0
_ACROSS = 12
_BEYOND = 64.0  # columns past the ends of a chip that its polynomial still serves
_MOST_STEPS = 40
_SLOPES = (
    -4.0,
    -0.2,
)  # of (surface - ray) in height along a ray: -1.7 to -0.3 for 35 deg seen at 45


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Two smooth coordinates in radians to interpolate places in.

    Away from the poles longitude from `lon_rad` on, and latitude; near the pole of sign `pole` the
    plane of the angle from the pole and the longitude, as polar coordinates.
    """

    lon_rad: float
    pole: int

    @staticmethod
    def about(lon_rad: float, lat_rad: float) -> Chart:
        near = abs(lat_rad) > POLAR_RAD
        return Chart(lon_rad=lon_rad, pole=int(math.copysign(1, lat_rad)) if near else 0)

    def drawn(self, lon_rad: FloatArray, lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.pole:
            reach = 0.5 * np.pi - self.pole * lat_rad
            return reach * np.cos(lon_rad), reach * np.sin(lon_rad)
        east = lon_rad - self.lon_rad
        return np.asarray(east - 2 * np.pi * np.round(east / (2 * np.pi))), lat_rad

    def place(self, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of coordinates."""
        if self.pole:
            return np.arctan2(b, a), np.asarray(self.pole * (0.5 * np.pi - np.hypot(a, b)))
        lon = self.lon_rad + a
        return np.asarray(lon - 2 * np.pi * np.round(lon / (2 * np.pi))), b

    def metres(self, b: FloatArray) -> tuple[FloatArray, float]:
        """About how long a radian of each coordinate is on the ground."""
        across = np.ones_like(b) if self.pole else np.cos(b)
        return np.asarray(_EARTH_RADIUS_M * across), _EARTH_RADIUS_M


@dataclass(frozen=True, kw_only=True, eq=False)
class Rays:
    """Lines of sight (n...): a parabola of the chart's coordinates in (height - `height_m`) / km.

    `curves` is (2, 3, n...): coordinate, ascending power.
    """

    chart: Chart
    height_m: float
    curves: FloatArray

    def at(self, height_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The chart's coordinates of all rays at heights (n...)."""
        return self._part(slice(None), height_m)

    def _part(
        self, which: BoolArray | slice, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        x = (height_m - self.height_m) / _HEIGHT_STEP_M
        a, b = (c[0][which] + x * (c[1][which] + x * c[2][which]) for c in self.curves)
        return a, b

    def met(self, height_at: HeightAt) -> FloatArray:
        """Heights (n...) at which the rays meet the surface, within `RELIEF_TOLERANCE_M`.

        A ray that has arrived is left alone, so what it gives does not depend on the others.
        Raises `ImagingError` where the surface is too steep or too rough to be met.
        """

        def above(which: BoolArray, height_m: FloatArray) -> FloatArray:
            found = height_at(*self.chart.place(*self._part(which, height_m)))
            return np.asarray(found - height_m)

        everything = np.ones(self.curves.shape[2:], dtype=bool)
        last = np.full(everything.shape, self.height_m)
        step = above(everything, last[everything]).reshape(last.shape)
        height, gap_before, gap = last + step, step, np.full(step.shape, np.inf)
        todo = everything
        for _ in range(_MOST_STEPS):
            gap[todo] = above(todo, height[todo])
            todo = ~(np.abs(gap) <= 0.3 * RELIEF_TOLERANCE_M)  # a slope of 0.7 makes it 1 mm
            if not todo.any():
                return height
            slope = (gap[todo] - gap_before[todo]) / (height[todo] - last[todo])
            slope = np.clip(slope, *_SLOPES)  # a kink of the surface must not throw a ray far off
            last[todo], gap_before[todo] = height[todo], gap[todo]
            height[todo] -= gap[todo] / slope
        worst = int(np.argmax(np.where(todo, np.abs(gap), 0.0)))
        lon, lat = self.chart.place(*self.at(height))
        raise ImagingError(
            f"relief: a line of sight near lon {math.degrees(lon.flat[worst]):.5f}, lat "
            f"{math.degrees(lat.flat[worst]):.5f} is {gap.flat[worst]:.3g} m from the surface "
            f"after {_MOST_STEPS} steps, expected {RELIEF_TOLERANCE_M} m"
        )


def rays_of(
    model: Pushbroom, row: FloatArray, col: FloatArray, chart: Chart, height_m: float
) -> Rays:
    """Rays of pixels (any shapes that broadcast), each from `Pushbroom.locate` at three heights."""
    row, col = np.broadcast_arrays(row, col)
    heights = height_m + _HEIGHT_STEP_M * np.array([-1.0, 0.0, 1.0])
    heights = heights.reshape(3, *[1] * row.ndim)
    curves = []
    for low, middle, high in chart.drawn(*model.locate(row, col, heights)):
        curves.append([middle, 0.5 * (high - low), 0.5 * (high + low) - middle])
    return Rays(chart=chart, height_m=height_m, curves=np.array(curves))


@dataclass(frozen=True, kw_only=True, eq=False)
class Lattice:
    """The rays of a chip, `step` pixels apart along and across, where a column is smooth enough.

    `model` has the strip's lines as rows; `columns` is how many the chip has.
    """

    model: Pushbroom
    columns: int
    chart: Chart
    step: float

    def rays(self, rows: FloatArray, cols: FloatArray, height_m: float) -> Rays:
        """Rays (rows, cols) at these lines and columns, to use within some km of `height_m`."""
        exact = rays_of(self.model, rows[:, None], self._points, self.chart, height_m)
        weights = self._weights(cols)
        curves = np.zeros((*exact.curves.shape[:3], cols.size))
        for k in range(_ACROSS):  # not a matrix product: that rounds as the shapes command
            curves += exact.curves[..., k, None] * weights[k]
        return Rays(chart=self.chart, height_m=height_m, curves=curves)

    @cached_property
    def _points(self) -> FloatArray:
        unit = np.cos((np.arange(_ACROSS) + 0.5) * np.pi / _ACROSS)
        half = 0.5 * self.columns + _BEYOND
        return np.asarray(0.5 * (self.columns - 1) + half * unit)

    def _weights(self, cols: FloatArray) -> FloatArray:
        """Lagrange's polynomials (12, n) of the points at columns (n,)."""
        points = self._points
        weights = np.ones((_ACROSS, cols.size))
        for k in range(_ACROSS):
            for m in range(_ACROSS):
                if m != k:
                    weights[k] *= (cols - points[m]) / (points[k] - points[m])
        return weights


def node_step(pixel_m: float) -> float:
    """The largest power of two, in pixels, that is at most `NODE_SPACING_M`; not under a quarter.

    A quarter of a pixel is where the scene is sampled: denser nodes would hold nothing more.
    """
    return max(0.25, 2.0 ** math.floor(math.log2(NODE_SPACING_M / pixel_m)))


def interpolation_bound_m(a: FloatArray, b: FloatArray, chart: Chart) -> float:
    """What bilinear interpolation between nodes (rows, cols) leaves out at most, on the ground.

    An eighth of the second differences along both axes, the largest of the patch, and a quarter
    more for what bends between the nodes.
    """
    east_m, north_m = chart.metres(b)
    total = 0.0
    for axis in (0, 1):
        if a.shape[axis] > 2:
            inner = [slice(None), slice(None)]
            inner[axis] = slice(1, -1)
            bent = np.hypot(
                np.diff(a, 2, axis=axis) * east_m[tuple(inner)], np.diff(b, 2, axis=axis) * north_m
            )
            total += 1.25 * float(bent.max()) / 8
    return total
