"""Elevations and real images for the tests of processing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from humay.processing.dem import Dem
from humay.processing.files import read_dem


@pytest.fixture(scope="session")
def ventoux(data_dir: Path) -> Path:
    return data_dir / "imagery" / "pleiades_ventoux"


@pytest.fixture(scope="session")
def srtm(data_dir: Path) -> Dem:
    """SRTM round Mont Ventoux, 900 m to 1,900 m."""
    return read_dem(data_dir / "imagery" / "dem" / "N44E005.hgt", (5.15, 44.15, 5.30, 44.30))


@pytest.fixture(scope="session")
def hills() -> Dem:
    """Made-up hills of 400 m, 30 m posts, round the place that `flights` look at."""
    row, col = np.indices((900, 900), dtype=np.float64)
    heights = 600 + 180 * np.sin(row / 37) * np.cos(col / 29) + 25 * np.sin((row + 2 * col) / 5.3)
    return Dem(
        name="hills",
        crs="EPSG:32631",
        origin=(691_000.0 - 13_500.0, 4_919_000.0 + 13_500.0),
        step=(30.0, -30.0),
        heights_m=heights.astype(np.float32),
        vertical="egm96",
    )
