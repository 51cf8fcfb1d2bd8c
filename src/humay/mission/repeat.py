"""Several looks at one place over time: a series in fixed slots, or monitoring."""

from __future__ import annotations

from dataclasses import dataclass

from humay.errors import RequestError
from humay.mission.keys import Key, Table
from humay.mission.kinds import Number, Whole

_LONGEST_H = 366 * 24.0


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """`count` looks, each an equal share of the request's worth.

    With `every_h` look k is taken in slot k, which begins k x `every_h` after the request's start
    and lasts `within_h` (None: up to the next one). Without, as many as possible up to `count`.
    Looks at one strip begin `min_separation_h` apart or more.
    """

    count: int
    every_h: float | None = None
    within_h: float | None = None
    min_separation_h: float | None = None

    def __post_init__(self) -> None:
        REPEAT.check(self)
        if self.every_h is None and self.min_separation_h is None:
            self._refuse("has neither every_h nor min_separation_h, expected one of them or both")
        if self.every_h is None:
            if self.within_h is not None:
                self._refuse("has within_h without every_h, expected both or none")
            return
        if self.within_h is not None and self.within_h > self.every_h:
            self._refuse(
                f"within_h is {self.within_h:g}, expected at most every_h, its slots apart"
            )
        apart_h = self.min_separation_h or 0.0
        farthest_h = self.every_h + self.slot_h
        if apart_h >= farthest_h:
            self._refuse(
                f"min_separation_h is {apart_h:g}, expected less than {farthest_h:g}:"
                " looks in slots next to each other are never further apart"
            )

    @property
    def slot_h(self) -> float:
        """How long a slot lasts; only of a series."""
        assert self.every_h is not None
        return self.every_h if self.within_h is None else self.within_h

    @property
    def separation_s(self) -> float:
        return 3600.0 * (self.min_separation_h or 0.0)

    @property
    def least_h(self) -> float:
        """The least time that all looks take, from the request's start on."""
        if self.every_h is not None:
            return (self.count - 1) * self.every_h + self.slot_h
        return (self.count - 1) * (self.min_separation_h or 0.0)

    def slots_s(self) -> list[tuple[float, float]]:
        """Begin and end of each slot of a series, in seconds after the request's start."""
        if self.every_h is None:
            return []
        return [
            (3600.0 * k * self.every_h, 3600.0 * (k * self.every_h + self.slot_h))
            for k in range(self.count)
        ]

    def _refuse(self, what: str) -> None:
        raise RequestError(f"repeat: {what}")


REPEAT = Table(
    label="repeat",
    noun="key",
    error=RequestError,
    keys=(
        Key("count", Whole(at_least=2, at_most=1000), "how many looks are wanted"),
        Key(
            "every_h",
            Number(above=0, at_most=_LONGEST_H),
            "a series: one look in each slot; slots begin so many hours apart, from `start` on",
            default=None,
        ),
        Key(
            "within_h",
            Number(above=0, at_most=_LONGEST_H),
            "how long a slot lasts; up to the next one without",
            default=None,
        ),
        Key(
            "min_separation_h",
            Number(above=0, at_most=_LONGEST_H),
            "least time from the start of a look to that of the next at the same strip; without"
            " `every_h`: monitoring, as many looks as possible up to `count`",
            default=None,
        ),
    ),
)
