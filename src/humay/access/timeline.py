"""The timeline of a satellite: nadir attitude, Sun, Moon, eclipses and nodes, for planners."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from humay.access.looks import EDGE_TOLERANCE_S, down_at
from humay.access.records import Timeline
from humay.arrays import FloatArray, norm, unit
from humay.earth import (
    AU_M,
    SOLAR_CONSTANT_W_M2,
    geodetic_from_itrf,
    moon_gcrf,
    sun_gcrf,
    sun_itrf,
    sunlit_fraction,
)
from humay.frames import inertial_velocity, itrf_from_gcrf, orbital_frame, quaternion_from_matrix
from humay.mission import Mission
from humay.orbit import Ephemeris, ephemerides
from humay.roots import positive_spans

STEP_S = 10.0
_MARGIN_S = 600.0


def find_timeline(
    mission: Mission,
    *,
    start: datetime,
    end: datetime,
    orbits: Mapping[str, Ephemeris] | None = None,
) -> dict[str, Timeline]:
    """Timelines of all satellites over [start, end] and ten minutes around it, every 10 s."""
    if orbits is None:
        orbits = ephemerides(mission, start, end)
    return {
        name: _timeline(ephemeris, ephemeris.epoch.seconds(start), ephemeris.epoch.seconds(end))
        for name, ephemeris in orbits.items()
    }


def _timeline(ephemeris: Ephemeris, start_s: float, end_s: float) -> Timeline:
    first, last = np.floor((start_s - _MARGIN_S) / STEP_S), np.ceil((end_s + _MARGIN_S) / STEP_S)
    t_s = np.arange(first, last + 1) * STEP_S
    epoch = ephemeris.epoch
    r, v = ephemeris.state_itrf(t_s)
    orb_from_itrf = orbital_frame(down_at(r, "geodetic"), inertial_velocity(r, v))
    sun = sun_gcrf(epoch, t_s)
    lit = _lit(ephemeris, t_s)
    lon, lat, _ = geodetic_from_itrf(r)
    inside = (ephemeris.node_s >= t_s[0] - 7000) & (ephemeris.node_s <= t_s[-1])
    return Timeline(
        satellite=ephemeris.satellite,
        epoch=epoch,
        t_s=t_s,
        nadir_attitude=quaternion_from_matrix(orb_from_itrf @ itrf_from_gcrf(epoch, t_s)),
        sun_gcrf=unit(sun),
        moon_gcrf=unit(moon_gcrf(epoch, t_s)),
        irradiance_w_m2=SOLAR_CONSTANT_W_M2 * (AU_M / norm(sun)) ** 2 * lit,
        lonlat_deg=np.degrees(np.stack([lon, lat], axis=-1)),
        eclipse_s=_eclipses(ephemeris, t_s, lit, start_s, end_s),
        node_s=ephemeris.node_s[inside],
        node_orbit=ephemeris.node_orbit[inside],
        orbit_epoch_s=ephemeris.orbit_epoch_s,
        inertial_speed_m_s=float(np.mean(norm(inertial_velocity(r, v)))),
    )


def _lit(ephemeris: Ephemeris, t_s: FloatArray) -> FloatArray:
    return sunlit_fraction(ephemeris.position_itrf(t_s), sun_itrf(ephemeris.epoch, t_s))


def _eclipses(
    ephemeris: Ephemeris, t_s: FloatArray, lit: FloatArray, start_s: float, end_s: float
) -> FloatArray:
    """Spans (e, 2) in which any part of the Sun is covered, cut to [start_s, end_s]."""

    def covered(t: FloatArray) -> FloatArray:
        return 1.0 - 1e-6 - _lit(ephemeris, t)

    dark = np.flatnonzero(lit < 1.0 - 1e-6)
    runs = np.split(dark, np.flatnonzero(np.diff(dark) > 1) + 1) if dark.size else []
    spans = []
    for run in runs:
        nodes = t_s[max(run[0] - 1, 0) : run[-1] + 2]
        spans += positive_spans(covered, nodes, tolerance=EDGE_TOLERANCE_S)
    cut = [(max(a, start_s), min(b, end_s)) for a, b in spans if b > start_s and a < end_s]
    return np.array(cut, dtype=np.float64).reshape(-1, 2)
