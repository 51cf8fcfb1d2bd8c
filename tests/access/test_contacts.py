"""Contacts against STK, masks against sampling, columns against their definitions."""

from __future__ import annotations

import csv
import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from humay.access import find_contacts
from humay.access.records import Contacts
from humay.access.tables.contacts import contacts_from_table, contacts_table
from humay.arrays import FloatArray, norm
from humay.earth import azimuth_angle, elevation_angle, itrf_from_geodetic, up_at
from humay.mission import Mission, load_mission
from humay.orbit import Ephemeris, Segment, ephemerides
from humay.time import parse_utc
from tests.access.conftest import START, mission_file, satellite_text

POLAR_TLE = """POLAR
1 00001U          20001.00000000  .00000000  00000-0  00000-0 0    07
2 00001  90.0000   0.0000 0010000   0.0000   0.0000 15.21936719    07
"""
SVALBARD = """
[station.svalbard]
lon_deg = 15.396518
lat_deg = 78.230306
height_m = 0.0
min_elevation_deg = 0.0
"""


def test_the_day_over_svalbard_is_that_of_stk(tmp_path: Path, data_dir: Path) -> None:
    """15 passes computed by STK (brahe's validation case), elevation mask 0: within 0.1 s."""
    (tmp_path / "polar.tle").write_text(POLAR_TLE)
    mission = load_mission(
        mission_file(tmp_path, satellite_text("polar", 'tle = "polar.tle"'), SVALBARD)
    )
    day = datetime(2020, 1, 1, tzinfo=UTC)
    found = find_contacts(mission, start=day, end=day + timedelta(days=1))
    with (data_dir / "orbits" / "stk_svalbard_2020-01-01.csv").open() as file:
        published = [
            (parse_utc(r["start_utc"]), parse_utc(r["end_utc"])) for r in csv.DictReader(file)
        ]
    assert len(found) == len(published) == 15
    for (rise, fall), start_s, end_s in zip(published, found.start_s, found.end_s, strict=True):
        assert abs(found.epoch.seconds(rise) - start_s) < 0.1
        assert abs(found.epoch.seconds(fall) - end_s) < 0.1


MASKED = """
[station.valley]
lon_deg = 49.87
lat_deg = 40.41
height_m = 1200.0
min_elevation_deg = 3.0
mask = [{azimuth_deg = 40, elevation_deg = 4}, {azimuth_deg = 60, elevation_deg = 25}, {azimuth_deg = 80, elevation_deg = 3}, {azimuth_deg = 280, elevation_deg = 2}, {azimuth_deg = 300, elevation_deg = 30}, {azimuth_deg = 320, elevation_deg = 5}]
"""  # noqa: E501


def test_a_mask_by_azimuth_splits_passes_where_sampling_says(tmp_path: Path) -> None:
    """Mountains to the east and west split passes; edges within 1 ms of 0.5 s sampling, refined."""
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-7"), MASKED))
    end = START + timedelta(days=4)
    found = find_contacts(mission, start=START, end=end)
    ephemeris = ephemerides(mission, START, end)["spot-7"]
    station = itrf_from_geodetic(np.radians(49.87), np.radians(40.41), np.array(1200.0))
    up = up_at(station)
    azimuths = np.radians([-40, 40, 60, 80, 280, 300, 320, 400])
    elevations = np.radians([5, 4, 25, 3, 2, 30, 5, 4])

    def margin(t: np.ndarray) -> np.ndarray:
        sight = ephemeris.position_itrf(t) - station
        azimuth = azimuth_angle(sight, np.broadcast_to(up, sight.shape))
        mask = np.maximum(np.interp(azimuth, azimuths, elevations), np.radians(3))
        return elevation_angle(sight, up) - mask

    t = ephemeris.epoch.seconds(START) + np.arange(0, 4 * 86_400, 0.5)
    inside = margin(t) >= 0
    edges = []
    for i in np.flatnonzero(inside[1:] != inside[:-1]):
        low, high = t[i], t[i + 1]
        for _ in range(20):
            middle = 0.5 * (low + high)
            same = (margin(np.array([middle]))[0] >= 0) == inside[i]
            low, high = (middle, high) if same else (low, middle)
        edges.append(0.5 * (low + high))
    assert len(found) == len(edges) // 2 > 12
    assert np.allclose(found.start_s, edges[0::2], rtol=0, atol=1e-3)
    assert np.allclose(found.end_s, edges[1::2], rtol=0, atol=1e-3)
    orbits = [str(name).split(":")[1] for name in found.contact_id]
    assert any("." in orbit for orbit in orbits)  # one pass was split in two


def test_spot_6_and_7_never_meet_over_baku(tmp_path: Path) -> None:
    """`orbits/README.md` of the test data: five contacts a satellite and day with a 5 deg mask, and
    never both within 45 minutes."""
    baku = (
        SVALBARD.replace("15.396518", "49.87")
        .replace("78.230306", "40.41")
        .replace("= 0.0", "= 5.0")
    )
    mission = load_mission(
        mission_file(tmp_path, satellite_text("spot-6") + satellite_text("spot-7"), baku)
    )
    found = find_contacts(mission, start=START, end=START + timedelta(days=5))
    assert 4.5 <= len(found) / 10 <= 5.5
    middle_s = 0.5 * (found.start_s + found.end_s)
    six, seven = (middle_s[found.satellite == name] for name in ("spot-6", "spot-7"))
    assert np.min(np.abs(six[:, None] - seven[None, :])) > 45 * 60


# Any orbit, any mask ------------------------------------------------------------------------------

MOLNIYA = """MOLNIYA
1 00001U          19305.00000000  .00000000  00000-0  00000-0 0    02
2 00001  63.4000  50.0000 7000000 270.0000   0.0000  2.00600000    05
"""
GEOSTATIONARY = """STILL
1 00001U          19305.00000000  .00000000  00000-0  00000-0 0    02
2 00001   0.0500   0.0000 0001000   0.0000  89.6000  1.00270000    02
"""
LOW_ORBIT = (
    'sun_synchronous = {{altitude_km = {:.3f}, local_time = "10:30", phase_deg = {:.3f}, '
    "epoch = 2019-11-01T00:00:00Z}}"
)
ANTENNA = """
[station.antenna]
lon_deg = {:.6f}
lat_deg = {:.6f}
height_m = 120.0
min_elevation_deg = {:.9f}
{}
"""
DAY = START + timedelta(days=1)


def antenna_mission(
    folder: Path,
    orbit: str = 'tle = "spot67.tle"',
    *,
    lon_deg: float = 49.87,
    lat_deg: float = 40.41,
    least_deg: float = 5.0,
    station: str = "",
    satellite: str = "",
) -> Mission:
    """One satellite, one station (in Baku), with further keys of either."""
    (folder / "molniya.tle").write_text(MOLNIYA)
    (folder / "still.tle").write_text(GEOSTATIONARY)
    text = satellite_text("spot-7", orbit, more=satellite)
    antenna = ANTENNA.format(lon_deg, lat_deg, least_deg, station)
    return load_mission(mission_file(folder, text, antenna))


def mask_text(points: list[tuple[float, float]]) -> str:
    """The key of a mask given in degrees."""
    rows = [f"{{azimuth_deg = {a:.6f}, elevation_deg = {e:.6f}}}" for a, e in sorted(points)]
    return f"mask = [{', '.join(rows)}]"


def sight(mission: Mission, orbit: Ephemeris, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """From the only station to the satellite (n, 3), and the station's up, likewise."""
    (station,) = mission.stations
    place = itrf_from_geodetic(
        np.array(station.lon_rad), np.array(station.lat_rad), np.array(station.height_m)
    )
    line = orbit.position_itrf(t_s) - place
    return line, np.broadcast_to(up_at(place), line.shape)


def over_mask(mission: Mission, orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Elevation (n,) over the horizon in use."""
    line, up = sight(mission, orbit, t_s)
    horizon = mission.stations[0].horizon_rad(azimuth_angle(line, up))
    return np.asarray(elevation_angle(line, up) - horizon)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orbit=st.one_of(
        st.just('tle = "molniya.tle"'),
        st.builds(LOW_ORBIT.format, st.floats(300, 2000), st.floats(0, 360)),
    ),
    lon_deg=st.floats(-180, 180),
    lat_deg=st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 81.0, 90.0])),
    least_deg=st.floats(-10, 30),
    mask=st.lists(
        st.tuples(st.integers(0, 359_999_999).map(lambda a: a / 1e6), st.floats(-9, 89)),
        max_size=9,
        unique_by=lambda point: point[0],
    ),
)
@example(  # a wall a millionth of a degree thin in the north, where passes come by all day
    orbit=LOW_ORBIT.format(600, 0),
    lon_deg=15.0,
    lat_deg=78.0,
    least_deg=0.0,
    mask=[(0.0, 70.0), (0.000001, -5.0), (180.0, 20.0), (359.999999, -5.0)],
)
def test_contacts_are_those_of_sampling_whatever_the_mask(
    tmp_path: Path,
    orbit: str,
    lon_deg: float,
    lat_deg: float,
    least_deg: float,
    mask: list[tuple[float, float]],
) -> None:
    """Every 0.05 s of half a day: no lobe of that length is missed, none is invented."""
    mission = antenna_mission(
        tmp_path, orbit,
        lon_deg=lon_deg, lat_deg=lat_deg, least_deg=least_deg, station=mask_text(mask),
    )  # fmt: skip
    end = START + timedelta(hours=12)
    orbits = ephemerides(mission, START, end)
    found = find_contacts(mission, start=START, end=end, orbits=orbits)
    assert np.all(found.start_s[1:] > found.end_s[:-1])
    middle_s = 0.5 * (found.start_s + found.end_s)
    assert np.all(over_mask(mission, orbits["spot-7"], middle_s) > -1e-9)
    for t_s in np.array_split(np.arange(*found.span_s, 0.05), 50):
        if elevation_angle(*sight(mission, orbits["spot-7"], t_s[[0, -1]])).max() < -np.pi / 3:
            continue  # nothing so deep below comes up within seven minutes
        margin = over_mask(mission, orbits["spot-7"], t_s)
        begun = np.searchsorted(found.start_s, t_s, side="right")
        inside = np.greater(begun, np.searchsorted(found.end_s, t_s, side="left"))
        clear = np.abs(margin) > 1e-8
        assert np.array_equal(inside[clear], margin[clear] > 0)


def test_a_pass_under_a_second_is_found(tmp_path: Path) -> None:
    """With the least elevation a hair under the highest of a pass, what is left of it is short."""
    mission = antenna_mission(tmp_path)
    orbits = ephemerides(mission, START, DAY)
    every = find_contacts(mission, start=START, end=DAY, orbits=orbits)
    lengths = []
    for best_s, top in zip(every.best_s, every.max_elevation_rad, strict=True):
        higher = antenna_mission(tmp_path, least_deg=math.degrees(top) - 2e-7)
        found = find_contacts(higher, start=START, end=DAY, orbits=orbits)
        (row,) = np.flatnonzero((found.start_s < best_s) & (best_s < found.end_s))
        lengths.append(found.duration_s[row])
        lower = antenna_mission(tmp_path, least_deg=math.degrees(top) + 2e-7)
        found = find_contacts(lower, start=START, end=DAY, orbits=orbits)
        assert not np.any((found.start_s < best_s) & (best_s < found.end_s))
    assert len(lengths) >= 4
    assert 0 < min(lengths) <= max(lengths) < 1.0


# Spans and segments -------------------------------------------------------------------------------


def equal(a: Contacts, b: Contacts) -> bool:
    """Whether all columns are the same to the last bit."""
    names = [field.name for field in fields(Contacts) if field.name not in ("epoch", "span_s")]
    return all(
        np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
        for x, y in ((getattr(a, name), getattr(b, name)) for name in names)
    )


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before_s=st.floats(1, 40_000), after_s=st.floats(1, 40_000))
def test_starting_earlier_or_ending_later_changes_no_bit(
    tmp_path: Path, before_s: float, after_s: float
) -> None:
    mask = mask_text([(40, 4), (60, 25), (80, 3), (280, 2), (300, 30), (320, 5)])
    mission = antenna_mission(tmp_path, station=mask, satellite="downlink_hz = 8.2e9")
    short = find_contacts(mission, start=START, end=DAY)
    long = find_contacts(
        mission,
        start=START - timedelta(seconds=before_s),
        end=DAY + timedelta(seconds=after_s),
    )
    inside = (long.start_s > short.span_s[0]) & (long.end_s < short.span_s[1])
    uncut = (short.start_s > short.span_s[0]) & (short.end_s < short.span_s[1])
    assert np.count_nonzero(uncut) > 3
    names = {"contact_id": short.take(uncut).contact_id}  # `.2` counts from the span's beginning
    assert equal(replace(long.take(inside), **names), short.take(uncut))


def test_a_station_among_many_has_the_contacts_it_has_alone(tmp_path: Path) -> None:
    mission = antenna_mission(tmp_path)
    alone = find_contacts(mission, start=START, end=DAY)
    (station,) = mission.stations
    others = [
        replace(station, name=f"s{i}", lon_rad=station.lon_rad + 0.1 * i) for i in range(1, 9)
    ]
    among = find_contacts(
        replace(mission, stations=(*others[:4], station, *others[4:])), start=START, end=DAY
    )
    assert len(among) > 8 * len(alone)
    assert equal(among.take(among.station == station.name), alone)


def pieces(orbit: Ephemeris, *cuts: tuple[int, int]) -> Ephemeris:
    """An orbit that is known only from one node to another, several times."""
    (whole,) = orbit.segments
    segments = [
        Segment(
            t_s=whole.t_s[a : b + 1],
            r_itrf=whole.r_itrf[a : b + 1],
            v_itrf=whole.v_itrf[a : b + 1],
            a_itrf=whole.a_itrf[a : b + 1],
        )
        for a, b in cuts
    ]
    return replace(orbit, segments=tuple(segments))


def test_a_gap_in_the_orbit_cuts_a_pass_even_at_its_middle(tmp_path: Path) -> None:
    """The orbit is unknown from 90 s before the first pass is highest to 90 s after, then from
    just before the second: neither has its closest approach inside a segment."""
    mission = antenna_mission(tmp_path)
    orbit = ephemerides(mission, START, DAY)["spot-7"]
    whole = find_contacts(mission, start=START, end=DAY, orbits={"spot-7": orbit})
    nodes = orbit.segments[0].t_s
    first, second = np.searchsorted(nodes, whole.best_s[:2])
    cut = pieces(orbit, (0, first - 2), (first + 2, second - 1))
    found = find_contacts(mission, start=START, end=DAY, orbits={"spot-7": cut})
    edges_s = [
        whole.start_s[0], nodes[first - 2], nodes[first + 2], whole.end_s[0],
        whole.start_s[1], nodes[second - 1],
    ]  # fmt: skip
    assert np.stack([found.start_s, found.end_s], axis=-1).ravel().tolist() == edges_s
    assert found.best_s.tolist() == [edges_s[1], edges_s[2], edges_s[5]]  # nearest to the middle
    assert np.all(np.diff([nodes[first - 2], whole.best_s[0], nodes[first + 2]]) > 60)


def test_segments_that_touch_leave_a_pass_whole(tmp_path: Path) -> None:
    mission = antenna_mission(tmp_path)
    orbit = ephemerides(mission, START, DAY)["spot-7"]
    whole = find_contacts(mission, start=START, end=DAY, orbits={"spot-7": orbit})
    middle = int(np.searchsorted(orbit.segments[0].t_s, whole.best_s[0]))
    halves = pieces(orbit, (0, middle), (middle, len(orbit.segments[0].t_s) - 1))
    assert equal(find_contacts(mission, start=START, end=DAY, orbits={"spot-7": halves}), whole)


# Columns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("least_deg", [5.0, -10.0])
def test_columns_are_what_the_way_through_a_contact_shows(tmp_path: Path, least_deg: float) -> None:
    """Every 0.05 s of every contact, Doppler -f/c from differences of the range. Below the horizon
    its extremes lie inside the contact."""
    mission = antenna_mission(tmp_path, least_deg=least_deg, satellite="downlink_hz = 8.2e9")
    orbits = ephemerides(mission, START, DAY)
    found = find_contacts(mission, start=START, end=DAY, orbits=orbits)
    assert len(found) >= 4
    for i in range(len(found)):
        t_s = np.linspace(found.start_s[i], found.end_s[i], math.ceil(found.duration_s[i] / 0.05))
        line, up = sight(mission, orbits["spot-7"], t_s)
        elevation, azimuth, distance = (
            elevation_angle(line, up),
            azimuth_angle(line, up),
            norm(line),
        )
        rate = np.diff(distance) / np.diff(t_s)
        best = int(np.argmax(elevation))
        assert abs(found.best_s[i] - t_s[best]) <= 0.05
        assert 0 <= found.max_elevation_rad[i] - elevation[best] < 1e-7
        for stated, true in (
            (found.azimuth_start_rad[i], azimuth[0]),
            (found.azimuth_best_rad[i], azimuth[best]),
            (found.azimuth_end_rad[i], azimuth[-1]),
        ):
            assert abs(math.remainder(stated - true, 2 * math.pi)) < 2e-3
        assert abs(found.range_start_m[i] - distance[0]) < 1e-6
        assert abs(found.range_end_m[i] - distance[-1]) < 1e-6
        assert 0 <= distance.min() - found.range_min_m[i] < 0.1
        assert abs(found.range_rate_start_m_s[i] - rate[0]) < 0.5
        assert abs(found.range_rate_end_m_s[i] - rate[-1]) < 0.5
        assert abs(found.doppler_max_hz[i] + 8.2e9 / 299_792_458 * rate.min()) < 15.0
        assert abs(found.doppler_min_hz[i] + 8.2e9 / 299_792_458 * rate.max()) < 15.0
    at_start_hz = -8.2e9 / 299_792_458 * found.range_rate_start_m_s
    assert (np.max(found.doppler_max_hz - at_start_hz) > 100.0) == (least_deg < 0)


def test_without_a_carrier_there_is_no_doppler_shift(tmp_path: Path) -> None:
    found = find_contacts(antenna_mission(tmp_path), start=START, end=DAY)
    assert np.all(np.isnan(found.doppler_max_hz) & np.isnan(found.doppler_min_hz))


RATES = (
    "rate_by_elevation = [{elevation_deg = 6, rate_mbit_s = 50}, "
    "{elevation_deg = 10, rate_mbit_s = 400}, {elevation_deg = 30, rate_mbit_s = 20}]"
)


def test_the_volume_is_the_rate_times_the_time_between_steps(tmp_path: Path) -> None:
    """How long a contact is above each step is what a station with that least elevation sees. The
    satellite sends 300 Mbit/s, less than the second step; the third is for a dish that cannot
    follow so high."""
    mission = antenna_mission(tmp_path, station=RATES)
    orbits = ephemerides(mission, START, DAY)
    found = find_contacts(mission, start=START, end=DAY, orbits=orbits)
    volume_bit = np.zeros(len(found))
    for step_deg, more_bit_s in ((6, 50e6), (10, 250e6), (30, -280e6)):
        higher = antenna_mission(tmp_path, least_deg=step_deg)
        above = find_contacts(higher, start=START, end=DAY, orbits=orbits)
        row = np.searchsorted(found.end_s, above.start_s)
        np.add.at(volume_bit, row, more_bit_s * above.duration_s)
    assert np.count_nonzero(found.max_elevation_rad > math.radians(30)) >= 1
    assert np.allclose(found.volume_bit, volume_bit, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("station", "rate_bit_s"),
    [
        ("", 300e6),
        ("downlink_mbit_s = 120.0", 120e6),
        ("downlink_mbit_s = 800.0", 300e6),
        ("downlink = false", 0.0),
    ],
)
def test_the_slower_end_of_the_link_counts(tmp_path: Path, station: str, rate_bit_s: float) -> None:
    found = find_contacts(antenna_mission(tmp_path, station=station), start=START, end=DAY)
    assert len(found) >= 4
    assert np.allclose(found.volume_bit, rate_bit_s * found.duration_s, rtol=1e-12, atol=0)


def test_a_cut_pass_keeps_only_what_is_still_true(tmp_path: Path) -> None:
    mission = antenna_mission(tmp_path, satellite="downlink_hz = 8.2e9")
    found = find_contacts(mission, start=START, end=DAY)
    cut = found.within(found.best_s[0], found.end_s[1] + 1)
    assert len(cut) == 2
    assert cut.start_s[0] == found.best_s[0]
    for name in ("azimuth_start_rad", "range_start_m", "range_rate_start_m_s", "volume_bit"):
        assert np.isnan(getattr(cut, name)).tolist() == [True, False]
    assert np.array_equal(cut.range_end_m, found.range_end_m[:2])
    assert np.array_equal(cut.max_elevation_rad, found.max_elevation_rad[:2])


def test_a_mission_without_stations_has_no_contacts(tmp_path: Path) -> None:
    mission = replace(antenna_mission(tmp_path, satellite="downlink_hz = 8.2e9"), stations=())
    assert len(find_contacts(mission, start=START, end=DAY)) == 0


def test_a_satellite_that_stands_still_is_in_contact_all_the_time(tmp_path: Path) -> None:
    """A geostationary one over 50 deg east, 6.611 Earth radii out, stands 40.4 deg from Baku on the
    sphere: its elevation is atan((cos 40.4 - 1/6.611) / sin 40.4) = 43.3 deg."""
    mission = antenna_mission(tmp_path, 'tle = "still.tle"')
    found = find_contacts(mission, start=START, end=DAY)
    assert found.duration_s.tolist() == [86_400.0]
    assert abs(math.degrees(found.max_elevation_rad[0]) - 43.3) < 0.5


def test_the_table_holds_what_the_record_holds(tmp_path: Path) -> None:
    mission = antenna_mission(tmp_path, station=RATES)
    found = find_contacts(mission, start=START, end=DAY)
    table = contacts_table(found)
    assert table["doppler_max_hz"].null_count == len(found)
    back = contacts_from_table(table, found.epoch, where="table")
    for field in fields(Contacts):
        old, new = getattr(found, field.name), getattr(back, field.name)
        if isinstance(old, np.ndarray) and old.dtype.kind == "f":
            assert np.allclose(new, old, rtol=1e-12, atol=1e-6, equal_nan=True), field.name
        else:
            assert np.array_equal(new, old), field.name
