"""Stereo imaging cases: `benchmarks/stereo.py [FOLDER ...]`, options as in `solving`.

From the benchmark of https://github.com/Mtrya/astro-reason (MIT): about ten satellites with element
sets, 48 h, 120 to 142 round areas that are to be seen from two or three directions. A look at a
target that begins at a given second is a candidate, a satellite a lane, a pair or a triple of looks
a bundle, a target a goal that its best product serves. Solutions are JSON as the benchmark wants
it.

The benchmark ranks by the targets covered, then by their mean quality, and so `value` is the one
plus the other: 139.958 is 139 targets, and 0.958. Judged by a plain reading of the rules
(`stereo_rules`), and, where HUMAY_ASTRO_REASON names a clone of that repository, by its authors'
own verifier besides. An overlap is sampled there from a seed made of names and times, and so it is
here; what is written holds the looks of the best products alone, so that no satellite uses two
passes of one target, which would change the seeds.

Published (README of solvers/stereo_imaging/... at the same commit), coverage and quality:

    case   time_window_pruned_stereo_milp   cp_local_search_stereo_insertion
    0001   0.9296 0.9130                    0.979 0.958
    0002   0.9917 0.9772                    0.992 0.989
    0003   0.9421 0.9176                    0.959 0.957
    0004   0.8968 0.8532                    0.944 0.924
    0005   0.9574 0.9388                    0.979 0.975
"""

from __future__ import annotations

import json
import math
import os
import sys
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.peers.astro_reason import VARIABLE, check
from benchmarks.solving import Adapter, main
from benchmarks.stereo_case import (
    EDGE_SAMPLES,
    PAIR_SAMPLES,
    Case,
    Satellite,
    Seen,
    Target,
    read,
)
from benchmarks.stereo_looks import Looks, all_looks, inside, pointed
from benchmarks.stereo_rules import worth

from humay.arrays import BoolArray, FloatArray, IntArray, unit
from humay.schedule.core import (
    Bundles,
    Curve,
    Goals,
    Poses,
    Problem,
    Ragged,
    Solution,
    Turn,
    no_conflicts,
)

CASES = ("case_0001", "case_0002", "case_0003")
SETTLE_MARGIN_S, ANCHOR_MARGIN_DEG = 1e-3, 1e-2
DISC_POINTS, APART_S = 250, 10.0
PAIRS_KEPT, TRIPLES_KEPT, ROW = 100, 40, 4
LEAST_QUALITY = 1e-3  # that of a valid product is more
FULL_QUALITY = 0.999


@dataclass(frozen=True, kw_only=True)
class Product:
    """Looks by number, and what they are worth together."""

    looks: tuple[int, ...]
    quality: float


def problem(case: Case) -> Problem:
    """The abstract problem: those looks that have a part in a product, and the products."""
    looks = all_looks(case)
    found, served = [], []
    for number, target in enumerate(case.targets):
        own = np.flatnonzero(looks.target == number)
        for product in products(case, target, looks[own]):
            found.append(own[list(product.looks)].tolist())
            served.append((number, product.quality))
    used = np.unique([i for members in found for i in members]).astype(np.int64)
    looks = looks[used]
    n = len(looks)
    return Problem(
        lanes=tuple(map(_turn, case.satellites)),
        lane=looks.satellite,
        low_s=looks.start_s,
        high_s=looks.start_s,
        duration_s=looks.duration_s,
        poses=Poses.at_rest(looks.arrive, looks.leave),
        bundles=Bundles(
            members=Ragged.from_rows([np.searchsorted(used, m).tolist() for m in found]),
            serves=Ragged.singles(np.array([number for number, _ in served], np.int64)),
            quality=np.array([quality for _, quality in served]),
        ),
        goals=_goals(len(case.targets)),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
    )


def _turn(satellite: Satellite) -> Turn:
    return Turn(
        measure="direction",
        rate=math.radians(satellite.rate_deg_s),
        acceleration=math.radians(satellite.acceleration_deg_s2),
        settle_s=satellite.settle_s + SETTLE_MARGIN_S,
    )


def _goals(targets: int) -> Goals:
    """A target covered counts 1, its quality 1 by their number."""
    covered = (1 + LEAST_QUALITY / targets) / (1 + 1 / targets)
    level = np.array([0.0, LEAST_QUALITY, LEAST_QUALITY, 1.0])
    return Goals(
        weight=np.full(targets, 1 + 1 / targets),
        curve=np.zeros(targets, np.int64),
        part_goal=np.arange(targets),
        part_share=np.ones(targets),
        curves=(Curve(level=level, worth=np.array([0.0, 0.0, covered, 1.0])),),
        combine="best",
    )


# ---------------------------------------------------------------- products


def products(case: Case, target: Target, looks: Looks) -> list[Product]:
    """Pairs of looks at one target that differ in quality or in time, and triples where no pair has
    all the quality."""
    table = Table.of(case, target, looks)
    pairs = _sampled(table, np.stack(_chosen(table), axis=-1))
    if max((pair.quality for pair in pairs), default=0.0) > FULL_QUALITY:
        return pairs
    return pairs + _triples(table, pairs)


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """What the looks (n,) at one target are to each other: `quality` (n, n) is that of pairs by an
    overlap taken evenly, 0 where they make none; `covers` (n, points) is 1 where a look holds a
    point."""

    case: Case
    target: Target
    looks: Looks
    covers: FloatArray
    together: BoolArray
    convergence_deg: FloatArray
    ratio: FloatArray
    quality: FloatArray

    @classmethod
    def of(cls, case: Case, target: Target, looks: Looks) -> Table:
        points = target.radius_m * even_disc(DISC_POINTS)[None]
        covers = inside(points, looks.ends, looks.half_width_m).astype(np.float64)
        view = unit(looks.place - np.array(target.place))
        convergence_deg = np.degrees(np.arccos(np.clip(view @ view.T, -1.0, 1.0)))
        pixel, other = looks.pixel_m[:, None], looks.pixel_m
        ratio = np.maximum(pixel, other) / np.minimum(pixel, other)
        overlap = covers @ covers.T / DISC_POINTS
        together = _together(case, looks)
        return cls(
            case=case, target=target, looks=looks, covers=covers, together=together,
            convergence_deg=convergence_deg, ratio=ratio,
            quality=together * case.pair_quality(target.scene, convergence_deg, overlap, ratio),
        )  # fmt: skip

    def sampled_quality(self, pair: IntArray, role: str, count: int) -> FloatArray:
        """What pairs (k, 2) of looks are worth by the points that the rules draw for them."""
        one, other = pair.T
        overlap = self.sampled_overlap(pair, role, count)
        together = self.together[one, other]
        angle, ratio = self.convergence_deg[one, other], self.ratio[one, other]
        quality = self.case.pair_quality(self.target.scene, angle, overlap, ratio)
        return np.asarray(together * quality)

    def sampled_overlap(self, sets: IntArray, role: str, count: int) -> FloatArray:
        """The overlap (k,) of sets (k, 2 or 3) of looks at the points that the rules draw."""
        seen = {i: self._seen(i) for i in np.unique(sets).tolist()}
        points = [
            self.case.samples(self.target, [seen[i] for i in row], role, count)
            for row in sets.tolist()
        ]
        held = np.ones((len(sets), count), dtype=bool)
        for column in sets.T:
            held &= inside(
                np.array(points).reshape(-1, count, 2),
                self.looks.ends[column], self.looks.half_width_m[column],
            )  # fmt: skip
        return np.asarray(np.mean(held, axis=1))

    def _seen(self, i: int) -> Seen:
        start = self.case.start + timedelta(seconds=float(self.looks.start_s[i]))
        return Seen(
            satellite=self.case.satellites[self.looks.satellite[i]].name,
            visit=0,
            start=start,
            end=start + timedelta(seconds=float(self.looks.duration_s[i])),
        )


def even_disc(count: int) -> FloatArray:
    """Points (count, 2) spread evenly over the unit disc: H. Vogel's sunflower."""
    k = np.arange(count) + 0.5
    angle = np.pi * (3 - math.sqrt(5)) * k
    unit_vectors = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    return np.asarray(np.sqrt(k / count)[:, None] * unit_vectors)


def _together(case: Case, looks: Looks) -> BoolArray:
    """Which two looks (n, n) the rules let make a product."""
    same = looks.satellite[:, None] == looks.satellite
    one_pass = looks.visit[:, None] == looks.visit
    apart_s = np.abs(looks.middle_s[:, None] - looks.middle_s)
    return np.where(same, one_pass, case.across_satellites) & (apart_s <= case.longest_apart_s)


def _chosen(table: Table) -> tuple[IntArray, IntArray]:
    """The best pair for each two passes and two stretches of time in them, and of these the best
    from every two passes first."""
    looks = table.looks
    one, other = np.nonzero(np.triu(table.quality))
    quality = table.quality[one, other]
    apart_s = np.abs(looks.start_s[one] - looks.start_s[other])
    order = np.lexsort((apart_s, -np.round(quality, 2)))
    visits = looks.visit[one] * (1 + np.max(looks.visit, initial=0)) + looks.visit[other]
    stretch = (looks.start_s // APART_S).astype(np.int64)
    keys = np.stack([visits, stretch[one], stretch[other]], axis=-1)[order]
    order = order[np.sort(np.unique(keys, axis=0, return_index=True)[1])]
    chosen = order[np.lexsort((-quality[order], _rank(visits[order]) // ROW))][:PAIRS_KEPT]
    return one[chosen], other[chosen]


def _rank(key: IntArray) -> IntArray:
    """How many before each (n,) have the same key."""
    order = np.argsort(key, kind="stable")
    first = np.searchsorted(key[order], key[order])
    rank = np.empty(len(key), np.int64)
    rank[order] = np.arange(len(key)) - first
    return rank


def _sampled(table: Table, pairs: IntArray) -> list[Product]:
    """Pairs (k, 2) that are valid at the points drawn for them."""
    quality = table.sampled_quality(pairs, "pair_overlap", PAIR_SAMPLES)
    return [
        Product(looks=(one, other), quality=max(q, LEAST_QUALITY))
        for (one, other), q in zip(pairs.tolist(), quality.tolist(), strict=True)
        if q > 0
    ]


def _triples(table: Table, pairs: list[Product]) -> list[Product]:
    """The best of pairs with a third look near nadir."""
    case, limit = table.case, table.case.anchor_deg - ANCHOR_MARGIN_DEG
    anchors = np.flatnonzero(table.looks.tilt_deg <= limit)
    if not (pairs and len(anchors)):
        return []
    one, other = np.array([pair.looks for pair in pairs]).T
    edges = np.stack(
        np.broadcast_arrays(
            np.array([pair.quality for pair in pairs])[:, None],
            table.quality[one][:, anchors],
            table.quality[other][:, anchors],
        )
    )
    overlap = (table.covers[one] * table.covers[other]) @ table.covers[anchors].T / DISC_POINTS
    good = (np.sum(edges > 0, axis=0) >= 2) & (overlap >= case.least_overlap)
    good &= table.together[one][:, anchors] & table.together[other][:, anchors]
    good &= (one[:, None] != anchors) & (other[:, None] != anchors)
    pair, anchor = np.nonzero(good)
    order = np.argsort(-np.max(edges, axis=0)[pair, anchor], kind="stable")[: 4 * TRIPLES_KEPT]
    sets = np.stack([one[pair], other[pair], anchors[anchor]], axis=-1)[order]
    return _sampled_triples(table, np.unique(np.sort(sets, axis=1), axis=0))


def _sampled_triples(table: Table, sets: IntArray) -> list[Product]:
    overlap = table.sampled_overlap(sets, "tri_overlap", PAIR_SAMPLES)
    edges = np.stack(
        [
            table.sampled_quality(sets[:, list(edge)], "tri_pair_edge", EDGE_SAMPLES)
            for edge in combinations(range(3), 2)
        ],
        axis=-1,
    )
    tilt_deg = np.min(table.looks.tilt_deg[sets], axis=1)
    quality = [
        table.case.triple_quality(table.target.scene, *row)
        for row in zip(edges.tolist(), overlap.tolist(), tilt_deg.tolist(), strict=True)
    ]
    found = [
        Product(looks=tuple(row), quality=q)
        for row, q in zip(sets.tolist(), quality, strict=True)
        if q > 0
    ]
    return sorted(found, key=lambda product: -product.quality)[:TRIPLES_KEPT]


# ---------------------------------------------------------------- solutions


def write(case: Case, problem: Problem, solution: Solution, path: Path) -> None:
    """The looks of each target's best product."""
    actions = []
    for target, i in best_looks(problem, solution):
        look = pointed(
            case, int(problem.lane[i]), np.array([target]), np.zeros(1, np.int64),
            problem.low_s[[i]], problem.duration_s[[i]],
        )  # fmt: skip
        start = case.start + timedelta(seconds=float(look.start_s[0]))
        end = start + timedelta(seconds=float(look.duration_s[0]))
        actions.append(
            {
                "type": "observation",
                "satellite_id": case.satellites[int(problem.lane[i])].name,
                "target_id": case.targets[target].name,
                "start_time": start.isoformat().replace("+00:00", "Z"),
                "end_time": end.isoformat().replace("+00:00", "Z"),
                "off_nadir_along_deg": math.degrees(math.atan(look.along[0])),
                "off_nadir_across_deg": math.degrees(math.atan(look.across[0])),
            }
        )
    path.write_text(json.dumps({"actions": actions}, indent=1) + "\n")


def best_looks(problem: Problem, solution: Solution) -> list[tuple[int, int]]:
    """Targets and the candidates of their best product that is done, in order."""
    done = set(solution.candidates.tolist())
    best: dict[int, tuple[float, list[int]]] = {}
    for b in range(len(problem.bundles.members)):
        members, target = problem.bundles.members[b].tolist(), int(problem.bundles.serves[b][0])
        quality = float(problem.bundles.quality[b])
        if done.issuperset(members) and quality > best.get(target, (0.0, []))[0]:
            best[target] = quality, members
    return [(target, i) for target, (_, members) in sorted(best.items()) for i in members]


def judge(case: Case, path: Path) -> float:
    """Targets covered plus mean quality, by the plain rules and, where it is at hand, the authors'
    verifier."""
    covered, quality = worth(case, path)
    clone = os.environ.get(VARIABLE)
    if clone:
        metrics = check(Path(clone), "stereo_imaging", case.folder, path)
        theirs = metrics["coverage_ratio"] * len(case.targets), metrics["normalized_quality"]
        if not np.allclose(theirs, (covered, quality), rtol=0, atol=1e-9):
            raise ValueError(f"{path}: {theirs} by its authors, {covered} and {quality} here")
    return covered + quality


def shares(case: Case, value: float) -> dict[str, object]:
    """What the line of JSON tells besides."""
    covered = min(int(value), len(case.targets))
    return {
        "coverage": round(covered / len(case.targets), 6),
        "quality": round(value - covered, 6),
        "judge": "authors" if os.environ.get(VARIABLE) else "plain",
    }


if __name__ == "__main__":
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("HUMAY_TEST_DATA", beside)) / "scheduling" / "astro_reason"
    main(
        Adapter(
            family="stereo imaging", read=read, problem=problem, write=write, judge=judge,
            tell=shares,
        ),
        [str(data / "stereo_imaging" / name) for name in CASES],
    )  # fmt: skip
