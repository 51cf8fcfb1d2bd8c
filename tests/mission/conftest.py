"""A complete mission as text, which each test changes in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from humay.mission import Mission, load_mission

TLE = """SPOT 6
1 38755U 12047A   19303.08272605 -.00000060  00000-0 -30989-5 0  9990
2 38755  98.1980   8.4889 0000909  81.1977 278.9329 14.58563161380015
SPOT 7
1 40053U 14034A   19303.11654248  .00001178  00000-0  26330-3 0  9995
2 40053  98.2135   8.3331 0001054  68.4868 291.6410 14.58559748283956
"""

MISSION = """
[mission]
name = "Azersky and SPOT 6"

[run]
requests = "requests.geojson"
start = 2019-11-01T00:00:00Z
days = 3
seed = 1
render = 6                          # acquisitions exposed into images

[satellite.spot-7]
tle = "spot67.tle"
camera = "naomi"
max_off_nadir_deg = 30.0
slew_rate_deg_s = 3.5
slew_acceleration_deg_s2 = 0.7
settle_s = 3.0
imaging_limits = [{seconds = 600, per_s = 5930}]   # assumed; sliding windows
orbit_sigma_m = {at_epoch = 300, per_day = 500}    # along track; assumed
pointing_sigma_deg = 0.02
preparation_s = 3600                # from plan release to uplink
command_lead_s = 600                # from uplink to the first commanded act
memory_gbit = 1000.0
downlink_mbit_s = 300.0             # assumed

[satellite.spot-7.power]
battery_wh = 180.0
max_depth_of_discharge = 0.3
panel_area_m2 = 5.4
panel_efficiency = 0.26
panel_normal = [0.0, 0.0, -2.0]
platform_w = 700.0
imaging_w = 600.0
downlink_w = 250.0
slew_w = 150.0

[camera.naomi]
focal_length_m = 4.216
aperture_m = 0.2

[camera.naomi.band.pan]
pixels = 28000
pixel_pitch_m = 13e-6
bits = 12
response_nm = [450, 745]

[camera.naomi.band.blue]
pixels = 7000
pixel_pitch_m = 52e-6
bits = 12
response_nm = [450, 520]

[station.baku]
lon_deg = 49.87
lat_deg = 40.41
height_m = 30.0
min_elevation_deg = 5.0
"""

SUN_SYNCHRONOUS = """
[satellite.humay-1.sun_synchronous]
altitude_km = 600.0
local_time = "10:30"
phase_deg = 90.0
epoch = 2026-03-01T00:00:00Z
"""

EMPTY = '{"type": "FeatureCollection", "features": []}'


@pytest.fixture
def mission_text() -> str:
    return MISSION


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "spot67.tle").write_text(TLE)
    (tmp_path / "requests.geojson").write_text(EMPTY)
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Callable[..., Mission]:
    """Load the mission with pieces of its text replaced, each of which must be there once."""

    def load_changed(*changes: tuple[str, str], text: str = MISSION) -> Mission:
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path = folder / "mission.toml"
        path.write_text(text)
        return load_mission(path)

    return load_changed


@pytest.fixture
def mission(load: Callable[..., Mission]) -> Mission:
    return load()
