"""Reading real images: what kind of file it is, what its model is, and windows of its pixels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from humay.errors import SensorError
from humay.sensor.real.dimap import DimapProduct, Tile, product_from_dimap, rpc_from_dimap
from humay.sensor.real.geom import GeomFile, read_geom_text
from humay.sensor.real.reading import instant, number, rpc_of_fields, shown
from humay.sensor.real.rpc_image import PixelFile, RpcImage, View
from humay.sensor.real.xml_tree import Node, parse_xml
from humay.sensor.rpc import Rpc

XML_BYTES = 50_000_000  # the largest real one seen, with attitudes and histograms, has half of 1 MB
GEOM_BYTES = 1_000_000
Pixels: TypeAlias = NDArray[Any]  # of the type of the image: uint8, uint16, float32 ...
_HEAD_BYTES = 64
_SIGNATURES = {
    b"II*\0": "GTiff", b"MM\0*": "GTiff", b"II+\0": "GTiff", b"MM\0+": "GTiff",
    b"NITF": "NITF", b"NSIF": "NITF",
    b"\0\0\0\x0cjP  ": "JP2OpenJPEG",
}  # fmt: skip
_WARNINGS = Lock()  # what is let through is one for all threads, and windows are read by several
_GDAL_WROTE_NO_DATE = "20021216151629"  # its NITF writer puts this instant where it knows none


def read_rpc_image(path: Path | str) -> RpcImage:
    """The record of a real image: a DIMAP v2 product (DIM_*.XML), a GeoTIFF or a NITF file.

    A GeoTIFF or NITF has its RPC in itself, in the `_RPC.TXT` or `.RPB` beside it, or in a `.geom`
    keyword file of the same name; the latter is of the full scene, where the origin of the file's
    transform says the pixel begins. What it is, is found from the content. Raises `SensorError`.
    """
    path = Path(path)
    if _is_xml(path):
        root = _xml(path)
        return _dimap_image(path, root, product_from_dimap(root))
    return _raster_image(path)


def read_rpc(path: Path | str) -> Rpc:
    """The RPC of any of these files, or of an RPC_*.XML or `.geom` without its image."""
    path = Path(path)
    if _is_xml(path):
        root = _xml(path)
        if root.find(".//Global_RFM") is not None:
            return rpc_from_dimap(root)
        return _dimap_rpc(path, product_from_dimap(root))
    if _driver(path) is None:
        return read_geom(path).rpc
    return _raster_image(path).rpc


def read_geom(path: Path | str) -> GeomFile:
    """The record of a `.geom` keyword file."""
    path = Path(path)
    try:
        text = _content(path, GEOM_BYTES).decode()
    except UnicodeDecodeError as error:
        raise SensorError(f"{path}: byte {error.start} is no UTF-8, expected text") from error
    return read_geom_text(text, str(path))


def read_window(image: RpcImage, row0: int, row1: int, col0: int, col1: int) -> Pixels:
    """Pixels (band, row, col) of rows row0 to row1 - 1 and columns col0 to col1 - 1.

    Raises `SensorError` naming the file and the block where the pixels cannot be read.
    """
    rows, cols = image.shape
    if not (0 <= row0 < row1 <= rows and 0 <= col0 < col1 <= cols):
        raise ValueError(
            f"rows {row0} to {row1}, columns {col0} to {col1} of {image.path}, expected a window "
            f"inside of {rows} x {cols} pixels"
        )
    window = np.zeros((len(image.bands), row1 - row0, col1 - col0), dtype=image.dtype)
    for file in image.files:
        top, bottom = max(row0, file.row0), min(row1, file.row0 + file.rows)
        left, right = max(col0, file.col0), min(col1, file.col0 + file.cols)
        if top < bottom and left < right:
            part = _pixels(file, top - file.row0, bottom - file.row0,
                           left - file.col0, right - file.col0)  # fmt: skip
            window[file.bands, top - row0 : bottom - row0, left - col0 : right - col0] = part
    return window


def _pixels(file: PixelFile, row0: int, row1: int, col0: int, col1: int) -> Pixels:
    with _dataset(file.path) as dataset:
        try:
            pixels: Pixels = dataset.read(window=Window(col0, row0, col1 - col0, row1 - row0))
        except RasterioError as error:
            rows, cols = dataset.block_shapes[0]
            raise SensorError(
                f"{file.path}: rows {row0} to {row1}, columns {col0} to {col1} cannot be read: "
                f"{_reason(error)}, expected whole blocks of {rows} x {cols} pixels"
            ) from error
    return pixels


# Products of several files -----------------------------------------------------------------------


def _dimap_image(path: Path, root: Node, product: DimapProduct) -> RpcImage:
    rpc = _dimap_rpc(path, product)
    files = tuple(_tile_file(path, tile) for tile in product.tiles)
    types = {_check_tile(file) for file in files}
    if len(types) != 1:
        raise SensorError(f"{path}: its tiles hold {sorted(types)}, expected one type of pixels")
    return RpcImage(
        name=root.text(".//Dataset_Identification/DATASET_NAME") or path.stem,
        path=path,
        files=files,
        bands=product.bands,
        shape=product.shape,
        dtype=types.pop(),
        rpc=rpc,
        radiometry=product.radiometry,
        nodata=product.nodata,
        saturated=product.saturated,
        view=product.view,
    )


def _dimap_rpc(path: Path, product: DimapProduct) -> Rpc:
    rpc_path = _beside(path, product.rpc_href)
    return rpc_from_dimap(_xml(rpc_path), pixel_origin=product.pixel_origin)


def _tile_file(path: Path, tile: Tile) -> PixelFile:
    return PixelFile(
        path=_beside(path, tile.href),
        row0=tile.row0, col0=tile.col0, rows=tile.rows, cols=tile.cols, bands=tile.bands,
    )  # fmt: skip


def _check_tile(file: PixelFile) -> str:
    """The type of a tile's pixels, once it is known to have the stated shape."""
    with _dataset(file.path) as dataset:
        found = dataset.count, dataset.height, dataset.width
        expected = len(file.bands), file.rows, file.cols
        if found != expected:
            raise SensorError(
                f"{file.path}: has {' x '.join(map(str, found))} bands, rows, columns, expected "
                f"{' x '.join(map(str, expected))} as its product says"
            )
        return str(dataset.dtypes[0])


def _beside(path: Path, href: str) -> Path:
    """The file a product names: below its own folder, never elsewhere on this machine."""
    folder = path.resolve().parent
    target = (folder / href).resolve() if "\0" not in href else folder
    if ":" in href or "\\" in href or folder not in target.parents:
        raise SensorError(f"{path}: names the file {shown(href)}, expected one in its own folder")
    return path.parent / href


# Single files ------------------------------------------------------------------------------------


class _Facts(NamedTuple):
    """What a single file and the keywords beside it say, before it becomes a record."""

    rpc: Rpc
    bands: tuple[str, ...]
    geom: GeomFile | None
    view: View


def _raster_image(path: Path) -> RpcImage:
    with _dataset(path) as dataset:
        facts = _facts(path, dataset)
        count, shape = dataset.count, (dataset.height, dataset.width)
        if np.dtype(dataset.dtypes[0]).kind not in "uif":
            raise SensorError(f"{path}: holds {dataset.dtypes[0]}, expected real numbers")
        return RpcImage(
            name=path.stem,
            path=path,
            files=(PixelFile(path=path, row0=0, col0=0, rows=shape[0], cols=shape[1],
                             bands=tuple(range(count))),),
            bands=facts.bands,
            shape=shape,
            dtype=str(dataset.dtypes[0]),
            rpc=facts.rpc,
            radiometry=facts.geom.radiometry if facts.geom else {},
            nodata=dataset.nodata,
            view=facts.view,
        )  # fmt: skip


def _facts(path: Path, dataset: DatasetReader) -> _Facts:
    tags = dataset.tags(ns="RPC")
    if tags:
        return _Facts(
            _tagged_rpc(tags, str(path)), _own_bands(dataset), None, _own_view(path, dataset)
        )
    beside = path.with_suffix(".geom")
    if not beside.is_file():
        raise SensorError(f"{path}: has no RPC, expected one in it or in {beside.name} beside it")
    geom = read_geom(beside)
    if geom.bands and len(geom.bands) != dataset.count:
        raise SensorError(
            f"{path}: has {dataset.count} bands, expected {' '.join(geom.bands)} of {beside.name}"
        )
    row0, col0 = _origin(path, dataset, geom)
    own = _own_view(path, dataset)
    view = geom.view if geom.view.acquired else own
    return _Facts(geom.rpc.cropped(row0, col0), geom.bands or _own_bands(dataset), geom, view)


def _tagged_rpc(tags: dict[str, str], where: str) -> Rpc:
    """RPCs as GDAL hands them on, from tags or from files beside the image: from (0, 0)."""

    def value(field: str) -> float:
        name, _, index = field.rpartition("_") if "COEFF" in field else (field, "", "")
        words = tags.get(name, "").split()
        if len(words) != (20 if index else 1):
            raise SensorError(
                f"{where}: RPC {name} has {len(words)} values, expected {20 if index else 1}"
            )
        return number(words[int(index) - 1 if index else 0], f"RPC {field}", where)

    def stated(field: str) -> float | None:
        error_m = value(field) if field in tags else -1.0
        return None if error_m < 0 else error_m  # -1 where it is not known

    return rpc_of_fields(
        value, where=where, error_bias_m=stated("ERR_BIAS"), error_random_m=stated("ERR_RAND")
    )


def _own_bands(dataset: DatasetReader) -> tuple[str, ...]:
    """The names the file itself gives its bands, else `band-1` and so on."""
    return tuple(name or f"band-{i}" for i, name in enumerate(dataset.descriptions, start=1))


def _own_view(path: Path, dataset: DatasetReader) -> View:
    tags = dataset.tags()
    mission = [tags[key] for key in ("MISSION", "MISSION_INDEX") if key in tags]
    return View(acquired=_own_time(tags, str(path)), platform=" ".join(mission) or None)


def _own_time(tags: dict[str, str], where: str) -> datetime | None:
    if "IMAGING_DATE" in tags and "IMAGING_TIME" in tags:
        return instant(f"{tags['IMAGING_DATE']}T{tags['IMAGING_TIME']}", "IMAGING_TIME", where)
    moment = tags.get("NITF_IDATIM", "")
    if len(moment) != 14 or not moment.isdigit() or moment == _GDAL_WROTE_NO_DATE:
        return None  # NITF writes hyphens for the part of a date that is not known
    day, clock = f"{moment[:4]}-{moment[4:6]}-{moment[6:8]}", moment[8:]
    return instant(f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}", "NITF_IDATIM", where)


def _origin(path: Path, dataset: DatasetReader, geom: GeomFile) -> tuple[int, int]:
    """Where in the full scene of its keyword file a crop begins: a transform of pure offset."""
    a, b, col0, d, e, row0 = tuple(dataset.transform)[:6]
    if (a, b, d, e) != (1.0, 0.0, 0.0, 1.0) or col0 != int(col0) or row0 != int(row0):
        raise SensorError(
            f"{path}: has the transform {(a, b, col0, d, e, row0)}, expected the whole row and "
            f"column of its scene where it begins"
        )
    rows, cols = geom.shape
    if not (0 <= row0 <= rows - dataset.height and 0 <= col0 <= cols - dataset.width):
        raise SensorError(
            f"{path}: {dataset.height} x {dataset.width} pixels from row {row0:g}, column {col0:g} "
            f"on, expected them inside of the {rows} x {cols} of its .geom"
        )
    return int(row0), int(col0)


# Bytes -------------------------------------------------------------------------------------------


def _content(path: Path, limit_bytes: int) -> bytes:
    """The bytes of a file, refused by its size before they fill the memory."""
    try:
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise SensorError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > limit_bytes:
        raise SensorError(
            f"{path}: has over {limit_bytes / 1e6:g} MB, expected metadata of at most that"
        )
    return content


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise SensorError(f"{path}: cannot be read: {error.strerror}") from error


def _is_xml(path: Path) -> bool:
    head = _head(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<"))


def _xml(path: Path) -> Node:
    return parse_xml(_content(path, XML_BYTES), str(path))


def _driver(path: Path) -> str | None:
    """The GDAL driver for a file's first bytes: no other may guess at it."""
    head = _head(path)
    return next((driver for mark, driver in _SIGNATURES.items() if head.startswith(mark)), None)


@contextmanager
def _dataset(path: Path) -> Iterator[DatasetReader]:
    driver = _driver(path)
    if driver is None:
        raise SensorError(
            f"{path}: begins with {shown(repr(_head(path)[:8]))}, expected DIMAP XML, TIFF, NITF "
            f"or JPEG 2000"
        )
    try:
        with _WARNINGS, warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # in sensor geometry
            dataset = rasterio.open(path, driver=driver)
    except RasterioError as error:
        raise SensorError(f"{path}: {_reason(error)}, expected a whole {driver} file") from error
    with dataset:
        yield dataset


def _reason(error: BaseException) -> str:
    """What GDAL found, on one line; rasterio keeps it in the cause."""
    said = str(error.__cause__ or error)
    return " ".join(said.split()).rstrip(".")
