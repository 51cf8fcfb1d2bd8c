"""The catalogue finds what a look at every item finds, and survives what may befall it."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.catalogue import Added, Catalogue, CatalogueItem, Query, add_files, search
from humay.catalogue.instants import microseconds, text
from humay.errors import CatalogueError, OutputError
from tests.catalogue.made import document, item, on_disk


def ids(items: list[CatalogueItem]) -> list[str]:
    return [found.id for found in items]


# Adding ------------------------------------------------------------------------------------------


def test_adding_twice_changes_not_one_byte(tmp_path: Path) -> None:
    paths = [on_disk(tmp_path, name, collection="l1c") for name in "abc"]
    db = tmp_path / "catalogue.db"
    assert add_files(db, paths) == Added(new=3, changed=0, same=0)
    before = db.read_bytes()
    assert add_files(db, paths) == Added(new=0, changed=0, same=3)
    assert db.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c", "catalogue.db"]  # one file, no more


def test_the_same_items_make_the_same_file(tmp_path: Path) -> None:
    paths = [on_disk(tmp_path, name) for name in "abc"]
    for name in ("one.db", "two.db"):
        add_files(tmp_path / name, paths)
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "two.db").read_bytes()


def test_an_item_of_the_same_name_replaces_the_old_one(tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    with Catalogue.open(db, create=True) as catalogue:
        catalogue.add([item("a"), item("a", collection="l1c"), item("b")])
        moved = item("a", (10, 10, 11, 11), collection="l1c")
        assert catalogue.add([moved]) == Added(new=0, changed=1, same=0)
        assert len(catalogue) == 3
        there = catalogue.search(Query(bbox=(10, 10, 11, 11)))
        assert [(found.id, found.collection) for found in there] == [("a", "l1c")]
        assert len(catalogue.search(Query(bbox=(48, 40, 49, 41)))) == 2


def test_one_bad_item_keeps_all_of_them_out(tmp_path: Path) -> None:
    paths = [on_disk(tmp_path, name) for name in "abc"]
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document() | {"geometry": None}))
    db = tmp_path / "catalogue.db"
    add_files(db, paths[:1])
    with pytest.raises(CatalogueError, match=r"bad\.json: geometry is None"):
        add_files(db, [*paths, bad])
    assert ids(search(db, Query())) == ["a"]


def test_two_different_items_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = on_disk(tmp_path / "x", "a"), on_disk(tmp_path / "y", "a", gsd=2.0)
    with pytest.raises(CatalogueError, match=r"y/a/item\.json: item 'a' is given twice"):
        add_files(tmp_path / "catalogue.db", [first, second])
    assert ids(search(tmp_path / "catalogue.db", Query())) == []


def test_removed_items_are_found_no_more(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "catalogue.db", create=True) as catalogue:
        catalogue.add([item("a"), item("b"), item("a", collection="l1c")])
        assert catalogue.remove(["a"], collection="l1c") == 1
        assert catalogue.remove(["a", "z"]) == 1
        assert catalogue.remove(["a"]) == 0
        assert ids(catalogue.search(Query(bbox=(0, 0, 90, 90)))) == ["b"]
        assert catalogue.add([item("a")]) == Added(new=1, changed=0, same=0)


def test_items_come_back_as_they_were_and_know_their_file(tmp_path: Path) -> None:
    """Beneath the catalogue's folder the file is kept relative to it: both may move together."""
    home = tmp_path / "run"
    far = on_disk(tmp_path / "far", "far", gsd=1.5, platform="Ü-1")
    near = on_disk(home / "products", "near", gsd=0.1 + 0.2)
    add_files(home / "catalogue.db", [far, near])
    home.rename(tmp_path / "moved")
    found = {each.id: each for each in search(tmp_path / "moved" / "catalogue.db", Query())}
    assert found["far"].document == json.loads(far.read_bytes())
    assert found["near"].document["properties"]["gsd"] == 0.1 + 0.2
    assert found["far"].location == far.resolve()
    assert found["near"].location == tmp_path.resolve() / "moved/products/near/item.json"
    assert found["near"].location.is_file()


# Finding -----------------------------------------------------------------------------------------

DAY = 86_400_000_000
LONS = st.integers(-36, 36).map(lambda n: n * 5.0) | st.integers(-(180 * 10**6), 180 * 10**6).map(
    lambda n: n / 1e6
)
LATS = st.integers(-18, 18).map(lambda n: n * 5.0) | st.integers(-(90 * 10**6), 90 * 10**6).map(
    lambda n: n / 1e6
)
TIMES = st.integers(0, 20).map(lambda n: n * DAY) | st.integers(0, 20 * DAY)


@st.composite
def shapes(draw: st.DrawFn) -> shapely.Geometry:
    """A point, a line, a triangle, or two of these far apart or on both sides of 180."""
    kind = draw(st.sampled_from(("point", "line", "triangle", "two", "split")))
    at = [(draw(LONS), draw(LATS)) for _ in range(3)]
    if kind == "point":
        return shapely.Point(at[0])
    if kind == "line" and at[0] != at[1]:
        return shapely.LineString(at[:2])
    if kind == "two":
        return shapely.MultiPoint(at[:2])
    if kind == "split":
        south, north = sorted((at[0][1], at[1][1] + 1e-3))
        sides = (shapely.box(175, south, 180, north), shapely.box(-180, south, -172, north))
        made = shapely.MultiPolygon(sides)
    else:
        made = shapely.Polygon(at)
    return made if made.is_valid and not made.is_empty else shapely.Point(at[0])


@st.composite
def placed(draw: st.DrawFn) -> CatalogueItem:
    shape, first = draw(shapes()), draw(TIMES)
    last = first + draw(st.sampled_from((0, 1, DAY)))
    made = document("-") | {
        "geometry": json.loads(shapely.to_geojson(shape)),
        "bbox": list(shape.bounds),
    }
    spans = draw(st.booleans())
    made["properties"] = {"datetime": None if spans else text(first)}
    if spans:
        made["properties"] |= {"start_datetime": text(first), "end_datetime": text(last)}
    return CatalogueItem(document=made)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, ...]:
    south, north = sorted((draw(LATS), draw(LATS)))
    return draw(LONS), south, draw(LONS), north


def touches(shape: shapely.Geometry, box: tuple[float, ...]) -> bool:
    """Brute force on an Earth unrolled three times: no cutting at the antimeridian needed."""
    west, south, east, north = box
    east += 360.0 if west > east else 0.0
    ends = [(west, south), (east, south), (east, north), (west, north)]
    wanted = shapely.MultiPoint(ends).convex_hull  # a box, a line or a point
    return any(
        shapely.intersects(shapely.affinity.translate(shape, turn), wanted)
        for turn in (-360.0, 0.0, 360.0)
    )


@settings(max_examples=150, deadline=None)
@given(
    made=st.lists(placed(), min_size=1, max_size=12),
    box=st.none() | boxes(),
    first=st.none() | TIMES,
    length=st.none() | st.sampled_from((0, 1, 3 * DAY)),
    limit=st.none() | st.integers(1, 5),
)
def test_a_search_finds_what_a_look_at_every_item_finds(
    made: list[CatalogueItem],
    box: tuple[float, ...] | None,
    first: int | None,
    length: int | None,
    limit: int | None,
) -> None:
    items = [
        CatalogueItem(document=dict(each.document) | {"id": f"{i:02}"})
        for i, each in enumerate(made)
    ]
    last = None if length is None else (first or 0) + length
    wanted = [
        each
        for each in items
        if (box is None or touches(each.shape, box))
        and (first is None or each.span_us[1] >= first)
        and (last is None or each.span_us[0] <= last)
    ]
    wanted.sort(key=lambda each: (-each.nominal_us, each.id))
    with Catalogue(Path(":memory:"), sqlite3.connect(":memory:", isolation_level=None)) as store:
        store._prepare(create=True)
        store.add(items)
        found = store.search(Query(bbox=box, span_us=(first, last), limit=limit))
    assert ids(found) == ids(wanted[:limit])


def test_the_box_and_the_geometry_must_touch_not_only_their_bounds(tmp_path: Path) -> None:
    """A diagonal strip leaves the corners of its bounding box empty."""
    strip = document("strip", (0, 0, 10, 10))
    strip["geometry"] = {"type": "LineString", "coordinates": [[0, 0], [10, 10]]}
    with Catalogue.open(tmp_path / "catalogue.db", create=True) as store:
        store.add([CatalogueItem(document=strip)])
        assert ids(store.search(Query(bbox=(8, 0, 10, 2)))) == []
        assert ids(store.search(Query(bbox=(5, 5, 5, 5)))) == ["strip"]


def test_edges_count_to_the_last_bit(tmp_path: Path) -> None:
    """An R*Tree alone keeps 24 bits, 0.4 m of longitude and two minutes of time."""
    with Catalogue.open(tmp_path / "catalogue.db", create=True) as store:
        store.add([item("a", (10.0, 0.0, 48.123456789, 1.0), "2019-11-01T07:30:13.000001Z")])
        over = float(np.nextafter(48.123456789, 49))
        assert ids(store.search(Query(bbox=(48.123456789, 0, 50, 1)))) == ["a"]
        assert ids(store.search(Query(bbox=(over, 0, 50, 1)))) == []
        at = microseconds("2019-11-01T07:30:13.000001Z")
        for span, hit in (
            ((at, at), True),
            ((at + 1, None), False),
            ((None, at - 1), False),
            ((None, at), True),
        ):
            assert bool(store.search(Query(bbox=(0, 0, 50, 1), span_us=span))) == hit
            assert bool(store.search(Query(span_us=span))) == hit


def test_the_antimeridian_is_no_edge(tmp_path: Path) -> None:
    with Catalogue.open(tmp_path / "catalogue.db", create=True) as store:
        store.add(
            [
                item("fiji", (179.5, -17, -179.5, -16)),
                item("east", (170, -17, 172, -16)),
                item("west", (-172, -17, -170, -16)),
                item("touching", (178, -17, 180, -16)),
                item("beyond", (-180, -17, -178, -16)),
            ]
        )
        for box, wanted in (
            ((179, -18, -179, -15), "beyond fiji touching"),
            ((-179.9, -18, -179, -15), "beyond fiji"),
            ((-180, -18, -179.9, -15), "beyond fiji touching"),  # -180 is the same line as 180
            ((179.9, -18, 180, -15), "beyond fiji touching"),
            ((178, -18, 179.4, -15), "touching"),
            ((171, -18, -171, -15), "beyond east fiji touching west"),
            ((0, -18, 10, -15), ""),
        ):
            assert " ".join(ids(store.search(Query(bbox=box)))) == wanted, box


def test_heights_count_where_an_item_has_some(tmp_path: Path) -> None:
    low, flat = document("low"), document("flat")
    low["bbox"] = [48.0, 40.0, -30.0, 49.0, 41.0, 120.0]
    with Catalogue.open(tmp_path / "catalogue.db", create=True) as store:
        store.add([CatalogueItem(document=low), CatalogueItem(document=flat)])
        assert ids(store.search(Query(bbox=(48, 40, 120, 49, 41, 999)))) == ["flat", "low"]
        assert ids(store.search(Query(bbox=(48, 40, 121, 49, 41, 999)))) == ["flat"]


def test_newest_come_first_and_a_limit_cuts_the_oldest(tmp_path: Path) -> None:
    times = {"b": "2019-11-02", "a": "2019-11-01", "d": "2019-11-02", "c": "2019-11-03"}
    db = tmp_path / "catalogue.db"
    with Catalogue.open(db, create=True) as store:
        store.add([item(name, time=f"{day}T00:00:00Z") for name, day in times.items()])
    words = Query.from_text
    assert ids(search(db, words())) == ["c", "b", "d", "a"]
    assert ids(search(db, words(limit=2, bbox="40,30,50,45"))) == ["c", "b"]
    assert ids(search(db, words(datetime="../2019-11-02T00:00:00Z"))) == ["b", "d", "a"]
    assert ids(search(db, words(datetime="2019-11-02T00:00:00.000001Z/.."))) == ["c"]
    assert ids(search(db, words(datetime="2019-11-01T00:00:00+00:00"))) == ["a"]
    assert ids(search(db, words(ids=["d", "a", "x' OR 1 --"]))) == ["d", "a"]
    assert ids(search(db, words(collections=["l1c"]))) == []


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"bbox": "1,2,3"}, "expected 4 or 6 numbers"),
        ({"bbox": "1,2,3,x"}, "expected numbers like"),
        ({"bbox": "nan,2,3,4"}, "expected 4 or 6 numbers"),
        ({"bbox": "170,-10,190,10"}, "in -180 to 180"),
        ({"bbox": "0,10,1,-10"}, "south below north"),
        ({"bbox": "0,0,9,1,1,3"}, "least height first"),
        ({"datetime": "yesterday"}, "datetime 'yesterday' is not a time"),
        ({"datetime": "../.."}, "open on both sides"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_a_question_without_sense_is_refused(asked: dict[str, Any], reason: str) -> None:
    with pytest.raises(CatalogueError, match=reason):
        Query.from_text(**asked)


# What may befall it ------------------------------------------------------------------------------


def test_what_is_no_catalogue_is_refused_in_one_line(tmp_path: Path) -> None:
    def said(path: Path, *, create: bool = False) -> str:
        before = path.read_bytes() if path.is_file() else None
        with pytest.raises(CatalogueError) as refusal:
            Catalogue.open(path, create=create)
        assert (path.read_bytes() if path.is_file() else None) == before
        assert "\n" not in str(refusal.value)
        return str(refusal.value).removeprefix(f"{path}: ")

    assert said(tmp_path / "none.db").startswith("there is no such file")
    assert said(tmp_path).startswith("is no ordinary file")
    assert "unable to open" in said(tmp_path / "no" / "a.db", create=True)
    plain = tmp_path / "plain.db"
    plain.write_bytes(b"a picture, not a database" * 40)
    assert "file is not a database" in said(plain, create=True)
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as other:
        other.execute("CREATE TABLE item (id)")
    other.close()
    assert said(foreign, create=True) == "is an SQLite file of another program"
    assert said(foreign) == "is an SQLite file of another program"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("PRAGMA user_version = 2", "format is 2, expected 1: made by a newer Humay"),
        ("PRAGMA user_version = 0", "format is 0, expected 1: not one of Humay"),
        ("DROP TABLE place", "not those of a catalogue"),
        ("CREATE TRIGGER t AFTER INSERT ON item BEGIN DELETE FROM item; END", "not those of"),
        ("ALTER TABLE item ADD COLUMN more", "not those of a catalogue"),
    ],
)
def test_a_catalogue_that_was_changed_is_refused(change: str, reason: str, tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    Catalogue.open(db, create=True).__exit__(None, None, None)
    connection = sqlite3.connect(db)
    connection.execute(change)
    connection.commit()
    connection.close()
    with pytest.raises(CatalogueError, match=reason):
        Catalogue.open(db)


def test_a_damaged_catalogue_is_answered_in_one_line_or_rightly(tmp_path: Path) -> None:
    """Whatever page is destroyed, nobody sees a traceback, nor an item nobody added."""
    db = tmp_path / "catalogue.db"
    with Catalogue.open(db, create=True) as store:
        store.add([item(f"{i:03}", (i / 2, 0, i / 2 + 1, 1)) for i in range(60)])
    whole = db.read_bytes()
    random, refused = np.random.default_rng(4), 0
    for _ in range(60):
        spoilt = bytearray(whole)
        at = int(random.integers(len(spoilt) - 600))
        spoilt[at : at + 600] = random.bytes(600)
        db.write_bytes(spoilt[: int(random.integers(at, len(spoilt)))])
        try:
            found = search(db, Query(bbox=(0, 0, 40, 1)))
        except CatalogueError as error:
            assert "\n" not in str(error)  # noqa: PT017
            refused += 1
        else:
            assert set(ids(found)) <= {f"{i:03}" for i in range(60)}
    assert refused > 20


def test_a_reader_sees_the_state_before_or_after_never_between(tmp_path: Path) -> None:
    """A writer replaces all ten items by ten of the next generation, forty times over."""
    db = tmp_path / "catalogue.db"

    def generation(n: int) -> list[CatalogueItem]:
        return [item(f"{i}", (i, 0, i + 1, 1), gsd=float(n)) for i in range(10)]

    with Catalogue.open(db, create=True) as store:
        store.add(generation(0))
    seen: set[float] = set()
    failures: list[Exception] = []

    def write() -> None:
        try:
            with Catalogue.open(db) as store:
                for n in range(1, 40):
                    store.add(generation(n))
        except (CatalogueError, OutputError) as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    while writer.is_alive() or not seen:
        found = search(db, Query(bbox=(0, 0, 20, 1)))
        numbers = {each.document["properties"]["gsd"] for each in found}
        assert len(found) == 10
        assert len(numbers) == 1
        seen |= numbers
    writer.join()
    assert failures == []
    assert {each.document["properties"]["gsd"] for each in search(db, Query())} == {39.0}


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            with Catalogue.open(db, create=True) as store:
                for n in range(40):
                    store.add([item(f"{name}{n}")])
        except (CatalogueError, OutputError) as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert len(search(db, Query())) == 80


WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    from humay.catalogue import Catalogue
    from tests.catalogue.made import item

    with Catalogue.open(Path(sys.argv[1]), create=True) as store:
        for n in range(100_000):
            store.add([item(f"{n:05}-{i}", (i, 0, i + 1, 1)) for i in range(5)])
            print(n, flush=True)
""")


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_transactions(tmp_path: Path) -> None:
    """kill -9 after a random while, eight times over: what was confirmed is there, five by five."""
    random = np.random.default_rng(6)
    db = tmp_path / "catalogue.db"
    hot = 0
    for _ in range(8):
        db.unlink(missing_ok=True)
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(db)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        wanted = int(random.integers(1, 40))
        confirmed = -1
        for line in writer.stdout:
            confirmed = int(line)
            if confirmed >= wanted:
                break
        threading.Event().wait(float(random.uniform(0, 0.02)))
        writer.send_signal(signal.SIGKILL)
        confirmed = max([confirmed, *map(int, writer.stdout.read().split())])
        writer.wait()
        writer.stdout.close()
        hot += (tmp_path / "catalogue.db-journal").exists()
        found = search(db, Query(bbox=(0, 0, 9, 1)))
        assert len(found) in (5 * (confirmed + 1), 5 * (confirmed + 2))
        assert len({each.id for each in found}) == len(found)
        with Catalogue.open(db, create=True) as store:
            assert store.add([item("00000-0", (0, 0, 1, 1))]) == Added(new=0, changed=0, same=1)
            assert len(store) == len(found)
    assert hot > 0  # one at least was killed inside a transaction


def test_a_file_that_cannot_grow_keeps_its_old_state(tmp_path: Path) -> None:
    db = tmp_path / "catalogue.db"
    with Catalogue.open(db, create=True) as store:
        store.add([item("a")])
    before = db.read_bytes()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5000,) * 2)
        try:
            with Catalogue.open(db) as store:
                store.add([item(f"b{i}", title="x" * 500) for i in range(100)])
        except OutputError as error:
            os._exit(7 if "could not be written" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert ids(search(db, Query())) == ["a"]
