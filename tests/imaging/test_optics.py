"""The blur of the camera against closed forms, overlaps drawn by brute force, and itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.imaging.optics import (
    STILL,
    SUPPORT,
    Blur,
    Smear,
    annular_otf,
    diffraction,
    motion,
    mtf_nyquist,
    transfer,
)
from humay.mission import Band
from tests.imaging.exposures import band, camera

PLACE = (np.arange(SUPPORT) - 11.5) / 4


def test_a_full_circle_has_the_textbook_mtf() -> None:
    """J. W. Goodman, Introduction to Fourier Optics, 3rd ed., eq. 6-31."""
    v = np.linspace(0, 1, 101)
    assert np.allclose(
        annular_otf(v, 0.0), 2 / np.pi * (np.arccos(v) - v * np.sqrt(1 - v * v)), rtol=0, atol=1e-15
    )
    assert np.all(annular_otf(np.array([1.0, 1.2, 7.0]), 0.0) == 0)


@pytest.mark.parametrize("obscuration", [0.1, 0.35, 0.5, 0.8])
def test_an_annulus_has_the_overlap_of_two_annuli(obscuration: float) -> None:
    """The transfer function is the aperture's autocorrelation: counted on a grid, within 0.3 %."""
    x = np.linspace(-1.5, 1.5, 901)
    square = x[:, None] ** 2

    def aperture(shift: float) -> np.ndarray:
        reach = (x - shift) ** 2 + square
        return (reach <= 1) & (reach >= obscuration**2)

    for v in np.linspace(0, 1, 9):
        overlap = (aperture(v) & aperture(-v)).sum() / aperture(0.0).sum()
        assert abs(float(annular_otf(np.asarray(v), obscuration)) - overlap) < 3e-3


def test_a_detector_alone_has_the_textbook_modulation_at_nyquist() -> None:
    """sinc(1/2) = 2 / pi = 0.6366; with diffraction and motion away by a huge fast camera."""
    huge = camera(aperture_m=19.0, obscuration=0.0, focal_length_m=4.0, bands=(_dark("pan"),))
    taps = Blur(huge, _dark("pan")).taps(Smear(drift_px=0.0, speed_px=1e-6, wander_px=0.0))
    # A TDI of one stage with a still image: only the detector and 1 % of diffraction are left.
    assert transfer(taps, 0.5, 0.0) == pytest.approx(2 / math.pi, rel=0.015)
    assert transfer(taps, 0.0, 0.5) == pytest.approx(2 / math.pi, rel=0.015)


def _dark(name: str) -> Band:
    return replace(band(name), tdi_stages=1, radiometry=None)


@pytest.mark.parametrize("name", ["pan", "red"])
def test_taps_are_centred_and_add_up_to_one(name: str) -> None:
    blur = Blur(camera(), band(name))
    for smear in (STILL, Smear(drift_px=0.01, speed_px=0.98, wander_px=0.02)):
        taps = blur.taps(smear)
        assert taps.shape == (SUPPORT, SUPPORT)
        assert taps.sum() == pytest.approx(1, abs=1e-12)
        assert abs((taps * PLACE).sum()) < 1e-12  # pixels; 1e-3 asked for
        assert abs((taps * PLACE[:, None]).sum()) < 1e-12


def test_taps_have_the_transfer_function_they_were_made_from() -> None:
    """Within 5 % of the modulation for the coarse band; its wings within three pixels hold 97 %."""
    red, optics = band("red"), camera()
    taps = Blur(optics, red).taps(STILL)
    for x, y in ((0.1, 0.0), (0.25, 0.0), (0.5, 0.0), (0.0, 0.3), (0.0, 0.5), (0.4, 0.4)):
        fx, fy = np.asarray(x), np.asarray(y)
        wanted = float(diffraction(optics, red, fx, fy) * motion(fx, fy, 1, STILL))
        assert transfer(taps, x, y) == pytest.approx(wanted * np.sinc(x) * np.sinc(y), rel=0.05)


def test_a_line_of_motion_blurs_like_a_pixel_along_the_track() -> None:
    """One line of motion is one more sinc: 0.6366 at Nyquist, along and not across."""
    half, none = np.asarray(0.5), np.asarray(0.0)
    assert float(motion(none, half, 10, STILL)) == pytest.approx(2 / math.pi, rel=1e-9)
    assert float(motion(half, none, 10, STILL)) == pytest.approx(1.0, rel=1e-9)


@given(
    drift=st.floats(-0.05, 0.05), speed=st.floats(0.7, 1.3), x=st.floats(0, 0.5),
    y=st.floats(0, 0.5), stages=st.integers(1, 32),
)  # fmt: skip
def test_motion_is_the_mean_over_the_way_of_the_image(
    drift: float, speed: float, x: float, y: float, stages: int
) -> None:
    """Averaged over where the image stands on the detector while each stage gathers."""
    share = (np.arange(400) + 0.5) / 400 - 0.5
    middle = np.arange(stages) - 0.5 * (stages - 1)
    across = drift * (middle[:, None] + share)
    along = (speed - 1) * middle[:, None] + speed * share
    brute = np.cos(2 * np.pi * (x * across + y * along)).mean()
    smear = Smear(drift_px=drift, speed_px=speed, wander_px=0.0)
    assert float(motion(np.asarray(x), np.asarray(y), stages, smear)) == pytest.approx(
        brute, abs=1e-4
    )


def test_smear_lowers_the_modulation() -> None:
    blur = Blur(camera(), band("pan"))
    still = mtf_nyquist(blur.taps(STILL))
    drifting = mtf_nyquist(blur.taps(Smear(drift_px=0.03, speed_px=1.0, wander_px=0.0)))
    shaken = mtf_nyquist(blur.taps(Smear(drift_px=0.0, speed_px=1.0, wander_px=0.1)))
    assert drifting < still
    assert shaken / still == pytest.approx(math.exp(-2 * math.pi**2 * 0.01 * 0.25), rel=0.01)
