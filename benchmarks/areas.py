"""Areas cut into strips and searched: `benchmarks/areas.py [--areas N] [--sample M] [--seed S]`.

1,000 random areas of 10 to 60 km between 70 deg south and north, six sun-synchronous satellites
with a swath of 12 km (`--camera naomi`: 60 km), 14 days, two threads. Strips and opportunities with
all result columns are part of the time, the kernels are compiled before it.

For a sample of the areas, every point of a grid of 50 m is projected onto the strips' centre lines:
all of an area must lie on some strip, and the share of the points that a strip is nearest to must
be the share it states.

The last line is one JSON object: `value` wall seconds, `bound` what they may be.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.missions import START, fleet_mission, fresh_seed

from humay.access import Strip, find_opportunities
from humay.arrays import FloatArray, angle_between, cross, dot, norm, unit
from humay.earth import WGS84_A_M, WGS84_E2, ellipsoid_normal, itrf_from_normal
from humay.mission import Request

WALL_S, SHARE = 1.5, 0.001
GRID_M, LARGEST_LAT_DEG, ACROSS_M = 50.0, 70.0, (10e3, 60e3)
CORNERS = (5, 12)
GOLDEN = 0.6180339887498949


# ---------------------------------------------------------------- areas


def random_areas(count: int, random: np.random.Generator) -> tuple[Request, ...]:
    sine = math.sin(math.radians(LARGEST_LAT_DEG))
    lat_deg = np.degrees(np.arcsin(random.uniform(-sine, sine, count)))
    lon_deg = random.uniform(-179, 179, count)
    return tuple(
        Request(name=f"{i}", geometry=star(float(lon), float(lat), random), kind="area")
        for i, (lon, lat) in enumerate(zip(lon_deg, lat_deg, strict=True))
    )


def star(lon_deg: float, lat_deg: float, random: np.random.Generator) -> shapely.Polygon:
    """Corners in random directions from a middle, at half to all of the radius."""
    corners = random.integers(*CORNERS, endpoint=True)
    turn = 2 * math.pi * (np.arange(corners) + random.uniform(0, 0.9, corners)) / corners
    radius_m = random.uniform(*ACROSS_M) / 2 * random.uniform(0.5, 1.0, corners)
    east_deg, north_deg = degrees_per_metre(lat_deg)
    return shapely.Polygon(
        np.stack(
            [
                lon_deg + radius_m * np.cos(turn) * east_deg,
                lat_deg + radius_m * np.sin(turn) * north_deg,
            ],
            axis=-1,
        )
    )


def degrees_per_metre(lat_deg: FloatArray | float) -> tuple[Any, Any]:
    """Of longitude and of latitude on the ellipsoid."""
    lat = np.radians(lat_deg)
    curved = 1 - WGS84_E2 * np.sin(lat) ** 2
    east_m = WGS84_A_M / np.sqrt(curved) * np.cos(lat)
    north_m = WGS84_A_M * (1 - WGS84_E2) / curved**1.5
    return np.degrees(1 / east_m), np.degrees(1 / north_m)


# ---------------------------------------------------------------- strips on a grid


def grid_in(area: shapely.Polygon, step_m: float) -> FloatArray:
    """Points (n, 2) lon_deg, lat_deg inside an area, each for the same piece of ground.

    Rows lie `step_m` apart, as do the points of each row; edges of an area are straight in
    longitude and latitude. Each row is shifted against the last, by the golden ratio, so that no
    edge of an area or a strip runs along the points.
    """
    west, south, east, north = area.bounds
    count = round((north - south) / (step_m * degrees_per_metre(0.5 * (south + north))[1]))
    rows = []
    for row in range(count):
        lat = south + (row + 0.5) / count * (north - south)
        east_deg = step_m * degrees_per_metre(lat)[0]
        lon = np.arange(west + (row * GOLDEN % 1.0) * east_deg, east, east_deg)
        rows.append(np.stack([lon, np.full(len(lon), lat)], axis=-1))
    points = np.concatenate(rows)
    shapely.prepare(area)
    return np.asarray(points[shapely.contains_xy(area, points)])


def beside(strip: Strip, normals: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Metres that places (n, 3) lie from a strip's centre line, and how far along it, 0 to 1."""
    a, b = strip.line.normals
    pole = unit(cross(a, b))
    foot = unit(normals - (normals @ pole)[:, None] * pole)
    height = np.full(len(foot), strip.line.heights_m.mean())
    across_m = norm(itrf_from_normal(normals, height) - itrf_from_normal(foot, height))
    angle = np.arctan2(dot(cross(a, foot), pole), foot @ a)
    return across_m, np.asarray(angle / angle_between(a, b))


def covered(area: shapely.Polygon, strips: Sequence[Strip], step_m: float) -> tuple[float, float]:
    """The share of an area that lies on no strip, and how far at most a stated share is off."""
    lon, lat = np.radians(grid_in(area, step_m)).T
    normals = ellipsoid_normal(lon, lat)
    across_m, along = (
        np.stack(part) for part in zip(*(beside(s, normals) for s in strips), strict=True)
    )
    inside = (along >= 0) & (along <= 1)
    width_m = np.array([strip.width_m for strip in strips])
    on_some = np.any(inside & (across_m <= width_m[:, None] / 2), axis=0)
    # Strips of one band share their centre line: the one whose middle is nearer has the point.
    far = across_m + np.abs(along - 0.5) + np.where(inside, 0.0, 1e9)
    nearest = np.bincount(np.argmin(far, axis=0), minlength=len(strips)) / len(normals)
    stated = np.array([strip.share for strip in strips])
    return 1 - float(on_some.mean()), float(np.max(np.abs(nearest - stated)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--areas", type=int, default=1000)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--camera", choices=("half-metre", "naomi"), default="half-metre")
    parser.add_argument("--sample", type=int, default=20, help="areas held against a grid")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    seed = fresh_seed() if given.seed is None else given.seed
    random = np.random.default_rng(seed)
    requests = random_areas(given.areas, random)
    with tempfile.TemporaryDirectory() as folder:
        mission = fleet_mission(Path(folder), 3, 2, camera=given.camera)
    end = START + timedelta(days=given.days)
    find_opportunities(mission, requests[:2], start=START, end=end, threads=given.threads)
    wall, cpu = time.perf_counter(), time.process_time()
    found = find_opportunities(mission, requests, start=START, end=end, threads=given.threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    chosen = random.choice(given.areas, min(given.sample, given.areas), replace=False)
    left = [
        covered(
            requests[i].geometry,
            [strip for strip in found.strips if strip.request == requests[i].name],
            GRID_M,
        )
        for i in chosen
    ]
    bare, off = (max(part) for part in zip(*left, strict=True))
    told = {
        "value": round(wall, 3),
        "unit": "wall seconds",
        "bound": WALL_S,
        "good": wall <= WALL_S and bare <= SHARE and off <= SHARE,
        "cpu_seconds": round(cpu, 3),
        "strips": len(found.strips),
        "opportunities": len(found),
        "uncovered": round(bare, 6),
        "share_off": round(off, 6),
        "sample": len(chosen),
        "areas": given.areas,
        "satellites": len(mission.satellites),
        "days": given.days,
        "camera": given.camera,
        "threads": given.threads,
        "seed": seed,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
