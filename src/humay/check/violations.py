"""What a check finds, and how a verdict reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from humay.time import parse_utc

LINES_AT_MOST = 50
CODES = (
    "span", "orbit", "window", "attitude", "slew", "keep_out", "tracking", "overlap", "contact",
    "antenna",
    "outage", "uplink", "downlink", "memory", "imaging_time", "energy", "eclipse", "coverage",
    "looks", "calibration",
    "bound", "previous",
)  # fmt: skip
"""The checks, as docs/guide/check.md describes them."""


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing that is wrong: which check says so, of what, what was found and what was expected.

    `time` is when it happens in the plan, as UTC text, None where it has no time.
    """

    code: str
    where: str
    message: str
    time: str | None = None

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"code is {self.code!r}, expected one of {CODES}")

    def __str__(self) -> str:
        at = "" if self.time is None else f"{self.time} "
        return f"{at}[{self.code}] {self.where}: {self.message}"


def in_time_order(violations: Sequence[Violation]) -> list[Violation]:
    """Those without a time first, then by time; equals keep their order."""
    timeless = [v for v in violations if v.time is None]
    timed = [(parse_utc(v.time), v) for v in violations if v.time is not None]
    return timeless + [v for _, v in sorted(timed, key=lambda item: item[0])]


def verdict(violations: Sequence[Violation]) -> str:
    """`valid`, or one line a violation in time order; after 50 of them, how many more there are."""
    if not violations:
        return "valid"
    lines = [str(violation) for violation in in_time_order(violations)[:LINES_AT_MOST]]
    if len(violations) > LINES_AT_MOST:
        lines.append(f"and {len(violations) - LINES_AT_MOST} more violations")
    return "\n".join(lines)
