"""What the capacity benchmark counts, and the book it asks for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from benchmarks.capacity import (
    ASSUMED,
    LONG_M,
    RELAXED,
    SWATH_M,
    book,
    counted,
    land_on,
    line_length_m,
    plan_day,
    spot_mission,
    track_line,
)

from humay.tables import land_outlines


def test_strips_lie_along_the_track_over_the_turning_earth() -> None:
    """At the equator the track's own inclination is atan2(sin i, cos i - turns a day^-1):
    sin 98.2 = 0.98979, cos 98.2 = -0.14263, 98.79 / 1436.07 = 0.06879, so 102.05 deg (M. Capderou,
    Satellites: Orbits and Missions, 5.3.2); southwards as much below the horizon of the map."""
    (begin_lon, begin_lat), (lon, lat) = track_line(10.0, 0.0, 200e3).coords
    southward_deg = math.degrees(math.atan2(lat - begin_lat, lon - begin_lon))
    assert southward_deg == pytest.approx(-102.05, abs=0.02)
    assert line_length_m(shapely.LineString([(0, 0), (0, 1)])) == pytest.approx(111_195, abs=1)


def test_a_strip_is_cut_at_shores_and_lakes() -> None:
    """An island of 10 deg with a lake in its north: of a line across both, the longest piece."""
    rings = [shapely.box(0, 0, 10, 10), shapely.box(2, 7, 8, 9)]
    line = shapely.LineString([(5, -5), (5, 15)])
    piece = land_on(line, rings, shapely.STRtree(rings))
    assert piece is not None
    assert sorted(piece.coords) == [(5.0, 0.0), (5.0, 7.0)]
    assert land_on(shapely.LineString([(20, 0), (20, 5)]), rings, shapely.STRtree(rings)) is None


def test_the_book_asks_for_land_in_strips_as_long_as_published() -> None:
    requests = book(60, np.random.default_rng(2))
    rings = shapely.STRtree([shapely.Polygon(r) for r in land_outlines() if len(r) > 200])
    middles = [shapely.centroid(request.geometry) for request in requests]
    on_land = [len(rings.query(middle, predicate="within")) % 2 for middle in middles]
    assert np.mean(on_land) > 0.9  # but for small islands, left out here
    assert len({request.name for request in requests}) == 60
    for request in requests:
        length_m = line_length_m(request.geometry)
        assert LONG_M[0] <= length_m <= LONG_M[1] * 1.01
        assert request.weight == pytest.approx(length_m * SWATH_M / 1e6)


def acquisition(satellite: str, start: str, end: str, value: float) -> dict[str, Any]:
    return {
        "satellite": satellite, "start": start, "end": end, "value": value, "data_gbit": 5.0,
        "centre_line": [[10.0, 1.0, 0.0], [10.0, 0.0, 0.0]], "width_m": 60_000.0,
    }  # fmt: skip


def test_what_begins_before_the_day_does_not_count() -> None:
    """A line of one degree along a meridian, 111.195 km, 60 km wide: 6,671.7 km2."""
    document = {
        "acquisitions": [
            acquisition("a", "2019-11-01T23:59:00Z", "2019-11-01T23:59:16Z", 6000.0),
            acquisition("a", "2019-11-02T00:01:00Z", "2019-11-02T00:01:16Z", 6000.0),
            acquisition("b", "2019-11-02T09:00:00Z", "2019-11-02T09:00:16Z", 3000.0),
        ],
        "downlinks": [
            {"satellite": "a", "start": "2019-11-01T23:00:00Z", "gbit": 50.0},
            {"satellite": "b", "start": "2019-11-02T10:00:00Z", "gbit": 4.0},
        ],
        "requests": [{"reason": None}, {"reason": {"code": "slew"}}],
    }
    day = counted(document, ["a", "b"])
    assert list(day.km2) == [6000.0, 3000.0]
    assert day.mean_km2 == 4500.0
    assert day.swath_km2[0] == pytest.approx(6671.7, abs=0.1)
    assert list(day.imaging_s) == [16.0, 16.0]
    assert list(day.recorded_gbit) == [5.0, 5.0]
    assert list(day.sent_gbit) == [0.0, 4.0]
    assert day.refused == {"slew": 1}


@pytest.mark.parametrize("name", [*RELAXED, *ASSUMED])
def test_every_change_changes_the_mission_and_nothing_else_asked(name: str) -> None:
    mission = spot_mission()
    changed = {**RELAXED, **ASSUMED}[name](mission)
    assert changed != mission
    assert [s.name for s in changed.satellites] == ["spot-7", "spot-6"]
    assert all(
        s.orbit == t.orbit for s, t in zip(changed.satellites, mission.satellites, strict=True)
    )


@pytest.mark.slow
def test_a_quarter_of_a_day_is_planned_and_checked() -> None:
    """Both satellites image some of a small book, never more than it asks for."""
    requests = book(40, np.random.default_rng(3))
    day = plan_day(spot_mission(), requests, hours=6.0, lead_h=2.0, iterations=0, seed=1)
    assert 0 < sum(day.km2) <= sum(request.weight for request in requests)
    assert sum(day.acquisitions) >= 2
