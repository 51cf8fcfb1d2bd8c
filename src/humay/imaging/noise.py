"""Smooth chance that needs no memory: value noise on a lattice of three dimensions.

Every lattice point has a value 1.5 v - 0.5 v^3 with v between -1 and 1 drawn by an integer hash of
its coordinates and a key (the cubic makes high and low places more frequent); in between they are
blended with the quintic 6 t^5 - 15 t^4 + 10 t^3 (K. Perlin, Improving
noise, SIGGRAPH 2002), which makes the result twice differentiable everywhere. Coordinates are
metres of ITRF over a wavelength: nothing repeats round the Earth and nothing has a seam.

The hash works on 32 bits held in 64, so that no product overflows: compiled code, NumPy and plain
Python agree to the bit.
"""

from __future__ import annotations

import math

from humay.arrays import FloatArray
from humay.compiled import kernel

MASK = 0xFFFFFFFF
STEP_X, STEP_Y, STEP_Z = 0x1B873593, 0x6C8E9CF5, 0x2545F491  # odd, below 2^31
MIX = 0x45D9F3B
UNIT = 1.0 / 4294967296.0

STEEPEST = 3.75  # |gradient| per lattice step: twice the largest slope of the quintic, 15 / 8
BENT_MOST = 11.55  # |second derivative| along any axis: twice that of the quintic, 10 / sqrt(3)


@kernel
def mixed(h: int) -> int:
    """Scramble 32 bits, one to one (shifts, exclusive or, multiplications)."""
    h &= MASK
    h = ((h ^ (h >> 16)) * MIX) & MASK
    h = ((h ^ (h >> 16)) * MIX) & MASK
    return h ^ (h >> 16)


@kernel
def drawn(key: int, i: int, j: int) -> int:
    """32 random bits for a pair of integers under a key."""
    return mixed(mixed(key + i * STEP_X) + j * STEP_Y)


@kernel
def share(bits: int, place: int) -> float:
    """A number in [0, 1) drawn for the place `place` of a list, from random bits."""
    return mixed(bits + place * STEP_Z) * UNIT


@kernel
def node(h: int) -> float:
    """The value of a lattice point, in [-1, 1]."""
    v = mixed(h) * (2.0 * UNIT) - 1.0
    return v * (1.5 - 0.5 * v * v)


@kernel
def corners(h: int) -> tuple[float, float, float, float, float, float, float, float]:
    """The trilinear polynomial through a lattice cell: factors of 1, u, v, w, uv, vw, wu, uvw."""
    a, b = node(h), node(h + STEP_X)
    c, d = node(h + STEP_Y), node(h + STEP_X + STEP_Y)
    h += STEP_Z
    e, f = node(h) - a, node(h + STEP_X) - b
    g, i = node(h + STEP_Y) - c, node(h + STEP_X + STEP_Y) - d
    return a, b - a, c - a, e, a - b - c + d, g - e, f - e, e - f - g + i


@kernel
def noise(x: float, y: float, z: float, key: int) -> float:
    """Value noise in [-1, 1] at lattice coordinates."""
    return sloped_noise(x, y, z, key)[0]


@kernel
def remembered_noise(x: float, y: float, z: float, key: int, memo: FloatArray) -> float:
    """The same noise for neighbours one after the other: `memo` (11,) keeps the last lattice cell.

    A new memo holds a number that is no lattice coordinate, such as 0.5.
    """
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    if fx != memo[0] or fy != memo[1] or fz != memo[2]:
        memo[0], memo[1], memo[2] = fx, fy, fz
        h = int(fx) * STEP_X + int(fy) * STEP_Y + int(fz) * STEP_Z + key
        memo[3], memo[4], memo[5], memo[6], memo[7], memo[8], memo[9], memo[10] = corners(h)
    x, y, z = x - fx, y - fy, z - fz
    u = x * x * x * (x * (x * 6.0 - 15.0) + 10.0)
    v = y * y * y * (y * (y * 6.0 - 15.0) + 10.0)
    w = z * z * z * (z * (z * 6.0 - 15.0) + 10.0)
    flat: float = memo[3] + u * memo[4] + v * memo[5] + u * v * memo[7]
    far: float = memo[6] + v * memo[8] + u * memo[9] + u * v * memo[10]
    return flat + w * far


@kernel
def sloped_noise(x: float, y: float, z: float, key: int) -> tuple[float, float, float, float]:
    """The same noise with its gradient, per lattice step."""
    fx, fy, fz = math.floor(x), math.floor(y), math.floor(z)
    h = int(fx) * STEP_X + int(fy) * STEP_Y + int(fz) * STEP_Z + key
    x, y, z = x - fx, y - fy, z - fz
    u = x * x * x * (x * (x * 6.0 - 15.0) + 10.0)
    v = y * y * y * (y * (y * 6.0 - 15.0) + 10.0)
    w = z * z * z * (z * (z * 6.0 - 15.0) + 10.0)
    du = 30.0 * x * x * (x - 1.0) * (x - 1.0)
    dv = 30.0 * y * y * (y - 1.0) * (y - 1.0)
    dw = 30.0 * z * z * (z - 1.0) * (z - 1.0)
    value, kx, ky, kz, kxy, kyz, kzx, kxyz = corners(h)
    value += u * kx + v * ky + u * v * kxy
    return (
        value + w * (kz + v * kyz + u * kzx + u * v * kxyz),
        du * (kx + v * kxy + w * kzx + v * w * kxyz),
        dv * (ky + w * kyz + u * kxy + w * u * kxyz),
        dw * (kz + u * kzx + v * kyz + u * v * kxyz),
    )
