"""Codes `downlink`, `memory`, `imaging_time` and `overlap`: what is recorded, kept and sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from humay.arrays import FloatArray
from humay.check.aboard import entries_of
from humay.check.acknowledged import Moved, left_bit, progress_bit, releases
from humay.check.case import TIME_TOLERANCE_S, Case, Downlink, Pass, Recorded
from humay.check.contacts import LONGEST_CONTACT_S
from humay.check.flown import flown_of
from humay.check.rates import steps_of
from humay.check.violations import Violation
from humay.mission import Camera, ImagingLimit, Satellite

RATE_TOLERANCE = 1e-6  # relative
SUM_TOLERANCE_GBIT = 1e-6
DATA_TOLERANCE = 0.01  # relative
CURVE_TOLERANCE = 0.005  # of the capacity, or of an imaging limit
DELIVERED_TOLERANCE_S = 1e-3


# ---------------------------------------------------------------- overlap, imaging time


def check_overlaps(case: Case) -> Iterator[Violation]:
    """[overlap] A satellite images one strip at a time."""
    for satellite in case.mission.satellites:
        latest: Recorded | None = None
        for this in case.of(satellite)[0]:
            if latest is not None and this.start_s < latest.end_s - TIME_TOLERANCE_S:
                yield case.at(
                    "overlap",
                    this.where,
                    f"begins {latest.end_s - this.start_s:.3f} s before the end of {latest.where},"
                    " expected after it",
                    this.start_s,
                )
            if latest is None or this.end_s > latest.end_s:
                latest = this


def check_imaging_time(case: Case) -> Iterator[Violation]:
    """[imaging_time] No window of `per_s` holds over `seconds` of imaging; stated curves agree."""
    for satellite in case.mission.satellites:
        acquisitions = case.of(satellite)[0]
        own = [(a.start_s, a.end_s) for a in acquisitions]
        spans = np.array([*flown_of(case, satellite), *own]).reshape(-1, 2)
        for number, limit in enumerate(satellite.imaging_limits):
            # The time used is piecewise linear, so its tops lie at edges of imaging or windows.
            edges = np.concatenate([spans.ravel(), spans.ravel() + limit.per_s])
            used_s = imaged_within(spans, limit, edges)
            if edges.size and used_s.max() > limit.seconds + TIME_TOLERANCE_S * max(1, len(spans)):
                end_s = float(edges[np.argmax(used_s)])
                yield case.at(
                    "imaging_time",
                    f"satellite {satellite.name!r}",
                    f"images for {used_s.max():.3f} s within {limit.per_s:g} s, expected at most"
                    f" {limit.seconds:g} s (limit {number})",
                    end_s,
                )
        yield from _stated_imaging(case, satellite, spans)


def imaged_within(spans: FloatArray, limit: ImagingLimit, ends_s: FloatArray) -> FloatArray:
    """Seconds (n,) of imaging in the `per_s` before each of the times (n,)."""
    lengths = spans[:, 1] - spans[:, 0]
    order = np.argsort(spans[:, 0])
    starts, total = spans[order, 0], np.concatenate([[0.0], np.cumsum(lengths[order])])

    def until(t_s: FloatArray) -> FloatArray:
        i = np.searchsorted(starts, t_s, side="right")
        if not len(starts):
            return np.zeros(t_s.shape)
        last = np.maximum(i - 1, 0)
        beyond = np.maximum(spans[order, 1][last] - t_s, 0.0)  # of a strip still being imaged
        return np.asarray(total[i] - np.where(i > 0, beyond, 0.0))

    return until(ends_s) - until(ends_s - limit.per_s)


def _stated_imaging(case: Case, satellite: Satellite, spans: FloatArray) -> Iterator[Violation]:
    stated = case.plan["resources"].get(satellite.name)
    if stated is None:
        return
    where = f"resources[{satellite.name!r}]"
    curves, limits = stated["imaging_s"], satellite.imaging_limits
    if len(curves) != len(limits):
        message = f"imaging_s has {len(curves)} curves, expected one a limit ({len(limits)})"
        yield case.at("imaging_time", where, message)
        return
    t_s = curve_times(case, satellite)
    for number, (curve, limit) in enumerate(zip(curves, limits, strict=True)):
        if len(curve) != len(t_s):
            message = f"imaging_s[{number}] has {len(curve)} values, expected {len(t_s)}"
            yield case.at("imaging_time", where, message)
            continue
        used_s = imaged_within(spans, limit, t_s)
        yield from disagreement(
            case, "imaging_time", f"{where}.imaging_s[{number}]", t_s, np.array(curve, float),
            used_s, CURVE_TOLERANCE * limit.seconds, "s",
        )  # fmt: skip


# ---------------------------------------------------------------- downlink


def check_downlinks(case: Case) -> Iterator[Violation]:
    """[downlink] Rates, passes, items and deliveries."""
    for satellite in case.mission.satellites:
        latest: Downlink | None = None
        for this in case.of(satellite)[1]:
            if latest is not None and this.start_s < latest.end_s - TIME_TOLERANCE_S:
                message = f"begins before the end of {latest.where}, expected after it"
                yield case.at("downlink", this.where, message, this.start_s)
            if latest is None or this.end_s > latest.end_s:
                latest = this
            yield from _carried(case, this)
            yield from _items(case, this)
            if satellite.antenna == "fixed":
                yield from _pointed(case, this)
            if not satellite.image_while_downlinking:
                yield from _while_imaging(case, this)
    yield from _deliveries(case)
    yield from _leftovers(case)


def _carried(case: Case, downlink: Downlink) -> Iterator[Violation]:
    def fault(message: str) -> Violation:
        return case.at("downlink", downlink.where, message, downlink.start_s)

    booked = downlink.booked
    if booked is None:
        return  # already a violation `span`
    if (
        booked.satellite is not downlink.satellite
        or booked.station.name != downlink.entry["station"]
    ):
        yield fault(
            f"over {downlink.entry['station']!r} lies in {booked.where}, expected its own pass"
        )
    slack = TIME_TOLERANCE_S
    if downlink.start_s < booked.start_s - slack or downlink.end_s > booked.end_s + slack:
        yield fault(
            f"{downlink.entry['start']} to {downlink.entry['end']} found, expected inside its pass"
            f" {booked.entry['start']} to {booked.entry['end']}"
        )
    yield from _rate(case, downlink, booked)


def _rate(case: Case, downlink: Downlink, booked: Pass) -> Iterator[Violation]:
    """At a constant rate, never above what the link closes at.

    Ends are written to 1 microsecond: a step that reaches in by less does not count. One that lasts
    longer than any contact is a violation already, of its pass or of its contact.
    """
    if downlink.end_s - downlink.start_s > LONGEST_CONTACT_S:
        return
    steps = steps_of(downlink, booked)
    real = [step for step in steps if step.end_s - step.start_s > TIME_TOLERANCE_S]
    slowest = min(real or steps, key=lambda step: step.bit_s)
    length_s, rate = downlink.end_s - downlink.start_s, slowest.bit_s
    # Bits are not rounded as the ends are. Nothing at all comes down in a keyhole.
    if downlink.bits > rate * (length_s * (1 + RATE_TOLERANCE) + TIME_TOLERANCE_S):
        yield case.at(
            "downlink",
            downlink.where,
            f"sends {downlink.bits / 1e9:.6f} Gbit, expected at most"
            f" {rate * length_s / 1e9:.6f} Gbit: {rate / 1e6:g} Mbit/s for {length_s:.3f} s",
            slowest.start_s,
        )


def _while_imaging(case: Case, downlink: Downlink) -> Iterator[Violation]:
    for acquisition in case.of(downlink.satellite)[0]:
        begin_s = max(acquisition.start_s, downlink.start_s)
        if min(acquisition.end_s, downlink.end_s) > begin_s + TIME_TOLERANCE_S:
            message = f"sends during {acquisition.where}, expected not while imaging"
            yield case.at("downlink", downlink.where, message, begin_s)


def _items(case: Case, downlink: Downlink) -> Iterator[Violation]:
    """Items sum up, are the satellite's own, and can be sent after their acquisitions' ends."""

    def fault(message: str) -> Violation:
        return case.at("downlink", downlink.where, message, downlink.start_s)

    items = downlink.entry["items"]
    total, stated = sum(item["gbit"] for item in items), downlink.entry["gbit"]
    if abs(total - stated) > SUM_TOLERANCE_GBIT * (1 + len(items)):
        yield fault(f"gbit is {stated:.6f}, expected the sum of its items, {total:.6f}")
    waiting: list[tuple[float, float, Recorded]] = []
    for item in items:
        acquisition = case.recorded_of.get(item["acquisition"] or "")
        if acquisition is None:
            continue  # left from before, or a violation `span`
        if acquisition.satellite is not downlink.satellite:
            yield fault(f"carries {acquisition.where}, expected data of its own satellite")
        waiting.append((acquisition.end_s, item["gbit"], acquisition))
    length_s, left = downlink.end_s - downlink.start_s, 0.0
    for end_s, gbit, acquisition in sorted(waiting, key=lambda w: -w[0]):
        left += gbit
        room = stated * max(0.0, downlink.end_s - max(end_s, downlink.start_s)) / length_s
        if left > room + SUM_TOLERANCE_GBIT:
            yield fault(
                f"carries {left:.6f} Gbit of {acquisition.where} and later ones, expected at most"
                f" {max(room, 0.0):.6f} Gbit, what can follow its end"
            )
            break


def _pointed(case: Case, downlink: Downlink) -> Iterator[Violation]:
    segments = case.segments[downlink.satellite.name]
    slack = TIME_TOLERANCE_S
    pointed = [
        s
        for s in segments
        if s.mode == "downlink"
        and s.start_s <= downlink.start_s + slack
        and s.entry.get("station") in (None, downlink.entry["station"])
    ]
    if not any(s.end_s >= downlink.end_s - slack for s in pointed):
        message = (
            "the antenna is fixed, expected the downlink inside an attitude segment 'downlink', to"
            " the same station if it names one"
        )
        yield case.at("downlink", downlink.where, message, downlink.start_s)


def _deliveries(case: Case) -> Iterator[Violation]:
    sent: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for downlink in case.downlinks:
        for item in downlink.entry["items"]:
            if item["acquisition"] is not None and item["gbit"] > 0:
                sent[item["acquisition"]].append((downlink.end_s, item["gbit"]))
    for acquisition in case.recorded:
        parts = sent[acquisition.id]
        total, stated = sum(gbit for _, gbit in parts), acquisition.entry["data_gbit"]
        slack = SUM_TOLERANCE_GBIT * (1 + len(parts))
        delivered = acquisition.entry["delivered"]

        def fault(message: str, acquisition: Recorded = acquisition) -> Violation:
            return case.at("downlink", acquisition.where, message, acquisition.start_s)

        if total > stated + slack:
            yield fault(
                f"downlinks carry {total:.6f} Gbit of it, expected at most {stated:.6f} Gbit"
            )
        elif delivered is None and total > stated - slack:
            yield fault(f"delivered is null, expected a time: all of its {total:.6f} Gbit are sent")
        elif delivered is not None and total < stated - slack:
            yield fault(
                f"delivered at {delivered}, but downlinks carry {total:.6f} Gbit of its"
                f" {stated:.6f} Gbit, expected all"
            )
        elif delivered is not None and parts:
            last_s = max(end_s for end_s, _ in parts)
            if abs(case.clock.seconds(delivered) - last_s) > DELIVERED_TOLERANCE_S:
                end = case.clock.utc(last_s).isoformat()
                yield fault(
                    f"delivered at {delivered}, expected the end of its last downlink, {end}"
                )


def _leftovers(case: Case) -> Iterator[Violation]:
    for satellite in case.mission.satellites:
        sent, named = 0.0, sum(entry["gbit"] for entry in entries_of(case, satellite))
        most = satellite.memory_used_bit / 1e9 - named
        for downlink in case.of(satellite)[1]:
            items = downlink.entry["items"]
            sent += sum(
                item["gbit"]
                for item in items
                if item["acquisition"] is None and "aboard" not in item
            )
            if sent > most + SUM_TOLERANCE_GBIT * (1 + len(items)):
                yield case.at(
                    "downlink",
                    downlink.where,
                    f"{sent:.6f} Gbit left from before the plan are sent by its end, expected at"
                    f" most {most:.6f} Gbit",
                    downlink.start_s,
                )
                break


# ---------------------------------------------------------------- memory


def check_memory(case: Case) -> Iterator[Violation]:
    """[memory] What strips fill, and the memory between empty and full at every instant."""
    for acquisition in case.recorded:
        yield from _recorded(case, acquisition)
    for satellite in case.mission.satellites:
        yield from _memory(case, satellite)


def _recorded(case: Case, acquisition: Recorded) -> Iterator[Violation]:
    camera, stated = acquisition.satellite.camera, acquisition.entry["data_gbit"]
    lines = (acquisition.end_s - acquisition.start_s) / acquisition.entry["line_period_s"]
    derived = lines * bits_per_line(camera) / 1e9
    if abs(stated - derived) > DATA_TOLERANCE * derived:
        yield case.at(
            "memory",
            acquisition.where,
            f"data_gbit is {stated:.6f}, expected {derived:.6f} within 1 %: {lines:.0f} lines of"
            f" {bits_per_line(camera):.0f} bits",
            acquisition.start_s,
        )


def bits_per_line(camera: Camera) -> float:
    """Bits stored for each PAN line: a band of r times coarser pixels has r times fewer lines."""
    pan_pitch_m = camera.pan.pixel_pitch_m
    raw = sum(b.pixels * b.bits * pan_pitch_m / b.pixel_pitch_m for b in camera.bands)
    return raw / camera.compression


def _memory(case: Case, satellite: Satellite) -> Iterator[Violation]:
    acquisitions, downlinks = case.of(satellite)
    records: list[Moved] = [*acquisitions, *downlinks, *releases(case, satellite)]
    edges = [case.start_s, case.end_s, *(t for r in records for t in (r.start_s, r.end_s))]
    t_s = np.unique(np.clip(edges, case.start_s, case.end_s))
    bits = memory_bit(case, satellite, t_s)
    most, slack = satellite.memory_bit, SUM_TOLERANCE_GBIT * 1e9
    where = f"satellite {satellite.name!r}"
    if bits.max() > most + slack:
        i = int(np.argmax(bits > most + slack))
        yield case.at(
            "memory",
            where,
            f"holds {bits[i] / 1e9:.6f} Gbit, expected at most {most / 1e9:.6f} Gbit",
            float(t_s[i]),
        )
    gone = sum(e["gbit"] for e in entries_of(case, satellite) if e["pass"] is not None) * 1e9
    unsent = recorded_bit(satellite, acquisitions, t_s) - gone - progress_bit(downlinks, t_s)
    if unsent.min() < -slack:
        i = int(np.argmax(unsent < -slack))
        message = f"has sent {-unsent[i] / 1e9:.6f} Gbit more than it held, expected none"
        yield case.at("memory", where, message, float(t_s[i]))
    yield from _stated_memory(case, satellite, t_s)


def memory_bit(case: Case, satellite: Satellite, t_s: FloatArray) -> FloatArray:
    """Bits (n,) on board at times (n,): what is recorded and has not left."""
    return recorded_bit(satellite, case.of(satellite)[0], t_s) - left_bit(case, satellite, t_s)


def recorded_bit(
    satellite: Satellite, acquisitions: Sequence[Recorded], t_s: FloatArray
) -> FloatArray:
    """What was there before, and bits (n,) recorded at a constant rate while imaging."""
    return satellite.memory_used_bit + progress_bit(acquisitions, t_s)


def _stated_memory(case: Case, satellite: Satellite, edges_s: FloatArray) -> Iterator[Violation]:
    """The stated curve, at its own times and, being linear in between, where the rates change."""
    stated = case.plan["resources"].get(satellite.name)
    if stated is None:
        return
    t_s, curve = curve_times(case, satellite), np.array(stated["memory_gbit"], dtype=np.float64)
    where = f"resources[{satellite.name!r}].memory_gbit"
    if len(curve) != len(t_s) or not len(t_s):
        message = f"has {len(curve)} values for {len(t_s)} times, expected one each and some"
        yield case.at("memory", where, message)
        return
    every_s = np.union1d(t_s, edges_s)
    stated_gbit = np.interp(every_s, t_s, curve)
    derived_gbit = memory_bit(case, satellite, every_s) / 1e9
    yield from disagreement(
        case, "memory", where, every_s, stated_gbit, derived_gbit,
        CURVE_TOLERANCE * satellite.memory_bit / 1e9, "Gbit",
    )  # fmt: skip


def curve_times(case: Case, satellite: Satellite) -> FloatArray:
    """Times (n,) of a satellite's stated curves."""
    texts = case.plan["resources"][satellite.name]["time"]
    return np.array([case.clock.seconds(text) for text in texts], dtype=np.float64)


def disagreement(
    case: Case,
    code: str,
    where: str,
    t_s: FloatArray,
    stated: FloatArray,
    derived: FloatArray,
    tolerance: float,
    unit: str,
) -> Iterator[Violation]:
    """A violation where a stated curve (n,) is farthest from the derived one, if it is too far."""
    off = np.abs(stated - derived)
    i = int(np.argmax(off)) if off.size else 0
    if off.size and off[i] > tolerance:
        yield case.at(
            code,
            where,
            f"is {stated[i]:.4f} {unit}, expected {derived[i]:.4f} {unit} within {tolerance:.4g}",
            float(t_s[i]),
        )
