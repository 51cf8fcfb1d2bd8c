"""What whoever reads a result must know of its accuracy, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np

from humay.mission import Mission, Request
from humay.orbit import Ephemeris
from humay.tables import earth_orientation
from humay.time import MJD_ZERO_UTC, format_utc, modified_julian_date

_CLOUDY = "The mission names no clouds: max_cloud is recorded with the request and not applied."


def accuracy_notes(
    mission: Mission,
    orbits: Mapping[str, Ephemeris],
    requests: Sequence[Request],
    start: datetime,
    end: datetime,
) -> list[str]:
    """Age of the elements and the error it brings, the state of Earth orientation, what is left
    out.
    """
    notes = [
        _orbit_note(mission, name, ephemeris, start, end) for name, ephemeris in orbits.items()
    ]
    notes.append(_orientation_note(end))
    if mission.clouds is None and any(request.max_cloud is not None for request in requests):
        notes.append(_CLOUDY)
    return notes


def _orbit_note(
    mission: Mission, name: str, ephemeris: Ephemeris, start: datetime, end: datetime
) -> str:
    sigma = mission.satellite(name).orbit_sigma
    ages = [float(ephemeris.age_days(np.array(ephemeris.epoch.seconds(t)))) for t in (start, end)]
    errors = sigma.along_m(np.array(ages))
    return (
        f"{name}: orbit of {ephemeris.orbit_epoch():%Y-%m-%dT%H:%M}Z, {ages[0]:.1f} days old at the"
        f" start and {ages[1]:.1f} at the end; along-track error {errors[0] / 1e3:.1f} to"
        f" {errors[1] / 1e3:.1f} km (1 sigma)."
    )


def _orientation_note(end: datetime) -> str:
    table = earth_orientation()
    error_m = float(table.ground_error_m(np.array(modified_julian_date(end))))
    limits = [
        format_utc(MJD_ZERO_UTC + timedelta(days=float(mjd)))
        for mjd in (table.last_measured_mjd, table.end_mjd)
    ]
    if modified_julian_date(end) <= table.end_mjd:
        return (
            f"Earth orientation: measured to {limits[0][:10]}, predicted to {limits[1][:10]};"
            f" ground error from it at the end at most {max(error_m, 0.05):.2f} m."
        )
    return (
        f"Earth orientation: the table ends on {limits[1][:10]}, UT1 and the pole are held from"
        f" there; ground error from it at the end about {error_m:.0f} m."
    )
