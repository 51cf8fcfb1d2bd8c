"""A small mission and a plan for it that no planner made, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from humay.mission import Mission, Navigation, OrbitSigma
from humay.orbit import Ephemeris, ephemerides
from humay.spacecraft import Flight, fly
from tests.check.valid_plan import END, MISSION, START, valid_plan

SEED = 7


def without_errors(mission: Mission) -> Mission:
    """The same mission, which knows and does everything exactly."""
    exact = Navigation(
        position_sigma_m=0, attitude_sigma_rad=0, drift_sigma_rad_s=0, jitter_sigma_rad=0
    )
    satellites = tuple(
        replace(
            satellite,
            orbit_sigma=OrbitSigma(at_epoch_m=0, per_day_m=0),
            pointing_sigma_rad=0.0,
            navigation=exact,
        )
        for satellite in mission.satellites
    )
    return replace(mission, satellites=satellites)


@pytest.fixture(scope="session")
def plan() -> dict[str, Any]:
    return valid_plan()


@pytest.fixture(scope="session")
def orbits() -> Mapping[str, Ephemeris]:
    return ephemerides(MISSION, START, END)


@pytest.fixture(scope="session")
def flight(plan: dict[str, Any], orbits: Mapping[str, Ephemeris]) -> Flight:
    return fly(MISSION, plan, orbits, seed=SEED)


@pytest.fixture(scope="session")
def exact_flight(plan: dict[str, Any], orbits: Mapping[str, Ephemeris]) -> Flight:
    return fly(without_errors(MISSION), plan, orbits, seed=SEED)
