"""What is on board when a plan begins in the middle of another: image by image, and sent again
where its pass was lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from humay.chain import Flying
from humay.check import check_plan
from humay.schedule import aboard_at, gone_with
from humay.schedule.acknowledged import uplink_after
from humay.schedule.ground import Pass
from humay.schedule.resources import Recording, Sending, send_all
from humay.time import format_utc, parse_utc
from tests.chain.test_replanning import again, first_plan, idle_start
from tests.schedule.random_problems import START, Problem, random_problem

SEED = 3  # one whose first plan has acquisitions and downlinks


def at(seconds: float) -> str:
    return format_utc(START + timedelta(seconds=seconds))


def small_plan(
    acts: list[tuple[int, int]], spans: list[tuple[int, int]], waits: bool
) -> dict[str, Any]:
    """A plan file, as far as the ledger reads it: images of n Gbit in n seconds, passes of
    1 Gbit/s, each with uplink."""
    passes = [
        Pass(
            pass_id=f"p{i}", station="s", satellite="a", start_s=low, end_s=high,
            contact_start_s=low, contact_end_s=high, max_elevation_rad=1.0, uplink=True,
            stretches=(),
        )
        for i, (low, high) in enumerate(spans)
    ]  # fmt: skip
    recordings = [
        Recording(acquisition=f"A{i}", start_s=end - n, end_s=end, bits=float(n))
        for i, (end, n) in enumerate(acts)
    ]
    sendings = [
        Sending(pass_id=p.pass_id, station="s", start_s=p.start_s, end_s=p.end_s, bit_s=1.0)
        for p in passes
    ]
    curves: dict[str, Any] = {"memory_gbit": [0.0]}
    if waits:
        told = {p.pass_id: uplink_after(p.end_s, passes, 0.0) for p in passes}
        curves["freed"] = [
            {"pass": n, "uplink": p and p.pass_id, "time": p and at(p.end_s)}
            for n, p in told.items()
        ]
    return {
        "start": at(0),
        "requests": [{"name": "r", "priority": 5}],
        "resources": {"a": curves},
        "passes": [{"id": p.pass_id, "end": at(p.end_s)} for p in passes],
        "acquisitions": [
            {
                "id": r.acquisition, "satellite": "a", "request": "r",
                "strip": f"r/{r.acquisition}", "end": at(r.end_s),
                "data_gbit": r.bits, "value": 1.0,
            }
            for r in recordings
        ],
        "downlinks": [
            {
                "pass": d.pass_id, "satellite": "a", "start": at(d.start_s), "end": at(d.end_s),
                "gbit": d.bits,
                "items": [{"acquisition": name, "gbit": bits} for name, bits in d.items],
            }
            for d in send_all(recordings, sendings)
        ],
    }  # fmt: skip


@given(
    acts=st.lists(st.tuples(st.integers(1, 90), st.integers(1, 20)), max_size=5, unique=True),
    edges=st.lists(st.integers(1, 99), max_size=8, unique=True).map(sorted),
    lost=st.sets(st.integers(0, 3)),
    waits=st.booleans(),
    now=st.integers(1, 99),
)
@example(acts=[(1, 1), (1, 2)], edges=[1, 3], lost=set(), waits=True, now=2)  # begins to go down
def test_what_is_recorded_is_sent_and_known_to_be_or_still_on_board(
    acts: list[tuple[int, int]], edges: list[int], lost: set[int], waits: bool, now: int
) -> None:
    """Conservation, and each image alone: second by second, a Gbit goes down from the oldest."""
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    plan = small_plan(acts, spans, waits)
    gone = {f"p{i}" for i in lost}
    entries = aboard_at(plan, START + timedelta(seconds=now), gone)
    queue = sorted((end, f"r/A{i}", n) for i, (end, n) in enumerate(acts))
    left = {name: n for end, name, n in queue if end <= now}
    away: dict[tuple[str, str], int] = {}
    for second in range(now):
        for i, (low, high) in enumerate(spans):
            if low <= second < high:
                waiting = [
                    name
                    for end, name, n in queue
                    if end <= second and n > sum(away.get((name, f"p{k}"), 0) for k in range(4))
                ]
                if waiting:
                    away[waiting[0], f"p{i}"] = away.get((waiting[0], f"p{i}"), 0) + 1
    for (name, booked), n in away.items():
        left[name] -= 0 if waits and booked in gone else n
    unsent = {e["strip"]: e["gbit"] for e in entries if e["pass"] is None}
    assert unsent == pytest.approx({name: n for name, n in left.items() if n})
    told = {
        f"p{i}"
        for i, (_, high) in enumerate(spans)
        if any(f"p{k}" not in gone and e <= now for k, (s, e) in first_after(spans, high))
    }
    expected = {key: n for key, n in away.items() if waits and key[1] not in told | gone}
    assert {
        (e["strip"], e["pass"]): e["gbit"] for e in entries if e["pass"] is not None
    } == pytest.approx(expected)


def first_after(spans: list[tuple[int, int]], end: int) -> list[tuple[int, tuple[int, int]]]:
    """The first span that begins at an instant or later, if there is one."""
    return [(k, span) for k, span in enumerate(spans) if span[0] >= end][:1]


# Plans that follow plans --------------------------------------------------------------------------


def with_memory(problem: Problem, release: Literal["sent", "acknowledged"]) -> Problem:
    satellites = tuple(
        replace(s, memory_release=release, memory_bit=4 * s.memory_bit)
        for s in problem.mission.satellites
    )
    return replace(problem, mission=replace(problem.mission, satellites=satellites))


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    whole = random_problem(SEED, tmp_path_factory.mktemp("aboard"))
    return replace(whole, mission=replace(whole.mission, outages=()))


def with_own_data(plan: dict[str, Any]) -> dict[str, Any]:
    """The first downlink that carries an image of the plan."""
    return next(
        d for d in plan["downlinks"] if any(i["acquisition"] is not None for i in d["items"])
    )


def test_what_a_lost_pass_carried_is_sent_again_and_its_request_told(problem: Problem) -> None:
    waiting = with_memory(problem, "acknowledged")
    old = first_plan(waiting)
    down = with_own_data(old)
    flying = Flying(document=old, lost_passes=frozenset({down["pass"]}))
    start = idle_start(waiting, flying, parse_utc(down["end"]) + timedelta(minutes=1))
    new = again(waiting, flying, start=start, release=start)
    names = {i["acquisition"] for i in down["items"]} - {None}
    assert names
    for was in (a for a in old["acquisitions"] if a["id"] in names):
        unsent = [e for e in new["previous"]["aboard"] if e["pass"] is None]
        [entry] = [e for e in unsent if e["strip"] == was["strip"]]
        assert entry["gbit"] == pytest.approx(was["data_gbit"])
        sent = [
            i["gbit"]
            for d in new["downlinks"]
            for i in d["items"]
            if i.get("aboard") == entry["id"]
        ]
        assert sum(sent) == pytest.approx(was["data_gbit"])
        assert entry["delivered"] is not None
        [request] = [r for r in new["requests"] if r["name"] == was["request"]]
        assert request["first"]["delivery"] <= entry["delivered"]
    third_start = idle_start(waiting, Flying(document=new), start + timedelta(minutes=30))
    third = again(waiting, Flying(document=new), start=third_start, release=third_start)
    for e in third["previous"]["aboard"]:
        assert e["end"] is None or e["end"] <= format_utc(third_start)


def test_memory_that_was_freed_at_once_has_nothing_to_send_again(problem: Problem) -> None:
    freed = with_memory(problem, "sent")
    old = first_plan(freed)
    down = with_own_data(old)
    lost = frozenset({down["pass"]})
    later = parse_utc(down["end"]) + timedelta(minutes=1)
    names = {i["acquisition"] for i in down["items"]} - {None}
    assert gone_with(old, lost) >= names
    strips = {a["strip"] for a in old["acquisitions"] if a["id"] in names and a["delivered"]}
    left = {e["strip"] for e in aboard_at(old, later, lost)}
    assert not left & strips
    assert aboard_at(old, later, lost) == aboard_at(old, later)


def test_what_is_made_up_about_what_is_on_board_is_found(problem: Problem) -> None:
    waiting = with_memory(problem, "acknowledged")
    old = first_plan(waiting)
    down = with_own_data(old)
    flying = Flying(document=old, lost_passes=frozenset({down["pass"]}))
    start = idle_start(waiting, flying, parse_utc(down["end"]) + timedelta(minutes=1))
    new = again(waiting, flying, start=start, release=start)
    entry = next(e for e in new["previous"]["aboard"] if e["delivered"])
    true, entry["delivered"] = entry["delivered"], None
    assert {v.code for v in check_plan(waiting.mission, waiting.requests, new, old)} >= {"downlink"}
    entry["delivered"] = true
    entry["end"] = format_utc(START)
    assert "previous" in {v.code for v in check_plan(waiting.mission, waiting.requests, new, old)}
