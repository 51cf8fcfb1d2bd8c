"""Verbs up to a checked plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from humay.cli.app import (
    TABLES,
    AsJson,
    Days,
    MissionFile,
    NadirChoice,
    Output,
    Quiet,
    RequestFile,
    Seed,
    Start,
    app,
    check_suffix,
    deliver,
    instant,
    load,
    nadir_of,
    progress,
    read_given,
    span,
    summary,
)
from humay.errors import OutputError


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
    output: Output = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find every window in which a satellite can image a request."""
    from humay.access import (
        accuracy_notes,
        find_opportunities,
        find_pointing,
        opportunities_table,
    )
    from humay.orbit import ephemerides

    check_suffix(output, TABLES)
    begin, end = span(start, days)
    craft, wanted = load(mission, requests)
    with progress(quiet) as step:
        with step("orbits"):
            orbits = ephemerides(craft, begin, end)
        with step("opportunities"):
            found = find_opportunities(
                craft, wanted, start=begin, end=end, nadir=nadir_of(nadir), orbits=orbits
            )
    samples = find_pointing(found, craft, orbits) if pointing else None
    notes = accuracy_notes(craft, orbits, wanted, begin, end)
    deliver(
        opportunities_table(found, notes, samples), output, as_json, notes, what="opportunities"
    )


@app.command()
def contacts(
    mission: MissionFile,
    start: Start,
    days: Days,
    output: Output = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find every pass of a satellite over a station."""
    from humay.access import accuracy_notes, contacts_table, find_contacts
    from humay.mission import load_mission
    from humay.orbit import ephemerides

    check_suffix(output, TABLES)
    begin, end = span(start, days)
    craft = load_mission(mission)
    with progress(quiet) as step, step("contacts"):
        orbits = ephemerides(craft, begin, end)
        found = find_contacts(craft, start=begin, end=end, orbits=orbits)
    notes = accuracy_notes(craft, orbits, (), begin, end)
    deliver(contacts_table(found, notes), output, as_json, notes, what="contacts")


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

    check_suffix(output, (".parquet",))
    begin, end = span(start, days)
    craft = load_mission(mission)
    with progress(quiet) as step, step("timeline"):
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
        typer.Option(min=0, help="budget of an improving method; the greedy one has none"),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(min=0, help="the same in seconds; the greedy one ends by itself")
    ] = None,
    seed: Seed = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Plan acquisitions and downlinks, bound the plan, have it checked, write it."""
    from humay.access import read_contacts, read_opportunities, read_pointing, read_timelines
    from humay.chain import planned, survey
    from humay.files import json_bytes, write_whole
    from humay.orbit import ephemerides

    if iterations is not None and seconds is not None:
        raise typer.BadParameter("give --iterations or --seconds, not both")
    check_suffix(output, (".json",))
    for given in (mission, requests, opportunities_file, contacts_file, timeline_file):
        if given is not None and given.resolve() == output.resolve():
            raise OutputError(f"{output}: is read by this plan, expected another name for it")
    begin, end = span(start, hours / 24.0)
    released = begin if release is None else instant(release, "--release")
    craft, wanted = load(mission, requests)
    with progress(quiet) as step:
        with step("orbits"):
            orbits = ephemerides(craft, begin, end)
        epoch = next(iter(orbits.values())).epoch
        found = survey(
            craft,
            wanted,
            start=begin,
            end=end,
            step=step,
            orbits=orbits,
            opportunities=read_given(opportunities_file, read_opportunities, epoch),
            pointing=read_given(opportunities_file, read_pointing, epoch),
            contacts=read_given(contacts_file, read_contacts, epoch),
            timelines=read_given(timeline_file, read_timelines, epoch),
        )
        document = planned(
            craft,
            wanted,
            found,
            start=begin,
            end=end,
            release=released,
            seed=1 if seed is None else seed,
            step=step,
        )
    write_whole(output, json_bytes(document))
    if as_json:
        print(json.dumps({"output": str(output), "objective": document["objective"]}))
    else:
        print(f"{output}: {summary(document)}")


@app.command()
def check(
    mission: MissionFile,
    requests: RequestFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan file (JSON)")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Judge a plan by other code: print `valid`, or every violation and exit with 1."""
    from humay.check import check_plan, load_plan, verdict

    craft, wanted = load(mission, requests)
    document = load_plan(plan_file)
    with progress(quiet) as step, step("check"):
        violations = check_plan(craft, wanted, document)
    if as_json:
        print(json.dumps([vars(violation) for violation in violations], ensure_ascii=False))
    else:
        print(verdict(violations))
    if violations:
        raise typer.Exit(1)
