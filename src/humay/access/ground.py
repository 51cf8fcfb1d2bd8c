"""The ground under strips: the straight rise that fits it best, and how far it leaves that."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from humay.access.bands import Bands, Pieces, angle_along, ramps
from humay.access.lines import MEAN_RADIUS_M
from humay.access.planes import Drawn
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.errors import AccessError
from humay.mission import HeightError, HeightModel

_ROWS, _COLUMNS = 7, 100  # of heights across and along a strip, at most
_LEAST_STEP_M, _MOST_STEP_M = 1_000.0, 5_000.0  # between them, a quarter of the width if that is in
_AT_A_TIME = 500_000  # heights


@dataclass(frozen=True, kw_only=True, eq=False)
class Ground:
    """The ground under places (p,) of the areas `area`: a line that rises from `level_m` at angle 0
    by `slope_m` a radian is at most `top_m` high, and the ground leaves it by at most `relief_m`.
    The ground itself lies between `least_m` and `most_m`.
    """

    area: IntArray
    level_m: FloatArray
    slope_m: FloatArray
    relief_m: FloatArray
    top_m: FloatArray
    least_m: FloatArray
    most_m: FloatArray

    def level_where(self, flat: BoolArray) -> Ground:
        """The same with a level line at places (p,): half way up, left by half of the range."""
        middle, half = 0.5 * (self.least_m + self.most_m), 0.5 * (self.most_m - self.least_m)
        return replace(
            self,
            level_m=np.where(flat, middle, self.level_m),
            slope_m=np.where(flat, 0.0, self.slope_m),
            relief_m=np.where(flat, half, self.relief_m),
            top_m=np.where(flat, middle, self.top_m),
        )


def flat_ground(area: IntArray, height_m: FloatArray) -> Ground:
    """Ground of one height at each of the places (p,)."""
    none = np.zeros(len(area))
    return Ground(
        area=area, level_m=height_m, slope_m=none, relief_m=none, top_m=height_m,
        least_m=height_m, most_m=height_m,
    )  # fmt: skip


def ground_under(pieces: Pieces, bands: Bands, drawn: Drawn, heights: HeightModel) -> Ground:
    """What the height model says under pieces, unless their request states a height.

    Only ground inside the area counts: at the corners of the pieces and in up to seven rows, at
    places 1 to 5 km apart. Extremes between those are not known. The line under a piece shorter
    than its strip is wide stays level: its ends would run away with every slope.
    """
    area = bands.area[pieces.band]
    ground = vars(flat_ground(area, drawn.height_m[area].copy()))
    fields = {name: values.copy() for name, values in ground.items()}
    asked = np.flatnonzero(np.isnan(fields["level_m"]))
    for rows in np.array_split(asked, -(-len(asked) * _ROWS * _COLUMNS // _AT_A_TIME) or 1):
        for name, values in _fitted(pieces, bands, drawn, heights, rows).items():
            fields[name][rows] = values
    return Ground(**fields)


def _fitted(
    pieces: Pieces, bands: Bands, drawn: Drawn, heights: HeightModel, rows: IntArray
) -> dict[str, FloatArray]:
    """The fields of the ground under the pieces `rows` (k,), in this order."""
    band, k = pieces.band[rows], len(rows)
    owner, xy = _places(pieces, bands, rows)
    height_m = _heights(owner, xy, drawn, heights, bands.area[band])
    angle = angle_along(xy, bands.middle[band[owner]])
    count = np.maximum(np.bincount(owner, minlength=k), 1)
    angle_0 = np.bincount(owner, angle, minlength=k) / count
    height_0 = np.bincount(owner, height_m, minlength=k) / count
    off, rise = angle - angle_0[owner], height_m - height_0[owner]
    length = pieces.high[rows] - pieces.low[rows]
    spread = np.bincount(owner, off * off, minlength=k)
    sloped = (length > bands.width_rad[band]) & (spread > 0)
    slope = np.bincount(owner, off * rise, minlength=k) / np.where(sloped, spread, 1.0) * sloped
    least, most = np.full(k, np.inf), np.full(k, -np.inf)
    np.minimum.at(least, owner, height_m - slope[owner] * angle)
    np.maximum.at(most, owner, height_m - slope[owner] * angle)
    level = 0.5 * (least + most)
    lowest, highest = np.full(k, np.inf), np.full(k, -np.inf)
    np.minimum.at(lowest, owner, height_m)
    np.maximum.at(highest, owner, height_m)
    return {
        "level_m": level,
        "slope_m": slope,
        "relief_m": 0.5 * (most - least),
        "top_m": level + np.maximum(slope * pieces.low[rows], slope * pieces.high[rows]),
        "least_m": lowest,
        "most_m": highest,
    }


def _places(pieces: Pieces, bands: Bands, rows: IntArray) -> tuple[IntArray, FloatArray]:
    """Places on the planes in each of the pieces `rows`: which of these, and where (m, 2)."""
    shape = pieces.shape[rows]
    corners, owner = shapely.get_coordinates(shape, return_index=True)
    x0, y0, x1, y1 = shapely.bounds(shape).T
    wide_m = bands.width_rad[pieces.band[rows]] * MEAN_RADIUS_M
    step = np.clip(0.25 * wide_m, _LEAST_STEP_M, _MOST_STEP_M) / MEAN_RADIUS_M
    along, across = (
        np.clip(np.ceil(size / step), 1, most).astype(np.int64)
        for size, most in ((x1 - x0, _COLUMNS), (y1 - y0, _ROWS))
    )
    which, number = np.repeat(np.arange(len(rows)), along * across), ramps(along * across)
    i, j = np.divmod(number, across[which])
    x = x0[which] + (i + 0.5) / along[which] * (x1 - x0)[which]
    y = y0[which] + (j + 0.5) / across[which] * (y1 - y0)[which]
    shapely.prepare(shape)
    inside = shapely.contains_xy(shape[which], x, y)
    grid = np.stack([x[inside], y[inside]], axis=-1)
    return np.concatenate((owner, which[inside])), np.concatenate((corners, grid))


def _heights(
    owner: IntArray, xy: FloatArray, drawn: Drawn, heights: HeightModel, area: IntArray
) -> FloatArray:
    normal = drawn.normal(area[owner], xy[:, 0], xy[:, 1])
    lon = np.arctan2(normal[:, 1], normal[:, 0])
    lat = np.arcsin(np.clip(normal[:, 2], -1, 1))
    try:
        return heights.ellipsoidal_m(lon, lat)
    except HeightError as error:
        name = drawn.name[area[owner[error.index]]]
        raise AccessError(f"request {name!r}: {error}") from error
