"""Keep-outs of the mission file: what is read, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from humay.errors import MissionError
from humay.mission import KeepOut, load_mission


def tracker(**changes: Any) -> KeepOut:
    given: dict[str, Any] = {
        "name": "star tracker", "axis": (0.0, 0.6, -0.8), "body": "sun", "angle_rad": 0.5,
    }  # fmt: skip
    return KeepOut(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"angle_rad": 0.0}, "angle_rad is 0.0, expected a number more than 0"),
        ({"angle_rad": math.pi}, "expected a number more than 0 and less than 180"),
        ({"angle_rad": math.nan}, "angle_rad is nan"),
        ({"axis": (0.0, 0.0, 2.0)}, "axis is"),
        ({"body": "venus"}, "body is 'venus', expected \"sun\" or"),
        ({"modes": ()}, "modes is"),
        ({"modes": ("slew", "slew")}, "modes is"),
        ({"modes": ("spin",)}, "modes is"),
        ({"name": " "}, "name is ' '"),
    ],
)
def test_no_record_holds_what_cannot_be_kept(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MissionError, match="keep-out") as caught:
        tracker(**changes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{name = "a", axis = [0, 0, 0], body = "sun", angle_deg = 9}', "axis is [0, 0, 0]"),
        ('{name = "a", axis = [0, 0, 1], body = "sun"}', "key 'angle_deg' is missing"),
        (
            '{name = "a", axis = [0, 0, 1], body = "sun", angle_deg = 9, mode = "slew"}',
            "unknown key 'mode', did you mean 'modes'?",
        ),
        (
            '{name = "a", axis = [0, 0, 1], body = "sun", angle_deg = 9, modes = "slew"}',
            "modes is 'slew', expected a list of one or more of",
        ),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_place(
    row: str, message: str, repository: Path, tmp_path: Path
) -> None:
    page = (repository / "docs/reference/mission.md").read_text("utf-8")
    text = page.split("```toml\n")[1].split("```")[0]
    path = tmp_path / "mission.toml"
    (tmp_path / "requests.geojson").write_text("{}")
    head, tail = text.split("settle_s = 3.0\n")
    tables = tail.split("[[satellite.humay-1.keep_out]]")
    tail = tables[0] + "[camera.pan]" + tables[-1].split("[camera.pan]")[1]
    path.write_text(f"{head}settle_s = 3.0\nkeep_out = [{row}]\n{tail}")
    with pytest.raises(MissionError) as caught:
        load_mission(path)
    assert "[satellite.humay-1.keep_out.1]" in str(caught.value)
    assert message in str(caught.value)
