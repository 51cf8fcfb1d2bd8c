"""Looks at the Moon and at stars: the satellite holds its camera still among the stars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from humay.access.calibration.limits import CalibrationLimits
from humay.access.calibration.records import CalibrationLooks, Windows, rows
from humay.access.calibration.sky import (
    MOON_RADIUS_M,
    Sky,
    apart_margin,
    earth_radius_rad,
    known,
    limb_margin,
    moon_lit_margin,
    moon_phase,
    phase_cosine,
    umbra_margin,
)
from humay.access.calibration.spans import (
    Span,
    Spans,
    columns,
    common,
    grid,
    highest,
    spans_above_zero,
)
from humay.access.calibration.targets import Star
from humay.access.looks import down_at
from humay.arrays import FloatArray, IntArray, angle_between, norm, unit
from humay.earth import geodetic_from_itrf
from humay.frames import itrf_from_gcrf
from humay.mission import Satellite
from humay.orbit import Ephemeris

STEP_S = 30.0  # the sky turns by 2 deg in it: between two nodes no margin turns back twice
_BLOCK = 2_000_000  # margins at a time, 16 MB
_ONE = np.zeros(1, np.int64)

SkyMargin: TypeAlias = Callable[[Sky, IntArray], FloatArray]
"""A margin (n,) of targets with indices (n,) in a sky of n instants."""


def pieces(ephemeris: Ephemeris, span: Span) -> Spans:
    """The parts of a span in which the orbit is known without a break."""
    segments = [(float(one.t_s[0]), float(one.t_s[-1])) for one in ephemeris.segments]
    return common(segments, [span])


class _Nodes:
    """Instants `STEP_S` apart over a span, and the sky at them."""

    def __init__(self, ephemeris: Ephemeris, span: Span) -> None:
        self.ephemeris = ephemeris
        self.t_s = grid(span, STEP_S)
        self.sky = Sky(ephemeris, known(ephemeris, self.t_s))

    def spans(self, margin: SkyMargin, every: IntArray, within: Spans) -> list[Spans]:
        """For each target the spans inside `within` in which its margin is not negative."""
        value = np.stack([margin(self.sky, np.array([i])) for i in every])
        t_s = np.broadcast_to(self.t_s, value.shape)
        return spans_above_zero(self._of_time(margin), t_s, value, within)

    def _of_time(self, margin: SkyMargin) -> Callable[[FloatArray, IntArray], FloatArray]:
        return lambda t_s, which: margin(
            Sky(self.ephemeris, known(self.ephemeris, t_s)), which
        )  # fmt: skip

    def best(
        self, margin: SkyMargin, which: IntArray, start_s: FloatArray, end_s: FloatArray
    ) -> FloatArray:
        """When the margin of targets `which` is largest in windows (n,): near the highest node in
        or beside each."""
        value = {int(i): margin(self.sky, np.array([i])) for i in np.unique(which)}
        first = np.searchsorted(self.t_s, start_s) - 1
        last = np.searchsorted(self.t_s, end_s) + 1
        top = [
            int(a + np.argmax(value[int(i)][a:b]))
            for i, a, b in zip(which, first, last, strict=True)
        ]
        near_s = self.t_s[np.array(top, dtype=np.int64)]
        best_s = highest(self._of_time(margin), near_s, which, STEP_S / 2)
        return np.clip(best_s, start_s, end_s)


def find_moon_looks(
    satellite: Satellite, ephemeris: Ephemeris, span: Span, limits: CalibrationLimits
) -> CalibrationLooks:
    """Windows in which the Moon stands clear of Earth and Sun, lit, at an allowed phase."""
    least, most = np.cos(limits.moon_min_phase_rad), np.cos(limits.moon_max_phase_rad)

    def above(sky: Sky, _: IntArray) -> FloatArray:
        moon = unit(sky.moon)
        return limb_margin(moon, sky.r, limits.atmosphere_m, limits.moon_min_limb_rad)

    conditions: tuple[SkyMargin, ...] = (
        above,
        lambda sky, _: apart_margin(sky.moon, sky.sun, limits.moon_min_sun_angle_rad),
        lambda sky, _: least - phase_cosine(sky.sun, sky.moon),
        lambda sky, _: phase_cosine(sky.sun, sky.moon) - most,
        lambda sky, _: moon_lit_margin(sky),
    )
    nodes = _Nodes(ephemeris, span)
    found: Spans = [span]
    for condition in conditions:
        [found] = nodes.spans(condition, _ONE, found)
    start_s, end_s = columns(found)
    best_s = nodes.best(above, np.zeros(len(found), np.int64), start_s, end_s)
    names = np.full(len(found), "Moon", dtype=object)
    windows = Windows(target=names, start_s=start_s, end_s=end_s, best_s=best_s)
    sky = Sky(ephemeris, best_s)
    return rows(
        satellite,
        ephemeris,
        "moon",
        windows,
        **_pointing(sky, unit(sky.moon), limits),
        moon_diameter_rad=2 * np.arcsin(MOON_RADIUS_M / norm(sky.moon)),
    )


def find_star_looks(
    satellite: Satellite,
    ephemeris: Ephemeris,
    span: Span,
    stars: Sequence[Star],
    limits: CalibrationLimits,
) -> list[CalibrationLooks]:
    """Windows of each star: the satellite in the umbra, the star clear of Earth and Moon."""
    nodes = _Nodes(ephemeris, span)
    [dark] = nodes.spans(lambda sky, _: umbra_margin(ephemeris, sky.t_s), _ONE, [span])
    bright = [star for star in stars if star.magnitude <= limits.star_max_magnitude]
    block = max(1, _BLOCK // len(nodes.t_s))
    return [
        _star_looks(satellite, nodes, bright[i : i + block], limits, dark)
        for i in range(0, len(bright), block)
    ]


def _star_looks(
    satellite: Satellite,
    nodes: _Nodes,
    stars: Sequence[Star],
    limits: CalibrationLimits,
    dark: Spans,
) -> CalibrationLooks:
    place, motion = (np.array([getattr(star, x) for star in stars]) for x in ("place", "motion"))

    def above(sky: Sky, which: IntArray) -> FloatArray:
        star = sky.towards(place[which], motion[which])
        return limb_margin(star, sky.r, limits.atmosphere_m, limits.star_min_limb_rad)

    def off_moon(sky: Sky, which: IntArray) -> FloatArray:
        star = sky.towards(place[which], motion[which])
        return apart_margin(star, sky.moon, limits.star_min_moon_angle_rad)

    every = np.arange(len(stars))
    clear, unlit = (nodes.spans(margin, every, dark) for margin in (above, off_moon))
    found = [common(a, b) for a, b in zip(clear, unlit, strict=True)]
    which = np.repeat(every, [len(spans) for spans in found])
    start_s, end_s = columns(span for spans in found for span in spans)
    best_s = nodes.best(above, which, start_s, end_s)
    names = np.array([star.name for star in stars], dtype=object)[which]
    windows = Windows(target=names, start_s=start_s, end_s=end_s, best_s=best_s)
    sky = Sky(nodes.ephemeris, best_s)
    direction = sky.towards(place[which], motion[which])
    return rows(
        satellite,
        nodes.ephemeris,
        "star",
        windows,
        **_pointing(sky, direction, limits),
        moon_angle_rad=angle_between(direction, sky.moon),
        magnitude=np.array([star.magnitude for star in stars])[which],
    )


def _pointing(sky: Sky, direction: FloatArray, limits: CalibrationLimits) -> dict[str, FloatArray]:
    """Columns of looks in unit directions (n, 3)."""
    r_itrf = sky.ephemeris.position_itrf(sky.t_s)
    lon, lat, _ = geodetic_from_itrf(r_itrf)
    turn = itrf_from_gcrf(sky.ephemeris.epoch, sky.t_s)
    sight = np.einsum("...ij,...j->...i", turn, direction)
    limb = angle_between(direction, -sky.r) - earth_radius_rad(sky.r, limits.atmosphere_m)
    return {
        "lon_rad": lon,
        "lat_rad": lat,
        "off_nadir_rad": angle_between(sight, down_at(r_itrf, "geodetic")),
        "ra_rad": np.mod(np.arctan2(direction[:, 1], direction[:, 0]), 2 * np.pi),
        "dec_rad": np.arcsin(np.clip(direction[:, 2], -1, 1)),
        "limb_rad": limb,
        "sun_angle_rad": angle_between(direction, sky.sun),
        "moon_phase_rad": moon_phase(sky.sun, sky.moon),
        "moon_distance_m": norm(sky.moon),
    }
