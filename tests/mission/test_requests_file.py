"""Request files: what loads, what it becomes, and what is refused with which words."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from humay.errors import RequestError
from humay.mission import Mission, Request, files, load_requests
from humay.mission.request import REQUEST

GANJA = {"type": "Point", "coordinates": [46.36, 40.68]}
SQUARE = [[48.0, 40.0], [49.0, 40.0], [49.0, 41.0], [48.0, 41.0], [48.0, 40.0]]
Read = Callable[[Any], tuple[Request, ...]]


def feature(geometry: Any = GANJA, /, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"name": "ganja"} | properties,
    }


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


@pytest.fixture
def read(mission: Mission, folder: Path) -> Read:
    def read_document(document: Any) -> tuple[Request, ...]:
        path = folder / "requests.geojson"
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return load_requests(path, mission)

    return read_document


def refusal(read: Read, document: Any) -> str:
    """The one line that refuses a document, without the folder."""
    with pytest.raises(RequestError) as caught:
        read(document)
    message = str(caught.value)
    assert "\n" not in message
    return message[message.index("requests.geojson") :]


def words_of_refusal(read: Read, document: Any) -> str | None:
    try:
        read(document)
    except RequestError as error:
        return str(error)
    return None


def test_a_request_with_everything_said(read: Read) -> None:
    properties = {
        "priority": 9,
        "weight": 2.5,
        "purpose": "wheat",
        "start": "2019-11-01T06:00:00Z",
        "end": "2019-11-02T10:00:00+04:00",
        "max_off_nadir_deg": 20,
        "min_sun_elevation_deg": 30,
        "max_cloud": 0.2,
        "height_m": 408,
    }
    [request] = read(collection(feature(**properties)))
    assert request == Request(
        name="ganja",
        geometry=Point(46.36, 40.68),
        kind="point",
        height_m=408.0,
        height_source="height_m",
        priority=9,
        weight=2.5,
        purpose="wheat",
        start=datetime(2019, 11, 1, 6, tzinfo=UTC),
        end=datetime(2019, 11, 2, 6, tzinfo=UTC),
        max_off_nadir_rad=math.radians(20),
        min_sun_elevation_rad=math.radians(30),
        max_cloud=0.2,
    )


def test_a_request_with_nothing_said_but_its_name(read: Read) -> None:
    [request] = read(collection(feature()))
    assert (request.priority, request.weight, request.purpose) == (5, 1.0, "")
    assert (request.start, request.end, request.max_off_nadir_rad) == (None, None, None)
    assert request.height_source == "relief"


def test_a_property_that_is_null_is_one_that_is_not_said(read: Read) -> None:
    """Table programs write null into every empty cell."""
    nothing = dict.fromkeys(set(REQUEST.names) - {"name"})
    assert read(collection(feature(**nothing))) == read(collection(feature()))


def test_a_single_feature_and_an_empty_collection_are_request_files(read: Read) -> None:
    assert [request.name for request in read(feature())] == ["ganja"]
    assert read(collection()) == ()


def test_each_geometry_has_its_kind(read: Read) -> None:
    shapes = {
        "point": {"type": "Point", "coordinates": [48, 40]},
        "line": {"type": "LineString", "coordinates": [[48, 40], [49, 41]]},
        "area": {"type": "Polygon", "coordinates": [SQUARE]},
        "areas": {
            "type": "MultiPolygon",
            "coordinates": [[SQUARE], [[[x + 2, y] for x, y in SQUARE]]],
        },
    }
    found = read(collection(*(feature(shape, name=name) for name, shape in shapes.items())))
    assert [request.kind for request in found] == ["point", "line", "area", "area"]
    assert [type(request.geometry) for request in found] == [
        Point,
        LineString,
        Polygon,
        MultiPolygon,
    ]


def test_foreign_members_of_geojson_are_left_alone(read: Read) -> None:
    document = collection(feature() | {"id": 7, "bbox": [46, 40, 47, 41]}) | {"title": "autumn"}
    document["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert len(read(document)) == 1


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def point(*coordinates: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(coordinates)}


REFUSALS: list[tuple[Any, str]] = [
    # properties
    (
        collection(*[feature(name=f"f{i}") for i in range(11)], feature(prio=3)),
        "requests.geojson: feature 12 'ganja': unknown property 'prio', did you mean 'priority'?",
    ),
    (
        feature(colour="red"),
        "requests.geojson: feature 1 'ganja': unknown property 'colour', expected one of: name, "
        "priority, weight, purpose, start, end, max_off_nadir_deg, min_sun_elevation_deg, "
        "max_cloud, constraints, stereo, satellites, completion, repeat, attempts, min_attempts, "
        "corridor_width_km, height_m",
    ),
    (
        {"type": "Feature", "geometry": GANJA, "properties": {}},
        "requests.geojson: feature 1: property 'name' is missing, expected a text of one line, not "
        "empty: what the request is called; no two have the same name",
    ),
    (
        {"type": "Feature", "geometry": GANJA, "properties": None},
        "requests.geojson: feature 1: properties is missing, expected a table with a name",
    ),
    (
        feature(name=" "),
        "requests.geojson: feature 1 ' ': name is ' ', expected a text of one line, not empty",
    ),
    (
        feature() | {"priority": 3},
        "requests.geojson: feature 1 'ganja': 'priority' stands beside the properties, expected "
        "among them",
    ),
    (
        feature(priority=11),
        "requests.geojson: feature 1 'ganja': priority is 11, expected a whole number at least 1 "
        "and at most 10",
    ),
    (
        feature(priority="high"),
        "requests.geojson: feature 1 'ganja': priority is 'high', expected a whole number at least "
        "1 and at most 10",
    ),
    (
        feature(weight=0),
        "requests.geojson: feature 1 'ganja': weight is 0, expected a number more than 0 and at "
        "most 1000000000",
    ),
    (
        feature(max_cloud=20),
        "requests.geojson: feature 1 'ganja': max_cloud is 20, expected a number at least 0 and at "
        "most 1",
    ),
    (
        feature(max_off_nadir_deg=90),
        "requests.geojson: feature 1 'ganja': max_off_nadir_deg is 90, expected a number more than "
        "0 and less than 90",
    ),
    (
        feature(start="2019-11-01"),
        "requests.geojson: feature 1 'ganja': start is '2019-11-01', expected a time with Z like "
        "2026-03-01T06:30:00Z",
    ),
    (
        feature(start="2019-11-02T00:00:00Z", end="2019-11-02T00:00:00Z"),
        "requests.geojson: feature 1 'ganja': request 'ganja': end is 2019-11-02T00:00:00+00:00, "
        "expected after start 2019-11-02T00:00:00+00:00",
    ),
    (
        collection(feature(), feature(name="baku"), feature()),
        "requests.geojson: features 1 and 3 are both named 'ganja', expected different names",
    ),
    # coordinates
    (
        feature(point(40.68, 146.36)),
        "requests.geojson: feature 1 'ganja': coordinates: latitude is 146.36, expected a number "
        "at least -90 and at most 90: are longitude and latitude swapped?",
    ),
    (
        feature(point(4512345.5, 46.0)),
        "requests.geojson: feature 1 'ganja': coordinates: longitude is 4512345.5, expected a "
        "number at least -180 and at most 360",
    ),
    (
        feature(point(46.36, None)),
        "requests.geojson: feature 1 'ganja': coordinates: latitude is missing, expected a number "
        "at least -90 and at most 90",
    ),
    (
        feature(point("46.36", "40.68")),
        "requests.geojson: feature 1 'ganja': coordinates: longitude is '46.36', expected a number "
        "at least -180 and at most 360",
    ),
    (
        feature(point(46.36)),
        "requests.geojson: feature 1 'ganja': coordinates is [46.36], expected [longitude, "
        "latitude] or with a height",
    ),
    (
        feature(point(46.36, 40.68, 99999)),
        "requests.geojson: feature 1 'ganja': coordinates: height is 99999, expected a number at "
        "least -1000 and at most 10000",
    ),
    (
        feature(polygon([*SQUARE[:2], [49.0, 141.0], *SQUARE[3:]])),
        "requests.geojson: feature 1 'ganja': coordinates[0][2]: latitude is 141.0, expected a "
        "number at least -90 and at most 90: are longitude and latitude swapped?",
    ),
    (
        '{"type": "Feature", "properties": {"name": "ganja"},\n "geometry": {"type": "Point", '
        '"coordinates": [1e999, 40]}}',
        "requests.geojson: feature 1 'ganja': coordinates: longitude is inf, expected a number at "
        "least -180 and at most 360",
    ),
    # geometries
    (
        feature(None),
        "requests.geojson: feature 1 'ganja': geometry is missing, expected Point, LineString, "
        "Polygon or MultiPolygon",
    ),
    (
        feature({"type": "MultiPoint", "coordinates": [[46, 40]]}),
        "requests.geojson: feature 1 'ganja': geometry is 'MultiPoint', expected Point, "
        "LineString, Polygon or MultiPolygon",
    ),
    (
        feature({"type": ["Point"], "coordinates": [46, 40]}),
        "requests.geojson: feature 1 'ganja': geometry is ['Point'], expected Point, LineString, "
        "Polygon or MultiPolygon",
    ),
    (
        feature(polygon([[48, 40], [49, 41], [49, 40], [48, 41], [48, 40]])),
        "requests.geojson: feature 1 'ganja': polygon crosses itself at lon 48.5, lat 40.5, "
        "expected a simple outline",
    ),
    (
        feature(polygon([[48, 40], [49, 40], [48, 40]])),
        "requests.geojson: feature 1 'ganja': coordinates[0] has 3 positions, expected at least 4",
    ),
    (
        feature(polygon(SQUARE[:4])),
        "requests.geojson: feature 1 'ganja': ring coordinates[0] ends at [48.0, 41.0], expected "
        "its first position [48.0, 40.0] again",
    ),
    (
        feature(polygon([[48, 40], [49, 40], [50, 40], [48, 40]])),
        "requests.geojson: feature 1 'ganja': polygon has no area, expected a ring round one",
    ),
    (
        feature(polygon()),
        "requests.geojson: feature 1 'ganja': coordinates is [], expected a list with something in "
        "it",
    ),
    (
        feature({"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE[:3]]]}),
        "requests.geojson: feature 1 'ganja': coordinates[1][0] has 3 positions, expected at least "
        "4",
    ),
    (
        feature({"type": "LineString", "coordinates": [[48, 40]]}),
        "requests.geojson: feature 1 'ganja': coordinates has 1 positions, expected at least 2",
    ),
    (
        feature({"type": "LineString", "coordinates": [[48, 40, 1], [49, 40]]}),
        "requests.geojson: feature 1 'ganja': some positions have a height and others have none, "
        "expected all or none",
    ),
    # documents
    (
        {"type": "Polygon", "coordinates": [SQUARE]},
        "requests.geojson: is 'Polygon', expected a GeoJSON FeatureCollection or Feature",
    ),
    ([1, 2], "requests.geojson: is [1, 2], expected a GeoJSON FeatureCollection or Feature"),
    (
        {"type": "FeatureCollection"},
        "requests.geojson: features is missing, expected a list",
    ),
    (collection(7), "requests.geojson: feature 1: is 7, expected a Feature"),
    (
        collection({"type": "Point"}),
        "requests.geojson: feature 1: is 'Point', expected a Feature",
    ),
    (
        collection() | {"crs": {"type": "name", "properties": {"name": "EPSG:32639"}}},
        "requests.geojson: crs is 'EPSG:32639', expected longitude and latitude in WGS 84 (CRS84)",
    ),
    # text
    (
        '{"type": "FeatureCollection",\n "features": [}',
        "requests.geojson:2:15: Expecting value, expected JSON",
    ),
    ("", "requests.geojson:1:1: Expecting value, expected JSON"),
    (
        '{"a": "NaN \\" NaN",\n  "b": [NaN]}',
        "requests.geojson:2:9: found NaN, expected a number",
    ),
    (
        '{"type": "Feature", "a": -Infinity}',
        "requests.geojson:1:26: found -Infinity, expected a number",
    ),
    (
        '{"name": "a", "name": "b"}',
        "requests.geojson: an object has the key 'name' with 'a' and 'b', expected each key once",
    ),
    ("[" * 100_000, "requests.geojson: is nested too deeply, expected GeoJSON"),
]


@pytest.mark.parametrize(("document", "message"), REFUSALS, ids=[m for _, m in REFUSALS])
def test_a_wrong_request_file_is_refused_with_where_found_and_expected(
    read: Read, document: Any, message: str
) -> None:
    assert refusal(read, document) == message


def test_numbers_of_thousands_of_digits_are_refused(read: Read) -> None:
    message = refusal(read, '{"type": 1' + "0" * 5000 + "}")
    assert message.startswith("requests.geojson: Exceeds the limit (4300 digits)")


def test_a_file_too_large_is_refused_by_its_size_before_it_is_read(
    mission: Mission, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """250 MB of nothing, which must not even be opened."""
    path = tmp_path / "large.geojson"
    with path.open("wb") as file:
        file.truncate(250_000_000)
    monkeypatch.delattr(Path, "open")
    with pytest.raises(RequestError, match="has 250 MB, expected at most 200 MB"):
        load_requests(path, mission)


def test_a_stream_without_end_is_refused_by_what_was_read(
    mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "REQUEST_BYTES", 3_000_000)
    with pytest.raises(RequestError, match="has 3 MB, expected at most 3 MB"):
        load_requests("/dev/zero", mission)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(name=st.sampled_from(REQUEST.names), seed=st.integers(0, 10**6))
def test_no_misspelt_property_ever_loads(read: Read, name: str, seed: int) -> None:
    rng = random.Random(seed)
    i = rng.randrange(len(name))
    wrong = name[:i] + rng.choice(["", name[i] * 2, "x", "_"]) + name[i + 1 :]
    assume(wrong not in REQUEST.names)
    document = feature()
    document["properties"][wrong] = document["properties"].pop(name, 1)
    assert f"unknown property {wrong!r}, did you mean" in refusal(read, document)


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "features", "geometry", "coordinates", "properties", "name"]),
            inner
            | st.sampled_from(["Feature", "FeatureCollection", "Point", "Polygon", "LineString"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(document=_JSON, geometry=_JSON, wrapped=st.booleans())
def test_whatever_json_comes_is_read_or_refused_in_one_line(
    read: Read, document: Any, geometry: Any, wrapped: bool
) -> None:
    """Nothing but a RequestError of one line ever comes out."""
    if wrapped:
        document = feature({"type": "Polygon", "coordinates": geometry}, name="x")
    words = words_of_refusal(read, document)
    assert words is None or ("requests.geojson" in words and "\n" not in words)


def test_an_area_is_densified_straight_in_longitude_and_latitude(read: Read) -> None:
    hole = [[48.4, 40.4], [48.6, 40.4], [48.6, 40.6], [48.4, 40.4]]
    [request] = read(feature(polygon(SQUARE, hole)))
    [(exterior, [inner])] = request.densified_lonlat(0.25)
    assert len(exterior) == 4 * 4 + 1
    assert np.array_equal(exterior[0], exterior[-1])
    assert np.abs(np.diff(exterior, axis=0)).max() <= 0.25
    assert np.abs(np.diff(inner, axis=0)).max() <= 0.25
    assert Polygon(exterior, [inner]).equals(request.geometry)
    coarse = request.densified_lonlat(10.0)
    assert len(coarse[0][0]) == 5
    assert Polygon(*coarse[0]).equals(request.geometry)
    with pytest.raises(ValueError, match="max_step_deg is 0"):
        request.densified_lonlat(0)


def test_only_a_line_has_line_positions_and_only_an_area_has_rings(read: Read) -> None:
    line, area = read(
        collection(
            feature({"type": "LineString", "coordinates": [[170, 0], [-170, 10]]}, name="line"),
            feature(polygon(SQUARE)),
        )
    )
    positions = line.densified_line_lonlat(1.0)
    assert positions.shape == (21, 2)
    assert np.allclose(positions[10], [180, 5])
    with pytest.raises(ValueError, match="has kind 'line', expected 'area'"):
        line.densified_lonlat(1.0)
    with pytest.raises(ValueError, match="has kind 'area', expected 'line'"):
        area.densified_line_lonlat(1.0)


@given(seed=st.integers(0, 10**6), step=st.floats(0.01, 5))
def test_densified_edges_keep_the_shape_and_the_step(seed: int, step: float) -> None:
    rng = np.random.default_rng(seed)
    radii, angles = rng.uniform(0.2, 3, 7), np.sort(rng.uniform(0, 2 * np.pi, 7))
    corners = np.column_stack((radii * np.cos(angles), radii * np.sin(angles)))
    shape = Polygon(corners)
    request = Request(name="x", geometry=shape, kind="area")
    [(exterior, _)] = request.densified_lonlat(step)
    assert np.abs(np.diff(exterior, axis=0)).max() <= step * (1 + 1e-12)
    assert Polygon(exterior).area == pytest.approx(shape.area, rel=1e-9)


def test_a_request_made_by_hand_checks_itself() -> None:
    with pytest.raises(RequestError, match="request 'x': geometry is a Point, expected a line"):
        Request(name="x", geometry=Point(0, 0), kind="line")
    with pytest.raises(RequestError, match="request 'x': a point has no height_m"):
        Request(name="x", geometry=Point(0, 0), kind="point")
    with pytest.raises(RequestError, match="request 'x': priority is 0, expected a whole number"):
        Request(name="x", geometry=Point(0, 0), kind="point", height_m=0.0, priority=0)
