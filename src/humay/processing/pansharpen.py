"""Pansharpening: the detail of the panchromatic band put into the colours of the others.

For each colour band, on the grid of PAN (`ratio` pixels to one of the colours, along each axis):

    fused = h + (M - h) (1 + w g (P - L) / (g L + o - h))

M is the band and L the low-passed PAN, both brought up by the same cubic; the low-pass is the
Gaussian with the band's transfer (MTF) at its Nyquist frequency, so that L is what the band's
optics would have seen of P. g and o are the regression of the band on L (HPM-R: G. Vivone et al.,
IEEE TGRS 57, 2019, 985), h its haze, which carries no detail (S. Lolli et al., IEEE GRSL 14, 2017,
2255). w goes to 0 where band and PAN are not alike within 9 x 9 pixels of the band: no detail is
better than false detail. Last, what the fused band misses of M at M's own resolution is added back.

Rows are read with all they need above and below, and each pixel is computed from its surroundings
alone, so that blocks meet without seams, the same bytes for any height of block.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from humay.processing.scales import Image, injected, lowered, raised

_Float = TypeVar("_Float", np.float32, np.float64)

_SAMPLE_PIXELS = 4_000_000  # of a colour band that the statistics come from
_HAZE_QUANTILE = 0.001
_LIKE_FROM, _LIKE_TO = 0.2, 0.6  # correlation where detail begins to go in, and goes in whole
_WINDOW = 4  # pixels to each side for that correlation
_GAIN_LIMITS = (0.2, 5.0)  # of what detail may do to a pixel
_CUBIC = 2  # pixels to each side that the cubic takes
_FILL_ROUNDS = 2  # pixels that colours are carried on over edges, so that the cubic finds four
_AROUND = _CUBIC + max(_FILL_ROUNDS, _WINDOW)
_CHUNK_ROWS = 16
_FLOOR_SHARE = 0.05  # of the mean above haze: the least that detail is divided by
_REACH_SIGMAS = 3.5  # of the Gaussian, to each side


class Bands(Protocol):
    """Images that can be read by rows, from several threads; NaN where there is no data."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def rows(self, begin: int, end: int) -> Image:
        """Rows (band, end - begin, cols), float32."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayBands:
    """Images (band, row, col) that are all in memory."""

    values: Image

    def __post_init__(self) -> None:
        if self.values.ndim != 3 or self.values.dtype != np.float32:
            raise ValueError(
                f"bands are {self.values.shape} of {self.values.dtype}, expected float32 "
                "(band, row, col)"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        bands, rows, cols = self.values.shape
        return bands, rows, cols

    def rows(self, begin: int, end: int) -> Image:
        return self.values[:, begin:end]


@dataclass(frozen=True, kw_only=True)
class Injection:
    """What the statistics of a whole image say of one band: regression on PAN, and haze."""

    gain: float
    offset: float
    haze: float
    floor: float  # the least that detail is divided by


@dataclass(frozen=True, kw_only=True, eq=False)
class Sharpening:
    """All that is computed once; `blocks` streams the result."""

    pan: Bands
    colours: Bands
    ratio: int
    low_pass: Image  # (bands, taps)
    injections: tuple[Injection, ...]

    def blocks(self, *, threads: int = 1, block_rows: int = 64) -> Iterator[tuple[int, Image]]:
        """(first row, pixels (band, row, col)) on PAN's grid, from top to bottom.

        `block_rows` counts rows of the colours. Pixels without PAN or colours are NaN.
        """
        rows = self.colours.shape[1]
        begins = iter(range(0, rows, block_rows))
        with ThreadPoolExecutor(max_workers=threads) as pool:
            waiting = [
                (begin, pool.submit(self.block, begin, min(begin + block_rows, rows)))
                for begin in islice(begins, threads + 1)
            ]
            while waiting:
                begin, block = waiting.pop(0)
                yield begin * self.ratio, block.result()
                waiting += [
                    (begin, pool.submit(self.block, begin, min(begin + block_rows, rows)))
                    for begin in islice(begins, 1)
                ]

    def block(self, begin: int, end: int) -> Image:
        """What `begin` to `end`, rows of the colours, become.

        Rows needed beyond them, in turn: the cubic that adds back what is missed and the low-pass
        before it; then the first cubic, the filling, and the window of the correlation.
        """
        ratio, reach = self.ratio, self._reach
        first, last = begin - _CUBIC - reach, end + _CUBIC + reach
        top, bottom = first - _AROUND, last + _AROUND
        colours = _rows(self.colours, top, bottom)
        pan = _rows(self.pan, ratio * (top - reach), ratio * (bottom + reach))[0]
        fine = pan[ratio * (reach + _AROUND) : -ratio * (reach + _AROUND)]
        fused = np.stack(
            [
                self._fused(colour, pan, fine, taps, inject)
                for colour, taps, inject in zip(
                    colours, self.low_pass, self.injections, strict=True
                )
            ]
        )
        fused[:, np.isnan(fused).any(axis=0)] = np.nan
        own = slice((begin - first) * ratio, (end - first) * ratio)
        missed = [
            colour[_AROUND:-_AROUND] - lowered(image, taps, ratio)
            for colour, image, taps in zip(colours, fused, self.low_pass, strict=True)
        ]
        back = np.stack([raised(np.nan_to_num(image), ratio)[own] for image in missed])
        return np.asarray(fused[:, own] + back)

    @property
    def _reach(self) -> int:
        """Colour pixels that the low-pass takes to each side."""
        return -(-int(self.low_pass.shape[1] - self.ratio) // (2 * self.ratio))

    def _fused(
        self, colour: Image, pan: Image, fine: Image, taps: Image, inject: Injection
    ) -> Image:
        """One band with PAN's detail, on all but `_AROUND` of the rows of `colour`."""
        near = slice(_AROUND - _CUBIC, _CUBIC - _AROUND)
        own = slice(self.ratio * _CUBIC, -self.ratio * _CUBIC)
        low = lowered(pan, taps, self.ratio)[self._reach : -self._reach]
        up_colour, up_low, up_like = (
            raised(image[near], self.ratio)[own]
            for image in (_carried_on(colour), _carried_on(low), _likeness(colour, low))
        )
        regression = inject.gain, inject.offset, inject.haze, inject.floor
        fused = injected(up_colour, up_low, up_like, fine, regression, _GAIN_LIMITS)
        missing = ~np.isfinite(colour[_AROUND:-_AROUND])
        if missing.any():
            fused[missing.repeat(self.ratio, 0).repeat(self.ratio, 1)] = np.nan
        return fused


def plan_sharpening(
    pan: Bands, colours: Bands, *, mtf_nyquist: tuple[float, ...], sample_px: float | None = None
) -> Sharpening:
    """Statistics of a whole image, from rows spread evenly over it where it is large.

    `mtf_nyquist` is the transfer of each colour band at its Nyquist frequency, for a distance of
    `sample_px` pixels of PAN between its samples: the ratio of the grids, unless products lie on
    grids finer than the camera's own. The grids nest: `ratio` x `ratio` PAN pixels fill one of the
    colours.
    """
    bands, rows, cols = colours.shape
    ratio = pan.shape[1] // rows
    if ratio < 2 or pan.shape != (1, rows * ratio, cols * ratio):
        raise ValueError(f"PAN is {pan.shape}, colours are {colours.shape}: they do not nest")
    if len(mtf_nyquist) != bands or not all(0 < m < 1 for m in mtf_nyquist):
        raise ValueError(f"mtf_nyquist is {mtf_nyquist}, expected {bands} between 0 and 1")
    sigmas = [gaussian_sigma(mtf, sample_px or ratio) for mtf in mtf_nyquist]
    halo = math.ceil(_REACH_SIGMAS * max(sigmas) - 0.5 * ratio)
    low_pass = np.stack([_gaussian(sigma, halo, ratio) for sigma in sigmas])
    injections = _injections(pan, colours, ratio, low_pass)
    return Sharpening(
        pan=pan, colours=colours, ratio=ratio, low_pass=low_pass, injections=injections
    )


def gaussian_sigma(mtf: float, sample_px: float) -> float:
    """Width of the Gaussian with transfer `mtf` at the Nyquist frequency 1 / (2 sample_px)."""
    return sample_px * math.sqrt(-2.0 * math.log(mtf)) / math.pi


def _gaussian(sigma: float, halo: int, ratio: int) -> Image:
    """Weights of PAN pixels from `halo` before to `halo` after those of one colour pixel."""
    distance = np.arange(ratio + 2 * halo) - halo - 0.5 * (ratio - 1)
    weights = np.exp(-0.5 * (distance / sigma) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def _carried_on(image: Image) -> Image:
    """Gaps filled from their rims with the mean of known neighbours, two pixels deep; then 0."""
    for _ in range(_FILL_ROUNDS):
        known = np.isfinite(image)
        if known.all():
            return image
        total = _box(np.where(known, image, np.float32(0)), 1)
        count = _box(known.astype(np.float32), 1)
        image = np.where(known | (count == 0), image, total / np.maximum(count, np.float32(1)))
    return np.nan_to_num(image)


def _likeness(a: Image, b: Image) -> Image:
    """How much of PAN's detail belongs into a band, 0 to 1, by their correlation nearby."""
    known = np.isfinite(a) & np.isfinite(b)
    x, y = (np.where(known, image, 0).astype(np.float64) for image in (a, b))
    n, sx, sy, sxx, syy, sxy = (
        _box(z, _WINDOW) for z in (known.astype(np.float64), x, y, x * x, y * y, x * y)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = sxy - sx * sy / n
        correlation = shared / np.sqrt((sxx - sx * sx / n) * (syy - sy * sy / n))
    correlation = np.where(np.isfinite(correlation), correlation, 0.0)  # none on level ground
    share = (correlation - _LIKE_FROM) / (_LIKE_TO - _LIKE_FROM)
    return np.clip(share, 0, 1).astype(np.float32)


def _box(image: NDArray[_Float], reach: int) -> NDArray[_Float]:
    """Sums over (2 reach + 1) x (2 reach + 1) pixels, 0 beyond the edges."""
    rows, cols = image.shape
    padded = np.pad(image, reach)
    down = sum(padded[k : k + rows] for k in range(2 * reach + 1))
    return np.asarray(sum(np.asarray(down)[:, k : k + cols] for k in range(2 * reach + 1)))


def _rows(bands: Bands, begin: int, end: int) -> Image:
    """Rows of images, NaN above and below them."""
    rows = bands.shape[1]
    inside = bands.rows(max(begin, 0), min(end, rows))
    above, below = max(-begin, 0), max(end - rows, 0)
    return np.pad(inside, ((0, 0), (above, below), (0, 0)), constant_values=np.nan)


def _injections(pan: Bands, colours: Bands, ratio: int, low_pass: Image) -> tuple[Injection, ...]:
    """Regressions and haze, from chunks of rows spread evenly over what is too large."""
    count, rows, cols = colours.shape
    reach = -(-(low_pass.shape[1] - ratio) // (2 * ratio))
    every = math.ceil(rows * cols / _SAMPLE_PIXELS)
    values: list[list[tuple[Image, Image]]] = [[] for _ in range(count)]
    for begin in range(0, rows, _CHUNK_ROWS * every):
        end = min(begin + _CHUNK_ROWS, rows)
        fine = _rows(pan, ratio * (begin - reach), ratio * (end + reach))[0]
        colour = colours.rows(begin, end)
        for band, taps in enumerate(low_pass):
            low = lowered(fine, taps, ratio)[reach : reach + end - begin]
            known = np.isfinite(colour[band]) & np.isfinite(low)
            values[band].append((colour[band][known], low[known]))
    return tuple(
        _injection(*(np.concatenate(part) for part in zip(*band, strict=True))) for band in values
    )


def _injection(colour: Image, low: Image) -> Injection:
    """Of one band on PAN as its optics see it; one that falls where PAN rises takes nothing."""
    if colour.size == 0:
        return Injection(gain=0.0, offset=0.0, haze=0.0, floor=1.0)
    mean_colour, mean_low = (float(np.mean(x, dtype=np.float64)) for x in (colour, low))
    off_colour, off_low = colour - np.float64(mean_colour), low - np.float64(mean_low)
    variance = float(np.mean(off_low**2))
    shared = float(np.mean(off_colour * off_low))
    gain = max(shared / variance, 0.0) if variance > 0 else 0.0
    haze = float(np.quantile(colour, _HAZE_QUANTILE))
    return Injection(
        gain=gain,
        offset=mean_colour - gain * mean_low,
        haze=haze,
        floor=max(_FLOOR_SHARE * (mean_colour - haze), 1e-6),
    )
