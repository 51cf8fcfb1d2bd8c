"""Reflectance against figures of others and against the formula, pixel by pixel."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray, norm
from humay.earth import AU_M, elevation_angle, ellipsoid_normal, itrf_from_geodetic, sun_itrf
from humay.errors import ProcessingError
from humay.processing.calibrate import (
    LinearPixels,
    Sunlight,
    calibrate,
    encoded,
    sunlight,
)
from humay.processing.ortho import ArrayPixels
from humay.processing.resample import SATURATED
from humay.sensor import BandFacts, Calibration, Chip
from humay.time import Epoch, parse_utc
from tests.processing.flights import EPOCH, LINE_S, PIXEL_RAD, flight

FACTS = BandFacts(name="pan", response_m=(0.45e-6, 0.745e-6), solar_irradiance_w_m2_um=1548.0)
SHAPE = (40, 30)


@dataclass(frozen=True)
class Still:
    """A model that sees one place only."""

    lon_deg: float
    lat_deg: float

    def locate(
        self, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        one = np.ones(np.broadcast_shapes(np.shape(row), np.shape(col), np.shape(height_m)))
        return np.radians(self.lon_deg) * one, np.radians(self.lat_deg) * one

    def project(
        self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        raise AssertionError(f"light needs no projection: {lon_rad}, {lat_rad}, {height_m}")


def chip() -> Chip:
    """Random numbers, detectors that differ, saturation at 4,000."""
    rng = np.random.default_rng(2)
    dn = rng.integers(100, 3_900, SHAPE).astype(np.uint16)
    dn[5, 6], dn[7, 8], dn[9, 9] = 4_000, 4_095, 3_999
    return Chip(
        band="pan", index=0, first_detector=0, own_columns=(0, 30), dn=dn,
        first_line_s=-0.5 * SHAPE[0] * LINE_S, line_period_s=LINE_S,
        along=np.zeros(2), across=np.array([-15 * PIXEL_RAD, PIXEL_RAD]),
        calibration=Calibration(
            version="1", valid_from=parse_utc("2026-01-01T00:00:00Z"),
            valid_to=parse_utc("2027-01-01T00:00:00Z"),
            dark_dn=rng.uniform(40, 60, 30), response=rng.uniform(0.9, 1.1, 30),
            radiance_per_dn=0.02, saturation_dn=4_000, gain_e_dn=20.0, read_noise_e=30.0,
        ),
    )  # fmt: skip


def test_sunlight_is_that_of_a_landsat_scene(data_dir: Path) -> None:
    """Sun elevation and distance at the centre of the scene as USGS states them: within 0.02 deg
    (where its centre is, is told by its corners only) and 1e-6 au."""
    mtl = (data_dir / "imagery" / "landsat8_panms" / "l8_MTL.txt").read_text()

    def number(key: str) -> float:
        return float(re.search(rf"\b{key} = ([-\d.]+)", mtl)[1])  # type: ignore[index]

    corners = ("UL", "UR", "LL", "LR")
    lon, lat = (np.mean([number(f"CORNER_{c}_{x}_PRODUCT") for c in corners])
                for x in ("LON", "LAT"))  # fmt: skip
    time = re.search(r'SCENE_CENTER_TIME = "([\d:]+\.\d{6})', mtl)
    date = re.search(r"DATE_ACQUIRED = ([\d-]+)", mtl)
    assert time
    assert date
    epoch = Epoch(parse_utc(f"{date[1]}T{time[1]}Z"))
    light = sunlight(
        Still(float(lon), float(lat)), (10, 10), epoch, lambda row: 0.0 * row, height_m=0.0
    )
    distance_au = number("EARTH_SUN_DISTANCE")
    elevation = np.degrees(np.arcsin(light.nodes[0, 0] * distance_au**2))
    assert elevation == pytest.approx(number("SUN_ELEVATION"), abs=0.02)
    sun_au = norm(sun_itrf(epoch, np.asarray(0.0))) / AU_M
    assert sun_au == pytest.approx(distance_au, abs=1e-6)


def test_reflectance_is_the_formula_at_every_pixel() -> None:
    """rho = pi L d2 / (E0 sin e), each pixel with its own line's time and its own place."""
    one, way = chip(), flight(seconds=1.0)
    model = one.model(way)
    pixels = calibrate(one, model, FACTS, height_m=600.0)
    found, _ = pixels.part(slice(0, 40), slice(0, 30))
    row, col = np.indices(SHAPE).astype(np.float64)
    lon, lat = model.locate(row, col, np.asarray(600.0))
    to_sun = sun_itrf(EPOCH, model.line_time_s(row)) - itrf_from_geodetic(
        lon, lat, np.asarray(600.0)
    )
    elevation = elevation_angle(to_sun, ellipsoid_normal(lon, lat))
    given = one.calibration
    radiance = (one.dn - given.dark_dn) / given.response * 0.02
    expected = np.pi * radiance * (norm(to_sun) / AU_M) ** 2 / (1548.0 * np.sin(elevation))
    assert np.allclose(found, expected, rtol=3e-7, atol=0)
    assert 0.001 < found.min() < found.max() < 1.0


def test_a_long_image_has_another_sun_at_its_end() -> None:
    """600 km of strip: one number for all of it would be 8 % off; nodes and lines are not."""
    way = flight(seconds=90.0, step_s=0.25)
    long = replace(chip(), first_line_s=-44.0, line_period_s=88.0 / 39)
    model = long.model(way)
    light = calibrate(long, model, FACTS, height_m=0.0).light
    part = light.part(slice(0, 40), slice(0, 30))
    row, col = np.indices(SHAPE).astype(np.float64)
    lon, lat = model.locate(row, col, np.asarray(0.0))
    to_sun = sun_itrf(EPOCH, model.line_time_s(row)) - itrf_from_geodetic(lon, lat, np.asarray(0.0))
    expected = (
        np.sin(elevation_angle(to_sun, ellipsoid_normal(lon, lat))) / (norm(to_sun) / AU_M) ** 2
    )
    assert np.ptp(expected) > 0.08 * expected.mean()
    assert np.allclose(part, expected, rtol=1e-4, atol=0)


def test_saturated_pixels_are_flagged_and_no_others() -> None:
    one = chip()
    pixels = calibrate(one, one.model(flight(seconds=1.0)), FACTS, height_m=600.0)
    _, flags = pixels.part(slice(0, 40), slice(0, 30))
    assert flags is not None
    assert np.argwhere(flags == SATURATED).tolist() == [[5, 6], [7, 8]]
    assert np.count_nonzero(flags) == 2


@given(row=st.integers(0, 35), col=st.integers(0, 25))
def test_a_part_is_a_part_of_the_whole_to_the_last_bit(row: int, col: int) -> None:
    one = chip()
    light = Sunlight(shape=SHAPE, nodes=np.random.default_rng(3).uniform(0.5, 0.6, (17, 9)))
    pixels = replace(
        calibrate(one, one.model(flight(seconds=1.0)), FACTS, height_m=600.0), light=light
    )
    whole, _ = pixels.part(slice(0, 40), slice(0, 30))
    part, _ = pixels.part(slice(row, row + 5), slice(col, col + 5))
    assert np.array_equal(part, whole[row : row + 5, col : col + 5])


def test_a_vendors_gain_and_bias_are_used_as_dimap_says() -> None:
    """L = DN / gain + bias; Pleiades PAN of Mont Ventoux: gain 12.04, E0 1548 W/m2/um."""
    dn = np.full((4, 4), 602.0, np.float32)
    dn[0, 0], dn[1, 1] = np.nan, 4_095
    light = Sunlight(shape=(4, 4), nodes=np.full((2, 2), 0.8))
    pixels = LinearPixels(
        counts=ArrayPixels(values=dn), gain=12.04, bias=1.5, solar_irradiance_w_m2_um=1548.0,
        light=light, saturated=4_095,
    )  # fmt: skip
    values, flags = pixels.part(slice(0, 4), slice(0, 4))
    assert values[2, 2] == pytest.approx(np.pi * (50.0 + 1.5) / (1548.0 * 0.8), rel=1e-6)
    assert np.isnan(values[0, 0])
    assert flags is not None
    assert np.argwhere(flags).tolist() == [[1, 1]]
    with pytest.raises(ProcessingError, match="gain 0"):
        replace(pixels, gain=0.0)


def test_an_image_by_night_is_refused() -> None:
    night = Epoch(parse_utc("2026-03-01T23:00:00Z"))
    with pytest.raises(ProcessingError, match=r"the Sun is down to -\d\d\.\d deg"):
        sunlight(Still(5.4, 44.4), (10, 10), night, lambda row: 0.0 * row, height_m=0.0)


def test_products_keep_zero_for_no_data() -> None:
    values = np.array([np.nan, -0.01, 0.0, 0.00004, 0.12344, 0.12346, 1.5, 7.0], np.float32)
    assert encoded(values).tolist() == [0, 1, 1, 1, 1234, 1235, 15_000, 65_535]
