"""Rational polynomial coefficients: the sensor model that an image vendor delivers.

RPC00B of NITF (STDI-0002, Compendium of Controlled Extensions): row and column are ratios of cubic
polynomials in longitude, latitude and ellipsoidal height, each shifted and scaled to about -1 to 1.
Here pixel (0.0, 0.0) is the centre of the first one; readers shift what counts otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from humay.arrays import BoolArray, FloatArray, frozen
from humay.errors import SensorError

TERMS = 20
REACH = 2.0  # half widths of the domain of validity, to each side of its middle
PIXEL_TOLERANCE = 1e-8
_STEPS = 12  # Newton doubles the digits each time: eight are done in four
_BLOCK = 8_192  # places at once, so that what is computed of them stays in the cache
POWERS = np.array(  # of longitude, latitude and height in each term, in the order of RPC00B
    [
        (0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0),
        (1, 0, 1), (0, 1, 1), (2, 0, 0), (0, 2, 0), (0, 0, 2),
        (1, 1, 1), (3, 0, 0), (1, 2, 0), (1, 0, 2), (2, 1, 0),
        (0, 3, 0), (0, 1, 2), (2, 0, 1), (0, 2, 1), (0, 0, 3),
    ]
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """A coordinate shifted and scaled to -1 to 1 over its domain of validity."""

    offset: float
    scale: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset) and 0 < self.scale < math.inf):
            raise SensorError(
                f"RPC: offset {self.offset} and scale {self.scale}, expected numbers, scale > 0"
            )

    @property
    def domain(self) -> tuple[float, float]:
        return self.offset - self.scale, self.offset + self.scale

    def scaled(self, value: FloatArray) -> FloatArray:
        return np.asarray((value - self.offset) / self.scale)

    def value(self, scaled: FloatArray) -> FloatArray:
        return np.asarray(scaled * self.scale + self.offset)


@dataclass(frozen=True, kw_only=True, eq=False)
class Rpc:
    """The coefficients of one image; is a `SensorModel`.

    Longitude and latitude stay in the degrees they are stated in: turning 58 deg into radians
    rounds by 0.7 nm, and every other program would be 0.002 micropixels off. `error_bias_m` and
    `error_random_m` are RPC00B's rms errors on the ground per axis, None where not stated.
    """

    row: Scaling
    col: Scaling
    lon_deg: Scaling
    lat_deg: Scaling
    height_m: Scaling
    row_num: FloatArray
    row_den: FloatArray
    col_num: FloatArray
    col_den: FloatArray
    error_bias_m: float | None = None
    error_random_m: float | None = None

    def __post_init__(self) -> None:
        for name in ("row_num", "row_den", "col_num", "col_den"):
            values = frozen(getattr(self, name))
            if values.shape != (TERMS,) or not np.isfinite(values).all():
                found = f"{values.size} values" if values.shape != (TERMS,) else "one that is none"
                raise SensorError(f"RPC: {name} has {found}, expected {TERMS} numbers")
            object.__setattr__(self, name, values)
        if not (abs(self.lon_deg.offset) <= 360 and abs(self.lat_deg.offset) <= 90):
            raise SensorError(
                f"RPC: its middle is lon {self.lon_deg.offset:g}, lat {self.lat_deg.offset:g}, "
                f"expected degrees on Earth"
            )
        self._check_denominator("row", self.row_den)
        self._check_denominator("column", self.col_den)

    def project(
        self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Row and column that see a place.

        NaN beyond `REACH` times the domain in longitude or latitude, where a cubic comes back to
        the image from behind. Heights outside of the domain are taken: they extrapolate gently.
        """
        shape = np.broadcast_shapes(np.shape(lon_rad), np.shape(lat_rad), np.shape(height_m))
        places = [_flat(values, shape) for values in (lon_rad, lat_rad, height_m)]
        row, col = np.empty(places[0].size), np.empty(places[0].size)
        for start in range(0, row.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            x, y, h = self._scaled(*(values[block] for values in places))
            row[block] = self.row.value(_ratio(self.row_num, self.row_den, x, y, h))
            col[block] = self.col.value(_ratio(self.col_num, self.col_den, x, y, h))
        return row.reshape(shape), col.reshape(shape)

    def locate(
        self, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of what a pixel sees at a height, to `PIXEL_TOLERANCE`.

        Newton's method on `project`; the answer for one pixel does not depend on the others. Raises
        `SensorError` where it does not converge within `REACH`; NaN is answered with NaN.
        """
        shape = np.broadcast_shapes(np.shape(row), np.shape(col), np.shape(height_m))
        pixels = [_flat(values, shape) for values in (row, col, height_m)]
        lon_deg, lat_deg = np.empty(pixels[0].size), np.empty(pixels[0].size)
        for start in range(0, lon_deg.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            x, y = self._solve(*(values[block] for values in pixels))
            lon_deg[block], lat_deg[block] = self.lon_deg.value(x), self.lat_deg.value(y)
        lon_deg -= 360.0 * np.round(lon_deg / 360.0)
        return np.radians(lon_deg).reshape(shape), np.radians(lat_deg).reshape(shape)

    def covers(self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray) -> BoolArray:
        """Whether places lie in the domain of validity."""
        x, y, h = self._scaled(
            *(np.asarray(values, np.float64) for values in (lon_rad, lat_rad, height_m))
        )
        return np.asarray((np.abs(x) <= 1) & (np.abs(y) <= 1) & (np.abs(h) <= 1))

    def cropped(self, row0: float, col0: float) -> Rpc:
        """The model of the part of the image that begins at pixel (row0, col0)."""
        return replace(
            self,
            row=replace(self.row, offset=self.row.offset - row0),
            col=replace(self.col, offset=self.col.offset - col0),
        )

    def _scaled(
        self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Scaled places; longitude and latitude NaN where they are out of reach."""
        east_deg = np.degrees(lon_rad) - self.lon_deg.offset
        east_deg -= 360.0 * np.round(east_deg / 360.0)  # over the antimeridian, else 0
        x = east_deg / self.lon_deg.scale
        y = self.lat_deg.scaled(np.degrees(lat_rad))
        x, y = (np.where(np.abs(part) <= REACH, part, np.nan) for part in (x, y))
        return x, y, self.height_m.scaled(height_m)

    def _solve(
        self, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        h = self.height_m.scaled(height_m)
        x, y = np.zeros(h.shape), np.zeros(h.shape)
        nothing = np.isnan(row) | np.isnan(col) | np.isnan(h)
        x[nothing] = y[nothing] = np.nan
        done = nothing
        with np.errstate(all="ignore"):  # a step into nowhere is caught below
            for _ in range(_STEPS):
                v, vx, vy = self._slopes(self._row_slopes, x, y, h)
                u, ux, uy = self._slopes(self._col_slopes, x, y, h)
                dv, du = self.row.scaled(row) - v, self.col.scaled(col) - u
                miss_px = np.maximum(np.abs(dv) * self.row.scale, np.abs(du) * self.col.scale)
                done = done | (miss_px <= PIXEL_TOLERANCE)
                if done.all():
                    break
                det = vx * uy - vy * ux
                x = np.where(done, x, x + (dv * uy - du * vy) / det)
                y = np.where(done, y, y + (du * vx - dv * ux) / det)
            astray = ~done | (np.maximum(np.abs(x), np.abs(y)) > REACH)
        if astray.any():
            worst = int(np.argmax(astray))
            raise SensorError(
                f"RPC: no place found for row {row[worst]:g}, column {col[worst]:g} at "
                f"{height_m[worst]:g} m: {miss_px[worst]:.3g} px off after {_STEPS} steps, "
                f"expected {PIXEL_TOLERANCE:g} within {REACH:g} times the domain"
            )
        return x, y

    @cached_property
    def _row_slopes(self) -> FloatArray:
        return _with_slopes(self.row_num, self.row_den)

    @cached_property
    def _col_slopes(self) -> FloatArray:
        return _with_slopes(self.col_num, self.col_den)

    @staticmethod
    def _slopes(
        coefficients: FloatArray, x: FloatArray, y: FloatArray, h: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """A ratio of polynomials and its slopes along x and y."""
        num, den, num_x, den_x, num_y, den_y = (_cubic(c, x, y, h) for c in coefficients)
        ratio = num / den
        return ratio, (num_x - ratio * den_x) / den, (num_y - ratio * den_y) / den

    def _check_denominator(self, axis: str, den: FloatArray) -> None:
        """Refuse one that vanishes in the domain: the model would fly off to infinity there."""
        if np.abs(den[1:]).sum() < abs(den[0]):
            return  # no term is over 1 in the domain, so it cannot
        nodes = np.linspace(-1.0, 1.0, 21)
        x, y, h = (grid.ravel() for grid in np.meshgrid(nodes, nodes, nodes))
        value = _cubic(den, x, y, h)
        away = value * np.sign(value[np.argmax(np.abs(value))])  # from zero, on the side of most
        low = int(np.argmin(away))
        if not away[low] > 1e-6 * away.max():
            raise SensorError(
                f"RPC: the denominator of the {axis} is {value[low]:.3g} at lon "
                f"{self.lon_deg.value(x[low]):.6g}, lat {self.lat_deg.value(y[low]):.6g}, "
                f"{self.height_m.value(h[low]):.6g} m in its domain, expected one sign everywhere"
            )


def _flat(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    return np.broadcast_to(np.asarray(values, dtype=np.float64), shape).ravel()


def _cubic(c: FloatArray, x: FloatArray, y: FloatArray, h: FloatArray) -> FloatArray:
    """A polynomial in the order of RPC00B: x longitude, y latitude, h height, all scaled.

    Horner's scheme on whole arrays: a matrix product would be rounded differently for one place
    and for many.
    """
    in_x = x * (c[7] + x * c[11] + y * c[14] + h * c[17]) + y * (c[4] + y * c[12] + h * c[10])
    in_y = y * (c[8] + y * c[15] + h * c[18]) + h * (c[6] + h * c[16])
    in_h = h * (c[9] + h * c[19])
    return np.asarray(
        c[0] + x * (c[1] + in_x + h * (c[5] + h * c[13])) + y * (c[2] + in_y) + h * (c[3] + in_h)
    )


def _ratio(
    num: FloatArray, den: FloatArray, x: FloatArray, y: FloatArray, h: FloatArray
) -> FloatArray:
    """NaN where the denominator is none, which is never in the domain."""
    below = _cubic(den, x, y, h)
    return np.asarray(_cubic(num, x, y, h) / np.where(below == 0, np.nan, below))


def _with_slopes(num: FloatArray, den: FloatArray) -> FloatArray:
    """Coefficients (6, 20) of both polynomials, their slopes along longitude and latitude."""
    slopes = [_derivative(polynomial, axis) for axis in (0, 1) for polynomial in (num, den)]
    return np.stack([num, den, *slopes])


def _derivative(coefficients: FloatArray, axis: int) -> FloatArray:
    """The polynomial of the slope along longitude (0) or latitude (1), in the same terms."""
    slope = np.zeros(TERMS)
    for coefficient, powers in zip(coefficients, POWERS, strict=True):
        if powers[axis]:
            lower = powers - np.eye(3, dtype=np.int64)[axis]
            slope[np.flatnonzero((lower == POWERS).all(axis=1))] += powers[axis] * coefficient
    return slope
