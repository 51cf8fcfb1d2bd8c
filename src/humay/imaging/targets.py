"""Targets laid out on the ground, so that pictures can be measured: their shapes are known exactly.

Coordinates of a target are metres from its middle, along its heading and to the right of it. A
metre east is a radian of longitude times N(middle) cos(lat of the place), a metre north a radian of
latitude times M(middle), with the radii of curvature of the ellipsoid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from humay.arrays import FloatArray, IntArray, frozen, norm
from humay.earth import WGS84_A_M, WGS84_E2, itrf_from_geodetic
from humay.errors import ImagingError
from humay.imaging.cells import ROW_KEYS, address
from humay.imaging.marks import CROSS, EDGE, MARK_KEYS, PATCH

KINDS = {"edge": EDGE, "patch": PATCH, "cross": CROSS}
MAX_LATITUDE_RAD = math.radians(85.0)
MAX_HALF_M = 500.0  # a target reaches into at most four cells

EDGE_DARK, EDGE_BRIGHT, EDGE_TILT_RAD = 0.05, 0.5, math.radians(6.0)
EDGE_HALF_MS = 16.0  # MS pixels from the middle to the border
PATCHES = (0.08, 0.20, 0.40)  # reflectances
PATCH_HALF_MS = 10.0
CROSS_DARK, CROSS_BRIGHT = 0.05, 0.5
CROSS_HALF, CROSS_ARM, CROSS_BAR = 22.0, 16.0, 3.0  # PAN pixels: pad, length, half width of a bar
CROSSES = 5  # along each side of a window
INNER = 0.1125  # of the window, from its middle: where edge and patches lie


@dataclass(frozen=True, kw_only=True)
class Target:
    """A square of `2 half_m` with its sides along and across `heading_rad` (clockwise from north).

    `edge`: dark to the left and bright to the right of a line through the middle, turned by
    `tilt_rad` clockwise from the heading. `patch`: all `dark`. `cross`: two bright bars `2 arm_m`
    long and `2 bar_m` wide on a dark ground. Reflectances are the same in every band.
    """

    name: str
    kind: str
    lon_rad: float
    lat_rad: float
    heading_rad: float
    half_m: float
    dark: float
    bright: float
    tilt_rad: float = 0.0
    arm_m: float = 0.0
    bar_m: float = 0.0

    def __post_init__(self) -> None:
        self._expect(self.kind in KINDS, f"kind is {self.kind!r}, expected one of {list(KINDS)}")
        self._expect(
            abs(self.lat_rad) <= MAX_LATITUDE_RAD and abs(self.lon_rad) <= 2 * math.pi,
            f"lies at {self.lon_rad}, {self.lat_rad} rad, expected within 85 deg of the equator",
        )
        self._expect(
            0 < self.half_m <= MAX_HALF_M,
            f"half_m is {self.half_m}, expected > 0 and at most {MAX_HALF_M:g}",
        )
        self._expect(
            0 <= self.dark <= 1 and 0 <= self.bright <= 1,
            f"reflectances are {self.dark} and {self.bright}, expected 0 to 1",
        )
        if self.kind == "cross":
            self._expect(
                0 < self.bar_m < self.arm_m < self.half_m,
                f"bar_m {self.bar_m}, arm_m {self.arm_m}, half_m {self.half_m}: expected in order",
            )

    def _expect(self, holds: bool, what: str) -> None:
        if not holds:  # a NaN holds nothing
            raise ImagingError(f"target {self.name!r}: {what}")

    @property
    def radius_m(self) -> float:
        return self.half_m * math.sqrt(2.0)

    def row(self) -> list[float]:
        """The figures the kernel draws it by, in the order of `marks.py`."""
        square = 1.0 - WGS84_E2 * math.sin(self.lat_rad) ** 2
        east_m = WGS84_A_M / math.sqrt(square)
        a, b = self.arm_m, self.bar_m
        if self.kind == "edge":
            a, b = -math.sin(self.tilt_rad), math.cos(self.tilt_rad)
        return [
            self.lon_rad, self.lat_rad, float(KINDS[self.kind]), east_m,
            east_m * (1.0 - WGS84_E2) / square, math.sin(self.heading_rad),
            math.cos(self.heading_rad), self.half_m, self.dark, self.bright, a, b,
        ]  # fmt: skip

    def truth(self) -> dict[str, object]:
        """What a truth file says of it: degrees and metres."""
        known: dict[str, object] = {
            "name": self.name,
            "kind": self.kind,
            "lon_deg": math.degrees(self.lon_rad),
            "lat_deg": math.degrees(self.lat_rad),
            "heading_deg": math.degrees(self.heading_rad),
            "half_m": self.half_m,
        }
        if self.kind == "patch":
            return known | {"reflectance": self.dark}
        known |= {"dark": self.dark, "bright": self.bright}
        if self.kind == "edge":
            return known | {"tilt_deg": math.degrees(self.tilt_rad)}
        return known | {"arm_m": self.arm_m, "bar_m": self.bar_m}


def place_targets(
    scene_targets: Sequence[Target],
    *,
    name: str,
    lon_rad: float,
    lat_rad: float,
    heading_rad: float,
    pan_gsd_m: float,
    ms_gsd_m: float,
    along_m: float,
    across_m: float,
) -> tuple[Target, ...]:
    """A tilted edge, three grey patches and 25 crosses for a window round a place.

    The window is `along_m` by `across_m` on the ground, its lines across `heading_rad`; the outer
    16 crosses lie close to its border. Where something of `scene_targets` is in the way, a target
    gives way by the shortest step that clears it. Raises `ImagingError` if the window has no room.
    """
    at = Target(
        name=name, kind="patch", lon_rad=lon_rad, lat_rad=lat_rad, heading_rad=heading_rad,
        half_m=PATCH_HALF_MS * ms_gsd_m, dark=PATCHES[0], bright=PATCHES[0],
    )  # fmt: skip
    placed: list[Target] = []
    for target, along, across in _layout(at, pan_gsd_m, ms_gsd_m):
        reach_m = (0.5 * along_m - 1.2 * target.half_m, 0.5 * across_m - 1.2 * target.half_m)
        others = [*scene_targets, *placed]
        placed.append(
            _free(target, along * 2 * reach_m[0], across * 2 * reach_m[1], reach_m, others)
        )
    return tuple(placed)


def _layout(at: Target, pan_gsd_m: float, ms_gsd_m: float) -> Iterator[tuple[Target, float, float]]:
    """Targets at the middle of a window, and where they belong: shares of it, -1/2 to 1/2."""
    edge = replace(
        at, name=f"{at.name}/edge", kind="edge", half_m=EDGE_HALF_MS * ms_gsd_m, dark=EDGE_DARK,
        bright=EDGE_BRIGHT, tilt_rad=EDGE_TILT_RAD,
    )  # fmt: skip
    yield edge, INNER, INNER
    for i, (grey, along, across) in enumerate(
        zip(PATCHES, (INNER, -INNER, -INNER), (-INNER, INNER, -INNER), strict=True)
    ):
        yield replace(at, name=f"{at.name}/patch-{i + 1}", dark=grey, bright=grey), along, across
    cross = replace(
        at, kind="cross", half_m=CROSS_HALF * pan_gsd_m, dark=CROSS_DARK, bright=CROSS_BRIGHT,
        arm_m=CROSS_ARM * pan_gsd_m, bar_m=CROSS_BAR * pan_gsd_m,
    )  # fmt: skip
    places = [i / (CROSSES - 1) - 0.5 for i in range(CROSSES)]
    for i, (along, across) in enumerate(product(places, places)):
        yield replace(cross, name=f"{at.name}/cross-{i + 1}"), along, across


def _free(
    target: Target,
    along_m: float,
    across_m: float,
    reach_m: tuple[float, float],
    others: Sequence[Target],
) -> Target:
    """The target moved to a place, or to the nearest one that overlaps no other."""
    step_m = target.half_m
    rings = max(int(4 * max(reach_m) / step_m), 0)
    for ring in range(rings):
        for i, j in product(range(-ring, ring + 1), repeat=2):
            a, b = along_m + i * step_m, across_m + j * step_m
            inside = abs(a) <= reach_m[0] + 1e-6 and abs(b) <= reach_m[1] + 1e-6
            if max(abs(i), abs(j)) == ring and inside:
                moved = _moved(target, a, b)
                if not any(_overlap(moved, other) for other in others):
                    return moved
    raise ImagingError(
        f"target {target.name!r}: no room for {2 * target.half_m:.0f} m in a window of "
        f"{2 * reach_m[0]:.0f} x {2 * reach_m[1]:.0f} m with {len(others)} other targets"
    )


def _moved(target: Target, along_m: float, across_m: float) -> Target:
    row = target.row()
    sin, cos = math.sin(target.heading_rad), math.cos(target.heading_rad)
    lat = target.lat_rad + (along_m * cos - across_m * sin) / row[4]
    lon = target.lon_rad + (along_m * sin + across_m * cos) / (row[3] * math.cos(lat))
    return replace(target, lon_rad=math.remainder(lon, 2 * math.pi), lat_rad=lat)


def _overlap(one: Target, other: Target) -> bool:
    apart = np.subtract(_place(one), _place(other))
    return float(norm(apart)) < one.radius_m + other.radius_m


def _place(target: Target) -> FloatArray:
    return itrf_from_geodetic(
        np.asarray(target.lon_rad), np.asarray(target.lat_rad), np.asarray(0.0)
    )


def target_table(targets: Sequence[Target]) -> tuple[FloatArray, IntArray, IntArray]:
    """Targets as the kernel reads them: their rows, and (cell, target) in order of cells.

    A later target lies on top of an earlier one.
    """
    rows = np.array([target.row() for target in targets]).reshape(-1, MARK_KEYS)
    pairs = sorted({(cell, k) for k, target in enumerate(targets) for cell in _cells(target)})
    names, indices = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return frozen(rows), names.copy(), indices.copy()


def _cells(target: Target) -> Iterator[int]:
    """Names of the cells that a target may reach into."""
    scale = np.full(ROW_KEYS, -1.0)
    steps = np.linspace(-1.0, 1.0, 3) * (target.radius_m + 10.0)
    for along, across in product(steps, steps):
        corner = _moved(target, along, across)
        row, col, *_ = address(corner.lon_rad, corner.lat_rad, scale)
        yield (row << 16) + col
