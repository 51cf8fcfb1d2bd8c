"""Results appear whole or not at all: on a full disk, without rights, interrupted, killed."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humay.errors import OutputError
from humay.files import json_bytes, write_all, write_whole

CONTENTS = {"plan.json": b"{}\n", "report.html": b"<html>" * 1000, "empty": b""}


def everything_under(folder: Path) -> dict[str, bytes | None]:
    """All files with their content, all folders with None."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in folder.rglob("*")
    }


# ---------------------------------------------------------------- written


def test_files_are_written_into_a_folder_that_is_made(tmp_path: Path) -> None:
    write_all(tmp_path / "a" / "b", CONTENTS)
    assert everything_under(tmp_path / "a" / "b") == CONTENTS


def test_existing_files_are_replaced_and_others_kept(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"old")
    (tmp_path / "other").write_bytes(b"mine")
    write_all(tmp_path, CONTENTS)
    assert everything_under(tmp_path) == CONTENTS | {"other": b"mine"}


def test_one_file_is_written_where_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "new" / "file.csv", b"1\n")
    monkeypatch.chdir(tmp_path)
    write_whole(Path("here.csv"), b"2\n")
    assert everything_under(tmp_path) == {"new": None, "new/file.csv": b"1\n", "here.csv": b"2\n"}


# ---------------------------------------------------------------- refused


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    for folder in (tmp_path / "out", tmp_path / "out" / "deep" / "er"):
        with pytest.raises(OutputError, match="out is a file, expected a folder") as caught:
            write_all(folder, CONTENTS)
        assert str(caught.value).startswith(f"{folder}: ")
    assert everything_under(tmp_path) == {"out": b"a file"}


def test_a_folder_where_a_file_should_be_stops_all_before_any_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"old")
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OutputError, match=r"report\.html: .*it is a folder.*nothing is left"):
        write_all(tmp_path, CONTENTS)
    assert everything_under(tmp_path) == {"plan.json": b"old", "report.html": None}


def test_a_name_too_long_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        write_all(tmp_path / "a" / "b", {"plan.json": b"{}", "x" * 300: b""})
    with pytest.raises(OutputError, match="File name too long"):
        write_all(tmp_path / "a" / ("y" * 300) / "b", CONTENTS)
    assert everything_under(tmp_path) == {}


class Interrupted(Mapping[str, bytes]):
    """Contents on whose second file the user presses Ctrl-C."""

    def __getitem__(self, name: str) -> bytes:
        if name == "second":
            raise KeyboardInterrupt
        return b"whole"

    def __iter__(self) -> Iterator[str]:
        return iter(("first", "second"))

    def __len__(self) -> int:
        return 2


def test_an_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"old")
    for folder in (tmp_path, tmp_path / "new" / "deep"):
        with pytest.raises(KeyboardInterrupt):
            write_all(folder, Interrupted())
    assert everything_under(tmp_path) == {"kept": b"old"}


# ---------------------------------------------------------------- the system says no


PROGRAM = """
import os, resource, sys
from pathlib import Path
from humay.errors import OutputError
from humay.files import write_all
folder, limit = Path(sys.argv[1]), sys.argv[2]
if limit.startswith("bytes"):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit[5:]), int(limit[5:])))
if limit == "nobody" and os.geteuid() == 0:
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
try:
    write_all(folder, {"small": b"1", "large": b"2" * 200_000, "last": b"3"})
except OutputError as error:
    print(error)
"""


def tried(folder: Path, limit: str = "", within: tuple[str, ...] = ()) -> str:
    """What `write_all` of a small, a large and a small file into `folder` complains of."""
    command = [*within, sys.executable, "-c", PROGRAM, str(folder), limit]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="humay-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_file_that_may_not_grow_stops_all(tmp_path: Path) -> None:
    """A quota (RLIMIT_FSIZE): Python ignores the signal SIGXFSZ, so the write itself fails."""
    (tmp_path / "small").write_bytes(b"old")
    answer = tried(tmp_path, "bytes100000")
    assert re.fullmatch(
        r".*/large: could not be written \(File too large\); nothing is left", answer
    )
    assert everything_under(tmp_path) == {"small": b"old"}
    assert tried(tmp_path / "new" / "deep", "bytes100000") != ""
    assert everything_under(tmp_path) == {"small": b"old"}
    assert tried(tmp_path, "bytes300000") == ""
    assert set(everything_under(tmp_path)) == {"small", "large", "last"}


def test_a_full_disk_stops_all(tmp_path: Path) -> None:
    """A file system of 100 kB, mounted in a name space of its own, seen by this one process."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f'mount -t tmpfs -o size=100k tmpfs "{disk}" && "$@" && find "{disk}" -mindepth 1'
    within = ("unshare", "--map-root-user", "--mount", "sh", "-ec", mount, "sh")
    try:
        subprocess.run([*within, "true"], capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system can be mounted here: {error}")
    answer = tried(disk / "out", within=within)
    expected = f"{disk}/out/large: could not be written (No space left on device); nothing is left"
    assert answer == expected  # and `find` found nothing


@pytest.mark.parametrize("mode", [0o555, 0o700])
def test_a_folder_without_rights_is_named(open_folder: Path, mode: int) -> None:
    """Tried as the user nobody where the tests run as root, whom no mode stops."""
    locked = open_folder / "locked"
    locked.mkdir()
    locked.chmod(mode if os.geteuid() == 0 else mode & 0o500)
    for folder in (locked, locked / "new"):
        if mode == 0o700 and os.geteuid() != 0:
            locked.chmod(0o000)
        answer = tried(folder, "nobody")
        locked.chmod(0o755)
        assert re.fullmatch(
            rf"{folder}(/small)?: could not be written \(Permission denied\); nothing is left",
            answer,
        )
        assert everything_under(open_folder) == {"locked": None}
        locked.chmod(mode)
    locked.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file of another user's")
def test_a_renaming_that_fails_names_what_is_already_in_place(open_folder: Path) -> None:
    """In a folder like /tmp nobody may replace the files of others, which shows only then."""
    (open_folder / "large").write_bytes(b"old")
    open_folder.chmod(0o1777)
    answer = tried(open_folder, "nobody")
    expected = f"{open_folder}/large: could not be written (Operation not permitted); "
    assert answer == expected + "already in place: small"
    assert everything_under(open_folder) == {"small": b"1", "large": b"old"}


KILLED = """
import sys
from pathlib import Path
from humay.files import write_whole
while True:
    for letter in b"AB":
        write_whole(Path(sys.argv[1]), bytes([letter]) * 3_000_000)
"""


def test_a_kill_at_any_instant_leaves_a_whole_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    for wait_s in (0.0, 0.011, 0.023, 0.037):
        writer = subprocess.Popen([sys.executable, "-c", KILLED, str(file)])
        try:
            give_up = time.monotonic() + 30
            while not file.exists() and time.monotonic() < give_up:
                time.sleep(0.001)
            time.sleep(0.1 + wait_s)
        finally:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        content = file.read_bytes()
        assert content in (b"A" * 3_000_000, b"B" * 3_000_000)
        file.unlink()


# ---------------------------------------------------------------- JSON


def test_json_is_compact_or_indented_and_ends_its_line() -> None:
    document = {"b": [1, 2.5], "a": "Bakı"}
    assert json_bytes(document) == '{"b":[1,2.5],"a":"Bakı"}\n'.encode()
    assert json_bytes(document, indent=1).count(b"\n") == 7


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_bytes({"figures": [1.0, value]})


@settings(deadline=None)
@given(
    document=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("abcö"), inner),
        max_leaves=20,
    )
)
def test_json_reads_back_as_it_was(document: object) -> None:
    assert json.loads(json_bytes(document)) == document
    assert json_bytes(document) == json_bytes(document)
