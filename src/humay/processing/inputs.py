"""Any image that Humay takes, by its path, over a DEM by its path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from humay.processing.dem import VerticalDatum
from humay.processing.files import read_dem
from humay.processing.grid import needed_bounds
from humay.processing.products import make_products
from humay.processing.real import make_real_product
from humay.processing.writing import Level, Made, Recipe
from humay.sensor import read_raw, read_rpc_image


def process_file(
    image: Path,
    dem: Path,
    folder: Path,
    recipe: Recipe,
    *,
    level: Level | None = None,
    vertical: VerticalDatum | None = None,
) -> tuple[Made, ...]:
    """The products of a raw image (its folder, or image.json) or of a real one (anything else).

    Without a `level` all that the input gives are made. Raises `HumayError` for an image, a DEM or
    a wish that cannot be.
    """
    if image.is_dir() or image.name == "image.json":
        raw = read_raw(image)
        models = [chip.model(raw.trajectory) for chip in raw.chips]
        bounds = needed_bounds(models, [chip.shape for chip in raw.chips])
        surface = read_dem(dem, bounds, vertical=vertical)
        highest: Level = "L2P" if len(raw.bands) > 1 else "L1C"
        return make_products(raw, surface, folder, replace(recipe, level=level or highest))
    real = read_rpc_image(image)
    surface = read_dem(dem, needed_bounds([real.rpc], [real.shape]), vertical=vertical)
    return (make_real_product(real, surface, folder, replace(recipe, level=level or "L1C")),)
