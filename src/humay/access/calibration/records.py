"""`CalibrationLooks`: the windows of this package in columns, a row a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np

from humay.arrays import FloatArray, IntArray, norm
from humay.earth import sun_itrf, sunlit_fraction
from humay.frames import inertial_velocity
from humay.mission import CALIBRATION_KINDS, CalibrationKind, Satellite
from humay.orbit import Ephemeris
from humay.time import Epoch

Kind: TypeAlias = CalibrationKind
KINDS: tuple[Kind, ...] = CALIBRATION_KINDS
INERTIAL: tuple[Kind, ...] = ("moon", "star")


@dataclass(frozen=True, kw_only=True, eq=False)
class CalibrationLooks:
    """Windows (n,) of calibration looks in order of time, SI units, angles those at `best_s`.

    `best_s` is the least off-nadir of looks at the ground, the highest above the Earth's limb of
    looks at Moon and stars. A column that a kind has no use for is NaN. `lon_rad` and `lat_rad` are
    the place on the ground, of inertial looks the one below the satellite. `yaw_rad` is that of the
    body in the orbital frame, `heading_rad` the course of the satellite over the ground, `ra_rad`
    and `dec_rad` the apparent direction on axes of the GCRF, `limb_rad` its height above the
    limb with the air. The Moon's phase is signed, negative before full Moon.
    """

    epoch: Epoch
    span_s: tuple[float, float]
    look_id: Any  # (n,) str
    satellite: Any
    kind: Any
    target: Any
    start_s: FloatArray
    end_s: FloatArray
    best_s: FloatArray
    sigma_s: FloatArray
    orbit: IntArray
    anx_offset_s: FloatArray
    sunlit: FloatArray
    lon_rad: FloatArray
    lat_rad: FloatArray
    off_nadir_rad: FloatArray
    roll_rad: FloatArray
    pitch_rad: FloatArray
    yaw_rad: FloatArray
    heading_rad: FloatArray
    incidence_rad: FloatArray
    azimuth_rad: FloatArray
    sun_elevation_rad: FloatArray
    sun_azimuth_rad: FloatArray
    glint_rad: FloatArray
    moon_elevation_rad: FloatArray
    moon_phase_rad: FloatArray
    moon_distance_m: FloatArray
    moon_diameter_rad: FloatArray
    ra_rad: FloatArray
    dec_rad: FloatArray
    limb_rad: FloatArray
    sun_angle_rad: FloatArray
    moon_angle_rad: FloatArray
    magnitude: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)

    def take(self, which: Any) -> CalibrationLooks:
        """The rows of an index or mask."""
        values = {name: getattr(self, name)[which] for name in column_names()}
        return CalibrationLooks(epoch=self.epoch, span_s=self.span_s, **values)


def column_names() -> list[str]:
    """Names of the fields that hold one element a row."""
    return [field.name for field in fields(CalibrationLooks) if field.name not in _WHOLE]


_WHOLE = ("epoch", "span_s")
_TEXTS = ("look_id", "satellite", "kind", "target")


@dataclass(frozen=True, kw_only=True, eq=False)
class Windows:
    """Windows (n,) of one satellite and kind: names of the targets, instants, the best of each."""

    target: Any
    start_s: FloatArray
    end_s: FloatArray
    best_s: FloatArray


def rows(
    satellite: Satellite, ephemeris: Ephemeris, kind: Kind, windows: Windows, **known: FloatArray
) -> CalibrationLooks:
    """Looks of one satellite and kind; columns not `known` are NaN."""
    n, best_s = len(windows.start_s), windows.best_s
    r, v = ephemeris.state_itrf(best_s)
    orbit, after_s = ephemeris.orbit_at(best_s)
    along_m = satellite.orbit_sigma.along_m(ephemeris.age_days(best_s))
    values: dict[str, Any] = {name: np.full(n, np.nan) for name in column_names()}
    values |= {
        "look_id": np.array([
            f"{satellite.name}:{kind}:{target}:{int(number)}"
            for target, number in zip(windows.target, orbit, strict=True)
        ], dtype=object),
        "satellite": np.full(n, satellite.name, dtype=object),
        "kind": np.full(n, kind, dtype=object),
        "target": windows.target,
        "start_s": windows.start_s,
        "end_s": windows.end_s,
        "best_s": best_s,
        "sigma_s": along_m / norm(inertial_velocity(r, v)),
        "orbit": orbit.astype(np.int64),
        "anx_offset_s": after_s,
        "sunlit": sunlit_fraction(r, sun_itrf(ephemeris.epoch, best_s)),
    }  # fmt: skip
    return CalibrationLooks(epoch=ephemeris.epoch, span_s=(np.nan, np.nan), **(values | known))


def joined(
    parts: Sequence[CalibrationLooks], *, epoch: Epoch, span_s: tuple[float, float]
) -> CalibrationLooks:
    """The rows of all parts in order of time; a second window of one orbit gets `.2`."""
    values: dict[str, Any] = {
        name: np.concatenate([_empty(name), *(getattr(part, name) for part in parts)])
        for name in column_names()
    }
    looks = CalibrationLooks(epoch=epoch, span_s=span_s, **values)
    looks = looks.take(np.lexsort((looks.look_id.astype(str), looks.start_s)))
    seen: dict[str, int] = {}
    for i, name in enumerate(looks.look_id):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            looks.look_id[i] = f"{name}.{seen[name]}"
    return looks


def _empty(name: str) -> Any:
    if name in _TEXTS:
        return np.zeros(0, dtype=object)
    return np.zeros(0, dtype=np.int64 if name == "orbit" else np.float64)
