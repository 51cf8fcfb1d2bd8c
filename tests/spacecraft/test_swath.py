"""A strip is missed by as much as the sweep lies beside it, once the margins are used up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from humay.arrays import FloatArray, cross, norm, unit
from humay.earth import itrf_from_geodetic
from humay.mission import Mission, OrbitSigma
from humay.orbit import Ephemeris
from humay.spacecraft import Flight, Sweep, fly
from humay.spacecraft.orders import read_orders
from humay.spacecraft.swath import _hits, ground_swept
from tests.check.valid_plan import MISSION
from tests.spacecraft.conftest import SEED

ALLOWED_SIGMA_M = 400.0


def swept(
    flight: Flight, plan: dict[str, Any], ahead_m: float = 0.0, aside_m: float = 0.0
) -> Sweep:
    """What alpha sweeps of the strip of a2 with its whole way shifted over the ground."""
    task = read_orders(MISSION, plan, flight.epoch)[0].tasks[1]
    assert task.id == "a2"
    true = flight.acquisition("a2").true
    half = np.array(0.5)
    forward = task.line.tangent(half)
    right = unit(cross(forward, task.line.normal(half)))
    moved = replace(true, r_itrf=true.r_itrf + ahead_m * forward + aside_m * right)
    return ground_swept(moved, task, MISSION.satellite("alpha"), ALLOWED_SIGMA_M)


def half_swath_m() -> float:
    """On the ground, at least: the camera's half angle at the height of the orbit."""
    return 600e3 * math.tan(MISSION.satellite("alpha").camera.swath_rad / 2)


@pytest.mark.parametrize("metres", [-900.0, 37.0, 2500.0])
def test_a_shifted_sweep_is_off_by_its_shift(
    metres: float, exact_flight: Flight, plan: dict[str, Any]
) -> None:
    assert swept(exact_flight, plan, ahead_m=metres).along_m == pytest.approx(metres, rel=3e-3)
    assert swept(exact_flight, plan, aside_m=metres).across_m == pytest.approx(metres, rel=3e-3)


def test_a_sweep_on_its_line_misses_nothing(exact_flight: Flight, plan: dict[str, Any]) -> None:
    sweep = swept(exact_flight, plan)
    assert (sweep.miss_along_m, sweep.miss_across_m, sweep.missed) == (0.0, 0.0, False)


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_along_the_strip_three_sigma_are_free(
    sign: float, exact_flight: Flight, plan: dict[str, Any]
) -> None:
    """3 x (400 m + 0.02 deg at the range, 600 to 800 km: 209 to 279 m) = 1,830 to 2,040 m."""
    assert not swept(exact_flight, plan, ahead_m=sign * 1_800).missed
    late = swept(exact_flight, plan, ahead_m=sign * 2_100)
    later = swept(exact_flight, plan, ahead_m=sign * 3_100)
    assert 60 < late.miss_along_m < 290
    assert later.miss_along_m - late.miss_along_m == pytest.approx(1000, rel=3e-3)
    assert late.miss_across_m < 1.0
    assert late.missed
    assert late.miss_m == late.miss_along_m


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_across_the_strip_the_edge_of_the_swath_decides(
    sign: float, exact_flight: Flight, plan: dict[str, Any]
) -> None:
    width_m = read_orders(MISSION, plan, exact_flight.epoch)[0].tasks[1].width_m
    free_m = half_swath_m() - width_m / 2
    assert free_m > 100
    assert not swept(exact_flight, plan, aside_m=sign * 0.95 * free_m).missed
    far = swept(exact_flight, plan, aside_m=sign * (free_m + 4_000))
    further = swept(exact_flight, plan, aside_m=sign * (free_m + 5_000))
    assert 0 < far.miss_across_m <= 4_000
    assert further.miss_across_m - far.miss_across_m == pytest.approx(1000, rel=0.02)
    assert far.miss_along_m == 0.0


def worse(mission: Mission, factor: float) -> Mission:
    """A mission whose orbits are worse than its plan reckoned with."""
    satellites = []
    for satellite in mission.satellites:
        sigma = satellite.orbit_sigma
        grown = OrbitSigma(at_epoch_m=factor * sigma.at_epoch_m, per_day_m=factor * sigma.per_day_m)
        satellites.append(replace(satellite, orbit_sigma=grown))
    return replace(mission, satellites=tuple(satellites))


def test_large_orbit_errors_miss_strips_and_say_so(
    plan: dict[str, Any], orbits: Mapping[str, Ephemeris], flight: Flight
) -> None:
    assert not any(a.missed for a in flight.acquisitions)
    lost = fly(worse(MISSION, 30.0), plan, orbits, seed=SEED)
    missed = [a for a in lost.acquisitions if a.missed]
    assert missed
    for a in missed:
        assert a.miss_m == max(a.sweep.miss_along_m, a.sweep.miss_across_m) > 0
        told = [e for e in lost.telemetry[a.satellite].events if e.kind == "missed"]
        assert any(e.text.startswith(f"{a.id} ") and e.start_s == a.start_s for e in told)


def test_a_miss_grows_with_the_error(plan: dict[str, Any], orbits: Mapping[str, Ephemeris]) -> None:
    """Sixty times the error moves the sweep sixty times as far along."""
    ways = [
        fly(worse(MISSION, factor), plan, orbits, seed=SEED).acquisition("a2").sweep
        for factor in (30.0, 60.0)
    ]
    assert ways[1].along_m == pytest.approx(2 * ways[0].along_m, rel=0.1)
    assert ways[1].miss_m > ways[0].miss_m


def test_a_swath_that_leaves_the_earth_misses_everything(
    exact_flight: Flight, plan: dict[str, Any]
) -> None:
    sweep = swept(exact_flight, plan, aside_m=9e6)
    assert sweep.missed
    assert sweep.miss_m == math.inf


@pytest.mark.parametrize("height_m", [-50.0, 0.0, 4000.0, 9000.0])
def test_rays_meet_the_ground_at_its_height(height_m: float) -> None:
    place = itrf_from_geodetic(np.array([0.7]), np.array([0.6]), np.array([height_m]))
    from_: FloatArray = itrf_from_geodetic(np.array([0.72]), np.array([0.63]), np.array([6e5]))
    found = _hits(from_, unit(place - from_)[None], np.array([height_m]))
    assert norm(found[0] - place).max() < 0.05
