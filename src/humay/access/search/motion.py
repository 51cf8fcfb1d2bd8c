"""Where things are, one instant at a time: satellite, Sun, Moon, places; ITRF, metres."""

from __future__ import annotations

import math

from humay.access.search.tables import Body, Track
from humay.compiled import inner
from humay.earth import WGS84_A_M, WGS84_B_M, WGS84_E2
from humay.frames import EARTH_RATE_RAD_S

_E2_SECOND = WGS84_E2 / (1 - WGS84_E2)


@inner
def step_at(track: Track, t_s: float) -> tuple[int, float]:
    """Row of the table and the share of its step."""
    place = (t_s - track.origin_s) / track.step_s
    i = int(math.floor(place) - track.first)
    i = min(max(i, 0), track.r.shape[0] - 1)
    return i, place - (i + track.first)


@inner
def position(track: Track, t_s: float) -> tuple[float, float, float]:
    i, u = step_at(track, t_s)
    c = track.r[i]
    x = c[0] + u * (c[3] + u * (c[6] + u * (c[9] + u * (c[12] + u * c[15]))))
    y = c[1] + u * (c[4] + u * (c[7] + u * (c[10] + u * (c[13] + u * c[16]))))
    z = c[2] + u * (c[5] + u * (c[8] + u * (c[11] + u * (c[14] + u * c[17]))))
    return x, y, z


@inner
def velocity(track: Track, t_s: float) -> tuple[float, float, float]:
    """Rate of change (m/s) of `position`."""
    i, u = step_at(track, t_s)
    c = track.r[i]
    x = c[3] + u * (2 * c[6] + u * (3 * c[9] + u * (4 * c[12] + u * 5 * c[15])))
    y = c[4] + u * (2 * c[7] + u * (3 * c[10] + u * (4 * c[13] + u * 5 * c[16])))
    z = c[5] + u * (2 * c[8] + u * (3 * c[11] + u * (4 * c[14] + u * 5 * c[17])))
    return x / track.step_s, y / track.step_s, z / track.step_s


@inner
def down_from(x: float, y: float, z: float, geocentric: bool) -> tuple[float, float, float]:
    """Unit vector to nadir: the Earth's centre, or the foot point on the ellipsoid.

    B. R. Bowring, Survey Review 28 (1985), without its angles: 1e-11 rad from the ground to 2,000
    km above it.
    """
    if geocentric:
        r = math.sqrt(x * x + y * y + z * z)
        return -x / r, -y / r, -z / r
    p2 = x * x + y * y
    p = math.sqrt(p2)
    r = math.sqrt(p2 + z * z)
    rise, run = WGS84_B_M * z * (1.0 + _E2_SECOND * WGS84_B_M / r), WGS84_A_M * p
    length = math.sqrt(rise * rise + run * run)
    sine, cosine = rise / length, run / length
    up = z + _E2_SECOND * WGS84_B_M * sine * sine * sine
    out = p - WGS84_E2 * WGS84_A_M * cosine * cosine * cosine
    length = math.sqrt(up * up + out * out)
    across = out / (length * p) if p > 0 else 0.0
    return -x * across, -y * across, -up / length


@inner
def body_at(body: Body, t_s: float) -> tuple[float, float, float]:
    """The Sun or the Moon (m)."""
    place = t_s / body.step_s
    i = int(math.floor(place) - body.first)
    i = min(max(i, 0), body.r.shape[0] - 1)
    u = place - (i + body.first)
    c = body.r[i]
    x = c[0] + u * (c[3] + u * (c[6] + u * c[9]))
    y = c[1] + u * (c[4] + u * (c[7] + u * c[10]))
    z = c[2] + u * (c[5] + u * (c[8] + u * c[11]))
    angle = EARTH_RATE_RAD_S * t_s
    cosine, sine = math.cos(angle), math.sin(angle)
    x, y = cosine * x + sine * y, cosine * y - sine * x
    xp, yp = c[12] + u * c[14], c[13] + u * c[15]
    return x + xp * z, y - yp * z, z - xp * x + yp * y


@inner
def place_at(nx: float, ny: float, nz: float, height_m: float) -> tuple[float, float, float]:
    """The place `height_m` above where the ellipsoid has the unit normal n."""
    radius = WGS84_A_M / math.sqrt(1.0 - WGS84_E2 * nz * nz)
    across = radius + height_m
    return nx * across, ny * across, nz * ((1.0 - WGS84_E2) * radius + height_m)
