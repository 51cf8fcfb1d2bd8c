"""Rows of opportunities: each window with how the place is seen, computed where it is found."""

from __future__ import annotations

import math
from typing import NamedTuple

from humay.access.search.conditions import (
    ALONG_X,
    ALONG_Y,
    ALONG_Z,
    CLOUDS,
    GEOCENTRIC,
    HALF_FIELD,
    IFOV,
    MARGIN,
    ORBIT_ERROR,
    PLACE_X,
    PLACE_Y,
    PLACE_Z,
    PROFILE,
    PROFILE_STEP,
    RELIEF,
    UP_X,
    UP_Y,
    UP_Z,
    WIDTH_NEEDED,
    enu,
    orbital_axes,
    sample_shape,
    sun_from,
)
from humay.access.search.motion import down_from, place_at, position, velocity
from humay.access.search.programs import Programs
from humay.access.search.spans import EDGE_S, FOUND, SWEEP, Scratch, copy
from humay.access.search.tables import Sky, Track
from humay.access.search.windows import (
    MEAN_RADIUS_M,
    aim,
    angle_of,
    least_off_nadir,
    nodes_of,
    sweep,
)
from humay.arrays import FloatArray, IntArray
from humay.compiled import inner, kernel
from humay.earth import WGS84_A_M, WGS84_E2
from humay.frames import EARTH_RATE_RAD_S

SIGMAS = 3.0  # what is planned stays within the limits for errors up to this many sigma
EARTH_SURFACE_SPEED_M_S = 465.1  # at the equator
HIGHEST_GROUND_M = 9_000.0
LARGEST_TURN_FROM_TRACK_RAD = math.radians(30.0)  # a strip is offered to passes no more oblique
_DAY_S = 86_400.0

# Columns of a row
(
    START, END, BEST, SIGMA, ORBIT, ANX_OFFSET, ASCENDING, OFF_NADIR, ROLL, PITCH, INCIDENCE,
    AZIMUTH, SUN_ELEVATION, SUN_AZIMUTH, GSD_ALONG, GSD_ACROSS, OFF_NADIR_START, OFF_NADIR_END,
    SUN_START, SUN_END, SCAN, HEADING, WIDTH, LINE_PERIOD, PLAN_START, PLAN_END, LOBE, LINE,
) = range(28)  # fmt: skip
COLUMNS = LINE + 8  # the line is two normals and two heights


class Craft(NamedTuple):
    """What of a satellite the rows depend on, SI."""

    max_off_nadir_rad: float
    pointing_sigma_rad: float
    sigma_at_epoch_m: float
    sigma_per_day_m: float
    orbit_epoch_s: float
    ifov_rad: float
    swath_rad: float
    scene_length_m: float
    band_offset_rad: float
    geocentric: bool
    with_margin: bool


class Subjects(NamedTuple):
    """Places or strips (n,) to be looked at.

    `line` (n, 8): of a strip, normals of both ends and their heights; of a point, its normal, three
    zeros and its height twice. `low_s` and `high_s` (n,) what its request's own period leaves of
    the span; `width_m` of strips, over ground within `relief_m` of the line, sure to be seen where
    the cosine between strip and track is `sure_course` or more; `profile` the number of the terrain
    horizon of the point, or of the first of the line's `nodes_of` places.
    """

    line: FloatArray
    off_nadir_rad: FloatArray
    program: IntArray
    low_s: FloatArray
    high_s: FloatArray
    width_m: FloatArray
    relief_m: FloatArray
    sure_course: FloatArray
    profile: IntArray


class Passes(NamedTuple):
    """Approaches (k,) of subjects, and the cloud probability at each."""

    which: IntArray
    t_s: FloatArray
    cloud: FloatArray


@kernel
def fill(
    track: Track, sky: Sky, craft: Craft, programs: Programs, subjects: Subjects, passes: Passes,
    first: int, look: FloatArray, room: Scratch, which: IntArray, out: FloatArray,
) -> tuple[int, int]:  # fmt: skip
    """Rows of passes from `first` on: how many, and the pass to go on with once `out` has room.

    `which` (capacity,) takes the subject of each row, `out` (capacity + 1, COLUMNS) the rest. A
    point's window is when it is within its limits, a strip's the start times from which every line
    is.
    """
    n = 0
    for k in range(first, passes.t_s.shape[0]):
        i = passes.which[k]
        row = out[n]
        for c in range(8):
            row[LINE + c] = subjects.line[i, c]
        row[WIDTH] = subjects.width_m[i]
        is_point = row[LINE + 3] == 0.0 and row[LINE + 4] == 0.0 and row[LINE + 5] == 0.0
        _look_of(look, craft, passes.cloud[k], subjects.profile[i])
        look[PROFILE_STEP] = 0.0
        if is_point:
            _aim_at_point(look, row)
        else:
            course = _set_out(track, look, row, passes.t_s[k])
            _count_profiles(look, programs, subjects.program[i], row, backward=course < 0)
            course = abs(course)
            if course < math.cos(LARGEST_TURN_FROM_TRACK_RAD):
                continue
            if course < subjects.sure_course[i]:
                _ask_for_width(look, craft, row[WIDTH], subjects.relief_m[i], passes.t_s[k])
        middle = least_off_nadir(track, look, passes.t_s[k])
        limit, program = subjects.off_nadir_rad[i], subjects.program[i]
        trim = 0.0
        if craft.with_margin:
            look[MARGIN], trim = _uncertainty(track, craft, look, middle, middle)
        row[SCAN] = 0.0 if is_point else _scan_s(track, row, middle)
        line, scan = row[LINE : LINE + 8], row[SCAN]
        sweep(track, sky, look, programs, program, limit, line, scan, middle, room)
        if n + room.filled[SWEEP] > which.shape[0]:
            return n, k
        copy(room, SWEEP, FOUND)
        for j in range(room.filled[FOUND]):
            start = max(room.spans[FOUND, j, 0] + trim, subjects.low_s[i])
            end = min(room.spans[FOUND, j, 1] - trim, subjects.high_s[i] - scan)
            if not end - start > 2 * EDGE_S:
                continue
            which[n] = i
            own = out[n]
            for c in range(8):
                own[LINE + c] = subjects.line[i, c] if is_point else line[c]
            own[SCAN], own[WIDTH] = scan, subjects.width_m[i]
            own[START], own[END] = start, end
            own[BEST] = min(max(middle - 0.5 * scan, start), end)
            if is_point:
                _centre_line(track, craft, own)
            own[LOBE] = j
            _orbit(track, own, middle)
            _describe(track, sky, craft, look, own, 0.5 * scan)
            _plan(track, sky, craft, look, programs, program, limit, own, middle, 0.5 * scan,
                  subjects.low_s[i], subjects.high_s[i], room)  # fmt: skip
            n += 1
    return n, passes.t_s.shape[0]


@inner
def _look_of(look: FloatArray, craft: Craft, cloud: float, profile: int) -> None:
    """What holds for every place of a look, no margin."""
    look[GEOCENTRIC] = 1.0 if craft.geocentric else 0.0
    look[IFOV], look[MARGIN], look[CLOUDS], look[PROFILE] = craft.ifov_rad, 0.0, cloud, profile
    look[WIDTH_NEEDED] = 0.0


@inner
def _aim_at_point(look: FloatArray, row: FloatArray) -> None:
    """Look at a point; its line is not known yet, it follows the satellite's way."""
    look[UP_X], look[UP_Y], look[UP_Z] = row[LINE], row[LINE + 1], row[LINE + 2]
    x, y, z = place_at(row[LINE], row[LINE + 1], row[LINE + 2], row[LINE + 6])
    look[PLACE_X], look[PLACE_Y], look[PLACE_Z] = x, y, z
    look[ALONG_X], look[ALONG_Y], look[ALONG_Z] = 0.0, 0.0, 0.0


@inner
def _set_out(track: Track, look: FloatArray, row: FloatArray, t_s: float) -> float:
    """Turn the line of a row into the direction of flight at t; the cosine between both, as the
    line was."""
    line = row[LINE : LINE + 8]
    aim(look, line, angle_of(line), 0.5)
    x, y, z = velocity(track, t_s)
    rise = x * look[UP_X] + y * look[UP_Y] + z * look[UP_Z]
    x, y, z = x - rise * look[UP_X], y - rise * look[UP_Y], z - rise * look[UP_Z]
    course = x * look[ALONG_X] + y * look[ALONG_Y] + z * look[ALONG_Z]
    if course < 0:
        for c in range(3):
            line[c], line[c + 3] = line[c + 3], line[c]
        line[6], line[7] = line[7], line[6]
    speed = math.sqrt(x * x + y * y + z * z)
    return float(course / speed)


@inner
def _count_profiles(
    look: FloatArray, programs: Programs, program: int, row: FloatArray, backward: bool
) -> None:
    """Terrain horizons of a line stand in the order in which it was cut."""
    look[PROFILE_STEP] = 1.0
    if backward:
        look[PROFILE_STEP] = -1.0
        look[PROFILE] += nodes_of(angle_of(row[LINE : LINE + 8]), programs.node_m[program]) - 1


@inner
def _ask_for_width(
    look: FloatArray, craft: Craft, width_m: float, relief_m: float, t_s: float
) -> None:
    """Hold the look to the width of its strip, three sigma of orbit and pointing taken off."""
    look[WIDTH_NEEDED], look[RELIEF] = width_m, relief_m
    look[HALF_FIELD] = math.tan(0.5 * craft.swath_rad - SIGMAS * craft.pointing_sigma_rad)
    look[ORBIT_ERROR] = SIGMAS * _along_sigma_m(craft, t_s)


@inner
def _scan_s(track: Track, row: FloatArray, t_s: float) -> float:
    """Seconds a sweep lasts: the line at the speed of the sub-satellite point, so that the attitude
    hardly moves in the orbital frame."""
    x, y, z = position(track, t_s)
    vx, vy, vz = velocity(track, t_s)
    r = math.sqrt(x * x + y * y + z * z)
    radial = (x * vx + y * vy + z * vz) / r
    ground_speed = math.sqrt(vx * vx + vy * vy + vz * vz - radial * radial) * MEAN_RADIUS_M / r
    return float(angle_of(row[LINE : LINE + 8]) * MEAN_RADIUS_M / ground_speed)


@inner
def _along_sigma_m(craft: Craft, t_s: float) -> float:
    """One standard deviation along the track, growing with the age of the elements."""
    return craft.sigma_at_epoch_m + craft.sigma_per_day_m * abs(t_s - craft.orbit_epoch_s) / _DAY_S


@inner
def _inertial_speed(x: float, y: float, vx: float, vy: float, vz: float) -> float:
    wx, wy = vx - EARTH_RATE_RAD_S * y, vy + EARTH_RATE_RAD_S * x
    return math.sqrt(wx * wx + wy * wy + vz * vz)


@inner
def _centre_line(track: Track, craft: Craft, row: FloatArray) -> None:
    """The line of a point's sweep, along the track through it, as long as a scene and what is
    uncertain; how long it takes; the usable swath. See `humay.access.areas` for the formulas."""
    best_s = row[BEST]
    x, y, z = position(track, best_s)
    vx, vy, vz = velocity(track, best_s)
    nx, ny, nz = down_from(x, y, z, False)
    height = -(x * nx + y * ny + z * nz) - WGS84_A_M * math.sqrt(1 - WGS84_E2 * nz * nz)
    r = math.sqrt(x * x + y * y + z * z)
    incidence = math.asin(min(0.99, r / (r - height) * math.sin(craft.max_off_nadir_rad)))
    pointing_m = SIGMAS * craft.pointing_sigma_rad * height / math.cos(incidence)
    along_m = SIGMAS * _along_sigma_m(craft, best_s)
    across_m = along_m / _inertial_speed(x, y, vx, vy, vz) * EARTH_SURFACE_SPEED_M_S
    swath_m = 2 * (height - HIGHEST_GROUND_M) * math.tan(craft.swath_rad / 2)
    row[WIDTH] = swath_m - 2 * (pointing_m + across_m)
    bands_m = craft.band_offset_rad * height / math.cos(incidence) ** 2
    length_m = craft.scene_length_m + 2 * (along_m + pointing_m + bands_m)
    half = 0.5 * length_m / MEAN_RADIUS_M
    ux, uy, uz = row[LINE], row[LINE + 1], row[LINE + 2]
    rise = vx * ux + vy * uy + vz * uz
    sx, sy, sz = vx - rise * ux, vy - rise * uy, vz - rise * uz
    speed = math.sqrt(sx * sx + sy * sy + sz * sz)
    cosine, sine = math.cos(half), math.sin(half) / speed
    row[LINE], row[LINE + 1], row[LINE + 2] = (
        cosine * ux - sine * sx, cosine * uy - sine * sy, cosine * uz - sine * sz,
    )  # fmt: skip
    row[LINE + 3], row[LINE + 4], row[LINE + 5] = (
        cosine * ux + sine * sx, cosine * uy + sine * sy, cosine * uz + sine * sz,
    )  # fmt: skip
    row[SCAN] = _scan_s(track, row, best_s)


@inner
def _describe(
    track: Track, sky: Sky, craft: Craft, look: FloatArray, row: FloatArray, later_s: float
) -> None:
    """Fill the columns of a row whose window, line and scan are known.

    The middle of the line stands for it, seen `later_s` after the window's instants.
    """
    line = row[LINE : LINE + 8]
    angle = angle_of(line)
    aim(look, line, angle, 0.5)
    at = row[BEST] + later_s
    x, y, z = position(track, at)
    vx, vy, vz = velocity(track, at)
    row[SIGMA] = _along_sigma_m(craft, at) / _inertial_speed(x, y, vx, vy, vz)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    distance = math.sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx / distance, dy / distance, dz / distance
    xx, xy, xz, yx, yy, yz, zx, zy, zz = orbital_axes(x, y, z, vx, vy, vz, craft.geocentric)
    a, b, c = dx * xx + dy * xy + dz * xz, dx * yx + dy * yy + dz * yz, dx * zx + dy * zy + dz * zz
    row[OFF_NADIR] = math.atan2(math.sqrt(a * a + b * b), c)
    row[ROLL], row[PITCH] = math.atan2(-b, c), math.asin(min(max(a, -1.0), 1.0))
    east, north, up = enu(look, -dx, -dy, -dz)
    row[INCIDENCE] = math.acos(min(max(up, -1.0), 1.0))
    row[AZIMUTH] = _bearing(east, north)
    east, north, _ = enu(look, look[ALONG_X], look[ALONG_Y], look[ALONG_Z])
    row[HEADING] = _bearing(east, north)
    along, across = sample_shape(
        look[UP_X], look[UP_Y], look[UP_Z], look[ALONG_X], look[ALONG_Y], look[ALONG_Z],
        dx, dy, dz,
    )  # fmt: skip
    pixel_m = distance * craft.ifov_rad / up
    row[GSD_ALONG], row[GSD_ACROSS] = pixel_m * math.sqrt(along), pixel_m * math.sqrt(across)
    row[LINE_PERIOD] = row[GSD_ALONG] * row[SCAN] / (angle * MEAN_RADIUS_M)
    sx, sy, sz = sun_from(sky, look, at)
    east, north, up = enu(look, sx, sy, sz)
    row[SUN_ELEVATION], row[SUN_AZIMUTH] = math.asin(up), _bearing(east, north)
    row[OFF_NADIR_START] = _off_nadir(track, look, row[START] + later_s)
    row[OFF_NADIR_END] = _off_nadir(track, look, row[END] + later_s)
    row[SUN_START] = _sun_elevation(sky, look, row[START] + later_s)
    row[SUN_END] = _sun_elevation(sky, look, row[END] + later_s)


@inner
def _bearing(east: float, north: float) -> float:
    angle = math.atan2(east, north)
    return angle if angle >= 0 else angle + 2 * math.pi


@inner
def _sun_elevation(sky: Sky, look: FloatArray, t_s: float) -> float:
    sx, sy, sz = sun_from(sky, look, t_s)
    return math.asin(sx * look[UP_X] + sy * look[UP_Y] + sz * look[UP_Z])


@inner
def _off_nadir(track: Track, look: FloatArray, t_s: float) -> float:
    """Angle (rad) between the line of sight and nadir, exact near zero too."""
    x, y, z = position(track, t_s)
    nx, ny, nz = down_from(x, y, z, look[GEOCENTRIC] != 0.0)
    dx, dy, dz = look[PLACE_X] - x, look[PLACE_Y] - y, look[PLACE_Z] - z
    cx, cy, cz = dy * nz - dz * ny, dz * nx - dx * nz, dx * ny - dy * nx
    return math.atan2(math.sqrt(cx * cx + cy * cy + cz * cz), dx * nx + dy * ny + dz * nz)


@inner
def _orbit(track: Track, row: FloatArray, nearest_s: float) -> None:
    """Direction and number of the orbit when the place is nearest, in the window or not, and
    seconds from its ascending node to the best start."""
    low, high = 0, track.node_s.shape[0]  # the first node after
    while low < high:
        middle = (low + high) // 2
        if track.node_s[middle] > nearest_s:
            high = middle
        else:
            low = middle + 1
    row[ASCENDING] = 1.0 if velocity(track, nearest_s)[2] > 0 else 0.0
    row[ORBIT] = track.node_orbit[low - 1] if low else math.nan
    row[ANX_OFFSET] = row[BEST] - track.node_s[low - 1] if low else math.nan


@inner
def _uncertainty(
    track: Track, craft: Craft, look: FloatArray, at: float, age_at: float
) -> tuple[float, float]:
    """What three sigma take from the angles (rad) and from both ends in time (s).

    Pointing takes from the angles; the orbit's error along the track takes from both ends in time,
    and from the angles what the Earth turns meanwhile: a satellite that runs early or late meets an
    Earth turned a little less or more, and the place lies to the side by as much.
    """
    x, y, z = position(track, at)
    vx, vy, vz = velocity(track, at)
    trim_s = SIGMAS * _along_sigma_m(craft, age_at) / _inertial_speed(x, y, vx, vy, vz)
    aside_m = trim_s * EARTH_SURFACE_SPEED_M_S * math.hypot(look[UP_X], look[UP_Y])
    px, py, pz = look[PLACE_X], look[PLACE_Y], look[PLACE_Z]
    height_m = math.sqrt(x * x + y * y + z * z) - math.sqrt(px * px + py * py + pz * pz)
    return SIGMAS * craft.pointing_sigma_rad + aside_m / height_m, trim_s


@inner
def _plan(
    track: Track, sky: Sky, craft: Craft, look: FloatArray, programs: Programs, program: int,
    limit_rad: float, row: FloatArray, middle_s: float, later_s: float,
    low_s: float, high_s: float, room: Scratch,
) -> None:  # fmt: skip
    """Start times of a whole sweep with three sigma to spare; NaN where none is left."""
    row[PLAN_START] = row[PLAN_END] = math.nan
    look[MARGIN], trim_s = _uncertainty(track, craft, look, row[BEST] + later_s, row[BEST])
    scan = row[SCAN]
    sweep(track, sky, look, programs, program, limit_rad, row[LINE : LINE + 8], scan, middle_s,
          room)  # fmt: skip
    look[MARGIN] = 0.0
    to_start = 0.5 * scan - later_s  # a point's window is that of its middle line
    for n in range(room.filled[SWEEP]):
        begin = max(room.spans[SWEEP, n, 0] + trim_s, row[START] - to_start, low_s)
        end = min(room.spans[SWEEP, n, 1] - trim_s, row[END] - to_start, high_s - scan)
        if end > begin and not end - begin <= row[PLAN_END] - row[PLAN_START]:
            row[PLAN_START], row[PLAN_END] = begin, end
