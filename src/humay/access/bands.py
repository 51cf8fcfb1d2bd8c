"""Areas on their planes cut into bands, and bands into pieces that one sweep can cover.

A band lies between two angles from the x axis of its plane: great circles, straight lines there,
farthest apart in the middle of the area. Its pieces are stretches where the band is not empty, cut
where they are too long.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from humay.access.planes import THINNEST_RAD, Shapes, polygons_only
from humay.arrays import FloatArray, IntArray

_FAR = 2.0  # beyond every area on its plane


@dataclass(frozen=True, kw_only=True, eq=False)
class Bands:
    """Bands (b,) in order of area and angle: what lies from low to high (rad) is theirs to cover,
    with strips that are `width_rad` wide about their middle."""

    area: IntArray
    low: FloatArray
    high: FloatArray
    width_rad: FloatArray

    @property
    def middle(self) -> FloatArray:
        return 0.5 * (self.low + self.high)

    @property
    def spacing(self) -> FloatArray:
        return self.high - self.low

    def of(self, areas: IntArray) -> Bands:
        """Only those of some areas."""
        kept = np.isin(self.area, areas)
        return Bands(**{name: value[kept] for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True, eq=False)
class Pieces:
    """Pieces (p,) of bands, each between two angles (rad) along the middle line of its band."""

    band: IntArray
    shape: Shapes
    low: FloatArray
    high: FloatArray


def even_bands(
    area: IntArray, low: FloatArray, high: FloatArray, width_rad: FloatArray, overlap: float
) -> Bands:
    """Bands of one width for each area (n,) from `low` to `high`, what is over shared by both
    sides. Neighbouring strips overlap by a share of their width."""
    spacing = width_rad * (1 - overlap)
    count = np.maximum(1, np.ceil((high - low) / spacing)).astype(np.int64)
    first = 0.5 * (low + high - count * spacing)
    row = np.repeat(np.arange(len(area)), count)
    step = ramps(count)
    begin = first[row] + step * spacing[row]
    end = first[row] + (step + 1) * spacing[row]
    return Bands(area=area[row], low=begin, high=end, width_rad=width_rad[row])


def fitted_bands(
    bands: Bands, low: float, high: float, width_rad: FloatArray, overlap: float
) -> Bands:
    """Bands of one area again from `low` to `high`, each as wide as the ground below it allows.

    `width_rad` (b,) is what strips of the even bands may have. A new one lies over two of them at
    most, and another may come in when all are moved to share what is over.
    """
    begin, spacing, narrow = low, bands.spacing[0], []
    while begin < high:
        first = int((begin - bands.low[0]) / spacing)
        narrow.append(float(np.min(width_rad[max(0, first - 1) : first + 2])))
        begin += narrow[-1] * (1 - overlap)
    width = np.array(narrow)
    edges = low + np.concatenate(([0.0], np.cumsum(width * (1 - overlap))))
    edges -= 0.5 * (edges[-1] - high)
    area = np.full(len(width), bands.area[0])
    return Bands(area=area, low=edges[:-1], high=edges[1:], width_rad=width)


def joined_bands(parts: list[Bands]) -> Bands:
    """Bands of different areas together."""
    return Bands(
        **{name: np.concatenate([vars(p)[name] for p in parts]) for name in vars(parts[0])}
    )


def ramps(count: IntArray) -> IntArray:
    """0 .. count - 1 for each of the counts, one after the other."""
    return np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)


def extent(shape: Shapes) -> tuple[FloatArray, FloatArray]:
    """Least and largest angle (n,) from the x axis that shapes (n,) reach to."""
    bounds = shapely.bounds(shape)
    return np.arctan(bounds[:, 1]), np.arctan(bounds[:, 3])


def cut_bands(shape: Shapes, bands: Bands, longest_rad: FloatArray) -> Pieces:
    """Pieces of the areas `shape` (n,), each at most `longest_rad` (n,) long on its line.

    Parts of a band belong together where less than its spacing lies between them.
    """
    band, inside = _banded(shape, bands)
    cosine = np.cos(bands.middle[band])
    row, low, high = _stretches(inside, cosine, bands.spacing[band])
    count = np.ceil((high - low) / longest_rad[bands.area[band[row]]]).astype(np.int64)
    count = np.maximum(1, count)
    pick, step, length = np.repeat(np.arange(len(row)), count), ramps(count), (high - low) / count
    row, left = row[pick], low[pick] + step * length[pick]
    several = np.bincount(row, minlength=len(inside))[row] > 1
    piece, edges = inside[row], (left, left + length[pick])
    left_x, right_x = (np.tan(edge[several]) / cosine[row[several]] for edge in edges)
    box = shapely.box(left_x, -_FAR, right_x, _FAR)
    piece[several] = polygons_only(shapely.intersection(piece[several], box))
    kept = _thick(piece)
    return _measured(band[row[kept]], piece[kept], bands)


def _banded(shape: Shapes, bands: Bands) -> tuple[IntArray, Shapes]:
    """What is inside each band, where anything is: areas are halved until each is in one band, so
    that one with many corners is not cut as a whole for every band."""
    area, first = np.unique(bands.area, return_index=True)
    inside = shape[area]
    first, last = first.astype(np.int64), np.append(first[1:], len(bands.area)).astype(np.int64)
    done: list[tuple[IntArray, Shapes]] = []
    while len(inside):
        single = last - first == 1
        done.append((first[single], inside[single]))
        inside, first, last = inside[~single], first[~single], last[~single]
        middle = (first + last) // 2
        y = np.tan(bands.low[middle])
        halves = [
            shapely.intersection(inside, shapely.box(-_FAR, bottom, _FAR, top))
            for bottom, top in ((np.full(len(y), -_FAR), y), (y, np.full(len(y), _FAR)))
        ]
        inside = polygons_only(np.concatenate(halves))
        first, last = np.concatenate((first, middle)), np.concatenate((middle, last))
        kept = _thick(inside)
        inside, first, last = inside[kept], first[kept], last[kept]
    band = np.concatenate([index for index, _ in done])
    order = np.argsort(band, kind="stable")
    return band[order], np.concatenate([shapes for _, shapes in done])[order]


def _stretches(
    inside: Shapes, cosine: FloatArray, gap: FloatArray
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Spans of the angle along the line (row, low, high) that hold parts of each shape (b,), joined
    where the gap is less than `gap` (b,)."""
    parts, owner = shapely.get_parts(inside, return_index=True)
    thick = _thick(parts)
    parts, owner = parts[thick], owner[thick]
    bounds = shapely.bounds(parts)
    low, high = (np.arctan(bounds[:, k] * cosine[owner]) for k in (0, 2))
    alone = np.bincount(owner, minlength=len(inside))[owner] == 1
    found = [(owner[alone], low[alone], high[alone])]
    for row in np.unique(owner[~alone]):
        own = np.flatnonzero(owner == row)
        spans = np.array(_joined(low[own], high[own], float(gap[row])))
        found.append((np.full(len(spans), row), spans[:, 0], spans[:, 1]))
    rows, lows, highs = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((lows, rows))
    return rows[order], lows[order], highs[order]


def _joined(low: FloatArray, high: FloatArray, gap: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin, end in sorted(zip(low.tolist(), high.tolist(), strict=True)):
        if found and begin - found[-1][1] < gap:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def _thick(shape: Shapes) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which shapes are more than slivers that rounding leaves."""
    return np.asarray(2 * shapely.area(shape) > THINNEST_RAD * shapely.length(shape))


def _measured(band: IntArray, piece: Shapes, bands: Bands) -> Pieces:
    """Pieces with the angles along their lines at which their outermost corners stand abreast."""
    xy, owner = shapely.get_coordinates(piece, return_index=True)
    angle = angle_along(xy, bands.middle[band[owner]])
    begin = np.searchsorted(owner, np.arange(len(piece)))
    return Pieces(
        band=band,
        shape=piece,
        low=np.minimum.reduceat(angle, begin) if len(piece) else np.zeros(0),
        high=np.maximum.reduceat(angle, begin) if len(piece) else np.zeros(0),
    )


def angle_along(xy: FloatArray, middle: FloatArray) -> FloatArray:
    """Angles (n,) along the great circles `middle` (n,) rad off the x axis, at which places (n, 2)
    on the plane stand abreast."""
    y0 = np.tan(middle)
    return np.arctan2(xy[:, 0] * np.hypot(1.0, y0), 1 + xy[:, 1] * y0)
