"""Write the JSON Schemas of mission and requests, and the tables of their reference pages.

    .venv/bin/python tools/make_schemas.py            # writes what has changed
    .venv/bin/python tools/make_schemas.py --check    # says what is stale, and exits with 1

Both come from the declarations that the loader itself reads by, so they cannot differ from it. In
the pages, what stands between `<!-- keys: NAME -->` and `<!-- end of keys -->` is made here.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from humay.mission.agility import AXIS_LIMITS, WHEELS
from humay.mission.calibration import CALIBRATION
from humay.mission.camera import BAND, CAMERA, STATED_SNR
from humay.mission.duty import IMAGING_LIMIT, ORBIT_LIMIT, THERMAL
from humay.mission.keep_out import KEEP_OUT
from humay.mission.keys import Table
from humay.mission.mission import MISSION, MISSION_FILE, RUN
from humay.mission.objective import OBJECTIVE
from humay.mission.outage import OUTAGE
from humay.mission.outcomes import BAD_IMAGE, FAILURE, LOST_PASS, OUTCOMES, SAFE_MODE
from humay.mission.repeat import REPEAT
from humay.mission.request import REQUEST
from humay.mission.satellite import (
    NAVIGATION,
    ORBIT_SIGMA,
    POWER,
    SATELLITE,
    SUN_SYNCHRONOUS,
)
from humay.mission.star_tracker import STAR_TRACKER
from humay.mission.station import MASK_POINT, RATE_STEP, STATION
from humay.mission.stereo import STEREO
from humay.mission.trees import RELATIVE_ORBIT, definitions, quantities_markdown

DOCS = Path(__file__).resolve().parents[1] / "docs"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
TABLES: dict[str, Table] = {
    "mission": MISSION,
    "run": RUN,
    "satellite": SATELLITE,
    "sun_synchronous": SUN_SYNCHRONOUS,
    "axis_limits": AXIS_LIMITS,
    "wheels": WHEELS,
    "imaging_limits": IMAGING_LIMIT,
    "orbit_limit": ORBIT_LIMIT,
    "thermal": THERMAL,
    "orbit_sigma_m": ORBIT_SIGMA,
    "keep_out": KEEP_OUT,
    "star_trackers": STAR_TRACKER,
    "navigation": NAVIGATION,
    "power": POWER,
    "camera": CAMERA,
    "band": BAND,
    "snr": STATED_SNR,
    "station": STATION,
    "mask": MASK_POINT,
    "rate_by_elevation": RATE_STEP,
    "objective": OBJECTIVE,
    "outage": OUTAGE,
    "calibration": CALIBRATION,
    "outcomes": OUTCOMES,
    "acquisitions": FAILURE,
    "images": BAD_IMAGE,
    "passes": LOST_PASS,
    "safe_modes": SAFE_MODE,
    "request": REQUEST,
    "relative_orbit": RELATIVE_ORBIT,
    "stereo": STEREO,
    "repeat": REPEAT,
}
BLOCKS = {name: table.markdown for name, table in TABLES.items()} | {
    "quantities": quantities_markdown
}
PAGES = ("mission", "requests", "constraints", "stereo", "outcomes")
_BLOCK = re.compile(r"(<!-- keys: (\w+) -->\n).*?(<!-- end of keys -->)", re.DOTALL)


def mission_schema() -> dict[str, Any]:
    """Of a mission file, its dates written as ISO 8601 text."""
    head = {
        "$schema": DIALECT,
        "title": "Humay mission file",
        "description": "A mission in TOML; docs/reference/mission.md explains every key.",
    }
    return head | MISSION_FILE.schema() | {"$defs": definitions()}


def requests_schema() -> dict[str, Any]:
    """Of a request file: GeoJSON with the properties Humay reads, each null or absent or valid."""
    position = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 3}
    ring = {"type": "array", "items": position, "minItems": 4}
    polygon = {"type": "array", "items": ring, "minItems": 1}
    coordinates = {
        "Point": position,
        "LineString": {"type": "array", "items": position, "minItems": 2},
        "Polygon": polygon,
        "MultiPolygon": {"type": "array", "items": polygon, "minItems": 1},
    }
    properties = REQUEST.schema()
    for name, schema in properties["properties"].items():
        if name not in properties["required"]:
            properties["properties"][name] = {"anyOf": [schema, {"type": "null"}]}
    feature = {
        "type": "object",
        "properties": {
            "type": {"const": "Feature"},
            "geometry": {
                "oneOf": [
                    {
                        "type": "object",
                        "properties": {"type": {"const": name}, "coordinates": schema},
                        "required": ["type", "coordinates"],
                    }
                    for name, schema in coordinates.items()
                ]
            },
            "properties": properties,
        },
        "required": ["type", "geometry", "properties"],
    }
    collection = {
        "type": "object",
        "properties": {
            "type": {"const": "FeatureCollection"},
            "features": {"type": "array", "items": {"$ref": "#/$defs/feature"}},
        },
        "required": ["type", "features"],
    }
    return {
        "$schema": DIALECT,
        "title": "Humay request file",
        "description": "Requests as GeoJSON; docs/reference/requests.md explains every property.",
        "anyOf": [{"$ref": "#/$defs/collection"}, {"$ref": "#/$defs/feature"}],
        "$defs": {"collection": collection, "feature": feature, **definitions()},
    }


def outcomes_schema() -> dict[str, Any]:
    """Of a file for `--outcomes`."""
    head = {
        "$schema": DIALECT,
        "title": "Humay outcomes file",
        "description": "What of a plan did not go as planned; docs/reference/outcomes.md explains.",
    }
    return head | OUTCOMES.schema()


def with_tables(page: str) -> str:
    """A page with the tables of its keys made anew."""
    return _BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}\n{found[3]}", page)


def wanted() -> dict[Path, str]:
    """Every file made here, as it should be."""
    schemas = {
        DOCS / "schemas" / "mission.schema.json": mission_schema(),
        DOCS / "schemas" / "requests.schema.json": requests_schema(),
        DOCS / "schemas" / "outcomes.schema.json": outcomes_schema(),
    }
    texts = {path: json.dumps(schema, indent=2) + "\n" for path, schema in schemas.items()}
    pages = [DOCS / "reference" / f"{name}.md" for name in PAGES]
    return texts | {page: with_tables(page.read_text(encoding="utf-8")) for page in pages}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--check", action="store_true", help="write nothing, only say what is stale"
    )
    check = parser.parse_args().check
    stale = [
        path
        for path, text in wanted().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{'stale' if check else 'written'}: {path}")
        if not check:
            path.write_text(wanted()[path], encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
