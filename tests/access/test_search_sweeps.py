"""Sweeps of strips: every line within the limits at its own time, and the swath wide enough."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, box

from humay.access import GroundLine, Opportunities, find_opportunities
from humay.access.looks import Nadir, describe_look, look_angles, sun_elevation
from humay.access.swath import orbit_aside_m, sure_half_field_rad, usable_swath_m
from humay.arrays import BoolArray, FloatArray, dot, norm, unit
from humay.frames import inertial_velocity
from humay.mission import Mission, Request
from tests.access.conftest import START
from tests.access.searching import orbit, same_rows, search, spot_6

SHARES = np.linspace(0.0, 1.0, 17)
NODE_M = 50e3  # lines that the search looks at
BETWEEN_LINES_RAD = 2e-5  # by so much limits may be passed between them: 14 m on the ground
OF_WIDTH = 5e-4  # of its width a strip may be seen narrower there: 20 m of 40 km
GROWTH = 3e-5  # of the width, what the orbit's error grows from the pass's middle to its ends


def random_mission(chance: np.random.Generator) -> Mission:
    """Any limits; half of them leave roll, or pitch, to off-nadir."""
    return spot_6(
        chance.uniform(15, 45),
        roll_deg=chance.choice([90.0, chance.uniform(5, 40)]),
        pitch_deg=chance.choice([90.0, chance.uniform(1, 40)]),
        sun_deg=chance.choice([-90.0, 10.0, 35.0]),
    )


def area(name: str, lon: float, lat: float, half_deg: float) -> Request:
    squeeze = half_deg / math.cos(math.radians(lat))
    geometry = box(lon - squeeze, lat - half_deg, lon + squeeze, lat + half_deg)
    return Request(name=name, geometry=geometry, kind="area", height_m=300.0)


def areas(seed: int, count: int) -> list[Request]:
    chance = np.random.default_rng(seed)
    return [
        area(f"a{i}", lon, lat, half)
        for i, (lon, lat, half) in enumerate(
            zip(
                chance.uniform(-180, 180, count),
                chance.uniform(-60, 60, count),
                chance.uniform(0.1, 1.2, count),
                strict=True,
            )
        )
    ]


def lines_hold(
    mission: Mission, found: Opportunities, row: int, start_s: FloatArray, nadir: Nadir,
    slack_rad: float, least_width: float,
) -> BoolArray:  # fmt: skip
    """Whether all lines of sweeps that begin at `start_s` (n,) are within the limits, and seen as
    wide as their strip: 17 of them, and those that the search looks at."""
    satellite, line = mission.satellites[0], found.line[row]
    holds = np.ones(start_s.shape, dtype=bool)
    looked_at = np.linspace(0, 1, max(3, math.ceil(float(line.length_m) / NODE_M) + 1))
    for share in np.union1d(SHARES, looked_at):
        t_s = start_s + share * found.scan_s[row]
        target, up = line.place(np.array(share)), line.normal(np.array(share))
        r, v = orbit().state_itrf(t_s)
        off_nadir, roll, pitch = look_angles(r, v, target, nadir)
        sun = sun_elevation(orbit().epoch, t_s, target, up)
        holds &= (off_nadir <= satellite.max_off_nadir_rad + slack_rad) & (dot(r - target, up) > 0)
        holds &= np.abs(roll) <= satellite.max_roll_rad + slack_rad
        holds &= np.abs(pitch) <= satellite.max_pitch_rad + slack_rad
        holds &= sun >= satellite.min_sun_elevation_rad - slack_rad
        holds &= width_left(mission, found, row, t_s, float(share)) >= least_width
    return holds


def width_left(
    mission: Mission, found: Opportunities, row: int, t_s: FloatArray, share: float
) -> FloatArray:
    """By what share a line of a sweep is seen wider than its strip at times (n,), for sure."""
    satellite, line = mission.satellites[0], found.line[row]
    [strip] = [strip for strip in found.strips if strip.name == found.strip[row]]
    place, up, along = (
        np.broadcast_to(part(np.array(share)), (len(t_s), 3))
        for part in (line.place, line.normal, line.tangent)
    )
    r, v = orbit().state_itrf(t_s)
    error_m = 3 * satellite.orbit_sigma.along_m(orbit().age_days(t_s))
    aside_m = orbit_aside_m(error_m, inertial_velocity(r, v), unit(place - r), up, along)
    seen_m = usable_swath_m(
        r, place, up, along, half_field_rad=sure_half_field_rad(satellite),
        relief_m=strip.relief_m, aside_m=aside_m,
    )  # fmt: skip
    return np.asarray(seen_m / strip.width_m - 1)


def hold_inside_and_not_outside(seed: int, nadir: Nadir, count: int) -> int:
    """Every line of sweeps in their windows, and not of those that begin 5 ms before or after; how
    many windows."""
    mission = random_mission(np.random.default_rng(seed))
    found = search(mission, areas(seed, count), nadir=nadir)
    low_s, high_s = found.span_s
    for row in range(len(found)):
        begin, end = float(found.start_s[row]), float(found.end_s[row])
        inside = begin + np.linspace(0, 1, 5) * (end - begin)
        held = lines_hold(mission, found, row, inside, nadir, BETWEEN_LINES_RAD, -OF_WIDTH)
        assert held.all(), found.opportunity_id[row]
        beside = [begin - 5e-3] * int(begin > low_s)
        beside += [end + 5e-3] * int(end < high_s - found.scan_s[row] - 1e-6)
        if beside:
            outside = lines_hold(mission, found, row, np.array(beside), nadir, -1e-8, GROWTH)
            assert not outside.any(), found.opportunity_id[row]
    return len(found)


def test_every_line_of_a_sweep_meets_the_limits_at_its_own_time() -> None:
    looked_at = hold_inside_and_not_outside(3, "geodetic", 2)
    looked_at += hold_inside_and_not_outside(2, "geocentric", 2)
    assert looked_at > 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 106))
def test_every_line_of_many_sweeps_meets_the_limits_at_its_own_time(seed: int) -> None:
    hold_inside_and_not_outside(seed, "geocentric" if seed % 2 else "geodetic", 4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 212))
def test_no_sweep_along_the_track_is_missed(seed: int) -> None:
    """Start times every 2 s, wherever the satellite is near and flies along a strip: within 10 deg
    of it, where every look is wide enough."""
    mission = random_mission(np.random.default_rng(seed))
    end_s = orbit().epoch.seconds(START) + 1.5 * 86_400.0
    found = search(mission, areas(seed, 3), end_s=end_s)
    t_s = np.arange(*found.span_s, 2.0)
    r, _ = orbit().state_itrf(t_s)
    for strip in found.strips:
        middle, up = strip.line.place(np.array(0.5)), strip.line.normal(np.array(0.5))
        near = t_s[norm(r - middle) < 1.6e6]
        own = found.take(found.strip == strip.name)
        for run in np.split(near, np.flatnonzero(np.diff(near) > 3) + 1) if len(near) else []:
            wanted, scan_s = swept(mission, strip.line, up, run)
            told, edge = np.zeros(len(run), dtype=bool), run + scan_s > found.span_s[1] - 1.0
            for begin, end in zip(own.start_s, own.end_s, strict=True):
                told |= (run >= begin) & (run <= end)
                edge |= (np.abs(run - begin) < 0.1) | (np.abs(run - end) < 0.1)
            assert not scan_s or not np.any((told != wanted) & ~edge), strip.name


def swept(
    mission: Mission, line: GroundLine, up: FloatArray, start_s: FloatArray
) -> tuple[BoolArray, float]:
    """Whether sweeps of a strip that begin then hold, and how long they last; 0 if the pass is not
    along it. They go at the speed of the ground point when the middle is nearest."""
    middle = line.place(np.array(0.5))
    r, _ = orbit().state_itrf(start_s)
    nearest = start_s[np.argmax(dot(unit(r), unit(middle)))]
    r, v = orbit().state_itrf(nearest)
    level = v - dot(v, up) * up
    course = float(dot(line.tangent(np.array(0.5)), level) / norm(level))
    if abs(course) < math.cos(math.radians(10)):
        return np.zeros(len(start_s), dtype=bool), 0.0
    one = line if course > 0 else line.reversed_where(np.array(True))
    across = v - dot(v, unit(r)) * unit(r)
    scan_s = float(line.length_m / (norm(across) * 6_371_008.8 / norm(r)))
    satellite, holds = mission.satellites[0], np.ones(len(start_s), dtype=bool)
    for share in SHARES:
        t_s = start_s + share * scan_s
        target, normal = one.place(np.array(share)), one.normal(np.array(share))
        r, v = orbit().state_itrf(t_s)
        off_nadir, roll, pitch = look_angles(r, v, target, "geodetic")
        sun = sun_elevation(orbit().epoch, t_s, target, normal)
        holds &= (off_nadir <= satellite.max_off_nadir_rad) & (dot(r - target, normal) > 0)
        holds &= (np.abs(roll) <= satellite.max_roll_rad) & (
            np.abs(pitch) <= satellite.max_pitch_rad
        )
        holds &= sun >= satellite.min_sun_elevation_rad
    return holds, scan_s


def test_lines_are_swept_as_asked_for_as_long_as_the_ground_goes_by() -> None:
    """Lines need no width; their sweep lasts as long as the sub-satellite point takes."""
    way = Request(name="way", geometry=LineString([(10.0, 45.0), (9.3, 43.0)]), kind="line",
                  height_m=0.0)  # fmt: skip
    found = search(spot_6(45.0), [way])
    assert len(found) > 2
    r, v = orbit().state_itrf(found.best_s + 0.5 * found.scan_s)
    level = v - dot(v, unit(r))[:, None] * unit(r)
    speed = norm(level) / norm(r) * 6_371_008.8
    assert np.allclose(found.scan_s, found.line.length_m / speed, rtol=1e-4)


def test_wide_strips_are_seen_wide_enough_by_every_pass_that_is_offered() -> None:
    """Strips of the third and fourth decomposition are wider than every look can see: those that
    see less are not offered. The swath is recomputed at lines of the sweep; with what three
    sigma of the orbit take, as the age of the elements has it."""
    mission = spot_6(40.0)
    found = find_opportunities(
        mission, areas(3, 12), start=START, end=START + timedelta(days=3),
        orbits={"spot-6": orbit()}, decompositions=4,
    )  # fmt: skip
    strips = {strip.name: strip for strip in found.strips}
    wide = [row for row in range(len(found)) if strips[found.strip[row]].sure_turn_rad < 0]
    assert len(wide) > 10
    narrowest = math.inf
    for row in wide[:40]:
        for start_s in (found.start_s[row], found.end_s[row]):
            left = min(
                width_left(mission, found, row, start_s + np.array([share * found.scan_s[row]]),
                           float(share))[0]
                for share in SHARES[::4]
            )  # fmt: skip
            assert left > -OF_WIDTH, found.opportunity_id[row]
            narrowest = min(narrowest, left)
    assert narrowest < 1e-3  # some window ends where the swath does


def test_columns_of_sweeps_are_those_of_plain_numpy() -> None:
    mission = spot_6(40.0)
    found = search(mission, areas(8, 30))
    assert len(found) > 50
    middle_s = found.best_s + 0.5 * found.scan_s
    half = np.full(len(found), 0.5)
    look = describe_look(mission.satellites[0], orbit(), found.line, middle_s, half, "geodetic")
    for name, value in vars(look).items():
        error = 1e-7 if name == "sun_elevation_rad" else 1e-9
        assert np.allclose(getattr(found, name), value, rtol=error, atol=error), name


@settings(max_examples=6)
@given(seed=st.integers(0, 10**6), later=st.floats(0.1, 1.5))
def test_an_area_alone_and_in_another_span_gets_the_same_sweeps(seed: int, later: float) -> None:
    """Both spans end on the same day, for on that the strips depend."""
    mission, asked = spot_6(35.0), areas(seed, 5)
    start = START + timedelta(days=later)
    long, short = (
        find_opportunities(mission, asked, start=begin, end=START + timedelta(days=3))
        for begin in (START, start)
    )
    inside = [each.take(each.start_s > short.span_s[0]) for each in (long, short)]
    assert same_rows(*inside)
    alone = find_opportunities(mission, asked[2:3], start=START, end=START + timedelta(days=3))
    assert same_rows(alone.take(slice(None)), long.take(long.request == asked[2].name))


def test_a_sweep_ends_inside_the_span_and_the_request_s_own_period() -> None:
    """On the last day, for on the day of the span's end the strips depend."""
    asked, mission = area("a", 40.0, 20.0, 1.2), spot_6(45.0)
    whole = search(mission, [asked])
    row = len(whole) - 1
    assert whole.span_s[1] - whole.start_s[row] < 0.9 * 86_400.0
    middle_s = 0.5 * float(whole.start_s[row] + whole.end_s[row])
    until_s = middle_s + float(whole.scan_s[row])
    timed = [replace(asked, end=orbit().epoch.utc(until_s))]
    for cut in (search(mission, [asked], end_s=until_s), search(mission, timed)):
        own = cut.take(cut.opportunity_id == whole.opportunity_id[row])
        assert own.start_s.tolist() == whole.start_s[[row]].tolist()
        assert abs(float(own.end_s[0]) - middle_s) < 1e-5
