"""Folders of products that appear whole or not at all, and products read back by rows."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from humay.errors import OutputError
from humay.processing.scales import Image


@contextlib.contextmanager
def published_folder(folder: Path) -> Iterator[Path]:
    """A folder to fill that takes the place of `folder` when the context ends without an error.

    Until then nothing shows under that name but what was there. What a killed process left behind
    of the same folder is swept away first. Raises `OutputError` with what the system says.
    """
    scratch = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        _sweep(folder)
        scratch.mkdir(parents=True)
        yield scratch
        _replace(folder, scratch)
    except OSError as error:
        where = error.filename or folder
        raise OutputError(f"{where}: could not be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _replace(folder: Path, scratch: Path) -> None:
    if not folder.exists():
        scratch.rename(folder)
        return
    before = folder.with_name(f".{folder.name}.before-{os.getpid()}")
    folder.rename(before)
    scratch.rename(folder)
    shutil.rmtree(before)


def _sweep(folder: Path) -> None:
    """Remove what processes that are no more left of this folder."""
    for kind in ("partial", "before"):
        for left in folder.parent.glob(f".{folder.name}.{kind}-*"):
            process = left.name.rpartition("-")[2]
            if not (process.isdigit() and _runs(int(process))):
                shutil.rmtree(left)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, but is somebody else's
        return True
    return process != os.getpid()


class CogRows:
    """Reflectance of a finished product, read by rows from several threads; NaN where no data."""

    def __init__(self, path: Path) -> None:
        self._raster = rasterio.open(path)
        self._lock = threading.Lock()
        self.shape = (self._raster.count, self._raster.height, self._raster.width)
        self._scale = np.float32(self._raster.scales[0])

    def rows(self, begin: int, end: int) -> Image:
        with self._lock:
            pixels = self._raster.read(window=((begin, end), (0, self.shape[2])))
        values = pixels.astype(np.float32) * self._scale
        return np.where(pixels == 0, np.float32(np.nan), values)

    def flags(self, begin: int, end: int) -> NDArray[np.uint8]:
        """Rows of a product that holds flags, (rows, cols)."""
        with self._lock:
            flags: NDArray[np.uint8] = self._raster.read(
                1, window=((begin, end), (0, self.shape[2]))
            )
        return flags

    def close(self) -> None:
        self._raster.close()
