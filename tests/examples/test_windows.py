"""What the example of SPOT 6 and SPOT 7 pictures: few windows that show much."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from humay.arrays import angle_between
from humay.chain import plan_orbits, planned, point_places, survey
from humay.earth import ground_point, itrf_from_geodetic, up_at
from humay.frames import itrf_from_gcrf, rotate
from humay.imaging import SyntheticScene, Window, choose_windows, window_ground
from humay.mission import load_mission, load_requests
from humay.spacecraft import Acquisition, fly

MISSION = Path(__file__).parents[2] / "examples" / "azersky" / "mission.toml"
WATER_M = 0.01


@pytest.mark.slow
def test_six_windows_show_what_they_should() -> None:
    """Both satellites, over 20 deg off nadir, over 500 m of relief, a coast, the swath's edge, and
    one place in two passes; each 2048 x 2048 panchromatic pixels at least."""
    mission = load_mission(MISSION)
    assert mission.run is not None
    requests = load_requests(mission.run.requests, mission)
    span: dict[str, Any] = {"start": mission.run.start, "end": mission.run.end}

    def step(_: str) -> nullcontext[None]:
        return nullcontext()

    found = survey(mission, requests, **span, step=step)
    plan = planned(
        mission, requests, found, **span, release=mission.run.release, seed=mission.run.seed,
        step=step,
    )  # fmt: skip
    flight = fly(mission, plan, plan_orbits(mission, plan), seed=mission.run.seed)
    scene = SyntheticScene(seed=mission.run.seed)
    chosen = choose_windows(
        flight.acquisitions, mission, scene, mission.run.render, places=point_places(plan)
    )
    assert len(chosen) >= 6
    assert all(min(window.columns, window.lines) >= 2048 for _, window in chosen)
    assert len({acquisition.satellite for acquisition, _ in chosen}) == 2
    assert max(off_nadir_deg(acquisition) for acquisition, _ in chosen) > 20
    grounds = {
        acquisition.id: window_ground(
            acquisition, mission.satellite(acquisition.satellite).camera, scene, window
        )
        for acquisition, window in chosen
    }
    heights = [height for _, _, height in grounds.values()]
    assert max(np.ptp(height) for height in heights) > 500
    lowest = min(height.min() for height in heights)  # the level of the water
    assert any(0 < np.mean(height < lowest + WATER_M) < 1 for height in heights)
    assert any(at_edge(window, 28_000) for _, window in chosen)
    places = {name: itrf_from_geodetic(*ground) for name, ground in grounds.items()}
    apart = [
        float(np.linalg.norm(a[4, 4] - b[4, 4]))
        for name, a in places.items()
        for other, b in places.items()
        if name < other
    ]
    assert min(apart) < 2_000  # of windows 5 km wide


def off_nadir_deg(acquisition: Acquisition) -> float:
    """Of the optical axis in the middle of the strip, from geodetic nadir."""
    t = np.asarray(0.5 * (acquisition.start_s + acquisition.end_s))
    r = acquisition.true.position(t)
    q = acquisition.true.attitude(t) * np.array([-1.0, -1.0, -1.0, 1.0])
    axis = itrf_from_gcrf(acquisition.epoch, t) @ rotate(q, np.array([0.0, 0.0, 1.0]))
    assert np.isfinite(ground_point(r, axis)).all()
    return float(np.degrees(angle_between(axis, -up_at(r))))


def at_edge(window: Window, pixels: int) -> bool:
    return window.first_column == 0 or window.first_column + window.columns == pixels
