"""The pictures in plain words: a card for each acquisition that was pictured, and the flight.

Nothing here needs the script: it only folds the products of a card into tabs and follows the way
back within the page. Without products or a flight every chapter is empty, and so is its place.
"""

from __future__ import annotations

from html import escape

from humay.report.cards import card, link
from humay.report.data import Json
from humay.report.measures import metres, minus, number, plural
from humay.report.products import pictured
from humay.report.words import Tile, table

TERMS = {
    "Product": "A picture on a map grid, as files with a description (a STAC item). L1C: "
    "reflectance at the top of the atmosphere, laid over the relief; PAN is one broad band, MS are "
    "the colours with pixels four times as large. L2P: the colours with the pixels of PAN "
    "(pansharpened).",
    "CE90": "Circular error: nine in ten points lie within it. Predicted from the errors of orbit, "
    "attitude and terrain; measured on points found in the finished picture.",
    "px": "Pixels as the camera takes them (GSD), not those of the map grid.",
    "Radiometric bias": "Measured reflectance against that of the ground seen through the "
    "atmosphere, over even patches.",
    "Noise ratio": "Measured variance of the noise as a share of what the camera model expects.",
    "SNR": "The signal as a multiple of its noise.",
    "MTF": "Contrast left of the finest detail a pixel grid can hold (at the Nyquist frequency).",
    "Saturated": "Share of pixels brighter than the camera can tell.",
}  # fmt: skip


def chapters(plan: Json, figures: Json) -> dict[str, str]:
    """What the pictures and the flight add to the page, by its place in the template."""
    groups = pictured(plan, figures)
    shown = "products" in figures
    return {
        "subject": "plan and pictures" if shown else "plan",
        "pictures_link": '\n  <a href="#pictures">Pictures</a>' if shown else "",
        "pictures_layer": LAYER if groups else "",
        "pictures": section(plan, figures) if shown else "",
        "flight": flight(plan, figures) if "flight" in figures else "",
        "terms": terms() if groups else "",
        "sources": SOURCES if shown else "<code>plan.json</code>",
        "links": "; its links lead to the files beside it" if groups else "",
    }


LAYER = '\n          <label><input type="checkbox" id="layer-pictures" checked> Pictures</label>'
SOURCES = "<code>plan.json</code>, its flight and its products"


def terms() -> str:
    return "".join(
        f"\n    <div><dt>{term}</dt><dd>{meaning}</dd></div>" for term, meaning in TERMS.items()
    )


def tiles(figures: Json) -> list[Tile]:
    """How many pictures there are and how well they lie."""
    if "products" not in figures:
        return []
    products = figures["products"]
    count = len({p["acquisition"] for p in products})
    missed = len(figures.get("flight", {}).get("missed", ()))
    detail = f"{plural(count, 'acquisition')} pictured" + (f", {missed:,} missed" if missed else "")
    made: list[Tile] = [("Products", "", f"{len(products):,}", detail)]
    measured = [p["location"]["ce90_m"] for p in products if p["location"]]
    if measured:
        made.append(("Location, CE90", "", metres(max(measured)), "largest measured"))
    return made


def section(plan: Json, figures: Json) -> str:
    """The whole section: what was made and missed, the cards, the place of the table."""
    groups = pictured(plan, figures)
    place = {a["id"]: index for index, a in enumerate(plan["acquisitions"])}
    cards = "".join(
        card(index, place[a["id"]], a, products) for index, (a, products) in enumerate(groups)
    )
    body = (
        f'<div class="pictures">{cards}</div>\n<h3>All products</h3>\n'
        '<div id="product-table"></div>'
        if groups
        else '<p class="empty">No picture was made in this run.</p>'
    )
    return (
        '<section id="pictures" aria-labelledby="pictures-title">\n  <div class="heading">\n'
        '    <h2 id="pictures-title">Pictures</h2>\n'
        "    <p>What was made of the acquisitions, and the way back from each to its request.</p>\n"
        f"  </div>\n{lead(figures)}{missed_note(plan, figures)}{body}\n</section>\n\n"
    )


def lead(figures: Json) -> str:
    """In one sentence each: how much was measured, and the worst that was found."""
    products = figures["products"]
    located = [p["location"] for p in products if p["location"]]
    biases = [
        b for p in products if p["radiometry"] for b in p["radiometry"]["bias_percent"].values()
    ]
    said = []
    if located:
        worst_px, worst_m = (max(found[key] for found in located) for key in ("ce90_px", "ce90_m"))
        said.append(
            f"Location was measured at {sum(found['points'] for found in located):,} points of "
            f"{plural(len(located), 'product')}: CE90 is at most {number(worst_px, 2)} px "
            f"and at most {metres(worst_m)}."
        )
    if biases:
        said.append(f"Radiometric bias is at most {number(max(map(abs, biases)), 2)} %.")
    return f'<p class="lead">{" ".join(said)}</p>\n' if said else ""


def missed_note(plan: Json, figures: Json) -> str:
    """Strips that the true orbit carried out of the picture, each with how far it was off."""
    entries = figures.get("flight", {}).get("missed", ())
    if not entries:
        return ""
    at = {a["id"]: (place, a["request"]) for place, a in enumerate(plan["acquisitions"])}
    items = "; ".join(missed_item(m, *at[m["acquisition"]]) for m in entries)
    return f'<p class="missed"><b>Missed, by the error of the orbit:</b> {items}.</p>\n'


def missed_item(entry: Json, place: int, request: object) -> str:
    return (
        f'<span data-acquisition="{place}">{link("#acquisitions", request, "acquisition")}</span> '
        f"({escape(str(entry['acquisition']))}: {metres(entry['along_m'])} along and "
        f"{metres(entry['across_m'])} across the track)"
    )


def flight(plan: Json, figures: Json) -> str:
    """How far the true orbits were from the planned ones, and how close to their limits it went.

    What was missed stands with the pictures, or here where there are none.
    """
    head = ("Satellite", "Along the track", "Across", "Radial", "Battery at least, Wh",
            "Memory at most, Gbit")  # fmt: skip
    rows = [
        [
            str(s["name"]),
            *(
                f"{minus(format(s[key], '+z,.0f'))} m"
                for key in ("along_m", "across_m", "radial_m")
            ),
            number(s["battery_wh_min"], 1),
            number(s["memory_gbit_max"], 1),
        ]
        for s in figures["flight"]["satellites"]
    ]
    return (
        '\n      <h3>Flight</h3>\n      <p class="soft">True orbit against the planned one, in the '
        "middle of the span; the least and the most of the flight.</p>\n"
        '      <div class="scroll unbroken" tabindex="0" role="region" aria-label="Flight">'
        f"{table(head, rows)}</div>{'' if 'products' in figures else missed_note(plan, figures)}"
    )
