"""Elevations: their datum by name, their surface, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from humay.errors import ProcessingError
from humay.mission import RasterDem
from humay.processing.dem import Dem
from humay.processing.files import read_dem
from humay.tables import geoid_height_m

LON, LAT = np.radians(5.2), np.radians(44.2)


def small(**changes: object) -> Dem:
    """Four by five posts, 0.01 deg apart, a plane of 100 m + 10 m a row + 1 m a column."""
    row, col = np.indices((4, 5))
    fields: dict[str, object] = {
        "name": "small", "crs": "EPSG:4326", "origin": (5.0, 45.0), "step": (0.01, -0.01),
        "heights_m": (100 + 10 * row + col).astype(np.float32), "vertical": "ellipsoid",
    }  # fmt: skip
    return Dem(**fields | changes)  # type: ignore[arg-type]


def written(
    path: Path, crs: str | None, heights: NDArray[np.float32] | None = None, **more: Any
) -> Path:
    """A GeoTIFF of the plane of `small`."""
    heights = small().heights_m if heights is None else heights
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "height": heights.shape[0],
        "width": heights.shape[1], "crs": crs,
        "transform": rasterio.Affine(0.01, 0, 4.995, 0, -0.01, 45.005), "nodata": -9999.0,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile | more) as file:
        file.write(heights, 1)
    return path


@given(row=st.floats(0, 3), col=st.floats(0, 4))
def test_a_plane_stays_a_plane(row: float, col: float) -> None:
    dem = small()
    lon, lat = dem.places(np.array(row), np.array(col))
    assert dem.ellipsoidal_m(lon, lat) == pytest.approx(100 + 10 * row + col, abs=1e-3)
    assert np.allclose(dem.posts_at(lon, lat), (row, col), rtol=0, atol=1e-9)


def test_heights_above_egm96_get_the_geoid_and_ellipsoidal_ones_do_not() -> None:
    above_geoid, above_ellipsoid = small(vertical="egm96"), small()
    lon, lat = small().places(np.array(1.0), np.array(2.0))
    lift = above_geoid.ellipsoidal_m(lon, lat) - above_ellipsoid.ellipsoidal_m(lon, lat)
    assert lift == pytest.approx(float(geoid_height_m(lon, lat)), abs=1e-4)
    assert lift > 45  # the south of France


def test_the_surface_is_that_of_the_mission_stage(data_dir: Path, srtm: Dem) -> None:
    """Other code: heights between posts first, then the geoid at the very place. Within 1 mm."""
    theirs = RasterDem.opened(data_dir / "imagery" / "dem" / "N44E005.hgt")
    lon, lat = np.radians(
        np.random.default_rng(1).uniform((5.15, 44.15), (5.30, 44.30), (500, 2))
    ).T
    off = srtm.ellipsoidal_m(lon, lat) - theirs.ellipsoidal_m(lon, lat)
    assert np.abs(off).max() < 1e-3


def test_nothing_is_known_outside_and_beside_a_void() -> None:
    heights = np.array(small().heights_m)
    heights[1, 1] = np.nan
    dem = small(heights_m=heights)
    row = np.array([-0.01, 0.5, 1.5, 2.5, 3.01])
    height = dem.ellipsoidal_m(*dem.places(row, np.full(5, 1.5)))
    assert np.isnan(height).tolist() == [True, True, True, False, True]
    assert dem.covers(*dem.places(row, np.full(5, 1.5))).tolist() == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_longitudes_go_round_the_antimeridian() -> None:
    dem = small(origin=(179.98, 10.0))
    east_of_it = dem.ellipsoidal_m(np.radians(-179.99), np.radians(9.99))
    assert east_of_it == pytest.approx(100 + 10 + 3, abs=1e-3)


def test_srtm_is_egm96_by_the_definition_of_its_format(srtm: Dem) -> None:
    assert (srtm.vertical, srtm.vertical_is_assumed) == ("egm96", False)


@pytest.mark.parametrize(
    ("crs", "vertical", "assumed"),
    [
        ("EPSG:4326", "egm96", True),
        ("EPSG:9707", "egm96", False),
        ("EPSG:4979", "ellipsoid", False),
    ],
)
def test_the_file_says_its_datum_or_the_record_says_that_it_was_assumed(
    tmp_path: Path, crs: str, vertical: str, assumed: bool
) -> None:
    """EPSG:9707 is WGS 84 + EGM96 height, EPSG:4979 WGS 84 with ellipsoidal height."""
    dem = read_dem(written(tmp_path / "dem.tif", crs))
    assert (dem.vertical, dem.vertical_is_assumed, dem.crs) == (vertical, assumed, "EPSG:4326")


def test_a_datum_can_be_given_but_not_contradicted(tmp_path: Path) -> None:
    silent = written(tmp_path / "silent.tif", "EPSG:4326")
    dem = read_dem(silent, vertical="ellipsoid")
    assert (dem.vertical, dem.vertical_is_assumed) == ("ellipsoid", False)
    says = written(tmp_path / "says.tif", "EPSG:9707")
    with pytest.raises(ProcessingError, match="says that its heights are egm96, asked to take"):
        read_dem(says, vertical="ellipsoid")


def test_a_datum_that_humay_lacks_is_refused_by_name(data_dir: Path) -> None:
    with pytest.raises(ProcessingError, match=r"EGM2008.*expected EGM96 or"):
        read_dem(data_dir / "imagery" / "dem" / "ngi_dem_24m_Lo25.tif")


def test_a_part_has_the_heights_of_the_whole(data_dir: Path) -> None:
    path = data_dir / "imagery" / "dem" / "N44E005_UTM31_90m.tif"
    whole, part = read_dem(path), read_dem(path, (5.4, 44.4, 5.45, 44.43))
    assert part.heights_m.size < 0.02 * whole.heights_m.size
    lon, lat = np.radians(np.random.default_rng(2).uniform((5.4, 44.4), (5.45, 44.43), (200, 2))).T
    assert np.allclose(
        part.ellipsoidal_m(lon, lat), whole.ellipsoidal_m(lon, lat), rtol=0, atol=1e-3
    )
    assert part.vertical_is_assumed


def test_the_first_post_is_the_centre_of_the_first_pixel(tmp_path: Path) -> None:
    dem = read_dem(written(tmp_path / "dem.tif", "EPSG:4979"))
    assert dem.origin == pytest.approx((5.0, 45.0))
    assert dem.step == pytest.approx((0.01, -0.01))
    assert np.array_equal(dem.heights_m, small().heights_m)


def test_voids_of_a_file_are_nan(tmp_path: Path) -> None:
    heights = np.array(small().heights_m)
    heights[2, 3] = -9999.0
    dem = read_dem(written(tmp_path / "dem.tif", "EPSG:4979", heights))
    assert np.argwhere(np.isnan(dem.heights_m)).tolist() == [[2, 3]]


@pytest.mark.parametrize(
    ("crs", "change", "message"),
    [
        (None, {}, "no coordinate system"),
        ("EPSG:4326", {"transform": rasterio.Affine(0.01, 0.001, 5, 0, -0.01, 45)}, "askew"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_what_is_no_elevation_raster_is_refused(
    tmp_path: Path, crs: str | None, change: dict[str, Any], message: str
) -> None:
    path = written(tmp_path / "dem.tif", crs, **change)
    with pytest.raises(ProcessingError, match=message) as refusal:
        read_dem(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(size=(300, 300)).astype(np.float32)
    path = written(tmp_path / "dem.tif", "EPSG:4326", noise)
    path.write_bytes(path.read_bytes()[:200_000])
    with pytest.raises(ProcessingError, match="cannot be read"):
        read_dem(path)


def test_a_raster_elsewhere_is_refused_with_both_places(tmp_path: Path) -> None:
    path = written(tmp_path / "dem.tif", "EPSG:4326")
    with pytest.raises(
        ProcessingError, match=r"covers lon 4\.9950 .* needs lon 50\.0000 to 50\.10"
    ):
        read_dem(path, (50.0, 40.0, 50.1, 40.1))


def test_posts_without_any_height_are_refused() -> None:
    with pytest.raises(ProcessingError, match="all 20 heights are missing"):
        replace(small(), heights_m=np.full((4, 5), np.nan, np.float32))
