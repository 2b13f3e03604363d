"""A door with logins by a provider, on a clock that stands still, and a browser that has cookies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
from aiohttp import web

from flow.clock import NS_PER_S
from tests.fakes.clock import FakeClock
from tests.fakes.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider, address
from web.access import Caller, Door, Permission, Route, Scope, caller_of
from web.access.audit import Entry
from web.access.logins import Logins
from web.access.passwords import Passwords
from web.access.reach import NoIncidents
from web.access.recognise import Gatekeeper
from web.access.store import AccessStore
from web.errors import errors_to_http
from web.oidc.flow import OidcLogin
from web.routes.oidc import BACK, GO, add_oidc_routes
from web.settings import OidcSettings

ROLES = OidcSettings(
    client_id=CLIENT_ID,
    client_secret=CLIENT_SECRET,
    viewer=("fw-einsatzleiter",),
    pilot=("fw-drohne",),
    dispatcher=("leitstelle", "fw-leitung"),
    administrator=("it",),
)
DAYS = 2.0
_ME = Route("GET", "/me", Permission.PUBLIC, "Who", {200: "who"}, scope=Scope.NOTHING)


class Log:
    """An Audit that keeps what it is told."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)


@dataclass(slots=True)
class House:
    """`http` is one browser; `browser()` another."""

    url: str
    provider: OidcProvider
    store: AccessStore
    clock: FakeClock
    http: aiohttp.ClientSession
    logins: Logins
    log: Log = field(default_factory=Log)

    async def begin(self, next_path: str = "") -> str:
        """Where the browser is sent."""
        query = {"next": next_path} if next_path else {}
        return await went(self.http, address(self.url, GO, query))

    async def back(self, query: Mapping[str, str]) -> str:
        return await went(self.http, address(self.url, BACK, dict(query)))

    async def log_in(self, next_path: str = "") -> str:
        """The whole way; where it ends."""
        return await self.back(self.provider.log_in(await self.begin(next_path)))

    async def me(self) -> str:
        async with self.http.get(f"{self.url}/me") as reply:
            return await reply.text()


async def went(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url, allow_redirects=False) as reply:
        assert reply.status == 303, await reply.text()
        assert reply.headers["Cache-Control"] == "no-store"
        return reply.headers["Location"]


def code_of(location: str) -> str:
    """Which error the login page is to show."""
    parts = urlsplit(location)
    assert parts.path == "/login", location
    return parse_qs(parts.query)["error"][0]


def browser() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))


@asynccontextmanager
async def oidc_house(
    data_dir: Path, provider: OidcProvider | None = None, **settings: object
) -> AsyncIterator[House]:
    clock = FakeClock()
    provider = provider or OidcProvider(lambda: 0.0)
    provider.now_s = lambda: clock.now_ns() / NS_PER_S
    async with provider:
        oidc = replace(ROLES, issuer=provider.issuer, **settings)  # type: ignore[arg-type]
        store, log = AccessStore(data_dir, clock), Log()
        store.open()
        app = web.Application(middlewares=[errors_to_http])
        guard = Gatekeeper(store, NoIncidents(), log, clock, trusts_this_machine=False)
        door = Door(app, guard)
        login = OidcLogin(oidc, store, clock, wall_s=lambda: clock.now_ns() / NS_PER_S)
        passwords = Passwords()
        logins = Logins(store, guard, passwords, clock, DAYS)
        add_oidc_routes(door, login, logins)
        door.route(_ME, _who)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            async with browser() as http:
                yield House(url, provider, store, clock, http, logins, log)
        finally:
            await runner.cleanup()
            passwords.close()
            store.close()


async def _who(request: web.Request) -> web.Response:
    caller: Caller = caller_of(request)
    return web.Response(text=f"{caller.kind} {caller.name}".strip())
