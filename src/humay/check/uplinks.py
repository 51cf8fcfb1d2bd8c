"""Code `uplink`: every command is on board in time, and there is room for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from humay.check.case import TIME_TOLERANCE_S, Case, Pass, Recorded
from humay.check.violations import Violation
from humay.mission import Satellite
from humay.time import format_utc


def check_uplinks(case: Case) -> Iterator[Violation]:
    """[uplink] Every command goes up after its preparation, in a pass of its satellite, in time; no
    pass carries too many, and no more wait on board than there is room for."""
    for acquisition in case.recorded:
        name = acquisition.entry["uplink"]
        booked = case.pass_of.get(name)
        if acquisition.id in case.frozen:
            yield from _sent(case, acquisition)
        elif booked is None:
            message = f"its uplink is {name!r}, expected the id of a pass"
            yield case.at("uplink", acquisition.where, message, acquisition.start_s)
        else:
            yield from _uplink(case, acquisition, booked)
    for satellite in case.mission.satellites:
        yield from _per_pass(case, satellite)
        yield from _queue(case, satellite)


def _uplink(case: Case, acquisition: Recorded, booked: Pass) -> Iterator[Violation]:
    def fault(message: str) -> Violation:
        return case.at("uplink", acquisition.where, message, acquisition.start_s)

    satellite = acquisition.satellite
    if booked.satellite is not satellite:
        yield fault(f"commanded in {booked.where}, expected one of {satellite.name!r}")
    if not booked.entry["uplink"]:
        yield fault(f"commanded in {booked.where}, expected one with uplink")
    ready_s = case.release_s + satellite.preparation_s
    if booked.start_s < ready_s - TIME_TOLERANCE_S:
        begin, ready = booked.entry["start"], format_utc(case.clock.utc(ready_s))
        yield fault(
            f"{booked.where} begins at {begin}, expected not before {ready}: release and"
            f" {satellite.preparation_s:g} s of preparation"
        )
    latest_s = acquisition.start_s - satellite.command_lead_s
    if booked.end_s > latest_s + TIME_TOLERANCE_S:
        end, latest = booked.entry["end"], format_utc(case.clock.utc(latest_s))
        yield fault(
            f"{booked.where} ends at {end}, expected not after {latest}: its start less"
            f" {satellite.command_lead_s:g} s of lead"
        )


def _sent(case: Case, acquisition: Recorded) -> Iterator[Violation]:
    """An earlier plan has sent the command, in time; `previous` tells in which pass."""
    sent_s = case.uplink_end_s(acquisition)
    latest_s = acquisition.start_s - acquisition.satellite.command_lead_s
    if sent_s is None or sent_s > latest_s + TIME_TOLERANCE_S:
        name = acquisition.entry["uplink"]
        message = f"its uplink is {name!r}, expected a pass told that ends in time"
        yield case.at("uplink", acquisition.where, message, acquisition.start_s)


def _per_pass(case: Case, satellite: Satellite) -> Iterator[Violation]:
    most = satellite.commands_per_pass
    if most is None:
        return
    carried: dict[str, int] = defaultdict(int)
    for acquisition in case.of(satellite)[0]:
        carried[acquisition.entry["uplink"]] += 1
    for name, count in carried.items():
        booked = case.pass_of.get(name)
        if count > most and booked is not None:
            message = f"carries the commands of {count} acquisitions, expected at most {most}"
            yield case.at("uplink", booked.where, message, booked.start_s)


def _queue(case: Case, satellite: Satellite) -> Iterator[Violation]:
    """Each waits from the end of its pass to its first line; the queue is longest as a pass ends.

    What begins as a pass ends has left.
    """
    most = satellite.command_queue
    if most is None:
        return
    waits = [
        (sent_s, acquisition.start_s)
        for acquisition in case.of(satellite)[0]
        if (sent_s := case.uplink_end_s(acquisition)) is not None
    ]
    for end_s in sorted({up_s for up_s, _ in waits}):
        waiting = sum(1 for up_s, start_s in waits if up_s <= end_s < start_s)
        if waiting > most:
            message = f"{waiting} acquisitions wait on board, expected at most {most}"
            yield case.at("uplink", f"satellite {satellite.name!r}", message, end_s)
            return
