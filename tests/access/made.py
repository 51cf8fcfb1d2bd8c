"""Windows and contacts out of a random generator: whatever a table must carry, without an orbit."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from humay.access import Contacts, Opportunities, line_from_lonlath
from humay.access.records import column_names
from humay.access.strips import Strip
from humay.time import Epoch

EPOCH = Epoch(datetime(2016, 12, 31, tzinfo=UTC))  # its day ends in a leap second
SPAN_S = (0.0, 2 * 86_400.0)
WHOLE = {"epoch", "span_s", "strips"}


def made_windows(count: int, *, seed: int = 1, epoch: Epoch = EPOCH) -> Opportunities:
    """Windows of two satellites over as many points, and over two strips of an area."""
    chance = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        name: chance.uniform(0.1, 1.4, count) for name in column_names() if name != "line"
    }
    start_s = np.sort(chance.uniform(0.0, 172_000.0, count))
    places = [f"p{i}" if i % 3 else f"plain/{1 + i % 2:02d}" for i in range(count)]
    columns |= {
        "opportunity_id": np.array([f"sat:{i}" for i in range(count)], dtype=object),
        "satellite": np.array([f"sat-{i % 2 + 1}" for i in range(count)], dtype=object),
        "request": np.array([place.partition("/")[0] for place in places], dtype=object),
        "strip": np.array(places, dtype=object),
        "start_s": start_s,
        "end_s": start_s + chance.uniform(1.0, 400.0, count),
        "best_s": start_s + 0.5,
        "plan_start_s": np.where(np.arange(count) % 4 == 1, np.nan, start_s + 0.1),
        "plan_end_s": np.where(np.arange(count) % 4 == 1, np.nan, start_s + 0.2),
        "orbit": np.arange(count, dtype=np.int64) + 38_000,
        "ascending": np.arange(count) % 2 == 0,
        "data_bit": chance.uniform(1e9, 1e11, count),
        "line": line_from_lonlath(random_ends(chance, count)),
    }
    return Opportunities(epoch=epoch, span_s=SPAN_S, strips=made_strips(), **columns)


def random_ends(chance: np.random.Generator, count: int) -> Any:
    """Ends (n, 2, 3) of short lines, some of them over the antimeridian."""
    middle = np.stack([chance.uniform(-180, 180, count), chance.uniform(-85, 85, count)], axis=1)
    middle[::5, 0] = 179.99
    half = chance.uniform(0.02, 0.1, (count, 2))
    ends = np.stack([middle - half, middle + half], axis=1)
    return np.concatenate([ends, chance.uniform(-100, 5000, (count, 2, 1))], axis=2)


def made_strips() -> tuple[Strip, ...]:
    """An area over the antimeridian in two strips, and a strip that nobody sees."""
    return tuple(
        Strip(
            name=name,
            request=name.partition("/")[0],
            line=line_from_lonlath([[lon, 50.0, 10.0], [lon - 0.3, 51.0, 20.0]]),
            width_m=30_000.0,
            share=share,
        )
        for name, lon, share in (
            ("plain/01", 180.1, 0.5),
            ("plain/02", 179.7, 0.5),
            ("unseen/01", 179.2, 1.0),
        )
    )


def made_contacts(count: int, stations: list[str], *, seed: int = 2) -> Contacts:
    """Contacts of one satellite with stations in turn."""
    chance = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        field.name: chance.uniform(0.1, 1.4, count)
        for field in fields(Contacts)
        if field.name not in WHOLE
    }
    start_s = np.sort(chance.uniform(0.0, 86_000.0, count))
    columns |= {
        "contact_id": np.array([f"sat@{i}" for i in range(count)], dtype=object),
        "satellite": np.array(["sat-1"] * count, dtype=object),
        "station": np.array([stations[i % len(stations)] for i in range(count)], dtype=object),
        "start_s": start_s,
        "end_s": start_s + 300.0,
        "best_s": start_s + 150.0,
        "orbit": np.arange(count, dtype=np.int64),
    }
    return Contacts(epoch=EPOCH, span_s=SPAN_S, **columns)
