"""How true reflectance and noise are: `benchmarks/radiometry.py [MISSION] [--windows N]`.

A mission is planned, flown and pictured as `humay run` does, with measured orbit and attitude and
the 30 m terrain. Each window shows three grey patches. Their reflectance in finished products is
held against the scene's at the sensor, the noise of their calibrated raw pixels against the model
of the camera.

The last line is one JSON object: `value` is the largest bias of any patch in any band, as a share,
`bound` what it may be.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from humay.chain import fly_and_expose, planned, process_exposures, run_radiometry, survey
from humay.mission import load_mission, load_requests

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "azersky" / "mission.toml"
PATCHES, BIAS, NOISE = 10, 0.01, 0.10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("mission", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--windows", type=int, default=6)
    given = parser.parse_args()
    started = time.perf_counter()
    mission = load_mission(given.mission)
    assert mission.run is not None
    requests = load_requests(mission.run.requests, mission)
    span: dict[str, Any] = {"start": mission.run.start, "end": mission.run.end}
    found = survey(mission, requests, **span, step=untold)
    plan = planned(
        mission, requests, found, **span, release=mission.run.release, seed=mission.run.seed,
        step=untold,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        flown = fly_and_expose(
            mission, plan, found.orbits, folder / "flight", count=given.windows,
            seed=mission.run.seed, threads=2, step=untold,
        )  # fmt: skip
        made = process_exposures(flown.exposures, folder / "products", threads=2)
        result = run_radiometry(flown, made)
    for band, figures in result.summary().items():
        print(f"{band:6} {figures}")
    told = {
        "value": round(max(result.largest_bias(band) for band in result.bands), 6),
        "bound": BIAS,
        "noise_variance_ratio": {b: round(result.noise_ratio(b), 4) for b in result.bands},
        "good": result.meets(patches=PATCHES, bias=BIAS, noise=NOISE),
        "seconds": round(time.perf_counter() - started, 1),
    }
    print(json.dumps(told))


def untold(_name: str) -> nullcontext[None]:
    """A step of the chain that nobody watches."""
    return nullcontext()


if __name__ == "__main__":
    main()
