"""Where the boresight runs: centre lines of strips (docs/reference/plan.md, "The boresight")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, IntArray, angle_between, dot, frozen, unit
from humay.earth import WGS84_A_M, WGS84_E2, ellipsoid_normal, itrf_from_normal

LONGEST_RAD = 1.0  # 6,400 km; beyond, the great circle between two places means little
SHORTEST_RAD = 1e-9  # 6 mm


@dataclass(frozen=True, kw_only=True, eq=False)
class CentreLine:
    """The way from A to B: `ends` are the normals (2, 3) there, `heights_m` (2,) the heights.

    A row of n lines, from `in_a_row`, has `ends` (n, 2, 3) and `heights_m` (n, 2); its methods take
    one f (n,) for each of them.
    """

    ends: FloatArray
    heights_m: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", frozen(self.ends))
        object.__setattr__(self, "heights_m", frozen(self.heights_m))

    @classmethod
    def from_places(cls, places: Sequence[Sequence[float]]) -> CentreLine:
        """From [[lon_deg, lat_deg, height_m], ...] of A and B."""
        lon_deg, lat_deg, height_m = np.array(places, dtype=np.float64).T
        normals = ellipsoid_normal(np.radians(lon_deg), np.radians(lat_deg))
        return cls(ends=normals, heights_m=height_m)

    @classmethod
    def in_a_row(cls, lines: Sequence[CentreLine], which: IntArray) -> CentreLine:
        """The lines of the numbers `which` (n,), one after the other."""
        ends, heights_m = [line.ends for line in lines], [line.heights_m for line in lines]
        return cls(ends=np.array(ends)[which], heights_m=np.array(heights_m)[which])

    @property
    def angle_rad(self) -> FloatArray:
        """Angle between the normals at A and B, () or (n,)."""
        return angle_between(self.ends[..., 0, :], self.ends[..., 1, :])

    def normals(self, f: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Unit normals (..., 3) at f (...), spherical interpolation, and their derivatives by f."""
        angle = self.angle_rad[..., None]
        a, b = self.ends[..., 0, :], self.ends[..., 1, :]
        ahead = unit(b - dot(a, b)[..., None] * a)
        turned = np.asarray(f, dtype=np.float64)[..., None] * angle
        cosine, sine = np.cos(turned), np.sin(turned)
        return cosine * a + sine * ahead, angle * (cosine * ahead - sine * a)

    def heights(self, f: FloatArray) -> FloatArray:
        """Heights (...) in metres at f (...)."""
        low_m, high_m = self.heights_m[..., 0], self.heights_m[..., 1]
        return np.asarray(low_m + np.asarray(f) * (high_m - low_m))

    def points(self, f: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions (..., 3) in ITRF at f (...), and their derivatives by f."""
        normal, turn = self.normals(f)
        height = self.heights(f)
        slope_m = np.diff(self.heights_m, axis=-1)
        flat = np.array([1.0, 1.0, 1 - WGS84_E2])
        bulge = 1 - WGS84_E2 * normal[..., 2:] ** 2
        radius = WGS84_A_M / np.sqrt(bulge)
        radius_slope = radius * WGS84_E2 * normal[..., 2:] * turn[..., 2:] / bulge
        along = (
            radius_slope * flat * normal
            + (radius * flat + height[..., None]) * turn
            + slope_m * normal
        )
        return itrf_from_normal(normal, height), np.asarray(along)
