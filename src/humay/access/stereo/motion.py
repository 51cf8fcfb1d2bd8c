"""What two looks are compared by, one instant at a time; compiled.

A look is an array of `LOOK` numbers; each limit needs only some parts of it.
"""

from __future__ import annotations

import math

from humay.access.stereo.sweeps import (
    ACCELERATION,
    AIM,
    ALONG,
    BEGINS,
    EAST,
    FIRST,
    HALF_SWATH,
    NORTH,
    ORIGIN,
    PLACE,
    PLACE_SIZE,
    PLACES,
    RATE,
    RATE_STEP_S,
    SCAN,
    SETTLE,
    STEP,
    SUN_BEND,
    SUN_FROM,
    SUN_RATE,
    SUN_TIME,
    Sweep,
)
from humay.arrays import FloatArray
from humay.compiled import inner
from humay.earth import WGS84_A_M, WGS84_B_M, WGS84_E2
from humay.frames import EARTH_RATE_RAD_S

# Where in a look: the instant, unit vectors from up to three places to the satellite, the one to
# the Sun, both ends of the swath on level ground, sine of pitch, and the attitude (three axes) with
# its rate, when the sweep ends and when settling begins.
TIME, VIEW_AT, SUN_AT, SWATH_AT, PITCH_AT, END_AT, SETTLE_AT, LOOK = 0, 1, 10, 13, 17, 18, 30, 42

VIEW, SUN, SWATH, PITCH, END, SETTLING = 1, 2, 4, 8, 16, 32  # parts of a look

Vector = tuple[float, float, float]
Axes = tuple[Vector, Vector, Vector]
_E2_SECOND = WGS84_E2 / (1 - WGS84_E2)


@inner
def vector(numbers: FloatArray) -> Vector:
    """The first three numbers; a place given as an index would be compiled once for each value."""
    return numbers[0], numbers[1], numbers[2]


@inner
def minus3(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@inner
def dot3(a: Vector, b: Vector) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inner
def cross3(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inner
def unit3(a: Vector) -> Vector:
    size = 1.0 / math.sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2])
    return a[0] * size, a[1] * size, a[2] * size


@inner
def across3(a: Vector, b: Vector) -> Vector:
    """Unit vector of what of `a` is at right angles to the unit vector `b`."""
    c = dot3(a, b)
    return unit3((a[0] - c * b[0], a[1] - c * b[1], a[2] - c * b[2]))


@inner
def position(sweep: Sweep, t_s: float) -> Vector:
    """The satellite (m)."""
    grid = sweep.fixed
    place = (t_s - grid[ORIGIN]) / grid[STEP]
    i = int(math.floor(place) - grid[FIRST])
    i = min(max(i, 0), sweep.orbit.shape[0] - 1)
    u = place - (i + grid[FIRST])
    c = sweep.orbit[i]
    x = c[0] + u * (c[3] + u * (c[6] + u * (c[9] + u * (c[12] + u * c[15]))))
    y = c[1] + u * (c[4] + u * (c[7] + u * (c[10] + u * (c[13] + u * c[16]))))
    z = c[2] + u * (c[5] + u * (c[8] + u * (c[11] + u * (c[14] + u * c[17]))))
    return x, y, z


@inner
def up_under(r: Vector) -> Vector:
    """Normal of the ellipsoid below a satellite: B. R. Bowring, Survey Review 28 (1985), without
    its angles; 1e-11 rad up to 2,000 km."""
    p = math.sqrt(r[0] * r[0] + r[1] * r[1])
    distance = math.sqrt(p * p + r[2] * r[2])
    rise = WGS84_B_M * r[2] * (1.0 + _E2_SECOND * WGS84_B_M / distance)
    run = WGS84_A_M * p
    size = math.sqrt(rise * rise + run * run)
    sine, cosine = rise / size, run / size
    up = r[2] + _E2_SECOND * WGS84_B_M * sine * sine * sine
    out = p - WGS84_E2 * WGS84_A_M * cosine * cosine * cosine
    size = math.sqrt(up * up + out * out)
    flat = out / (size * p) if p > 0 else 0.0
    return r[0] * flat, r[1] * flat, up / size


@inner
def look_at(sweep: Sweep, t_s: float, parts: int, look: FloatArray) -> None:
    """Fill the wanted parts of the look at the row's time `t_s`."""
    look[TIME] = t_s
    if parts & VIEW:
        for m in range(int(sweep.fixed[PLACES])):
            view = view_of(sweep, m, t_s)
            for k in range(3):
                look[VIEW_AT + 3 * m + k] = view[k]
    if parts & SUN:
        sun = sun_of(sweep, t_s)
        for k in range(3):
            look[SUN_AT + k] = sun[k]
    if parts & SWATH:
        swath_of(sweep, t_s, look)
    if parts & PITCH:
        look[PITCH_AT] = pitch_of(sweep, t_s)
    begin_s = t_s + sweep.fixed[BEGINS]
    if parts & END:
        pose_of(sweep, sweep.fixed[AIM:], begin_s + sweep.fixed[SCAN], look[END_AT:])
    if parts & SETTLING:
        pose_of(sweep, sweep.fixed[AIM + 18 :], begin_s - sweep.fixed[SETTLE], look[SETTLE_AT:])


@inner
def view_of(sweep: Sweep, m: int, t_s: float) -> Vector:
    """Unit vector from place `m` to the satellite."""
    k = PLACE + PLACE_SIZE * m
    r = position(sweep, t_s + sweep.fixed[k])
    return unit3(minus3(r, vector(sweep.fixed[k + 1 :])))


@inner
def sun_of(sweep: Sweep, t_s: float) -> Vector:
    """Unit vector from the middle place to the Sun."""
    dt = t_s - sweep.fixed[SUN_TIME]
    sun, rate = vector(sweep.fixed[SUN_FROM:]), vector(sweep.fixed[SUN_RATE:])
    bend = vector(sweep.fixed[SUN_BEND:])
    still = (
        sun[0] + dt * (rate[0] + dt * bend[0]),
        sun[1] + dt * (rate[1] + dt * bend[1]),
        sun[2] + dt * (rate[2] + dt * bend[2]),
    )
    return turned(still, EARTH_RATE_RAD_S * dt)


@inner
def swath_of(sweep: Sweep, t_s: float, look: FloatArray) -> None:
    """Both ends of the middle line on the level plane through its place: two coordinates each (m).

    Body axes as in `lines.body_axes_itrf`: z along the line of sight, x along the sweep as far as
    it is at right angles to z, and the swath along y.
    """
    fixed = sweep.fixed
    sight = minus3(vector(fixed[PLACE + 1 :]), position(sweep, t_s + fixed[PLACE]))
    z = unit3(sight)
    y = cross3(z, across3(vector(fixed[ALONG:]), z))
    up = vector(fixed[PLACE + 4 :])
    below = dot3(sight, up)
    for side in range(2):
        half = (2 * side - 1) * fixed[HALF_SWATH]
        ray = (z[0] + half * y[0], z[1] + half * y[1], z[2] + half * y[2])
        reach = below / dot3(ray, up)
        spot = (reach * ray[0] - sight[0], reach * ray[1] - sight[1], reach * ray[2] - sight[2])
        look[SWATH_AT + 2 * side] = dot3(spot, vector(fixed[EAST:]))
        look[SWATH_AT + 2 * side + 1] = dot3(spot, vector(fixed[NORTH:]))


@inner
def pitch_of(sweep: Sweep, t_s: float) -> float:
    """Sine of the pitch of the line of sight to the middle place, from geodetic nadir."""
    t = t_s + sweep.fixed[PLACE]
    r = position(sweep, t)
    before, after = position(sweep, t - RATE_STEP_S), position(sweep, t + RATE_STEP_S)
    v = (
        (after[0] - before[0]) / (2 * RATE_STEP_S) - EARTH_RATE_RAD_S * r[1],
        (after[1] - before[1]) / (2 * RATE_STEP_S) + EARTH_RATE_RAD_S * r[0],
        (after[2] - before[2]) / (2 * RATE_STEP_S),
    )
    sight = unit3(minus3(vector(sweep.fixed[PLACE + 1 :]), r))
    return dot3(sight, across3(v, up_under(r)))


@inner
def axes_of(sweep: Sweep, aim: FloatArray, t_s: float) -> Axes:
    """Body axes on ITRF axes when the camera points at a place and sweeps in a direction."""
    z = unit3(minus3(vector(aim), position(sweep, t_s)))
    x = across3(vector(aim[3:]), z)
    return x, cross3(z, x), z


@inner
def pose_of(sweep: Sweep, aim: FloatArray, t_s: float, pose: FloatArray) -> None:
    """Attitude and body rate (rad/s, against the stars) at one of the two aimed instants."""
    axes = axes_of(sweep, aim[6:], t_s)
    before = axes_of(sweep, aim, t_s - RATE_STEP_S)
    after = axes_of(sweep, aim[12:], t_s + RATE_STEP_S)
    angle = EARTH_RATE_RAD_S * 2 * RATE_STEP_S
    x, y, z = turned(before[0], angle), turned(before[1], angle), turned(before[2], angle)
    for i in range(3):
        for k in range(3):
            pose[3 * i + k] = axes[i][k]
    scale = 0.5 / (2 * RATE_STEP_S)
    pose[9] = scale * (dot3(after[1], z) - dot3(after[2], y))
    pose[10] = scale * (dot3(after[2], x) - dot3(after[0], z))
    pose[11] = scale * (dot3(after[0], y) - dot3(after[1], x))


@inner
def turned(v: Vector, angle: float) -> Vector:
    """A vector on the axes of the Earth, once that has turned on by an angle."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return cosine * v[0] + sine * v[1], cosine * v[1] - sine * v[0], v[2]


@inner
def slew_s(first: Sweep, look_1: FloatArray, second: Sweep, look_2: FloatArray) -> float:
    """Seconds one satellite needs from the end of the first sweep until it may settle for the next.

    Its rate is braked, a turn about one axis from rest to rest follows, then the next rate is taken
    up: the slews that a plan is made of, `docs/design/slews.md`.
    """
    end_s = look_1[TIME] + first.fixed[BEGINS] + first.fixed[SCAN]
    settle_s = look_2[TIME] + second.fixed[BEGINS] - second.fixed[SETTLE]
    rate, acceleration = first.fixed[RATE], first.fixed[ACCELERATION]
    stop, go = vector(look_1[END_AT + 9 :]), vector(look_2[SETTLE_AT + 9 :])
    stop_s = math.sqrt(dot3(stop, stop)) / acceleration
    go_s = math.sqrt(dot3(go, go)) / acceleration
    angle = EARTH_RATE_RAD_S * (settle_s - end_s)
    trace = 0.0
    for i in range(3):
        # Column i of what leads from the first attitude to the second, then turned by both rates.
        axis = turned(vector(look_1[END_AT + 3 * i :]), angle)
        column = (
            dot3(vector(look_2[SETTLE_AT:]), axis),
            dot3(vector(look_2[SETTLE_AT + 3 :]), axis),
            dot3(vector(look_2[SETTLE_AT + 6 :]), axis),
        )
        trace += on_turned_axes(on_turned_axes(column, go, -0.5 * go_s), stop, -0.5 * stop_s)[i]
    angle = math.acos(min(max(0.5 * (trace - 1.0), -1.0), 1.0))
    turn_s = 2.0 * math.sqrt(angle / acceleration)
    if angle > rate * rate / acceleration:
        turn_s = angle / rate + rate / acceleration
    return float(stop_s + turn_s + go_s)


@inner
def on_turned_axes(v: Vector, rate: Vector, duration_s: float) -> Vector:
    """A vector on axes that have turned with a rate for a while (Rodrigues)."""
    size = math.sqrt(dot3(rate, rate))
    if size == 0.0:
        return v
    n = (rate[0] / size, rate[1] / size, rate[2] / size)
    cosine, sine = math.cos(size * duration_s), math.sin(size * duration_s)
    along, side = (1.0 - cosine) * dot3(n, v), cross3(n, v)
    return (
        cosine * v[0] + along * n[0] - sine * side[0],
        cosine * v[1] + along * n[1] - sine * side[1],
        cosine * v[2] + along * n[2] - sine * side[2],
    )
