"""Bias and noise of pixels whose light and noise are known because they were made so."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.imaging import Target
from humay.quality import (
    Patch,
    PatchNoise,
    PatchReflectance,
    QualityError,
    RadiometryResult,
    measure_reflectance,
)
from humay.quality.map_grid import MapGrid
from humay.quality.radiometry import LEAST_PIXELS, inner_pixels
from tests.quality.wavy import (
    EAST_M,
    EPSG,
    NORTH_M,
    PAN,
    PIXEL_M,
    SUN,
    WavyScene,
    product_pixels,
    write_product,
)

SCENE = WavyScene(seed=4)
GRID = MapGrid(
    epsg=EPSG, pixel_m=PIXEL_M, rows=120, cols=150,
    east_m=EAST_M + 0.5 * PIXEL_M, north_m=NORTH_M - 0.5 * PIXEL_M,
)  # fmt: skip


def patch(*corners: tuple[float, float]) -> Patch:
    """A patch with corners at rows and columns of the grid."""
    row, col = np.transpose(corners)
    lon, lat = GRID.lon_lat(row, col)
    return Patch(name="grey", lon_rad=lon, lat_rad=lat)


SQUARE = patch((30.5, 40.5), (30.5, 79.5), (69.5, 79.5), (69.5, 40.5))


def reflectances(path: Path, *patches: Patch) -> tuple[PatchReflectance, ...]:
    return measure_reflectance(path, SCENE, patches, bands=[PAN], sun_itrf=SUN, native_m=2.0)


@pytest.fixture(scope="module")
def image() -> FloatArray:
    return product_pixels(SCENE, shape=GRID.shape)


def test_a_true_product_has_no_bias(tmp_path: Path, image: FloatArray) -> None:
    """What is left is noise, 1 % of a pixel over 1,000 pixels, and what blur takes over the edge"""
    path = write_product(tmp_path / "true.tif", {"pan": image})
    (found,) = reflectances(path, SQUARE)
    assert (found.product, found.patch, found.band) == ("true", "grey", "pan")
    assert found.pixels == 31 * 31  # of 39 x 39, 4 pixels of 1.5 m off each side
    assert abs(found.bias) < 2e-3


@pytest.mark.parametrize("gain", [0.98, 1.02])
def test_two_percent_of_light_are_found(tmp_path: Path, image: FloatArray, gain: float) -> None:
    path = write_product(tmp_path / "off.tif", {"pan": gain * image})
    (found,) = reflectances(path, SQUARE)
    assert found.bias == pytest.approx(gain - 1.0, abs=2e-3)
    told = RadiometryResult(reflectances=(found,), noises=())
    assert told.largest_bias("pan") == pytest.approx(0.02, abs=2e-3)
    assert not told.meets(patches=1, bias=0.01, noise=0.1)


def test_patches_not_wholly_shown_are_left_out(tmp_path: Path, image: FloatArray) -> None:
    half = np.ones(GRID.shape, bool)
    half[:, :60] = False
    path = write_product(tmp_path / "half.tif", {"pan": image}, outline=half)
    beyond = patch((100.0, 100.0), (100.0, 170.0), (160.0, 170.0), (160.0, 100.0))
    small = patch((30.0, 90.0), (30.0, 99.0), (39.0, 99.0), (39.0, 90.0))
    assert reflectances(path, SQUARE, beyond, small) == ()
    whole = patch((30.0, 70.0), (70.0, 70.0), (70.0, 110.0), (30.0, 110.0))
    assert len(reflectances(path, SQUARE, whole)) == 1


def test_inside_is_so_far_within_every_side_whichever_way_round() -> None:
    """A square of 40 pixels on its tip, by hand: |row| + |col| <= half a diagonal less the inset"""
    tip = 20.0 * math.sqrt(2.0)
    corners = [(60 - tip, 60.0), (60.0, 60 + tip), (60 + tip, 60.0), (60.0, 60 - tip)]
    for order in (corners, corners[::-1]):
        first, inside = inner_pixels(np.array(order), 4.0)
        row, col = np.indices(inside.shape)
        off = np.abs(row + first[0] - 60) + np.abs(col + first[1] - 60)
        assert np.array_equal(inside, off <= 16.0 * math.sqrt(2.0))
        assert inside.sum() > LEAST_PIXELS
    with pytest.raises(QualityError, match="has no area"):
        inner_pixels(np.array([(1.0, 1.0), (5.0, 5.0), (9.0, 9.0)]), 1.0)


def test_a_patch_has_the_corners_of_its_target() -> None:
    """A square of 100 m, turned by 45 deg: its tips lie 70.7 m north, east, south and west.

    Radii of curvature at 40 deg: 6,361.816 km and 6,386.976 km x cos 40 (IAG GRS80 tables).
    """
    lon, lat = math.radians(50.0), math.radians(40.0)
    target = Target(
        name="grey", kind="patch", lon_rad=lon, lat_rad=lat, heading_rad=math.radians(-45.0),
        half_m=50.0, dark=0.2, bright=0.2,
    )  # fmt: skip
    found = Patch.of(target)
    north_m = (found.lat_rad - lat) * 6_361_816.0
    east_m = (found.lon_rad - lon) * 6_386_976.0 * math.cos(lat)
    tip = 50.0 * math.sqrt(2.0)
    assert north_m == pytest.approx([tip, 0.0, -tip, 0.0], abs=0.01)
    assert east_m == pytest.approx([0.0, tip, 0.0, -tip], abs=0.01)


# ---------------------------------------------------------------- claims


def noise(variance: float, band: str = "pan", pixels: int = 1000) -> PatchNoise:
    return PatchNoise(
        image="a", patch="grey", band=band, pixels=pixels, variance=variance, expected=0.5
    )


def test_a_ratio_of_noise_is_that_of_pixels_not_of_patches() -> None:
    """By hand: (100 x 1.2 + 300 x 1.0) / 400."""
    told = RadiometryResult(
        reflectances=(), noises=(noise(0.6, pixels=100), noise(0.5, pixels=300))
    )
    assert told.noise_ratio("pan") == pytest.approx(1.05)
    assert math.isnan(told.noise_ratio("red"))


def measured(bias: float, count: int = 10) -> tuple[PatchReflectance, ...]:
    return tuple(
        PatchReflectance(
            product=f"p{i}", patch="grey", band="pan", pixels=100, measured=0.2 * (1 + bias),
            expected=0.2,
        )
        for i in range(count)
    )  # fmt: skip


def test_a_claim_needs_every_part_of_it() -> None:
    good = RadiometryResult(reflectances=measured(0.004), noises=(noise(0.54),))
    assert good.meets(patches=10, bias=0.01, noise=0.1)
    assert good.summary()["pan"]["largest_bias_percent"] == pytest.approx(0.4)
    for reflectances, noises in (
        (measured(0.004, count=9), (noise(0.5),)),
        (measured(0.004) + measured(-0.011, count=1), (noise(0.5),)),
        (measured(0.004), (noise(0.56),)),
        (measured(0.004), (noise(0.44),)),
        (measured(0.004), ()),
        (measured(0.004), (noise(0.5), noise(0.5, band="red"))),
        ((), ()),
    ):
        bad = RadiometryResult(reflectances=reflectances, noises=noises)
        assert not bad.meets(patches=10, bias=0.01, noise=0.1)
        json.dumps(bad.summary(), allow_nan=False)
