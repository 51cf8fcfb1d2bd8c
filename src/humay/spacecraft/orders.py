"""What a satellite is told: the parts of a plan file that a flight needs, read and held together.

A plan file comes from a user. What is missing, of another type or does not fit together is refused
as `PlanError`, in one line: where, what was found, what was expected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from humay.access import GroundLine, line_from_lonlath
from humay.arrays import FloatArray, unit
from humay.errors import PlanError
from humay.mission import Mission
from humay.spacecraft.entry import Entry
from humay.time import Epoch

FORMAT = "humay-plan-1"
MODES = ("idle", "slew", "settle", "image", "downlink")
SHORTEST_M, LONGEST_M = 1.0, 6.4e6
LONGEST_S = 1_200.0  # of one acquisition; what is flown is sampled 128 times a second
FASTEST_M_S = 30_000.0  # over the ground; in low orbit it goes by at 7,000 m/s
FREEING_S = 1e-3
SAME_INSTANT_S = 1e-5  # files tell times to the microsecond


@dataclass(frozen=True, kw_only=True, eq=False)
class Phase:
    """Seconds of constant angular acceleration (3,) rad/s2 in body axes."""

    duration_s: float
    acceleration_rad_s2: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A stretch of one attitude law: `law` when idle, `task` for a strip's, `phases` in a slew,
    `station` where an antenna is turned to one."""

    mode: str
    start_s: float
    end_s: float
    law: str | None = None
    task: str | None = None
    station: str | None = None
    phases: tuple[Phase, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """One acquisition as ordered. `width_m` is that of its strip, `line` where it looks."""

    id: str
    satellite: str
    request: str
    strip: str
    opportunity: str
    start_s: float
    end_s: float
    orbit: int
    anx_offset_s: float
    line: GroundLine
    width_m: float
    line_period_s: float
    data_bit: float


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationLook:
    """One look that calibrates the camera, as ordered: along a `line` on the ground, if `across`
    with the body a quarter turn further; without a line from `attitude` (4,) `body_from_gcrf` on at
    an even `rate_rad_s` (3,)."""

    id: str
    satellite: str
    target: str
    start_s: float
    end_s: float
    data_bit: float
    across: bool
    line: GroundLine | None
    attitude: FloatArray
    rate_rad_s: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Sending:
    """A downlink: bits sent at a constant rate."""

    id: str
    station: str
    start_s: float
    end_s: float
    bits: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Freeing:
    """Memory of what was sent in a pass and is told to have been received: free from an instant on,
    and a millisecond later."""

    start_s: float
    bits: float

    @property
    def end_s(self) -> float:
        return self.start_s + FREEING_S


@dataclass(frozen=True, kw_only=True, eq=False)
class Orders:
    """All that one satellite is to do from the plan's start to its end, each list in time order.

    `freeings` is None where memory is free as soon as data are sent. `along_sigma_m` is the
    along-track error that the plan allowed for, at its start and its end.
    """

    satellite: str
    start_s: float
    end_s: float
    along_sigma_m: tuple[float, float]
    segments: tuple[Segment, ...]
    tasks: tuple[Task, ...]
    sendings: tuple[Sending, ...]
    freeings: tuple[Freeing, ...] | None = None
    looks: tuple[CalibrationLook, ...] = ()

    @property
    def recorded(self) -> list[Task | CalibrationLook]:
        """Strips and calibration looks, in order of time."""
        return sorted([*self.tasks, *self.looks], key=lambda each: each.start_s)

    def allowed_along_m(self, t_s: float) -> float:
        """One standard deviation along the track (m) that the plan reckoned with at a time."""
        return float(np.interp(t_s, [self.start_s, self.end_s], self.along_sigma_m))


def read_orders(mission: Mission, document: Mapping[str, Any], epoch: Epoch) -> list[Orders]:
    """The orders for each satellite of the mission, in its order. Raises `PlanError`."""
    plan = Entry(where="plan", values=document, epoch=epoch)
    plan.text("format", among=(FORMAT,))
    plan.text("mission", among=(mission.name,))
    names = [satellite.name for satellite in mission.satellites]
    about = {entry.text("name"): entry for entry in plan.many("satellites", name="name")}
    attitude = plan.inside("attitude")
    for where, found in (("plan.satellites", about), ("plan.attitude", attitude.values)):
        if set(found) != set(names):
            raise PlanError(
                f"{where} is of {', '.join(map(repr, found))}, expected the satellites of mission"
                f" {mission.name!r}: {', '.join(map(repr, names))}"
            )
    tasks = _tasks(plan, names)
    sendings = _sendings(plan, names)
    looks = _looks(plan, names)
    return [
        _orders(
            plan, about[name], attitude, tasks.get(name, []), sendings.get(name, []),
            tuple(look for look in looks if look.satellite == name),
        )
        for name in names
    ]  # fmt: skip


def _orders(
    plan: Entry, about: Entry, attitude: Entry, tasks: list[Task], sendings: list[Sending],
    looks: tuple[CalibrationLook, ...],
) -> Orders:  # fmt: skip
    start_s, end_s = plan.span_s()
    name = about.text("name")
    sigma = about.numbers("orbit_sigma_m", (2,))
    orders = Orders(
        satellite=name,
        start_s=start_s,
        end_s=end_s,
        along_sigma_m=(float(sigma[0]), float(sigma[1])),
        segments=tuple(_segment(entry) for entry in attitude.many(name, name="start")),
        tasks=tuple(sorted(tasks, key=lambda task: task.start_s)),
        sendings=tuple(sorted(sendings, key=lambda sending: sending.start_s)),
        freeings=_freeings(plan, name),
        looks=looks,
    )
    _unbroken(orders)
    _imaged_once(orders)
    return orders


def _tasks(plan: Entry, satellites: Sequence[str]) -> dict[str, list[Task]]:
    """Acquisitions by satellite."""
    low, high = plan.span_s()
    widths = _strip_widths(plan)
    made: dict[str, list[Task]] = {}
    seen: set[str] = set()
    for entry in plan.many("acquisitions"):
        task = _task(entry, satellites, widths)
        if task.id in seen:
            raise PlanError(f"{entry.where} is there twice, expected once")
        if not low <= task.start_s < task.end_s <= high:
            raise PlanError(f"{entry.where} leaves the plan's span, expected it inside")
        seen.add(task.id)
        made.setdefault(task.satellite, []).append(task)
    return made


def _looks(plan: Entry, satellites: Sequence[str]) -> list[CalibrationLook]:
    """The calibration looks that are taken; a plan may have none."""
    if "calibrations" not in plan.values:
        return []
    low, high = plan.span_s()
    looks = []
    for due in plan.many("calibrations", name="name"):
        if due.any("look") is None:
            continue
        look = _look(due.inside("look"), due.text("satellite", among=satellites))
        if not low <= look.start_s < look.end_s <= high or look.end_s - look.start_s >= LONGEST_S:
            raise PlanError(f"{due.where}.look leaves the plan's span, expected it inside")
        looks.append(look)
    return looks


def _look(entry: Entry, satellite: str) -> CalibrationLook:
    start_s, end_s = entry.span_s()
    law = entry.text("law", among=("strip", "across", "inertial"))
    return CalibrationLook(
        id=entry.text("id"),
        satellite=satellite,
        target=entry.text("target"),
        start_s=start_s,
        end_s=end_s,
        data_bit=1e9 * entry.number("data_gbit", 0.0, 1e9),
        across=law == "across",
        line=None if law == "inertial" else _line(entry, end_s - start_s),
        attitude=unit(entry.numbers("attitude_start", (4,), limit=2.0)),
        rate_rad_s=np.radians(entry.numbers("rate_start_deg_s", (3,), limit=360.0)),
    )


def _strip_widths(plan: Entry) -> dict[tuple[str, str], float]:
    """Width (m) by request and strip, of the strips that lie anywhere."""
    return {
        (request.text("name"), strip.text("id")): strip.number("width_m", 0.0, 1e7)
        for request in plan.many("requests", name="name")
        for strip in request.many("strips")
        if strip.any("width_m") is not None
    }


def _task(entry: Entry, satellites: Sequence[str], widths: Mapping[tuple[str, str], float]) -> Task:
    start_s, end_s = entry.span_s()
    request, strip = entry.text("request"), entry.text("strip")
    if (request, strip) not in widths:
        raise PlanError(
            f"{entry.where}.strip is {strip!r} of request {request!r}, expected a strip of the plan"
            " that lies somewhere"
        )
    return Task(
        id=entry.text("id"),
        satellite=entry.text("satellite", among=satellites),
        request=request,
        strip=strip,
        opportunity=entry.text("opportunity"),
        start_s=start_s,
        end_s=end_s,
        orbit=int(entry.number("orbit", 0, 1e9)),
        anx_offset_s=entry.number("anx_offset_s", 0, 1e6),
        line=_line(entry, end_s - start_s),
        width_m=widths[request, strip],
        line_period_s=entry.number("line_period_s", 1e-7, 10.0),
        data_bit=1e9 * entry.number("data_gbit", 0.0, 1e9),
    )


def _line(entry: Entry, duration_s: float) -> GroundLine:
    """The centre line, which has to be one that a satellite can sweep in that time."""
    line = line_from_lonlath(entry.numbers("centre_line", (2, 3), limit=1e5))
    length_m = float(line.length_m)
    if not SHORTEST_M < length_m < LONGEST_M:
        raise PlanError(
            f"{entry.where}.centre_line is {length_m:.0f} m long, expected {SHORTEST_M:g} to"
            f" {LONGEST_M:g} m"
        )
    if not duration_s < LONGEST_S or not length_m / duration_s < FASTEST_M_S:
        raise PlanError(
            f"{entry.where} sweeps {length_m:.0f} m in {duration_s:.6f} s, expected less than"
            f" {LONGEST_S:g} s and {FASTEST_M_S:g} m/s"
        )
    return line


def _sendings(plan: Entry, satellites: Sequence[str]) -> dict[str, list[Sending]]:
    made: dict[str, list[Sending]] = {}
    for entry in plan.many("downlinks"):
        start_s, end_s = entry.span_s()
        sending = Sending(
            id=entry.text("id"),
            station=entry.text("station"),
            start_s=start_s,
            end_s=end_s,
            bits=1e9 * entry.number("gbit", 0.0, 1e9),
        )
        made.setdefault(entry.text("satellite", among=satellites), []).append(sending)
    return made


def _freeings(plan: Entry, satellite: str) -> tuple[Freeing, ...] | None:
    """What is freed by acknowledgement; None where the plan does not tell of any."""
    curves = plan.inside("resources").inside(satellite)
    if "freed" not in curves.values:
        return None
    return tuple(
        Freeing(start_s=entry.seconds("time"), bits=1e9 * entry.number("gbit", 0.0, 1e9))
        for entry in curves.many("freed", name="pass")
        if entry.any("time") is not None
    )


def _segment(entry: Entry) -> Segment:
    mode = entry.text("mode", among=MODES)
    start_s, end_s = entry.span_s()
    law = {"idle": "law", "downlink": "nadir"}.get(mode)
    return Segment(
        mode=mode,
        start_s=start_s,
        end_s=end_s,
        law=entry.text("law", among=("nadir", "sun", "charging")) if law == "law" else law,
        task=entry.text("acquisition") if mode in ("settle", "image") else None,
        station=_station(entry) if mode == "downlink" else None,
        phases=tuple(_phase(phase) for phase in entry.many("phases")) if mode == "slew" else (),
    )


def _station(entry: Entry) -> str | None:
    """The station that a fixed antenna is turned to; none where it looks to nadir."""
    return entry.text("station") if "station" in entry.values else None


def _phase(entry: Entry) -> Phase:
    return Phase(
        duration_s=entry.number("duration_s", 0.0, 1e6),
        acceleration_rad_s2=np.radians(entry.numbers("acceleration_deg_s2", (3,), limit=1e4)),
    )


def _unbroken(orders: Orders) -> None:
    """Raise unless the attitude is told for every instant of the plan, from a law on."""
    where = f"plan.attitude.{orders.satellite}"
    if not orders.segments or orders.segments[0].mode == "slew":
        raise PlanError(f"{where} begins with no law, expected 'idle' or a strip's")
    edges = [orders.start_s, *(segment.end_s for segment in orders.segments)]
    begins = [*(segment.start_s for segment in orders.segments), orders.end_s]
    for number, (end_s, begin_s) in enumerate(zip(edges, begins, strict=True)):
        if not math.isclose(end_s, begin_s, rel_tol=0.0, abs_tol=SAME_INSTANT_S):
            raise PlanError(
                f"{where}[{number}] begins {begin_s - end_s:+.6f} s after the one before ends,"
                " expected at the same time, from the plan's start to its end"
            )


def _imaged_once(orders: Orders) -> None:
    """Raise unless every acquisition is imaged, in its own time, and no two at once."""
    recorded = orders.recorded
    known = {each.id for each in recorded}
    where = f"plan.attitude.{orders.satellite}"
    for segment in orders.segments:
        if segment.task is not None and segment.task not in known:
            raise PlanError(
                f"{where} names acquisition {segment.task!r}, expected one of this satellite"
            )
    images = [segment for segment in orders.segments if segment.mode == "image"]
    if len(images) > len(recorded) or len(known) < len(recorded):
        raise PlanError(f"{where} has {len(images)} 'image', expected one an acquisition")
    spans = {segment.task: (segment.start_s, segment.end_s) for segment in images}
    for task in recorded:
        stated = spans.get(task.id)
        if stated is None or not np.allclose(
            stated, (task.start_s, task.end_s), rtol=0, atol=SAME_INSTANT_S
        ):
            raise PlanError(
                f"plan.acquisitions[{task.id!r}] is not imaged from its start to its end in"
                f" {where}, expected one segment 'image' that does"
            )
    for before, after in pairwise(recorded):
        if after.start_s < before.end_s:
            raise PlanError(
                f"plan.acquisitions[{after.id!r}] begins before {before.id!r} ends, expected one"
                " at a time"
            )
