"""A plan dictionary that looks like a real one, made without any stage of Humay.

Two satellites on circular sun-synchronous orbits (694 km, half an orbit apart, Earth turning at a
constant rate), real places as requests, three days. The geometry is plausible, not exact: it only
has to fill every part of the report with sensible content in the form of docs/reference/plan.md.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .synthetic_places import AREAS, NEAR_BAKU, REASONS, TEXTS, WORLD

START = datetime(2019, 11, 1, tzinfo=UTC)
SPAN_S = 3 * 86_400.0
STEP_S = 10.0
EARTH_RADIUS_M = 6_371_000.0
ORBIT_RADIUS_M = EARTH_RADIUS_M + 694_000.0
INCLINATION_RAD = math.radians(98.2)
PERIOD_S = 86_400.0 * 26 / 379  # 26-day cycle of 379 orbits
NODE_LON_DEG = {"spot-6": 148.0, "spot-7": 160.0}  # longitude of the first ascending node
NODE_PHASE = {"spot-6": 0.0, "spot-7": 0.5}
SUN_DECLINATION_RAD = math.radians(-14.4)  # 1 November
GROUND_SPEED_M_S = 6_700.0
RATE_GBIT_S = 0.3
IMAGING_GBIT_S = 1.2
MEMORY_GBIT = 120.0
BATTERY_WH = 900.0
STATIONS = [("Baku", 49.87, 40.41), ("Kiruna", 20.96, 67.86), ("Inuvik", -133.54, 68.32)]
Floats = NDArray[np.float64]


def utc(t_s: float) -> str:
    moment = START + timedelta(seconds=round(t_s, 3))
    return moment.isoformat().replace("+00:00", "Z")


def unit_vector(lon_deg: float | Floats, lat_deg: float | Floats) -> Floats:
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def lon_lat_deg(r: Floats) -> Floats:
    lon_rad = np.arctan2(r[..., 1], r[..., 0])
    lat_rad = np.arctan2(r[..., 2], np.hypot(r[..., 0], r[..., 1]))
    return np.asarray(np.degrees(np.stack([lon_rad, lat_rad], axis=-1)))


def position(satellite: str, t_s: Floats | float) -> Floats:
    """Earth-fixed position, metres: the plane keeps to the Sun, so it turns back once a day."""
    t_s = np.asarray(t_s, dtype=float)
    u = 2 * np.pi * (t_s / PERIOD_S + NODE_PHASE[satellite])
    node = math.radians(NODE_LON_DEG[satellite]) - 2 * np.pi * t_s / 86_400.0
    x, y, z = (
        np.cos(u),
        np.sin(u) * math.cos(INCLINATION_RAD),
        np.sin(u) * math.sin(INCLINATION_RAD),
    )
    r = np.stack([x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node), z], -1)
    return np.asarray(ORBIT_RADIUS_M * r)


def sun(t_s: Floats | float) -> Floats:
    t_s = np.asarray(t_s, dtype=float)
    lon_deg = 180.0 - 360.0 * t_s / 86_400.0 - 4.1  # equation of time
    return unit_vector(lon_deg, np.full_like(lon_deg, math.degrees(SUN_DECLINATION_RAD)))


def runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of every stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def requests() -> list[dict[str, Any]]:
    made = []
    for name, lon_deg, lat_deg, purpose, priority in NEAR_BAKU + WORLD:
        geometry: dict[str, Any] = {"type": "Point", "coordinates": [lon_deg, lat_deg]}
        made.append(request(name, "point", geometry, purpose, priority, 120.0))
    for name, ring, purpose, priority in AREAS:
        geometry = {"type": "Polygon", "coordinates": [[list(p) for p in [*ring, ring[0]]]]}
        made.append(request(name, "area", geometry, purpose, priority, None))
    return made


def request(
    name: str,
    kind: str,
    geometry: dict[str, Any],
    purpose: str,
    priority: int,
    height_m: float | None,
) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "priority": priority,
        "weight": priority / 2,
        "purpose": purpose,
        "height_m": height_m,
        "height_source": "relief",
        "geometry": geometry,
        "opportunities": 0,
        "outcome": "left out",
        "fraction": 0.0,
        "strips": [],
        "reason": None,
    }


def strips_of(wanted: dict[str, Any]) -> list[tuple[Floats, float]]:
    """Centres (lon, lat, degrees) and lengths (m) of the strips a request is cut into."""
    if wanted["kind"] == "point":
        return [(np.array(wanted["geometry"]["coordinates"]), 20_000.0)]
    ring = np.array(wanted["geometry"]["coordinates"][0])
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    width_km = (east - west) * 111.0 * math.cos(math.radians((south + north) / 2))
    count = max(1, math.ceil(width_km / 52.0))
    lons = west + (np.arange(count) + 0.5) * (east - west) / count
    return [(np.array([lon, (south + north) / 2]), (north - south) * 111_000.0) for lon in lons]


def visits(satellite: str, t_s: Floats, r: Floats, place: Floats) -> list[dict[str, float]]:
    """Daylight passes within 40 degrees of the nadir, at their closest."""
    ground = EARTH_RADIUS_M * unit_vector(place[0], place[1])
    sight = ground - r
    distance = np.linalg.norm(sight, axis=1)
    cosine = -(sight * r).sum(axis=1) / distance / ORBIT_RADIUS_M
    off_nadir = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    sun_elevation = 90 - np.degrees(np.arccos(np.clip(sun(t_s) @ ground / EARTH_RADIUS_M, -1, 1)))
    near = distance < 1_000_000.0
    found = []
    for first, last in runs(near & (off_nadir < 40) & (sun_elevation > 10)):
        best = first + int(off_nadir[first : last + 1].argmin())
        east = np.cross([0, 0, 1.0], ground)
        side = math.copysign(1.0, float(east @ (r[best] - ground)))
        found.append(
            {
                "t_s": float(t_s[best]),
                "off_nadir": float(off_nadir[best]),
                "sun": float(sun_elevation[best]),
                "side": side,
                "satellite": float(satellite == "spot-7"),
            }
        )
    return found


def slots(
    visit: dict[str, float], taken: dict[str, list[tuple[float, float]]], length_m: float
) -> list[dict[str, float]]:
    """The visit moved along the track (pitching) to where 9 s stay free on both sides."""
    others = taken["spot-7" if visit["satellite"] else "spot-6"]
    half_s = length_m / GROUND_SPEED_M_S / 2
    moved = [
        {
            **visit,
            "t_s": visit["t_s"] + shift,
            "off_nadir": math.hypot(visit["off_nadir"], shift / 2),
        }
        for shift in (0.0, 13.0, -13.0, 26.0, -26.0, 39.0, -39.0)
    ]
    return [m for m in moved if all(abs(m["t_s"] - t) >= 9 + half_s + h for t, h in others)]


def centre_line(satellite: str, t_s: float, place: Floats, length_m: float) -> list[list[float]]:
    """A line through the place along the ground track, `length_m` long."""
    track = lon_lat_deg(position(satellite, np.array([t_s - 5, t_s + 5])))
    step = (track[1] - track[0] + 180) % 360 - 180
    step[0] *= math.cos(math.radians(track[0, 1]))
    step /= np.linalg.norm(step)
    half = step * length_m / 2 / 111_195.0
    half[0] /= max(0.02, math.cos(math.radians(place[1])))
    return [[*(place - half).round(5).tolist(), 0.0], [*(place + half).round(5).tolist(), 0.0]]


def acquisition(
    number: int,
    wanted: dict[str, Any],
    strip: dict[str, Any],
    visit: dict[str, float],
    length_m: float,
) -> dict[str, Any]:
    satellite = "spot-7" if visit["satellite"] else "spot-6"
    t_s, duration_s = visit["t_s"], length_m / GROUND_SPEED_M_S
    turns = t_s / PERIOD_S + NODE_PHASE[satellite]
    off_nadir = visit["off_nadir"]
    return {
        "id": f"a{number:04d}",
        "satellite": satellite,
        "request": wanted["name"],
        "strip": strip["id"],
        "opportunity": f"o{number:05d}",
        "start": utc(t_s - duration_s / 2),
        "end": utc(t_s + duration_s / 2),
        "orbit": 37_000 + int(turns),
        "anx_offset_s": round(turns % 1 * PERIOD_S, 3),
        "centre_line": strip["centre_line"],
        "width_m": strip["width_m"],
        "line_period_s": 0.00032,
        "off_nadir_deg": round(off_nadir, 2),
        "roll_deg": round(visit["side"] * off_nadir * 0.97, 2),
        "pitch_deg": round(off_nadir * 0.2, 2),
        "incidence_deg": round(off_nadir * 1.13, 2),
        "azimuth_deg": 98.4 if visit["side"] < 0 else 281.7,
        "sun_elevation_deg": round(visit["sun"], 2),
        "gsd_m": round(2.14 / math.cos(math.radians(off_nadir)) ** 1.5, 3),
        "attitude_start": [0.0, 0.0, 0.0, 1.0],
        "attitude_end": [0.0, 0.0, 0.0, 1.0],
        "rate_start_deg_s": [0.0, 0.06, 0.0],
        "rate_end_deg_s": [0.0, 0.06, 0.0],
        "data_gbit": round(duration_s * IMAGING_GBIT_S, 3),
        "value": wanted["weight"] * strip["share"],
        "uplink": None,
        "delivered": None,
    }


def plan_strips(
    wanted: list[dict[str, Any]], samples: dict[str, tuple[Floats, Floats]]
) -> list[dict[str, Any]]:
    """Serve requests by priority, one acquisition at a time a satellite, one in six left out."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in samples}
    made: list[dict[str, Any]] = []
    for rank, entry in enumerate(sorted(wanted, key=lambda r: -int(r["priority"]))):
        pieces = strips_of(entry)
        for index, (place, length_m) in enumerate(pieces):
            found = [v for name, (t, r) in samples.items() for v in visits(name, t, r, place)]
            entry["opportunities"] += len(found)
            strip = {
                "id": f"{entry['name']}/{index + 1}",
                "share": 1 / len(pieces),
                "width_m": 57_300.0
                if found
                else None,  # never in reach: how it would lie is unknown
                "centre_line": None,
                "acquisition": None,
            }
            if found:
                strip["centre_line"] = centre_line("spot-7", found[0]["t_s"], place, length_m)
            entry["strips"].append(strip)
            free = [slot for visit in found for slot in slots(visit, taken, length_m)]
            for visit in sorted(free, key=lambda v: v["t_s"]):
                satellite = "spot-7" if visit["satellite"] else "spot-6"
                if rank % 6 == 5 or (entry["kind"] == "area" and index == 2):
                    continue
                taken[satellite].append((visit["t_s"], length_m / GROUND_SPEED_M_S / 2))
                strip["centre_line"] = centre_line(satellite, visit["t_s"], place, length_m)
                made.append(acquisition(len(made) + 1, entry, strip, visit, length_m))
                strip["acquisition"] = made[-1]["id"]
                break
    return sorted(made, key=lambda a: (a["start"], a["id"]))


def explain(wanted: list[dict[str, Any]]) -> None:
    """Fill outcome, fraction and reason from what was acquired."""
    left = 0
    for entry in wanted:
        entry["fraction"] = round(sum(s["share"] for s in entry["strips"] if s["acquisition"]), 6)
        entry["outcome"] = (
            "served" if entry["fraction"] > 0.999 else "partly" if entry["fraction"] else "left out"
        )
        if entry["outcome"] == "served":
            continue
        code = REASONS[left % len(REASONS)] if entry["opportunities"] else "no_opportunity"
        left += 1
        rivals = ["Baku centre", "Neft Daslari"] if code == "slew" else []
        entry["reason"] = {"code": code, "text": TEXTS[code], "competitors": rivals}


def contacts(samples: dict[str, tuple[Floats, Floats]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for station, lon_deg, lat_deg in STATIONS:
        up = unit_vector(lon_deg, lat_deg)
        free_s = 0.0
        for satellite, (t_s, r) in samples.items():
            sight = r - EARTH_RADIUS_M * up
            elevation = 90 - np.degrees(np.arccos(sight @ up / np.linalg.norm(sight, axis=1)))
            for first, last in runs(elevation > 5):
                start_s, end_s = float(t_s[first]), float(t_s[last])
                if end_s - start_s < 120:
                    continue
                top = float(elevation[first : last + 1].max())
                made.append(
                    {
                        "station": station,
                        "satellite": satellite,
                        "start": utc(start_s),
                        "end": utc(end_s),
                        "uplink": station == "Baku",
                        "contact_start": utc(start_s),
                        "contact_end": utc(end_s),
                        "max_elevation_deg": round(top, 2),
                        "_t": (start_s, end_s),
                    }
                )
                free_s = end_s
        assert free_s > 0
    made.sort(key=lambda p: (p["_t"], p["station"]))
    for number, entry in enumerate(made):
        entry["id"] = f"p{number + 1:03d}"
    return made


def seconds(text: str) -> float:
    return (datetime.fromisoformat(text) - START).total_seconds()


def send(
    acquisitions: list[dict[str, Any]], passes: list[dict[str, Any]], satellite: str
) -> list[dict[str, Any]]:
    """First in, first out, over every pass of one satellite."""
    waiting = [[a, a["data_gbit"]] for a in acquisitions if a["satellite"] == satellite]
    made = []
    for entry in passes:
        if entry["satellite"] != satellite:
            continue
        start_s, end_s = entry["_t"][0] + 20, entry["_t"][1] - 5
        room, items = (end_s - start_s) * RATE_GBIT_S, []
        while waiting and room > 1e-6 and seconds(waiting[0][0]["end"]) < start_s:
            first, rest = waiting[0]
            sent = min(rest, room)
            items.append({"acquisition": first["id"], "gbit": round(sent, 6)})
            room, waiting[0][1] = room - sent, rest - sent
            if waiting[0][1] < 1e-6:
                first["delivered"] = utc(end_s - room / RATE_GBIT_S)
                waiting.pop(0)
        if items:
            total = sum(i["gbit"] for i in items)
            made.append(
                {
                    "id": f"d-{entry['id']}",
                    "pass": entry["id"],
                    "satellite": satellite,
                    "station": entry["station"],
                    "start": utc(start_s),
                    "end": utc(start_s + total / RATE_GBIT_S),
                    "gbit": round(total, 6),
                    "items": items,
                }
            )
    return made


def eclipses(t_s: Floats, r: Floats) -> list[dict[str, str]]:
    towards = sun(t_s)
    along = (r * towards).sum(axis=1)
    aside = np.linalg.norm(r - along[:, None] * towards, axis=1)
    return [
        {"start": utc(float(t_s[a])), "end": utc(float(t_s[b]))}
        for a, b in runs((along < 0) & (aside < EARTH_RADIUS_M))
    ]


def attitude(acquisitions: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Idle, slew, settle and image without gap; close acquisitions share one slew."""
    segments: list[dict[str, Any]] = []
    free_s = 0.0
    for entry in acquisitions:
        start_s, end_s = seconds(entry["start"]), seconds(entry["end"])
        slew_s = max(free_s, start_s - 14.0)
        if slew_s > free_s:
            segments.append(
                {"mode": "idle", "law": "nadir", "start": utc(free_s), "end": utc(slew_s)}
            )
        phases = [{"duration_s": 5.0, "acceleration_deg_s2": [0.5, 0.0, 0.0]}]
        segments += [
            {
                "mode": "slew",
                "start": utc(slew_s),
                "end": utc(start_s - 3),
                "angle_deg": 22.5,
                "phases": phases,
            },
            {
                "mode": "settle",
                "start": utc(start_s - 3),
                "end": utc(start_s),
                "acquisition": entry["id"],
            },
            {"mode": "image", "start": utc(start_s), "end": utc(end_s), "acquisition": entry["id"]},
        ]
        free_s = end_s
    return [*segments, {"mode": "idle", "law": "nadir", "start": utc(free_s), "end": utc(SPAN_S)}]


def resources(satellite: str, plan: dict[str, Any]) -> dict[str, Any]:
    """Memory, battery and imaging seconds on a 30 s grid."""
    grid = np.arange(0.0, SPAN_S + 1, 30.0)

    def busy(entries: Iterable[dict[str, Any]], rate: float) -> Floats:
        total = np.zeros_like(grid)
        for e in entries:
            start_s, end_s = seconds(e["start"]), seconds(e["end"])
            total += rate * np.clip(grid - start_s, 0, end_s - start_s)
        return total

    images = [a for a in plan["acquisitions"] if a["satellite"] == satellite]
    sent = [d for d in plan["downlinks"] if d["satellite"] == satellite]
    memory = np.maximum(0, busy(images, IMAGING_GBIT_S) - busy(sent, RATE_GBIT_S))
    imaged = busy(images, 1.0)
    dark = np.zeros_like(grid, dtype=bool)
    for e in plan["eclipses"][satellite]:
        dark |= (grid > seconds(e["start"])) & (grid < seconds(e["end"]))
    power_w = np.where(dark, -430.0, 330.0) - np.gradient(imaged, 30.0) * 500.0
    power_w -= np.gradient(busy(sent, 1.0), 30.0) * 150.0
    charge = [BATTERY_WH]
    for watt in power_w[1:]:
        charge.append(min(BATTERY_WH, charge[-1] + float(watt) * 30.0 / 3600.0))
    windows = [imaged - np.interp(grid - w, grid, imaged, left=0.0) for w in (6_000.0, 86_400.0)]
    return {
        "time": [utc(t) for t in grid.tolist()],
        "memory_gbit": memory.round(6).tolist(),
        "battery_wh": np.round(charge, 4).tolist(),
        "imaging_s": [w.round(4).tolist() for w in windows],
    }


@cache
def _synthetic() -> dict[str, Any]:
    t_s = np.arange(0.0, SPAN_S + 1, STEP_S)
    samples = {name: (t_s, position(name, t_s)) for name in NODE_LON_DEG}
    wanted = requests()
    acquisitions = plan_strips(wanted, samples)
    explain(wanted)
    passes = contacts(samples)
    downlinks = [d for name in samples for d in send(acquisitions, passes, name)]
    for entry in acquisitions:
        before = [p for p in passes if p["uplink"] and p["end"] < entry["start"]]
        entry["uplink"] = before[-1]["id"] if before else None
    for entry in passes:
        del entry["_t"]
    value = sum(a["value"] for a in acquisitions)
    bound = value * 1.158
    plan: dict[str, Any] = {
        "format": "humay-plan-1",
        "mission": "Azersky and SPOT 6",
        "start": utc(0),
        "end": utc(SPAN_S),
        "release": utc(0),
        "seed": 1,
        "iterations": 0,
        "notes": ["UT1 is measured to the end of the span; no prediction was needed."],
        "objective": {
            "value": value,
            "bound": bound,
            "gap": (bound - value) / bound,
            "method": "linear relaxation per orbit",
            "kept": ["imaging_time", "memory"],
            "relaxed": ["slew"],
        },
        "requests": wanted,
        "acquisitions": acquisitions,
        "passes": passes,
        "downlinks": downlinks,
        "eclipses": {n: eclipses(*s) for n, s in samples.items()},
        "attitude": {n: attitude(a for a in acquisitions if a["satellite"] == n) for n in samples},
        "ground_tracks": {
            n: lon_lat_deg(r[::6]).round(4).tolist() for n, (_, r) in samples.items()
        },
    }
    plan["resources"] = {name: resources(name, plan) for name in samples}
    plan["satellites"] = [satellite_totals(name, plan) for name in samples]
    return plan


def satellite_totals(name: str, plan: dict[str, Any]) -> dict[str, Any]:
    images = [a for a in plan["acquisitions"] if a["satellite"] == name]
    return {
        "name": name,
        "orbit_epoch": "2019-10-30T03:21:07.123456Z",
        "age_days": [1.86, 4.86],
        "orbit_sigma_m": [820.0, 2_640.0],
        "imaging_s": round(sum(seconds(a["end"]) - seconds(a["start"]) for a in images), 3),
        "acquisitions": len(images),
        "downlinked_gbit": round(
            sum(d["gbit"] for d in plan["downlinks"] if d["satellite"] == name), 3
        ),
    }


def synthetic_plan() -> dict[str, Any]:
    """A fresh copy, so that a test may change it."""
    return copy.deepcopy(_synthetic())


def synthetic_figures() -> dict[str, Any]:
    limits: dict[str, Any] = {
        "memory_gbit": MEMORY_GBIT,
        "battery_wh": BATTERY_WH,
        "battery_floor_wh": 0.6 * BATTERY_WH,
        "imaging": [{"seconds": 90.0, "per_s": 6_000.0}, {"seconds": 1_200.0, "per_s": 86_400.0}],
    }
    return {
        "check": [],
        "limits": dict.fromkeys(NODE_LON_DEG, limits),
        "stations": [{"name": n, "lon_deg": lon, "lat_deg": lat} for n, lon, lat in STATIONS],
        "counts": {"opportunities": 214, "contacts": 121, "strips": 81},
        "timings": {"orbit_s": 0.31, "access_s": 2.2, "schedule_s": 4.1},
        "notes": ["Elements are of 2019-10-30; the plan should be remade when newer ones arrive."],
    }


def empty_plan() -> dict[str, Any]:
    """What an empty request file and no satellite leave: nothing, in the form of a plan."""
    nothing: dict[str, Any] = {
        **{key: [] for key in ("satellites", "requests", "acquisitions", "passes", "downlinks")},
        **{key: {} for key in ("attitude", "resources", "eclipses", "ground_tracks")},
    }
    objective = {"value": 0.0, "bound": 0.0, "gap": 0.0, "method": "linear relaxation per orbit"}
    return synthetic_plan() | nothing | {"notes": [], "objective": objective}
