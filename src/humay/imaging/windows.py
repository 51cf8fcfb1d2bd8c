"""Which part of which acquisitions to expose, so that few windows show much.

A window shows `features`: whose satellite looks, obliquely or not, relief, a coast, the edge of the
swath. First comes the pair of windows of two passes over one place that shows most, then what adds
most to what is there; land goes before open water, and the requests' own places win over others
that add as much. Nothing is drawn: the same flight and scene give the same windows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from humay.arrays import FloatArray, angle_between, norm
from humay.earth import itrf_from_geodetic, up_at
from humay.imaging.chips import GUESS_M, Motion
from humay.imaging.layout import Window, along_tangent, axis_model, line_count
from humay.imaging.rays import Chart, Lattice
from humay.imaging.relief import WATER_LEVEL_M
from humay.imaging.scene import Scene
from humay.mission import Camera, Mission
from humay.sensor import Pushbroom
from humay.spacecraft import Acquisition

OBLIQUE_RAD = math.radians(20.0)
RELIEF_M = 500.0
SHARED = 0.5  # of the ground of both windows of a pair, at least
_GRID = 4  # places looked at along each side of a window
_APART_S = 600.0  # passes of one satellite are an orbit apart
_SPARE_LINES = 64

Places = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """A strip seen from afar: places (rows, cols) on a coarse grid of its lines and columns."""

    acquisition: Acquisition
    camera: Camera
    axis: Pushbroom
    pixels: int
    lines: tuple[int, int]  # that all bands see
    rows: FloatArray
    cols: FloatArray
    lon_rad: FloatArray
    lat_rad: FloatArray
    height_m: FloatArray
    off_nadir_rad: float

    @staticmethod
    def of(acquisition: Acquisition, camera: Camera, scene: Scene, pixels: int) -> Survey:
        axis = axis_model(acquisition, camera)
        count, columns = line_count(acquisition, camera.pan, camera), camera.pan.pixels
        spacing = pixels / _GRID
        rows, cols = (np.arange(0.5 * spacing, n, spacing) for n in (count, columns))
        middle = np.asarray(0.5 * count), np.asarray(0.5 * columns)
        lon, lat = axis.locate(*middle, np.zeros(()))
        chart = Chart.about(float(lon), float(lat))
        lattice = Lattice(model=axis, columns=columns, chart=chart, step=spacing)
        rays = lattice.rays(rows, cols, GUESS_M)
        height = rays.met(scene.height_m)
        grid_lon, grid_lat = chart.place(*rays.at(height))
        r = acquisition.true.position(axis.line_time_s(middle[0]))
        look = itrf_from_geodetic(lon, lat, np.zeros(())) - r
        return Survey(
            acquisition=acquisition,
            camera=camera,
            axis=axis,
            pixels=pixels,
            lines=_common_lines(axis, camera, count),
            rows=rows,
            cols=cols,
            lon_rad=grid_lon,
            lat_rad=grid_lat,
            height_m=height,
            off_nadir_rad=float(angle_between(look, -up_at(r))),
        )

    def window_at(self, row: float, col: float) -> Window | None:
        """The window centred on a pixel of the PAN row, moved inside; None where none fits."""
        columns = min(self.pixels, self.camera.pan.pixels)
        low, high = self.lines
        if high - low < self.pixels:
            return None
        first_line = min(max(round(row) - self.pixels // 2, low), high - self.pixels)
        last_column = self.camera.pan.pixels - columns
        first_column = min(max(round(col) - columns // 2, 0), last_column)
        return Window(
            first_column=first_column, columns=columns, first_line=first_line, lines=self.pixels
        )

    def window_seeing(self, row: float, col: float) -> Window | None:
        """The window centred on a pixel if all bands see it, moved inside; else None."""
        low, high = self.lines
        inside = low <= row < high and 0 <= col < self.camera.pan.pixels
        return self.window_at(row, col) if inside else None  # also for NaN

    def windows(self) -> Iterator[Window]:
        """Windows all over the strip, side by side, from one edge of the swath to the other."""
        half, width = 0.5 * self.pixels, self.camera.pan.pixels
        for row in np.arange(self.lines[0] + half, self.lines[1] - half + 1, self.pixels):
            for col in (*np.arange(half, width, self.pixels), width):
                window = self.window_at(row, col)
                if window is not None:
                    yield window

    def features(self, window: Window) -> frozenset[str]:
        height = self.height_m[self._inside(window)]
        water = np.abs(height - WATER_LEVEL_M) < 0.01
        shown = {
            "oblique": self.off_nadir_rad > OBLIQUE_RAD,
            "relief": np.ptp(height) > RELIEF_M,
            "coast": water.any() and not water.all(),
            "edge": window.first_column == 0 or window.end_column == self.camera.pan.pixels,
            f"satellite {self.acquisition.satellite}": True,
        }
        return frozenset(name for name, yes in shown.items() if yes)

    def is_dry(self, window: Window) -> bool:
        """Whether at least half of what a window shows is land: open water shows little."""
        height = self.height_m[self._inside(window)]
        return float(np.mean(height - WATER_LEVEL_M >= 0.01)) >= 0.5

    def share_seen_by(self, window: Window, other: Survey, theirs: Window) -> float:
        """How much of the ground of a window another strip's window sees, 0 to 1."""
        inside = self._inside(window)
        row, col = other.axis.project(
            self.lon_rad[inside], self.lat_rad[inside], self.height_m[inside]
        )
        seen = (
            (row >= theirs.first_line) & (row < theirs.end_line)
            & (col >= theirs.first_column) & (col < theirs.end_column)
        )  # fmt: skip
        return float(np.mean(seen))

    def middle_of(self, window: Window) -> tuple[float, float, float]:
        """Longitude, latitude (rad) and height (m) of the grid's place next to the middle."""
        i = int(np.argmin(np.abs(self.rows - 0.5 * (window.first_line + window.end_line))))
        j = int(np.argmin(np.abs(self.cols - 0.5 * (window.first_column + window.end_column))))
        return float(self.lon_rad[i, j]), float(self.lat_rad[i, j]), float(self.height_m[i, j])

    @cached_property
    def centre(self) -> FloatArray:
        """ITRF, about the middle of the strip."""
        return np.asarray(self._places.mean(axis=(0, 1)))

    @cached_property
    def reach_m(self) -> float:
        """From there to the farthest place of the strip."""
        return float(norm(self._places - self.centre).max())

    @cached_property
    def _places(self) -> FloatArray:
        return itrf_from_geodetic(self.lon_rad, self.lat_rad, self.height_m)

    def _inside(self, window: Window) -> tuple[slice, slice]:
        rows = np.searchsorted(self.rows, [window.first_line, window.end_line])
        cols = np.searchsorted(self.cols, [window.first_column, window.end_column])
        return slice(*rows.tolist()), slice(*cols.tolist())


def _common_lines(axis: Pushbroom, camera: Camera, count: int) -> tuple[int, int]:
    """PAN lines (first, end) whose ground every chip of every band sees in the strip's time."""
    row = np.array([0.0, count - 1.0])
    col = np.full(2, 0.5 * camera.pan.pixels)
    speed_px = float(np.min(Motion.of(axis, camera.pan, row, col, np.full(2, GUESS_M)).speed_px))
    ahead = [
        along_tangent(camera, band, chip) / camera.ifov_rad / speed_px
        for band in camera.bands
        for chip in (1, min(2, band.chips))
    ]
    # What looks ahead has seen a line's ground before PAN does, so it lacks the strip's first.
    own = math.tan(camera.pan.along_track_offset_rad) / camera.ifov_rad / speed_px
    first = math.ceil(max(0.0, max(ahead) - own)) + _SPARE_LINES
    return first, count - math.ceil(max(0.0, own - min(ahead))) - _SPARE_LINES


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """A window of a strip and what it shows; `own` where it lies at the request's own place."""

    survey: Survey
    window: Window
    own: bool

    @cached_property
    def features(self) -> frozenset[str]:
        return self.survey.features(self.window)

    @cached_property
    def is_dry(self) -> bool:
        return self.survey.is_dry(self.window)


def choose_windows(
    acquisitions: Sequence[Acquisition],
    mission: Mission,
    scene: Scene,
    count: int,
    pixels: int = 2048,
    places: Places | None = None,
) -> list[tuple[Acquisition, Window]]:
    """At most `count` windows of `pixels` x `pixels` that show as much variety as there is.

    `places` are longitude and latitude (rad) of requests, by name; where none is given, or where
    the strip flown has missed it, a strip's own place is its middle. Missed strips, strips shorter
    than a window and cameras without radiometry are left out. In order of time.
    """
    surveys = [
        Survey.of(acquisition, mission.satellite(acquisition.satellite).camera, scene, pixels)
        for acquisition in acquisitions
        if not acquisition.missed and mission.satellite(acquisition.satellite).camera.has_radiometry
    ]
    own = [
        Choice(survey=survey, window=window, own=True)
        for survey in surveys
        if (window := _own_window(survey, scene, places or {})) is not None
    ]
    every = own + [
        Choice(survey=survey, window=window, own=False)
        for survey in surveys
        for window in survey.windows()
    ]
    chosen = list(_best_pair(every, surveys)) if count >= 2 else []
    while len(chosen) < count and (better := _next(chosen, every)):
        chosen.append(better)
    order = sorted(chosen, key=lambda c: (c.survey.acquisition.start_s, c.survey.acquisition.id))
    return [(c.survey.acquisition, c.window) for c in order]


def _own_window(survey: Survey, scene: Scene, places: Places) -> Window | None:
    place = places.get(survey.acquisition.request)
    if place is not None:
        lon, lat = place
        height = float(scene.height_m(np.asarray(lon), np.asarray(lat)))
        pixel = survey.axis.project(*(np.asarray(x) for x in (lon, lat, height)))
        window = survey.window_seeing(*(float(x) for x in pixel))
        if window is not None:
            return window
    return survey.window_at(0.5 * sum(survey.lines), 0.5 * survey.camera.pan.pixels)


def _best_pair(every: Sequence[Choice], surveys: Sequence[Survey]) -> tuple[Choice, ...]:
    """Two windows of different passes over one place that show most together; () if there are none.

    The first of equals; one at a request's own place is better than one elsewhere.
    """
    best: tuple[Choice, ...] = ()
    most = (False, 0, False)
    for mine, other in combinations(surveys, 2):
        for choice, twin in _twins(mine, other, every) if _cross(mine, other) else ():
            shown = len(choice.features | twin.features)
            worth = (choice.is_dry and twin.is_dry, shown, choice.own)
            if worth > most and _shared(choice, twin) >= SHARED:
                best, most = (choice, twin), worth
    return best


def _cross(a: Survey, b: Survey) -> bool:
    """Whether two strips are of different passes and near enough to share ground."""
    same = a.acquisition.satellite == b.acquisition.satellite
    if same and abs(a.acquisition.start_s - b.acquisition.start_s) < _APART_S:
        return False
    return bool(norm(a.centre - b.centre) < a.reach_m + b.reach_m)


def _twins(
    survey: Survey, other: Survey, every: Sequence[Choice]
) -> Iterator[tuple[Choice, Choice]]:
    """The windows of a strip whose middle another strip sees, each with one of that over it."""
    choices = [choice for choice in every if choice.survey is survey]
    middles = np.array([survey.middle_of(choice.window) for choice in choices]).reshape(-1, 3)
    for choice, row, col in zip(choices, *other.axis.project(*middles.T), strict=True):
        theirs = other.window_seeing(row, col)
        if theirs is not None:
            yield choice, Choice(survey=other, window=theirs, own=False)


def _shared(a: Choice, b: Choice) -> float:
    """How much two windows see of each other's ground, the lesser share."""
    return min(
        a.survey.share_seen_by(a.window, b.survey, b.window),
        b.survey.share_seen_by(b.window, a.survey, a.window),
    )


def _next(chosen: Sequence[Choice], every: Sequence[Choice]) -> Choice | None:
    """The window of a strip not yet taken that adds most to what is shown; None if none is left.

    Land goes before water. Of those that add as much: at a request's own place, of a request not
    yet shown, showing most.
    """
    taken = {choice.survey.acquisition.id for choice in chosen}
    requests = {choice.survey.acquisition.request for choice in chosen}
    shown = frozenset[str]().union(*(choice.features for choice in chosen))

    def worth(choice: Choice) -> tuple[bool, int, bool, bool, int]:
        request = choice.survey.acquisition.request
        adds, all_of_it = len(choice.features - shown), len(choice.features)
        return choice.is_dry, adds, choice.own, request not in requests, all_of_it

    left = [choice for choice in every if choice.survey.acquisition.id not in taken]
    return max(left, key=worth, default=None)
