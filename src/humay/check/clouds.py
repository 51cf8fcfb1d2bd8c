"""Code `looks`, of clouds: probabilities are those of the mission's raster, attempts lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from humay.check.case import Acquisition, Case, Json
from humay.check.freshness import counts_age
from humay.check.quantities import probabilities_near
from humay.check.violations import Violation
from humay.check.worth import cloud_time_s, request_value
from humay.mission import SAME_CLOUDS_S, CloudModel, Request

PROBABILITY_TOLERANCE = 1e-4
VALUE_TOLERANCE = 1e-6
SAME_PASS_S = 1_800.0


def cloud_faults(case: Case) -> Iterator[Violation]:
    """Each look has its probability, each request what can be expected of it, where clouds count;
    else none of them is told."""
    clouds = case.mission.counted_clouds
    for look in case.acquisitions:
        told = "cloud_probability" in look.entry and "cloud_time" in look.entry
        if told != (clouds is not None):
            expected = "them" if clouds is not None else "none: clouds do not count"
            message = f"cloud_probability and cloud_time, expected {expected}"
            yield case.at("looks", look.where, message, look.start_s)
        elif clouds is not None:
            yield from _probability(case, clouds, look)
    known = {request.name: request for request in case.requests}
    for entry in case.plan["requests"]:
        request = known.get(entry["name"])
        if request is not None:
            yield from _expected(case, request, entry)


def _probability(case: Case, clouds: CloudModel, look: Acquisition) -> Iterator[Violation]:
    """Over the middle of the line, at a time of the same pass."""
    at_s = cloud_time_s(case, look)
    if abs(at_s - look.start_s) > SAME_PASS_S:
        message = f"cloud_time is {look.entry['cloud_time']}, expected one of its pass"
        yield case.at("looks", look.where, message, look.start_s)
        return
    normal, _ = look.line.normals(np.array([0.5]))
    expected = probabilities_near(clouds, normal[0], float(case.epoch.mjd_utc(np.array([at_s]))[0]))
    found = look.entry["cloud_probability"]
    if not np.any(np.abs(found - expected) <= PROBABILITY_TOLERANCE):
        message = f"cloud_probability is {found:.6f}, expected {expected[0]:.6f}"
        yield case.at("looks", look.where, message, look.start_s)


def _expected(case: Case, request: Request, entry: Json) -> Iterator[Violation]:
    where, told = f"request {request.name!r}", entry.get("worth")
    counted = case.mission.counted_clouds is not None or counts_age(case)
    if (told is not None) != counted:
        message = f"worth, expected {'it' if counted else 'none: neither clouds nor age count'}"
        yield case.at("looks", where, message)
    elif told is not None:
        wanted = {"whole": request.worth, "expected": request_value(case, request, entry)}
        for key, value in wanted.items():
            if abs(told[key] - value) > VALUE_TOLERANCE * max(1.0, value):
                message = f"{key} worth is {told[key]:.6f}, expected {value:.6f}"
                yield case.at("looks", where, message)


def attempt_faults(
    case: Case, request: Request, strip: Json, looks: Sequence[Acquisition]
) -> Iterator[Violation]:
    """Attempts see clouds of their own, and are no more than asked for: looks, or sets of them."""
    where = f"strip {strip['id']!r} of request {request.name!r}"
    each = 1 if request.stereo is None else request.stereo.looks
    tries = [looks[k : k + each] for k in range(0, len(looks), each)]
    for before, after in pairwise(tries):
        if after[0].start_s - before[-1].start_s < SAME_CLOUDS_S - 1e-3:
            message = f"attempts less than {SAME_CLOUDS_S:g} s apart see the same clouds"
            yield case.at("looks", where, message, after[0].start_s)
    most = request.most_attempts
    if request.repeat is None and most is not None and len(tries) > most:
        yield case.at("looks", where, f"has {len(tries)} attempts, expected at most {most}")
