"""Whether trees of conditions hold: how far each look is inside of them, in tolerances."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from humay.arrays import BoolArray, FloatArray, angle_between, dot, norm, unit
from humay.check.quantities import Looks, value_of
from humay.earth import (
    WGS84_A_M,
    WGS84_B_M,
    azimuth_angle,
    elevation_angle,
    itrf_from_normal,
    stretched_sun_m,
)
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
    describe,
    quantity_label,
    quantity_text,
)

ANGLE_TOLERANCE_RAD = math.radians(0.01)
RANGE_TOLERANCE_M = 10.0
GSD_TOLERANCE = 0.005  # relative
CLOUD_TOLERANCE = 0.005  # what an hourly forecast may change by in a minute
HORIZON_RADIUS_M = 6_371_008.8  # IUGG mean radius: how far along the ground, good to 0.6 %
HORIZON_AZIMUTHS = 360
HORIZON_NEAREST_M = 30.0
HORIZON_GROWTH = 1.03  # of the distance, from one point of the ground to the next
_TURN_RAD = 2 * math.pi
_TURNS_DEG = (-720.0, -360.0, 0.0, 360.0, 720.0)  # longitudes of polygons are unwrapped
_ATTITUDE = ("off_nadir_rad", "roll_rad", "pitch_rad", "sun_angle_rad", "moon_angle_rad",
             "limb_angle_rad")  # fmt: skip


def hold(tree: Constraint, looks: Looks) -> BoolArray:
    """Whether a tree holds at each look (n,), edges included."""
    return np.asarray(room(tree, [looks])[0] >= 0)


def room(
    tree: Constraint, cases: Sequence[Looks], pointing_rad: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Least and most (n,) by which looks are inside a tree, in tolerances; negative outside.

    The first of `cases` is what is expected. Where the attitude decides, the look may turn out as
    any of them and be off by `pointing_rad`; the other conditions take the expected one.
    """
    match tree:
        case AllOf(parts=parts):
            least, most = zip(*(room(part, cases, pointing_rad) for part in parts), strict=True)
            return np.min(least, axis=0), np.min(most, axis=0)
        case AnyOf(parts=parts):
            least, most = zip(*(room(part, cases, pointing_rad) for part in parts), strict=True)
            return np.max(least, axis=0), np.max(most, axis=0)
        case Not(part=part):
            low, high = room(part, cases, pointing_rad)
            return -high, -low
        case Within(quantity=quantity) if quantity in _ATTITUDE:
            each = [_bounded(tree, looks) for looks in cases]
            blur = pointing_rad / ANGLE_TOLERANCE_RAD
            return np.min(each, axis=0) - blur, np.max(each, axis=0) + blur
    alone = _bounded(tree, cases[0]) if isinstance(tree, Within) else _other(tree, cases[0])
    return alone, alone


def fault(tree: Constraint, cases: Sequence[Looks], i: int, pointing_rad: float = 0.0) -> str:
    """Which condition fails at look i, what was found there and what was expected."""
    if isinstance(tree, AllOf):
        parts = [(room(part, cases, pointing_rad)[0][i], n) for n, part in enumerate(tree.parts)]
        return fault(tree.parts[min(parts)[1]], cases, i, pointing_rad)
    leaf, negated = _culprit(tree, cases, i, pointing_rad, negated=False)
    said, no = describe(leaf), "not " * negated
    if isinstance(leaf, Within):
        quantity, value = CORE_QUANTITY[leaf.quantity], float(value_of(leaf, cases[0])[i])
        found = f"{quantity_label(quantity)} is {quantity_text(quantity, value)}"
        if pointing_rad and leaf.quantity in _ATTITUDE:
            found += " before 3 sigma of orbit and pointing"
    else:
        found = f"{said} is {'true' if negated else 'false'}"
    within = "" if leaf is tree else f" in '{describe(tree)}'"
    return f"{found}, expected {no}{said}{within}"


def _culprit(
    tree: Constraint, cases: Sequence[Looks], i: int, pointing_rad: float, *, negated: bool
) -> tuple[Constraint, bool]:
    """The condition that decides a tree that fails at look i (holds, if `negated`)."""
    if isinstance(tree, Not):
        return _culprit(tree.part, cases, i, pointing_rad, negated=not negated)
    if not isinstance(tree, AllOf | AnyOf):
        return tree, negated
    least, most = zip(*(room(part, cases, pointing_rad) for part in tree.parts), strict=True)
    found = np.array(most if negated else least)[:, i]
    pick = np.argmin if isinstance(tree, AllOf) else np.argmax
    return _culprit(tree.parts[int(pick(found))], cases, i, pointing_rad, negated=negated)


# Single conditions -------------------------------------------------------------------------------


def _bounded(condition: Within, looks: Looks) -> FloatArray:
    value, quantity = value_of(condition, looks), CORE_QUANTITY[condition.quantity]
    if quantity.circular:
        inside = _inside_arc(value, condition.low, condition.high)
    else:
        inside = np.minimum(value - condition.low, condition.high - value)
    return np.asarray(inside / _tolerance(condition.quantity, value))


def _tolerance(quantity: str, value: FloatArray) -> FloatArray | float:
    if quantity == "gsd_m":
        return GSD_TOLERANCE * value
    return {"range_m": RANGE_TOLERANCE_M, "cloud_probability": CLOUD_TOLERANCE}.get(
        quantity, ANGLE_TOLERANCE_RAD
    )


def _inside_arc(angle: FloatArray, low: float, high: float) -> FloatArray:
    """How far angles are inside the arc from `low` on to `high`; bounds a turn apart hold all."""
    if abs(high - low) >= _TURN_RAD:
        return np.full(angle.shape, math.inf)
    width, along = (high - low) % _TURN_RAD, np.mod(angle - low, _TURN_RAD)
    inside = np.minimum(along, width - along)
    outside = -np.minimum(_TURN_RAD - along, along - width)
    return np.asarray(np.where(along <= width, inside, outside))


def _other(condition: Constraint, looks: Looks) -> FloatArray:
    match condition:
        case PassDirection(ascending=ascending):
            return _sure((looks.v_itrf[:, 2] > 0) == ascending)
        case Sunlit():
            return _light(looks) / ANGLE_TOLERANCE_RAD
        case HorizonMask(points=points):
            azimuths, elevations = np.array(points).T
            azimuth = azimuth_angle(-looks.sight, looks.up)
            level = np.interp(azimuth, azimuths, elevations, period=_TURN_RAD)
            above = elevation_angle(-looks.sight, looks.up) - level
            return np.asarray(above / ANGLE_TOLERANCE_RAD)
        case TerrainHorizon(distance_m=distance_m):
            above = elevation_angle(-looks.sight, looks.up) - terrain(looks, distance_m)
            return above / ANGLE_TOLERANCE_RAD
        case Inside(geometry=geometry):
            lon, lat = _lonlat_deg(looks.up)
            found = [shapely.intersects_xy(geometry, lon + turn, lat) for turn in _TURNS_DEG]
            return _sure(np.any(found, axis=0))
        case RelativeOrbit(numbers=numbers, cycle=cycle, shift=shift):
            orbit, _ = looks.orbit.orbit_at(looks.t_s)
            return _sure(np.isin(1 + np.mod(orbit + shift - 1, cycle), numbers))
    raise TypeError(f"{type(condition).__name__} is no condition")


def _sure(holds: BoolArray) -> FloatArray:
    """What has no degrees holds by any margin, or fails by any."""
    return np.where(holds, math.inf, -math.inf)


def _light(looks: Looks) -> FloatArray:
    """Angle between the discs of Sun and Earth, space stretched until the Earth is a sphere."""
    stretch = np.array([1.0, 1.0, WGS84_A_M / WGS84_B_M])
    r, to_sun = looks.r_itrf * stretch, (looks.sun - looks.r_itrf) * stretch
    apart = angle_between(-r, to_sun)
    sun_m = stretched_sun_m(unit(r), unit(to_sun), np.cos(apart))
    discs = np.arcsin(sun_m / norm(to_sun)) + np.arcsin(np.minimum(1, WGS84_A_M / norm(r)))
    return np.asarray(apart - discs)


def _lonlat_deg(up: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Geodetic longitude and latitude (deg) where the normals are `up` (n, 3)."""
    across = np.hypot(up[:, 0], up[:, 1])
    return np.degrees(np.arctan2(up[:, 1], up[:, 0])), np.degrees(np.arctan2(up[:, 2], across))


def terrain(looks: Looks, distance_m: float) -> FloatArray:
    """Elevation (n,) of the terrain's horizon in the direction of the satellite.

    The horizon is known at whole degrees of azimuth and joined by straight lines.
    """
    step = _TURN_RAD / HORIZON_AZIMUTHS
    place = azimuth_angle(-looks.sight, looks.up) / step
    before = np.floor(place)
    near, far = (_highest(looks, distance_m, (before + side) * step) for side in (0, 1))
    return np.asarray(near + (place - before) * (far - near))


def _highest(looks: Looks, distance_m: float, azimuth: FloatArray) -> FloatArray:
    """The highest elevation (n,) of the ground along azimuths (n,), out to a distance."""
    count = math.ceil(math.log(distance_m / HORIZON_NEAREST_M) / math.log(HORIZON_GROWTH))
    far_m = np.minimum(
        HORIZON_NEAREST_M * HORIZON_GROWTH ** np.arange(max(count, 0) + 1), distance_m
    )
    east = np.stack([-looks.up[:, 1], looks.up[:, 0], 0 * azimuth], axis=-1)
    east /= norm(east)[:, None]
    north = np.cross(looks.up, east)
    ahead = np.cos(azimuth)[:, None] * north + np.sin(azimuth)[:, None] * east
    turn = (far_m / HORIZON_RADIUS_M)[None, :, None]
    normals = np.cos(turn) * looks.up[:, None] + np.sin(turn) * ahead[:, None]
    lon, lat = _lonlat_deg(normals.reshape(-1, 3))
    height_m = looks.heights.ellipsoidal_m(np.radians(lon), np.radians(lat))
    ground = itrf_from_normal(normals, height_m.reshape(normals.shape[:2]))
    up = np.broadcast_to(looks.up[:, None], ground.shape)
    return np.asarray(elevation_angle(ground - _eye(looks)[:, None], up).max(axis=1))


def _eye(looks: Looks) -> FloatArray:
    """The places, lifted to the ground where they lie below it, as lines of strips do."""
    lon, lat = _lonlat_deg(looks.up)
    ground = itrf_from_normal(
        looks.up, looks.heights.ellipsoidal_m(np.radians(lon), np.radians(lat))
    )
    lift = np.maximum(dot(ground - looks.place, looks.up), 0.0)
    return np.asarray(looks.place + lift[:, None] * looks.up)
