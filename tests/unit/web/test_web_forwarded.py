"""Reverse proxies: who calls, and whether encrypted, is believed of those that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from flow.clock import SystemClock
from flow.errors import ConfigError
from web.access import is_secure, origin_url
from web.access.forwarded import Proxies
from web.limits import Crowd, Measure
from web.listening import listen
from web.malformed import Malformed
from web.settings import ServerSettings

HERE = "127.0.0.1"


@asynccontextmanager
async def told(*proxies: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A service behind these, that says how it sees its caller."""

    async def tell(request: web.Request) -> web.Response:
        seen = {"remote": request.remote, "secure": is_secure(request), "origin": origin_url(request)}
        return web.json_response(seen | {"body": await request.text()})

    app = web.Application()
    app.router.add_route("*", "/", tell)
    runner = web.AppRunner(app)
    await runner.setup()
    settings = ServerSettings(port=0, proxies=proxies)
    clock = SystemClock()
    listener = await listen(runner, settings, Malformed(clock), Crowd(clock, Measure()))
    try:
        async with aiohttp.ClientSession(listener.url, headers={"Host": "elw.example"}) as http:
            yield http
    finally:
        await runner.cleanup()
        await listener.aclose()


@pytest.mark.parametrize(
    ("proxies", "headers", "remote", "secure"),
    [
        ((), {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}, HERE, False),
        (("192.0.2.1",), {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}, HERE, False),
        ((HERE,), {}, HERE, False),
        ((HERE,), {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}, "192.0.2.7", True),
        (("127.0.0.0/8",), {"X-Forwarded-For": "2001:db8::7"}, "2001:db8::7", False),
        # What stands before the last who is no proxy he has written himself.
        ((HERE,), {"X-Forwarded-For": "10.0.0.1, 192.0.2.7"}, "192.0.2.7", False),
        ((HERE, "192.0.2.1"), {"X-Forwarded-For": "10.0.0.1, 192.0.2.7, 192.0.2.1"}, "192.0.2.7", False),
        ((HERE,), {"X-Forwarded-For": "192.0.2.7, <script>"}, HERE, False),
        ((HERE,), {"X-Forwarded-Proto": "http, https"}, HERE, True),
        ((HERE,), {"X-Forwarded-Proto": "gopher"}, HERE, False),
        ((HERE,), {"Forwarded": "for=192.0.2.7;proto=https"}, HERE, False),
    ],
)
async def test_only_named_proxies_say_who_calls(
    proxies: tuple[str, ...], headers: dict[str, str], remote: str, secure: bool
) -> None:
    async with told(*proxies) as http, http.post("/", headers=headers, data="all of it") as reply:
        assert await reply.json() == {
            "remote": remote,
            "secure": secure,
            "origin": ("https" if secure else "http") + "://elw.example",
            "body": "all of it",
        }


def test_a_proxy_is_an_address_or_a_network() -> None:
    assert "172.18.0.9" in Proxies(["172.18.0.1/16"])
    assert "not an address" not in Proxies(["::1"])
    with pytest.raises(ConfigError, match="neither an address nor a network"):
        Proxies(["caddy"])
    with pytest.raises(ConfigError, match="everybody"):
        Proxies(["0.0.0.0/0"])
