"""Killed at any instant, or with a full disk: what shows is whole, and the next run completes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rio_cogeo.cogeo import cog_validate

from humay.catalogue import Query, search
from humay.processing.store import FileFacts
from tests.chain.command import finished, hidden, humay, kill_when, refusal, start
from tests.chain.small import NAMES, Small, files_under, leftovers, write_mission

FULL_BYTES = 700_000  # PAN needs 0.5 MB of raw pixels, the sharpened colours 2 MB


def whole_products(folder: Path) -> list[str]:
    """The products that show, each with its item and all files as the item says them."""
    shown = [path for path in sorted(folder.glob("*")) if not path.name.startswith(".")]
    for product in shown:
        item = json.loads((product / f"{product.name}.json").read_bytes())
        for asset in item["assets"].values():
            facts = FileFacts.of_file(product / asset["href"])
            assert (facts.size, facts.checksum) == (asset["file:size"], asset["file:checksum"])
        for path in product.glob("*.tif"):
            assert cog_validate(path, strict=True, quiet=True)[0], path
    return [product.name for product in shown]


def process(small: Small, out: Path) -> tuple[object, ...]:
    return ("process", small.raw(0), "--dem", small.dem(0), "-o", out, "--dem-sigma", 3, "--quiet")


MOMENTS: dict[str, tuple[Callable[[Path], bool], list[str]]] = {
    "when the first is begun": (hidden, []),
    "when the first is there": (
        lambda folder: (folder / f"{NAMES[0]}_L1C").is_dir(), [f"{NAMES[0]}_L1C"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_processing_that_is_killed_shows_whole_products_and_can_be_done_again(
    moment: str, small: Small, tmp_path: Path
) -> None:
    (seen, shown), out = MOMENTS[moment], tmp_path / "products"
    kill_when(start(*process(small, out)), lambda: seen(out))
    assert whole_products(out) == shown
    assert leftovers(out) != [] or shown
    assert humay(*process(small, out)).returncode == 0
    assert whole_products(out) == [f"{NAMES[0]}_{level}" for level in ("L1C", "L2P")]
    assert leftovers(out) == []
    name = f"{NAMES[0]}_L2P/pansharpened.tif"
    assert (out / name).read_bytes() == (small.folder / "products" / name).read_bytes()


def test_a_product_that_is_being_replaced_shows_as_it_was(small: Small, tmp_path: Path) -> None:
    """Killed while the same product is made again: the old one is all there is."""
    out = tmp_path / "products"
    shutil.copytree(small.folder / "products", out)
    before = files_under(out)
    kill_when(start(*process(small, out)), lambda: hidden(out))
    assert {path: content for path, content in files_under(out).items() if path[0] != "."} == before


def test_a_full_disk_leaves_whole_products_and_one_line(small: Small, tmp_path: Path) -> None:
    """Full for the larger product only, then from the first file on."""
    out = tmp_path / "products"
    done = finished(start(*process(small, out), limit_bytes=FULL_BYTES))
    refusal(done, f"{NAMES[0]}_L2P", "could not be written (File too large)")
    assert whole_products(out) == [f"{NAMES[0]}_L1C"]
    assert leftovers(out) == []
    shutil.rmtree(out)
    done = finished(start(*process(small, out), limit_bytes=1_000))
    refusal(done, f"{NAMES[0]}_L1C", "could not be written (File too large)")
    assert not list(out.rglob("*"))


@pytest.fixture
def tight(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB, where one may be mounted."""
    place = tmp_path / "tight"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full_is_the_same(small: Small, tight: Path) -> None:
    done = humay(*process(small, tight / "products"))
    refusal(done, f"{NAMES[0]}_L2P", "could not be written (No space left on device)")
    assert whole_products(tight / "products") == [f"{NAMES[0]}_L1C"]
    assert leftovers(tight) == []


# ---------------------------------------------------------------- the whole chain


RUN_MOMENTS: dict[str, Callable[[Path], bool]] = {
    "in flight": lambda out: (out / "flight" / "raw" / "A0001").is_dir(),
    "when all products are there": lambda out: len(list((out / "products").glob("s*_L2P"))) == 2,
}


@pytest.fixture(scope="module")
def mission(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mission(tmp_path_factory.mktemp("mission"))


@pytest.fixture(scope="module")
def complete(mission: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `humay run` leaves when nobody stops it."""
    out = tmp_path_factory.mktemp("complete") / "out"
    done = finished(start("run", mission, "-o", out, "--threads", 1, "--quiet"))
    assert done.returncode == 0, done.stderr
    return out


def but_timings(folder: Path) -> dict[str, bytes]:
    """Everything but run.json, the one file that tells of clocks."""
    return {name: data for name, data in files_under(folder).items() if name != "run.json"}


@pytest.mark.slow
@pytest.mark.parametrize("moment", RUN_MOMENTS)
def test_a_run_that_is_killed_completes_when_it_is_run_again(
    moment: str, mission: Path, complete: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("run", mission, "-o", out, "--threads", 2, "--quiet")
    kill_when(start(*words), lambda: RUN_MOMENTS[moment](out))
    assert not (out / "run.json").exists()
    shown = whole_products(out / "products")
    assert len(shown) >= {"in flight": 0, "when all products are there": 4}.get(moment, 0)
    done = finished(start(*words))
    assert done.returncode == 0, done.stderr
    assert but_timings(out) == but_timings(complete)
    assert leftovers(out) == []
    found = search(out / "catalogue.db", Query())
    assert sorted(item.id for item in found) == whole_products(out / "products")
    assert len(found) == 4


@pytest.mark.slow
def test_a_run_of_another_seed_leaves_nothing_of_the_killed_one(
    mission: Path, complete: Path, tmp_path: Path
) -> None:
    """Killed in its products, then run with seed 5: as if the first had never been."""
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    shutil.copytree(complete, out)
    words = ("run", mission, "--threads", 2, "--quiet", "--seed")
    kill_when(start(*words, 4, "-o", out), lambda: hidden(out / "products"))
    whole_products(out / "products")
    for folder in (out, fresh):
        assert finished(start(*words, 5, "-o", folder)).returncode == 0
    assert but_timings(out) == but_timings(fresh)
    assert but_timings(fresh) != but_timings(complete)


@pytest.mark.slow
def test_a_full_disk_in_a_run_leaves_no_half_product(mission: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = finished(start("run", mission, "-o", out, "--quiet", limit_bytes=FULL_BYTES))
    refusal(done, "_L2P", "could not be written (File too large)")
    assert set(whole_products(out / "products")) <= {f"{name}_L1C" for name in NAMES}
    assert leftovers(out) == []
    assert not (out / "run.json").exists()
    assert not (out / "catalogue.db").exists()
