"""The compiled search against plain NumPy, and what it promises of every window of a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import find_opportunities, stream_opportunities
from humay.access.looks import (
    Nadir,
    describe_look,
    down_at,
    line_period,
    look_angles,
    sun_azimuth,
    sun_elevation,
)
from humay.arrays import FloatArray, norm
from humay.earth import geodetic_from_itrf, ground_point
from humay.errors import OrbitError
from humay.frames import inertial_velocity
from humay.mission import Mission, Request, TleOrbit
from humay.orbit import Ephemeris, Segment
from tests.access.conftest import SPOT_TLE, START
from tests.access.reference import find_windows, places_of
from tests.access.searching import (
    beside_track,
    hold,
    orbit,
    orbits,
    place,
    places,
    same_rows,
    search,
    spot_6,
)

NADIRS = st.sampled_from(["geodetic", "geocentric"])
LIMITS = {
    "tilt_deg": st.floats(1, 57),
    "roll_deg": st.one_of(st.just(90.0), st.floats(0.5, 60)),
    "pitch_deg": st.one_of(st.just(90.0), st.floats(0.3, 60)),
    "sun_deg": st.sampled_from([-90.0, 0.0, 15.0, 40.0]),
}
SUN_RAD = 6e-8  # by so much the Sun of the kernels leaves that of `sun_gcrf`


# Against plain NumPy -----------------------------------------------------------------------------


def hold_against_reference(mission: Mission, requests: Sequence[Request], nadir: Nadir) -> None:
    """The same windows to 20 microseconds, or to what the Sun may move an edge."""
    found = search(mission, requests, nadir=nadir)
    asked = places_of(mission.satellites[0], requests)
    wanted = find_windows(
        orbit(), asked, start_s=found.span_s[0], end_s=found.span_s[1], nadir=nadir
    )
    number = {request.name: i for i, request in enumerate(requests)}
    which = np.array([number[name] for name in found.request], dtype=np.int64)
    own, theirs = np.lexsort((found.start_s, which)), np.lexsort((wanted.start_s, wanted.which))
    assert which[own].tolist() == wanted.which[theirs].tolist()
    place = asked.take(which[own])
    for one, other in ((found.start_s, wanted.start_s), (found.end_s, wanted.end_s)):
        apart_s = np.abs(one[own] - other[theirs])
        high = sun_elevation(orbit().epoch, one[own], place.r_itrf, place.up)
        by_sun = np.abs(high - place.min_sun_elevation_rad) < SUN_RAD
        assert np.all((apart_s < 2e-5) | (by_sun & (apart_s < 2e-3)))


@settings(max_examples=15)
@given(nadir=NADIRS, seed=st.integers(0, 10**6), **LIMITS)
def test_windows_are_those_of_plain_numpy(
    nadir: Nadir, seed: int, tilt_deg: float, roll_deg: float, pitch_deg: float, sun_deg: float
) -> None:
    mission = spot_6(tilt_deg, roll_deg=roll_deg, pitch_deg=pitch_deg, sun_deg=sun_deg)
    hold_against_reference(mission, places(seed, 20), nadir)


@pytest.mark.slow
@settings(max_examples=300)
@given(nadir=NADIRS, seed=st.integers(0, 10**6), **LIMITS)
def test_many_windows_are_those_of_plain_numpy(
    nadir: Nadir, seed: int, tilt_deg: float, roll_deg: float, pitch_deg: float, sun_deg: float
) -> None:
    mission = spot_6(tilt_deg, roll_deg=roll_deg, pitch_deg=pitch_deg, sun_deg=sun_deg)
    hold_against_reference(mission, places(seed, 20), nadir)


@pytest.mark.parametrize("nadir", ["geodetic", "geocentric"])
def test_columns_are_those_of_plain_numpy(nadir: Nadir) -> None:
    """Angles to 1e-10 rad, those of the Sun to the 6e-8 rad that its interpolation is off."""
    mission = spot_6(35.0, sun_deg=-20.0)
    found = search(mission, places(1, 150), nadir=nadir)
    satellite, best_s = mission.satellites[0], found.best_s
    half = np.full(len(found), 0.5)
    look = describe_look(satellite, orbit(), found.line, best_s, half, nadir)
    for name, value in vars(look).items():
        error = 1e-7 if name == "sun_elevation_rad" else 2e-10
        assert np.allclose(getattr(found, name), value, rtol=error, atol=error), name
    target, up = found.line.place(half), found.line.normal(half)
    sun = sun_azimuth(orbit().epoch, best_s, target, up)
    assert np.allclose(np.cos(sun - found.sun_azimuth_rad), 1, atol=1e-12)
    for at_s, tilt, high in (
        (found.start_s, found.off_nadir_start_rad, found.sun_elevation_start_rad),
        (found.end_s, found.off_nadir_end_rad, found.sun_elevation_end_rad),
    ):
        assert np.allclose(
            tilt, look_angles(*orbit().state_itrf(at_s), target, nadir)[0], atol=1e-10
        )
        assert np.allclose(high, sun_elevation(orbit().epoch, at_s, target, up), atol=1e-7)
    r, v = orbit().state_itrf(best_s)
    number, since_s = orbit().orbit_at(best_s)
    whole = (best_s > found.start_s) & (best_s < found.end_s)  # else another orbit may be nearest
    assert np.array_equal(found.orbit[whole], number[whole])
    assert np.allclose(found.anx_offset_s[whole], since_s[whole], atol=1e-9)
    assert np.array_equal(found.ascending[whole], v[whole, 2] > 0)
    speed = norm(inertial_velocity(r, v))
    sigma_m = satellite.orbit_sigma.along_m(orbit().age_days(best_s))
    assert np.allclose(found.sigma_s, sigma_m / speed, rtol=1e-12)
    period_s = line_period(look.gsd_along_m, found.line.length_m / found.scan_s)
    assert np.allclose(found.line_period_s, period_s, rtol=1e-9)
    bits = found.scan_s / period_s * satellite.camera.bits_per_pan_line()
    assert np.allclose(found.data_bit, bits, rtol=1e-9)
    assert len(found) > 300


# Inside and just outside -------------------------------------------------------------------------

JUST_S = 1e-3


@settings(max_examples=15)
@given(nadir=NADIRS, seed=st.integers(0, 10**6), **LIMITS)
def test_inside_a_window_every_limit_holds_and_a_millisecond_outside_one_fails(
    nadir: Nadir, seed: int, tilt_deg: float, roll_deg: float, pitch_deg: float, sun_deg: float
) -> None:
    """A limit that is only touched is met 1e-9 rad beyond it too; nothing is told of those."""
    mission = spot_6(tilt_deg, roll_deg=roll_deg, pitch_deg=pitch_deg, sun_deg=sun_deg)
    requests = places(seed, 8)
    by_name = {request.name: request for request in requests}
    found = search(mission, requests, nadir=nadir)
    for row in range(len(found)):
        request = by_name[found.request[row]]
        begin, end = float(found.start_s[row]), float(found.end_s[row])
        share = np.linspace(0, 1, 41)
        within = hold(mission, request, begin + share * (end - begin), nadir, slack_rad=1e-7)
        assert within.all(), (found.opportunity_id[row], share[~within])
        ends = [begin - JUST_S] * (begin > found.span_s[0]) + [end + JUST_S] * (
            end < found.span_s[1]
        )
        outside = hold(mission, request, np.array(ends), nadir, slack_rad=-1e-8)
        assert not outside.any(), (found.opportunity_id[row], ends)


@settings(max_examples=15)
@given(nadir=NADIRS, seed=st.integers(0, 10**6), tighter=st.floats(0.01, 0.5), **LIMITS)
def test_a_stricter_limit_never_adds_time(
    nadir: Nadir, seed: int, tighter: float, tilt_deg: float, roll_deg: float, pitch_deg: float,
    sun_deg: float,
) -> None:  # fmt: skip
    requests = places(seed, 20)
    limits = {"tilt_deg": tilt_deg, "roll_deg": roll_deg, "pitch_deg": pitch_deg}
    loose = search(spot_6(**limits, sun_deg=sun_deg), requests, nadir=nadir)
    stricter = [
        spot_6(**{**limits, name: value * (1 - tighter)}, sun_deg=sun_deg)
        for name, value in limits.items()
    ]
    stricter.append(spot_6(**limits, sun_deg=max(sun_deg, -20.0) + 40 * tighter))
    for mission in stricter:
        strict = search(mission, requests, nadir=nadir)
        for name, begin, end in zip(strict.request, strict.start_s, strict.end_s, strict=True):
            around = (
                (loose.request == name)
                & (loose.start_s <= begin + 1e-5)
                & (loose.end_s >= end - 1e-5)
            )
            assert np.sum(around) == 1


# The same answer however it is asked for ---------------------------------------------------------


@settings(max_examples=10)
@given(
    nadir=NADIRS, seed=st.integers(0, 10**6), days=st.floats(0.05, 1.2),
    later=st.floats(0.0, 1.5), **LIMITS,
)  # fmt: skip
def test_another_span_leaves_windows_inside_both_the_same_to_the_bit(
    nadir: Nadir, seed: int, days: float, later: float, tilt_deg: float, roll_deg: float,
    pitch_deg: float, sun_deg: float,
) -> None:  # fmt: skip
    """The orbit too is made anew for each span."""
    mission = spot_6(tilt_deg, roll_deg=roll_deg, pitch_deg=pitch_deg, sun_deg=sun_deg)
    requests = places(seed, 30)
    start = START + timedelta(days=later)
    long = find_opportunities(
        mission, requests, start=START, end=START + timedelta(days=3), nadir=nadir
    )
    short = find_opportunities(
        mission, requests, start=start, end=start + timedelta(days=days), nadir=nadir
    )
    low, high = short.span_s
    one, other = (
        each.take((each.start_s > low) & (each.end_s < high - each.scan_s))
        for each in (long, short)
    )
    assert same_rows(one, other)


@pytest.mark.parametrize("nadir", ["geodetic", "geocentric"])
def test_a_place_alone_and_among_thousands_gets_the_same_bits(nadir: Nadir) -> None:
    mission, requests = spot_6(sun_deg=10.0), places(5, 3000)
    among = search(mission, requests, nadir=nadir)
    for request in requests[::250]:
        alone = search(mission, [request], nadir=nadir)
        own = among.take(among.request == request.name)
        assert same_rows(alone.take(slice(None)), own)
    backwards = search(mission, requests[::-1], nadir=nadir)
    assert same_rows(backwards, among)


def test_threads_and_parts_change_no_bit() -> None:
    """Two satellites, so that windows of both mix in time; more places than one task has."""
    twin = replace(spot_6(20.0).satellites[0], name="spot-6b")
    mission = replace(spot_6(sun_deg=10.0), satellites=(*spot_6().satellites, twin))
    ways, requests = {**orbits(), "spot-6b": orbit()}, places(6, 1200)
    one, two = (search(mission, requests, orbits=ways, threads=threads) for threads in (1, 2))
    assert same_rows(one, two)
    for threads in (1, 2):
        parts = list(
            stream_opportunities(
                mission, requests, start=START, end=START + timedelta(days=3), orbits=ways,
                threads=threads,
            )
        )  # fmt: skip
        assert len(parts) >= 4
        assert sum(map(len, parts)) == len(one)
        for part in parts:
            rows = np.isin(one.opportunity_id, part.opportunity_id)
            assert same_rows(part.take(slice(None)), one.take(rows))


# Where searches fail -----------------------------------------------------------------------------


@settings(max_examples=20)
@given(nadir=NADIRS, share=st.floats(0.01, 0.99), seed=st.integers(0, 10**6))
def test_a_span_cuts_windows_where_it_begins_and_ends(
    nadir: Nadir, share: float, seed: int
) -> None:
    mission, requests = spot_6(35.0), places(seed, 10)
    whole = search(mission, requests, nadir=nadir)
    row = seed % len(whole)
    cut_s = float(whole.start_s[row] + share * (whole.end_s[row] - whole.start_s[row]))
    cut_s = orbit().epoch.seconds(orbit().epoch.utc(cut_s))  # a span has whole microseconds
    parts = [
        search(mission, requests, end_s=cut_s, nadir=nadir),
        search(mission, requests, begin_s=cut_s, nadir=nadir),
    ]
    own = [part.take(part.opportunity_id == whole.opportunity_id[row]) for part in parts]
    assert own[0].start_s.tolist() == whole.start_s[[row]].tolist()
    assert own[1].end_s.tolist() == whole.end_s[[row]].tolist()
    assert own[0].end_s.tolist() == own[1].start_s.tolist() == [cut_s]
    assert len(parts[0]) + len(parts[1]) >= len(whole) + 1


@pytest.mark.parametrize("nadir", ["geodetic", "geocentric"])
@pytest.mark.parametrize("tilt_deg", [0.001, 1.0, 45.0])
def test_a_place_right_below_is_seen(nadir: Nadir, tilt_deg: float) -> None:
    """0.001 deg of either side are 24 m, 3.6 ms of flight: however small the cone, the pass is
    seen if the place lies in the middle of it. Below means along the nadir that counts."""
    for hour in np.linspace(0.5, 71.5, 40):
        t_s = orbit().epoch.seconds(START) + 3600.0 * hour
        r, _ = orbit().state_itrf(np.array(t_s))
        request = place("x", *below(r, nadir))
        found = search(spot_6(tilt_deg), [request], t_s - 300, t_s + 300, nadir)
        assert len(found) == 1
        assert found.start_s[0] < t_s < found.end_s[0]
        assert abs(found.best_s[0] - t_s) < 2e-3
        assert found.off_nadir_rad[0] < 1e-6


def below(r_itrf: FloatArray, nadir: Nadir) -> tuple[float, float]:
    """Where nadir meets the ellipsoid, in degrees."""
    lon, lat, _ = geodetic_from_itrf(ground_point(r_itrf, down_at(r_itrf, nadir)))
    return math.degrees(lon), math.degrees(lat)


@pytest.mark.parametrize("nadir", ["geodetic", "geocentric"])
def test_the_poles_and_the_antimeridian_are_places_like_others(nadir: Nadir) -> None:
    """SPOT 6 comes within 8.2 deg of the poles, 58 deg off-nadir and 11 deg above their horizon."""
    poles = [place("north", 0.0, 90.0), place("south", 77.0, -90.0)]
    hold_against_reference(spot_6(60.0), poles, nadir)
    found = search(spot_6(60.0), poles, nadir=nadir)
    for name in ("north", "south"):  # each of 14.58 orbits a day
        assert abs(np.sum(found.request == name) - 3 * 14.58) < 2
    turned = search(spot_6(60.0), [place("north", -123.0, 90.0)], nadir=nadir)
    again = found.take(found.request == "north")
    assert np.allclose(turned.start_s, again.start_s, atol=1e-5)
    assert np.allclose(turned.end_s, again.end_s, atol=1e-5)
    west, east = (search(spot_6(), [place("x", lon, 12.0)], nadir=nadir) for lon in (-180.0, 180.0))
    assert len(west) > 3
    assert np.allclose(west.start_s, east.start_s, atol=1e-6)
    hold_against_reference(
        spot_6(), [place(f"{lon}", lon, 12.0) for lon in (-179.999, 179.999)], nadir
    )


@pytest.mark.parametrize("nadir", ["geodetic", "geocentric"])
@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_a_pass_that_only_grazes_the_limit_is_found(nadir: Nadir, side: float) -> None:
    """The limit lies 1e-5 deg over the least off-nadir of a pass: the window lasts a fraction of a
    second, and it is the one of the formula sqrt(2 x 1e-5 deg / curvature) to either side."""
    for hour in np.linspace(1.3, 70.7, 30):
        t_s = orbit().epoch.seconds(START) + 3600.0 * hour
        request = beside_track(t_s, side * 0.062)
        free = search(spot_6(45.0), [request], t_s - 400, t_s + 400, nadir)
        assert len(free) == 1
        best_s, least = float(free.best_s[0]), math.degrees(free.off_nadir_rad[0])
        assert 25 < least < 40
        found = search(spot_6(least + 1e-5), [request], t_s - 400, t_s + 400, nadir)
        assert len(found) == 1
        length_s = float(found.end_s[0] - found.start_s[0])
        assert 0.05 < length_s < 1.0
        assert found.start_s[0] < best_s < found.end_s[0]
        near = best_s + np.array([-2.0, 0.0, 2.0])
        target = found.line.place(np.array([0.5]))
        before, here, after = np.degrees(look_angles(*orbit().state_itrf(near), target, nadir)[0])
        half_s = math.sqrt(2e-5 / ((before + after - 2 * here) / 4.0))
        assert abs(length_s / 2 - half_s) < 0.02 * half_s
        assert not len(search(spot_6(least - 1e-5), [request], t_s - 400, t_s + 400, nadir))


def test_no_request_has_no_answer() -> None:
    mission, end = spot_6(), START + timedelta(days=1)
    assert len(find_opportunities(mission, [], start=START, end=end, threads=2)) == 0
    assert list(stream_opportunities(mission, [], start=START, end=end)) == []


# Broken orbits -----------------------------------------------------------------------------------


def test_a_satellite_that_decays_in_the_span_is_refused_with_the_day() -> None:
    """SPOT 7 with a drag term that brings it down; `tests/orbit` has elements that never fly."""
    line_1, line_2 = SPOT_TLE.replace(" 26330-3", " 26330+1").splitlines()[4:]
    text = f"{line_1[:-1]}{checksum(line_1)}\n{line_2}"
    falling = TleOrbit(path=Path("spot7.tle"), text=text)
    satellite = replace(spot_6().satellites[0], name="spot-7", orbit=falling)
    mission = replace(spot_6(), satellites=(satellite,))
    with pytest.raises(OrbitError, match=r"'spot-7', \d+\.\d\d days after its elements: "):
        find_opportunities(mission, places(1, 3), start=START, end=START + timedelta(days=15))


def checksum(line: str) -> int:
    return (sum(int(c) for c in line[:-1] if c.isdigit()) + line[:-1].count("-")) % 10


def with_gap(begin_s: float, end_s: float) -> Ephemeris:
    """The orbit without its nodes in a part of it."""
    [whole] = orbit().segments
    parts = (whole.t_s <= begin_s, whole.t_s >= end_s)
    segments = tuple(
        Segment(t_s=whole.t_s[keep], r_itrf=whole.r_itrf[keep], v_itrf=whole.v_itrf[keep],
                a_itrf=whole.a_itrf[keep])
        for keep in parts
    )  # fmt: skip
    return replace(orbit(), segments=segments)


@settings(max_examples=10)
@given(nadir=NADIRS, seed=st.integers(0, 10**6), hour=st.floats(5, 60), tilt_deg=st.floats(10, 45))
def test_a_gap_in_the_orbit_cuts_passes_at_its_edges_and_changes_nothing_else(
    nadir: Nadir, seed: int, hour: float, tilt_deg: float
) -> None:
    gap_s = orbit().epoch.seconds(START) + 3600.0 * hour
    broken = with_gap(gap_s, gap_s + 400.0)
    low, high = broken.segments[0].t_s[-1], broken.segments[1].t_s[0]
    requests = [
        beside_track(float(edge + shift), aside, name=f"{edge - gap_s:.0f} {shift} {aside}")
        for edge in (low, high)
        for shift in (-40.0, -5.0, 0.1, 30.0)
        for aside in (-0.05, 0.01)
    ]
    requests += places(seed, 20)
    mission = spot_6(tilt_deg)
    whole = search(mission, requests, nadir=nadir)
    found = search(mission, requests, nadir=nadir, orbits={"spot-6": broken})
    assert np.all((found.end_s <= low) | (found.start_s >= high))
    wanted = sorted(
        (str(name), max(begin, first), min(end, last))
        for first, last in ((-math.inf, low), (high, math.inf))
        for name, begin, end in zip(whole.request, whole.start_s, whole.end_s, strict=True)
        if min(end, last) > max(begin, first)
    )
    told = sorted(zip(map(str, found.request), found.start_s, found.end_s, strict=True))
    assert [row[0] for row in told] == [row[0] for row in wanted]
    assert np.allclose([row[1:] for row in told], [row[1:] for row in wanted], rtol=0, atol=2e-5)
    apart = whole.take((whole.end_s < low - 1000) | (whole.start_s > high + 1000))
    rows = np.isin(found.opportunity_id, apart.opportunity_id)
    assert same_rows(found.take(rows), apart)
