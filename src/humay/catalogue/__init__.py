"""The catalogue: STAC items in one SQLite file, found by place and time, handed on in open formats.

`add_files`, `search` and `export` are its verbs; `Catalogue` is the open file.
"""

from humay.catalogue.exports import feature_collection
from humay.catalogue.files import add_files, export, read_item, search
from humay.catalogue.items import CatalogueItem, item_from_document
from humay.catalogue.query import Query
from humay.catalogue.store import Added, Catalogue

__all__ = [
    "Added",
    "Catalogue",
    "CatalogueItem",
    "Query",
    "add_files",
    "export",
    "feature_collection",
    "item_from_document",
    "read_item",
    "search",
]
