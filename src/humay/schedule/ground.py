"""The ground's part: which satellite each antenna follows, and what outages take."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from humay.access import Contacts, Link
from humay.mission import Mission, Satellite, Station
from humay.schedule.antennas import SHORTEST_PASS_S, Offer, longest_turn_s
from humay.schedule.assignment import Booking, Need, assign
from humay.schedule.outages import Closure, Span, left_of
from humay.time import Epoch


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A part of a pass in which data come down at one rate."""

    start_s: float
    end_s: float
    bit_s: float


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
    stretches: tuple[Stretch, ...]

    @property
    def downlink(self) -> bool:
        """Whether data can come down in it."""
        return bool(self.stretches)


def book_passes(
    mission: Mission,
    contacts: Contacts,
    links: Sequence[Link],
    needs: Mapping[str, Need],
    *,
    closed: Sequence[Closure] = (),
    release_s: float,
    kept: Sequence[Pass] = (),
    from_s: Mapping[str, float] | None = None,
) -> list[Pass]:
    """The contacts booked, or parts of them, in order of time: outside of outages, one satellite an
    antenna, as many a day as a station takes; which and from when to when is the choice that brings
    most (`assign`).

    Passes that are `kept` stay as they are; others begin at `from_s` of their satellite or later.
    """
    satellites = {satellite.name: satellite for satellite in mission.satellites}
    stations = {station.name: station for station in mission.stations}
    rows, offers = [], []
    for i in range(len(contacts)):
        satellite, station = satellites[contacts.satellite[i]], stations[contacts.station[i]]
        ready_s = release_s + satellite.preparation_s if station.uplink else math.inf
        opens_s = (from_s or {}).get(satellite.name, -math.inf)
        for start_s, end_s in _beside(
            _free(contacts, i, closed), satellite.name, station, kept, opens_s
        ):
            rows.append(i)
            offers.append(
                Offer(
                    station=station,
                    satellite=satellite.name,
                    start_s=start_s,
                    end_s=end_s,
                    link=links[i],
                    commands_from_s=ready_s,
                )
            )
    leads_s = {name: satellite.command_lead_s for name, satellite in satellites.items()}
    booked = assign(offers, needs, leads_s, contacts.epoch)
    of_row: dict[int, list[Booking]] = {}
    for booking in booked:
        of_row.setdefault(rows[booking.offer], []).append(booking)
    passes = [
        _pass(contacts, i, offers[booking.offer], booking, number)
        for i, own in of_row.items()
        for number, booking in zip(_numbers(str(contacts.contact_id[i]), kept), own, strict=False)
    ]
    passes = [*kept, *_within_days(passes, stations, kept, contacts.epoch)]
    return sorted(passes, key=lambda p: (p.start_s, p.satellite, p.station))


def _free(contacts: Contacts, i: int, closed: Sequence[Closure]) -> list[tuple[float, float]]:
    """What outages leave of a contact, in parts that are long enough."""
    satellite, station = str(contacts.satellite[i]), str(contacts.station[i])
    taken = [(c.start_s, c.end_s) for c in closed if c.of(station, satellite)]
    whole = float(contacts.start_s[i]), float(contacts.end_s[i])
    return [part for part in left_of(whole, taken) if part[1] - part[0] >= SHORTEST_PASS_S]


def _beside(
    free: Sequence[Span], satellite: str, station: Station, kept: Sequence[Pass], from_s: float
) -> list[Span]:
    """What passes that are kept, with the longest turn of their antenna, leave of free parts of a
    contact from `from_s` on."""
    if not kept and from_s == -math.inf:
        return list(free)
    turn_s = longest_turn_s(station)
    taken = [(-math.inf, from_s)]
    for p in kept:
        if p.station == station.name:
            apart_s = 0.0 if p.satellite == satellite else turn_s
            taken.append((p.start_s - apart_s, p.end_s + apart_s))
    return [
        part
        for span in free
        for part in left_of(span, taken)
        if part[1] - part[0] >= SHORTEST_PASS_S
    ]


def _numbers(contact_id: str, kept: Sequence[Pass]) -> Iterator[int]:
    """Numbers of the parts of a contact that no pass that is kept bears."""
    taken = {p.pass_id for p in kept}
    return (number for number in count(1) if _part_name(contact_id, number) not in taken)


def _part_name(contact_id: str, number: int) -> str:
    return contact_id + (f"#{number}" if number > 1 else "")


def _within_days(
    passes: Sequence[Pass], stations: Mapping[str, Station], kept: Sequence[Pass], epoch: Epoch
) -> list[Pass]:
    """The passes for which those that are kept leave room in their station's day, first ones
    first."""
    if not kept:
        return list(passes)
    begun = Counter((p.station, epoch.utc(p.start_s).date()) for p in kept)
    taken = []
    for p in sorted(passes, key=lambda p: (p.start_s, p.satellite)):
        day, most = (p.station, epoch.utc(p.start_s).date()), stations[p.station].passes_per_day
        if most is None or begun[day] < most:
            taken.append(p)
            begun[day] += 1
    return taken


def _pass(contacts: Contacts, i: int, offer: Offer, booking: Booking, number: int) -> Pass:
    """A booking of a contact; from the second on, `#2` and so on ends its id."""
    return Pass(
        pass_id=_part_name(str(contacts.contact_id[i]), number),
        station=offer.station.name,
        satellite=offer.satellite,
        start_s=booking.start_s,
        end_s=booking.end_s,
        contact_start_s=float(contacts.start_s[i]),
        contact_end_s=float(contacts.end_s[i]),
        max_elevation_rad=float(contacts.max_elevation_rad[i]),
        uplink=offer.station.uplink,
        stretches=tuple(stretches(offer.link, booking.start_s, booking.end_s)),
    )


def stretches(link: Link, start_s: float, end_s: float) -> Iterator[Stretch]:
    edges = link.edges_s.tolist()
    for low, high, bit_s in zip(edges[:-1], edges[1:], link.rate_bit_s.tolist(), strict=True):
        low, high = max(low, start_s), min(high, end_s)
        if bit_s > 0 and high > low:
            yield Stretch(start_s=low, end_s=high, bit_s=bit_s)


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What an outage takes: contacts it shortens and contacts it leaves nothing useful of."""

    closure: Closure
    cut: tuple[str, ...]
    dropped: tuple[str, ...]


def losses(contacts: Contacts, closed: Sequence[Closure]) -> list[Loss]:
    """The contacts that each outage meets."""
    found = []
    for closure in closed:
        cut: list[str] = []
        dropped: list[str] = []
        for i in range(len(contacts)):
            satellite, station = str(contacts.satellite[i]), str(contacts.station[i])
            whole = float(contacts.start_s[i]), float(contacts.end_s[i])
            if closure.of(station, satellite) and _meet(whole, closure):
                left = _free(contacts, i, closed)
                (cut if left else dropped).append(str(contacts.contact_id[i]))
        found.append(Loss(closure=closure, cut=tuple(cut), dropped=tuple(dropped)))
    return found


def _meet(span_s: tuple[float, float], closure: Closure) -> bool:
    return span_s[0] < closure.end_s and span_s[1] > closure.start_s


def downlink_rate(satellite: Satellite, station: Station) -> float:
    """Bits per second from satellite to station: the slower of the two, none without downlink."""
    if not station.downlink:
        return 0.0
    cap = math.inf if station.downlink_bit_s is None else station.downlink_bit_s
    return min(satellite.downlink_bit_s, cap)
