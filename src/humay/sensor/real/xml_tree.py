"""XML of strangers, read without harm: no document types, no entities, nothing fetched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from humay.errors import SensorError
from humay.sensor.real.reading import number, whole


def parse_xml(content: bytes, where: str) -> Node:
    """The tree of a document; at a document type, the only place for entities, it is refused.

    Entities are how a kilobyte becomes a gigabyte (a billion laughs) and how a document asks for
    files of the machine that reads it. No image product needs them.
    """

    def refuse(*_: object) -> NoReturn:
        raise SensorError(f"{where}: has a document type, expected plain XML")

    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:  # an unknown encoding: the latter
        raise SensorError(f"{where}: {error}, expected XML") from error
    return Node(element=builder.close(), where=where)


@dataclass(frozen=True, kw_only=True)
class Node:
    """An element and where it was read. Paths are those of `xml.etree.ElementTree`."""

    element: Element
    where: str

    @property
    def tag(self) -> str:
        return self.element.tag

    def each(self, path: str) -> Iterator[Node]:
        return (Node(element=each, where=self.where) for each in self.element.iterfind(path))

    def find(self, path: str) -> Node | None:
        return next(self.each(path), None)

    def node(self, path: str) -> Node:
        found = self.find(path)
        if found is None:
            name = path.removeprefix(".//")
            raise SensorError(f"{self.where}: has no {name} in {self.tag}, expected one")
        return found

    def text(self, path: str) -> str | None:
        """What an element says, None where there is none or nothing in it."""
        found = self.find(path)
        return (found.element.text or "").strip() or None if found is not None else None

    def need(self, path: str) -> str:
        found = self.text(path)
        if found is None:
            name = path.removeprefix(".//")
            raise SensorError(f"{self.where}: has no {name} in {self.tag}, expected a value")
        return found

    def number(self, path: str) -> float:
        return number(self.need(path), path.removeprefix(".//"), self.where)

    def maybe_number(self, path: str) -> float | None:
        return None if self.text(path) is None else self.number(path)

    def whole(self, path: str) -> int:
        return whole(self.need(path), path.removeprefix(".//"), self.where)

    def attribute(self, name: str) -> str:
        value = self.element.get(name)
        if value is None:
            raise SensorError(f"{self.where}: {self.tag} has no {name}, expected a value")
        return value.strip()
