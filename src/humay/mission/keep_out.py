"""Keep-outs: what a part of a satellite must never look at, and while it does what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

from humay.mission.keys import Key, Table
from humay.mission.kinds import Choice, Choices, Direction, Number, Text

Body: TypeAlias = Literal["sun", "moon", "earth"]
MODES = ("idle", "slew", "settle", "image", "downlink")
"""Of the attitude timeline, as in the plan file."""


@dataclass(frozen=True, kw_only=True)
class KeepOut:
    """A direction of the body that stays `angle_rad` off the centre of Sun or Moon, or off the limb
    of the Earth, in the modes named."""

    name: str
    axis: tuple[float, float, float]
    body: Body
    angle_rad: float
    modes: tuple[str, ...] = MODES

    def __post_init__(self) -> None:
        KEEP_OUT.check(self)

    @property
    def text(self) -> str:
        """Who stays how far off what."""
        off = {"sun": "the Sun", "moon": "the Moon", "earth": "the Earth's limb"}[self.body]
        return f"{self.name} less than {math.degrees(self.angle_rad):g} deg off {off}"


KEEP_OUT = Table(
    label="keep-out",
    keys=(
        Key("name", Text(), "what looks there, as a reason is to say it"),
        Key("axis", Direction(), "where it looks, body frame x, y, z"),
        Key("body", Choice(("sun", "moon", "earth")), "what it must not look at"),
        Key(
            "angle_deg",
            Number(above=0, below=180),
            "least angle from `axis` to the centre of Sun or Moon, or to the limb of the Earth",
        ),
        Key("modes", Choices(MODES), "in which modes of the attitude", default=list(MODES)),
    ),
)
