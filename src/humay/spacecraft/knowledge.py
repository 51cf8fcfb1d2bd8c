"""What a satellite knows of itself: how measured trajectories differ from true ones.

The model, about each axis of its own: the measured position is off by a constant; the measured
attitude is the true one turned by a small vector in body axes, a constant and a drift from the
middle of the trajectory, less the jitter, which turns the line of sight and which no sensor sees.
All of them are normal, with the sigmas of `Navigation`, so that what they do on the ground can be
predicted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from humay.arrays import FloatArray, frozen
from humay.frames import quaternion_from_rotation_vector, quaternion_product
from humay.mission import Navigation
from humay.spacecraft.trajectory import Trajectory

# White torques on a stiff body leave an amplitude spectrum of angles that falls with the square of
# the frequency; wheels add lines. Which frequencies, and how much is in the lines, is assumed.
JITTER_BAND_HZ = (0.5, 20.0)
JITTER_TONES = 24
JITTER_LINES_HZ = (11.7, 23.3)
JITTER_LINE_SHARE = 0.1  # of the variance, each


@dataclass(frozen=True, kw_only=True, eq=False)
class Jitter:
    """Small turns about the body axes, a sum of tones at `frequency_hz` (k,).

    `cosine_rad` and `sine_rad` (k, 3) are the amplitudes of their two parts, from `origin_s`.
    """

    origin_s: float
    frequency_hz: FloatArray
    cosine_rad: FloatArray
    sine_rad: FloatArray

    def __post_init__(self) -> None:
        for name in ("frequency_hz", "cosine_rad", "sine_rad"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def turn_rad(self, t_s: FloatArray) -> FloatArray:
        """Rotation vectors (n, 3) at times (n,)."""
        phase = 2 * np.pi * (np.asarray(t_s) - self.origin_s)[:, None] * self.frequency_hz
        turn = np.einsum("nk,kj->nj", np.cos(phase), self.cosine_rad)
        turn += np.einsum("nk,kj->nj", np.sin(phase), self.sine_rad)
        return np.asarray(turn)


def jitter_spectrum() -> tuple[FloatArray, FloatArray]:
    """Frequencies (k,) in Hz and the share (k,) of the variance at each; shares sum up to 1.

    The tones are evenly spaced in the logarithm of frequency, so each stands for a band as wide as
    its frequency: amplitudes that fall with 1/f2 give it a power of f^-4 x f.
    """
    low, high = np.log(JITTER_BAND_HZ)
    tones = np.exp(np.linspace(low, high, JITTER_TONES))
    broad = tones**-3.0
    lines = np.full(len(JITTER_LINES_HZ), JITTER_LINE_SHARE)
    broad *= (1.0 - lines.sum()) / broad.sum()
    return np.concatenate([tones, JITTER_LINES_HZ]), np.concatenate([broad, lines])


def draw_jitter(sigma_rad: float, rng: np.random.Generator, origin_s: float) -> Jitter:
    """Jitter that is normal at every instant, `sigma_rad` about each axis."""
    frequency, share = jitter_spectrum()
    parts = rng.standard_normal((2, len(frequency), 3)) * (sigma_rad * np.sqrt(share))[:, None]
    return Jitter(origin_s=origin_s, frequency_hz=frequency, cosine_rad=parts[0], sine_rad=parts[1])


@dataclass(frozen=True, kw_only=True, eq=False)
class KnowledgeError:
    """Measured less true: `position_m` (3,) in ITRF, and a turn `bias_rad` (3,) in body axes that
    grows by `drift_rad_s` (3,) from `origin_s` on."""

    origin_s: float
    position_m: FloatArray
    bias_rad: FloatArray
    drift_rad_s: FloatArray

    def __post_init__(self) -> None:
        for name in ("position_m", "bias_rad", "drift_rad_s"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def turn_rad(self, t_s: FloatArray) -> FloatArray:
        """Rotation vectors (n, 3) at times (n,)."""
        after_s = (np.asarray(t_s) - self.origin_s)[:, None]
        return np.asarray(self.bias_rad + self.drift_rad_s * after_s)


def draw_knowledge(
    navigation: Navigation, rng: np.random.Generator, origin_s: float
) -> KnowledgeError:
    """The slow part of the error, for an acquisition with its middle at `origin_s`."""
    z = rng.standard_normal((3, 3))
    return KnowledgeError(
        origin_s=origin_s,
        position_m=navigation.position_sigma_m * z[0],
        bias_rad=navigation.attitude_sigma_rad * z[1],
        drift_rad_s=navigation.drift_sigma_rad_s * z[2],
    )


def measure(trajectory: Trajectory, error: KnowledgeError) -> Trajectory:
    """A trajectory with an error of knowledge added."""
    return replace(
        turned(trajectory, error.turn_rad(trajectory.t_s)),
        r_itrf=trajectory.r_itrf + error.position_m,
    )


def turned(trajectory: Trajectory, turn_rad: FloatArray) -> Trajectory:
    """A trajectory whose attitudes are turned further, by (n, 3) about the body axes."""
    turn = quaternion_from_rotation_vector(turn_rad)
    return replace(trajectory, body_from_gcrf=quaternion_product(turn, trajectory.body_from_gcrf))


def middle_s(trajectory: Trajectory) -> float:
    """The time from which drifts count."""
    return 0.5 * (trajectory.start_s + trajectory.end_s)


def draw_measured(true: Trajectory, navigation: Navigation, rng: np.random.Generator) -> Trajectory:
    """One of many trajectories that might be measured when `true` is flown, at its times.

    Its error has the statistics of the model above. What it lacks of the truth is a jitter of its
    own, drawn anew, not the one in `true`: for statistics of location, not for images.
    """
    knowledge = draw_knowledge(navigation, rng, middle_s(true))
    jitter = draw_jitter(navigation.jitter_sigma_rad, rng, middle_s(true))
    turn = knowledge.turn_rad(true.t_s) - jitter.turn_rad(true.t_s)
    return replace(turned(true, turn), r_itrf=true.r_itrf + knowledge.position_m)
