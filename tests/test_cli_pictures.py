"""The verbs after the plan as a user meets them: fly, process, catalogue."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pystac
import pytest

from humay.files import json_bytes
from tests.chain.command import humay, refusal
from tests.chain.small import EXAMPLE, NAMES, PIXELS, Small, built, item_of

HUMAY = Path(sys.executable).parent / "humay"
L1C, L2P = (f"{NAMES[0]}_{level}" for level in ("L1C", "L2P"))


@pytest.fixture(scope="module")
def small() -> Small:
    return built()


@pytest.fixture
def database(small: Small, tmp_path: Path) -> Path:
    """A catalogue of the four products."""
    path = tmp_path / "catalogue.db"
    done = humay("catalogue", "add", path, small.folder / "products", "--json")
    assert json.loads(done.stdout) == {"new": 4, "changed": 0, "same": 0}
    return path


# ---------------------------------------------------------------- fly


def test_a_flight_without_pictures_is_told_in_words_and_as_json(
    small: Small, tmp_path: Path
) -> None:
    words = ("fly", small.mission_file, small.plan_file, "-o", tmp_path / "flight", "--render", 0)
    done = humay(*words)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{tmp_path}/flight: 2 acquisitions flown, 0 missed\n"
    told = json.loads(humay(*words, "--json").stdout)
    assert told == {"output": str(tmp_path / "flight"), "raw": [], "missed": []}


def test_a_plan_of_another_mission_is_refused(small: Small, tmp_path: Path) -> None:
    other = EXAMPLE.parent / "pair" / "mission.toml"
    done = humay("fly", other, small.plan_file, "-o", tmp_path / "out")
    refusal(
        done, "plan.mission is 'Azersky and SPOT 6', expected 'Two satellites over one antenna'"
    )
    assert not (tmp_path / "out").exists()


def spoilt(small: Small, path: Path, old: str, new: str) -> Path:
    text = small.plan_file.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('{"format"', '["format"', "not JSON"),
        ('"humay-plan-1"', '"humay-plan-9"', "expected 'humay-plan-1'"),
        ('"delivered"', '"received"', "'delivered'"),
        ('"orbit":', '"orbit":NaN,"orbit":', "plan.json"),
        ('"start":"2019', '"start":"2019-13', "2019-13"),
        ('"A0001"', '"../../A0001"', "'../../A0001'"),
    ],
)
def test_a_spoilt_plan_is_refused_in_one_line(
    old: str, new: str, words: str, small: Small, tmp_path: Path
) -> None:
    plan = spoilt(small, tmp_path / "plan.json", old, new)
    done = humay("fly", small.mission_file, plan, "-o", tmp_path / "out", "--pixels", PIXELS)
    refusal(done, words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("verb", ["run", "fly", "process"])
@pytest.mark.parametrize("place", ["a file", "below a file", "where nothing may be"])
def test_an_output_that_cannot_be_is_told(
    verb: str, place: str, small: Small, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    out = {
        "a file": tmp_path / "file",
        "below a file": tmp_path / "file" / "out",
        "where nothing may be": Path("/proc/humay"),
    }[place]
    words = {
        "run": ("run", small.mission_file),
        "fly": ("fly", small.mission_file, small.plan_file, "--pixels", PIXELS),
        "process": ("process", small.raw(0), "--dem", small.dem(0), "--level", "L1C"),
    }[verb]
    refusal(humay(*words, "-o", out, "--quiet"), str(out).removesuffix("/out"))
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


# ---------------------------------------------------------------- process


def test_products_are_told_in_words_and_as_json(small: Small, tmp_path: Path) -> None:
    words = ("process", small.raw(0), "--dem", small.dem(0), "-o", tmp_path, "--level", "L1C")
    done = humay(*words)
    assert done.stdout == f"{tmp_path}/{L1C}: Kok-Aral dam, orthorectified\n"
    assert json.loads(humay(*words, "--json").stdout) == [f"{tmp_path}/{L1C}/{L1C}.json"]


@pytest.mark.parametrize(
    "words",
    [
        ("--level", "L3"),
        ("--level", "l1c"),
        ("--dem-vertical", "sea"),
        ("--dem-sigma", "-1"),
        ("--pixel", "0"),
        ("--tolerance", "0"),
        ("--threads", "0"),
    ],
)
def test_wrong_use_is_exit_status_2(words: tuple[str, str], small: Small, tmp_path: Path) -> None:
    done = humay("process", small.raw(0), "--dem", small.dem(0), "-o", tmp_path / "out", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[0] in done.stderr
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_wrong_use(small: Small) -> None:
    assert humay("process", small.raw(0), "-o", "out").returncode == 2
    assert humay("process", small.raw(0), "--dem", "dem.tif").returncode == 2
    assert humay("fly", small.mission_file, small.plan_file).returncode == 2
    assert (
        humay("fly", small.mission_file, small.plan_file, "-o", "o", "--render", -1).returncode == 2
    )
    assert humay("catalogue", "search").returncode == 2


def test_inputs_are_refused_in_one_line(small: Small, tmp_path: Path) -> None:
    """One of each kind; what can be wrong with images and elevations stands with their tests."""
    out = tmp_path / "out"
    refusal(humay("process", tmp_path / "no", "--dem", small.dem(0), "-o", out), "no: cannot be")
    refusal(humay("process", small.raw(0), "--dem", tmp_path / "no", "-o", out), "DEM ", "no: ")
    refusal(humay("process", small.raw(0), "--dem", small.dem(1), "-o", out), "the image needs")
    refusal(
        humay("process", small.mission_file, "--dem", small.dem(0), "-o", out),
        "expected DIMAP XML, TIFF, NITF or JPEG 2000",
    )
    refusal(
        humay("process", small.dem(0), "--dem", small.dem(0), "-o", out),
        "A0001.tif: has no RPC, expected one in it or in A0001.geom beside it",
    )
    refusal(
        humay("process", small.raw(0), "--dem", small.dem(0), "-o", out, "--acquired", "noon"),
        "--acquired",
        "'noon'",
    )
    assert list(tmp_path.iterdir()) == []


def ended(*words: object, out: str) -> subprocess.CompletedProcess[str]:
    """The installed command with its stdout led elsewhere by a shell."""
    line = " ".join(["exec", str(HUMAY), *map(str, words), out])
    return subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, timeout=120, check=False
    )


def test_results_that_cannot_be_told_are_a_failure_in_one_line(database: Path) -> None:
    """On a full disk, with a buffer still to be written at the end."""
    search = ("catalogue", "search", database, "--json")
    done = ended(*search, out="> /dev/full")
    assert done.returncode == 1
    assert done.stderr == "humay: standard output: No space left on device\n"
    done = ended(*search, out=">&-")  # closed: nobody wants to know
    assert (done.returncode, done.stderr) == (0, "")


# ---------------------------------------------------------------- catalogue add


def test_items_are_added_once_however_they_are_named(small: Small, tmp_path: Path) -> None:
    """The folder of all products, that of one, and its item."""
    products, database = small.folder / "products", tmp_path / "c.db"
    for what, words in (
        (products / L1C, "1 new, 0 changed, 0 the same"),
        (products / L1C / f"{L1C}.json", "0 new, 0 changed, 1 the same"),
        (products, "3 new, 0 changed, 1 the same"),
        (products, "0 new, 0 changed, 4 the same"),
    ):
        done = humay("catalogue", "add", database, what)
        assert done.stdout == f"{database}: {words}\n", done.stderr
    assert found(database) == sorted(product.id for product in small.products)


def test_an_item_that_has_changed_takes_the_place_of_the_old_one(
    small: Small, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(small.folder / "products" / L1C, tmp_path / L1C))
    humay("catalogue", "add", tmp_path / "c.db", folder)
    item = json.loads((folder / f"{L1C}.json").read_text())
    item["properties"]["title"] = "Better"
    (folder / f"{L1C}.json").write_bytes(json_bytes(item))
    assert "0 new, 1 changed" in humay("catalogue", "add", tmp_path / "c.db", folder).stdout
    (feature,) = collection(humay("catalogue", "search", tmp_path / "c.db", "--json").stdout)
    assert feature["properties"]["title"] == "Better"


def test_items_that_cannot_be_are_refused_and_none_is_added(
    small: Small, database: Path, tmp_path: Path
) -> None:
    before = database.read_bytes()
    timeless = item_of(small.product("L1C"))
    del timeless["properties"]["datetime"]
    files = {
        "timeless.json": (json_bytes(timeless), "properties have no datetime"),
        "plan.json": (small.plan_file.read_bytes(), "expected a STAC item"),
        "text.json": (b"nothing", "is not JSON"),
    }
    for name, (content, words) in files.items():
        (tmp_path / name).write_bytes(content)
        good = small.product("L2P", 1).item_path
        refusal(humay("catalogue", "add", database, good, tmp_path / name), name, words)
        refusal(humay("catalogue", "add", tmp_path / "new.db", tmp_path / name), name, words)
        assert database.read_bytes() == before
    refusal(humay("catalogue", "add", database, tmp_path / "none.json"), "cannot be read: No such")
    (tmp_path / "empty").mkdir()
    refusal(humay("catalogue", "add", database, tmp_path / "empty"), "holds no product, expected")


@pytest.mark.parametrize("verb", ["add", "search", "export"])
def test_what_is_no_catalogue_is_refused(verb: str, small: Small, tmp_path: Path) -> None:
    last: dict[str, tuple[object, ...]] = {
        "add": (small.product("L1C").folder,),
        "search": (),
        "export": ("-o", tmp_path / "e.parquet"),
    }
    (tmp_path / "text.db").write_text("not a catalogue, but longer than a hundred letters" * 10)
    (tmp_path / "folder.db").mkdir()
    for name in ("text.db", "folder.db"):
        refusal(humay("catalogue", verb, tmp_path / name, *last[verb]), name)
    if verb != "add":
        refusal(
            humay("catalogue", verb, tmp_path / "none.db", *last[verb]), "there is no such file"
        )
    else:
        refusal(humay("catalogue", verb, tmp_path / "no" / "c.db", *last[verb]), "cannot be opened")
    assert {path.name for path in tmp_path.iterdir()} == {"text.db", "folder.db"}


# ---------------------------------------------------------------- catalogue search


def collection(text: str) -> list[dict[str, Any]]:
    document = json.loads(text)
    assert document["type"] == "FeatureCollection"
    features: list[dict[str, Any]] = document["features"]
    return features


def found(database: Path, *words: object) -> list[str]:
    done = humay("catalogue", "search", database, "--json", *words)
    assert done.returncode == 0, done.stderr
    return sorted(feature["id"] for feature in collection(done.stdout))


def test_items_are_found_by_place_time_name_and_collection(database: Path) -> None:
    first, second = ([f"{name}_{level}" for level in ("L1C", "L2P")] for name in NAMES)
    assert found(database) == first + second
    assert found(database, "--bbox", "60,46,61,47") == first
    assert found(database, "--bbox=-10,-10,10,10") == []
    assert found(database, "--datetime", "2019-11-01T07:00:00Z/..") == second
    assert found(database, "--datetime", "../2019-11-01T07:00:00Z") == first
    assert found(database, "--id", first[0], "--id", second[1]) == [first[0], second[1]]
    assert found(database, "--collection", "humay-l2p") == [first[1], second[1]]
    assert found(database, "--collection", "humay-l2p", "--bbox", "60,46,61,47") == first[1:]
    assert found(database, "--limit", 2) == second  # the newest
    assert found(database, "--id", "nobody") == []


def test_found_items_are_listed_newest_first(database: Path) -> None:
    lines = humay("catalogue", "search", database).stdout.splitlines()
    assert lines[-1] == "4 items"
    assert [line.split()[1] for line in lines[:-1]] == [
        f"{name}_{level}" for name in reversed(NAMES) for level in ("L1C", "L2P")
    ]
    assert all(Path(line.split()[2]).is_file() for line in lines[:-1])


def test_ways_in_a_found_item_lead_on_from_where_one_stands(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for feature in collection(humay("catalogue", "search", database, "--json").stdout):
        ways = [asset["href"] for asset in feature["assets"].values()]
        ways += [link["href"] for link in feature["links"]]
        assert ways
        assert all(Path(way).is_file() for way in ways)


@pytest.mark.parametrize(
    "words",
    [
        ("--bbox", "1,2,3"),
        ("--bbox", "here"),
        ("--bbox", "nan,0,1,1"),
        ("--bbox", "0,50,1,40"),
        ("--bbox", "0,0,200,1"),
        ("--datetime", "yesterday"),
        ("--datetime", "2019-11-02T00:00:00Z/2019-11-01T00:00:00Z"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(words: tuple[str, str], database: Path) -> None:
    refusal(humay("catalogue", "search", database, *words), words[0].removeprefix("--"))


# ---------------------------------------------------------------- catalogue export


def test_items_are_handed_on_as_tables_and_features(database: Path, tmp_path: Path) -> None:
    out = tmp_path / "items.parquet"
    done = humay("catalogue", "export", database, "-o", out, "--collection", "humay-l1c", "--json")
    assert json.loads(done.stdout) == {"output": str(out), "items": 2}
    assert pq.read_table(out)["id"].to_pylist() == [f"{name}_L1C" for name in NAMES]
    done = humay("catalogue", "export", database, "-o", tmp_path / "items.geojson")
    assert done.stdout == f"{tmp_path}/items.geojson: 4 items\n"
    assert len(collection((tmp_path / "items.geojson").read_text())) == 4


@pytest.mark.parametrize("copies", [False, True])
def test_items_are_handed_on_as_a_static_catalogue(
    copies: bool, database: Path, tmp_path: Path
) -> None:
    """Walked by pystac from its root; with copies it needs nothing outside of itself."""
    out = tmp_path / "static"
    done = humay("catalogue", "export", database, "-o", out, *(["--copy-assets"] if copies else []))
    assert done.returncode == 0, done.stderr
    root = pystac.Catalog.from_file(out / "catalog.json")
    items = list(root.get_items(recursive=True))
    assert sorted(item.id for item in items) == found(database)
    assert {child.id for child in root.get_children()} == {"humay-l1c", "humay-l2p"}
    for item in items:
        for asset in item.assets.values():
            path = Path(os.path.normpath(asset.get_absolute_href() or ""))
            assert path.stat().st_size == asset.extra_fields["file:size"]
            assert path.is_relative_to(out) == copies


def test_an_export_does_not_write_over_anything(database: Path, tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "letter.txt").write_text("mine")
    refusal(
        humay("catalogue", "export", database, "-o", tmp_path / "static"),
        "static: is there already, expected a new or empty folder",
    )
    refusal(
        humay("catalogue", "export", database, "-o", tmp_path / "items.csv"),
        "items.csv: expected .parquet, .geojson or a folder to make",
    )
    refusal(
        humay("catalogue", "export", database, "-o", tmp_path / "i.parquet", "--copy-assets"),
        "assets are copied into a folder only",
    )
    assert {path.name for path in tmp_path.iterdir()} == {"static", "catalogue.db"}
    assert (tmp_path / "static" / "letter.txt").read_text() == "mine"


def test_help_names_all_verbs() -> None:
    text = humay("--help").stdout
    for verb in ("run", "fly", "process", "catalogue"):
        assert re.search(rf"^  {verb} ", text, re.M), text
    text = humay("catalogue", "--help").stdout
    assert all(re.search(rf"^  {verb} ", text, re.M) for verb in ("add", "search", "export"))
