"""What the plan file holds, key by key (docs/reference/plan.md), and the walk that checks it.

The same rules stand in docs/schemas/plan.schema.json for other people's tools. Numbers have ranges
so wide that only nonsense is refused here; what is false but possible is for the checks to find.
"""

from __future__ import annotations

import math
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from humay.errors import HumayError, PlanError
from humay.time import parse_utc

FORMAT = "humay-plan-1"
REASONS = (
    "completion", "separation", "period", "no_opportunity", "margin", "imaged", "outage",
    "uplink", "keep_out", "slew", "imaging_time", "memory", "downlink", "energy",
)  # fmt: skip

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z", re.ASCII)


class Rule(Protocol):
    """What may stand at one place of the file. `Any`: JSON, whose types are what is being asked."""

    def check(self, value: Any, where: str) -> None:
        """Raise `PlanError` unless `value` may stand at `where`."""


def _refuse(where: str, value: Any, expected: str) -> None:
    # reprlib: a file may nest lists deeper than `repr` can follow
    raise PlanError(f"{where} is {reprlib.repr(value)}, expected {expected}")


@dataclass(frozen=True, kw_only=True)
class Number:
    """A finite number in a closed range; `above` shuts the lower end out."""

    low: float = -1e15
    high: float = 1e15
    above: float | None = None
    whole: bool = False

    def check(self, value: Any, where: str) -> None:
        low = self.low if self.above is None else self.above
        fits = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and low <= value <= self.high  # also refuses NaN
            and value != self.above
            and (not self.whole or value == math.floor(value))
        )
        if not fits:
            kind = "a whole number" if self.whole else "a number"
            bound = f"of at least {low:g}" if self.above is None else f"above {low:g}"
            _refuse(where, value, f"{kind} {bound} and at most {self.high:g}")


@dataclass(frozen=True, kw_only=True)
class Text:
    """Any text; `empty` allows none at all."""

    empty: bool = False

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, str) or not (value or self.empty):
            _refuse(where, value, "a text" if self.empty else "a text that is not empty")


@dataclass(frozen=True)
class Choice:
    """One of a few texts."""

    of: tuple[str, ...]

    def check(self, value: Any, where: str) -> None:
        if value not in self.of:
            _refuse(where, value, " or ".join(repr(name) for name in self.of))


class Time:
    """A UTC instant with `Z`."""

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            _refuse(where, value, "a time like 2026-03-01T06:30:00Z")
        try:
            parse_utc(value)
        except HumayError as error:
            raise PlanError(f"{where}: {error}") from error


class Flag:
    """true or false."""

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, bool):
            _refuse(where, value, "true or false")


@dataclass(frozen=True)
class OrNull:
    """null, or what the rule says."""

    rule: Rule

    def check(self, value: Any, where: str) -> None:
        if value is not None:
            self.rule.check(value, where)


@dataclass(frozen=True)
class Many:
    """A list of things of one kind, `least` to `most` of them."""

    rule: Rule
    least: int = 0
    most: int | None = None

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, Sequence) or isinstance(value, str):
            _refuse(where, value, "a list")
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            count = (
                f"at least {self.least}" if self.most is None else f"{self.least} to {self.most}"
            )
            raise PlanError(f"{where} has {len(value)} entries, expected {count}")
        for index, entry in enumerate(value):
            self.rule.check(entry, f"{where}[{index}]")


@dataclass(frozen=True)
class Named:
    """An object whose keys are the plan's own names."""

    rule: Rule

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            _refuse(where, value, "an object")
        for name, entry in value.items():
            self.rule.check(entry, f"{where}[{name!r}]")


class Record:
    """An object with exactly these keys, except that the `optional` ones may be missing."""

    def __init__(self, keys: Mapping[str, Rule], optional: Sequence[str] = ()) -> None:
        self.keys = keys
        self.optional = frozenset(optional)

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            _refuse(where, value, "an object")
        for key in self.keys:
            if key not in value and key not in self.optional:
                raise PlanError(f"{where} has no {key!r}, expected one (docs/reference/plan.md)")
        for key in value:
            if key not in self.keys:
                raise PlanError(f"{where} has {key!r}, expected only {', '.join(self.keys)}")
        for key, entry in value.items():
            self.keys[key].check(entry, f"{where}.{key}")


@dataclass(frozen=True)
class Tagged:
    """An object that says at `key` which of the records it is."""

    key: str
    of: Mapping[str, Record]

    def check(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            _refuse(where, value, "an object")
        tag = value.get(self.key)
        Choice(tuple(self.of)).check(tag, f"{where}.{self.key}")
        self.of[tag].check(value, where)


NUMBER, SHARE, COUNT = Number(), Number(low=-1.0, high=2.0), Number(low=0, whole=True)
TEXT, TIME, FLAG = Text(), Time(), Flag()
GBIT = Number(low=0, high=1e9)
ANGLE = Number(low=-360, high=360)
WIDTH = Number(above=0, high=1e7)
LON, LAT = Number(low=-1080, high=1080), Number(low=-90, high=90)


class LonLat:
    """[lon, lat], with a height besides where `height` says `yes` or `maybe`."""

    def __init__(self, height: str) -> None:
        self.count = {"no": (2, 2), "maybe": (2, 3), "yes": (3, 3)}[height]

    def check(self, value: Any, where: str) -> None:
        Many(NUMBER, *self.count).check(value, where)
        for rule, part in zip((LON, LAT, Number(low=-12e3, high=1e5)), value, strict=False):
            rule.check(part, where)


CENTRE_LINE = Many(LonLat("yes"), 2, 2)
POSITION = LonLat("maybe")
RING = Many(POSITION, 4)
QUATERNION = Many(Number(low=-2, high=2), 4, 4)
VECTOR = Many(Number(low=-360, high=360), 3, 3)
SPAN: dict[str, Rule] = {"start": TIME, "end": TIME}

SHAPES: dict[str, Rule] = {
    "Point": POSITION,
    "LineString": Many(POSITION, 2),
    "Polygon": Many(RING, 1),
    "MultiPolygon": Many(Many(RING, 1), 1),
}
GEOMETRY = Tagged(
    "type",
    {kind: Record({"type": TEXT, "coordinates": rule}) for kind, rule in SHAPES.items()},
)

SATELLITE = Record(
    {
        "name": TEXT,
        "orbit_epoch": TIME,
        "age_days": Many(Number(low=0), 2, 2),
        "orbit_sigma_m": Many(Number(low=0), 2, 2),
        "imaging_s": Number(low=0),
        "acquisitions": COUNT,
        "downlinked_gbit": GBIT,
    }
)

STRIP = Record(
    {
        "id": TEXT,
        "share": SHARE,
        "width_m": OrNull(WIDTH),
        "centre_line": OrNull(CENTRE_LINE),
        "acquisition": OrNull(TEXT),
        "acquisitions": Many(TEXT),
    },
    optional=("acquisitions",),
)

REQUEST = Record(
    {
        "name": TEXT,
        "kind": Choice(("point", "line", "area")),
        "priority": Number(low=1, high=10, whole=True),
        "weight": Number(above=0, high=1e9),
        "purpose": Text(empty=True),
        "height_m": OrNull(Number(low=-12e3, high=1e5)),
        "height_source": Choice(("geojson", "height_m", "dem", "relief")),
        "geometry": GEOMETRY,
        "opportunities": COUNT,
        "outcome": Choice(("served", "partly", "left out")),
        "fraction": SHARE,
        "strips": Many(STRIP),
        "worth": Record({"whole": Number(low=0), "expected": Number(low=0)}),
        "first": Record({"uplink": OrNull(TIME), "image": OrNull(TIME), "delivery": OrNull(TIME)}),
        "reason": OrNull(
            Record({"code": Choice(REASONS), "text": TEXT, "competitors": Many(TEXT)})
        ),
    },
    optional=("first", "worth"),
)

ACQUISITION = Record(
    {
        "id": TEXT,
        "satellite": TEXT,
        "request": TEXT,
        "strip": TEXT,
        "opportunity": TEXT,
        **SPAN,
        "orbit": Number(low=-1e6, high=1e6, whole=True),
        "anx_offset_s": Number(low=-1e5, high=1e5),
        "centre_line": CENTRE_LINE,
        "width_m": WIDTH,
        "line_period_s": Number(above=0, high=10),
        "off_nadir_deg": ANGLE,
        "roll_deg": ANGLE,
        "pitch_deg": ANGLE,
        "incidence_deg": ANGLE,
        "azimuth_deg": ANGLE,
        "sun_elevation_deg": ANGLE,
        "gsd_m": Number(above=0, high=1e6),
        "attitude_start": QUATERNION,
        "attitude_end": QUATERNION,
        "rate_start_deg_s": VECTOR,
        "rate_end_deg_s": VECTOR,
        "data_gbit": GBIT,
        "value": Number(low=0),
        "cloud_probability": Number(low=0, high=1),
        "cloud_time": TIME,
        "fresh": Number(low=0, high=1),
        "uplink": TEXT,
        "delivered": OrNull(TIME),
    },
    optional=("cloud_probability", "cloud_time", "fresh"),
)

CALIBRATION_LOOK = Record(
    {
        "id": TEXT,
        "target": TEXT,
        "opportunity": TEXT,
        **SPAN,
        "orbit": Number(low=-1e6, high=1e6, whole=True),
        "anx_offset_s": Number(low=-1e5, high=1e5),
        "law": Choice(("strip", "across", "inertial")),
        "centre_line": CENTRE_LINE,
        "ra_deg": ANGLE,
        "dec_deg": ANGLE,
        "attitude_start": QUATERNION,
        "rate_start_deg_s": VECTOR,
        "attitude_end": QUATERNION,
        "rate_end_deg_s": VECTOR,
        "line_period_s": Number(above=0, high=10),
        "data_gbit": GBIT,
        "value": Number(low=0),
        "uplink": TEXT,
        "delivered": OrNull(TIME),
    },
    optional=("centre_line", "ra_deg", "dec_deg"),
)

CALIBRATION = Record(
    {
        "name": TEXT,
        "calibration": TEXT,
        "kind": TEXT,
        "satellite": TEXT,
        "priority": Number(low=1, high=10, whole=True),
        "due": TIME,
        "deadline": TIME,
        "windows": COUNT,
        "outcome": Choice(("met", "late", "missed", "open", "made")),
        "next_due": TIME,
        "look": OrNull(CALIBRATION_LOOK),
        "reason": OrNull(
            Record({"code": Choice(REASONS), "text": TEXT, "competitors": Many(TEXT)})
        ),
    }
)

PASS = Record(
    {
        "id": TEXT,
        "station": TEXT,
        "satellite": TEXT,
        **SPAN,
        "uplink": FLAG,
        "contact_start": TIME,
        "contact_end": TIME,
        "max_elevation_deg": ANGLE,
    }
)

OUTAGE = Record(
    {
        "station": OrNull(TEXT),
        "satellite": OrNull(TEXT),
        **SPAN,
        "reason": TEXT,
        "cut": Many(TEXT),
        "dropped": Many(TEXT),
    }
)

DOWNLINK = Record(
    {
        "id": TEXT,
        "pass": TEXT,
        "satellite": TEXT,
        "station": TEXT,
        **SPAN,
        "gbit": GBIT,
        "items": Many(
            Record(
                {"acquisition": OrNull(TEXT), "aboard": TEXT, "gbit": GBIT}, optional=("aboard",)
            )
        ),
    }
)

PHASE = Record({"duration_s": Number(low=0, high=1e6), "acceleration_deg_s2": VECTOR})


def _mode(optional: Sequence[str] = (), **more: Rule) -> Record:
    return Record({"mode": TEXT, **SPAN, **more}, optional)


SEGMENT = Tagged(
    "mode",
    {
        "idle": _mode(law=Choice(("nadir", "sun", "charging"))),
        "slew": _mode(phases=Many(PHASE, 1), angle_deg=ANGLE),
        "settle": _mode(acquisition=TEXT),
        "image": _mode(acquisition=TEXT),
        "downlink": _mode(("law", "station"), law=Choice(("nadir",)), station=TEXT),
    },
)

FREED = Record({"pass": TEXT, "gbit": GBIT, "uplink": OrNull(TEXT), "time": OrNull(TIME)})

RESOURCES = Record(
    {
        "time": Many(TIME),
        "memory_gbit": Many(NUMBER),
        "freed": Many(FREED),
        "battery_wh": Many(NUMBER),
        "camera_k": Many(NUMBER),
        "imaging_s": Many(Many(NUMBER)),
    },
    optional=("battery_wh", "camera_k", "freed"),
)

STATE = Record(
    {"memory_gbit": GBIT, "battery_wh": GBIT, "camera_k": Number(low=0)},
    optional=("memory_gbit", "battery_wh", "camera_k"),
)

ABOARD = Record(
    {
        "id": TEXT,
        "satellite": TEXT,
        "request": OrNull(TEXT),
        "strip": OrNull(TEXT),
        "end": OrNull(TIME),
        "gbit": GBIT,
        "value": Number(low=0),
        "priority": Number(low=0, high=10, whole=True),
        "pass": OrNull(TEXT),
        "pass_end": OrNull(TIME),
        "delivered": OrNull(TIME),
    }
)

FAILED = Choice(("cloudy", "lost", "missed"))
OUTCOMES = Record(
    {
        "format": Choice(("humay-outcomes-1",)),
        "acquisitions": Many(Record({"id": TEXT, "what": FAILED})),
        "images": Many(Record({"strip": TEXT, "end": TIME, "what": FAILED})),
        "passes": Many(Record({"id": TEXT, "lost": Choice(("both", "uplink", "downlink"))})),
        "safe_modes": Many(Record({"satellite": TEXT, **SPAN, "reason": TEXT})),
    }
)

PREVIOUS = Record(
    {
        "sha256": TEXT,
        **SPAN,
        "release": TIME,
        "frozen_until": OrNull(TIME),
        "frozen": Many(TEXT),
        "lost": Many(TEXT),
        "kept": COUNT,
        "moved": COUNT,
        "dropped": COUNT,
        "added": COUNT,
        "stability": Number(low=0),
        "cost": Number(low=0),
        "withdrawn": Many(Record({"name": TEXT, "was": TEXT})),
        "counted_from": TIME,
        "cut_until": TIME,
        "imaged": Many(Record({"request": TEXT, "strip": TEXT, **SPAN}, optional=("start",))),
        "failed": Many(TEXT),
        "uplinks": Many(PASS),
        "state": Named(STATE),
        "lost_passes": Many(TEXT),
        "aboard": Many(ABOARD),
        "flown": Named(Many(Record(SPAN))),
        "lost_uplinks": Many(TEXT),
        "outcomes": OUTCOMES,
        "urgent": Record(
            {
                "most_changed": Number(low=0, high=1),
                "requests": Many(Record({"name": TEXT, "displaced": Many(TEXT)})),
            }
        ),
    },
    optional=(
        "lost_passes",
        "aboard",
        "urgent",
        "flown",
        "lost_uplinks",
        "outcomes",
        "counted_from",
        "cut_until",
    ),
)

PLAN = Record(
    {
        "format": Choice((FORMAT,)),
        "mission": TEXT,
        **SPAN,
        "release": TIME,
        "seed": Number(low=0, high=2**63 - 1, whole=True),
        "iterations": COUNT,
        "notes": Many(TEXT),
        "objective": Record(
            {
                "value": NUMBER,
                "bound": NUMBER,
                "gap": NUMBER,
                "method": TEXT,
                "kept": Many(TEXT),
                "relaxed": Many(TEXT),
            }
        ),
        "satellites": Many(SATELLITE),
        "requests": Many(REQUEST),
        "acquisitions": Many(ACQUISITION),
        "passes": Many(PASS),
        "outages": Many(OUTAGE),
        "downlinks": Many(DOWNLINK),
        "attitude": Named(Many(SEGMENT)),
        "resources": Named(RESOURCES),
        "eclipses": Named(Many(Record(SPAN))),
        "ground_tracks": Named(Many(LonLat("no"))),
        "calibrations": Many(CALIBRATION),
        "previous": PREVIOUS,
    },
    optional=("outages", "calibrations", "previous"),
)


def check_structure(plan: Any) -> None:
    """Raise `PlanError` unless a plan, as read from JSON, has the keys and types of its format."""
    if not isinstance(plan, Mapping):
        _refuse("the plan", plan, "an object")
    if plan.get("format") != FORMAT:
        raise PlanError(f"the plan has format {plan.get('format')!r}, expected {FORMAT!r}")
    PLAN.check(plan, "plan")
