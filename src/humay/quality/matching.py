"""Where a chip of a product lies on a picture of the same ground, to hundredths of a pixel.

Least-squares matching (F. Ackermann, Photogrammetric Record 11 (1984), 429-439): the reference,
blurred and moved, is fitted to the chip,

    chip(x) = gain * (reference * gaussian of variance v)(x - shift) + offset + noise,

by Gauss-Newton in (shift, v, gain, offset). The reference may be sampled finer than the chip: it is
blurred and sampled in one sum over its own pixels, never interpolated. A product is less sharp than
the ground; of its point spread only the size is fitted, and as long as that is symmetric whatever
else it is moves nothing. `docs/design/matching.md` tells what else was tried.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from humay.arrays import FloatArray, IntArray

SEARCH_PX = 3
START_VARIANCE_PX2 = 0.5
SHARPEST = 0.8  # blur in pixels of the reference; below, its sum is no integral any more
LEAST_CORRELATION = 0.7
LARGEST_SIGMA_PX = 0.1
_REACH = 5.0  # of a gaussian, in sigmas
_FARTHEST_PX = 1  # from the best whole pixel
_SETTLED_PX = 1e-4
_MOST_STEPS = 30
_SINGULAR = 1e-8  # smallest eigenvalue of normal equations with ones on the diagonal
_FLAT = 1e-6  # of the largest spread
_SCORE_BOX = 4  # pixels over which residuals hang together


@dataclass(frozen=True, kw_only=True)
class Match:
    """What the chip shows lies `shift_px` (row, col) further than on the reference.

    `sigma_px` is one standard deviation of it; `blur_px` that of the blur. `correlation` is that of
    the chip with the reference after the fit.
    """

    shift_px: tuple[float, float]
    sigma_px: tuple[float, float]
    blur_px: float
    gain: float
    offset: float
    correlation: float


@dataclass(frozen=True)
class Refusal:
    """Why a chip cannot be matched."""

    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Picture:
    """A reference that `per_pixel` samples to a pixel show, from `margin_px` before the chip on.

    Sums are NumPy's own, not a matrix library's: the same bits for any number of threads.
    """

    samples: FloatArray
    per_pixel: int
    margin_px: int

    @property
    def blurs_px2(self) -> tuple[float, float]:
        """The least and the largest variance of a blur that its samples and its margin allow."""
        widest = (self.margin_px - SEARCH_PX - _FARTHEST_PX) / _REACH
        return (SHARPEST / self.per_pixel) ** 2, widest**2

    def blurred(self, first: FloatArray, shape: tuple[int, int], variance: float) -> FloatArray:
        """The reference under a gaussian at pixels (rows, cols) from `first` (row, col) on."""
        across, *_ = self._sums(self.samples.T, first[1], shape[1], variance)
        down, *_ = self._sums(across.T, first[0], shape[0], variance)
        return down

    def derivatives(
        self, first: FloatArray, shape: tuple[int, int], variance: float
    ) -> list[FloatArray]:
        """As `blurred`, and its derivatives by row shift, column shift and variance."""
        plain, moved, wider = self._sums(self.samples.T, first[1], shape[1], variance)
        value, by_row, by_row_width = self._sums(plain.T, first[0], shape[0], variance)
        by_col, *_ = self._sums(moved.T, first[0], shape[0], variance)
        by_col_width, *_ = self._sums(wider.T, first[0], shape[0], variance)
        return [value, by_row, by_col, by_row_width + by_col_width]

    def _sums(
        self, samples: FloatArray, first: float, count: int, variance: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Gaussian sums along the first axis at pixels from `first` on, (count, ...), and their
        derivatives by shift and by variance."""
        centre = (first + self.margin_px + 0.5) * self.per_pixel - 0.5
        reach = math.ceil(_REACH * math.sqrt(variance) * self.per_pixel - 0.5)
        start = round(centre) - reach
        u = (centre - start - np.arange(2 * reach + 1)) / self.per_pixel
        g = np.exp(-u * u / (2 * variance)) / math.sqrt(2 * math.pi * variance) / self.per_pixel
        taps = np.stack([g, u / variance * g, (u * u / variance - 1) / (2 * variance) * g])
        length = self.per_pixel * (count - 1) + u.size
        lines = sliding_window_view(samples[start : start + length], u.size, axis=0)
        out = np.einsum("wk,ick->wic", taps, lines[:: self.per_pixel])
        return out[0], out[1], out[2]


def margin_px(widest_px: float) -> int:
    """What a reference has to show around its chip, if that is blurred by up to `widest_px`."""
    return SEARCH_PX + _FARTHEST_PX + math.ceil(_REACH * widest_px)


def match(chip: FloatArray, reference: FloatArray, *, oversampling: int = 1) -> Match | Refusal:
    """Match a chip (rows, cols) with a reference of the same ground that shows a margin besides.

    The reference has `oversampling` samples to a pixel along each axis, each the mean over its
    share of the pixel, and is as much wider all round as `margin_px` says. NaN is missing or
    saturated. With `oversampling` 1, chip and reference are alike: both are smoothed by the same
    gaussian first. Refused are chips with such pixels, with too little texture for
    `LARGEST_SIGMA_PX`, that lie `SEARCH_PX` away or are not alike.
    """
    margin = (reference.shape[0] // oversampling - chip.shape[0]) // 2
    wanted = tuple((n + 2 * margin) * oversampling for n in chip.shape)
    if reference.shape != wanted or margin < margin_px(SHARPEST):
        raise ValueError(
            f"reference is {reference.shape} for a chip {chip.shape}, expected {oversampling} x "
            f"the chip and the same margin all round, {margin_px(SHARPEST)} pixels at least"
        )
    if not np.isfinite(chip).all() or not np.isfinite(reference).all():
        return Refusal("pixels without data or flagged")
    if min(np.ptp(chip), np.ptp(reference)) <= 0:
        return Refusal("no texture")
    picture = _Picture(samples=reference, per_pixel=oversampling, margin_px=margin)
    return _fitted(*_smoothed(chip, picture))


def _smoothed(chip: FloatArray, picture: _Picture) -> tuple[FloatArray, FloatArray, _Picture]:
    """The chip, its first pixel (row, col), and the picture it is matched with.

    Where both are products, the chip is smoothed as little as the reference must be, and loses the
    edge where that cannot be done.
    """
    if picture.per_pixel > 1:
        return chip, np.zeros(2), picture
    edge = math.ceil(_REACH * SHARPEST)
    shape = chip.shape[0] - 2 * edge, chip.shape[1] - 2 * edge
    first = np.full(2, float(edge))
    own = _Picture(samples=chip, per_pixel=1, margin_px=0)
    return own.blurred(first, shape, SHARPEST**2), first, picture


def _fitted(chip: FloatArray, first: FloatArray, picture: _Picture) -> Match | Refusal:
    start = _best_whole_shift(chip, first, picture)
    if np.abs(start).max() == SEARCH_PX:
        return Refusal(f"nothing alike within {SEARCH_PX} pixels")
    low, high = picture.blurs_px2
    shift, variance = start, max(START_VARIANCE_PX2, low)
    for _ in range(_MOST_STEPS):
        pixels = picture.derivatives(first - shift, chip.shape, variance)
        gain, offset = _line(pixels[0], chip)
        jacobian = np.stack([*(gain * p for p in pixels[1:]), pixels[0], np.ones_like(chip)], -1)
        residual = chip - gain * pixels[0] - offset
        normal = _Normal.of(jacobian, residual)
        if normal is None:
            return Refusal("no texture")
        step = normal.step
        shift = shift + step[:2]
        variance = float(np.clip(variance + step[2], low, high))
        if not np.abs(shift - start).max() < _FARTHEST_PX:
            return Refusal("no fit near the best whole pixel")
        if np.abs(step[:2]).max() < _SETTLED_PX:
            break
    else:
        return Refusal(f"no fit after {_MOST_STEPS} steps")
    sigma = normal.sigma(jacobian, residual)
    correlation = math.sqrt(max(1.0 - float(np.var(residual) / np.var(chip)), 0.0))
    if not (gain > 0 and correlation >= LEAST_CORRELATION):
        return Refusal(f"not alike: correlation {correlation:.2f}, gain {gain:.2f}")
    if not sigma[:2].max() <= LARGEST_SIGMA_PX:
        return Refusal(f"too little texture: sigma {sigma[:2].max():.2f} pixels")
    return Match(
        shift_px=(float(shift[0]), float(shift[1])),
        sigma_px=(float(sigma[0]), float(sigma[1])),
        blur_px=math.sqrt(variance),
        gain=gain,
        offset=offset,
        correlation=correlation,
    )


def _best_whole_shift(chip: FloatArray, first: FloatArray, picture: _Picture) -> FloatArray:
    """The whole pixels (2,) within the search that correlate best."""
    rows, cols = (n + 2 * SEARCH_PX for n in chip.shape)
    variance = max(START_VARIANCE_PX2, picture.blurs_px2[0])
    wide = picture.blurred(first - SEARCH_PX, (rows, cols), variance)
    return best_shift(likeness(chip, wide)).astype(np.float64)


def likeness(chip: FloatArray, wide: FloatArray) -> FloatArray:
    """Correlation coefficients of a chip with all places it may have on a wider picture.

    The first is with the upper left corner; 0 where either is flat.
    """
    own = chip - chip.mean()
    away = wide - wide.mean()
    sums, squares = (_box_sums(x, chip.shape) for x in (away, away**2))
    spread = np.sqrt(np.maximum(squares - sums**2 / chip.size, 0.0) * np.sum(own * own))
    product = np.einsum("abij,ij->ab", sliding_window_view(away, chip.shape), own)
    good = spread > _FLAT * max(float(spread.max()), np.finfo(np.float64).tiny)
    return np.where(good, product / np.where(good, spread, 1.0), 0.0)


def best_shift(alike: FloatArray) -> IntArray:
    """The shift (2,) of a chip at the best of (2 n + 1, 2 n + 1) places round its own.

    The picture that is alike further down and right is where it came from: the shift is up and left
    """
    best = np.array(np.unravel_index(np.argmax(alike), alike.shape))
    return np.asarray(np.array(alike.shape) // 2 - best, np.int64)


def _box_sums(values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Sums over all boxes of a shape."""
    sums = np.pad(np.cumsum(np.cumsum(values, axis=0), axis=1), ((1, 0), (1, 0)))
    r, c = shape
    return np.asarray(sums[r:, c:] - sums[:-r, c:] - sums[r:, :-c] + sums[:-r, :-c])


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Gain and offset of y on x."""
    away = x - x.mean()
    gain = float(np.sum(away * y) / np.sum(away * away))
    return gain, float(y.mean() - gain * x.mean())


@dataclass(frozen=True, kw_only=True, eq=False)
class _Normal:
    """Normal equations of residuals (rows, cols) with unknowns (u,): step and inverse matrix."""

    step: FloatArray
    inverse: FloatArray

    @staticmethod
    def of(jacobian: FloatArray, residual: FloatArray) -> _Normal | None:
        """None where the pixels cannot tell the unknowns."""
        matrix = np.einsum("ijk,ijl->kl", jacobian, jacobian)
        size = np.sqrt(np.diag(matrix))
        if not np.all(size > 0):
            return None
        scaled = matrix / np.outer(size, size)
        if np.linalg.eigvalsh(scaled)[0] < _SINGULAR:
            return None
        inverse = np.linalg.inv(scaled) / np.outer(size, size)
        right = np.einsum("ijk,ij->k", jacobian, residual)
        return _Normal(step=np.einsum("kl,l->k", inverse, right), inverse=inverse)

    def sigma(self, jacobian: FloatArray, residual: FloatArray) -> FloatArray:
        """Standard deviations (u,) of the unknowns, from gradients and residuals.

        Residuals of a resampled image hang together, so their scores are added over boxes before
        they are squared (Bartlett weights on a plane; W. Newey and K. West, Econometrica 55
        (1987), 703-708).
        """
        edge = (_SCORE_BOX - 1, _SCORE_BOX - 1)
        scores = np.pad(jacobian * residual[..., None], [edge, edge, (0, 0)])
        sums = sliding_window_view(scores, (_SCORE_BOX, _SCORE_BOX), axis=(0, 1)).sum((-1, -2))
        spread = np.einsum("ijk,ijl->kl", sums, sums) / _SCORE_BOX**2
        freedom = residual.size / max(residual.size - len(self.step), 1)
        variances = np.einsum("ka,ab,kb->k", self.inverse, spread, self.inverse) * freedom
        return np.asarray(np.sqrt(np.maximum(variances, 0.0)))
