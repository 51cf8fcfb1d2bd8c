"""Two or three looks at one place that belong together: what a stereo request asks of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from humay.errors import RequestError
from humay.mission.keys import Key, Sub, Table
from humay.mission.kinds import Number, Whole

_MOST_BASE_TO_HEIGHT = 10.0  # a convergence of 157 deg


@dataclass(frozen=True, kw_only=True)
class PairLimits:
    """What two looks at one place must meet; `docs/reference/stereo.md` defines each quantity.

    The defaults are no limit, but for the longest separation, which leaves the looks of one pass.
    """

    min_convergence_rad: float = 0.0
    max_convergence_rad: float = math.pi
    min_base_to_height: float = 0.0
    max_base_to_height: float | None = None
    min_bisector_elevation_rad: float = 0.0
    max_asymmetry_rad: float = math.pi / 2
    min_overlap: float = 0.0
    max_sun_change_rad: float = math.pi
    min_separation_s: float = 0.0
    max_separation_s: float = 600.0

    def __post_init__(self) -> None:
        NEIGHBOURS.check(self)
        low, high = self.convergence_rad
        if not 0 < low < high:
            self._refuse(
                f"convergence goes from {math.degrees(low):.6g} to {math.degrees(high):.6g} deg,"
                " expected a least one above 0 and a larger greatest one"
                " (base-to-height counts as 2 tan(convergence / 2))"
            )
        if not self.min_separation_s < self.max_separation_s:
            self._refuse(
                f"max_separation_s is {self.max_separation_s:g}, expected more than"
                f" min_separation_s ({self.min_separation_s:g})"
            )

    @property
    def convergence_rad(self) -> tuple[float, float]:
        """Least and greatest convergence, those that base-to-height asks for included."""
        low = 2 * math.atan(self.min_base_to_height / 2)
        high = math.pi
        if self.max_base_to_height is not None:
            high = 2 * math.atan(self.max_base_to_height / 2)
        return max(self.min_convergence_rad, low), min(self.max_convergence_rad, high)

    def _refuse(self, what: str) -> None:
        raise RequestError(f"stereo: {what}")


@dataclass(frozen=True, kw_only=True)
class StereoLimits(PairLimits):
    """Two looks, or three one after the other, whose first and last are a pair within these limits.

    Of three, the first and the middle look are a pair within `neighbours`, and so are the middle
    and the last; None: within the limits of first and last. `max_middle_pitch_rad` keeps the middle
    look near the closest approach.
    """

    looks: int = 2
    neighbours: PairLimits | None = None
    max_middle_pitch_rad: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        STEREO.check(self)
        for name in ("neighbours", "max_middle_pitch_rad"):
            if self.looks == 2 and getattr(self, name) is not None:
                self._refuse(f"{name} is given for 2 looks, expected 3 looks with it")

    @property
    def neighbouring(self) -> PairLimits:
        """What looks next to each other must meet."""
        return self if self.neighbours is None else self.neighbours


_PAIR = (
    Key(
        "min_convergence_deg",
        Number(at_least=0, below=180),
        "least angle between both lines of sight at the place",
        default=0.0,
    ),
    Key(
        "max_convergence_deg",
        Number(above=0, at_most=180),
        "greatest angle between both lines of sight",
        default=180.0,
    ),
    Key(
        "min_base_to_height",
        Number(at_least=0, at_most=_MOST_BASE_TO_HEIGHT),
        "the same as a ratio, 2 tan(convergence / 2)",
        default=0.0,
    ),
    Key(
        "max_base_to_height",
        Number(above=0, at_most=_MOST_BASE_TO_HEIGHT),
        "greatest ratio",
        default=None,
    ),
    Key(
        "min_bisector_elevation_deg",
        Number(at_least=0, below=90),
        "least elevation of the bisector of both lines of sight",
        default=0.0,
    ),
    Key(
        "max_asymmetry_deg",
        Number(above=0, at_most=90),
        "greatest angle between the bisector and the vertical in the plane of both lines of sight",
        default=90.0,
    ),
    Key(
        "min_overlap",
        Number(at_least=0, below=1),
        "least part of the smaller scene that the other one shows as well",
        default=0.0,
    ),
    Key(
        "max_sun_change_deg",
        Number(above=0, at_most=180),
        "greatest angle between the Sun's directions at both looks",
        default=180.0,
    ),
    Key(
        "min_separation_s",
        Number(at_least=0, at_most=366 * 86_400),
        "least time between both looks; one satellite also needs its slew",
        default=0.0,
    ),
    Key(
        "max_separation_s",
        Number(above=0, at_most=366 * 86_400),
        "greatest time between both looks; 600 leaves the looks of one pass",
        default=600.0,
    ),
)

NEIGHBOURS = Table(label="stereo", noun="limit", error=RequestError, keys=_PAIR)

STEREO = Table(
    label="stereo",
    noun="limit",
    error=RequestError,
    keys=(
        Key("looks", Whole(at_least=2, at_most=3), "a pair, or three looks in a row", default=2),
        *_PAIR,
        Key(
            "neighbours",
            Sub(table=NEIGHBOURS, make=PairLimits),
            "of three looks, the limits of those next to each other; without it those of the"
            " first and the last hold for them as well",
            default=None,
        ),
        Key(
            "max_middle_pitch_deg",
            Number(above=0, below=90),
            "of three looks, the greatest pitch of the middle one either way",
            default=None,
        ),
    ),
)
