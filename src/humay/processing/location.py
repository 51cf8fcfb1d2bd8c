"""How well a product should be located, from how well the satellite knows itself.

Position, attitude, its drift, jitter and the DEM err independently, each along its own axes; what
one sigma of each moves on the ground comes from the sensor model by differences. The sum is an
ellipse at each point; CE90 is the radius of the circle about its middle that holds 90 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from humay.arrays import FloatArray
from humay.earth import WGS84_A_M, WGS84_E2
from humay.frames import quaternion_from_rotation_vector, quaternion_product
from humay.mission import Navigation
from humay.roots import bracketed_roots
from humay.sensor import Pushbroom

_STEP_M, _STEP_RAD = 10.0, 1e-5  # of the differences: some metres on the ground
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True, kw_only=True, eq=False)
class PredictedLocation:
    """At each point: covariance (n, 2, 2) of east and north in m2, and CE90 (n,) in m."""

    covariance_m2: FloatArray
    ce90_m: FloatArray


def predict_location(
    model: Pushbroom,
    navigation: Navigation,
    row: FloatArray,
    col: FloatArray,
    height_m: FloatArray,
    *,
    dem_sigma_m: float,
) -> PredictedLocation:
    """How far pixels (n,) may lie from where they are said to lie on the surface at `height_m`.

    The errors are those of `Navigation`: drifts count from the middle of the trajectory.
    """
    row, col, height_m = (np.atleast_1d(x) for x in np.broadcast_arrays(row, col, height_m))

    def moved(shift_m: FloatArray, turn_rad: FloatArray, rate_rad_s: FloatArray) -> FloatArray:
        """East and north (n, 2) that a trajectory changed like this moves a pixel."""
        ends = [
            _flown(model, side * shift_m, side * turn_rad, side * rate_rad_s).locate(
                row, col, height_m
            )
            for side in (-0.5, 0.5)
        ]
        return _metres_between(ends[0], ends[1], height_m)

    zero, moves = np.zeros(3), []
    for axis in np.eye(3):
        shift = moved(_STEP_M * axis, zero, zero) / _STEP_M
        turn = moved(zero, _STEP_RAD * axis, zero) / _STEP_RAD
        drift = moved(zero, zero, _STEP_RAD * axis) / _STEP_RAD
        moves += [
            shift * navigation.position_sigma_m,
            turn * math.hypot(navigation.attitude_sigma_rad, navigation.jitter_sigma_rad),
            drift * navigation.drift_sigma_rad_s,
        ]
    low, high = (model.locate(row, col, height_m + side * _STEP_M) for side in (-1.0, 1.0))
    moves.append(_metres_between(low, high, height_m) / (2 * _STEP_M) * dem_sigma_m)
    stacked = np.stack(moves)
    covariance = np.einsum("kni,knj->nij", stacked, stacked)
    return PredictedLocation(covariance_m2=covariance, ce90_m=circular_error(covariance, 0.9))


def circular_error(covariance_m2: FloatArray, share: float) -> FloatArray:
    """Radii (n,) of circles that hold `share` of normal errors about 0, covariance (n, 2, 2).

    Along the long axis with sigma a, across with sigma b: the share within radius r is the
    integral over x from -r to r of the normal density of a times erf(sqrt(r2 - x2) / (b sqrt 2)).
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}, expected between 0 and 1")
    variances = np.clip(np.linalg.eigvalsh(covariance_m2), 0.0, None)
    b, a = np.sqrt(np.moveaxis(variances, -1, 0))
    some = a > 0
    scale, ratio = np.where(some, a, 1.0), np.where(some, b / np.where(some, a, 1.0), 0.0)
    limit = math.sqrt(-2.0 * math.log(1.0 - share))  # of the circular case: none is larger

    def beyond(r: FloatArray) -> FloatArray:
        return _share_within(r, ratio) - share

    edge = np.full(ratio.shape, 1.0)
    radius = bracketed_roots(beyond, 0.0 * edge, (limit + 1e-9) * edge, tolerance=1e-10)
    return np.where(some, radius * scale, 0.0)


def _share_within(r: FloatArray, ratio: FloatArray) -> FloatArray:
    """For sigma 1 along x and `ratio`, at most 1, along y: Gauss-Legendre in the angle of x."""
    angle = 0.25 * np.pi * (_NODES + 1.0)
    x, y = r[..., None] * np.sin(angle), r[..., None] * np.cos(angle)
    across = _erf(y / np.maximum(math.sqrt(2.0) * ratio[..., None], 1e-300))
    density = np.exp(-0.5 * x**2) / math.sqrt(2.0 * math.pi)
    return np.asarray(2.0 * 0.25 * np.pi * np.sum(_WEIGHTS * density * across * y, axis=-1))


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _metres_between(
    a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray], height_m: FloatArray
) -> FloatArray:
    """East and north (n, 2) from places a to b close by, each longitudes and latitudes."""
    sine = np.sin(a[1])
    prime = WGS84_A_M / np.sqrt(1 - WGS84_E2 * sine**2)
    meridian = prime * (1 - WGS84_E2) / (1 - WGS84_E2 * sine**2)
    east = np.mod(b[0] - a[0] + np.pi, 2 * np.pi) - np.pi
    return np.stack(
        [east * (prime + height_m) * np.cos(a[1]), (b[1] - a[1]) * (meridian + height_m)], axis=-1
    )


def _flown(
    model: Pushbroom, shift_m: FloatArray, turn_rad: FloatArray, rate_rad_s: FloatArray
) -> Pushbroom:
    """Shifted in ITRF, turned about the body axes, and on from the middle of the trajectory."""
    way = model.trajectory
    after_s = way.t_s - 0.5 * (way.start_s + way.end_s)
    turn = quaternion_from_rotation_vector(turn_rad + after_s[:, None] * rate_rad_s)
    return model.with_trajectory(
        replace(
            way,
            r_itrf=way.r_itrf + shift_m,
            body_from_gcrf=quaternion_product(turn, way.body_from_gcrf),
        )
    )
