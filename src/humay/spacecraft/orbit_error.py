"""The orbit that is flown: the predicted one, and an error that grows with the age of its elements.

Elements of an orbit are wrong first of all in how far along it the satellite is, and ever more so,
for drag and the mean motion add up. Across the plane and in height the error swings once per
revolution: that is what a wrong inclination, node or eccentricity does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, cross, unit
from humay.errors import SpacecraftError
from humay.frames import inertial_velocity
from humay.mission import OrbitSigma, Satellite
from humay.orbit import Ephemeris, Segment
from humay.spacecraft.chance import generator
from humay.spacecraft.trajectory import LEAST_SAMPLES, rates

CROSS_SHARE = 0.1  # of the along-track sigma; assumed, see docs/design/flight.md
RADIAL_SHARE = 0.05


@dataclass(frozen=True, kw_only=True)
class OrbitError:
    """What was drawn for one satellite: five standard normal numbers, and the sigma they scale.

    `along` scales the along-track sigma of the elements' age. The pairs scale cosine and sine of
    the argument of latitude u, so that at any time radial and cross-track errors are normal with
    their share of that sigma.
    """

    satellite: str
    sigma: OrbitSigma
    along: float
    radial: tuple[float, float]
    cross: tuple[float, float]

    def offsets_m(self, age_days: FloatArray, u_rad: FloatArray) -> FloatArray:
        """Radial, along-track and cross-track offsets (n, 3) in metres at ages and places (n,)."""
        sigma_m, c, s = self.sigma.along_m(age_days), np.cos(u_rad), np.sin(u_rad)
        shares = (
            RADIAL_SHARE * (self.radial[0] * c + self.radial[1] * s),
            self.along * np.ones_like(c),
            CROSS_SHARE * (self.cross[0] * c + self.cross[1] * s),
        )
        return sigma_m[:, None] * np.stack(shares, axis=-1)


def draw_orbit_error(satellite: Satellite, seed: int) -> OrbitError:
    """The error of one satellite's orbit; it depends on seed and name, not on what is flown."""
    z = generator(seed, "orbit", satellite.name).standard_normal(5).tolist()
    return OrbitError(
        satellite=satellite.name,
        sigma=satellite.orbit_sigma,
        along=z[0],
        radial=(z[1], z[2]),
        cross=(z[3], z[4]),
    )


def true_orbit(predicted: Ephemeris, error: OrbitError) -> Ephemeris:
    """The orbit flown. Its velocity is the derivative of its position, as that of the predicted."""
    segments = tuple(_moved(predicted, segment, error) for segment in predicted.segments)
    moved = Ephemeris(
        satellite=predicted.satellite,
        epoch=predicted.epoch,
        segments=segments,
        orbit_epoch_s=predicted.orbit_epoch_s,
        node_s=predicted.node_s,
        node_orbit=predicted.node_orbit,
    )
    r, v = moved.state_itrf(predicted.node_s)
    return Ephemeris(
        satellite=predicted.satellite,
        epoch=predicted.epoch,
        segments=segments,
        orbit_epoch_s=predicted.orbit_epoch_s,
        node_s=predicted.node_s - r[:, 2] / v[:, 2],  # one step of Newton leaves a microsecond
        node_orbit=predicted.node_orbit,
    )


def _moved(predicted: Ephemeris, segment: Segment, error: OrbitError) -> Segment:
    """A segment with the error added at its nodes; rates by differences of fourth order."""
    if len(segment.t_s) < LEAST_SAMPLES:
        raise SpacecraftError(
            f"satellite {predicted.satellite!r}: an orbit segment of {len(segment.t_s)} nodes,"
            f" expected at least {LEAST_SAMPLES} to fly it"
        )
    axes, u = orbit_axes(segment.r_itrf, segment.v_itrf)
    offsets = error.offsets_m(predicted.age_days(segment.t_s), u)
    shift = np.einsum("nji,nj->ni", axes, offsets)
    speed = rates(shift) / segment.step_s
    return Segment(
        t_s=segment.t_s,
        r_itrf=segment.r_itrf + shift,
        v_itrf=segment.v_itrf + speed,
        a_itrf=segment.a_itrf + rates(speed) / segment.step_s,
    )


def orbit_axes(r_itrf: FloatArray, v_itrf: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Rotations (n, 3, 3) from ITRF to radial, along-track, cross-track, and the arguments of
    latitude (n,) in radians, counted from the ascending node on the equator of date.
    """
    radial = unit(r_itrf)
    normal = unit(cross(r_itrf, inertial_velocity(r_itrf, v_itrf)))
    along = cross(normal, radial)
    u = np.arctan2(radial[:, 2], along[:, 2])  # sin i sin u over sin i cos u
    if np.any(np.hypot(radial[:, 2], along[:, 2]) < 1e-6):  # the sine of the inclination
        raise SpacecraftError("an equatorial orbit has no ascending node, expected an inclined one")
    return np.stack([radial, along, normal], axis=-2), u
