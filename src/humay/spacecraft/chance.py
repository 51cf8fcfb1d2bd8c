"""Random numbers that depend on what they are for and on nothing else.

Each purpose has a generator of its own, keyed by the seed and a text, so that neither the order of
work nor what else is flown changes a draw.
"""

from __future__ import annotations

import numpy as np


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A generator of its own for each seed and purpose. The seed is 0 or more."""
    if seed < 0:
        raise ValueError(f"seed is {seed}, expected 0 or more")
    return np.random.default_rng(np.random.SeedSequence([seed, *"\0".join(purpose).encode()]))
