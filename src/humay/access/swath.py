"""How wide a strip one look surely covers, and how much longer than asked it must be.

All of it is worked out in the plane across the strip, at right angles to its direction over the
ground: whatever the look leans along the strip drops out there (docs/design/strips.md has the
derivation, and how far from the truth it stays).
"""

from __future__ import annotations

import numpy as np

from humay.arrays import FloatArray, cross, dot, unit
from humay.earth import WGS84_A_M, WGS84_E2
from humay.mission import Satellite

SIGMAS = 3.0  # what is planned stays within the limits for errors up to this many sigma
SMALLEST_RADIUS_M = WGS84_A_M * (1 - WGS84_E2)  # of curvature, along the meridian at the equator


def sure_half_field_rad(satellite: Satellite) -> float:
    """The half swath angle less three sigma of pointing: what is seen to either side for sure."""
    return satellite.camera.swath_rad / 2 - SIGMAS * satellite.pointing_sigma_rad


def usable_swath_m(
    r_itrf: FloatArray,
    place: FloatArray,
    up: FloatArray,
    along: FloatArray,
    *,
    half_field_rad: FloatArray | float,
    relief_m: FloatArray | float,
    aside_m: FloatArray | float,
) -> FloatArray:
    """Width (m, (...)) of a strip along `along` (..., 3) that is surely seen from `r_itrf`.

    The boresight stands on `place` where the normal is `up`; the line of detectors lies at right
    angles to the image's motion. The ground leaves the height of the place by `relief_m` either
    way at most; errors move the line by `aside_m` either way. Negative where nothing is sure.
    """
    sight = unit(place - r_itrf)
    down, side = -dot(sight, up), dot(sight, unit(cross(up, along)))
    seen_m = swath_across_m(
        dot(r_itrf - place, up),
        np.abs(side) / down,
        np.hypot(down, side),
        np.tan(half_field_rad),
        relief_m,
    )
    return np.asarray(seen_m - 2 * np.asarray(aside_m))


def swath_across_m(
    height_m: FloatArray,
    lean: FloatArray,
    squeeze: FloatArray | float,
    half_field: FloatArray | float,
    relief_m: FloatArray | float,
) -> FloatArray:
    """Twice what a look reaches to its nearer side, in the plane across the strip, (...).

    `height_m` is the satellite's over the plane that touches at the place; `lean` the tangent
    between the vertical and the line of sight, `squeeze` the cosine between the line of sight and
    that plane, `half_field` the tangent of the half field. The ground falls away from the touching
    plane, which costs the side that is nearer to the satellite and helps the other.
    """
    field = half_field / squeeze
    near = (lean - field) / (1 + lean * field)
    horizon = 1 - lean * field
    far = (lean + field) / np.where(horizon > 0, horizon, 1.0)
    near_m = height_m * (lean - near)
    askew2 = (1 / np.square(squeeze) - 1) * lean**2 / (1 + lean**2)  # along over across, squared
    fall_m = near_m**2 * (1 + askew2) / (2 * SMALLEST_RADIUS_M)
    sure_near_m = near_m - (relief_m + fall_m) * np.abs(near)
    sure_far_m = np.where(horizon > 0, height_m * (far - lean) - relief_m * far, np.inf)
    return np.asarray(2 * np.minimum(sure_near_m, sure_far_m))


def orbit_aside_m(
    along_m: FloatArray | float,
    inertial_v: FloatArray,
    sight: FloatArray,
    up: FloatArray,
    along: FloatArray,
) -> FloatArray:
    """How far (m, (...)) a strip is missed to the side by a satellite `along_m` off on its orbit.

    Attitudes are commanded by the clock, so the line of sight moves in parallel with the satellite,
    along its inertial velocity: aside where the Earth turns below, and where the strip is turned
    from the track.
    """
    across, ahead = unit(cross(up, along)), unit(inertial_v)
    lean = -dot(sight, across) / dot(sight, up)
    return np.abs(along_m * (dot(ahead, across) + lean * dot(ahead, up)))


def largest_skew(tan_incidence: FloatArray) -> FloatArray:
    """How far, at most, the end of a line lies ahead of its middle: a share of the half swath.

    A line of detectors at right angles to the image's motion is drawn askew on the ground when the
    look is oblique both along and across: by a b / (1 - a^2) of the way to its end, with a and b
    the sines along and across. Where the incidence is i, so that a^2 + b^2 = sin(i)^2, the largest
    is sin(i)^2 / (2 cos(i)).
    """
    return np.asarray(0.5 * tan_incidence**2 / np.sqrt(1 + tan_incidence**2))


def lengthening_m(
    satellite: Satellite,
    range_m: FloatArray,
    tan_incidence: FloatArray,
    along_m: FloatArray | float,
) -> FloatArray:
    """What a line must be longer by at either end so that all bands surely see it, (...).

    `along_m` is what the orbit may be off along the track; three sigma of pointing and the angle
    between the bands count as they are drawn on the ground at the largest incidence.
    """
    offset_rad = max(abs(band.along_track_offset_rad) for band in satellite.camera.bands)
    drawn = range_m * np.sqrt(1 + tan_incidence**2)
    return np.asarray(along_m + (SIGMAS * satellite.pointing_sigma_rad + offset_rad) * drawn)
