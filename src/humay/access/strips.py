"""Areas cut into strips that one pass can image, each one usable swath wide.

All areas are cut at once. How wide their strips may be, and how much longer than the area below,
is asked of a rule that knows the satellites.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely

from humay.access.bands import (
    Bands,
    Pieces,
    cut_bands,
    even_bands,
    extent,
    fitted_bands,
    joined_bands,
)
from humay.access.ground import Ground, flat_ground, ground_under
from humay.access.lines import GroundLine
from humay.access.planes import Drawn, outlines, with_points
from humay.access.planes import centre_of as centre_of
from humay.access.swath import SMALLEST_RADIUS_M, largest_skew
from humay.arrays import FloatArray, IntArray, cross
from humay.earth import WGS84_E2
from humay.errors import AccessError
from humay.mission import HeightModel, Request

LARGEST_RADIUS_M = 6_410_000.0  # of curvature, anywhere on WGS84 and up to 10 km above it
LONGEST_STRIP_M = 300_000.0
OVERLAP = 0.02  # of a strip's width, between neighbours
MOST_STRIPS = 10_000  # of one request in one decomposition
KEPT_BACK = 0.005  # of the width, for relief and what lies between the looks that were tried
LEAST_LEFT = 0.5  # of the width over flat ground: what relief leaves a strip
_AREA_STEP_RAD = 0.004  # 25 km: so long a great circle is straight on an equal-area map within 6 m


@dataclass(frozen=True, kw_only=True, eq=False)
class Strip:
    """One sweep: its ground line, the width it covers, and its share of the request.

    The strips of one `decomposition` of a request cover it together; their shares are of its area
    and sum up to 1. Under the strip, the request's ground leaves its line by at most `relief_m`.
    Every look turned by no more than `sure_turn_rad` from it is wide enough; others may be or not.
    """

    name: str
    request: str
    line: GroundLine
    width_m: float
    share: float
    decomposition: str = ""
    relief_m: float = 0.0
    sure_turn_rad: float = math.pi / 2


class StripRule(Protocol):
    """How wide and how much longer strips are made; `sure_turn_rad` as in `Strip`."""

    @property
    def sure_turn_rad(self) -> float: ...

    def width_m(self, ground: Ground) -> FloatArray:
        """Width (p,) that looks see for sure over such ground."""

    def lengthening_m(self, ground: Ground, width_m: FloatArray) -> FloatArray:
        """What lines are longer at either end (p,) than the area under their strips."""


@dataclass(frozen=True, kw_only=True)
class StatedSwath:
    """The rule of one who knows the usable swath: relief takes away what a wrong height shifts the
    line at the largest incidence, from both sides, and is added to both ends."""

    swath_m: float
    extension_m: float
    tan_incidence: float
    sure_turn_rad: float = math.pi / 2

    def width_m(self, ground: Ground) -> FloatArray:
        return self.swath_m - 2 * ground.relief_m * self.tan_incidence

    def lengthening_m(self, ground: Ground, width_m: FloatArray) -> FloatArray:
        askew = 0.5 * width_m * largest_skew(np.array(self.tan_incidence))
        return np.asarray(self.extension_m + ground.relief_m * self.tan_incidence + askew)


def cut_into_strips(
    request: Request,
    *,
    heading: FloatArray,
    swath_m: float,
    extension_m: float,
    tan_incidence: float,
    heights: HeightModel,
) -> list[Strip]:
    """Strips that together cover `request`, each along `heading` (an ITRF vector at its centre).

    `swath_m` is what the narrowest look surely covers on flat ground, `tan_incidence` is of the
    largest incidence. Each strip is lengthened at both ends by `extension_m` for what is uncertain
    along the track, for relief, and for the skew of its lines.
    """
    if not swath_m > 0:
        raise ValueError(f"swath_m is {swath_m}, expected > 0")
    [strips] = cut_areas(
        outlines([request], [request.geometry]).drawn(heading[None]),
        StatedSwath(swath_m=swath_m, extension_m=extension_m, tan_incidence=tan_incidence),
        longest_m=np.array([LONGEST_STRIP_M]),
        heights=heights,
    )
    return strips


def cut_areas(
    drawn: Drawn,
    rule: StripRule,
    *,
    longest_m: FloatArray,
    heights: HeightModel,
    decomposition: str = "",
    infix: str = "",
) -> list[list[Strip]]:
    """The strips of each area (n,) drawn, along the x axis of its plane.

    No strip is longer than `longest_m` (n,) before it is lengthened. Strips are as wide as the rule
    allows over flat ground; where that is too wide for the relief below, the area is cut again with
    the width that each of its bands may have. `infix` comes between the names of request and strip.
    """
    if not len(drawn.name):
        return []
    longest_rad = longest_m / LARGEST_RADIUS_M
    cut = _cut(drawn, rule, _flat_bands(drawn, rule), longest_rad, heights)
    strips: list[list[Strip]] = [[] for _ in drawn.name]
    narrower = _narrower(drawn, rule, cut)
    again = [_cut(drawn, rule, narrower, longest_rad, heights)] if len(narrower.area) else []
    for part in (cut.without(narrower.area), *again):
        _refuse_many(drawn, part.ground.area)
        for area, strip in _strips(drawn, rule, part, decomposition, infix):
            strips[area].append(strip)
    return strips


@dataclass(frozen=True, kw_only=True, eq=False)
class _Cut:
    """Bands, the pieces they are cut into, and the ground under those."""

    bands: Bands
    pieces: Pieces
    ground: Ground

    def without(self, areas: IntArray) -> _Cut:
        """The same less what belongs to some areas; the bands stay."""
        kept = ~np.isin(self.ground.area, areas)
        pieces = Pieces(**{name: value[kept] for name, value in vars(self.pieces).items()})
        ground = Ground(**{name: value[kept] for name, value in vars(self.ground).items()})
        return _Cut(bands=self.bands, pieces=pieces, ground=ground)


def _cut(
    drawn: Drawn, rule: StripRule, bands: Bands, longest_rad: FloatArray, heights: HeightModel
) -> _Cut:
    """Pieces and their ground. Lines run on beyond their pieces: where one would leave the heights
    of its ground by half of their range there, it stays level."""
    pieces = cut_bands(drawn.shape, bands, longest_rad)
    ground = ground_under(pieces, bands, drawn, heights)
    width_m = bands.width_rad[pieces.band] * LARGEST_RADIUS_M
    longer = rule.lengthening_m(ground, width_m) / SMALLEST_RADIUS_M
    ends = np.stack([pieces.low - longer, pieces.high + longer])
    end_m, more = ground.level_m + ground.slope_m * ends, 0.5 * (ground.most_m - ground.least_m)
    away = np.any((end_m < ground.least_m - more) | (end_m > ground.most_m + more), axis=0)
    return _Cut(bands=bands, pieces=pieces, ground=ground.level_where(away))


def _flat_bands(drawn: Drawn, rule: StripRule) -> Bands:
    """Bands as wide as is sure over flat ground at the stated height, or at that of the ellipsoid,
    less what is kept back for relief."""
    every = np.arange(len(drawn.name))
    width_m = rule.width_m(flat_ground(every, np.nan_to_num(drawn.height_m, nan=0.0)))
    width_rad = (1 - KEPT_BACK) * width_m / LARGEST_RADIUS_M
    low, high = extent(drawn.shape)
    for i in np.flatnonzero((high - low) / (width_rad * (1 - OVERLAP)) > MOST_STRIPS)[:1]:
        raise AccessError(
            f"request {drawn.name[i]!r}: over {MOST_STRIPS} swaths of {width_m[i]:.0f} m lie side"
            " by side in it, expected fewer: cut it into smaller areas"
        )
    return even_bands(every, low, high, width_rad, OVERLAP)


def _narrower(drawn: Drawn, rule: StripRule, cut: _Cut) -> Bands:
    """New bands for the areas in which some strip is too wide for its relief: none, mostly."""
    bands = cut.bands
    sure_rad = np.maximum(
        (1 - KEPT_BACK) * rule.width_m(cut.ground) / LARGEST_RADIUS_M,
        LEAST_LEFT * bands.width_rad[cut.pieces.band],
    )
    rough = np.unique(
        cut.ground.area[sure_rad < (1 - KEPT_BACK) * bands.width_rad[cut.pieces.band]]
    )
    fitted = bands.width_rad.copy()
    np.minimum.at(fitted, cut.pieces.band, sure_rad)
    low, high = extent(drawn.shape)
    parts = [bands.of(rough[:0])]
    for area in rough:
        own = bands.of(area)
        width_rad = fitted[bands.area == area]
        parts.append(fitted_bands(own, float(low[area]), float(high[area]), width_rad, OVERLAP))
    return joined_bands(parts)


def _refuse_many(drawn: Drawn, area: IntArray) -> None:
    count = np.bincount(area, minlength=1)
    if count.max() > MOST_STRIPS:
        raise AccessError(
            f"request {drawn.name[int(count.argmax())]!r}: {count.max()} strips, expected at most"
            f" {MOST_STRIPS}: cut it into smaller areas"
        )


def _strips(
    drawn: Drawn, rule: StripRule, cut: _Cut, decomposition: str, infix: str
) -> Iterator[tuple[int, Strip]]:
    """The strips of a cut, each with the number of its area."""
    ground, width_rad = cut.ground, cut.bands.width_rad[cut.pieces.band]
    width_m = width_rad * LARGEST_RADIUS_M
    line = _lines(drawn, cut, rule.lengthening_m(ground, width_m))
    share = _shares(drawn, cut)
    number = 1 + np.arange(len(ground.area)) - np.searchsorted(ground.area, ground.area)
    for i, area in enumerate(ground.area.tolist()):
        name = drawn.name[area]
        yield (
            area,
            Strip(
                name=f"{name}/{infix}{number[i]:02d}",
                request=name,
                line=line[i],
                width_m=float(width_m[i]),
                share=float(share[i]),
                decomposition=decomposition,
                relief_m=float(ground.relief_m[i]),
                sure_turn_rad=rule.sure_turn_rad,
            ),
        )


def _lines(drawn: Drawn, cut: _Cut, longer_m: FloatArray) -> GroundLine:
    """Lines (p,) in the middle of bands, longer at both ends than the pieces."""
    origin, x_axis = drawn.origin[cut.ground.area], drawn.x_axis[cut.ground.area]
    tilt = cut.bands.middle[cut.pieces.band][:, None]
    middle = np.cos(tilt) * origin + np.sin(tilt) * cross(x_axis, origin)
    longer = longer_m / SMALLEST_RADIUS_M
    ends = np.stack([cut.pieces.low - longer, cut.pieces.high + longer], axis=-1)
    return GroundLine(
        normals=np.cos(ends)[..., None] * middle[:, None]
        + np.sin(ends)[..., None] * x_axis[:, None],
        heights_m=cut.ground.level_m[:, None] + cut.ground.slope_m[:, None] * ends,
    )


def _shares(drawn: Drawn, cut: _Cut) -> FloatArray:
    """Shares (p,) of the areas' sizes on the ellipsoid.

    Pieces are measured on Lambert's equal-area map of normals about the middle of their plane; what
    the ellipsoid's two radii of curvature make of an angle there is taken at each centroid.
    """
    shape = with_points(cut.pieces.shape, _AREA_STEP_RAD)
    centroid = shapely.get_coordinates(shapely.centroid(cut.pieces.shape))
    sine = drawn.normal(cut.ground.area, centroid[:, 0], centroid[:, 1])[:, 2]
    size = shapely.area(shapely.transform(shape, _equal_area)) / (1 - WGS84_E2 * sine**2) ** 2
    return np.asarray(size / np.bincount(cut.ground.area, size)[cut.ground.area])


def _equal_area(xy: FloatArray) -> FloatArray:
    """From a gnomonic plane to Lambert's map (J. P. Snyder, USGS 1395, p. 185), both (m, 2)."""
    cosine = 1 / np.sqrt(1 + xy[:, 0] ** 2 + xy[:, 1] ** 2)
    return np.asarray(xy * (cosine * np.sqrt(2 / (1 + cosine)))[:, None])
