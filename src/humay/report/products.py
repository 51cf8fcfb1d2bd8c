"""What was flown and pictured: held against the plan, and cut down to what the script draws.

A page that leads from a product back to its request is only worth something if the way is right,
so a product whose request, strip or satellite is not that of its acquisition is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from humay.errors import PlanError
from humay.report.data import Clock, Json, rounded, take

LEVELS = {"L2P": "Pansharpened", "L1C-MS": "Multispectral", "L1C-PAN": "Panchromatic"}  # best first

PRODUCT_KEYS = ("id", "acquisition", "request", "strip", "satellite", "level", "bands", "acquired",
                "pixel_m", "native_gsd_m", "rows", "cols", "footprint", "off_nadir_deg",
                "sun_elevation_deg", "relief_m", "bound_px", "ce90_predicted_m", "location",
                "radiometry", "snr", "mtf_nyquist", "saturated_share", "cloud_cover", "thumbnail",
                "href", "assets")  # fmt: skip
LOCATION_KEYS = ("points", "rejected", "mean_m", "ce90_m", "mean_px", "ce90_px")
RADIOMETRY_KEYS = ("patches", "bias_percent", "noise_ratio")
ASSET_KEYS = ("name", "href", "bytes")
MISSED_KEYS = ("acquisition", "along_m", "across_m")
FLOWN_KEYS = ("name", "along_m", "across_m", "radial_m", "battery_wh_min", "memory_gbit_max")
DRAWN_KEYS = ("id", "acquisition", "satellite", "level", "pixel_m", "native_gsd_m",
              "off_nadir_deg", "sun_elevation_deg", "ce90_predicted_m", "location",
              "saturated_share")  # fmt: skip

PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}")


def level_name(level: str) -> str:
    """The words for a processing level; one that is not known here keeps its code."""
    return LEVELS.get(level, level)


def pictured(plan: Json, figures: Json) -> list[tuple[Json, list[Json]]]:
    """Acquisitions of the plan that were pictured, in its order, each with its products."""
    products: dict[str, list[Json]] = {}
    for product in figures.get("products", ()):
        products.setdefault(product["acquisition"], []).append(product)
    rank = list(LEVELS)
    for alike in products.values():
        alike.sort(key=lambda p: rank.index(p["level"]) if p["level"] in rank else len(rank))
    return [(a, products[a["id"]]) for a in plan["acquisitions"] if a["id"] in products]


def flown_data(plan: Json, figures: Json, clock: Clock) -> dict[str, Any]:
    """The part of the page's data that a plan alone does not fill: empty before the flight.

    `card` and `panel` say where the product stands on the page. Raises `PlanError` for figures
    that lack something, do not fit the plan or lead away from the files of the report.
    """
    by_id = {a["id"]: a for a in plan["acquisitions"]}
    data: dict[str, Any] = {}
    if "flight" in figures:
        data["missed"] = _missed(figures["flight"], by_id)
    if "products" in figures:
        for index, product in enumerate(figures["products"]):
            _refuse_unfit(product, by_id, f"figures: products[{index}]")
        data["products"] = [
            _drawn(product, clock) | {"card": card, "panel": panel}
            for card, (_, alike) in enumerate(pictured(plan, figures))
            for panel, product in enumerate(alike)
        ]
    return data


def _missed(flight: Json, by_id: Mapping[str, Json]) -> dict[str, list[float]]:
    for index, satellite in enumerate(flight["satellites"]):
        take(satellite, FLOWN_KEYS, f"figures: flight.satellites[{index}]")
    for index, entry in enumerate(flight["missed"]):
        where = f"figures: flight.missed[{index}]"
        _known(take(entry, MISSED_KEYS, where)["acquisition"], by_id, where)
    return {m["acquisition"]: [m["along_m"], m["across_m"]] for m in flight["missed"]}


def _known(acquisition: str, by_id: Mapping[str, Json], where: str) -> Json:
    if acquisition not in by_id:
        raise PlanError(f"{where} is of acquisition {acquisition!r}, which the plan does not hold")
    return by_id[acquisition]


def _refuse_unfit(product: Json, by_id: Mapping[str, Json], where: str) -> None:
    take(product, PRODUCT_KEYS, where)
    acquisition = _known(product["acquisition"], by_id, where)
    for key in ("request", "strip", "satellite"):
        if product[key] != acquisition[key]:
            raise PlanError(
                f"{where} gives {key} {product[key]!r}, expected {acquisition[key]!r} as in "
                f"acquisition {acquisition['id']!r}"
            )
    for key, keys in (("location", LOCATION_KEYS), ("radiometry", RADIOMETRY_KEYS)):
        if product[key] is not None:
            take(product[key], keys, f"{where}.{key}")
    _refuse_links(product, where)


def _refuse_links(product: Json, where: str) -> None:
    """Names come from strangers; a link must not leave the folder, a picture must be one."""
    for index, asset in enumerate(product["assets"]):
        take(asset, ASSET_KEYS, f"{where}.assets[{index}]")
    for href in (product["href"], *(asset["href"] for asset in product["assets"])):
        if not is_beside(href):
            raise PlanError(f"{where} links to {href!r}, expected a file beside the report")
    if product["thumbnail"] is not None and not PICTURE.fullmatch(product["thumbnail"]):
        raise PlanError(
            f"{where}.thumbnail begins with {product['thumbnail'][:30]!r}, expected a PNG or "
            "JPEG as 'data:image/png;base64,...'"
        )


def is_beside(href: str) -> bool:
    """Whether a link goes down from the folder of the report: no scheme, no root, no way up."""
    steps = href.split("/")
    return not re.search(r"[\\:?#%\s\x00-\x1f]", href) and not {"", ".", ".."} & set(steps)


def _drawn(product: Json, clock: Clock) -> dict[str, Any]:
    radiometry = product["radiometry"] or {"bias_percent": {}, "noise_ratio": {}}
    return {
        **take(product, DRAWN_KEYS, "a product"),
        "title": level_name(product["level"]),
        "acquired_s": clock.seconds(product["acquired"], f"acquired of product {product['id']!r}"),
        "footprint": rounded(product["footprint"]),
        "bias_percent": furthest(radiometry["bias_percent"], 0.0),
        "noise_ratio": furthest(radiometry["noise_ratio"], 1.0),
        "bytes": sum(asset["bytes"] for asset in product["assets"]),
    }


def furthest(values: Mapping[str, float], aim: float) -> float | None:
    """Of the values of the bands the one that lies furthest from its aim."""
    return max(values.values(), key=lambda value: abs(value - aim), default=None)
