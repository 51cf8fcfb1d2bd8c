"""Chance, compiled."""

from __future__ import annotations

import numpy as np

from humay.compiled import inner
from humay.schedule.core.search.tables import Books


@inner
def draw(b: Books) -> float:
    """A random number in [0, 1): splitmix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    b.rng[0] += np.uint64(0x9E3779B97F4A7C15)
    z = b.rng[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner
def below(b: Books, n: int) -> int:
    """A random whole number from 0 to n - 1."""
    return min(int(draw(b) * n), n - 1)
