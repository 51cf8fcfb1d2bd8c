"""What turning is limited by besides one rate and one acceleration: each axis, and the wheels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from humay.errors import MissionError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Number, Three

Triple: TypeAlias = tuple[float, float, float]

_ANGULAR = Number(above=0, at_most=90)


@dataclass(frozen=True, kw_only=True)
class AxisLimits:
    """The fastest turn about roll, pitch and yaw (body x, y, z), and its fastest change."""

    rate_rad_s: Triple | None = None
    acceleration_rad_s2: Triple | None = None

    def __post_init__(self) -> None:
        AXIS_LIMITS.check(self)
        if self.rate_rad_s is None and self.acceleration_rad_s2 is None:
            raise MissionError(
                "axis limits: has neither rate_deg_s nor acceleration_deg_s2, expected one or both"
            )


AXIS_LIMITS = Table(
    label="axis limits",
    keys=(
        Key("rate_deg_s", Three(_ANGULAR), "fastest turn about roll, pitch and yaw", default=None),
        Key("acceleration_deg_s2", Three(_ANGULAR), "fastest change of it", default=None),
    ),
    rules={"anyOf": [{"required": [key]} for key in ("rate_deg_s", "acceleration_deg_s2")]},
)


@dataclass(frozen=True, kw_only=True)
class Wheels:
    """Reaction wheels of a body whose principal axes are its x, y and z, and whose momentum with
    that of its wheels is zero: they take up inertia x rate, by a torque of inertia x acceleration.
    """

    inertia_kg_m2: Triple
    momentum_n_m_s: float
    torque_n_m: float

    def __post_init__(self) -> None:
        WHEELS.check(self)


WHEELS = Table(
    label="wheels",
    keys=(
        Key(
            "inertia_kg_m2",
            Three(Number(above=0, at_most=1e9)),
            "moments of inertia of the satellite about x, y and z",
        ),
        Key(
            "momentum_n_m_s",
            Number(above=0, at_most=1e9),
            "N m s that the wheels together take up in any direction, for turning alone",
        ),
        Key(
            "torque_n_m",
            Number(above=0, at_most=1e9),
            "N m that the wheels together give in any direction",
        ),
    ),
)
