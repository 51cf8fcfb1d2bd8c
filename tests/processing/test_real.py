"""Real images from their files to products: reflectance where they say how, else counts."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import rasterio.features
import shapely
from astropy import units
from astropy.coordinates import AltAz, EarthLocation, get_sun
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio import Affine
from rasterio.rpc import RPC
from rio_cogeo.cogeo import cog_validate

from humay.arrays import FloatArray
from humay.errors import HumayError, ProcessingError
from humay.processing import Made, Recipe, process_file
from humay.processing.resample import SATURATED
from humay.sensor import Rpc, read_rpc_image
from humay.time import parse_utc
from tests.chain.small import item_of
from tests.reference.astropy_offline import astropy_time, offline
from tests.reference.stac import faults
from tests.sensor import dimap_product

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
DAY = datetime(2013, 8, 5, 10, 42, 19, 400_000, tzinfo=UTC)
PIXEL_M = 0.5
GAIN, IRRADIANCE = 12.04, 1548.0  # of Pleiades 1B PAN, as left_image.geom says them


@pytest.fixture(scope="module")
def hgt(data_dir: Path) -> Path:
    """SRTM, 90 m, EGM96."""
    return data_dir / "imagery" / "dem" / "N44E005.hgt"


@pytest.fixture(scope="module")
def views(ventoux: Path, hgt: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """The products of both Pleiades views of Mont Ventoux."""
    out = tmp_path_factory.mktemp("ventoux")
    made = {}
    for side in ("left", "right"):
        (made[side],) = process_file(
            ventoux / f"{side}_image.tif", hgt, out, Recipe(pixel_m=PIXEL_M)
        )
    return made


@pytest.fixture(scope="module")
def tagged(ventoux: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The left view as a GeoTIFF with RPC tags and nothing else: no gain, no time."""
    image = read_rpc_image(ventoux / "left_image.tif")
    with rasterio.open(ventoux / "left_image.tif") as source:
        pixels = source.read()
    path = tmp_path_factory.mktemp("tagged") / "scene 7.tif"
    return write_tagged(path, pixels, image.rpc)


def write_tagged(path: Path, pixels: NDArray[Any], rpc: Rpc) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", count=len(pixels), height=pixels.shape[1],
        width=pixels.shape[2], dtype=pixels.dtype,
        rpcs=RPC(
            height_off=rpc.height_m.offset, height_scale=rpc.height_m.scale,
            lat_off=rpc.lat_deg.offset, lat_scale=rpc.lat_deg.scale,
            long_off=rpc.lon_deg.offset, long_scale=rpc.lon_deg.scale,
            line_off=rpc.row.offset, line_scale=rpc.row.scale,
            samp_off=rpc.col.offset, samp_scale=rpc.col.scale,
            line_num_coeff=rpc.row_num.tolist(), line_den_coeff=rpc.row_den.tolist(),
            samp_num_coeff=rpc.col_num.tolist(), samp_den_coeff=rpc.col_den.tolist(),
        ),
    ) as file:  # fmt: skip
        file.write(pixels)
    return path


def read(product: Made, name: str = "image") -> NDArray[Any]:
    with rasterio.open(product.folder / f"{name}.tif") as raster:
        pixels: NDArray[Any] = raster.read()
    return pixels


def is_whole(product: Made) -> None:
    """A valid item over valid COGs, and an outline round the pixels that hold something."""
    item = item_of(product)
    assert faults(item) == []
    assert "eo:cloud_cover" not in item["properties"]
    for path in product.folder.glob("*.tif"):
        assert cog_validate(path, strict=True, quiet=True)[0], path
    with rasterio.open(product.folder / "image.tif") as raster:
        to_map = Transformer.from_crs("EPSG:4326", raster.crs, always_xy=True)
        shape = shapely.transform(
            shapely.geometry.shape(item["geometry"]),
            lambda p: np.column_stack(to_map.transform(*p.T)),
        )
        outlined = rasterio.features.geometry_mask(
            [shape], raster.shape, raster.transform, invert=True
        )
        valid = (raster.read() != 0).all(axis=0)
    assert (outlined & valid).sum() / (outlined | valid).sum() > 0.99
    via = next(link for link in item["links"] if link["rel"] == "via")
    assert (product.folder / via["href"]).is_file()


# ---------------------------------------------------------------- reflectance


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_view_of_mont_ventoux_becomes_reflectance(views: dict[str, Made], side: str) -> None:
    """Its `.geom` says gain and sunlight. Dry limestone scree between pines in August: between dark
    forest (0.05) and bright rock (0.5), about 0.2 as the eye has it."""
    product = views[side]
    is_whole(product)
    item = item_of(product)
    assert item["id"] == f"{side}_image_L1C"
    assert item["properties"]["processing:level"] == "L1C"
    assert item["properties"]["platform"] == "PHR 1B"
    assert item["properties"]["humay:dem_vertical"] == "egm96"
    assert item["properties"]["gsd"] == pytest.approx(0.5, rel=0.5)
    reflectance = read(product)[0] * 1e-4
    inside = reflectance[reflectance > 0]
    assert 0.1 < inside.mean() < 0.35
    assert 0.02 < np.quantile(inside, 0.01) < np.quantile(inside, 0.99) < 0.7


def test_reflectance_is_that_of_the_formula(
    views: dict[str, Made], tagged: Path, hgt: Path, tmp_path: Path
) -> None:
    """rho = pi (DN / gain) d^2 / (E0 sin e), the Sun by astropy; the DN are those of the product of
    counts on the same map. Both are rounded: to half a count, and half a step of reflectance."""
    (counts,) = process_file(tagged, hgt, tmp_path, Recipe(pixel_m=PIXEL_M, acquired=DAY))
    reflectance, dn = read(views["left"])[0] * 1e-4, read(counts)[0].astype(np.float64)
    assert np.array_equal(reflectance == 0, dn == 0)
    west, south, east, north = item_of(counts)["bbox"]
    with offline():
        time = astropy_time([DAY])[0]
        sun = get_sun(time)
        site = EarthLocation.from_geodetic(
            (west + east) / 2 * units.deg, (south + north) / 2 * units.deg, 1500 * units.m
        )
        sine = np.sin(sun.transform_to(AltAz(obstime=time, location=site)).alt.rad)
        distance = float(sun.distance.au)
    each = np.pi / GAIN * distance**2 / (IRRADIANCE * float(sine))
    off = np.abs(reflectance - dn * each)[dn > 0]
    assert np.all(off < 0.5 * each + 0.5e-4 + 2e-4 * reflectance[dn > 0])


def test_both_views_lie_on_one_another(views: dict[str, Made]) -> None:
    """By the georeference of the COGs alone: where their correlation is highest, within 8 px, which
    is SRTM's own error (without the geoid they are 40 px apart)."""
    pictures, corners = [], []
    for product in views.values():
        with rasterio.open(product.folder / "image.tif") as raster:
            assert raster.res == (PIXEL_M, PIXEL_M)
            pictures.append(raster.read(1).astype(np.float64))
            corners.append((raster.transform.f, raster.transform.c))
    north, west = min(c[0] for c in corners), max(c[1] for c in corners)
    starts = [(round((f - north) / PIXEL_M), round((west - c) / PIXEL_M)) for f, c in corners]
    rows, cols = (
        min(p.shape[i] - start[i] for p, start in zip(pictures, starts, strict=True))
        for i in (0, 1)
    )
    a, b = (
        _even(picture[r : r + rows, c : c + cols])
        for picture, (r, c) in zip(pictures, starts, strict=True)
    )
    likeness = np.fft.irfft2(np.fft.rfft2(a) * np.conj(np.fft.rfft2(b)), s=a.shape)
    peak = np.unravel_index(int(np.argmax(likeness)), likeness.shape)
    shift = [(p + n // 2) % n - n // 2 for p, n in zip(peak, likeness.shape, strict=True)]
    assert likeness[peak] > 0.5 * np.sqrt((a**2).sum() * (b**2).sum())
    assert np.hypot(*shift) < 8


def _even(picture: FloatArray) -> FloatArray:
    """Around its mean, 0 where there is nothing."""
    valid = picture > 0
    return np.asarray(np.where(valid, picture - picture[valid].mean(), 0.0))


# ---------------------------------------------------------------- counts


def test_without_a_gain_there_are_counts_and_the_item_says_so(
    tagged: Path, hgt: Path, tmp_path: Path
) -> None:
    (product,) = process_file(tagged, hgt, tmp_path, Recipe(acquired=DAY))
    is_whole(product)
    item = item_of(product)
    assert item["id"] == "scene-7_ORTHO"
    assert item["collection"] == "humay-ortho"
    assert item["properties"]["processing:level"] == "ORTHO"
    assert "counts as recorded" in item["properties"]["processing:lineage"]
    assert parse_utc(item["properties"]["datetime"]) == DAY
    assert item["assets"]["image"]["raster:scale"] == 1.0
    with rasterio.open(tagged) as source:
        recorded = source.read(1)
    counts = read(product)[0]
    inside = counts[counts > 0]
    assert abs(inside.mean() - recorded.mean()) < 0.02 * recorded.mean()
    assert inside.max() < 1.2 * recorded.max()  # what a cubic overshoots


def test_a_level_that_an_image_cannot_give_is_refused(
    tagged: Path, ventoux: Path, hgt: Path, tmp_path: Path
) -> None:
    for image, recipe, words in (
        (tagged, Recipe(level="L1C", acquired=DAY), "L1C needs gain, bias and solar irradiance"),
        (ventoux / "left_image.tif", Recipe(level="L2P"), "L2P needs PAN and colours together"),
        (tagged, Recipe(), "does not say when it was taken, expected --acquired"),
        (ventoux / "left_image.tif", Recipe(pixel_m=100.0), "100 m for a pixel on the map"),
        (ventoux / "left_image.tif", Recipe(pixel_m=0.001), "the image has 0.505 m; expected 0.03"),
    ):
        with pytest.raises(ProcessingError, match=re.escape(words)):
            process_file(image, hgt, tmp_path / "out", recipe)
    assert not (tmp_path / "out").exists()


def test_a_product_in_coarse_pixels_is_outlined_where_it_has_some(
    ventoux: Path, hgt: Path, tmp_path: Path
) -> None:
    """Ten pixels of the image in one: the wide kernel leaves a wide edge out."""
    (product,) = process_file(ventoux / "left_image.tif", hgt, tmp_path, Recipe(pixel_m=5.0))
    is_whole(product)


def test_what_was_said_of_the_time_gives_way_to_who_asks(
    ventoux: Path, hgt: Path, tmp_path: Path
) -> None:
    later = datetime(2013, 8, 5, 12, 0, tzinfo=UTC)
    made_then = datetime(2020, 1, 1, tzinfo=UTC)
    (product,) = process_file(
        ventoux / "left_image.tif", hgt, tmp_path,
        Recipe(acquired=later, created=made_then, pixel_m=4.0, traces={"order": "7"}),
    )  # fmt: skip
    told = item_of(product)["properties"]
    assert parse_utc(told["datetime"]) == later
    assert told["created"] == "2020-01-01T00:00:00Z"
    assert told["humay:order"] == "7"


# ---------------------------------------------------------------- DIMAP, and many threads


def dimap(folder: Path, **texts: str) -> Path:
    """A product of four tiles and four bands, 800 x 700 pixels of 11 m round Baku."""
    rpc = texts.pop("rpc", dimap_product.rpc_text())
    for name, value in {
        "LONG_SCALE": 0.04, "LAT_SCALE": 0.04, "SAMP_SCALE": 350, "SAMP_OFF": 351,
        "LINE_SCALE": 400, "LINE_OFF": 401,
    }.items():  # fmt: skip
        rpc = re.sub(f"<{name}>[^<]*<", f"<{name}>{value}<", rpc)
    return dimap_product.write_product(folder, rpc=rpc, **texts)


@pytest.fixture
def large_dimap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    sizes = {"ROWS": 800, "COLS": 700, "TILE_ROWS": 500, "TILE_COLS": 400}
    for name, value in sizes.items():
        monkeypatch.setattr(dimap_product, name, value)
    random = np.random.default_rng(1)
    pixels = random.integers(100, 4000, (4, sizes["ROWS"], sizes["COLS"])).astype(np.uint16)
    pixels[:, 400:403, 300:303] = 4095  # saturated, as the product says
    monkeypatch.setattr(dimap_product, "PIXELS", pixels)
    return dimap(tmp_path / "dimap")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """Level ground round Baku."""
    path = tmp_path / "plain.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, height=900, width=900, dtype="float32",
        crs="EPSG:4326", transform=Affine(0.00025, 0.0, 49.78, 0.0, -0.00025, 40.52),
    ) as file:  # fmt: skip
        file.write(np.full((1, 900, 900), 10.0, np.float32))
    return path


def test_a_dimap_product_is_read_by_eight_threads_as_by_one(
    large_dimap: Path, plain: Path, tmp_path: Path
) -> None:
    """Warnings are errors here: threads that open tiles at once must not let one through."""
    made = [
        process_file(large_dimap, plain, tmp_path / str(n), Recipe(threads=n), vertical="ellipsoid")
        for n in (1, 8)
    ]
    one, many = (
        {path.name: path.read_bytes() for path in product.folder.iterdir()} for (product,) in made
    )
    assert one == many
    ((product,), _) = made
    assert product.id == "SPOT7_TEST_L1C"
    is_whole(product)
    item = item_of(product)
    assert [band["name"] for band in item["assets"]["image"]["bands"]] == list(dimap_product.BANDS)
    flags = read(product, "image-quality")[0]
    assert 0 < (flags & SATURATED != 0).sum() < 100
    assert item["properties"]["humay:image_saturated_share"] > 0


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    + "]><Dimap_Document>&j;</Dimap_Document>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    "<Dimap_Document>&e;</Dimap_Document>"
)


def without(axis: str, text: str) -> str:
    """An RPC whose coefficients of an axis are all 0."""
    return re.sub(rf"<{axis}_NUM_COEFF_(\d+)>[^<]*<", rf"<{axis}_NUM_COEFF_\1>0<", text)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"dim": LAUGHS}, "DIM_PRODUCT.XML"),
        ({"dim": OUTSIDE}, "DIM_PRODUCT.XML"),
        ({"rpc": LAUGHS}, "RPC_PRODUCT.XML"),
        ({"rpc": without("LINE", dimap_product.rpc_text())}, "no place found for row"),
    ],
    ids=["laughs", "external", "laughs in the RPC", "an RPC that leads nowhere"],
)
def test_a_hostile_dimap_product_is_refused_in_one_line(
    texts: dict[str, str], words: str, plain: Path, tmp_path: Path
) -> None:
    path = dimap(tmp_path / "dimap", **texts)
    with pytest.raises(HumayError) as told:
        process_file(path, plain, tmp_path / "out", Recipe())
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500
    assert not (tmp_path / "out").exists()


def test_pixels_that_are_cut_short_leave_no_half_product(
    ventoux: Path, hgt: Path, tmp_path: Path
) -> None:
    """The file opens, its last rows are missing: found while the map is being filled."""
    whole = (ventoux / "left_image.tif").read_bytes()
    (tmp_path / "left_image.tif").write_bytes(whole[: len(whole) * 3 // 4])
    shutil.copy(ventoux / "left_image.geom", tmp_path)
    with pytest.raises(HumayError, match=r"left_image\.tif: "):
        process_file(tmp_path / "left_image.tif", hgt, tmp_path / "out", Recipe())
    assert list((tmp_path / "out").rglob("*")) == []


@pytest.mark.slow
def test_any_turn_of_the_coefficients_is_used_or_refused(
    ventoux: Path, hgt: Path, tmp_path: Path
) -> None:
    """Forty images whose `.geom` was spoilt in one to three numbers: never another error."""
    shutil.copy(ventoux / "left_image.tif", tmp_path)
    text = (ventoux / "left_image.geom").read_text()
    keys = re.findall(r"^((?:line|samp)_(?:num|den)_coeff_\d+|\w+_(?:off|scale)):", text, re.M)
    assert len(keys) >= 90
    random = np.random.default_rng(3)
    refusals = []
    for _ in range(40):
        spoilt = text
        for key in random.choice(keys, int(random.integers(1, 4)), replace=False):
            spoilt = re.sub(
                rf"^({key}:\s*)(\S+)", lambda m: m[1] + _turned(float(m[2]), random), spoilt,
                flags=re.M,
            )  # fmt: skip
        (tmp_path / "left_image.geom").write_text(spoilt)
        try:
            process_file(tmp_path / "left_image.tif", hgt, tmp_path / "o", Recipe())
        except HumayError as error:
            refusals.append(str(error))
        assert not list((tmp_path / "o").glob(".*"))
    assert 5 < len(refusals) < 35
    assert not any("\n" in words for words in refusals)


def _turned(value: float, random: np.random.Generator) -> str:
    choices = (
        value * 10 ** random.uniform(-3, 3), -value, 0.0, 1e6 * value,
        value + random.normal() * 10 ** random.uniform(-3, 2),
    )  # fmt: skip
    return repr(float(choices[int(random.integers(len(choices)))]))


# ---------------------------------------------------------------- another vendor


def test_a_quickbird_image_is_laid_over_hills_of_its_own_country(
    data_dir: Path, tmp_path: Path
) -> None:
    """Its tags hold the RPC. The DEM is above EGM2008, which is refused; EGM96 is 0.5 m away there,
    so its heights serve."""
    image = data_dir / "imagery" / "quickbird_basic1b" / "qb2_basic1b.tif"
    theirs = data_dir / "imagery" / "dem" / "ngi_dem_24m_Lo25.tif"
    recipe = Recipe(acquired=datetime(2003, 1, 1, 8, tzinfo=UTC))
    with pytest.raises(ProcessingError, match="EGM2008"):
        process_file(image, theirs, tmp_path, recipe)
    with rasterio.open(theirs) as source:
        profile = source.profile | {"crs": rasterio.CRS.from_wkt(_horizontal(source.crs.to_wkt()))}
        heights = source.read()
    with rasterio.open(tmp_path / "dem.tif", "w", **profile) as copy:
        copy.write(heights)
    (product,) = process_file(image, tmp_path / "dem.tif", tmp_path, recipe, vertical="egm96")
    is_whole(product)
    assert item_of(product)["properties"]["processing:level"] == "ORTHO"


def _horizontal(wkt: str) -> str:
    crs = CRS.from_wkt(wkt)
    return crs.sub_crs_list[0].to_wkt() if crs.is_compound else crs.to_wkt()
