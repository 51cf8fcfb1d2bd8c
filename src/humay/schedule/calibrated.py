"""What a plan tells of calibration looks: the section `calibrations` of plan.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.frames import (
    quaternion_from_rotation_vector,
    quaternion_inverse,
    quaternion_product,
    rotate,
)
from humay.schedule.calibration import DueLook
from humay.schedule.plan import Doing, Plan
from humay.time import format_utc

Reason: TypeAlias = Callable[[DueLook], dict[str, Any]]


def calibrations_document(
    plan: Plan, names: Mapping[int, str], delivered: Mapping[str, str], reason: Reason
) -> list[dict[str, Any]]:
    """Every look that is due, in the order of the mission: when it is taken, or why it is not; with
    those that earlier plans have made."""
    return [_due(plan, each, names, delivered, reason) for each in plan.dues]


def outcome_of(plan: Plan, each: DueLook) -> str:
    """`made` by an earlier plan; `met` or, after its deadline, `late`; `open` where a later plan
    can still meet it."""
    if each.name in plan.made:
        return "made"
    if plan.doings.get(each.name):
        return "met" if each.due.deadline > plan.start else "late"
    return "open" if each.due.deadline > plan.end else "missed"


def _due(
    plan: Plan,
    each: DueLook,
    names: Mapping[int, str],
    delivered: Mapping[str, str],
    reason: Reason,
) -> dict[str, Any]:
    outcome, doings = outcome_of(plan, each), plan.doings.get(each.name, [])
    taken = outcome in ("met", "late")
    done = taken or outcome == "made"
    after = timedelta(days=each.calibration.every_days) if done else timedelta(0)
    return {
        "name": each.name,
        "calibration": each.calibration.name,
        "kind": each.calibration.kind,
        "satellite": each.satellite,
        "priority": each.calibration.priority,
        "due": format_utc(each.due.due),
        "deadline": format_utc(each.due.deadline),
        "windows": len(plan.rows.get(each.name, ())),
        "outcome": outcome,
        "next_due": format_utc(each.due.due + after),
        "look": _look(plan, each, doings[0], names, delivered) if taken else None,
        "reason": None if taken else reason(each),
    }


def _look(
    plan: Plan, each: DueLook, doing: Doing, names: Mapping[int, str], delivered: Mapping[str, str]
) -> dict[str, Any]:
    o, act, row = plan.given.opportunities, doing.act, doing.act.row
    timeline = plan.given.timelines[doing.satellite]
    node = int(np.searchsorted(timeline.node_s, act.start_s, side="right")) - 1
    inertial = each.calibration.inertial
    across = each.calibration.kind == "side_slither"
    return {
        "id": names[row],
        "target": _target(plan, row),
        "opportunity": str(o.opportunity_id[row]),
        "start": format_utc(o.epoch.utc(act.start_s)),
        "end": format_utc(o.epoch.utc(act.end_s)),
        "orbit": int(timeline.node_orbit[node]),
        "anx_offset_s": round(act.start_s - float(timeline.node_s[node]), 3),
        "law": "inertial" if inertial else "across" if across else "strip",
        **(_direction(doing) if inertial else {"centre_line": o.line[row].lonlath()}),
        "attitude_start": _numbers(act.first.attitude, 10),
        "rate_start_deg_s": _numbers(np.degrees(act.first.rate_rad_s), 8),
        "attitude_end": _numbers(act.last.attitude, 10),
        "rate_end_deg_s": _numbers(np.degrees(act.last.rate_rad_s), 8),
        "line_period_s": round(act.line_period_s, 12),
        "data_gbit": round(act.bits / 1e9, 9),
        "value": round(float(plan.worth.alone[row]), 9),
        "uplink": doing.uplink.pass_id,
        "delivered": delivered.get(names[row]),
    }


def _target(plan: Plan, row: int) -> str:
    looks = plan.given.calibrations
    if looks is None:
        raise AssertionError("a calibration look was planned without windows for it")
    [own] = np.flatnonzero(
        looks.opportunities.opportunity_id == plan.given.opportunities.opportunity_id[row]
    )
    return str(looks.target[own])


def _direction(doing: Doing) -> dict[str, float]:
    """Where the camera looks in the middle of a look, on axes of the GCRF."""
    act = doing.act
    half = act.first.rate_rad_s * 0.5 * (act.end_s - act.start_s)
    middle = quaternion_product(quaternion_from_rotation_vector(half), act.first.attitude)
    x, y, z = rotate(quaternion_inverse(middle), np.array([0.0, 0.0, 1.0]))
    return {
        "ra_deg": round(float(np.degrees(np.arctan2(y, x))) % 360.0, 6),
        "dec_deg": round(float(np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))), 6),
    }


def _numbers(values: FloatArray, digits: int) -> list[float]:
    return [round(float(value), digits) + 0.0 for value in values]
