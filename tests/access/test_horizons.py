"""Horizons of many stations at once, against each station's own."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from humay.access.horizons import Horizons, horizons_of
from humay.mission import Station

ANGLES = st.floats(-10, 80)
MASKS = st.lists(
    st.tuples(st.integers(0, 359_999).map(lambda a: a / 1000), ANGLES),
    max_size=12,
    unique_by=lambda point: point[0],
)
Mask = list[tuple[float, float]]


def station(mask_deg: Mask, least_deg: float) -> Station:
    """A station with this mask; its place does not matter."""
    return Station(
        name="s",
        lon_rad=0.0,
        lat_rad=0.0,
        height_m=0.0,
        min_elevation_rad=math.radians(least_deg),
        mask=tuple((math.radians(a), math.radians(e)) for a, e in sorted(mask_deg)),
    )


@given(masks=st.lists(st.tuples(MASKS, ANGLES), min_size=1, max_size=4))
@example(masks=[([], 5.0), ([(90.0, 7.0)], 5.0), ([(90.0, 7.0), (90.000001, 60.0)], 5.0)])
def test_each_station_keeps_its_own_horizon(masks: list[tuple[Mask, float]]) -> None:
    """Except inside a wall a millionth of a degree thin, where a rounding matters."""
    stations = [station(*mask) for mask in masks]
    horizons = horizons_of(stations)
    azimuth = np.radians(np.arange(0.05, 360.0, 0.1))
    for i, own in enumerate(stations):
        found = horizons.at(np.full(len(azimuth), i), azimuth)
        assert np.allclose(found, own.horizon_rad(azimuth), rtol=0, atol=1e-6)
        assert horizons.lowest_rad[i] <= found.min() + 1e-12
        corners = own.horizon_rad(np.array([a for a, _ in own.mask] or [0.0]))
        assert horizons.lowest_rad[i] >= min(own.min_elevation_rad, corners.min())


@given(mask=MASKS, least_deg=ANGLES, low_deg=st.floats(0, 360), width_deg=st.floats(0.01, 360))
def test_extremes_over_an_arc_bound_every_azimuth_in_it(
    mask: Mask, least_deg: float, low_deg: float, width_deg: float
) -> None:
    horizons = horizons_of([station([], 0.0), station(mask, least_deg)])
    low, high = math.radians(low_deg), math.radians(low_deg + width_deg)
    least, largest, slope = over(horizons, low, high)
    azimuth = np.linspace(low, high, 2001)
    found = horizons.at(np.ones(len(azimuth), np.int64), azimuth)
    assert least <= found.min() + 1e-9
    assert found.max() - 1e-9 <= largest
    ends = station(mask, least_deg).horizon_rad(np.array([a for a, _ in mask]))
    assert min(least - e for e in [*found, *map(float, ends), math.radians(least_deg)]) < 1e-9
    if not math.isnan(slope):
        straight = found[0] + slope * (azimuth - low)
        assert np.allclose(found, straight, rtol=0, atol=1e-6)


def over(horizons: Horizons, low: float, high: float) -> tuple[float, float, float]:
    """Extremes and slope of the second station's horizon."""
    least, largest, slope = horizons.over(np.array([1]), np.array([low]), np.array([high]))
    return float(least[0]), float(largest[0]), float(slope[0])


def test_the_arc_over_north_knows_its_hill() -> None:
    """A hill of 20 deg at azimuth 5, nothing elsewhere above 2 deg, seen from 350 to 30 deg."""
    hill = [(0.0, 2.0), (5.0, 20.0), (10.0, 2.0)]
    horizons = horizons_of([station([], 0.0), station(hill, 0.0)])
    least, largest, slope = over(horizons, math.radians(350), math.radians(390))
    assert np.allclose(np.degrees([least, largest]), [2.0, 20.0])
    assert math.isnan(slope)
    least, largest, slope = over(horizons, math.radians(1), math.radians(2))
    assert np.allclose([np.degrees(least), np.degrees(largest), slope], [5.6, 9.2, 3.6])
