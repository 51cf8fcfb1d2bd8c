"""Targets on the synthetic ground: where and as the truth says, and nothing around is touched."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from humay.arrays import FloatArray, dot
from humay.earth import ellipsoid_normal, itrf_from_geodetic
from humay.errors import ImagingError
from humay.imaging.scene import SpectralBand, SyntheticScene
from humay.imaging.targets import Target, place_targets

PAN = SpectralBand(name="pan", low_m=450e-9, high_m=745e-9)
NIR = SpectralBand(name="nir", low_m=760e-9, high_m=890e-9)
LON, LAT = math.radians(49.6), math.radians(40.1)
GSD_M, MS_M, SIDE_M = 2.14, 8.56, 2048 * 2.14


def window_targets(
    name: str = "w", others: tuple[Target, ...] = (), heading_deg: float = 192.0
) -> tuple[Target, ...]:
    return place_targets(
        others, name=name, lon_rad=LON, lat_rad=LAT, heading_rad=math.radians(heading_deg),
        pan_gsd_m=GSD_M, ms_gsd_m=MS_M, along_m=SIDE_M, across_m=SIDE_M,
    )  # fmt: skip


TARGETS = window_targets()
SCENE = SyntheticScene(seed=7, targets=TARGETS)
BARE = SyntheticScene(seed=7)


def named(name: str) -> Target:
    return next(target for target in TARGETS if target.name == name)


def along_and_across(target: Target, lon: FloatArray, lat: FloatArray) -> tuple[FloatArray, ...]:
    """Metres in the target's own frame, by ITRF vectors instead of its own formula."""
    here = np.array([target.lon_rad, target.lat_rad])
    up = ellipsoid_normal(here[0], here[1])
    east = np.array([-math.sin(here[0]), math.cos(here[0]), 0.0])
    north = np.cross(up, east)
    away = itrf_from_geodetic(lon, lat, np.zeros_like(lon)) - itrf_from_geodetic(
        here[0], here[1], np.zeros(())
    )
    sin, cos = math.sin(target.heading_rad), math.cos(target.heading_rad)
    return dot(away, sin * east + cos * north), dot(away, cos * east - sin * north)


def around(target: Target, count: int) -> tuple[FloatArray, FloatArray]:
    """Places within 1.6 half sides."""
    reach = 1.6 * target.half_m / 6.371e6
    x, y = np.random.default_rng(1).uniform(-reach, reach, (2, count))
    return target.lon_rad + x / math.cos(target.lat_rad), target.lat_rad + y


def test_a_window_gets_an_edge_three_patches_and_25_crosses() -> None:
    kinds = [target.kind for target in TARGETS]
    assert [kinds.count(kind) for kind in ("edge", "patch", "cross")] == [1, 3, 25]
    assert len({target.name for target in TARGETS}) == 29
    for patch in (t for t in TARGETS if t.kind == "patch"):
        assert 2 * patch.half_m == pytest.approx(20 * MS_M)
    assert len({t.dark for t in TARGETS if t.kind == "patch"}) == 3
    assert (named("w/edge").dark, named("w/edge").bright) == (0.05, 0.5)


def test_all_targets_lie_inside_and_16_crosses_near_the_border() -> None:
    middle = replace(TARGETS[0], lon_rad=LON, lat_rad=LAT)
    near = 0
    for target in TARGETS:
        a, b = along_and_across(middle, np.array(target.lon_rad), np.array(target.lat_rad))
        edge = SIDE_M / 2 - max(abs(float(a)), abs(float(b)))
        assert edge > target.half_m
        near += target.kind == "cross" and edge < 40 * GSD_M
    assert near == 16


def test_shapes_are_those_of_the_truth() -> None:
    """Point values against the geometry in ITRF, a centimetre off every border."""
    edge, cross, patch = named("w/edge"), named("w/cross-7"), named("w/patch-2")
    for target in (edge, cross, patch):
        lon, lat = around(target, 4_000)
        a, b = along_and_across(target, lon, lat)
        inside = np.maximum(abs(a), abs(b)) < target.half_m
        if target.kind == "edge":
            tilt = target.tilt_rad
            line = b * math.cos(tilt) - a * math.sin(tilt)
            bright, clear = line > 0, abs(line) > 0.01
        elif target.kind == "cross":
            small, large = np.minimum(abs(a), abs(b)), np.maximum(abs(a), abs(b))
            bright = (small < target.bar_m) & (large < target.arm_m)
            clear = (abs(small - target.bar_m) > 0.01) & (abs(large - target.arm_m) > 0.01)
        else:
            bright, clear = np.zeros(lon.shape, dtype=bool), np.ones(lon.shape, dtype=bool)
        clear &= abs(np.maximum(abs(a), abs(b)) - target.half_m) > 0.01
        expected = np.where(inside, np.where(bright, target.bright, target.dark), np.nan)
        expected = np.where(inside, expected, BARE.reflectance(lon, lat, PAN, 0.0))
        assert clear.mean() > 0.9
        found = SCENE.reflectance(lon, lat, PAN, 0.0)
        assert found[clear] == pytest.approx(expected[clear], abs=1e-7)


def test_an_edge_is_box_filtered_over_the_footprint() -> None:
    """Across the edge, the share on the bright side is 1/2 + distance / footprint."""
    edge, footprint = named("w/edge"), 2.0
    lon, lat = around(edge, 4_000)
    a, b = along_and_across(edge, lon, lat)
    inside = np.maximum(abs(a), abs(b)) < edge.half_m - 2.0
    line = b * math.cos(edge.tilt_rad) - a * math.sin(edge.tilt_rad)
    share = np.clip(0.5 + line / footprint, 0, 1)
    found = SCENE.reflectance(lon, lat, PAN, footprint)
    assert found[inside] == pytest.approx((0.05 + 0.45 * share)[inside], abs=1e-5)
    assert np.any((share[inside] > 0.1) & (share[inside] < 0.9))


def test_patches_are_grey_and_even() -> None:
    patch = named("w/patch-3")
    lon, lat = around(patch, 500)
    inside = np.max(np.abs(along_and_across(patch, lon, lat)), axis=0) < patch.half_m - 4.0
    for band in (PAN, NIR):
        found = SCENE.reflectance(lon, lat, band, 2.0)[inside]
        assert found == pytest.approx(np.full(found.size, patch.dark), abs=1e-12)


def test_relief_and_light_are_those_of_the_bare_ground() -> None:
    lon, lat = around(named("w/edge"), 100)
    sun = ellipsoid_normal(np.array(LON + 0.5), np.array(LAT))
    assert np.array_equal(SCENE.height_m(lon, lat), BARE.height_m(lon, lat))
    assert np.array_equal(SCENE.shading(lon, lat, sun), BARE.shading(lon, lat, sun))


def test_targets_of_a_second_window_give_way_to_those_of_the_first() -> None:
    second = window_targets("v", TARGETS, heading_deg=-12.0)
    assert len(second) == 29
    for one in second:
        for other in (*TARGETS, *second):
            here = itrf_from_geodetic(*(np.array(v) for v in (one.lon_rad, one.lat_rad, 0.0)))
            there = itrf_from_geodetic(*(np.array(v) for v in (other.lon_rad, other.lat_rad, 0.0)))
            apart = float(np.linalg.norm(here - there))
            assert one is other or apart >= one.radius_m + other.radius_m


def test_a_window_without_room_is_refused() -> None:
    with pytest.raises(ImagingError, match="no room"):
        place_targets(
            (), name="tiny", lon_rad=0.1, lat_rad=0.1, heading_rad=0.0, pan_gsd_m=GSD_M,
            ms_gsd_m=MS_M, along_m=400.0, across_m=400.0,
        )  # fmt: skip


def test_targets_across_the_antimeridian_and_many_windows_are_all_drawn() -> None:
    """1,160 targets in 40 windows, the first at 180 deg: each patch shows its own grey."""
    targets: list[Target] = []
    for i in range(40):
        targets += place_targets(
            (), name=str(i), lon_rad=math.remainder(math.pi + 0.002 * i, 2 * math.pi),
            lat_rad=0.3, heading_rad=0.1 * i, pan_gsd_m=GSD_M, ms_gsd_m=MS_M, along_m=SIDE_M,
            across_m=SIDE_M,
        )  # fmt: skip
    scene = SyntheticScene(seed=7, targets=tuple(targets))
    patches = [target for target in targets if target.kind == "patch"]
    lon = np.array([t.lon_rad for t in patches])
    lat = np.array([t.lat_rad for t in patches]) + 20.0 / 6.371e6
    grey = np.array([t.dark for t in patches])
    for turn in (0.0, 2 * math.pi):
        assert scene.reflectance(lon + turn, lat, PAN, 1.0) == pytest.approx(grey, abs=1e-12)


def test_the_truth_file_tells_all_that_is_needed_to_draw_a_target() -> None:
    told = json.loads(json.dumps([target.truth() for target in TARGETS]))
    edge = next(t for t in told if t["kind"] == "edge")
    assert edge["tilt_deg"] == pytest.approx(6.0)
    assert edge["lat_deg"] == pytest.approx(math.degrees(named("w/edge").lat_rad), abs=1e-12)
    cross = next(t for t in told if t["kind"] == "cross")
    assert cross["bar_m"] < cross["arm_m"] < cross["half_m"]
    assert {t["reflectance"] for t in told if t["kind"] == "patch"} == {0.08, 0.2, 0.4}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"kind": "star"}, "expected one of"),
        ({"half_m": 0.0}, "half_m is 0.0"),
        ({"half_m": 900.0}, "at most 500"),
        ({"lat_rad": 1.5}, "85 deg"),
        ({"dark": 1.2}, "reflectances"),
        ({"bar_m": 99.0}, "expected in order"),
    ],
)
def test_impossible_targets_are_refused(wrong: dict[str, float], why: str) -> None:
    with pytest.raises(ImagingError, match=why):
        replace(named("w/cross-1"), **wrong)  # type: ignore[arg-type]
