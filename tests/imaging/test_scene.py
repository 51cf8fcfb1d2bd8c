"""The synthetic scene: the same for everyone, without seams, and true to its footprints."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.arrays import FloatArray
from humay.earth import ellipsoid_normal
from humay.errors import ImagingError, TableError
from humay.imaging import means
from humay.imaging.atmosphere import air_thickness, clear_sky
from humay.imaging.cells import ROW_RAD, ROWS, row_scale
from humay.imaging.cover import MAX_FOOTPRINT_M
from humay.imaging.materials import MATERIALS
from humay.imaging.means import mean_reflectance
from humay.imaging.scene import SpectralBand, SyntheticScene
from humay.imaging.spectra import material_reflectance
from humay.tables import material_spectra, solar_irradiance_w_m2_um, solar_spectrum_w_m2_um

SCENE = SyntheticScene(seed=7)
LIMITS_NM = {"pan": (450, 745), "blue": (450, 520), "green": (530, 590), "red": (625, 695),
             "nir": (760, 890)}  # fmt: skip
BANDS = {
    name: SpectralBand(name=name, low_m=low * 1e-9, high_m=high * 1e-9)
    for name, (low, high) in LIMITS_NM.items()
}
PAN = BANDS["pan"]
RADIUS_M = 6.371e6
FARMS = (49.6, 40.1)  # deg: a plain of fields and villages with woods and a shore


def places(seed: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Spread evenly over the Earth."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-np.pi, np.pi, count), np.arcsin(rng.uniform(-1, 1, count))


def window(
    place_deg: tuple[float, float], pixels: int, pixel_m: float
) -> tuple[FloatArray, FloatArray]:
    """Middles of square pixels, rows from north to south."""
    lon, lat = np.radians(place_deg)
    away = (np.arange(pixels) - 0.5 * (pixels - 1)) * pixel_m / RADIUS_M
    x, y = np.meshgrid(away / np.cos(lat), -away)
    return lon + x, lat + y


def close_by(seed: int, count: int) -> tuple[FloatArray, FloatArray]:
    """Within 10 km of the farms."""
    lon, lat = np.radians(FARMS)
    x, y = np.random.default_rng(seed).uniform(-1e4, 1e4, (2, count)) / RADIUS_M
    return lon + x / np.cos(lat), lat + y


def brute_force(lon: FloatArray, lat: FloatArray, footprint_m: float, side: int) -> FloatArray:
    """Mean of points over squares, north up."""
    away = ((np.arange(side) + 0.5) / side - 0.5) * footprint_m / RADIUS_M
    x, y = np.meshgrid(away, away)
    inside_lat = lat[:, None, None] + y
    inside_lon = lon[:, None, None] + x / np.cos(lat)[:, None, None]
    return np.asarray(SCENE.reflectance(inside_lon, inside_lat, PAN, 0.0).mean(axis=(1, 2)))


# ---------------------------------------------------------------- the same for everyone


def test_a_place_answers_the_same_in_any_block_order_shape_and_thread() -> None:
    lon, lat = window(FARMS, 150, 3.1)
    whole = SCENE.reflectance(lon, lat, PAN, 0.7)
    order = np.random.default_rng(1).permutation(lon.size)
    mixed = SCENE.reflectance(lon.ravel()[order], lat.ravel()[order], PAN, 0.7)
    assert np.array_equal(mixed, whole.ravel()[order])
    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(lambda i: SCENE.reflectance(lon[i], lat[i], PAN, 0.7), range(150)))
    assert np.array_equal(np.array(rows), whole)
    assert np.array_equal(SCENE.reflectance(lon[:, 5:6], lat[5:6, :], PAN, 0.7).shape, (150, 150))


@given(lon=st.floats(-7, 7), lat=st.floats(-np.pi / 2, np.pi / 2), f=st.floats(0, MAX_FOOTPRINT_M))
@settings(deadline=None, max_examples=300)
def test_every_place_on_earth_reflects_between_nothing_and_all(
    lon: float, lat: float, f: float
) -> None:
    value = float(SCENE.reflectance(np.array(lon), np.array(lat), PAN, f))
    assert 0.0 < value < 1.0
    again = float(SCENE.reflectance(np.array(lon + 2 * np.pi), np.array(lat), PAN, f))
    assert again == pytest.approx(value, abs=1e-4)


def test_seeds_make_different_grounds() -> None:
    lon, lat = places(2, 2_000)
    other = SyntheticScene(seed=8).reflectance(lon, lat, PAN, 1.0)
    assert np.corrcoef(other, SCENE.reflectance(lon, lat, PAN, 1.0))[0, 1] < 0.3


def test_nothing_has_changed_since_it_was_frozen() -> None:
    """Our own output, to the seventh digit: a change of the scene has to be meant."""
    lon, lat = places(3, 2_000)
    values = np.round(SCENE.reflectance(lon, lat, PAN, 1.5) * 1e7).astype("<i8")
    heights = np.round(SCENE.height_m(lon, lat) * 1e3).astype("<i8")
    assert hashlib.sha256(values.tobytes()).hexdigest()[:16] == "11273ed073ed1561"
    assert hashlib.sha256(heights.tobytes()).hexdigest()[:16] == "0019c136bb84a4f6"


PLAIN = """
import json, sys
import numpy as np
from humay.imaging.scene import SpectralBand, SyntheticScene
band = SpectralBand(name="pan", low_m=450e-9, high_m=745e-9)
lon, lat = np.array(json.load(sys.stdin))
json.dump(SyntheticScene(seed=7).reflectance(lon, lat, band, 1.5).tolist(), sys.stdout)
"""


def test_compiled_and_plain_python_paint_the_same() -> None:
    """All kernels run by the interpreter, at fields, villages, woods, shores and anywhere."""
    near, far = close_by(4, 90), places(5, 30)
    lon, lat = np.concatenate([near[0], far[0]]), np.concatenate([near[1], far[1]])
    done = subprocess.run(
        [sys.executable, "-c", PLAIN],
        input=json.dumps([lon.tolist(), lat.tolist()]), capture_output=True, check=True, text=True,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
    )  # fmt: skip
    plain = np.array(json.loads(done.stdout))
    assert SCENE.reflectance(lon, lat, PAN, 1.5) == pytest.approx(plain, abs=1e-9)


# ---------------------------------------------------------------- no seams


def jumps(lon: FloatArray, lat: FloatArray, away_lon: FloatArray, away_lat: float) -> FloatArray:
    """Difference between a tenth of a millimetre to one side and to the other, as seen by 2 m."""
    one = SCENE.reflectance(lon + away_lon, lat + away_lat, PAN, 2.0)
    return np.abs(one - SCENE.reflectance(lon - away_lon, lat - away_lat, PAN, 2.0))


def test_cells_of_a_row_and_the_antimeridian_show_no_seam() -> None:
    rng = np.random.default_rng(6)
    row = rng.integers(1, ROWS - 1, 3_000)
    cells = np.array([row_scale(int(r))[5] for r in row])
    col = np.floor(rng.uniform(0, 1, 3_000) * cells)
    col[:500] = 0  # 180 deg
    lat: FloatArray = (row + rng.uniform(0, 1, 3_000)) * ROW_RAD - np.pi / 2
    step = 1e-4 / RADIUS_M / np.cos(lat)
    lon: FloatArray = 2 * np.pi * col / cells - np.pi
    assert jumps(lon, lat, step, 0.0).max() < 5e-4


def test_rows_show_no_seam() -> None:
    """Both sides interpolate slow fields on nodes of their own: a hundredth at most."""
    rng = np.random.default_rng(7)
    lat = rng.integers(1, ROWS, 3_000).astype(np.float64) * ROW_RAD - np.pi / 2
    found = jumps(
        rng.uniform(-np.pi, np.pi, 3_000), np.asarray(lat), np.zeros(3_000), 1e-4 / RADIUS_M
    )
    assert found.max() < 0.015
    assert np.median(found) < 1e-4


def test_the_poles_are_places_like_others() -> None:
    lon = np.linspace(-np.pi, np.pi, 100)
    for pole in (-np.pi / 2, np.pi / 2):
        at = SCENE.reflectance(lon, np.full(100, pole), PAN, 1.0)
        assert np.ptp(at) < 1e-9
        rim = np.full(100, pole - np.sign(pole) * ROW_RAD)
        assert jumps(lon, rim, np.zeros(100), 1e-4 / RADIUS_M).max() < 0.015


# ---------------------------------------------------------------- footprints


@pytest.mark.parametrize(
    ("footprint_m", "rms"), [(0.5, 4e-4), (1.0, 1e-3), (2.0, 5e-3), (7.0, 8e-3)]
)
def test_a_footprint_sees_the_mean_of_its_points(footprint_m: float, rms: float) -> None:
    """Edges keep their energy: no bias. What is left is texture near its own wavelength, which is
    faded out earlier than a box would, and corners that do not lie along the footprint."""
    lon, lat = close_by(8, 2_500)
    error = SCENE.reflectance(lon, lat, PAN, footprint_m) - brute_force(lon, lat, footprint_m, 12)
    assert np.sqrt(np.mean(error**2)) < rms
    assert abs(np.mean(error)) < 4 * rms / np.sqrt(error.size)


def test_edges_on_the_ground_are_shared_out_by_area() -> None:
    """Where the four corners of a footprint of 1 m differ by more than 0.05, mostly borders of
    parcels, tracks, roads and houses: rms 0.002 against points where the mean step is 0.12."""
    lon, lat = close_by(12, 40_000)
    half = 0.5 / RADIUS_M
    corners = [
        SCENE.reflectance(lon + x * half / np.cos(lat), lat + y * half, PAN, 0.0)
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    edges = np.ptp(corners, axis=0) > 0.05
    assert np.count_nonzero(edges) > 300
    lon, lat = lon[edges], lat[edges]
    error = SCENE.reflectance(lon, lat, PAN, 1.0) - brute_force(lon, lat, 1.0, 40)
    assert np.sqrt(np.mean(error**2)) < 0.005
    assert np.abs(error).max() < 0.04


def test_texture_is_gone_where_samples_could_alias_it() -> None:
    """Pixels of 3 m next to each other: points differ by the texture, footprints much less."""
    lon, lat = window((20.0, -30.0), 60, 3.0)
    sharp, smooth = (SCENE.reflectance(lon, lat, PAN, f) for f in (0.0, 3.0))

    def rough(image: FloatArray) -> float:
        return float(np.std(np.diff(image, axis=1)) / np.mean(image))

    assert 0.1 < rough(sharp) < 0.6
    assert rough(smooth) < 0.45 * rough(sharp)


def test_wide_footprints_are_refused() -> None:
    for wrong in (-1.0, 7.1, float("nan")):
        with pytest.raises(ValueError, match="expected 0 to 7"):
            SCENE.reflectance(np.array(0.1), np.array(0.1), PAN, wrong)


def test_places_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        SCENE.reflectance(np.array([0.1, np.nan]), np.array(0.1), PAN, 1.0)
    with pytest.raises(ValueError, match="within pi / 2"):
        SCENE.height_m(np.array(0.1), np.array(1.6))
    with pytest.raises(ValueError, match="seed"):
        SyntheticScene(seed=-1)


def test_the_mean_over_a_polygon_converges_to_the_points_in_it() -> None:
    """A triangle of 60 m over fields against 40,000 points."""
    lon, lat = np.radians(FARMS)
    ring_m = np.array([[-30.0, -20.0], [30.0, -10.0], [-10.0, 30.0]])
    ring = np.stack(
        [lon + ring_m[:, 0] / RADIUS_M / np.cos(lat), lat + ring_m[:, 1] / RADIUS_M], -1
    )
    mean, error = mean_reflectance(SCENE, ring, PAN, tolerance=1e-4)
    a, b = np.random.default_rng(9).uniform(0, 1, (2, 40_000))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    inside = ring[0] + a[:, None] * (ring[1] - ring[0]) + b[:, None] * (ring[2] - ring[0])
    points = SCENE.reflectance(inside[:, 0], inside[:, 1], PAN, 0.0)
    assert error <= 1e-4
    assert mean == pytest.approx(points.mean(), abs=4 * points.std() / 200 + error)


def test_a_mean_that_does_not_settle_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(means, "MOST_CELLS", 50_000)
    lon, lat = np.radians(FARMS)
    ring = np.array([[lon, lat], [lon + 3e-4, lat], [lon, lat + 3e-4]])
    with pytest.raises(ImagingError, match="still changes"):
        mean_reflectance(SCENE, ring, PAN, tolerance=1e-9)


# ---------------------------------------------------------------- spectra and light


def test_the_sun_is_as_bright_as_operators_publish() -> None:
    """SPOT 6 blue, green, red, infrared (OTB, Data/Input/spot6-1.geom), Pleiades PAN (480 to
    820 nm; DIMAP of the Ventoux pair), W / (m2 um); their responses are no boxes: 2.5 %."""
    published = {(450, 520): 1982.67, (530, 590): 1826.09, (625, 695): 1540.49,
                 (760, 890): 1094.75, (480, 820): 1548.0}  # fmt: skip
    for (low, high), value in published.items():
        assert solar_irradiance_w_m2_um(low * 1e-9, high * 1e-9) == pytest.approx(value, rel=0.025)


def test_the_irradiance_of_a_band_is_the_mean_of_its_spectrum() -> None:
    wavelength = np.linspace(451.3e-9, 478.9e-9, 20_001)
    mean = np.mean(solar_spectrum_w_m2_um(wavelength))
    assert solar_irradiance_w_m2_um(451.3e-9, 478.9e-9) == pytest.approx(mean, rel=1e-4)


def test_what_spectra_do_not_reach_is_refused() -> None:
    with pytest.raises(TableError, match="400 to 900 nm"):
        solar_irradiance_w_m2_um(850e-9, 950e-9)
    with pytest.raises(ImagingError, match="band 'swir'"):
        SpectralBand(name="swir", low_m=1.5e-6, high_m=1.7e-6)
    with pytest.raises(TableError, match="no material 'gold'"):
        material_spectra().at("gold", 5e-7)


def test_materials_are_those_of_the_library() -> None:
    """Green grass is green and bright in the infrared; Kokaly et al. 2017, lawn grass GDS91."""
    assert material_spectra().names == MATERIALS
    assert len(MATERIALS) >= 12
    grass = {n: material_reflectance(b)[MATERIALS.index("green_grass")] for n, b in BANDS.items()}
    assert grass["nir"] > 0.65
    assert grass["blue"] < grass["red"] < grass["green"] < 0.1
    for band in BANDS.values():
        assert np.all((material_reflectance(band) > 0) & (material_reflectance(band) < 0.9))


def test_the_ground_has_more_than_four_spectral_dimensions() -> None:
    """Ten bands of 49 nm: at least six singular values above a thousandth of the first."""
    lon, lat = close_by(10, 4_000)
    bands = [
        SpectralBand(name=str(i), low_m=(400 + 49 * i) * 1e-9, high_m=(449 + 49 * i) * 1e-9)
        for i in range(10)
    ]
    values = np.stack([SCENE.reflectance(lon, lat, band, 1.0) for band in bands])
    singular = np.linalg.svd(values - values.mean(axis=1, keepdims=True), compute_uv=False)
    assert np.count_nonzero(singular > 1e-3 * singular[0]) >= 6


def test_pan_is_not_a_sum_of_the_four_bands_as_a_camera_sees_them() -> None:
    """Each at its own pixel, 2 m and 8 m, without noise; a real Pleiades view has R2 0.87.

    At one and the same footprint the four bands tell PAN almost entirely (R2 0.999): spectra of
    real materials are too smooth for anything else.
    """
    lon, lat = window((49.6, 40.3), 512, 2.0)
    pan = SCENE.reflectance(lon, lat, PAN, 2.0)
    columns = [np.ones(pan.size)]
    for name in ("blue", "green", "red", "nir"):
        fine = SCENE.reflectance(lon, lat, BANDS[name], 2.0)
        coarse = fine.reshape(128, 4, 128, 4).mean(axis=(1, 3))
        columns.append(np.kron(coarse, np.ones((4, 4))).ravel())
    matrix = np.stack(columns, axis=1)
    weights = np.linalg.lstsq(matrix, pan.ravel(), rcond=None)[0]
    left = pan.ravel() - matrix @ weights
    assert 0.85 < 1 - np.var(left) / np.var(pan) < 0.99


def test_the_air_scatters_as_published() -> None:
    """Optical thickness of standard air at 550 nm is 0.097 (B. Bodhaine and others, Journal of
    Atmospheric and Oceanic Technology 16 (1999) 1854), and falls almost with the fourth power."""
    assert float(air_thickness(np.array(550e-9))) == pytest.approx(0.097, rel=0.01)
    ratio = float(air_thickness(np.array(400e-9)) / air_thickness(np.array(800e-9)))
    assert 16 < ratio < 18


def test_path_falls_and_transmittance_rises_towards_the_red() -> None:
    path, through = zip(
        *(clear_sky(BANDS[n]) for n in ("blue", "green", "red", "nir")), strict=True
    )
    assert list(path) == sorted(path, reverse=True)
    assert list(through) == sorted(through)
    assert 0.05 < path[0] < 0.1
    assert SCENE.atmosphere(PAN) == clear_sky(PAN)


def test_shading_is_one_on_water_and_follows_the_cosine_on_slopes() -> None:
    lon, lat = places(11, 4_000)
    up = ellipsoid_normal(lon, lat)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros(lon.size)], axis=-1)
    sun = (up + 0.8 * east) / np.sqrt(1.64)
    shading = np.array([SCENE.shading(lon[i], lat[i], sun[i]) for i in range(400)])
    water = SCENE.is_water(lon[:400], lat[:400])
    assert water.any()
    assert shading[water] == pytest.approx(1.0, abs=1e-12)
    slope = SCENE.slope(lon[:400], lat[:400])
    tilt = np.arctan(np.linalg.norm(slope, axis=1))
    uphill = np.arctan2(np.sum(slope * np.cross(up, east)[:400], axis=1),
                        np.sum(slope * east[:400], axis=1))  # fmt: skip
    # Cosine of incidence by spherical trigonometry: the Sun 38.66 deg from the zenith, in the east.
    zenith = np.arctan(0.8)
    incidence = np.cos(zenith) * np.cos(tilt) - np.sin(zenith) * np.sin(tilt) * np.cos(uphill)
    assert shading == pytest.approx(np.maximum(incidence, 0) / np.cos(zenith), abs=1e-9)


def test_night_has_no_shading() -> None:
    with pytest.raises(ValueError, match="the Sun is"):
        SCENE.shading(np.array(0.0), np.array(0.0), np.array([-1.0, 0.0, 0.0]))
