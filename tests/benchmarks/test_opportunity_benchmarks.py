"""What the benchmarks of the search say of lists made by hand: each fault is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from benchmarks.areas import covered
from benchmarks.growth import Point, growths, picture, shapes
from benchmarks.missions import FARTHEST_DEG, SUN_DEG, even_places, spot_elements
from benchmarks.opportunities import (
    Dispute,
    Evidence,
    explained_edges,
    explained_extra,
    unexplained,
)
from benchmarks.sampled_truth import Flight, sampled_windows
from benchmarks.window_lists import SHORTEST_S, WindowList, compare, overlapping, percentiles_ms
from hypothesis import given
from hypothesis import strategies as st
from sgp4.api import Satrec

from benchmarks import sampled_truth
from humay.access import Strip, line_from_lonlath
from humay.arrays import FloatArray

Row = tuple[int, int, float, float]  # place, satellite, start, end


def windows(*rows: Row) -> WindowList:
    numbers = np.array([row[:2] for row in rows], dtype=np.int64).reshape(-1, 2)
    edges = np.array([row[2:] for row in rows], dtype=np.float64).reshape(-1, 2)
    return WindowList.sorted(numbers[:, 0], numbers[:, 1], edges[:, 0], edges[:, 1])


# ---------------------------------------------------------------- lists

LISTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(0, 30), st.integers(1, 4)),
    max_size=20,
)


def apart(rows: Sequence[tuple[int, int, int, int]]) -> WindowList:
    """As windows, without those that overlap one before them."""
    kept: list[Row] = []
    for place, satellite, start, length in sorted(rows):
        if not any(k[:2] == (place, satellite) and k[3] > start for k in kept):
            kept.append((place, satellite, float(start), float(start + length)))
    return windows(*kept)


@given(LISTS, LISTS)
def test_windows_pair_up_where_they_overlap(
    one: list[tuple[int, int, int, int]], other: list[tuple[int, int, int, int]]
) -> None:
    a, b = apart(one), apart(other)
    every = [
        [i, j]
        for i in range(len(a))
        for j in range(len(b))
        if (a.place[i], a.satellite[i]) == (b.place[j], b.satellite[j])
        and min(a.end_s[i], b.end_s[j]) > max(a.start_s[i], b.start_s[j])
    ]
    assert overlapping(a, b).tolist() == every


def test_what_one_side_lacks_is_told_and_the_shortest_apart() -> None:
    ours = windows((0, 0, 10.0, 20.0), (1, 0, 10.0, 20.0), (2, 0, 5.0, 5.0 + SHORTEST_S / 2))
    theirs = windows((0, 0, 10.001, 19.998), (1, 1, 10.0, 20.0), (3, 0, 0.0, 1.0))
    both = compare(ours, theirs)
    assert both.pairs.tolist() == [[0, 0]]
    assert both.missed.tolist() == [1, 2]
    assert both.extra.tolist() == [1]
    assert both.short == 1
    assert np.allclose(both.edge_s, [[-0.001, 0.002]], rtol=0, atol=1e-9)
    assert percentiles_ms(both.edge_s) == {"p50": 1.5, "p99": 1.99, "max": 2.0}


@pytest.mark.parametrize(
    "rows",
    [((0, 0, 5.0, 4.0),), ((0, 0, 0.0, 2.0), (0, 0, 1.0, 3.0))],
    ids=["backwards", "overlapping"],
)
def test_a_list_that_cannot_be_is_refused(rows: tuple[Row, ...]) -> None:
    with pytest.raises(ValueError, match="window"):
        windows(*rows)


# ---------------------------------------------------------------- TAT-C's Sun in the middle

DARK, LIT = SUN_DEG - 0.05, SUN_DEG + 0.05
WHOLE = windows((7, 1, 100.0, 200.0))  # what is seen without the Sun; its middle is at 150 s


def judged(
    ours: WindowList, theirs: WindowList, *, middle: float, suns: Sequence[float]
) -> tuple[Dispute, Evidence]:
    """`suns`: at the ends of what we have alone, then at our edges in dispute, then at theirs."""
    dispute = Dispute.of(compare(ours, theirs))
    assert len(dispute.instants()[1]) == len(suns)
    evidence = Evidence(
        seen=WHOLE, middle_sun_deg=np.array([middle]), sun_deg=np.array(suns, dtype=float)
    )
    return dispute, evidence


def test_the_lit_end_of_a_window_dark_in_its_middle_is_explained() -> None:
    for ours, suns in (
        (windows((7, 1, 160.0, 200.0)), [SUN_DEG, LIT]),
        (windows((7, 1, 100.0, 140.0)), [LIT, SUN_DEG]),
    ):
        dispute, evidence = judged(ours, windows(), middle=DARK, suns=suns)
        assert explained_extra(dispute, evidence).tolist() == [True]
        assert unexplained(dispute, evidence) == []


@pytest.mark.parametrize(
    ("ours", "middle", "suns"),
    [
        ((7, 1, 160.0, 200.0), LIT, [SUN_DEG, LIT]),  # TAT-C would have kept it
        ((7, 1, 160.0, 200.0), DARK, [LIT, LIT]),  # it begins where nothing happens
        ((7, 1, 160.0, 190.0), DARK, [SUN_DEG, LIT]),  # it ends where nothing happens
        ((7, 1, 160.0, 201.0), DARK, [SUN_DEG, LIT]),  # it goes on where nothing is seen
        ((7, 1, 140.0, 200.0), DARK, [SUN_DEG, LIT]),  # it is lit in the middle, which is dark
        ((7, 0, 160.0, 200.0), DARK, [SUN_DEG, LIT]),  # of a satellite that does not pass
        ((7, 1, 100.0, 200.0), DARK, [LIT, LIT]),  # not clipped at all
    ],
)
def test_any_other_window_we_have_alone_is_not(ours: Row, middle: float, suns: list[float]) -> None:
    dispute, evidence = judged(windows(ours), windows(), middle=middle, suns=suns)
    (line,) = unexplained(dispute, evidence)
    assert line.startswith("extra place 7")


def test_an_edge_clipped_by_the_sun_is_explained() -> None:
    clipped = windows((7, 1, 110.0, 200.0))
    dispute, evidence = judged(clipped, WHOLE, middle=LIT, suns=[SUN_DEG, DARK])
    assert explained_edges(dispute, evidence).tolist() == [True]
    assert unexplained(dispute, evidence) == []


@pytest.mark.parametrize(
    ("ours", "suns"),
    [
        ((7, 1, 110.0, 200.0), [LIT, DARK]),  # ours lies where nothing happens
        ((7, 1, 110.0, 200.0), [SUN_DEG, LIT]),  # what we cut away is lit
        ((7, 1, 90.0, 200.0), [SUN_DEG, DARK]),  # ours begins before anything is seen
        ((7, 1, 100.0, 200.02), [SUN_DEG, DARK]),  # ours ends after it
    ],
)
def test_any_other_edge_is_not(ours: Row, suns: list[float]) -> None:
    dispute, evidence = judged(windows(ours), WHOLE, middle=LIT, suns=suns)
    (line,) = unexplained(dispute, evidence)
    assert " ms of place 7" in line


def test_a_missed_window_is_never_explained() -> None:
    dispute, evidence = judged(windows(), WHOLE, middle=DARK, suns=[])
    assert unexplained(dispute, evidence) == ["missed place 7 satellite 1 100.0000 to 200.0000 s"]


def test_edges_within_ten_milliseconds_are_the_same() -> None:
    near = windows((7, 1, 100.0, 200.009))
    dispute, evidence = judged(near, WHOLE, middle=LIT, suns=[])
    assert unexplained(dispute, evidence) == []


# ---------------------------------------------------------------- the sampled truth


@pytest.fixture
def flight(data_dir: Path) -> Flight:
    """SPOT 6 over Baku, in the light or not."""
    assert (data_dir / "orbits").is_dir()
    return Flight(
        record=Satrec.twoline2rv(*spot_elements()[1:3]),
        start=datetime(2019, 11, 1, tzinfo=UTC),
        places=np.array([[49.87, 40.41, 0.0]]),
        nadir="geodetic",
        off_nadir_rad=math.radians(30.0),
        sun_rad=math.radians(-90.0),
    )


def off_nadir_at(flight: Flight, t_s: FloatArray) -> FloatArray:
    return flight.off_nadir(flight.position(t_s), np.zeros(len(t_s), dtype=np.int64))


def test_a_window_between_two_seconds_is_seen(flight: Flight) -> None:
    """The limit is narrowed to just above the least angle of a pass: 0.1 s remain, found where a
    sampling of a millisecond finds it."""
    wide = sampled_windows(flight, 86_400)
    t_s = np.arange(wide.start_s[0], wide.end_s[0], 1e-3)
    angle = off_nadir_at(flight, t_s)
    least = np.argmin(angle)
    limit = float(angle[least + 50])
    narrow = sampled_windows(replace(flight, off_nadir_rad=limit), 86_400)
    inside = t_s[angle <= limit]
    near = np.flatnonzero(np.abs(narrow.start_s - t_s[least]) < 1)
    assert len(near) == 1
    assert abs(narrow.start_s[near[0]] - inside[0]) < 2e-3
    assert abs(narrow.end_s[near[0]] - inside[-1]) < 2e-3
    assert narrow.length_s[near[0]] < 0.2


def test_its_edges_lie_at_the_limit_and_blocks_do_not_cut_them(
    flight: Flight, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sampled_windows(flight, 86_400)
    edges = np.concatenate([found.start_s, found.end_s])
    assert len(found) == 2
    assert np.max(np.abs(np.degrees(off_nadir_at(flight, edges)) - 30.0)) < 1e-6
    middle = int(0.5 * (found.start_s[0] + found.end_s[0]))
    monkeypatch.setattr(sampled_truth, "BLOCK_S", middle)
    again = sampled_windows(flight, 86_400)
    assert np.allclose(again.start_s, found.start_s, rtol=0, atol=1e-6)
    assert np.allclose(again.end_s, found.end_s, rtol=0, atol=1e-6)


# ---------------------------------------------------------------- growth


def point(satellites: int, targets: int, days: int, seconds: float) -> Point:
    return Point(satellites=satellites, targets=targets, days=days, seconds=seconds, windows=1)


def test_growth_is_that_of_steps_ten_times_larger_one_way() -> None:
    points = [
        point(1, 1, 1, 0.1),
        point(10, 1, 1, 1.0),
        point(10, 10, 1, 30.0),
        point(1, 1, 10, 0.2),
    ]
    steps = {(a.shape, b.shape): round(growth, 6) for growth, a, b in growths(points)}
    assert steps == {
        ((1, 1, 1), (10, 1, 1)): 1.0,
        ((10, 1, 1), (10, 10, 1)): 3.0,
        ((1, 1, 1), (1, 1, 10)): 0.2,
    }


def test_the_shapes_reach_the_work_asked_for_and_no_further() -> None:
    work = [math.prod(shape) for shape in shapes(10**7)]
    assert min(work) == 1
    assert max(work) == 10**7
    assert {10**k for k in range(8)} == set(work)


def test_the_picture_shows_every_point() -> None:
    points = [point(1, 10**k, days, 0.01 * 10**k) for k in range(4) for days in (1, 10)]
    root = ElementTree.fromstring(picture(points))
    circles = [each for each in root.iter() if each.tag.endswith("circle")]
    assert len(circles) == len(points) + 2  # and two in the legend
    width = float(root.attrib["viewBox"].split()[2])
    assert all(0 < float(each.attrib["cx"]) < width for each in circles)


def test_the_first_places_already_spread_over_the_earth() -> None:
    for count in (100, 1000):  # random ones are off by 0.2 and 0.06
        lon, lat, _ = even_places(count).T
        sine = np.sin(np.radians(lat)) / math.sin(math.radians(FARTHEST_DEG))
        for each in (np.sort(lon) / 180, np.sort(sine)):
            assert np.max(np.abs(each - np.linspace(-1, 1, count))) < 10 / count


# ---------------------------------------------------------------- areas

SQUARE = shapely.box(49.9, -0.1, 50.1, 0.1)  # 22 km on the equator
DEGREE_M = 111_319.49  # of longitude there


def northward(number: int, lon_deg: float, width_m: float, share: float) -> Strip:
    """A strip along a meridian, from end to end of the square."""
    return Strip(
        name=f"square/{number:02d}",
        request="square",
        line=line_from_lonlath([[lon_deg, -0.11, 0.0], [lon_deg, 0.11, 0.0]]),
        width_m=width_m,
        share=share,
    )


def test_strips_that_cover_an_area_as_they_say_pass() -> None:
    width_m = 0.11 * DEGREE_M
    halves = [northward(1, 49.95, width_m, 0.5), northward(2, 50.05, width_m, 0.5)]
    bare, off = covered(SQUARE, halves, 200.0)
    assert bare == 0
    assert off < 1e-3


def test_a_gap_between_strips_and_a_wrong_share_are_seen() -> None:
    """Strips 0.09 deg wide leave 0.02 of 0.2 deg bare; the middle between them lies at 50 deg."""
    width_m = 0.09 * DEGREE_M
    halves = [northward(1, 49.95, width_m, 0.45), northward(2, 50.05, width_m, 0.55)]
    bare, off = covered(SQUARE, halves, 100.0)
    assert abs(bare - 0.1) < 0.005
    assert abs(off - 0.05) < 0.002


def test_a_strip_that_ends_too_soon_is_seen() -> None:
    short = northward(1, 50.0, 0.3 * DEGREE_M, 1.0)
    short = replace(short, line=line_from_lonlath([[50.0, -0.11, 0.0], [50.0, 0.08, 0.0]]))
    bare, _ = covered(SQUARE, [short], 100.0)
    assert abs(bare - 0.1) < 0.01
