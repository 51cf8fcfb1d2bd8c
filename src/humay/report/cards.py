"""One acquisition that was pictured as a card: its products, their figures, how they came about.

Every text may be a stranger's and is escaped; the links were checked in `products.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from humay.report.data import Json, moment
from humay.report.measures import NO_VALUE, metres, minus, number, percentage, plural, size
from humay.report.products import level_name
from humay.report.words import table


def card(index: int, place: int, acquisition: Json, products: Sequence[Json]) -> str:
    """One acquisition: its products as tabs, the way it came about at the foot of each.

    `place` is the acquisition's place in the plan: the script finds it by that, never by a name.
    """
    ids = [f"{index}-{i}" for i in range(len(products))]
    tabs = "".join(
        f'<button type="button" role="tab" id="tab-{id_}" aria-controls="panel-{id_}" '
        f'aria-selected="{"false" if i else "true"}">{escape(level_name(p["level"]))}</button>'
        for i, (id_, p) in enumerate(zip(ids, products, strict=True))
    )
    panels = "".join(panel(id_, acquisition, p) for id_, p in zip(ids, products, strict=True))
    start = moment(acquisition["start"], f"start of {acquisition['id']!r}")
    name, satellite = escape(str(acquisition["request"])), escape(str(acquisition["satellite"]))
    return (
        f'<article class="picture" id="picture-{index}" data-acquisition="{place}" '
        f'aria-labelledby="picture-{index}-title">\n'
        f'<h3 class="name" id="picture-{index}-title">{name}</h3>\n'
        f'<p class="soft">{start:%Y-%m-%d %H:%M:%S} UTC, {satellite}</p>\n'
        f'<div class="tabs" role="tablist" aria-label="Products of {name}">{tabs}</div>\n'
        f"{panels}</article>\n"
    )


def panel(id_: str, acquisition: Json, product: Json) -> str:
    """One product: the picture, its figures, its way."""
    return (
        f'<div class="panel" role="tabpanel" id="panel-{id_}" aria-labelledby="tab-{id_}">'
        f"{thumbnail(product)}{facts(product)}{location(product)}{radiometry(product)}"
        f"{way(acquisition, product)}</div>\n"
    )


def thumbnail(product: Json) -> str:
    if product["thumbnail"] is None:
        return '<p class="empty thumbnail">no preview</p>'
    acquired = moment(product["acquired"], f"acquired of {product['id']!r}")
    alt = (
        f"{level_name(product['level'])} picture of {product['request']}, taken "
        f"{acquired:%Y-%m-%d %H:%M} UTC by {product['satellite']}"
    )
    return f'<img class="thumbnail" alt="{escape(alt)}" src="{product["thumbnail"]}">'


def facts(product: Json) -> str:
    """How it was taken and on which grid it lies."""
    relief, cloud = product["relief_m"], product["cloud_cover"]
    entries = [
        ("GSD", f"{number(product['native_gsd_m'], 2)} m, on a grid of {product['pixel_m']:g} m"),
        ("Size", f"{product['cols']:,} \u00d7 {product['rows']:,} pixels"),
        ("Bands", ", ".join(map(str, product["bands"]))),
        ("Off-nadir", f"{number(product['off_nadir_deg'], 1)}\u00b0"),
        ("Sun elevation", f"{number(product['sun_elevation_deg'], 1)}\u00b0"),
        ("Relief", NO_VALUE if relief is None else f"{number(relief[0])} to {number(relief[1])} m"),
        ("Ortho error", f"at most {number(product['bound_px'], 3)} px"),
        ("Saturated", f"{number(percentage(product['saturated_share']), 3)} %"),
        ("Cloud", "not measured" if cloud is None else f"{number(percentage(cloud))} %"),
    ]
    items = "".join(f"<dt>{title}</dt><dd>{escape(text)}</dd>" for title, text in entries)
    return f'<dl class="pairs">{items}</dl>'


def location(product: Json) -> str:
    """Predicted against measured CE90, as two bars on one scale."""
    found, predicted_m = product["location"], product["ce90_predicted_m"]
    measured_m = None if found is None else found["ce90_m"]
    longest_m = max(predicted_m or 0.0, measured_m or 0.0) or 1.0
    predicted_px = None if predicted_m is None else predicted_m / product["native_gsd_m"]
    rows = [
        ("predicted", predicted_m, predicted_px),
        ("measured", measured_m, None if found is None else found["ce90_px"]),
    ]
    bars = "".join(
        f"<dt>{kind}</dt><dd>{bar(kind, 0.0 if value_m is None else value_m / longest_m)}</dd>"
        f"<dd>{metres(value_m)}</dd><dd>{number(px, 2)} px</dd>"
        for kind, value_m, px in rows
    )
    return f'<h4>Location, CE90</h4><dl class="against">{bars}</dl>{verdict(found, predicted_m)}'


def bar(kind: str, share: float) -> str:
    return (
        '<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="fill-{kind}" width="{100 * share:.2f}" height="4"/></svg>'
    )


def verdict(found: Json | None, predicted_m: float | None) -> str:
    """On how many points it rests, and whether the prediction held."""
    if found is None:
        return '<p class="soft">Location was not measured.</p>'
    rejected = f", {found['rejected']:,} rejected" if found["rejected"] else ""
    text = (
        f"Mean {metres(found['mean_m'])} ({number(found['mean_px'], 2)} px) at "
        f"{plural(found['points'], 'point')}{rejected}"
    )
    if predicted_m is not None:
        held = "inside" if found["ce90_m"] <= predicted_m else "beyond"
        text += f"; {held} the prediction"
    return f'<p class="soft">{text}.</p>'


def radiometry(product: Json) -> str:
    """What was measured of each band; a column for each figure that there is."""
    found = product["radiometry"] or {"patches": 0, "bias_percent": None, "noise_ratio": None}
    columns = [
        ("Bias, %", found["bias_percent"], "+z.2f"),
        ("Noise ratio", found["noise_ratio"], ".2f"),
        ("SNR", product["snr"], ".0f"),
        ("MTF", product["mtf_nyquist"], ".2f"),
    ]
    given = [(title, values, form) for title, values, form in columns if values]
    if not given:
        return '<h4>Radiometry</h4><p class="soft">Not measured.</p>'
    rows = [
        [str(band), *(cell(values.get(band), form) for _, values, form in given)]
        for band in product["bands"]
    ]
    patches = f", {plural(found['patches'], 'patch', 'patches')}" if found["patches"] else ""
    head = ("Band", *(title for title, _, _ in given))
    return f'<h4>Radiometry{patches}</h4><div class="bands">{table(head, rows)}</div>'


def cell(value: float | None, form: str) -> str:
    return NO_VALUE if value is None else minus(f"{value:{form}}")


def way(acquisition: Json, product: Json) -> str:
    """From the request to the files, each step a link; those within the page by its sections."""
    start = moment(acquisition["start"], f"start of {acquisition['id']!r}")
    taken = (
        whole(f"orbit {acquisition['orbit']:,} + {number(acquisition['anx_offset_s'], 1)} s,")
        + whole(f"{start:%Y-%m-%d %H:%M:%S} UTC,")
        + f" <small>{escape(str(acquisition['satellite']))}</small>"
    )
    steps = [
        ("Request", link("#map", acquisition["request"], "request")),
        ("Strip", link("#map", acquisition["strip"], "strip")),
        ("Acquisition", link("#acquisitions", acquisition["id"], "acquisition") + taken),
        ("Product", link(product["href"], product["id"]) + whole("STAC item")),
        ("Files", files(product["assets"])),
    ]
    items = "".join(f"<li><span>{kind}</span> {where}</li>" for kind, where in steps)
    return f'<h4>How it came about</h4><ol class="way">{items}</ol>'


def whole(text: str) -> str:
    """A small text that stays on one line."""
    return f' <small class="whole">{text}</small>'


def files(assets: Sequence[Json]) -> str:
    if not assets:
        return "none"
    return ", ".join(
        link(asset["href"], asset["name"]) + whole(size(asset["bytes"])) for asset in assets
    )


def link(href: Any, text: Any, target: str = "") -> str:
    """A link; with a target, one that the script turns into a step within the page."""
    follow = f' data-goto="{target}"' if target else ""
    return f'<a href="{escape(str(href))}" class="name"{follow}>{escape(str(text))}</a>'
