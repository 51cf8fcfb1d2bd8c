"""What must not be looked at: by hand on one orbit position, along slews, and in whole plans."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import Timeline
from humay.arrays import FloatArray, angle_between, unit
from humay.check import check_plan, verdict
from humay.earth import moon_gcrf, sun_gcrf
from humay.errors import PlanError
from humay.frames import (
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotate,
)
from humay.mission import KeepOut
from humay.schedule import Effort, plan_document
from humay.schedule.detours import way_time
from humay.schedule.keep_outs import Guard
from humay.schedule.slews import Agility, State, fly, slew_phases, slew_time, turned_rad
from humay.time import Epoch
from tests.schedule.random_problems import Problem, plan_of, random_problem
from tests.schedule.test_random_problems import plan_or_refusal

EPOCH = Epoch(datetime(2026, 6, 1, tzinfo=UTC))
T_S = np.arange(0.0, 400.0, 10.0)
SUN = unit(sun_gcrf(EPOCH, np.array([200.0])))[0]
SIDE = unit(np.cross(SUN, [0.0, 0.0, 1.0]))
AGILITY = Agility(rate_rad_s=math.radians(3.0), acceleration_rad_s2=math.radians(0.5))
CAMERA = KeepOut(name="camera", axis=(0.0, 0.0, 1.0), body="sun", angle_rad=math.radians(30))


def standing(r_gcrf: FloatArray) -> Timeline:
    """Of a satellite that stays in one place."""
    n = len(T_S)
    return Timeline(
        satellite="s", epoch=EPOCH, t_s=T_S, r_gcrf_m=np.tile(r_gcrf, (n, 1)),
        nadir_attitude=np.tile(quaternion_from_matrix(looking(-r_gcrf)), (n, 1)),
        sun_gcrf=np.tile(SUN, (n, 1)), moon_gcrf=unit(moon_gcrf(EPOCH, T_S)),
        irradiance_w_m2=np.full(n, 1361.0), lonlat_deg=np.zeros((n, 2)),
        eclipse_s=np.zeros((0, 2)), node_s=np.zeros(1), node_orbit=np.ones(1), orbit_epoch_s=0.0,
        inertial_speed_m_s=7500.0,
    )  # fmt: skip


def looking(z_gcrf: FloatArray) -> FloatArray:
    """`body_from_gcrf` (3, 3) with z that way."""
    z = unit(z_gcrf)
    x = unit(np.cross(z, unit(np.array([0.3, 0.5, 0.8]))))
    return np.stack([x, np.cross(z, x), z])


def guard_of(*keep_outs: KeepOut, r_gcrf: FloatArray = 7e6 * SIDE) -> Guard:
    return Guard(keep_outs=keep_outs, timeline=standing(r_gcrf))


def rest(z_gcrf: FloatArray) -> State:
    return State(attitude=quaternion_from_matrix(looking(z_gcrf)), rate_rad_s=np.zeros(3))


def swung(angle_deg: float) -> FloatArray:
    """A direction so far to one side of the Sun, across what `SIDE` is."""
    across = np.cross(SUN, SIDE)
    angle = math.radians(angle_deg)
    return np.asarray(math.cos(angle) * SUN + math.sin(angle) * across)


def across_the_sun() -> tuple[State, State]:
    """From one side of the Sun to the other, 45 deg off it, about one axis."""
    start = rest(swung(45.0))
    turn = rotate(start.attitude, math.radians(90.0) * SIDE)
    attitude = quaternion_product(quaternion_from_rotation_vector(turn), start.attitude)
    end = State(attitude=attitude, rate_rad_s=np.zeros(3))
    z = rotate(quaternion_inverse(attitude), np.array([0.0, 0.0, 1.0]))
    assert np.allclose(z, swung(-45.0), rtol=0, atol=1e-12)
    return start, end


def off_sun_deg(start: State, phases: list, t_s: FloatArray) -> FloatArray:  # type: ignore[type-arg]
    """Of the camera along a slew."""
    z = rotate(quaternion_inverse(fly(start, phases, t_s)), np.array([0.0, 0.0, 1.0]))
    return np.asarray(np.degrees(angle_between(z, np.broadcast_to(SUN, z.shape))))


# ---------------------------------------------------------------- angles


def test_room_to_the_limb_is_what_is_left_of_the_angle_by_hand() -> None:
    """At 7,000 km the Earth's disc has a radius of asin(6378.137 / 7000) = 65.67 deg, so an axis at
    90 deg from nadir is 24.33 deg off the limb."""
    tracker = KeepOut(
        name="tracker", axis=(1.0, 0.0, 0.0), body="earth", angle_rad=math.radians(20)
    )
    guard = guard_of(tracker)
    attitude = guard.timeline.nadir_attitude[:1]
    room = math.degrees(float(guard.room(tracker, T_S[:1], attitude)[0]))
    assert room == pytest.approx(4.333, abs=0.005)


def test_the_sun_does_not_count_behind_the_earth() -> None:
    for r_gcrf, hidden in ((-7e6 * SUN, True), (7e6 * SUN, False), (7e6 * SIDE, False)):
        guard = guard_of(CAMERA, r_gcrf=r_gcrf)
        straight = rest(SUN).attitude[None]
        assert bool(guard.clear("image", np.array([200.0]), straight)[0]) is hidden


def test_the_moon_is_where_the_satellite_sees_it() -> None:
    """7,000 km across the line of sight move it by up to 1 deg among the stars."""
    tracker = replace(CAMERA, body="moon", angle_rad=math.radians(10))
    moon_m = moon_gcrf(EPOCH, np.array([200.0]))[0]
    r_gcrf = 7e6 * unit(np.cross(moon_m, [0.0, 0.0, 1.0]))
    geocentric = rest(moon_m).attitude[None]
    room = guard_of(tracker, r_gcrf=r_gcrf).room(tracker, np.array([200.0]), geocentric)
    parallax_deg = math.degrees(math.atan(7e6 / float(np.sqrt(moon_m @ moon_m))))
    assert math.degrees(float(room[0])) == pytest.approx(parallax_deg - 10, abs=1e-3)


def test_a_keep_out_holds_in_its_modes_only() -> None:
    guard = guard_of(replace(CAMERA, modes=("slew", "image")))
    straight, now = rest(SUN).attitude[None], np.array([200.0])
    found = {
        mode
        for mode in ("idle", "slew", "settle", "image", "downlink")
        if not guard.clear(mode, now, straight)[0]
    }
    assert found == {"slew", "image"}


def test_closed_stretches_reach_to_the_instants_that_are_clear() -> None:
    guard = guard_of(CAMERA)
    attitude = np.tile(rest(swung(60.0)).attitude, (len(T_S), 1))
    attitude[5:8] = rest(SUN).attitude
    attitude[-1] = rest(SUN).attitude
    assert guard.closed("downlink", T_S, attitude) == [(40.0, 80.0), (380.0, 390.0)]


# ---------------------------------------------------------------- slews


def test_a_turn_across_the_sun_is_led_round_it() -> None:
    start, end = across_the_sun()
    straight_s = float(slew_time(start, end, AGILITY))
    seconds, via = way_time(start, end, AGILITY, guard_of(CAMERA), 100.0, math.inf)
    assert len(via) == 1
    assert straight_s < seconds < 2 * straight_s
    phases = slew_phases(start, end, AGILITY, seconds, via)
    assert len(phases) == 8
    t_s = np.linspace(0.0, seconds, 2_000)
    straight = slew_phases(start, end, AGILITY, straight_s)
    assert off_sun_deg(start, straight, np.linspace(0.0, straight_s, 2_000)).min() < 5.0
    assert off_sun_deg(start, phases, t_s).min() > 30.0
    arrived = fly(start, phases, t_s[-1:])[0]
    assert abs(float(arrived @ end.attitude)) == pytest.approx(1.0, abs=1e-9)


def test_a_turn_that_stays_clear_is_straight() -> None:
    start, end = rest(swung(45.0)), rest(swung(80.0))
    seconds, via = way_time(start, end, AGILITY, guard_of(CAMERA), 100.0, math.inf)
    assert (seconds, via) == (float(slew_time(start, end, AGILITY)), ())


def test_there_is_no_way_from_where_the_camera_must_not_look() -> None:
    seconds, _ = way_time(rest(SUN), rest(swung(80.0)), AGILITY, guard_of(CAMERA), 0.0, math.inf)
    assert seconds == math.inf


def test_a_way_round_that_takes_too_long_is_none() -> None:
    (start, end), guard = across_the_sun(), guard_of(CAMERA)
    seconds, _ = way_time(start, end, AGILITY, guard, 100.0, math.inf)
    assert way_time(start, end, AGILITY, guard, 100.0, seconds - 1e-3)[0] == math.inf


vectors = st.tuples(*[st.floats(-1, 1)] * 3).map(np.array).filter(lambda v: float(v @ v) > 0.01)


@given(before=vectors, after=vectors, aside=vectors, rate=vectors, slack_s=st.floats(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_slew_through_a_rest_arrives_and_says_its_angle(
    before: FloatArray, after: FloatArray, aside: FloatArray, rate: FloatArray, slack_s: float
) -> None:
    start = State(attitude=rest(before).attitude, rate_rad_s=math.radians(0.3) * rate)
    end = State(attitude=rest(after).attitude, rate_rad_s=-math.radians(0.2) * rate)
    via = (quaternion_from_rotation_vector(aside),)
    seconds = float(slew_time(start, end, AGILITY, via)) + slack_s
    phases = slew_phases(start, end, AGILITY, seconds, via)
    assert sum(phase.duration_s for phase in phases) == pytest.approx(seconds, abs=1e-9)
    arrived = fly(start, phases, np.array([seconds]))[0]
    off = quaternion_product(arrived, quaternion_inverse(end.attitude))
    assert abs(off[3]) == pytest.approx(1.0, abs=1e-9)
    least = angle_between(before, after)  # of z alone
    assert turned_rad(phases) > float(least) - math.radians(1.0)


# ---------------------------------------------------------------- plans


def with_keep_outs(problem: Problem, seed: int) -> Problem:
    """Up to three a satellite, in all directions, of cameras and star trackers."""
    rng = np.random.default_rng([seed, 7])

    def drawn() -> KeepOut:
        body = rng.choice(["sun", "sun", "moon", "earth"])
        upwards = rng.normal(size=3) * [1.0, 1.0, -1.0]
        camera = body == "sun" and rng.random() < 0.5
        axis = np.array([0.0, 0.0, 1.0]) if camera else unit(upwards)
        most_deg = {"sun": 60.0, "moon": 40.0, "earth": 20.0}[body]
        return KeepOut(
            name="camera" if camera else "star tracker",
            axis=(float(axis[0]), float(axis[1]), float(axis[2])),
            body=body,
            angle_rad=math.radians(rng.uniform(2.0, most_deg)),
            modes=("slew", "settle", "image", "downlink"),
        )

    satellites = tuple(
        replace(s, keep_out=tuple(drawn() for _ in range(int(rng.integers(1, 4)))))
        for s in problem.mission.satellites
    )
    return replace(problem, mission=replace(problem.mission, satellites=satellites))


def test_a_plan_keeps_off_what_another_would_look_at(tmp_path: Path) -> None:
    """The checker, which derives every direction anew, finds the plan made without keep-outs to
    break them, and the one made with them to hold, at the cost of some of its value."""
    free = random_problem(113, tmp_path)
    kept = with_keep_outs(free, 113)
    careless, careful = plan_of(free), plan_of(kept)
    found = check_plan(kept.mission, kept.requests, plan_document(careless))
    assert {v.code for v in found} == {"keep_out"}
    document = plan_document(careful)
    assert verdict(check_plan(kept.mission, kept.requests, document)) == "valid"
    assert careful.value < careless.value
    reasons = [r["reason"]["code"] for r in document["requests"] if r["reason"]]
    assert "keep_out" in reasons


def test_a_satellite_that_looks_at_the_sun_when_idle_has_no_plan(tmp_path: Path) -> None:
    problem = random_problem(100, tmp_path)
    camera = replace(CAMERA, angle_rad=math.radians(150))
    satellites = tuple(replace(s, keep_out=(camera,)) for s in problem.mission.satellites)
    mission = replace(problem.mission, satellites=satellites)
    with pytest.raises(
        PlanError, match=r"idle attitude .* brings camera less than 150 deg off the"
    ):
        plan_of(replace(problem, mission=mission))


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(3))
def test_every_plan_with_keep_outs_is_accepted(batch: int, tmp_path: Path) -> None:
    acquisitions = kept_out = 0
    for seed in range(18 * batch, 18 * batch + 18):
        problem = with_keep_outs(random_problem(seed, tmp_path), seed)
        effort = Effort(iterations=2_000 * (seed % 2))
        plan = plan_or_refusal(problem, effort)
        if plan is None:
            continue
        document = plan_document(plan)
        violations = check_plan(problem.mission, problem.requests, document)
        assert not violations, f"seed {seed}: {verdict(violations)}"
        acquisitions += len(document["acquisitions"])
        kept_out += sum(
            r["reason"] is not None and r["reason"]["code"] == "keep_out"
            for r in document["requests"]
        )
    assert acquisitions > 10
    assert kept_out > 0
