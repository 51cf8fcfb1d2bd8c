"""Folders that appear whole: replaced, refused, interrupted, killed; and what is swept away."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from humay.errors import OutputError
from humay.files import remove, sweep
from humay.processing.files import published_folder


def publish(folder: Path, content: str) -> None:
    with published_folder(folder) as scratch:
        assert folder.parent == scratch.parent
        (scratch / "pan.tif").write_text(content)
        (scratch / f"{folder.name}.json").write_text(content)


def publish_until(folder: Path, error: BaseException) -> None:
    with published_folder(folder) as scratch:
        (scratch / "pan.tif").write_text("half")
        raise error


def tree(folder: Path) -> dict[str, str | None]:
    """Everything in a folder, hidden things too."""
    return {
        path.relative_to(folder).as_posix(): path.read_text() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def whole(content: str) -> dict[str, str | None]:
    return {"a": None, "a/a.json": content, "a/pan.tif": content}


@pytest.fixture(scope="module")
def dead() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    return process.pid


def test_a_product_shows_when_it_is_complete_and_not_before(tmp_path: Path) -> None:
    folder = tmp_path / "products" / "a"
    with published_folder(folder) as scratch:
        (scratch / "a.json").write_text("new")
        assert not folder.exists()
        assert scratch.name.startswith(".")
    assert tree(tmp_path / "products") == {"a": None, "a/a.json": "new"}


def test_a_product_takes_the_place_of_the_one_before_with_all_its_files(tmp_path: Path) -> None:
    publish(tmp_path / "a", "old")
    (tmp_path / "a" / "gone.tif").write_text("of the old one")
    publish(tmp_path / "a", "new")
    assert tree(tmp_path) == whole("new")


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    publish(tmp_path / "a", "old")
    with pytest.raises(type(error)):
        publish_until(tmp_path / "a", error)
    assert tree(tmp_path) == whole("old")


def test_what_the_system_says_is_told_with_the_product(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "pan.tif")
    with pytest.raises(OutputError, match=r"/a: could not be written \(No space left on device\)"):
        publish_until(tmp_path / "a", full)
    assert tree(tmp_path) == {}


def test_a_file_in_the_place_of_the_folder_above_is_refused(tmp_path: Path) -> None:
    (tmp_path / "products").write_text("mine")
    with pytest.raises(OutputError, match="could not be written"):
        publish(tmp_path / "products" / "a", "new")
    assert tree(tmp_path) == {"products": "mine"}


@pytest.mark.parametrize("kind", ["file", "folder", "link", "broken link"])
def test_what_is_no_product_is_not_replaced(tmp_path: Path, kind: str) -> None:
    place, other = tmp_path / "a", tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("mine")
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
        (place / "letter.txt").write_text("mine")
    else:
        place.symlink_to(other if kind == "link" else tmp_path / "nowhere")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match="/a: is there and is no product, expected one or"):
        publish(place, "new")
    assert tree(tmp_path) == before


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    publish(tmp_path / "a", "new")
    assert tree(tmp_path) == whole("new")


def test_a_link_to_a_product_is_replaced_and_the_product_stays(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "a"
    publish(elsewhere, "old")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "a").symlink_to(elsewhere)
    publish(tmp_path / "here" / "a", "new")
    assert tree(tmp_path / "here") == whole("new")
    assert tree(tmp_path / "elsewhere") == whole("old")


# ---------------------------------------------------------------- after a kill


def test_leftovers_of_the_same_product_go_when_it_is_made_again(tmp_path: Path, dead: int) -> None:
    for name in (f".a.partial-{dead}", f".b.partial-{dead}", ".a.partial-x", ".a.partial"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pan.tif").write_text("half")
    publish(tmp_path / "a", "new")
    kept = {f".b.partial-{dead}", ".a.partial-x", ".a.partial"}  # of another, or not of ours
    assert {path.name for path in tmp_path.iterdir()} == {"a", *kept}


def test_what_a_living_process_is_at_stays(tmp_path: Path) -> None:
    busy = tmp_path / f".a.partial-{os.getppid()}"
    busy.mkdir()
    sweep(tmp_path)
    publish(tmp_path / "a", "new")
    assert busy.is_dir()


def test_a_product_set_aside_by_a_killed_process_is_put_back(tmp_path: Path, dead: int) -> None:
    """Killed between the two renamings of a replacement: the old one waits, the new one is done."""
    publish(tmp_path / "a", "old")
    (tmp_path / "a").rename(tmp_path / f".a.before-{dead}")
    (tmp_path / f".a.partial-{dead}").mkdir()
    (tmp_path / f".a.partial-{dead}" / "pan.tif").write_text("half")
    with pytest.raises(RuntimeError):
        publish_until(tmp_path / "a", RuntimeError())
    assert tree(tmp_path) == whole("old")


def test_a_product_set_aside_goes_where_another_has_taken_its_place(
    tmp_path: Path, dead: int
) -> None:
    publish(tmp_path / "a", "old")
    (tmp_path / "a").rename(tmp_path / f".a.before-{dead}")
    publish(tmp_path / "b", "new")
    (tmp_path / "b").rename(tmp_path / "a")
    sweep(tmp_path)
    assert set(tree(tmp_path)) == {"a", "a/b.json", "a/pan.tif"}
    assert (tmp_path / "a" / "pan.tif").read_text() == "new"


def test_files_and_journals_are_swept_like_folders(tmp_path: Path, dead: int) -> None:
    for name in (
        f".plan.json.partial-{dead}",
        f".catalogue.db.partial-{dead}",
        f".catalogue.db.partial-{dead}-journal",
        ".profile",
        f"plan.json.partial-{dead}",
    ):
        (tmp_path / name).write_text("x")
    (tmp_path / f".link.partial-{dead}").symlink_to(tmp_path / ".profile")
    sweep(tmp_path)
    assert set(tree(tmp_path)) == {".profile", f"plan.json.partial-{dead}"}
    sweep(tmp_path / "nowhere")


def test_a_folder_is_removed_out_of_sight_and_a_link_alone(tmp_path: Path) -> None:
    publish(tmp_path / "a", "old")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    remove(tmp_path / "link")
    assert tree(tmp_path) == whole("old")
    remove(tmp_path / "a")
    assert tree(tmp_path) == {}
