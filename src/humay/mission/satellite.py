"""A satellite as the planner knows it: orbit, agility, memory, link, power, uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from humay.arrays import FloatArray
from humay.errors import MissionError
from humay.mission.agility import AXIS_LIMITS, WHEELS, AxisLimits, Wheels
from humay.mission.camera import Camera
from humay.mission.constraint import Constraint
from humay.mission.duty import (
    IMAGING_LIMIT,
    ORBIT_LIMIT,
    THERMAL,
    ImagingLimit,
    OrbitLimit,
    Thermal,
)
from humay.mission.keep_out import KEEP_OUT, MODES, KeepOut
from humay.mission.keys import Key, Rows, SameAs, Sub, Table
from humay.mission.kinds import (
    Choice,
    Choices,
    Direction,
    File,
    Flag,
    Number,
    Text,
    Time,
    TimeOfDay,
    Whole,
)
from humay.mission.slew_law import SlewLaw, SlewTableKind
from humay.mission.star_tracker import STAR_TRACKER, StarTracker
from humay.mission.trees import ConstraintTree

IdleAttitude: TypeAlias = Literal["nadir", "sun", "charging"]
_ANGLE_LIMIT = Number(above=0, below=90)


@dataclass(frozen=True, kw_only=True)
class TleOrbit:
    """Two-line elements, not yet read: the orbit stage picks and checks the satellite's set."""

    path: Path
    text: str = field(repr=False)
    catalogue_number: int | None = None


@dataclass(frozen=True, kw_only=True)
class OmmOrbit:
    """A CCSDS Orbit Mean-Elements Message in XML, CSV or JSON, not yet read."""

    path: Path
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class SunSynchronousOrbit:
    """An orbit whose plane keeps its angle to the mean Sun, by its design figures.

    `altitude_m` is the mean semi-major axis less 6,378,137 m. `local_time_s` is the mean local time
    of the descending node, seconds after midnight. `phase_rad` is the mean argument of latitude
    (argument of perigee + mean anomaly) at `epoch`, so that phases pi apart are half an orbit apart
    in time. The perigee is the northernmost point (argument 90 deg), where a frozen orbit keeps it.
    """

    altitude_m: float
    local_time_s: float
    phase_rad: float
    epoch: datetime
    eccentricity: float = 0.001

    def __post_init__(self) -> None:
        SUN_SYNCHRONOUS.check(self)


SUN_SYNCHRONOUS = Table(
    label="sun-synchronous orbit",
    keys=(
        Key(
            "altitude_km",
            Number(at_least=200, at_most=2000),
            "mean semi-major axis less 6,378.137 km",
        ),
        Key(
            "local_time",
            TimeOfDay(),
            "mean local time of the descending node",
            field="local_time_s",
        ),
        Key(
            "phase_deg",
            Number(at_least=-360, at_most=360),
            "argument of latitude (argument of perigee + mean anomaly) at `epoch`",
        ),
        Key("epoch", Time(), "the instant at which `phase_deg` holds"),
        Key(
            "eccentricity",
            Number(at_least=0, at_most=0.01),
            "mean eccentricity, perigee at 90 deg; about 0.001 is a frozen orbit",
            default=0.001,
        ),
    ),
)

Orbit: TypeAlias = TleOrbit | OmmOrbit | SunSynchronousOrbit


@dataclass(frozen=True, kw_only=True)
class OrbitSigma:
    """Standard deviation along the track: `at_epoch_m` plus `per_day_m` for each day after it."""

    at_epoch_m: float
    per_day_m: float

    def __post_init__(self) -> None:
        ORBIT_SIGMA.check(self)

    def along_m(self, age_days: FloatArray) -> FloatArray:
        """One standard deviation along the track (m) at ages (...) of the elements."""
        return np.asarray(self.at_epoch_m + self.per_day_m * np.asarray(age_days))


ORBIT_SIGMA = Table(
    label="orbit sigma",
    keys=(
        Key("at_epoch", Number(at_least=0), "m, at the epoch of the elements", field="at_epoch_m"),
        Key("per_day", Number(at_least=0), "m more for each day from it", field="per_day_m"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Navigation:
    """How well a satellite knows, after the fact, where it was and how it was turned: one sigma.

    `position_sigma_m` is constant over an acquisition, for each axis of ITRF. The attitude's error
    about each body axis is a constant (`attitude_sigma_rad`), a drift (`drift_sigma_rad_s`, from
    the middle of the acquisition) and what moves faster than the sensors see (`jitter_sigma_rad`).
    """

    position_sigma_m: float = 2.0
    attitude_sigma_rad: float = math.radians(1e-3)
    drift_sigma_rad_s: float = math.radians(5e-5)
    jitter_sigma_rad: float = math.radians(2e-5)

    def __post_init__(self) -> None:
        NAVIGATION.check(self)


NAVIGATION = Table(
    label="navigation",
    keys=(
        Key(
            "position_sigma_m",
            Number(at_least=0, at_most=100_000),
            "position, each axis, constant over an acquisition",
            default=2.0,
        ),
        Key(
            "attitude_sigma_deg",
            Number(at_least=0, at_most=1),
            "attitude about each axis, constant over an acquisition",
            default=1e-3,
        ),
        Key(
            "drift_sigma_deg_s",
            Number(at_least=0, at_most=1),
            "its drift",
            default=5e-5,
        ),
        Key(
            "jitter_sigma_deg",
            Number(at_least=0, at_most=1),
            "movement of the line of sight that no sensor sees, rms about each axis",
            default=2e-5,
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Power:
    """Battery, panels and loads. `panel_normal` is the panels' unit normal in the body frame.

    `platform_w` is drawn always; `imaging_w`, `downlink_w` and `slew_w` on top, while they last.
    """

    battery_j: float
    max_depth_of_discharge: float
    initial_charge: float = 1.0
    panel_area_m2: float
    panel_efficiency: float
    panel_normal: tuple[float, float, float]
    platform_w: float
    imaging_w: float
    downlink_w: float
    slew_w: float

    def __post_init__(self) -> None:
        POWER.check(self)
        floor = 1 - self.max_depth_of_discharge
        if self.initial_charge < floor:
            raise MissionError(
                f"power: initial_charge is {self.initial_charge:g}, expected at least "
                f"1 - max_depth_of_discharge ({floor:g})"
            )


POWER = Table(
    label="power",
    keys=(
        Key("battery_wh", Number(above=0), "capacity of the battery"),
        Key(
            "max_depth_of_discharge",
            Number(above=0, at_most=1),
            "share of the capacity that a plan may take out",
        ),
        Key(
            "initial_charge",
            Number(at_least=0, at_most=1),
            "charge at the start, as a share of the capacity",
            default=1.0,
        ),
        Key("panel_area_m2", Number(above=0), "area of the panels"),
        Key("panel_efficiency", Number(above=0, at_most=1), "electric power out of sunlight"),
        Key("panel_normal", Direction(), "direction the panels face, body frame x, y, z"),
        Key("platform_w", Number(at_least=0), "drawn always"),
        Key("imaging_w", Number(at_least=0), "drawn besides while imaging"),
        Key("downlink_w", Number(at_least=0), "drawn besides while sending"),
        Key("slew_w", Number(at_least=0), "drawn besides while slewing"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Satellite:
    """One satellite. A roll or pitch limit left out is that of the off-nadir angle."""

    name: str
    orbit: Orbit
    camera: Camera
    max_off_nadir_rad: float
    max_roll_rad: float = math.inf
    max_pitch_rad: float = math.inf
    min_sun_elevation_rad: float = 0.0
    slew_rate_rad_s: float
    slew_acceleration_rad_s2: float
    axis_limits: AxisLimits | None = None
    wheels: Wheels | None = None
    slew_law: SlewLaw | None = None
    settle_s: float
    imaging_limits: tuple[ImagingLimit, ...] = ()
    orbit_limit: OrbitLimit | None = None
    thermal: Thermal | None = None
    orbit_sigma: OrbitSigma
    pointing_sigma_rad: float
    preparation_s: float
    command_lead_s: float
    commands_per_pass: int | None = None
    command_queue: int | None = None
    memory_bit: float
    memory_used_bit: float = 0.0
    memory_release: Literal["sent", "acknowledged"] = "sent"
    acknowledge_s: float = 0.0
    downlink_bit_s: float
    downlink_hz: float | None = None
    downlink_order: Literal["oldest", "priority"] = "oldest"
    antenna: Literal["steerable", "fixed"] = "steerable"
    antenna_axis: tuple[float, float, float] | None = None
    image_while_downlinking: bool = True
    idle_attitude: IdleAttitude = "nadir"
    charging_roll_rad: float = 0.0
    keep_out: tuple[KeepOut, ...] = ()
    star_trackers: tuple[StarTracker, ...] = ()
    trackers_needed: int = 1
    tracker_modes: tuple[str, ...] = MODES
    navigation: Navigation = Navigation()
    power: Power | None = None
    constraints: Constraint | None = None

    def __post_init__(self) -> None:
        for limit in ("max_roll_rad", "max_pitch_rad"):
            if getattr(self, limit) == math.inf:
                object.__setattr__(self, limit, self.max_off_nadir_rad)
        SATELLITE.check(self)
        if self.memory_used_bit > self.memory_bit:
            raise MissionError(
                f"satellite {self.name!r}: memory_used_gbit is {self.memory_used_bit / 1e9:g}, "
                f"expected at most memory_gbit ({self.memory_bit / 1e9:g})"
            )
        if self.acknowledge_s > 0 and self.memory_release != "acknowledged":
            raise MissionError(
                f"satellite {self.name!r}: acknowledge_s is given with memory released when "
                f"{self.memory_release}, expected memory_release = 'acknowledged'"
            )
        if self.antenna_axis is not None and self.antenna != "fixed":
            raise MissionError(
                f"satellite {self.name!r}: antenna_axis is given with a {self.antenna} antenna, "
                "expected antenna = 'fixed'"
            )
        if self.trackers_needed > max(1, len(self.star_trackers)):
            raise MissionError(
                f"satellite {self.name!r}: trackers_needed is {self.trackers_needed}, expected at "
                f"most as many as there are star_trackers ({len(self.star_trackers)})"
            )
        if self.charging_roll_rad and self.idle_attitude != "charging":
            raise MissionError(
                f"satellite {self.name!r}: charging_roll_deg is given with idle_attitude"
                f" {self.idle_attitude!r}, expected 'charging'"
            )
        if self.idle_attitude != "nadir" and self.power is None:
            raise MissionError(
                f"satellite {self.name!r}: idle_attitude is {self.idle_attitude!r} without a power "
                "table, expected "
                "one with the panel_normal that is to face the Sun"
            )

    @property
    def imaging_at_once_s(self) -> tuple[float, ...]:
        """How long one acquisition may last, by every limit on imaging."""
        most = [limit.seconds for limit in self.imaging_limits]
        if self.orbit_limit is not None and self.orbit_limit.imaging_s is not None:
            most.append(self.orbit_limit.imaging_s)
        if self.thermal is not None:
            most.append(self.thermal.longest_s)
        return tuple(most)


SATELLITE = Table(
    label="satellite",
    keys=(
        Key("tle", File(), "file of two-line elements", default=None),
        Key(
            "catalogue_number",
            Whole(at_least=1, at_most=339_999),
            "which set of `tle` is meant; without it, the one of the satellite's name (up to case "
            "and punctuation), or the only one",
            default=None,
        ),
        Key(
            "omm", File(), "file of an Orbit Mean-Elements Message: XML, CSV or JSON", default=None
        ),
        Key(
            "sun_synchronous",
            Sub(table=SUN_SYNCHRONOUS, make=SunSynchronousOrbit),
            "an orbit by its design figures; give one of `tle`, `omm`, `sun_synchronous`",
            default=None,
        ),
        Key("camera", Text(), "name of a `[camera.NAME]`", field="camera_name"),
        Key(
            "max_off_nadir_deg",
            _ANGLE_LIMIT,
            "largest angle from geodetic nadir to the line of sight",
        ),
        Key(
            "max_roll_deg",
            _ANGLE_LIMIT,
            "largest roll either way",
            default=SameAs("max_off_nadir_deg"),
        ),
        Key(
            "max_pitch_deg",
            _ANGLE_LIMIT,
            "largest pitch either way",
            default=SameAs("max_off_nadir_deg"),
        ),
        Key(
            "min_sun_elevation_deg",
            Number(at_least=-90, at_most=90),
            "lowest Sun over the target's horizon for imaging",
            default=0.0,
        ),
        Key("slew_rate_deg_s", Number(above=0, at_most=90), "fastest turn"),
        Key("slew_acceleration_deg_s2", Number(above=0, at_most=90), "fastest change of the turn"),
        Key(
            "axis_limits",
            Sub(table=AXIS_LIMITS, make=AxisLimits),
            "how fast it turns about each of its axes `{rate_deg_s, acceleration_deg_s2}`, besides",
            default=None,
        ),
        Key(
            "wheels",
            Sub(table=WHEELS, make=Wheels),
            "what its wheels can do `{inertia_kg_m2, momentum_n_m_s, torque_n_m}`, besides",
            default=None,
        ),
        Key(
            "slew_table",
            SlewTableKind(),
            "measured turns from rest to rest, besides: what a turn by an angle takes at least",
            default=None,
            field="slew_law",
        ),
        Key("settle_s", Number(at_least=0, at_most=3600), "from the end of a slew to imaging"),
        Key(
            "imaging_limits",
            Rows(table=IMAGING_LIMIT, make=ImagingLimit),
            "sliding windows `{seconds, per_s}`, each of them kept",
            default=[],
        ),
        Key(
            "orbit_limit",
            Sub(table=ORBIT_LIMIT, make=OrbitLimit),
            "imaging time and acquisitions `{imaging_s, acquisitions}` from one ascending node to "
            "the next",
            default=None,
        ),
        Key(
            "thermal",
            Sub(table=THERMAL, make=Thermal),
            "how the camera warms while it images, and how warm it may be",
            default=None,
        ),
        Key(
            "orbit_sigma_m",
            Sub(table=ORBIT_SIGMA, make=OrbitSigma),
            "along-track uncertainty `{at_epoch, per_day}`, one sigma",
            field="orbit_sigma",
        ),
        Key(
            "pointing_sigma_deg", Number(at_least=0, below=10), "uncertainty of pointing, one sigma"
        ),
        Key(
            "preparation_s", Number(at_least=0), "from the release of the plan to the first uplink"
        ),
        Key("command_lead_s", Number(at_least=0), "from uplink to the first commanded act"),
        Key(
            "commands_per_pass",
            Whole(at_least=1),
            "acquisitions whose commands one pass can carry up",
            default=None,
        ),
        Key(
            "command_queue",
            Whole(at_least=1),
            "acquisitions that may be waiting on board, from the end of the pass that carried "
            "their command to their first line",
            default=None,
        ),
        Key("memory_gbit", Number(above=0), "memory for images"),
        Key("memory_used_gbit", Number(at_least=0), "of it, filled at the start", default=0.0),
        Key(
            "memory_release",
            Choice(("sent", "acknowledged")),
            "when what went down leaves the memory: as it is sent, or at the end of the next pass "
            "with uplink, which tells that it was received",
            default="sent",
        ),
        Key(
            "acknowledge_s",
            Number(at_least=0),
            "from the end of a pass until the ground can tell what it received in it",
            default=0.0,
        ),
        Key("downlink_mbit_s", Number(above=0), "rate at which images are sent"),
        Key(
            "downlink_hz",
            Number(at_least=1e6, at_most=1e15),
            "carrier frequency, for the Doppler shift of contacts",
            default=None,
        ),
        Key(
            "downlink_order",
            Choice(("oldest", "priority")),
            "what goes down first of what is on board: the oldest, or by the priority of its "
            "request, the oldest of equals",
            default="oldest",
        ),
        Key(
            "antenna",
            Choice(("steerable", "fixed")),
            "steerable: sends in any attitude; fixed: in the nadir attitude only, or as "
            "`antenna_axis` says",
            default="steerable",
        ),
        Key(
            "antenna_axis",
            Direction(),
            "where a fixed antenna looks, body frame x, y, z: to send, the satellite turns it to "
            "the station",
            default=None,
        ),
        Key(
            "image_while_downlinking",
            Flag(),
            "whether it can send while it images, where its antenna lets it",
            default=True,
        ),
        Key(
            "idle_attitude",
            Choice(("nadir", "sun", "charging")),
            "where the satellite turns with nothing to do: camera to nadir, panels to the Sun with "
            "a side to the pole, or panels to the Sun with a side to the orbit",
            default="nadir",
        ),
        Key(
            "charging_roll_deg",
            Number(at_least=-180, at_most=180),
            "turn about the Sun's direction of the attitude `charging`, about the panels' normal",
            default=0.0,
        ),
        Key(
            "keep_out",
            Rows(table=KEEP_OUT, make=KeepOut),
            "what must stay off Sun, Moon or Earth, whatever the satellite does",
            default=[],
        ),
        Key(
            "star_trackers",
            Rows(table=STAR_TRACKER, make=StarTracker),
            "star trackers, and what blinds each",
            default=[],
        ),
        Key(
            "trackers_needed",
            Whole(at_least=1, at_most=100),
            "how many of them must see at any time",
            default=1,
        ),
        Key(
            "tracker_modes",
            Choices(MODES),
            "in which modes of the attitude so many must see",
            default=list(MODES),
        ),
        Key(
            "navigation",
            Sub(table=NAVIGATION, make=Navigation),
            "how well it knows its position and attitude after the fact",
            default={},
        ),
        Key(
            "power",
            Sub(table=POWER, make=Power),
            "battery, panels and loads; without it energy is not planned",
            default=None,
        ),
        Key(
            "constraints",
            ConstraintTree(),
            "conditions on every look, besides those of its request",
            default=None,
        ),
    ),
    rules={
        "oneOf": [{"required": [orbit]} for orbit in ("tle", "omm", "sun_synchronous")],
        "dependentRequired": {"catalogue_number": ["tle"]},
    },
)
