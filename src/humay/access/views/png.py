"""A picture as PNG bytes, drawn here: the same on every machine, with letters of its own."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from humay.access.views.drawing import Dots, Mark, Picture, Shape, Word
from humay.arrays import FloatArray

_LINES = 5  # scan lines a pixel; along them cover is exact
_CIRCLE = 2 * np.pi * np.arange(32) / 32
_HALO = 1.5


def png_bytes(picture: Picture, scale: float = 2.0) -> bytes:
    """The picture with `scale` pixels for each of its own; 8 bits a colour."""
    rows, columns = round(picture.height * scale), round(picture.width * scale)
    image = np.empty((rows, columns, 3), dtype=np.float32)
    image[:] = _rgb(picture.ground)
    for mark in picture.marks:
        for colour, opacity, rings, even_odd in _inked(mark):
            _blend(image, [ring * scale for ring in rings], colour, opacity, even_odd)
    return _png(np.rint(image).astype(np.uint8))


# What is inked -----------------------------------------------------------------------------------


def _inked(mark: Mark) -> Iterator[tuple[str, float, Sequence[FloatArray], bool]]:
    """(colour, opacity, closed rings, whether by the even-odd rule) in the order of drawing."""
    if isinstance(mark, Word):
        rings = mark.rings()
        if mark.halo:
            yield mark.halo, 1.0, _strokes(rings, 2 * _HALO, closed=True), False
        yield mark.colour, 1.0, rings, True
    elif isinstance(mark, Dots):
        circle = np.stack([np.cos(_CIRCLE), np.sin(_CIRCLE)], axis=1)
        for centre in mark.centres:
            for grown, colour in ((0.5, mark.stroke), (-0.5, mark.fill)):
                yield colour, 1.0, [centre + (mark.radius + grown * mark.width) * circle], True
    elif mark.lines:
        if mark.fill:
            yield mark.fill, mark.opacity, mark.lines, True
        if mark.stroke:
            yield mark.stroke, mark.opacity, _stroke(mark), False


def _stroke(shape: Shape) -> list[FloatArray]:
    lines = [line for line in shape.lines if len(line) > 1]
    if shape.dash:
        lines = [piece for line in lines for piece in _dashes(line, shape.dash)]
    return _strokes(lines, shape.width, closed=shape.closed)


def _strokes(lines: Sequence[FloatArray], width: float, *, closed: bool) -> list[FloatArray]:
    """The outlines of lines drawn so wide: what is ink goes round one way, holes the other."""
    paths = [
        shapely.LinearRing(line) if closed and len(line) > 2 else shapely.LineString(line)
        for line in lines
    ]
    rings = []
    for part in shapely.get_parts(shapely.buffer(paths, width / 2, quad_segs=3)):
        rings.append(_turning(part.exterior, ccw=True))
        rings += [_turning(hole, ccw=False) for hole in part.interiors]
    return rings


def _turning(ring: shapely.LinearRing, *, ccw: bool) -> FloatArray:
    points = np.asarray(shapely.get_coordinates(ring))
    return points if shapely.is_ccw(ring) == ccw else points[::-1]


def _dashes(line: FloatArray, length: float) -> Iterator[FloatArray]:
    """Every other piece of a line, `length` long."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    for begin in np.arange(0.0, along[-1], 2 * length):
        end = min(begin + length, along[-1])
        inner = along[(along > begin) & (along < end)]
        at = np.concatenate([[begin], inner, [end]])
        yield np.stack([np.interp(at, along, line[:, i]) for i in (0, 1)], axis=1)


# How it covers pixels ----------------------------------------------------------------------------


def _blend(
    image: NDArray[np.float32],
    rings: Sequence[FloatArray],
    colour: str,
    opacity: float,
    even_odd: bool,
) -> None:
    """Lay a colour over the part of the image that is inside rings."""
    if not rings:
        return
    points = np.concatenate(rings)
    limits = image.shape[1::-1]
    left, top = np.clip(np.floor(points.min(axis=0)), 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(points.max(axis=0)), 0, limits).astype(int)
    if left >= right or top >= bottom:
        return
    corner = np.array([left, top])
    inside = coverage(
        [ring - corner for ring in rings], bottom - top, right - left, even_odd=even_odd
    )
    touched = np.nonzero(inside > 0)  # often few
    part = image[top:bottom, left:right]
    share = np.float32(opacity) * inside[touched][:, None]
    part[touched] += share * (_rgb(colour) - part[touched])


def coverage(
    rings: Sequence[FloatArray], rows: int, columns: int, *, even_odd: bool
) -> NDArray[np.float32]:
    """How much of each pixel (rows, columns) lies inside closed rings of points (n, 2).

    By the even-odd rule, or where the rings wind round at all. Up and down by scan lines, from left
    to right exact.
    """
    line, x, way = _crossings(rings, rows * _LINES)
    order = np.lexsort((x, line))
    line, x, way = line[order], np.clip(x[order], 0.0, columns), way[order]
    if even_odd:  # every scan line is crossed an even number of times
        step = np.where(np.arange(len(x)) % 2 == 0, 1.0, -1.0)
    else:  # and as often one way as the other
        winding = np.cumsum(way)
        step = np.where(winding == way, 1.0, np.where(winding == 0, -1.0, 0.0))
    pixel = np.floor(x).astype(np.int64)
    place = line // _LINES * (columns + 2) + pixel
    size = rows * (columns + 2)
    gain = np.bincount(place, step * (pixel + 1 - x), size)
    gain += np.bincount(place + 1, step * (x - pixel), size)
    inside = np.cumsum(gain.reshape(rows, columns + 2), axis=1)[:, :columns] / _LINES
    return inside.astype(np.float32)


def _crossings(
    rings: Sequence[FloatArray], lines: int
) -> tuple[NDArray[np.int64], FloatArray, NDArray[np.int64]]:
    """Where sides of rings cross scan lines: the line, how far to the right, and which way."""
    start = np.concatenate(rings)
    stop = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    low, high = (
        np.clip(np.ceil(pick(start[:, 1], stop[:, 1]) * _LINES - 0.5), 0, lines).astype(np.int64)
        for pick in (np.minimum, np.maximum)
    )
    count = high - low
    side = np.repeat(np.arange(len(start)), count)
    line = np.arange(len(side)) - np.repeat(np.cumsum(count) - count, count) + low[side]
    (x, y), (dx, dy) = start[side].T, (stop - start)[side].T
    return line, x + ((line + 0.5) / _LINES - y) * dx / dy, np.sign(dy).astype(np.int64)


# The file ----------------------------------------------------------------------------------------


def _rgb(colour: str) -> NDArray[np.float32]:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], dtype=np.float32)


def _png(image: NDArray[np.uint8]) -> bytes:
    """ISO/IEC 15948: signature, header, one stream of unfiltered rows, end."""
    rows, columns, _ = image.shape
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), image.reshape(rows, -1)], axis=1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
