"""Environments of peers, made once and kept outside of the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

CACHE = Path.home() / ".cache" / "humay-benchmarks"
HERE = Path(__file__).resolve().parent
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}


def environment(name: str, packages: Sequence[str], folder: Path | None = None) -> Path:
    """The Python of an environment with these packages: in `folder`, or in `CACHE` by name.

    One that was finished is taken as it is; what it holds is written beside it when it is.
    """
    folder = folder or CACHE / name
    python, done = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join(packages) + "\n"
    if not (done.is_file() and done.read_text() == wanted):
        print(f"making {folder} with {', '.join(packages)}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([python, *pip, *packages], check=True, stdout=sys.stderr)
        done.write_text(wanted)
    return python


def run_side(python: Path | str, script: str, *arguments: Path | str) -> None:
    """Run a script of this folder on one thread, its output shown as talk."""
    command = [python, HERE / script, *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr, env=os.environ | ONE_THREAD)


def read(path: Path) -> dict[str, np.ndarray]:
    """What a side has written."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
