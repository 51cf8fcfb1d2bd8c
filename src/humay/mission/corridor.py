"""A line widened to a corridor: all that lies within half a width of it on the ellipsoid."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry import LineString, Polygon

from humay.arrays import FloatArray
from humay.mission.kinds import Place

_ELLIPSOID = Geod(ellps="WGS84")
_STEP_DEG = 0.05  # edges are straight in longitude and latitude, so sides follow them this closely
_ROUND = 64  # points of the circle at a corner
_HIGHEST_LAT_DEG = 89.0


def widened(line: LineString, width_m: float, place: Place) -> Polygon:
    """The corridor of full width `width_m` along a line in degrees, with blunt ends and round
    corners; longitudes run on unwrapped as those of the line."""
    positions = np.asarray(line.coords)[:, :2]
    reach_deg = np.degrees(0.5 * width_m / 6.3e6)
    if np.max(np.abs(positions[:, 1])) + reach_deg > _HIGHEST_LAT_DEG:
        place.refuse(f"corridor_width_km reaches beyond latitude {_HIGHEST_LAT_DEG:g} deg")
    parts = [_along(a, b, width_m) for a, b in pairwise(positions)]
    parts += [_circle(corner, 0.5 * width_m) for corner in positions[1:-1]]
    whole = shapely.union_all([shapely.make_valid(part) for part in parts])
    outline = max(shapely.get_parts(whole), key=lambda part: float(part.area))
    if not isinstance(outline, Polygon):
        place.refuse("corridor_width_km makes no area of its line")
    return outline


def _along(a: FloatArray, b: FloatArray, width_m: float) -> Polygon:
    """The corridor of one edge."""
    steps = max(2, int(np.ceil(np.max(np.abs(b - a)) / _STEP_DEG)))
    nodes = a + (b - a) * np.linspace(0.0, 1.0, steps + 1)[:, None]
    ahead, _, _ = _ELLIPSOID.inv(*nodes[:-1].T, *nodes[1:].T)
    _, back, _ = _ELLIPSOID.inv(*nodes[-2:-1].T, *nodes[-1:].T)
    azimuth = np.append(ahead, back + 180.0)
    left, right = (_moved(nodes, azimuth + turn, 0.5 * width_m) for turn in (-90.0, 90.0))
    return Polygon(np.concatenate([left, right[::-1]]))


def _circle(centre: FloatArray, radius_m: float) -> Polygon:
    azimuth = np.linspace(0.0, 360.0, _ROUND, endpoint=False)
    return Polygon(_moved(np.repeat(centre[None, :], _ROUND, axis=0), azimuth, radius_m))


def _moved(lonlat: FloatArray, azimuth_deg: FloatArray, by_m: float) -> FloatArray:
    """Positions (n, 2) moved along geodesics, longitudes next to those they had."""
    far_m = np.full(len(lonlat), by_m)
    lon, lat, _ = _ELLIPSOID.fwd(lonlat[:, 0], lonlat[:, 1], azimuth_deg, far_m)
    turn = (np.asarray(lon) - lonlat[:, 0] + 180.0) % 360.0 - 180.0
    return np.stack([lonlat[:, 0] + turn, np.asarray(lat)], axis=-1)
