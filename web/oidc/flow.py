"""The way to the provider and back (OpenID Connect Core 1.0, 3.1; RFC 7636, 9207)."""

from __future__ import annotations

import asyncio
import base64
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from flow.clock import Clock
from web.access.store import AccessStore
from web.settings import OidcSettings

from .admission import Person, admit, dismiss
from .attempt import Attempt, attempt_of, new_attempt
from .errors import OidcError
from .id_token import Expected, check_claims, signed_claims
from .provider import Metadata, Provider
from .roles import claim_at, login_of, name_of, roles_of, said_of

AT_ONCE = 4
WAITING_MOST = 32
"""Of logins that the provider is asked about. Strangers could begin any number, and while names are looked up
for each (getaddrinfo), a thread of few is taken."""
_CODE_MOST = 4096


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the cookie that it goes with."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Came:
    """What the browser came back with."""

    query: Mapping[str, str]
    cookie: str
    redirect_uri: str


class OidcLogin:
    """Logins by one provider. `wall_s` is this machine's clock as it is now: what the provider signs is
    measured by it, and not by Lagebild time, which a clock set right since the start does not change."""

    def __init__(
        self,
        oidc: OidcSettings,
        store: AccessStore,
        clock: Clock,
        provider: Provider | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._oidc, self._store, self._clock, self._wall_s = oidc, store, clock, wall_s
        self._provider = provider or Provider(oidc, clock)
        self._places, self._waiting = asyncio.Semaphore(AT_ONCE), 0

    async def begin(self, next_path: str, redirect_uri: str) -> Begun:
        """Raises OidcError "oidc_unavailable"."""
        metadata = await self._provider.metadata()
        if not self._store.book.house_key:
            await self._store.change(lambda _: None)  # makes it
        attempt = new_attempt(self._store.book.house_key, next_path, self._clock.now_ns())
        asked = {
            "response_type": "code",
            "client_id": self._oidc.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(("openid", *self._oidc.scopes)),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        to = metadata.authorization_endpoint
        return Begun(f"{to}{'&' if '?' in to else '?'}{urlencode(asked)}", attempt.cookie())

    def attempt(self, came: Came) -> Attempt:
        """The login that this is the end of. Raises OidcError "oidc_state" where it began elsewhere."""
        attempt = attempt_of(self._store.book.house_key, came.cookie, self._clock.now_ns())
        if attempt is None:
            raise OidcError("this browser has begun no login in the last ten minutes", code="oidc_state")
        if not hmac.compare_digest(came.query.get("state", "").encode(), attempt.state.encode()):
            raise OidcError("this is the end of another login", code="oidc_state")
        return attempt

    async def finish(self, attempt: Attempt, came: Came) -> str:
        """The id of the account of whoever has logged in. Raises OidcError."""
        claims = await self._in_turn(attempt, came)
        subject = f"{self._oidc.issuer} {claims['sub']}"
        person = Person(subject, login_of(claims), name_of(claims), roles_of(claims, self._oidc))
        if not person.roles:
            if any(each.subject == subject for each in self._store.book.accounts.values()):
                await self._store.change(lambda file: dismiss(file, subject))
            told = said_of(claims, self._oidc.roles_claim)
            raise OidcError(f"[oidc] lists none of what the provider says: {told}", code="oidc_no_role")
        now_ns = self._clock.now_ns()
        return await self._store.change(lambda file: admit(file, person, now_ns))

    async def _in_turn(self, attempt: Attempt, came: Came) -> dict[str, Any]:
        if self._waiting >= WAITING_MOST:
            raise OidcError(f"{WAITING_MOST} others log in just now", code="oidc_busy")
        self._waiting += 1
        try:
            async with self._places:
                return await self._claims(attempt, came)
        finally:
            self._waiting -= 1

    async def _claims(self, attempt: Attempt, came: Came) -> dict[str, Any]:
        """What the provider says of the person."""
        metadata = await self._provider.metadata()
        code = self._code(came.query, metadata)
        tokens = await self._tokens(metadata, code, attempt.verifier, came.redirect_uri)
        id_token = tokens.get("id_token")
        if not isinstance(id_token, str):
            raise OidcError("the provider sent no ID token", code="oidc_token")
        claims = await self._signed(id_token)
        expected = Expected(self._oidc.issuer, self._oidc.client_id, attempt.nonce)
        check_claims(claims, expected, self._wall_s())
        access_token = tokens.get("access_token")
        is_told = claim_at(claims, self._oidc.roles_claim) is not None
        if is_told or not metadata.userinfo_endpoint or not isinstance(access_token, str):
            return claims
        about = await self._provider.fetcher.get(metadata.userinfo_endpoint, access_token)
        if about.get("sub") != claims["sub"]:  # 5.3.2
            raise OidcError("the provider's user info is about somebody else", code="oidc_token")
        return about | claims

    def _code(self, query: Mapping[str, str], metadata: Metadata) -> str:
        issuer = query.get("iss", self._oidc.issuer if not metadata.names_itself else "")
        if issuer != self._oidc.issuer:  # RFC 9207 2.4
            raise OidcError("another provider has answered", code="oidc_token")
        if error := query.get("error", ""):
            code = "oidc_denied" if error in _THE_PERSONS else "oidc_refused"
            raise OidcError(f"the provider says '{_plain(error)}'", code=code)
        code = query.get("code", "")
        if not 0 < len(code) <= _CODE_MOST:
            raise OidcError("the provider sent no code", code="oidc_refused")
        return code

    async def _tokens(
        self, metadata: Metadata, code: str, verifier: str, redirect_uri: str
    ) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        client_id, secret = self._oidc.client_id, self._oidc.client_secret
        if secret and not metadata.posts_secret:
            # RFC 6749 2.3.1: each is form-encoded before it is put together.
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        else:
            form |= {"client_id": client_id} | ({"client_secret": secret} if secret else {})
        status, answer = await self._provider.fetcher.post(metadata.token_endpoint, form, headers)
        if status != 200:
            why = _plain(str(answer.get("error", "")))
            raise OidcError(f"the provider's token endpoint answers {status} '{why}'", code="oidc_refused")
        return answer

    async def _signed(self, id_token: str) -> dict[str, Any]:
        """What it says. Keys that are not known may be new: they are asked for again, but not often."""
        claims = signed_claims(id_token, await self._provider.keys())
        if claims is None:
            claims = signed_claims(id_token, await self._provider.keys(newer=True))
        if claims is None:
            raise OidcError("none of the provider's keys has signed its ID token", code="oidc_token")
        return claims


_THE_PERSONS = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
"""Errors that are no fault of the registration (RFC 6749 4.1.2.1, OpenID Connect Core 1.0, 3.1.2.6)."""


def _plain(text: str) -> str:
    """For the log: error codes hold nothing else (RFC 6749 4.1.2.1)."""
    return "".join(c for c in text[:60] if c.isalnum() or c in "_-. ")
