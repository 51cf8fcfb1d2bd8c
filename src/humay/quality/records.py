"""What was measured of a product's location, point by point, and what follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from humay.arrays import FloatArray

LEAST_POINTS, LEAST_NEAR_EDGE = 25, 5


@dataclass(frozen=True, kw_only=True)
class Place:
    """The middle of a chip, as the product has it: map coordinates in metres."""

    band: str
    east_m: float
    north_m: float
    near_edge: bool


@dataclass(frozen=True, kw_only=True)
class Point:
    """What lies at a place is shown (east, north) `error_m` away; `sigma_m` is how sure that is."""

    place: Place
    error_m: tuple[float, float]
    sigma_m: tuple[float, float]
    correlation: float


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A place that could not be measured."""

    place: Place
    reason: str


@dataclass(frozen=True, kw_only=True)
class LocationResult:
    """How far off a product lies, against the scene or against another product.

    `native_m` is the sensor's own pixel on the ground, in which errors are also told; `bands` are
    those that were to be measured, whether points were found in them or not. No point is left out
    for its error. Statistics are those of the points of all bands; NaN without any.
    """

    product: str
    reference: str
    native_m: float
    bands: tuple[str, ...]
    points: tuple[Point, ...]
    rejected: tuple[Rejected, ...]

    def __post_init__(self) -> None:
        if not self.native_m > 0:
            raise ValueError(f"{self.product}: native_m is {self.native_m}, expected > 0")

    @cached_property
    def errors_m(self) -> FloatArray:
        """(points, 2): east, north."""
        return np.array([point.error_m for point in self.points], np.float64).reshape(-1, 2)

    @property
    def mean_m(self) -> tuple[float, float]:
        """Mean error, east and north."""
        east_m, north_m = _statistic(np.mean, self.errors_m)
        return east_m, north_m

    @property
    def rms_m(self) -> tuple[float, float]:
        """Root mean square error, east and north: the mean is in it."""
        east_m, north_m = _statistic(lambda e, axis: np.sqrt(np.mean(e**2, axis)), self.errors_m)
        return east_m, north_m

    @property
    def ce90_m(self) -> float:
        """Radius about no error that holds 90 % of the points: their 90th percentile, linear."""
        radii = np.hypot(*self.errors_m.T)
        return float(np.percentile(radii, 90)) if radii.size else math.nan

    @property
    def mean_px(self) -> float:
        """Length of the mean error in native pixels."""
        return math.hypot(*self.mean_m) / self.native_m

    @property
    def ce90_px(self) -> float:
        return self.ce90_m / self.native_m

    def of_band(self, band: str) -> LocationResult:
        """The same of one band alone."""
        return LocationResult(
            product=self.product,
            reference=self.reference,
            native_m=self.native_m,
            bands=(band,),
            points=tuple(point for point in self.points if point.place.band == band),
            rejected=tuple(each for each in self.rejected if each.place.band == band),
        )

    @property
    def is_enough(self) -> bool:
        """Whether each band has points enough for a claim, and enough of them near the edges."""
        counts = [self.of_band(band).points for band in self.bands]
        return bool(counts) and all(
            len(points) >= LEAST_POINTS
            and sum(point.place.near_edge for point in points) >= LEAST_NEAR_EDGE
            for points in counts
        )

    def meets(self, *, mean_px: float, ce90_px: float) -> bool:
        """Whether enough points say that both hold; without enough, the answer is no."""
        return self.is_enough and self.mean_px <= mean_px and self.ce90_px <= ce90_px

    def summary(self) -> dict[str, Any]:
        """What a report and a STAC item tell: numbers are rounded to a tenth of a millimetre."""
        reasons = [each.reason.partition(":")[0] for each in self.rejected]
        return {
            "reference": self.reference,
            "bands": list(self.bands),
            "points": len(self.points),
            "near_edge": sum(point.place.near_edge for point in self.points),
            "rejected": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
            "native_pixel_m": _told(self.native_m),
            "mean_east_m": _told(self.mean_m[0]),
            "mean_north_m": _told(self.mean_m[1]),
            "rms_east_m": _told(self.rms_m[0]),
            "rms_north_m": _told(self.rms_m[1]),
            "ce90_m": _told(self.ce90_m),
            "mean_px": _told(self.mean_px),
            "ce90_px": _told(self.ce90_px),
        }


def _statistic(of: Any, errors_m: FloatArray) -> tuple[float, float]:
    east_m, north_m = of(errors_m, axis=0) if len(errors_m) else (math.nan, math.nan)
    return float(east_m), float(north_m)


def _told(value: float) -> float | None:
    """A number for JSON; none where there is none."""
    return round(value, 4) if math.isfinite(value) else None
