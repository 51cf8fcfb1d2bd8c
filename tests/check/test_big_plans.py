"""One thing wrong among hundreds of slews is found, and found where it is."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from humay.arrays import FloatArray, unit
from humay.check.attitude import (
    Slew,
    State,
    integrate_slew,
    integrate_slews,
    law_of,
    state_at,
    sun_from_satellite,
    to_body,
)
from humay.check.case import Case, Phase, Segment, read_case
from humay.check.keep_outs import check_keep_outs
from humay.check.timeline import fly_slews
from humay.earth import sun_itrf
from humay.frames import matrix_from_quaternion
from humay.mission import KeepOut, Mission
from tests.check.valid_plan import MISSION, requests, valid_plan

COUNT = 400
REST_S, UP_S, TURN_S = 5.0, 4.0, 8.0
LIMIT_DEG_S2 = 0.5
HIDDEN = KeepOut(name="eye", axis=(1.0, 0.0, 0.0), body="sun", angle_rad=math.radians(1.0))


@cache
def read() -> Case:
    case, faults = read_case(MISSION, requests(), valid_plan())
    assert case is not None
    assert not faults
    return case


@cache
def chain() -> tuple[Segment, ...]:
    """`alpha` slews away from nadir and back COUNT times, each turn by an axis of its own.

    Phases are symmetric, up and down alike, so that each pair of slews ends as it began but for the
    turn of the orbital frame meanwhile; what is wrong with that is wrong with all of them alike.
    """
    alpha, segments = MISSION.satellites[0], []
    rng, t_s = np.random.default_rng(5), read().start_s
    for number in range(COUNT):
        axis = rng.normal(size=3)
        axis *= math.radians(0.3) / np.sqrt(axis @ axis)
        x, y, z = axis.tolist()
        phases = (
            Phase(duration_s=UP_S, acceleration_rad_s2=(x, y, z)),
            Phase(duration_s=2 * UP_S, acceleration_rad_s2=(-x, -y, -z)),
            Phase(duration_s=UP_S, acceleration_rad_s2=(x, y, z)),
        )
        rest = Segment(
            number=2 * number, satellite=alpha, mode="idle", start_s=t_s, end_s=t_s + REST_S,
            law="nadir",
        )  # fmt: skip
        slew = Segment(
            number=2 * number + 1, satellite=alpha, mode="slew", start_s=t_s + REST_S,
            end_s=t_s + REST_S + 4 * UP_S, phases=phases, entry={"angle_deg": 9.6},
        )  # fmt: skip
        segments += [rest, slew]
        t_s = slew.end_s
    return tuple(segments)


def with_chain(segments: tuple[Segment, ...], mission: Mission = MISSION) -> Case:
    alpha = mission.satellites[0]
    own = tuple(replace(segment, satellite=alpha) for segment in segments)
    return replace(read(), mission=mission, segments={"alpha": own, "beta": ()})


def spoilt(number: int, **changes: Any) -> tuple[Segment, ...]:
    segments = list(chain())
    segments[number] = replace(segments[number], **changes)
    return tuple(segments)


@cache
def told(segments: tuple[Segment, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((v.where, v.message) for v in fly_slews(with_chain(segments))[1])


def test_slews_flown_together_are_those_flown_alone() -> None:
    """Within rounding: turns of 9.6 deg in 320 steps, and one after the other without rest."""
    case = with_chain(chain())
    slews, _ = fly_slews(case)
    orbit = case.orbits["alpha"]
    for before, slew in zip(case.segments["alpha"][::2], case.segments["alpha"][1::2], strict=True):
        law = law_of(before, orbit)
        assert law is not None
        alone = integrate_slew(state_at(law, slew.start_s), slew.start_s, slew.phases)
        together = slews["alpha", slew.number]
        assert np.abs(together.t_s - alone.t_s).max() < 1e-9
        assert np.abs(together.rate_rad_s - alone.rate_rad_s).max() < 1e-13
        assert np.abs(together.body_from_gcrf - alone.body_from_gcrf).max() < 1e-12


def test_a_row_of_slews_is_each_step_multiplied_up_in_turn() -> None:
    rng = np.random.default_rng(1)
    starts, phases, at_s = [], [], [10.0 * i for i in range(50)]
    for _ in range(50):
        q = rng.normal(size=4)
        starts.append(State(body_from_gcrf=q / np.sqrt(q @ q), rate_rad_s=rng.normal(0, 0.02, 3)))
        x, y, z = rng.normal(0, 0.005, 3).tolist()
        phases.append(
            [Phase(duration_s=float(rng.uniform(0.01, 9)), acceleration_rad_s2=(x, y, z))]
        )
    made = list(integrate_slews(starts, at_s, phases))
    for start, each, slew in zip(starts, phases, made, strict=True):
        count = len(slew.t_s) - 1
        step_s = each[0].duration_s / count
        c, w = matrix_from_quaternion(start.body_from_gcrf), start.rate_rad_s
        for _ in range(count):
            half = w + np.array(each[0].acceleration_rad_s2) * step_s / 2
            c = _turn(half * step_s) @ c
            w = w + np.array(each[0].acceleration_rad_s2) * step_s
        assert np.abs(matrix_from_quaternion(slew.end.body_from_gcrf) - c).max() < 1e-12
        assert np.abs(slew.end.rate_rad_s - w).max() < 1e-14


def _turn(vector: FloatArray) -> FloatArray:
    """Rodrigues' formula, axes turned."""
    angle = math.sqrt(vector @ vector)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) - math.sin(angle) * k + (1 - math.cos(angle)) * k @ k)


@pytest.mark.parametrize("place", [1, 2 * (COUNT // 2) + 1, 2 * COUNT - 1])
def test_one_acceleration_1_percent_too_large_is_found_among_hundreds(place: int) -> None:
    slew = chain()[place]
    size = math.radians(LIMIT_DEG_S2) * 1.01 / math.radians(0.3)
    x, y, z = (size * a for a in slew.phases[0].acceleration_rad_s2)
    first = replace(slew.phases[0], acceleration_rad_s2=(x, y, z))
    found = told(spoilt(place, phases=(first, *slew.phases[1:])))
    new = {
        (where, message) for where, message in found - told(chain()) if "acceleration" in message
    }
    assert [where for where, _ in new] == [slew.where]
    assert "0.505 deg/s2" in next(iter(new))[1]


@pytest.mark.parametrize("place", [1, 2 * (COUNT // 2) + 1])
def test_one_slew_1_percent_too_fast_is_found_among_hundreds(place: int) -> None:
    """3 deg/s is the limit, of which 1 % is beyond what rates may be off."""
    slew = chain()[place]
    unit = np.array(slew.phases[0].acceleration_rad_s2) / math.radians(0.3)
    x, y, z = (unit * math.radians(0.4)).tolist()
    up_s = 3.0 * 1.01 / 0.4 + 0.2  # and the orbit's own turn, 0.06 deg/s, which may count against
    phases = (
        Phase(duration_s=up_s, acceleration_rad_s2=(x, y, z)),
        Phase(duration_s=4 * UP_S - up_s, acceleration_rad_s2=(0.0, 0.0, 0.0)),
    )
    new = told(spoilt(place, phases=phases)) - told(chain())
    assert [where for where, message in new if "turns at 3." in message] == [slew.where]


@pytest.mark.parametrize("place", [1, 2 * (COUNT // 2) + 1, 2 * COUNT - 1])
def test_one_slew_1_s_late_is_found_among_hundreds(place: int) -> None:
    slew = chain()[place]
    last = replace(slew.phases[-1], duration_s=slew.phases[-1].duration_s + 1.0)
    new = told(spoilt(place, phases=(*slew.phases[:-1], last))) - told(chain())
    late = [where for where, message in new if message.startswith("phases last 17.0000 s")]
    assert late == [slew.where]


def test_a_keep_out_grazed_in_the_middle_of_one_slew_is_found_among_hundreds() -> None:
    """The Sun lies 0.05 deg inside the keep-out at one step of one slew and outside at its ends."""
    case, place = with_chain(chain()), 160
    slews, _ = fly_slews(case)
    number = next(n for n in range(COUNT + 1, 2 * COUNT, 2) if _by_day(case, slews["alpha", n]))
    slew = slews["alpha", number]
    sun = _sun_body(case, slew)
    # An axis at the Sun in mid-slew, tilted out of the plane of its motion by just under a degree.
    way = np.cross(sun[place + 1] - sun[place - 1], sun[place])
    tilt = math.radians(0.95)
    axis = math.cos(tilt) * sun[place] + math.sin(tilt) * way / np.sqrt(way @ way)
    eye = replace(HIDDEN, axis=tuple(axis.tolist()))
    alpha = replace(MISSION.satellites[0], keep_out=(eye,))
    mission = replace(MISSION, satellites=(alpha, MISSION.satellites[1]))
    watched = with_chain(chain(), mission)
    found = [v for v in check_keep_outs(watched, fly_slews(watched)[0]) if f"[{number}]" in v.where]
    assert len(found) == 1
    assert "eye is 0.95" in found[0].message or "eye is 0.949" in found[0].message
    ends = np.degrees(np.arccos(np.clip(sun[[0, -1]] @ axis, -1, 1)))
    assert ends.min() > 1.0


def _by_day(case: Case, slew: Slew) -> bool:
    """Whether the Sun is above the plane through the satellite."""
    r_itrf = case.orbits["alpha"].position_itrf(slew.t_s[:1])
    return bool(np.sum(r_itrf * sun_itrf(case.epoch, slew.t_s[:1])) > 0)


def _sun_body(case: Case, slew: Slew) -> FloatArray:
    sun_gcrf = unit(sun_from_satellite(case.orbits["alpha"], slew.t_s))
    return to_body(slew.body_from_gcrf, sun_gcrf)
