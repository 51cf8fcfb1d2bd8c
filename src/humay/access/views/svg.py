"""A picture as SVG 1.1 text: no scripts, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from humay.access.views.common import xml_text
from humay.access.views.drawing import Dots, Mark, Picture, Shape, Word
from humay.arrays import FloatArray

_FONT = "Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"


def svg_text(picture: Picture) -> str:
    """The picture; coordinates to a tenth of a pixel."""
    size = f'width="{picture.width:g}" height="{picture.height:g}"'
    view = f'viewBox="0 0 {picture.width:g} {picture.height:g}"'
    title = xml_text(picture.title)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} role="img" aria-label="{title}"'
        f' font-family="{_FONT}" stroke-linejoin="round" stroke-linecap="round">',
        f"<title>{title}</title>",
        f'<rect width="100%" height="100%" fill="{picture.ground}"/>',
        *(line for mark in picture.marks for line in _mark(mark)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _mark(mark: Mark) -> Iterator[str]:
    if isinstance(mark, Word):
        yield _word(mark)
    elif isinstance(mark, Dots):
        yield from _dots(mark)
    elif mark.lines:
        yield _shape(mark)


def _shape(shape: Shape) -> str:
    path = "".join(_path(line, shape.closed) for line in shape.lines if len(line) > 1)
    paint = f'fill="{shape.fill or "none"}"'
    if shape.fill:
        paint += ' fill-rule="evenodd"'
    if shape.stroke:
        paint += f' stroke="{shape.stroke}" stroke-width="{shape.width:g}"'
    if shape.dash:
        paint += f' stroke-dasharray="{shape.dash:g}" stroke-linecap="butt"'
    if shape.opacity < 1:
        paint += f' opacity="{shape.opacity:.3g}"'
    return f'<path d="{path}" {paint}/>'


def _path(line: FloatArray, closed: bool) -> str:
    """`M` and relative steps of tenths of a pixel, which are shorter than positions."""
    tenths = np.rint(line * 10).astype(np.int64)
    steps = np.diff(tenths, axis=0)
    moves = [_pair(x, y) for x, y in steps.tolist() if x or y]
    start = _pair(*tenths[0].tolist())
    return f"M{start}" + (f"l{' '.join(moves)}" if moves else "") + ("z" if closed else "")


def _pair(x: int, y: int) -> str:
    return f"{x / 10:g},{y / 10:g}"


def _dots(dots: Dots) -> Iterator[str]:
    yield f'<g fill="{dots.fill}" stroke="{dots.stroke}" stroke-width="{dots.width:g}">'
    for x, y in dots.centres.tolist():
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{dots.radius:g}"/>'
    yield "</g>"


def _word(word: Word) -> str:
    halo = ""
    if word.halo:
        halo = f' stroke="{word.halo}" stroke-width="3" paint-order="stroke"'
    return (
        f'<text x="{word.x:.1f}" y="{word.y:.1f}" font-size="{word.size:g}" fill="{word.colour}"'
        f' text-anchor="{word.anchor}"{halo}>{xml_text(word.text)}</text>'
    )
