"""RPCs against GDAL, rpcm and points of other programs; there and back; models that cannot be."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.rpc import RPC
from rasterio.transform import RPCTransformer

from humay.arrays import FloatArray
from humay.errors import SensorError
from humay.sensor.real.files import read_rpc
from humay.sensor.rpc import Rpc, Scaling
from tests.sensor.rpcs import ALL, places_in_domain

POINTS = 10_000
RPCM = json.loads((Path(__file__).parents[1] / "reference" / "rpcm_projections.json").read_text())
BY_RPCM = {entry["file"]: entry for entry in RPCM["files"]}
SPOT_6 = "sensor_models/spot6-1.geom"


@cache
def rpc_of(path: Path) -> Rpc:
    return read_rpc(path)


def through_gdal(
    rpc: Rpc, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Rows and columns by GDAL, which counts from the corner of the first pixel."""
    coefficients = RPC(
        height_off=rpc.height_m.offset, height_scale=rpc.height_m.scale,
        lat_off=rpc.lat_deg.offset, lat_scale=rpc.lat_deg.scale,
        long_off=rpc.lon_deg.offset, long_scale=rpc.lon_deg.scale,
        line_off=rpc.row.offset, line_scale=rpc.row.scale,
        samp_off=rpc.col.offset, samp_scale=rpc.col.scale,
        line_num_coeff=rpc.row_num.tolist(), line_den_coeff=rpc.row_den.tolist(),
        samp_num_coeff=rpc.col_num.tolist(), samp_den_coeff=rpc.col_den.tolist(),
    )  # fmt: skip
    with RPCTransformer(coefficients) as gdal:
        row, col = gdal.rowcol(
            np.degrees(lon_rad), np.degrees(lat_rad), zs=height_m, op=lambda value: value
        )
    return np.asarray(row) - 0.5, np.asarray(col) - 0.5


def apart_px(a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray]) -> float:
    return float(np.max(np.abs(np.array(a) - np.array(b))))


# ---------------------------------------------------------------- against others


@pytest.mark.parametrize("name", ALL)
def test_projection_is_that_of_gdal_and_of_rpcm(name: str, data_dir: Path) -> None:
    """Within 1e-9 px over the domain. How far rpcm lies from GDAL on the same places was measured
    by tests/reference/make_rpcm_projections.py; the two add up to our distance from rpcm."""
    rpc = rpc_of(data_dir / "imagery" / name)
    places = places_in_domain(rpc, POINTS)
    from_gdal_px = apart_px(rpc.project(*places), through_gdal(rpc, *places))
    assert from_gdal_px < 1e-9
    assert from_gdal_px + BY_RPCM[name]["gdal_apart_px"] < 1e-9


@pytest.mark.parametrize("name", ALL)
def test_the_file_is_read_as_rpcm_reads_it(name: str, data_dir: Path) -> None:
    """Offsets, their half and whole pixels, and coefficients: rpcm 1.4.10 read the same file."""
    lon_rad, lat_rad, height_m, row, col = np.array(BY_RPCM[name]["places"]).T
    rpc = rpc_of(data_dir / "imagery" / name)
    assert apart_px(rpc.project(lon_rad, lat_rad, height_m), (row, col)) < 1e-9


@pytest.mark.parametrize(
    ("points", "model", "spread_px"),
    [
        # As the data's README says; it says 6e-11 for the first, but one bit of a latitude of 41
        # deg in a double is 1e-10 of a pixel of 6 m.
        ("spot6-1.gcp2", "spot6-1.geom", 2e-10),
        ("wv2-1.gcp", "wv2-1.geom", 9e-7),
        ("ikonos-1.gcp", "ikonos-1.geom", 1.2e-5),
        ("spot6-1.gcp", "spot6-1.geom", 9e-4),
    ],
)
def test_points_of_orfeo_toolbox_fall_on_their_pixels(
    points: str, model: str, spread_px: float, data_dir: Path
) -> None:
    """36 points a file: column, row, lon, lat, height; (0.5, 0.5) is their first centre."""
    folder = data_dir / "imagery" / "sensor_models"
    col, row, lon_deg, lat_deg, height_m = np.loadtxt(folder / points)[:, :5].T
    found = rpc_of(folder / model).project(np.radians(lon_deg), np.radians(lat_deg), height_m)
    assert len(row) == 36
    assert apart_px(found, (row - 0.5, col - 0.5)) < spread_px


@pytest.mark.parametrize(
    ("grid", "model", "heights_m", "spread_px"),
    [
        (
            "pleiades_ventoux/GRID_PHR1B_P_201308051042194_SEN_690908101-001.tif",
            "pleiades_ventoux/left_image.geom",
            (-100.0, 485.0, 1000.0, 2000.0, 3000.0),
            0.0075,
        ),
        (
            "sensor_models/GRID_P1BP--2017092838284574CP.tif",
            "sensor_models/RPC_P1BP--2017092838284574CP.XML",
            (-30.0, 1202.5),  # higher ones lie outside of its domain
            0.0025,
        ),
    ],
)
def test_the_rigorous_model_of_cnes_agrees(
    grid: str, model: str, heights_m: tuple[float, ...], spread_px: float, data_dir: Path
) -> None:
    """Places that CNES's model located, one plane a height. They count (0.5, 0.5) for the first
    centre, which leaves the constant; the spread is the README's."""
    rpc = rpc_of(data_dir / "imagery" / model)
    with rasterio.open(data_dir / "imagery" / grid) as file:
        planes, to_pixel = file.read(), file.transform
    i, j = np.indices(planes.shape[1:])
    row, col = to_pixel.f + to_pixel.e * i, to_pixel.c + to_pixel.a * j
    for number, height_m in enumerate(heights_m):
        lon_rad, lat_rad = np.radians(planes[2 * number : 2 * number + 2])
        miss_px = np.array(rpc.project(lon_rad, lat_rad, np.array(height_m))) - (row, col)
        mean_px = miss_px.mean(axis=(1, 2), keepdims=True)
        assert np.allclose(mean_px, -0.5, rtol=0, atol=0.0075)
        assert np.abs(miss_px - mean_px).max() <= spread_px


def test_quickbird_sees_its_control_points_within_its_stated_bias(data_dir: Path) -> None:
    """5 surveyed points; the RPC states 12 m of bias, 20 px. They agree to 0.2 px."""
    folder = data_dir / "imagery" / "quickbird_basic1b"
    rpc = rpc_of(folder / "qb2_basic1b.tif")
    points = json.loads((folder / "gcps.geojson").read_text())["features"]
    lon, lat, height_m = np.array([point["geometry"]["coordinates"] for point in points]).T
    col, row = np.array([point["properties"]["ji"] for point in points]).T
    miss_px = np.array(rpc.project(np.radians(lon), np.radians(lat), height_m)) - (row, col)
    assert rpc.error_bias_m == 12.15
    assert np.hypot(*miss_px).max() < 5.0
    assert np.abs(miss_px - miss_px.mean(axis=1, keepdims=True)).max() < 0.2


def test_dimap_less_one_is_the_keyword_file(data_dir: Path) -> None:
    """Two files of one image: DIMAP counts from (1, 1), `.geom` from (0, 0)."""
    folder = data_dir / "imagery" / "pleiades_ventoux"
    dimap = rpc_of(folder / "RPC_PHR1B_P_201308051042194_SEN_690908101-001.XML")
    places = places_in_domain(dimap, POINTS)
    keywords = rpc_of(folder / "left_image.geom")
    assert apart_px(dimap.project(*places), keywords.project(*places)) < 1e-8


# ---------------------------------------------------------------- properties


@pytest.mark.parametrize("name", ALL)
def test_the_place_of_a_pixel_is_seen_by_that_pixel(name: str, data_dir: Path) -> None:
    rpc = rpc_of(data_dir / "imagery" / name)
    lon_rad, lat_rad, height_m = places_in_domain(rpc, POINTS)
    row, col = rpc.project(lon_rad, lat_rad, height_m)
    found = rpc.locate(row, col, height_m)
    assert apart_px(rpc.project(*found, height_m), (row, col)) < 2e-8
    assert np.abs(np.array(found) - (lon_rad, lat_rad)).max() < 1e-13  # under a micrometre


@given(first=st.integers(0, 199), count=st.integers(1, 200))
def test_one_place_and_many_give_the_same_bits(first: int, count: int, data_dir: Path) -> None:
    rpc = rpc_of(data_dir / "imagery" / SPOT_6)
    lon_rad, lat_rad, height_m = places_in_domain(rpc, 200)
    row, col = rpc.project(lon_rad, lat_rad, height_m)
    some = slice(first, first + count)
    again = rpc.project(lon_rad[some], lat_rad[some], height_m[some])
    assert np.array_equal(again, (row[some], col[some]))
    whole = np.array(rpc.locate(row, col, height_m))
    assert np.array_equal(rpc.locate(row[some], col[some], height_m[some]), whole[:, some])


def test_an_easy_pixel_is_not_moved_by_a_hard_one(data_dir: Path) -> None:
    """Newton is done with the first in fewer steps than with the last, and leaves it there."""
    rpc = rpc_of(data_dir / "imagery" / "pleiades_gizeh" / "img1.geom")
    row, col = rpc.row.value(np.linspace(0, 1, 150)), rpc.col.value(np.linspace(0, 1, 150))
    together = np.array(rpc.locate(row, col, np.array(300.0)))
    alone = [rpc.locate(v, u, np.array(300.0)) for v, u in zip(row, col, strict=True)]
    assert np.array_equal(together, np.array(alone).T)


def test_blocks_leave_no_seam(data_dir: Path) -> None:
    rpc = rpc_of(data_dir / "imagery" / SPOT_6)
    lon_rad, lat_rad, height_m = places_in_domain(rpc, 20_000)
    row, _ = rpc.project(lon_rad, lat_rad, height_m)
    alone, _ = rpc.project(lon_rad[16_380:16_390], lat_rad[16_380:16_390], height_m[16_380:16_390])
    assert np.array_equal(row[16_380:16_390], alone)


def test_arguments_broadcast(data_dir: Path) -> None:
    rpc = rpc_of(data_dir / "imagery" / SPOT_6)
    row, col = np.arange(0.0, 9000, 3000)[:, None], np.arange(0.0, 8000, 2000)[None, :]
    lon_rad, lat_rad = rpc.locate(row, col, np.array(100.0))
    assert lon_rad.shape == lat_rad.shape == (3, 4)
    again = rpc.project(lon_rad, lat_rad, np.array(100.0))
    assert apart_px(again, tuple(np.broadcast_arrays(row, col))) < 2e-8  # type: ignore[arg-type]


@pytest.mark.parametrize("middle_deg", [179.99, -179.99, 180.0])
def test_an_image_over_the_antimeridian_is_like_any_other(
    middle_deg: float, data_dir: Path
) -> None:
    rpc = rpc_of(data_dir / "imagery" / SPOT_6)
    moved = replace(rpc, lon_deg=Scaling(offset=middle_deg, scale=rpc.lon_deg.scale))
    lon_rad, lat_rad, height_m = places_in_domain(rpc, 1_000)
    there_rad = lon_rad + np.radians(middle_deg - rpc.lon_deg.offset)
    there_rad = np.arctan2(np.sin(there_rad), np.cos(there_rad))  # -pi to pi
    assert there_rad.min() < -3 < 3 < there_rad.max()  # on both sides
    row, col = rpc.project(lon_rad, lat_rad, height_m)
    assert apart_px(moved.project(there_rad, lat_rad, height_m), (row, col)) < 1e-7
    found_rad, _ = moved.locate(row, col, height_m)
    assert np.abs(found_rad).max() <= np.pi
    assert np.abs(np.sin(found_rad - there_rad)).max() < 1e-13


def test_a_crop_shifts_rows_and_columns(data_dir: Path) -> None:
    rpc = rpc_of(data_dir / "imagery" / SPOT_6)
    places = places_in_domain(rpc, 100)
    row, col = rpc.project(*places)
    assert apart_px(rpc.cropped(100, 2000).project(*places), (row - 100, col - 2000)) < 1e-9


def test_nothing_is_said_far_outside() -> None:
    rpc = plain()
    row, _ = rpc.project(np.radians([10.0, 12.5, 190.0]), np.radians(45.0), np.array(0.0))
    assert np.array_equal(np.isnan(row), [False, True, True])
    lon_rad, _ = rpc.locate(np.array([500.0, np.nan]), np.array(500.0), np.array(0.0))
    assert np.array_equal(np.isnan(lon_rad), [False, True])


def test_the_domain_is_offset_and_scale() -> None:
    covered = plain().covers(np.radians([10.9, 11.1]), np.radians([44.1, 44.1]), np.array(90.0))
    assert np.array_equal(covered, [True, False])


# ---------------------------------------------------------------- refused


def polynomial(**terms: float) -> FloatArray:
    """Coefficients by name: one, lon, lat, height, lon2 (the eighth term of RPC00B)."""
    index = {"one": 0, "lon": 1, "lat": 2, "height": 3, "lon2": 7}
    coefficients = np.zeros(20)
    for name, value in terms.items():
        coefficients[index[name]] = value
    return coefficients


def plain(**changes: object) -> Rpc:
    """2 x 2 deg: row = 500 - 500 (lat - 45), column = 500 + 500 (lon - 10), at any height."""
    fields: dict[str, object] = {
        "row": Scaling(offset=500.0, scale=500.0),
        "col": Scaling(offset=500.0, scale=500.0),
        "lon_deg": Scaling(offset=10.0, scale=1.0),
        "lat_deg": Scaling(offset=45.0, scale=1.0),
        "height_m": Scaling(offset=0.0, scale=100.0),
        "row_num": polynomial(lat=-1.0),
        "row_den": polynomial(one=1.0),
        "col_num": polynomial(lon=1.0),
        "col_den": polynomial(one=1.0),
    }
    return Rpc(**(fields | changes))  # type: ignore[arg-type]  # the changes are to break it


def test_a_model_by_hand() -> None:
    row, col = plain().project(np.radians(10.5), np.radians(44.9), np.array(0.0))
    assert np.allclose((row, col), (550.0, 750.0), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"row_num": np.zeros(19)}, "row_num has 19 values, expected 20 numbers"),
        ({"col_den": np.full(20, np.nan)}, "col_den has one that is none"),
        (
            {"lat_deg": Scaling(offset=91.0, scale=1.0)},
            "middle is lon 10, lat 91, expected degrees",
        ),
        (
            {"row_den": polynomial(one=1.0, lon=2.0)},
            "denominator of the row is -1 at lon 9, lat 44, -100 m in its domain",
        ),
        ({"col_den": np.zeros(20)}, "denominator of the column is 0 at"),
    ],
)
def test_coefficients_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SensorError, match=message):
        plain(**changes)


@pytest.mark.parametrize(
    ("offset", "scale"), [(0.0, 0.0), (0.0, -1.0), (np.nan, 1.0), (0.0, np.inf)]
)
def test_a_scale_must_scale(offset: float, scale: float) -> None:
    with pytest.raises(SensorError, match="expected numbers, scale > 0"):
        Scaling(offset=offset, scale=scale)


def test_a_large_denominator_without_a_zero_is_taken() -> None:
    rpc = plain(row_den=polynomial(one=1.0, lon2=2.0))
    row, _ = rpc.project(np.radians(11.0), np.radians(44.0), np.array(0.0))
    assert row == pytest.approx(500 + 500 / 3)


@pytest.mark.parametrize(
    ("rpc", "row"),
    [
        (plain(col_num=polynomial(lat=1.0)), 400.0),  # two axes that say the same
        (plain(row_num=polynomial(one=1.0, lon2=1.0)), 400.0),  # lon2 = -1.2
        (plain(), 5_000.0),  # 9 deg south of the middle
    ],
)
def test_a_model_that_diverges_says_where_and_how_far(rpc: Rpc, row: float) -> None:
    with pytest.raises(SensorError) as raised:
        rpc.locate(np.array([row]), np.array([600.0]), np.array([7.0]))
    message = str(raised.value)
    assert f"no place found for row {row:g}, column 600 at 7 m" in message
    assert "px off after 12 steps" in message
    assert "\n" not in message
