"""The mission: who flies, who listens, and what one run does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from shapely.geometry import MultiPolygon, Polygon

from humay.arrays import BoolArray, FloatArray
from humay.errors import MissionError
from humay.mission.calibration import CALIBRATION, Calibration
from humay.mission.camera import CAMERA, Camera, camera_from_fields
from humay.mission.clouds import CloudModel
from humay.mission.heights import HeightModel
from humay.mission.keys import Key, Named, Rows, SameAs, Sub, Table, suggestion
from humay.mission.kinds import File, Number, Text, Time, Whole
from humay.mission.lonlat import lies_in
from humay.mission.objective import OBJECTIVE, Objective
from humay.mission.outage import OUTAGE, Outage
from humay.mission.satellite import SATELLITE, Satellite
from humay.mission.station import STATION, Station


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """What `humay run` does: these requests over `days` from `start`, planned at `release`."""

    requests: Path
    start: datetime
    days: float
    seed: int = 1
    render: int = 0
    release: datetime

    def __post_init__(self) -> None:
        RUN.check(self)
        if self.release >= self.end:
            raise MissionError(
                f"run: release is {self.release.isoformat()}, expected before the end of the run "
                f"({self.end.isoformat()})"
            )

    @property
    def end(self) -> datetime:
        return self.start + timedelta(days=self.days)


RUN = Table(
    label="run",
    keys=(
        Key("requests", File(), "GeoJSON file of the requests"),
        Key("start", Time(), "beginning of the span that is planned"),
        Key("days", Number(above=0, at_most=366), "its length"),
        Key("seed", Whole(at_least=0, at_most=2**32 - 1), "of all random numbers", default=1),
        Key("render", Whole(at_least=0), "acquisitions exposed into images", default=0),
        Key("release", Time(), "when the plan is released", default=SameAs("start")),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Mission:
    """A whole mission. `heights` answers for the ground where a request does not say its height.

    No place inside `exclusions` (degrees, longitudes unwrapped) is ever imaged. `clouds` say how
    likely clouds are; without them no request is held to its `max_cloud`.
    """

    name: str
    path: Path
    satellites: tuple[Satellite, ...]
    stations: tuple[Station, ...]
    cameras: tuple[Camera, ...]
    run: RunSettings | None = None
    max_element_age_days: float = 20.0
    heights: HeightModel
    exclusions: tuple[Polygon | MultiPolygon, ...] = ()
    clouds: CloudModel | None = None
    outages: tuple[Outage, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    objective: Objective = field(default_factory=Objective)

    def __post_init__(self) -> None:
        MISSION.check(self)
        for what, members in (
            ("satellite", self.satellites),
            ("station", self.stations),
            ("camera", self.cameras),
            ("calibration", self.calibrations),
        ):
            [(twin, times)] = Counter(member.name for member in members).most_common(1) or [("", 0)]
            if times > 1:
                raise MissionError(
                    f"mission {self.name!r}: {times} {what}s are named {twin!r}, expected one"
                )
        self._check_outages()
        self._check_calibrations()
        if self.objective.clouds == "expected" and self.clouds is None:
            raise MissionError(
                f"mission {self.name!r}: objective counts clouds, expected a raster of them,"
                " `clouds` of [mission]"
            )

    def _check_outages(self) -> None:
        known = {
            "station": [station.name for station in self.stations],
            "satellite": [satellite.name for satellite in self.satellites],
        }
        for number, outage in enumerate(self.outages, start=1):
            for what, names in known.items():
                name = getattr(outage, what)
                if name is not None and name not in names:
                    raise MissionError(
                        f"outage {number}: {what} is {name!r}, no such {what}"
                        f"{suggestion(name, names)}"
                    )

    def _check_calibrations(self) -> None:
        known = [satellite.name for satellite in self.satellites]
        for calibration in self.calibrations:
            for name in calibration.satellites or ():
                if name not in known:
                    raise MissionError(
                        f"calibration {calibration.name!r}: satellite {name!r}, no such satellite"
                        f"{suggestion(name, known)}"
                    )

    @property
    def counted_clouds(self) -> CloudModel | None:
        """The clouds with which looks count, None where they count as clear."""
        return self.clouds if self.objective.clouds == "expected" else None

    def excludes(self, lon_rad: FloatArray, lat_rad: FloatArray) -> BoolArray:
        """Whether places (...) lie in an area that is never imaged."""
        lon_deg, lat_deg = np.degrees(lon_rad), np.degrees(lat_rad)
        found = np.zeros(np.broadcast_shapes(lon_deg.shape, lat_deg.shape), dtype=bool)
        for area in self.exclusions:
            found |= lies_in(area, lon_deg, lat_deg)
        return found

    def satellite(self, name: str) -> Satellite:
        for satellite in self.satellites:
            if satellite.name == name:
                return satellite
        known = [satellite.name for satellite in self.satellites]
        raise MissionError(f"mission {self.name!r}: no satellite {name!r}{suggestion(name, known)}")

    def station(self, name: str) -> Station:
        for station in self.stations:
            if station.name == name:
                return station
        known = [station.name for station in self.stations]
        raise MissionError(f"mission {self.name!r}: no station {name!r}{suggestion(name, known)}")


MISSION = Table(
    label="mission",
    keys=(
        Key("name", Text(), "what the mission is called"),
        Key(
            "max_element_age_days",
            Number(above=0, at_most=36_525),
            "farthest that any instant of a plan may lie from the epoch of the elements",
            default=20.0,
        ),
        Key(
            "dem",
            File(),
            "raster of heights above the EGM96 geoid (GeoTIFF, HGT), for the height of targets",
            default=None,
        ),
        Key(
            "exclusions",
            File(),
            "GeoJSON file of areas that are never imaged",
            default=None,
            field="exclusions_file",
        ),
        Key(
            "clouds",
            File(),
            "raster of the probability of clouds (GeoTIFF, NetCDF), by month or at forecast times",
            default=None,
            field="clouds_file",
        ),
    ),
)


MISSION_FILE = Table(
    label="mission file",
    keys=(
        Key("mission", Sub(table=MISSION, make=dict), "the mission as a whole"),
        Key("run", Sub(table=RUN, make=dict), "what `humay run` does", default=None),
        Key("satellite", Named(table=SATELLITE, make=dict), "the satellites, `[satellite.NAME]`"),
        Key(
            "camera",
            Named(table=CAMERA, make=camera_from_fields),
            "the cameras they carry, `[camera.NAME]`",
        ),
        Key(
            "station",
            Named(table=STATION, make=Station, may_be_empty=True),
            "the ground stations, `[station.NAME]`",
            default={},
        ),
        Key(
            "objective",
            Sub(table=OBJECTIVE, make=Objective),
            "what a plan is to be good at",
            default={},
        ),
        Key(
            "outage",
            Rows(table=OUTAGE, make=Outage),
            "when a station or a satellite is not to be had, `[[outage]]`",
            default=[],
        ),
        Key(
            "calibration",
            Rows(table=CALIBRATION, make=Calibration),
            "looks that calibrate cameras, and how often, `[[calibration]]`",
            default=[],
        ),
    ),
)
