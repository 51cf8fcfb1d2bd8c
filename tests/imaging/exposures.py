"""For tests of exposures: a small camera over Baku, its acquisition, scenes of a formula each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

import numpy as np

from humay.access import GroundLine, body_from_gcrf
from humay.arrays import FloatArray
from humay.earth import WGS84_A_M, ellipsoid_normal
from humay.frames import quaternion_from_rotation_vector, quaternion_product
from humay.imaging.scene import SpectralBand
from humay.mission import Band, Camera, Radiometry, Satellite, StatedSnr, load_mission
from humay.spacecraft import Acquisition, ControlError, KnowledgeError, Sweep, Trajectory
from humay.time import Epoch
from tests.conftest import REPOSITORY
from tests.sensor.flown import BAKU, ephemeris

LINE_S = 316e-6
NOON = Epoch(datetime(2019, 11, 2, 8, 30, tzinfo=UTC))  # by the Sun over Baku
Field = Callable[[FloatArray, FloatArray], FloatArray]
"""A value at metres east and north of Baku."""


def band(name: str, **changes: object) -> Band:
    """A band of the test camera: PAN, or four times coarser with an offset of its own."""
    pan = Band(
        name="pan", pixels=1024, pixel_pitch_m=13e-6, tdi_stages=10, bits=12,
        response_m=(450e-9, 745e-9), chips=2, chip_overlap_pixels=32, chip_stagger_pixels=16,
        radiometry=Radiometry(
            transmission_qe=0.36, full_well_e=90e3, gain_e_dn=20.0, read_noise_e=60.0,
            dark_e_s=2000.0, prnu=0.01, snr=StatedSnr(value=152, radiance_w_m2_sr_um=100),
        ),
    )  # fmt: skip
    assert pan.radiometry is not None
    if name != "pan":
        snr = StatedSnr(value=203, radiance_w_m2_sr_um=100)
        pan = replace(
            pan, name=name, pixels=256, pixel_pitch_m=52e-6, tdi_stages=1,
            response_m=(625e-9, 695e-9), chip_overlap_pixels=8, chip_stagger_pixels=4,
            along_track_offset_rad=2e-3,
            radiometry=replace(pan.radiometry, full_well_e=120e3, gain_e_dn=24.0, snr=snr),
        )  # fmt: skip
    return replace(pan, **changes)  # type: ignore[arg-type]  # a test's own keywords


def camera(**changes: object) -> Camera:
    small = Camera(
        name="small", focal_length_m=4.216, aperture_m=0.2, obscuration=0.35, line_period_s=LINE_S,
        distortion=0.01, bands=(band("pan"), band("red")),
    )  # fmt: skip
    return replace(small, **changes)  # type: ignore[arg-type]  # a test's own keywords


@cache
def _example() -> Satellite:
    return load_mission(REPOSITORY / "examples" / "azersky" / "mission.toml").satellite("spot-7")


def satellite(**changes: object) -> Satellite:
    return replace(_example(), camera=camera(**changes))


@cache
def _flown(off_nadir_deg: float) -> Trajectory:
    """As `tests.sensor.flown.flight`, by day, trembling by 1e-7 rad."""
    orbit = replace(ephemeris(off_nadir_deg), epoch=NOON)
    up = ellipsoid_normal(*BAKU)
    south = np.array([np.sin(BAKU[1]) * np.cos(BAKU[0]), np.sin(BAKU[1]) * np.sin(BAKU[0]), -1.0])
    line = GroundLine.centred(up, south, np.asarray(20e3), np.asarray(0.0))
    t_s = np.arange(-1.5, 4.5, 1 / 128)
    q = body_from_gcrf(orbit, line, np.zeros(t_s.shape), np.full(t_s.shape, 3.0), t_s)
    tremor = 1e-7 * np.sin(2 * np.pi * 7.0 * t_s)[:, None] * np.array([1.0, 0.7, -0.4])
    r, v = orbit.state_itrf(t_s)
    return Trajectory(
        epoch=NOON, t_s=t_s, r_itrf=r, v_itrf=v,
        body_from_gcrf=quaternion_product(quaternion_from_rotation_vector(tremor), q),
    )  # fmt: skip


def acquisition(off_nadir_deg: float = 0.0, seconds: float = 3.0) -> Acquisition:
    """20 km through Baku in three seconds, from t = 0, measured without an error."""
    none = np.zeros(3)
    return Acquisition(
        id="A0001", satellite="spot-7", request="Baku", strip="Baku/01", opportunity="o",
        camera="small", start_s=0.0, end_s=seconds, line_period_s=LINE_S, epoch=NOON, orbit=7,
        anx_offset_s=1234.5, true=_flown(off_nadir_deg), measured=_flown(off_nadir_deg),
        sweep=Sweep(along_m=0.0, across_m=0.0, miss_along_m=0.0, miss_across_m=0.0),
        control=ControlError(
            origin_s=0.0, cosine_rad=none, sine_rad=none, settling_s=0.0, decay_s=None,
            ringing_rad=none,
        ),
        knowledge=KnowledgeError(
            origin_s=0.0, position_m=none, bias_rad=none, drift_rad_s=none
        ),
    )  # fmt: skip


def metres(lon_rad: FloatArray, lat_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
    """East and north of Baku, on a sphere: only to draw with."""
    east = (lon_rad - BAKU[0]) * (WGS84_A_M * np.cos(BAKU[1]))
    return np.asarray(east), np.asarray((lat_rad - BAKU[1]) * WGS84_A_M)


def degrees_of(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude (rad) of metres east and north of Baku."""
    lon = BAKU[0] + east_m / (WGS84_A_M * np.cos(BAKU[1]))
    return float(lon), float(BAKU[1] + north_m / WGS84_A_M)


def flat(east_m: FloatArray, north_m: FloatArray) -> FloatArray:
    return np.full(np.shape(east_m + north_m), 20.0)


def hills(east_m: FloatArray, north_m: FloatArray) -> FloatArray:
    """Slopes of up to 30 deg, 600 m from deepest to highest."""
    return np.asarray(
        400.0 + 220.0 * np.sin(east_m / 700.0) * np.cos(north_m / 900.0 + 1.0)
        + 80.0 * np.sin((east_m + 0.7 * north_m) / 400.0)
    )  # fmt: skip


def grey(east_m: FloatArray, north_m: FloatArray) -> FloatArray:
    return np.full(np.shape(east_m + north_m), 0.2)


@dataclass(frozen=True, kw_only=True)
class DrawnScene:
    """Heights and reflectances by formula, the same in every band; no air, no slope shading."""

    height: Field = flat
    paint: Field = grey
    path: float = 0.0
    transmittance: float = 1.0

    def height_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        return self.height(*metres(lon_rad, lat_rad))

    def shading(
        self, lon_rad: FloatArray, lat_rad: FloatArray, sun_itrf_unit: FloatArray
    ) -> FloatArray:
        assert abs(float(sun_itrf_unit @ sun_itrf_unit) - 1) < 1e-12
        return np.ones(np.broadcast_shapes(np.shape(lon_rad), np.shape(lat_rad)))

    def reflectance(
        self, lon_rad: FloatArray, lat_rad: FloatArray, band: SpectralBand, footprint_m: float
    ) -> FloatArray:
        assert footprint_m > 0
        assert band.low_m < band.high_m
        return self.paint(*metres(lon_rad, lat_rad))

    def atmosphere(self, band: SpectralBand) -> tuple[float, float]:
        assert band.name
        return self.path, self.transmittance
