"""Reading elevations and the pixels of real images; folders of products, whole or not at all."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.windows import Window

from humay.errors import OutputError, ProcessingError
from humay.files import remove, sweep
from humay.processing.dem import Bounds, Dem, VerticalDatum
from humay.processing.ortho import Flags, Image
from humay.sensor import RpcImage, read_window

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_METRES = ("", "m", "metre", "metres", "meter", "meters")
_MARGIN_POSTS = 2
_MOST_POSTS = 100_000_000


def read_dem(
    path: Path | str, bounds: Bounds | None = None, *, vertical: VerticalDatum | None = None
) -> Dem:
    """The part of an elevation raster (GeoTIFF, .hgt, what GDAL reads) that lies within `bounds`.

    `bounds` are degrees, see `needed_bounds`; None reads it all. Pixels are posts at their centres.
    The vertical datum is the one the file says, or `vertical`, which must not contradict it; SRTM's
    .hgt is EGM96 by definition. A file that says nothing is taken as EGM96 and the record says so.
    Raises `ProcessingError` for what is no such raster, for a datum that Humay does not have, and
    where the raster lies elsewhere.
    """
    path = Path(path)
    with _opened(path) as raster:
        horizontal, said = _datums(path, raster)
        _check_raster(path, raster)
        try:
            window = _window(path, raster, horizontal, bounds)
        except ProjError as error:
            raise ProcessingError(f"DEM {path}: lies on no map of the Earth: {error}") from error
        heights, t = _heights(path, raster, window), raster.transform
        if vertical is not None and said is not None and vertical != said:
            _refuse(path, f"says that its heights are {said}, asked to take them as {vertical}")
    return Dem(
        name=path.name,
        crs=horizontal,
        origin=(t.c + t.a * (window.col_off + 0.5), t.f + t.e * (window.row_off + 0.5)),
        step=(t.a, t.e),
        heights_m=heights,
        vertical=said or vertical or "egm96",
        vertical_is_assumed=said is None and vertical is None,
    )


def _refuse(path: Path, what: str) -> NoReturn:
    raise ProcessingError(f"DEM {path}: {what}")


def _opened(path: Path) -> DatasetReader:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # refused by name instead
            return rasterio.open(path)
    except RasterioIOError as error:
        raise ProcessingError(f"DEM {path}: cannot be read as a raster: {error}") from error


def _check_raster(path: Path, raster: DatasetReader) -> None:
    unit = (raster.units[0] or "").lower()
    if raster.count != 1:
        _refuse(path, f"has {raster.count} bands, expected one of heights")
    if min(raster.shape) < 2:
        _refuse(path, f"has {raster.width} x {raster.height} pixels, expected at least 2 x 2")
    if unit not in _METRES:
        _refuse(path, f"has heights in {unit!r}, expected metres")
    if not (raster.transform.a > 0 and raster.transform.e):
        _refuse(
            path, f"has pixels of {raster.transform.a} x {raster.transform.e}, expected a map's"
        )
    if raster.transform.b or raster.transform.d:
        _refuse(path, "lies askew on its map, expected rows along the map's x axis")


def _datums(path: Path, raster: DatasetReader) -> tuple[str, VerticalDatum | None]:
    """The horizontal coordinate system, and the vertical datum if the file says one."""
    if not raster.crs:
        _refuse(path, "has no coordinate system, expected a georeferenced raster")
    crs = CRS.from_wkt(raster.crs.to_wkt())
    if raster.driver == "SRTMHGT":
        return _written(crs), "egm96"
    if crs.is_compound:
        horizontal, up = crs.sub_crs_list
        name = f"{up.name} {up.datum.name if up.datum else ''}".upper()
        if "EGM96" in name or up.to_epsg() == 5773:
            return _written(horizontal), "egm96"
        if "ELLIPSOID" in name:
            return _written(horizontal), "ellipsoid"
        _refuse(path, f"has heights above {up.name!r}, expected EGM96 or ellipsoidal heights")
    if len(crs.axis_info) == 3:
        return _written(crs.to_2d()), "ellipsoid"
    return _written(crs), None


def _written(crs: CRS) -> str:
    """By its EPSG code where it has one: the same system by one name."""
    epsg = crs.to_epsg()
    return f"EPSG:{epsg}" if epsg else crs.to_wkt()


def _window(path: Path, raster: DatasetReader, crs: str, bounds: Bounds | None) -> Window:
    """Whole pixels round the bounds with a margin, as far as there are any."""
    rows, cols = slice(0, raster.height), slice(0, raster.width)
    if bounds is not None:
        west, south, east, north = _on_map(raster, crs, bounds)
        t = raster.transform
        cols = _span((west - t.c) / t.a, (east - t.c) / t.a, raster.width)
        rows = _span((south - t.f) / t.e, (north - t.f) / t.e, raster.height)
        if rows.stop - rows.start < 2 or cols.stop - cols.start < 2:
            found = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform_bounds(
                *raster.bounds
            )
            _refuse(path, f"covers {_shown(found)}, the image needs {_shown(bounds)}")
    window = Window.from_slices((rows.start, rows.stop), (cols.start, cols.stop))
    if window.width * window.height > _MOST_POSTS:
        _refuse(
            path,
            f"{window.width} x {window.height} heights are needed of it, expected "
            f"{_MOST_POSTS} at most",
        )
    return window


def _span(one: float, other: float, count: int) -> slice:
    """Pixels round two places counted from the corner of the first."""
    first = math.floor(min(one, other) - 0.5) - _MARGIN_POSTS
    last = math.ceil(max(one, other) - 0.5) + _MARGIN_POSTS
    return slice(min(max(first, 0), count), max(min(last + 1, count), 0))


def _on_map(raster: DatasetReader, crs: str, bounds: Bounds) -> Bounds:
    """Bounds in degrees on the raster's map; longitudes go round to where the raster is."""
    west, south, east, north = bounds
    if CRS(crs).is_geographic:
        middle = 0.5 * (raster.bounds.left + raster.bounds.right)
        turns = 360.0 * round((middle - 0.5 * (west + east)) / 360.0)
        west, east = west + turns, east + turns
    to_map = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    edge = np.linspace(0.0, 1.0, 21)
    lon = np.concatenate([west + edge * (east - west)] * 2 + [0 * edge + west, 0 * edge + east])
    lat = np.concatenate(
        [0 * edge + south, 0 * edge + north] + [south + edge * (north - south)] * 2
    )
    x, y = (lon, lat) if CRS(crs).is_geographic else to_map.transform(lon, lat)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ProcessingError(f"DEM map {crs} has no place for {_shown(bounds)}")
    return float(np.min(x)), float(np.min(y)), float(np.max(x)), float(np.max(y))


def _heights(path: Path, raster: DatasetReader, window: Window) -> NDArray[np.float32]:
    try:
        heights = raster.read(1, window=window, masked=True)
    except RasterioIOError as error:
        raise ProcessingError(f"DEM {path}: cannot be read: {error}") from error
    return np.asarray(heights.astype(np.float32).filled(np.nan))


def _shown(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}"


@dataclass(frozen=True, kw_only=True, eq=False)
class CountPixels:
    """One band of a real image as it was delivered, read from its files where it is needed."""

    image: RpcImage
    band: str

    def __post_init__(self) -> None:
        if self.band not in self.image.bands:
            raise ProcessingError(
                f"{self.image.path}: has no band {self.band!r}, expected one of {self.image.bands}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.image.shape

    def part(self, rows: slice, cols: slice) -> tuple[Image, Flags | None]:
        """Counts as float32, NaN where they mean that there are none; no flags."""
        window = read_window(self.image, rows.start, rows.stop, cols.start, cols.stop)
        counts = window[self.image.bands.index(self.band)].astype(np.float32)
        if self.image.nodata is not None:
            counts[counts == self.image.nodata] = np.nan
        return counts, None


# Folders of products ------------------------------------------------------------------------------


@contextlib.contextmanager
def published_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill that takes the place of `folder` when the context ends without an error.

    Until then nothing shows under that name but what was there. What a killed process left behind
    of the same folder is swept away first. Raises `OutputError` with what the system says, and for
    something in that place that is no product.
    """
    scratch = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        sweep(folder.parent, folder.name)
        _check_place(folder)
        scratch.mkdir(parents=True)
        yield scratch
        _replace(folder, scratch)
    except OSError as error:
        raise OutputError(f"{folder}: could not be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _check_place(folder: Path) -> None:
    """Refuse to replace what is no product: somebody may want it."""
    if not os.path.lexists(folder) or (folder / f"{folder.name}.json").is_file():
        return
    if not folder.is_dir() or folder.is_symlink() or any(folder.iterdir()):
        raise OutputError(f"{folder}: is there and is no product, expected one or nothing")


def _replace(folder: Path, scratch: Path) -> None:
    """Killed between the two renamings, `folder` is missing until `sweep` puts it back."""
    if not folder.exists():
        scratch.rename(folder)
        return
    before = folder.with_name(f".{folder.name}.before-{os.getpid()}")
    folder.rename(before)
    scratch.rename(folder)
    remove(before)


def published_properties(folder: Path) -> dict[str, Any] | None:
    """What the item of a product says that stands in a folder; None where there is none."""
    item = folder / f"{folder.name}.json"
    if not item.is_file():
        return None
    try:
        return dict(json.loads(item.read_bytes())["properties"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{item}: is there and is no item of ours: {error}") from error


class CogRows:
    """Reflectance of a finished product, read by rows from several threads; NaN where no data."""

    def __init__(self, path: Path) -> None:
        self._raster = rasterio.open(path)
        self._lock = threading.Lock()
        self.shape = (self._raster.count, self._raster.height, self._raster.width)
        self._scale = np.float32(self._raster.scales[0])

    def rows(self, begin: int, end: int) -> Image:
        with self._lock:
            pixels = self._raster.read(window=((begin, end), (0, self.shape[2])))
        values = pixels.astype(np.float32) * self._scale
        return np.where(pixels == 0, np.float32(np.nan), values)

    def flags(self, begin: int, end: int) -> NDArray[np.uint8]:
        """Rows of a product that holds flags, (rows, cols)."""
        with self._lock:
            flags: NDArray[np.uint8] = self._raster.read(
                1, window=((begin, end), (0, self.shape[2]))
            )
        return flags

    def close(self) -> None:
        self._raster.close()
