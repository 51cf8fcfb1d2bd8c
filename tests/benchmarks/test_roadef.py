"""The ROADEF 2003 adapter: gains as the challenge's own, and the core agrees with its judge."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.roadef import (
    ALTITUDE_M,
    RATE_RAD_S,
    SETTLE_S,
    Instance,
    Request,
    Strip,
    acts,
    judge,
    problem,
    read,
    write,
)

from humay.schedule.core import Solution, value, violations
from humay.schedule.core.judge import turn_seconds
from tests.benchmarks.trivial import one_after_another

GAINS = {  # the organisers' sample solutions under their own checker
    "2_9_36": 10423440,
    "2_9_66": 115710960,
    "2_9_170": 191358231,
    "2_13_111": 539347530,
    "2_15_170": 524896372,
    "2_26_96": 671624710,
}


@pytest.fixture(scope="module")
def folder(data_dir: Path) -> Path:
    return data_dir / "scheduling" / "roadef2003"


def strip(request: int, *, twin: int = 0, useful_km2: float = 40.0, from_s: float = 0.0) -> Strip:
    return Strip(
        request=request,
        twin=twin,
        useful_km2=useful_km2,
        duration_s=10.0,
        place_m=((0.0, 0.0), (60_000.0, 0.0)),
        seen_s=((from_s, from_s + 100.0), (from_s, from_s + 100.0)),
    )


MONO = Request(gain_per_km2=10.0, surface_km2=100.0, polygon=True, stereo=False)
STEREO = Request(gain_per_km2=10.0, surface_km2=100.0, polygon=False, stereo=True)


def instance(request: Request, *strips: Strip) -> Instance:
    return Instance(
        name=("1", "2", "3"), requests={7: request}, strips=dict(enumerate(strips, start=1))
    )


def judged(of: Instance, folder: Path, *done: str) -> float:
    path = folder / "solution"
    path.write_text("\n".join(["1 2 3", str(len(done)), *done]) + "\n")
    return judge(of, path)


@pytest.mark.parametrize("name", GAINS)
def test_the_samples_are_worth_what_the_organisers_say(folder: Path, name: str) -> None:
    """To the unit; theirs are cut to whole numbers."""
    gain = judge(read(folder / f"instance_{name}"), folder / f"solution_{name}")
    assert abs(gain - GAINS[name]) < 0.5 + 1e-6


@pytest.mark.parametrize("name", GAINS)
def test_the_core_keeps_and_values_the_samples_as_the_judge(folder: Path, name: str) -> None:
    of, sample = read(folder / f"instance_{name}"), folder / f"solution_{name}"
    mapped, place = problem(of), {act: i for i, act in enumerate(acts(of))}
    rows = [line.split() for line in sample.read_text().splitlines()[2:] if line.strip()]
    done = [place[int(number), int(direction)] for number, direction in rows]
    starts: list[float] = []
    for k, i in enumerate(done):
        free_s = -np.inf
        if k:
            turn_s = turn_seconds(mapped, done[k - 1], starts[-1], i, 0.0)
            free_s = starts[-1] + mapped.duration_s[done[k - 1]] + turn_s
        starts.append(float(max(mapped.low_s[i], free_s)))
    solution = Solution(candidates=np.array(done), start_s=np.array(starts))
    assert violations(mapped, solution) == []
    assert value(mapped, solution) == pytest.approx(judge(of, sample), abs=1e-3)


@pytest.mark.parametrize("name", GAINS)
def test_a_plain_schedule_is_worth_the_same_once_written(
    folder: Path, name: str, tmp_path: Path
) -> None:
    of = read(folder / f"instance_{name}")
    mapped = problem(of)
    solution = one_after_another(mapped)
    assert violations(mapped, solution) == []
    write(of, mapped, solution, tmp_path / "solution")
    gain = judge(of, tmp_path / "solution")
    assert gain > 0
    assert gain == pytest.approx(value(mapped, solution), abs=1e-3)


def test_the_constants_are_those_of_the_challenge(folder: Path) -> None:
    altitude_km, rate_rad_s, settle_s = map(float, (folder / "constants").read_text().split())
    assert (altitude_km * 1e3, rate_rad_s, settle_s) == (ALTITUDE_M, RATE_RAD_S, SETTLE_S)


def test_polygons_pay_along_the_curve(tmp_path: Path) -> None:
    """Of 1000: 0.1 at 40 %, 0.4 at 70 %; by hand, slope 1 between them and 2 beyond."""
    of = instance(MONO, strip(7, useful_km2=40), strip(7, useful_km2=30), strip(7, useful_km2=30.1))
    assert judged(of, tmp_path, "1 0") == pytest.approx(100)
    assert judged(of, tmp_path, "2 0", "1 1") == pytest.approx(400)
    assert judged(of, tmp_path, "2 0", "3 1") == pytest.approx(301)
    assert judged(of, tmp_path, "2 0", "3 1", "1 0") == pytest.approx(1002)
    everything = Solution(candidates=np.array([0, 2, 4]), start_s=np.array([0.0, 30.0, 60.0]))
    assert value(problem(of), everything) == pytest.approx(1002)


def test_stereo_counts_the_surface_of_both_images(tmp_path: Path) -> None:
    of = instance(STEREO, strip(7, twin=2), strip(7, twin=1))
    assert judged(of, tmp_path, "1 0", "2 0") == pytest.approx(2000)
    pair = Solution(candidates=np.array([0, 2]), start_s=np.array([0.0, 30.0]))
    assert value(problem(of), pair) == pytest.approx(2000)


def test_twins_go_together_and_in_one_direction(tmp_path: Path) -> None:
    of = instance(STEREO, strip(7, twin=2), strip(7, twin=1))
    for done in (["1 0"], ["1 0", "2 1"]):
        with pytest.raises(ValueError, match="without its twin"):
            judged(of, tmp_path, *done)
    crossed = Solution(candidates=np.array([0, 3]), start_s=np.array([0.0, 30.0]))
    assert violations(problem(of), crossed) == ["[0, 3] together"]


def test_a_strip_without_its_twin_is_not_written(tmp_path: Path) -> None:
    of = instance(STEREO, strip(7, twin=2), strip(7, twin=1))
    alone = Solution(candidates=np.array([0]), start_s=np.array([0.0]))
    write(of, problem(of), alone, tmp_path / "solution")
    assert (tmp_path / "solution").read_text() == "1 2 3\n0\n"


def test_a_strip_that_begins_too_late_is_refused(tmp_path: Path) -> None:
    """The second strip is left by 105 s, so begun by 95 s; the turn back over 60 km from the first
    takes 2.5 + 2 atan(60 / 1266) / 0.05 = 4.394 s, so the first must begin by 80.606 s."""
    late = replace(strip(7), seen_s=((0.0, 100.0), (95.0, 105.0)))
    for from_s, good in ((80.605, True), (80.607, False)):
        of = instance(MONO, strip(7, from_s=from_s), late)
        if good:
            judged(of, tmp_path, "1 0", "2 0")
        else:
            with pytest.raises(ValueError, match="strip 2 begins at"):
                judged(of, tmp_path, "1 0", "2 0")


def test_a_strip_twice_or_unknown_and_a_wrong_count_are_refused(tmp_path: Path) -> None:
    of = instance(MONO, strip(7), strip(7))
    with pytest.raises(ValueError, match="twice"):
        judged(of, tmp_path, "1 0", "1 1")
    with pytest.raises(ValueError, match="no strip 3"):
        judged(of, tmp_path, "3 0")
    (tmp_path / "solution").write_text("1 2 3\n2\n1 0\n")
    with pytest.raises(ValueError, match="1 acquisitions, expected 2"):
        judge(of, tmp_path / "solution")
    (tmp_path / "solution").write_text("1 2 4\n1\n1 0\n")
    with pytest.raises(ValueError, match="a solution of"):
        judge(of, tmp_path / "solution")
