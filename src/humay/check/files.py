"""Reading plan.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from humay.check.structure import check_structure
from humay.errors import PlanError


def load_plan(path: Path) -> dict[str, Any]:
    """The plan in a file, held to its format. Raises `PlanError`, in one line, for anything else.

    NaN, Infinity and a key given twice are refused too: JSON knows neither of the first, and which
    of two values is meant would be a guess.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PlanError(
            f"{path}: byte {error.start} is not UTF-8, expected JSON in UTF-8"
        ) from error
    try:
        plan = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
        check_structure(plan)
    except json.JSONDecodeError as error:
        raise PlanError(
            f"{path}: line {error.lineno}, column {error.colno}: not JSON: {error.msg}"
        ) from error
    except RecursionError as error:
        raise PlanError(f"{path}: nested too deep, expected a plan") from error
    except (PlanError, ValueError) as error:  # ValueError: a whole number of over 4,300 digits
        raise PlanError(f"{path}: {error}") from error
    return dict(plan)


def _refuse_constant(name: str) -> NoReturn:
    raise PlanError(f"{name} found, expected finite numbers")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PlanError(f"key {twice!r} is given twice in one object, expected once")
    return made
