"""The true orbit differs from the predicted one by what was drawn, and by nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from humay.arrays import FloatArray, cross, norm, unit
from humay.frames import inertial_velocity
from humay.mission import OrbitSigma
from humay.orbit import Ephemeris
from humay.spacecraft.orbit_error import (
    CROSS_SHARE,
    RADIAL_SHARE,
    OrbitError,
    draw_orbit_error,
    true_orbit,
)
from tests.check.valid_plan import MISSION

ALPHA = MISSION.satellites[0]
SIGMA = OrbitSigma(at_epoch_m=200, per_day_m=400)


def error(
    along: float = 0.0,
    radial: tuple[float, float] = (0.0, 0.0),
    cross: tuple[float, float] = (0.0, 0.0),
) -> OrbitError:
    return OrbitError(satellite="alpha", sigma=SIGMA, along=along, radial=radial, cross=cross)


def apart(predicted: Ephemeris, true: Ephemeris, t_s: FloatArray) -> FloatArray:
    """Radial, along-track and cross-track difference (n, 3)."""
    r, v = predicted.state_itrf(t_s)
    up = unit(r)
    normal = unit(cross(r, inertial_velocity(r, v)))
    axes = np.stack([up, cross(normal, up), normal], axis=-2)
    return np.asarray(np.einsum("nij,nj->ni", axes, true.position_itrf(t_s) - r))


def times(orbit: Ephemeris) -> FloatArray:
    return np.linspace(orbit.start_s, orbit.end_s, 1777)


def test_no_error_is_the_predicted_orbit(orbits: Mapping[str, Ephemeris]) -> None:
    t_s = times(orbits["alpha"])
    same = true_orbit(orbits["alpha"], error())
    assert np.array_equal(same.position_itrf(t_s), orbits["alpha"].position_itrf(t_s))


def test_along_track_the_error_is_sigma_times_the_draw(orbits: Mapping[str, Ephemeris]) -> None:
    """At age a: (200 + 400 a) m; here -1.5 of them. The elements are 18 h old at the start."""
    predicted = orbits["alpha"]
    t_s = times(predicted)
    off = apart(predicted, true_orbit(predicted, error(along=-1.5)), t_s)
    expected = -1.5 * (200 + 400 * np.abs(t_s - predicted.orbit_epoch_s) / 86_400)
    assert np.abs(off[:, 1] - expected).max() < 0.02
    assert np.abs(off[:, [0, 2]]).max() < 0.02


def test_height_and_side_swing_once_a_revolution(orbits: Mapping[str, Ephemeris]) -> None:
    predicted = orbits["alpha"]
    drawn = error(radial=(1.0, 0.0), cross=(0.0, 2.0))
    nodes = predicted.node_s[1:-1]
    off = apart(predicted, true_orbit(predicted, drawn), nodes)
    sigma = SIGMA.along_m(predicted.age_days(nodes))
    assert np.allclose(off[:, 0], RADIAL_SHARE * sigma, rtol=0, atol=0.01)  # cosine of 0
    assert np.allclose(off[:, 2], 0.0, rtol=0, atol=0.05)  # sine of 0
    quarter = nodes[:-1] + 0.25 * np.diff(nodes)
    off = apart(predicted, true_orbit(predicted, drawn), quarter)
    sigma = SIGMA.along_m(predicted.age_days(quarter))
    assert np.allclose(off[:, 2], 2 * CROSS_SHARE * sigma, rtol=1e-3)
    assert np.abs(off[:, 0]).max() < 0.01 * RADIAL_SHARE * sigma.max()


def test_the_velocity_is_the_derivative_of_the_position(orbits: Mapping[str, Ephemeris]) -> None:
    true = true_orbit(orbits["alpha"], error(along=2.0, radial=(1.0, -1.0), cross=(-1.0, 1.0)))
    t_s, step_s = times(true)[1:-1], 0.05
    ahead, behind = true.position_itrf(t_s + step_s), true.position_itrf(t_s - step_s)
    assert norm((ahead - behind) / (2 * step_s) - true.state_itrf(t_s)[1]).max() < 1e-5


def test_it_crosses_the_equator_at_its_nodes(orbits: Mapping[str, Ephemeris]) -> None:
    true = true_orbit(orbits["alpha"], error(along=3.0, cross=(1.0, 1.0)))
    inside = true.node_s[(true.node_s > true.start_s) & (true.node_s < true.end_s)]
    assert np.abs(true.position_itrf(inside)[:, 2]).max() < 0.1
    assert np.abs(true.node_s - orbits["alpha"].node_s).min() > 0.05


def test_draws_are_standard_normal() -> None:
    """5,000 numbers: the sum of squares is chi-square, 5,000 within 4 x sqrt(2 x 5,000)."""
    drawn = [draw_orbit_error(ALPHA, seed) for seed in range(1000)]
    z = np.array([(d.along, *d.radial, *d.cross) for d in drawn])
    assert abs(np.sum(z**2) - z.size) < 4 * np.sqrt(2 * z.size)
    assert np.all(np.abs(z.mean(axis=0)) < 4 / np.sqrt(len(z)))
    correlation = np.corrcoef(z.T) - np.eye(5)
    assert np.abs(correlation).max() < 4 / np.sqrt(len(z))


def test_at_any_place_each_direction_has_its_stated_sigma() -> None:
    drawn = [draw_orbit_error(replace(ALPHA, orbit_sigma=SIGMA), seed) for seed in range(1500)]
    age, u = np.array([0.0, 2.0, 5.0]), np.array([0.3, 2.2, 4.0])
    off = np.array([d.offsets_m(age, u) for d in drawn])  # (1500, 3 times, 3 directions)
    sigma = SIGMA.along_m(age)[:, None] * np.array([RADIAL_SHARE, 1.0, CROSS_SHARE])
    chi_square = np.sum((off / sigma) ** 2, axis=0)
    assert np.all(np.abs(chi_square - 1500) < 4 * np.sqrt(2 * 1500))


def test_a_draw_is_of_its_seed_and_satellite_alone() -> None:
    beta = MISSION.satellites[1]
    assert draw_orbit_error(ALPHA, 4) == draw_orbit_error(ALPHA, 4)
    assert draw_orbit_error(ALPHA, 4).along != draw_orbit_error(ALPHA, 5).along
    assert draw_orbit_error(ALPHA, 4).along != draw_orbit_error(beta, 4).along
    with pytest.raises(ValueError, match="seed is -1, expected 0 or more"):
        draw_orbit_error(ALPHA, -1)
