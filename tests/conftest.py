"""Fixtures for every test."""

from __future__ import annotations

import gc
import inspect
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FEEDS = os.environ.get("LAGEBILD_FEEDS", "")

# Hundreds of processes are started by tests: each would compile all it imports if nobody kept the bytecode.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_BROWSER, _INTEROP = (Path(__file__).parent / name for name in ("browser", "interop"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long begins first: whoever is left over at the end has small files to share.

    Tests with browsers, encoders and cameras in real time are tried up to three times where the machine may
    have been too busy (docs/decisions/0037); the summary says how many had to be.
    `-p no:rerunfailures` tries once.
    """
    items.sort(key=_turn)
    for item in items if config.pluginmanager.hasplugin("rerunfailures") else ():
        if _turn(item) < 2:
            item.add_marker(pytest.mark.flaky(reruns=2))


def _turn(item: pytest.Item) -> int:
    return 0 if item.path.is_relative_to(_BROWSER) else 1 if item.path.is_relative_to(_INTEROP) else 2


def pytest_collection_finish() -> None:
    """What is there before the first test lives as long as the tests: no collection looks at it again.

    They are hundreds of thousands of objects, and each coroutine test ends with a collection.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def feeds() -> Path:
    """The folder of real recorded feeds; skips where LAGEBILD_FEEDS is not set, fails where it is wrong."""
    if not FEEDS:
        pytest.skip("LAGEBILD_FEEDS is not set: real recorded feeds are not here")
    folder = Path(FEEDS).resolve()
    if not folder.is_dir():
        pytest.fail(f"LAGEBILD_FEEDS={FEEDS} is no folder")
    return folder


@pytest.fixture(autouse=True)
def _no_forgotten_task(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a coroutine test after which asyncio reports a task whose exception nobody awaited."""
    if not inspect.iscoroutinefunction(getattr(request, "function", None)):
        yield
        return
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("asyncio").addHandler(handler)
    try:
        yield
        gc.collect()  # a forgotten task is reported when it is collected
    finally:
        logging.getLogger("asyncio").removeHandler(handler)
    forgotten = [message for message in said if "never retrieved" in message]
    assert not forgotten, forgotten
