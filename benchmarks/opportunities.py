"""How fast every window is found, against TAT-C: `benchmarks/opportunities.py [--targets N]`.

SPOT 6 and SPOT 7 over 14 days, off-nadir up to 30 deg from geocentric nadir, apparent Sun 15 deg
high: the 500 land points of the test data, or as many random points as asked for, others each time
(`--seed` repeats a run). Both sides run in a process of their own on one thread, are warmed up with
a few of the places on the days before, and are timed in CPU seconds over the whole call: Humay with
propagation and all columns, TAT-C with its own. Making satellites and points is not part of it on
either side.

TAT-C tests the Sun in the middle of a window only. It keeps what is dark at the ends and drops what
is dark in the middle. Every difference must be just that, shown by TAT-C's own windows without the
Sun and its own Sun; whatever is not is listed as unexplained.

The last line is one JSON object: `value` windows, `seconds` CPU, the median of a few calls (and
`first_seconds`, ours and theirs), `ratio.tatc` how many times more TAT-C needs. Windows shorter
than 0.2 s that only one side has are counted as `short`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import astropy_iers_data
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.missions import (
    OFF_NADIR_DEG,
    START,
    SUN_DEG,
    chosen_places,
    spot_elements,
)
from benchmarks.peers.environments import environment, read, run_side
from benchmarks.window_lists import Comparison, WindowList, compare, overlapping, percentiles_ms

from humay.arrays import BoolArray, FloatArray, IntArray

TATC = ("tatc==3.6.0", "skyfield==1.55")
SAME_S = 0.010  # edges that lie closer are the same; TAT-C looks for them to a millisecond
SAME_DEG = 1 / 3600  # of Sun: TAT-C's is topocentric in speed too, 0.3 arcseconds


# ---------------------------------------------------------------- differences


@dataclass(frozen=True, kw_only=True, eq=False)
class Dispute:
    """Where the sides differ by more than rounding: windows we have alone, and edges (k, 2), each
    as pair and side (0 start, 1 end)."""

    comparison: Comparison
    edges: IntArray

    @staticmethod
    def of(comparison: Comparison) -> Dispute:
        return Dispute(comparison=comparison, edges=np.argwhere(np.abs(comparison.edge_s) > SAME_S))

    @property
    def extra(self) -> WindowList:
        return self.comparison.ours.take(self.comparison.extra)

    @property
    def edge_place(self) -> IntArray:
        rows = self.comparison.pairs[self.edges[:, 0], 0]
        return np.asarray(self.comparison.ours.place[rows])

    def edge_instants(self) -> tuple[FloatArray, FloatArray]:
        """Ours and theirs."""
        pairs = self.comparison.pairs[self.edges[:, 0]]
        is_end = self.edges[:, 1] == 1
        ours, theirs = self.comparison.ours, self.comparison.theirs
        return (
            np.where(is_end, ours.end_s[pairs[:, 0]], ours.start_s[pairs[:, 0]]),
            np.where(is_end, theirs.end_s[pairs[:, 1]], theirs.start_s[pairs[:, 1]]),
        )

    def instants(self) -> tuple[IntArray, FloatArray]:
        """Places and times at which the Sun decides: both ends of the windows we have alone, then
        our edges, then theirs."""
        extra, place = self.extra, self.edge_place
        return (
            np.concatenate([extra.place, extra.place, place, place]),
            np.concatenate([extra.start_s, extra.end_s, *self.edge_instants()]),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """What the other side says of places in dispute: its windows `seen` (n,) if the Sun did not
    matter, the Sun's elevation in their middle, and `sun_deg` at the instants of the dispute."""

    seen: WindowList
    middle_sun_deg: FloatArray
    sun_deg: FloatArray


def explained_extra(dispute: Dispute, evidence: Evidence) -> BoolArray:
    """Which of the windows we have alone are the lit end of one that is dark in its middle."""
    extra, seen = dispute.extra, evidence.seen
    starts, ends = evidence.sun_deg[: 2 * len(extra)].reshape(2, -1)
    explained = np.zeros(len(extra), dtype=bool)
    for row, whole in overlapping(extra, seen):
        low, high = seen.start_s[whole], seen.end_s[whole]
        start_s, end_s = extra.start_s[row], extra.end_s[row]
        middle_s = 0.5 * (low + high)
        from_edge, to_edge = abs(start_s - low) <= SAME_S, abs(end_s - high) <= SAME_S
        rises, sets = abs(starts[row] - SUN_DEG) <= SAME_DEG, abs(ends[row] - SUN_DEG) <= SAME_DEG
        explained[row] = (
            evidence.middle_sun_deg[whole] < SUN_DEG
            and not start_s <= middle_s <= end_s
            and (from_edge or (rises and start_s > low))
            and (to_edge or (sets and end_s < high))
        )
    return explained


def explained_edges(dispute: Dispute, evidence: Evidence) -> BoolArray:
    """Which of our edges lie where the Sun passes its limit, inside a window that goes on."""
    mine, other = evidence.sun_deg[2 * len(dispute.extra) :].reshape(2, -1)
    later_s = dispute.comparison.edge_s[tuple(dispute.edges.T)]
    inside = np.where(dispute.edges[:, 1] == 0, later_s > 0, later_s < 0)
    return np.asarray(inside & (np.abs(mine - SUN_DEG) <= SAME_DEG) & (other < SUN_DEG))


def unexplained(dispute: Dispute, evidence: Evidence) -> list[str]:
    """Every difference that the Sun in the middle does not explain; a window missed never is."""
    both = dispute.comparison
    alone = dispute.extra.take(~explained_extra(dispute, evidence))
    odd = ~explained_edges(dispute, evidence)
    pairs, later_s = both.pairs[dispute.edges[odd, 0]], both.edge_s[tuple(dispute.edges[odd].T)]
    return [
        *(f"missed {text}" for text in told(both.theirs.take(both.missed))),
        *(f"extra {text}" for text in told(alone)),
        *(
            f"{('start', 'end')[side]} {1e3 * by:+.3f} ms of {text}"
            for side, by, text in zip(
                dispute.edges[odd, 1], later_s, told_each(both.ours, pairs[:, 0]), strict=True
            )
        ),
    ]


def told(windows: WindowList) -> list[str]:
    return told_each(windows, np.arange(len(windows)))


def told_each(windows: WindowList, rows: IntArray) -> list[str]:
    return [
        f"place {windows.place[i]} satellite {windows.satellite[i]}"
        f" {windows.start_s[i]:.4f} to {windows.end_s[i]:.4f} s"
        for i in rows
    ]


# ---------------------------------------------------------------- both sides


def task_of(places: FloatArray, *, days: float, repeats: int) -> dict[str, Any]:
    return {
        "places": places,
        "elements": np.array(spot_elements()),
        "start": START.isoformat(),
        "days": days,
        "off_nadir_deg": OFF_NADIR_DEG,
        "sun_deg": SUN_DEG,
        "repeats": repeats,
        "earth_orientation": astropy_iers_data.IERS_A_FILE,
    }


def windows_of(side: dict[str, np.ndarray]) -> WindowList:
    return WindowList.sorted(side["place"], side["satellite"], side["start_s"], side["end_s"])


def ask(dispute: Dispute, python: Path, folder: Path) -> Evidence:
    """TAT-C's own evidence for the places in dispute."""
    at_place, at_s = dispute.instants()
    asked, out = folder / "asked.npz", folder / "evidence.npz"
    if not len(at_place):
        none = np.zeros(0)
        empty = dispute.extra.take(np.zeros(0, dtype=np.int64))
        return Evidence(seen=empty, middle_sun_deg=none, sun_deg=none)
    np.savez(asked, places=np.unique(at_place), at_place=at_place, at_s=at_s)
    run_side(python, "tatc_windows.py", "evidence", folder / "task.npz", asked, out)
    found = read(out)
    order = np.lexsort((found["start_s"], found["satellite"], found["place"]))
    return Evidence(
        seen=windows_of(found),
        middle_sun_deg=found["middle_sun_deg"][order],
        sun_deg=found["sun_deg"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--repeats", type=int, default=3, help="of each side; the median counts")
    parser.add_argument("--peer-env", type=Path, help="folder of TAT-C's environment")
    given = parser.parse_args()
    places, seed = chosen_places(given.targets, given.seed)
    python = environment("tatc", TATC, given.peer_env)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        task = folder / "task.npz"
        np.savez(task, **task_of(places, days=given.days, repeats=given.repeats))
        run_side(python, "tatc_windows.py", "search", task, folder / "tatc.npz")
        run_side(sys.executable, "humay_windows.py", task, folder / "humay.npz")
        tatc, humay = read(folder / "tatc.npz"), read(folder / "humay.npz")
        dispute = Dispute.of(compare(windows_of(humay), windows_of(tatc)))
        evidence = ask(dispute, python, folder)
    for line in unexplained(dispute, evidence):
        print(line)
    asked = {"targets": len(places), "days": given.days, "seed": seed}
    print(json.dumps(result(humay, tatc, dispute, evidence) | asked))


def result(
    humay: dict[str, Any], tatc: dict[str, Any], dispute: Dispute, evidence: Evidence
) -> dict[str, Any]:
    """The figures; `edge_ms` of all edges but those that the Sun explains."""
    both = dispute.comparison
    clipped = explained_edges(dispute, evidence)
    counted = np.ones(both.edge_s.shape, dtype=bool)
    counted[tuple(dispute.edges[clipped].T)] = False
    return {
        "value": len(both.ours),
        "unit": "windows",
        "seconds": round(float(humay["seconds"]), 4),
        "seconds_tatc": round(float(tatc["seconds"]), 4),
        "first_seconds": [round(float(side["first_seconds"]), 4) for side in (humay, tatc)],
        "ratio": {"tatc": round(float(tatc["seconds"] / humay["seconds"]), 2)},
        "windows_tatc": len(both.theirs),
        "missed": len(both.missed),
        "extra": len(both.extra),
        "clipped_edges": int(clipped.sum()),
        "short": both.short,
        "unexplained": len(unexplained(dispute, evidence)),
        "edge_ms": percentiles_ms(both.edge_s[counted]),
        "peak_mb": round(float(humay["peak_mb"])),
        "peak_mb_tatc": round(float(tatc["peak_mb"])),
    }


if __name__ == "__main__":
    main()
