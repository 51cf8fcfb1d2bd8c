"""How likely clouds are: a raster of probabilities, by month or at forecast times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from humay.arrays import BoolArray, FloatArray, IntArray, frozen
from humay.errors import MissionError, RequestError
from humay.time import MJD_ZERO_UTC, format_utc

MONTHS = 12
Float32Array: TypeAlias = NDArray[np.float32]
_EDGE_DEG = 1e-9  # rounding leaves a place on the edge of the raster inside
_MJD_ZERO = np.datetime64(MJD_ZERO_UTC.replace(tzinfo=None), "us")


@dataclass(frozen=True, kw_only=True, eq=False)
class CloudModel:
    """Probabilities (k, rows, cols) of clouds, 0 to 1, NaN where unknown, in cells even in degrees.

    The first cell has its corner at `west_deg`, `north_deg`; rows go south. One layer holds always;
    twelve are the months of the calendar (UTC); with `mjd_utc` (k,), rising, the layers hold at
    those times, and in between they change evenly. A cell's value holds in all of it.
    """

    path: Path
    probabilities: Float32Array
    west_deg: float
    north_deg: float
    cell_lon_deg: float
    cell_lat_deg: float
    mjd_utc: FloatArray | None = None

    def __post_init__(self) -> None:
        probabilities = np.array(self.probabilities, dtype=np.float32)
        probabilities.setflags(write=False)
        object.__setattr__(self, "probabilities", probabilities)
        if self.mjd_utc is not None:
            object.__setattr__(self, "mjd_utc", frozen(self.mjd_utc))
        if fault := self._fault():
            raise MissionError(f"clouds {str(self.path)!r} {fault}")

    def _fault(self) -> str:
        """What is wrong with this model, or nothing."""
        shape, known = self.probabilities.shape, self.probabilities[~np.isnan(self.probabilities)]
        edges = (self.west_deg, self.north_deg, self.cell_lon_deg, self.cell_lat_deg)
        if len(shape) != 3 or min(shape) < 1:
            return f"has an array of {shape}, expected (layers, rows, cols)"
        if not all(map(math.isfinite, edges)) or min(self.cell_lon_deg, self.cell_lat_deg) <= 0:
            return f"has corner and cells of {edges} deg, expected numbers, cells above 0"
        if self.mjd_utc is None and shape[0] not in (1, MONTHS):
            return f"has {shape[0]} layers without times, expected 1, or {MONTHS} for the months"
        if self.mjd_utc is not None and (
            self.mjd_utc.shape != shape[:1] or shape[0] < 2 or not np.all(np.diff(self.mjd_utc) > 0)
        ):
            return f"has {shape[0]} layers with times, expected two or more, in rising order"
        if not len(known):
            return "knows no probability anywhere, expected some"
        if not (known.min() >= 0 and known.max() <= 1):
            return f"has probabilities {known.min():g} to {known.max():g}, expected 0 to 1"
        return ""

    def probability(
        self, lon_rad: FloatArray, lat_rad: FloatArray, mjd_utc: FloatArray
    ) -> FloatArray:
        """Probabilities (...) at places and times that broadcast; NaN where they are not known.

        Outside of the raster and of its times nothing is known. `mjd_utc` is a modified Julian date
        of UTC, as `Epoch.mjd_utc` gives it. To six decimals, so that 30 % are within 0.3.
        """
        lon, lat, mjd = np.broadcast_arrays(lon_rad, lat_rad, mjd_utc)
        row, col, inside = self._cells(np.degrees(lon), np.degrees(lat))
        layer, share, in_time = self._layers(np.asarray(mjd, dtype=np.float64))
        last = len(self.probabilities) - 1
        now = self.probabilities[layer, row, col].astype(np.float64)
        then = self.probabilities[np.minimum(layer + 1, last), row, col]
        found = np.where(share > 0, (1 - share) * now + share * then, now)
        return np.where(inside & in_time, np.round(found, 6), np.nan)

    def known_probability(
        self,
        requests: Sequence[str],
        lon_rad: FloatArray,
        lat_rad: FloatArray,
        mjd_utc: FloatArray,
    ) -> FloatArray:
        """The same (n,) for a place and a time of each request; one that is unknown is refused.

        Raises `RequestError` with the request's name: a window kept or dropped by a guess would
        look as true as any other.
        """
        found = self.probability(lon_rad, lat_rad, mjd_utc)
        if np.isnan(found).any():
            i = int(np.argmax(np.isnan(found)))
            lon, lat, mjd = (
                float(np.broadcast_to(part, found.shape)[i]) for part in (lon_rad, lat_rad, mjd_utc)
            )
            moment = format_utc((MJD_ZERO_UTC + timedelta(days=mjd)).replace(microsecond=0))
            raise RequestError(
                f"request {requests[i]!r}: no probability of clouds at lon"
                f" {math.degrees(lon):.4f}, lat {math.degrees(lat):.4f} on {moment} in"
                f" {self.path}, expected {self.extent}"
            )
        return found

    @property
    def extent(self) -> str:
        """What the raster spans, in words."""
        _, rows, cols = self.probabilities.shape
        words = (
            f"lon {self.west_deg:g} to {self.west_deg + cols * self.cell_lon_deg:g}, lat"
            f" {self.north_deg - rows * self.cell_lat_deg:g} to {self.north_deg:g}"
        )
        if self.mjd_utc is None:
            return words
        begin, end = (MJD_ZERO_UTC + timedelta(days=float(t)) for t in self.mjd_utc[[0, -1]])
        return f"{words}, {format_utc(begin)} to {format_utc(end)}"

    def _cells(
        self, lon_deg: FloatArray, lat_deg: FloatArray
    ) -> tuple[IntArray, IntArray, BoolArray]:
        """Row and column (clipped to the raster) of places, and whether they lie in it."""
        _, rows, cols = self.probabilities.shape
        west = self.west_deg - _EDGE_DEG
        east_of = np.mod(lon_deg - west, 360.0) - _EDGE_DEG
        south_of = self.north_deg - lat_deg
        across, down = east_of / self.cell_lon_deg, south_of / self.cell_lat_deg
        slack = _EDGE_DEG / min(self.cell_lon_deg, self.cell_lat_deg)
        inside = (across <= cols + slack) & (down >= -slack) & (down <= rows + slack)
        col = np.clip(np.floor(across), 0, cols - 1).astype(np.int64)
        row = np.clip(np.floor(down), 0, rows - 1).astype(np.int64)
        return row, col, inside

    def _layers(self, mjd_utc: FloatArray) -> tuple[IntArray, FloatArray, BoolArray]:
        """The layer that holds at times, the share of the way to the next, and whether any does."""
        none, always = np.zeros(mjd_utc.shape), np.ones(mjd_utc.shape, dtype=bool)
        if self.mjd_utc is None and len(self.probabilities) == 1:
            return none.astype(np.int64), none, always
        if self.mjd_utc is None:
            moment = _MJD_ZERO + np.round(mjd_utc * 86_400e6).astype("timedelta64[us]")
            return moment.astype("datetime64[M]").astype(np.int64) % MONTHS, none, always
        times = self.mjd_utc
        layer = np.clip(np.searchsorted(times, mjd_utc, side="right") - 1, 0, len(times) - 2)
        share = (mjd_utc - times[layer]) / (times[layer + 1] - times[layer])
        in_time = (mjd_utc >= times[0]) & (mjd_utc <= times[-1])
        return layer.astype(np.int64), np.clip(share, 0.0, 1.0), in_time
