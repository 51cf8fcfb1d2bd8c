"""What is asked of a catalogue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import shapely

from humay.catalogue.instants import interval
from humay.errors import CatalogueError

Box: TypeAlias = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """Which items are wanted; what is None does not matter.

    `bbox`: west, south, east, north in degrees, or with heights in metres third and sixth; west
    greater than east goes over the antimeridian. An item is found if its geometry, not only its
    bounding box, touches the box, and its time `span_us`, both ends included. Heights matter to
    items that have some.
    """

    bbox: tuple[float, ...] | None = None
    span_us: tuple[int | None, int | None] = (None, None)
    ids: tuple[str, ...] | None = None
    collections: tuple[str, ...] | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise CatalogueError(f"limit is {self.limit}, expected 1 or more")
        if self.bbox is None:
            return
        if len(self.bbox) not in (4, 6) or not all(map(math.isfinite, self.bbox)):
            raise CatalogueError(f"bbox is {self.bbox}, expected 4 or 6 numbers")
        west, south, east, north = self._level
        if not (max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90):
            raise CatalogueError(
                f"bbox is {self.bbox}, expected west, south, east, north in -180 to 180 and -90 "
                "to 90 degrees, south below north"
            )
        if self.heights is not None and self.heights[0] > self.heights[1]:
            raise CatalogueError(f"bbox is {self.bbox}, expected the least height first")

    @staticmethod
    def from_text(
        *,
        bbox: str | None = None,
        datetime: str | None = None,
        ids: Sequence[str] = (),
        collections: Sequence[str] = (),
        limit: int | None = None,
    ) -> Query:
        """From the words of a command: `48,38,51,42`, `2019-11-01T00:00:00Z/..`."""
        try:
            box = None if bbox is None else tuple(float(number) for number in bbox.split(","))
        except ValueError as error:
            raise CatalogueError(
                f"bbox is {bbox!r}, expected numbers like 48.5,38.3,51,42"
            ) from error
        try:
            span_us = (None, None) if datetime is None else interval(datetime)
        except ValueError as error:
            raise CatalogueError(f"datetime {error}") from error
        return Query(
            bbox=box,
            span_us=span_us,
            ids=tuple(ids) or None,
            collections=tuple(collections) or None,
            limit=limit,
        )

    @property
    def _level(self) -> Box:
        box = self.bbox or ()
        west, south, east, north = box if len(box) == 4 else (*box[:2], *box[3:5])
        return west, south, east, north

    @property
    def heights(self) -> tuple[float, float] | None:
        """Lowest and highest wanted, m."""
        return (self.bbox[2], self.bbox[5]) if self.bbox and len(self.bbox) == 6 else None

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The bbox as boxes of west <= east. The meridians of -180 and 180 are one line."""
        if self.bbox is None:
            return ()
        west, south, east, north = self._level
        if west > east:
            return (west, south, 180.0, north), (-180.0, south, east, north)
        boxes = [(west, south, east, north)]
        if west == -180.0 and east < 180.0:
            boxes.append((180.0, south, 180.0, north))
        if east == 180.0 and west > -180.0:
            boxes.append((-180.0, south, -180.0, north))
        return tuple(boxes)

    @property
    def shapes(self) -> list[shapely.Geometry]:
        """The boxes as shapes; those without area as lines or points."""
        return [_box(*box) for box in self.boxes]


def _box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    if west == east or south == north:
        ends = (west, south), (east, north)
        return shapely.Point(ends[0]) if ends[0] == ends[1] else shapely.LineString(ends)
    return shapely.box(west, south, east, north)
