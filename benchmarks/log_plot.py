"""A plain picture of cost over work on logarithmic axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 760, 500
LEFT, RIGHT, TOP, BOTTOM = 78, 36, 128, 62
LEGEND_TOP, LEGEND_COLUMN = 66, 190
COLOURS = ("#2a6f97", "#d1495b", "#3c8d5a")
INK, FAINT, GRID = "#24303a", "#66727c", "#e4e8eb"
DIGITS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class Series:
    """Points joined by a line; `colour` by number."""

    label: str
    colour: int
    filled: bool
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Axes:
    """Words of the picture, and the point through which a line of slope one is drawn."""

    title: str
    across: str
    up: str
    line_label: str
    line_through: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Whole decades that hold every point, and where they lie in the picture."""

    low: tuple[int, int]
    high: tuple[int, int]

    @staticmethod
    def around(points: Sequence[tuple[float, float]]) -> Frame:
        logs = [(math.log10(x), math.log10(y)) for x, y in points]
        low = math.floor(min(x for x, _ in logs)), math.floor(min(y for _, y in logs))
        high = math.ceil(max(x for x, _ in logs)), math.ceil(max(y for _, y in logs))
        return Frame(low=low, high=(max(high[0], low[0] + 1), max(high[1], low[1] + 1)))

    def x(self, value: float) -> float:
        share = (math.log10(value) - self.low[0]) / (self.high[0] - self.low[0])
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (math.log10(value) - self.low[1]) / (self.high[1] - self.low[1])
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def drawn(series: Sequence[Series], axes: Axes) -> str:
    """The picture as one SVG document."""
    frame = Frame.around([point for each in series for point in each.points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        " font-family=\"system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif\">",
        f"<title>{escape(axes.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="8" fill="#ffffff"/>',
        text(LEFT, 32, axes.title, size=17, weight=600),
        *grid(frame),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, axes.across, anchor="middle"),
        text(LEFT - 44, TOP - 14, axes.up, fill=FAINT, size=12),
        *reference(frame, axes),
        *(part for each in series for part in curve(frame, each)),
        *legend(series),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def grid(frame: Frame) -> list[str]:
    """A line and a power of ten for each decade."""
    right, floor = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for power in range(frame.low[0], frame.high[0] + 1):
        x = frame.x(10.0**power)
        parts.append(line((x, TOP), (x, floor), GRID))
        parts.append(text(x, floor + 20, ten(power), anchor="middle"))
    for power in range(frame.low[1], frame.high[1] + 1):
        y = frame.y(10.0**power)
        parts.append(line((LEFT, y), (right, y), GRID))
        parts.append(text(LEFT - 10, y + 4, ten(power), anchor="end"))
    return parts


def reference(frame: Frame, axes: Axes) -> list[str]:
    """Cost in proportion to work, as far as it lies in the frame."""
    work, cost = axes.line_through
    unit = cost / work
    first = max(10.0 ** frame.low[0], 10.0 ** frame.low[1] / unit)
    last = min(10.0 ** frame.high[0], 10.0 ** frame.high[1] / unit)
    a, b = ((frame.x(at), frame.y(at * unit)) for at in (first, last))
    slope = -math.degrees(math.atan2(a[1] - b[1], b[0] - a[0]))
    x, y = a[0] + 0.3 * (b[0] - a[0]), a[1] + 0.3 * (b[1] - a[1])
    return [
        line(a, b, FAINT, dash="5 5"),
        f'<g transform="translate({x:.1f} {y:.1f}) rotate({slope:.2f})">'
        + text(0, 16, axes.line_label, fill=FAINT, size=12, anchor="middle")
        + "</g>",
    ]


def curve(frame: Frame, series: Series) -> list[str]:
    colour = COLOURS[series.colour % len(COLOURS)]
    places = [(frame.x(x), frame.y(y)) for x, y in sorted(series.points)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dash = "" if series.filled else ' stroke-dasharray="2 3"'
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>',
        *(mark(x, y, colour, series.filled) for x, y in places),
    ]


def legend(series: Sequence[Series]) -> list[str]:
    """Above the curves: a column for each colour."""
    parts = []
    below = dict.fromkeys((each.colour for each in series), 0)
    for each in series:
        x = LEFT + LEGEND_COLUMN * list(below).index(each.colour)
        y = LEGEND_TOP + 20 * below[each.colour]
        below[each.colour] += 1
        parts.append(mark(x + 5, y - 4, COLOURS[each.colour % len(COLOURS)], each.filled))
        parts.append(text(x + 18, y, each.label))
    return parts


def mark(x: float, y: float, colour: str, filled: bool) -> str:
    fill = colour if filled else "#ffffff"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{fill}" stroke="{colour}"'
        ' stroke-width="1.6"/>'
    )


def line(a: tuple[float, float], b: tuple[float, float], colour: str, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"'
        f' stroke="{colour}"{dashes}/>'
    )


def text(
    x: float, y: float, words: str, *, size: int = 13, weight: int = 400, anchor: str = "start",
    fill: str = INK,
) -> str:  # fmt: skip
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'
    )


def ten(power: int) -> str:
    """A power of ten as people write it."""
    if -4 < power < 4:
        return f"{10.0**power:,.{max(0, -power)}f}"
    return "10" + str(power).translate(DIGITS)
