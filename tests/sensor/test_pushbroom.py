"""The rigorous model against first principles: photons, Snell's law, and its own inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from humay.arrays import FloatArray, dot, norm, unit
from humay.earth import LIGHT_M_S, ellipsoid_normal, geodetic_from_itrf, itrf_from_geodetic
from humay.errors import SensorError
from humay.frames import inertial_velocity, itrf_from_gcrf, rotate
from humay.sensor import Pushbroom, heading_rad, pushbroom
from tests.sensor.flown import BAKU, SWEEP_S, flight

PIXEL_RAD = 13e-6 / 4.216  # SPOT 7's
LINE_S = 316e-6
PLAIN, ROLLED, SHAKEN = flight(), flight(28.0), flight(28.0, wobble_rad=2e-6)


def camera(trajectory: object = PLAIN, along: float = 0.0, distortion: float = 0.0) -> Pushbroom:
    """28,000 pixels of SPOT 7's size, the middle one on the axis."""
    half = 14_000.0
    x = np.array([-half, 1.0, 0.0, 0.0]) * PIXEL_RAD
    cubic = distortion * PIXEL_RAD / half**2 * np.array([-(half**3), 3 * half**2, -3 * half, 1.0])
    return Pushbroom(
        trajectory=trajectory,  # type: ignore[arg-type]  # a default of the module
        first_line_s=0.0,
        line_period_s=LINE_S,
        along=np.array([along - 14e-6, 1e-9]),
        across=x + cubic,
    )


pixels = {
    "row": st.floats(-500, SWEEP_S / LINE_S + 500),
    "col": st.floats(-100, 28_100),
    "height_m": st.floats(-400, 8_800),
}


@given(**pixels)
@pytest.mark.parametrize("trajectory", [PLAIN, ROLLED, SHAKEN], ids=["nadir", "28 deg", "shaken"])
def test_there_and_back_again(trajectory: object, row: float, col: float, height_m: float) -> None:
    model = camera(trajectory, along=0.002, distortion=0.01)
    lon, lat = model.locate(*(np.asarray(x) for x in (row, col, height_m)))
    again = model.project(lon, lat, np.asarray(height_m))
    assert np.allclose(again, (row, col), rtol=0, atol=2e-5)  # 40 micrometres on the ground


def test_any_shapes_broadcast_to_the_same_values() -> None:
    model = camera(ROLLED)
    row, col = np.linspace(0, 9_000, 7)[:, None], np.linspace(0, 27_999, 5)
    lon, lat = model.locate(row, col, np.asarray(100.0))
    assert lon.shape == lat.shape == (7, 5)
    one = model.locate(row[3], col[2], np.asarray(100.0))
    assert lon[3, 2] == one[0][0]
    assert lat[3, 2] == one[1][0]


def apparent_direction(velocity: FloatArray, look: FloatArray) -> FloatArray:
    """Where a moving eye sees a source in direction `look`: Einstein (1905), section 7."""
    beta = velocity / LIGHT_M_S
    gamma = 1 / np.sqrt(1 - dot(beta, beta))
    along = dot(beta, look)
    scale = 1 / (gamma * (1 + along))
    return unit(
        scale[..., None] * (look + (gamma + gamma**2 / (gamma + 1) * along)[..., None] * beta)
    )


def test_a_photon_from_the_ground_arrives_in_the_direction_of_its_pixel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From the place, when light left it, in GCRF, with the aberration of special relativity."""
    monkeypatch.setattr(pushbroom, "REFRACTIVITY", 0.0)
    model = camera(SHAKEN, along=0.002)
    rng = np.random.default_rng(1)
    row, col, height = rng.uniform((0, 0, 0), (9_000, 28_000, 3_000), (200, 3)).T
    place = itrf_from_geodetic(*model.locate(row, col, height), height)
    t = row * LINE_S
    r, v = SHAKEN.state(t)
    now = itrf_from_gcrf(SHAKEN.epoch, t)
    eye, speed = (np.einsum("nji,nj->ni", now, x) for x in (r, inertial_velocity(r, v)))
    left = t - norm(place - r) / LIGHT_M_S
    for _ in range(3):
        source = np.einsum("nji,nj->ni", itrf_from_gcrf(SHAKEN.epoch, left), place)
        left = t - norm(source - eye) / LIGHT_M_S
    seen = rotate(SHAKEN.attitude(t), apparent_direction(speed, unit(source - eye)))
    expected = unit(
        np.stack([0.002 + 1e-9 * (col - 14_000), (col - 14_000) * PIXEL_RAD, np.ones(200)], axis=-1)
    )
    assert norm(seen - expected).max() < 1e-9  # 1 mm on the ground


def test_aberration_and_light_time_have_their_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """v / c x range behind the satellite: 7.51 km/s / c x 694 km = 17.4 m, and 1 m eastward."""
    monkeypatch.setattr(pushbroom, "REFRACTIVITY", 0.0)
    model = camera(PLAIN)
    t = SWEEP_S / 2
    lon, lat = model.locate(np.asarray(t / LINE_S), np.asarray(14_000.0), np.asarray(0.0))
    shift = itrf_from_geodetic(lon, lat, np.asarray(0.0)) - itrf_from_geodetic(
        np.asarray(BAKU[0]), np.asarray(BAKU[1]), np.asarray(0.0)
    )
    east = np.array([-np.sin(BAKU[0]), np.cos(BAKU[0]), 0.0])
    north = np.cross(ellipsoid_normal(*BAKU), east)
    range_m = 694e3 + 8.9e3  # the ellipsoid lies 21.4 km x sin2 of the latitude lower here
    assert shift @ north == pytest.approx(7_508 / LIGHT_M_S * range_m, abs=0.2)
    # The light left 2.3 ms ago, when the ground was 0.8 m less far east; and in axes that turn the
    # satellite moves westward by the same, which leaves the aberration of that part.
    assert abs(shift @ east) < 1.0


@pytest.mark.parametrize("off_nadir_deg", [10.0, 20.0, 30.0, 40.0])
def test_refraction_is_that_of_a_ray_through_shells_of_air(off_nadir_deg: float) -> None:
    """Snell's law on a sphere, n r sin z constant, integrated from the ground up in 1 m shells."""
    radius, step = 6_371_000.0, 1.0
    altitude = np.arange(0.0, 120e3, step) + step / 2
    n = 1 + 2.77e-4 * np.exp(-altitude / 8_000.0)
    top = radius + 120e3
    z_top = np.arcsin(np.sin(np.radians(off_nadir_deg)) * (radius + 694e3) / top)
    sine = top * np.sin(z_top) / (n * (radius + altitude))
    turned = np.sum(sine / np.sqrt(1 - sine**2) / (radius + altitude)) * step
    straight = np.arcsin(top * np.sin(z_top) / radius) - z_top  # angle at the Earth's centre
    expected_m = (straight - turned) * radius

    place = np.array([radius, 0.0, 0.0])
    angle = np.arcsin(top * np.sin(z_top) / radius) - np.radians(off_nadir_deg)
    satellite = (radius + 694e3) * np.array([np.cos(angle), np.sin(angle), 0.0])
    shift = pushbroom._refraction(place, unit(place), satellite, np.asarray(0.0))
    assert np.linalg.norm(shift) == pytest.approx(expected_m, rel=0.01)
    assert shift[1] < 0  # the straight line meets the ground farther from the satellite


def test_rows_rise_in_the_direction_of_flight_and_columns_to_the_right() -> None:
    model = camera(PLAIN)
    assert np.degrees(heading_rad(model, 4_000.0, 14_000.0, 0.0)) == pytest.approx(180.0, abs=0.3)
    lon, _ = model.locate(np.asarray(4_000.0), np.array([13_000.0, 15_000.0]), np.asarray(0.0))
    assert lon[1] < lon[0]  # flying south, the right is west


def test_a_place_that_no_line_sees_has_no_pixel() -> None:
    model = camera(PLAIN)
    row, col = model.project(np.asarray(BAKU[0]), np.asarray(BAKU[1] - 0.05), np.asarray(0.0))
    assert np.isnan(row)
    assert np.isnan(col)


def test_a_place_without_a_height_has_no_pixel_and_spoils_no_other() -> None:
    model = camera(PLAIN)
    height = np.array([0.0, np.nan])
    row, col = model.project(np.asarray(BAKU[0]), np.asarray(BAKU[1]), height)
    assert np.isfinite(row[0])
    assert np.isnan(row[1])
    assert np.isnan(col[1])


def test_a_look_past_the_earth_is_refused() -> None:
    with pytest.raises(SensorError, match="pass the Earth by"):
        camera(PLAIN, along=3.0).locate(np.asarray(0.0), np.asarray(0.0), np.asarray(0.0))


def test_heights_are_met_to_a_micrometre() -> None:
    """Of the plane's step after the longer ellipsoid."""
    model = camera(ROLLED)
    r = ROLLED.position(np.zeros(3))
    height = np.array([-400.0, 0.0, 8_800.0])
    look = unit(itrf_from_geodetic(BAKU[0], BAKU[1], np.asarray(0.0)) - r)
    found = geodetic_from_itrf(pushbroom._meet(r, look, height))[2]
    assert np.abs(found - height).max() < 1e-5
    assert model.line_time_s(np.asarray(10.0)) == pytest.approx(3.16e-3)
