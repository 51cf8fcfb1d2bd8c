"""Recreate: put in what promises most, as far as it fits."""

from __future__ import annotations

import math

from humay.compiled import inner
from humay.schedule.core.search.books import allowed, gain, wanted
from humay.schedule.core.search.chance import below, draw
from humay.schedule.core.search.lanes import insert, remove
from humay.schedule.core.search.tables import LIST, Books, Tables

_BLINK = 0.02


@inner
def recreate(t: Tables, b: Books, ease: float) -> None:
    """Put in listed bundles, those that promise most first, as far as they fit."""
    power = 0.5 * below(b, 3)
    noise = draw(b)
    noise *= noise
    for k in range(b.counters[LIST]):
        b.list_score[k] = -_promise(t, b, b.list_bundle[k], ease, power) * (
            1.0 + noise * (draw(b) - 0.5) * 2.0
        )
    _sort(b)
    for k in range(b.counters[LIST]):
        if b.list_score[k] < 0.0 and draw(b) >= _BLINK:
            put_in(t, b, b.list_bundle[k], ease)


@inner
def _promise(t: Tables, b: Books, bundle: int, ease: float, power: float) -> float:
    """Gain of a bundle, over a power of the seconds it takes."""
    seconds = 0.0
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        i = t.member[k]
        if not b.done[i] and t.lane[i] >= 0:
            seconds += t.duration_s[i] + t.settle_s[t.lane[i]]
    worth = gain(t, b, bundle, ease)
    if power > 0.0 and seconds > 0.0:
        worth /= seconds if power == 1.0 else math.sqrt(seconds)
    return worth


@inner
def _sort(b: Books) -> None:
    """The list by score, lowest first: Shell's sort."""
    n = b.counters[LIST]
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, n):
            score, bundle, m = b.list_score[k], b.list_bundle[k], k
            while m >= gap and b.list_score[m - gap] > score:
                b.list_score[m], b.list_bundle[m] = b.list_score[m - gap], b.list_bundle[m - gap]
                m -= gap
            b.list_score[m], b.list_bundle[m] = score, bundle
        gap //= 3


@inner
def open_to(t: Tables, b: Books, bundle: int) -> bool:
    """Whether pairs, triples and budgets let each of what is lacking of a bundle in."""
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        if not b.done[t.member[k]] and not allowed(t, b, t.member[k]):
            return False
    return True


@inner
def put_in(t: Tables, b: Books, bundle: int, ease: float) -> bool:
    """Do what is lacking of a bundle, all or nothing, if there is a gain in it."""
    if b.lacking[bundle] == 0 or not open_to(t, b, bundle) or not gain(t, b, bundle, ease) > 0.0:
        return False
    several = b.lacking[bundle] > 1
    for k in range(t.member_first[bundle], t.member_first[bundle + 1]):
        i = t.member[k]
        if b.done[i]:
            continue
        if not allowed(t, b, i) or not insert(t, b, i, several):
            for m in range(t.member_first[bundle], k):
                if b.done[t.member[m]] and not wanted(t, b, t.member[m]):
                    remove(t, b, t.member[m])
            return False
    return True
