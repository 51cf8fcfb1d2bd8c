"""A picture as a list of marks, drawn one over the other; pixels count from the upper left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.tables import glyph

Anchor: TypeAlias = Literal["start", "middle", "end"]
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, kw_only=True, eq=False)
class Shape:
    """Lines (n, 2): filled together by the even-odd rule, stroked, or both; colours as `#rrggbb`.

    `closed` ones need not end where they begin. `dash` is the length of dashes and of gaps.
    """

    lines: Sequence[FloatArray]
    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    closed: bool = False
    opacity: float = 1.0
    dash: float = 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Dots:
    """Discs of one size about centres (n, 2), each drawn whole before the next."""

    centres: FloatArray
    radius: float
    fill: str
    stroke: str
    width: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Word:
    """A line of text on the base line at `y`; `halo` is a colour round it."""

    text: str
    x: float
    y: float
    size: float
    colour: str
    anchor: Anchor = "start"
    halo: str = ""

    @property
    def left(self) -> float:
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        return self.x - share * text_width(self.text, self.size)

    @property
    def box(self) -> Box:
        """Where it lies, with room for accents and tails."""
        right = self.left + text_width(self.text, self.size)
        return self.left, self.y - 0.8 * self.size, right, self.y + 0.22 * self.size

    def rings(self) -> list[FloatArray]:
        """The outlines of its letters."""
        found, x = [], self.left
        for letter in self.text:
            shape = glyph(letter)
            turned = np.array([self.size, -self.size])
            found += [ring * turned + np.array([x, self.y]) for ring in shape.rings]
            x += shape.advance * self.size
        return found


Mark: TypeAlias = Shape | Dots | Word


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Marks on a ground of one colour."""

    width: float
    height: float
    ground: str
    marks: Sequence[Mark]
    title: str  # for those who cannot see it


def text_width(text: str, size: float) -> float:
    """How far a text reaches in Humay's letters."""
    return size * sum(glyph(letter).advance for letter in text)


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def clipped_ring(ring: FloatArray, box: Box) -> FloatArray:
    """A ring (n, 2) cut to a box, to be filled by the even-odd rule.

    I. Sutherland and G. Hodgman, Comm. ACM 17 (1974) 32: parts are joined along the box's edge.
    """
    for axis, limit, side in ((0, box[0], 1), (0, box[2], -1), (1, box[1], 1), (1, box[3], -1)):
        if len(ring) == 0:
            break
        ring = _half(ring, axis, limit, side)
    return ring


def _half(ring: FloatArray, axis: int, limit: float, side: int) -> FloatArray:
    """What of a ring lies where `side * (coordinate - limit)` is not negative."""
    after = np.roll(ring, -1, axis=0)
    here, there = (side * (points[:, axis] - limit) for points in (ring, after))
    cuts = (here >= 0) != (there >= 0)
    share = np.where(cuts, here / np.where(cuts, here - there, 1.0), 0.0)[:, None]
    both = np.stack([ring, ring + share * (after - ring)], axis=1).reshape(-1, 2)
    return np.asarray(both[np.stack([here >= 0, cuts], axis=1).ravel()])
