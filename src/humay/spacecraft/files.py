"""A flight as files: `flight.json` and `telemetry.parquet` (docs/reference/flight.md)."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from humay.access import table_bytes
from humay.arrays import FloatArray
from humay.errors import HumayError, SpacecraftError
from humay.files import json_bytes
from humay.spacecraft.flight import Acquisition, Flight
from humay.spacecraft.orbit_error import OrbitError
from humay.spacecraft.telemetry import Energy, Event, Telemetry
from humay.time import Epoch, format_utc, parse_utc

FORMAT = "humay-flight-1"
RECORD, TELEMETRY = "flight.json", "telemetry.parquet"
MOST_BYTES = 100_000_000
_WH = 3600.0  # joules
_VECTORS = {
    "r_itrf": ("x_m", "y_m", "z_m"),
    "v_itrf": ("vx_m_s", "vy_m_s", "vz_m_s"),
    "body_from_gcrf": ("q1", "q2", "q3", "q4"),
}
_ENERGY = {"gained": "gained_j", "spent": "spent_j", "spilled": "spilled_j", "lowest": "lowest_j"}


@dataclass(frozen=True, kw_only=True, eq=False)
class FlightRecord:
    """A flight read back: `document` is what flight.json holds, telemetry is by satellite."""

    document: Mapping[str, Any]
    epoch: Epoch
    telemetry: Mapping[str, Telemetry]


def flight_files(flight: Flight) -> dict[str, bytes]:
    """The files of a flight by name; the same bytes for the same flight."""
    return {
        RECORD: json_bytes(flight_document(flight), indent=1),
        TELEMETRY: table_bytes(_telemetry_table(flight), ".parquet"),
    }


def flight_document(flight: Flight) -> dict[str, Any]:
    """What flight.json holds."""
    return {
        "format": FORMAT,
        "mission": flight.mission,
        "seed": flight.seed,
        "epoch": format_utc(flight.epoch.moment),
        "start": _utc(flight.epoch, flight.start_s),
        "end": _utc(flight.epoch, flight.end_s),
        "satellites": [_satellite(flight, name) for name in flight.telemetry],
        "acquisitions": [_acquisition(acquisition) for acquisition in flight.acquisitions],
    }


def _satellite(flight: Flight, name: str) -> dict[str, Any]:
    telemetry = flight.telemetry[name]
    memory = telemetry.memory_bit / 1e9
    return {
        "name": name,
        "orbit_error": _orbit_error(flight, flight.orbit_errors[name]),
        "memory_gbit": {
            "start": round(float(memory[0]), 6),
            "highest": round(float(memory.max()), 6),
            "end": round(float(memory[-1]), 6),
        },
        "energy_wh": None if telemetry.energy is None else _energy(telemetry.energy),
        "events": [
            {
                "kind": event.kind,
                "start": _utc(flight.epoch, event.start_s),
                "end": _utc(flight.epoch, event.end_s),
                "text": event.text,
            }
            for event in telemetry.events
        ],
    }


def _orbit_error(flight: Flight, error: OrbitError) -> dict[str, Any]:
    orbit = flight.orbits[error.satellite]
    ages = orbit.age_days(np.array([flight.start_s, flight.end_s]))
    return {
        "along": error.along,
        "radial": list(error.radial),
        "cross": list(error.cross),
        "along_m": _rounded(error.along * error.sigma.along_m(ages), 3),
    }


def _energy(energy: Energy) -> dict[str, float]:
    return {key: round(getattr(energy, field) / _WH, 6) for key, field in _ENERGY.items()}


def _acquisition(a: Acquisition) -> dict[str, Any]:
    middle = np.array([0.5 * (a.start_s + a.end_s)])
    return {
        "id": a.id,
        "satellite": a.satellite,
        "request": a.request,
        "strip": a.strip,
        "opportunity": a.opportunity,
        "camera": a.camera,
        "start": _utc(a.epoch, a.start_s),
        "end": _utc(a.epoch, a.end_s),
        "line_period_s": a.line_period_s,
        "orbit": a.orbit,
        "anx_offset_s": a.anx_offset_s,
        "missed": a.missed,
        "along_m": _metres(a.sweep.along_m),
        "across_m": _metres(a.sweep.across_m),
        "miss_along_m": _metres(a.sweep.miss_along_m),
        "miss_across_m": _metres(a.sweep.miss_across_m),
        "control_error_deg": _rounded(np.degrees(a.control.turn_rad(middle)[0]), 9),
        "position_error_m": _rounded(a.knowledge.position_m, 4),
        "attitude_error_deg": _rounded(np.degrees(a.knowledge.bias_rad), 9),
        "drift_error_deg_s": _rounded(np.degrees(a.knowledge.drift_rad_s), 11),
    }


def _metres(value: float) -> float | None:
    """To a centimetre; None where the swath left the Earth."""
    return round(value, 2) if math.isfinite(value) else None


def _rounded(values: FloatArray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]


def _utc(epoch: Epoch, t_s: float) -> str:
    return format_utc(epoch.utc(t_s))


def _telemetry_table(flight: Flight) -> pa.Table:
    """Telemetry of all satellites, one after the other, a row for each time."""
    parts = list(flight.telemetry.values())
    instants = [flight.epoch.utc(t) for part in parts for t in part.t_s]
    columns: dict[str, Any] = {
        "satellite": pa.array([p.satellite for p in parts for _ in p.t_s], pa.string()),
        "time": pa.array(instants, pa.timestamp("us", tz="UTC")),
        "t_s": np.concatenate([part.t_s for part in parts]),
    }
    for field, names in _VECTORS.items():
        values = np.concatenate([getattr(part, field) for part in parts])
        columns |= dict(zip(names, values.T, strict=True))
    columns["memory_gbit"] = np.concatenate([part.memory_bit for part in parts]) / 1e9
    charges = [np.full(len(p.t_s), np.nan) if p.battery_j is None else p.battery_j for p in parts]
    columns["battery_wh"] = pa.array(np.concatenate(charges) / _WH, from_pandas=True)
    columns["sunlit"] = np.concatenate([part.sunlit for part in parts])
    about = {"format": FORMAT, "epoch": format_utc(flight.epoch.moment)}
    return pa.table(columns).replace_schema_metadata({"humay": json.dumps(about)})


# Reading -----------------------------------------------------------------------------------------


def read_flight(folder: Path) -> FlightRecord:
    """The flight in a folder. Raises `SpacecraftError`, which names the file and what is wrong."""
    path = folder / RECORD
    document = _document(path)
    table = _table(folder / TELEMETRY)
    try:
        epoch = Epoch(parse_utc(document["epoch"]))
        rows = table["satellite"].to_numpy(zero_copy_only=False)
        telemetry = {
            entry["name"]: _telemetry(entry, table.filter(pa.array(rows == entry["name"])), epoch)
            for entry in document["satellites"]
        }
    except KeyError as error:
        raise SpacecraftError(f"{folder}: no {error.args[0]!r}, expected one") from error
    except (TypeError, ValueError, HumayError) as error:
        raise SpacecraftError(f"{folder}: not a whole flight: {error}") from error
    return FlightRecord(document=document, epoch=epoch, telemetry=telemetry)


def _document(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            raise SpacecraftError(f"{path}: {len(content)} bytes, expected at most {MOST_BYTES}")
        document = json.loads(content)
    except OSError as error:
        raise SpacecraftError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise SpacecraftError(f"{path}: not JSON: {error}") from error
    found = document.get("format") if isinstance(document, dict) else type(document).__name__
    if found != FORMAT:
        raise SpacecraftError(f"{path}: format is {found!r}, expected {FORMAT!r}")
    return dict(document)


def _table(path: Path) -> pa.Table:
    try:
        table = pq.read_table(io.BytesIO(path.read_bytes()))
    except OSError as error:
        raise SpacecraftError(f"{path}: cannot be read: {error.strerror}") from error
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise SpacecraftError(f"{path}: cannot be read as Parquet: {reason}") from error
    vectors = [name for names in _VECTORS.values() for name in names]
    for name in ("satellite", "t_s", *vectors, "memory_gbit", "battery_wh", "sunlit"):
        if name not in table.column_names:
            raise SpacecraftError(f"{path}: no column {name!r}, expected one")
    return table


def _telemetry(entry: Mapping[str, Any], table: pa.Table, epoch: Epoch) -> Telemetry:
    def column(name: str) -> FloatArray:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    energy = entry["energy_wh"]
    return Telemetry(
        satellite=entry["name"],
        t_s=column("t_s"),
        **{
            field: np.stack([column(name) for name in names], axis=-1)
            for field, names in _VECTORS.items()
        },
        memory_bit=column("memory_gbit") * 1e9,
        battery_j=None if energy is None else column("battery_wh") * _WH,
        sunlit=column("sunlit"),
        energy=None
        if energy is None
        else Energy(**{field: energy[key] * _WH for key, field in _ENERGY.items()}),
        events=_events(entry["events"], epoch),
    )


def _events(entries: Sequence[Mapping[str, str]], epoch: Epoch) -> tuple[Event, ...]:
    return tuple(
        Event(
            start_s=epoch.seconds(parse_utc(entry["start"])),
            end_s=epoch.seconds(parse_utc(entry["end"])),
            kind=entry["kind"],
            text=entry["text"],
        )
        for entry in entries
    )
