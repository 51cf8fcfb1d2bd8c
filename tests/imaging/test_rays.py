"""Lines of sight on nodes against one ray at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm
from humay.earth import geodetic_from_itrf, itrf_from_geodetic
from humay.errors import ImagingError
from humay.imaging.layout import chip_model
from humay.imaging.rays import Chart, Lattice, interpolation_bound_m, node_step, rays_of
from humay.imaging.sampling import place_samples
from tests.imaging.exposures import DrawnScene, acquisition, band, camera, hills

SCENE = DrawnScene(height=hills)


def lattice(off_nadir_deg: float = 25.0) -> Lattice:
    strip = acquisition(off_nadir_deg)
    wide = band("pan", pixels=28_000, chip_overlap_pixels=64)
    model = chip_model(strip, camera(bands=(wide,)), wide, 1, 0)
    lon, lat = model.locate(np.asarray(4700.0), np.asarray(14_000.0), np.asarray(0.0))
    return Lattice(model=model, columns=14_032, chart=Chart.about(float(lon), float(lat)), step=8.0)


def nodes(first: int, end: int) -> FloatArray:
    """Places of nodes along an axis, 8 pixels apart."""
    return np.linspace(8.0 * first, 8.0 * end, end - first, endpoint=False)


def apart_m(a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray]) -> FloatArray:
    none = np.zeros(np.shape(a[0]))
    return norm(itrf_from_geodetic(*a, none) - itrf_from_geodetic(*b, none))


def test_rays_across_a_chip_are_those_of_the_model() -> None:
    """30 km of swath from 12 points: within 0.2 mm, 1 km above and below where it was asked."""
    wide = lattice()
    rows, cols = np.linspace(0, 9400, 5), np.linspace(-16, 14_050, 41)
    rays = wide.rays(rows, cols, 600.0)
    for height in (-400.0, 0.0, 600.0, 1000.0, 1600.0):
        heights = np.full((5, 41), height)
        exact = wide.model.locate(rows[:, None], cols, np.asarray(height))
        assert apart_m(wide.chart.place(*rays.at(heights)), exact).max() < 2e-4


def test_a_ray_meets_the_relief_where_bisection_finds_it() -> None:
    wide = lattice()
    rows, cols = np.linspace(1000, 1400, 9), np.linspace(3000, 3600, 11)
    rays = wide.rays(rows, cols, 500.0)
    met = rays.met(SCENE.height_m)
    low, high = np.full(met.shape, -500.0), np.full(met.shape, 1500.0)
    for _ in range(40):
        middle = 0.5 * (low + high)
        lon, lat = wide.model.locate(rows[:, None], cols, middle)
        under = SCENE.height_m(lon, lat) > middle
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    assert np.ptp(met) > 100
    assert np.abs(met - middle).max() < 1e-3


@given(first=st.integers(0, 900), count=st.integers(2, 40))
def test_a_ray_does_not_depend_on_the_others(first: int, count: int) -> None:
    """To the bit, else windows would differ where they overlap."""
    wide = lattice()
    rows, cols = nodes(0, 40), nodes(0, 1000)
    some = cols[first : first + count]
    one = wide.rays(rows[7:9], some, 300.0)
    every = wide.rays(rows, cols[900:] if first >= 900 else cols[first : first + 90], 300.0)
    offset = 0 if first < 900 else first - 900
    both = every.curves[:, :, 7:9, offset : offset + some.size]
    assert np.array_equal(one.curves, both)
    assert np.array_equal(
        one.met(SCENE.height_m), every.met(SCENE.height_m)[7:9, offset : offset + some.size]
    )


def test_a_surface_that_cannot_be_met_is_refused() -> None:
    """A wall of 500 m across the line of sight has no height where the ray arrives."""

    def wall(east_m: FloatArray, north_m: FloatArray) -> FloatArray:
        return np.where(np.sin((east_m + north_m) / 40.0) > 0, 500.0, 0.0)

    wide = lattice(28.0)
    rays = wide.rays(np.arange(20.0), np.arange(0.0, 800.0, 5.0), 300.0)
    with pytest.raises(ImagingError, match=r"near lon \d+\.\d+, lat .* m from the surface after"):
        rays.met(DrawnScene(height=wall).height_m)
    with pytest.raises(ImagingError, match="nan m from the surface"):
        rays.met(lambda lon, _: np.full(lon.shape, np.nan))


@pytest.mark.parametrize(
    ("lon_deg", "lat_deg"), [(0.0, 0.0), (180.0, 10.0), (-179.9999, -79.0), (30.0, 81.0),
                             (-120.0, 89.9999), (100.0, -89.995)],
)  # fmt: skip
def test_samples_between_nodes_are_right_at_the_antimeridian_and_the_poles(
    lon_deg: float, lat_deg: float
) -> None:
    """Nodes 16 m apart on a turned grid on the plane that touches the Earth there: within 1 mm."""
    lon0, lat0 = math.radians(lon_deg), math.radians(lat_deg)
    origin = itrf_from_geodetic(np.asarray(lon0), np.asarray(lat0), np.asarray(0.0))
    up = np.array([
        math.cos(lat0) * math.cos(lon0), math.cos(lat0) * math.sin(lon0), math.sin(lat0)
    ])  # fmt: skip
    side = np.cross(up, [0.6, -0.3, 0.74])
    side /= np.linalg.norm(side)
    ahead = np.cross(up, side)

    def place(row: FloatArray, col: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Of pixels 2 m wide; the plane's sag over 1 km, 8 cm, moves nothing sideways."""
        r = origin + 2.0 * (row[..., None] * ahead + col[..., None] * side)
        lon, lat, _ = geodetic_from_itrf(r)
        return lon, lat

    chart = Chart.about(lon0, lat0)
    grid = np.meshgrid(nodes(-20, 21), nodes(-20, 21), indexing="ij")
    a, b = chart.drawn(*place(*grid))
    lon, lat = np.empty((600, 640)), np.empty((600, 640))
    place_samples(a, b, (-160.0, -160.0), 8.0, (-300, -320), chart.lon_rad, chart.pole, lon, lat)
    row, col = (np.arange(600) - 300) / 4 - 0.375, (np.arange(640) - 320) / 4 - 0.375
    wanted = place(row[:, None] + 0 * col, col + 0 * row[:, None])
    assert apart_m((lon, lat), wanted).max() < 1e-3
    assert np.abs(lon).max() <= math.pi


def test_the_stated_bound_holds_over_relief() -> None:
    """Exact rays in the middle of every cell, at 25 deg over slopes of 30 deg."""
    wide = lattice()
    rows, cols = nodes(100, 160), nodes(300, 380)
    rays = wide.rays(rows, cols, 500.0)
    a, b = rays.at(rays.met(SCENE.height_m))
    bound_m = interpolation_bound_m(a, b, wide.chart)
    half = rays_of(wide.model, rows[:-1, None] + 4.0, cols[:-1] + 4.0, wide.chart, 500.0)
    exact = wide.chart.place(*half.at(half.met(SCENE.height_m)))
    middle = (0.25 * (x[:-1, :-1] + x[1:, :-1] + x[:-1, 1:] + x[1:, 1:]) for x in (a, b))
    left_out = apart_m(wide.chart.place(*middle), exact).max()
    assert 0.001 < left_out <= bound_m
    assert bound_m < 0.1


@given(pixel_m=st.floats(0.2, 60.0))
def test_nodes_are_as_dense_as_asked(pixel_m: float) -> None:
    step = node_step(pixel_m)
    assert math.log2(step) == int(math.log2(step))
    assert step * pixel_m <= 17.6 or step == 0.25
    assert 2 * step * pixel_m > 17.6
