"""Calibration looks as a mission asks for them: at what, how often, and how late they may be."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from humay.errors import MissionError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Choice, Names, Number, Text, Time, Whole

CalibrationKind: TypeAlias = Literal[
    "desert", "instrumented", "side_slither", "rayleigh", "dark_ocean", "moon", "star"
]
CALIBRATION_KINDS: tuple[CalibrationKind, ...] = get_args(CalibrationKind)
INERTIAL_KINDS: tuple[CalibrationKind, ...] = ("moon", "star")
USUAL_PRIORITY = 5
LARGEST_SWEEP_RAD = math.radians(30.0)


@dataclass(frozen=True, kw_only=True)
class Due:
    """One look of a cadence: due at an instant, to be made from `begin` to `end`. In a plan that
    begins after its `deadline` it is late."""

    due: datetime
    deadline: datetime
    begin: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Looks of one kind that every satellite named takes every so many days.

    The looks are due `every_days` after `last`, and again after that; each may be
    `tolerance_days` early or late. Without `last` the first is due as a plan begins. `targets` are
    sites or stars, None for all of the kind, `scan_rad_s` is how fast the camera sweeps over Moon
    or star, from -z to +x of the body.
    """

    name: str
    kind: CalibrationKind
    satellites: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    every_days: float
    tolerance_days: float
    last: datetime | None = None
    duration_s: float = 10.0
    scan_rad_s: float = 0.0
    priority: int = USUAL_PRIORITY
    weight: float = 1.0

    def __post_init__(self) -> None:
        CALIBRATION.check(self)
        if self.tolerance_days > self.every_days / 2:
            self._refuse(
                f"tolerance_days is {self.tolerance_days:g}, expected at most half of every_days"
                f" ({self.every_days:g})"
            )
        if self.scan_rad_s and self.kind not in INERTIAL_KINDS:
            self._refuse(f"has scan_deg_s with kind {self.kind!r}, expected it with moon or star")
        if self.scan_rad_s * self.duration_s > LARGEST_SWEEP_RAD:
            self._refuse(
                f"sweeps {math.degrees(self.scan_rad_s * self.duration_s):g} deg in its duration,"
                f" expected at most {math.degrees(LARGEST_SWEEP_RAD):g}"
            )
        if self.kind == "moon" and self.targets not in (None, ("Moon",)):
            self._refuse(f"targets are {', '.join(self.targets or ())}, expected none but Moon")

    def _refuse(self, what: str) -> None:
        raise MissionError(f"calibration {self.name!r}: {what}")

    @property
    def worth(self) -> float:
        """Of each look, on the scale of requests."""
        return self.weight * 2.0 ** (self.priority - USUAL_PRIORITY)

    @property
    def inertial(self) -> bool:
        """Whether the camera is held among the stars."""
        return self.kind in INERTIAL_KINDS

    def allows(self, satellite: str) -> bool:
        return self.satellites is None or satellite in self.satellites

    def dues(self, start: datetime, end: datetime) -> Iterator[Due]:
        """The looks that can be made between two instants, in order of time."""
        every, early = timedelta(days=self.every_days), timedelta(days=self.tolerance_days)
        anchor = start - every if self.last is None else self.last
        k = max(1, (start - anchor + early) // every)
        while (due := anchor + k * every) - early < end:
            deadline, close = due + early, due + every - early
            last_chance = deadline if deadline > start else close
            if last_chance > start:
                yield Due(
                    due=due,
                    deadline=deadline,
                    begin=max(due - early, start),
                    end=min(last_chance, end),
                )
            k += 1


CALIBRATION = Table(
    label="calibration",
    keys=(
        Key("name", Text(), "what the plan calls it"),
        Key("kind", Choice(CALIBRATION_KINDS), "what is looked at, and how"),
        Key("satellites", Names(), "which take such looks; all without", default=None),
        Key(
            "targets",
            Names(),
            "sites or stars, any of which will do; all of the kind without",
            default=None,
        ),
        Key("every_days", Number(above=0, at_most=3660), "from one look to the next"),
        Key(
            "tolerance_days",
            Number(above=0, at_most=1830),
            "how much before or after it is due a look may be made, at most half of `every_days`",
        ),
        Key(
            "last",
            Time(),
            "when the last look was due or made, from which the next are counted; without, the "
            "first is due as the first plan begins",
            default=None,
        ),
        Key("duration_s", Number(above=0, at_most=600), "how long a look records", default=10.0),
        Key(
            "scan_deg_s",
            Number(at_least=0, at_most=10),
            "how fast the camera sweeps over Moon or star; held still without",
            default=0.0,
        ),
        Key("priority", Whole(at_least=1, at_most=10), "as of requests", default=USUAL_PRIORITY),
        Key("weight", Number(above=0, at_most=1e9), "as of requests", default=1.0),
    ),
)
