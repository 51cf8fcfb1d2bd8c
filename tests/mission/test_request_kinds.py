"""What else a request may ask for: read from GeoJSON, checked, refused with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from humay.errors import MissionError, RequestError
from humay.mission import CoarseRelief, Mission, Request, load_requests, requests_from_geojson

LINE = {"type": "LineString", "coordinates": [[49.0, 40.0], [49.5, 40.5]]}
POINT = {"type": "Point", "coordinates": [49.87, 40.41, 0.0]}


def asked(geometry: dict[str, Any] = POINT, /, **properties: Any) -> Request:
    """A request with these properties."""
    feature = {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"name": "baku"} | properties,
    }
    [request] = requests_from_geojson(feature, where="baku.geojson", heights=CoarseRelief())
    return request


def test_without_the_keys_every_satellite_may_image_it_and_parts_count_straight() -> None:
    request = asked()
    assert request.satellites is None
    assert request.allows("any")
    assert request.completion == "linear"


def test_satellites_and_a_curve_of_completion_are_read() -> None:
    request = asked(LINE, satellites=["spot-7"], completion=[[0, 0], [0.5, 0.2], [1, 1]])
    assert request.satellites == ("spot-7",)
    assert request.allows("spot-7")
    assert not request.allows("spot-6")
    assert request.completion == ((0.0, 0.0), (0.5, 0.2), (1.0, 1.0))
    assert asked(LINE, completion="whole").completion == "whole"


REFUSED = [
    ({"satellites": []}, "satellites is []"),
    ({"satellites": "spot-7"}, "satellites is 'spot-7'"),
    ({"satellites": ["spot-7", "spot-7"]}, "expected a list of different names"),
    ({"satellites": [7]}, "satellites is [7]"),
    ({"satellites": [""]}, "satellites is ['']"),
    ({"completion": "half"}, "completion is 'half'"),
    ({"completion": []}, "completion is []"),
    ({"completion": [[0, 0]]}, "expected \"linear\", \"whole\" or a list"),
    ({"completion": [[0, 0], [1, 0.9]]}, "from [0, 0] to [1, 1]"),
    ({"completion": [[0, 0.1], [1, 1]]}, "from [0, 0] to [1, 1]"),
    ({"completion": [[0, 0], [0.5, 0.6], [0.5, 0.7], [1, 1]]}, "shares rising"),
    ({"completion": [[0, 0], [0.5, 0.6], [0.7, 0.5], [1, 1]]}, "worths not falling"),
    ({"completion": [[0, 0], [0.5, float("nan")], [1, 1]]}, "completion is"),
    ({"completion": [[0, 0], [-0.5, 0.5], [1, 1]]}, "completion is"),
    ({"completion": [[0, 0, 0], [1, 1, 1]]}, "completion is"),
    ({"completion": 1.0}, "completion is 1.0"),
    ({"repeat": {}}, "key 'count' is missing"),
    ({"repeat": {"count": 3}}, "neither every_h nor min_separation_h"),
    ({"repeat": {"count": 1, "min_separation_h": 1}}, "count is 1"),
    ({"repeat": {"count": 2.5, "min_separation_h": 1}}, "count is 2.5"),
    ({"repeat": {"count": 3, "min_separation_h": 0}}, "min_separation_h is 0"),
    ({"repeat": {"count": 3, "min_separation_h": -1}}, "min_separation_h is -1"),
    ({"repeat": {"count": 3, "min_separation_h": float("nan")}}, "min_separation_h is nan"),
    ({"repeat": {"count": 3, "min_separation_h": 1, "within_h": 1}}, "within_h without every_h"),
    ({"repeat": {"count": 3, "every_h": 2}}, "every_h without a start"),
    ({"repeat": {"count": 3, "every_h": 2, "within_h": 3}}, "within_h is 3"),
    ({"repeat": {"count": 3, "every_h": 2, "within_h": 0}}, "within_h is 0"),
    ({"repeat": {"count": 3, "every_h": 2, "min_separation_h": 4}}, "never further apart"),
    ({"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T05:59:59Z",
      "repeat": {"count": 3, "every_h": 2}}, "repeat takes 6 h"),
    ({"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T03:59:00Z",
      "repeat": {"count": 3, "min_separation_h": 2}}, "repeat takes 4 h"),
    ({"repeat": {"count": 3, "min_separation_h": 2}, "stereo": {"min_convergence_deg": 9}},
     "stereo and repeat"),
    ({"attempts": 0}, "attempts is 0"),
    ({"attempts": 21}, "attempts is 21"),
    ({"attempts": 1.5}, "attempts is 1.5"),
    ({"min_attempts": -1}, "min_attempts is -1"),
    ({"attempts": 4, "min_attempts": 2}, "expected none or that of min_attempts"),
    ({"min_attempts": 2, "stereo": {"min_convergence_deg": 9}}, "stereo and min_attempts"),
    ({"min_attempts": 2, "repeat": {"count": 3, "min_separation_h": 2}}, "repeat and min_attempts"),
    ({"repeat": {"count": 3, "every": 2}}, "unknown key 'every'"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "message"), REFUSED, ids=[str(p) for p, _ in REFUSED])
def test_what_contradicts_itself_is_refused_with_the_key(
    properties: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError) as error:
        asked(LINE, **properties)
    assert message in str(error.value)
    assert "baku" in str(error.value)


def test_a_satellite_that_the_mission_does_not_have_is_refused_with_the_nearest(
    mission: Mission, tmp_path: Path
) -> None:
    path = tmp_path / "requests.geojson"
    path.write_text(
        '{"type": "Feature", "geometry": {"type": "Point", "coordinates": [49, 40, 0]},'
        ' "properties": {"name": "baku", "satellites": ["spot7"]}}'
    )
    with pytest.raises(RequestError, match=r"'baku': satellites names 'spot7'.*'spot-7'\?"):
        load_requests(path, mission)


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ('clouds = "expected"', "objective counts clouds, expected a raster"),
        ('clouds = "sometimes"', 'clouds is \'sometimes\', expected "ignored" or "expected"'),
        ("clouds = 1", "clouds is 1"),
        ('cloud = "expected"', "did you mean 'clouds'?"),
    ],
)
def test_an_objective_that_cannot_be_is_refused(
    load: Callable[..., Mission], objective: str, message: str
) -> None:
    with pytest.raises(MissionError) as error:
        load(("[run]", f"[objective]\n{objective}\n[run]"))
    assert message in str(error.value)


def test_clouds_are_ignored_unless_a_mission_says_otherwise(load: Callable[..., Mission]) -> None:
    assert load().counted_clouds is None
    assert load(("[run]", '[objective]\nclouds = "ignored"\n[run]')).counted_clouds is None
