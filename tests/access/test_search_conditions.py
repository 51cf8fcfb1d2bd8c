"""Windows under single conditions, where trigonometry or another source says what is left."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from humay.access import Opportunities
from humay.access.looks import look_angles
from humay.arrays import BoolArray, FloatArray
from humay.earth import azimuth_angle, elevation_angle, ellipsoid_normal, itrf_from_normal
from humay.errors import AccessError, RequestError
from humay.mission import (
    AnyOf,
    CloudModel,
    Constraint,
    Inside,
    Mission,
    Not,
    OrbitSigma,
    RelativeOrbit,
    Request,
    TerrainHorizon,
    Within,
)
from humay.mission.heights import HeightSource
from tests.access.conftest import START
from tests.access.searching import beside_track, orbit, place, places, search, spot_6

HOUR_S = 3600.0


def target_of(request: Request) -> tuple[FloatArray, FloatArray]:
    """Place and normal of a point."""
    up = ellipsoid_normal(*np.radians([request.geometry.x, request.geometry.y]))
    return itrf_from_normal(up, np.array(request.height_m)), up


def spans(found: Opportunities) -> list[tuple[float, float]]:
    return list(zip(found.start_s.tolist(), found.end_s.tolist(), strict=True))


def sampled(request: Request, begin_s: float, end_s: float) -> tuple[FloatArray, ...]:
    """Every 0.01 s: times, off-nadir, roll, azimuth and elevation of the satellite."""
    t_s = np.arange(begin_s, end_s, 0.01)
    target, up = target_of(request)
    r, v = orbit().state_itrf(t_s)
    off_nadir, roll, _ = look_angles(r, v, target, "geodetic")
    return t_s, off_nadir, roll, azimuth_angle(r - target, up), elevation_angle(r - target, up)


def edges_of(inside: BoolArray, t_s: FloatArray) -> list[tuple[float, float]]:
    """Spans of samples that hold."""
    steps = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return [(t_s[a], t_s[b - 1]) for a, b in zip(steps[::2], steps[1::2], strict=True)]


def assert_same_spans(
    found: list[tuple[float, float]], wanted: list[tuple[float, float]], within_s: float = 0.011
) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert np.allclose(one, other, rtol=0, atol=within_s)


# Several lobes of one pass ------------------------------------------------------------------------


def test_a_ring_of_off_nadir_is_seen_coming_and_going() -> None:
    """Between 20 and 30 deg off-nadir a pass overhead has two lobes, one ahead and one behind."""
    t_s = orbit().epoch.seconds(START) + 20 * HOUR_S
    request = beside_track(
        t_s, 0.01, constraints=Within(quantity="off_nadir_rad", low=math.radians(20))
    )
    found = search(spot_6(30.0), [request], t_s - 400, t_s + 400)
    times, off_nadir, *_ = sampled(request, t_s - 200, t_s + 200)
    ring = (off_nadir >= math.radians(20)) & (off_nadir <= math.radians(30))
    assert_same_spans(spans(found), edges_of(ring, times))
    assert len(found) == 2
    assert np.allclose(found.best_s, [found.end_s[0], found.start_s[1]], atol=1e-9)
    ids = found.opportunity_id
    assert ids[1].startswith(ids[0])
    assert ids[1] != ids[0]


def test_a_ring_of_roll_and_a_sector_of_azimuth_split_passes_as_samples_say() -> None:
    """Two rings by `or`, and the sector behind the place only."""
    for hour in (5.0, 17.3, 44.1):
        t_s = orbit().epoch.seconds(START) + hour * HOUR_S
        plain = beside_track(t_s, 0.03)
        times, off_nadir, roll, azimuth, high = sampled(plain, t_s - 300, t_s + 300)
        reach = (off_nadir <= math.radians(50)) & (high >= 0)
        low, mid = np.quantile(np.abs(roll[reach]), [0.2, 0.5])
        parts: list[Constraint] = [
            Within(quantity="roll_rad", low=-mid, high=-low),
            Within(quantity="roll_rad", low=low, high=mid),
        ]
        ring = replace(plain, constraints=AnyOf(parts=tuple(parts)))
        found = search(spot_6(50.0), [ring], t_s - 400, t_s + 400)
        inside = reach & (np.abs(roll) >= low) & (np.abs(roll) <= mid)
        assert_same_spans(spans(found), edges_of(inside, times))
        middle = float(azimuth[np.argmin(off_nadir)])
        sector = (middle - 0.5) % (2 * math.pi), (middle + 0.5) % (2 * math.pi)
        away = replace(
            plain,
            constraints=Not(part=Within(quantity="azimuth_rad", low=sector[0], high=sector[1])),
        )
        found = search(spot_6(50.0), [away], t_s - 400, t_s + 400)
        turned = np.abs((azimuth - middle + math.pi) % (2 * math.pi) - math.pi)
        assert_same_spans(spans(found), edges_of(reach & (turned >= 0.5), times))
        assert len(found) == 2


def test_more_lobes_than_there_is_room_for_are_refused() -> None:
    """A comb of 150 ranges, each a lobe coming and a lobe going."""
    comb = AnyOf(
        parts=tuple(
            Within(
                quantity="off_nadir_rad",
                low=math.radians(4 + 0.2 * i),
                high=math.radians(4.1 + 0.2 * i),
            )
            for i in range(150)
        )
    )
    t_s = orbit().epoch.seconds(START) + 20 * HOUR_S
    request = beside_track(t_s, 0.001, constraints=comb)
    with pytest.raises(AccessError, match="splits one pass into over"):
        search(spot_6(40.0), [request], t_s - 400, t_s + 400)


# Ground ------------------------------------------------------------------------------------------


class EastWall:
    """A ridge along the meridian: `top_m` high from 20 to 21 km to the east of lon 0."""

    source: HeightSource = "dem"

    def __init__(self, top_m: float) -> None:
        self.top_m = top_m

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        east_m = 6_378_137.0 * lon_rad * np.cos(lat_rad)
        return np.where((east_m > 20e3) & (east_m < 21e3), self.top_m, 0.0)


TOP_M = 11_000.0


def wall_rad(azimuth: FloatArray, away_m: float) -> FloatArray:
    """Elevation of the top of the ridge, `away_m` off in the east; -90 deg beyond 60 km."""
    along_m = away_m / np.maximum(np.sin(azimuth), 1e-6)
    level = np.arctan2(TOP_M - along_m**2 / (2 * 6.378e6), along_m)
    return np.where(along_m < 60e3, level, -math.pi / 2)


def test_a_wall_in_the_east_hides_what_is_low_there() -> None:
    """The ridge stands atan((h - d^2 / 2R) / d) high at d = 20 km / sin(azimuth), or at a step of
    the terrain (6 %) more: 28.8 deg in the east. A pass there begins, ends or both where it is that
    high; a pass in the west is whole. Half a degree of room, for the horizon is joined by straight
    lines from one degree of azimuth to the next."""
    mission, room = replace(spot_6(57.0), heights=EastWall(TOP_M)), math.radians(0.5)
    hidden = 0
    for lat_deg in (-20.0, -10.0, 0.0, 10.0, 20.0):
        plain = place("x", 0.0, lat_deg)
        tree = TerrainHorizon(distance_m=60e3)
        free, walled = (search(mission, [replace(plain, constraints=c)]) for c in (None, tree))
        target, up = target_of(plain)
        t_s = np.concatenate([np.arange(a + 0.5, b - 0.5, 0.5) for a, b in spans(free)])
        told = np.zeros(len(t_s), dtype=bool)
        for begin, end in spans(walled):
            told |= (t_s >= begin) & (t_s <= end)
        r = orbit().position_itrf(t_s)
        azimuth, high = azimuth_angle(r - target, up), elevation_angle(r - target, up)
        assert np.all(told[high > wall_rad(azimuth, 20e3) + room])
        below = high < wall_rad(azimuth, 21.2e3) - room
        assert not np.any(told[below])
        assert np.all(told[np.sin(azimuth) < 0])
        hidden += int(below.sum())
    assert hidden > 100


def test_inside_and_exclusions_keep_or_drop_places() -> None:
    requests = places(9, 300)
    square = box(-60, -30, 40, 50)
    free = search(spot_6(), requests)
    inside = {r.name for r in requests if square.contains(r.geometry)}
    assert 20 < len(inside) < 200
    tree = [replace(r, constraints=Inside(geometry=square)) for r in requests]
    kept = search(spot_6(), tree)
    wanted = free.take(np.isin(free.request, list(inside)))
    assert kept.opportunity_id.tolist() == wanted.opportunity_id.tolist()
    assert np.array_equal(kept.start_s, wanted.start_s)
    excluding = replace(spot_6(), exclusions=(square,))
    left = search(excluding, requests)
    others = free.take(~np.isin(free.request, list(inside)))
    assert left.opportunity_id.tolist() == others.opportunity_id.tolist()
    assert np.array_equal(left.end_s, others.end_s)


def test_an_exclusion_over_the_antimeridian_holds_on_both_sides() -> None:
    over = replace(spot_6(), exclusions=(box(175, -10, 190, 10),))
    asked = [place("a", 179.0, 5.0), place("b", -175.0, 5.0), place("c", -165.0, 5.0)]
    found = search(over, asked)
    assert set(found.request) == {"c"}


# Orbits ------------------------------------------------------------------------------------------


def test_relative_orbits_leave_the_passes_of_their_numbers() -> None:
    """Every fourth orbit: 1 + (orbit - 1) mod 4 = 3."""
    requests = places(11, 200)
    free = search(spot_6(), requests)
    tree = RelativeOrbit(numbers=(3,), cycle=4)
    kept = search(spot_6(), [replace(r, constraints=tree) for r in requests])
    at_start, _ = orbit().orbit_at(free.start_s)
    at_end, _ = orbit().orbit_at(free.end_s)
    wanted = free.take((1 + (at_start - 1) % 4 == 3) & (at_start == at_end))
    whole = kept.take(orbit().orbit_at(kept.start_s)[0] == orbit().orbit_at(kept.end_s)[0])
    missing = set(wanted.opportunity_id) - set(kept.opportunity_id)
    assert not missing
    assert 0.2 < len(kept) / len(free) < 0.3
    assert np.all(1 + (orbit().orbit_at(0.5 * (whole.start_s + whole.end_s))[0] - 1) % 4 == 3)


# Clouds ------------------------------------------------------------------------------------------


def cloudy(probabilities: FloatArray, **more: FloatArray) -> Mission:
    model = CloudModel(
        path=Path("clouds.tif"), probabilities=probabilities.astype(np.float32), west_deg=-180.0,
        north_deg=90.0, cell_lon_deg=360.0 / probabilities.shape[2],
        cell_lat_deg=180.0 / probabilities.shape[1], **more,
    )  # fmt: skip
    return replace(spot_6(), clouds=model)


def test_clouds_drop_whole_passes_by_the_cell_of_the_place() -> None:
    """Half of the cells are clear (0.25), half are not (0.75), as on a chessboard."""
    board = (np.indices((18, 36)).sum(axis=0) % 2 * 0.5 + 0.25)[None]
    requests = places(13, 200)
    free = search(spot_6(), requests)
    dull = search(cloudy(board), [replace(r, max_cloud=0.5) for r in requests])
    clear = {
        r.name
        for r in requests
        if board[0, int((90 - r.geometry.y) // 10), int((r.geometry.x + 180) // 10)] < 0.5
    }
    wanted = free.take(np.isin(free.request, list(clear)))
    assert 200 < len(wanted) < len(free) - 200
    assert dull.opportunity_id.tolist() == wanted.opportunity_id.tolist()
    assert np.array_equal(dull.start_s, wanted.start_s)


def test_a_forecast_counts_at_the_least_off_nadir_of_the_pass() -> None:
    """Clouds rise evenly from 0 to 1 in the three days: what passes in the first half stays."""
    epoch = orbit().epoch
    ends = epoch.mjd_utc(epoch.seconds(START) + np.array([-7200.0, 3 * 86_400.0 + 7200.0]))
    rising = np.stack([np.zeros((2, 4)), np.ones((2, 4))])
    requests = places(14, 100)
    free = search(spot_6(), requests)
    kept = search(cloudy(rising, mjd_utc=ends), [replace(r, max_cloud=0.5) for r in requests])
    half_s = epoch.seconds(START) + 1.5 * 86_400.0
    assert kept.opportunity_id.tolist() == free.opportunity_id[free.best_s < half_s].tolist()


def test_a_place_without_known_clouds_is_refused() -> None:
    board = np.full((1, 2, 4), 0.2)
    board[0, 0, 0] = np.nan
    with pytest.raises(RequestError, match="no probability of clouds"):
        search(cloudy(board), [place("x", -170.0, 60.0, max_cloud=0.5)])


# Margins -----------------------------------------------------------------------------------------


@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), tilt_deg=st.floats(5, 45))
def test_windows_with_margin_lie_inside_and_shrink_as_sigma_grows(
    seed: int, tilt_deg: float
) -> None:
    requests = places(seed, 20)
    plain = search(spot_6(tilt_deg), requests)
    around = plain
    for size in (0.0, 1.0, 2.0, 6.0):
        sigma = OrbitSigma(at_epoch_m=300.0 * size, per_day_m=200.0 * size)
        mission = spot_6(tilt_deg, orbit_sigma=sigma, pointing_sigma_rad=2e-4 * size)
        within = search(mission, requests, margin=True)
        rows = {name: row for row, name in enumerate(around.opportunity_id)}
        for row, name in enumerate(within.opportunity_id):
            own = rows[name]  # also: no window appears
            begin, end = within.start_s[row], within.end_s[row]
            if size == 0.0:
                assert abs(begin - around.start_s[own]) < 1e-5
                assert abs(end - around.end_s[own]) < 1e-5
            else:
                assert around.start_s[own] < begin or begin == within.span_s[0]
                assert around.end_s[own] > end or end == within.span_s[1]
        assert size > 0 or len(within) == len(plain)
        around = within


def test_what_margin_leaves_is_the_reach_of_three_sigma() -> None:
    """Three sigma of pointing alone are 1.5 deg here: the windows are those of 28.5 deg."""
    sigma = OrbitSigma(at_epoch_m=0.0, per_day_m=0.0)
    mission = spot_6(30.0, orbit_sigma=sigma, pointing_sigma_rad=math.radians(0.5))
    requests = places(21, 100)
    within = search(mission, requests, margin=True)
    narrow = search(spot_6(28.5), requests)
    assert within.opportunity_id.tolist() == narrow.opportunity_id.tolist()
    assert np.allclose(within.start_s, narrow.start_s, rtol=0, atol=2e-5)
    assert np.allclose(within.end_s, narrow.end_s, rtol=0, atol=2e-5)
