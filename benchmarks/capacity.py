"""What SPOT 6 and 7 image a day: `benchmarks/capacity.py [--strips N] [--seed S] [--sensitivity]`.

Published are 3 million km2 a day for each satellite. Here both stand before a full book, random
areas of the land of which a day can image a small part, all of one worth a km2: the value of a plan
is its area in km2. Opportunities, plan and check are the product's. The plan begins
some hours before the day that counts, with full memories, so that what the day images is what it
can go on imaging: what it records must go down in it (`sent_gbit` beside `recorded_gbit`).

What limits the day is measured by planning it again with one limit at a time relaxed; with
`--sensitivity` also with other values of each figure that is assumed. Where each figure comes from
stands in docs/design/capacity.md. The last line is one JSON object: `value` km2 a day and
satellite, `ratio` to what is published, `good` if that is within 15 %, `limit` the limit whose
relaxing brings most, and `relaxed` and `assumed` the gain of each change as a share of the value.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from humay.chain import planned, survey
from humay.examples import example_folder
from humay.mission import ImagingLimit, Mission, Request, Satellite, Station, load_mission
from humay.schedule import Effort
from humay.tables import land_outlines
from humay.time import parse_utc

PUBLISHED_KM2, WITHIN = 3.0e6, 0.15
DAY = datetime(2019, 11, 2, tzinfo=UTC)  # three days from the epoch of the elements
LEAD_H, HOURS = 6.0, 24.0
SWATH_M = 60e3  # published, at nadir
LONG_M = (60e3, 600e3)  # of a strip: from one scene to what is published as the longest
INCLINATION_DEG = 98.2
SIDEREAL_TURNS = 98.79 / 1436.07  # of the Earth in one orbit; the period is published
EARTH_M = 6_371e3
SOUTHMOST_DEG, NORTHMOST_DEG = -56.0, 75.0  # no Antarctica, and nothing the orbits never see
ORBIT_S = 5930.0
FAR = 100.0  # times: a limit relaxed

Change: TypeAlias = Callable[[Mission], Mission]


# The mission -------------------------------------------------------------------------------------


def spot_mission() -> Mission:
    """The example's satellites as they stand in the middle of a campaign.

    Full memories, the latest plan on board at once, and no power table, whose figures would all be
    assumed. Three stations receive: the two main ones of the SPOT system and the Azerbaijani one.
    """
    mission = load_mission(example_folder("azersky") / "mission.toml")
    baku = replace(next(s for s in mission.stations if s.name == "baku"), downlink_bit_s=None)
    toulouse = _station("toulouse", 1.48, 43.43, 260.0)
    kiruna = _station("kiruna", 21.06, 67.88, 400.0)
    return replace(
        mission,
        satellites=tuple(_in_campaign(satellite) for satellite in mission.satellites),
        stations=(baku, toulouse, kiruna),
    )


def _in_campaign(satellite: Satellite) -> Satellite:
    return replace(
        satellite,
        memory_used_bit=satellite.memory_bit,
        imaging_limits=(),
        preparation_s=0.0,
        command_lead_s=0.0,
        idle_attitude="nadir",
        power=None,
    )


def _station(name: str, lon_deg: float, lat_deg: float, height_m: float) -> Station:
    return Station(
        name=name,
        lon_rad=math.radians(lon_deg),
        lat_rad=math.radians(lat_deg),
        height_m=height_m,
        min_elevation_rad=math.radians(5.0),
        setup_s=120.0,
    )


def _of_each(change: Callable[[Satellite], Satellite]) -> Change:
    return lambda mission: replace(
        mission, satellites=tuple(change(satellite) for satellite in mission.satellites)
    )


def _compressed(ratio: float) -> Change:
    return _of_each(lambda s: replace(s, camera=replace(s.camera, compression=ratio)))


RELAXED: Mapping[str, Change] = {
    "memory": _of_each(lambda s: replace(s, memory_bit=FAR * s.memory_bit)),
    "downlink": _of_each(lambda s: replace(s, downlink_bit_s=FAR * s.downlink_bit_s)),
    "slews": _of_each(
        lambda s: replace(
            s,
            slew_rate_rad_s=math.radians(90.0),
            slew_acceleration_rad_s2=math.radians(90.0),
            settle_s=0.0,
        )
    ),
    "daylight": _of_each(lambda s: replace(s, min_sun_elevation_rad=math.radians(-90.0))),
    "off-nadir": _of_each(
        lambda s: replace(
            s,
            max_off_nadir_rad=math.radians(45.0),
            max_roll_rad=math.radians(45.0),
            max_pitch_rad=math.radians(45.0),
        )
    ),
}
"""Each limit that could stand in the way, put far off; beyond 45 deg nothing is published."""

ASSUMED: Mapping[str, Change] = {
    "compression 2.28": _compressed(2.28),
    "compression 4": _compressed(4.0),
    "downlink 150 Mbit/s": _of_each(lambda s: replace(s, downlink_bit_s=150e6)),
    "downlink 450 Mbit/s": _of_each(lambda s: replace(s, downlink_bit_s=450e6)),
    "imaging 600 s an orbit": _of_each(
        lambda s: replace(s, imaging_limits=(ImagingLimit(seconds=600.0, per_s=ORBIT_S),))
    ),
    "Sun above 25 deg": _of_each(lambda s: replace(s, min_sun_elevation_rad=math.radians(25.0))),
    "settling 6 s": _of_each(lambda s: replace(s, settle_s=6.0)),
    "without Baku": lambda mission: replace(mission, stations=mission.stations[1:]),
    "without Toulouse": lambda mission: replace(
        mission, stations=(mission.stations[0], mission.stations[2])
    ),
    "a second polar station": lambda mission: replace(
        mission, stations=(*mission.stations, _station("inuvik", -133.55, 68.32, 100.0))
    ),
}
"""Other values of what is assumed."""


# The book ----------------------------------------------------------------------------------------


def book(count: int, random: np.random.Generator) -> tuple[Request, ...]:
    """Strips over land along the track by day, their middles spread evenly, each worth its km2."""
    rings = [_valid(shapely.Polygon(ring)) for ring in land_outlines()]
    tree = shapely.STRtree(rings)
    low, high = (math.sin(math.radians(lat)) for lat in (SOUTHMOST_DEG, NORTHMOST_DEG))
    requests: list[Request] = []
    while len(requests) < count:
        lat_deg = math.degrees(math.asin(random.uniform(low, high)))
        line = track_line(float(random.uniform(-170, 170)), lat_deg, float(random.uniform(*LONG_M)))
        land = land_on(line, rings, tree)
        length_m = line_length_m(land) if land is not None else 0.0
        if land is not None and length_m >= LONG_M[0]:
            km2 = length_m * SWATH_M / 1e6
            requests.append(
                Request(name=f"{len(requests)}", geometry=land, kind="line", weight=km2)
            )
    return tuple(requests)


def track_line(lon_deg: float, lat_deg: float, length_m: float) -> shapely.LineString:
    """A line through a place as the satellites pass it southwards, on a sphere that turns below."""
    lat, inclination = math.radians(lat_deg), math.radians(INCLINATION_DEG)
    east = math.cos(inclination) / math.cos(lat)
    west_turn = SIDEREAL_TURNS * math.cos(lat)
    heading = math.atan2(east - west_turn, -math.sqrt(1 - east**2))
    half = 0.5 * length_m / EARTH_M
    dlat = math.degrees(half * math.cos(heading))
    dlon = math.degrees(half * math.sin(heading) / math.cos(lat))
    return shapely.LineString([(lon_deg - dlon, lat_deg - dlat), (lon_deg + dlon, lat_deg + dlat)])


def land_on(
    line: shapely.LineString, rings: Sequence[shapely.Geometry], tree: shapely.STRtree
) -> shapely.LineString | None:
    """The longest piece of a line on land, by the even-odd rule; None where there is none."""
    pieces: shapely.Geometry = shapely.LineString()
    for i in tree.query(line, predicate="intersects"):
        pieces = shapely.symmetric_difference(pieces, shapely.intersection(line, rings[i]))
    lines = [p for p in shapely.get_parts(pieces) if p.geom_type == "LineString" and p.length > 0]
    if not lines:
        return None
    ends = max(lines, key=lambda each: float(each.length)).coords
    return shapely.LineString([ends[0], ends[-1]])


def line_length_m(line: shapely.LineString) -> float:
    (west, south), (east, north) = line.coords
    middle = math.radians(0.5 * (south + north))
    return EARTH_M * math.radians(math.hypot((east - west) * math.cos(middle), north - south))


def _valid(ring: shapely.Polygon) -> shapely.MultiPolygon:
    """Without the lines that simplifying made where two shores met."""
    parts = shapely.get_parts(shapely.get_parts(shapely.make_valid(ring)))
    return shapely.MultiPolygon([part for part in parts if isinstance(part, shapely.Polygon)])


# The day -----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Day:
    """What each satellite (in the mission's order) images and sends in the hours that count."""

    km2: tuple[float, ...]
    swath_km2: tuple[float, ...]
    imaging_s: tuple[float, ...]
    acquisitions: tuple[int, ...]
    recorded_gbit: tuple[float, ...]
    sent_gbit: tuple[float, ...]
    refused: Mapping[str, int]

    @property
    def mean_km2(self) -> float:
        return sum(self.km2) / len(self.km2)


def plan_day(
    mission: Mission,
    requests: Sequence[Request],
    *,
    hours: float,
    lead_h: float,
    iterations: int,
    seed: int,
) -> Day:
    """Plan, check, and count what begins in the last `hours`."""
    start, end = DAY - timedelta(hours=lead_h), DAY + timedelta(hours=hours)
    found = survey(mission, requests, start=start, end=end, step=lambda _: nullcontext())
    document = planned(
        mission, requests, found, start=start, end=end, release=start, seed=seed,
        step=lambda _: nullcontext(), effort=Effort(iterations=iterations, threads=2),
    )  # fmt: skip
    return counted(document, [satellite.name for satellite in mission.satellites])


def counted(document: Mapping[str, Any], satellites: Sequence[str]) -> Day:
    """What a plan does from `DAY` on."""

    def of(rows: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
        late = [row for row in rows if parse_utc(row["start"]) >= DAY]
        return [[row for row in late if row["satellite"] == name] for name in satellites]

    images, downlinks = of(document["acquisitions"]), of(document["downlinks"])
    refused: dict[str, int] = {}
    for request in document["requests"]:
        if request["reason"] is not None:
            code = str(request["reason"]["code"])
            refused[code] = refused.get(code, 0) + 1
    return Day(
        km2=tuple(sum(row["value"] for row in rows) for rows in images),
        swath_km2=tuple(sum(_swath_km2(row) for row in rows) for rows in images),
        imaging_s=tuple(sum(_seconds(row) for row in rows) for rows in images),
        acquisitions=tuple(len(rows) for rows in images),
        recorded_gbit=tuple(sum(row["data_gbit"] for row in rows) for rows in images),
        sent_gbit=tuple(sum(row["gbit"] for row in rows) for rows in downlinks),
        refused=refused,
    )


def _seconds(row: Mapping[str, Any]) -> float:
    return (parse_utc(row["end"]) - parse_utc(row["start"])).total_seconds()


def _swath_km2(row: Mapping[str, Any]) -> float:
    """All that a sweep sees, beside and beyond the area that asked for it."""
    (west, south, *_), *_, (east, north, *_) = row["centre_line"]
    middle = math.radians(0.5 * (south + north))
    away = math.remainder(east - west, 360.0)
    length_km = math.radians(math.hypot(away * math.cos(middle), north - south)) * 6371.0
    return length_km * float(row["width_m"]) / 1e3


# The command -------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--strips", type=int, default=2500)
    parser.add_argument("--hours", type=float, default=HOURS)
    parser.add_argument("--lead-hours", type=float, default=LEAD_H)
    parser.add_argument("--iterations", type=int, default=12_000, help="of the search; 0: greedy")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="of the limits, which to relax")
    parser.add_argument("--sensitivity", action="store_true", help="vary what is assumed, too")
    given = parser.parse_args()
    began, cpu = time.perf_counter(), time.process_time()
    requests = book(given.strips, np.random.default_rng(given.seed))
    mission = spot_mission()
    asked = {
        "hours": given.hours,
        "lead_h": given.lead_hours,
        "iterations": given.iterations,
        "seed": given.seed,
    }

    def day(name: str, change: Change) -> Day:
        then = time.process_time()
        result = plan_day(change(mission), requests, **asked)
        seconds = time.process_time() - then
        print(f"{name:24} {result.mean_km2:12.0f} km2 {seconds:8.1f} CPU s {result}", flush=True)
        return result

    plain = day("as it is", lambda mission: mission)
    chosen = RELAXED if given.only is None else {name: RELAXED[name] for name in given.only}
    relaxed = {name: day(name, change).mean_km2 for name, change in chosen.items()}
    varied = ASSUMED if given.sensitivity else {}
    assumed = {name: day(name, change).mean_km2 for name, change in varied.items()}
    value = plain.mean_km2 * 24.0 / given.hours
    print(
        json.dumps(
            {
                "value": round(value),
                "unit": "km2 a day and satellite",
                "published": PUBLISHED_KM2,
                "ratio": round(value / PUBLISHED_KM2, 4),
                "good": abs(value / PUBLISHED_KM2 - 1) <= WITHIN,
                "limit": max(relaxed, key=lambda name: relaxed[name]) if relaxed else None,
                "relaxed": {n: round(v / plain.mean_km2 - 1, 4) for n, v in relaxed.items()},
                "assumed": {n: round(v / plain.mean_km2 - 1, 4) for n, v in assumed.items()},
                "seconds": round(time.perf_counter() - began, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
