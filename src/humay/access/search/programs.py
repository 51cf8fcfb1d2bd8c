"""Trees of conditions as arrays: half-spaces joined by and, or.

Every condition becomes half-spaces, functions of time that are positive where it holds; `not` is
carried down to them. A program is a list of clauses that must all hold, each half-spaces and joints
in reverse Polish order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from humay.arrays import FloatArray, IntArray
from humay.errors import AccessError
from humay.mission import (
    CORE_QUANTITY,
    AllOf,
    AnyOf,
    Constraint,
    HorizonMask,
    Inside,
    Not,
    PassDirection,
    RelativeOrbit,
    Sunlit,
    TerrainHorizon,
    Within,
)

# What a half-space is of. With sign +1 it holds where the quantity is at least its limit, with -1
# where it is at most.
(
    OFF_NADIR, ROLL, PITCH, INCIDENCE, RANGE, GSD, AZIMUTH, SUN_ELEVATION, SUN_AZIMUTH, GLINT,
    LOCAL_TIME, SUN_ANGLE, MOON_ANGLE, LIMB_ANGLE, ASCENDING, SUNLIT, HORIZON, TERRAIN, INSIDE,
    ORBIT, CLOUD, SWATH,
) = range(22)  # fmt: skip
KIND, SIGN, LIMIT, AXIS_X, AXIS_Y, AXIS_Z, OFFSET, COUNT = range(8)  # columns of a half-space

NODE_M = 50_000.0  # limits bend so little that no sweep meets them at these places and not between
DENSE_NODE_M = 5_000.0  # gaps between conditions may be narrow
TERRAIN_POINTS = 360  # of the horizon of one place

AND, OR, CLAUSE = -1, -2, -3  # joints of a program, and the end of a clause
DEEPEST = 12  # operands that wait at once

_KINDS = {
    "off_nadir_rad": OFF_NADIR, "roll_rad": ROLL, "pitch_rad": PITCH, "incidence_rad": INCIDENCE,
    "azimuth_rad": AZIMUTH, "range_m": RANGE, "gsd_m": GSD, "sun_elevation_rad": SUN_ELEVATION,
    "sun_azimuth_rad": SUN_AZIMUTH, "glint_rad": GLINT, "local_solar_time_rad": LOCAL_TIME,
    "sun_angle_rad": SUN_ANGLE, "moon_angle_rad": MOON_ANGLE, "limb_angle_rad": LIMB_ANGLE,
    "cloud_probability": CLOUD,
}  # fmt: skip
_CIRCULAR = (AZIMUTH, SUN_AZIMUTH, LOCAL_TIME)


class Programs(NamedTuple):
    """Programs for the compiled search.

    `halves` (h, 8) are the half-spaces, `tokens` their numbers and the joints; program i is
    `tokens[start[i] : start[i + 1]]`. `numbers` holds what a half-space has a list of, from OFFSET
    on: points of a horizon, edges of polygons, orbits. `profiles` are terrain horizons of places,
    for each `distance_m` one after the other: `TERRAIN_POINTS` azimuths, then as many elevations.
    Places on a line stand at most `node_m[i]` apart under program i: densely where conditions
    besides the limits may leave gaps.
    """

    halves: FloatArray
    tokens: IntArray
    start: IntArray
    numbers: FloatArray
    profiles: FloatArray
    node_m: FloatArray
    distance_m: FloatArray

    @property
    def uses_moon(self) -> bool:
        return bool(np.any(self.halves[:, KIND] == MOON_ANGLE))

    @property
    def uses_clouds(self) -> bool:
        return bool(np.any(self.halves[:, KIND] == CLOUD))

    @property
    def uses_terrain(self) -> bool:
        return bool(np.any(self.halves[:, KIND] == TERRAIN))


def compile_all(
    trees: Sequence[Constraint | None], dense: Sequence[bool], *, swath: bool = False
) -> Programs:
    """A program for each tree; None lets everything pass. With `swath`, looks must also be wide
    enough for the strip they are swept along."""
    writer = _Writer()
    start = [0]
    for tree in trees:
        if tree is not None:
            writer.clauses(tree)
        if swath:
            writer.swath()
        start.append(len(writer.tokens))
    return Programs(
        halves=np.array(writer.halves, dtype=np.float64).reshape(-1, 8),
        tokens=np.array(writer.tokens, dtype=np.int64),
        start=np.array(start, dtype=np.int64),
        numbers=np.array(writer.numbers, dtype=np.float64),
        profiles=np.zeros(0),
        distance_m=np.array(writer.distances, dtype=np.float64),
        node_m=np.where(np.asarray(dense, dtype=bool), DENSE_NODE_M, NODE_M),
    )


class _Writer:
    """Tokens and tables of programs, one after the other."""

    def __init__(self) -> None:
        self.halves: list[list[float]] = []
        self.tokens: list[int] = []
        self.numbers: list[float] = []
        self.distances: list[float] = []

    def clauses(self, tree: Constraint) -> None:
        """The parts of a tree that must all hold, each as a clause."""
        if isinstance(tree, AllOf):
            for part in tree.parts:
                self.clauses(part)
            return
        begin = len(self.tokens)
        self._tree(tree, holds=True)
        if _depth(self.tokens[begin:]) > DEEPEST:
            raise AccessError(
                "conditions are nested deeper than the search can hold, expected a flatter tree"
            )
        self.tokens.append(CLAUSE)

    def swath(self) -> None:
        """A clause of its own."""
        self._half(SWATH, 1.0, 0.0)
        self.tokens.append(CLAUSE)

    def _tree(self, tree: Constraint, *, holds: bool) -> None:
        match tree:
            case Not(part=part):
                self._tree(part, holds=not holds)
            case AllOf(parts=parts):
                self._join(parts, AND if holds else OR, holds=holds)
            case AnyOf(parts=parts):
                self._join(parts, OR if holds else AND, holds=holds)
            case Within():
                self._within(tree, holds=holds)
            case _:
                self._other(tree, 1.0 if holds else -1.0)

    def _join(self, parts: Sequence[Constraint], joint: int, *, holds: bool) -> None:
        for i, part in enumerate(parts):
            self._tree(part, holds=holds)
            if i:
                self.tokens.append(joint)

    def _within(self, tree: Within, *, holds: bool) -> None:
        kind = _KINDS[tree.quantity]
        ends = [(1.0, tree.low), (-1.0, tree.high)]
        joint = AND if holds else OR
        if kind in _CIRCULAR:
            width = tree.high - tree.low
            if not abs(width) < 2 * math.pi:  # all round
                ends = [(1.0, -math.inf)]
            elif width % (2 * math.pi) > math.pi:  # two half-circles make the arc together
                joint = OR if holds else AND
        domain = CORE_QUANTITY[tree.quantity].core_domain
        if kind not in _CIRCULAR and (tree.low > domain[1] or tree.high < domain[0]):
            self._constant(holds=not holds)
            return
        bounded = [end for end in ends if _says_something(*end, kind, domain)]
        if not bounded:
            self._constant(holds=holds)
        for i, (sign, limit) in enumerate(bounded):
            self._half(kind, sign if holds else -sign, limit, axis=tree.axis)
            if i:
                self.tokens.append(joint)

    def _constant(self, *, holds: bool) -> None:
        """What always holds or never: inside no polygon."""
        self._half(INSIDE, -1.0 if holds else 1.0, 0.0)

    def _other(self, tree: Constraint, sign: float) -> None:
        match tree:
            case PassDirection(ascending=ascending):
                self._half(ASCENDING, sign if ascending else -sign, 0.0)
            case Sunlit():
                self._half(SUNLIT, sign, 0.0)
            case HorizonMask(points=points):
                self._half(HORIZON, sign, 0.0, numbers=np.array(points).T.ravel())
            case TerrainHorizon(distance_m=distance_m):
                if distance_m not in self.distances:
                    self.distances.append(distance_m)
                self._half(TERRAIN, sign, distance_m, offset=self.distances.index(distance_m))
            case Inside(geometry=geometry):
                self._half(INSIDE, sign, 0.0, numbers=_edges(geometry))
            case RelativeOrbit(numbers=numbers, cycle=cycle, shift=shift):
                listed = np.array([cycle, shift, *numbers], dtype=np.float64)
                self._half(ORBIT, sign, 0.0, numbers=listed)
            case _:
                raise AccessError(f"a condition of an unknown kind: {type(tree).__name__}")

    def _half(
        self,
        kind: int,
        sign: float,
        limit: float,
        *,
        axis: Sequence[float] = (0.0, 0.0, 1.0),
        numbers: FloatArray | None = None,
        offset: int = 0,
    ) -> None:
        begin, count = (offset, 0) if numbers is None else (len(self.numbers), len(numbers))
        row = [kind, sign, limit, *axis, begin, count]
        self.tokens.append(len(self.halves))
        self.halves.append([float(value) for value in row])
        if numbers is not None:
            self.numbers.extend(float(value) for value in numbers)


def _says_something(sign: float, limit: float, kind: int, domain: tuple[float, float]) -> bool:
    """Whether a bound excludes anything; at its own end of the domain it would only round."""
    if kind in _CIRCULAR:
        return math.isfinite(limit)
    return limit > domain[0] if sign > 0 else limit < domain[1]


def _edges(geometry: shapely.Geometry) -> FloatArray:
    """Longitude and latitude (rad) of both ends of every edge, (4 e,)."""
    rings = shapely.get_rings(shapely.get_parts(geometry))
    parts = [np.radians(shapely.get_coordinates(ring)) for ring in rings]
    return np.concatenate([np.hstack([p[:-1], p[1:]]) for p in parts]).ravel()


def _depth(tokens: Sequence[int]) -> int:
    """The most operands that wait at once."""
    waiting = most = 0
    for token in tokens:
        waiting += 1 if token >= 0 else -1
        most = max(most, waiting)
    return most
