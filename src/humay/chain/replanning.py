"""A plan made again while another flies: what both stages have to know of that one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from humay.access import find_stereo
from humay.chain.planning import Survey, survey
from humay.chain.timing import Step
from humay.check import Violation, as_it_was, check_plan, rebuilt_request, still_asked
from humay.errors import PlanError
from humay.mission import Mission, Outcomes, Request
from humay.schedule import (
    MOST_CHANGED,
    STABILITY,
    Freeze,
    Previous,
    Promise,
    Urgency,
    aboard_at,
    aftermath,
    counted_on,
    cut_as,
    flown_before,
    freeze,
    gbit_aboard,
    imaged_before,
    mission_at,
    mission_with,
    rows_of,
    state_at,
    taken_looks,
)
from humay.time import Epoch, format_utc, parse_utc


@dataclass(frozen=True, kw_only=True, eq=False)
class Flying:
    """The plan that flies, as `humay plan --previous` is told of it; of its `lost_passes` nothing
    was received. With `urgent` requests nothing else is planned anew, and at most `most_changed` of
    it makes room for them. `outcomes` tell what of it did not go as planned."""

    document: Mapping[str, Any]
    frozen_until: datetime | None = None
    stability: float = STABILITY
    lost_passes: frozenset[str] = frozenset()
    outcomes: Outcomes | None = None
    urgent: tuple[Request, ...] | None = None
    most_changed: float = MOST_CHANGED


@dataclass(frozen=True, kw_only=True, eq=False)
class Again:
    """All that planning again needs: the mission with what is on board, what is asked and what is
    flown besides, and the survey without what is imaged already."""

    mission: Mission
    requests: tuple[Request, ...]
    found: Survey
    previous: Previous


def check_flying(
    mission: Mission,
    requests: Sequence[Request],
    flying: Flying,
    start: datetime,
    end: datetime,
) -> None:
    """Raise `PlanError` unless the plan that flies is one of this mission, meets the span, and was
    valid when it was made."""
    document = flying.document
    if document["mission"] != mission.name:
        raise PlanError(
            f"the previous plan is of mission {document['mission']!r}, expected {mission.name!r}"
        )
    first, last = parse_utc(document["start"]), parse_utc(document["end"])
    if not first <= start <= last or end <= first:
        raise PlanError(
            f"the new plan begins at {format_utc(start)}, expected within the previous one,"
            f" {format_utc(first)} to {format_utc(last)}"
        )
    then, asked = as_it_was(mission, document, requests)
    violations = check_plan(then, asked, document)
    other = next((each for each in violations if _of_elements(each)), None)
    if other is not None:
        raise PlanError(
            f"the previous plan was made with other orbital elements than the mission has"
            f" ({other.where}: {other.message}); what is on board cannot be held against these:"
            " give the mission of the previous plan, and take the new elements for a plan that"
            " begins when it has been flown"
        )
    other = next((each for each in violations if each.code == "calibration"), None)
    if other is not None:
        raise PlanError(
            "the previous plan was made for other calibration looks than the mission asks for"
            f" ({other.where}: {other.message}): give the [[calibration]] tables of that plan,"
            " whose cadence goes on; take others for a plan that begins when it has been flown"
        )
    if violations:
        raise PlanError(
            f"the previous plan is not valid ({len(violations)} violations), expected one that is;"
            f" the first: {violations[0]}"
        )


def _of_elements(found: Violation) -> bool:
    """Whether a satellite flies elsewhere than a plan says, whatever it does there."""
    return found.code == "orbit" and found.where.startswith(("satellites[", "ground_tracks["))


def surveyed_again(
    mission: Mission,
    requests: Sequence[Request],
    flying: Flying,
    *,
    start: datetime,
    end: datetime,
    release: datetime,
    step: Step,
    **given: Any,
) -> Again:
    """What a plan over [start, end] is made from that follows the one that flies; `given` is as for
    `survey`."""
    with step("previous plan"):
        check_flying(mission, requests, flying, start, end)
    document = flying.document
    after = aftermath(document, flying.outcomes or Outcomes(), start, flying.lost_passes)
    mission = mission_with(counted_on(mission, document), after.outcomes)
    aboard = aboard_at(after.flown, start, after.lost_passes)
    previous = Previous(
        document=document,
        frozen_until=flying.frozen_until,
        stability=flying.stability,
        imaged=imaged_before(document, start, after.failed, after.bad_images),
        failed=after.failed,
        state=_weighed(state_at(after.flown, start), aboard),
        aboard=aboard,
        lost_passes=after.lost_passes,
        lost_uplinks=after.lost_uplinks,
        flown=flown_before(after.flown, mission, start),
        bad_images=after.bad_images,
        outcomes=flying.outcomes,
        urgent=_urgency(flying, requests, step),
    )
    requests = [*requests, *(flying.urgent or ())]
    given |= {"stars": _looked_at(document), "cut_as": cut_as(document)}
    entries = {entry["name"]: entry for entry in document["requests"]}
    gone = {name for name, entry in entries.items() if not still_asked(entry, requests)}
    several = {request.name for request in requests if request.several_looks}
    found = survey(mission, requests, start=start, end=end, step=step, **given)
    frozen = freeze(previous, mission, release, start, found.opportunities.epoch)
    _refuse_release_or_end(document, frozen, release, end, found.opportunities.epoch)
    lacking = _lacking(previous, frozen.acts, found, gone)
    if lacking:
        names = {request.name for request in requests}
        withdrawn = {name if name not in names else f"{name} (previous)": name for name in lacking}
        previous = replace(previous, withdrawn=withdrawn)
        more = [rebuilt_request(entries[old], new) for new, old in withdrawn.items()]
        requests = [*requests, *more]
        given |= {"opportunities": None, "pointing": None, "orbits": found.orbits}
        found = survey(mission, requests, start=start, end=end, step=step, **given)
    return Again(
        mission=mission_at(mission, previous.state),
        requests=tuple(requests),
        found=_without_done(mission, requests, previous, frozen.acts, found, gone | several),
        previous=previous,
    )


def _refuse_release_or_end(
    document: Mapping[str, Any], frozen: Freeze, release: datetime, end: datetime, epoch: Epoch
) -> None:
    """Refuse a release before that of the plan that flies, and an end that cuts what stays."""
    before = parse_utc(document["release"])
    if release < before:
        raise PlanError(
            f"the new plan is released at {format_utc(release)}, expected no sooner than the"
            f" previous one, which was at {format_utc(before)}"
        )
    end_s = epoch.seconds(end)
    cut = [(p.end_s, f"acquisition {p.id!r}") for p in frozen.acts if p.end_s > end_s]
    cut += [(b.start_s, f"pass {b.pass_id!r}") for b in frozen.passes if b.start_s >= end_s]
    if cut:
        last_s, what = max(cut)
        raise PlanError(
            f"the new plan ends at {format_utc(end)}, expected an end after"
            f" {format_utc(epoch.utc(last_s))}: {what} of the previous plan is commanded"
        )


def _looked_at(document: Mapping[str, Any]) -> frozenset[str]:
    """At what the calibration looks of a plan look."""
    taken = [due["look"] for due in document.get("calibrations", ())]
    return frozenset(look["target"] for look in taken if look is not None)


def _weighed(
    state: Mapping[str, Mapping[str, float]], aboard: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """With the memory that what is on board takes, to the bit."""
    return {
        name: {**each, "memory_gbit": gbit_aboard(aboard, name)}
        if "memory_gbit" in each
        else {**each}
        for name, each in state.items()
    }


def _urgency(flying: Flying, requests: Sequence[Request], step: Step) -> Urgency | None:
    """The requests that just came in. Raises `PlanError` for one of a name that is known, and where
    the others are not all that the plan that flies was asked for."""
    if flying.urgent is None:
        return None
    known = {request.name for request in requests}
    known |= {entry["name"] for entry in flying.document["requests"]}
    twin = next((request.name for request in flying.urgent if request.name in known), None)
    if twin is not None:
        raise PlanError(f"urgent request {twin!r} is asked for already, expected a new name")
    withdrawn = {each["name"] for each in flying.document.get("previous", {}).get("withdrawn", ())}
    asked = {request.name for request in requests}
    lacking = sorted({e["name"] for e in flying.document["requests"]} - withdrawn - asked)
    if lacking:
        raise PlanError(
            f"the previous plan was asked for {', '.join(map(repr, lacking))}, too, expected beside"
            " urgent requests all that it was asked for: give as requests the --book that was"
            " written with it"
        )
    names = tuple(request.name for request in flying.urgent)
    return Urgency(names=names, most_changed=flying.most_changed, timed=step)


def _lacking(
    previous: Previous, promises: Sequence[Promise], found: Survey, gone: set[str]
) -> list[str]:
    """The requests of promises that stay, but are no opportunity of what is asked now."""
    images = [promise for promise in promises if promise.target is None]
    rows = rows_of(previous, images, found.opportunities, found.pointing)
    return sorted({p.request for p, row in rows if row is None or p.request in gone})


def _without_done(
    mission: Mission,
    requests: Sequence[Request],
    previous: Previous,
    promises: Sequence[Promise],
    found: Survey,
    gone: set[str],
) -> Survey:
    """Without the strips that are imaged already, unless their request lies elsewhere now or wants
    several looks (`gone`), and of requests that are withdrawn without all but what stays."""
    o = found.opportunities
    done = {each["strip"] for each in previous.imaged if each["request"] not in gone}
    rows = rows_of(previous, promises, o, found.pointing)
    stays = {row for _, row in rows if row is not None}
    taken = taken_looks(previous, requests, o)
    keep = [
        row
        for row in range(len(o))
        if row in stays
        or not (o.strip[row] in done or o.request[row] in previous.withdrawn or taken[row])
    ]
    if len(keep) == len(o):
        return found
    left = o.take(np.array(keep, dtype=np.int64))
    sets = None if found.stereo is None else find_stereo(left, mission, requests, found.orbits)
    return replace(
        found,
        opportunities=left,
        pointing=[found.pointing[row] for row in keep],
        stereo=sets,
    )
