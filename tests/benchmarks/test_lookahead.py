"""What later looks leave to a look of today, by numbers small enough for a piece of paper."""

from __future__ import annotations

from itertools import product

import pytest
from benchmarks.lookahead import share_left_to_now
from hypothesis import given
from hypothesis import strategies as st


def test_the_last_occasion_is_worth_all_of_its_chance() -> None:
    assert share_left_to_now([]) == 1.0


def test_two_later_looks_leave_what_both_miss() -> None:
    """0.5 and 0.4 both fail in 0.5 x 0.6 = 0.30 of all cases."""
    assert share_left_to_now([0.5, 0.4]) == pytest.approx(0.30, abs=1e-12)


def test_looks_that_are_taken_half_of_the_time_count_half() -> None:
    """Taken half of the time, 0.5, 0.4 and 1.0 bring 0.25, 0.2 and 0.5: 0.75 x 0.8 x 0.5 = 0.30."""
    assert share_left_to_now([0.5, 0.4, 1.0], taken=0.5) == pytest.approx(0.30, abs=1e-12)


def test_a_sure_later_look_leaves_nothing() -> None:
    assert share_left_to_now([0.3, 1.0, 0.2]) == 0.0


@given(
    now=st.floats(0, 1),
    later=st.lists(st.floats(0, 1), max_size=4),
    taken=st.floats(0, 1),
)
def test_a_look_adds_its_chance_times_that_share(
    now: float, later: list[float], taken: float
) -> None:
    """Against every case counted out: the chance to be complete with the look of today, less that
    without."""

    def complete(chances: list[float]) -> float:
        cases = product((True, False), repeat=len(chances))
        return sum(weight(case, chances) for case in cases if any(case))

    def weight(case: tuple[bool, ...], chances: list[float]) -> float:
        result = 1.0
        for clear, chance in zip(case, chances, strict=True):
            result *= chance if clear else 1 - chance
        return result

    others = [taken * p for p in later]
    gained = complete([now, *others]) - complete(others)
    assert now * share_left_to_now(later, taken) == pytest.approx(gained, abs=1e-9)


@pytest.mark.parametrize(("chances", "taken"), [([1.2], 1.0), ([-0.1], 1.0), ([0.5], 1.5)])
def test_what_is_no_chance_is_refused(chances: list[float], taken: float) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1|expected 0 to 1"):
        share_left_to_now(chances, taken)
