"""What a run leaves in its folder besides the files of its stages, and what it clears away."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from humay.catalogue import add_files
from humay.errors import OutputError
from humay.files import remove, sweep
from humay.processing import Made

RAW_PLACE = "../../flight/raw"
"""Of raw images, seen from a product's folder in the folder of a run."""


def check_folder(folder: Path) -> None:
    """Refuse a file in the place of a run's folder or above it, before the work."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    if not place.is_dir():
        raise OutputError(f"{place}: is a file, expected a folder or nothing")


def begin_again(folder: Path) -> None:
    """Take away what says that a run is complete, and what one cut short has left unfinished."""
    with _told(folder):
        (folder / "run.json").unlink(missing_ok=True)
        sweep(folder)
        sweep(folder / "products")


def clear_flight(folder: Path) -> None:
    """Remove the raw images of an earlier flight, their DEMs and its truth; other files stay."""
    raws, dems, truth = (folder / name for name in ("raw", "dem", "truth"))
    with _told(folder):
        for image in sorted(raws.glob("*/image.json")):
            (dems / f"{image.parent.name}.tif").unlink(missing_ok=True)
            remove(image.parent)
        (truth / "scene.json").unlink(missing_ok=True)
        places = [folder, dems, truth, *sorted(raws.glob("*/")), raws]
        for place in places:
            sweep(place)
    for place in places[1:]:
        with contextlib.suppress(OSError):  # holds files of somebody else, or was never there
            place.rmdir()


def remove_products(folder: Path, keep: Container[str]) -> None:
    """Remove what earlier runs made of their raw images; products of other images stay."""
    with _told(folder):
        for item in sorted(folder.glob("*/*.json")):
            own = item.stem == item.parent.name and f'"{RAW_PLACE}/'.encode() in item.read_bytes()
            if own and item.stem not in keep:
                remove(item.parent)


def write_catalogue(path: Path, made: Sequence[Made]) -> None:
    """A catalogue of these products and no others; it appears whole."""
    with _told(path), _aside(path) as scratch:
        add_files(scratch, [product.item_path for product in made])


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to, which takes its place when all went well."""
    sweep(path.parent, path.name)
    scratch = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename2 or error.filename or path  # the second: where one would rename to
        reason = error.strerror or error
        raise OutputError(f"{where}: could not be written ({reason})") from error


def picture_uri(path: Path) -> str:
    """A JPEG as text that a page can hold."""
    return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
