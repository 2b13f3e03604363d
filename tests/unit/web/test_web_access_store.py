"""The file of accounts where the disk refuses, and beside another process. What is known goes on to hold."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.errors import ConfigError, UnavailableError
from tests.fakes.accounts import make_account
from tests.fakes.clock import FakeClock
from web.access import Role
from web.access.book import Book
from web.access.store import FILE, AccessStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AccessStore]:
    store = AccessStore(tmp_path, FakeClock())
    store.open()
    yield store
    store.close()


def refuse(file: sqlite3.Connection) -> None:
    raise sqlite3.OperationalError("database or disk is full")


async def test_where_the_disk_refuses_strangers_are_not_told_where(
    store: AccessStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = store.book
    with pytest.raises(UnavailableError) as refused:
        await store.change(refuse)
    assert refused.value.code == "disk_failed"
    assert str(tmp_path) not in str(refused.value)
    assert f"{tmp_path / FILE} cannot be used: database or disk is full" in caplog.text
    assert store.book is before
    with pytest.raises(ConfigError, match="disk is full"):  # the command line is told
        store.change_now(refuse)


async def test_a_file_that_cannot_be_read_for_a_while_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make_account(tmp_path, "wolf", Role.PILOT)
    clock, looks = FakeClock(), 0
    store = AccessStore(tmp_path, clock)
    store.open()
    look = store._look

    def trouble() -> Book | None:
        nonlocal looks
        looks += 1
        if looks < 5:
            raise ConfigError("the disk does not answer")
        return look()

    monkeypatch.setattr(store, "_look", trouble)
    running = asyncio.ensure_future(store.run())
    make_account(tmp_path, "otto", Role.PILOT)
    async with asyncio.timeout(10):
        while store.book.account_named("otto") is None:
            assert store.book.account_named("wolf") is not None
            clock.advance(NS_PER_S)
            await asyncio.sleep(0)
    assert caplog.text.count("the disk does not answer") == 1
    assert not running.done()
    running.cancel()
    store.close()
