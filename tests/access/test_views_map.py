"""Maps of windows: projections, what covers a pixel, letters, and pictures of any region."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Transformer

from humay.access import (
    Backdrop,
    Opportunities,
    contacts_table,
    line_from_lonlath,
    opportunities_table,
    plot_bytes,
    show,
)
from humay.access.views.drawing import (
    Dots,
    Mark,
    Picture,
    Shape,
    Word,
    clipped_ring,
    text_width,
)
from humay.access.views.map import classes_of, map_picture
from humay.access.views.png import coverage, png_bytes
from humay.access.views.projection import Azimuthal, EqualEarth
from humay.access.views.sheet import ground, sheet_for
from humay.access.views.svg import svg_text
from humay.arrays import FloatArray
from humay.errors import AccessError
from humay.mission import Mission, load_mission
from humay.orbit import ephemerides
from humay.tables import glyph
from tests.access.conftest import START, Ask, mission_file, point, satellite_text
from tests.access.made import made_contacts, made_windows
from tests.access.test_views_documents import NASTY, STATION, renamed

SVG = "{http://www.w3.org/2000/svg}"
LON, LAT = st.floats(-180, 180), st.floats(-90, 90)

# Projections -------------------------------------------------------------------------------------


def oracle(definition: str, lonlat: FloatArray) -> FloatArray:
    """PROJ's positions on a sphere of radius 1."""
    transformer = Transformer.from_crs("+proj=longlat +R=1 +no_defs", definition, always_xy=True)
    return np.stack(transformer.transform(*lonlat.T), axis=1)


@given(lon=LON, lat=st.floats(-89, 89), places=st.lists(st.tuples(LON, LAT), min_size=1))
@settings(deadline=None, max_examples=40)
def test_regions_are_drawn_as_proj_draws_them(
    lon: float, lat: float, places: list[tuple[float, float]]
) -> None:
    lonlat = np.array(places)
    projection = Azimuthal(lon_deg=lon, lat_deg=lat)
    found = projection.points(lonlat)
    near = np.hypot(*found.T) < 1.99  # opposite to the middle PROJ gives none
    expected = oracle(f"+proj=laea +lon_0={lon} +lat_0={lat} +R=1", lonlat[near])
    assert np.allclose(found[near], expected, rtol=0, atol=1e-6)
    back = projection.lonlat(found[near])
    assert np.allclose(projection.points(back), found[near], rtol=0, atol=1e-6)


@given(places=st.lists(st.tuples(LON, LAT), min_size=1))
@settings(deadline=None, max_examples=40)
def test_the_earth_is_drawn_as_proj_draws_it(places: list[tuple[float, float]]) -> None:
    lonlat = np.array(places)
    expected = oracle("+proj=eqearth +lon_0=0 +R=1", lonlat)
    assert np.allclose(EqualEarth().points(lonlat), expected, rtol=0, atol=1e-9)


def test_a_line_over_the_antimeridian_is_cut_on_a_map_of_the_earth() -> None:
    line = np.array([[170.0, 0.0], [190.0, 10.0], [550.0, 20.0]])
    pieces = EqualEarth().lines(line)
    assert len(pieces) == 3
    edge = np.max(np.abs(EqualEarth().edge()[:, 0]))
    for piece in pieces:
        assert np.max(np.abs(piece[:, 0])) <= edge + 1e-12


def inked_at(lonlat: tuple[float, float], middle: tuple[float, float]) -> tuple[bool, bool]:
    """Whether a map about `middle` has land, and whether sea, at a place."""
    sheet = sheet_for(np.array([middle, lonlat]), 0.0, 0.0, 600.0)
    sea, land = list(ground(sheet))[:2]
    assert isinstance(sea, Shape)
    assert isinstance(land, Shape)
    x, y = sheet.points(np.array([lonlat]))[0]
    window = [ring - np.floor([x, y]) for ring in land.lines]
    inside = coverage(window, 1, 1, even_odd=True)[0, 0] if window else 0.0
    return bool(inside > 0.5), len(sea.lines) == 1


@pytest.mark.parametrize(
    ("lonlat", "land"),
    [
        ((49.0, 40.5), True),  # Azerbaijan
        ((51.0, 41.0), False),  # the Caspian Sea
        ((20.0, -80.0), True),  # Antarctica
        ((0.0, 89.0), False),  # the Arctic Ocean
        ((178.0, 66.5), True),  # Chukotka, on both sides of the antimeridian
        ((-178.0, 66.5), True),
        ((-160.0, 10.0), False),  # the Pacific: Africa lies opposite
        ((-140.0, -40.0), False),  # there Central Asia does
        ((-80.0, 20.0), False),  # south of Cuba, with coasts around
    ],
)
@pytest.mark.parametrize("turn", [(0.0, 0.0), (9.0, 4.0), (-20.0, -3.0)])
def test_land_is_land_and_sea_is_sea_wherever_the_map_looks(
    lonlat: tuple[float, float], land: bool, turn: tuple[float, float]
) -> None:
    middle = (lonlat[0] + turn[0], float(np.clip(lonlat[1] + turn[1], -90, 90)))
    assert inked_at(lonlat, middle) == (land, True)


def test_every_place_is_inside_the_frame() -> None:
    for places in ([[49.9, 40.4]], [[179.0, 66.0], [-170.0, 64.0]], [[0.0, 88.0], [180.0, 85.0]]):
        sheet = sheet_for(np.array(places), 10.0, 20.0, 800.0)
        x, y = sheet.points(np.array(places)).T
        left, top, right, bottom = sheet.box
        assert np.all((x > left) & (x < right) & (y > top) & (y < bottom))
        assert not sheet.whole
    assert sheet_for(np.array([[0.0, 0.0], [180.0, 0.0]]), 0, 0, 800).whole


# Pixels ------------------------------------------------------------------------------------------

CORNER = st.tuples(st.floats(-5, 25), st.floats(-5, 25))


@given(st.lists(CORNER, min_size=3, max_size=3, unique=True), st.booleans())
def test_a_triangle_covers_its_area(corners: list[tuple[float, float]], even_odd: bool) -> None:
    ring = np.array(corners)
    inside = coverage([ring], 20, 20, even_odd=even_odd)
    area = shapely.intersection(shapely.Polygon(ring), shapely.box(0, 0, 20, 20)).area
    assert np.min(inside) > -1e-5
    assert np.max(inside) < 1 + 1e-5
    assert abs(float(inside.sum()) - area) < 1.5  # five scan lines a pixel


def test_overlaps_are_holes_by_the_even_odd_rule_only() -> None:
    square = np.array([[1.0, 1.0], [9.0, 1.0], [9.0, 9.0], [1.0, 9.0]])
    inner = 0.5 * (square - 5.0) + 5.0
    assert coverage([square, inner], 10, 10, even_odd=True)[5, 5] == pytest.approx(0, abs=1e-6)
    assert coverage([square, inner], 10, 10, even_odd=False)[5, 5] == pytest.approx(1)
    assert coverage([square, inner[::-1]], 10, 10, even_odd=False)[5, 5] == pytest.approx(0)
    half = coverage([square + 0.5], 10, 10, even_odd=False)
    assert half[5, 1] == pytest.approx(0.5)


@given(st.lists(CORNER, min_size=3, max_size=8, unique=True))
def test_a_ring_cut_to_a_box_fills_what_it_did(corners: list[tuple[float, float]]) -> None:
    ring = np.array(corners)
    cut = clipped_ring(ring, (0.0, 0.0, 20.0, 20.0))
    inside = coverage([ring], 20, 20, even_odd=True)
    after = coverage([cut], 20, 20, even_odd=True) if len(cut) else np.zeros((20, 20))
    assert np.allclose(after, inside, rtol=0, atol=1e-4)


def pixels(content: bytes) -> NDArray[np.uint8]:
    """A PNG's pixels (rows, columns, 3), after checking the sums of its chunks."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, header = 8, b"", b""
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        name, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        check = int.from_bytes(content[at + 8 + size : at + 12 + size], "big")
        assert check == zlib.crc32(name + body)
        header, data = (body if name == b"IHDR" else header), data + (body * (name == b"IDAT"))
        at += size + 12
    columns, rows = (int.from_bytes(header[i : i + 4], "big") for i in (0, 4))
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(rows, 1 + 3 * columns)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(rows, columns, 3)


def test_marks_lie_one_over_the_other() -> None:
    square = np.array([[2.0, 2.0], [18.0, 2.0], [18.0, 18.0], [2.0, 18.0]])
    marks: list[Mark] = [
        Shape(lines=[square], fill="#ff0000", closed=True),
        Dots(centres=np.array([[10.0, 10.0]]), radius=4, fill="#00ff00", stroke="#0000ff"),
        Shape(lines=[np.array([[0.0, 19.0], [20.0, 19.0]])], stroke="#000000", width=2),
        Shape(lines=[square], fill="#ffffff", closed=True, opacity=0.5),
    ]
    picture = Picture(width=20, height=20, ground="#808080", marks=marks, title="")
    image = pixels(png_bytes(picture, scale=2.0))
    assert image.shape == (40, 40, 3)
    assert image[1, 1].tolist() == [128, 128, 128]
    assert image[8, 8].tolist() == [255, 128, 128]
    assert image[20, 20].tolist() == [128, 255, 128]
    assert image[38, 20].tolist() == [0, 0, 0]


def test_letters_are_as_wide_as_their_steps_and_stand_on_the_line() -> None:
    """Roboto: of 2,048 units an em `n` takes 1,131, a space 508; capitals are 1,456 high."""
    assert text_width("n n", 2048.0) == 2 * 1131 + 508
    (ring,) = glyph("I").rings
    assert (ring[:, 1].min(), ring[:, 1].max() * 2048) == (0.0, 1456.0)
    assert len(glyph("o").rings) == 2
    assert len(glyph("ə").rings) == 2
    assert glyph("\U0001f6f0") is glyph("\ufffd")


def test_a_word_is_drawn_where_it_says() -> None:
    word = Word(text="HHH", x=50.0, y=30.0, size=20.0, colour="#000000", anchor="middle")
    picture = Picture(width=100, height=40, ground="#ffffff", marks=[word], title="")
    rows, columns = np.nonzero(pixels(png_bytes(picture, scale=1.0))[..., 0] < 128)
    assert abs((columns.min() + columns.max() + 1) / 2 - 50.0) <= 1.0
    assert rows.max() == 29
    assert abs(rows.min() - (30 - 20 * 1456 / 2048)) <= 1.0


# Pictures ----------------------------------------------------------------------------------------


def over(places: list[tuple[float, float]]) -> Opportunities:
    """A window over each of some places."""
    windows = made_windows(len(places))
    ends = [[[lon, lat - 0.05, 0.0], [lon, lat + 0.05, 0.0]] for lon, lat in places]
    names = np.array([f"p{i}" for i in range(len(places))], dtype=object)
    return replace(windows, strips=(), line=line_from_lonlath(ends), request=names, strip=names)


REGIONS = {
    "one": [(49.87, 40.41)],
    "antimeridian": [(179.0, 65.0), (-175.0, 66.0), (177.0, 63.0)],
    "pole": [(0.0, 89.0), (90.0, 86.0), (-120.0, 84.0)],
    "earth": [(0.0, 0.0), (120.0, 40.0), (-100.0, -40.0), (180.0, 10.0), (-180.0, -78.0)],
    "many": [(40 + i % 25 * 0.3, 36 + i // 25 * 0.3) for i in range(500)],
}


@pytest.mark.parametrize("region", REGIONS)
def test_a_map_is_well_made_svg_without_scripts_or_links(region: str) -> None:
    content = plot_bytes(opportunities_table(over(REGIONS[region])), ".svg")
    tree = ElementTree.fromstring(content)
    assert tree.tag == f"{SVG}svg"
    assert {e.tag.removeprefix(SVG) for e in tree.iter()} <= {
        "svg", "title", "rect", "path", "g", "circle", "text",
    }  # fmt: skip
    assert not {name for e in tree.iter() for name in e.attrib} & {"href", "src", "onload", "style"}
    width, height = float(tree.attrib["width"]), float(tree.attrib["height"])
    circles = list(tree.iter(f"{SVG}circle"))
    assert len(circles) >= len(REGIONS[region])
    for circle in circles:
        assert 0 < float(circle.attrib["cx"]) < width
        assert 0 < float(circle.attrib["cy"]) < height
    assert content == plot_bytes(opportunities_table(over(REGIONS[region])), ".svg")


def test_names_are_shown_where_there_is_room_and_never_over_each_other() -> None:
    few = map_picture(opportunities_table(over(REGIONS["antimeridian"])), Backdrop())
    words = [mark for mark in few.marks if isinstance(mark, Word)]
    assert {"p0", "p1", "p2"} <= {word.text for word in words}
    boxes = [word.box for word in words]
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
    many = map_picture(opportunities_table(over(REGIONS["many"])), Backdrop())
    assert not any(isinstance(m, Word) and m.text.startswith("p") for m in many.marks)


def test_any_name_can_be_written() -> None:
    table = opportunities_table(renamed(over([(49.0, 40.0), (50.0, 41.0)]), NASTY))
    tree = ElementTree.fromstring(plot_bytes(table, ".svg"))
    shown = {str(text.text) for text in tree.iter(f"{SVG}text")}
    assert any(text.startswith('a<b>&"c"') for text in shown)
    assert len(plot_bytes(table, ".png")) > 10_000


def test_requests_without_a_window_and_tracks_are_drawn(spot: Mission, ask: Ask) -> None:
    requests = ask([point("baku", 49.87, 40.41), point("ganja", 46.36, 40.68)])
    orbits = ephemerides(spot, START, START + timedelta(days=1))
    windows = over([(49.87, 40.41)])
    at = orbits["spot-6"].epoch.seconds(START) + 40_000.0
    windows = replace(
        windows,
        epoch=orbits["spot-6"].epoch,
        satellite=np.array(["spot-6"], dtype=object),
        start_s=np.array([at]),
        end_s=np.array([at + 60.0]),
        request=np.array(["baku"], dtype=object),
        strip=np.array(["baku"], dtype=object),
    )
    table = opportunities_table(windows)
    backdrop = Backdrop(orbits=orbits, requests=requests)
    words = {mark.text for mark in map_picture(table, backdrop).marks if isinstance(mark, Word)}
    assert {"baku", "ganja", "none", "1", "1 window of 2 requests"} <= words
    bare = {mark.text for mark in map_picture(table, Backdrop()).marks if isinstance(mark, Word)}
    assert "ganja" not in bare
    assert "1 window of 1 request" in bare


def test_nothing_to_draw_is_refused() -> None:
    nothing = replace(made_windows(0), strips=())
    with pytest.raises(AccessError, match="nothing to draw: no windows, and no places"):
        plot_bytes(opportunities_table(nothing), ".png")


@given(st.lists(st.integers(0, 300), max_size=60))
def test_every_count_has_one_class_and_none_has_its_own(counts: list[int]) -> None:
    classes = classes_of(counts)
    assert len(classes.names()) <= 5
    for count in counts:
        index = classes.of(count)
        assert (index == -1) == (count == 0)
        if count:
            assert classes.edges[index] <= count < classes.edges[index + 1]


# Notebooks ---------------------------------------------------------------------------------------


def test_a_notebook_shows_counts_a_map_and_the_ends_of_the_table() -> None:
    windows = renamed(over([(40.0 + i, 40.0) for i in range(20)]), NASTY)
    shown = show(windows)
    assert repr(shown) == "20 windows"
    html = shown._repr_html_()
    tree = ElementTree.fromstring(html)
    assert len(list(tree.iter(f"{SVG}svg"))) == 1
    rows = [["".join(cell.itertext()) for cell in row] for row in tree.iter("tr")]
    assert len(rows) == 1 + 5 + 1 + 5
    assert rows[6] == ["10 more windows"]
    assert rows[0][:3] == ["satellite", "strip", "start"]
    assert rows[1][1] == NASTY.replace("\x07", "\ufffd")
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_a_notebook_shows_contacts_and_their_stations_if_it_has_them(tmp_path: Any) -> None:
    mission = load_mission(mission_file(tmp_path, satellite_text("spot-6"), STATION))
    contacts = made_contacts(3, ["baku"])
    assert "<svg" not in show(contacts)._repr_html_()
    with_map = show(contacts, Backdrop(stations=mission.stations))._repr_html_()
    assert "<svg" in with_map
    assert "3 contacts of 1 station" in with_map
    table = contacts_table(contacts)
    assert json.loads(table.schema.metadata[b"humay"])["notes"] == []


def test_a_picture_says_what_it_is_to_those_who_cannot_see_it() -> None:
    picture = map_picture(opportunities_table(over(REGIONS["one"])), Backdrop())
    tree = ElementTree.fromstring(svg_text(picture))
    assert tree.attrib["aria-label"] == tree.findtext(f"{SVG}title") == "Map of 1 window"
