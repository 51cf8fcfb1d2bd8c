"""The rate at which a station receives, along a pass, from elevations derived here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from humay.arrays import FloatArray
from humay.check.case import Downlink, Pass
from humay.check.contacts import direction
from humay.mission import Satellite, Station

STEP_S = 1.0
EDGE_S = 1e-7


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of a downlink in which the link closes at one rate."""

    start_s: float
    end_s: float
    bit_s: float


def rate_at(satellite: Satellite, station: Station, elevation_rad: float) -> float:
    """Bits a second: the lowest of what satellite and station manage and of the step reached;
    nothing below the first step, nor in the keyhole."""
    if not station.downlink or elevation_rad >= station.max_elevation_rad < math.pi / 2:
        return 0.0
    rate = satellite.downlink_bit_s
    if station.downlink_bit_s is not None:
        rate = min(rate, station.downlink_bit_s)
    if station.rate_by_elevation:
        reached = [s for s in station.rate_by_elevation if s.elevation_rad <= elevation_rad]
        rate = min(rate, reached[-1].rate_bit_s if reached else 0.0)
    return rate


def steps_of(downlink: Downlink, booked: Pass) -> list[Step]:
    """The rates received from the start of a downlink to its end."""
    station = booked.station
    edges = [downlink.start_s, *_edges(downlink, booked), downlink.end_s]
    steps = []
    for start_s, end_s in pairwise(edges):
        middle = np.array([(start_s + end_s) / 2])
        elevation_rad = float(direction(station, booked.orbit, middle)[0][0])
        bit_s = rate_at(downlink.satellite, station, elevation_rad)
        steps.append(Step(start_s=start_s, end_s=end_s, bit_s=bit_s))
    return steps


def _edges(downlink: Downlink, booked: Pass) -> list[float]:
    """When the elevation goes through a step or the edge of the keyhole.

    Seconds are looked at one by one; between two of them elevation may turn once, so that it might
    pass a step both ways: such a second is looked at by its hundredths.
    """
    station = booked.station
    levels = [step.elevation_rad for step in station.rate_by_elevation]
    if station.max_elevation_rad < math.pi / 2:
        levels.append(station.max_elevation_rad)
    if not levels:
        return []
    t_s = _grid(downlink, booked)
    elevation = direction(station, booked.orbit, t_s)[0]
    found = []
    for level in levels:
        above = elevation >= level
        for i in np.flatnonzero(above[1:] != above[:-1]):
            found.append(_crossing(booked, level, float(t_s[i]), float(t_s[i + 1])))
    return sorted(found)


def _grid(downlink: Downlink, booked: Pass) -> FloatArray:
    count = max(2, math.ceil((downlink.end_s - downlink.start_s) / STEP_S) + 1)
    t_s = np.linspace(downlink.start_s, downlink.end_s, count)
    top_s = float(t_s[np.argmax(direction(booked.station, booked.orbit, t_s)[0])])
    near_s = top_s + np.linspace(-STEP_S, STEP_S, 201)
    return np.unique(np.concatenate([t_s, np.clip(near_s, downlink.start_s, downlink.end_s)]))


def _crossing(booked: Pass, level_rad: float, low_s: float, high_s: float) -> float:
    """Between two times on different sides of a level, by halving."""
    rising = direction(booked.station, booked.orbit, np.array([high_s]))[0][0] >= level_rad
    while high_s - low_s > EDGE_S:
        middle_s = (low_s + high_s) / 2
        above = direction(booked.station, booked.orbit, np.array([middle_s]))[0][0] >= level_rad
        low_s, high_s = (low_s, middle_s) if above == rising else (middle_s, high_s)
    return (low_s + high_s) / 2
