"""The rigorous model of one row of detectors that the satellite sweeps over the ground.

A pixel (row, col) is exposed in the middle at `first_line_s + row x line_period_s` and looks, in
body axes, along (along(col), across(col), 1): x forward, y to the right, z the optical axis. From
there to the ground:

* velocity aberration: the direction in the geocentric frame is the unit vector u for which
  u + v / c has the direction seen, v the satellite's velocity in that frame (about 17 m);
* light time: the ground is met where it was when the light left it, range / c earlier (1 m);
* refraction: light bends towards the vertical on its way down, so it comes from a place nearer to
  the satellite than the straight line does, by N(h) H tan z / cos2 z at the incidence z (1 m),
  with N(h) = N0 exp(-h / H): the first-order term of the flat exponential atmosphere, see
  P. Noerdlinger, ISPRS J. Photogramm. 54 (1999), 360-373. Weather changes it by some 5 %.

Precession, nutation and the pole stand still while an image is taken (1e-11 rad in ten seconds).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from humay.arrays import FloatArray, dot, frozen, norm, unit
from humay.earth import (
    LIGHT_M_S,
    WGS84_A_M,
    WGS84_B_M,
    ellipsoid_normal,
    geodetic_from_itrf,
    itrf_from_geodetic,
    up_at,
)
from humay.errors import SensorError
from humay.frames import (
    EARTH_RATE_RAD_S,
    inertial_velocity,
    itrf_from_gcrf,
    matrix_from_quaternion,
)
from humay.spacecraft import Trajectory

REFRACTIVITY = 2.77e-4  # n - 1 of air at 15 C, 1013 hPa, 600 nm: P. E. Ciddor, Appl. Opt. 35 (1996)
SCALE_HEIGHT_M = 8_000.0  # of the air's density
_MOST_STEPS = 20
_TIME_TOLERANCE_S = 1e-10  # 1 micrometre on the ground


@dataclass(frozen=True, kw_only=True, eq=False)
class Pushbroom:
    """One array of pixels (row, col) of one chip, as a `SensorModel`.

    `along` and `across` are polynomials in the column of the array, ascending powers, whose values
    are tangents of field angles; `across` rises or falls without turning over the columns used.
    """

    trajectory: Trajectory
    first_line_s: float
    line_period_s: float
    along: FloatArray
    across: FloatArray

    def __post_init__(self) -> None:
        if not self.line_period_s > 0:
            raise SensorError(f"line_period_s is {self.line_period_s}, expected > 0")
        for name in ("along", "across"):
            value = frozen(getattr(self, name))
            if value.ndim != 1 or value.size < 2 or not np.all(np.isfinite(value)):
                raise SensorError(f"{name} has shape {value.shape}, expected two or more numbers")
            object.__setattr__(self, name, value)

    def with_trajectory(self, trajectory: Trajectory) -> Pushbroom:
        """The same pixels, flown otherwise."""
        return replace(self, trajectory=trajectory)

    def line_time_s(self, row: FloatArray) -> FloatArray:
        """Middle of the exposure of rows (...), seconds after the trajectory's epoch."""
        return np.asarray(self.first_line_s + np.asarray(row, np.float64) * self.line_period_s)

    def locate(
        self, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of what a pixel sees at a height above WGS 84.

        Raises `SensorError` where a line of sight passes the Earth by, `SpacecraftError` where the
        trajectory does not reach.
        """
        row, col, height_m = np.broadcast_arrays(row, col, np.asarray(height_m, np.float64))
        t_s = self.line_time_s(row)
        r, v = self.trajectory.state(t_s)
        seen = self._look_itrf(t_s, col)
        drift = inertial_velocity(r, v) / LIGHT_M_S
        along_v = dot(seen, drift)
        stretch = along_v + np.sqrt(along_v**2 + 1 - dot(drift, drift))
        look = stretch[..., None] * seen - drift
        place = _meet(r, look, height_m)
        turn = EARTH_RATE_RAD_S * norm(place - r) / LIGHT_M_S
        place = _meet(_turned(r, turn), _turned(look, turn), height_m)
        shift = _refraction(place, up_at(place), _turned(r, turn), height_m)
        lon, lat, _ = geodetic_from_itrf(place - shift)
        return lon, lat

    def project(
        self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Row and column that see a place; NaN where none does while the trajectory lasts.

        The inverse of `locate` within 1e-5 pixels. A place that is not a number has no pixel.
        """
        lon, lat, height = np.broadcast_arrays(
            *(np.asarray(x, np.float64) for x in (lon_rad, lat_rad, height_m))
        )
        known = np.isfinite(lon) & np.isfinite(lat) & np.isfinite(height)
        place = itrf_from_geodetic(*(np.where(known, x, 0.0) for x in (lon, lat, height)))
        up = ellipsoid_normal(*(np.where(known, x, 0.0) for x in (lon, lat)))
        t_s, left_s, col = self._seen(place, up, np.where(known, height, 0.0))
        row = (t_s - left_s - self.first_line_s) / self.line_period_s
        known = known & (np.abs(left_s) < 10 * _TIME_TOLERANCE_S)
        return np.where(known, row, np.nan), np.where(known, col, np.nan)

    def _seen(
        self, place: FloatArray, up: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """When places are seen, what is left of that (s), and the column: secant method.

        What is seen before or after the trajectory stays at its end with much left.
        """
        low, high = self.trajectory.start_s, self.trajectory.end_s
        t_s = np.clip(self._guess_s(place), low, high)
        slope = np.full(t_s.shape, self._sweep_rate)
        miss, col = self._miss(t_s, place, up, height_m)
        for _ in range(_MOST_STEPS):
            t_next = np.clip(t_s - miss / slope, low, high)
            moved = t_next - t_s
            if not np.any(np.abs(moved) > _TIME_TOLERANCE_S):
                return t_s, miss / slope, col
            last = miss
            miss, col = self._miss(t_next, place, up, height_m)
            far = np.abs(moved) > 1e-6  # closer by, a secant is all rounding
            secant = (miss - last) / np.where(far, moved, 1.0)
            slope = np.where(far, secant, slope)
            t_s = t_next
        raise SensorError(f"the line of a place was not found in {_MOST_STEPS} steps")

    def _look_itrf(self, t_s: FloatArray, col: FloatArray) -> FloatArray:
        """Directions seen (..., 3) on ITRF axes."""
        tangents = (_polynomial(self.along, col), _polynomial(self.across, col))
        body = unit(np.stack([*tangents, np.ones_like(tangents[0])], axis=-1))
        fixed = np.einsum("...ji,...j->...i", self._body_from_fixed(t_s), body)
        return _turned(fixed, EARTH_RATE_RAD_S * (self._middle_s - t_s))

    def _body_from_fixed(self, t_s: FloatArray) -> FloatArray:
        """Attitude matrices (..., 3, 3) from axes that stand still: ITRF of the middle instant."""
        body_from_gcrf = matrix_from_quaternion(self.trajectory.attitude(t_s))
        return np.asarray(body_from_gcrf @ self._gcrf_from_fixed)

    @cached_property
    def _gcrf_from_fixed(self) -> FloatArray:
        return itrf_from_gcrf(self.trajectory.epoch, np.asarray(self._middle_s)).T

    @property
    def _middle_s(self) -> float:
        return 0.5 * (self.trajectory.start_s + self.trajectory.end_s)

    def _miss(
        self, t_s: FloatArray, place: FloatArray, up: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """How far ahead of the row (tangent) a place is at an instant, and its column."""
        r, v = self.trajectory.state(t_s)
        turn = EARTH_RATE_RAD_S * norm(place - r) / LIGHT_M_S
        then = _turned(r, turn)
        straight = place + _refraction(place, up, then, height_m)
        look = _turned(unit(straight - then), -turn)
        seen = look + inertial_velocity(r, v) / LIGHT_M_S
        fixed = _turned(seen, EARTH_RATE_RAD_S * (t_s - self._middle_s))
        body = np.einsum("...ij,...j->...i", self._body_from_fixed(t_s), fixed)
        col = _solved(self.across, body[..., 1] / body[..., 2])
        return body[..., 0] / body[..., 2] - _polynomial(self.along, col), col

    @cached_property
    def _sweep_rate(self) -> float:
        """d(miss)/dt in the middle: a place moves backward through the field."""
        step_s = 0.01 * (self.trajectory.end_s - self.trajectory.start_s)
        t = np.array([self._middle_s - step_s, self._middle_s + step_s])
        place = np.stack([self._middle_place] * 2)
        miss, _ = self._miss(t, place, up_at(place), np.zeros(2))
        return float((miss[1] - miss[0]) / (2 * step_s))

    @cached_property
    def _middle_place(self) -> FloatArray:
        """Where the optical axis meets the ellipsoid in the middle."""
        t = np.asarray(self._middle_s)
        axis = np.array([0.0, 0.0, 1.0])
        fixed = np.einsum("ji,j->i", self._body_from_fixed(t), axis)
        return _meet(self.trajectory.position(t), fixed, np.zeros(()))

    def _guess_s(self, place: FloatArray) -> FloatArray:
        """About when a place is seen: what the row moves over the ground, taken as even."""
        step_s = 0.01 * (self.trajectory.end_s - self.trajectory.start_s)
        t = np.array([self._middle_s - step_s, self._middle_s + step_s])
        body = self._body_from_fixed(t)
        axis = _turned(body[:, 2, :], EARTH_RATE_RAD_S * (self._middle_s - t))
        ends = _meet(self.trajectory.position(t), axis, np.zeros(2))
        velocity = (ends[1] - ends[0]) / (2 * step_s)
        ahead = dot(place - self._middle_place, velocity) / dot(velocity, velocity)
        return np.asarray(self._middle_s + ahead)


def _polynomial(coefficients: FloatArray, x: FloatArray) -> FloatArray:
    """Horner's rule for ascending powers."""
    value = np.full(np.shape(x), coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        value = value * x + coefficient
    return np.asarray(value)


def _solved(coefficients: FloatArray, value: FloatArray) -> FloatArray:
    """Where a nearly straight polynomial takes a value: Newton's method."""
    slopes = coefficients[1:] * np.arange(1, coefficients.size)
    x = (value - coefficients[0]) / coefficients[1]
    for _ in range(4):  # distortion of a few per cent: the error falls below 1e-9 in three steps
        x = x - (_polynomial(coefficients, x) - value) / _polynomial(slopes, x)
    return np.asarray(x)


def _turned(v: FloatArray, angle_rad: FloatArray) -> FloatArray:
    """Vectors (..., 3) turned about z, eastward."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    x, y = v[..., 0], v[..., 1]
    return np.stack([c * x - s * y, s * x + c * y, v[..., 2]], axis=-1)


def _meet(origin: FloatArray, direction: FloatArray, height_m: FloatArray) -> FloatArray:
    """Where rays (..., 3) first reach a geodetic height (...), within a micrometre.

    First the ellipsoid with both axes longer by the height, 1 cm from the true surface at most for
    heights on Earth; then the plane through that point at right angles to the normal there.
    """
    inverse = np.stack([1 / (WGS84_A_M + height_m)] * 2 + [1 / (WGS84_B_M + height_m)], axis=-1)
    o, d = origin * inverse, direction * inverse
    a, b, c = dot(d, d), dot(o, d), dot(o, o) - 1.0
    square = b * b - a * c
    if not np.all(square >= 0):
        raise SensorError(
            f"{int(np.sum(~(square >= 0)))} of {square.size} lines of sight pass the Earth by"
        )
    place = origin + ((-b - np.sqrt(square)) / a)[..., None] * direction
    for _ in range(2):
        lon, lat, height = geodetic_from_itrf(place)
        up = ellipsoid_normal(lon, lat)
        step = (height_m - height) / dot(direction, up)
        place = place + step[..., None] * direction
    return np.asarray(place)


def _refraction(
    place: FloatArray, up: FloatArray, satellite: FloatArray, height_m: FloatArray
) -> FloatArray:
    """From the true place (..., 3) to where the straight line of sight meets the same height."""
    to_satellite = unit(satellite - place)
    cosine = dot(to_satellite, up)
    level = to_satellite - cosine[..., None] * up  # its length is the sine of the incidence
    reach_m = REFRACTIVITY * np.exp(-height_m / SCALE_HEIGHT_M) * SCALE_HEIGHT_M / cosine**3
    return np.asarray(-reach_m[..., None] * level)


def heading_rad(model: Pushbroom, row: float, col: float, height_m: float) -> float:
    """Azimuth of rising rows on the ground, clockwise from north."""
    lon, lat = model.locate(np.array([row - 1, row + 1]), np.asarray(col), np.asarray(height_m))
    east = (lon[1] - lon[0]) * np.cos(lat.mean())
    return float(np.mod(np.arctan2(east, lat[1] - lat[0]), 2 * np.pi))
