"""Frames and rotations: TEME, GCRF, ITRF, the orbital frame, quaternions.

A rotation reads like a fraction: `itrf_from_gcrf @ r_gcrf` gives `r_itrf`. A quaternion is scalar
last and means the same as its matrix: `rotate(body_from_gcrf, v_gcrf)` gives `v_body`.

Earth orientation is IAU 2006/2000A with UT1 and polar motion of the IERS (ERFA does the sums). Left
out: the IERS celestial pole offsets dX, dY (0.3 mas, 1 cm on the ground) and the tides of under a
day in UT1 and the pole (3 cm).
"""

from __future__ import annotations

import erfa
import numpy as np

from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.tables import earth_orientation
from humay.time import DAY_S, J2000_JD, Epoch

EARTH_RATE_RAD_S = 7.292115146706979e-5  # IERS 2010, table 1.1: d(ERA)/dt, per SI second
_POLE_NODE_S = 10_800.0  # the pole moves so smoothly that 3 h steps are good to 0.1 mas


def itrf_from_teme(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    """Rotations (..., 3, 3) from TEME, SGP4's frame: GMST 1982, then polar motion.

    Vallado et al., AIAA 2006-6753, appendix C.
    """
    gmst = erfa.gmst82(*epoch.julian_ut1(t_s))
    return np.asarray(_polar_motion(epoch, t_s) @ _turn_z(gmst))


def itrf_from_gcrf(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    """Rotations (..., 3, 3) from GCRF: celestial pole, Earth rotation angle, polar motion.

    IERS Conventions 2010, chapter 5, based on the CIO.
    """
    x, y, s = _celestial_pole(epoch, np.asarray(t_s, dtype=np.float64))
    intermediate_from_gcrf = erfa.c2ixys(x, y, s)
    era = erfa.era00(*epoch.julian_ut1(t_s))
    return np.asarray(_polar_motion(epoch, t_s) @ _turn_z(era) @ intermediate_from_gcrf)


def _celestial_pole(epoch: Epoch, t_s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """X, Y, s at `t_s`, from nodes on an absolute grid so that no span changes the result."""
    whole, days = epoch.julian_tt(t_s)
    steps = ((whole - J2000_JD) + days) * (DAY_S / _POLE_NODE_S)
    first = np.floor(steps)
    nodes, place = np.unique(
        np.concatenate([first.ravel(), first.ravel() + 1]), return_inverse=True
    )
    xys = np.stack(erfa.xys06a(J2000_JD, nodes * (_POLE_NODE_S / DAY_S)))
    left = xys[:, place[: first.size]].reshape(3, *first.shape)
    right = xys[:, place[first.size :]].reshape(3, *first.shape)
    x, y, s = left + (steps - first) * (right - left)
    return x, y, s


def _polar_motion(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    _, xp, yp = earth_orientation().at(epoch.mjd_utc(t_s))
    return np.asarray(erfa.pom00(xp, yp, erfa.sp00(*epoch.julian_tt(t_s))))


def _turn_z(angle_rad: FloatArray) -> FloatArray:
    """Rotation of the axes about z, (..., 3, 3)."""
    c, s, zero = np.cos(angle_rad), np.sin(angle_rad), np.zeros_like(angle_rad)
    rows = [[c, s, zero], [-s, c, zero], [zero, zero, zero + 1.0]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def inertial_velocity(r_itrf: FloatArray, v_itrf: FloatArray) -> FloatArray:
    """Velocity as seen from outside, still on ITRF axes: v + omega x r, (..., 3).

    About ITRF z: the pole's distance from the axis (0.5" at most) would change 1 mm/s.
    """
    spin = np.stack([-r_itrf[..., 1], r_itrf[..., 0], np.zeros_like(r_itrf[..., 0])], axis=-1)
    return np.asarray(v_itrf + EARTH_RATE_RAD_S * spin)


def orbital_frame(down: FloatArray, inertial_v: FloatArray) -> FloatArray:
    """`orb_from_F` (..., 3, 3) for `down` (to nadir) and the inertial velocity, both on axes F.

    z to nadir, y against the orbit normal, x = y cross z.
    """
    z = unit(down)
    y = unit(cross(z, inertial_v))
    return np.stack([cross(y, z), y, z], axis=-2)


def roll_pitch(line_of_sight_orb: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Roll and pitch (rad) that turn body z from nadir onto a unit vector in `orb`.

    Roll first, then pitch: the third row of R_y(pitch) R_x(roll) is
    (sin p, -sin r cos p, cos r cos p).
    """
    x, y, z = np.moveaxis(line_of_sight_orb, -1, 0)
    return np.arctan2(-y, z), np.arcsin(np.clip(x, -1.0, 1.0))


def quaternion_from_matrix(matrix: FloatArray) -> FloatArray:
    """Quaternions (..., 4) of attitude matrices (..., 3, 3), with scalar part >= 0.

    Shepperd's method (J. Guidance 1, 1978): the largest component is computed first, so that no
    division is by a small number.
    """
    m = np.asarray(matrix, dtype=np.float64)
    trace = np.trace(m, axis1=-2, axis2=-1)
    diagonal = np.moveaxis(np.diagonal(m, axis1=-2, axis2=-1), -1, 0)
    squares = np.stack([*(1 + 2 * diagonal - trace), 1 + trace], axis=-1) / 4.0
    a, b, c = m[..., 1, 2] - m[..., 2, 1], m[..., 2, 0] - m[..., 0, 2], m[..., 0, 1] - m[..., 1, 0]
    d, e, f = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    products = np.stack(  # 4 q_i q_j, row i for the case that q_i is the largest
        [
            np.stack([4 * squares[..., 0], d, e, a], axis=-1),
            np.stack([d, 4 * squares[..., 1], f, b], axis=-1),
            np.stack([e, f, 4 * squares[..., 2], c], axis=-1),
            np.stack([a, b, c, 4 * squares[..., 3]], axis=-1),
        ],
        axis=-2,
    )
    largest = np.argmax(squares, axis=-1)[..., None, None]
    q = np.take_along_axis(products, largest, axis=-2)[..., 0, :]
    q = q / np.sqrt(np.sum(q * q, axis=-1, keepdims=True))
    return np.asarray(np.where(q[..., 3:] < 0, -q, q))


def matrix_from_quaternion(q: FloatArray) -> FloatArray:
    """Attitude matrices (..., 3, 3) of unit quaternions (..., 4)."""
    x, y, z, w = np.moveaxis(np.asarray(q, dtype=np.float64), -1, 0)
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)],
        [2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w)],
        [2 * (x * z + y * w), 2 * (y * z - x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def quaternion_product(p: FloatArray, q: FloatArray) -> FloatArray:
    """The quaternion whose matrix is M(p) @ M(q): first q, then p. Shapes broadcast."""
    p_vector, p_scalar = p[..., :3], p[..., 3:]
    q_vector, q_scalar = q[..., :3], q[..., 3:]
    vector = p_scalar * q_vector + q_scalar * p_vector - cross(p_vector, q_vector)
    scalar = p_scalar * q_scalar - dot(p_vector, q_vector)[..., None]
    return np.concatenate([vector, scalar], axis=-1)


def quaternion_inverse(q: FloatArray) -> FloatArray:
    """The turn back."""
    return np.asarray(q * np.array([-1.0, -1.0, -1.0, 1.0]))


def rotate(q: FloatArray, v: FloatArray) -> FloatArray:
    """Vectors (..., 3) on the axes that q leads to."""
    return np.asarray(np.einsum("...ij,...j->...i", matrix_from_quaternion(q), v))


def quaternion_from_rotation_vector(turn: FloatArray) -> FloatArray:
    """The attitude after turning the axes by |turn| rad about `turn` (..., 3)."""
    angle = norm(turn)[..., None]
    return np.concatenate([turn * (0.5 * np.sinc(angle / (2 * np.pi))), np.cos(angle / 2)], axis=-1)


def rotation_vector_from_quaternion(q: FloatArray) -> FloatArray:
    """The shortest turn (..., 3) in rad, at most pi, that makes q."""
    q = np.where(q[..., 3:] < 0, -q, q)
    sine = norm(q[..., :3])[..., None]
    half = np.arctan2(sine, q[..., 3:])
    scale = np.where(sine > 1e-12, 2 * half / np.where(sine > 1e-12, sine, 1.0), 2.0)
    return np.asarray(q[..., :3] * scale)
