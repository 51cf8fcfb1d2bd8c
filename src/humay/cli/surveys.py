"""What can be seen and when: windows, passes, eclipses, calibration looks, timelines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from humay.cli.app import (
    AsJson,
    Days,
    MissionFile,
    Output,
    Quiet,
    RequestFile,
    Start,
    Threads,
    check_suffix,
    keep_inputs,
    loaded,
    progress,
    say,
    span,
    thread_count,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from humay.access import Backdrop, Nadir

Plot = Annotated[Path | None, typer.Option("--plot", help="map to draw: .svg or .png")]
NadirChoice = Annotated[
    str, typer.Option(help="what off-nadir is measured from: geodetic or geocentric")
]
TABLES = (".parquet", ".geojson", ".csv", ".czml", ".kml", ".ics")
PLAIN_TABLES = (".parquet", ".geojson", ".csv")
PICTURES = (".svg", ".png")


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

    check_suffix(output, TABLES)
    check_suffix(plot, PICTURES)
    keep_inputs((mission, requests), output, plot)
    begin, end = span(start, days)
    craft, wanted = loaded(mission, requests)
    with progress(quiet) as step:
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
                threads=thread_count(threads),
            )
    samples = find_pointing(found, craft, orbits) if pointing else None
    notes = accuracy_notes(craft, orbits, wanted, begin, end)
    table = opportunities_table(found, notes, samples)
    backdrop = Backdrop(orbits=orbits, requests=wanted)
    _deliver(table, backdrop, output, plot, as_json, notes, what="opportunities")


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

    check_suffix(output, PLAIN_TABLES)
    keep_inputs((mission, requests), output)
    begin, end = span(start, days)
    craft, wanted = loaded(mission, requests)
    with progress(quiet) as step:
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
                threads=thread_count(threads),
            )
        with step("stereo"):
            sets = find_stereo(found, craft, wanted, orbits)
    notes = accuracy_notes(craft, orbits, wanted, begin, end)
    backdrop = Backdrop(orbits=orbits, requests=wanted)
    table = stereo_table(sets, notes)
    _deliver(table, backdrop, output, None, as_json, notes, what="stereo sets")


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

    check_suffix(output, TABLES)
    check_suffix(plot, PICTURES)
    keep_inputs((mission,), output, plot)
    begin, end = span(start, days)
    craft = load_mission(mission)
    with progress(quiet) as step, step("contacts"):
        orbits = ephemerides(craft, begin, end)
        found = find_contacts(craft, start=begin, end=end, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    backdrop = Backdrop(orbits=orbits, stations=craft.stations)
    _deliver(contacts_table(found, notes), backdrop, output, plot, as_json, notes, what="contacts")


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

    check_suffix(output, PLAIN_TABLES)
    keep_inputs((mission,), output)
    begin, end = span(start, days)
    craft = load_mission(mission)
    with progress(quiet) as step, step("eclipses"):
        orbits = ephemerides(craft, begin, end)
        found = find_eclipses(craft, start=begin, end=end, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    backdrop = Backdrop(orbits=orbits)
    _deliver(eclipses_table(found, notes), backdrop, output, None, as_json, notes, what="eclipses")


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

    check_suffix(output, PLAIN_TABLES)
    keep_inputs((mission,), output)
    begin, end = span(start, days)
    kinds = tuple(each for each in KINDS if kind is None or each in kind)
    for each in kind or ():
        if each not in KINDS:
            raise typer.BadParameter(f"--kind is {each!r}, expected one of {', '.join(KINDS)}")
    craft = load_mission(mission)
    with progress(quiet) as step, step("calibration"):
        orbits = ephemerides(craft, begin, end)
        found = find_calibrations(craft, start=begin, end=end, kinds=kinds, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    backdrop = Backdrop(orbits=orbits)
    table = calibration_table(found, notes)
    _deliver(table, backdrop, output, None, as_json, notes, what="calibration looks")


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

    check_suffix(output, (".parquet",))
    begin, end = span(start, days)
    craft = load_mission(mission)
    with progress(quiet) as step, step("timeline"):
        found = find_timeline(craft, start=begin, end=end)
    write_whole(output, table_bytes(timeline_table(found), ".parquet"))
    if as_json:
        say(json.dumps({"output": str(output), "satellites": list(found)}))
    else:
        say(f"{output}: {len(found)} satellites")


def _nadir(name: str) -> Nadir:
    if name == "geodetic":
        return "geodetic"
    if name == "geocentric":
        return "geocentric"
    raise typer.BadParameter(f"--nadir is {name!r}, expected geodetic or geocentric")


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
        say(table_bytes(table, ".json", backdrop).decode(), end="")
        return
    if output is None:
        _show(table, what)
    for path in contents:
        say(f"{path}: {len(table)} {what}")
    for note in notes:
        say(f"  {note}", error=True)


def _show(table: pa.Table, what: str, most: int = 25) -> None:
    from humay.access import table_bytes

    rows = json.loads(table_bytes(table.slice(0, most), ".json"))["features"]
    wanted = ("satellite", "kind", "target", "request", "station", "start", "end", "duration_s",
              "first_satellite", "first", "last_satellite", "last", "base_to_height",
              "off_nadir_deg", "sun_elevation_deg", "max_elevation_deg", "orbit")  # fmt: skip
    columns = [name for name in wanted if name in table.column_names]
    say("  ".join(columns))
    for row in rows:
        say("  ".join(_cell(row["properties"][name]) for name in columns))
    say(f"{len(table)} {what}" + (f", the first {most} shown" if len(table) > most else ""))


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
