"""The example missions that come with Humay."""

from __future__ import annotations

from pathlib import Path

from humay.errors import MissionError

_INSTALLED = Path(__file__).parent / "example_missions"
_IN_REPOSITORY = Path(__file__).parents[2] / "examples"


def example_folder(name: str) -> Path:
    """The folder of an example mission, in an installed Humay or in its repository."""
    home = _INSTALLED if _INSTALLED.is_dir() else _IN_REPOSITORY
    known = sorted(path.parent.name for path in home.glob("*/mission.toml"))
    if name not in known:
        raise MissionError(f"no example {name!r}, expected one of: {', '.join(known)}")
    return home / name
