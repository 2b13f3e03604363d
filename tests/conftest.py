"""Fixtures for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FEEDS = os.environ.get("LAGEBILD_FEEDS", "")


@pytest.fixture(scope="session")
def feeds() -> Path:
    """The folder of real recorded feeds; skips where LAGEBILD_FEEDS is not set, fails where it is wrong."""
    if not FEEDS:
        pytest.skip("LAGEBILD_FEEDS is not set: real recorded feeds are not here")
    folder = Path(FEEDS).resolve()
    if not folder.is_dir():
        pytest.fail(f"LAGEBILD_FEEDS={FEEDS} is no folder")
    return folder
