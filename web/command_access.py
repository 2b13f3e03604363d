"""How a command gets in at the service that runs beside it, where that lets in nobody who is not known.

Whoever may write the file of accounts may let himself in: the command makes itself a token there, for as long
as it runs. Nothing that could be read from a copy of the file would do.
"""

from __future__ import annotations

import asyncio
import getpass
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

from flow.clock import NS_PER_S, SystemClock
from flow.errors import NotFoundError, UnavailableError

from .access.permissions import Permission
from .access.store import AccessStore
from .access.tokens import TokenWish, make_token, withdraw_token
from .settings import Settings

LASTS_S = 600
"""Should the command be killed before it can withdraw it."""

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.S)

SEEN_AFTER_TRIES, TRY_EVERY_S = 100, 0.05


def own_certificate(settings: Settings) -> ssl.SSLContext | bool:
    """By what a command knows the service beside it: its certificate, whatever that is made out to, and
    whoever vouches for it. True, where we have none: it is not encrypted, or as the system checks it."""
    made = Path(settings.server.data_dir, "tls", "certificate.pem")
    path = Path(settings.tls.certificate) if settings.tls.certificate else made
    try:
        first = _PEM.search(path.read_text(encoding="ascii"))
        if first is None:
            return True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not be an authority's own
        context.load_verify_locations(cadata=first[0])
    except (OSError, ValueError):
        return True
    return context


@asynccontextmanager
async def let_in(
    session: aiohttp.ClientSession, data_dir: Path, grants: frozenset[Permission]
) -> AsyncIterator[None]:
    """While the context is open, what `session` asks for is allowed.

    Raises UnavailableError where the service does not know what is in `data_dir`; aiohttp.ClientError and
    TimeoutError where it does not answer.
    """
    if await _may(session, grants):
        yield
        return
    clock = SystemClock()
    wish = TokenWish(f"command line ({_user()})", grants, "command line", clock.now_ns() + LASTS_S * NS_PER_S)
    store = AccessStore(data_dir, clock)
    try:
        token_id, token = await store.change(lambda file: make_token(file, wish, clock.now_ns()))
        try:
            session.headers["Authorization"] = f"Bearer {token}"
            await _seen(session, grants)
            yield
        finally:
            with suppress(NotFoundError):
                await store.change(lambda file: withdraw_token(file, token_id))
    finally:
        store.close()


async def _may(session: aiohttp.ClientSession, grants: frozenset[Permission]) -> bool:
    async with session.get("/api/v1/me") as answer:
        return answer.status == 200 and grants <= set((await answer.json())["permissions"])


async def _seen(session: aiohttp.ClientSession, grants: frozenset[Permission]) -> None:
    for _ in range(SEEN_AFTER_TRIES):
        if await _may(session, grants):
            return
        await asyncio.sleep(TRY_EVERY_S)
    raise UnavailableError("the service does not see what this command changes in its data_dir")


def _user() -> str:
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return "?"
