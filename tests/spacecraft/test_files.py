"""A flight written, read back, and refused where it is damaged."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pyarrow.parquet as pq
import pytest

from humay.errors import SpacecraftError
from humay.files import write_all
from humay.orbit import Ephemeris
from humay.spacecraft import Flight, flight_files, fly, read_flight
from humay.spacecraft.files import RECORD, TELEMETRY
from tests.check.valid_plan import MISSION
from tests.spacecraft.conftest import SEED


@pytest.fixture
def folder(flight: Flight, tmp_path: Path) -> Path:
    write_all(tmp_path, flight_files(flight))
    return tmp_path


def test_a_flight_comes_back(flight: Flight, folder: Path) -> None:
    back = read_flight(folder)
    assert back.epoch == flight.epoch
    assert [entry["id"] for entry in back.document["acquisitions"]] == [
        a.id for a in flight.acquisitions
    ]
    for name, flown in flight.telemetry.items():
        read = back.telemetry[name]
        for field in ("t_s", "r_itrf", "v_itrf", "body_from_gcrf", "sunlit"):
            assert np.array_equal(getattr(read, field), getattr(flown, field))
        assert np.allclose(read.memory_bit, flown.memory_bit, rtol=0, atol=1e-4)
        assert read.battery_j is not None
        assert flown.battery_j is not None
        assert np.allclose(read.battery_j, flown.battery_j, rtol=0, atol=1e-6)
        assert [e.kind for e in read.events] == [e.kind for e in flown.events]
        apart_s = [
            abs(a.start_s - b.start_s) for a, b in zip(read.events, flown.events, strict=True)
        ]
        assert max(apart_s) < 1e-6


def test_the_same_flight_is_the_same_bytes(
    flight: Flight, plan: dict[str, Any], orbits: Mapping[str, Ephemeris]
) -> None:
    assert flight_files(flight) == flight_files(fly(MISSION, plan, orbits, seed=SEED))


def test_the_record_says_what_was_drawn(flight: Flight, folder: Path) -> None:
    document = json.loads((folder / RECORD).read_bytes())
    assert document["seed"] == SEED
    drawn = document["satellites"][0]["orbit_error"]
    error = flight.orbit_errors["alpha"]
    assert drawn["along"] == error.along
    sigma = MISSION.satellite("alpha").orbit_sigma
    age = flight.orbits["alpha"].age_days(np.array(flight.start_s))
    assert drawn["along_m"][0] == pytest.approx(error.along * sigma.along_m(age), abs=1e-3)
    entry, a = document["acquisitions"][0], flight.acquisitions[0]
    assert entry["missed"] is a.missed
    assert entry["along_m"] == pytest.approx(a.sweep.along_m, abs=0.005)
    assert entry["position_error_m"] == pytest.approx(a.knowledge.position_m, abs=1e-4)


def test_the_record_keeps_its_schema(folder: Path, repository: Path) -> None:
    schema = json.loads((repository / "docs/schemas/flight.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = json.loads((folder / RECORD).read_bytes())
    validator.validate(document)
    document["acquisitions"][0]["missed"] = "no"
    assert not validator.is_valid(document)


def test_a_swath_off_the_earth_is_null(flight: Flight) -> None:
    a = flight.acquisitions[0]
    off = replace(a.sweep, across_m=math.nan, miss_across_m=math.inf)
    lost = replace(flight, acquisitions=(replace(a, sweep=off),))
    entry = json.loads(flight_files(lost)[RECORD])["acquisitions"][0]
    assert (entry["missed"], entry["miss_across_m"], entry["across_m"]) == (True, None, None)


def test_a_table_has_its_times_in_utc(flight: Flight) -> None:
    table = pq.read_table(io.BytesIO(flight_files(flight)[TELEMETRY]))
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"
    assert table["time"][0].as_py() == flight.epoch.utc(flight.start_s)
    assert set(table["satellite"].to_pylist()) == {"alpha", "beta"}
    assert table["battery_wh"].null_count == 0


def changed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        document = json.loads((folder / RECORD).read_bytes())
        change(document)
        (folder / RECORD).write_text(json.dumps(document))

    return damage


def without_column(folder: Path) -> None:
    table = pq.read_table(folder / TELEMETRY)
    pq.write_table(table.drop_columns(["vx_m_s"]), folder / TELEMETRY)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no record": (lambda f: (f / RECORD).unlink(), r"flight\.json: cannot be read"),
    "no telemetry": (lambda f: (f / TELEMETRY).unlink(), r"telemetry\.parquet: cannot be read"),
    "cut record": (
        lambda f: (f / RECORD).write_bytes((f / RECORD).read_bytes()[:-20]),
        r"flight\.json: not JSON",
    ),
    "cut table": (
        lambda f: (f / TELEMETRY).write_bytes((f / TELEMETRY).read_bytes()[:-20]),
        r"telemetry\.parquet: cannot be read as Parquet",
    ),
    "not UTF-8": (lambda f: (f / RECORD).write_bytes(b"\xff\xfe{"), r"flight\.json: not JSON"),
    "a list": (lambda f: (f / RECORD).write_text("[]"), r"format is 'list', expected 'humay-fl"),
    "another format": (
        changed(lambda d: d.update(format="humay-plan-1")),
        r"format is 'humay-plan-1', expected 'humay-flight-1'",
    ),
    "no epoch": (changed(lambda d: d.pop("epoch")), r"no 'epoch', expected one"),
    "bad epoch": (changed(lambda d: d.update(epoch="now")), r"not a whole flight: 'now' is not"),
    "no events": (changed(lambda d: d["satellites"][0].pop("events")), r"no 'events'"),
    "no column": (without_column, r"telemetry\.parquet: no column 'vx_m_s'"),
    "satellites": (changed(lambda d: d.update(satellites=7)), r"not a whole flight"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_flight_is_refused_in_one_line(
    damage: Callable[[Path], object], message: str, folder: Path
) -> None:
    damage(folder)
    with pytest.raises(SpacecraftError, match=message) as refusal:
        read_flight(folder)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)
