"""A valid plan is called valid, and each way of spoiling it is found by the check it concerns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from humay.check import check_plan, verdict
from humay.check.violations import CODES
from humay.mission import (
    AxisLimits,
    ImagingLimit,
    KeepOut,
    Mission,
    OrbitLimit,
    OrbitSigma,
    Outage,
    RateStep,
    Station,
    Thermal,
    Wheels,
)
from humay.time import format_utc
from tests.check.valid_plan import (
    MISSION,
    START,
    Json,
    first_times,
    moved,
    of_id,
    requests,
    valid_plan,
)

Spoil = Callable[[Json], None]


def shift(entry: Json, by_s: float, *keys: str) -> None:
    for key in keys or ("start", "end"):
        entry[key] = moved(entry[key], by_s)


def request_entry(plan: Json, name: str) -> Json:
    return next(entry for entry in plan["requests"] if entry["name"] == name)


def tell_first_times(plan: Json) -> None:
    """Of every request, as the spoilt plan has them."""
    for entry in plan["requests"]:
        entry["first"] = first_times(plan["acquisitions"], plan["passes"], entry["name"])


def segment_before(plan: Json, satellite: str, acquisition: str, mode: str) -> tuple[Json, Json]:
    """The last segment of a mode before an acquisition's image, and the one before that."""
    segments = plan["attitude"][satellite]
    image = next(i for i, s in enumerate(segments)
                 if s["mode"] == "image" and s["acquisition"] == acquisition)  # fmt: skip
    i = max(i for i in range(image) if segments[i]["mode"] == mode)
    return segments[i], segments[i - 1]


def codes(plan: Json, mission: Mission = MISSION, wanted: Any = None) -> set[str]:
    return {v.code for v in check_plan(mission, wanted or requests(), plan)}


def with_satellites(**changes: Any) -> Mission:
    return replace(MISSION, satellites=tuple(replace(s, **changes) for s in MISSION.satellites))


def with_power(**changes: Any) -> Mission:
    return replace(
        MISSION,
        satellites=tuple(
            replace(s, power=None if s.power is None else replace(s.power, **changes))
            for s in MISSION.satellites
        ),
    )


def with_station(**changes: Any) -> Mission:
    station: Station = replace(MISSION.stations[0], **changes)
    return replace(MISSION, stations=(station,))


def wheels(**changes: float) -> Wheels:
    """For 100 kg m2 about every axis at 3 deg/s and 0.5 deg/s2: 5.24 N m s, 0.873 N m."""
    given: dict[str, float] = {"momentum_n_m_s": 5.24, "torque_n_m": 0.873}
    return Wheels(inertia_kg_m2=(100.0, 100.0, 100.0), **(given | changes))


def rates(*steps: tuple[float, float]) -> tuple[RateStep, ...]:
    """From degrees and Mbit/s."""
    return tuple(
        RateStep(elevation_rad=math.radians(deg), rate_bit_s=1e6 * mbit_s) for deg, mbit_s in steps
    )


@pytest.mark.parametrize(
    "mission",
    [
        with_station(antenna_rate_rad_s=math.radians(3.0), passes_per_day=4),
        with_station(max_elevation_rad=math.radians(6.8)),
        with_station(rate_by_elevation=rates((4.0, 300.0), (6.8, 1.0))),
        with_satellites(commands_per_pass=2, command_queue=2, image_while_downlinking=False),
        with_satellites(axis_limits=AxisLimits(rate_rad_s=(0.0524, 0.0524, 0.0524))),
        with_satellites(wheels=wheels()),
    ],
)
def test_a_plan_within_tighter_limits_is_valid(mission: Mission) -> None:
    assert verdict(check_plan(mission, requests(), valid_plan())) == "valid"


def test_a_plan_made_by_hand_is_valid() -> None:
    assert verdict(check_plan(MISSION, requests(), valid_plan())) == "valid"


# ---------------------------------------------------------------- the plan spoilt


def slew_shortened(plan: Json) -> None:
    slew, idle = segment_before(plan, "alpha", "a2", "slew")
    before_s = sum(phase["duration_s"] for phase in slew["phases"])
    for phase in slew["phases"]:
        phase["duration_s"] *= 0.9
    idle["end"] = slew["start"] = moved(slew["start"], 0.1 * before_s)


def slew_without_its_brake(plan: Json) -> None:
    slew, _ = segment_before(plan, "alpha", "a1", "slew")
    slew["phases"][-1]["acceleration_deg_s2"] = [0.0, 0.0, 0.0]


def slew_longer_than_its_phases(plan: Json) -> None:
    slew, idle = segment_before(plan, "beta", "b1", "slew")
    idle["end"] = slew["start"] = moved(slew["start"], -0.002)


def slew_of_another_angle(plan: Json) -> None:
    segment_before(plan, "alpha", "a1", "slew")[0]["angle_deg"] += 0.5


def strip_a_minute_late(plan: Json) -> None:
    shift(of_id(plan, "acquisitions", "a1"), 60.0)


def strip_wider_than_the_swath(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["width_m"] = 20_000.0


def other_roll(plan: Json) -> None:
    of_id(plan, "acquisitions", "a2")["roll_deg"] += 0.1


def other_azimuth(plan: Json) -> None:
    of_id(plan, "acquisitions", "b1")["azimuth_deg"] -= 180.0


def other_sun(plan: Json) -> None:
    of_id(plan, "acquisitions", "b1")["sun_elevation_deg"] += 0.1


def finer_pixels(plan: Json) -> None:
    of_id(plan, "acquisitions", "b1")["gsd_m"] *= 0.9


def inverted_attitude(plan: Json) -> None:
    entry = of_id(plan, "acquisitions", "a1")
    entry["attitude_start"] = [
        *(-x for x in entry["attitude_start"][:3]),
        entry["attitude_start"][3],
    ]


def other_rate(plan: Json) -> None:
    of_id(plan, "acquisitions", "b1")["rate_end_deg_s"][1] += 0.02


def long_quaternion(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["attitude_end"] = [0.0, 0.0, 0.0, 0.0]


def gap_in_attitude(plan: Json) -> None:
    plan["attitude"]["beta"].pop()


def idle_another_way(plan: Json) -> None:
    plan["attitude"]["alpha"][0]["law"] = "sun"


def short_settling(plan: Json) -> None:
    settle, slew = segment_before(plan, "alpha", "a1", "settle")
    settle["start"] = slew["end"] = moved(settle["start"], 1.0)


def no_settling(plan: Json) -> None:
    settle, _ = segment_before(plan, "alpha", "a1", "settle")
    settle["mode"] = "image"


def image_of_another_time(plan: Json) -> None:
    image, _ = segment_before(plan, "alpha", "a2", "image")
    image["end"] = moved(image["end"], 0.001)


def downlink_attitude_without_need(plan: Json) -> None:
    plan["attitude"]["alpha"][0] = {**plan["attitude"]["alpha"][0], "mode": "downlink"}
    del plan["attitude"]["alpha"][0]["law"]


def two_strips_at_once(plan: Json) -> None:
    one, two = (of_id(plan, "acquisitions", name) for name in ("a1", "a2"))
    two["start"], two["end"] = moved(one["end"], -1.0), moved(one["end"], 2.0)


def pass_below_the_mask(plan: Json) -> None:
    shift(of_id(plan, "passes", "d-beta"), 20.0, "end", "contact_end")


def pass_outside_its_contact(plan: Json) -> None:
    entry = of_id(plan, "passes", "u-beta")
    entry["contact_start"] = moved(entry["start"], 1.0)


def other_height_of_a_pass(plan: Json) -> None:
    of_id(plan, "passes", "u-beta")["max_elevation_deg"] += 0.1


def two_satellites_on_one_antenna(plan: Json) -> None:
    of_id(plan, "passes", "u-alpha")["end"] = moved(of_id(plan, "passes", "u-beta")["start"], 30.0)
    tell_first_times(plan)


def no_time_to_set_up(plan: Json) -> None:
    of_id(plan, "passes", "u-alpha")["end"] = moved(of_id(plan, "passes", "u-beta")["start"], -59.0)
    tell_first_times(plan)


def outage_forgotten(plan: Json) -> None:
    plan["outages"].pop()


def outages_not_told(plan: Json) -> None:
    del plan["outages"]


def outage_of_nobody(plan: Json) -> None:
    plan["outages"].append({**plan["outages"][0], "satellite": "beta"})


def outage_shorter_than_it_is(plan: Json) -> None:
    shift(plan["outages"][1], -60.0, "end")


def command_after_the_act(plan: Json) -> None:
    of_id(plan, "passes", "d-alpha")["uplink"] = True
    of_id(plan, "acquisitions", "a1")["uplink"] = "d-alpha"
    tell_first_times(plan)


def command_by_another_satellite(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["uplink"] = "u-beta"
    tell_first_times(plan)


def command_in_a_pass_without_uplink(plan: Json) -> None:
    of_id(plan, "passes", "u-alpha")["uplink"] = False


def command_in_no_pass(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["uplink"] = "nothing"
    tell_first_times(plan)


def released_too_late(plan: Json) -> None:
    plan["release"] = "2026-03-01T00:03:00Z"


def downlink_dropped(plan: Json) -> None:
    plan["downlinks"] = [d for d in plan["downlinks"] if d["id"] != "s1"]
    plan["satellites"][0]["downlinked_gbit"] = 0.0
    gone = plan["resources"]["alpha"]["memory_gbit"]
    top = max(gone)
    plan["resources"]["alpha"]["memory_gbit"] = [
        max(gone[: i + 1]) if value != top else top for i, value in enumerate(gone)
    ]


def downlink_too_fast(plan: Json) -> None:
    entry = of_id(plan, "downlinks", "s2")
    entry["end"] = moved(entry["end"], -0.5)


def downlink_outside_its_pass(plan: Json) -> None:
    booked, entry = of_id(plan, "passes", "d-alpha"), of_id(plan, "downlinks", "s1")
    booked["start"] = moved(entry["start"], 1.0)


def downlink_in_another_attitude(plan: Json) -> None:
    shift(of_id(plan, "downlinks", "s2"), 29.5)


def downlink_of_another_sum(plan: Json) -> None:
    of_id(plan, "downlinks", "s1")["items"][0]["gbit"] -= 0.1


def delivered_early(plan: Json) -> None:
    entry = of_id(plan, "acquisitions", "a1")
    entry["delivered"] = moved(entry["delivered"], -10.0)
    tell_first_times(plan)


def not_delivered_but_sent(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["delivered"] = None
    tell_first_times(plan)


def delivered_but_half_sent(plan: Json) -> None:
    of_id(plan, "acquisitions", "b1")["delivered"] = of_id(plan, "downlinks", "s2")["end"]


def more_left_than_there_was(plan: Json) -> None:
    items = of_id(plan, "downlinks", "s1")["items"]
    items[0]["acquisition"] = items[1]["acquisition"] = None
    items[2]["gbit"] += 9.0
    of_id(plan, "downlinks", "s1")["gbit"] += 9.0


def sent_before_it_is_taken(plan: Json) -> None:
    entry = of_id(plan, "downlinks", "s1")
    entry["pass"] = "u-alpha"
    of_id(plan, "passes", "u-alpha")["end"] = moved(of_id(plan, "passes", "u-alpha")["end"], 20.0)
    shift(entry, -5_970.0)


def more_data_than_lines(plan: Json) -> None:
    of_id(plan, "acquisitions", "b1")["data_gbit"] *= 1.02


def other_lines(plan: Json) -> None:
    entry = of_id(plan, "acquisitions", "b1")
    entry["line_period_s"] *= 1.5
    entry["data_gbit"] /= 1.5


def other_memory_curve(plan: Json) -> None:
    curve = plan["resources"]["beta"]["memory_gbit"]
    curve[len(curve) // 2] += 1.5


def memory_curve_without_its_corners(plan: Json) -> None:
    curves = plan["resources"]["alpha"]
    for key in ("time", "memory_gbit", "battery_wh"):
        curves[key] = [curves[key][0], curves[key][-1]]
    curves["imaging_s"] = [[c[0], c[-1]] for c in curves["imaging_s"]]


def other_battery_curve(plan: Json) -> None:
    curve = plan["resources"]["alpha"]["battery_wh"]
    curve[len(curve) // 2] += 3.0


def no_battery_curve(plan: Json) -> None:
    del plan["resources"]["beta"]["battery_wh"]


def other_imaging_curve(plan: Json) -> None:
    plan["resources"]["alpha"]["imaging_s"][1][30] += 1.0


def eclipse_forgotten(plan: Json) -> None:
    plan["eclipses"]["alpha"].pop()


def eclipse_three_seconds_late(plan: Json) -> None:
    shift(plan["eclipses"]["beta"][1], 3.0)


def narrow_strip(plan: Json) -> None:
    request_entry(plan, "coast")["strips"][0]["width_m"] = 9_000.0
    of_id(plan, "acquisitions", "a2")["width_m"] = 9_000.0


def strip_beside_the_point(plan: Json) -> None:
    for place in request_entry(plan, "far away")["strips"][0]["centre_line"]:
        place[1] += 2e-5


def strip_at_another_height(plan: Json) -> None:
    for place in request_entry(plan, "far away")["strips"][0]["centre_line"]:
        place[2] += 5.0


def area_strip_at_another_height(plan: Json) -> None:
    for entry in (
        request_entry(plan, "coast")["strips"][0],
        of_id(plan, "acquisitions", "a2"),
    ):
        for place in entry["centre_line"]:
            place[2] += 1_000.0


def strip_that_lies_nowhere(plan: Json) -> None:
    request_entry(plan, "coast")["strips"][0]["centre_line"] = None


def imaged_though_it_lies_nowhere(plan: Json) -> None:
    request_entry(plan, "town")["strips"][0]["width_m"] = None


def shares_of_more_than_all(plan: Json) -> None:
    request_entry(plan, "coast")["strips"][0]["share"] = 0.51


def unfair_shares(plan: Json) -> None:
    left, right = request_entry(plan, "coast")["strips"]
    left["share"], right["share"] = 0.7, 0.3
    of_id(plan, "acquisitions", "a2")["value"] = 1.4
    of_id(plan, "acquisitions", "b1")["value"] = 0.6


def wrong_outcome(plan: Json) -> None:
    request_entry(plan, "town")["outcome"] = "partly"


def wrong_fraction(plan: Json) -> None:
    request_entry(plan, "far away")["fraction"] = 0.5


def no_reason(plan: Json) -> None:
    request_entry(plan, "far away")["reason"] = None


def answered_earlier(plan: Json) -> None:
    first = request_entry(plan, "town")["first"]
    first["image"] = moved(first["image"], -1.0)


def answered_without_an_image(plan: Json) -> None:
    request_entry(plan, "far away")["first"]["uplink"] = "2026-03-01T00:05:08.673557Z"


def delivery_not_told(plan: Json) -> None:
    request_entry(plan, "town")["first"]["delivery"] = None


def wrong_value(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["value"] += 1.0


def looks_of_a_request_for_one(plan: Json) -> None:
    strip = request_entry(plan, "town")["strips"][0]
    strip["acquisitions"] = [strip["acquisition"]]


def bound_lowered(plan: Json) -> None:
    objective = plan["objective"]
    objective["bound"] = objective["value"] - 0.01
    objective["gap"] = (objective["bound"] - objective["value"]) / objective["bound"]


def wrong_gap(plan: Json) -> None:
    plan["objective"]["gap"] /= 2


def wrong_objective(plan: Json) -> None:
    objective = plan["objective"]
    objective["value"] += 1.0
    objective["gap"] = (objective["bound"] - objective["value"]) / objective["bound"]


def other_elements(plan: Json) -> None:
    plan["satellites"][0]["orbit_epoch"] = "2026-02-27T06:00:00Z"


def younger_elements(plan: Json) -> None:
    plan["satellites"][0]["age_days"][1] -= 0.1


def surer_orbit(plan: Json) -> None:
    plan["satellites"][1]["orbit_sigma_m"][0] *= 0.9


def another_orbit_number(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["orbit"] += 1


def another_time_after_the_node(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["anx_offset_s"] += 0.1


def track_moved(plan: Json) -> None:
    plan["ground_tracks"]["alpha"][7][1] -= 0.2


def track_cut(plan: Json) -> None:
    plan["ground_tracks"]["alpha"] = plan["ground_tracks"]["alpha"][:-3]


def ends_before_it_starts(plan: Json) -> None:
    plan["end"] = "2026-02-28T00:00:00Z"


def lasts_for_years(plan: Json) -> None:
    plan["end"] = "2056-02-28T00:00:00Z"


def before_the_earth_was_measured(plan: Json) -> None:
    plan["start"], plan["end"] = "1066-10-14T00:00:00Z", "1066-10-15T00:00:00Z"


def released_after_its_end(plan: Json) -> None:
    plan["release"] = "2026-03-02T00:00:00Z"


def of_another_mission(plan: Json) -> None:
    plan["mission"] = "another"


def unknown_satellite(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["satellite"] = "gamma"


def unknown_station(plan: Json) -> None:
    of_id(plan, "downlinks", "s1")["station"] = "south"


def unknown_strip(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["strip"] = "2"


def unknown_item(plan: Json) -> None:
    of_id(plan, "downlinks", "s2")["items"][0]["acquisition"] = "b9"


def unknown_competitor(plan: Json) -> None:
    request_entry(plan, "far away")["reason"]["competitors"] = ["nobody"]


def strip_that_names_nothing(plan: Json) -> None:
    request_entry(plan, "town")["strips"][0]["acquisition"] = "a7"


def one_id_twice(plan: Json) -> None:
    of_id(plan, "acquisitions", "a2")["id"] = "a1"


def request_forgotten(plan: Json) -> None:
    plan["requests"].pop()


def request_twice(plan: Json) -> None:
    plan["requests"].append(plan["requests"][-1])


def satellite_forgotten(plan: Json) -> None:
    del plan["ground_tracks"]["beta"]


def another_priority(plan: Json) -> None:
    request_entry(plan, "town")["priority"] = 9


def another_place(plan: Json) -> None:
    request_entry(plan, "town")["geometry"]["coordinates"] = [0.0, 0.0]


def another_kind_of_place(plan: Json) -> None:
    entry = request_entry(plan, "town")
    entry["geometry"] = {"type": "LineString", "coordinates": [[0.0, 0.0], [1.0, 1.0]]}


def another_height_of_a_request(plan: Json) -> None:
    request_entry(plan, "town")["height_m"] = 501.0


def outside_the_span(plan: Json) -> None:
    plan["passes"].append(
        {**plan["passes"][0], "id": "late", "start": "2026-03-01T02:59:00Z",
         "end": "2026-03-01T03:01:00Z"}
    )  # fmt: skip


def backward_pass(plan: Json) -> None:
    booked = of_id(plan, "passes", "u-alpha")
    booked["start"], booked["end"] = booked["end"], booked["start"]


def line_without_length(plan: Json) -> None:
    entry = of_id(plan, "acquisitions", "a1")
    entry["centre_line"][1] = entry["centre_line"][0]


def strip_flown_elsewhere(plan: Json) -> None:
    of_id(plan, "acquisitions", "a1")["centre_line"][1][0] += 0.001


def times_go_back(plan: Json) -> None:
    plan["resources"]["alpha"]["time"][3:5] = reversed(plan["resources"]["alpha"]["time"][3:5])


def wrong_totals(plan: Json) -> None:
    plan["satellites"][0]["imaging_s"] += 1.0


EXACTLY: dict[str, list[Spoil]] = {
    "slew": [slew_shortened, slew_without_its_brake, slew_longer_than_its_phases,
             slew_of_another_angle],
    "window": [strip_wider_than_the_swath, other_roll, other_azimuth, other_sun, finer_pixels],
    "attitude": [inverted_attitude, other_rate, long_quaternion, no_settling,
                 image_of_another_time, downlink_attitude_without_need],
    "contact": [pass_below_the_mask, pass_outside_its_contact, other_height_of_a_pass],
    "antenna": [two_satellites_on_one_antenna, no_time_to_set_up],
    "outage": [outage_forgotten, outages_not_told, outage_of_nobody, outage_shorter_than_it_is],
    "uplink": [command_after_the_act, command_by_another_satellite, command_in_no_pass,
               command_in_a_pass_without_uplink, released_too_late],
    "downlink": [downlink_too_fast, downlink_outside_its_pass, downlink_in_another_attitude,
                 downlink_of_another_sum, delivered_early, not_delivered_but_sent,
                 delivered_but_half_sent],
    "memory": [other_lines, other_memory_curve],
    "energy": [other_battery_curve, no_battery_curve],
    "imaging_time": [other_imaging_curve],
    "eclipse": [eclipse_forgotten, eclipse_three_seconds_late],
    "coverage": [answered_earlier, answered_without_an_image, delivery_not_told,
                 narrow_strip, wrong_outcome, wrong_fraction, no_reason, wrong_value,
                 unfair_shares],
    "looks": [looks_of_a_request_for_one],
    "bound": [bound_lowered, wrong_gap, wrong_objective],
    "orbit": [other_elements, younger_elements, surer_orbit, another_orbit_number,
              another_time_after_the_node, track_moved, track_cut],
    "span": [ends_before_it_starts, lasts_for_years, before_the_earth_was_measured,
             released_after_its_end, of_another_mission, unknown_competitor, satellite_forgotten,
             another_priority, another_place, another_kind_of_place, another_height_of_a_request,
             outside_the_span, wrong_totals],
}  # fmt: skip
"""What is found by its own check and no other."""

AMONG_OTHERS: dict[str, list[Spoil]] = {
    "window": [strip_a_minute_late],
    "attitude": [gap_in_attitude, short_settling, idle_another_way],
    "keep_out": [idle_another_way],
    "overlap": [two_strips_at_once],
    "downlink": [downlink_dropped, more_left_than_there_was, sent_before_it_is_taken],
    "memory": [more_data_than_lines, memory_curve_without_its_corners],
    "coverage": [strip_beside_the_point, strip_at_another_height, area_strip_at_another_height,
                 shares_of_more_than_all, strip_that_lies_nowhere, imaged_though_it_lies_nowhere],
    "span": [unknown_satellite, unknown_station, unknown_strip, unknown_item, one_id_twice,
             strip_that_names_nothing, request_forgotten, request_twice, backward_pass,
             line_without_length, strip_flown_elsewhere, times_go_back],
}  # fmt: skip
"""What breaks other promises besides."""


def pairs(table: dict[str, list[Spoil]]) -> list[Any]:
    return [
        pytest.param(code, spoil, id=f"{code}-{spoil.__name__}")
        for code, spoils in table.items()
        for spoil in spoils
    ]


ELSEWHERE = {
    "previous": ("tests/chain/test_replanning.py", 'assert "previous" in codes'),
    "calibration": ("tests/chain/test_calibration.py", 'assert any(v.code == "calibration" and'),
    "tracking": (
        "tests/chain/test_star_trackers.py",
        'assert {v.code for v in found} == {"tracking"}',
    ),
}
"""Where plans that the valid one here is not like are spoilt, and what is asserted there."""


@pytest.mark.parametrize(("code", "spoil"), pairs(EXACTLY))
def test_a_mutation_is_found_by_its_own_check_and_no_other(code: str, spoil: Spoil) -> None:
    plan = valid_plan()
    spoil(plan)
    assert codes(plan) == {code}


@pytest.mark.parametrize(("code", "spoil"), pairs(AMONG_OTHERS))
def test_a_mutation_is_found_by_its_own_check_among_others(code: str, spoil: Spoil) -> None:
    plan = valid_plan()
    spoil(plan)
    assert code in codes(plan)


def test_every_check_has_mutations_and_a_row_on_its_page(repository: Path) -> None:
    page = (repository / "docs/guide/check.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert rows == list(CODES)
    for test, found in ELSEWHERE.values():
        assert found in (repository / test).read_text(encoding="utf-8")
    assert {*EXACTLY, *AMONG_OTHERS, *ELSEWHERE} == set(CODES)


def test_a_quaternion_and_its_negative_are_one_attitude() -> None:
    plan = valid_plan()
    entry = of_id(plan, "acquisitions", "a1")
    entry["attitude_start"] = [-x for x in entry["attitude_start"]]
    assert codes(plan) == set()


def test_what_is_never_in_reach_may_lie_nowhere() -> None:
    plan = valid_plan()
    (strip,) = request_entry(plan, "far away")["strips"]
    strip["centre_line"] = strip["width_m"] = None
    assert codes(plan) == set()


# ---------------------------------------------------------------- the mission changed


@pytest.mark.parametrize(
    ("code", "mission"),
    [
        ("memory", with_satellites(memory_bit=21.5e9)),
        ("energy", with_power(max_depth_of_discharge=0.2)),
        ("energy", with_power(battery_j=150 * 3600.0)),
        ("energy", with_power(platform_w=130.0)),
        ("energy", with_power(panel_normal=(0.0, 0.0, 1.0))),
        ("energy", with_satellites(power=None, idle_attitude="nadir")),
        ("slew", with_satellites(slew_rate_rad_s=math.radians(2.0))),
        ("slew", with_satellites(slew_acceleration_rad_s2=math.radians(0.49))),
        ("slew", with_satellites(axis_limits=AxisLimits(rate_rad_s=(0.03, 0.03, 0.03)))),
        ("slew", with_satellites(axis_limits=AxisLimits(acceleration_rad_s2=(1.0, 0.001, 1.0)))),
        ("slew", with_satellites(wheels=wheels(momentum_n_m_s=2.0))),
        ("slew", with_satellites(wheels=wheels(torque_n_m=0.8))),
        ("attitude", with_satellites(settle_s=3.001)),
        ("uplink", with_satellites(preparation_s=300.0)),
        ("uplink", with_satellites(command_lead_s=1_200.0)),
        ("downlink", with_satellites(downlink_bit_s=250e6)),
        ("downlink", with_station(downlink_bit_s=250e6)),
        ("antenna", with_station(setup_s=300.0)),
        ("antenna", with_station(antenna_rate_rad_s=math.radians(0.1))),
        ("antenna", with_station(passes_per_day=3)),
        ("uplink", with_satellites(commands_per_pass=1)),
        ("uplink", with_satellites(command_queue=1)),
        ("downlink", with_station(max_elevation_rad=math.radians(6.0))),
        ("downlink", with_station(rate_by_elevation=rates((6.0, 300.0)))),
        ("downlink", with_station(rate_by_elevation=rates((5.0, 299.0)))),
        ("downlink", with_station(rate_by_elevation=rates((5.0, 300.0), (6.0, 0.0)))),
        ("contact", with_station(mask=((1.0, math.radians(8)),))),
        ("contact", with_station(min_elevation_rad=math.radians(6.6))),
        ("contact", with_station(downlink=False)),
        ("contact", with_station(uplink=False)),
        ("window", with_satellites(max_off_nadir_rad=math.radians(17.0))),
        ("window", with_satellites(max_roll_rad=math.radians(17.0))),
        ("window", with_satellites(min_sun_elevation_rad=math.radians(30.0))),
        ("window", with_satellites(pointing_sigma_rad=math.radians(6.0))),
        ("span", replace(MISSION, name="another")),
    ],
)  # fmt: skip
def test_a_plan_for_another_mission_is_refused_for_what_differs(
    code: str, mission: Mission
) -> None:
    assert code in codes(valid_plan(), mission)


def minutes(after: float) -> datetime:
    return START + timedelta(minutes=after)


@pytest.mark.parametrize(
    ("who", "start", "end", "busy"),
    [
        ({"station": "north"}, 2.0, 3.6, []),
        ({"station": "north"}, 3.0, 4.0, ["pass 'u-alpha'"]),
        ({"station": "north"}, 103.2, 103.6, ["pass 'd-alpha'", "downlink 's1'"]),
        ({"satellite": "alpha"}, 103.2, 103.6, ["pass 'd-alpha'", "downlink 's1'"]),
        ({"satellite": "beta"}, 103.2, 103.6, []),
        ({"satellite": "alpha"}, 18.28, 18.3, ["acquisition 'a1'", "attitude['alpha'][3] (image)"]),
        ({"satellite": "alpha"}, 18.1, 18.2, ["attitude['alpha'][1] (slew)"]),
        ({"satellite": "alpha"}, 20.0, 21.0, []),
    ],
)
def test_nothing_is_done_in_an_outage(
    who: dict[str, str], start: float, end: float, busy: list[str]
) -> None:
    outage = Outage(start=minutes(start), end=minutes(end), reason="test", **who)
    plan = valid_plan()
    told = {"start": outage.start, "end": outage.end}
    plan["outages"].append(
        {"station": outage.station, "satellite": outage.satellite, "reason": "test",
         "cut": [], "dropped": [], **{key: format_utc(t) for key, t in told.items()}}
    )  # fmt: skip
    found = check_plan(replace(MISSION, outages=(*MISSION.outages, outage)), requests(), plan)
    assert {v.code for v in found} == ({"outage"} if busy else set())
    assert sorted(v.where.split(" of ")[0] for v in found) == sorted(busy)


def test_imaging_limits_hold_in_every_window() -> None:
    """Both strips of alpha, 2.90 s and 3.77 s, lie within 206 s of each other."""
    for seconds, per_s, found in ((6.66, 206.0, {"imaging_time"}), (6.68, 206.0, set())):
        limits = (
            ImagingLimit(seconds=600, per_s=5_900),
            ImagingLimit(seconds=seconds, per_s=per_s),
        )
        plan = valid_plan()
        for curves in plan["resources"].values():
            curves["time"] = []
            curves["imaging_s"] = [[], []]
            curves["memory_gbit"], curves["battery_wh"] = [], []
        mission = with_satellites(imaging_limits=limits)
        assert codes(plan, mission) - {"memory", "energy"} == found


def test_every_attitude_of_a_mode_keeps_off_what_must_not_be_looked_at() -> None:
    """600 km high the Earth's disc has a radius of asin(6378 / 6978) = 66.1 deg, so that nadir's
    opposite is 113.9 deg off its limb. 7 km of eccentricity and 9 km of J2 are 0.3 deg, geodetic
    nadir lies up to 0.2 deg beside the centre. Images tilt by 16 deg."""
    for least_deg, modes, found in (
        (113.3, ("idle",), set()),
        (114.5, ("idle",), {"attitude['alpha'][0] (idle)", "attitude['alpha'][5] (idle)"}),
        (113.3, ("image",), {"attitude['alpha'][3] (image)"}),
    ):
        tracker = KeepOut(
            name="star tracker", axis=(0.0, 0.0, -1.0), body="earth",
            angle_rad=math.radians(least_deg), modes=modes,
        )  # fmt: skip
        alpha, beta = MISSION.satellites
        mission = replace(MISSION, satellites=(replace(alpha, keep_out=(tracker,)), beta))
        violations = check_plan(mission, requests(), valid_plan())
        assert {v.code for v in violations} <= {"keep_out"}
        assert found <= {v.where for v in violations}
        assert bool(found) == bool(violations)


def test_the_sun_is_kept_off_along_slews_too() -> None:
    """Half past ten at the node, two months after perihelion: the Sun never comes nearer to the
    zenith than 22.5 deg in longitude, and slews tilt by less than 20 deg."""
    alpha, beta = MISSION.satellites
    for least_deg, found in ((2.0, set()), (60.0, {"keep_out"})):
        tracker = KeepOut(
            name="star tracker", axis=(0.0, 0.0, -1.0), body="sun",
            angle_rad=math.radians(least_deg), modes=("slew",),
        )  # fmt: skip
        mission = replace(MISSION, satellites=(replace(alpha, keep_out=(tracker,)), beta))
        assert codes(valid_plan(), mission) == found


def test_limits_of_an_orbit_hold_from_node_to_node() -> None:
    """Both strips of alpha, 2.90 s and 3.77 s, lie in one orbit, the one of beta in another."""
    for limit, found in (
        (OrbitLimit(imaging_s=6.66), {"imaging_time"}),
        (OrbitLimit(imaging_s=6.68), set()),
        (OrbitLimit(acquisitions=1), {"imaging_time"}),
        (OrbitLimit(acquisitions=2, imaging_s=7.0), set()),
    ):
        assert codes(valid_plan(), with_satellites(orbit_limit=limit)) == found


def test_a_camera_stays_cool_and_its_curve_is_told() -> None:
    """Strips of 2.90 s and 3.77 s, 200 s apart: at 1 K/s and with 1000 s to cool to 1/e, the second
    ends 3.76 + 2.90 exp(-0.2) = 6.1 K above its surroundings."""
    for limit_k, found in ((6.0, True), (6.3, False)):
        thermal = Thermal(heating_k_s=1.0, time_constant_s=1000.0, limit_k=limit_k)
        violations = check_plan(with_satellites(thermal=thermal), requests(), valid_plan())
        assert {v.code for v in violations} == {"imaging_time"}
        untold = [v for v in violations if "camera_k" in v.where]
        assert len(untold) == 2  # satellites
        assert (len(violations) > len(untold)) == found
    plan = valid_plan()
    curves = plan["resources"]["alpha"]
    curves["camera_k"] = [0.0] * len(curves["time"])
    assert codes(plan) == {"imaging_time"}


def test_the_satellite_is_also_looked_from_where_the_orbit_error_puts_it() -> None:
    """3 sigma are 60 of 6,990 km along the orbit.

    That is 54.6 km on the ground, seen at a pitch of asin(54.6 / 638) = 4.91 deg over 638 km;
    pointing adds 0.06 deg.
    """
    mission = with_satellites(
        orbit_sigma=OrbitSigma(at_epoch_m=20_000.0, per_day_m=0.0), max_pitch_rad=math.radians(4.0)
    )
    found = [v for v in check_plan(mission, requests(), valid_plan()) if v.code == "window"]
    assert {v.message.split(" is ")[0] for v in found} == {
        "pitch with 3 sigma of pointing, 3 sigma ahead",
        "pitch with 3 sigma of pointing, 3 sigma behind",
    }
    pitches = [float(v.message.split(" is ")[1].split()[0]) for v in found if "'a1'" in v.where]
    assert pitches == pytest.approx([4.97, 4.97], abs=0.06)  # the scan itself pitches a little


@pytest.mark.parametrize(
    "narrowed",
    [
        {"max_off_nadir_rad": math.radians(17.0)},
        {"min_sun_elevation_rad": math.radians(25.5)},
        {"start": "after the first line"},
        {"end": "before the last line"},
    ],
)
def test_a_request_narrows_the_window(narrowed: dict[str, Any]) -> None:
    acquisition = of_id(valid_plan(), "acquisitions", "a1")
    for key, step_s in (("start", 0.5), ("end", -0.5)):
        if key in narrowed:  # half a second inside the acquisition of the town
            moment = datetime.fromisoformat(acquisition[key]) + timedelta(seconds=step_s)
            narrowed = narrowed | {key: moment}
    wanted = tuple(replace(r, **narrowed) if r.name == "town" else r for r in requests())
    assert codes(valid_plan(), wanted=wanted) == {"window"}


def test_a_violation_says_when_where_what_was_found_and_what_was_expected() -> None:
    plan = valid_plan()
    of_id(plan, "acquisitions", "a1")["uplink"] = "u-beta"
    tell_first_times(plan)
    (violation, *_) = check_plan(MISSION, requests(), plan)
    started = of_id(valid_plan(), "acquisitions", "a1")["start"]
    assert str(violation) == (
        f"{started} [uplink] acquisition 'a1' of 'alpha': commanded in pass"
        " 'u-beta' of 'beta' over 'north', expected one of 'alpha'"
    )


def test_a_verdict_is_sorted_by_time_and_stops_after_fifty_lines() -> None:
    plan = valid_plan()
    plan["passes"] = []
    found = check_plan(MISSION, requests(), plan)
    times = [datetime.fromisoformat(v.time) for v in found if v.time is not None]
    assert times == sorted(times)
    lines = verdict(found * 20).splitlines()
    assert len(lines) == 51
    assert lines[-1] == f"and {20 * len(found) - 50} more violations"
