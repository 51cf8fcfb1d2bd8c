"""A clear sky, the same everywhere: light scattered into the view, and light lost on the way.

One scattering by air and haze, the Sun 40 deg from the zenith and the view at nadir, whatever the
real geometry: the truth of a picture has to be simple, and is stated in its truth file. Neglected:
ozone and water vapour, multiple scattering, light from neighbouring ground.
"""

from __future__ import annotations

import math

import numpy as np

from humay.arrays import FloatArray
from humay.imaging.spectra import SpectralBand, sunlit_mean

HAZE = 0.04  # optical thickness of haze at 1 um: about 25 km of sight, assumed
HAZE_EXPONENT = 1.3  # A. Angstrom, Geografiska Annaler 11 (1929): most common
HAZE_ALBEDO = 0.92  # scattered share of what haze takes; continental, assumed
HAZE_FORWARD = 0.82  # share of that into the forward half
HAZE_ASYMMETRY = 0.65
SUN_COSINE = math.cos(math.radians(40.0))
SCATTERING_COSINE = -SUN_COSINE  # the view at nadir: the Sun behind it by its zenith distance


def air_thickness(wavelength_m: FloatArray) -> FloatArray:
    """Optical thickness of air at sea level.

    J. E. Hansen and L. D. Travis, Space Science Reviews 16 (1974) 527, equation 2.30.
    """
    inverse = (1e-6 / wavelength_m) ** 2
    return np.asarray(0.008569 * inverse**2 * (1 + 0.0113 * inverse + 0.00013 * inverse**2))


def haze_thickness(wavelength_m: FloatArray) -> FloatArray:
    """Optical thickness of haze by Angstrom's law."""
    return np.asarray(HAZE * (1e-6 / wavelength_m) ** HAZE_EXPONENT)


def clear_sky(band: SpectralBand) -> tuple[float, float]:
    """Path reflectance, and transmittance of both ways together, of a band in sunlight.

    Path: thickness x phase function / (4 cos x cos), Rayleigh's for air and Henyey and Greenstein's
    (Astrophysical Journal 93 (1941) 70) for haze. Of the light taken out of the beam, half of what
    air and `HAZE_FORWARD` of what haze scatters goes on to the ground (H. R. Gordon and others,
    Applied Optics 22 (1983) 20).
    """
    wavelength_m = band.wavelengths_m()
    air, haze = air_thickness(wavelength_m), haze_thickness(wavelength_m)
    g, cosine = HAZE_ASYMMETRY, SCATTERING_COSINE
    air_phase = 0.75 * (1 + cosine**2)
    haze_phase = (1 - g**2) / (1 + g**2 - 2 * g * cosine) ** 1.5
    path = (air * air_phase + HAZE_ALBEDO * haze * haze_phase) / (4 * SUN_COSINE)
    lost = 0.5 * air + (1 - HAZE_ALBEDO * HAZE_FORWARD) * haze
    through = np.exp(-lost * (1 + 1 / SUN_COSINE))
    return float(sunlit_mean(path, band)), float(sunlit_mean(through, band))
