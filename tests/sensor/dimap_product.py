"""A small DIMAP v2 product on disk, laid out as those of Pleiades and SPOT 6 and 7 are.

The element names and their nesting are those of the public samples that GDAL tests its reader with
(OSGeo/gdal, autotest/gdrivers/data/dimap2, MIT); numbers and pixels are our own.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

BANDS = ("B2", "B1", "B0", "B3")  # as the pixels lie; the lists of gains run from B0 to B3
GAINS = {"B0": 8.5175, "B1": 9.1625, "B2": 10.04, "B3": 12.733}
IRRADIANCES = {"B0": 1982.671954, "B1": 1826.087443, "B2": 1540.494123, "B3": 1094.747446}
ROWS, COLS = 30, 27
TILE_ROWS, TILE_COLS = 20, 16
PIXELS = np.random.default_rng(1).integers(1, 4095, (4, ROWS, COLS)).astype(np.uint16)


def write_product(folder: Path, *, dim: str | None = None, rpc: str | None = None) -> Path:
    """The DIM_*.XML of a product with 2 x 2 tiles, each text replaced by what is given."""
    (folder / "IMG").mkdir(parents=True)
    for i, j in ((1, 1), (1, 2), (2, 1), (2, 2)):
        rows = slice((i - 1) * TILE_ROWS, i * TILE_ROWS)
        cols = slice((j - 1) * TILE_COLS, j * TILE_COLS)
        write_pixels(folder / "IMG" / f"IMG_R{i}C{j}.TIF", PIXELS[:, rows, cols])
    (folder / "RPC_PRODUCT.XML").write_text(rpc_text() if rpc is None else rpc)
    path = folder / "DIM_PRODUCT.XML"
    path.write_text(dim_text() if dim is None else dim)
    return path


def write_pixels(path: Path, pixels: NDArray[np.uint16], **options: object) -> None:
    """A raster file, GeoTIFF unless the options name another driver."""
    count, rows, cols = pixels.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(
            path, "w", count=count, height=rows, width=cols, dtype=pixels.dtype,
            **({"driver": "GTiff"} | options),
        ) as file:  # fmt: skip
            file.write(pixels)


def dim_text() -> str:
    tiles = "".join(
        f'<Data_File tile_R="{i}" tile_C="{j}"><DATA_FILE_PATH href="IMG/IMG_R{i}C{j}.TIF"/>'
        f"</Data_File>"
        for i, j in ((1, 1), (1, 2), (2, 1), (2, 2))
    )
    measures = "".join(
        f"<Band_Radiance><BAND_ID>{band}</BAND_ID>"
        f"<MEASURE_DESC>Raw radiometric count (DN) to TOA Radiance (L). Formulae L=DN/GAIN+BIAS"
        f"</MEASURE_DESC><GAIN>{gain}</GAIN><BIAS>0.25</BIAS></Band_Radiance>"
        f"<Band_Solar_Irradiance><BAND_ID>{band}</BAND_ID><VALUE>{IRRADIANCES[band]}</VALUE>"
        f"</Band_Solar_Irradiance>"
        for band, gain in GAINS.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet href="LIBRARY/STYLE.XSL" type="text/xsl"?><Dimap_Document>
  <Metadata_Identification>
    <METADATA_FORMAT version="2.0">DIMAP</METADATA_FORMAT>
    <METADATA_PROFILE>S7_SENSOR</METADATA_PROFILE>
    <METADATA_SUBPROFILE>PRODUCT</METADATA_SUBPROFILE>
  </Metadata_Identification>
  <Dataset_Identification><DATASET_NAME>SPOT7_TEST</DATASET_NAME></Dataset_Identification>
  <Dataset_Content><Dataset_Components>
    <Component><COMPONENT_TITLE>Strip Source</COMPONENT_TITLE>
      <COMPONENT_PATH href="STRIP_DIM.XML"/></Component>
    <Component><COMPONENT_TITLE>RPC Model</COMPONENT_TITLE>
      <COMPONENT_PATH href="RPC_PRODUCT.XML"/></Component>
  </Dataset_Components></Dataset_Content>
  <Geoposition>
    <Raster_CRS><RASTER_GEOMETRY>SENSOR</RASTER_GEOMETRY><PIXEL_ORIGIN>1</PIXEL_ORIGIN></Raster_CRS>
    <Geoposition_Models><Rational_Function_Model><Component>
      <COMPONENT_TITLE>RPC Model</COMPONENT_TITLE><COMPONENT_PATH href="RPC_PRODUCT.XML"/>
    </Component></Rational_Function_Model></Geoposition_Models>
  </Geoposition>
  <Processing_Information><Product_Settings><Radiometric_Settings>
    <RADIOMETRIC_PROCESSING>BASIC</RADIOMETRIC_PROCESSING>
  </Radiometric_Settings></Product_Settings></Processing_Information>
  <Raster_Data>
    <Data_Access>
      <DATA_FILE_FORMAT>image/tiff</DATA_FILE_FORMAT>
      <DATA_FILE_TILES>true</DATA_FILE_TILES>
      <Data_Files>{tiles}</Data_Files>
    </Data_Access>
    <Raster_Dimensions>
      <NROWS>{ROWS}</NROWS><NCOLS>{COLS}</NCOLS><NBANDS>4</NBANDS>
      <Tile_Set><NTILES>4</NTILES><Regular_Tiling>
        <NTILES_SIZE nrows="{TILE_ROWS}" ncols="{TILE_COLS}"/>
        <NTILES_COUNT ntiles_R="2" ntiles_C="2"/>
        <OVERLAP_ROW>0</OVERLAP_ROW><OVERLAP_COL>0</OVERLAP_COL>
      </Regular_Tiling></Tile_Set>
    </Raster_Dimensions>
    <Raster_Encoding><DATA_TYPE>INTEGER</DATA_TYPE><NBITS>12</NBITS></Raster_Encoding>
    <Raster_Display>
      <Band_Display_Order>
        <RED_CHANNEL>B2</RED_CHANNEL><GREEN_CHANNEL>B1</GREEN_CHANNEL>
        <BLUE_CHANNEL>B0</BLUE_CHANNEL><ALPHA_CHANNEL>B3</ALPHA_CHANNEL>
      </Band_Display_Order>
      <Special_Value><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_COUNT>0</SPECIAL_VALUE_COUNT></Special_Value>
      <Special_Value><SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT>
        <SPECIAL_VALUE_COUNT>4095</SPECIAL_VALUE_COUNT></Special_Value>
    </Raster_Display>
  </Raster_Data>
  <Radiometric_Data><Radiometric_Calibration><Instrument_Calibration>
    <Band_Measurement_List>{measures}</Band_Measurement_List>
  </Instrument_Calibration></Radiometric_Calibration></Radiometric_Data>
  <Geometric_Data><Use_Area>
    <Located_Geometric_Values><LOCATION_TYPE>TopCenter</LOCATION_TYPE>
      <TIME>2019-11-01T07:20:00.000000Z</TIME></Located_Geometric_Values>
    <Located_Geometric_Values><LOCATION_TYPE>Center</LOCATION_TYPE>
      <TIME>2019-11-01T07:20:01.122330Z</TIME>
      <Acquisition_Angles><VIEWING_ANGLE unit="deg">12.5</VIEWING_ANGLE></Acquisition_Angles>
      <Solar_Incidences><SUN_AZIMUTH unit="deg">164.5</SUN_AZIMUTH>
        <SUN_ELEVATION unit="deg">33.25</SUN_ELEVATION></Solar_Incidences>
    </Located_Geometric_Values>
  </Use_Area></Geometric_Data>
  <Dataset_Sources><Source_Identification><Strip_Source>
    <MISSION>SPOT</MISSION><MISSION_INDEX>7</MISSION_INDEX>
    <IMAGING_DATE>2019-11-01</IMAGING_DATE><IMAGING_TIME>07:19:59.8Z</IMAGING_TIME>
  </Strip_Source></Source_Identification></Dataset_Sources>
</Dimap_Document>
"""


def rpc_text(*, neo: bool = False, first: int | None = None) -> str:
    """Row 1 + 14.5 (1 - lat), column 1 + 13 (1 + lon) over Baku, in the words of either family.

    `first` is the row and column at which the domain of Pleiades Neo's coefficients begins.
    """
    shift = 0 if neo else 1
    ground, image = ("GroundtoImage", "ImagetoGround") if neo else ("Inverse", "Direct")
    values = f"{ground}_Values" if neo else "Inverse_Model"
    leading = {"LINE_NUM": 3, "LINE_DEN": 1, "SAMP_NUM": 2, "SAMP_DEN": 1}
    coefficients = "".join(
        f"<{part}_COEFF_{i}>{(-1.0 if part == 'LINE_NUM' else 1.0) * (i == one)}</{part}_COEFF_{i}>"
        for part, one in leading.items()
        for i in range(1, 21)
    )
    domain = "" if first is None else (
        f"<{image}_Validity_Domain><FIRST_ROW>{first}</FIRST_ROW><FIRST_COL>{first}</FIRST_COL>"
        f"</{image}_Validity_Domain>"
    )  # fmt: skip
    return f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<Dimap_Document>
  <Metadata_Identification>
    <METADATA_FORMAT version="2.0">DIMAP</METADATA_FORMAT>
    <METADATA_SUBPROFILE>RPC</METADATA_SUBPROFILE>
  </Metadata_Identification>
  <Rational_Function_Model>
    <Resource_Reference><RESOURCE_ID>RPC00B</RESOURCE_ID></Resource_Reference>
    <Global_RFM>
      <{values}>{coefficients}</{values}>
      <RFM_Validity>{domain}
        <LONG_SCALE>0.001</LONG_SCALE><LONG_OFF>49.87</LONG_OFF>
        <LAT_SCALE>0.001</LAT_SCALE><LAT_OFF>40.41</LAT_OFF>
        <HEIGHT_SCALE>500</HEIGHT_SCALE><HEIGHT_OFF>100</HEIGHT_OFF>
        <SAMP_SCALE>13</SAMP_SCALE><SAMP_OFF>{13 + shift}</SAMP_OFF>
        <LINE_SCALE>14.5</LINE_SCALE><LINE_OFF>{14.5 + shift}</LINE_OFF>
      </RFM_Validity>
    </Global_RFM>
  </Rational_Function_Model>
</Dimap_Document>
"""
