"""Asks the provider, and nobody else: over TLS, bounded in time and size, following no redirect."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from .errors import OidcError
from .resolver import Looked
from .settings_checks import origin_of

WITHIN_S = 8.0
MOST_BYTES = 256 * 1024
_CHUNK_BYTES = 16 * 1024


class Fetcher:
    """`origins` are all that is ever asked, as origin_of() writes them."""

    def __init__(self, origins: frozenset[str], tls: ssl.SSLContext, within_s: float = WITHIN_S) -> None:
        self._origins, self._tls = origins, tls
        self._within = aiohttp.ClientTimeout(total=within_s)

    def may_ask(self, url: str) -> bool:
        return origin_of(url) in self._origins

    async def get(self, url: str, bearer: str = "") -> dict[str, Any]:
        """The JSON object that is there. Raises OidcError "oidc_unavailable"."""
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        status, answer = await self._ask("GET", url, headers)
        if status != 200:
            raise OidcError(f"{url} answers {status}")
        return answer

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object, also of a refusal. Raises OidcError "oidc_unavailable"."""
        return await self._ask("POST", url, headers, form)

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        if not self.may_ask(url):
            raise OidcError(f"{url} is not of the provider's origin; if it is right, add it to oidc.origins")
        told = {"Accept": "application/json", "Accept-Encoding": "identity"} | dict(headers)
        connector = aiohttp.TCPConnector(ssl=self._tls, force_close=True, resolver=Looked())
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=self._within, auto_decompress=False
                ) as session,
                session.request(method, url, data=form, headers=told, allow_redirects=False) as reply,
            ):
                body = await _bounded(reply, url)
                status = reply.status
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            raise OidcError(f"{url} does not answer: {_why(error)}") from None
        if 300 <= status < 400 or status >= 500:
            raise OidcError(f"{url} answers {status}")
        return status, _decoded(body, url)


async def _bounded(reply: aiohttp.ClientResponse, url: str) -> bytes:
    body = bytearray()
    async for chunk in reply.content.iter_chunked(_CHUNK_BYTES):
        body += chunk
        if len(body) > MOST_BYTES:
            raise OidcError(f"{url} answers more than {MOST_BYTES} bytes")
    return bytes(body)


def _decoded(body: bytes, url: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise OidcError(f"{url} answers no JSON object") from None


def _why(error: BaseException) -> str:
    """aiohttp's own text, or the error's name where it has none (time-outs)."""
    return str(error) or type(error).__name__
