"""What the table cannot say: own names in the path with what is another's, and credentials that are none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from flow.clock import NS_PER_S
from tests.fakes.offers import RECORDED, recorded
from web.access.recognise import GUEST_COOKIE, SESSION_COOKIE, new_token

from .asking import FRAGMENT, SDP
from .callers import Credentials
from .house import House
from .walk import Walked

PLACE = {"lat_deg": 49, "lon_deg": 7}
WHEP = "/live/{feed}/whep/{session}"


@dataclass(frozen=True, slots=True)
class Crossing:
    """`path` and `wish` are filled in with what is of incident 1, and "foreign_…" of incident 2."""

    letter: str
    method: str
    path: str
    expected: frozenset[int]
    wish: Any = None
    kind: str = "application/json"


GONE, REFUSED = frozenset({404}), frozenset({403, 404})
CROSSINGS = (
    *(Crossing(letter, "GET", f"{WHEP}/rendition", GONE) for letter in "Gi"),
    *(Crossing(letter, "PUT", f"{WHEP}/rendition", GONE, {"rendition": "low"}) for letter in "Gi"),
    *(Crossing(letter, "PATCH", WHEP, GONE, "a=x", FRAGMENT) for letter in "Gi"),
    *(Crossing(letter, "DELETE", WHEP, GONE) for letter in "Gi"),
    *(Crossing(letter, "DELETE", "/live/{pushed}/whip/{session}", GONE) for letter in "SGik"),
    Crossing("i", "POST", "/api/v1/markers", GONE, PLACE | {"feed_id": "{foreign_feed}"}),
    Crossing("i", "POST", "/api/v1/markers", GONE, PLACE | {"id": "{foreign_marker}"}),
    Crossing("i", "PATCH", "/api/v1/incidents/{incident}", REFUSED, {"aircraft_ids": ["{foreign_aircraft}"]}),
    Crossing("i", "PATCH", "/api/v1/incidents/{incident}", REFUSED, {"add_flight_ids": ["{foreign_flight}"]}),
    Crossing("i", "PATCH", "/api/v1/incidents/{incident}", REFUSED, {"flight_ids": ["{foreign_flight}"]}),
    Crossing("i", "GET", "/api/v1/flights/{flight}/feeds/{foreign_feed}", GONE),
    Crossing("i", "GET", "/api/v1/flights/{flight}/feeds/{foreign_feed}/segments/1.mp4", GONE),
    Crossing("i", "GET", "/api/v1/flights/{flight}/feeds/..%2f{foreign_flight}%2f{foreign_feed}", GONE),
    Crossing("i", "GET", "/api/v1/flights/{flight}%2f..%2f{foreign_flight}", GONE),
    Crossing("i", "GET", "/api/v1/exports?flight={foreign_flight}", REFUSED),
    Crossing("G", "GET", "/api/v1/feeds/{feed}%2f..%2f{foreign_feed}/still.jpg", GONE),
)


async def cross(house: House, walked: Walked) -> None:
    """Try them all; what must not be reached is still there afterwards."""
    session = await _foreign_session(house)
    own, foreign = house.wards
    names = {
        "feed": own.feed, "pushed": own.pushed, "flight": own.flight, "incident": own.incident,
        "session": session, "foreign_feed": foreign.feed, "foreign_aircraft": foreign.aircraft,
        "foreign_flight": foreign.flight, "foreign_marker": foreign.marker,
    }  # fmt: skip
    for crossing in CROSSINGS:
        status, body = await _ask(house, house.callers[crossing.letter], crossing, names)
        told = f"{crossing.letter}: {crossing.method} {crossing.path} {crossing.wish}: {status} {body[:99]!r}"
        allowed = crossing.expected | (
            {200} if "?flight=" in crossing.path and _is_empty(body) else frozenset()
        )
        walked.check(status in allowed, told)
    path = f"/live/{foreign.feed}/whep/{session}"
    status, _ = await _request(house, house.callers["A"], "DELETE", path)
    walked.check(status == 200, f"somebody of another incident has ended a viewer's session: {status}")


def _is_empty(body: bytes) -> bool:
    return body.replace(b" ", b"") == b'{"exports":[]}'


async def impostors(house: House, walked: Walked) -> None:
    """Credentials that were valid once, or for something else, or never."""
    registry, path = house.registry, f"/api/v1/feeds/{house.wards[0].feed}"
    link = await registry.link(house.wards[0].incident)
    guest = await registry.guest("G", link)
    status, _ = await _request(house, guest, "GET", path)
    await registry.revoke(link)
    gone, _ = await _request(house, guest, "GET", path)
    walked.check((status in (200, 404), gone) == (True, 401), f"a revoked link: {status}, then {gone}")
    for name, headers in _impostors(house).items():
        status, body = await _request(house, Credentials("S", headers), "GET", path)
        walked.check(status == 401, f"{name}: {status} {body[:160]!r}")


def _impostors(house: House) -> dict[str, Mapping[str, str]]:
    session = house.callers["D"].headers["Cookie"].partition("=")[2]
    guest = house.callers["G"].headers["Cookie"].partition("=")[2]
    token = house.callers["t"].headers["Authorization"]
    secret, _, signature = session.partition(".")
    return {
        "a session as a guest's": {"Cookie": f"{GUEST_COOKIE}={session}"},
        "a guest's as a session": {"Cookie": f"{SESSION_COOKIE}={guest}"},
        "another signature": {"Cookie": f"{SESSION_COOKIE}={secret}.{signature[::-1]}"},
        "no signature": {"Cookie": f"{SESSION_COOKIE}={secret}"},
        "another secret": {"Cookie": f"{SESSION_COOKIE}={secret[::-1]}.{signature}"},
        "an empty cookie": {"Cookie": f"{SESSION_COOKIE}="},
        "a token that nobody has": {"Authorization": f"Bearer {new_token()}"},
        "a token cut short": {"Authorization": token[:-1]},
        "a token with more behind it": {"Authorization": f"{token}A"},
        "a token as a password": {"Authorization": f"Basic {token.partition(' ')[2]}"},
        "a token in the cookie": {"Cookie": f"{SESSION_COOKIE}={token.partition(' ')[2]}"},
        "an id for a session": {"Cookie": f"{SESSION_COOKIE}={house.callers['D'].id}"},
        "a publisher's key": {"Authorization": f"Bearer {house.wards[0].key}"},
        "the machine's own address in a header": {"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1"},
        "another name of the header": {"X-Forwarded-User": "admin", "Remote-User": "admin"},
    }


async def expired(house: House, walked: Walked) -> None:
    """Sessions, tokens and links whose time is over let nobody in."""
    path = f"/api/v1/feeds/{house.wards[0].feed}"
    for table, credentials in (
        ("sessions", await house.registry.device(house.callers["D"])),
        ("tokens", await house.registry.token("t", frozenset({"watch"}))),
    ):
        before, _ = await _request(house, credentials, "GET", path)
        await house.registry.expire(table, credentials, house.service.clock.now_ns() - NS_PER_S)
        after, _ = await _request(house, credentials, "GET", path)
        walked.check((before, after) == (200, 401), f"{table} whose time is over: {before}, then {after}")


async def _foreign_session(house: House) -> str:
    """Of somebody who watches the feed of incident 2."""
    headers = {"Content-Type": SDP}
    how = {"data": recorded(RECORDED[0]), "headers": headers}
    async with _client(house, house.callers["A"]) as http:
        async with http.post(f"/live/{house.wards[1].feed}/whep", **how) as reply:  # type: ignore[arg-type]
            assert reply.status == 201, await reply.text()
            return reply.headers["Location"].rpartition("/")[2]


async def _ask(
    house: House, caller: Credentials, crossing: Crossing, names: Mapping[str, str]
) -> tuple[int, bytes]:
    how: dict[str, Any] = {}
    if isinstance(crossing.wish, str):
        how = {"data": crossing.wish, "headers": {"Content-Type": crossing.kind}}
    elif crossing.wish is not None:
        how = {"json": {key: _filled(value, names) for key, value in crossing.wish.items()}}
    return await _request(house, caller, crossing.method, crossing.path.format(**names), **how)


def _filled(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [each.format(**names) for each in value]
    return value.format(**names) if isinstance(value, str) else value


async def _request(
    house: House, caller: Credentials, method: str, path: str, **how: Any
) -> tuple[int, bytes]:
    async with asyncio.timeout(20), _client(house, caller) as http:
        url = URL(house.service.url.rstrip("/") + path, encoded=True)
        async with http.request(method, url, allow_redirects=False, **how) as reply:
            return reply.status, await reply.read()


def _client(house: House, caller: Credentials) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        house.service.url,
        connector=aiohttp.TCPConnector(local_addr=(caller.address, 0)),
        headers=caller.headers,
        cookie_jar=aiohttp.DummyCookieJar(),
    )
