"""The records of this stage, in columns: a row is a window, an element of each array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from humay.access.lines import GroundLine
from humay.access.strips import Strip
from humay.arrays import BoolArray, FloatArray, IntArray
from humay.errors import AccessError
from humay.time import Epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class Opportunities:
    """Windows (n,) in which a satellite can image a point or sweep a strip, SI units.

    `start_s` and `end_s`: for a point when it is within every limit, for a strip the start times
    from which every line is, at its own time. Angles are those at `best_s`, the least off-nadir
    inside the window (for a strip: of its middle line). `line`, `scan_s` and `line_period_s` say
    how it is swept, `plan_start_s` to `plan_end_s` (NaN where none is left) when a sweep may begin
    once the limits are narrowed and the ends trimmed by three sigma of orbit and pointing. `strips`
    are all strips asked for, also those without a window.
    """

    epoch: Epoch
    span_s: tuple[float, float]
    strips: tuple[Strip, ...]
    opportunity_id: Any  # (n,) str
    satellite: Any
    request: Any
    strip: Any
    start_s: FloatArray
    end_s: FloatArray
    best_s: FloatArray
    sigma_s: FloatArray
    orbit: IntArray
    anx_offset_s: FloatArray
    ascending: BoolArray
    off_nadir_rad: FloatArray
    roll_rad: FloatArray
    pitch_rad: FloatArray
    incidence_rad: FloatArray
    azimuth_rad: FloatArray
    sun_elevation_rad: FloatArray
    sun_azimuth_rad: FloatArray
    gsd_along_m: FloatArray
    gsd_across_m: FloatArray
    off_nadir_start_rad: FloatArray
    off_nadir_end_rad: FloatArray
    sun_elevation_start_rad: FloatArray
    sun_elevation_end_rad: FloatArray
    line: GroundLine
    scan_s: FloatArray
    scan_heading_rad: FloatArray
    width_m: FloatArray
    line_period_s: FloatArray
    data_bit: FloatArray
    plan_start_s: FloatArray
    plan_end_s: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def gsd_mean_m(self) -> FloatArray:
        """Geometric mean of the ground sampling along and across."""
        return np.sqrt(self.gsd_along_m * self.gsd_across_m)

    def within(self, start_s: float, end_s: float) -> tuple[Opportunities, IntArray]:
        """What is left of the windows in a shorter span, and the rows it is left of."""
        begin, finish = np.maximum(self.start_s, start_s), np.minimum(self.end_s, end_s)
        rows = np.flatnonzero(finish > begin)
        best = np.clip(self.best_s, begin, np.maximum(begin, finish))
        low = np.maximum(self.plan_start_s, start_s)
        high = np.minimum(self.plan_end_s, end_s - self.scan_s)
        low, high = (np.where(high > low, edge, np.nan) for edge in (low, high))
        cut = replace(
            self,
            span_s=(start_s, end_s),
            start_s=begin,
            end_s=finish,
            best_s=best,
            anx_offset_s=self.anx_offset_s + (best - self.best_s),
            plan_start_s=low,
            plan_end_s=high,
        )
        return cut.take(rows), rows

    def take(self, which: Any) -> Opportunities:
        """The rows of an index or mask."""
        columns = {name: getattr(self, name)[which] for name in column_names()}
        return Opportunities(epoch=self.epoch, span_s=self.span_s, strips=self.strips, **columns)

    def and_then(self, other: Opportunities) -> Opportunities:
        """These rows, and behind them those of another search over the same span."""
        if other.epoch != self.epoch:
            raise AccessError("opportunities of two epochs, expected the same for both")
        strips = (*self.strips, *other.strips)
        return _stacked([self, other], epoch=self.epoch, span_s=self.span_s, strips=strips)


def column_names() -> list[str]:
    """Names of the fields that hold one element a row."""
    whole = ("epoch", "span_s", "strips")
    return [field.name for field in fields(Opportunities) if field.name not in whole]


def joined(
    parts: Sequence[Opportunities],
    *,
    epoch: Epoch,
    span_s: tuple[float, float],
    strips: tuple[Strip, ...],
) -> Opportunities:
    """The rows of all parts in order of time."""
    whole = _stacked(parts, epoch=epoch, span_s=span_s, strips=strips)
    return whole.take(np.lexsort((whole.opportunity_id, whole.start_s)))


def _stacked(
    parts: Sequence[Opportunities],
    *,
    epoch: Epoch,
    span_s: tuple[float, float],
    strips: tuple[Strip, ...],
) -> Opportunities:
    """The rows of one part behind those of the other."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in column_names()
        if name != "line"
    }
    line = GroundLine(
        normals=np.concatenate([part.line.normals for part in parts]),
        heights_m=np.concatenate([part.line.heights_m for part in parts]),
    )
    return Opportunities(epoch=epoch, span_s=span_s, strips=strips, line=line, **columns)


LOOKS = 5  # lines of a sweep whose angles are sampled: first, last and three between


@dataclass(frozen=True, kw_only=True, eq=False)
class Pointing:
    """Attitudes of one opportunity for sweeps that begin at `start_s` (k,), a second apart or less.

    Quaternions (k, 4) `body_from_gcrf` and body rates (k, 3) rad/s: when settling begins, at the
    first line and at the last line. `roll_rad` and `pitch_rad` (k, 5) are those of five lines
    spread over the sweep, from the first to the last. The Sun's elevation (k,), the mean ground
    sampling and the unit vectors to the satellite (k, 3), east, north and up at the target, are
    those of its middle line; so is the line period, which keeps pixels square unless the camera
    states its own, and with it the data of the sweep.
    """

    start_s: FloatArray
    settle_attitude: FloatArray
    settle_rate_rad_s: FloatArray
    first_attitude: FloatArray
    first_rate_rad_s: FloatArray
    last_attitude: FloatArray
    last_rate_rad_s: FloatArray
    roll_rad: FloatArray
    pitch_rad: FloatArray
    to_satellite_enu: FloatArray
    sun_elevation_rad: FloatArray
    gsd_mean_m: FloatArray
    line_period_s: FloatArray
    data_bit: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Contacts:
    """Passes (n,) of satellites over stations in `span_s`, elevation above the mask throughout.

    `best_s` is the instant of the highest elevation, `range_min_m` the least distance on the way.
    Range rates are negative while the satellite comes nearer. The largest and least Doppler shifts
    are NaN for a satellite without a carrier. `volume_bit` is what the link can carry from start to
    end; `orbit` and `anx_offset_s` are those of the start.
    """

    epoch: Epoch
    span_s: tuple[float, float]
    contact_id: Any
    satellite: Any
    station: Any
    start_s: FloatArray
    end_s: FloatArray
    best_s: FloatArray
    max_elevation_rad: FloatArray
    azimuth_start_rad: FloatArray
    azimuth_best_rad: FloatArray
    azimuth_end_rad: FloatArray
    range_start_m: FloatArray
    range_min_m: FloatArray
    range_end_m: FloatArray
    range_rate_start_m_s: FloatArray
    range_rate_end_m_s: FloatArray
    doppler_max_hz: FloatArray
    doppler_min_hz: FloatArray
    volume_bit: FloatArray
    orbit: IntArray
    anx_offset_s: FloatArray
    sigma_s: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def duration_s(self) -> FloatArray:
        return self.end_s - self.start_s

    def within(self, start_s: float, end_s: float) -> Contacts:
        """What is left of the passes in a shorter span.

        Of a pass that is cut, what only the orbit could tell is NaN: azimuth, range and range rate
        where the cut is, Doppler shifts and volume. The highest elevation and its instant, and the
        least range, remain those of the whole pass.
        """
        begin, finish = np.maximum(self.start_s, start_s), np.minimum(self.end_s, end_s)
        late, early = begin > self.start_s, finish < self.end_s
        lost = dict.fromkeys(_AT_START, late) | dict.fromkeys(_AT_END, early)
        lost |= dict.fromkeys(_OF_WHOLE, late | early)
        known: dict[str, Any] = {
            name: np.where(rows, np.nan, getattr(self, name)) for name, rows in lost.items()
        }
        cut = replace(self, span_s=(start_s, end_s), start_s=begin, end_s=finish, **known)
        return cut.take(finish > begin)

    def take(self, which: Any) -> Contacts:
        """The rows of an index or mask."""
        whole = ("epoch", "span_s")
        columns = {name: value[which] for name, value in vars(self).items() if name not in whole}
        return Contacts(epoch=self.epoch, span_s=self.span_s, **columns)


_AT_START = ("azimuth_start_rad", "range_start_m", "range_rate_start_m_s")
_AT_END = ("azimuth_end_rad", "range_end_m", "range_rate_end_m_s")
_OF_WHOLE = ("doppler_max_hz", "doppler_min_hz", "volume_bit")


@dataclass(frozen=True, kw_only=True, eq=False)
class Eclipses:
    """Eclipses (n,) of satellites by the Earth in `span_s`, in order of time.

    From `start_s` to `end_s` any part of the Sun is covered (penumbra or umbra), from
    `umbra_start_s` to `umbra_end_s` all of it: NaN where that never happens. `orbit` and
    `anx_offset_s` are those of the start; `sigma_s` is how far one sigma of the orbit along the
    track may move the eclipse.
    """

    epoch: Epoch
    span_s: tuple[float, float]
    satellite: Any
    start_s: FloatArray
    end_s: FloatArray
    umbra_start_s: FloatArray
    umbra_end_s: FloatArray
    orbit: IntArray
    anx_offset_s: FloatArray
    sigma_s: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)

    @property
    def duration_s(self) -> FloatArray:
        return self.end_s - self.start_s

    @property
    def umbra_s(self) -> FloatArray:
        """How long all of the Sun is covered."""
        return np.where(np.isnan(self.umbra_start_s), 0.0, self.umbra_end_s - self.umbra_start_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Timeline:
    """What one satellite passes through, whatever is planned; arrays over `t_s` (k,).

    `r_gcrf_m` (k, 3) where it is, in metres; `nadir_attitude` (k, 4) orb_from_gcrf; `sun_gcrf` and
    `moon_gcrf` (k, 3) unit vectors from the centre of the Earth;
    `irradiance_w_m2` what a plate facing the Sun receives, zero in the umbra. `eclipse_s` (e, 2)
    from first to last contact with the penumbra; `node_s`, `node_orbit` ascending nodes and the
    orbits they begin. `lonlat_deg` (k, 2) the sub-satellite point.
    """

    satellite: str
    epoch: Epoch
    t_s: FloatArray
    r_gcrf_m: FloatArray
    nadir_attitude: FloatArray
    sun_gcrf: FloatArray
    moon_gcrf: FloatArray
    irradiance_w_m2: FloatArray
    lonlat_deg: FloatArray
    eclipse_s: FloatArray
    node_s: FloatArray
    node_orbit: FloatArray
    orbit_epoch_s: float
    inertial_speed_m_s: float
