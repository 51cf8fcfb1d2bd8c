from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.peers.astro_reason import VARIABLE


@pytest.fixture(scope="session")
def authors() -> Path:
    """A clone of the instances' authors' repository, which holds their verifiers."""
    clone = os.environ.get(VARIABLE)
    if not clone:
        pytest.skip(f"{VARIABLE} names no clone of the verifier")
    return Path(clone)
