"""Products of a raw image: reflectance on a map (L1C), and sharpened by PAN (L2P).

Everything streams by rows: calibrated, laid over the DEM and written as it goes. A product is a
folder that appears whole, with its COGs, a picture of it, and a STAC item that says where all of it
comes from. `docs/reference/products.md` describes the folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from humay import __version__
from humay.errors import ProcessingError, SensorError
from humay.files import write_all
from humay.processing.calibrate import encoded
from humay.processing.dem import Dem
from humay.processing.files import CogRows, published_folder, published_properties
from humay.processing.footprint import footprint
from humay.processing.item import AssetFacts, Link, ProductFacts, Scalar, Spectrum
from humay.processing.ortho import Flags, plan_ortho
from humay.processing.pansharpen import Sharpening, plan_sharpening
from humay.processing.prepared import Prepared
from humay.processing.rpc_text import rpc_text
from humay.processing.store import FileFacts, open_cog
from humay.processing.writing import (
    Level,
    Made,
    Recipe,
    Sheet,
    cog_asset,
    flag_layout,
    image_layout,
    plain_name,
    write_item,
    write_sheet,
    write_thumbnail,
)
from humay.sensor import RawImage, fit_rpc
from humay.time import parse_utc

_WINDOW = ("window_first_line", "window_first_column")
_RPC_ROOM_M = 200.0  # that its heights reach beyond those of the ground
Figures = Mapping[str, Scalar | None]


def make_products(raw: RawImage, dem: Dem, folder: Path, recipe: Recipe) -> tuple[Made, ...]:
    """Make the products of a raw image in `folder`, each a folder of its own.

    Raises `ProcessingError` for an image that lacks what its products need, `OutputError` where one
    cannot be written; products that are there already are replaced whole.
    """
    ready = Prepared.of(raw, dem, recipe.trajectory)
    if recipe.level == "L2P" and not ready.colours:
        raise ProcessingError(f"{raw.name}: has PAN only, expected colours to sharpen")
    if recipe.level == "L2P" and not ready.can_sharpen:
        raise ProcessingError(
            f"{raw.name}: PAN pixels do not fill those of the colours, expected L1C, or 2, 3, 4 ..."
            " of them along a colour's"
        )
    _check_window(raw, folder / product_id(raw, "L1C"))
    sheets = _sheets(ready, recipe)
    made = [_make_l1c(ready, sheets, folder, recipe)]
    if recipe.level != "L1C" and ready.can_sharpen:
        made.append(_make_l2p(ready, sheets, made[0], folder, recipe))
    return tuple(made)


def _check_window(raw: RawImage, folder: Path) -> None:
    """Refuse to replace a product of another window of the same second."""
    found = published_properties(folder)
    own = {f"humay:{key}": raw.source.get(key) for key in _WINDOW} | {"humay:raw": raw.name}
    if found is not None and any(found.get(key) != value for key, value in own.items()):
        raise ProcessingError(
            f"{folder}: is of {found.get('humay:raw')}, line {found.get('humay:window_first_line')}"
            f", column {found.get('humay:window_first_column')}; expected another folder for "
            f"{raw.name}, line {own['humay:window_first_line']}, column "
            f"{own['humay:window_first_column']}"
        )


def product_id(raw: RawImage, level: Level) -> str:
    """Names a product for good: who saw it, when, and what was made of it."""
    return plain_name(f"{raw.satellite}_{raw.acquired:%Y%m%dT%H%M%S}_{level}")


def _make_l1c(ready: Prepared, sheets: Sequence[Sheet], parent: Path, recipe: Recipe) -> Made:
    name = product_id(ready.raw, "L1C")
    with published_folder(parent / name) as folder:
        assets: dict[str, AssetFacts] = {}
        figures: dict[str, Scalar | None] = {}
        for sheet in sheets:
            written = write_sheet(folder, sheet, threads=recipe.threads)
            assets |= written.assets
            figures[f"{sheet.name}_bound_px"] = written.bound_px
            figures[f"{sheet.name}_saturated_share"] = written.saturated_share
        if ready.colours:
            coarse_m = round(ready.middle().native_m * ready.ratio, 3)
            assets["ms"] = replace(assets["ms"], gsd_m=coarse_m)
        rpcs, fitted = _write_rpcs(ready, folder)
        figures |= fitted
        shown, bands = ("ms", ready.colours) if ready.colours else ("pan", ("pan",))
        assets |= rpcs | {"thumbnail": write_thumbnail(folder, f"{shown}.tif", bands)}
        if ready.colours:
            pan = write_thumbnail(folder, "pan.tif", ("pan",), "thumbnail-pan")
            assets["thumbnail-pan"] = pan
        facts = _facts(ready, "L1C", assets, figures, recipe, footprint(sheets[0].plans))
        return write_item(facts, folder, parent / name)


def _sheets(ready: Prepared, recipe: Recipe) -> list[Sheet]:
    sheets = [
        ("pan", "Panchromatic reflectance", ("pan",)),
        *([("ms", "Multispectral reflectance", ready.colours)] if ready.colours else []),
    ]
    return [
        Sheet(
            name=name,
            title=title,
            grid=ready.grid(bands[0]),
            bands=bands,
            plans=[
                plan_ortho(
                    ready.sources(band),
                    ready.grid(band),
                    ready.dem,
                    tolerance_px=recipe.tolerance_px,
                )
                for band in bands
            ],
        )
        for name, title, bands in sheets
    ]


def _write_rpcs(ready: Prepared, folder: Path) -> tuple[dict[str, AssetFacts], Figures]:
    """An RPC for each PAN chip, so that other programs can use the raw pixels; their worst miss.

    A chip that no RPC follows, such as a narrow one of a shaking camera, goes without and is named:
    the product itself does not stand on RPCs.
    """
    low, high = ready.height_range_m
    assets: dict[str, AssetFacts] = {}
    missed_px, without = [], []
    for chip in ready.raw.of_band("pan"):
        rows, cols = chip.shape
        try:
            rpc, residual = fit_rpc(
                chip.model(ready.trajectory),
                rows=(0.0, rows - 1.0),
                cols=(0.0, cols - 1.0),
                heights_m=(low - _RPC_ROOM_M, high + _RPC_ROOM_M),
            )
        except SensorError:
            without.append(f"pan-{chip.index}")
            continue
        name, content = f"pan-{chip.index}_RPC.TXT", rpc_text(rpc)
        write_all(folder, {name: content})
        assets[f"rpc-{chip.index}"] = AssetFacts(
            href=f"./{name}",
            title=f"RPC of raw PAN chip {chip.index}, heights above WGS 84, fitted within "
            f"{residual.max_px:.2g} px",
            roles=("metadata",),
            media_type="text/plain",
            file=FileFacts.of(content),
        )
        missed_px.append(residual.max_px)
    return assets, {
        "rpc_residual_px": max(missed_px, default=None),
        "rpc_without": ", ".join(without) or None,
    }


def _make_l2p(
    ready: Prepared, sheets: Sequence[Sheet], l1c: Made, parent: Path, recipe: Recipe
) -> Made:
    name = product_id(ready.raw, "L2P")
    with published_folder(parent / name) as folder:
        sharpening = _write_sharpened(ready, l1c, folder, recipe.threads)
        image, flags = image_layout(ready.pan_grid, ready.colours), flag_layout(ready.pan_grid)
        assets = {
            "pansharpened": cog_asset(
                folder, "pansharpened.tif", "Sharpened reflectance", ("data", "reflectance"), image
            ),
            "quality": cog_asset(folder, "quality.tif", "Flags", ("metadata", "quality"), flags),
            "thumbnail": write_thumbnail(folder, "pansharpened.tif", ready.colours),
        }
        gains: Figures = {
            f"gain_{band}": each.gain
            for band, each in zip(ready.colours, sharpening.injections, strict=True)
        }
        seen = footprint([plan for sheet in sheets for plan in sheet.plans])
        facts = _facts(ready, "L2P", assets, gains, recipe, seen, derived_from=l1c)
        return write_item(facts, folder, parent / name)


def _write_sharpened(ready: Prepared, l1c: Made, folder: Path, threads: int) -> Sharpening:
    """The colours of an L1C sharpened by its PAN, read from its COGs by rows."""
    image, flags = image_layout(ready.pan_grid, ready.colours), flag_layout(ready.pan_grid)
    with ExitStack() as stack:
        pan, ms, pan_flags, ms_flags = (
            stack.enter_context(closing(CogRows(l1c.folder / file)))
            for file in ("pan.tif", "ms.tif", "pan-quality.tif", "ms-quality.tif")
        )
        sharpening = plan_sharpening(
            pan,
            ms,
            mtf_nyquist=tuple(ready.raw.mtf_nyquist[band] for band in ready.colours),
            sample_px=ready.middle().native_m * ready.ratio / ready.pan_grid.pixel_m,
        )
        write, flag = (
            stack.enter_context(open_cog(folder / file, layout, threads=threads))
            for file, layout in (("pansharpened.tif", image), ("quality.tif", flags))
        )
        for row, fused in sharpening.blocks(threads=threads):
            fused[:, np.isnan(fused).any(axis=0)] = np.nan
            both = _fine_flags(pan_flags, ms_flags, row, row + fused.shape[1], ready.ratio)
            both[np.isnan(fused[0])] = 0
            write(row, 0, encoded(fused))
            flag(row, 0, both[None])
    return sharpening


def _fine_flags(pan: CogRows, ms: CogRows, begin: int, end: int, ratio: int) -> Flags:
    """Flags of PAN, and of the colours round each pixel as far as their cubic reaches."""
    first, last = max(begin // ratio - 2, 0), min(-(-end // ratio) + 2, ms.shape[1])
    coarse = ms.flags(first, last)
    near: Flags = np.bitwise_or.reduce(
        [_moved(coarse, rows, cols) for rows in (-1, 0, 1) for cols in (-1, 0, 1)]
    )
    fine = np.repeat(np.repeat(near, ratio, axis=0), ratio, axis=1)
    return pan.flags(begin, end) | fine[begin - first * ratio : end - first * ratio]


def _moved(flags: Flags, rows: int, cols: int) -> Flags:
    """Moved by up to a pixel; what comes in from beyond the edge is 0."""
    padded = np.pad(flags, 1)
    height, width = flags.shape
    return padded[1 - rows : 1 - rows + height, 1 - cols : 1 - cols + width]


def _facts(
    ready: Prepared,
    level: Level,
    assets: Mapping[str, AssetFacts],
    figures: Figures,
    recipe: Recipe,
    seen: Polygon | MultiPolygon,
    *,
    derived_from: Made | None = None,
) -> ProductFacts:
    raw, middle = ready.raw, ready.middle()
    start, end = ready.span()
    what = "sharpened by its panchromatic band" if level == "L2P" else "orthorectified"
    parent = () if derived_from is None else (_parent(derived_from),)
    mission = raw.source.get("mission")
    return ProductFacts(
        id=product_id(raw, level),
        title=f"{raw.source.get('request') or raw.name}, {what}",
        level=level,
        platform=raw.satellite,
        instruments=(raw.camera,),
        start=start,
        end=end,
        nominal=raw.acquired,
        created=recipe.created or _told_time(raw, "delivered") or end,
        footprint=seen,
        epsg=ready.pan_grid.epsg,
        gsd_m=round(middle.native_m, 3),
        assets=assets,
        software={"humay": __version__},
        lineage=_lineage(ready, level),
        mission=mission if isinstance(mission, str) else None,
        collection=f"humay-{level.lower()}",
        view=middle.view(),
        orbit=middle.orbit(raw.source.get("orbit"), _ascending_node(raw)),
        spectra={
            band: Spectrum(
                low_m=facts.response_m[0],
                high_m=facts.response_m[1],
                solar_irradiance_w_m2_um=facts.solar_irradiance_w_m2_um,
            )
            for band, facts in raw.bands.items()
        },
        traces=_traces(ready, figures, recipe),
        links=recipe.links + parent,
    )


def _told_time(raw: RawImage, name: str) -> datetime | None:
    told = raw.source.get(name)
    return parse_utc(told) if isinstance(told, str) else None


def _ascending_node(raw: RawImage) -> datetime | None:
    """Of the orbit; a raw image tells how long before its acquisition's first line that was."""
    begun, after_s = _told_time(raw, "acquisition_start"), raw.source.get("anx_offset_s")
    if begun is None or not isinstance(after_s, int | float):
        return None
    return begun - timedelta(seconds=after_s)


def _parent(made: Made) -> Link:
    href = f"../{made.id}/{made.id}.json"
    return Link(rel="derived_from", href=href, media_type="application/geo+json", title=made.id)


def _lineage(ready: Prepared, level: Level) -> str:
    versions = sorted({chip.calibration.version for chip in ready.raw.chips})
    datum = f"{ready.dem.vertical}{' (assumed)' if ready.dem.vertical_is_assumed else ''}"
    steps = (
        f"counts to top-of-atmosphere reflectance with calibration {', '.join(versions)}; "
        f"rigorous pushbroom model over DEM {ready.dem.name}, heights above {datum}; Keys cubic"
    )
    if level == "L1C":
        return steps
    return f"{steps}; sharpened by regression gains on the low-passed panchromatic band"


def _traces(ready: Prepared, figures: Figures, recipe: Recipe) -> dict[str, Scalar | None]:
    sigma_m = recipe.dem_sigma_m
    lowest_m, highest_m = ready.height_range_m
    own: dict[str, Scalar | None] = {
        "raw": ready.raw.name,
        "dem": ready.dem.name,
        "dem_vertical": ready.dem.vertical,
        "dem_sigma_m": sigma_m,
        "lowest_m": round(lowest_m, 1),
        "highest_m": round(highest_m, 1),
        "location_ce90_m": (
            ready.ce90_m(sigma_m) if sigma_m is not None and recipe.trajectory is None else None
        ),
    }
    together = {**ready.raw.source, **(recipe.traces or {}), **own, **figures}
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in together.items()
    }
