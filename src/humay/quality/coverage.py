"""Whether products lie as well as they are said to: what is predicted, tried over many flights.

No pixels: the place that a pixel truly sees against the place that a measured trajectory and an
erring elevation model give it. `location.py` measures pictures, this measures a prediction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from humay.arrays import FloatArray, norm
from humay.earth import itrf_from_geodetic
from humay.mission import Navigation
from humay.sensor import Pushbroom
from humay.spacecraft import draw_measured


@dataclass(frozen=True, kw_only=True, eq=False)
class Pixels:
    """Pixels (n,) of a sensor model that truly see ground at `height_m`, and the CE90 (n,) in
    metres that is predicted for them."""

    row: FloatArray
    col: FloatArray
    height_m: FloatArray
    ce90_m: FloatArray


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many of the points of all draws lie inside the CE90 predicted for them."""

    draws: int
    points: int
    share: float

    def summary(self) -> dict[str, Any]:
        inside = round(self.share, 4)
        return {"draws": self.draws, "points": self.points, "inside_predicted_ce90": inside}


def coverage_of_prediction(
    true: Pushbroom,
    navigation: Navigation,
    pixels: Pixels,
    *,
    dem_errors_m: FloatArray,
    draws: int,
    rng: np.random.Generator,
) -> Coverage:
    """Draw measured trajectories of a flight, and the heights that a product is laid over.

    Each draw has one trajectory and, at each pixel, an error picked from `dem_errors_m` (k,), which
    hang together over less than pixels are apart. Points of one draw share the trajectory: one
    standard deviation of the share is that of `draws` throws, not of as many as there are points.
    """
    seen = true.locate(pixels.row, pixels.col, pixels.height_m)
    place = itrf_from_geodetic(*seen, pixels.height_m)
    inside = []
    for _ in range(draws):
        measured = true.with_trajectory(draw_measured(true.trajectory, navigation, rng))
        height_m = pixels.height_m + rng.choice(dem_errors_m, size=pixels.row.shape)
        found = measured.locate(pixels.row, pixels.col, height_m)
        miss_m = norm(itrf_from_geodetic(*found, pixels.height_m) - place)
        inside.append(miss_m <= pixels.ce90_m)
    return Coverage(draws=draws, points=draws * pixels.row.size, share=float(np.mean(inside)))
