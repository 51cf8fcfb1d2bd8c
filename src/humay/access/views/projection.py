"""The two projections of the maps, both true to area, on a sphere of radius 1, y to the north.

Longitudes and latitudes are in degrees (n, 2), positions on the plane (n, 2) too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely

from humay.arrays import FloatArray

_FAR_RAD = math.radians(120.0)  # from the middle; no view reaches so far
_TURN_RAD = math.radians(15.0)
_EE = (1.340264, -0.081106, 0.000893, 0.003796)  # Savric and others (2018), equation 4


class Projection(Protocol):
    """What a map needs of one."""

    def points(self, lonlat: FloatArray) -> FloatArray:
        """Positions on the plane."""

    def rings(self, lonlat: FloatArray) -> list[FloatArray]:
        """A closed ring within -180 to 180 as rings to be filled by the even-odd rule."""

    def lines(self, lonlat: FloatArray) -> list[FloatArray]:
        """A line of continuous longitudes."""


@dataclass(frozen=True, kw_only=True)
class Azimuthal:
    """Lambert's azimuthal equal-area projection about a place. Snyder (1987), page 185.

    It knows no seam at 180 degrees and no pole; only what lies across the Earth is out of place,
    and is kept on a circle outside the view.
    """

    lon_deg: float
    lat_deg: float

    def points(self, lonlat: FloatArray) -> FloatArray:
        return _plane(*self._polar(lonlat))

    def rings(self, lonlat: FloatArray) -> list[FloatArray]:
        azimuth, far = self._polar(lonlat)
        azimuth, far = np.unwrap(azimuth), np.minimum(far, _FAR_RAD)
        # On the circle, corners are added: a straight side would cut through the view.
        out = (far[:-1] >= _FAR_RAD) & (far[1:] >= _FAR_RAD)
        pieces = np.where(out, np.ceil(np.abs(np.diff(azimuth)) / _TURN_RAD), 1.0)
        knots = np.concatenate([[0.0], np.cumsum(np.maximum(pieces, 1.0))])
        at = np.arange(knots[-1] + 1)
        return [_plane(np.interp(at, knots, azimuth), np.interp(at, knots, far))]

    def lines(self, lonlat: FloatArray) -> list[FloatArray]:
        azimuth, far = self._polar(lonlat)
        breaks = np.flatnonzero(np.diff((far < _FAR_RAD).astype(np.int8)) != 0) + 1
        pieces = np.split(_plane(azimuth, far), breaks)
        starts = np.concatenate([[0], breaks])
        return [
            piece
            for piece, start in zip(pieces, starts, strict=True)
            if far[start] < _FAR_RAD and len(piece) > 1
        ]

    def holds_antipode(self, rings: list[FloatArray]) -> bool:
        """Whether the place across the Earth is inside rings (even-odd): they fill outwards."""
        place = shapely.Point((self.lon_deg + 360.0) % 360.0 - 180.0, -self.lat_deg)
        inside = [shapely.contains(shapely.Polygon(ring), place) for ring in rings if len(ring) > 3]
        return bool(np.sum(inside) % 2)

    def lonlat(self, plane: FloatArray) -> FloatArray:
        """Where positions on the plane lie."""
        radius = np.hypot(plane[:, 0], plane[:, 1])
        far, azimuth = 2 * np.arcsin(np.minimum(radius / 2, 1.0)), np.arctan2(*plane.T)
        sides = np.sin(far) * np.sin(azimuth), np.sin(far) * np.cos(azimuth), np.cos(far)
        x, y, z = (np.stack(sides, axis=1) @ self._axes()).T
        lonlat = np.stack([np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))], axis=1)
        return np.asarray(np.degrees(lonlat))

    def _polar(self, lonlat: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Azimuths and distances (n,) rad from the middle."""
        east, north, up = self._axes() @ unit_vectors(lonlat).T
        return np.arctan2(east, north), np.arctan2(np.hypot(east, north), up)

    def _axes(self) -> FloatArray:
        """East, north and up of the middle as rows."""
        lon, lat = math.radians(self.lon_deg), math.radians(self.lat_deg)
        return np.array(
            [
                [-math.sin(lon), math.cos(lon), 0.0],
                [-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)],
                [math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)],
            ]
        )


@dataclass(frozen=True, kw_only=True)
class EqualEarth:
    """The whole Earth. B. Savric, T. Patterson and B. Jenny, Int. J. GIS 33 (2019) 454."""

    def points(self, lonlat: FloatArray) -> FloatArray:
        lon, lat = np.radians(lonlat).T
        theta = np.arcsin(np.clip(math.sqrt(3) / 2 * np.sin(lat), -1, 1))
        a1, a2, a3, a4 = _EE
        t2 = theta**2
        rate = a1 + t2 * (3 * a2 + t2**2 * (7 * a3 + 9 * a4 * t2))
        x = 2 * math.sqrt(3) * lon * np.cos(theta) / (3 * rate)
        return np.stack([x, theta * (a1 + t2 * (a2 + t2**2 * (a3 + a4 * t2)))], axis=1)

    def rings(self, lonlat: FloatArray) -> list[FloatArray]:
        return [self.points(lonlat)]

    def lines(self, lonlat: FloatArray) -> list[FloatArray]:
        return [self.points(piece) for piece in self._between_seams(lonlat)]

    def edge(self) -> FloatArray:
        """The outline of the map (n, 2) on the plane."""
        lat = np.linspace(-90, 90, 91)
        east, west = (np.stack([np.full(91, lon), lat], axis=1) for lon in (180.0, -180.0))
        return self.points(np.concatenate([east, west[::-1], east[:1]]))

    @staticmethod
    def _between_seams(lonlat: FloatArray) -> Iterator[FloatArray]:
        low, high = np.min(lonlat[:, 0]), np.max(lonlat[:, 0])
        for turn in range(math.floor((low + 180) / 360), math.floor((high + 180) / 360) + 1):
            line = shapely.LineString(lonlat - np.array([360.0 * turn, 0.0]))
            within = shapely.clip_by_rect(line, -180, -91, 180, 91)
            for part in shapely.get_parts(within):
                if shapely.get_num_coordinates(part) > 1:
                    yield shapely.get_coordinates(part)


def unit_vectors(lonlat: FloatArray) -> FloatArray:
    """Places (n, 2), deg, as (n, 3)."""
    lon, lat = np.radians(lonlat).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def _plane(azimuth: FloatArray, far: FloatArray) -> FloatArray:
    radius = 2 * np.sin(far / 2)
    return np.stack([radius * np.sin(azimuth), radius * np.cos(azimuth)], axis=1)
