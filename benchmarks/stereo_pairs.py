"""Stereo in windows found before: `benchmarks/stereo_pairs.py [--targets N] [--days D] [--seed S]`.

SPOT 6 and SPOT 7, 14 days, the 500 places of the opportunities' benchmark: pairs in one pass, pairs
within a day of each other, and tri-stereo, with every limit asked. One core, the kernels compiled
before.

The last line is one JSON object: `value` CPU seconds for pairs in one pass, `bound` what it may be.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.missions import START, chosen_places, requests_at, spot_mission

from humay.access import find_opportunities
from humay.access.stereo import find_stereo
from humay.mission import PairLimits, StereoLimits
from humay.orbit import ephemerides

CPU_S = 5.0
DEG = math.pi / 180

ONE_PASS = StereoLimits(
    min_convergence_rad=15 * DEG,
    max_convergence_rad=45 * DEG,
    min_bisector_elevation_rad=60 * DEG,
    max_asymmetry_rad=20 * DEG,
    min_overlap=0.8,
    max_sun_change_rad=10 * DEG,
)
ASKED = {
    "one_pass": ONE_PASS,
    "one_day": replace(ONE_PASS, max_separation_s=90_000.0),
    "three_looks": replace(
        ONE_PASS,
        looks=3,
        neighbours=PairLimits(min_convergence_rad=7 * DEG, max_asymmetry_rad=25 * DEG),
        max_middle_pitch_rad=10 * DEG,
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mission = spot_mission(Path(folder))
    end = START + timedelta(days=options.days)
    orbits = ephemerides(mission, START, end)
    requests = requests_at(chosen_places(options.targets, options.seed)[0])
    windows = find_opportunities(mission, requests, start=START, end=end, orbits=orbits)
    print(f"{len(windows)} windows of {options.targets} places")
    figures = {}
    for name, limits in ASKED.items():
        asked = [replace(request, stereo=limits) for request in requests]
        find_stereo(windows, mission, asked[:20], orbits)
        begin = time.process_time()
        sets = find_stereo(windows, mission, asked, orbits)
        figures[name] = round(time.process_time() - begin, 2)
        print(f"{name}: {len(sets)} sets in {figures[name]:.2f} s")
    bound = CPU_S * options.targets / 500 * options.days / 14
    print(json.dumps({"value": figures["one_pass"], "bound": bound, **figures}))
    return 0 if figures["one_pass"] <= bound else 1


if __name__ == "__main__":
    sys.exit(main())
