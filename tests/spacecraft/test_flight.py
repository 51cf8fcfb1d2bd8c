"""A plan flown: where it should be when nothing errs, and as far off as stated when things do."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from humay.access import line_from_lonlath
from humay.arrays import FloatArray, norm, unit
from humay.earth import ellipsoid_normal, geodetic_from_itrf
from humay.errors import SpacecraftError
from humay.frames import (
    itrf_from_gcrf,
    matrix_from_quaternion,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.mission import Mission
from humay.orbit import Ephemeris
from humay.spacecraft import Acquisition, Flight, Trajectory, fly
from humay.spacecraft.chance import generator
from humay.spacecraft.flight import MARGIN_S
from humay.spacecraft.knowledge import draw_jitter
from humay.time import format_utc
from tests.check.valid_plan import MISSION
from tests.spacecraft.conftest import SEED

Plan = dict[str, Any]


def boresight_from_line_m(a: Acquisition, entry: Plan, t_s: float) -> float:
    """Distance (m) at which the true boresight passes the place of the centre line of that time."""
    t = np.array([t_s])
    axis_itrf = (
        itrf_from_gcrf(a.epoch, t) @ np.swapaxes(matrix_from_quaternion(a.true.attitude(t)), -1, -2)
    )[0, :, 2]
    line = line_from_lonlath(entry["centre_line"])
    place = line.place(np.array((t_s - a.start_s) / (a.end_s - a.start_s)))
    to_place = place - a.true.position(t)[0]
    return float(norm(to_place - (to_place @ axis_itrf) * axis_itrf))


def entry_of(plan: Plan, name: str) -> Plan:
    return next(dict(entry) for entry in plan["acquisitions"] if entry["id"] == name)


def apart_rad(p: FloatArray, q: FloatArray) -> FloatArray:
    turn = quaternion_product(np.asarray(p), quaternion_inverse(np.asarray(q)))
    return norm(rotation_vector_from_quaternion(turn))


def test_every_acquisition_of_the_plan_is_flown(flight: Flight, plan: Plan) -> None:
    assert {a.id for a in flight.acquisitions} == {e["id"] for e in plan["acquisitions"]}
    starts = [a.start_s for a in flight.acquisitions]
    assert starts == sorted(starts)
    assert flight.acquisition("a1").satellite == "alpha"
    with pytest.raises(SpacecraftError, match="no acquisition 'a9' among 3"):
        flight.acquisition("a9")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_without_errors_the_boresight_lies_on_the_centre_line(
    share: float, exact_flight: Flight, plan: Plan
) -> None:
    for a in exact_flight.acquisitions:
        t_s = a.start_s + share * (a.end_s - a.start_s)
        assert boresight_from_line_m(a, entry_of(plan, a.id), t_s) < 0.05
        assert abs(a.sweep.along_m) < 0.05
        assert abs(a.sweep.across_m) < 0.05


def test_without_errors_attitudes_are_those_of_the_plan(exact_flight: Flight, plan: Plan) -> None:
    """Written by other code, to ten digits."""
    for a in exact_flight.acquisitions:
        entry = entry_of(plan, a.id)
        for key, t_s in (("attitude_start", a.start_s), ("attitude_end", a.end_s)):
            assert apart_rad(a.true.attitude(np.array(t_s)), entry[key]) < 1e-8


def test_without_errors_what_is_measured_is_true(exact_flight: Flight) -> None:
    for a in exact_flight.acquisitions:
        t_s = np.linspace(a.start_s, a.end_s, 333)
        assert norm(a.measured.position(t_s) - a.true.position(t_s)).max() < 1e-8
        assert apart_rad(a.measured.attitude(t_s), a.true.attitude(t_s)).max() < 1e-10


def test_trajectories_reach_beyond_both_ends(flight: Flight) -> None:
    for a in flight.acquisitions:
        for way, rate_hz in ((a.true, 128), (a.measured, 32)):
            assert way.start_s == pytest.approx(a.start_s - MARGIN_S, abs=1e-9)
            assert way.end_s >= a.end_s + MARGIN_S
            assert way.step_s == pytest.approx(1 / rate_hz, abs=1e-12)


def test_the_true_position_is_on_the_true_orbit(flight: Flight) -> None:
    for a in flight.acquisitions:
        t_s = np.linspace(a.start_s, a.end_s, 77)
        r, v = flight.orbits[a.satellite].state_itrf(t_s)
        assert norm(a.true.position(t_s) - r).max() < 1e-6
        assert norm(a.true.state(t_s)[1] - v).max() < 1e-5


def test_the_image_moves_along_the_columns(exact_flight: Flight, plan: Plan) -> None:
    """Yaw steering: the place that a detector beside the boresight saw is next seen by the same.

    For a step of 0.1 s the foot of a look 10 mrad ahead of the boresight, followed over the ground,
    stays in the plane of the column: SCENE of TDI, a drift of 0.1 of a pixel in ten stages.
    """
    for a in exact_flight.acquisitions:
        t_s = np.array([0.5 * (a.start_s + a.end_s)])
        later = t_s + 0.1
        line = line_from_lonlath(entry_of(plan, a.id)["centre_line"])
        place = line.place((later - a.start_s) / (a.end_s - a.start_s))
        body_from_itrf = matrix_from_quaternion(a.true.attitude(t_s)) @ np.swapaxes(
            itrf_from_gcrf(a.epoch, t_s), -1, -2
        )
        seen = (body_from_itrf @ unit(place - a.true.position(t_s))[..., None])[0, :, 0]
        assert seen[0] > 1e-4  # the place of later lies ahead now,
        assert abs(seen[1] / seen[0]) < 0.01  # and in the plane of the column


@pytest.mark.slow
def test_boresights_scatter_as_orbit_and_pointing_say(
    plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    """Along the strip, over 60 seeds: the sigma of the orbit's age and that of pointing."""
    off, sigma = [], []
    for seed in range(60):
        flown = fly(MISSION, plan, orbits, seed=seed)
        for a in flown.acquisitions:
            satellite = MISSION.satellite(a.satellite)
            age = flown.orbits[a.satellite].age_days(np.array(a.start_s))
            height_m = float(geodetic_from_itrf(a.true.position(np.array(a.start_s)))[2])
            pointing_m = satellite.pointing_sigma_rad * height_m
            off.append(a.sweep.along_m)
            sigma.append(math.hypot(float(satellite.orbit_sigma.along_m(age)), pointing_m))
    chi_square = float(np.sum((np.array(off) / np.array(sigma)) ** 2))
    independent = 60 * 2  # two satellites; those of one share the draw of its orbit
    assert abs(chi_square / len(off) - 1) < 4 * math.sqrt(2 / independent)


def test_the_boresight_errs_no_more_than_stated(flight: Flight, plan: Plan) -> None:
    """Four sigma of orbit and pointing, and more than nothing."""
    for a in flight.acquisitions:
        satellite = MISSION.satellite(a.satellite)
        orbit_m = float(satellite.orbit_sigma.along_m(np.array(1.0)))
        pointing_m = satellite.pointing_sigma_rad * 1_000e3
        middle_s = 0.5 * (a.start_s + a.end_s)
        off_m = boresight_from_line_m(a, entry_of(plan, a.id), middle_s)
        assert 1.0 < off_m < 4 * math.hypot(orbit_m, pointing_m)


def test_what_is_drawn_is_what_is_flown_and_measured(flight: Flight, exact_flight: Flight) -> None:
    """Measured from commanded: the errors of control and of knowledge, about the body axes."""
    for a in flight.acquisitions:
        commanded = exact_flight.acquisition(a.id).measured
        q = quaternion_product(
            a.measured.body_from_gcrf, quaternion_inverse(commanded.body_from_gcrf)
        )
        drawn = a.control.turn_rad(a.measured.t_s) + a.knowledge.turn_rad(a.measured.t_s)
        assert np.abs(rotation_vector_from_quaternion(q) - drawn).max() < 1e-7
        assert norm(a.control.turn_rad(a.measured.t_s)).min() > 1e-5
        assert norm(a.knowledge.turn_rad(a.measured.t_s)).min() > 1e-6
        off_m = a.measured.position(a.measured.t_s) - a.true.position(a.measured.t_s)
        assert np.abs(off_m - a.knowledge.position_m).max() < 1e-6
        assert norm(a.knowledge.position_m) > 0.1


def test_the_true_attitude_shakes_and_the_measured_one_does_not(flight: Flight) -> None:
    """Second differences over 1/64 s: 2e-5 deg of jitter do more than the sweep itself."""
    for a in flight.acquisitions:
        t_s = np.arange(a.start_s, a.end_s, 1 / 64)
        fast = [_second_differences(way, t_s) for way in (a.true, a.measured)]
        assert fast[0] > 20 * fast[1]


def test_between_samples_the_true_attitude_is_right_to_ten_nanoradians(flight: Flight) -> None:
    """Against control error and jitter in closed form; the default jitter of 3.5e-7 rad."""
    for a in flight.acquisitions:
        satellite = MISSION.satellite(a.satellite)
        moment = format_utc(a.epoch.utc(a.start_s))
        rng = generator(SEED, "jitter", a.satellite, moment)
        jitter = draw_jitter(satellite.navigation.jitter_sigma_rad, rng, a.control.origin_s)
        t_s = np.random.default_rng(1).uniform(a.start_s, a.end_s, 500)
        still = turned_back(a.true.attitude(t_s), jitter.turn_rad(t_s))
        known = a.knowledge.turn_rad(t_s)
        assert apart_rad(turned_back(a.measured.attitude(t_s), known), still).max() < 1e-8


def turned_back(q: FloatArray, turn_rad: FloatArray) -> FloatArray:
    return quaternion_product(quaternion_from_rotation_vector(-turn_rad), q)


def _second_differences(way: Trajectory, t_s: FloatArray) -> float:
    q = way.attitude(t_s)
    turns = rotation_vector_from_quaternion(quaternion_product(q, quaternion_inverse(q[0])))
    return float(np.sqrt(np.mean(np.diff(turns, n=2, axis=0) ** 2)))


def same(one: Trajectory, other: Trajectory) -> bool:
    names = ("t_s", "r_itrf", "v_itrf", "body_from_gcrf")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def assert_same(one: Flight, other: Flight, satellite: str) -> None:
    pairs = [[a for a in f.acquisitions if a.satellite == satellite] for f in (one, other)]
    assert pairs[0]
    for a, b in zip(*pairs, strict=True):
        assert a.id == b.id
        assert same(a.true, b.true)
        assert same(a.measured, b.measured)
        assert a.sweep == b.sweep


def test_the_same_seed_flies_the_same(
    flight: Flight, plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    assert_same(flight, fly(MISSION, plan, orbits, seed=SEED), "alpha")
    other = fly(MISSION, plan, orbits, seed=SEED + 1)
    assert not same(flight.acquisitions[0].true, other.acquisitions[0].true)
    assert not same(flight.acquisitions[0].measured, other.acquisitions[0].measured)


def test_the_order_of_a_plan_changes_nothing(
    flight: Flight, plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    turned = copy.deepcopy(plan)
    for key in ("acquisitions", "requests", "downlinks", "satellites"):
        turned[key].reverse()
    again = fly(MISSION, turned, orbits, seed=SEED)
    assert [a.id for a in again.acquisitions] == [a.id for a in flight.acquisitions]
    assert_same(flight, again, "alpha")
    assert_same(flight, again, "beta")


def test_who_else_flies_changes_nothing(
    flight: Flight, plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    mission, alone = one_satellite("alpha", plan)
    assert_same(flight, fly(mission, alone, orbits, seed=SEED), "alpha")


def one_satellite(name: str, plan: Plan) -> tuple[Mission, Plan]:
    """The mission and the plan with one of the satellites."""
    mission = replace(MISSION, satellites=(MISSION.satellite(name),))
    alone = copy.deepcopy(plan)
    for key in ("acquisitions", "downlinks"):
        alone[key] = [entry for entry in plan[key] if entry["satellite"] == name]
    alone["satellites"] = [entry for entry in plan["satellites"] if entry["name"] == name]
    alone["attitude"] = {name: plan["attitude"][name]}
    return mission, alone


def test_what_else_is_imaged_changes_nothing(
    flight: Flight, plan: Plan, orbits: Mapping[str, Ephemeris]
) -> None:
    """Without a2, whose attitude becomes that of the idle law around it."""
    fewer = copy.deepcopy(plan)
    fewer["acquisitions"] = [e for e in fewer["acquisitions"] if e["id"] != "a2"]
    segments = fewer["attitude"]["alpha"]
    at = next(i for i, s in enumerate(segments) if s.get("acquisition") == "a2")
    first, last = at - 2, at + 3  # idle, slew, settle, image, slew, idle
    assert [s["mode"] for s in segments[first : last + 1]] == [
        "idle", "slew", "settle", "image", "slew", "idle",
    ]  # fmt: skip
    segments[first : last + 1] = [segments[first] | {"end": segments[last]["end"]}]
    again = fly(MISSION, fewer, orbits, seed=SEED)
    kept = replace(flight, acquisitions=tuple(a for a in flight.acquisitions if a.id != "a2"))
    assert_same(kept, again, "alpha")
    assert again.orbit_errors == flight.orbit_errors


def test_a_nadir_attitude_looks_down(flight: Flight) -> None:
    """The first minute of alpha is idle at nadir: body z against the normal of the ellipsoid, and
    x along the inertial way, within the error of the orbit."""
    telemetry = flight.telemetry["alpha"]
    axes = matrix_from_quaternion(telemetry.body_from_gcrf[0])
    z_itrf = (itrf_from_gcrf(flight.epoch, telemetry.t_s[:1])[0] @ axes.T)[:, 2]
    lon, lat, _ = geodetic_from_itrf(telemetry.r_itrf[0])
    assert norm(z_itrf + ellipsoid_normal(lon, lat)) < 5e-4
    assert abs(float(quaternion_from_matrix(axes) @ telemetry.body_from_gcrf[0])) > 1 - 1e-12
