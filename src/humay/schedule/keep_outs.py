"""What must not be looked at: how far every attitude of a timeline stays off Sun, Moon and Earth.

Directions are those from the satellite, on the timeline's grid. The Earth is a sphere of its
equator's radius; Sun and Moon do not count while they stand deep behind it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from humay.access import Timeline
from humay.arrays import BoolArray, FloatArray, dot, norm, unit
from humay.earth import WGS84_A_M, moon_gcrf, sun_gcrf
from humay.frames import (
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotate,
    rotation_vector_from_quaternion,
)
from humay.mission import KeepOut, Satellite, StarTracker
from humay.schedule.slews import Phase, State, fly

MARGIN_RAD = math.radians(0.05)  # for what sampling and interpolation leave open
HIDDEN_RAD = math.radians(1.0)  # below the limb: disc, refraction and the Earth's flattening
SLEW_STEP_S = 0.25
SWEEP_STEP_S = 1.0

Span: TypeAlias = tuple[float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Guard:
    """The keep-outs of one satellite beside where Sun, Moon and Earth stand."""

    keep_outs: tuple[KeepOut, ...]
    timeline: Timeline
    trackers: tuple[StarTracker, ...] = ()
    needed: int = 1
    tracker_modes: tuple[str, ...] = ()

    @classmethod
    def of(cls, satellite: Satellite, timeline: Timeline) -> Guard:
        """That of a satellite."""
        return cls(
            keep_outs=satellite.keep_out,
            timeline=timeline,
            trackers=satellite.star_trackers,
            needed=satellite.trackers_needed,
            tracker_modes=satellite.tracker_modes,
        )

    def __bool__(self) -> bool:
        return bool(self.keep_outs or self.trackers)

    def asks(self, *modes: str) -> list[str]:
        """What must hold in any of some modes, as it would read if it were broken."""
        texts = [each.text for each in self.keep_outs if set(modes) & set(each.modes)]
        return texts + ([self._blind_text] if self._tracks(*modes) else [])

    def _tracks(self, *modes: str) -> bool:
        return bool(self.trackers) and bool(set(modes) & set(self.tracker_modes))

    @property
    def _blind_text(self) -> str:
        return f"less than {self.needed} of {len(self.trackers)} star trackers to see"

    def without(self) -> Guard:
        """The same satellite with nothing to keep out."""
        return Guard(keep_outs=(), timeline=self.timeline)

    @cached_property
    def _bodies(self) -> dict[str, FloatArray]:
        """Unit vectors (k, 3) from the satellite to each body, GCRF, on the timeline's grid."""
        epoch, t_s, r = self.timeline.epoch, self.timeline.t_s, self.timeline.r_gcrf_m
        return {
            "sun": unit(sun_gcrf(epoch, t_s) - r),
            "moon": unit(moon_gcrf(epoch, t_s) - r),
            "earth": unit(-r),
        }

    @cached_property
    def _earth_rad(self) -> FloatArray:
        """Radius (k,) of the Earth's disc."""
        return np.asarray(np.arcsin(np.minimum(WGS84_A_M / norm(self.timeline.r_gcrf_m), 1.0)))

    def _towards(self, body: str, t_s: FloatArray) -> FloatArray:
        columns = self._bodies[body].T
        return unit(np.stack([np.interp(t_s, self.timeline.t_s, c) for c in columns], axis=-1))

    def room(self, keep_out: KeepOut, t_s: FloatArray, attitude: FloatArray) -> FloatArray:
        """By how much (...) attitudes (..., 4) at times (...) keep more than the least angle."""
        axis = rotate(quaternion_inverse(attitude), np.asarray(keep_out.axis))
        towards = self._towards(keep_out.body, t_s)
        angle = np.arccos(np.clip(dot(axis, towards), -1.0, 1.0))
        earth_rad = np.interp(t_s, self.timeline.t_s, self._earth_rad)
        if keep_out.body == "earth":
            return np.asarray(angle - earth_rad - keep_out.angle_rad)
        below = np.arccos(np.clip(dot(towards, self._towards("earth", t_s)), -1.0, 1.0))
        hidden = below < earth_rad - HIDDEN_RAD - MARGIN_RAD
        return np.where(hidden, np.inf, angle - keep_out.angle_rad)

    def clear(
        self, mode: str, t_s: FloatArray, attitude: FloatArray, spare_rad: FloatArray | float = 0.0
    ) -> BoolArray:
        """Whether attitudes (..., 4) at times (...) keep every angle of a mode, with `spare_rad`
        and a margin besides."""
        clear = np.ones(np.shape(t_s), dtype=bool)
        for keep_out in self.keep_outs:
            if mode in keep_out.modes:
                clear &= self.room(keep_out, t_s, attitude) >= spare_rad + MARGIN_RAD
        if self._tracks(mode):
            clear &= np.sum(self._seeing(t_s, attitude, spare_rad), axis=0) >= self.needed
        return clear

    def _seeing(
        self, t_s: FloatArray, attitude: FloatArray, spare_rad: FloatArray | float = 0.0
    ) -> BoolArray:
        """Which trackers (m, ...) see at attitudes (..., 4) at times (...)."""
        return np.stack(
            [
                np.all(
                    [
                        self.room(each, t_s, attitude) >= spare_rad + MARGIN_RAD
                        for each in tracker.exclusions
                    ],
                    axis=0,
                )
                for tracker in self.trackers
            ]
        )

    def _handed_over(self, mode: str, seeing: BoolArray) -> BoolArray:
        """Between which neighbours in time, of trackers that see (m, k, ...), enough of them see
        all along: (k - 1, ...)."""
        both = seeing[:, 1:] & seeing[:, :-1]
        return np.asarray(np.sum(both, axis=0) >= self.needed) | (not self._tracks(mode))

    # Stretches of one attitude law ------------------------------------------------------------

    def worst(self, mode: str, t_s: FloatArray, attitude: FloatArray) -> tuple[str, int] | None:
        """What is broken most among attitudes (n, 4), and at which of them."""
        found: tuple[float, str, int] | None = None
        for keep_out in self.keep_outs:
            if mode not in keep_out.modes:
                continue
            room = self.room(keep_out, t_s, attitude) - MARGIN_RAD
            i = int(np.argmin(room))
            if room[i] < 0 and (found is None or room[i] < found[0]):
                found = float(room[i]), keep_out.text, i
        if found is None and self._tracks(mode):
            blind = ~self.clear(mode, t_s, attitude)
            blind[1:] |= ~self._handed_over(mode, self._seeing(t_s, attitude))
            return (self._blind_text, int(np.argmax(blind))) if np.any(blind) else None
        return None if found is None else found[1:]

    def closed(self, mode: str, t_s: FloatArray, attitude: FloatArray) -> list[Span]:
        """The stretches in which attitudes (k, 4) at times (k,) come too close."""
        broken = ~self.clear(mode, t_s, attitude)
        if self._tracks(mode):
            broken[1:] |= ~self._handed_over(mode, self._seeing(t_s, attitude))
        bad = np.concatenate([[False], broken, [False]])
        edges = np.flatnonzero(np.diff(bad.astype(np.int8)))
        return [
            (float(t_s[max(first - 1, 0)]), float(t_s[min(last, len(t_s) - 1)]))
            for first, last in zip(edges[::2], edges[1::2], strict=True)
        ]

    # Acts and slews ---------------------------------------------------------------------------

    def sweeps_clear(
        self, starts_s: FloatArray, settle_s: float, scan_s: float, states: Sequence[State]
    ) -> BoolArray:
        """Whether sweeps that begin at times (k,) keep off, settling included.

        `states` are those (k,) entering settling, at the first and at the last line. Between two
        of them the turn is taken as even. It is not: what it can be off is spared, 0.3 x the time
        x the largest difference of the rates from the mean one, where 0.25 is true of a rate that
        changes evenly.
        """
        settling, first, last = states
        clear = np.ones(len(starts_s), dtype=bool)
        for mode, begin_s, length_s, ends in (
            ("settle", starts_s - settle_s, settle_s, (settling, first)),
            ("image", starts_s, scan_s, (first, last)),
        ):
            if length_s <= 0 or not self.asks(mode):
                continue
            before: BoolArray | None = None
            turn = _turn(ends[0].attitude, ends[1].attitude)
            uneven = [norm(end.rate_rad_s * length_s - turn) for end in ends]
            for share in np.linspace(0.0, 1.0, math.ceil(length_s / SWEEP_STEP_S) + 1):
                turned = quaternion_from_rotation_vector(share * turn)
                attitude = quaternion_product(turned, ends[0].attitude)
                spare = 0.3 * np.maximum(*uneven)
                clear &= self.clear(mode, begin_s + share * length_s, attitude, spare)
                if self._tracks(mode):
                    seeing = self._seeing(begin_s + share * length_s, attitude, spare)
                    if before is not None:
                        clear &= self._handed_over(mode, np.stack([before, seeing], axis=1))[0]
                    before = seeing
        return clear

    def slew_clear(self, start: State, start_s: float, phases: Sequence[Phase]) -> bool:
        """Whether a slew keeps off all along its way."""
        length_s = sum(phase.duration_s for phase in phases)
        t_s = np.linspace(0.0, length_s, max(3, math.ceil(length_s / SLEW_STEP_S) + 1))
        at_s, attitude = start_s + t_s, fly(start, list(phases), t_s)
        if not np.all(self.clear("slew", at_s, attitude)):
            return False
        if not self._tracks("slew"):
            return True
        return bool(np.all(self._handed_over("slew", self._seeing(at_s, attitude))))


def _turn(a: FloatArray, b: FloatArray) -> FloatArray:
    """The turns (k, 3) rad from attitudes a to b (k, 4)."""
    return rotation_vector_from_quaternion(quaternion_product(b, quaternion_inverse(a)))
