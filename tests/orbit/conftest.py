"""A mission as small as one can be, flown over a span."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest

from humay.mission import OmmOrbit, SunSynchronousOrbit, TleOrbit, load_mission
from humay.orbit import Ephemeris, ephemerides
from humay.time import parse_utc
from tests.orbit.sets import FLEET

Fly: TypeAlias = Callable[..., dict[str, Ephemeris]]

MISSION = """
[mission]
name = "one"

[satellite.spot-7]
tle = "fleet.tle"
camera = "pan"
max_off_nadir_deg = 30.0
slew_rate_deg_s = 3.5
slew_acceleration_deg_s2 = 0.7
settle_s = 3.0
orbit_sigma_m = {at_epoch = 300, per_day = 500}
pointing_sigma_deg = 0.02
preparation_s = 3600
command_lead_s = 600
memory_gbit = 1000.0
downlink_mbit_s = 300.0

[camera.pan]
focal_length_m = 4.216
aperture_m = 0.2

[camera.pan.band.pan]
pixels = 28000
pixel_pitch_m = 13e-6
bits = 12
response_nm = [450, 745]
"""


@pytest.fixture(scope="session")
def fly(tmp_path_factory: pytest.TempPathFactory) -> Fly:
    """`fly(start, days, orbits)`: the ephemerides of a mission whose satellites fly `orbits`."""
    folder = tmp_path_factory.mktemp("mission")
    (folder / "fleet.tle").write_text(FLEET, encoding="ascii")
    (folder / "mission.toml").write_text(MISSION, encoding="ascii")
    mission = load_mission(folder / "mission.toml")

    def flown(
        start: str,
        days: float,
        orbits: Mapping[str, TleOrbit | OmmOrbit | SunSynchronousOrbit],
        *,
        max_element_age_days: float = mission.max_element_age_days,
    ) -> dict[str, Ephemeris]:
        [like] = mission.satellites
        satellites = tuple(replace(like, name=name, orbit=orbits[name]) for name in orbits)
        changed = replace(mission, satellites=satellites, max_element_age_days=max_element_age_days)
        return ephemerides(changed, parse_utc(start), parse_utc(start) + timedelta(days=days))

    return flown
