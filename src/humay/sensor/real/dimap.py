"""DIMAP v2: how Pleiades, SPOT 6, SPOT 7 and Pleiades Neo describe their products.

Their RPC files count pixels from (1, 1), as PIXEL_ORIGIN of the product says, and are shifted here.
Those of Pleiades Neo have other element names and count from (0, 0) although PIXEL_ORIGIN says 1
(Airbus support, quoted in OSGeo/gdal issue 5716).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from humay.errors import SensorError
from humay.sensor.real.reading import instant, named, rpc_of_fields, shown, whole
from humay.sensor.real.rpc_image import BandRadiometry, View
from humay.sensor.real.xml_tree import Node
from humay.sensor.rpc import Rpc

_CHANNELS = ("PAN_CHANNEL", "RED_CHANNEL", "GREEN_CHANNEL", "BLUE_CHANNEL", "ALPHA_CHANNEL")


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One pixel file as a product lists it; `href` is relative to the product's folder."""

    href: str
    row0: int
    col0: int
    rows: int
    cols: int
    bands: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class DimapProduct:
    """What a DIM_*.XML says of an image, without its RPC file and its pixels."""

    shape: tuple[int, int]
    bands: tuple[str, ...]
    tiles: tuple[Tile, ...]
    rpc_href: str
    pixel_origin: int
    radiometry: Mapping[str, BandRadiometry]
    nodata: float | None
    saturated: float | None
    view: View


def rpc_from_dimap(root: Node, *, pixel_origin: int = 1) -> Rpc:
    """The ground-to-image model of an RPC_*.XML.

    `pixel_origin` is how its product counts the first pixel; Pleiades Neo does not heed its own.
    """
    _check_format(root)
    model = root.find(".//Global_RFM")
    if model is None:
        raise SensorError(f"{root.where}: has no Global_RFM, expected the RPC file of a product")
    kind = root.text(".//Rational_Function_Model/Resource_Reference/RESOURCE_ID")
    if kind not in (None, "RPC00B"):
        raise SensorError(f"{root.where}: RESOURCE_ID is {shown(str(kind))}, expected RPC00B")
    values = model.find("GroundtoImage_Values")
    if values is not None:
        pixel_origin = _neo_origin(model)
    else:
        values = model.node("Inverse_Model")
    validity = model.node("RFM_Validity")
    return rpc_of_fields(
        lambda name: (values if "COEFF" in name else validity).number(name),
        where=root.where,
        pixel_origin=pixel_origin,
    )


def product_from_dimap(root: Node) -> DimapProduct:
    """What the DIM_*.XML of a sensor-level product says."""
    _check_format(root)
    _check_level(root)
    size = root.node(".//Raster_Dimensions")
    shape = size.whole("NROWS"), size.whole("NCOLS")
    groups = [_bands(group, root) for group in root.each(".//Data_Access/Data_Files")]
    bands = tuple(band for group in groups for band in group)
    if len(bands) != size.whole("NBANDS"):
        raise SensorError(
            f"{root.where}: names bands {', '.join(bands) or 'none'}, expected the "
            f"{size.need('NBANDS')} of NBANDS"
        )
    return DimapProduct(
        shape=shape,
        bands=bands,
        tiles=tuple(_tiles(root, size, shape, groups)),
        rpc_href=_rpc_href(root),
        pixel_origin=_pixel_origin(root),
        radiometry=_radiometry(root, bands),
        nodata=_special_value(root, "NODATA"),
        saturated=_special_value(root, "SATURATED"),
        view=_view(root),
    )


def _check_format(root: Node) -> None:
    if root.tag != "Dimap_Document":
        raise SensorError(f"{root.where}: is a {root.tag}, expected a Dimap_Document (DIMAP v2)")
    version = root.node(".//METADATA_FORMAT").element.get("version", "")
    if root.text(".//METADATA_FORMAT") != "DIMAP" or version[:1] not in ("2", "3"):
        raise SensorError(
            f"{root.where}: METADATA_FORMAT is {shown(root.text('.//METADATA_FORMAT') or '')} "
            f"{version}, expected DIMAP 2"
        )


def _check_level(root: Node) -> None:
    """Refuse volumes and orthos: the former are no image, the latter have no sensor model."""
    profile = root.text(".//METADATA_PROFILE") or ""
    if profile == "VOLUME":
        hrefs = ", ".join(_href(path) for path in root.each(".//Component/COMPONENT_PATH"))
        raise SensorError(f"{root.where}: is a volume, expected one of its products: {hrefs}")
    if root.find(".//Global_RFM") is not None:
        raise SensorError(f"{root.where}: is an RPC file, expected the DIM_*.XML beside it")
    geometry = root.text(".//Raster_CRS/RASTER_GEOMETRY")
    if geometry != "SENSOR":
        raise SensorError(f"{root.where}: RASTER_GEOMETRY is {geometry}, expected SENSOR")


def _neo_origin(model: Node) -> int:
    """0, unless the domain of the coefficients says that it begins at (1, 1)."""
    domain = model.find("RFM_Validity/ImagetoGround_Validity_Domain")
    if domain is None:
        return 0
    return int((domain.number("FIRST_ROW"), domain.number("FIRST_COL")) == (1.0, 1.0))


def _pixel_origin(root: Node) -> int:
    origin = root.text(".//Raster_CRS/PIXEL_ORIGIN") or "1"
    if origin not in ("0", "1"):
        raise SensorError(f"{root.where}: PIXEL_ORIGIN is {shown(origin)}, expected 0 or 1")
    return int(origin)


def _href(path: Node) -> str:
    return path.attribute("href")


def _rpc_href(root: Node) -> str:
    for component in root.each(".//Rational_Function_Model/Component"):
        return _href(component.node("COMPONENT_PATH"))
    for component in root.each(".//Dataset_Components/Component"):
        if component.text("COMPONENT_TITLE") == "RPC Model":
            return _href(component.node("COMPONENT_PATH"))
    raise SensorError(f"{root.where}: names no RPC file, expected a component 'RPC Model'")


def _bands(group: Node, root: Node) -> tuple[str, ...]:
    """Names of the bands in the files of one group, in the order of the files."""
    listed = [
        (index.whole("BAND_INDEX"), index.need("BAND_ID"))
        for index in group.each(".//Raster_Index")
    ] or [
        (index.whole("BAND_INDEX"), index.need("BAND_ID"))
        for index in root.each(".//Raster_Data/Raster_Display//Raster_Index")
    ]
    if listed:
        numbers = sorted(number for number, _ in listed)
        if numbers != list(range(numbers[0], numbers[0] + len(listed))):
            raise SensorError(
                f"{root.where}: BAND_INDEX are {numbers}, expected each number once, without gaps"
            )
        return tuple(name for _, name in sorted(listed))
    display = root.node(".//Raster_Display/Band_Display_Order")
    shown_as = [display.text(channel) for channel in _CHANNELS]
    return tuple(dict.fromkeys(band for band in shown_as if band is not None))


def _tiles(
    root: Node, size: Node, shape: tuple[int, int], groups: list[tuple[str, ...]]
) -> Iterator[Tile]:
    """The pixel files of all groups, which must cover the image without overlap."""
    tile_rows, tile_cols = _tile_shape(size, shape)
    across = math.ceil(shape[1] / tile_cols)
    expected = math.ceil(shape[0] / tile_rows) * across
    first = 0
    for group, names in zip(root.each(".//Data_Access/Data_Files"), groups, strict=True):
        bands = tuple(range(first, first + len(names)))
        first += len(names)
        places = set()
        for file in group.each("Data_File"):
            i, j = (
                whole(file.element.get(key, "1"), key, root.where) for key in ("tile_R", "tile_C")
            )
            places.add((i, j))
            row0, col0 = (i - 1) * tile_rows, (j - 1) * tile_cols
            rows, cols = min(tile_rows, shape[0] - row0), min(tile_cols, shape[1] - col0)
            if min(row0, col0) < 0 or min(rows, cols) <= 0:
                raise SensorError(
                    f"{root.where}: tile R{i}C{j} lies outside of the image, expected R1C1 to "
                    f"R{math.ceil(shape[0] / tile_rows)}C{across}"
                )
            href = _href(file.node("DATA_FILE_PATH"))
            yield Tile(href=href, row0=row0, col0=col0, rows=rows, cols=cols, bands=bands)
        if len(places) != expected or len(list(group.each("Data_File"))) != expected:
            raise SensorError(f"{root.where}: lists {len(places)} tiles, expected {expected}")


def _tile_shape(size: Node, shape: tuple[int, int]) -> tuple[int, int]:
    tiling = size.find("Tile_Set/Regular_Tiling")
    if tiling is None:
        return shape
    for overlap in ("OVERLAP_ROW", "OVERLAP_COL"):
        if tiling.maybe_number(overlap):
            raise SensorError(f"{size.where}: {overlap} is {tiling.need(overlap)}, expected 0")
    tile = tiling.node("NTILES_SIZE")
    rows, cols = (whole(tile.attribute(key), key, size.where) for key in ("nrows", "ncols"))
    if min(rows, cols) < 1:
        raise SensorError(f"{size.where}: NTILES_SIZE is {rows} x {cols}, expected at least 1 x 1")
    return rows, cols


def _special_value(root: Node, meaning: str) -> float | None:
    for special in root.each(".//Raster_Display/Special_Value"):
        if special.text("SPECIAL_VALUE_TEXT") == meaning:
            return special.number("SPECIAL_VALUE_COUNT")
    return None


def _radiometry(root: Node, bands: tuple[str, ...]) -> dict[str, BandRadiometry]:
    """By the name of the band: these lists have an order of their own.

    None where counts were stretched or are reflectances already: there the gains are of something
    else (RADIOMETRIC_PROCESSING other than BASIC).
    """
    if root.text(".//RADIOMETRIC_PROCESSING") not in (None, "BASIC"):
        return {}
    irradiance = _by_band(root, "Band_Solar_Irradiance")
    found = {}
    for band, radiance in _by_band(root, "Band_Radiance").items():
        if band in bands:
            gain, bias = radiance.number("GAIN"), radiance.number("BIAS")
            sun = irradiance[band].number("VALUE") if band in irradiance else None
            with named(f"{root.where}: band {band!r}"):
                found[band] = BandRadiometry(gain=gain, bias=bias, solar_irradiance_w_m2_um=sun)
    return found


def _by_band(root: Node, tag: str) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for node in root.each(f".//Band_Measurement_List/{tag}"):
        band = node.need("BAND_ID")
        if band in found:
            raise SensorError(f"{root.where}: has two {tag} of band {band!r}, expected one")
        found[band] = node
    return found


def _view(root: Node) -> View:
    source = root.find(".//Dataset_Sources//Strip_Source")
    centre = _centre(root)
    moment = centre.text("TIME") if centre else None
    if moment is None and source is not None:
        day, clock = source.text("IMAGING_DATE"), source.text("IMAGING_TIME")
        moment = f"{day}T{clock}" if day and clock else None
    mission = [source.text(key) for key in ("MISSION", "MISSION_INDEX")] if source else []
    return View(
        acquired=None if moment is None else instant(moment, "time of imaging", root.where),
        platform=" ".join(part for part in mission if part) or None,
        sun_elevation_rad=_angle_rad(centre, ".//Solar_Incidences/SUN_ELEVATION"),
        sun_azimuth_rad=_angle_rad(centre, ".//Solar_Incidences/SUN_AZIMUTH"),
        off_nadir_rad=_angle_rad(centre, ".//Acquisition_Angles/VIEWING_ANGLE"),
    )


def _centre(root: Node) -> Node | None:
    for values in root.each(".//Geometric_Data/Use_Area/Located_Geometric_Values"):
        if (values.text("LOCATION_TYPE") or "").lower() == "center":
            return values
    return None


def _angle_rad(node: Node | None, path: str) -> float | None:
    angle_deg = node.maybe_number(path) if node else None
    return None if angle_deg is None else math.radians(angle_deg)
