"""Trees of conditions in words, for reports and messages."""

from __future__ import annotations

import math

from humay.mission.constraint import (
    BORESIGHT,
    CORE_QUANTITY,
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
    Within,
)

_MOST_NUMBERS = 6  # of relative orbits that are listed


def describe(constraint: Constraint) -> str:
    """One readable line: `incidence at most 30 deg and (ascending or not glint at most 20 deg)`."""
    match constraint:
        case AllOf(parts=parts):
            return " and ".join(_inside(part) for part in parts)
        case AnyOf(parts=parts):
            return " or ".join(_inside(part) for part in parts)
        case Not(part=part):
            return f"not {_inside(part)}"
        case Within():
            return _within(constraint)
        case PassDirection(ascending=ascending):
            return "ascending" if ascending else "descending"
        case Sunlit():
            return "sunlit"
        case HorizonMask(points=points):
            return f"above a horizon of {len(points)} point{'s' * (len(points) > 1)}"
        case TerrainHorizon(distance_m=distance_m):
            return f"above the terrain within {distance_m / 1e3:g} km"
        case Inside():
            return _inside_of(constraint)
        case RelativeOrbit():
            return _relative_orbit(constraint)
    raise TypeError(f"{type(constraint).__name__} is no condition")


def quantity_label(quantity: Quantity) -> str:
    """What a quantity is called in a sentence: its name without the unit."""
    words, unit = _name_and_unit(quantity)
    return words if unit else quantity.name.replace("_", " ")


def quantity_text(quantity: Quantity, value: float) -> str:
    """A value in core units as people read it: `31.2 deg`."""
    _, unit = _name_and_unit(quantity)
    return f"{value / quantity.factor:.6g} {unit}".rstrip()


def _name_and_unit(quantity: Quantity) -> tuple[str, str]:
    name, _, unit = quantity.name.rpartition("_")
    known = unit in ("deg", "km", "m", "h")
    return (name.replace("_", " "), unit) if known else (quantity.name.replace("_", " "), "")


def _inside(part: Constraint) -> str:
    """A part of a joint, in brackets if it is one itself of several parts."""
    several = isinstance(part, AllOf | AnyOf) and len(part.parts) > 1
    return f"({describe(part)})" if several else describe(part)


def _within(condition: Within) -> str:
    quantity = CORE_QUANTITY[condition.quantity]
    said = f"{quantity_label(quantity)} {_bounds(condition, quantity)}"
    if condition.axis == BORESIGHT:
        return said
    return f"{said} from axis ({', '.join(f'{part:.4g}' for part in condition.axis)})"


def _bounds(condition: Within, quantity: Quantity) -> str:
    low, high = quantity_text(quantity, condition.low), quantity_text(quantity, condition.high)
    if condition.low == -math.inf:
        return "of any value" if condition.high == math.inf else f"at most {high}"
    if condition.high == math.inf:
        return f"at least {low}"
    return f"{condition.low / quantity.factor:.6g} to {high}"


def _inside_of(condition: Inside) -> str:
    west, south, east, north = condition.geometry.bounds
    return f"inside a polygon of lon {west:.6g} to {east:.6g}, lat {south:.6g} to {north:.6g}"


def _relative_orbit(condition: RelativeOrbit) -> str:
    numbers = [str(number) for number in condition.numbers]
    if len(numbers) > _MOST_NUMBERS:
        return f"relative orbit one of {len(numbers)} out of {condition.cycle}"
    listed = " or ".join(filter(None, (", ".join(numbers[:-1]), numbers[-1])))
    return f"relative orbit {listed} of {condition.cycle}"
