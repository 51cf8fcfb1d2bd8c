"""The ground made ready for windows: where they look, targets laid out in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from humay.arrays import FloatArray, dot, norm
from humay.earth import ellipsoid_normal, itrf_from_geodetic
from humay.imaging.chips import GUESS_M
from humay.imaging.layout import Window, axis_model
from humay.imaging.rays import Chart, rays_of
from humay.imaging.scene import Scene, SyntheticScene
from humay.imaging.targets import Target, place_targets
from humay.mission import Camera
from humay.spacecraft import Acquisition

_INSET = 0.97  # of a window that targets may take: other bands and other heights see a little less
_SIDE = 9  # places looked at along each side of a window


def window_ground(
    acquisition: Acquisition, camera: Camera, scene: Scene, window: Window
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Longitude, latitude (rad) and height (m) of a grid (n, n) of places that a window sees."""
    rows = np.linspace(window.first_line, window.end_line - 1.0, _SIDE)[:, None]
    cols = np.linspace(window.first_column, window.end_column - 1.0, _SIDE)
    return _met(acquisition, camera, scene, rows, cols)


def with_targets(
    scene: SyntheticScene, windows: Sequence[tuple[Acquisition, Camera, Window]]
) -> SyntheticScene:
    """The scene with targets laid out in each window, those of earlier windows left as they are."""
    for acquisition, camera, window in windows:
        own = _targets(scene, acquisition, camera, window)
        scene = replace(scene, targets=scene.targets + own)
    return scene


def _targets(
    scene: SyntheticScene, acquisition: Acquisition, camera: Camera, window: Window
) -> tuple[Target, ...]:
    row = window.first_line + 0.5 * (window.lines - 1) + np.array([0.0, -0.5, 0.5, 0.0, 0.0])
    col = window.first_column + 0.5 * (window.columns - 1) + np.array([0.0, 0.0, 0.0, -0.5, 0.5])
    row[1:3] += np.array([-0.5, 0.5]) * (window.lines - 1)
    col[3:] += np.array([-0.5, 0.5]) * (window.columns - 1)
    lon, lat, height = _met(acquisition, camera, scene, row, col)
    place = itrf_from_geodetic(lon, lat, height)
    along, across = place[2] - place[1], place[4] - place[3]
    along_m, across_m = float(norm(along)), float(norm(across))
    coarse = max(camera.line_ratio(band) for band in camera.bands)
    pan_m = 0.5 * (along_m / window.lines + across_m / window.columns)
    return place_targets(
        scene.targets,
        name=acquisition.id,
        lon_rad=float(lon[0]),
        lat_rad=float(lat[0]),
        heading_rad=_heading_rad(along, float(lon[0]), float(lat[0])),
        pan_gsd_m=pan_m,
        ms_gsd_m=pan_m * coarse,
        along_m=_INSET * along_m,
        across_m=_INSET * across_m,
    )


def _heading_rad(along: FloatArray, lon_rad: float, lat_rad: float) -> float:
    """Azimuth of a direction in ITRF, clockwise from north."""
    east = np.array([-np.sin(lon_rad), np.cos(lon_rad), 0.0])
    up = ellipsoid_normal(np.asarray(lon_rad), np.asarray(lat_rad))
    north = np.cross(up, east)
    return float(np.mod(np.arctan2(dot(along, east), dot(along, north)), 2 * np.pi))


def _met(
    acquisition: Acquisition, camera: Camera, scene: Scene, row: FloatArray, col: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Where lines of sight, by line and column of the PAN row, meet the scene."""
    axis = axis_model(acquisition, camera)
    lon, lat = axis.locate(np.asarray(np.mean(row)), np.asarray(np.mean(col)), np.zeros(()))
    chart = Chart.about(float(lon), float(lat))
    rays = rays_of(axis, row, col, chart, GUESS_M)
    height = rays.met(scene.height_m)
    return (*chart.place(*rays.at(height)), height)
