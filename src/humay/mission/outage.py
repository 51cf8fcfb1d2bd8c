"""Outages: when a station or a satellite is not to be had, whoever decided so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from humay.errors import MissionError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Text, Time


@dataclass(frozen=True, kw_only=True)
class Outage:
    """A time kept from the plan: of a station (passes booked by others, repair) or of a satellite
    (a manoeuvre, calibration, safe mode).

    Nothing goes up or down in it. A satellite takes no images in it, and its attitude is free: the
    plan leaves it in the idle attitude and takes it over there.
    """

    station: str | None = None
    satellite: str | None = None
    start: datetime
    end: datetime
    reason: str

    def __post_init__(self) -> None:
        OUTAGE.check(self)
        if (self.station is None) == (self.satellite is None):
            found = "neither station nor satellite" if self.station is None else "both"
            raise MissionError(f"outage: has {found}, expected one of station and satellite")
        if not self.start < self.end:
            raise MissionError(
                f"outage: end is {self.end.isoformat()}, expected after its start "
                f"({self.start.isoformat()})"
            )

    @property
    def who(self) -> str:
        """`station 'baku'` or `satellite 'spot-7'`."""
        if self.station is not None:
            return f"station {self.station!r}"
        return f"satellite {self.satellite!r}"


OUTAGE = Table(
    label="outage",
    keys=(
        Key("station", Text(), "whose antenna is not to be had", default=None),
        Key(
            "satellite",
            Text(),
            "which neither images nor sends nor listens; give a station or a satellite",
            default=None,
        ),
        Key("start", Time(), "from when on"),
        Key("end", Time(), "until when"),
        Key("reason", Text(), "why, as the plan is to say it"),
    ),
    rules={"oneOf": [{"required": [whose]} for whose in ("station", "satellite")]},
)
