"""The age of information: an image is worth less the later it is on the ground.

A look counts with 2^(-age / half-life), its age being the time from its last line to the end of the
downlink that carries its last bit; what is still on board at the plan's end counts as if it came
down then. When it comes down follows from the whole plan. Until that is known, a look counts as if
its satellite began to send it in the first contact after it: no plan delivers it sooner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from humay.access import Contacts, Opportunities, Pointing
from humay.arrays import FloatArray
from humay.schedule.age import Freshness
from humay.schedule.core import Budget
from humay.schedule.planner import Lane
from humay.schedule.resources import deliveries_s
from humay.schedule.worth import Worth


def ageing(
    worth: Worth,
    half_life_s: float,
    end_s: float,
    least_age_s: FloatArray,
    except_of: AbstractSet[str] = frozenset(),
) -> Worth:
    """A worth of looks that age, with the least age (rows,) that each can have.

    Requests with a curve of completion count as if all were fresh: a part that counts for less is
    no smaller share. So do those of `except_of`. Where clouds do not count, a strip is looked at no
    more often than asked for: a second look would only be the better one.
    """
    counts = np.array(
        [r.completion == "linear" and r.name not in except_of for r in worth.requests], dtype=bool
    )
    freshness = Freshness(
        half_life_s=half_life_s,
        end_s=end_s,
        fresh=2.0 ** (-least_age_s / half_life_s),
        quality=worth.bundles.quality,
        ages=counts[worth.bundle_goal],
        attempts=worth.attempted,
        clear=worth.clear,
    )
    return replace(
        worth,
        bundles=freshness.counted(worth.bundles),
        most=worth.most if worth.counts_clouds else (*worth.most, *_once_each(worth)),
        freshness=freshness,
    )


def _once_each(worth: Worth) -> Iterator[Budget]:
    """What serves a part is done once."""
    rows: dict[int, set[int]] = {}
    size: dict[int, int] = {}
    for bundle, part in enumerate(worth.bundles.serves.of.tolist()):
        own = worth.bundles.members[bundle].tolist()
        rows.setdefault(part, set()).update(own)
        size[part] = max(size.get(part, 0), len(own))
    for part, own in rows.items():
        which = np.array(sorted(own), dtype=np.int64)
        yield Budget(candidates=which, use=np.ones(len(which)), most=float(size[part]))


def least_ages(
    o: Opportunities,
    pointing: Sequence[Pointing | None],
    contacts: Contacts,
    rates_bit_s: Mapping[tuple[str, str], float],
    end_s: float,
) -> FloatArray:
    """The least age (rows,) of each look on the ground, whatever is booked: sent from the first
    contact on that ends after it, at the best rate of all; none where no plan can have it."""
    first_s, last_s = o.plan_start_s + o.scan_s, o.plan_end_s + o.scan_s
    found = np.maximum(end_s - last_s, 0.0)
    for name in np.unique(o.satellite).tolist():
        own = np.flatnonzero(o.satellite == name)
        rates = {
            i: rates_bit_s[name, str(contacts.station[i])]
            for i in np.flatnonzero(contacts.satellite == name).tolist()
            if rates_bit_s[name, str(contacts.station[i])] > 0
        }
        if not rates:
            continue
        which = np.array(list(rates), dtype=np.int64)
        begin, over = contacts.start_s[which], contacts.end_s[which]
        waits = np.maximum(begin - last_s[own, None], 0.0)
        waits = np.where(over > first_s[own, None], waits, np.inf).min(axis=1)
        samples = [pointing[i] for i in own.tolist()]
        bits = [0.0 if each is None else float(np.min(each.data_bit)) for each in samples]
        found[own] = np.minimum(found[own], waits + np.array(bits) / max(rates.values()))
    return np.nan_to_num(found, nan=0.0)


def as_delivered(worth: Worth, lanes: Iterable[Lane]) -> Worth:
    """The worth with the true age of the acts of lanes, which leave when their plan lets them."""
    freshness = worth.freshness
    if freshness is None:
        return worth
    fresh = np.array(freshness.fresh)
    for lane in lanes:
        segments = lane.segments(lane.acts)
        if segments is None:
            raise AssertionError(f"the acts of {lane.satellite.name!r} do not join up")
        bits: dict[str | None, float] = {str(act.row): act.bits for act in lane.acts}
        delivered = deliveries_s(bits, lane.downlinks(lane.acts, segments))
        for act in lane.acts:
            at_s = delivered.get(str(act.row), max(freshness.end_s, act.end_s))
            fresh[act.row] = min(fresh[act.row], freshness.of(at_s - act.end_s))
    true = replace(freshness, fresh=fresh)
    return replace(worth, bundles=true.counted(worth.bundles), freshness=true)
