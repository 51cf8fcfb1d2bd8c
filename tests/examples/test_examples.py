"""The example missions are what they say: real places, public figures, and every limit at work."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import Point, Polygon

from humay.chain import planned, survey
from humay.earth import geodetic_from_itrf
from humay.mission import Mission, Request, SunSynchronousOrbit, load_mission, load_requests
from humay.orbit import Ephemeris, ephemerides
from humay.tables import geoid_height_m, land_outlines, relief_height_m

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = ("azersky", "azersky2", "pair")

BAKU_DEG = (49.87, 40.41)
EARTH_RADIUS_KM = 6371.0
NEAR_KM = 300.0
LONG_KM = 100.0

CIVIL = {
    "agriculture", "coast", "disaster response", "energy", "environment", "forestry", "glaciers",
    "infrastructure", "mapping", "water",
}  # fmt: skip

CONTINENTS = {
    "Africa": (-18, 52, -35, 37),
    "Antarctica": (-180, 180, -90, -60),
    "Asia": (60, 180, 0, 75),
    "Australia": (112, 155, -45, -10),
    "Europe": (-10, 30, 36, 71),
    "North America": (-170, -52, 14, 72),
    "South America": (-82, -34, -56, 12),
}
"""Boxes of longitude and latitude that hold nothing of another continent but its waters."""

VILLAGES_M = {
    "Khinalug": 2180,  # en.wikipedia.org/wiki/Khinalug
    "Griz": 2016,  # az.wikipedia.org/wiki/Qriz
    "Buduq": 1760,  # sv.wikipedia.org/wiki/Buduq, after GeoNames 586941
    "Lahij": 1211,  # en.wikipedia.org/wiki/Lahij
    "Ilisu": 1356,  # tektourism.com/2021/07/08/ilisu
}
"""Heights above sea level, metres, as published."""

OFFSHORE = ("Neft Dashlari", "Gunashli platforms", "Azeri and Chirag platforms", "Shah Deniz")


@cache
def example(name: str) -> tuple[Mission, tuple[Request, ...]]:
    mission = load_mission(EXAMPLES / name / "mission.toml")
    assert mission.run is not None
    return mission, load_requests(mission.run.requests, mission)


def fly(mission: Mission) -> dict[str, Ephemeris]:
    assert mission.run is not None
    return ephemerides(mission, mission.run.start, mission.run.end)


def distances_km(first_deg: Sequence[float], others_deg: Any) -> Any:
    """Great circles from one place to places (n, 2), longitude and latitude."""
    lon, lat = np.radians(np.asarray(others_deg, dtype=np.float64)).T
    lon_0, lat_0 = np.radians(first_deg)
    cosine = np.sin(lat) * np.sin(lat_0) + np.cos(lat) * np.cos(lat_0) * np.cos(lon - lon_0)
    return EARTH_RADIUS_KM * np.arccos(np.clip(cosine, -1.0, 1.0))


def is_near_baku(request: Request) -> bool:
    """Whether all of it lies within 300 km."""
    corners = shapely.get_coordinates(request.geometry)
    return bool(np.all(distances_km(BAKU_DEG, corners) <= NEAR_KM))


def length_km(request: Request) -> float:
    """From one corner to the one farthest from it."""
    corners = shapely.get_coordinates(request.geometry)
    return float(max(np.max(distances_km(corner, corners)) for corner in corners))


@cache
def land() -> list[Polygon]:
    return [Polygon(ring) for ring in land_outlines() if len(ring) >= 4]


def is_on_land(place: Point) -> bool:
    """By the even-odd rule of the outlines; the Caspian Sea is not land."""
    return bool(sum(ring.contains(place) for ring in land()) % 2 == 1)


@pytest.mark.parametrize("name", NAMES)
def test_every_request_has_a_civil_purpose(name: str) -> None:
    _, requests = example(name)
    for request in requests:
        kind, _, words = request.purpose.partition(": ")
        assert kind in CIVIL, request.name
        assert words, request.name


@pytest.mark.parametrize("name", NAMES)
def test_every_camera_can_expose_images(name: str) -> None:
    mission, _ = example(name)
    for camera in mission.cameras:
        assert [band.name for band in camera.bands] == ["pan", "blue", "green", "red", "nir"]
        assert all(band.radiometry is not None for band in camera.bands)


@pytest.mark.parametrize("name", NAMES)
def test_every_satellite_has_an_orbit_for_the_whole_run(name: str) -> None:
    mission, _ = example(name)
    assert mission.run is not None
    assert mission.run.render > 0
    assert set(fly(mission)) == {satellite.name for satellite in mission.satellites}


def test_azersky_asks_for_seventy_places_most_of_them_near_baku() -> None:
    _, requests = example("azersky")
    assert 64 <= len(requests) <= 72
    assert sum(is_near_baku(request) for request in requests) >= 40


def test_azersky_asks_for_long_areas_near_baku_and_areas_elsewhere() -> None:
    _, requests = example("azersky")
    areas = [request for request in requests if request.kind == "area"]
    centres = [request.geometry.centroid.coords[0] for request in areas]
    is_near = distances_km(BAKU_DEG, centres) <= NEAR_KM
    near = [area for area, here in zip(areas, is_near, strict=True) if here]
    assert sum(length_km(area) >= LONG_KM for area in near) >= 4
    assert len(areas) - len(near) >= 3


def test_azersky_shows_every_kind_of_geometry_height_and_limit() -> None:
    mission, requests = example("azersky")
    assert mission.run is not None
    features = json.loads(mission.run.requests.read_text(encoding="utf-8"))["features"]
    shapes = {feature["geometry"]["type"] for feature in features}
    assert shapes == {"Point", "LineString", "Polygon", "MultiPolygon"}
    assert {request.height_source for request in requests} == {"geojson", "height_m", "relief"}
    assert any(request.end is not None for request in requests)
    assert any(request.max_cloud is not None for request in requests)
    assert {request.purpose.partition(":")[0] for request in requests} == CIVIL
    assert min(r.priority for r in requests) <= 3
    assert max(r.priority for r in requests) == 10
    assert len({request.weight for request in requests}) >= 8


@pytest.mark.parametrize("continent", CONTINENTS)
def test_azersky_asks_for_a_place_on_every_continent(continent: str) -> None:
    _, requests = example("azersky")
    west, east, south, north = CONTINENTS[continent]
    centres = [request.geometry.centroid for request in requests]
    assert any(west <= c.x <= east and south <= c.y <= north for c in centres)


def test_azersky_crosses_the_antimeridian_in_one_piece() -> None:
    _, requests = example("azersky")
    [over] = [r for r in requests if r.geometry.bounds[0] < 180 < r.geometry.bounds[2]]
    assert over.geometry.geom_type == "Polygon"


def test_offshore_platforms_stand_in_the_caspian_sea() -> None:
    """The outlines say sea, and the relief the level of the Caspian Sea, -28 m."""
    for name in NAMES:
        _, requests = example(name)
        for request in requests:
            if request.name.startswith(OFFSHORE):
                place = request.geometry.centroid
                assert not is_on_land(place), request.name
                level_m = relief_height_m(math.radians(place.x), math.radians(place.y))
                assert abs(float(level_m) + 28) <= 3, request.name


@pytest.mark.parametrize("name", NAMES)
def test_fields_villages_and_dams_stand_on_land(name: str) -> None:
    _, requests = example(name)
    words = ("fields", "vineyards", "orchards", "reservoir", "dam", *VILLAGES_M)
    dry = [r for r in requests if r.name.endswith(words)]
    assert len(dry) >= 4
    for request in dry:
        assert is_on_land(request.geometry.centroid), request.name


@pytest.mark.parametrize("name", NAMES)
def test_villages_have_their_published_heights_above_the_ellipsoid(name: str) -> None:
    """1,000 m of height are 0.67 km on the ground: the shipped relief is too coarse for valleys."""
    _, requests = example(name)
    villages = [request for request in requests if request.name in VILLAGES_M]
    assert villages
    for village in villages:
        lon_rad, lat_rad = np.radians(village.geometry.coords[0])
        geoid_m = float(geoid_height_m(lon_rad, lat_rad))
        assert village.height_m == pytest.approx(VILLAGES_M[village.name] + geoid_m, abs=1.0)


def test_azersky_keeps_the_public_figures() -> None:
    """SPOT 6 and 7, technical sheet: 28,000 pixels over 60 km, native 2.14 m and 8.6 m, 12 bit,
    four bands, 1 Tbit, 30 deg off-nadir as standard, a turn of 30 deg in 14 s with settling."""
    mission, _ = example("azersky")
    [camera] = mission.cameras
    assert camera.pan.pixels == 28_000
    assert camera.gsd_m(694e3) == pytest.approx(2.14, abs=0.005)
    assert camera.aperture_m == 0.2
    for band in camera.bands[1:]:
        assert camera.gsd_m(694e3) * camera.line_ratio(band) == pytest.approx(8.6, abs=0.05)
    assert {band.bits for band in camera.bands} == {12}
    assert 2 * 694e3 * math.tan(camera.swath_rad / 2) == pytest.approx(60e3, rel=0.01)
    for satellite in mission.satellites:
        assert satellite.memory_bit == 1e12
        assert math.degrees(satellite.max_off_nadir_rad) == pytest.approx(30)
        assert turn_s(satellite) == pytest.approx(14.0, abs=1e-9)


def turn_s(satellite: Any, angle_deg: float = 30.0) -> float:
    """From rest to rest with settling, at the largest rate: accelerate, coast, brake."""
    rate, acceleration = satellite.slew_rate_rad_s, satellite.slew_acceleration_rad_s2
    angle = math.radians(angle_deg)
    assert angle >= rate**2 / acceleration
    return float(angle / rate + rate / acceleration + satellite.settle_s)


def test_azersky_flies_the_public_elements(data_dir: Path) -> None:
    published = (data_dir / "orbits" / "spot67_2019-10-30.tle").read_text()
    assert (EXAMPLES / "azersky" / "spot67.tle").read_text() == published


def test_azersky2_keeps_the_public_figures() -> None:
    """Announced in October 2023: two satellites up to 600 km high, pixels under 0.5 m, several
    colours, a downlink of the 1 Gbit/s class; modelled with 4 bands at 2 m and 12 km."""
    mission, _ = example("azersky2")
    [camera] = mission.cameras
    assert len(mission.satellites) == 2
    phases = []
    for satellite in mission.satellites:
        assert isinstance(satellite.orbit, SunSynchronousOrbit)
        assert satellite.orbit.altitude_m <= 600e3
        assert satellite.downlink_bit_s == 1e9
        assert turn_s(satellite) == pytest.approx(14.0, abs=1e-9)
        phases.append(satellite.orbit.phase_rad)
    assert abs(phases[1] - phases[0]) == pytest.approx(math.pi)
    assert camera.gsd_m(600e3) < 0.5
    assert all(camera.gsd_m(600e3) * camera.line_ratio(b) <= 2.0 for b in camera.bands[1:])
    assert 2 * 600e3 * math.tan(camera.swath_rad / 2) == pytest.approx(12e3, rel=0.01)


def test_azersky2_asks_for_some_forty_places() -> None:
    _, requests = example("azersky2")
    assert 38 <= len(requests) <= 46
    assert sum(request.kind == "area" for request in requests) >= 12


def test_the_pair_flies_three_minutes_apart_over_the_same_ground() -> None:
    """Every crossing of the equator, southwards: 180 s later, within 1 m at the same place."""
    mission, _ = example("pair")
    leader, follower = (crossings(orbit) for orbit in fly(mission).values())
    assert len(leader[0]) >= 14
    assert np.allclose(follower[0] - leader[0], 180.0, rtol=0, atol=0.01)
    assert np.allclose(follower[1], leader[1], rtol=0, atol=1e-5)


def crossings(orbit: Ephemeris) -> tuple[Any, Any]:
    """Seconds and longitudes (deg) at which a satellite passes the equator southwards."""
    t_s = np.arange(orbit.start_s, orbit.end_s, 1.0)
    lon, lat, _ = geodetic_from_itrf(orbit.position_itrf(t_s))
    i = np.flatnonzero((lat[:-1] > 0) & (lat[1:] <= 0))
    share = lat[i] / (lat[i] - lat[i + 1])
    return t_s[i] + share, np.degrees(lon[i] + share * (lon[i + 1] - lon[i]))


def test_the_pair_shares_one_antenna_and_a_dozen_targets() -> None:
    mission, requests = example("pair")
    assert len(mission.stations) == 1
    assert mission.stations[0].setup_s > 0
    assert len(requests) == 12


@cache
def plan_of(name: str) -> dict[str, Any]:
    """The plan of an example as `humay run` makes it: it has passed the independent check."""
    mission, requests = example(name)
    run = mission.run
    assert run is not None
    found = survey(mission, requests, start=run.start, end=run.end, step=lambda _: nullcontext())
    return planned(
        mission,
        requests,
        found,
        start=run.start,
        end=run.end,
        release=run.release,
        seed=run.seed,
        step=lambda _: nullcontext(),
    )


@pytest.mark.slow
def test_the_plan_of_azersky_meets_every_limit() -> None:
    plan = plan_of("azersky")
    codes = {request["reason"]["code"] for request in plan["requests"] if request["reason"]}
    assert codes >= {"slew", "memory", "downlink", "energy", "imaging_time"}
    assert codes >= {"uplink", "no_opportunity"}
    assert sum(request["opportunities"] > 0 for request in plan["requests"]) >= 50
    assert len(plan["acquisitions"]) >= 30
    assert {acquisition["satellite"] for acquisition in plan["acquisitions"]} == {
        "spot-6",
        "spot-7",
    }


@pytest.mark.slow
def test_the_plan_of_azersky2_uses_both_satellites_and_cuts_areas_into_strips() -> None:
    plan = plan_of("azersky2")
    assert sum(request["opportunities"] > 0 for request in plan["requests"]) >= 35
    assert len(plan["acquisitions"]) >= 30
    assert len({acquisition["satellite"] for acquisition in plan["acquisitions"]}) == 2
    areas = [request for request in plan["requests"] if request["kind"] == "area"]
    assert sum(len(request["strips"]) >= 2 for request in areas) >= 10


@pytest.mark.slow
def test_the_plan_of_the_pair_divides_the_antenna_in_every_common_pass() -> None:
    mission, _ = example("pair")
    plan = plan_of("pair")
    passes = sorted(plan["passes"], key=lambda p: p["start"])
    assert {p["satellite"] for p in passes} == {"leader", "follower"}
    divided = [(a, b) for a, b in pairwise(passes) if b["contact_start"] < a["contact_end"]]
    assert len(divided) >= 3
    for first, second in divided:
        assert first["satellite"] != second["satellite"]
        gap = seconds(second["start"]) - seconds(first["end"])
        assert gap >= mission.stations[0].setup_s - 1e-6
    codes = {request["reason"]["code"] for request in plan["requests"] if request["reason"]}
    assert "downlink" in codes


def seconds(text: str) -> float:
    """Seconds since 1970 of a time in a plan."""
    return float(np.datetime64(text.removesuffix("Z"), "us").astype(np.int64)) / 1e6
