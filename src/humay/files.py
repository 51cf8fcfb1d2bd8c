"""Results appear whole or not at all: written aside, then renamed.

What is unfinished stands under `.NAME.partial-PROCESS`; what is about to be replaced waits as
`.NAME.before-PROCESS`. `sweep` clears away what a killed process left of both.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from humay.errors import OutputError

_ASIDE = re.compile(r"\.(?P<name>.+)\.(?P<kind>partial|before)-(?P<process>\d+)(-journal)?")


def json_bytes(document: Any, *, indent: int | None = None) -> bytes:
    """JSON as UTF-8 with a newline at the end, the same for the same document; refuses NaN."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    return (text + "\n").encode()


def write_whole(path: Path, content: bytes) -> None:
    """Write one file, through a link to where it points; see `write_all`."""
    target = path.resolve() if path.is_symlink() else path
    write_all(target.parent, {target.name: content})


def read_all(folder: Path) -> dict[str, bytes]:
    """What the files of a folder hold, by name; not those of folders in it."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into `folder`, which is made if need be: all of them, or none.

    Each is written under another name and synced; only when all are, they are renamed. Raises
    `OutputError` with the file and what the system says (a full disk, a missing right). Nothing is
    left behind then, nor when interrupted; should a renaming itself fail, the error names the files
    that are already in place.
    """
    made: list[Path] = []
    aside: dict[Path, Path] = {}  # where each file is written first, by where it belongs
    placed: list[str] = []
    where = folder
    try:
        made = _missing_folders(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            where = folder / name
            if where.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder, expected a file or nothing")
            if where.exists() and not where.is_file():
                raise OSError(errno.EINVAL, "it is no ordinary file, expected one or nothing")
            partial = folder / f".{name}.partial-{os.getpid()}"
            with partial.open("wb") as file:
                aside[where] = partial
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for where, partial in aside.items():
            partial.replace(where)
            placed.append(where.name)
    except OSError as error:
        left = f"already in place: {', '.join(placed)}" if placed else "nothing is left"
        reason = error.strerror or error
        raise OutputError(f"{where}: could not be written ({reason}); {left}") from error
    finally:
        for partial in aside.values():
            partial.unlink(missing_ok=True)
        for parent in made:
            with contextlib.suppress(OSError):  # it holds something, or was never made
                parent.rmdir()


def _missing_folders(folder: Path) -> list[Path]:
    """The folders that `mkdir` will make, innermost first; refuses a file in their place."""
    missing = []
    for parent in (folder, *folder.parents):
        if parent.is_dir():
            break
        if parent.exists():
            raise NotADirectoryError(errno.ENOTDIR, f"{parent} is a file, expected a folder")
        missing.append(parent)
    return missing


def sweep(folder: Path, name: str | None = None) -> None:
    """Clear away what killed processes left in `folder` of the file or folder `name`, or of all.

    What one had set aside to replace it is put back, if nothing has taken its place. What belongs
    to a process that still runs is left alone. Raises `OSError`.
    """
    for left in sorted(folder.iterdir()) if folder.is_dir() else ():
        aside = _ASIDE.fullmatch(left.name)
        if aside is None or name not in (None, aside["name"]) or _runs(int(aside["process"])):
            continue
        place = folder / aside["name"]
        if aside["kind"] == "before" and not os.path.lexists(place):
            left.rename(place)
        else:
            remove(left)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all in it; a folder is out of sight at once."""
    if not path.is_dir() or path.is_symlink():
        path.unlink()
        return
    aside = path
    if _ASIDE.fullmatch(path.name) is None:
        aside = path.with_name(f".{path.name}.partial-{os.getpid()}")
        path.rename(aside)
    shutil.rmtree(aside)


def _runs(process: int) -> bool:
    """Whether another process of this number is alive."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # it runs, but is somebody else's
        return True
    return process != os.getpid()
