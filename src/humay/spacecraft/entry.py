"""One JSON object of a plan file, asked for what must stand in it.

What is missing or of another kind is refused as `PlanError`: where, what was found, what was
expected.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from humay.arrays import FloatArray
from humay.errors import HumayError, PlanError
from humay.time import Epoch, parse_utc


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A JSON object of the plan, where it stands, and the zero of its times.

    `values` is JSON, whose types are what is being asked.
    """

    where: str
    values: Any
    epoch: Epoch

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            self._refuse("", self.values, "an object")

    def _refuse(self, key: str, found: Any, expected: str) -> None:
        place = f"{self.where}.{key}" if key else self.where
        raise PlanError(f"{place} is {reprlib.repr(found)}, expected {expected}")

    def any(self, key: str) -> Any:
        """What stands under a key, which must be there."""
        if key not in self.values:
            raise PlanError(f"{self.where} has no {key!r}, expected one")
        return self.values[key]

    def text(self, key: str, among: Sequence[str] = ()) -> str:
        found = self.any(key)
        if not isinstance(found, str) or (among and found not in among):
            self._refuse(key, found, " or ".join(map(repr, among)) if among else "a text")
        return str(found)

    def number(self, key: str, low: float = -1e15, high: float = 1e15) -> float:
        found = self.any(key)
        whole = isinstance(found, int | float) and not isinstance(found, bool)
        if not whole or not low <= found <= high:  # also refuses NaN
            self._refuse(key, found, f"a number from {low:g} to {high:g}")
        return float(found)

    def seconds(self, key: str) -> float:
        """A time, as seconds after the epoch."""
        text = self.text(key)
        try:
            return self.epoch.seconds(parse_utc(text))
        except HumayError as error:
            raise PlanError(f"{self.where}.{key}: {error}") from error

    def span_s(self) -> tuple[float, float]:
        """`start` and `end`, in this order."""
        start, end = self.seconds("start"), self.seconds("end")
        if not start < end:
            self._refuse("end", self.values["end"], f"a time after start, {self.values['start']}")
        return start, end

    def numbers(self, key: str, shape: tuple[int, ...], limit: float = 1e15) -> FloatArray:
        """Nested lists of finite numbers, of this shape."""
        found = self.any(key)
        try:
            made = np.array(found)
        except ValueError:  # lists of different lengths
            made = np.array("")
        fits = made.dtype.kind in "iuf" and made.shape == shape
        if not fits or not np.all(np.abs(made) <= limit):  # also refuses NaN
            self._refuse(key, found, f"{' x '.join(map(str, shape))} numbers up to {limit:g}")
        return made.astype(np.float64)

    def many(self, key: str, name: str = "id") -> list[Entry]:
        """The objects of a list, each named by its `name` where it has one, else by its place."""
        found = self.any(key)
        if not isinstance(found, list):
            self._refuse(key, found, "a list")
        entries = []
        for i, values in enumerate(found):
            label = values.get(name, i) if isinstance(values, Mapping) else i
            where = f"{self.where}.{key}[{reprlib.repr(label)}]"
            entries.append(Entry(where=where, values=values, epoch=self.epoch))
        return entries

    def inside(self, key: str) -> Entry:
        """The object under a key."""
        return Entry(where=f"{self.where}.{key}", values=self.any(key), epoch=self.epoch)
