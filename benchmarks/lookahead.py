"""What a look is worth today, when later looks could bring the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from humay.arrays import FloatArray


def share_left_to_now(chances: Sequence[float] | FloatArray, taken: float = 1.0) -> float:
    """The share of a request's weight that only looks of today can bring.

    Later looks (k,) succeed with these chances, each for itself, if they are taken at all, for
    which the chance is `taken`: where satellites have more to do than they can, not every look is.
    With the chance `p` of a look today, the request is completed by either with the probability
    1 - (1 - p) L, where L = product of (1 - taken x chance) is what later looks leave open; without
    it, with 1 - L. So the look is worth p L of the weight: all of p on the last occasion, little
    where many good ones are to come.
    """
    p = np.asarray(chances, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("chances of later looks must lie between 0 and 1")
    if not 0 <= taken <= 1:
        raise ValueError(f"the chance that a look is taken is {taken}, expected 0 to 1")
    return float(np.prod(1.0 - taken * p))
