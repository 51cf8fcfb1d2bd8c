"""What all products have in common: sheets of bands streamed into COGs, a picture, an item."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from humay.errors import ProcessingError
from humay.files import json_bytes, write_all
from humay.processing.calibrate import REFLECTANCE_STEPS, encoded
from humay.processing.grid import OutputGrid
from humay.processing.item import (
    COG_TYPE,
    AssetFacts,
    Link,
    ProductFacts,
    collection_document,
    item_document,
)
from humay.processing.ortho import Block, Image, OrthoPlan
from humay.processing.resample import SATURATED
from humay.processing.store import CogLayout, FileFacts, WriteBlock, open_cog, read_small
from humay.processing.thumbnail import WIDTH_PX, thumbnail_bytes
from humay.spacecraft import Trajectory

Level: TypeAlias = Literal["L1C", "L2P"]
TOLERANCE_PX = 0.01
_NATURAL = ("red", "green", "blue")
_TITLES = {
    "L1C": "Reflectance on a map",
    "L2P": "Sharpened reflectance",
    "ORTHO": "Counts on a map",
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A product as it was published: its item and its folder."""

    id: str
    level: str
    folder: Path
    item: Mapping[str, Any]

    @property
    def item_path(self) -> Path:
        return self.folder / f"{self.id}.json"


@dataclass(frozen=True, kw_only=True, eq=False)
class Recipe:
    """How products are made.

    `level` is the highest one wanted, and lower ones that it needs are made besides; None is all
    that the image gives. `created` is told in the items: the mission's clock, or that of whoever
    asks; None is when a raw image reached the ground, or else the end of its exposure.
    `dem_sigma_m` is the DEM's error, one sigma; without it no location accuracy is predicted.
    `trajectory` replaces the measured one. `pixel_m` and `acquired` are for real images, whose
    files may not say them.
    """

    level: Level | None = None
    created: datetime | None = None
    tolerance_px: float = TOLERANCE_PX
    threads: int = 1
    dem_sigma_m: float | None = None
    trajectory: Trajectory | None = None
    pixel_m: float | None = None
    acquired: datetime | None = None
    links: tuple[Link, ...] = ()
    traces: Mapping[str, str | int | float | None] | None = None


Encode: TypeAlias = Callable[[Image], NDArray[np.uint16]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """Bands on one grid, to be written as `NAME.tif` with their flags beside it."""

    name: str
    title: str
    grid: OutputGrid
    bands: tuple[str, ...]
    plans: Sequence[OrthoPlan]
    encode: Encode = encoded
    scale: float = 1.0 / REFLECTANCE_STEPS


@dataclass(frozen=True, kw_only=True)
class Written:
    """The assets of a sheet, the bound of its geometry, and which share of it is saturated."""

    assets: Mapping[str, AssetFacts]
    bound_px: float
    saturated_share: float


def plain_name(text: str) -> str:
    """A name for files and links: letters, digits, `_`, `.` and `-`; not hidden."""
    return re.sub(r"[^\w.-]+", "-", text).lstrip(".") or "-"


def write_sheet(folder: Path, sheet: Sheet, *, threads: int) -> Written:
    """The COGs of a sheet. Raises `ProcessingError` where no pixel of it reached the map."""
    image = image_layout(sheet.grid, sheet.bands, sheet.scale)
    flags = flag_layout(sheet.grid)
    seen = saturated = 0
    with ExitStack() as stack:
        write, flag = (
            stack.enter_context(open_cog(folder / name, layout, threads=threads))
            for name, layout in ((f"{sheet.name}.tif", image), (f"{sheet.name}-quality.tif", flags))
        )
        rows = [plan.blocks(threads=threads) for plan in sheet.plans]
        for blocks in zip(*rows, strict=True):
            counts = _write_block(blocks, sheet.encode, write, flag)
            seen, saturated = seen + counts[0], saturated + counts[1]
        if seen == 0:
            raise ProcessingError(f"no pixel of {sheet.name} reached the map")
    title = f"Flags of {sheet.name}"
    return Written(
        assets={
            sheet.name: cog_asset(
                folder, f"{sheet.name}.tif", sheet.title, ("data", "reflectance"), image
            ),
            f"{sheet.name}-quality": cog_asset(
                folder, f"{sheet.name}-quality.tif", title, ("metadata", "quality"), flags
            ),
        },
        bound_px=max(plan.bound_px for plan in sheet.plans),
        saturated_share=saturated / seen,
    )


def _write_block(
    blocks: tuple[Block, ...], encode: Encode, write: WriteBlock, flag: WriteBlock
) -> tuple[int, int]:
    """Lay down rows of all bands; how many of their pixels hold data, and are saturated.

    A pixel that one band does not see is no data in all: colours of half the bands mislead.
    """
    values = np.stack([block.values for block in blocks])
    values[:, np.isnan(values).any(axis=0)] = np.nan
    flags = np.bitwise_or.reduce([block.flags for block in blocks])
    flags[np.isnan(values[0])] = 0
    write(blocks[0].row, 0, encode(values))
    flag(blocks[0].row, 0, flags[None])
    return int(np.isfinite(values[0]).sum()), int(((flags & SATURATED) != 0).sum())


def image_layout(
    grid: OutputGrid, bands: tuple[str, ...], scale: float = 1.0 / REFLECTANCE_STEPS
) -> CogLayout:
    """Numbers of 16 bits, 0 where there is no data."""
    return CogLayout(
        rows=grid.rows, cols=grid.cols, bands=bands, dtype="uint16", transform=grid.affine,
        crs=grid.crs, nodata=0, scale=scale,
    )  # fmt: skip


def flag_layout(grid: OutputGrid) -> CogLayout:
    """Quality bits, 0 where there is nothing to say."""
    return CogLayout(
        rows=grid.rows, cols=grid.cols, bands=("quality",), dtype="uint8", transform=grid.affine,
        crs=grid.crs, overview_resampling="nearest",
    )  # fmt: skip


def cog_asset(
    folder: Path, file: str, title: str, roles: tuple[str, ...], layout: CogLayout
) -> AssetFacts:
    """A COG that lies in the product's folder."""
    return AssetFacts(
        href=f"./{file}", title=title, roles=roles, media_type=COG_TYPE,
        file=FileFacts.of_file(folder / file), layout=layout,
    )  # fmt: skip


def write_thumbnail(
    folder: Path, file: str, bands: tuple[str, ...], name: str = "thumbnail"
) -> AssetFacts:
    """A small picture of a COG: in natural colours where it has them, else of its first band."""
    small: NDArray[np.uint16] = read_small(folder / file, WIDTH_PX)
    natural = set(_NATURAL) <= set(bands)
    chosen = [bands.index(band) for band in _NATURAL] if natural else [0]
    content = thumbnail_bytes(small[chosen], nodata=0)
    write_all(folder, {f"{name}.jpg": content})
    return AssetFacts(
        href=f"./{name}.jpg", title=f"A small picture of {file}", roles=("thumbnail",),
        media_type="image/jpeg", file=FileFacts.of(content),
    )  # fmt: skip


def write_item(facts: ProductFacts, folder: Path, final: Path) -> Made:
    """The item and its collection; `final` is where the folder will appear."""
    item = item_document(facts)
    collection = collection_document(
        facts,
        title=_TITLES[facts.level],
        description=f"{_TITLES[facts.level]}, orthorectified, as Cloud Optimised GeoTIFF.",
    )
    write_all(
        folder,
        {
            f"{facts.id}.json": json_bytes(item, indent=1),
            "collection.json": json_bytes(collection, indent=1),
        },
    )
    return Made(id=facts.id, level=facts.level, folder=final, item=item)
