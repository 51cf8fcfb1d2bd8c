"""How likely looks are to be clear, from the mission's clouds."""

from __future__ import annotations

import numpy as np

from humay.access import Opportunities
from humay.arrays import FloatArray, norm
from humay.mission import SAME_CLOUDS_S, CloudModel


def clear_chances(clouds: CloudModel | None, o: Opportunities) -> FloatArray:
    """The chance (n,) that a look is clear at the best time of its window, over the middle of its
    line; 1 where clouds do not count."""
    if clouds is None or not len(o):
        return np.ones(len(o))
    middle = o.line.normals.sum(axis=1)
    middle = middle / norm(middle)[:, None]
    lon, lat = np.arctan2(middle[:, 1], middle[:, 0]), np.arcsin(middle[:, 2])
    names = [str(name) for name in o.request]
    return 1.0 - clouds.known_probability(names, lon, lat, o.epoch.mjd_utc(o.best_s))


def chance_of_all(clear: FloatArray, at_s: FloatArray) -> float:
    """The chance that looks (k,) are all clear: those next to each other see the same clouds, of
    which the least likely to be clear counts."""
    groups: list[float] = []
    last_s = -np.inf
    for i in np.argsort(at_s, kind="stable"):
        if at_s[i] - last_s < SAME_CLOUDS_S:
            groups[-1] = min(groups[-1], float(clear[i]))
        else:
            groups.append(float(clear[i]))
        last_s = float(at_s[i])
    return float(np.prod(groups))
