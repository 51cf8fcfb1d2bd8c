"""The ground line of an acquisition and the attitude that sweeps the boresight along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from humay.arrays import BoolArray, FloatArray, angle_between, cross, dot, frozen, unit
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.frames import (
    itrf_from_gcrf,
    quaternion_from_matrix,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.orbit import Ephemeris

MEAN_RADIUS_M = 6_371_008.8  # IUGG; line lengths are those on a sphere, within 0.6 %
_RATE_STEP_S = 0.05
_TANGENT_STEP = 1e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class GroundLine:
    """One line or many, each from A to B; lengths and shares have the leading shape (...).

    The normals of the ellipsoid turn evenly on a great circle, the height is linear. `normals`
    (..., 2, 3) unit vectors in ITRF, `heights_m` (..., 2) above the ellipsoid.
    """

    normals: FloatArray
    heights_m: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "normals", frozen(unit(np.asarray(self.normals, np.float64))))
        object.__setattr__(self, "heights_m", frozen(self.heights_m))

    @staticmethod
    def centred(
        up: FloatArray, along: FloatArray, length_m: FloatArray, height_m: FloatArray
    ) -> GroundLine:
        """Lines `length_m` long through the places with normals `up`, in the directions `along`."""
        half = (0.5 * np.asarray(length_m) / MEAN_RADIUS_M)[..., None]
        side = unit(along - dot(along, up)[..., None] * up)
        ends = [np.cos(half) * up + sign * np.sin(half) * side for sign in (-1.0, 1.0)]
        heights = np.broadcast_to(np.asarray(height_m), half.shape[:-1])
        return GroundLine(
            normals=np.stack(ends, axis=-2), heights_m=np.stack([heights, heights], axis=-1)
        )

    def __getitem__(self, which: Any) -> GroundLine:  # whatever NumPy takes as an index
        """Some of many lines."""
        return GroundLine(normals=self.normals[which], heights_m=self.heights_m[which])

    @property
    def angle_rad(self) -> FloatArray:
        return angle_between(self.normals[..., 0, :], self.normals[..., 1, :])

    @property
    def length_m(self) -> FloatArray:
        return self.angle_rad * MEAN_RADIUS_M

    def reversed_where(self, backward: BoolArray) -> GroundLine:
        """The same lines, from B to A where `backward` (...)."""
        flip = np.asarray(backward)
        return GroundLine(
            normals=np.where(flip[..., None, None], self.normals[..., ::-1, :], self.normals),
            heights_m=np.where(flip[..., None], self.heights_m[..., ::-1], self.heights_m),
        )

    def normal(self, share: FloatArray) -> FloatArray:
        """Ellipsoid normals (..., 3) at shares of the way (...), also beyond the ends."""
        angle = self.angle_rad
        a = (np.sin((1 - share) * angle) / np.sin(angle))[..., None]
        b = (np.sin(share * angle) / np.sin(angle))[..., None]
        return np.asarray(a * self.normals[..., 0, :] + b * self.normals[..., 1, :])

    def place(self, share: FloatArray) -> FloatArray:
        """ITRF positions (..., 3) at shares of the way."""
        climb = self.heights_m[..., 1] - self.heights_m[..., 0]
        return itrf_from_normal(self.normal(share), self.heights_m[..., 0] + share * climb)

    def tangent(self, share: FloatArray) -> FloatArray:
        """Unit vectors (..., 3) in the direction of the way over the ground, climb included.

        Not the way of the normals: the ellipsoid's two radii of curvature turn it by up to 0.2 deg.
        """
        return unit(self.place(share + _TANGENT_STEP) - self.place(share - _TANGENT_STEP))

    def lonlath(self) -> list[list[float]]:
        """`[[lon_deg, lat_deg, height_m], ...]` of A and B of one line, to a centimetre."""
        return [
            [round(float(np.degrees(np.arctan2(n[1], n[0]))), 7),
             round(float(np.degrees(np.arcsin(n[2]))), 7), round(float(h), 3)]
            for n, h in zip(self.normals, self.heights_m, strict=True)
        ]  # fmt: skip


def line_from_lonlath(ends: object) -> GroundLine:
    """The line, or lines (..., 2, 3), whose ends are `[lon_deg, lat_deg, height_m]`."""
    lon, lat, height = np.moveaxis(np.asarray(ends, dtype=np.float64), -1, 0)
    return GroundLine(normals=ellipsoid_normal(np.radians(lon), np.radians(lat)), heights_m=height)


def body_axes_itrf(
    ephemeris: Ephemeris,
    line: GroundLine,
    start_s: FloatArray,
    duration_s: FloatArray,
    t_s: FloatArray,
) -> FloatArray:
    """`body_from_itrf` (..., 3, 3) at `t_s` for sweeps that begin at `start_s`.

    z to the line's point of that instant, x along the line as far as it is at right angles to z, so
    that the image moves along the columns.
    """
    share = (np.asarray(t_s) - start_s) / duration_s
    z = unit(line.place(share) - ephemeris.position_itrf(np.asarray(t_s)))
    along = line.tangent(share)
    x = unit(along - dot(along, z)[..., None] * z)
    return np.stack([x, cross(z, x), z], axis=-2)


def body_from_gcrf(
    ephemeris: Ephemeris,
    line: GroundLine,
    start_s: FloatArray,
    duration_s: FloatArray,
    t_s: FloatArray,
) -> FloatArray:
    """Attitude quaternions (..., 4) of the sweep."""
    axes = body_axes_itrf(ephemeris, line, start_s, duration_s, t_s)
    return quaternion_from_matrix(axes @ itrf_from_gcrf(ephemeris.epoch, np.asarray(t_s)))


def attitude_and_rate(
    ephemeris: Ephemeris,
    line: GroundLine,
    start_s: FloatArray,
    duration_s: FloatArray,
    t_s: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Quaternions (..., 4) and body rates (..., 3) rad/s of the sweep, by central difference."""
    before, now, after = (
        body_from_gcrf(ephemeris, line, start_s, duration_s, np.asarray(t_s) + step)
        for step in (-_RATE_STEP_S, 0.0, _RATE_STEP_S)
    )
    turn = rotation_vector_from_quaternion(quaternion_product(after, quaternion_inverse(before)))
    return now, turn / (2 * _RATE_STEP_S)
