"""The ground of a map: where it looks, its frame, land, borders and graticule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import shapely

from humay.access.views.drawing import Box, Mark, Shape, Word, clipped_ring
from humay.access.views.projection import Azimuthal, EqualEarth, Projection, unit_vectors
from humay.arrays import FloatArray, unit
from humay.earth import WGS84_A_M
from humay.tables import border_lines, land_outlines

SEA, LAND, COAST, BORDER = "#dde7ee", "#f8f6f0", "#a9a493", "#cfcabb"
GRATICULE, FRAME, PAPER, SOFT, INK = "#c3d0d9", "#8b949c", "#faf9f6", "#59636e", "#1b2026"
_WIDEST_RAD = math.radians(60.0)  # from the middle to the farthest place, else the whole Earth
_SMALLEST_RAD = 0.055  # half of what is shown at least: 350 km
_ROOM = 1.18  # what is shown, to what must be
_HEIGHTS = (0.45, 0.6)  # of the frame, to its width
_DETAIL = 0.4  # of a pixel, left out of coasts
_LONGEST_SIDE_RAD = math.radians(1.5)  # a cap that holds the corners of a shore may miss as much
_SMALLEST_ISLAND = 1.5  # pixels


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """A projection and the box of the picture it is seen in."""

    projection: Projection
    box: Box
    middle: FloatArray  # (2,) of the box, on the plane
    scale: float  # pixels to the radius of the Earth

    @property
    def whole(self) -> bool:
        """Whether it shows the whole Earth."""
        return isinstance(self.projection, EqualEarth)

    @property
    def metres(self) -> float:
        """A pixel in the middle."""
        return WGS84_A_M / self.scale

    @property
    def reach_rad(self) -> float:
        """From one corner to the other, at most a sixth of the way round the Earth."""
        left, top, right, bottom = self.box
        return min(math.hypot(right - left, bottom - top) / self.scale, math.pi / 3)

    def pixels(self, plane: FloatArray) -> FloatArray:
        """Positions on the plane as pixels (n, 2)."""
        left, top, right, bottom = self.box
        centre = np.array([(left + right) / 2, (top + bottom) / 2])
        return np.asarray(centre + (plane - self.middle) * np.array([self.scale, -self.scale]))

    def points(self, lonlat: FloatArray) -> FloatArray:
        """Places (n, 2), deg, as pixels."""
        return self.pixels(self.projection.points(lonlat))

    def lines(self, lonlats: Iterable[FloatArray]) -> list[FloatArray]:
        """What of lines is in sight."""
        found = []
        for lonlat in lonlats:
            for line in self.projection.lines(lonlat):
                found += self._in_sight(self.pixels(line))
        return found

    def rings(self, lonlats: Iterable[FloatArray]) -> list[FloatArray]:
        """What of closed rings is in sight, for the even-odd rule."""
        found = []
        for lonlat in lonlats:
            for ring in self.projection.rings(lonlat):
                cut = self._cut(self.pixels(ring))
                if len(cut) > 2:
                    found.append(cut)
        return found

    def _cut(self, ring: FloatArray) -> FloatArray:
        left, top, right, bottom = self.box
        low, high = ring.min(axis=0), ring.max(axis=0)
        if low[0] > right or high[0] < left or low[1] > bottom or high[1] < top:
            return ring[:0]
        if np.max(high - low) < _SMALLEST_ISLAND:
            return ring[:0]
        return _simpler(clipped_ring(ring, self.box))

    def _in_sight(self, line: FloatArray) -> list[FloatArray]:
        if self.whole:
            return [_simpler(line)]
        parts = shapely.get_parts(shapely.clip_by_rect(shapely.LineString(line), *self.box))
        kept = [shapely.get_coordinates(part) for part in parts]
        return [_simpler(part) for part in kept if len(part) > 1]


def _simpler(line: FloatArray) -> FloatArray:
    if len(line) < 3:
        return line
    simple = shapely.simplify(shapely.LineString(line), _DETAIL)
    return np.asarray(shapely.get_coordinates(simple))


# Where to look -----------------------------------------------------------------------------------


def sheet_for(lonlat: FloatArray, left: float, top: float, width: float) -> Sheet:
    """A sheet `width` pixels wide that shows all places (n, 2), and some of what is around them."""
    centre = _centre(lonlat)
    if centre is None:
        return _whole_earth(left, top, width)
    projection = centre
    for _ in range(2):  # the middle of what is seen, not of the places
        low, high = _extent(projection.points(lonlat))
        middle = projection.lonlat((low + high)[None] / 2)[0]
        projection = Azimuthal(lon_deg=float(middle[0]), lat_deg=float(middle[1]))
    low, high = _extent(projection.points(lonlat))
    across, up = np.maximum((high - low) * _ROOM, 2 * _SMALLEST_RAD)
    height = width * min(max(up / across, _HEIGHTS[0]), _HEIGHTS[1])
    return Sheet(
        projection=projection,
        box=(left, top, left + width, top + height),
        middle=(low + high) / 2,
        scale=min(width / across, height / up),
    )


def _centre(lonlat: FloatArray) -> Azimuthal | None:
    """About where the places are, or None if they are all over the Earth."""
    up = unit_vectors(lonlat)
    mean = np.sum(up, axis=0)
    length = float(np.linalg.norm(mean))
    if length < 1e-9 or np.min(up @ mean) < length * math.cos(_WIDEST_RAD):
        return None
    x, y, z = mean / length
    return Azimuthal(
        lon_deg=math.degrees(math.atan2(y, x)), lat_deg=math.degrees(math.asin(min(z, 1.0)))
    )


def _whole_earth(left: float, top: float, width: float) -> Sheet:
    projection = EqualEarth()
    low, high = _extent(projection.edge())
    scale = width / (high - low)[0]
    height = scale * (high - low)[1]
    box = (left, top, left + width, top + height)
    return Sheet(projection=projection, box=box, middle=(low + high) / 2, scale=scale)


def _extent(plane: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.min(plane, axis=0), np.max(plane, axis=0)


# What lies below ---------------------------------------------------------------------------------


def ground(sheet: Sheet) -> Iterator[Mark]:
    """Sea, land, coasts, borders, graticule."""
    land, borders = (_near(sheet, _outlines(name)) for name in ("land", "borders"))
    rings = sheet.rings(land)
    edge = _edge(sheet)
    projection = sheet.projection
    if isinstance(projection, Azimuthal) and projection.holds_antipode(land):
        rings = [edge, *rings]
    yield Shape(lines=[edge], fill=SEA, closed=True)
    yield Shape(lines=rings, fill=LAND, closed=True)
    meridians, parallels = _graticule(sheet)
    shown = sheet.lines([*meridians.values(), *parallels.values()])
    yield Shape(lines=shown, stroke=GRATICULE, width=0.7)
    width = 0.4 if sheet.whole else 0.8
    yield Shape(lines=sheet.lines(_coasts(land)), stroke=COAST, width=width)
    yield Shape(lines=sheet.lines(borders), stroke=BORDER, width=width, dash=3.0)


def frame(sheet: Sheet) -> Iterator[Mark]:
    """The edge of the map, and the names of the graticule's lines on it."""
    yield Shape(lines=[_edge(sheet)], stroke=FRAME, width=1.0, closed=True)
    if not sheet.whole:
        yield from _scale_bar(sheet)
        yield from _graticule_names(sheet)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Outlines:
    """Lines and, for each, a cap that holds it: its middle (n, 3), unit, and its radius (n,)."""

    lines: tuple[FloatArray, ...]
    middles: FloatArray
    radii_rad: FloatArray


@cache
def _outlines(name: Literal["land", "borders"]) -> _Outlines:
    lines = tuple(map(_dense, land_outlines() if name == "land" else border_lines()))
    units = [unit_vectors(line) for line in lines]
    middles = unit(np.array([np.mean(u, axis=0) for u in units]))
    lowest = [np.min(u @ middle) for u, middle in zip(units, middles, strict=True)]
    radii = np.arccos(np.clip(lowest, -1.0, 1.0)) + _LONGEST_SIDE_RAD
    return _Outlines(lines=lines, middles=middles, radii_rad=radii)


def _dense(lonlat: FloatArray) -> FloatArray:
    """With points added on sides over a degree: they are straight in longitude and latitude."""
    pieces = np.ceil(np.max(np.abs(np.diff(lonlat, axis=0)), axis=1, initial=0.0))
    knots = np.concatenate([[0.0], np.cumsum(np.maximum(pieces, 1.0))])
    at = np.arange(knots[-1] + 1)
    return np.stack([np.interp(at, knots, lonlat[:, i]) for i in (0, 1)], axis=1)


def _near(sheet: Sheet, outlines: _Outlines) -> list[FloatArray]:
    """Those that may be in sight."""
    if not isinstance(sheet.projection, Azimuthal):
        return list(outlines.lines)
    projection = sheet.projection
    middle = unit_vectors(np.array([[projection.lon_deg, projection.lat_deg]]))[0]
    away = np.arccos(np.clip(outlines.middles @ middle, -1.0, 1.0))
    corners = (_edge(sheet) - sheet.pixels(np.zeros((1, 2)))) / sheet.scale
    seen = 2 * np.arcsin(np.minimum(np.max(np.hypot(*corners.T)) / 2, 1.0))
    return [outlines.lines[i] for i in np.flatnonzero(away - outlines.radii_rad < seen)]


def _edge(sheet: Sheet) -> FloatArray:
    if isinstance(sheet.projection, EqualEarth):
        return sheet.pixels(sheet.projection.edge())
    left, top, right, bottom = sheet.box
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]])


def _coasts(rings: Sequence[FloatArray]) -> Iterator[FloatArray]:
    """Outlines without the sides that only close a ring where the map of the world is cut."""
    for ring in rings:
        seam = (np.abs(ring[:, 0]) > 179.98) | (ring[:, 1] < -89.9)
        inner = seam[:-1] & seam[1:]
        for piece in np.split(np.arange(len(ring)), np.flatnonzero(inner) + 1):
            if len(piece) > 1:
                yield ring[piece]


def _step(sheet: Sheet) -> float:
    """Degrees between lines of the graticule: some five of them up the map."""
    height_deg = math.degrees((sheet.box[3] - sheet.box[1]) / sheet.scale)
    steps = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
    return next((step for step in steps if height_deg / step <= 6), steps[-1])


def _graticule(sheet: Sheet) -> tuple[dict[float, FloatArray], dict[float, FloatArray]]:
    """Meridians and parallels by degree; near a pole fewer meridians."""
    step = _step(sheet)
    if isinstance(sheet.projection, Azimuthal):
        narrow = math.cos(math.radians(min(abs(sheet.projection.lat_deg), 88.0)))
    else:
        narrow = 1.0
    steps = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0)
    across = next((s for s in steps if s * narrow >= 0.7 * step), 30.0)
    lon, lat = np.arange(-180.0, 180.0, across), np.arange(-90.0 + step, 90.0, step)
    fine_lat, fine_lon = np.arange(-90.0, 90.5, 0.5), np.arange(-180.0, 180.5, 0.5)
    if step < 10:  # meridians as close as that end before the pole
        fine_lat = fine_lat[np.abs(fine_lat) <= 89.0]
    return (
        {x: np.stack([np.full(len(fine_lat), x), fine_lat], axis=1) for x in lon},
        {y: np.stack([fine_lon, np.full(len(fine_lon), y)], axis=1) for y in lat},
    )


def _graticule_names(sheet: Sheet) -> Iterator[Mark]:
    """Longitudes along the lower edge, latitudes along the left one."""
    left, top, right, bottom = sheet.box
    meridians, parallels = _graticule(sheet)
    for degree, line in meridians.items():
        for x, y in _ends(sheet.lines([line])):
            if y > bottom - 0.5 and left + 30 < x < right - 30:
                yield Word(
                    text=_degrees(degree, "E", "W"), x=x, y=bottom + 14, size=10.5, colour=SOFT,
                    anchor="middle",
                )  # fmt: skip
    for degree, line in parallels.items():
        for x, y in _ends(sheet.lines([line])):
            if x < left + 0.5 and top + 10 < y < bottom - 10:
                yield Word(
                    text=_degrees(degree, "N", "S"), x=left - 5, y=y + 3.5, size=10.5, colour=SOFT,
                    anchor="end",
                )  # fmt: skip


def _ends(lines: Sequence[FloatArray]) -> Iterator[tuple[float, float]]:
    for line in lines:
        for x, y in (line[0], line[-1]):
            yield float(x), float(y)


def _degrees(value: float, positive: str, negative: str) -> str:
    if value in (0.0, -180.0):
        return f"{abs(value):g}°"
    return f"{abs(value):g}° {positive if value > 0 else negative}"


def _scale_bar(sheet: Sheet) -> Iterator[Mark]:
    """A round length in the lower right corner, true in the middle of the map."""
    longest_m = 0.16 * (sheet.box[2] - sheet.box[0]) * sheet.metres
    power = 10.0 ** math.floor(math.log10(longest_m))
    length_m = max(factor * power for factor in (1, 2, 5) if factor * power <= longest_m)
    right, y = sheet.box[2] - 16, sheet.box[3] - 14
    left = right - length_m / sheet.metres
    bar = np.array([[left, y - 5], [left, y], [right, y], [right, y - 5]])
    yield Shape(lines=[bar], stroke=PAPER, width=3.5)
    yield Shape(lines=[bar], stroke=INK, width=1.2)
    yield Word(
        text=f"{length_m / 1e3:g} km", x=(left + right) / 2, y=y - 5, size=11, colour=INK,
        anchor="middle", halo=PAPER,
    )  # fmt: skip
