"""Pointing samples: a polynomial through few nodes is as good as computing each of them."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from humay.access import Pointing, find_opportunities, find_pointing, pointing
from humay.mission import load_mission
from humay.orbit import ephemerides
from tests.access.conftest import START, Ask, mission_file, point, polygon, satellite_text

ORBIT = (
    "sun_synchronous = {altitude_km = %g, local_time = '10:30', phase_deg = 0,"
    " epoch = 2019-11-01T00:00:00Z}"
)
LARGEST_ERROR = {"gsd_mean_m": 1e-7, "line_period_s": 1e-11, "data_bit": 1e3}


@pytest.mark.parametrize(
    ("altitude_km", "max_off_nadir_deg"),
    [(300.0, 45.0), (600.0, 30.0), (800.0, 55.0), (600.0, 15.0)],
)
def test_a_polynomial_through_few_nodes_gives_every_sample(
    altitude_km: float,
    max_off_nadir_deg: float,
    tmp_path: Path,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = satellite_text("low", ORBIT % altitude_km, max_off_nadir_deg)
    mission = load_mission(mission_file(tmp_path, text))
    ring = [[47.0, 30.0], [48.0, 30.0], [48.0, 31.5], [47.0, 31.5], [47.0, 30.0]]
    places = [
        point(f"p{i}", lon, lat) for i, (lon, lat) in enumerate([(50, 40), (0, 0), (10, -70)])
    ]
    requests = ask([*places, polygon("area", ring, height_m=100.0)])
    end = START + timedelta(days=5)
    orbits = ephemerides(mission, START, end)
    found = find_opportunities(mission, requests, start=START, end=end, orbits=orbits)
    quick = find_pointing(found, mission, orbits)
    monkeypatch.setattr(pointing, "_nodes_enough", lambda _: 1_000_000)
    plain = find_pointing(found, mission, orbits)
    assert [p is None for p in quick] == [p is None for p in plain]
    pairs = [(a, b) for a, b in zip(quick, plain, strict=True) if a is not None and b is not None]
    assert len(pairs) > 3
    for column in fields(Pointing):
        allowed = LARGEST_ERROR.get(column.name, 1e-8)  # rad, rad/s, or of a unit vector
        for a, b in pairs:
            assert np.abs(getattr(a, column.name) - getattr(b, column.name)).max() <= allowed


def test_wide_windows_take_more_nodes_than_narrow_ones() -> None:
    """By hand for 45 deg: cot is 1, rho is 1 + sqrt 2, 1e-9 takes 23.5 nodes."""
    few, more = pointing._nodes_enough(np.radians(10.0)), pointing._nodes_enough(np.radians(45.0))
    assert few < more == 2 + 24
