"""A flight and its products for the synthetic plan: plausible figures, thumbnails drawn by hand.

Six acquisitions near Baku were pictured, one was missed. The thumbnails are small ortho images:
fields, a coast and a slanted frame with nothing outside it, as on a map grid.
"""

from __future__ import annotations

import math
import struct
import zlib
from base64 import b64encode
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .synthetic_plan import seconds, synthetic_figures, utc

PLACES = ("Baku centre", "Neft Daslari", "Mingachevir reservoir", "Taveuni, Fiji", "Derbent",
          "Caspian coast, Absheron to Kura")  # fmt: skip
BANDS = ("blue", "green", "red", "nir")
LEVELS = {"L2P": (1.5, BANDS), "L1C-MS": (6.0, BANDS), "L1C-PAN": (1.5, ("pan",))}
WINDOW_M = 4_500.0
SIDE = 160  # pixels of a thumbnail


def synthetic_flight(plan: dict[str, Any]) -> dict[str, Any]:
    missed = next(a for a in plan["acquisitions"] if a["request"] == "Alat port")
    return {
        "satellites": [
            {"name": "spot-6", "along_m": -412.3, "across_m": 36.2, "radial_m": 11.7,
             "battery_wh_min": 731.4, "memory_gbit_max": 61.25},
            {"name": "spot-7", "along_m": 655.0, "across_m": -20.4, "radial_m": -8.9,
             "battery_wh_min": 702.6, "memory_gbit_max": 48.5},
        ],
        "missed": [{"acquisition": missed["id"], "along_m": 1834.0, "across_m": -420.0}],
    }  # fmt: skip


def synthetic_products(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """PAN, MS and pansharpened of the first acquisition of each place."""
    made = []
    for number, place in enumerate(PLACES):
        acquisition = next(a for a in plan["acquisitions"] if a["request"] == place)
        made += [product(number, acquisition, level) for level in sorted(LEVELS)]
    return made


def product(number: int, acquisition: dict[str, Any], level: str) -> dict[str, Any]:
    pixel_m, bands = LEVELS[level]
    short = level.rpartition("-")[2]
    name = f"{acquisition['id']}-{short}"
    gsd_m = acquisition["gsd_m"] * (4.0 if level == "L1C-MS" else 1.0)
    folder = f"products/{acquisition['id']}"
    side = round(WINDOW_M / pixel_m)
    return {
        "id": name,
        **{key: acquisition[key] for key in ("request", "strip", "satellite")},
        "acquisition": acquisition["id"],
        "level": level,
        "bands": list(bands),
        "acquired": utc(seconds(acquisition["start"]) + 0.4),
        "pixel_m": pixel_m,
        "native_gsd_m": gsd_m,
        "rows": side,
        "cols": side + 40 * number,
        "footprint": footprint(acquisition),
        "off_nadir_deg": acquisition["off_nadir_deg"],
        "sun_elevation_deg": acquisition["sun_elevation_deg"],
        "relief_m": [-28.0, 12.0 + 310.0 * number],
        "bound_px": 0.012 + 0.003 * number,
        "ce90_predicted_m": 9.6 + 0.8 * number,
        "location": location(number, gsd_m),
        "radiometry": radiometry(number, bands),
        "snr": {band: 118.0 + 9 * i for i, band in enumerate(bands)},
        "mtf_nyquist": {band: 0.14 + 0.03 * i for i, band in enumerate(bands)},
        "saturated_share": 2e-5 * number,
        "cloud_cover": None,
        "thumbnail": thumbnail(number, level),
        "href": f"{folder}/{name}.json",
        "assets": [
            {"name": f"{name}.tif", "href": f"{folder}/{name}.tif", "bytes": side * side * 2},
            {"name": f"{name}.png", "href": f"{folder}/{name}.png", "bytes": 48_213},
        ],
    }


def location(number: int, gsd_m: float) -> dict[str, Any]:
    mean_m, ce90_m = 2.1 + 1.7 * number, 3.4 + 1.9 * number
    return {
        "points": 30 + number,
        "rejected": number % 2,
        "mean_m": mean_m,
        "ce90_m": ce90_m,
        "mean_px": mean_m / gsd_m,
        "ce90_px": ce90_m / gsd_m,
    }


def radiometry(number: int, bands: tuple[str, ...]) -> dict[str, Any]:
    return {
        "patches": 12,
        "bias_percent": {band: 0.31 - 0.2 * i for i, band in enumerate(bands)},
        "noise_ratio": {band: 1.01 + 0.01 * number - 0.02 * i for i, band in enumerate(bands)},
    }


def footprint(acquisition: dict[str, Any]) -> list[list[float]]:
    """A square of the window's size about the middle of the centre line, closed."""
    (west, south, _), (east, north, _) = acquisition["centre_line"]
    lon, lat = (west + east) / 2, (south + north) / 2
    up = WINDOW_M / 2 / 111_195.0
    across = up / math.cos(math.radians(lat))
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
    return [[round(lon + x * across, 6), round(lat + y * up, 6)] for x, y in corners]


@cache
def thumbnail(number: int, level: str) -> str:
    """Fields in stripes, water beyond a wavy coast, a frame turned by 12 degrees."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE - 0.5
    turned = np.cos(0.21) * x - np.sin(0.21) * y, np.sin(0.21) * x + np.cos(0.21) * y
    u, v = turned[0] + 0.13 * number, turned[1]
    field = (np.floor(u * 9).astype(int) * 7 + np.floor(v * 13).astype(int) * 3 + number) % 5
    fields = np.array(
        [[150, 140, 96], [98, 122, 62], [176, 158, 118], [74, 100, 54], [128, 112, 84]]
    )
    colour = fields[field] + 14.0 * np.sin(60 * u)[..., None]
    water = v > 0.18 + 0.05 * np.sin(9 * u) + 0.09 * (number % 3)
    colour = np.where(water[..., None], [28.0, 62.0, 84.0], colour)
    inside = (np.abs(turned[0]) < 0.4) & (np.abs(turned[1]) < 0.4)
    if level == "L1C-MS":
        colour = (
            colour.reshape(SIDE // 4, 4, SIDE // 4, 4, 3).mean((1, 3)).repeat(4, 0).repeat(4, 1)
        )
    if level == "L1C-PAN":
        colour = np.broadcast_to(colour.mean(-1, keepdims=True), colour.shape)
    pixels = np.dstack([colour.clip(0, 255), 255.0 * inside]).astype(np.uint8)
    return "data:image/png;base64," + b64encode(png(pixels)).decode()


def png(rgba: NDArray[np.uint8]) -> bytes:
    """PNG (ISO/IEC 15948): signature, header, one block of unfiltered rows, end."""
    rows, cols, _ = rgba.shape
    data = b"".join(b"\0" + row.tobytes() for row in rgba)
    header = struct.pack(">IIBBBBB", cols, rows, 8, 6, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def flown_figures(plan: dict[str, Any]) -> dict[str, Any]:
    """What `figures` holds after the whole chain."""
    flown = {"flight": synthetic_flight(plan), "products": synthetic_products(plan)}
    return synthetic_figures() | flown
