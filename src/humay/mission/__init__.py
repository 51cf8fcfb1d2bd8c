"""The mission stage: what flies, what listens, what is asked for; read from files and checked.

`load_mission` and `load_requests` are its two verbs. Everything inside is SI and radians, times are
aware UTC datetimes, and a record that exists is valid.
"""

from humay.mission.agility import AxisLimits, Wheels
from humay.mission.calibration import CALIBRATION_KINDS, Calibration, CalibrationKind, Due
from humay.mission.camera import Band, Camera, Radiometry, StatedSnr
from humay.mission.clouds import CloudModel
from humay.mission.completion import Completion
from humay.mission.constraint import (
    CORE_QUANTITY,
    QUANTITIES,
    AllOf,
    AnyOf,
    Constraint,
    HorizonMask,
    Inside,
    Not,
    PassDirection,
    RelativeOrbit,
    Sunlit,
    TerrainHorizon,
    Within,
    asks_for,
    leaves,
)
from humay.mission.duty import ImagingLimit, OrbitLimit, Thermal
from humay.mission.files import (
    RasterDem,
    joined_requests,
    load_mission,
    load_outcomes,
    load_requests,
)
from humay.mission.geojson import requests_from_geojson
from humay.mission.heights import CoarseRelief, HeightError, HeightModel
from humay.mission.keep_out import KeepOut
from humay.mission.keys import suggestion
from humay.mission.mission import Mission, RunSettings
from humay.mission.objective import SAME_CLOUDS_S, Objective
from humay.mission.outage import Outage
from humay.mission.outcomes import Outcomes, outcomes_from
from humay.mission.repeat import Repeat
from humay.mission.request import Limits, Request, conditions, limits
from humay.mission.satellite import (
    Navigation,
    OmmOrbit,
    Orbit,
    OrbitSigma,
    Power,
    Satellite,
    SunSynchronousOrbit,
    TleOrbit,
)
from humay.mission.sentences import describe, quantity_label, quantity_text
from humay.mission.slew_law import SlewLaw, SlewTable
from humay.mission.star_tracker import StarTracker
from humay.mission.station import RateStep, Station
from humay.mission.stereo import PairLimits, StereoLimits

__all__ = [
    "CALIBRATION_KINDS",
    "CORE_QUANTITY",
    "QUANTITIES",
    "SAME_CLOUDS_S",
    "AllOf",
    "AnyOf",
    "AxisLimits",
    "Band",
    "Calibration",
    "CalibrationKind",
    "Camera",
    "CloudModel",
    "CoarseRelief",
    "Completion",
    "Constraint",
    "Due",
    "HeightError",
    "HeightModel",
    "HorizonMask",
    "ImagingLimit",
    "Inside",
    "KeepOut",
    "Limits",
    "Mission",
    "Navigation",
    "Not",
    "Objective",
    "OmmOrbit",
    "Orbit",
    "OrbitLimit",
    "OrbitSigma",
    "Outage",
    "Outcomes",
    "PairLimits",
    "PassDirection",
    "Power",
    "Radiometry",
    "RasterDem",
    "RateStep",
    "RelativeOrbit",
    "Repeat",
    "Request",
    "RunSettings",
    "Satellite",
    "SlewLaw",
    "SlewTable",
    "StarTracker",
    "StatedSnr",
    "Station",
    "StereoLimits",
    "SunSynchronousOrbit",
    "Sunlit",
    "TerrainHorizon",
    "Thermal",
    "TleOrbit",
    "Wheels",
    "Within",
    "asks_for",
    "conditions",
    "describe",
    "joined_requests",
    "leaves",
    "limits",
    "load_mission",
    "load_outcomes",
    "load_requests",
    "outcomes_from",
    "quantity_label",
    "quantity_text",
    "requests_from_geojson",
    "suggestion",
]
