"""How long a satellite takes for a turn, where that is measured: a table, or a law of one's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, runtime_checkable

import numpy as np

from humay.arrays import FloatArray
from humay.errors import MissionError
from humay.mission.kinds import Kind, Number, Place, Schema, Unfit

_ANGLE_DEG = Number(at_least=0, at_most=180)
_SECONDS = Number(at_least=0, at_most=7_200)
_MOST_ROWS = 1_000


@runtime_checkable
class SlewLaw(Protocol):
    """What a turn takes at least, besides what rates and accelerations ask for."""

    def turn_s(self, angle_rad: FloatArray) -> FloatArray:
        """Seconds (...) from rest to rest for turns by angles (...) of 0 to pi about any axis,
        never negative and never less for more."""


@dataclass(frozen=True)
class SlewTable:
    """Measured turns: rows of angle (rad) and seconds, straight in between; from nothing at all to
    the first row, where that is not of angle 0."""

    rows: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not _is_table(self.rows):
            raise MissionError(
                "slew table: expected rows of angle and seconds, angles rising to 180 deg and"
                " seconds not falling"
            )

    def turn_s(self, angle_rad: FloatArray) -> FloatArray:
        angles, seconds = np.array(self.rows).T
        if angles[0] > 0:
            angles, seconds = np.append(0.0, angles), np.append(0.0, seconds)
        return np.asarray(np.interp(angle_rad, angles, seconds))


def _is_table(rows: tuple[tuple[float, float], ...]) -> bool:
    return (
        1 <= len(rows) <= _MOST_ROWS
        and all(0 <= angle <= math.pi + 1e-9 and 0 <= s <= 7_200 for angle, s in rows)
        and math.isclose(rows[-1][0], math.pi, rel_tol=1e-9)
        and rows[-1][1] > 0
        and all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(rows))
    )


@dataclass(frozen=True)
class SlewTableKind(Kind):
    """Rows of [angle_deg, seconds], which become a `SlewTable`; a record may hold any law."""

    words = "a list of [angle_deg, seconds], angles rising to 180 and seconds not falling"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, SlewLaw)

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list) or not all(
            isinstance(row, list) and len(row) == 2 for row in value
        ):
            raise Unfit
        rows = tuple(
            (math.radians(_ANGLE_DEG.read(angle, inside)), _SECONDS.read(seconds, inside))
            for angle, seconds in value
        )
        if not _is_table(rows):
            raise Unfit
        return SlewTable(rows)

    def schema(self) -> Schema:
        row = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
        return {"type": "array", "items": row, "minItems": 1, "maxItems": _MOST_ROWS}
