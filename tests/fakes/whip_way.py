"""A WHIP endpoint in front of the service's, that leads a publisher's media through a bad network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from .lossy_proxy import LossyProxy

_PASSED_ON = ("Authorization", "Content-Type")


class WhipWay:
    """`url` stands for the service's; `proxy` is the way of the media."""

    def __init__(self, http: aiohttp.ClientSession, proxy: LossyProxy) -> None:
        self.proxy = proxy
        self.url = ""
        self._http = http

    async def pass_on(self, request: web.Request) -> web.Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        body = await request.text()
        if request.method == "POST":
            body = self.proxy.offer(body)
        async with self._http.request(request.method, request.path_qs, data=body, headers=headers) as reply:
            text = await reply.text()
            if reply.status == 201:
                text = self.proxy.answer(text)
            told = {name: reply.headers[name] for name in ("Location", "ETag") if name in reply.headers}
            return web.Response(status=reply.status, text=text, content_type=reply.content_type, headers=told)


@asynccontextmanager
async def whip_way(service_url: str) -> AsyncIterator[WhipWay]:
    """Perfect at first."""
    async with aiohttp.ClientSession(service_url) as http, LossyProxy() as proxy:
        way, app = WhipWay(http, proxy), web.Application()
        app.router.add_route("*", "/{path:.*}", way.pass_on)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            way.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield way
        finally:
            await runner.cleanup()
