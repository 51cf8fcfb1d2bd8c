"""The `humay` command: one verb a stage, files in and files out.

Results go to stdout or `-o`, talk goes to stderr. Exit status: 0 done, 1 the job failed or its
input is refused (one line says where, what was found, what was expected), 2 wrong use.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from humay import __version__
from humay.errors import HumayError, OutputError

if TYPE_CHECKING:
    import pyarrow as pa

    from humay.access import Backdrop, Nadir
    from humay.chain import Flying, Step
    from humay.mission import Mission, Request
    from humay.processing import Level, VerticalDatum
    from humay.schedule import Effort, Plan
    from humay.time import Epoch

app = typer.Typer(
    name="humay",
    help="The open mission system for a small constellation of optical satellites.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

MissionFile = Annotated[Path, typer.Argument(metavar="MISSION", help="mission file (TOML)")]
RequestFile = Annotated[Path, typer.Argument(metavar="REQUESTS", help="requests (GeoJSON)")]
Start = Annotated[str, typer.Option(help="begin, ISO 8601 UTC, such as 2026-03-01T00:00Z")]
Days = Annotated[float, typer.Option(min=0.001, max=400, help="length of the span in days")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="file to write")]
AsJson = Annotated[bool, typer.Option("--json", help="machine-readable result on stdout")]
Quiet = Annotated[bool, typer.Option("--quiet", help="no progress on stderr")]
Seed = Annotated[int | None, typer.Option(min=0, help="seed where chance is used")]
Threads = Annotated[
    int | None, typer.Option(min=1, max=256, help="threads; default all cores; same result")
]
Plot = Annotated[Path | None, typer.Option("--plot", help="map to draw: .svg or .png")]
PreviousFile = Annotated[
    Path | None, typer.Option("--previous", help="plan that flies (JSON); what is frozen stays")
]
CompareFile = Annotated[
    Path | None, typer.Option("--compare", help="plan (JSON) whose difference to this is told")
]
Explained = Annotated[
    list[str] | None,
    typer.Option("--explain", metavar="REQUEST", help="what became of it; may be given again"),
]
NadirChoice = Annotated[
    str, typer.Option(help="what off-nadir is measured from: geodetic or geocentric")
]


def main() -> None:
    """Run the command; a `HumayError` becomes one line on stderr and exit status 1."""
    try:
        try:
            app(standalone_mode=True)  # leaves by SystemExit
        finally:
            if sys.stdout is not None:  # as it is where nobody has opened one
                sys.stdout.flush()
    except HumayError as error:
        print(f"humay: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:  # a file that vanished; or stdout: a full disk, a reader that has gone
        where = error.filename or "standard output"
        if error.filename is None:
            sys.stdout = None  # nothing more is written to it, not even at exit
        print(f"humay: {where}: {error.strerror}", file=sys.stderr)
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="print the version and stop")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


# Up to a checked plan ---------------------------------------------------------------------------


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="folder to make")],
    example: Annotated[str, typer.Option(help="azersky, azersky2 or pair")] = "azersky",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write an example mission to start from."""
    from humay.examples import example_folder
    from humay.files import write_all

    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: is a file, expected a new or empty folder")
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder}: the folder is not empty, expected a new or empty one")
    source = example_folder(example)
    contents = {path.name: path.read_bytes() for path in sorted(source.iterdir()) if path.is_file()}
    write_all(folder, contents)
    if as_json:
        print(json.dumps({"folder": str(folder), "files": list(contents)}))
    elif not quiet:
        print(f"{folder}: {', '.join(contents)}")


@app.command()
def opportunities(
    mission: MissionFile,
    requests: RequestFile,
    start: Start,
    days: Days,
    nadir: NadirChoice = "geodetic",
    pointing: Annotated[
        bool, typer.Option("--pointing", help="also write the attitudes a planner needs")
    ] = False,
    margin: Annotated[
        bool,
        typer.Option("--margin", help="leave of windows what three sigma of orbit and pointing do"),
    ] = False,
    decompositions: Annotated[
        int, typer.Option(min=1, max=64, help="in how many ways areas are cut into strips")
    ] = 1,
    output: Output = None,
    plot: Plot = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find every window in which a satellite can image a request."""
    from humay.access import (
        Backdrop,
        accuracy_notes,
        find_opportunities,
        find_pointing,
        opportunities_table,
    )
    from humay.orbit import ephemerides

    _check_suffix(output, TABLES)
    _check_suffix(plot, PICTURES)
    _keep((mission, requests), output, plot)
    begin, end = _span(start, days)
    craft, wanted = _load(mission, requests)
    with _progress(quiet) as step:
        with step("orbits"):
            orbits = ephemerides(craft, begin, end)
        with step("opportunities"):
            found = find_opportunities(
                craft,
                wanted,
                start=begin,
                end=end,
                nadir=_nadir(nadir),
                orbits=orbits,
                margin=margin,
                decompositions=decompositions,
                threads=_thread_count(threads),
            )
    samples = find_pointing(found, craft, orbits) if pointing else None
    notes = accuracy_notes(craft, orbits, wanted, begin, end)
    table = opportunities_table(found, notes, samples)
    backdrop = Backdrop(orbits=orbits, requests=wanted)
    _deliver(table, backdrop, output, plot, as_json, notes, what="opportunities")


@app.command()
def stereo(
    mission: MissionFile,
    requests: RequestFile,
    start: Start,
    days: Days,
    nadir: NadirChoice = "geodetic",
    output: Output = None,
    threads: Threads = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find pairs and triples of looks for requests that ask for stereo."""
    from humay.access import (
        Backdrop,
        accuracy_notes,
        find_opportunities,
        find_stereo,
        stereo_table,
    )
    from humay.orbit import ephemerides

    _check_suffix(output, PLAIN_TABLES)
    _keep((mission, requests), output)
    begin, end = _span(start, days)
    craft, wanted = _load(mission, requests)
    with _progress(quiet) as step:
        with step("orbits"):
            orbits = ephemerides(craft, begin, end)
        with step("opportunities"):
            found = find_opportunities(
                craft,
                [request for request in wanted if request.stereo is not None],
                start=begin,
                end=end,
                nadir=_nadir(nadir),
                orbits=orbits,
                threads=_thread_count(threads),
            )
        with step("stereo"):
            sets = find_stereo(found, craft, wanted, orbits)
    notes = accuracy_notes(craft, orbits, wanted, begin, end)
    backdrop = Backdrop(orbits=orbits, requests=wanted)
    table = stereo_table(sets, notes)
    _deliver(table, backdrop, output, None, as_json, notes, what="stereo sets")


@app.command()
def contacts(
    mission: MissionFile,
    start: Start,
    days: Days,
    output: Output = None,
    plot: Plot = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find every pass of a satellite over a station."""
    from humay.access import Backdrop, accuracy_notes, contacts_table, find_contacts
    from humay.mission import load_mission
    from humay.orbit import ephemerides

    _check_suffix(output, TABLES)
    _check_suffix(plot, PICTURES)
    _keep((mission,), output, plot)
    begin, end = _span(start, days)
    craft = load_mission(mission)
    with _progress(quiet) as step, step("contacts"):
        orbits = ephemerides(craft, begin, end)
        found = find_contacts(craft, start=begin, end=end, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    backdrop = Backdrop(orbits=orbits, stations=craft.stations)
    _deliver(contacts_table(found, notes), backdrop, output, plot, as_json, notes, what="contacts")


@app.command()
def eclipses(
    mission: MissionFile,
    start: Start,
    days: Days,
    output: Output = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find every eclipse of a satellite, penumbra and umbra."""
    from humay.access import Backdrop, accuracy_notes, eclipses_table, find_eclipses
    from humay.mission import load_mission
    from humay.orbit import ephemerides

    _check_suffix(output, PLAIN_TABLES)
    _keep((mission,), output)
    begin, end = _span(start, days)
    craft = load_mission(mission)
    with _progress(quiet) as step, step("eclipses"):
        orbits = ephemerides(craft, begin, end)
        found = find_eclipses(craft, start=begin, end=end, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    backdrop = Backdrop(orbits=orbits)
    _deliver(eclipses_table(found, notes), backdrop, output, None, as_json, notes, what="eclipses")


@app.command()
def calibration(
    mission: MissionFile,
    start: Start,
    days: Days,
    kind: Annotated[
        list[str] | None, typer.Option("--kind", help="what to look at; may be given again")
    ] = None,
    output: Output = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find looks that calibrate a camera: deserts, Moon, stars, the dark ocean, side slither."""
    from humay.access import (
        KINDS,
        Backdrop,
        accuracy_notes,
        calibration_table,
        find_calibrations,
    )
    from humay.mission import load_mission
    from humay.orbit import ephemerides

    _check_suffix(output, PLAIN_TABLES)
    _keep((mission,), output)
    begin, end = _span(start, days)
    kinds = tuple(each for each in KINDS if kind is None or each in kind)
    for each in kind or ():
        if each not in KINDS:
            raise typer.BadParameter(f"--kind is {each!r}, expected one of {', '.join(KINDS)}")
    craft = load_mission(mission)
    with _progress(quiet) as step, step("calibration"):
        orbits = ephemerides(craft, begin, end)
        found = find_calibrations(craft, start=begin, end=end, kinds=kinds, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    backdrop = Backdrop(orbits=orbits)
    table = calibration_table(found, notes)
    _deliver(table, backdrop, output, None, as_json, notes, what="calibration looks")


@app.command()
def timeline(
    mission: MissionFile,
    start: Start,
    days: Days,
    output: Annotated[Path, typer.Option("-o", "--output", help="Parquet file to write")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Sample nadir attitude, Sun, Moon, eclipses and nodes, for a plan made elsewhere."""
    from humay.access import find_timeline, table_bytes, timeline_table
    from humay.files import write_whole
    from humay.mission import load_mission

    _check_suffix(output, (".parquet",))
    begin, end = _span(start, days)
    craft = load_mission(mission)
    with _progress(quiet) as step, step("timeline"):
        found = find_timeline(craft, start=begin, end=end)
    write_whole(output, table_bytes(timeline_table(found), ".parquet"))
    if as_json:
        print(json.dumps({"output": str(output), "satellites": list(found)}))
    else:
        print(f"{output}: {len(found)} satellites")


@app.command()
def plan(
    mission: MissionFile,
    requests: RequestFile,
    start: Start,
    hours: Annotated[float, typer.Option(min=0.01, max=9600, help="length of the plan in hours")],
    output: Annotated[Path, typer.Option("-o", "--output", help="plan file to write (JSON)")],
    release: Annotated[
        str | None,
        typer.Option(
            help="when the plan is released; default start; earlier contacts are not used"
        ),
    ] = None,
    opportunities_file: Annotated[
        Path | None, typer.Option("--opportunities", help="found before (Parquet)")
    ] = None,
    contacts_file: Annotated[
        Path | None, typer.Option("--contacts", help="found before (Parquet)")
    ] = None,
    timeline_file: Annotated[
        Path | None, typer.Option("--timeline", help="found before (Parquet)")
    ] = None,
    iterations: Annotated[
        int | None,
        typer.Option(
            min=0, help="moves of the search: the same plan each time; 0: the greedy plan, alone"
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="search for so long instead; Ctrl-C keeps the best found so far"),
    ] = None,
    threads: Threads = None,
    seed: Seed = 1,
    previous: PreviousFile = None,
    freeze_until: Annotated[
        str | None,
        typer.Option(
            help="keep what begins before in the previous plan; default: no more than"
            " what has begun or is commanded"
        ),
    ] = None,
    stability: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="price of breaking a promise of the previous plan, as a share of"
            " its worth; default 0.1",
        ),
    ] = None,
    compare: CompareFile = None,
    explain: Explained = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Plan acquisitions and downlinks, bound the plan, have it checked, write it."""
    from humay.access import read_contacts, read_opportunities, read_pointing, read_timelines
    from humay.chain import planned, survey, surveyed_again
    from humay.check import load_plan
    from humay.files import json_bytes, write_whole
    from humay.orbit import ephemerides
    from humay.schedule import explanation_text

    if iterations is not None and seconds is not None:
        raise typer.BadParameter("give --iterations or --seconds, not both")
    if previous is None and (freeze_until is not None or stability is not None):
        raise typer.BadParameter("--freeze-until and --stability need --previous")
    _check_suffix(output, (".json",))
    _keep((mission, requests, opportunities_file, contacts_file, timeline_file), output)
    begin, end = _span(start, hours / 24.0)
    released = begin if release is None else _instant(release, "--release")
    craft, wanted = _load(mission, requests)
    effort = _effort(iterations, seconds, _thread_count(threads))
    flying = _flying(previous, freeze_until, stability)
    names = _known(explain or [], wanted)
    explained: list[Any] = []
    other = None if compare is None else load_plan(compare)
    with _progress(quiet) as step:
        with step("orbits"):
            orbits = ephemerides(craft, begin, end)
        epoch = next(iter(orbits.values())).epoch
        given: dict[str, Any] = {
            "orbits": orbits,
            "opportunities": _given(opportunities_file, read_opportunities, epoch),
            "pointing": _given(opportunities_file, read_pointing, epoch),
            "contacts": _given(contacts_file, read_contacts, epoch),
            "timelines": _given(timeline_file, read_timelines, epoch),
        }
        if flying is None:
            found = survey(craft, wanted, start=begin, end=end, step=step, **given)
            kept = None
        else:
            again = surveyed_again(
                craft, wanted, flying, start=begin, end=end, release=released, step=step, **given
            )
            craft, wanted = again.mission, again.requests
            found, kept = again.found, again.previous
        document = planned(
            craft,
            wanted,
            found,
            start=begin,
            end=end,
            release=released,
            seed=1 if seed is None else seed,
            step=step,
            effort=effort,
            previous=kept,
            look=lambda plan: explained.extend(_explained(plan, names)),
        )
    write_whole(output, json_bytes(document))
    changes = _changes(other, document)
    if as_json:
        told = {"output": str(output), "objective": document["objective"]}
        told |= {} if changes is None else {"difference": changes}
        print(json.dumps(told | ({"explain": explained} if names else {})))
    else:
        print(f"{output}: {_summary(document)}")
        _tell(changes)
        for each in explained:
            print(explanation_text(each))


@app.command()
def check(
    mission: MissionFile,
    requests: RequestFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan file (JSON)")],
    previous: PreviousFile = None,
    compare: CompareFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Judge a plan by other code: print `valid`, or every violation and exit with 1."""
    from humay.check import check_plan, load_plan, verdict

    craft, wanted = _load(mission, requests)
    document = load_plan(plan_file)
    flown, other = (None if path is None else load_plan(path) for path in (previous, compare))
    with _progress(quiet) as step, step("check"):
        violations = check_plan(craft, wanted, document, flown)
    changes = _changes(other, document)
    if as_json:
        found: Any = [vars(violation) for violation in violations]
        told = found if changes is None else {"violations": found, "difference": changes}
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(verdict(violations))
        _tell(changes)
    if violations:
        raise typer.Exit(1)


# From a plan to pictures, and the whole chain ----------------------------------------------------


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
    with _progress(quiet) as step:
        results = run_mission(
            craft,
            wanted,
            output,
            seed=seed,
            threads=_thread_count(threads),
            step=step,
            now=datetime.now(UTC),
        )
    if as_json:
        print(json_bytes(results.run, indent=2).decode(), end="")
        return
    total = results.run["timings"]["total"]
    products = sum(len(each) for each in results.made.values())
    print(f"{output}: {_summary(results.document)}")
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
    from humay.check import as_stated, load_plan
    from humay.mission import load_mission

    craft = load_mission(mission)
    document = load_plan(plan_file)
    craft, _ = as_stated(craft, (), document)
    settings = craft.run
    count = render if render is not None else (settings.render if settings else 0)
    with _progress(quiet) as step:
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
            threads=_thread_count(threads),
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

    with _progress(quiet) as step, step("process"):
        made = process_file(
            image,
            dem,
            output,
            Recipe(
                level=_level(level),
                tolerance_px=tolerance,
                threads=_thread_count(threads),
                dem_sigma_m=dem_sigma,
                pixel_m=pixel,
                acquired=None if acquired is None else _instant(acquired, "--acquired"),
            ),
            vertical=_vertical(dem_vertical),
        )
    if as_json:
        print(json.dumps([str(product.item_path) for product in made]))
        return
    for product in made:
        print(f"{product.folder}: {product.item['properties']['title']}")


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

    with _progress(quiet) as step, step("add"):
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
    with _progress(quiet) as step, step("export"):
        count = hand_on(catalogue, output, query, copy_assets=copy_assets)
    if as_json:
        print(json.dumps({"output": str(output), "items": count}))
    else:
        print(f"{output}: {count} items")


# Shared ------------------------------------------------------------------------------------------


def _load(mission: Path, requests: Path) -> tuple[Mission, tuple[Request, ...]]:
    from humay.mission import load_mission, load_requests

    craft = load_mission(mission)
    return craft, load_requests(requests, craft)


T = TypeVar("T")


def _given(path: Path | None, read: Callable[[Path, Epoch], T], epoch: Epoch) -> T | None:
    return None if path is None else read(path, epoch)


TABLES = (".parquet", ".geojson", ".csv", ".czml", ".kml", ".ics")
PLAIN_TABLES = (".parquet", ".geojson", ".csv")
PICTURES = (".svg", ".png")


def _keep(inputs: Sequence[Path | None], *outputs: Path | None) -> None:
    """Refuse to write over a file that is read."""
    kept = {given.resolve() for given in inputs if given is not None}
    for output in outputs:
        if output is not None and output.resolve() in kept:
            raise OutputError(f"{output}: is read by this command, expected another name for it")


def _check_suffix(output: Path | None, known: tuple[str, ...]) -> None:
    """Refuse a file name of unknown format before the work, not after it."""
    if output is not None and output.suffix.lower() not in known:
        raise OutputError(
            f"{output}: the name ends in {output.suffix!r}, expected one of {', '.join(known)}"
        )


def _instant(text: str, option: str) -> datetime:
    from humay.time import parse_utc

    try:
        return parse_utc(text)
    except HumayError as error:
        raise HumayError(f"{option}: {error}") from error


def _span(start: str, days: float) -> tuple[datetime, datetime]:
    begin = _instant(start, "--start")
    try:
        return begin, begin + timedelta(days=days)
    except OverflowError as error:
        raise HumayError(f"--start: {start} and {days:g} days reach past the year 9999") from error


def _effort(iterations: int | None, seconds: float | None, threads: int) -> Effort:
    """How long to search; a budget in seconds begins when the search does, and ends at Ctrl-C."""
    from humay.schedule import Effort

    if seconds is None:
        return Effort(iterations=iterations, threads=threads)
    return Effort(stop=_Patience(seconds), threads=threads)


def _flying(
    previous: Path | None, freeze_until: str | None, stability: float | None
) -> Flying | None:
    from humay.chain import Flying
    from humay.check import load_plan
    from humay.schedule import STABILITY

    if previous is None:
        return None
    return Flying(
        document=load_plan(previous),
        frozen_until=None if freeze_until is None else _instant(freeze_until, "--freeze-until"),
        stability=STABILITY if stability is None else stability,
    )


def _changes(other: Mapping[str, Any] | None, document: Mapping[str, Any]) -> Any:
    """The difference of a plan from another one, if there is one to compare with."""
    from humay.schedule import difference_document, plan_difference

    if other is None:
        return None
    return difference_document(plan_difference(other, document), document)


def _known(names: Sequence[str], requests: Sequence[Request]) -> list[str]:
    """The requests to explain, once each; refused before anything is planned if not asked for."""
    from humay.mission import suggestion

    known = [request.name for request in requests]
    for name in names:
        if name not in known:
            raise HumayError(f"--explain: no request {name!r}{suggestion(name, known)}")
    return list(dict.fromkeys(names))


def _explained(plan: Plan, names: Sequence[str]) -> list[dict[str, Any]]:
    from humay.schedule import explain_request, explanation_document

    return [explanation_document(explain_request(plan, name)) for name in names]


def _tell(changes: Any) -> None:
    from humay.schedule import told

    if changes is not None:
        print(told(changes))


@dataclass
class _Patience:
    """Says stop so many seconds after it is first asked, and from the first Ctrl-C on."""

    seconds: float
    until: float | None = None

    def __call__(self) -> bool:
        if self.until is None:
            self.until = time.monotonic() + self.seconds
            signal.signal(signal.SIGINT, self._enough)
        over = time.monotonic() >= self.until
        if over:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return over

    def _enough(self, _number: int, _frame: object) -> None:
        self.until = -math.inf


def _nadir(name: str) -> Nadir:
    if name == "geodetic":
        return "geodetic"
    if name == "geocentric":
        return "geocentric"
    raise typer.BadParameter(f"--nadir is {name!r}, expected geodetic or geocentric")


@contextmanager
def _progress(quiet: bool) -> Iterator[Step]:
    """Steps shown on stderr while they run, when a person is watching."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, quiet=quiet)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:

        @contextmanager
        def step(name: str) -> Iterator[None]:
            task = progress.add_task(name, total=1)
            yield
            progress.update(task, completed=1)

        yield step


def _deliver(
    table: pa.Table,
    backdrop: Backdrop,
    output: Path | None,
    plot: Path | None,
    as_json: bool,
    notes: list[str],
    *,
    what: str,
) -> None:
    """Write a table and its map to files, or show it: all of it as JSON, else its first rows."""
    from humay.access import plot_bytes, table_bytes
    from humay.files import write_whole

    contents = {}  # all is made before anything is written
    if output is not None:
        contents[output] = table_bytes(table, output.suffix.lower(), backdrop)
    if plot is not None:
        contents[plot] = plot_bytes(table, plot.suffix.lower(), backdrop)
    for path, content in contents.items():
        write_whole(path, content)
    if as_json:
        print(table_bytes(table, ".json", backdrop).decode(), end="")
        return
    if output is None:
        _show(table, what)
    for path in contents:
        print(f"{path}: {len(table)} {what}")
    for note in notes:
        print(f"  {note}", file=sys.stderr)


def _show(table: pa.Table, what: str, most: int = 25) -> None:
    from humay.access import table_bytes

    rows = json.loads(table_bytes(table.slice(0, most), ".json"))["features"]
    wanted = ("satellite", "kind", "target", "request", "station", "start", "end", "duration_s",
              "first_satellite", "first", "last_satellite", "last", "base_to_height",
              "off_nadir_deg", "sun_elevation_deg", "max_elevation_deg", "orbit")  # fmt: skip
    columns = [name for name in wanted if name in table.column_names]
    print("  ".join(columns))
    for row in rows:
        print("  ".join(_cell(row["properties"][name]) for name in columns))
    print(f"{len(table)} {what}" + (f", the first {most} shown" if len(table) > most else ""))


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _summary(document: Mapping[str, Any]) -> str:
    outcomes = [request["outcome"] for request in document["requests"]]
    objective = document["objective"]
    return (
        f"{len(document['acquisitions'])} acquisitions; of {len(outcomes)} requests"
        f" {outcomes.count('served')} served, {outcomes.count('partly')} in part; value"
        f" {objective['value']:.2f}, at most {objective['bound']:.2f} possible"
        f" (gap {100 * objective['gap']:.1f} %)"
    )


def _thread_count(given_: int | None) -> int:
    """As many threads as asked for, or one for each core that this process may use."""
    return given_ or len(os.sched_getaffinity(0))


if __name__ == "__main__":
    main()
