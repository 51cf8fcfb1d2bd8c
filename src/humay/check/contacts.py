"""Code `contact`: a satellite is in sight of the station that has booked it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from humay.arrays import FloatArray
from humay.check.case import TIME_TOLERANCE_S, Case, Pass
from humay.check.violations import Violation
from humay.earth import azimuth_angle, elevation_angle, ellipsoid_normal, itrf_from_geodetic
from humay.mission import Station
from humay.orbit import Ephemeris

STEP_S = 1.0
ELEVATION_TOLERANCE_DEG = 0.01
STATED_TOLERANCE_DEG = 0.05
LONGEST_CONTACT_S = 7_200.0  # as far as orbits are known before and after the span


def check_contacts(case: Case) -> Iterator[Violation]:
    """[contact] Every pass lies in a contact, the satellite over the station's mask throughout."""
    for booked in case.passes:
        yield from _allowed(case, booked)
        begin_s = min(booked.start_s, booked.contact_start_s)
        end_s = max(booked.end_s, booked.contact_end_s)
        if booked.contact_start_s > booked.start_s + TIME_TOLERANCE_S or (
            booked.contact_end_s < booked.end_s - TIME_TOLERANCE_S
        ):
            entry = booked.entry
            yield case.at(
                "contact",
                booked.where,
                f"{entry['start']} to {entry['end']} found, expected inside its contact"
                f" {entry['contact_start']} to {entry['contact_end']}",
                booked.start_s,
            )
        if end_s - begin_s > LONGEST_CONTACT_S:
            message = f"lasts {end_s - begin_s:.0f} s, expected at most {LONGEST_CONTACT_S:.0f} s"
            yield case.at("contact", booked.where, message, booked.start_s)
        else:
            yield from _seen(case, booked, begin_s, end_s)


def _allowed(case: Case, booked: Pass) -> Iterator[Violation]:
    if booked.entry["uplink"] and not booked.station.uplink:
        message = "is to send commands, expected a station with uplink"
        yield case.at("contact", booked.where, message, booked.start_s)
    sends = any(d.booked is booked for d in case.downlinks)
    if sends and not booked.station.downlink:
        message = "carries a downlink, expected a station with downlink"
        yield case.at("contact", booked.where, message, booked.start_s)


def _seen(case: Case, booked: Pass, begin_s: float, end_s: float) -> Iterator[Violation]:
    t_s = np.linspace(begin_s, end_s, max(2, math.ceil((end_s - begin_s) / STEP_S) + 1))
    elevation, azimuth = direction(booked.station, booked.orbit, t_s)
    lowest = horizon_rad(booked.station, azimuth)
    i = int(np.argmin(elevation - lowest))
    if math.degrees(elevation[i] - lowest[i]) < -ELEVATION_TOLERANCE_DEG:
        yield case.at(
            "contact",
            booked.where,
            f"elevation is {math.degrees(elevation[i]):.3f} deg, expected at least"
            f" {math.degrees(lowest[i]):.3f} deg",
            float(t_s[i]),
        )
    stated_deg, top_deg = booked.entry["max_elevation_deg"], highest_deg(booked)
    if abs(stated_deg - top_deg) > STATED_TOLERANCE_DEG:
        yield case.at(
            "contact",
            booked.where,
            f"max_elevation_deg is {stated_deg:.3f}, expected {top_deg:.3f}"
            f" within {STATED_TOLERANCE_DEG:g}",
            booked.start_s,
        )


def highest_deg(booked: Pass) -> float:
    """Largest elevation in the contact: the best second, then its best hundredth.

    Near the zenith it changes by 0.7 deg in a second.
    """
    begin_s, end_s = sorted((booked.contact_start_s, booked.contact_end_s))
    t_s = np.linspace(begin_s, end_s, max(3, math.ceil((end_s - begin_s) / STEP_S) + 1))
    best_s = t_s[np.argmax(direction(booked.station, booked.orbit, t_s)[0])]
    near_s = np.clip(best_s + np.linspace(-STEP_S, STEP_S, 201), begin_s, end_s)
    return float(np.degrees(direction(booked.station, booked.orbit, near_s)[0].max()))


def direction(station: Station, orbit: Ephemeris, t_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Elevation and azimuth (n,) in radians of a satellite seen from a station; no refraction."""
    lon, lat = np.array(station.lon_rad), np.array(station.lat_rad)
    place = itrf_from_geodetic(lon, lat, np.array(station.height_m))
    sight = orbit.position_itrf(t_s) - place
    up = np.broadcast_to(ellipsoid_normal(lon, lat), sight.shape)
    return elevation_angle(sight, up), azimuth_angle(sight, up)


def horizon_rad(station: Station, azimuth_rad: FloatArray) -> FloatArray:
    """Lowest elevation (n,) in use: the higher of `min_elevation_rad` and the mask.

    The mask is linear in azimuth between its points, and from the last over north to the first; one
    point alone holds all round.
    """
    if not station.mask:
        return np.full(azimuth_rad.shape, station.min_elevation_rad)
    points = np.array(station.mask)
    turn = np.array([2 * math.pi, 0.0])
    around = np.vstack([points[-1] - turn, points, points[0] + turn])
    mask = np.interp(azimuth_rad, around[:, 0], around[:, 1])
    return np.asarray(np.maximum(station.min_elevation_rad, mask))
