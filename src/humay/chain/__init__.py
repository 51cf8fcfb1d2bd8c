"""The stages in a row: what `humay run`, `humay plan` and `humay fly` do between their files."""

from humay.chain.picturing import Exposure, Flown, fly_and_expose, point_places, process_exposures
from humay.chain.planning import Survey, figures_of, plan_orbits, planned, survey
from humay.chain.replanning import Again, Flying, surveyed_again
from humay.chain.run import Results, run_mission
from humay.chain.showing import run_radiometry
from humay.chain.timing import Step, Timings

__all__ = [
    "Again",
    "Exposure",
    "Flown",
    "Flying",
    "Results",
    "Step",
    "Survey",
    "Timings",
    "figures_of",
    "fly_and_expose",
    "plan_orbits",
    "planned",
    "point_places",
    "process_exposures",
    "run_mission",
    "run_radiometry",
    "survey",
    "surveyed_again",
]
