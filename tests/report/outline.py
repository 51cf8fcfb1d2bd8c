"""The text of a page, taken apart as a browser would, and names that want to be code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from humay.report import report_page
from humay.report.files import read_assets

HOSTILE = [
    "<img src=x onerror=window.hacked=1>",
    "</script><script>window.hacked=1</script>",
    "<!-- <script>",
    "]]>&lt;\u2028\u2029$data ${x}",
    "\"'><b onmouseover=window.hacked=1>",
]


class Outline(HTMLParser):
    """Tags, attributes and the text of scripts and styles, as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.raw.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw[-1] += data
        else:
            self.text += data


def page_of(plan: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    return report_page(plan, figures, assets=read_assets())


def data_of(page: str) -> Any:
    style, data, script = Outline(page).raw
    assert style
    assert script
    return json.loads(data)
