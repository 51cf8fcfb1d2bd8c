"""A raw image made ready for its products: models, light, grids, and what is known of its place."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry import Polygon

from humay.arrays import FloatArray, angle_between, norm
from humay.earth import azimuth_angle, itrf_from_geodetic, sun_itrf, up_at
from humay.frames import inertial_velocity
from humay.processing.calibrate import calibrate
from humay.processing.dem import Dem
from humay.processing.grid import OutputGrid, check_pixel, grid_for, seen_ground
from humay.processing.item import OrbitFacts, ViewFacts
from humay.processing.location import predict_location
from humay.processing.ortho import Source
from humay.sensor import Chip, Pushbroom, RawImage
from humay.spacecraft import Trajectory

_OUTLINE_STEPS = 33  # places along each side of a chip


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A raw image over its DEM. `pan_grid` nests in `ms_grid`: whole pixels of one in the other."""

    raw: RawImage
    dem: Dem
    trajectory: Trajectory
    ms_grid: OutputGrid
    pan_grid: OutputGrid
    ratio: int

    @staticmethod
    def of(raw: RawImage, dem: Dem, trajectory: Trajectory | None = None) -> Prepared:
        """Grids that hold what all bands see; `ProcessingError` where the DEM does not cover it.

        A `trajectory` takes the place of the measured one, when it is known better.
        """
        flown = raw.trajectory if trajectory is None else trajectory
        pan = raw.of_band("pan")[0]
        ratio = max(round(chip.line_period_s / pan.line_period_s) for chip in raw.chips)
        models = [chip.model(flown) for chip in raw.chips]
        check_pixel(models[0], raw.chips[0].shape, dem, raw.product_pixel_m, raw.name)
        shapes = [chip.shape for chip in raw.chips]
        ms_grid = grid_for(models, shapes, dem, pixel_m=raw.product_pixel_m * ratio)
        return Prepared(
            raw=raw, dem=dem, trajectory=flown, ratio=ratio, ms_grid=ms_grid,
            pan_grid=ms_grid.with_pixel(raw.product_pixel_m),
        )  # fmt: skip

    @property
    def can_sharpen(self) -> bool:
        """Whether PAN is finer than all colours, and whole pixels of it fill theirs."""
        pan = self.raw.of_band("pan")[0]
        ratios = [chip.line_period_s / pan.line_period_s for chip in self.raw.chips]
        colours = [r for chip, r in zip(self.raw.chips, ratios, strict=True) if chip.band != "pan"]
        return bool(colours) and self.ratio >= 2 and np.ptp([*colours, self.ratio]) < 1e-6

    @property
    def colours(self) -> tuple[str, ...]:
        """The bands but PAN, by wavelength."""
        names = [name for name in self.raw.bands if name != "pan"]
        return tuple(sorted(names, key=lambda name: self.raw.bands[name].response_m))

    def grid(self, band: str) -> OutputGrid:
        return self.pan_grid if band == "pan" else self.ms_grid

    def sources(self, band: str) -> list[Source]:
        """The chips of a band as reflectance, each with its model."""
        facts = self.raw.bands[band]
        return [
            Source(
                model=model,
                pixels=calibrate(chip, model, facts, height_m=self.dem.mean_m),
                own_columns=chip.own_columns,
            )
            for chip, model in self._models(band)
        ]

    def _models(self, band: str) -> list[tuple[Chip, Pushbroom]]:
        return [(chip, chip.model(self.trajectory)) for chip in self.raw.of_band(band)]

    def middle(self) -> Middle:
        """Where and how the middle of the image was seen."""
        chip, model, column = self._middle_column()
        row, col = np.array([0.5 * (chip.shape[0] - 1)]), np.array([column])
        lon, lat = seen_ground(model, row, col, self.dem)
        height = self.dem.held_m(lon, lat)
        steps = [model.locate(row + i, col + j, height) for i, j in ((1.0, 0.0), (0.0, 1.0))]
        place = itrf_from_geodetic(lon, lat, height)
        gsd = [float(norm(itrf_from_geodetic(*step, height) - place)[0]) for step in steps]
        return Middle(model=model, row=row, col=col, height_m=height, place=place[0], gsd_m=gsd)

    def _middle_column(self) -> tuple[Chip, Pushbroom, float]:
        """The chip of PAN in the middle of the image, and the column there."""
        models = self._models("pan")
        ends = np.cumsum([end - first for first, end in (chip.own_columns for chip, _ in models)])
        k = int(np.searchsorted(ends, 0.5 * ends[-1]))
        chip, model = models[k]
        return chip, model, chip.own_columns[1] - 0.5 - (ends[k] - 0.5 * ends[-1])

    @cached_property
    def height_range_m(self) -> tuple[float, float]:
        """Lowest and highest ground that PAN sees, above WGS 84: posts inside, and the edge."""
        seen = []
        for chip, model in self._models("pan"):
            edge = seen_ground(model, *_own_outline(chip), self.dem)
            seen += [self.dem.held_m(*edge), _posts_inside(self.dem, *edge)]
        heights = np.concatenate(seen)
        return float(np.nanmin(heights)), float(np.nanmax(heights))

    def ce90_m(self, dem_sigma_m: float) -> float:
        """Radius that holds 90 % of the image's likely displacements, in its middle."""
        at = self.middle()
        predicted = predict_location(
            at.model, self.raw.navigation, at.row, at.col, at.height_m, dem_sigma_m=dem_sigma_m
        )
        return float(predicted.ce90_m[0])

    def span(self) -> tuple[datetime, datetime]:
        """From the first line of any band to the last one, which are not those of PAN."""
        half_s = [0.5 * chip.line_period_s for chip in self.raw.chips]
        spans = [self.raw.span_s(chip) for chip in self.raw.chips]
        first = min(start - half for (start, _), half in zip(spans, half_s, strict=True))
        last = max(end + half for (_, end), half in zip(spans, half_s, strict=True))
        return self.raw.epoch.utc(first), self.raw.epoch.utc(last)


@dataclass(frozen=True, kw_only=True, eq=False)
class Middle:
    """The middle of an image: pixel, place (3,) in ITRF, and metres between lines and columns."""

    model: Pushbroom
    row: FloatArray
    col: FloatArray
    height_m: FloatArray
    place: FloatArray
    gsd_m: list[float]

    @property
    def t_s(self) -> float:
        return float(self.model.line_time_s(self.row)[0])

    @property
    def native_m(self) -> float:
        """Distance of pixels, both ways together."""
        return math.sqrt(self.gsd_m[0] * self.gsd_m[1])

    def view(self) -> ViewFacts:
        """Angles at the place; the Sun as it stands there."""
        satellite = self.model.trajectory.position(np.asarray(self.t_s))
        up = up_at(self.place)
        to_satellite = satellite - self.place
        to_sun = sun_itrf(self.model.trajectory.epoch, np.asarray(self.t_s)) - self.place
        return ViewFacts(
            off_nadir_rad=float(angle_between(-to_satellite, -up_at(satellite))),
            incidence_rad=float(angle_between(to_satellite, up)),
            azimuth_rad=float(azimuth_angle(-to_satellite, up_at(satellite))),
            sun_azimuth_rad=float(azimuth_angle(to_sun, up)),
            sun_elevation_rad=math.pi / 2 - float(angle_between(to_sun, up)),
        )

    def orbit(self, number: object, anx: datetime | None) -> OrbitFacts:
        """Which way the satellite flew, besides what is told of its orbit."""
        r, v = self.model.trajectory.state(np.asarray(self.t_s))
        return OrbitFacts(
            state="ascending" if inertial_velocity(r, v)[2] > 0 else "descending",
            absolute_orbit=number if isinstance(number, int) else None,
            anx=anx,
        )


def _posts_inside(dem: Dem, lon_rad: FloatArray, lat_rad: FloatArray) -> FloatArray:
    """Heights of the DEM's posts within an outline."""
    outline = Polygon(np.column_stack(dem.posts_at(lon_rad, lat_rad)))
    low, high = (np.array(edge) for edge in (outline.bounds[:2], outline.bounds[2:]))
    first = np.clip(np.ceil(low).astype(int), 0, dem.posts_m.shape)
    end = np.clip(np.floor(high).astype(int) + 1, first, dem.posts_m.shape)
    rows, cols = np.mgrid[first[0] : end[0], first[1] : end[1]]
    inside = shapely.contains_xy(outline, rows, cols)
    return np.asarray(dem.posts_m[rows[inside], cols[inside]], dtype=np.float64)


def _own_outline(chip: Chip) -> tuple[FloatArray, FloatArray]:
    """Rows and columns round the pixels a chip answers for, to their outer edges."""
    first, end = chip.own_columns[0] - 0.5, chip.own_columns[1] - 0.5
    share = np.linspace(0.0, 1.0, _OUTLINE_STEPS)[:-1]
    top, low = -0.5, chip.shape[0] - 0.5
    down, right = top + share * (low - top), first + share * (end - first)
    up, left = low + share * (top - low), end + share * (first - end)
    row = np.concatenate([np.full(right.shape, top), down, np.full(left.shape, low), up])
    col = np.concatenate([right, np.full(down.shape, end), left, np.full(up.shape, first)])
    return row, col
