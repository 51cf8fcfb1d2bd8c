"""What a plan is worth, from the mission's requests and what the file says is imaged."""

from __future__ import annotations

import math
from itertools import pairwise

from humay.check.case import Case, Json
from humay.mission import Completion, Request

ALL_OF_IT = 0.999999


def plan_value(case: Case) -> float:
    """The sum over requests: worth times what their completion makes of the share imaged."""
    known = {request.name: request for request in case.requests}
    return math.fsum(
        _request_value(known[entry["name"]], entry)
        for entry in case.plan["requests"]
        if entry["name"] in known
    )


def imaged_share(entry: Json) -> float:
    """The share of a request of which the file names an acquisition."""
    return math.fsum(strip["share"] for strip in entry["strips"] if strip["acquisition"])


def _request_value(request: Request, entry: Json) -> float:
    return request.worth * completed(request.completion, imaged_share(entry))


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
