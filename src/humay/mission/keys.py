"""The keys of a file, each declared once.

A `Table` of `Key`s is at once the strict loader, the range check of the record it becomes, its JSON
Schema and its rows on the reference page. The unit stands at the end of a key's name
(`max_off_nadir_deg`); the record holds the same quantity in SI (`max_off_nadir_rad`).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, TypeAlias

from humay.errors import HumayError, MissionError
from humay.mission.kinds import Kind, Place, Schema, Unfit, shown

Fields: TypeAlias = dict[str, Any]
"""Values by field name, in SI: of any type, until a record takes them."""


class Unset(Enum):
    """What a key's default may be besides a value: there is none, the key must be given."""

    REQUIRED = "required"


REQUIRED = Unset.REQUIRED


@dataclass(frozen=True)
class SameAs:
    """A default taken from another key of the same table."""

    key: str


@dataclass(frozen=True)
class Unit:
    """A unit of the files, the SI unit it becomes, and how many of these one is."""

    file: str
    core: str
    factor: float


NO_UNIT = Unit("", "", 1.0)
UNITS = (
    Unit("deg_s2", "rad_s2", math.pi / 180),
    Unit("mbit_s", "bit_s", 1e6),
    Unit("deg_s", "rad_s", math.pi / 180),
    Unit("gbit", "bit", 1e9),
    Unit("mrad", "rad", 1e-3),
    Unit("deg", "rad", math.pi / 180),
    Unit("km", "m", 1e3),
    Unit("nm", "m", 1e-9),
    Unit("wh", "j", 3600.0),
)


@dataclass(frozen=True)
class Key:
    """One key: its name in the file with its unit, what it may be, and what it means.

    `default` is in the file's unit; None means that the key may be absent and the field is None.
    `field` is the name in the record where the unit's rule does not give it.
    """

    name: str
    kind: Kind
    meaning: str
    default: Any = REQUIRED
    field: str = ""

    @property
    def unit(self) -> Unit:
        return next((u for u in UNITS if self.name.endswith("_" + u.file)), NO_UNIT)

    @property
    def field_name(self) -> str:
        if self.field or self.unit is NO_UNIT:
            return self.field or self.name
        return self.name.removesuffix(self.unit.file) + self.unit.core

    def read(self, value: Any, place: Place) -> Any:
        """The value in SI; a refusal names the key, what was found and what was expected."""
        try:
            read = self.kind.read(value, place.inside(self.name))
        except Unfit:
            place.refuse(f"{self.name} is {shown(value)}, expected {self.kind.words}")
        if self.unit is NO_UNIT:
            return read
        if isinstance(read, tuple):
            return tuple(part * self.unit.factor for part in read)
        return read * self.unit.factor

    def fault(self, value: Any) -> str:
        """What is wrong with the value of a record, or nothing."""
        if (value is None and self.default is None) or self.kind.holds(value, self.unit.factor):
            return ""
        of = "" if self.unit is NO_UNIT else f" in {self.name}"
        return f"{self.field_name} is {shown(value)}, expected {self.kind.words}{of}"

    @property
    def default_words(self) -> str:
        """The column 'default' of the reference page."""
        match self.default:
            case Unset.REQUIRED:
                return "required"
            case SameAs(key=other):
                return f"as `{other}`"
            case None:
                return "-"
            case [] | {}:
                return "none"
            case list():
                return ", ".join(f'`"{word}"`' for word in self.default)
            case bool():
                return f"`{str(self.default).lower()}`"
            case str():
                return f'`"{self.default}"`'
        return f"`{self.default:g}`"

    def schema(self) -> Schema:
        schema = self.kind.schema() | {"description": self.meaning}
        if self.default is None or isinstance(self.default, Unset | SameAs):
            return schema
        return schema | {"default": self.default}


@dataclass(frozen=True, kw_only=True)
class Table:
    """All keys of one table of a file; no other key is read.

    `label` is what one such thing is called in messages. `rules` adds to the JSON Schema what holds
    between keys.
    """

    label: str
    keys: tuple[Key, ...]
    noun: str = "key"
    error: type[HumayError] = MissionError
    rules: Mapping[str, Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(key.name for key in self.keys)

    def key(self, name: str) -> Key:
        return next(key for key in self.keys if key.name == name)

    def read(self, raw: Any, place: Place) -> Fields:
        """Every field in SI, defaults filled in. Refuses what is unknown, missing or unfit."""
        if not isinstance(raw, dict):
            place.refuse(f"is {shown(raw)}, expected a table")
        self._refuse_unknown(raw, place)
        values: Fields = {}
        for key in self.keys:
            if key.name in raw:
                values[key.field_name] = key.read(raw[key.name], place)
            elif key.default is REQUIRED:
                place.refuse(
                    f"{self.noun} {key.name!r} is missing, expected {key.kind.words}: {key.meaning}"
                )
            elif isinstance(key.default, SameAs):
                values[key.field_name] = values[self.key(key.default.key).field_name]
            elif key.default is None:
                values[key.field_name] = None
            else:
                values[key.field_name] = key.read(key.default, place)
        return values

    def _refuse_unknown(self, raw: Iterable[object], place: Place) -> None:
        for name in raw:
            if name in self.names:
                continue
            for key in self.keys:
                if isinstance(key.kind, Sub) and name in key.kind.table.names:
                    inner = ".".join((*place.path, key.name))
                    place.refuse(f"unknown {self.noun} {name!r}, expected it in [{inner}]")
            place.refuse(f"unknown {self.noun} {shown(name)}{suggestion(name, self.names)}")

    def check(self, record: object) -> None:
        """Raise unless each field of a record that has a key here lies in the key's range."""
        assert is_dataclass(record)
        present = {field.name for field in fields(record)}
        for key in self.keys:
            if key.field_name not in present:
                continue
            if fault := key.fault(getattr(record, key.field_name)):
                name = getattr(record, "name", None)
                who = self.label if name is None else f"{self.label} {name!r}"
                raise self.error(f"{who}: {fault}")

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {key.name: key.schema() for key in self.keys},
            "required": [key.name for key in self.keys if key.default is REQUIRED],
            "additionalProperties": False,
            **(self.rules or {}),
        }

    def markdown(self) -> str:
        """The keys as a table of the reference page."""
        rows = [
            f"| `{key.name}` | {key.kind.words} | {key.default_words} | {key.meaning} |"
            for key in self.keys
        ]
        return "\n".join(
            ("| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows)
        )


@dataclass(frozen=True, kw_only=True)
class Sub(Kind):
    """A table inside a table; `make` turns its fields into a record."""

    table: Table
    make: Callable[..., Any]

    words = "a table"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return not isinstance(value, str | int | float)  # a record has checked itself

    def read(self, value: Any, inside: Place) -> Any:
        return made(self.make, self.table.read(value, inside), inside)

    def schema(self) -> Schema:
        return self.table.schema()


@dataclass(frozen=True, kw_only=True)
class Rows(Kind):
    """A list of tables of one form, which becomes a tuple of records."""

    table: Table
    make: Callable[..., Any]

    words = "a list of tables"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, tuple)

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, list):
            raise Unfit
        places = [inside.inside(str(number)) for number in range(1, len(value) + 1)]
        return tuple(
            made(self.make, self.table.read(row, place), place)
            for row, place in zip(value, places, strict=True)
        )

    def schema(self) -> Schema:
        return {"type": "array", "items": self.table.schema()}


@dataclass(frozen=True, kw_only=True)
class Named(Kind):
    """Tables of one form under names of the user's choice, which become a dict by name."""

    table: Table
    make: Callable[..., Any]
    must_have: tuple[str, ...] = ()
    may_be_empty: bool = False

    words = "tables with names"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, dict)

    def read(self, value: Any, inside: Place) -> Any:
        if not isinstance(value, dict):
            raise Unfit
        for name in value:
            if not is_name(name):
                inside.refuse(f"has the name {shown(name)}, expected {NAME_WORDS}")
        for name in self.must_have:
            if name not in value:
                found = ", ".join(value) or "none"
                inside.refuse(f"table {name!r} is missing, expected it among those found: {found}")
        if not value and not self.may_be_empty:
            inside.refuse(f"is empty, expected at least one {self.table.label}")
        parent = Place(file=inside.file, error=inside.error, path=inside.path[:-1])
        return {
            name: made(
                self.make, {"name": name} | self.table.read(raw, inside.inside(name)), parent
            )
            for name, raw in value.items()
        }

    def schema(self) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.table.schema()}
        if self.must_have:
            schema["required"] = list(self.must_have)
        if not self.may_be_empty:
            schema["minProperties"] = 1
        return schema


def made(make: Callable[..., Any], values: Fields, place: Place) -> Any:
    """A record from its fields; what it refuses itself is said with the place in the file."""
    try:
        return make(**values)
    except HumayError as error:
        raise place.error(f"{place} {error}") from error


NAME_WORDS = "1 to 100 printable characters without / or \\ and without blanks around them"


def is_name(name: object) -> bool:
    """Whether a text can name a thing: names become parts of file names and of messages."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 100
        and name.isprintable()
        and name == name.strip()
        and not set(name) & set("/\\")
    )


def suggestion(name: object, known: Iterable[str]) -> str:
    """How a message about an unknown name goes on: the nearest known one, or all of them."""
    known = list(known)
    near = difflib.get_close_matches(str(name), known, n=1)
    if near:
        return f", did you mean {near[0]!r}?"
    return f", expected one of: {', '.join(known) or 'none'}"
