"""A whole chain of two windows of 256 pixels, run once: what the tests of files and verbs look at.

The mission is the example `azersky`, cut to SPOT 7, two days and two points. Its windows are those
of `humay fly --render 2 --pixels 256`: one on the last chip of the camera, one over the seam of
two.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from humay.chain import (
    Exposure,
    fly_and_expose,
    plan_orbits,
    planned,
    process_exposures,
    survey,
)
from humay.chain.files import write_catalogue
from humay.files import json_bytes, write_all
from humay.mission import Mission, load_mission, load_requests
from humay.processing import Made
from tests.conftest import REPOSITORY

EXAMPLE = REPOSITORY / "examples" / "azersky"
PIXELS = 256
PLACES = {"Kok-Aral dam": (60.77, 46.11), "Nile delta": (30.9, 31.2)}
NAMES = ("spot-7_20191101T062650", "spot-7_20191101T080949")
"""Of the two pictures, without their level."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Small:
    """A run's folder as `humay run` lays it out, without opportunities, report and run.json."""

    mission_file: Path
    mission: Mission
    document: Mapping[str, Any]
    folder: Path
    exposures: tuple[Exposure, ...]
    made: Mapping[str, tuple[Made, ...]]

    @property
    def plan_file(self) -> Path:
        return self.folder / "plan.json"

    @property
    def products(self) -> list[Made]:
        return [product for each in self.made.values() for product in each]

    def product(self, level: str, number: int = 0) -> Made:
        """The product of a level of one of the two pictures."""
        return next(p for p in self.products if p.id == f"{NAMES[number]}_{level}")

    def raw(self, number: int = 0) -> Path:
        return self.exposures[number].raw

    def dem(self, number: int = 0) -> Path:
        return self.exposures[number].dem


def write_mission(folder: Path, *, render: int = 2, pan_only: bool = False) -> Path:
    """The mission file of the small chain, with what it names beside it."""
    text = (EXAMPLE / "mission.toml").read_text()
    text = text[: text.index("[satellite.spot-6]")] + text[text.index("[camera.naomi]") :]
    text = text.replace("days = 3", "days = 2").replace("render = 6", f"render = {render}")
    full = "memory_used_gbit = 700.0"  # would go down before the pictures, past the second day
    assert full in text
    text = text.replace(full, "memory_used_gbit = 0.0")
    for band in ("blue", "green", "red", "nir") if pan_only else ():
        begin = text.index(f"[camera.naomi.band.{band}]")
        text = text[:begin] + text[text.index("\n[", begin) + 1 :]
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": list(place)},
            "properties": {"name": name},
        }
        for name, place in PLACES.items()
    ]
    requests = {"type": "FeatureCollection", "features": features}
    write_all(
        folder,
        {
            "mission.toml": text.encode(),
            "spot67.tle": (EXAMPLE / "spot67.tle").read_bytes(),
            "requests.geojson": json_bytes(requests),
        },
    )
    return folder / "mission.toml"


def build(folder: Path, *, seed: int = 1, threads: int = 1) -> Small:
    """Plan, fly, expose, process and catalogue, into `folder/out`."""
    mission_file, out = write_mission(folder / "mission"), folder / "out"
    mission = load_mission(mission_file)
    assert mission.run is not None
    requests = load_requests(mission.run.requests, mission)
    start, end, release = mission.run.start, mission.run.end, mission.run.release
    found = survey(mission, requests, start=start, end=end, step=untold)
    document = planned(
        mission, requests, found, start=start, end=end, release=release, seed=1, step=untold
    )
    write_all(out, {"plan.json": json_bytes(document)})
    exposures = fly_again(mission, document, out / "flight", seed=seed, threads=threads)
    made = process_exposures(exposures, out / "products", threads=threads)
    write_catalogue(out / "catalogue.db", [product for each in made.values() for product in each])
    return Small(
        mission_file=mission_file, mission=mission, document=document, folder=out,
        exposures=exposures, made=made,
    )  # fmt: skip


def fly_again(
    mission: Mission,
    document: Mapping[str, Any],
    folder: Path,
    *,
    seed: int = 1,
    threads: int = 1,
    count: int = 2,
) -> tuple[Exposure, ...]:
    """The plan flown into a folder; what was exposed."""
    return fly_and_expose(
        mission, document, plan_orbits(mission, document), folder, count=count, seed=seed,
        threads=threads, step=untold, pixels=PIXELS,
    ).exposures  # fmt: skip


@contextmanager
def untold(_name: str) -> Iterator[None]:
    """A step of the chain that nobody watches."""
    yield


def item_of(product: Made) -> dict[str, Any]:
    """The item as it stands in its file."""
    item: dict[str, Any] = json.loads(product.item_path.read_bytes())
    return item


def files_under(folder: Path) -> dict[str, bytes]:
    """All files by their path in the folder, hidden ones too."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def leftovers(folder: Path) -> list[str]:
    """What a killed process has left of unfinished work."""
    return [path.name for path in folder.rglob(".*")]


@cache
def built() -> Small:
    """The small chain in a folder of its own, which goes when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="humay-small-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return build(folder)
