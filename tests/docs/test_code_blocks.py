"""Every code block of the documentation works: what a page shows is what a reader gets.

The blocks of a page run in order, in a folder that holds what `humay init` makes and all examples.
`python` blocks share one namespace, `bash` blocks must succeed, and a `console` block shows
commands after `$` with exactly what they print, `...` standing for anything.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, Block, blocks, name_of, pages

RUN = ("python", "bash", "console")
SHOWN = ("toml", "json", "text", "")
MARKS = {"notest", "slow"}
SETS_A_MACHINE_UP = ("git", "make", "cd", "sudo", "xdg-open", ".venv/bin/zensical")
FILE_OF = {"toml": "mission.toml"}  # a block without a title


def runnable() -> list[Any]:
    """Every page with something to run; slow where one of its blocks is."""
    found = []
    for page in pages():
        marks = [block.marks for block in blocks(page) if block.language in RUN]
        if marks:
            slow = [pytest.mark.slow] if any("slow" in each for each in marks) else []
            found.append(pytest.param(page, id=name_of(page), marks=slow))
    return found


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to follow a page in: the example azersky, and all examples below it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copytree(ROOT / "examples" / "azersky", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")  # stdout and stderr in the order of a terminal
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.mark.parametrize("page", runnable())
@pytest.mark.usefixtures("workplace")
def test_the_blocks_of_a_page_work(page: Path) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        where = f"{name_of(page)}:{block.line}"
        if file := block.title or FILE_OF.get(block.language):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text(block.text, encoding="utf-8")
        elif "notest" in block.marks:
            continue
        elif block.language == "python":
            exec(compile("\n" * block.line + block.text, page, "exec"), space)
        elif block.language == "bash":
            status, output = shell(block.text)
            assert status == 0, f"{where} ends with status {status}:\n{output}"
        elif block.language == "console":
            compare(block, where)


def compare(block: Block, where: str) -> None:
    """Run the commands of a console block and hold what they print against what is shown."""
    assert block.text.startswith("$ "), f"{where}: a console block begins with a command"
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        status, output = shell(command)
        assert status == 0, f"{where}: {command!r} ends with status {status}:\n{output}"
        assert matches(shown, output), f"{where}: {command!r} prints\n{output}\nnot\n{shown}"


def matches(shown: str, output: str) -> bool:
    """Whether an output is the one shown, `...` being any text; ends of lines do not count."""
    plain = [re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).strip() for text in (shown, output)]
    pattern = ".*?".join(re.escape(piece) for piece in plain[0].split("..."))
    return re.fullmatch(pattern, plain[1], re.DOTALL) is not None


def shell(script: str) -> tuple[int, str]:
    """Exit status and everything printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout


def test_no_block_is_of_a_kind_that_nobody_runs() -> None:
    for page in pages():
        for block in blocks(page):
            assert block.language in RUN + SHOWN, f"{name_of(page)}:{block.line}"
            assert block.marks <= MARKS, f"{name_of(page)}:{block.line}"


def test_every_fence_is_read() -> None:
    """A block that the parser missed would never run."""
    for page in pages():
        fences = re.findall(r"^\s*`{3,}", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * len(list(blocks(page))), name_of(page)


def test_only_setting_a_machine_up_is_not_run() -> None:
    left_out = [(p, b) for p in pages() for b in blocks(p) if "notest" in b.marks]
    assert len(left_out) <= 8
    for page, block in left_out:
        for line in block.text.splitlines():
            command = line.removeprefix("$ ").split()[0]
            assert command in SETS_A_MACHINE_UP, f"{name_of(page)}:{block.line}: {line}"


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        ("a\n", "a", True),
        ("a ... c", "a b c", True),
        ("a ...", "b", False),
        ("1.5", "125", False),
        ("a\n...\nc", "a\nb1\nb2\nc\n", True),
        ("a  b", "a b", False),
    ],
)
def test_an_output_is_held_against_the_one_shown(shown: str, output: str, same: bool) -> None:
    assert matches(shown, output) == same


@pytest.mark.usefixtures("workplace")
def test_humay_of_this_environment_is_the_one_that_runs() -> None:
    status, output = shell("command -v humay")
    assert status == 0
    assert Path(output.strip()).parent == Path(sys.executable).parent


@pytest.mark.usefixtures("workplace")
def test_a_block_that_fails_is_noticed() -> None:
    for text in ("$ false\n", "$ echo a\nb\n"):
        block = Block(language="console", marks=frozenset(), title=None, text=text, line=1)
        with pytest.raises(AssertionError):
            compare(block, "here")
    assert shell("false\ntrue")[0] != 0
