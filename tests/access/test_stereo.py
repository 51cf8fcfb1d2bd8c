"""Stereo against brute force, published angles, algebra by hand and its own promises."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from humay.access import Opportunities, find_opportunities, table_bytes
from humay.access.stereo import Slices, StereoSets, find_stereo, regions, stereo_table
from humay.access.stereo.angles import (
    asymmetry,
    base_to_height,
    bisector_elevation,
    convergence,
    parallax_ratio,
)
from humay.access.stereo.limits import pair_of, parts_of
from humay.access.stereo.spans import work_for
from humay.access.stereo.sweeps import sweeps_of
from humay.arrays import BoolArray, FloatArray, unit
from humay.mission import Mission, PairLimits, Request, StereoLimits, load_mission
from humay.orbit import Ephemeris, ephemerides
from tests.access.conftest import START, Ask, mission_file, point, polygon, satellite_text
from tests.access.stereo_truth import Looks, feasible, looks_of, pair_margins, spare_s

BAKU = (49.87, 40.41)
UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """Opportunities, the stereo found in them, and what is needed to check it."""

    mission: Mission
    requests: tuple[Request, ...]
    orbits: dict[str, Ephemeris]
    opportunities: Opportunities
    sets: StereoSets

    def rows(self, index: int) -> list[int]:
        """The opportunities of one set."""
        ids = list(self.opportunities.opportunity_id)
        return [ids.index(name) for name in self.sets.opportunity[index] if name is not None]

    def looks(self, row: int, at_s: FloatArray) -> Looks:
        o = self.opportunities
        kind = next(r.kind for r in self.requests if r.name == o.request[row])
        satellite = self.mission.satellite(o.satellite[row])
        return looks_of(o, row, satellite, self.orbits, at_s, is_point=kind == "point")

    def seconds(self, row: int, offset_s: float = 0.0) -> FloatArray:
        """Whole seconds of a window, moved by an offset."""
        o = self.opportunities
        return np.arange(math.ceil(o.start_s[row]), math.floor(o.end_s[row]) - offset_s) + offset_s


def case(mission: Mission, requests: tuple[Request, ...], days: float = 1.0) -> Case:
    end = START + timedelta(days=days)
    orbits = ephemerides(mission, START, end)
    found = find_opportunities(mission, requests, start=START, end=end, orbits=orbits)
    return Case(
        mission=mission,
        requests=requests,
        orbits=orbits,
        opportunities=found,
        sets=find_stereo(found, mission, requests, orbits),
    )


def inside(slices: FloatArray, first_s: FloatArray, last_s: FloatArray) -> BoolArray:
    """Whether instants (n,) that are nodes, and others (m,), lie in slices (k, 3): (n, m)."""
    held = first_s[:, None, None] == slices[:, 0]
    between = (slices[:, 1] <= last_s[:, None]) & (last_s[:, None] <= slices[:, 2])
    return np.asarray(np.any(held & between[None], axis=-1))


def near_an_edge(slices: FloatArray, last_s: FloatArray) -> BoolArray:
    edges = slices[:, 1:].ravel()
    return np.asarray(np.any(np.abs(last_s[:, None] - edges) < 1e-4, axis=-1))


def check_pairs(found: Case, limits: PairLimits, offset_s: float = 0.0) -> int:
    """Hold every two windows of a strip against all pairs of their seconds; how many are feasible.

    No feasible pair lies outside a region, none inside is infeasible, but within 0.1 ms of an edge.
    """
    o, sets = found.opportunities, found.sets
    known = {(sets.opportunity[i, 0], sets.opportunity[i, 2]): i for i in range(len(sets))}
    total = 0
    for a in range(len(o)):
        for b in range(len(o)):
            first_s, last_s = found.seconds(a), found.seconds(b, offset_s)
            apart = o.start_s[b] - o.end_s[a]
            later = o.end_s[b] > o.start_s[a] and apart < limits.max_separation_s
            if o.strip[a] != o.strip[b] or not later or not (len(first_s) and len(last_s)):
                continue
            truth = feasible(pair_margins(found.looks(a, first_s), found.looks(b, last_s), limits))
            row = known.get((o.opportunity_id[a], o.opportunity_id[b]))
            slices = np.empty((0, 3)) if row is None else sets.region.of(row)
            wrong = truth != inside(slices, first_s, last_s)
            assert not np.any(wrong & ~near_an_edge(slices, last_s)), (a, b, np.sum(wrong))
            total += int(truth.sum())
    return total


# Angles ------------------------------------------------------------------------------------------


def view(azimuth_deg: float, elevation_deg: float) -> FloatArray:
    """Unit vector east, north, up."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    flat = np.cos(elevation)
    return np.array([flat * np.sin(azimuth), flat * np.cos(azimuth), np.sin(elevation)])


# Jeong, Yang and Kim, Remote Sensing 7 (2015), table 1: azimuth and elevation of two scenes over
# Daejeon, their convergence and BIE.
PUBLISHED = {
    "IKONOS": ((338.1, 66.5), (234.9, 68.4), 35.00, 75.53),
    "QuickBird": ((199.5, 59.5), (5.2, 58.7), 61.27, 85.74),
    "KOMPSAT-2": ((79.7, 58.2), (256.7, 74.1), 47.68, 89.34),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_convergence_is_the_published_one(name: str) -> None:
    one, other, expected_deg, _ = PUBLISHED[name]
    found_deg = np.degrees(convergence(view(*one), view(*other)))
    assert abs(found_deg - expected_deg) < 0.01


@pytest.mark.parametrize("name", PUBLISHED)
def test_bisector_elevation_and_asymmetry_give_the_published_tilt_of_the_epipolar_plane(
    name: str,
) -> None:
    """What that table calls BIE is the angle between the epipolar and the horizontal plane, whose
    sine is that of the bisector's elevation over the cosine of the asymmetry; the angles of the
    table are rounded to 0.1 deg."""
    one, other, _, expected_deg = PUBLISHED[name]
    high = bisector_elevation(view(*one), view(*other), UP)
    lean = asymmetry(view(*one), view(*other), UP)
    assert abs(np.degrees(np.arcsin(np.sin(high) / np.cos(lean))) - expected_deg) < 0.1


@given(
    one=st.tuples(st.floats(0, 360), st.floats(30, 89)),
    other=st.tuples(st.floats(0, 360), st.floats(30, 89)),
)
def test_angles_agree_with_azimuth_and_elevation(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    """Jeong and Kim, PE&RS 82 (2016), equations 1 and 2, and the third in its vector form."""
    v1, v2 = view(*one), view(*other)
    (a1, e1), (a2, e2) = np.radians(one), np.radians(other)
    cosine = np.sin(e1) * np.sin(e2) + np.cos(e1) * np.cos(e2) * np.cos(a1 - a2)
    assert abs(np.cos(convergence(v1, v2)) - cosine) < 1e-12
    sine = (np.sin(e1) + np.sin(e2)) / math.sqrt(2 + 2 * cosine)
    assert abs(np.sin(bisector_elevation(v1, v2, UP)) - sine) < 1e-12
    plane = np.cross(v1, v2)
    if np.linalg.norm(plane) > 1e-3:
        plane = unit(plane)
        vertical = np.cross(plane, np.cross(UP, plane))
        lean = np.arccos(np.clip(unit(v1 + v2) @ unit(vertical), -1, 1))
        assert abs(asymmetry(v1, v2, UP) - lean) < 1e-6


def test_looks_20_degrees_ahead_and_astern_converge_as_algebra_says() -> None:
    """From 694 km over a sphere of 6,371 km: sin i = (7065 / 6371) sin 20 deg, convergence 2 i."""
    incidence = math.asin(7065.0 / 6371.0 * math.sin(math.radians(20.0)))
    ahead, astern = (
        view(0.0, 90 - math.degrees(incidence)),
        view(180.0, 90 - math.degrees(incidence)),
    )
    turn = convergence(ahead, astern)
    assert abs(turn - 2 * incidence) < 1e-12
    assert abs(bisector_elevation(ahead, astern, UP) - math.pi / 2) < 1e-7
    assert asymmetry(ahead, astern, UP) < 1e-12
    assert abs(base_to_height(turn) - 2 * math.tan(incidence)) < 1e-12
    assert abs(parallax_ratio(ahead, astern, UP) - 2 * math.tan(incidence)) < 1e-12


def test_a_nadir_and_an_oblique_look_have_the_tangent_for_parallax() -> None:
    """A wall 1 m high, seen from above and 40 deg from the vertical, leans over tan 40 deg m."""
    ratio = parallax_ratio(view(0.0, 90.0), view(77.0, 50.0), UP)
    assert abs(ratio - math.tan(math.radians(40.0))) < 1e-12


def test_the_widest_pair_of_a_pass_is_that_of_both_ends(tmp_path: Path, ask: Ask) -> None:
    """A place under the track of a satellite that tilts up to 20 deg: the convergence reaches
    2 asin(r / R sin 20 deg), 44.6 deg from 694 km, and no more."""
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-6", max_off_nadir_deg=20.0)))
    orbit = ephemerides(mission, START, START + timedelta(days=1))["spot-6"]
    r = orbit.position_itrf(orbit.epoch.seconds(START) + np.array([20_000.0]))[0]
    lon, lat = np.degrees([math.atan2(r[1], r[0]), math.asin(r[2] / np.linalg.norm(r))])
    up = unit(r)
    radius = 6_378_137.0 / math.sqrt(1 + 0.00673949674 * up[2] ** 2)
    widest_deg = 2 * math.degrees(
        math.asin(float(np.linalg.norm(r)) / radius * math.sin(math.radians(20.0)))
    )
    assert 44.0 < widest_deg < 45.5

    def area(least_deg: float) -> float:
        request = point(
            "p", lon, lat, min_sun_elevation_deg=-90.0, stereo={"min_convergence_deg": least_deg}
        )
        sets = case(mission, ask([request]), 0.4).sets
        return float(np.max(sets.area_s2, initial=0.0))

    assert area(widest_deg - 0.5) > 0.2
    assert area(widest_deg + 0.5) == 0.0


# Brute force -------------------------------------------------------------------------------------

ASKED: dict[str, dict[str, Any]] = {
    "convergence": {"min_convergence_deg": 15.0, "max_convergence_deg": 25.0},
    "all": {
        "min_convergence_deg": 10.0,
        "max_base_to_height": 1.0,
        "min_bisector_elevation_deg": 70.0,
        "max_asymmetry_deg": 8.0,
        "min_overlap": 0.97,
        "max_sun_change_deg": 0.25,
        "min_separation_s": 30.0,
        "max_separation_s": 90.0,
    },
    "far": {"min_convergence_deg": 8.0, "max_separation_s": 100_000.0, "max_sun_change_deg": 12.0},
}


@pytest.mark.parametrize("name", ASKED)
def test_regions_are_those_of_a_second_by_second_search(name: str, spot: Mission, ask: Ask) -> None:
    requests = ask(
        [
            point("baku", *BAKU, min_sun_elevation_deg=-90.0, stereo=ASKED[name]),
            polygon(
                "plain",
                [[47.4, 39.7], [47.6, 39.7], [47.6, 40.1], [47.4, 40.1], [47.4, 39.7]],
                stereo=ASKED[name],
            ),
        ]
    )
    found = case(spot, requests, 1.5)
    assert requests[0].stereo is not None
    assert check_pairs(found, requests[0].stereo, 0.37) > 250
    if name == "far":
        assert len({*found.sets.satellite[:, 0], *found.sets.satellite[:, 2]}) == 2
        assert not np.all(found.sets.same_pass)


def drawn(chance: np.random.Generator) -> StereoLimits:
    """Limits of every kind, each often left out."""

    def maybe(value: float, otherwise: float) -> float:
        return value if chance.random() < 0.6 else otherwise

    low = chance.uniform(3, 35)
    return StereoLimits(
        min_convergence_rad=math.radians(low),
        max_convergence_rad=maybe(math.radians(low + chance.choice([0.5, 3, 10, 60])), math.pi),
        max_base_to_height=chance.uniform(0.8, 1.5) if chance.random() < 0.2 else None,
        max_asymmetry_rad=maybe(math.radians(chance.uniform(0.5, 40)), math.pi / 2),
        min_bisector_elevation_rad=maybe(math.radians(chance.uniform(50, 88)), 0.0),
        min_overlap=maybe(chance.uniform(0.5, 0.999), 0.0),
        max_sun_change_rad=maybe(math.radians(chance.uniform(0.2, 30)), math.pi),
        min_separation_s=maybe(0.0, chance.uniform(0, 40)),
        max_separation_s=chance.choice([100.0, 600.0, 90_000.0]),
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_random_regions_are_those_of_a_second_by_second_search(
    seed: int, tmp_path: Path, ask: Ask
) -> None:
    chance = np.random.default_rng(seed)
    total = 0
    for _ in range(8):
        tilt_deg = round(chance.uniform(15, 50), 3)
        both = "".join(satellite_text(f"spot-{n}", max_off_nadir_deg=tilt_deg) for n in (6, 7))
        mission = load_mission(mission_file(tmp_path, both))
        slow = math.radians(chance.uniform(0.3, 4)), math.radians(chance.uniform(0.05, 2))
        mission = replace(
            mission,
            satellites=tuple(
                replace(s, slew_rate_rad_s=slow[0], slew_acceleration_rad_s2=slow[1])
                for s in mission.satellites
            ),
        )
        lon, lat = chance.uniform(-179, 179), math.degrees(math.asin(chance.uniform(-0.95, 0.95)))
        [request] = ask([point("p", lon, lat, min_sun_elevation_deg=-30.0)])
        limits = drawn(chance)
        found = case(mission, (replace(request, stereo=limits),), 1.5)
        total += check_pairs(found, limits, chance.choice([0.0, 0.43]))
    assert total > 1000


def test_edges_are_roots(spot: Mission, ask: Ask) -> None:
    """On an edge every limit is met, 0.1 ms beyond one is broken, or the window has ended."""
    requests = ask([point("baku", *BAKU, stereo=ASKED["all"])])
    found = case(spot, requests, 6.0)
    limits, checked = requests[0].stereo, 0
    assert limits is not None
    for i in range(len(found.sets)):
        a, b = found.rows(i)
        for first_s, low_s, high_s in found.sets.region.of(i)[::2]:
            first = found.looks(a, np.array([first_s]))
            for edge_s, out_s in ((low_s, -1e-4), (high_s, 1e-4)):
                last = found.looks(b, edge_s + np.array([0.0, out_s]))
                margins = pair_margins(first, last, limits)
                least = np.min([margin[0] for margin in margins.values()], axis=0)
                window = found.opportunities.start_s[b], found.opportunities.end_s[b]
                assert least[0] > -1e-6
                assert least[1] < 0 or edge_s in window
                checked += 1
    assert checked > 40


def test_the_tips_of_a_region_are_its_last_instants(spot: Mission, ask: Ask) -> None:
    """0.1 ms before the first and after the last instant of the first look, nothing is feasible."""
    requests = ask([point("baku", *BAKU, stereo=ASKED["all"])])
    found = case(spot, requests, 5.0)
    limits, checked = requests[0].stereo, 0
    assert limits is not None
    for i in range(len(found.sets)):
        a, b = found.rows(i)
        slices = found.sets.region.of(i)
        window = found.opportunities.start_s[a], found.opportunities.end_s[a]
        for tip_s, out_s in ((slices[0, 0], -1e-4), (slices[-1, 0], 1e-4)):
            if window[0] <= tip_s + out_s <= window[1]:
                first = found.looks(a, np.array([tip_s + out_s]))
                last = found.looks(b, np.linspace(slices[:, 1].min(), slices[:, 2].max(), 3000))
                assert not np.any(feasible(pair_margins(first, last, limits)))
                checked += 1
    assert checked >= 2


# What is said of a set ---------------------------------------------------------------------------


@pytest.fixture
def wide(spot: Mission, ask: Ask) -> Case:
    """Pairs over a day of Baku and Ganja, with little asked."""
    asked = {"min_convergence_deg": 10.0, "max_convergence_deg": 40.0, "min_overlap": 0.5}
    asked |= {"max_asymmetry_deg": 30.0, "max_separation_s": 90_000.0}
    return case(
        spot,
        ask([point("baku", *BAKU, stereo=asked), point("ganja", 46.36, 40.68, stereo=asked)]),
        1.3,
    )


def test_every_best_pair_meets_its_limits_when_both_looks_are_recomputed(wide: Case) -> None:
    limits = wide.requests[0].stereo
    assert limits is not None
    assert len(wide.sets) > 5
    for i in range(len(wide.sets)):
        first, last = (
            wide.looks(row, wide.sets.at_s[i, [k]])
            for row, k in zip(wide.rows(i), (0, 2), strict=True)
        )
        margins = pair_margins(first, last, limits)
        assert min(float(margin.min()) for margin in margins.values()) > 0
        turn = limits.min_convergence_rad + margins["wide 0.5"][0, 0]
        assert abs(wide.sets.convergence_rad[i, 0] - turn) < 1e-9
        assert abs(wide.sets.overlap[i, 0] - limits.min_overlap - margins["overlap"][0, 0]) < 1e-6
        lean = limits.max_asymmetry_rad - margins["even 0.5"][0, 0]
        assert abs(wide.sets.asymmetry_rad[i, 0] - lean) < 1e-6
        assert abs(wide.sets.base_to_height[i, 0] - 2 * math.tan(turn / 2)) < 1e-9


def slack_of(found: Case, index: int, limits: PairLimits) -> FloatArray:
    """Slack (n, m) over the seconds of both windows, -inf where a limit is broken."""
    a, b = found.rows(index)
    looks = found.looks(a, found.seconds(a)), found.looks(b, found.seconds(b))
    margins = pair_margins(*looks, limits)
    low, high = limits.convergence_rad
    parts = [
        margins["wide 0.5"] / ((high - low) / 2),
        margins["close 0.5"] / ((high - low) / 2),
        margins["high 0.5"] / (math.pi / 2 - limits.min_bisector_elevation_rad),
        margins["even 0.5"] / limits.max_asymmetry_rad,
        margins["sun"] / limits.max_sun_change_rad,
        margins["overlap"] / (1 - limits.min_overlap),
    ]
    return np.where(feasible(margins), np.min(parts, axis=0), -math.inf)


def test_the_best_pair_has_as_much_slack_as_any_of_whole_seconds(wide: Case) -> None:
    limits = wide.requests[0].stereo
    assert limits is not None
    assert len(wide.sets) > 5
    for i in range(0, len(wide.sets), 3):
        assert wide.sets.slack[i] > slack_of(wide, i, limits).max() - 0.005
        assert wide.sets.slack[i] <= 1.0


def test_the_area_is_the_number_of_feasible_seconds(wide: Case) -> None:
    """Within what the rim of a region, a second wide, may hold."""
    limits = wide.requests[0].stereo
    assert limits is not None
    for i in range(1, len(wide.sets), 3):
        a, b = wide.rows(i)
        looks = wide.looks(a, wide.seconds(a)), wide.looks(b, wide.seconds(b))
        count = feasible(pair_margins(*looks, limits)).sum()
        slices = wide.sets.region.of(i)
        rim = 2 * (np.ptp(slices[:, 0]) + np.ptp(slices[:, 1:])) + 4
        assert abs(wide.sets.area_s2[i] - count) < 0.5 * rim


def test_one_satellite_has_the_time_that_its_planner_needs(spot: Mission, ask: Ask) -> None:
    """The soonest second look leaves no time to spare after the planner's own slew."""
    sluggish = replace(
        spot.satellites[0],
        slew_rate_rad_s=math.radians(0.9),
        slew_acceleration_rad_s2=math.radians(0.1),
    )
    mission = replace(spot, satellites=(sluggish,))
    requests = ask([point("baku", *BAKU, stereo={"min_convergence_deg": 5.0})])
    found = case(mission, requests, 5.0)
    assert len(found.sets) > 0
    tight = []
    for i in range(len(found.sets)):
        a, b = found.rows(i)
        for first_s, low_s, _ in found.sets.region.of(i):
            looks = found.looks(a, np.array([first_s])), found.looks(b, np.array([low_s]))
            tight.append(float(spare_s(*looks)[0, 0]))
    assert min(tight) > -1e-5
    assert np.median(tight) < 1e-4


def test_two_satellites_need_no_slew(wide: Case) -> None:
    """Windows of two satellites, a day apart at most, and nothing like a slew between them."""
    pairs = [tuple(row) for row in wide.sets.satellite[:, [0, 2]]]
    assert {("spot-6", "spot-7"), ("spot-7", "spot-6")} & set(pairs)
    mixed = [i for i, (one, other) in enumerate(pairs) if one != other]
    assert not np.any(wide.sets.same_pass[mixed])


# Properties --------------------------------------------------------------------------------------


@pytest.fixture
def looked(spot: Mission, ask: Ask) -> Case:
    """A day of Baku with stereo asked, to be asked again within other limits."""
    return case(spot, ask([point("baku", *BAKU, stereo=ASKED["convergence"])]), 2.0)


def asked_again(found: Case, limits: StereoLimits) -> StereoSets:
    requests = tuple(replace(request, stereo=limits) for request in found.requests)
    return find_stereo(found.opportunities, found.mission, requests, found.orbits)


STRICTER = {
    "min_convergence_rad": (0.1, 0.6),
    "max_convergence_rad": (1.2, 0.65),
    "min_bisector_elevation_rad": (0.0, 1.5),
    "max_asymmetry_rad": (1.5, 0.02),
    "min_overlap": (0.0, 0.99),
    "max_sun_change_rad": (1.0, 0.003),
    "min_separation_s": (0.0, 80.0),
    "max_separation_s": (100_000.0, 85.0),
}


@given(name=st.sampled_from(sorted(STRICTER)), shares=st.tuples(st.floats(0, 1), st.floats(0, 1)))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_stricter_limit_never_adds_area(
    looked: Case, name: str, shares: tuple[float, float]
) -> None:
    loose, strict = STRICTER[name]
    base = StereoLimits(min_convergence_rad=0.1, max_separation_s=100_000.0)
    areas = []
    for share in sorted(shares):
        limits = StereoLimits(**vars(base) | {name: loose + share * (strict - loose)})
        sets = asked_again(looked, limits)
        areas.append(dict(zip(sets.stereo_id, sets.area_s2, strict=True)))
    assert set(areas[1]) <= set(areas[0])
    for stereo_id, area in areas[1].items():
        assert area <= areas[0][stereo_id] + 1e-6


@given(seed=st.integers(0, 10_000))
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_holding_the_last_look_instead_of_the_first_mirrors_the_region(
    looked: Case, seed: int
) -> None:
    limits = drawn(np.random.default_rng(seed))
    o = looked.opportunities
    satellites = {satellite.name: satellite for satellite in looked.mission.satellites}
    sweeps = sweeps_of(o, satellites, looked.orbits, np.ones(len(o), dtype=bool))
    work = work_for(float(np.max(o.end_s - o.start_s)))
    for a, b in itertools.combinations_with_replacement(range(len(o)), 2):
        one_satellite = o.satellite[a] == o.satellite[b]
        pair = pair_of(sweeps[a], sweeps[b], limits, one_satellite=one_satellite)
        tables = [
            regions.table_of(sweeps[k], regions.nodes(o.start_s[k], o.end_s[k]), parts_of(pair))
            for k in (a, b)
        ]
        rows = []
        for way, (held, moved) in ((pair, tables), (pair._replace(forward=False), tables[::-1])):
            out = np.empty((10_000, 3))
            region = regions.region_of_pair(way, held, moved, parts_of(pair))
            rows.append(out[: regions.slices(region, work, out)])
        first_s, last_s = looked.seconds(a), looked.seconds(b)
        forth, back = inside(rows[0], first_s, last_s), inside(rows[1], last_s, first_s).T
        edge = near_an_edge(rows[0], last_s)[None] | near_an_edge(rows[1], first_s)[:, None]
        assert np.array_equal(forth | edge, back | edge)


def test_another_span_leaves_the_regions_inside_both_bit_equal(spot: Mission, ask: Ask) -> None:
    requests = ask([point("baku", *BAKU, stereo=ASKED["far"])])
    whole = case(spot, requests, 3.0)
    start, end = START + timedelta(hours=4, seconds=0.7), START + timedelta(days=2.2)
    orbits = ephemerides(spot, start, end)
    found = find_opportunities(spot, requests, start=start, end=end, orbits=orbits)
    part = find_stereo(found, spot, requests, orbits)
    known = list(whole.sets.stereo_id)
    assert 0 < len(part) < len(whole.sets)
    for i, name in enumerate(part.stereo_id):
        k = known.index(name)
        assert np.array_equal(part.region.of(i), whole.sets.region.of(k))
        assert np.array_equal(part.at_s[i], whole.sets.at_s[k], equal_nan=True)


def test_one_request_alone_and_among_others_gets_the_same(wide: Case) -> None:
    alone = find_stereo(wide.opportunities, wide.mission, wide.requests[1:], wide.orbits)
    own = np.flatnonzero(wide.sets.request == "ganja")
    assert list(alone.stereo_id) == list(wide.sets.stereo_id[own])
    for i, k in enumerate(own):
        assert np.array_equal(alone.region.of(i), wide.sets.region.of(int(k)))


def test_who_asks_for_no_stereo_gets_none(spot: Mission, ask: Ask) -> None:
    found = case(spot, ask([point("baku", *BAKU)]))
    assert len(found.opportunities) > 0
    assert len(found.sets) == 0
    assert stereo_table(found.sets).num_rows == 0


# Three looks -------------------------------------------------------------------------------------

TRIPLE = {
    "looks": 3,
    "min_convergence_deg": 20.0,
    "max_convergence_deg": 40.0,
    "neighbours": {"min_convergence_deg": 8.0, "max_asymmetry_deg": 25.0},
    "max_middle_pitch_deg": 6.0,
}


def check_triples(found: Case) -> int:
    """Hold triples of whole seconds against the regions; how many outer pairs are feasible."""
    limits = found.requests[0].stereo
    assert limits is not None
    near, total = limits.neighbouring, 0
    for i in range(len(found.sets)):
        rows = found.rows(i)
        first_s, middle_s, last_s = (found.seconds(row) for row in rows)
        first, middle, last = (
            found.looks(row, t) for row, t in zip(rows, (first_s, middle_s, last_s), strict=True)
        )
        level = np.abs(middle.pitch_rad()) <= (limits.max_middle_pitch_rad or math.pi)
        before = feasible(pair_margins(first, middle, near)) & level
        after = feasible(pair_margins(middle, last, near))
        outer = feasible(pair_margins(first, last, limits))
        truth = outer & (before.astype(int) @ after.astype(int) > 0)
        sets = found.sets
        assert not np.any(truth & ~inside(sets.region.of(i), first_s, last_s))
        for slices, held, moved, right in (
            (sets.before.of(i), first_s, middle_s, before),
            (sets.after.of(i), last_s, middle_s, (after & level[:, None]).T),
        ):
            known = np.isin(held, slices[:, 0])
            wrong = inside(slices, held, middle_s) != right
            assert not np.any(wrong[known] & ~near_an_edge(slices, moved))
        total += int(truth.sum())
        check_middles(found, i, inside(sets.region.of(i), first_s, last_s) & ~truth)
    return total


def check_middles(found: Case, index: int, doubtful: BoolArray) -> None:
    """Where no whole second is a middle look, `before` and `after` have one in common."""
    limits = found.requests[0].stereo
    assert limits is not None
    rows = found.rows(index)
    before, after = found.sets.before.of(index), found.sets.after.of(index)
    for i, k in np.argwhere(doubtful)[::5]:
        first_s, last_s = found.seconds(rows[0])[i], found.seconds(rows[2])[k]
        common = [
            (max(a[1], b[1]), min(a[2], b[2]))
            for a in before[before[:, 0] == first_s]
            for b in after[after[:, 0] == last_s]
        ]
        low_s, high_s = max(common, key=lambda span: span[1] - span[0])
        assert high_s > low_s - 2e-3
        at_s = (first_s, 0.5 * (low_s + high_s), last_s)
        looks = [found.looks(row, np.array([t])) for row, t in zip(rows, at_s, strict=True)]
        for one, other in ((0, 1), (1, 2)):
            margins = pair_margins(looks[one], looks[other], limits.neighbouring)
            assert min(float(margin.min()) for margin in margins.values()) > -1e-4


def test_triples_are_those_of_a_second_by_second_search(spot: Mission, ask: Ask) -> None:
    requests = ask([point("baku", *BAKU, stereo=TRIPLE)])
    assert check_triples(case(spot, requests, 4.0)) > 300


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_random_triples_are_those_of_a_second_by_second_search(
    seed: int, spot: Mission, ask: Ask
) -> None:
    chance = np.random.default_rng(seed)
    total = 0
    for _ in range(15):
        lon, lat = chance.uniform(-179, 179), math.degrees(math.asin(chance.uniform(-0.95, 0.95)))
        [request] = ask([point("p", lon, lat, min_sun_elevation_deg=-30.0)])
        low = chance.uniform(10, 30)
        neighbours = PairLimits(
            min_convergence_rad=math.radians(low * chance.uniform(0.2, 0.5)),
            max_asymmetry_rad=math.radians(chance.uniform(8, 40)),
            min_separation_s=chance.choice([0.0, 15.0]),
        )
        limits = StereoLimits(
            looks=3,
            min_convergence_rad=math.radians(low),
            max_convergence_rad=math.radians(low + chance.choice([3, 10, 60])),
            neighbours=neighbours if chance.random() < 0.8 else None,
            max_middle_pitch_rad=math.radians(chance.uniform(0.5, 20)),
            min_overlap=chance.choice([0.0, 0.95]),
        )
        total += check_triples(case(spot, (replace(request, stereo=limits),), 2.0))
    assert total > 1000


def test_no_window_that_has_a_triple_is_left_out(spot: Mission, ask: Ask) -> None:
    """Over one pass a window: each without a region has no triple of whole seconds."""
    found = case(spot, ask([point("baku", *BAKU, stereo=TRIPLE)]), 10.0)
    limits = found.requests[0].stereo
    assert limits is not None
    kept = {name for row in found.sets.opportunity for name in row}
    assert len(kept) > 3
    for row, name in enumerate(found.opportunities.opportunity_id):
        if name not in kept:
            look = found.looks(row, found.seconds(row))
            near = feasible(pair_margins(look, look, limits.neighbouring))
            level = np.abs(look.pitch_rad()) <= (limits.max_middle_pitch_rad or math.pi)
            outer = feasible(pair_margins(look, look, limits))
            assert not np.any(outer & ((near & level).astype(int) @ near.astype(int) > 0))


def test_the_best_triple_meets_every_limit(spot: Mission, ask: Ask) -> None:
    found = case(spot, ask([point("baku", *BAKU, stereo=TRIPLE)]), 10.0)
    limits, sets = found.requests[0].stereo, found.sets
    assert limits is not None
    for i in range(len(sets)):
        assert sets.looks(i) == 3
        assert np.all(np.diff(sets.at_s[i]) > 0)
        looks = [
            found.looks(row, np.array([t]))
            for row, t in zip(found.rows(i), sets.at_s[i], strict=True)
        ]
        assert abs(looks[1].pitch_rad()[0]) <= (limits.max_middle_pitch_rad or math.pi)
        assert abs(sets.pitch_rad[i, 1] - looks[1].pitch_rad()[0]) < 1e-6
        for (one, other), column in (((0, 2), 0), ((0, 1), 1), ((1, 2), 2)):
            bounds = limits if column == 0 else limits.neighbouring
            margins = pair_margins(looks[one], looks[other], bounds)
            assert min(float(margin.min()) for margin in margins.values()) > 0
            turn = bounds.min_convergence_rad + margins["wide 0.5"][0, 0]
            assert abs(sets.convergence_rad[i, column] - turn) < 1e-9


# The table ---------------------------------------------------------------------------------------


def test_the_table_says_what_the_record_says(wide: Case) -> None:
    table = stereo_table(wide.sets, ["a note"])
    rows = table.to_pylist()
    about = json.loads(table.schema.metadata[b"humay"])
    assert about["format"] == "humay-stereo-1"
    assert about["notes"] == ["a note"]
    for i, row in enumerate(rows):
        assert row["stereo_id"] == f"{row['first_opportunity']}+{row['last_opportunity']}"
        assert row["middle"] is None
        assert row["middle_pitch_deg"] is None
        assert row["looks"] == 2
        assert abs(row["convergence_deg"] - math.degrees(wide.sets.convergence_rad[i, 0])) < 1e-9
        assert abs((row["last"] - row["first"]).total_seconds() - row["separation_s"]) < 2e-6
        names = ("node_region_first_s", "node_region_last_low_s", "node_region_last_high_s")
        slices = np.stack([row[name] for name in names], axis=-1)
        assert np.array_equal(slices, wide.sets.region.of(i))
        place = {"baku": BAKU, "ganja": (46.36, 40.68)}[row["request"]]
        assert np.allclose((row["lon_deg"], row["lat_deg"]), place, rtol=0, atol=1e-9)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".geojson"])
def test_the_table_can_be_written(wide: Case, suffix: str) -> None:
    written = table_bytes(stereo_table(wide.sets), suffix)
    assert wide.sets.stereo_id[0].encode() in written or suffix == ".parquet"
    assert len(written) > 1000


def test_slices_of_a_row_are_its_own() -> None:
    parts = Slices(
        begin=np.array([0, 2, 2, 3]),
        at_s=np.array([1.0, 2.0, 7.0]),
        low_s=np.array([3.0, 4.0, 8.0]),
        high_s=np.array([5.0, 6.0, 9.0]),
    )
    assert parts.of(0).tolist() == [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]
    assert len(parts.of(1)) == 0
    assert parts.of(2).tolist() == [[7.0, 8.0, 9.0]]
