"""Code `outage`: nothing is planned while a station or a satellite is not to be had."""

from __future__ import annotations

from collections.abc import Iterator

from humay.check.case import TIME_TOLERANCE_S, Case
from humay.check.violations import Violation
from humay.mission import Outage
from humay.time import format_utc, parse_utc


def check_outages(case: Case) -> Iterator[Violation]:
    """[outage] No pass, downlink or acquisition in one; a satellite's attitude is idle then."""
    met = [o for o in case.mission.outages if o.start < case.clock.end and o.end > case.clock.start]
    for outage in met:
        start_s = case.epoch.seconds(max(outage.start, case.clock.start))
        end_s = case.epoch.seconds(min(outage.end, case.clock.end))
        for where, begin_s, finish_s in _busy(case, outage):
            if begin_s < end_s - TIME_TOLERANCE_S and finish_s > start_s + TIME_TOLERANCE_S:
                yield case.at(
                    "outage",
                    where,
                    f"lies in the outage of {outage.who} from {format_utc(outage.start)} to"
                    f" {format_utc(outage.end)} ({outage.reason}), expected outside",
                    max(begin_s, start_s),
                )
    yield from _stated(case, met)


def _busy(case: Case, outage: Outage) -> Iterator[tuple[str, float, float]]:
    """What a station or a satellite does: where it is told, from when to when."""
    for booked in case.passes:
        if outage.station == booked.station.name or outage.satellite == booked.satellite.name:
            yield booked.where, booked.start_s, booked.end_s
    for sent in case.downlinks:
        if outage.station == sent.entry["station"] or outage.satellite == sent.satellite.name:
            yield sent.where, sent.start_s, sent.end_s
    for acquisition in case.recorded:
        if outage.satellite == acquisition.satellite.name:
            yield acquisition.where, acquisition.start_s, acquisition.end_s
    for segment in case.segments.get(outage.satellite or "", ()):
        if segment.mode != "idle":
            yield segment.where, segment.start_s, segment.end_s


def _stated(case: Case, met: list[Outage]) -> Iterator[Violation]:
    """The plan tells the mission's outages, if it tells any; it must where there are some."""
    stated = case.plan.get("outages", [])
    told = [
        (o["station"], o["satellite"], parse_utc(o["start"]), parse_utc(o["end"]), o["reason"])
        for o in stated
    ]
    expected = [(o.station, o.satellite, o.start, o.end, o.reason) for o in met]
    for outage, row in zip(met, expected, strict=True):
        if row not in told:
            message = f"that of {outage.who} from {format_utc(outage.start)} is missing, expected"
            yield case.at("outage", "plan.outages", f"{message} as in the mission")
    for number, row in enumerate(told):
        if row not in expected:
            message = "is none of the mission's that meet the plan, expected one of them"
            yield case.at("outage", f"plan.outages[{number}]", message)
