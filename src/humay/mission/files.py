"""Reading missions, requests and elevation rasters: nothing else of this stage opens a file."""

from __future__ import annotations

import json
import re
import tomllib
import warnings
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from humay.arrays import BoolArray, FloatArray
from humay.errors import MissionError, PlanError, RequestError
from humay.files import json_bytes
from humay.mission.camera import Camera
from humay.mission.cloud_raster import cloud_model, cloud_variable
from humay.mission.clouds import CloudModel
from humay.mission.geojson import areas_from_geojson, features_of, requests_from_geojson
from humay.mission.heights import CoarseRelief, HeightError, HeightModel
from humay.mission.keys import Fields, made, suggestion
from humay.mission.kinds import Place, shown
from humay.mission.mission import MISSION_FILE, Mission, RunSettings
from humay.mission.outcomes import Outcomes, outcomes_from
from humay.mission.request import Request
from humay.mission.satellite import OmmOrbit, Orbit, Satellite, TleOrbit
from humay.tables import geoid_height_m

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

MISSION_BYTES = 10_000_000
REQUEST_BYTES = 200_000_000
ELEMENT_BYTES = 50_000_000
ORBIT_KEYS = ("tle", "omm", "sun_synchronous")
_ONLY_IN_FILE = ("catalogue_number", "camera_name")  # not in the record as such

_BLOCK = 512  # pixels a side: what a query of a raster holds in memory at once
_METRES = ("", "m", "metre", "metres", "meter", "meters")
_VERTICAL = re.compile(r'VERT_?CR?S\["([^"]*)"')


def load_mission(path: Path | str) -> Mission:
    """The mission of a TOML file, everything in it checked.

    Relative paths in it are relative to it. Raises `MissionError` with file, table and key, what
    was found and what was expected.
    """
    path = Path(path)
    place = Place(file=str(path), error=MissionError)
    sections = MISSION_FILE.read(_toml(path, place), place)
    settings, cameras, run = sections["mission"], sections["camera"], sections["run"]
    satellites = [
        made(Satellite, _satellite_fields(fields, cameras, place.inside("satellite", name)), place)
        for name, fields in sections["satellite"].items()
    ]
    if run is not None:
        run["requests"] = _file(run["requests"], "requests", place.inside("run"))
        run = made(RunSettings, run, place)
    dem, clouds, exclusions = (
        settings.pop(key) for key in ("dem", "clouds_file", "exclusions_file")
    )
    inside = place.inside("mission")
    members = {
        "path": path,
        "satellites": tuple(satellites),
        "stations": tuple(sections["station"].values()),
        "cameras": tuple(cameras.values()),
        "run": run,
        "outages": sections["outage"],
        "calibrations": sections["calibration"],
        "objective": sections["objective"],
        "heights": CoarseRelief() if dem is None else _dem(dem, inside),
        "clouds": None if clouds is None else _clouds(clouds, inside),
        "exclusions": () if exclusions is None else _exclusions(exclusions, inside),
    }
    mission: Mission = made(Mission, settings | members, place)
    return mission


def load_requests(path: Path | str, mission: Mission) -> tuple[Request, ...]:
    """The requests of a GeoJSON file; heights they do not say come from the mission's model.

    Raises `RequestError` with file, feature and property, what was found and what was expected.
    """
    path = Path(path)
    document = _json(path, Place(file=str(path), error=RequestError))
    requests = requests_from_geojson(document, where=str(path), heights=mission.heights)
    known = {satellite.name for satellite in mission.satellites}
    for request in requests:
        for name in request.satellites or ():
            if name not in known:
                raise RequestError(
                    f"{path}: request {request.name!r}: satellites names {name!r}, which the"
                    f" mission does not have{suggestion(name, sorted(known))}"
                )
    return requests


def load_outcomes(path: Path) -> Outcomes:
    """What became of a plan, from a file. Raises `PlanError` with file, place and key."""
    return outcomes_from(_json(path, Place(file=str(path), error=PlanError)), str(path))


def joined_requests(*paths: Path) -> bytes:
    """One GeoJSON file with the features of several request files, one after the other."""
    features: list[Any] = []
    for path in paths:
        place = Place(file=str(path), error=RequestError)
        features += features_of(_json(path, place), place)
    return json_bytes({"type": "FeatureCollection", "features": features}, indent=2)


def _satellite_fields(values: Fields, cameras: dict[str, Camera], place: Place) -> Fields:
    """The fields of a satellite with its orbit and its camera in place of their names."""
    given = [key for key in ORBIT_KEYS if values[key] is not None]
    if len(given) != 1:
        found = " and ".join(given) or "no orbit"
        place.refuse(f"has {found}, expected exactly one of {', '.join(ORBIT_KEYS)}")
    camera_name = values["camera_name"]
    if camera_name not in cameras:
        place.refuse(f"camera is {camera_name!r}, no such camera{suggestion(camera_name, cameras)}")
    rest = {k: v for k, v in values.items() if k not in (*ORBIT_KEYS, *_ONLY_IN_FILE)}
    return rest | {"orbit": _orbit(values, place), "camera": cameras[camera_name]}


def _orbit(values: Fields, place: Place) -> Orbit:
    catalogue_number = values["catalogue_number"]
    if values["tle"] is not None:
        path, text = _elements(values["tle"], "tle", place)
        return TleOrbit(path=path, text=text, catalogue_number=catalogue_number)
    if catalogue_number is not None:
        place.refuse("has catalogue_number without tle, expected both or none")
    if values["omm"] is not None:
        path, text = _elements(values["omm"], "omm", place)
        return OmmOrbit(path=path, text=text)
    orbit: Orbit = values["sun_synchronous"]
    return orbit


def _elements(name: str, key: str, place: Place) -> tuple[Path, str]:
    path = _file(name, key, place)
    return path, _text(path, ELEMENT_BYTES, _named(place, key, name))


def _dem(name: str, place: Place) -> HeightModel:
    path = _file(name, "dem", place)
    model: HeightModel = made(RasterDem.opened, {"path": path}, place)
    return model


def _exclusions(name: str, place: Place) -> tuple[Polygon | MultiPolygon, ...]:
    path = _file(name, "exclusions", place)
    return areas_from_geojson(_json(path, place), Place(file=str(path), error=place.error))


def _clouds(name: str, place: Place) -> CloudModel:
    from rasterio.errors import RasterioIOError

    path, here = _file(name, "clouds", place), _named(place, "clouds", name)
    try:
        with ExitStack() as opened:
            raster = opened.enter_context(_dataset(path, "clouds"))
            if raster.subdatasets:  # a NetCDF file of several variables
                rasters = [
                    opened.enter_context(_dataset(variable, "clouds"))
                    for variable in raster.subdatasets
                ]
                raster = cloud_variable(rasters, here)
            return cloud_model(raster, path, here)
    except RasterioIOError as error:
        raise MissionError(f"{here} cannot be read to its end: {error}") from error


def _file(name: str, key: str, place: Place) -> Path:
    """The path a key of the mission file means, of a file that is there."""
    path = Path(place.file).parent / name
    try:
        found = path.is_file()
    except OSError as error:  # a name too long, a folder that may not be looked into
        place.refuse(f"{key} is {shown(name)}, expected a file: {error.strerror}")
    if not found:
        place.refuse(f"{key} is {name!r}, expected a file; there is none at {path}")
    return path


def _named(place: Place, key: str, name: str) -> Place:
    """The place of a file that a key names, for messages about its content."""
    return Place(file=f"{place} {key} {name!r}", error=place.error)


def _text(path: Path, limit_bytes: int, place: Place) -> str:
    """The text of a file, refused by its size before it is read."""
    try:
        size = path.stat().st_size
        if size <= limit_bytes:
            with path.open("rb") as file:
                content = file.read(limit_bytes + 1)  # devices have no size, but no end either
            size = max(size, len(content))
    except OSError as error:
        place.refuse(f"cannot be read: {error.strerror}")
    if size > limit_bytes:
        place.refuse(f"has {size / 1e6:.0f} MB, expected at most {limit_bytes / 1e6:.0f} MB")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        place.refuse(f"line {line} has byte 0x{content[error.start]:02x}, expected UTF-8 text")


def _toml(path: Path, place: Place) -> dict[str, Any]:
    text = _text(path, MISSION_BYTES, place)
    try:
        return tomllib.loads(text)
    except RecursionError:
        place.refuse("is nested too deeply, expected tables inside tables at most four deep")
    except ValueError as error:  # TOMLDecodeError, or a whole number of thousands of digits
        message = str(error)
        spot = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
        reason = message[: spot.start()] if spot else message
        if spot and spot[1]:
            line, column = int(spot[1]), int(spot[2])
        else:
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        raise place.error(f"{path}:{line}:{column}: {reason}, expected TOML") from error


class _NotFinite(ValueError):
    """NaN or Infinity, which Python reads but JSON does not have."""


class _KeyTwice(ValueError):
    """One key twice in one object: which of its values is meant?"""


def _json(path: Path, place: Place) -> Any:
    text = _text(path, REQUEST_BYTES, place)
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object)
    except RecursionError:
        place.refuse("is nested too deeply, expected GeoJSON")
    except json.JSONDecodeError as error:
        spot = f"{path}:{error.lineno}:{error.colno}"
        raise place.error(f"{spot}: {error.msg}, expected JSON") from error
    except _NotFinite as error:
        raise place.error(f"{_spot_of_constant(path, text)}: {error}, expected a number") from error
    except _KeyTwice as error:
        place.refuse(f"{error}, expected each key once")
    except ValueError as error:  # a whole number of thousands of digits
        place.refuse(f"{error}, expected numbers that fit a float")


def _no_constant(name: str) -> object:
    raise _NotFinite(f"found {name}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        values = " and ".join([shown(value) for name, value in pairs if name == twice][:2])
        raise _KeyTwice(f"an object has the key {shown(twice)} with {values}")
    return whole


def _spot_of_constant(path: Path, text: str) -> str:
    """Where NaN or Infinity stands outside of any string: `json` does not say."""
    tokens = re.finditer(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity', text)
    start = next(token.start() for token in tokens if not token[0].startswith('"'))
    return f"{path}:{text.count(chr(10), 0, start) + 1}:{start - text.rfind(chr(10), 0, start)}"


@dataclass(frozen=True, kw_only=True)
class RasterDem:
    """Heights above the EGM96 geoid on a raster, bilinear between pixel centres.

    A raster that says its heights are above EGM2008 is taken as well; the two geoids differ by less
    than a metre in most places. Nothing is held between queries.
    """

    path: Path
    source: Literal["dem"] = "dem"

    @staticmethod
    def opened(path: Path) -> RasterDem:
        """The model of a file, after a look whether it can be one."""
        with _dataset(path) as dem:
            vertical = _VERTICAL.search(dem.crs.to_wkt()) if dem.crs else None
            unit = (dem.units[0] or "").lower()
            if not dem.crs:
                fault = "has no coordinate system, expected a georeferenced raster"
            elif dem.count != 1:
                fault = f"has {dem.count} bands, expected one of heights"
            elif min(dem.shape) < 2:
                fault = f"has {dem.width} x {dem.height} pixels, expected at least 2 x 2"
            elif unit not in _METRES:
                fault = f"has heights in {unit!r}, expected metres"
            elif vertical and "EGM" not in vertical[1].upper():
                fault = f"has heights in {vertical[1]!r}, expected EGM96"
            else:
                return RasterDem(path=path)
        raise MissionError(f"dem {str(path)!r} {fault}")

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """Heights above WGS 84; `HeightError` for a place outside or in a gap, never a guess."""
        lon_rad, lat_rad = np.broadcast_arrays(
            np.asarray(lon_rad, float), np.asarray(lat_rad, float)
        )
        lon_deg, lat_deg = np.degrees(lon_rad).ravel(), np.degrees(lat_rad).ravel()
        with _dataset(self.path) as dem:
            row, col = _pixels(dem, lon_deg, lat_deg)
            inside = _is_inside(dem, row, col)
            if not inside.all():
                self._refuse(lon_deg, lat_deg, ~inside, f"lies outside of the DEM {_extent(dem)}")
            geoidal_m = _interpolated(dem, row, col)
        if np.isnan(geoidal_m).any():
            self._refuse(lon_deg, lat_deg, np.isnan(geoidal_m), "has no height in the DEM")
        return np.asarray(geoidal_m.reshape(lon_rad.shape) + geoid_height_m(lon_rad, lat_rad))

    def _refuse(
        self, lon_deg: FloatArray, lat_deg: FloatArray, where: BoolArray, what: str
    ) -> None:
        index = int(np.argmax(where))
        raise HeightError(
            f"lon {lon_deg[index]:.6g}, lat {lat_deg[index]:.6g} {what} ({self.path}), expected a "
            f"place with a height; or give height_m",
            index,
        )


def _dataset(path: Path | str, what: str = "dem") -> DatasetReader:
    import rasterio  # heavy, and only needed where a mission has a raster
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # refused by name instead
            return rasterio.open(path)
    except RasterioIOError as error:
        raise MissionError(f"{what} {str(path)!r} cannot be read as a raster: {error}") from error


def _pixels(dem: DatasetReader, lon_deg: FloatArray, lat_deg: FloatArray) -> FloatArray:
    """Rows and columns (2, n), the centre of the first pixel being (0, 0); NaN where none are."""
    from rasterio.warp import transform

    x, y = (np.array(axis) for axis in transform("EPSG:4326", dem.crs, lon_deg, lat_deg))
    if dem.crs.is_geographic:
        west_deg = dem.bounds.left - 1e-9  # so that rounding leaves the edge on its side
        x = west_deg + np.mod(x - west_deg, 360.0)  # longitudes may run past 180
    pixel = ~dem.transform  # counted from the corner of the first pixel
    with np.errstate(invalid="ignore"):  # inf where a projection ends
        row = pixel.d * x + pixel.e * y + pixel.f
        col = pixel.a * x + pixel.b * y + pixel.c
    return np.array((row, col)) - 0.5


def _is_inside(dem: DatasetReader, row: FloatArray, col: FloatArray) -> BoolArray:
    """Whether places lie on some pixel, the edges included."""
    half = 0.5 + 1e-5  # rounding must not push out a place on the edge
    down = (row >= -half) & (row <= dem.height - 1 + half)
    return np.asarray(down & (col >= -half) & (col <= dem.width - 1 + half))


def _interpolated(dem: DatasetReader, row: FloatArray, col: FloatArray) -> FloatArray:
    """Bilinear heights at places inside, NaN where a pixel that counts has none. Read by blocks."""
    row, col = np.clip(row, 0, dem.height - 1), np.clip(col, 0, dem.width - 1)
    top = np.minimum(row.astype(np.int64), dem.height - 2)
    left = np.minimum(col.astype(np.int64), dem.width - 2)
    down, right = row - top, col - left
    height_m = np.empty(row.shape)
    block_of = np.column_stack((top // _BLOCK, left // _BLOCK))
    blocks, member = np.unique(block_of, axis=0, return_inverse=True)
    for number, (i, j) in enumerate(blocks * _BLOCK):
        block_m = _block_m(dem, int(i), int(j))
        here = member.ravel() == number
        a, b, s, t = top[here] - i, left[here] - j, down[here], right[here]
        corners = np.array(
            [block_m[a, b], block_m[a, b + 1], block_m[a + 1, b], block_m[a + 1, b + 1]]
        )
        weights = np.array([(1 - s) * (1 - t), (1 - s) * t, s * (1 - t), s * t])
        height_m[here] = np.where(weights > 0, weights * corners, 0.0).sum(axis=0)
    return height_m


def _block_m(dem: DatasetReader, row: int, col: int) -> FloatArray:
    """Heights from a pixel on, one pixel more than a block each way; NaN where there are none."""
    from rasterio.errors import RasterioIOError
    from rasterio.windows import Window

    rows, cols = min(_BLOCK + 1, dem.height - row), min(_BLOCK + 1, dem.width - col)
    try:
        values = dem.read(1, window=Window(col, row, cols, rows), masked=True)
    except RasterioIOError as error:
        raise RequestError(f"{dem.name}: cannot be read to its end: {error}") from error
    height_m: FloatArray = values.astype(np.float64).filled(np.nan)
    return np.asarray(height_m * dem.scales[0] + dem.offsets[0])


def _extent(dem: DatasetReader) -> str:
    from rasterio.warp import transform_bounds

    west, south, east, north = transform_bounds(dem.crs, "EPSG:4326", *dem.bounds)
    return f"of lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}"
