"""How long a camera may run: in sliding windows, from node to node, and before it is too warm."""

from __future__ import annotations

import math
from dataclasses import dataclass

from humay.errors import MissionError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Number, Whole


@dataclass(frozen=True, kw_only=True)
class ImagingLimit:
    """At most `seconds` of imaging in any `per_s` seconds, wherever that interval begins."""

    seconds: float
    per_s: float

    def __post_init__(self) -> None:
        IMAGING_LIMIT.check(self)
        if self.seconds > self.per_s:
            raise MissionError(
                f"imaging limit: seconds is {self.seconds:g}, expected at most "
                f"per_s ({self.per_s:g})"
            )


IMAGING_LIMIT = Table(
    label="imaging limit",
    keys=(
        Key("seconds", Number(above=0), "imaging time allowed"),
        Key("per_s", Number(above=0, at_most=366 * 86_400), "in any interval of this length"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class OrbitLimit:
    """What may be done from one ascending node to the next: seconds of imaging, acquisitions."""

    imaging_s: float | None = None
    acquisitions: int | None = None

    def __post_init__(self) -> None:
        ORBIT_LIMIT.check(self)
        if self.imaging_s is None and self.acquisitions is None:
            raise MissionError(
                "orbit limit: has neither imaging_s nor acquisitions, expected one or both"
            )


ORBIT_LIMIT = Table(
    label="orbit limit",
    keys=(
        Key("imaging_s", Number(above=0), "imaging time allowed in an orbit", default=None),
        Key(
            "acquisitions",
            Whole(at_least=1),
            "acquisitions that may begin in an orbit",
            default=None,
        ),
    ),
    rules={"anyOf": [{"required": [key]} for key in ("imaging_s", "acquisitions")]},
)


@dataclass(frozen=True, kw_only=True)
class Thermal:
    """A camera that warms by `heating_k_s` while it images, and loses the share dt / tau of what it
    is above its surroundings at any time; it must not be `limit_k` above them."""

    heating_k_s: float
    time_constant_s: float
    limit_k: float
    initial_k: float = 0.0

    def __post_init__(self) -> None:
        THERMAL.check(self)
        if self.initial_k > self.limit_k:
            raise MissionError(
                f"thermal: initial_k is {self.initial_k:g}, expected at most limit_k "
                f"({self.limit_k:g})"
            )

    @property
    def steady_k(self) -> float:
        """Where imaging without end leads."""
        return self.heating_k_s * self.time_constant_s

    @property
    def longest_s(self) -> float:
        """How long a camera may image that has cooled down to a tenth of the limit."""
        if self.limit_k >= self.steady_k:
            return math.inf
        room_k = self.steady_k - 0.1 * self.limit_k
        return self.time_constant_s * math.log(room_k / (self.steady_k - self.limit_k))


THERMAL = Table(
    label="thermal",
    keys=(
        Key("heating_k_s", Number(above=0, at_most=1e6), "K a second, while imaging"),
        Key(
            "time_constant_s",
            Number(above=0, at_most=366 * 86_400),
            "in which a camera at rest cools to 1/e of what it is above its surroundings",
        ),
        Key("limit_k", Number(above=0, at_most=1e6), "K above its surroundings allowed"),
        Key(
            "initial_k",
            Number(at_least=0),
            "K above its surroundings at the start",
            default=0.0,
        ),
    ),
)
