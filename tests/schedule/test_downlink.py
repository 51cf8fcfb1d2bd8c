"""Downlinks: at the rate of the moment, to the bit; beside imaging only where that is allowed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.access import find_contacts, find_links
from humay.check import check_plan, verdict
from humay.mission import RateStep, Station
from humay.orbit import ephemerides
from humay.schedule import plan_document
from humay.schedule.resources import Downlink, Recording, Sending, send_all
from humay.schedule.sending import send_urgent_first
from humay.time import parse_utc
from tests.schedule.random_problems import START, Problem, plan_of, random_problem

SEED = 1  # steerable and fixed antennas; any problem with acquisitions will do
STEPS = tuple(
    RateStep(elevation_rad=math.radians(deg), rate_bit_s=rate)
    for deg, rate in ((6.0, 40e6), (12.0, 90e6), (20.0, 170e6), (45.0, 60e6))
)
MUCH_BIT = 1e13  # more than all passes bring down


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    """One satellite with a full memory and a station of five steps below its first acquisition."""
    whole = random_problem(SEED, tmp_path_factory.mktemp("downlink"))
    plain = replace(whole, mission=replace(whole.mission, outages=()))
    act = document(plain)["acquisitions"][0]
    [satellite] = [s for s in plain.mission.satellites if s.name == act["satellite"]]
    loaded = replace(
        satellite, memory_bit=2 * MUCH_BIT, memory_used_bit=MUCH_BIT, antenna="steerable",
        downlink_bit_s=150e6, power=None, idle_attitude="nadir", command_queue=None,
    )  # fmt: skip
    lon_deg, lat_deg, height_m = act["centre_line"][0]
    below = Station(
        name="below", lon_rad=math.radians(lon_deg), lat_rad=math.radians(lat_deg),
        height_m=height_m, min_elevation_rad=math.radians(5.0), uplink=False,
        rate_by_elevation=STEPS, max_elevation_rad=math.radians(80.0),
    )  # fmt: skip
    stations = [replace(s, downlink=False) for s in plain.mission.stations if s.uplink]
    return replace(
        plain,
        mission=replace(plain.mission, satellites=(loaded,), stations=(*stations, below)),
    )


def document(problem: Problem) -> dict[str, Any]:
    plan = plan_document(plan_of(problem))
    assert verdict(check_plan(problem.mission, problem.requests, plan)) == "valid"
    return plan


def imaging_while_downlinking(problem: Problem, allowed: bool) -> Problem:
    satellites = [replace(s, image_while_downlinking=allowed) for s in problem.mission.satellites]
    return replace(problem, mission=replace(problem.mission, satellites=tuple(satellites)))


def overlaps_s(plan: dict[str, Any]) -> list[float]:
    """Seconds that each downlink shares with each acquisition of its satellite."""
    shared = []
    for sent in plan["downlinks"]:
        for act in plan["acquisitions"]:
            low, high = max(sent["start"], act["start"]), min(sent["end"], act["end"])
            shared.append((parse_utc(high) - parse_utc(low)).total_seconds())
    return [s for s in shared if s > 0]


def test_a_full_memory_sends_all_that_every_pass_carries(problem: Problem) -> None:
    """The sum over all downlinks is the volume of all contacts, to a bit in each part."""
    plan = document(problem)
    orbits = ephemerides(problem.mission, START, problem.end)
    contacts = find_contacts(problem.mission, start=START, end=problem.end, orbits=orbits)
    links = find_links(contacts, problem.mission, orbits)
    volume = contacts.volume_bit.sum()
    assert volume > 0
    assert sum(len(link.rate_bit_s) > 1 for link in links) >= 1
    sent = sum(d["gbit"] for d in plan["downlinks"]) * 1e9
    assert sent == pytest.approx(volume, abs=len(plan["downlinks"]))
    rates = {round(d["gbit"] * 1e3 / seconds(d), 3) for d in plan["downlinks"]}
    assert len(rates) > 2
    assert rates <= {40.0, 90.0, 150.0, 60.0}  # the satellite sends at most 150


def seconds(entry: dict[str, Any]) -> float:
    return (parse_utc(entry["end"]) - parse_utc(entry["start"])).total_seconds()


def test_it_sends_while_it_images_only_where_it_can(problem: Problem) -> None:
    both = document(imaging_while_downlinking(problem, True))
    assert overlaps_s(both)
    apart = imaging_while_downlinking(problem, False)
    plan = document(apart)
    assert plan["acquisitions"]
    assert overlaps_s(plan) == []
    assert {v.code for v in check_plan(apart.mission, apart.requests, both)} == {"downlink"}
    less = sum(d["gbit"] for d in both["downlinks"]) - sum(d["gbit"] for d in plan["downlinks"])
    most_gbit = 0.15 * sum(map(seconds, plan["acquisitions"]))
    assert 0 < less <= most_gbit + 1e-6


def sendings(*parts: tuple[float, float, float]) -> Sequence[Sending]:
    return [
        Sending(pass_id="p", station="s", start_s=start, end_s=end, bit_s=rate)
        for start, end, rate in parts
    ]


def test_what_is_sent_over_a_change_of_rate_is_told_in_two_parts() -> None:
    """10 s at 2 bit/s, then 5 s at 4 bit/s: 40 bits, of them 20 each."""
    recording = Recording(acquisition="a", start_s=-1.0, end_s=0.0, bits=40.0)
    sent = send_all([recording], sendings((0, 10, 2.0), (10, 20, 4.0)))
    assert [(d.start_s, d.end_s, d.bits) for d in sent] == [(0, 10, 20.0), (10, 15, 20.0)]


# By priority --------------------------------------------------------------------------------------


def recording(name: str, end_s: float, bits: float, urgency: int = 0) -> Recording:
    return Recording(acquisition=name, start_s=end_s - 1.0, end_s=end_s, bits=bits, urgency=urgency)


@pytest.mark.parametrize("send", [send_all, send_urgent_first])
def test_no_downlink_is_shorter_than_files_can_tell(send: Callable[..., list[Downlink]]) -> None:
    """A rate that holds for a tenth of a microsecond, and an image that ends so long before the
    stretch: nothing goes down in either."""
    ends = sendings((0, 10, 2.0), (10, 10 + 1e-7, 2.0))
    (sent,) = send([recording("a", 0, 40.0)], ends)
    assert (sent.start_s, sent.end_s, sent.bits) == (0.0, 10.0, 20.0)
    assert send([recording("b", 10 - 1e-7, 40.0)], ends[:1]) == []


def test_what_is_more_urgent_goes_first_and_stops_what_is_being_sent() -> None:
    """At 1 bit/s from 0 on: a for 3 s, then b, which ends at 3, for 4 s, then the rest of a."""
    sent = send_urgent_first(
        [recording("a", 0, 8.0, 5), recording("b", 3, 4.0, 9), recording("c", 0, 1.0, 5)],
        sendings((0, 100, 1.0)),
    )
    assert [d.items for d in sent] == [(("a", 3.0), ("b", 4.0), ("a", 5.0), ("c", 1.0))]
    assert (sent[0].start_s, sent[0].end_s) == (0.0, 13.0)


@given(
    acts=st.lists(
        st.tuples(st.integers(0, 60), st.integers(1, 9), st.integers(1, 3)), max_size=6,
        unique_by=lambda act: act[0],
    ),
    edges=st.lists(st.integers(0, 80), max_size=8, unique=True).map(sorted),
)  # fmt: skip
def test_urgent_data_go_down_as_in_a_simulation_second_by_second(
    acts: list[tuple[int, int, int]], edges: list[int]
) -> None:
    """Every second of a stretch, a bit of the most urgent of what has ended, the oldest of equals;
    with one urgency, as oldest first."""
    recordings = [recording(str(i), end, float(n), rank) for i, (end, n, rank) in enumerate(acts)]
    stretches = sendings(*((a, b, 1.0) for a, b in zip(edges[::2], edges[1::2], strict=False)))
    left = {str(i): n for i, (_, n, _) in enumerate(acts)}
    expected: dict[tuple[int, str], int] = {}
    for k, stretch in enumerate(stretches):
        for second in range(int(stretch.start_s), int(stretch.end_s)):
            ready = [r for r in recordings if r.end_s <= second and left[str(r.acquisition)] > 0]
            if ready:
                name = str(min(ready, key=lambda r: (-r.urgency, r.end_s)).acquisition)
                left[name] -= 1
                expected[k, name] = expected.get((k, name), 0) + 1
    found: dict[tuple[int, str], float] = {}
    for sent in send_urgent_first(recordings, stretches):
        k = next(i for i, s in enumerate(stretches) if s.start_s <= sent.start_s < s.end_s)
        for item, bits in sent.items:
            found[k, str(item)] = found.get((k, str(item)), 0.0) + bits
    assert found == pytest.approx(expected)
    alike = [replace(r, urgency=0) for r in recordings]
    assert total(send_urgent_first(alike, stretches)) == pytest.approx(
        total(send_all(alike, stretches))
    )


def total(downlinks: Sequence[Downlink]) -> dict[str, float]:
    """Of each recording, bits times the end of the downlink that carries them."""
    found: dict[str, float] = {}
    for sent in downlinks:
        for name, bits in sent.items:
            found[str(name)] = found.get(str(name), 0.0) + bits * sent.end_s
    return found


def in_order(problem: Problem, order: Literal["oldest", "priority"]) -> Problem:
    satellites = [replace(s, downlink_order=order) for s in problem.mission.satellites]
    return replace(problem, mission=replace(problem.mission, satellites=tuple(satellites)))


def test_the_checker_knows_in_which_order_data_go_down(tmp_path: Path) -> None:
    """Images that wait for one pass, and those of the last request more urgent than all others."""
    problem = random_problem(23, tmp_path)
    satellites = [replace(s, power=None, idle_attitude="nadir") for s in problem.mission.satellites]
    problem = replace(problem, mission=replace(problem.mission, satellites=tuple(satellites)))
    oldest = plan_document(plan_of(in_order(problem, "oldest"), 3_600.0))
    last = oldest["acquisitions"][-1]["request"]
    assert oldest["acquisitions"][0]["request"] != last
    requests = tuple(replace(r, priority=10 if r.name == last else 1) for r in problem.requests)
    urgent = in_order(replace(problem, requests=requests), "priority")
    plan = plan_document(plan_of(urgent, 3_600.0))
    assert verdict(check_plan(urgent.mission, requests, plan)) == "valid"
    of = {a["id"]: a["request"] for a in plan["acquisitions"]}
    names = [i["acquisition"] for d in plan["downlinks"] for i in d["items"] if i["acquisition"]]
    assert of[names[0]] == last
    for each, found in ((urgent, plan), (in_order(problem, "oldest"), oldest)):
        several = next(d for d in found["downlinks"] if len(d["items"]) > 2)
        several["items"].reverse()
        codes = {v.code for v in check_plan(each.mission, each.requests, found)}
        assert codes == {"downlink"}
