"""What the report says of a flight and its products, measured on what was written."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from humay.arrays import FloatArray, unit
from humay.chain.files import picture_uri
from humay.chain.picturing import Exposure, Flown
from humay.earth import sun_itrf
from humay.imaging import SpectralBand, SyntheticScene, Target
from humay.orbit import Ephemeris
from humay.processing import Made
from humay.quality import (
    POINTS,
    LocationResult,
    Patch,
    PatchNoise,
    RadiometryResult,
    measure_location,
    measure_noise,
    measure_reflectance,
)
from humay.sensor import Chip, RawImage, read_raw
from humay.spacecraft import Flight

LOCATED_BAND = "green"
SHARPENED_POINTS = 9  # where a sharpened product is located: each takes as long as ten of others
_INNER = 0.8  # of a patch, from its middle, in which noise is measured
_LEAST_PX = 4


def flight_figures(flown: Flown, predicted: Mapping[str, Ephemeris]) -> dict[str, Any]:
    """Errors of the orbits in mid-flight, extremes of the resources, missed strips."""
    flight = flown.flight
    return {
        "satellites": [_satellite(flight, name, predicted[name]) for name in flight.telemetry],
        "missed": [
            {
                "acquisition": each.id,
                "along_m": round(each.sweep.miss_along_m, 1),
                "across_m": round(each.sweep.miss_across_m, 1),
            }
            for each in flight.acquisitions
            if each.missed
        ],
    }


def _satellite(flight: Flight, name: str, predicted: Ephemeris) -> dict[str, Any]:
    telemetry, middle = flight.telemetry[name], np.asarray(0.5 * (flight.start_s + flight.end_s))
    r, v = predicted.state_itrf(middle)
    off = flight.orbits[name].position_itrf(middle) - r
    along, radial = unit(v), unit(r)
    charge = telemetry.battery_j
    return {
        "name": name,
        "along_m": round(float(off @ along), 1),
        "across_m": round(float(off @ np.cross(along, radial)), 1),
        "radial_m": round(float(off @ radial), 1),
        "battery_wh_min": None if charge is None else round(float(charge.min()) / 3_600.0, 1),
        "memory_gbit_max": round(float(telemetry.memory_bit.max()) / 1e9, 3),
    }


def product_figures(
    flown: Flown, made: Mapping[str, tuple[Made, ...]], folder: Path, *, threads: int
) -> list[dict[str, Any]]:
    """One entry a product and sheet, as docs/guide/report.md lists it."""
    measured = [_Measured.of(exposure, flown.scene, made) for exposure in flown.exposures]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return [
            entry
            for entries in pool.map(lambda each: list(_entries(each, folder)), measured)
            for entry in entries
        ]


def run_radiometry(flown: Flown, made: Mapping[str, tuple[Made, ...]]) -> RadiometryResult:
    """All grey patches of a run in all bands: reflectance on L1C products, noise of raw pixels."""
    results = []
    for exposure in flown.exposures:
        of = _Measured.of(exposure, flown.scene, made)
        for sheet, bands, band in (("ms", of.colours, of.located), ("pan", ["pan"], "pan")):
            if bands:
                results.append(of.radiometry(sheet, bands, of.location(sheet, band)))
    return RadiometryResult(
        reflectances=tuple(each for result in results for each in result.reflectances),
        noises=tuple(each for result in results for each in result.noises),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """The products of one exposure, held against the ground that was really there."""

    exposure: Exposure
    scene: SyntheticScene
    raw: RawImage
    products: Mapping[str, Made]

    @staticmethod
    def of(
        exposure: Exposure, scene: SyntheticScene, made: Mapping[str, tuple[Made, ...]]
    ) -> _Measured:
        return _Measured(
            exposure=exposure,
            scene=scene,
            raw=read_raw(exposure.raw),
            products={product.level: product for product in made[exposure.acquisition.id]},
        )

    @property
    def native_m(self) -> float:
        return float(self.products["L1C"].item["properties"]["gsd"])

    @property
    def colours(self) -> list[str]:
        return [band for band in self.raw.bands if band != "pan"]

    @property
    def located(self) -> str:
        """The band whose place is measured: green, or the first of the colours, or PAN."""
        colours = self.colours
        return LOCATED_BAND if LOCATED_BAND in colours else [*colours, "pan"][0]

    def ratio(self, band: str) -> float:
        """PAN pixels along one of a band."""
        periods = [self.raw.of_band(name)[0].line_period_s for name in (band, "pan")]
        return periods[0] / periods[1]

    def bound_px(self, sheet: str) -> float:
        """What the ortho of a sheet says it may be off; a sharpened product has that of its PAN."""
        return float(self.products["L1C"].item["properties"][f"humay:{sheet}_bound_px"])

    @cached_property
    def sun(self) -> FloatArray:
        """Unit vector to the Sun in the middle of the exposure, ITRF."""
        return unit(sun_itrf(self.raw.epoch, np.asarray(self.raw.middle_s)))

    def bands(self, names: Sequence[str]) -> list[SpectralBand]:
        facts = [self.raw.bands[name] for name in names]
        return [
            SpectralBand(name=each.name, low_m=each.response_m[0], high_m=each.response_m[1])
            for each in facts
        ]

    def location(self, sheet: str, band: str) -> LocationResult:
        """How far a band of a sheet lies from where the scene has it."""
        sharp = sheet == "pansharpened"
        folder = self.products["L2P" if sharp else "L1C"].folder
        return measure_location(
            folder / f"{sheet}.tif",
            self.scene,
            bands=self.bands([band]),
            sun_itrf=self.sun,
            native_m=self.native_m * (1.0 if sharp else self.ratio(band)),
            flags=folder / ("quality.tif" if sharp else f"{sheet}-quality.tif"),
            sharpened_by=round(self.ratio(band)) if sharp else 1,
            points=SHARPENED_POINTS if sharp else POINTS,
        )

    def radiometry(
        self, sheet: str, bands: Sequence[str], located: LocationResult
    ) -> RadiometryResult:
        """Reflectance of a sheet on the grey patches, and noise of its raw pixels there."""
        folder, mean = self.products["L1C"].folder, located.mean_m
        reflectances = measure_reflectance(
            folder / f"{sheet}.tif",
            self.scene,
            [Patch.of(target) for target in self._targets],
            flags=folder / f"{sheet}-quality.tif",
            bands=self.bands(bands),
            sun_itrf=self.sun,
            native_m=self.native_m * max(self.ratio(band) for band in self.raw.bands),
            off_m=mean if located.points else (0.0, 0.0),
        )
        noises = tuple(self._noises(bands))
        return RadiometryResult(reflectances=tuple(reflectances), noises=noises)

    @cached_property
    def _targets(self) -> list[Target]:
        own = f"{self.exposure.acquisition.id}/"
        return [t for t in self.scene.targets if t.kind == "patch" and t.name.startswith(own)]

    def _noises(self, bands: Sequence[str]) -> Iterator[PatchNoise]:
        for chip in self.raw.chips:
            for target in self._targets if chip.band in bands else ():
                inside = self._inside(chip, target)
                if inside is None or chip.calibration.saturated(chip.dn[inside]).any():
                    continue
                lines = chip.calibration.radiance(chip.dn[inside[0]])
                yield measure_noise(
                    lines[:, inside[1]],
                    chip.calibration.noise(lines)[:, inside[1]],
                    image=self.raw.name,
                    patch=target.name,
                    band=chip.band,
                )

    def _inside(self, chip: Chip, target: Target) -> tuple[slice, slice] | None:
        """Rows and columns of a chip within a patch, as truly flown; None where it sees few."""
        patch = Patch.of(replace(target, half_m=_INNER * target.half_m))
        height = self.scene.height_m(patch.lon_rad, patch.lat_rad)
        model = chip.model(self.exposure.acquisition.true)
        positions = model.project(patch.lon_rad, patch.lat_rad, height)
        spans = []
        for position, count in zip(positions, chip.shape, strict=True):
            if not np.isfinite(position).all():
                return None
            low, high = np.sort(position)[1:3]  # of a square that lies a little askew
            first, end = math.ceil(low), math.floor(high) + 1
            if first < 0 or end > count or end - first < _LEAST_PX:
                return None
            spans.append(slice(first, end))
        return spans[0], spans[1]


def _entries(of: _Measured, folder: Path) -> Iterator[dict[str, Any]]:
    l1c = of.products["L1C"]
    sheets = [("L1C-MS", "ms", of.colours, of.located), ("L1C-PAN", "pan", ["pan"], "pan")]
    for level, sheet, bands, band in sheets if of.colours else sheets[1:]:
        located = of.location(sheet, band)
        radiometry = of.radiometry(sheet, bands, located)
        yield _entry(of, l1c, level, sheet, folder, located=located, radiometry=radiometry)
    if "L2P" in of.products:
        located = of.location("pansharpened", of.located)
        l2p = of.products["L2P"]
        yield _entry(of, l2p, "L2P", "pansharpened", folder, located=located, radiometry=None)


def _entry(
    of: _Measured,
    product: Made,
    level: str,
    asset: str,
    folder: Path,
    *,
    located: LocationResult,
    radiometry: RadiometryResult | None,
) -> dict[str, Any]:
    properties, sheet = product.item["properties"], product.item["assets"][asset]
    traces = {name.removeprefix("humay:"): value for name, value in properties.items()}
    bands = [band["name"] for band in sheet["bands"]]
    acquisition = of.exposure.acquisition
    rows, cols = sheet["proj:shape"]
    picture = "thumbnail-pan.jpg" if asset == "pan" and of.colours else "thumbnail.jpg"
    own_raw = asset != "pansharpened"
    return {
        "id": product.id + ("" if level == "L2P" else level.removeprefix("L1C")),
        "acquisition": acquisition.id,
        "request": acquisition.request,
        "strip": acquisition.strip,
        "satellite": acquisition.satellite,
        "level": level,
        "bands": bands,
        "acquired": properties["datetime"],
        "pixel_m": sheet["raster:spatial_resolution"],
        "native_gsd_m": round(of.native_m * (of.ratio(bands[0]) if own_raw else 1.0), 3),
        "rows": rows,
        "cols": cols,
        "footprint": _ring(product.item["geometry"]),
        "off_nadir_deg": properties["view:off_nadir"],
        "sun_elevation_deg": properties["view:sun_elevation"],
        "relief_m": [traces["lowest_m"], traces["highest_m"]],
        "bound_px": of.bound_px("pan" if asset == "pansharpened" else asset),
        "ce90_predicted_m": traces["location_ce90_m"],
        "location": _location(located),
        "radiometry": None if radiometry is None else _radiometry(radiometry),
        "snr": _snr(of.raw, bands) if own_raw else None,
        "mtf_nyquist": {band: round(of.raw.mtf_nyquist[band], 3) for band in bands},
        "saturated_share": traces.get(f"{asset}_saturated_share", 0.0),
        "cloud_cover": None,
        "thumbnail": picture_uri(product.folder / picture),
        "href": _relative(product.item_path, folder),
        "assets": [
            {
                "name": name,
                "href": _relative(product.folder / entry["href"], folder),
                "bytes": entry["file:size"],
            }
            for name, entry in product.item["assets"].items()
        ],
    }


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.normpath(path)).relative_to(folder).as_posix()


def _ring(geometry: Mapping[str, Any]) -> list[list[float]]:
    """The outer ring of a footprint: of its first part, where it is cut in two."""
    polygon = geometry["coordinates"]
    if geometry["type"] == "MultiPolygon":
        polygon = polygon[0]
    return [[float(lon), float(lat)] for lon, lat in polygon[0]]


def _location(result: LocationResult) -> dict[str, Any] | None:
    if not result.points:
        return None
    told = result.summary()
    return {
        "points": len(result.points),
        "rejected": len(result.rejected),
        "mean_m": round(math.hypot(*result.mean_m), 3),
        "ce90_m": told["ce90_m"],
        "mean_px": told["mean_px"],
        "ce90_px": told["ce90_px"],
    }


def _radiometry(result: RadiometryResult) -> dict[str, Any] | None:
    by_band = {band: each for band, each in result.summary().items() if each["patches"]}
    if not by_band:
        return None
    return {
        "patches": max(each["patches"] for each in by_band.values()),
        "bias_percent": {band: each["mean_bias_percent"] for band, each in by_band.items()},
        "noise_ratio": {
            band: each["noise_variance_ratio"]
            for band, each in by_band.items()
            if each["noise_variance_ratio"] is not None
        },
    }


def _snr(raw: RawImage, bands: Sequence[str]) -> dict[str, float]:
    """Of a pixel as bright as the mean of its band."""
    found = {}
    for band in bands:
        chip = raw.of_band(band)[0]
        radiance = chip.calibration.radiance(chip.dn)
        mean = radiance.mean(axis=0, keepdims=True)
        found[band] = round(float(np.mean(mean / chip.calibration.noise(mean))), 1)
    return found
