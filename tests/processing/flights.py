"""Small flights for tests: a circular orbit, a ground line to follow, some shaking."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from humay.arrays import FloatArray, cross, unit
from humay.earth import itrf_from_geodetic
from humay.frames import (
    itrf_from_gcrf,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_product,
)
from humay.sensor import Pushbroom
from humay.spacecraft import Trajectory
from humay.time import Epoch

EPOCH = Epoch(datetime(2026, 3, 1, 7, 30, tzinfo=UTC))
LON, LAT = np.radians(5.40), np.radians(44.40)  # in the tile of elevations N44E005
RADIUS_M, SPEED_M_S = 7_065_000.0, 7_400.0
LINE_S = 2.14 / 6_700.0
PIXEL_RAD = 2.14 / 694_000.0


def axes_at(lon: float, lat: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """East, north, up."""
    up = np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    return east, cross(up, east), up


def flight(
    *,
    roll_rad: float = 0.2,
    pitch_rad: float = 0.0,
    seconds: float = 4.0,
    jitter_rad: float = 0.0,
    jitter_hz: float = 0.0,
    step_s: float = 0.004,
) -> Trajectory:
    """South-south-west over (LON, LAT), which the axis meets in the middle; x along the flight.

    The satellite passes to the east by `roll_rad` as seen from itself, and ahead or behind by
    `pitch_rad`; the axis then moves over the ground with the satellite.
    """
    east, north, up = axes_at(LON, LAT)
    heading = np.radians(192.0)
    along = np.sin(heading) * east + np.cos(heading) * north
    left = cross(up, along)
    target = itrf_from_geodetic(np.asarray(LON), np.asarray(LAT), np.asarray(800.0))
    height_m = RADIUS_M - 6_371_000.0
    middle = target + height_m * (up + np.tan(roll_rad) * left - np.tan(pitch_rad) * along)
    t_s = np.arange(-0.5 * seconds, 0.5 * seconds + 0.5 * step_s, step_s)
    turn = SPEED_M_S / RADIUS_M * t_s
    spoke = unit(middle)
    ahead = unit(along - (along @ spoke) * spoke)
    length = np.linalg.norm(middle)
    r = length * (np.cos(turn)[:, None] * spoke + np.sin(turn)[:, None] * ahead)
    v = (
        SPEED_M_S
        / RADIUS_M
        * length
        * (np.cos(turn)[:, None] * ahead - np.sin(turn)[:, None] * spoke)
    )
    sweep = target + (6_371_000.0 / RADIUS_M * SPEED_M_S * t_s)[:, None] * along
    z = unit(sweep - r)
    x = unit(along - (z @ along)[:, None] * z)
    body_from_itrf = np.stack([x, cross(z, x), z], axis=-2)
    quaternions = quaternion_from_matrix(body_from_itrf @ itrf_from_gcrf(EPOCH, t_s))
    shake = jitter_rad * np.stack(
        [np.sin(2 * np.pi * jitter_hz * t_s + phase) for phase in (0.0, 1.0, 2.0)], axis=-1
    )
    return Trajectory(
        epoch=EPOCH,
        t_s=t_s,
        r_itrf=r,
        v_itrf=v,
        body_from_gcrf=quaternion_product(quaternion_from_rotation_vector(shake), quaternions),
    )


def pushbroom(
    trajectory: Trajectory,
    shape: tuple[int, int],
    *,
    first_col: float | None = None,
    ahead_rad: float = 0.0,
) -> Pushbroom:
    """An array whose middle is exposed in the middle of the flight, looking along the axis.

    `first_col` counts the columns of the whole row of detectors from the axis; None: centred.
    """
    rows, cols = shape
    first = -(cols - 1) / 2 if first_col is None else first_col
    return Pushbroom(
        trajectory=trajectory,
        first_line_s=-(rows - 1) / 2 * LINE_S,
        line_period_s=LINE_S,
        along=np.array([ahead_rad, 0.0]),
        across=np.array([first * PIXEL_RAD, PIXEL_RAD]),
    )
