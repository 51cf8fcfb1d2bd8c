"""The same input and seed give the same bytes, whoever makes them and with how many threads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import humay.processing.ortho as ortho
from humay.catalogue import Query, search
from humay.processing import Recipe, process_file
from tests.chain.command import humay
from tests.chain.small import PIXELS, Small, files_under


def test_verbs_one_by_one_make_what_the_chain_makes_at_once(small: Small, tmp_path: Path) -> None:
    """`fly`, `process` and `catalogue add`, by two threads instead of one; the DEM's error has to
    be told. A product made alone does not know of flight and plan, to which `humay run` links."""
    flight, products = tmp_path / "flight", tmp_path / "products"
    done = humay(
        "fly", small.mission_file, small.plan_file, "-o", flight, "--render", 2, "--pixels", PIXELS,
        "--seed", 1, "--threads", 2, "--quiet", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert files_under(flight) == files_under(small.folder / "flight")
    raws = json.loads(done.stdout)["raw"]
    assert raws == [str(flight / "raw" / f"A000{n}") for n in (1, 2)]
    for raw in raws:
        dem = flight / "dem" / f"{Path(raw).name}.tif"
        done = humay(
            "process", raw, "--dem", dem, "-o", products, "--dem-sigma", 3, "--threads", 2,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    ours, theirs = files_under(products), files_under(small.folder / "products")
    assert set(ours) == set(theirs)
    for name in ours:
        if name.partition("/")[0] == Path(name).stem:
            one, other = json.loads(ours[name]), json.loads(theirs[name])
            related = [link for link in other["links"] if link["rel"] == "related"]
            assert [Path(link["href"]).name for link in related] == ["flight.json", "plan.json"]
            other["links"] = [link for link in other["links"] if link not in related]
            assert one == other
        else:
            assert ours[name] == theirs[name], name
    done = humay("catalogue", "add", tmp_path / "catalogue.db", products)
    assert "4 new" in done.stdout
    found = [search(db / "catalogue.db", Query()) for db in (tmp_path, small.folder)]
    names = [[(item.id, item.location.name) for item in items if item.location] for items in found]
    assert names[0] == names[1]
    assert len(names[0]) == 4


def test_tiles_of_another_size_make_the_same_files(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A prime number of rows and columns instead of 256."""
    monkeypatch.setattr(ortho, "TILE_PX", 97)
    monkeypatch.setattr(ortho.OrthoPlan.blocks, "__kwdefaults__", {"threads": 1, "block_rows": 61})
    made = process_file(
        small.raw(1), small.dem(1), tmp_path / "products", Recipe(dem_sigma_m=3.0, threads=3)
    )
    for product in made:
        same = files_under(small.folder / "products" / product.id)
        ours = files_under(product.folder)
        assert set(ours) == set(same)
        assert [name for name in ours if ours[name] != same[name]] == [f"{product.id}.json"]
