"""A request narrows a satellite's limits, never widens them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from humay.mission import Limits, Mission, Request, limits

ANGLES = st.floats(0.01, 1.5)
MAYBE = st.none() | ANGLES


def request(off_nadir_rad: float | None, sun_rad: float | None) -> Request:
    return Request(
        name="r",
        geometry=Point(0, 0),
        kind="point",
        height_m=0.0,
        max_off_nadir_rad=off_nadir_rad,
        min_sun_elevation_rad=sun_rad,
    )


def test_without_wishes_the_limits_are_those_of_the_satellite(mission: Mission) -> None:
    satellite = replace(mission.satellites[0], max_roll_rad=0.4, min_sun_elevation_rad=0.2)
    assert limits(satellite, request(None, None)) == Limits(
        max_off_nadir_rad=satellite.max_off_nadir_rad,
        max_roll_rad=0.4,
        max_pitch_rad=satellite.max_off_nadir_rad,
        min_sun_elevation_rad=0.2,
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(off_nadir=ANGLES, roll=ANGLES, pitch=ANGLES, sun=ANGLES, asked=MAYBE, asked_sun=MAYBE)
def test_the_stricter_of_both_holds(
    mission: Mission,
    off_nadir: float,
    roll: float,
    pitch: float,
    sun: float,
    asked: float | None,
    asked_sun: float | None,
) -> None:
    satellite = replace(
        mission.satellites[0],
        max_off_nadir_rad=off_nadir,
        max_roll_rad=roll,
        max_pitch_rad=pitch,
        min_sun_elevation_rad=sun,
    )
    found = limits(satellite, request(asked, asked_sun))
    assert found.max_off_nadir_rad == min(off_nadir, 9 if asked is None else asked)
    assert found.max_roll_rad == min(roll, 9 if asked is None else asked)
    assert found.max_pitch_rad == min(pitch, 9 if asked is None else asked)
    assert found.min_sun_elevation_rad == max(sun, -9 if asked_sun is None else asked_sun)
