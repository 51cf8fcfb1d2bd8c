"""A mission as small as one can be, flown over a span."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import pytest

from humay.mission import load_mission
from humay.orbit import Ephemeris, ephemerides
from humay.time import parse_utc

Fly: TypeAlias = Callable[..., dict[str, Ephemeris]]

SATELLITE = """
[satellite."{name}"]
{orbit}
camera = "pan"
max_off_nadir_deg = 30.0
slew_rate_deg_s = 3.5
slew_acceleration_deg_s2 = 0.7
settle_s = 3.0
orbit_sigma_m = {{at_epoch = 300, per_day = 500}}
pointing_sigma_deg = 0.02
preparation_s = 3600
command_lead_s = 600
memory_gbit = 1000.0
downlink_mbit_s = 300.0
"""

CAMERA = """
[camera.pan]
focal_length_m = 4.216
aperture_m = 0.2

[camera.pan.band.pan]
pixels = 28000
pixel_pitch_m = 13e-6
bits = 12
response_nm = [450, 745]
"""


@pytest.fixture
def fly(tmp_path: Path) -> Fly:
    """`fly(start, days, satellites)`: ephemerides of a mission whose satellites are given by name
    and the line of the mission file that says their orbit; `files` are written beside it."""

    def flown(
        start: str,
        days: float,
        satellites: Mapping[str, str],
        *,
        files: Mapping[str, str] = {},
        mission: str = "",
    ) -> dict[str, Ephemeris]:
        for name, text in files.items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        parts = [SATELLITE.format(name=name, orbit=orbit) for name, orbit in satellites.items()]
        path = tmp_path / "mission.toml"
        path.write_text("".join(['[mission]\nname = "m"\n', mission, *parts, CAMERA]))
        begin = parse_utc(start)
        return ephemerides(load_mission(path), begin, begin + timedelta(days=days))

    return flown
