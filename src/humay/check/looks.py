"""Code `looks`: looks that belong together do, and those of a series or of monitoring lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from humay.arrays import norm
from humay.check.case import TIME_TOLERANCE_S, Acquisition, Case, Json
from humay.check.clouds import attempt_faults, cloud_faults
from humay.check.stereo import stereo_faults, stereo_sets
from humay.check.violations import Violation
from humay.check.worth import looks_at, slot_of
from humay.earth import itrf_from_geodetic
from humay.mission import Repeat, Request

POINT_TOLERANCE_M = 1.0


def check_looks(case: Case) -> Iterator[Violation]:
    """[looks] Several looks at one strip are those that the request asks for."""
    yield from cloud_faults(case)
    known = {request.name: request for request in case.requests}
    for entry in case.plan["requests"]:
        request = known.get(entry["name"])
        if request is None:
            continue
        for strip in entry["strips"]:
            looks = _looks(case, strip)
            yield from _stated(case, request, strip)
            if request.kind == "point":
                yield from _at_the_point(case, request, looks[1:])
            if case.mission.counted_clouds is not None:
                yield from attempt_faults(case, request, strip, looks)
            if request.stereo is not None:
                for own in stereo_sets(case, request.stereo, looks):
                    yield from stereo_faults(case, request, request.stereo, own)
            if request.repeat is not None:
                yield from _repeated(case, request, request.repeat, strip, looks)


def _looks(case: Case, strip: Json) -> list[Acquisition]:
    """The acquisitions of a strip in order of time."""
    found = [case.acquisition_of[name] for name in looks_at(strip) if name in case.acquisition_of]
    return sorted(found, key=lambda look: look.start_s)


def _where(request: Request, strip: Json) -> str:
    return f"strip {strip['id']!r} of request {request.name!r}"


def _stated(case: Case, request: Request, strip: Json) -> Iterator[Violation]:
    several = request.repeat is not None or request.stereo is not None
    several |= case.mission.counted_clouds is not None
    if several != ("acquisitions" in strip):
        expected = "all its acquisitions" if several else "one acquisition at most"
        yield case.at("looks", _where(request, strip), f"expected {expected} to be named")


def _at_the_point(
    case: Case, request: Request, looks: Sequence[Acquisition]
) -> Iterator[Violation]:
    """Later looks at a point have lines of their own: they too pass through it."""
    lon, lat = np.radians([request.geometry.x, request.geometry.y])
    place = itrf_from_geodetic(lon, lat, np.array(request.height_m))
    for look in looks:
        points, _ = look.line.points(np.linspace(0.0, 1.0, 20_001))
        off_m = float(np.min(norm(points - place)))
        step_m = float(norm(points[1] - points[0]))
        if off_m > POINT_TOLERANCE_M + 0.5 * step_m:
            message = f"its line passes {off_m:.2f} m from the point"
            yield case.at("looks", look.where, message, look.start_s)


def _repeated(
    case: Case, request: Request, repeat: Repeat, strip: Json, looks: Sequence[Acquisition]
) -> Iterator[Violation]:
    where = _where(request, strip)
    tries = request.most_attempts if case.mission.counted_clouds is not None else 1
    if tries is not None and len(looks) > repeat.count * tries:
        message = f"has {len(looks)} looks, expected at most {repeat.count * tries}"
        yield case.at("looks", where, message)
    for before, after in pairwise(looks):
        apart_s = after.start_s - before.start_s
        if apart_s < repeat.separation_s - TIME_TOLERANCE_S:
            message = f"looks begin {apart_s:.3f} s apart, expected {repeat.separation_s:.3f} s"
            yield case.at("looks", where, message, after.start_s)
    if repeat.every_h is None:
        return
    slots = [slot_of(case, request, repeat, look) for look in looks]
    for look, slot in zip(looks, slots, strict=True):
        if slot is None:
            yield case.at("looks", look.where, "lies in no slot of its series", look.start_s)
        elif tries is not None and slots.count(slot) > tries:
            found = f"is one of {slots.count(slot)} in slot {slot}, expected at most {tries}"
            yield case.at("looks", look.where, found, look.start_s)
