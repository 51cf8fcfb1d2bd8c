"""A real image with rational coefficients on a map: its reflectance where its files calibrate it,
else its counts, and said so."""

from __future__ import annotations

import math
import re
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon

from humay import __version__
from humay.arrays import FloatArray, norm
from humay.earth import itrf_from_geodetic
from humay.errors import ProcessingError
from humay.processing.calibrate import LinearPixels, sunlight
from humay.processing.dem import Dem
from humay.processing.files import CountPixels
from humay.processing.grid import OutputGrid, grid_for, seen_ground
from humay.processing.item import ProductFacts, Scalar
from humay.processing.ortho import Image, Pixels, Source, plan_ortho
from humay.processing.publish import published_folder
from humay.processing.writing import Made, Recipe, Sheet, write_item, write_sheet, write_thumbnail
from humay.sensor import RpcImage
from humay.time import Epoch

_OUTLINE_STEPS = 33
_MOST_COUNTS = 65_535


def make_real_product(image: RpcImage, dem: Dem, folder: Path, recipe: Recipe) -> Made:
    """A real image laid over a DEM, as a folder of its own in `folder`.

    Reflectance (L1C) needs gain, bias and solar irradiance of every band and the time; where one
    is missing the product holds counts, level ORTHO. Raises `ProcessingError` for sharpening, which
    takes two images, and where nobody says when the image was taken.
    """
    if recipe.level == "L2P":
        raise ProcessingError(
            f"{image.path}: L2P needs PAN and colours together, this is one image; expected L1C"
        )
    acquired = recipe.acquired or image.view.acquired
    if acquired is None:
        raise ProcessingError(f"{image.path}: does not say when it was taken, expected --acquired")
    level = "L1C" if not _uncalibrated(image) else "ORTHO"
    name = re.sub(r"[^\w.-]+", "-", f"{image.name}_{level}")
    grid = _grid(image, dem, recipe)
    with published_folder(folder / name) as scratch:
        sheet = _sheet(image, dem, grid, recipe, level, acquired)
        written = write_sheet(scratch, sheet, threads=recipe.threads)
        assets = {
            **written.assets,
            "thumbnail": write_thumbnail(scratch, "image.tif", image.bands),
        }
        facts = ProductFacts(
            id=name,
            title=f"{image.name}, orthorectified",
            level=level,
            platform=image.view.platform or "unknown",
            instruments=("unknown",),
            start=acquired,
            end=acquired,
            created=recipe.created or acquired,
            footprint=_footprint(image, dem),
            epsg=grid.epsg,
            gsd_m=round(_native_m(image, dem), 3),
            assets=assets,
            software={"humay": __version__},
            lineage=_lineage(image, dem, level),
            collection=f"humay-{level.lower()}",
            traces=_traces(image, dem, recipe, written.bound_px, written.saturated_share),
            links=recipe.links,
        )
        return write_item(facts, scratch, folder / name)


def _uncalibrated(image: RpcImage) -> list[str]:
    """Bands whose counts cannot be turned into reflectance."""
    known = image.radiometry
    return [
        band
        for band in image.bands
        if band not in known or known[band].solar_irradiance_w_m2_um is None
    ]


def _sheet(
    image: RpcImage, dem: Dem, grid: OutputGrid, recipe: Recipe, level: str, acquired: datetime
) -> Sheet:
    plans = [
        plan_ortho(
            [Source(model=image.rpc, pixels=_pixels(image, i, dem, level, acquired))],
            grid,
            dem,
            tolerance_px=recipe.tolerance_px,
        )
        for i in range(len(image.bands))
    ]
    if level == "L1C":
        return Sheet(name="image", title="Reflectance", grid=grid, bands=image.bands, plans=plans)
    return Sheet(
        name="image", title="Counts, not calibrated", grid=grid, bands=image.bands, plans=plans,
        encode=_whole_counts, scale=1.0,
    )  # fmt: skip


def _pixels(image: RpcImage, band: int, dem: Dem, level: str, acquired: datetime) -> Pixels:
    counts = CountPixels(image=image, band=image.bands[band])
    if level != "L1C":
        return counts
    name = image.bands[band]
    given = image.radiometry_of(name)
    irradiance = given.solar_irradiance_w_m2_um
    assert irradiance is not None  # _uncalibrated has looked
    epoch = Epoch(acquired)
    light = sunlight(
        image.rpc, image.shape, epoch, lambda row: np.zeros(np.shape(row)), height_m=dem.mean_m
    )
    return LinearPixels(
        counts=counts,
        gain=given.gain,
        bias=given.bias,
        solar_irradiance_w_m2_um=irradiance,
        light=light,
        saturated=image.saturated,
    )


def _whole_counts(counts: Image) -> NDArray[np.uint16]:
    """Counts as they stand in a product: 0 where there are none, else 1 to 65535."""
    missing = np.isnan(counts)
    whole = np.clip(np.rint(np.where(missing, 1, counts)), 1, _MOST_COUNTS)
    return np.where(missing, 0, whole).astype(np.uint16)


def _native_m(image: RpcImage, dem: Dem) -> float:
    """Distance of pixels in the middle, lines and columns together."""
    row, col = (np.array([0.5 * (n - 1)]) for n in image.shape)
    lon, lat = seen_ground(image.rpc, row, col, dem)
    height = dem.held_m(lon, lat)
    place = itrf_from_geodetic(lon, lat, height)
    steps = [image.rpc.locate(row + i, col + j, height) for i, j in ((1.0, 0.0), (0.0, 1.0))]
    along, across = (float(norm(itrf_from_geodetic(*s, height) - place)[0]) for s in steps)
    return math.sqrt(along * across)


def _grid(image: RpcImage, dem: Dem, recipe: Recipe) -> OutputGrid:
    pixel_m = recipe.pixel_m
    if pixel_m is None:
        native_m = _native_m(image, dem)
        digit = 10.0 ** (math.floor(math.log10(native_m)) - 1)
        pixel_m = round(math.floor(native_m / digit + 1e-9) * digit, 6)
    return grid_for([image.rpc], [image.shape], dem, pixel_m=pixel_m)


def _footprint(image: RpcImage, dem: Dem) -> Polygon:
    lon, lat = seen_ground(image.rpc, *_outline(image.shape), dem)
    lon_deg = np.degrees(lon)
    lon_deg = lon_deg - 360.0 * np.round((lon_deg - lon_deg[0]) / 360.0)
    return Polygon(np.column_stack([lon_deg, np.degrees(lat)]))


def _outline(shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Round the pixels, along their outer edges."""
    share = np.linspace(0.0, 1.0, _OUTLINE_STEPS)[:-1]
    there, back, zero, one = share, 1 - share, 0 * share, 0 * share + 1
    row = np.concatenate([zero, there, one, back]) * shape[0] - 0.5
    col = np.concatenate([there, one, back, zero]) * shape[1] - 0.5
    return row, col


def _lineage(image: RpcImage, dem: Dem, level: str) -> str:
    datum = f"{dem.vertical}{' (assumed)' if dem.vertical_is_assumed else ''}"
    numbers = "counts to top-of-atmosphere reflectance with gains and biases of its own files"
    if level != "L1C":
        numbers = f"counts as recorded: no gain or solar irradiance of {_uncalibrated(image)}"
    return f"{numbers}; RPC over DEM {dem.name}, heights above {datum}; Keys cubic"


def _traces(
    image: RpcImage, dem: Dem, recipe: Recipe, bound_px: float, saturated_share: float
) -> dict[str, Scalar | None]:
    return {
        "raw": image.name,
        "dem": dem.name,
        "dem_vertical": dem.vertical,
        "dem_sigma_m": recipe.dem_sigma_m,
        "image_bound_px": round(bound_px, 6),
        "image_saturated_share": round(saturated_share, 6),
    } | dict(recipe.traces or {})
