"""A scene made of a picture: values where the picture has them, refusal where it has not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.earth import ellipsoid_normal
from humay.errors import ImagingError
from humay.imaging.raster_scene import Raster, RasterScene, check_mtf_claim
from humay.imaging.scene import SpectralBand, SyntheticScene
from humay.tables import geoid_height_m

PAN = SpectralBand(name="pan", low_m=450e-9, high_m=745e-9)
STEP_DEG = 1e-5
WEST, NORTH, SIZE = 49.5, 40.5, 200


def ramp(name: str, east: float, north: float, zero: float) -> Raster:
    """Values that rise per pixel eastwards and northwards."""
    row, col = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    return Raster(
        name=name,
        values=(zero + east * col - north * row)[None],
        transform=(STEP_DEG, 0.0, WEST, 0.0, -STEP_DEG, NORTH),
        crs="EPSG:4326",
    )


SCENE = RasterScene(
    image=ramp("ortho.tif", 1e-3, 5e-4, 0.3),
    bands=("pan",),
    terrain=ramp("dem.tif", 0.2, 0.0, 500.0),
    datum="egm96",
)


def place(col: FloatArray, row: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Of pixel middles counted from the first."""
    return np.radians(WEST + (col + 0.5) * STEP_DEG), np.radians(NORTH - (row + 0.5) * STEP_DEG)


def test_a_ramp_comes_back_at_any_place_and_footprint() -> None:
    col, row = np.random.default_rng(1).uniform(5, SIZE - 6, (2, 500))
    expected = 0.3 + 1e-3 * col - 5e-4 * row
    for footprint_m in (0.0, 0.5, 4.0):
        found = SCENE.reflectance(*place(col, row), PAN, footprint_m)
        assert found == pytest.approx(expected, abs=1e-7)


def test_heights_stand_on_the_named_datum() -> None:
    lon, lat = place(np.array([10.0]), np.array([20.0]))
    assert SCENE.height_m(lon, lat) == pytest.approx(502.0 + geoid_height_m(lon, lat), abs=1e-6)
    bare = RasterScene(image=SCENE.image, bands=("pan",), terrain=SCENE.terrain, datum="ellipsoid")
    assert bare.height_m(lon, lat) == pytest.approx(502.0, abs=1e-6)


def test_a_slope_is_lit_by_its_cosine() -> None:
    """0.2 m a pixel of 0.8486 m (1e-5 deg at 40.5 deg N, GRS 80 radius of the parallel)."""
    lon, lat = place(np.array([100.0]), np.array([100.0]))
    up = ellipsoid_normal(lon, lat)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros(1)], axis=-1)
    sun = (0.8 * up - 0.6 * east)[0]  # from the west
    tilt, zenith = math.atan(0.2 / 0.8486), math.atan2(0.6, 0.8)
    expected = math.cos(zenith - tilt) / math.cos(zenith)
    assert SCENE.shading(lon, lat, sun) == pytest.approx(expected, rel=1e-3)


def test_pixels_are_measured_on_the_ground_also_on_a_map() -> None:
    assert SCENE.pixel_m == pytest.approx(1.1105, abs=0.001)  # 1e-5 deg of the meridian at 40.5 N
    utm = Raster(
        name="utm.tif", values=np.full((1, 20, 20), 0.2),
        transform=(0.5, 0.0, 456_000.0, 0.0, -0.5, 4_484_000.0), crs="EPSG:32639",
    )  # fmt: skip
    assert utm.pixel_m == pytest.approx(0.5, rel=1e-3)


def test_a_picture_in_map_coordinates_is_met_where_it_lies() -> None:
    """UTM 39N puts 51 E on x = 500 km; northing 4,427,757.219 m is 40 N (Snyder, equation 8-10)."""
    values = np.arange(400.0).reshape(1, 20, 20) / 1000
    utm = Raster(
        name="utm.tif", values=values,
        transform=(1.0, 0.0, 499_989.5, 0.0, -1.0, 4_427_757.219 + 10.5), crs="EPSG:32639",
    )  # fmt: skip
    found = utm.sample(np.radians([51.0]), np.radians([40.0]), 0)
    assert found == pytest.approx([values[0, 10, 10]], abs=2e-4)


def test_places_outside_are_refused_with_where() -> None:
    with pytest.raises(ImagingError, match=r"ortho\.tif.*does not cover 1 of 2 places.*49\.49"):
        SCENE.reflectance(np.radians([49.4999, 49.501]), np.radians([40.4995, 40.4995]), PAN, 0.0)


def test_holes_are_refused() -> None:
    values = SCENE.image.values.copy()
    values[0, 50, 50] = np.nan
    image = Raster(
        name="holes.tif", values=values, transform=SCENE.image.transform, crs="EPSG:4326"
    )
    with pytest.raises(ImagingError, match=r"holes\.tif.*no value"):
        image.sample(*place(np.array([50.2]), np.array([50.2])), 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"datum": "msl"}, "datum is 'msl'"),
        ({"bands": ("pan", "nir")}, "1 bands, 2 are named"),
        ({"image": ramp("dn.tif", 1.0, 0.0, 100.0)}, "expected reflectance"),
    ],
)
def test_a_picture_that_is_none_is_refused(change: dict[str, object], why: str) -> None:
    fields: dict[str, object] = {
        "image": SCENE.image, "bands": ("pan",), "terrain": SCENE.terrain, "datum": "egm96",
    }  # fmt: skip
    with pytest.raises(ImagingError, match=why):
        RasterScene(**(fields | change))  # type: ignore[arg-type]


def test_a_band_the_picture_lacks_is_refused() -> None:
    nir = SpectralBand(name="nir", low_m=760e-9, high_m=890e-9)
    lon, lat = place(np.array([9.0]), np.array([9.0]))
    with pytest.raises(ImagingError, match="no band 'nir', has pan"):
        SCENE.reflectance(lon, lat, nir, 0.0)


def test_resolution_is_only_judged_on_a_scene_four_times_finer() -> None:
    check_mtf_claim(SyntheticScene(seed=1).pixel_m, 0.5)
    check_mtf_claim(SCENE.pixel_m, 4.5)
    with pytest.raises(ImagingError, match="at most a quarter"):
        check_mtf_claim(SCENE.pixel_m, 2.0)
