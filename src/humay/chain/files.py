"""What a run leaves in its folder besides the files of its stages."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from humay.catalogue import add_files
from humay.errors import OutputError
from humay.processing import Made


def begin_again(folder: Path) -> None:
    """Take away what says that a run is complete, so that one cut short does not look like it."""
    (folder / "run.json").unlink(missing_ok=True)


def write_catalogue(path: Path, made: Sequence[Made]) -> None:
    """A catalogue of these products and no others; it appears whole."""
    with _aside(path) as scratch:
        add_files(scratch, [product.item_path for product in made])


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place when all went well."""
    for left in path.parent.glob(f".{path.name}.partial-*"):
        left.unlink()
    scratch = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        yield scratch
        scratch.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: could not be written ({error.strerror})") from error
    finally:
        scratch.unlink(missing_ok=True)


def remove_others(folder: Path, keep: Sequence[str], mark: str) -> None:
    """Remove what earlier runs left: folders that are not kept and hold the file `mark`.

    `{name}` in `mark` stands for the name of the folder.
    """
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if entry.name not in keep and (entry / mark.format(name=entry.name)).is_file():
            shutil.rmtree(entry)


def picture_uri(path: Path) -> str:
    """A JPEG as text that a page can hold."""
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
