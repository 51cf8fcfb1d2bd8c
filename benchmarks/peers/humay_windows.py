"""Humay's side of `benchmarks/opportunities.py`: `humay_windows.py TASK.npz OUT.npz`.

Propagation and all columns of the result are part of what is timed, the mission and the request
objects are not (they are TAT-C's `Satellite` and `Point`, made outside as well).
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.missions import requests_at, spot_mission

from humay.access import Opportunities, find_opportunities

WARM_UP_PLACES, WARM_UP_DAYS = 20, 2  # before the span, of which nothing may be known yet


def touch(found: Opportunities) -> None:
    """Ask for every column, should one be made only then."""
    for field in fields(found):
        getattr(found, field.name)


def main() -> None:
    task_path, out_path = sys.argv[1:]
    task = np.load(task_path)
    start = datetime.fromisoformat(str(task["start"]))
    end = start + timedelta(days=float(task["days"]))
    with tempfile.TemporaryDirectory() as folder:
        mission = spot_mission(Path(folder))
    requests = requests_at(task["places"])
    few, early = requests[:WARM_UP_PLACES], start - timedelta(days=WARM_UP_DAYS)
    find_opportunities(mission, few, start=early, end=start, nadir="geocentric")
    seconds = []
    for _ in range(int(task["repeats"])):
        begun = time.process_time()
        found = find_opportunities(mission, requests, start=start, end=end, nadir="geocentric")
        touch(found)
        seconds.append(time.process_time() - begun)
    names = [satellite.name for satellite in mission.satellites]
    zero_s = found.epoch.seconds(start)
    np.savez(
        out_path,
        seconds=statistics.median(seconds),
        first_seconds=seconds[0],
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        place=np.array([int(name) for name in found.request], dtype=np.int64),
        satellite=np.array([names.index(name) for name in found.satellite], dtype=np.int64),
        start_s=found.start_s - zero_s,
        end_s=found.end_s - zero_s,
    )


if __name__ == "__main__":
    main()
