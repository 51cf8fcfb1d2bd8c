"""What a plan is worth, from the mission's requests and what the file says is imaged."""

from __future__ import annotations

import math
from collections.abc import Iterator

from humay.check.case import TIME_TOLERANCE_S, Acquisition, Case, Json
from humay.check.chances import Draw, completed, expected, monitored, once
from humay.check.freshness import counts_age, fresh_part
from humay.mission import SAME_CLOUDS_S, Repeat, Request


def plan_value(case: Case) -> float:
    """The sum over requests: worth times what their completion makes of the share imaged."""
    known = {request.name: request for request in case.requests}
    return math.fsum(
        request_value(case, known[entry["name"]], entry)
        for entry in case.plan["requests"]
        if entry["name"] in known
    )


def imaged_share(case: Case, request: Request, entry: Json) -> float:
    """The share of a request that the acquisitions named by its strips image."""
    return math.fsum(strip["share"] * _done(case, request, strip) for strip in entry["strips"])


def looks_at(strip: Json) -> list[str]:
    """The acquisitions of a strip."""
    one = [] if strip["acquisition"] is None else [strip["acquisition"]]
    return list(strip.get("acquisitions", one))


def _done(case: Case, request: Request, strip: Json) -> float:
    """The part of what is asked of a strip that is done."""
    looks = [case.acquisition_of[name] for name in looks_at(strip) if name in case.acquisition_of]
    if request.stereo is not None:
        return float(len(looks) >= request.stereo.looks)
    repeat = request.repeat
    if repeat is None:
        return float(len(looks) > 0)
    if repeat.every_h is None:
        return min(len(looks) / repeat.count, 1.0)
    filled = {slot_of(case, request, repeat, look) for look in looks} - {None}
    return len(filled) / repeat.count


def slot_of(case: Case, request: Request, repeat: Repeat, look: Acquisition) -> int | None:
    """The number of the slot of a series in which an acquisition lies whole."""
    if request.start is None or repeat.every_h is None:
        return None
    begin = (case.clock.utc(look.start_s) - request.start).total_seconds() / 3600.0
    end = (case.clock.utc(look.end_s) - request.start).total_seconds() / 3600.0
    slack = TIME_TOLERANCE_S / 3600.0
    number = math.floor((begin + slack) / repeat.every_h)
    inside = end <= number * repeat.every_h + repeat.slot_h + slack
    return number if 0 <= number < repeat.count and inside else None


def request_value(case: Case, request: Request, entry: Json) -> float:
    """The worth that is planned of a request; where clouds count, what can be expected of it, and
    where age does, what is left of it then: the age of one with a curve does not count."""
    ages = counts_age(case) and request.completion == "linear"
    if case.mission.counted_clouds is None and not ages:
        return request.worth * completed(request.completion, imaged_share(case, request, entry))
    strips = sorted(entry["strips"], key=lambda strip: str(strip["id"]))
    draws = [draw for strip in strips for draw in _draws(case, request, strip)]
    return request.worth * expected(request.completion, draws)


def _draws(case: Case, request: Request, strip: Json) -> Iterator[Draw]:
    """What of a strip is clear or cloudy for itself: it, each slot, of monitoring all looks."""
    looks = [case.acquisition_of[name] for name in looks_at(strip) if name in case.acquisition_of]
    looks.sort(key=lambda look: look.start_s)
    repeat, share = request.repeat, strip["share"]
    each = 1 if request.stereo is None else request.stereo.looks
    tries = [looks[k : k + each] for k in range(0, len(looks) - each + 1, each)]
    good = [_good(case, request, own) for own in tries]
    if repeat is None:
        yield once(share, good)
    elif repeat.every_h is None:
        yield monitored(share, good, repeat.count)
    else:
        slots = [slot_of(case, request, repeat, look) for look in looks]
        for slot in sorted({slot for slot in slots if slot is not None}):
            own = [chance for chance, its in zip(good, slots, strict=True) if its == slot]
            yield once(share / repeat.count, own)


def _good(case: Case, request: Request, looks: list[Acquisition]) -> float:
    """What an attempt counts for: its chance of being clear, as fresh as it is then."""
    ages = request.completion == "linear"
    return _chance_of_all(case, looks) * (
        min(fresh_part(case, look) for look in looks) if ages else 1.0
    )


def _clear(look: Acquisition) -> float:
    return 1.0 - float(look.entry.get("cloud_probability", 0.0))


def _chance_of_all(case: Case, looks: list[Acquisition]) -> float:
    """Looks less than half an hour apart share their clouds: the worst chance of them counts."""
    chance, worst, last_s = 1.0, 1.0, -math.inf
    for look in sorted(looks, key=lambda each: cloud_time_s(case, each)):
        clear, at_s = _clear(look), cloud_time_s(case, look)
        if at_s - last_s >= SAME_CLOUDS_S:
            chance, worst = chance * worst, 1.0
        worst, last_s = min(worst, clear), at_s
    return chance * worst


def cloud_time_s(case: Case, look: Acquisition) -> float:
    """The time of which a look's probability of clouds is."""
    text = look.entry.get("cloud_time")
    return look.start_s if text is None else case.clock.seconds(text)
