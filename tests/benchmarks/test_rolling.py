"""Whether the skies of the rolling benchmark are what they say, and its days are counted right."""

from __future__ import annotations

import math

import numpy as np
import pytest
from benchmarks.rolling import (
    POLICIES,
    Ledger,
    fly,
    interval,
    make_world,
    sky_over,
)
from benchmarks.skies import (
    DECAY_S,
    EARTH_KM,
    SCALE_KM,
    SCALE_S,
    SKILL,
    SKILL_LEAD_S,
    STEP_S,
    Sky,
    cdf,
    cloud_fraction,
    correlation_at,
    correlation_for,
    draw_sky,
    evolving,
    skill_of,
    spatial_root,
)

from humay.arrays import FloatArray
from humay.earth import ellipsoid_normal

SECONDS = 120 * 86_400.0


def normals_of(lon_deg: FloatArray, lat_deg: FloatArray) -> FloatArray:
    return ellipsoid_normal(np.radians(lon_deg), np.radians(lat_deg))


@pytest.fixture(scope="module")
def sky() -> Sky:
    """120 places far apart over 120 days, forecasts every day."""
    random = np.random.default_rng(5)
    lon, lat = random.uniform(-180, 180, 120), np.degrees(np.arcsin(random.uniform(-0.8, 0.9, 120)))
    return draw_sky(
        cloud_fraction(lon, lat), spatial_root(normals_of(lon, lat)),
        seconds=SECONDS + 5 * 86_400.0, issue_s=np.arange(0, SECONDS, 86_400.0), leads=33, seed=7,
    )  # fmt: skip


def at_lead(sky: Sky, lead_s: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Chances told, what came, and how often it is clear there, of all places and forecasts."""
    place = np.arange(len(sky.cloudy))
    told, came = [], []
    for issue, issue_s in enumerate(sky.issue_s):
        t_s = np.full(len(place), issue_s + lead_s)
        told.append(sky.foretold(issue, place, t_s))
        came.append(sky.clear(place, t_s).astype(np.float64))
    base = np.tile(1 - sky.cloudy, len(sky.issue_s))
    return np.concatenate(told), np.concatenate(came), base


def brier_skill(told: FloatArray, came: FloatArray, base: FloatArray) -> float:
    """1 - BS / BS of climatology (WMO, Guidelines on ensemble prediction, Brier skill score)."""
    return float(1 - np.sum((told - came) ** 2) / np.sum((base - came) ** 2))


def test_the_forecast_of_a_day_has_the_skill_it_is_asked_to_have(sky: Sky) -> None:
    """14,400 forecasts; 0.25 within 0.02."""
    assert brier_skill(*at_lead(sky, SKILL_LEAD_S)) == pytest.approx(SKILL, abs=0.02)


def test_forecasts_get_worse_and_end_as_climatology(sky: Sky) -> None:
    skills = [brier_skill(*at_lead(sky, 86_400.0 * days)) for days in (1, 2, 3, 4)]
    assert skills == sorted(skills, reverse=True)
    assert skills[-1] > 0
    told, _, base = at_lead(sky, 4.5 * 86_400.0)  # beyond what is foretold
    assert np.array_equal(told, base)


def test_no_forecast_is_better_than_that_of_a_day(sky: Sky) -> None:
    assert brier_skill(*at_lead(sky, 6 * 3600.0)) == pytest.approx(SKILL, abs=0.02)


def test_forecasts_are_reliable(sky: Sky) -> None:
    """Of what is told with a chance of 10 to 20 % and so on, as much comes: within 5 %."""
    told, came, _ = at_lead(sky, SKILL_LEAD_S)
    for low in np.arange(0.0, 1.0, 0.1):
        those = (told >= low) & (told < low + 0.1)
        if np.sum(those) > 300:
            assert np.mean(came[those]) == pytest.approx(np.mean(told[those]), abs=0.05)


def test_it_is_cloudy_as_often_as_the_climatology_says(sky: Sky) -> None:
    """960 steps with a memory of 18 h are about 80 skies a place: each within 4 sigma of 0.056, all
    together within 0.01."""
    place = np.arange(len(sky.cloudy))
    often = np.array([1 - np.mean(sky.field[:, p] > sky.level[p]) for p in place], dtype=np.float64)
    assert np.max(np.abs(often - sky.cloudy)) < 0.22
    assert np.mean(often) == pytest.approx(np.mean(sky.cloudy), abs=0.01)


def test_clouds_hang_together_in_space_and_in_time() -> None:
    """Two places 3 deg apart, 333.6 km: exp(-333.6 / 600) = 0.573; after 18 h: 1 / e."""
    root = spatial_root(normals_of(np.zeros(2), np.array([0.0, 3.0])))
    expected = math.exp(-EARTH_KM * math.radians(3.0) / SCALE_KM)
    assert (root @ root.T)[0, 1] == pytest.approx(expected, abs=1e-6)
    field = evolving(root, 60_000, np.random.default_rng(1))
    beside = float(np.asarray(np.corrcoef(field.T))[0, 1])
    assert beside == pytest.approx(expected, abs=0.03)
    steps = round(SCALE_S / STEP_S)
    later = float(np.asarray(np.corrcoef(field[:-steps, 0], field[steps:, 0]))[0, 1])
    assert later == pytest.approx(math.exp(-1.0), abs=0.04)


def test_the_skill_of_a_correlation_agrees_with_a_drawn_sample() -> None:
    """At a place cloudy half of the time, r = 0.6, by a million draws; without any, no skill."""
    random = np.random.default_rng(3)
    truth, error = random.standard_normal((2, 100_000))
    told = cdf((0.6 * (0.6 * truth + 0.8 * error)) / 0.8)
    drawn = 1 - np.mean((told - (truth > 0)) ** 2) / 0.25
    assert skill_of(0.6, np.array([0.5])) == pytest.approx(drawn, abs=0.01)
    assert skill_of(0.0, np.array([0.3, 0.7])) == pytest.approx(0.0, abs=1e-9)
    assert skill_of(correlation_for(0.25, np.array([0.5])), np.array([0.5])) == pytest.approx(0.25)


def test_correlation_falls_beyond_a_day_only() -> None:
    leads = np.array([0.0, SKILL_LEAD_S, SKILL_LEAD_S + DECAY_S])
    assert correlation_at(0.6, leads).tolist() == pytest.approx([0.6, 0.6, 0.6 / math.e])


def test_the_interval_is_that_of_student() -> None:
    """1, 2, 3: mean 2, s = 1, t(2) = 4.303: 2 -+ 4.303 / sqrt 3 = 2.484."""
    low, high = interval([1.0, 2.0, 3.0])
    assert low == pytest.approx(2 - 2.484, abs=1e-3)
    assert high == pytest.approx(2 + 2.484, abs=1e-3)


@pytest.mark.slow
def test_two_days_are_flown_by_every_policy_and_knowing_more_is_worth_more() -> None:
    world = make_world(2, seed=3)
    book = world.book
    sky = sky_over(world, spatial_root(normals_of(book.lon_deg, book.lat_deg)), seed=11)
    flown: dict[str, Ledger] = {p: fly(world, sky, p, iterations=500) for p in POLICIES}
    weights = {p: float(np.sum(book.weight[ledger.delivered])) for p, ledger in flown.items()}
    assert 0 < weights["climatology"] < weights["perfect"] <= book.weight.sum()
    assert flown["perfect"].clear == flown["perfect"].images  # it never looks at a cloud
    for ledger in flown.values():
        assert ledger.images * 2 < len(world.looks.request)  # the book binds
        assert not np.any(ledger.delivered & np.isinf(ledger.known_s))
