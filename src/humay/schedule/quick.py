"""Slews and attitudes between nodes, compiled: a plan asks for a few of them at a time.

`slews.plain_slew_time` and `attitude.interpolate` are their plain forms; on a few those spend their
time on handling arrays.
"""

from __future__ import annotations

import math

from humay.arrays import FloatArray
from humay.compiled import inner, kernel


@inner
def turned(q: FloatArray, rate: FloatArray, seconds: float) -> tuple[float, float, float, float]:
    """The attitude q (4,) after turning evenly at a body rate (3,) for so long (s)."""
    whole = q[0], q[1], q[2], q[3]
    return turned_by(whole, seconds * rate[0], seconds * rate[1], seconds * rate[2])


@inner
def turned_by(
    q: tuple[float, float, float, float], x: float, y: float, z: float
) -> tuple[float, float, float, float]:
    """An attitude after a turn by a rotation vector (rad), body axes."""
    angle = math.sqrt(x * x + y * y + z * z)
    scale = 0.5 if angle < 1e-12 else math.sin(0.5 * angle) / angle
    x, y, z, s = x * scale, y * scale, z * scale, math.cos(0.5 * angle)
    return (
        s * q[0] + q[3] * x - (y * q[2] - z * q[1]),
        s * q[1] + q[3] * y - (z * q[0] - x * q[2]),
        s * q[2] + q[3] * z - (x * q[1] - y * q[0]),
        s * q[3] - (x * q[0] + y * q[1] + z * q[2]),
    )


@inner
def size(v: FloatArray) -> float:
    return math.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


@inner
def _slew_seconds(
    from_attitude: FloatArray,
    from_rate: FloatArray,
    to_attitude: FloatArray,
    to_rate: FloatArray,
    rate_rad_s: float,
    acceleration_rad_s2: float,
) -> float:
    """Shortest time (s) between two states, quaternions (4,) and body rates (3,), under one rate
    and one acceleration about any axis."""
    stop_s, go_s = size(from_rate) / acceleration_rad_s2, size(to_rate) / acceleration_rad_s2
    a0, a1, a2, a3 = turned(from_attitude, from_rate, 0.5 * stop_s)
    b0, b1, b2, b3 = turned(to_attitude, to_rate, -0.5 * go_s)
    x = a3 * b0 - b3 * a0 + (b1 * a2 - b2 * a1)
    y = a3 * b1 - b3 * a1 + (b2 * a0 - b0 * a2)
    z = a3 * b2 - b3 * a2 + (b0 * a1 - b1 * a0)
    along = abs(a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3)
    angle = 2.0 * math.atan2(math.sqrt(x * x + y * y + z * z), along)
    if angle > rate_rad_s * rate_rad_s / acceleration_rad_s2:
        turn_s = angle / rate_rad_s + rate_rad_s / acceleration_rad_s2
    else:
        turn_s = 2.0 * math.sqrt(angle / acceleration_rad_s2)
    return stop_s + turn_s + go_s


@kernel
def slew_seconds(
    from_attitude: FloatArray,
    from_rate: FloatArray,
    to_attitude: FloatArray,
    to_rate: FloatArray,
    rate_rad_s: float,
    acceleration_rad_s2: float,
    seconds: FloatArray,
) -> None:
    """Write shortest times (k,) s between states, quaternions (k or 1, 4) and body rates (k or 1,
    3), under one rate and one acceleration about any axis."""
    for k in range(len(seconds)):
        i, j = min(k, len(from_attitude) - 1), min(k, len(to_attitude) - 1)
        seconds[k] = _slew_seconds(
            from_attitude[i], from_rate[i], to_attitude[j], to_rate[j],
            rate_rad_s, acceleration_rad_s2,
        )  # fmt: skip


@kernel
def states_at(
    t_s: FloatArray,
    quaternions: FloatArray,
    rates: FloatArray,
    at_s: FloatArray,
    attitude: FloatArray,
    rate: FloatArray,
) -> None:
    """Write attitudes (n, 4) and rates (n, 3) at instants (n,): straight between nodes (k,),
    outside of them those of the nearest."""
    for n in range(len(at_s)):
        _state_at(t_s, quaternions, rates, at_s[n], attitude[n], rate[n])


@inner
def _state_at(
    t_s: FloatArray,
    quaternions: FloatArray,
    rates: FloatArray,
    at_s: float,
    attitude: FloatArray,
    rate: FloatArray,
) -> None:
    low, high = 0, len(t_s) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if t_s[middle] < at_s:
            low = middle
        else:
            high = middle
    inside = min(max((at_s - t_s[low]) / (t_s[high] - t_s[low]), 0.0), 1.0)
    for k in range(3):
        rate[k] = rates[low, k] + inside * (rates[high, k] - rates[low, k])
    sign = 0.0
    for k in range(4):
        sign += quaternions[low, k] * quaternions[high, k]
    sign = -1.0 if sign < 0 else 1.0
    total = 0.0
    for k in range(4):
        attitude[k] = (1.0 - inside) * quaternions[low, k] + inside * sign * quaternions[high, k]
        total += attitude[k] * attitude[k]
    for k in range(4):
        attitude[k] /= math.sqrt(total)


@kernel
def flown(
    attitude: FloatArray,
    rate: FloatArray,
    seconds: FloatArray,
    acceleration: FloatArray,
    t_s: FloatArray,
    out: FloatArray,
) -> None:
    """Write attitudes (k, 4) at times (k,) after the start of phases of so many seconds (p,), each
    with one angular acceleration (p, 3); before the start, that at it."""
    q = attitude[0], attitude[1], attitude[2], attitude[3]
    x, y, z = rate[0], rate[1], rate[2]
    for k in range(len(t_s)):
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = q
    begin_s = 0.0
    for p in range(len(seconds)):
        a, b, c = acceleration[p, 0], acceleration[p, 1], acceleration[p, 2]
        for k in range(len(t_s)):
            if t_s[k] >= begin_s:
                t = min(t_s[k] - begin_s, seconds[p])
                half = 0.5 * t * t
                now = turned_by(q, x * t + a * half, y * t + b * half, z * t + c * half)
                out[k, 0], out[k, 1], out[k, 2], out[k, 3] = now
        t = seconds[p]
        half = 0.5 * t * t
        q = turned_by(q, x * t + a * half, y * t + b * half, z * t + c * half)
        x, y, z = x + a * t, y + b * t, z + c * t
        begin_s += t
