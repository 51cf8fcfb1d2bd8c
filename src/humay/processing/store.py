"""Cloud Optimised GeoTIFFs: written block by block in any order, and whole or not at all.

Blocks are laid down in a raw file beside the target whose space is taken at once, so that a full
disk is found before the work and no block is ever lost in a cache; GDAL then makes the COG of it.
That needs the space of the pixels for a while, but memory for `CACHE_BYTES` only, and the bytes
depend neither on threads nor on how the picture was cut.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio import Affine
from rasterio._err import CPLE_BaseError  # what rasterio.shutil.copy raises; no public name
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError
from rasterio.io import MemoryFile
from rasterio.windows import Window

from humay.errors import OutputError

TILE_PIXELS = 512
ZSTD_LEVEL = 1  # level 9 takes 2.6 times the time for 15 % less
JPEG_QUALITY = 85
CACHE_BYTES = 128 * 2**20
"""What GDAL may hold of the pixels while it makes a COG."""

_GDAL_TYPES = {
    "uint8": "Byte", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32",
    "float32": "Float32", "float64": "Float64",
}  # fmt: skip
_RESAMPLING = ("average", "nearest", "mode")
_NAME = re.compile(r"[\w.-]+", re.ASCII)

Affine6: TypeAlias = tuple[float, float, float, float, float, float]
"""x = a*col + b*row + c, y = d*col + e*row + f, counted from the corner of the first pixel."""

WriteBlock: TypeAlias = Callable[[int, int, NDArray[Any]], None]
"""Lays down a block (band, row, col) with its first row and column; from any thread."""


@dataclass(frozen=True, kw_only=True)
class CogLayout:
    """What a raster is before its pixels are known. Value = pixel * scale + offset."""

    rows: int
    cols: int
    bands: tuple[str, ...]
    dtype: str
    transform: Affine6
    crs: str  # such as EPSG:32639
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    overview_resampling: str = "average"  # leaves nodata out; `nearest` or `mode` for classes

    def __post_init__(self) -> None:
        if not (self.rows > 0 and self.cols > 0):
            raise ValueError(f"raster has {self.rows} x {self.cols} pixels, expected some")
        if not self.bands or not all(_NAME.fullmatch(name) for name in self.bands):
            raise ValueError(f"bands are {self.bands}, expected names of letters, digits, . _ -")
        if self.dtype not in _GDAL_TYPES:
            raise ValueError(f"data type is {self.dtype!r}, expected {', '.join(_GDAL_TYPES)}")
        if self.overview_resampling not in _RESAMPLING:
            raise ValueError(
                f"overviews are made by {self.overview_resampling!r}, expected one of {_RESAMPLING}"
            )
        a, b, _, d, e, _ = self.transform
        if not (all(map(math.isfinite, self.transform)) and a * e != b * d):
            raise ValueError(f"transform is {self.transform}, expected six numbers of a real grid")
        if not (math.isfinite(self.scale) and self.scale != 0 and math.isfinite(self.offset)):
            raise ValueError(f"scale {self.scale} and offset {self.offset} give no values")
        self._check_nodata()
        try:
            CRS.from_user_input(self.crs)
        except CRSError as error:
            raise ValueError(f"crs is {self.crs!r}, expected one like EPSG:32639") from error

    def _check_nodata(self) -> None:
        if self.nodata is None or self.pixel_type.kind == "f":
            return
        limits = np.iinfo(self.pixel_type)
        if not (limits.min <= self.nodata <= limits.max and self.nodata == int(self.nodata)):
            raise ValueError(f"nodata is {self.nodata}, expected a value of {self.dtype}")

    @property
    def pixel_type(self) -> np.dtype[Any]:
        """Pixels as they lie in the raw file, little-endian."""
        return np.dtype(self.dtype).newbyteorder("<")

    @property
    def raw_bytes(self) -> int:
        """Uncompressed size."""
        return len(self.bands) * self.rows * self.cols * self.pixel_type.itemsize


@dataclass(frozen=True, kw_only=True)
class FileFacts:
    """Size and SHA-256 of a file, as the STAC file extension says them."""

    size: int
    checksum: str  # multihash: 1220 and the digest

    @staticmethod
    def of(content: bytes) -> FileFacts:
        """Of a file with this content."""
        return FileFacts(size=len(content), checksum=f"1220{hashlib.sha256(content).hexdigest()}")

    @staticmethod
    def of_file(path: Path) -> FileFacts:
        """Of a file on disk."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return FileFacts(size=file.tell(), checksum=f"1220{digest}")


def write_cog(
    path: Path,
    layout: CogLayout,
    blocks: Iterable[tuple[int, int, NDArray[Any]]],
    *,
    threads: int = 1,
) -> FileFacts:
    """Write blocks (first row, first column, pixels (band, row, col)) as a COG; see `open_cog`."""
    with open_cog(path, layout, threads=threads) as write:
        for row, col, block in blocks:
            write(row, col, block)
    return FileFacts.of_file(path)


@contextlib.contextmanager
def open_cog(path: Path, layout: CogLayout, *, threads: int = 1) -> Iterator[WriteBlock]:
    """A COG to lay blocks down in, from any thread and in any order; what none covers is nodata.

    The file appears under its name when the context ends without an error, and only then: 512-pixel
    tiles, Zstandard, predictor, overviews down to one tile. Raises `OutputError` with what the
    system says; nothing is left behind then.
    """
    scratch = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"{path}: is no ordinary file, expected one or nothing")
        scratch.mkdir(parents=True)
        with _raw_file(scratch / "raw", layout) as write:
            yield write
        _make_cog(scratch, layout, threads)
        _sync(scratch / "cog.tif")
        _read_back(scratch, layout)
        (scratch / "cog.tif").replace(path)
    except (OSError, RasterioError, CPLE_BaseError) as error:
        reason = getattr(error, "strerror", None) or _first_line(error)
        raise OutputError(f"{path}: could not be written ({reason}); nothing is left") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _raw_file(path: Path, layout: CogLayout) -> Iterator[WriteBlock]:
    """A file of bands, rows, columns whose space is taken at once."""
    kind = layout.pixel_type
    bands, rows, cols = len(layout.bands), layout.rows, layout.cols
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def write(row: int, col: int, block: NDArray[Any]) -> None:
        n, height, width = block.shape
        if n != bands or not (0 <= row <= rows - height and 0 <= col <= cols - width):
            raise ValueError(
                f"block {block.shape} at row {row}, column {col} is not inside {bands} bands of "
                f"{rows} x {cols}"
            )
        if block.dtype != kind:
            raise ValueError(f"block holds {block.dtype}, expected {kind}")
        pixels = np.ascontiguousarray(block, dtype=kind)
        for band, plane in enumerate(pixels):
            for i, line in enumerate(plane, start=row):
                _write_at(file, line.data, ((band * rows + i) * cols + col) * kind.itemsize)

    try:
        os.posix_fallocate(file, 0, layout.raw_bytes)
        if layout.nodata:  # zero is there already
            empty = np.full((bands, 1, cols), layout.nodata, dtype=kind)
            for row in range(rows):
                write(row, 0, empty)
        yield write
    finally:
        os.close(file)


def _write_at(file: int, data: memoryview, offset: int) -> None:
    data = data.cast("B")
    while data:
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written


def _make_cog(scratch: Path, layout: CogLayout, threads: int) -> None:
    """Make cog.tif of the raw file.

    GDAL reads it through two virtual rasters: one says how the numbers lie, one gives them out in
    tiles, as which overviews of several bands take half the time.
    """
    (scratch / "raw.vrt").write_text(_virtual(layout, _raw_band), encoding="utf-8")
    (scratch / "tiles.vrt").write_text(_virtual(layout, _tiled_band), encoding="utf-8")
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
        rasterio.shutil.copy(
            scratch / "tiles.vrt",
            scratch / "cog.tif",
            driver="COG",
            BLOCKSIZE=TILE_PIXELS,
            COMPRESS="ZSTD",
            LEVEL=ZSTD_LEVEL,
            PREDICTOR="FLOATING_POINT" if layout.pixel_type.kind == "f" else "STANDARD",
            OVERVIEW_RESAMPLING=layout.overview_resampling,
            NUM_THREADS=threads,
            BIGTIFF="IF_SAFER",
        )


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _read_back(scratch: Path, layout: CogLayout) -> None:
    """Compare cog.tif with the raw file, and decode its overviews.

    What GDAL cannot write while it closes a file is lost without an error: a limit on the size of
    files that cut the last tile off went unnoticed before.
    """
    cog = scratch / "cog.tif"
    with rasterio.Env(GDAL_CACHEMAX=CACHE_BYTES):
        with rasterio.open(cog) as raster:
            levels = range(len(raster.overviews(1)))
            for _, window in raster.block_windows(1):
                if raster.read(window=window).tobytes() != _raw_block(scratch, layout, window):
                    raise OSError(errno.EIO, f"{window} is not as written")
        for level in levels:
            with rasterio.open(cog, overview_level=level) as overview:
                for _, window in overview.block_windows(1):
                    overview.read(window=window)


def _raw_block(scratch: Path, layout: CogLayout, window: Window) -> bytes:
    shape = (len(layout.bands), layout.rows, layout.cols)
    raw = np.memmap(scratch / "raw", layout.pixel_type, "r", shape=shape)
    return raw[:, *window.toslices()].tobytes()


def _virtual(layout: CogLayout, band: Callable[[CogLayout, int], tuple[str, str]]) -> str:
    a, b, c, d, e, f = map(float, layout.transform)
    nodata = "" if layout.nodata is None else f"<NoDataValue>{layout.nodata!r}</NoDataValue>"
    about = f"{nodata}<Scale>{layout.scale!r}</Scale><Offset>{layout.offset!r}</Offset>"
    bands = []
    for i, name in enumerate(layout.bands):
        attributes, source = band(layout, i)
        bands.append(
            f'<VRTRasterBand dataType="{_GDAL_TYPES[layout.dtype]}" band="{i + 1}" {attributes}>'
            f"<Description>{escape(name)}</Description>{about}{source}</VRTRasterBand>"
        )
    return (
        f'<VRTDataset rasterXSize="{layout.cols}" rasterYSize="{layout.rows}">'
        f"<SRS>{escape(layout.crs)}</SRS>"
        f"<GeoTransform>{c!r}, {a!r}, {b!r}, {f!r}, {d!r}, {e!r}</GeoTransform>"
        f"{''.join(bands)}</VRTDataset>"
    )


def _raw_band(layout: CogLayout, i: int) -> tuple[str, str]:
    size = layout.pixel_type.itemsize
    return 'subClass="VRTRawRasterBand"', (
        '<SourceFilename relativeToVRT="1">raw</SourceFilename>'
        f"<ImageOffset>{i * layout.rows * layout.cols * size}</ImageOffset>"
        f"<PixelOffset>{size}</PixelOffset><LineOffset>{layout.cols * size}</LineOffset>"
        "<ByteOrder>LSB</ByteOrder>"
    )


def _tiled_band(_: CogLayout, i: int) -> tuple[str, str]:
    return f'blockXSize="{TILE_PIXELS}" blockYSize="{TILE_PIXELS}"', (
        '<SimpleSource><SourceFilename relativeToVRT="1">raw.vrt</SourceFilename>'
        f"<SourceBand>{i + 1}</SourceBand></SimpleSource>"
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def read_small(path: Path, width_px: int) -> NDArray[Any]:
    """A raster (band, row, col) at most so many pixels wide, averaged without its nodata."""
    with rasterio.open(path) as raster:
        width = min(width_px, raster.width)
        height = max(1, round(raster.height * width / raster.width))
        shape = (raster.count, height, width)
        return np.asarray(raster.read(out_shape=shape, resampling=Resampling.average))


def jpeg_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels (1 or 3, row, col) as a JPEG."""
    bands, rows, cols = pixels.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="JPEG",
            count=bands,
            height=rows,
            width=cols,
            dtype="uint8",
            transform=Affine(1, 0, 0, 0, -1, rows),  # is not written; without one rasterio warns
            quality=JPEG_QUALITY,
        ) as raster:
            raster.write(pixels)
        return bytes(memory.read())
