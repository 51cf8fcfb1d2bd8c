"""Files of NetCDF's classic format (its version 1), written byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

Attributes: TypeAlias = Mapping[str, Any]
Variable: TypeAlias = tuple[tuple[str, ...], Any, Attributes]
"""Its dimensions, its values and its attributes."""

_TYPES = {"i1": 1, "i2": 3, "i4": 4, "f4": 5, "f8": 6}
_DIMENSION, _VARIABLE, _ATTRIBUTE, _CHAR = 10, 11, 12, 2


def write_netcdf(path: Path, variables: Mapping[str, Variable]) -> Path:
    """A file of these variables; each dimension is as long as the first array that has it."""
    sizes: dict[str, int] = {}
    for dimensions, values, _ in variables.values():
        for name, size in zip(dimensions, np.shape(values), strict=True):
            sizes.setdefault(name, size)
    begin = len(_header(sizes, variables, [0] * len(variables)))
    offsets = []
    for _, values, _ in variables.values():
        offsets.append(begin)
        begin += len(_padded(_big(values).tobytes()))
    data = b"".join(_padded(_big(values).tobytes()) for _, values, _ in variables.values())
    path.write_bytes(_header(sizes, variables, offsets) + data)
    return path


def _header(
    sizes: Mapping[str, int], variables: Mapping[str, Variable], offsets: list[int]
) -> bytes:
    made = b"CDF\x01" + struct.pack(">iii", 0, _DIMENSION, len(sizes))
    for name, size in sizes.items():
        made += _name(name) + struct.pack(">i", size)
    made += _attributes({}) + struct.pack(">ii", _VARIABLE, len(variables))
    for (name, (dimensions, values, attributes)), offset in zip(
        variables.items(), offsets, strict=True
    ):
        array = _big(values)
        ids = [list(sizes).index(dimension) for dimension in dimensions]
        made += _name(name) + struct.pack(f">i{len(ids)}i", len(ids), *ids)
        made += _attributes(attributes)
        size = len(_padded(array.tobytes()))
        made += struct.pack(">iii", _TYPES[array.dtype.str[1:]], size, offset)
    return made


def _attributes(attributes: Attributes) -> bytes:
    if not attributes:
        return struct.pack(">ii", 0, 0)
    made = struct.pack(">ii", _ATTRIBUTE, len(attributes))
    for name, value in attributes.items():
        made += _name(name)
        if isinstance(value, str):
            text = value.encode()
            made += struct.pack(">ii", _CHAR, len(text)) + _padded(text)
        else:
            array = _big(np.atleast_1d(value))
            made += struct.pack(">ii", _TYPES[array.dtype.str[1:]], array.size)
            made += _padded(array.tobytes())
    return made


def _name(text: str) -> bytes:
    return struct.pack(">i", len(text)) + _padded(text.encode())


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % 4)


def _big(values: Any) -> Any:
    """An array in big-endian order."""
    array = np.asarray(values)
    return array.astype(array.dtype.newbyteorder(">"))
