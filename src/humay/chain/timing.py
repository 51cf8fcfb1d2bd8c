"""How long each step of a run takes, and a word to whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

Step: TypeAlias = Callable[[str], AbstractContextManager[None]]
"""Told the name of each step while it runs: a progress bar, or nothing."""


@dataclass
class Timings:
    """Wall and CPU seconds of each step, for run.json; passes the step on to a progress bar."""

    show: Step
    seconds: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        with self.show(name):
            yield
        self.seconds[name] = {
            "wall_s": round(time.perf_counter() - wall, 3),
            "cpu_s": round(time.process_time() - cpu, 3),
        }
