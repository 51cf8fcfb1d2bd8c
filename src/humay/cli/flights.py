"""From a plan to products: the whole chain, the flight, the processing of images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from humay.cli.app import (
    AsJson,
    MissionFile,
    Quiet,
    Seed,
    Threads,
    instant,
    plan_summary,
    progress,
    say,
    thread_count,
    utc_now,
)
from humay.errors import HumayError, OutputError

if TYPE_CHECKING:
    from humay.processing import Level, VerticalDatum

Folder = Annotated[Path, typer.Option("-o", "--output", help="folder to write")]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder to make")],
    example: Annotated[str, typer.Option(help="azersky, azersky2 or pair")] = "azersky",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write an example mission to start from."""
    from humay.examples import example_folder
    from humay.files import read_all, write_all

    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file, expected a new or empty folder")
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder}: the folder is not empty, expected a new or empty one")
    contents = read_all(example_folder(example))
    write_all(folder, contents)
    if as_json:
        say(json.dumps({"folder": str(folder), "files": list(contents)}))
    elif not quiet:
        say(f"{folder}: {', '.join(contents)}")


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
            now=utc_now(),
        )
    if as_json:
        say(json_bytes(results.run, indent=2).decode(), end="")
        return
    total = results.run["timings"]["total"]
    products = sum(len(each) for each in results.made.values())
    say(f"{output}: {plan_summary(results.document)}")
    say(f"  {len(results.made)} acquisitions pictured, {products} products")
    say(f"  {total['wall_s']:.1f} s, {total['cpu_s']:.1f} CPU s")
    for note in results.document["notes"]:
        say(f"  {note}")
    say(f"  open {output / 'report.html'}")


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
    from humay.check import as_stated, load_plan
    from humay.mission import load_mission

    craft = load_mission(mission)
    document = load_plan(plan_file)
    craft, _ = as_stated(craft, (), document)
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
        say(json.dumps({"output": str(output), "raw": raw, "missed": missed}))
        return
    say(f"{output}: {len(flown.flight.acquisitions)} acquisitions flown, {len(missed)} missed")
    for exposure in flown.exposures:
        say(f"  {exposure.raw}  over {exposure.dem}")


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
        float | None,
        typer.Option(min=0, max=1e4, help="its error in metres, one sigma, for the CE90"),
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
                level=_level(level),
                tolerance_px=tolerance,
                threads=thread_count(threads),
                dem_sigma_m=dem_sigma,
                pixel_m=pixel,
                acquired=None if acquired is None else instant(acquired, "--acquired"),
            ),
            vertical=_vertical(dem_vertical),
        )
    if as_json:
        say(json.dumps([str(product.item_path) for product in made]))
        return
    for product in made:
        say(f"{product.folder}: {product.item['properties']['title']}")


def _level(name: str | None) -> Level | None:
    if name == "L1C":
        return "L1C"
    if name == "L2P":
        return "L2P"
    if name is None:
        return None
    raise typer.BadParameter(f"--level is {name!r}, expected L1C or L2P")


def _vertical(name: str | None) -> VerticalDatum | None:
    if name == "egm96":
        return "egm96"
    if name == "ellipsoid":
        return "ellipsoid"
    if name is None:
        return None
    raise typer.BadParameter(f"--dem-vertical is {name!r}, expected egm96 or ellipsoid")
