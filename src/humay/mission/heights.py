"""Heights of the ground above the ellipsoid, which a line of sight needs.

1,000 m of height move what is seen at 30 deg off-nadir by 0.67 km, so its source is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from humay.arrays import FloatArray
from humay.errors import RequestError
from humay.tables import geoid_height_m, relief_height_m

HeightSource: TypeAlias = Literal["geojson", "height_m", "dem", "relief"]


class HeightError(RequestError):
    """No height is known for a place; `index` says which of those asked for, in flat order."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message, index)
        self.index = index

    def __str__(self) -> str:
        return str(self.args[0])


class HeightModel(Protocol):
    """Anything that knows the height of the ground. `source` is recorded with each request."""

    @property
    def source(self) -> HeightSource: ...

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """Heights above WGS 84 at places of any shape. Raises `HeightError` where it knows none."""


@dataclass(frozen=True)
class CoarseRelief:
    """The relief that Humay ships, on its geoid; coarse, but known everywhere."""

    source: Literal["relief"] = "relief"

    def ellipsoidal_m(self, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
        """Heights above WGS 84, good to what `humay.tables.relief_height_m` says."""
        return relief_height_m(lon_rad, lat_rad) + geoid_height_m(lon_rad, lat_rad)
