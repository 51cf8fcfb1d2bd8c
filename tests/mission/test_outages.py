"""Outages in the mission file: read, and refused where they cannot be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from humay.errors import MissionError
from humay.mission import Mission

END = "min_elevation_deg = 5.0\n"


def outage(
    who: str = 'station = "baku"',
    start: str = "2019-11-01T06:00:00Z",
    end: str = "2019-11-01T07:00:00Z",
    reason: str = 'reason = "wind"',
) -> tuple[str, str]:
    """A change of the mission of the tests: this outage at its end."""
    return END, f"{END}\n[[outage]]\n{who}\nstart = {start}\nend = {end}\n{reason}\n"


def test_outages_come_in_the_order_of_the_file(load: Callable[..., Mission]) -> None:
    second = outage('satellite = "spot-7"', reason='reason = "orbit raised"')[1]
    mission = load((END, outage()[1] + second.removeprefix(END)))
    assert [o.who for o in mission.outages] == ["station 'baku'", "satellite 'spot-7'"]
    assert mission.outages[0].start == datetime(2019, 11, 1, 6, tzinfo=UTC)
    assert mission.outages[1].reason == "orbit raised"


def test_a_mission_needs_none(load: Callable[..., Mission]) -> None:
    assert load().outages == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            outage('station = "bakuu"'),
            r"outage 1: station is 'bakuu', no such station, did you mean 'baku'\?",
        ),
        (
            outage('satellite = "spot-8"'),
            r"outage 1: satellite is 'spot-8', no such satellite, did you mean 'spot-7'\?",
        ),
        (outage(""), r"\[outage.1\] .*has neither station nor satellite, expected one of"),
        (
            outage('station = "baku"\nsatellite = "spot-7"'),
            r"\[outage.1\] .*has both, expected one of station and satellite",
        ),
        (
            outage(end="2019-11-01T05:00:00Z"),
            r"\[outage.1\] .*end is 2019-11-01T05:00:00\+00:00, expected after its start",
        ),
        (outage(end="2019-11-01T06:00:00Z"), "expected after its start"),
        (outage(start="2019-11-01T06:00:00"), "start is .*, expected a time with Z"),
        (outage(reason=""), r"\[outage.1\] key 'reason' is missing"),
        (outage(reason='reason = " "'), "reason is ' ', expected a text of one line, not empty"),
        (outage(reason='reson = "wind"'), "unknown key 'reson', did you mean 'reason'"),
        (outage(reason='reason = "wind"\nuntil = 1'), "unknown key 'until'"),
    ],
)
def test_an_outage_that_cannot_be_is_refused(
    load: Callable[..., Mission], change: tuple[str, str], words: str
) -> None:
    with pytest.raises(MissionError, match=words):
        load(change)


@pytest.mark.parametrize(("value", "fit"), [("3", True), ("0", False), ("2.5", False)])
def test_room_for_commands_is_a_whole_number(
    load: Callable[..., Mission], value: str, fit: bool
) -> None:
    line = "memory_gbit = 1000.0"
    change = (line, f"{line}\ncommands_per_pass = {value}\ncommand_queue = 7")
    if fit:
        satellite = load(change).satellites[0]
        assert (satellite.commands_per_pass, satellite.command_queue) == (3, 7)
        return
    with pytest.raises(MissionError, match=r"commands_per_pass is .*, expected a whole number"):
        load(change)
