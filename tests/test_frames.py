"""Frames against published vectors and astropy; quaternions against matrices; signs by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import GCRS, ITRS, TEME, CartesianRepresentation
from hypothesis import example, given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm, unit
from humay.frames import (
    EARTH_RATE_RAD_S,
    inertial_velocity,
    itrf_from_gcrf,
    itrf_from_teme,
    matrix_from_quaternion,
    orbital_frame,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    roll_pitch,
    rotate,
    rotation_vector_from_quaternion,
)
from humay.tables import earth_orientation
from humay.time import Epoch, parse_utc
from tests.reference.astropy_offline import astropy_time, offline, whole_microseconds

EPOCH = Epoch(datetime(2010, 1, 1, tzinfo=UTC))
TO_2026_S = EPOCH.seconds(datetime(2026, 10, 1, tzinfo=UTC))
Frame: TypeAlias = Callable[[Epoch, FloatArray], FloatArray]
LIMB = st.floats(-1, 1)
QUATERNIONS = (
    st.tuples(LIMB, LIMB, LIMB, LIMB)
    .map(np.array)
    .filter(lambda q: bool(np.linalg.norm(q) > 0.1))
    .map(lambda q: q / np.linalg.norm(q))
)
VECTORS = st.tuples(LIMB, LIMB, LIMB).map(np.array)
DIRECTIONS = VECTORS.filter(lambda v: bool(np.linalg.norm(v) > 0.1)).map(unit)


def low_orbit_positions(seed: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Times in 2010 to 2026 and positions 7,000 km from the Earth's centre, all round."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0, TO_2026_S, count), 7e6 * unit(rng.normal(size=(count, 3)))


# ---------------------------------------------------------------- Earth, published


VALLADO = Epoch(parse_utc("2004-04-06T07:51:28.386009Z"))
NOW = np.array(0.0)
R_ITRF_KM = np.array([-1033.4793830, 7901.2952754, 6380.3565958])
V_ITRF_KM_S = np.array([-3.225636520, -2.872451450, 5.531924446])


def with_ut1_of_the_instant(vector_itrf: FloatArray) -> FloatArray:
    """The book takes UT1-UTC of 0 h, -0.4399619 s, for the instant itself, eight hours later: its
    Earth is turned 0.6 ms too far, 0.28 m at 10,000 km."""
    ut1_minus_utc_s = earth_orientation().at(VALLADO.mjd_utc(NOW))[0]
    angle = EARTH_RATE_RAD_S * float(ut1_minus_utc_s - -0.4399619)
    return rotate(quaternion_from_rotation_vector(np.array([0.0, 0.0, angle])), vector_itrf)


def test_teme_to_itrf_gives_the_published_vector() -> None:
    """Vallado et al., AIAA 2006-6753, appendix C, within 7 cm: its pole and UT1 are of another
    series (2 cm, see test_tables) and not interpolated in the day (the pole: 4 cm)."""
    r_teme_km = np.array([5094.18016210, 6127.64465950, 6380.34453270])
    r_itrf_km = itrf_from_teme(VALLADO, NOW) @ r_teme_km
    assert norm(r_itrf_km - with_ut1_of_the_instant(R_ITRF_KM)) < 7e-5


def test_gcrf_to_itrf_gives_the_published_vector() -> None:
    """Vallado, Fundamentals of Astrodynamics (2013), example 3-14 (IAU 2006, CIO), within 7 cm: it
    has celestial pole offsets of 0.0002" besides, which Humay leaves out, 1 cm."""
    r_gcrf_km = np.array([5102.508959, 6123.011403, 6378.136925])
    r_itrf_km = itrf_from_gcrf(VALLADO, NOW) @ r_gcrf_km
    assert norm(r_itrf_km - with_ut1_of_the_instant(R_ITRF_KM)) < 7e-5


def test_inertial_velocity_adds_the_turn_of_the_earth() -> None:
    """The same published state: the TEME velocity on ITRF axes, within 1 mm/s. The rest is the
    axis, which the book tilts by the pole's 0.36" from ITRF z."""
    v_teme_km_s = np.array([-4.7461314870, 0.7858180410, 5.5319312880])
    found_km_s = inertial_velocity(R_ITRF_KM, V_ITRF_KM_S)
    expected_km_s = itrf_from_teme(VALLADO, NOW) @ v_teme_km_s
    assert norm(with_ut1_of_the_instant(found_km_s) - expected_km_s) < 1e-6


# ---------------------------------------------------------------- Earth, astropy


def test_teme_to_itrf_is_that_of_astropy_within_15_cm() -> None:
    """400 places in low orbit, 2010 to 2026. What is left is Bulletin A, which Humay takes, against
    B, which astropy prefers: 0.08 m at most, 5 mm in the middle. 1.5 m is promised."""
    t_s, r_teme = low_orbit_positions(seed=1, count=400)
    moments, t_s = whole_microseconds(EPOCH, t_s)
    ours = np.einsum("nij,nj->ni", itrf_from_teme(EPOCH, t_s), r_teme)
    with offline():
        time = astropy_time(moments)
        place = TEME(CartesianRepresentation(*r_teme.T * u.m), obstime=time)
        theirs = place.transform_to(ITRS(obstime=time)).cartesian.xyz.to_value(u.m).T
    assert norm(ours - theirs).max() < 0.15
    assert np.median(norm(ours - theirs)) < 0.01


def test_gcrf_to_itrf_is_that_of_astropy_within_10_cm() -> None:
    """As above; the observer of this GCRS stands still, so that there is no aberration in it."""
    t_s, r_gcrf = low_orbit_positions(seed=2, count=400)
    moments, t_s = whole_microseconds(EPOCH, t_s)
    ours = np.einsum("nij,nj->ni", itrf_from_gcrf(EPOCH, t_s), r_gcrf)
    with offline():
        time = astropy_time(moments)
        place = GCRS(CartesianRepresentation(*r_gcrf.T * u.m), obstime=time)
        theirs = place.transform_to(ITRS(obstime=time)).cartesian.xyz.to_value(u.m).T
    assert norm(ours - theirs).max() < 0.10
    assert np.median(norm(ours - theirs)) < 0.01


@pytest.mark.parametrize("itrf_from", [itrf_from_teme, itrf_from_gcrf])
def test_the_comparisons_see_ut1_and_the_pole(itrf_from: Frame) -> None:
    """What they would miss is far over their tolerance: a tenth of a second of UT1 is 51 m up
    there; the ITRF pole goes round the axis in a day, 5 to 15 m away from it."""
    t_s, r = low_orbit_positions(seed=3, count=50)
    now, later = itrf_from(EPOCH, t_s), itrf_from(EPOCH, t_s + 0.1)
    assert norm(np.asarray(np.einsum("nij,nj->ni", now - later, r))).max() > 45
    half_a_turn = itrf_from(EPOCH, t_s + 43_082.0)
    assert 7e6 * norm(now[:, 2] - half_a_turn[:, 2]).max() > 5


# ---------------------------------------------------------------- Earth, by itself


@settings(deadline=None)
@given(t_s=st.floats(-1e8, 1e9))
def test_rotations_are_proper_at_any_time(t_s: float) -> None:
    for frame in (itrf_from_teme, itrf_from_gcrf):
        matrix = frame(EPOCH, np.array(t_s))
        assert np.allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=1e-14)
        assert np.linalg.det(matrix) == pytest.approx(1.0, abs=1e-14)


def test_the_earth_turns_at_its_rate() -> None:
    """The angle between two instants a second apart, about the axis, at 100 random times."""
    t_s, _ = low_orbit_positions(seed=4, count=100)
    step = itrf_from_gcrf(EPOCH, t_s + 1.0) @ np.swapaxes(itrf_from_gcrf(EPOCH, t_s), 1, 2)
    turned = rotation_vector_from_quaternion(quaternion_from_matrix(step))
    assert np.abs(turned[:, 2] - EARTH_RATE_RAD_S).max() < 1e-11  # the day's length, 4 ms: 3e-12
    assert norm(turned[:, :2]).max() < 5e-10  # the axis is a few micro-radians off the ITRF pole


def test_a_rotation_is_the_same_bits_for_one_instant_and_for_many() -> None:
    t_s = np.linspace(1e7, 2e7, 24).reshape(2, 3, 4)
    for frame in (itrf_from_teme, itrf_from_gcrf):
        many = frame(EPOCH, t_s)
        assert many.shape == (2, 3, 4, 3, 3)
        one = [frame(EPOCH, np.array(t)) for t in t_s.ravel()]
        assert np.array_equal(many.reshape(-1, 3, 3), np.array(one))


# ---------------------------------------------------------------- orbital frame, by hand


NORTHBOUND = orbital_frame(np.array([-1.0, 0.0, 0.0]), np.array([0.0, 0.0, 7500.0]))
"""Over longitude 0 on the equator, flying north: ahead is +z, right is +y (east), down is -x."""


def test_the_orbital_frame_is_ahead_right_and_down() -> None:
    assert NORTHBOUND.tolist() == [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]
    climbing = orbital_frame(np.array([-2.0, 0.0, 0.0]), np.array([300.0, 0.0, 7500.0]))
    assert np.allclose(climbing, NORTHBOUND, rtol=0, atol=1e-15)  # x stays level


@pytest.mark.parametrize(
    ("target", "roll_deg", "pitch_deg"),
    [
        ((-1.0, 0.0, 0.0), 0.0, 0.0),  # nadir
        ((-1.0, -1.0, 0.0), 45.0, 0.0),  # west, left of the track: towards the orbit normal
        ((-1.0, 1.0, 0.0), -45.0, 0.0),  # east, right of it
        ((-1.0, 0.0, 1.0), 0.0, 45.0),  # ahead
        ((-1.0, 0.0, -1.0), 0.0, -45.0),  # behind
        ((-1.0, -1.0, math.sqrt(2.0)), 45.0, 45.0),
    ],
)
def test_positive_roll_looks_left_and_positive_pitch_ahead(
    target: tuple[float, float, float], roll_deg: float, pitch_deg: float
) -> None:
    orbit_normal = np.cross([7e6, 0.0, 0.0], [0.0, 0.0, 7500.0])
    assert unit(orbit_normal).tolist() == [0, -1, 0]  # west
    roll, pitch = roll_pitch(NORTHBOUND @ unit(np.array(target)))
    assert math.degrees(roll) == pytest.approx(roll_deg, abs=1e-12)
    assert math.degrees(pitch) == pytest.approx(pitch_deg, abs=1e-12)


@settings(deadline=None)
@given(roll=st.floats(-1.5, 1.5), pitch=st.floats(-1.5, 1.5), yaw=st.floats(-3.1, 3.1))
def test_turning_by_roll_then_pitch_lays_the_camera_on_the_target(
    roll: float, pitch: float, yaw: float
) -> None:
    """Elementary attitude matrices of a textbook (J. R. Wertz, 1978, appendix E), written out here;
    yaw turns about the line of sight and leaves it where it is."""
    cr, sr, cp, sp = math.cos(roll), math.sin(roll), math.cos(pitch), math.sin(pitch)
    rolled = np.array([[1, 0, 0], [0, cr, sr], [0, -sr, cr]])
    pitched = np.array([[cp, 0, -sp], [0, 1, 0], [sp, 0, cp]])
    body_from_orb = pitched @ rolled
    found_roll, found_pitch = roll_pitch(body_from_orb.T @ np.array([0.0, 0.0, 1.0]))
    assert found_roll == pytest.approx(roll, abs=1e-12)
    assert found_pitch == pytest.approx(pitch, abs=1e-12)
    turns = [np.array(turn) for turn in ((roll, 0, 0), (0, pitch, 0), (0, 0, yaw))]
    q_roll, q_pitch, q_yaw = (quaternion_from_rotation_vector(turn) for turn in turns)
    attitude = quaternion_product(q_pitch, q_roll)
    assert np.allclose(matrix_from_quaternion(attitude), body_from_orb, rtol=0, atol=1e-15)
    looking = rotate(quaternion_inverse(quaternion_product(q_yaw, attitude)), np.array([0, 0, 1.0]))
    assert np.allclose(looking, body_from_orb[2], rtol=0, atol=1e-15)


@settings(deadline=None)
@given(down=DIRECTIONS, velocity=DIRECTIONS)
def test_the_orbital_frame_is_a_proper_rotation(down: FloatArray, velocity: FloatArray) -> None:
    if norm(np.cross(down, velocity)) < 1e-3:
        return
    matrix = orbital_frame(down, velocity)
    assert np.allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0, abs=1e-12)
    assert np.allclose(matrix[2], down, rtol=0, atol=1e-14)
    assert matrix[0] @ velocity > 0
    assert abs(matrix[1] @ velocity) < 1e-12


# ---------------------------------------------------------------- quaternions


def test_a_turn_of_the_axes_by_hand() -> None:
    """Axes turned by 30 deg about z: what lay on x now has coordinates (cos 30, -sin 30, 0)."""
    q = quaternion_from_rotation_vector(np.array([0.0, 0.0, math.radians(30)]))
    assert np.allclose(q, [0, 0, math.sin(math.radians(15)), math.cos(math.radians(15))])
    assert np.allclose(rotate(q, np.array([1.0, 0.0, 0.0])), [math.sqrt(0.75), -0.5, 0.0])


@settings(deadline=None)
@given(q=QUATERNIONS, v=VECTORS)
def test_a_quaternion_means_what_its_matrix_means(q: FloatArray, v: FloatArray) -> None:
    """The sandwich product of quaternions (W. R. Hamilton), q* (v, 0) q, is an independent way."""
    matrix = matrix_from_quaternion(q)
    assert np.allclose(matrix @ matrix.T, np.eye(3), rtol=0, atol=2e-15)
    assert np.linalg.det(matrix) == pytest.approx(1.0, abs=4e-15)
    assert np.allclose(rotate(q, v), matrix @ v, rtol=0, atol=2e-15)
    x, w = q[:3], q[3]
    sandwich = v * (w * w - x @ x) + 2 * x * (x @ v) - 2 * w * np.cross(x, v)
    assert np.allclose(rotate(q, v), sandwich, rtol=0, atol=4e-15)
    assert np.allclose(rotate(-q, v), rotate(q, v), rtol=0, atol=0)


@settings(deadline=None)
@given(p=QUATERNIONS, q=QUATERNIONS, r=QUATERNIONS)
def test_products_are_those_of_matrices(p: FloatArray, q: FloatArray, r: FloatArray) -> None:
    pq = quaternion_product(p, q)
    product = matrix_from_quaternion(p) @ matrix_from_quaternion(q)
    assert np.allclose(matrix_from_quaternion(pq), product, rtol=0, atol=4e-15)
    assert np.linalg.norm(pq) == pytest.approx(1.0, abs=1e-15)
    left, right = quaternion_product(pq, r), quaternion_product(p, quaternion_product(q, r))
    assert np.allclose(left, right, rtol=0, atol=1e-15)


@settings(deadline=None)
@given(q=QUATERNIONS, v=VECTORS)
def test_the_inverse_turns_back(q: FloatArray, v: FloatArray) -> None:
    assert np.allclose(quaternion_product(q, quaternion_inverse(q)), [0, 0, 0, 1], atol=1e-15)
    assert np.allclose(rotate(quaternion_inverse(q), rotate(q, v)), v, rtol=0, atol=2e-15)
    transposed = matrix_from_quaternion(q).T
    assert np.allclose(matrix_from_quaternion(quaternion_inverse(q)), transposed, atol=1e-16)


@settings(deadline=None)
@given(q=QUATERNIONS)
@example(np.array([1.0, 0.0, 0.0, 0.0]))  # half turns: the scalar part gives no help
@example(np.array([0.0, 1.0, 0.0, 0.0]))
@example(np.array([0.0, 0.0, 1.0, 0.0]))
@example(np.array([0.6, 0.8, 0.0, 0.0]))
@example(np.array([0.6, 0.0, 0.8, 1e-9]))
@example(np.array([0.0, 0.0, 0.0, 1.0]))
@example(np.array([0.5, -0.5, 0.5, -0.5]))
def test_a_matrix_gives_its_quaternion_back(q: FloatArray) -> None:
    found = quaternion_from_matrix(matrix_from_quaternion(q))
    assert found[3] >= 0
    apart = min(np.abs(found - q).max(), np.abs(found + q).max())
    assert apart < 1e-15


def rodrigues(turn: FloatArray) -> FloatArray:
    """Attitude matrix exp(-[turn x]) by its power series: nothing shared with quaternions."""
    x, y, z = turn
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    matrix = term = np.eye(3)
    for k in range(1, 40):
        term = term @ (-cross) / k
        matrix = matrix + term
    return np.asarray(matrix)


@settings(deadline=None)
@given(axis=DIRECTIONS, angle=st.floats(0, math.pi))
@example(np.array([0.0, 0.6, 0.8]), 0.0)
@example(np.array([0.0, 0.6, 0.8]), 1e-300)
@example(np.array([0.0, 0.6, 0.8]), 1e-13)
@example(np.array([0.0, 0.6, 0.8]), 1e-12)
@example(np.array([0.0, 0.6, 0.8]), 1e-8)
@example(np.array([0.0, 0.6, 0.8]), math.pi - 1e-8)
@example(np.array([0.0, 0.6, 0.8]), math.pi - 1e-14)
@example(np.array([0.0, 0.6, 0.8]), math.pi)
def test_rotation_vectors_lead_there_and_back(axis: FloatArray, angle: float) -> None:
    turn = angle * axis
    q = quaternion_from_rotation_vector(turn)
    assert np.linalg.norm(q) == pytest.approx(1.0, abs=1e-15)
    assert np.allclose(matrix_from_quaternion(q), rodrigues(turn), rtol=0, atol=1e-14)
    back = rotation_vector_from_quaternion(q)
    assert norm(back) <= math.pi * (1 + 4e-16)
    if angle < math.pi - 1e-9:
        assert np.allclose(back, turn, rtol=1e-12, atol=1e-300)
    else:  # half a turn either way is the same turn
        assert min(norm(back - turn), norm(back + turn)) < 1e-14 + 2 * (math.pi - angle)
    assert np.allclose(rotation_vector_from_quaternion(-q), back, rtol=1e-15, atol=1e-15) or (
        angle > math.pi - 1e-9
    )


def test_rotations_take_any_leading_shape() -> None:
    rng = np.random.default_rng(5)
    q = rng.normal(size=(2, 3, 4))
    q = q / np.linalg.norm(q, axis=-1, keepdims=True)
    v = rng.normal(size=(2, 3, 3))
    assert np.array_equal(rotate(q, v)[1, 2], rotate(q[1, 2], v[1, 2]))
    assert np.array_equal(
        quaternion_product(q, q[0, 0])[1, 2], quaternion_product(q[1, 2], q[0, 0])
    )
    matrices = matrix_from_quaternion(q)
    assert np.array_equal(
        quaternion_from_matrix(matrices)[1, 2], quaternion_from_matrix(matrices[1, 2])
    )
    turns = rotation_vector_from_quaternion(q)
    assert np.array_equal(turns[1, 2], rotation_vector_from_quaternion(q[1, 2]))
    again = quaternion_from_rotation_vector(turns)
    assert np.array_equal(again[1, 2], quaternion_from_rotation_vector(turns[1, 2]))
