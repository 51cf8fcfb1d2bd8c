"""What looks count for by their age, beside the worth they would have at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from humay.arrays import BoolArray, FloatArray
from humay.schedule.core import Bundles


@dataclass(frozen=True, kw_only=True, eq=False)
class Freshness:
    """What looks (rows,) are taken to count for by their age; what is not delivered counts as if it
    were at `end_s`. `quality` (b,) is that of bundles without age, `ages` (b,) says where it
    counts. Bundles of `attempts` (b,) are looks of which any one serves, each clear with its chance
    of `clear` (rows,); of others all are needed.
    """

    half_life_s: float
    end_s: float
    fresh: FloatArray
    quality: FloatArray
    ages: BoolArray
    attempts: BoolArray
    clear: FloatArray

    def of(self, age_s: float) -> float:
        """What a look of an age counts for."""
        return float(2.0 ** (-max(age_s, 0.0) / self.half_life_s))

    def counted(self, bundles: Bundles) -> Bundles:
        """With the quality that is left: of looks that belong together that of the least fresh, of
        attempts the chance that one is clear, each counting for what is left of it."""
        if not len(bundles.members):
            return bundles
        of, first = bundles.members.of, bundles.members.first[:-1]
        least = self.quality * np.minimum.reduceat(self.fresh[of], first)
        missed = np.multiply.reduceat(1.0 - (self.clear * self.fresh)[of], first)
        aged = np.where(self.attempts, 1.0 - missed, least)
        return replace(bundles, quality=np.where(self.ages, aged, self.quality))
