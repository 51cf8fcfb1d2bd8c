"""The small chain, built once for all that look at it."""

from __future__ import annotations

import pytest

from tests.chain.small import Small, built


@pytest.fixture(scope="session")
def small() -> Small:
    """Read only: whoever changes something copies it before."""
    return built()
