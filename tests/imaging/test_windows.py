"""Which windows are chosen: what they show, where they lie, and that nothing is left to chance."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.imaging.layout import Window, axis_model, line_count
from humay.imaging.pieces import find_pieces
from humay.imaging.windows import Survey, choose_windows
from humay.mission import Mission, load_mission
from humay.spacecraft import Acquisition
from tests.conftest import REPOSITORY
from tests.imaging.exposures import DrawnScene, acquisition, camera, hills, metres, satellite
from tests.sensor.flown import BAKU

PIXELS = 256
ELSEWHERE_M = 6_000.0  # south of Baku, where the mountain stands


def island(east_m: FloatArray, north_m: FloatArray) -> FloatArray:
    """Sea, a low coast 4 km south of Baku, and from 6 km on a slope of 27 deg up to 2 km."""
    inland = np.maximum(0.0, -north_m - 4_000.0)
    return np.asarray(
        0.0 * east_m + 0.002 * inland + np.clip(0.5 * (-north_m - ELSEWHERE_M), 0.0, 2_000.0)
    )


SCENE = DrawnScene(height=island)


@cache
def mission() -> Mission:
    whole = load_mission(REPOSITORY / "examples" / "azersky" / "mission.toml")
    return replace(
        whole,
        satellites=tuple(replace(satellite(), name=name) for name in ("spot-7", "spot-6")),
        cameras=(camera(),),
    )


def strip(name: str, off_nadir_deg: float, flyer: str, *, missed: bool = False) -> Acquisition:
    """The acquisition over Baku as another one."""
    flown = acquisition(off_nadir_deg)
    sweep = replace(flown.sweep, miss_along_m=500.0) if missed else flown.sweep
    return replace(flown, id=name, request=name, satellite=flyer, sweep=sweep)


STRIPS = (
    strip("A1", 0.0, "spot-7"),
    strip("A2", 0.5, "spot-7"),
    strip("A3", 25.0, "spot-6"),
    strip("A4", 0.1, "spot-7", missed=True),
)


def shown(chosen: list[tuple[Acquisition, Window]]) -> list[frozenset[str]]:
    return [Survey.of(strip, camera(), SCENE, PIXELS).features(window) for strip, window in chosen]


def test_few_windows_show_all_there_is() -> None:
    chosen = choose_windows(STRIPS, mission(), SCENE, 3, PIXELS)
    assert [strip.id for strip, _ in chosen] == ["A1", "A2", "A3"]
    assert frozenset[str]().union(*shown(chosen)) >= {
        "satellite spot-7", "satellite spot-6", "oblique", "edge",
    }  # fmt: skip
    names = [name for window in shown(chosen) for name in window]
    assert "coast" in names
    assert choose_windows(STRIPS, mission(), SCENE, 3, PIXELS) == chosen


def test_two_windows_of_two_passes_cover_the_same_ground() -> None:
    """Each of the two sees at least half of the other's, counted on its own grid of 20 x 20."""
    (one, mine), (two, theirs) = choose_windows(STRIPS, mission(), SCENE, 2, PIXELS)
    assert one.satellite != two.satellite
    for strip_a, a, strip_b, b in ((one, mine, two, theirs), (two, theirs, one, mine)):
        row = np.linspace(a.first_line, a.end_line - 1, 20)[:, None]
        col = np.linspace(a.first_column, a.end_column - 1, 20)
        height = np.zeros((20, 20))
        for _ in range(30):
            lon, lat = axis_model(strip_a, camera()).locate(row, col, height)
            height = island(*metres(lon, lat))
        r, c = axis_model(strip_b, camera()).project(lon, lat, height)
        inside = (r >= b.first_line) & (r < b.end_line)
        inside &= (c >= b.first_column) & (c < b.end_column)
        assert inside.mean() > 0.45


def test_where_nothing_is_added_a_window_lies_on_the_place_of_its_request() -> None:
    """The first strip shows the edge of the swath, the second one a place 3 km south of Baku."""
    lon, lat = float(BAKU[0]), float(BAKU[1]) - 3_000 / 6_371e3
    level = DrawnScene(height=hills)
    chosen = choose_windows(STRIPS[:2], mission(), level, 2, PIXELS, {"A2": (lon, lat)})
    [(_, edge), (strip, window)] = chosen
    assert edge.first_column == 0
    place = np.asarray(lon), np.asarray(lat)
    row, col = axis_model(strip, camera()).project(*place, level.height_m(*place))
    assert abs(window.first_line + PIXELS / 2 - row) <= 1
    assert abs(window.first_column + PIXELS / 2 - col) <= 1


def test_missed_strips_and_short_ones_are_left_out() -> None:
    assert choose_windows(STRIPS[3:], mission(), SCENE, 4, PIXELS) == []
    assert choose_windows(STRIPS[:1], mission(), SCENE, 4, 20_000) == []
    assert choose_windows([], mission(), SCENE, 4, PIXELS) == []
    assert choose_windows(STRIPS, mission(), SCENE, 0, PIXELS) == []


@pytest.mark.parametrize("number", [0, 2])
def test_every_window_of_a_strip_is_seen_by_all_bands(number: int) -> None:
    """The first and the last of them are, so their ground is in the strip's time for each chip."""
    own = replace(STRIPS[number])
    survey = Survey.of(own, camera(), SCENE, PIXELS)
    windows = list(survey.windows())
    flyer = mission().satellite(own.satellite)
    for window in (windows[0], windows[-1]):
        for piece in find_pieces(own, flyer, SCENE, window, seed=1):
            ratio = camera().line_ratio(piece.view.band)
            assert piece.shape[0] >= PIXELS / ratio
            assert piece.lines[0] >= 0
            assert piece.lines[1] <= line_count(own, piece.view.band, camera())
    columns = {(window.first_column, window.end_column) for window in windows}
    assert min(columns)[0] == 0
    assert max(columns)[1] == 1024
