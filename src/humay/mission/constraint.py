"""Conditions on a look, joined by and, or, not: `off_nadir & ~glint | ...`.

A condition says under which circumstances a place may be imaged; it knows nothing of how a search
finds when they hold. What each quantity means stands in `docs/reference/constraints.md`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from shapely.geometry import MultiPolygon, Polygon

from humay.errors import RequestError
from humay.mission.kinds import Direction, Number, shown

Vector: TypeAlias = tuple[float, float, float]
BORESIGHT: Vector = (0.0, 0.0, 1.0)
MOST_CONDITIONS = 300  # in one tree
DEEPEST_TREE = 50  # joints inside each other
LONGEST_CYCLE = 100_000  # orbits, nineteen years of them
MOST_MASK_POINTS = 3_600
_TURN_RAD = 2 * math.pi
_DEG = math.pi / 180


@dataclass(frozen=True)
class Quantity:
    """A quantity of a look that a condition may bound: its name and unit in files, and its domain.

    `factor` is how many core units one unit of the files is. A circular quantity runs from `low`
    to `high` and begins again: its bounds may stand in any order, `[350, 20]` leads over north.
    """

    name: str
    core: str
    factor: float
    low: float
    high: float
    meaning: str
    circular: bool = False
    has_axis: bool = False

    @property
    def core_domain(self) -> tuple[float, float]:
        """The lowest and the highest value, core units."""
        return self.low * self.factor, self.high * self.factor


QUANTITIES = (
    Quantity("off_nadir_deg", "off_nadir_rad", _DEG, 0, 90, "between line of sight and nadir"),
    Quantity("roll_deg", "roll_rad", _DEG, -90, 90, "of the body, positive looks to port"),
    Quantity("pitch_deg", "pitch_rad", _DEG, -90, 90, "of the body, positive looks ahead"),
    Quantity(
        "incidence_deg", "incidence_rad", _DEG, 0, 90,
        "at the place, between the ellipsoid's normal and the satellite",
    ),
    Quantity(
        "azimuth_deg", "azimuth_rad", _DEG, 0, 360,
        "of the satellite seen from the place, clockwise from north", circular=True,
    ),
    Quantity("range_km", "range_m", 1e3, 0, 1e6, "from the satellite to the place"),
    Quantity("gsd_m", "gsd_m", 1.0, 0, 1e6, "ground sampling, mean of along and across"),
    Quantity("sun_elevation_deg", "sun_elevation_rad", _DEG, -90, 90, "of the Sun at the place"),
    Quantity(
        "sun_azimuth_deg", "sun_azimuth_rad", _DEG, 0, 360,
        "of the Sun at the place, clockwise from north", circular=True,
    ),
    Quantity(
        "glint_deg", "glint_rad", _DEG, 0, 180,
        "between the satellite and the Sun's mirror image in level water, at the place",
    ),
    Quantity(
        "local_solar_time_h", "local_solar_time_rad", math.pi / 12, 0, 24,
        "apparent solar time at the place: 12 h and the hour angle of the Sun", circular=True,
    ),
    Quantity(
        "sun_angle_deg", "sun_angle_rad", _DEG, 0, 180,
        "between the Sun and a body axis, by default the boresight", has_axis=True,
    ),
    Quantity(
        "moon_angle_deg", "moon_angle_rad", _DEG, 0, 180,
        "between the Moon's centre and a body axis, by default the boresight", has_axis=True,
    ),
    Quantity(
        "limb_angle_deg", "limb_angle_rad", _DEG, -90, 180,
        "of a body axis above the Earth's limb, a sphere of 6,371 km", has_axis=True,
    ),
    Quantity(
        "cloud_probability", "cloud_probability", 1.0, 0, 1,
        "of the cloud raster at the least off-nadir of the pass; it keeps or drops the whole pass",
    ),
)  # fmt: skip
QUANTITY = {quantity.name: quantity for quantity in QUANTITIES}
CORE_QUANTITY = {quantity.core: quantity for quantity in QUANTITIES}


class Constraint:
    """A condition. `a & b`, `a | b` and `~a` are conditions too."""

    def __and__(self, other: Constraint) -> AllOf:
        return AllOf(parts=(*_parts(self, AllOf), *_parts(other, AllOf)))

    def __or__(self, other: Constraint) -> AnyOf:
        return AnyOf(parts=(*_parts(self, AnyOf), *_parts(other, AnyOf)))

    def __invert__(self) -> Constraint:
        return self.part if isinstance(self, Not) else Not(part=self)


@dataclass(frozen=True, kw_only=True)
class Within(Constraint):
    """`low` <= quantity <= `high`, core units; infinite where there is no bound.

    `quantity` is the core name of one of `QUANTITIES`. On a circle both bounds are given and may
    stand in any order: from `low` clockwise to `high`. `axis` is a unit vector in body axes, for
    the quantities that have one.
    """

    quantity: str
    low: float = -math.inf
    high: float = math.inf
    axis: Vector = BORESIGHT

    def __post_init__(self) -> None:
        known = CORE_QUANTITY.get(self.quantity) if isinstance(self.quantity, str) else None
        if known is None:
            raise RequestError(
                f"quantity is {shown(self.quantity)}, expected one of {', '.join(CORE_QUANTITY)}"
            )
        for bound in (self.low, self.high):
            if not (Number().holds(bound, 1.0) or bound in (-math.inf, math.inf)):
                raise RequestError(f"{self.quantity}: a bound is {shown(bound)}, expected a number")
        if known.circular:
            self._refuse_off_circle(known)
        elif not (self.low <= self.high and self.low < math.inf and self.high > -math.inf):
            raise RequestError(
                f"{self.quantity}: from {self.low:g} to {self.high:g}, expected the lower first"
            )
        if not Direction().holds(self.axis, 1.0):
            raise RequestError(f"{self.quantity}: axis is {self.axis}, expected a unit vector")

    def _refuse_off_circle(self, known: Quantity) -> None:
        least, most = known.low * known.factor, known.high * known.factor
        if not (least <= self.low <= most and least <= self.high <= most):
            raise RequestError(
                f"{self.quantity}: from {self.low:g} to {self.high:g}, expected both between"
                f" {least:g} and {most:.6g}"
            )


@dataclass(frozen=True, kw_only=True)
class PassDirection(Constraint):
    """The satellite flies north (`ascending`) or south."""

    ascending: bool


@dataclass(frozen=True)
class Sunlit(Constraint):
    """The Earth covers no part of the Sun for the satellite."""


@dataclass(frozen=True, kw_only=True)
class HorizonMask(Constraint):
    """The satellite stands above a horizon of (azimuth, elevation) in rad, by rising azimuth,
    joined by straight lines and closed over north."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if not 0 < len(self.points) <= MOST_MASK_POINTS:
            raise RequestError(
                f"horizon mask has {len(self.points)} points, expected 1 to {MOST_MASK_POINTS}"
            )
        for azimuth, elevation in self.points:
            if not (0 <= azimuth < _TURN_RAD and -math.pi / 2 <= elevation < math.pi / 2):
                raise RequestError(
                    f"horizon mask has azimuth {math.degrees(azimuth):g} and elevation"
                    f" {math.degrees(elevation):g}, expected 0 to below 360 and -90 to below 90 deg"
                )
        for (before, _), (after, _) in pairwise(self.points):
            if not before < after:
                raise RequestError(
                    f"horizon mask has azimuth {math.degrees(after):g} after"
                    f" {math.degrees(before):g}, expected rising azimuths"
                )


@dataclass(frozen=True, kw_only=True)
class TerrainHorizon(Constraint):
    """The satellite stands above the terrain within `distance_m` of the place, by the mission's
    height model."""

    distance_m: float = 50_000.0

    def __post_init__(self) -> None:
        if not 0 < self.distance_m <= 300_000:
            raise RequestError(
                f"terrain horizon: distance is {self.distance_m / 1e3:g} km, expected up to 300"
            )


@dataclass(frozen=True, kw_only=True)
class Inside(Constraint):
    """The place lies in a polygon, edges straight in longitude and latitude (degrees)."""

    geometry: Polygon | MultiPolygon

    def __post_init__(self) -> None:
        if not isinstance(self.geometry, Polygon | MultiPolygon) or self.geometry.is_empty:
            raise RequestError(
                f"inside: geometry is a {type(self.geometry).__name__}, expected a polygon"
            )


@dataclass(frozen=True, kw_only=True)
class RelativeOrbit(Constraint):
    """The orbit is one of `numbers`, counted from 1 to `cycle` and again: 1 + (orbit + `shift` - 1)
    mod `cycle`."""

    numbers: tuple[int, ...]
    cycle: int
    shift: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.cycle <= LONGEST_CYCLE:
            raise RequestError(
                f"relative orbit: cycle is {shown(self.cycle)}, expected 1 to {LONGEST_CYCLE}"
            )
        if not abs(self.shift) <= LONGEST_CYCLE:
            raise RequestError(
                f"relative orbit: shift is {shown(self.shift)}, expected at most {LONGEST_CYCLE}"
                " either way"
            )
        if not 0 < len(self.numbers) <= self.cycle:
            raise RequestError(
                f"relative orbit has {len(self.numbers)} numbers, expected 1 to {self.cycle}"
            )
        for number in self.numbers:
            if not 1 <= number <= self.cycle:
                raise RequestError(
                    f"relative orbit has number {shown(number)}, expected 1 to the cycle of"
                    f" {self.cycle}"
                )


@dataclass(frozen=True, kw_only=True)
class AllOf(Constraint):
    """Every part holds."""

    parts: tuple[Constraint, ...]

    def __post_init__(self) -> None:
        _refuse_unfit(self.parts, "and")


@dataclass(frozen=True, kw_only=True)
class AnyOf(Constraint):
    """At least one part holds."""

    parts: tuple[Constraint, ...]

    def __post_init__(self) -> None:
        _refuse_unfit(self.parts, "or")


@dataclass(frozen=True, kw_only=True)
class Not(Constraint):
    """The part does not hold."""

    part: Constraint

    def __post_init__(self) -> None:
        _refuse_unfit((self.part,), "not")


def _parts(constraint: Constraint, joint: type[AllOf | AnyOf]) -> tuple[Constraint, ...]:
    """The parts of a joint of the same kind, so that long chains stay flat."""
    return constraint.parts if isinstance(constraint, joint) else (constraint,)


def _refuse_unfit(parts: tuple[Constraint, ...], word: str) -> None:
    """Raise unless `word` joins conditions, not too many and not too deep.

    The depth is bounded so that whoever walks down a tree may call itself.
    """
    if not isinstance(parts, tuple) or not parts:
        raise RequestError(f"{word!r} joins nothing, expected at least one condition")
    count, level = 0, list(parts)
    for _ in range(DEEPEST_TREE):
        below: list[Constraint] = []
        for part in level:
            match part:
                case AllOf(parts=inner) | AnyOf(parts=inner):
                    below += inner
                case Not(part=single):
                    below.append(single)
                case Constraint():
                    count += 1
                case _:
                    raise RequestError(f"{word!r} joins {shown(part)}, expected conditions")
        if count > MOST_CONDITIONS:
            raise RequestError(f"{word!r} joins over {MOST_CONDITIONS} conditions, expected fewer")
        if not below:
            return
        level = below
    raise RequestError(f"{word!r} is nested over {DEEPEST_TREE} deep, expected a flatter tree")


def leaves(constraint: Constraint) -> Iterator[Constraint]:
    """The conditions of a tree that are no joints, from left to right."""
    match constraint:
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from leaves(part)
        case Not(part=part):
            yield from leaves(part)
        case _:
            yield constraint


def asks_for(constraint: Constraint, quantity: str) -> bool:
    """Whether a condition of the tree bounds the quantity of this core name."""
    return any(
        isinstance(leaf, Within) and leaf.quantity == quantity for leaf in leaves(constraint)
    )
