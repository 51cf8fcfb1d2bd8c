"""Make the table of letters that pictures of maps are written with.

    python -m venv /tmp/glyphs && /tmp/glyphs/bin/pip install numpy shapely fonttools
    /tmp/glyphs/bin/pip download --no-deps --no-binary :all: -d /tmp font-roboto==0.0.1
    /tmp/glyphs/bin/python tools/make_glyphs.py glyphs --font /tmp/font-roboto-0.0.1.tar.gz

Writes `src/humay/data/glyphs/glyphs.npz` and its `SOURCE.md`. The archive is checked against the
SHA-256 below. Nothing here runs when Humay runs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[1] / "src" / "humay" / "data" / "glyphs"
ARCHIVE = "font-roboto-0.0.1.tar.gz"
FONT = "font-roboto-0.0.1/font_roboto/files/Roboto-Regular.ttf"
SHA256 = "8bc9136bf46609fbb13af4783016799b14e23dda294a61791171de7ea2ec457f"
BLOCKS = (
    range(0x20, 0x7F),  # Basic Latin
    range(0xA0, 0x250),  # Latin-1, Extended-A, Extended-B
    range(0x259, 0x25A),  # the schwa of Azerbaijani
    range(0x370, 0x400),  # Greek
    range(0x400, 0x530),  # Cyrillic
    range(0x1E00, 0x1F00),  # Latin Extended Additional
    range(0x2010, 0x2040),  # dashes, quotation marks, primes
    range(0x2212, 0x2213),  # minus
    range(0xFFFD, 0xFFFE),  # in place of a letter that is not here
)
CURVE_STEPS = 4  # straight pieces for each quadratic arc
TOLERANCE = 3.0  # of 2,048 units an em: 0.02 pixels in letters 14 pixels high

SOURCE = """\
# Letters for pictures of maps

* Origin: Roboto Regular, copyright 2011 Google Inc.; PyPI package font-roboto 0.0.1.
* Version: 2.138 (2017).
* Licence: Apache License, Version 2.0.
* Made by: `tools/make_glyphs.py glyphs`.
* SHA-256: `{digest}` glyphs.npz

The outlines of {count} characters: Latin with its extensions, Greek, Cyrillic, punctuation; of any
other U+FFFD is drawn. Curves are straight pieces, within {tolerance:g} of 2,048 units an em.
`codes` are code points and `advances` the steps to the next letter; `rings` counts the closed rings
of each character, filled by the even-odd rule, `points` the points of each ring; `steps` are
differences between points in units, x first, y upwards from the base line.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", choices=["glyphs"])
    parser.add_argument("--font", type=Path, required=True, help=ARCHIVE)
    font = TTFont(io.BytesIO(read_font(parser.parse_args().font)))
    names = font.getBestCmap()
    codes = [code for block in BLOCKS for code in block if code in names]
    outlines = [rings_of(font, names[code]) for code in codes]
    rings = [ring for outline in outlines for ring in outline]
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        codes=np.array(codes, dtype=np.uint32),
        advances=np.array([font["hmtx"][names[code]][0] for code in codes], dtype=np.int16),
        rings=np.array([len(outline) for outline in outlines], dtype=np.uint8),
        points=np.array([len(ring) for ring in rings], dtype=np.uint16),
        steps=np.diff(np.concatenate(rings), axis=0, prepend=0).astype(np.int16),
    )
    DATA.mkdir(exist_ok=True)
    (DATA / "glyphs.npz").write_bytes(packed.getvalue())
    text = SOURCE.format(
        count=len(codes),
        tolerance=TOLERANCE,
        digest=hashlib.sha256(packed.getvalue()).hexdigest(),
    )
    (DATA / "SOURCE.md").write_text(text, encoding="utf-8")


def read_font(path: Path) -> bytes:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{path}: SHA-256 is {found}, expected {SHA256}")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        member = archive.extractfile(FONT)
        if member is None:
            raise SystemExit(f"{path}: no file {FONT}")
        return member.read()


def rings_of(font: Any, name: str) -> list[NDArray[np.int64]]:
    """The outline of a letter without overlaps: rings that do not close on their first point.

    TrueType fills what its contours turn around, whole ones clockwise and holes against the clock.
    """
    pen = DecomposingRecordingPen(font.getGlyphSet())
    font.getGlyphSet()[name].draw(pen)
    contours = [shapely.Polygon(ring).buffer(0) for ring in contours_of(pen.value)]
    turns = [shapely.is_ccw(shapely.LinearRing(ring)) for ring in contours_of(pen.value)]
    ink = shapely.union_all([c for c, hole in zip(contours, turns, strict=True) if not hole])
    holes = shapely.union_all([c for c, hole in zip(contours, turns, strict=True) if hole])
    shape = shapely.simplify(ink.difference(holes), TOLERANCE)
    parts = [part for part in shapely.get_parts(shape) if part.area > 0]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return [np.rint(ring.coords).astype(np.int64)[:-1] for ring in rings]


def contours_of(drawn: list[tuple[str, tuple[tuple[float, float], ...]]]) -> list[Any]:
    """Contours as points; quadratic splines as pen strokes give them: implied points half way."""
    contours: list[list[tuple[float, float]]] = []
    for verb, points in drawn:
        if verb == "moveTo":
            contours.append([points[0]])
        elif verb == "lineTo":
            contours[-1].append(points[0])
        elif verb == "qCurveTo" and points[-1] is None:  # closed, no point lies on the curve
            start = half_way(points[-2], points[0])
            contours.append(spline(start, (*points[:-1], start)))
        elif verb == "qCurveTo":
            contours[-1] += spline(contours[-1][-1], points)
        elif verb != "closePath":
            raise SystemExit(f"a stroke {verb!r}, expected lines and quadratic curves")
    return [contour for contour in contours if len(contour) > 2]


def spline(
    start: tuple[float, float], points: tuple[tuple[float, float], ...]
) -> list[tuple[float, float]]:
    controls, end = points[:-1], points[-1]
    made = []
    for i, control in enumerate(controls):
        last = i + 1 == len(controls)
        stop = end if last else half_way(control, controls[i + 1])
        for k in range(1, CURVE_STEPS + 1):
            u = k / CURVE_STEPS
            made.append(
                tuple(
                    (1 - u) ** 2 * a + 2 * u * (1 - u) * b + u * u * c
                    for a, b, c in zip(start, control, stop, strict=True)
                )
            )
        start = stop
    return made


def half_way(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


if __name__ == "__main__":
    main()
