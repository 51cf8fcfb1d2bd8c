"""`RawImage`: what came down from one exposure, and all the ground needs to make use of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from humay.arrays import BoolArray, FloatArray, frozen
from humay.errors import SensorError
from humay.mission import Navigation
from humay.sensor.pushbroom import Pushbroom
from humay.spacecraft import Trajectory
from humay.time import Epoch


@dataclass(frozen=True, kw_only=True)
class BandFacts:
    """What a band measures: its response (m, a box), and sunlight in it at 1 au, W / (m2 um)."""

    name: str
    response_m: tuple[float, float]
    solar_irradiance_w_m2_um: float

    def __post_init__(self) -> None:
        low, high = self.response_m
        if not 0 < low < high < 1e-4 or not 0 < self.solar_irradiance_w_m2_um < 1e4:
            raise SensorError(
                f"band {self.name!r}: response {self.response_m} m, irradiance "
                f"{self.solar_irradiance_w_m2_um}, expected 0 < low < high < 1e-4 and 0 to 1e4"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """What turns the numbers of one chip into radiance, one value a column where arrays.

    Radiance in W / (m2 sr um) is (DN - dark_dn) / response x radiance_per_dn; a pixel at or above
    `saturation_dn` is saturated. `gain_e_dn` electrons make one DN; `read_noise_e` is one sigma.
    """

    version: str
    valid_from: datetime
    valid_to: datetime
    dark_dn: FloatArray
    response: FloatArray
    radiance_per_dn: float
    saturation_dn: int
    gain_e_dn: float
    read_noise_e: float

    def __post_init__(self) -> None:
        for name in ("dark_dn", "response"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        if self.dark_dn.ndim != 1 or self.dark_dn.shape != self.response.shape:
            raise SensorError(
                f"calibration {self.version}: {self.dark_dn.shape} dark and {self.response.shape} "
                "responses, expected one of both for each column"
            )
        good = np.isfinite(self.dark_dn).all() and np.all(self.response > 0)
        if not good or not np.isfinite(self.response).all():
            raise SensorError(f"calibration {self.version}: a dark or response is no number > 0")
        for name, high in (("radiance_per_dn", 1e4), ("gain_e_dn", 1e6), ("read_noise_e", 1e6)):
            value = getattr(self, name)
            if not (0 < value < high or (value == 0 and name == "read_noise_e")):
                raise SensorError(
                    f"calibration {self.version}: {name} is {value}, expected 0 to {high:g}"
                )
        if self.saturation_dn not in range(1, 65_536):
            raise SensorError(
                f"calibration {self.version}: saturation_dn is {self.saturation_dn}, expected a "
                "whole number from 1 to 65535"
            )

    def radiance(self, dn: NDArray[np.uint16]) -> FloatArray:
        """At-sensor radiance (rows, cols) in W / (m2 sr um)."""
        return np.asarray((dn - self.dark_dn) / self.response * self.radiance_per_dn)

    def noise(self, radiance: FloatArray) -> FloatArray:
        """Standard deviation of the radiance of one pixel (rows, cols): shot, dark, read, rounding.

        A pixel gathers gain x DN electrons, dark ones included; what it reads has the variance of
        these, of the read noise, and of a step of one DN (1/12).
        """
        dn = radiance / self.radiance_per_dn * self.response + self.dark_dn
        variance_e2 = self.gain_e_dn * dn + self.read_noise_e**2 + self.gain_e_dn**2 / 12
        return np.asarray(
            np.sqrt(variance_e2) / self.gain_e_dn / self.response * self.radiance_per_dn
        )

    def saturated(self, dn: NDArray[np.uint16]) -> BoolArray:
        """Where a pixel tells only that there was more light than it can count."""
        return np.asarray(dn >= self.saturation_dn)


@dataclass(frozen=True, kw_only=True, eq=False)
class Chip:
    """What one chip of a band recorded: `dn` (rows, cols), when and where it looked.

    `first_detector` is the place of column 0 on the chip. Of neighbouring chips that see the same,
    each answers for its `own_columns` (first, end), which meet in the middle of the overlap.
    """

    band: str
    index: int
    first_detector: int
    own_columns: tuple[int, int]
    first_line_s: float
    line_period_s: float
    along: FloatArray
    across: FloatArray
    dn: NDArray[np.uint16]
    calibration: Calibration

    def __post_init__(self) -> None:
        for name in ("along", "across"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        pixels = np.asarray(self.dn)
        where = f"band {self.band!r} chip {self.index}"
        if pixels.ndim != 2 or pixels.dtype != np.uint16 or min(pixels.shape) < 4:
            raise SensorError(
                f"{where}: pixels are {pixels.shape} of {pixels.dtype}, expected uint16, two "
                "dimensions of at least 4"
            )
        pixels = pixels.view()
        pixels.setflags(write=False)
        object.__setattr__(self, "dn", pixels)
        first, end = self.own_columns
        whole = isinstance(first, int) and isinstance(end, int)
        if not whole or not 0 <= first < end <= pixels.shape[1]:
            raise SensorError(
                f"{where}: own_columns are {first} to {end}, expected whole numbers from 0 to "
                f"{pixels.shape[1]}"
            )
        if self.calibration.dark_dn.size != pixels.shape[1]:
            raise SensorError(
                f"{where}: calibration of {self.calibration.dark_dn.size} columns, expected "
                f"{pixels.shape[1]}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        rows, cols = self.dn.shape
        return rows, cols

    def model(self, trajectory: Trajectory) -> Pushbroom:
        """The sensor model of this array of pixels on a way flown."""
        return Pushbroom(
            trajectory=trajectory,
            first_line_s=self.first_line_s,
            line_period_s=self.line_period_s,
            along=self.along,
            across=self.across,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RawImage:
    """One exposure as the ground has it: pixels, when and where they looked as far as is known.

    `trajectory` is the measured one, `navigation` how well it is known. `source` tells where the
    image comes from: mission, plan, acquisition, strip, request, orbit; names and numbers only.
    """

    name: str
    satellite: str
    camera: str
    trajectory: Trajectory
    navigation: Navigation
    bands: Mapping[str, BandFacts]
    chips: tuple[Chip, ...]
    product_pixel_m: float
    mtf_nyquist: Mapping[str, float]
    source: Mapping[str, str | int | float | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.name and self.satellite and self.camera):
            raise SensorError("name, satellite or camera are empty, expected all three")
        if not 0 < self.product_pixel_m < 1e4:
            raise SensorError(
                f"{self.name}: product_pixel_m is {self.product_pixel_m}, expected 0 to 10000"
            )
        for band, mtf in self.mtf_nyquist.items():
            if not 0 < mtf < 1:
                raise SensorError(f"{self.name}: mtf_nyquist of {band!r} is {mtf}, expected 0 to 1")
        pieces = [(chip.band, chip.index) for chip in self.chips]
        if len(set(pieces)) != len(pieces):
            raise SensorError(f"{self.name}: a chip is there twice, of {pieces}")
        seen = {chip.band for chip in self.chips}
        if seen != set(self.bands) or "pan" not in seen:
            raise SensorError(
                f"{self.name}: pixels of {sorted(seen)}, facts of {sorted(self.bands)}, expected "
                "the same bands, one of them 'pan'"
            )
        for chip in self.chips:
            start, end = self.span_s(chip)
            if not self.trajectory.start_s <= start < end <= self.trajectory.end_s:
                raise SensorError(
                    f"{self.name}: band {chip.band!r} chip {chip.index} is exposed from {start:.3f}"
                    f" to {end:.3f} s, the trajectory lasts from {self.trajectory.start_s:.3f} to "
                    f"{self.trajectory.end_s:.3f} s"
                )
        when = self.acquired
        for chip in self.chips:
            c = chip.calibration
            if not c.valid_from <= when <= c.valid_to:
                raise SensorError(
                    f"{self.name}: band {chip.band!r} has calibration {c.version}, valid from "
                    f"{c.valid_from} to {c.valid_to}, expected one valid at {when}"
                )

    @property
    def epoch(self) -> Epoch:
        return self.trajectory.epoch

    def of_band(self, band: str) -> tuple[Chip, ...]:
        """The chips of a band, from left to right."""
        return tuple(chip for chip in self.chips if chip.band == band)

    def span_s(self, chip: Chip) -> tuple[float, float]:
        """First and last line of a chip, seconds after the epoch."""
        last = chip.first_line_s + (chip.shape[0] - 1) * chip.line_period_s
        return chip.first_line_s, last

    @property
    def middle_s(self) -> float:
        """The middle of the panchromatic exposure, seconds after the epoch."""
        return 0.5 * sum(self.span_s(self.of_band("pan")[0]))

    @property
    def acquired(self) -> datetime:
        return self.epoch.utc(self.middle_s)
