"""Coefficients fitted to a sensor model, so that programs that know only RPCs can use its images.

The ratio p / q = v of one axis is made linear, p - v q = v (q begins with 1), and solved again with
each equation divided by the q before, so that the misses count in pixels (C. K. Sanathanan and
J. Koerner, IEEE Trans. Autom. Control 8, 1963). 39 unknowns that nearly stand in for each other
make the system ill-conditioned; a small damping picks the smallest of the equally good answers
(C. V. Tao and Y. Hu, PE&RS 67, 2001). What no cubic follows, such as the shake of a platform, would
drive the denominator through zero instead; the damping grows until it cannot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.errors import SensorError
from humay.sensor.model import SensorModel
from humay.sensor.rpc import POWERS, TERMS, Rpc, Scaling

Range: TypeAlias = tuple[float, float]
Spacing: TypeAlias = Callable[[float, float, int], FloatArray]
_NODES = (15, 15, 7)  # rows, columns, heights of the grid that is fitted to
_CHECKS = (24, 24, 10)  # of the grid that the fit is measured on
_DAMPINGS = tuple(10.0**power for power in range(-9, 0))  # of a term's rms over the equations
_MOST_DENOMINATOR = 0.5  # that its terms may add to its leading 1: half way to a zero
_ROUNDS = 4  # with the denominator of the round before; it settles in two


@dataclass(frozen=True, kw_only=True)
class RpcResidual:
    """How far a fitted RPC lies from its model, in pixels, on a grid it was not fitted to."""

    max_px: float
    rms_px: float
    points: int


def fit_rpc(
    model: SensorModel, *, rows: Range, cols: Range, heights_m: Range
) -> tuple[Rpc, RpcResidual]:
    """The RPC of a model over ranges of rows, columns and ellipsoidal heights, and its residual.

    The domain of the RPC is what the ranges cover on the ground. Raises `SensorError` where the
    model has no place for a pixel in them.
    """
    row, col, height_m = _grid(_chebyshev, _NODES, rows, cols, heights_m)
    lon_deg, lat_deg = (np.degrees(angle) for angle in _places(model, row, col, height_m))
    lon_deg -= 360.0 * np.round((lon_deg - lon_deg[0]) / 360.0)  # over the antimeridian
    v, u, x, y, h = map(_scaling, (row, col, lon_deg, lat_deg, height_m))
    terms = _terms(x.scaled(lon_deg), y.scaled(lat_deg), h.scaled(height_m))
    row_num, row_den = _fit(terms, v.scaled(row))
    col_num, col_den = _fit(terms, u.scaled(col))
    rpc = Rpc(
        row=v, col=u, lon_deg=x, lat_deg=y, height_m=h,
        row_num=row_num, row_den=row_den, col_num=col_num, col_den=col_den,
    )  # fmt: skip
    return rpc, _residual(rpc, model, *_grid(np.linspace, _CHECKS, rows, cols, heights_m))


def _residual(
    rpc: Rpc, model: SensorModel, row: FloatArray, col: FloatArray, height_m: FloatArray
) -> RpcResidual:
    lon_rad, lat_rad = _places(model, row, col, height_m)
    again_row, again_col = rpc.project(lon_rad, lat_rad, height_m)
    miss_px = np.hypot(again_row - row, again_col - col)
    rms_px = float(np.sqrt(np.mean(miss_px**2)))
    return RpcResidual(max_px=float(miss_px.max()), rms_px=rms_px, points=miss_px.size)


def _places(
    model: SensorModel, row: FloatArray, col: FloatArray, height_m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Longitudes and latitudes (rad), one for each pixel."""
    lon_rad, lat_rad = model.locate(row, col, height_m)
    bad = ~(np.isfinite(lon_rad) & np.isfinite(lat_rad))
    if bad.any():
        first = int(np.argmax(bad))
        raise SensorError(
            f"no RPC can be fitted: the model has no place for row {row[first]:g}, column "
            f"{col[first]:g} at {height_m[first]:g} m, expected one for each pixel and height"
        )
    return lon_rad, lat_rad


def _grid(spacing: Spacing, counts: tuple[int, int, int], *ranges: Range) -> list[FloatArray]:
    nodes = [spacing(*ends, count) for ends, count in zip(ranges, counts, strict=True)]
    return [values.ravel() for values in np.meshgrid(*nodes, indexing="ij")]


def _chebyshev(low: float, high: float, count: int) -> FloatArray:
    """Nodes that crowd at both ends, where a polynomial strays first; the ends belong to them."""
    return np.asarray((low + high) / 2 - (high - low) / 2 * np.cos(np.linspace(0, np.pi, count)))


def _scaling(values: FloatArray) -> Scaling:
    low, high = float(values.min()), float(values.max())
    return Scaling(offset=(low + high) / 2, scale=(high - low) / 2)


def _terms(x: FloatArray, y: FloatArray, h: FloatArray) -> FloatArray:
    """The terms of RPC00B, (n, 20)."""
    return np.asarray(np.prod(np.stack([x, y, h], axis=-1)[:, None, :] ** POWERS, axis=-1))


def _fit(terms: FloatArray, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Numerator and denominator whose ratio is `wanted` (n,), by the least damping that is safe."""
    for damping in _DAMPINGS:
        num, den = _damped_fit(terms, wanted, damping)
        if np.abs(den[1:]).sum() <= _MOST_DENOMINATOR:
            return num, den
    raise SensorError(
        f"no RPC can be fitted: its denominator vanishes even when damped by {damping:g}, expected "
        f"a smooth model"
    )


def _damped_fit(
    terms: FloatArray, wanted: FloatArray, damping: float
) -> tuple[FloatArray, FloatArray]:
    den = np.eye(TERMS)[0]
    for _ in range(_ROUNDS):
        weight = 1.0 / np.einsum("ij,j->i", terms, den)
        system = np.hstack([terms, -wanted[:, None] * terms[:, 1:]]) * weight[:, None]
        solution = _least_squares(system, wanted * weight, damping)
        den = np.concatenate([[1.0], solution[TERMS:]])
    return solution[:TERMS], den


def _least_squares(matrix: FloatArray, wanted: FloatArray, damping: float) -> FloatArray:
    """Damped least squares by modified Gram-Schmidt with the right side as one more column.

    As stable as Householder's (A. Bjorck, BIT 7, 1967), and without BLAS, whose sums depend on its
    number of threads.
    """
    count = matrix.shape[1]
    held = damping * np.sqrt(len(matrix)) * np.eye(count)
    q = np.column_stack([np.vstack([matrix, held]), np.append(wanted, np.zeros(count))])
    r = np.zeros((count, count + 1))
    for k in range(count):
        r[k, k] = np.sqrt(np.sum(q[:, k] ** 2))
        q[:, k] /= r[k, k]
        r[k, k + 1 :] = np.einsum("i,ij->j", q[:, k], q[:, k + 1 :])
        q[:, k + 1 :] -= q[:, k, None] * r[k, k + 1 :]
    solution = np.zeros(count)
    for k in reversed(range(count)):
        solution[k] = (r[k, -1] - np.sum(r[k, k + 1 : -1] * solution[k + 1 :])) / r[k, k]
    return solution
