"""The whole check of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from humay.check.aboard import check_aboard
from humay.check.acknowledged import check_acknowledged
from humay.check.answers import check_answers
from humay.check.antennas import check_antennas
from humay.check.calibration import check_calibrations
from humay.check.case import read_case
from humay.check.contacts import check_contacts
from humay.check.coverage import check_coverage
from humay.check.data import check_downlinks, check_imaging_time, check_memory, check_overlaps
from humay.check.duty import check_duty
from humay.check.energy import Sunlight, check_eclipses, check_energy
from humay.check.freshness import check_freshness
from humay.check.keep_outs import check_keep_outs, check_trackers
from humay.check.looks import check_looks
from humay.check.order import check_order
from humay.check.outages import check_outages
from humay.check.previous import as_stated, check_previous
from humay.check.references import check_bound, check_orbits, check_references
from humay.check.structure import check_structure
from humay.check.timeline import check_segments, check_stated_attitudes, fly_slews
from humay.check.uplinks import check_uplinks
from humay.check.violations import Violation, in_time_order
from humay.check.windows import check_windows
from humay.mission import Mission, Outcomes, Request


def check_plan(
    mission: Mission,
    requests: Sequence[Request],
    plan: Mapping[str, Any],
    previous: Mapping[str, Any] | None = None,
    outcomes: Outcomes | None = None,
) -> list[Violation]:
    """What is wrong with a plan, in time order; nothing where it is valid.

    Orbits are propagated anew, and windows, attitudes, slews, contacts, eclipses and resources
    derived from them and from docs/reference/plan.md alone. Raises `PlanError` for a plan without
    the structure of its format, `OrbitError` where the mission's orbits do not reach over its span.
    With the `previous` plan, what it has frozen must be in this one; with `outcomes` of it, what
    failed is told, and nothing else.
    """
    check_structure(plan)
    if previous is not None:
        check_structure(previous)
    mission, requests = as_stated(mission, requests, plan)
    case, faults = read_case(mission, requests, plan)
    if case is None:
        return in_time_order(faults)
    slews, slew_faults = fly_slews(case)
    sunlight = Sunlight(case)
    faults += [
        *check_references(case),
        *check_orbits(case),
        *check_windows(case),
        *check_segments(case),
        *check_stated_attitudes(case),
        *slew_faults,
        *check_keep_outs(case, slews),
        *check_trackers(case, slews),
        *check_overlaps(case),
        *check_contacts(case),
        *check_antennas(case),
        *check_outages(case),
        *check_uplinks(case),
        *check_downlinks(case),
        *check_order(case),
        *check_memory(case),
        *check_acknowledged(case),
        *check_aboard(case),
        *check_imaging_time(case),
        *check_duty(case),
        *check_energy(case, slews, sunlight),
        *check_eclipses(case, sunlight),
        *check_coverage(case),
        *check_looks(case),
        *check_freshness(case),
        *check_calibrations(case),
        *check_answers(case),
        *check_bound(case),
        *([] if previous is None else check_previous(case, previous, outcomes)),
    ]
    return in_time_order(faults)
