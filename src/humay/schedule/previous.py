"""The plan that flies: what of it stays in the next one, and what changing the rest costs.

What has begun, and what has been commanded, cannot be changed any more; what begins before the
instant up to which a plan is frozen is not to be. Both stay to the microsecond: acquisitions,
passes, and with them the downlinks.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from humay.errors import PlanError
from humay.files import json_bytes
from humay.mission import Mission, Outcomes, Satellite
from humay.schedule.outages import Closure, Span
from humay.schedule.recorded import recorded
from humay.schedule.slews import Agility
from humay.time import Epoch, format_utc, parse_utc

Json: TypeAlias = Mapping[str, Any]

MOST_CHANGED = 0.05
"""Of the acquisitions of a plan: so many may make room for what is urgent."""
STABILITY = 0.1
"""What breaking a promise costs where nobody says: so much of what the promise is worth."""
SAME_S = 1e-4
"""Times are written to the microsecond and planned to the millisecond."""


def untimed(_what: str) -> AbstractContextManager[None]:
    """Nobody asks how long it takes."""
    return nullcontext()


@dataclass(frozen=True, kw_only=True, eq=False)
class Urgency:
    """The names of requests that just came in, and the share of the acquisitions of the plan that
    flies that may make room for them. Who wants to know how long that takes gives `timed`."""

    names: tuple[str, ...]
    most_changed: float = MOST_CHANGED
    timed: Callable[[str], AbstractContextManager[None]] = untimed

    def __post_init__(self) -> None:
        if not 0 <= self.most_changed <= 1:
            raise PlanError(f"most_changed is {self.most_changed}, expected 0 to 1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Previous:
    """The plan that flies, until when it is frozen besides what cannot be changed, and what share
    of its worth it costs to break a promise of the rest.

    `withdrawn` names requests that are flown though nobody asks for them any more, and what the
    previous plan calls them. `imaged` are strips that earlier plans have imaged before the new one
    begins, `failed` acquisitions of this one that came to nothing, `state` is what the satellites
    have on board then, where that is not what the mission says; `aboard` says of what
    (`aboard_at`), where nothing of the `lost_passes` was received.
    have on board then, where that is not what the mission says. With `urgent` requests nothing else
    is planned anew, and every pass stays. `flown` tells when each satellite imaged before the new
    plan begins (`flown_before`). With `outcomes`, nothing was commanded in `lost_uplinks`, and
    `bad_images` (strip, end) of earlier plans count no more.
    """

    document: Json
    frozen_until: datetime | None = None
    stability: float = STABILITY
    withdrawn: Mapping[str, str] = field(default_factory=dict)
    imaged: Sequence[Mapping[str, str]] = ()
    failed: frozenset[str] = frozenset()
    state: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    aboard: Sequence[Json] = ()
    lost_passes: frozenset[str] = frozenset()
    urgent: Urgency | None = None
    lost_uplinks: frozenset[str] = frozenset()
    flown: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    bad_images: frozenset[tuple[str, str]] = frozenset()
    outcomes: Outcomes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.stability < math.inf:
            raise PlanError(f"stability is {self.stability}, expected 0 or more, and finite")
        end = parse_utc(self.document["end"])
        if self.frozen_until is not None and self.frozen_until > end:
            raise PlanError(
                f"the previous plan is to be frozen until {format_utc(self.frozen_until)}, expected"
                f" not after its end {format_utc(end)}"
            )

    @property
    def sha256(self) -> str:
        """Of the plan's file as Humay writes it."""
        return hashlib.sha256(json_bytes(self.document)).hexdigest()

    @property
    def made(self) -> frozenset[str]:
        """The names of all of which something is imaged; calibration looks among them are made."""
        return frozenset(each["request"] for each in self.imaged)

    @property
    def imaged_requests(self) -> dict[str, tuple[str, str]]:
        """The reason not to image a request again, for those of which something is imaged."""
        return {
            each["request"]: ("imaged", f"imaged by an earlier plan until {each['end']}")
            for each in self.imaged
        }

    def promised(self, name: str, strip: str) -> tuple[str, str]:
        """What this plan calls a request and a strip of the previous one, if that is withdrawn."""
        for new, old in self.withdrawn.items():
            if old == name:
                return new, new + strip[len(old) :]
        return name, strip


@dataclass(frozen=True, kw_only=True)
class Promise:
    """An acquisition of the previous plan, or a calibration look at a `target`; `from_s` is when
    the slew to it begins."""

    id: str
    satellite: str
    request: str
    strip: str
    from_s: float
    start_s: float
    end_s: float
    uplink: str
    value: float
    target: str | None = None


@dataclass(frozen=True, kw_only=True)
class Booked:
    """A pass of the previous plan."""

    pass_id: str
    station: str
    satellite: str
    start_s: float
    end_s: float
    entry: Json = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True, eq=False)
class Freeze:
    """What stays of a previous plan: acquisitions and passes, and when each satellite is free for
    something else.

    `open` are the acquisitions that may be planned again. Those that an outage takes that nobody
    knew of, or whose commands do not go up, are `lost`: they may be `open`, but nobody can count on
    them any more.
    """

    acts: tuple[Promise, ...]
    open: tuple[Promise, ...]
    lost: tuple[Promise, ...]
    passes: tuple[Booked, ...]
    uplinks: Mapping[str, Booked]
    thaw_s: Mapping[str, float]

    @property
    def priced(self) -> frozenset[str]:
        """The promises that can be kept or broken."""
        return frozenset(p.id for p in self.open) - {p.id for p in self.lost}


def freeze(
    previous: Previous, mission: Mission, release: datetime, start: datetime, epoch: Epoch
) -> Freeze:
    """What stays in a plan from `start` on that is released at `release`.

    Commands can change from the first pass after the release and the preparation on; what passes
    before it carry is on board. A pass or an acquisition that has begun is brought to its end.
    """
    release_s, start_s = epoch.seconds(release), epoch.seconds(start)
    held_s = -math.inf
    if previous.frozen_until is not None:
        held_s = epoch.seconds(previous.frozen_until)
    closed = [
        Closure(outage=o, start_s=epoch.seconds(o.start), end_s=epoch.seconds(o.end))
        for o in mission.outages
    ]
    kept = {
        b.pass_id: b
        for b in booked_passes(previous.document, epoch)
        if b.pass_id not in previous.lost_uplinks
        and not _grounded(closed, b.satellite, (b.start_s, b.end_s), b.station)
    }
    acts: list[Promise] = []
    free: list[Promise] = []
    lost: list[Promise] = []
    thaw_s: dict[str, float] = {}
    everything = [p for p in promises(previous.document, epoch) if p.end_s > start_s]
    for satellite in mission.satellites:
        ready_s = release_s + satellite.preparation_s
        own = [p for p in everything if p.satellite == satellite.name]
        flown = [
            p
            for p in own
            if p.uplink in kept and not _grounded(closed, p.satellite, (p.from_s, p.end_s))
        ]
        sure = {p.id for p in flown}
        taken = [(p.from_s, p.end_s) for p in flown]
        taken += [(b.start_s, b.end_s) for b in kept.values() if b.satellite == satellite.name]
        thaw_s[satellite.name] = thaw = _thaw(max(held_s, ready_s), taken)
        for promise in own:
            on_board = promise.uplink in kept and kept[promise.uplink].start_s < ready_s
            stays = promise.from_s < thaw or on_board
            if not stays:
                free.append(promise)
            elif promise.id in sure:
                acts.append(promise)
            if promise.id not in sure:
                lost.append(promise)
    carriers = {p.uplink for p in acts}
    return Freeze(
        acts=tuple(acts),
        open=tuple(free),
        lost=tuple(lost),
        passes=tuple(
            b
            for b in kept.values()
            if b.end_s > start_s
            and (
                previous.urgent is not None
                or b.start_s < thaw_s[b.satellite]
                or b.pass_id in carriers
            )
        ),
        uplinks=kept,
        thaw_s=thaw_s,
    )


def _thaw(from_s: float, taken: Sequence[tuple[float, float]]) -> float:
    """The first instant from `from_s` on that lies in nothing that is taken."""
    for start_s, end_s in sorted(taken):
        if start_s < from_s:
            from_s = max(from_s, end_s)
    return from_s


def _grounded(closed: Sequence[Closure], satellite: str, span_s: Span, station: str = "") -> bool:
    """Whether an outage of a satellite, or of a station, meets a span."""
    return any(
        each.of(station, satellite)
        and span_s[0] < each.end_s - SAME_S
        and span_s[1] > each.start_s + SAME_S
        for each in closed
    )


def promises(document: Json, epoch: Epoch) -> list[Promise]:
    """The acquisitions and calibration looks of a plan in order of time."""
    begun = {
        (name, acquisition): epoch.seconds(parse_utc(text))
        for name, segments in document["attitude"].items()
        for acquisition, text in beginnings(segments)
    }
    found = []
    for entry in recorded(document):
        start_s = epoch.seconds(parse_utc(entry["start"]))
        found.append(
            Promise(
                id=entry["id"],
                satellite=entry["satellite"],
                request=entry["request"],
                strip=entry["strip"],
                from_s=begun.get((entry["satellite"], entry["id"]), start_s),
                start_s=start_s,
                end_s=epoch.seconds(parse_utc(entry["end"])),
                uplink=entry["uplink"],
                value=float(entry["value"]),
                target=entry.get("target"),
            )
        )
    return sorted(found, key=lambda p: (p.start_s, p.satellite))


def beginnings(segments: Sequence[Json]) -> list[tuple[str, str]]:
    """Of each acquisition, when the slew to it begins; without one, when it settles."""
    found = []
    begin = ""
    for before, segment in zip([None, *segments], segments, strict=False):
        on_the_way = before is not None and before["mode"] in ("slew", "settle")
        if not on_the_way:
            begin = segment["start"]
        if segment["mode"] == "image":
            found.append((segment["acquisition"], begin))
    return found


def booked_passes(document: Json, epoch: Epoch) -> list[Booked]:
    """The passes of a plan, and those before it that carried commands which it still flies."""
    earlier = document.get("previous", {}).get("uplinks", [])
    return [
        Booked(
            pass_id=entry["id"],
            station=entry["station"],
            satellite=entry["satellite"],
            start_s=epoch.seconds(parse_utc(entry["start"])),
            end_s=epoch.seconds(parse_utc(entry["end"])),
            entry=entry,
        )
        for entry in [*earlier, *document["passes"]]
    ]


def clear_of_freeze_s(satellite: Satellite) -> float:
    """Seconds after the frozen part at which another acquisition may begin: time for the longest
    slew to it, so that it leaves all before it as it was."""
    agility, axes = Agility.of(satellite), math.pi * np.eye(3)
    rate, slowest = float(np.max(agility.fastest(axes))), float(np.min(agility.fastest(axes)))
    ramp_s = rate / float(np.min(agility.hardest(axes)))
    turns = 2 if satellite.keep_out or satellite.star_trackers else 1  # round what is kept off
    turn_s = math.pi / slowest + ramp_s
    if satellite.slew_law is not None:
        turn_s = max(turn_s, float(satellite.slew_law.turn_s(np.array(math.pi))))
    return turns * turn_s + 2 * ramp_s + satellite.settle_s
