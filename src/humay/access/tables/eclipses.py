"""Eclipses as a table, a row each."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from humay.access.records import Eclipses
from humay.access.tables.common import about_whole, instants, texts, with_about

ECLIPSES_FORMAT = "humay-eclipses-1"


def eclipses_table(eclipses: Eclipses, notes: Sequence[str] = ()) -> pa.Table:
    """Eclipses, a row each; the umbra's instants are empty where there is only penumbra."""
    e = eclipses
    table = pa.table(
        {
            "satellite": texts(e.satellite),
            "start": instants(e.epoch, e.start_s),
            "umbra_start": instants(e.epoch, e.umbra_start_s),
            "umbra_end": instants(e.epoch, e.umbra_end_s),
            "end": instants(e.epoch, e.end_s),
            "duration_s": e.duration_s,
            "umbra_s": e.umbra_s,
            "orbit": e.orbit,
            "anx_offset_s": e.anx_offset_s,
            "sigma_s": e.sigma_s,
        }
    )
    return with_about(table, about_whole(ECLIPSES_FORMAT, e.epoch, e.span_s, notes))
