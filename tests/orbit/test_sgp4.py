"""SGP4 as Humay reads and flies it, against the verification output of its authors.

Vallado, Crawford, Hujsak and Kelso, AIAA 2006-6753: the files SGP4-VER.TLE and tcppver.out, which
the package `sgp4` carries. 33 cases: low and high, resonant, nearly hyperbolic, decaying.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from sgp4.api import WGS72, Satrec

from humay.arrays import FloatArray
from humay.errors import OrbitError, TleError
from humay.mission import TleOrbit
from humay.orbit.elements import orbit_from_tle, read_tle
from humay.orbit.sgp4 import Sgp4Orbit, epoch_of
from humay.time import format_utc

WRONG_CHECKSUM = {"33333", "33334", "33335"}  # as delivered; everywhere else it is right
UNFLYABLE = {
    "28872": "perigee of these elements is 52 km underground",
    "33333": "perigee of these elements is 6300 km underground",
    "33334": "perturbed eccentricity",
}
ENDING_EARLY = {"20413", "22312", "28350", "28872", "29141", "33333"}  # SGP4 gives up on the way


@dataclass(frozen=True, kw_only=True)
class Case:
    """One element set and the states published for it: minutes, km and km/s in `rows` (n, 7)."""

    number: str
    line_1: str
    line_2: str
    stop_min: float
    step_min: float
    rows: FloatArray

    @property
    def complete(self) -> bool:
        return bool(self.rows[-1, 0] == self.stop_min)

    def orbit(self) -> Sgp4Orbit:
        """Read by Humay where Humay takes the set, else by SGP4's own reader."""
        text = f"{self.line_1}\n{self.line_2}\n"
        if self.number not in WRONG_CHECKSUM | set(UNFLYABLE):
            return orbit_from_tle(TleOrbit(path=Path("SGP4-VER.TLE"), text=text), self.number)
        record = Satrec.twoline2rv(self.line_1, self.line_2, WGS72)
        return Sgp4Orbit(
            satellite=self.number, record=record, epoch=epoch_of(record), source="SGP4-VER.TLE:1"
        )


@cache
def cases() -> list[Case]:
    package = files("sgp4")
    blocks: list[list[list[float]]] = []
    for line in package.joinpath("tcppver.out").read_text(encoding="ascii").splitlines():
        if line.rstrip().endswith("xx"):
            blocks.append([])
        else:
            blocks[-1].append([float(cell) for cell in line.split()[:7]])
    lines = package.joinpath("SGP4-VER.TLE").read_text(encoding="ascii").splitlines()
    pairs = [(first, second) for first, second in pairwise(lines) if first.startswith("1 ")]
    return [
        Case(
            number=first[2:7],
            line_1=first[:69],
            line_2=second[:69],  # beyond: start, stop and step of the output, minutes
            stop_min=float(second[69:].split()[1]),
            step_min=float(second[69:].split()[2]),
            rows=np.array(block),
        )
        for (first, second), block in zip(pairs, blocks, strict=True)
    ]


def test_the_file_is_whole() -> None:
    """33 cases and 667 states; three sets have a wrong checksum, one cannot be started."""
    assert len(cases()) == 33
    assert sum(len(case.rows) for case in cases()) == 667
    assert {case.number for case in cases() if not case.complete} - {"33334"} == ENDING_EARLY


@pytest.mark.parametrize("index", range(33))
def test_states_are_the_published_ones_to_1_mm(index: int) -> None:
    """They are printed to 0.01 mm and 0.001 mm/s; the worst is 0.16 mm, 1,844,000 minutes on."""
    case = cases()[index]
    if case.number == "33334":  # the published line is that of the case before it
        with pytest.raises(OrbitError, match="perturbed eccentricity"):
            case.orbit().state_teme(np.zeros(1))
        return
    r_teme, v_teme = case.orbit().state_teme(case.rows[:, 0] * 60.0)
    assert np.abs(r_teme / 1e3 - case.rows[:, 1:4]).max() < 1e-6
    assert np.abs(v_teme / 1e3 - case.rows[:, 4:7]).max() < 1e-9


def test_where_the_published_output_ends_early_the_orbit_ends_with_a_word() -> None:
    ended = set()
    for case in cases():
        if case.complete or case.number == "33334":
            continue
        orbit = case.orbit()
        next_s = (case.rows[-1, 0] + case.step_min) * 60.0
        with pytest.raises(OrbitError, match="days after its elements: ") as caught:
            orbit.state_teme(np.array([0.0, next_s]))
        assert str(caught.value).startswith("SGP4-VER.TLE:1: ")
        assert f"satellite {case.number!r}" in str(caught.value)
        assert f"{next_s / 86_400:.2f} days after" in str(caught.value)
        ended.add(case.number)
    assert ended == ENDING_EARLY


@pytest.mark.parametrize("index", range(33))
def test_sets_with_a_wrong_checksum_are_refused_and_no_others(index: int) -> None:
    case = cases()[index]
    text = f"{case.line_1}\n{case.line_2}\n"
    if case.number in WRONG_CHECKSUM:
        with pytest.raises(TleError, match=r"^SGP4-VER\.TLE:1: checksum digit is"):
            list(read_tle(text, where="SGP4-VER.TLE"))
    else:
        [found] = read_tle(text, where="SGP4-VER.TLE")
        assert (found.line_1, found.line_2) == (case.line_1, case.line_2)


@pytest.mark.parametrize("number", sorted(UNFLYABLE))
def test_elements_that_cannot_fly_are_refused_at_once(number: str) -> None:
    """The same lines with their checksums mended."""
    [case] = [case for case in cases() if case.number == number]
    text = "".join(f"{mended(line)}\n" for line in (case.line_1, case.line_2))
    with pytest.raises(OrbitError, match=UNFLYABLE[number]) as caught:
        orbit_from_tle(TleOrbit(path=Path("odd.tle"), text=text), "x")
    assert str(caught.value).startswith("odd.tle:1: ")


def mended(line: str) -> str:
    body = line[:68]
    return body + str((sum(int(c) for c in body if c.isdigit()) + body.count("-")) % 10)


def test_the_epoch_is_that_of_the_elements() -> None:
    """19303.11654248: day 303 of 2019 is 30 October; 0.11654248 days are 10,069.270272 s."""
    case = cases()[0]
    assert format_utc(case.orbit().epoch).startswith("2000-06-27T18:50:19.73")  # as tcppver.out
    spot_7 = Satrec.twoline2rv(
        "1 40053U 14034A   19303.11654248  .00001178  00000-0  26330-3 0  9995",
        "2 40053  98.2135   8.3331 0001054  68.4868 291.6410 14.58559748283956",
        WGS72,
    )
    expected = datetime.fromisoformat("2019-10-30T02:47:49.270272+00:00")
    assert abs((epoch_of(spot_7) - expected).total_seconds()) <= 1e-6
    orbit = Sgp4Orbit(satellite="x", record=spot_7, epoch=expected, source="s")
    assert orbit.revolution_at_epoch == 28395
    assert orbit.period_s == pytest.approx(86_400 / 14.58559748, rel=1e-12)
