"""Matching against shifts made exactly, in the Fourier domain, and against another method."""

from __future__ import annotations

import numpy as np
import pytest

from humay.arrays import FloatArray
from humay.quality.matching import SEARCH_PX, Match, Refusal, margin_px, match

OVERSAMPLING, CHIP_PX = 4, 40
MARGIN_PX = margin_px(1.4)
WIDE_PX = CHIP_PX + 2 * MARGIN_PX
INNER = slice(MARGIN_PX, -MARGIN_PX)


def ground(rng: np.random.Generator, samples: int) -> FloatArray:
    """Fields with hard borders and a texture whose spectrum falls as that of land does."""
    k = np.fft.fftfreq(samples)
    radius = np.hypot(k[:, None], k)
    radius[0, 0] = np.inf
    texture = np.fft.ifft2(np.fft.fft2(rng.normal(size=radius.shape)) / radius**1.2).real
    radius[0, 0] = 0.0
    low = np.exp(-((radius * samples / 6) ** 2))
    fields = np.fft.ifft2(np.fft.fft2(rng.normal(size=radius.shape)) * low).real > 0
    return np.asarray(0.3 + 0.03 * texture / texture.std() + 0.05 * fields)


def seen(
    fine: FloatArray,
    shift_px: tuple[float, float],
    *,
    oversampling: int = OVERSAMPLING,
    blur_px: tuple[float, float] = (0.7, 0.7),
    turn_rad: float = 0.0,
) -> FloatArray:
    """The ground under a gaussian turned to the axes, moved, at the middles of the pixels."""
    k = 2 * np.pi * oversampling * np.fft.fftfreq(fine.shape[0])
    down, across = k[:, None], k[None, :]
    a = np.cos(turn_rad) * down + np.sin(turn_rad) * across
    b = np.cos(turn_rad) * across - np.sin(turn_rad) * down
    blur = np.exp(-0.5 * ((a * blur_px[0]) ** 2 + (b * blur_px[1]) ** 2))
    middle = 0.5 - 0.5 / oversampling  # from the first sample of a pixel
    phase = np.exp(1j * (down * (middle - shift_px[0]) + across * (middle - shift_px[1])))
    image = np.fft.ifft2(np.fft.fft2(fine) * blur * phase).real
    return np.asarray(image[::oversampling, ::oversampling])


def noisy(image: FloatArray, rng: np.random.Generator, snr: float = 100.0) -> FloatArray:
    return np.asarray(image + rng.normal(size=image.shape) * image.mean() / snr)


def matched(chip: FloatArray, reference: FloatArray, oversampling: int = OVERSAMPLING) -> Match:
    found = match(chip, reference, oversampling=oversampling)
    assert isinstance(found, Match), found
    return found


def phase_shift(chip: FloatArray, reference: FloatArray) -> FloatArray:
    """Another way: the plane through the phases of the cross spectrum of windowed chips.

    W. S. Hoge, IEEE Trans. Medical Imaging 22 (2003); low frequencies only, weighted by size.
    """
    window = np.hanning(chip.shape[0])[:, None] * np.hanning(chip.shape[1])
    a, b = (np.fft.fft2((x - x.mean()) * window) for x in (chip, reference))
    cross = a * np.conj(b)
    k = 2 * np.pi * np.fft.fftfreq(chip.shape[0])
    down, across = np.meshgrid(k, k, indexing="ij")
    low = (np.hypot(down, across) < np.pi / 3) & (np.hypot(down, across) > 0)
    weight = np.abs(cross[low])
    plane = np.stack([down[low], across[low]], -1)
    normal = (plane * weight[:, None]).T @ plane
    return np.asarray(np.linalg.solve(normal, -(plane * weight[:, None]).T @ np.angle(cross[low])))


def trials(
    count: int, *, blur_px: tuple[float, float], turn_rad: float = 0.0, snr: float = 100.0
) -> tuple[FloatArray, FloatArray]:
    """Errors and stated sigmas (count, 2) of matches of chips with the ground they were made of."""
    rng = np.random.default_rng(7)
    errors, sigmas = np.empty((count, 2)), np.empty((count, 2))
    for i in range(count):
        shift = rng.uniform(-2, 2, 2)
        fine = ground(rng, WIDE_PX * OVERSAMPLING)
        image = seen(fine, (shift[0], shift[1]), blur_px=blur_px, turn_rad=turn_rad)
        found = matched(noisy(image[INNER, INNER], rng, snr), fine)
        errors[i], sigmas[i] = found.shift_px - shift, found.sigma_px
    return errors, sigmas


@pytest.mark.parametrize(
    ("blur_px", "turn_rad"), [((0.7, 0.7), 0.0), ((0.4, 0.4), 0.0), ((0.5, 1.0), 0.5)]
)
def test_shifts_are_found_without_bias_whatever_the_blur(
    blur_px: tuple[float, float], turn_rad: float
) -> None:
    """At SNR 100, that of the camera: bias below 0.005 and rms below 0.02 pixels."""
    errors, sigmas = trials(30, blur_px=blur_px, turn_rad=turn_rad)
    assert np.abs(errors.mean(axis=0)).max() < 0.005
    assert np.sqrt(np.mean(errors**2, axis=0)).max() < 0.02
    assert 0.7 < np.sqrt(np.mean((errors / sigmas) ** 2)) < 1.4


def test_without_noise_a_gaussian_blur_leaves_nothing() -> None:
    errors, _ = trials(3, blur_px=(0.8, 0.8), snr=np.inf)
    assert np.abs(errors).max() < 1e-6


def test_the_blur_and_the_contrast_are_found_too() -> None:
    rng = np.random.default_rng(3)
    fine = ground(rng, WIDE_PX * OVERSAMPLING)
    found = matched(2.0 * seen(fine, (0.3, 0.1), blur_px=(0.9, 0.9))[INNER, INNER] + 0.1, fine)
    assert found.blur_px == pytest.approx(0.9, abs=1e-4)
    assert (found.gain, found.offset) == pytest.approx((2.0, 0.1), abs=1e-4)
    assert found.correlation > 0.999999


def test_a_spot_that_lies_further_down_and_left_has_that_shift() -> None:
    """By hand: on the reference at pixel (20, 20) of the chip, on the chip at (22, 19)."""
    y, x = np.mgrid[:CHIP_PX, :CHIP_PX]
    chip = np.exp(-((y - 22.0) ** 2 + (x - 19.0) ** 2) / 8)
    wide_y, wide_x = np.mgrid[-MARGIN_PX : CHIP_PX + MARGIN_PX, -MARGIN_PX : CHIP_PX + MARGIN_PX]
    reference = np.exp(-((wide_y - 20.0) ** 2 + (wide_x - 20.0) ** 2) / 8)
    found = matched(chip, reference, oversampling=1)
    assert found.shift_px == pytest.approx((2.0, -1.0), abs=1e-6)


def test_another_method_agrees() -> None:
    """The plane of phases knows neither gradients nor blur; windows cost it some accuracy."""
    rng = np.random.default_rng(11)
    apart = []
    for _ in range(10):
        fine = ground(rng, WIDE_PX * OVERSAMPLING)
        shift = rng.uniform(-0.4, 0.4, 2)
        chip = noisy(seen(fine, (shift[0], shift[1]))[INNER, INNER], rng)
        theirs = phase_shift(chip, seen(fine, (0.0, 0.0))[INNER, INNER])
        apart.append(matched(chip, fine).shift_px - theirs)
    assert np.abs(np.mean(apart, axis=0)).max() < 0.03
    assert np.abs(apart).max() < 0.1


def test_two_products_are_matched_alike_both_ways() -> None:
    """Each noisy and blurred in its own way: there and back cancel, and neither is biased."""
    rng = np.random.default_rng(5)
    there, back = [], []
    for _ in range(30):
        fine = ground(rng, WIDE_PX * OVERSAMPLING)
        shift = rng.uniform(-1, 1, 2)
        one = noisy(seen(fine, (shift[0], shift[1]), blur_px=(0.7, 0.9)), rng)
        two = noisy(seen(fine, (0.0, 0.0), blur_px=(0.8, 0.8)), rng)
        there.append(matched(one[INNER, INNER], two, oversampling=1).shift_px - shift)
        back.append(matched(two[INNER, INNER], one, oversampling=1).shift_px + shift)
    both = 0.5 * (np.array(there) - np.array(back))
    assert np.abs(both.mean(axis=0)).max() < 0.005
    assert np.sqrt(np.mean(both**2, axis=0)).max() < 0.03


@pytest.fixture(scope="module")
def pair() -> tuple[FloatArray, FloatArray]:
    """A chip and its reference, which match."""
    rng = np.random.default_rng(2)
    fine = ground(rng, WIDE_PX * OVERSAMPLING)
    return noisy(seen(fine, (0.2, 0.2))[INNER, INNER], rng), fine


def refusal(chip: FloatArray, reference: FloatArray) -> str:
    found = match(chip, reference, oversampling=OVERSAMPLING)
    assert isinstance(found, Refusal), found
    return found.reason


def test_what_cannot_be_matched_is_refused_with_its_reason(
    pair: tuple[FloatArray, FloatArray],
) -> None:
    chip, fine = pair
    rng = np.random.default_rng(4)
    assert isinstance(match(chip, fine, oversampling=OVERSAMPLING), Match)
    holed = chip.copy()
    holed[3, 4] = np.nan
    assert refusal(holed, fine) == "pixels without data or flagged"
    assert refusal(np.full_like(chip, 0.3), fine) == "no texture"
    assert refusal(chip, np.full_like(fine, 0.3)) == "no texture"
    shown = refusal(noisy(np.full_like(chip, 0.3), rng), fine)
    assert shown.startswith(("correlation", "nothing alike", "no fit", "too little texture"))


def test_an_edge_along_one_direction_is_refused() -> None:
    """It tells nothing of the shift along itself."""
    rng = np.random.default_rng(6)
    fine = np.where(np.arange(WIDE_PX * OVERSAMPLING) < WIDE_PX * OVERSAMPLING / 2, 0.1, 0.4)
    fine = np.repeat(fine[None, :], fine.size, axis=0)
    chip = noisy(seen(fine, (0.0, 0.2))[INNER, INNER], rng)
    assert refusal(chip, fine)


def test_a_chip_from_far_away_is_refused() -> None:
    rng = np.random.default_rng(8)
    refused = 0
    for _ in range(10):
        fine = ground(rng, (WIDE_PX + 40) * OVERSAMPLING)
        chip = noisy(seen(fine, (0.0, 0.0))[:CHIP_PX, :CHIP_PX], rng)
        reference = fine[-WIDE_PX * OVERSAMPLING :, -WIDE_PX * OVERSAMPLING :]
        refused += isinstance(match(chip, reference, oversampling=OVERSAMPLING), Refusal)
    assert refused == 10


def test_the_search_reaches_as_far_as_it_says() -> None:
    rng = np.random.default_rng(9)
    fine = ground(rng, WIDE_PX * OVERSAMPLING)
    for far in (SEARCH_PX - 0.6, -(SEARCH_PX - 0.6)):
        chip = noisy(seen(fine, (far, -far))[INNER, INNER], rng)
        assert matched(chip, fine).shift_px == pytest.approx((far, -far), abs=0.05)
    chip = noisy(seen(fine, (SEARCH_PX + 0.6, 0.0))[INNER, INNER], rng)
    assert isinstance(match(chip, fine, oversampling=OVERSAMPLING), Refusal)


def test_a_reference_of_another_size_is_a_callers_mistake(
    pair: tuple[FloatArray, FloatArray],
) -> None:
    chip, fine = pair
    with pytest.raises(ValueError, match=r"reference is .* expected 4 x the chip"):
        match(chip, fine[1:], oversampling=OVERSAMPLING)
