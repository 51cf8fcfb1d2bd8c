"""A small mission and a plan for it that is valid by construction, made without any planner.

Two satellites 3 minutes apart, one station, a point, an area of two strips and a place out of
reach; three hours. Everything is done the plain way: grids, bisection, matrices, loops.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from shapely.geometry import Point, Polygon

from humay.arrays import FloatArray, norm, unit
from humay.earth import (
    AU_M,
    ellipsoid_normal,
    itrf_from_geodetic,
    sun_gcrf,
    sun_itrf,
    sunlit_fraction,
    up_at,
)
from humay.frames import (
    EARTH_RATE_RAD_S,
    itrf_from_gcrf,
    matrix_from_quaternion,
    quaternion_from_matrix,
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotation_vector_from_quaternion,
)
from humay.mission import (
    Band,
    Camera,
    CoarseRelief,
    ImagingLimit,
    KeepOut,
    Mission,
    OrbitSigma,
    Outage,
    Power,
    Request,
    Satellite,
    Station,
    SunSynchronousOrbit,
)
from humay.orbit import Ephemeris, ephemerides
from humay.time import format_utc

Json: TypeAlias = dict[str, Any]
Law: TypeAlias = Callable[[float], FloatArray]  # body_from_gcrf (3, 3) at a time

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(hours=3)
EPOCH = START - timedelta(hours=18)
EARTH_M = 6_371_000.0

CAMERA = Camera(
    name="pan",
    focal_length_m=5.0,
    aperture_m=0.5,
    bands=(
        Band(name="pan", pixels=12_000, pixel_pitch_m=10e-6, bits=12, response_m=(450e-9, 745e-9)),
        Band(name="red", pixels=3_000, pixel_pitch_m=40e-6, bits=12, response_m=(620e-9, 690e-9)),
    ),
    compression=3.0,
)


def satellite(name: str, phase_deg: float, **other: Any) -> Satellite:
    return Satellite(
        name=name,
        orbit=SunSynchronousOrbit(
            altitude_m=600e3,
            local_time_s=10.5 * 3600,
            phase_rad=math.radians(phase_deg),
            epoch=EPOCH,
        ),
        camera=CAMERA,
        max_off_nadir_rad=math.radians(35),
        min_sun_elevation_rad=math.radians(10),
        slew_rate_rad_s=math.radians(3.0),
        slew_acceleration_rad_s2=math.radians(0.5),
        settle_s=3.0,
        imaging_limits=(ImagingLimit(seconds=600, per_s=5_900), ImagingLimit(seconds=8, per_s=200)),
        orbit_sigma=OrbitSigma(at_epoch_m=100, per_day_m=300),
        pointing_sigma_rad=math.radians(0.02),
        preparation_s=120,
        command_lead_s=300,
        memory_bit=200e9,
        memory_used_bit=20e9,
        downlink_bit_s=400e6,
        **other,
    )


def power(normal: tuple[float, float, float]) -> Power:
    return Power(
        battery_j=200 * 3600.0, max_depth_of_discharge=0.6, initial_charge=0.9, panel_area_m2=1.2,
        panel_efficiency=0.28, panel_normal=normal, platform_w=120, imaging_w=80, downlink_w=60,
        slew_w=40,
    )  # fmt: skip


STATION = Station(
    name="north",
    lon_rad=math.radians(15.4),
    lat_rad=math.radians(78.2),
    height_m=450.0,
    min_elevation_rad=math.radians(5),
    mask=tuple((math.radians(a), math.radians(e)) for a, e in ((10, 4), (120, 7), (300, 6))),
    setup_s=60.0,
    downlink_bit_s=300e6,
)

STAR_TRACKER = KeepOut(
    name="star tracker", axis=(0.0, 0.0, -1.0), body="sun", angle_rad=math.radians(2.0)
)
"""At half past ten, two months after perihelion, the Sun stays 20 deg off the zenith."""

MISSION = Mission(
    name="pair",
    path=Path("pair.toml"),
    satellites=(
        satellite("alpha", 0.0, power=power((0.0, 0.0, -1.0)), keep_out=(STAR_TRACKER,)),
        satellite(
            "beta", -11.0, antenna="fixed", idle_attitude="sun", power=power((0.0, -0.6, -0.8))
        ),
    ),
    stations=(STATION,),
    cameras=(CAMERA,),
    heights=CoarseRelief(),
    outages=(
        Outage(
            satellite="alpha",
            start=START + timedelta(minutes=60),
            end=START + timedelta(minutes=80),
            reason="orbit raised",
        ),
        Outage(
            station="north",
            start=START + timedelta(minutes=170),
            end=END + timedelta(days=1),
            reason="repair",
        ),
    ),
)


# ---------------------------------------------------------------- places


@dataclass(frozen=True)
class Strip:
    """The way of a boresight: normals at A and B, heights there, width."""

    a: FloatArray
    b: FloatArray
    height_m: float
    width_m: float

    def aim(self, f: float) -> FloatArray:
        angle = math.acos(float(self.a @ self.b))
        n = (math.sin((1 - f) * angle) * self.a + math.sin(f * angle) * self.b) / math.sin(angle)
        lon, lat = math.atan2(n[1], n[0]), math.asin(n[2] / math.sqrt(n @ n))
        return itrf_from_geodetic(np.array(lon), np.array(lat), np.array(self.height_m))

    def centre_line(self) -> list[list[float]]:
        return [[*lonlat_deg(n), self.height_m] for n in (self.a, self.b)]


def lonlat_deg(n: FloatArray) -> list[float]:
    return [math.degrees(math.atan2(n[1], n[0])), math.degrees(math.asin(n[2]))]


def strip_through(
    n: FloatArray, along: FloatArray, length_m: float, height_m: float, width_m: float
) -> Strip:
    half = length_m / 2 / EARTH_M
    ends = [math.cos(half) * n + sign * math.sin(half) * along for sign in (-1, 1)]
    return Strip(ends[0], ends[1], height_m, width_m)


# ---------------------------------------------------------------- laws


class Flight:
    """One satellite over the three hours, and what it does."""

    def __init__(self, satellite: Satellite, orbit: Ephemeris) -> None:
        self.satellite, self.orbit, self.epoch = satellite, orbit, orbit.epoch
        self.segments: list[Json] = []
        self.laws: list[Law | None] = []

    def itrf_from_gcrf(self, t_s: float) -> FloatArray:
        return np.asarray(itrf_from_gcrf(self.epoch, np.array([t_s]))[0])

    def state(self, t_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Position, inertial velocity and up, all on ITRF axes."""
        r, v = (x[0] for x in self.orbit.state_itrf(np.array([t_s])))
        return r, v + np.cross([0, 0, EARTH_RATE_RAD_S], r), up_at(r[None])[0]

    def orb_from_itrf(self, t_s: float) -> FloatArray:
        _, v, up = self.state(t_s)
        y = unit(np.cross(-up, v))
        return np.array([np.cross(y, -up), y, -up])

    def nadir(self, t_s: float) -> FloatArray:
        return self.orb_from_itrf(t_s) @ self.itrf_from_gcrf(t_s)

    def to_sun(self, t_s: float) -> FloatArray:
        r_gcrf = self.itrf_from_gcrf(t_s).T @ self.state(t_s)[0]
        return unit(sun_gcrf(self.epoch, np.array([t_s]))[0] - r_gcrf)

    def sun(self, t_s: float) -> FloatArray:
        assert self.satellite.power is not None
        n, s = np.array(self.satellite.power.panel_normal), self.to_sun(t_s)
        x = np.array([1.0, 0.0, 0.0])  # at right angles with both normals of this mission
        z = np.array([0.0, 0.0, 1.0])
        u = unit(z - (z @ s) * s)
        axes = zip((n, x, np.cross(n, x)), (s, u, np.cross(s, u)), strict=True)
        return np.asarray(sum(np.outer(body, gcrf) for body, gcrf in axes))

    def strip(self, strip: Strip, start_s: float, end_s: float) -> Law:
        def law(t_s: float) -> FloatArray:
            f = (t_s - start_s) / (end_s - start_s)
            z = unit(strip.aim(f) - self.state(t_s)[0])
            ahead = strip.aim(f + 0.01) - strip.aim(f - 0.01)
            x = unit(ahead - (ahead @ z) * z)
            return np.array([x, np.cross(z, x), z]) @ self.itrf_from_gcrf(t_s)

        return law

    def sight_orb(self, place: FloatArray, t_s: float) -> FloatArray:
        return unit(self.orb_from_itrf(t_s) @ (place - self.state(t_s)[0]))

    def abeam_s(self, place: FloatArray, near_s: float) -> float:
        """When the pitch to a place is zero."""
        return bisect(lambda t: float(self.sight_orb(place, t)[0]), near_s - 120, near_s + 120)


def rate(law: Law, t_s: float) -> FloatArray:
    """Body rates (rad/s): of C' = -[w x] C."""
    h = 0.05
    spin = -(law(t_s + h) - law(t_s - h)) / (2 * h) @ law(t_s).T
    return np.array([spin[2, 1] - spin[1, 2], spin[0, 2] - spin[2, 0], spin[1, 0] - spin[0, 1]]) / 2


def bisect(f: Callable[[float], float], low: float, high: float) -> float:
    positive = f(low) > 0
    assert positive != (f(high) > 0)
    for _ in range(36):
        middle = (low + high) / 2
        low, high = (middle, high) if (f(middle) > 0) == positive else (low, middle)
    return (low + high) / 2


# ---------------------------------------------------------------- slews


def stop_turn_go(
    satellite: Satellite, before: Law, start_s: float, after: Law, end_s: float
) -> tuple[list[Json], float]:
    """Phases from a law at one time to a law at another, and the angle of the turn."""
    most, fastest = satellite.slew_acceleration_rad_s2, satellite.slew_rate_rad_s
    w0, w1 = rate(before, start_s), rate(after, end_s)
    stop_s, go_s = float(norm(w0)) / most, float(norm(w1)) / most
    q0, q1 = (quaternion_from_matrix(m) for m in (before(start_s), after(end_s)))
    rest0 = quaternion_product(quaternion_from_rotation_vector(w0 * stop_s / 2), q0)
    rest1 = quaternion_product(quaternion_from_rotation_vector(-w1 * go_s / 2), q1)
    turn = rotation_vector_from_quaternion(quaternion_product(rest1, quaternion_inverse(rest0)))
    angle = float(norm(turn))
    ramp_s = min(math.sqrt(angle / most), fastest / most)
    coast_s = angle / (most * ramp_s) - ramp_s if angle else 0.0
    phases = [
        (stop_s, -w0 / max(float(norm(w0)), 1e-12) * most),
        (ramp_s, turn / angle * most),
        (max(coast_s, 0.0), np.zeros(3)),
        (ramp_s, -turn / angle * most),
        (go_s, w1 / max(float(norm(w1)), 1e-12) * most),
    ]
    listed = [
        {"duration_s": s, "acceleration_deg_s2": np.degrees(a).tolist()} for s, a in phases if s > 0
    ]
    return listed, math.degrees(angle)


def lasts_s(phases: list[Json]) -> float:
    return float(sum(phase["duration_s"] for phase in phases))


def flown(law: Law, start_s: float, phases: list[Json]) -> list[tuple[float, FloatArray]]:
    """(seconds after the start, body_from_gcrf) every tenth of a second of a slew."""
    w, c, t_s, made = rate(law, start_s), law(start_s), 0.0, []
    for phase in phases:
        count = max(1, math.ceil(phase["duration_s"] / 0.1))
        dt, a = phase["duration_s"] / count, np.radians(phase["acceleration_deg_s2"])
        for _ in range(count):
            made.append((t_s, c))
            turn = quaternion_from_rotation_vector((w + a * dt / 2) * dt)
            c, w, t_s = matrix_from_quaternion(turn) @ c, w + a * dt, t_s + dt
    return [*made, (t_s, c)]


# ---------------------------------------------------------------- the plan


class Builder:
    """Searches times, then writes everything down."""

    def __init__(self) -> None:
        orbits = ephemerides(MISSION, START, END)
        self.epoch = orbits["alpha"].epoch
        self.start_s, self.end_s = self.epoch.seconds(START), self.epoch.seconds(END)
        self.flights = {s.name: Flight(s, orbits[s.name]) for s in MISSION.satellites}
        self.requests: list[Request] = []
        self.strips: dict[str, list[tuple[str, Strip, float]]] = {}
        self.acquisitions: list[Json] = []
        self.passes: list[Json] = []
        self.downlinks: list[Json] = []

    def utc(self, t_s: float) -> str:
        return format_utc(self.epoch.utc(t_s))

    def micro(self, t_s: float) -> float:
        """The time that a microsecond's text will be read as."""
        return self.epoch.seconds(self.epoch.utc(t_s))

    # contacts

    def above_mask(self, flight: Flight, t_s: float) -> float:
        place = itrf_from_geodetic(
            np.array(STATION.lon_rad), np.array(STATION.lat_rad), np.array(STATION.height_m)
        )
        sight = unit(flight.state(t_s)[0] - place)
        up = ellipsoid_normal(np.array(STATION.lon_rad), np.array(STATION.lat_rad))
        east = unit(np.cross([0.0, 0.0, 1.0], up))
        azimuth = math.atan2(sight @ east, sight @ np.cross(up, east)) % (2 * math.pi)
        degrees = math.degrees(azimuth)
        (a0, e0), (a1, e1), (a2, e2) = ((math.degrees(a), math.degrees(e)) for a, e in STATION.mask)
        if degrees < a0:
            mask = e2 + (e0 - e2) * (degrees + 360 - a2) / (a0 + 360 - a2)
        elif degrees < a1:
            mask = e0 + (e1 - e0) * (degrees - a0) / (a1 - a0)
        elif degrees < a2:
            mask = e1 + (e2 - e1) * (degrees - a1) / (a2 - a1)
        else:
            mask = e2 + (e0 - e2) * (degrees - a2) / (a0 + 360 - a2)
        return math.degrees(math.asin(sight @ up)) - max(mask, 5.0)

    def elevation_deg(self, flight: Flight, t_s: float) -> float:
        place = itrf_from_geodetic(
            np.array(STATION.lon_rad), np.array(STATION.lat_rad), np.array(STATION.height_m)
        )
        up = ellipsoid_normal(np.array(STATION.lon_rad), np.array(STATION.lat_rad))
        return math.degrees(math.asin(unit(flight.state(t_s)[0] - place) @ up))

    def contacts(self, flight: Flight) -> list[tuple[float, float]]:
        grid = np.arange(self.start_s, self.end_s, 60.0)
        margin = np.array([self.above_mask(flight, t) for t in grid])
        edges = [
            bisect(lambda t: self.above_mask(flight, t), grid[i], grid[i + 1])
            for i in np.flatnonzero((margin[1:] > 0) != (margin[:-1] > 0))
        ]
        assert margin[0] < 0
        return list(zip(edges[::2], edges[1::2], strict=False))

    def book(
        self, name: str, flight: Flight, contact: tuple[float, float], start_s: float, end_s: float,
        *, uplink: bool,
    ) -> Json:  # fmt: skip
        top = max(self.elevation_deg(flight, t) for t in np.arange(contact[0], contact[1], 1.0))
        entry = {
            "id": name, "station": "north", "satellite": flight.satellite.name,
            "start": self.utc(start_s), "end": self.utc(end_s), "uplink": uplink,
            "contact_start": self.utc(contact[0] + 1e-6),
            "contact_end": self.utc(contact[1] - 1e-6),
            "max_elevation_deg": top,
        }  # fmt: skip
        self.passes.append(entry)
        return entry

    # acquisitions

    def sub_point(self, flight: Flight, t_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Up below the satellite, the way it moves over the ground, and the right-hand side."""
        up = flight.state(t_s)[2]
        later = up_at(flight.orbit.position_itrf(np.array([t_s + 1.0])))[0]
        along = unit(later - (later @ up) * up)
        return up, along, np.cross(along, up)

    def acquire(
        self, name: str, flight: Flight, request: str, strip_id: str, near_s: float, uplink: str
    ) -> Json:
        _, strip, share = next(s for s in self.strips[request] if s[0] == strip_id)
        length_m = float(norm(strip.aim(1.0) - strip.aim(0.0)))
        middle_s = flight.abeam_s(strip.aim(0.5), near_s)
        start_s = self.micro(middle_s - length_m / 2 / 6_900)
        end_s = self.micro(middle_s + length_m / 2 / 6_900)
        law = flight.strip(strip, start_s, end_s)
        looks = [
            flight.sight_orb(strip.aim(f), start_s + f * (end_s - start_s))
            for f in np.linspace(0, 1, 21)
        ]
        middle_s = (start_s + end_s) / 2
        aim, (r, _, _) = strip.aim(0.5), flight.state(middle_s)
        up, u = up_at(aim[None])[0], looks[10]
        sun = unit(sun_itrf(self.epoch, np.array([middle_s]))[0] - aim)
        back = unit(r - aim)
        east = unit(np.cross([0.0, 0.0, 1.0], up))
        incidence = math.acos(back @ up)
        gsd_m = CAMERA.ifov_rad * float(norm(r - aim)) * (1 + 1 / math.cos(incidence)) / 2
        along = unit(strip.aim(0.51) - strip.aim(0.49))
        x = unit(along - (along @ back) * back)
        stretch = math.hypot(1.0, (x @ up) / (back @ up))  # of a pixel along the strip
        line_period_s = CAMERA.ifov_rad * float(norm(r - aim)) * stretch / 6_900
        worth = next(r.worth for r in self.requests if r.name == request)
        number, since_s = flight.orbit.orbit_at(np.array(start_s))
        lines = (end_s - start_s) / line_period_s
        entry = {
            "id": name, "satellite": flight.satellite.name, "request": request, "strip": strip_id,
            "opportunity": f"o-{name}", "start": self.utc(start_s), "end": self.utc(end_s),
            "orbit": int(number), "anx_offset_s": float(since_s),
            "centre_line": strip.centre_line(), "width_m": strip.width_m,
            "line_period_s": line_period_s,
            "off_nadir_deg": max(math.degrees(math.acos(look[2])) for look in looks),
            "roll_deg": math.degrees(math.atan2(-u[1], u[2])),
            "pitch_deg": math.degrees(math.asin(u[0])),
            "incidence_deg": math.degrees(incidence),
            "azimuth_deg": math.degrees(math.atan2(back @ east, back @ np.cross(up, east))) % 360,
            "sun_elevation_deg": math.degrees(math.asin(sun @ up)), "gsd_m": gsd_m,
            "attitude_start": quaternion_from_matrix(law(start_s)).tolist(),
            "attitude_end": quaternion_from_matrix(law(end_s)).tolist(),
            "rate_start_deg_s": np.degrees(rate(law, start_s)).tolist(),
            "rate_end_deg_s": np.degrees(rate(law, end_s)).tolist(),
            "data_gbit": lines * (12_000 * 12 + 3_000 * 12 / 4) / 3.0 / 1e9,
            "value": worth * share, "uplink": uplink, "delivered": None,
        }  # fmt: skip
        self.acquisitions.append(entry)
        self.turn_to(flight, law, start_s - 3.0, "settle", start_s, name)
        self.add(flight, "image", end_s, law, acquisition=name)
        return entry

    # attitude

    def idle(self, flight: Flight) -> Law:
        return flight.sun if flight.satellite.idle_attitude == "sun" else flight.nadir

    def add(
        self, flight: Flight, mode: str, end_s: float, follows: Law | None, **more: Any
    ) -> None:
        start = flight.segments[-1]["end"] if flight.segments else self.utc(self.start_s)
        flight.segments.append({"mode": mode, "start": start, "end": self.utc(end_s), **more})
        flight.laws.append(follows)

    def since_s(self, flight: Flight) -> float:
        last = flight.segments[-1]["end"] if flight.segments else self.utc(self.start_s)
        return self.epoch.seconds(datetime.fromisoformat(last))

    def turn_to(
        self, flight: Flight, law: Law, at_s: float, mode: str, until_s: float, name: str | None
    ) -> None:
        """Back to idle, idle, a slew to a law at a time, and the law until another."""
        idle, more = self.idle(flight), {} if name is None else {"acquisition": name}
        begin_s, at_s = at_s - 40.0, self.micro(at_s)
        for _ in range(8):
            phases, angle = stop_turn_go(flight.satellite, idle, begin_s, law, at_s)
            begin_s = at_s - lasts_s(phases)
        self.rest(flight, self.micro(begin_s))
        self.add(flight, "slew", at_s, None, phases=phases, angle_deg=angle)
        self.add(flight, mode, until_s, law, **more)

    def rest(self, flight: Flight, until_s: float) -> None:
        """Idle until a time, after a slew to it where something else came before."""
        idle = self.idle(flight)
        if flight.laws and flight.laws[-1] is not None and flight.segments[-1]["mode"] != "idle":
            before, from_s = flight.laws[-1], self.since_s(flight)
            to_s = from_s + 40.0
            for _ in range(8):
                phases, angle = stop_turn_go(flight.satellite, before, from_s, idle, to_s)
                to_s = from_s + lasts_s(phases)
            self.add(flight, "slew", self.micro(to_s), None, phases=phases, angle_deg=angle)
        self.add(flight, "idle", until_s, idle, law=flight.satellite.idle_attitude)

    # downlinks

    def send(
        self, name: str, booked: Json, start_s: float, items: list[tuple[str | None, float]]
    ) -> None:
        total = sum(gbit for _, gbit in items)
        end_s = start_s + total / 0.3 + 0.001
        self.downlinks.append(
            {
                "id": name, "pass": booked["id"], "satellite": booked["satellite"],
                "station": "north", "start": self.utc(start_s), "end": self.utc(end_s),
                "gbit": total, "items": [{"acquisition": a, "gbit": g} for a, g in items],
            }
        )  # fmt: skip
        for entry in self.acquisitions:
            if entry["id"] in [a for a, _ in items]:
                entry["delivered"] = self.utc(end_s)

    # all of it

    def plan(self) -> Json:
        alpha, beta = self.flights["alpha"], self.flights["beta"]
        up_alpha, down_alpha = self.contacts(alpha)[:2]
        up_beta, down_beta = self.contacts(beta)[:2]
        one = self.book(
            "u-alpha", alpha, up_alpha, up_alpha[0] + 10, up_alpha[0] + 100, uplink=True
        )
        two = self.book("u-beta", beta, up_beta, up_beta[0] + 30, up_beta[0] + 120, uplink=True)
        self.ask(alpha, up_alpha[1] + 500, up_alpha[1] + 700)
        point = self.acquire("a1", alpha, "town", "1", up_alpha[1] + 500, one["id"])
        first = self.acquire("a2", alpha, "coast", "left", up_alpha[1] + 700, one["id"])
        second = self.acquire("b1", beta, "coast", "right", up_alpha[1] + 880, two["id"])
        pass_alpha = self.book(
            "d-alpha", alpha, down_alpha, down_alpha[0] + 5, down_alpha[0] + 150, uplink=False
        )
        pass_beta = self.book(
            "d-beta", beta, down_beta, down_beta[0] + 60, down_beta[0] + 190, uplink=True
        )
        self.send(
            "s1", pass_alpha, down_alpha[0] + 10,
            [("a1", point["data_gbit"]), ("a2", first["data_gbit"]), (None, 12.0)],
        )  # fmt: skip
        self.send("s2", pass_beta, down_beta[0] + 70, [("b1", second["data_gbit"] / 2)])
        second["delivered"] = None
        self.turn_to(beta, beta.nadir, down_beta[0] + 60, "downlink", down_beta[0] + 100, None)
        for flight in self.flights.values():
            self.rest(flight, self.end_s)
        return self.written()

    def ask(self, flight: Flight, town_s: float, coast_s: float) -> None:
        up, along, side = self.sub_point(flight, town_s)
        n = math.cos(0.03) * up + math.sin(0.03) * side  # 190 km to the right
        lon, lat = lonlat_deg(n)
        self.requests.append(
            Request(name="town", geometry=Point(lon, lat), kind="point", height_m=500.0,
                    height_source="height_m", priority=6, weight=1.5, purpose="map")
        )  # fmt: skip
        n = ellipsoid_normal(np.radians(lon), np.radians(lat))
        self.strips["town"] = [("1", strip_through(n, along, 20e3, 500.0, 12e3), 1.0)]

        up, along, side = self.sub_point(flight, coast_s)
        n = math.cos(0.02) * up - math.sin(0.02) * side
        along, side = unit(along - (along @ n) * n), unit(np.cross(along, n))
        corners = [
            lonlat_deg(unit(n + (x * along + y * side) / EARTH_M))
            for x, y in ((-12e3, -10e3), (12e3, -10e3), (12e3, 10e3), (-12e3, 10e3))
        ]
        self.requests.append(
            Request(name="coast", geometry=Polygon(corners), kind="area", priority=5, weight=2.0)
        )
        heights = {}
        for name, sign in (("left", -1), ("right", 1)):
            middle = unit(n + sign * 5.5e3 / EARTH_M * side)
            lon, lat = np.radians(lonlat_deg(middle))
            heights[name] = float(MISSION.heights.ellipsoidal_m(lon, lat))
            strip = strip_through(middle, along, 26e3, heights[name], 12e3)
            self.strips.setdefault("coast", []).append((name, strip, 0.5))

        self.requests.append(
            Request(name="far away", geometry=Point(179.9, -10.0), kind="point", height_m=0.0,
                    height_source="geojson", weight=5.0)
        )  # fmt: skip
        n = ellipsoid_normal(np.radians(179.9), np.radians(-10.0))
        east = unit(np.cross([0.0, 0.0, 1.0], n))
        self.strips["far away"] = [("1", strip_through(n, east, 20e3, 0.0, 12e3), 1.0)]

    def written(self) -> Json:
        names = [s.name for s in MISSION.satellites]
        value = sum(a["value"] for a in self.acquisitions)
        return {
            "format": "humay-plan-1", "mission": MISSION.name, "start": format_utc(START),
            "end": format_utc(END), "release": format_utc(START), "seed": 1, "iterations": 0,
            "notes": ["made by hand"],
            "objective": {"value": value, "bound": value + 5.0, "gap": 5.0 / (value + 5.0),
                          "method": "everything", "kept": [], "relaxed": ["slew"]},
            "satellites": [self.satellite_entry(self.flights[name]) for name in names],
            "requests": [self.request_entry(request) for request in self.requests],
            "acquisitions": self.acquisitions, "passes": self.passes, "downlinks": self.downlinks,
            "outages": [
                {"station": o.station, "satellite": o.satellite, "start": format_utc(o.start),
                 "end": format_utc(o.end), "reason": o.reason, "cut": [], "dropped": []}
                for o in MISSION.outages
            ],
            "attitude": {name: self.flights[name].segments for name in names},
            "resources": {name: self.resources(self.flights[name]) for name in names},
            "eclipses": {name: self.eclipses(self.flights[name]) for name in names},
            "ground_tracks": {name: self.track(self.flights[name]) for name in names},
        }  # fmt: skip

    def satellite_entry(self, flight: Flight) -> Json:
        name = flight.satellite.name
        own = [a for a in self.acquisitions if a["satellite"] == name]
        age = [(moment - EPOCH).total_seconds() / 86_400 for moment in (START, END)]
        return {
            "name": name, "orbit_epoch": format_utc(EPOCH), "age_days": age,
            "orbit_sigma_m": [100 + 300 * days for days in age],
            "imaging_s": sum(seconds(a["end"]) - seconds(a["start"]) for a in own),
            "acquisitions": len(own),
            "downlinked_gbit": sum(d["gbit"] for d in self.downlinks if d["satellite"] == name),
        }  # fmt: skip

    def request_entry(self, request: Request) -> Json:
        taken = {(a["request"], a["strip"]): a["id"] for a in self.acquisitions}
        strips = [
            {"id": name, "share": share, "width_m": strip.width_m,
             "centre_line": strip.centre_line(), "acquisition": taken.get((request.name, name))}
            for name, strip, share in self.strips[request.name]
        ]  # fmt: skip
        served = all(strip["acquisition"] for strip in strips)
        reason = {"code": "no_opportunity", "text": "never in reach", "competitors": ["town"]}
        return {
            "name": request.name, "kind": request.kind, "priority": request.priority,
            "weight": request.weight, "purpose": request.purpose, "height_m": request.height_m,
            "height_source": request.height_source,
            "geometry": request.geometry.__geo_interface__, "opportunities": 2 * served,
            "outcome": "served" if served else "left out", "fraction": 1.0 if served else 0.0,
            "strips": strips, "first": first_times(self.acquisitions, self.passes, request.name),
            "reason": None if served else reason,
        }  # fmt: skip

    # resources

    def resources(self, flight: Flight) -> Json:
        name = flight.satellite.name
        own = [a for a in self.acquisitions if a["satellite"] == name]
        sent = [d for d in self.downlinks if d["satellite"] == name]
        edges = {
            seconds(r[key]) for r in (*own, *sent, *flight.segments) for key in ("start", "end")
        }
        span_s = self.end_s - self.start_s
        times = sorted(edges | {float(t) for t in np.arange(0, span_s, 120)} | {span_s})

        def memory(t: float) -> float:
            filled = [a["data_gbit"] * share_done(a, t) for a in own]
            emptied = [d["gbit"] * share_done(d, t) for d in sent]
            return float(20.0 + sum(filled) - sum(emptied))

        def imaged(t: float, per_s: float) -> float:
            spans = [(seconds(a["start"]), seconds(a["end"])) for a in own]
            return sum(max(0.0, min(end, t) - max(start, t - per_s)) for start, end in spans)

        charge = self.charge_wh(flight, own, sent)
        return {
            "time": [format_utc(START + timedelta(seconds=t)) for t in times],
            "memory_gbit": [memory(t) for t in times],
            "battery_wh": np.interp(times, np.arange(len(charge)), charge).tolist(),
            "imaging_s": [[imaged(t, per_s) for t in times] for per_s in (5_900, 200)],
        }

    def charge_wh(self, flight: Flight, own: list[Json], sent: list[Json]) -> list[float]:
        """Every second, by Euler steps."""
        supply = flight.satellite.power
        assert supply is not None
        count = int(self.end_s - self.start_s)
        t_s = self.start_s + np.arange(float(count))
        sun = sun_itrf(self.epoch, t_s)
        lit = sunlit_fraction(flight.orbit.position_itrf(t_s), sun)
        share = self.panel_share(flight, count)
        peak = 1361.0 * supply.panel_area_m2 * supply.panel_efficiency
        gain = peak / (norm(sun) / AU_M) ** 2 * np.maximum(share, 0) * lit
        turning = [s for s in flight.segments if s["mode"] in ("slew", "settle")]
        load = np.full(count, float(supply.platform_w))
        for records, watts in ((own, 80.0), (sent, 60.0), (turning, 40.0)):
            for record in records:
                edges = np.arange(count + 1.0).clip(
                    seconds(record["start"]), seconds(record["end"])
                )
                load += watts * np.diff(edges)  # the part of each second
        charge = [180.0]
        for watts in gain - load:
            charge.append(min(200.0, charge[-1] + watts / 3600))
        return charge

    def panel_share(self, flight: Flight, count: int) -> FloatArray:
        """n.s at every second."""
        assert flight.satellite.power is not None
        n, share = np.array(flight.satellite.power.panel_normal), np.zeros(count)
        for i, segment in enumerate(flight.segments):
            start, end = seconds(segment["start"]), seconds(segment["end"])
            law = flight.laws[i]
            inside = np.arange(math.ceil(start), min(math.ceil(end), count))
            if law is not None:  # the slow laws are looked at every 20 s, and straight in between
                step = 20.0 if segment["mode"] in ("idle", "downlink") else 1.0
                nodes = np.append(np.arange(start, end, step), end)
                seen = [n @ law(t) @ flight.to_sun(t) for t in self.start_s + nodes]
                share[inside] = np.interp(inside, nodes, seen)
            before = flight.laws[i - 1]
            if law is None and before is not None:
                way = flown(before, self.start_s + start, segment["phases"])
                s = flight.to_sun(self.start_s + start)
                inside = np.arange(math.ceil(start), min(math.ceil(end), count))
                share[inside] = np.interp(
                    inside - start, [t for t, _ in way], [n @ c @ s for _, c in way]
                )
        return share

    def eclipses(self, flight: Flight) -> list[Json]:
        def light(t: float) -> float:
            sun = sun_itrf(self.epoch, np.array([t]))
            return (
                float(sunlit_fraction(flight.orbit.position_itrf(np.array([t])), sun)[0])
                - 0.9999999
            )

        grid = np.append(np.arange(self.start_s, self.end_s, 60.0), self.end_s)
        dark = np.array([light(t) <= 0 for t in grid])
        edges = [bisect(light, grid[i], grid[i + 1]) for i in np.flatnonzero(dark[1:] != dark[:-1])]
        bounds = [self.start_s] * bool(dark[0]) + edges + [self.end_s] * bool(dark[-1])
        return [
            {"start": self.utc(a), "end": self.utc(b)}
            for a, b in zip(bounds[::2], bounds[1::2], strict=True)
        ]

    def track(self, flight: Flight) -> list[list[float]]:
        times = np.arange(self.start_s, self.end_s + 1, 60.0)
        return [lonlat_deg(up) for up in up_at(flight.orbit.position_itrf(times))]


def first_times(acquisitions: list[Json], passes: list[Json], request: str) -> Json:
    """When a request is first commanded, imaged and delivered."""
    own = [a for a in acquisitions if a["request"] == request]
    ends = {p["id"]: p["end"] for p in passes}
    return {
        "uplink": min((ends[a["uplink"]] for a in own if a["uplink"] in ends), default=None),
        "image": min((a["end"] for a in own), default=None),
        "delivery": min((a["delivered"] for a in own if a["delivered"]), default=None),
    }


def seconds(text: str) -> float:
    """After the start of the plan; no leap second in these three hours."""
    return (datetime.fromisoformat(text) - START).total_seconds()


def share_done(record: Json, t: float) -> float:
    start, end = seconds(record["start"]), seconds(record["end"])
    return min(max((t - start) / (end - start), 0.0), 1.0)


@cache
def _built() -> tuple[tuple[Request, ...], Json]:
    builder = Builder()
    plan = builder.plan()
    return tuple(builder.requests), plan


def requests() -> tuple[Request, ...]:
    return _built()[0]


def valid_plan() -> Json:
    """A fresh copy, free to be spoilt."""
    return copy.deepcopy(_built()[1])


# ---------------------------------------------------------------- for those who spoil it


def moved(text: str, by_s: float) -> str:
    return format_utc(datetime.fromisoformat(text) + timedelta(seconds=by_s))


def of_id(plan: Json, kind: str, name: str) -> Json:
    return next(entry for entry in plan[kind] if entry["id"] == name)
