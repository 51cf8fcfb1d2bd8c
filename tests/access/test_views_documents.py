"""Windows as KML, CZML, calendars, GeoJSON and CSV: as their standards ask, whatever the names."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.access import (
    Backdrop,
    Opportunities,
    contacts_table,
    find_contacts,
    find_opportunities,
    opportunities_table,
    table_bytes,
)
from humay.access.views.common import strip_outline, wrapped
from humay.errors import AccessError
from humay.mission import Mission, load_mission
from humay.orbit import Ephemeris, ephemerides
from humay.time import parse_utc
from tests.access.conftest import START, Ask, mission_file, point, polygon, satellite_text
from tests.access.made import made_contacts, made_windows

NASTY = 'a<b>&"c"\';,\\ #1.x/ü\u2028\U0001f6f0 ]]> \x07 end'
KML = "{http://www.opengis.net/kml/2.2}"
STATION = """
[station.baku]
lon_deg = 49.87
lat_deg = 40.41
height_m = 10
min_elevation_deg = 5
"""


def renamed(windows: Opportunities, name: str) -> Opportunities:
    """All windows of points under one name."""
    points = np.array(["/" not in each for each in windows.strip])
    changed: dict[str, Any] = {
        field: np.where(points, name, getattr(windows, field)).astype(object)
        for field in ("request", "strip")
    }
    satellite = np.array([f"{name} {each}" for each in windows.satellite], dtype=object)
    return replace(windows, satellite=satellite, **changed)


# KML ---------------------------------------------------------------------------------------------

FEATURE = ["name", "open", "description", "TimeSpan", "styleUrl", "Style", "ExtendedData"]
INSIDE = {
    "Document": [*FEATURE, "Folder"],
    "Folder": [*FEATURE, "Placemark"],
    "Placemark": [*FEATURE, "Point", "LineString", "Polygon", "MultiGeometry"],
    "Style": ["IconStyle", "LabelStyle", "LineStyle", "PolyStyle"],
    "TimeSpan": ["begin", "end"],
}
"""Order of the elements used, from OGC 07-147r2, annex A: AbstractFeatureGroup, then the type."""


def kml_of(windows: Opportunities) -> ElementTree.Element:
    content = table_bytes(opportunities_table(windows), ".kml")
    return ElementTree.fromstring(content)


def test_kml_elements_stand_where_the_schema_wants_them() -> None:
    tree = kml_of(made_windows(9))
    assert tree.tag == f"{KML}kml"
    for element in tree.iter():
        name = element.tag.removeprefix(KML)
        if name in INSIDE:
            places = [INSIDE[name].index(child.tag.removeprefix(KML)) for child in element]
            assert places == sorted(places), name


def test_kml_has_a_folder_a_satellite_and_a_placemark_a_window() -> None:
    windows = made_windows(20)
    folders = kml_of(windows).findall(f".//{KML}Folder")
    assert [folder.findtext(f"{KML}name") for folder in folders] == ["sat-1", "sat-2"]
    found = [
        data.findtext(f"{KML}value")
        for data in kml_of(windows).iter(f"{KML}Data")
        if data.get("name") == "opportunity_id"
    ]
    assert sorted(str(each) for each in found) == sorted(windows.opportunity_id)
    for span in kml_of(windows).iter(f"{KML}TimeSpan"):
        begin, end = (parse_utc(str(each.text)) for each in span)
        assert begin < end


def test_kml_holds_any_name() -> None:
    """XML 1.0 has no way to write a control character but tab and line ends."""
    tree = kml_of(renamed(made_windows(4), NASTY))
    shown = NASTY.replace("\x07", "\ufffd")
    names = {element.text for element in tree.iter(f"{KML}name")}
    assert {shown, f"{shown} sat-1"} <= names


def test_kml_coordinates_are_degrees_in_their_range() -> None:
    """OGC 07-147r2, 10.3: longitudes within -180 to 180; rings close on their first point."""
    tree = kml_of(made_windows(40))
    texts = [str(each.text).split() for each in tree.iter(f"{KML}coordinates")]
    numbers = np.array([p.split(",") for text in texts for p in text], dtype=np.float64)
    assert np.all(np.abs(numbers) <= [180.0, 90.0])
    for ring in tree.iter(f"{KML}LinearRing"):
        corners = str(ring.findtext(f"{KML}coordinates")).split()
        assert corners[0] == corners[-1]
        assert len(corners) >= 4


def test_the_outline_of_a_strip_is_as_wide_as_it_says() -> None:
    """On the equator at 0 deg a great circle north: half a width is 15 km / 6371.0088 km."""
    ring = strip_outline(np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]), 30_000.0)
    half_deg = np.degrees(15.0 / 6371.0088)
    assert np.allclose(ring[[2, 7], 0], [half_deg, -half_deg], rtol=0, atol=1e-9)
    assert np.allclose(ring[[0, 4], 1], [-1.0, 1.0], rtol=0, atol=1e-5)


@given(st.floats(-1e4, 1e4))
def test_longitudes_are_wrapped_into_their_range(lon_deg: float) -> None:
    found = float(wrapped(np.array(lon_deg)))
    assert -180.0 <= found <= 180.0
    assert abs((found - lon_deg + 180.0) % 360.0 - 180.0) < 1e-9


# Calendar ----------------------------------------------------------------------------------------


def unfolded(content: bytes) -> list[tuple[str, str]]:
    """(name, value) of each content line, RFC 5545, 3.1."""
    lines = content.replace(b"\r\n ", b"").decode().split("\r\n")
    assert lines[-1] == ""
    return [(line.partition(":")[0], line.partition(":")[2]) for line in lines[:-1]]


def plain(value: str) -> str:
    """A TEXT as it was, 3.3.11."""
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def events(content: bytes) -> Iterator[dict[str, str]]:
    entries = unfolded(content)
    assert entries[0] == ("BEGIN", "VCALENDAR")
    assert entries[-1] == ("END", "VCALENDAR")
    event: dict[str, str] = {}
    for name, value in entries:
        if (name, value) == ("BEGIN", "VEVENT"):
            event = {}
        elif (name, value) == ("END", "VEVENT"):
            yield event
        else:
            assert name not in event or name in ("BEGIN", "END")
            event[name] = value


def test_a_calendar_is_folded_at_75_octets_between_letters() -> None:
    content = table_bytes(opportunities_table(renamed(made_windows(9), "ü" * 200)), ".ics")
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) == 75
    for line in lines:
        line.decode()  # no letter is cut in two


def test_events_cover_their_windows_in_whole_seconds() -> None:
    windows = made_windows(30)
    found = list(events(table_bytes(opportunities_table(windows), ".ics")))
    assert len(found) == len(windows)
    for event, start_s, end_s in zip(found, windows.start_s, windows.end_s, strict=True):
        begin, end = (
            datetime.strptime(event[name], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            for name in ("DTSTART", "DTEND")
        )
        start, finish = windows.epoch.utc(start_s), windows.epoch.utc(end_s)
        assert begin <= start < begin + timedelta(seconds=1)
        assert finish <= end < finish + timedelta(seconds=1)


def test_events_keep_their_names_and_their_ids() -> None:
    windows = renamed(made_windows(8), NASTY)
    content = table_bytes(opportunities_table(windows), ".ics")
    found = list(events(content))
    shown = NASTY.replace("\x07", "\ufffd")
    places = [each if "/0" in each else shown for each in windows.strip]
    assert [plain(event["LOCATION"]) for event in found] == places
    assert [plain(event["UID"]) for event in found] == [
        f"{each}@windows.humay" for each in windows.opportunity_id
    ]
    assert {event["DTSTAMP"] for event in found} == {"20161231T000000Z"}  # no clock
    assert content == table_bytes(opportunities_table(windows), ".ics")


def test_the_id_of_an_event_does_not_hang_on_what_else_was_found() -> None:
    few, many = made_windows(5), made_windows(9)
    ids = [
        [event["UID"] for event in events(table_bytes(opportunities_table(each), ".ics"))]
        for each in (few, many)
    ]
    assert ids[0] == ids[1][:5]


def test_contacts_are_events_at_their_station(tmp_path: Any) -> None:
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-6"), STATION))
    contacts = made_contacts(4, ["baku"])
    backdrop = Backdrop(stations=mission.stations)
    found = list(events(table_bytes(contacts_table(contacts), ".ics", backdrop)))
    assert {event["GEO"] for event in found} == {"40.410000;49.870000"}  # latitude first, 3.8.1.6
    assert {plain(event["SUMMARY"]) for event in found} == {"sat-1 over baku"}


# CZML --------------------------------------------------------------------------------------------


@pytest.fixture
def scene(spot: Mission, ask: Ask) -> tuple[Opportunities, dict[str, Ephemeris], Any]:
    square = [[47.4, 39.7], [48.0, 39.7], [48.0, 40.1], [47.4, 40.1], [47.4, 39.7]]
    requests = ask([point("# baku\\1.", 49.87, 40.41), polygon("plain", square)])
    end = START + timedelta(days=1)
    orbits = ephemerides(spot, START, end)
    found = find_opportunities(spot, requests, start=START, end=end, orbits=orbits)
    assert len(found) > 2
    content = table_bytes(
        opportunities_table(found), ".czml", Backdrop(orbits=orbits, requests=requests)
    )
    return found, orbits, json.loads(content)


def lagrange(packet: Any, at: datetime) -> Any:
    """What CesiumJS computes: the polynomial through the samples nearest to an instant."""
    (position,) = packet["position"]
    table = np.array(position["cartesian"]).reshape(-1, 4)
    t_s = (at - parse_utc(position["epoch"])) / timedelta(seconds=1)
    count = position["interpolationDegree"] + 1
    first = int(np.clip(np.searchsorted(table[:, 0], t_s) - count // 2, 0, len(table) - count))
    near = table[first : first + count]
    weights = [
        np.prod([(t_s - t) / (own - t) for t in near[:, 0] if t != own]) for own in near[:, 0]
    ]
    return np.array(weights) @ near[:, 1:]


def test_satellites_fly_in_czml_as_in_the_ephemeris(
    scene: tuple[Opportunities, dict[str, Ephemeris], Any],
) -> None:
    _, orbits, packets = scene
    by_id = {packet["id"]: packet for packet in packets}
    for name, orbit in orbits.items():
        packet = by_id[f"satellite/{name}"]
        assert packet["position"][0]["referenceFrame"] == "FIXED"
        begin, end = (parse_utc(text) for text in packet["availability"].split("/"))
        for share in np.linspace(0.0, 1.0, 97):
            at = begin + share * (end - begin)
            truth = orbit.position_itrf(np.array(orbit.epoch.seconds(at)))
            assert np.linalg.norm(lagrange(packet, at) - truth) < 0.1


def test_lines_of_sight_are_there_while_a_window_lasts(
    scene: tuple[Opportunities, dict[str, Ephemeris], Any],
) -> None:
    found, _, packets = scene
    sights = [packet for packet in packets if "polyline" in packet]
    spans = [
        each
        for packet in sights
        for each in (
            packet["availability"]
            if isinstance(packet["availability"], list)
            else [packet["availability"]]
        )
    ]
    table = opportunities_table(found)
    utc = [[str(t).replace(" ", "T")[:19] for t in table[c].to_pylist()] for c in ("start", "end")]
    assert sorted((a[:19], b[:19]) for a, _, b in (s.partition("/") for s in spans)) == sorted(
        zip(*utc, strict=True)
    )
    ids = {packet["id"] for packet in packets}
    assert len(ids) == len(packets)
    for packet in sights:
        for reference in packet["polyline"]["positions"]["references"]:
            where = re.match(r"((?:[^\\#]|\\.)*)#position$", reference)
            assert where, reference
            assert re.sub(r"\\(.)", r"\1", where[1]) in ids


def test_czml_begins_with_the_document_and_shows_every_place(
    scene: tuple[Opportunities, dict[str, Ephemeris], Any],
) -> None:
    found, _, packets = scene
    assert (packets[0]["id"], packets[0]["version"]) == ("document", "1.0")
    assert packets[0]["clock"]["interval"] == "2019-11-01T00:00:00Z/2019-11-02T00:00:00Z"
    places = {packet["id"] for packet in packets if packet["id"].startswith("place/")}
    assert places == {f"place/{name}" for name in {*found.strip, "# baku\\1."}}


def test_czml_without_an_orbit_is_refused() -> None:
    with pytest.raises(AccessError, match="no orbit of satellite 'sat-1', expected one of each"):
        table_bytes(opportunities_table(made_windows(3)), ".czml")


def test_a_satellite_that_does_not_fly_in_the_span_is_left_out(spot: Mission) -> None:
    later = START + timedelta(days=2000 / 1440)
    orbits = ephemerides(spot, later, later + timedelta(hours=1))
    nothing = replace(made_windows(0, epoch=orbits["spot-6"].epoch), span_s=(0.0, 3600.0))
    packets = json.loads(
        table_bytes(opportunities_table(nothing), ".czml", Backdrop(orbits=orbits))
    )
    assert not [packet for packet in packets if packet["id"].startswith("satellite/")]


def test_contacts_make_a_scene_too(tmp_path: Any) -> None:
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-6"), STATION))
    end = START + timedelta(days=0.5)
    orbits = ephemerides(mission, START, end)
    contacts = find_contacts(mission, start=START, end=end, orbits=orbits)
    backdrop = Backdrop(orbits=orbits, stations=mission.stations)
    packets = json.loads(table_bytes(contacts_table(contacts), ".czml", backdrop))
    (sight,) = [packet for packet in packets if "polyline" in packet]
    assert len(sight["availability"]) == len(contacts) > 1
    assert sight["polyline"]["positions"]["references"][1] == "place/baku#position"


# GeoJSON and CSV ---------------------------------------------------------------------------------


def test_geojson_puts_windows_on_their_lines_and_contacts_at_their_stations(tmp_path: Any) -> None:
    windows = made_windows(6)
    document = json.loads(table_bytes(opportunities_table(windows), ".geojson"))
    lines = [windows.line[i].lonlath() for i in range(6)]
    for feature, line in zip(document["features"], lines, strict=True):
        assert feature["geometry"]["coordinates"][0] == line[0]
        assert feature["properties"]["strip_geometry"] == line
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-6"), STATION))
    table = contacts_table(made_contacts(2, ["baku", "elsewhere"]))
    backdrop = Backdrop(stations=mission.stations)
    features = json.loads(table_bytes(table, ".geojson", backdrop))["features"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [49.87, 40.41, 10.0]}
    assert features[1]["geometry"] is None


def test_csv_has_the_columns_with_one_value_a_row() -> None:
    windows = renamed(made_windows(5), 'comma, "quoted"')
    content = table_bytes(opportunities_table(windows), ".csv").decode()
    rows = list(csv.DictReader(content.splitlines()))
    assert [row["strip"] for row in rows] == windows.strip.tolist()
    assert "geometry" not in rows[0]
    assert parse_utc(rows[0]["start"]) == windows.epoch.utc(windows.start_s[0])
    assert rows[1]["plan_start"] == ""
