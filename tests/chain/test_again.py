"""A folder that is used again: nothing stale stays, nothing of the user's goes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from humay.chain.files import begin_again, check_folder, remove_products, write_catalogue
from humay.errors import OutputError, PlanError
from tests.chain.small import Small, files_under, fly_again, leftovers


@pytest.fixture
def used(small: Small, tmp_path: Path) -> Path:
    """The folder of an earlier run, with files of the user in it."""
    folder = Path(shutil.copytree(small.folder, tmp_path / "out"))
    for name in MINE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
    (folder / "run.json").write_text("{}")
    return folder


def dead() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


MINE = (
    "notes.txt", "flight/notes.txt", "flight/raw/letter.txt", "flight/raw/own/picture.tif",
    "flight/dem/own.tif", "flight/truth/own.json", "products/readme.md",
    "products/own/own.json", "products/own/pan.tif",
)  # fmt: skip


def test_a_second_flight_is_another_one_and_leaves_nothing_of_the_first(
    small: Small, used: Path
) -> None:
    """With one window instead of two and another seed, which orbit, attitude, ground, noise and the
    DEM's error are drawn from. A chip of the first must not lie with those of the second."""
    (used / "flight" / "raw" / "A0001" / "pan-1.tif").write_bytes(b"of another window")
    (used / "flight" / "raw" / "A0009").mkdir()
    (used / "flight" / "raw" / "A0009" / f".image.json.partial-{dead()}").write_bytes(b"half")
    (exposure,) = fly_again(small.mission, small.document, used / "flight", seed=3, count=1)
    name = exposure.acquisition.id
    flight, first = files_under(used / "flight"), files_under(small.folder / "flight")
    for file in ("flight.json", f"dem/{name}.tif", f"raw/{name}/trajectory.parquet"):
        assert flight[file] != first[file], file
    pixels = [file for file in flight if file.startswith(f"raw/{name}/pan-")]
    assert pixels
    assert all(flight[file] != first.get(file) for file in pixels)
    assert {file for file in flight if file.startswith("dem/")} == {
        f"dem/{name}.tif",
        "dem/own.tif",
    }
    assert {file.split("/")[1] for file in flight if file.startswith("raw/")} == {
        name, "own", "letter.txt",
    }  # fmt: skip
    listed = json.loads(flight[f"raw/{name}/image.json"])["sha256"]
    assert {file for file in flight if file.startswith(f"raw/{name}/")} == {
        f"raw/{name}/{file}" for file in ("image.json", *listed)
    }
    assert json.loads(flight["truth/scene.json"])["seed"] == 3
    assert not (used / "flight" / "raw" / "A0009").exists()
    assert all((used / mine).read_text() == "mine" for mine in MINE)


def test_a_flight_without_pictures_leaves_none_of_an_earlier_one(
    small: Small, tmp_path: Path
) -> None:
    folder = tmp_path / "flight"
    shutil.copytree(small.folder / "flight", folder)
    assert fly_again(small.mission, small.document, folder, count=0) == ()
    assert set(files_under(folder)) == {"flight.json", "telemetry.parquet"}
    assert {path.name for path in folder.iterdir()} == {"flight.json", "telemetry.parquet"}


def test_products_of_earlier_runs_go_and_those_of_other_images_stay(
    small: Small, used: Path
) -> None:
    kept, gone = small.product("L1C", 0).id, small.product("L1C", 1).id
    elsewhere = used / "products" / "real_L1C"
    shutil.copytree(used / "products" / gone, elsewhere)
    item = json.loads((elsewhere / f"{gone}.json").read_text())
    item["links"][0]["href"] = "../../../archive/image.tif"
    (elsewhere / f"{gone}.json").unlink()
    (elsewhere / "real_L1C.json").write_text(json.dumps(item))
    remove_products(used / "products", [kept])
    assert {path.name for path in (used / "products").iterdir()} == {
        kept, "real_L1C", "own", "readme.md",
    }  # fmt: skip
    remove_products(used / "nowhere", [])


def test_a_run_that_begins_says_no_more_that_one_is_complete(used: Path) -> None:
    for place in (used, used / "products"):
        (place / f".plan.json.partial-{dead()}").write_text("half")
        (place / f".x.before-{dead()}").mkdir()
        (place / "x").mkdir()
    begin_again(used)
    assert not (used / "run.json").exists()
    assert leftovers(used) == []
    begin_again(used / "nowhere")
    assert not (used / "nowhere").exists()


def test_a_catalogue_holds_the_products_of_this_run_alone(small: Small, used: Path) -> None:
    from humay.catalogue import Query, search

    write_catalogue(used / "catalogue.db", [small.product("L2P", 1)])
    assert [item.id for item in search(used / "catalogue.db", Query())] == [
        small.product("L2P", 1).id
    ]
    write_catalogue(used / "catalogue.db", [])
    assert search(used / "catalogue.db", Query()) == []
    assert leftovers(used) == []


def test_a_folder_in_the_place_of_a_file_is_told(used: Path) -> None:
    (used / "run.json").unlink()
    (used / "run.json").mkdir()
    with pytest.raises(OutputError, match=r"run\.json: could not be written"):
        begin_again(used)
    (used / "catalogue.db").unlink()
    (used / "catalogue.db").mkdir()
    with pytest.raises(OutputError, match=r"catalogue\.db: could not be written"):
        write_catalogue(used / "catalogue.db", [])
    with pytest.raises(OutputError, match=r"notes\.txt: is a file, expected a folder or nothing"):
        check_folder(used / "notes.txt")


def test_an_acquisition_that_names_a_file_elsewhere_is_refused(
    small: Small, tmp_path: Path
) -> None:
    text = json.dumps(small.document)
    for name in ("../../evil", ".hidden", "a/b", ""):
        document = json.loads(text.replace('"A0001"', json.dumps(name)))
        with pytest.raises(PlanError, match="names files, expected letters, digits"):
            fly_again(small.mission, document, tmp_path / "deep" / "flight")
    assert list(tmp_path.iterdir()) == []
