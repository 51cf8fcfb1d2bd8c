"""Conditions at the ends of their domains, in pieces, on turned lines; each was once wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from shapely.geometry import LineString, Point

from humay.access import Opportunities, find_opportunities
from humay.arrays import FloatArray
from humay.earth import elevation_angle, itrf_from_normal
from humay.mission import (
    CloudModel,
    Constraint,
    Mission,
    Request,
    TerrainHorizon,
    Within,
)
from humay.orbit import ephemerides
from tests.access.conftest import START
from tests.access.searching import hold, places, search, spot_6
from tests.access.test_constraints import sky

DAYS = timedelta(days=4)


def baku(name: str = "baku", constraints: Constraint | None = None, **more: object) -> Request:
    return Request(
        name=name, geometry=Point(49.87, 40.41), kind="point", height_m=0.0,
        constraints=constraints, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def found(mission: Mission, *requests: Request, days: timedelta = DAYS) -> Opportunities:
    return find_opportunities(mission, requests, start=START, end=START + days)


def seconds(windows: Opportunities) -> float:
    return float(np.sum(windows.end_s - windows.start_s))


@pytest.mark.parametrize(
    "never",
    [
        Within(quantity="cloud_probability", high=0.0),
        Within(quantity="cloud_probability", low=1.0),
        Within(quantity="off_nadir_rad", high=0.0),
        Within(quantity="glint_rad", high=0.0),
        Within(quantity="gsd_m", high=0.0),
        Within(quantity="sun_elevation_rad", low=math.pi / 2),
        Within(quantity="sun_angle_rad", low=math.pi),
        Within(quantity="incidence_rad", low=1.6),
    ],
    ids=lambda condition: f"{condition.quantity} {condition.low} {condition.high}",
)
def test_a_bound_at_the_far_end_of_a_domain_excludes_all(never: Within) -> None:
    assert len(found(sky(), baku())) > 2
    assert len(found(sky(), baku(constraints=never))) == 0
    assert seconds(found(sky(), baku(constraints=~never))) == pytest.approx(
        seconds(found(sky(), baku())), abs=1e-6
    )


def test_only_those_who_ask_are_asked_about_clouds() -> None:
    """Clouds are known about Baku and for the span only; Paris has no limit on them."""
    model = CloudModel(
        path=sky().path, probabilities=np.full((2, 10, 10), 0.2, "f4"), west_deg=45.0,
        north_deg=45.0, cell_lon_deg=1.0, cell_lat_deg=1.0,
        mjd_utc=_mjd() + np.array([0.0, DAYS / timedelta(days=1)]),
    )  # fmt: skip
    mission = replace(sky(), clouds=model)
    paris = Request(name="paris", geometry=Point(2.35, 48.85), kind="point", height_m=0.0)
    both = found(mission, baku(max_cloud=0.5), paris)
    assert {"baku", "paris"} == set(both.request)
    assert len(found(mission, baku(max_cloud=0.1))) == 0


def _mjd() -> float:
    epoch = ephemerides(sky(), START, START + DAYS)["spot-6"].epoch
    return float(epoch.mjd_utc(np.array(epoch.seconds(START))))


class Wall:
    """A wall 20 to 24 km north of 41 N, 25 km high."""

    source = "dem"

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        north_km = (np.degrees(lat_rad) - 41.0) * 111.0 + 0.0 * np.asarray(lon_rad)
        return np.where((north_km > 20) & (north_km < 24), 25_000.0, 0.0)


def walled() -> Mission:
    return replace(sky(), heights=Wall())  # type: ignore[arg-type]


def test_each_condition_on_terrain_looks_as_far_as_it_says() -> None:
    near, far = TerrainHorizon(distance_m=5_000.0), TerrainHorizon(distance_m=50_000.0)
    place = replace(baku(), geometry=Point(48.0, 41.0))
    eight = timedelta(days=8)

    def total(tree: Constraint | None) -> float:
        return seconds(found(walled(), replace(place, constraints=tree), days=eight))

    free, open_near, open_far = total(None), total(near), total(far)
    assert open_near == free
    assert open_far < free - 10
    assert total(near | far) == pytest.approx(open_near, abs=1e-4)
    assert total(near & ~far) == pytest.approx(open_near - open_far, abs=1e-4)


def test_a_line_drawn_the_other_way_has_the_same_windows() -> None:
    """Terrain stands at its north end: a line flown from there must not look it up at the south."""
    tree = TerrainHorizon(distance_m=50_000.0)

    def windows(ends: Sequence[tuple[float, float]]) -> Opportunities:
        line = Request(name="line", geometry=LineString(ends), kind="line", constraints=tree)
        return found(walled(), line, days=timedelta(days=8))

    north, south = windows([(48, 40), (48, 41)]), windows([(48, 41), (48, 40)])
    assert len(north) == len(south) > 3
    assert np.allclose(north.start_s, south.start_s, atol=1e-5)
    assert np.allclose(north.end_s, south.end_s, atol=1e-5)
    assert {True, False} == set(north.ascending)


def test_ids_do_not_depend_on_the_span() -> None:
    """A ring of roll splits passes; the second part keeps its name when the first is cut off."""
    ring = ~Within(quantity="pitch_rad", low=-0.2, high=0.2)
    whole = found(sky(), baku(constraints=ring))
    second = next(i for i, name in enumerate(whole.opportunity_id) if name.endswith(".2"))
    between = 0.5 * (whole.end_s[second - 1] + whole.start_s[second])
    later = find_opportunities(
        sky(), [baku(constraints=ring)], start=whole.epoch.utc(between), end=START + DAYS
    )
    assert later.opportunity_id[0] == whole.opportunity_id[second]
    assert later.start_s[0] == whole.start_s[second]


@pytest.mark.parametrize("part_s", [3.0, 30.0])
def test_orbit_and_direction_are_those_of_the_pass_whatever_part_of_it_is_seen(
    part_s: float,
) -> None:
    north = replace(baku(), geometry=Point(20.0, 81.0))
    whole = found(sky(), north)
    for i in range(len(whole)):
        start, end = whole.epoch.utc(whole.start_s[i]), whole.epoch.utc(whole.start_s[i] + part_s)
        part = find_opportunities(sky(), [north], start=start, end=end)
        assert part.opportunity_id[-1] == whole.opportunity_id[i]
        assert part.anx_offset_s[-1] - part.best_s[-1] == pytest.approx(
            whole.anx_offset_s[i] - whole.best_s[i], abs=1e-6
        )


@pytest.mark.parametrize("seed", range(4))
def test_a_window_at_the_horizon_is_found_where_the_satellite_stands_highest(seed: int) -> None:
    """With 70 deg of tilt the horizon decides; the least off-nadir is seconds from the highest."""
    [craft] = sky().satellites
    tilt = math.radians(70)
    craft = replace(craft, max_off_nadir_rad=tilt, max_roll_rad=tilt, max_pitch_rad=tilt)
    mission = replace(sky(), satellites=(craft,))
    orbit = ephemerides(mission, START, START + timedelta(hours=3))["spot-6"]
    random = np.random.default_rng(seed)
    middle_s = orbit.epoch.seconds(START) + random.uniform(2_500, 8_000)
    request, span_s = _grazing(orbit.position_itrf, middle_s, random.choice([-1.0, 1.0]))
    windows = find_opportunities(mission, [request], start=START, end=START + timedelta(hours=3))
    hits = (windows.start_s <= span_s[1]) & (windows.end_s >= span_s[0])
    assert hits.any()


def _grazing(position: object, middle_s: float, side: float) -> tuple[Request, FloatArray]:
    """A place above whose horizon the satellite rises by 4e-6 rad, and when."""
    t_s = np.arange(middle_s - 60, middle_s + 60, 0.05)
    r = position(t_s)  # type: ignore[operator]
    centre = len(t_s) // 2
    up = r[centre] / np.linalg.norm(r[centre])
    across = np.cross(up, r[centre + 1] - r[centre])
    across *= side / np.linalg.norm(across)

    def elevation(angle: float) -> FloatArray:
        normal = math.cos(angle) * up + math.sin(angle) * across
        place = itrf_from_normal(normal, np.array(0.0))
        return elevation_angle(r - place, np.broadcast_to(normal, r.shape))

    low, high = 0.1, 0.9
    for _ in range(40):
        angle = 0.5 * (low + high)
        low, high = (angle, high) if elevation(angle).max() > 4e-6 else (low, angle)
    normal = math.cos(low) * up + math.sin(low) * across
    lon, lat = math.atan2(normal[1], normal[0]), math.asin(normal[2])
    place = Point(math.degrees(lon), math.degrees(lat))
    seen = t_s[elevation(low) >= 0]
    return replace(baku("edge"), geometry=place), seen[[0, -1]]


def test_a_limit_just_below_the_horizon_may_hold_twice_in_a_pass() -> None:
    """Off-nadir rises, falls and rises again there: two spans, by samples every 0.01 s."""
    place, mission = places(1, 20)[8], spot_6(64.0)
    windows = search(mission, [place], 415_100, 415_700)
    t_s = np.arange(415_150, 415_700, 0.01)
    inside = hold(mission, place, t_s, "geodetic").astype(int)
    edges = t_s[np.flatnonzero(np.diff(np.concatenate([[0], inside, [0]])))]
    assert len(edges) == 4
    assert np.allclose(np.stack([windows.start_s, windows.end_s], axis=1).ravel(), edges, atol=0.02)
