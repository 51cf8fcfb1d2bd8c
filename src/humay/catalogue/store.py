"""The catalogue file: SQLite with an R*Tree over place and time.

An R*Tree keeps 32-bit numbers, rounded outwards: it finds what may match, and each of these is then
compared by its own geometry and microseconds. Writes are transactions of SQLite's rollback journal:
a kill at any instant leaves the state before or after, in one file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

import numpy as np
import shapely

from humay.arrays import BoolArray
from humay.catalogue.items import CatalogueItem
from humay.catalogue.query import Box, Query
from humay.errors import CatalogueError, OutputError

FORMAT_VERSION = 1
APPLICATION_ID = 0x48554D59  # "HUMY"
WAIT_S = 30.0
"""How long one waits for another's transaction."""

_SCHEMA = (
    """CREATE TABLE item (
        row INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        id TEXT NOT NULL,
        nominal INTEGER NOT NULL,
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        low REAL,
        high REAL,
        shape BLOB NOT NULL,
        location TEXT,
        document TEXT NOT NULL,
        UNIQUE (collection, id)
    )""",
    "CREATE INDEX newest ON item (nominal DESC, collection, id)",
    "CREATE VIRTUAL TABLE place USING rtree(part, west, east, south, north, first, last)",
)
_NAMES = {"item", "newest", "place"}
_CHUNK = 1000


@dataclass(frozen=True, kw_only=True)
class Added:
    """What adding did: items that are new, that replaced an older one, that were there already."""

    new: int
    changed: int
    same: int


class Catalogue:
    """An open catalogue file; a context that closes it."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @staticmethod
    def open(path: Path, *, create: bool = False) -> Catalogue:
        """Open a catalogue, or make an empty one with `create` where there is none.

        Raises `CatalogueError` for what is no catalogue, a damaged one, or one of a newer format.
        """
        if path.exists() and not path.is_file():
            raise CatalogueError(f"{path}: is no ordinary file, expected a catalogue")
        if not create and not path.exists():
            raise CatalogueError(f"{path}: there is no such file, expected a catalogue")
        mode = "rwc" if create else "rw"  # not "ro": that cannot undo what a killed writer left
        try:
            connection = sqlite3.connect(
                f"file:{quote(str(path))}?mode={mode}",
                uri=True,
                isolation_level=None,
                timeout=WAIT_S,
            )
        except sqlite3.Error as error:
            raise CatalogueError(f"{path}: cannot be opened: {error}") from error
        with ExitStack() as unless_refused:
            unless_refused.callback(connection.close)
            catalogue = Catalogue(path, connection)
            catalogue._prepare(create=create)
            unless_refused.pop_all()
        return catalogue

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def _prepare(self, *, create: bool) -> None:
        with self._answering():
            self._connection.execute("PRAGMA trusted_schema = OFF")
            empty = not self._connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
        if empty and create:
            with self._transaction():
                self._make_tables()
        with self._answering():
            self._check_format()

    def _make_tables(self) -> None:
        if self._connection.execute("SELECT 1 FROM sqlite_schema").fetchall():
            return  # another was quicker
        for statement in _SCHEMA:
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")

    def _check_format(self) -> None:
        (application,) = self._connection.execute("PRAGMA application_id").fetchone()
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise CatalogueError(f"{self._path}: is an SQLite file of another program")
        if version != FORMAT_VERSION:
            raise CatalogueError(
                f"{self._path}: format is {version}, expected {FORMAT_VERSION}: "
                f"{'made by a newer Humay' if version > FORMAT_VERSION else 'not one of Humay'}"
            )
        rows = self._connection.execute("SELECT name, sql FROM sqlite_schema").fetchall()
        own = {name: sql for name, sql in rows if not name.startswith(("place_", "sqlite_"))}
        if set(own) != _NAMES or set(own.values()) != set(_SCHEMA):
            raise CatalogueError(
                f"{self._path}: tables are {sorted(own)}, not those of a catalogue"
            )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say in one line what SQLite could not do, or what of its answer makes no sense."""
        try:
            yield
        except (sqlite3.Error, shapely.GEOSException) as error:
            raise CatalogueError(f"{self._path}: cannot be read as a catalogue: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing, on disk when it ends."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:  # disk full, no right to write, locked for long
            raise OutputError(
                f"{self._path}: could not be written ({error}); nothing has changed"
            ) from error
        except sqlite3.Error as error:
            raise CatalogueError(f"{self._path}: is damaged: {error}") from error
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    # Writing -------------------------------------------------------------------------------------

    def add(self, items: Iterable[CatalogueItem]) -> Added:
        """Add items, or replace those of the same collection and id: all of them, or none.

        What is there already, word for word, is not touched. Raises `CatalogueError` if two of
        these items have the same collection and id but differ.
        """
        counts = {"new": 0, "changed": 0, "same": 0}
        seen: dict[tuple[str, str], str] = {}
        with self._transaction():
            for item in items:
                key = (item.collection or "", item.id)
                document = _canonical(item.document)
                if seen.setdefault(key, document) != document:
                    raise CatalogueError(
                        f"{item.location or item.id}: item {item.id!r} is given twice and differs"
                    )
                counts[self._put(key, item, document)] += 1
        return Added(**counts)

    def _put(self, key: tuple[str, str], item: CatalogueItem, document: str) -> str:
        location = self._stored(item.location)
        found = self._connection.execute(
            "SELECT row, document, location FROM item WHERE collection = ? AND id = ?", key
        ).fetchone()
        if found is not None and found[1:] == (document, location):
            return "same"
        row = self._next_row() if found is None else int(found[0])
        low, high = item.heights or (None, None)
        first, last = item.span_us
        wkb = shapely.to_wkb(item.shape)
        self._forget(row)
        self._connection.execute(
            "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row, *key, item.nominal_us, first, last, low, high, wkb, location, document),
        )
        self._connection.executemany(
            "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (2 * row + i, west, east, south, north, first, last)
                for i, (west, south, east, north) in enumerate(_bounds(item.shape))
            ],
        )
        return "new" if found is None else "changed"

    def _next_row(self) -> int:
        (row,) = self._connection.execute("SELECT coalesce(max(row), 0) + 1 FROM item").fetchone()
        return int(row)

    def _forget(self, row: int) -> None:
        self._connection.execute("DELETE FROM place WHERE part IN (?, ?)", (2 * row, 2 * row + 1))
        self._connection.execute("DELETE FROM item WHERE row = ?", (row,))

    def remove(self, ids: Sequence[str], *, collection: str | None = None) -> int:
        """Take items out, of one collection or of all; how many there were."""
        query = Query(ids=tuple(ids), collections=None if collection is None else (collection,))
        where, values = _conditions(query)
        with self._transaction():
            rows = self._connection.execute(f"SELECT row FROM item WHERE {where}", values)
            found = [row for (row,) in rows.fetchall()]
            for row in found:
                self._forget(row)
        return len(found)

    def _stored(self, location: Path | None) -> str | None:
        """Relative to the catalogue where it lies beneath it, so that both can move together."""
        if location is None:
            return None
        folder, full = self._path.resolve().parent, location.resolve()
        return full.relative_to(folder).as_posix() if full.is_relative_to(folder) else str(full)

    # Reading -------------------------------------------------------------------------------------

    def __len__(self) -> int:
        with self._answering():
            (count,) = self._connection.execute("SELECT count(*) FROM item").fetchone()
        return int(count)

    def search(self, query: Query | None = None) -> list[CatalogueItem]:
        """Items that match, newest first; those of one instant by collection and id."""
        query = query or Query()
        with self._answering():
            self._connection.execute("BEGIN")  # both questions see the same state
            try:
                return [self._item(row) for row in islice(self._rows(query), query.limit)]
            finally:
                self._connection.execute("ROLLBACK")

    def _rows(self, query: Query) -> Iterator[int]:
        where, values = _conditions(query)
        cursor = self._connection.execute(
            f"SELECT row, shape FROM item WHERE {where} ORDER BY nominal DESC, collection, id",
            values,
        )
        while chunk := cursor.fetchmany(_CHUNK):
            for (row, _), matches in zip(chunk, _touching(query, chunk), strict=True):
                if matches:
                    yield row

    def _item(self, row: int) -> CatalogueItem:
        document, location = self._connection.execute(
            "SELECT document, location FROM item WHERE row = ?", (row,)
        ).fetchone()
        folder = self._path.resolve().parent
        try:
            return CatalogueItem(
                document=json.loads(document), location=location and folder / location
            )
        except ValueError as error:
            raise CatalogueError(f"{self._path}: is damaged: item {row}: {error}") from error


def _conditions(query: Query) -> tuple[str, dict[str, Any]]:
    """SQL for what a query surely excludes; its boxes are looked up in the R*Tree."""
    first, last = query.span_us
    values: dict[str, Any] = {}
    terms = ["1"]
    if first is not None:
        terms.append("item.last >= :first")
        values["first"] = first
    if last is not None:
        terms.append("item.first <= :last")
        values["last"] = last
    for column, names in (("collection", query.collections), ("id", query.ids)):
        if names is not None:
            terms.append(f"{column} IN (SELECT value FROM json_each(:{column}))")
            values[column] = json.dumps(names)
    if query.heights is not None:
        terms.append("(low IS NULL OR (low <= :high AND high >= :low))")
        values["low"], values["high"] = query.heights
    lookups = []
    for i, (west, south, east, north) in enumerate(query.boxes):
        values |= {f"west{i}": west, f"south{i}": south, f"east{i}": east, f"north{i}": north}
        lookups.append(
            f"SELECT part / 2 FROM place WHERE west <= :east{i} AND east >= :west{i} "
            f"AND south <= :north{i} AND north >= :south{i}"
            + (" AND last >= :first" if first is not None else "")
            + (" AND first <= :last" if last is not None else "")
        )
    if lookups:
        terms.append(f"row IN ({' UNION '.join(lookups)})")
    return " AND ".join(terms), values


def _touching(query: Query, chunk: list[tuple[int, bytes]]) -> BoolArray:
    """Which geometries touch the boxes of a query; all of them if it has none."""
    if not query.boxes:
        return np.ones(len(chunk), bool)
    shapes = shapely.from_wkb([wkb for _, wkb in chunk])
    wanted = query.shapes
    shapely.prepare(wanted)
    return np.asarray(np.any([shapely.intersects(box, shapes) for box in wanted], axis=0))


def _bounds(shape: shapely.Geometry) -> list[Box]:
    """One box round a geometry, or two where it lies on both sides of the antimeridian."""
    west, south, east, north = shape.bounds
    if not (west == -180.0 and east == 180.0):
        return [(west, south, east, north)]
    parts = shapely.get_parts(shape)
    in_west = shapely.bounds(parts)[:, [0, 2]].sum(axis=1) < 0
    sides = [shapely.total_bounds(parts[side]) for side in (in_west, ~in_west) if side.any()]
    return [(float(w), float(s), float(e), float(n)) for w, s, e, n in sides]


def _canonical(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
