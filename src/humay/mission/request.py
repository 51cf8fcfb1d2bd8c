"""What a user asks for: a place to be imaged, how urgent it is, and under which conditions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from humay.arrays import FloatArray
from humay.errors import RequestError
from humay.mission.clouds import CloudModel
from humay.mission.completion import Completion, CompletionKind
from humay.mission.constraint import AllOf, Constraint, Within, asks_for
from humay.mission.geometry import RequestKind
from humay.mission.heights import HeightSource
from humay.mission.keys import Key, Sub, Table
from humay.mission.kinds import Names, Number, Text, Time, Whole
from humay.mission.repeat import REPEAT, Repeat
from humay.mission.satellite import Satellite
from humay.mission.stereo import STEREO, StereoLimits
from humay.mission.trees import ConstraintTree

PRIORITY = 5
"""At which a request is worth its weight."""
_CLOUDS = "cloud_probability"
_GEOMETRIES = {"point": (Point,), "line": (LineString,), "area": (Polygon, MultiPolygon)}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One place to be imaged.

    `geometry` is in degrees of longitude and latitude (WGS 84), edges straight in them. Longitudes
    are unwrapped: an area over the antimeridian runs on past 180, one round a pole is closed along
    latitude 90 or -90 and 360 deg wide. `height_m` is above the ellipsoid; None (lines and areas
    only) leaves it to the height model that `height_source` names. Limits that are None are the
    satellite's.
    """

    name: str
    geometry: Point | LineString | Polygon | MultiPolygon
    kind: RequestKind
    height_m: float | None = None
    height_source: HeightSource = "relief"
    priority: int = PRIORITY
    weight: float = 1.0
    purpose: str = ""
    start: datetime | None = None
    end: datetime | None = None
    max_off_nadir_rad: float | None = None
    min_sun_elevation_rad: float | None = None
    max_cloud: float | None = None
    constraints: Constraint | None = None
    stereo: StereoLimits | None = None
    satellites: tuple[str, ...] | None = None
    completion: Completion = "linear"
    repeat: Repeat | None = None
    attempts: int | None = None
    min_attempts: int = 1

    def __post_init__(self) -> None:
        REQUEST.check(self)
        if not isinstance(self.geometry, _GEOMETRIES.get(self.kind, ())):
            self._refuse(f"geometry is a {type(self.geometry).__name__}, expected a {self.kind}")
        if self.kind == "point" and self.height_m is None:
            self._refuse("a point has no height_m, expected its height above the ellipsoid")
        if self.start is not None and self.end is not None and not self.start < self.end:
            self._refuse(
                f"end is {self.end.isoformat()}, expected after start {self.start.isoformat()}"
            )

        self._check_attempts()
        if self.repeat is not None:
            self._check_repeat(self.repeat)

    def _check_attempts(self) -> None:
        for key in ("repeat", "stereo"):
            if getattr(self, key) is not None and self.min_attempts > 1:
                self._refuse(f"asks for {key} and min_attempts, expected one of them")
        if self.min_attempts > 1 and self.attempts not in (None, self.min_attempts):
            self._refuse(
                f"attempts is {self.attempts}, expected none or that of min_attempts"
                f" ({self.min_attempts}), which are all planned or none"
            )

    def _check_repeat(self, repeat: Repeat) -> None:
        if self.stereo is not None:
            self._refuse("asks for stereo and repeat, expected one of them")
        if repeat.every_h is not None and self.start is None:
            self._refuse("repeat has every_h without a start, expected when the first slot begins")
        if self.start is not None and self.end is not None:
            hours = (self.end - self.start).total_seconds() / 3600.0
            if repeat.least_h > hours * (1 + 1e-12):
                self._refuse(
                    f"repeat takes {repeat.least_h:g} h, expected at most the {hours:g} h from"
                    " start to end"
                )

    @property
    def worth(self) -> float:
        """What serving it whole adds to a plan: each step of priority doubles the weight."""
        return self.weight * 2.0 ** (self.priority - PRIORITY)

    @property
    def most_attempts(self) -> int | None:
        """How many attempts count at most where clouds do, at each strip, slot of a series or look
        of monitoring, with all looks of a stereo set; None: as many as there are."""
        return self.min_attempts if self.min_attempts > 1 else self.attempts

    @property
    def several_looks(self) -> bool:
        """Whether more than one look at a strip of it may count."""
        return self.repeat is not None or self.stereo is not None

    def allows(self, satellite: str) -> bool:
        """Whether a satellite of this name may image it."""
        return self.satellites is None or satellite in self.satellites

    def densified_lonlat(self, max_step_deg: float) -> list[tuple[FloatArray, list[FloatArray]]]:
        """Each part of an area as (exterior ring, holes), rings (n, 2) closed, degrees.

        Points are added along the edges, straight in longitude and latitude, until none is longer
        than `max_step_deg` in either: a projection may then be applied point by point.
        """
        if self.kind != "area":
            raise ValueError(f"request {self.name!r} has kind {self.kind!r}, expected 'area'")
        parts = self.geometry.geoms if isinstance(self.geometry, MultiPolygon) else [self.geometry]
        return [
            (
                densified(np.asarray(part.exterior.coords), max_step_deg),
                [densified(np.asarray(hole.coords), max_step_deg) for hole in part.interiors],
            )
            for part in parts
        ]

    def densified_line_lonlat(self, max_step_deg: float) -> FloatArray:
        """The positions (n, 2) of a line, degrees, with points added as in `densified_lonlat`."""
        if self.kind != "line":
            raise ValueError(f"request {self.name!r} has kind {self.kind!r}, expected 'line'")
        return densified(np.asarray(self.geometry.coords), max_step_deg)

    def _refuse(self, what: str) -> None:
        raise RequestError(f"request {self.name!r}: {what}")


REQUEST = Table(
    label="request",
    noun="property",
    error=RequestError,
    keys=(
        Key("name", Text(), "what the request is called; no two have the same name"),
        Key("priority", Whole(at_least=1, at_most=10), "10 is the most urgent", default=PRIORITY),
        Key(
            "weight",
            Number(above=0, at_most=1e9),
            "worth; a step of priority doubles it",
            default=1.0,
        ),
        Key("purpose", Text(may_be_empty=True), "what the image is for", default=""),
        Key("start", Time(), "not to be imaged before", default=None),
        Key("end", Time(), "not to be imaged after", default=None),
        Key(
            "max_off_nadir_deg",
            Number(above=0, below=90),
            "narrows the satellite's limit",
            default=None,
        ),
        Key(
            "min_sun_elevation_deg",
            Number(at_least=-90, at_most=90),
            "narrows the satellite's limit",
            default=None,
        ),
        Key(
            "max_cloud",
            Number(at_least=0, at_most=1),
            "highest probability of clouds, where the mission has `clouds`",
            default=None,
        ),
        Key(
            "constraints",
            ConstraintTree(),
            "further conditions on each look, which must hold besides the satellite's",
            default=None,
        ),
        Key(
            "stereo",
            Sub(table=STEREO, make=StereoLimits),
            "asks for two or three looks that belong together, see the page on stereo",
            default=None,
        ),
        Key(
            "satellites",
            Names(),
            "only these may image it; all without",
            default=None,
        ),
        Key(
            "completion",
            CompletionKind(),
            "what part of its worth each part of it brings, see [worth](#worth)",
            default="linear",
        ),
        Key(
            "repeat",
            Sub(table=REPEAT, make=Repeat),
            "asks for several looks over time, a series or monitoring, see [repeat](#repeat)",
            default=None,
        ),
        Key(
            "attempts",
            Whole(at_least=1, at_most=20),
            "most attempts at each strip, slot or look, where clouds count, see [clouds](#clouds)",
            default=None,
        ),
        Key(
            "min_attempts",
            Whole(at_least=1, at_most=5),
            "so many looks at each strip or none, where clouds count",
            default=1,
        ),
        Key(
            "corridor_width_km",
            Number(at_least=0.1, at_most=500),
            "makes an area of this full width of a line",
            default=None,
        ),
        Key(
            "height_m",
            Number(at_least=-1000, at_most=10_000),
            "of the place above the ellipsoid; a height in the coordinates goes before it",
            default=None,
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What holds for one satellite and one request together."""

    max_off_nadir_rad: float
    max_roll_rad: float
    max_pitch_rad: float
    min_sun_elevation_rad: float


def limits(satellite: Satellite, request: Request) -> Limits:
    """The stricter of both: a request narrows a satellite's limits, never widens them.

    Neither roll nor pitch can exceed the off-nadir angle, so a request narrows them too.
    """
    asked = math.inf if request.max_off_nadir_rad is None else request.max_off_nadir_rad
    sun = -math.inf if request.min_sun_elevation_rad is None else request.min_sun_elevation_rad
    return Limits(
        max_off_nadir_rad=min(satellite.max_off_nadir_rad, asked),
        max_roll_rad=min(satellite.max_roll_rad, asked),
        max_pitch_rad=min(satellite.max_pitch_rad, asked),
        min_sun_elevation_rad=max(satellite.min_sun_elevation_rad, sun),
    )


def conditions(
    satellite: Satellite, request: Request, clouds: CloudModel | None = None
) -> Constraint | None:
    """What a look of one satellite at one request must meet besides their limits; None if nothing.

    The satellite's own conditions and the request's, both together. Where the mission has `clouds`,
    `max_cloud` bounds their probability. Raises `RequestError` for a condition on clouds without.
    """
    parts = [part for part in (satellite.constraints, request.constraints) if part is not None]
    if clouds is None and any(asks_for(part, _CLOUDS) for part in parts):
        raise RequestError(
            f"request {request.name!r}: {_CLOUDS} is bounded, but the mission has no clouds,"
            " expected a raster of them in [mission]"
        )
    if clouds is not None and request.max_cloud is not None:
        parts.append(Within(quantity=_CLOUDS, high=request.max_cloud))
    return AllOf(parts=tuple(parts)) if len(parts) > 1 else next(iter(parts), None)


def densified(positions: FloatArray, max_step_deg: float) -> FloatArray:
    """Positions (n, 2) with points added evenly, so that no step exceeds `max_step_deg`."""
    if not max_step_deg > 0:
        raise ValueError(f"max_step_deg is {max_step_deg}, expected > 0")
    steps = np.abs(np.diff(positions, axis=0)).max(axis=1)
    pieces = np.maximum(1, np.ceil(steps / max_step_deg)).astype(int)
    inner = [
        start + (end - start) * (np.arange(count) / count)[:, None]
        for start, end, count in zip(positions, positions[1:], pieces, strict=False)
    ]
    return np.concatenate([*inner, positions[-1:]])
