"""The catalogue: items added, searched, handed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from humay.cli.app import (
    AsJson,
    Quiet,
    progress,
    say,
)
from humay.errors import HumayError

catalogue_app = typer.Typer(
    name="catalogue",
    help="Keep STAC items in one file, find them, hand them on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Database = Annotated[Path, typer.Argument(metavar="DB", help="catalogue file")]
Box = Annotated[
    str | None,
    typer.Option("--bbox", help="west,south,east,north in degrees; west > east goes over 180"),
]
When = Annotated[
    str | None,
    typer.Option("--datetime", help="instant or interval such as 2026-03-01T00:00Z/.. (RFC 3339)"),
]
Ids = Annotated[list[str] | None, typer.Option("--id", help="identifier; may be given again")]
Collections = Annotated[
    list[str] | None, typer.Option("--collection", help="its collection; may be given again")
]


@catalogue_app.command()
def add(
    catalogue: Database,
    items: Annotated[
        list[Path], typer.Argument(metavar="ITEM...", help="STAC items, or folders of products")
    ],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add STAC items; what is there already is replaced."""
    from humay.catalogue import add_files

    with progress(quiet) as step, step("add"):
        added = add_files(catalogue, _item_files(items))
    if as_json:
        say(json.dumps(vars(added)))
    else:
        say(f"{catalogue}: {added.new} new, {added.changed} changed, {added.same} the same")


def _item_files(paths: list[Path]) -> list[Path]:
    """Items as given; of a folder, the item of its own name, or those of the folders in it."""
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        own = path / f"{path.resolve().name}.json"
        inside = sorted(p for p in path.glob("*/*.json") if p.stem == p.parent.name)
        if not own.is_file() and not inside:
            raise HumayError(f"{path}: holds no product, expected NAME/NAME.json or items by name")
        found += [own] if own.is_file() else inside
    return found


@catalogue_app.command()
def search(
    catalogue: Database,
    bbox: Box = None,
    when: When = None,
    ids: Ids = None,
    collections: Collections = None,
    limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="most items to show")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find items by place and time, newest first."""
    from humay.catalogue import Query, feature_collection
    from humay.catalogue import search as find

    found = find(
        catalogue,
        Query.from_text(
            bbox=bbox, datetime=when, ids=ids or (), collections=collections or (), limit=limit
        ),
    )
    if as_json:
        say(feature_collection(found, Path.cwd()).decode(), end="")
        return
    for item in found:
        say(f"{item.document['properties']['datetime']}  {item.id}  {item.location}")
    say(f"{len(found)} items")


@catalogue_app.command()
def export(
    catalogue: Database,
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help=".parquet, .geojson, or a folder for a static STAC"),
    ],
    bbox: Box = None,
    when: When = None,
    ids: Ids = None,
    collections: Collections = None,
    copy_assets: Annotated[
        bool, typer.Option("--copy-assets", help="copy the files of the items into the folder")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Hand items on as stac-geoparquet, GeoJSON or a static STAC catalogue."""
    from humay.catalogue import Query
    from humay.catalogue import export as hand_on

    query = Query.from_text(bbox=bbox, datetime=when, ids=ids or (), collections=collections or ())
    with progress(quiet) as step, step("export"):
        count = hand_on(catalogue, output, query, copy_assets=copy_assets)
    if as_json:
        say(json.dumps({"output": str(output), "items": count}))
    else:
        say(f"{output}: {count} items")
