"""The timeline of a satellite: nadir attitude, Sun, Moon, eclipses and nodes, for planners."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from humay.access.eclipses import shadow_spans
from humay.access.records import Timeline
from humay.arrays import FloatArray, norm, unit
from humay.earth import (
    AU_M,
    SOLAR_CONSTANT_W_M2,
    ellipsoid_normal,
    geodetic_from_itrf,
    moon_gcrf,
    sun_gcrf,
    sunlit_fraction,
)
from humay.frames import inertial_velocity, itrf_from_gcrf, orbital_frame, quaternion_from_matrix
from humay.mission import Mission
from humay.orbit import Ephemeris, ephemerides
from humay.time import Epoch

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
    epoch = next(iter(orbits.values())).epoch  # which all of them share
    span_s = epoch.seconds(start), epoch.seconds(end)
    first = np.floor((span_s[0] - _MARGIN_S) / STEP_S)
    last = np.ceil((span_s[1] + _MARGIN_S) / STEP_S)
    heavens = _heavens(epoch, np.arange(first, last + 1) * STEP_S)
    return {name: _timeline(ephemeris, heavens, span_s) for name, ephemeris in orbits.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class _Heavens:
    """What is the same for all satellites at instants `t_s` (k,): the turn of the Earth (k, 3, 3),
    Sun and Moon (k, 3) in metres."""

    epoch: Epoch
    t_s: FloatArray
    itrf_from_gcrf: FloatArray
    sun_gcrf: FloatArray
    sun_itrf: FloatArray
    moon_gcrf: FloatArray


def _heavens(epoch: Epoch, t_s: FloatArray) -> _Heavens:
    turn, sun = itrf_from_gcrf(epoch, t_s), sun_gcrf(epoch, t_s)
    return _Heavens(
        epoch=epoch,
        t_s=t_s,
        itrf_from_gcrf=turn,
        sun_gcrf=sun,
        sun_itrf=np.einsum("nij,nj->ni", turn, sun),
        moon_gcrf=moon_gcrf(epoch, t_s),
    )


def _timeline(ephemeris: Ephemeris, heavens: _Heavens, span_s: tuple[float, float]) -> Timeline:
    t_s, sun = heavens.t_s, heavens.sun_gcrf
    r, v = ephemeris.state_itrf(t_s)
    inertial_v = inertial_velocity(r, v)
    lon, lat, _ = geodetic_from_itrf(r)
    orb_from_itrf = orbital_frame(-ellipsoid_normal(lon, lat), inertial_v)
    inside = (ephemeris.node_s >= t_s[0] - 7000) & (ephemeris.node_s <= t_s[-1])
    flux_w_m2 = SOLAR_CONSTANT_W_M2 * (AU_M / norm(sun)) ** 2
    return Timeline(
        satellite=ephemeris.satellite,
        epoch=heavens.epoch,
        t_s=t_s,
        r_gcrf_m=np.einsum("nji,nj->ni", heavens.itrf_from_gcrf, r),
        nadir_attitude=quaternion_from_matrix(orb_from_itrf @ heavens.itrf_from_gcrf),
        sun_gcrf=unit(sun),
        moon_gcrf=unit(heavens.moon_gcrf),
        irradiance_w_m2=flux_w_m2 * sunlit_fraction(r, heavens.sun_itrf),
        lonlat_deg=np.degrees(np.stack([lon, lat], axis=-1)),
        eclipse_s=shadow_spans(ephemeris, *span_s)[0],
        node_s=ephemeris.node_s[inside],
        node_orbit=ephemeris.node_orbit[inside],
        orbit_epoch_s=ephemeris.orbit_epoch_s,
        inertial_speed_m_s=float(np.mean(norm(inertial_v))),
    )
