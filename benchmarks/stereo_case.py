"""Cases of AstroReason-Bench's stereo imaging, and what its products are worth.

Read from the README and the verifier of https://github.com/Mtrya/astro-reason (MIT),
benchmarks/stereo_imaging. Angles are degrees, as in the files.

An overlap is the share of 100 points of the area of interest that all strips hold. The points are
drawn anew for each product, from a seed made of names, satellites, passes and times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import numpy as np
import yaml  # type: ignore[import-untyped]
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.float64]

WGS84_A_M, WGS84_B_M = 6_378_137.0, 6_356_752.314245179
BANDS_DEG = {  # of convergence that each kind of scene is matched best in
    "urban_structured": (8.0, 18.0), "vegetated": (8.0, 14.0), "rugged": (10.0, 20.0),
    "open": (15.0, 25.0),
}  # fmt: skip
BAND_EDGE_DEG, FULL_OVERLAP, RATIO_SPAN = 10.0, 0.95, 0.5
PAIR_SAMPLES, EDGE_SAMPLES = 100, 80
SLACK = 1e-6


@dataclass(frozen=True, kw_only=True)
class Satellite:
    name: str
    lines: tuple[str, str]
    pixel_deg: float
    half_view_deg: float
    off_nadir_deg: float
    rate_deg_s: float
    acceleration_deg_s2: float
    settle_s: float
    shortest_s: float
    longest_s: float

    def slew_s(self, angle_deg: float) -> float:
        """From rest to rest, and settling: bang, coast, bang."""
        rate, acceleration = self.rate_deg_s, self.acceleration_deg_s2
        if angle_deg <= rate**2 / acceleration:
            return self.settle_s + 2 * math.sqrt(angle_deg / acceleration)
        return self.settle_s + angle_deg / rate + rate / acceleration


@dataclass(frozen=True, kw_only=True)
class Target:
    """A round area of interest about a place (m, ITRF)."""

    name: str
    place: tuple[float, float, float]
    radius_m: float
    scene: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """`bonus` is what three looks add to the best pair of them, by scene."""

    folder: Path
    start: datetime
    horizon_s: float
    across_satellites: bool
    longest_apart_s: float
    least_overlap: float
    convergence_deg: tuple[float, float]
    largest_ratio: float
    sun_deg: float
    anchor_deg: float
    weights: tuple[float, float, float]
    bonus: dict[str, float]
    satellites: tuple[Satellite, ...]
    targets: tuple[Target, ...]

    def pair_quality(
        self, scene: str, convergence_deg: FloatArray, overlap: FloatArray, ratio: FloatArray
    ) -> FloatArray:
        """What pairs (...) are worth, 0 where they are none."""
        low, high = self.convergence_deg
        valid = (convergence_deg >= low - SLACK) & (convergence_deg <= high + SLACK)
        valid &= (overlap >= self.least_overlap - SLACK) & (ratio <= self.largest_ratio + SLACK)
        best_low, best_high = BANDS_DEG[scene]
        beyond = np.maximum(np.maximum(best_low - convergence_deg, convergence_deg - best_high), 0)
        parts = (
            np.maximum(1 - beyond / BAND_EDGE_DEG, 0),
            np.minimum(overlap / FULL_OVERLAP, 1),
            np.maximum(1 - (ratio - 1) / RATIO_SPAN, 0),
        )
        worth = sum(weight * part for weight, part in zip(self.weights, parts, strict=True))
        return np.asarray(np.where(valid, worth, 0.0))

    def triple_quality(self, scene: str, pairs: list[float], overlap: float, tilt: float) -> float:
        """What three looks are worth by the pairs among them; `tilt` is the least off nadir."""
        valid = sum(quality > 0 for quality in pairs) >= 2 and tilt <= self.anchor_deg + SLACK
        if not valid or overlap < self.least_overlap - SLACK:
            return 0.0
        return min(1.0, max(pairs) + self.bonus[scene])

    def samples(self, target: Target, looks: list[Seen], role: str, count: int) -> FloatArray:
        """The points (count, 2) east and north (m) at which an overlap is taken."""
        windows = sorted((iso(look.start), iso(look.end)) for look in looks)
        satellites = sorted(look.satellite for look in looks)
        passes = sorted(
            f"{look.satellite}:{look.satellite}::{target.name}::{look.visit}" for look in looks
        )
        names = (self.folder.name, "+".join(satellites), target.name, "+".join(passes), role)
        times = "\x1f".join(moment for window in windows for moment in window)
        text = "\x1e".join((*names, str(count), times))
        random = Random(int.from_bytes(sha256(text.encode()).digest()[:8], "big"))
        draws = np.array([random.random() for _ in range(2 * count)]).reshape(count, 2)
        angle = 2 * math.pi * draws[:, 1]
        radius = target.radius_m * np.sqrt(draws[:, 0])
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the seed of a product needs of a look: `visit` counts the satellite's passes of this
    target that the file uses, in its order."""

    satellite: str
    visit: int
    start: datetime
    end: datetime


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


# ---------------------------------------------------------------- reading


def read(folder: Path) -> Case:
    """A case from the folder that holds mission.yaml, satellites.yaml and targets.yaml."""
    mission = _load(folder / "mission.yaml")["mission"]
    limits, model = mission["validity_thresholds"], mission["quality_model"]
    start = moment(mission["horizon_start"])
    return Case(
        folder=folder,
        start=start,
        horizon_s=(moment(mission["horizon_end"]) - start).total_seconds(),
        across_satellites=bool(mission.get("allow_cross_satellite_stereo", False)),
        longest_apart_s=float(mission.get("max_stereo_pair_separation_s", 3600.0)),
        least_overlap=limits["min_overlap_fraction"],
        convergence_deg=(limits["min_convergence_deg"], limits["max_convergence_deg"]),
        largest_ratio=limits["max_pixel_scale_ratio"],
        sun_deg=limits["min_solar_elevation_deg"],
        anchor_deg=limits["near_nadir_anchor_max_off_nadir_deg"],
        weights=tuple(model["pair_weights"][k] for k in ("geometry", "overlap", "resolution")),
        bonus=dict(model["tri_stereo_bonus_by_scene"]),
        satellites=tuple(map(_satellite, _load(folder / "satellites.yaml"))),
        targets=tuple(map(_target, _load(folder / "targets.yaml"))),
    )


def _load(path: Path) -> Any:
    with path.open(encoding="utf-8") as file:
        return yaml.load(file, Loader=yaml.CSafeLoader)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def _satellite(entry: dict[str, Any]) -> Satellite:
    return Satellite(
        name=entry["id"],
        lines=(entry["tle_line1"], entry["tle_line2"]),
        pixel_deg=entry["pixel_ifov_deg"],
        half_view_deg=0.5 * entry["cross_track_pixels"] * entry["pixel_ifov_deg"],
        off_nadir_deg=entry["max_off_nadir_deg"],
        rate_deg_s=entry["max_slew_velocity_deg_per_s"],
        acceleration_deg_s2=entry["max_slew_acceleration_deg_per_s2"],
        settle_s=entry["settling_time_s"],
        shortest_s=entry["min_obs_duration_s"],
        longest_s=entry["max_obs_duration_s"],
    )


def _target(entry: dict[str, Any]) -> Target:
    lon, lat = math.radians(entry["longitude_deg"]), math.radians(entry["latitude_deg"])
    flat = (WGS84_B_M / WGS84_A_M) ** 2
    radius = WGS84_A_M / math.sqrt(1 - (1 - flat) * math.sin(lat) ** 2)
    height = entry["elevation_ref_m"]
    across = (radius + height) * math.cos(lat)
    return Target(
        name=entry["id"],
        place=(
            across * math.cos(lon), across * math.sin(lon), (radius * flat + height) * math.sin(lat)
        ),
        radius_m=entry["aoi_radius_m"],
        scene=entry["scene_type"],
    )  # fmt: skip
