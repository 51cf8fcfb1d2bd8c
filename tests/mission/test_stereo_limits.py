"""What a request may ask of stereo: read from GeoJSON, checked, refused with a reason."""

from __future__ import annotations

import math
from typing import Any

import pytest

from humay.errors import RequestError
from humay.mission import (
    CoarseRelief,
    PairLimits,
    Request,
    StereoLimits,
    requests_from_geojson,
)


def asked(stereo: Any) -> Request:
    """A point request with this property."""
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [49.87, 40.41, 0.0]},
        "properties": {"name": "baku", "stereo": stereo},
    }
    [request] = requests_from_geojson(feature, where="baku.geojson", heights=CoarseRelief())
    return request


def test_a_pair_is_read_in_si() -> None:
    stereo = asked({"min_convergence_deg": 20, "max_sun_change_deg": 10, "min_overlap": 0.8}).stereo
    assert stereo == StereoLimits(
        min_convergence_rad=math.radians(20), max_sun_change_rad=math.radians(10), min_overlap=0.8
    )


def test_what_is_left_out_is_no_limit_but_the_looks_are_of_one_pass() -> None:
    stereo = asked({"min_convergence_deg": 20}).stereo
    assert stereo is not None
    assert stereo.looks == 2
    assert stereo.convergence_rad == (math.radians(20), math.pi)
    assert stereo.max_asymmetry_rad == math.pi / 2
    assert stereo.min_bisector_elevation_rad == stereo.min_overlap == 0.0
    assert stereo.max_separation_s == 600.0


def test_a_request_without_the_property_asks_for_no_stereo() -> None:
    assert asked(None).stereo is None


def test_three_looks_have_limits_for_neighbours() -> None:
    stereo = asked(
        {"looks": 3, "min_convergence_deg": 30, "max_middle_pitch_deg": 5,
         "neighbours": {"min_convergence_deg": 12, "max_separation_s": 90}}
    ).stereo  # fmt: skip
    assert stereo is not None
    assert stereo.neighbouring == PairLimits(
        min_convergence_rad=math.radians(12), max_separation_s=90.0
    )
    assert stereo.max_middle_pitch_rad == math.radians(5)


def test_without_limits_of_their_own_neighbours_keep_those_of_first_and_last() -> None:
    stereo = StereoLimits(looks=3, min_convergence_rad=0.2)
    assert stereo.neighbouring is stereo


@pytest.mark.parametrize(
    ("ratio", "expected_deg"),
    [(0.25, 14.250), (0.5, 28.072), (1.0, 53.130), (2.0, 90.0)],
)
def test_base_to_height_counts_as_convergence(ratio: float, expected_deg: float) -> None:
    """2 atan(ratio / 2), by hand."""
    low = StereoLimits(min_base_to_height=ratio).convergence_rad[0]
    high = StereoLimits(min_convergence_rad=0.01, max_base_to_height=ratio).convergence_rad[1]
    assert abs(math.degrees(low) - expected_deg) < 5e-4
    assert low == high


def test_the_stricter_of_convergence_and_base_to_height_counts() -> None:
    stereo = StereoLimits(
        min_convergence_rad=0.2, min_base_to_height=0.4, max_convergence_rad=0.7,
        max_base_to_height=2.0,
    )  # fmt: skip
    assert stereo.convergence_rad == (2 * math.atan(0.2), 0.7)


@pytest.mark.parametrize(
    ("stereo", "words"),
    [
        ({}, "expected a least one above 0"),
        ({"min_convergence_deg": 0}, "expected a least one above 0"),
        ({"min_convergence_deg": 30, "max_convergence_deg": 20}, "goes from 30 to 20 deg"),
        ({"min_convergence_deg": 30, "max_base_to_height": 0.1}, "goes from 30 to 5.72481 deg"),
        ({"min_convergence_deg": -1}, "min_convergence_deg is -1, expected a number at least 0"),
        ({"min_convergence_deg": 20, "min_overlap": 1}, "min_overlap is 1"),
        ({"min_convergence_deg": 20, "min_separation_s": 700}, "max_separation_s is 600"),
        ({"min_convergence_deg": 20, "max_asymmetry": 20}, "did you mean 'max_asymmetry_deg'"),
        ({"min_convergence_deg": 20, "looks": 4}, "looks is 4"),
        ({"min_convergence_deg": 20, "looks": 2.5}, "looks is 2.5"),
        (
            {"min_convergence_deg": 20, "max_middle_pitch_deg": 5},
            "max_middle_pitch_rad is given for 2 looks",
        ),
        (
            {"min_convergence_deg": 20, "neighbours": {"min_convergence_deg": 5}},
            "neighbours is given for 2 looks",
        ),
        (
            {"looks": 3, "min_convergence_deg": 20, "neighbours": {"looks": 2}},
            "unknown limit 'looks'",
        ),
        ("yes", "is 'yes', expected a table"),
    ],
)
def test_what_cannot_be_meant_is_refused(stereo: Any, words: str) -> None:
    with pytest.raises(RequestError, match=r"baku\.geojson: feature 1 'baku'") as refused:
        asked(stereo)
    assert words in str(refused.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -0.1])
def test_a_record_checks_itself(value: float) -> None:
    with pytest.raises(RequestError, match="min_convergence_rad is"):
        StereoLimits(min_convergence_rad=value)
