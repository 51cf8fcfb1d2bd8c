"""The verifiers of AstroReason-Bench (github.com/Mtrya/astro-reason, MIT), in an environment of
their own.

They are run, never copied: their code comes from a clone that the caller names (`VARIABLE` by
custom), a work tree or a git directory, at the commit that the instances are from.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.peers.environments import CACHE, ONE_THREAD, environment

COMMIT = "ffd1e89c40e1603dae0462452e7ec6a6e0542fa9"
PACKAGES = (  # as their lock file has them
    "brahe==1.3.4", "numpy==2.4.4", "pyyaml==6.0.3", "shapely==2.1.2", "sgp4==2.25",
    "skyfield==1.54",
)  # fmt: skip
MODULES = {
    "aeossp_standard": "benchmarks.aeossp_standard.verifier.run",
    "regional_coverage": "benchmarks.regional_coverage.verifier",
    "stereo_imaging": "benchmarks.stereo_imaging.verifier.run",
}
VARIABLE = "HUMAY_ASTRO_REASON"


def verify(clone: Path, family: str, case: Path, solution: Path) -> dict[str, Any]:
    """What the authors' verifier reports of a solution: `valid`, `metrics`, `violations` ...

    Files of the case that are compressed are unpacked for it.
    """
    python = environment("astro-reason", PACKAGES)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / case.name  # the name is part of the seeds of its samples
        folder.mkdir()
        for file in case.iterdir():
            _plain(file, folder)
        command = [str(python), "-m", MODULES[family], str(folder), str(solution.resolve())]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=_checkout(clone),
            env=os.environ | ONE_THREAD,
        )  # fmt: skip
    if not done.stdout:
        raise RuntimeError(f"the verifier of {family} ended with {done.returncode}:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def check(clone: Path, family: str, case: Path, solution: Path) -> dict[str, float]:
    """The metrics by the authors' verifier; raises ValueError where it finds a violation."""
    report = verify(clone, family, case, solution)
    if not report["valid"]:
        raise ValueError(f"{case.name}: the authors' verifier says {report['violations'][:3]}")
    return dict(report["metrics"])


def _plain(file: Path, folder: Path) -> None:
    if file.suffix == ".gz":
        (folder / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    else:
        (folder / file.name).symlink_to(file.resolve())


def _checkout(clone: Path) -> Path:
    """The folder that holds their `benchmarks` at `COMMIT`, kept in the cache."""
    folder = CACHE / f"astro-reason-{COMMIT[:12]}"
    if not folder.is_dir():
        code = ("benchmarks/__init__.py", *(f"benchmarks/{family}/*.py" for family in MODULES))
        packed = subprocess.run(
            ["git", "-C", clone, "archive", COMMIT, "--", *code], capture_output=True, check=True
        ).stdout
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        with tarfile.open(fileobj=BytesIO(packed)) as archive:
            archive.extractall(part, filter="data")
        part.rename(folder)
    return folder
