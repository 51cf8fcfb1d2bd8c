"""The STAC schemas of this folder, and validation by them alone: nothing is fetched."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT7

FOLDER = Path(__file__).parent
CORE = "https://schemas.stacspec.org/v1.1.0/{0}-spec/json-schema/{0}.json"
KINDS = {"Feature": "item", "Catalog": "catalog", "Collection": "collection"}


@cache
def schemas() -> dict[str, Any]:
    """Every schema by the address it is published under."""
    return {
        f"https://{path.relative_to(FOLDER).as_posix()}": json.loads(path.read_text("utf-8"))
        for path in sorted(FOLDER.rglob("*.json"))
    }


@cache
def _validator(uri: str) -> Draft7Validator:
    resources = [(name, DRAFT7.create_resource(schema)) for name, schema in schemas().items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft7Validator(schemas()[uri], registry=registry, format_checker=FormatChecker())


def faults(document: dict[str, Any]) -> list[str]:
    """What the core and every extension it names find wrong with a STAC document."""
    uris = [CORE.format(KINDS[document["type"]]), *document.get("stac_extensions", [])]
    return [
        f"{uri}: {error.json_path}: {error.message[:200]}"
        for uri in uris
        for error in _validator(uri).iter_errors(document)
    ]
