"""Compiled code: loops over scalars where a measurement asks for them, each beside a plain form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])
_PART: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "_nrt": False,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def kernel(function: _Function) -> _Function:
    """Compile, and keep the result beside the source; divisions go as in NumPy.

    Kernels neither allocate nor count references (`_nrt`): their arrays belong to the caller.
    Counting took half of the time of `cover.paint`. The cache of a kernel does not notice changes
    in the functions it calls from other files: after such an edit, empty `__pycache__`.
    """
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    compiled: _Function = njit(**options)(function)
    return compiled


def inner(function: _Function) -> _Function:
    """Compile as a part of kernels only: without an entry from Python, which takes longer to
    compile than most of these functions. A call from Python ends the process."""
    compiled: _Function = njit(**_PART)(function)
    return compiled


def inlined(function: _Function) -> _Function:
    """As `inner`, written into its caller: for functions with one caller and many tables, whose
    passing on takes 50 ns."""
    compiled: _Function = njit(inline="always", **_PART)(function)
    return compiled
