"""`.geom` keyword files of OSSIM and Orfeo ToolBox: `key: value` lines, pixels counted from (0, 0).

Lists of gains, biases and irradiances run from blue to near infrared, B0 to B3, whatever the order
in which `band_name_list` names the bands of the image.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from humay.errors import SensorError
from humay.sensor.real.reading import instant, named, number, rpc_of_fields, shown
from humay.sensor.real.rpc_image import BandRadiometry, View
from humay.sensor.rpc import Rpc

_LINE = re.compile(r'([\w.]+):[ \t]*(?:"""(.*?)"""|([^\n]*))[ \t]*(?:\n|\Z)', re.DOTALL)
_FIELD = re.compile(r"(LINE|SAMP)_(NUM|DEN)_COEFF_(\d+)")
_SPECTRAL_ORDER = ("B0", "B1", "B2", "B3")  # blue, green, red, near infrared


@dataclass(frozen=True, kw_only=True)
class GeomFile:
    """What a keyword file says of an image. `bands` is empty where it names none."""

    rpc: Rpc
    shape: tuple[int, int]
    bands: tuple[str, ...]
    radiometry: Mapping[str, BandRadiometry]
    view: View


@dataclass(frozen=True, kw_only=True)
class _Keywords:
    values: dict[str, str]
    where: str

    def need(self, key: str) -> str:
        if key not in self.values:
            raise SensorError(f"{self.where}: has no {key}, expected a value")
        return self.values[key]

    def number(self, key: str) -> float:
        return number(self.need(key), key, self.where)

    def words(self, key: str) -> list[str]:
        return self.values.get(f"support_data.{key}", "").split()

    def numbers(self, key: str) -> list[float]:
        return [number(word, f"support_data.{key}", self.where) for word in self.words(key)]

    def text(self, key: str) -> str | None:
        return self.values.get(key) or None


def read_geom_text(text: str, where: str) -> GeomFile:
    """The record of a keyword file's text."""
    keywords = _Keywords(values=_values(text, where), where=where)
    polynomial = keywords.text("polynomial_format")
    if polynomial != "B":
        raise SensorError(f"{where}: polynomial_format is {polynomial}, expected B (RPC00B)")
    _check_no_adjustment(keywords)
    bands = tuple(keywords.words("band_name_list") or keywords.words("band_name"))
    return GeomFile(
        rpc=rpc_of_fields(lambda name: keywords.number(_key(name)), where=where),
        shape=(int(keywords.number("number_lines")), int(keywords.number("number_samples"))),
        bands=bands,
        radiometry=_radiometry(keywords, bands),
        view=View(
            acquired=_acquired(keywords),
            platform=keywords.text("sensor"),
            sun_elevation_rad=_middle_rad(keywords, "elevation_angle"),
            sun_azimuth_rad=_middle_rad(keywords, "azimuth_angle"),
            off_nadir_rad=_middle_rad(keywords, "viewing_angle"),
        ),
    )


def _values(text: str, where: str) -> dict[str, str]:
    values: dict[str, str] = {}
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        line = _LINE.match(text, place)
        if line is None:
            row = text.count("\n", 0, place) + 1
            found = text[place:].partition("\n")[0]
            raise SensorError(f"{where}:{row}: found {shown(found)}, expected `key: value`")
        key, quoted, plain = line.groups()
        if key in values:
            raise SensorError(f"{where}: has {key} twice, expected it once")
        values[key] = (plain if quoted is None else quoted).strip()
        place = line.end()
    return values


def _key(field: str) -> str:
    """`line_num_coeff_00` for LINE_NUM_COEFF_1, `line_off` for LINE_OFF."""
    coefficient = _FIELD.fullmatch(field)
    if coefficient is None:
        return field.lower()
    axis, part, index = coefficient.groups()
    return f"{axis}_{part}_coeff_{int(index) - 1:02d}".lower()


def _check_no_adjustment(keywords: _Keywords) -> None:
    """Refuse a model that OSSIM would shift besides: we would be off by just that."""
    for key, value in keywords.values.items():
        if re.fullmatch(r"adjustment_\d+\.adj_param_\d+\.parameter", key) and float(
            number(value, key, keywords.where)
        ):
            raise SensorError(f"{keywords.where}: {key} is {value}, expected 0 (no adjustment)")


def _radiometry(keywords: _Keywords, bands: tuple[str, ...]) -> dict[str, BandRadiometry]:
    gain, bias = keywords.numbers("physical_gain"), keywords.numbers("physical_bias")
    if not gain or not bias or not (len(bands) == 1 or set(bands) <= set(_SPECTRAL_ORDER)):
        return {}
    sun = keywords.numbers("solar_irradiance")
    for name, values in (
        ("physical_gain", gain),
        ("physical_bias", bias),
        ("solar_irradiance", sun),
    ):
        if values and len(values) != len(bands):
            raise SensorError(
                f"{keywords.where}: support_data.{name} has {len(values)} values, expected one for "
                f"each of the bands {' '.join(bands)}"
            )
    if any(later >= earlier for earlier, later in pairwise(sun)):
        raise SensorError(
            f"{keywords.where}: support_data.solar_irradiance is {sun}, expected it to fall from "
            f"blue to near infrared"
        )
    with named(keywords.where):
        return {
            band: BandRadiometry(
                gain=gain[i], bias=bias[i], solar_irradiance_w_m2_um=sun[i] if sun else None
            )
            for i, band in enumerate(sorted(bands))
        }


def _acquired(keywords: _Keywords) -> datetime | None:
    for key in ("image_date", "tlc_date"):
        moment = keywords.text(f"support_data.{key}")
        if moment is not None:
            return instant(moment, f"support_data.{key}", keywords.where)
    day, clock = (keywords.text(f"support_data.acquisition_{part}") for part in ("date", "time"))
    if day is None or clock is None:
        return None
    return instant(f"{day}T{clock}", "support_data.acquisition_date and _time", keywords.where)


def _middle_rad(keywords: _Keywords, key: str) -> float | None:
    """Angles stand at top, centre and bottom, or at nine places of which the fifth is central."""
    angles_deg = keywords.numbers(key)
    return math.radians(angles_deg[len(angles_deg) // 2]) if angles_deg else None
