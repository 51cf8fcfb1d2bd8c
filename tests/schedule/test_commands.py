"""Room for commands: in a pass, and on board."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from hypothesis import assume, given
from hypothesis import strategies as st

from humay.schedule.commands import Commanding
from humay.schedule.ground import Pass

LEAD_S = 10.0


def booked(name: str, end_s: float) -> Pass:
    return Pass(
        pass_id=name, station="s", satellite="a", start_s=end_s - 300, end_s=end_s,
        contact_start_s=end_s - 300, contact_end_s=end_s, max_elevation_rad=1.0, uplink=True,
        stretches=(),
    )  # fmt: skip


def commanding(
    ends_s: list[float], per_pass: int | None = None, queue: int | None = None
) -> Commanding:
    return Commanding(
        satellite="a",
        passes=tuple(booked(f"p{i}", end_s) for i, end_s in enumerate(ends_s)),
        lead_s=LEAD_S,
        per_pass=per_pass,
        queue=queue,
    )


def names(carriers: list[Pass] | None) -> list[str] | None:
    return None if carriers is None else [p.pass_id for p in carriers]


def test_without_limits_the_first_pass_carries_everything() -> None:
    assert names(commanding([100, 200]).carriers([110, 150, 300])) == ["p0", "p0", "p0"]


def test_what_finds_no_room_in_a_pass_goes_up_in_the_next() -> None:
    two = commanding([100, 200], per_pass=2)
    assert names(two.carriers([110, 150, 300])) == ["p0", "p0", "p1"]
    assert two.carriers([110, 150, 160]) is None  # the third would be too late for the second pass
    assert two.carriers([300, 310, 320, 330, 340]) is None


def test_what_finds_no_room_on_board_waits_on_the_ground() -> None:
    one = commanding([100, 200, 300], queue=1)
    assert names(one.carriers([150, 250, 350])) == ["p0", "p1", "p2"]
    assert one.carriers([150, 160]) is None
    assert one.carriers([210, 220]) is None  # both would be on board at 200


def test_before_the_first_pass_and_its_lead_nothing_is_commanded() -> None:
    assert commanding([100]).ready_s == 110
    assert commanding([100]).carriers([109]) is None
    assert commanding([]).carriers([]) == []
    assert commanding([]).carriers([1e6]) is None


PASSES = st.lists(st.integers(0, 40), max_size=4).map(lambda ends: sorted(10 * e for e in ends))
ACTS = st.lists(st.integers(0, 50), max_size=5).map(lambda starts: sorted(10 * s for s in starts))
LIMIT = st.none() | st.integers(1, 3)


@given(ends=PASSES, starts=ACTS, per_pass=LIMIT, queue=LIMIT)
def test_there_is_room_exactly_where_some_choice_of_passes_has_it(
    ends: list[float], starts: list[float], per_pass: int | None, queue: int | None
) -> None:
    """Every choice tried."""
    found = commanding(ends, per_pass, queue).carriers(starts)
    choices = [
        choice
        for choice in product(range(len(ends)), repeat=len(starts))
        if fits([float(ends[k]) for k in choice], list(choice), starts, per_pass, queue)
    ]
    assert (found is None) == (not choices)
    if found is not None:
        chosen = [int(p.pass_id[1:]) for p in found]
        assert fits([p.end_s for p in found], chosen, starts, per_pass, queue)


@given(
    ends=PASSES,
    starts=ACTS,
    sent=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 50)), max_size=3, unique=True),
    queue=st.integers(1, 3),
)
def test_what_an_earlier_plan_has_sent_keeps_its_room_whenever_it_comes(
    ends: list[float], starts: list[float], sent: list[tuple[int, int]], queue: int
) -> None:
    """Its passes may end before those of the plan, between them, and after: every choice tried.
    What it has sent had room on board: it was a valid plan."""
    older = {
        10.0 * up + 10 * wait + 5: booked(f"old{i}", 10.0 * up) for i, (up, wait) in enumerate(sent)
    }
    assume(fits([p.end_s for p in older.values()], [], [*older], None, queue, lead_s=0.0))
    both = sorted([*starts, *older])
    found = replace(commanding(ends, queue=queue), sent=older).carriers(both)
    up_s = [p.end_s for p in older.values()]
    choices = [
        choice
        for choice in product(range(len(ends)), repeat=len(starts))
        if fits([float(ends[k]) for k in choice], list(choice), starts, None, None)
        and fits(
            [*up_s, *(float(ends[k]) for k in choice)], [], [*older, *starts], None, queue,
            lead_s=0.0,
        )
    ]  # fmt: skip
    if found is not None:
        assert fits([p.end_s for p in found], [], both, None, queue, lead_s=0.0)
        assert all(p is older[s] for p, s in zip(found, both, strict=True) if s in older)
    alone = fits(up_s, [], list(older), None, queue, lead_s=0.0)
    assert (found is not None) == bool(choices) or not alone


def test_a_pass_of_an_earlier_plan_that_ends_later_finds_its_room() -> None:
    """Two stations at once: the old plan's pass ends at 120, the new one's at 100, and three wait
    on board where two can."""
    older = {500.0: booked("old", 120)}
    two = replace(commanding([100, 200], queue=2), sent=older)
    assert names(two.carriers([300, 400, 500])) is None
    assert names(two.carriers([400, 500])) == ["p0", "old"]
    assert names(replace(two, queue=3).carriers([300, 400, 500])) == ["p0", "p0", "old"]


def fits(
    up_s: list[float],
    passes: list[int],
    starts: list[float],
    per_pass: int | None,
    queue: int | None,
    lead_s: float = LEAD_S,
) -> bool:
    if any(start < up + lead_s for up, start in zip(up_s, starts, strict=True)):
        return False
    if per_pass is not None and any(passes.count(k) > per_pass for k in passes):
        return False
    waits = list(zip(up_s, starts, strict=True))
    longest = max((sum(1 for up, s in waits if up <= t < s) for t in up_s), default=0)
    return queue is None or longest <= queue
