"""Where windows are and how many: a map of places, with the tracks of the passes that see them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from humay.access.tables.common import about_of
from humay.access.views.common import (
    COLOURS,
    Backdrop,
    Kind,
    Place,
    continuous,
    kind_of,
    places_of,
)
from humay.access.views.drawing import Box, Dots, Mark, Picture, Shape, Word, overlap, text_width
from humay.access.views.sheet import INK, PAPER, SOFT, Sheet, frame, ground, sheet_for
from humay.arrays import FloatArray, IntArray
from humay.earth import geodetic_from_itrf
from humay.errors import AccessError
from humay.orbit import Ephemeris
from humay.time import parse_utc

# From few to many: dark on light paper, in order also without colour
_FEW_TO_MANY = ("#e9b949", "#dd7f35", "#b9472f", "#84254a", "#3f1347")
_NONE = "#ffffff"
_MARGIN, _TOP, _BOTTOM = 44.0, 74.0, 74.0
_MOST_PASSES = 40  # whose tracks are drawn; more of them would hide the rest
_RATE_RAD_S = 1e-3  # of a low satellite: so long before and after a window it is out of sight
_MOST_NAMES = 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Classes:
    """Numbers of windows in classes: `edges[i]` to `edges[i + 1] - 1` have one colour."""

    edges: Sequence[int]

    def of(self, count: int) -> int:
        return int(np.searchsorted(self.edges, count, side="right")) - 1

    def colour(self, index: int) -> str:
        last = max(len(self.edges) - 2, 1)
        return _FEW_TO_MANY[round(index * (len(_FEW_TO_MANY) - 1) / last)]

    def names(self) -> list[str]:
        spans = zip(self.edges[:-1], (edge - 1 for edge in self.edges[1:]), strict=True)
        return [f"{low}" if low == high else f"{low}\u2013{high}" for low, high in spans]


def classes_of(counts: Sequence[int]) -> Classes:
    """At most five classes with about as many places in each."""
    some = np.array([count for count in counts if count], dtype=np.int64)
    if len(some) == 0:
        return Classes(edges=[1])
    shares = np.linspace(0.0, 1.0, len(_FEW_TO_MANY) + 1)[:-1]
    starts = np.unique(np.quantile(some, shares, method="lower"))
    if len(np.unique(some)) <= len(_FEW_TO_MANY):
        starts = np.unique(some)
    return Classes(edges=[*(int(start) for start in starts), int(some.max()) + 1])


def map_picture(table: pa.Table, backdrop: Backdrop, width: float = 1200.0) -> Picture:
    """A map of all places of a table of opportunities or contacts, as large as they need.

    Places lie together: a map of their region, true to area. All over the Earth: a map of it.
    Tracks are those of the passes with a window, as long as there are not more than 40.
    """
    kind, places = kind_of(table), places_of(table, backdrop)
    if not places:
        raise AccessError(f"nothing to draw: no {kind.many}, and no places to show without")
    sheet = sheet_for(_reached(places), _MARGIN, _TOP, width - 2 * _MARGIN)
    classes = classes_of([len(place.rows) for place in places])
    height = sheet.box[3] + _BOTTOM
    tracks = _tracks(table, backdrop, sheet)
    marks = [
        *ground(sheet),
        *_track_marks(tracks),
        *_place_marks(sheet, places, classes),
        *frame(sheet),
        *_heading(table, kind, places),
        *_legend(kind, classes, places, tracks, height),
    ]
    title = f"Map of {_count(len(table), kind.one, kind.many)}"
    return Picture(width=width, height=height, ground=PAPER, marks=marks, title=title)


def _reached(places: Sequence[Place]) -> FloatArray:
    """All that must be in sight (n, 2)."""
    outlines = [p.outline for p in places if p.outline is not None]
    return np.concatenate([np.array([p.lonlath[:2] for p in places]), *outlines])


# Tracks ------------------------------------------------------------------------------------------


def _tracks(table: pa.Table, backdrop: Backdrop, sheet: Sheet) -> dict[str, list[FloatArray]]:
    """By satellite, in pixels, the tracks of the passes with a window; none if there are many."""
    wanted: dict[tuple[str, int], list[int]] = {}
    columns = (table[name].to_pylist() for name in ("satellite", "orbit"))
    for row, (satellite, orbit) in enumerate(zip(*columns, strict=True)):
        wanted.setdefault((satellite, orbit), []).append(row)
    if len(wanted) > _MOST_PASSES:
        return {}
    utc_us = [table[name].cast(pa.int64()).to_numpy() for name in ("start", "end")]
    found: dict[str, list[FloatArray]] = {}
    margin_s = sheet.reach_rad / _RATE_RAD_S
    for (satellite, _), rows in sorted(wanted.items()):
        if satellite in backdrop.orbits:
            orbit = backdrop.orbits[satellite]
            line = _track(orbit, utc_us[0][rows], utc_us[1][rows], margin_s)
            found.setdefault(satellite, []).extend(sheet.lines([line]))
    return found


def _track(orbit: Ephemeris, start_us: IntArray, end_us: IntArray, margin_s: float) -> FloatArray:
    """Longitudes, continuous, and latitudes (n, 2) below a satellite about some windows."""
    first = orbit.epoch.seconds_at(start_us).min() - margin_s
    last = orbit.epoch.seconds_at(end_us).max() + margin_s
    t_s = np.arange(max(first, orbit.start_s), min(last, orbit.end_s), 10.0)
    known = np.zeros(t_s.shape, dtype=bool)
    for segment in orbit.segments:
        known |= (t_s >= segment.t_s[0]) & (t_s <= segment.t_s[-1])
    lon, lat, _ = geodetic_from_itrf(orbit.position_itrf(t_s[known]))
    return continuous(np.degrees(np.stack([lon, lat], axis=1)))


def _track_marks(tracks: dict[str, list[FloatArray]]) -> Iterator[Mark]:
    opacity = 0.6 if sum(map(len, tracks.values())) < 12 else 0.4
    for i, lines in enumerate(tracks.values()):
        colour = COLOURS[i % len(COLOURS)]
        yield Shape(lines=lines, stroke=colour, width=1.2, opacity=opacity)


# Places ------------------------------------------------------------------------------------------


def _place_marks(sheet: Sheet, places: Sequence[Place], classes: Classes) -> Iterator[Mark]:
    """Those with few windows first, so that the others lie on top."""
    strips = [] if sheet.whole else [p for p in places if p.outline is not None]
    points = [p for p in places if p.outline is None or sheet.whole]
    pixels = sheet.points(np.array([p.lonlath[:2] for p in points]).reshape(-1, 2))
    radius = _radius(sheet, len(points))
    for index in range(-1, len(classes.edges) - 1):
        colour = _NONE if index < 0 else classes.colour(index)
        inside = [p for p in strips if classes.of(len(p.rows)) == index]
        if inside:
            rings = [sheet.points(p.outline) for p in inside if p.outline is not None]
            for ring in rings:
                yield Shape(lines=[ring], fill=colour, closed=True, opacity=0.45)
            yield Shape(lines=rings, stroke=colour if index >= 0 else SOFT, width=1.0, closed=True)
    for index in range(-1, len(classes.edges) - 1):
        here = [i for i, p in enumerate(points) if classes.of(len(p.rows)) == index]
        if here:
            colour = _NONE if index < 0 else classes.colour(index)
            stroke = SOFT if index < 0 else "#ffffff"
            yield Dots(centres=pixels[here], radius=radius, fill=colour, stroke=stroke)
    yield from _names(sheet, places, pixels, radius)


def _radius(sheet: Sheet, count: int) -> float:
    """Smaller where there are many, so that a hundred dots cover 2 % of the map at most."""
    area = (sheet.box[2] - sheet.box[0]) * (sheet.box[3] - sheet.box[1])
    return float(np.clip(np.sqrt(0.02 * area / (np.pi * max(count, 1))), 3.6, 7.0))


def _names(
    sheet: Sheet, places: Sequence[Place], dots: FloatArray, radius: float
) -> Iterator[Mark]:
    """The names of requests or stations where there is room, those with most windows first."""
    groups: dict[str, list[Place]] = {}
    for place in places:
        groups.setdefault(place.group, []).append(place)
    if len(groups) > _MOST_NAMES:
        return
    taken = [_around(x, y, radius) for x, y in dots.tolist()]
    by_windows = sorted(groups.items(), key=lambda item: -sum(len(p.rows) for p in item[1]))
    for name, parts in by_windows:
        x, y = np.mean(sheet.points(np.array([p.lonlath[:2] for p in parts])), axis=0).tolist()
        own = _around(x, y, radius)
        for word in _beside(name, x, y, radius, flat=parts[0].outline is not None):
            others = [box for box in taken if box != own]
            if _inside(word.box, sheet.box) and not any(overlap(word.box, b) for b in others):
                taken.append(word.box)
                yield word
                break


def _around(x: float, y: float, radius: float) -> Box:
    return x - radius, y - radius, x + radius, y + radius


def _inside(box: Box, frame_: Box) -> bool:
    return (
        box[0] > frame_[0] + 4
        and box[1] > frame_[1] + 4
        and box[2] < frame_[2] - 4
        and box[3] < frame_[3] - 30  # the scale bar is there
    )


def _beside(name: str, x: float, y: float, radius: float, *, flat: bool) -> Iterator[Word]:
    """A name right, left, above or below of a dot; on an area in the middle of it."""
    text = name if len(name) <= 32 else name[:31] + "\u2026"
    if flat:
        yield Word(text=text, x=x, y=y + 4, size=12, colour=INK, anchor="middle", halo=PAPER)
    gap = radius + 4
    yield Word(text=text, x=x + gap, y=y + 4, size=12, colour=INK, halo=PAPER)
    yield Word(text=text, x=x - gap, y=y + 4, size=12, colour=INK, anchor="end", halo=PAPER)
    for low in (-gap, gap + 10):
        yield Word(text=text, x=x, y=y + low, size=12, colour=INK, anchor="middle", halo=PAPER)


# Around the map ----------------------------------------------------------------------------------


def _heading(table: pa.Table, kind: Kind, places: Sequence[Place]) -> Iterator[Mark]:
    of = "requests" if kind.place == "strip" else "stations"
    groups = len({place.group for place in places})
    what = f"{_count(len(table), kind.one, kind.many)} of {_count(groups, of[:-1], of)}"
    yield Word(text=what, x=_MARGIN, y=36, size=23, colour=INK)
    start, end = (parse_utc(text).strftime("%Y-%m-%d %H:%M") for text in about_of(table)["span"])
    satellites = sorted(set(table["satellite"].to_pylist()))
    by = f"  \u00b7  {', '.join(satellites)}" if 0 < len(satellites) <= 8 else ""
    if len(satellites) > 8:
        by = f"  \u00b7  {len(satellites)} satellites"
    yield Word(text=f"{start} to {end} UTC{by}", x=_MARGIN, y=58, size=13, colour=SOFT)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _legend(
    kind: Kind,
    classes: Classes,
    places: Sequence[Place],
    tracks: dict[str, list[FloatArray]],
    height: float,
) -> Iterator[Mark]:
    """One line below the map: what the colours mean, and whose the tracks are."""
    x, y = _MARGIN, height - 26
    where = "place" if kind.place == "strip" else "station"
    title = f"{kind.many.capitalize()} for each {where}"
    yield Word(text=title, x=x, y=y, size=12, colour=SOFT)
    x += text_width(title, 12) + 16
    entries = [(classes.colour(i), "#ffffff", name) for i, name in enumerate(classes.names())]
    if any(not place.rows for place in places):
        entries.insert(0, (_NONE, SOFT, "none"))
    for fill, stroke, name in entries:
        centre = np.array([[x + 6, y - 4]])
        yield Dots(centres=centre, radius=6, fill=fill, stroke=stroke)
        yield Word(text=name, x=x + 17, y=y, size=12, colour=INK)
        x += text_width(name, 12) + 34
    for i, satellite in enumerate(tracks):
        colour = COLOURS[i % len(COLOURS)]
        line = np.array([[x + 8, y - 4], [x + 32, y - 4]])
        yield Shape(lines=[line], stroke=colour, width=2.0, opacity=0.8)
        yield Word(text=satellite, x=x + 39, y=y, size=12, colour=INK)
        x += text_width(satellite, 12) + 55
