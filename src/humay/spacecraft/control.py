"""How far the attitude flown is from the one commanded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, frozen
from humay.mission import Satellite

WANDER_S = 600.0  # in which the error swings once; assumed
SETTLE_HZ = 1.0  # at which a slew's end rings, assumed
SETTLE_DECAYS = 5.0  # by how many powers of e it dies down while settling, assumed


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlError:
    """Flown from commanded, as a small turn about the body axes; all (3,) radians.

    The slow part swings, `cosine_rad` cos + `sine_rad` sin of the time from `origin_s`; what the
    slew left, `ringing_rad`, dies down from `settling_s` on with the time constant `decay_s`, which
    is None where nothing rings.
    """

    origin_s: float
    cosine_rad: FloatArray
    sine_rad: FloatArray
    settling_s: float
    decay_s: float | None
    ringing_rad: FloatArray

    def __post_init__(self) -> None:
        for name in ("cosine_rad", "sine_rad", "ringing_rad"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def turn_rad(self, t_s: FloatArray) -> FloatArray:
        """Rotation vectors (n, 3) at times (n,)."""
        swing = (2 * np.pi / WANDER_S) * (np.asarray(t_s) - self.origin_s)[:, None]
        turn = self.cosine_rad * np.cos(swing) + self.sine_rad * np.sin(swing)
        if self.decay_s is not None:
            after_s = np.maximum(np.asarray(t_s) - self.settling_s, 0.0)[:, None]
            turn += (
                self.ringing_rad
                * np.exp(-after_s / self.decay_s)
                * np.cos(2 * np.pi * SETTLE_HZ * after_s)
            )
        return np.asarray(turn)


def draw_control(
    satellite: Satellite, rng: np.random.Generator, *, middle_s: float, first_line_s: float
) -> ControlError:
    """The control error of one acquisition.

    At any time the slow part is normal with `pointing_sigma_rad` about each axis. The ringing
    begins with as much and is down to 0.7 % of it at the first line.
    """
    z = rng.standard_normal((3, 3)) * satellite.pointing_sigma_rad
    settle_s = satellite.settle_s
    return ControlError(
        origin_s=middle_s,
        cosine_rad=z[0],
        sine_rad=z[1],
        settling_s=first_line_s - settle_s,
        decay_s=settle_s / SETTLE_DECAYS if settle_s > 0 else None,
        ringing_rad=z[2],
    )
