"""STAC items made for tests: small, valid, and of any place and time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import shapely

from humay.catalogue import CatalogueItem, item_from_document
from humay.files import json_bytes


def document(
    name: str = "a",
    box: tuple[float, float, float, float] = (48.0, 40.0, 49.0, 41.0),
    time: str | None = "2019-11-01T07:30:13Z",
    *,
    collection: str | None = None,
    **properties: Any,
) -> dict[str, Any]:
    """An item over a box (west > east: over the antimeridian), with two assets."""
    west, south, east, north = box
    if west <= east:
        boxes = [shapely.box(*box)]
    else:
        boxes = [shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)]
    shape = boxes[0] if len(boxes) == 1 else shapely.MultiPolygon(boxes)
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": name,
        "geometry": plain(shapely.geometry.mapping(shape)),
        "bbox": list(map(float, box)),
        "properties": {"datetime": time, **properties},
        "links": [{"rel": "via", "href": "../plan.json", "title": "the plan"}],
        "assets": {
            "pan": {"href": "./pan.tif", "roles": ["data"]},
            "notes": {"href": "https://example.org/notes.txt", "roles": ["metadata"]},
        },
    }
    if collection is not None:
        item["collection"] = collection
        item["links"].append({"rel": "collection", "href": "./collection.json"})
    return item


def plain(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def item(*args: Any, location: Path | None = None, **more: Any) -> CatalogueItem:
    return item_from_document(document(*args, **more), where="made", location=location)


def on_disk(folder: Path, *args: Any, **more: Any) -> Path:
    """An item file in a folder of its own, its asset beside it."""
    made = document(*args, **more)
    home = folder / str(made["id"])
    home.mkdir(parents=True)
    (home / "pan.tif").write_bytes(made["id"].encode())
    (home / "item.json").write_bytes(json_bytes(made))
    return home / "item.json"
