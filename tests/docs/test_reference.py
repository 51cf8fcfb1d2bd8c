"""The reference pages name everything there is, and nothing else: verbs, options, keys, columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer

from humay.access import (
    contacts_table,
    find_contacts,
    find_opportunities,
    find_pointing,
    find_timeline,
    opportunities_table,
    timeline_table,
)
from humay.cli import app
from humay.mission import load_mission, requests_from_geojson
from humay.mission.keys import Named, Rows, Sub, Table
from humay.mission.mission import MISSION_FILE
from humay.mission.request import REQUEST
from humay.orbit import ephemerides
from tests.docs.pages import DOCS, ROOT, prose

COMMAND = typer.main.get_command(app)
VERBS: dict[str, Any] = COMMAND.commands  # type: ignore[attr-defined]  # click's, vendored untyped
UNITS = {
    "_deg": "deg", "_s": "s", "_m": "m", "_gbit": "Gbit", "_w_m2": "W/m2", "_gcrf": "",
    "_id": "", "_direction": "", "_attitude": "",
}  # fmt: skip
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
    assert {"init", "run", "opportunities", "contacts", "plan", "check"} <= set(VERBS)


def test_every_verb_has_its_section() -> None:
    headings = re.findall(r"^## `humay (\w+)`$", prose(DOCS / "reference" / "cli.md"), re.MULTILINE)
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
    use = re.search(r"^    humay .*?(?=\n\n)", text, re.DOTALL | re.MULTILINE)
    assert use, verb
    words = set(re.findall(r"--?\w[\w-]*|[A-Z]{2,}", use[0]))
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
        assert re.search(rf"^## `\[{name}(\.NAME)?\]`$", text, re.MULTILINE), name


# Columns -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tables() -> dict[str, pa.Table]:
    """The three files of the access stage, for one place and a quarter of a day."""
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
        "Timelines": timeline_table(find_timeline(mission, start=start, end=end)),
    }


@pytest.mark.parametrize("kind", ["Opportunities", "Contacts", "Timelines"])
def test_every_column_is_explained_and_no_other(kind: str, tables: dict[str, pa.Table]) -> None:
    said = rows(section(DOCS / "reference" / "opportunities.md", kind))
    assert sorted(said) == sorted(tables[kind].column_names)


def test_every_pointing_column_is_explained_and_no_other(tables: dict[str, pa.Table]) -> None:
    said = rows(section(DOCS / "reference" / "opportunities.md", "Pointing samples"))
    bare, pointed = (set(tables[kind].column_names) for kind in ("Opportunities", "Pointing"))
    assert sorted(said) == sorted(pointed - bare)


@pytest.mark.parametrize("kind", ["Opportunities", "Contacts", "Timelines"])
def test_the_unit_of_a_column_is_that_of_its_name(kind: str, tables: dict[str, pa.Table]) -> None:
    said = rows(section(DOCS / "reference" / "opportunities.md", kind))
    for name, (unit, meaning) in said.items():
        assert meaning, name
        if pa.types.is_timestamp(tables[kind].schema.field(name).type):
            assert unit == "UTC", name
        elif not name.endswith("geometry"):
            ending = max((end for end in UNITS if name.endswith(end)), key=len, default=None)
            assert unit == ("" if ending is None else UNITS[ending]), name


@pytest.mark.parametrize("kind", ["Opportunities", "Contacts", "Timelines"])
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
