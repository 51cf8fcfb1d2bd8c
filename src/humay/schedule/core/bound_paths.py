"""The most profitable sequence of one piece of a lane: labels in order of time.

A label says which candidate was done last, when it can have begun at the earliest, what the
sequence has gained, and which candidates it remembers. Each candidate lets only some others be
remembered (neighbourhoods: Baldacci, Mingozzi, Roberti, Oper. Res. 59, 2011), so that a sequence
may come back to one it has forgotten; what is found is never less than the best sequence without
repetitions. Labels that cannot beat a floor are dropped, by what a coarser recursion, which
remembers nothing, says can still be gained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from humay.arrays import FloatArray, IntArray
from humay.compiled import inner, kernel
from humay.schedule.core.bound_clusters import ROUNDING, Cluster, Piece

Bits: TypeAlias = np.ndarray[tuple[int, int], np.dtype[np.uint64]]

WORDS = 4
"""Of 64 bits each, at most."""
MOST_LABELS, MOST_IN_SLOT = 1_000_000, 4096
FULL = -1
"""There was no room for all labels."""
PATHS = 10
"""So many sequences are handed out at most."""
STEPS = (0.5, 0.2, 0.0)
"""By which the floor of labels comes down, as shares of what is hoped for above it."""


class Memory(NamedTuple):
    """Bits (n, words) of candidates: its own, those that last beyond it, those that exclude it."""

    bit: Bits
    keep: Bits
    block: Bits


class Labels(NamedTuple):
    """Room for labels (k), used again and again: `head`, by slot, and `kept`, by candidate, begin
    lists that go on in `next`; `best` is the label of most gain that ends at a candidate."""

    start_s: FloatArray
    gain: FloatArray
    seen: Bits
    node: IntArray
    parent: IntArray
    next: IntArray
    head: IntArray
    kept: IntArray
    best: IntArray
    batch: IntArray


class Pricing(NamedTuple):
    """What is asked: a cluster, the `profit` (n,) of its candidates; and what is known: the `hope`
    after each candidate begun in each of its slots or later, the `tail` (n + 1) from each on."""

    cluster: Cluster
    memory: Memory
    profit: FloatArray
    hope: FloatArray
    tail: FloatArray


def labels_for(pieces: Sequence[Piece]) -> Labels:
    """Room for any one of some pieces."""
    k, n = MOST_LABELS, max((len(piece.nodes) for piece in pieces), default=0)
    slots = max((int(piece.cluster.at[-1]) for piece in pieces), default=0)
    return Labels(
        start_s=np.zeros(k), gain=np.zeros(k), seen=np.zeros((k, WORDS), dtype=np.uint64),
        node=np.zeros(k, np.int64), parent=np.zeros(k, np.int64), next=np.zeros(k, np.int64),
        head=np.zeros(slots, np.int64), kept=np.zeros(n, np.int64), best=np.zeros(n, np.int64),
        batch=np.zeros(MOST_IN_SLOT, np.int64),
    )  # fmt: skip


@inner
def _arrival_s(c: Cluster, z: int, i: int, k: int, start_s: float) -> float:
    """The earliest start at the end of arc z, when its first candidate i begins at `start_s`, in
    its slot k, or later."""
    arrive_s = start_s + c.table[c.row[z] + (0 if c.steady[z] else k)]
    if not c.steady[z] and k + 1 < c.slots[i]:
        next_s = (c.slot[i] + k + 1) * c.slot_s
        arrive_s = min(arrive_s, next_s + c.table[c.row[z] + k + 1])
    if c.grid_s > 0.0 and arrive_s < np.inf:
        arrive_s = math.ceil(arrive_s / c.grid_s - ROUNDING) * c.grid_s
    return float(max(arrive_s, c.low_s[c.to[z]]))


@inner
def _place(c: Cluster, j: int, start_s: float) -> int:
    """Where what is kept for the slot in which candidate j begins stands."""
    k = math.floor(start_s / c.slot_s + 1e-9) - c.slot[j]
    return int(c.at[j] + min(max(k, 0), c.slots[j] - 1))


@inner
def _ahead(q: Pricing, j: int, k: int) -> float:
    """The most that can follow candidate j, begun in its slot k or later."""
    c = q.cluster
    most = q.tail[c.free[j]]
    if k + 1 < c.slots[j]:
        most = max(most, q.hope[c.at[j] + k + 1])
    start_s = max((c.slot[j] + k) * c.slot_s, c.low_s[j])
    for z in range(c.arc[j], c.arc[j + 1]):
        i = c.to[z]
        if q.profit[i] > 0.0 or not c.idle[i]:
            arrive_s = _arrival_s(c, z, j, k, start_s)
            if arrive_s <= c.high_s[i]:
                most = max(most, q.profit[i] + q.hope[_place(c, i, arrive_s)])
    return float(most)


@kernel
def fill_hope(q: Pricing) -> None:
    """Fill `hope` and `tail`: sequences may repeat themselves. Slots go backwards: each arc leads
    to a later one."""
    c = q.cluster
    n = len(c.low_s)
    q.tail[n] = 0.0
    top, bottom = n - 1, n
    for m in range(c.reach[n - 1], c.slot[0] - 1, -1):
        while top > 0 and c.slot[top] > m:
            top -= 1
        while bottom > 0 and c.reach[bottom - 1] >= m:
            bottom -= 1
        for j in range(top, bottom - 1, -1):
            k = m - c.slot[j]
            if 0 <= k < c.slots[j]:
                q.hope[c.at[j] + k] = _ahead(q, j, k)
                if k == 0:
                    q.tail[j] = max(q.tail[j + 1], q.profit[j] + q.hope[c.at[j]])


@inner
def _remembers_no_more(labels: Labels, words: int, a: int, b: int) -> bool:
    """Whether label a remembers nothing that label b does not."""
    more = np.uint64(0)
    for w in range(words):
        more |= labels.seen[a, w] & ~labels.seen[b, w]
    return bool(more == 0)


@inner
def _put(q: Pricing, labels: Labels, x: int, at: int) -> bool:
    """List a label that was written, unless one in its slot is better in every way."""
    y = labels.head[at]
    while y >= 0:
        if (
            labels.gain[y] >= labels.gain[x]
            and labels.start_s[y] <= labels.start_s[x]
            and _remembers_no_more(labels, q.memory.bit.shape[1], y, x)
        ):
            return False
        y = labels.next[y]
    labels.next[x] = labels.head[at]
    labels.head[at] = x
    return True


@inner
def _sorted_batch(labels: Labels, at: int) -> int:
    """The labels of a slot in `batch`, by start, then by gain; how many, or FULL."""
    count, x = 0, labels.head[at]
    while x >= 0:
        if count == len(labels.batch):
            return FULL
        k = count
        while k > 0:
            y = labels.batch[k - 1]
            if labels.start_s[y] < labels.start_s[x] or (
                labels.start_s[y] == labels.start_s[x] and labels.gain[y] >= labels.gain[x]
            ):
                break
            labels.batch[k] = y
            k -= 1
        labels.batch[k] = x
        count += 1
        x = labels.next[x]
    return count


@inner
def _dominated(q: Pricing, labels: Labels, x: int) -> bool:
    """Whether an earlier label that ends at the same candidate is better in every way."""
    y = labels.kept[labels.node[x]]
    while y >= 0:
        if labels.gain[y] >= labels.gain[x] and _remembers_no_more(
            labels, q.memory.bit.shape[1], y, x
        ):
            return True
        y = labels.next[y]
    return False


@inner
def _excluded(q: Pricing, labels: Labels, x: int, i: int) -> bool:
    """Whether label x remembers that candidate i was done, or what excludes it."""
    seen = np.uint64(0)
    for w in range(q.memory.bit.shape[1]):
        seen |= labels.seen[x, w] & q.memory.block[i, w]
    return bool(seen != 0)


@inner
def _extend(q: Pricing, floor: float, labels: Labels, x: int, k: int, used: int) -> int:
    """Write what follows label x, in slot k of its candidate, from number `used` on; how many
    labels there are then, or FULL."""
    c, j = q.cluster, labels.node[x]
    for z in range(c.arc[j], c.arc[j + 1]):
        i = c.to[z]
        gain = labels.gain[x] + q.profit[i]
        if (q.profit[i] <= 0.0 and c.idle[i]) or gain + q.hope[c.at[i]] <= floor:
            continue
        if _excluded(q, labels, x, i):
            continue
        arrive_s = _arrival_s(c, z, j, k, labels.start_s[x])
        if arrive_s > c.high_s[i]:
            continue
        at = _place(c, i, arrive_s)
        if gain + q.hope[at] <= floor:
            continue
        if used == len(labels.gain):
            return FULL
        labels.start_s[used], labels.gain[used] = arrive_s, gain
        labels.node[used], labels.parent[used] = i, x
        for w in range(q.memory.bit.shape[1]):
            kept = labels.seen[x, w] & q.memory.keep[i, w]
            labels.seen[used, w] = kept | q.memory.bit[i, w]
        if _put(q, labels, used, at):
            used += 1
    return used


@inner
def _begin(q: Pricing, floor: float, labels: Labels, j: int, before: int, used: int) -> int:
    """Write the label that begins with candidate j, or follows `before` without any turn that
    binds; how many labels there are then, or FULL."""
    at, gain = q.cluster.at[j], q.profit[j]
    if before >= 0:
        gain += labels.gain[before]
    if gain + q.hope[at] <= floor:
        return used
    if used == len(labels.gain):
        return FULL
    labels.start_s[used], labels.gain[used] = q.cluster.low_s[j], gain
    labels.node[used], labels.parent[used] = j, before
    for w in range(q.memory.bit.shape[1]):
        labels.seen[used, w] = q.memory.bit[j, w]
    return used + 1 if _put(q, labels, used, at) else used


@inner
def _settle(q: Pricing, floor: float, labels: Labels, j: int, k: int, used: int) -> int:
    """Keep the labels of slot k of candidate j that are not dominated, and extend them."""
    count = _sorted_batch(labels, q.cluster.at[j] + k)
    if count == FULL:
        return FULL
    for b in range(count):
        x = labels.batch[b]
        if _dominated(q, labels, x):
            continue
        labels.next[x] = labels.kept[j]
        labels.kept[j] = x
        if labels.best[j] < 0 or labels.gain[x] > labels.gain[labels.best[j]]:
            labels.best[j] = x
        used = _extend(q, floor, labels, x, k, used)
        if used == FULL:
            return FULL
    return used


@inner
def _open(q: Pricing, floor: float, labels: Labels, m: int, top: int, used: int) -> int:
    """Write the labels that begin with the candidates from `top` on whose first slot is m. What is
    done before them is the best that ends with a candidate which each may follow at once, or
    nothing where that gains nothing."""
    c = q.cluster
    while top < len(c.low_s) and c.slot[top] <= m:
        before, released = -1, 0
        while released < len(c.low_s) and c.ready_s[c.by_ready[released]] <= c.low_s[top]:
            x = labels.best[c.by_ready[released]]
            if x >= 0 and labels.gain[x] > (0.0 if before < 0 else labels.gain[before]):
                before = x
            released += 1
        used = _begin(q, floor, labels, top, before, used)
        if used == FULL:
            return FULL
        top += 1
    return used


@kernel
def fill_labels(q: Pricing, floor: float, labels: Labels) -> int:
    """All labels that may become worth more than `floor`: how many, or FULL."""
    c, used, bottom, top = q.cluster, 0, 0, 0
    n = len(c.low_s)
    labels.kept[:n] = -1
    labels.best[:n] = -1
    labels.head[: c.at[n]] = -1
    for m in range(c.slot[0], c.reach[n - 1] + 1):
        while c.reach[bottom] < m:
            bottom += 1
        used = _open(q, floor, labels, m, top, used)
        while top < n and c.slot[top] <= m:
            top += 1
        for j in range(bottom, top):
            k = m - c.slot[j]
            if used != FULL and k < c.slots[j] and labels.head[c.at[j] + k] >= 0:
                used = _settle(q, floor, labels, j, k, used)
        if used == FULL:
            return FULL
    return used


class Priced(NamedTuple):
    """No sequence gains more than `most`; `paths` are good ones, best first, as numbers in the
    piece."""

    most: float
    paths: list[list[int]]


def price(piece: Piece, memory: Memory, profit: FloatArray, floor: float, labels: Labels) -> Priced:
    """The most that a sequence of the piece gains, from `profit` (n,) of each candidate.

    `floor` is what some sequence is known to gain, 0 or more. The floor of the labels comes down
    to it in steps, since the lower it is, the more of them there are. Where there is no room for
    all, `most` is less good.
    """
    cluster, n = piece.cluster, len(piece.nodes)
    asked = Pricing(cluster, memory, profit, np.zeros(int(cluster.at[-1])), np.zeros(n + 1))
    fill_hope(asked)
    most = float(asked.tail[0])
    for share in STEPS:
        level = floor + share * (float(asked.tail[0]) - floor)
        if most <= level:
            continue
        full = fill_labels(asked, level, labels) == FULL
        ends = _ends(labels, n, level)
        if ends or full:
            gain = most if full else float(labels.gain[ends[0]])
            return Priced(gain, [_path(labels, end) for end in ends[:PATHS]])
        most = level
    return Priced(most, [])


def _ends(labels: Labels, n: int, level: float) -> list[int]:
    """The best labels of each candidate that gain more than `level`, best first."""
    ends = [int(x) for x in labels.best[:n] if x >= 0 and labels.gain[x] > level]
    return sorted(ends, key=lambda x: -float(labels.gain[x]))


def _path(labels: Labels, end: int) -> list[int]:
    path = []
    while end >= 0:
        path.append(int(labels.node[end]))
        end = int(labels.parent[end])
    return path[::-1]
