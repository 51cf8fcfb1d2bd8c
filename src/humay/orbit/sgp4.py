"""SGP4 with WGS-72 constants, the ones element sets are fitted with (AIAA 2006-6753)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from sgp4.api import SGP4_ERRORS, Satrec

from humay.arrays import FloatArray
from humay.errors import OrbitError

SGP4_DAY_ZERO = datetime(1949, 12, 31, tzinfo=UTC)
_DAY_ZERO_JD = 2_433_281.5


@dataclass(frozen=True, kw_only=True)
class Sgp4Orbit:
    """Mean elements ready to be propagated. `source` says where they were read."""

    satellite: str
    record: Satrec
    epoch: datetime
    source: str

    def state_teme(self, since_epoch_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Position (n, 3) m and velocity (n, 3) m/s, TEME, SI seconds after the elements' epoch.

        Raises `OrbitError` where SGP4 gives up (a decayed satellite), with the day it does.
        """
        days = np.atleast_1d(np.asarray(since_epoch_s, dtype=np.float64)) / 86_400.0
        whole = np.full(days.shape, self.record.jdsatepoch)
        codes, r_km, v_km_s = self.record.sgp4_array(whole, self.record.jdsatepochF + days)
        if np.any(codes):
            first = int(np.argmax(codes != 0))
            raise OrbitError(
                f"{self.source}: satellite {self.satellite!r}, {days[first]:.2f} days after its"
                f" elements: {SGP4_ERRORS[int(codes[first])]}"
            )
        return np.asarray(r_km * 1e3), np.asarray(v_km_s * 1e3)

    @property
    def revolution_at_epoch(self) -> int:
        """Ascending nodes passed since launch, as the element set counts them."""
        return int(self.record.revnum)

    @property
    def period_s(self) -> float:
        """Seconds of a revolution at epoch."""
        return float(120.0 * np.pi / self.record.no_kozai)


def epoch_of(record: Satrec) -> datetime:
    """UTC of the elements, to the microsecond (they are given to 0.9 ms)."""
    days = (record.jdsatepoch - _DAY_ZERO_JD) + record.jdsatepochF
    return SGP4_DAY_ZERO + timedelta(days=days)
