"""Codes `span` (names, ids, times), `bound` (the objective) and `orbit` (elements, tracks)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely

from humay.arrays import FloatArray, angle_between, norm
from humay.check.calibration import calibration_value, due_name, dues_of
from humay.check.case import Acquisition, Case, Json, Recorded
from humay.check.violations import Violation
from humay.check.worth import looks_at, plan_value
from humay.earth import ellipsoid_normal, geodetic_from_itrf, itrf_from_geodetic
from humay.mission import Request
from humay.time import DAY_S, format_utc, parse_utc

SUM_TOLERANCE = 1e-6
COORDINATE_TOLERANCE_DEG = 1e-6  # 0.1 m
HEIGHT_TOLERANCE_M = 0.01
SAME_PLACE_M = 1.0
AGE_TOLERANCE_DAYS = 1e-3
SIGMA_TOLERANCE = 0.01  # relative
NODE_TOLERANCE_S = 0.01
TOTAL_TOLERANCE = 1e-3  # s, Gbit
TRACK_STEP_S = 60.0
TRACK_TOLERANCE_DEG = 0.05


# ---------------------------------------------------------------- span


def check_references(case: Case) -> Iterator[Violation]:
    """[span] The plan is of this mission and these requests; ids that are named exist."""
    plan, mission = case.plan, case.mission
    if plan["mission"] != mission.name:
        yield case.at(
            "span", "plan", f"is of mission {plan['mission']!r}, expected {mission.name!r}"
        )
    names = [satellite.name for satellite in mission.satellites]
    yield from _same_names(case, "satellites", [s["name"] for s in plan["satellites"]], names)
    for key in ("attitude", "resources", "eclipses", "ground_tracks"):
        yield from _same_names(case, key, list(plan[key]), names)
    found = [entry["name"] for entry in plan["requests"]]
    yield from _same_names(case, "requests", found, [r.name for r in case.requests])
    known = {request.name: request for request in case.requests}
    calibrating = {due_name(due) for due in dues_of(case)}
    for entry in plan["requests"]:
        if entry["name"] in known:
            yield from _as_requested(case, entry, known[entry["name"]])
            yield from _competitors(case, entry, set(known) | calibrating)
    yield from _strips_and_acquisitions(case)
    yield from _items(case)
    yield from _curve_times(case)


def _same_names(
    case: Case, where: str, found: Sequence[str], expected: Sequence[str]
) -> Iterator[Violation]:
    counts, wanted = Counter(found), Counter(expected)
    for name in (counts - wanted).keys() | (wanted - counts).keys():
        message = f"{counts[name]} entries for {name!r}, expected {wanted[name]}"
        yield case.at("span", f"plan.{where}", message)


def _as_requested(case: Case, entry: Json, request: Request) -> Iterator[Violation]:
    where = f"request {request.name!r}"
    for key in ("kind", "priority", "weight", "purpose", "height_source"):
        if entry[key] != getattr(request, key):
            message = f"{key} is {entry[key]!r}, expected {getattr(request, key)!r} as requested"
            yield case.at("span", where, message)
    stated, asked = entry["height_m"], request.height_m
    if (stated is None) != (asked is None) or (
        stated is not None and asked is not None and abs(stated - asked) > HEIGHT_TOLERANCE_M
    ):
        yield case.at("span", where, f"height_m is {stated}, expected {asked} as requested")
    if not same_geometry(entry["geometry"], request):
        yield case.at("span", where, "geometry differs, expected the one requested")


def same_geometry(stated: Json, request: Request) -> bool:
    """Whether a plan tells the geometry of a request."""
    asked = shapely.geometry.mapping(request.geometry)
    if stated["type"] != asked["type"]:
        return False
    pairs = list(_positions(stated["coordinates"])), list(_positions(asked["coordinates"]))
    if len(pairs[0]) != len(pairs[1]):
        return False
    off = np.abs(np.array(pairs[0], dtype=np.float64) - np.array(pairs[1], dtype=np.float64))
    return bool(np.all(off <= COORDINATE_TOLERANCE_DEG))


def _positions(coordinates: Any) -> Iterator[tuple[float, float]]:
    """The (lon, lat) of GeoJSON coordinates of any nesting."""
    if isinstance(coordinates[0], int | float):
        yield coordinates[0], coordinates[1]
    else:
        for part in coordinates:
            yield from _positions(part)


def _competitors(case: Case, entry: Json, known: set[str]) -> Iterator[Violation]:
    for name in (entry["reason"] or {}).get("competitors", ()):
        if name not in known:
            message = f"names competitor {name!r}, expected a request"
            yield case.at("span", f"request {entry['name']!r}", message)


def _strips_and_acquisitions(case: Case) -> Iterator[Violation]:
    """A strip and the acquisition that images it name each other and lie in one place."""
    entries = {entry["id"]: entry for entry in reversed(case.plan["acquisitions"])}
    named: Counter[str] = Counter()
    strips: dict[tuple[str, str], Json] = {}
    for wanted in case.plan["requests"]:
        for strip in wanted["strips"]:
            where = f"strip {strip['id']!r} of request {wanted['name']!r}"
            if (wanted["name"], strip["id"]) in strips:
                yield case.at("span", where, "found twice, expected once")
            strips[wanted["name"], strip["id"]] = strip
            looks = looks_at(strip)
            if (looks[0] if looks else None) != strip["acquisition"]:
                message = f"acquisition is {strip['acquisition']!r}, expected the first of {looks}"
                yield case.at("span", where, message)
            for imaged in looks:
                named[imaged] += 1
                if imaged not in entries:
                    message = f"names acquisition {imaged!r}, expected one of the plan"
                    yield case.at("span", where, message)
                elif (entries[imaged]["request"], entries[imaged]["strip"]) != (
                    wanted["name"], strip["id"],
                ):  # fmt: skip
                    message = f"names acquisition {imaged!r}, expected one that images it"
                    yield case.at("span", where, message)
    for entry in entries.values():
        where, t_s = f"acquisition {entry['id']!r}", case.clock.seconds(entry["start"])
        strip_of = strips.get((entry["request"], entry["strip"]))
        if strip_of is None or named[entry["id"]] != 1:
            message = (
                f"named by {named[entry['id']]} strips, expected by strip {entry['strip']!r} of"
                f" {entry['request']!r} alone"
            )
            yield case.at("span", where, message, t_s)
        if strip_of is not None and _is_first_or_cut(case, entry, strip_of):
            yield from _same_strip(case, where, t_s, entry, strip_of)


def _is_first_or_cut(case: Case, entry: Json, strip: Json) -> bool:
    """Whether an acquisition has the line of its strip: each look at a point has its own."""
    point = any(r.kind == "point" for r in case.requests if r.name == entry["request"])
    return not point or strip["acquisition"] == entry["id"]


def _same_strip(
    case: Case, where: str, t_s: float, entry: Json, strip: Json
) -> Iterator[Violation]:
    if strip["centre_line"] is None or strip["width_m"] is None:
        yield case.at(
            "span", where, "its strip lies nowhere, expected a centre line and width", t_s
        )
        return
    flown, cut = (_ends(e["centre_line"]) for e in (entry, strip))
    off_m = min(float(norm(flown - way).max()) for way in (cut, cut[::-1]))
    if off_m > SAME_PLACE_M:
        message = f"its ends lie {off_m:.1f} m from those of its strip, expected the same"
        yield case.at("span", where, message, t_s)
    if entry["width_m"] < strip["width_m"] - SAME_PLACE_M:
        message = (
            f"width_m is {entry['width_m']:.1f}, expected at least its strip's"
            f" {strip['width_m']:.1f} m"
        )
        yield case.at("span", where, message, t_s)


def _ends(places: Sequence[Sequence[float]]) -> FloatArray:
    """Positions (2, 3) in ITRF of the ends of a centre line."""
    lon_deg, lat_deg, height_m = np.array(places, dtype=np.float64).T
    return itrf_from_geodetic(np.radians(lon_deg), np.radians(lat_deg), height_m)


def _items(case: Case) -> Iterator[Violation]:
    known = {entry["id"] for entry in case.plan["acquisitions"]}
    known |= {due["look"]["id"] for due in case.plan.get("calibrations", ()) if due["look"]}
    for downlink in case.downlinks:
        for item in downlink.entry["items"]:
            if item["acquisition"] is not None and item["acquisition"] not in known:
                message = f"carries {item['acquisition']!r}, expected an acquisition of the plan"
                yield case.at("span", downlink.where, message, downlink.start_s)


def _curve_times(case: Case) -> Iterator[Violation]:
    for name, curves in case.plan["resources"].items():
        moments = [parse_utc(text) for text in curves["time"]]
        where = f"resources[{name!r}].time"
        if any(after < before for before, after in pairwise(moments)):
            yield case.at("span", where, "goes back, expected rising times")
        if moments and (moments[0] < case.clock.start or moments[-1] > case.clock.end):
            yield case.at("span", where, "leaves the plan's span, expected times inside it")


# ---------------------------------------------------------------- bound


def check_bound(case: Case) -> Iterator[Violation]:
    """[bound] The value is that of all that is imaged, the bound above it, the gap between them."""
    objective = case.plan["objective"]
    value, bound, gap = objective["value"], objective["bound"], objective["gap"]
    total = plan_value(case) + calibration_value(case)
    slack = SUM_TOLERANCE * max(1.0, abs(total))

    def fault(message: str) -> Violation:
        return case.at("bound", "objective", message)

    if abs(value - total) > slack:
        yield fault(
            f"value is {value:.6f}, expected {total:.6f}, what the requests imaged are worth"
        )
    if bound < max(value, total) - slack:
        yield fault(f"bound is {bound:.6f}, expected at least the value, {max(value, total):.6f}")
    expected = 0.0 if bound == 0 else (bound - value) / bound
    if abs(gap - expected) > 1e-6 * max(1.0, abs(expected)):
        yield fault(f"gap is {gap:.6f}, expected (bound - value) / bound, {expected:.6f}")


# ---------------------------------------------------------------- orbit


def check_orbits(case: Case) -> Iterator[Violation]:
    """[orbit] Elements, age, uncertainty, orbit numbers and ground tracks; [span] the totals."""
    known = {satellite.name: satellite for satellite in case.mission.satellites}
    for entry in case.plan["satellites"]:
        if entry["name"] in known:
            yield from _elements(case, entry)
            yield from _totals(case, entry)
    for acquisition in case.recorded:
        yield from _revolution(case, acquisition)
    for name, track in case.plan["ground_tracks"].items():
        if name in known:
            yield from _track(case, name, np.array(track, dtype=np.float64).reshape(-1, 2))


def _elements(case: Case, entry: Json) -> Iterator[Violation]:
    orbit = case.orbits[entry["name"]]
    sigma = case.mission.satellite(entry["name"]).orbit_sigma
    off_s = abs((parse_utc(entry["orbit_epoch"]) - orbit.orbit_epoch()).total_seconds())
    where = f"satellites[{entry['name']!r}]"
    if off_s > AGE_TOLERANCE_DAYS * DAY_S:
        epoch = format_utc(orbit.orbit_epoch())
        yield case.at("orbit", where, f"orbit_epoch is {entry['orbit_epoch']}, expected {epoch}")
    for index, t_s in enumerate((case.start_s, case.end_s)):
        age = float(orbit.age_days(np.array(t_s)))
        sigma_m = sigma.at_epoch_m + sigma.per_day_m * age
        for key, expected, slack in (
            ("age_days", age, AGE_TOLERANCE_DAYS),
            ("orbit_sigma_m", sigma_m, SIGMA_TOLERANCE * sigma_m),
        ):
            if abs(entry[key][index] - expected) > slack:
                message = f"{key}[{index}] is {entry[key][index]:.4f}, expected {expected:.4f}"
                yield case.at("orbit", where, message)


def _totals(case: Case, entry: Json) -> Iterator[Violation]:
    satellite = case.mission.satellite(entry["name"])
    acquisitions, downlinks = case.of(satellite)
    totals = {
        "acquisitions": float(sum(isinstance(a, Acquisition) for a in acquisitions)),
        "imaging_s": sum(a.end_s - a.start_s for a in acquisitions),
        "downlinked_gbit": sum(d.bits for d in downlinks) / 1e9,
    }
    for key, total in totals.items():
        if abs(entry[key] - total) > TOTAL_TOLERANCE:
            message = f"{key} is {entry[key]:g}, expected the total {total:g}"
            yield case.at("span", f"satellites[{entry['name']!r}]", message)


def _revolution(case: Case, acquisition: Recorded) -> Iterator[Violation]:
    stated, since_s = acquisition.entry["orbit"], acquisition.entry["anx_offset_s"]
    around_s = acquisition.start_s + NODE_TOLERANCE_S * np.array([0.0, -1.0, 1.0])
    numbers, offsets_s = acquisition.orbit.orbit_at(around_s)
    fits = (numbers == stated) & (np.abs(offsets_s - since_s) <= 2 * NODE_TOLERANCE_S)
    if not fits.any():
        yield case.at(
            "orbit",
            acquisition.where,
            f"orbit {stated} + {since_s:.3f} s found, expected orbit {numbers[0]:.0f} +"
            f" {offsets_s[0]:.3f} s",
            acquisition.start_s,
        )


def _track(case: Case, name: str, track_deg: FloatArray) -> Iterator[Violation]:
    """Points one a minute from the plan's start on; a last one at its end may stand besides."""
    span_s, where = case.end_s - case.start_s, f"ground_tracks[{name!r}]"
    count = math.floor(span_s / TRACK_STEP_S) + 1
    if not count <= len(track_deg) <= count + 1:
        message = f"has {len(track_deg)} points, expected {count}, one a minute"
        yield case.at("orbit", where, message)
        return
    after_s = np.minimum(np.arange(len(track_deg)) * TRACK_STEP_S, span_s)
    lon, lat, _ = geodetic_from_itrf(case.orbits[name].position_itrf(case.start_s + after_s))
    stated = ellipsoid_normal(*np.radians(track_deg.T))
    off_deg = np.degrees(angle_between(stated, ellipsoid_normal(lon, lat)))
    i = int(np.argmax(off_deg))
    if off_deg[i] > TRACK_TOLERANCE_DEG:
        message = f"point {i} lies {off_deg[i]:.2f} deg from below the satellite, expected below it"
        yield case.at("orbit", where, message, case.start_s + float(after_s[i]))
