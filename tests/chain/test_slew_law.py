"""Slews by a measured table or a law of one's own: by hand, planned, and judged by the checker."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray
from humay.chain import planned, survey
from humay.check import check_plan
from humay.errors import MissionError
from humay.mission import (
    Mission,
    Request,
    SlewLaw,
    SlewTable,
    load_mission,
    load_requests,
)
from humay.schedule import Effort
from humay.schedule.slews import Agility, State, fly, slew_phases, slew_time, turn_time
from tests.chain.small import untold
from tests.conftest import REPOSITORY

START = datetime(2026, 6, 3, 6, tzinfo=UTC)
END = START + timedelta(hours=5)
EXAMPLE = REPOSITORY / "examples" / "azersky2"


def table(*rows: tuple[float, float]) -> SlewTable:
    return SlewTable(tuple((math.radians(angle), seconds) for angle, seconds in rows))


MEASURED = table((0, 4), (10, 20), (30, 35), (180, 110))


@dataclass(frozen=True)
class RootLaw:
    """An operator's own law: 2 s, and 30 s for each radian."""

    def turn_s(self, angle_rad: FloatArray) -> FloatArray:
        return np.asarray(2.0 + 30.0 * angle_rad)


def agility(law: SlewLaw | None) -> Agility:
    return Agility(rate_rad_s=math.radians(3), acceleration_rad_s2=math.radians(0.5), law=law)


def about_x(*degrees: float) -> FloatArray:
    return np.array([[math.radians(each), 0.0, 0.0] for each in degrees])


def test_between_rows_a_table_is_straight() -> None:
    assert np.allclose(MEASURED.turn_s(np.radians([0, 5, 10, 20, 105])), [4, 12, 20, 27.5, 72.5])


def test_a_table_without_a_row_at_nothing_begins_at_nothing() -> None:
    given_ = table((10, 20), (180, 110))
    assert np.allclose(given_.turn_s(np.radians([0.0, 1.0, 10.0])), [0.0, 2.0, 20.0])


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ((0, 4), (10, 20)),  # ends before 180
        ((0, 4), (10, 20), (10, 21), (180, 30)),
        ((0, 4), (10, 20), (180, 19)),
        ((-1, 4), (180, 19)),
        ((0, -4), (180, 19)),
        ((180, float("nan")),),
    ],
)
def test_a_table_that_cannot_be_is_refused(rows: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(MissionError, match="expected rows of angle and seconds"):
        table(*rows)


def test_a_turn_takes_what_the_table_says_where_that_is_more() -> None:
    """At 0.5 deg/s2 and 3 deg/s: 2 sqrt(8/0.5) = 8 s for 8 deg, 30/3 + 3/0.5 = 16 s for 30 deg."""
    assert np.allclose(turn_time(about_x(8, 30), agility(None)), [8.0, 16.0])
    assert np.allclose(turn_time(about_x(8, 30), agility(MEASURED)), [16.8, 35.0])
    quick = table((1, 0.5), (180, 20))
    assert np.allclose(turn_time(about_x(8, 30), agility(quick)), [8.0, 16.0])


def test_rates_are_matched_on_top() -> None:
    """A rate of 0.5 deg/s is braked in 1 s, and turns by a quarter of a degree meanwhile."""
    half = math.radians(20.25) / 2
    start = State(attitude=np.array([0.0, 0.0, 0.0, 1.0]), rate_rad_s=np.radians([0.5, 0.0, 0.0]))
    end = State(
        attitude=np.array([math.sin(half), 0.0, 0.0, math.cos(half)]), rate_rad_s=np.zeros(3)
    )
    assert float(slew_time(start, end, agility(MEASURED))) == pytest.approx(1.0 + 27.5)
    phases = slew_phases(start, end, agility(MEASURED), 28.5)
    assert phases[0].duration_s == pytest.approx(1.0)
    assert sum(p.duration_s for p in phases) == pytest.approx(28.5)
    reached = fly(start, phases, np.array([28.5]))[0]
    assert abs(float(reached @ end.attitude)) == pytest.approx(1.0, abs=1e-12)


tables = st.lists(st.tuples(st.floats(0.1, 30), st.floats(0, 60)), min_size=1, max_size=6).map(
    lambda steps: table(
        *(
            (180.0 * float(a) / 180.0, float(s))
            for a, s in zip(
                180.0 * np.cumsum([x for x, _ in steps]) / sum(x for x, _ in steps),
                1e-3 + np.cumsum([y for _, y in steps]),
                strict=True,
            )
        )
    )
)


@given(law=tables, degrees=st.floats(1e-3, 180))
def test_the_law_for_bounds_is_never_slower_than_the_true_one(
    law: SlewTable, degrees: float
) -> None:
    rate, acceleration = agility(law).at_best()
    bound = turn_time(about_x(degrees), Agility(rate_rad_s=rate, acceleration_rad_s2=acceleration))
    assert float(bound[0]) <= float(turn_time(about_x(degrees), agility(law))[0]) + 1e-6


def test_the_law_for_bounds_is_near_a_table_that_is_slow() -> None:
    """180 deg in 180 s: with the last 2 % left to steps, the bound turns at about 1 deg/s."""
    rate, _ = agility(table((0, 5), (180, 180))).at_best()
    assert math.degrees(rate) == pytest.approx(1.0, abs=0.05)


# ---------------------------------------------------------------- in plans


@cache
def world() -> tuple[Mission, tuple[Request, ...]]:
    mission = load_mission(EXAMPLE / "mission.toml")
    mission = replace(mission, satellites=mission.satellites[:1])
    return mission, load_requests(EXAMPLE / "requests.geojson", mission)[:40]


def with_law(law: SlewLaw | None) -> Mission:
    mission = world()[0]
    return replace(mission, satellites=(replace(mission.satellites[0], slew_law=law),))


@cache
def plan_of(law: SlewTable | RootLaw | None) -> dict[str, Any]:
    mission, requests = with_law(law), world()[1]
    found = survey(mission, requests, start=START, end=END, step=untold)
    return planned(
        mission, requests, found, start=START, end=END, release=START, seed=1, step=untold,
        effort=Effort(iterations=300),
    )  # fmt: skip


def turns(plan: dict[str, Any]) -> list[tuple[float, float]]:
    """Angle (deg) and seconds of the turn of each slew: without its first and last phase."""
    [segments] = plan["attitude"].values()
    return [
        (s["angle_deg"], sum(p["duration_s"] for p in s["phases"][1:-1]))
        for s in segments
        if s["mode"] == "slew"
    ]


@pytest.mark.parametrize("law", [MEASURED, RootLaw()])
def test_every_slew_of_a_plan_takes_its_time(law: SlewTable | RootLaw) -> None:
    plan = plan_of(law)
    found = turns(plan)
    assert len(found) > 4
    for angle_deg, seconds in found:
        least = float(law.turn_s(np.radians(np.array(max(angle_deg - 1e-3, 0.0)))))
        assert seconds >= least - 1e-3
    assert plan["objective"]["value"] <= plan_of(None)["objective"]["bound"]


def test_the_checker_finds_slews_that_are_too_quick_for_the_law() -> None:
    plan = plan_of(None)
    found = check_plan(with_law(MEASURED), world()[1], plan)
    assert any(v.code == "slew" and "by the slew law" in v.message for v in found)
    slower = table((0, 4), (10, 20), (30, 36), (180, 112))
    again = check_plan(with_law(slower), world()[1], plan_of(MEASURED))
    assert any(v.code == "slew" and "by the slew law" in v.message for v in again)


def test_a_file_gives_degrees_and_seconds(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    text = (EXAMPLE / "mission.toml").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("slews")
    (folder / "requests.geojson").write_bytes((EXAMPLE / "requests.geojson").read_bytes())

    def load(rows: str) -> Mission:
        path = folder / "mission.toml"
        line = f"slew_table = {rows}\nsettle_s ="
        path.write_text(text.replace("settle_s =", line), encoding="utf-8")
        return load_mission(path)

    law = load("[[0, 4], [10, 20], [180, 110]]").satellites[0].slew_law
    assert isinstance(law, SlewTable)
    assert float(law.turn_s(np.array(math.radians(5)))) == pytest.approx(12.0)
    for rows in ("[[0, 4], [10, 20]]", "[[10, 20], [180]]", '"fast"', "[]"):
        with pytest.raises(MissionError, match=r"slew_table is .*angles rising to 180"):
            load(rows)
