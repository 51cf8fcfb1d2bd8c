"""Links: rates and directions along contacts, against the elevation asked directly."""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from humay.access import Link, find_contacts, find_links
from humay.access.records import Contacts
from humay.arrays import FloatArray
from humay.earth import azimuth_angle, elevation_angle
from humay.mission import Mission
from humay.orbit import Ephemeris, ephemerides
from tests.access.conftest import START
from tests.access.test_contacts import antenna_mission, sight

END = START + timedelta(days=1)
RATES = (
    "rate_by_elevation = [{elevation_deg = 6, rate_mbit_s = 50}, "
    "{elevation_deg = 10, rate_mbit_s = 400}, {elevation_deg = 30, rate_mbit_s = 20}]"
)


def links(mission: Mission) -> tuple[Contacts, tuple[Link, ...], Ephemeris]:
    orbits = ephemerides(mission, START, END)
    contacts = find_contacts(mission, start=START, end=END, orbits=orbits)
    return contacts, find_links(contacts, mission, orbits), orbits["spot-7"]


def elevation_deg(mission: Mission, orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    return np.degrees(elevation_angle(*sight(mission, orbit, t_s)))


def test_rates_change_where_the_satellite_passes_an_elevation(tmp_path: Path) -> None:
    """The satellite sends 300 Mbit/s; 0.1 microseconds at 0.1 deg/s are 1e-8 deg."""
    mission = antenna_mission(tmp_path, station=RATES)
    contacts, found, orbit = links(mission)
    changes = 0
    for i, link in enumerate(found):
        assert (link.edges_s[0], link.edges_s[-1]) == (contacts.start_s[i], contacts.end_s[i])
        inner = elevation_deg(mission, orbit, link.edges_s[1:-1])
        assert np.all(np.min(np.abs(inner[:, None] - [6, 10, 30]), axis=1) < 1e-7)
        middle = elevation_deg(mission, orbit, 0.5 * (link.edges_s[1:] + link.edges_s[:-1]))
        expected = np.select([middle < 6, middle < 10, middle < 30], [0.0, 50e6, 300e6], 20e6)
        assert np.array_equal(link.rate_bit_s, expected)
        changes += len(inner)
    assert changes > 12


def test_the_volume_of_a_contact_is_the_sum_along_its_link(tmp_path: Path) -> None:
    contacts, found, _ = links(antenna_mission(tmp_path, station=RATES))
    volume = [float(link.rate_bit_s @ np.diff(link.edges_s)) for link in found]
    assert volume == pytest.approx(contacts.volume_bit.tolist(), rel=1e-12)


@pytest.mark.parametrize("more", ["", RATES])
def test_nothing_comes_down_in_the_keyhole(tmp_path: Path, more: str) -> None:
    """Above 25 deg; so the third step, from 30 deg on, is never reached."""
    mission = antenna_mission(tmp_path, station=f"max_elevation_deg = 25\n{more}")
    contacts, found, orbit = links(mission)
    high = 0
    for link in found:
        middle = elevation_deg(mission, orbit, 0.5 * (link.edges_s[1:] + link.edges_s[:-1]))
        assert np.all((link.rate_bit_s == 0) == ((middle > 25) | (bool(more) & (middle < 6))))
        high += int(np.count_nonzero(middle > 25))
    assert high == np.count_nonzero(contacts.max_elevation_rad > math.radians(25)) >= 1


def test_the_antenna_follows_the_satellite_second_by_second(tmp_path: Path) -> None:
    mission = antenna_mission(tmp_path)
    contacts, found, orbit = links(mission)
    for i, link in enumerate(found):
        line, up = sight(mission, orbit, link.t_s)
        assert (link.t_s[0], link.t_s[-1]) == (contacts.start_s[i], contacts.end_s[i])
        assert np.all(np.diff(link.t_s) <= 1.0)
        assert np.allclose(link.elevation_rad, elevation_angle(line, up), rtol=0, atol=1e-9)
        off = np.remainder(link.azimuth_rad - azimuth_angle(line, up) + np.pi, 2 * np.pi) - np.pi
        assert np.max(np.abs(off)) < 1e-9
        assert np.max(np.abs(np.diff(link.azimuth_rad))) < 0.2  # no jump over north


def test_links_follow_what_is_left_of_contacts(tmp_path: Path) -> None:
    """Cut contacts, for instance those of a file, have shorter links."""
    mission = antenna_mission(tmp_path, station=RATES)
    contacts, whole, orbit = links(mission)
    cut = contacts.within(float(contacts.best_s[1]), contacts.span_s[1])
    [first, *rest] = find_links(cut, mission, {"spot-7": orbit})
    assert first.edges_s[0] == contacts.best_s[1]
    inside = whole[1].edges_s[whole[1].edges_s > contacts.best_s[1]]
    assert np.allclose(first.edges_s[1:], inside, rtol=0, atol=1e-6)
    assert len(rest) == len(whole) - 2
