"""The rules of AstroReason-Bench's regional coverage in plain code: what written strips are worth.

Read from the README and the verifier of https://github.com/Mtrya/astro-reason (MIT),
benchmarks/regional_coverage; nothing here knows of `humay`. Times are seconds after the horizon's
start, angles degrees, energies watt-hours, as in the files.

A strip is swept between two rays that roll to either side of its middle; between samples of time it
is a quadrilateral in longitude and latitude, and what lies in one is covered.
"""

from __future__ import annotations

import gzip
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import erfa
import numpy as np
import shapely
import yaml  # type: ignore[import-untyped]
from benchmarks.brahe_sky import FloatArray, shadow_margin_m, states_itrf
from numpy.typing import NDArray

WGS84_A_M, WGS84_B_M = 6_378_137.0, 6_356_752.314245179
DAY_S = 86_400
SLACK, ENERGY_SLACK_WH = 1e-6, 1e-9  # the benchmark's own


@dataclass(frozen=True, kw_only=True)
class Satellite:
    """A radar that looks to both sides; `nearest_deg` and `farthest_deg` bound both edges of a
    strip. `duty_s` is how long it may work in one orbit, None without a limit."""

    name: str
    lines: tuple[str, str]
    nearest_deg: float
    farthest_deg: float
    field_deg: float
    shortest_s: float
    longest_s: float
    rate_deg_s: float
    acceleration_deg_s2: float
    settle_s: float
    capacity_wh: float
    initial_wh: float
    idle_w: float
    imaging_w: float
    slew_w: float
    charge_w: float
    duty_s: float | None

    @property
    def orbit_s(self) -> float:
        """From the mean motion. The verifier takes the last field but one for it, which is the mean
        anomaly where the number of the revolution has no blank before it: the longer counts."""
        return DAY_S / min(float(self.lines[1][52:63]), float(self.lines[1].split()[-2]))

    def slew_s(self, angle_deg: float) -> float:
        """From rest to rest, and settling: bang, coast, bang."""
        rate, acceleration = self.rate_deg_s, self.acceleration_deg_s2
        if angle_deg <= rate**2 / acceleration:
            return self.settle_s + 2 * math.sqrt(angle_deg / acceleration)
        return self.settle_s + angle_deg / rate + rate / acceleration


@dataclass(frozen=True, kw_only=True, eq=False)
class Region:
    """Cells (n, 2), longitude and latitude, and what each adds to the share that is covered. The
    verifier asks for `required` of them, where that is not None."""

    name: str
    weight: float
    required: float | None
    cells_deg: FloatArray
    share: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """`action_s` and `sample_s` are the grids of actions and of the geometry."""

    folder: Path
    start: datetime
    horizon_s: int
    action_s: int
    sample_s: int
    most_actions: int | None
    satellites: tuple[Satellite, ...]
    regions: tuple[Region, ...]


@dataclass(frozen=True, kw_only=True)
class Strip:
    satellite: Satellite
    start_s: float
    duration_s: float
    roll_deg: float

    def __str__(self) -> str:
        return f"{self.satellite.name} at {self.start_s} s"

    @property
    def end_s(self) -> float:
        return self.start_s + self.duration_s


# ---------------------------------------------------------------- reading


def read(folder: Path) -> Case:
    """A case from the folder that holds manifest.json, satellites.yaml, regions.geojson and
    coverage_grid.json, compressed or not."""
    manifest = _json(folder / "manifest.json")
    start = _moment(manifest["horizon_start"])
    wanted = {
        f["properties"]["region_id"]: f["properties"]
        for f in _json(folder / "regions.geojson")["features"]
    }
    case = Case(
        folder=folder,
        start=start,
        horizon_s=round((_moment(manifest["horizon_end"]) - start).total_seconds()),
        action_s=int(manifest["time_step_s"]),
        sample_s=int(manifest["coverage_sample_step_s"]),
        most_actions=manifest["scoring"].get("max_actions_total"),
        satellites=tuple(map(_satellite, _yaml(folder / "satellites.yaml"))),
        regions=tuple(
            _region(entry, wanted[entry["region_id"]])
            for entry in _json(folder / "coverage_grid.json")["regions"]
        ),
    )
    if case.action_s % case.sample_s:
        raise ValueError(
            f"{folder}: actions start every {case.action_s} s, expected a multiple of the"
            f" geometry's {case.sample_s} s"
        )
    return case


def _json(path: Path) -> Any:
    packed = path.with_name(path.name + ".gz")
    return json.loads(path.read_bytes() if path.is_file() else gzip.decompress(packed.read_bytes()))


def _yaml(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _satellite(entry: dict[str, Any]) -> Satellite:
    sensor, agility, power = entry["sensor"], entry["agility"], entry["power"]
    return Satellite(
        name=entry["satellite_id"],
        lines=(entry["tle_line1"], entry["tle_line2"]),
        nearest_deg=sensor["min_edge_off_nadir_deg"],
        farthest_deg=sensor["max_edge_off_nadir_deg"],
        field_deg=sensor["cross_track_fov_deg"],
        shortest_s=sensor["min_strip_duration_s"],
        longest_s=sensor["max_strip_duration_s"],
        rate_deg_s=agility["max_roll_rate_deg_per_s"],
        acceleration_deg_s2=agility["max_roll_acceleration_deg_per_s2"],
        settle_s=agility["settling_time_s"],
        capacity_wh=power["battery_capacity_wh"],
        initial_wh=power["initial_battery_wh"],
        idle_w=power["idle_power_w"],
        imaging_w=power["imaging_power_w"],
        slew_w=power["slew_power_w"],
        charge_w=power["sunlit_charge_power_w"],
        duty_s=power.get("imaging_duty_limit_s_per_orbit"),
    )


def _region(entry: dict[str, Any], wanted: dict[str, Any]) -> Region:
    cells = entry["samples"]
    return Region(
        name=entry["region_id"],
        weight=float(wanted.get("weight", 1.0)),
        required=wanted.get("min_required_coverage_ratio"),
        cells_deg=np.array([(cell["longitude_deg"], cell["latitude_deg"]) for cell in cells]),
        share=np.array([cell["weight_m2"] for cell in cells]) / entry["total_weight_m2"],
    )


# ---------------------------------------------------------------- judging


def coverage(case: Case, path: Path) -> float:
    """The mean share of the regions that is covered; ValueError where a rule is broken."""
    strips = _read_strips(case, path)
    for satellite in case.satellites:
        own = sorted((x for x in strips if x.satellite is satellite), key=lambda x: x.start_s)
        _check_order(own)
        _check_duty(satellite, own)
        _check_battery(case, satellite, own)
    pieces = [piece for strip in strips for piece in quadrilaterals(case, strip)]
    shares = [math.fsum(region.share[_held(pieces, region.cells_deg)]) for region in case.regions]
    for region, share in zip(case.regions, shares, strict=True):
        if region.required is not None and share + 1e-9 < region.required:
            raise ValueError(f"{region.name}: {share} covered, {region.required} required")
    weights = [region.weight for region in case.regions]
    return math.fsum(w * s for w, s in zip(weights, shares, strict=True)) / math.fsum(weights)


def _read_strips(case: Case, path: Path) -> list[Strip]:
    satellites = {satellite.name: satellite for satellite in case.satellites}
    entries = json.loads(path.read_text(encoding="utf-8"))["actions"]
    if case.most_actions is not None and len(entries) > case.most_actions:
        raise ValueError(f"{path}: {len(entries)} actions, at most {case.most_actions}")
    strips = []
    for entry in entries:
        if entry["type"] != "strip_observation":
            raise ValueError(f"{path}: {entry['type']!r}, expected a strip_observation")
        if entry["satellite_id"] not in satellites:
            raise ValueError(f"{path}: {entry['satellite_id']} is not known")
        strip = Strip(
            satellite=satellites[entry["satellite_id"]],
            start_s=(_moment(entry["start_time"]) - case.start).total_seconds(),
            duration_s=float(entry["duration_s"]),
            roll_deg=float(entry["roll_deg"]),
        )
        _check_alone(case, strip)
        strips.append(strip)
    return strips


def _check_alone(case: Case, strip: Strip) -> None:
    satellite, half = strip.satellite, 0.5 * strip.satellite.field_deg
    near, far = abs(strip.roll_deg) - half, abs(strip.roll_deg) + half
    if near < satellite.nearest_deg - SLACK or far > satellite.farthest_deg + SLACK:
        raise ValueError(f"{strip}: edges {near} and {far} deg off nadir")
    if not satellite.shortest_s - SLACK <= strip.duration_s <= satellite.longest_s + SLACK:
        raise ValueError(f"{strip}: takes {strip.duration_s} s")
    if strip.start_s < 0 or strip.end_s > case.horizon_s:
        raise ValueError(f"{strip}: beyond the horizon")
    for seconds in (strip.start_s, strip.duration_s):
        if abs(math.remainder(seconds / case.action_s, 1.0)) > SLACK:
            raise ValueError(f"{strip}: {seconds} s is off the grid of {case.action_s} s")


def _check_order(strips: list[Strip]) -> None:
    for before, after in pairwise(strips):
        free_s, needed_s = after.start_s - before.end_s, _slew_s(before, after)
        if free_s + SLACK < needed_s:
            raise ValueError(f"{after}: {free_s} s before it, its slew takes {needed_s} s")


def _slew_s(before: Strip, after: Strip) -> float:
    return after.satellite.slew_s(abs(after.roll_deg - before.roll_deg))


def _check_duty(satellite: Satellite, strips: list[Strip]) -> None:
    """In any orbit that ends with a strip or where one begins."""
    for end_s in {t for strip in strips for t in (strip.start_s, strip.end_s)}:
        inside_s = (
            min(end_s, strip.end_s) - max(end_s - satellite.orbit_s, strip.start_s)
            for strip in strips
        )
        used_s = math.fsum(max(s, 0.0) for s in inside_s)
        if satellite.duty_s is not None and used_s > satellite.duty_s + SLACK:
            raise ValueError(
                f"{satellite.name}: {used_s} s in an orbit, at most {satellite.duty_s}"
            )


def _check_battery(case: Case, satellite: Satellite, strips: list[Strip]) -> None:
    """Between all edges of the grid, of strips and of slews; the Sun at each middle."""
    slews = [(b.start_s - _slew_s(a, b), b.start_s) for a, b in pairwise(strips)]
    works = [(strip.start_s, strip.end_s) for strip in strips]
    edges = [*range(0, case.horizon_s, case.sample_s), case.horizon_s]
    t_s = np.unique([*edges, *(t for span in works + slews for t in span)])
    middle = 0.5 * (t_s[1:] + t_s[:-1])
    r_itrf = states_itrf(satellite.lines, case.start, middle)[0]
    lit = shadow_margin_m(case.start, middle, r_itrf) >= 0
    power_w = np.where(lit, satellite.charge_w, 0.0) - satellite.idle_w
    for spans, load_w in ((works, satellite.imaging_w), (slews, satellite.slew_w)):
        for begin, end in spans:
            power_w -= load_w * ((middle >= begin) & (middle < end))
    level_wh = satellite.initial_wh
    for flow_wh, at_s in zip(
        (power_w * np.diff(t_s) / 3600).tolist(), middle.tolist(), strict=True
    ):
        level_wh = min(level_wh + flow_wh, satellite.capacity_wh)
        if level_wh < -ENERGY_SLACK_WH:
            raise ValueError(f"{satellite.name}: a battery of {level_wh} Wh at {at_s} s")


# ---------------------------------------------------------------- geometry


def quadrilaterals(case: Case, strip: Strip) -> list[shapely.Polygon]:
    """The strip's pieces in longitude and latitude."""
    t_s = np.array([*np.arange(strip.start_s, strip.end_s, case.sample_s), strip.end_s])
    half = 0.5 * strip.satellite.field_deg
    inner, outer = (
        edge_deg(case, strip.satellite, t_s, math.copysign(tilt, strip.roll_deg))
        for tilt in (abs(strip.roll_deg) - half, abs(strip.roll_deg) + half)
    )
    return [
        shapely.Polygon([inner[k], outer[k], outer[k + 1], inner[k + 1]])
        for k in range(len(t_s) - 1)
    ]


def edge_deg(case: Case, satellite: Satellite, t_s: FloatArray, roll_deg: float) -> FloatArray:
    """Longitudes and latitudes (n, 2) where a ray at a roll meets the ellipsoid."""
    r, v = states_itrf(satellite.lines, case.start, t_s)
    nadir = -r / np.linalg.norm(r, axis=1)[:, None]
    along = v - np.sum(v * nadir, axis=1)[:, None] * nadir
    across = np.cross(along / np.linalg.norm(along, axis=1)[:, None], nadir)
    scale = np.array([WGS84_A_M, WGS84_A_M, WGS84_B_M])
    o, d = r / scale, (nadir + math.tan(math.radians(roll_deg)) * across) / scale
    a, b, c = np.sum(d * d, axis=1), np.sum(o * d, axis=1), np.sum(o * o, axis=1) - 1
    if np.any(b * b < a * c):
        raise ValueError(f"{satellite.name}: rays at {roll_deg} deg miss the Earth")
    ground = (o - ((b + np.sqrt(b * b - a * c)) / a)[:, None] * d) * scale
    lon, lat, _ = erfa.gc2gd(1, ground)
    return np.asarray(np.degrees(np.stack([lon, lat], axis=-1)))


def _held(pieces: list[shapely.Polygon], cells_deg: FloatArray) -> NDArray[np.bool_]:
    """Which cells (n, 2) any piece covers, edges included."""
    held = np.zeros(len(cells_deg), dtype=bool)
    tree = shapely.STRtree(shapely.points(cells_deg))
    for piece in pieces:
        shapely.prepare(piece)
        held[tree.query(piece, predicate="covers")] = True
    return held
