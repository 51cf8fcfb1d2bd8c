"""astropy as an outside judge: offline, on the Earth orientation table that Humay reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import astropy_iers_data
import numpy as np
from astropy.time import Time
from astropy.utils import iers

from humay.arrays import FloatArray
from humay.time import Epoch


@contextmanager
def offline() -> Iterator[None]:
    """astropy's own choice of values: Bulletin B where there is one, else Bulletin A."""
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        table = iers.earth_orientation_table.get()
        assert table.meta["data_path"] == astropy_iers_data.IERS_A_FILE
        yield


@contextmanager
def bulletin_a() -> Iterator[None]:
    """The Bulletin A columns alone, which Humay takes."""
    table = iers.IERS_A.read(astropy_iers_data.IERS_A_FILE)
    for ours, theirs in (("UT1_UTC", "UT1_UTC_A"), ("PM_x", "PM_x_A"), ("PM_y", "PM_y_A")):
        table[ours] = table[theirs]
    with (
        iers.conf.set_temp("auto_download", False),
        iers.earth_orientation_table.set(table),
    ):
        yield


def astropy_time(moments: Sequence[datetime]) -> Time:
    return Time([moment.replace(tzinfo=None) for moment in moments], scale="utc")


def whole_microseconds(epoch: Epoch, t_s: FloatArray) -> tuple[list[datetime], FloatArray]:
    """Instants a datetime can hold, near `t_s`, and their seconds after `epoch`."""
    moments = [epoch.utc(t) for t in t_s]
    return moments, np.array([epoch.seconds(moment) for moment in moments])
