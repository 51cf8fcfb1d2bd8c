"""What calibration looks aim at: sites on the ground and stars, as shipped or a user's own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias, get_args

import numpy as np
from shapely.geometry import Point

from humay.arrays import FloatArray, cross, dot
from humay.earth import ellipsoid_normal, itrf_from_geodetic
from humay.errors import AccessError
from humay.mission import Request
from humay.tables import RAD_PER_ARCSEC, calibration_rows, land_outlines

Group: TypeAlias = Literal["desert", "instrumented", "snow", "ocean"]
EARTH_RADIUS_M = 6_371_008.8  # IUGG, mean


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place of known or uniform radiance. `height_m` above the ellipsoid, `width_m` the side of
    the uniform area (0: far smaller than a swath)."""

    name: str
    group: Group
    lon_deg: float
    lat_deg: float
    height_m: float = 0.0
    width_m: float = 0.0
    source: str = ""

    def __post_init__(self) -> None:
        if self.group not in get_args(Group):
            known = ", ".join(get_args(Group))
            raise AccessError(
                f"site {self.name!r}: group is {self.group!r}, expected one of {known}"
            )
        for field, low, high in (
            ("lon_deg", -180, 180), ("lat_deg", -90, 90), ("height_m", -1000, 10_000),
            ("width_m", 0, 2e7),
        ):  # fmt: skip
            value = getattr(self, field)
            if not low <= value <= high:  # also refuses NaN
                raise AccessError(
                    f"site {self.name!r}: {field} is {value}, expected {low} to {high:g}"
                )

    @property
    def up(self) -> FloatArray:
        """Normal of the ellipsoid, ITRF (3,)."""
        return ellipsoid_normal(np.radians(self.lon_deg), np.radians(self.lat_deg))

    @property
    def r_itrf(self) -> FloatArray:
        """Position (3,) in metres."""
        lon, lat = np.radians(self.lon_deg), np.radians(self.lat_deg)
        return itrf_from_geodetic(lon, lat, np.asarray(self.height_m))

    def to_request(self, *, max_off_nadir_rad: float | None, min_sun_rad: float | None) -> Request:
        """The request for an image of this site."""
        return Request(
            name=self.name,
            geometry=Point(self.lon_deg, self.lat_deg),
            kind="point",
            height_m=self.height_m,
            purpose="calibration",
            max_off_nadir_rad=max_off_nadir_rad,
            min_sun_elevation_rad=min_sun_rad,
        )

    def shore_m(self) -> float:
        """Distance to the nearest point of a shore on a sphere: to a few km, islands under some
        10 km left out (data/outlines/SOURCE.md)."""
        nearest = float(np.max(dot(_shores(), self.up)))
        return EARTH_RADIUS_M * math.acos(min(1.0, nearest))


@dataclass(frozen=True, kw_only=True)
class Star:
    """A bright, steady, lone star: ICRS at J2000.0, proper motion (in right ascension with the
    cosine of declination), V magnitude and B-V."""

    name: str
    hip: int
    ra_rad: float
    dec_rad: float
    pm_ra_rad_year: float = 0.0
    pm_dec_rad_year: float = 0.0
    magnitude: float
    colour_mag: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.ra_rad <= 2 * math.pi and abs(self.dec_rad) <= math.pi / 2):
            raise AccessError(
                f"star {self.name!r}: at {math.degrees(self.ra_rad):g},"
                f" {math.degrees(self.dec_rad):g} deg, expected 0 to 360 and -90 to 90"
            )
        numbers = (self.pm_ra_rad_year, self.pm_dec_rad_year, self.magnitude, self.colour_mag)
        if not all(math.isfinite(number) for number in numbers):
            raise AccessError(f"star {self.name!r}: a motion or magnitude is not a number")

    @property
    def place(self) -> FloatArray:
        """Unit vector (3,) in the ICRS at J2000.0, seen from the Sun."""
        return ellipsoid_normal(np.asarray(self.ra_rad), np.asarray(self.dec_rad))

    @property
    def motion(self) -> FloatArray:
        """Its change (3,) in a year, at right angles to it."""
        east = np.array([-math.sin(self.ra_rad), math.cos(self.ra_rad), 0.0])
        north = cross(self.place, east)
        return np.asarray(self.pm_ra_rad_year * east + self.pm_dec_rad_year * north)


@cache
def calibration_sites() -> tuple[Site, ...]:
    """The sites that come with Humay; data/calibration/SOURCE.md tells where from."""
    return tuple(
        Site(
            name=row["name"],
            group=row["group"],  # type: ignore[arg-type]  # text until checked
            lon_deg=float(row["lon_deg"]),
            lat_deg=float(row["lat_deg"]),
            height_m=float(row["height_m"]),
            width_m=1e3 * float(row["width_km"] or 0.0),
            source=row["source"],
        )
        for row in calibration_rows("sites")
    )


@cache
def calibration_stars() -> tuple[Star, ...]:
    """The stars that come with Humay, the brightest first."""
    mas = RAD_PER_ARCSEC / 1000
    return tuple(
        Star(
            name=row["name"],
            hip=int(row["hip"]),
            ra_rad=math.radians(float(row["ra_deg"])),
            dec_rad=math.radians(float(row["dec_deg"])),
            pm_ra_rad_year=mas * float(row["pm_ra_mas_year"]),
            pm_dec_rad_year=mas * float(row["pm_dec_mas_year"]),
            magnitude=float(row["v_mag"]),
            colour_mag=float(row["b_minus_v_mag"]),
        )
        for row in calibration_rows("stars")
    )


@cache
def _shores() -> FloatArray:
    """Points (n, 3) of all shores as unit vectors."""
    lon, lat = np.radians(np.concatenate(land_outlines())).T
    return ellipsoid_normal(lon, lat)
