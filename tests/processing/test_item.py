"""STAC items: valid by the published schemas, and true to the files they describe."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from humay.files import json_bytes
from humay.processing.item import (
    OrbitFacts,
    Spectrum,
    ViewFacts,
    collection_document,
    item_document,
    lonlat_geometry,
)
from humay.processing.store import FileFacts
from tests.processing.products import MS, PAN, facts, written
from tests.reference.stac import faults, schemas

odc_warns = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:odc", "ignore::PendingDeprecationWarning"
)
"""odc-stac 0.5 uses what shapely 2.2 and affine 3 are about to drop."""


def test_an_item_is_valid_by_the_schemas_of_all_extensions_it_names() -> None:
    document = item_document(facts())
    assert faults(document) == []
    assert len(document["stac_extensions"]) == 7
    assert set(document["stac_extensions"]) <= set(schemas())
    assert json_bytes(document) == json_bytes(item_document(facts()))


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("properties", "proj:code"), 32639, "projection"),
        (("properties", "view:off_nadir"), 95.0, "view"),
        (("properties", "sat:orbit_state"), "downhill", "sat"),
        (("properties", "eo:cloud_cover"), 101, "eo"),
        (("properties", "processing:software"), "humay", "processing"),
        (("properties", "datetime"), "yesterday", "item"),
        (("assets", "pan", "file:checksum"), "sha256", "file"),
        (("assets", "pan", "raster:sampling"), "volume", "raster"),
        (("collection",), None, "item"),
    ],
)
def test_the_schemas_find_what_is_wrong(place: tuple[str, ...], value: Any, fault: str) -> None:
    """Else an item could not fail them."""
    document = item_document(facts())
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    assert any(f"/{fault}" in each for each in faults(document)), faults(document)


def test_what_is_not_known_is_left_out() -> None:
    """No view, no orbit, no spectra, no collection: their extensions are not named either."""
    bare = facts(
        view=None, orbit=None, spectra={}, collection=None, constellation=None, mission=None,
        links=(), traces={"strip": None},
        assets={"other": replace(facts().assets["pan"], layout=replace(PAN, bands=("b1",)))},
    )  # fmt: skip
    document = item_document(bare)
    assert faults(document) == []
    names = set(document["properties"])
    assert not {name for name in names if name.startswith(("eo:", "sat:", "view:", "humay:"))}
    used = {uri.split("/")[3] for uri in document["stac_extensions"]}
    assert used == {"file", "processing", "projection", "raster"}
    assert None not in document["properties"].values()


def test_cloud_cover_is_said_only_when_it_was_measured() -> None:
    assert "eo:cloud_cover" not in item_document(facts())["properties"]
    measured = item_document(facts(cloud_cover_percent=12.5))
    assert measured["properties"]["eo:cloud_cover"] == 12.5
    assert faults(measured) == []


def test_times_bands_and_angles_are_said_in_the_units_of_stac() -> None:
    """By hand: the middle of 12.25 and 14.25 s; green of 530 to 590 nm; -79 deg is 281."""
    document = item_document(facts())
    properties = document["properties"]
    assert properties["datetime"] == "2019-11-01T07:30:13.250000Z"
    assert properties["start_datetime"] == "2019-11-01T07:30:12.250000Z"
    assert properties["created"] == "2019-11-01T12:00:00Z"
    assert properties["view:azimuth"] == 281.0
    assert properties["view:off_nadir"] == 21.5
    assert properties["sat:anx_datetime"] == "2019-11-01T06:41:03Z"
    assert properties["humay:strip"] == "baku/1"
    green = document["assets"]["ms"]["bands"][1]
    assert green == {
        "name": "green",
        "eo:common_name": "green",
        "eo:center_wavelength": 0.56,
        "eo:full_width_half_max": 0.06,
        "eo:solar_illumination": 1826.0,
    }


def test_the_checksum_is_a_multihash_of_sha_256() -> None:
    """SHA-256 of `abc` (FIPS 180-2, appendix B.1) after the multihash prefix 12 20."""
    assert FileFacts.of(b"abc") == FileFacts(
        size=3,
        checksum="1220ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    )


@odc_warns
def test_pystac_rasterio_and_odc_open_what_the_item_says(tmp_path: Path) -> None:
    from odc.stac import load

    whole, images = written(tmp_path)
    item = pystac.Item.from_file(tmp_path / "item.json")
    assert item.id == whole.id
    for name, image in images.items():
        asset = item.assets[name]
        path = asset.get_absolute_href()
        assert path is not None
        with rasterio.open(path) as raster:
            assert np.array_equal(raster.read(), image)
            assert asset.extra_fields["proj:shape"] == list(raster.shape)
            assert asset.extra_fields["proj:transform"] == list(raster.transform)[:6]
            assert asset.extra_fields["proj:code"] == f"EPSG:{raster.crs.to_epsg()}"
            assert asset.extra_fields["nodata"] == raster.nodata
            assert asset.extra_fields["data_type"] == raster.dtypes[0]
            assert asset.extra_fields["raster:scale"] == raster.scales[0]
        assert FileFacts.of_file(Path(path)) == FileFacts(
            size=asset.extra_fields["file:size"], checksum=asset.extra_fields["file:checksum"]
        )
    cube = load([item], bands=["pan"], chunks=None)
    assert cube.pan.dtype == np.uint16
    assert cube.pan.attrs["nodata"] == 0
    assert np.array_equal(cube.pan.values[0], images["pan"][0])
    assert cube.odc.crs.epsg == 32639
    four = load([item], bands=["ms.1", "ms.2", "ms.3", "ms.4"])
    for i in range(4):
        assert np.array_equal(four[f"ms.{i + 1}"].values[0], images["ms"][i])


def test_the_collection_of_an_item_is_valid() -> None:
    document = collection_document(facts(), title="L1C", description="Orthorectified reflectance")
    assert faults(document) == []
    assert document["id"] == item_document(facts())["collection"]


# Footprints --------------------------------------------------------------------------------------


def test_a_footprint_over_the_antimeridian_is_cut_there() -> None:
    """RFC 7946, 3.1.9 and 5.2: two polygons, and a bbox whose west is greater than its east."""
    box = Polygon([(179.9, -17.0), (180.2, -17.0), (180.2, -16.0), (179.9, -16.0)])
    geometry, bbox = lonlat_geometry(box)
    assert bbox == [179.9, -17.0, -179.8, -16.0]
    assert geometry["type"] == "MultiPolygon"
    west, east = (shapely.geometry.shape({"type": "Polygon", "coordinates": c})
                  for c in geometry["coordinates"])  # fmt: skip
    assert west.bounds == (179.9, -17.0, 180.0, -16.0)
    assert east.bounds == (-180.0, -17.0, -179.8, -16.0)
    assert faults(item_document(facts(footprint=box))) == []


@given(
    west=st.floats(-720, 720), width=st.floats(0.01, 20), south=st.floats(-89, 80),
    height=st.floats(0.01, 9), tilt=st.floats(0, 0.9),
)  # fmt: skip
def test_a_footprint_keeps_its_area_and_turns_counterclockwise(
    west: float, width: float, south: float, height: float, tilt: float
) -> None:
    corners = [(west, south), (west + tilt * width, south + height), (west + width, south)]
    geometry, bbox = lonlat_geometry(Polygon(corners))
    shape = shapely.geometry.shape(geometry)
    assert shape.is_valid
    assert abs(shape.area - width * height / 2) < 1e-5
    assert all(part.exterior.is_ccw for part in shapely.get_parts(shape))
    assert shape.bounds[0] >= -180
    assert shape.bounds[2] <= 180
    assert abs((bbox[2] - bbox[0]) % 360 - width) < 1e-5


@pytest.mark.parametrize(
    "corners",
    [
        [(179.9, 0), (-179.9, 0), (-179.9, 1), (179.9, 1)],  # wrapped longitudes
        [(0, 0), (1, 1), (1, 0), (0, 1)],  # crosses itself
        [(0, 89), (1, 89), (1, 91)],  # beyond the pole
    ],
)
def test_a_footprint_that_cannot_be_is_refused(corners: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="expected a valid one"):
        lonlat_geometry(Polygon(corners))


# Records -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ""}, "id is empty"),
        ({"software": {}}, "software is empty"),
        ({"assets": {}}, "assets"),
        ({"gsd_m": math.nan}, "gsd_m is nan"),
        ({"end": datetime(2019, 1, 1, tzinfo=UTC)}, "before its start"),
        ({"cloud_cover_percent": 101.0}, "cloud cover is 101"),
        ({"traces": {"Strip": 1}}, "trace 'Strip'"),
        ({"traces": {"rpc_rms_px": math.nan}}, "trace 'rpc_rms_px' is nan"),
    ],
)
def test_facts_that_cannot_be_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        facts(**change)


def test_angles_bands_and_orbits_that_cannot_be_are_refused() -> None:
    view = facts().view
    assert view is not None
    with pytest.raises(ValueError, match="off_nadir_rad is 21"):
        replace(view, off_nadir_rad=21.5)  # degrees
    with pytest.raises(ValueError, match="sun elevation"):
        replace(view, sun_elevation_rad=2.0)
    with pytest.raises(ValueError, match="azimuth"):
        ViewFacts(
            off_nadir_rad=0, incidence_rad=0, azimuth_rad=math.nan, sun_azimuth_rad=0,
            sun_elevation_rad=0,
        )  # fmt: skip
    with pytest.raises(ValueError, match="low < high"):
        Spectrum(low_m=0.7e-6, high_m=0.6e-6)
    with pytest.raises(ValueError, match="ascending or descending"):
        OrbitFacts(state="north")
    with pytest.raises(ValueError, match="orbit number is 0"):
        OrbitFacts(state="ascending", absolute_orbit=0)


def test_an_item_can_be_read_as_plain_json(tmp_path: Path) -> None:
    written(tmp_path)
    document = json.loads((tmp_path / "item.json").read_bytes())
    assert faults(document) == []
    assert document["assets"]["ms"]["proj:shape"] == [MS.rows, MS.cols]
