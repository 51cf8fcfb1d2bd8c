"""Make the reference tables that Humay ships, from packages of public registries.

    python -m venv /tmp/tables && /tmp/tables/bin/pip install numpy scipy h5py shapely
    mkdir /tmp/packages && cd /tmp/packages
    apt-get download proj-data=9.1.1-1 ferret-datasets=7.6.0-5          # Debian 12
    npm pack world-atlas@2.0.2
    pip download --no-deps pvlib==0.16.1
    cd - && /tmp/tables/bin/python tools/make_tables.py all --packages /tmp/packages

Writes `src/humay/data/NAME/NAME.npz` and its `SOURCE.md`. Each archive is checked against the
SHA-256 below, so the tables can be made again, byte for byte with the same zlib; `dpkg-deb` is
needed for the Debian ones. Nothing here runs when Humay runs.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import subprocess
import tarfile
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import shapely
import shapely.affinity
from numpy.typing import NDArray
from scipy.io import netcdf_file
from scipy.ndimage import label, uniform_filter

DATA = Path(__file__).resolve().parents[1] / "src" / "humay" / "data"

PROJ_DATA = "proj-data_9.1.1-1_all.deb"
FERRET_DATASETS = "ferret-datasets_7.6.0-5_all.deb"
WORLD_ATLAS = "world-atlas-2.0.2.tgz"
PVLIB = "pvlib-0.16.1-py3-none-any.whl"

SHA256 = {
    PROJ_DATA: "efa6a74fba305e664ba27b81c2a5708aa59554ba41659af0e8c325e477f3d955",
    FERRET_DATASETS: "e5770222647ebfe2ab77b845e07a7e05cb6fed7b12dec9ae287a1f8046031744",
    WORLD_ATLAS: "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
    PVLIB: "4e61b5228a13f782413d7cf8cc48eb6e62e7bf55d155958fa9fd72420b63603d",
}

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Arrays to ship and what their SOURCE.md says of them."""

    arrays: dict[str, Array]
    title: str
    origin: str
    version: str
    licence: str
    notes: str


# ---------------------------------------------------------------- geoid


def make_geoid(packages: Path) -> Table:
    """EGM96 geoid heights every 15', whole centimetres, as differences along both axes."""
    gtx = read_member(packages / PROJ_DATA, "usr/share/proj/egm96_15.gtx")
    south_deg, west_deg, step_lat_deg, step_lon_deg = np.frombuffer(gtx, ">f8", 4)
    rows, cols = np.frombuffer(gtx, ">i4", 2, offset=32)
    assert (south_deg, west_deg, step_lat_deg, step_lon_deg) == (-90.0, -180.0, 0.25, 0.25)
    assert (rows, cols) == (721, 1440)
    height_m = np.frombuffer(gtx, ">f4", rows * cols, offset=40).reshape(rows, cols)[::-1]
    height_cm = np.round(height_m.astype(np.float64) * 100).astype(np.int16)
    steps = np.diff(np.diff(height_cm, axis=1, prepend=0), axis=0, prepend=0)
    assert np.array_equal(
        np.cumsum(np.cumsum(steps, axis=0, dtype=np.int16), axis=1, dtype=np.int16), height_cm
    )
    return Table(
        arrays={"steps_cm": steps.astype("<i2")},
        title="EGM96 geoid heights above the WGS84 ellipsoid, every 15 minutes of arc",
        origin="NGA (then NIMA) and NASA GSFC, EGM96 15-minute geoid WW15MGH; file egm96_15.gtx "
        "of Debian package proj-data",
        version="EGM96 (1996); proj-data 9.1.1-1",
        licence="public domain (work of the United States Government)",
        notes="721 rows from 90 N to 90 S, 1440 columns from 180 W, nodes on the quarter degree. "
        "`steps_cm` holds second differences (along the columns, then along the rows) of whole "
        "centimetres, int16: two cumulative sums give the heights. Rounding error 5 mm.",
    )


# ---------------------------------------------------------------- relief

RELIEF_STEP_M, RELIEF_BASE_M = 28, -450  # pvlib's own code: height = 28 m * code - 450 m
SEA = 255  # pvlib's "no data", which is the sea but where mended below
CASPIAN = 254  # a code that no height of the source uses
CASPIAN_LEVEL_M = -28.0  # Kazhydromet, 2020-09-25: -28.1 m in the north, -28.3 m in the middle
LOWLAND_M = -16.0  # what lies lower is a depression or sea bed; code 16, -2 m, is flat coast
LAKE_SUPERIOR_M = 183.0  # NOAA, low water datum of Lake Superior, IGLD 1985: 183.2 m


def make_relief(packages: Path) -> Table:
    """Global heights every 5': pvlib's grid, mended where it shows bedrock or nothing."""
    code = read_altitude(packages)
    etopo_m = read_etopo5(packages)
    assert not (code == CASPIAN).any()
    lat_deg = 90.0 - (np.arange(2160) + 0.5) / 12
    lon_deg = -180.0 + (np.arange(4320) + 0.5) / 12

    close_antimeridian(code)
    height_m = np.where(code == SEA, 0.0, RELIEF_STEP_M * code.astype(float) + RELIEF_BASE_M)
    # The source has no ice sheet (bedrock of ETOPO1) in Greenland and between 60 and 70.08 S, and
    # ends at 85.05 S (Web Mercator). ETOPO5 is coarser, but within 150 to 200 m rms there.
    ice = greenland_ice(packages, etopo_m - height_m, lon_deg, lat_deg)
    south = (lat_deg < -60.0) & ((lat_deg > -70.09) | (lat_deg < -85.0))
    sunken = (np.abs(lat_deg) > 60.0)[:, None] & (height_m < LOWLAND_M)
    use_etopo = ice | south[:, None] | sunken
    code = np.where(use_etopo, encode(etopo_m), code).astype(np.uint8)

    code[box(lon_deg, lat_deg, 46.4, 54.9, 36.4, 47.3) & (code == SEA)] = CASPIAN
    code[seabed(code)] = SEA
    lake = box(lon_deg, lat_deg, -92.3, -84.6, 46.42, 49.2) & (height_m < LAKE_SUPERIOR_M)
    code[lake] = encode(np.array(LAKE_SUPERIOR_M))

    heights_m = (RELIEF_STEP_M * np.arange(256) + RELIEF_BASE_M).astype("<i2")
    heights_m[SEA], heights_m[CASPIAN] = 0, round(CASPIAN_LEVEL_M)
    return Table(
        arrays={"code": code, "heights_m": heights_m},
        title="Coarse relief of the Earth, heights above the geoid, every 5 minutes of arc",
        origin="Terrain Tiles (Mapzen/Tilezen joerd, with the sources listed under Licence) as "
        "Altitude.h5 of PyPI package pvlib; ETOPO5 (NOAA NGDC) as etopo5.cdf of Debian package "
        "ferret-datasets for the ice of Greenland and parts of Antarctica; outline of Greenland "
        "from npm package world-atlas; level of the Caspian Sea from Kazhydromet (2020-09-25), "
        "of Lake Superior from NOAA (low water datum, IGLD 1985)",
        version="pvlib 0.16.1; ferret-datasets 7.6.0-5; world-atlas 2.0.2",
        licence="open data, attribution required; see below. ETOPO5: public domain",
        notes=RELIEF_NOTES,
    )


RELIEF_NOTES = """\
2160 rows of cells from 90 N, 4320 columns from 180 W; the height of a cell's centre is
`heights_m[code]`. Steps of 28 m: a height is rounded by at most 14 m (11 m for Lake Superior).
Sea is 0 (bathymetry is not kept); land below the sea is kept, the Caspian Sea is at -28 m.

Taken from ETOPO5, whose terrain is older and coarser: the ice of Greenland (where ETOPO5 is on
average, over 1.1 degrees, more than 200 m above the source, which shows bedrock there), all of
60 S to 70.09 S (bedrock too), all south of 85 S (not covered), and what lies below -16 m beyond
60 degrees of latitude (bedrock, fjords). Low cells joined to the sea by low cells are sea bed
and set to 0, so is the bed of Lake Superior set to its level, and two columns without data at
180 degrees are bridged. About 200 cells of lake or sea bed in closed basins remain.

Compared with the topography of Recommendation ITU-R P.1511-2 (not shipped), by area over land:
rms 86 m, 80 % within 50 m, 89 % within 100 m, 98 % within 300 m; from 38 to 42 N and 44.5 to
50.5 E (Azerbaijan) rms 82 m, median 20 m. Against the samples of the SRTM tile N44E005 (Alps) rms
216 m; away from the tile's edge 219 m, where the exact means of the same cells, interpolated
alike, give 211 m: what is lost is lost to the grid.

Attribution, as pvlib and Tilezen joerd require it:

* ArcticDEM terrain data DEM(s) were created from DigitalGlobe, Inc., imagery and funded under
  National Science Foundation awards 1043681, 1559691, and 1542736;
* Australia terrain data (c) Commonwealth of Australia (Geoscience Australia) 2017;
* Austria terrain data (c) offene Daten Oesterreichs - Digitales Gelaendemodell (DGM) Oesterreich;
* Canada terrain data contains information licensed under the Open Government Licence - Canada;
* Europe terrain data produced using Copernicus data and information funded by the European
  Union - EU-DEM layers;
* Global ETOPO1 terrain data U.S. National Oceanic and Atmospheric Administration;
* Mexico terrain data source: INEGI, Continental relief, 2016;
* New Zealand terrain data Copyright 2011 Crown copyright (c) Land Information New Zealand and
  the New Zealand Government (All rights reserved);
* Norway terrain data (c) Kartverket;
* United Kingdom terrain data (c) Environment Agency copyright and/or database right 2015. All
  rights reserved;
* United States 3DEP (formerly NED) and global GMTED2010 and SRTM terrain data courtesy of the
  U.S. Geological Survey."""


def read_altitude(packages: Path) -> Array:
    """pvlib's uint8 codes, row 0 at 90 N, column 0 at 180 W (`pvlib.location.lookup_altitude`)."""
    member = io.BytesIO(read_member(packages / PVLIB, "pvlib/data/Altitude.h5"))
    with h5py.File(member) as file:
        code = np.array(file["Altitude"])
    assert code.shape == (2160, 4320)
    assert code.dtype == np.uint8
    return code


def read_etopo5(packages: Path) -> Array:
    """ETOPO5 heights at the centres of 5' cells, the mean of the four nodes around each."""
    cdf = read_member(packages / FERRET_DATASETS, "usr/share/ferret-vis/data/etopo5.cdf")
    with netcdf_file(io.BytesIO(cdf), mmap=False) as file:
        node_m = file.variables["ROSE"][:].astype(np.float64)
        lat_deg, lon_deg = file.variables["ETOPO05_Y"][:], file.variables["ETOPO05_X"][:]
    assert node_m.shape == (2161, 4320)
    assert np.abs(lat_deg - (-90.0 + np.arange(2161) / 12)).max() < 1e-3
    assert np.abs(lon_deg - np.arange(4320) / 12).max() < 0.01
    node_m = np.roll(node_m[::-1], 2160, axis=1)
    row_m = (node_m[:-1] + node_m[1:]) / 2
    return np.asarray((row_m + np.roll(row_m, -1, axis=1)) / 2)


def encode(height_m: Array) -> Array:
    """Codes of the nearest steps; sea where the height is not above 0."""
    code = np.round((height_m - RELIEF_BASE_M) / RELIEF_STEP_M)
    return np.where(height_m > 0, np.clip(code, 0, CASPIAN - 1), SEA).astype(np.uint8)


def seabed(code: Array) -> Array:
    """Cells of bathymetry: low, and joined to the sea by low cells (no depression on land is)."""
    low = RELIEF_STEP_M * code.astype(int) + RELIEF_BASE_M < LOWLAND_M
    parts, _ = label(low | (code == SEA), structure=np.ones((3, 3)))
    return np.asarray(low & np.isin(parts, np.unique(parts[code == SEA])))


def close_antimeridian(code: Array) -> None:
    """Bridge the first and last column, without data where land crosses 180 degrees."""
    bridged = (code[:, 1].astype(int) + code[:, -2]) // 2
    for col in (0, -1):
        gap = (code[:, col] == SEA) & (code[:, 1] != SEA) & (code[:, -2] != SEA)
        code[gap, col] = bridged[gap]


def greenland_ice(packages: Path, missing_m: Array, lon_deg: Array, lat_deg: Array) -> Array:
    """Cells of Greenland where the source, smoothed, lacks more than 200 m against ETOPO5."""
    atlas = Atlas.read(packages, "countries-10m.json")
    outline = shapely.union_all([shapely.make_valid(p) for p in atlas.polygons("Greenland")])
    thick = uniform_filter(missing_m, 13, mode=("nearest", "wrap")) > 200.0
    rows, cols = np.nonzero(thick & box(lon_deg, lat_deg, -75.0, -10.0, 59.0, 84.0))
    inside = shapely.contains_xy(outline, lon_deg[cols], lat_deg[rows])
    ice = np.zeros(thick.shape, bool)
    ice[rows[inside], cols[inside]] = True
    return ice


def box(
    lon_deg: Array, lat_deg: Array, west: float, east: float, south: float, north: float
) -> Array:
    """Cells inside a box, as a mask over the grid."""
    return np.asarray(
        ((lat_deg > south) & (lat_deg < north))[:, None] & (lon_deg > west) & (lon_deg < east)
    )


# ---------------------------------------------------------------- outlines

FINE_BOX_DEG = (40.0, 58.0, 34.0, 48.0)  # the Caspian and its coasts: west, east, south, north
FINE_DEG, COARSE_DEG = 0.004, 0.03  # tolerances of the simplification inside and outside it
SMALLEST_FINE_DEG, SMALLEST_COARSE_DEG = 0.01, 0.1  # rings smaller than this are left out
MERGED = {  # what the members of the United Nations hold to be one country
    "N. Cyprus": "Cyprus",
    "Cyprus U.N. Buffer Zone": "Cyprus",
    "Akrotiri": "Cyprus",
    "Dhekelia": "Cyprus",
    "Somaliland": "Somalia",
    "Baikonur": "Kazakhstan",
}
PEREKOP_DEG = (33.0, 36.0, 45.5, 46.5)  # no border there: UN General Assembly 68/262


def make_outlines(packages: Path) -> Table:
    """Shores of Natural Earth 1:10m and land borders, simplified, in thousandths of a degree."""
    land = Atlas.read(packages, "land-10m.json")
    countries = Atlas.read(packages, "countries-10m.json")
    rings = [part for ring in land.rings() for part in cut_at_antimeridian(ring)]
    shores = [simplify(ring) for ring in rings if is_seen(ring)]
    borders = [simplify(line) for line in countries.borders()]
    return Table(
        arrays={
            **packed("land", [ring for ring in shores if len(ring) >= 4]),
            **packed("border", [line for line in borders if len(line) >= 2]),
        },
        title="Shores of the land and borders of countries, for maps",
        origin="Natural Earth, 1:10m physical land and 1:10m cultural admin-0 countries; "
        "land-10m.json and countries-10m.json of npm package world-atlas",
        version="Natural Earth 4.1.0; world-atlas 2.0.2",
        licence="public domain (Natural Earth); world-atlas: ISC, (c) Michael Bostock",
        notes=OUTLINES_NOTES,
    )


west, east, south, north = FINE_BOX_DEG
OUTLINES_NOTES = f"""\
`land` are closed rings, islands and seas in the land (the Caspian Sea) alike: filled by the
even-odd rule they are the land. Rings are cut at 180 degrees and Antarctica closed along the
pole. `border` are open lines. Points are cumulative sums of
`*_steps` in thousandths of a degree, longitude first; `*_ends` are the ends of the pieces.
Simplified (Douglas and Peucker) to {FINE_DEG} degrees from {west:.0f} to {east:.0f} E and
{south:.0f} to {north:.0f} N, to {COARSE_DEG} degrees elsewhere; rings smaller than
{SMALLEST_FINE_DEG} and {SMALLEST_COARSE_DEG} degrees are left out. Lakes other than the Caspian
Sea are not drawn.

For orientation only: a line says nothing about the status of a border. Lines are Natural
Earth's, but the lines inside Cyprus, Somalia, Kazakhstan (Baikonur) and Ukraine (Perekop) are
left out."""


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """One file of world-atlas: TopoJSON, arcs shared by the shapes on both sides."""

    arcs: list[Array]
    objects: dict[str, Any]

    @classmethod
    def read(cls, packages: Path, name: str) -> Atlas:
        topology = json.loads(read_member(packages / WORLD_ATLAS, f"package/{name}"))
        scale, origin = topology["transform"]["scale"], topology["transform"]["translate"]
        arcs = [np.cumsum(np.array(a), axis=0) * scale + origin for a in topology["arcs"]]
        return cls(arcs=arcs, objects=topology["objects"])

    def ring(self, indices: list[int]) -> Array:
        """Join arcs; ~i stands for arc i run backwards, and each starts where the last ended."""
        parts = [self.arcs[i] if i >= 0 else self.arcs[~i][::-1] for i in indices]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    def rings(self) -> list[Array]:
        """All rings of the land."""
        return [self.ring(indices) for indices in ring_indices(self.objects["land"])]

    def polygons(self, country: str) -> list[shapely.Polygon]:
        """The rings of one country, each as a polygon without holes."""
        shapes = self.objects["countries"]["geometries"]
        return [
            shapely.Polygon(self.ring(indices))
            for shape in shapes
            if shape["properties"]["name"] == country
            for indices in ring_indices(shape)
        ]

    def borders(self) -> Iterator[Array]:
        """Arcs with a country on either side."""
        sides: dict[int, set[str]] = defaultdict(set)
        for shape in self.objects["countries"]["geometries"]:
            name = shape["properties"]["name"]
            for indices in ring_indices(shape):
                for i in indices:
                    sides[max(i, ~i)].add(MERGED.get(name, name))
        for i, names in sides.items():
            if len(names) > 1 and not (names == {"Russia", "Ukraine"} and in_perekop(self.arcs[i])):
                yield self.arcs[i]


def in_perekop(line: Array) -> bool:
    west, east, south, north = PEREKOP_DEG
    lon_deg, lat_deg = line.T
    inside = (lon_deg > west) & (lon_deg < east) & (lat_deg > south) & (lat_deg < north)
    return bool(inside.all())


def ring_indices(shape: dict[str, Any]) -> Iterator[list[int]]:
    """Arc indices of every ring of a TopoJSON shape."""
    if shape["type"] == "GeometryCollection":
        for part in shape["geometries"]:
            yield from ring_indices(part)
    elif shape["type"] == "MultiPolygon":
        for polygon in shape["arcs"]:
            yield from polygon
    elif shape["type"] == "Polygon":
        yield from shape["arcs"]


def cut_at_antimeridian(ring: Array) -> list[Array]:
    """Rings from 180 W to 180 E, closed along its edges; world-atlas runs across.

    The ring of Antarctica runs once round the Earth: it is closed along the pole.
    """
    lon_deg = np.unwrap(ring[:, 0], period=360.0)
    turns = round((lon_deg[-1] - lon_deg[0]) / 360.0)
    if turns:
        start = int(np.argmax(np.abs(np.diff(ring[:, 0])))) + 1
        once = np.concatenate([ring[start:-1], ring[:start]])
        (last_lon, last_lat), (first_lon, first_lat) = once[-1], once[0]
        east, west = np.copysign(180.0, (last_lon, first_lon))
        corners = [(east, last_lat), (east, -90.0), (west, -90.0), (west, first_lat), once[0]]
        return [np.concatenate([once, corners])]
    unwrapped = np.stack([lon_deg, ring[:, 1]], axis=-1)
    if np.abs(lon_deg).max() <= 180.0 + 1e-9:
        return [unwrapped]
    whole = shapely.make_valid(shapely.Polygon(unwrapped))
    pieces = [
        shapely.intersection(
            shapely.affinity.translate(whole, shift), shapely.box(-180, -90, 180, 90)
        )
        for shift in (-360.0, 0.0, 360.0)
    ]
    parts = shapely.get_parts(shapely.get_parts(pieces))
    areas = [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]
    return [np.array(part.exterior.coords) for part in areas]


def in_fine_box(points_deg: Array) -> Array:
    west, east, south, north = FINE_BOX_DEG
    lon_deg, lat_deg = points_deg.T
    return np.asarray(
        (lon_deg >= west) & (lon_deg <= east) & (lat_deg >= south) & (lat_deg <= north)
    )


def is_seen(ring: Array) -> bool:
    smallest = SMALLEST_FINE_DEG if in_fine_box(ring).any() else SMALLEST_COARSE_DEG
    return bool(np.ptp(ring, axis=0).max() >= smallest)


def simplify(line: Array) -> Array:
    """Douglas and Peucker, run by run, so that the fine box keeps its detail."""
    fine = in_fine_box(line)
    cuts = [0, *(np.flatnonzero(fine[1:] != fine[:-1]) + 1), len(line) - 1]
    pieces = [
        np.array(
            shapely.LineString(line[start : end + 1])
            .simplify(FINE_DEG if fine[start] else COARSE_DEG)
            .coords
        )
        for start, end in pairwise(cuts)
        if end > start
    ]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


def packed(name: str, lines: list[Array]) -> dict[str, Array]:
    """All points as steps of a thousandth of a degree, and where each line ends."""
    milli_deg = np.round(np.concatenate(lines) * 1000).astype(np.int32)
    return {
        f"{name}_steps": np.diff(milli_deg, axis=0, prepend=0).astype("<i4"),
        f"{name}_ends": np.cumsum([len(line) for line in lines]).astype("<i4"),
    }


# ---------------------------------------------------------------- packages in, tables out


def read_member(archive: Path, member: str) -> bytes:
    """One file out of a .deb, .tgz or .whl whose SHA-256 is the one above."""
    data = archive.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256[archive.name]:
        raise SystemExit(f"{archive}: SHA-256 is {found}, expected {SHA256[archive.name]}")
    if archive.suffix == ".whl":
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            return wheel.read(member)
    if archive.suffix == ".deb":
        command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
        data = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        member = f"./{member}"
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        file = tar.extractfile(member)
        assert file is not None, f"{member} is not a file"
        return file.read()


def write(name: str, table: Table) -> None:
    folder = DATA / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.npz"
    np.savez_compressed(path, allow_pickle=False, **table.arrays)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "SOURCE.md").write_text(
        f"# {table.title}\n\n"
        f"* Origin: {table.origin}.\n"
        f"* Version: {table.version}.\n"
        f"* Licence: {table.licence}.\n"
        f"* Made by: `tools/make_tables.py {name}`.\n"
        f"* SHA-256: `{digest}` {path.name}\n\n"
        f"{table.notes}\n"
    )
    print(f"{path}: {path.stat().st_size} bytes")


MAKERS: dict[str, Callable[[Path], Table]] = {
    "geoid": make_geoid,
    "relief": make_relief,
    "outlines": make_outlines,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", choices=[*MAKERS, "all"])
    parser.add_argument("--packages", type=Path, required=True, help="folder of the archives")
    arguments = parser.parse_args()
    for name in MAKERS if arguments.table == "all" else [arguments.table]:
        write(name, MAKERS[name](arguments.packages))


if __name__ == "__main__":
    main()
