"""Makes rpcm_projections.json: where rpcm projects places with the RPCs of the test data.

rpcm 1.4.10 (C. de Franchis and others, BSD-2-Clause) reads tags and DIMAP itself; keyword files it
does not know are read here. Run by hand, from the repository's root; `srtm4`, which it imports for
heights that are not asked for here, needs a compiler and is left out:

    pip install --no-deps rpcm==1.4.10 && pip install geojson pyproj
    python -m tests.reference.make_rpcm_projections ../shared/data/imagery

For each file it writes some places with their rows and columns, and how far GDAL lies from rpcm at
most over 10,000 places, in pixels.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import rasterio
from rasterio.rpc import RPC
from rasterio.transform import RPCTransformer

sys.modules["srtm4"] = ModuleType("srtm4")
sys.modules["geojson"] = ModuleType("geojson")
import rpcm  # type: ignore[import-not-found]  # noqa: E402

from tests.sensor.rpcs import ALL  # noqa: E402

KEPT, ASKED = 25, 10_000


def main(folder: Path) -> None:
    rows = [json.dumps(projections(folder, name)) for name in ALL]
    (Path(__file__).with_name("rpcm_projections.json")).write_text(
        f'{{"made_by": "make_rpcm_projections.py, rpcm {rpcm.__version__}, rasterio '
        f'{rasterio.__version__}",\n "places": "lon rad, lat rad, height m, row, column",\n '
        '"files": [\n ' + ",\n ".join(rows) + "\n]}\n"
    )


def projections(folder: Path, name: str) -> dict[str, Any]:
    model = model_of(folder / name)
    x, y, h = np.random.default_rng(3).uniform(-1.0, 1.0, (3, ASKED))
    lon_rad = np.radians(x * model.lon_scale + model.lon_offset)
    lat_rad = np.radians(y * model.lat_scale + model.lat_offset)
    height_m = h * model.alt_scale + model.alt_offset
    lon_deg, lat_deg = np.degrees(lon_rad), np.degrees(lat_rad)
    col, row = model.projection(lon_deg, lat_deg, height_m)
    with RPCTransformer(gdal_rpc(model)) as gdal:
        gdal_row, gdal_col = gdal.rowcol(lon_deg, lat_deg, zs=height_m, op=lambda value: value)
    apart = np.maximum(np.abs(gdal_row - 0.5 - row), np.abs(gdal_col - 0.5 - col))
    places = np.stack([lon_rad, lat_rad, height_m, row, col], axis=-1)[:KEPT]
    return {"file": name, "gdal_apart_px": float(apart.max()), "places": places.tolist()}


def model_of(path: Path) -> Any:
    if path.suffix == ".geom":
        return rpcm.RPCModel(keywords(path), dict_format="geotiff")
    if path.suffix == ".XML":
        return rpcm.rpc_from_rpc_file(str(path))
    return rpcm.rpc_from_geotiff(str(path))


def keywords(path: Path) -> dict[str, str]:
    """The keywords of a `.geom` file under the names of GeoTIFF tags."""
    found = dict(re.findall(r"^(\w+):\s+(\S+)$", path.read_text(), re.MULTILINE))
    tags = {
        f"{axis}_{part}".upper(): found[f"{axis}_{part}"]
        for axis in ("line", "samp", "long", "lat", "height")
        for part in ("off", "scale")
    }
    for part in ("line_num", "line_den", "samp_num", "samp_den"):
        coefficients = (found[f"{part}_coeff_{i:02d}"] for i in range(20))
        tags[f"{part}_coeff".upper()] = " ".join(coefficients)
    return tags


def gdal_rpc(model: Any) -> RPC:
    return RPC(
        height_off=model.alt_offset, height_scale=model.alt_scale,
        lat_off=model.lat_offset, lat_scale=model.lat_scale,
        long_off=model.lon_offset, long_scale=model.lon_scale,
        line_off=model.row_offset, line_scale=model.row_scale,
        samp_off=model.col_offset, samp_scale=model.col_scale,
        line_num_coeff=list(model.row_num), line_den_coeff=list(model.row_den),
        samp_num_coeff=list(model.col_num), samp_den_coeff=list(model.col_den),
    )  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
