"""`find_strips`: the strips of every line and area, in one decomposition or several.

Nothing here depends on the passes in the span: headings are those of tracks over a turning Earth in
closed form, widths those of looks from the lowest point of the orbit, and the age of the elements
is counted in whole days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon

from humay.access.looks import Nadir
from humay.access.planes import outlines
from humay.access.strips import Strip, cut_areas
from humay.access.tracks import Track, level_direction, track_of
from humay.access.widths import LookRule
from humay.arrays import FloatArray
from humay.errors import AccessError
from humay.mission import Mission, Request
from humay.orbit import Ephemeris

SIMILAR_RAD = math.radians(2.0)  # orbits closer in inclination share their tracks


def find_strips(
    mission: Mission,
    requests: Sequence[Request],
    orbits: Mapping[str, Ephemeris],
    span: tuple[float, float],
    nadir: Nadir,
    *,
    decompositions: int = 1,
    heading_rad: float | None = None,
    exclusions: Sequence[Polygon | MultiPolygon] = (),
) -> list[Strip]:
    """Strips of every line and area, in its first `decompositions` of this order:

    `h1` along `heading_rad` (clockwise from north), if one is chosen; `d1` and `a1` along the
    descending and the ascending track, the one flown by day first; more of them for every other
    inclination; all as wide as every look is sure to see. Then all of them again, `h2`, `d2` and so
    on, as wide as a look half way out is sure to see. What lies in `exclusions` (degrees) is not
    covered. Spans that end on the same day have the same strips.
    """
    if decompositions < 1:
        raise ValueError(f"decompositions is {decompositions}, expected 1 or more")
    asked, shapes = left_of([r for r in requests if r.kind != "point"], exclusions)
    if not asked:
        return []
    outline = outlines(asked, shapes)
    tracks = [track_of(s, orbits[s.name], span) for s in mission.satellites]
    found: list[list[Strip]] = [[] for _ in asked]
    for number, cut in enumerate(_cuts(tracks, heading_rad)[:decompositions]):
        azimuth = cut.azimuth(outline.middle)
        rule = LookRule.of(tracks, asked, outline.middle, azimuth, nadir, oblique=cut.oblique)
        cut_strips = cut_areas(
            outline.drawn(level_direction(outline.middle, azimuth)),
            rule,
            longest_m=rule.longest_m(outline.height_m),
            heights=mission.heights,
            decomposition=cut.name,
            infix=f"{cut.name}/" if number else "",
        )
        for own, more in zip(found, cut_strips, strict=True):
            own += more
    strips = [strip for own in found for strip in own]
    _refuse_twins(strips)
    return strips


def _refuse_twins(strips: Sequence[Strip]) -> None:
    """The area `a/d2` may have a strip named as one of the area `a` is."""
    first: dict[str, Strip] = {}
    for strip in strips:
        if first.setdefault(strip.name, strip) is not strip:
            raise AccessError(
                f"requests {first[strip.name].request!r} and {strip.request!r} both have a strip"
                f" named {strip.name!r}, expected other names of requests"
            )


def left_of(
    requests: Sequence[Request], exclusions: Sequence[Polygon | MultiPolygon]
) -> tuple[list[Request], list[Any]]:
    """Requests of which something lies outside of the exclusions, and what that is (degrees)."""
    shapes = np.empty(len(requests), dtype=object)
    shapes[:] = [request.geometry for request in requests]
    if len(exclusions):
        copies = [translate(shapely.make_valid(area), 360.0 * turn)
                  for area in exclusions for turn in (-1, 0, 1)]  # fmt: skip
        taken = shapely.union_all(copies)
        shapely.prepare(taken)
        hit = shapely.intersects(taken, shapes)
        shapes[hit] = shapely.difference(shapely.make_valid(shapes[hit]), taken)
    left = np.flatnonzero(~shapely.is_empty(shapes)).tolist()
    return [requests[i] for i in left], [shapes[i] for i in left]


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """One decomposition: along one side of a track, or along a heading."""

    name: str
    oblique: bool
    track: Track | None = None
    ascending: bool = False
    heading_rad: float = 0.0

    def azimuth(self, middle: FloatArray) -> FloatArray:
        """Directions (n,) of the strips of areas with the normals `middle` (n, 3)."""
        if self.track is None:
            return np.full(len(middle), self.heading_rad)
        return self.track.ground_azimuth(
            middle, self.track.azimuth(middle, ascending=self.ascending)
        )


def _cuts(tracks: Sequence[Track], heading_rad: float | None) -> list[_Cut]:
    """All decompositions there are, in the order in which they are offered."""
    different: list[Track] = []
    for track in tracks:
        if all(abs(track.inclination_rad - t.inclination_rad) > SIMILAR_RAD for t in different):
            different.append(track)
    cuts: list[_Cut] = []
    for oblique in (False, True):
        if heading_rad is not None:
            cuts.append(_Cut(name=f"h{1 + oblique}", oblique=oblique, heading_rad=heading_rad))
        for number, track in enumerate(different, start=1 + oblique * len(different)):
            for ascending in (False, True) if track.descends_by_day else (True, False):
                name = f"{'a' if ascending else 'd'}{number}"
                cuts.append(_Cut(name=name, oblique=oblique, track=track, ascending=ascending))
    return cuts
