"""What is left of a pass: within off-nadir and above the horizon by roots, then every condition.

A place's line of sight comes nearest to nadir once in a pass of a low orbit, close to the closest
approach; within the limit it stays for one span about that instant.
"""

from __future__ import annotations

import math

from humay.access.search.conditions import (
    ALONG_X,
    ALONG_Y,
    ALONG_Z,
    GEOCENTRIC,
    MARGIN,
    PLACE_X,
    PLACE_Y,
    PLACE_Z,
    PROFILE,
    PROFILE_STEP,
    UP_X,
    UP_Y,
    UP_Z,
)
from humay.access.search.motion import down_from, position, velocity
from humay.access.search.programs import Programs
from humay.access.search.spans import (
    NEW,
    RUNNING,
    SWEEP,
    Scratch,
    append,
    copy,
    intersect,
    satisfy,
)
from humay.access.search.tables import Sky, Track
from humay.arrays import FloatArray
from humay.compiled import inlined, inner
from humay.earth import WGS84_A_M, WGS84_E2

MEAN_RADIUS_M = 6_371_008.8  # IUGG
_LAST_STEP_S = 1e-3  # Newton's next step would be a millionth of it


@inner
def nadir_left(track: Track, look: FloatArray, cosine: float, t_s: float) -> float:
    """Positive in reach: cosine of off-nadir over its limit, and above the horizon.

    A place behind the Earth also lies close to the nadir line, so the angle alone would accept it.
    """
    x, y, z = position(track, t_s)
    nx, ny, nz = down_from(x, y, z, look[GEOCENTRIC] != 0.0)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    down = (dx * nx + dy * ny + dz * nz) / distance - cosine
    above = -(dx * look[UP_X] + dy * look[UP_Y] + dz * look[UP_Z]) / distance
    return float(min(down, above))


@inner
def _nadir_left_and_rate(
    track: Track, look: FloatArray, cosine: float, t_s: float
) -> tuple[float, float]:
    """The same and its rate."""
    x, y, z = position(track, t_s)
    vx, vy, vz = velocity(track, t_s)
    nx, ny, nz = down_from(x, y, z, look[GEOCENTRIC] != 0.0)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / distance, dy / distance, dz / distance
    closing = dx * vx + dy * vy + dz * vz
    level = dx * nx + dy * ny + dz * nz
    above = -(dx * look[UP_X] + dy * look[UP_Y] + dz * look[UP_Z])
    if level - cosine > above:
        rise = vx * look[UP_X] + vy * look[UP_Y] + vz * look[UP_Z]
        return above, (rise + closing * above) / distance
    sinking = nx * vx + ny * vy + nz * vz
    swing = closing - sinking * level
    if look[GEOCENTRIC] != 0.0:
        swing = swing / math.sqrt(x * x + y * y + z * z)
    else:
        swing = _swing(x, y, z, nx, ny, nz, vx, vy, dx, dy, swing)
    return level - cosine, (level * closing - sinking) / distance - swing


@inner
def _swing(
    x: float, y: float, z: float, nx: float, ny: float, nz: float,
    vx: float, vy: float, dx: float, dy: float, level_product: float,
) -> float:  # fmt: skip
    """Component along d of the rate of the ellipsoid's normal, for a movement v.

    Each part of v at right angles to the normal counts over its own radius of curvature; the
    product of the whole level parts of v and d is given.
    """
    square = 1.0 - WGS84_E2 * nz * nz
    width = math.sqrt(square)
    height = -(x * nx + y * ny + z * nz) - WGS84_A_M * width
    prime = WGS84_A_M / width
    meridian = prime * (1.0 - WGS84_E2) / square
    flat = nx * nx + ny * ny
    east = (nx * vy - ny * vx) * (nx * dy - ny * dx) / flat if flat > 0 else 0.0
    return east / (prime + height) + (level_product - east) / (meridian + height)


@inner
def _nadir_cosine(track: Track, look: FloatArray, t_s: float) -> float:
    """Cosine of off-nadir, also below the horizon."""
    x, y, z = position(track, t_s)
    nx, ny, nz = down_from(x, y, z, look[GEOCENTRIC] != 0.0)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    return float((dx * nx + dy * ny + dz * nz) / math.sqrt(dx * dx + dy * dy + dz * dz))


@inner
def least_off_nadir(track: Track, look: FloatArray, approach_s: float) -> float:
    """The instant of least off-nadir: parabola steps from the closest approach.

    They lie within a second of each other, but a grazing window may be shorter than that.
    """
    t, h = approach_s, 2.0
    low, high = ends_of(track)
    for _ in range(2):
        t = min(max(t, low + h), high - h)
        before = _nadir_cosine(track, look, t - h)
        here = _nadir_cosine(track, look, t)
        after = _nadir_cosine(track, look, t + h)
        bend = before - 2 * here + after
        if bend < 0:
            t += min(max(-0.5 * h * (after - before) / bend, -5.0), 5.0)
        h = 0.125 * h
    return min(max(t, low), high)


@inner
def _highest(track: Track, look: FloatArray, near_s: float) -> float:
    """The instant at which the satellite stands highest over a place whose horizon decides: seconds
    from that of least off-nadir, since both hardly change there."""
    t, h = near_s, 8.0
    low, high = ends_of(track)
    for _ in range(4):
        t = min(max(t, low + h), high - h)
        before, here = _height_sine(track, look, t - h), _height_sine(track, look, t)
        after = _height_sine(track, look, t + h)
        bend = before - 2 * here + after
        if bend < 0:
            t += min(max(-0.5 * h * (after - before) / bend, -20.0), 20.0)
        h = 0.25 * h
    return min(max(t, low), high)


@inner
def _height_sine(track: Track, look: FloatArray, t_s: float) -> float:
    """Sine of the satellite's elevation."""
    x, y, z = position(track, t_s)
    dx, dy, dz = x - look[PLACE_X], y - look[PLACE_Y], z - look[PLACE_Z]
    up = dx * look[UP_X] + dy * look[UP_Y] + dz * look[UP_Z]
    return float(up / math.sqrt(dx * dx + dy * dy + dz * dz))


@inner
def ends_of(track: Track) -> tuple[float, float]:
    """When the segment begins and ends."""
    begin = track.origin_s + track.first * track.step_s
    return begin, begin + track.r.shape[0] * track.step_s


@inlined
def open_window(
    track: Track, look: FloatArray, limit_rad: float, peak_s: float, room: Scratch
) -> float:
    """Put the span about `peak_s` that is in reach into `RUNNING`; the bound of the rate (rad/s) at
    which the line of sight turns in it."""
    room.filled[RUNNING] = 0
    cosine = math.cos(limit_rad)
    if limit_rad <= 0:
        return 0.0
    if nadir_left(track, look, cosine, peak_s) <= 0:
        if _nadir_cosine(track, look, peak_s) <= cosine:
            return 0.0
        peak_s = _highest(track, look, peak_s)
        if nadir_left(track, look, cosine, peak_s) <= 0:
            return 0.0
    x, y, z = position(track, peak_s)
    vx, vy, vz = velocity(track, peak_s)
    px, py, pz = look[PLACE_X], look[PLACE_Y], look[PLACE_Z]
    r, p = math.sqrt(x * x + y * y + z * z), math.sqrt(px * px + py * py + pz * pz)
    cx, cy, cz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    rate = math.sqrt(cx * cx + cy * cy + cz * cz) / (r * r)
    apart = (x * px + y * py + z * pz) / (r * p)
    cap = _cap(r, p, limit_rad)
    chord_s = math.acos(min(math.cos(cap) / apart, 1.0)) / rate
    wide = cap + 0.02
    half_s = 1.2 * math.sqrt(max(wide * wide + apart * apart - 1.0, 0.0)) / rate + 10.0
    low, high = ends_of(track)
    rise = _edge(track, look, cosine, max(peak_s - half_s, low), peak_s, peak_s - chord_s)
    fall = _edge(track, look, cosine, min(peak_s + half_s, high), peak_s, peak_s + chord_s)
    append(room, RUNNING, rise, fall)
    distance = math.sqrt((px - x) ** 2 + (py - y) ** 2 + (pz - z) ** 2)
    return 1.05 * math.sqrt(vx * vx + vy * vy + vz * vz) / distance


@inner
def _cap(r: float, p: float, limit_rad: float) -> float:
    """About the largest angle at the Earth's centre at which a place at p is in reach from r."""
    sine = r * math.sin(limit_rad) / p
    if sine >= 1 or limit_rad >= 0.5 * math.pi:
        return math.acos(min(p / r, 1.0))
    return math.asin(sine) - limit_rad


@inner
def _edge(
    track: Track, look: FloatArray, cosine: float, outer: float, inner: float, guess: float
) -> float:
    """Where the reach ends between `inner`, in it, and `outer`: Newton's steps inside the bracket.

    If `outer` is in reach too, it is moved out, at most to where the orbit ends.
    """
    low, high = ends_of(track)
    while nadir_left(track, look, cosine, outer) >= 0:
        if outer <= low or outer >= high:
            return outer
        outer = min(max(outer + (outer - inner), low), high)
    t = guess
    for _ in range(100):
        if not min(outer, inner) < t < max(outer, inner):
            t = 0.5 * (outer + inner)
        value, rate = _nadir_left_and_rate(track, look, cosine, t)
        if value >= 0:
            inner = t
        else:
            outer = t
        step = -value / rate if rate != 0 else math.inf
        t += step
        if abs(step) < _LAST_STEP_S:
            break
    return t


@inner
def sweep(
    track: Track, sky: Sky, look: FloatArray, programs: Programs, program: int, limit_rad: float,
    line: FloatArray, scan_s: float, middle_s: float, room: Scratch,
) -> None:  # fmt: skip
    """Put into `SWEEP` the start times from which every line of a sweep meets its limits; without a
    duration, the times at which the place in `look` does.

    `line` (8,): normals of both ends, then their heights. Each place on the line has its own
    window; moved back by the time the sweep takes to get there, all of them must hold. `middle_s`
    is about when the middle is nearest. `look` says what holds for all places: nadir, and the
    margin that is taken from the angles.
    """
    room.filled[SWEEP] = 0
    append(room, SWEEP, -math.inf, math.inf)
    angle = angle_of(line) if scan_s > 0 else 0.0
    limit_rad -= look[MARGIN]
    nodes = nodes_of(angle, programs.node_m[program]) if scan_s > 0 else 1
    profile = look[PROFILE]
    for k in range(nodes):  # both ends first: they leave little to the others
        share = (k - 1) / (nodes - 1) if k > 1 else float(k)
        look[PROFILE] = profile + look[PROFILE_STEP] * round(share * (nodes - 1))
        if scan_s > 0:
            aim(look, line, angle, share)
        back = share * scan_s
        turn = _reach(track, look, limit_rad, middle_s + back - 0.5 * scan_s, back, room)
        satisfy(track, sky, look, programs, program, turn, room)
        for n in range(room.filled[RUNNING]):
            room.spans[RUNNING, n, 0] -= back
            room.spans[RUNNING, n, 1] -= back
        intersect(room, SWEEP, RUNNING, NEW)
        copy(room, NEW, SWEEP)
        if room.filled[SWEEP] == 0:
            break
    look[PROFILE] = profile


@inlined
def _reach(
    track: Track, look: FloatArray, limit_rad: float, nearest_s: float, back_s: float,
    room: Scratch,
) -> float:  # fmt: skip
    """As `open_window` about `nearest_s`. A place in reach at both ends of what is left in `SWEEP`
    is so between."""
    cosine = math.cos(limit_rad)
    n = room.filled[SWEEP]
    begin, end = room.spans[SWEEP, 0, 0] + back_s, room.spans[SWEEP, n - 1, 1] + back_s
    if math.isfinite(begin) and limit_rad > 0:
        held = nadir_left(track, look, cosine, begin) >= 0
        if held and nadir_left(track, look, cosine, end) >= 0:
            room.filled[RUNNING] = 0
            append(room, RUNNING, begin, end)
            return turn_at(track, look, nearest_s)
    if nadir_left(track, look, cosine, nearest_s) <= 0:
        nearest_s = least_off_nadir(track, look, nearest_s)
    return open_window(track, look, limit_rad, nearest_s, room)


@inner
def turn_at(track: Track, look: FloatArray, nearest_s: float) -> float:
    """Bound of the rate (rad/s) of the line of sight in the pass that is nearest then."""
    x, y, z = position(track, nearest_s)
    vx, vy, vz = velocity(track, nearest_s)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    return 1.05 * speed / math.sqrt(dx * dx + dy * dy + dz * dz)


@inner
def nodes_of(angle: float, node_m: float) -> int:
    """On how many places of a line the limits are tested: both ends, the middle, and so densely."""
    return max(3, math.ceil(angle * MEAN_RADIUS_M / node_m) + 1)


@inner
def angle_of(line: FloatArray) -> float:
    """Angle (rad) between the normals of both ends, in W. Kahan's form."""
    minus = plus = 0.0
    for k in range(3):
        minus += (line[k] - line[k + 3]) ** 2
        plus += (line[k] + line[k + 3]) ** 2
    return 2 * math.atan2(math.sqrt(minus), math.sqrt(plus))


@inner
def aim(look: FloatArray, line: FloatArray, angle: float, share: float) -> None:
    """Write the place a share along a line into `look`, with the direction of the line there.

    The normal turns evenly from that of the first end, a, in the plane of both; the direction is
    the derivative of the place.
    """
    ax, ay, az = line[0], line[1], line[2]
    bx, by, bz = line[3], line[4], line[5]
    on = ax * bx + ay * by + az * bz
    bx, by, bz = bx - on * ax, by - on * ay, bz - on * az
    length = math.sqrt(bx * bx + by * by + bz * bz)
    cosine, sine = math.cos(share * angle), math.sin(share * angle)
    b = sine / length
    nx, ny, nz = cosine * ax + b * bx, cosine * ay + b * by, cosine * az + b * bz
    a, b = -angle * sine, angle * cosine / length
    mx, my, mz = a * ax + b * bx, a * ay + b * by, a * az + b * bz
    climb = line[7] - line[6]
    height = line[6] + share * climb
    square = 1.0 - WGS84_E2 * nz * nz
    radius = WGS84_A_M / math.sqrt(square)
    growth = radius * WGS84_E2 * nz * mz / square
    flat = 1.0 - WGS84_E2
    across, upward = radius + height, flat * radius + height
    look[PLACE_X], look[PLACE_Y], look[PLACE_Z] = nx * across, ny * across, nz * upward
    look[UP_X], look[UP_Y], look[UP_Z] = nx, ny, nz
    x, y = mx * across + nx * (growth + climb), my * across + ny * (growth + climb)
    z = mz * upward + nz * (flat * growth + climb)
    length = math.sqrt(x * x + y * y + z * z)
    look[ALONG_X], look[ALONG_Y], look[ALONG_Z] = x / length, y / length, z / length
