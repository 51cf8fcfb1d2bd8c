"""RPCs fitted to models: to RPCs they must give back, and to a sweep of the Earth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from humay.arrays import FloatArray, cross, dot, unit
from humay.earth import WGS84_A_M, WGS84_B_M, geodetic_from_itrf
from humay.errors import SensorError
from humay.frames import EARTH_RATE_RAD_S
from humay.sensor.pushbroom import Pushbroom
from humay.sensor.real.files import read_rpc
from humay.sensor.rpc_fit import fit_rpc
from tests.sensor.flown import flight
from tests.sensor.rpcs import ALL, places_in_domain

ROWS, COLS = (0.0, 27_999.0), (0.0, 27_999.0)


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A row of detectors on a circular orbit of SPOT 7, rolled; written for this test alone.

    `shake_rad` tilts it along the track by a sine of 2 s: what no polynomial of degree 3 follows.
    """

    roll_rad: float = np.radians(20.0)
    start_rad: float = 0.6
    node_rad: float = 0.0
    shake_rad: float = 0.0

    def locate(
        self, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        t_s = 3.1e-4 * row
        r = self._position(t_s)
        down, forward = -unit(r), unit(self._position(t_s + 0.5) - self._position(t_s - 0.5))
        right = cross(down, forward)
        side = self.roll_rad + 3.08e-6 * (col - 14_000)
        ahead = self.shake_rad * np.sin(np.pi * t_s)
        look = unit(
            np.cos(side)[..., None] * down
            + np.sin(side)[..., None] * right
            + ahead[..., None] * forward
        )
        # The ellipsoid blown up by the height: not quite the surface of that height, but a surface.
        stretch = np.stack([1 / (WGS84_A_M + height_m)] * 2 + [1 / (WGS84_B_M + height_m)], -1)
        a, b = r * stretch, look * stretch
        half = dot(a, b)
        range_m = (-half - np.sqrt(half**2 - dot(b, b) * (dot(a, a) - 1))) / dot(b, b)
        lon_rad, lat_rad, _ = geodetic_from_itrf(r + range_m[..., None] * look)
        return lon_rad, lat_rad

    def project(
        self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        raise AssertionError(f"a fit asks only where pixels look: {lon_rad, lat_rad, height_m}")

    def _position(self, t_s: FloatArray) -> FloatArray:
        u, tilt = self.start_rad + 1.0627e-3 * t_s, np.radians(98.2)
        node = self.node_rad - EARTH_RATE_RAD_S * t_s
        x, y, z = np.cos(u), np.sin(u) * np.cos(tilt), np.sin(u) * np.sin(tilt)
        turned = (x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node), z)
        return 7_072e3 * np.stack(turned, axis=-1)


@pytest.mark.parametrize("name", ALL)
def test_an_rpc_fitted_to_an_rpc_is_that_rpc(name: str, data_dir: Path) -> None:
    """Within 1e-4 px over the domain that it was fitted on, asked the other way round."""
    model = read_rpc(data_dir / "imagery" / name)
    lon_rad, lat_rad, height_m = places_in_domain(model, 2_000)
    row, col = model.project(lon_rad, lat_rad, height_m)
    fitted, residual = fit_rpc(
        model,
        rows=(float(row.min()), float(row.max())),
        cols=(float(col.min()), float(col.max())),
        heights_m=model.height_m.domain,
    )
    again = fitted.project(lon_rad, lat_rad, height_m)
    assert np.abs(np.array(again) - (row, col)).max() < 1e-4
    assert residual.rms_px <= residual.max_px < 1e-4


@pytest.mark.parametrize("roll_deg", [0.0, 20.0, -30.0])
def test_a_sweep_is_followed_to_a_hundredth_of_a_pixel(roll_deg: float) -> None:
    """60 x 60 km from 0 to 2,500 m. CNES reaches 0.0075 px over a Pleiades scene (its grids)."""
    model = Sweep(roll_rad=float(np.radians(roll_deg)))
    rpc, residual = fit_rpc(model, rows=ROWS, cols=COLS, heights_m=(0.0, 2_500.0))
    assert residual.max_px < 0.01
    row, col, height_m = np.random.default_rng(5).uniform(0, 1, (3, 5_000))
    row, col, height_m = row * ROWS[1], col * COLS[1], height_m * 2_500
    again = rpc.project(*model.locate(row, col, height_m), height_m)
    assert np.hypot(*(np.array(again) - (row, col))).max() < 1.1 * residual.max_px


@pytest.mark.parametrize("off_nadir_deg", [0.0, 30.0])
def test_the_rigorous_model_is_followed_over_its_whole_swath(off_nadir_deg: float) -> None:
    """19 x 60 km with light time, aberration and refraction; the attitude is smooth."""
    model = Pushbroom(
        trajectory=flight(off_nadir_deg),
        first_line_s=0.0,
        line_period_s=3.1e-4,
        along=np.array([1e-3, 0.0]),
        across=np.array([-0.0431, 3.08e-6]),
    )
    _, residual = fit_rpc(model, rows=(0.0, 9_000.0), cols=COLS, heights_m=(-30.0, 1_500.0))
    assert residual.max_px < 1e-4


@pytest.mark.parametrize("shake_rad", [1e-7, 2e-6, 1e-5])
def test_the_residual_shows_what_an_rpc_cannot_follow(shake_rad: float) -> None:
    """A shake of 2 microradians at 694 km is 1.5 m, 0.7 px. Undamped, such a fit has a pole."""
    rpc, residual = fit_rpc(
        Sweep(shake_rad=shake_rad), rows=ROWS, cols=COLS, heights_m=(0.0, 500.0)
    )
    shake_px = shake_rad * 694e3 / np.cos(np.radians(22.0)) / 2.1
    assert 0.4 * shake_px < residual.rms_px < residual.max_px < 2 * shake_px
    assert np.abs(rpc.row_den[1:]).sum() < 0.5


def test_a_sweep_over_the_antimeridian_is_like_any_other() -> None:
    lon_rad, _ = Sweep().locate(np.array(14_000.0), np.array(14_000.0), np.array(0.0))
    model = Sweep(node_rad=float(np.pi - lon_rad))
    rpc, residual = fit_rpc(model, rows=ROWS, cols=COLS, heights_m=(0.0, 2_500.0))
    assert abs(abs(rpc.lon_deg.offset) - 180) < 1
    assert rpc.lon_deg.scale < 1
    assert residual.max_px < 0.01


def test_a_model_without_a_place_is_refused() -> None:
    class Blind(Sweep):
        def locate(
            self, row: FloatArray, col: FloatArray, height_m: FloatArray
        ) -> tuple[FloatArray, FloatArray]:
            lon_rad, lat_rad = super().locate(row, col, height_m)
            return np.where(row > 100, np.nan, lon_rad), lat_rad

    with pytest.raises(SensorError, match="no place for row"):
        fit_rpc(Blind(), rows=ROWS, cols=COLS, heights_m=(0.0, 500.0))


@pytest.mark.parametrize("heights_m", [(100.0, 100.0), (500.0, np.nan)])
def test_a_range_must_be_one(heights_m: tuple[float, float]) -> None:
    with pytest.raises(SensorError):
        fit_rpc(Sweep(), rows=ROWS, cols=COLS, heights_m=heights_m)
