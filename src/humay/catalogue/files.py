"""Item files in, catalogue files out."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from humay.catalogue.exports import (
    StaticCatalogue,
    feature_collection,
    in_order,
    static_catalogue,
)
from humay.catalogue.items import CatalogueItem, item_from_document
from humay.catalogue.parquet import parquet_bytes
from humay.catalogue.query import Query
from humay.catalogue.store import Added, Catalogue
from humay.errors import CatalogueError, OutputError
from humay.files import write_whole

MOST_BYTES = 16 * 2**20
"""More than any item has; a file above it is refused before it is read."""


def read_item(path: Path) -> CatalogueItem:
    """Read and check a STAC item. Raises `CatalogueError` with the file and the reason."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise CatalogueError(f"{path}: has {size} bytes, expected at most {MOST_BYTES}")
        content = path.read_bytes()
    except OSError as error:
        raise CatalogueError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        document = json.loads(
            content, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_once
        )
    except RecursionError as error:
        raise CatalogueError(f"{path}: is nested too deeply to be an item") from error
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are such
        raise CatalogueError(f"{path}: is not JSON: {error}") from error
    return item_from_document(document, where=str(path), location=path.resolve())


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _finite(words: str) -> float:
    number = float(words)
    if not math.isfinite(number):
        raise ValueError(f"{words} is beyond every number")
    return number


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def add_files(catalogue: Path, items: Sequence[Path]) -> Added:
    """Add item files to a catalogue, which is made if need be: all of them, or none."""
    with Catalogue.open(catalogue, create=True) as store:
        return store.add(_read(items))


def _read(paths: Sequence[Path]) -> Iterator[CatalogueItem]:
    for path in paths:
        yield read_item(path)


def search(catalogue: Path, query: Query) -> list[CatalogueItem]:
    """The items of a catalogue that match, newest first."""
    with Catalogue.open(catalogue) as store:
        return store.search(query)


def export(
    catalogue: Path, target: Path, query: Query | None = None, *, copy_assets: bool = False
) -> int:
    """Hand a catalogue on, or what a query finds of it; how many items.

    `target` ends in `.parquet` (stac-geoparquet) or `.geojson` (a FeatureCollection), or is a new
    folder (a static STAC catalogue, with its assets if these are to be copied). It appears whole or
    not at all.
    """
    if target.resolve() == catalogue.resolve():
        raise OutputError(f"{target}: is the catalogue itself, expected another name")
    with Catalogue.open(catalogue) as store:
        items = store.search(query)
    folder = target.resolve().parent
    if target.suffix in (".parquet", ".geojson") and copy_assets:
        raise CatalogueError(f"{target}: assets are copied into a folder only, not into a file")
    if target.suffix == ".parquet":
        write_whole(target, parquet_bytes(items, folder))
    elif target.suffix == ".geojson":
        write_whole(target, feature_collection(in_order(items), folder))
    elif target.suffix:
        raise CatalogueError(f"{target}: expected .parquet, .geojson or a folder to make")
    else:
        home = target.resolve()
        title = catalogue.resolve().stem
        files = static_catalogue(items, home, title=title, copy_assets=copy_assets)
        _write_folder(target, files)
    return len(items)


def _write_folder(target: Path, files: StaticCatalogue) -> None:
    """Write a new folder aside, then rename it."""
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise OutputError(f"{target}: is there already, expected a new or empty folder")
    aside = target.resolve().with_name(f".{target.name}.partial-{os.getpid()}")
    where = target
    try:
        for name, content in files.documents.items():
            where = aside / name
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)
            _sync(where)
        for name, source in files.copies.items():
            where = aside / name
            shutil.copyfile(source, where)
            _sync(where)
        where = target
        aside.replace(target)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{where}: could not be written ({reason}); nothing is left") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
