"""The abstract scheduling problem and what solves, bounds and judges it."""

from humay.schedule.core.judge import store_draws, value, violations
from humay.schedule.core.problem import (
    LINEAR,
    NO_LANE,
    WHOLE,
    Budget,
    Bundles,
    Curve,
    Goals,
    Poses,
    Problem,
    Ragged,
    SlidingLimit,
    Solution,
    Store,
    Turn,
    no_conflicts,
)

__all__ = [
    "LINEAR",
    "NO_LANE",
    "WHOLE",
    "Budget",
    "Bundles",
    "Curve",
    "Goals",
    "Poses",
    "Problem",
    "Ragged",
    "SlidingLimit",
    "Solution",
    "Store",
    "Turn",
    "no_conflicts",
    "store_draws",
    "value",
    "violations",
]
