"""Every window of a large fleet: `benchmarks/fleet_windows.py [--targets N] [--threads T]`.

100 sun-synchronous satellites in ten planes, 10,000 random places, seven days, two threads; off
nadir up to 30 deg from geodetic nadir, Sun 15 deg high. The result is taken in parts, as it is too
much for many a memory (`--whole` holds it at once). Propagation and all columns are part of the
time, the kernels are compiled before it.

The last line is one JSON object: `value` wall seconds, `bound` what they may be; `peak_mb` is that
of the process, its imports and inputs included.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.missions import START, chosen_places, fleet_mission, requests_at

from humay.access import find_opportunities, stream_opportunities
from humay.mission import Mission, Request

WALL_S, PEAK_MB = 15.0, 2048
WARM_UP_PLACES, WARM_UP_DAYS = 10, 1


def searched_in_parts(
    mission: Mission, requests: Sequence[Request], end: datetime, threads: int
) -> int:
    """How many windows there are, part by part."""
    parts = stream_opportunities(mission, requests, start=START, end=end, threads=threads)
    return sum(len(part) for part in parts)


def searched_whole(
    mission: Mission, requests: Sequence[Request], end: datetime, threads: int
) -> int:
    """The same with all of them held at once."""
    return len(find_opportunities(mission, requests, start=START, end=end, threads=threads))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--planes", type=int, default=10)
    parser.add_argument("--per-plane", type=int, default=10)
    parser.add_argument("--targets", type=int, default=10_000)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--whole", action="store_true", help="hold all windows at once")
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    places, seed = chosen_places(given.targets, given.seed)
    with tempfile.TemporaryDirectory() as folder:
        mission = fleet_mission(Path(folder), given.planes, given.per_plane)
    requests = requests_at(places)
    search = searched_whole if given.whole else searched_in_parts
    warm = START + timedelta(days=WARM_UP_DAYS)
    search(mission, requests[:WARM_UP_PLACES], warm, given.threads)
    before_mb = peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    windows = search(mission, requests, START + timedelta(days=given.days), given.threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    told = {
        "value": round(wall, 3),
        "unit": "wall seconds",
        "bound": WALL_S,
        "good": wall <= WALL_S and peak_mb() <= PEAK_MB,
        "cpu_seconds": round(cpu, 3),
        "peak_mb": round(peak_mb()),
        "before_mb": round(before_mb),
        "windows": windows,
        "satellites": len(mission.satellites),
        "targets": len(places),
        "days": given.days,
        "threads": given.threads,
        "whole": given.whole,
        "seed": seed,
    }
    print(json.dumps(told))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
