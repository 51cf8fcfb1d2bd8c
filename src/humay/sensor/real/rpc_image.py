"""Real images: what a vendor's files say of one, whatever their format."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from humay.errors import SensorError
from humay.sensor.rpc import Rpc


@dataclass(frozen=True, kw_only=True)
class BandRadiometry:
    """What the counts of one band mean: L = DN / gain + bias, W / (m2 sr um)."""

    gain: float
    bias: float
    solar_irradiance_w_m2_um: float | None = None

    def __post_init__(self) -> None:
        if not (0 < self.gain < math.inf and math.isfinite(self.bias)):
            raise SensorError(f"gain {self.gain}, bias {self.bias}, expected numbers, gain > 0")
        irradiance = self.solar_irradiance_w_m2_um
        if irradiance is not None and not 0 < irradiance < 1e4:
            raise SensorError(f"solar irradiance {irradiance}, expected up to 1e4 W/m2/um")


@dataclass(frozen=True, kw_only=True)
class View:
    """When and under which angles an image was taken, None where its files do not say."""

    acquired: datetime | None = None
    platform: str | None = None
    sun_elevation_rad: float | None = None
    sun_azimuth_rad: float | None = None
    off_nadir_rad: float | None = None


@dataclass(frozen=True, kw_only=True)
class PixelFile:
    """One file of pixels: its place in the image, and which bands of the image it holds."""

    path: Path
    row0: int
    col0: int
    rows: int
    cols: int
    bands: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class RpcImage:
    """A real image with its sensor model. Pixels stay in their files; see `read_window`.

    `radiometry` is by the name of the band, and lacks those whose files do not calibrate them.
    `nodata` and `saturated` are counts with that meaning, None where the files name none.
    """

    name: str
    path: Path
    files: tuple[PixelFile, ...]
    bands: tuple[str, ...]
    shape: tuple[int, int]
    dtype: str
    rpc: Rpc
    radiometry: Mapping[str, BandRadiometry]
    nodata: float | None = None
    saturated: float | None = None
    view: View = View()

    def __post_init__(self) -> None:
        if len(set(self.bands)) != len(self.bands) or not self.bands:
            raise SensorError(f"{self.path}: bands are {self.bands}, expected different names")
        strange = set(self.radiometry) - set(self.bands)
        if strange:
            raise SensorError(
                f"{self.path}: radiometry of {sorted(strange)}, expected bands of {self.bands}"
            )

    def radiometry_of(self, band: str) -> BandRadiometry:
        """How one band is calibrated, or `SensorError` saying that its files do not."""
        if band not in self.bands:
            raise SensorError(f"{self.path}: has no band {band!r}, expected one of {self.bands}")
        if band not in self.radiometry:
            known = ", ".join(self.radiometry) or "no band"
            raise SensorError(
                f"{self.path}: band {band!r} has no gain and bias (given for {known}), expected "
                f"them for counts that are to become radiance"
            )
        return self.radiometry[band]
