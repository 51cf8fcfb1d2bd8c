"""Which candidates remember which, and the bits in which sequences carry what they remember.

Two candidates share a bit where no sequence can be asked for both at once, so that a few machine
words serve pieces of any size.
"""

from __future__ import annotations

import numpy as np

from humay.arrays import BoolArray, IntArray
from humay.compiled import kernel
from humay.schedule.core.bound_clusters import Piece
from humay.schedule.core.bound_paths import WORDS, Bits, Memory

_WORD = 64


def memory_of(piece: Piece, remember: BoolArray) -> Memory:
    """Bits for a choice of neighbours; what gets none, where they run out, is not remembered."""
    n = len(remember)
    itself = np.eye(n, dtype=bool)
    blocks = piece.exclusive | itself
    colour = np.full(n, -1)
    if n:
        sets = [_rows(remember | itself), _rows(remember | blocks)]
        clash = np.zeros((n, n), dtype=bool)
        find_clashes(piece.cluster.arc, piece.cluster.to, *sets[0], *sets[1], clash)
        paint(clash, colour)
    colour[colour >= WORDS * _WORD] = -1
    words = max(1, -(-int(np.max(colour, initial=-1) + 1) // _WORD))
    return Memory(*(_bits(rows, colour, words) for rows in (itself, remember, blocks)))


def _rows(sets: BoolArray) -> tuple[IntArray, IntArray]:
    """Where the members of each set begin, and the members."""
    owner, member = np.nonzero(sets)
    return np.searchsorted(owner, np.arange(len(sets) + 1)), member


def _bits(sets: BoolArray, colour: IntArray, words: int) -> Bits:
    bits = np.zeros((len(sets), words), dtype=np.uint64)
    for word in range(words):
        inside = np.flatnonzero((colour >= 0) & (colour // _WORD == word))
        for bit in np.unique(colour[inside]):
            has = np.any(sets[:, colour == bit], axis=1)
            bits[has, word] |= np.uint64(1) << np.uint64(bit % _WORD)
    return bits


@kernel
def find_clashes(arc, to, carried_first, carried, asked_first, asked, clash) -> None:  # type: ignore[no-untyped-def]
    """Mark (n, n) whatever may be carried to the end of an arc while the other is asked for."""
    n = len(arc) - 1
    for p in range(n):
        for z in range(arc[p], arc[p + 1]):
            j = to[z]
            for k in range(carried_first[p], carried_first[p + 1]):
                for h in range(asked_first[j], asked_first[j + 1]):
                    a, b = carried[k], asked[h]
                    if a != b:
                        clash[a, b] = clash[b, a] = True


@kernel
def paint(clash, colour) -> None:  # type: ignore[no-untyped-def]
    """Give each candidate the first colour that none it clashes with has."""
    n = len(colour)
    for i in range(n):
        found = False
        c = 0
        while not found:
            found = True
            for j in range(i):
                if clash[i, j] and colour[j] == c:
                    found = False
                    c += 1
                    break
        colour[i] = c


def lapses(piece: Piece, path: list[int]) -> list[tuple[int, list[int]]]:
    """Where a sequence comes back to what it must not: the candidate that should have been
    remembered, and those that have to remember it. Across a stretch in which nothing binds, all is
    forgotten, and nothing can be done."""
    found: list[tuple[int, list[int]]] = []
    begin = 0
    for here in range(1, len(path)):
        if path[here] >= piece.cluster.free[path[here - 1]]:
            begin = here
        for there in range(here - 1, begin - 1, -1):
            a = path[there]
            if a == path[here] or piece.exclusive[a, path[here]]:
                found.append((a, path[there + 1 : here]))
    return found


def holds(piece: Piece, remember: BoolArray, path: list[int]) -> bool:
    """Whether a sequence never comes back to what is remembered."""
    return all(not np.all(remember[between, a]) for a, between in lapses(piece, path))
