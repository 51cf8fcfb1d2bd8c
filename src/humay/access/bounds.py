"""How much an orbit can bend between two nodes, from what is known at both."""

from __future__ import annotations

import numpy as np

from humay.arrays import FloatArray
from humay.frames import EARTH_RATE_RAD_S

MU_EARTH_M3_S2 = 3.986004418e14  # IERS 2010
_ROOM = 1.1  # flattening adds 0.2 %, a node step towards perigee a few, thrust less


def largest_pull_m_s2(radius_m: FloatArray, speed_m_s: FloatArray) -> FloatArray:
    """The largest acceleration (n,) on ITRF axes at such radii and speeds: gravity, and what the
    axes' own turn adds.

    Not taken from the nodes of the whole orbit, so that no longer span changes a last digit.
    """
    turning = 2 * EARTH_RATE_RAD_S * speed_m_s + EARTH_RATE_RAD_S**2 * radius_m
    return np.asarray(_ROOM * (MU_EARTH_M3_S2 / radius_m**2 + turning))
