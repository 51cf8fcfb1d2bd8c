"""The ephemeris against SGP4 itself, and as a record: shapes, borders, segments."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm
from humay.errors import OrbitError
from humay.frames import inertial_velocity, itrf_from_teme
from humay.mission import SunSynchronousOrbit
from humay.orbit import Ephemeris, Segment, Sgp4Orbit
from humay.orbit.elements import orbit_from_tle
from humay.orbit.ephemeris import RIM, segment_through
from humay.orbit.sun_synchronous import sun_synchronous_orbit
from humay.time import Epoch, parse_utc
from tests.orbit.conftest import Fly
from tests.orbit.sets import SPOT_6, SPOT_7, tle

EPOCH = Epoch(datetime(2019, 10, 30, tzinfo=UTC))
LOW = SunSynchronousOrbit(
    altitude_m=300e3, local_time_s=37_800.0, phase_rad=1.0, epoch=parse_utc("2019-10-30T00:00:00Z")
)


def directly(orbit: Sgp4Orbit, ephemeris: Ephemeris, t_s: FloatArray) -> FloatArray:
    """The slow way: SGP4 at every instant, turned into ITRF."""
    r_teme, _ = orbit.state_teme(t_s - ephemeris.orbit_epoch_s)
    return np.asarray(np.einsum("nij,nj->ni", itrf_from_teme(ephemeris.epoch, t_s), r_teme))


@pytest.fixture(scope="module")
def flights(fly: Fly) -> dict[str, tuple[Sgp4Orbit, Ephemeris]]:
    """Two weeks of real elements and of an orbit as low as 300 km."""
    orbits = {"spot-6": tle(SPOT_6), "spot-7": tle(SPOT_7), "low": LOW}
    flown = fly("2019-11-01T00:00:00Z", 14, orbits)
    return {
        "spot-6": (orbit_from_tle(tle(SPOT_6), "spot-6"), flown["spot-6"]),
        "spot-7": (orbit_from_tle(tle(SPOT_7), "spot-7"), flown["spot-7"]),
        "low": (sun_synchronous_orbit(LOW, "low"), flown["low"]),
    }


# ---------------------------------------------------------------- SGP4 itself


@pytest.mark.parametrize(("name", "most_m"), [("spot-6", 0.007), ("spot-7", 0.007), ("low", 0.012)])
def test_between_nodes_it_is_sgp4_to_about_a_centimetre(
    flights: dict[str, tuple[Sgp4Orbit, Ephemeris]], name: str, most_m: float
) -> None:
    """20,000 random instants in two weeks. With SGP4's own velocity at the nodes it was 0.2 m."""
    orbit, ephemeris = flights[name]
    t_s = np.random.default_rng(1).uniform(ephemeris.start_s, ephemeris.end_s, 20_000)
    error_m = norm(ephemeris.position_itrf(t_s) - directly(orbit, ephemeris, t_s))
    assert error_m.max() < most_m


@pytest.mark.parametrize("name", ["spot-7", "low"])
def test_the_velocity_is_the_derivative_of_the_position(
    flights: dict[str, tuple[Sgp4Orbit, Ephemeris]], name: str
) -> None:
    _, ephemeris = flights[name]
    t_s = np.random.default_rng(2).uniform(ephemeris.start_s + 1, ephemeris.end_s - 1, 20_000)
    ahead, behind = ephemeris.position_itrf(t_s + 0.05), ephemeris.position_itrf(t_s - 0.05)
    _, v_itrf = ephemeris.state_itrf(t_s)
    assert norm((ahead - behind) / 0.1 - v_itrf).max() < 5e-5  # rounding of t: 2e-5 m/s


def test_the_velocity_is_that_of_sgp4_as_well_as_that_fits_its_position(
    flights: dict[str, tuple[Sgp4Orbit, Ephemeris]],
) -> None:
    """SGP4 derives its velocity with terms left out: up to 0.03 m/s of 7,500."""
    orbit, ephemeris = flights["spot-7"]
    t_s = np.random.default_rng(3).uniform(ephemeris.start_s, ephemeris.end_s, 2000)
    _, v_teme = orbit.state_teme(t_s - ephemeris.orbit_epoch_s)
    theirs = np.einsum("nij,nj->ni", itrf_from_teme(ephemeris.epoch, t_s), v_teme)
    ours = inertial_velocity(*ephemeris.state_itrf(t_s))
    assert norm(ours - theirs).max() < 0.03


def test_where_the_span_starts_changes_no_bit(fly: Fly) -> None:
    """Earlier, later, longer, at an odd second: nodes, and positions between them, are the same."""
    orbits = {"spot-7": tle(SPOT_7)}
    spans = [
        ("2019-11-01T00:00:00Z", 3.0),
        ("2019-10-31T17:03:21.4Z", 2.0),
        ("2019-11-02T00:00:00.5Z", 5),
    ]
    flown = [fly(start, days, orbits)["spot-7"] for start, days in spans]
    first = flown[0]
    t_s = np.random.default_rng(4).uniform(2.6e5, 3.1e5, 500)
    for other in flown[1:]:
        assert other.epoch == first.epoch
        common, mine, theirs = np.intersect1d(
            first.segments[0].t_s, other.segments[0].t_s, return_indices=True
        )
        assert common.size > 1000
        for name in ("r_itrf", "v_itrf", "a_itrf"):
            nodes = getattr(first.segments[0], name)[mine]
            assert np.array_equal(nodes, getattr(other.segments[0], name)[theirs])
        for state, again in zip(first.state_itrf(t_s), other.state_itrf(t_s), strict=True):
            assert np.array_equal(state, again)
        low, high = max(first.start_s, other.start_s), min(first.end_s, other.end_s)
        ours, yours = ((e.node_s > low) & (e.node_s < high) for e in (first, other))
        assert ours.sum() > 15
        assert np.array_equal(first.node_s[ours], other.node_s[yours])
        assert np.array_equal(first.node_orbit[ours], other.node_orbit[yours])


def test_any_shape_gives_what_single_instants_give(
    flights: dict[str, tuple[Sgp4Orbit, Ephemeris]],
) -> None:
    _, ephemeris = flights["spot-7"]
    t_s = np.linspace(2e5, 3e5, 24).reshape(2, 3, 4)
    r, v = ephemeris.state_itrf(t_s)
    assert r.shape == v.shape == (2, 3, 4, 3)
    one_r, one_v = ephemeris.state_itrf(t_s[1, 2, 3])
    assert np.array_equal(r[1, 2, 3], one_r)
    assert np.array_equal(v[1, 2, 3], one_v)
    orbit, after_s = ephemeris.orbit_at(t_s)
    assert orbit.shape == after_s.shape == (2, 3, 4)


# ---------------------------------------------------------------- segments


def segment(t_s: FloatArray, r_itrf: FloatArray) -> Segment:
    return Segment(t_s=t_s, r_itrf=r_itrf, v_itrf=np.zeros_like(r_itrf), a_itrf=r_itrf * 0)


def at_rest(begin_s: float, end_s: float, x_m: float) -> Segment:
    """A body that hangs still at `x_m`, which no interpolation across may move."""
    t_s = np.arange(begin_s, end_s + 1, 60.0)
    return segment(t_s, np.tile([x_m, 0.0, 0.0], (t_s.size, 1)))


def ephemeris_of(*segments: Segment) -> Ephemeris:
    return Ephemeris(
        satellite="two-parts",
        epoch=EPOCH,
        segments=segments,
        orbit_epoch_s=0.0,
        node_s=np.array([0.0, 6000.0]),
        node_orbit=np.array([7.0, 8.0]),
    )


def test_segments_are_never_interpolated_across() -> None:
    """A jump of 1,000 km between two nodes: on either side the body stays where it is."""
    jump = ephemeris_of(at_rest(0, 600, 7e6), at_rest(600, 1200, 8e6))
    t_s = np.array([0.0, 599.999, 600.0, 600.001, 1200.0])
    r, v = jump.state_itrf(t_s)
    assert r[:, 0].tolist() == [7e6, 7e6, 8e6, 8e6, 8e6]  # at the border the later one holds
    assert not v.any()


def test_a_gap_between_segments_is_refused() -> None:
    gap = ephemeris_of(at_rest(0, 600, 7e6), at_rest(660, 1200, 8e6))
    assert gap.position_itrf(np.array([600.0, 660.0]))[:, 0].tolist() == [7e6, 8e6]
    with pytest.raises(OrbitError, match=r"no orbit at 2019-10-30T00:10:30Z"):
        gap.position_itrf(np.array([590.0, 630.0, 670.0]))


@pytest.mark.parametrize("t_s", [-0.001, 1200.001, -1e9, 1e9])
@pytest.mark.parametrize("parts", [1, 2])
def test_outside_the_span_there_is_no_orbit(t_s: float, parts: int) -> None:
    whole = (at_rest(0, 1200, 7e6),)
    two = (at_rest(0, 600, 7e6), at_rest(600, 1200, 7e6))
    ephemeris = ephemeris_of(*(whole if parts == 1 else two))
    message = (
        "satellite 'two-parts': no orbit at .*Z, it is known from 2019-10-30T00:00:00Z"
        " to 2019-10-30T00:20:00Z"
    )
    for ask in (ephemeris.position_itrf, ephemeris.state_itrf, ephemeris.orbit_at):
        with pytest.raises(OrbitError, match=message):
            ask(np.array([600.0, t_s]))


@settings(deadline=None)
@given(coefficients=st.lists(st.floats(-10, 10), min_size=18, max_size=18))
def test_a_way_of_the_fifth_degree_is_met_exactly(coefficients: list[float]) -> None:
    """Central differences over seven nodes and the quintic between two are both exact for it."""
    of_degree_5 = np.array(coefficients).reshape(6, 3)
    place = partial(np.polynomial.polynomial.polyval, c=of_degree_5)
    rate = partial(
        np.polynomial.polynomial.polyval, c=np.polynomial.polynomial.polyder(of_degree_5)
    )
    t = np.linspace(-1.0, 1.0, 21)
    found = segment_through(t, np.asarray(place(t).T))
    assert found.t_s.tolist() == t[RIM:-RIM].tolist()
    between = np.linspace(-0.7, 0.7, 57)
    r, v = found.state(between)
    assert np.allclose(r, place(between).T, rtol=0, atol=1e-11)
    assert np.allclose(v, rate(between).T, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    "t_s",
    [[0.0], [0.0, 60.0, 121.0], [60.0, 0.0], [0.0, 0.0], [120.0, 60.0, 0.0], [0.0, np.nan, 120.0]],
)
def test_a_segment_has_evenly_spaced_nodes_in_order(t_s: list[float]) -> None:
    with pytest.raises(ValueError, match=r"evenly spaced|holds no numbers"):
        segment(np.array(t_s), np.ones((len(t_s), 3)))


@pytest.mark.parametrize("r", [np.ones((3, 2)), np.ones((2, 3)), np.full((3, 3), np.nan)])
def test_a_segment_has_numbers_for_every_node(r: FloatArray) -> None:
    with pytest.raises(ValueError, match="r_itrf has shape"):
        segment(np.array([0.0, 60.0, 120.0]), r)


def test_an_ephemeris_has_segments_in_order() -> None:
    with pytest.raises(ValueError, match="without segments"):
        ephemeris_of()
    with pytest.raises(ValueError, match="overlap or lack order"):
        ephemeris_of(at_rest(0, 600, 7e6), at_rest(540, 1200, 7e6))
    with pytest.raises(ValueError, match="overlap or lack order"):
        ephemeris_of(at_rest(600, 1200, 7e6), at_rest(0, 600, 7e6))


def test_an_ephemeris_has_a_number_for_every_node() -> None:
    whole = ephemeris_of(at_rest(0, 1200, 7e6))
    for node_s, node_orbit in (([0.0], [1.0, 2.0]), ([5.0, 4.0], [1.0, 2.0])):
        with pytest.raises(ValueError, match="ascending nodes lack order or number"):
            Ephemeris(
                satellite="x",
                epoch=EPOCH,
                segments=whole.segments,
                orbit_epoch_s=0.0,
                node_s=np.array(node_s),
                node_orbit=np.array(node_orbit),
            )


def test_records_cannot_be_changed(flights: dict[str, tuple[Sgp4Orbit, Ephemeris]]) -> None:
    _, ephemeris = flights["spot-7"]
    [part] = ephemeris.segments
    arrays = (part.t_s, part.r_itrf, part.v_itrf, part.a_itrf, ephemeris.node_s)
    assert not any(array.flags.writeable for array in (*arrays, ephemeris.node_orbit))


# ---------------------------------------------------------------- orbits and age


def test_an_orbit_begins_at_its_node() -> None:
    ephemeris = ephemeris_of(at_rest(-600, 12_000, 7e6))
    orbit, after_s = ephemeris.orbit_at(np.array([0.0, 5999.0, 6000.0, 7000.0]))
    assert orbit.tolist() == [7, 7, 8, 8]
    assert after_s.tolist() == [0, 5999, 0, 1000]
    with pytest.raises(OrbitError, match="before the first ascending node"):
        ephemeris.orbit_at(np.array([-1.0]))


def test_the_age_of_the_elements_counts_both_ways() -> None:
    ephemeris = ephemeris_of(at_rest(-600, 12_000, 7e6))
    assert ephemeris.age_days(np.array([-43_200.0, 0.0, 86_400.0])).tolist() == [0.5, 0.0, 1.0]
    assert ephemeris.orbit_epoch() == EPOCH.moment
