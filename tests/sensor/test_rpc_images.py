"""Real images: what their files say, found by content and matched by name; windows of pixels."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.warp import transform

from humay.earth import azimuth_angle, elevation_angle, ellipsoid_normal, sun_itrf
from humay.sensor.real.files import read_geom, read_rpc, read_rpc_image, read_window
from humay.sensor.real.rpc_image import BandRadiometry, RpcImage
from humay.time import Epoch
from tests.sensor.dimap_product import (
    BANDS,
    COLS,
    GAINS,
    IRRADIANCES,
    PIXELS,
    ROWS,
    TILE_COLS,
    TILE_ROWS,
    dim_text,
    rpc_text,
    write_pixels,
    write_product,
)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_product(tmp_path_factory.mktemp("dimap") / "product")


@pytest.fixture(scope="module")
def image(product: Path) -> RpcImage:
    return read_rpc_image(product)


# ---------------------------------------------------------------- the real ones


def test_a_crop_lies_in_its_scene_where_its_transform_says(data_dir: Path) -> None:
    """Ventoux: 500 x 500 PAN from (5000, 5000) on, 145 x 145 MS from (1240, 1240) on. Both are
    centred on the same ground, each with its own `.geom`."""
    folder = data_dir / "imagery" / "pleiades_ventoux"
    pan, ms = (
        read_rpc_image(folder / name) for name in ("left_image.tif", "lowres_color_image.tif")
    )
    assert (pan.shape, ms.shape) == ((500, 500), (145, 145))
    scene = read_geom(folder / "left_image.geom").rpc
    assert (scene.row.offset - pan.rpc.row.offset, scene.col.offset - pan.rpc.col.offset) == (
        5e3,
        5e3,
    )
    height_m = np.array(1_100.0)
    row, col = pan.rpc.project(*ms.rpc.locate(np.array(72.0), np.array(72.0), height_m), height_m)
    # The chips were cut about one place; the scenes begin within one MS pixel of each other.
    assert np.allclose((row, col), 249.5, rtol=0, atol=4.0)


def test_both_views_of_giza_show_the_same_square_kilometre(data_dir: Path) -> None:
    """Origins (5000, 20500) and (5476, 20501) of two full scenes; wrong ones are 10 km apart."""
    folder = data_dir / "imagery" / "pleiades_gizeh"
    one, two = (read_rpc_image(folder / f"img{i}.tif") for i in (1, 2))
    middle, height_m = np.array(400.0), np.array(60.0)
    row, col = two.rpc.project(*one.rpc.locate(middle, middle, height_m), height_m)
    assert abs(row - 400) < 60
    assert abs(col - 400) < 60
    assert one.dtype == "float32"
    assert one.view.acquired == datetime(2013, 2, 8, 8, 36, 9, 100_000, tzinfo=UTC)
    assert one.view.platform == "PHR 1B"


def test_the_surface_that_s2p_made_lies_in_both_of_its_images(data_dir: Path) -> None:
    """s2p's 0.5 m surface model (UTM 40S, ellipsoidal) was matched from these two images alone."""
    folder = data_dir / "imagery" / "pleiades_reunion_pair"
    with rasterio.open(folder / "s2p_expected_dsm.tif") as file:
        height_m = file.read(1).astype(float)
        i, j = np.nonzero(np.isfinite(height_m))
        x = file.transform.c + file.transform.a * (j + 0.5)
        y = file.transform.f + file.transform.e * (i + 0.5)
        lon_deg, lat_deg = (np.array(axis) for axis in transform(file.crs, "EPSG:4326", x, y))
    for name in ("img_01.tif", "img_02.tif"):
        image = read_rpc_image(folder / name)
        row, col = image.rpc.project(np.radians(lon_deg), np.radians(lat_deg), height_m[i, j])
        assert row.min() > 100
        assert row.max() < image.shape[0] - 100
        assert col.min() > 100
        assert col.max() < image.shape[1] - 100


def test_radiometry_is_matched_by_the_name_of_the_band(data_dir: Path) -> None:
    """The README's values: the file names its bands B2 B1 B0 B3 and lists gains from B0 to B3."""
    geom = read_geom(data_dir / "imagery" / "sensor_models" / "spot6-1.geom")
    assert geom.bands == ("B2", "B1", "B0", "B3")
    stated = {
        band: (calibration.gain, calibration.bias, calibration.solar_irradiance_w_m2_um)
        for band, calibration in geom.radiometry.items()
    }
    assert stated == {
        "B0": (8.5175, 0.0, 1982.671954),
        "B1": (9.1625, 0.0, 1826.087443),
        "B2": (10.04, 0.0, 1540.494123),
        "B3": (12.733, 0.0, 1094.747446),
    }  # fmt: skip
    ventoux = read_rpc_image(data_dir / "imagery" / "pleiades_ventoux" / "left_image.tif")
    assert ventoux.radiometry_of("P") == BandRadiometry(
        gain=12.04, bias=0.0, solar_irradiance_w_m2_um=1548.0
    )


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("pleiades_ventoux/left_image.geom", "PHR 1B"),
        ("sensor_models/spot6-1.geom", "SPOT 6"),
        ("sensor_models/phr_xs.geom", "PHR 1A"),
        ("sensor_models/ikonos-1.geom", "IKONOS-2"),
        ("sensor_models/wv2-1.geom", "WV02"),
    ],
)
def test_the_sun_stands_where_it_stood(name: str, platform: str, data_dir: Path) -> None:
    """Elevation and azimuth of the files against our own Sun (1" from DE421) at their time and
    middle. The vendors' are 0.1 to 0.4 deg off, one minute of time; an hour would be 6 deg."""
    geom = read_geom(data_dir / "imagery" / name)
    view, middle = geom.view, np.radians([geom.rpc.lon_deg.offset, geom.rpc.lat_deg.offset])
    assert view.platform == platform
    assert view.acquired is not None
    sun, up = sun_itrf(Epoch(view.acquired), np.array(0.0)), ellipsoid_normal(*middle)
    assert view.sun_elevation_rad == pytest.approx(float(elevation_angle(sun, up)), abs=7e-3)
    assert view.sun_azimuth_rad == pytest.approx(float(azimuth_angle(sun, up)), abs=7e-3)


@pytest.mark.parametrize(
    "name",
    ["quickbird_basic1b/qb2_basic1b.tif", "worldview3_rpc/wv3_20.NTF", "pleiades_gizeh/img1.tif"],
)
def test_windows_are_those_of_gdal(name: str, data_dir: Path) -> None:
    image = read_rpc_image(data_dir / "imagery" / name)
    with rasterio.open(image.path) as file:
        assert np.array_equal(read_window(image, 17, 301, 5, 400), file.read()[:, 17:301, 5:400])


def test_a_date_that_gdal_made_up_is_none(data_dir: Path) -> None:
    """GDAL writes 2002-12-16 15:16:29 into a NITF file whose date it does not know."""
    image = read_rpc_image(data_dir / "imagery" / "worldview3_rpc" / "wv3_20.NTF")
    assert image.view.acquired is None
    assert (image.rpc.error_bias_m, image.rpc.error_random_m) == (0.87, 0.33)


# ---------------------------------------------------------------- DIMAP products


def test_a_dimap_product_says_all_of_it(image: RpcImage) -> None:
    assert (image.name, image.bands, image.shape) == ("SPOT7_TEST", BANDS, (ROWS, COLS))
    assert (image.dtype, image.nodata, image.saturated) == ("uint16", 0.0, 4095.0)
    for band in BANDS:
        assert image.radiometry_of(band) == BandRadiometry(
            gain=GAINS[band], bias=0.25, solar_irradiance_w_m2_um=IRRADIANCES[band]
        )
    view = image.view
    assert view.acquired == datetime(2019, 11, 1, 7, 20, 1, 122_330, tzinfo=UTC)
    assert view.platform == "SPOT 7"
    assert view.sun_elevation_rad == math.radians(33.25)
    assert view.sun_azimuth_rad == math.radians(164.5)
    assert view.off_nadir_rad == math.radians(12.5)


def test_gdal_reads_the_same_product_alike(image: RpcImage) -> None:
    """Its DIMAP driver subtracts 1 as well, and lays the tiles alike."""
    with rasterio.open(image.path) as gdal:
        assert np.array_equal(read_window(image, 0, ROWS, 0, COLS), gdal.read())
        assert (gdal.rpcs.line_off, gdal.rpcs.samp_off) == (
            image.rpc.row.offset,
            image.rpc.col.offset,
        )


def test_the_first_pixel_sees_the_north_west_corner(image: RpcImage) -> None:
    """As written: row 14.5 (1 - lat'), column 13 (1 + lon'), both scaled by 0.001 deg."""
    row, col = image.rpc.project(np.radians(49.869), np.radians(40.411), np.array(0.0))
    assert np.allclose((row, col), 0.0, rtol=0, atol=1e-7)


@given(st.data())
def test_a_window_over_tiles_has_no_seam(image: RpcImage, data: st.DataObject) -> None:
    row0, col0 = data.draw(st.integers(0, ROWS - 1)), data.draw(st.integers(0, COLS - 1))
    row1, col1 = data.draw(st.integers(row0 + 1, ROWS)), data.draw(st.integers(col0 + 1, COLS))
    window = read_window(image, row0, row1, col0, col1)
    assert np.array_equal(window, PIXELS[:, row0:row1, col0:col1])


@pytest.mark.parametrize("rows", [(-1, 3), (3, 3), (0, ROWS + 1)])
def test_a_window_outside_is_a_mistake(image: RpcImage, rows: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected a window inside"):
        read_window(image, *rows, 0, 1)


@pytest.mark.parametrize(
    ("origin", "rpc", "row_offset"),
    [
        ("<PIXEL_ORIGIN>1</PIXEL_ORIGIN>", rpc_text(), 14.5),
        ("", rpc_text(), 14.5),
        ("<PIXEL_ORIGIN>0</PIXEL_ORIGIN>", rpc_text(), 15.5),
        ("<PIXEL_ORIGIN>1</PIXEL_ORIGIN>", rpc_text(neo=True), 14.5),
        ("<PIXEL_ORIGIN>1</PIXEL_ORIGIN>", rpc_text(neo=True, first=0), 14.5),
        ("<PIXEL_ORIGIN>1</PIXEL_ORIGIN>", rpc_text(neo=True, first=1), 13.5),
    ],
)
def test_pixels_count_from_the_stated_origin(
    origin: str, rpc: str, row_offset: float, tmp_path: Path
) -> None:
    """Pleiades and SPOT count from PIXEL_ORIGIN; Pleiades Neo from (0, 0) although its products say
    1, unless the domain of its coefficients begins at (1, 1), as GDAL reads it, too."""
    dim = dim_text().replace("<PIXEL_ORIGIN>1</PIXEL_ORIGIN>", origin)
    assert read_rpc(write_product(tmp_path / "p", dim=dim, rpc=rpc)).row.offset == row_offset


def test_a_product_of_pleiades_neo_has_its_bands_in_two_files(tmp_path: Path) -> None:
    """Each group of files names its own bands; colours first, then near infrared and two more."""
    pixels = np.arange(6 * 4 * 5, dtype=np.uint16).reshape(6, 4, 5)
    path = write_product(tmp_path / "p", rpc=rpc_text(neo=True))
    write_pixels(path.parent / "RGB.TIF", pixels[:3])
    write_pixels(path.parent / "NED.TIF", pixels[3:])
    dim = dim_text().replace(f"<NROWS>{ROWS}</NROWS><NCOLS>{COLS}</NCOLS><NBANDS>4</NBANDS>",
                             "<NROWS>4</NROWS><NCOLS>5</NCOLS><NBANDS>6</NBANDS>")  # fmt: skip
    start, end = dim.index("<Data_Files>"), dim.index("</Data_Access>")
    groups = "".join(
        f'<Data_Files><Data_File tile_R="1" tile_C="1"><DATA_FILE_PATH href="{name}.TIF"/>'
        f"</Data_File><Raster_Display><Raster_Index_List>"
        + "".join(
            f"<Raster_Index><BAND_ID>{band}</BAND_ID><BAND_INDEX>{index}</BAND_INDEX></Raster_Index>"
            for band, index in bands
        )
        + "</Raster_Index_List></Raster_Display></Data_Files>"
        for name, bands in (
            ("RGB", (("B", 3), ("G", 2), ("R", 1))),  # by number, not by place in the list
            ("NED", (("NIR", 1), ("RE", 2), ("DB", 3))),
        )
    )
    tiling = dim.index("<Tile_Set>"), dim.index("</Tile_Set>")
    dim = dim[:start] + groups + dim[end : tiling[0]] + "<Tile_Set>" + dim[tiling[1] :]
    path.write_text(dim)
    image = read_rpc_image(path)
    assert image.bands == ("R", "G", "B", "NIR", "RE", "DB")
    assert np.array_equal(read_window(image, 1, 4, 2, 5), pixels[:, 1:4, 2:5])
    assert not image.radiometry  # of bands B0 to B3, which it has not


def test_tiles_may_be_jpeg_2000(tmp_path: Path) -> None:
    path = write_product(tmp_path / "p", dim=dim_text().replace("R1C1.TIF", "R1C1.JP2"))
    (path.parent / "IMG" / "IMG_R1C1.TIF").unlink()
    tile = PIXELS[:, :TILE_ROWS, :TILE_COLS]
    lossless = {"driver": "JP2OpenJPEG", "QUALITY": "100", "REVERSIBLE": "YES"}
    write_pixels(path.parent / "IMG" / "IMG_R1C1.JP2", tile, **lossless)
    assert np.array_equal(read_window(read_rpc_image(path), 0, ROWS, 0, COLS), PIXELS)


def test_gains_of_something_else_than_counts_are_left_out(tmp_path: Path) -> None:
    """A product of reflectances states gains from reflectance to radiance under the same name."""
    dim = dim_text().replace(">BASIC<", ">REFLECTANCE<")
    assert not read_rpc_image(write_product(tmp_path / "p", dim=dim)).radiometry


def test_a_byte_order_mark_and_utf_16_are_xml(tmp_path: Path) -> None:
    path = write_product(tmp_path / "p")
    text = dim_text().replace('encoding="UTF-8"', "")
    for encoding in ("utf-8-sig", "utf-16"):
        path.write_bytes(text.encode(encoding))
        assert read_rpc_image(path).bands == BANDS
