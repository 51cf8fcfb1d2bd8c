"""Schemas and reference pages: current, agreeing with the loader, and with examples that work."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from humay.errors import MissionError
from humay.mission import Mission, load_mission, load_requests

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = sorted(ROOT.glob("examples/*/mission.toml"))


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "tools/make_schemas.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(name: str) -> Any:
    return json.loads((ROOT / "docs" / "schemas" / f"{name}.schema.json").read_text())


def as_json(value: Any) -> Any:
    """A parsed TOML document with its dates as text, as the schema sees them."""
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, list):
        return [as_json(part) for part in value]
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def fits(document: Any, name: str) -> bool:
    validator = jsonschema.Draft202012Validator(schema(name))
    return bool(validator.is_valid(as_json(document)))


def code_blocks(page: str, language: str) -> list[str]:
    text = (REFERENCE / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_schemas_and_reference_pages_are_those_of_the_declarations() -> None:
    """Stale ones are made again by tools/make_schemas.py."""
    for path, text in tool().wanted().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale"


def test_every_declared_table_has_its_place_on_a_page() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.md"))
    for name in tool().TABLES:
        assert f"<!-- keys: {name} -->" in pages


@pytest.mark.parametrize("name", ["mission", "requests"])
def test_a_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))


def test_the_mission_of_the_tests_fits_the_schema(mission_text: str) -> None:
    assert fits(tomllib.loads(mission_text), "mission")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("settle_s = 3.0", "setle_s = 3.0"),
        ("settle_s = 3.0", ""),
        ("settle_s = 3.0", "settle_s = -1"),
        ("settle_s = 3.0", 'settle_s = "3"'),
        ('tle = "spot67.tle"', ""),
        ('tle = "spot67.tle"', 'tle = "a"\nomm = "b"'),
        ("[camera.naomi.band.pan]", "[camera.naomi.band.green]"),
        ("pixels = 28000", "pixels = 28000.5"),
        ("bits = 12\nresponse_nm = [450, 745]", "bits = 12\nresponse_nm = [450, 745]\nprnu = 0.1"),
        ("[station.baku]", "[stations.baku]"),
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(
    load: Callable[..., Mission], mission_text: str, old: str, new: str
) -> None:
    changed = mission_text.replace(old, new)
    assert changed != mission_text
    assert not fits(tomllib.loads(changed), "mission")
    with pytest.raises(MissionError, match=r"expected|did you mean"):
        load((old, new))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_mission_loads_and_fits_the_schemas(path: Path) -> None:
    mission = load_mission(path)
    assert fits(tomllib.loads(path.read_text(encoding="utf-8")), "mission")
    assert mission.run is not None
    document = json.loads(mission.run.requests.read_text(encoding="utf-8"))
    assert fits(document, "requests")
    assert len(load_requests(mission.run.requests, mission)) == len(document["features"])


@pytest.mark.parametrize(
    ("properties", "fit"),
    [
        ({"name": "x"}, True),
        ({"name": "x", "priority": 10, "max_cloud": None}, True),
        ({"name": "x", "priority": 11}, False),
        ({"name": "x", "prio": 1}, False),
        ({"name": None}, False),
        ({}, False),
    ],
)
def test_the_request_schema_knows_the_properties(properties: dict[str, Any], fit: bool) -> None:
    geometry = {"type": "Point", "coordinates": [46.4, 40.7]}
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    assert fits(feature, "requests") == fit
    assert fits({"type": "FeatureCollection", "features": [feature]}, "requests") == fit


def test_the_examples_of_the_mission_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [mission], [python] = code_blocks("mission.md", "toml"), code_blocks("mission.md", "python")
    (tmp_path / "mission.toml").write_text(mission)
    (tmp_path / "requests.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    monkeypatch.chdir(tmp_path)
    assert fits(tomllib.loads(mission), "mission")
    exec(compile(python, "mission.md", "exec"), {})


def test_the_examples_of_the_request_page_work(mission: Mission, tmp_path: Path) -> None:
    [document], [python] = code_blocks("requests.md", "json"), code_blocks("requests.md", "python")
    path = tmp_path / "page.geojson"
    path.write_text(document)
    assert fits(json.loads(document), "requests")
    assert [request.kind for request in load_requests(path, mission)] == ["point", "area"]
    exec(compile(python, "requests.md", "exec"), {})
