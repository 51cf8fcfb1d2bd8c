"""The age of information, by the formula of docs/reference/plan.md."""

from __future__ import annotations

from collections.abc import Iterator

from humay.check.case import Acquisition, Case
from humay.check.violations import Violation

FRESH_TOLERANCE = 1e-6


def counts_age(case: Case) -> bool:
    """Whether images count for less the later they come down."""
    return case.mission.objective.age_half_life_h is not None


def fresh_part(case: Case, look: Acquisition) -> float:
    """What an image counts for: half of it for each half-life from its last line to its delivery,
    or to the end of the plan."""
    half_h = case.mission.objective.age_half_life_h
    if half_h is None:
        return 1.0
    text = look.entry["delivered"]
    down_s = max(case.end_s, look.end_s) if text is None else case.clock.seconds(text)
    return float(0.5 ** (max(down_s - look.end_s, 0.0) / 3_600.0 / half_h))


def check_freshness(case: Case) -> Iterator[Violation]:
    """[looks] Each acquisition has what it counts for by its age, where that counts; else none."""
    for look in case.acquisitions:
        told = look.entry.get("fresh")
        if (told is not None) != counts_age(case):
            expected = "it" if counts_age(case) else "none: age does not count"
            yield case.at("looks", look.where, f"fresh, expected {expected}", look.start_s)
        elif told is not None and abs(told - fresh_part(case, look)) > FRESH_TOLERANCE:
            message = f"fresh is {told:.6f}, expected {fresh_part(case, look):.6f}"
            yield case.at("looks", look.where, message, look.start_s)
