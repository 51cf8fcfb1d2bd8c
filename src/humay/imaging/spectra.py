"""Bands, and what the ground reflects in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from humay.arrays import FloatArray, frozen
from humay.errors import ImagingError
from humay.imaging.materials import MATERIALS
from humay.tables import SPECTRA_M, material_spectra, solar_spectrum_w_m2_um

STEP_M = 1e-9  # the bands' integrals: spectra are straight between their nodes


@dataclass(frozen=True, kw_only=True)
class SpectralBand:
    """A band that responds equally from `low_m` to `high_m`, and not outside."""

    name: str
    low_m: float
    high_m: float

    def __post_init__(self) -> None:
        first, last = SPECTRA_M
        if not first <= self.low_m < self.high_m <= last:  # also refuses NaN
            raise ImagingError(
                f"band {self.name!r} is {self.low_m * 1e9:g} to {self.high_m * 1e9:g} nm, expected "
                f"an interval within {first * 1e9:.0f} to {last * 1e9:.0f} nm (known spectra)"
            )

    def wavelengths_m(self) -> FloatArray:
        """Middles of equal steps of a nanometre or less that fill the band."""
        steps = int(np.ceil((self.high_m - self.low_m) / STEP_M))
        return np.asarray(
            self.low_m + (np.arange(steps) + 0.5) * (self.high_m - self.low_m) / steps
        )


def sunlit_mean(spectrum: FloatArray, band: SpectralBand) -> FloatArray:
    """Mean of `spectrum` (..., wavelengths of the band), weighted by the light of the Sun."""
    weight = solar_spectrum_w_m2_um(band.wavelengths_m())
    return np.asarray(spectrum @ weight / weight.sum())


@cache
def material_reflectance(band: SpectralBand) -> FloatArray:
    """Reflectance of all `MATERIALS`, in their order, as the band sees it in sunlight."""
    known = material_spectra()
    spectra = np.stack([known.at(name, band.wavelengths_m()) for name in MATERIALS])
    return frozen(sunlit_mean(spectra, band))
