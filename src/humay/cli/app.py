"""The command itself: its options, how it ends, and what its verbs share."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from humay import __version__
from humay.errors import HumayError, OutputError

if TYPE_CHECKING:
    import pyarrow as pa

    from humay.access import Nadir
    from humay.chain import Step
    from humay.mission import Mission, Request
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
NadirChoice = Annotated[
    str, typer.Option(help="what off-nadir is measured from: geodetic or geocentric")
]


def main() -> None:
    """Run the command; a `HumayError` becomes one line on stderr and exit status 1."""
    try:
        try:
            app(standalone_mode=True)  # leaves by SystemExit
        finally:
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


def load(mission: Path, requests: Path) -> tuple[Mission, tuple[Request, ...]]:
    from humay.mission import load_mission, load_requests

    craft = load_mission(mission)
    return craft, load_requests(requests, craft)


T = TypeVar("T")


def read_given(path: Path | None, read: Callable[[Path, Epoch], T], epoch: Epoch) -> T | None:
    return None if path is None else read(path, epoch)


TABLES = (".parquet", ".geojson", ".csv")


def check_suffix(output: Path | None, known: tuple[str, ...]) -> None:
    """Refuse a file name of unknown format before the work, not after it."""
    if output is not None and output.suffix.lower() not in known:
        raise OutputError(
            f"{output}: the name ends in {output.suffix!r}, expected one of {', '.join(known)}"
        )


def instant(text: str, option: str) -> datetime:
    from humay.time import parse_utc

    try:
        return parse_utc(text)
    except HumayError as error:
        raise HumayError(f"{option}: {error}") from error


def span(start: str, days: float) -> tuple[datetime, datetime]:
    begin = instant(start, "--start")
    try:
        return begin, begin + timedelta(days=days)
    except OverflowError as error:
        raise HumayError(f"--start: {start} and {days:g} days reach past the year 9999") from error


def nadir_of(name: str) -> Nadir:
    if name == "geodetic":
        return "geodetic"
    if name == "geocentric":
        return "geocentric"
    raise typer.BadParameter(f"--nadir is {name!r}, expected geodetic or geocentric")


@contextmanager
def progress(quiet: bool) -> Iterator[Step]:
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


def deliver(
    table: pa.Table, output: Path | None, as_json: bool, notes: list[str], *, what: str
) -> None:
    """Write a table to its file, or show it: all of it as JSON, else its first rows."""
    from humay.access import table_bytes
    from humay.files import write_whole

    if output is not None:
        write_whole(output, table_bytes(table, output.suffix.lower()))
    if as_json:
        sys.stdout.write(table_bytes(table, ".json").decode())
        return
    if output is not None:
        print(f"{output}: {len(table)} {what}")
    else:
        _show(table, what)
    for note in notes:
        print(f"  {note}", file=sys.stderr)


def _show(table: pa.Table, what: str, most: int = 25) -> None:
    from humay.access import table_bytes

    rows = json.loads(table_bytes(table.slice(0, most), ".json"))["features"]
    wanted = ("satellite", "request", "station", "start", "end", "duration_s", "off_nadir_deg",
              "sun_elevation_deg", "max_elevation_deg", "orbit")  # fmt: skip
    columns = [name for name in wanted if name in table.column_names]
    print("  ".join(columns))
    for row in rows:
        print("  ".join(_cell(row["properties"][name]) for name in columns))
    print(f"{len(table)} {what}" + (f", the first {most} shown" if len(table) > most else ""))


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def summary(document: Mapping[str, Any]) -> str:
    outcomes = [request["outcome"] for request in document["requests"]]
    objective = document["objective"]
    return (
        f"{len(document['acquisitions'])} acquisitions; of {len(outcomes)} requests"
        f" {outcomes.count('served')} served, {outcomes.count('partly')} in part; value"
        f" {objective['value']:.2f}, at most {objective['bound']:.2f} possible"
        f" (gap {100 * objective['gap']:.1f} %)"
    )


def thread_count(given_: int | None) -> int:
    """As many threads as asked for, or one for each core that this process may use."""
    return given_ or len(os.sched_getaffinity(0))
