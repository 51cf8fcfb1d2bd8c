"""Star trackers: what blinds each, so that some of them always see stars."""

from __future__ import annotations

from dataclasses import dataclass

from humay.errors import MissionError
from humay.mission.keep_out import Body, KeepOut
from humay.mission.keys import Key, Table
from humay.mission.kinds import Direction, Number, Text

_EXCLUSION = Number(above=0, below=180)


@dataclass(frozen=True, kw_only=True)
class StarTracker:
    """A star tracker that looks along `axis` of the body and sees nothing with the Sun's or Moon's
    centre, or the Earth's limb, nearer to it than its exclusion angle for that body."""

    name: str
    axis: tuple[float, float, float]
    sun_rad: float | None = None
    moon_rad: float | None = None
    earth_rad: float | None = None

    def __post_init__(self) -> None:
        STAR_TRACKER.check(self)
        if not self.exclusions:
            raise MissionError(
                f"star tracker {self.name!r}: has none of sun_deg, moon_deg and earth_deg, expected"
                " what blinds it"
            )

    @property
    def exclusions(self) -> tuple[KeepOut, ...]:
        """What it must keep off to see."""
        angles: tuple[tuple[Body, float | None], ...] = (
            ("sun", self.sun_rad), ("moon", self.moon_rad), ("earth", self.earth_rad),
        )  # fmt: skip
        return tuple(
            KeepOut(name=self.name, axis=self.axis, body=body, angle_rad=angle)
            for body, angle in angles
            if angle is not None
        )


STAR_TRACKER = Table(
    label="star tracker",
    keys=(
        Key("name", Text(), "which one it is"),
        Key("axis", Direction(), "where it looks, body frame x, y, z"),
        Key("sun_deg", _EXCLUSION, "blind with the Sun's centre nearer to its axis", default=None),
        Key(
            "moon_deg", _EXCLUSION, "blind with the Moon's centre nearer to its axis", default=None
        ),
        Key(
            "earth_deg", _EXCLUSION, "blind with the Earth's limb nearer to its axis", default=None
        ),
    ),
    rules={"anyOf": [{"required": [key]} for key in ("sun_deg", "moon_deg", "earth_deg")]},
)
