"""Results appear whole or not at all: written aside, then renamed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from humay.errors import OutputError


def json_bytes(document: Any, *, indent: int | None = None) -> bytes:
    """JSON as UTF-8 with a newline at the end, the same for the same document; refuses NaN."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    return (text + "\n").encode()


def write_whole(path: Path, content: bytes) -> None:
    """Write one file; see `write_all`."""
    write_all(path.parent, {path.name: content})


def write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into `folder`, which is made if need be: all of them, or none.

    Each is written under another name and synced; only when all are, they are renamed. Raises
    `OutputError` with the file and what the system says (a full disk, a missing right), and leaves
    nothing behind.
    """
    made = _missing_parents(folder)
    aside: list[Path] = []
    where = folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            where = folder / name
            aside.append(folder / f".{name}.partial-{os.getpid()}")
            with aside[-1].open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for partial, name in zip(aside, contents, strict=True):
            where = folder / name
            partial.replace(where)
    except OSError as error:
        for partial in aside:
            partial.unlink(missing_ok=True)
        for parent in made:
            _remove_if_empty(parent)
        reason = error.strerror or error
        raise OutputError(f"{where}: could not be written ({reason}); nothing is left") from error


def _missing_parents(folder: Path) -> list[Path]:
    """The folders that `mkdir` will make, innermost first."""
    chain = [folder, *folder.parents]
    return [parent for parent in chain if not parent.exists()]


def _remove_if_empty(folder: Path) -> None:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
