"""Places on a grid, and which strips they lie on: by projection onto centre lines, no sampling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from humay.access import Strip
from humay.arrays import BoolArray, FloatArray, IntArray, norm, unit
from humay.earth import WGS84_A_M, WGS84_E2, ellipsoid_normal, itrf_from_normal


def grid_in(shape: BaseGeometry, step_m: float) -> FloatArray:
    """Normals (n, 3) of places inside an area, one at random in each square of a grid: squares on
    Lambert's equal-area map (J. P. Snyder, USGS 1395, p. 185) about the middle of the outline."""
    whole = shapely.make_valid(shape)
    lon, lat = np.radians(shapely.get_coordinates(shapely.segmentize(whole, 0.1))).T
    outline = ellipsoid_normal(lon, lat)
    middle = unit(outline.mean(axis=0))
    east = unit(np.cross([0.1, 0.2, 0.97], middle))
    north = np.cross(middle, east)
    scale = np.sqrt(2 / (1 + outline @ middle))
    step, rng = step_m / 6.371e6, np.random.default_rng(23)
    drawn = [(outline @ axis) * scale for axis in (east, north)]
    x, y = np.meshgrid(*(np.arange(v.min(), v.max(), step) for v in drawn))
    x, y = (axis.ravel() + step * rng.uniform(size=axis.size) for axis in (x, y))
    z = 1 - (x**2 + y**2) / 2
    side = np.sqrt(1 - (x**2 + y**2) / 4)
    normals = z[:, None] * middle + (side * x)[:, None] * east + (side * y)[:, None] * north
    lon_deg = np.degrees(np.arctan2(normals[:, 1], normals[:, 0]))
    lat_deg = np.degrees(np.arcsin(np.clip(normals[:, 2], -1, 1)))
    shapely.prepare(whole)
    inside = shapely.contains_xy(whole, lon_deg, lat_deg)
    inside |= shapely.contains_xy(whole, lon_deg + 360, lat_deg)
    return np.asarray(normals[inside])


def beside(strip: Strip, normals: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Metres of places (n, 3) from a strip's centre line, after its first and before its last
    end."""
    a, b = strip.line.normals
    pole = unit(np.cross(a, b))
    foot = unit(normals - (normals @ pole)[:, None] * pole)
    height = np.full(len(foot), strip.line.heights_m.mean())
    across_m = norm(itrf_from_normal(normals, height) - itrf_from_normal(foot, height))
    after_a, before_b = np.cross(a, foot) @ pole, np.cross(foot, b) @ pole
    return across_m, 6.371e6 * after_a, 6.371e6 * before_b


def ranked(strips: Sequence[Strip], normals: FloatArray) -> tuple[BoolArray, IntArray]:
    """Which places (n, 3) lie on some strip, and which strip each is nearest to.

    Strips of one band have the same centre line: of those the one counts whose ends are farther.
    """
    found = [beside(strip, normals) for strip in strips]
    across_m = np.array([part[0] for part in found])
    within_m = np.array([np.minimum(part[1], part[2]) for part in found])
    half_m = np.array([strip.width_m / 2 for strip in strips])[:, None]
    on = np.any((across_m <= half_m) & (within_m >= 0), axis=0)
    rank = np.where(within_m >= 0, np.round(across_m) - 1e-8 * within_m, np.inf)
    return np.asarray(on), np.argmin(rank, axis=0)


def covered(strips: Sequence[Strip], normals: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Which places lie on some strip, and the shares of those that each strip is nearest to.

    Places count for the ground they stand for: an angle between normals is worth as much of it as
    the radii of curvature along the meridian and across it, multiplied.
    """
    on, nearest = ranked(strips, normals)
    across_m = WGS84_A_M / np.sqrt(1 - WGS84_E2 * normals[:, 2] ** 2)
    along_m = across_m**3 * (1 - WGS84_E2) / WGS84_A_M**2
    ground = np.bincount(nearest, across_m * along_m, minlength=len(strips))
    return on, ground / ground.sum()


def place_on(strip: Strip, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Shares along a strip at which places stand, and the height of its line there."""
    _, before, after = beside(strip, normals)
    share = before / (before + after)
    return share, strip.line.heights_m[0] + share * np.diff(strip.line.heights_m)
