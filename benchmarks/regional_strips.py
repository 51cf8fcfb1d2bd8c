"""Strips over the regions of a regional coverage case, and the cells that each covers.

Rolls lie a quarter of a strip's width apart; besides strips across the whole region there are
those that leave time for another roll in the same pass, at rolls a width apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from benchmarks.brahe_sky import states_itrf
from benchmarks.regional_rules import Case, Region, Satellite, Strip, edge_deg

from humay.arrays import BoolArray, FloatArray, IntArray, cross, dot, unit
from humay.earth import itrf_from_geodetic

ROLLS, CUT_ROLLS = 4, 1  # to the width of a strip
LEAST_SHARE = 1e-3  # of a region: strips that cover less are left out
ROLL_MARGIN_DEG = 0.05
EARTH_M = 6_371_000.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """Satellite k beside region g: the samples of time `t_s` (n,), and for the cells (m,) that it
    passes the sample before it is abreast of them and the roll to them then."""

    satellite: int
    region: int
    t_s: FloatArray
    cell: IntArray
    sample: IntArray
    roll_deg: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sweep:
    """The cells (m,) that a pass covers at one roll, and the end (s) of the piece each is in."""

    over: Pass
    roll_deg: float
    cell: IntArray
    end_s: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A candidate and the cells that it covers, numbered over all regions."""

    strip: Strip
    cells: IntArray


def pieces(case: Case) -> list[Piece]:
    """The candidates, by satellite, region and time."""
    first = np.cumsum([0, *(len(region.share) for region in case.regions)])
    return [
        Piece(strip=strip, cells=first[over.region] + cells)
        for over in passes(case)
        for strip, cells in _strips(case, over)
    ]


# ---------------------------------------------------------------- passes


def passes(case: Case) -> Iterator[Pass]:
    """Every pass in which cells of a region come abreast of a satellite where it may look."""
    t_s = np.arange(0.0, case.horizon_s + 1, case.sample_s)
    places = [_places(region) for region in case.regions]
    for k, satellite in enumerate(case.satellites):
        r, v = states_itrf(satellite.lines, case.start, t_s)
        for g, cells in enumerate(places):
            for run in _near(satellite, r, cells):
                over = _abreast(satellite, cells, r[run], v[run])
                if len(over[0]):
                    cell, sample, roll_deg = over
                    yield Pass(
                        satellite=k, region=g, t_s=t_s[run], cell=cell, sample=sample,
                        roll_deg=roll_deg,
                    )  # fmt: skip


def _places(region: Region) -> FloatArray:
    """Its cells (n, 3) in ITRF."""
    lon_rad, lat_rad = np.radians(region.cells_deg.T)
    return itrf_from_geodetic(lon_rad, lat_rad, np.zeros(len(lon_rad)))


def _near(satellite: Satellite, r: FloatArray, cells: FloatArray) -> list[IntArray]:
    """Runs of samples from which some cell might be seen."""
    middle = unit(np.mean(cells, axis=0))
    spread = np.max(np.arccos(np.clip(unit(cells) @ middle, -1, 1)))
    tilt = math.radians(satellite.farthest_deg)
    height = np.max(np.linalg.norm(r, axis=1)) / EARTH_M
    reach = math.asin(min(height * math.sin(tilt), 1.0)) - tilt + 0.02
    near = np.flatnonzero(unit(r) @ middle > math.cos(min(spread + reach, math.pi)))
    runs = np.split(near, np.flatnonzero(np.diff(near) > 1) + 1)
    return [run for run in runs if len(run) > 1]


def _abreast(
    satellite: Satellite, cells: FloatArray, r: FloatArray, v: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Cells that are passed within the limits of the roll, the sample before, and the roll."""
    nadir = -unit(r)
    along = unit(v - dot(v, nadir)[:, None] * nadir)
    ahead = along @ cells.T - dot(along, r)[:, None]
    passed = (ahead[:-1] >= 0) & (ahead[1:] < 0)
    cell = np.flatnonzero(np.any(passed, axis=0))
    sample = np.argmax(passed[:, cell], axis=0)
    sight = cells[cell] - r[sample]
    roll_deg = np.degrees(
        np.arctan2(dot(sight, cross(along, nadir)[sample]), dot(sight, nadir[sample]))
    )
    tilt = np.abs(roll_deg)
    seen = (tilt > satellite.nearest_deg - 1) & (tilt < satellite.farthest_deg + 1)
    return cell[seen], sample[seen], roll_deg[seen]


# ---------------------------------------------------------------- strips


def _strips(case: Case, over: Pass) -> Iterator[tuple[Strip, IntArray]]:
    """Strips of one pass, and the cells of the region that each covers."""
    satellite = case.satellites[over.satellite]
    share = case.regions[over.region].share
    for number, roll_deg in _rolls(satellite, over):
        sweep = _sweep(case, over, roll_deg)
        spans = _spans(case, satellite, sweep, cut=number % max(ROLLS // CUT_ROLLS, 1) == 0)
        for start_s, end_s in spans:
            cells = sweep.cell[(sweep.end_s > start_s) & (sweep.end_s <= end_s)]
            if np.sum(share[cells]) >= LEAST_SHARE:
                yield (
                    Strip(
                        satellite=satellite, start_s=start_s, duration_s=end_s - start_s,
                        roll_deg=roll_deg,
                    ),
                    np.sort(cells),
                )  # fmt: skip


def _rolls(satellite: Satellite, over: Pass) -> Iterator[tuple[int, float]]:
    """Numbered rolls to either side at which there are cells, the limits among them."""
    half = 0.5 * satellite.field_deg
    low, high = satellite.nearest_deg + half, satellite.farthest_deg - half
    count = max(math.ceil((high - low) / satellite.field_deg * ROLLS), 1)
    for side in (-1.0, 1.0):
        for number, tilt_deg in enumerate(np.linspace(low, high, count + 1).tolist()):
            if np.any(np.abs(over.roll_deg - side * tilt_deg) < half):
                yield number, side * tilt_deg


def _sweep(case: Case, over: Pass, roll_deg: float) -> Sweep:
    """Which cells lie in the quadrilaterals that the pass makes at a roll."""
    satellite = case.satellites[over.satellite]
    half = 0.5 * satellite.field_deg
    near = np.flatnonzero(np.abs(over.roll_deg - roll_deg) < half + ROLL_MARGIN_DEG)
    low = max(int(np.min(over.sample[near])) - 1, 0)
    high = int(np.max(over.sample[near])) + 3
    t_s = over.t_s[low:high]
    corners = [
        edge_deg(case, satellite, t_s, math.copysign(tilt, roll_deg))
        for tilt in (abs(roll_deg) - half, abs(roll_deg) + half)
    ]
    quads = np.stack([corners[0][:-1], corners[1][:-1], corners[1][1:], corners[0][1:]], axis=1)
    cells = case.regions[over.region].cells_deg[over.cell[near]]
    piece = np.full(len(near), -1)
    for step in (1, -1, 0):
        k = np.clip(over.sample[near] - low + step, 0, len(quads) - 1)
        piece = np.where(_in_quads(cells, quads[k]), k, piece)
    held = piece >= 0
    return Sweep(
        over=over, roll_deg=roll_deg, cell=over.cell[near[held]], end_s=t_s[piece[held] + 1]
    )


def _in_quads(points: FloatArray, quads: FloatArray) -> BoolArray:
    """Whether each point (n, 2) lies in its convex quadrilateral (n, 4, 2)."""
    side = np.roll(quads, -1, axis=1) - quads
    off = points[:, None] - quads
    turn = side[..., 0] * off[..., 1] - side[..., 1] * off[..., 0]
    return np.asarray(np.all(turn >= 0, axis=1) | np.all(turn <= 0, axis=1))


def _spans(
    case: Case, satellite: Satellite, sweep: Sweep, *, cut: bool
) -> list[tuple[float, float]]:
    """When to begin and end a strip: so as to cover all of the region, and, where `cut`, its first
    or its last part."""
    if not len(sweep.cell):
        return []
    step = case.action_s
    first = math.floor((np.min(sweep.end_s) - case.sample_s) / step) * step
    last = math.ceil(np.max(sweep.end_s) / step) * step
    shortest = math.ceil(satellite.shortest_s / step) * step
    longest = math.floor(satellite.longest_s / step) * step
    shifts = range(first, max(last - longest, first) + 1, step)
    spans = [(at, min(at + longest, last)) for at in shifts]
    if cut:
        cuts = range(first + shortest, last - shortest + 1, step)
        spans += [span for at in cuts for span in ((first, at), (at, last))]
    grown = {(start, max(end, start + shortest)) for start, end in spans}
    return sorted(
        (float(start), float(end))
        for start, end in grown
        if start >= 0 and end <= case.horizon_s and end - start <= longest
    )
