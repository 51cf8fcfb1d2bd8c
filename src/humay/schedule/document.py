"""The plan as the dictionary of plan.json (docs/reference/plan.md): degrees, UTC, Gbit, Wh."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from shapely.geometry import mapping

from humay.access import Pointing, Timeline
from humay.arrays import FloatArray, IntArray
from humay.mission import Request
from humay.schedule.acknowledged import Freed
from humay.schedule.calibrated import calibrations_document
from humay.schedule.calibration import DueLook
from humay.schedule.duty import warmth_k
from humay.schedule.ground import Loss
from humay.schedule.heritage import previous_document
from humay.schedule.plan import Doing, Plan, SatellitePlan
from humay.schedule.planner import Refusal
from humay.schedule.resources import Downlink, deliveries_s, imaging_inside
from humay.schedule.sequence import Act, Segment
from humay.schedule.slews import turned_rad
from humay.time import Epoch, format_utc, parse_utc

FORMAT = "humay-plan-1"
WHOLE = 0.999999
_CURVE_STEP_S = 60.0
_JOULE_PER_WH = 3_600.0
_METHODS = {False: "greedy by priority", True: "ruin and recreate"}
_URGENT = "urgent requests put into the previous plan"


def plan_document(plan: Plan) -> dict[str, Any]:
    """Everything plan.json holds, in a fixed order, free of the wall clock."""
    names = _acquisition_names(plan)
    value = round(plan.value, 9)
    bound = math.ceil(plan.bound * 1e6) / 1e6
    delivered = _deliveries(plan, names)
    document: dict[str, Any] = {
        "format": FORMAT,
        "mission": plan.given.mission.name,
        "start": format_utc(plan.start),
        "end": format_utc(plan.end),
        "release": format_utc(plan.release),
        "seed": plan.seed,
        "iterations": plan.iterations,
        "notes": list(plan.given.notes),
        "objective": {
            "value": value,
            "bound": bound,
            "gap": round((bound - value) / bound, 6) if bound > 0 else 0.0,
            "method": f"{_method(plan)}; bound by {plan.proof.method}",
            "kept": list(plan.proof.kept),
            "relaxed": list(plan.proof.relaxed),
        },
        "satellites": [_satellite(plan, name, part) for name, part in plan.satellites.items()],
        "requests": [
            _request(plan, request, fraction, names, delivered)
            for request, fraction in zip(plan.given.requests, _fractions(plan), strict=True)
            if request.name not in plan.calibrating
        ],
        "acquisitions": _acquisitions(plan, names, delivered),
        "passes": [_pass(plan, p) for p in plan.passes],
        "outages": [_outage(loss) for loss in plan.losses],
        "downlinks": _downlinks(plan, names),
        "attitude": {
            name: [_segment(_epoch(plan), segment, names) for segment in part.segments]
            for name, part in plan.satellites.items()
        },
        "resources": {name: _resources(plan, part) for name, part in plan.satellites.items()},
        "eclipses": {
            name: [_span(timeline.epoch, *edges) for edges in timeline.eclipse_s]
            for name, timeline in plan.given.timelines.items()
        },
        "ground_tracks": {
            name: _track(plan, timeline) for name, timeline in plan.given.timelines.items()
        },
    }
    if plan.dues:
        document["calibrations"] = calibrations_document(
            plan, names, delivered, lambda due: _due_reason(plan, due)
        )
    if plan.held.previous is not None:
        document["previous"] = previous_document(
            plan.held, plan.displaced, names, document, delivered
        )
    return document


def _method(plan: Plan) -> str:
    return _URGENT if plan.held.urgent else _METHODS[plan.searched]


def _epoch(plan: Plan) -> Epoch:
    return plan.given.opportunities.epoch


def _utc(epoch: Epoch, t_s: float) -> str:
    return format_utc(epoch.utc(t_s))


def _span(epoch: Epoch, start_s: float, end_s: float) -> dict[str, str]:
    return {"start": _utc(epoch, start_s), "end": _utc(epoch, end_s)}


def _numbers(values: Any, digits: int) -> list[float]:
    return [round(float(value), digits) + 0.0 for value in np.ravel(values)]


def _deg(angle_rad: float, digits: int = 4) -> float:
    return round(float(np.degrees(angle_rad)), digits) + 0.0


def _in_order(plan: Plan) -> list[tuple[str, Act]]:
    acts = [(name, act) for name, part in plan.satellites.items() for act in part.acts]
    return sorted(acts, key=lambda pair: (pair[1].start_s, pair[0]))


def _acquisition_names(plan: Plan) -> dict[int, str]:
    """`A0001`... by opportunity row, in order of time; calibration looks are `C0001`..."""
    acts = [act for _, act in _in_order(plan)]
    looks = [act for act in acts if act.request in plan.calibrating]
    others = [act for act in acts if act.request not in plan.calibrating]
    return {
        act.row: f"{letter}{i:04d}"
        for letter, own in (("A", others), ("C", looks))
        for i, act in enumerate(own, start=1)
    }


def _satellite(plan: Plan, name: str, part: SatellitePlan) -> dict[str, Any]:
    epoch, timeline = _epoch(plan), plan.given.timelines[name]
    sigma = plan.given.mission.satellite(name).orbit_sigma
    ages = [
        abs(epoch.seconds(t) - timeline.orbit_epoch_s) / 86_400.0 for t in (plan.start, plan.end)
    ]
    return {
        "name": name,
        "orbit_epoch": _utc(epoch, timeline.orbit_epoch_s),
        "age_days": _numbers(ages, 4),
        "orbit_sigma_m": _numbers(sigma.along_m(np.array(ages)), 1),
        "imaging_s": round(sum(act.end_s - act.start_s for act in part.acts), 3),
        "acquisitions": sum(act.request not in plan.calibrating for act in part.acts),
        "downlinked_gbit": round(sum(d.bits for d in part.downlinks) / 1e9, 6),
    }


# Requests ----------------------------------------------------------------------------------------


def _fractions(plan: Plan) -> list[float]:
    done = [act.row for _, act in _in_order(plan)]
    return [float(fraction) for fraction in plan.worth.fractions(done)]


def _request(
    plan: Plan,
    request: Request,
    fraction: float,
    names: Mapping[int, str],
    delivered: Mapping[str, str],
) -> dict[str, Any]:
    own = plan.rows.get(request.name, np.zeros(0, dtype=np.int64))
    taken: dict[str, list[str]] = {}
    for doing in plan.doings.get(request.name, []):
        taken.setdefault(doing.act.strip, []).append(names[doing.act.row])
    strips = _strips(plan, request, own, taken)
    fraction = round(fraction, 9) or 0
    outcome = "served" if fraction >= WHOLE else "partly" if fraction > 0 else "left out"
    return {
        "name": request.name,
        "kind": request.kind,
        "priority": request.priority,
        "weight": request.weight,
        "purpose": request.purpose,
        "height_m": request.height_m,
        "height_source": request.height_source,
        "geometry": _geometry(request),
        "opportunities": len(set(plan.given.opportunities.opportunity_id[own].tolist())),
        "outcome": outcome,
        "fraction": min(fraction, 1.0),
        "strips": strips,
        **_expected(plan, request),
        "first": _first(plan, request, names, delivered),
        "reason": None if outcome == "served" else _reason(plan, request, own, strips),
    }


def _expected(plan: Plan, request: Request) -> dict[str, Any]:
    """What a request is worth and what can be expected of it, where clouds or age count."""
    if not plan.worth.counts_clouds and plan.worth.freshness is None:
        return {}
    expected = plan.worths[request.name]
    return {"worth": {"whole": round(request.worth, 9), "expected": round(expected, 9)}}


def _first(
    plan: Plan, request: Request, names: Mapping[int, str], delivered: Mapping[str, str]
) -> dict[str, str | None]:
    """When the first command of a request is up, its first strip imaged, and one of them down."""
    epoch = _epoch(plan)
    own = plan.doings.get(request.name, [])
    before = () if plan.held.previous is None else plan.held.previous.aboard
    whole = [names[d.act.row] for d in own]
    whole += [entry["id"] for entry in before if entry["request"] == request.name]
    times = {
        "uplink": [_utc(epoch, d.uplink.end_s) for d in own],
        "image": [_utc(epoch, d.act.end_s) for d in own],
        "delivery": [delivered[name] for name in whole if name in delivered],
    }
    return {what: min(found, key=parse_utc, default=None) for what, found in times.items()}


def _geometry(request: Request) -> dict[str, Any]:
    def plain(value: Any) -> Any:
        return [plain(v) for v in value] if isinstance(value, tuple | list) else round(value, 7)

    shape = mapping(request.geometry)
    return {"type": shape["type"], "coordinates": plain(shape["coordinates"])}


def _strips(
    plan: Plan, request: Request, own: IntArray, taken: Mapping[str, Sequence[str]]
) -> list[dict[str, Any]]:
    """Strips of a request. A point's line is that of its acquisition, else of its first window."""
    o = plan.given.opportunities
    if request.kind != "point":
        return [
            {
                "id": strip.name,
                "share": strip.share,
                "width_m": round(strip.width_m, 1),
                "centre_line": strip.line.lonlath(),
                **_taken(plan, request, taken.get(strip.name, ())),
            }
            for strip in o.strips
            if strip.request == request.name
        ]
    acted = plan.doings.get(request.name, [])
    row = acted[0].act.row if acted else own[0] if len(own) else None
    return [
        {
            "id": request.name,
            "share": 1.0,
            "width_m": None if row is None else round(float(o.width_m[row]), 1),
            "centre_line": None if row is None else o.line[row].lonlath(),
            **_taken(plan, request, taken.get(request.name, ())),
        }
    ]


def _taken(plan: Plan, request: Request, acquisitions: Sequence[str]) -> dict[str, Any]:
    """The acquisition of a strip; where several may be asked for, the first and all of them."""
    first = acquisitions[0] if acquisitions else None
    return {"acquisition": first} | (
        {"acquisitions": list(acquisitions)}
        if request.several_looks or plan.worth.counts_clouds
        else {}
    )


def _reason(
    plan: Plan, request: Request, own: IntArray, strips: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Why a request is not whole: no window, or the refusal that came furthest among its strips."""
    if not len(own):
        code, text = plan.given.absences[request.name]
        return {"code": code, "text": text, "competitors": []}
    missing = [strip["id"] for strip in strips if strip["id"] not in plan.served]
    refusals = [plan.refusals[strip] for strip in missing if strip in plan.refusals]
    if not refusals:
        what = "strips" if request.repeat is None else "strips, in all looks asked for,"
        text = f"{len(missing)} of its {what} have no window in this plan"
        return {"code": "no_opportunity", "text": text, "competitors": []}
    worst: Refusal = max(refusals, key=lambda refusal: refusal.stage)
    same = sum(1 for refusal in refusals if refusal.code == worst.code)
    counted = f" ({same} of {len(strips)} strips)" if len(strips) > 1 else ""
    return {
        "code": worst.code,
        "text": worst.text + counted,
        "competitors": list(worst.competitors),
    }


def _due_reason(plan: Plan, due: DueLook) -> dict[str, Any]:
    if due.name in plan.made:
        made = plan.held.refusals[due.name]
        return {"code": made.code, "text": made.text, "competitors": []}
    own = plan.rows.get(due.name, np.zeros(0, dtype=np.int64))
    return _reason(plan, due.request(), own, [{"id": due.name}])


# Acts --------------------------------------------------------------------------------------------


def _acquisitions(
    plan: Plan, names: Mapping[int, str], delivered: Mapping[str, str]
) -> list[dict[str, Any]]:
    doings = [
        doing for name, own in plan.doings.items() if name not in plan.calibrating for doing in own
    ]
    doings.sort(key=lambda doing: (doing.act.start_s, doing.satellite))
    return [_acquisition(plan, d, names, delivered) for d in doings]


def _acquisition(
    plan: Plan, doing: Doing, names: Mapping[int, str], delivered: Mapping[str, str]
) -> dict[str, Any]:
    name, act = doing.satellite, doing.act
    o, epoch, row = plan.given.opportunities, _epoch(plan), act.row
    timeline = plan.given.timelines[name]
    samples = plan.given.pointing[row]
    if samples is None:
        raise AssertionError(f"acquisition {names[row]} was planned without pointing samples")
    node = int(np.searchsorted(timeline.node_s, act.start_s, side="right")) - 1
    return {
        "id": names[row],
        "satellite": name,
        "request": act.request,
        "strip": act.strip,
        "opportunity": str(o.opportunity_id[row]),
        "start": _utc(epoch, act.start_s),
        "end": _utc(epoch, act.end_s),
        "orbit": int(timeline.node_orbit[node]),
        "anx_offset_s": round(act.start_s - float(timeline.node_s[node]), 3),
        "centre_line": o.line[row].lonlath(),
        "width_m": round(float(o.width_m[row]), 1),
        "line_period_s": round(act.line_period_s, 12),
        **_angles(samples, act.start_s),
        "attitude_start": _numbers(act.first.attitude, 10),
        "rate_start_deg_s": _numbers(np.degrees(act.first.rate_rad_s), 8),
        "attitude_end": _numbers(act.last.attitude, 10),
        "rate_end_deg_s": _numbers(np.degrees(act.last.rate_rad_s), 8),
        "data_gbit": round(act.bits / 1e9, 9),
        "value": round(float(plan.worth.alone[row]), 9),
        **_clouds(plan, row),
        **_fresh(plan, row),
        "uplink": doing.uplink.pass_id,
        "delivered": delivered.get(names[row]),
    }


def _fresh(plan: Plan, row: int) -> dict[str, float]:
    """What is left by its age, where that counts."""
    freshness = plan.worth.freshness
    return {} if freshness is None else {"fresh": round(float(freshness.fresh[row]), 9)}


def _clouds(plan: Plan, row: int) -> dict[str, Any]:
    """The probability with which clouds count, and the time it is of."""
    if not plan.worth.counts_clouds:
        return {}
    return {
        "cloud_probability": round(1.0 - float(plan.worth.clear[row]), 6),
        "cloud_time": _utc(_epoch(plan), float(plan.given.opportunities.best_s[row])),
    }


def _angles(samples: Pointing, start_s: float) -> dict[str, float]:
    def at(values: FloatArray) -> float:
        return float(np.interp(start_s, samples.start_s, values))

    east, north, up = (at(axis) for axis in samples.to_satellite_enu.T)
    roll = np.array([at(column) for column in samples.roll_rad.T])
    pitch = np.array([at(column) for column in samples.pitch_rad.T])
    off_nadir = np.arccos(np.cos(roll) * np.cos(pitch))
    return {
        "off_nadir_deg": _deg(np.max(off_nadir)),
        "roll_deg": _deg(roll[len(roll) // 2]),
        "pitch_deg": _deg(pitch[len(pitch) // 2]),
        "incidence_deg": _deg(np.arctan2(np.hypot(east, north), up)),
        "azimuth_deg": _deg(np.arctan2(east, north)) % 360.0,
        "sun_elevation_deg": _deg(at(samples.sun_elevation_rad)),
        "gsd_m": round(at(samples.gsd_mean_m), 4),
    }


def _pass(plan: Plan, p: Any) -> dict[str, Any]:
    epoch = _epoch(plan)
    return {
        "id": p.pass_id,
        "station": p.station,
        "satellite": p.satellite,
        **_span(epoch, p.start_s, p.end_s),
        "uplink": p.uplink,
        "contact_start": _utc(epoch, p.contact_start_s),
        "contact_end": _utc(epoch, p.contact_end_s),
        "max_elevation_deg": _deg(p.max_elevation_rad, 3),
    }


def _outage(loss: Loss) -> dict[str, Any]:
    outage = loss.closure.outage
    return {
        "station": outage.station,
        "satellite": outage.satellite,
        "start": format_utc(outage.start),
        "end": format_utc(outage.end),
        "reason": outage.reason,
        "cut": list(loss.cut),
        "dropped": list(loss.dropped),
    }


def _downlinks(plan: Plan, names: Mapping[int, str]) -> list[dict[str, Any]]:
    every = [(name, d) for name, part in plan.satellites.items() for d in part.downlinks]
    every.sort(key=lambda pair: (pair[1].start_s, pair[0]))
    return [
        {
            "id": f"D{i:04d}",
            "pass": downlink.pass_id,
            "satellite": name,
            "station": downlink.station,
            **_span(_epoch(plan), downlink.start_s, downlink.end_s),
            "gbit": round(downlink.bits / 1e9, 9),
            "items": _items(downlink, names),
        }
        for i, (name, downlink) in enumerate(every, start=1)
    ]


def _items(downlink: Downlink, names: Mapping[int, str]) -> list[dict[str, Any]]:
    return [
        {**_source(acquisition, names), "gbit": round(bits / 1e9, 9)}
        for acquisition, bits in downlink.items
    ]


def _source(name: str | None, names: Mapping[int, str]) -> dict[str, Any]:
    """What data are of: an acquisition, or what was on board before, as far as that is known."""
    if name is None:
        return {"acquisition": None}
    if name.isdigit():
        return {"acquisition": names[int(name)]}
    return {"acquisition": None, "aboard": name}


def _deliveries(plan: Plan, names: Mapping[int, str]) -> dict[str, str]:
    """When each acquisition is on the ground whole: the end of the downlink with its last bit."""
    done: dict[str, str] = {}
    for part in plan.satellites.values():
        bits: dict[str | None, float] = {str(act.row): act.bits for act in part.acts}
        bits |= {each.acquisition: each.bits for each in part.lane.aboard.unsent}
        for name, at_s in deliveries_s(bits, part.downlinks).items():
            own = str(name)
            done[names[int(own)] if own.isdigit() else own] = _utc(_epoch(plan), at_s)
    return done


def _segment(epoch: Epoch, segment: Segment, names: Mapping[int, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"mode": segment.mode, **_span(epoch, segment.start_s, segment.end_s)}
    if segment.mode == "idle":
        entry["law"] = segment.law
    if segment.station is not None:
        entry["station"] = segment.station
    if segment.act is not None:
        entry["acquisition"] = names[segment.act.row]
    if segment.mode == "slew":
        entry["phases"] = [
            {
                "duration_s": round(phase.duration_s, 9),
                "acceleration_deg_s2": _numbers(np.degrees(phase.acceleration_rad_s2), 9),
            }
            for phase in segment.phases
        ]
        entry["angle_deg"] = _deg(turned_rad(segment.phases))
    return entry


# Curves ------------------------------------------------------------------------------------------


def _resources(plan: Plan, part: SatellitePlan) -> dict[str, Any]:
    lane, epoch = part.lane, _epoch(plan)
    low, high = lane.span
    memory_s, memory = lane.memory(part.acts, part.downlinks)
    edges = [t for segment in part.segments for t in (segment.start_s, segment.end_s)]
    grid = np.arange(low, high, _CURVE_STEP_S)
    t_s = np.unique(np.clip(np.round(np.concatenate([grid, memory_s, edges]), 6), low, high))
    starts = np.array([act.start_s for act in part.acts])
    ends = np.array([act.end_s for act in part.acts])
    curves: dict[str, Any] = {
        "time": [_utc(epoch, t) for t in t_s],
        "memory_gbit": _numbers(np.interp(t_s, memory_s, memory) / 1e9, 4),
        "imaging_s": [
            _numbers(imaging_inside(*lane.imaging(part.acts), t_s - limit.per_s, limit.per_s), 2)
            for limit in lane.satellite.imaging_limits
        ],
    }
    thermal = lane.satellite.thermal
    if thermal is not None:
        curves["camera_k"] = _numbers(warmth_k(thermal, starts, ends, t_s, low), 4)
    if lane.acknowledges:
        curves["freed"] = [_freed(epoch, each) for each in lane.freed(part.downlinks)]
    if lane.battery is not None:
        energy_s, energy = lane.energy(part.segments, part.downlinks)
        curves["battery_wh"] = _numbers(np.interp(t_s, energy_s, energy) / _JOULE_PER_WH, 3)
    return curves


def _freed(epoch: Epoch, each: Freed) -> dict[str, Any]:
    """What went down in a pass, and when and by which pass its memory is freed."""
    return {
        "pass": each.pass_id,
        "gbit": round(each.bits / 1e9, 9),
        "uplink": each.uplink,
        "time": None if each.uplink is None else _utc(epoch, each.start_s),
    }


def _track(plan: Plan, timeline: Timeline) -> list[list[float]]:
    """Sub-satellite points, one a minute from the start on."""
    epoch = _epoch(plan)
    low, high = epoch.seconds(plan.start), epoch.seconds(plan.end)
    t_s = np.arange(low, high + 1e-6, 60.0)
    lon_deg, lat_deg = timeline.lonlat_deg.T
    lon_deg = np.interp(t_s, timeline.t_s, np.unwrap(lon_deg, period=360.0))
    lon_deg = np.mod(lon_deg + 180.0, 360.0) - 180.0
    lat_deg = np.interp(t_s, timeline.t_s, lat_deg)
    return [_numbers(place, 3) for place in np.stack([lon_deg, lat_deg], axis=1)]
