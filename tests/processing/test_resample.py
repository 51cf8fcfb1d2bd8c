"""The compiled loops against plain NumPy, and what resampling must not do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from humay.arrays import FloatArray
from humay.processing.dem import Dem
from humay.processing.grid import grid_for, window_of
from humay.processing.lattice import fit_lattice
from humay.processing.resample import sample_cubic, sample_wide, tile_positions
from tests.processing.flights import flight, pushbroom

ALL_COLUMNS = (-0.5, 1e9)
NO_FLAGS = np.zeros((0, 0), np.uint8)
Image = NDArray[np.float32]


def keys(x: FloatArray) -> FloatArray:
    """Keys' kernel with a = -0.5: IEEE Trans. ASSP 29 (1981), equation 15."""
    t = np.abs(x)
    near, far = 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return np.where(t < 1, near, np.where(t < 2, far, 0.0))


def sampled(
    image: Image, row: FloatArray, col: FloatArray, scale: tuple[float, float] | None = None
) -> Image:
    """By the compiled loops, NaN where they leave a pixel alone."""
    row, col = np.atleast_2d(row), np.atleast_2d(col)
    value = np.full(row.shape, np.nan, np.float32)
    flag, depth = np.zeros(row.shape, np.uint8), np.full(row.shape, -np.inf)
    if scale is None:
        sample_cubic(image, NO_FLAGS, (0, 0), ALL_COLUMNS, row, col, value, flag, depth)
    else:
        sample_wide(image, NO_FLAGS, (0, 0), ALL_COLUMNS, scale, row, col, value, flag, depth)
    return value


def test_positions_of_a_tile_are_those_of_the_lattice(hills: Dem) -> None:
    """The compiled loop is the plain one for whole pixels, to the last bits."""
    shape = (90, 80)
    model = pushbroom(flight(seconds=1.0, step_s=1 / 128), shape)
    grid = grid_for([model], [shape], hills, pixel_m=1.5)
    window = window_of(model, shape, hills, grid)
    lattice = fit_lattice(model, shape, grid, window, hills, tolerance_px=0.01)
    row, col = np.empty((40, 57)), np.empty((40, 57))
    tile_positions(
        lattice.fields, lattice.spacing, lattice.reach_m, hills.posts_m, (13, 9), row, col
    )
    i, j = np.meshgrid(np.arange(40) + 13, np.arange(57) + 9, indexing="ij")
    plain = lattice.positions(
        (i + window.row).astype(np.float64), (j + window.col).astype(np.float64), hills.posts_m
    )
    assert np.allclose(row, plain[0], rtol=0, atol=1e-9)
    assert np.allclose(col, plain[1], rtol=0, atol=1e-9)


def test_a_place_off_the_elevations_has_no_position() -> None:
    fields = np.zeros((9, 4, 4))
    fields[0], fields[1] = -0.5, 1.0
    row, col = np.zeros((2, 2)), np.zeros((2, 2))
    tile_positions(fields, (2, 2), 1.0, np.zeros((3, 3), np.float32), (0, 0), row, col)
    assert np.isnan(row).all()
    assert np.isnan(col).all()


@given(row=st.floats(1, 8), col=st.floats(1, 10), seed=st.integers(0, 9))
def test_the_cubic_is_keys_kernel(row: float, col: float, seed: int) -> None:
    image = np.random.default_rng(seed).normal(size=(10, 12)).astype(np.float32)
    down, across = keys(np.arange(10.0) - row), keys(np.arange(12.0) - col)
    expected = float(down @ image.astype(np.float64) @ across)
    found = sampled(image, np.array(row), np.array(col))
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)


@given(row=st.floats(1, 8), col=st.floats(1, 10))
def test_the_cubic_keeps_a_parabola(row: float, col: float) -> None:
    """It is exact for polynomials of second degree (Keys, section III), so it shifts nothing."""
    i, j = np.indices((10, 12), dtype=np.float64)
    image = (1 + 0.5 * i - 0.25 * j + 0.1 * i * j + 0.05 * i**2 - 0.02 * j**2).astype(np.float32)
    expected = 1 + 0.5 * row - 0.25 * col + 0.1 * row * col + 0.05 * row**2 - 0.02 * col**2
    assert sampled(image, np.array(row), np.array(col))[0, 0] == pytest.approx(expected, abs=3e-6)


@pytest.mark.parametrize(
    "place", [(0.99, 5.0), (8.01, 5.0), (5.0, 0.99), (5.0, 10.01), (np.nan, 5.0)]
)
def test_a_pixel_without_its_whole_support_is_left_alone(place: tuple[float, float]) -> None:
    image = np.ones((10, 12), np.float32)
    assert np.isnan(sampled(image, np.array(place[0]), np.array(place[1])))
    assert sampled(image, np.array(8.0), np.array(10.0)) == 1.0


def test_a_missing_pixel_spoils_only_what_is_made_of_it() -> None:
    image = np.ones((10, 12), np.float32)
    image[5, 5] = np.nan
    row, col = np.meshgrid(np.arange(1.5, 8), np.arange(1.5, 10), indexing="ij")
    missing = np.isnan(sampled(image, row, col))
    assert np.array_equal(missing, (np.abs(row - 5) < 2) & (np.abs(col - 5) < 2))


@given(row=st.floats(16, 24), col=st.floats(16, 24), down=st.floats(1, 4), across=st.floats(1, 4))
def test_the_wide_kernel_keeps_a_plane(row: float, col: float, down: float, across: float) -> None:
    """Its weights sum up to 1 and centre on the place: no brightness and no shift is made up."""
    i, j = np.indices((40, 40), dtype=np.float64)
    image = (0.2 + 0.03 * i - 0.05 * j).astype(np.float32)
    found = sampled(image, np.array(row), np.array(col), (down, across))
    assert found[0, 0] == pytest.approx(0.2 + 0.03 * row - 0.05 * col, abs=1e-6)


@given(row=st.floats(2, 8), col=st.floats(2, 9))
def test_the_wide_kernel_at_scale_one_is_the_cubic(row: float, col: float) -> None:
    image = np.random.default_rng(1).normal(size=(12, 13)).astype(np.float32)
    place = np.array(row), np.array(col)
    narrow, wide = sampled(image, *place), sampled(image, *place, (1.0, 1.0))
    assert wide[0, 0] == pytest.approx(narrow[0, 0], abs=1e-6)


def test_the_wide_kernel_does_not_alias() -> None:
    """Stripes too fine for every fourth pixel become grey; every fourth pixel by itself, not."""
    image = np.tile(np.cos(2 * np.pi * 0.3 * np.arange(200)), (200, 1)).astype(np.float32)
    row, col = np.meshgrid(np.arange(20.0, 180, 4), np.arange(20.0, 180, 4), indexing="ij")
    assert np.std(sampled(image, row, col)) > 0.5
    assert np.std(sampled(image, row, col, (4.0, 4.0))) < 0.02


def test_what_lies_deeper_inside_its_own_columns_has_the_say() -> None:
    one, two = np.full((8, 8), 1, np.float32), np.full((8, 8), 2, np.float32)
    row = np.full((1, 4), 3.0)
    col = np.array([[2.0, 3.0, 4.0, 5.0]])
    value = np.full((1, 4), np.nan, np.float32)
    flag, depth = np.zeros((1, 4), np.uint8), np.full((1, 4), -np.inf)
    sample_cubic(one, NO_FLAGS, (0, 0), (-0.5, 3.5), row, col, value, flag, depth)
    sample_cubic(two, NO_FLAGS, (0, 0), (3.5, 7.5), row, col, value, flag, depth)
    assert value.tolist() == [[1.0, 1.0, 2.0, 2.0]]
