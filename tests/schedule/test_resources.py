"""Resource curves against step-by-step simulations."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.access import Timeline
from humay.mission import ImagingLimit, Power
from humay.schedule.resources import (
    Battery,
    Harvest,
    Load,
    Recording,
    Sending,
    first_overrun,
    longest_imaging,
    memory_curve,
    send_all,
)
from humay.time import Epoch

spans = st.lists(st.tuples(st.floats(0, 5000), st.floats(1, 200)), min_size=0, max_size=12).map(
    lambda pairs: [(round(a, 2), round(a + d, 2)) for a, d in pairs]
)


def apart(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The spans that do not overlap an earlier one, in order."""
    kept: list[tuple[float, float]] = []
    for begin, end in sorted(pairs):
        if not kept or begin >= kept[-1][1]:
            kept.append((begin, end))
    return kept


@given(pairs=spans, per_s=st.floats(10, 3000))
def test_no_sliding_window_holds_more_imaging_than_told(
    pairs: list[tuple[float, float]], per_s: float
) -> None:
    acts = np.array(apart(pairs)).reshape(-1, 2)
    told = longest_imaging(acts[:, 0], acts[:, 1], per_s)
    begins = np.arange(-per_s, 5300, 0.5)
    inside = np.minimum(acts[None, :, 1], begins[:, None] + per_s) - np.maximum(
        acts[None, :, 0], begins[:, None]
    )
    sampled = float(np.max(np.sum(np.maximum(inside, 0), axis=1), initial=0.0))
    assert sampled <= told + 1e-9
    assert told - sampled <= 1.0  # a window between two samples holds at most one step more


def test_a_limit_is_overrun_only_beyond_its_seconds() -> None:
    starts, ends = np.array([0.0, 100.0, 500.0]), np.array([20.0, 130.0, 540.0])
    assert first_overrun(starts, ends, [ImagingLimit(seconds=50.0, per_s=130.0)]) is None
    overrun = first_overrun(starts, ends, [ImagingLimit(seconds=49.9, per_s=130.0)])
    assert overrun is not None
    assert overrun.seconds == 49.9


@given(
    acts=spans,
    passes=spans,
    volumes=st.lists(st.floats(1e6, 5e10), min_size=12, max_size=12),
    left=st.floats(0, 5e10),
    rate=st.floats(1e6, 5e8),
)
def test_downlinks_send_each_bit_once_after_it_was_recorded(
    acts: list[tuple[float, float]],
    passes: list[tuple[float, float]],
    volumes: list[float],
    left: float,
    rate: float,
) -> None:
    recordings = [Recording(acquisition=None, start_s=0.0, end_s=0.0, bits=left)] if left else []
    recordings += [
        Recording(acquisition=str(i), start_s=a, end_s=b, bits=v)
        for i, ((a, b), v) in enumerate(zip(apart(acts), volumes, strict=False))
    ]
    sendings = [
        Sending(pass_id=str(i), station="s", start_s=a, end_s=b, bit_s=rate)
        for i, (a, b) in enumerate(sorted(passes))
    ]
    downlinks = send_all(recordings, sendings)
    ends = {r.acquisition: r.end_s for r in recordings}
    sent = dict.fromkeys(ends, 0.0)
    last = -1.0
    for downlink in downlinks:
        assert downlink.start_s >= last  # a satellite sends to one station at a time
        last = downlink.end_s
        stretch = sendings[int(downlink.pass_id)]
        assert stretch.start_s <= downlink.start_s < downlink.end_s <= stretch.end_s + 1e-9
        spare_s = (downlink.end_s - downlink.start_s) - downlink.bits / rate
        assert -1e-9 < spare_s < 1e-4 + 1e-9  # none is shorter than a tenth of a millisecond
        now = downlink.start_s
        for acquisition, bits in downlink.items:
            assert ends[acquisition] <= now + 1e-6
            now += bits / rate
            sent[acquisition] += bits
    for recording in recordings:
        assert sent[recording.acquisition] <= recording.bits + 1.0
    t_s, on_board = memory_curve(recordings, downlinks, 0.0, 6000.0)
    assert np.min(on_board) > -10.0
    total = sum(r.bits for r in recordings) - sum(d.bits for d in downlinks)
    assert abs(on_board[-1] - total) < 10.0
    assert t_s[0] == 0.0
    assert t_s[-1] == 6000.0


def battery(capacity_wh: float, watt: np.ndarray) -> Battery:
    """A battery on a 10 s grid whose panels give `watt` in the idle attitude."""
    t_s = np.arange(len(watt), dtype=np.float64) * 10.0
    n = len(watt)
    timeline = Timeline(
        satellite="s", epoch=Epoch(datetime(2026, 1, 1, tzinfo=UTC)), t_s=t_s,
        r_gcrf_m=np.tile([7e6, 0.0, 0.0], (n, 1)),
        nadir_attitude=np.tile([0.0, 0.0, 0.0, 1.0], (n, 1)), sun_gcrf=np.tile([1.0, 0, 0], (n, 1)),
        moon_gcrf=np.tile([1.0, 0, 0], (n, 1)), irradiance_w_m2=np.full(n, 1361.0),
        lonlat_deg=np.zeros((n, 2)), eclipse_s=np.zeros((0, 2)), node_s=np.zeros(1),
        node_orbit=np.ones(1), orbit_epoch_s=0.0, inertial_speed_m_s=7500.0,
    )  # fmt: skip
    power = Power(
        battery_j=capacity_wh * 3600, max_depth_of_discharge=0.3, initial_charge=0.9,
        panel_area_m2=2.0, panel_efficiency=0.3, panel_normal=(0.0, 0.0, -1.0), platform_w=300.0,
        imaging_w=400.0, downlink_w=100.0, slew_w=50.0,
    )  # fmt: skip
    return Battery(power=power, timeline=timeline, idle_watt=watt)


@given(
    capacity_wh=st.floats(50, 500),
    watts=st.lists(st.floats(0, 900), min_size=40, max_size=120),
    load=st.tuples(st.floats(0, 200), st.floats(5, 150), st.floats(10, 3000)),
    turned=st.tuples(st.floats(0, 250), st.floats(5, 100)),
)
@settings(deadline=None)
def test_the_battery_follows_a_simulation_in_tenths_of_a_second(
    capacity_wh: float,
    watts: list[float],
    load: tuple[float, float, float],
    turned: tuple[float, float],
) -> None:
    """Charge beyond the capacity is lost at each step of the simulation; never made up for."""
    model = battery(capacity_wh, np.array(watts))
    end_s = model.timeline.t_s[-1]
    begin, length = turned
    sampled = begin + length * np.linspace(0, 1, 101)
    shape = np.interp(np.linspace(0, 1, 101), [0, 0.5, 1], [0, 500, 100])
    harvest = Harvest(t_s=sampled, watt=shape)
    loads = [Load(start_s=load[0], end_s=load[0] + load[1], watt=load[2])]
    t_s, stored = model.curve([harvest], loads, 0.0, end_s)
    step, charge = 0.1, 0.9 * model.power.battery_j
    times = np.arange(0, end_s, step)
    middle = times + step / 2
    gain = np.interp(middle, model.timeline.t_s, np.array(watts))
    inside = (middle > begin) & (middle < begin + length)
    gain[inside] = np.interp(middle[inside], harvest.t_s, harvest.watt)
    loss = 300.0 + load[2] * ((middle > load[0]) & (middle < load[0] + load[1]))
    simulated = [charge]
    for change in (gain - loss) * step:
        charge = min(charge + change, model.power.battery_j)
        simulated.append(charge)
    told = np.interp(times, t_s, stored)
    # 0.9 Wh: the simulation itself is half a step of 0.1 s off at each edge of loads up to 3 kW,
    # and takes the sampled panels' triangle in one value a step
    assert np.max(np.abs(told - np.array(simulated[:-1]))) < 3200.0
    assert np.max(stored) <= model.power.battery_j + 1e-6
