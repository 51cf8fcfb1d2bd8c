"""The pages of the documentation, and the code blocks that stand on them.

A fence may carry marks for the tests, which GitHub and the site do not show:

    ```bash { .notest }                 is not run: it sets a machine up
    ```bash { .slow }                   makes its page one of the slow tests
    ```toml title="mission.toml"        is written to that file before what follows it is run
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(
    r"^(?P<fence>`{3,})(?P<language>[\w-]*)(?P<marks>[^\n`]*)\n(?P<text>.*?)^(?P=fence)[ ]*$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block: `line` is that of its fence, `marks` are the classes in its braces."""

    language: str
    marks: frozenset[str]
    title: str | None
    text: str
    line: int


def pages() -> list[Path]:
    """README, CHANGELOG and every page of the site."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        title = re.search(r'title="([^"]+)"', found["marks"])
        yield Block(
            language=found["language"],
            marks=frozenset(re.findall(r"\.(\w+)", found["marks"].partition("{")[2])),
            title=title and title[1],
            text=found["text"],
            line=text.count("\n", 0, found.start()) + 1,
        )


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
