"""A small product on disk: two COGs of known pixels, and all that is to be said of it."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon

from humay.files import json_bytes, write_all
from humay.processing.item import (
    COG_TYPE,
    AssetFacts,
    Link,
    OrbitFacts,
    ProductFacts,
    Spectrum,
    ViewFacts,
    item_document,
)
from humay.processing.store import CogLayout, FileFacts, write_cog

PAN = CogLayout(
    rows=1100,
    cols=900,
    bands=("pan",),
    dtype="uint16",
    transform=(1.5, 0.0, 400_002.0, 0.0, -1.5, 4_475_001.0),
    crs="EPSG:32639",
    nodata=0,
    scale=1e-4,
)
MS = replace(
    PAN,
    rows=275,
    cols=225,
    bands=("blue", "green", "red", "nir"),
    transform=(6.0, 0.0, 400_002.0, 0.0, -6.0, 4_475_001.0),
)
UM = 1e-6
SPECTRA = {  # SPOT 6 and 7, SPOT imagery user guide (Airbus, 2013); sunlight of Thuillier 2003
    "pan": Spectrum(low_m=0.450 * UM, high_m=0.745 * UM, solar_irradiance_w_m2_um=1705.0),
    "blue": Spectrum(low_m=0.450 * UM, high_m=0.520 * UM, solar_irradiance_w_m2_um=1982.0),
    "green": Spectrum(low_m=0.530 * UM, high_m=0.590 * UM, solar_irradiance_w_m2_um=1826.0),
    "red": Spectrum(low_m=0.625 * UM, high_m=0.695 * UM, solar_irradiance_w_m2_um=1540.0),
    "nir": Spectrum(low_m=0.760 * UM, high_m=0.890 * UM, solar_irradiance_w_m2_um=1095.0),
}


def pixels(layout: CogLayout, seed: int = 1) -> NDArray[Any]:
    """Smooth ground with grain, and nodata in its upper left corner."""
    random = np.random.default_rng(seed)
    row, col = np.indices((layout.rows, layout.cols))
    ground = 2000 + 1500 * np.sin(row / 90.0) * np.cos(col / 70.0)
    grain = random.normal(0, 40, (len(layout.bands), layout.rows, layout.cols))
    image = np.clip(ground + grain, 1, 10_000).astype(layout.dtype)
    image[:, row + col < 150] = 0
    return image


def facts(**changes: Any) -> ProductFacts:
    """A product over the Caspian coast, without files until `written` makes them."""
    about = FileFacts.of(b"")
    plain = ProductFacts(
        id="spot-7_20191101T073012_L1C",
        title="SPOT 7, 2019-11-01, L1C",
        level="L1C",
        platform="spot-7",
        instruments=("naomi",),
        mission="Azersky and SPOT 6",
        constellation="Azersky and SPOT 6",
        start=datetime(2019, 11, 1, 7, 30, 12, 250_000, tzinfo=UTC),
        end=datetime(2019, 11, 1, 7, 30, 14, 250_000, tzinfo=UTC),
        created=datetime(2019, 11, 1, 12, 0, 0, tzinfo=UTC),
        footprint=Polygon([(49.82, 40.40), (49.84, 40.40), (49.84, 40.42), (49.82, 40.42)]),
        epsg=32639,
        gsd_m=2.14,
        assets={
            "pan": AssetFacts(
                href="./pan.tif",
                title="TOA reflectance, panchromatic",
                roles=("data", "reflectance"),
                media_type=COG_TYPE,
                file=about,
                layout=PAN,
            ),
            "ms": AssetFacts(
                href="./ms.tif",
                title="TOA reflectance, four bands",
                roles=("data", "reflectance"),
                media_type=COG_TYPE,
                file=about,
                layout=MS,
            ),
        },
        software={"humay": "0.1.0"},
        lineage="calibrated to TOA reflectance, orthorectified over the DEM",
        collection="azersky-l1c",
        view=ViewFacts(
            off_nadir_rad=math.radians(21.5),
            incidence_rad=math.radians(24.1),
            azimuth_rad=math.radians(-79.0),
            sun_azimuth_rad=math.radians(163.2),
            sun_elevation_rad=math.radians(33.4),
        ),
        orbit=OrbitFacts(
            state="descending",
            absolute_orbit=28_414,
            anx=datetime(2019, 11, 1, 6, 41, 3, tzinfo=UTC),
        ),
        spectra=SPECTRA,
        traces={"acquisition": "spot-7-004", "strip": "baku/1", "location_ce90_m": 11.2},
        links=(
            Link(
                rel="via", href="../../plan.json", media_type="application/json", title="the plan"
            ),
        ),
    )
    return replace(plain, **changes)


def written(folder: Path, **changes: Any) -> tuple[ProductFacts, dict[str, NDArray[Any]]]:
    """Write the product's files and its item.json; its facts, and the pixels of each asset."""
    images = {"pan": pixels(PAN), "ms": pixels(MS, seed=2)}
    plain = facts(**changes)
    assets = dict(plain.assets)
    for name, image in images.items():
        asset = assets[name]
        assert asset.layout is not None
        file = write_cog(folder / asset.href, asset.layout, [(0, 0, image)])
        assets[name] = replace(asset, file=file)
    whole = replace(plain, assets=assets)
    write_all(folder, {"item.json": json_bytes(item_document(whole), indent=2)})
    return whole, images
