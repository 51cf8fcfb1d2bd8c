"""Making and writing `report.html` with the coasts and the front end that Humay ships."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from humay.files import write_whole
from humay.report.data import Json
from humay.report.page import Assets, report_page
from humay.tables import border_lines, land_outlines

SCRIPTS = ("page.js", "globe.js", "marks.js", "map.js", "curves.js", "timeline.js", "details.js",
           "tables.js", "pictures.js", "start.js")  # fmt: skip


def write_report(plan: Json, figures: Json, path: Path | str) -> None:
    """Write the report of a plan (docs/reference/plan.md) to `path`, whole or not at all.

    `figures` holds what the plan does not: the checker's findings, limits, stations, counts, the
    flight and its products (docs/guide/report.md lists the keys).
    """
    write_whole(Path(path), report_html(plan, figures))


def report_html(plan: Json, figures: Json) -> bytes:
    """The bytes of the report, for a caller that writes it with other files."""
    page = report_page(
        plan, figures, assets=read_assets(), land=land_outlines(), borders=border_lines()
    )
    return page.encode("utf-8", "xmlcharrefreplace")


def read_assets() -> Assets:
    """The front end as it lies beside this module, its scripts joined in one strict scope."""
    here = files("humay.report")
    parts = [here.joinpath(name).read_text("utf-8") for name in SCRIPTS]
    return Assets(
        template=here.joinpath("page.html").read_text("utf-8"),
        style=here.joinpath("page.css").read_text("utf-8"),
        script='(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n",
    )
