"""What the value of one key may be: numbers in a range, texts, times, directions.

Each kind reads a value of a file, knows whether a record may hold the value in SI, describes itself
in words for messages and pages, and gives its JSON Schema.
"""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from numbers import Real
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from humay.errors import HumayError
from humay.time import parse_utc

Schema: TypeAlias = dict[str, Any]
"""A piece of JSON Schema (draft 2020-12)."""

_CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in which file we are reading, and the error to raise there."""

    file: str
    error: type[HumayError]
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.file}: [{'.'.join(self.path)}]" if self.path else f"{self.file}:"

    def inside(self, *names: str) -> Place:
        return Place(file=self.file, error=self.error, path=self.path + names)

    def refuse(self, what: str) -> NoReturn:
        raise self.error(f"{self} {what}")


class Unfit(Exception):
    """A value that is not of its kind; whoever knows the key says so to the user."""


class Kind(ABC):
    """One kind of value. Values are of any type until they are read."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What is expected, to follow the word 'expected'."""

    @abstractmethod
    def schema(self) -> Schema: ...

    @abstractmethod
    def holds(self, value: Any, factor: float) -> bool:
        """Whether a record may hold the value, `factor` SI units being one of the file."""

    def read(self, value: Any, inside: Place) -> Any:  # noqa: ARG002 - tables need the place
        """The value for a record, still in the file's unit; raises `Unfit`."""
        if not self.holds(value, 1.0):
            raise Unfit
        return value


@dataclass(frozen=True, kw_only=True)
class Number(Kind):
    """A finite number inside its range."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None

    @property
    def words(self) -> str:
        return f"a number{self._range_words()}"

    def _range_words(self) -> str:
        bounds = {
            "at least": self.at_least,
            "more than": self.above,
            "at most": self.at_most,
            "less than": self.below,
        }
        said = [f"{name} {value:.15g}" for name, value in bounds.items() if value is not None]
        return " ".join(("", " and ".join(said))) if said else ""

    def holds(self, value: Any, factor: float) -> bool:
        if isinstance(value, bool) or not isinstance(value, Real):
            return False
        try:
            number = float(value)
        except OverflowError:  # a whole number that no float can hold
            return False
        return (
            math.isfinite(number)
            and (self.at_least is None or number >= self.at_least * factor)
            and (self.above is None or number > self.above * factor)
            and (self.at_most is None or number <= self.at_most * factor)
            and (self.below is None or number < self.below * factor)
        )

    def read(self, value: Any, inside: Place) -> Any:
        return float(super().read(value, inside))

    def schema(self) -> Schema:
        bounds = {
            "minimum": self.at_least,
            "exclusiveMinimum": self.above,
            "maximum": self.at_most,
            "exclusiveMaximum": self.below,
        }
        return {"type": "number"} | {k: v for k, v in bounds.items() if v is not None}


@dataclass(frozen=True, kw_only=True)
class Whole(Number):
    """A whole number inside its range; `5.0` counts as 5, as in JSON."""

    @property
    def words(self) -> str:
        return f"a whole number{self._range_words()}"

    def holds(self, value: Any, factor: float) -> bool:
        return super().holds(value, factor) and value == int(value)

    def read(self, value: Any, inside: Place) -> Any:
        super().read(value, inside)
        return int(value)

    def schema(self) -> Schema:
        return super().schema() | {"type": "integer"}


@dataclass(frozen=True)
class Text(Kind):
    """A text of one line."""

    may_be_empty: bool = False

    @property
    def words(self) -> str:
        return "a text of one line" if self.may_be_empty else "a text of one line, not empty"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        if not isinstance(value, str) or not value.isprintable():
            return False
        return self.may_be_empty or bool(value.strip())

    def schema(self) -> Schema:
        return {"type": "string"} | ({} if self.may_be_empty else {"minLength": 1})


@dataclass(frozen=True)
class File(Text):
    """A path, relative to the file that names it; a record holds the whole path."""

    words = "a path relative to this file"

    def holds(self, value: Any, factor: float) -> bool:
        return isinstance(value, Path) or super().holds(value, factor)


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    of: tuple[str, ...]

    @property
    def words(self) -> str:
        return " or ".join(f'"{word}"' for word in self.of)

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, str) and value in self.of

    def schema(self) -> Schema:
        return {"enum": list(self.of)}


@dataclass(frozen=True)
class Names(Kind):
    """A list of different names, at least one."""

    words = "a list of different names, at least one"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return (
            isinstance(value, tuple)
            and len(value) > 0
            and all(Text().holds(name, 1.0) for name in value)
            and len(set(value)) == len(value)
        )

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list):
            raise Unfit
        return super().read(tuple(value), inside)

    def schema(self) -> Schema:
        return {"type": "array", "items": Text().schema(), "minItems": 1, "uniqueItems": True}


@dataclass(frozen=True)
class Choices(Kind):
    """A list of one or more of a few words, each at most once; a record holds a tuple."""

    of: tuple[str, ...]

    @property
    def words(self) -> str:
        return "a list of one or more of " + ", ".join(f'"{word}"' for word in self.of)

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        if not isinstance(value, tuple) or not value:
            return False
        return all(word in self.of for word in value) and len(set(value)) == len(value)

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise Unfit
        return super().read(tuple(value), inside)

    def schema(self) -> Schema:
        items = {"enum": list(self.of)}
        return {"type": "array", "items": items, "minItems": 1, "uniqueItems": True}


@dataclass(frozen=True)
class Flag(Kind):
    """`true` or `false`."""

    words = "true or false"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, bool)

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Time(Kind):
    """An instant: a TOML offset date-time, or ISO 8601 text with `Z` or an offset."""

    words = "a time with Z like 2026-03-01T06:30:00Z"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, datetime) and value.tzinfo is not None

    def read(self, value: Any, inside: Place) -> Any:
        try:
            if isinstance(value, str):
                return parse_utc(value)
            return super().read(value, inside).astimezone(UTC)
        except (HumayError, OverflowError) as error:
            raise Unfit from error

    def schema(self) -> Schema:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class TimeOfDay(Kind):
    """A clock time, `HH:MM` or with seconds, which becomes seconds after midnight."""

    words = 'a time of day like "10:30" or "10:30:00"'

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, Real) and 0 <= float(value) < 86_400

    def read(self, value: Any, inside: Place) -> Any:  # noqa: ARG002
        clock = value
        if isinstance(value, str) and re.fullmatch(_CLOCK, value):
            clock = time.fromisoformat(value)
        if not isinstance(clock, time) or clock.tzinfo is not None:
            raise Unfit
        return clock.hour * 3600.0 + clock.minute * 60.0 + clock.second

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^{_CLOCK}$"}


@dataclass(frozen=True)
class Direction(Kind):
    """Three numbers, which become a unit vector."""

    words = "three numbers that are not all zero"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return len(value) == 3 and abs(math.hypot(*value) - 1) < 1e-9

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list) or len(value) != 3:
            raise Unfit
        parts = [Number().read(part, inside) for part in value]
        largest = max(abs(part) for part in parts)
        if largest == 0:
            raise Unfit
        parts = [part / largest for part in parts]  # so that no square overflows or vanishes
        length = math.hypot(*parts)
        return tuple(part / length for part in parts)

    def schema(self) -> Schema:
        return {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}


@dataclass(frozen=True)
class Three(Kind):
    """Three numbers inside one range, of the axes x, y and z."""

    each: Number

    @property
    def words(self) -> str:
        return f"a list of three numbers, {self.each.words.removeprefix('a number ')} each"

    def holds(self, value: Any, factor: float) -> bool:
        if not isinstance(value, tuple) or len(value) != 3:
            return False
        return all(self.each.holds(part, factor) for part in value)

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list) or len(value) != 3:
            raise Unfit
        return tuple(self.each.read(part, inside) for part in value)

    def schema(self) -> Schema:
        return {"type": "array", "items": self.each.schema(), "minItems": 3, "maxItems": 3}


@dataclass(frozen=True)
class Interval(Kind):
    """Two numbers, the lower one first, both inside a range."""

    low: float
    high: float

    @property
    def words(self) -> str:
        return f"two numbers, the lower one first, from {self.low:g} to {self.high:g}"

    def holds(self, value: Any, factor: float) -> bool:
        return len(value) == 2 and self.low * factor <= value[0] < value[1] <= self.high * factor

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list) or len(value) != 2:
            raise Unfit
        return super().read(tuple(Number().read(end, inside) for end in value), inside)

    def schema(self) -> Schema:
        end = {"type": "number", "minimum": self.low, "maximum": self.high}
        return {"type": "array", "items": end, "minItems": 2, "maxItems": 2}


def shown(value: object, depth: int = 0) -> str:
    """A found value in a message, short whatever it is; `depth` is how many lists it lies in."""
    match value:
        case dict():
            return "a table"
        case list() | tuple() if len(value) > 4 or depth > 3:
            return f"a list of {len(value)}"
        case list() | tuple():
            return f"[{', '.join(shown(part, depth + 1) for part in value)}]"
        case datetime() | date() | time():
            return value.isoformat()
        case bool():
            return str(value).lower()
        case None:
            return "missing"
        case int() if abs(value) >= 10**20:
            return f"a whole number of {value.bit_length()} bits"
        case float():
            return repr(float(value))  # NumPy's say their type as well
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
