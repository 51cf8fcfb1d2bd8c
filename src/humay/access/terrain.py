"""Horizons that terrain draws round places, as elevations by azimuth."""

from __future__ import annotations

import math

import numpy as np

from humay.access.lines import MEAN_RADIUS_M
from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.earth import itrf_from_normal
from humay.mission import HeightModel

FIRST_STEP_M = 30.0  # the nearest terrain looked at; further out steps grow with the distance
GROWTH = 1.03
_PLACES_AT_ONCE = 32


def horizons(
    heights: HeightModel,
    normals: FloatArray,
    height_m: FloatArray,
    *,
    distance_m: float,
    points: int,
) -> FloatArray:
    """Elevations (n, points) of the terrain within a distance of places, rad, at even azimuths.

    Places have ellipsoid normals (n, 3) and stand at ellipsoidal heights (n,), or on the ground
    where that is higher: lines of strips are straight and run below hills. The terrain is
    sampled from `FIRST_STEP_M` on at steps that grow by `GROWTH`; the Earth's curvature is in the
    positions. Nothing lies lower than the horizon of the ellipsoid's tangent plane less 90 deg.
    """
    steps = math.ceil(math.log(distance_m / FIRST_STEP_M) / math.log(GROWTH))
    ranges = np.minimum(FIRST_STEP_M * GROWTH ** np.arange(max(steps, 0) + 1), distance_m)
    parts = [
        _horizons(heights, normals[i : i + _PLACES_AT_ONCE], height_m[i : i + _PLACES_AT_ONCE],
                  ranges, points)
        for i in range(0, len(normals), _PLACES_AT_ONCE)
    ]  # fmt: skip
    return np.concatenate(parts or [np.zeros((0, points))])


def _horizons(
    heights: HeightModel, normals: FloatArray, height_m: FloatArray, ranges_m: FloatArray,
    points: int,
) -> FloatArray:  # fmt: skip
    up = normals[:, None, :]
    east = np.stack([-normals[:, 1], normals[:, 0], np.zeros(len(normals))], axis=-1)
    at_pole = norm(east) == 0
    east = unit(np.where(at_pole[:, None], [0.0, 1.0, 0.0], east))
    north = cross(normals, east)
    azimuth = np.arange(points) * (2 * math.pi / points)
    side = (
        np.sin(azimuth)[:, None] * east[:, None, :] + np.cos(azimuth)[:, None] * north[:, None, :]
    )
    angle = (ranges_m / MEAN_RADIUS_M)[:, None]
    around = np.cos(angle) * up[:, :, None, :] + np.sin(angle) * side[:, :, None, :]
    ground = itrf_from_normal(around, _heights(heights, around))
    eye_m = np.maximum(height_m, _heights(heights, normals))
    sight = ground - itrf_from_normal(normals, eye_m)[:, None, None, :]
    sines = dot(sight, np.broadcast_to(up[:, :, None, :], sight.shape)) / norm(sight)
    return np.asarray(np.arcsin(np.clip(np.max(sines, axis=-1), -1.0, 1.0)))


def _heights(heights: HeightModel, normals: FloatArray) -> FloatArray:
    flat = normals.reshape(-1, 3)
    lon, lat = np.arctan2(flat[:, 1], flat[:, 0]), np.arcsin(np.clip(flat[:, 2], -1, 1))
    return np.asarray(heights.ellipsoidal_m(lon, lat)).reshape(normals.shape[:-1])
