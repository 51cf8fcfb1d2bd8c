"""Half-spaces as functions of time, and the spans in which they hold.

Each function is smooth (cosines, not angles), positive where its condition holds, and comes with a
bound of its second derivative: between two instants it leaves the chord by at most an eighth of
that bound times the square of the step. So a span without a sign change is proved to have none, and
no lobe hides between two instants.
"""

from __future__ import annotations

import math

from humay.access.search.motion import body_at, down_from, position, velocity
from humay.access.search.programs import (
    ASCENDING,
    AXIS_X,
    AXIS_Y,
    AXIS_Z,
    AZIMUTH,
    COUNT,
    GLINT,
    GSD,
    HORIZON,
    INCIDENCE,
    KIND,
    LIMB_ANGLE,
    LIMIT,
    LOCAL_TIME,
    MOON_ANGLE,
    OFF_NADIR,
    OFFSET,
    PITCH,
    RANGE,
    ROLL,
    SIGN,
    SUN_ANGLE,
    SUN_AZIMUTH,
    SUN_ELEVATION,
    SUNLIT,
    SWATH,
    TERRAIN,
    TERRAIN_POINTS,
    Programs,
)
from humay.access.search.tables import Sky, Track
from humay.access.swath import SMALLEST_RADIUS_M
from humay.arrays import FloatArray
from humay.compiled import inner
from humay.earth import SUN_RADIUS_M, WGS84_A_M, WGS84_B_M
from humay.frames import EARTH_RATE_RAD_S

MEAN_RADIUS_M = 6_371_000.0  # of the Earth's limb
STRETCH = WGS84_A_M / WGS84_B_M
SIDEREAL_RATE_RAD_S = 0.0013  # more than a satellite's around the Earth above 150 km

# What a half-space needs to know of the place and of the look, in one array
(
    PLACE_X, PLACE_Y, PLACE_Z, UP_X, UP_Y, UP_Z, ALONG_X, ALONG_Y, ALONG_Z, GEOCENTRIC, IFOV,
    MARGIN, CLOUDS, PROFILE, PROFILE_STEP, WIDTH_NEEDED, HALF_FIELD, RELIEF, ORBIT_ERROR, LOOK_SIZE,
) = range(20)  # fmt: skip


@inner
def bent_most(kind: int, turn_rad_s: float) -> float:
    """Bound of the second derivative (1/s2); `turn_rad_s` bounds the rate of the line of sight.

    The line of sight e turns by at most w = v / d; its second derivative is below w^2 (its own
    turn) + w^2 (the change of the distance) + g / d, together under 3 w^2. In products with
    vectors that turn with the satellite or the Earth the rates add up. The body's axes follow the
    line of sight and turn about it; the ground sample is a product of four such factors.
    """
    if kind in (SUN_ELEVATION, SUN_AZIMUTH, LOCAL_TIME):
        return 2.0 * EARTH_RATE_RAD_S * EARTH_RATE_RAD_S
    if kind in (ASCENDING, SUNLIT):
        return 6.0 * SIDEREAL_RATE_RAD_S * SIDEREAL_RATE_RAD_S
    factor = 4.0
    if kind in (SUN_ANGLE, MOON_ANGLE, LIMB_ANGLE):
        factor = 20.0
    if kind == GSD:
        factor = 40.0
    rate = turn_rad_s + SIDEREAL_RATE_RAD_S
    return factor * rate * rate


@inner
def tightened(half: FloatArray, margin_rad: float) -> float:
    """The limit, moved inward by a margin where the attitude decides."""
    kind = int(half[KIND])
    limit = float(half[LIMIT])
    if kind <= PITCH or (SUN_ANGLE <= kind <= LIMB_ANGLE):
        limit += half[SIGN] * margin_rad
    if kind in (OFF_NADIR, SUN_ANGLE, MOON_ANGLE):
        limit = min(max(limit, 0.0), math.pi)
    return limit


@inner
def left(
    track: Track, sky: Sky, look: FloatArray, programs: Programs, half: FloatArray, limit: float,
    t_s: float,
) -> float:  # fmt: skip
    """How much is left of a half-space at an instant: positive where the condition holds."""
    kind = int(half[KIND])
    sign = float(half[SIGN])
    if kind in (SUN_ELEVATION, SUN_AZIMUTH, LOCAL_TIME):
        return sign * _of_sun(sky, look, kind, limit, t_s)
    x, y, z = position(track, t_s)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / distance, dy / distance, dz / distance
    if kind == RANGE:
        return sign * (distance - limit) / limit
    if kind == INCIDENCE:
        cosine = -(dx * look[UP_X] + dy * look[UP_Y] + dz * look[UP_Z])
        return float(sign * (math.cos(limit) - cosine))
    if kind in (AZIMUTH, HORIZON, TERRAIN):
        east, north, up = enu(look, -dx, -dy, -dz)
        if kind == AZIMUTH:
            return sign * (east * math.cos(limit) - north * math.sin(limit))
        if kind == TERRAIN:
            begin, count = profile_begin(look, programs, half), TERRAIN_POINTS
            return sign * _above_horizon(programs.profiles, begin, count, east, north, up)
        begin, count = int(half[OFFSET]), int(half[COUNT]) // 2
        return sign * _above_horizon(programs.numbers, begin, count, east, north, up)
    if kind == GLINT:
        sx, sy, sz = sun_from(sky, look, t_s)
        high = 2.0 * (sx * look[UP_X] + sy * look[UP_Y] + sz * look[UP_Z])
        mx, my, mz = high * look[UP_X] - sx, high * look[UP_Y] - sy, high * look[UP_Z] - sz
        return float(sign * (math.cos(limit) + dx * mx + dy * my + dz * mz))
    vx, vy, vz = velocity(track, t_s)
    if kind == ASCENDING:
        return sign * vz / math.sqrt(vx * vx + vy * vy + vz * vz)
    if kind == GSD:
        return sign * _sample_over(look, dx, dy, dz, distance, vx, vy, vz, limit)
    if kind == SWATH:
        return _width_left(look, x, y, vx, vy, vz, dx, dy, dz, distance)
    if kind == SUNLIT:
        return sign * _sunlit(sky, x, y, z, t_s)
    return sign * _of_attitude(sky, look, half, kind, limit, x, y, z, vx, vy, vz, dx, dy, dz, t_s)


@inner
def profile_begin(look: FloatArray, programs: Programs, half: FloatArray) -> int:
    """Where the terrain horizon of the place stands, out to the distance of a half-space."""
    number = int(look[PROFILE]) * programs.distance_m.shape[0] + int(half[OFFSET])
    return int(number * 2 * TERRAIN_POINTS)


@inner
def _of_sun(sky: Sky, look: FloatArray, kind: int, limit: float, t_s: float) -> float:
    """Elevation, azimuth or local time of the Sun over a limit."""
    sx, sy, sz = sun_from(sky, look, t_s)
    if kind == SUN_ELEVATION:
        high = sx * look[UP_X] + sy * look[UP_Y] + sz * look[UP_Z]
        return float(high - math.sin(limit))
    if kind == SUN_AZIMUTH:
        east, north, _ = enu(look, sx, sy, sz)
        return east * math.cos(limit) - north * math.sin(limit)
    # Noon is where the place's meridian holds the Sun: the time grows as the Sun goes west.
    length = math.sqrt(look[UP_X] * look[UP_X] + look[UP_Y] * look[UP_Y])
    cosine = look[UP_X] / length if length > 0 else 1.0
    sine = look[UP_Y] / length if length > 0 else 0.0
    noon, west = cosine * sx + sine * sy, sine * sx - cosine * sy
    return float(noon * math.sin(limit) - west * math.cos(limit))


@inner
def sun_from(sky: Sky, look: FloatArray, t_s: float) -> tuple[float, float, float]:
    """Direction to the Sun from the place."""
    x, y, z = body_at(sky.sun, t_s)
    x, y, z = x - look[PLACE_X], y - look[PLACE_Y], z - look[PLACE_Z]
    far = math.sqrt(x * x + y * y + z * z)
    return x / far, y / far, z / far


@inner
def enu(look: FloatArray, x: float, y: float, z: float) -> tuple[float, float, float]:
    """A vector east, north and up at the place; at a pole, east is along y."""
    ux, uy, uz = look[UP_X], look[UP_Y], look[UP_Z]
    length = math.sqrt(ux * ux + uy * uy)
    ex, ey = (-uy / length, ux / length) if length > 0 else (0.0, 1.0)
    nx, ny, nz = -uz * ey, uz * ex, ux * ey - uy * ex
    return x * ex + y * ey, x * nx + y * ny + z * nz, x * ux + y * uy + z * uz


@inner
def _above_horizon(
    numbers: FloatArray, begin: int, count: int, east: float, north: float, up: float
) -> float:
    """Elevation over that of a horizon: azimuths first, then elevations, linear between."""
    azimuth = math.atan2(east, north)
    if azimuth < 0:
        azimuth += 2 * math.pi
    low, high = 0, count  # the first point beyond
    while low < high:
        middle = (low + high) // 2
        if numbers[begin + middle] > azimuth:
            high = middle
        else:
            low = middle + 1
    before = low - 1 if low > 0 else count - 1
    after = low if low < count else 0
    a0 = numbers[begin + before] - (2 * math.pi if low == 0 else 0.0)
    a1 = numbers[begin + after] + (2 * math.pi if low == count else 0.0)
    e0, e1 = numbers[begin + count + before], numbers[begin + count + after]
    level = e0 if a1 <= a0 else e0 + (e1 - e0) * (azimuth - a0) / (a1 - a0)
    return float(math.asin(min(max(up, -1.0), 1.0)) - level)


@inner
def _sample_over(
    look: FloatArray, dx: float, dy: float, dz: float, distance: float,
    vx: float, vy: float, vz: float, limit_m: float,
) -> float:  # fmt: skip
    """Squares of the mean ground sample over its limit, both times the squared cosine of incidence.

    Along and across, rays a pixel apart meet the ground 1 / sqrt(1 + (s.u / d.u)^2) further apart
    (s at right angles to the line of sight d): with (d.u)^2 in front it stays finite.
    """
    ux, uy, uz = look[UP_X], look[UP_Y], look[UP_Z]
    ax, ay, az = look[ALONG_X], look[ALONG_Y], look[ALONG_Z]
    if ax == 0.0 and ay == 0.0 and az == 0.0:
        rise = vx * ux + vy * uy + vz * uz
        ax, ay, az = vx - rise * ux, vy - rise * uy, vz - rise * uz
    along, across = sample_shape(ux, uy, uz, ax, ay, az, dx, dy, dz)
    cosine = dx * ux + dy * uy + dz * uz
    pixel = distance * look[IFOV] / limit_m
    return float(pixel * pixel * math.sqrt(along * across) - cosine * cosine)


@inner
def sample_shape(
    ux: float, uy: float, uz: float, ax: float, ay: float, az: float,
    dx: float, dy: float, dz: float,
) -> tuple[float, float]:  # fmt: skip
    """(d.u)^2 + (s.u)^2 for s along the line and across it, both at right angles to d."""
    on = ax * dx + ay * dy + az * dz
    ax, ay, az = ax - on * dx, ay - on * dy, az - on * dz
    length = math.sqrt(ax * ax + ay * ay + az * az)
    ax, ay, az = ax / length, ay / length, az / length
    bx, by, bz = dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax
    cosine = dx * ux + dy * uy + dz * uz
    a, b = ax * ux + ay * uy + az * uz, bx * ux + by * uy + bz * uz
    return cosine * cosine + a * a, cosine * cosine + b * b


@inner
def _width_left(
    look: FloatArray, x: float, y: float, vx: float, vy: float, vz: float,
    dx: float, dy: float, dz: float, distance: float,
) -> float:  # fmt: skip
    """By what share the width that is surely seen exceeds that of the strip.

    `humay.access.swath.usable_swath_m` and `orbit_aside_m`, which explain it.
    """
    ux, uy, uz = look[UP_X], look[UP_Y], look[UP_Z]
    ax, ay, az = look[ALONG_X], look[ALONG_Y], look[ALONG_Z]
    sx, sy, sz = uy * az - uz * ay, uz * ax - ux * az, ux * ay - uy * ax
    length = math.sqrt(sx * sx + sy * sy + sz * sz)
    sx, sy, sz = sx / length, sy / length, sz / length
    down = -(dx * ux + dy * uy + dz * uz)
    side = dx * sx + dy * sy + dz * sz
    height, lean = distance * down, abs(side) / down
    squeeze2 = down * down + side * side
    field = look[HALF_FIELD] / math.sqrt(squeeze2)
    near = (lean - field) / (1 + lean * field)
    near_m = height * (lean - near)
    askew2 = (1 / squeeze2 - 1) * lean * lean / (1 + lean * lean)
    fall_m = near_m * near_m * (1 + askew2) / (2 * SMALLEST_RADIUS_M)
    half_m = near_m - (look[RELIEF] + fall_m) * abs(near)
    if lean * field < 1:
        far = (lean + field) / (1 - lean * field)
        half_m = min(half_m, height * (far - lean) - look[RELIEF] * far)
    wx, wy = vx - EARTH_RATE_RAD_S * y, vy + EARTH_RATE_RAD_S * x
    across = wx * sx + wy * sy + vz * sz + side / down * (wx * ux + wy * uy + vz * uz)
    aside_m = look[ORBIT_ERROR] * abs(across) / math.sqrt(wx * wx + wy * wy + vz * vz)
    return float(2 * (half_m - aside_m) / look[WIDTH_NEEDED] - 1.0)


@inner
def _sunlit(sky: Sky, x: float, y: float, z: float, t_s: float) -> float:
    """Positive where no part of the Sun is covered, as `humay.earth.sunlit_fraction` has it."""
    sx, sy, sz = body_at(sky.sun, t_s)
    z, sz = z * STRETCH, sz * STRETCH
    sx, sy, sz = sx - x, sy - y, sz - z
    far = math.sqrt(sx * sx + sy * sy + sz * sz)
    r = math.sqrt(x * x + y * y + z * z)
    cosine = -(x * sx + y * sy + z * sz) / (r * far)
    edge = (z / r + cosine * sz / far) ** 2 / max(1.0 - cosine * cosine, 1e-12)
    sun_m = SUN_RADIUS_M * math.sqrt(1.0 + (STRETCH * STRETCH - 1.0) * edge)
    reach = math.asin(min(1.0, sun_m / far)) + math.asin(min(1.0, WGS84_A_M / r))
    return math.cos(reach) - cosine


@inner
def orbital_axes(
    x: float, y: float, z: float, vx: float, vy: float, vz: float, geocentric: bool
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Axes x, y, z of the orbital frame: z to nadir, y against the orbit normal."""
    zx, zy, zz = down_from(x, y, z, geocentric)
    wx, wy = vx - EARTH_RATE_RAD_S * y, vy + EARTH_RATE_RAD_S * x
    yx, yy, yz = zy * vz - zz * wy, zz * wx - zx * vz, zx * wy - zy * wx
    length = math.sqrt(yx * yx + yy * yy + yz * yz)
    yx, yy, yz = yx / length, yy / length, yz / length
    return yy * zz - yz * zy, yz * zx - yx * zz, yx * zy - yy * zx, yx, yy, yz, zx, zy, zz


@inner
def _of_attitude(
    sky: Sky, look: FloatArray, half: FloatArray, kind: int, limit: float,
    x: float, y: float, z: float, vx: float, vy: float, vz: float,
    dx: float, dy: float, dz: float, t_s: float,
) -> float:  # fmt: skip
    """Half-spaces of the body that looks along d: off-nadir, roll, pitch, angles of an axis."""
    xx, xy, xz, yx, yy, yz, zx, zy, zz = orbital_axes(x, y, z, vx, vy, vz, look[GEOCENTRIC] != 0.0)
    a, b, c = dx * xx + dy * xy + dz * xz, dx * yx + dy * yy + dz * yz, dx * zx + dy * zy + dz * zz
    if kind == OFF_NADIR:
        return math.cos(limit) - c
    if kind == ROLL:
        return -b * math.cos(limit) - c * math.sin(limit)
    if kind == PITCH:
        return float(a - math.sin(limit))
    # body y stays at right angles to orbital x: roll comes first
    flat = math.sqrt(b * b + c * c)
    px, py, pz = _body_axis(half, a, b / flat, c / flat, flat)
    bx = px * xx + py * yx + pz * zx
    by = px * xy + py * yy + pz * zy
    bz = px * xz + py * yz + pz * zz
    if kind == LIMB_ANGLE:
        r = math.sqrt(x * x + y * y + z * z)
        edge = min(max(limit + math.asin(min(1.0, MEAN_RADIUS_M / r)), 0.0), math.pi)
        return math.cos(edge) + (bx * x + by * y + bz * z) / r
    sx, sy, sz = body_at(sky.sun, t_s) if kind == SUN_ANGLE else body_at(sky.moon, t_s)
    sx, sy, sz = sx - x, sy - y, sz - z
    far = math.sqrt(sx * sx + sy * sy + sz * sz)
    return math.cos(limit) - (bx * sx + by * sy + bz * sz) / far


@inner
def _body_axis(
    half: FloatArray, a: float, b: float, c: float, flat: float
) -> tuple[float, float, float]:
    """The axis of a half-space on orbital axes, for a boresight (a, b flat, c flat) there.

    Roll first, then pitch: body y is (0, c, -b), body z the boresight, body x = y cross z.
    """
    p, q, s = half[AXIS_X], half[AXIS_Y], half[AXIS_Z]
    zx, zy, zz = a, b * flat, c * flat
    yx, yy, yz = 0.0, c, -b
    xx, xy, xz = yy * zz - yz * zy, yz * zx - yx * zz, yx * zy - yy * zx
    return p * xx + q * yx + s * zx, p * xy + q * yy + s * zy, p * xz + q * yz + s * zz
