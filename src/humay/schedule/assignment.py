"""Which antenna follows which satellite when: the best choice, by a mixed-integer program.

Every antenna walks one path through its network (`antennas`). What its rides bring down counts as
far as there will be something to send by then; a pass that could carry commands counts for its
satellite before everything else. Offers that nobody else wants are taken whole, without a question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import highspy
import numpy as np

from humay.arrays import FloatArray
from humay.errors import PlanError
from humay.schedule.antennas import (
    FINE_OFFERS,
    Network,
    Offer,
    longest_turn_s,
    network_of,
)
from humay.time import Epoch

NODES_AT_MOST = 50  # of the search tree: the limit is a count, so that every run ends alike
FINE_GAP, COARSE_GAP = 1e-6, 3e-3  # how far from the best, as a share, a program may end
_GBIT = 1e9
_SPARE = 0.01  # what a bit counts for that nobody is known to need
_SECOND = 1e-4  # Gbit that a second of a pass counts for, whatever it carries
_BOOKING = 1e-3  # Gbit that a pass costs: no pass is broken in two for nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Need:
    """What a satellite is expected to have recorded: `bits` (n,) in all by `t_s` (n,), rising."""

    t_s: FloatArray
    bits: FloatArray

    def by(self, t_s: float) -> float:
        """Bits recorded until an instant."""
        i = int(np.searchsorted(self.t_s, t_s, side="right"))
        return float(self.bits[i - 1]) if i else 0.0

    def after(self, t_s: float) -> float:
        """Bits still to be recorded from an instant on."""
        return (float(self.bits[-1]) if len(self.bits) else 0.0) - self.by(t_s)


@dataclass(frozen=True, kw_only=True)
class Booking:
    """An antenna follows the satellite of an offer from `start_s` to `end_s`."""

    offer: int
    start_s: float
    end_s: float


def assign(
    offers: Sequence[Offer], needs: Mapping[str, Need], leads_s: Mapping[str, float], epoch: Epoch
) -> list[Booking]:
    """The bookings that are worth most, in order of time.

    `leads_s` is how long after a pass each satellite can act on its commands. Offers are no shorter
    than `SHORTEST_PASS_S`.
    """
    wanted = _wanted_by_several(offers)
    alone = [
        Booking(offer=i, start_s=o.start_s, end_s=o.end_s)
        for i, o in enumerate(offers)
        if i not in wanted
    ]
    chosen = _Program(offers, wanted, needs, leads_s, epoch).bookings() if wanted else []
    return sorted([*alone, *chosen], key=lambda b: (b.start_s, b.offer))


def _wanted_by_several(offers: Sequence[Offer]) -> set[int]:
    """Offers of antennas that may not be able to take all of them whole."""
    found: set[int] = set()
    for own in _by_station(offers, range(len(offers))).values():
        station = offers[own[0]].station
        if station.passes_per_day is not None:
            found |= set(own)
        longest_s = longest_turn_s(station)
        own.sort(key=lambda i: offers[i].start_s)
        for k, i in enumerate(own):
            for j in own[k + 1 :]:
                if offers[j].start_s >= offers[i].end_s + longest_s:
                    break  # the later ones begin later still
                if offers[i].satellite != offers[j].satellite:
                    found |= {i, j}
    return found


def _by_station(offers: Sequence[Offer], which: Sequence[int] | range) -> dict[str, list[int]]:
    own: dict[str, list[int]] = defaultdict(list)
    for i in which:
        own[offers[i].station.name].append(i)
    return own


# The program -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Row:
    """`low` <= `weights` @ x[`columns`] <= `high`."""

    columns: Sequence[int]
    weights: Sequence[float]
    low: float
    high: float


class _Program:
    """Columns: the arcs, what each offer brings of what is needed (Gbit), and whether it is the one
    that carries the first commands of its satellite."""

    def __init__(
        self,
        offers: Sequence[Offer],
        wanted: set[int],
        needs: Mapping[str, Need],
        leads_s: Mapping[str, float],
        epoch: Epoch,
    ) -> None:
        self.offers, self.wanted, self.needs, self.leads_s = offers, wanted, needs, leads_s
        self.epoch = epoch
        self.networks: list[Network] = []
        for own in _by_station(offers, sorted(wanted)).values():
            first_node = sum(net.nodes for net in self.networks)
            self.networks.append(network_of(offers, own, first_node, self._midnights(own)))
        self.arcs = [arc for net in self.networks for arc in net.arcs]
        self.gbit = [
            offers[arc.offer].bits(arc.start_s, arc.end_s) / _GBIT if arc.rides else 0.0
            for arc in self.arcs
        ]
        self.rides: dict[int, list[int]] = defaultdict(list)
        for column, arc in enumerate(self.arcs):
            if arc.rides:
                self.rides[arc.offer].append(column)

    def _midnights(self, own: Sequence[int]) -> FloatArray:
        """Of the UTC days in which offers end that began before."""
        ends = {self.epoch.utc(self.offers[i].end_s).date() for i in own}
        begun = {self.epoch.utc(self.offers[i].start_s).date() for i in own}
        days = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in ends - {min(begun)}]
        return np.array(sorted(self.epoch.seconds(day) for day in days), dtype=np.float64)

    def bookings(self) -> list[Booking]:
        """First as many satellites with commands as there can be, then what is worth most."""
        n, m = len(self.arcs), len(self.offers)
        rows = [*self._flow(), *self._sending(), *self._commands(), *self._days()]
        commanded = np.zeros(n + 2 * m)
        commanded[n + m :] = 1.0
        start = self._idle()
        first = _solve(commanded, rows, n, start, FINE_GAP)
        satellites = float(np.round(commanded @ first))
        rows.append(
            _Row(columns=range(n + m, n + 2 * m), weights=[1.0] * m, low=satellites, high=m)
        )
        worth = np.concatenate([self._arc_worth(), np.ones(m), self._command_worth()])
        most = max(len(own) for own in _by_station(self.offers, sorted(self.wanted)).values())
        gap = FINE_GAP if most <= FINE_OFFERS else COARSE_GAP
        return list(self._walks(_solve(worth, rows, n, first, gap)))

    def _idle(self) -> FloatArray:
        """What is always possible: the antennas stay idle."""
        still, first = np.zeros(len(self.arcs) + 2 * len(self.offers)), 0
        for net in self.networks:
            still[first : first + net.sink - net.source] = 1.0  # the idle arcs come first
            first += len(net.arcs)
        return still

    def _arc_worth(self) -> FloatArray:
        length_s = np.array([arc.end_s - arc.start_s for arc in self.arcs])
        begins = np.array([arc.begins for arc in self.arcs], dtype=np.float64)
        return _SPARE * np.array(self.gbit) + _SECOND * length_s - _BOOKING * begins

    def _command_worth(self) -> FloatArray:
        """Gbit that can still be recorded once the commands are on board."""
        return np.array(
            [
                self.needs[o.satellite].after(o.end_s + self.leads_s[o.satellite]) / _GBIT
                for o in self.offers
            ]
        )

    def _flow(self) -> Iterator[_Row]:
        """As many arcs lead into a node as out of it, but for both ends of each antenna's path."""
        at: dict[int, tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
        for column, arc in enumerate(self.arcs):
            for node, sign in ((arc.tail, -1.0), (arc.head, 1.0)):
                at[node][0].append(column)
                at[node][1].append(sign)
        ends = {net.source: -1.0 for net in self.networks}
        ends |= {net.sink: 1.0 for net in self.networks}
        for node, (columns, signs) in at.items():
            total = ends.get(node, 0.0)
            yield _Row(columns=columns, weights=signs, low=total, high=total)

    def _sending(self) -> Iterator[_Row]:
        """An offer brings what its rides carry, all offers of a satellite what it has by then, and
        those at one time what it can send at all."""
        n = len(self.arcs)
        for i, offer in enumerate(self.offers):
            carried = [self.gbit[column] for column in self.rides[i]]
            whole = 0.0 if i in self.wanted else offer.bits(offer.start_s, offer.end_s) / _GBIT
            yield _Row(
                columns=[n + i, *self.rides[i]],
                weights=[1.0, *(-gbit for gbit in carried)],
                low=-np.inf,
                high=whole,
            )
        for own in self._by_satellite().values():
            for k, i in enumerate(own):
                by_then = self.needs[self.offers[i].satellite].by(self.offers[i].end_s) / _GBIT
                yield _Row(
                    columns=[n + j for j in own[: k + 1]],
                    weights=[1.0] * (k + 1),
                    low=-np.inf,
                    high=by_then,
                )
            yield from self._at_one_time(own)

    def _at_one_time(self, own: Sequence[int]) -> Iterator[_Row]:
        """Of two antennas on one satellite the faster one is the most that both can bring."""
        n = len(self.arcs)
        for i, j in ((i, j) for k, i in enumerate(own) for j in own[k + 1 :]):
            one, two = self.offers[i], self.offers[j]
            low, high = max(one.start_s, two.start_s), min(one.end_s, two.end_s)
            if low >= high:
                continue
            rate = max(float(o.link.rate_bit_s.max()) for o in (one, two))
            apart = sum(o.bits(o.start_s, o.end_s) - o.bits(low, high) for o in (one, two))
            most = (apart + rate * (high - low)) / _GBIT
            yield _Row(columns=[n + i, n + j], weights=[1.0, 1.0], low=-np.inf, high=most)

    def _by_satellite(self) -> dict[str, list[int]]:
        """Offers of each satellite that has one of those in question, by their ends."""
        own: dict[str, list[int]] = defaultdict(list)
        for i in sorted(range(len(self.offers)), key=lambda i: self.offers[i].end_s):
            own[self.offers[i].satellite].append(i)
        asked = {self.offers[i].satellite for i in self.wanted}
        return {name: numbers for name, numbers in own.items() if name in asked}

    def _commands(self) -> Iterator[_Row]:
        """An offer carries commands where a pass in it begins late enough; one counts for each
        satellite."""
        n = len(self.arcs) + len(self.offers)
        for i, offer in enumerate(self.offers):
            begins = [
                column
                for column in self.rides[i]
                if self.arcs[column].begins and self.arcs[column].start_s >= offer.commands_from_s
            ]
            alone = i not in self.wanted and offer.start_s >= offer.commands_from_s
            yield _Row(
                columns=[n + i, *begins],
                weights=[1.0] + [-1.0] * len(begins),
                low=-np.inf,
                high=float(alone),
            )
        for own in self._by_satellite().values():
            yield _Row(
                columns=[n + i for i in own], weights=[1.0] * len(own), low=-np.inf, high=1.0
            )

    def _days(self) -> Iterator[_Row]:
        """Passes that begin in one UTC day."""
        days: dict[tuple[str, date], list[int]] = defaultdict(list)
        most: dict[str, int | None] = {}
        for column, arc in enumerate(self.arcs):
            if arc.begins:
                station = self.offers[arc.offer].station
                most[station.name] = station.passes_per_day
                if station.passes_per_day is not None:
                    days[station.name, self.epoch.utc(arc.start_s).date()].append(column)
        for (name, _), columns in days.items():
            limit = most[name]
            assert limit is not None
            yield _Row(columns=columns, weights=[1.0] * len(columns), low=-np.inf, high=limit)

    def _walks(self, taken: FloatArray) -> Iterator[Booking]:
        """Rides that follow each other are one pass."""
        for i in sorted(self.wanted):
            on = [self.arcs[column] for column in self.rides[i] if taken[column] > 0.5]
            on.sort(key=lambda arc: arc.start_s)
            breaks = [k for k, arc in enumerate(on) if arc.begins]
            for low, high in pairwise([*breaks, len(on)]):
                yield Booking(offer=i, start_s=on[low].start_s, end_s=on[high - 1].end_s)


def _solve(
    worth: FloatArray, rows: Sequence[_Row], arcs: int, start: FloatArray, gap: float
) -> FloatArray:
    """The best x but for `gap`: arcs 0 or 1, the rest not negative; from a start that keeps every
    row."""
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(worth), len(rows)
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = worth
    model.col_lower_ = np.zeros(len(worth))
    model.col_upper_ = np.where(np.arange(len(worth)) < arcs, 1.0, highspy.kHighsInf)
    model.integrality_ = [
        highspy.HighsVarType.kInteger if i < arcs else highspy.HighsVarType.kContinuous
        for i in range(len(worth))
    ]
    model.row_lower_ = np.array([max(row.low, -highspy.kHighsInf) for row in rows])
    model.row_upper_ = np.array([min(row.high, highspy.kHighsInf) for row in rows])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(row.columns) for row in rows])])
    model.a_matrix_.index_ = np.concatenate([np.asarray(row.columns) for row in rows])
    model.a_matrix_.value_ = np.concatenate([np.asarray(row.weights) for row in rows])
    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # no annotations in highspy
    for option, setting in (
        ("output_flag", False), ("threads", 1), ("random_seed", 0), ("mip_rel_gap", gap),
        ("mip_max_nodes", NODES_AT_MOST),
    ):  # fmt: skip
        solver.setOptionValue(option, setting)
    solver.passModel(model)
    given = highspy.HighsSolution()
    given.col_value = start.tolist()
    solver.setSolution(given)
    solver.run()
    ended = solver.getModelStatus()
    if ended not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kSolutionLimit):
        raise PlanError(f"the assignment of antennas ended with {ended}")
    return np.array(solver.getSolution().col_value)
