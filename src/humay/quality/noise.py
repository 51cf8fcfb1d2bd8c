"""Whether an image is as noisy as its camera's model says.

Measured on calibrated pixels before they are resampled: a map grid smooths noise.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from humay.arrays import FloatArray
from humay.quality.radiometry import PatchNoise

_SECOND = np.array([1.0, -2.0, 1.0])  # difference; along rows and columns squares sum to 6 x 6


def measure_noise(
    calibrated: FloatArray, sigma: FloatArray, *, image: str, patch: str, band: str
) -> PatchNoise:
    """The noise of calibrated pixels (rows, cols) of a patch beside its model's `sigma`."""
    return PatchNoise(
        image=image,
        patch=patch,
        band=band,
        pixels=calibrated.size,
        variance=noise_variance(calibrated),
        expected=float(np.mean(np.square(sigma))),
    )


def noise_variance(even: FloatArray) -> float:
    """Variance of white noise on a picture (rows, cols) of even or gently uneven ground.

    From second differences along rows of second differences along columns (J. Immerkaer, Computer
    Vision and Image Understanding 64 (1996), 300-302): slopes of the light fall out, and so does
    whatever is the same all along a row or a column. One standard deviation of the answer is
    sqrt(7.6 / pixels) of it.
    """
    if min(even.shape) < 3:
        raise ValueError(f"{even.shape} pixels, expected 3 x 3 at least")
    both = np.einsum("rcij,i,j->rc", sliding_window_view(even, (3, 3)), _SECOND, _SECOND)
    return float(np.mean(both * both) / 36.0)
