"""Roots of smooth functions, many at once; this module knows nothing of space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from humay.arrays import BoolArray, FloatArray

Function = Callable[[FloatArray], FloatArray]


def bracketed_roots(
    f: Function, low: FloatArray, high: FloatArray, *, tolerance: float, limit: int = 100
) -> FloatArray:
    """Roots (n,) of `f`, element by element, each between `low` and `high` (n,).

    `f` maps (n,) abscissae to (n,) values, element i always of the same function. Each answer is
    within `tolerance` of where its function changes sign. Inverse quadratic steps where they are
    safe, halving elsewhere (T. R. Chandrupatla, Adv. Eng. Software 28, 1997). Raises ValueError
    where the signs at both ends agree, ArithmeticError after `limit` steps or where `f` is NaN.
    """
    a, b = np.array(high, dtype=np.float64), np.array(low, dtype=np.float64)
    fa, fb = f(a), f(b)
    same_sign = ~(np.sign(fa) * np.sign(fb) <= 0)  # also true for NaN
    if np.any(same_sign):
        bad = int(np.argmax(same_sign))
        raise ValueError(f"no change of sign between {b[bad]} ({fb[bad]}) and {a[bad]} ({fa[bad]})")
    c, fc = a.copy(), fa.copy()
    share = np.full_like(a, 0.5)
    done = (fa == 0) | (fb == 0)
    for _ in range(limit):
        if np.all(done):
            return np.where(np.abs(fa) < np.abs(fb), a, b)
        x = np.where(done, a, a + share * (b - a))
        fx = np.where(done, fa, f(x))
        if np.any(np.isnan(fx)):
            raise ArithmeticError(f"no number inside the bracket, at {x[np.argmax(np.isnan(fx))]}")
        same = (np.sign(fx) == np.sign(fa)) | done
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        width = np.abs(b - a)
        done = (width <= tolerance) | (fa == 0) | (fb == 0)
        least = 0.5 * tolerance / np.where(width > 0, width, 1.0)
        share = _next_share(a, fa, b, fb, c, fc, least)
    raise ArithmeticError(f"{int(np.sum(~done))} roots not found in {limit} steps, "
                          f"widest bracket {width.max():.3g}")  # fmt: skip


def _next_share(
    a: FloatArray, fa: FloatArray, b: FloatArray, fb: FloatArray, c: FloatArray, fc: FloatArray,
    least: FloatArray,
) -> FloatArray:  # fmt: skip
    """Where between a (0) and b (1) to look next."""
    with np.errstate(divide="ignore", invalid="ignore"):
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        smooth: BoolArray = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
            fc - fb
        )
    share = np.where(smooth & np.isfinite(quadratic), quadratic, 0.5)
    return np.clip(share, np.minimum(least, 0.5), np.maximum(1 - least, 0.5))


def positive_spans(
    f: Function, nodes: FloatArray, *, tolerance: float
) -> list[tuple[float, float]]:
    """Spans inside [nodes[0], nodes[-1]] where the scalar function `f` is >= 0, edges refined.

    The sign of `f` is known at the nodes; an excursion that begins and ends between two of them is
    found when its extremum shows in the parabola through three neighbours. Nodes must be dense
    enough for that (the caller knows how fast `f` can bend).
    """
    t = _with_extrema(f, np.asarray(nodes, dtype=np.float64))
    inside = f(t) >= 0
    change = np.flatnonzero(inside[1:] != inside[:-1])
    edges = (
        bracketed_roots(f, t[change], t[change + 1], tolerance=tolerance) if change.size else t[:0]
    )
    bounds = [t[0]] * bool(inside[0]) + list(edges) + [t[-1]] * bool(inside[-1])
    pairs = zip(bounds[0::2], bounds[1::2], strict=True)
    return [(float(begin), float(end)) for begin, end in pairs if end > begin]


def _with_extrema(f: Function, t: FloatArray) -> FloatArray:
    """The nodes, and the tops and bottoms of the parabolas through each three neighbours."""
    if t.size < 3:
        return t
    value = f(t)
    left, mid, right = value[:-2], value[1:-1], value[2:]
    turning = ((mid > left) & (mid >= right)) | ((mid < left) & (mid <= right))
    turning[[0, -1]] = True  # in the outermost gaps an extremum need not show in the middle node
    a, b, c = t[:-2][turning], t[1:-1][turning], t[2:][turning]
    fa, fb, fc = left[turning], mid[turning], right[turning]
    with np.errstate(divide="ignore", invalid="ignore"):  # three on a line have no extremum
        top = b - 0.5 * ((b - a) ** 2 * (fb - fc) - (b - c) ** 2 * (fb - fa)) / (
            (b - a) * (fb - fc) - (b - c) * (fb - fa)
        )
    return np.unique(np.concatenate([t, top[(top > a) & (top < c)]]))
