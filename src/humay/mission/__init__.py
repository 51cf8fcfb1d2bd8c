"""The mission stage: what flies, what listens, what is asked for; read from files and checked.

`load_mission` and `load_requests` are its two verbs. Everything inside is SI and radians, times are
aware UTC datetimes, and a record that exists is valid.
"""

from humay.mission.camera import Band, Camera, Radiometry, StatedSnr
from humay.mission.files import RasterDem, load_mission, load_requests
from humay.mission.geojson import requests_from_geojson
from humay.mission.heights import CoarseRelief, HeightError, HeightModel
from humay.mission.mission import Mission, RunSettings
from humay.mission.request import Limits, Request, limits
from humay.mission.satellite import (
    ImagingLimit,
    Navigation,
    OmmOrbit,
    Orbit,
    OrbitSigma,
    Power,
    Satellite,
    SunSynchronousOrbit,
    TleOrbit,
)
from humay.mission.station import Station

__all__ = [
    "Band",
    "Camera",
    "CoarseRelief",
    "HeightError",
    "HeightModel",
    "ImagingLimit",
    "Limits",
    "Mission",
    "Navigation",
    "OmmOrbit",
    "Orbit",
    "OrbitSigma",
    "Power",
    "Radiometry",
    "RasterDem",
    "Request",
    "RunSettings",
    "Satellite",
    "StatedSnr",
    "Station",
    "SunSynchronousOrbit",
    "TleOrbit",
    "limits",
    "load_mission",
    "load_requests",
    "requests_from_geojson",
]
