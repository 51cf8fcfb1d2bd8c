"""The abstract scheduling problem and what solves, bounds and judges it."""

from humay.schedule.core.bound import upper_bound
from humay.schedule.core.judge import levels, services, store_draws, value, violations, worths
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
    "levels",
    "no_conflicts",
    "services",
    "store_draws",
    "upper_bound",
    "value",
    "violations",
    "worths",
]
