"""The synthetic relief: noise against another implementation, slopes against their bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray, dot, norm, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf, itrf_from_geodetic
from humay.imaging.noise import STEEPEST, mixed, noise, remembered_noise, sloped_noise
from humay.imaging.relief import (
    HILLS_M,
    MOUNTAINS_M,
    PLAIN_M,
    SHARES,
    STEEPEST_SLOPE,
    on_ellipsoid,
    raw_relief,
)
from humay.imaging.scene import SyntheticScene

LIMIT = math.tan(math.radians(35.0))  # terrain that hides no terrain up to 45 deg off nadir


def places(seed: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Spread evenly over the Earth."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-np.pi, np.pi, count), np.arcsin(rng.uniform(-1, 1, count))


# ---------------------------------------------------------------- noise, written once more


def plain_hash(h: int) -> int:
    h %= 2**32
    for _ in range(2):
        h = (h ^ (h // 2**16)) * 73_244_475 % 2**32
    return h ^ (h // 2**16)


def plain_noise(x: float, y: float, z: float, key: int) -> float:
    """By the head of noise.py, with weights instead of a polynomial."""
    cell = [math.floor(v) for v in (x, y, z)]
    total = 0.0
    for corner in np.ndindex(2, 2, 2):
        i, j, k = (c + d for c, d in zip(cell, corner, strict=True))
        bits = plain_hash(i * 0x1B873593 + j * 0x6C8E9CF5 + k * 0x2545F491 + key)
        v = 2.0 * bits / 2**32 - 1.0
        weight = 1.5 * v - 0.5 * v**3
        for place, low, side in zip((x, y, z), cell, corner, strict=True):
            t = place - low
            rise = 6 * t**5 - 15 * t**4 + 10 * t**3
            weight *= rise if side else 1.0 - rise
        total += weight
    return total


def test_noise_is_what_its_description_says() -> None:
    rng = np.random.default_rng(1)
    for x, y, z in rng.uniform(-3e6, 3e6, (200, 3)):
        assert noise(x, y, z, 99) == pytest.approx(plain_noise(x, y, z, 99), abs=1e-9)


def test_compiled_hash_and_plain_hash_agree_to_the_bit() -> None:
    for h in (0, 1, 2**32 - 1, -1, -(10**15), 4_611_686_018_427_387_904):
        assert mixed(h) == plain_hash(h)


def test_remembered_noise_is_the_same_noise_in_any_order() -> None:
    rng = np.random.default_rng(2)
    memo = np.full(11, 0.5)
    for x, y, z in np.cumsum(rng.normal(0, 0.3, (500, 3)), axis=0):
        assert remembered_noise(x, y, z, 7, memo) == pytest.approx(noise(x, y, z, 7), abs=1e-14)


@given(st.tuples(*[st.floats(-1e4, 1e4)] * 3), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=200)
def test_slope_of_the_noise_is_its_derivative(place: tuple[float, ...], key: int) -> None:
    step = 1e-6
    x, y, z = place
    value, *slope = sloped_noise(x, y, z, key)
    assert abs(value) <= 1.0
    assert math.hypot(*slope) <= STEEPEST
    for axis in range(3):
        dx, dy, dz = step * np.eye(3)[axis]
        rise = noise(x + dx, y + dy, z + dz, key) - noise(x - dx, y - dy, z - dz, key)
        assert rise / (2 * step) == pytest.approx(slope[axis], abs=1e-4)


def test_the_steepest_noise_is_the_stated_one() -> None:
    """Over all values of -1 and 1 of the eight nodes, the gradient is largest along one axis, in
    the middle between two faces: sum over nodes of |gradient of their weight . direction|."""
    t = np.linspace(0, 1, 11)
    x = np.stack(np.meshgrid(t, t, t), axis=-1).reshape(-1, 1, 3)
    way = unit(np.random.default_rng(3).normal(size=(1, 200, 3)))
    way[0, :3] = np.eye(3)
    rise, slope = x**3 * (x * (x * 6 - 15) + 10), 30 * x**2 * (1 - x) ** 2
    total = np.zeros(np.broadcast_shapes(x.shape, way.shape)[:2])
    for corner in np.ndindex(2, 2, 2):
        w = np.where(corner, rise, 1 - rise)
        d = np.where(corner, slope, -slope)
        gradient = np.stack([d[..., 0] * w[..., 1] * w[..., 2], w[..., 0] * d[..., 1] * w[..., 2],
                             w[..., 0] * w[..., 1] * d[..., 2]], axis=-1)  # fmt: skip
        total += np.abs(np.sum(gradient * way, axis=-1))
    assert total.max() == pytest.approx(STEEPEST, rel=1e-12)


# ---------------------------------------------------------------- relief


def test_slopes_stay_below_35_degrees_by_construction_and_in_samples() -> None:
    assert pytest.approx(1.0) == sum(SHARES)
    assert STEEPEST_SLOPE < LIMIT
    slope = norm(SyntheticScene(seed=1).slope(*places(1, 100_000)))
    assert 0.1 * STEEPEST_SLOPE < slope.max() < STEEPEST_SLOPE


def test_the_slope_is_that_of_the_heights() -> None:
    scene = SyntheticScene(seed=5)
    lon, lat = places(4, 300)
    east = unit(np.stack([-np.sin(lon), np.cos(lon), np.zeros(300)], axis=-1))
    place = itrf_from_geodetic(lon, lat, np.zeros(300))
    for way in (east, np.cross(ellipsoid_normal(lon, lat), east)):
        ahead, behind = (
            scene.height_m(*geodetic_from_itrf(place + s * way)[:2]) for s in (0.5, -0.5)
        )
        assert dot(scene.slope(lon, lat), way) == pytest.approx(ahead - behind, abs=2e-4)


def test_heights_are_the_stated_sum_and_parabola() -> None:
    """The surface from the raw relief, written out by hand."""
    scene = SyntheticScene(seed=11)
    lon, lat = places(5, 500)
    for a, b, height in zip(lon, lat, scene.height_m(lon, lat), strict=True):
        raw, _, _, _, size, *_ = raw_relief(*on_ellipsoid(a, b)[:3], mixed(11))
        soft = 0.05 * size
        shore = raw if raw > soft else (raw + soft) ** 2 / (4 * soft) if raw > -soft else 0.0
        assert height == pytest.approx(shore, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 2019])
def test_a_fifth_of_the_earth_is_water(seed: int) -> None:
    share = np.mean(SyntheticScene(seed=seed).is_water(*places(6, 40_000)))
    assert 0.15 < share < 0.25


def test_plains_hills_and_mountains_are_all_frequent_and_meet_in_a_swath() -> None:
    rng = np.random.default_rng(7)
    sizes = []
    for lon, lat in zip(*places(8, 40), strict=True):
        lat *= 0.8
        x, y = rng.uniform(-30_000, 30_000, (2, 60)) / 6.37e6
        where = zip(lon + x / math.cos(lat), lat + y, strict=True)
        sizes.append([raw_relief(*on_ellipsoid(*p)[:3], mixed(1))[4] for p in where])
    size = np.array(sizes)
    middle = (math.sqrt(PLAIN_M * HILLS_M), math.sqrt(HILLS_M * MOUNTAINS_M))
    kinds = np.digitize(size, middle)
    assert np.all(np.bincount(kinds.ravel(), minlength=3) > 0.15 * kinds.size)
    assert np.mean([len(set(swath)) >= 2 for swath in kinds]) > 0.6


def test_windows_of_5_km_with_500_m_of_relief_and_with_a_coast_are_there_to_be_found() -> None:
    scene, (lon, lat) = SyntheticScene(seed=1), places(9, 400)
    x, y = np.meshgrid(np.linspace(-2500, 2500, 9) / 6.37e6, np.linspace(-2500, 2500, 9) / 6.37e6)
    lat = 0.8 * lat[:, None, None] + y
    height = scene.height_m(lon[:, None, None] + x / np.cos(lat), lat).reshape(400, -1)
    water = np.mean(height == 0.0, axis=1)
    assert np.mean(np.ptp(height, axis=1) > 500.0) > 0.02
    assert np.mean((water > 0.05) & (water < 0.95)) > 0.15


def test_heights_have_no_seam_at_the_antimeridian_nor_at_the_poles() -> None:
    scene = SyntheticScene(seed=3)
    lat = np.linspace(-1.5, 1.5, 500)
    west, east = scene.height_m(np.full(500, -np.pi), lat), scene.height_m(np.full(500, np.pi), lat)
    assert west == pytest.approx(east, abs=1e-6)
    for pole in (-np.pi / 2, np.pi / 2):
        assert np.ptp(scene.height_m(np.linspace(-np.pi, np.pi, 50), np.full(50, pole))) < 1e-6


def test_the_compiled_relief_is_the_plain_one() -> None:
    for lon, lat in zip(*places(10, 30), strict=True):
        x, y, z, *_ = on_ellipsoid.py_func(lon, lat)  # type: ignore[attr-defined]
        plain = raw_relief.py_func(x, y, z, mixed(4))  # type: ignore[attr-defined]
        assert raw_relief(x, y, z, mixed(4)) == pytest.approx(plain, rel=1e-12, abs=1e-9)
