"""What a flight does to a satellite's memory and battery, on the orbit and in the attitude flown.

Nothing of the planner's resource curves is used: gains and loads are added up anew, with fine steps
where they change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from humay.arrays import BoolArray, FloatArray, dot, frozen, norm, unit
from humay.earth import AU_M, SOLAR_CONSTANT_W_M2, sun_gcrf, sunlit_fraction
from humay.frames import itrf_from_gcrf, matrix_from_quaternion
from humay.mission import Power, Satellite
from humay.orbit import Ephemeris
from humay.spacecraft.attitude import Commanded
from humay.spacecraft.orders import Freeing, Orders, Sending

REPORT_STEP_S = 60.0
STEP_S = 10.0
TURNING_STEP_S = 1.0
PENUMBRA_STEP_S = 0.5
PENUMBRA_S = 15.0  # on both sides of an eclipse's edge
LEAST_BIT = 1.0  # less is rounding


class _Lasting(Protocol):
    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened: from `start_s` to `end_s`, the same for what has no length."""

    start_s: float
    end_s: float
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Joules over a flight: what the panels gave, what was used, and what found the battery full.

    battery at the end = battery at the start + gained - spent - spilled.
    """

    gained_j: float
    spent_j: float
    spilled_j: float
    lowest_j: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Telemetry:
    """One satellite at times `t_s` (n,): every minute and wherever something begins or ends.

    True position and velocity (n, 3) in ITRF, commanded attitude (n, 4), bits on board, joules in
    the battery (None without a power table), share of the Sun's disc in sight.
    """

    satellite: str
    t_s: FloatArray
    r_itrf: FloatArray
    v_itrf: FloatArray
    body_from_gcrf: FloatArray
    memory_bit: FloatArray
    battery_j: FloatArray | None
    sunlit: FloatArray
    energy: Energy | None
    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        for name in ("t_s", "r_itrf", "v_itrf", "body_from_gcrf", "memory_bit", "sunlit"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        if self.battery_j is not None:
            object.__setattr__(self, "battery_j", frozen(self.battery_j))


def record(
    orders: Orders, satellite: Satellite, orbit: Ephemeris, commanded: Commanded
) -> Telemetry:
    """The telemetry of one satellite that carries out its orders on the orbit it really has."""
    eclipses = find_eclipses(orbit, orders.start_s, orders.end_s)
    t_s = fine_times(orders, eclipses)
    memory = memory_bit(orders, satellite, t_s)
    events = [*_acts(orders), *_eclipses(eclipses), *_memory_limits(orders, satellite, t_s)]
    kept = np.flatnonzero(_reported(orders, eclipses, t_s))
    battery, energy = None, None
    if satellite.power is not None:
        gain_w = panel_w(satellite.power, orbit, commanded, t_s)
        charge, energy = battery_j(
            satellite.power, t_s, gain_w, load_w(satellite.power, orders, t_s)
        )
        events += _battery_limits(satellite.power, t_s, charge)
        battery = charge[kept]
    r, v = orbit.state_itrf(t_s[kept])
    return Telemetry(
        satellite=satellite.name,
        t_s=t_s[kept],
        r_itrf=r,
        v_itrf=v,
        body_from_gcrf=commanded.attitude(t_s[kept]),
        memory_bit=memory[kept],
        battery_j=battery,
        sunlit=_sunlit(orbit, t_s[kept]),
        energy=energy,
        events=tuple(sorted(events, key=lambda event: (event.start_s, event.kind, event.text))),
    )


# Time --------------------------------------------------------------------------------------------


def fine_times(orders: Orders, eclipses: FloatArray) -> FloatArray:
    """Times (n,) from the plan's start to its end: every 10 s, every edge of an act, every second
    while the satellite turns, and every half second where the Sun sets and rises."""
    begin, end = orders.start_s, orders.end_s
    grid = np.append(np.arange(begin, end, STEP_S), end)
    turning = [
        np.arange(s.start_s, s.end_s, TURNING_STEP_S) for s in orders.segments if s.mode != "idle"
    ]
    around = np.arange(-PENUMBRA_S, PENUMBRA_S + PENUMBRA_STEP_S, PENUMBRA_STEP_S)
    shade = (eclipses.ravel()[:, None] + around).ravel()
    t_s = np.unique(np.concatenate([grid, _edges(orders), *turning, eclipses.ravel(), shade]))
    return np.asarray(t_s[(t_s >= begin) & (t_s <= end)])


def _edges(orders: Orders) -> FloatArray:
    """Where acts begin and end."""
    acts: tuple[_Lasting, ...] = (
        *orders.segments, *orders.recorded, *orders.sendings, *(orders.freeings or ()),
    )  # fmt: skip
    return np.array([t for act in acts for t in (act.start_s, act.end_s)])


def _reported(orders: Orders, eclipses: FloatArray, t_s: FloatArray) -> BoolArray:
    minutes = np.arange(orders.start_s, orders.end_s, REPORT_STEP_S)
    wanted = np.concatenate([minutes, [orders.end_s], _edges(orders), eclipses.ravel()])
    return np.isin(t_s, wanted)


# Eclipse -----------------------------------------------------------------------------------------


def find_eclipses(orbit: Ephemeris, start_s: float, end_s: float) -> FloatArray:
    """Spans (k, 2) in which any of the Sun's disc is covered, edges good to 1 ms.

    One that is over within 10 s, where the shadow is grazed, may be overlooked.
    """
    t_s = np.append(np.arange(start_s, end_s, STEP_S), end_s)
    dark = _sunlit(orbit, t_s) < 1.0
    change = np.flatnonzero(dark[1:] != dark[:-1])
    low, high, begins = t_s[change], t_s[change + 1], dark[change + 1]
    for _ in range(14):  # 10 s / 2^14
        middle = 0.5 * (low + high)
        after = (_sunlit(orbit, middle) < 1.0) == begins
        low, high = np.where(after, low, middle), np.where(after, middle, high)
    edges = [*([start_s] if dark[0] else []), *(0.5 * (low + high)), *([end_s] if dark[-1] else [])]
    return np.array(edges, dtype=np.float64).reshape(-1, 2)


def _sunlit(orbit: Ephemeris, t_s: FloatArray) -> FloatArray:
    r, sun = _sun(orbit, t_s)
    return sunlit_fraction(r, sun)


def _sun(orbit: Ephemeris, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Positions of the satellite and of the Sun (n, 3), metres in ITRF."""
    axes = itrf_from_gcrf(orbit.epoch, t_s)
    sun = np.einsum("nij,nj->ni", axes, sun_gcrf(orbit.epoch, t_s))
    return orbit.position_itrf(t_s), sun


# Memory ------------------------------------------------------------------------------------------


def memory_bit(orders: Orders, satellite: Satellite, t_s: FloatArray) -> FloatArray:
    """Bits on board (n,): filled at a constant rate while imaging, emptied while sending, or where
    the ground acknowledges what it received."""
    leaving = orders.sendings if orders.freeings is None else orders.freeings
    return _recorded(orders, satellite, t_s) - _moved(leaving, t_s)


def unsent_bit(orders: Orders, satellite: Satellite, t_s: FloatArray) -> FloatArray:
    """Bits on board (n,) that have not been sent."""
    return _recorded(orders, satellite, t_s) - _moved(orders.sendings, t_s)


def _recorded(orders: Orders, satellite: Satellite, t_s: FloatArray) -> FloatArray:
    bits = np.full(len(t_s), float(satellite.memory_used_bit))
    for task in orders.recorded:
        bits += task.data_bit * _progress(t_s, task.start_s, task.end_s)
    return bits


def _moved(leaving: Sequence[Sending | Freeing], t_s: FloatArray) -> FloatArray:
    bits = np.zeros(len(t_s))
    for each in leaving:
        bits += each.bits * _progress(t_s, each.start_s, each.end_s)
    return bits


def _progress(t_s: FloatArray, start_s: float, end_s: float) -> FloatArray:
    return np.asarray(np.clip((t_s - start_s) / (end_s - start_s), 0.0, 1.0))


def _memory_limits(orders: Orders, satellite: Satellite, t_s: FloatArray) -> list[Event]:
    limit, bits = satellite.memory_bit, memory_bit(orders, satellite, t_s)
    unsent = unsent_bit(orders, satellite, t_s)
    return [
        *_spells("limit", f"memory over {limit / 1e9:g} Gbit", t_s, bits > limit + LEAST_BIT),
        *_spells("limit", "memory sent that was not there", t_s, unsent < -LEAST_BIT),
    ]


# Energy ------------------------------------------------------------------------------------------


def panel_w(power: Power, orbit: Ephemeris, commanded: Commanded, t_s: FloatArray) -> FloatArray:
    """What the panels give (n,) in watts, in the attitude and light of each time."""
    r, sun = _sun(orbit, t_s)
    to_sun = sun - r
    normal = unit(np.array(power.panel_normal))
    body_from_gcrf = matrix_from_quaternion(commanded.attitude(t_s))
    itrf = itrf_from_gcrf(orbit.epoch, t_s)
    normals_itrf = np.einsum("nij,nkj,k->ni", itrf, body_from_gcrf, normal, optimize=True)
    facing = np.maximum(dot(normals_itrf, unit(to_sun)), 0.0)
    peak_w = SOLAR_CONSTANT_W_M2 * power.panel_area_m2 * power.panel_efficiency
    return np.asarray(peak_w * facing * sunlit_fraction(r, sun) * (AU_M / norm(to_sun)) ** 2)


def load_w(power: Power, orders: Orders, t_s: FloatArray) -> FloatArray:
    """What is used (n - 1,) in watts between times (n,), which have all edges of acts."""
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    turning = [segment for segment in orders.segments if segment.mode in ("slew", "settle")]
    load = np.full(len(middle), float(power.platform_w))
    load += power.imaging_w * _how_many(orders.recorded, middle)
    load += power.downlink_w * _how_many(orders.sendings, middle)
    load += power.slew_w * _how_many(turning, middle)
    return load


def _how_many(acts: Sequence[_Lasting], t_s: FloatArray) -> FloatArray:
    """How many of the acts each time (n,) lies in."""
    edges = np.array([(act.start_s, act.end_s) for act in acts], dtype=np.float64).reshape(-1, 2)
    begun = np.searchsorted(np.sort(edges[:, 0]), t_s, side="right")
    over = np.searchsorted(np.sort(edges[:, 1]), t_s, side="left")
    return np.asarray(begun - over, dtype=np.float64)


def battery_j(
    power: Power, t_s: FloatArray, gain_w: FloatArray, used_w: FloatArray
) -> tuple[FloatArray, Energy]:
    """Charge (n,) in joules and the balance; gains (n,) are linear between times, loads constant.

    What exceeds the capacity is lost: with S the sum of gains and loads so far, the charge is S
    less the most by which it ever exceeded the capacity.
    """
    step_s = np.diff(t_s)
    gained = 0.5 * (gain_w[1:] + gain_w[:-1]) * step_s
    spent = used_w * step_s
    first = power.initial_charge * power.battery_j
    free = first + np.concatenate([[0.0], np.cumsum(gained - spent)])
    spilled = np.maximum(np.maximum.accumulate(free - power.battery_j), 0.0)
    charge = free - spilled
    return charge, Energy(
        gained_j=float(gained.sum()),
        spent_j=float(spent.sum()),
        spilled_j=float(spilled[-1]),
        lowest_j=float(charge.min()),
    )


def _battery_limits(power: Power, t_s: FloatArray, charge: FloatArray) -> list[Event]:
    floor = (1 - power.max_depth_of_discharge) * power.battery_j
    text = f"battery below its floor of {floor / 3600:g} Wh"
    return _spells("limit", text, t_s, charge < floor)


# Events ------------------------------------------------------------------------------------------


def _acts(orders: Orders) -> list[Event]:
    """What was commanded: turning, imaging, sending."""
    strips = {task.id: f"{task.id} {task.strip}" for task in orders.tasks}
    strips |= {look.id: f"{look.id} {look.target}" for look in orders.looks}
    acts = [
        Event(
            start_s=segment.start_s,
            end_s=segment.end_s,
            kind=segment.mode,
            text=strips[segment.task] if segment.task is not None else "",
        )
        for segment in orders.segments
        if segment.mode in ("slew", "settle", "image")
    ]
    sent = [
        Event(
            start_s=sending.start_s,
            end_s=sending.end_s,
            kind="downlink",
            text=f"{sending.id} {sending.station}",
        )
        for sending in orders.sendings
    ]
    return acts + sent


def _eclipses(eclipses: FloatArray) -> list[Event]:
    return [
        Event(start_s=start, end_s=end, kind="eclipse", text="") for start, end in eclipses.tolist()
    ]


def _spells(kind: str, text: str, t_s: FloatArray, holds: BoolArray) -> list[Event]:
    """An event for each stretch of times at which something holds."""
    padded = np.concatenate([[False], holds, [False]])
    begins = np.flatnonzero(padded[1:] & ~padded[:-1])
    ends = np.flatnonzero(padded[:-1] & ~padded[1:]) - 1
    return [
        Event(start_s=float(t_s[i]), end_s=float(t_s[j]), kind=kind, text=text)
        for i, j in zip(begins, ends, strict=True)
    ]
