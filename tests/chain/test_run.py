"""`humay run` from a mission file to a report: all files, and the report's own figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from humay.catalogue import Query, search
from tests.chain.command import Done, finished, start
from tests.chain.small import NAMES, files_under, leftovers, write_mission
from tests.test_cli import humay as real_humay

pytestmark = pytest.mark.slow
FILES = {
    "opportunities.parquet", "plan.json", "flight", "products", "catalogue.db", "run.json",
    "report.html",
}  # fmt: skip


def run(mission: Path, out: Path, *words: object) -> Done:
    done = finished(start("run", mission, "-o", out, "--quiet", *words))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done


def run_json(out: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((out / "run.json").read_bytes())
    return document


def test_a_run_leaves_every_file_and_run_json_last_for_any_number_of_threads(
    tmp_path: Path,
) -> None:
    """The same bytes but for run.json, which alone tells of clocks; its own words in --json."""
    mission = write_mission(tmp_path / "mission")
    outs = [tmp_path / "one", tmp_path / "two"]
    for threads, out in enumerate(outs, start=1):
        done = run(mission, out, "--threads", threads, "--json")
        assert json.loads(done.stdout) == run_json(out)
        assert {path.name for path in out.iterdir()} == FILES
        assert leftovers(out) == []
        times = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
        assert max(times, key=lambda path: times[path]) == out / "run.json"
    one, two = (files_under(out) for out in outs)
    assert [name for name in one if one[name] != two.get(name)] == ["run.json"]
    told = run_json(outs[0])
    assert told["threads"] == 1
    assert told["products"] == [f"{name}_{level}" for name in NAMES for level in ("L1C", "L2P")]
    assert {"flight", "process", "catalogue", "measure", "report", "total"} <= set(told["timings"])
    assert all(each["cpu_s"] >= 0 for each in told["timings"].values())
    found = search(outs[0] / "catalogue.db", Query())
    assert sorted(item.id for item in found) == sorted(told["products"])
    assert all(item.location and item.location.is_file() for item in found)
    report = (outs[0] / "report.html").read_text()
    for name in told["products"]:
        assert f"products/{name}/{name}.json" in report


def test_a_camera_of_pan_alone_is_pictured_too(tmp_path: Path) -> None:
    """No colours: nothing to sharpen, and PAN itself is measured."""
    run(write_mission(tmp_path / "mission", render=1, pan_only=True), tmp_path / "out")
    (product,) = run_json(tmp_path / "out")["products"]
    assert product.endswith("_L1C")
    assert product in (tmp_path / "out" / "report.html").read_text()


def test_the_installed_command_pictures_a_whole_window(tmp_path: Path) -> None:
    """2,048 pixels, with targets; the report's figures were measured on the files."""
    mission, out = write_mission(tmp_path / "mission", render=1), tmp_path / "out"
    done = real_humay("run", mission, "-o", out)
    assert done.returncode == 0, done.stderr
    assert "1 acquisitions pictured, 2 products" in done.stdout
    assert "CPU s" in done.stdout
    assert {path.name for path in out.iterdir()} == FILES
    (l1c,) = (out / "products").glob("*_L1C/*_L1C.json")
    item = json.loads(l1c.read_bytes())
    assert item["properties"]["humay:window_columns"] == 2048
    assert min(item["assets"]["pan"]["proj:shape"]) > 2048
    truth = json.loads((out / "flight" / "truth" / "scene.json").read_bytes())
    kinds = [target["kind"] for target in truth["targets"]]
    assert (kinds.count("patch"), kinds.count("edge"), kinds.count("cross")) == (3, 1, 25)
    assert len((out / "report.html").read_bytes()) > 100_000
