"""`humay run`: the whole chain of a mission file, from opportunities to a report."""

from __future__ import annotations

import platform
import resource
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from humay import __version__
from humay.access import opportunities_table, table_bytes
from humay.chain.files import begin_again, check_folder, remove_products, write_catalogue
from humay.chain.picturing import fly_and_expose, process_exposures
from humay.chain.planning import Survey, figures_of, planned, survey
from humay.chain.showing import flight_figures, product_figures
from humay.chain.timing import Step, Timings
from humay.errors import MissionError
from humay.files import json_bytes, write_all
from humay.mission import Mission, Request
from humay.processing import Made
from humay.report import report_html
from humay.schedule import Effort
from humay.time import format_utc


@dataclass(frozen=True, kw_only=True, eq=False)
class Results:
    """What a run came to: its plan, its products, and what run.json says."""

    document: Mapping[str, Any]
    made: Mapping[str, tuple[Made, ...]]
    run: Mapping[str, Any]


def run_mission(
    mission: Mission,
    requests: Sequence[Request],
    folder: Path,
    *,
    seed: int | None,
    threads: int,
    step: Step,
    now: datetime,
) -> Results:
    """The whole chain over the span of the mission's `[run]`, into `folder`.

    Each file and each product appears whole; run.json comes last and says that all is there. `now`
    is only told in run.json; everything else is the same for the same input, whatever the number of
    threads. Raises `HumayError` where a stage does.
    """
    if mission.run is None:
        raise MissionError(f"{mission.path}: no [run] table, expected requests, start and days")
    check_folder(folder)
    settings, timings = mission.run, Timings(show=step)
    started, cpu = time.perf_counter(), time.process_time()
    seed = settings.seed if seed is None else seed
    start, end = settings.start, settings.end
    found = survey(mission, requests, start=start, end=end, step=timings, threads=threads)
    document = planned(
        mission,
        requests,
        found,
        start=start,
        end=end,
        release=settings.release,
        seed=seed,
        step=timings,
        effort=Effort(threads=threads),
    )
    begin_again(folder)
    write_all(folder, _plan_files(found, document))
    flown = fly_and_expose(
        mission,
        document,
        found.orbits,
        folder / "flight",
        count=settings.render,
        seed=seed,
        threads=threads,
        step=timings,
    )
    with timings("process"):
        made = process_exposures(flown.exposures, folder / "products", threads=threads)
    products = [product for each in made.values() for product in each]
    with timings("catalogue"):
        write_catalogue(folder / "catalogue.db", products)
        remove_products(folder / "products", [product.id for product in products])
    figures = figures_of(mission, document) | {"flight": flight_figures(flown, found.orbits)}
    if settings.render:
        with timings("measure"):
            figures["products"] = product_figures(flown, made, folder, threads=threads)
    with timings("report"):
        write_all(folder, {"report.html": report_html(document, figures)})
    total = {
        "wall_s": round(time.perf_counter() - started, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
    }
    run = {
        "humay": __version__,
        "mission": mission.name,
        "started": format_utc(now),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": threads,
        "figures": figures["counts"] | {"objective": document["objective"]},
        "products": [product.id for product in products],
        "notes": list(found.notes),
        "timings": timings.seconds | {"total": total},
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    write_all(folder, {"run.json": json_bytes(run, indent=2)})
    return Results(document=document, made=made, run=run)


def _plan_files(found: Survey, document: Mapping[str, Any]) -> dict[str, bytes]:
    table = opportunities_table(found.opportunities, found.notes, found.pointing)
    return {
        "opportunities.parquet": table_bytes(table, ".parquet"),
        "plan.json": json_bytes(document),
    }
