"""From regions that were found to the columns of `StereoSets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from humay.access.looks import look_angles
from humay.access.records import Opportunities
from humay.access.stereo import angles
from humay.access.stereo.records import FIRST, PAIRS, Slices, StereoSets
from humay.arrays import FloatArray, IntArray, angle_between, frozen, unit
from humay.earth import azimuth_angle, sun_itrf
from humay.orbit import Ephemeris
from humay.time import Epoch


@dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """One pair or triple, of these rows of the opportunities, and what `StereoSets` says.

    `place` (6,): position and unit normal of the middle place, which each look images `later_s`
    after its instant. `best` is as `find_best` fills it.
    """

    rows: tuple[int | None, ...]
    place: FloatArray
    later_s: tuple[float, ...]
    same_pass: bool
    area_s2: float
    best: FloatArray
    region: FloatArray
    before: FloatArray
    after: FloatArray


def described(
    found: Sequence[Found], opportunities: Opportunities, orbits: Mapping[str, Ephemeris]
) -> StereoSets:
    """The columns, in order of the first look's window and then of the others'."""
    o = opportunities
    ordered = sorted(found, key=lambda each: [o.start_s[i] for i in each.rows if i is not None])
    names = [[None if i is None else o.opportunity_id[i] for i in each.rows] for each in ordered]
    flown = [[None if i is None else o.satellite[i] for i in each.rows] for each in ordered]
    first = np.array([each.rows[0] for each in ordered], dtype=np.int64)
    at_s = np.array([each.best[:3] for each in ordered], dtype=np.float64).reshape(-1, 3)
    at_s[
        np.array([[i is None for i in each.rows] for each in ordered]).reshape(-1, 3).astype(bool)
    ] = np.nan
    satellite = _texts(flown)
    looks = _taken(ordered, satellite, at_s, o.epoch, orbits)
    up = looks.up[looks.which == FIRST]
    columns = _looks(looks, len(ordered)) | _pairs(looks, len(ordered))
    return StereoSets(
        epoch=o.epoch,
        span_s=o.span_s,
        stereo_id=np.array(["+".join(filter(None, each)) for each in names], dtype=object),
        request=o.request[first],
        strip=o.strip[first],
        opportunity=_texts(names),
        satellite=satellite,
        lon_rad=np.arctan2(up[:, 1], up[:, 0]),
        lat_rad=np.arcsin(up[:, 2]),
        same_pass=np.array([each.same_pass for each in ordered], dtype=bool),
        area_s2=np.array([each.area_s2 for each in ordered]),
        slack=np.array([each.best[3] for each in ordered]),
        at_s=at_s,
        incidence_rad=columns["incidence_rad"],
        azimuth_rad=columns["azimuth_rad"],
        pitch_rad=columns["pitch_rad"],
        convergence_rad=columns["convergence_rad"],
        base_to_height=columns["base_to_height"],
        parallax_ratio=columns["parallax_ratio"],
        bisector_elevation_rad=columns["bisector_elevation_rad"],
        asymmetry_rad=columns["asymmetry_rad"],
        overlap=np.array([each.best[4:] for each in ordered]).reshape(-1, 3),
        sun_change_rad=columns["sun_change_rad"],
        region=_joined([each.region for each in ordered]),
        before=_joined([each.before for each in ordered]),
        after=_joined([each.after for each in ordered]),
    )


def _texts(rows: list[list[Any]]) -> Any:
    """Names (n, 3), None where there is no look."""
    return np.array(rows, dtype=object).reshape(-1, 3)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Looks:
    """Every look that is taken (k,): row, place in it, instant, and unit vectors at the place."""

    row: IntArray
    which: IntArray
    view: FloatArray
    sun: FloatArray
    up: FloatArray
    pitch_rad: FloatArray


def _taken(
    found: Sequence[Found],
    satellite: Any,
    at_s: FloatArray,
    epoch: Epoch,
    orbits: Mapping[str, Ephemeris],
) -> _Looks:
    row, which = np.nonzero(np.isfinite(at_s))
    places = np.array([each.place for each in found]).reshape(-1, 6)[row]
    later_s = np.array([each.later_s for each in found]).reshape(-1, 3)
    t_s = (at_s + later_s)[row, which]
    place, up = places[:, :3], places[:, 3:]
    r, v = np.empty_like(place), np.empty_like(place)
    for name, orbit in orbits.items():
        own = satellite[row, which] == name
        r[own], v[own] = orbit.state_itrf(t_s[own])
    return _Looks(
        row=row,
        which=which,
        view=unit(r - place),
        sun=unit(sun_itrf(epoch, t_s) - place),
        up=up,
        pitch_rad=look_angles(r, v, place, "geodetic")[2],
    )


def _looks(looks: _Looks, n: int) -> dict[str, FloatArray]:
    """Angles (n, 3) of each look at the middle place."""
    values = {
        "incidence_rad": angle_between(looks.view, looks.up),
        "azimuth_rad": azimuth_angle(looks.view, looks.up),
        "pitch_rad": looks.pitch_rad,
    }
    columns = {name: np.full((n, 3), np.nan) for name in values}
    for name, value in values.items():
        columns[name][looks.row, looks.which] = value
    return columns


def _pairs(looks: _Looks, n: int) -> dict[str, FloatArray]:
    """Angles (n, 3) between each two looks at the middle place."""
    index = np.full((n, 3), -1)
    index[looks.row, looks.which] = np.arange(len(looks.row))
    columns: dict[str, list[FloatArray]] = {}
    for one, other in PAIRS:
        both = (index[:, one] >= 0) & (index[:, other] >= 0)
        i, k = index[both, one], index[both, other]
        turn = angles.convergence(looks.view[i], looks.view[k])
        values = {
            "convergence_rad": turn,
            "base_to_height": angles.base_to_height(turn),
            "parallax_ratio": angles.parallax_ratio(looks.view[i], looks.view[k], looks.up[i]),
            "bisector_elevation_rad": angles.bisector_elevation(
                looks.view[i], looks.view[k], looks.up[i]
            ),
            "asymmetry_rad": angles.asymmetry(looks.view[i], looks.view[k], looks.up[i]),
            "sun_change_rad": angle_between(looks.sun[i], looks.sun[k]),
        }
        for name, value in values.items():
            column = np.full(n, np.nan)
            column[both] = value
            columns.setdefault(name, []).append(column)
    return {name: np.stack(column, axis=-1) for name, column in columns.items()}


def _joined(parts: Sequence[FloatArray]) -> Slices:
    """The slices of all rows, one after the other."""
    begin = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)])
    whole = np.concatenate([np.empty((0, 3)), *parts])
    return Slices(
        begin=begin.astype(np.int64),
        at_s=frozen(whole[:, 0]),
        low_s=frozen(whole[:, 1]),
        high_s=frozen(whole[:, 2]),
    )
