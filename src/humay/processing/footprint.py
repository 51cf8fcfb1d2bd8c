"""The outline of what a product shows, from the models of what it was made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

from humay.arrays import FloatArray
from humay.errors import ProcessingError
from humay.processing.dem import Dem
from humay.processing.grid import seen_ground
from humay.processing.ortho import OrthoPlan, Source

_STEPS = 33  # places along each side
_LAP_PX = 2.0  # of neighbours over a seam, so that no gap is left between them
_TOLERANCE_DEG = 1e-6  # 0.1 m


def footprint(bands: Sequence[OrthoPlan]) -> Polygon | MultiPolygon:
    """Where all of these bands have pixels, in degrees that run on over the antimeridian.

    A band has none where its kernel reaches beyond what was recorded. Raises `ProcessingError`
    where there is no such place.
    """
    outlines = [
        [_outline(placed.source, placed.scale, band.dem) for placed in band.placed]
        for band in bands
    ]
    middle_deg = next((lon[0] for band in outlines for lon, _ in band), 0.0)
    shapes = [
        shapely.union_all([_shape(*outline, middle_deg) for outline in band], grid_size=1e-9)
        for band in outlines
    ]
    common = shapely.intersection_all(shapes).simplify(_TOLERANCE_DEG)
    parts = [part for part in shapely.get_parts(common) if isinstance(part, Polygon)]
    if not parts:
        raise ProcessingError("the bands of the image see no ground together")
    return parts[0] if len(parts) == 1 else MultiPolygon(parts)


def _outline(source: Source, scale: tuple[float, float], dem: Dem) -> tuple[FloatArray, FloatArray]:
    """Longitude and latitude in degrees round what one source gives to the map."""
    rows, cols = source.pixels.shape
    down, across = (2.0 * each - 1.0 for each in scale)  # what the kernel needs, see resample.py
    first, end = source.own
    top, low = down, rows - 1.0 - down
    left, right = max(first - _LAP_PX, across), min(end + _LAP_PX, cols - 1.0 - across)
    share = np.linspace(0.0, 1.0, _STEPS)[:-1]
    zero, one = np.zeros(share.shape), np.ones(share.shape)
    row = top + (low - top) * np.concatenate([zero, share, one, 1.0 - share])
    col = left + (right - left) * np.concatenate([share, one, 1.0 - share, zero])
    lon, lat = seen_ground(source.model, row, col, dem)
    return np.degrees(lon), np.degrees(lat)


def _shape(lon_deg: FloatArray, lat_deg: FloatArray, middle_deg: float) -> shapely.Geometry:
    """As a polygon near a meridian; steep ground may fold an outline, which is mended."""
    turned = lon_deg - 360.0 * np.round((lon_deg - middle_deg) / 360.0)
    return shapely.make_valid(Polygon(np.column_stack([turned, lat_deg])))
