"""The provider's discovery document and keys: asked for when they are needed, and kept for a while.

A provider that is away costs whoever wants to log in by it an error, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flow.clock import NS_PER_S, Clock
from web.settings import OidcSettings

from .errors import OidcError
from .fetch import Fetcher
from .settings_checks import origin_of, tls_of

DISCOVERY = "/.well-known/openid-configuration"
KEPT_NS = 3600 * NS_PER_S
AGAIN_NS = 30 * NS_PER_S
"""So often at most are keys asked for anew because a token names one that is not among them."""
AWAY_NS = 5 * NS_PER_S
"""So long who could not be reached is not asked again."""
KEYS_MOST = 32

T = TypeVar("T")
Key = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we need of the discovery document (OpenID Connect Discovery 1.0, 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str  # "": none that we may ask
    posts_secret: bool  # the token endpoint takes the client's secret in the form, not as Basic
    names_itself: bool  # in each answer (RFC 9207)
    knows_s256: bool


class Provider:
    """One issuer."""

    def __init__(self, oidc: OidcSettings, clock: Clock, fetcher: Fetcher | None = None) -> None:
        self.issuer = oidc.issuer
        origins = frozenset(origin_of(each) for each in (oidc.issuer, *oidc.origins))
        self.fetcher = fetcher or Fetcher(origins, tls_of(oidc))
        self._metadata = _Kept(clock, self._discover)
        self._keys = _Kept(clock, self._fetch_keys)

    async def metadata(self) -> Metadata:
        """Raises OidcError "oidc_unavailable"."""
        return await self._metadata.get(KEPT_NS)

    async def keys(self, *, newer: bool = False) -> Sequence[Key]:
        """Raises OidcError. `newer`: they have been changed, a token says; asked for anew, but not often."""
        return await (self._keys.renewed(AGAIN_NS) if newer else self._keys.get(KEPT_NS))

    async def _discover(self) -> Metadata:
        url = self.issuer.rstrip("/") + DISCOVERY
        told = await self.fetcher.get(url)
        if told.get("issuer") != self.issuer:  # 4.3: exactly, or it is another's
            itself = str(told.get("issuer"))[:200]
            raise OidcError(f"{url} says that it is '{itself}', and oidc.issuer is '{self.issuer}'")
        found = metadata_of(told, self.fetcher)
        if not found.knows_s256:
            raise OidcError(f"{url}: this provider knows no PKCE with S256, which is needed here")
        return found

    async def _fetch_keys(self) -> Sequence[Key]:
        url = (await self.metadata()).jwks_uri
        keys = (await self.fetcher.get(url)).get("keys")
        if not isinstance(keys, list):
            raise OidcError(f"{url} is no set of keys (RFC 7517 5)")
        return [key for key in keys if isinstance(key, dict)][:KEYS_MOST]


def metadata_of(told: Mapping[str, Any], fetcher: Fetcher) -> Metadata:
    """Raises OidcError for what is missing, or leads elsewhere."""

    def address(name: str) -> str:
        url = told.get(name)
        if not isinstance(url, str) or not url:
            raise OidcError(f"the provider's discovery document has no {name}")
        if not fetcher.may_ask(url):
            todo = f"if that is right, add {origin_of(url) or 'its origin'} to oidc.origins"
            raise OidcError(f"the provider's {name} is {url[:200]}, of another origin; {todo}")
        return url

    def listed(name: str, default: Sequence[str]) -> Sequence[object]:
        values = told.get(name, default)
        return values if isinstance(values, Sequence) and not isinstance(values, str) else default

    about_people = told.get("userinfo_endpoint")
    may_ask = isinstance(about_people, str) and fetcher.may_ask(about_people)
    ways = listed("token_endpoint_auth_methods_supported", ("client_secret_basic",))
    return Metadata(
        authorization_endpoint=address("authorization_endpoint"),
        token_endpoint=address("token_endpoint"),
        jwks_uri=address("jwks_uri"),
        userinfo_endpoint=str(about_people) if may_ask else "",
        posts_secret="client_secret_basic" not in ways and "client_secret_post" in ways,
        names_itself=told.get("authorization_response_iss_parameter_supported") is True,
        # Some that know it do not say so (Entra), though RFC 8414 2 has that mean that they do not.
        knows_s256="S256" in listed("code_challenge_methods_supported", ("S256",)),
    )


class _Kept(Generic[T]):
    """What `fetch` brought, and when. Whoever comes meanwhile waits for the same answer."""

    def __init__(self, clock: Clock, fetch: Callable[[], Awaitable[T]]) -> None:
        self._clock, self._fetch = clock, fetch
        self._lock = asyncio.Lock()
        self._found: tuple[T, int] | None = None
        self._renewed_ns: int | None = None
        self._failure: tuple[OidcError, int] | None = None

    async def get(self, most_age_ns: int) -> T:
        """No older than that. Raises OidcError, for a while without asking again."""
        async with self._lock:
            if self._found is not None and self._clock.now_ns() - self._found[1] < most_age_ns:
                return self._found[0]
            return await self._fetched()

    async def renewed(self, every_ns: int) -> T:
        """Asked for anew, unless that was done within `every_ns`. Raises OidcError."""
        async with self._lock:
            now_ns = self._clock.now_ns()
            is_due = self._renewed_ns is None or now_ns - self._renewed_ns >= every_ns
            if self._found is not None and not is_due:
                return self._found[0]
            self._renewed_ns = now_ns
            return await self._fetched()

    async def _fetched(self) -> T:
        if self._failure is not None and self._clock.now_ns() - self._failure[1] < AWAY_NS:
            raise OidcError(str(self._failure[0]), code=self._failure[0].code)
        try:
            found = await self._fetch()
        except OidcError as error:
            self._failure = error, self._clock.now_ns()
            raise
        self._found, self._failure = (found, self._clock.now_ns()), None
        return found
