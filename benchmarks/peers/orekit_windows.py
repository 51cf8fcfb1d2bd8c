"""Orekit's side of `benchmarks/orekit.py`; runs inside Orekit's own environment.

    orekit_windows.py TASK.npz OUT.npz FOLDER

Windows and eclipses by Orekit's own detectors on its own SGP4, ITRF of the IERS 2010 Conventions
with the Earth orientation of `satkit-data`, Sun of DE440 with light time and aberration. FOLDER
takes the data in the forms that Orekit reads.
"""

from __future__ import annotations

import csv
import math
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import orekit_java  # noqa: F401
import satkit_data
from java.io import File
from java.util import ArrayList
from jpype import JImplements, JOverride
from org.hipparchus.geometry.euclidean.threed import Vector3D
from org.orekit.attitudes import NadirPointing
from org.orekit.bodies import CelestialBodyFactory, GeodeticPoint, OneAxisEllipsoid
from org.orekit.data import DataContext, DirectoryCrawler
from org.orekit.frames import FramesFactory, TopocentricFrame
from org.orekit.geometry.fov import CircularFieldOfView
from org.orekit.propagation import SpacecraftState
from org.orekit.propagation.analytical import Ephemeris
from org.orekit.propagation.analytical.tle import TLE, TLEPropagator
from org.orekit.propagation.events import (
    BooleanDetector,
    EclipseDetector,
    ElevationDetector,
    FieldOfViewDetector,
    GroundAtNightDetector,
)
from org.orekit.propagation.events.handlers import RecordAndContinue
from org.orekit.time import AbsoluteDate, TimeScalesFactory
from org.orekit.utils import (
    AbsolutePVCoordinates,
    ExtendedPositionProvider,
    IERSConventions,
    PVCoordinates,
)

A_M, F = 6_378_137.0, 1 / 298.257223563  # WGS 84
SUN_RADIUS_M = 695_700_000.0  # IAU 2015
LIGHT_M_S = 299_792_458.0
THRESHOLD_S = 1e-6
SUN_STEP_S, RATE_S = 3_600.0, 60.0
ECLIPSE_CHECK_S = 60.0


# ---------------------------------------------------------------- data


def write_data(folder, year):
    """Leap seconds, Earth orientation about a year, and DE440, in files that Orekit knows."""
    source = Path(satkit_data.__file__).parent / "data"
    (folder / "tai-utc.dat").write_text(leap_seconds(source / "leap-seconds.list"))
    (folder / "finals2000A.all").write_text(earth_orientation(source / "EOP-All.csv", year))
    (folder / "linux_p1550p2650.440").symlink_to(source / "linux_p1550p2650.440")


def leap_seconds(path):
    """The list of the IETF as the USNO writes it."""
    lines = []
    for line in path.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            since_1900_s, offset = (int(word) for word in line.split()[:2])
            day = datetime(1900, 1, 1) + timedelta(seconds=since_1900_s)
            julian = 2_415_020.5 + since_1900_s / 86_400
            month = day.strftime("%b").upper()
            lines.append(
                f" {day.year} {month} {day.day:2d} =JD {julian:9.1f}  TAI-UTC={offset:6.1f}"
                "       S + (MJD - 41317.) X 0.0      S"
            )
    return "\n".join(lines) + "\n"


def earth_orientation(path, year):
    """Daily values as the IERS writes them in columns: Bulletin A, IAU 2000."""
    lines = []
    with path.open() as file:
        for row in csv.DictReader(file):
            day = datetime.fromisoformat(row["DATE"])
            if abs(day.year - year) <= 1:
                x, y, ut1 = float(row["X"]), float(row["Y"]), float(row["UT1-UTC"])
                lod_ms = 1e3 * float(row["LOD"])
                dx_mas, dy_mas = 1e3 * float(row["DX"]), 1e3 * float(row["DY"])
                date = f"{day.year % 100:2d}{day.month:2d}{day.day:2d} {float(row['MJD']):8.2f}"
                lines.append(
                    f"{date} I {x:9.6f}{0:9.6f} {y:9.6f}{0:9.6f}  I{ut1:10.7f}{0:10.7f}"
                    f" {lod_ms:7.4f}{0:7.4f}  I {dx_mas:9.3f}{0:9.3f} {dy_mas:9.3f}{0:9.3f}"
                )
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- the Sun as it is seen


def apparent_sun(start, days):
    """Geocentric, on GCRF: light time and annual aberration; states an hour apart, Hermite."""
    gcrf, states = FramesFactory.getGCRF(), ArrayList()
    for k in range(-12, int(days * 86_400 / SUN_STEP_S) + 13):
        date = start.shiftedBy(k * SUN_STEP_S)
        before, here, after = (seen_sun(date.shiftedBy(step)) for step in (-RATE_S, 0.0, RATE_S))
        pv = PVCoordinates(Vector3D(*here), Vector3D(*(after - before) / (2 * RATE_S)))
        states.add(SpacecraftState(AbsolutePVCoordinates(gcrf, date, pv)))
    return Ephemeris(states, 4)


def seen_sun(date):
    """From the centre of the Earth (m), in the direction in which it is seen, relativistic."""
    icrf = FramesFactory.getICRF()
    sun, earth = CelestialBodyFactory.getSun(), CelestialBodyFactory.getEarth()
    here, light_s = earth.getPVCoordinates(date, icrf), 0.0
    for _ in range(3):
        then = sun.getPosition(date.shiftedBy(-light_s), icrf)
        way = np.array(then.subtract(here.getPosition()).toArray(), dtype=float)
        light_s = np.linalg.norm(way) / LIGHT_M_S
    beta = np.array(here.getVelocity().toArray(), dtype=float) / LIGHT_M_S
    length = np.linalg.norm(way)
    inverse_gamma, along = math.sqrt(1 - beta @ beta), way @ beta / length
    seen = inverse_gamma * way / length + (1 + along / (1 + inverse_gamma)) * beta
    return length * seen / np.linalg.norm(seen)


@JImplements(ExtendedPositionProvider)
class SunOf:
    """The same for detectors that ask for this kind of provider."""

    def __init__(self, ephemeris):
        self.ephemeris = ephemeris

    @JOverride
    def getPosition(self, date, frame):
        return self.ephemeris.getPosition(date, frame)


# ---------------------------------------------------------------- detectors


def looks(task, sun):
    """A detector for each place: in the cone about nadir, above the horizon, the Sun high enough.

    All but the Sun is a geometry of its own in Orekit: the cone is a circular field of view on a
    satellite that points to nadir, of a sphere where nadir is geocentric.
    """
    itrf = FramesFactory.getITRF(IERSConventions.IERS_2010, False)
    earth = OneAxisEllipsoid(A_M, F, itrf)
    cone = CircularFieldOfView(Vector3D.PLUS_K, math.radians(float(task["off_nadir_deg"])), 0.0)
    found = []
    for lon_deg, lat_deg, height_m in task["places"]:
        point = GeodeticPoint(math.radians(lat_deg), math.radians(lon_deg), float(height_m))
        place = TopocentricFrame(earth, point, "place")
        night = GroundAtNightDetector(place, sun, math.radians(float(task["sun_deg"])), None)
        limits = ArrayList()
        limits.add(BooleanDetector.notCombine(FieldOfViewDetector(place, cone)))
        limits.add(ElevationDetector(place).withConstantElevation(0.0))
        limits.add(BooleanDetector.notCombine(night))
        found.append(watched(BooleanDetector.andCombine(limits), float(task["check_s"])))
    return found


def watched(detector, check_s):
    handler = RecordAndContinue()
    detector = detector.withMaxCheck(check_s).withThreshold(THRESHOLD_S).withHandler(handler)
    return detector, handler


def shadows(sun):
    """Detectors that are positive in light: of the penumbra's outer edge, then the umbra's."""
    itrf = FramesFactory.getITRF(IERSConventions.IERS_2010, False)
    eclipse = EclipseDetector(SunOf(sun), SUN_RADIUS_M, OneAxisEllipsoid(A_M, F, itrf))
    return [
        watched(eclipse.withPenumbra(), ECLIPSE_CHECK_S),
        watched(eclipse.withUmbra(), ECLIPSE_CHECK_S),
    ]


def spans(detector, handler, states, start, inside_is_positive):
    """Spans (n, 2) in seconds after the start, cut to that of the two states."""
    sign = 1.0 if inside_is_positive else -1.0
    first, last = states
    edges = [(event.getState().getDate().durationFrom(start), bool(event.isIncreasing()))
             for event in handler.getEvents()]  # fmt: skip
    times = [t for t, _ in edges]
    if sign * detector.g(first) > 0:
        times.insert(0, first.getDate().durationFrom(start))
    if sign * detector.g(last) > 0:
        times.append(last.getDate().durationFrom(start))
    return np.array(times, dtype=float).reshape(-1, 2)


def flown(task, lines, start, sun):
    """One satellite: its windows of each place, and its time in penumbra and in umbra."""
    itrf = FramesFactory.getITRF(IERSConventions.IERS_2010, False)
    flattening = F if str(task["nadir"]) == "geodetic" else 0.0
    down = NadirPointing(FramesFactory.getGCRF(), OneAxisEllipsoid(A_M, flattening, itrf))
    propagator = TLEPropagator.selectExtrapolator(TLE(*lines), down, 1000.0)
    first = propagator.propagate(start)  # from the epoch of the elements, nothing watched yet
    detectors = looks(task, sun) + shadows(sun)
    for detector, _ in detectors:
        propagator.addEventDetector(detector)
    states = first, propagator.propagate(start, start.shiftedBy(86_400.0 * float(task["days"])))
    places = len(task["places"])
    return [
        spans(detector, handler, states, start, i < places)
        for i, (detector, handler) in enumerate(detectors)
    ]


def main():
    task_path, out_path, folder = (Path(name) for name in sys.argv[1:])
    task = np.load(task_path)
    begin = datetime.fromisoformat(str(task["start"])).astimezone(UTC)
    write_data(folder, begin.year)
    DataContext.getDefault().getDataProvidersManager().addProvider(
        DirectoryCrawler(File(str(folder)))
    )
    CelestialBodyFactory.addDefaultCelestialBodyLoader(r"^linux_p.*\.440$")
    start = AbsoluteDate(begin.year, begin.month, begin.day, TimeScalesFactory.getUTC())
    begun = time.process_time()
    sun = apparent_sun(start, float(task["days"]))
    lines = [str(line) for line in task["elements"]]
    parts = [
        flown(task, (lines[at + 1], lines[at + 2]), start, sun) for at in range(0, len(lines), 3)
    ]
    columns = {
        f"{kind}_{number}": part
        for number, satellite in enumerate(parts)
        for kind, part in zip(
            [*(f"place_{i}" for i in range(len(task["places"]))), "penumbra", "umbra"],
            satellite,
            strict=True,
        )
    }
    np.savez(
        out_path,
        seconds=time.process_time() - begun,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **columns,
    )


if __name__ == "__main__":
    main()
