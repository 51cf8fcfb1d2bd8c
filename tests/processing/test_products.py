"""Products of a raw image: what lies in their folders, and whether it is true."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pystac
import pytest
import rasterio
import rasterio.features
import shapely
from astropy import units
from astropy.coordinates import AltAz, EarthLocation, get_sun
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.transform import RPCTransformer
from rio_cogeo.cogeo import cog_validate
from sgp4.api import Satrec

from humay.arrays import BoolArray, FloatArray
from humay.errors import ProcessingError
from humay.processing import Dem, Made, Recipe, make_products, needed_bounds, product_id, read_dem
from humay.processing.resample import SATURATED
from humay.processing.store import FileFacts
from humay.sensor import Chip, RawImage, read_raw
from humay.time import parse_utc
from tests.chain.small import EXAMPLE, NAMES, Small, built, item_of
from tests.reference.astropy_offline import astropy_time, offline
from tests.reference.stac import faults

LEVELS = ("L1C", "L2P")
FILES = {
    "L1C": {"pan.tif", "pan-quality.tif", "ms.tif", "ms-quality.tif", "thumbnail.jpg",
            "thumbnail-pan.jpg"},
    "L2P": {"pansharpened.tif", "quality.tif", "thumbnail.jpg"},
}  # fmt: skip


@pytest.fixture(scope="module")
def small() -> Small:
    return built()


@pytest.fixture(scope="module")
def raw(small: Small) -> RawImage:
    return read_raw(small.raw(0))


@pytest.fixture(scope="module")
def dem(small: Small, raw: RawImage) -> Dem:
    models = [chip.model(raw.trajectory) for chip in raw.chips]
    return read_dem(small.dem(0), needed_bounds(models, [chip.shape for chip in raw.chips]))


# ---------------------------------------------------------------- the folder


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("level", LEVELS)
def test_a_folder_holds_its_item_its_collection_and_its_assets_and_nothing_else(
    small: Small, level: str, number: int
) -> None:
    product = small.product(level, number)
    item = item_of(product)
    assert item == product.item
    assert faults(item) == []
    assert pystac.Item.from_file(product.item_path).id == product.id
    collection = json.loads((product.folder / "collection.json").read_bytes())
    assert faults(collection) == []
    assert collection["id"] == item["collection"] == f"humay-{level.lower()}"
    named = {asset["href"].removeprefix("./") for asset in item["assets"].values()}
    present = {path.name for path in product.folder.iterdir()}
    assert present == named | {f"{product.id}.json", "collection.json"}
    rpcs = {0: {"pan-4_RPC.TXT"}, 1: {"pan-2_RPC.TXT", "pan-3_RPC.TXT"}}[number]
    assert named == FILES[level] | (rpcs if level == "L1C" else set())
    for asset in item["assets"].values():
        facts = FileFacts.of_file(product.folder / asset["href"])
        assert (facts.size, facts.checksum) == (asset["file:size"], asset["file:checksum"])
    assert "eo:cloud_cover" not in item["properties"]
    assert [path.name for path in product.folder.rglob(".*")] == []


@pytest.mark.parametrize("level", LEVELS)
def test_the_ways_of_an_item_lead_to_files_that_are_there(small: Small, level: str) -> None:
    for number, name in enumerate(NAMES):
        product = small.product(level, number)
        ways = {link["rel"]: link for link in item_of(product)["links"]}
        assert set(ways) == {"via", "related", "collection", *(["derived_from"] * (level == "L2P"))}
        for link in item_of(product)["links"]:
            assert (product.folder / link["href"]).is_file(), link
        via = (product.folder / ways["via"]["href"]).resolve()
        assert via == (small.raw(number) / "image.json").resolve()
        if level == "L2P":
            source = (product.folder / ways["derived_from"]["href"]).resolve()
            assert source == small.product("L1C", number).item_path.resolve()
            assert name in source.name


@pytest.mark.parametrize("level", LEVELS)
def test_every_cog_is_valid_and_is_what_its_item_says(small: Small, level: str) -> None:
    for number in (0, 1):
        product = small.product(level, number)
        rasters = {name: a for name, a in item_of(product)["assets"].items() if "proj:shape" in a}
        assert {asset["href"].removeprefix("./") for asset in rasters.values()} == {
            path.name for path in product.folder.glob("*.tif")
        }
        for asset in rasters.values():
            path = product.folder / asset["href"]
            good, errors, warnings = cog_validate(path, strict=True, quiet=True)
            assert good, (path, errors, warnings)
            with rasterio.open(path) as raster:
                assert list(raster.shape) == asset["proj:shape"]
                assert list(raster.transform)[:6] == asset["proj:transform"]
                assert f"EPSG:{raster.crs.to_epsg()}" == asset["proj:code"]
                assert raster.nodata == asset.get("nodata")
                assert set(raster.dtypes) == {asset["data_type"]}
                assert set(raster.scales) == {asset["raster:scale"]}
                assert set(raster.offsets) == {asset["raster:offset"]}
                assert list(raster.descriptions) == [band["name"] for band in asset["bands"]]
                assert raster.res == (asset["raster:spatial_resolution"],) * 2
                if "reflectance" in asset["roles"]:
                    assert (raster.nodata, raster.scales[0]) == (0, 1e-4)


def test_pixels_of_pan_nest_in_those_of_the_colours(small: Small) -> None:
    """SPOT 6 and 7: 1.5 m and 6 m, as published."""
    for number in (0, 1):
        assets = item_of(small.product("L1C", number))["assets"]
        pan, ms = (assets[name]["proj:transform"] for name in ("pan", "ms"))
        assert (pan[0], ms[0]) == (1.5, 6.0)
        assert (pan[2], pan[5]) == (ms[2], ms[5])
        assert assets["pan"]["proj:shape"] == [4 * n for n in assets["ms"]["proj:shape"]]
        sharp = item_of(small.product("L2P", number))["assets"]["pansharpened"]
        assert sharp["proj:transform"] == pan
        assert [band["name"] for band in sharp["bands"]] == ["blue", "green", "red", "nir"]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("level", LEVELS)
def test_a_small_picture_is_a_jpeg_that_shows_something(small: Small, level: str) -> None:
    for path in small.product(level).folder.glob("*.jpg"):
        with rasterio.open(path) as picture:
            assert picture.driver == "JPEG"
            assert picture.count == (1 if path.stem == "thumbnail-pan" else 3)
            assert max(picture.shape) <= 512
            rows, cols = (n // 4 for n in picture.shape)
            assert np.ptp(picture.read()[:, rows:-rows, cols:-cols]) > 100


# ---------------------------------------------------------------- place and time


@pytest.mark.parametrize("number", [0, 1])
def test_the_footprint_outlines_the_valid_pixels(small: Small, number: int) -> None:
    """Pixels by their centres, as GDAL burns polygons. Colours are valid by whole pixels of 6 m,
    so that sharpened ones may differ by less than one along the edge."""
    pan = _valid(small.product("L1C", number), "pan.tif")
    outlined = _outlined(small.product("L1C", number), "pan.tif")
    assert (pan & outlined).sum() / (pan | outlined).sum() > 0.999
    sharp = _valid(small.product("L2P", number), "pansharpened.tif")
    outlined = _outlined(small.product("L2P", number), "pansharpened.tif")
    assert (sharp & outlined).sum() / (sharp | outlined).sum() > 0.985
    assert not (sharp & ~_moved(outlined, 4, np.any)).any()
    assert not (~sharp & _moved(outlined, 4, np.all)).any()


def _valid(product: Made, file: str) -> BoolArray:
    with rasterio.open(product.folder / file) as raster:
        valid: BoolArray = (raster.read() != 0).all(axis=0)
        assert np.array_equal(valid, (raster.read() != 0).any(axis=0))
    return valid


def _outlined(product: Made, file: str) -> BoolArray:
    item = item_of(product)
    shape = shapely.geometry.shape(item["geometry"])
    assert shape.bounds == pytest.approx(tuple(item["bbox"]), abs=1e-7)
    assert isinstance(shape, shapely.Polygon)
    assert len(shape.interiors) == 0
    with rasterio.open(product.folder / file) as raster:
        to_map = Transformer.from_crs("EPSG:4326", raster.crs, always_xy=True)
        on_map = shapely.transform(shape, lambda p: np.column_stack(to_map.transform(*p.T)))
        inside: BoolArray = rasterio.features.geometry_mask(
            [on_map], raster.shape, raster.transform, invert=True
        )
    return inside


def _moved(mask: BoolArray, pixels: int, combine: Any) -> BoolArray:
    """Grown (any) or shrunk (all) by some pixels along rows, columns and both."""
    steps = (-pixels, 0, pixels)
    return np.asarray(
        combine([np.roll(mask, (i, j), (0, 1)) for i in steps for j in steps], axis=0)
    )


@pytest.mark.parametrize("number", [0, 1])
def test_angles_of_view_and_sun_are_those_of_other_programs(small: Small, number: int) -> None:
    """The place is the middle of the valid pixels; PROJ makes ECEF coordinates and horizons of it,
    astropy the Sun. In 0.002 deg lie 24 m on the ground, or 12 of the window's 256 columns."""
    properties = item_of(small.product("L1C", number))["properties"]
    lon, lat = _middle(small.product("L1C", number))
    raw = read_raw(small.raw(number))
    chip = raw.of_band("pan")[
        -1
    ]  # answers for the middle in both; the others see it earlier, later
    moment = raw.epoch.utc(0.5 * sum(raw.span_s(chip)))
    satellite = _satellite_itrf(small.raw(number), moment)
    height_m = (properties["humay:lowest_m"] + properties["humay:highest_m"]) / 2
    place = _ecef(lon, lat, height_m)
    _, _, up = _horizon(lon, lat)
    look = satellite - place
    nadir = -_horizon(*_geographic(satellite))[2]
    assert properties["view:off_nadir"] == pytest.approx(_angle_deg(-look, nadir), abs=0.002)
    assert properties["view:incidence_angle"] == pytest.approx(_angle_deg(look, up), abs=0.002)
    east, north, _ = _horizon(*_geographic(satellite))  # STAC: seen from below the satellite
    azimuth = np.degrees(np.arctan2(-look @ east, -look @ north)) % 360
    assert properties["view:azimuth"] == pytest.approx(azimuth, abs=0.02)
    with offline():
        site = EarthLocation.from_geodetic(lon * units.deg, lat * units.deg)
        time = astropy_time([moment])[0]
        sun = get_sun(time).transform_to(AltAz(obstime=time, location=site))
        assert properties["view:sun_elevation"] == pytest.approx(sun.alt.deg, abs=0.005)
        assert properties["view:sun_azimuth"] == pytest.approx(sun.az.deg, abs=0.01)


def _middle(product: Made) -> tuple[float, float]:
    """Longitude and latitude (deg) of the middle of the valid pixels."""
    row, col = (float(np.mean(index)) for index in np.nonzero(_valid(product, "pan.tif")))
    with rasterio.open(product.folder / "pan.tif") as raster:
        x, y = raster.transform @ (col + 0.5, row + 0.5)
        lon, lat = Transformer.from_crs(raster.crs, "EPSG:4326", always_xy=True).transform(x, y)
    return float(lon), float(lat)


def _satellite_itrf(raw: Path, moment: datetime) -> FloatArray:
    """From the table of the trajectory, linearly between samples 8 ms apart: 0.1 mm."""
    way = pq.read_table(raw / "trajectory.parquet")
    epoch = parse_utc(way.schema.metadata[b"epoch"].decode())
    t_s = (moment - epoch).total_seconds()  # no leap second in 2019
    times = np.asarray(way["t_s"])
    return np.array(
        [np.interp(t_s, times, np.asarray(way[name])) for name in ("x_m", "y_m", "z_m")]
    )


def _ecef(lon_deg: float, lat_deg: float, height_m: float = 0.0) -> FloatArray:
    to_ecef = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    return np.array(to_ecef.transform(lon_deg, lat_deg, height_m))


def _geographic(place: FloatArray) -> tuple[float, float]:
    from_ecef = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    found = from_ecef.transform(*place.tolist())
    return float(found[0]), float(found[1])


def _horizon(lon_deg: float, lat_deg: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """East, north and up by steps of a metre with PROJ."""
    here, d = _ecef(lon_deg, lat_deg), 1e-5
    east, north = _ecef(lon_deg + d, lat_deg) - here, _ecef(lon_deg, lat_deg + d) - here
    east, north = east / np.linalg.norm(east), north / np.linalg.norm(north)
    return east, north, np.cross(east, north)


def _angle_deg(a: FloatArray, b: FloatArray) -> float:
    return float(np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))))


def test_times_are_those_of_the_lines_and_the_delivery(small: Small, raw: RawImage) -> None:
    """By hand: half a line before the first middle of any band, half a line after the last; the
    middle of PAN's; the plan says when it came down."""
    properties = item_of(small.product("L1C"))["properties"]
    epoch, near = raw.epoch.moment, timedelta(microseconds=2)
    first = min(chip.first_line_s - 0.5 * chip.line_period_s for chip in raw.chips)
    last = max(chip.first_line_s + (chip.shape[0] - 0.5) * chip.line_period_s for chip in raw.chips)
    (pan,) = raw.of_band("pan")
    middle = pan.first_line_s + 0.5 * (pan.shape[0] - 1) * pan.line_period_s
    told = [parse_utc(properties[f"{name}datetime"]) for name in ("start_", "end_", "")]
    for moment, seconds in zip(told, (first, last, middle), strict=True):
        assert abs(moment - epoch - timedelta(seconds=seconds)) <= near
    (ordered,) = (a for a in small.document["acquisitions"] if a["id"] == raw.name)
    assert ordered["delivered"] is not None
    assert properties["created"] == ordered["delivered"]
    assert properties["humay:acquisition"] == ordered["id"]


def test_the_orbit_is_that_of_the_elements(small: Small) -> None:
    """By sgp4: the satellite crosses the equator northwards at sat:anx_datetime, to 0.1 s, and the
    elements count that revolution."""
    lines = (EXAMPLE / "spot67.tle").read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("1 40053"))  # SPOT 7
    craft = Satrec.twoline2rv(lines[first], lines[first + 1])
    assert craft.satnum == 40053
    for number in (0, 1):
        properties = item_of(small.product("L1C", number))["properties"]
        node = parse_utc(properties["sat:anx_datetime"])
        heights = []
        for side_s in (-0.1, 0.1):
            since = node + timedelta(seconds=side_s) - datetime(2000, 1, 1, 12, tzinfo=UTC)
            error, r_km, _ = craft.sgp4(2_451_545.0, since.total_seconds() / 86_400)
            assert error == 0
            heights.append(r_km[2])
        assert heights[0] < 0 < heights[1]
        assert properties["sat:orbit_state"] == "descending"
        elapsed = node - datetime(2019, 10, 30, tzinfo=UTC)
        turns = (elapsed.total_seconds() / 86_400 - (craft.epochdays - 303)) * craft.no_kozai
        near = craft.revnum + turns * 1440 / (2 * np.pi)
        assert abs(properties["sat:absolute_orbit"] - near) < 1.0


def test_a_product_is_named_after_its_satellite_its_instant_and_its_level(raw: RawImage) -> None:
    assert product_id(raw, "L2P") == f"{NAMES[0]}_L2P"
    odd = replace(raw, satellite="..my sat #1: e/w")
    assert product_id(odd, "L1C") == "my-sat-1-e-w_20191101T062650_L1C"
    assert re.fullmatch(r"[\w.-]+", product_id(odd, "L1C"))


# ---------------------------------------------------------------- numbers


def test_reflectance_is_that_of_the_raw_numbers(small: Small, raw: RawImage) -> None:
    """By hand for the mean: rho = pi L d^2 / (E0 sin e), the Sun by astropy. What the map leaves
    out at the edges of the image differs from the rest: 1 %."""
    product = small.product("L1C")
    lon, lat = _middle(product)
    with offline():
        time = astropy_time([raw.acquired])[0]
        sun = get_sun(time)
        site = EarthLocation.from_geodetic(lon * units.deg, lat * units.deg)
        sine = np.sin(sun.transform_to(AltAz(obstime=time, location=site)).alt.rad)
    for file, names in (("pan.tif", ["pan"]), ("ms.tif", ["blue", "green", "red", "nir"])):
        with rasterio.open(product.folder / file) as raster:
            image = raster.read(masked=True) * raster.scales[0]
        for pixels, name in zip(image, names, strict=True):
            (chip,) = raw.of_band(name)
            radiance = float(np.mean(chip.calibration.radiance(chip.dn)[1:-1, 1:-1]))
            irradiance = raw.bands[name].solar_irradiance_w_m2_um
            expected = np.pi * radiance * float(sun.distance.au) ** 2 / (irradiance * sine)
            assert float(pixels.mean()) == pytest.approx(expected, rel=0.01), name


def test_the_heights_told_are_those_of_the_ground_in_the_picture(small: Small, dem: Dem) -> None:
    """The DEM reaches farther, and is higher there: it must not be told of the picture."""
    told = item_of(small.product("L1C"))["properties"]
    ring = np.radians(np.array(item_of(small.product("L1C"))["geometry"]["coordinates"][0]))
    corners = dem.ellipsoidal_m(*ring.T)
    assert told["humay:lowest_m"] <= corners.min() + 0.1
    assert told["humay:highest_m"] >= corners.max() - 0.1
    whole = dem.posts_m.min(), dem.posts_m.max()
    span = told["humay:highest_m"] - told["humay:lowest_m"]
    assert span < 0.8 * (whole[1] - whole[0])


def test_gdal_finds_the_raw_pixels_by_the_rpc_of_a_product(small: Small, tmp_path: Path) -> None:
    """Copied beside the raw image, as GDAL looks for it, on the ground and 500 m above it."""
    product, raw = small.product("L1C", 1), read_raw(small.raw(1))
    worst = item_of(product)["properties"]["humay:rpc_residual_px"]
    assert worst < 0.01
    for chip in raw.of_band("pan"):
        name = f"pan-{chip.index}"
        for path in (small.raw(1) / f"{name}.tif", product.folder / f"{name}_RPC.TXT"):
            shutil.copy(path, tmp_path)
        with rasterio.open(tmp_path / f"{name}.tif") as image:
            assert image.rpcs is not None
            rpcs = image.rpcs
        rows, cols = np.meshgrid(*(np.linspace(0, n - 1, 5) for n in chip.shape), indexing="ij")
        for height in (180.0, 380.0):
            lon, lat = chip.model(raw.trajectory).locate(rows, cols, np.asarray(height))
            with RPCTransformer(rpcs) as gdal:
                found = gdal.rowcol(
                    np.degrees(lon).ravel(), np.degrees(lat).ravel(),
                    zs=np.full(lon.size, height), op=float,
                )  # fmt: skip
            off = np.array(found) - 0.5 - [rows.ravel(), cols.ravel()]
            assert np.abs(off).max() < worst + 0.001


# ---------------------------------------------------------------- other raw images


def test_saturated_pixels_are_flagged_where_they_lie(
    raw: RawImage, dem: Dem, tmp_path: Path
) -> None:
    """A spot of PAN and one of green, each looked up on the map by the model of its chip."""
    spots = {"pan": (100, 60), "green": (40, 20)}
    spoilt = replace(raw, chips=tuple(_with_spot(chip, spots) for chip in raw.chips))
    l1c, l2p = make_products(spoilt, dem, tmp_path, Recipe())
    flags = {name: _read(l1c.folder / f"{name}-quality.tif") for name in ("pan", "ms")}
    sharp = _read(l2p.folder / "quality.tif")
    for band, name in (("pan", "pan"), ("green", "ms")):
        (chip,) = spoilt.of_band(band)
        row, col = _on_map(l1c.folder / f"{name}.tif", chip, spoilt, dem, spots[band])
        near = np.zeros(flags[name].shape, bool)
        near[row - 6 : row + 7, col - 6 : col + 7] = True
        assert flags[name][row, col] & SATURATED
        assert not flags[name][~near].any()
        ratio = 1 if name == "pan" else 4
        assert sharp[ratio * row + ratio // 2, ratio * col + ratio // 2] & SATURATED
    assert 0 < (sharp & SATURATED != 0).mean() < 0.02
    for name in ("pan", "ms"):
        valid = _read(l1c.folder / f"{name}.tif") != 0
        share = (flags[name][valid] & SATURATED != 0).mean()
        assert l1c.item["properties"][f"humay:{name}_saturated_share"] == pytest.approx(
            share, abs=1e-6
        )


def _with_spot(chip: Chip, spots: dict[str, tuple[int, int]]) -> Chip:
    dn = chip.dn.copy()
    if chip.band in spots:
        row, col = spots[chip.band]
        dn[row - 1 : row + 2, col - 1 : col + 2] = chip.calibration.saturation_dn
    return replace(chip, dn=dn)


def _read(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as raster:
        pixels: NDArray[Any] = raster.read(1)
    return pixels


def _on_map(
    path: Path, chip: Chip, raw: RawImage, dem: Dem, pixel: tuple[int, int]
) -> tuple[int, int]:
    """Where a pixel of a chip lies in a raster: height and place by turns."""
    row, col = (np.array([float(x)]) for x in pixel)
    height = np.array([dem.mean_m])
    for _ in range(5):
        lon, lat = chip.model(raw.trajectory).locate(row, col, height)
        height = dem.ellipsoidal_m(lon, lat)
    with rasterio.open(path) as raster:
        to_map = Transformer.from_crs("EPSG:4326", raster.crs, always_xy=True)
        x, y = to_map.transform(np.degrees(lon)[0], np.degrees(lat)[0])
        found = raster.index(x, y)
    return int(found[0]), int(found[1])


def test_of_pan_alone_there_is_no_sharpened_product(
    raw: RawImage, dem: Dem, tmp_path: Path
) -> None:
    alone = replace(raw, bands={"pan": raw.bands["pan"]}, chips=raw.of_band("pan"))
    (made,) = make_products(alone, dem, tmp_path, Recipe())
    assert made.level == "L1C"
    assert set(item_of(made)["assets"]) == {"pan", "pan-quality", "rpc-4", "thumbnail"}
    assert faults(item_of(made)) == []
    with pytest.raises(ProcessingError, match="has PAN only, expected colours to sharpen"):
        make_products(alone, dem, tmp_path / "other", Recipe(level="L2P"))
    assert not (tmp_path / "other").exists()


def test_the_lower_level_alone_is_made_when_it_is_asked_for(
    raw: RawImage, dem: Dem, tmp_path: Path
) -> None:
    (made,) = make_products(raw, dem, tmp_path, Recipe(level="L1C"))
    assert [path.name for path in tmp_path.iterdir()] == [made.id] == [f"{NAMES[0]}_L1C"]


def test_what_is_not_known_is_not_told(raw: RawImage, dem: Dem, tmp_path: Path) -> None:
    """A raw image from elsewhere: no orbit number, no delivery, no error of the DEM."""
    bare = replace(raw, source={}, bands={"pan": raw.bands["pan"]}, chips=raw.of_band("pan"))
    (made,) = make_products(bare, dem, tmp_path, Recipe())
    told = item_of(made)["properties"]
    assert not {"sat:absolute_orbit", "sat:anx_datetime", "humay:location_ce90_m"} & set(told)
    assert told["created"] == told["end_datetime"]
    assert "mission" not in told
