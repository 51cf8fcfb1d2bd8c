"""A corridor wider than the swath, cut into strips, planned and checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shapely.geometry import LineString

from humay.check import check_plan, verdict
from humay.errors import RequestError
from humay.mission.corridor import widened
from humay.mission.kinds import Place
from humay.schedule import Effort, plan_document
from tests.schedule.random_problems import plan_of, random_problem


def test_a_corridor_wider_than_the_swath_is_planned_in_several_strips(tmp_path: Path) -> None:
    problem = random_problem(6, tmp_path)
    area = problem.requests[2]
    middle = area.geometry.centroid
    line = LineString([(middle.x - 0.1, middle.y - 0.3), (middle.x + 0.1, middle.y + 0.3)])
    place = Place(file="road", error=RequestError)
    road = replace(area, kind="area", geometry=widened(line, 60e3, place))
    changed = replace(problem, requests=(*problem.requests[:2], road, *problem.requests[3:]))
    document = plan_document(plan_of(changed, effort=Effort(iterations=2_000)))
    violations = check_plan(changed.mission, changed.requests, document)
    assert not violations, verdict(violations)
    strips = document["requests"][2]["strips"]
    assert len(strips) > 1
    assert any(strip["acquisition"] for strip in strips)
