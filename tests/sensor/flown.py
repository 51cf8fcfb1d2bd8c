"""A satellite over Baku that sweeps its line of sight along a meridian: for tests of sensors."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from humay.access import GroundLine, body_from_gcrf
from humay.arrays import FloatArray
from humay.earth import ellipsoid_normal
from humay.orbit import Ephemeris, Segment
from humay.spacecraft import Trajectory
from humay.time import Epoch

EPOCH = Epoch(datetime(2019, 11, 2, tzinfo=UTC))
BAKU = np.radians([49.87, 40.41])
SWEEP_S = 3.0
STEP_S = 1 / 64


def ephemeris(off_nadir_deg: float = 0.0, altitude_m: float = 694e3) -> Ephemeris:
    """A circle in space past Baku, southward, at t = 0 seen from there at about `off_nadir_deg`."""
    omega, mu = 7.292115e-5, 3.986004418e14
    radius = 6_378_137.0 + altitude_m
    lon, lat = BAKU
    across = np.radians(off_nadir_deg) * altitude_m / radius
    up = ellipsoid_normal(lon, lat)
    south = np.array([np.sin(lat) * np.cos(lon), np.sin(lat) * np.sin(lon), -np.cos(lat)])
    up = np.cos(across) * up + np.sin(across) * np.cross(south, up)
    rate = np.sqrt(mu / radius**3)
    t_s: FloatArray = np.arange(-120.0, 121.0, 10.0)
    angle: FloatArray = np.asarray(rate * t_s[:, None])
    fixed = radius * (np.cos(angle) * up + np.sin(angle) * south)
    speed = radius * rate * (np.cos(angle) * south - np.sin(angle) * up)
    pull = -(rate**2) * fixed
    spin = np.array([0.0, 0.0, omega])
    v = speed - np.cross(spin, fixed)
    a = pull - 2 * np.cross(spin, speed) + np.cross(spin, np.cross(spin, fixed))
    turned = [_about_z(x, -omega * t_s) for x in (fixed, v, a)]
    segment = Segment(t_s=t_s, r_itrf=turned[0], v_itrf=turned[1], a_itrf=turned[2])
    none = np.array([])
    return Ephemeris(
        satellite="test-1", epoch=EPOCH, segments=(segment,), orbit_epoch_s=0.0,
        node_s=none, node_orbit=none,
    )  # fmt: skip


def _about_z(v: FloatArray, angle: FloatArray) -> FloatArray:
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * v[:, 0] - s * v[:, 1], s * v[:, 0] + c * v[:, 1], v[:, 2]], axis=-1)


def flight(off_nadir_deg: float = 0.0, wobble_rad: float = 0.0) -> Trajectory:
    """The way of that satellite while it sweeps 20 km through Baku, from t = 0 on."""
    orbit = ephemeris(off_nadir_deg)
    up = ellipsoid_normal(*BAKU)
    south = np.array([np.sin(BAKU[1]) * np.cos(BAKU[0]), np.sin(BAKU[1]) * np.sin(BAKU[0]), -1.0])
    line = GroundLine.centred(up, south, np.asarray(20e3), np.asarray(0.0))
    t_s = np.arange(-1.5, SWEEP_S + 1.5 + STEP_S, STEP_S)
    start, length = np.zeros(t_s.shape), np.full(t_s.shape, SWEEP_S)
    q = body_from_gcrf(orbit, line, start, length, t_s)
    if wobble_rad:
        q = q + wobble_rad * np.sin(2 * np.pi * 7.0 * t_s)[:, None] * q[:, [1, 0, 3, 2]]
        q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    r, v = orbit.state_itrf(t_s)
    return Trajectory(epoch=EPOCH, t_s=t_s, r_itrf=r, v_itrf=v, body_from_gcrf=q)
