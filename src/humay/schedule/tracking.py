"""A fixed antenna kept on a station: the attitude of a satellite that sends, from its timeline."""

from __future__ import annotations

import numpy as np

from humay.access import Timeline
from humay.arrays import FloatArray, unit
from humay.earth import itrf_from_geodetic
from humay.frames import (
    itrf_from_gcrf,
    matrix_from_quaternion,
    quaternion_from_matrix,
)
from humay.mission import Station
from humay.schedule.attitude import IdleLaw, facing, interpolate, law_through

STEP_S = 1.0
AROUND_S = 30.0  # beyond a pass, where slews to it and from it end and begin


def tracking_law(
    station: Station, axis_body: FloatArray, timeline: Timeline, start_s: float, end_s: float
) -> IdleLaw:
    """The law that keeps a body axis on a station from start to end, and a little around them: x, y
    or z, whichever lies closest to a right angle with it, along the flight as nearly as it can."""
    low = max(start_s - AROUND_S, float(timeline.t_s[0]))
    high = min(end_s + AROUND_S, float(timeline.t_s[-1]))
    t_s = np.linspace(low, high, max(3, int(np.ceil((high - low) / STEP_S)) + 1))
    place = itrf_from_geodetic(
        np.array(station.lon_rad), np.array(station.lat_rad), np.array(station.height_m)
    )
    place_gcrf = np.einsum("nji,j->ni", itrf_from_gcrf(timeline.epoch, t_s), place)
    there = unit(place_gcrf - position_gcrf(timeline, t_s))
    nadir = interpolate(timeline.t_s, timeline.nadir_attitude, t_s)
    ahead = matrix_from_quaternion(nadir)[:, 0]
    q = quaternion_from_matrix(facing(there, ahead, axis_body))
    return law_through("station", t_s, q)


def position_gcrf(timeline: Timeline, t_s: FloatArray) -> FloatArray:
    """Positions (n, 3) in metres between the timeline's, by cubics, their slopes from neighbours:
    within a metre, where the straight way is 100 m off."""
    grid, r = timeline.t_s, timeline.r_gcrf_m
    slope = np.gradient(r, grid, axis=0, edge_order=2)
    i = np.clip(np.searchsorted(grid, t_s, side="right") - 1, 0, len(grid) - 2)
    h = (grid[i + 1] - grid[i])[:, None]
    u = ((t_s - grid[i])[:, None]) / h
    return np.asarray(
        (1 + 2 * u) * (1 - u) ** 2 * r[i]
        + u * (1 - u) ** 2 * h * slope[i]
        + u**2 * (3 - 2 * u) * r[i + 1]
        - u**2 * (1 - u) * h * slope[i + 1]
    )
