"""How true the edges of windows are: `benchmarks/edges.py [--targets N] [--seed S] [--days D]`.

SPOT 6 and SPOT 7, off-nadir up to 30 deg, Sun 15 deg high, in both nadir modes, against every limit
sampled at every second straight from SGP4 and halved to 15 ns. Of 500 places (`--targets 500`)
those of the test data, else random ones, others each time.

The last line is one JSON object: `value` is the least share of edges within 1 ms, `bound` what it
may be; `bad` counts the edges that are off by more than 5 ms and by more than 0.5 m on the ground.
Windows shorter than 0.2 s stand apart, as `short`, with those that only one side has.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sgp4.api import Satrec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.missions import (
    OFF_NADIR_DEG,
    START,
    SUN_DEG,
    chosen_places,
    requests_at,
    spot_elements,
    spot_mission,
)
from benchmarks.sampled_truth import Flight, sampled_windows
from benchmarks.window_lists import SHORTEST_S, Comparison, WindowList, compare, percentiles_ms

from humay.access import Nadir, Opportunities, find_opportunities
from humay.arrays import FloatArray
from humay.mission import Mission

SHARE, CLOSE_S = 0.99, 0.001
FAR_S, FAR_M = 0.005, 0.5


def flights(places: FloatArray, nadir: Nadir) -> list[Flight]:
    lines = spot_elements()
    records = [Satrec.twoline2rv(lines[at + 1], lines[at + 2]) for at in range(0, len(lines), 3)]
    return [
        Flight(
            record=record,
            start=START,
            places=places,
            nadir=nadir,
            off_nadir_rad=math.radians(OFF_NADIR_DEG),
            sun_rad=math.radians(SUN_DEG),
        )
        for record in records
    ]


def own_windows(found: Opportunities, satellite: str) -> WindowList:
    """The windows of one satellite, counted from the start of the span."""
    mine = found.satellite == satellite
    zero_s = found.epoch.seconds(START)
    return WindowList.sorted(
        np.array([int(name) for name in found.request[mine]], dtype=np.int64),
        np.zeros(mine.sum(), dtype=np.int64),
        found.start_s[mine] - zero_s,
        found.end_s[mine] - zero_s,
    )


def ground_m(flight: Flight, both: Comparison, span_s: float) -> FloatArray:
    """How far on the ground our edges (k, 2) pass from their places; NaN where the Sun decides, or
    the span's ends."""
    mine = both.pairs[:, 0]
    edge_s = np.stack([both.ours.start_s[mine], both.ours.end_s[mine]], axis=-1)
    place = both.ours.place[mine]
    metres = np.stack([flight.ground_m(side_s, place) for side_s in edge_s.T], axis=-1)
    return np.where((edge_s <= 0) | (edge_s >= span_s), np.nan, metres)


def measured(mission: Mission, places: FloatArray, nadir: Nadir, days: int) -> dict[str, Any]:
    """Figures of one nadir mode over all satellites."""
    end, span_s = START + timedelta(days=days), days * 86_400
    found = find_opportunities(mission, requests_at(places), start=START, end=end, nadir=nadir)
    compared = [
        (
            flight,
            compare(own_windows(found, satellite.name), sampled_windows(flight, span_s)),
        )
        for satellite, flight in zip(mission.satellites, flights(places, nadir), strict=True)
    ]
    edge_s = np.concatenate([both.edge_s for _, both in compared])
    metres = np.concatenate([ground_m(flight, both, span_s) for flight, both in compared])
    short = np.concatenate(
        [both.theirs.length_s[both.pairs[:, 1]] < SHORTEST_S for _, both in compared]
    )
    off_s, metres = np.abs(edge_s[~short]), metres[~short]
    return {
        "windows": len(found),
        "missed": sum(len(both.missed) for _, both in compared),
        "extra": sum(len(both.extra) for _, both in compared),
        "within_1_ms": round(float(np.mean(off_s <= CLOSE_S)), 6) if off_s.size else 1.0,
        "edge_ms": percentiles_ms(off_s),
        "max_ground_m": round(float(np.nanmax(metres, initial=0.0)), 5),
        "bad": int(np.sum((off_s > FAR_S) & ~(metres <= FAR_M))),
        "short": int(short.sum()) + sum(both.short for _, both in compared),
        "short_edge_ms": percentiles_ms(edge_s[short]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--targets", type=int, default=60)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--days", type=int, default=14)
    given = parser.parse_args()
    started = time.process_time()
    places, seed = chosen_places(given.targets, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        mission = spot_mission(Path(folder))
    modes: tuple[Nadir, ...] = ("geocentric", "geodetic")
    figures = {nadir: measured(mission, places, nadir, given.days) for nadir in modes}
    for nadir, figure in figures.items():
        print(f"{nadir:10} {figure}")
    told = {
        "value": min(figure["within_1_ms"] for figure in figures.values()),
        "bound": SHARE,
        "good": all(
            f["within_1_ms"] >= SHARE and not f["bad"] and not f["missed"] and not f["extra"]
            for f in figures.values()
        ),
        "seconds": round(time.process_time() - started, 1),
        "targets": len(places),
        "days": given.days,
        "seed": seed,
    }
    print(json.dumps(told | figures))


if __name__ == "__main__":
    main()
