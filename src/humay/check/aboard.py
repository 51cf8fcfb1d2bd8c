"""What is on board as a plan begins, by the rule of docs/reference/plan.md: what of which image,
and what of it goes down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeAlias

from humay.check.acknowledged import waits
from humay.check.case import Case, Downlink, Json
from humay.check.earlier import images_of
from humay.check.violations import Violation
from humay.mission import Satellite
from humay.time import parse_utc

Source: TypeAlias = tuple[str | None, str | None, str | None, str | None]
"""Request, strip and end of an image, None for what nobody knows, and the pass it went down in."""

SUM_TOLERANCE_GBIT = 1e-6
LEDGER_TOLERANCE_GBIT = 2e-4  # the curves that this is read off are told to 1e-4
DELIVERED_TOLERANCE_S = 1e-3


def entries_of(case: Case, satellite: Satellite | None = None) -> list[Json]:
    """What a plan says is on board at its start, of one satellite or of all."""
    entries = case.plan.get("previous", {}).get("aboard", [])
    return [e for e in entries if satellite is None or e["satellite"] == satellite.name]


def check_aboard(case: Case) -> Iterator[Violation]:
    """[downlink] What is on board has names of its own, adds up to the memory that is filled, and
    goes down at most once."""
    names = [entry["id"] for entry in entries_of(case)]
    if len(set(names)) < len(names):
        yield case.at("downlink", "previous.aboard", "names something twice, expected once")
    told = case.plan.get("previous", {}).get("state", {})
    for satellite in case.mission.satellites:
        own = entries_of(case, satellite)
        total, filled = sum(e["gbit"] for e in own), told.get(satellite.name, {})
        slack = SUM_TOLERANCE_GBIT * (1 + len(own))
        if own and abs(filled.get("memory_gbit", 0.0) - total) > slack:
            message = (
                f"adds up to {total:.6f} Gbit, expected the memory that is filled at the start"
            )
            yield case.at("downlink", f"previous.aboard of {satellite.name!r}", message)
        sent = _sent_again(case, satellite)
        known = {entry["id"] for entry in own if entry["pass"] is None}
        for name in set(sent) - known:
            message = f"carries {name!r}, expected what its satellite has on board unsent"
            yield case.at("downlink", sent[name][0][0].where, message, sent[name][0][0].start_s)
        for entry in own:
            yield from _entry(case, entry, sent.get(entry["id"], []))


def _sent_again(case: Case, satellite: Satellite) -> dict[str, list[tuple[Downlink, float]]]:
    """What went down of each of them, and in which downlinks."""
    sent: dict[str, list[tuple[Downlink, float]]] = defaultdict(list)
    for downlink in case.of(satellite)[1]:
        for item in downlink.entry["items"]:
            if "aboard" in item:
                sent[item["aboard"]].append((downlink, item["gbit"]))
    return sent


def _entry(case: Case, entry: Json, sent: list[tuple[Downlink, float]]) -> Iterator[Violation]:
    where, total = f"previous.aboard[{entry['id']!r}]", sum(gbit for _, gbit in sent)
    slack = SUM_TOLERANCE_GBIT * (1 + len(sent))
    if total > entry["gbit"] + slack:
        message = f"{total:.6f} Gbit of it go down, expected at most {entry['gbit']:.6f}"
        yield case.at("downlink", where, message)
    whole = entry["pass"] is None and total > entry["gbit"] - slack
    end_s = max((d.end_s for d, _ in sent), default=case.start_s) if whole else None
    text = entry["delivered"]
    stated_s = None if text is None else case.clock.seconds(text)
    agree = (stated_s is None) == (end_s is None) and (
        stated_s is None or end_s is None or abs(stated_s - end_s) <= DELIVERED_TOLERANCE_S
    )
    if not agree:
        expected = "null" if end_s is None else case.clock.utc(end_s).isoformat()
        yield case.at("downlink", where, f"delivered is {text}, expected {expected}")


# Against the previous plan ------------------------------------------------------------------------


def check_taken_over(case: Case, told: Json, old: Json) -> Iterator[Violation]:
    """[previous] What is on board at the start is what the previous plan leaves there."""
    lost = set(told.get("lost_passes", ()))
    strangers = lost - {entry["id"] for entry in old["passes"]} - {
        entry["pass"] for entry in old.get("previous", {}).get("aboard", ())
    }  # fmt: skip
    if strangers:
        message = f"{min(strangers)!r} is told to be lost, expected a pass of the previous plan"
        yield case.at("previous", "previous.lost_passes", message)
    for satellite in case.mission.satellites:
        found: dict[Source, float] = defaultdict(float)
        for e in entries_of(case, satellite):
            found[e["request"], e["strip"], e["end"], e["pass"]] += e["gbit"]
        expected = _left(case, old, satellite, lost)
        for source in set(found) | set(expected):
            off = abs(found.get(source, 0.0) - expected.get(source, 0.0))
            if off > LEDGER_TOLERANCE_GBIT:
                request, _, end, booked = source
                what = "of older images" if request is None else f"of {request!r}, {end}"
                message = (
                    f"{found.get(source, 0.0):.6f} Gbit {what}, sent in {booked!r}, are on board,"
                    f" expected {expected.get(source, 0.0):.6f}"
                )
                yield case.at("previous", f"previous.aboard of {satellite.name!r}", message)


def _left(case: Case, old: Json, satellite: Satellite, lost: set[str]) -> dict[Source, float]:
    """What a plan leaves on board at the start of the next."""
    before = [
        e for e in old.get("previous", {}).get("aboard", ()) if e["satellite"] == satellite.name
    ]
    left: dict[Source, float] = defaultdict(float)
    if parse_utc(old["start"]) == case.clock.start:
        for e in before:
            left[e["request"], e["strip"], e["end"], e["pass"]] += e["gbit"]
        return left
    known = {e["id"]: (e["request"], e["strip"], e["end"]) for e in before}
    waiting = waits(satellite)
    for e in before:
        unsent = e["pass"] is None or (e["pass"] in lost and waiting)
        left[(*known[e["id"]], None if unsent else e["pass"])] += e["gbit"]
    curves = old["resources"][satellite.name]
    state = old.get("previous", {}).get("state", {}).get(satellite.name, {})
    full = state.get("memory_gbit", curves["memory_gbit"][0])
    left[None, None, None, None] += full - sum(e["gbit"] for e in before)
    for entry in images_of(old):
        if entry["satellite"] == satellite.name:
            known[entry["id"]] = entry["request"], entry["strip"], entry["end"]
            if case.clock.seconds(entry["end"]) <= case.start_s:
                left[(*known[entry["id"]], None)] += entry["data_gbit"]
    for downlink in old["downlinks"]:
        if downlink["satellite"] == satellite.name:
            _move(case, downlink, known, left, lost if waiting else set())
    freed = {
        entry["pass"]
        for entry in curves.get("freed", ())
        if entry["time"] is not None
        and case.clock.seconds(entry["time"]) <= case.start_s
        and entry["uplink"] not in lost
    }
    return {
        source: gbit
        for source, gbit in left.items()
        if source[3] is None or (waiting and source[3] not in freed)
    }


def _move(
    case: Case,
    downlink: Json,
    known: dict[str, tuple[str | None, str | None, str | None]],
    left: dict[Source, float],
    lost: set[str],
) -> None:
    """Take what a downlink has sent by the start from what is unsent, unless it was lost."""
    begin_s, end_s = (case.clock.seconds(downlink[key]) for key in ("start", "end"))
    share = min(max((case.start_s - begin_s) / (end_s - begin_s), 0.0), 1.0)
    if downlink["pass"] in lost:
        return
    done, sent = 0.0, share * downlink["gbit"]
    for item in downlink["items"]:
        part = min(max(sent - done, 0.0), item["gbit"])
        done += item["gbit"]
        source = known.get(item.get("aboard") or item["acquisition"] or "", (None, None, None))
        left[(*source, None)] -= part
        left[(*source, downlink["pass"])] += part
