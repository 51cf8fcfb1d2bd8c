"""Lines and polygons on the globe, as people write them in longitude and latitude.

They are kept in degrees with edges straight in longitude and latitude, and *unwrapped*: a shape
over the antimeridian runs on past 180 in one piece, one round a pole is closed along latitude 90 or
-90 and is 360 deg wide. Rules, where the text alone would be ambiguous:

* an edge of more than 180 deg of longitude goes the short way round;
* a ring that goes once round the globe holds the pole of its hemisphere;
* an edge of exactly 360 deg is the same place twice, unless that leaves no area: then it is the
  whole parallel, as in the box -180, 60, 180, 90. Along a pole it is always the whole turn.
"""

from __future__ import annotations

import math
import re
from typing import TypeVar

import numpy as np
import shapely
from shapely import STRtree
from shapely.affinity import translate
from shapely.geometry import LineString, MultiPolygon, Polygon

from humay.arrays import BoolArray, FloatArray
from humay.mission.kinds import Place

TURN_DEG = 360.0
Shape = TypeVar("Shape", LineString, Polygon | MultiPolygon)

_SAME_DEG = 1e-9  # 0.1 mm
_NO_AREA_DEG2 = 1e-12  # 0.01 m2


def line(lonlat_deg: FloatArray, place: Place) -> LineString:
    """An unwrapped line through positions (n, 2)."""
    lon_deg = _unwrapped(lonlat_deg[:, 0], literal=np.zeros(len(lonlat_deg) - 1, bool))
    shape = LineString(np.column_stack((lon_deg, lonlat_deg[:, 1])))
    if not shape.length > _SAME_DEG:
        place.refuse("line has no length, expected two different positions")
    return _in_range(shape)


def area(polygons: list[list[FloatArray]], place: Place) -> Polygon | MultiPolygon:
    """One unwrapped area from polygons of closed rings (n, 2), the exterior one first.

    Parts that touch, as the two halves of a polygon cut at the antimeridian do (RFC 7946, 3.1.9),
    are joined into one.
    """
    parts = _brought_together([_part(rings, place) for rings in polygons])
    _refuse_overlap(parts, place)
    return _in_range(parts[0] if len(parts) == 1 else shapely.union_all(parts))


def lies_in(shape: Polygon | MultiPolygon, lon_deg: FloatArray, lat_deg: FloatArray) -> BoolArray:
    """Whether places (...) lie in an unwrapped shape, whatever turns their longitudes are given by.

    A place on the edge does. The shape is asked once for each turn that it may reach into.
    """
    west, _, east, _ = shape.bounds
    lon_deg = west + np.mod(np.asarray(lon_deg) - west, TURN_DEG)
    found = np.zeros(np.broadcast_shapes(lon_deg.shape, np.shape(lat_deg)), dtype=bool)
    for turn in range(math.floor((east - west) / TURN_DEG) + 1):
        found |= shapely.intersects_xy(shape, lon_deg + turn * TURN_DEG, lat_deg)
    return found


def _part(rings: list[FloatArray], place: Place) -> Polygon | MultiPolygon:
    exterior, *holes = (_ring_area(ring, place) for ring in rings)
    if not holes:
        return exterior
    holes = [_shifted_near(hole, exterior) for hole in holes]
    if _width_deg(exterior) < TURN_DEG - _SAME_DEG:
        part = Polygon(exterior.exterior, [hole.exterior for hole in holes])
        if not part.is_valid:
            place.refuse(f"polygon {_fault(part)}")
        return part
    return _pierced(exterior, holes, place)


def _pierced(exterior: Polygon, holes: list[Polygon], place: Place) -> Polygon | MultiPolygon:
    """A shape all round the globe less its holes, which may lie over the meridian it is cut at."""
    part = exterior
    for hole in holes:
        copies = shapely.union_all([translate(hole, k * TURN_DEG) for k in (-1, 0, 1)])
        if abs(exterior.intersection(copies).area - hole.area) > _NO_AREA_DEG2 * (1 + hole.area):
            place.refuse("polygon has a hole that lies outside of it, expected holes inside")
        part = part.difference(copies)
    if part.area <= _NO_AREA_DEG2:
        place.refuse("polygon has nothing left beside its holes, expected some area")
    return part


def _ring_area(ring: FloatArray, place: Place) -> Polygon:
    """The area a closed ring (n, 2) holds, by the rules at the head of this module."""
    whole_turn = np.isclose(np.abs(np.diff(ring[:, 0])), TURN_DEG, rtol=0, atol=_SAME_DEG)
    along_pole = whole_turn & (np.abs(ring[:-1, 1]) == 90) & (ring[:-1, 1] == ring[1:, 1])
    found = _closed(ring, literal=along_pole)
    if isinstance(found, str) and np.any(whole_turn & ~along_pole):
        round_the_globe = _closed(ring, literal=whole_turn)
        found = found if isinstance(round_the_globe, str) else round_the_globe
    if isinstance(found, str):
        place.refuse(f"polygon {found}")
    return found


def _closed(ring: FloatArray, *, literal: BoolArray) -> Polygon | str:
    """The ring's area, closed over the pole if it goes round it, or what is wrong with it."""
    lon_deg, lat_deg = _unwrapped(ring[:, 0], literal=literal), ring[:, 1]
    positions = np.column_stack((lon_deg, lat_deg))
    turns = abs(round((lon_deg[-1] - lon_deg[0]) / TURN_DEG))
    if turns > 1:
        return f"goes {turns} times round the globe, expected once at most"
    if turns == 1:
        north, south = lat_deg.max() > 0, lat_deg.min() < 0
        if north == south:
            return (
                "goes round the globe over the equator, so that either pole may be meant, expected "
                "a ring inside one hemisphere"
            )
        pole_deg = 90.0 if north else -90.0
        over_the_pole = [(lon_deg[-1], pole_deg), (lon_deg[0], pole_deg)]
        positions = np.concatenate((positions, over_the_pole, positions[:1]))
    shape = Polygon(positions)
    if shape.convex_hull.area <= _NO_AREA_DEG2:
        return "has no area, expected a ring round one"
    return shape if shape.is_valid else _fault(shape)


def _unwrapped(lon_deg: FloatArray, *, literal: BoolArray) -> FloatArray:
    """Longitudes without jumps: every step goes the short way, but for the literal ones."""
    steps = np.diff(lon_deg)
    turns = np.where(literal, 0.0, np.round(steps / TURN_DEG))  # a step of 180 stays as written
    return lon_deg - TURN_DEG * np.concatenate(([0.0], np.cumsum(turns)))


def _brought_together(parts: list[Polygon | MultiPolygon]) -> list[Polygon | MultiPolygon]:
    """Parts moved by whole turns to lie as close together as they do on the globe.

    The globe is cut in the middle of the widest stretch of longitude that no part covers.
    """
    west_deg = np.array([part.bounds[0] for part in parts])
    width_deg = np.array([_width_deg(part) for part in parts])
    moved_deg = np.mod(west_deg, TURN_DEG)
    order = np.argsort(moved_deg, kind="stable")
    reach = np.maximum.accumulate((moved_deg + width_deg)[order])
    gaps = np.append(moved_deg[order][1:], moved_deg[order][0] + TURN_DEG) - reach
    first_after_gap = (int(np.argmax(gaps)) + 1) % len(parts)
    moved_deg[order[:first_after_gap]] += TURN_DEG
    if np.ptp(np.append(moved_deg, moved_deg + width_deg)) >= (
        np.ptp(np.append(west_deg, west_deg + width_deg)) - _SAME_DEG
    ):
        return parts  # as written
    shifts = TURN_DEG * np.round((moved_deg - west_deg) / TURN_DEG)
    return [translate(part, shift) for part, shift in zip(parts, shifts, strict=True)]


def _refuse_overlap(parts: list[Polygon | MultiPolygon], place: Place) -> None:
    for first, second in STRtree(parts).query(parts, predicate="intersects").T:
        if first >= second:
            continue
        common = parts[first].intersection(parts[second])
        if common.area > _NO_AREA_DEG2:
            at = common.representative_point()
            place.refuse(
                f"polygons {first + 1} and {second + 1} overlap at {_at(at.x, at.y)}, expected "
                f"parts that do not"
            )


def _shifted_near(shape: Polygon, other: Polygon) -> Polygon:
    """A shape moved by whole turns towards another one."""
    centres = [(s.bounds[0] + s.bounds[2]) / 2 for s in (shape, other)]
    return translate(shape, TURN_DEG * round((centres[1] - centres[0]) / TURN_DEG))


def _width_deg(shape: Polygon | MultiPolygon) -> float:
    return float(shape.bounds[2] - shape.bounds[0])


def _in_range(shape: Shape) -> Shape:
    """A shape moved by whole turns so that its west end lies in -180 to 180."""
    west_deg = shape.bounds[0]
    turns = np.ceil((-180 - west_deg) / TURN_DEG) if west_deg < -180 else 0.0
    turns = -np.ceil((west_deg - 180) / TURN_DEG) if west_deg > 180 else turns
    return translate(shape, turns * TURN_DEG) if turns else shape


def _fault(shape: Polygon) -> str:
    """What is wrong with an invalid polygon, and where."""
    reason = shapely.is_valid_reason(shape)
    what, _, position = reason.rstrip("]").partition("[")
    words = {
        "Self-intersection": "crosses itself",
        "Ring Self-intersection": "touches itself",
        "Hole lies outside shell": "has a hole outside of it",
        "Holes are nested": "has a hole inside a hole",
        "Interior is disconnected": "is cut in pieces by its holes",
    }.get(what, f"is not valid ({what})")
    numbers = re.findall(r"-?[\d.]+(?:e[+-]?\d+)?", position)
    if len(numbers) < 2:
        return words
    return f"{words} at {_at(float(numbers[0]), float(numbers[1]))}, expected a simple outline"


def _at(lon_deg: float, lat_deg: float) -> str:
    return f"lon {(lon_deg + 180) % TURN_DEG - 180:.6g}, lat {lat_deg:.6g}"
