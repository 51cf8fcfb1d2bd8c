"""What a plan is to be good at, besides the worth of requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from humay.errors import MissionError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Choice

CloudsCount = Literal["ignored", "expected"]

SAME_CLOUDS_S = 1_800.0
"""Looks nearer to each other see the same clouds: they are no attempts of their own."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """`clouds`: whether looks count as they are or with their chance of being clear."""

    clouds: CloudsCount = "ignored"

    def __post_init__(self) -> None:
        OBJECTIVE.check(self)


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
    ),
)
