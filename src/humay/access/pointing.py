"""Pointing samples: what a planner needs to know of the orbit, so that it needs no orbit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from humay.access.lines import attitude_and_rate
from humay.access.looks import describe_look, line_period
from humay.access.records import LOOKS, Opportunities, Pointing
from humay.arrays import FloatArray, IntArray
from humay.mission import Mission, Satellite
from humay.orbit import Ephemeris

NODE_STEP_S = 1.0  # between, the attitude turns evenly to 0.001 deg (a test holds it)
_SHARES = np.linspace(0.0, 1.0, LOOKS)
_ROWS_AT_ONCE = 200  # about 20,000 samples, 50 MB


def find_pointing(
    opportunities: Opportunities, mission: Mission, orbits: Mapping[str, Ephemeris]
) -> list[Pointing | None]:
    """For each opportunity the attitudes over its plan window; None where none is left."""
    found: list[Pointing | None] = [None] * len(opportunities)
    plannable = opportunities.plan_end_s > opportunities.plan_start_s
    for satellite in mission.satellites:
        own = np.flatnonzero(plannable & (opportunities.satellite == satellite.name))
        for begin in range(0, len(own), _ROWS_AT_ONCE):
            rows = own[begin : begin + _ROWS_AT_ONCE]
            samples = _sample(opportunities, rows, satellite, orbits[satellite.name])
            for row, pointing in zip(rows, samples, strict=True):
                found[row] = pointing
    return found


def _sample(
    opportunities: Opportunities, rows: IntArray, satellite: Satellite, ephemeris: Ephemeris
) -> list[Pointing]:
    """Pointing of some opportunities of one satellite, all their samples computed at once."""
    low, high = opportunities.plan_start_s[rows], opportunities.plan_end_s[rows]
    starts = [
        np.linspace(a, b, max(2, int(np.ceil((b - a) / NODE_STEP_S)) + 1))
        for a, b in zip(low, high, strict=True)
    ]
    row = np.repeat(rows, [len(each) for each in starts])
    start_s, line = np.concatenate(starts), opportunities.line[row]
    scan_s = opportunities.scan_s[row]
    settle, first, last = (
        attitude_and_rate(ephemeris, line, start_s, scan_s, start_s + offset)
        for offset in (-satellite.settle_s, 0.0, scan_s)
    )
    looks = [
        describe_look(
            satellite, ephemeris, line, start_s + part * scan_s, np.full(len(row), part), "geodetic"
        )
        for part in _SHARES
    ]
    middle = looks[len(looks) // 2]
    line_period_s = line_period(middle.gsd_along_m, line.length_m / scan_s)
    flat = {
        "start_s": start_s,
        "settle_attitude": settle[0],
        "settle_rate_rad_s": settle[1],
        "first_attitude": first[0],
        "first_rate_rad_s": first[1],
        "last_attitude": last[0],
        "last_rate_rad_s": last[1],
        "roll_rad": np.stack([look.roll_rad for look in looks], axis=-1),
        "pitch_rad": np.stack([look.pitch_rad for look in looks], axis=-1),
        "to_satellite_enu": _enu(middle.incidence_rad, middle.azimuth_rad),
        "sun_elevation_rad": middle.sun_elevation_rad,
        "gsd_mean_m": np.sqrt(middle.gsd_along_m * middle.gsd_across_m),
        "line_period_s": line_period_s,
        "data_bit": scan_s / line_period_s * satellite.camera.bits_per_pan_line(),
    }
    cuts = np.cumsum([len(each) for each in starts])[:-1]
    parts = {name: np.split(values, cuts) for name, values in flat.items()}
    return [Pointing(**{name: parts[name][i] for name in parts}) for i in range(len(rows))]


def _enu(incidence_rad: FloatArray, azimuth_rad: FloatArray) -> FloatArray:
    """Unit vectors (n, 3) east, north, up: azimuth turns fast near the zenith, these do not."""
    flat = np.sin(incidence_rad)
    return np.stack(
        [flat * np.sin(azimuth_rad), flat * np.cos(azimuth_rad), np.cos(incidence_rad)], axis=-1
    )
