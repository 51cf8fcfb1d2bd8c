"""Makes sun_moon_de421.json: Sun and Moon from JPL's ephemeris DE421, which Humay does not use.

DE421 (W. M. Folkner et al., JPL IOM 343R-08-003, 2008; public domain) is read by skyfield. Run by
hand, it needs data that Humay does not:

    pip install skyfield skyfield-data && python tests/reference/make_sun_moon_de421.py

It writes, for instants spread over 2011 to 2025: the apparent geocentric Sun and the geometric
geocentric Moon on GCRF axes, and the Sun's topocentric azimuth and elevation without refraction.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import skyfield
from skyfield.api import load, load_file, wgs84
from skyfield_data import get_skyfield_data_path  # type: ignore[import-not-found]

PLACES_DEG_M = {
    "Baku": (49.87, 40.41, 30.0),
    "Svalbard": (15.396518, 78.230306, 0.0),
    "Quito": (-78.5, -0.2, 2850.0),
    "Punta Arenas": (-70.9, -53.2, 10.0),
}


def main() -> None:
    planets = load_file(str(Path(get_skyfield_data_path()) / "de421.bsp"))
    earth, sun, moon = planets["earth"], planets["sun"], planets["moon"]
    scale = load.timescale()
    rows = []
    for step in range(60):  # 84.3 days: every season, hour and phase of the Moon comes up
        moment = datetime(2011, 1, 1, tzinfo=UTC) + timedelta(days=84, minutes=439) * step
        t = scale.from_datetime(moment)
        places = {}
        for name, (lon_deg, lat_deg, height_m) in PLACES_DEG_M.items():
            place = earth + wgs84.latlon(lat_deg, lon_deg, elevation_m=height_m)
            elevation, azimuth, _ = place.at(t).observe(sun).apparent().altaz()
            places[name] = [round(float(azimuth.degrees), 7), round(float(elevation.degrees), 7)]
        apparent = earth.at(t).observe(sun).apparent()
        rows.append(
            {
                "utc": moment.isoformat().replace("+00:00", "Z"),
                "sun_gcrf_km": [round(x, 1) for x in apparent.position.km.tolist()],
                "moon_gcrf_km": [round(x, 3) for x in (moon - earth).at(t).position.km.tolist()],
                "sun_azimuth_elevation_deg": places,
            }
        )
    document = {
        "made_by": f"make_sun_moon_de421.py, skyfield {'.'.join(map(str, skyfield.VERSION))}",
        "source": "JPL DE421, public domain",
        "places_lon_lat_deg_height_m": PLACES_DEG_M,
        "rows": rows,
    }
    path = Path(__file__).with_name("sun_moon_de421.json")
    text = json.dumps(document).replace('{"utc"', '\n {"utc"').replace('"rows"', '\n "rows"')
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
