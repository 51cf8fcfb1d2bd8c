"""Rows that no choice breaks: sets of candidates of which one can be done, or two.

Candidates that exclude each other in pairs form *cliques*: at most one of a clique is done. Where
three exclude each other, without two of them doing so, they grow to *double* sets, of which no
three go together: at most two are done, and those that exclude all others of the set count twice.
A relaxation with such rows is far stronger than one with a row for each conflict
(`docs/design/choice.md`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from humay.arrays import BoolArray, FloatArray, IntArray
from humay.compiled import inner, kernel

VIOLATED = 1e-4
"""By this much a row is broken before it is worth adding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Conflicts:
    """What excludes each of n candidates.

    Its neighbours are `other[first[i]:first[i + 1]]`. It stands in the `triples`
    `triple[triple_first[i]:triple_first[i + 1]]`, with the `others` beside it. Triples with two
    neighbours in them are left out.
    """

    first: IntArray
    other: IntArray
    triples: IntArray
    triple_first: IntArray
    triple: IntArray
    others: IntArray

    @classmethod
    def of(cls, n: int, pairs: IntArray, triples: IntArray) -> Conflicts:
        keys = np.unique(np.concatenate([pairs @ [n, 1], pairs @ [1, n]]).astype(np.int64))
        triples = np.unique(np.sort(triples, axis=1), axis=0)
        known = [np.isin(triples[:, [a, b]] @ [n, 1], keys) for a, b in ((0, 1), (0, 2), (1, 2))]
        triples = triples[~np.any(known, axis=0)]
        owner = triples.reshape(-1)
        others = np.stack([np.delete(triples, k, axis=1) for k in range(3)], axis=1).reshape(-1, 2)
        order = np.argsort(owner, kind="stable")
        return cls(
            first=np.searchsorted(keys, np.arange(n + 1) * n),
            other=keys % n if n else keys,
            triples=triples,
            triple_first=np.searchsorted(owner[order], np.arange(n + 1)),
            triple=order // 3,
            others=np.ascontiguousarray(others[order]),
        )

    def __len__(self) -> int:
        return len(self.first) - 1

    def neighbours(self, i: int) -> IntArray:
        return self.other[self.first[i] : self.first[i + 1]]

    @cached_property
    def degree(self) -> IntArray:
        return np.diff(self.first)

    def exclude(self, i: int, j: int) -> bool:
        """Whether i and j are neighbours."""
        near = self.neighbours(i)
        at = int(np.searchsorted(near, j))
        return at < len(near) and int(near[at]) == j


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """The columns `which` (k,), `weight` (k,) of each, come to `most` at most."""

    which: IntArray
    weight: FloatArray
    most: float

    @property
    def key(self) -> bytes:
        return self.which.tobytes() + self.weight.tobytes() + np.float64(self.most).tobytes()

    def broken_by(self, x: FloatArray, slack: float = VIOLATED) -> bool:
        return bool(self.weight @ x[self.which] > self.most + slack)


class Grower:
    """Grows sets of candidates as far as they go, in a given order of preference."""

    def __init__(self, conflicts: Conflicts) -> None:
        self.conflicts = conflicts
        n = len(conflicts)
        self._members, self._count = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self._stamp, self._token = np.zeros(n, np.int64), np.zeros(1, np.int64)
        self._weight = np.zeros(n)

    def clique(self, seed: IntArray, queue: IntArray) -> IntArray:
        """A clique with the members of `seed` and what of `queue` fits, in that order."""
        c = self.conflicts
        self._members[: len(seed)] = seed
        size = grow_clique(c.first, c.other, self._members, len(seed), queue, self._count)
        return self._members[:size].copy()

    def double(self, seed: IntArray, queue: IntArray) -> tuple[IntArray, FloatArray]:
        """A set of which two can be done, and how much each member counts."""
        c = self.conflicts
        self._members[: len(seed)] = seed
        size = grow_double(
            c.first, c.other, c.triple_first, c.others, self._members, len(seed), queue,
            self._count, self._stamp, self._token, self._weight,
        )  # fmt: skip
        return self._members[:size].copy(), self._weight[:size].copy()

    def near(self, triple: IntArray) -> IntArray:
        """What may share a double set with a triple, by number."""
        c = self.conflicts
        linked = [c.others[c.triple_first[i] : c.triple_first[i + 1]].reshape(-1) for i in triple]
        return np.unique(np.concatenate([*(c.neighbours(i) for i in triple), *linked]))


def covering(conflicts: Conflicts) -> Iterator[Row]:
    """Rows that together say all that the pairs and triples say, and as much more as they can."""
    grower, rank = Grower(conflicts), np.argsort(np.argsort(-conflicts.degree, kind="stable"))
    yield from _covering_pairs(grower, rank)
    yield from _covering_triples(grower, rank)


def _covering_pairs(grower: Grower, rank: IntArray) -> Iterator[Row]:
    c = grower.conflicts
    covered, inside = np.zeros(len(c.other), dtype=bool), np.zeros(len(c), dtype=bool)
    owner = np.repeat(np.arange(len(c)), c.degree)
    for p in np.argsort(rank[owner], kind="stable").tolist():
        if covered[p]:
            continue
        i = int(owner[p])
        near = c.neighbours(i)
        members = grower.clique(np.array([i, c.other[p]]), near[np.argsort(rank[near])])
        cover(c.first, c.other, members, inside, covered)
        yield _once(members)


def _covering_triples(grower: Grower, rank: IntArray) -> Iterator[Row]:
    c = grower.conflicts
    covered, inside = np.zeros(len(c.triples), dtype=bool), np.zeros(len(c), dtype=bool)
    for k, triple in enumerate(c.triples):
        if covered[k]:
            continue
        near = grower.near(triple)
        members, weight = grower.double(triple, near[np.argsort(rank[near])])
        inside[members] = True
        at = np.concatenate([c.triple[c.triple_first[i] : c.triple_first[i + 1]] for i in members])
        covered[at] |= np.all(inside[c.triples[at]], axis=1)
        inside[members] = False
        yield _twice(members, weight)


def broken(grower: Grower, x: FloatArray) -> list[Row]:
    """Rows that x (n,), a choice in parts, breaks: grown from what it takes in part."""
    rank = np.empty(len(x), dtype=np.int64)
    rank[np.lexsort((-grower.conflicts.degree, -x))] = np.arange(len(x))
    rows = [*_broken_cliques(grower, x, rank), *_broken_doubles(grower, x, rank)]
    return list({row.key: row for row in rows}.values())


def _broken_cliques(grower: Grower, x: FloatArray, rank: IntArray) -> Iterator[Row]:
    for i in np.flatnonzero((x > VIOLATED) & (x < 1.0 - VIOLATED)).tolist():
        near = grower.conflicts.neighbours(i)
        near = near[np.argsort(rank[near])]
        members = grower.clique(np.array([i]), near[x[near] > VIOLATED])
        if np.sum(x[members]) > 1.0 + VIOLATED:
            yield _once(grower.clique(members, near))


def _broken_doubles(grower: Grower, x: FloatArray, rank: IntArray) -> Iterator[Row]:
    triples = grower.conflicts.triples
    for triple in triples[np.sum(x[triples], axis=1) >= 1.0]:
        near = grower.near(triple)
        near = near[np.argsort(rank[near])]
        members, weight = grower.double(triple, near[x[near] > VIOLATED])
        if weight @ x[members] > 2.0 + VIOLATED:
            yield _twice(*grower.double(members, near))


def _once(members: IntArray) -> Row:
    members = np.sort(members)
    return Row(which=members, weight=np.ones(len(members)), most=1.0)


def _twice(members: IntArray, weight: FloatArray) -> Row:
    order = np.argsort(members)
    return Row(which=members[order], weight=weight[order], most=2.0)


# Compiled ----------------------------------------------------------------------------------------


@kernel
def grow_clique(
    first: IntArray, other: IntArray, members: IntArray, size: int, queue: IntArray, count: IntArray
) -> int:
    """Add to a clique `members[:size]` what of `queue` excludes all in it; how many it then has.

    `count` (n,) comes and goes with zeros.
    """
    for k in range(size):
        for p in range(first[members[k]], first[members[k] + 1]):
            count[other[p]] += 1
    for v in queue:
        if count[v] == size:
            members[size] = v
            size += 1
            for p in range(first[v], first[v + 1]):
                count[other[p]] += 1
    for k in range(size):
        for p in range(first[members[k]], first[members[k] + 1]):
            count[other[p]] = 0
    return size


@kernel
def cover(
    first: IntArray, other: IntArray, members: IntArray, inside: BoolArray, covered: BoolArray
) -> None:
    """Mark the pairs inside a set; `inside` (n,) comes and goes all false."""
    for v in members:
        inside[v] = True
    for v in members:
        for p in range(first[v], first[v + 1]):
            if inside[other[p]]:
                covered[p] = True
    for v in members:
        inside[v] = False


@kernel
def grow_double(
    first: IntArray,
    other: IntArray,
    triple_first: IntArray,
    others: IntArray,
    members: IntArray,
    size: int,
    queue: IntArray,
    barred: IntArray,
    stamp: IntArray,
    token: IntArray,
    weight: FloatArray,
) -> int:
    """Add to `members[:size]`, of which no three go together, what of `queue` keeps it so.

    `barred` (n,) counts, of the pairs in the set that do go together, those that leave no room for
    a candidate: it may enter where all do. `weight` is 2 for what excludes all others of the set.
    `barred` comes and goes with zeros; `stamp` (n,) and `token` (1,) are scratch that stays.
    """
    free = 0
    for k in range(size):
        free += _enter(first, other, triple_first, others, members, k, barred, stamp, token)
    for v in queue:
        new = barred[v] == free
        for k in range(size):
            new = new and members[k] != v
        if new:
            members[size] = v
            free += _enter(first, other, triple_first, others, members, size, barred, stamp, token)
            size += 1
    barred[:] = 0
    for k in range(size):
        token[0] += 1
        near = 0
        for p in range(first[members[k]], first[members[k] + 1]):
            stamp[other[p]] = token[0]
        for j in range(size):
            near += stamp[members[j]] == token[0]
        weight[k] = 2.0 if near == size - 1 else 1.0
    return size


@inner
def _enter(
    first: IntArray,
    other: IntArray,
    triple_first: IntArray,
    others: IntArray,
    members: IntArray,
    k: int,
    barred: IntArray,
    stamp: IntArray,
    token: IntArray,
) -> int:
    """Count what member k, together with each before it, leaves no room for; how many those are."""
    v = members[k]
    token[0] += 1
    for p in range(first[v], first[v + 1]):
        stamp[other[p]] = token[0]
    free = 0
    for j in range(k):
        e = members[j]
        if stamp[e] == token[0]:
            continue
        free += 1
        for p in range(first[e], first[e + 1]):
            if stamp[other[p]] != token[0]:
                barred[other[p]] += 1
        for p in range(triple_first[v], triple_first[v + 1]):
            if others[p, 0] == e:
                barred[others[p, 1]] += 1
            elif others[p, 1] == e:
                barred[others[p, 0]] += 1
    for p in range(first[v], first[v + 1]):
        barred[other[p]] += free
    return free
