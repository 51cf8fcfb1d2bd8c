"""How well products lie: `benchmarks/location.py [MISSION] [--windows N] [--pixels N] [--draws N]`.

A mission is planned and flown, and windows of it are exposed on the synthetic ground. Products made
with the true orbit and attitude over the exact terrain are then measured on their pixels: what is
left is the error of the processing (and of the measuring). The same is done with faults put in on
purpose, which must be seen. Last, measured orbits and attitudes are drawn many times over, and
points counted inside the CE90 that the processing predicts.

The last line is one JSON object: `value` is the largest CE90 in native pixels of products without
a fault, `bound` what it may be.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.polynomial import Polynomial

from humay.arrays import FloatArray, unit
from humay.chain import planned, point_places, survey
from humay.earth import sun_itrf
from humay.errors import HumayError
from humay.frames import quaternion_inverse
from humay.imaging import (
    SpectralBand,
    SyntheticScene,
    Terrain,
    choose_windows,
    coarse_terrain,
    exact_terrain,
    expose,
    with_targets,
)
from humay.mission import Mission, Request, load_mission, load_requests
from humay.processing import (
    Dem,
    Made,
    Recipe,
    make_products,
    needed_bounds,
    predict_location,
    product_id,
)
from humay.quality import (
    Coverage,
    LocationResult,
    Pixels,
    compare_products,
    coverage_of_prediction,
    measure_location,
)
from humay.sensor import Chip, RawImage
from humay.spacecraft import Acquisition, fly

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "azersky" / "mission.toml"
MEAN_PX, CE90_PX = 0.05, 0.15
APART_PX = 0.2  # of two products of one place
INSIDE = (0.87, 0.93)
ROOM_DEG = 0.005  # of terrain beyond what an image can see
DEM_SIGMA_M, DEM_CORRELATION_M = 3.0, 60.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Shot:
    """One window as exposed, and all that it takes to place it without any error."""

    mission: Mission
    acquisition: Acquisition
    scene: SyntheticScene
    raw: RawImage
    dem: Dem

    @property
    def sun_itrf(self) -> FloatArray:
        return unit(sun_itrf(self.raw.epoch, np.asarray(self.raw.middle_s)))

    def spectral(self, names: Sequence[str]) -> list[SpectralBand]:
        facts = [self.raw.bands[name] for name in names]
        return [
            SpectralBand(name=band.name, low_m=band.response_m[0], high_m=band.response_m[1])
            for band in facts
        ]


def take_shots(
    mission: Mission, requests: Sequence[Request], *, windows: int, pixels: int, seed: int
) -> list[Shot]:
    """Plan and fly a mission's own span, and expose windows of it over their exact terrain."""
    assert mission.run is not None
    start, end, release = mission.run.start, mission.run.end, mission.run.release
    found = survey(mission, requests, start=start, end=end, step=untold)
    document = planned(
        mission, requests, found, start=start, end=end, release=release, seed=seed, step=untold
    )
    flight = fly(mission, document, found.orbits, seed=seed)
    scene = SyntheticScene(seed=seed)
    chosen = choose_windows(
        flight.acquisitions, mission, scene, windows, pixels=pixels, places=point_places(document)
    )
    cameras = [mission.satellite(acquisition.satellite).camera for acquisition, _ in chosen]
    scene = with_targets(
        scene, [(a, camera, window) for (a, window), camera in zip(chosen, cameras, strict=True)]
    )
    shots = []
    for acquisition, window in chosen:
        satellite = mission.satellite(acquisition.satellite)
        raw = expose(acquisition, satellite, scene, window, seed=seed, threads=2)
        shots.append(
            Shot(
                mission=mission,
                acquisition=acquisition,
                scene=scene,
                raw=raw,
                dem=dem_of(exact_terrain(scene, seen_bounds(raw, acquisition))),
            )
        )
    return shots


@contextmanager
def untold(_name: str) -> Iterator[None]:
    """A step of the chain that nobody watches."""
    yield


def seen_bounds(raw: RawImage, acquisition: Acquisition) -> tuple[float, float, float, float]:
    """Degrees that an image can see, whatever the height of the ground."""
    models = [chip.model(acquisition.true) for chip in raw.chips]
    west, south, east, north = needed_bounds(models, [chip.shape for chip in raw.chips])
    return west - ROOM_DEG, south - ROOM_DEG, east + ROOM_DEG, north + ROOM_DEG


def dem_of(terrain: Terrain) -> Dem:
    return Dem(
        name="terrain",
        crs="EPSG:4326",
        origin=(terrain.west_deg, terrain.north_deg),
        step=(terrain.step_lon_deg, -terrain.step_lat_deg),
        heights_m=terrain.heights_m,
        vertical="egm96",
    )


# ---------------------------------------------------------------- faults


def half_a_pixel(shot: Shot) -> Shot:
    """Every pixel taken for its upper left corner."""
    return _with_chips(
        shot,
        lambda chip: replace(
            chip,
            first_line_s=chip.first_line_s + 0.5 * chip.line_period_s,
            along=_moved(chip.along, 0.5),
            across=_moved(chip.across, 0.5),
        ),
    )


def one_line(shot: Shot) -> Shot:
    """Lines counted from one instead of nought."""
    return _with_chips(
        shot, lambda chip: replace(chip, first_line_s=chip.first_line_s + chip.line_period_s)
    )


def inverted_quaternion(shot: Shot) -> Shot:
    """The attitude read as GCRF from body."""
    true = shot.acquisition.true
    turned = replace(true, body_from_gcrf=quaternion_inverse(true.body_from_gcrf))
    return replace(shot, acquisition=replace(shot.acquisition, true=turned))


def ten_metres(shot: Shot) -> Shot:
    """The terrain 10 m too high."""
    return replace(shot, dem=replace(shot.dem, heights_m=shot.dem.heights_m + np.float32(10.0)))


FAULTS: Mapping[str, Callable[[Shot], Shot]] = {
    "half a pixel": half_a_pixel,
    "one line": one_line,
    "inverted quaternion": inverted_quaternion,
    "10 m of DEM": ten_metres,
}


def _with_chips(shot: Shot, change: Callable[[Chip], Chip]) -> Shot:
    chips = tuple(change(chip) for chip in shot.raw.chips)
    return replace(shot, raw=replace(shot.raw, chips=chips))


def _moved(polynomial: FloatArray, columns: float) -> FloatArray:
    """The polynomial in columns that count from further left."""
    moved = Polynomial(polynomial)(Polynomial([columns, 1.0]))
    return np.asarray(np.pad(moved.coef, (0, polynomial.size - moved.coef.size)))


# ---------------------------------------------------------------- measuring


def locate(
    shot: Shot, folder: Path, colours: Sequence[str] | None = None
) -> dict[str, LocationResult]:
    """Make the products of a shot as truly flown, and measure where their pixels lie.

    Every colour is measured, or those named.
    """
    recipe = Recipe(level="L2P", trajectory=shot.acquisition.true, threads=2)
    l1c, l2p = make_products(shot.raw, shot.dem, folder, recipe)
    sharpened = _measured(shot, l2p, "pansharpened", colours)
    return _levels(shot, l1c, colours) | {"pansharpened": sharpened}


def overlaps(shots: Sequence[Shot], folder: Path) -> dict[str, LocationResult]:
    """How products of one place lie against each other, of those that `locate` left in `folder`.

    Pairs of windows that share a quarter of their outlines at least, PAN against PAN.
    """
    found = {}
    for one, other in combinations(shots, 2):
        paths = [folder / product_id(shot.raw, "L1C") for shot in (one, other)]
        items = [json.loads((path / f"{path.name}.json").read_text()) for path in paths]
        a, b = (shapely.geometry.shape(item["geometry"]) for item in items)
        if a.intersection(b).area < 0.25 * min(a.area, b.area):
            continue
        names = f"{one.acquisition.id} against {other.acquisition.id}"
        found[names] = compare_products(
            paths[0] / "pan.tif", paths[1] / "pan.tif", bands=["pan"],
            native_m=float(items[0]["properties"]["gsd"]),
        )  # fmt: skip
    return found


def fails(shot: Shot, folder: Path) -> str | None:
    """How a shot with a fault is found out: refused, or too far off; None where it passes."""
    recipe = Recipe(level="L1C", trajectory=shot.acquisition.true, threads=2)
    try:
        (l1c,) = make_products(shot.raw, shot.dem, folder, recipe)
    except HumayError as error:
        return f"refused: {error}"
    results = _levels(shot, l1c)
    told = ", ".join(f"{name} {each.mean_px:.2f} px off" for name, each in results.items())
    return None if any(meets(each) for each in results.values()) else told


def meets(result: LocationResult) -> bool:
    return result.meets(mean_px=MEAN_PX, ce90_px=CE90_PX)


def _levels(
    shot: Shot, l1c: Made, colours: Sequence[str] | None = None
) -> dict[str, LocationResult]:
    return {
        "PAN": _measured(shot, l1c, "pan", ["pan"]),
        "MS": _measured(shot, l1c, "ms", colours),
    }


def _measured(shot: Shot, made: Made, sheet: str, bands: Sequence[str] | None) -> LocationResult:
    """Bands of a sheet, all colours if none is named. The item tells the distance of PAN pixels."""
    ratio = round(_ratio(shot.raw))
    bands = bands or [band for band in shot.raw.bands if band != "pan"]
    sharpened = sheet == "pansharpened"
    flags = "quality.tif" if sharpened else f"{sheet}-quality.tif"
    return measure_location(
        made.folder / f"{sheet}.tif",
        shot.scene,
        bands=shot.spectral(bands),
        sun_itrf=shot.sun_itrf,
        native_m=float(made.item["properties"]["gsd"]) * (ratio if sheet == "ms" else 1),
        flags=made.folder / flags,
        sharpened_by=ratio if sharpened else 1,
    )


def _ratio(raw: RawImage) -> float:
    periods = [chip.line_period_s for chip in raw.chips]
    return max(periods) / min(periods)


def predicted(shot: Shot, *, draws: int, seed: int) -> Coverage:
    """How many points of many measured flights lie inside the CE90 that processing predicts."""
    rng = np.random.default_rng(seed)
    satellite = shot.mission.satellite(shot.acquisition.satellite)
    chip = shot.raw.of_band("pan")[0]
    model = chip.model(shot.acquisition.true)
    row, col = (np.linspace(0.05 * n, 0.95 * n, 4) for n in chip.shape)
    row, col = (x.ravel() for x in np.meshgrid(row, col, indexing="ij"))
    place = model.locate(row, col, np.full(row.shape, shot.dem.mean_m))
    height_m = shot.scene.height_m(*place)
    bounds = seen_bounds(shot.raw, shot.acquisition)
    coarse = dem_of(
        coarse_terrain(
            shot.scene, bounds, sigma_m=DEM_SIGMA_M, correlation_m=DEM_CORRELATION_M, rng=rng
        )
    )
    lon = np.radians(rng.uniform(bounds[0] + ROOM_DEG, bounds[2] - ROOM_DEG, 5000))
    lat = np.radians(rng.uniform(bounds[1] + ROOM_DEG, bounds[3] - ROOM_DEG, 5000))
    errors_m = coarse.ellipsoidal_m(lon, lat) - shot.scene.height_m(lon, lat)
    told = predict_location(
        chip.model(shot.acquisition.measured), satellite.navigation, row, col, height_m,
        dem_sigma_m=DEM_SIGMA_M,
    )  # fmt: skip
    return coverage_of_prediction(
        model,
        satellite.navigation,
        Pixels(row=row, col=col, height_m=height_m, ce90_m=told.ce90_m),
        dem_errors_m=errors_m,
        draws=draws,
        rng=rng,
    )


# ---------------------------------------------------------------- telling


def main() -> None:
    given = _arguments()
    started, cpu = time.perf_counter(), time.process_time()
    mission = load_mission(given.mission)
    assert mission.run is not None
    requests = load_requests(mission.run.requests, mission)
    shots = take_shots(
        mission, requests, windows=given.windows, pixels=given.pixels, seed=given.seed
    )
    results = []
    print(f"{'acquisition':32} {'product':13} points edge  mean px  CE90 px")
    with tempfile.TemporaryDirectory() as scratch:
        for shot in shots:
            for name, result in locate(shot, Path(scratch)).items():
                results.append(result)
                edge = sum(point.place.near_edge for point in result.points)
                print(
                    f"{shot.acquisition.id:32} {name:13} {len(result.points):6} {edge:4}  "
                    f"{result.mean_px:7.4f}  {result.ce90_px:7.4f}  "
                    f"{'' if meets(result) else 'FAILS'}"
                )
        pairs = overlaps(shots, Path(scratch))
        for name, result in pairs.items():
            print(
                f"{name:46} {len(result.points):6}       "
                f"{result.mean_px:7.4f}  {result.ce90_px:7.4f}"
            )
        seen = {name: fails(fault(shots[0]), Path(scratch)) for name, fault in FAULTS.items()}
    for name, how in seen.items():
        print(f"{name:32} {how or 'NOT SEEN'}")
    inside = [predicted(shot, draws=given.draws, seed=given.seed) for shot in shots]
    for shot, coverage in zip(shots, inside, strict=True):
        print(f"{shot.acquisition.id:32} inside the predicted CE90: {coverage.share:.3f}")
    good = all(meets(result) for result in results) and all(seen.values())
    good &= all(pair.is_enough and pair.ce90_px <= APART_PX for pair in pairs.values())
    good &= all(INSIDE[0] <= coverage.share <= INSIDE[1] for coverage in inside)
    told: dict[str, Any] = {
        "value": round(max((r.ce90_px for r in results), default=math.inf), 4),
        "bound": CE90_PX,
        "mean_px": round(max((r.mean_px for r in results), default=math.inf), 4),
        "pairs_ce90_px": {name: round(pair.ce90_px, 4) for name, pair in pairs.items()},
        "inside_predicted_ce90": [round(coverage.share, 4) for coverage in inside],
        "good": good,
        "seconds": round(time.perf_counter() - started, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(told))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("mission", nargs="?", type=Path, default=EXAMPLE)
    parser.add_argument("--windows", type=int, default=6)
    parser.add_argument("--pixels", type=int, default=2048)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
