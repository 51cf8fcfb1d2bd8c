"""Contacts against STK, masks against sampling."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from humay.access import find_contacts
from humay.earth import azimuth_angle, elevation_angle, itrf_from_geodetic, up_at
from humay.mission import load_mission
from humay.orbit import ephemerides
from humay.time import parse_utc
from tests.access.conftest import START, mission_file, satellite_text

POLAR_TLE = """POLAR
1 00001U          20001.00000000  .00000000  00000-0  00000-0 0    07
2 00001  90.0000   0.0000 0010000   0.0000   0.0000 15.21936719    07
"""
SVALBARD = """
[station.svalbard]
lon_deg = 15.396518
lat_deg = 78.230306
height_m = 0.0
min_elevation_deg = 0.0
"""


def test_the_day_over_svalbard_is_that_of_stk(tmp_path: Path, data_dir: Path) -> None:
    """15 passes computed by STK (brahe's validation case), elevation mask 0: within 0.1 s."""
    (tmp_path / "polar.tle").write_text(POLAR_TLE)
    mission = load_mission(
        mission_file(tmp_path, satellite_text("polar", 'tle = "polar.tle"'), SVALBARD)
    )
    day = datetime(2020, 1, 1, tzinfo=UTC)
    found = find_contacts(mission, start=day, end=day + timedelta(days=1))
    with (data_dir / "orbits" / "stk_svalbard_2020-01-01.csv").open() as file:
        published = [
            (parse_utc(r["start_utc"]), parse_utc(r["end_utc"])) for r in csv.DictReader(file)
        ]
    assert len(found) == len(published) == 15
    for (rise, fall), start_s, end_s in zip(published, found.start_s, found.end_s, strict=True):
        assert abs(found.epoch.seconds(rise) - start_s) < 0.1
        assert abs(found.epoch.seconds(fall) - end_s) < 0.1


MASKED = """
[station.valley]
lon_deg = 49.87
lat_deg = 40.41
height_m = 1200.0
min_elevation_deg = 3.0
mask = [{azimuth_deg = 40, elevation_deg = 4}, {azimuth_deg = 60, elevation_deg = 25}, {azimuth_deg = 80, elevation_deg = 3}, {azimuth_deg = 280, elevation_deg = 2}, {azimuth_deg = 300, elevation_deg = 30}, {azimuth_deg = 320, elevation_deg = 5}]
"""  # noqa: E501


def test_a_mask_by_azimuth_splits_passes_where_sampling_says(tmp_path: Path) -> None:
    """Mountains to the east and west split passes; edges within 1 ms of 0.5 s sampling, refined."""
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-7"), MASKED))
    end = START + timedelta(days=4)
    found = find_contacts(mission, start=START, end=end)
    ephemeris = ephemerides(mission, START, end)["spot-7"]
    station = itrf_from_geodetic(np.radians(49.87), np.radians(40.41), np.array(1200.0))
    up = up_at(station)
    azimuths = np.radians([-40, 40, 60, 80, 280, 300, 320, 400])
    elevations = np.radians([5, 4, 25, 3, 2, 30, 5, 4])

    def margin(t: np.ndarray) -> np.ndarray:
        sight = ephemeris.position_itrf(t) - station
        azimuth = azimuth_angle(sight, np.broadcast_to(up, sight.shape))
        mask = np.maximum(np.interp(azimuth, azimuths, elevations), np.radians(3))
        return elevation_angle(sight, up) - mask

    t = ephemeris.epoch.seconds(START) + np.arange(0, 4 * 86_400, 0.5)
    inside = margin(t) >= 0
    edges = []
    for i in np.flatnonzero(inside[1:] != inside[:-1]):
        low, high = t[i], t[i + 1]
        for _ in range(20):
            middle = 0.5 * (low + high)
            same = (margin(np.array([middle]))[0] >= 0) == inside[i]
            low, high = (middle, high) if same else (low, middle)
        edges.append(0.5 * (low + high))
    assert len(found) == len(edges) // 2 > 12
    assert np.allclose(found.start_s, edges[0::2], rtol=0, atol=1e-3)
    assert np.allclose(found.end_s, edges[1::2], rtol=0, atol=1e-3)
    orbits = [str(name).split(":")[1] for name in found.contact_id]
    assert any("." in orbit for orbit in orbits)  # one pass was split in two


def test_spot_6_and_7_never_meet_over_baku(tmp_path: Path) -> None:
    """`orbits/README.md` of the test data: five contacts a satellite and day with a 5 deg mask, and
    never both within 45 minutes."""
    baku = (
        SVALBARD.replace("15.396518", "49.87")
        .replace("78.230306", "40.41")
        .replace("= 0.0", "= 5.0")
    )
    mission = load_mission(
        mission_file(tmp_path, satellite_text("spot-6") + satellite_text("spot-7"), baku)
    )
    found = find_contacts(mission, start=START, end=START + timedelta(days=5))
    assert 4.5 <= len(found) / 10 <= 5.5
    middle_s = 0.5 * (found.start_s + found.end_s)
    six, seven = (middle_s[found.satellite == name] for name in ("spot-6", "spot-7"))
    assert np.min(np.abs(six[:, None] - seven[None, :])) > 45 * 60
