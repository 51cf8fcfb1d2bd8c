"""The `humay` command for tests: in this process where that will do, else in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from humay.cli import main
from tests.chain.small import PIXELS

SMALL_WINDOWS = (
    "import humay.chain.picturing as p\n"
    f"p.fly_and_expose.__kwdefaults__['pixels'] = {PIXELS}\n"
    "from humay.cli import main\n"
    "main()\n"
)
"""The command, but for `humay run` with windows that take a second instead of ten."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a command left behind when it ended."""

    returncode: int
    stdout: str
    stderr: str


def humay(*words: object) -> Done:
    """Run the command here: what is no refusal but an error or a warning fails the test."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["humay", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        status: int | str | None = 0
        try:
            main()
        except SystemExit as left:
            status = left.code
    assert isinstance(status, int | None)
    return Done(returncode=status or 0, stdout=out.getvalue(), stderr=err.getvalue())


def start(*words: object, limit_bytes: int | None = None) -> subprocess.Popen[str]:
    """Start the command in a process of its own; `limit_bytes` stands for a disk that is full."""

    def narrow() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes or 0, limit_bytes or 0))

    return subprocess.Popen(
        [sys.executable, "-c", SMALL_WINDOWS, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=narrow if limit_bytes is not None else None,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )


def finished(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=300)
    return Done(returncode=process.returncode, stdout=out, stderr=err)


def kill_when(process: subprocess.Popen[str], seen: Callable[[], bool]) -> None:
    """Kill a command at the first instant at which something is to be seen; it must not end."""
    while not seen():
        assert process.poll() is None, finished(process)
        time.sleep(0.001)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL


def refusal(done: Done, *parts: str) -> None:
    """Exit 1, one line on stderr with these parts, nothing on stdout."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    assert done.stderr.startswith("humay: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert part in done.stderr, (part, done.stderr)


def hidden(folder: Path) -> bool:
    """Whether something unfinished stands in a folder."""
    return any(folder.glob(".*")) if folder.is_dir() else False
