"""How wide strips may be so that looks from a whole orbit are sure to see them.

No pass is looked up: a look is a turn to the side from the lowest point of the orbit, with the
direction that the track has where the place lies so far aside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from humay.access.ground import Ground, flat_ground
from humay.access.looks import Nadir
from humay.access.strips import LONGEST_STRIP_M
from humay.access.swath import largest_skew, lengthening_m, sure_half_field_rad, swath_across_m
from humay.access.tracks import Track
from humay.arrays import FloatArray, norm
from humay.earth import itrf_from_normal
from humay.errors import AccessError
from humay.mission import Request, limits

MOST_TURN_RAD = math.radians(10.0)  # looks turned further from a strip may be too narrow for it
LEAST_OF_SWATH = 0.1  # where less of it is sure, a satellite has no say in how wide strips are
_SHARES = np.linspace(-1.0, 1.0, 11)
_LOOKS = _SHARES * np.abs(_SHARES)  # of the way to the farthest look, more where swaths are least
_OBLIQUE = np.array([-0.5, 0.5])
_GEODETIC_TILT_RAD = 0.0034  # geodetic nadir leaves the geocentric one by at most 0.193 deg
_STEEPEST_SINE = 0.99  # of the incidence: beyond 82 deg nothing is imaged
_SLOWEST = 0.9  # ground speed over that above a still Earth, against which tracks may run


@dataclass(frozen=True, kw_only=True, eq=False)
class _Looks:
    """Looks of one track at places (p,): k to the sides of descending and ascending passes.

    Height over the plane that touches at the place and tangent of the lean across (p, k), angle in
    space and over the ground between the way and the strip (p, 2, k), the latter 0 to 90 deg.
    """

    height_m: FloatArray
    lean: FloatArray
    off_rad: FloatArray
    turn_rad: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class LookRule:
    """How wide strips are made, from the looks that satellites may take at them.

    Areas (n,) by the normals `middle` (n, 3) and the distance `radius_m` of the ellipsoid there
    from the Earth's centre; `azimuth` (n,) of their strips; largest off-nadir angle and largest
    lean across the strip, for each track and area (s, n).
    """

    tracks: Sequence[Track]
    names: list[str]
    middle: FloatArray
    radius_m: FloatArray
    azimuth: FloatArray
    tilt_rad: FloatArray
    lean_rad: FloatArray
    oblique: bool

    @staticmethod
    def of(
        tracks: Sequence[Track], requests: Sequence[Request], middle: FloatArray,
        azimuth: FloatArray, nadir: Nadir, *, oblique: bool,
    ) -> LookRule:  # fmt: skip
        """The rule for requests with their middles and directions."""
        each = [[limits(track.satellite, request) for request in requests] for track in tracks]
        tilt = np.array([[limit.max_off_nadir_rad for limit in own] for own in each])
        roll = np.array([[limit.max_roll_rad for limit in own] for own in each])
        more = _GEODETIC_TILT_RAD if nadir == "geodetic" else 0.0
        return LookRule(
            tracks=tracks,
            names=[request.name for request in requests],
            middle=middle,
            radius_m=norm(itrf_from_normal(middle, np.zeros(len(middle)))),
            azimuth=azimuth,
            tilt_rad=tilt + more,
            lean_rad=np.minimum(tilt, roll) + more,
            oblique=oblique,
        )

    @property
    def sure_turn_rad(self) -> float:
        """Up to which turn from a strip every look is wide enough; negative: none is for sure."""
        return -1.0 if self.oblique else MOST_TURN_RAD

    def width_m(self, ground: Ground) -> FloatArray:
        """Width (p,) that looks see for sure: the narrowest of all, or the widest satellite's half
        way out. Raises `AccessError` where errors leave no satellite a tenth of its swath."""
        every = range(len(self.tracks))
        least = np.min(
            [np.min(self._looks(s, ground).turn_rad, axis=(1, 2)) for s in every], axis=0
        )
        sure_m = np.array([self._sure_m(s, ground, least + MOST_TURN_RAD) for s in every])
        whole_m = np.array([self._whole_m(s, ground) for s in every])
        counts = sure_m > LEAST_OF_SWATH * whole_m
        for p in np.flatnonzero(~np.any(counts, axis=0))[:1]:
            raise AccessError(
                f"request {self.names[ground.area[p]]!r}: by the end of the span, three sigma of"
                f" orbit and pointing leave {max(0.0, float(sure_m[:, p].max())):.0f} m of a swath"
                f" of {float(whole_m[:, p].max()):.0f} m, expected a tenth at least: newer elements"
                " or a shorter span"
            )
        if self.oblique:
            return np.asarray(np.max(np.where(counts, sure_m, -np.inf), axis=0))
        return np.asarray(np.min(np.where(counts, sure_m, np.inf), axis=0))

    def lengthening_m(self, ground: Ground, width_m: FloatArray) -> FloatArray:
        """What lines are longer at either end (p,): for the satellite that needs most."""
        each = []
        for s, track in enumerate(self.tracks):
            incidence, apart = self._farthest(s, ground, self.tilt_rad)
            slope = np.tan(incidence)
            range_m = track.least_radius_m * np.sin(apart) / np.sin(incidence)
            sure_m = lengthening_m(track.satellite, range_m, slope, track.along_m)
            askew_m = 0.5 * width_m * largest_skew(slope)
            each.append(sure_m + ground.relief_m * slope + askew_m)
        return np.asarray(np.max(each, axis=0))

    def longest_m(self, height_m: FloatArray) -> FloatArray:
        """Longest strips (n,), so that none alone passes a satellite's limit on imaging."""
        longest_m = np.full(len(self.middle), LONGEST_STRIP_M)
        if not any(track.satellite.imaging_at_once_s for track in self.tracks):
            return longest_m
        ground = flat_ground(np.arange(len(self.middle)), np.nan_to_num(height_m, nan=0.0))
        longer_m = self.lengthening_m(ground, self.width_m(ground))
        for track in self.tracks:
            least_m = track.satellite.camera.scene_length_m
            speed_m_s = _SLOWEST * 2 * math.pi / track.period_s * self.radius_m
            for at_once_s in track.satellite.imaging_at_once_s:
                whole_m = at_once_s * speed_m_s - 2 * longer_m
                longest_m = np.minimum(longest_m, np.maximum(whole_m, least_m))
        return longest_m

    def _farthest(
        self, s: int, ground: Ground, tilt_rad: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Incidence and angle at the Earth's centre (p,) of the most oblique look of one track."""
        ratio = self.tracks[s].least_radius_m / (self.radius_m[ground.area] + ground.top_m)
        sine = np.minimum(ratio * np.sin(tilt_rad[s, ground.area]), _STEEPEST_SINE)
        return np.arcsin(sine), np.arcsin(sine) - np.arcsin(sine / ratio)

    def _looks(self, s: int, ground: Ground) -> _Looks:
        track, up = self.tracks[s], self.middle[ground.area][:, None]
        _, farthest = self._farthest(s, ground, self.lean_rad)
        aside = farthest[:, None] * (_OBLIQUE if self.oblique else _LOOKS)
        height_m = track.least_radius_m * np.cos(aside) - self._ground_radius_m(ground)[:, None]
        ways = [track.azimuth(up, ascending=way, aside_rad=aside) for way in (False, True)]
        strip = self.azimuth[ground.area][:, None]
        over_ground = [track.ground_azimuth(up, way) for way in ways]
        return _Looks(
            height_m=height_m,
            lean=track.least_radius_m * np.abs(np.sin(aside)) / height_m,
            off_rad=np.stack([way - strip for way in ways], axis=1),
            turn_rad=np.stack([np.abs(np.arcsin(np.sin(w - strip))) for w in over_ground], axis=1),
        )

    def _sure_m(self, s: int, ground: Ground, most_turn_rad: FloatArray) -> FloatArray:
        """Width (p,) that is sure from every look of one track turned no further from the strip,
        minus infinity where there is none."""
        track, looks = self.tracks[s], self._looks(s, ground)
        half_field = math.tan(sure_half_field_rad(track.satellite))
        seen_m = swath_across_m(
            looks.height_m, looks.lean, 1.0, half_field, ground.relief_m[:, None]
        )
        sure_m = seen_m[:, None] - 2 * track.along_m * np.abs(np.sin(looks.off_rad))
        counts = looks.turn_rad <= most_turn_rad[:, None, None]
        least_m = np.min(np.where(counts, sure_m, np.inf), axis=(1, 2))
        return np.where(np.any(counts, axis=(1, 2)), least_m, -np.inf)

    def _whole_m(self, s: int, ground: Ground) -> FloatArray:
        """The swath (p,) of one satellite over nadir."""
        track = self.tracks[s]
        height_m = track.least_radius_m - self._ground_radius_m(ground)
        return np.asarray(2 * height_m * math.tan(track.satellite.camera.swath_rad / 2))

    def _ground_radius_m(self, ground: Ground) -> FloatArray:
        return np.asarray(self.radius_m[ground.area] + ground.top_m)
