"""WHIP over HTTP (RFC 9725): where the key may be, what is answered, and what whoever is refused is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from flow.errors import (
    BusyError,
    LagebildError,
    OfferError,
    RefusedError,
    TooManyError,
    UnacceptableError,
)
from tests.fakes.access import open_door
from tests.fakes.relay_door import FakeRelay
from web.errors import errors_to_http
from web.metrics import Refused
from web.openapi import describe
from web.routes.publish import add_publish_routes

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
URL = "/live/tag/whip"
SESSION = f"{URL}/0123456789"
ETAG = '"01234567"'
CANDIDATES = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n"

Client = TestClient[web.Request, web.Application]


@asynccontextmanager
async def front_door(relay: FakeRelay, refused: Refused | None = None) -> AsyncIterator[Client]:
    app = web.Application(middlewares=[errors_to_http])
    add_publish_routes(open_door(app), relay, {} if refused is None else refused)
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_an_offer_is_answered_with_where_the_session_is() -> None:
    relay = FakeRelay()
    async with front_door(relay) as client:
        reply = await client.post(URL, data="v=0", headers=SDP | {"Authorization": "Bearer k3y"})
        assert (reply.status, reply.content_type, await reply.text()) == (201, "application/sdp", "v=0\r\n")
        assert (reply.headers["Location"], reply.headers["ETag"]) == (SESSION, ETAG)
    assert relay.published == [("tag", "k3y", "127.0.0.1")]


@pytest.mark.parametrize(
    ("query", "headers", "key"),
    [
        ("", {}, ""),
        ("?key=k3y", {}, "k3y"),
        ("", {"Authorization": "bearer k3y"}, "k3y"),
        ("?key=old", {"Authorization": "Bearer k3y"}, "k3y"),
        ("?key=k3y", {"Authorization": "Basic dTpw"}, "k3y"),
        ("", {"Authorization": "Bearer"}, ""),
    ],
)
async def test_the_key_is_a_bearer_token_or_in_the_address(
    query: str, headers: dict[str, str], key: str
) -> None:
    relay = FakeRelay()
    async with front_door(relay) as client:
        reply = await client.post(URL + query, data="v=0", headers=SDP | headers)
        assert "key" not in reply.headers["Location"]
    assert relay.published == [("tag", key, "127.0.0.1")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RefusedError("x", code="key_missing"), 401),
        (RefusedError("x", code="key_wrong"), 401),
        (RefusedError("x", code="key_foreign"), 403),
        (RefusedError("x", code="feed_busy"), 409),
        (RefusedError("x", code="not_pushed"), 409),
        (UnacceptableError("x"), 406),
        (OfferError("x"), 400),
        (TooManyError("x"), 429),
        (BusyError("x"), 503),
    ],
)
async def test_each_refusal_has_its_status_and_code_and_is_counted(error: LagebildError, status: int) -> None:
    refused: Refused = {"tag": Counter()}
    async with front_door(FakeRelay(refuse=error), refused) as client:
        reply = await client.post(f"{URL}?key=s3cret", data="v=0", headers=SDP)
        told = await reply.text()
        assert (reply.status, (await reply.json())["error"]["code"]) == (status, error.code)
        assert reply.headers.get("WWW-Authenticate", "").startswith("Bearer" if status == 401 else "")
        assert ("WWW-Authenticate" in reply.headers) is (status == 401)
    assert refused == {"tag": Counter({error.code: 1})}
    assert "s3cret" not in told


async def test_what_is_no_sdp_reaches_nobody() -> None:
    relay = FakeRelay()
    async with front_door(relay) as client:
        reply = await client.post(URL, data="v=0")
        assert (reply.status, (await reply.json())["error"]["code"]) == (415, "media_type")
        assert (await client.post(URL, data="v=0" * 40_000, headers=SDP)).status == 400
    assert relay.published == []


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        (FRAGMENT | {"If-Match": ETAG}, CANDIDATES, 204, None),
        (FRAGMENT, CANDIDATES, 428, "if_match"),
        (FRAGMENT | {"If-Match": '"otherone"'}, CANDIDATES, 412, "if_match"),
        (FRAGMENT | {"If-Match": "*"}, CANDIDATES, 422, "ice_restart"),
        (FRAGMENT | {"If-Match": ETAG}, "what?", 400, "bad_offer"),
        (SDP | {"If-Match": ETAG}, CANDIDATES, 415, "media_type"),
    ],
)
async def test_candidates_are_taken_and_a_restart_is_not(
    headers: dict[str, str], body: str, status: int, code: str | None
) -> None:
    async with front_door(FakeRelay()) as client:
        reply = await client.patch(SESSION, data=body, headers=headers)
        assert reply.status == status
        assert code is None or (await reply.json())["error"]["code"] == code
        assert "ETag" not in reply.headers


async def test_leaving_options_and_every_other_method() -> None:
    async with front_door(FakeRelay()) as client:
        assert (await client.delete(SESSION, headers={"If-Match": '"old"'})).status == 200
        options = await client.options(URL)
        assert (options.status, options.headers["Accept-Post"]) == (200, "application/sdp")
        for method, url, allowed in (("GET", URL, "OPTIONS,POST"), ("POST", SESSION, "DELETE,PATCH")):
            reply = await client.request(method, url)
            assert (reply.status, reply.headers["Allow"]) == (405, allowed)


async def test_pages_of_elsewhere_may_not_publish() -> None:
    relay = FakeRelay()
    async with front_door(relay) as client:
        reply = await client.post(URL, data="v=0", headers=SDP | {"Origin": "http://evil.example"})
        assert reply.status == 403
    assert relay.published == []


def test_the_description_says_where_the_key_goes() -> None:
    door = open_door(web.Application())
    add_publish_routes(door, FakeRelay(), {})
    description = describe(door.routes)
    post = description["paths"]["/live/{feed}/whip"]["post"]
    asked = {name for either in post["security"] for name in either}
    assert asked == {"key", "keyInAddress"} <= set(description["components"]["securitySchemes"])
    assert {"201", "401", "403", "406", "409", "415", "429"} <= set(post["responses"])
    assert set(description["paths"]["/live/{feed}/whip/{session}"]) == {"patch", "delete"}
