"""report.html appears whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from humay.errors import OutputError
from humay.report import write_report

from .synthetic_plan import empty_plan, synthetic_figures, synthetic_plan


def test_the_report_is_written_with_its_coasts_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_report(synthetic_plan(), synthetic_figures(), tmp_path / name)
    page = (tmp_path / "a.html").read_bytes()
    assert page.startswith(b"<!DOCTYPE html>")
    assert page == (tmp_path / "b.html").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_a_full_disk_leaves_the_old_report_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("yesterday's")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"report\.html.*No space left on device"):
        write_report(empty_plan(), {}, path)
    assert path.read_text() == "yesterday's"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"/file.*could not be written"):
        write_report(empty_plan(), {}, tmp_path / "file" / "report.html")


def test_a_name_with_half_a_surrogate_pair_can_be_written(tmp_path: Path) -> None:
    write_report(empty_plan() | {"mission": "half \ud83d"}, {}, tmp_path / "report.html")
    assert b"half &#55357;" in (tmp_path / "report.html").read_bytes()
