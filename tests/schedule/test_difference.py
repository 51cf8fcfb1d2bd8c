"""The difference of two plans, by hand."""

from __future__ import annotations

from typing import Any

from humay.schedule import difference_document, plan_difference, told


def _entry(strip: str, satellite: str, start: str, value: float = 1.0) -> dict[str, Any]:
    return {
        "id": f"A-{strip}", "request": strip, "strip": strip, "satellite": satellite,
        "start": f"2026-06-01T{start}Z", "opportunity": f"{satellite}:{strip}", "value": value,
    }  # fmt: skip


def _plan(entries: list[dict[str, Any]], end: str = "2026-06-01T12:00:00Z") -> dict[str, Any]:
    return {
        "start": "2026-06-01T00:00:00Z",
        "end": end,
        "objective": {"value": sum(entry["value"] for entry in entries)},
        "acquisitions": entries,
        "requests": [
            {
                "name": name,
                "first": {"delivery": None},
                "reason": {"code": "slew", "text": "no time", "competitors": []},
            }
            for name in "abcd"
        ],
    }


OLD = _plan(
    [_entry("a", "x", "01:00:00"), _entry("b", "x", "02:00:00"), _entry("c", "x", "03:00:00")]
)
NEW = _plan(
    [_entry("a", "x", "01:00:00"), _entry("b", "y", "02:00:07.5"), _entry("d", "x", "04:00:00", 3)]
)


def test_a_difference_tells_what_is_kept_moved_dropped_and_added() -> None:
    found = difference_document(plan_difference(OLD, NEW), NEW)
    assert found["kept"] == 1
    (moved,) = found["moved"]
    assert (moved["strip"], moved["later_s"], moved["to"]["satellite"]) == ("b", 7.5, "y")
    (dropped,) = found["dropped"]
    assert (dropped["strip"], dropped["reason"]["code"]) == ("c", "slew")
    assert [entry["strip"] for entry in found["added"]] == ["d"]
    assert found["value"] == {"from": 3.0, "to": 5.0, "more": 2.0}


def test_a_difference_in_words_has_a_line_for_each_change() -> None:
    lines = told(difference_document(plan_difference(OLD, NEW), NEW)).splitlines()
    assert lines[0] == "1 kept, 1 moved, 1 dropped, 1 added; value 3.00 to 5.00 (+2.00)"
    assert lines[1].endswith("to y at 2026-06-01T02:00:07.5Z from x (+7.500 s)")
    assert lines[2].endswith("(slew: no time)")
    assert len(lines) == 4


def test_only_what_lies_in_the_span_of_both_plans_is_compared() -> None:
    short = _plan([_entry("a", "x", "01:00:00")], end="2026-06-01T02:30:00Z")
    found = plan_difference(OLD, short)
    assert [entry["strip"] for entry in found.dropped] == ["b"]


def test_a_plan_does_not_differ_from_itself() -> None:
    found = plan_difference(OLD, OLD)
    assert (len(found.kept), found.changed, found.added, found.deliveries) == (3, 0, [], [])
