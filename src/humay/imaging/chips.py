"""One chip over one strip: the mean radiance its pixels would see, block by block.

Blocks of 64 lines and 1024 columns lie on the strip's own lines and the chip's own columns. What
holds for a block as a whole - the height its rays are drawn about, how the image moves in it, the
footprint of a sample - is taken in its middle, so that it does not depend on the window.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from humay.arrays import FloatArray, cross, dot, norm
from humay.earth import itrf_from_geodetic
from humay.imaging.detector import Detectors, make_detectors
from humay.imaging.layout import (
    ChipSpan,
    axis_model,
    chip_model,
    chip_spans,
    line_count,
)
from humay.imaging.optics import SAMPLES, Blur, Smear
from humay.imaging.radiometry import Light, spectral
from humay.imaging.rays import Chart, Lattice, interpolation_bound_m, node_step, rays_of
from humay.imaging.sampling import MARGIN, REACH, gather, place_samples
from humay.imaging.scene import Scene
from humay.mission import Band, Camera, Satellite
from humay.sensor import Pushbroom
from humay.spacecraft import Acquisition

BLOCK_LINES, BLOCK_COLUMNS = 64, 1024
GUESS_M = 1500.0  # heights of land on Earth: rays drawn about here reach all of them
_NUDGE_PX = 2.0  # for slopes by differences
_BEND_RMS = math.sqrt(4 / 45)  # rms of a parabola about its mean, of its rise from end to middle


@dataclass(frozen=True, kw_only=True)
class Block:
    """Lines and columns (first, end) of a chip, all inside one cell of the lattice of blocks."""

    lines: tuple[int, int]
    columns: tuple[int, int]

    @property
    def cell(self) -> tuple[int, int]:
        return self.lines[0] // BLOCK_LINES, self.columns[0] // BLOCK_COLUMNS


def blocks(lines: tuple[int, int], columns: tuple[int, int]) -> Iterator[Block]:
    """The blocks that make up a rectangle of a chip."""
    for line in _cuts(*lines, BLOCK_LINES):
        for column in _cuts(*columns, BLOCK_COLUMNS):
            yield Block(lines=line, columns=column)


def _cuts(first: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    while first < end:
        stop = min(end, (first // size + 1) * size)
        yield first, stop
        first = stop


@dataclass(frozen=True, kw_only=True)
class BlockFacts:
    """What holds for a block as a whole. `footprint_m` and `pixel_m` are roots of areas."""

    height_m: float
    smear: Smear
    footprint_m: float
    pixel_m: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ChipView:
    """A chip of a band over a strip; columns count from its own first detector."""

    band: Band
    span: ChipSpan
    model: Pushbroom
    lines: int
    lattice: Lattice
    scene: Scene
    light: Light
    blur: Blur
    detectors: Detectors

    @property
    def columns(self) -> int:
        return self.span.end - self.span.first

    def facts(self, cells: list[tuple[int, int]]) -> list[BlockFacts]:
        """The facts of blocks in cells of their lattice."""
        place = np.array(cells, dtype=np.float64) + 0.5
        row = np.minimum(place[:, 0] * BLOCK_LINES, self.lines) - 0.5
        col = np.minimum(place[:, 1] * BLOCK_COLUMNS, self.columns) - 0.5
        height = rays_of(self.model, row, col, self.lattice.chart, GUESS_M).met(self.scene.height_m)
        motion = Motion.of(self.model, self.band, row, col, height)
        return [
            BlockFacts(
                height_m=float(h),
                smear=Smear(drift_px=float(d), speed_px=float(s), wander_px=float(w)),
                footprint_m=float(p) / SAMPLES,
                pixel_m=float(p),
            )
            for h, d, s, w, p in zip(
                height, motion.drift_px, motion.speed_px, motion.wander_px, motion.pixel_m,
                strict=True,
            )
        ]  # fmt: skip

    def radiance(self, block: Block, facts: BlockFacts) -> tuple[FloatArray, float]:
        """Mean radiance (rows, cols) of a block's pixels, and the bound on its geometry in pixels.

        The bound is on what interpolation between nodes leaves out.
        """
        rows, cols = self._nodes(block.lines), self._nodes(block.columns)
        chart, step = self.lattice.chart, self.lattice.step
        rays = self.lattice.rays(rows, cols, facts.height_m)
        a, b = rays.at(rays.met(self.scene.height_m))
        sky, ground = self.light.at_nodes(
            self.scene, *chart.place(a, b), self.model.line_time_s(rows)
        )
        lines, columns = (end - first for first, end in (block.lines, block.columns))
        first_node = (float(rows[0]), float(cols[0]))
        first_sample = (SAMPLES * block.lines[0] - REACH, SAMPLES * block.columns[0] - MARGIN)
        lon = np.empty((SAMPLES * lines + 2 * REACH, SAMPLES * columns + 2 * MARGIN))
        lat = np.empty_like(lon)
        place_samples(a, b, first_node, step, first_sample, chart.lon_rad, chart.pole, lon, lat)
        reflectance = self.scene.reflectance(lon, lat, spectral(self.band), facts.footprint_m)
        radiance = np.empty((lines, columns))
        taps = self.blur.taps(facts.smear)
        gather(
            np.ascontiguousarray(reflectance), sky, ground, first_node, step, first_sample, taps,
            radiance,
        )  # fmt: skip
        return radiance, interpolation_bound_m(a, b, chart) / facts.pixel_m

    def _nodes(self, pixels: tuple[int, int]) -> FloatArray:
        """Nodes around pixels (first, end) and the samples beyond them, on the strip's lattice."""
        step, beyond = self.lattice.step, MARGIN / SAMPLES + 0.5
        first = math.floor((pixels[0] - beyond) / step)
        last = math.ceil((pixels[1] - 1 + beyond) / step)
        return np.asarray(step * np.arange(first, max(last, first + 2) + 1))


@dataclass(frozen=True, kw_only=True, eq=False)
class Motion:
    """How the image of the ground moves over the detectors at places (n,), per line of the band."""

    drift_px: FloatArray
    speed_px: FloatArray
    wander_px: FloatArray
    pixel_m: FloatArray

    @staticmethod
    def of(
        model: Pushbroom, band: Band, row: FloatArray, col: FloatArray, height_m: FloatArray
    ) -> Motion:
        """By differences of `Pushbroom.locate` over the time that the stages gather.

        What a place does to the field angles when time goes by undoes what time does to the place.
        """

        def place(rows: float, cols: float, along: float) -> FloatArray:
            turned = replace(model, along=model.along + np.array([along, 0.0]))
            lon, lat = turned.locate(row + rows, col + cols, height_m)
            return itrf_from_geodetic(lon, lat, height_m)

        nudge, half = _NUDGE_PX, 0.5 * band.tdi_stages
        angle = nudge * float(model.across[1])  # the field angle of a pixel, but for distortion
        ahead = (place(0, 0, angle) - place(0, 0, -angle)) / (2 * nudge)
        right = (place(0, nudge, 0) - place(0, -nudge, 0)) / (2 * nudge)
        before, middle, after = (place(k * half, 0, 0) for k in (-1, 0, 1))
        line = (after - before) / band.tdi_stages
        along, across = _parts(-line, ahead, right)
        bend = np.hypot(*_parts(middle - 0.5 * (before + after), ahead, right))
        return Motion(
            drift_px=across,
            speed_px=-along,
            wander_px=_BEND_RMS * bend,
            pixel_m=np.sqrt(norm(cross(line, right))),
        )


def _parts(v: FloatArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """v as a sum of a and b, all (n, 3) in one plane: how much of each."""
    aa, ab, bb, va, vb = dot(a, a), dot(a, b), dot(b, b), dot(v, a), dot(v, b)
    det = aa * bb - ab * ab
    return np.asarray((va * bb - vb * ab) / det), np.asarray((vb * aa - va * ab) / det)


def chip_views(
    acquisition: Acquisition, satellite: Satellite, scene: Scene, *, seed: int
) -> tuple[ChipView, ...]:
    """Every chip of the camera, band by band, from left to right, on the way truly flown."""
    camera = satellite.camera
    middle_s = 0.5 * (acquisition.start_s + acquisition.end_s)
    chart = _chart(acquisition, camera)
    views = []
    for band in camera.bands:
        light = Light.of(band, scene, acquisition.epoch, middle_s)
        blur, lines = Blur(camera, band), line_count(acquisition, band, camera)
        for span in chip_spans(band):
            model = chip_model(acquisition, camera, band, span.index, span.first)
            columns = span.end - span.first
            views.append(
                ChipView(
                    band=band,
                    span=span,
                    model=model,
                    lines=lines,
                    lattice=Lattice(
                        model=model,
                        columns=columns,
                        chart=chart,
                        step=node_step(_largest_pixel_m(model, lines, columns)),
                    ),
                    scene=scene,
                    light=light,
                    blur=blur,
                    detectors=make_detectors(
                        camera,
                        band,
                        span.index,
                        columns,
                        line_period_s=acquisition.line_period_s,
                        satellite=satellite.name,
                        seed=seed,
                    ),
                )
            )
    return tuple(views)


def _chart(acquisition: Acquisition, camera: Camera) -> Chart:
    axis = axis_model(acquisition, camera)
    middle = 0.5 * line_count(acquisition, camera.pan, camera)
    lon, lat = axis.locate(np.asarray(middle), np.asarray(0.5 * camera.pan.pixels), np.asarray(0.0))
    return Chart.about(float(lon), float(lat))


def _largest_pixel_m(model: Pushbroom, lines: int, columns: int) -> float:
    """The longest side of a pixel on the ellipsoid at the corners and middles of a strip."""
    row, col = (x.ravel() for x in np.meshgrid(
        np.linspace(0, lines - 1, 5), np.linspace(0, columns - 1, 3)
    ))  # fmt: skip
    none = np.zeros(row.shape)

    def place(r: FloatArray, c: FloatArray) -> FloatArray:
        return itrf_from_geodetic(*model.locate(r, c, none), none)

    here = place(row, col)
    sides = norm(place(row + 1, col) - here), norm(place(row, col + 1) - here)
    return float(np.max(sides))
