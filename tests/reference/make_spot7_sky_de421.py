"""Makes spot7_sky_de421.json: what SPOT 7 sees of Moon, Sun and stars by skyfield and DE421.

DE421 (W. M. Folkner et al., JPL IOM 343R-08-003, 2008; public domain). Run by hand, it needs data
that Humay does not:

    pip install skyfield skyfield-data && python tests/reference/make_spot7_sky_de421.py

The stars are those of the Hipparcos catalogue of 1997 (I/239) as PyEphem 4.2.1 lists them, moved to
J2000.0: another reduction than the one Humay's table is made from. For instants over two weeks it
writes apparent directions (aberration by the satellite's own velocity, light time, deflection) on
axes of the ICRS from the satellite, the Moon's distance and phase angle, and whether the satellite
is in sunlight.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import skyfield
from skyfield.api import EarthSatellite, Star, load, load_file
from skyfield_data import get_skyfield_data_path  # type: ignore[import-not-found]

SPOT_7 = (
    "1 40053U 14034A   19303.11654248  .00001178  00000-0  26330-3 0  9995",
    "2 40053  98.2135   8.3331 0001054  68.4868 291.6410 14.58559748283956",
)
# hours, proper motion in right ascension (mas a year, times cos dec), degrees, in declination
HIPPARCOS_1997 = {
    "Fomalhaut": (22.96084626, 329.22, -29.62223601, -164.22),
    "Regulus": (10.13953074, -249.40, 11.96720709, 4.91),
    "Menkent": (14.11137457, -519.29, -36.36995451, -517.87),
    "Alnair": (22.13721819, 127.60, -46.96097539, -147.91),
    "Elnath": (5.43819816, 23.28, 28.60745000, -174.22),
    "Kochab": (14.84509068, -32.29, 74.15550496, 11.91),
}


def main() -> None:
    planets = load_file(str(Path(get_skyfield_data_path()) / "de421.bsp"))
    scale = load.timescale()
    satellite = EarthSatellite(*SPOT_7, "SPOT 7", scale)
    eye = planets["earth"] + satellite
    rows = []
    for step in range(40):  # 503 min: every phase of the orbit comes up
        moment = datetime(2019, 11, 1, tzinfo=UTC) + timedelta(minutes=503) * step
        t = scale.from_datetime(moment)
        here = eye.at(t)
        moon, sun = here.observe(planets["moon"]), here.observe(planets["sun"])
        stars = {
            name: here.observe(
                Star(ra_hours=hours, dec_degrees=degrees, ra_mas_per_year=ra, dec_mas_per_year=dec)
            )
            for name, (hours, ra, degrees, dec) in HIPPARCOS_1997.items()
        }
        to_sun = sun.position.km - moon.position.km
        cosine = np.dot(to_sun, -moon.position.km) / (
            np.linalg.norm(to_sun) * np.linalg.norm(moon.position.km)
        )
        rows.append(
            {
                "utc": moment.isoformat().replace("+00:00", "Z"),
                "moon_ra_dec_deg": direction(moon),
                "moon_km": round(float(moon.distance().km), 1),
                "moon_phase_deg": round(float(np.degrees(np.arccos(cosine))), 5),
                "sun_ra_dec_deg": direction(sun),
                "sunlit": bool(satellite.at(t).is_sunlit(planets)),
                "stars_ra_dec_deg": {name: direction(star) for name, star in stars.items()},
            }
        )
    document = {
        "made_by": f"make_spot7_sky_de421.py, skyfield {'.'.join(map(str, skyfield.VERSION))}",
        "source": "JPL DE421, public domain; Hipparcos catalogue 1997",
        "rows": rows,
    }
    path = Path(__file__).with_name("spot7_sky_de421.json")
    text = json.dumps(document).replace('{"utc"', '\n {"utc"').replace('"rows"', '\n "rows"')
    path.write_text(text + "\n", encoding="utf-8")


def direction(seen: Any) -> list[float]:
    """Apparent right ascension and declination in degrees, ICRS."""
    ra, dec, _ = seen.apparent().radec()
    return [round(float(ra._degrees), 7), round(float(dec.degrees), 7)]


if __name__ == "__main__":
    main()
