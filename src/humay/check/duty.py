"""Code `imaging_time`, of orbits and warmth: how long a camera runs between nodes, and how warm it
gets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from humay.arrays import FloatArray
from humay.check.case import TIME_TOLERANCE_S, Case, Recorded
from humay.check.data import curve_times, disagreement
from humay.check.flown import flown_of
from humay.check.violations import Violation
from humay.mission import OrbitLimit, Satellite, Thermal

WARMTH_TOLERANCE = 1e-4  # of the limit
CURVE_TOLERANCE = 0.005  # of the limit


def check_duty(case: Case) -> Iterator[Violation]:
    """[imaging_time] Seconds and acquisitions an orbit, and the temperature of the camera."""
    for satellite in case.mission.satellites:
        own = case.of(satellite)[0]
        if satellite.orbit_limit is not None and own:
            spans = [*flown_of(case, satellite), *((a.start_s, a.end_s) for a in own)]
            yield from _by_orbit(case, satellite, satellite.orbit_limit, spans)
        yield from _warmth(case, satellite, own)


def _by_orbit(
    case: Case, satellite: Satellite, limit: OrbitLimit, spans: Sequence[tuple[float, float]]
) -> Iterator[Violation]:
    """Of what was imaged before the plan, that counts which lies in the orbit in which it begins:
    for earlier orbits the plan before had to answer."""
    used_s: dict[int, float] = defaultdict(float)
    begun: dict[int, int] = defaultdict(int)
    orbit = case.orbits[satellite.name]
    here = np.searchsorted(orbit.node_s, case.start_s, side="right") - 1
    node_s = float(orbit.node_s[here])
    for start_s, end_s in spans:
        if end_s <= node_s:
            continue
        since_node_s = max(start_s, node_s)
        (first, last), (_, since_s) = orbit.orbit_at(np.array([since_node_s, end_s]))
        lasts_s = end_s - since_node_s
        after_s = min(float(since_s), lasts_s) if last > first else 0.0
        begun[int(first)] += start_s >= node_s
        used_s[int(first)] += lasts_s - after_s
        used_s[int(last)] += after_s
    where, slack_s = f"satellite {satellite.name!r}", TIME_TOLERANCE_S * len(spans)
    for number in sorted(used_s):
        if limit.imaging_s is not None and used_s[number] > limit.imaging_s + slack_s:
            yield case.at(
                "imaging_time",
                where,
                f"images for {used_s[number]:.3f} s in orbit {number}, expected at most"
                f" {limit.imaging_s:g} s",
            )
        if limit.acquisitions is not None and begun[number] > limit.acquisitions:
            yield case.at(
                "imaging_time",
                where,
                f"{begun[number]} acquisitions begin in orbit {number}, expected at most"
                f" {limit.acquisitions}",
            )


def _warmth(case: Case, satellite: Satellite, own: Sequence[Recorded]) -> Iterator[Violation]:
    thermal, stated = satellite.thermal, case.plan["resources"].get(satellite.name)
    where = f"resources[{satellite.name!r}].camera_k"
    if thermal is None:
        if stated is not None and "camera_k" in stated:
            message = "found, expected none: the mission has no thermal table"
            yield case.at("imaging_time", where, message)
        return
    ends_s = np.array([case.start_s, *(a.end_s for a in own)], dtype=np.float64)
    warm_k = camera_k(thermal, own, ends_s, case.start_s)
    i = int(np.argmax(warm_k))
    if warm_k[i] > thermal.limit_k * (1 + WARMTH_TOLERANCE):
        yield case.at(
            "imaging_time",
            f"satellite {satellite.name!r}",
            f"camera is {warm_k[i]:.3f} K above its surroundings, expected at most"
            f" {thermal.limit_k:g} K",
            float(ends_s[i]),
        )
    if stated is None:
        return
    t_s, curve = curve_times(case, satellite), stated.get("camera_k")
    if curve is None or len(curve) != len(t_s):
        count = "no" if curve is None else str(len(curve))
        message = f"has {count} values for {len(t_s)} times, expected one each"
        yield case.at("imaging_time", where, message)
        return
    yield from disagreement(
        case, "imaging_time", where, t_s, np.array(curve, float),
        camera_k(thermal, own, t_s, case.start_s), CURVE_TOLERANCE * thermal.limit_k, "K",
    )  # fmt: skip


def camera_k(
    thermal: Thermal, own: Sequence[Recorded], t_s: FloatArray, start_s: float
) -> FloatArray:
    """Kelvins (n,) at times (n,): what it had at the start, and what each second of imaging since
    then has left, each cooling alone, for the law is linear."""
    tau = thermal.time_constant_s
    warm_k = thermal.initial_k * np.exp(-(t_s - start_s) / tau)
    for acquisition in own:
        since = np.maximum(t_s - acquisition.start_s, 0.0)
        after = np.maximum(t_s - acquisition.end_s, 0.0)
        warm_k += thermal.heating_k_s * tau * (np.exp(-after / tau) - np.exp(-since / tau))
    return np.asarray(warm_k)
