"""From a mission to ephemerides: age of elements, span, ascending nodes and orbit numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sgp4.api import WGS72, Satrec
from sgp4.exporter import export_tle

from humay.arrays import dot, norm
from humay.errors import OrbitError
from humay.mission import SunSynchronousOrbit, TleOrbit
from humay.orbit import Ephemeris
from humay.orbit.elements import orbit_from_tle
from humay.time import format_utc, parse_utc
from tests.orbit.conftest import Fly
from tests.orbit.sets import LATER_SETS, SPOT_6, SPOT_7, checked, tle

HOUR = 1 / 24
SPOT_7_EPOCH = parse_utc("2019-10-30T02:47:49.270272Z")


# ---------------------------------------------------------------- age of the elements


def start_of_hour(days_after_epoch: float) -> str:
    return format_utc(SPOT_7_EPOCH + timedelta(days=days_after_epoch))


@pytest.mark.parametrize("days_after_epoch", [0.0, 10.0, 20.0 - HOUR, -10.0, -20.0])
def test_spans_within_20_days_of_the_elements_are_taken(fly: Fly, days_after_epoch: float) -> None:
    """An hour's span, up to its end after the epoch, from its start before it."""
    orbit = fly(start_of_hour(days_after_epoch), HOUR, {"spot-7": tle(SPOT_7)})["spot-7"]
    middle_s = orbit.epoch.seconds(SPOT_7_EPOCH + timedelta(days=days_after_epoch + HOUR / 2))
    age_days = float(orbit.age_days(np.array(middle_s)))
    assert age_days == pytest.approx(abs(days_after_epoch + HOUR / 2), abs=1e-9)


@pytest.mark.parametrize(
    ("days_after_epoch", "length_days", "farthest"),
    [
        (20.001 - HOUR, HOUR, "20.0"),
        (-20.001, HOUR, "20.0"),
        (400.0, HOUR, "400.0"),
        (15.0, 7.0, "22.0"),  # begins in time, ends too late
        (-25.0, 7.0, "25.0"),
    ],
)
def test_spans_of_which_any_instant_is_farther_are_refused(
    fly: Fly, days_after_epoch: float, length_days: float, farthest: str
) -> None:
    message = (
        "fleet.tle:1: the elements of 'spot-7' are of 2019-10-30T02:47:49.270272Z, "
        f"up to {farthest} days from the planned span, expected at most 20 (max_element_age_days"
        " of the mission)"
    )
    with pytest.raises(OrbitError) as caught:
        fly(start_of_hour(days_after_epoch), length_days, {"spot-7": tle(SPOT_7)})
    assert str(caught.value) == message


def test_a_mission_may_allow_older_elements_or_only_fresher_ones(fly: Fly) -> None:
    orbits = {"spot-7": tle(SPOT_7)}
    assert fly(start_of_hour(39), HOUR, orbits, max_element_age_days=40.0)
    with pytest.raises(OrbitError, match=r"up to 41\.0 days from .*, expected at most 40 "):
        fly(start_of_hour(41), HOUR, orbits, max_element_age_days=40.0)
    with pytest.raises(OrbitError, match=r"up to 2\.0 days from .*, expected at most 0\.5"):
        fly(start_of_hour(2), HOUR, orbits, max_element_age_days=0.5)


def test_one_satellite_of_old_elements_stops_the_mission(fly: Fly) -> None:
    with pytest.raises(OrbitError, match="the elements of 'old' are of 2019-10-30"):
        fly("2026-04-10T00:00:00Z", 1, {"new": tle(LATER_SETS["SPOT 6"][0]), "old": tle(SPOT_7)})


def test_a_designed_orbit_does_not_age(fly: Fly) -> None:
    orbit = SunSynchronousOrbit(
        altitude_m=600e3, local_time_s=36_000.0, phase_rad=0.0, epoch=SPOT_7_EPOCH
    )
    assert fly("2026-03-01T00:00:00Z", HOUR, {"x": orbit})


# ---------------------------------------------------------------- span


@pytest.mark.parametrize("days", [0.0, -1.0])
def test_a_span_without_length_is_refused(fly: Fly, days: float) -> None:
    with pytest.raises(OrbitError, match=r"the span ends at 2019-1.*Z, not after 2019-11-01T00"):
        fly("2019-11-01T00:00:00Z", days, {"spot-7": tle(SPOT_7)})


@pytest.mark.parametrize("altitude_km", [300, 600, 2000])
def test_every_instant_of_the_span_has_its_orbit_number(fly: Fly, altitude_km: int) -> None:
    """Two hours around the span are enough up to 1,700 km; a period at 2,000 km is 2.1 h."""
    for phase_deg in range(0, 360, 30):
        orbit = SunSynchronousOrbit(
            altitude_m=altitude_km * 1e3,
            local_time_s=36_000.0,
            phase_rad=math.radians(phase_deg),
            epoch=SPOT_7_EPOCH,
        )
        flown = fly("2019-11-01T00:00:00Z", 0.1, {"x": orbit})["x"]
        begin_s = flown.epoch.seconds(parse_utc("2019-11-01T00:00:00Z"))
        assert flown.start_s <= begin_s - 7200
        assert flown.end_s >= begin_s + 8640 + 7200
        flown.orbit_at(begin_s + np.linspace(0, 8640, 50))


def test_all_satellites_share_the_epoch_of_the_earliest_elements(fly: Fly) -> None:
    flown = fly(
        "2026-04-14T00:00:00Z", 1, {str(i): tle(s) for i, s in enumerate(LATER_SETS["SPOT 6"])}
    )
    assert {format_utc(orbit.epoch.moment) for orbit in flown.values()} == {"2026-04-06T00:00:00Z"}


def test_a_satellite_that_decays_on_the_way_says_when(fly: Fly) -> None:
    """SPOT 7 with a drag term that brings it down."""
    line_1 = checked(SPOT_7[0].replace(" 26330-3", " 26330+1"))
    with pytest.raises(OrbitError, match=r"fleet\.tle:1: satellite 'x', \d+\.\d\d days after its"):
        fly("2019-11-10T00:00:00Z", 5, {"x": tle((line_1, SPOT_7[1]))})


# ---------------------------------------------------------------- ascending nodes


def test_nodes_are_where_the_equator_is_crossed_northward(fly: Fly) -> None:
    """All of them: as many as sign changes in samples every 10 s."""
    flown = fly("2019-11-01T00:00:00Z", 14, {"spot-6": tle(SPOT_6), "spot-7": tle(SPOT_7)})
    for orbit in flown.values():
        r, v = orbit.state_itrf(orbit.node_s)
        assert np.abs(r[:, 2]).max() < 0.01
        assert v[:, 2].min() > 7000
        z = orbit.position_itrf(np.arange(orbit.start_s, orbit.end_s, 10.0))[:, 2]
        assert orbit.node_s.size == np.sum((z[:-1] < 0) & (z[1:] >= 0))
        assert np.diff(orbit.node_orbit).tolist() == [1.0] * (orbit.node_s.size - 1)
        assert np.diff(orbit.node_s) == pytest.approx(5927.2, abs=1.0)  # 379 orbits in 26 days


# ---------------------------------------------------------------- orbit numbers


def number_at_epoch(orbit: Ephemeris) -> tuple[float, float]:
    """Number of the orbit that begins nearest to the elements' epoch, and how long after it."""
    i = int(np.argmin(np.abs(orbit.node_s - orbit.orbit_epoch_s)))
    return float(orbit.node_orbit[i]), float(orbit.node_s[i] - orbit.orbit_epoch_s)


@pytest.mark.parametrize(
    ("elements", "revolution"),
    [(SPOT_6, 38_001), (SPOT_7, 28_395), *((s, None) for s in LATER_SETS["SPOT 6"])],
)
def test_a_set_is_published_for_the_node_that_begins_its_revolution(
    fly: Fly, elements: tuple[str, str], revolution: int | None
) -> None:
    """The epoch is that of the node as well as the digits allow; some fall just before it."""
    epoch = orbit_from_tle(tle(elements), "x").epoch
    flown = fly(format_utc(epoch - timedelta(hours=1)), 2 * HOUR, {"x": tle(elements)})["x"]
    number, after_s = number_at_epoch(flown)
    assert abs(after_s) < 0.1
    assert number == (revolution or int(elements[1][63:68]))


@pytest.mark.parametrize("name", ["SPOT 6", "SPOT 7", "ISS"])
def test_sets_of_different_days_number_the_same_orbits_the_same(fly: Fly, name: str) -> None:
    """Public sets up to 19 days apart: each counts from its own revolution number, SPOT 6 and 7
    over 263 nodes, the ISS, which falls faster, over 291."""
    sets = LATER_SETS[name]
    epochs = [orbit_from_tle(tle(s), "x").epoch for s in sets]
    days = (epochs[-1] - epochs[0]) / timedelta(days=1)
    flown = fly(format_utc(epochs[0]), days, {str(i): tle(s) for i, s in enumerate(sets)})
    first, *others = flown.values()
    assert first.node_orbit.size > 14 * days
    for other in others:
        assert np.abs(first.node_s - other.node_s).max() < 240  # the ISS: a boost or so
        assert np.array_equal(first.node_orbit, other.node_orbit)


@dataclass(frozen=True)
class Falling:
    """A set with strong drag and no rate of the mean motion, as an OMM may leave it out."""

    mean_motion: float
    bstar: float


@pytest.mark.parametrize("orbit", [Falling(15.9, 1e-3), Falling(15.5, 5e-3), Falling(14.6, 1e-5)])
def test_drag_does_not_lose_a_revolution(fly: Fly, orbit: Falling) -> None:
    """19 days on, against counting every crossing on the way; an estimate from the mean motion at
    epoch was one off for the first two."""
    elements = set_of(mean_motion=orbit.mean_motion, bstar=orbit.bstar, anomaly_deg=200.0)
    flown = fly("2026-01-01T12:00:00Z", 19, {"x": elements})["x"]
    late = fly("2026-01-19T12:00:00Z", 1, {"x": elements})["x"]
    after = flown.node_s > flown.orbit_epoch_s
    assert flown.node_orbit[after].tolist() == list(range(501, 501 + int(after.sum())))
    assert set(late.node_orbit[:-1]) <= set(flown.node_orbit)
    shared = np.isin(flown.node_orbit, late.node_orbit)
    assert np.allclose(flown.node_s[shared], late.node_s[: shared.sum()], rtol=0, atol=1e-5)


def set_of(*, mean_motion: float, bstar: float, anomaly_deg: float) -> TleOrbit:
    """A near-circular polar orbit at 2026-01-01T12:00Z, in revolution 500, as a two-line set."""
    record = Satrec()
    record.sgp4init(
        WGS72, "i", 5, 27_760.5, bstar, 0.0, 0.0, 1e-4, 0.0, math.radians(97.5),
        math.radians(anomaly_deg % 360.0), mean_motion * 2 * math.pi / 1440, 1.0,
    )  # fmt: skip
    record.revnum = 500
    return tle(tuple(export_tle(record)))


def latitude_argument_deg(elements: TleOrbit) -> float:
    """Angle from the node to the satellite at epoch, -180 to 180, in the plane of r and v."""
    r, v = orbit_from_tle(elements, "x").state_teme(np.zeros(1))
    momentum = np.cross(r, v)
    node = np.cross([0.0, 0.0, 1.0], momentum)
    ahead = np.cross(momentum, node) / norm(momentum)[:, None]
    return math.degrees(math.atan2(float(dot(r, ahead)[0]), float(dot(r, node)[0])))


@settings(max_examples=60, deadline=None)
@given(wanted_deg=st.floats(-0.1, 0.1))
@example(wanted_deg=0.0)
@example(wanted_deg=-0.1)
@example(wanted_deg=0.1)
@example(wanted_deg=-0.01)
@example(wanted_deg=-0.03)
def test_an_epoch_near_a_node_belongs_to_the_orbit_it_is_meant_for(
    fly: Fly, wanted_deg: float
) -> None:
    """From 0.02 deg (0.3 s) before a node on, the node has been passed; earlier, it comes next."""
    anomaly_deg = wanted_deg
    for _ in range(2):  # periodic terms move the true argument by 0.1 deg
        found_deg = latitude_argument_deg(
            set_of(mean_motion=14.6, bstar=0.0, anomaly_deg=anomaly_deg)
        )
        anomaly_deg += wanted_deg - found_deg
    elements = set_of(mean_motion=14.6, bstar=0.0, anomaly_deg=anomaly_deg)
    found_deg = latitude_argument_deg(elements)
    assert found_deg == pytest.approx(wanted_deg, abs=1e-3)
    if abs(found_deg + 0.02) < 1e-3:
        return
    flown = fly("2026-01-01T11:00:00Z", 2 * HOUR, {"x": elements})["x"]
    number, after_s = number_at_epoch(flown)
    assert after_s == pytest.approx(-found_deg / 360 * 86_400 / 14.6, abs=0.05)
    assert number == (500 if found_deg > -0.02 else 501)


@settings(max_examples=30, deadline=None)
@given(anomaly_deg=st.floats(0.2, 359.8))
def test_an_epoch_anywhere_else_counts_the_node_behind_it(fly: Fly, anomaly_deg: float) -> None:
    elements = set_of(mean_motion=14.6, bstar=0.0, anomaly_deg=anomaly_deg)
    flown = fly("2026-01-01T11:00:00Z", 2 * HOUR, {"x": elements})["x"]
    number, after_s = flown.orbit_at(np.array(flown.orbit_epoch_s))
    true_deg = latitude_argument_deg(elements) % 360
    assert 0.05 < true_deg < 359.95
    assert number == 500
    assert after_s == pytest.approx(true_deg / 360 * 86_400 / 14.6, abs=5.0)
