"""Which detectors and lines of a camera see a window: chips, field angles, line clocks.

A band is a row of `pixels` detectors centred on the optical axis, columns rising to the right (+y).
It is cut into equal pieces, one a chip, counted from 1 at the left; a chip also sees half of the
overlap on each side that has a neighbour. Odd chips look `chip_stagger_pixels` forward of the row,
even ones as far behind. The detector at x metres from the axis looks, across the track, along the
tangent x / f (1 + distortion (x / x_edge)^2), with x_edge the end of the panchromatic row.

Line k of a band is exposed from k to k + 1 of its own line periods after the strip's first line, so
that the lines of coarser bands hold whole PAN lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray
from humay.errors import ImagingError
from humay.mission import Band, Camera
from humay.sensor import Pushbroom
from humay.spacecraft import Acquisition

LEAST_PIXELS = 16  # a window's lines and columns
LEAST_CHIP_PIXELS = 4  # lines and columns of a chip, as `sensor.Chip` asks


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a strip: columns of the whole PAN row, and PAN lines after the strip's first."""

    first_column: int
    columns: int
    first_line: int
    lines: int

    def __post_init__(self) -> None:
        if min(self.first_column, self.first_line) < 0:
            raise ImagingError(
                f"window: begins at line {self.first_line}, column {self.first_column}, "
                "expected 0 or more"
            )
        if min(self.columns, self.lines) < LEAST_PIXELS:
            raise ImagingError(
                f"window: {self.lines} lines of {self.columns} columns, expected at least "
                f"{LEAST_PIXELS} of both"
            )

    @property
    def end_column(self) -> int:
        return self.first_column + self.columns

    @property
    def end_line(self) -> int:
        return self.first_line + self.lines

    def check(self, camera: Camera, acquisition: Acquisition) -> None:
        """Raise `ImagingError` where the window leaves the row of detectors or the strip."""
        pixels, lines = camera.pan.pixels, line_count(acquisition, camera.pan, camera)
        if self.end_column > pixels or self.end_line > lines:
            raise ImagingError(
                f"{acquisition.id}: window ends at line {self.end_line}, column "
                f"{self.end_column}, expected at most {lines} and {pixels}"
            )


@dataclass(frozen=True, kw_only=True)
class ChipSpan:
    """Detectors (first, end) of a band's row that one chip holds, and those that are its own."""

    index: int
    first: int
    end: int
    own_first: int
    own_end: int


def chip_spans(band: Band) -> tuple[ChipSpan, ...]:
    """The chips of a band from left to right; neighbours share the overlap, half on each side."""
    piece, overlap = band.pixels // band.chips, band.chip_overlap_pixels
    return tuple(
        ChipSpan(
            index=k,
            first=max(0, (k - 1) * piece - overlap // 2),
            end=min(band.pixels, k * piece + overlap - overlap // 2),
            own_first=(k - 1) * piece,
            own_end=k * piece,
        )
        for k in range(1, band.chips + 1)
    )


def along_tangent(camera: Camera, band: Band, chip: int) -> float:
    """How far forward of the optical axis a chip looks."""
    stagger = band.chip_stagger_pixels * band.pixel_pitch_m / camera.focal_length_m
    return math.tan(band.along_track_offset_rad) + (stagger if chip % 2 else -stagger)


def across_polynomial(camera: Camera, band: Band, first: int) -> FloatArray:
    """Coefficients of the tangent across the track in the column, 0 at detector `first`.

    The cubic of the module's head, expanded about that detector.
    """
    pitch = band.pixel_pitch_m
    x = (first - 0.5 * (band.pixels - 1)) * pitch
    straight = 1.0 / camera.focal_length_m
    bent = camera.distortion * straight / (0.5 * camera.pan.width_m) ** 2
    return np.array(
        [
            x * (straight + bent * x * x),
            pitch * (straight + 3 * bent * x * x),
            3 * bent * x * pitch**2,
            bent * pitch**3,
        ]
    )


def line_period_s(acquisition: Acquisition, band: Band, camera: Camera) -> float:
    return acquisition.line_period_s * camera.line_ratio(band)


def line_count(acquisition: Acquisition, band: Band, camera: Camera) -> int:
    """Whole lines of a band in a strip."""
    duration_s = acquisition.end_s - acquisition.start_s
    return math.floor(duration_s / line_period_s(acquisition, band, camera) + 1e-6)


def chip_model(
    acquisition: Acquisition, camera: Camera, band: Band, chip: int, first: int
) -> Pushbroom:
    """The model of a chip on the way truly flown: rows are the band's lines, columns count from
    detector `first`."""
    along = along_tangent(camera, band, chip)
    return _model(acquisition, camera, band, along, first)


def axis_model(acquisition: Acquisition, camera: Camera) -> Pushbroom:
    """The model of a window's own coordinates: the PAN row as if it were one straight chip."""
    along = math.tan(camera.pan.along_track_offset_rad)
    return _model(acquisition, camera, camera.pan, along, 0)


def _model(
    acquisition: Acquisition, camera: Camera, band: Band, along: float, first: int
) -> Pushbroom:
    period_s = line_period_s(acquisition, band, camera)
    return Pushbroom(
        trajectory=acquisition.true,
        first_line_s=acquisition.start_s + 0.5 * period_s,
        line_period_s=period_s,
        along=np.array([along, 0.0]),
        across=across_polynomial(camera, band, first),
    )


def band_columns(camera: Camera, band: Band, window: Window) -> tuple[int, int]:
    """The detectors (first, end) of a band that see the window's columns, whole ones."""
    ratio, slack = camera.line_ratio(band), 1e-6
    shift = 0.5 * (band.pixels - camera.pan.pixels / ratio)  # rows of unlike widths are concentric
    first = math.floor(window.first_column / ratio + shift + slack)
    end = math.ceil(window.end_column / ratio + shift - slack)
    return max(0, first), min(band.pixels, end)
