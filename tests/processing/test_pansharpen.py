"""Pansharpening: sharper than no PAN, true to the colours, shifting nothing, harming nothing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from humay.processing.pansharpen import (
    ArrayBands,
    Sharpening,
    gaussian_sigma,
    plan_sharpening,
)
from humay.processing.scales import lowered, raised

RATIO, MTF = 4, 0.3
Image = NDArray[np.float32]


def noise(size: int, seed: int, slope: float = 1.3) -> NDArray[np.float64]:
    """A picture with an amplitude spectrum of 1 / f^slope, mean 0, spread 1; it wraps round."""
    spectrum = np.fft.rfft2(np.random.default_rng(seed).normal(size=(size, size)))
    f = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    f[0, 0] = 1.0
    picture = np.fft.irfft2(spectrum / f**slope, s=(size, size))
    return np.asarray((picture - picture.mean()) / picture.std())


def gaussian_taps(mtf: float, halo: int = 10) -> Image:
    """Sampled at PAN pixels round the middle of a colour pixel."""
    distance = np.arange(RATIO + 2 * halo) - halo - 0.5 * (RATIO - 1)
    weights = np.exp(-0.5 * (distance / gaussian_sigma(mtf, RATIO)) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def scene(size: int = 256) -> tuple[Image, Image, Image]:
    """Three bands as they are, as the colours see them, and PAN: their mean."""
    common = noise(size, 0)
    truth = np.stack(
        [0.1 + 0.04 * i + 0.02 * ((0.7 + 0.2 * i) * common + 0.3 * noise(size, 5 + i))
         for i in range(3)]
    ).astype(np.float32)  # fmt: skip
    taps = gaussian_taps(MTF)
    return truth, np.stack([lowered(band, taps, RATIO) for band in truth]), truth.mean(0)[None]


def sharpened(plan: Sharpening, **how: int) -> Image:
    return np.concatenate([pixels for _, pixels in plan.blocks(**how)], axis=1)


def plan(pan: Image, colours: Image) -> Sharpening:
    return plan_sharpening(
        ArrayBands(values=pan), ArrayBands(values=colours), mtf_nyquist=(MTF,) * len(colours)
    )


def ergas(found: Image, truth: Image) -> float:
    """L. Wald, Data Fusion (2002): 100 / ratio x rms over the bands of rmse / mean."""
    relative = [np.mean((a - b) ** 2) / np.mean(b) ** 2 for a, b in zip(found, truth, strict=True)]
    return 100 / RATIO * math.sqrt(np.mean(relative))


# ---------------------------------------------------------------- the two grids


def plain_lowered(image: Image, taps: Image) -> Image:
    """Sums over slices, rows then columns; zeros beyond the edges."""
    known = np.isfinite(image)
    parts = []
    for layer in (np.where(known, image, np.float32(0)), known.astype(np.float32)):
        for axis in (0, 1):
            layer = np.moveaxis(layer, axis, 0)
            halo = (taps.size - RATIO) // 2
            padded = np.pad(layer, ((halo, halo), (0, 0)))
            layer = np.moveaxis(
                sum(taps[t] * padded[t : t + len(layer) : RATIO] for t in range(taps.size)), 0, axis
            )
        parts.append(layer)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(parts[1] > 0.5, parts[0] / parts[1], np.float32(np.nan))


def test_the_compiled_low_pass_is_the_plain_one() -> None:
    image = np.random.default_rng(1).normal(size=(40, 48)).astype(np.float32)
    image[10:14, 20:23] = np.nan
    image[20:32, :20] = np.nan
    ours, plain = (
        lowered(image, gaussian_taps(MTF), RATIO),
        plain_lowered(image, gaussian_taps(MTF)),
    )
    assert np.array_equal(np.isnan(ours), np.isnan(plain))
    assert np.isnan(ours).any()
    assert np.nanmax(np.abs(ours - plain)) < 1e-6


def test_the_low_pass_has_the_transfer_that_is_asked_for() -> None:
    """A stripe at the colours' Nyquist frequency, 1 / (2 x 4) of PAN's, keeps 30 % of itself."""
    for phase in (0.0, 0.7):
        wave = np.cos(2 * np.pi / 8 * (np.arange(240) - 1.5) + phase)
        seen = lowered(np.tile(wave, (48, 1)).astype(np.float32), gaussian_taps(MTF, 14), RATIO)
        expected = MTF * math.cos(phase) * np.where(np.arange(60) % 2, -1, 1)
        assert np.allclose(seen[6, 6:-6], expected[6:-6], rtol=0, atol=2e-3)


@given(slope=st.tuples(st.floats(-1, 1), st.floats(-1, 1)))
def test_raising_keeps_a_plane_in_its_place(slope: tuple[float, float]) -> None:
    """Pixel centres: the first fine one lies 3/8 of a coarse pixel before the first coarse one."""
    row, col = np.indices((10, 12))
    fine_row, fine_col = np.indices((40, 48))
    plane = (slope[0] * row + slope[1] * col).astype(np.float32)
    expected = slope[0] * ((fine_row + 0.5) / 4 - 0.5) + slope[1] * ((fine_col + 0.5) / 4 - 0.5)
    inner = np.s_[8:-8, 8:-8]
    assert np.allclose(raised(plane, RATIO)[inner], expected[inner], rtol=0, atol=1e-5)


def test_raising_is_keys_cubic() -> None:
    """IEEE Trans. ASSP 29 (1981), equation 15, along both axes; the edges are held."""
    image = np.random.default_rng(2).normal(size=(9, 11)).astype(np.float32)

    def weights(count: int) -> NDArray[np.float64]:
        place = (np.arange(4 * count) + 0.5) / 4 - 0.5
        t = np.abs(place[:, None] - np.arange(-3, count + 3))
        near, far = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
        return np.where(t < 1, near, np.where(t < 2, far, 0.0))

    expected = weights(9) @ np.pad(image, 3, mode="edge") @ weights(11).T
    assert np.allclose(raised(image, RATIO), expected, rtol=0, atol=1e-5)


# ---------------------------------------------------------------- what comes out


def test_a_constant_picture_stays_as_it_is() -> None:
    colours = np.stack([np.full((16, 20), v, np.float32) for v in (0.1, 0.2, 0.3)])
    found = sharpened(plan(np.full((1, 64, 80), 0.17, np.float32), colours))
    assert np.allclose(found, colours[:, :1, :1], rtol=0, atol=1e-6)


def test_it_is_sharper_than_the_colours_alone() -> None:
    truth, colours, pan = scene()
    alone = np.stack([raised(band, RATIO) for band in colours])
    found = sharpened(plan(pan, colours))
    assert ergas(found, truth) < 0.33 * ergas(alone, truth)


def test_seen_again_by_the_colours_optics_it_is_the_colours() -> None:
    """What Wald calls consistency; the cubic alone misses by ten times as much."""
    _, colours, pan = scene()
    taps = gaussian_taps(MTF)
    found = sharpened(plan(pan, colours))
    again, alone = (
        np.stack([lowered(np.ascontiguousarray(band), taps, RATIO) for band in bands])
        for bands in (found, np.stack([raised(band, RATIO) for band in colours]))
    )
    assert ergas(again, colours) < 0.2 * ergas(alone, colours)
    assert ergas(again, colours) < 0.05


def test_nothing_is_shifted() -> None:
    """Against the truth, by least squares on its slopes: within 0.02 pixels of PAN."""
    truth, colours, pan = scene()
    for found, band in zip(sharpened(plan(pan, colours)), truth, strict=True):
        inner = np.s_[16:-16, 16:-16]
        slopes = np.stack([g[inner].ravel() for g in np.gradient(band.astype(np.float64))], axis=1)
        shift, *_ = np.linalg.lstsq(slopes, (band - found)[inner].ravel(), rcond=None)
        assert np.abs(shift).max() < 0.02


def test_a_pan_shifted_by_half_a_pixel_would_be_noticed() -> None:
    """So the test above can fail."""
    truth, colours, pan = scene()
    moved = 0.5 * (pan + np.roll(pan, 1, axis=2))
    found = sharpened(plan(moved, colours))[0]
    slopes = np.stack([g.ravel() for g in np.gradient(truth[0].astype(np.float64))], axis=1)
    shift, *_ = np.linalg.lstsq(slopes, (truth[0] - found).ravel(), rcond=None)
    assert abs(shift[1]) > 0.2


def test_a_band_that_pan_knows_nothing_of_is_left_alone() -> None:
    """Do no harm: no worse than the cubic by more than 2 %."""
    _, colours, pan = scene()
    stranger = (0.2 + 0.03 * noise(256, 77)).astype(np.float32)
    low = lowered(stranger, gaussian_taps(MTF), RATIO)
    found = sharpened(plan(pan, np.concatenate([colours, low[None]])))[3]
    alone = raised(low, RATIO)
    assert np.std(found - stranger) < 1.02 * np.std(alone - stranger)


@settings(max_examples=6)
@given(rows=st.integers(1, 70), threads=st.integers(1, 3))
def test_blocks_and_threads_change_no_bit(rows: int, threads: int) -> None:
    _, colours, pan = scene()
    pan = pan.copy()
    pan[0, 60:90, 100:140] = np.nan
    made = plan(pan, colours)
    whole = sharpened(made, block_rows=64)
    assert whole.shape == (3, 256, 256)
    assert sharpened(made, block_rows=rows, threads=threads).tobytes() == whole.tobytes()


def test_there_is_data_exactly_where_pan_and_all_colours_have_some() -> None:
    truth, colours, pan = scene()
    pan, colours = pan.copy(), colours.copy()
    pan[0, 100:103, 120:150] = np.nan
    colours[1, 40:44, 50:52] = np.nan
    colours[:, :, :3] = np.nan
    found = sharpened(plan(pan, colours))
    missing = np.zeros((256, 256), bool)
    missing[100:103, 120:150] = missing[160:176, 200:208] = missing[:, :12] = True
    assert np.array_equal(np.isnan(found), np.broadcast_to(missing, found.shape))
    rim = np.s_[:, 150:186, 190:218]
    off = np.abs(found[rim] - truth[rim])
    assert np.nanmax(off) < 0.02  # beside a gap, too


@pytest.mark.parametrize("shape", [(1, 250, 256), (2, 256, 256), (1, 64, 64)])
def test_grids_that_do_not_nest_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="do not nest"):
        plan(np.zeros(shape, np.float32), np.zeros((3, 64, 64), np.float32))


def test_landsat_is_sharper_with_pan_than_without(data_dir: Path) -> None:
    """A real, partly cloudy scene whose PAN leaves out the near infrared: both degraded by 2, then
    held against the colours as they are. Every band gains, near infrared and clouds included.

    PAN's first pixel centre lies half a PAN pixel off: it is brought over by Keys' cubic.
    """
    folder = data_dir / "imagery" / "landsat8_panms"
    colours, pan = ([_landsat(folder, band) for band in bands] for bands in ((2, 3, 4, 5), (8,)))
    truth = np.stack([band[:602, :626] for band in colours])
    kernel = np.array([-1.0, 9.0, 9.0, -1.0]) / 16
    moved = pan[0].astype(np.float64)
    for axis in (0, 1):
        moved = np.asarray(sum(w * np.roll(moved, 1 - k, axis) for k, w in enumerate(kernel)))
    fine = moved[:1204, :1252].astype(np.float32)
    distance = np.arange(14) - 6.5
    weights = np.exp(-0.5 * (distance / gaussian_sigma(MTF, 2)) ** 2)
    taps = (weights / weights.sum()).astype(np.float32)
    low = np.stack([lowered(np.ascontiguousarray(band), taps, 2) for band in truth])
    made = plan_sharpening(
        ArrayBands(values=lowered(fine, taps, 2)[None]),
        ArrayBands(values=low),
        mtf_nyquist=(MTF,) * 4,
    )
    found = sharpened(made)
    inner = np.s_[8:-8, 8:-8]
    for band, image, coarse in zip(truth, found, low, strict=True):
        with_pan, alone = (
            np.sqrt(np.nanmean((x - band)[inner] ** 2)) for x in (image, raised(coarse, 2))
        )
        assert with_pan < 0.92 * alone


def _landsat(folder: Path, band: int) -> Image:
    with rasterio.open(folder / f"l8_B{band}.tif") as file:
        pixels = file.read(1).astype(np.float32)
    pixels[pixels == 0] = np.nan
    return np.asarray(pixels)
