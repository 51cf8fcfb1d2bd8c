"""From light to numbers: electrons, shot and read noise, the well, the converter, calibration.

Chance is counted, not drawn in turn: the noise of a pixel is a function of the image's key, its
line and its detector (Philox 4x32-10: J. Salmon et al., SC11, 2011), so it is the same in every
window, block and thread. Shot noise is Poisson's: exact below 50 electrons, by inversion; above, a
normal of the same mean and variance, whose distribution function differs by at most 0.01.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numba import njit
from numpy.typing import NDArray

from humay.arrays import FloatArray, frozen
from humay.errors import ImagingError
from humay.mission import Band, Camera, Radiometry
from humay.sensor import Calibration
from humay.time import Epoch

FEW_ELECTRONS = 50.0
DARK_SPREAD = 0.1  # of the detectors' dark currents, one sigma; assumed
SMOOTH_SHARE = 0.5  # of the variance of the responses, in waves along the chip; assumed
RESPONSE_ERROR = 1e-3  # of a calibration, one sigma; assumed
DARK_ERROR_DN = 0.2  # of a calibration, one sigma; assumed
VALID = timedelta(days=180)  # before and after the mission's epoch
_WELL_SIGMAS = 4.0
_WAVES = 6
_WORD = 4294967296.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Detectors:
    """What the detectors of one chip make of light: true values, one each.

    `signal_e` electrons gather for each W / (m2 sr um) in a detector of `response` 1, `dark_e` in
    the dark; the brightest number that can be told from a brighter one is under `saturation_dn`.
    """

    radiometry: Radiometry
    bits: int
    signal_e: float
    response: FloatArray
    dark_e: FloatArray

    def __post_init__(self) -> None:
        for name in ("response", "dark_e"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        if not np.all(self.response > 0):
            raise ImagingError(
                f"prnu is {self.radiometry.prnu:g}: a detector has a response of "
                f"{self.response.min():.3g}, expected > 0"
            )

    @property
    def most_dn(self) -> int:
        return (1 << self.bits) - 1

    @property
    def saturation_dn(self) -> int:
        """From here on a pixel may be full: the end of the converter or, less its noise, the well.

        A full well still gets read noise: four sigma of it are taken off.
        """
        r = self.radiometry
        well_dn = (r.full_well_e - _WELL_SIGMAS * r.read_noise_e) / r.gain_e_dn
        return min(self.most_dn, math.floor(well_dn))

    @property
    def radiance_per_dn(self) -> float:
        return self.radiometry.gain_e_dn / self.signal_e

    def read_out(
        self, radiance: FloatArray, key: int, first_line: int, first_column: int
    ) -> NDArray[np.uint16]:
        """Numbers (rows, cols) of pixels under `radiance` (rows, cols), of these lines and columns.

        Without noise where the key is 0.
        """
        rows, cols = radiance.shape
        own = slice(first_column, first_column + cols)
        dn = np.empty((rows, cols), dtype=np.uint16)
        r = self.radiometry
        _read_out(
            radiance, self.signal_e * self.response[own], self.dark_e[own], r.full_well_e,
            r.gain_e_dn, r.read_noise_e, self.most_dn, np.uint64(key), first_line, first_column, dn,
        )  # fmt: skip
        return dn

    def calibration(
        self,
        band: str,
        chip: int,
        *,
        columns: tuple[int, int],
        satellite: str,
        seed: int,
        epoch: Epoch,
    ) -> Calibration:
        """What the ground knows of columns (first, end): estimates with a small error each."""
        version = f"{satellite}-{epoch.moment:%Y-%m}"
        rng = _generator(seed, "calibration", version, band, chip)
        error, error_dn = rng.standard_normal((2, self.response.size))
        dark_dn = self.dark_e / self.radiometry.gain_e_dn + DARK_ERROR_DN * error_dn
        response = self.response * (1 + RESPONSE_ERROR * error)
        own = slice(*columns)
        return Calibration(
            version=version,
            valid_from=epoch.moment - VALID,
            valid_to=epoch.moment + VALID,
            dark_dn=dark_dn[own],
            response=response[own],
            radiance_per_dn=self.radiance_per_dn,
            saturation_dn=self.saturation_dn,
            gain_e_dn=self.radiometry.gain_e_dn,
            read_noise_e=self.radiometry.read_noise_e,
        )


def make_detectors(
    camera: Camera,
    band: Band,
    chip: int,
    count: int,
    *,
    line_period_s: float,
    satellite: str,
    seed: int,
) -> Detectors:
    """The detectors of a chip as they left the factory, always the same for a satellite and seed.

    Responses spread by the band's `prnu`: half of the variance from detector to detector, half in
    waves along the chip. `line_period_s` is that of PAN in the strip: with it, light and dark
    current grow over what the camera states for its own, that over nadir.
    """
    if band.radiometry is None or camera.line_period_s is None:
        raise ImagingError(
            f"camera {camera.name!r}: band {band.name!r} has no radiometry, expected it for an "
            "exposure"
        )
    longer = line_period_s / camera.line_period_s
    rng = _generator(seed, "detectors", satellite, band.name, chip)
    white, dark = rng.standard_normal((2, count))
    waves = np.arange(1, _WAVES + 1)[:, None] * (np.pi * (np.arange(count) + 0.5) / count)
    smooth = rng.standard_normal(_WAVES) @ np.cos(waves) * math.sqrt(2 / _WAVES)
    spread = math.sqrt(1 - SMOOTH_SHARE) * white + math.sqrt(SMOOTH_SHARE) * smooth
    dark_e = band.radiometry.dark_e_s * camera.exposure_s(band) * longer
    return Detectors(
        radiometry=band.radiometry,
        bits=band.bits,
        signal_e=float(camera.signal_e(band, longer)),
        response=1 + band.radiometry.prnu * spread,
        dark_e=dark_e * np.maximum(0.0, 1 + DARK_SPREAD * dark),
    )


def noise_key(seed: int, satellite: str, acquisition: str, band: str, chip: int) -> int:
    """64 bits, never 0, that an image's noise hangs on."""
    text = "\0".join((str(seed), satellite, acquisition, band, str(chip)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") | 1


def _generator(seed: int, *purpose: str | int) -> np.random.Generator:
    text = "\0".join(str(part) for part in purpose)
    return np.random.default_rng(np.random.SeedSequence([seed, *text.encode()]))


@njit(cache=True, nogil=True)
def philox(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Philox 4x32-10: four random words of 32 bits for a counter and a key, each held in 64."""
    mask, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        p, q = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (q >> half) ^ c1 ^ k0, q & mask, (p >> half) ^ c3 ^ k1, p & mask
        k0, k1 = (k0 + np.uint64(0x9E3779B9)) & mask, (k1 + np.uint64(0xBB67AE85)) & mask
    return c0, c1, c2, c3


@njit(cache=True, nogil=True)
def poisson(mean: float, uniform: float) -> float:
    """The number that a uniform of (0, 1) is turned into by the inverse of Poisson's law."""
    term = math.exp(-mean)
    total, count = term, 0.0
    while total < uniform and term > 0.0:
        count += 1.0
        term *= mean / count
        total += term
    return count


@njit(cache=True, nogil=True)
def _read_out(
    radiance: FloatArray,
    signal_e: FloatArray,
    dark_e: FloatArray,
    full_well_e: float,
    gain_e_dn: float,
    read_noise_e: float,
    most_dn: int,
    key: np.uint64,
    first_line: int,
    first_column: int,
    out: NDArray[np.uint16],
) -> None:
    low, high = key & np.uint64(0xFFFFFFFF), key >> np.uint64(32)
    none = np.uint64(0)
    for i in range(radiance.shape[0]):
        for j in range(radiance.shape[1]):
            electrons = max(0.0, radiance[i, j]) * signal_e[j] + dark_e[j]
            read = 0.0
            if key != none:
                a, b, c, _ = philox(
                    np.uint64(first_line + i), np.uint64(first_column + j), none, none, low, high
                )
                reach = math.sqrt(-2.0 * math.log((a + 0.5) / _WORD))
                turn = 2.0 * math.pi * ((b + 0.5) / _WORD)
                read = read_noise_e * (reach * math.sin(turn))
                if electrons < FEW_ELECTRONS:
                    electrons = poisson(electrons, (c + 0.5) / _WORD)
                else:
                    electrons += math.sqrt(electrons) * (reach * math.cos(turn))
            number = np.rint((min(electrons, full_well_e) + read) / gain_e_dn)
            out[i, j] = np.uint16(min(max(number, 0.0), float(most_dn)))
