"""Windows for a globe or a map that reads KML (OGC 07-147r2, KML 2.2): a folder a satellite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from humay.access.tables.common import about_of
from humay.access.views.common import (
    COLOURS,
    Backdrop,
    Kind,
    Place,
    facts,
    flat,
    kind_of,
    places_of,
    with_utc_texts,
    wrapped,
    xml_text,
)
from humay.arrays import FloatArray


def kml_bytes(table: pa.Table, backdrop: Backdrop) -> bytes:
    """Each window as a placemark with its time, its angles and, as data, all its columns.

    A point has a point and the line swept through it, a strip its outline, a contact its station.
    """
    return "".join(f"{line}\n" for line in _lines(table, backdrop)).encode()


def _lines(table: pa.Table, backdrop: Backdrop) -> Iterator[str]:
    kind, about = kind_of(table), about_of(table)
    rows = with_utc_texts(flat(table)).to_pylist()
    sweeps = table["strip_geometry"].to_pylist() if kind.place == "strip" else [None] * len(table)
    place = {each.name: each for each in places_of(table, backdrop)}
    satellites: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        satellites.setdefault(row["satellite"], []).append(i)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<kml xmlns="http://www.opengis.net/kml/2.2">'
    yield "<Document>"
    yield f"<name>{len(rows)} {kind.many if len(rows) != 1 else kind.one}</name>"
    yield f"<description>{xml_text(_span(about))}</description>"
    for number in range(len(satellites)):
        yield from _style(number)
    for number, (satellite, own) in enumerate(sorted(satellites.items())):
        yield f"<Folder><name>{xml_text(satellite)}</name>"
        for i in own:
            row = rows[i]
            yield from _placemark(kind, row, sweeps[i], place.get(row[kind.place]), number)
        yield "</Folder>"
    yield "</Document>"
    yield "</kml>"


def _span(about: Mapping[str, Any]) -> str:
    return "\n".join([f"{about['span'][0]} to {about['span'][1]}", *about["notes"]])


def _style(number: int) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    bgr = colour[5:7] + colour[3:5] + colour[1:3]  # KML: alpha, blue, green, red
    yield f'<Style id="satellite-{number}">'
    yield f"<IconStyle><color>ff{bgr}</color><scale>0.7</scale></IconStyle>"
    yield "<LabelStyle><scale>0.7</scale></LabelStyle>"
    yield f"<LineStyle><color>ff{bgr}</color><width>2</width></LineStyle>"
    yield f"<PolyStyle><color>59{bgr}</color></PolyStyle>"
    yield "</Style>"


def _placemark(
    kind: Kind, row: Mapping[str, Any], sweep: Any, place: Place | None, style: int
) -> Iterator[str]:
    yield "<Placemark>"
    yield f"<name>{xml_text(row[kind.place])}</name>"
    yield f"<description>{xml_text(_balloon(row))}</description>"
    yield f"<TimeSpan><begin>{row['start']}</begin><end>{row['end']}</end></TimeSpan>"
    yield f"<styleUrl>#satellite-{style}</styleUrl>"
    yield "<ExtendedData>"
    for name, value in row.items():
        if value is not None:
            yield f'<Data name="{xml_text(name)}"><value>{xml_text(str(value))}</value></Data>'
    yield "</ExtendedData>"
    yield from _geometry(sweep, place)
    yield "</Placemark>"


def _balloon(row: Mapping[str, Any]) -> str:
    """HTML, as a description is; to be escaped once more as text of XML."""
    cells = [
        f"<tr><td>{xml_text(name)}</td><td>{xml_text(value)}</td></tr>"
        for name, value in facts(row)
    ]
    return f"<table>{''.join(cells)}</table>"


def _geometry(sweep: Any, place: Place | None) -> Iterator[str]:
    if place is None:  # a contact of a station that was not given
        return
    if place.outline is not None:
        ring = _coordinates(wrapped(place.outline[:, 0]), place.outline[:, 1])
        yield "<Polygon><tessellate>1</tessellate><outerBoundaryIs><LinearRing>"
        yield f"<coordinates>{ring}</coordinates>"
        yield "</LinearRing></outerBoundaryIs></Polygon>"
        return
    lon, lat, _ = place.lonlath
    point = f"<Point><coordinates>{lon:.7f},{lat:.7f}</coordinates></Point>"
    if sweep is None:
        yield point
        return
    line = _coordinates(*([end[i] for end in sweep] for i in (0, 1)))
    yield f"<MultiGeometry>{point}<LineString><tessellate>1</tessellate>"
    yield f"<coordinates>{line}</coordinates></LineString></MultiGeometry>"


def _coordinates(lon_deg: FloatArray | list[float], lat_deg: FloatArray | list[float]) -> str:
    return " ".join(f"{lon:.7f},{lat:.7f}" for lon, lat in zip(lon_deg, lat_deg, strict=True))
