"""The STAC item of a product: all that is known of it, in the words other programs search by.

STAC 1.1.0 with the extensions of `EXTENSIONS`. What is not known or was not measured is left out;
`docs/reference/products.md` lists every property.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.polygon import orient

from humay.processing.store import CogLayout, FileFacts
from humay.time import format_utc

STAC_VERSION = "1.1.0"
COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
EXTENSIONS = {
    name: f"https://stac-extensions.github.io/{name}/v{version}/schema.json"
    for name, version in (
        ("eo", "2.0.0"),
        ("file", "2.1.0"),
        ("processing", "1.2.0"),
        ("projection", "2.0.0"),
        ("raster", "2.0.0"),
        ("sat", "1.2.0"),
        ("view", "1.1.0"),
    )
}
COMMON_NAMES = {"pan", "coastal", "blue", "green", "red", "rededge", "nir", "nir08", "swir16"}
"""Band names that mean the same for every sensor (eo v2.0.0, common band names)."""

Scalar: TypeAlias = str | int | float | bool
_TRACE = re.compile(r"[a-z][a-z0-9_]*")
_DIGITS = 7  # of a degree: 11 mm


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Where a band's response is at least half its maximum (m), and the sunlight in it at 1 au."""

    low_m: float
    high_m: float
    solar_irradiance_w_m2_um: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.low_m < self.high_m:
            raise ValueError(
                f"response is {self.low_m} to {self.high_m} m, expected 0 < low < high"
            )


@dataclass(frozen=True, kw_only=True)
class ViewFacts:
    """Angles at the middle of the scene (rad), clockwise from north; elevation from the horizon."""

    off_nadir_rad: float
    incidence_rad: float
    azimuth_rad: float  # from the place below the satellite to the scene, as view:azimuth says
    sun_azimuth_rad: float
    sun_elevation_rad: float

    def __post_init__(self) -> None:
        quarter = math.pi / 2
        for name in ("off_nadir_rad", "incidence_rad"):
            if not 0 <= getattr(self, name) <= quarter:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 to pi/2")
        if not -quarter <= self.sun_elevation_rad <= quarter:
            raise ValueError(f"sun elevation is {self.sun_elevation_rad}, expected -pi/2 to pi/2")
        if not (math.isfinite(self.azimuth_rad) and math.isfinite(self.sun_azimuth_rad)):
            raise ValueError("an azimuth is no number")


@dataclass(frozen=True, kw_only=True)
class OrbitFacts:
    """Where in the orbit: `descending` or `ascending`, orbit number, last ascending node (UTC)."""

    state: str
    absolute_orbit: int | None = None
    anx: datetime | None = None

    def __post_init__(self) -> None:
        if self.state not in ("ascending", "descending"):
            raise ValueError(f"orbit state is {self.state!r}, expected ascending or descending")
        if self.absolute_orbit is not None and self.absolute_orbit < 1:
            raise ValueError(f"orbit number is {self.absolute_orbit}, expected 1 or more")


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """One file of a product, its `href` relative to the item; `layout` if it is a COG of ours."""

    href: str
    title: str
    roles: tuple[str, ...]
    media_type: str
    file: FileFacts
    layout: CogLayout | None = None
    gsd_m: float | None = None  # where it is not that of the item

    def __post_init__(self) -> None:
        if not self.href or not self.roles:
            raise ValueError(f"asset {self.title!r}: href or roles are empty")


@dataclass(frozen=True, kw_only=True)
class Link:
    """A way to another document, its `href` relative to the item."""

    rel: str
    href: str
    media_type: str
    title: str


@dataclass(frozen=True, kw_only=True)
class ProductFacts:
    """What there is to say of a product.

    `start` and `end` are those of the exposure, `created` is told by the mission's clock.
    `footprint` outlines the valid pixels in longitude and latitude (deg), in one piece: over the
    antimeridian it runs on past 180. `traces` lead back to where the product comes from
    (acquisition, strip, request, plan_sha256, location_ce90_m ...); `spectra` are by band.
    """

    id: str
    title: str
    level: str
    platform: str
    instruments: tuple[str, ...]
    start: datetime
    end: datetime
    created: datetime
    footprint: Polygon | MultiPolygon
    epsg: int
    gsd_m: float
    assets: Mapping[str, AssetFacts]
    software: Mapping[str, str]
    lineage: str
    constellation: str | None = None
    mission: str | None = None
    collection: str | None = None
    view: ViewFacts | None = None
    orbit: OrbitFacts | None = None
    spectra: Mapping[str, Spectrum] = field(default_factory=dict)
    nominal: datetime | None = None  # what stands for the whole exposure; without it its middle
    cloud_cover_percent: float | None = None  # only if measured
    traces: Mapping[str, Scalar | None] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    def __post_init__(self) -> None:
        for name in ("id", "title", "level", "platform", "lineage", "instruments", "software"):
            if not getattr(self, name):
                raise ValueError(f"product {self.id!r}: {name} is empty")
        if not self.start <= self.end:
            raise ValueError(f"product {self.id!r}: ends {self.end}, before its start {self.start}")
        if not (self.gsd_m > 0 and self.assets):
            raise ValueError(f"product {self.id!r}: gsd_m is {self.gsd_m}, assets {self.assets}")
        cover = self.cloud_cover_percent
        if cover is not None and not 0 <= cover <= 100:
            raise ValueError(f"product {self.id!r}: cloud cover is {cover}, expected 0 to 100 %")
        for name, value in self.traces.items():
            if not _TRACE.fullmatch(name) or (
                isinstance(value, float) and not math.isfinite(value)
            ):
                raise ValueError(f"product {self.id!r}: trace {name!r} is {value!r}")


def item_document(facts: ProductFacts) -> dict[str, Any]:
    """The item as a STAC document; write it with `json_bytes`."""
    geometry, bbox = lonlat_geometry(facts.footprint)
    assets = {name: _asset(asset, facts) for name, asset in facts.assets.items()}
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": _extensions(facts),
        "id": facts.id,
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(facts),
        "links": [_link(link) for link in facts.links],
        "assets": assets,
    }
    if facts.collection is not None:  # STAC wants both or none
        item["collection"] = facts.collection
        item["links"].append(
            {"rel": "collection", "href": "./collection.json", "type": "application/json"}
        )
    return item


def collection_document(facts: ProductFacts, *, title: str, description: str) -> dict[str, Any]:
    """The collection of `facts`, to lie beside its item as collection.json.

    A product alone cannot know what else there is: it claims the whole Earth from its own exposure
    on. The export of a catalogue states the true extent.
    """
    if facts.collection is None:
        raise ValueError(f"product {facts.id!r} belongs to no collection")
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": facts.collection,
        "title": title,
        "description": description,
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
            "temporal": {"interval": [[format_utc(facts.start), None]]},
        },
        "links": [],
    }


def lonlat_geometry(
    footprint: Polygon | MultiPolygon,
) -> tuple[dict[str, Any], list[float]]:
    """A footprint in degrees as GeoJSON, and its bbox.

    What crosses the antimeridian is cut there, and the west of its bbox is greater than the east
    (RFC 7946, 3.1.9 and 5.2); exteriors run counterclockwise. Raises `ValueError` for an outline
    that is not valid or is 180 degrees wide or more: wrapped longitudes look like that.
    """
    west, south, east, north = footprint.bounds if not footprint.is_empty else (0, 0, 360, 0)
    if not (footprint.is_valid and east - west < 180 and south >= -90 and north <= 90):
        raise ValueError(
            f"footprint reaches from {west} to {east} and {south} to {north} deg, valid: "
            f"{footprint.is_valid}; expected a valid one, unwrapped and under 180 deg wide"
        )
    turns = math.floor((west + 180) / 360)
    shape = translate(footprint, -360.0 * turns)
    west, south, east, north = shape.bounds
    if east > 180:
        before = shape.intersection(shapely.box(west, -90, 180, 90))
        after = translate(shape.intersection(shapely.box(180, -90, east, 90)), -360.0)
        parts = [*_polygons(before), *_polygons(after)]
        east -= 360
    else:
        parts = _polygons(shape)
    rings = [_rings(orient(part)) for part in parts]
    bbox = [round(edge, _DIGITS) for edge in (west, south, east, north)]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}, bbox
    return {"type": "MultiPolygon", "coordinates": rings}, bbox


def _polygons(shape: Any) -> list[Polygon]:
    return [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]


def _rings(polygon: Polygon) -> list[list[list[float]]]:
    return [
        [[round(lon, _DIGITS), round(lat, _DIGITS)] for lon, lat, *_ in ring.coords]
        for ring in (polygon.exterior, *polygon.interiors)
    ]


def _extensions(facts: ProductFacts) -> list[str]:
    """The extensions that are used, and no other: each wants one of its fields at least."""
    rasters = [asset.layout for asset in facts.assets.values() if asset.layout is not None]
    known = any(name in facts.spectra or name in COMMON_NAMES for r in rasters for name in r.bands)
    used = {
        "eo": known or facts.cloud_cover_percent is not None,
        "raster": bool(rasters),
        "sat": facts.orbit is not None,
        "view": facts.view is not None,
    }
    return [uri for name, uri in EXTENSIONS.items() if used.get(name, True)]


def _properties(facts: ProductFacts) -> dict[str, Any]:
    middle = facts.nominal or facts.start + (facts.end - facts.start) / 2
    return {
        "title": facts.title,
        "datetime": format_utc(middle),
        "start_datetime": format_utc(facts.start),
        "end_datetime": format_utc(facts.end),
        "created": format_utc(facts.created),
        "platform": facts.platform,
        "instruments": list(facts.instruments),
        **_given({"constellation": facts.constellation, "mission": facts.mission}),
        "gsd": facts.gsd_m,
        "proj:code": f"EPSG:{facts.epsg}",
        **_given({"eo:cloud_cover": facts.cloud_cover_percent}),
        **_view(facts.view),
        **_orbit(facts.orbit),
        "processing:level": facts.level,
        "processing:lineage": facts.lineage,
        "processing:software": dict(facts.software),
        **_given({f"humay:{name}": value for name, value in facts.traces.items()}),
    }


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _view(view: ViewFacts | None) -> dict[str, float]:
    if view is None:
        return {}
    return {
        "view:off_nadir": _degrees(view.off_nadir_rad),
        "view:incidence_angle": _degrees(view.incidence_rad),
        "view:azimuth": _degrees(view.azimuth_rad % math.tau) % 360.0,
        "view:sun_azimuth": _degrees(view.sun_azimuth_rad % math.tau) % 360.0,
        "view:sun_elevation": _degrees(view.sun_elevation_rad),
    }


def _degrees(angle_rad: float) -> float:
    return round(math.degrees(angle_rad), 6)


def _orbit(orbit: OrbitFacts | None) -> dict[str, Any]:
    if orbit is None:
        return {}
    return _given(
        {
            "sat:orbit_state": orbit.state,
            "sat:absolute_orbit": orbit.absolute_orbit,
            "sat:anx_datetime": None if orbit.anx is None else format_utc(orbit.anx),
        }
    )


def _asset(asset: AssetFacts, facts: ProductFacts) -> dict[str, Any]:
    return {
        "href": asset.href,
        "type": asset.media_type,
        "title": asset.title,
        "roles": list(asset.roles),
        "created": format_utc(facts.created),
        **({} if asset.layout is None else _raster(asset.layout, facts)),
        **_given({"gsd": asset.gsd_m}),
        "file:size": asset.file.size,
        "file:checksum": asset.file.checksum,
    }


def _raster(layout: CogLayout, facts: ProductFacts) -> dict[str, Any]:
    a, _, _, d, _, _ = layout.transform
    pixel_m = math.hypot(a, d)
    nodata = layout.nodata
    return {
        "proj:code": layout.crs,
        "proj:shape": [layout.rows, layout.cols],
        "proj:transform": [float(number) for number in layout.transform],
        "data_type": layout.dtype,
        **_given({"nodata": nodata if nodata is None or math.isfinite(nodata) else str(nodata)}),
        "raster:sampling": "area",
        "raster:scale": layout.scale,
        "raster:offset": layout.offset,
        "raster:spatial_resolution": pixel_m,
        "bands": [_band(name, facts.spectra.get(name)) for name in layout.bands],
    }


def _band(name: str, spectrum: Spectrum | None) -> dict[str, Any]:
    band: dict[str, Any] = {"name": name}
    if name in COMMON_NAMES:
        band["eo:common_name"] = name
    if spectrum is not None:
        low_um, high_um = spectrum.low_m * 1e6, spectrum.high_m * 1e6
        band["eo:center_wavelength"] = round((low_um + high_um) / 2, 6)
        band["eo:full_width_half_max"] = round(high_um - low_um, 6)
        band |= _given({"eo:solar_illumination": spectrum.solar_irradiance_w_m2_um})
    return band


def _link(link: Link) -> dict[str, str]:
    return {"rel": link.rel, "href": link.href, "type": link.media_type, "title": link.title}
