"""The Earth as a body: ellipsoid, Sun, Moon and shadow."""

from __future__ import annotations

import erfa
import numpy as np

from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.frames import itrf_from_gcrf
from humay.time import DAY_S, J2000_JD, Epoch

WGS84_A_M = 6_378_137.0  # NIMA TR8350.2
WGS84_F = 1 / 298.257223563
WGS84_B_M = WGS84_A_M * (1 - WGS84_F)
WGS84_E2 = WGS84_F * (2 - WGS84_F)
AU_M = 149_597_870_700.0  # IAU 2012
SUN_RADIUS_M = 695_700_000.0  # IAU 2015 nominal
SOLAR_CONSTANT_W_M2 = 1_361.0  # IAU 2015 nominal total solar irradiance at 1 au
LIGHT_M_S = 299_792_458.0
_SUN_NODE_S = 21_600.0  # cubic Hermite over 6 h in an inertial frame: 40 m of 150 million km
_SUN_GM_AU3_DAY2 = 0.01720209895**2  # C. F. Gauss


def ellipsoid_normal(lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
    """Unit normals (..., 3) at geodetic places: up."""
    lon, lat = np.broadcast_arrays(lon_rad, lat_rad)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def itrf_from_normal(normal: FloatArray, height_m: FloatArray) -> FloatArray:
    """Positions (..., 3) `height_m` above where the ellipsoid has the unit `normal`."""
    radius = WGS84_A_M / np.sqrt(1 - WGS84_E2 * normal[..., 2] ** 2)
    flat = np.array([1.0, 1.0, 1 - WGS84_E2])
    return np.asarray(normal * (radius[..., None] * flat + np.asarray(height_m)[..., None]))


def itrf_from_geodetic(
    lon_rad: FloatArray, lat_rad: FloatArray, height_m: FloatArray
) -> FloatArray:
    """Positions (..., 3) of WGS84 longitude, geodetic latitude and ellipsoidal height."""
    return itrf_from_normal(ellipsoid_normal(lon_rad, lat_rad), np.asarray(height_m, np.float64))


def geodetic_from_itrf(r_itrf: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Longitude, geodetic latitude (rad) and ellipsoidal height (m), from below to 3 Earth radii.

    B. R. Bowring, Survey Review 28 (1985); two rounds leave less than 1e-12 rad.
    """
    x, y, z = np.moveaxis(np.asarray(r_itrf, dtype=np.float64), -1, 0)
    p = np.hypot(x, y)
    e2_second = WGS84_E2 / (1 - WGS84_E2)
    parametric = np.arctan2(z * WGS84_A_M, p * WGS84_B_M)
    for _ in range(2):
        lat = np.arctan2(
            z + e2_second * WGS84_B_M * np.sin(parametric) ** 3,
            p - WGS84_E2 * WGS84_A_M * np.cos(parametric) ** 3,
        )
        parametric = np.arctan2((1 - WGS84_F) * np.sin(lat), np.cos(lat))
    sin_lat, cos_lat = np.sin(lat), np.cos(lat)
    radius = WGS84_A_M / np.sqrt(1 - WGS84_E2 * sin_lat**2)
    height = p * cos_lat + z * sin_lat - radius * (1 - WGS84_E2 * sin_lat**2)
    return np.arctan2(y, x), lat, height


def ground_point(origin: FloatArray, direction: FloatArray) -> FloatArray:
    """Where rays (..., 3) first meet the ellipsoid, ITRF; NaN where they pass it by."""
    stretch = np.array([1.0, 1.0, WGS84_A_M / WGS84_B_M])
    o, d = origin * stretch / WGS84_A_M, unit(direction) * stretch / WGS84_A_M
    a, b, c = dot(d, d), dot(o, d), dot(o, o) - 1.0
    square = b * b - a * c
    with np.errstate(invalid="ignore"):
        reach_m = (-b - np.sqrt(square)) / a
    reach_m = np.where((square >= 0) & (reach_m > 0), reach_m, np.nan)
    return np.asarray(origin + reach_m[..., None] * unit(direction))


def up_at(r_itrf: FloatArray) -> FloatArray:
    """Normal of the ellipsoid through the foot point of `r_itrf`: against geodetic nadir."""
    lon, lat, _ = geodetic_from_itrf(r_itrf)
    return ellipsoid_normal(lon, lat)


def elevation_angle(line_of_sight: FloatArray, up: FloatArray) -> FloatArray:
    """Angle (rad) of `line_of_sight` above the plane at right angles to the unit vector `up`."""
    return np.arcsin(np.clip(dot(unit(line_of_sight), up), -1.0, 1.0))


def azimuth_angle(line_of_sight: FloatArray, up: FloatArray) -> FloatArray:
    """Azimuth (rad, clockwise from north, 0 to 2 pi) where the normal is `up`, ITRF axes."""
    east = np.stack([-up[..., 1], up[..., 0], np.zeros_like(up[..., 0])], axis=-1)
    north = cross(up, east)
    return np.mod(np.arctan2(dot(line_of_sight, east), dot(line_of_sight, north)), 2 * np.pi)


def sun_gcrf(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    """Apparent geocentric Sun (..., 3) in metres, GCRF: annual aberration and light time included.

    ERFA's epv00 (VSOP2000 fitted to DE405, 11 km), so well below 0.1 arcsecond. The Sun's own
    movement during light time (0.01") is left out, and so is what an observer's own turn with the
    Earth adds (0.32" at the equator). Nodes lie on an absolute grid.
    """
    whole, days = epoch.julian_tt(np.asarray(t_s, dtype=np.float64))
    steps = ((whole - J2000_JD) + days) * (DAY_S / _SUN_NODE_S)
    first = np.floor(steps)
    nodes, place = np.unique(
        np.concatenate([first.ravel(), first.ravel() + 1]), return_inverse=True
    )
    helio, bary = erfa.epv00(J2000_JD, nodes * (_SUN_NODE_S / DAY_S))
    light_au_day = LIGHT_M_S * DAY_S / AU_M
    sun = -helio["p"] + norm(helio["p"])[:, None] * bary["v"] / light_au_day
    distance = norm(helio["p"])[:, None]
    aberration_rate = (
        dot(helio["p"], helio["v"])[:, None] / distance * bary["v"]
        - _SUN_GM_AU3_DAY2 * helio["p"] / distance**2
    ) / light_au_day
    rate = (aberration_rate - helio["v"]) * (_SUN_NODE_S / DAY_S)
    left, right = place[: first.size].reshape(first.shape), place[first.size :].reshape(first.shape)
    u = (steps - first)[..., None]
    return np.asarray(
        AU_M
        * (
            (1 + 2 * u) * (1 - u) ** 2 * sun[left]
            + u * (1 - u) ** 2 * rate[left]
            + u**2 * (3 - 2 * u) * sun[right]
            - u**2 * (1 - u) * rate[right]
        )
    )


def sun_itrf(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    """Apparent Sun (..., 3) in metres on ITRF axes."""
    return np.asarray(
        np.einsum("...ij,...j->...i", itrf_from_gcrf(epoch, t_s), sun_gcrf(epoch, t_s))
    )


def moon_gcrf(epoch: Epoch, t_s: FloatArray) -> FloatArray:
    """Geocentric Moon (..., 3) in metres, GCRF, without light time.

    ERFA's moon98 (J. Meeus, Astronomical Algorithms, chapter 47): within 15 arcseconds and 26 km of
    JPL's DE421 from 2000 to 2040.
    """
    return np.asarray(erfa.moon98(*epoch.julian_tt(t_s))["p"] * AU_M)


def stretched_sun_m(up: FloatArray, to_sun: FloatArray, cosine: FloatArray) -> FloatArray:
    """The Sun's radius (...) towards the Earth's edge where space is stretched to a round Earth.

    `up` and `to_sun` are unit vectors (..., 3) there, from the Earth's centre and from the
    satellite; `cosine` (...) that of the Sun's angle from -`up`. It is the distance from the middle
    of an ellipsoid to its tangent planes, sqrt(n . Q n): up to 0.34 % more than the Sun's own.
    """
    towards_edge = (up[..., 2] + cosine * to_sun[..., 2]) ** 2 / np.maximum(1 - cosine**2, 1e-12)
    growth = (WGS84_A_M / WGS84_B_M) ** 2 - 1
    return np.asarray(SUN_RADIUS_M * np.sqrt(1 + growth * towards_edge))


def sunlit_fraction(r_itrf: FloatArray, sun: FloatArray) -> FloatArray:
    """Share of the Sun's disc that an oblate Earth leaves visible, 1 in light, 0 in umbra.

    `sun` in metres on ITRF axes, as `r_itrf`. The axes are stretched along the pole so that the
    ellipsoid becomes a sphere, and the Sun with them; then two discs overlap, O. Montenbruck and E.
    Gill, Satellite Orbits, section 3.4.2. No refraction.
    """
    stretch = np.array([1.0, 1.0, WGS84_A_M / WGS84_B_M])
    place, to_sun = r_itrf * stretch, (sun - r_itrf) * stretch
    up, towards = unit(place), unit(to_sun)
    cosine = np.clip(-dot(up, towards), -1, 1)
    sun_radius = np.arcsin(np.clip(stretched_sun_m(up, towards, cosine) / norm(to_sun), 0, 1))
    earth_radius = np.arcsin(np.clip(WGS84_A_M / norm(place), 0, 1))
    apart = np.arccos(cosine)
    x = (apart**2 + sun_radius**2 - earth_radius**2) / np.maximum(2 * apart, 1e-12)
    y = np.sqrt(np.maximum(sun_radius**2 - x**2, 0))
    lens = (
        sun_radius**2 * np.arccos(np.clip(x / sun_radius, -1, 1))
        + earth_radius**2 * np.arccos(np.clip((apart - x) / earth_radius, -1, 1))
        - apart * y
    )
    partial = 1 - lens / (np.pi * sun_radius**2)
    outside, inside = apart >= sun_radius + earth_radius, apart <= earth_radius - sun_radius
    return np.where(outside, 1.0, np.where(inside, 0.0, np.clip(partial, 0, 1)))
