"""A pushbroom camera: optics, bands, and figures that have to agree with each other.

Formulas, with focal length f, aperture D, linear obscuration o, pixel pitch p, n pixels, N TDI
stages, PAN line period t, and for each band r = p / p_pan (its lines are r times as long and rare):

* pixel angle p / f; swath 2 atan(n p / 2 f);
* signal S of one pixel in electrons: L dl * A * W * q * N r t * l / (h c), with radiance L per
  micrometre, response dl wide about l, aperture A = pi/4 D^2 (1 - o^2), pixel solid angle
  W = (p / f)^2, and q = transmission x quantum efficiency;
* SNR = S / sqrt(S + dark N r t + read^2 + gain^2 / 12): shot, dark, read and quantisation noise.
  PRNU is not noise in this sense: calibration takes it out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from humay.arrays import FloatArray
from humay.errors import MissionError
from humay.mission.keys import Key, Named, Sub, Table, suggestion
from humay.mission.kinds import Interval, Number, Whole

PLANCK_J_S = 6.62607015e-34  # SI, exact
LIGHT_M_S = 299_792_458.0  # SI, exact
SNR_TOLERANCE = 0.20
SWATH_TOLERANCE = 0.02
LEAST_OVERLAP_PX = 8  # of butted chips: resampling needs two pixels beyond a seam on both


@dataclass(frozen=True, kw_only=True)
class StatedSnr:
    """Signal-to-noise ratio of one pixel at a radiance in W / (m2 sr um)."""

    value: float
    radiance_w_m2_sr_um: float

    def __post_init__(self) -> None:
        STATED_SNR.check(self)


STATED_SNR = Table(
    label="SNR",
    keys=(
        Key("value", Number(above=0), "ratio of signal to noise of one pixel"),
        Key("radiance_w_m2_sr_um", Number(above=0), "at-sensor radiance at which it holds"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Radiometry:
    """How one band turns light into numbers.

    `full_well_e` is the charge one pixel can hold after all its TDI stages, `gain_e_dn` the
    electrons per digital number, `dark_e_s` the dark current of one pixel, `prnu` the spread (one
    sigma) of the pixels' response.
    """

    transmission_qe: float
    full_well_e: float
    gain_e_dn: float
    read_noise_e: float
    dark_e_s: float
    prnu: float
    snr: StatedSnr

    def __post_init__(self) -> None:
        RADIOMETRY.check(self)


RADIOMETRY = Table(
    label="radiometry",
    keys=(
        Key(
            "transmission_qe",
            Number(above=0, at_most=1),
            "transmission of the optics x quantum efficiency, mean over the response",
        ),
        Key("full_well_e", Number(above=0), "electrons one pixel holds after all its TDI stages"),
        Key("gain_e_dn", Number(above=0), "electrons per digital number"),
        Key("read_noise_e", Number(at_least=0), "electrons of read noise, one sigma"),
        Key("dark_e_s", Number(at_least=0), "electrons of dark current per second"),
        Key("prnu", Number(at_least=0, below=1), "spread of the pixels' response, one sigma"),
        Key(
            "snr",
            Sub(table=STATED_SNR, make=StatedSnr),
            "stated signal-to-noise ratio `{value, radiance_w_m2_sr_um}`",
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Band:
    """One row of detectors behind its filter. `radiometry` may be absent: enough for planning.

    The row is `chips` pieces of equal length, each of which sees `chip_overlap_pixels` of what its
    neighbour sees; odd ones lie `chip_stagger_pixels` forward of the row, even ones as far behind.
    """

    name: str
    pixels: int
    pixel_pitch_m: float
    tdi_stages: int = 1
    bits: int
    response_m: tuple[float, float]
    along_track_offset_rad: float = 0.0
    chips: int = 1
    chip_overlap_pixels: int = 0
    chip_stagger_pixels: float = 0.0
    radiometry: Radiometry | None = None

    def __post_init__(self) -> None:
        BAND.check(self)
        if self.pixels % self.chips:
            raise MissionError(
                f"band {self.name!r}: {self.pixels} pixels on {self.chips} chips, expected as many "
                f"on each"
            )
        if self.chips > 1 and self.chip_overlap_pixels < LEAST_OVERLAP_PX:
            raise MissionError(
                f"band {self.name!r}: chip_overlap_pixels is {self.chip_overlap_pixels} between "
                f"{self.chips} chips, expected at least {LEAST_OVERLAP_PX}: with less, products "
                "have holes along the seams"
            )
        if self.chip_overlap_pixels > self.pixels // self.chips:
            raise MissionError(
                f"band {self.name!r}: chip_overlap_pixels is {self.chip_overlap_pixels}, expected "
                f"at most the {self.pixels // self.chips} pixels of a chip"
            )

    @property
    def width_m(self) -> float:
        """Length of the row of detectors."""
        return self.pixels * self.pixel_pitch_m


BAND = Table(
    label="band",
    keys=(
        Key("pixels", Whole(at_least=1, at_most=1_000_000), "detectors in the row"),
        Key("pixel_pitch_m", Number(above=0, at_most=1e-3), "from one detector to the next"),
        Key("tdi_stages", Whole(at_least=1, at_most=4096), "lines added up on the chip", default=1),
        Key("bits", Whole(at_least=1, at_most=16), "of one recorded pixel"),
        Key("response_nm", Interval(200, 15_000), "where the response begins and ends"),
        Key(
            "along_track_offset_mrad",
            Number(at_least=-200, at_most=200),
            "field angle of the row from the optical axis, forward positive",
            default=0.0,
        ),
        Key("chips", Whole(at_least=1, at_most=100), "pieces the row is made of", default=1),
        Key(
            "chip_overlap_pixels",
            Whole(at_least=0, at_most=10_000),
            "pixels that neighbouring chips see alike; 8 at least where there are several chips",
            default=0,
        ),
        Key(
            "chip_stagger_pixels",
            Number(at_least=-10_000, at_most=10_000),
            "how far forward of the row the odd chips lie, and the even ones behind",
            default=0.0,
        ),
        *(replace(key, default=None) for key in RADIOMETRY.keys),
    ),
    rules={
        "dependentRequired": {
            name: [other for other in RADIOMETRY.names if other != name]
            for name in RADIOMETRY.names
        }
    },
)


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A line-scan camera: the orbit sweeps rows of detectors over the ground.

    `bands` hold exactly one named `pan`, whose line period over nadir is `line_period_s`; a band of
    coarser pixels records fewer, longer lines. `compression` is bits recorded over bits stored.
    `distortion` is the shift of a field angle across the track at the edge of the swath, as a share
    of the angle; it grows with its cube. `product_pixel_m` is the PAN pixel on maps.
    """

    name: str
    focal_length_m: float
    aperture_m: float
    obscuration: float = 0.0
    line_period_s: float | None = None
    scene_length_m: float = 20_000.0
    compression: float = 1.0
    distortion: float = 0.0
    product_pixel_m: float | None = None
    bands: tuple[Band, ...]

    def __post_init__(self) -> None:
        CAMERA.check(self)
        names = [band.name for band in self.bands]
        if names.count("pan") != 1 or len(set(names)) != len(names):
            self._refuse(f"bands are {names}, expected different names and exactly one 'pan'")
        for band in self.bands:
            self._check_swath(band)
        if any(band.radiometry for band in self.bands):
            self._check_radiometry()

    def band(self, name: str) -> Band:
        for band in self.bands:
            if band.name == name:
                return band
        known = [band.name for band in self.bands]
        raise MissionError(f"camera {self.name!r}: no band {name!r}{suggestion(name, known)}")

    @property
    def pan(self) -> Band:
        return self.band("pan")

    @property
    def has_radiometry(self) -> bool:
        """Whether the camera can expose images; without, it can only be planned with."""
        return self.pan.radiometry is not None

    @property
    def ifov_rad(self) -> float:
        """Angle seen by one PAN pixel."""
        return self.pan.pixel_pitch_m / self.focal_length_m

    @property
    def swath_rad(self) -> float:
        """Full angle across the track seen by the PAN row."""
        return 2 * math.atan(self.pan.width_m / (2 * self.focal_length_m))

    def gsd_m(self, range_m: FloatArray | float) -> FloatArray:
        """PAN pixel at a distance, measured across the line of sight (no tilt of the ground)."""
        return np.asarray(np.asarray(range_m, dtype=np.float64) * self.ifov_rad)

    def line_ratio(self, band: Band) -> float:
        """PAN lines for each line of a band."""
        return band.pixel_pitch_m / self.pan.pixel_pitch_m

    def bits_per_pan_line(self) -> float:
        """Bits stored while PAN records one line: sum of pixels x bits / line ratio, compressed."""
        raw = sum(band.pixels * band.bits / self.line_ratio(band) for band in self.bands)
        return raw / self.compression

    def data_rate_bit_m(self, gsd_along_m: FloatArray | float) -> FloatArray:
        """Bits stored per metre of strip where PAN lines lie `gsd_along_m` apart on the ground."""
        return np.asarray(self.bits_per_pan_line() / np.asarray(gsd_along_m, dtype=np.float64))

    def exposure_s(self, band: Band) -> float:
        """Time one pixel of a band gathers light: its TDI stages times its line period."""
        if self.line_period_s is None:
            self._refuse("has no line_period_s, expected one for an exposure")
        return band.tdi_stages * self.line_ratio(band) * self.line_period_s

    def signal_e(self, band: Band, radiance_w_m2_sr_um: FloatArray | float) -> FloatArray:
        """Electrons one pixel gathers from a uniform scene (formula at the head of this module)."""
        radiometry = self._radiometry(band)
        low_m, high_m = band.response_m
        area_m2 = math.pi / 4 * self.aperture_m**2 * (1 - self.obscuration**2)
        solid_angle_sr = (band.pixel_pitch_m / self.focal_length_m) ** 2
        photons_per_joule = (low_m + high_m) / 2 / (PLANCK_J_S * LIGHT_M_S)
        electrons_per_radiance = (
            (high_m - low_m) * 1e6 * area_m2 * solid_angle_sr * photons_per_joule
            * radiometry.transmission_qe * self.exposure_s(band)
        )  # fmt: skip
        return np.asarray(np.asarray(radiance_w_m2_sr_um, np.float64) * electrons_per_radiance)

    def snr(self, band: Band, radiance_w_m2_sr_um: FloatArray | float) -> FloatArray:
        """Signal-to-noise ratio of one pixel (formula at the head of this module)."""
        radiometry = self._radiometry(band)
        signal_e = self.signal_e(band, radiance_w_m2_sr_um)
        variance_e2 = (
            signal_e
            + radiometry.dark_e_s * self.exposure_s(band)
            + radiometry.read_noise_e**2
            + radiometry.gain_e_dn**2 / 12
        )
        return np.asarray(signal_e / np.sqrt(variance_e2))

    def _radiometry(self, band: Band) -> Radiometry:
        if band.radiometry is None:
            self._refuse(f"band {band.name!r} has no radiometry, expected {RADIOMETRY.names}")
        return band.radiometry

    def _check_swath(self, band: Band) -> None:
        if abs(band.width_m / self.pan.width_m - 1) > SWATH_TOLERANCE:
            self._refuse(
                f"band {band.name!r} is {band.pixels} x {band.pixel_pitch_m:g} m = "
                f"{band.width_m:g} m wide, expected that of 'pan' ({self.pan.width_m:g} m) within "
                f"{SWATH_TOLERANCE:.0%}"
            )

    def _check_radiometry(self) -> None:
        if self.line_period_s is None:
            self._refuse("line_period_s is missing, expected it beside the radiometric keys")
        for band in self.bands:
            self._check_levels(band)
            self._check_stated_snr(band)

    def _check_levels(self, band: Band) -> None:
        """The converter fits the well, and the radiance of the stated SNR saturates neither."""
        radiometry = self._radiometry(band)
        full_scale_e = radiometry.gain_e_dn * 2**band.bits
        if full_scale_e > 2 * radiometry.full_well_e:
            self._refuse(
                f"band {band.name!r}: gain_e_dn x 2^bits is {full_scale_e:g} electrons, expected "
                f"at most twice full_well_e ({radiometry.full_well_e:g})"
            )
        stated = radiometry.snr
        signal_e = float(self.signal_e(band, stated.radiance_w_m2_sr_um))
        ceiling_e = min(full_scale_e, radiometry.full_well_e)
        if signal_e > ceiling_e:
            self._refuse(
                f"band {band.name!r}: the radiance of its snr ({stated.radiance_w_m2_sr_um:g} "
                f"W/m2/sr/um) gives {signal_e:.0f} electrons, expected at most {ceiling_e:.0f} "
                f"(the lower one of full_well_e and gain_e_dn x 2^bits)"
            )

    def _check_stated_snr(self, band: Band) -> None:
        stated = self._radiometry(band).snr
        computed = float(self.snr(band, stated.radiance_w_m2_sr_um))
        if not abs(stated.value - computed) <= SNR_TOLERANCE * computed:
            self._refuse(
                f"band {band.name!r}: snr is {stated.value:g} at {stated.radiance_w_m2_sr_um:g} "
                f"W/m2/sr/um, expected {computed:.1f} within {SNR_TOLERANCE:.0%} from aperture, "
                f"focal length, pitch, TDI, line period, transmission, response and noise"
            )

    def _refuse(self, what: str) -> NoReturn:
        raise MissionError(f"camera {self.name!r}: {what}")


def _band(name: str, **values: Any) -> Band:
    """A band from the fields of its table, where radiometry stands flat beside the rest."""
    group = {field: values.pop(field) for field in RADIOMETRY.names}
    missing = [field for field, value in group.items() if value is None]
    if len(missing) == len(group):
        return Band(name=name, **values)
    if missing:
        given = [field for field in group if field not in missing]
        raise MissionError(
            f"band {name!r}: {', '.join(missing)} missing, expected beside {', '.join(given)}"
        )
    return Band(name=name, radiometry=Radiometry(**group), **values)


def camera_from_fields(name: str, band: dict[str, Band], **optics: Any) -> Camera:
    """A camera from the fields of its table."""
    return Camera(name=name, bands=tuple(band.values()), **optics)


CAMERA = Table(
    label="camera",
    keys=(
        Key("focal_length_m", Number(above=0, at_most=1000), "of the telescope"),
        Key("aperture_m", Number(above=0, at_most=20), "diameter of the entrance pupil"),
        Key(
            "obscuration",
            Number(at_least=0, below=1),
            "diameter of the central obscuration over that of the aperture",
            default=0.0,
        ),
        Key(
            "line_period_s",
            Number(above=0, at_most=1),
            "from one PAN line to the next over nadir, where the `snr` is stated; elsewhere lines "
            "follow the image's motion; needed with the radiometric keys",
            default=None,
        ),
        Key(
            "scene_length_km",
            Number(above=0, at_most=2000),
            "length of the strip that images a point",
            default=20.0,
        ),
        Key(
            "compression",
            Number(at_least=1, at_most=100),
            "bits recorded over bits stored",
            default=1.0,
        ),
        Key(
            "distortion",
            Number(at_least=-0.1, at_most=0.1),
            "of the field angle across the track at the edge of the swath, growing with its cube",
            default=0.0,
        ),
        Key(
            "product_pixel_m",
            Number(above=0, at_most=10_000),
            "PAN pixel of products on maps; without it the sampling at nadir, rounded down to two "
            "digits",
            default=None,
        ),
        Key(
            "band",
            Named(table=BAND, make=_band, must_have=("pan",)),
            "the rows of detectors, `[camera.NAME.band.pan]` and others",
        ),
    ),
)
