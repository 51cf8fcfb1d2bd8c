"""Code `coverage`, of times: when a request is first commanded, imaged and delivered."""

from __future__ import annotations

from collections.abc import Iterator

from humay.check.aboard import entries_of
from humay.check.case import TIME_TOLERANCE_S, Acquisition, Case, Json
from humay.check.violations import Violation
from humay.time import format_utc


def check_answers(case: Case) -> Iterator[Violation]:
    """[coverage] `first` is the earliest of what the acquisitions of a request say."""
    for entry in case.plan["requests"]:
        if "first" not in entry:
            continue
        own = [a for a in case.acquisitions if a.entry["request"] == entry["name"]]
        before = [e["delivered"] for e in entries_of(case) if e["request"] == entry["name"]]
        for what, found in _times(case, own, before).items():
            yield from _compared(case, entry, what, min(found, default=None))


def _times(case: Case, own: list[Acquisition], before: list[str | None]) -> dict[str, list[float]]:
    sent_s = [case.uplink_end_s(a) for a in own]
    delivered = [*(a.entry["delivered"] for a in own), *before]
    return {
        "uplink": [end_s for end_s in sent_s if end_s is not None],
        "image": [a.end_s for a in own],
        "delivery": [case.clock.seconds(text) for text in delivered if text is not None],
    }


def _compared(case: Case, entry: Json, what: str, expected_s: float | None) -> Iterator[Violation]:
    text = entry["first"][what]
    stated_s = None if text is None else case.clock.seconds(text)
    if stated_s is None and expected_s is None:
        return
    if stated_s is None or expected_s is None or abs(stated_s - expected_s) > TIME_TOLERANCE_S:
        expected = "null" if expected_s is None else format_utc(case.clock.utc(expected_s))
        where, found = f"request {entry['name']!r}", "null" if text is None else text
        yield case.at("coverage", where, f"first {what} is {found}, expected {expected}", stated_s)
