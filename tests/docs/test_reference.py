"""The reference pages name everything there is, and nothing else: verbs, options, keys, columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer

from humay.access import (
    contacts_table,
    eclipses_table,
    find_contacts,
    find_eclipses,
    find_opportunities,
    find_pointing,
    find_timeline,
    opportunities_table,
    timeline_table,
)
from humay.chain import fly_and_expose, plan_orbits, process_exposures, run_mission
from humay.cli import app
from humay.mission import load_mission, requests_from_geojson
from humay.mission.keys import Named, Rows, Sub, Table
from humay.mission.mission import MISSION_FILE
from humay.mission.request import REQUEST
from humay.orbit import ephemerides
from tests.docs.pages import DOCS, ROOT, prose

COMMAND: Any = typer.main.get_command(app)  # click's, vendored untyped


def verbs_of(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """(name, command) of every verb; those of a group go by both names: `catalogue add`."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs_of(command, f"{before}{name} ")
        else:
            yield before + name, command


VERBS: dict[str, Any] = dict(verbs_of(COMMAND))
UNITS = {
    "_deg": "deg", "_s": "s", "_m": "m", "_gbit": "Gbit", "_w_m2": "W/m2", "_gcrf": "",
    "_id": "", "_direction": "", "_attitude": "", "_m_s": "m/s", "_hz": "Hz",
}  # fmt: skip
PAGES = {
    "Opportunities": "opportunities.md",
    "Contacts": "contacts.md",
    "Eclipses": "contacts.md",
    "Timelines": "opportunities.md",
}
ROW = re.compile(r"^\| (?P<names>`[^|]*) \|(?P<rest>.*)\|$", re.MULTILINE)


def section(page: Path, heading: str) -> str:
    """The text below a heading of the second or third level, up to the next one like it."""
    text = prose(page)
    begin = re.search(rf"^##+ {re.escape(heading)}$", text, re.MULTILINE)
    assert begin, f"{page.name} has no heading {heading!r}"
    end = re.search(r"^## ", text[begin.end() :], re.MULTILINE)
    return text[begin.end() :][: end.start() if end else None]


def rows(text: str) -> dict[str, list[str]]:
    """What tables say of each name in their first column: the other cells."""
    return {
        name: [cell.strip() for cell in found["rest"].split("|")]
        for found in ROW.finditer(text)
        for name in re.findall(r"`([^`]+)`", found["names"])
    }


# Command line ------------------------------------------------------------------------------------


def options_of(verb: Any) -> Iterator[tuple[list[str], Any]]:
    """(names, parameter) of every argument and option of a verb; `--help` comes with each."""
    for parameter in verb.params:
        argument = parameter.param_type_name == "argument"
        yield ([parameter.metavar] if argument else list(parameter.opts)), parameter


def test_there_are_verbs_to_look_for() -> None:
    assert {"init", "run", "plan", "check", "fly", "process"} <= set(VERBS)
    assert {"catalogue add", "catalogue search", "catalogue export"} <= set(VERBS)
    assert "catalogue" not in VERBS


def test_every_verb_has_its_section() -> None:
    headings = re.findall(
        r"^## `humay ([\w ]+)`$", prose(DOCS / "reference" / "cli.md"), re.MULTILINE
    )
    assert sorted(headings) == sorted(VERBS)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_section_names_every_option_and_no_other(verb: str) -> None:
    said = rows(section(DOCS / "reference" / "cli.md", f"`humay {verb}`"))
    wanted = {name for names, _ in options_of(VERBS[verb]) for name in names} | {"--help"}
    named = {name for name in said if name.startswith("-") or name.isupper()}
    assert named == wanted


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_a_section_says_what_is_required_and_what_is_the_default(verb: str) -> None:
    said = rows(section(DOCS / "reference" / "cli.md", f"`humay {verb}`"))
    for names, parameter in options_of(VERBS[verb]):
        default = said[names[-1]][1]
        assert (default == "required") == bool(parameter.required), names
        if not parameter.required and isinstance(parameter.default, str | int | float):
            shown = "" if parameter.default is False else f"`{parameter.default}`"
            assert default == shown, names


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_the_line_of_use_names_every_option(verb: str) -> None:
    text = section(DOCS / "reference" / "cli.md", f"`humay {verb}`")
    use = re.search(rf"^    humay {verb} .*?(?=\n\n)", text, re.DOTALL | re.MULTILINE)
    assert use, verb
    words = set(re.findall(r"--?\w[\w-]*|[A-Z]{2,}(?:\.\.\.)?", use[0]))
    for names, parameter in options_of(VERBS[verb]):
        assert words & set(names), parameter.name


def test_options_of_humay_itself_are_named() -> None:
    said = rows(prose(DOCS / "reference" / "cli.md").partition("\n## ")[0])
    wanted = {name for parameter in COMMAND.params for name in parameter.opts} | {"--help"}
    assert {name for name in said if name.startswith("-")} == wanted


# Mission and requests ----------------------------------------------------------------------------


def tables_of(table: Table) -> Iterator[Table]:
    """A table of keys and those inside it."""
    yield table
    for key in table.keys:
        if isinstance(key.kind, Sub | Rows | Named):
            yield from tables_of(key.kind.table)


@pytest.mark.parametrize(
    ("page", "table"),
    [
        *(("mission.md", table) for table in tables_of(MISSION_FILE) if table is not MISSION_FILE),
        ("requests.md", REQUEST),
    ],
    ids=lambda value: value if isinstance(value, str) else value.label,
)
def test_every_key_is_on_its_page(page: str, table: Table) -> None:
    said = rows(prose(DOCS / "reference" / page))
    assert table.names
    assert set(table.names) <= set(said)


def test_every_table_of_the_mission_file_has_its_heading() -> None:
    text = prose(DOCS / "reference" / "mission.md")
    for name in MISSION_FILE.names:
        assert re.search(rf"^## `\[{{1,2}}{name}(\.NAME)?\]{{1,2}}`$", text, re.MULTILINE), name


# Files -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run for one place, and what it exposes in a small window."""
    mission = load_mission(ROOT / "examples" / "azersky" / "mission.toml")
    assert mission.run is not None
    place = {"type": "Point", "coordinates": [49.87, 40.41, 0.0]}
    feature = {"type": "Feature", "geometry": place, "properties": {"name": "baku"}}
    requests = requests_from_geojson(feature, where="place", heights=mission.heights)
    short = replace(mission.run, render=0)
    mission = replace(mission, run=short)
    folder: Path = tmp_path_factory.mktemp("chain")
    run_mission(
        mission, requests, folder, seed=1, threads=2, step=lambda _: nullcontext(), now=short.start
    )
    plan = json.loads((folder / "plan.json").read_text())
    flown = fly_and_expose(
        mission, plan, plan_orbits(mission, plan), folder / "flight", count=1, pixels=1024, seed=1,
        threads=2, step=lambda _: nullcontext(),
    )  # fmt: skip
    process_exposures(flown.exposures, folder / "products", threads=2)
    return folder


def keys(document: Any) -> set[str]:
    """The names of all keys in a document, at any depth."""
    if isinstance(document, list):
        return set[str]().union(*map(keys, document))
    if not isinstance(document, dict):
        return set()
    return set(document) | keys(list(document.values()))


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def unexplained(names: set[str], page: str) -> set[str]:
    """Names that a page does not show as code, in a sentence or in a block."""
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    return {name for name in names if not re.search(rf"[`\"]{re.escape(name)}[`\"]", text)}


@pytest.mark.slow
def test_every_key_of_run_json_is_explained_and_no_other(chain: Path) -> None:
    said = rows(
        section(DOCS / "reference" / "cli.md", "`humay run`").partition("`run.json` has")[2]
    )
    assert sorted(said) == sorted(read(chain / "run.json"))


@pytest.mark.slow
def test_every_file_of_a_run_is_explained_and_no_other(chain: Path) -> None:
    text = section(DOCS / "reference" / "cli.md", "`humay run`").partition("| in `DIR` | holds |")[
        2
    ]
    said = rows(text.partition("`run.json` has")[0])
    assert {name.rstrip("/") for name in said} == {path.name for path in chain.iterdir()}


@pytest.mark.slow
def test_every_key_of_a_flight_is_explained(chain: Path) -> None:
    flight, truth = read(chain / "flight/flight.json"), read(chain / "flight/truth/scene.json")
    assert len(keys(flight)) > 40
    assert truth["targets"]
    assert unexplained(keys(flight) | keys(truth), "flight.md") == set()
    said = rows(section(DOCS / "reference" / "flight.md", "telemetry.parquet"))
    assert sorted(said) == sorted(pq.read_schema(chain / "flight/telemetry.parquet").names)


@pytest.mark.slow
def test_every_key_of_a_raw_image_is_explained(chain: Path) -> None:
    (raw,) = (chain / "flight" / "raw").iterdir()
    image = read(raw / "image.json")
    files = set(image.pop("sha256"))
    assert files | {"image.json"} == {path.name for path in raw.iterdir()}
    assert unexplained(keys(image) | {"sha256"}, "raw.md") == set()
    for name in ("trajectory", "calibration"):
        columns = set(pq.read_schema(raw / f"{name}.parquet").names)
        text = section(DOCS / "reference" / "raw.md", f"{name}.parquet")
        assert columns - {"q2", "q3"} <= set(re.findall(r"`(\w+)`", text))


@pytest.mark.slow
def test_every_file_and_property_of_a_product_is_explained(chain: Path) -> None:
    for folder in (chain / "products").iterdir():
        item = read(folder / f"{folder.name}.json")
        names = {re.sub(r"-\d_RPC", "-N_RPC", path.name) for path in folder.iterdir()}
        names = {name.replace(folder.name, "ID") for name in names}
        names |= {re.sub(r"-\d$", "-N", name) for name in item["assets"] if "quality" not in name}
        names |= {name for name in item["properties"] if not name.startswith("humay:gain_")}
        names |= keys(list(item["assets"].values())) | {link["rel"] for link in item["links"]}
        assert unexplained(names - {"self"}, "products.md") == set()
        assert "humay:gain_blue" in item["properties"] or folder.name.endswith("L1C")


# Columns -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    """The tables of the access stage, for one place and a quarter of a day."""
    mission = load_mission(ROOT / "examples" / "azersky" / "mission.toml")
    place = {"type": "Point", "coordinates": [49.87, 40.41, 0.0]}
    feature = {"type": "Feature", "geometry": place, "properties": {"name": "baku"}}
    requests = requests_from_geojson(feature, where="place", heights=mission.heights)
    start = datetime(2019, 11, 1, 5, tzinfo=UTC)
    end = start + timedelta(hours=3)
    opportunities = find_opportunities(mission, requests, start=start, end=end)
    assert len(opportunities) > 0
    pointing = find_pointing(opportunities, mission, ephemerides(mission, start, end))
    return {
        "Opportunities": opportunities_table(opportunities),
        "Pointing": opportunities_table(opportunities, (), pointing),
        "Contacts": contacts_table(find_contacts(mission, start=start, end=end)),
        "Eclipses": eclipses_table(find_eclipses(mission, start=start, end=end)),
        "Timelines": timeline_table(find_timeline(mission, start=start, end=end)),
    }


@pytest.mark.parametrize("kind", PAGES)
def test_every_column_is_explained_and_no_other(kind: str, tables: dict[str, pa.Table]) -> None:
    said = rows(section(DOCS / "reference" / PAGES[kind], kind))
    assert sorted(said) == sorted(tables[kind].column_names)


def test_every_pointing_column_is_explained_and_no_other(tables: dict[str, pa.Table]) -> None:
    said = rows(section(DOCS / "reference" / "opportunities.md", "Pointing samples"))
    bare, pointed = (set(tables[kind].column_names) for kind in ("Opportunities", "Pointing"))
    assert sorted(said) == sorted(pointed - bare)


@pytest.mark.parametrize("kind", PAGES)
def test_the_unit_of_a_column_is_that_of_its_name(kind: str, tables: dict[str, pa.Table]) -> None:
    said = rows(section(DOCS / "reference" / PAGES[kind], kind))
    for name, (unit, meaning) in said.items():
        assert meaning, name
        if pa.types.is_timestamp(tables[kind].schema.field(name).type):
            assert unit == "UTC", name
        elif not name.endswith("geometry"):
            ending = max((end for end in UNITS if name.endswith(end)), key=len, default=None)
            assert unit == ("" if ending is None else UNITS[ending]), name


@pytest.mark.parametrize("kind", PAGES)
def test_every_key_of_the_record_about_a_file_is_explained(
    kind: str, tables: dict[str, pa.Table]
) -> None:
    text = prose(DOCS / "reference" / "opportunities.md")
    about = json.loads(tables[kind].schema.metadata[b"humay"])
    for name in about:
        assert f"| `{name}` |" in text, name
    for entry in [*about.get("strips", ()), *about.get("satellites", {}).values()]:
        for name in entry:
            assert f'"{name}"' in text, name
