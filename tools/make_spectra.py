"""Make the table of spectra that the synthetic scene is painted with.

    git clone https://github.com/capstone-coal/pycoal /tmp/pycoal
    git -C /tmp/pycoal checkout dd461f6b22578c5aeebec2e6cae10ad0babc5c1c
    pip download --no-deps -d /tmp pvlib==0.16.1
    .venv/bin/python tools/make_spectra.py spectra --library /tmp/pycoal/pycoal/tests --solar /tmp

Writes `src/humay/data/spectra/spectra.npz` and its `SOURCE.md`. The USGS distributes its library as
one archive; the repository above carries, unchanged, the part of it that is needed: splib07 as
convolved by the USGS to the channels of AVIRIS 1995, in an ENVI file. Each file is checked against
the SHA-256 below. Nothing here runs when Humay runs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import re
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[1] / "src" / "humay" / "data" / "spectra"
HEADER, LIBRARY = "s07_AV95_envi.hdr", "s07_AV95_envi.sli"
PVLIB = "pvlib-0.16.1-py3-none-any.whl"
SOLAR_TABLE = "pvlib/data/ASTMG173.csv"
SHA256 = {
    HEADER: "bb9ecbd607ea0521e605386cf87ae053b464e8af9d9e762151dee4d846221a2a",
    LIBRARY: "59855cdd6aea92961794b86fa0505528d8d2387a5cf8b60c5ffe5151fe00ff5d",
    PVLIB: "4e61b5228a13f782413d7cf8cc48eb6e62e7bf55d155958fa9fd72420b63603d",
}
CHANNELS = 224
DELETED = -1.0  # the library marks deleted channels by -1.23e34
SECOND_SPECTROMETER = 32  # AVIRIS channels 1-32 and 33 ff. overlap between 664 and 687 nm
OVERLAP_UM = 0.670
LAST_UM = 0.95

RECORDS = {
    "open_water": "Seawater_Open_Ocean SW2 lwch  BECKa AREF",
    "coastal_water": "Seawater_Coast_Chl SW1        BECKa AREF",
    "turbid_water": "Water+Montmor SWy-2+0.50g/l  ASDFRa AREF",
    "green_grass": "Lawn_Grass GDS91 green        BECKa AREF",
    "green_leaf": "Walnut_Leaf SUN (Green)       BECKa AREF",
    "yellow_leaf": "Aspen Aspen-3 yellowGreenTop ASDFRa AREF",
    "yellow_flower": "Flower Pansy-1 Yellow        ASDFRa AREF",
    "purple_flower": "Flower Petunia-2 Purple      ASDFRa AREF",
    "dry_grass": "Grass_Golden_Dry GDS480      ASDFRa AREF",
    "cheatgrass": "Cheatgrass ANP92-11A          BECKa AREF",
    "stubble": "Grass CA01-TACA-1 meadow NPV ASDFRa AREF",
    "meadow": "Grass-FescueWheatg YNP-FW-1 AVIRISb RTGC",
    "sagebrush": "Sagebrush YNP-SS-1          AVIRISb RTGC",
    "pine_forest": "Lodgepole-Pine YNP-LP1-A    AVIRISb RTGC",
    "aspen_forest": "Aspen YNP-AS-1 forest       AVIRISb RTGC",
    "oak_scrub": "Oak QUDU CA01-QUDU-1 bush 1  ASDFRa AREF",
    "playa": "Stonewall_Playa CU93-52A a11  BECKa AREF",
    "sediment": "Marsh sediment DWV3-0511 dry ASDFRa AREF",
    "brown_sand": "Sand DWO-3-DEL2a  no vis.oil ASDFRa AREF",
    "beach_sand": "Sand GrndIsle1        no oil ASDFRa AREF",
    "red_soil": "Hematite.02+Quartz.98 GDS76   BECKa AREF",
    "basalt": "Basalt_weathered BR93-43      BECKb AREF",
    "limestone": "Limestone CU02-11A           ASDFRa AREF",
    "asphalt": "Asphalt GDS376 Blck_Road old ASDFRa AREF",
    "concrete": "Concrete GDS375 Lt Gry Road  ASDFRa AREF",
    "red_brick": "Brick GDS353 Building MedRed ASDFRa AREF",
    "dark_shingle": "Asphalt_Shingle GDS367 DkGry ASDFRa AREF",
    "painted_metal": "Painted_Aluminum GDS333 LgGr ASDFRa AREF",
    "green_fibreglass": "Fiberglass GDS336 Grn Roofng ASDFRa AREF",
    "green_tarp": "Plastic_Tarp GDS339 Green    ASDFRa AREF",
    "blue_tarp": "Plastic_Tarp GDS340 Blu_Wovn ASDFRa AREF",
}

SOURCE = """\
# Spectra of ground and Sun, 400 to 900 nm

## Reflectance of {count} materials

* Origin: R. F. Kokaly and others, USGS Spectral Library Version 7, U.S. Geological Survey Data
  Series 1035 (2017), doi:10.3133/ds1035, data doi:10.5066/F7RR1WDJ; of it the library that the USGS
  convolved to the 224 channels of AVIRIS 1995 (`s07_AV95`), in the ENVI file carried by
  capstone-coal/pycoal at dd461f6b, `pycoal/tests/s07_AV95_envi.sli`.
* Version: splib07b.
* Licence: public domain (work of the United States Government; the data release is marked
  CC0 1.0). Credit: U.S. Geological Survey.
* Made by: `tools/make_spectra.py spectra`; it holds the SHA-256 of what it read.

Nodes every 10 nm, interpolated linearly between AVIRIS channels (9.8 nm apart, about 10 nm wide);
where its two spectrometers overlap the first is taken up to 670 nm. Some records have their first
channels deleted (those that AVIRIS itself measured, `RTGC`, below 412 nm; the aspen leaf below
422 nm): their nodes below hold the first value that is left.

| name | record of the library |
| --- | --- |
{rows}

## Spectral irradiance of the Sun at 1 au

* Origin: ASTM G173-03, column of the extraterrestrial spectrum, as published by the National
  Renewable Energy Laboratory (nrel.gov/grid/solar-resource/spectra-am1.5) and shipped in
  pvlib-python, `{solar}`.
* Version: pvlib-python 0.16.1.
* Licence: data of NREL, a laboratory of the United States Department of Energy, free to use with
  acknowledgement; pvlib-python BSD-3-Clause.
* Made by: `tools/make_spectra.py spectra`.

Nodes every nanometre, 400 to 900 nm, W / (m2 um).

* SHA-256: `{digest}` spectra.npz
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", choices=["spectra"])
    parser.add_argument("--library", type=Path, required=True, help="folder of the ENVI file")
    parser.add_argument("--solar", type=Path, required=True, help="folder of the pvlib wheel")
    folders = parser.parse_args()
    wavelength_nm = np.arange(400, 901, 10)
    table = read_library(folders.library)
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        names=np.array(list(RECORDS)),
        wavelength_nm=wavelength_nm.astype(np.int16),
        reflectance=np.stack(
            [resampled(*table[title], wavelength_nm) for title in RECORDS.values()]
        ).astype(np.float32),
        solar_nm=np.arange(400, 901, dtype=np.int16),
        solar_w_m2_um=read_solar(folders.solar).astype(np.float32),
    )
    DATA.mkdir(exist_ok=True)
    (DATA / "spectra.npz").write_bytes(packed.getvalue())
    (DATA / "SOURCE.md").write_text(
        SOURCE.format(
            count=len(RECORDS),
            rows="\n".join(f"| {name} | {' '.join(t.split())} |" for name, t in RECORDS.items()),
            solar=SOLAR_TABLE,
            digest=hashlib.sha256(packed.getvalue()).hexdigest(),
        ),
        encoding="utf-8",
    )


def read_library(folder: Path) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Wavelengths (um, in order, without deleted channels) and reflectance by title."""
    header = checked(folder / HEADER).decode("ascii")
    titles = [t.strip() for t in braces(header, "spectra names").split(",")]
    channel_um = np.array(braces(header, "wavelength").split(","), dtype=np.float64)
    values = np.frombuffer(checked(folder / LIBRARY), "<f4").reshape(len(titles), CHANNELS)
    first = np.arange(CHANNELS) < SECOND_SPECTROMETER
    kept = (first == (channel_um < OVERLAP_UM)) & (channel_um < LAST_UM)
    table = {}
    for title, reflectance in zip(titles, values, strict=True):
        use = kept & (reflectance > DELETED)
        table[title] = (channel_um[use], reflectance[use].astype(np.float64))
    return table


def resampled(
    channel_um: NDArray[np.float64], reflectance: NDArray[np.float64], nm: NDArray[np.int64]
) -> NDArray[np.float64]:
    if not np.all(np.diff(channel_um) > 0) or channel_um[0] > 0.4225 or channel_um[-1] < 0.9:
        raise SystemExit(f"channels {channel_um[0]} to {channel_um[-1]} um, expected 0.422 to 0.9")
    return np.interp(nm / 1000.0, channel_um, reflectance)


def read_solar(folder: Path) -> NDArray[np.float64]:
    with zipfile.ZipFile(io.BytesIO(checked(folder / PVLIB))) as wheel:
        lines = wheel.read(SOLAR_TABLE).decode("utf-8").splitlines()[1:]
    w_m2_nm = {float(r["wavelength"]): float(r["extraterrestrial"]) for r in csv.DictReader(lines)}
    return np.array([w_m2_nm[float(nm)] for nm in range(400, 901)]) * 1000.0


def checked(path: Path) -> bytes:
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[path.name]:
        raise SystemExit(f"{path}: SHA-256 is {found}, expected {SHA256[path.name]}")
    return content


def braces(header: str, key: str) -> str:
    match = re.search(rf"^{key}\s*=\s*\{{(.*?)\}}", header, re.DOTALL | re.MULTILINE)
    if match is None:
        raise SystemExit(f"{HEADER}: no key {key!r}")
    return match[1]


if __name__ == "__main__":
    main()
