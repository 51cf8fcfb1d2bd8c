"""Sunlight on the ground and what of it reaches the camera.

At-sensor reflectance is path + transmittance x reflectance x shading; radiance is that times
E sin(sun elevation) / (pi d2), with E the solar irradiance at 1 au and d the distance in au. The
Sun stands over each node at the time of its line; the shading of slopes takes where it is in the
middle of the strip (it moves by 0.004 deg a second).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, dot, frozen, norm, unit
from humay.earth import AU_M, ellipsoid_normal, sun_itrf
from humay.errors import ImagingError
from humay.imaging.scene import Scene, SpectralBand
from humay.mission import Band
from humay.tables import solar_irradiance_w_m2_um
from humay.time import Epoch


def spectral(band: Band) -> SpectralBand:
    """A band as scenes and tables know it."""
    low_m, high_m = band.response_m
    return SpectralBand(name=band.name, low_m=low_m, high_m=high_m)


@dataclass(frozen=True, kw_only=True, eq=False)
class Light:
    """Sunlight in one band over one strip: W / (m2 um) at 1 au, and what the air does to it."""

    epoch: Epoch
    irradiance_w_m2_um: float
    path_reflectance: float
    transmittance: float
    sun_unit: FloatArray  # (3,) ITRF, in the middle of the strip
    distance_au: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "sun_unit", frozen(self.sun_unit))

    @staticmethod
    def of(band: Band, scene: Scene, epoch: Epoch, middle_s: float) -> Light:
        sun = sun_itrf(epoch, np.asarray(middle_s))
        path, transmittance = scene.atmosphere(spectral(band))
        return Light(
            epoch=epoch,
            irradiance_w_m2_um=float(solar_irradiance_w_m2_um(*band.response_m)),
            path_reflectance=path,
            transmittance=transmittance,
            sun_unit=unit(sun),
            distance_au=float(norm(sun)) / AU_M,
        )

    def at_nodes(
        self, scene: Scene, lon_rad: FloatArray, lat_rad: FloatArray, t_s: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Radiance of the air, and of the ground for a reflectance of 1: nodes (rows, cols).

        `t_s` (rows,) is when each row is exposed. Raises `ImagingError` where the Sun is down.
        """
        sun = unit(sun_itrf(self.epoch, t_s))[:, None, :]
        sine = dot(ellipsoid_normal(lon_rad, lat_rad), sun)
        if not np.all(sine > 0):
            raise ImagingError(
                f"the Sun is {math.degrees(math.asin(sine.min())):.2f} deg above the horizon, "
                "expected more than 0 for an exposure"
            )
        full = self.irradiance_w_m2_um / (np.pi * self.distance_au**2) * sine
        shading = scene.shading(lon_rad, lat_rad, self.sun_unit)
        return full * self.path_reflectance, full * self.transmittance * shading
