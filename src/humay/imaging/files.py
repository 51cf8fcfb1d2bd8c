"""The scene's terrain as a file that any mapping program opens."""

from __future__ import annotations

from rasterio.io import MemoryFile
from rasterio.transform import Affine

from humay.imaging.terrain import Terrain

CRS = "EPSG:4326+5773"  # WGS 84 and EGM96 heights


def dem_bytes(terrain: Terrain) -> bytes:
    """A GeoTIFF of float32 in WGS 84 with EGM96 heights; the same heights give the same bytes."""
    rows, cols = terrain.heights_m.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=cols, height=rows, count=1, dtype="float32", crs=CRS,
            transform=Affine(*terrain.transform), tiled=True, blockxsize=256, blockysize=256,
            compress="deflate", predictor=3,
        ) as raster:  # fmt: skip
            raster.write(terrain.heights_m, 1)
            raster.set_band_description(1, "height above EGM96, m")
        return bytes(memory.read())
