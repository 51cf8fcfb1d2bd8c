"""Heights of targets: which source is taken, and what it says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio import Affine

from humay.arrays import FloatArray
from humay.errors import MissionError, RequestError
from humay.mission import CoarseRelief, HeightError, Mission, RasterDem, load_requests
from humay.tables import geoid_height_m, relief_height_m


def lookup_m(model: CoarseRelief | RasterDem, lon_deg: object, lat_deg: object) -> FloatArray:
    lon_rad, lat_rad = np.radians(np.asarray(lon_deg)), np.radians(np.asarray(lat_deg))
    return model.ellipsoidal_m(lon_rad, lat_rad)


def geoid_m(lon_deg: object, lat_deg: object) -> FloatArray:
    return geoid_height_m(np.radians(np.asarray(lon_deg)), np.radians(np.asarray(lat_deg)))


@pytest.fixture
def write_dem(tmp_path: Path) -> Callable[..., Path]:
    """A GeoTIFF of heights with its north-west corner at 48 E, 41 N, pixels of 0.1 deg."""

    def write(heights_m: Any, **profile: Any) -> Path:
        values = np.asarray(heights_m, dtype=np.float32)
        values = values[None] if values.ndim == 2 else values
        path = tmp_path / "dem.tif"
        options = {
            "driver": "GTiff",
            "width": values.shape[2],
            "height": values.shape[1],
            "count": values.shape[0],
            "dtype": "float32",
            "crs": "EPSG:4326",
            "transform": Affine(0.1, 0, 48.0, 0, -0.1, 41.0),
        } | profile
        with rasterio.open(path, "w", **options) as dem:
            dem.write(values)
        return path

    return write


def test_the_coarse_relief_stands_on_the_geoid() -> None:
    """Relief and geoid of the shipped tables, added; the Caspian off Baku lies at -28 m."""
    lon_deg, lat_deg = np.array([50.5, 88.0]), np.array([40.0, 28.0])
    expected_m = relief_height_m(np.radians(lon_deg), np.radians(lat_deg)) + geoid_m(
        lon_deg, lat_deg
    )
    assert np.array_equal(lookup_m(CoarseRelief(), lon_deg, lat_deg), expected_m)
    assert lookup_m(CoarseRelief(), 50.5, 40.0) == pytest.approx(-28 - 19, abs=8)


def test_the_coarse_relief_takes_longitudes_past_180() -> None:
    there = lookup_m(CoarseRelief(), [190.0, 540.0], [66.0, 66.0])
    assert np.allclose(there, lookup_m(CoarseRelief(), [-170.0, 180.0], [66.0, 66.0]))


def test_a_dem_gives_its_pixel_at_the_centre_plus_the_geoid(
    write_dem: Callable[..., Path],
) -> None:
    """The second pixel of the first row has its centre at 48.15 E, 40.95 N."""
    dem = RasterDem.opened(write_dem([[100, 200, 300], [400, 500, 600]]))
    assert lookup_m(dem, 48.15, 40.95) == pytest.approx(200 + geoid_m(48.15, 40.95), abs=1e-4)


def test_a_dem_is_bilinear_between_centres_and_level_in_the_outer_half_pixel(
    write_dem: Callable[..., Path],
) -> None:
    dem = RasterDem.opened(write_dem([[100, 200], [300, 500]]))
    lon_deg, lat_deg = np.array([48.10, 48.0, 48.2]), np.array([40.9, 41.0, 40.8])
    expected_m = np.array([275.0, 100.0, 500.0]) + geoid_m(lon_deg, lat_deg)
    assert np.allclose(lookup_m(dem, lon_deg, lat_deg), expected_m, rtol=0, atol=1e-4)


def test_a_dem_larger_than_a_block_has_no_seam(write_dem: Callable[..., Path]) -> None:
    """A plane, which bilinear interpolation reproduces, sampled on both sides of column 512."""
    rows, cols = np.mgrid[0:40, 0:700]
    transform = Affine(0.001, 0, 48.0, 0, -0.001, 41.0)
    dem = RasterDem.opened(write_dem(rows * 3.0 + cols * 2.0, transform=transform))
    col, row = np.linspace(505.0, 520.0, 61), np.full(61, 17.3)
    lon_deg, lat_deg = 48.0 + (col + 0.5) * 0.001, 41.0 - (row + 0.5) * 0.001
    expected_m = row * 3.0 + col * 2.0 + geoid_m(lon_deg, lat_deg)
    assert np.allclose(lookup_m(dem, lon_deg, lat_deg), expected_m, rtol=0, atol=1e-3)


def test_many_places_are_answered_as_one_by_one(write_dem: Callable[..., Path]) -> None:
    heights_m = np.random.default_rng(1).uniform(0, 3000, (30, 40))
    dem = RasterDem.opened(write_dem(heights_m))
    rng = np.random.default_rng(2)
    lon_deg, lat_deg = rng.uniform(48, 52, (5, 7)), rng.uniform(38, 41, (5, 7))
    together = lookup_m(dem, lon_deg, lat_deg)
    alone = [lookup_m(dem, lon, lat) for lon, lat in zip(lon_deg.flat, lat_deg.flat, strict=True)]
    assert np.array_equal(together, np.reshape(alone, (5, 7)))


def test_a_dem_over_the_antimeridian_is_found_from_both_sides(
    write_dem: Callable[..., Path],
) -> None:
    dem = RasterDem.opened(
        write_dem([[10, 20], [10, 20]], transform=Affine(1.0, 0, 179.0, 0, -1.0, 1.0))
    )
    same = lookup_m(dem, [180.5, -179.5], [0.0, 0.0])
    assert np.allclose(same, 20 + geoid_m([180.5, 180.5], [0.0, 0.0]), atol=1e-4)


def test_a_place_outside_of_the_dem_or_in_its_gaps_is_refused(
    write_dem: Callable[..., Path],
) -> None:
    dem = RasterDem.opened(write_dem([[100, 200, 300], [400, -9999, 600]], nodata=-9999))
    with pytest.raises(HeightError, match=r"lon 49, lat 40\.95 lies outside of the DEM of lon 48"):
        lookup_m(dem, [48.15, 49.0], [40.95, 40.95])
    with pytest.raises(HeightError, match=r"lon 48\.15, lat 40\.86 has no height in the DEM"):
        lookup_m(dem, 48.15, 40.86)
    assert np.isfinite(lookup_m(dem, 48.15, 40.95))  # on the row above the gap: of no weight


@pytest.mark.parametrize(
    ("lon_deg", "lat_deg"), [(48.1, 41.01), (48.1, 40.79), (47.99, 40.9), (48.31, 40.9)]
)
def test_a_place_just_beyond_any_edge_of_the_dem_is_outside(
    write_dem: Callable[..., Path], lon_deg: float, lat_deg: float
) -> None:
    dem = RasterDem.opened(write_dem([[100, 200, 300], [400, 500, 600]]))
    with pytest.raises(HeightError, match="lies outside of the DEM"):
        lookup_m(dem, lon_deg, lat_deg)


@pytest.mark.parametrize(
    ("heights_m", "profile", "words"),
    [
        (np.zeros((2, 3, 3)), {}, "has 2 bands, expected one of heights"),
        (np.zeros((1, 3)), {}, "has 3 x 1 pixels, expected at least 2 x 2"),
        (np.zeros((3, 3)), {"crs": None}, "has no coordinate system"),
        (np.zeros((3, 3)), {"crs": "EPSG:4979"}, None),
        (np.zeros((3, 3)), {"crs": "EPSG:4326+5703"}, "has heights in 'NAVD88 height'"),
        (np.zeros((3, 3)), {"crs": "EPSG:4326+5773"}, None),  # EGM96 height
    ],
)
def test_a_raster_that_is_no_dem_above_the_geoid_is_refused(
    write_dem: Callable[..., Path], heights_m: Any, profile: dict[str, Any], words: str | None
) -> None:
    path = write_dem(heights_m, **profile)
    if words is None:
        assert RasterDem.opened(path).source == "dem"
        return
    with pytest.raises(MissionError, match=words):
        RasterDem.opened(path)


def test_the_srtm_tile_agrees_with_its_own_samples(data_dir: Path) -> None:
    """N44E005.hgt read by hand: big-endian int16, 1201 x 1201, north-west sample at 45 N, 5 E."""
    path = data_dir / "imagery" / "dem" / "N44E005.hgt"
    samples = np.fromfile(path, dtype=">i2").reshape(1201, 1201)
    row, col = np.array([0, 600, 1200, 37]), np.array([0, 600, 1200, 911])
    lon_deg, lat_deg = 5 + col / 1200, 45 - row / 1200
    expected_m = samples[row, col] + geoid_m(lon_deg, lat_deg)
    found_m = lookup_m(RasterDem.opened(path), lon_deg, lat_deg)
    assert np.allclose(found_m, expected_m, rtol=0, atol=0.01)


def test_a_projected_dem_agrees_with_the_geographic_one_it_was_made_from(data_dir: Path) -> None:
    """The same tile in UTM 31 at 90 m, where it has no gaps: they differ by resampling only."""
    folder = data_dir / "imagery" / "dem"
    rng = np.random.default_rng(3)
    lon_deg, lat_deg = rng.uniform(5.1, 5.9, 500), rng.uniform(44.05, 44.18, 500)
    utm_m = lookup_m(RasterDem.opened(folder / "N44E005_UTM31_90m.tif"), lon_deg, lat_deg)
    hgt_m = lookup_m(RasterDem.opened(folder / "N44E005.hgt"), lon_deg, lat_deg)
    assert np.abs(np.median(utm_m - hgt_m)) < 0.5
    assert np.percentile(np.abs(utm_m - hgt_m), 90) < 6.0  # half a pixel off: 20 m


def test_the_height_of_a_request_comes_from_the_first_source_that_has_one(
    load: Callable[..., Mission], folder: Path, write_dem: Callable[..., Path]
) -> None:
    """GeoJSON Z, then height_m, then the mission's DEM, then the relief; lines and areas wait."""
    write_dem([[1500, 1500], [1500, 1500]])
    point = {"type": "Point", "coordinates": [48.1, 40.9]}
    high = {"type": "Point", "coordinates": [48.1, 40.9, 1234.5]}
    line = {"type": "LineString", "coordinates": [[48.05, 40.9], [48.15, 40.9]]}
    line_z = {"type": "LineString", "coordinates": [[48.05, 40.9, 100], [48.15, 40.9, 300]]}
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("z", high, {"height_m": 10}),
        ("stated", point, {"height_m": 10}),
        ("ground", point, {}),
        ("line", line, {}),
        ("line stated", line, {"height_m": 10}),
        ("line z", line_z, {}),
    ]
    features = [
        {"type": "Feature", "geometry": geometry, "properties": {"name": name} | properties}
        for name, geometry, properties in cases
    ]
    path = folder / "requests.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))

    with_dem = load(("[run]", 'dem = "dem.tif"\n[run]'))
    found = [(r.height_m, r.height_source) for r in load_requests(path, with_dem)]
    ground_m = pytest.approx(1500 + float(geoid_m(48.1, 40.9)), abs=1e-3)
    assert found == [
        (1234.5, "geojson"),
        (10.0, "height_m"),
        (ground_m, "dem"),
        (None, "dem"),
        (10.0, "height_m"),
        (200.0, "geojson"),  # the mean of the positions
    ]
    without = [(r.height_m, r.height_source) for r in load_requests(path, load())]
    relief_m = float(lookup_m(CoarseRelief(), 48.1, 40.9))
    assert without[2] == (relief_m, "relief")
    assert without[3] == (None, "relief")


def test_a_request_outside_of_the_dem_is_refused_by_its_name(
    load: Callable[..., Mission], folder: Path, write_dem: Callable[..., Path]
) -> None:
    write_dem([[1500, 1500], [1500, 1500]])
    inside = {"type": "Point", "coordinates": [48.1, 40.9]}
    line = {"type": "LineString", "coordinates": [[48.1, 40.9], [48.3, 40.9]]}
    features = [
        {"type": "Feature", "geometry": geometry, "properties": {"name": name}}
        for name, geometry in (("near", inside), ("far", line))
    ]
    path = folder / "requests.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    mission = load(("[run]", 'dem = "dem.tif"\n[run]'))
    with pytest.raises(RequestError) as caught:
        load_requests(path, mission)
    assert "requests.geojson: feature 2 'far': lon 48.3, lat 40.9 lies outside of the DEM" in str(
        caught.value
    )
