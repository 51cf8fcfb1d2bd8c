"""What a catalogue hands on: a GeoJSON FeatureCollection, or a static STAC catalogue.

Files have their items in the order of collection and id, so that the same give the same bytes.
"""

from __future__ import annotations

import hashlib
import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import shapely

from humay.catalogue.instants import text
from humay.catalogue.items import CatalogueItem
from humay.errors import CatalogueError
from humay.files import json_bytes

STAC_VERSION = "1.1.0"
ROOT = "../catalog.json"
_OWN_RELATIONS = {"self", "root", "parent"}  # say where the item lies, which changes
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_TAKEN = {"catalog.json", "collection.json"}


@dataclass(frozen=True, kw_only=True)
class StaticCatalogue:
    """Files by path inside the catalogue's folder, and files to copy there."""

    documents: Mapping[str, bytes]
    copies: Mapping[str, Path]


def in_order(items: Iterable[CatalogueItem]) -> list[CatalogueItem]:
    """By collection and id."""
    return sorted(items, key=lambda item: (item.collection or "", item.id))


def feature_collection(items: Sequence[CatalogueItem], folder: Path) -> bytes:
    """The items, in this order, as one GeoJSON document that will lie in `folder`."""
    features = [rehomed(item, folder) for item in items]
    return json_bytes({"type": "FeatureCollection", "features": features})


def rehomed(item: CatalogueItem, folder: Path) -> dict[str, Any]:
    """The item's document for a file in `folder`: its relative hrefs lead where they led before."""
    links = [link for link in item.document["links"] if link["rel"] not in _OWN_RELATIONS]
    return dict(item.document) | {
        "links": [_moved(link, item.location, folder) for link in links],
        "assets": {
            name: _moved(asset, item.location, folder)
            for name, asset in item.document["assets"].items()
        },
    }


def _moved(part: Mapping[str, Any], location: Path | None, folder: Path) -> dict[str, Any]:
    href = part["href"]
    if location is None or not _is_relative(href):
        return dict(part)
    target = os.path.normpath(location.parent / href)
    return dict(part) | {"href": Path(os.path.relpath(target, folder)).as_posix()}


def _is_relative(href: str) -> bool:
    return not (urlsplit(href).scheme or href.startswith(("/", "#")) or href == "")


# Static catalogue --------------------------------------------------------------------------------


def static_catalogue(
    items: Sequence[CatalogueItem], folder: Path, *, title: str, copy_assets: bool
) -> StaticCatalogue:
    """catalog.json, a collection.json for each collection, and items, linked by relative hrefs.

    Assets are linked where they lie, or copied beside their item.
    """
    documents: dict[str, bytes] = {}
    copies: dict[str, Path] = {}
    children = []
    for name, group in groupby(in_order(items), key=lambda item: item.collection):
        members = list(group)
        home = "" if name is None else f"{file_name(name)}/"
        for item in members:
            own = f"{home}{file_name(item.id)}"
            document = _placed(item, folder / own)
            if copy_assets:
                copies |= _copied(item, document, own)
            documents[f"{own}/{file_name(item.id)}.json"] = json_bytes(document, indent=2)
        if name is None:
            children += _down(members)
        else:
            document = collection_document(name, members)
            document["links"] = [_link("root", ROOT), _link("parent", ROOT), *_down(members)]
            documents[f"{home}collection.json"] = json_bytes(document, indent=2)
            children.append(_link("child", f"./{home}collection.json"))
    documents["catalog.json"] = json_bytes(
        {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": title,
            "description": f"{len(items)} items",
            "links": [_link("root", "./catalog.json"), *children],
        },
        indent=2,
    )
    return StaticCatalogue(documents=documents, copies=copies)


def _link(rel: str, href: str, kind: str = "application/json") -> dict[str, str]:
    return {"rel": rel, "href": href, "type": kind}


def _down(items: Sequence[CatalogueItem]) -> list[dict[str, str]]:
    names = [file_name(item.id) for item in items]
    return [_link("item", f"./{name}/{name}.json", "application/geo+json") for name in names]


def _placed(item: CatalogueItem, folder: Path) -> dict[str, Any]:
    """The item's document for its folder in the catalogue, with links upwards."""
    document = rehomed(item, folder)
    links = [link for link in document["links"] if link["rel"] != "collection"]
    if item.collection is None:
        up = [_link("root", ROOT), _link("parent", ROOT)]
    else:
        parent = "../collection.json"
        up = [_link("root", f"../{ROOT}"), _link("parent", parent), _link("collection", parent)]
    return document | {"links": [*up, *links]}


def _copied(item: CatalogueItem, document: dict[str, Any], home: str) -> dict[str, Path]:
    """Point the assets of a document to copies beside it; says which file goes where.

    Only files beneath the item's own folder are copied: an item from elsewhere must not be able to
    publish what it has no business with.
    """
    copies: dict[str, Path] = {}
    for key, asset in item.document["assets"].items():
        if item.location is None or urlsplit(asset["href"]).scheme:
            continue
        where = f"{item.location}: asset {key!r}"
        source = (item.location.parent / asset["href"]).resolve()
        if not source.is_relative_to(item.location.parent.resolve()):
            raise CatalogueError(f"{where} is {asset['href']!r}, outside of its item's folder")
        if not source.is_file():
            raise CatalogueError(f"{where}: there is no file {source}")
        name = source.name
        if name in _TAKEN or name == f"{file_name(item.id)}.json":
            raise CatalogueError(f"{where} is {name!r}, a name the catalogue needs itself")
        if copies.setdefault(f"{home}/{name}", source) != source:
            raise CatalogueError(f"{where}: another asset has a file {name!r} too")
        document["assets"][key]["href"] = f"./{name}"
    return copies


def collection_document(name: str, items: Sequence[CatalogueItem]) -> dict[str, Any]:
    """A STAC collection of these items, with their extent."""
    west, south, east, north = map(float, shapely.total_bounds([item.shape for item in items]))
    first = min(item.span_us[0] for item in items)
    last = max(item.span_us[1] for item in items)
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": name,
        "description": f"{len(items)} items of {name}",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[west, south, east, north]]},
            "temporal": {"interval": [[text(first), text(last)]]},
        },
        "links": [],
    }


def file_name(name: str) -> str:
    """A name that is safe on every file system and in every link, and different for each id."""
    if _PLAIN.fullmatch(name) and name not in _TAKEN:
        return name
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:80].lstrip(".")
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
