"""`find_opportunities`: when each satellite can image each request, and how it would look."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from humay.access.areas import find_strips
from humay.access.asked import (
    asked_points,
    asked_strips,
    clouds_of,
    craft_of,
    rules_of,
    sought,
    terms_of,
    terrain_of,
)
from humay.access.lines import GroundLine
from humay.access.looks import Nadir, refuse_unlike_low_orbits
from humay.access.records import Opportunities
from humay.access.search import rows as row
from humay.access.search.hunt import Clouds, Sought, hunt
from humay.access.search.tables import Sky, sky_of, tracks_of
from humay.access.strips import Strip
from humay.arrays import FloatArray, IntArray
from humay.earth import WGS84_B_M
from humay.errors import AccessError
from humay.mission import Mission, Request
from humay.orbit import Ephemeris, ephemerides

_TEXT = pa.string()
SUBJECTS_AT_ONCE = 1_000  # so many points or strips are one task of a thread


def find_opportunities(
    mission: Mission,
    requests: Sequence[Request],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris] | None = None,
    margin: bool = False,
    decompositions: int = 1,
    threads: int = 1,
    cut_as: tuple[datetime, datetime] | None = None,
) -> Opportunities:
    """Every window of every request over [start, end], in order of time.

    Areas are cut into strips in as many ways as `decompositions` says (see `find_strips`), as over
    the span `cut_as` where that is another one. Edges are good to 0.01 ms for the given orbit;
    `sigma_s` says how far its uncertainty may move them. With `margin` windows are only what three
    sigma of orbit and pointing leave of them. `orbits` saves propagating again what is known
    already. The result is the same for any number of `threads`.
    """
    search = _Search(
        mission, requests, start, end, nadir, orbits, margin=margin, decompositions=decompositions,
        cut_as=cut_as,
    )  # fmt: skip
    return search.opportunities(list(search.batches(threads)))


def stream_opportunities(
    mission: Mission,
    requests: Sequence[Request],
    *,
    start: datetime,
    end: datetime,
    nadir: Nadir = "geodetic",
    orbits: Mapping[str, Ephemeris] | None = None,
    margin: bool = False,
    decompositions: int = 1,
    threads: int = 1,
) -> Iterator[Opportunities]:
    """The same in parts, satellite by satellite, for more than memory holds at once."""
    search = _Search(
        mission, requests, start, end, nadir, orbits, margin=margin, decompositions=decompositions
    )
    for batch in search.batches(threads):
        if len(batch.which):
            yield search.opportunities([batch])


def _refuse_twins(requests: Sequence[Request], strips: Sequence[Strip]) -> None:
    """A point is its own strip, so its name must not be that of a strip of an area."""
    points = {request.name for request in requests if request.kind == "point"}
    for strip in strips:
        if strip.name in points:
            raise AccessError(
                f"request {strip.name!r} has the name of a strip of the request {strip.request!r},"
                " expected another name"
            )


@dataclass(frozen=True, eq=False)
class _Batch:
    """Rows (k, COLUMNS) of one satellite: which point or strip each is of."""

    satellite: int
    strips: bool
    which: IntArray
    rows: FloatArray


@dataclass(frozen=True, eq=False)
class _Task:
    """A part of a search, for one thread."""

    satellite: int
    strips: bool
    sought: Sought
    clouds: Clouds
    first: int
    last: int

    def __call__(self) -> _Batch:
        parts = list(hunt(self.sought, self.first, self.last, self.clouds))
        return _Batch(
            self.satellite,
            self.strips,
            np.concatenate([which for which, _ in parts] or [np.zeros(0, dtype=np.int64)]),
            np.concatenate([rows for _, rows in parts] or [np.zeros((0, row.COLUMNS))]),
        )


class _Search:
    """One call: everything that all satellites share."""

    def __init__(
        self, mission: Mission, requests: Sequence[Request], start: datetime, end: datetime,
        nadir: Nadir, orbits: Mapping[str, Ephemeris] | None, *, margin: bool, decompositions: int,
        cut_as: tuple[datetime, datetime] | None = None,
    ) -> None:  # fmt: skip
        self.mission, self.requests, self.nadir, self.margin = mission, requests, nadir, margin
        self.orbits = ephemerides(mission, start, end) if orbits is None else orbits
        self.epoch = next(iter(self.orbits.values())).epoch
        self.span = self.epoch.seconds(start), self.epoch.seconds(end)
        cut_from, cut_until = cut_as or (start, end)
        cut_span = self.epoch.seconds(cut_from), self.epoch.seconds(cut_until)
        self.strips = find_strips(
            mission, requests, self.orbits, cut_span, nadir,
            decompositions=decompositions, exclusions=mission.exclusions,
        )  # fmt: skip
        _refuse_twins(requests, self.strips)
        self.points = asked_points(requests, mission)
        self.sweeps = asked_strips(self.strips, requests)
        self.terms = terms_of(requests, self.epoch, self.span)
        of_requests = _texts(request.name for request in requests)
        strips = _texts(strip.name for strip in self.strips)
        self.names = _Names(
            satellites=_texts(satellite.name for satellite in mission.satellites),
            requests=of_requests,
            subjects=np.concatenate([of_requests[self.points.request], strips]),
            owner=np.concatenate([self.points.request, self.sweeps.request]),
        )

    def tasks(self) -> Iterator[_Task]:
        """Satellite by satellite, points before strips."""
        sky: Sky | None = None
        for number, satellite in enumerate(self.mission.satellites):
            ephemeris = self.orbits[satellite.name]
            refuse_unlike_low_orbits(ephemeris)
            tracks = tracks_of(ephemeris)
            farthest_m = max(track.farthest_m for track in tracks)
            rules = rules_of(
                self.mission,
                satellite,
                self.requests,
                self.terms,
                horizon_rad=math.asin(min(1.0, WGS84_B_M / farthest_m)),
                strips=len(self.strips) > 0,
            )
            if sky is None or rules.programs.uses_moon:
                sky = self._sky(moon=rules.programs.uses_moon)
            craft = craft_of(satellite, ephemeris, self.nadir, with_margin=self.margin)
            terms = self.terms.only_of(satellite.name, self.requests)
            for strips, asked in ((False, self.points), (True, self.sweeps)):
                if not len(asked):
                    continue
                clouds = clouds_of(
                    self.mission, satellite, self.requests, asked, terms, rules, self.epoch
                )
                terrain = terrain_of(self.mission, satellite, self.requests, asked, rules)
                for track in tracks:
                    aim = sought(asked, terms, rules, terrain, craft, track, sky)
                    for first in range(0, len(asked), SUBJECTS_AT_ONCE):
                        last = min(first + SUBJECTS_AT_ONCE, len(asked))
                        yield _Task(number, strips, aim, clouds, first, last)

    def _sky(self, *, moon: bool) -> Sky:
        orbits = self.orbits.values()
        begin, end = min(o.start_s for o in orbits), max(o.end_s for o in orbits)
        return sky_of(self.epoch, begin, end, moon=moon)

    def batches(self, threads: int) -> Iterator[_Batch]:
        """The rows of all tasks in their order, a few of them computed ahead."""
        if threads == 1:
            yield from (task() for task in self.tasks())
            return
        with ThreadPoolExecutor(threads) as pool:
            waiting: deque[Future[_Batch]] = deque()
            for task in self.tasks():
                waiting.append(pool.submit(task))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def opportunities(self, batches: Sequence[_Batch]) -> Opportunities:
        """The record of batches, in order of time; of one instant, in that of the batches."""
        rows = np.concatenate([b.rows for b in batches] or [np.zeros((0, row.COLUMNS))])
        order = np.argsort(rows[:, row.START], kind="stable")
        rows = rows[order]
        points = len(self.points)
        parts = [b.which + points * b.strips for b in batches]
        subject = np.concatenate(parts or [np.zeros(0, dtype=np.int64)])[order]
        lengths = [len(part) for part in parts]
        satellite = np.repeat([b.satellite for b in batches] or [0], lengths or [0])[order]
        return Opportunities(
            epoch=self.epoch,
            span_s=self.span,
            strips=tuple(self.strips),
            **self._names(subject, satellite, rows),
            **_columns(rows),
            data_bit=_data_bit(rows, self._bits_per_line()[satellite]),
        )

    def _bits_per_line(self) -> FloatArray:
        return np.array([s.camera.bits_per_pan_line() for s in self.mission.satellites])

    def _names(self, subject: IntArray, satellite: IntArray, rows: FloatArray) -> dict[str, Any]:
        """The columns of text."""
        names = self.names
        return {
            "opportunity_id": _ids(
                _coded(satellite, names.satellites), _coded(subject, names.subjects), rows
            ),
            "satellite": names.satellites[satellite],
            "request": names.requests[names.owner[subject]],
            "strip": names.subjects[subject],
        }


@dataclass(frozen=True, eq=False)
class _Names:
    """Texts of satellites, requests and subjects, and the request of each subject."""

    satellites: Any
    requests: Any
    subjects: Any
    owner: IntArray


def _texts(names: Iterable[str]) -> Any:
    return np.array(list(names), dtype=object)


def _ids(satellite: pa.Array, subject: pa.Array, rows: FloatArray) -> Any:
    """`satellite:strip:orbit` and `a` or `d`; further spans of a pass get `.2` and so on, whichever
    of them lie in the span that is asked for."""
    orbit = rows[:, row.ORBIT].astype(np.int64)
    way = rows[:, row.ASCENDING].astype(np.int64)
    passed = pc.binary_join_element_wise(
        pa.array(orbit).cast(_TEXT), _coded(way, ["d", "a"]).dictionary_decode(), ""
    )
    names = pc.binary_join_element_wise(
        satellite.dictionary_decode(), subject.dictionary_decode(), passed, ":"
    ).to_numpy(zero_copy_only=False)
    lobe = rows[:, row.LOBE].astype(np.int64)
    for i in np.flatnonzero(lobe):
        names[i] = f"{names[i]}.{lobe[i] + 1}"
    if len(set(names)) < len(names):  # high orbits pass a place by the equator twice in an orbit
        seen: dict[str, int] = {}
        for k, name in enumerate(names):
            seen[name] = seen.get(name, 0) + 1
            names[k] = name if seen[name] == 1 else f"{name}.again{seen[name]}"
    return names


def _coded(codes: IntArray, names: Any) -> pa.Array:
    """A column of text as numbers of those names that occur."""
    used, indices = np.unique(codes, return_inverse=True)
    texts = pa.array([names[i] for i in used], _TEXT)
    return pa.DictionaryArray.from_arrays(pa.array(indices.astype(np.int32)), texts)


_FIELDS = {
    "start_s": row.START,
    "end_s": row.END,
    "best_s": row.BEST,
    "sigma_s": row.SIGMA,
    "anx_offset_s": row.ANX_OFFSET,
    "off_nadir_rad": row.OFF_NADIR,
    "roll_rad": row.ROLL,
    "pitch_rad": row.PITCH,
    "incidence_rad": row.INCIDENCE,
    "azimuth_rad": row.AZIMUTH,
    "sun_elevation_rad": row.SUN_ELEVATION,
    "sun_azimuth_rad": row.SUN_AZIMUTH,
    "gsd_along_m": row.GSD_ALONG,
    "gsd_across_m": row.GSD_ACROSS,
    "off_nadir_start_rad": row.OFF_NADIR_START,
    "off_nadir_end_rad": row.OFF_NADIR_END,
    "sun_elevation_start_rad": row.SUN_START,
    "sun_elevation_end_rad": row.SUN_END,
    "scan_s": row.SCAN,
    "scan_heading_rad": row.HEADING,
    "width_m": row.WIDTH,
    "line_period_s": row.LINE_PERIOD,
    "plan_start_s": row.PLAN_START,
    "plan_end_s": row.PLAN_END,
}


def _columns(rows: FloatArray) -> dict[str, Any]:
    """The columns of numbers."""
    found: dict[str, Any] = {name: rows[:, column] for name, column in _FIELDS.items()}
    found["orbit"] = rows[:, row.ORBIT].astype(np.int64)
    found["ascending"] = rows[:, row.ASCENDING] > 0
    found["line"] = GroundLine(
        normals=rows[:, row.LINE : row.LINE + 6].reshape(-1, 2, 3),
        heights_m=rows[:, row.LINE + 6 : row.LINE + 8],
    )
    return found


def _data_bit(rows: FloatArray, bits_per_line: FloatArray) -> FloatArray:
    return np.asarray(rows[:, row.SCAN] / rows[:, row.LINE_PERIOD] * bits_per_line)
