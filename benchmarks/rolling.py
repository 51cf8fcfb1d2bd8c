"""A month of planning under clouds: `benchmarks/rolling.py [--seeds N] [--days D]`.

Thirty days, SPOT 6 and 7, one receiving station, some 110 new scenes a day asked for with a weight
and a deadline, more than can be brought down. Once a day, before the evening pass, the coming day
is planned with what is known then: the forecast issued at that moment, and which of the images
taken until then are clear. What is uploaded is flown. A cloudy scene is asked for again.

Five policies plan the same requests under the same skies, by the same search:

* `blind`: the chance of a clear sky is that of the place, as if there were no later looks;
* `climatology`: the same, and a weight counts as far as later looks leave it open
  (`lookahead.py`);
* `forecast`, `lookahead`: as these two, with the chances of the forecast;
* `perfect`: as `lookahead`, with a forecast that never errs: what information could be worth.

How often a later look is taken is what the policy has done so far. The skies are those of
`skies.py`: a forecast has a Brier skill score of 0.25 at 24 h and no better one before. Each seed
is another sky.

The last line is one JSON object: `value` the clear weight delivered by `lookahead` over that of the
better policy without a forecast, mean over the seeds, with its 95 % interval (Student's t over
paired ratios), `good` if it is 1.10 at least; and what each policy delivered.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.lookahead import share_left_to_now
from benchmarks.skies import STEP_S, Sky, cloud_fraction, draw_sky, spatial_root

from humay.access import Opportunities, Pointing, find_contacts, find_opportunities, find_pointing
from humay.arrays import FloatArray, IntArray
from humay.earth import ellipsoid_normal
from humay.examples import example_folder
from humay.mission import Mission, Request, load_mission
from humay.orbit import ephemerides
from humay.schedule.core import (
    Budget,
    Bundles,
    Goals,
    Poses,
    Problem,
    SlidingLimit,
    Solution,
    Turn,
    no_conflicts,
    violations,
)
from humay.schedule.core.search import search
from humay.schedule.slews import Agility, State, resting_after, resting_before
from humay.tables import land_outlines

Policy: TypeAlias = Literal["blind", "climatology", "forecast", "lookahead", "perfect"]
POLICIES: tuple[Policy, ...] = ("blind", "climatology", "forecast", "lookahead", "perfect")
MYOPIC = ("blind", "forecast")
FIGURE = 1.10
START = datetime(2019, 11, 1, 17, 30, tzinfo=UTC)  # of the evening passes over Baku
DAY_S = 86_400.0
LEAD_S = 3_600.0  # from planning to the first act; assumed
KNOWN_S = 3 * 3_600.0  # from an image to knowing whether it is clear; assumed
A_DAY, BACKLOG = 110, 500  # requests: new ones a day, and those there are at the start
LIFE_DAYS = (3.0, 10.0)
SOUTHMOST_DEG, NORTHMOST_DEG = -50.0, 60.0
SPREAD_DEG, SPOTS = 4.0, 45  # places lie in spots, as customers do
SCENE_M = 60e3
FORECAST_S = 5 * DAY_S
STEP_ROWS = 4  # of the pointing samples, a second apart, every so many are kept
FIRST_TAKEN = 0.5  # share of later looks that are taken, before anything is known of it
SPARE_S = 0.01  # of each slew, for what lies between the pointing samples kept
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093)  # fmt: skip
"""Student's t for 95 %, two-sided, 1 to 19 degrees of freedom."""


# The book ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Book:
    """Requests (n,): each a scene at a place of its own, open from `release_s` to `deadline_s`."""

    lon_deg: FloatArray
    lat_deg: FloatArray
    weight: FloatArray
    release_s: FloatArray
    deadline_s: FloatArray


def make_book(days: float, random: np.random.Generator) -> Book:
    """What there is at the start, and what comes in from then on, evenly in time."""
    n = BACKLOG + round(A_DAY * days)
    release = np.concatenate([np.zeros(BACKLOG), np.sort(random.uniform(0, days, n - BACKLOG))])
    life = random.uniform(*LIFE_DAYS, n)
    life[:BACKLOG] *= random.uniform(0.2, 1.0, BACKLOG)
    spots = _on_land(SPOTS, random)
    lon, lat = (spots[random.integers(0, SPOTS, n)] + random.normal(0, SPREAD_DEG, (n, 2))).T
    return Book(
        lon_deg=lon,
        lat_deg=np.clip(lat, SOUTHMOST_DEG, NORTHMOST_DEG),
        weight=random.integers(1, 10, n, endpoint=True).astype(np.float64),
        release_s=DAY_S * release,
        deadline_s=DAY_S * np.minimum(release + life, days),
    )


def _on_land(count: int, random: np.random.Generator) -> FloatArray:
    """Places (count, 2) spread evenly over the land."""
    tree = shapely.STRtree([shapely.Polygon(ring) for ring in land_outlines() if len(ring) > 40])
    low, high = (math.sin(math.radians(lat)) for lat in (SOUTHMOST_DEG, NORTHMOST_DEG))
    found: list[tuple[float, float]] = []
    while len(found) < count:
        place = float(random.uniform(-165, 165)), math.degrees(math.asin(random.uniform(low, high)))
        if len(tree.query(shapely.Point(place), predicate="within")) % 2:
            found.append(place)
    return np.array(found)


# What can be done --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class Looks:
    """Opportunities (m,) of the whole time, in order of it: whose, by which satellite, when (start
    times from `low_s` to `high_s`), with which poses (rows of `poses`), and how much data."""

    request: IntArray
    satellite: IntArray
    low_s: FloatArray
    high_s: FloatArray
    scan_s: FloatArray
    bits: FloatArray
    poses: tuple[tuple[FloatArray, ...], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """What no policy changes. `volume_bit` (days, satellites) is what the passes of each planned
    day bring down."""

    mission: Mission
    book: Book
    looks: Looks
    volume_bit: FloatArray
    days: int


def make_world(days: int, seed: int) -> World:
    """The example's satellites over the book, its opportunities found once."""
    mission = load_mission(example_folder("azersky") / "mission.toml")
    mission = replace(
        mission,
        max_element_age_days=max(mission.max_element_age_days, days + 5.0),
        satellites=tuple(
            replace(
                s, power=None, idle_attitude="nadir", memory_used_bit=0.0,
                camera=replace(s.camera, scene_length_m=SCENE_M),
            )
            for s in mission.satellites
        ),
    )  # fmt: skip
    book = make_book(days, np.random.default_rng(seed))
    end = START + timedelta(seconds=days * DAY_S + LEAD_S)
    orbits = ephemerides(mission, START, end)
    found = find_opportunities(mission, _requests(book), start=START, end=end, orbits=orbits)
    pointing = find_pointing(found, mission, orbits)
    contacts = find_contacts(mission, start=START, end=end, orbits=orbits)
    names = [s.name for s in mission.satellites]
    zero = contacts.epoch.seconds(START)
    day = np.floor((contacts.start_s - zero - LEAD_S) / DAY_S).astype(int)
    volume = np.zeros((days, len(names)))
    for k, name, bits in zip(day, contacts.satellite, contacts.volume_bit, strict=True):
        if 0 <= k < days and np.isfinite(bits):
            volume[k, names.index(str(name))] += bits
    looks = looks_of(found, pointing, mission, zero)
    return World(mission=mission, book=book, looks=looks, volume_bit=volume, days=days)


def _requests(book: Book) -> list[Request]:
    release = [START + timedelta(seconds=float(t)) for t in book.release_s]
    deadline = [START + timedelta(seconds=float(t)) for t in book.deadline_s]
    return [
        Request(
            name=f"{i}", geometry=shapely.Point(book.lon_deg[i], book.lat_deg[i]), kind="point",
            height_m=0.0, start=release[i], end=max(deadline[i], release[i] + timedelta(hours=1)),
        )
        for i in range(len(book.weight))
    ]  # fmt: skip


def looks_of(
    found: Opportunities, pointing: Sequence[Pointing | None], mission: Mission, zero_s: float
) -> Looks:
    """Opportunities that can be planned, times counted from `zero_s`; at rest before settling and
    after the last line."""
    names = [s.name for s in mission.satellites]
    rows = [i for i, each in enumerate(pointing) if each is not None]
    satellite = np.array([names.index(str(found.satellite[i])) for i in rows], dtype=np.int64)
    poses = []
    for i, s in zip(rows, satellite, strict=True):
        samples, craft = pointing[i], mission.satellites[s]
        if samples is None:
            raise AssertionError("a look without pointing")
        agility = Agility(
            rate_rad_s=craft.slew_rate_rad_s, acceleration_rad_s2=craft.slew_acceleration_rad_s2
        )
        poses.append(_poses_of(samples, agility, craft.settle_s, zero_s))
    data = [float(np.max(p.data_bit)) for p in pointing if p is not None]
    return Looks(
        request=np.array([int(found.request[i]) for i in rows], dtype=np.int64),
        satellite=satellite,
        low_s=found.plan_start_s[rows] - zero_s,
        high_s=found.plan_end_s[rows] - zero_s,
        scan_s=found.scan_s[rows],
        bits=np.array(data),
        poses=tuple(poses),
    )


def _poses_of(
    samples: Pointing, agility: Agility, settle_s: float, zero_s: float
) -> tuple[FloatArray, ...]:
    """Start times (k,), poses (k, 4) come to and left, and the seconds (k,) each takes besides."""
    count = max(2, math.ceil(len(samples.start_s) / STEP_ROWS))
    keep = np.rint(np.linspace(0, len(samples.start_s) - 1, count)).astype(int)
    if len(np.unique(np.diff(keep))) > 1:  # rows must lie evenly: all of them do
        keep = np.arange(len(samples.start_s))
    arrive, go_s = resting_before(
        State(
            attitude=samples.settle_attitude[keep], rate_rad_s=samples.settle_rate_rad_s[keep]
        ), agility,
    )  # fmt: skip
    leave, stop_s = resting_after(
        State(attitude=samples.last_attitude[keep], rate_rad_s=samples.last_rate_rad_s[keep]),
        agility,
    )
    return (
        samples.start_s[keep] - zero_s, _in_one_hemisphere(arrive), _in_one_hemisphere(leave),
        go_s + settle_s, stop_s,
    )  # fmt: skip


def _in_one_hemisphere(quaternions: FloatArray) -> FloatArray:
    turns = np.sum(quaternions[1:] * quaternions[:-1], axis=1) < 0
    return quaternions * np.cumprod(np.concatenate([[1.0], np.where(turns, -1.0, 1.0)]))[:, None]


# One day -----------------------------------------------------------------------------------------


def day_problem(
    world: World, rows: IntArray, chances: FloatArray, weight: FloatArray, day: int
) -> Problem:
    """Looks (k,) of a day with their chances, and what requests (n,) are worth now."""
    looks, n = world.looks, len(rows)
    wanted, part = np.unique(looks.request[rows], return_inverse=True)
    lanes = tuple(
        Turn(
            measure="attitude", rate=s.slew_rate_rad_s, acceleration=s.slew_acceleration_rad_s2,
            settle_s=SPARE_S,
        )
        for s in world.mission.satellites
    )  # fmt: skip
    members = [np.flatnonzero(looks.satellite[rows] == k) for k in range(len(lanes))]
    return Problem(
        lanes=lanes,
        lane=looks.satellite[rows],
        low_s=looks.low_s[rows],
        high_s=looks.high_s[rows],
        duration_s=looks.scan_s[rows],
        poses=_tables([looks.poses[i] for i in rows.tolist()]),
        bundles=replace(Bundles.singles(part), quality=chances),
        goals=Goals.singles(weight[wanted]),
        bonus=np.zeros(n),
        fixed=np.zeros(n, dtype=bool),
        pairs=no_conflicts(2),
        triples=no_conflicts(3),
        budgets=tuple(
            Budget(candidates=own, use=looks.bits[rows[own]], most=float(bits))
            for own, bits in zip(members, world.volume_bit[day], strict=True)
        ),
        limits=tuple(
            (k, SlidingLimit(seconds=limit.seconds, per_s=limit.per_s))
            for k, s in enumerate(world.mission.satellites)
            for limit in s.imaging_limits
        ),
    )


def _tables(poses: Sequence[tuple[FloatArray, ...]]) -> Poses:
    start, arrive, leave, arrive_s, leave_s = (list(part) for part in zip(*poses, strict=True))
    counts = [len(each) for each in start]
    return Poses(
        first=np.concatenate([[0], np.cumsum(counts)]),
        from_s=np.array([each[0] for each in start]),
        step_s=np.array([each[1] - each[0] for each in start]),
        arrive=np.concatenate(arrive),
        leave=np.concatenate(leave),
        arrive_s=np.concatenate(arrive_s),
        leave_s=np.concatenate(leave_s),
    )


@dataclass
class Ledger:
    """What a policy has done: the only thing here that changes. Requests (n,): when each was first
    known to be imaged clear, and looks flown, with their chance as told, of which nobody knows."""

    known_s: FloatArray
    delivered: np.ndarray[tuple[int], np.dtype[np.bool_]]
    pending: list[tuple[int, float, float]]
    offered: float = 0.0
    flown: float = 0.0
    images: int = 0
    clear: int = 0

    @property
    def taken(self) -> float:
        """The share of all chances on offer that were used so far, with one more of a guess."""
        return (self.flown + FIRST_TAKEN) / (self.offered + 1.0)


def fly(world: World, sky: Sky, policy: Policy, *, iterations: int) -> Ledger:
    """All days of one policy under one sky."""
    n = len(world.book.weight)
    ledger = Ledger(known_s=np.full(n, np.inf), delivered=np.zeros(n, dtype=bool), pending=[])
    for day in range(world.days):
        plan_and_fly(world, sky, policy, ledger, day, iterations=iterations)
    return ledger


def plan_and_fly(
    world: World, sky: Sky, policy: Policy, ledger: Ledger, day: int, *, iterations: int
) -> None:
    """Plan the day that begins `LEAD_S` after the planning, and fly it."""
    now_s = day * DAY_S
    begin_s, end_s = now_s + LEAD_S, now_s + LEAD_S + DAY_S
    looks, book = world.looks, world.book
    open_now = (book.release_s <= now_s) & ~(ledger.known_s <= now_s)
    chances = _chances(policy, sky, day, looks)
    asked = open_now[looks.request] & (chances > 0)
    today = asked & (looks.low_s >= begin_s) & (looks.low_s < end_s)
    rows = np.flatnonzero(today)
    if not len(rows):
        return
    weight = book.weight * _left(policy, ledger, looks, chances, asked & (looks.low_s >= end_s))
    ledger.pending = [each for each in ledger.pending if each[1] > now_s]
    for request, _, chance in ledger.pending:
        weight[request] *= 1.0 - chance
    problem = day_problem(world, rows, chances[rows], weight, day)
    solution = search(problem, seed=1 + day, iterations=iterations, stop=None, threads=1).solution
    broken = violations(problem, solution)
    if broken:
        raise AssertionError(f"day {day}: {broken[0]}")
    _fly_day(sky, ledger, looks, chances, rows, solution)


def _chances(policy: Policy, sky: Sky, day: int, looks: Looks) -> FloatArray:
    """Of a clear sky at every look (m,), as the policy believes on a day."""
    if policy in ("blind", "climatology"):
        return 1.0 - sky.cloudy[looks.request]
    if policy == "perfect":
        return sky.clear(looks.request, looks.low_s).astype(np.float64)
    return sky.foretold(day, looks.request, looks.low_s)


def _left(
    policy: Policy, ledger: Ledger, looks: Looks, chances: FloatArray, later: np.ndarray
) -> FloatArray:
    """What later looks leave of each request (n,)."""
    left = np.ones(len(ledger.known_s))
    if policy in MYOPIC:
        return left
    of: dict[int, list[float]] = {}
    for i in np.flatnonzero(later).tolist():
        of.setdefault(int(looks.request[i]), []).append(float(chances[i]))
    for request, those in of.items():
        left[request] = share_left_to_now(those, ledger.taken)
    return left


def _fly_day(
    sky: Sky,
    ledger: Ledger,
    looks: Looks,
    chances: FloatArray,
    rows: IntArray,
    solution: Solution,
) -> None:
    done = rows[solution.candidates]
    clear = sky.clear(looks.request[done], looks.low_s[done])
    ledger.offered += float(np.sum(chances[rows]))
    ledger.flown += float(np.sum(chances[done]))
    ledger.images += len(done)
    ledger.clear += int(np.sum(clear))
    for i, start_s, good in zip(done.tolist(), solution.start_s, clear, strict=True):
        request, known_s = int(looks.request[i]), float(start_s) + KNOWN_S
        ledger.pending.append((request, known_s, float(chances[i])))
        if good:
            ledger.delivered[request] = True
            ledger.known_s[request] = min(ledger.known_s[request], known_s)


# The command -------------------------------------------------------------------------------------


def sky_over(world: World, root: FloatArray, seed: int) -> Sky:
    return draw_sky(
        cloud_fraction(world.book.lon_deg, world.book.lat_deg),
        root,
        seconds=world.days * DAY_S + LEAD_S + DAY_S,
        issue_s=np.arange(0.0, world.days) * DAY_S,
        leads=math.ceil(FORECAST_S / STEP_S),
        seed=seed,
    )


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """95 %, of the mean, by Student's t."""
    if len(ratios) < 2:
        return -math.inf, math.inf
    half = _T95[len(ratios) - 2] * statistics.stdev(ratios) / math.sqrt(len(ratios))
    mean = statistics.mean(ratios)
    return mean - half, mean + half


def run(
    *, days: int, seeds: int, iterations: int, tell: Callable[[str], None]
) -> Mapping[str, Any]:
    """Every policy under every sky."""
    world = make_world(days, seed=1)
    book = world.book
    tell(f"{len(book.weight)} requests, {len(world.looks.request)} looks")
    normals = ellipsoid_normal(np.radians(book.lon_deg), np.radians(book.lat_deg))
    root = spatial_root(normals)
    weights: dict[str, list[float]] = {policy: [] for policy in POLICIES}
    for seed in range(1, seeds + 1):
        sky = sky_over(world, root, seed)
        for policy in POLICIES:
            ledger = fly(world, sky, policy, iterations=iterations)
            weights[policy].append(float(np.sum(book.weight[ledger.delivered])))
            tell(
                f"seed {seed} {policy:12} {weights[policy][-1]:8.0f} of {book.weight.sum():.0f},"
                f" {ledger.images} images, {ledger.clear} clear, taken {ledger.taken:.2f}"
            )
    base = max(("blind", "climatology"), key=lambda policy: statistics.mean(weights[policy]))
    return {
        "delivered": {p: round(statistics.mean(w), 1) for p, w in weights.items()},
        "base": base,
        "ratios": {p: _ratio(w, weights[base]) for p, w in weights.items()},
        "asked": float(book.weight.sum()),
    }


def _ratio(weights: Sequence[float], base: Sequence[float]) -> dict[str, float]:
    ratios = [a / b for a, b in zip(weights, base, strict=True)]
    low, high = interval(ratios)
    return {"mean": round(statistics.mean(ratios), 4), "low": round(low, 4), "high": round(high, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10, help="skies, 2 to 20")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--iterations", type=int, default=2_000, help="of the search, for a day")
    given = parser.parse_args()
    if not 2 <= given.seeds <= len(_T95) + 1:
        parser.error(f"--seeds is {given.seeds}, expected 2 to {len(_T95) + 1}")
    began, cpu = time.perf_counter(), time.process_time()
    told = run(
        days=given.days, seeds=given.seeds, iterations=given.iterations,
        tell=lambda text: print(text, flush=True),
    )  # fmt: skip
    ours = told["ratios"]["lookahead"]
    print(
        json.dumps(
            {
                "value": ours["mean"],
                "interval": [ours["low"], ours["high"]],
                "good": ours["mean"] >= FIGURE,
                **told,
                "seconds": round(time.perf_counter() - began, 1),
                "cpu_seconds": round(time.process_time() - cpu, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
