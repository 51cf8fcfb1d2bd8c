"""The whole way from a plan to pixels, measured: what is true passes, each fault is seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.location import (
    CE90_PX,
    EXAMPLE,
    FAULTS,
    INSIDE,
    MEAN_PX,
    Shot,
    fails,
    locate,
    predicted,
    take_shots,
)

from humay.mission import load_mission, load_requests

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shot() -> Shot:
    """A window of the example mission, small, but of full sampling."""
    mission = load_mission(EXAMPLE)
    assert mission.run is not None
    requests = load_requests(mission.run.requests, mission)
    (taken,) = take_shots(mission, requests, windows=1, pixels=1024, seed=1)
    return taken


def test_true_orbit_attitude_and_terrain_place_every_product(shot: Shot, tmp_path: Path) -> None:
    results = locate(shot, tmp_path, colours=("green", "nir"))
    assert set(results) == {"PAN", "MS", "pansharpened"}
    for name, result in results.items():
        assert result.meets(mean_px=MEAN_PX, ce90_px=CE90_PX), (name, result.summary())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_seen(fault: Callable[[Shot], Shot], shot: Shot, tmp_path: Path) -> None:
    assert fails(fault(shot), tmp_path) is not None


def test_the_predicted_ce90_holds_nine_points_of_ten(shot: Shot) -> None:
    """1,000 draws of orbit, attitude and terrain: one standard deviation of the share is 1 %."""
    low, high = INSIDE
    coverage = predicted(shot, draws=1000, seed=1)
    assert coverage.draws == 1000
    assert low <= coverage.share <= high
