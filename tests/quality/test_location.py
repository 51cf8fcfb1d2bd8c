"""Location measured on files whose pixels lie off by what is known in closed form."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from humay.quality import LocationResult, QualityError, compare_products, measure_location
from humay.quality.map_grid import MapGrid
from humay.quality.points import choose, near_edge, places, textures
from humay.quality.records import Place, Point
from tests.quality.wavy import (
    EAST_M,
    EPSG,
    PAN,
    PIXEL_M,
    RED,
    SUN,
    WavyScene,
    product_pixels,
    write_flags,
    write_product,
)

SCENE = WavyScene(seed=1)
NATIVE_M = 2.0
SIDE_PX = 500


def turned_square(side: float) -> NDArray[np.bool_]:
    """What an image covers of a north-up grid: a square turned by 12 degrees."""
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX] - 0.5 * (SIDE_PX - 1)
    c, s = math.cos(math.radians(12)), math.sin(math.radians(12))
    return np.asarray(np.maximum(np.abs(c * y + s * x), np.abs(c * x - s * y)) < side / 2)


def product(
    folder: Path, *, shift_m: tuple[float, float] = (0.0, 0.0), name: str = "a", seed: int = 1
) -> Path:
    image = product_pixels(SCENE, shape=(SIDE_PX, SIDE_PX), shift_m=shift_m, seed=seed)
    return write_product(folder / f"{name}.tif", {"pan": image}, outline=turned_square(410))


def location(path: Path, points: int = 36) -> LocationResult:
    return measure_location(
        path, SCENE, bands=[PAN], sun_itrf=SUN, native_m=NATIVE_M, points=points
    )


@pytest.fixture(scope="module")
def true(tmp_path_factory: pytest.TempPathFactory) -> LocationResult:
    return location(product(tmp_path_factory.mktemp("true")))


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> LocationResult:
    """Everything lies 1 m too far east (half a native pixel) and 0.3 m too far south."""
    return location(product(tmp_path_factory.mktemp("moved"), shift_m=(1.0, -0.3)))


def test_a_true_product_passes_with_points_all_over_it(true: LocationResult) -> None:
    assert true.meets(mean_px=0.01, ce90_px=0.05)
    assert len(true.points) >= 25
    places = np.array([(point.place.east_m, point.place.north_m) for point in true.points])
    assert np.all(np.ptp(places, axis=0) > 0.7 * 410 * PIXEL_M)
    assert sum(point.place.near_edge for point in true.points) >= 5
    assert not all(point.place.near_edge for point in true.points)


def test_a_shift_is_found_with_its_sign_and_size(moved: LocationResult) -> None:
    assert moved.mean_m == pytest.approx((1.0, -0.3), abs=0.01)
    assert moved.rms_m == pytest.approx((1.0, 0.3), abs=0.01)
    assert moved.mean_px == pytest.approx(math.hypot(1.0, 0.3) / NATIVE_M, abs=0.005)
    assert moved.ce90_m == pytest.approx(math.hypot(1.0, 0.3), abs=0.03)


def test_half_a_native_pixel_does_not_pass(moved: LocationResult) -> None:
    assert moved.is_enough
    assert not moved.meets(mean_px=0.05, ce90_px=0.15)


def test_a_product_that_lies_far_off_is_measured_too(tmp_path: Path) -> None:
    """36 m east and 24.4 m north, as an image with a bad attitude may: 24 and 16 pixels."""
    found = location(product(tmp_path, shift_m=(36.0, 24.4)), points=16)
    assert len(found.points) >= 12
    assert found.mean_m == pytest.approx((36.0, 24.4), abs=0.02)


def test_stated_sigmas_are_those_of_the_errors(true: LocationResult) -> None:
    normal = np.array([np.divide(point.error_m, point.sigma_m) for point in true.points])
    assert 0.6 < np.sqrt(np.mean(normal**2)) < 1.6


def test_a_product_from_elsewhere_has_no_points_and_fails(tmp_path: Path) -> None:
    """Nothing is left out for its error: what cannot be matched is told, and is missing."""
    found = location(product(tmp_path, shift_m=(3000.0, 0.0)), points=16)
    assert not found.is_enough
    assert not found.meets(mean_px=1e9, ce90_px=1e9)
    assert len(found.points) + len(found.rejected) == 16
    assert sum(found.summary()["rejected"].values()) == len(found.rejected) >= 12


def test_the_same_product_gives_the_same_bytes(tmp_path: Path, true: LocationResult) -> None:
    again = location(product(tmp_path))
    assert again == true
    assert json.dumps(again.summary(), allow_nan=False) == json.dumps(true.summary())


def test_bands_are_measured_each_by_its_own_name(tmp_path: Path) -> None:
    """A red band that lies 0.5 m off, beside a true one: each is told, and both count."""
    shape = (SIDE_PX, SIDE_PX)
    bands = {
        "pan": product_pixels(SCENE, shape=shape),
        "red": product_pixels(SCENE, shape=shape, shift_m=(0.0, 0.5), seed=2),
    }
    path = write_product(tmp_path / "two.tif", bands)
    found = measure_location(
        path, SCENE, bands=[PAN, RED], sun_itrf=SUN, native_m=NATIVE_M, points=9
    )
    assert found.bands == ("pan", "red")
    assert found.of_band("pan").mean_m == pytest.approx((0, 0), abs=0.02)
    assert found.of_band("red").mean_m == pytest.approx((0, 0.5), abs=0.02)
    assert found.mean_m == pytest.approx((0, 0.25), abs=0.02)
    assert not found.is_enough
    with pytest.raises(QualityError, match=r"two: bands are \('pan', 'red'\), expected 'nir'"):
        measure_location(
            path, SCENE, bands=[replace(RED, name="nir")], sun_itrf=SUN, native_m=NATIVE_M
        )


def test_flagged_pixels_are_not_matched(tmp_path: Path) -> None:
    """Flags over the western half leave the eastern, and all points lie there."""
    path = product(tmp_path)
    half = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    half[:, : SIDE_PX // 2] = 1
    flags = write_flags(tmp_path / "flags.tif", half)
    found = measure_location(
        path, SCENE, bands=[PAN], sun_itrf=SUN, native_m=NATIVE_M, flags=flags, points=9
    )
    middle_m = EAST_M + 0.5 * SIDE_PX * PIXEL_M
    assert len(found.points) >= 7
    assert all(point.place.east_m > middle_m for point in found.points)
    other = write_flags(tmp_path / "other.tif", half[1:])
    with pytest.raises(QualityError, match=r"other\.tif: lies on .* expected"):
        measure_location(path, SCENE, bands=[PAN], sun_itrf=SUN, native_m=NATIVE_M, flags=other)


def test_two_products_of_a_place_are_compared_where_they_overlap(tmp_path: Path) -> None:
    """One grid, other corners; the second lies 0.4 m further west and 0.2 m further south."""
    one = product_pixels(SCENE, shape=(360, 400), first=(0, 0), shift_m=(0.1, 0.2))
    two = product_pixels(SCENE, shape=(400, 380), first=(40, 60), shift_m=(-0.3, 0.0), seed=3)
    a = write_product(tmp_path / "a.tif", {"pan": one}, first=(0, 0))
    b = write_product(tmp_path / "b.tif", {"pan": two}, first=(40, 60))
    there = compare_products(a, b, bands=["pan"], native_m=NATIVE_M)
    back = compare_products(b, a, bands=["pan"], native_m=NATIVE_M)
    assert there.is_enough
    assert there.mean_m == pytest.approx((0.4, 0.2), abs=0.02)
    assert back.mean_m == pytest.approx((-0.4, -0.2), abs=0.02)
    assert (there.product, there.reference) == ("a", "b")
    none = compare_products(a, a, bands=["pan"], native_m=NATIVE_M)
    assert none.ce90_m == pytest.approx(0.0, abs=1e-9)


def test_products_on_different_grids_are_refused(tmp_path: Path) -> None:
    image = product_pixels(SCENE, shape=(120, 120))
    a = write_product(tmp_path / "a.tif", {"pan": image})
    b = write_product(tmp_path / "b.tif", {"pan": image}, first=(0.5, 0.0))
    with pytest.raises(QualityError, match="expected one grid"):
        compare_products(a, b, bands=["pan"], native_m=NATIVE_M)


def test_what_is_no_product_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.tif").write_text("not a raster")
    with pytest.raises(QualityError, match=r"text\.tif: could not be read"):
        location(tmp_path / "text.tif")


# ---------------------------------------------------------------- figures, by hand


def result(errors_m: list[tuple[float, float]], near: int = 5) -> LocationResult:
    points = tuple(
        Point(
            place=Place(band="pan", east_m=0.0, north_m=0.0, near_edge=i < near),
            error_m=error,
            sigma_m=(0.01, 0.01),
            correlation=0.99,
        )
        for i, error in enumerate(errors_m)
    )
    return LocationResult(
        product="p", reference="scene", native_m=2.0, bands=("pan",), points=points, rejected=()
    )


def test_figures_follow_from_their_definitions() -> None:
    """Eleven errors 0 to 10 m east: mean 5, mean square 35, and 90 % of them within 9 m."""
    figures = result([(float(i), 0.0) for i in range(11)])
    assert figures.mean_m == pytest.approx((5.0, 0.0))
    assert figures.rms_m == pytest.approx((math.sqrt(35.0), 0.0))
    assert figures.ce90_m == pytest.approx(9.0)
    assert (figures.mean_px, figures.ce90_px) == pytest.approx((2.5, 4.5))


def test_a_claim_needs_points_enough_everywhere() -> None:
    good = [(0.0, 0.0)] * 25
    assert result(good).meets(mean_px=0.05, ce90_px=0.15)
    assert not result(good[1:]).meets(mean_px=0.05, ce90_px=0.15)
    assert not result(good, near=4).meets(mean_px=0.05, ce90_px=0.15)
    assert not result([*good[:22], *[(0.31, 0.0)] * 4]).meets(mean_px=0.05, ce90_px=0.15)
    assert not result([(0.11, 0.0)] * 25).meets(mean_px=0.05, ce90_px=0.15)
    assert not result([]).meets(mean_px=1e9, ce90_px=1e9)


def test_a_band_without_any_match_spoils_the_claim() -> None:
    """Else a band that lies a kilometre off, or shows nothing, would be helped by the others."""
    found = result([(0.0, 0.0)] * 30)
    assert found.is_enough
    assert not replace(found, bands=("pan", "red")).is_enough


def test_a_product_without_any_texture_is_not_claimed_to_lie_well(tmp_path: Path) -> None:
    flat = write_product(tmp_path / "flat.tif", {"pan": np.full((200, 200), 0.3)})
    found = location(flat)
    assert (found.bands, found.points, found.rejected) == (("pan",), (), ())
    assert not found.meets(mean_px=1e9, ce90_px=1e9)
    assert found.summary()["ce90_m"] is None


# ---------------------------------------------------------------- places


def test_points_cover_a_slanted_product_evenly() -> None:
    inside = turned_square(410)
    free = places(inside[::4, ::4], step=4, size_px=40)
    assert all(inside[r : r + 40, c : c + 40].all() for r, c in free)
    rng = np.random.default_rng(1)
    chosen = np.array(choose(free, rng.uniform(0.5, 1.0, len(free)), 36))
    assert len(chosen) == 36
    middle = 0.5 * (SIDE_PX - 1)
    quadrants = (chosen[:, 0] + 20 > middle) * 2 + (chosen[:, 1] + 20 > middle)
    assert np.bincount(quadrants).min() >= 6


def test_points_lie_on_the_land_of_a_coast() -> None:
    """Water takes three quarters; its noise has a hundredth of the texture of the land."""
    free = places(np.ones((200, 200), bool), step=4, size_px=40)
    rng = np.random.default_rng(2)
    land = free[:, 1] >= 600
    texture = np.where(land, 1.0, 0.01) * rng.uniform(0.5, 1.5, len(free))
    chosen = np.array(choose(free, texture, 36))
    assert len(chosen) == 36
    assert chosen[:, 1].min() >= 600
    assert np.ptp(chosen[:, 0]) > 600


def test_the_best_textured_place_of_a_part_is_taken() -> None:
    corners = np.array([[0, 0], [0, 20], [0, 40], [0, 60]])
    assert choose(corners, np.array([1.0, 2.0, 4.0, 3.0]), 1) == [(0, 40)]
    assert choose(corners, np.zeros(4), 1) == []
    assert choose(corners[:0], np.zeros(0), 1) == []


def test_a_product_smaller_than_a_chip_has_no_places() -> None:
    assert len(places(np.ones((8, 8), bool), step=4, size_px=40)) == 0
    assert len(places(np.zeros((80, 80), bool), step=4, size_px=40)) == 0


def test_the_edge_is_where_data_end() -> None:
    valid = np.ones((100, 100), bool)
    valid[:, 60:] = False
    assert not near_edge(valid, 50, 49, 10)
    assert near_edge(valid, 50, 51, 10)
    assert near_edge(valid, 5, 30, 10)


def test_texture_needs_two_directions() -> None:
    """Of sin x and of sin y, slopes 0.7 cos: half of 0.7 squared, a little less by differences."""
    y, x = np.mgrid[:40, :120] * 0.7
    both = np.where(x > 0.7 * 70, np.sin(x), np.sin(x) + np.sin(y))
    both[3, 110] = np.nan
    two, one, holed = textures(both, np.array([20, 72, 75]))
    assert two == pytest.approx(0.5 * math.sin(0.7) ** 2, rel=0.1)
    assert one == pytest.approx(0.0, abs=1e-12)
    assert holed == 0


def test_a_mesh_is_where_the_map_has_it() -> None:
    """Parabolas between 3 x 3 nodes of 500 m against the map itself: within 0.1 mm."""
    grid = MapGrid(epsg=EPSG, pixel_m=1.5, east_m=260_000.75, north_m=5e6, rows=10, cols=10)
    row, col = np.linspace(-50.0, 283.0, 30), np.linspace(0.0, 333.0, 20)
    lon, lat = grid.lon_lat_mesh(row, col)
    found = grid.row_col_of(lon, lat)
    assert np.abs(found[0] - row[:, None]).max() * 1.5 < 1e-4
    assert np.abs(found[1] - col[None, :]).max() * 1.5 < 1e-4
