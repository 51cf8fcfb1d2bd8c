"""From a plan to its pictures: flown, exposed, made into products, catalogued.

Each stage writes its files before the next reads them, so that `humay fly`, `humay process` and
`humay catalogue` do alone what `humay run` does in a row.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from humay.arrays import FloatArray
from humay.chain.files import RAW_PLACE, check_folder, clear_flight
from humay.chain.timing import Step
from humay.earth import WGS84_B_M
from humay.errors import PlanError
from humay.files import json_bytes, write_all
from humay.imaging import (
    SyntheticScene,
    Window,
    choose_windows,
    coarse_terrain,
    dem_bytes,
    expose,
    window_ground,
    with_targets,
)
from humay.mission import Mission
from humay.orbit import Ephemeris
from humay.processing import Dem, Link, Made, Recipe, make_products, needed_bounds, read_dem
from humay.sensor import RawImage, raw_files, read_raw
from humay.spacecraft import Acquisition, Flight, flight_files, fly

WINDOW_PX = 2048
DEM_SIGMA_M = 3.0  # a good 30 m model; the error is drawn, and told to the processing
DEM_CORRELATION_M = 300.0
DEM_ROOM_M = 600.0  # beyond the window: other bands, other heights
TARGETS_PX = 1024
"""The least window in which targets are laid out, also over those of another pass."""

_FILE_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class Exposure:
    """One window of an acquisition, and where its raw image and its DEM lie."""

    acquisition: Acquisition
    window: Window
    raw: Path
    dem: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Flown:
    """A plan as flown, the ground it flew over, and what was exposed of it."""

    flight: Flight
    scene: SyntheticScene
    exposures: tuple[Exposure, ...]


def fly_and_expose(
    mission: Mission,
    document: Mapping[str, Any],
    orbits: Mapping[str, Ephemeris],
    folder: Path,
    *,
    count: int,
    seed: int,
    threads: int,
    step: Step,
    pixels: int = WINDOW_PX,
) -> Flown:
    """Fly a plan, expose `count` windows of `pixels` PAN pixels a side, write both to `folder`.

    `folder` holds flight.json and telemetry, `raw/ID/` a raw image each, `dem/ID.tif` the elevation
    model its processing is given, and `truth/` what only the simulation knows; those of an earlier
    flight are removed. Windows of less than `TARGETS_PX` have no room for targets and get none.
    """
    check_folder(folder)
    with step("flight"):
        flight = fly(mission, document, orbits, seed=seed)
        _check_names(flight.acquisitions)
        clear_flight(folder)
        write_all(folder, flight_files(flight))
    if count == 0:
        return Flown(flight=flight, scene=SyntheticScene(seed=seed), exposures=())
    with step("windows"):
        bare = SyntheticScene(seed=seed)
        chosen = choose_windows(
            flight.acquisitions, mission, bare, count, pixels=pixels, places=point_places(document)
        )
        cameras = [mission.satellite(a.satellite).camera for a, _ in chosen]
        windows = [(a, camera, w) for (a, w), camera in zip(chosen, cameras, strict=True)]
        scene = with_targets(bare, windows if pixels >= TARGETS_PX else ())
        write_all(folder / "truth", {"scene.json": json_bytes(_truth(scene), indent=1)})
    sources = _sources(mission, document)
    exposures = []
    for acquisition, window in chosen:
        with step(f"expose {acquisition.id}"):
            raw = expose(
                acquisition,
                mission.satellite(acquisition.satellite),
                scene,
                window,
                seed=seed,
                threads=threads,
                source=sources[acquisition.id],
            )
            exposures.append(_written(raw, acquisition, window, mission, scene, folder, seed))
    return Flown(flight=flight, scene=scene, exposures=tuple(exposures))


def point_places(document: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Longitude and latitude (rad) of the requests that are points, by name."""
    return {
        request["name"]: (math.radians(lon), math.radians(lat))
        for request in document["requests"]
        if request["geometry"]["type"] == "Point"
        for lon, lat, *_ in [request["geometry"]["coordinates"]]
    }


def _check_names(acquisitions: Sequence[Acquisition]) -> None:
    """Refuse an acquisition whose name, which a user may have written, is none for a file."""
    for acquisition in acquisitions:
        if not _FILE_NAME.fullmatch(acquisition.id):
            raise PlanError(
                f"acquisition {acquisition.id!r}: names files, expected letters, digits, _ . -"
            )


def _sources(mission: Mission, document: Mapping[str, Any]) -> dict[str, dict[str, str | None]]:
    """What raw images say of where they come from, by acquisition."""
    digest = hashlib.sha256(json_bytes(document)).hexdigest()
    return {
        acquisition["id"]: {
            "mission": mission.name,
            "plan_sha256": digest,
            "acquisition_start": acquisition["start"],
            "delivered": acquisition["delivered"],
        }
        for acquisition in document["acquisitions"]
    }


def _truth(scene: SyntheticScene) -> dict[str, Any]:
    return {"seed": scene.seed, "targets": [target.truth() for target in scene.targets]}


def _written(
    raw: RawImage,
    acquisition: Acquisition,
    window: Window,
    mission: Mission,
    scene: SyntheticScene,
    folder: Path,
    seed: int,
) -> Exposure:
    """Write a raw image, and the DEM of its ground: of where it is, and where it is taken for."""
    camera = mission.satellite(acquisition.satellite).camera
    lon, lat, height = window_ground(acquisition, camera, scene, window)
    taken = [
        chip.model(raw.trajectory).locate(*_corners(chip.shape), np.asarray(extreme))
        for chip in raw.chips
        for extreme in (height.min(), height.max())
    ]
    terrain = coarse_terrain(
        scene,
        bounds_deg(
            np.concatenate([lon.ravel(), *(place[0] for place in taken)]),
            np.concatenate([lat.ravel(), *(place[1] for place in taken)]),
            room_m=DEM_ROOM_M,
        ),
        sigma_m=DEM_SIGMA_M,
        correlation_m=DEM_CORRELATION_M,
        rng=np.random.default_rng([seed, *acquisition.id.encode()]),
    )
    write_all(folder / "raw" / acquisition.id, raw_files(raw))
    write_all(folder / "dem", {f"{acquisition.id}.tif": dem_bytes(terrain)})
    return Exposure(
        acquisition=acquisition,
        window=window,
        raw=folder / "raw" / acquisition.id,
        dem=folder / "dem" / f"{acquisition.id}.tif",
    )


def process_exposures(
    exposures: Sequence[Exposure], folder: Path, *, threads: int
) -> dict[str, tuple[Made, ...]]:
    """The products of raw images by acquisition, made from their files alone.

    As many images are under way as there are threads: the steps of one leave cores idle.
    """
    read = [(e, *_read(e)) for e in exposures]  # by one thread: it holds warnings back

    def work(given: tuple[Exposure, RawImage, Dem]) -> tuple[Made, ...]:
        exposure, raw, dem = given
        recipe = Recipe(dem_sigma_m=DEM_SIGMA_M, links=_links(exposure.acquisition.id))
        return make_products(raw, dem, folder, recipe)

    with ThreadPoolExecutor(max_workers=threads) as pool:
        made = list(pool.map(work, read))
    return {exposure.acquisition.id: each for exposure, each in zip(exposures, made, strict=True)}


def _read(exposure: Exposure) -> tuple[RawImage, Dem]:
    raw = read_raw(exposure.raw)
    models = [chip.model(raw.trajectory) for chip in raw.chips]
    bounds = needed_bounds(models, [chip.shape for chip in raw.chips])
    return raw, read_dem(exposure.dem, bounds)


def _links(acquisition: str) -> tuple[Link, ...]:
    """From a product's folder back to what it was made of."""
    return (
        Link(
            rel="via",
            href=f"{RAW_PLACE}/{acquisition}/image.json",
            media_type="application/json",
            title="raw image",
        ),
        Link(
            rel="related",
            href="../../flight/flight.json",
            media_type="application/json",
            title="flight",
        ),
        Link(rel="related", href="../../plan.json", media_type="application/json", title="plan"),
    )


def _corners(shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    rows, cols = shape
    return np.array([0.0, 0.0, rows - 1.0, rows - 1.0]), np.array([0.0, cols - 1.0] * 2)


def bounds_deg(
    lon_rad: FloatArray, lat_rad: FloatArray, *, room_m: float
) -> tuple[float, float, float, float]:
    """West, south, east, north of places, with room; over the antimeridian east runs past 180."""
    lon = lon_rad.ravel()[0] + np.angle(np.exp(1j * (lon_rad - lon_rad.ravel()[0])))
    room_rad = room_m / WGS84_B_M
    across = room_rad / np.cos(np.max(np.abs(lat_rad)))
    edges = (
        lon.min() - across,
        lat_rad.min() - room_rad,
        lon.max() + across,
        lat_rad.max() + room_rad,
    )
    west, south, east, north = (float(np.degrees(edge)) for edge in edges)
    return west, south, east, north
