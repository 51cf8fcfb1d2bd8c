"""The pages hang together: links lead somewhere, the site builds, reading it fetches nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, name_of, pages, prose
from tests.docs.test_reference import VERBS

LINK = re.compile(r"(?<!\\)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
CODE = re.compile(r"`[^`\n]*`")
ELSEWHERE = ("http://", "https://", "mailto:")
SIZES = {"README.md": (40, 140)}


def anchors(page: Path) -> set[str]:
    """What a link to a heading may end in after `#`, as the site and GitHub make it."""
    found = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE):
        plain = unicodedata.normalize("NFKD", re.sub(r"[`*]", "", heading)).lower()
        found.add(re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", plain)).strip("-"))
    return found


def links() -> Iterator[tuple[Path, str]]:
    for page in pages():
        for found in LINK.finditer(CODE.sub("", prose(page))):
            yield page, found["target"]


def test_links_lead_to_pages_and_headings() -> None:
    inside = [(page, target) for page, target in links() if not target.startswith(ELSEWHERE)]
    assert len(inside) > 50
    for page, target in inside:
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), f"{name_of(page)}: {target}"
        if anchor:
            assert anchor in anchors(goal), f"{name_of(page)}: {target}"


def test_pages_of_the_site_link_only_to_pages_of_the_site() -> None:
    for page, target in links():
        if page.is_relative_to(DOCS) and not target.startswith((*ELSEWHERE, "#")):
            goal = (page.parent / target.partition("#")[0]).resolve()
            assert goal.is_relative_to(DOCS), f"{name_of(page)}: {target}"


def test_every_page_stands_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    listed = re.findall(r"^ +- [^:\n]+: (\S+\.md)$", text, re.MULTILINE)
    assert sorted(listed) == sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))


def test_every_page_has_one_title_which_comes_first() -> None:
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert text.startswith("# "), name_of(page)
        assert len(re.findall(r"^# ", prose(page), re.MULTILINE)) == 1, name_of(page)


def test_the_readme_says_what_it_is_how_to_start_and_what_there_is() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    low, high = SIZES["README.md"]
    assert low <= text.count("\n") <= high
    for words in (
        "make demo",
        "make test",
        "docs/images/report.png",
        "(LICENSE)",
        "(docs/index.md)",
    ):
        assert words in text
    said = set(re.findall(r"^\| `humay ([a-z]+(?: [a-z]+)?)", text, re.MULTILINE))
    assert said == set(VERBS)


# The site ----------------------------------------------------------------------------------------


class Fetched(HTMLParser):
    """Collects what a browser would load on its own when it shows a page."""

    LOADS = (("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"),
             ("source", "src"), ("video", "src"), ("embed", "src"), ("object", "data"))  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        for name, attribute in self.LOADS:
            if tag == name and (value := values.get(attribute)):
                self.found.append(value)


def loads(page: str) -> list[str]:
    parser = Fetched()
    parser.feed(page)
    return parser.found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew in a folder of its own as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    done = subprocess.run(
        [Path(sys.executable).parent / "zensical", "build", "--strict", "--clean"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return folder / "site"


def test_every_page_is_built(site: Path) -> None:
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS).with_suffix(".html")).is_file(), name_of(page)


def test_no_fence_is_left_in_a_built_page(site: Path) -> None:
    """A fence the site does not understand is shown as text."""
    for path in site.rglob("*.html"):
        assert "```" not in path.read_text(encoding="utf-8"), path.name


def test_a_page_loads_only_what_lies_in_the_site(site: Path) -> None:
    for path in site.rglob("*.html"):
        for target in loads(path.read_text(encoding="utf-8")):
            assert not target.startswith(("http:", "https:", "//")), f"{path.name} loads {target}"
            if path.name != "404.html" and not target.startswith("data:"):
                assert (path.parent / target.partition("?")[0]).exists(), f"{path.name}: {target}"


def test_a_style_sheet_loads_only_what_lies_in_the_site(site: Path) -> None:
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"@import|url\([\"']?(https?:)?//", text), path.name


def test_something_fetched_from_elsewhere_would_be_seen() -> None:
    assert loads('<script src="https://example.org/a.js"></script>') == ["https://example.org/a.js"]
    assert loads('<a href="https://example.org">x</a>') == []
