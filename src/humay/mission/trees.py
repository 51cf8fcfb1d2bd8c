"""Trees of conditions in files: tables of conditions joined by `and`, `or`, `not`, and lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from humay.errors import RequestError
from humay.mission.constraint import (
    BORESIGHT,
    LONGEST_CYCLE,
    MOST_MASK_POINTS,
    QUANTITIES,
    QUANTITY,
    AllOf,
    AnyOf,
    Constraint,
    HorizonMask,
    Inside,
    Not,
    PassDirection,
    Quantity,
    RelativeOrbit,
    Sunlit,
    TerrainHorizon,
    Vector,
    Within,
)
from humay.mission.geometry import read_geometry
from humay.mission.keys import Key, Sub, Table, made, suggestion
from humay.mission.kinds import (
    Choice,
    Direction,
    Flag,
    Kind,
    Number,
    Place,
    Schema,
    Unfit,
    Whole,
    shown,
)

MOST_IN_FILE = 100  # conditions: a satellite's and a request's fit one tree together
DEEPEST_IN_FILE = 40  # lists and tables inside each other
_AXIS = "axis"
_JOINTS: dict[str, Callable[..., AllOf | AnyOf]] = {"and": AllOf, "or": AnyOf}
_PASSES = Choice(("ascending", "descending"))
_MASK_POINT = (Number(at_least=0, below=360), Number(at_least=-90, below=90))
_DISTANCE = Number(above=0, at_most=300)
_WITH_AXIS = tuple(quantity.name for quantity in QUANTITIES if quantity.has_axis)


@dataclass(frozen=True)
class ConstraintTree(Kind):
    """A tree of conditions in a file: tables of conditions, all of which must hold, joined by
    `and`, `or` (lists) and `not`; a list stands for `and`."""

    words = "conditions joined by `and`, `or`, `not`"

    def holds(self, value: Any, factor: float) -> bool:  # noqa: ARG002
        return isinstance(value, Constraint)

    def read(self, value: Any, inside: Place) -> Constraint:
        _refuse_large(value, inside)
        return _tree(value, inside)

    def schema(self) -> Schema:
        return {"$ref": "#/$defs/conditions"}


def _refuse_large(value: Any, place: Place) -> None:
    """Refuse too many or too deep conditions, before anything that calls itself reads them."""
    count, level = 0, [value]
    for _ in range(DEEPEST_IN_FILE):
        below: list[Any] = []
        for part in level:
            if isinstance(part, list):
                below += part
            elif isinstance(part, dict):
                joined = [part[name] for name in (*_JOINTS, "not") if name in part]
                below += joined
                count += len(part) - len(joined)
        if count > MOST_IN_FILE:
            place.refuse(f"has over {MOST_IN_FILE} conditions, expected fewer")
        if not below:
            return
        level = below
    place.refuse(f"is nested over {DEEPEST_IN_FILE} deep, expected a flatter tree")


def _tree(value: Any, place: Place) -> Constraint:
    if isinstance(value, list):
        return _joined(AllOf, value, place)
    if not isinstance(value, dict):
        place.refuse(f"is {shown(value)}, expected a table of conditions or a list of them")
    axis = _axis(value, place)
    found = [_part(str(name), entry, axis, place) for name, entry in value.items() if name != _AXIS]
    if not found:
        place.refuse("has no condition, expected at least one")
    return found[0] if len(found) == 1 else AllOf(parts=tuple(found))


def _axis(value: dict[str, Any], place: Place) -> Vector:
    """The body axis that the angles of a table are measured from."""
    if _AXIS not in value:
        return BORESIGHT
    if not any(name in value for name in _WITH_AXIS):
        place.refuse(f"has an axis without its angle, expected one of {', '.join(_WITH_AXIS)}")
    axis: Vector = _fit(Direction(), value[_AXIS], place.inside(_AXIS))
    return axis


def _joined(make: Callable[..., AllOf | AnyOf], value: Any, place: Place) -> Constraint:
    if not isinstance(value, list) or not value:
        place.refuse(f"is {shown(value)}, expected a list of conditions")
    parts = (_tree(part, place.inside(str(number))) for number, part in enumerate(value, start=1))
    return make(parts=tuple(parts))


def _part(name: str, value: Any, axis: Vector, table: Place) -> Constraint:
    place = table.inside(name)
    if name in _JOINTS:
        return _joined(_JOINTS[name], value, place)
    if name == "not":
        return Not(part=_tree(value, place))
    if name in QUANTITY:
        return _within(QUANTITY[name], value, axis, place)
    if name not in _OTHERS:
        known = (*QUANTITY, *_OTHERS, *_JOINTS, "not", _AXIS)
        table.refuse(f"unknown condition {shown(name)}{suggestion(name, known)}")
    return _OTHERS[name](value, place)


def _within(quantity: Quantity, value: Any, axis: Vector, place: Place) -> Constraint:
    low, high = _bounds(quantity, value, place)
    return Within(
        quantity=quantity.core,
        low=-math.inf if low is None else low * quantity.factor,
        high=math.inf if high is None else high * quantity.factor,
        axis=axis if quantity.has_axis else BORESIGHT,
    )


def _bounds(quantity: Quantity, value: Any, place: Place) -> tuple[float | None, float | None]:
    inside = Number(at_least=quantity.low, at_most=quantity.high)
    if not isinstance(value, list) or len(value) != 2:
        place.refuse(f"is {shown(value)}, expected [low, high]")
    for bound in value:
        if bound is None and quantity.circular:
            place.refuse(f"is {shown(value)}, expected both bounds, for it runs in a circle")
        if bound is not None and not inside.holds(bound, 1.0):
            place.refuse(
                f"is {shown(value)}, expected bounds from {quantity.low:g} to {quantity.high:g}"
            )
    low, high = (None if bound is None else float(bound) for bound in value)
    if low is None and high is None:
        place.refuse(f"is {shown(value)}, expected at least one bound")
    if not quantity.circular and low is not None and high is not None and low > high:
        place.refuse(f"is {shown(value)}, expected the lower bound first")
    return low, high


def _fit(kind: Kind, value: Any, place: Place) -> Any:
    """A value of one kind, as its `read` gives it."""
    try:
        return kind.read(value, place)
    except Unfit:
        place.refuse(f"is {shown(value)}, expected {kind.words}")


def _pass_direction(value: Any, place: Place) -> Constraint:
    return PassDirection(ascending=_fit(_PASSES, value, place) == "ascending")


def _sunlit(value: Any, place: Place) -> Constraint:
    return Sunlit() if _fit(Flag(), value, place) else Not(part=Sunlit())


def _horizon_mask(value: Any, place: Place) -> Constraint:
    if not isinstance(value, list):
        place.refuse(f"is {shown(value)}, expected a list of [azimuth, elevation] in degrees")
    points = [_mask_point(point, place.inside(str(i))) for i, point in enumerate(value, start=1)]
    mask: HorizonMask = made(HorizonMask, {"points": tuple(points)}, place)
    return mask


def _mask_point(value: Any, place: Place) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        place.refuse(f"is {shown(value)}, expected [azimuth, elevation] in degrees")
    azimuth, elevation = (
        math.radians(_fit(kind, part, place)) for kind, part in zip(_MASK_POINT, value, strict=True)
    )
    return azimuth, elevation


def _terrain_horizon(value: Any, place: Place) -> Constraint:
    return TerrainHorizon(distance_m=_fit(_DISTANCE, value, place) * 1e3)


def _inside(value: Any, place: Place) -> Constraint:
    kind, shape, _ = read_geometry(value, place)
    if kind != "area":
        place.refuse(f"is a {kind}, expected a Polygon or MultiPolygon")
    return Inside(geometry=shape)


@dataclass(frozen=True)
class _Numbers(Kind):
    """A list of whole numbers, which becomes a tuple."""

    words = "a list of whole numbers"

    def holds(self, value: Any, factor: float) -> bool:
        return isinstance(value, list) and all(Whole(at_least=1).holds(n, factor) for n in value)

    def read(self, value: Any, inside: Place) -> Any:
        return tuple(int(n) for n in super().read(value, inside))

    def schema(self) -> Schema:
        return {"type": "array", "items": Whole(at_least=1).schema(), "minItems": 1}


RELATIVE_ORBIT = Table(
    label="relative orbit",
    error=RequestError,
    keys=(
        Key("numbers", _Numbers(), "of the relative orbits, from 1 to `cycle`"),
        Key("cycle", Whole(at_least=1, at_most=LONGEST_CYCLE), "orbits until the track repeats"),
        Key(
            "shift",
            Whole(at_least=-LONGEST_CYCLE, at_most=LONGEST_CYCLE),
            "added to the orbit number before it is counted round",
            default=0,
        ),
    ),
)
_RELATIVE_ORBIT = Sub(table=RELATIVE_ORBIT, make=RelativeOrbit)


def _relative_orbit(value: Any, place: Place) -> Constraint:
    orbit: RelativeOrbit = _RELATIVE_ORBIT.read(value, place)
    return orbit


_OTHERS: dict[str, Callable[[Any, Place], Constraint]] = {
    "pass_direction": _pass_direction,
    "sunlit": _sunlit,
    "horizon_mask": _horizon_mask,
    "terrain_horizon_km": _terrain_horizon,
    "inside": _inside,
    "relative_orbit": _relative_orbit,
}

# Schema ------------------------------------------------------------------------------------------


def definitions() -> Schema:
    """The `$defs` that the schema of a file with trees refers to (JSON Schema, draft 2020-12).

    It cannot say that the lower bound stands first, nor how deep a tree may be.
    """
    tree: Schema = {"$ref": "#/$defs/conditions"}
    trees = {"type": "array", "items": tree, "minItems": 1}
    conditions = {
        **{quantity.name: _bounds_schema(quantity) for quantity in QUANTITIES},
        "pass_direction": _PASSES.schema(),
        "sunlit": Flag().schema(),
        "horizon_mask": {
            "type": "array",
            "items": {
                "type": "array",
                "prefixItems": [kind.schema() for kind in _MASK_POINT],
                "minItems": 2,
                "maxItems": 2,
            },
            "minItems": 1,
            "maxItems": MOST_MASK_POINTS,
        },
        "terrain_horizon_km": _DISTANCE.schema(),
        "inside": {"$ref": "#/$defs/polygon"},
        "relative_orbit": _RELATIVE_ORBIT.schema(),
        "and": trees,
        "or": trees,
        "not": tree,
    }
    table = {
        "type": "object",
        "properties": {**conditions, _AXIS: Direction().schema()},
        "additionalProperties": False,
        "minProperties": 1,
        "dependentSchemas": {_AXIS: {"anyOf": [{"required": [name]} for name in _WITH_AXIS]}},
    }
    return {"conditions": {"anyOf": [table, trees]}, "polygon": _polygon_schema()}


def quantities_markdown() -> str:
    """The quantities as a table of the reference page."""
    rows = [
        f"| `{q.name}` | {q.low:g} to {int(q.high):,}{', a circle' * q.circular} | {q.meaning} |"
        for q in QUANTITIES
    ]
    return "\n".join(("| quantity | values | meaning |", "| --- | --- | --- |", *rows))


def _bounds_schema(quantity: Quantity) -> Schema:
    bound = Number(at_least=quantity.low, at_most=quantity.high).schema()
    return {
        "type": "array",
        "items": bound if quantity.circular else {"anyOf": [bound, {"type": "null"}]},
        "contains": {"type": "number"},
        "minItems": 2,
        "maxItems": 2,
        "description": quantity.meaning,
    }


def _polygon_schema() -> Schema:
    position = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
    ring = {"type": "array", "items": position, "minItems": 4}
    polygon = {"type": "array", "items": ring, "minItems": 1}
    shapes = {"Polygon": polygon, "MultiPolygon": {"type": "array", "items": polygon}}
    return {
        "oneOf": [
            {
                "type": "object",
                "properties": {"type": {"const": name}, "coordinates": coordinates},
                "required": ["type", "coordinates"],
            }
            for name, coordinates in shapes.items()
        ]
    }
