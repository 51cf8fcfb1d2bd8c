"""What a plan is to be good at, besides the worth of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from humay.errors import MissionError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Choice, Number

CloudsCount = Literal["ignored", "expected"]

SAME_CLOUDS_S = 1_800.0
"""Looks nearer to each other see the same clouds: they are no attempts of their own."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """`clouds`: whether looks count as they are or with their chance of being clear;
    `age_half_life_h`: how long after its last line an image on the ground is worth half."""

    clouds: CloudsCount = "ignored"
    age_half_life_h: float | None = None

    def __post_init__(self) -> None:
        OBJECTIVE.check(self)

    @property
    def age_half_life_s(self) -> float | None:
        """The same in seconds; None where age does not matter."""
        return None if self.age_half_life_h is None else 3_600.0 * self.age_half_life_h


OBJECTIVE = Table(
    label="objective",
    error=MissionError,
    keys=(
        Key(
            "clouds",
            Choice(("ignored", "expected")),
            '"expected": a look counts with its chance of being clear, by `clouds` of `[mission]`',
            default="ignored",
        ),
        Key(
            "age_half_life_h",
            Number(above=0),
            "an image that comes to the ground so long after its last line counts half, one that "
            "does twice as long after a quarter; without it, age does not matter",
            default=None,
        ),
    ),
)
