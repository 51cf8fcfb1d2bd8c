"""Items are refused with file and reason, whatever is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.catalogue import item_from_document, read_item
from humay.catalogue.instants import interval, microseconds, text
from humay.errors import CatalogueError
from tests.catalogue.made import document

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]


def changed(**parts: Any) -> dict[str, Any]:
    """An item with other parts; None takes one away."""
    made = document() | parts
    return {key: value for key, value in made.items() if value is not None}


def dated(**properties: Any) -> dict[str, Any]:
    return changed(properties=properties)


def shaped(kind: str, coordinates: Any) -> dict[str, Any]:
    return changed(geometry={"type": kind, "coordinates": coordinates})


BAD: dict[str, tuple[Any, str]] = {
    "list": ([], "type is"),
    "text": ("item", "type is 'item'"),
    "collection": (changed(type="Collection"), "type is 'Collection', expected a STAC item"),
    "plain geojson": (changed(stac_version=None), "stac_version is None"),
    "old": (changed(stac_version="0.9.0"), r"stac_version is '0\.9\.0'"),
    "no id": (changed(id=None), "id is None"),
    "empty id": (changed(id=""), "id is ''"),
    "number id": (changed(id=7), "id is 7"),
    "empty collection": (changed(collection=""), "collection is ''"),
    "no properties": (changed(properties=None), "properties is None"),
    "no datetime": (dated(), "no datetime"),
    "null datetime": (dated(datetime=None), "expected a datetime, or start_datetime"),
    "half a span": (dated(datetime=None, start_datetime="2019-11-01T00:00:00Z"), "expected a da"),
    "backwards": (
        dated(
            datetime=None,
            start_datetime="2019-11-01T00:00:01Z",
            end_datetime="2019-11-01T00:00:00Z",
        ),
        "before it starts",
    ),
    "no zone": (dated(datetime="2019-11-01T00:00:00"), "is not a time"),
    "no such day": (dated(datetime="2019-02-30T00:00:00Z"), "is not a time: day is out of range"),
    "before all days": (dated(datetime="0001-01-01T00:00:00+14:00"), "is not a time"),
    "number time": (dated(datetime=20191101), "is not a time"),
    "null geometry": (changed(geometry=None), "geometry is None"),
    "no geometry": (shaped("Circle", [0, 0]), "geometry is"),
    "empty": (shaped("Polygon", []), "geometry is empty"),
    "text coordinates": (shaped("Point", ["1", "2"]), "geometry cannot be read"),
    "open ring": (shaped("Polygon", [SQUARE[:-1]]), "geometry cannot be read"),
    "huge": (shaped("Point", [10**400, 0]), "geometry"),
    "bow tie": (
        shaped("Polygon", [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]),
        "not valid: Self-intersection",
    ),
    "beyond": (shaped("Point", [181.0, 0.0]), "geometry reaches from 181 to 181"),
    "no bbox": (changed(bbox=None), "bbox is None"),
    "three": (changed(bbox=[0, 0, 1]), "bbox is"),
    "bool": (changed(bbox=[True, 0, 1, 1]), "bbox is"),
    "huge bbox": (changed(bbox=[10**400, 0, 1, 1]), "bbox is"),
    "upside down": (changed(bbox=[0, 0, 9, 1, 1, 3]), "the least height first"),
    "no links": (changed(links=None), "expected links"),
    "a link": (changed(links=[{"rel": "via"}]), "link 0 is"),
    "no assets": (changed(assets=None), "and assets"),
    "an asset": (changed(assets={"pan": "pan.tif"}), "asset 'pan' is"),
    "nan": (dated(datetime="2019-11-01T00:00:00Z", gsd=float("nan")), "a number that is none"),
    "half": (dated(datetime="2019-11-01T00:00:00Z", title="\ud800"), "half of a character"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_item_is_refused_with_its_file_and_reason(name: str) -> None:
    found, reason = BAD[name]
    with pytest.raises(CatalogueError, match=reason) as refusal:
        item_from_document(found, where="a.json")
    assert str(refusal.value).startswith("a.json: ")
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 5_000_000 + b"]" * 5_000_000, "nested too deeply"),  # 10 MB
        (b'{"a":' * 70 + b"1" + b"}" * 70, "type is None"),
        (json.dumps(changed(extra=json.loads("[" * 70 + "]" * 70))).encode(), "more than 64 deep"),
        (json.dumps(document()).replace("48.0", "NaN").encode(), "NaN is no number of JSON"),
        (json.dumps(document()).replace("48.0", "1e999").encode(), "beyond every number"),
        (b'{"id": "a", "id": "b"}', "the key 'id' is there twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b" " * (16 * 2**20 + 1), "expected at most 16777216"),
    ],
)
def test_a_file_that_is_no_item_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CatalogueError, match=reason) as refusal:
        read_item(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.json: cannot be read: No such file"):
        read_item(tmp_path / "none.json")
    with pytest.raises(CatalogueError, match="cannot be read: Is a directory"):
        read_item(tmp_path)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("Feature"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from([*document(), "datetime", "coordinates"]) | st.text(), inner),
    max_leaves=12,
), st.sampled_from([*document(), "whole", "datetime"]))  # fmt: skip
def test_whatever_stands_in_an_item_is_taken_or_refused(value: Any, place: str) -> None:
    made: Any = document()
    if place == "whole":
        made = value
    elif place == "datetime":
        made["properties"]["datetime"] = value
    else:
        made[place] = value
    try:
        taken = item_from_document(made, where="a.json")
    except CatalogueError as refusal:
        assert str(refusal).startswith("a.json: ")  # noqa: PT017
    else:
        assert taken.span_us[0] <= taken.span_us[1]


# Instants ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "same"),
    [
        # RFC 3339, section 5.8, its examples
        ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520000Z"),
        ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57Z"),
        ("1990-12-31T23:59:60Z", "1990-12-31T23:59:59.999999Z"),
        ("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870000Z"),
        ("2019-11-01t07:30:00z", "2019-11-01T07:30:00Z"),
        ("2019-11-01T07:30:00.123456789Z", "2019-11-01T07:30:00.123456Z"),
    ],
)
def test_instants_of_rfc_3339_are_understood(words: str, same: str) -> None:
    assert text(microseconds(words)) == same


def test_microseconds_count_from_1970() -> None:
    assert microseconds("1970-01-01T00:00:00Z") == 0
    assert microseconds("2001-09-09T01:46:40.000001Z") == 1_000_000_000_000_001  # POSIX 1e9


@pytest.mark.parametrize(
    "words",
    ["", "2019-11-01", "2019-11-01T07:30Z", "2019-11-01 07:30:00Z", "2019-11-01T24:00:00Z",
     "2019-11-01T07:30:00+2500", "２019-11-01T07:30:00Z", "9999-12-31T23:59:59-01:00"],
)  # fmt: skip
def test_what_is_no_instant_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        microseconds(words)


def test_intervals_may_be_open_on_one_side() -> None:
    first, last = "2019-11-01T00:00:00Z", "2019-11-02T00:00:00Z"
    a, b = microseconds(first), microseconds(last)
    assert interval(first) == interval("2019-11-01T00:00Z") == (a, a)
    assert interval(f"{first}/{last}") == (a, b)
    assert interval(f"{first}/..") == interval(f"{first}/") == (a, None)
    assert interval(f"../{last}") == interval(f"/{last}") == (None, b)
    for words, reason in (
        ("../..", "open on both"),
        ("/", "open on both"),
        ("", "is not a time"),
        ("..", "is not a time"),
        (f"{last}/{first}", "ends before it begins"),
        (f"{first}/{first}/{last}", "is not a time"),
    ):
        with pytest.raises(ValueError, match=reason):
            interval(words)
