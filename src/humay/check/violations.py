"""What a check finds, and how a verdict reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from humay.time import format_utc

LINES_AT_MOST = 50


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing that is wrong: which check says so, of what, what was found and what was expected.

    `time` is when it happens in the plan, None where it has no time.
    """

    code: str
    where: str
    message: str
    time: datetime | None = None

    def __str__(self) -> str:
        at = "" if self.time is None else f"{format_utc(self.time)} "
        return f"{at}[{self.code}] {self.where}: {self.message}"


def in_time_order(violations: Sequence[Violation]) -> list[Violation]:
    """Those without a time first, then by time; equals keep their order."""
    timeless = [v for v in violations if v.time is None]
    timed = [(v.time, i, v) for i, v in enumerate(violations) if v.time is not None]
    return timeless + [v for _, _, v in sorted(timed, key=lambda item: item[:2])]


def verdict(violations: Sequence[Violation]) -> str:
    """`valid`, or one line a violation in time order; after 50 of them, how many more there are."""
    if not violations:
        return "valid"
    lines = [str(violation) for violation in in_time_order(violations)[:LINES_AT_MOST]]
    if len(violations) > LINES_AT_MOST:
        lines.append(f"and {len(violations) - LINES_AT_MOST} more violations")
    return "\n".join(lines)
