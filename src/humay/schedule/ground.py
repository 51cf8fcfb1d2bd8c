"""The ground's part: which satellite each antenna follows, and when commands can be on board."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from humay.access import Contacts
from humay.mission import Mission, Satellite, Station

SHORTEST_PASS_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Pass:
    """An antenna booked for a satellite, from `start_s` to `end_s`, inside a contact."""

    pass_id: str
    station: str
    satellite: str
    start_s: float
    end_s: float
    contact_start_s: float
    contact_end_s: float
    max_elevation_rad: float
    uplink: bool
    downlink: bool


def book_passes(mission: Mission, contacts: Contacts) -> list[Pass]:
    """Every contact booked, in order of time; where two satellites want one antenna, the common
    time is halved, and the antenna's set-up time is kept between them.
    """
    booked: list[Pass] = []
    for station in mission.stations:
        wanted = [
            Pass(
                pass_id=str(contacts.contact_id[i]),
                station=station.name,
                satellite=str(contacts.satellite[i]),
                start_s=float(contacts.start_s[i]),
                end_s=float(contacts.end_s[i]),
                contact_start_s=float(contacts.start_s[i]),
                contact_end_s=float(contacts.end_s[i]),
                max_elevation_rad=float(contacts.max_elevation_rad[i]),
                uplink=station.uplink,
                downlink=station.downlink,
            )
            for i in range(len(contacts))
            if contacts.station[i] == station.name
        ]
        booked += _without_conflict(wanted, station.setup_s)
    return sorted(booked, key=lambda p: (p.start_s, p.satellite, p.station))


def _without_conflict(wanted: Sequence[Pass], setup_s: float) -> list[Pass]:
    """Passes of one antenna, in order: of two satellites that meet, both get a part, or one the
    whole, whatever uses the antenna longest."""
    kept: list[Pass] = []
    worth_it = [p for p in wanted if _length(p) >= SHORTEST_PASS_S]
    for new in sorted(worth_it, key=lambda p: (p.start_s, p.satellite)):
        resolved = [new]
        while kept and resolved == [new] and kept[-1].satellite != new.satellite:
            resolved = _best_use(kept.pop(), new, setup_s)  # alone, it meets the one before, too
        kept += resolved
    return kept


def _best_use(old: Pass, new: Pass, setup_s: float) -> list[Pass]:
    """Both as they are, both with the common time halved, or one alone."""
    if new.start_s >= old.end_s + setup_s:
        return [old, new]
    middle = 0.5 * (new.start_s + min(old.end_s, new.end_s))
    head = _cut(old, end_s=min(old.end_s, middle - 0.5 * setup_s))
    tail = _cut(new, start_s=max(new.start_s, head.end_s + setup_s))
    choices = [[old], [new]]
    if min(_length(head), _length(tail)) >= SHORTEST_PASS_S:
        choices.insert(0, [head, tail])
    return max(choices, key=lambda passes: sum(_length(p) for p in passes))


def _length(p: Pass) -> float:
    return p.end_s - p.start_s


def _cut(whole: Pass, *, start_s: float | None = None, end_s: float | None = None) -> Pass:
    values = vars(whole) | {
        "start_s": whole.start_s if start_s is None else start_s,
        "end_s": whole.end_s if end_s is None else end_s,
    }
    return Pass(**values)


def first_uplink(satellite: Satellite, passes: Sequence[Pass], release_s: float) -> Pass | None:
    """The first pass that lies wholly after the plan's release and the preparation of commands."""
    ready_s = release_s + satellite.preparation_s
    fitting = (
        p for p in passes if p.satellite == satellite.name and p.uplink and p.start_s >= ready_s
    )
    return min(fitting, key=lambda p: p.end_s, default=None)


def earliest_start_s(satellite: Satellite, uplink: Pass | None) -> float:
    """When the first act commanded through a pass may begin; never without one."""
    return math.inf if uplink is None else uplink.end_s + satellite.command_lead_s


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


def downlink_rate(satellite: Satellite, station: Station) -> float:
    """Bits per second from satellite to station: the slower of the two, none without downlink."""
    if not station.downlink:
        return 0.0
    cap = math.inf if station.downlink_bit_s is None else station.downlink_bit_s
    return min(satellite.downlink_bit_s, cap)
