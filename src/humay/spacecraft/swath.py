"""Whether the ground swept is the strip that was ordered: strips missed by the orbit error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from humay.arrays import FloatArray, cross, dot, norm, unit
from humay.earth import WGS84_A_M, WGS84_B_M, ground_point
from humay.frames import itrf_from_gcrf, matrix_from_quaternion
from humay.mission import Satellite
from humay.spacecraft.orders import Task
from humay.spacecraft.trajectory import Trajectory

SIGMAS = 3.0  # by which strips are longer at both ends than what was asked for
INSTANTS = 17  # along a strip; what is measured changes by a few metres between them


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Where the boresight went, from where it should have been, and what that leaves out.

    `along_m` and `across_m` are the largest offsets of the boresight along the strip's centre line
    and to the right of it, with their signs. `miss_along_m` is what an end lacks, beyond three
    sigma of orbit and pointing by which strips are longer than asked; `miss_across_m` what a side
    of the strip lacks, where the edge of the swath lies inside. Zero where nothing is missing.
    """

    along_m: float
    across_m: float
    miss_along_m: float
    miss_across_m: float

    @property
    def miss_m(self) -> float:
        return max(self.miss_along_m, self.miss_across_m)

    @property
    def missed(self) -> bool:
        return self.miss_m > 0.0


def ground_swept(
    trajectory: Trajectory, task: Task, satellite: Satellite, along_sigma_m: float
) -> Sweep:
    """What a trajectory swept of the strip of `task`, at the heights of its centre line.

    `along_sigma_m` is the orbit error that the plan allowed for. Lines of sight are geometric.
    """
    share = np.linspace(0.0, 1.0, INSTANTS)
    t_s = task.start_s + share * (task.end_s - task.start_s)
    r = trajectory.position(t_s)
    edge = math.tan(satellite.camera.swath_rad / 2)
    rays = np.array([[0.0, -edge, 1.0], [0.0, 0.0, 1.0], [0.0, edge, 1.0]])
    heights = task.line.heights_m[0] + share * np.diff(task.line.heights_m)
    hits = _hits(r, _to_itrf(trajectory, t_s, rays), heights)  # (3, n, 3)
    place, ahead = task.line.place(share), task.line.tangent(share)
    right = unit(cross(ahead, task.line.normal(share)))
    left_m, middle_m, right_m = dot(hits - place, right)
    along_m = dot(hits[1] - place, ahead)
    allowed_m = SIGMAS * (along_sigma_m + satellite.pointing_sigma_rad * float(norm(r - place)[0]))
    half_m = 0.5 * task.width_m
    return Sweep(
        along_m=_largest(along_m),
        across_m=_largest(middle_m),
        miss_along_m=_lacking(max(along_m[0], -along_m[-1]) - allowed_m),
        miss_across_m=_lacking(max(np.max(left_m + half_m), np.max(half_m - right_m))),
    )


def _to_itrf(trajectory: Trajectory, t_s: FloatArray, rays_body: FloatArray) -> FloatArray:
    """Rays (k, 3) of the body as directions (k, n, 3) in ITRF at times (n,)."""
    body_from_gcrf = matrix_from_quaternion(trajectory.attitude(t_s))
    itrf = itrf_from_gcrf(trajectory.epoch, t_s)
    return np.asarray(np.einsum("nij,nkj,lk->lni", itrf, body_from_gcrf, rays_body))


def _hits(r_itrf: FloatArray, directions: FloatArray, height_m: FloatArray) -> FloatArray:
    """Where rays (k, n, 3) from (n, 3) meet ground at heights (n,): NaN where they pass it by.

    The ellipsoid with both axes longer by the height; space is stretched so that it is WGS84. It
    lies within 2 cm of the surface at that height for heights up to 9 km.
    """
    grown = np.stack([WGS84_A_M + height_m] * 2 + [WGS84_B_M + height_m], axis=-1)
    stretch = np.array([WGS84_A_M, WGS84_A_M, WGS84_B_M]) / grown
    return np.asarray(ground_point(r_itrf * stretch, directions * stretch) / stretch)


def _largest(values: FloatArray) -> float:
    return float(values[np.argmax(np.abs(values))])


def _lacking(value: float) -> float:
    """A miss in metres; infinite where the swath left the Earth."""
    return math.inf if math.isnan(value) else max(0.0, float(value))
