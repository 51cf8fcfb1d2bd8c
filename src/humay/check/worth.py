"""What a plan is worth, from the mission's requests and what the file says is imaged."""

from __future__ import annotations

import math
from itertools import pairwise

from humay.check.case import TIME_TOLERANCE_S, Acquisition, Case, Json
from humay.check.freshness import counts_age, fresh_part
from humay.mission import SAME_CLOUDS_S, Completion, Repeat, Request

ALL_OF_IT = 0.999999


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
    """The worth that is planned of a request; where clouds or age count, what is left of it then.

    An expected share cannot be put into a curve, so only requests without one count like that.
    """
    counted = case.mission.counted_clouds is not None or counts_age(case)
    if not counted or request.completion != "linear":
        return request.worth * completed(request.completion, imaged_share(case, request, entry))
    return request.worth * math.fsum(
        strip["share"] * _clear_part(case, request, strip) for strip in entry["strips"]
    )


def _clear_part(case: Case, request: Request, strip: Json) -> float:
    """The part of what is asked of a strip that can be expected without clouds, as fresh as it is
    then."""
    looks = [case.acquisition_of[name] for name in looks_at(strip) if name in case.acquisition_of]
    fresh = [fresh_part(case, look) for look in looks]
    clear: list[float] = [
        (1.0 - look.entry.get("cloud_probability", 0.0)) * part
        for look, part in zip(looks, fresh, strict=True)
    ]
    if request.stereo is not None:
        whole = len(looks) >= request.stereo.looks
        return _chance_of_all(case, looks) * min(fresh) if whole else 0.0
    if request.repeat is not None:
        return math.fsum(clear) / request.repeat.count
    return float(1.0 - math.prod(1.0 - chance for chance in clear))


def _chance_of_all(case: Case, looks: list[Acquisition]) -> float:
    """Looks less than half an hour apart share their clouds: the worst chance of them counts."""
    chance, worst, last_s = 1.0, 1.0, -math.inf
    for look in sorted(looks, key=lambda each: cloud_time_s(case, each)):
        clear, at_s = 1.0 - look.entry.get("cloud_probability", 0.0), cloud_time_s(case, look)
        if at_s - last_s >= SAME_CLOUDS_S:
            chance, worst = chance * worst, 1.0
        worst, last_s = min(worst, clear), at_s
    return chance * worst


def cloud_time_s(case: Case, look: Acquisition) -> float:
    """The time of which a look's probability of clouds is."""
    text = look.entry.get("cloud_time")
    return look.start_s if text is None else case.clock.seconds(text)


def completed(completion: Completion, share: float) -> float:
    """The part of its worth that a share of a request brings."""
    if share >= ALL_OF_IT:
        return 1.0
    if completion == "linear":
        return share
    if completion == "whole":
        return 0.0
    (a, low), (b, high) = next(ends for ends in pairwise(completion) if share <= ends[1][0])
    return low + (high - low) * (share - a) / (b - a)
