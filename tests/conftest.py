"""Where the test data lie, and how loudly their absence is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines are shared, so time is measured elsewhere. A build server draws the same examples each
# time, so that its verdict is about the change; at a desk they are new each time.
settings.register_profile("humay", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("humay")

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of test data: HUMAY_TEST_DATA, or ../shared/data beside the repository.

    Without it the test is skipped, or fails where HUMAY_REQUIRE_DATA is 1.
    """
    named = os.environ.get("HUMAY_TEST_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        reason = f"no test data in {folder}: set HUMAY_TEST_DATA to the folder that holds them"
        if os.environ.get("HUMAY_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository, for tests that read docs and examples."""
    return REPOSITORY
