"""`import humay` costs next to nothing: the stages are loaded when they are used."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("numpy", "erfa", "shapely", "rasterio", "pyarrow", "typer")
PROGRAM = f"""
import sys, time
begin = time.perf_counter()
import humay
print(time.perf_counter() - begin, *[name for name in {HEAVY} if name in sys.modules])
"""


def test_import_is_quick_and_brings_nothing_heavy() -> None:
    """The best of three fresh interpreters: the machine may be busy, the import may not."""
    answers = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(3)
    ]
    assert min(float(seconds) for seconds, *_ in answers) < 0.3
    assert [loaded for _, *loaded in answers] == [[], [], []]
