"""Raw images as files: `image.json`, one TIFF a chip, the measured way and the calibration.

`docs/reference/raw.md` describes the folder. Every file is named in `image.json` with the digest of
its bytes, so that a file that was cut short or swapped is found before it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError
from rasterio.io import MemoryFile

from humay.errors import HumayError, SensorError
from humay.files import json_bytes
from humay.mission import Navigation
from humay.sensor.records import BandFacts, Calibration, Chip, RawImage
from humay.spacecraft import Trajectory
from humay.time import Epoch, format_utc, parse_utc

FORMAT = "humay-raw-1"
MOST_JSON_BYTES = 10_000_000
_CHIP_KEYS = ("band", "index", "first_detector", "first_line_s", "line_period_s")
_CALIBRATION_KEYS = ("version", "radiance_per_dn", "saturation_dn", "gain_e_dn", "read_noise_e")
_WAY = ("t_s", "x_m", "y_m", "z_m", "vx_m_s", "vy_m_s", "vz_m_s", "q1", "q2", "q3", "q4")


def raw_files(raw: RawImage) -> dict[str, bytes]:
    """The files of a raw image by name; the same bytes for the same image."""
    contents = {f"{chip.band}-{chip.index}.tif": _tiff(chip.dn) for chip in raw.chips}
    contents["trajectory.parquet"] = trajectory_bytes(raw.trajectory)
    contents["calibration.parquet"] = _calibration_bytes(raw.chips)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    document = {
        "format": FORMAT,
        "name": raw.name,
        "satellite": raw.satellite,
        "camera": raw.camera,
        "acquired": format_utc(raw.acquired),
        "epoch": format_utc(raw.epoch.moment),
        "product_pixel_m": raw.product_pixel_m,
        "navigation": asdict(raw.navigation),
        "source": dict(raw.source),
        "bands": [
            asdict(facts) | {"mtf_nyquist": raw.mtf_nyquist[name]}
            for name, facts in raw.bands.items()
        ],
        "chips": [_chip_entry(chip) for chip in raw.chips],
        "sha256": digests,
    }
    return {"image.json": json_bytes(document, indent=1), **contents}


def _chip_entry(chip: Chip) -> dict[str, Any]:
    c = chip.calibration
    return {
        "file": f"{chip.band}-{chip.index}.tif",
        "rows": chip.shape[0],
        "columns": chip.shape[1],
        **{key: getattr(chip, key) for key in _CHIP_KEYS},
        "own_columns": list(chip.own_columns),
        "along": chip.along.tolist(),
        "across": chip.across.tolist(),
        "calibration": {key: getattr(c, key) for key in _CALIBRATION_KEYS}
        | {"valid_from": format_utc(c.valid_from), "valid_to": format_utc(c.valid_to)},
    }


def trajectory_bytes(trajectory: Trajectory) -> bytes:
    """A trajectory as Parquet, its epoch in the metadata."""
    columns = np.column_stack(
        [trajectory.t_s, trajectory.r_itrf, trajectory.v_itrf, trajectory.body_from_gcrf]
    )
    table = pa.table(dict(zip(_WAY, columns.T, strict=True)))
    meta = {"epoch": format_utc(trajectory.epoch.moment)}
    return _parquet(table.replace_schema_metadata(meta))


def _calibration_bytes(chips: tuple[Chip, ...]) -> bytes:
    return _parquet(
        pa.table(
            {
                "band": np.concatenate([[c.band] * c.shape[1] for c in chips]),
                "chip": np.concatenate([[c.index] * c.shape[1] for c in chips]),
                "detector": np.concatenate(
                    [np.arange(c.shape[1]) + c.first_detector for c in chips]
                ),
                "dark_dn": np.concatenate([c.calibration.dark_dn for c in chips]),
                "response": np.concatenate([c.calibration.response for c in chips]),
            }
        )
    )


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _tiff(dn: NDArray[np.uint16]) -> bytes:
    rows, cols = dn.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # it has a model instead
        with MemoryFile() as memory:
            with memory.open(
                driver="GTiff", height=rows, width=cols, count=1, dtype="uint16",
                compress="zstd", zstd_level=1, predictor=2, blockysize=64,
            ) as image:  # fmt: skip
                image.write(dn, 1)
            return bytes(memory.read())


def read_raw(folder: Path) -> RawImage:
    """The raw image of a folder, or of its image.json. A `SensorError` names the file."""
    path = folder if folder.name == "image.json" else folder / "image.json"
    document = _document(path)
    try:
        raw = _raw(document, path)
        if document["acquired"] != format_utc(raw.acquired):
            raise SensorError(
                f"acquired is {document['acquired']!r}, the lines say {format_utc(raw.acquired)}"
            )
        return raw
    except KeyError as error:
        raise SensorError(f"{path}: {error.args[0]!r} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise SensorError(f"{path}: a value is of the wrong kind: {error}") from error
    except SensorError as error:
        raise SensorError(f"{path.parent}: {error}") from error
    except HumayError as error:
        raise SensorError(f"{path}: {error}") from error


def _document(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        if len(content) > MOST_JSON_BYTES:
            raise SensorError(f"{path}: {len(content)} bytes, expected {MOST_JSON_BYTES} at most")
        document = json.loads(content)
    except OSError as error:
        raise SensorError(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SensorError(f"{path}: is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        found = document.get("format") if isinstance(document, dict) else type(document).__name__
        raise SensorError(f"{path}: format is {found!r}, expected {FORMAT!r}")
    return document


def _raw(document: dict[str, Any], path: Path) -> RawImage:
    folder, digests = path.parent, document["sha256"]
    epoch = Epoch(parse_utc(document["epoch"]))
    table = _table(_checked(folder, "calibration.parquet", digests), "calibration.parquet")
    chips = tuple(_chip(entry, folder, digests, table) for entry in document["chips"])
    way = _table(_checked(folder, "trajectory.parquet", digests), "trajectory.parquet")
    return RawImage(
        name=document["name"],
        satellite=document["satellite"],
        camera=document["camera"],
        trajectory=trajectory_from(way, epoch),
        navigation=Navigation(**document["navigation"]),
        bands={
            facts["name"]: BandFacts(
                name=facts["name"],
                response_m=tuple(facts["response_m"]),
                solar_irradiance_w_m2_um=facts["solar_irradiance_w_m2_um"],
            )
            for facts in document["bands"]
        },
        chips=chips,
        product_pixel_m=float(document["product_pixel_m"]),
        mtf_nyquist={facts["name"]: float(facts["mtf_nyquist"]) for facts in document["bands"]},
        source=document["source"],
    )


def _checked(folder: Path, name: str, digests: Mapping[str, str]) -> bytes:
    """The bytes of a file beside image.json, which must have the digest stated there."""
    if Path(name).name != name:
        raise SensorError(f"file {name!r} is outside of the image's folder")
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise SensorError(f"{name}: cannot be read ({error.strerror})") from error
    found = hashlib.sha256(content).hexdigest()
    if found != digests[name]:
        raise SensorError(
            f"{name}: {len(content)} bytes with sha256 {found[:12]}..., expected "
            f"{digests[name][:12]}...: the file was cut short or changed"
        )
    return content


def _table(content: bytes, name: str) -> pa.Table:
    try:
        return pq.read_table(io.BytesIO(content))
    except pa.ArrowException as error:
        raise SensorError(f"{name}: is no Parquet: {error}") from error


def trajectory_from(table: pa.Table, epoch: Epoch) -> Trajectory:
    """The trajectory of a table that `trajectory_bytes` wrote."""
    columns = np.column_stack([np.asarray(table[name]) for name in _WAY])
    return Trajectory(
        epoch=epoch,
        t_s=columns[:, 0],
        r_itrf=columns[:, 1:4],
        v_itrf=columns[:, 4:7],
        body_from_gcrf=columns[:, 7:11],
    )


def _chip(
    entry: Mapping[str, Any], folder: Path, digests: Mapping[str, str], table: pa.Table
) -> Chip:
    dn = _pixels(_checked(folder, entry["file"], digests), entry["file"])
    if dn.shape != (entry["rows"], entry["columns"]):
        raise SensorError(
            f"{entry['file']}: {dn.shape[0]} x {dn.shape[1]} pixels, expected "
            f"{entry['rows']} x {entry['columns']}"
        )
    given = entry["calibration"]
    dark, response = _columns(table, entry)
    calibration = Calibration(
        **{key: given[key] for key in _CALIBRATION_KEYS},
        valid_from=parse_utc(given["valid_from"]),
        valid_to=parse_utc(given["valid_to"]),
        dark_dn=dark,
        response=response,
    )
    return Chip(
        **{key: entry[key] for key in _CHIP_KEYS},
        own_columns=tuple(entry["own_columns"]),
        along=entry["along"],
        across=entry["across"],
        dn=dn,
        calibration=calibration,
    )


def _columns(
    table: pa.Table, entry: Mapping[str, Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dark signal and response of the detectors of a chip; refuses a band that has none."""
    band, chip = np.asarray(table["band"].to_pylist()), np.asarray(table["chip"])
    rows = (band == entry["band"]) & (chip == entry["index"])
    first = entry["first_detector"]
    wanted = np.arange(first, first + entry["columns"])
    if not np.array_equal(np.asarray(table["detector"])[rows], wanted):
        raise SensorError(
            f"calibration.parquet: {int(rows.sum())} detectors of band {entry['band']!r} chip "
            f"{entry['index']}, expected {first} to {first + entry['columns'] - 1}"
        )
    return np.asarray(table["dark_dn"])[rows], np.asarray(table["response"])[rows]


def _pixels(content: bytes, name: str) -> NDArray[np.uint16]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with MemoryFile(content) as memory, memory.open() as image:
                pixels: NDArray[np.uint16] = image.read(1)
                return pixels
    except RasterioIOError as error:
        raise SensorError(f"{name}: cannot be read as an image: {error}") from error
