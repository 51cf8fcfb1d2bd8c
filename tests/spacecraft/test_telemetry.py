"""Memory and battery in flight: balances that close, and the plan's curves from other code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray
from humay.mission import Mission, Power
from humay.orbit import Ephemeris
from humay.spacecraft import Flight, Telemetry, fly
from humay.spacecraft.telemetry import battery_j
from humay.time import parse_utc
from tests.check.valid_plan import MISSION, power
from tests.spacecraft.conftest import SEED

BATTERY_WH = 200.0


def curve(flight: Flight, plan: dict[str, Any], name: str, key: str) -> tuple[FloatArray, ...]:
    """Times and values of a resource curve of the plan."""
    stated = plan["resources"][name]
    t_s = np.array([flight.epoch.seconds(parse_utc(text)) for text in stated["time"]])
    return t_s, np.array(stated[key])


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_without_errors_memory_is_that_of_the_plan(
    name: str, exact_flight: Flight, plan: dict[str, Any]
) -> None:
    telemetry = exact_flight.telemetry[name]
    t_s, gbit = curve(exact_flight, plan, name, "memory_gbit")
    flown = np.interp(t_s, telemetry.t_s, telemetry.memory_bit) / 1e9
    assert np.abs(flown - gbit).max() < 1e-3


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_without_errors_the_battery_is_that_of_the_plan(
    name: str, exact_flight: Flight, plan: dict[str, Any]
) -> None:
    """The plan's curve was integrated by other code; both agree to 0.1 % of the capacity."""
    telemetry = exact_flight.telemetry[name]
    assert telemetry.battery_j is not None
    t_s, wh = curve(exact_flight, plan, name, "battery_wh")
    flown = np.interp(t_s, telemetry.t_s, telemetry.battery_j) / 3600
    assert np.abs(flown - wh).max() < 0.001 * BATTERY_WH


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_without_errors_eclipses_are_those_of_the_plan(
    name: str, exact_flight: Flight, plan: dict[str, Any]
) -> None:
    found = [
        (e.start_s, e.end_s) for e in exact_flight.telemetry[name].events if e.kind == "eclipse"
    ]
    stated = [
        [exact_flight.epoch.seconds(parse_utc(span[key])) for key in ("start", "end")]
        for span in plan["eclipses"][name]
    ]
    assert np.abs(np.array(found) - np.array(stated)).max() < 0.1


@pytest.mark.parametrize("name", ["alpha", "beta"])
def test_what_came_in_went_somewhere(name: str, flight: Flight) -> None:
    telemetry = flight.telemetry[name]
    energy, charge = telemetry.energy, telemetry.battery_j
    assert energy is not None
    assert charge is not None
    balance = energy.gained_j - energy.spent_j - energy.spilled_j
    assert charge[-1] - charge[0] == pytest.approx(balance, abs=1e-6 * energy.gained_j)
    assert energy.lowest_j <= charge.min() + 1e-6


def test_loads_are_added_up_by_hand(flight: Flight, plan: dict[str, Any]) -> None:
    """Alpha over three hours: 120 W always, 80 W imaging, 60 W sending, 40 W slewing, settling."""

    def lasting(entries: list[dict[str, Any]]) -> float:
        return sum((parse_utc(e["end"]) - parse_utc(e["start"])).total_seconds() for e in entries)

    own = {
        key: [e for e in plan[key] if e["satellite"] == "alpha"]
        for key in ("acquisitions", "downlinks")
    }
    turning = [s for s in plan["attitude"]["alpha"] if s["mode"] in ("slew", "settle")]
    joules = (
        120 * 3 * 3600
        + 80 * lasting(own["acquisitions"])
        + 60 * lasting(own["downlinks"])
        + 40 * lasting(turning)
    )
    energy = flight.telemetry["alpha"].energy
    assert energy is not None
    assert energy.spent_j == pytest.approx(joules, abs=0.1)


@given(
    gains=st.lists(st.floats(0, 400), min_size=4, max_size=40),
    initial=st.floats(0.4, 1.0),
    step_s=st.floats(1.0, 4000.0),
)
def test_a_full_battery_takes_no_more(gains: list[float], initial: float, step_s: float) -> None:
    """Against the plain way: one step after the other, what exceeds the capacity thrown away."""
    watts: Power = replace(power((0.0, 0.0, -1.0)), initial_charge=initial)
    t_s: FloatArray = np.asarray(step_s * np.arange(len(gains)), dtype=np.float64)
    used_w: FloatArray = np.linspace(50.0, 260.0, len(gains) - 1, dtype=np.float64)
    charge, energy = battery_j(watts, t_s, np.array(gains), used_w)
    plain, lost = [initial * watts.battery_j], 0.0
    for i in range(len(gains) - 1):
        free = plain[-1] + ((gains[i] + gains[i + 1]) / 2 - used_w[i]) * step_s
        plain.append(min(free, watts.battery_j))
        lost += free - plain[-1]
    assert np.allclose(charge, plain, rtol=0, atol=1e-5)
    assert energy.spilled_j == pytest.approx(lost, abs=1e-5)
    assert charge.max() <= watts.battery_j * (1 + 1e-12)


def test_the_sun_sets_before_the_panels_stop(flight: Flight) -> None:
    """Light falls from 1 to 0 and back through each eclipse, and its events frame it."""
    for telemetry in flight.telemetry.values():
        spans = [(e.start_s, e.end_s) for e in telemetry.events if e.kind == "eclipse"]
        assert spans
        inside = np.zeros(len(telemetry.t_s), dtype=bool)
        for start, end in spans:
            inside |= (telemetry.t_s > start + 0.01) & (telemetry.t_s < end - 0.01)
        assert np.all(telemetry.sunlit[inside] < 1)
        assert np.mean(telemetry.sunlit[inside] == 0) > 0.8
        edges = np.isin(telemetry.t_s, np.array(spans))
        assert np.all(telemetry.sunlit[~inside & ~edges] == 1)


def limited(mission: Mission, **change: Any) -> Mission:
    first, *rest = mission.satellites
    return replace(mission, satellites=(replace(first, **change), *rest))


def limits_told(telemetry: Telemetry) -> list[str]:
    return [event.text for event in telemetry.events if event.kind == "limit"]


def test_a_flight_within_its_limits_says_nothing(flight: Flight) -> None:
    assert not limits_told(flight.telemetry["alpha"])


def test_limits_that_are_broken_are_told(
    plan: dict[str, Any], orbits: Mapping[str, Ephemeris]
) -> None:
    """The plan carried out by a satellite that holds less than it was planned for."""
    hungry = replace(power((0.0, 0.0, -1.0)), platform_w=160)
    small = limited(MISSION, memory_bit=20.1e9, power=hungry)
    flown = fly(small, plan, orbits, seed=SEED).telemetry["alpha"]
    told = limits_told(flown)
    assert "memory over 20.1 Gbit" in told
    assert "battery below its floor of 80 Wh" in told
    assert flown.energy is not None
    assert 0 < flown.energy.lowest_j < 80 * 3600  # below its floor, and not yet empty
    empty = limited(MISSION, memory_used_bit=0.0)
    told = limits_told(fly(empty, plan, orbits, seed=SEED).telemetry["alpha"])
    assert told == ["memory sent that was not there"]


def test_a_satellite_without_a_power_table_has_no_battery(
    plan: dict[str, Any], orbits: Mapping[str, Ephemeris]
) -> None:
    telemetry = fly(limited(MISSION, power=None), plan, orbits, seed=SEED).telemetry["alpha"]
    assert telemetry.battery_j is None
    assert telemetry.energy is None


def test_acts_are_events(flight: Flight, plan: dict[str, Any]) -> None:
    for name, telemetry in flight.telemetry.items():
        for mode in ("slew", "settle", "image"):
            stated = [s for s in plan["attitude"][name] if s["mode"] == mode]
            assert len([e for e in telemetry.events if e.kind == mode]) == len(stated)
        sent = [d for d in plan["downlinks"] if d["satellite"] == name]
        assert len([e for e in telemetry.events if e.kind == "downlink"]) == len(sent)
        starts = [event.start_s for event in telemetry.events]
        assert starts == sorted(starts)
