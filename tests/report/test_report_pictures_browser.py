"""The pictures of report.html as a reader meets them: Chromium, no network, wide and narrow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from humay.report import write_report

from .outline import HOSTILE
from .reader import OVERFLOWING
from .synthetic_plan import synthetic_plan
from .synthetic_products import PLACES, flown_figures

pytestmark = pytest.mark.slow

FOCUSED = "document.activeElement.id || document.activeElement.textContent"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "report.html"
    plan = synthetic_plan()
    write_report(plan, flown_figures(plan), path)
    return path


def in_sight(reader: Any, selector: str) -> bool:
    return bool(reader.page.locator(selector).first.evaluate(
        "(n) => { const b = n.getBoundingClientRect(); return b.bottom > 0 && b.top < innerHeight }"
    ))  # fmt: skip


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pictures_are_shown_and_nothing_sticks_out(
    read: Any, report: Path, width: int, scheme: str
) -> None:
    reader = read(report, width=width, scheme=scheme)
    images = reader.page.locator(".picture .panel:not([hidden]) img").all()
    assert len(images) == len(PLACES)
    for image in images:
        assert image.evaluate("(n) => n.decode().then(() => n.naturalWidth)") == 160
        assert image.bounding_box()["width"] > 300
    cards = [card.bounding_box() for card in reader.page.locator(".picture").all()]
    assert len({round(box["x"]) for box in cards}) == (3 if width == 1400 else 1)
    reader.click("#details button >> nth=0")  # what is selected widens the bar at the foot
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert reader.page.evaluate(OVERFLOWING) == []


def test_tabs_turn_by_click_and_by_keys(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    shown = "#picture-1 .panel:not([hidden]) img"
    assert reader.page.locator(shown).get_attribute("alt").startswith("Pansharpened picture of ")
    reader.click("#picture-1 [role=tab] >> text=Multispectral")
    assert reader.page.locator(shown).get_attribute("alt").startswith("Multispectral picture of ")
    reader.page.keyboard.press("ArrowRight")
    assert reader.page.locator(shown).get_attribute("alt").startswith("Panchromatic picture of ")
    assert reader.page.evaluate(FOCUSED) == "tab-1-2"
    reader.page.keyboard.press("ArrowRight")
    assert reader.page.evaluate(FOCUSED) == "tab-1-0"
    reader.page.keyboard.press("End")
    chosen = reader.page.locator("#picture-1 [role=tab][aria-selected=true]")
    assert chosen.all_inner_texts() == ["Panchromatic"]
    assert chosen.get_attribute("tabindex") == "0"
    assert reader.page.locator("#picture-1 .panel:not([hidden])").count() == 1
    assert reader.page.locator("#picture-0 [role=tab][tabindex='0']").all_inner_texts() == [
        "Pansharpened"
    ]


@pytest.mark.parametrize("width", [1400, 400])
def test_the_way_leads_back_to_request_strip_and_acquisition(
    read: Any, report: Path, width: int
) -> None:
    reader = read(report, width=width)
    way = "#picture-2 .panel:not([hidden]) [data-goto={}]"
    reader.page.locator(way.format("request")).focus()
    reader.page.keyboard.press("Enter")
    reader.settle()
    assert reader.text("#details h3") == "Mingachevir reservoir"
    assert reader.page.evaluate("document.activeElement.id") == "details"
    assert in_sight(reader, "#details h3")
    assert reader.page.locator(".picture.selected h3").all_inner_texts() == [
        "Mingachevir reservoir"
    ]
    before = reader.picture("#map-canvas")
    reader.click(way.format("strip"))
    assert reader.picture("#map-canvas") != before
    assert reader.page.evaluate("document.activeElement.id") == "map-canvas"
    reader.click(way.format("acquisition"))
    assert reader.page.evaluate(FOCUSED) == "Mingachevir reservoir"
    assert in_sight(reader, "#acquisition-table tr.selected")


@pytest.mark.parametrize("width", [1400, 400])
def test_details_rows_and_the_bar_at_the_foot_lead_to_the_products(
    read: Any, report: Path, width: int
) -> None:
    reader = read(report, width=width)
    reader.click("#acquisition-table .link >> text=Neft Daslari")
    reader.click("#details .link >> text=Multispectral")
    assert reader.page.evaluate(FOCUSED) == "tab-1-1"
    assert in_sight(reader, "#picture-1 h3")
    reader.click("#details .look")
    assert reader.page.evaluate(FOCUSED) == "tab-1-0"
    reader.click("#acquisition-table tr:has-text('Derbent') .link >> text=PAN")
    assert reader.page.evaluate(FOCUSED) == "tab-4-2"
    assert reader.page.locator(".picture.selected h3").all_inner_texts() == ["Derbent"]
    assert reader.text("#product-table tr.selected th button").endswith("-PAN")
    reader.page.evaluate("scrollTo(0, 0)")
    reader.click("#selected button:has-text('Picture')")
    assert in_sight(reader, "#picture-4 h3")
    bar = reader.page.locator("#selected").bounding_box()
    assert bar["x"] >= 0
    assert bar["x"] + bar["width"] <= width
    assert reader.page.locator("#selected b").evaluate("(n) => n.scrollWidth <= n.clientWidth")


def test_products_sort_by_their_figures_and_follow_the_filter(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    column = "#product-table tbody tr > :nth-child({})"
    for title, place in (("CE90, px", 11), ("Off-nadir", 7), ("Files, MB", 17)):
        reader.click(f"#product-table .sort:text-is('{title}')")
        cells = reader.page.locator(column.format(place)).all_inner_texts()
        values = [float(text.rstrip("\u00b0")) for text in cells]
        assert len(values) == 18
        assert values == sorted(values)
        assert len(set(values)) > 1
    reader.page.fill("#filter-text", "Taveuni")
    reader.settle()
    assert reader.page.locator("#product-table tbody tr").count() == 3
    assert reader.page.locator(".picture:not(.dimmed) h3").all_inner_texts() == ["Taveuni, Fiji"]
    reader.page.fill("#filter-text", "no such place")
    reader.settle()
    assert reader.text("#product-table .empty") == "No product fits the filter."


@pytest.mark.parametrize("name", ["Neft Daslari", "Taveuni, Fiji"])
def test_a_footprint_on_the_map_tells_with_its_picture_and_selects(
    read: Any, report: Path, name: str
) -> None:
    """The second lies at the antimeridian."""
    reader = read(report, width=1400)
    card = f".picture:has(h3:text-is('{name}'))"
    reader.click(f"{card} .panel:not([hidden]) [data-goto=strip]")
    reader.click("#selected [aria-label=Close]")
    reader.click("#layer-strips")  # or the strip around it would answer
    box = reader.page.locator("#map-canvas").bounding_box()
    place = box["x"] + box["width"] / 2 + 14, box["y"] + box["height"] / 2 + 14
    with_pictures = reader.picture("#map-canvas")
    reader.page.mouse.move(*place)
    reader.settle()
    assert reader.text("#tip").startswith(name)
    picture = reader.page.locator("#tip img")
    assert picture.get_attribute("alt").startswith(f"Pansharpened picture of {name}")
    assert picture.evaluate("(n) => n.decode().then(() => n.clientWidth)") > 100
    reader.page.mouse.click(*place)
    reader.settle()
    assert reader.text("#details h3") == name
    reader.click("#selected [aria-label=Close]")
    reader.click("#layer-pictures")
    assert reader.picture("#map-canvas") != with_pictures
    reader.page.mouse.move(*place)
    reader.settle()
    assert reader.page.locator("#tip").is_visible() == (name != "Neft Daslari")  # only a point
    assert "picture" in reader.text("#map-legend")


def test_what_was_missed_leads_to_its_acquisition(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    reader.click("#pictures .missed a")
    assert (
        reader.text("#details .missed") == "Missed: 1,834 m along and \u2212420 m across the track"
    )
    assert reader.text("#acquisition-table tr.selected th button") == "Alat port"
    assert not reader.page.locator("#selected button:has-text('Picture')").count()


def test_every_link_is_a_file_below_the_folder_of_the_report(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    links = reader.page.evaluate("[...document.links].map((a) => a.href)")
    outside = [link for link in links if "report.html#" not in link]
    assert len(outside) == 18 * 3
    assert all(link.startswith(f"{report.parent.as_uri()}/products/") for link in outside)


def test_hostile_names_of_products_are_shown_and_never_run(read: Any, tmp_path: Path) -> None:
    plan = synthetic_plan()
    figures = flown_figures(plan)
    acquisition = next(a for a in plan["acquisitions"] if a["request"] == "Baku centre")
    acquisition["id"], acquisition["strip"] = "__proto__", HOSTILE[0]
    acquisition["satellite"] = HOSTILE[4]
    for product, name in zip(figures["products"][:3], HOSTILE, strict=False):
        product |= {"acquisition": "__proto__", "strip": HOSTILE[0], "satellite": HOSTILE[4]}
        product |= {"id": name, "level": name, "bands": [name]}
    figures["flight"]["missed"] = [{"acquisition": "__proto__", "along_m": 1.0, "across_m": 2.0}]
    write_report(plan, figures, tmp_path / "report.html")
    reader = read(tmp_path / "report.html", width=1400)
    reader.click(f"#product-table .link:text-is({HOSTILE[0]!r})")
    assert reader.text("#picture-0 [aria-selected=true]") == HOSTILE[0]
    assert reader.text("#details .missed").startswith("Missed: 1 m")
    reader.click("#picture-0 .panel:not([hidden]) [data-goto=acquisition]")
    assert "__proto__" in reader.text("#acquisition-table tr.selected")
    assert reader.page.evaluate("window.hacked") is None
    assert reader.page.locator("img:not([src^='data:image/png'])").count() == 0
