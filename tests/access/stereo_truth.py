"""Stereo by brute force: every limit on a grid of instants, from the orbit alone, without search.

Written apart from what it tests: views from `Ephemeris`, slews from the planner's, scenes as
polygons cut out by shapely.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from humay.access import GroundLine, Opportunities, attitude_and_rate
from humay.access.lines import body_axes_itrf
from humay.arrays import BoolArray, FloatArray, dot, norm, unit
from humay.earth import sun_itrf
from humay.frames import EARTH_RATE_RAD_S
from humay.mission import PairLimits, Satellite
from humay.orbit import Ephemeris
from humay.schedule.slews import Agility, State, slew_time


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Looks (n,) of one opportunity at instants as in its window."""

    satellite: Satellite
    orbit: Ephemeris
    line: GroundLine
    scan_s: float
    is_point: bool
    at_s: FloatArray

    @property
    def begin_s(self) -> FloatArray:
        return self.at_s - (0.5 * self.scan_s if self.is_point else 0.0)

    def view(self, share: float) -> FloatArray:
        """Unit vectors from the place at a share of the sweep to the satellite."""
        t_s = self.begin_s + share * self.scan_s
        return unit(self.orbit.position_itrf(t_s) - self.line.place(np.array(share)))

    def sun(self) -> FloatArray:
        t_s = self.begin_s + 0.5 * self.scan_s
        return unit(sun_itrf(self.orbit.epoch, t_s) - self.line.place(np.array(0.5)))

    def pitch_rad(self) -> FloatArray:
        """Of the middle line, from geodetic nadir."""
        r, v = self.orbit.state_itrf(self.begin_s + 0.5 * self.scan_s)
        spin = EARTH_RATE_RAD_S * np.cross([0.0, 0.0, 1.0], r)
        lat = np.arctan2(r[:, 2], np.hypot(r[:, 0], r[:, 1]))
        for _ in range(8):  # geodetic latitude of the foot point, by iteration
            sine = 0.00669437999014 * np.sin(lat)
            n = 6_378_137.0 / np.sqrt(1 - sine * np.sin(lat))
            lat = np.arctan2(r[:, 2] + n * sine, np.hypot(r[:, 0], r[:, 1]))
        lon = np.arctan2(r[:, 1], r[:, 0])
        up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1)
        ahead = v + spin
        ahead = unit(ahead - dot(ahead, up)[:, None] * up)
        return np.arcsin(dot(-self.view(0.5), ahead))

    def pose(self, after_s: float) -> State:
        """Attitude and rate this long after the sweep begins."""
        attitude, rate = attitude_and_rate(
            self.orbit,
            self.line[None],
            self.begin_s,
            np.full(1, self.scan_s),
            self.begin_s + after_s,
        )
        return State(attitude=attitude, rate_rad_s=rate)

    def scenes(self) -> Any:
        """Scenes (n,) as polygons on the plane that is level at the middle place."""
        t_s = self.begin_s + 0.5 * self.scan_s
        line = self.line[None]
        axes = body_axes_itrf(self.orbit, line, self.begin_s, np.full(1, self.scan_s), t_s)
        place, up = self.line.place(np.array(0.5)), self.line.normal(np.array(0.5))
        east = unit(np.cross([0.3, 0.5, 0.8], up))
        north = np.cross(up, east)
        r = self.orbit.position_itrf(t_s)
        half_way = 0.5 * self.line.length_m * self.line.tangent(np.array(0.5))
        half = np.tan(self.satellite.camera.swath_rad / 2)
        corners = []
        for side, end in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
            ray = axes[:, 2] + side * half * axes[:, 1]
            reach = dot(place - r, up) / dot(ray, up)
            spot = r + reach[:, None] * ray - place + end * half_way
            corners.append(np.stack([spot @ east, spot @ north], -1))
        return shapely.polygons(np.stack(corners, axis=1))


def looks_of(
    o: Opportunities,
    row: int,
    satellite: Satellite,
    orbits: Mapping[str, Ephemeris],
    at_s: FloatArray,
    *,
    is_point: bool,
) -> Looks:
    return Looks(
        satellite=satellite,
        orbit=orbits[satellite.name],
        line=o.line[row],
        scan_s=float(o.scan_s[row]),
        is_point=is_point,
        at_s=np.asarray(at_s, dtype=np.float64),
    )


def angle(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.arccos(np.clip(np.einsum("ij,kj->ik", a, b), -1, 1)))


def pair_margins(first: Looks, second: Looks, limits: PairLimits) -> dict[str, FloatArray]:
    """Margins (n, m) of every limit, rad or s or parts, at least 0 where it is met."""
    margins: dict[str, FloatArray] = {}
    shares = (0.5,) if first.is_point else (0.0, 0.5, 1.0)
    turned = dot(first.line.normals[0], second.line.normals[0]) < dot(
        first.line.normals[0], second.line.normals[1]
    )
    for share in shares:
        v1, v2 = first.view(share), second.view(1 - share if turned else share)
        up = first.line.normal(np.array(share))
        turn = angle(v1, v2)
        both = v1[:, None] + v2[None]
        rise = np.einsum("ijk,k->ij", both, up) / norm(both)
        plane = np.cross(v1[:, None], v2[None])
        size = norm(plane)[..., None]
        plane = plane / np.where(size > 0, size, 1.0)
        across = up - np.einsum("ijk,k->ij", plane, up)[..., None] * plane
        cosine = np.einsum("ijk,ijk->ij", both, across) / (norm(both) * norm(across))
        ratio = 2 * np.tan(turn / 2)
        margins |= {
            f"wide {share}": turn - limits.min_convergence_rad,
            f"close {share}": limits.max_convergence_rad - turn,
            f"base {share}": ratio - limits.min_base_to_height,
            f"high {share}": np.arcsin(rise) - limits.min_bisector_elevation_rad,
            f"even {share}": limits.max_asymmetry_rad - np.arccos(np.clip(cosine, -1, 1)),
        }
        if limits.max_base_to_height is not None:
            margins[f"no base {share}"] = limits.max_base_to_height - ratio
    margins["sun"] = limits.max_sun_change_rad - angle(first.sun(), second.sun())
    apart = second.at_s[None] - first.at_s[:, None]
    margins["later"] = apart - limits.min_separation_s
    margins["sooner"] = limits.max_separation_s - apart
    margins["order"] = apart
    if limits.min_overlap > 0:
        a, b = first.scenes()[:, None], second.scenes()[None]
        smaller = np.minimum(shapely.area(a), shapely.area(b))
        margins["overlap"] = shapely.area(shapely.intersection(a, b)) / smaller - limits.min_overlap
    if first.satellite.name == second.satellite.name:
        margins["slew"] = spare_s(first, second)
    return margins


def spare_s(first: Looks, second: Looks) -> FloatArray:
    """Seconds (n, m) to spare after sweep, slew and settling."""
    satellite = first.satellite
    agility = Agility(
        rate_rad_s=satellite.slew_rate_rad_s, acceleration_rad_s2=satellite.slew_acceleration_rad_s2
    )
    end, begin = first.pose(first.scan_s), second.pose(-satellite.settle_s)
    needed = slew_time(
        State(attitude=end.attitude[:, None], rate_rad_s=end.rate_rad_s[:, None]),
        State(attitude=begin.attitude[None], rate_rad_s=begin.rate_rad_s[None]),
        agility,
    )
    gap = (second.begin_s - satellite.settle_s)[None] - (first.begin_s + first.scan_s)[:, None]
    return np.asarray(gap - needed)


def feasible(margins: Mapping[str, FloatArray]) -> BoolArray:
    return np.asarray(np.min(list(margins.values()), axis=0) >= 0)
