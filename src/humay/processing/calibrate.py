"""From numbers to reflectance at the top of the atmosphere.

rho = pi L d^2 / (E0 sin e): radiance L, distance of the Sun d in astronomical units, sunlight E0 in
the band at 1 au, elevation e of the Sun above the ellipsoid at the place and the instant of each
pixel. Shading by slopes and the atmosphere stay in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from humay.arrays import FloatArray, frozen, norm
from humay.earth import AU_M, elevation_angle, ellipsoid_normal, itrf_from_geodetic, sun_itrf
from humay.errors import ProcessingError
from humay.processing.ortho import Flags, Image, Pixels
from humay.processing.resample import SATURATED
from humay.sensor import BandFacts, Chip, Pushbroom, SensorModel
from humay.time import Epoch

REFLECTANCE_STEPS = 10_000
"""What reflectance 1 is in a product; 0 means no data there."""

_NODES = (17, 9)  # the Sun's elevation bends by 1e-7 between them over a hundred kilometres


@dataclass(frozen=True, kw_only=True, eq=False)
class Sunlight:
    """sin(e) / d^2 over an image of `shape`, known at evenly spaced `nodes` and linear between."""

    shape: tuple[int, int]
    nodes: FloatArray

    def __post_init__(self) -> None:
        nodes = frozen(self.nodes)
        if not np.all(nodes > 0):  # also refuses NaN
            raise ProcessingError(
                f"the Sun is down to {np.degrees(np.arcsin(np.min(nodes))):.1f} deg over the "
                "image, expected it above the horizon everywhere"
            )
        object.__setattr__(self, "nodes", nodes)

    def part(self, rows: slice, cols: slice) -> FloatArray:
        """The values at pixels; each depends on its own row and column alone."""
        (i, s), (j, t) = (
            _between(np.arange(axis.start, axis.stop), count, nodes)
            for axis, count, nodes in zip((rows, cols), self.shape, self.nodes.shape, strict=True)
        )
        line = self.nodes[i] + s[:, None] * (self.nodes[i + 1] - self.nodes[i])
        return np.asarray(line[:, j] + t * (line[:, j + 1] - line[:, j]))


def _between(
    pixel: NDArray[np.int64], count: int, nodes: int
) -> tuple[NDArray[np.int64], FloatArray]:
    place = pixel.astype(np.float64) * ((nodes - 1) / (count - 1))
    i = np.clip(place.astype(np.int64), 0, nodes - 2)
    return i, place - i


def sunlight(
    model: SensorModel,
    shape: tuple[int, int],
    epoch: Epoch,
    line_time_s: Callable[[FloatArray], FloatArray],
    *,
    height_m: float,
) -> Sunlight:
    """The light on what an image sees, taken at one height: 100 m move the ground by a second of
    arc under the Sun. `line_time_s` gives the instants of rows (...)."""
    row, col = np.meshgrid(
        *(np.linspace(0.0, count - 1.0, nodes) for count, nodes in zip(shape, _NODES, strict=True)),
        indexing="ij",
    )
    lon, lat = model.locate(row, col, np.asarray(height_m))
    sun = sun_itrf(epoch, line_time_s(row))
    to_sun = sun - itrf_from_geodetic(lon, lat, np.asarray(height_m))
    elevation = elevation_angle(to_sun, ellipsoid_normal(lon, lat))
    return Sunlight(shape=shape, nodes=np.sin(elevation) / (norm(to_sun) / AU_M) ** 2)


@dataclass(frozen=True, kw_only=True, eq=False)
class ChipPixels:
    """The reflectance of a chip and its saturated pixels, computed where it is read."""

    chip: Chip
    facts: BandFacts
    light: Sunlight

    @property
    def shape(self) -> tuple[int, int]:
        return self.chip.shape

    def part(self, rows: slice, cols: slice) -> tuple[Image, Flags | None]:
        dn, given = self.chip.dn[rows, cols], self.chip.calibration
        radiance = (dn - given.dark_dn[cols]) * (given.radiance_per_dn / given.response[cols])
        flags = np.where(given.saturated(dn), SATURATED, 0).astype(np.uint8)
        irradiance = self.facts.solar_irradiance_w_m2_um
        return _reflectance(radiance, irradiance, self.light.part(rows, cols)), flags


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearPixels:
    """The reflectance of counts with one calibration for all: L = DN / gain + bias, as in DIMAP.

    NaN stays NaN; counts from `saturated` on are flagged, beside what is flagged already.
    """

    counts: Pixels
    gain: float
    bias: float
    solar_irradiance_w_m2_um: float
    light: Sunlight
    saturated: float | None = None

    def __post_init__(self) -> None:
        if not (self.gain > 0 and np.isfinite(self.bias) and self.solar_irradiance_w_m2_um > 0):
            raise ProcessingError(
                f"gain {self.gain}, bias {self.bias}, solar irradiance "
                f"{self.solar_irradiance_w_m2_um}, expected numbers, gain and irradiance > 0"
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.counts.shape

    def part(self, rows: slice, cols: slice) -> tuple[Image, Flags | None]:
        dn, flags = self.counts.part(rows, cols)
        radiance = dn.astype(np.float64) / self.gain + self.bias
        light = self.light.part(rows, cols)
        if self.saturated is not None:
            too_much = np.where(dn >= self.saturated, SATURATED, 0).astype(np.uint8)
            flags = too_much if flags is None else too_much | flags
        return _reflectance(radiance, self.solar_irradiance_w_m2_um, light), flags


def calibrate(chip: Chip, model: Pushbroom, facts: BandFacts, *, height_m: float) -> ChipPixels:
    """A chip as reflectance; its light is that of the lines' own times, at `height_m`."""
    light = sunlight(
        model, chip.shape, model.trajectory.epoch, model.line_time_s, height_m=height_m
    )
    return ChipPixels(chip=chip, facts=facts, light=light)


def _reflectance(radiance: FloatArray, irradiance_w_m2_um: float, light: FloatArray) -> Image:
    return (np.pi / irradiance_w_m2_um * radiance / light).astype(np.float32)


def encoded(reflectance: Image) -> NDArray[np.uint16]:
    """Reflectance x 10000 as it stands in a product: 0 where there is none (NaN), else 1 to 65535.

    Rounded to nearest; what noise makes negative or 0 becomes 1, the least that is data.
    """
    steps = reflectance * np.float32(REFLECTANCE_STEPS)
    missing = np.isnan(steps)
    np.rint(steps, out=steps)
    np.clip(steps, 1.0, 65_535.0, out=steps)
    steps[missing] = 0.0
    return steps.astype(np.uint16)
