"""What the report says of a flight and its products: checked on the text of the page."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import PlanError
from humay.report.data import Clock
from humay.report.measures import metres, plural, size
from humay.report.pictures import chapters, tiles
from humay.report.products import flown_data, furthest, is_beside

from .outline import HOSTILE, Outline, data_of, page_of
from .synthetic_plan import empty_plan, synthetic_figures, synthetic_plan
from .synthetic_products import PLACES, flown_figures, synthetic_products


def page_with(change: dict[str, Any], product: int = 0) -> str:
    """The page of the whole chain with something else in one product."""
    plan = synthetic_plan()
    figures = flown_figures(plan)
    figures["products"][product] |= change
    return page_of(plan, figures)


def refused(change: dict[str, Any], product: int = 0) -> None:
    """What the page does with the figures before anything is drawn."""
    plan = synthetic_plan()
    products = synthetic_products(plan)
    products[product] |= change
    flown_data(plan, {"products": products}, Clock(plan))


def panel_text(page: str, panel: str) -> str:
    return Outline(page.split(f'id="panel-{panel}"')[1].split("</div>\n")[0]).text


def test_a_report_of_a_plan_alone_has_no_place_for_pictures() -> None:
    plan, figures = synthetic_plan(), synthetic_figures()
    said = {name: text for name, text in chapters(plan, figures).items() if text}
    assert said == {"subject": "plan", "sources": "<code>plan.json</code>"}
    assert tiles(figures) == []
    page = page_of(plan, figures)
    assert not {"products", "missed"} & set(data_of(page))
    assert "<title>Azersky and SPOT 6: plan</title>" in page
    text = Outline(page).text
    assert not [word for word in ("Picture", "Product", "Flight", "CE90") if word in text]


def test_a_run_that_made_no_picture_says_so() -> None:
    text = Outline(page_of(empty_plan(), {"products": []})).text
    assert "No picture was made in this run." in text
    assert "Products00 acquisitions pictured" in text


def test_every_acquisition_has_a_card_in_the_order_of_the_plan_best_product_first() -> None:
    plan = synthetic_plan()
    page = page_of(plan, flown_figures(plan))
    heads = re.findall(r'<article .*?data-acquisition="(\d+)".*?<h3[^>]*>(.*?)</h3>', page, re.S)
    pictured = {p["acquisition"] for p in synthetic_products(plan)}
    expected = [
        (str(i), a["request"]) for i, a in enumerate(plan["acquisitions"]) if a["id"] in pictured
    ]
    assert heads == expected
    assert {name for _, name in heads} == set(PLACES)
    tabs = re.findall(r'<button type="button" role="tab".*?>(.*?)</button>', page)
    assert tabs == ["Pansharpened", "Multispectral", "Panchromatic"] * 6


def test_a_card_says_what_an_engineer_of_image_quality_asks_first() -> None:
    """Figures of the first panel as given to the page, each in its words."""
    product = {
        "native_gsd_m": 2.69, "pixel_m": 1.5, "cols": 3000, "rows": 2800, "off_nadir_deg": 30.84,
        "sun_elevation_deg": 24.52, "relief_m": [-28.0, 1210.4], "bound_px": 0.0123,
        "ce90_predicted_m": 9.6, "saturated_share": 0.00042, "bands": ["red", "nir"],
        "location": {"points": 31, "rejected": 2, "mean_m": 2.104, "ce90_m": 3.4,
                     "mean_px": 0.782, "ce90_px": 1.264},
        "radiometry": {"patches": 12, "bias_percent": {"red": -0.094, "nir": 0.31},
                       "noise_ratio": {"red": 0.97, "nir": 1.04}},
        "snr": {"red": 136.4, "nir": 145.0}, "mtf_nyquist": {"red": 0.2, "nir": 0.23},
    }  # fmt: skip
    plan = synthetic_plan()
    first = next(i for i, p in enumerate(synthetic_products(plan)) if p["level"] == "L2P")
    text = panel_text(page_with(product, first), "0-0")
    for words in (
        "GSD2.69 m, on a grid of 1.5 m", "Size3,000 \u00d7 2,800 pixels", "Bandsred, nir",
        "Off-nadir30.8\u00b0", "Sun elevation24.5\u00b0", "Relief\u221228 to 1,210 m",
        "Ortho errorat most 0.012 px", "Saturated0.042 %", "Cloudnot measured",
        "predicted9.60 m3.57 px", "measured3.40 m1.26 px",
        "Mean 2.10 m (0.78 px) at 31 points, 2 rejected; inside the prediction.",
        "Radiometry, 12 patches", "BandBias, %Noise ratioSNRMTF",
        "red\u22120.090.971360.20", "nir+0.311.041450.23",
    ):  # fmt: skip
        assert words in text


def test_the_bars_of_predicted_and_measured_error_share_one_scale() -> None:
    found = synthetic_products(synthetic_plan())[0]["location"]
    for measured_m, shares in ((2.4, ["100.00", "25.00"]), (38.4, ["25.00", "100.00"])):
        change = {"ce90_predicted_m": 9.6, "location": found | {"ce90_m": measured_m}}
        page = page_with(change, product=2)
        panel = page.split('id="panel-0-0"')[1].split("</div>\n")[0]
        widths = re.findall(r'class="fill-(?:predicted|measured)" width="([\d.]+)"', panel)
        assert widths == shares
        held = "inside" if measured_m < 9.6 else "beyond"
        assert f"; {held} the prediction." in Outline(panel).text


def test_what_was_not_measured_is_never_shown_as_a_number() -> None:
    nothing = dict.fromkeys(("location", "radiometry", "snr", "mtf_nyquist", "thumbnail",
                             "relief_m", "ce90_predicted_m"))  # fmt: skip
    page = page_with(nothing, product=2)
    text = panel_text(page, "0-0")
    for words in ("no preview", "Relief\u2013", "predicted\u2013\u2013", "measured\u2013\u2013",
                  "Location was not measured.", "RadiometryNot measured."):  # fmt: skip
        assert words in text
    drawn = data_of(page)["products"][0]
    assert [drawn[key] for key in ("location", "bias_percent", "noise_ratio")] == [None] * 3
    assert "Cloud12 %" in panel_text(page_with({"cloud_cover": 0.12}, product=2), "0-0")


def test_the_way_leads_from_the_request_to_the_files() -> None:
    plan = synthetic_plan()
    a = next(a for a in plan["acquisitions"] if a["request"] == "Baku centre")
    page = page_of(plan, flown_figures(plan))
    text = panel_text(page, "0-0")
    start = a["start"][:19].replace("T", " ")
    assert (
        f"Request Baku centreStrip Baku centre/1Acquisition {a['id']} orbit {a['orbit']:,} + "
        f"{a['anx_offset_s']:.1f} s, {start} UTC, spot-6Product {a['id']}-L2P STAC item"
        f"Files {a['id']}-L2P.tif 18.0 MB, {a['id']}-L2P.png 48.2 kB"
    ) in text
    panel = page.split('id="panel-0-0"')[1].split("</div>\n")[0]
    folder = f"products/{a['id']}/{a['id']}-L2P"
    links = [attrs["href"] for tag, attrs in Outline(panel).tags if tag == "a"]
    assert links == [
        "#map",
        "#map",
        "#acquisitions",
        *(f"{folder}.{e}" for e in ("json", "tif", "png")),
    ]
    assert re.findall(r'data-goto="(\w+)"', panel) == ["request", "strip", "acquisition"]


def test_links_lead_to_the_files_of_the_products_and_to_nothing_else() -> None:
    plan = synthetic_plan()
    page = page_of(plan, flown_figures(plan))
    outline = Outline(page)
    links = {a["href"] for tag, a in outline.tags if tag == "a"}
    given = {
        href
        for p in synthetic_products(plan)
        for href in (p["href"], *(asset["href"] for asset in p["assets"]))
    }
    assert {href for href in links if href and not href.startswith("#")} == given
    pictures = [a["src"] for tag, a in outline.tags if tag == "img"]
    assert sorted(map(str, pictures)) == sorted(p["thumbnail"] for p in synthetic_products(plan))
    assert all(a.get("alt") for tag, a in outline.tags if tag == "img")
    bare = re.sub(r"^\s*//.*$|data:image/png;base64,[^\"]*", "", page, flags=re.M)
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", bare)


def test_the_page_of_the_chain_is_the_same_each_time_and_in_any_order_of_products() -> None:
    plan = synthetic_plan()
    figures = flown_figures(plan)
    page = page_of(plan, figures)
    assert page_of(plan, figures) == page
    assert page_of(plan, figures | {"products": figures["products"][::-1]}) == page


def test_the_flight_tells_how_far_the_orbits_were_off_and_what_was_missed() -> None:
    plan = synthetic_plan()
    figures = flown_figures(plan)
    missed = next(a for a in plan["acquisitions"] if a["request"] == "Alat port")
    note = f"Alat port ({missed['id']}: 1.8 km along and \u2212420 m across the track)."
    page = page_of(plan, figures)
    text = Outline(page).text
    assert "spot-6\u2212412 m+36 m+12 m731.461.2" in text
    assert "spot-7+655 m\u221220 m\u22129 m702.648.5" in text
    assert text.count(note) == 1
    assert "6 acquisitions pictured, 1 missed" in text
    assert data_of(page)["missed"] == {missed["id"]: [1834.0, -420.0]}
    del figures["products"]
    assert Outline(page_of(plan, figures)).text.count(note) == 1


def test_the_worst_of_the_run_stands_at_the_head() -> None:
    """Six places of 3 products with 30 to 35 points each; the worst of three products set apart."""
    plan = synthetic_plan()
    figures = flown_figures(plan)
    for product in figures["products"]:
        product["location"] |= {"ce90_m": 0.4, "ce90_px": 0.15}
        product["radiometry"]["bias_percent"] = {"red": 0.1}
    figures["products"][4]["location"]["ce90_m"] = 1.234
    figures["products"][9]["location"]["ce90_px"] = 0.567
    figures["products"][7]["radiometry"]["bias_percent"] = {"red": -0.75, "nir": 0.2}
    text = Outline(page_of(plan, figures)).text
    assert (
        f"measured at {3 * sum(range(30, 36)):,} points of 18 products: CE90 is at most 0.57 px "
        "and at most 1.23 m. Radiometric bias is at most 0.75 %."
    ) in text
    assert "Location, CE901.23 mlargest measured" in text


def test_hostile_names_in_products_stay_names() -> None:
    plan = synthetic_plan()
    figures = flown_figures(plan)
    tame = Outline(page_of(plan, figures))
    first = figures["products"][0]
    acquisition = next(a for a in plan["acquisitions"] if a["id"] == first["acquisition"])
    for name in HOSTILE:
        acquisition["id"] = acquisition["request"] = acquisition["strip"] = name
        acquisition["satellite"] = name
        change = dict.fromkeys(("acquisition", "request", "strip", "satellite", "id"), name)
        for product in figures["products"][:3]:
            product |= change | {"bands": [name], "level": name}
            product["assets"][0]["name"] = name
        figures["flight"]["satellites"][0]["name"] = name
        figures["flight"]["missed"][0]["acquisition"] = name
        page = page_of(plan, figures)
        outline = Outline(page)
        assert data_of(page)["products"][0]["id"] == name
        assert {tag for tag, _ in outline.tags} == {tag for tag, _ in tame.tags}
        assert not [key for _, attrs in outline.tags for key in attrs if key.startswith("on")]
        assert [tag for tag, _ in outline.tags].count("script") == 2
        assert outline.text.count(name) > tame.text.count(name) + 10


@pytest.mark.parametrize(
    "href",
    ["javascript:alert(1)", "https://a.example/b", "//a.example/b", "/etc/passwd", "../report.html",
     "products/../../secret", "products\\a", "", "a/", "a//b", "./a", "a b", "a?b", "a#b",
     "%2e%2e/a", "file:a", "a\nb"],
)  # fmt: skip
def test_a_link_that_leaves_the_folder_of_the_report_is_refused(href: str) -> None:
    with pytest.raises(PlanError, match=r"products\[0\] links to .*beside the report"):
        refused({"href": href})
    assets = [{"name": "a", "href": href, "bytes": 1}]
    with pytest.raises(PlanError, match=r"products\[0\] links to .*beside the report"):
        refused({"assets": assets})


@given(st.text(alphabet="ab./\\:?#%e2 \t\u00e9", max_size=12))
def test_a_link_that_is_accepted_stays_in_the_folder(href: str) -> None:
    """RFC 3986, 5.2: resolved against the report, it lies below the folder of the report."""
    if is_beside(href):
        assert urljoin("file:///run/report.html", href).startswith("file:///run/")
        assert "/../" not in f"/{href}/"


@pytest.mark.parametrize(
    "thumbnail",
    ["https://a.example/b.png", "data:image/svg+xml;base64,AAAA", "data:text/html;base64,AAAA",
     'data:image/png;base64,AAAA" onerror="x', "data:image/png;base64,AA A", ""],
)  # fmt: skip
def test_a_thumbnail_that_is_no_picture_in_the_page_is_refused(thumbnail: str) -> None:
    with pytest.raises(PlanError, match=r"products\[1\]\.thumbnail begins with .*expected a PNG"):
        refused({"thumbnail": thumbnail}, product=1)


def test_a_thumbnail_may_also_be_a_jpeg() -> None:
    jpeg = "data:image/jpeg;base64,/9j/4AAQ"
    assert page_with({"thumbnail": jpeg}).count(jpeg) == 1


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"acquisition": "a9999"}, r"products\[0\] is of acquisition 'a9999', which the plan"),
        ({"request": "Ganja"}, r"products\[0\] gives request 'Ganja', expected 'Baku centre'"),
        ({"strip": "x/1"}, r"products\[0\] gives strip 'x/1', expected 'Baku centre/1'"),
        ({"satellite": "spot-5"}, r"products\[0\] gives satellite 'spot-5', expected 'spot-6'"),
        ({"acquired": "2019-11-02T05:48:49"}, r"acquired of product .*2019-11-02T05:48:49"),
        ({"location": {"points": 3}}, r"products\[0\]\.location has no 'rejected'"),
        ({"radiometry": {"patches": 3}}, r"products\[0\]\.radiometry has no 'bias_percent'"),
        ({"assets": [{"name": "a"}]}, r"products\[0\]\.assets\[0\] has no 'href'"),
    ],
)
def test_a_product_that_does_not_fit_the_plan_is_refused(
    change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(PlanError, match=complaint):
        refused(change)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        (("products", 2, "footprint"), r"figures: products\[2\] has no 'footprint'"),
        (("flight", "satellites", 1, "radial_m"), r"flight\.satellites\[1\] has no 'radial_m'"),
        (("flight", "missed", 0, "across_m"), r"flight\.missed\[0\] has no 'across_m'"),
    ],
)
def test_figures_that_lack_something_are_refused_by_its_place(
    path: tuple[Any, ...], complaint: str
) -> None:
    plan = synthetic_plan()
    parent: Any = (figures := flown_figures(plan))
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    with pytest.raises(PlanError, match=complaint):
        page_of(plan, figures)


def test_a_missed_acquisition_must_be_one_of_the_plan() -> None:
    plan = synthetic_plan()
    figures = flown_figures(plan)
    figures["flight"]["missed"][0]["acquisition"] = "a9999"
    with pytest.raises(PlanError, match=r"flight\.missed\[0\] is of acquisition 'a9999'"):
        page_of(plan, figures)


def test_the_furthest_band_is_the_one_that_lies_furthest_from_its_aim() -> None:
    assert furthest({"blue": 0.4, "red": -0.6, "nir": 0.5}, 0.0) == -0.6
    assert furthest({"blue": 1.04, "red": 0.97}, 1.0) == 1.04
    assert furthest({}, 0.0) is None


def test_numbers_carry_their_sign_their_digits_and_their_unit() -> None:
    values = [None, 0.156, -0.001, 9.6, 12.94, -420.0, 1834.0, 12_345.0]
    words = ["\u2013", "0.16 m", "0.00 m", "9.60 m", "12.9 m", "\u2212420 m", "1.8 km", "12.3 km"]
    assert [metres(value) for value in values] == words
    assert [size(n) for n in (0, 48_213, 18_000_000)] == ["0.0 kB", "48.2 kB", "18.0 MB"]
    assert [plural(n, "patch", "patches") for n in (1, 12)] == ["1 patch", "12 patches"]
