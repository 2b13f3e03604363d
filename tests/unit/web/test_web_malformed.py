"""What is said of requests that cannot be read."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from flow.clock import NS_PER_S, SystemClock
from tests.fakes.clock import FakeClock
from web.limits import Crowd, Measure
from web.listening import listen
from web.malformed import Malformed
from web.settings import ServerSettings


def test_a_flood_is_one_line_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    malformed = Malformed(clock)
    for _ in range(500):
        malformed.add("192.0.2.7")
    assert [record.getMessage() for record in caplog.records] == [
        "a request from 192.0.2.7 is no HTTP and was refused"
    ]
    clock.advance(10 * NS_PER_S)
    malformed.add("192.0.2.8")
    assert "192.0.2.8" in caplog.messages[-1]
    assert "and 499 more" in caplog.messages[-1]


async def test_a_defect_is_told_by_its_place_not_by_its_words(caplog: pytest.LogCaptureFixture) -> None:
    """An exception that no middleware has caught: its text may be the request's."""

    async def defective(_: web.Request) -> web.Response:
        raise ValueError("geheim")

    app = web.Application()
    app.router.add_get("/", defective)
    runner = web.AppRunner(app)
    await runner.setup()
    clock = SystemClock()
    listener = await listen(runner, ServerSettings(port=0), Malformed(clock), Crowd(clock, Measure()))
    at = urlsplit(listener.url)
    try:
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await reader.read()
        writer.close()
    finally:
        await runner.cleanup()
        await listener.aclose()
    assert answer.startswith(b"HTTP/1.1 500 ")
    (told,) = [record.getMessage() for record in caplog.records]
    assert "a defect of Lagebild: ValueError at" in told
    assert "test_web_malformed.py" in told
    assert b"geheim" not in answer
    assert "geheim" not in caplog.text
