"""A ground station: where it is, what it sees of the sky, and what it can receive."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from humay.arrays import FloatArray
from humay.errors import MissionError
from humay.mission.keys import Key, Rows, Table
from humay.mission.kinds import Flag, Number, Whole


@dataclass(frozen=True, kw_only=True)
class MaskPoint:
    """Elevation of the local horizon at one azimuth, clockwise from north."""

    azimuth_rad: float
    elevation_rad: float

    def __post_init__(self) -> None:
        MASK_POINT.check(self)


MASK_POINT = Table(
    label="mask point",
    keys=(
        Key("azimuth_deg", Number(at_least=0, below=360), "clockwise from north"),
        Key("elevation_deg", Number(at_least=-10, below=90), "of the horizon there"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class RateStep:
    """The rate a link closes at from one elevation on, up to the next step."""

    elevation_rad: float
    rate_bit_s: float

    def __post_init__(self) -> None:
        RATE_STEP.check(self)


RATE_STEP = Table(
    label="rate step",
    keys=(
        Key("elevation_deg", Number(at_least=-10, below=90), "from which the rate holds"),
        Key("rate_mbit_s", Number(at_least=0), "received from there up to the next step"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Station:
    """One antenna. It serves one satellite at a time, and is free for `setup_s` before each.

    `mask` is the horizon as (azimuth, elevation) by rising azimuth, joined by straight lines and
    closed over north; angles are geometric, without refraction. `downlink_bit_s` caps the
    satellite's rate; so does `rate_by_elevation` in steps, with nothing below the first. Above
    `max_elevation_rad` nothing is received: a mount cannot follow through its keyhole. Between two
    satellites the antenna turns at `antenna_rate_rad_s` about both axes at a time.
    """

    name: str
    lon_rad: float
    lat_rad: float
    height_m: float
    min_elevation_rad: float
    max_elevation_rad: float = math.pi / 2
    mask: tuple[tuple[float, float], ...] = ()
    setup_s: float = 0.0
    antenna_rate_rad_s: float | None = None
    passes_per_day: int | None = None
    downlink_bit_s: float | None = None
    rate_by_elevation: tuple[RateStep, ...] = ()
    uplink: bool = True
    downlink: bool = True

    def __post_init__(self) -> None:
        STATION.check(self)
        azimuths = [MaskPoint(azimuth_rad=a, elevation_rad=e).azimuth_rad for a, e in self.mask]
        self._check_rising("mask", "azimuth", azimuths)
        steps = [step.elevation_rad for step in self.rate_by_elevation]
        self._check_rising("rate_by_elevation", "elevation", steps)
        if not self.max_elevation_rad > self.min_elevation_rad:
            raise MissionError(
                f"station {self.name!r}: max_elevation_deg is "
                f"{math.degrees(self.max_elevation_rad):g}, expected more than min_elevation_deg "
                f"({math.degrees(self.min_elevation_rad):g})"
            )
        if not (self.uplink or self.downlink):
            raise MissionError(
                f"station {self.name!r}: uplink and downlink are both false, expected one at least"
            )

    def _check_rising(self, key: str, angle: str, values_rad: list[float]) -> None:
        for before, after in pairwise(np.degrees(values_rad)):
            if not after > before:
                raise MissionError(
                    f"station {self.name!r}: {key} has {angle}_deg {after:g} after {before:g}, "
                    f"expected rising {angle}s"
                )

    def horizon_rad(self, azimuth_rad: FloatArray) -> FloatArray:
        """Lowest elevation in use at azimuths of any shape: the higher one of mask and minimum."""
        azimuth_rad = np.asarray(azimuth_rad, dtype=np.float64)
        if not self.mask:
            return np.full(azimuth_rad.shape, self.min_elevation_rad)
        azimuths, elevations = np.array(self.mask).T
        mask_rad = np.interp(azimuth_rad, azimuths, elevations, period=2 * np.pi)
        return np.asarray(np.maximum(mask_rad, self.min_elevation_rad))


def _pair(azimuth_rad: float, elevation_rad: float) -> tuple[float, float]:
    point = MaskPoint(azimuth_rad=azimuth_rad, elevation_rad=elevation_rad)
    return point.azimuth_rad, point.elevation_rad


STATION = Table(
    label="station",
    keys=(
        Key("lon_deg", Number(at_least=-180, at_most=360), "geodetic longitude, WGS 84"),
        Key("lat_deg", Number(at_least=-90, at_most=90), "geodetic latitude, WGS 84"),
        Key("height_m", Number(at_least=-500, at_most=9000), "of the antenna above the ellipsoid"),
        Key("min_elevation_deg", Number(at_least=-10, below=90), "lowest elevation in use"),
        Key(
            "max_elevation_deg",
            Number(above=-10, at_most=90),
            "above it lies the keyhole, in which nothing is received",
            default=90.0,
        ),
        Key(
            "mask",
            Rows(table=MASK_POINT, make=_pair),
            "horizon as `{azimuth_deg, elevation_deg}` by rising azimuth, linear in between",
            default=[],
        ),
        Key(
            "setup_s",
            Number(at_least=0, at_most=86_400),
            "the antenna is free for so long before it serves a pass",
            default=0.0,
        ),
        Key(
            "antenna_rate_deg_s",
            Number(above=0, at_most=1000),
            "turn of the antenna about each of its axes, azimuth and elevation, between two "
            "satellites; without it the turn takes no time",
            default=None,
        ),
        Key(
            "passes_per_day",
            Whole(at_least=1),
            "most passes that begin in one UTC day",
            default=None,
        ),
        Key(
            "downlink_mbit_s",
            Number(above=0),
            "highest rate received; the lower one of satellite and station counts",
            default=None,
        ),
        Key(
            "rate_by_elevation",
            Rows(table=RATE_STEP, make=RateStep),
            "rates the link closes at as `{elevation_deg, rate_mbit_s}` by rising elevation, in "
            "steps",
            default=[],
        ),
        Key("uplink", Flag(), "whether commands are sent from here", default=True),
        Key("downlink", Flag(), "whether images are received here", default=True),
    ),
)
