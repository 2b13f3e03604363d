"""Fixtures for the tests of flow/."""

from __future__ import annotations

import pytest

from tests.fakes.clips import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))
