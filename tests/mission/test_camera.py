"""Cameras: geometry against published instruments, radiometry by hand, contradictions refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.errors import MissionError
from humay.mission import Band, Camera, Mission, Radiometry, StatedSnr

Load = Callable[..., Mission]


def planning_camera(**changes: object) -> Camera:
    """Focal length, pixels and pitch of a PAN row, enough for planning."""
    figures: dict[str, object] = {"pixels": 24_000, "pixel_pitch_m": 8.75e-6, "bits": 14}
    optics: dict[str, object] = {"focal_length_m": 8.6, "aperture_m": 0.8}
    for name, value in changes.items():
        (figures if name in figures else optics)[name] = value
    pan = Band(name="pan", response_m=(450e-9, 900e-9), **figures)  # type: ignore[arg-type]
    return Camera(name="c", bands=(pan,), **optics)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("altitude_m", "focal_length_m", "pixel_pitch_m", "pixels", "gsd_m", "swath_m"),
    [
        # KOMPSAT-3A, eoPortal: 528 km, f 8.6 m, 24,000 pixels of 8.75 um, 0.55 m, 12 km
        (528e3, 8.6, 8.75e-6, 24_000, 0.55, 12e3),
        # Pleiades, eoPortal: 694 km, f 12.905 m, 30,000 pixels of 13 um, 0.7 m, 20 km
        (694e3, 12.905, 13e-6, 30_000, 0.70, 20e3),
    ],
)
def test_pixel_and_swath_at_nadir_are_those_published(
    altitude_m: float,
    focal_length_m: float,
    pixel_pitch_m: float,
    pixels: int,
    gsd_m: float,
    swath_m: float,
) -> None:
    camera = planning_camera(
        focal_length_m=focal_length_m, pixel_pitch_m=pixel_pitch_m, pixels=pixels
    )
    assert float(camera.gsd_m(altitude_m)) == pytest.approx(gsd_m, rel=0.03)
    assert 2 * altitude_m * math.tan(camera.swath_rad / 2) == pytest.approx(swath_m, rel=0.08)


def test_a_pixel_grows_with_the_distance_for_arrays_of_any_shape() -> None:
    camera = planning_camera()
    ranges_m = np.array([[600e3, 700e3], [800e3, 900e3]])
    assert np.allclose(camera.gsd_m(ranges_m), ranges_m * 8.75e-6 / 8.6, rtol=1e-15)


def test_a_pan_line_carries_its_share_of_the_coarser_bands(mission: Mission) -> None:
    """28,000 x 12 bits of PAN, and a quarter of a line of 7,000 x 12 bits of blue, by hand."""
    camera = mission.cameras[0]
    assert camera.bits_per_pan_line() == 28_000 * 12 + 7_000 * 12 / 4
    assert replace(camera, compression=2.0).bits_per_pan_line() == 178_500.0
    assert float(camera.data_rate_bit_m(2.0)) == 178_500.0


def test_the_data_of_a_strip_do_not_depend_on_how_finely_it_is_divided(mission: Mission) -> None:
    """60 km at 2.14 m: 28,037 lines."""
    camera = mission.cameras[0]
    whole = 60_000 * float(camera.data_rate_bit_m(2.14))
    assert whole == pytest.approx(28_037.4 * camera.bits_per_pan_line(), rel=1e-5)


RADIOMETRY = Radiometry(
    transmission_qe=0.5,
    full_well_e=60_000.0,
    gain_e_dn=12.0,
    read_noise_e=30.0,
    dark_e_s=1000.0,
    prnu=0.01,
    snr=StatedSnr(value=105.0, radiance_w_m2_sr_um=100.0),
)


def exposing_camera(radiometry: Radiometry = RADIOMETRY, **changes: object) -> Camera:
    """Figures that make the signal easy to compute by hand, see the next test."""
    pan = Band(
        name="pan",
        pixels=10_000,
        pixel_pitch_m=13e-6,
        tdi_stages=10,
        bits=12,
        response_m=(550e-9, 650e-9),
        radiometry=radiometry,
    )
    optics: dict[str, object] = {"focal_length_m": 2.6, "aperture_m": 0.2, "line_period_s": 1e-4}
    return Camera(name="c", bands=(pan,), **optics | changes)  # type: ignore[arg-type]


def test_signal_and_noise_are_those_computed_by_hand() -> None:
    """Algebra by hand, h c from CODATA 2018.

    Pixel solid angle (13e-6 / 2.6)^2 = 2.5e-11 sr, aperture pi/4 0.2^2 = 0.0314159 m2, response
    0.1 um at 100 W/m2/sr/um: 7.85398e-12 W. A photon of 600 nm has 3.310743e-19 J: 2.372271e7 per
    second, half of them counted, for 10 lines of 1e-4 s: 11,861.4 electrons. Variance: 11,861.4
    (shot) + 1 (dark) + 900 (read) + 12 (quantisation), so SNR 104.95.
    """
    camera = exposing_camera()
    assert camera.exposure_s(camera.pan) == pytest.approx(1e-3, rel=1e-15)
    assert float(camera.signal_e(camera.pan, 100.0)) == pytest.approx(11_861.4, abs=0.2)
    assert float(camera.snr(camera.pan, 100.0)) == pytest.approx(104.95, abs=0.01)


@given(obscuration=st.floats(0, 0.3), stages=st.integers(8, 12))
def test_light_goes_with_the_open_aperture_and_the_stages(obscuration: float, stages: int) -> None:
    camera, base = exposing_camera(obscuration=obscuration), exposing_camera()
    share = float(camera.signal_e(camera.pan, 50.0) / base.signal_e(base.pan, 50.0))
    assert share == pytest.approx(1 - obscuration**2, rel=1e-12)
    more = replace(base.pan, tdi_stages=stages)
    assert float(base.signal_e(more, 50.0) / base.signal_e(base.pan, 50.0)) == pytest.approx(
        stages / 10, rel=1e-12
    )


def test_a_coarser_band_has_its_longer_line_time() -> None:
    camera = exposing_camera()
    blue = replace(camera.pan, name="blue", pixels=2_500, pixel_pitch_m=52e-6, tdi_stages=1)
    assert camera.line_ratio(blue) == 4
    assert camera.exposure_s(blue) == pytest.approx(4e-4, rel=1e-15)


@pytest.mark.parametrize(
    ("stated", "accepted"), [(86, True), (125, True), (83, False), (127, False)]
)
def test_a_stated_snr_must_fit_the_computed_one_within_20_per_cent(
    stated: float, accepted: bool
) -> None:
    """Computed: 104.95, so from 83.96 to 125.9."""
    radiometry = replace(RADIOMETRY, snr=StatedSnr(value=stated, radiance_w_m2_sr_um=100.0))
    if accepted:
        assert exposing_camera(radiometry).has_radiometry
        return
    with pytest.raises(MissionError) as caught:
        exposing_camera(radiometry)
    assert str(caught.value) == (
        f"camera 'c': band 'pan': snr is {stated} at 100 W/m2/sr/um, expected 104.9 within 20% "
        "from aperture, focal length, pitch, TDI, line period, transmission, response and noise"
    )


def test_a_radiance_that_saturates_the_well_is_refused() -> None:
    with pytest.raises(MissionError, match=r"gives 11861 electrons, expected at most 10000 "):
        exposing_camera(replace(RADIOMETRY, full_well_e=10_000.0, gain_e_dn=4.0))


def test_a_converter_far_beyond_the_well_is_refused() -> None:
    """12 bits of 50 electrons are 204,800, three times the well."""
    with pytest.raises(MissionError, match="gain_e_dn x 2\\^bits is 204800 electrons"):
        exposing_camera(replace(RADIOMETRY, gain_e_dn=50.0))


def test_radiometry_without_a_line_period_is_refused() -> None:
    with pytest.raises(MissionError, match="camera 'c': line_period_s is missing"):
        exposing_camera(line_period_s=None)


def test_a_camera_where_only_one_band_has_radiometry_is_refused() -> None:
    pan = exposing_camera().pan
    blue = replace(pan, name="blue", pixels=2_500, pixel_pitch_m=52e-6, radiometry=None)
    with pytest.raises(MissionError, match="band 'blue' has no radiometry"):
        replace(exposing_camera(), bands=(pan, blue))


def test_a_planning_camera_says_that_it_cannot_expose() -> None:
    camera = planning_camera()
    assert not camera.has_radiometry
    with pytest.raises(MissionError, match="band 'pan' has no radiometry"):
        camera.snr(camera.pan, 100.0)
    with pytest.raises(MissionError, match="has no line_period_s"):
        camera.exposure_s(camera.pan)


def test_bands_of_another_swath_are_refused(load: Load) -> None:
    with pytest.raises(MissionError) as caught:
        load(("pixels = 7000", "pixels = 6800"))
    assert str(caught.value).endswith(
        "mission.toml: camera 'naomi': band 'blue' is 6800 x 5.2e-05 m = 0.3536 m wide, expected "
        "that of 'pan' (0.364 m) within 2%"
    )
    assert load(("pixels = 7000", "pixels = 6900"))


FULL_PAN = """response_nm = [550, 650]
tdi_stages = 10
transmission_qe = 0.5
full_well_e = 60000
gain_e_dn = 12
read_noise_e = 30
dark_e_s = 1000
prnu = 0.01
snr = {value = 100, radiance_w_m2_sr_um = 100}
"""


def test_the_radiometric_keys_of_a_band_come_all_or_none(load: Load) -> None:
    with pytest.raises(MissionError) as caught:
        load(("response_nm = [450, 745]", FULL_PAN.replace("prnu = 0.01\n", "")))
    assert str(caught.value).endswith(
        "mission.toml: [camera.naomi] band 'pan': prnu missing, expected beside transmission_qe, "
        "full_well_e, gain_e_dn, read_noise_e, dark_e_s, snr"
    )


def test_a_camera_with_radiometry_loads_from_a_file(load: Load, mission_text: str) -> None:
    blue = mission_text.index("[camera.naomi.band.blue]")
    station = mission_text.index("[station.baku]")
    mission = load(
        ("focal_length_m = 4.216", "focal_length_m = 2.6\nline_period_s = 1e-4"),
        ("response_nm = [450, 745]", FULL_PAN),
        text=mission_text[:blue] + mission_text[station:],
    )
    camera = mission.cameras[0]
    assert camera.has_radiometry
    assert float(camera.snr(camera.pan, 100.0)) == pytest.approx(104.95, abs=0.01)


def test_chips_that_overlap_too_little_for_products_without_holes_are_refused() -> None:
    fields: dict[str, Any] = {"pixels": 28_000, "pixel_pitch_m": 13e-6, "bits": 12}
    fields |= {"name": "pan", "response_m": (450e-9, 745e-9), "chips": 4}
    assert Band(**fields, chip_overlap_pixels=8).chips == 4
    with pytest.raises(MissionError, match="chip_overlap_pixels is 7 between 4 chips"):
        Band(**fields, chip_overlap_pixels=7)
