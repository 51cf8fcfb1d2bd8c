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
    counts.
    """

    half_life_s: float
    end_s: float
    fresh: FloatArray
    quality: FloatArray
    ages: BoolArray

    def of(self, age_s: float) -> float:
        """What a look of an age counts for."""
        return float(2.0 ** (-max(age_s, 0.0) / self.half_life_s))

    def counted(self, bundles: Bundles) -> Bundles:
        """With the quality that is left: that of the least fresh of those that belong together."""
        if not len(bundles.members):
            return bundles
        members = bundles.members
        least = np.minimum.reduceat(self.fresh[members.of], members.first[:-1])
        return replace(bundles, quality=self.quality * np.where(self.ages, least, 1.0))
