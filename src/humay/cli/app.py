"""The command itself: what its verbs share, and how it ends.

Results go to stdout or `-o`, talk goes to stderr. Exit status: 0 done, 1 the job failed or its
input is refused (one line says where, what was found, what was expected), 2 wrong use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from humay import __version__
from humay.errors import HumayError, OutputError

if TYPE_CHECKING:
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
Seed = Annotated[int | None, typer.Option(min=0, max=2**32 - 1, help="seed where chance is used")]
Threads = Annotated[
    int | None, typer.Option(min=1, max=256, help="threads; default all cores; same result")
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


def say(*words: object, end: str = "\n", error: bool = False) -> None:
    """Print a result on stdout, or talk on stderr."""
    print(*words, end=end, file=sys.stderr if error else None)


def loaded(mission: Path, requests: Path) -> tuple[Mission, tuple[Request, ...]]:
    from humay.mission import load_mission, load_requests

    craft = load_mission(mission)
    return craft, load_requests(requests, craft)


T = TypeVar("T")


def read_if_given(path: Path | None, read: Callable[[Path, Epoch], T], epoch: Epoch) -> T | None:
    return None if path is None else read(path, epoch)


def keep_inputs(inputs: Sequence[Path | None], *outputs: Path | None) -> None:
    """Refuse to write over a file that is read, or twice to one."""
    kept = {given.resolve() for given in inputs if given is not None}
    for output in outputs:
        if output is not None and output.resolve() in kept:
            raise OutputError(
                f"{output}: is read or written by this command, expected another name for it"
            )
        kept |= set() if output is None else {output.resolve()}


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


def utc_now() -> datetime:
    """The wall clock, for what tells when it was done."""
    return datetime.now(UTC)


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


def plan_summary(document: Mapping[str, Any]) -> str:
    outcomes = [request["outcome"] for request in document["requests"]]
    objective = document["objective"]
    return (
        f"{len(document['acquisitions'])} acquisitions; of {len(outcomes)} requests"
        f" {outcomes.count('served')} served, {outcomes.count('partly')} in part; value"
        f" {objective['value']:.2f}, at most {objective['bound']:.2f} possible"
        f" (gap {100 * objective['gap']:.1f} %){_calibrations(document)}"
    )


def _calibrations(document: Mapping[str, Any]) -> str:
    """How many calibration looks are taken, and how many that are due are not."""
    outcomes = [due["outcome"] for due in document.get("calibrations", ())]
    if not outcomes:
        return ""
    taken = outcomes.count("met") + outcomes.count("late")
    made = f", {outcomes.count('made')} made before" if "made" in outcomes else ""
    return f"; {taken} calibration looks, {outcomes.count('missed')} missed{made}"


def thread_count(given_: int | None) -> int:
    """As many threads as asked for, or one for each core that this process may use."""
    return given_ or len(os.sched_getaffinity(0))
