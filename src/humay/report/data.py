"""What the page draws: times as seconds after the plan's start, curves thinned, lines packed.

The plan file is made to be checked; the page only has to show it. Attitude laws and quaternions
stay behind, positions keep 1 m, track and coast points 0.002 deg, curves 0.1 % of their range.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.errors import HumayError, PlanError
from humay.time import parse_utc

Json: TypeAlias = Mapping[str, Any]  # parsed JSON: its types are known only by its documentation

STEPS_PER_DEGREE = 500  # of packed lines: 0.002 deg is 220 m, below a pixel of the map as it opens
CURVE_TOLERANCE = 1e-3  # of a curve's range

PLAN_KEYS = ("format", "mission", "start", "end", "release", "seed", "iterations", "objective",
             "satellites", "requests", "acquisitions", "passes", "downlinks")  # fmt: skip
OBJECTIVE_KEYS = ("value", "bound", "gap", "method")
SATELLITE_KEYS = ("name", "orbit_epoch", "age_days", "orbit_sigma_m", "imaging_s", "acquisitions",
                  "downlinked_gbit")  # fmt: skip
REQUEST_KEYS = ("name", "kind", "priority", "weight", "purpose", "height_m", "height_source",
                "opportunities", "outcome", "fraction", "strips", "reason")  # fmt: skip
ACQUISITION_KEYS = ("id", "satellite", "request", "strip", "orbit", "anx_offset_s", "centre_line",
                    "width_m", "off_nadir_deg", "roll_deg", "pitch_deg", "incidence_deg",
                    "azimuth_deg", "sun_elevation_deg", "gsd_m", "data_gbit", "value",
                    "uplink")  # fmt: skip
PASS_KEYS = ("id", "station", "satellite", "uplink", "max_elevation_deg")
DOWNLINK_KEYS = ("id", "pass", "satellite", "station", "gbit")


def page_data(
    plan: Json, figures: Json, *, land: Iterable[FloatArray], borders: Iterable[FloatArray]
) -> dict[str, Any]:
    """The data of the page, ready for JSON; raises `PlanError` where the plan lacks something."""
    _refuse_incomplete(plan)
    clock = Clock(plan)
    return {
        "mission": plan["mission"],
        "start": plan["start"],
        "steps_per_degree": STEPS_PER_DEGREE,
        "span_s": clock.seconds(plan["end"], "the plan's end"),
        "satellites": [_satellite(s["name"], plan, figures, clock) for s in plan["satellites"]],
        "requests": [_request(r, f"requests[{i}]") for i, r in enumerate(plan["requests"])],
        "acquisitions": [
            _acquisition(a, f"acquisitions[{i}]", clock) for i, a in enumerate(plan["acquisitions"])
        ],
        "passes": _spans(plan, "passes", PASS_KEYS, clock),
        "downlinks": _spans(plan, "downlinks", DOWNLINK_KEYS, clock),
        "stations": [
            take(s, ("name", "lon_deg", "lat_deg"), f"figures: stations[{i}]")
            for i, s in enumerate(figures.get("stations", ()))
        ],
        "land": [pack_line(line) for line in land],
        "borders": [pack_line(line) for line in borders],
    }


def _refuse_incomplete(plan: Json) -> None:
    take(plan, PLAN_KEYS, "the plan")
    take(plan["objective"], OBJECTIVE_KEYS, "objective")
    for index, satellite in enumerate(plan["satellites"]):
        take(satellite, SATELLITE_KEYS, f"satellites[{index}]")
    if plan["format"] != "humay-plan-1":
        raise PlanError(f"the plan's format is {plan['format']!r}, expected 'humay-plan-1'")


def field(entry: Json, key: str, where: str) -> Any:
    """One entry of the plan, refused by name when it is missing."""
    try:
        return entry[key]
    except KeyError:
        raise PlanError(
            f"{where} has no {key!r}, expected as in the description of the plan file"
        ) from None


def take(entry: Json, keys: Sequence[str], where: str) -> dict[str, Any]:
    """The named entries, and no others."""
    return {key: field(entry, key, where) for key in keys}


class Clock:
    """Turns UTC texts into seconds after the plan's start, for drawing: no leap seconds."""

    def __init__(self, plan: Json) -> None:
        self.start = moment(plan["start"], "the plan's start")

    def seconds(self, text: str, where: str) -> float:
        return round((moment(text, where) - self.start) / timedelta(seconds=1), 3)


def moment(text: str, where: str) -> datetime:
    try:
        return parse_utc(text)
    except HumayError as error:
        raise PlanError(f"{where}: {error}") from error


def pack_line(line: FloatArray) -> str:
    """Points (n, 2) as text: differences in steps of 1/500 deg, five bits a letter from `?` on.

    The encoded polyline format of Google Maps, with that step for 1e-5 deg and longitude first.
    """
    steps = np.rint(np.asarray(line, dtype=np.float64) * STEPS_PER_DEGREE).astype(np.int64)
    moves = np.diff(steps, axis=0, prepend=np.zeros((1, 2), dtype=np.int64))
    unsigned = np.where(moves < 0, ~(moves << 1), moves << 1).ravel().tolist()
    return "".join(letter for value in unsigned for letter in _letters(value))


def _letters(value: int) -> Iterable[str]:
    while value >= 0x20:
        yield chr((value & 0x1F | 0x20) + 63)
        value >>= 5
    yield chr(value + 63)


def thin_curve(t_s: FloatArray, values: FloatArray) -> tuple[list[float], list[float]]:
    """The fewest points found whose straight joins keep within `CURVE_TOLERANCE` of the range.

    Ramer, Computer Graphics and Image Processing 1 (1972) 244: keep the point farthest off.
    """
    if len(t_s) < 3:
        return t_s.round(3).tolist(), values.tolist()
    tolerance = CURVE_TOLERANCE * float(np.ptp(values))
    keep = np.zeros(len(t_s), dtype=bool)
    keep[[0, -1]] = True
    spans = [(0, len(t_s) - 1)]
    while spans:
        first, last = spans.pop()
        chord = np.interp(t_s[first : last + 1], t_s[[first, last]], values[[first, last]])
        off = np.abs(values[first : last + 1] - chord)
        worst = first + int(off.argmax())
        if off[worst - first] > tolerance:
            keep[worst] = True
            spans += [(first, worst), (worst, last)]
    return t_s[keep].round(3).tolist(), values[keep].round(4).tolist()


def _satellite(name: str, plan: Json, figures: Json, clock: Clock) -> dict[str, Any]:
    segments = plan.get("attitude", {}).get(name, ())
    track = plan.get("ground_tracks", {}).get(name, ())
    return {
        "name": name,
        "eclipses": [
            _span(e, f"eclipses[{name}]", clock) for e in plan.get("eclipses", {}).get(name, ())
        ],
        "slews": [
            [*_span(s, f"attitude[{name}]", clock), s.get("angle_deg")]
            for s in segments
            if s["mode"] == "slew"
        ],
        "track": pack_line(np.array(track)) if len(track) else "",
        "curves": _curves(plan.get("resources", {}).get(name, {}), name, clock),
        "limits": figures.get("limits", {}).get(name, {}),
    }


def _curves(resources: Json, name: str, clock: Clock) -> dict[str, Any]:
    if not resources or not len(resources["time"]):
        return {}
    t_s = np.array([clock.seconds(text, f"resources[{name}].time") for text in resources["time"]])
    series = {key: resources[key] for key in ("memory_gbit", "battery_wh") if resources.get(key)}
    curves: dict[str, Any] = {key: thin_curve(t_s, np.array(v)) for key, v in series.items()}
    curves["imaging_s"] = [thin_curve(t_s, np.array(v)) for v in resources.get("imaging_s", ())]
    return curves


def _request(entry: Json, where: str) -> dict[str, Any]:
    made = take(entry, REQUEST_KEYS, where)
    geometry = field(entry, "geometry", where)
    made["geometry"] = {
        "type": geometry["type"],
        "coordinates": rounded(geometry["coordinates"]),
    }
    imaged = [s for s in made["strips"] if s["acquisition"] is not None]
    made["strips"] = [len(imaged), len(made["strips"])]
    return made


def _acquisition(entry: Json, where: str, clock: Clock) -> dict[str, Any]:
    made = take(entry, ACQUISITION_KEYS, where)
    made["centre_line"] = rounded(made["centre_line"])
    made["start_s"], made["end_s"] = _span(entry, where, clock)
    delivered = field(entry, "delivered", where)
    made["delivered_s"] = None if delivered is None else clock.seconds(delivered, where)
    return made


def _spans(plan: Json, kind: str, keys: Sequence[str], clock: Clock) -> list[dict[str, Any]]:
    made = []
    for index, entry in enumerate(plan[kind]):
        where = f"{kind}[{index}]"
        start_s, end_s = _span(entry, where, clock)
        made.append({**take(entry, keys, where), "start_s": start_s, "end_s": end_s})
    return made


def _span(entry: Json, where: str, clock: Clock) -> list[float]:
    return [clock.seconds(field(entry, key, where), f"{where}.{key}") for key in ("start", "end")]


def rounded(coordinates: Any) -> Any:
    """Coordinates of any nesting to 1e-5 deg (1 m)."""
    if isinstance(coordinates, (int, float)):
        return round(coordinates, 5)
    return [rounded(part) for part in coordinates]
