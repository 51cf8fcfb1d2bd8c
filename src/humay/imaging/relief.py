"""The shape of the synthetic ground: heights and slopes, anywhere, from chance alone.

Before the shore is drawn, the height above the water is

    raw = base + swell * n(120 km) + lift * S + S * sum of b_i n(w_i),   w_i = 8 km ... 250 m

with S, half the range of the six octaves, running smoothly through three classes of ground (plain
20 m, hills 300 m, mountains 1,500 m from deepest to highest) as one more noise of 80 km does. Where
raw is within `soft` = 5 % of S of zero, a parabola leads from the flat water to the slope, so the
ground has no kink at the shore: surface = (raw + soft)^2 / (4 soft), and water where raw < -soft.

Its slope stays below `STEEPEST_SLOPE`, by the sum of the largest slopes of all terms:

    |grad| <= swell G/120 km + (lift + 1) |grad S| + S sum b_i G/w_i + |grad soft| / 4

with G = 3.75, the largest gradient of the noise. The point itself is always taken on the ellipsoid,
so a column of air has one height: there are no overhangs.
"""

from __future__ import annotations

import math

from humay.arrays import FloatArray
from humay.compiled import kernel
from humay.earth import WGS84_A_M, WGS84_E2
from humay.imaging.noise import STEEPEST, mixed, sloped_noise

WATER_LEVEL_M = 0.0  # ellipsoidal
WAVES_M = (8000.0, 4000.0, 2000.0, 1000.0, 500.0, 250.0)
SHARES = (0.728, 0.2, 0.045, 0.018, 0.007, 0.002)  # of S; their sum is 1
PLAIN_M, HILLS_M, MOUNTAINS_M = 10.0, 150.0, 750.0  # S of each class: half its range
CLASS_WAVE_M = 80_000.0
HILLS_AT, CLASS_WIDTH = -0.02, 0.5  # of the noise that sets the class: hills there, mountains after
BASE_M, SWELL_M, SWELL_WAVE_M = 32.0, 70.0, 120_000.0
LIFT = 0.15
SOFT = 0.05

_CLASS_SLOPE = (MOUNTAINS_M - HILLS_M) * 15.0 / 8.0 / CLASS_WIDTH * STEEPEST / CLASS_WAVE_M
STEEPEST_SLOPE = (
    SWELL_M * STEEPEST / SWELL_WAVE_M
    + (LIFT + 1.0 + SOFT / 4.0) * _CLASS_SLOPE
    + MOUNTAINS_M * STEEPEST * sum(b / w for b, w in zip(SHARES, WAVES_M, strict=True))
)
"""Largest tangent of a slope anywhere, by the sum at the head of this module."""


@kernel
def step(t: float) -> tuple[float, float]:
    """The quintic from 0 to 1 with its derivative; flat outside."""
    t = min(max(t, 0.0), 1.0)
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0), 30.0 * t * t * (t - 1.0) * (t - 1.0)


@kernel
def raw_relief(
    x: float, y: float, z: float, key: int
) -> tuple[float, float, float, float, float, float, float, float]:
    """Height over the water before the shore is drawn, S, and the gradients of both.

    `x, y, z` on the ellipsoid, ITRF metres; gradients in ITRF axes.
    """
    value, gx, gy, gz = sloped_noise(
        x / CLASS_WAVE_M, y / CLASS_WAVE_M, z / CLASS_WAVE_M, mixed(key + 1)
    )
    hills, hills_slope = step((value - HILLS_AT) / CLASS_WIDTH + 1.0)
    mountains, mountains_slope = step((value - HILLS_AT) / CLASS_WIDTH)
    size = PLAIN_M + (HILLS_M - PLAIN_M) * hills + (MOUNTAINS_M - HILLS_M) * mountains
    growth = ((HILLS_M - PLAIN_M) * hills_slope + (MOUNTAINS_M - HILLS_M) * mountains_slope) / (
        CLASS_WIDTH * CLASS_WAVE_M
    )
    sx, sy, sz = growth * gx, growth * gy, growth * gz
    shape, nx, ny, nz = 0.0, 0.0, 0.0, 0.0
    for i in range(len(WAVES_M)):
        per_m, share = 1.0 / WAVES_M[i], SHARES[i]
        value, gx, gy, gz = sloped_noise(x * per_m, y * per_m, z * per_m, mixed(key + 2 + i))
        shape += share * value
        nx += share * per_m * gx
        ny += share * per_m * gy
        nz += share * per_m * gz
    swell, gx, gy, gz = sloped_noise(
        x / SWELL_WAVE_M, y / SWELL_WAVE_M, z / SWELL_WAVE_M, mixed(key)
    )
    slope = SWELL_M / SWELL_WAVE_M
    return (
        BASE_M + SWELL_M * swell + (LIFT + shape) * size,
        slope * gx + (LIFT + shape) * sx + size * nx,
        slope * gy + (LIFT + shape) * sy + size * ny,
        slope * gz + (LIFT + shape) * sz + size * nz,
        size,
        sx,
        sy,
        sz,
    )


@kernel
def on_ellipsoid(lon: float, lat: float) -> tuple[float, float, float, float, float, float]:
    """ITRF metres of the point on the ellipsoid, and its normal."""
    sin_lat, cos_lat = math.sin(lat), math.cos(lat)
    ux, uy, uz = cos_lat * math.cos(lon), cos_lat * math.sin(lon), sin_lat
    radius = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * sin_lat * sin_lat)
    return radius * ux, radius * uy, radius * (1.0 - WGS84_E2) * uz, ux, uy, uz


@kernel
def survey(lon: FloatArray, lat: FloatArray, key: int, out: FloatArray) -> None:
    """Height of the surface and its gradient along the ground, (n, 4): m, and ITRF axes."""
    for k in range(lon.size):
        x, y, z, ux, uy, uz = on_ellipsoid(lon[k], lat[k])
        raw, gx, gy, gz, size, sx, sy, sz = raw_relief(x, y, z, key)
        soft = SOFT * size
        t = min(max((raw + soft) / (2.0 * soft), 0.0), 1.0)  # share of the slope that is left
        bend = t * (1.0 - t) * SOFT
        out[k, 0] = WATER_LEVEL_M + (raw if t >= 1.0 else soft * t * t)
        gx, gy, gz = t * gx + bend * sx, t * gy + bend * sy, t * gz + bend * sz
        up = gx * ux + gy * uy + gz * uz
        out[k, 1], out[k, 2], out[k, 3] = gx - up * ux, gy - up * uy, gz - up * uz
