"""Orbits in, `Ephemeris` out: the same record whatever the source was."""

from humay.orbit.elements import read_tle
from humay.orbit.ephemeris import Ephemeris, Segment
from humay.orbit.propagate import ephemerides, orbit_of
from humay.orbit.sgp4 import Sgp4Orbit

__all__ = ["Ephemeris", "Segment", "Sgp4Orbit", "ephemerides", "orbit_of", "read_tle"]
