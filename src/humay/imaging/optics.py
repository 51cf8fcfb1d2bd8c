"""What an exposure blurs: diffraction, the detector, the motion of the image; as taps to add up.

The optical transfer function, at spatial frequencies in cycles per pixel (x across, y along):

* diffraction of an annular aperture: E. L. O'Neill, J. Opt. Soc. Am. 46 (1956), 285, with the
  algebra of his erratum, averaged over the band's response;
* the detector, a square of one pixel: sinc(x) sinc(y);
* the image moving by (drift, speed) pixels a line while each of N stages gathers, the charge
  following by one: sinc(d) D_N(d - y), d = x drift + y speed, D_N(q) = sin(pi N q) / (N sin(pi q));
* what is left of the motion, as a normal of `wander_px`: exp(-2 pi2 wander2 (x2 + y2)).

It is sampled where the scene is: 4 x 4 places a pixel, each the mean over its own square. Sixteen
such squares are the detector, exactly; the rest is band-limited to two cycles a pixel, where the
squares' own transfer function has fallen to 0.64, and comes from its inverse transform.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray
from humay.mission import Band, Camera

SAMPLES = 4  # per pixel and axis
SUPPORT = 24  # taps along an axis: three pixels to each side
_CORE = SUPPORT - SAMPLES + 1
_GRID = 128  # frequencies from -2 to 2 cycles per pixel
_COLOURS = 9  # wavelengths averaged over a response


@dataclass(frozen=True, kw_only=True)
class Smear:
    """How the image moves over the detectors: pixels a line, and the rest in pixels (one sigma)."""

    drift_px: float  # across, per line
    speed_px: float  # along, per line; 1 where the charge keeps up
    wander_px: float


STILL = Smear(drift_px=0.0, speed_px=1.0, wander_px=0.0)


def annular_otf(frequency: FloatArray, obscuration: float) -> FloatArray:
    """Transfer function of an annular aperture, frequency (...) as a share of the cut-off D / w f.

    `obscuration` is the inner over the outer diameter, 0 for a full circle.
    """
    v, e = np.abs(np.asarray(frequency, np.float64)), obscuration
    outer, inner = _lens(v), e * e * _lens(v / e) if e > 0 else np.zeros_like(v)
    return np.asarray((outer + inner - _between(v, e)) / (1 - e * e))


def _lens(v: FloatArray) -> FloatArray:
    """Overlap of two equal circles a share v of their diameter apart, of their area."""
    u = np.minimum(v, 1.0)
    return np.asarray(2 / np.pi * (np.arccos(u) - u * np.sqrt(1 - u * u)))


def _between(v: FloatArray, e: float) -> FloatArray:
    """Twice the overlap of the aperture's circle with the obscuration's, of the aperture's area."""
    if e == 0:
        return np.zeros_like(v)
    cosine = np.clip((1 + e * e - 4 * v * v) / (2 * e), -1.0, 1.0)
    phi = np.arccos(cosine)
    partly = (
        2 * e / np.pi * np.sin(phi)
        + (1 + e * e) / np.pi * phi
        - 2 * (1 - e * e) / np.pi * np.arctan((1 + e) / (1 - e) * np.tan(0.5 * phi))
    )
    inside, outside = v <= (1 - e) / 2, v >= (1 + e) / 2
    return np.where(inside, 2 * e * e, np.where(outside, 0.0, 2 * e * e - partly))


def diffraction(camera: Camera, band: Band, x: FloatArray, y: FloatArray) -> FloatArray:
    """Transfer function (...) at cycles per pixel, the mean over evenly spaced wavelengths."""
    low_m, high_m = band.response_m
    share = (np.arange(_COLOURS) + 0.5) / _COLOURS
    cycles_m = np.hypot(x, y)[..., None] / band.pixel_pitch_m
    cut_off = camera.aperture_m / (camera.focal_length_m * (low_m + share * (high_m - low_m)))
    return np.asarray(annular_otf(cycles_m / cut_off, camera.obscuration).mean(axis=-1))


def motion(x: FloatArray, y: FloatArray, stages: int, smear: Smear) -> FloatArray:
    """Transfer function (...) of the image's motion while `stages` stages gather."""
    moved = x * smear.drift_px + y * smear.speed_px
    lag = moved - y
    lag = np.where(np.abs(lag) < 1e-9, 1e-9, lag)  # the limit of 0 / 0
    stepped = np.sin(np.pi * stages * lag) / (stages * np.sin(np.pi * lag))
    wander = np.exp(-2 * np.pi**2 * smear.wander_px**2 * (x * x + y * y))
    return np.asarray(np.sinc(moved) * stepped * wander)


class Blur:
    """The point-spread functions of one band: diffraction once, the motion for each place."""

    def __init__(self, camera: Camera, band: Band) -> None:
        cycles = np.fft.fftfreq(_GRID, 1 / SAMPLES)
        self._y, self._x = np.meshgrid(cycles, cycles, indexing="ij")
        self._diffraction = diffraction(camera, band, self._x, self._y)
        self._stages = band.tdi_stages

    def taps(self, smear: Smear) -> FloatArray:
        """Weights (24, 24), rows along the track, of the samples about a pixel; their sum is 1.

        Tap (i, j) is for the sample (i - 11.5, j - 11.5) / 4 pixels from the pixel's centre.
        """
        core = np.fft.ifft2(self._diffraction * motion(self._x, self._y, self._stages, smear)).real
        near = np.arange(_CORE) - _CORE // 2
        core = core[near[:, None], near]
        taps = np.zeros((SUPPORT, SUPPORT))
        for i in range(SAMPLES):
            for j in range(SAMPLES):
                taps[i : i + _CORE, j : j + _CORE] += core
        return np.asarray(taps / taps.sum())


def transfer(taps: FloatArray, x: float, y: float) -> float:
    """Modulation that taps and the squares they add up leave at (x, y) cycles per pixel."""
    place = (np.arange(SUPPORT) - 0.5 * (SUPPORT - 1)) / SAMPLES
    wave = np.exp(-2j * np.pi * (y * place[:, None] + x * place))
    return float(abs((taps * wave).sum()) * np.sinc(x / SAMPLES) * np.sinc(y / SAMPLES))


def mtf_nyquist(taps: FloatArray) -> float:
    """Modulation at half a cycle per pixel, the geometric mean of across and along."""
    return float(np.sqrt(transfer(taps, 0.5, 0.0) * transfer(taps, 0.0, 0.5)))
