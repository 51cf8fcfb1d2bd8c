"""Strips of areas: what they cover, which way they run, how wide they are, and what is refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from humay.access import GroundLine, Strip, find_opportunities
from humay.access.areas import find_strips
from humay.access.lines import body_axes_itrf
from humay.access.swath import orbit_aside_m, sure_half_field_rad, usable_swath_m
from humay.access.tracks import track_of
from humay.arrays import BoolArray, FloatArray, dot, norm, unit
from humay.earth import ellipsoid_normal, itrf_from_normal, up_at
from humay.errors import AccessError
from humay.frames import EARTH_RATE_RAD_S, inertial_velocity
from humay.mission import (
    CoarseRelief,
    HeightError,
    ImagingLimit,
    Mission,
    OrbitSigma,
    Request,
    Satellite,
    load_mission,
)
from humay.orbit import Ephemeris, ephemerides
from tests.access.conftest import SPOT_TLE, START, mission_file, satellite_text
from tests.access.grids import beside, covered, grid_in, place_on, ranked

END = START + timedelta(days=3)
CAP = [(0, 89.95), (90, 89.92), (180, 89.94), (270, 89.95), (360, 89.95), (360, 90), (0, 90)]
SQUARE = [(10.0, 10.0), (10.12, 10.0), (10.12, 10.12), (10.0, 10.12)]
STAR = [(47.50, 39.20), (47.57, 39.24), (47.65, 39.21), (47.61, 39.28), (47.64, 39.34),
        (47.57, 39.31), (47.49, 39.35), (47.53, 39.27)]  # fmt: skip
SHAPES = {
    "a star": Polygon(STAR),
    "one with a hole": Polygon(SQUARE, [[(10.04, 10.03), (10.1, 10.04), (10.06, 10.1)]]),
    "two islands": MultiPolygon([Polygon(SQUARE), shapely.box(10.25, 10.1, 10.28, 10.18)]),
    "over the antimeridian": shapely.box(179.95, -16.1, 180.05, -16.0),
    "round the pole": Polygon(CAP),
    "a bow-tie": Polygon([(20.0, 60.0), (20.3, 60.15), (20.3, 60.0), (20.0, 60.15)]),
}


def asked(shape: BaseGeometry, name: str = "a", height_m: float | None = 0.0) -> Request:
    kind: Literal["line", "area"] = "line" if isinstance(shape, LineString) else "area"
    return Request(name=name, geometry=shape, kind=kind, height_m=height_m)


def strips_of(
    mission: Mission, requests: Sequence[Request], start: datetime = START, end: datetime = END,
    **options: object,
) -> list[Strip]:  # fmt: skip
    orbits = ephemerides(mission, start, end)
    epoch = next(iter(orbits.values())).epoch
    span = epoch.seconds(start), epoch.seconds(end)
    return find_strips(mission, requests, orbits, span, "geodetic", **options)  # type: ignore[arg-type]


@pytest.fixture
def narrow(spot: Mission) -> Mission:
    """SPOT 6 and 7 with a swath of 6 km, and an orbit known to 30 m and 20 m a day."""
    pan = spot.cameras[0].bands[0]
    camera = replace(spot.cameras[0], bands=(replace(pan, pixels=2800),))
    return replace(
        spot,
        satellites=tuple(
            replace(
                s,
                camera=camera,
                orbit_sigma=replace(s.orbit_sigma, at_epoch_m=30.0, per_day_m=20.0),
            )
            for s in spot.satellites
        ),
    )


# ---------------------------------------------------------------- what is covered


@pytest.mark.parametrize("name", SHAPES)
def test_strips_cover_a_grid_of_50_m_and_share_it_as_they_say(name: str, narrow: Mission) -> None:
    """All of 25,000 to 80,000 places lie on a strip; shares within 0.1 %."""
    shape = SHAPES[name]
    strips = strips_of(narrow, [asked(shape)], decompositions=2)
    normals = grid_in(shape, 50.0)
    assert len(normals) > 25_000
    for cut in {strip.decomposition for strip in strips}:
        own = [strip for strip in strips if strip.decomposition == cut]
        on, nearest = covered(own, normals)
        assert on.all()
        assert np.allclose(nearest, [strip.share for strip in own], rtol=0, atol=1e-3)
        assert abs(sum(strip.share for strip in own) - 1) < 1e-12
        assert len(own) > 1
        assert not covered(own[1:], normals)[0].all()  # none is superfluous


LARGER = {
    "mughan": [(47.5, 39.2), (48.9, 39.2), (49.3, 40.1), (48.0, 40.4)],
    "over the antimeridian": [(178, -18.5), (182.5, -18.5), (182.5, -16), (178, -16)],
    "high north": [(15.0, 77.0), (25.0, 77.0), (25.0, 80.0), (15.0, 80.0)],
    "long": [(47.0, 35.0), (47.6, 35.0), (49.5, 42.0), (48.9, 42.0)],
}


@pytest.mark.parametrize("name", LARGER)
def test_strips_on_the_relief_cover_larger_areas_and_no_strip_is_too_long(
    name: str, spot: Mission
) -> None:
    shape = Polygon(LARGER[name])
    strips = strips_of(spot, [asked(shape, height_m=None)], decompositions=4)
    normals = grid_in(shape, 2e3)
    for cut in ("d1", "a1", "d2", "a2"):
        own = [strip for strip in strips if strip.decomposition == cut]
        assert covered(own, normals)[0].all()
        assert all(float(strip.line.length_m) < 340e3 for strip in own)


@pytest.mark.slow
def test_shares_are_true_on_the_ellipsoid_however_large_the_area(spot: Mission) -> None:
    """2,000 km from south to north, on a grid of 800 m. On the plane, the ends are drawn 4 % larger
    than the middle; and the same angle between normals is 0.3 % more ground in the north."""
    shape = Polygon([(40, 30), (41.5, 30), (44.5, 48), (43, 48)])
    strips = strips_of(spot, [asked(shape)])
    on, nearest = covered(strips, grid_in(shape, 800.0))
    assert on.all()
    assert len(strips) > 20
    shares = np.array([strip.share for strip in strips])
    assert np.allclose(nearest, shares, rtol=0, atol=5e-4)
    lat_deg = np.degrees(np.arcsin([unit(strip.line.normals.sum(axis=0))[2] for strip in strips]))
    for part in (lat_deg < 36, lat_deg > 42, (lat_deg > 36) & (lat_deg < 42)):
        assert part.sum() > 5
        assert abs(nearest[part].sum() / shares[part].sum() - 1) < 6e-4


def test_neighbours_overlap_by_the_share_they_promise(narrow: Mission, spot: Mission) -> None:
    """Along every centre line, inside the area, the next one lies nearer than both their halves
    less the overlap: on areas of 30 km and of 2,000."""
    checked = 0
    for mission, shape in ((narrow, SHAPES["a star"]), (spot, shapely.box(20, -10, 32, 8))):
        strips = strips_of(mission, [asked(shape)])
        for left, right in pairwise(strips):
            share = np.linspace(0, 1, 50)
            places = GroundLine(
                normals=np.broadcast_to(left.line.normals, (50, 2, 3)),
                heights_m=np.zeros((50, 2)),
            ).normal(share)
            across_m, after_m, before_m = beside(right, unit(places))
            abreast = (before_m > 0) & (after_m > 0) & (across_m > 1.0)
            most_m = 0.5 * (left.width_m + right.width_m) - 0.02 * left.width_m
            assert np.all(across_m[abreast] <= most_m)
            checked += int(abreast.sum())
    assert checked > 100


# ---------------------------------------------------------------- which way they run


def azimuth_deg(direction: FloatArray, up: FloatArray) -> float:
    east = unit(np.array([-up[1], up[0], 0.0]))
    return math.degrees(math.atan2(direction @ east, direction @ np.cross(up, east)))


@pytest.mark.parametrize("lat_deg", [-75.0, -40.0, 0.0, 12.0, 55.0, 80.0])
def test_strips_run_along_the_track_that_the_satellite_flies_there(
    lat_deg: float, spot: Mission
) -> None:
    """Against the velocity over the ground wherever the orbit passes that latitude; 0.3 deg is
    what geodetic latitude and an orbit that is no circle leave, 1.5 deg where the track turns."""
    shape = shapely.box(10, lat_deg - 0.05, 10.1, lat_deg + 0.05)
    strips = strips_of(spot, [asked(shape)], decompositions=2)
    ephemeris = ephemerides(spot, START, END)["spot-6"]
    r, v = ephemeris.state_itrf(np.arange(0, 86_400.0, 2.0) + ephemeris.epoch.seconds(START))
    near = np.abs(np.degrees(np.arcsin(r[:, 2] / norm(r))) - lat_deg) < 0.1
    for strip, ascending in zip(strips, (False, True), strict=True):
        here = near & ((v[:, 2] > 0) == ascending)
        flown = [azimuth_deg(v[i], unit(r[i])) for i in np.flatnonzero(here)]
        a, b = strip.line.normals
        said = azimuth_deg(b - a, unit(a + b))
        off = (np.array(flown) - said + 90) % 180 - 90
        assert len(flown) > 10
        assert np.max(np.abs(off)) < (1.5 if abs(lat_deg) > 70 else 0.3)


def test_passes_to_the_side_run_the_way_that_closed_form_says(spot: Mission) -> None:
    """The velocity in space at every closest approach to Tromso within 600 km to either side, laid
    out in parallel at the town: 0.1 deg, where the way turns by 10."""
    ephemeris = ephemerides(spot, START, END)["spot-6"]
    track = track_of(spot.satellites[0], ephemeris, (0.0, 86_400.0))
    up = ellipsoid_normal(np.radians(18.96), np.radians(69.65))
    centre = unit(itrf_from_normal(up, np.array(0.0)))
    r, v = ephemeris.state_itrf(np.arange(0, 3 * 86_400.0) + ephemeris.epoch.seconds(START))
    v = inertial_velocity(r, v)
    towards = dot(v, np.broadcast_to(centre, v.shape)) / norm(v)
    nearest = np.flatnonzero((towards[:-1] > 0) & (towards[1:] <= 0) & (r[1:] @ centre > 0))
    said, flown = [], []
    for i in nearest:
        normal = unit(np.cross(r[i], v[i]))
        aside = math.asin(float(normal @ centre))
        if abs(aside) * 6.371e6 < 600e3:
            way = np.cross(normal, centre)
            flown.append(azimuth_deg(way, centre))
            ascending = bool(v[i, 2] > 0)
            said.append(math.degrees(track.azimuth(centre, ascending=ascending, aside_rad=aside)))
    off = (np.array(flown) - said + 180) % 360 - 180
    assert len(flown) > 5
    assert np.ptp(np.mod(flown, 180)) > 10
    assert np.max(np.abs(off)) < 0.1


def test_a_chosen_heading_comes_first_and_is_kept(spot: Mission) -> None:
    strips = strips_of(
        spot, [asked(SHAPES["a star"])], heading_rad=math.radians(75.0), decompositions=9
    )
    cuts = list(dict.fromkeys(strip.decomposition for strip in strips))
    assert cuts == ["h1", "d1", "a1", "h2", "d2", "a2"]
    a, b = strips[0].line.normals
    assert abs(azimuth_deg(b - a, unit(a + b)) - 75.0) < 0.2
    names = [strip.name for strip in strips if strip.name.endswith("01")]
    assert names == ["a/01", "a/d1/01", "a/a1/01", "a/h2/01", "a/d2/01", "a/a2/01"]


def test_the_track_flown_by_day_is_offered_first(tmp_path: Path) -> None:
    orbit = ('sun_synchronous = {altitude_km = 694.0, local_time = "%s", phase_deg = 0.0,'
             " epoch = 2019-10-30T00:00:00Z}")  # fmt: skip
    for local_time, first in (("10:30", "d1"), ("01:30", "a1")):
        text = satellite_text("s", orbit=orbit % local_time)
        strips = strips_of(load_mission(mission_file(tmp_path, text)), [asked(Polygon(STAR))])
        assert {strip.decomposition for strip in strips} == {first}


def test_every_inclination_is_offered_its_tracks(tmp_path: Path) -> None:
    """Besides SPOT 6, its orbit tilted to 51.6 deg."""
    line_1, line_2 = SPOT_TLE.splitlines()[1:3]
    tilted = line_2.replace(" 98.1980 ", " 51.6000 ")[:-1]
    digit = sum(int(c) for c in tilted if c.isdigit()) % 10
    (tmp_path / "low.tle").write_text(f"{line_1}\n{tilted}{digit}\n")
    low = satellite_text("low", orbit='tle = "low.tle"')
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-6") + low))
    strips = strips_of(mission, [asked(Polygon(STAR))], decompositions=20)
    cuts = list(dict.fromkeys(strip.decomposition for strip in strips))
    assert cuts == ["d1", "a1", "d2", "a2", "d3", "a3", "d4", "a4"]
    first = {strip.decomposition: strip.line.normals for strip in reversed(strips)}
    headings = {cut: azimuth_deg(b - a, unit(a + b)) % 180 for cut, (a, b) in first.items()}
    assert abs(headings["d2"] - headings["d1"]) > 30


# ---------------------------------------------------------------- how wide they are


@dataclass(frozen=True)
class Ridge:
    """Ground that rises to a peak `top_m` high every 20 km of latitude, east of 47.6 deg."""

    top_m: float
    source: Literal["dem"] = "dem"

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        height = self.top_m * np.abs(np.sin(lat_rad * 6.371e6 / 20e3 * math.pi))
        return np.where(np.degrees(lon_rad) > 47.6, height, 0.0)


@dataclass(frozen=True, kw_only=True)
class Passes:
    """Looks of one satellite at the middle of a strip: when, and what there is to see."""

    t_s: FloatArray
    turn_deg: FloatArray
    usable_m: FloatArray


def passes(
    mission: Mission, satellite: Satellite, strip: Strip, ephemeris: Ephemeris, step_s: float = 20.0
) -> Passes:
    """Every `step_s` of five days within 30 deg of nadir, the Sun left out."""
    t = np.arange(0, 5 * 86_400.0, step_s) + ephemeris.epoch.seconds(START)
    r = ephemeris.position_itrf(t)
    middle = strip.line.place(np.array(0.5))
    sight = unit(middle - r)
    seen = (dot(sight, -up_at(r)) > math.cos(math.radians(30))) & (dot(sight, r) < 0)
    seen &= sight @ strip.line.normal(np.array(0.5)) < 0
    return look(mission.satellite(satellite.name), strip, ephemeris, t[seen], 0.5)


def look(
    satellite: Satellite, strip: Strip, ephemeris: Ephemeris, t_s: FloatArray, share: float
) -> Passes:
    """Looks at times (n,) at one place of a strip."""
    shape = (len(t_s), 3)
    place, up, along = (
        np.broadcast_to(part(np.array(share)), shape)
        for part in (strip.line.place, strip.line.normal, strip.line.tangent)
    )
    r, v = ephemeris.state_itrf(t_s)
    course = v - dot(v, up)[:, None] * up
    error_m = 3 * satellite.orbit_sigma.along_m(ephemeris.age_days(t_s))
    aside_m = orbit_aside_m(error_m, inertial_velocity(r, v), unit(place - r), up, along)
    usable_m = usable_swath_m(
        r, place, up, along, half_field_rad=sure_half_field_rad(satellite),
        relief_m=strip.relief_m, aside_m=aside_m,
    )  # fmt: skip
    turn = np.arccos(np.minimum(np.abs(dot(course, along)) / norm(course), 1.0))
    return Passes(t_s=t_s, turn_deg=np.degrees(turn), usable_m=usable_m)


@pytest.mark.parametrize("wide", [False, True])
def test_every_look_along_the_track_sees_strips_of_the_first_cut_wide_enough(
    wide: bool, narrow: Mission, spot: Mission
) -> None:
    """In five days, whatever is turned from a strip by less than 10 deg sees it as wide as it is,
    with three sigma of that day."""
    mission = spot if wide else narrow
    end = START + timedelta(days=5)
    places = shapely.box(47, 41, 48, 42), shapely.box(10, 63, 11, 64), shapely.box(0, -1, 1, 0)
    strips = strips_of(mission, [asked(s, f"{i}", None) for i, s in enumerate(places)], end=end)
    looks = 0
    for name, ephemeris in ephemerides(mission, START, end).items():
        for strip in strips[::5]:
            found = passes(mission, mission.satellite(name), strip, ephemeris)
            along = found.turn_deg < 10
            assert np.all(found.usable_m[along] >= strip.width_m)
            looks += int(along.sum())
    assert looks > 20


def test_three_sigma_of_everything_leave_no_place_of_a_strip_out(narrow: Mission) -> None:
    """Sweeps flown with errors of three sigma in roll, pitch and along the orbit, all signs, over
    ground up to the relief off the line: where the swath is usable, each place of the area that
    the strip answers for crosses the line of detectors in time, before or between its ends."""
    satellite = replace(
        narrow.satellites[0], orbit_sigma=OrbitSigma(at_epoch_m=100.0, per_day_m=80.0)
    )
    mission = replace(narrow, satellites=(satellite,), heights=Ridge(400.0))
    shape, end = shapely.box(47.3, 40.9, 48.0, 41.3), START + timedelta(days=5)
    strips = strips_of(mission, [asked(shape, height_m=None)], end=end)
    ephemeris = ephemerides(mission, START, end)[satellite.name]
    normals = grid_in(shape, 1e3)
    _, nearest = ranked(strips, normals)
    rng, flown = np.random.default_rng(11), 0
    for number, strip in enumerate(strips[::3]):
        own = normals[nearest == 3 * number]
        found = passes(mission, satellite, strip, ephemeris, step_s=7.0)
        fit = found.t_s[found.usable_m >= strip.width_m]
        for middle_s in rng.choice(fit, 3):
            duration_s = float(strip.line.length_m) / 6.8e3
            ends = [look(satellite, strip, ephemeris, np.array([middle_s + (f - 0.5) * duration_s]),
                         f).usable_m[0] for f in (0.0, 1.0)]  # fmt: skip
            if min(ends) < strip.width_m:
                continue
            error_s = 3 * satellite.orbit_sigma.along_m(ephemeris.age_days(middle_s)) / 7.5e3
            share, level_m = place_on(strip, own)
            height_m = level_m + strip.relief_m * rng.choice((-1.0, 1.0), len(own))
            places = itrf_from_normal(own, height_m)
            for signs in product((-1.0, 1.0), repeat=3):
                roll, pitch = (3 * satellite.pointing_sigma_rad * sign for sign in signs[:2])
                crossed, side = crossing(
                    strip, ephemeris, middle_s - 0.5 * duration_s, duration_s, places,
                    late_s=float(error_s) * signs[2], roll=roll, pitch=pitch,
                )  # fmt: skip
                assert crossed.all()
                assert np.max(np.abs(side)) <= math.tan(satellite.camera.swath_rad / 2)
            assert share.min() > 0
            assert share.max() < 1
            flown += 1
    assert flown > 5


def crossing(
    strip: Strip, ephemeris: Ephemeris, start_s: float, duration_s: float, places: FloatArray,
    *, late_s: float, roll: float, pitch: float,
) -> tuple[BoolArray, FloatArray]:  # fmt: skip
    """Whether places (m, 3) cross the line of detectors in a sweep, and the tangent across it.

    The attitude is that of the plan; the satellite is `late_s` further on its orbit in space, so
    over an Earth that has not turned on, and rolled and pitched a little more than it knows.
    """
    n = 400
    t = start_s + duration_s * np.linspace(0, 1, n)
    v = ephemeris.state_itrf(t)[1]
    forward = bool(dot(v[n // 2], strip.line.tangent(np.array(0.5))) > 0)
    line = strip.line.reversed_where(np.array(not forward))
    many = GroundLine(
        normals=np.broadcast_to(line.normals, (n, 2, 3)),
        heights_m=np.broadcast_to(line.heights_m, (n, 2)),
    )
    axes = body_axes_itrf(ephemeris, many, np.full(n, start_s), np.full(n, duration_s), t)
    turn = EARTH_RATE_RAD_S * late_s
    moved = ephemeris.position_itrf(t + late_s) @ np.array(
        [[math.cos(turn), math.sin(turn), 0], [-math.sin(turn), math.cos(turn), 0], [0, 0, 1]]
    )
    body = np.einsum("nij,mnj->mni", axes, places[:, None] - moved)
    ahead = body[..., 0] / body[..., 2] + pitch
    side = body[..., 1] / body[..., 2] + roll
    k = np.argmax(ahead <= 0, axis=1)
    crossed = (ahead[:, 0] > 0) & (ahead[np.arange(len(k)), k] <= 0)
    return crossed, side[np.arange(len(k)), k]


def test_strips_for_oblique_looks_are_wider_and_fewer(spot: Mission) -> None:
    """15 deg off-nadir sees 1 / cos(17 deg)^2 as much as nadir, 9 %."""
    strips = strips_of(spot, [asked(shapely.box(10, 20, 19, 22))], decompositions=4)
    width = {s.decomposition: s.width_m for s in strips}
    count = {cut: sum(s.decomposition == cut for s in strips) for cut in width}
    for letter in "da":
        assert 1.05 < width[f"{letter}2"] / width[f"{letter}1"] < 1.10
        assert count[f"{letter}2"] < count[f"{letter}1"]


def test_strips_over_mountains_are_narrower_only_there(narrow: Mission) -> None:
    """Ridges 3,000 m high east of a plain, a swath of 6 km: the west keeps its width."""
    mission = replace(narrow, heights=Ridge(3000.0))
    shape = shapely.box(46.6, 39.0, 48.6, 39.5)
    strips = strips_of(mission, [asked(shape, height_m=None)])
    west = [s for s in strips if math.degrees(math.atan2(*s.line.normals[:, 1::-1].sum(0))) < 47.2]
    east = [s for s in strips if s.relief_m > 1000]
    assert len(west) > 3
    assert len(east) > 3
    assert max(s.width_m for s in east) < 0.95 * min(s.width_m for s in west)
    on, _ = covered(strips, grid_in(shape, 1e3))
    assert on.all()


def test_the_ground_leaves_a_strips_line_by_no_more_than_its_relief(spot: Mission) -> None:
    """The coarse relief of the Greater Caucasus, at places of its own: its 9 km cells have 60 m
    between those that were asked for at most."""
    shape = shapely.box(46.0, 40.5, 48.5, 42.0)
    strips = strips_of(spot, [asked(shape, height_m=None)])
    rng = np.random.default_rng(5)
    lon, lat = np.radians(rng.uniform((46.0, 40.5), (48.5, 42.0), (4000, 2))).T
    normals, height_m = ellipsoid_normal(lon, lat), CoarseRelief().ellipsoidal_m(lon, lat)
    most = []
    for strip in strips:
        across_m, after_m, before_m = beside(strip, normals)
        on = (across_m < 0.5 * strip.width_m) & (before_m > 0) & (after_m > 0)
        _, line_m = place_on(strip, normals)
        most.append(np.max(np.abs(height_m - line_m)[on]) - strip.relief_m)
    assert max(strip.relief_m for strip in strips) > 1000
    assert max(most) < 150


def test_no_strip_alone_passes_a_satellites_imaging_limit(spot: Mission) -> None:
    """20 s in any orbit are some 137 km; without, strips are up to 300 km and their lengthening."""
    shape = shapely.box(10, 20, 12, 29)
    limited = replace(
        spot,
        satellites=tuple(
            replace(s, imaging_limits=(ImagingLimit(seconds=20.0, per_s=5900.0),))
            for s in spot.satellites
        ),
    )
    lengths = [
        [float(s.line.length_m) for s in strips_of(m, [asked(shape)])] for m in (spot, limited)
    ]
    assert 250e3 < max(lengths[0]) < 340e3
    assert max(lengths[1]) < 20 * 6.85e3
    assert len(lengths[1]) > 2 * len(lengths[0])


# ---------------------------------------------------------------- the same, always


def alike(a: Sequence[Strip], b: Sequence[Strip]) -> bool:
    """Whether all strips are the same to the last bit."""
    return [told(strip) for strip in a] == [told(strip) for strip in b]


def told(strip: Strip) -> tuple[object, ...]:
    line = strip.line.normals.tobytes(), strip.line.heights_m.tobytes()
    return (strip.name, strip.width_m, strip.share, strip.relief_m, strip.decomposition, *line)


def scattered(count: int) -> list[Request]:
    """Random areas and lines, one in ten large; half of them on the relief."""
    rng = np.random.default_rng(17)
    found = []
    for i in range(count):
        lon, lat = rng.uniform(-170, 170), rng.uniform(-78, 78)
        size = rng.uniform(0.05, 0.3) * (8 if i % 10 == 0 else 1)
        turn = 2 * math.pi * (np.arange(7) + rng.uniform(0, 0.8, 7)) / 7
        radius = size * rng.uniform(0.5, 1.0, 7)
        ring = np.stack([lon + radius * np.cos(turn), lat + radius * np.sin(turn)], axis=-1)
        shape = LineString(ring[:3]) if i % 7 == 3 else Polygon(ring)
        found.append(asked(shape, f"r{i}", None if i % 2 else 100.0))
    return found


def test_an_area_alone_and_among_many_gets_the_same_strips(narrow: Mission) -> None:
    requests = scattered(120)
    together = strips_of(narrow, requests, decompositions=2)
    for request in requests[::9]:
        own = [strip for strip in together if strip.request == request.name]
        assert alike(own, strips_of(narrow, [request], decompositions=2))


def test_spans_that_end_on_the_same_day_have_the_same_strips(spot: Mission) -> None:
    requests = scattered(30)
    first = strips_of(spot, requests)
    later = strips_of(spot, requests, START + timedelta(hours=31), END - timedelta(hours=17))
    assert alike(first, later)
    assert not alike(first, strips_of(spot, requests, START, END + timedelta(hours=1)))


def test_areas_are_cut_as_over_another_span_where_that_is_asked(spot: Mission) -> None:
    """As a plan that follows another asks it, whose strips are on board already."""
    requests = scattered(30)
    later, after = END + timedelta(days=1), END + timedelta(days=2)
    wanted = {strip.name: strip for strip in strips_of(spot, requests)}
    other = {strip.name: strip.width_m for strip in strips_of(spot, requests, later, after)}
    found = find_opportunities(spot, requests, start=later, end=after, cut_as=(START, END))
    assert len(found) > 10
    for row, name in enumerate(found.strip.tolist()):
        assert found.width_m[row] == wanted[name].width_m != other[name]
        assert np.array_equal(found.line.normals[row], wanted[name].line.normals)


# ---------------------------------------------------------------- what is left, what is refused


def test_what_is_excluded_is_not_covered(narrow: Mission) -> None:
    """Half of an area over the antimeridian, named from the other side; all of another one."""
    requests = [asked(shapely.box(179.8, -16, 180.2, -15.8), "half"),
                asked(shapely.box(10, 10, 10.1, 10.1), "none")]  # fmt: skip
    taken = [shapely.box(-180, -17, -179, -15), Polygon([(9, 9), (12, 9), (12, 12), (9, 12)])]
    strips = strips_of(narrow, requests, exclusions=taken)
    assert {strip.request for strip in strips} == {"half"}
    left = shapely.box(179.8, -16, 180.0, -15.8)
    on, nearest = covered(strips, grid_in(left, 100.0))
    assert on.all()
    assert np.allclose(nearest, [strip.share for strip in strips], rtol=0, atol=2e-3)
    alone = strips_of(narrow, [asked(left, "half")])
    assert len(alone) == len(strips)


@pytest.mark.parametrize(
    ("shape", "fewest", "most"),
    [
        (shapely.box(47.5, 39.2, 47.50001, 39.20001), 1, 1),  # 1 m
        (LineString([(47, 39), (60, 50)]), 8, 60),  # 1,600 km
        (LineString([(170, 60), (-170 + 360, 65)]), 8, 60),
        (Polygon([(0, 70), (360, 70), (360, 90), (0, 90)]), 900, 1200),
        (shapely.box(20, -25, 50, 10), 700, 1200),
    ],
)
def test_the_smallest_and_the_largest_are_cut(
    shape: BaseGeometry, fewest: int, most: int, spot: Mission
) -> None:
    strips = strips_of(spot, [asked(shape)])
    assert fewest <= len(strips) <= most
    assert abs(sum(strip.share for strip in strips) - 1) < 1e-9
    assert all(float(strip.line.length_m) < 340e3 for strip in strips)
    rng = np.random.default_rng(1)
    corners = shapely.get_coordinates(shapely.segmentize(shape, 0.1))
    lon, lat = np.radians(rng.choice(corners, min(len(corners), 300), replace=False)).T
    assert covered(strips, ellipsoid_normal(lon, lat))[0].all()


@pytest.mark.parametrize(
    "shape", [shapely.box(0, -40, 95, 45), LineString([(0, 0), (80, 10), (120, 40)])]
)
def test_what_reaches_over_40_deg_from_its_middle_is_refused(
    shape: BaseGeometry, spot: Mission
) -> None:
    with pytest.raises(AccessError, match=r"request 'a': reaches over \d+ deg from its middle"):
        strips_of(spot, [asked(shape)])


def with_pixels(mission: Mission, pixels: int) -> Mission:
    """The same with fewer detectors, pointed without error."""
    pan = replace(mission.cameras[0].bands[0], pixels=pixels)
    return replace(
        mission,
        satellites=tuple(
            replace(s, camera=replace(s.camera, bands=(pan,)), pointing_sigma_rad=0.0)
            for s in mission.satellites
        ),
    )


def test_more_bands_than_anyone_plans_are_refused_before_they_are_cut(narrow: Mission) -> None:
    with pytest.raises(AccessError, match=r"'a': over 10000 swaths of \d+ m lie side by side"):
        strips_of(with_pixels(narrow, 150), [asked(shapely.box(0, 0, 50, 40))])


@pytest.mark.slow
def test_more_strips_than_anyone_plans_are_refused_with_a_way_out(narrow: Mission) -> None:
    with pytest.raises(AccessError, match=r"'a': \d+ strips, expected at most 10000: cut it into"):
        strips_of(with_pixels(narrow, 700), [asked(shapely.box(0, 0, 50, 40))])


def test_elements_too_old_for_the_swath_are_refused_with_what_is_left(narrow: Mission) -> None:
    old = replace(
        narrow,
        satellites=tuple(
            replace(s, orbit_sigma=replace(s.orbit_sigma, per_day_m=30e3))
            for s in narrow.satellites
        ),
    )
    with pytest.raises(AccessError, match=r"'a': by the end of the span, three sigma .* 0 m of a"):
        strips_of(old, [asked(Polygon(STAR))])


def test_two_strips_of_one_name_are_refused(spot: Mission) -> None:
    twins = [asked(Polygon(STAR), "a"), asked(Polygon(SQUARE), "a/a1")]
    assert len(strips_of(spot, twins)) == 2
    with pytest.raises(AccessError, match="'a' and 'a/a1' both have a strip named 'a/a1/01'"):
        strips_of(spot, twins, decompositions=2)


def test_what_is_thinner_than_a_millimetre_is_nothing(spot: Mission) -> None:
    hair = shapely.box(10, 10, 10.1, 10 + 1e-9)
    assert strips_of(spot, [asked(hair)]) == []
    assert len(strips_of(spot, [asked(hair), asked(Polygon(STAR), "b")])) == 1


@dataclass(frozen=True)
class Patch:
    """Heights known in a box only."""

    source: Literal["dem"] = "dem"

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        lon_deg, lat_deg = np.degrees(lon_rad), np.degrees(lat_rad)
        outside = ~shapely.intersects_xy(
            shapely.box(9.999, 9.999, 11.001, 11.001), lon_deg, lat_deg
        )
        if outside.any():
            raise HeightError("lies outside of the DEM", int(np.argmax(outside)))
        return np.full(lon_deg.shape, 50.0)


def test_heights_are_asked_for_inside_the_area_only(spot: Mission) -> None:
    """A model that ends where the area does is enough, though strips reach beyond."""
    mission = replace(spot, heights=Patch())
    strips = strips_of(mission, [asked(shapely.box(10, 10, 11, 11), "in", None)], decompositions=2)
    assert all(np.allclose(strip.line.heights_m, 50.0) for strip in strips)
    both = [asked(shapely.box(10, 10, 11, 11), "in", None), asked(Polygon(STAR), "out", None)]
    with pytest.raises(AccessError, match=r"request 'out': lies outside of the DEM"):
        strips_of(mission, both)


def test_points_have_no_strips(spot: Mission) -> None:
    place = Request(name="p", geometry=shapely.Point(10, 10), kind="point", height_m=0.0)
    assert strips_of(spot, [place]) == []
    assert strips_of(spot, []) == []
    with pytest.raises(ValueError, match="decompositions is 0"):
        strips_of(spot, [place], decompositions=0)
