"""Commands: which pass carries the command of which act, and how many find room."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from humay.access import Contacts
from humay.arrays import FloatArray
from humay.mission import Mission, Satellite
from humay.schedule.ground import Pass, losses
from humay.schedule.outages import Closure


@dataclass(frozen=True, kw_only=True)
class Commanding:
    """How one satellite is commanded: by `passes` in order of their ends, each with room for
    `per_pass` acts; on board wait at most `queue` of them. None is no limit.

    An act begins `lead_s` or more after the end of its pass. `lost` tells, as the end of a
    sentence, which outages took earlier passes. `sent` are the passes of acts that an earlier plan
    commands, by their starts; others begin at `from_s` or later.
    """

    satellite: str
    passes: tuple[Pass, ...]
    lead_s: float
    per_pass: int | None = None
    queue: int | None = None
    lost: str = ""
    sent: Mapping[float, Pass] = field(default_factory=dict)
    from_s: float = -math.inf

    @property
    def ready_s(self) -> float:
        """When the first act may begin; never without a pass."""
        return max(self.passes[0].end_s + self.lead_s, self.from_s) if self.passes else math.inf

    def carriers(self, starts_s: Sequence[float]) -> list[Pass] | None:
        """The pass of each act, for starts in order, or None where not all find room.

        Each pass takes the next acts in order of their starts, as many as it can. No other choice
        has more acts on board by the end of any pass, and what is on board leaves in this order, so
        where this one fails every other does. What an earlier plan commands has its room already.
        """
        fresh = [start_s for start_s in starts_s if start_s not in self.sent]
        carriers: list[Pass] = []
        starts = np.asarray(fresh, dtype=np.float64)
        for booked in self.passes:
            most = self._most_up(booked, starts)
            if len(carriers) > most:
                return None
            room = min(self._left(booked), most - len(carriers))
            taken = min(room, len(fresh) - len(carriers))
            if taken > 0 and fresh[len(carriers)] < booked.end_s + self.lead_s:
                return None
            carriers += [booked] * int(max(taken, 0))
        if len(carriers) < len(fresh):
            return None
        new = iter(carriers)
        return [self.sent[s] if s in self.sent else next(new) for s in starts_s]

    def _left(self, booked: Pass) -> float:
        """How many commands find room in a pass besides those of an earlier plan."""
        return _most(self.per_pass) - sum(
            1 for p in self.sent.values() if p.pass_id == booked.pass_id
        )

    def _most_up(self, booked: Pass, starts: FloatArray) -> float:
        """How many commands of acts with starts (n,) may be up by the end of a pass.

        Those that wait find room then, beside the ones of an earlier plan, and also whenever more
        of these come: a pass over another station may have begun before, and end later.
        """
        if self.queue is None:
            return math.inf
        later = {p.end_s for p in self.sent.values() if p.end_s > booked.end_s}
        return min(
            int(np.searchsorted(starts, t_s, side="right")) + self.queue - self._sent_waiting(t_s)
            for t_s in {booked.end_s, *later}
        )

    def _sent_waiting(self, t_s: float) -> int:
        return sum(1 for start_s, p in self.sent.items() if p.end_s <= t_s < start_s)

    @property
    def room_text(self) -> str:
        """What is full, for a refusal."""
        limits = [
            ("a pass carries at most {} commands", self.per_pass),
            ("at most {} commands wait on board", self.queue),
        ]
        said = [words.format(most) for words, most in limits if most is not None]
        return f"no room for its command: to {self.satellite}, {' and '.join(said)}"


def _most(limit: int | None) -> float:
    return math.inf if limit is None else limit


def commanding(
    satellite: Satellite,
    mission: Mission,
    passes: Sequence[Pass],
    contacts: Contacts,
    closed: Sequence[Closure],
    release_s: float,
) -> Commanding:
    """The passes that lie wholly after the plan's release and the preparation of commands."""
    ready_s = release_s + satellite.preparation_s
    fitting = [
        p for p in passes if p.satellite == satellite.name and p.uplink and p.start_s >= ready_s
    ]
    fitting.sort(key=lambda p: p.end_s)
    until_s = fitting[0].start_s if fitting else math.inf
    return Commanding(
        satellite=satellite.name,
        passes=tuple(fitting),
        lead_s=satellite.command_lead_s,
        per_pass=satellite.commands_per_pass,
        queue=satellite.command_queue,
        lost=_lost_uplinks(satellite, mission, contacts, closed, ready_s, until_s),
    )


def _lost_uplinks(
    satellite: Satellite,
    mission: Mission,
    contacts: Contacts,
    closed: Sequence[Closure],
    ready_s: float,
    until_s: float,
) -> str:
    """The outages that take contacts with uplink before an instant."""
    uplinks = {station.name for station in mission.stations if station.uplink}
    mine = [
        i
        for i in np.flatnonzero(contacts.satellite == satellite.name)
        if contacts.station[i] in uplinks and ready_s <= contacts.start_s[i] < until_s
    ]
    guilty = [loss.closure.text for loss in losses(contacts.take(mine), closed) if loss.dropped]
    return f"; contacts before lie in {' and '.join(guilty)}" if guilty else ""


def soonest_command_s(
    satellite: Satellite, mission: Mission, contacts: Contacts, release_s: float
) -> float:
    """Before this no act can be commanded, however passes are booked: for bounds."""
    ready_s = release_s + satellite.preparation_s
    uplinks = {station.name for station in mission.stations if station.uplink}
    instants = [
        max(float(contacts.start_s[i]), ready_s)
        for i in range(len(contacts))
        if contacts.satellite[i] == satellite.name
        and contacts.station[i] in uplinks
        and contacts.end_s[i] >= ready_s
    ]
    return min(instants, default=math.inf) + satellite.command_lead_s
