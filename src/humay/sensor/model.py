"""`SensorModel`: what connects a pixel with a place on the ground, whatever the sensor."""

from __future__ import annotations

from typing import Protocol

from humay.arrays import FloatArray


class SensorModel(Protocol):
    """From pixels to the ground and back. Arguments of any shapes that broadcast, float64.

    Rows and columns count from the centre of the first pixel of the array at hand, (0.0, 0.0), and
    may be fractions and lie somewhat outside. Heights are above WGS 84, in metres.
    """

    def locate(
        self, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Longitude and latitude (rad) of what a pixel sees at a height."""

    def project(
        self, lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Row and column that see a place; NaN where the model says nothing."""
