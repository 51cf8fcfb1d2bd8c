"""Windows under trees of conditions, against samples every 0.05 s by the formulas of the check."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from humay.access import Opportunities, find_opportunities
from humay.arrays import BoolArray, FloatArray, cross, unit
from humay.check.conditions import hold
from humay.check.quantities import Looks, Nadir, value_of
from humay.earth import ellipsoid_normal, itrf_from_normal
from humay.mission import (
    CORE_QUANTITY,
    QUANTITIES,
    AllOf,
    AnyOf,
    Band,
    Camera,
    CloudModel,
    CoarseRelief,
    Constraint,
    HorizonMask,
    Inside,
    Mission,
    Not,
    OrbitSigma,
    PassDirection,
    RelativeOrbit,
    Request,
    Satellite,
    Sunlit,
    TleOrbit,
    Within,
    describe,
)
from humay.orbit import Ephemeris, ephemerides
from tests.access.conftest import SPOT_TLE, START

STEP_S = 0.05
LONGEST_MISS_S = 0.2
AROUND_S = 400.0  # the pass of a place lies this close to where it is passed closest
TILT_DEG = 45.0
QUICK = settings(max_examples=20)
LONG = settings(max_examples=400)


@cache
def sky() -> Mission:
    """SPOT 6 without limits but 45 deg of tilt, by day and by night, under some clouds."""
    band = Band(name="pan", pixels=28_000, pixel_pitch_m=13e-6, bits=12, response_m=(45e-8, 75e-8))
    camera = Camera(name="naomi", focal_length_m=4.216, aperture_m=0.2, bands=(band,))
    satellite = Satellite(
        name="spot-6", orbit=TleOrbit(path=Path("spot67.tle"), text=SPOT_TLE), camera=camera,
        max_off_nadir_rad=math.radians(TILT_DEG), min_sun_elevation_rad=-math.pi / 2,
        slew_rate_rad_s=0.06, slew_acceleration_rad_s2=0.02, settle_s=3.0,
        orbit_sigma=OrbitSigma(at_epoch_m=300.0, per_day_m=500.0), pointing_sigma_rad=3e-4,
        preparation_s=3600.0, command_lead_s=600.0, memory_bit=1e12, downlink_bit_s=3e8,
    )  # fmt: skip
    chance = np.random.default_rng(5).random((1, 90, 180))
    clouds = CloudModel(
        path=Path("clouds"), probabilities=chance.astype("f4"), west_deg=-180.0, north_deg=90.0,
        cell_lon_deg=2.0, cell_lat_deg=2.0,
    )  # fmt: skip
    return Mission(
        name="spot", path=Path("spot.toml"), satellites=(satellite,), stations=(),
        cameras=(camera,), heights=CoarseRelief(), clouds=clouds,
    )  # fmt: skip


@cache
def orbit() -> Ephemeris:
    return ephemerides(sky(), START, START + timedelta(days=3))["spot-6"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """One pass over one place: looks every 0.05 s, and the span they are in."""

    place: Point
    height_m: float
    looks: Looks
    nadir: Nadir

    def request(self, name: str, tree: Constraint | None) -> Request:
        return Request(
            name=name, geometry=self.place, kind="point", height_m=self.height_m, constraints=tree
        )


def pass_of(hour: float, aside: float, height_m: float, nadir: Nadir) -> Pass:
    """The pass at an hour of the three days over a place `aside` (rad) from the track."""
    middle_s = orbit().epoch.seconds(START) + 3600.0 * hour
    r, v = orbit().state_itrf(np.array([middle_s]))
    up = unit(unit(r) + aside * unit(cross(r, v)))[0]
    lon, lat = np.arctan2(up[1], up[0]), np.arcsin(up[2])
    t_s = np.arange(middle_s - AROUND_S, middle_s + AROUND_S, STEP_S)
    normals = np.broadcast_to(ellipsoid_normal(lon, lat), (len(t_s), 3))
    looks = Looks(
        request="x",
        orbit=orbit(),
        t_s=t_s,
        up=normals,
        place=itrf_from_normal(normals, np.array(height_m)),
        ifov_rad=sky().cameras[0].ifov_rad,
        heights=sky().heights,
        clouds=sky().clouds,
        nadir=nadir,
    )
    place = Point(math.degrees(lon), math.degrees(lat))
    return Pass(place=place, height_m=height_m, looks=seen(looks), nadir=nadir)


LIMITS = AllOf(
    parts=(
        Within(quantity="off_nadir_rad", high=math.radians(TILT_DEG)),
        Within(quantity="incidence_rad", high=math.pi / 2),
    )
)


def seen(looks: Looks) -> Looks:
    """The looks in reach, and two to either side."""
    inside = np.flatnonzero(hold(LIMITS, looks))
    first, last = (inside[0] - 2, inside[-1] + 3) if len(inside) else (0, 4)
    cut = slice(max(first, 0), last)
    return replace(looks, t_s=looks.t_s[cut], up=looks.up[cut], place=looks.place[cut])


def windows(own: Pass, trees: Sequence[Constraint | None]) -> list[list[tuple[float, float]]]:
    """What the search finds of the pass under each tree."""
    requests = [own.request(f"{i}", tree) for i, tree in enumerate(trees)]
    begin, end = own.looks.t_s[[0, -1]]
    found = search(requests, begin, end, own.nadir)
    return [spans_of(found, f"{i}") for i in range(len(trees))]


def search(
    requests: Sequence[Request], begin_s: float, end_s: float, nadir: Nadir
) -> Opportunities:
    start, end = (orbit().epoch.utc(t) for t in (begin_s, end_s))
    known = {"spot-6": orbit()}
    return find_opportunities(sky(), requests, start=start, end=end, nadir=nadir, orbits=known)


def spans_of(found: Opportunities, name: str) -> list[tuple[float, float]]:
    rows = np.flatnonzero(found.request == name)
    return sorted(zip(found.start_s[rows], found.end_s[rows], strict=True))


def inside(spans: Sequence[tuple[float, float]], t_s: FloatArray) -> BoolArray:
    found = np.zeros(t_s.shape, dtype=bool)
    for begin, end in spans:
        found |= (t_s >= begin) & (t_s <= end)
    return found


def longest_run_s(wrong: BoolArray) -> float:
    """Length of the longest row of samples that are wrong."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], wrong.astype(int), [0]])))
    return STEP_S * float(max(edges[1::2] - edges[::2], default=0))


# Trees whose bounds lie inside a pass -------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A condition before its pass is known: where between least and most its bounds lie."""

    what: str
    low: float
    high: float
    seed: int

    def half(self) -> Draft:
        """The same with one bound, or half a circle."""
        return replace(self, high=math.inf)

    def of(self, own: Pass) -> Constraint:
        rng = np.random.default_rng(self.seed)
        looks = own.looks
        if self.what in CORE_QUANTITY:
            return self._within(looks, rng)
        if self.what == "mask":
            elevation = math.pi / 2 - value_of(Within(quantity="incidence_rad"), looks)
            levels = rng.choice(elevation, 6) + rng.normal(0, 0.05, 6)
            azimuths = np.sort(rng.uniform(0, 2 * math.pi, 6))
            return HorizonMask(points=tuple(zip(azimuths, np.clip(levels, -1, 1.5), strict=True)))
        if self.what == "inside":
            x, y = own.place.x + rng.uniform(-1.5, 1.5), own.place.y + rng.uniform(-1, 1)
            turn = 360 * int(rng.integers(-1, 2))
            return Inside(
                geometry=Polygon([(x + turn - 1, y), (x + turn + 1, y), (x + turn, y + 1)])
            )
        if self.what == "orbit":
            number = int(looks.orbit.orbit_at(looks.t_s[:1])[0][0])
            return RelativeOrbit(numbers=((number - 1) % 3 + 1, self.seed % 3 + 1), cycle=3)
        return Sunlit() if self.what == "sunlit" else PassDirection(ascending=self.seed % 2 == 0)

    def _within(self, looks: Looks, rng: np.random.Generator) -> Constraint:
        quantity = CORE_QUANTITY[self.what]
        axis = tuple(unit(rng.normal(size=3)).tolist()) if quantity.has_axis else (0.0, 0.0, 1.0)
        whole = {"low": 0.0, "high": math.radians(360)} if quantity.circular else {}
        values = value_of(Within(quantity=self.what, axis=axis, **whole), looks)
        pick = np.array([self.low, min(self.high, 1.0)]) * (len(values) - 1)
        low, high = values[pick.astype(int)] * (1 + rng.normal(0, 1e-3, 2))
        if quantity.circular:
            low, high = np.clip([low, high], 0, math.radians(360))
            high = (low + math.pi) % (2 * math.pi) if self.high == math.inf else high
            return Within(quantity=self.what, low=low, high=high)
        low, high = sorted([low, high])
        open_ = rng.integers(1 if self.high == math.inf else 0, 3)
        return Within(
            quantity=self.what,
            low=-math.inf if open_ == 1 else low,
            high=math.inf if open_ == 2 else high,
            axis=axis,
        )


KINDS = [*(q.core for q in QUANTITIES), "mask", "inside", "orbit", "sunlit", "direction"]
share = st.floats(0, 1)
drafts = st.builds(
    Draft, what=st.sampled_from(KINDS), low=share, high=share, seed=st.integers(0, 10**6)
)
Node = Draft | tuple[str, list["Node"]]
nodes: st.SearchStrategy[Node] = st.recursive(
    drafts,
    lambda inner: st.tuples(
        st.sampled_from(["and", "or", "not"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=7,
)


def grown(node: Node, own: Pass, *, halves: bool = False) -> Constraint:
    """A tree of a pass, perhaps of half-spaces only."""
    if isinstance(node, Draft):
        return (node.half() if halves else node).of(own)
    word, below = node
    parts = tuple(grown(part, own, halves=halves) for part in below)
    if word == "not":
        return Not(part=AllOf(parts=parts))
    return AllOf(parts=parts) if word == "and" else AnyOf(parts=parts)


passes = {
    "hour": st.floats(1, 70),
    "aside": st.floats(-0.1, 0.1),
    "height_m": st.floats(-100, 4000),
    "nadir": st.sampled_from(["geodetic", "geocentric"]),
}


def hold_against_samples(own: Pass, tree: Constraint) -> None:
    """No lobe missed, none invented; inside all holds, just outside something fails."""
    [found] = windows(own, [tree])
    t_s = own.looks.t_s
    wanted = hold(AllOf(parts=(LIMITS, tree)), own.looks)
    wrong = inside(found, t_s) != wanted
    assert longest_run_s(wrong) < LONGEST_MISS_S, describe(tree)
    missed_edge_s = 2e-3
    for begin, end in found:
        if end - begin < 0.01:
            continue
        for edge, outwards in ((begin, -1.0), (end, 1.0)):
            if not t_s[0] + 0.01 < edge < t_s[-1] - 0.01:
                continue  # cut by the span
            around = at(own.looks, edge + outwards * missed_edge_s * np.array([-1.0, 1.0]))
            assert hold(AllOf(parts=(LIMITS, tree)), around).tolist() == [True, False]


def at(looks: Looks, t_s: FloatArray) -> Looks:
    n = len(t_s)
    return replace(looks, t_s=t_s, up=looks.up[:n], place=looks.place[:n])


# Points ------------------------------------------------------------------------------------------


@QUICK
@given(node=nodes, **passes)
def test_a_tree_holds_where_samples_say_so(
    node: Node, hour: float, aside: float,
    height_m: float, nadir: Nadir,
) -> None:  # fmt: skip
    own = pass_of(hour, aside, height_m, nadir)
    hold_against_samples(own, grown(node, own))


@pytest.mark.slow
@LONG
@given(node=nodes, **passes)
def test_many_trees_hold_where_samples_say_so(
    node: Node, hour: float, aside: float,
    height_m: float, nadir: Nadir,
) -> None:  # fmt: skip
    own = pass_of(hour, aside, height_m, nadir)
    hold_against_samples(own, grown(node, own))


@QUICK
@given(a=nodes, b=nodes, **passes)
def test_and_or_not_behave_as_sets(
    a: Node, b: Node, hour: float, aside: float,
    height_m: float, nadir: Nadir,
) -> None:  # fmt: skip
    own = pass_of(hour, aside, height_m, nadir)
    one, two = grown(a, own), grown(b, own)
    trees = [None, one, two, one & two, one | two, ~one, ~(one & two), ~one | ~two]
    found = windows(own, trees)
    t_s = clear_of(found, own.looks.t_s)
    every, in_one, in_two, both, either, not_one, not_both, de_morgan = (
        inside(spans, t_s) for spans in found
    )
    assert np.array_equal(both, in_one & in_two)
    assert np.array_equal(either, in_one | in_two)
    assert np.array_equal(not_one, every & ~in_one)
    assert np.array_equal(not_both, every & ~both)
    assert np.array_equal(not_both, de_morgan)


def clear_of(found: Sequence[Sequence[tuple[float, float]]], t_s: FloatArray) -> FloatArray:
    """The times that lie 1 ms and more from every edge."""
    edges = np.array([edge for spans in found for span in spans for edge in span])
    if not len(edges):
        return t_s
    return np.asarray(t_s[np.abs(t_s[:, None] - edges).min(axis=1) > 1e-3])


@QUICK
@given(node=nodes, draft=drafts, narrower=st.floats(0, 0.2), **passes)
def test_a_stricter_limit_never_adds_time(
    node: Node, draft: Draft, narrower: float,
    hour: float, aside: float, height_m: float, nadir: Nadir,
) -> None:  # fmt: skip
    own = pass_of(hour, aside, height_m, nadir)
    tree, wide = grown(node, own), draft.of(own)
    narrow = wide
    if isinstance(wide, Within) and not CORE_QUANTITY[wide.quantity].circular:
        size = abs(wide.low if math.isfinite(wide.low) else wide.high) * narrower
        if wide.low + size < wide.high - size:
            narrow = replace(wide, low=wide.low + size, high=wide.high - size)
    loose, strict, less = windows(own, [wide | tree, narrow | tree, narrow & tree])
    for spans, around in ((strict, loose), (less, strict)):
        for begin, end in spans:
            assert any(low <= begin + 1e-5 and end <= high + 1e-5 for low, high in around)


@QUICK
@given(node=nodes, earlier=st.floats(0, 30), later=st.floats(0, 30), **passes)
def test_another_span_leaves_the_windows_inside_both_the_same_to_the_bit(
    node: Node, earlier: float, later: float,
    hour: float, aside: float, height_m: float, nadir: Nadir,
) -> None:  # fmt: skip
    own = pass_of(hour, aside, height_m, nadir)
    request = own.request("0", grown(node, own))
    begin, end = own.looks.t_s[[0, -1]]
    found = [
        spans_of(search([request], low, high, nadir), "0")
        for low, high in ((begin, end), (begin - earlier, end + later))
    ]
    first, second = (
        [span for span in spans if begin + 1 < span[0] and span[1] < end - 1] for spans in found
    )
    assert first == second


# Strips ------------------------------------------------------------------------------------------

STRIP_STEP_S = 0.1
LINES = np.linspace(0.0, 1.0, 41)


@pytest.mark.slow
@settings(max_examples=40, derandomize=True)
@given(node=nodes, **passes)
def test_every_line_of_a_strip_meets_its_tree_at_its_own_time(
    node: Node, hour: float, aside: float,
    height_m: float, nadir: Nadir,
) -> None:  # fmt: skip
    """Between the lines that the search looks at, up to 50 km apart, a gap of a condition may be
    jumped over that is narrower than what changes on that way: hence half-spaces, always the same.
    """
    v = orbit().state_itrf(np.array([orbit().epoch.seconds(START) + 3600.0 * hour]))[1]
    later = 0.8235 * (v[0, 2] > 0)  # half an orbit: strips lie along the descending track
    own = pass_of(hour + later, 0.7 * aside, height_m, nadir)
    assume(abs(own.place.y) < 70)
    tree = grown(node, own, halves=True)
    wide = 0.35 / math.cos(math.radians(own.place.y))
    box = Polygon([(own.place.x + a * wide, own.place.y + b * 0.4)
                   for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))])  # fmt: skip
    asked = [
        Request(name=name, geometry=box, kind="area", height_m=height_m, constraints=each)
        for name, each in (("free", None), ("bound", tree))
    ]
    begin, end = own.looks.t_s[[0, -1]]
    found = search(asked, begin - 60, end + 60, nadir)
    rows = np.flatnonzero(found.request == "free")
    assert len(rows)  # else nothing would be looked at
    for row in rows:
        t_s = np.arange(found.start_s[row], found.end_s[row], STRIP_STEP_S)
        wanted = lines_hold(tree, own, found, int(row), t_s)
        strip = found.strip[row].replace("free", "bound")
        spans = [(found.start_s[i], found.end_s[i]) for i in np.flatnonzero(found.strip == strip)]
        wrong = inside(spans, t_s) != wanted
        assert longest_run_s(wrong) / STEP_S * STRIP_STEP_S <= LONGEST_MISS_S, describe(tree)


def lines_hold(
    tree: Constraint, own: Pass, found: Opportunities, row: int, start_s: FloatArray
) -> BoolArray:
    """Whether each of 41 lines of a sweep meets a tree, for sweeps that begin at `start_s`."""
    line, scan_s = found.line[row], float(found.scan_s[row])
    holds = np.ones(start_s.shape, dtype=bool)
    for part in LINES:
        many = (len(start_s), 3)
        place, up, along = (
            np.broadcast_to(each(np.array(part)), many)
            for each in (line.place, line.normal, line.tangent)
        )
        looks = replace(
            own.looks, t_s=start_s + part * scan_s, place=place, up=up, along=along,
            middle_up=line.normal(np.array(0.5)),
        )  # fmt: skip
        holds &= hold(tree, looks)
    return holds
