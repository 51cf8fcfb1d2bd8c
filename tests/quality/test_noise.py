"""Noise that was made, found again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.quality import measure_noise
from humay.quality.noise import noise_variance


def uneven(rng: np.random.Generator, sigma: float) -> FloatArray:
    """Light that falls off over a slope, columns that differ, and white noise."""
    y, x = np.mgrid[:300, :200] / 100.0
    light = 100.0 + 5 * x + 3 * y + 2 * x * y + 0.5 * rng.normal(size=200)
    return np.asarray(light + sigma * rng.normal(size=x.shape))


@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_only_white_noise_counts(sigma: float) -> None:
    """60,000 pixels: one standard deviation of the answer is 1.1 %."""
    picture = uneven(np.random.default_rng(1), sigma)
    assert noise_variance(picture) == pytest.approx(sigma**2, rel=0.04)


def test_the_answer_scatters_as_it_says() -> None:
    """sqrt(7.6 / pixels) of 400 pixels is 14 %."""
    rng = np.random.default_rng(2)
    found = [noise_variance(rng.normal(size=(22, 22))) for _ in range(400)]
    assert np.mean(found) == pytest.approx(1.0, abs=0.03)
    assert np.std(found) == pytest.approx(math.sqrt(7.6 / 400), rel=0.15)


def test_measured_stands_beside_expected() -> None:
    """A model of 0.5 against noise of 0.7: variances 0.49 and 0.25."""
    picture = uneven(np.random.default_rng(3), 0.7)
    found = measure_noise(picture, np.full(picture.shape, 0.5), image="a", patch="b", band="pan")
    assert (found.image, found.patch, found.band, found.pixels) == ("a", "b", "pan", 60_000)
    assert found.variance == pytest.approx(0.49, rel=0.04)
    assert found.expected == pytest.approx(0.25)


def test_too_few_pixels_are_a_callers_mistake() -> None:
    with pytest.raises(ValueError, match="expected 3 x 3"):
        noise_variance(np.ones((2, 9)))
