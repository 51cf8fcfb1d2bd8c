"""What a previous plan holds, laid on the opportunities and contacts of the new one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from humay.access import Contacts, Link, Opportunities, Pointing
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.errors import PlanError
from humay.mission import Mission
from humay.schedule.aboard import Aboard, aboard_of
from humay.schedule.calibration import looked_at
from humay.schedule.commands import Commanding
from humay.schedule.core import no_conflicts
from humay.schedule.ground import Pass, stretches
from humay.schedule.planner import Lane, Refusal
from humay.schedule.previous import SAME_S, Booked, Freeze, Previous, Promise, clear_of_freeze_s
from humay.schedule.sequence import Act
from humay.schedule.worth import Worth
from humay.time import Epoch, parse_utc


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """Promises beside the opportunity each is: those that stay, and those that had better stay,
    or may be commanded anew.

    `passes` stay, `uplinks` are the passes of the promises that stay, `from_s` says when each
    satellite is free for other passes, `end_s` when the previous plan ends.
    """

    previous: Previous | None = None
    freeze: Freeze | None = None
    frozen: Sequence[tuple[Promise, int]] = ()
    wished: Sequence[tuple[Promise, int]] = ()
    passes: Sequence[Pass] = ()
    uplinks: Mapping[str, Pass] = field(default_factory=dict)
    from_s: Mapping[str, float] = field(default_factory=dict)
    end_s: float = math.inf

    @property
    def urgent(self) -> bool:
        """Whether nothing is planned but requests that just came in."""
        return self.previous is not None and self.previous.urgent is not None

    @property
    def booked_until_s(self) -> Mapping[str, float]:
        """Until when each satellite has the passes of the previous plan and no others."""
        if self.previous is None or not self.urgent:
            return self.from_s
        return dict.fromkeys(self.from_s, self.end_s)

    @property
    def stays(self) -> frozenset[int]:
        """The opportunities of promises that stay."""
        return frozenset(row for _, row in self.frozen)

    @property
    def fixed_s(self) -> dict[int, float]:
        """When the opportunities begin that stay."""
        return {row: promise.start_s for promise, row in self.frozen}

    def aboard(self, satellite: str, epoch: Epoch, start_s: float) -> Aboard:
        """What one satellite has on board as the plan begins, as far as the plan before knows."""
        entries = () if self.previous is None else self.previous.aboard
        return aboard_of(entries, satellite, epoch, start_s)

    def flown(self, satellite: str, epoch: Epoch) -> list[tuple[float, float]]:
        """When one satellite imaged before the plan begins, as far as that still counts."""
        entries = () if self.previous is None else self.previous.flown.get(satellite, ())
        return [(epoch.seconds(parse_utc(a)), epoch.seconds(parse_utc(b))) for a, b in entries]

    @property
    def refusals(self) -> dict[str, Refusal]:
        """Of the strips that earlier plans have imaged."""
        imaged = () if self.previous is None else self.previous.imaged
        return {
            each["strip"]: Refusal(
                code="imaged", text=f"imaged by an earlier plan until {each['end']}"
            )
            for each in imaged
        }

    def commanded(self, each: Commanding, mission: Mission, start_s: float) -> Commanding:
        """Commands of one satellite beside those that the previous plan has sent."""
        if self.freeze is None:
            return each
        thaw_s = self.from_s[each.satellite]
        if thaw_s > start_s:
            thaw_s += clear_of_freeze_s(mission.satellite(each.satellite))
        sent = {
            round(promise.start_s, 6): self.uplinks[promise.id]
            for promise, _ in self.frozen
            if promise.satellite == each.satellite
        }
        return replace(each, sent=sent, from_s=thaw_s)

    def begun(
        self, lanes: dict[str, Lane], o: Opportunities, pointing: Sequence[Pointing | None]
    ) -> dict[str, Lane]:
        """Lanes with the acts that stay. Raises `PlanError` where they cannot be flown any more."""
        for name, lane in lanes.items():
            own = [(p, row) for p, row in self.frozen if p.satellite == name]
            lane.acts = [act_of(lane, p, row, o, pointing) for p, row in own]
            refusal = lane.refusal(lane.acts) if own else None
            if refusal is not None:
                raise PlanError(
                    f"what stays of the previous plan cannot be flown any more: {refusal.text}"
                )
        return lanes

    def wishes(
        self,
        lanes: Mapping[str, Lane],
        o: Opportunities,
        pointing: Sequence[Pointing | None],
        worth: Worth,
    ) -> dict[str, list[Act]]:
        """The acts that had better stay and are not replaced, by satellite; those worth most
        first."""
        part = part_alone(worth)
        rows = {act.row for lane in lanes.values() for act in lane.acts}
        done = {int(part[row]) for row in rows} - {TOGETHER}
        found: dict[str, list[Act]] = {name: [] for name in lanes}
        for promise, row in sorted(self.wished, key=lambda pair: -pair[0].value):
            if row not in rows and part[row] not in done:
                act = act_of(lanes[promise.satellite], promise, row, o, pointing)
                found[promise.satellite].append(act)
        return found

    def kept(self, lanes: Mapping[str, Lane], worth: Worth) -> float:
        """What it is worth to keep the promises that lanes keep."""
        return self.kept_of([act.row for lane in lanes.values() for act in lane.acts], worth)

    def kept_of(self, done: Iterable[int], worth: Worth) -> float:
        """The same of the opportunities that are done."""
        if self.previous is None:
            return 0.0
        rows = set(done)
        return self.previous.stability * math.fsum(
            worth.alone[row] for row in self._priced if row in rows
        )

    @property
    def _priced(self) -> list[int]:
        """The opportunities of promises that can be kept or broken."""
        priced = frozenset() if self.freeze is None else self.freeze.priced
        return [row for promise, row in self.wished if promise.id in priced]

    def bonus(self, rows: IntArray, worth: Worth) -> FloatArray:
        """What doing opportunities `rows` (n,) adds for being what was promised. What belongs
        together with others (stereo) keeps its chance by being tried again, not here."""
        if self.previous is None:
            return np.zeros(len(rows))
        promised = np.isin(rows, self._priced)
        promised &= part_alone(worth)[rows] != TOGETHER
        return np.where(promised, self.previous.stability * worth.alone[rows], 0.0)

    def rivals(self, rows: IntArray, worth: Worth) -> IntArray:
        """Pairs (k, 2) of candidates that are opportunities `rows` (n,): a promise and what else
        images its strip. Without them, an image could be taken twice for the sake of a promise."""
        promised = set(self._priced)
        if not promised:
            return no_conflicts(2)
        part = part_alone(worth)[rows].tolist()
        of: dict[int, list[int]] = {}
        for i, number in enumerate(part):
            of.setdefault(number, []).append(i)
        pairs = [
            (i, j)
            for number, own in of.items()
            if number != TOGETHER
            for i in own
            if int(rows[i]) in promised
            for j in own
            if i < j or (i > j and int(rows[j]) not in promised)
        ]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    def others(self, worth: Worth) -> BoolArray:
        """Which opportunities (n,) would image again what is imaged by promises that stay."""
        part, stays = part_alone(worth), list(self.stays)
        again: BoolArray = np.isin(part, part[stays]) & (part != TOGETHER)
        again[stays] = False
        return again


TOGETHER = -1


def part_alone(worth: Worth) -> IntArray:
    """The part (rows,) that each opportunity serves alone, `TOGETHER` for those of a larger
    bundle."""
    members, serves = worth.bundles.members, worth.bundles.serves
    part = np.full(worth.rows, TOGETHER, dtype=np.int64)
    alone = np.flatnonzero(np.diff(members.first) == 1)
    part[members.of[members.first[alone]]] = serves.of[serves.first[alone]]
    return part


NOTHING = Held()
"""Without a previous plan."""


def act_of(
    lane: Lane, promise: Promise, row: int, o: Opportunities, pointing: Sequence[Pointing | None]
) -> Act:
    """A promise as an act of the new plan."""
    samples = pointing[row]
    if samples is None:
        raise AssertionError(f"promise {promise.id!r} was found without pointing samples")
    return lane.act(row, o, samples, round(promise.start_s, 6))


def hold(
    previous: Previous,
    frozen: Freeze,
    o: Opportunities,
    pointing: Sequence[Pointing | None],
    contacts: Contacts,
    links: Sequence[Link],
    span_s: tuple[float, float],
    sets: Sequence[tuple[int, ...]] = (),
) -> Held:
    """Find the opportunity of every promise, and the contact of every pass that stays; looks that
    make one of the `sets` of stereo together are found as such.

    Raises `PlanError` for a promise that stays and is no opportunity any more (`rows_of`).
    """
    stays = rows_of(previous, frozen.acts, o, pointing, sets)
    for promise, row in stays:
        if row is None:
            raise PlanError(
                f"{_what(promise)} of the previous plan is commanded, and its satellite cannot"
                f" image {promise.strip!r} at that time: mission or orbits differ"
            )
    passes = [_kept(booked, contacts, links, span_s) for booked in frozen.passes]
    by_id = {p.pass_id: p for p in passes}
    return Held(
        previous=previous,
        freeze=frozen,
        frozen=[(promise, row) for promise, row in stays if row is not None],
        wished=[
            (promise, row)
            for promise, row in rows_of(previous, frozen.open, o, pointing, sets)
            if row is not None
        ],
        passes=passes,
        uplinks={p.id: by_id.get(p.uplink) or _bare(frozen.uplinks[p.uplink]) for p in frozen.acts},
        from_s=frozen.thaw_s,
        end_s=o.epoch.seconds(parse_utc(previous.document["end"])),
    )


def _what(promise: Promise) -> str:
    if promise.target is None:
        return f"acquisition {promise.id!r}"
    return f"calibration look {promise.id!r} at {promise.target}"


def rows_of(
    previous: Previous,
    promises: Sequence[Promise],
    o: Opportunities,
    pointing: Sequence[Pointing | None],
    sets: Sequence[tuple[int, ...]] = (),
) -> list[tuple[Promise, int | None]]:
    """Of each promise the opportunity that it is, by satellite, strip, time and, of a calibration
    look, target, if there is one. Of several, looks of one strip take those that make one of the
    `sets` together: windows of stereo are there once for each set that they may be of."""
    rows: dict[tuple[str, str], list[int]] = {}
    for row in range(len(o)):
        rows.setdefault((str(o.satellite[row]), str(o.strip[row])), []).append(row)
    fits: list[list[int]] = []
    for promise in promises:
        _, strip = previous.promised(promise.request, promise.strip)
        own = [
            row
            for row in rows.get((promise.satellite, strip), [])
            if pointing[row] is not None
            and o.plan_start_s[row] - SAME_S <= promise.start_s <= o.plan_end_s[row] + SAME_S
            and promise.target in (None, looked_at(str(o.opportunity_id[row])))
        ]
        fits.append(own)
    together = _sets_made(promises, fits, sets)
    return [
        (promise, together.get(i, own[0] if own else None))
        for i, (promise, own) in enumerate(zip(promises, fits, strict=True))
    ]


def _sets_made(
    promises: Sequence[Promise], fits: Sequence[Sequence[int]], sets: Sequence[tuple[int, ...]]
) -> dict[int, int]:
    """The rows, by number of the promise, of promises that follow each other and make a set, where
    `fits` are the rows that each may be."""
    of_strip: dict[tuple[str, str], list[int]] = {}
    for i in sorted(range(len(promises)), key=lambda i: promises[i].start_s):
        of_strip.setdefault((promises[i].request, promises[i].strip), []).append(i)
    of_row: dict[int, list[tuple[int, ...]]] = {}
    for members in sets:
        of_row.setdefault(members[0], []).append(members)
    found: dict[int, int] = {}
    for own in of_strip.values():
        for k, i in enumerate(own):
            for members in [each for row in fits[i] for each in of_row.get(row, ())]:
                looks = own[k : k + len(members)]
                whole = len(looks) == len(members) and not found.keys() & set(looks)
                if whole and all(r in fits[j] for j, r in zip(looks, members, strict=True)):
                    found |= dict(zip(looks, members, strict=True))
    return found


def _kept(
    booked: Booked, contacts: Contacts, links: Sequence[Link], span_s: tuple[float, float]
) -> Pass:
    """A pass that stays, or the part of it that lies in the span."""
    start_s, end_s = max(booked.start_s, span_s[0]), min(booked.end_s, span_s[1])
    rows = np.flatnonzero(
        (contacts.satellite == booked.satellite)
        & (contacts.station == booked.station)
        & (contacts.start_s <= start_s + SAME_S)
        & (contacts.end_s >= end_s - SAME_S)
    )
    if not len(rows):
        raise PlanError(
            f"pass {booked.pass_id!r} of the previous plan stays, and {booked.satellite!r} is not"
            f" in sight of {booked.station!r} all that time: mission or orbits differ"
        )
    i = int(rows[0])
    return replace(
        _bare(booked),
        start_s=start_s,
        end_s=end_s,
        contact_start_s=float(contacts.start_s[i]),
        contact_end_s=float(contacts.end_s[i]),
        max_elevation_rad=float(contacts.max_elevation_rad[i]),
        stretches=tuple(stretches(links[i], start_s, end_s)),
    )


def _bare(booked: Booked) -> Pass:
    """A pass of the previous plan as that tells it, for nothing but commands."""
    return Pass(
        pass_id=booked.pass_id,
        station=booked.station,
        satellite=booked.satellite,
        start_s=booked.start_s,
        end_s=booked.end_s,
        contact_start_s=booked.start_s,
        contact_end_s=booked.end_s,
        max_elevation_rad=float(np.radians(booked.entry["max_elevation_deg"])),
        uplink=bool(booked.entry["uplink"]),
        stretches=(),
    )
