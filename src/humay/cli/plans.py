"""Plans: made, made again through the day, compared, explained, checked."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from humay.cli.app import (
    AsJson,
    MissionFile,
    Quiet,
    RequestFile,
    Seed,
    Threads,
    check_suffix,
    instant,
    keep_inputs,
    loaded,
    plan_summary,
    progress,
    read_if_given,
    say,
    span,
    thread_count,
)
from humay.errors import HumayError
from humay.time import format_utc

if TYPE_CHECKING:
    from humay.chain import Flying, Timings
    from humay.mission import Request
    from humay.orbit import Ephemeris
    from humay.schedule import Effort, Plan

PreviousFile = Annotated[
    Path | None, typer.Option("--previous", help="plan that flies (JSON); what is frozen stays")
]
CompareFile = Annotated[
    Path | None, typer.Option("--compare", help="plan (JSON) whose difference to this is told")
]
OutcomesFile = Annotated[
    Path | None,
    typer.Option("--outcomes", help="what of the previous plan did not go as planned (JSON)"),
]
PlanStart = Annotated[
    str | None, typer.Option(help="begin, ISO 8601 UTC, such as 2026-03-01T00:00Z")
]
UrgentFile = Annotated[
    Path | None,
    typer.Option("--urgent", help="requests (GeoJSON) that just came in, besides REQUESTS"),
]
Explained = Annotated[
    list[str] | None,
    typer.Option("--explain", metavar="REQUEST", help="what became of it; may be given again"),
]


def plan(
    mission: MissionFile,
    requests: RequestFile,
    output: Annotated[Path, typer.Option("-o", "--output", help="plan file to write (JSON)")],
    start: PlanStart = None,
    hours: Annotated[
        float | None,
        typer.Option(min=0.01, max=9600, help="length of the plan in hours"),
    ] = None,
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
            max=1000,
            help="price of breaking a promise of the previous plan, as a share of"
            " its worth; default 0.1",
        ),
    ] = None,
    outcomes: OutcomesFile = None,
    urgent: UrgentFile = None,
    most_changed: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="share of the previous plan's acquisitions that may make room for what is"
            " urgent; default 0.05",
        ),
    ] = None,
    book: Annotated[
        Path | None,
        typer.Option(help="with --urgent, also write all requests of the new plan (GeoJSON)"),
    ] = None,
    compare: CompareFile = None,
    explain: Explained = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Plan acquisitions and downlinks, bound the plan, have it checked, write it."""
    from humay.chain import Timings, planned, survey, surveyed_again
    from humay.check import load_plan
    from humay.files import json_bytes, write_whole
    from humay.mission import joined_requests, load_requests
    from humay.orbit import ephemerides

    if iterations is not None and seconds is not None:
        raise typer.BadParameter("give --iterations or --seconds, not both")
    needy: dict[str, Any] = {"--freeze-until": freeze_until, "--stability": stability}
    needy |= {"--outcomes": outcomes, "--urgent": urgent}
    _refuse_without(previous, "--previous", needy)
    _refuse_without(urgent, "--urgent", {"--most-changed": most_changed, "--book": book})
    check_suffix(output, (".json",))
    check_suffix(book, (".geojson", ".json"))
    found_before = opportunities_file, contacts_file, timeline_file
    plans = previous, compare
    keep_inputs((mission, requests, outcomes, urgent, *plans, *found_before), output, book)
    craft, wanted = loaded(mission, requests)
    flying = _flying(previous, freeze_until, stability, outcomes)
    if flying is not None and urgent is not None:
        flying = _with_urgent(flying, load_requests(urgent, craft), most_changed)
    begin, end = _span_of(start, hours, flying)
    released = begin if release is None else instant(release, "--release")
    effort = _effort(iterations, seconds, thread_count(threads))
    late = () if flying is None else flying.urgent or ()
    names = _known(explain or [], [*wanted, *late])
    explained: list[Any] = []
    other = None if compare is None else load_plan(compare)
    with progress(quiet) as shown:
        step = Timings(show=shown)
        with step("orbits"):
            orbits = ephemerides(craft, begin, end)
        given = _found_before(orbits, opportunities_file, contacts_file, timeline_file)
        given["threads"] = effort.threads
        if flying is None:
            found = survey(craft, wanted, start=begin, end=end, step=step, orbits=orbits, **given)
            kept = None
        else:
            again = surveyed_again(
                craft, wanted, flying, start=begin, end=end, release=released, step=step,
                orbits=orbits, **given,
            )  # fmt: skip
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
    if urgent is not None and book is not None:
        write_whole(book, joined_requests(requests, urgent))
    write_whole(output, json_bytes(document))
    results = _Results(
        output=output,
        document=document,
        changes=_changes(other, document),
        answers=_answers(flying, document, step),
        explained=explained,
        aftermath=None if flying is None or flying.outcomes is None else flying.document,
    )
    results.say(as_json)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Results:
    """What the verb tells of a plan besides the file; `aftermath` is the plan whose outcomes were
    given."""

    output: Path
    document: Mapping[str, Any]
    changes: Any
    answers: Mapping[str, Any]
    explained: Sequence[Mapping[str, Any]]
    aftermath: Mapping[str, Any] | None

    def say(self, as_json: bool) -> None:
        from humay.schedule import aftermath_text, answers_text, explanation_text

        if as_json:
            say(json.dumps(self._as_json()))
            return
        say(f"{self.output}: {plan_summary(self.document)}")
        if self.aftermath is not None:
            say(aftermath_text(self.aftermath, self.document["previous"]))
        for each in self.answers.values():
            say(f"{answers_text(each)}\n  found in {each['seconds']:.2f} s")
        _tell(self.changes)
        for told in self.explained:
            say(explanation_text(told))

    def _as_json(self) -> dict[str, Any]:
        told = {"output": str(self.output), "objective": self.document["objective"], **self.answers}
        told |= {} if self.changes is None else {"difference": self.changes}
        return told | ({"explain": self.explained} if self.explained else {})


def _found_before(
    orbits: Mapping[str, Ephemeris], opportunities: Path | None, contacts: Path | None,
    timelines: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """What files hold of a survey, by the names that a survey takes it under."""
    from humay.access import read_contacts, read_opportunities, read_pointing, read_timelines

    epoch = next(iter(orbits.values())).epoch
    return {
        "opportunities": read_if_given(opportunities, read_opportunities, epoch),
        "pointing": read_if_given(opportunities, read_pointing, epoch),
        "contacts": read_if_given(contacts, read_contacts, epoch),
        "timelines": read_if_given(timelines, read_timelines, epoch),
    }


def check(
    mission: MissionFile,
    requests: RequestFile,
    plan_file: Annotated[Path, typer.Argument(metavar="PLAN", help="plan file (JSON)")],
    previous: PreviousFile = None,
    outcomes: OutcomesFile = None,
    urgent: UrgentFile = None,
    compare: CompareFile = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Judge a plan by other code: print `valid`, or every violation and exit with 1."""
    from humay.check import check_plan, load_plan, verdict
    from humay.mission import load_outcomes, load_requests

    _refuse_without(previous, "--previous", {"--outcomes": outcomes})
    craft, wanted = loaded(mission, requests)
    wanted += () if urgent is None else load_requests(urgent, craft)
    document = load_plan(plan_file)
    flown, other = (None if path is None else load_plan(path) for path in (previous, compare))
    with progress(quiet) as step, step("check"):
        became = None if outcomes is None else load_outcomes(outcomes)
        violations = check_plan(craft, wanted, document, flown, became)
    changes = _changes(other, document)
    if as_json:
        found: Any = [vars(violation) for violation in violations]
        told = found if changes is None else {"violations": found, "difference": changes}
        say(json.dumps(told, ensure_ascii=False))
    else:
        say(verdict(violations))
        _tell(changes)
    if violations:
        raise typer.Exit(1)


def _effort(iterations: int | None, seconds: float | None, threads: int) -> Effort:
    """How long to search; a budget in seconds begins when the search does, and ends at Ctrl-C."""
    from humay.schedule import Effort

    if seconds is None:
        return Effort(iterations=iterations, threads=threads)
    return Effort(stop=_Patience(seconds), threads=threads)


def _flying(
    previous: Path | None,
    freeze_until: str | None,
    stability: float | None,
    outcomes: Path | None,
) -> Flying | None:
    from humay.chain import Flying
    from humay.check import load_plan
    from humay.mission import load_outcomes
    from humay.schedule import STABILITY

    if previous is None:
        return None
    return Flying(
        document=load_plan(previous),
        frozen_until=None if freeze_until is None else instant(freeze_until, "--freeze-until"),
        stability=STABILITY if stability is None else stability,
        outcomes=None if outcomes is None else load_outcomes(outcomes),
    )


def _with_urgent(flying: Flying, urgent: tuple[Request, ...], most_changed: float | None) -> Flying:
    from humay.schedule import MOST_CHANGED

    most = MOST_CHANGED if most_changed is None else most_changed
    return replace(flying, urgent=urgent, most_changed=most)


def _refuse_without(needed: Path | None, name: str, given: Mapping[str, Any]) -> None:
    """Refuse options that say nothing without another one."""
    for option, value in given.items():
        if needed is None and value is not None:
            raise typer.BadParameter(f"{option} needs {name}")


def _span_of(
    start: str | None, hours: float | None, flying: Flying | None
) -> tuple[datetime, datetime]:
    """When a plan begins and ends: as asked, else as the one that flies."""
    if flying is None:
        if start is None or hours is None:
            raise typer.BadParameter("--start and --hours are needed without --previous")
        return span(start, hours / 24.0)
    first, last = (instant(flying.document[key], "--previous") for key in ("start", "end"))
    begin = first if start is None else instant(start, "--start")
    if hours is None:
        return begin, last
    return span(format_utc(begin), hours / 24.0)


def _answers(flying: Flying | None, document: Mapping[str, Any], step: Timings) -> dict[str, Any]:
    """The answers to urgent requests, and how many seconds it took to put them in."""
    from humay.schedule import answers_document

    if flying is None or flying.urgent is None:
        return {}
    spent = step.seconds["urgent requests"]["wall_s"]
    return {"urgent": answers_document(flying.document, document) | {"seconds": spent}}


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
        say(told(changes))


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
