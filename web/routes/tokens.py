"""Machines' tokens, as an administrator keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from flow.errors import MalformedError, NotFoundError
from web.access import Door, Permission, Route, caller_of, tell_audit
from web.access.accounts import checked_name
from web.access.audit import Action
from web.access.book import Book, Token
from web.access.store import AccessStore
from web.access.tokens import TokenKind, TokenWish, checked_grants, kind_of, make_token, withdraw_token
from web.bodies import JSON, json_body, json_reply
from web.routes.login import NameOf

_ALL = "/api/v1/tokens"
_MS_MOST = 4e12
"""Of a moment: in the year 2096."""

_Name = Annotated[str, Meta(min_length=1, description="Which machine", examples=["Prometheus"])]
_Expires = Annotated[float, Meta(ge=0, le=_MS_MOST)] | None
_Incident = Annotated[str, Meta(max_length=100)] | None


@dataclass(frozen=True, slots=True)
class TokenView:
    """What lets a machine in, without the token itself."""

    id: str
    name: str
    kind: TokenKind
    grants: list[Permission]
    created_ms: float
    by: Annotated[str, Meta(description="Login of who made it, or its id where that account is gone")]
    expires_ms: Annotated[float | None, Meta(description="null: never")]
    expired: bool
    incident_id: Annotated[str | None, Meta(description="It reaches what belongs to it; null: everything")]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Every machine's, by name."""

    tokens: list[TokenView]


@dataclass(frozen=True, slots=True)
class TokenMade:
    """A new one."""

    token: Annotated[str, Meta(description="Shown only now: Authorization: Bearer lbt_…")]
    made: TokenView


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """`grants`: those of the kind, or fewer."""

    name: _Name
    kind: TokenKind
    grants: list[Permission] | None = None
    expires_ms: _Expires = None
    incident_id: _Incident = None


_LIST = Route("GET", _ALL, Permission.ADMINISTER, "Every machine's token", {200: "tokens"}, schema=Tokens)
_MAKE = Route(
    "POST",
    _ALL,
    Permission.ADMINISTER,
    "Make a token for a machine",
    {
        201: "the token, shown only now",
        400: "no name, or what no token may be given",
        404: "no such incident",
        409: "there are too many (tokens_full)",
        503: "the disk refuses; see Retry-After",
    },
    body=JSON,
    body_schema=NewToken,
    schema=TokenMade,
    headers=("Cache-Control",),
    action=Action.MADE,
)
_WITHDRAW = Route(
    "DELETE",
    f"{_ALL}/{{token}}",
    Permission.ADMINISTER,
    "Withdraw a token, by its id",
    {204: "it opens nothing any more", 404: "no such token", 503: "the disk refuses; see Retry-After"},
    media_type="",
    action=Action.REVOKED,
)


def add_token_routes(door: Door, store: AccessStore, incident_name: NameOf) -> None:
    async def every(_: web.Request) -> web.Response:
        book, now_ns = store.book, door.guard.now_ns()
        tokens = sorted(book.tokens.values(), key=lambda each: (each.name, each.created_ns))
        return json_reply(Tokens([token_view(book, each, now_ns) for each in tokens]))

    async def make(request: web.Request) -> web.Response:
        wish, now_ns = await json_body(request, NewToken), door.guard.now_ns()
        grants = checked_grants(wish.kind, wish.grants)
        if wish.incident_id is not None and not await incident_name(wish.incident_id):
            raise NotFoundError("there is no such incident")
        if wish.incident_id is not None and wish.kind is TokenKind.METRICS:
            raise MalformedError("metrics are of the whole house, not of an incident")
        expires_ns = None if wish.expires_ms is None else round(wish.expires_ms * 1e6)
        name, by = checked_name(wish.name), caller_of(request).id
        order = TokenWish(name, grants, by, expires_ns, wish.incident_id)
        token_id, token = await store.change(lambda file: make_token(file, order, now_ns))
        tell_audit(request, token=token_id, name=name, grants=" ".join(sorted(grants)))
        made = next(each for each in store.book.tokens.values() if each.id == token_id)
        response = json_reply(TokenMade(token, token_view(store.book, made, now_ns)), 201)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def withdraw(request: web.Request) -> web.Response:
        token_id = request.match_info["token"]
        tell_audit(request, name=await store.change(lambda file: withdraw_token(file, token_id)))
        return web.Response(status=204)

    door.route(_LIST, every)
    door.route(_MAKE, make)
    door.route(_WITHDRAW, withdraw)


def token_view(book: Book, token: Token, now_ns: int) -> TokenView:
    by = book.accounts.get(token.by)
    return TokenView(
        token.id,
        token.name,
        kind_of(token.grants),
        sorted(token.grants),
        token.created_ns / 1e6,
        by.login if by else token.by,
        token.expires_ns / 1e6 if token.expires_ns is not None else None,
        token.expires_ns is not None and now_ns >= token.expires_ns,
        token.incident_id,
    )
