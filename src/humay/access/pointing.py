"""Pointing samples: what a planner needs to know of the orbit, so that it needs no orbit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from humay.access.lines import attitude_and_rate
from humay.access.looks import describe_look, line_period
from humay.access.records import LOOKS, Opportunities, Pointing
from humay.arrays import FloatArray, IntArray, unit
from humay.mission import Mission, Satellite
from humay.orbit import Ephemeris

NODE_STEP_S = 1.0  # between, the attitude turns evenly to 0.001 deg (a test holds it)
_SHARES = np.linspace(0.0, 1.0, LOOKS)
_ROWS_AT_ONCE = 2_000  # about 40,000 nodes, 100 MB
_TOLERANCE = 1e-9


def find_pointing(
    opportunities: Opportunities,
    mission: Mission,
    orbits: Mapping[str, Ephemeris],
    *,
    threads: int = 1,
) -> list[Pointing | None]:
    """For each opportunity the attitudes over its plan window; None where none is left. The same
    on any number of `threads`."""
    found: list[Pointing | None] = [None] * len(opportunities)
    plannable = opportunities.plan_end_s > opportunities.plan_start_s
    jobs = [
        (own[begin : begin + _ROWS_AT_ONCE], satellite)
        for satellite in mission.satellites
        for own in [np.flatnonzero(plannable & (opportunities.satellite == satellite.name))]
        for begin in range(0, len(own), _ROWS_AT_ONCE)
    ]

    def sample(job: tuple[IntArray, Satellite]) -> list[tuple[int, Pointing]]:
        rows, satellite = job
        return list(_sample(opportunities, rows, satellite, orbits[satellite.name]))

    with ThreadPoolExecutor(threads) as pool:
        for sampled in pool.map(sample, jobs):
            for row, pointing in sampled:
                found[row] = pointing
    return found


def _sample(
    opportunities: Opportunities, rows: IntArray, satellite: Satellite, ephemeris: Ephemeris
) -> Iterator[tuple[int, Pointing]]:
    """Pointing of some opportunities of one satellite by row, all samples computed at once."""
    low, high = opportunities.plan_start_s[rows], opportunities.plan_end_s[rows]
    wanted = np.maximum(2, np.ceil((high - low) / NODE_STEP_S).astype(int) + 1)
    order = np.argsort(wanted, kind="stable")
    rows, low, high, wanted = rows[order], low[order], high[order], wanted[order]
    made = np.minimum(wanted, _nodes_enough(satellite.max_off_nadir_rad))
    if len(ephemeris.segments) > 1:  # nothing is interpolated from one segment to the next
        made = wanted
    spans = zip(low, high, wanted, made, strict=True)
    starts = [
        np.linspace(a, b, full) if full == few else 0.5 * (a + b) + 0.5 * (b - a) * _nodes(few)
        for a, b, full, few in spans
    ]
    row = np.repeat(rows, made)
    flat = _looks(opportunities, row, np.concatenate(starts), satellite, ephemeris)
    first = np.concatenate([[0], np.cumsum(made)])
    lengths, begins = np.unique(wanted, return_index=True)
    for count, begin, end in zip(lengths, begins, [*begins[1:], len(rows)], strict=True):
        few = int(made[begin])
        alike = {
            name: values[first[begin] : first[end]].reshape(end - begin, few, *values.shape[1:])
            for name, values in flat.items()
        }
        if count > few:
            start_s = np.linspace(low[begin:end], high[begin:end], count, axis=-1)
            alike = {"start_s": start_s, **_spread(alike, int(count))}
        scan_s = opportunities.scan_s[rows[begin:end], None]
        per_line = satellite.camera.bits_per_pan_line()
        alike["data_bit"] = scan_s / alike["line_period_s"] * per_line
        for i, each in enumerate(rows[begin:end].tolist()):
            yield each, Pointing(**{name: values[i] for name, values in alike.items()})


def _looks(
    opportunities: Opportunities, row: IntArray, start_s: FloatArray, satellite: Satellite,
    ephemeris: Ephemeris,
) -> dict[str, FloatArray]:  # fmt: skip
    """The columns of `Pointing`, but for the data, of opportunities (n,) begun at times (n,)."""
    line, scan_s = opportunities.line[row], opportunities.scan_s[row]
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
    return {
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
        "line_period_s": line_period(middle.gsd_along_m, line.length_m / scan_s),
    }


# Few nodes, many samples --------------------------------------------------------------------------


def _nodes_enough(max_off_nadir_rad: float) -> int:
    """How many nodes of a polynomial give the pointing over a window to `_TOLERANCE`.

    Seen from a place, all of it is smooth in time but for where the distance would vanish: at
    i h / v from the closest approach, for a height h and a speed v. A window ends at most
    h tan(off-nadir) / v from it, so the error falls with each node by cot + sqrt(cot^2 + 1)
    (Trefethen, Approximation Theory and Approximation Practice, theorem 8.2).
    """
    cot = 1.0 / math.tan(max_off_nadir_rad)
    return 2 + math.ceil(-math.log(_TOLERANCE) / math.log(cot + math.hypot(cot, 1.0)))


def _nodes(count: int) -> FloatArray:
    """Chebyshev points (count,) from -1 to 1, both included."""
    return np.asarray(-np.cos(np.pi * np.arange(count) / (count - 1)))


@lru_cache(maxsize=1024)
def _spreading(count: int, few: int) -> FloatArray:
    """The matrix (count, few) from values at Chebyshev points to those at even steps between.

    The barycentric formula (Trefethen, as above, theorem 5.2); both ends are nodes.
    """
    weight = (-1.0) ** np.arange(few)
    weight[[0, -1]] *= 0.5
    apart = np.linspace(-1.0, 1.0, count)[:, None] - _nodes(few)
    met = np.abs(apart) < 1e-14
    terms = weight / np.where(met, 1.0, apart)
    terms[met.any(axis=1)] = 0.0
    terms[met] = 1.0
    return np.asarray(terms / terms.sum(axis=1, keepdims=True))


def _spread(samples: Mapping[str, FloatArray], count: int) -> dict[str, FloatArray]:
    """Samples (w, few, ...) at nodes of windows as samples (w, count, ...) at even steps."""
    spreading = _spreading(count, samples["start_s"].shape[1])
    names = [name for name in samples if name != "start_s"]
    columns = [_smooth(name, samples[name]) for name in names]
    widths = np.cumsum([column.shape[2] for column in columns])[:-1]
    spread = np.split(spreading @ np.concatenate(columns, axis=2), widths, axis=2)
    return {name: _restored(name, values) for name, values in zip(names, spread, strict=True)}


def _smooth(name: str, values: FloatArray) -> FloatArray:
    """Values (w, k) or (w, k, n) as (w, k, n); quaternions in the hemisphere of the one before."""
    if not name.endswith("_attitude"):
        return values.reshape(*values.shape[:2], -1)
    apart = np.sum(values[:, 1:] * values[:, :-1], axis=-1) < 0
    sign = np.cumprod(np.where(apart, -1.0, 1.0), axis=1)
    return np.concatenate([values[:, :1], values[:, 1:] * sign[..., None]], axis=1)


def _restored(name: str, values: FloatArray) -> FloatArray:
    """The inverse of `_smooth`, an array of its own: unit vectors, scalar parts not negative."""
    if name.endswith("_attitude"):
        values = values / np.sqrt(np.sum(values * values, axis=-1, keepdims=True))
        return np.where(values[..., 3:] < 0, -values, values)
    if name == "to_satellite_enu":
        return unit(values)
    return np.array(values[..., 0] if values.shape[2] == 1 else values)


def _enu(incidence_rad: FloatArray, azimuth_rad: FloatArray) -> FloatArray:
    """Unit vectors (n, 3) east, north, up: azimuth turns fast near the zenith, these do not."""
    flat = np.sin(incidence_rad)
    return np.stack(
        [flat * np.sin(azimuth_rad), flat * np.cos(azimuth_rad), np.cos(incidence_rad)], axis=-1
    )
