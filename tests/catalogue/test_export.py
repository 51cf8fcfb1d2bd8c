"""What is handed on is valid, leads where it led before, and comes back as it was."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pystac
import pytest
import shapely
from stac_geoparquet.arrow import stac_table_to_items

from humay.catalogue import Query, add_files, export, read_item
from humay.catalogue.exports import file_name
from humay.errors import CatalogueError, OutputError
from tests.catalogue.made import document, on_disk
from tests.processing.products import written
from tests.reference.stac import faults


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with a true product, one over the antimeridian, and one of no collection."""
    home = tmp_path / "run"
    written(home / "products" / "baku")
    fiji = (179.5, -17.0, -179.5, -16.0)
    paths = [
        home / "products" / "baku" / "item.json",
        on_disk(home / "products", "fiji", fiji, "2019-11-02T22:00:00Z", collection="azersky-l1c"),
        on_disk(home / "products", "free", gsd=1.5, note="no collection"),
    ]
    add_files(home / "catalogue.db", paths)
    return home


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# Static catalogue --------------------------------------------------------------------------------


def test_every_document_of_a_static_catalogue_is_valid(run: Path) -> None:
    assert export(run / "catalogue.db", run / "static") == 3
    documents = {name: json.loads(text) for name, text in files_of(run / "static").items()}
    assert sorted(documents) == [
        "azersky-l1c/collection.json",
        "azersky-l1c/fiji/fiji.json",
        "azersky-l1c/spot-7_20191101T073012_L1C/spot-7_20191101T073012_L1C.json",
        "catalog.json",
        "free/free.json",
    ]
    for each in documents.values():
        assert faults(each) == []
    extent = documents["azersky-l1c/collection.json"]["extent"]
    assert extent["spatial"]["bbox"] == [[-180.0, -17.0, 180.0, 40.42]]
    assert extent["temporal"]["interval"] == [
        ["2019-11-01T07:30:12.250000Z", "2019-11-02T22:00:00Z"]
    ]


def test_pystac_walks_a_static_catalogue_to_the_pixels(run: Path) -> None:
    """Moved to another place first: nothing in it may be absolute."""
    export(
        run / "catalogue.db", run / "static", copy_assets=True, query=Query(ids=("fiji", "free"))
    )
    (run / "static").rename(run.parent / "elsewhere")
    os.rename(run, run.parent / "gone")
    catalogue = pystac.Catalog.from_file(run.parent / "elsewhere" / "catalog.json")
    items = {item.id: item for item in catalogue.get_items(recursive=True)}
    assert set(items) == {"fiji", "free"}
    for name, item in items.items():
        href = item.assets["pan"].get_absolute_href()
        assert href is not None
        assert Path(href).read_bytes() == name.encode()
        assert item.get_root() is catalogue
    collection = items["fiji"].get_collection()
    assert collection is not None
    assert collection.id == "azersky-l1c"
    assert items["free"].get_parent() is catalogue


def test_without_copies_assets_are_linked_where_they_lie(run: Path) -> None:
    export(run / "catalogue.db", run / "out" / "static")
    item = run / "out/static/azersky-l1c/fiji/fiji.json"
    made = json.loads(item.read_bytes())
    assert made["assets"]["pan"]["href"] == "../../../../products/fiji/pan.tif"
    assert (item.parent / made["assets"]["pan"]["href"]).read_bytes() == b"fiji"
    assert made["assets"]["notes"]["href"] == "https://example.org/notes.txt"
    plan = next(link for link in made["links"] if link["rel"] == "via")
    assert os.path.normpath(item.parent / plan["href"]) == str(run / "products/plan.json")


def test_exports_are_the_same_bytes_whatever_the_order_of_adding(run: Path) -> None:
    names = ["baku", "fiji", "free"]
    paths = [run / "products" / name / "item.json" for name in reversed(names)]
    add_files(run / "second.db", paths)
    for target in ("a.parquet", "a.geojson"):
        export(run / "catalogue.db", run / target)
        export(run / "second.db", run / f"second-{target}")
        assert (run / target).read_bytes() == (run / f"second-{target}").read_bytes()
    export(run / "catalogue.db", run / "static")
    (run / "static").rename(run / "first")
    (run / "second.db").replace(run / "catalogue.db")
    export(run / "catalogue.db", run / "static")
    assert files_of(run / "static") == files_of(run / "first")


@pytest.mark.parametrize(
    ("href", "reason"),
    [
        ("../../secret.txt", "outside of its item's folder"),
        ("/etc/hostname", "outside of its item's folder"),
        ("./link.tif", "outside of its item's folder"),
        ("./none.tif", "there is no file"),
        ("./collection.json", "a name the catalogue needs itself"),
        ("./sub/pan.tif", "another asset has a file 'pan.tif' too"),
    ],
)
def test_only_files_of_the_item_itself_are_copied(href: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("private")
    path = on_disk(tmp_path / "in", "a")
    home = path.parent
    (home / "link.tif").symlink_to(tmp_path / "secret.txt")
    (home / "collection.json").write_text("{}")
    (home / "sub").mkdir()
    (home / "sub" / "pan.tif").write_text("other")
    made = json.loads(path.read_bytes())
    made["assets"]["other"] = {"href": href}
    path.write_text(json.dumps(made))
    add_files(tmp_path / "catalogue.db", [path])
    with pytest.raises(CatalogueError, match=reason):
        export(tmp_path / "catalogue.db", tmp_path / "static", copy_assets=True)
    assert not (tmp_path / "static").exists()


@pytest.mark.parametrize(
    "name",
    ["..", ".", "a/../../b", "/etc/passwd", "con\0trol", "x" * 500, "ü", "catalog.json", " "],
)
def test_no_id_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_text(json.dumps(document(name, collection=name)))
    add_files(tmp_path / "catalogue.db", [path])
    export(tmp_path / "catalogue.db", tmp_path / "static")
    found = files_of(tmp_path)
    assert len([file for file in found if file.startswith("static/")]) == 3
    assert set(found) - {"item.json", "catalogue.db"} == {
        file for file in found if file.startswith("static/")
    }
    assert len(file_name(name)) <= 100
    made = json.loads(found[f"static/{file_name(name)}/{file_name(name)}/{file_name(name)}.json"])
    assert made["id"] == name


def test_different_ids_have_different_file_names() -> None:
    names = ["a/b", "a_b", "a b", "a.b", ".a", "a", "ä", "ö", "x" * 100, "x" * 101, "x" * 102]
    assert len({file_name(name) for name in names}) == len(names)


# Parquet -----------------------------------------------------------------------------------------


def without_gaps(value: Any) -> Any:
    """What a table can say: no key without a value; times as numbers."""
    if isinstance(value, dict):
        kept = {key: without_gaps(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner is not None}
    return [without_gaps(inner) for inner in value] if isinstance(value, list) else value


def comparable(item: dict[str, Any]) -> dict[str, Any]:
    item = without_gaps(item) | {"type": "Feature"}
    for name in ("datetime", "start_datetime", "end_datetime", "created"):
        if name in item["properties"]:
            time = item["properties"][name]
            item["properties"][name] = time.replace("Z", "").partition(".")[0]
    item["geometry"] = shapely.from_geojson(json.dumps(item["geometry"]))
    return item


def test_a_parquet_file_gives_the_items_back(run: Path) -> None:
    """Read by the library of the specification, stac-geoparquet."""
    export(run / "catalogue.db", run / "products" / "items.parquet")
    table = pq.read_table(run / "products" / "items.parquet")
    back = {item["id"]: comparable(item) for item in stac_table_to_items(table)}
    for name in ("baku", "fiji", "free"):
        item = json.loads((run / "products" / name / "item.json").read_bytes())
        for part in (*item["assets"].values(), *item["links"]):
            if not part["href"].startswith("https:"):  # now relative to the Parquet file
                there = os.path.normpath(f"{name}/{part['href']}")
                part["href"] = there
        assert back[item["id"]] == comparable(item)
    assert len(back) == 3


def test_times_keep_their_microseconds_in_parquet(run: Path) -> None:
    export(run / "catalogue.db", run / "items.parquet", Query(ids=("spot-7_20191101T073012_L1C",)))
    (time,) = pq.read_table(run / "items.parquet")["start_datetime"].to_pylist()
    assert time.isoformat() == "2019-11-01T07:30:12.250000+00:00"


def test_the_metadata_are_those_of_the_specifications(run: Path) -> None:
    """GeoParquet 1.1.0 and radiantearth/stac-geoparquet-spec 1.1.0, Parquet metadata."""
    export(run / "catalogue.db", run / "items.parquet")
    table = pq.read_table(run / "items.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["primary_column"] == "geometry"
    column = geo["columns"]["geometry"]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["MultiPolygon", "Polygon"]
    assert column["covering"]["bbox"]["xmax"] == ["bbox", "xmax"]
    assert column["bbox"] == [-180.0, -17.0, 180.0, 41.0]
    stac = json.loads(table.schema.metadata[b"stac-geoparquet"])
    assert stac["version"] == "1.1.0"
    assert list(stac["collections"]) == ["azersky-l1c"]
    assert faults(stac["collections"]["azersky-l1c"]) == []
    assert table.schema.field("datetime").type.tz == "UTC"
    assert table["id"].to_pylist() == ["free", "fiji", "spot-7_20191101T073012_L1C"]


def test_geopandas_reads_the_parquet_file(run: Path) -> None:
    geopandas = import_module("geopandas")  # has no types
    export(run / "catalogue.db", run / "items.parquet")
    frame = geopandas.read_parquet(run / "items.parquet")
    assert frame.crs.to_string() == "OGC:CRS84"
    areas = shapely.area(frame.geometry.to_numpy())
    assert areas == pytest.approx([1.0, 1.0, 0.0004], abs=1e-9)


def test_an_empty_catalogue_can_be_handed_on(tmp_path: Path) -> None:
    add_files(tmp_path / "catalogue.db", [])
    for target in ("a.parquet", "a.geojson", "static"):
        assert export(tmp_path / "catalogue.db", tmp_path / target) == 0
    assert len(pq.read_table(tmp_path / "a.parquet")) == 0
    assert json.loads((tmp_path / "a.geojson").read_bytes())["features"] == []
    assert faults(json.loads((tmp_path / "static" / "catalog.json").read_bytes())) == []


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"gsd": "fine"}, "'gsd' is not alike in all items"),
        ({"gsd": 2**70}, "'gsd' is not alike in all items"),
        ({"links": 3}, "a property 'links', which is a column of its own"),
        ({"created": "yesterday"}, "created 'yesterday' is not a time"),
        ({"proj:geometry": {"type": "Circle"}}, "proj:geometry cannot be read"),
    ],
)
def test_what_no_table_can_hold_is_refused(
    others: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    paths = [on_disk(tmp_path, "a", gsd=1.5), on_disk(tmp_path, "b", **others)]
    add_files(tmp_path / "catalogue.db", paths)
    with pytest.raises(CatalogueError, match=reason):
        export(tmp_path / "catalogue.db", tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


def test_items_with_and_without_heights_are_no_table(tmp_path: Path) -> None:
    paths = [on_disk(tmp_path, "a"), on_disk(tmp_path, "b")]
    made = json.loads(paths[1].read_bytes()) | {"bbox": [48.0, 40.0, 0.0, 49.0, 41.0, 9.0]}
    paths[1].write_text(json.dumps(made))
    add_files(tmp_path / "catalogue.db", paths)
    with pytest.raises(CatalogueError, match="some items have heights in their bbox and some not"):
        export(tmp_path / "catalogue.db", tmp_path / "a.parquet")
    export(tmp_path / "catalogue.db", tmp_path / "b.parquet", Query(ids=("b",)))
    assert pq.read_table(tmp_path / "b.parquet")["bbox"].to_pylist()[0]["zmax"] == 9.0


# GeoJSON and targets -----------------------------------------------------------------------------


def test_a_feature_collection_holds_valid_items(run: Path) -> None:
    export(run / "catalogue.db", run / "items.geojson", Query.from_text(bbox="49,40,50,41"))
    made = json.loads((run / "items.geojson").read_bytes())
    assert [each["id"] for each in made["features"]] == ["free", "spot-7_20191101T073012_L1C"]
    for each in made["features"]:
        assert faults(each) == []
        assert (run / each["assets"]["pan"]["href"]).is_file()
    collection = pystac.ItemCollection.from_file(str(run / "items.geojson"))
    assert len(collection) == 2


def test_an_exported_item_can_be_added_again(run: Path) -> None:
    export(run / "catalogue.db", run / "static", copy_assets=True, query=Query(ids=("fiji",)))
    path = run / "static/azersky-l1c/fiji/fiji.json"
    assert (
        read_item(path).document["properties"]
        == document("", time="2019-11-02T22:00:00Z")["properties"]
    )
    add_files(run / "again.db", [path])


def test_an_export_that_cannot_be_written_leaves_nothing(run: Path) -> None:
    (run / "products" / "fiji" / "pan.tif").write_bytes(b"x" * 40_000)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        try:
            export(run / "catalogue.db", run / "static", Query(ids=("fiji",)), copy_assets=True)
        except OutputError as error:
            os._exit(7 if "File too large" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert sorted(os.listdir(run)) == ["catalogue.db", "products"]


def targets() -> Iterator[tuple[str, dict[str, Any], type[Exception], str]]:
    yield "a.csv", {}, CatalogueError, r"expected \.parquet, \.geojson or a folder"
    yield "a.parquet", {"copy_assets": True}, CatalogueError, "copied into a folder only"
    yield "products", {}, OutputError, "is there already, expected a new or empty folder"
    yield "catalogue", {}, OutputError, "is there already"
    yield "catalogue/inside", {}, OutputError, "could not be written"
    yield "catalogue/a.geojson", {}, OutputError, "could not be written"


@pytest.mark.parametrize(("target", "options", "error", "reason"), list(targets()))
def test_a_target_that_cannot_be_is_refused(
    target: str, options: dict[str, Any], error: type[Exception], reason: str, run: Path
) -> None:
    (run / "catalogue").write_text("a file")
    before = files_of(run)
    with pytest.raises(error, match=reason):
        export(run / "catalogue.db", run / target, **options)
    assert files_of(run) == before
    assert not list(run.rglob(".*.partial-*"))


def test_a_catalogue_is_not_exported_onto_itself(run: Path) -> None:
    """Whatever its name ends in, and not through a link."""
    (run / "catalogue.db").rename(run / "c.parquet")
    (run / "link.parquet").symlink_to(run / "c.parquet")
    before = (run / "c.parquet").read_bytes()
    for target in ("c.parquet", "link.parquet"):
        with pytest.raises(OutputError, match="is the catalogue itself"):
            export(run / "c.parquet", run / target)
    assert (run / "c.parquet").read_bytes() == before
