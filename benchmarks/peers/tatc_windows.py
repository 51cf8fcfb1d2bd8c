"""TAT-C's side of `benchmarks/opportunities.py`; runs inside TAT-C's own environment.

    tatc_windows.py search TASK.npz OUT.npz
    tatc_windows.py evidence TASK.npz ASKED.npz OUT.npz

`search` times `collect_observations` after a first call on a few places and the days before.
`evidence` gives, for some of the places, the windows without a limit on the Sun, the Sun's
elevation in their middle, and that at any instants asked for.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from shapely.geometry import Point
from skyfield.api import wgs84
from skyfield.data import iers
from tatc.analysis import collect_observations
from tatc.constants import de421, timescale
from tatc.schemas import Instrument, Satellite, TwoLineElements

WARM_UP_PLACES, WARM_UP_DAYS = 20, 2  # before the span, of which nothing may be known yet


def satellites(task, sun_deg):
    """Made anew for each call, as TAT-C keeps what it found out about an orbit in the orbit."""
    instrument = Instrument(
        name="camera",
        field_of_regard=2 * float(task["off_nadir_deg"]),
        min_target_solar_elevation=sun_deg,
        nadir_reference="geocentric",
    )
    lines = [str(line) for line in task["elements"]]
    return [
        Satellite(
            name=str(number),
            orbit=TwoLineElements(tle=(lines[at + 1], lines[at + 2])),
            instruments=[instrument],
        )
        for number, at in enumerate(range(0, len(lines), 3))
    ]


def span(task):
    start = datetime.fromisoformat(str(task["start"]))
    return start, start + timedelta(days=float(task["days"]))


def columns(frame, places, start):
    """Place, satellite, start and end of TAT-C's rows; it knows a place by its coordinates."""
    number = {(lon, lat): i for i, (lon, lat, _) in enumerate(places)}
    begin = pd.Timestamp(start)
    return {
        "place": np.array([number[point.x, point.y] for point in frame.geometry], dtype=np.int64),
        "satellite": frame["satellite"].to_numpy().astype(np.int64),
        "start_s": (frame["start"] - begin).dt.total_seconds().to_numpy(),
        "end_s": (frame["end"] - begin).dt.total_seconds().to_numpy(),
    }


def search(task_path, out_path):
    task = np.load(task_path)
    places, (start, end) = task["places"], span(task)
    points = [Point(*place) for place in places]
    sun_deg = float(task["sun_deg"])
    early = start - timedelta(days=WARM_UP_DAYS)
    collect_observations(points[:WARM_UP_PLACES], satellites(task, sun_deg), early, start)
    seconds = []
    for _ in range(int(task["repeats"])):
        flown = satellites(task, sun_deg)
        begun = time.process_time()
        frame = collect_observations(points, flown, start, end)
        seconds.append(time.process_time() - begun)
    np.savez(
        out_path,
        seconds=statistics.median(seconds),
        first_seconds=seconds[0],
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **columns(frame, places, start),
    )


def evidence(task_path, asked_path, out_path):
    task, asked = np.load(task_path), np.load(asked_path)
    places, (start, end) = task["places"], span(task)
    some = asked["places"]
    frame = collect_observations(
        [Point(*places[i]) for i in some], satellites(task, None), start, end, omit_solar=False
    )
    found = columns(frame, places[some], start)
    np.savez(
        out_path,
        sun_deg=sun_elevation_deg(places[asked["at_place"]], start, asked["at_s"]),
        middle_sun_deg=frame["solar_alt"].to_numpy(),
        **found | {"place": some[found["place"]]},
    )


def sun_elevation_deg(places, start, t_s):
    """Of the apparent Sun, DE421, without refraction."""
    if not len(t_s):
        return np.zeros(0)
    lon, lat, height = places.T
    t = timescale.utc(start.year, start.month, start.day, start.hour, start.minute, t_s)
    observer = de421["earth"] + wgs84.latlon(lat, lon, height)
    return observer.at(t).observe(de421["sun"]).apparent().altaz()[0].degrees


def main():
    verb, *paths = sys.argv[1:]
    # Skyfield leaves polar motion out unless told: 7 to 12 m, or a window of a second at a graze.
    with open(str(np.load(paths[0])["earth_orientation"]), "rb") as file:
        iers.install_polar_motion_table(timescale, iers.parse_x_y_dut1_from_finals_all(file))
    {"search": search, "evidence": evidence}[verb](*paths)


if __name__ == "__main__":
    main()
