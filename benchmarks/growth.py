"""How the cost of the search grows: `benchmarks/growth.py [--most WORK] [-o FILE.svg]`.

Work is satellites x targets x days, from 1 to ten million. Each step is ten times the satellites,
the targets or the days of another, on one thread, in CPU seconds of the whole call (propagation and
all result columns, taken in parts), kernels compiled before. Drawn as
docs/images/opportunity-cost.svg.

The last line is one JSON object: `value` is the largest growth of cost over growth of work of any
step, `bound` what it may be: 1 is linear, the rest is for noise.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.log_plot import Axes, Series, drawn
from benchmarks.missions import START, even_places, fleet_mission, requests_at

from humay.access import stream_opportunities
from humay.mission import Mission

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "images" / "opportunity-cost.svg"
SATELLITES, DAYS, MOST_TARGETS = (1, 10, 100), (1, 10), 100_000
BOUND = 1.15
BRIEF_S, REPEATS = 2.0, 5  # what takes less is measured again, the least counts


@dataclass(frozen=True, kw_only=True)
class Point:
    """One search and what it took."""

    satellites: int
    targets: int
    days: int
    seconds: float
    windows: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.satellites, self.targets, self.days

    @property
    def work(self) -> int:
        return math.prod(self.shape)


def shapes(most: int) -> Iterator[tuple[int, int, int]]:
    """Satellites, targets and days, each a power of ten."""
    targets = [10**k for k in range(round(math.log10(MOST_TARGETS)) + 1)]
    for shape in product(SATELLITES, targets, DAYS):
        if math.prod(shape) <= most:
            yield shape


def measured(missions: dict[int, Mission], shape: tuple[int, int, int]) -> Point:
    """CPU seconds: of one call where it is long, else the least of a few."""
    satellites, targets, days = shape
    requests = requests_at(even_places(targets))
    seconds: list[float] = []
    while not seconds or (len(seconds) < REPEATS and sum(seconds) < BRIEF_S):
        begun = time.process_time()
        windows = sum(
            len(part)
            for part in stream_opportunities(
                missions[satellites], requests, start=START, end=START + timedelta(days=days)
            )
        )
        seconds.append(time.process_time() - begun)
    return Point(
        satellites=satellites,
        targets=targets,
        days=days,
        seconds=min(seconds),
        windows=windows,
    )


def growths(points: Sequence[Point]) -> list[tuple[float, Point, Point]]:
    """Growth of cost over growth of work from each point to those ten times larger one way."""
    return [
        ((b.seconds / a.seconds) / (b.work / a.work), a, b)
        for a in points
        for b in points
        if sorted(y / x for x, y in zip(a.shape, b.shape, strict=True)) == [1, 1, 10]
    ]


def picture(points: Sequence[Point]) -> str:
    """Cost over work, a colour for each number of satellites, filled where the days are many."""
    largest = max(points, key=lambda point: (point.work, point.seconds))
    series = [
        Series(
            label=f"{count} satellite{'s' * (count > 1)}, {days} day{'s' * (days > 1)}",
            colour=number,
            filled=days == DAYS[-1],
            points=tuple(
                (p.work, p.seconds) for p in points if (p.satellites, p.days) == (count, days)
            ),
        )
        for number, count in enumerate(SATELLITES)
        for days in DAYS
    ]
    return drawn(
        [each for each in series if each.points],
        Axes(
            title="What a search for opportunities costs",
            across="satellites × targets × days",
            up="CPU seconds, one core",
            line_label="linear",
            line_through=(largest.work, largest.seconds),
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--most", type=int, default=10**7, help="largest satellites x targets x days"
    )
    parser.add_argument("--seed", type=int)
    parser.add_argument("-o", "--output", type=Path, default=PICTURE)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        missions = {
            count: fleet_mission(Path(folder), max(1, count // 10), min(count, 10))
            for count in SATELLITES
        }
    measured(missions, (1, 10, 1))
    points = []
    for shape in shapes(given.most):
        points.append(measured(missions, shape))
        print("{:4} satellites {:7} targets {:3} days".format(*shape), end="")
        print(f" {points[-1].seconds:10.4f} s {points[-1].windows:9} windows", flush=True)
    given.output.write_text(picture(points))
    worst, a, b = max(growths(points), key=lambda each: each[0])
    largest = max(points, key=lambda point: (point.work, point.seconds))
    told = {
        "value": round(worst, 4),
        "bound": BOUND,
        "good": worst <= BOUND,
        "steepest": [a.shape, b.shape],
        "work": largest.work,
        "seconds": round(largest.seconds, 3),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
