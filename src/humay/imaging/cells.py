"""The address of a place: a row of latitude, a cell in it, and metres inside the cell.

Rows are 16,680 equal steps of geodetic latitude (1,199 m, up to 1,206 m at the poles); each is cut
into a whole number of cells about 1,200 m wide, so nothing happens at the antimeridian. The first
and the last row are one round cell each, the polar cap. Inside a cell x and y are true metres along
the parallel and along the meridian; across the whole cell they are out of square by
600 m x tan(lat) / R, that is 0.05 % at 80 deg.
"""

from __future__ import annotations

import math

from humay.arrays import FloatArray
from humay.compiled import kernel
from humay.earth import WGS84_A_M, WGS84_E2

ROWS = 16_680
ROW_RAD = math.pi / ROWS
ROWS_PER_RAD = ROWS / math.pi
CELL_M = 1200.0
STEPS = 50  # patches along a side of a cell: 24 m
TWO_PI = 2.0 * math.pi
ROW, MIDDLE, ALONG_M, ACROSS_M, SINE, COSINE, CELLS, ROW_KEYS = range(8)  # of a row's scale


@kernel
def row_of(lat: float) -> int:
    return min(max(math.floor((lat + 0.5 * math.pi) * ROWS_PER_RAD), 0), ROWS - 1)


@kernel
def row_scale(row: int) -> tuple[float, float, float, float, float, int]:
    """Latitude of the middle, metres per radian north and of the normal, sine, cosine, cells.

    The radii are those of curvature of the ellipsoid at the middle of the row.
    """
    middle = (row + 0.5) * ROW_RAD - 0.5 * math.pi
    sin_lat, cos_lat = math.sin(middle), math.cos(middle)
    square = 1.0 - WGS84_E2 * sin_lat * sin_lat
    across_m = WGS84_A_M / math.sqrt(square)
    along_m = across_m * (1.0 - WGS84_E2) / square
    cells = 1
    if 0 < row < ROWS - 1:
        cells = max(3, round(TWO_PI * across_m * cos_lat / CELL_M))
    return middle, along_m, across_m, sin_lat, cos_lat, cells


@kernel
def cosine_near(sin_middle: float, cos_middle: float, d: float) -> float:
    """Cosine of the latitude `d` from the middle of its row, to 1e-13."""
    return cos_middle * (1.0 - 0.5 * d * d) - sin_middle * d * (1.0 - d * d / 6.0)


@kernel
def wrapped(lon: float) -> float:
    """Share of the way round the Earth from 180 W, in [0, 1)."""
    turn = (lon + math.pi) * (1.0 / TWO_PI)
    turn -= math.floor(turn)
    return 0.0 if turn >= 1.0 else turn


@kernel
def node_place(row: int, col: int, i: int, j: int) -> tuple[float, float]:
    """Longitude and latitude of a node; i counts eastwards, j northwards."""
    middle, along_m, _, _, _, cells = row_scale(row)
    if cells > 1:
        lon = TWO_PI * (col + i / STEPS) / cells - math.pi
        return lon, middle + (j / STEPS - 0.5) * ROW_RAD
    x, y = i * CELL_M / STEPS, j * CELL_M / STEPS
    lat = 0.5 * math.pi - math.hypot(x, y) / along_m
    return math.atan2(y, x), lat if row > 0 else -lat


@kernel
def address(
    lon: float, lat: float, scale: FloatArray
) -> tuple[int, int, float, float, float, float, float, float, float]:
    """Row and cell of a place; x, y inside; metres to the seams beside and above or below it;
    place in steps of the node grid; cosine of the latitude.

    `scale` (ROW_KEYS,) keeps the figures of the last row; new, its ROW is -1.
    """
    row = row_of(lat)
    if scale[ROW] != row:
        scale[ROW] = row
        (
            scale[MIDDLE], scale[ALONG_M], scale[ACROSS_M], scale[SINE], scale[COSINE],
            scale[CELLS],
        ) = row_scale(row)  # fmt: skip
    cells, north = scale[CELLS], lat - scale[MIDDLE]
    cos_lat = cosine_near(scale[SINE], scale[COSINE], north)
    if cells == 1.0:
        reach = (0.5 * math.pi - abs(lat)) * scale[ALONG_M]
        x, y = reach * math.cos(lon), reach * math.sin(lon)
        end = ROW_RAD * scale[ALONG_M] - reach
        return row, 0, x, y, 1e9, end, x * STEPS / CELL_M, y * STEPS / CELL_M, cos_lat
    at = wrapped(lon) * cells
    col = min(math.floor(at), cells - 1.0)
    at -= col
    wide = TWO_PI / cells * scale[ACROSS_M] * cos_lat
    x, y = (at - 0.5) * wide, north * scale[ALONG_M]
    end = 0.5 * ROW_RAD * scale[ALONG_M] - abs(y)
    side = 0.5 * wide - abs(x)
    return row, int(col), x, y, side, end, at * STEPS, (north * ROWS_PER_RAD + 0.5) * STEPS, cos_lat
