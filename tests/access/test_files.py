"""Tables of the access stage: exact columns, there and back, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from humay.access import (
    Opportunities,
    contacts_table,
    find_opportunities,
    find_timeline,
    opportunities_table,
    plot_bytes,
    read_contacts,
    read_opportunities,
    read_timelines,
    table_bytes,
    timeline_table,
)
from humay.access.records import column_names
from humay.access.tables.common import rounded
from humay.errors import AccessError
from humay.mission import Mission
from humay.orbit import ephemerides
from tests.access.conftest import START, Ask, point
from tests.access.made import EPOCH, made_contacts, made_windows

UNIX = datetime(1970, 1, 1, tzinfo=UTC)


def near(line: list[list[float]]) -> list[list[float]]:
    """A line of two ends with the second on the same side of the antimeridian, one by one."""
    (a, *rest_a), (b, *rest_b) = line
    return [[a, *rest_a], [b - 360.0 * round((b - a) / 360.0), *rest_b]]


def test_a_table_holds_what_one_row_at_a_time_gives() -> None:
    """The columns are made whole; here each row is made by itself from the record."""
    windows = made_windows(200)
    table = opportunities_table(windows)
    lines = [windows.line[i].lonlath() for i in range(len(windows))]
    assert table["strip_geometry"].to_pylist() == lines
    for wkb, line in zip(table["geometry"].to_pylist(), lines, strict=True):
        assert wkb == shapely.to_wkb(shapely.LineString(near(line)), flavor="iso")
    for column, field in (("start", "start_s"), ("best", "best_s"), ("plan_end", "plan_end_s")):
        expected = [None if np.isnan(t) else windows.epoch.utc(t) for t in getattr(windows, field)]
        assert table[column].to_pylist() == expected
    ways = ["ascending" if up else "descending" for up in windows.ascending]
    assert table["pass_direction"].to_pylist() == ways


def test_instants_in_and_about_a_leap_second_are_written_as_one_by_one() -> None:
    """2016-12-31 ends with 23:59:60 (IERS Bulletin C 52)."""
    windows = made_windows(6)
    at = np.array([86_399.0, 86_399.9999996, 86_400.0, 86_400.7, 86_401.0, 86_402.5])
    moved = Opportunities(**(vars(windows) | {"start_s": at, "end_s": at + 9.0}))
    written = [str(t) for t in opportunities_table(moved)["start"].to_pylist()]
    assert written[0] == "2016-12-31 23:59:59+00:00"
    assert written[3] == "2016-12-31 23:59:59.999999+00:00"
    assert written[4] == "2017-01-01 00:00:00+00:00"
    assert written == [str(EPOCH.utc(t)) for t in at]


@given(st.lists(st.floats(-200, 200), min_size=1), st.integers(0, 9))
@example([0.5, 1.5, 2.675, -0.125, 123.4567895, -0.00000005], 7)
def test_rounding_is_that_of_python(values: list[float], digits: int) -> None:
    expected = [round(value, digits) for value in values]
    assert rounded(np.array(values), digits).tolist() == expected


def test_geometry_is_iso_wkb() -> None:
    """GeoParquet 1.1, "WKB": ISO; its code of a LineString Z is 1002 (ISO 13249-3)."""
    geometry = opportunities_table(made_windows(3))["geometry"][0].as_py()
    assert int.from_bytes(geometry[1:5], "little") == 1002


def test_windows_without_any_make_a_table() -> None:
    nothing = made_windows(0)
    table = opportunities_table(nothing)
    assert len(table) == 0
    assert table.schema.equals(opportunities_table(made_windows(2)).schema)


def saved(path: Path, windows: Opportunities) -> Path:
    path.write_bytes(table_bytes(opportunities_table(windows), ".parquet"))
    return path


def test_a_file_gives_back_the_windows(tmp_path: Path) -> None:
    windows = made_windows(50)
    back = read_opportunities(saved(tmp_path / "o.parquet", windows), EPOCH)
    for name in column_names():
        mine, theirs = getattr(windows, name), getattr(back, name)
        if name == "line":
            assert np.max(np.abs(mine.normals - theirs.normals)) < 2e-9  # 1e-7 deg
            assert np.max(np.abs(mine.heights_m - theirs.heights_m)) <= 5e-4
        elif mine.dtype == object or mine.dtype == bool:
            assert mine.tolist() == theirs.tolist(), name
        else:
            assert np.allclose(mine, theirs, rtol=1e-14, atol=1e-6, equal_nan=True), name
    assert [s.name for s in back.strips] == [s.name for s in windows.strips]
    assert back.span_s == windows.span_s


def test_a_file_is_read_on_another_time_scale(tmp_path: Path) -> None:
    windows = made_windows(5)
    later = type(EPOCH)(EPOCH.moment + timedelta(days=1))  # 86,401 s
    back = read_opportunities(saved(tmp_path / "o.parquet", windows), later)
    assert np.allclose(back.start_s, windows.start_s - 86_401.0, rtol=0, atol=1e-6)
    assert back.span_s == tuple(t - 86_401.0 for t in windows.span_s)


def test_the_time_since_the_node_is_that_of_the_orbit(spot: Mission, ask: Ask) -> None:
    requests = ask([point("baku", 49.87, 40.41)])
    end = START + timedelta(days=1.5)
    orbits = ephemerides(spot, START, end)
    found = find_opportunities(spot, requests, start=START, end=end, orbits=orbits)
    table = opportunities_table(found)
    assert len(table) > 0
    for i, name in enumerate(found.satellite):
        for column, at in (("start_anx_s", found.start_s[i]), ("end_anx_s", found.end_s[i])):
            orbit, since_s = orbits[name].orbit_at(np.array(at))
            assert table["orbit"][i].as_py() == orbit
            assert abs(table[column][i].as_py() - since_s) < 1e-6


# What is refused ---------------------------------------------------------------------------------


def changed(column: str, to: Any) -> pa.Table:
    table = opportunities_table(made_windows(4))
    return table.set_column(table.column_names.index(column), column, to)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (opportunities_table(made_windows(4)).drop_columns(["roll_deg"]), "no column 'roll_deg'"),
        (changed("start", pa.array(["now"] * 4)), "'start' holds string, expected timestamp"),
        (changed("roll_deg", pa.array(["flat"] * 4)), "'roll_deg' holds string, expected double"),
        (changed("orbit", pa.array([1.5] * 4)), "'orbit' holds double, expected int64"),
        (changed("strip", pa.array(["a", None, "b", None])), "'strip' is empty in 2 of 4 rows"),
        (changed("orbit", pa.array([1, 2, 3, None])), "'orbit' is empty in 1 of 4 rows"),
        (changed("strip_geometry", pa.array([[[1.0, 2.0]]] * 4)), "lists of 1, expected 2 in each"),
        (
            changed("strip_geometry", pa.array([[[1.0, 2.0], [3.0, 4.0]]] * 4)),
            "lists of 2, expected 3 in each",
        ),
    ],
    ids=["missing", "time", "number", "count", "nameless", "orbitless", "one end", "no height"],
)
def test_a_damaged_file_is_refused_by_name_column_and_content(
    table: pa.Table, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.parquet"
    pq.write_table(table, path)
    with pytest.raises(AccessError) as caught:
        read_opportunities(path, EPOCH)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("about", "says"),
    [
        (b"{", "the record about it"),
        (b"[1]", "format is None, expected 'humay-opportunities-1'"),
        (b'{"format": "humay-contacts-1"}', "format is 'humay-contacts-1', expected"),
        (b'{"format": "humay-opportunities-1"}', "no 'span'"),
        (
            b'{"format": "humay-opportunities-1", "strips": [], "span": ["soon", "later"]}',
            "'soon' is not a time",
        ),
    ],
)
def test_a_file_with_another_record_about_it_is_refused(
    about: bytes, says: str, tmp_path: Path
) -> None:
    table = opportunities_table(made_windows(2))
    path = tmp_path / "bad.parquet"
    pq.write_table(table.replace_schema_metadata({b"humay": about}), path)
    with pytest.raises(AccessError, match=r"bad\.parquet: ") as caught:
        read_opportunities(path, EPOCH)
    assert says in str(caught.value)


def test_damaged_contacts_and_timelines_are_refused_too(tmp_path: Path, spot: Mission) -> None:
    path = tmp_path / "bad.parquet"
    table = contacts_table(made_contacts(3, ["one"]))
    pq.write_table(table.drop_columns(["volume_gbit"]), path)
    with pytest.raises(AccessError, match=r"bad\.parquet: no column 'volume_gbit', expected one"):
        read_contacts(path, EPOCH)
    found = find_timeline(spot, start=START, end=START + timedelta(hours=1))
    path.write_bytes(table_bytes(timeline_table(found), ".parquet"))
    epoch = found["spot-6"].epoch
    for name, back in read_timelines(path, epoch).items():
        assert np.allclose(back.t_s, found[name].t_s, rtol=0, atol=1e-6)
        assert np.array_equal(back.nadir_attitude, found[name].nadir_attitude)
    narrow = pa.array([[1.0, 2.0, 3.0]] * len(timeline_table(found)))
    damaged = timeline_table(found)
    damaged = damaged.set_column(
        damaged.column_names.index("nadir_attitude"), "nadir_attitude", narrow
    )
    pq.write_table(damaged, path)
    with pytest.raises(AccessError, match=r"bad\.parquet: .*lists of 3, expected 4 in each"):
        read_timelines(path, EPOCH)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "not.parquet"
    path.write_text("a,b\n1,2\n")
    for read in (read_opportunities, read_contacts, read_timelines):
        with pytest.raises(AccessError, match="cannot be read as Parquet"):
            read(path, EPOCH)
    with pytest.raises(AccessError, match="cannot be read as Parquet"):
        read_opportunities(tmp_path / "nowhere.parquet", EPOCH)


@pytest.mark.parametrize("make", [table_bytes, plot_bytes])
def test_an_unknown_suffix_is_refused(make: Any) -> None:
    with pytest.raises(AccessError, match=r"'\.doc' is not a known"):
        make(opportunities_table(made_windows(1)), ".doc")


def test_a_record_about_the_file_lists_all_strips_and_notes() -> None:
    table = opportunities_table(made_windows(3), ["mind the orbit"])
    about = json.loads(table.schema.metadata[b"humay"])
    assert about["notes"] == ["mind the orbit"]
    assert [strip["name"] for strip in about["strips"]] == ["plain/01", "plain/02", "unseen/01"]
    assert about["span"] == ["2016-12-31T00:00:00Z", "2017-01-01T23:59:59Z"]


def test_contacts_come_back_from_their_file(tmp_path: Path) -> None:
    contacts = made_contacts(7, ["one", "two"])
    path = tmp_path / "c.parquet"
    path.write_bytes(table_bytes(contacts_table(contacts), ".parquet"))
    back = read_contacts(path, EPOCH)
    assert back.contact_id.tolist() == contacts.contact_id.tolist()
    assert np.allclose(back.start_s, contacts.start_s, rtol=0, atol=1e-6)
    assert np.allclose(back.max_elevation_rad, contacts.max_elevation_rad, rtol=1e-14, atol=0)
