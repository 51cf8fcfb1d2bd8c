"""Conditions: what reads into which records, what is refused and how, and how they are said."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon

from humay.errors import MissionError, RequestError
from humay.mission import (
    AllOf,
    AnyOf,
    CloudModel,
    Constraint,
    HorizonMask,
    Inside,
    Mission,
    Not,
    PassDirection,
    RelativeOrbit,
    Sunlit,
    TerrainHorizon,
    Within,
    asks_for,
    conditions,
    describe,
    leaves,
    load_requests,
)
from humay.mission.constraint import DEEPEST_TREE, MOST_CONDITIONS, QUANTITIES, Quantity
from humay.mission.kinds import Place
from humay.mission.trees import DEEPEST_IN_FILE, MOST_IN_FILE, ConstraintTree
from tests.mission.test_schemas import fits

TRIANGLE = {"type": "Polygon", "coordinates": [[[48, 40], [49, 40], [49, 41], [48, 40]]]}
RAD = math.radians
Load = Callable[..., Mission]


def read(tree: Any) -> Constraint:
    return ConstraintTree().read(
        tree, Place(file="r.geojson", error=RequestError, path=("constraints",))
    )


def feature(tree: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [49, 40, 0]},
        "properties": {"name": "baku", "constraints": tree},
    }


def test_a_tree_with_one_of_everything() -> None:
    tree = {
        "off_nadir_deg": [5, 20],
        "roll_deg": [-10, None],
        "range_km": [None, 900],
        "gsd_m": [None, 0.7],
        "azimuth_deg": [350, 20],
        "local_solar_time_h": [9, 11.5],
        "sun_angle_deg": [30, 180],
        "incidence_deg": [None, 30],
        "axis": [3, 0, -4],
        "cloud_probability": [None, 0.2],
        "pass_direction": "descending",
        "sunlit": False,
        "horizon_mask": [[0, 12], [180, 4]],
        "terrain_horizon_km": 40,
        "inside": TRIANGLE,
        "relative_orbit": {"numbers": [1, 3], "cycle": 379, "shift": -2},
    }
    assert read(tree) == AllOf(
        parts=(
            Within(quantity="off_nadir_rad", low=RAD(5), high=RAD(20)),
            Within(quantity="roll_rad", low=RAD(-10)),
            Within(quantity="range_m", high=900e3),
            Within(quantity="gsd_m", high=0.7),
            Within(quantity="azimuth_rad", low=RAD(350), high=RAD(20)),
            Within(
                quantity="local_solar_time_rad", low=9 * (math.pi / 12), high=11.5 * (math.pi / 12)
            ),
            Within(quantity="sun_angle_rad", low=RAD(30), high=math.pi, axis=(0.6, 0.0, -0.8)),
            Within(quantity="incidence_rad", high=RAD(30)),
            Within(quantity="cloud_probability", high=0.2),
            PassDirection(ascending=False),
            Not(part=Sunlit()),
            HorizonMask(points=((0.0, RAD(12)), (RAD(180), RAD(4)))),
            TerrainHorizon(distance_m=40e3),
            Inside(geometry=Polygon([(48, 40), (49, 40), (49, 41)])),
            RelativeOrbit(numbers=(1, 3), cycle=379, shift=-2),
        )
    )
    assert fits(feature(tree), "requests")


def test_joints_nest_and_a_list_joins_by_and() -> None:
    low, high = {"sunlit": True}, {"pass_direction": "ascending"}
    sunlit, north = Sunlit(), PassDirection(ascending=True)
    assert read(low) == sunlit
    assert read([low, high]) == read({"and": [low, high]}) == read({**low, **high})
    assert read([low, high]) == AllOf(parts=(sunlit, north))
    assert read({"or": [low, {"not": [low, high]}]}) == AnyOf(
        parts=(sunlit, Not(part=AllOf(parts=(sunlit, north))))
    )


def test_an_axis_belongs_to_the_angles_of_its_own_table() -> None:
    tree = read([{"sun_angle_deg": [30, 180], "axis": [0, 2, 0]}, {"moon_angle_deg": [5, 180]}])
    sun, moon = leaves(tree)
    assert isinstance(sun, Within)
    assert isinstance(moon, Within)
    assert (sun.axis, moon.axis) == ((0, 1, 0), (0, 0, 1))


REFUSALS: list[tuple[Any, str]] = [
    (5, "r.geojson: [constraints] is 5, expected a table of conditions or a list of them"),
    ([], "r.geojson: [constraints] is [], expected a list of conditions"),
    ({}, "r.geojson: [constraints] has no condition, expected at least one"),
    (
        {"incidense_deg": [0, 30]},
        "r.geojson: [constraints] unknown condition 'incidense_deg', did you mean 'incidence_deg'?",
    ),
    (
        [{"sunlit": True}, {"glint": [0, 30]}],
        "r.geojson: [constraints.2] unknown condition 'glint', did you mean 'glint_deg'?",
    ),
    (
        {"incidence_deg": 30},
        "r.geojson: [constraints.incidence_deg] is 30, expected [low, high]",
    ),
    (
        {"incidence_deg": [None, None]},
        "r.geojson: [constraints.incidence_deg] is [missing, missing], expected at least one bound",
    ),
    (
        {"or": [{"incidence_deg": [30, 20]}]},
        "r.geojson: [constraints.or.1.incidence_deg] is [30, 20], expected the lower bound first",
    ),
    (
        {"not": {"incidence_deg": [-1, 20]}},
        "r.geojson: [constraints.not.incidence_deg] is [-1, 20], expected bounds from 0 to 90",
    ),
    (
        {"incidence_deg": [0, math.nan]},
        "r.geojson: [constraints.incidence_deg] is [0, nan], expected bounds from 0 to 90",
    ),
    (
        {"incidence_deg": [True, 20]},
        "r.geojson: [constraints.incidence_deg] is [true, 20], expected bounds from 0 to 90",
    ),
    (
        {"cloud_probability": [0, 20]},
        "r.geojson: [constraints.cloud_probability] is [0, 20], expected bounds from 0 to 1",
    ),
    (
        {"azimuth_deg": [None, 20]},
        "r.geojson: [constraints.azimuth_deg] is [missing, 20], expected both bounds, for it runs "
        "in a circle",
    ),
    ({"and": {}}, "r.geojson: [constraints.and] is a table, expected a list of conditions"),
    ({"or": []}, "r.geojson: [constraints.or] is [], expected a list of conditions"),
    (
        {"axis": [0, 0, 1], "glint_deg": [20, 180]},
        "r.geojson: [constraints] has an axis without its angle, expected one of sun_angle_deg, "
        "moon_angle_deg, limb_angle_deg",
    ),
    (
        {"axis": [0, 0, 0], "sun_angle_deg": [20, 180]},
        "r.geojson: [constraints.axis] is [0, 0, 0], expected three numbers that are not all zero",
    ),
    ({"sunlit": 1}, "r.geojson: [constraints.sunlit] is 1, expected true or false"),
    (
        {"pass_direction": "north"},
        "r.geojson: [constraints.pass_direction] is 'north', expected \"ascending\" or "
        '"descending"',
    ),
    (
        {"horizon_mask": []},
        "r.geojson: [constraints.horizon_mask] horizon mask has 0 points, expected 1 to 3600",
    ),
    (
        {"horizon_mask": [[90, 1], [10, 2]]},
        "r.geojson: [constraints.horizon_mask] horizon mask has azimuth 10 after 90, expected "
        "rising azimuths",
    ),
    (
        {"horizon_mask": [[0, 1], [360, 2]]},
        "r.geojson: [constraints.horizon_mask.2] is 360, expected a number at least 0 and less "
        "than 360",
    ),
    (
        {"horizon_mask": [7]},
        "r.geojson: [constraints.horizon_mask.1] is 7, expected [azimuth, elevation] in degrees",
    ),
    (
        {"terrain_horizon_km": 500},
        "r.geojson: [constraints.terrain_horizon_km] is 500, expected a number more than 0 and at "
        "most 300",
    ),
    (
        {"inside": {"type": "Point", "coordinates": [48, 40]}},
        "r.geojson: [constraints.inside] is a point, expected a Polygon or MultiPolygon",
    ),
    (
        {"inside": {"type": "Polygon", "coordinates": [[[48, 40], [49, 40], [48, 40]]]}},
        "r.geojson: [constraints.inside] coordinates[0] has 3 positions, expected at least 4",
    ),
    (
        {"relative_orbit": {"numbers": [380], "cycle": 379}},
        "r.geojson: [constraints.relative_orbit] relative orbit has number 380, expected 1 to the "
        "cycle of 379",
    ),
    (
        {"relative_orbit": {"number": [1], "cycle": 379}},
        "r.geojson: [constraints.relative_orbit] unknown key 'number', did you mean 'numbers'?",
    ),
    (
        {"relative_orbit": {"numbers": [1.5], "cycle": 379}},
        "r.geojson: [constraints.relative_orbit] numbers is [1.5], expected a list of whole "
        "numbers",
    ),
    (
        {"relative_orbit": {"numbers": [1], "cycle": 10**400}},
        "r.geojson: [constraints.relative_orbit] cycle is a whole number of 1329 bits, expected a "
        "whole number at least 1 and at most 100000",
    ),
    (
        {"or": [{"sunlit": True}] * 101},
        "r.geojson: [constraints] has over 100 conditions, expected fewer",
    ),
]


@pytest.mark.parametrize(("tree", "message"), REFUSALS, ids=[m[25:90] for _, m in REFUSALS])
def test_a_wrong_tree_is_refused_with_where_found_and_expected(tree: Any, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        read(tree)
    assert str(caught.value) == message


@pytest.mark.parametrize("tree", [tree for tree, _ in REFUSALS])
def test_what_the_loader_refuses_the_schema_refuses(tree: Any) -> None:
    """But for what a schema cannot say: which bound is lower, sums, geometries that close."""
    unsayable = ("the lower bound first", "rising", "cycle of", "100 conditions", "all zero", "nan")
    message = next(m for t, m in REFUSALS if t is tree)
    if not any(words in message for words in unsayable):
        assert not fits(feature(tree), "requests")


@pytest.mark.parametrize("wrap", [lambda t: {"not": t}, lambda t: [t], lambda t: {"and": [t]}])
@pytest.mark.parametrize("depth", [DEEPEST_IN_FILE + 1, 100_000])
def test_a_tree_too_deep_is_refused_before_anything_calls_itself(
    wrap: Callable[[Any], Any], depth: int
) -> None:
    tree: Any = {"sunlit": True}
    for _ in range(depth):
        tree = wrap(tree)
    with pytest.raises(RequestError, match="nested over 40 deep, expected a flatter tree"):
        read(tree)


def test_a_tree_of_a_million_conditions_is_refused() -> None:
    with pytest.raises(RequestError, match="has over 100 conditions"):
        read([[{"sunlit": True}] * 1000] * 1000)


def test_lists_nested_deep_inside_a_condition_are_refused_in_one_line(mission: Mission) -> None:
    """Deeper than the message could follow by calling itself."""
    deep = "[" * 400 + "]" * 400
    for condition in ("incidence_deg", "sunlit", "horizon_mask", "relative_orbit"):
        text = json.dumps(feature({condition: "HERE"})).replace('"HERE"', deep)
        path = mission.path.parent / "deep.geojson"
        path.write_text(text)
        with pytest.raises(RequestError, match=rf"\[constraints\.{condition}"):
            load_requests(path, mission)


def test_a_key_given_twice_is_refused(mission: Mission) -> None:
    path = mission.path.parent / "twice.geojson"
    text = json.dumps(feature({"sunlit": True})).replace(
        '{"sunlit": true}', '{"sunlit": true, "sunlit": false}'
    )
    path.write_text(text)
    with pytest.raises(RequestError, match="an object has the key 'sunlit' with true and false"):
        load_requests(path, mission)


_WORDS = ["and", "or", "not", "axis", "sunlit", "pass_direction", "horizon_mask", "inside",
          "relative_orbit", "terrain_horizon_km", "numbers", "cycle", "type", "coordinates",
          *(quantity.name for quantity in QUANTITIES)]  # fmt: skip
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["Polygon", "x"])
    | st.lists(st.integers(-5, 95) | st.none(), min_size=2, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=3)
    ),
    max_leaves=15,
)  # fmt: skip


@settings(max_examples=300)
@given(tree=_ANYTHING)
def test_whatever_comes_is_read_or_refused_in_one_line_and_what_is_read_fits_the_schema(
    tree: Any,
) -> None:
    words = words_of_refusal(tree)
    if words is not None:
        assert "\n" not in words
        assert words.startswith("r.geojson: [constraints")
        return
    assert fits(feature(tree), "requests")
    assert "\n" not in describe(read(tree))


def words_of_refusal(tree: Any) -> str | None:
    try:
        read(tree)
    except RequestError as error:
        return str(error)
    return None


def sensible_trees() -> st.SearchStrategy[Any]:
    """Trees that load."""
    single = st.one_of(
        st.sampled_from(QUANTITIES).flatmap(_bounded),
        st.sampled_from(["ascending", "descending"]).map(lambda word: {"pass_direction": word}),
        st.booleans().map(lambda flag: {"sunlit": flag}),
    )
    return st.recursive(
        single,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).flatmap(
                lambda parts: st.sampled_from([{"and": parts}, {"or": parts}, parts])
            )
            | inner.map(lambda part: {"not": part})
        ),
        max_leaves=8,
    )


def _bounded(quantity: Quantity) -> st.SearchStrategy[Any]:
    bound = st.floats(quantity.low, min(quantity.high, 1e4))
    return st.tuples(bound, bound).map(lambda pair: {quantity.name: sorted(pair)})


@given(tree=sensible_trees())
def test_a_sensible_tree_loads_and_names_each_condition_once(tree: Any) -> None:
    found = read(tree)
    assert fits(feature(tree), "requests")
    words = describe(found)
    assert words.count("(") == words.count(")")
    assert all(describe(leaf) in words for leaf in leaves(found))


# Words -------------------------------------------------------------------------------------------

SENTENCES: list[tuple[Any, str]] = [
    (
        {
            "incidence_deg": [None, 30],
            "or": [{"azimuth_deg": [350, 20]}, {"not": {"glint_deg": [None, 20]}}],
        },
        "incidence at most 30 deg and (azimuth 350 to 20 deg or not glint at most 20 deg)",
    ),
    ({"not": [{"sunlit": True}, {"gsd_m": [0.5, 1]}]}, "not (sunlit and gsd 0.5 to 1 m)"),
    ({"local_solar_time_h": [9.5, 11]}, "local solar time 9.5 to 11 h"),
    (
        {"sun_angle_deg": [30, 180], "axis": [0.5, 0, -0.866]},
        "sun angle 30 to 180 deg from axis (0.5, 0, -0.866)",
    ),
    ({"cloud_probability": [None, 0.3]}, "cloud probability at most 0.3"),
    ({"pass_direction": "descending"}, "descending"),
    ({"sunlit": False}, "not sunlit"),
    ({"horizon_mask": [[0, 1]]}, "above a horizon of 1 point"),
    ({"terrain_horizon_km": 50}, "above the terrain within 50 km"),
    ({"inside": TRIANGLE}, "inside a polygon of lon 48 to 49, lat 40 to 41"),
    (
        {"relative_orbit": {"numbers": [12, 40, 77], "cycle": 379}},
        "relative orbit 12, 40 or 77 of 379",
    ),
    ({"relative_orbit": {"numbers": [12], "cycle": 379}}, "relative orbit 12 of 379"),
    (
        {"relative_orbit": {"numbers": list(range(1, 100)), "cycle": 379}},
        "relative orbit one of 99 out of 379",
    ),
]


@pytest.mark.parametrize(("tree", "words"), SENTENCES, ids=[words for _, words in SENTENCES])
def test_a_tree_is_said_in_one_sentence(tree: Any, words: str) -> None:
    assert describe(read(tree)) == words


# Records -----------------------------------------------------------------------------------------


def test_signs_join_conditions_and_keep_chains_flat() -> None:
    a, b, c = Sunlit(), PassDirection(ascending=True), Within(quantity="gsd_m", high=1.0)
    assert a & b & c == AllOf(parts=(a, b, c))
    assert a | b | c == AnyOf(parts=(a, b, c))
    assert (a & b) | c == AnyOf(parts=(AllOf(parts=(a, b)), c))
    assert ~a == Not(part=a)
    assert ~~a == a


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Within(quantity="tilt"), "quantity is 'tilt', expected one of off_nadir_rad"),
        (lambda: Within(quantity="gsd_m", low=math.nan), "a bound is nan, expected a number"),
        (lambda: Within(quantity="gsd_m", low=2, high=1), "expected the lower first"),
        (lambda: Within(quantity="gsd_m", low=math.inf), "expected the lower first"),
        (lambda: Within(quantity="azimuth_rad", low=0.1), "expected both between 0 and 6.28319"),
        (lambda: Within(quantity="azimuth_rad", low=-0.1, high=1), "expected both between 0 and"),
        (lambda: Within(quantity="gsd_m", axis=(0.0, 0.0, 2.0)), "expected a unit vector"),
        (lambda: HorizonMask(points=()), "has 0 points"),
        (lambda: HorizonMask(points=((0.0, math.nan),)), "expected 0 to below 360"),
        (lambda: TerrainHorizon(distance_m=0), "distance is 0 km, expected up to 300"),
        (lambda: Inside(geometry=Polygon()), "expected a polygon"),
        (lambda: RelativeOrbit(numbers=(), cycle=3), "has 0 numbers, expected 1 to 3"),
        (lambda: RelativeOrbit(numbers=(1,), cycle=0), "cycle is 0, expected 1 to"),
        (lambda: AllOf(parts=()), "'and' joins nothing"),
        (lambda: AnyOf(parts=(3,)), "'or' joins 3, expected conditions"),  # type: ignore[arg-type]
        (lambda: AllOf(parts=(Sunlit(),) * (MOST_CONDITIONS + 1)), "over 300 conditions"),
    ],
)
def test_a_record_made_by_hand_checks_itself(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        make()


def test_a_tree_made_by_hand_is_no_deeper_than_calls_may_be() -> None:
    tree: Constraint = Sunlit()
    for _ in range(DEEPEST_TREE // 2 - 1):
        tree = AnyOf(parts=(AllOf(parts=(tree,)),))
    deepest = AllOf(parts=(Not(part=tree),))
    with pytest.raises(RequestError, match="nested over 50 deep"):
        AnyOf(parts=(deepest,))


# Satellites and requests together ----------------------------------------------------------------

SETTLE = "settle_s = 3.0"


def test_a_satellite_has_conditions_of_its_own(load: Load, mission_text: str) -> None:
    more = f"{SETTLE}\nconstraints = {{sun_angle_deg = [30, 180], axis = [3, 0, -4]}}"
    assert fits(tomllib.loads(mission_text.replace(SETTLE, more)), "mission")
    [satellite] = load((SETTLE, more)).satellites
    assert satellite.constraints == Within(
        quantity="sun_angle_rad", low=RAD(30), high=math.pi, axis=(0.6, 0.0, -0.8)
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{incidence_deg = [0, 95]}", "[satellite.spot-7.constraints.incidence_deg] is [0, 95], "
         "expected bounds from 0 to 90"),
        ("{incidence_deg = [0, inf]}", "is [0, inf], expected bounds from 0 to 90"),
        ("2026-03-01", "[satellite.spot-7.constraints] is 2026-03-01, expected a table of"),
        ("[{sunlit = true}, {or = []}]", "[satellite.spot-7.constraints.2.or] is [], expected"),
    ],
)  # fmt: skip
def test_conditions_of_a_satellite_are_refused_with_their_place(
    load: Load, value: str, message: str
) -> None:
    with pytest.raises(MissionError) as caught:
        load((SETTLE, f"{SETTLE}\nconstraints = {value}"))
    assert message in str(caught.value)


def clouds() -> CloudModel:
    return CloudModel(
        path=Path("c.tif"), probabilities=np.zeros((1, 1, 1), np.float32), west_deg=-180.0,
        north_deg=90.0, cell_lon_deg=360.0, cell_lat_deg=180.0,
    )  # fmt: skip


def test_both_together_must_hold_and_clouds_count_where_they_are_known(mission: Mission) -> None:
    [satellite] = mission.satellites
    [request] = load_requests(_written(mission, {"incidence_deg": [None, 30]}), mission)
    own, asked = Sunlit(), Within(quantity="incidence_rad", high=RAD(30))
    clear = Within(quantity="cloud_probability", high=0.2)
    bound = replace(satellite, constraints=own)
    plain = replace(request, constraints=None)
    assert conditions(satellite, plain) is None
    assert conditions(satellite, request) == asked
    assert conditions(bound, plain) == own
    assert conditions(bound, request) == AllOf(parts=(own, asked))
    cloudy = replace(plain, max_cloud=0.2)
    assert conditions(satellite, cloudy) is None
    assert conditions(satellite, cloudy, clouds()) == clear
    assert conditions(bound, cloudy, clouds()) == AllOf(parts=(own, clear))


def test_a_condition_on_clouds_without_clouds_is_refused(mission: Mission) -> None:
    [satellite] = mission.satellites
    tree = {"not": {"or": [{"cloud_probability": [0.5, 1]}, {"sunlit": False}]}}
    [request] = load_requests(_written(mission, tree), mission)
    assert request.constraints is not None
    assert asks_for(request.constraints, "cloud_probability")
    with pytest.raises(RequestError, match="request 'baku': cloud_probability is bounded, but the"):
        conditions(satellite, request)
    assert conditions(satellite, request, clouds()) == request.constraints


def _written(mission: Mission, tree: Any) -> Path:
    path = mission.path.parent / "trees.geojson"
    path.write_text(json.dumps(feature(tree)))
    return path


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=sensible_trees(), other=sensible_trees())
def test_the_largest_trees_of_files_fit_together(mission: Mission, tree: Any, other: Any) -> None:
    [satellite] = mission.satellites
    [request] = load_requests(_written(mission, [other] * (MOST_IN_FILE // 8)), mission)
    own = replace(satellite, constraints=read([tree] * (MOST_IN_FILE // 8)))
    together = conditions(own, request, clouds())
    assert together is not None
    assert len(list(leaves(together))) <= 2 * MOST_IN_FILE
