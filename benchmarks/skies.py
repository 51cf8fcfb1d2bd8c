"""Clouds that hang together in space and time, and forecasts of them whose skill is known.

A place is cloudy where a Gaussian field, of mean 0 and variance 1 everywhere, lies below the level
that makes it cloudy as often as its climatology says. The field's correlation falls exponentially
with distance and with time: that form was found for cloud cover by P. A. Jones (Cloud-cover
distributions and correlations, J. Appl. Meteor. 31, 1992). The scales are assumed.

A forecast sees the field through an error of its own, another such field: r x truth + sqrt(1 - r^2)
x error. What it says is the probability of a clear sky given that, so it is reliable by
construction; r is such that the Brier skill score against climatology is as asked, and falls
from there on with the lead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from humay.arrays import FloatArray, IntArray

STEP_S = 3 * 3600.0
SCALE_KM, SCALE_S = 600.0, 18 * 3600.0  # assumed: weather systems of the middle latitudes
SKILL, SKILL_LEAD_S = 0.25, 24 * 3600.0
DECAY_S = 72 * 3600.0  # assumed: e-fold of a forecast's correlation beyond that lead
EARTH_KM = 6371.0
_NORMAL = NormalDist()
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
_cdf_once = np.frompyfunc(_NORMAL.cdf, 1, 1)


def cdf(x: FloatArray) -> FloatArray:
    """The normal distribution function of an array."""
    return np.asarray(_cdf_once(x), dtype=np.float64)


def cloud_fraction(lon_deg: FloatArray, lat_deg: FloatArray) -> FloatArray:
    """How often it is cloudy over land: assumed, after the zonal means of the climatologies.

    Most near the equator and at 60 deg, least in the subtropics, with a wave along the parallels
    for wet and dry sides of continents; between 0.15 and 0.85, about a half on average.
    """
    zonal = 0.52 + 0.16 * np.cos(np.radians(6.0 * lat_deg))
    wave = 0.14 * np.sin(np.radians(3.0 * lon_deg + 2.0 * lat_deg))
    return np.asarray(np.clip(zonal + wave, 0.15, 0.85))


def skill_of(correlation: float, cloudy: FloatArray) -> float:
    """The Brier skill score, against climatology, of forecasts with such a correlation, over places
    (n,) cloudy so often: 1 - sum E[(p - clear)^2] / sum c (1 - c).

    For reliable forecasts E[(p - clear)^2] = E[p (1 - p)]. By Gauss and Hermite.
    """
    level = np.array([_NORMAL.inv_cdf(float(c)) for c in cloudy])
    rest = math.sqrt(1 - correlation**2)
    p = cdf((correlation * _NODES - level[:, None]) / rest)
    brier = (p * (1 - p)) @ _WEIGHTS / math.sqrt(2 * math.pi)
    return float(1 - np.sum(brier) / np.sum(cloudy * (1 - cloudy)))


def correlation_for(skill: float, cloudy: FloatArray) -> float:
    """The correlation that gives a skill, by halving."""
    low, high = 0.0, 1.0 - 1e-9
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if skill_of(middle, cloudy) < skill else (low, middle)
    return 0.5 * (low + high)


def spatial_root(normals: FloatArray, scale_km: float = SCALE_KM) -> FloatArray:
    """L (n, n) with L L^T the correlation of places (n, 3): exp(-distance / scale)."""
    distance_km = EARTH_KM * np.arccos(np.clip(normals @ normals.T, -1.0, 1.0))
    covariance = np.exp(-distance_km / scale_km)
    return np.asarray(np.linalg.cholesky(covariance + 1e-9 * np.eye(len(normals))))


def evolving(root: FloatArray, steps: int, random: np.random.Generator) -> FloatArray:
    """A field (steps, n): each step keeps exp(-STEP_S / SCALE_S) of the last."""
    keep = math.exp(-STEP_S / SCALE_S)
    fresh = random.standard_normal((steps, len(root))) @ root.T
    field = np.empty_like(fresh)
    field[0] = fresh[0]
    for k in range(1, steps):
        field[k] = keep * field[k - 1] + math.sqrt(1 - keep**2) * fresh[k]
    return field


@dataclass(frozen=True, kw_only=True, eq=False)
class Sky:
    """The truth over places (n,) cloudy so often, every `STEP_S` from 0 s on, and what is foretold.

    `errors` (issues, leads, n): forecasts are issued at `issue_s` (issues,), each with errors for
    its steps from the one of its issue on; beyond them climatology is all that is known.
    """

    cloudy: FloatArray
    field: FloatArray
    issue_s: FloatArray
    errors: FloatArray
    correlation: float

    @cached_property
    def level(self) -> FloatArray:
        return np.array([_NORMAL.inv_cdf(float(c)) for c in self.cloudy])

    def clear(self, place: IntArray, t_s: FloatArray) -> np.ndarray:
        """Whether places (m,) are clear at times (m,), those of the nearest step."""
        return np.asarray(self.field[step_of(t_s), place] > self.level[place])

    def foretold(self, issue: int, place: IntArray, t_s: FloatArray) -> FloatArray:
        """Chances (m,) of a clear sky as a forecast tells them."""
        chance = 1.0 - self.cloudy[place]
        ahead = step_of(t_s) - step_of(self.issue_s[issue])
        known = np.flatnonzero((ahead >= 0) & (ahead < self.errors.shape[1]))
        at, which = place[known], step_of(t_s)[known]
        r = correlation_at(self.correlation, t_s[known] - self.issue_s[issue])
        rest = np.sqrt(1 - r**2)
        seen = r * self.field[which, at] + rest * self.errors[issue, ahead[known], at]
        chance[known] = cdf((r * seen - self.level[at]) / rest)
        return chance


def step_of(t_s: FloatArray) -> IntArray:
    return np.asarray(np.rint(np.asarray(t_s) / STEP_S), dtype=np.int64)


def correlation_at(at_a_day: float, lead_s: FloatArray) -> FloatArray:
    """Of a forecast with the truth: no better before `SKILL_LEAD_S`, which is on the safe side."""
    return at_a_day * np.exp(-np.maximum(lead_s - SKILL_LEAD_S, 0.0) / DECAY_S)


def draw_sky(
    cloudy: FloatArray,
    root: FloatArray,
    *,
    seconds: float,
    issue_s: FloatArray,
    leads: int,
    skill: float = SKILL,
    seed: int,
) -> Sky:
    """One history of clouds and forecasts."""
    random = np.random.default_rng(seed)
    correlation = correlation_for(skill, cloudy[:: max(1, len(cloudy) // 200)])
    steps = math.ceil(seconds / STEP_S) + 2
    return Sky(
        cloudy=cloudy,
        field=evolving(root, steps, random),
        issue_s=issue_s,
        errors=np.stack([evolving(root, leads, random) for _ in issue_s]),
        correlation=correlation,
    )
