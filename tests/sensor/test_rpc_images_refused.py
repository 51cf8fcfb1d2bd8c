"""Files of strangers: each damage is answered in one line with file, found and expected."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from humay.errors import SensorError
from humay.sensor.real.files import XML_BYTES, read_geom, read_rpc, read_rpc_image, read_window
from tests.sensor.dimap_product import (
    COLS,
    PIXELS,
    ROWS,
    dim_text,
    rpc_text,
    write_pixels,
    write_product,
)

SECRET = "the password"
LAUGHS = "".join(
    f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' if i else '<!ENTITY l0 "ha">' for i in range(10)
)


def refusal(read: Callable[[Path], object], path: Path) -> str:
    """What a reader says of a file: one line that begins with the name of a file in its folder."""
    with pytest.raises(SensorError) as raised:
        read(path)
    message = str(raised.value)
    assert "\n" not in message
    assert message.startswith(str(path.parent))
    assert re.search(r"expected|cannot be read", message)
    assert len(message) < 600
    assert SECRET not in message
    return message


# ---------------------------------------------------------------- XML


@pytest.mark.parametrize(
    "head",
    [
        f"<!DOCTYPE x [{LAUGHS}]><x>&l9;</x>",
        '<!DOCTYPE x [<!ENTITY e SYSTEM "secret.txt">]><x>&e;</x>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "secret.txt"> %p;]><x/>',
    ],
    ids=["a billion laughs", "an external entity", "an external DTD", "a parameter entity"],
)
@pytest.mark.parametrize("name", ["DIM_PRODUCT.XML", "RPC_PRODUCT.XML"])
def test_entities_are_refused_unread(head: str, name: str, tmp_path: Path) -> None:
    path = write_product(tmp_path / "p")
    (path.parent / "secret.txt").write_text(SECRET)
    (path.parent / name).write_text(head)
    message = refusal(read_rpc_image, path)
    assert f"{name}: has a document type, expected plain XML" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<a><b></a>", "mismatched tag: line 1, column 8, expected XML"),
        (b"<a>", "no element found"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "unknown encoding"),
        (b"<a>" * 100_000 + b"</a>" * 100_000, "is a a, expected a Dimap_Document"),
        (b"<a>&l9;</a>", "undefined entity"),
        (b"<kml/>", "is a kml, expected a Dimap_Document"),
        (b"<a>\xff\xfe</a>", "not well-formed"),
    ],
)
def test_what_is_no_dimap_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "DIM_X.XML"
    path.write_bytes(content)
    assert message in refusal(read_rpc_image, path)


def test_a_huge_document_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "DIM_HUGE.XML"
    path.write_bytes(b"<a>")
    with path.open("r+b") as file:
        file.truncate(XML_BYTES + 1)
    assert "has over 50 MB" in refusal(read_rpc_image, path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<LINE_NUM_COEFF_7>-0.0</LINE_NUM_COEFF_7>", "", "no LINE_NUM_COEFF_7 in Inverse_Model"),
        (
            "<SAMP_OFF>14</SAMP_OFF>",
            "<SAMP_OFF>l4</SAMP_OFF>",
            "SAMP_OFF is 'l4', expected a number",
        ),
        ("<SAMP_OFF>14<", "<SAMP_OFF>nan<", "SAMP_OFF is 'nan', expected a number"),
        ("<SAMP_OFF>14<", "<SAMP_OFF>1e999<", "SAMP_OFF is '1e999', expected a number"),
        ("<SAMP_OFF>14<", "<SAMP_OFF>" + "9" * 5_000 + "<", "...', expected a number"),
        ("<SAMP_OFF>14<", "<SAMP_OFF><", "has no SAMP_OFF"),
        ("<LAT_SCALE>0.001<", "<LAT_SCALE>0<", "scale 0.0, expected numbers, scale > 0"),
        ("<LAT_OFF>40.41<", "<LAT_OFF>4041<", "expected degrees on Earth"),
        ("RPC00B", "RPC00A", "RESOURCE_ID is 'RPC00A', expected RPC00B"),
        ("Inverse_Model", "Direct_Model", "has no Inverse_Model in Global_RFM"),
        ("Global_RFM", "Local_RFM", "has no Global_RFM"),
        ('version="2.0"', 'version="1.1"', "METADATA_FORMAT is 'DIMAP' 1.1, expected DIMAP 2"),
        (
            "<LINE_DEN_COEFF_2>0.0<",
            "<LINE_DEN_COEFF_2>-3<",
            "denominator of the row is -2 at lon 49.871",
        ),
    ],
)
def test_a_damaged_rpc_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in rpc_text()
    path = write_product(tmp_path / "p", rpc=rpc_text().replace(old, new))
    assert message in refusal(read_rpc_image, path)
    assert "RPC_PRODUCT.XML" in refusal(read_rpc, path)


def test_an_rpc_that_diverges_says_so_when_asked(tmp_path: Path) -> None:
    """Column and row both fall with latitude alone: no place can be told from them."""
    lost = rpc_text().replace("<SAMP_NUM_COEFF_2>1.0<", "<SAMP_NUM_COEFF_2>0.0<")
    lost = lost.replace("<SAMP_NUM_COEFF_3>0.0<", "<SAMP_NUM_COEFF_3>1.0<")
    rpc = read_rpc(write_product(tmp_path / "p", rpc=lost))
    with pytest.raises(SensorError, match="no place found for row 3, column 4 at 0 m"):
        rpc.locate(np.array(3.0), np.array(4.0), np.array(0.0))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<NROWS>30<", "<NROWS>-30<", "NROWS is '-30', expected a whole number"),
        ("<NROWS>30<", "<NROWS>999999999999<", "expected a whole number up to 1e8"),
        ("<NROWS>30</NROWS>", "", "has no NROWS in Raster_Dimensions"),
        ("<NROWS>30<", "<NROWS>31<", "has 4 x 10 x 16 bands, rows, columns, expected 4 x 11 x 16"),
        ("<NROWS>30<", "<NROWS>60<", "lists 4 tiles, expected 6"),
        ("<NROWS>30<", "<NROWS>20<", "tile R2C1 lies outside of the image, expected R1C1 to R1C2"),
        ("<NBANDS>4<", "<NBANDS>5<", "names bands B2, B1, B0, B3, expected the 5 of NBANDS"),
        ("<ALPHA_CHANNEL>B3<", "<ALPHA_CHANNEL>B2<", "names bands B2, B1, B0, expected the 4"),
        ('nrows="20"', 'nrows="0"', "NTILES_SIZE is 0 x 16, expected at least 1 x 1"),
        ("<OVERLAP_ROW>0<", "<OVERLAP_ROW>8<", "OVERLAP_ROW is 8, expected 0"),
        ('tile_R="2" tile_C="2"', 'tile_R="1" tile_C="2"', "lists 3 tiles, expected 4"),
        ("IMG_R2C2", "IMG_R9C9", "cannot be read: No such file"),
        ("<PIXEL_ORIGIN>1<", "<PIXEL_ORIGIN>2<", "PIXEL_ORIGIN is '2', expected 0 or 1"),
        (">SENSOR</RASTER", ">GROUND</RASTER", "RASTER_GEOMETRY is GROUND, expected SENSOR"),
        ("S7_SENSOR", "VOLUME", "is a volume, expected one of its products: STRIP_DIM.XML"),
        ("<GAIN>8.5175<", "<GAIN>GAIN<", "GAIN is 'GAIN', expected a number"),
        ("<GAIN>8.5175<", "<GAIN>0<", "gain 0.0, bias 0.25, expected numbers, gain > 0"),
        ("<BAND_ID>B1<", "<BAND_ID>B0<", "has two Band_"),
        ("33.25", "high", "SUN_ELEVATION is 'high', expected a number"),
        ("07:20:01.122330Z", "25:20:01Z", "time of imaging"),
        ("2019-11-01T07:20:01", "01/11/2019 07:20", "expected a time in UTC"),
    ],
)
def test_a_damaged_product_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in dim_text()
    path = write_product(tmp_path / "p", dim=dim_text().replace(old, new))
    assert message in refusal(read_rpc_image, path)


@pytest.mark.parametrize(
    "href",
    [
        "../outside.xml",
        "IMG/../../outside.xml",
        "/etc/passwd",
        "http://127.0.0.1:9/x.xml",
        "..\\outside.xml",
        "file:///etc/passwd",
        "link.xml",
        ".",
        "",
    ],
)
@pytest.mark.parametrize("named", ["RPC_PRODUCT.XML", "IMG/IMG_R1C2.TIF"])
def test_a_product_names_no_files_outside_of_its_folder(
    href: str, named: str, tmp_path: Path
) -> None:
    (tmp_path / "outside.xml").write_text(SECRET)
    path = write_product(tmp_path / "p", dim=dim_text().replace(named, href))
    (path.parent / "link.xml").symlink_to(tmp_path / "outside.xml")
    message = refusal(read_rpc_image, path)
    assert f"DIM_PRODUCT.XML: names the file {href!r}, expected one in its own folder" in message


def test_an_rpc_file_is_no_image(tmp_path: Path) -> None:
    path = write_product(tmp_path / "p").with_name("RPC_PRODUCT.XML")
    assert "is an RPC file, expected the DIM_*.XML beside it" in refusal(read_rpc_image, path)


def test_a_band_without_a_gain_is_named_when_it_is_asked_for(tmp_path: Path) -> None:
    dim = re.sub(r"<Band_Radiance><BAND_ID>B1<.*?</Band_Radiance>", "", dim_text())
    image = read_rpc_image(write_product(tmp_path / "p", dim=dim))
    assert image.radiometry_of("B0").gain == 8.5175
    with pytest.raises(
        SensorError, match=r"band 'B1' has no gain and bias \(given for B0, B2, B3\)"
    ):
        image.radiometry_of("B1")
    with pytest.raises(SensorError, match="has no band 'B9'"):
        image.radiometry_of("B9")


def test_the_old_profile_of_pleiades_is_refused_by_name(data_dir: Path) -> None:
    path = data_dir / "imagery" / "sensor_models" / "PHRDIMAP_P1BP--2017030824934340CP.XML"
    with pytest.raises(SensorError, match="is a PHR_Dimap_Document, expected a Dimap_Document"):
        read_rpc_image(path)


# ---------------------------------------------------------------- rasters


def test_a_truncated_tiff_names_file_and_block(data_dir: Path, tmp_path: Path) -> None:
    """The end of the pixels is cut off; its directory stands in front, so it still opens."""
    folder = data_dir / "imagery" / "pleiades_ventoux"
    path = tmp_path / "left_image.tif"
    path.write_bytes((folder / "left_image.tif").read_bytes()[:300_000])
    shutil.copy(folder / "left_image.geom", tmp_path)
    image = read_rpc_image(path)
    assert read_window(image, 0, 100, 0, 500).mean() > 0
    message = refusal(lambda _: read_window(image, 0, 500, 0, 500), path)
    assert "left_image.tif: rows 0 to 500, columns 0 to 500 cannot be read: " in message
    assert re.search(r"Y offset \d+", message)
    assert "expected whole blocks of 8 x 500 pixels" in message


def test_a_truncated_tile_names_file_and_block(tmp_path: Path) -> None:
    path = write_product(tmp_path / "p")
    tile = path.parent / "IMG" / "IMG_R2C1.TIF"
    content = tile.read_bytes()
    tile.write_bytes(content[: len(content) - 200])
    image = read_rpc_image(path)
    assert np.array_equal(read_window(image, 0, 20, 0, COLS), PIXELS[:, :20])
    message = refusal(lambda _: read_window(image, 0, ROWS, 0, COLS), path)
    assert "IMG_R2C1.TIF: rows 0 to 10, columns 0 to 16 cannot be read" in message


@pytest.mark.parametrize("kept", [0, 3, 8, 60, 200])
@pytest.mark.parametrize("name", ["quickbird_basic1b/qb2_basic1b.tif", "worldview3_rpc/wv3_20.NTF"])
def test_the_beginning_of_a_file_is_no_file(
    name: str, kept: int, data_dir: Path, tmp_path: Path
) -> None:
    path = tmp_path / Path(name).name
    path.write_bytes((data_dir / "imagery" / name).read_bytes()[:kept])
    refusal(read_rpc_image, path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(read_rpc_image, tmp_path / "no.tif")
    (tmp_path / "folder").mkdir()
    assert "cannot be read: Is a directory" in refusal(read_rpc_image, tmp_path / "folder")


def test_an_image_without_rpc_is_refused(data_dir: Path) -> None:
    path = data_dir / "imagery" / "landsat8_panms" / "l8_B8.tif"
    message = refusal(read_rpc_image, path)
    assert "has no RPC, expected one in it or in l8_B8.geom beside it" in message


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"LINE_NUM_COEFF": "1 " * 19}, "LINE_NUM_COEFF has 19 values, expected 20"),
        ({"LINE_NUM_COEFF": "one " * 20}, "LINE_NUM_COEFF_1 is 'one', expected a number"),
        ({"LAT_SCALE": "0"}, "scale 0.0, expected numbers, scale > 0"),
        ({"LINE_DEN_COEFF": "0 " * 20}, "denominator of the row is 0"),
    ],
)
def test_tags_that_are_none_are_refused(
    tags: dict[str, str], message: str, data_dir: Path, tmp_path: Path
) -> None:
    """In the `.aux.xml` beside a GeoTIFF: GDAL hands on whatever text stands there."""
    path = tmp_path / "image.tif"
    write_pixels(path, PIXELS)
    with rasterio.open(data_dir / "imagery" / "quickbird_basic1b" / "qb2_basic1b.tif") as real:
        values = real.tags(ns="RPC") | tags
    items = "".join(f'<MDI key="{key}">{value}</MDI>' for key, value in values.items())
    (tmp_path / "image.tif.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="RPC">{items}</Metadata></PAMDataset>'
    )
    assert message in refusal(read_rpc_image, path)


# ---------------------------------------------------------------- keyword files


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("line_off:  21109.5", "", "has no line_off, expected a value"),
        ("line_off:  21109.5", "line_off:  2110g", "line_off is '2110g', expected a number"),
        (
            "line_off:  21109.5",
            "line_off 21109.5",
            "found 'line_off 21109.5', expected `key: value`",
        ),
        ("samp_off:", "line_off:", "has line_off twice, expected it once"),
        ("line_den_coeff_03:", "line_den_coeff_30:", "has no line_den_coeff_03"),
        ("polynomial_format:  B", "polynomial_format:  A", "is A, expected B"),
        ("adj_param_1.parameter:  0", "adj_param_1.parameter:  1.5", "is 1.5, expected 0"),
        ('"""12.04 """', '"""12.04 9 """', "physical_gain has 2 values, expected one for each"),
        ('"""12.04 """', '"""-12.04 """', "gain -12.04"),
        ("number_lines:  41801", "number_lines:  4180", "expected them inside of the 4180 x 39182"),
        (
            "2013-08-05T10:42:19.4Z",
            "yesterday",
            "image_date is 'yesterday', expected a time in UTC",
        ),
    ],
)
def test_a_damaged_keyword_file_is_refused(
    old: str, new: str, message: str, data_dir: Path, tmp_path: Path
) -> None:
    folder = data_dir / "imagery" / "pleiades_ventoux"
    text = (folder / "left_image.geom").read_text()
    assert old in text
    shutil.copy(folder / "left_image.tif", tmp_path)
    (tmp_path / "left_image.geom").write_text(text.replace(old, new, 1))
    assert message in refusal(read_rpc_image, tmp_path / "left_image.tif")


def test_gains_in_another_order_are_refused(data_dir: Path, tmp_path: Path) -> None:
    """Irradiance falls from blue to near infrared; lists in the order of the pixels would not."""
    text = (data_dir / "imagery" / "sensor_models" / "spot6-1.geom").read_text()
    there, here = "1982.671954 1826.087443 1540.494123", "1540.494123 1826.087443 1982.671954"
    (tmp_path / "x.geom").write_text(text.replace(there, here))
    assert "expected it to fall from blue to near" in refusal(read_geom, tmp_path / "x.geom")


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ((1.0, 0.0, 5000.5, 0.0, 1.0, 5000.0), "expected the whole row and column"),
        ((0.5, 0.0, 5000.0, 0.0, -0.5, 5000.0), "expected the whole row and column"),
        ((1.0, 0.0, -3.0, 0.0, 1.0, 5000.0), "expected them inside of the 41801 x 39182"),
    ],
)
def test_a_crop_must_say_where_it_begins(
    transform: tuple[float, ...], message: str, data_dir: Path, tmp_path: Path
) -> None:
    shutil.copy(data_dir / "imagery" / "pleiades_ventoux" / "left_image.geom", tmp_path)
    path = tmp_path / "left_image.tif"
    write_pixels(path, PIXELS[:1], transform=rasterio.Affine(*transform))
    assert message in refusal(read_rpc_image, path)


def test_a_keyword_file_of_other_bands_is_refused(data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / "imagery" / "pleiades_ventoux" / "left_image.geom", tmp_path)
    write_pixels(tmp_path / "left_image.tif", PIXELS)
    message = refusal(read_rpc_image, tmp_path / "left_image.tif")
    assert "has 4 bands, expected P of left_image.geom" in message


def test_a_text_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.geom").write_bytes(b"line_off:  1\n\xff\n")
    assert "byte 13 is no UTF-8" in refusal(read_geom, tmp_path / "x.geom")
