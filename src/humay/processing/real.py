"""A real image with rational coefficients on a map: its reflectance where its files calibrate it,
else its counts, and said so."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from humay import __version__
from humay.errors import ProcessingError
from humay.processing.calibrate import LinearPixels, sunlight
from humay.processing.dem import Dem
from humay.processing.files import CountPixels, published_folder
from humay.processing.footprint import footprint
from humay.processing.grid import OutputGrid, check_pixel, grid_for, native_m
from humay.processing.item import ProductFacts, Scalar
from humay.processing.ortho import Image, Pixels, Source, plan_ortho
from humay.processing.writing import (
    Made,
    Recipe,
    Sheet,
    plain_name,
    write_item,
    write_sheet,
    write_thumbnail,
)
from humay.sensor import RpcImage
from humay.time import Epoch

_MOST_COUNTS = 65_535


def make_real_product(image: RpcImage, dem: Dem, folder: Path, recipe: Recipe) -> Made:
    """A real image laid over a DEM, as a folder of its own in `folder`.

    Reflectance (L1C) needs gain, bias and solar irradiance of every band; where one is missing the
    product holds counts, level ORTHO, unless L1C is asked for. Raises `ProcessingError` for what
    the image cannot give, such as sharpening, and where nobody says when it was taken.
    """
    if recipe.level == "L2P":
        raise ProcessingError(
            f"{image.path}: L2P needs PAN and colours together, this is one image; expected L1C"
        )
    acquired = recipe.acquired or image.view.acquired
    if acquired is None:
        raise ProcessingError(f"{image.path}: does not say when it was taken, expected --acquired")
    level = _level(image, recipe)
    name = plain_name(f"{image.name}_{level}")
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
            footprint=footprint(sheet.plans),
            epsg=grid.epsg,
            gsd_m=round(native_m(image.rpc, image.shape, dem), 3),
            assets=assets,
            software={"humay": __version__},
            lineage=_lineage(image, dem, level),
            collection=f"humay-{level.lower()}",
            traces=_traces(image, dem, recipe, written.bound_px, written.saturated_share),
            links=recipe.links,
        )
        return write_item(facts, scratch, folder / name)


def _level(image: RpcImage, recipe: Recipe) -> str:
    without = _uncalibrated(image)
    if recipe.level == "L1C" and without:
        raise ProcessingError(
            f"{image.path}: L1C needs gain, bias and solar irradiance, found none of "
            f"{', '.join(without)}; expected no level, for counts as they are"
        )
    return "ORTHO" if without else "L1C"


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
    counts = [CountPixels(image=image, band=band) for band in image.bands]
    pixels: Sequence[Pixels] = counts
    if level == "L1C":
        pixels = _reflectances(image, counts, dem, acquired)
    plans = [
        plan_ortho(
            [Source(model=image.rpc, pixels=each)], grid, dem, tolerance_px=recipe.tolerance_px
        )
        for each in pixels
    ]
    if level == "L1C":
        return Sheet(name="image", title="Reflectance", grid=grid, bands=image.bands, plans=plans)
    return Sheet(
        name="image", title="Counts, not calibrated", grid=grid, bands=image.bands, plans=plans,
        encode=_whole_counts, scale=1.0,
    )  # fmt: skip


def _reflectances(
    image: RpcImage, counts: Sequence[CountPixels], dem: Dem, acquired: datetime
) -> list[Pixels]:
    """The bands calibrated, all in the light of one instant."""
    light = sunlight(
        image.rpc,
        image.shape,
        Epoch(acquired),
        lambda row: np.zeros(np.shape(row)),
        height_m=dem.mean_m,
    )
    found: list[Pixels] = []
    for each in counts:
        given = image.radiometry_of(each.band)
        irradiance = given.solar_irradiance_w_m2_um
        assert irradiance is not None  # _uncalibrated has looked
        found.append(
            LinearPixels(
                counts=each,
                gain=given.gain,
                bias=given.bias,
                solar_irradiance_w_m2_um=irradiance,
                light=light,
                saturated=image.saturated,
            )
        )
    return found


def _whole_counts(counts: Image) -> NDArray[np.uint16]:
    """Counts as they stand in a product: 0 where there are none, else 1 to 65535."""
    missing = np.isnan(counts)
    whole = np.clip(np.rint(np.where(missing, 1, counts)), 1, _MOST_COUNTS)
    return np.where(missing, 0, whole).astype(np.uint16)


def _grid(image: RpcImage, dem: Dem, recipe: Recipe) -> OutputGrid:
    pixel_m = recipe.pixel_m
    if pixel_m is None:
        sampling_m = native_m(image.rpc, image.shape, dem)
        digit = 10.0 ** (math.floor(math.log10(sampling_m)) - 1)
        pixel_m = round(math.floor(sampling_m / digit + 1e-9) * digit, 6)
    check_pixel(image.rpc, image.shape, dem, pixel_m, str(image.path))
    return grid_for([image.rpc], [image.shape], dem, pixel_m=pixel_m)


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
