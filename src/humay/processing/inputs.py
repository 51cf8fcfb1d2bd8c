"""Any image that Humay takes, by its path, over a DEM by its path."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from humay.errors import ProcessingError
from humay.processing.dem import VerticalDatum
from humay.processing.files import read_dem
from humay.processing.grid import needed_bounds
from humay.processing.item import Link
from humay.processing.products import make_products
from humay.processing.real import make_real_product
from humay.processing.writing import Made, Recipe
from humay.sensor import read_raw, read_rpc_image

_MEDIA_TYPES = {
    ".tif": "image/tiff", ".tiff": "image/tiff", ".xml": "application/xml",
    ".ntf": "application/vnd.nitf", ".nitf": "application/vnd.nitf", ".jp2": "image/jp2",
}  # fmt: skip


def process_file(
    image: Path,
    dem: Path,
    folder: Path,
    recipe: Recipe,
    *,
    vertical: VerticalDatum | None = None,
) -> tuple[Made, ...]:
    """The products of a raw image (its folder, or image.json) or of a real one (anything else).

    Their items link back to it. Raises `HumayError` for an image, a DEM or a wish that cannot be.
    """
    if not (image.is_dir() or image.name == "image.json"):
        real = read_rpc_image(image)
        surface = read_dem(dem, needed_bounds([real.rpc], [real.shape]), vertical=vertical)
        kind = _MEDIA_TYPES.get(image.suffix.lower(), "application/octet-stream")
        via = Link(rel="via", href=_way(folder, image), media_type=kind, title="image")
        return (make_real_product(real, surface, folder, _linked(recipe, via)),)
    if recipe.pixel_m is not None or recipe.acquired is not None:
        raise ProcessingError(
            f"{image}: is a raw image, which says its own pixel and time, expected none besides"
        )
    raw = read_raw(image)
    models = [chip.model(raw.trajectory) for chip in raw.chips]
    surface = read_dem(
        dem, needed_bounds(models, [chip.shape for chip in raw.chips]), vertical=vertical
    )
    way = _way(folder, image / "image.json" if image.is_dir() else image)
    via = Link(rel="via", href=way, media_type="application/json", title="raw image")
    return make_products(raw, surface, folder, _linked(recipe, via))


def _way(folder: Path, source: Path) -> str:
    """From a product in `folder` to what it is made of."""
    ends = (os.path.realpath(source), os.path.join(os.path.realpath(folder), "product"))
    return Path(os.path.relpath(*ends)).as_posix()


def _linked(recipe: Recipe, via: Link) -> Recipe:
    return replace(recipe, links=(via, *recipe.links))
