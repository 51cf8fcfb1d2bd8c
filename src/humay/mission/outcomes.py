"""What of a plan that flew did not go as planned: the file for `--outcomes`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from humay.errors import PlanError
from humay.mission.keys import Key, Rows, Table
from humay.mission.kinds import Choice, Place, Text, Time
from humay.mission.outage import Outage
from humay.time import format_utc

OUTCOMES_FORMAT = "humay-outcomes-1"


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An acquisition of the plan that came to nothing: `cloudy`, `lost` (came down damaged) or
    `missed` (never taken)."""

    id: str
    what: str


@dataclass(frozen=True, kw_only=True)
class BadImage:
    """An image of an earlier plan that came to nothing, by its strip and its end."""

    strip: str
    end: datetime
    what: str


@dataclass(frozen=True, kw_only=True)
class LostPass:
    """A pass in which no commands went up (`uplink`), no data came down (`downlink`) or `both`."""

    id: str
    lost: str = "both"

    @property
    def up(self) -> bool:
        return self.lost != "downlink"

    @property
    def down(self) -> bool:
        return self.lost != "uplink"


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What did not go as planned. In a safe mode a satellite does nothing of what it was told."""

    acquisitions: tuple[Failure, ...] = ()
    images: tuple[BadImage, ...] = ()
    passes: tuple[LostPass, ...] = ()
    safe_modes: tuple[Outage, ...] = ()

    def __post_init__(self) -> None:
        _refuse_twins("acquisition", (each.id for each in self.acquisitions))
        _refuse_twins("image", ((each.strip, each.end) for each in self.images))
        _refuse_twins("pass", (each.id for each in self.passes))
        modes = [(m.satellite, format_utc(m.start), format_utc(m.end)) for m in self.safe_modes]
        _refuse_twins("safe mode", modes)

    def document(self) -> dict[str, Any]:
        """As the file has it, with nothing left out."""
        return {
            "format": OUTCOMES_FORMAT,
            "acquisitions": [vars(each) for each in self.acquisitions],
            "images": [vars(each) | {"end": format_utc(each.end)} for each in self.images],
            "passes": [vars(each) for each in self.passes],
            "safe_modes": [
                {
                    "satellite": each.satellite,
                    "start": format_utc(each.start),
                    "end": format_utc(each.end),
                    "reason": each.reason,
                }
                for each in self.safe_modes
            ],
        }


def _refuse_twins(what: str, names: Iterable[Hashable]) -> None:
    twins = [name for name, count in Counter(names).items() if count > 1]
    if twins:
        raise PlanError(f"outcomes: {what} {twins[0]!r} stands twice, expected once")


def outcomes_from(document: Any, where: str) -> Outcomes:
    """Outcomes from JSON. Raises `PlanError` with the place, what was found and expected."""
    place = Place(file=where, error=PlanError)
    fields = OUTCOMES.read(document, place)
    fields.pop("format")
    return Outcomes(**fields)


def _safe_mode(satellite: str, start: datetime, end: datetime, reason: str) -> Outage:
    return Outage(satellite=satellite, start=start, end=end, reason=reason)


_WHAT = Key(
    "what",
    Choice(("cloudy", "lost", "missed")),
    "clouds in it; came down damaged; never taken, so that there are no data of it",
)
FAILURE = Table(
    label="acquisition",
    error=PlanError,
    keys=(Key("id", Text(), "its id in the previous plan"), _WHAT),
)
BAD_IMAGE = Table(
    label="image",
    error=PlanError,
    keys=(
        Key("strip", Text(), "its strip, as `previous.imaged` of the previous plan names it"),
        Key("end", Time(), "its end, as given there"),
        _WHAT,
    ),
)
LOST_PASS = Table(
    label="pass",
    error=PlanError,
    keys=(
        Key("id", Text(), "its id in the previous plan"),
        Key(
            "lost",
            Choice(("both", "uplink", "downlink")),
            "whether no commands went up, no data came down, or both",
            default="both",
        ),
    ),
)
SAFE_MODE = Table(
    label="safe mode",
    error=PlanError,
    keys=(
        Key("satellite", Text(), "which satellite"),
        Key("start", Time(), "from when on it does nothing"),
        Key("end", Time(), "until when; it may lie in the new plan"),
        Key("reason", Text(), "as the plan is to say it", default="safe mode"),
    ),
)
OUTCOMES = Table(
    label="outcomes",
    error=PlanError,
    keys=(
        Key("format", Choice((OUTCOMES_FORMAT,)), "of the file"),
        Key(
            "acquisitions",
            Rows(table=FAILURE, make=Failure),
            "of the previous plan, that came to nothing",
            default=[],
        ),
        Key(
            "images",
            Rows(table=BAD_IMAGE, make=BadImage),
            "of plans before it, that came to nothing",
            default=[],
        ),
        Key("passes", Rows(table=LOST_PASS, make=LostPass), "that were lost", default=[]),
        Key(
            "safe_modes",
            Rows(table=SAFE_MODE, make=_safe_mode),
            "in which a satellite did nothing",
            default=[],
        ),
    ),
)
