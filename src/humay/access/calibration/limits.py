"""`CalibrationLimits`: what a calibration look must keep to, each limit with its reason."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass

from humay.errors import AccessError

_DEG = math.pi / 180
_UNITS = {"deg": ("rad", _DEG), "km": ("m", 1e3)}


@dataclass(frozen=True)
class Limit:
    """One limit: its name and range in files, what one unit is in SI, and why it is there."""

    name: str
    low: float
    high: float
    reason: str

    @property
    def factor(self) -> float:
        """How many of its SI unit one unit of the file is."""
        return _UNITS.get(self._unit, ("", 1.0))[1]

    @property
    def field(self) -> str:
        """The name in the record, in SI."""
        core, _ = _UNITS.get(self._unit, (self._unit, 1.0))
        return self.name.removesuffix(self._unit) + core

    @property
    def _unit(self) -> str:
        return self.name.rpartition("_")[2]


LIMITS = (
    Limit(
        "ground_max_incidence_deg", 1, 80,
        "desert and instrumented sites are modelled best from above: further out their directional"
        " reflectance and the atmosphere's path make the error",
    ),
    Limit(
        "ground_min_sun_elevation_deg", 0, 90,
        "under a low Sun shadows of dunes and the long path through the air spoil the reference",
    ),
    Limit(
        "yaw_max_off_nadir_deg", 0.1, 45,
        "turned by 90 deg, detectors follow one another over the same ground only near nadir",
    ),
    Limit(
        "yaw_min_sun_elevation_deg", 0, 90,
        "enough signal to compare detectors; over the polar ice the Sun never stands high",
    ),
    Limit(
        "yaw_min_swaths", 0, 100,
        "every detector sees the same ground only where uniform ground is as long as the swath",
    ),
    Limit(
        "ocean_min_glint_deg", 0, 180,
        "at a wind of 5 m/s facets lean by up to 27 deg (three sigma, Cox and Munk 1954) and throw"
        " the Sun's image twice as far",
    ),
    Limit(
        "dark_max_sun_elevation_deg", -90, 0,
        "the end of astronomical twilight: no sunlight scattered in the air is left",
    ),
    Limit(
        "dark_max_moon_elevation_deg", -90, 90,
        "the Moon's disc and refraction at the horizon reach 0.83 deg above its centre",
    ),
    Limit(
        "dark_min_moon_phase_deg", 0, 180,
        "or the Moon, though up, is a crescent: beyond 150 deg of phase under 7 % of it is lit",
    ),
    Limit(
        "dark_min_shore_km", 0, 20_000,
        "the glow of coastal towns, and most boats that fish with lamps",
    ),
    Limit(
        "atmosphere_km", 0, 1000,
        "the Earth's limb is that of a sphere of 6,378 km and this much air: airglow ends here",
    ),
    Limit(
        "moon_min_limb_deg", 0, 85,
        "the sunlit Earth is tens of thousands of times larger than the Moon: keep it out of the"
        " baffle",
    ),
    Limit(
        "moon_min_sun_angle_deg", 0, 175,
        "keep-out of the Sun from the line of sight, for the baffle and the detectors",
    ),
    Limit(
        "moon_min_phase_deg", 0, 180,
        "under 2 deg the opposition surge is not modelled, and the Earth's shadow is near",
    ),
    Limit(
        "moon_max_phase_deg", 0, 180,
        "models of the Moon's brightness (ROLO, GIRO) were made from its bright half of a month",
    ),
    Limit(
        "star_min_limb_deg", 0, 85,
        "in eclipse the Earth is dark, but its limb glows and its edge is uncertain",
    ),
    Limit(
        "star_min_moon_angle_deg", 0, 175,
        "the full Moon outshines the brightest star 30,000 times: none of its light must be"
        " scattered into the field",
    ),
    Limit(
        "star_max_magnitude", -2, 10,
        "fainter ones give too few electrons; the table that comes with Humay ends at 3",
    ),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CalibrationLimits:
    """Limits of calibration looks beside those of the satellite; `LIMITS` gives their reasons."""

    ground_max_incidence_rad: float = 30 * _DEG
    ground_min_sun_elevation_rad: float = 30 * _DEG
    yaw_max_off_nadir_rad: float = 5 * _DEG
    yaw_min_sun_elevation_rad: float = 20 * _DEG
    yaw_min_swaths: float = 1.0
    ocean_min_glint_rad: float = 55 * _DEG
    dark_max_sun_elevation_rad: float = -18 * _DEG
    dark_max_moon_elevation_rad: float = -1 * _DEG
    dark_min_moon_phase_rad: float = 150 * _DEG
    dark_min_shore_m: float = 300e3
    atmosphere_m: float = 100e3
    moon_min_limb_rad: float = 10 * _DEG
    moon_min_sun_angle_rad: float = 45 * _DEG
    moon_min_phase_rad: float = 2 * _DEG
    moon_max_phase_rad: float = 90 * _DEG
    star_min_limb_rad: float = 5 * _DEG
    star_min_moon_angle_rad: float = 20 * _DEG
    star_max_magnitude: float = 3.0

    def __post_init__(self) -> None:
        for limit in LIMITS:
            found = getattr(self, limit.field) / limit.factor
            if not limit.low - 1e-9 <= found <= limit.high + 1e-9:  # also refuses NaN
                raise AccessError(
                    f"calibration limits: {limit.name} is {found:g}, expected"
                    f" {limit.low:g} to {limit.high:g}"
                )
        if not self.moon_min_phase_rad < self.moon_max_phase_rad:
            raise AccessError(
                f"calibration limits: moon_min_phase_deg is {self.moon_min_phase_rad / _DEG:g},"
                f" expected less than moon_max_phase_deg ({self.moon_max_phase_rad / _DEG:g})"
            )


def limits_from(values: Mapping[str, float], *, where: str) -> CalibrationLimits:
    """The limits of a file, whose names end in its units (`moon_max_phase_deg`), over the defaults.

    Raises `AccessError` for a name that is none.
    """
    known = {limit.name: limit for limit in LIMITS}
    for name in values:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else f", expected {', '.join(known)}"
            raise AccessError(f"{where}: no limit is called {name!r}{meant}")
    try:
        return CalibrationLimits(
            **{known[name].field: known[name].factor * value for name, value in values.items()}
        )
    except TypeError as error:
        raise AccessError(f"{where}: a limit is not a number ({error})") from error
    except AccessError as error:
        raise AccessError(f"{where}: {error}") from error
