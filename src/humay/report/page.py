"""One HTML page from a plan: template, style, script and data put together, nothing fetched later.

Two locks keep hostile names from running as code: every text is escaped where it enters HTML or
JSON, and a content security policy lets the browser run the one script whose hash it names.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from string import Template

from humay.arrays import FloatArray
from humay.report import pictures, words
from humay.report.data import Clock, Json, page_data
from humay.report.products import flown_data


@dataclass(frozen=True, kw_only=True)
class Assets:
    """The front end: an HTML template with `$places`, a style sheet and a script."""

    template: str
    style: str
    script: str


def report_page(
    plan: Json,
    figures: Json,
    *,
    assets: Assets,
    land: Iterable[FloatArray] = (),
    borders: Iterable[FloatArray] = (),
) -> str:
    """The page as HTML text, the same for the same plan and figures.

    `land` (rings, filled by the even-odd rule) and `borders` (lines) are (n, 2) arrays of longitude
    and latitude in degrees. Of `figures` only what docs/guide/report.md lists is read: timings and
    dates of the run never enter the page.
    """
    data = page_data(plan, figures, land=land, borders=borders)
    data |= flown_data(plan, figures, Clock(plan))
    return Template(assets.template).substitute(
        policy=policy(assets),
        style=assets.style,
        script=assets.script,
        data=script_json(data),
        mission=escape(str(plan["mission"])),
        span=words.span(plan),
        summary=escape(words.summary(plan)),
        notes=words.notes(plan, figures),
        outcome_bar=words.outcome_bar(plan),
        key_figures=words.key_figures([*words.plan_tiles(plan, figures), *pictures.tiles(figures)]),
        reasons=words.reasons_section(plan),
        satellites=words.satellites_table(plan),
        run=words.run_table(plan, figures),
        check=words.check_section(figures),
        **pictures.chapters(plan, figures),
    )


def script_json(data: Json) -> str:
    """JSON that is safe inside a script element: no `<`, `>` or `&` can end it or hide in it."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def policy(assets: Assets) -> str:
    """Content security policy: no request to anywhere, only this style and this script."""
    return (
        f"default-src 'none'; script-src {digest(assets.script)}; "
        f"style-src {digest(assets.style)}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
