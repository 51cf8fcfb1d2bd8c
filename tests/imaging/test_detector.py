"""Noise, well, converter and calibration, against published numbers and the camera's own model."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import ImagingError
from humay.imaging.detector import (
    DARK_ERROR_DN,
    RESPONSE_ERROR,
    Detectors,
    make_detectors,
    noise_key,
    philox,
    poisson,
)
from tests.imaging.exposures import NOON, band, camera

KEY = noise_key(1, "spot-7", "A0001", "pan", 1)


def detectors(count: int = 400, seed: int = 1, **radiometry: Any) -> Detectors:
    pan = band("pan")
    assert pan.radiometry is not None
    pan = replace(pan, radiometry=replace(pan.radiometry, **radiometry))
    return make_detectors(
        camera(), pan, 1, count, line_period_s=316e-6, satellite="spot-7", seed=seed
    )


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2,
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)  # fmt: skip
def test_philox_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    """Random123 (D. E. Shaw Research), tests/kat_vectors, philox4x32 with 10 rounds."""
    got = philox(*(np.uint64(word) for word in (*counter, *key)))
    assert tuple(int(word) for word in got) == words


@given(mean=st.floats(0.01, 49.9), uniform=st.floats(1e-9, 1 - 1e-9))
def test_few_electrons_follow_poisson(mean: float, uniform: float) -> None:
    """The count is the first whose cumulated probability reaches the uniform."""
    count = int(poisson(mean, uniform))
    terms = [math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1)]
    assert math.fsum(terms) >= uniform - 1e-12
    assert math.fsum(terms[:-1]) < uniform + 1e-12


@pytest.mark.parametrize("mean", [50.0, 200.0])
def test_the_normal_that_stands_for_poisson_is_as_near_as_stated(mean: float) -> None:
    """Kolmogorov's distance of the rounded normal from Poisson's law, at most 0.01."""
    count = np.arange(int(mean + 12 * math.sqrt(mean)))
    log_term = count * math.log(mean) - mean - np.array([math.lgamma(k + 1) for k in count])
    exact = np.cumsum(np.exp(log_term))
    normal = [0.5 * (1 + math.erf((k + 0.5 - mean) / math.sqrt(2 * mean))) for k in count]
    assert np.abs(exact - normal).max() < 0.01


@pytest.mark.parametrize("radiance", [5.0, 30.0, 100.0])
def test_noise_is_that_of_the_camera_model(radiance: float) -> None:
    """Standard deviation within 1 % of `Camera.snr`, mean within its error, tails of a normal."""
    made = detectors(prnu=0.0)
    dn = made.read_out(np.full((500, 400), radiance), KEY, 0, 0).astype(float)
    expected = radiance / made.radiance_per_dn
    snr = float(camera().snr(band("pan"), radiance))
    assert dn.std() == pytest.approx(expected / snr, rel=0.01)
    assert dn.mean() - made.dark_e.mean() / 20.0 == pytest.approx(
        expected, abs=5 * expected / snr / math.sqrt(dn.size)
    )
    z = (dn - dn.mean()) / dn.std()
    assert abs((z**3).mean()) < 0.05
    assert (z**4).mean() == pytest.approx(3.0, abs=0.05)


def test_noise_of_neighbours_has_nothing_in_common() -> None:
    """Correlation below five standard errors: along, across, and between bands, chips and seeds."""
    made = detectors(prnu=0.0)
    light = np.full((500, 400), 50.0)

    def noise(key: int) -> np.ndarray:
        dn = made.read_out(light, key, 0, 0).astype(float)
        return np.asarray((dn - dn.mean()) / dn.std())

    own, limit = noise(KEY), 5 / math.sqrt(light.size)
    assert abs((own[1:] * own[:-1]).mean()) < limit
    assert abs((own[:, 1:] * own[:, :-1]).mean()) < limit
    for other in (
        (2, "spot-7", "A0001", "pan", 1), (1, "spot-6", "A0001", "pan", 1),
        (1, "spot-7", "A0002", "pan", 1), (1, "spot-7", "A0001", "red", 1),
        (1, "spot-7", "A0001", "pan", 2),
    ):  # fmt: skip
        assert abs((own * noise(noise_key(*other))).mean()) < limit


@given(line=st.integers(0, 100_000), column=st.integers(0, 300), rows=st.integers(1, 40))
def test_noise_belongs_to_the_pixel_and_not_to_the_block(line: int, column: int, rows: int) -> None:
    made = detectors()
    light = np.full((rows, 100), 60.0)
    block = made.read_out(light, KEY, line, column)
    last = made.read_out(light[-1:, 50:], KEY, line + rows - 1, column + 50)
    assert np.array_equal(block[-1:, 50:], last)


def test_a_dark_scene_reads_dark_current_and_no_less_than_zero() -> None:
    made = detectors(count=100, read_noise_e=0.0, dark_e_s=10_000.0, gain_e_dn=1.0)
    dn = made.read_out(np.zeros((2000, 100)), KEY, 0, 0)
    mean = 10_000 * 10 * 316e-6  # 31.6 electrons: Poisson's law, one detector as another to 10 %
    assert dn.mean() == pytest.approx(mean, rel=0.03)
    assert (dn.var(axis=0) / made.dark_e).mean() == pytest.approx(1 + 1 / 12 / mean, rel=0.01)


def test_what_is_too_bright_is_flagged() -> None:
    """The converter ends first in this band; with a small well, that does, read noise or not."""
    made = detectors()
    dn = made.read_out(np.full((50, 400), 900.0), KEY, 0, 0)
    calibration = made.calibration("pan", 1, columns=(0, 400), satellite="s", seed=1, epoch=NOON)
    assert made.saturation_dn == 4095
    assert calibration.saturated(dn).all()
    assert not calibration.saturated(made.read_out(np.full((50, 400), 200.0), KEY, 0, 0)).any()
    small = detectors(full_well_e=60e3)
    full = small.read_out(np.full((500, 400), 900.0), KEY, 0, 0)
    assert small.saturation_dn == 2988  # (60,000 - 4 x 60) / 20
    assert np.mean(full >= small.saturation_dn) > 0.9999
    assert full.max() < 3020


def test_without_a_key_there_is_no_noise() -> None:
    made = detectors()
    dn = made.read_out(np.full((3, 400), 80.0), 0, 0, 0)
    expected = (80.0 * made.signal_e * made.response + made.dark_e) / 20.0
    assert np.array_equal(dn, np.broadcast_to(np.rint(expected), dn.shape))


def test_responses_spread_by_the_prnu_and_belong_to_the_satellite() -> None:
    spreads = [detectors(count=7000, seed=seed).response.std() for seed in range(40)]
    assert np.sqrt(np.mean(np.square(spreads))) == pytest.approx(0.01, rel=0.1)
    assert np.array_equal(detectors().response, detectors().response)
    assert not np.array_equal(detectors().response, detectors(seed=2).response)
    other = make_detectors(
        camera(), band("pan"), 1, 400, line_period_s=316e-6, satellite="spot-6", seed=1
    )
    assert not np.array_equal(detectors().response, other.response)


def test_a_calibration_is_as_good_as_stated() -> None:
    made = detectors(count=20_000)
    known = made.calibration("pan", 1, columns=(0, 20_000), satellite="s", seed=1, epoch=NOON)
    assert (known.response / made.response - 1).std() == pytest.approx(RESPONSE_ERROR, rel=0.05)
    assert (known.dark_dn - made.dark_e / 20).std() == pytest.approx(DARK_ERROR_DN, rel=0.05)
    part = made.calibration("pan", 1, columns=(50, 90), satellite="s", seed=1, epoch=NOON)
    assert np.array_equal(part.response, known.response[50:90])
    assert known.valid_from < NOON.moment < known.valid_to
    assert known.radiance_per_dn == 20.0 / float(camera().signal_e(band("pan"), 1.0))


def test_calibrated_numbers_are_the_radiance_that_came_in() -> None:
    made = detectors(count=3000)
    known = made.calibration("pan", 1, columns=(0, 3000), satellite="s", seed=1, epoch=NOON)
    dn = made.read_out(np.full((300, 3000), 100.0), KEY, 0, 0)
    assert known.radiance(dn).mean() == pytest.approx(100.0, rel=2e-4)


def test_longer_lines_gather_more_light_and_more_dark_current() -> None:
    """A quarter longer than over nadir, as 25 deg off it: 1.25 times both, the same responses."""
    far = make_detectors(
        camera(), band("pan"), 1, 400, line_period_s=395e-6, satellite="spot-7", seed=1
    )
    assert far.signal_e == pytest.approx(1.25 * detectors().signal_e)
    assert np.allclose(far.dark_e, 1.25 * detectors().dark_e)
    assert np.array_equal(far.response, detectors().response)
    assert far.radiance_per_dn == pytest.approx(detectors().radiance_per_dn / 1.25)


def test_detectors_that_cannot_be_are_refused() -> None:
    with pytest.raises(ImagingError, match="a detector has a response of -"):
        detectors(count=7000, prnu=0.9)
    with pytest.raises(ImagingError, match="band 'pan' has no radiometry"):
        make_detectors(
            camera(),
            replace(band("pan"), radiometry=None),
            1,
            9,
            line_period_s=1e-3,
            satellite="s",
            seed=1,
        )
