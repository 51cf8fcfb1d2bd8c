"""The geometry of two looks at one place; `docs/reference/stereo.md` has the definitions.

Views are unit vectors (..., 3) from the place to the satellites, `up` the normal of the ellipsoid.
"""

from __future__ import annotations

import numpy as np

from humay.arrays import FloatArray, angle_between, dot, norm, unit


def convergence(view_1: FloatArray, view_2: FloatArray) -> FloatArray:
    """Angle (rad) between both lines of sight.

    J. Jeong and T. Kim, Photogrammetric Engineering and Remote Sensing 82 (2016), equation 1.
    """
    return angle_between(view_1, view_2)


def base_to_height(convergence_rad: FloatArray) -> FloatArray:
    """Ratio of base to height of a symmetric pair with this convergence: 2 tan(convergence / 2).

    The usual figure for pairs of Pleiades, SPOT and WorldView, whatever their asymmetry.
    """
    return np.asarray(2 * np.tan(np.asarray(convergence_rad) / 2))


def parallax_ratio(view_1: FloatArray, view_2: FloatArray, up: FloatArray) -> FloatArray:
    """Metres that a metre of height moves a point between both images, on level ground.

    The base over the height once both satellites are brought to one height along their lines of
    sight. An error of matching divided by it is the error of height.
    """
    steps = [view / dot(view, up)[..., None] for view in (view_1, view_2)]
    return norm(steps[0] - steps[1])


def bisector_elevation(view_1: FloatArray, view_2: FloatArray, up: FloatArray) -> FloatArray:
    """Elevation (rad) of the bisector of both lines of sight. Jeong and Kim (2016), equation 2."""
    return np.arcsin(np.clip(dot(unit(view_1 + view_2), up), -1, 1))


def asymmetry(view_1: FloatArray, view_2: FloatArray, up: FloatArray) -> FloatArray:
    """Angle (rad) between the bisector and the vertical, in the plane of both lines of sight.

    The vertical is projected onto that plane. Jeong and Kim (2016), equation 3. Two equal views
    have no plane and are a caller's mistake.
    """
    rise, lean = dot(unit(view_1 + view_2), up), dot(unit(view_1 - view_2), up)
    return np.arctan2(np.abs(lean), rise)
