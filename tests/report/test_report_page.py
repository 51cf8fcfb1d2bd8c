"""What stands in report.html, and what must never: checked on the text of the page, no browser."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from humay.arrays import FloatArray
from humay.errors import PlanError
from humay.report import report_page
from humay.report.data import CURVE_TOLERANCE, STEPS_PER_DEGREE, pack_line, thin_curve
from humay.report.files import read_assets
from humay.report.words import REASONS, summary

from .outline import HOSTILE, Outline, data_of, page_of
from .synthetic_plan import empty_plan, synthetic_figures, synthetic_plan


def plan_with(outcomes: Mapping[str, int], **objective: float | None) -> dict[str, Any]:
    requests = [{"outcome": name} for name, count in outcomes.items() for _ in range(count)]
    return {"requests": requests, "objective": objective}


def test_the_summary_says_how_much_is_served_and_what_could_be() -> None:
    plan = plan_with(
        {"served": 47, "partly": 3, "left out": 14}, value=118.0, bound=140.2, gap=0.1583
    )
    assert summary(plan) == (
        "47 of 64 requests served, 3 in part; plan value 118.0, at most 140.2 can be proved "
        "possible: within 15.8 %."
    )


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (plan_with({}, value=0.0, bound=0.0, gap=0.0), "This plan has no requests"),
        (plan_with({"served": 1}, value=2.0, bound=2.0, gap=0.0), "proved to be the best possible"),
        (plan_with({"served": 1}, value=2.0, bound=None, gap=None), "1 of 1 request served; "),
    ],
)  # fmt: skip
def test_the_summary_fits_plans_at_the_edges(plan: dict[str, Any], words: str) -> None:
    assert words in summary(plan)


def test_the_same_inputs_make_the_same_page_and_timings_do_not_enter_it() -> None:
    slow = synthetic_figures() | {
        "timings": {"schedule_s": 912.75},
        "started": "2031-05-06T07:08:09Z",
    }
    page = page_of(synthetic_plan(), synthetic_figures())
    assert page_of(synthetic_plan(), slow) == page
    assert "912.75" not in page


def test_the_page_refers_to_nothing_outside_itself() -> None:
    page = page_of(synthetic_plan(), synthetic_figures())
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", re.sub(r"^\s*//.*$", "", page, flags=re.M))
    assert not re.findall(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(", page)
    links = [
        a.get("src") or a.get("href") for _, a in Outline(page).tags if "src" in a or "href" in a
    ]
    assert links
    assert all(link and (link.startswith("#") or link == "data:,") for link in links)


def test_hostile_names_stay_names() -> None:
    plan, figures = synthetic_plan(), synthetic_figures()
    plan["mission"] = HOSTILE[1]
    plan["notes"] = HOSTILE
    figures["check"] = HOSTILE
    tame = [tag for tag, _ in Outline(page_of(synthetic_plan(), figures)).tags]
    for request, name in zip(plan["requests"], HOSTILE, strict=False):
        request["name"] = request["purpose"] = name
        request["outcome"], request["reason"] = (
            "left out",
            {"code": name, "text": name, "competitors": [name]},
        )
    page = page_of(plan, figures)
    outline = Outline(page)
    assert [r["name"] for r in data_of(page)["requests"][:5]] == HOSTILE
    assert all(name in outline.text for name in HOSTILE)
    assert {tag for tag, _ in outline.tags} == set(tame)
    assert [tag for tag, _ in outline.tags].count("script") == 2
    assert not [name for _, attrs in outline.tags for name in attrs if name.startswith("on")]


def test_the_policy_lets_only_the_script_and_style_of_the_page_run() -> None:
    """Content Security Policy level 3, hash-source: base64 of the SHA-256 of the element's text."""
    outline = Outline(page_of(synthetic_plan(), synthetic_figures()))
    style, _, script = (b64encode(sha256(text.encode()).digest()).decode() for text in outline.raw)
    policy = next(a["content"] for _, a in outline.tags if a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{script}';" in policy
    assert f"style-src 'sha256-{style}';" in policy


def test_a_plan_of_three_days_stays_below_a_megabyte_and_a_half_with_coasts() -> None:
    from humay.tables import border_lines, land_outlines

    page = report_page(synthetic_plan(), synthetic_figures(), assets=read_assets(),
                       land=land_outlines(), borders=border_lines())  # fmt: skip
    assert len(page.encode()) < 1_500_000
    assert len(data_of(page)["land"]) == len(land_outlines())


def test_an_empty_plan_says_so() -> None:
    text = Outline(page_of(empty_plan(), {})).text
    assert "This plan has no requests, so there is nothing to image." in text
    assert "This plan has no satellites." in text
    assert "The plan was not checked in this run." in text


def test_the_age_of_the_elements_and_its_error_stand_at_the_head() -> None:
    """From the satellites: 1.86 to 4.86 days, 820 m to 2.64 km."""
    text = Outline(page_of(synthetic_plan(), synthetic_figures())).text
    assert "Age of the elementsup to 4.9 days820 m to 2.6 km error along track (1 sigma)" in text


def test_data_left_from_before_the_plan_is_not_counted_as_images_brought_down() -> None:
    plan = plan_with_data_from_before()
    text = Outline(page_of(plan, {})).text
    assert "Images5.0 Gbit3.0 of them brought down" in text


def plan_with_data_from_before() -> dict[str, Any]:
    plan = empty_plan()
    plan["acquisitions"] = [synthetic_plan()["acquisitions"][0] | {"id": "a", "data_gbit": 5.0}]
    items = [{"acquisition": None, "gbit": 70.0}, {"acquisition": "a", "gbit": 3.0}]
    plan["downlinks"] = [synthetic_plan()["downlinks"][0] | {"gbit": 73.0, "items": items}]
    return plan


def test_violations_are_told_and_a_valid_plan_is_called_valid() -> None:
    broken = synthetic_figures() | {"check": ["slew of spot-7 at 05:48:49Z is 2.1 s too short"]}
    text = Outline(page_of(synthetic_plan(), broken)).text
    assert "\u2717 invalid1 violation, listed below" in text
    assert "slew of spot-7 at 05:48:49Z is 2.1 s too short" in text
    assert "\u2713 valid" in Outline(page_of(synthetic_plan(), synthetic_figures())).text


def test_every_reason_is_counted_and_shown_with_its_first_example() -> None:
    plan = synthetic_plan()
    text = Outline(page_of(plan, synthetic_figures())).text
    unserved = [r for r in plan["requests"] if r["reason"]]
    assert len({r["reason"]["code"] for r in unserved}) == len(REASONS)
    for code, (title, meaning) in REASONS.items():
        alike = [r for r in unserved if r["reason"]["code"] == code]
        assert (
            f"{title} {len(alike)}{meaning}{alike[0]['name']}: {alike[0]['reason']['text']}" in text
        )


def test_every_reason_of_the_plan_file_has_its_words(repository: Path) -> None:
    described = (repository / "docs/reference/plan.md").read_text("utf-8")
    listed = re.search(r"Reason codes: (.*?)\n\n", described, flags=re.S)
    assert listed
    assert set(re.findall(r"`([a-z_]+)`", listed[1])) == set(REASONS)


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        (["objective"], "the plan has no 'objective'"),
        (["satellites", 1, "age_days"], r"satellites\[1\] has no 'age_days'"),
        (["requests", 2, "outcome"], r"requests\[2\] has no 'outcome'"),
        (["acquisitions", 0, "gsd_m"], r"acquisitions\[0\] has no 'gsd_m'"),
        (["passes", 3, "end"], r"passes\[3\] has no 'end'"),
    ],
)
def test_a_plan_with_something_missing_is_refused_by_its_place(
    path: list[Any], complaint: str
) -> None:
    plan = synthetic_plan()
    parent: Any = plan
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    with pytest.raises(PlanError, match=complaint):
        page_of(plan, {})


def test_a_plan_of_another_format_or_a_time_without_zone_is_refused() -> None:
    with pytest.raises(PlanError, match="expected 'humay-plan-1'"):
        page_of(synthetic_plan() | {"format": "humay-plan-2"}, {})
    with pytest.raises(PlanError, match="2019-11-01T00:00:00"):
        page_of(synthetic_plan() | {"start": "2019-11-01T00:00:00"}, {})


def unpack_line(text: str) -> FloatArray:
    """The decoder of Google's page, written from its description of the encoder, in whole steps."""
    groups, bits = [], ""
    for letter in text:
        value = ord(letter) - 63
        bits = f"{value & 31:05b}" + bits
        if not value & 32:
            groups.append(int(bits, 2))
            bits = ""
    moves = [~(g >> 1) if g & 1 else g >> 1 for g in groups]
    return np.cumsum(np.array(moves, dtype=np.float64).reshape(-1, 2), axis=0)


def test_packed_lines_match_the_published_example() -> None:
    """Google Maps Platform, "Encoded Polyline Algorithm Format", example of three points (1e-5)."""
    lat_lon = np.array([[38.5, -120.2], [40.7, -120.95], [43.252, -126.453]])
    assert pack_line(lat_lon * 1e5 / STEPS_PER_DEGREE) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"


@given(arrays(np.float64, st.tuples(st.integers(1, 40), st.just(2)), elements=st.floats(-540, 540)))
def test_packed_lines_come_back_to_half_a_step(line: FloatArray) -> None:
    text = pack_line(line)
    assert not set(text) & set('<>&"')
    back = unpack_line(text) / STEPS_PER_DEGREE
    assert back.shape == line.shape
    assert np.abs(back - line).max() <= 0.5 / STEPS_PER_DEGREE + 1e-9


@given(arrays(np.float64, st.integers(2, 200), elements=st.floats(0, 1e4, width=32)))
def test_thinned_curves_stay_within_the_tolerance_and_keep_their_ends(values: FloatArray) -> None:
    t_s = np.arange(len(values), dtype=np.float64)
    kept_s, kept = thin_curve(t_s, values)
    off = np.abs(np.interp(t_s, kept_s, kept) - values).max()
    assert off <= CURVE_TOLERANCE * np.ptp(values) + 5.1e-5  # the last for rounding to 1e-4
    assert (kept_s[0], kept_s[-1]) == (t_s[0], t_s[-1])


def test_a_straight_curve_needs_two_points() -> None:
    assert thin_curve(np.arange(1000.0), 3.0 * np.arange(1000.0)) == ([0.0, 999.0], [0.0, 2997.0])
