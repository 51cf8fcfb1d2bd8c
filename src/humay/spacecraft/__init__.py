"""The digital twin: a plan flown on a true orbit, and what the satellite knows of it.

`fly` carries out a plan; `draw_measured` tells what else might have been measured of a flight.
"""

from humay.spacecraft.control import ControlError
from humay.spacecraft.files import FlightRecord, flight_document, flight_files, read_flight
from humay.spacecraft.flight import Acquisition, Flight, fly
from humay.spacecraft.knowledge import KnowledgeError, draw_measured
from humay.spacecraft.orbit_error import OrbitError
from humay.spacecraft.swath import Sweep
from humay.spacecraft.telemetry import Energy, Event, Telemetry
from humay.spacecraft.trajectory import Trajectory

__all__ = [
    "Acquisition", "ControlError", "Energy", "Event", "Flight", "FlightRecord", "KnowledgeError",
    "OrbitError", "Sweep", "Telemetry", "Trajectory", "draw_measured", "flight_document",
    "flight_files", "fly", "read_flight",
]  # fmt: skip
