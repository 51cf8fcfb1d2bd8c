"""Eclipses against rays to the edge of the Sun, and the timeline that holds them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from humay.access import find_timeline
from humay.access.eclipses import find_eclipses, shadow_spans
from humay.arrays import BoolArray, FloatArray, cross, dot, norm, unit
from humay.earth import SUN_RADIUS_M, WGS84_A_M, WGS84_B_M, sun_itrf, sunlit_fraction
from humay.mission import Mission, load_mission
from humay.orbit import Ephemeris, Segment, ephemerides
from tests.access.conftest import START, mission_file, satellite_text

DESIGNED = (
    'sun_synchronous = {{altitude_km = {:.3f}, local_time = "{}", phase_deg = {:.3f}, '
    "epoch = 2019-11-01T00:00:00Z}}"
)
MOLNIYA = """MOLNIYA
1 00001U          19305.00000000  .00000000  00000-0  00000-0 0    02
2 00001  63.4000  50.0000 7000000 270.0000   0.0000  2.00600000    05
"""
DAY = START + timedelta(days=1)
SPRING = datetime(2020, 5, 10, tzinfo=UTC)  # when a dawn orbit at 700 km comes into the shadow


def one_satellite(
    folder: Path, altitude_km: float = 700.0, local_time: str = "10:30", phase_deg: float = 0.0
) -> Mission:
    """A satellite on a sun-synchronous orbit."""
    orbit = DESIGNED.format(altitude_km, local_time, phase_deg)
    return load_mission(mission_file(folder, satellite_text("sat", orbit)))


def behind(orbit: Ephemeris, t_s: FloatArray, turns: FloatArray) -> BoolArray:
    """Whether points on the Sun's edge lie behind the ellipsoid, (n, k), `turns` (k,) round the
    disc from its point next to the Earth's centre: each a ray, met with the ellipsoid or not."""
    r = orbit.position_itrf(t_s)
    sight = sun_itrf(orbit.epoch, t_s) - r
    axis = unit(sight)
    inwards = unit(-r - dot(-r, axis)[:, None] * axis)
    radius = np.arcsin(SUN_RADIUS_M / norm(sight))[:, None, None]
    edge = np.cos(turns)[:, None] * inwards[:, None]
    edge = edge + np.sin(turns)[:, None] * cross(axis, inwards)[:, None]
    rays = np.cos(radius) * axis[:, None] + np.sin(radius) * edge
    squash = np.array([1.0, 1.0, WGS84_A_M / WGS84_B_M]) / WGS84_A_M
    o, d = np.broadcast_to((r * squash)[:, None], rays.shape), rays * squash
    a, b, c = dot(d, d), dot(o, d), dot(o, o) - 1.0
    return np.asarray((b * b >= a * c) & (b < 0))


ROUND = np.linspace(0.0, 2 * math.pi, 721)
INNER = np.linspace(-0.01, 0.01, 11)  # where the Earth's edge touches the disc, within 0.2 deg
Test = Callable[[FloatArray], BoolArray]


def edges_by_rays(test: Test, near_s: FloatArray) -> FloatArray:
    """Where a test changes, by halving the three seconds around instants (n,)."""
    low, high = near_s - 1.5, near_s + 1.5
    before = test(low)
    assert np.all(before != test(high))
    for _ in range(18):
        middle = 0.5 * (low + high)
        same = test(middle) == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return np.asarray(0.5 * (low + high))


def inside(spans: FloatArray, t_s: FloatArray) -> BoolArray:
    """Whether instants lie in spans (k, 2) that follow each other."""
    begun = np.searchsorted(spans[:, 0], t_s, side="right")
    return np.greater(begun, np.searchsorted(spans[:, 1], t_s, side="left"))


@pytest.mark.parametrize(
    ("altitude_km", "local_time"), [(500, "10:30"), (700, "22:15"), (1500, "13:00")]
)
def test_edges_are_where_rays_to_the_suns_edge_meet_the_ellipsoid(
    tmp_path: Path, altitude_km: float, local_time: str
) -> None:
    """Penumbra: any ray is cut off. Umbra: all are. Within a tenth of a millisecond."""
    orbit = ephemerides(one_satellite(tmp_path, altitude_km, local_time), START, DAY)["sat"]
    penumbra, umbra = shadow_spans(orbit, *(orbit.epoch.seconds(t) for t in (START, DAY)))
    assert len(penumbra) == len(umbra) >= 12
    penumbra, umbra = penumbra[1:-1], umbra[1:-1]
    assert np.all((penumbra[:, 0] < umbra[:, 0]) & (umbra[:, 1] < penumbra[:, 1]))

    def touched(t_s: FloatArray) -> BoolArray:
        return np.asarray(behind(orbit, t_s, INNER).any(axis=-1))

    def covered(t_s: FloatArray) -> BoolArray:
        return np.asarray(behind(orbit, t_s, math.pi + INNER).all(axis=-1))

    for spans, test in ((penumbra, touched), (umbra, covered)):
        edges_s = spans.ravel()
        assert np.max(np.abs(edges_by_rays(test, edges_s) - edges_s)) < 1e-4


def test_the_whole_disc_says_the_same_as_its_innermost_and_outermost_points(
    tmp_path: Path,
) -> None:
    """What the test above takes for granted, two milliseconds before and after each edge."""
    orbit = ephemerides(one_satellite(tmp_path), START, DAY)["sat"]
    penumbra, umbra = shadow_spans(orbit, *(orbit.epoch.seconds(t) for t in (START, DAY)))
    first_s, whole_s = penumbra[1:-1, 0], umbra[1:-1, 0]
    assert not behind(orbit, first_s - 2e-3, ROUND).any()
    assert behind(orbit, first_s + 2e-3, ROUND).any(axis=-1).all()
    assert not behind(orbit, whole_s - 2e-3, ROUND).all(axis=-1).any()
    assert behind(orbit, whole_s + 2e-3, ROUND).all()


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(phase_deg=st.floats(0, 360), altitude_km=st.floats(695, 705))
def test_the_first_eclipses_of_a_season_are_found(
    tmp_path: Path, phase_deg: float, altitude_km: float
) -> None:
    """A dawn-dusk orbit, day by day deeper in the shadow; sampled every 0.05 s where it is deepest.
    The first eclipses last seconds, without umbra."""
    mission = one_satellite(tmp_path, altitude_km, "06:00", phase_deg)
    end = SPRING + timedelta(days=1)
    orbit = ephemerides(mission, SPRING, end)["sat"]
    span_s = orbit.epoch.seconds(SPRING), orbit.epoch.seconds(end)
    penumbra, _ = shadow_spans(orbit, *span_s)
    coarse_s = np.arange(*span_s, 10.0)
    depth = dot(-unit(orbit.position_itrf(coarse_s)), unit(sun_itrf(orbit.epoch, coarse_s)))
    deepest = np.flatnonzero((depth[1:-1] > depth[:-2]) & (depth[1:-1] >= depth[2:])) + 1
    assert len(deepest) >= 14
    around = np.arange(-150.0, 150.0, 0.05)
    short = 0
    for t_s in coarse_s[deepest][:, None] + around:
        t_s = t_s[(t_s > span_s[0]) & (t_s < span_s[1])]
        dark = behind(orbit, t_s, INNER[[5]])[:, 0]
        short += int(np.count_nonzero(dark) < 120.0 / 0.05)
        wrong_s = t_s[dark != inside(penumbra, t_s)]
        assert all(np.min(np.abs(penumbra - t)) < 0.05 for t in wrong_s)
        assert np.count_nonzero(wrong_s) <= 2
    assert short > 0


@pytest.mark.parametrize("elements", ["spot67.tle", "molniya.tle"])
def test_what_is_found_is_what_sunlight_says(tmp_path: Path, elements: str) -> None:
    """Every second of a day, up to the 15 ms by which the share of the disc is off at its edge."""
    (tmp_path / "molniya.tle").write_text(MOLNIYA)
    text = satellite_text("spot-7", f'tle = "{elements}"')
    orbit = ephemerides(load_mission(mission_file(tmp_path, text)), START, DAY)["spot-7"]
    span_s = orbit.epoch.seconds(START), orbit.epoch.seconds(DAY)
    t_s = np.arange(*span_s, 1.0)
    lit = sunlit_fraction(orbit.position_itrf(t_s), sun_itrf(orbit.epoch, t_s))
    for spans, dark in zip(shadow_spans(orbit, *span_s), (lit < 1, lit <= 0), strict=True):
        wrong_s = t_s[dark != inside(spans, t_s)]
        assert all(np.min(np.abs(spans - t)) < 0.02 for t in wrong_s)
        assert np.count_nonzero(dark) > 600


def test_a_satellite_over_the_terminator_has_no_eclipse(tmp_path: Path) -> None:
    found = find_eclipses(one_satellite(tmp_path, 700, "06:00"), start=START, end=DAY)
    assert len(found) == 0


def test_the_length_at_noon_is_that_of_a_cylinder_behind_the_earth(tmp_path: Path) -> None:
    """An orbit of radius r whose plane holds the Sun is behind a sphere of radius R while it is
    within asin(R/r) of midnight: that share of half a turn. The penumbra counts by half."""
    equinox = datetime(2020, 3, 20, tzinfo=UTC)
    mission = one_satellite(tmp_path, 700, "12:00")
    found = find_eclipses(mission, start=equinox, end=equinox + timedelta(days=1))
    semi_major_m = 6_378_137.0 + 700_000.0
    period_s = 2 * math.pi * math.sqrt(semi_major_m**3 / 3.986004418e14)
    dark_s = math.asin(6_371_000.0 / semi_major_m) / math.pi * period_s
    uncut = slice(1, -1)
    mean_s = 0.5 * (found.duration_s + found.umbra_s)[uncut]
    assert np.all(np.abs(mean_s - dark_s) < 12.0)  # of 2,100 s: eccentricity, oblateness
    assert np.all(np.abs(np.diff(found.orbit)) == 1)


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before_s=st.floats(1, 40_000), after_s=st.floats(1, 40_000))
def test_starting_earlier_or_ending_later_changes_no_bit(
    tmp_path: Path, before_s: float, after_s: float
) -> None:
    mission = one_satellite(tmp_path)
    short = find_eclipses(mission, start=START, end=DAY)
    begin, finish = START - timedelta(seconds=before_s), DAY + timedelta(seconds=after_s)
    long = find_eclipses(mission, start=begin, end=finish)
    uncut = (short.start_s > short.span_s[0]) & (short.end_s < short.span_s[1])
    same = (long.start_s > short.span_s[0]) & (long.end_s < short.span_s[1])
    assert np.count_nonzero(uncut) >= 13
    for name in ("start_s", "end_s", "umbra_start_s", "umbra_end_s", "orbit", "anx_offset_s"):
        assert np.array_equal(getattr(short, name)[uncut], getattr(long, name)[same])


def test_spans_are_cut_to_what_is_asked_and_known(tmp_path: Path) -> None:
    """From the middle of one eclipse to the middle of the next, and over a gap in the orbit."""
    orbit = ephemerides(one_satellite(tmp_path), START, DAY)["sat"]
    whole, _ = shadow_spans(orbit, *(orbit.epoch.seconds(t) for t in (START, DAY)))
    middle_s = whole.mean(axis=1)
    penumbra, umbra = shadow_spans(orbit, middle_s[3], middle_s[4])
    assert penumbra.tolist() == [[middle_s[3], whole[3, 1]], [whole[4, 0], middle_s[4]]]
    assert umbra[0, 0] == middle_s[3]
    (segment,) = orbit.segments
    node = int(np.searchsorted(segment.t_s, middle_s[5]))
    halves = [
        Segment(**{name: value[rows] for name, value in vars(segment).items()})
        for rows in (slice(0, node), slice(node + 1, None))
    ]
    found, _ = shadow_spans(replace(orbit, segments=tuple(halves)), whole[4, 1], whole[6, 0])
    known_s = [[whole[5, 0], segment.t_s[node - 1]], [segment.t_s[node + 1], whole[5, 1]]]
    assert found.tolist() == known_s


def test_the_timeline_holds_the_penumbra_and_the_light(tmp_path: Path) -> None:
    """Dark in the umbra, 1,361 W/m2 at 1 au outside, something in between in the penumbra."""
    mission = one_satellite(tmp_path)
    (timeline,) = find_timeline(mission, start=START, end=DAY).values()
    found = find_eclipses(mission, start=START, end=DAY)
    assert np.array_equal(timeline.eclipse_s, np.stack([found.start_s, found.end_s], axis=-1))
    asked = (timeline.t_s > found.span_s[0]) & (timeline.t_s < found.span_s[1])
    t_s, watt = timeline.t_s[asked], timeline.irradiance_w_m2[asked]
    umbra = inside(np.stack([found.umbra_start_s, found.umbra_end_s], axis=-1), t_s)
    lit = ~inside(timeline.eclipse_s, t_s)
    assert np.count_nonzero(umbra) > 2000
    assert np.all(watt[umbra] == 0.0)
    assert np.all(np.abs(watt[lit] / 1361.0 * 0.9925**2 - 1) < 0.01)  # 0.9925 au on 1 November
    between = watt[~umbra & ~lit]
    assert np.all((between > 0) & (between < watt[lit].min()))
