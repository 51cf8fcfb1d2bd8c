"""Memory that is free only after acknowledged reception: when, by which pass, never too full."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.check import check_plan, verdict
from humay.errors import MissionError
from humay.mission import Mission, Outage
from humay.schedule import Effort, plan_document
from humay.schedule.acknowledged import FREE_S, freed, uplink_after
from humay.schedule.ground import Pass, Stretch
from humay.schedule.resources import Recording, Sending, memory_curve, send_all
from humay.spacecraft.orders import read_orders
from humay.spacecraft.telemetry import memory_bit
from humay.time import Epoch, parse_utc
from tests.schedule.random_problems import GREEDY, Problem, plan_of, random_problem

SEED = 1  # one satellite whose plan has acquisitions and several passes
HORIZON_S = 400.0


def booked(name: str, start_s: float, end_s: float, uplink: bool = True) -> Pass:
    return Pass(
        pass_id=name, station="s", satellite="a", start_s=start_s, end_s=end_s,
        contact_start_s=start_s, contact_end_s=end_s, max_elevation_rad=1.0, uplink=uplink,
        stretches=(Stretch(start_s=start_s, end_s=end_s, bit_s=1.0),),
    )  # fmt: skip


# Which pass acknowledges which --------------------------------------------------------------------


def told(passes: list[Pass], after_s: float = 0.0) -> list[str | None]:
    uplinks = [uplink_after(p.end_s, passes, after_s) for p in passes]
    return [None if p is None else p.pass_id for p in uplinks]


def test_the_next_pass_with_uplink_acknowledges_wherever_it_is() -> None:
    passes = [booked("a", 0, 10), booked("b", 20, 30, uplink=False), booked("c", 40, 50)]
    assert told(passes) == ["c", "c", None]


def test_back_to_back_passes_acknowledge_each_other_unless_the_ground_needs_time() -> None:
    passes = [booked("a", 0, 10), booked("b", 10, 20), booked("c", 20, 30)]
    assert told(passes) == ["b", "c", None]
    assert told(passes, after_s=0.5) == ["c", None, None]


def test_a_pass_that_overlaps_the_one_before_does_not_know_what_that_received() -> None:
    passes = [booked("a", 0, 10), booked("b", 5, 15), booked("c", 12, 14)]
    assert told(passes) == ["c", None, None]  # c ends first of those that begin after 10


def test_without_uplink_nothing_is_ever_freed() -> None:
    passes = [booked("a", 0, 10, uplink=False), booked("b", 20, 30, uplink=False)]
    assert told(passes) == [None, None]
    sent = send_all(
        [Recording(acquisition="x", start_s=-2.0, end_s=-1.0, bits=5.0)],
        [Sending(pass_id="a", station="s", start_s=0.0, end_s=10.0, bit_s=1.0)],
    )
    [never] = freed(sent, (), {"a": None})
    assert (never.uplink, never.start_s, never.bits) == (None, math.inf, 5.0)


# Against a simulation -----------------------------------------------------------------------------

EDGES = st.lists(st.integers(0, 400), min_size=2, max_size=16, unique=True).map(sorted)


@given(
    edges=EDGES,
    uplinks=st.lists(st.booleans(), min_size=8, max_size=8),
    acts=st.lists(st.tuples(st.integers(0, 380), st.integers(1, 20)), max_size=8),
    after_s=st.sampled_from([0.0, 1.0, 70.0]),
)
def test_the_curve_is_that_of_a_memory_simulated_second_by_second(
    edges: list[int], uplinks: list[bool], acts: list[tuple[int, int]], after_s: float
) -> None:
    """Every second: add a bit while an image is taken; when a pass with uplink ends, take out all
    that went down in passes over by `after_s` when it began."""
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    passes = [
        booked(f"p{i}", float(low), float(high), uplinks[i]) for i, (low, high) in enumerate(spans)
    ]
    recordings = [
        Recording(acquisition=str(i), start_s=float(low), end_s=float(low + n), bits=float(n))
        for i, (low, n) in enumerate(acts)
    ]
    sendings = [
        Sending(pass_id=p.pass_id, station="s", start_s=p.start_s, end_s=p.end_s, bit_s=1.0)
        for p in passes
    ]
    sent = send_all(recordings, sendings)
    by = {p.pass_id: uplink_after(p.end_s, passes, after_s) for p in passes}
    leaving = [each for each in freed(sent, (), by) if each.uplink is not None]
    t_s, bits = memory_curve(recordings, leaving, 0.0, HORIZON_S)
    down = {p.pass_id: sum(d.bits for d in sent if d.pass_id == p.pass_id) for p in passes}
    waiting, level = dict(down), 0.0
    levels = np.interp(np.arange(HORIZON_S + 1), t_s, bits)
    for second in range(int(HORIZON_S) + 1):
        assert abs(levels[second] - level) < 1e-6
        for p in passes:
            if p.uplink and p.end_s == second:
                for other in passes:
                    if other.end_s + after_s <= p.start_s:
                        level -= waiting.pop(other.pass_id, 0.0)
        level += sum(1.0 for low, n in acts if low <= second < low + n)
    total = sum(r.bits for r in recordings)
    unsent = total - sum(down.values())
    assert level == pytest.approx(unsent + sum(waiting.values()), abs=1e-6)


# Whole plans --------------------------------------------------------------------------------------


def waiting(problem: Problem, share: float, after_s: float = 0.0) -> Problem:
    """The same with memory that waits, and only a share of it."""
    satellites = tuple(
        replace(
            s,
            memory_release="acknowledged",
            acknowledge_s=after_s,
            memory_bit=share * s.memory_bit,
            memory_used_bit=share * s.memory_used_bit,
        )
        for s in problem.mission.satellites
    )
    return replace(problem, mission=replace(problem.mission, satellites=satellites))


def simulated(mission: Mission, plan: dict[str, Any]) -> dict[str, list[float]]:
    """Gbit on board of each satellite at every instant at which anything begins or ends, before
    what ends there is freed; from nothing but acquisitions, passes and downlinks."""

    def at(text: str) -> float:
        return (parse_utc(text) - parse_utc(plan["start"])).total_seconds()

    found = {}
    for satellite in mission.satellites:
        acts, downs, passes = (
            [e for e in plan[key] if e["satellite"] == satellite.name]
            for key in ("acquisitions", "downlinks", "passes")
        )
        ends = {p["id"]: at(p["end"]) for p in passes}
        frees = []
        for down in downs:
            late = ends[down["pass"]] + satellite.acknowledge_s - 1e-4
            ups = [at(p["end"]) for p in passes if p["uplink"] and at(p["start"]) >= late]
            frees.append((min(ups, default=math.inf), down["gbit"]))
        moments = sorted(
            {at(e[key]) for e in [*acts, *passes] for key in ("start", "end")}
            | {at(plan["start"]), at(plan["end"])}
        )
        found[satellite.name] = [
            satellite.memory_used_bit / 1e9
            + sum(
                a["data_gbit"]
                * min(max((t - at(a["start"])) / (at(a["end"]) - at(a["start"])), 0.0), 1.0)
                for a in acts
            )
            - sum(gbit for free_s, gbit in frees if free_s + FREE_S <= t)
            for t in moments
        ]
    return found


def assert_sound(problem: Problem, plan: dict[str, Any]) -> None:
    assert verdict(check_plan(problem.mission, problem.requests, plan)) == "valid"
    for name, levels in simulated(problem.mission, plan).items():
        most = problem.mission.satellite(name).memory_bit / 1e9
        assert max(levels) <= most + 1e-6
        curves = plan["resources"][name]
        used = problem.mission.satellite(name).memory_used_bit / 1e9
        recorded = sum(a["data_gbit"] for a in plan["acquisitions"] if a["satellite"] == name)
        free = sum(f["gbit"] for f in curves["freed"] if f["time"] is not None)
        sent = sum(d["gbit"] for d in plan["downlinks"] if d["satellite"] == name)
        assert sum(f["gbit"] for f in curves["freed"]) == pytest.approx(sent, abs=1e-6)
        assert used + recorded - free == pytest.approx(curves["memory_gbit"][-1], abs=2e-4)


@pytest.mark.parametrize("searched", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_random_plans_never_hold_more_than_the_memory(searched: bool, tmp_path: Path) -> None:
    refused = acquisitions = 0
    effort = Effort(iterations=2_000) if searched else GREEDY
    for seed in range(4):
        problem = waiting(random_problem(seed, tmp_path), share=0.4, after_s=60.0 * seed)
        problem = replace(
            problem,
            mission=replace(
                problem.mission,
                satellites=tuple(replace(s, power=None, idle_attitude="nadir")
                                 for s in problem.mission.satellites),
            ),
        )  # fmt: skip
        made = plan_of(problem, effort=effort)
        plan = plan_document(made)
        assert_sound(problem, plan)
        assert made.value <= made.bound
        acquisitions += len(plan["acquisitions"])
        refused += sum(
            1 for r in plan["requests"] if r["reason"] and r["reason"]["code"] in _OF_MEMORY
        )
    assert acquisitions
    assert refused  # else nothing here waits for memory


_OF_MEMORY = ("memory", "downlink")


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    return waiting(random_problem(SEED, tmp_path_factory.mktemp("waiting")), share=1.0)


def document(problem: Problem) -> dict[str, Any]:
    return plan_document(plan_of(problem))


def test_the_plan_tells_which_pass_frees_what(problem: Problem) -> None:
    plan = document(problem)
    assert_sound(problem, plan)
    passes = {p["id"]: p for p in plan["passes"]}
    entries = [f for curves in plan["resources"].values() for f in curves["freed"]]
    assert entries
    for entry in entries:
        if entry["uplink"] is not None:
            assert passes[entry["uplink"]]["uplink"]
            assert passes[entry["uplink"]]["start"] >= passes[entry["pass"]]["end"]
            assert entry["time"] == passes[entry["uplink"]]["end"]


def test_no_plan_holds_more_than_the_same_memory_freed_at_once(problem: Problem) -> None:
    satellites = [
        replace(s, memory_release="sent", acknowledge_s=0.0) for s in problem.mission.satellites
    ]
    at_once = replace(problem, mission=replace(problem.mission, satellites=tuple(satellites)))
    assert plan_of(problem).bound <= plan_of(at_once).bound + 1e-9
    plan = document(at_once)
    assert all("freed" not in curves for curves in plan["resources"].values())


def test_an_outage_that_cuts_a_pass_changes_when_memory_is_freed(problem: Problem) -> None:
    plan = document(problem)
    entry, name = next(
        (f, name)
        for name, curves in plan["resources"].items()
        for f in curves["freed"]
        if f["uplink"] is not None and f["uplink"] != f["pass"]
    )
    [told] = [p for p in plan["passes"] if p["id"] == entry["uplink"]]
    middle = parse_utc(told["start"]) + 0.5 * (parse_utc(told["end"]) - parse_utc(told["start"]))
    outage = Outage(
        station=told["station"], start=middle, end=middle + timedelta(hours=1), reason="storm"
    )
    mission = replace(problem.mission, outages=(*problem.mission.outages, outage))
    cut = document(replace(problem, mission=mission))
    assert_sound(replace(problem, mission=mission), cut)
    again = [f for f in cut["resources"][name]["freed"] if f["pass"] == entry["pass"]]
    assert [f["time"] for f in again] != [entry["time"]]


def test_a_release_that_comes_too_soon_or_goes_untold_is_found(problem: Problem) -> None:
    plan = document(problem)
    curves = next(c for c in plan["resources"].values() if c["freed"])
    curves["freed"][0]["uplink"] = "of another"
    codes = {v.code for v in check_plan(problem.mission, problem.requests, plan)}
    assert codes == {"memory"}
    del curves["freed"]
    assert {v.code for v in check_plan(problem.mission, problem.requests, plan)} == {"memory"}


def test_the_twin_frees_its_memory_as_the_plan_says(problem: Problem) -> None:
    plan = document(problem)
    epoch = Epoch(parse_utc(plan["start"]))
    for orders in read_orders(problem.mission, plan, epoch):
        curves = plan["resources"][orders.satellite]
        t_s = np.array([epoch.seconds(parse_utc(text)) for text in curves["time"]])
        flown = memory_bit(orders, problem.mission.satellite(orders.satellite), t_s)
        off_gbit = np.abs(flown / 1e9 - curves["memory_gbit"])
        assert np.max(off_gbit) < 0.1  # a microsecond of a millisecond in which 20 Gbit are freed


def test_a_delay_needs_memory_that_waits(problem: Problem) -> None:
    with pytest.raises(MissionError, match="acknowledge_s is given"):
        replace(problem.mission.satellites[0], memory_release="sent", acknowledge_s=60.0)
