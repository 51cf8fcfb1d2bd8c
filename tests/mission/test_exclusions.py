"""Areas that are never imaged: how they are read, and which places lie in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from humay.errors import MissionError
from humay.mission import Mission
from humay.mission.kinds import Place
from humay.mission.lonlat import area, lies_in

NAME = 'name = "Azersky and SPOT 6"'
Load = Callable[..., Mission]


def collection(*rings: Any) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"why": "not ours"},
            }
            for ring in rings
        ],
    }


@pytest.fixture
def barred(load: Load, folder: Path) -> Callable[[Any], Mission]:
    """The mission with an exclusions file of this content."""

    def mission(document: Any) -> Mission:
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / "areas.geojson").write_text(text)
        return load((NAME, f'{NAME}\nexclusions = "areas.geojson"'))

    return mission


def excludes(mission: Mission, lon_deg: float, lat_deg: float) -> bool:
    return bool(mission.excludes(np.radians(lon_deg), np.radians(lat_deg)))


def test_places_inside_an_area_are_excluded_and_those_outside_are_not(
    barred: Callable[[Any], Mission],
) -> None:
    mission = barred(
        collection(
            [[48, 40], [49, 40], [49, 41], [48, 41], [48, 40]],
            [[179, -18], [-179, -18], [-179, -16], [179, -16], [179, -18]],
            [[0, 60], [90, 60], [180, 60], [-90, 60], [0, 60]],
        )
    )
    assert len(mission.exclusions) == 3
    for lon, lat in ((48.5, 40.5), (48.5 - 360, 40.5), (179.5, -17), (-179.5, -17), (180.5, -17)):
        assert excludes(mission, lon, lat)
    for lon, lat in ((47.9, 40.5), (48.5, 41.1), (178.9, -17), (-178.9, -17), (10, 59.9)):
        assert not excludes(mission, lon, lat)
    for lon in (-179, -0.1, 0, 45, 179.9, 359):
        assert excludes(mission, lon, 60.1)
        assert excludes(mission, lon, 90)


def test_a_mission_without_exclusions_excludes_nothing(mission: Mission) -> None:
    assert mission.exclusions == ()
    assert not mission.excludes(np.linspace(-3, 3, 7), np.zeros(7)).any()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[", "areas.geojson:1:2: Expecting value, expected JSON"),
        ({"type": "Polygon"}, "areas.geojson: is 'Polygon', expected a GeoJSON FeatureCollection"),
        (
            {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}},
            "areas.geojson: feature 1: is a point, expected a Polygon or MultiPolygon",
        ),
        (
            collection([[48, 40], [49, 41], [49, 40], [48, 41], [48, 40]]),
            "areas.geojson: feature 1: polygon crosses itself at lon 48.5, lat 40.5",
        ),
        ({"type": "FeatureCollection", "features": [3]}, "feature 1: is 3, expected a Feature"),
    ],
)
def test_a_wrong_file_is_refused_with_where_found_and_expected(
    barred: Callable[[Any], Mission], document: Any, message: str
) -> None:
    with pytest.raises(MissionError) as caught:
        barred(document)
    assert message in str(caught.value)


def test_a_missing_file_is_refused(load: Load) -> None:
    with pytest.raises(MissionError, match=r"exclusions is 'lost.geojson', expected a file"):
        load((NAME, f'{NAME}\nexclusions = "lost.geojson"'))


@given(
    west=st.floats(-180, 180), width=st.floats(1, 359), lon=st.floats(-400, 800),
    turns=st.integers(-2, 2),
)  # fmt: skip
def test_whole_turns_change_nothing(west: float, width: float, lon: float, turns: int) -> None:
    shape = Polygon([(west, -10), (west + width, -10), (west + width, 10), (west, 10)])
    lat = np.array([0.0])
    inside = (lon - west) % 360 < width
    if min(abs((lon - west) % 360 - edge) for edge in (0, width, 360)) > 1e-9:
        assert lies_in(shape, np.array([lon + 360 * turns]), lat) == inside


def test_a_box_round_the_globe_holds_every_longitude() -> None:
    place = Place(file="here", error=MissionError)
    box = area([[np.array([[-180.0, -5], [180, -5], [180, 5], [-180, 5], [-180, -5]])]], place)
    assert lies_in(box, np.linspace(-360, 720, 1081), np.zeros(1081)).all()
