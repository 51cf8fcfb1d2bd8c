"""Verbs from a plan to its pictures, and the whole chain."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from humay.cli.app import (
    AsJson,
    MissionFile,
    Quiet,
    Seed,
    Threads,
    app,
    instant,
    progress,
    summary,
    thread_count,
)
from humay.errors import HumayError

catalogue_app = typer.Typer(
    name="catalogue",
    help="Keep STAC items in one file, find them, hand them on.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(catalogue_app)

Folder = Annotated[Path, typer.Option("-o", "--output", help="folder to write")]
Database = Annotated[Path, typer.Argument(metavar="DB", help="catalogue file")]
Box = Annotated[
    str | None, typer.Option("--bbox", help="west,south,east,north in degrees; over 180 if needed")
]
When = Annotated[
    str | None,
    typer.Option("--datetime", help="instant or interval such as 2026-03-01T00:00Z/.. (RFC 3339)"),
]
Ids = Annotated[list[str] | None, typer.Option("--id", help="identifier; may be given again")]
Collections = Annotated[
    list[str] | None, typer.Option("--collection", help="its collection; may be given again")
]


@app.command()
def run(
    mission: MissionFile,
    output: Folder,
    seed: Seed = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run the whole chain of a mission file: plan, flight, pictures, catalogue, report."""
    from humay.chain import run_mission
    from humay.files import json_bytes
    from humay.mission import load_mission, load_requests

    craft = load_mission(mission)
    if craft.run is None:
        raise HumayError(f"{mission}: no [run] table, expected requests, start and days in it")
    wanted = load_requests(craft.run.requests, craft)
    with progress(quiet) as step:
        results = run_mission(
            craft,
            wanted,
            output,
            seed=seed,
            threads=thread_count(threads),
            step=step,
            now=datetime.now(UTC),
        )
    if as_json:
        print(json_bytes(results.run, indent=2).decode(), end="")
        return
    total = results.run["timings"]["total"]
    products = sum(len(each) for each in results.made.values())
    print(f"{output}: {summary(results.document)}")
    print(f"  {len(results.made)} acquisitions pictured, {products} products")
    print(f"  {total['wall_s']:.1f} s, {total['cpu_s']:.1f} CPU s")
    for note in results.document["notes"]:
        print(f"  {note}")
    print(f"  open {output / 'report.html'}")


@app.command()
def fly(
    mission: MissionFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan file (JSON)")],
    output: Folder,
    render: Annotated[
        int | None, typer.Option(min=0, help="acquisitions to expose; default as in [run]")
    ] = None,
    pixels: Annotated[
        int, typer.Option(min=256, max=30_000, help="PAN pixels along each side of a window")
    ] = 2048,
    seed: Seed = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fly a plan: flight records, telemetry, raw images and the elevation models they need."""
    from humay.chain import fly_and_expose, plan_orbits
    from humay.check import load_plan
    from humay.mission import load_mission

    craft = load_mission(mission)
    document = load_plan(plan_file)
    settings = craft.run
    count = render if render is not None else (settings.render if settings else 0)
    with progress(quiet) as step:
        with step("orbits"):
            orbits = plan_orbits(craft, document)
        flown = fly_and_expose(
            craft,
            document,
            orbits,
            output,
            count=count,
            pixels=pixels,
            seed=seed if seed is not None else (settings.seed if settings else 1),
            threads=thread_count(threads),
            step=step,
        )
    missed = [each.id for each in flown.flight.acquisitions if each.missed]
    if as_json:
        raw = [str(exposure.raw) for exposure in flown.exposures]
        print(json.dumps({"output": str(output), "raw": raw, "missed": missed}))
        return
    print(f"{output}: {len(flown.flight.acquisitions)} acquisitions flown, {len(missed)} missed")
    for exposure in flown.exposures:
        print(f"  {exposure.raw}  over {exposure.dem}")


@app.command()
def process(
    image: Annotated[
        Path, typer.Argument(metavar="INPUT", help="raw image, DIMAP, GeoTIFF or NITF with RPC")
    ],
    dem: Annotated[Path, typer.Option(help="elevation model that covers the image")],
    output: Folder,
    level: Annotated[
        str | None, typer.Option(help="L1C or L2P; default the highest that the input gives")
    ] = None,
    dem_vertical: Annotated[
        str | None, typer.Option(help="what its heights are above: egm96 or ellipsoid")
    ] = None,
    dem_sigma: Annotated[
        float | None, typer.Option(min=0, help="its error in metres, one sigma, for the CE90")
    ] = None,
    pixel: Annotated[
        float | None, typer.Option(min=1e-3, help="metres of a map pixel, for real images")
    ] = None,
    acquired: Annotated[
        str | None, typer.Option(help="when a real image was taken, if its files do not say")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=1e-4, max=1.0, help="largest error of the geometry in pixels")
    ] = 0.01,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make products of one image: reflectance on a map, and sharpened colours."""
    from humay.processing import Recipe, process_file

    with progress(quiet) as step, step("process"):
        made = process_file(
            image,
            dem,
            output,
            Recipe(
                tolerance_px=tolerance,
                threads=thread_count(threads),
                dem_sigma_m=dem_sigma,
                pixel_m=pixel,
                acquired=None if acquired is None else instant(acquired, "--acquired"),
            ),
            level=_level(level),
            vertical=_vertical(dem_vertical),
        )
    if as_json:
        print(json.dumps([str(product.item_path) for product in made]))
        return
    for product in made:
        print(f"{product.folder}: {product.item['properties']['title']}")


def _level(name: str | None) -> Any:
    if name is not None and name not in ("L1C", "L2P"):
        raise typer.BadParameter(f"--level is {name!r}, expected L1C or L2P")
    return name


def _vertical(name: str | None) -> Any:
    if name is not None and name not in ("egm96", "ellipsoid"):
        raise typer.BadParameter(f"--dem-vertical is {name!r}, expected egm96 or ellipsoid")
    return name


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
        print(json.dumps(vars(added)))
    else:
        print(f"{catalogue}: {added.new} new, {added.changed} changed, {added.same} the same")


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
    limit: Annotated[int | None, typer.Option(min=1, help="most items to show")] = None,
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
        print(feature_collection(found, Path.cwd()).decode(), end="")
        return
    for item in found:
        print(f"{item.document['properties']['datetime']}  {item.id}  {item.location}")
    print(f"{len(found)} items")


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
        print(json.dumps({"output": str(output), "items": count}))
    else:
        print(f"{output}: {count} items")
