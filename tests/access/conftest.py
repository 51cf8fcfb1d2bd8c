"""Missions to look from: SPOT 6 and 7, and a file to write any other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from humay.mission import Mission, Request, load_mission, load_requests

START = datetime(2019, 11, 1, tzinfo=UTC)
SPOT_TLE = """SPOT 6
1 38755U 12047A   19303.08272605 -.00000060  00000-0 -30989-5 0  9990
2 38755  98.1980   8.4889 0000909  81.1977 278.9329 14.58563161380015
SPOT 7
1 40053U 14034A   19303.11654248  .00001178  00000-0  26330-3 0  9995
2 40053  98.2135   8.3331 0001054  68.4868 291.6410 14.58559748283956
"""
CAMERA = """
[camera.naomi]
focal_length_m = 4.216
aperture_m = 0.2
[camera.naomi.band.pan]
pixels = 28000
pixel_pitch_m = 13e-6
bits = 12
response_nm = [450, 745]
"""
SATELLITE = """
[satellite.{name}]
{orbit}
camera = "naomi"
max_off_nadir_deg = {max_off_nadir_deg}
slew_rate_deg_s = 3.75
slew_acceleration_deg_s2 = 1.25
settle_s = 3.0
orbit_sigma_m = {{at_epoch = 300, per_day = 500}}
pointing_sigma_deg = 0.02
preparation_s = 3600
command_lead_s = 600
memory_gbit = 1000.0
downlink_mbit_s = 300.0
{more}
"""


def mission_file(folder: Path, satellites: str, stations: str = "") -> Path:
    """A mission file of these satellites and stations with the SPOT camera."""
    (folder / "spot67.tle").write_text(SPOT_TLE)
    path = folder / "mission.toml"
    path.write_text('[mission]\nname = "test"\n' + satellites + CAMERA + stations)
    return path


def satellite_text(
    name: str, orbit: str = 'tle = "spot67.tle"', max_off_nadir_deg: float = 30.0, more: str = ""
) -> str:
    """The table of one satellite."""
    return SATELLITE.format(name=name, orbit=orbit, max_off_nadir_deg=max_off_nadir_deg, more=more)


@pytest.fixture
def spot(tmp_path: Path) -> Mission:
    """SPOT 6 and 7 with their elements of 2019-10-30."""
    return load_mission(mission_file(tmp_path, satellite_text("spot-6") + satellite_text("spot-7")))


Ask = Callable[[Sequence[dict[str, Any]]], tuple[Request, ...]]


@pytest.fixture
def ask(tmp_path: Path, spot: Mission) -> Ask:
    """Requests from GeoJSON features given as `{"geometry": ..., **properties}`."""

    def made(features: Sequence[dict[str, Any]]) -> tuple[Request, ...]:
        collection = {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "geometry": entry["geometry"],
                    "properties": {k: v for k, v in entry.items() if k != "geometry"},
                }
                for entry in features
            ],
        }
        path = tmp_path / "requests.geojson"
        path.write_text(json.dumps(collection))
        return load_requests(path, spot)

    return made


def point(name: str, lon: float, lat: float, height_m: float = 0.0, **more: Any) -> dict[str, Any]:
    """A point feature."""
    return {"geometry": {"type": "Point", "coordinates": [lon, lat, height_m]}, "name": name} | more


def polygon(name: str, ring: Sequence[Sequence[float]], **more: Any) -> dict[str, Any]:
    """A polygon feature without holes."""
    return {"geometry": {"type": "Polygon", "coordinates": [ring]}, "name": name} | more
