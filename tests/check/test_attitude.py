"""The checker's own laws of attitude and its integration, against geometry and plain loops."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray, angle_between, norm, unit
from humay.check.aim import CentreLine
from humay.check.attitude import (
    State,
    integrate_slew,
    nadir_law,
    state_at,
    strip_law,
    sun_from_satellite,
    sun_law,
    to_body,
)
from humay.check.case import Phase
from humay.earth import itrf_from_geodetic, up_at
from humay.frames import (
    inertial_velocity,
    itrf_from_gcrf,
    matrix_from_quaternion,
    rotation_vector_from_quaternion,
)
from humay.orbit import ephemerides
from tests.check.valid_plan import MISSION, START

ORBIT = ephemerides(MISSION, START, START + timedelta(hours=2))["alpha"]
T0 = ORBIT.epoch.seconds(START)
TIMES = T0 + np.arange(0.0, 6_000.0, 250.0)


def gcrf(v_itrf: FloatArray, t_s: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("nji,nj->ni", itrf_from_gcrf(ORBIT.epoch, t_s), v_itrf))


# ---------------------------------------------------------------- laws


def test_in_nadir_attitude_z_points_down_and_y_against_the_orbit_normal() -> None:
    r, v = ORBIT.state_itrf(TIMES)
    attitude = nadir_law(ORBIT)(TIMES)
    down = to_body(attitude, gcrf(-up_at(r), TIMES))
    normal = to_body(attitude, gcrf(unit(np.cross(r, inertial_velocity(r, v))), TIMES))
    assert np.allclose(down, [0, 0, 1], rtol=0, atol=1e-12)
    # Geodetic nadir is up to 0.19 deg off the centre, so the normal of r x v is as much off y.
    assert (
        np.degrees(angle_between(normal, np.broadcast_to([0, -1.0, 0], normal.shape))).max() < 0.2
    )


def test_in_nadir_attitude_the_body_turns_once_an_orbit_about_minus_y() -> None:
    """360 deg in the 96.7 minutes of a 600 km orbit, backwards about y; 1.5 % for eccentricity."""
    rates = np.degrees([state_at(nadir_law(ORBIT), t).rate_rad_s for t in TIMES])
    assert rates[:, 1] == pytest.approx(-360 / (96.7 * 60), rel=0.015)
    assert np.abs(rates[:, [0, 2]]).max() < 1e-3


@pytest.mark.parametrize(
    ("normal", "axis"),
    [((0.0, -0.6, -0.8), 0), ((0.0, 0.0, 1.0), 0), ((1.0, 0.0, 0.0), 1), ((0.6, 0.1, 0.8), 1)],
)
def test_in_sun_attitude_the_panel_faces_the_sun_and_one_axis_north(
    normal: tuple[float, float, float], axis: int
) -> None:
    panel = unit(np.array(normal))
    attitude = sun_law(ORBIT, panel)(TIMES)
    sun = to_body(attitude, unit(sun_from_satellite(ORBIT, TIMES)))
    assert np.allclose(sun, panel, rtol=0, atol=1e-12)
    north = to_body(attitude, np.broadcast_to([0.0, 0.0, 1.0], sun.shape))
    # Of all turns about the panel normal, this one has the axis nearest to north.
    across = unit(north - (north @ panel)[:, None] * panel)
    nearest = unit(np.eye(3)[axis] - panel[axis] * panel)
    assert np.allclose(across, nearest, rtol=0, atol=1e-9)


LINE = CentreLine.from_places([[161.3767, 55.7489, 500.0], [161.3028, 55.5740, 800.0]])
START_S, END_S = T0 + 1_092.422, T0 + 1_095.325


def test_in_strip_attitude_z_meets_the_centre_line() -> None:
    t_s = np.linspace(START_S - 3, END_S, 20)
    f = (t_s - START_S) / (END_S - START_S)
    r = ORBIT.position_itrf(t_s)
    z = np.einsum(
        "nji,j->ni",
        matrix_from_quaternion(strip_law(ORBIT, LINE, START_S, END_S)(t_s)),
        [0, 0, 1.0],
    )
    z_itrf = np.einsum("nij,nj->ni", itrf_from_gcrf(ORBIT.epoch, t_s), z)
    aim, _ = LINE.points(f)
    reached = r + z_itrf * norm(aim - r)[:, None]
    assert norm(reached - aim).max() < 1e-3  # metres
    assert norm(LINE.points(np.array([0.0, 1.0]))[0] - itrf_from_geodetic(
        np.radians([161.3767, 161.3028]), np.radians([55.7489, 55.5740]), np.array([500.0, 800.0])
    )).max() < 1e-6  # fmt: skip


def test_in_strip_attitude_the_image_moves_along_the_columns() -> None:
    """A place on the ground runs backwards along x through the boresight, not along y."""
    t_s = np.linspace(START_S, END_S, 9)
    law, h = strip_law(ORBIT, LINE, START_S, END_S), 0.01
    for t in t_s:
        place = LINE.points(np.array([(t - START_S) / (END_S - START_S)]))[0]
        around = np.array([t - h, t + h])
        sight = to_body(law(around), gcrf(unit(place - ORBIT.position_itrf(around)), around))
        motion = (sight[1] - sight[0]) / (2 * h)
        assert motion[0] < -0.005  # rad/s: 6.9 km/s over 640 km
        assert abs(motion[1] / motion[0]) < 1e-5


@given(
    lon=st.floats(-180, 180), lat=st.floats(-89, 89), step=st.floats(-0.5, 0.5),
    rise_m=st.floats(-3e3, 3e3), f=st.floats(-1, 1.5),
)  # fmt: skip
def test_the_direction_of_an_aim_line_is_its_derivative(
    lon: float, lat: float, step: float, rise_m: float, f: float
) -> None:
    line = CentreLine.from_places([[lon, lat, 100.0], [lon + step, lat + 0.3, 100.0 + rise_m]])
    h = 1e-4
    around, _ = line.points(np.array([f - h, f + h]))
    _, along = line.points(np.array(f))
    assert norm(along - (around[1] - around[0]) / (2 * h)) < 1e-6 * norm(along) + 1e-3


# ---------------------------------------------------------------- slews


def phase(duration_s: float, *acceleration_deg_s2: float) -> Phase:
    x, y, z = np.radians(acceleration_deg_s2).tolist()
    return Phase(duration_s=duration_s, acceleration_rad_s2=(x, y, z))


def at_rest() -> State:
    return State(body_from_gcrf=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=np.zeros(3))


def test_a_turn_of_30_deg_takes_11_s_at_3_5_deg_s_and_1_4_deg_s2() -> None:
    """By hand: 2.5 s to 3.5 deg/s over 4.375 deg, 21.25 deg in 6.0714 s, 2.5 s to rest."""
    slew = integrate_slew(
        at_rest(), 0.0, [phase(2.5, 0, 1.4, 0), phase(21.25 / 3.5, 0, 0, 0), phase(2.5, 0, -1.4, 0)]
    )
    turned = np.degrees(rotation_vector_from_quaternion(slew.end.body_from_gcrf))
    assert np.allclose(turned, [0, 30, 0], rtol=0, atol=1e-9)
    assert np.degrees(norm(slew.rate_rad_s).max()) == pytest.approx(3.5)
    assert slew.t_s[-1] == pytest.approx(5 + 21.25 / 3.5)
    assert np.diff(slew.t_s).max() <= 0.05 + 1e-12


def by_runge_kutta(start: State, phases: list[Phase], step_s: float) -> FloatArray:
    """The attitude matrix at the end: C' = -[w x] C, fourth order."""

    def slope(c: FloatArray, w: FloatArray) -> FloatArray:
        x, y, z = w
        return -np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ c

    c, w = matrix_from_quaternion(start.body_from_gcrf), start.rate_rad_s
    for each in phases:
        count = math.ceil(each.duration_s / step_s)
        h, a = each.duration_s / count, np.array(each.acceleration_rad_s2)
        for _ in range(count):
            k1 = slope(c, w)
            k2 = slope(c + h / 2 * k1, w + h / 2 * a)
            k3 = slope(c + h / 2 * k2, w + h / 2 * a)
            k4 = slope(c + h * k3, w + h * a)
            c, w = c + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4), w + h * a
    return np.asarray(c)


def test_a_turn_about_changing_axes_agrees_with_runge_kutta() -> None:
    start = State(
        body_from_gcrf=np.array([0.5, -0.5, 0.5, 0.5]), rate_rad_s=np.radians([1.0, -2.0, 0.5])
    )
    phases = [
        phase(4, 0.7, 0.3, -0.2),
        phase(3, -0.1, 0.9, 0),
        phase(6, 0, 0, 0),
        phase(2, 0, 0, 1),
    ]
    c = matrix_from_quaternion(integrate_slew(start, 0.0, phases).end.body_from_gcrf)
    turn = c @ by_runge_kutta(start, phases, 0.02).T
    off = np.array([turn[1, 2] - turn[2, 1], turn[2, 0] - turn[0, 2], turn[0, 1] - turn[1, 0]]) / 2
    assert np.degrees(norm(off)) < 1e-4  # a hundredth of the checker's tolerance
