"""The plan as the checks see it: records with seconds and SI units, tied to the mission's own.

What cannot be tied (an unknown satellite, a time outside the span) is a violation `span` at once
and left out, so that no check behind has to ask.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.check.aim import LONGEST_RAD, SHORTEST_RAD, CentreLine
from humay.check.violations import Violation
from humay.mission import Calibration, Mission, Request, Satellite, Station
from humay.orbit import Ephemeris, ephemerides
from humay.time import Epoch, format_utc, parse_utc

Json: TypeAlias = Mapping[str, Any]  # already held to its structure

TIME_TOLERANCE_S = 1e-5  # times are written to 1 microsecond
LONGEST_SPAN_DAYS = 366.0
YEARS = range(1973, 2200)  # Earth orientation begins in 1973


@dataclass(frozen=True, kw_only=True, eq=False)
class Acquisition:
    """One strip imaged. `entry` is what the file states of it."""

    id: str
    satellite: Satellite
    orbit: Ephemeris
    request: Request
    start_s: float
    end_s: float
    line: CentreLine
    entry: Json

    @property
    def where(self) -> str:
        return f"acquisition {self.id!r} of {self.satellite.name!r}"

    @property
    def bits(self) -> float:
        return float(self.entry["data_gbit"]) * 1e9

    def share_of_scan(self, t_s: FloatArray) -> FloatArray:
        """f (...) at times (...): 0 at the first line, 1 at the last."""
        return (np.asarray(t_s) - self.start_s) / (self.end_s - self.start_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationLook:
    """One look that calibrates a camera. `line` is None where it looks at Moon or star; `entry` is
    what the file states of it, under what is `due`."""

    id: str
    satellite: Satellite
    orbit: Ephemeris
    calibration: Calibration
    start_s: float
    end_s: float
    line: CentreLine | None
    entry: Json
    due: Json

    @property
    def where(self) -> str:
        return f"calibration look {self.id!r} of {self.satellite.name!r}"

    @property
    def bits(self) -> float:
        return float(self.entry["data_gbit"]) * 1e9

    @property
    def middle_s(self) -> float:
        return 0.5 * (self.start_s + self.end_s)


Recorded: TypeAlias = Acquisition | CalibrationLook
"""What fills the memory and wants an attitude."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pass:
    """One antenna booked for one satellite."""

    id: str
    station: Station
    satellite: Satellite
    orbit: Ephemeris
    start_s: float
    end_s: float
    contact_start_s: float
    contact_end_s: float
    entry: Json

    @property
    def where(self) -> str:
        return f"pass {self.id!r} of {self.satellite.name!r} over {self.station.name!r}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Downlink:
    """Data sent. `booked` is its pass, None where that could not be read."""

    id: str
    satellite: Satellite
    booked: Pass | None
    start_s: float
    end_s: float
    entry: Json

    @property
    def where(self) -> str:
        return f"downlink {self.id!r} of {self.satellite.name!r}"

    @property
    def bits(self) -> float:
        return float(self.entry["gbit"]) * 1e9


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A constant angular acceleration in body axes."""

    duration_s: float
    acceleration_rad_s2: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """A stretch of attitude: settle and image have an `acquisition`, slews have `phases`."""

    number: int
    satellite: Satellite
    mode: str
    start_s: float
    end_s: float
    law: str | None = None
    acquisition: Recorded | None = None
    station: Station | None = None
    phases: tuple[Phase, ...] = ()
    entry: Json = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"attitude[{self.satellite.name!r}][{self.number}] ({self.mode})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A plan beside its mission. All `_s` are seconds after `epoch`, that of the ephemerides."""

    mission: Mission
    requests: tuple[Request, ...]
    plan: Json
    clock: Clock
    end_s: float
    release_s: float
    orbits: Mapping[str, Ephemeris]
    acquisitions: tuple[Acquisition, ...]
    passes: tuple[Pass, ...]
    downlinks: tuple[Downlink, ...]
    segments: Mapping[str, tuple[Segment, ...]]
    looks: tuple[CalibrationLook, ...] = ()

    @property
    def epoch(self) -> Epoch:
        return self.clock.epoch

    @property
    def start_s(self) -> float:
        return self.clock.start_s

    @cached_property
    def acquisition_of(self) -> dict[str, Acquisition]:
        return {a.id: a for a in reversed(self.acquisitions)}  # the first of equal ids

    @property
    def recorded(self) -> tuple[Recorded, ...]:
        """Acquisitions and calibration looks."""
        return (*self.acquisitions, *self.looks)

    @cached_property
    def recorded_of(self) -> dict[str, Recorded]:
        return {each.id: each for each in reversed(self.recorded)}

    @cached_property
    def pass_of(self) -> dict[str, Pass]:
        return {p.id: p for p in reversed(self.passes)}

    @cached_property
    def frozen(self) -> frozenset[str]:
        """Acquisitions that the plan says an earlier one has commanded."""
        return frozenset(self.plan.get("previous", {}).get("frozen", ()))

    def uplink_end_s(self, acquisition: Recorded) -> float | None:
        """When the pass ends that carries the command of an acquisition, if the plan tells it."""
        booked = self.pass_of.get(acquisition.entry["uplink"])
        if booked is not None:
            return booked.end_s
        for entry in self.plan.get("previous", {}).get("uplinks", ()):
            ours = entry["satellite"] == acquisition.satellite.name and entry["uplink"]
            if entry["id"] == acquisition.entry["uplink"] and ours:
                return self.clock.seconds(entry["end"])
        return None

    def of(self, satellite: Satellite) -> tuple[list[Recorded], list[Downlink]]:
        """What a satellite records, and its downlinks, by start."""
        own = [a for a in self.recorded if a.satellite is satellite]
        sent = [d for d in self.downlinks if d.satellite is satellite]
        return sorted(own, key=lambda a: a.start_s), sorted(sent, key=lambda d: d.start_s)

    def at(self, code: str, where: str, message: str, t_s: float | None = None) -> Violation:
        """A violation at a time of the plan."""
        time = None if t_s is None else format_utc(self.clock.utc(t_s))
        return Violation(code=code, where=where, message=message, time=time)


class Clock:
    """Seconds after the epoch of the ephemerides for the times of a plan."""

    def __init__(self, epoch: Epoch, start: datetime, end: datetime) -> None:
        self.epoch, self.start, self.end = epoch, start, end
        self.start_s = epoch.seconds(start)
        self.end_s = epoch.seconds(end)
        self.leaps = abs(self.end_s - self.start_s - (end - start).total_seconds()) > 0.5

    def seconds(self, text: str) -> float:
        """Of a time; leap seconds are counted inside the span, where anything is computed."""
        moment = parse_utc(text)
        if self.leaps and self.start <= moment <= self.end:
            return self.epoch.seconds(moment)
        if self.leaps and moment > self.end:
            return self.end_s + (moment - self.end).total_seconds()
        return self.start_s + (moment - self.start).total_seconds()

    def utc(self, t_s: float) -> datetime:
        """The instant, moved into the span if it lies outside."""
        return self.epoch.utc(min(max(t_s, self.start_s), self.end_s))


def read_case(
    mission: Mission, requests: Sequence[Request], plan: Json
) -> tuple[Case | None, list[Violation]]:
    """The case, and what could not be tied to the mission; no case where the span itself is wrong.

    Raises `OrbitError` where the mission's orbits do not reach over the span.
    """
    faults = list(_span_faults(plan))
    if faults:
        return None, faults
    start, end = parse_utc(plan["start"]), parse_utc(plan["end"])
    orbits = ephemerides(mission, start, end)
    epoch = next((orbit.epoch for orbit in orbits.values()), Epoch(start))
    reader = _Reader(mission, requests, plan, Clock(epoch, start, end), orbits)
    case = reader.case()
    return case, reader.faults


def _span_faults(plan: Json) -> Iterator[Violation]:
    start, end, release = (parse_utc(plan[key]) for key in ("start", "end", "release"))
    if not start < end:
        yield _span(
            "plan", f"ends at {format_utc(end)}, expected after its start {format_utc(start)}"
        )
    elif (end - start).total_seconds() > LONGEST_SPAN_DAYS * 86_400:
        days = (end - start).total_seconds() / 86_400
        yield _span("plan", f"lasts {days:.1f} days, expected at most {LONGEST_SPAN_DAYS:g}")
    elif start.year not in YEARS or end.year not in YEARS:
        yield _span("plan", f"begins in {start.year}, expected {YEARS[0]} to {YEARS[-1]}")
    elif not release < end:
        yield _span(
            "plan",
            f"is released at {format_utc(release)}, expected before its end {format_utc(end)}",
        )


def _span(where: str, message: str, time: str | None = None) -> Violation:
    return Violation(code="span", where=where, message=message, time=time)


class _Reader:
    """Makes the records and gathers what is wrong with them."""

    def __init__(
        self,
        mission: Mission,
        requests: Sequence[Request],
        plan: Json,
        clock: Clock,
        orbits: Mapping[str, Ephemeris],
    ) -> None:
        self.mission, self.plan, self.clock, self.orbits = mission, plan, clock, orbits
        self.requests = tuple(requests)
        self.satellites = {s.name: s for s in mission.satellites}
        self.stations = {s.name: s for s in mission.stations}
        self.request_of = {r.name: r for r in requests}
        self.faults: list[Violation] = []

    def case(self) -> Case:
        acquisitions = self._each("acquisitions", self._acquisition)
        passes = self._each("passes", self._pass)
        booked = {p.id: p for p in reversed(passes)}
        downlinks = self._each("downlinks", lambda entry: self._downlink(entry, booked))
        looks = self._looks()
        imaged: dict[str, Recorded] = {a.id: a for a in reversed((*acquisitions, *looks))}
        if len(imaged) < len(acquisitions) + len(looks):
            self.fault("plan", "an acquisition and a calibration look share an id, expected none")
        return Case(
            mission=self.mission,
            requests=self.requests,
            plan=self.plan,
            clock=self.clock,
            end_s=self.clock.end_s,
            release_s=self.clock.seconds(self.plan["release"]),
            orbits=self.orbits,
            acquisitions=acquisitions,
            passes=passes,
            downlinks=downlinks,
            segments={s.name: self._segments(s, imaged) for s in self.mission.satellites},
            looks=looks,
        )

    def _each(self, kind: str, make: Any) -> tuple[Any, ...]:
        """Records of the entries that `make` does not give None for."""
        for name, times in Counter(entry["id"] for entry in self.plan[kind]).items():
            if times > 1:
                self.fault(f"plan.{kind}", f"{times} entries have id {name!r}, expected one")
        made = (make(entry) for entry in self.plan[kind])
        return tuple(record for record in made if record is not None)

    def fault(self, where: str, message: str, t_s: float | None = None) -> None:
        time = None if t_s is None else format_utc(self.clock.utc(t_s))
        self.faults.append(_span(where, message, time))

    def _known(self, names: Iterable[tuple[str, str, Mapping[str, object]]], where: str) -> bool:
        """Whether every (kind, name, all of the kind) resolves."""
        missing = [(kind, name) for kind, name, known in names if name not in known]
        for kind, name in missing:
            self.fault(where, f"{kind} {name!r} is not known, expected one of the mission or plan")
        return not missing

    def _times(self, entry: Json, where: str) -> tuple[float, float] | None:
        start_s, end_s = self.clock.seconds(entry["start"]), self.clock.seconds(entry["end"])
        slack = TIME_TOLERANCE_S
        if not start_s < end_s:
            self.fault(where, f"ends at {entry['end']}, expected after {entry['start']}", start_s)
            return None
        if start_s < self.clock.start_s - slack or end_s > self.clock.end_s + slack:
            inside = f"{self.plan['start']} to {self.plan['end']}"
            self.fault(
                where,
                f"{entry['start']} to {entry['end']} found, expected inside {inside}",
                start_s,
            )
            return None
        return max(start_s, self.clock.start_s), min(end_s, self.clock.end_s)

    def _acquisition(self, entry: Json) -> Acquisition | None:
        where = f"acquisition {entry['id']!r}"
        names: list[tuple[str, str, Mapping[str, object]]] = [
            ("satellite", entry["satellite"], self.satellites),
            ("request", entry["request"], self.request_of),
        ]
        known, times = self._known(names, where), self._times(entry, where)
        line = CentreLine.from_places(entry["centre_line"])
        if not SHORTEST_RAD < line.angle_rad < LONGEST_RAD:
            self.fault(
                where,
                f"its centre line turns by {math.degrees(line.angle_rad):.3g} deg from A to B,"
                f" expected more than 0 and less than {math.degrees(LONGEST_RAD):.0f} deg",
            )
            return None
        if not known or times is None:
            return None
        return Acquisition(
            id=entry["id"],
            satellite=self.satellites[entry["satellite"]],
            orbit=self.orbits[entry["satellite"]],
            request=self.request_of[entry["request"]],
            start_s=times[0],
            end_s=times[1],
            line=line,
            entry=entry,
        )

    def _looks(self) -> tuple[CalibrationLook, ...]:
        entries = self.plan.get("calibrations", ())
        made = (self._look(entry, entry["look"]) for entry in entries if entry["look"] is not None)
        return tuple(look for look in made if look is not None)

    def _look(self, due: Json, entry: Json) -> CalibrationLook | None:
        where = f"calibration look {entry['id']!r}"
        calibrations = {each.name: each for each in self.mission.calibrations}
        names: list[tuple[str, str, Mapping[str, object]]] = [
            ("satellite", due["satellite"], self.satellites),
            ("calibration", due["calibration"], calibrations),
        ]
        known, times = self._known(names, where), self._times(entry, where)
        if not known or times is None:
            return None
        calibration = calibrations[due["calibration"]]
        line, told = None, {"ra_deg", "dec_deg"} & set(entry)
        if "centre_line" in entry:
            line = CentreLine.from_places(entry["centre_line"])
        lies = line is not None and SHORTEST_RAD < line.angle_rad < LONGEST_RAD
        fits = (line is None and len(told) == 2) if calibration.inertial else (lies and not told)
        if not fits:
            wanted = "ra_deg and dec_deg" if calibration.inertial else "a centre line"
            self.fault(where, f"lies nowhere, expected {wanted} for its kind", times[0])
            return None
        return CalibrationLook(
            id=entry["id"],
            satellite=self.satellites[due["satellite"]],
            orbit=self.orbits[due["satellite"]],
            calibration=calibration,
            start_s=times[0],
            end_s=times[1],
            line=line,
            entry=entry,
            due=due,
        )

    def _pass(self, entry: Json) -> Pass | None:
        where = f"pass {entry['id']!r}"
        names: list[tuple[str, str, Mapping[str, object]]] = [
            ("satellite", entry["satellite"], self.satellites),
            ("station", entry["station"], self.stations),
        ]
        known, times = self._known(names, where), self._times(entry, where)
        if not known or times is None:
            return None
        return Pass(
            id=entry["id"],
            station=self.stations[entry["station"]],
            satellite=self.satellites[entry["satellite"]],
            orbit=self.orbits[entry["satellite"]],
            start_s=times[0],
            end_s=times[1],
            contact_start_s=self.clock.seconds(entry["contact_start"]),
            contact_end_s=self.clock.seconds(entry["contact_end"]),
            entry=entry,
        )

    def _downlink(self, entry: Json, booked: Mapping[str, Pass]) -> Downlink | None:
        where = f"downlink {entry['id']!r}"
        names: list[tuple[str, str, Mapping[str, object]]] = [
            ("satellite", entry["satellite"], self.satellites),
            ("station", entry["station"], self.stations),
        ]
        known, times = self._known(names, where), self._times(entry, where)
        self._known([("pass", entry["pass"], booked)], where)
        if not known or times is None:
            return None
        return Downlink(
            id=entry["id"],
            satellite=self.satellites[entry["satellite"]],
            booked=booked.get(entry["pass"]),
            start_s=times[0],
            end_s=times[1],
            entry=entry,
        )

    def _segments(
        self, satellite: Satellite, imaged: Mapping[str, Recorded]
    ) -> tuple[Segment, ...]:
        made = []
        for number, entry in enumerate(self.plan["attitude"].get(satellite.name, ())):
            where = f"attitude[{satellite.name!r}][{number}] ({entry['mode']})"
            times = self._times(entry, where)
            name = entry.get("acquisition")
            if name is not None:
                self._known([("acquisition", name, imaged)], where)
            station = entry.get("station")
            if station is not None:
                self._known([("station", station, self.stations)], where)
            if times is None:
                continue
            made.append(
                Segment(
                    number=number,
                    satellite=satellite,
                    mode=entry["mode"],
                    start_s=times[0],
                    end_s=times[1],
                    law=_law(satellite, entry),
                    station=None if station is None else self.stations.get(station),
                    acquisition=imaged.get(name) if name is not None else None,
                    phases=tuple(_phase(phase) for phase in entry.get("phases", ())),
                    entry=entry,
                )
            )
        return tuple(made)


def _law(satellite: Satellite, entry: Json) -> str | None:
    if entry["mode"] == "downlink":
        return "nadir" if satellite.antenna_axis is None else "station"
    law: str | None = entry.get("law")
    return law


def _phase(entry: Json) -> Phase:
    x, y, z = np.radians(np.array(entry["acceleration_deg_s2"], dtype=np.float64)).tolist()
    return Phase(duration_s=float(entry["duration_s"]), acceleration_rad_s2=(x, y, z))
