"""How fast the catalogue takes items in and finds them: `benchmarks/catalogue.py [--items N]`.

Items are 20 km squares anywhere on land and sea, one every ten minutes. The last line is one JSON
object; times are medians, in CPU and in wall seconds of one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from humay.catalogue import Catalogue, CatalogueItem, Query
from humay.catalogue.instants import text

STEP_US = 600_000_000


def items(count: int, random: np.random.Generator) -> list[CatalogueItem]:
    """Items as large as those of products: 40 properties, three assets."""
    lon, lat = random.uniform(-179.8, 179.6, count), random.uniform(-80, 79.8, count)
    return [
        item(i, float(west), float(south))
        for i, (west, south) in enumerate(zip(lon, lat, strict=True))
    ]


def item(number: int, west: float, south: float) -> CatalogueItem:
    box = (west, south, west + 0.2, south + 0.2)
    asset = {"href": "./pan.tif", "type": "image/tiff", "roles": ["data"], "file:size": number}
    properties: dict[str, Any] = {"datetime": text(number * STEP_US)}
    properties |= {f"humay:figure_{i}": number + i / 7 for i in range(40)}
    return CatalogueItem(
        document={
            "type": "Feature",
            "stac_version": "1.1.0",
            "stac_extensions": [],
            "id": f"{number:07}",
            "collection": "l1c",
            "geometry": json.loads(shapely.to_geojson(shapely.box(*box))),
            "bbox": list(box),
            "properties": properties,
            "links": [{"rel": "collection", "href": "./collection.json"}],
            "assets": {"pan": asset, "ms": asset, "thumbnail": asset},
        }
    )


def seconds(act: Callable[[], Any]) -> tuple[float, float]:
    """CPU and wall seconds of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    act()
    return time.process_time() - cpu, time.perf_counter() - wall


def searched(store: Catalogue, queries: list[Query]) -> dict[str, float]:
    """Median milliseconds, and how many items a search finds."""
    cpu, wall = zip(*(seconds(partial(store.search, query)) for query in queries), strict=True)
    return {
        "cpu_ms": round(1e3 * statistics.median(cpu), 3),
        "wall_ms": round(1e3 * statistics.median(wall), 3),
        "found": statistics.fmean(len(store.search(query)) for query in queries),
    }


def questions(count: int, random: np.random.Generator) -> dict[str, list[Query]]:
    """A place of 5 x 5 degrees in a tenth of the time; the place alone; the newest ten anywhere."""
    boxes = [(x, y, x + 5, y + 5) for x, y in random.uniform((-180, -80), (175, 75), (20, 2))]
    start = [int(first) for first in random.uniform(0, 0.9 * count * STEP_US, 20)]
    spans = [(first, first + count * STEP_US // 10) for first in start]
    return {
        "box_and_time": [Query(bbox=b, span_us=s) for b, s in zip(boxes, spans, strict=True)],
        "box": [Query(bbox=box) for box in boxes],
        "newest_ten": [Query(limit=10)] * 20,
        "newest_ten_of_a_hemisphere": [Query(bbox=(-180, 0, 180, 90), limit=10)] * 5,
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--items", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    random = np.random.default_rng(asked.seed)
    made = items(asked.items, random)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.db"
        with Catalogue.open(path, create=True) as store:
            cpu, wall = seconds(lambda: store.add(made))
            again = seconds(lambda: store.add(made))
            singles = made[: min(100, len(made))]
            store.remove([single.id for single in singles])
            one = [seconds(partial(store.add, [single]))[1] for single in singles]
            found = {
                name: searched(store, asks) for name, asks in questions(asked.items, random).items()
            }
        result = {
            "items": asked.items,
            "value": round(asked.items / cpu),
            "unit": "items added per CPU second, one transaction",
            "seconds": round(wall, 3),
            "cpu_seconds": round(cpu, 3),
            "again_cpu_seconds": round(again[0], 3),
            "one_by_one_wall_ms": round(1e3 * statistics.median(one), 3),
            "search": found,
            "file_mb": round(os.path.getsize(path) / 1e6, 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
