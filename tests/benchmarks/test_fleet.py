"""The fleet benchmark plans what it says, and its line of JSON tells it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks.fleet import HOT_SHARE, HOT_SPOTS, HOT_SPREAD_DEG, book, fleet

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fleet.py"


def test_the_fleet_is_spread_over_planes_and_along_them(tmp_path: Path) -> None:
    mission = fleet(tmp_path, 20)
    orbits = [satellite.orbit for satellite in mission.satellites]
    local_times = {orbit.local_time_s for orbit in orbits}  # type: ignore[union-attr]
    assert sorted(local_times) == [34_200, 36_000, 37_800, 39_600, 41_400]  # 09:30 to 11:30
    assert len({(o.local_time_s, o.phase_rad) for o in orbits}) == 20  # type: ignore[union-attr]


def test_the_book_is_the_same_for_a_seed_and_crowded_in_hot_spots() -> None:
    requests = book(2_000, seed=3)
    again = book(2_000, seed=3)
    assert [r.geometry for r in requests] == [r.geometry for r in again]
    assert {request.weight for request in requests} == set(range(1, 11))
    lonlat = np.array([(r.geometry.x, r.geometry.y) for r in requests])
    near = np.sum(np.hypot(*(lonlat[:, None] - lonlat[None]).T) < 3.0, axis=0) - 1
    own_spot = HOT_SHARE * 2_000 / HOT_SPOTS * (1 - np.exp(-(3.0**2) / (4 * HOT_SPREAD_DEG**2)))
    elsewhere = 2_000 * np.pi * 3.0**2 / (360 * 120)
    assert np.mean(near) == pytest.approx(HOT_SHARE * own_spot + elsewhere, rel=0.2)  # 5.3


@pytest.mark.slow
def test_a_small_fleet_is_planned_checked_and_better_than_greedy() -> None:
    run = subprocess.run(
        [sys.executable, SCRIPT, "--satellites", "2", "--targets", "400", "--hours", "8",
         "--seconds", "8", "--seed", "1"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = json.loads(run.stdout.splitlines()[-1])
    assert told["greedy"] <= told["value"] <= told["bound"]
    assert told["acquisitions"] > 20
    assert {"opportunities", "pointing", "plan", "check"} <= set(told["stages"])
