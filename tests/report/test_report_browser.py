"""report.html as a reader meets it: Chromium, no network, wide and narrow, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from humay.report import write_report

from .reader import COLOURS, OVERFLOWING, Reader
from .synthetic_plan import empty_plan, synthetic_figures, synthetic_plan

pytestmark = pytest.mark.slow

# Widths in CSS pixels of the runs of one colour along a row of a canvas.
RUNS = """(canvas, [y, colour]) => {
  const ratio = canvas.width / canvas.clientWidth;
  const {data} = canvas.getContext("2d").getImageData(0, Math.round(y * ratio), canvas.width, 1);
  const wanted = colour.match(/[0-9a-f]{2}/g).map((h) => parseInt(h, 16));
  const runs = [];
  let length = 0;
  for (let i = 0; i <= canvas.width; i++) {
    const same = i < canvas.width && wanted.every((v, k) => data[4 * i + k] === v);
    if (same) length++;
    else if (length) { runs.push(length / ratio); length = 0; }
  }
  return runs;
}"""

# Whether a colour of an outcome is drawn within 3 pixels of the middle, or so far below it.
MARKED = """(c, below) => {
  const outcomes = [[0x00, 0x44, 0x88], [0x99, 0x77, 0x00], [0x99, 0x44, 0x55]];
  const {data} = c.getContext("2d").getImageData(c.width / 2 - 3, c.height / 2 + below - 3, 7, 7);
  const pixels = [...Array(49).keys()].map((i) => data.slice(4 * i, 4 * i + 3));
  return pixels.some((p) => outcomes.some((o) => o.every((v, k) => v === p[k])));
}"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(synthetic_plan(), synthetic_figures(), path)
    return path


@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_map_gantt_and_curves_are_drawn_and_nothing_sticks_out(
    read: Any, report: Path, width: int, scheme: str
) -> None:
    reader = read(report, width=width, scheme=scheme)
    blocks = reader.page.locator(".block canvas")
    assert blocks.count() == 2
    canvases = reader.page.locator("#map-canvas, #time-overview, #time-axis, .block canvas").all()
    assert len(canvases) == 5
    for canvas in canvases:
        box = canvas.bounding_box()
        assert canvas.is_visible()
        assert box["width"] > 0.85 * min(width, 976)
        assert box["height"] > 30
        assert canvas.evaluate(COLOURS) > 8
    assert reader.page.locator("#map-canvas").bounding_box()["height"] >= 300
    assert blocks.first.bounding_box()["height"] > 300  # five lanes and four curves
    assert reader.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert reader.page.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("width", [1400, 400])
def test_bars_of_three_seconds_stay_visible_over_three_days(
    read: Any, report: Path, width: int
) -> None:
    """At this scale 3 s are 0.01 pixels; a bar has 3, unless one of another colour lies over it."""
    reader = read(report, width=width)
    runs = reader.page.locator(".block canvas").first.evaluate(RUNS, [14, "004488"])
    assert len(runs) >= 8
    assert sorted(runs)[1] >= 3


def test_dark_readers_get_dark_paper_and_a_dark_map(read: Any, report: Path) -> None:
    shades = {}
    for scheme in ("light", "dark"):
        reader = read(report, width=1400, scheme=scheme)
        pixel = (
            "(c) => [...c.getContext('2d').getImageData(c.width * 0.7, 4, 1, 1).data].slice(0, 3)"
        )
        paper = reader.page.evaluate("getComputedStyle(document.body).backgroundColor")
        shades[scheme] = (paper, sum(reader.page.locator("#map-canvas").evaluate(pixel)))
    assert shades["light"][0] != shades["dark"][0]
    assert shades["light"][1] > 3 * 190
    assert shades["dark"][1] < 3 * 60


@pytest.mark.parametrize("width", [1400, 400])
def test_the_filter_narrows_the_table_by_words_outcome_and_reason(
    read: Any, report: Path, width: int
) -> None:
    reader = read(report, width=width)
    assert len(reader.rows()) == 64
    reader.page.fill("#filter-text", "platform")
    reader.settle()
    assert reader.rows() == ["Chirag platform", "Guneshli platform", "Shah Deniz platform"]
    reader.page.fill("#filter-text", "")
    for outcome in ("served", "partly"):
        reader.click(f"#request-filters .toggle:has-text('{outcome}')")
    left_out = [r["name"] for r in synthetic_plan()["requests"] if r["outcome"] == "left out"]
    assert reader.rows() == left_out
    assert reader.text("#filter-count") == f"{len(left_out)} of 64 requests"
    reader.click("[data-reason=memory]")
    assert 0 < len(reader.rows()) < len(left_out)
    assert set(reader.page.locator(".reason-cell").all_inner_texts()) == {
        "86.4 Gbit needed, 41.7 Gbit free before the next downlink"
    }
    reader.page.fill("#filter-text", "no such place")
    reader.settle()
    assert reader.text("#request-table .empty") == "No request fits the filter."


def test_tables_sort_both_ways_by_their_heads(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    names = sorted(r["name"] for r in synthetic_plan()["requests"])
    reader.click("#request-table .sort:has-text('Request')")
    assert reader.rows() == names
    reader.click("#request-table .sort:has-text('Request')")
    assert reader.rows() == names[::-1]
    heads = reader.page.locator("#request-table th[aria-sort=descending]")
    assert heads.all_inner_texts() == ["Request"]
    reader.click("#acquisition-table .sort:has-text('Off-nadir')")
    angles = reader.page.locator("#acquisition-table tbody td:nth-child(6)").all_inner_texts()
    values = [float(text.rstrip("\u00b0")) for text in angles]
    assert values == sorted(values)
    assert len(values) == len(synthetic_plan()["acquisitions"])


@pytest.mark.parametrize("width", [1400, 400])
def test_a_selected_request_shows_in_details_table_timeline_and_map(
    read: Any, report: Path, width: int
) -> None:
    reader = read(report, width=width)
    before = reader.picture(".block canvas"), reader.picture("#map-canvas")
    reader.page.fill("#filter-text", "Baku centre")
    reader.settle()
    reader.click("#request-table .link")
    reader.page.fill("#filter-text", "")
    reader.settle()
    assert reader.text("#details h3") == "Baku centre"
    assert "Off-nadir" in reader.text("#details")
    assert reader.text("#request-table tr.selected th button") == "Baku centre"
    assert reader.text("#acquisition-table tr.selected th button") == "Baku centre"
    after = reader.picture(".block canvas"), reader.picture("#map-canvas")
    assert before[0] != after[0]
    assert before[1] != after[1]
    reader.click("#selected button:has-text('Timeline')")
    assert "2019-11-02 05:43 to 2019-11-02 05:5" in reader.text("#time-range")
    reader.click("#selected [aria-label=Close]")
    assert reader.page.locator("tr.selected").count() == 0
    assert not reader.page.locator("#selected").is_visible()


@pytest.mark.parametrize("name", ["Baku centre", "Taveuni, Fiji", "South Pole station"])
def test_a_mark_on_the_map_is_found_by_the_pointer(read: Any, report: Path, name: str) -> None:
    """One in the middle, one over the antimeridian, one at the pole."""
    reader = read(report, width=1400)
    reader.page.fill("#filter-text", name)
    reader.settle()
    reader.click("#request-table .link")
    reader.click("#details button:has-text('Zoom map')")
    reader.click("#selected [aria-label=Close]")
    reader.page.locator("#map-canvas").scroll_into_view_if_needed()
    box = reader.page.locator("#map-canvas").bounding_box()
    offset = pole_offset(reader) if name == "South Pole station" else 0.0
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + offset
    assert reader.page.locator("#map-canvas").evaluate(MARKED, round(offset))
    reader.page.mouse.move(*middle)
    reader.settle()
    assert reader.text("#tip").startswith(name)
    reader.page.mouse.click(*middle)
    reader.settle()
    assert reader.text("#details h3") == name


def pole_offset(reader: Reader) -> float:
    """How far below the middle the lowest mark lies: the map stops with the pole at its edge."""
    pixels = """(c) => {
      const {data} = c.getContext("2d").getImageData(c.width / 2, 0, 1, c.height);
      const found = [];
      for (let y = 0; y < c.height; y++) {
        if (data[4 * y] === 0x99 && data[4 * y + 1] === 0x44) found.push(y);
      }
      return found;
    }"""
    canvas = reader.page.locator("#map-canvas")
    found = canvas.evaluate(pixels)
    return float(sum(found) / len(found) - canvas.bounding_box()["height"] / 2)


def test_the_map_zooms_by_buttons_wheel_and_keys_and_moves_by_dragging(
    read: Any, report: Path
) -> None:
    reader = read(report, width=1400)
    canvas = reader.page.locator("#map-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + 40, box["y"] + box["height"] - 60
    seen = [reader.picture("#map-canvas")]

    def changed() -> bool:
        reader.settle()
        seen.append(reader.picture("#map-canvas"))
        return seen[-1] not in seen[:-1]

    for button in ("#map-in", "#map-out", "#map-world"):
        reader.click(button)
        assert changed() == (button != "#map-out")  # in and out again is where we were
    reader.click("#map-fit")
    assert seen[0] == reader.picture("#map-canvas")
    reader.page.mouse.move(x, y)
    reader.page.mouse.wheel(0, -300)
    reader.page.wait_for_timeout(200)
    assert not changed()  # without focus the wheel belongs to the page
    reader.page.evaluate("scrollTo(0, 0)")
    canvas.focus()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    reader.page.mouse.move(box["x"] + 400, box["y"] + 200)
    reader.page.mouse.wheel(0, -300)
    reader.page.wait_for_timeout(200)
    assert changed()
    reader.page.keyboard.press("ArrowLeft")
    assert changed()
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 460, box["y"] + 260, steps=4)
    reader.page.mouse.up()
    assert changed()
    reader.page.keyboard.press("n")
    reader.settle()
    assert reader.text("#details h3") == "Mil plain wheat"
    reader.click("#layer-strips")
    assert changed()


def test_the_timeline_zooms_by_buttons_wheel_keys_and_marking(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    whole = "2019-11-01 00:00 to 2019-11-04 00:00"

    def shown() -> str:
        reader.settle()
        return str(reader.text("#time-range"))

    assert shown() == whole
    reader.click("#time-in")
    assert shown() == "2019-11-01 18:00 to 2019-11-03 06:00"
    reader.click("#time-on")
    assert shown() == "2019-11-02 12:00 to 2019-11-04 00:00"
    reader.click("#time-back")
    reader.click("#time-out")
    assert shown() == whole
    canvas = reader.page.locator(".block canvas").first
    canvas.focus()
    box = canvas.bounding_box()
    reader.page.mouse.move(box["x"] + 700, box["y"] + 40)
    reader.page.mouse.wheel(0, -600)
    reader.page.wait_for_timeout(200)
    assert shown() != whole
    reader.page.keyboard.press("Home")
    assert shown() == whole
    reader.page.keyboard.down("Shift")
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 900, box["y"] + 60, steps=5)
    reader.page.mouse.up()
    reader.page.keyboard.up("Shift")
    assert shown().startswith("2019-11-02 1")
    assert shown() != whole


def test_a_bar_in_the_timeline_tells_and_selects_its_acquisition(read: Any, report: Path) -> None:
    reader = read(report, width=1400)
    first = next(a for a in synthetic_plan()["acquisitions"] if a["satellite"] == "spot-6")
    canvas = reader.page.locator(".block canvas").first
    canvas.scroll_into_view_if_needed()
    runs = """(c) => {
      const {data} = c.getContext("2d").getImageData(0, 14, c.width, 1);
      for (let x = 0; x < c.width; x++) if (data[4 * x] === 0 && data[4 * x + 1] === 0x44) return x;
    }"""
    box = canvas.bounding_box()
    place = box["x"] + canvas.evaluate(runs) + 1, box["y"] + 14
    reader.page.mouse.move(*place)
    reader.settle()
    assert reader.text("#tip").startswith(first["request"])
    reader.page.mouse.click(*place)
    reader.settle()
    assert reader.text("#details h3") == first["request"]


def test_a_finger_taps_a_mark_and_reads_about_it(read: Any, report: Path) -> None:
    reader = read(report, width=400)
    reader.page.fill("#filter-text", "Baku centre")
    reader.settle()
    reader.click("#request-table .link")
    reader.click("#selected button:has-text('Map')")
    reader.click("#selected [aria-label=Close]")
    box = reader.page.locator("#map-canvas").bounding_box()
    reader.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    reader.settle()
    assert reader.text("#tip").startswith("Baku centre")
    assert reader.text("#details h3") == "Baku centre"


def test_hostile_names_are_shown_and_never_run(read: Any, tmp_path: Path) -> None:
    plan, figures = synthetic_plan(), synthetic_figures()
    name = "<img src=x onerror=window.hacked=1>"
    first = plan["acquisitions"][0]
    request = next(r for r in plan["requests"] if r["name"] == first["request"])
    request["name"] = request["purpose"] = first["request"] = name
    request["reason"] = {
        "code": name,
        "text": "</script><script>window.hacked=2</script>",
        "competitors": [name],
    }
    plan["mission"] = "</title><script>window.hacked=3</script>"
    figures["stations"][0]["name"] = name
    write_report(plan, figures, tmp_path / "report.html")
    reader = read(tmp_path / "report.html", width=1400)
    reader.page.fill("#filter-text", "onerror")
    reader.settle()
    reader.click("#request-table .link")
    assert reader.text("#details h3") == name
    assert reader.text("h1") == plan["mission"]
    assert reader.page.evaluate("window.hacked") is None
    assert reader.page.locator("img").count() == 0


def test_the_policy_stops_a_script_that_was_slipped_in(
    browser: Any, report: Path, tmp_path: Path
) -> None:
    """The second lock, tried with the first one broken."""
    page = report.read_text("utf-8").replace("<main>", "<main><script>window.hacked=1</script>", 1)
    (tmp_path / "report.html").write_text(page, "utf-8")
    reader = Reader(browser, tmp_path / "report.html", width=1400)
    assert reader.page.evaluate("window.hacked") is None
    assert any("Content Security Policy" in trouble for trouble in reader.troubles)
    reader.context.close()


@pytest.mark.parametrize("width", [1400, 400])
def test_an_empty_plan_makes_a_page_that_says_so(read: Any, tmp_path: Path, width: int) -> None:
    write_report(empty_plan(), {}, tmp_path / "report.html")
    reader = read(tmp_path / "report.html", width=width)
    assert reader.text("#request-table") == "This plan has no requests."
    assert reader.text("#acquisition-table") == "This plan has no acquisitions."
    assert "no satellites" in reader.text("#time-blocks")
    assert reader.page.locator("#map-canvas").evaluate(COLOURS) > 8  # land and sea all the same
    assert reader.page.evaluate(OVERFLOWING) == []


def test_thousands_of_requests_are_capped_in_the_table_and_drawn_within_a_second(
    read: Any, tmp_path: Path
) -> None:
    plan = synthetic_plan()
    model = plan["requests"][0]
    for i in range(4936):
        place = {"type": "Point", "coordinates": [i * 137.508 % 360 - 180, (i * 61.8) % 150 - 75]}
        plan["requests"].append({**model, "name": f"request {i}", "geometry": place})
    write_report(plan, synthetic_figures(), tmp_path / "report.html")
    reader = read(tmp_path / "report.html", width=1400)
    assert len(reader.rows()) == 100
    took_ms = reader.page.evaluate("""async () => {
      const started = performance.now();
      document.getElementById("map-world").click();
      await new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
      return performance.now() - started;
    }""")
    assert took_ms < 1000
    reader.click("#request-table .more button")
    assert len(reader.rows()) == 5000
