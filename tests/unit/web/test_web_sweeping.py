"""Answers that are being given end when whoever asked may no longer; changes that he asked for are made."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from flow.clock import SystemClock
from flow.errors import NotFoundError
from tests.fakes.access import Open
from tests.fakes.relay_door import SESSION, FakeRelay
from web.access import Door, ForbiddenError, Permission, Route, Scope
from web.access.caller import Caller, CallerKind
from web.access.policy import GUEST
from web.access.presence import Presence, Stay, Way
from web.access.recognise import LOCAL
from web.whep_sessions import WhepSessions

ONE = Caller(CallerKind.GUEST, "g-1", "ELW 1", GUEST, "brand")
TWO = Caller(CallerKind.GUEST, "g-2", "ELW 2", GUEST, "brand")


@pytest.mark.parametrize(
    ("method", "permission", "is_cut"),
    [
        ("GET", Permission.REVIEW, True),
        ("POST", Permission.KEEP, False),
        ("GET", Permission.PUBLIC, False),
    ],
)
async def test_a_download_is_cut_off(method: str, permission: Permission, is_cut: bool) -> None:
    app, presence, go_on = web.Application(), Presence(SystemClock()), asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 8
        await response.prepare(request)
        await response.write(b"half")
        await go_on.wait()
        await response.write(b"more")
        return response

    door = Door(app, Open(), presence=presence)
    door.route(Route(method, "/flights/{flight}", permission, "x", {200: "x"}), slow)
    async with TestClient(TestServer(app)) as client:
        async with client.request(method, "/flights/f-1") as reply:
            assert await reply.content.readexactly(4) == b"half"
            assert presence.here() == []  # nobody is told of downloads
            assert presence.sweep(lambda stay: False) == int(is_cut)
            go_on.set()
            if is_cut:
                with pytest.raises(aiohttp.ClientError):
                    await reply.read()
            else:
                assert await reply.read() == b"more"
    assert presence.sweep(lambda stay: False) == 0


async def test_what_is_downloaded_is_held_against_what_the_route_is_about() -> None:
    presence = Presence(SystemClock())
    asked: list[tuple[Permission, Scope, dict[str, str]]] = []
    named = {"flight": "f-1", "feed": "tag"}

    def rule(stay: Stay) -> bool:
        asked.append((stay.permission, stay.scope, dict(stay.named)))
        return True

    presence.rule = rule
    presence.download(LOCAL, lambda: None, Permission.REVIEW, Scope.FLIGHT, named)()
    assert asked == [(Permission.REVIEW, Scope.FLIGHT, named)]


async def test_a_session_that_ends_by_itself_is_known_to_have_left() -> None:
    relay, presence = FakeRelay(), Presence(SystemClock())
    sessions = WhepSessions(relay, presence)
    await sessions.open(ONE, "tag", "", "")
    assert [(stay.caller.name, stay.way) for stay in presence.here()] == [("ELW 1", Way.PICTURE)]
    sessions.check(ONE, SESSION, "tag")
    for caller, feed in ((TWO, "tag"), (LOCAL, "tag"), (ONE, "nacht")):
        with pytest.raises(NotFoundError):
            sessions.check(caller, SESSION, feed)
    for over in relay.over.pop(SESSION):
        over()
    assert presence.here() == []
    with pytest.raises(NotFoundError):
        sessions.check(ONE, SESSION, "tag")


async def test_who_may_no_longer_when_his_offer_is_answered_gets_no_session() -> None:
    relay, presence = FakeRelay(), Presence(SystemClock())
    presence.rule = lambda stay: False
    with pytest.raises(ForbiddenError):
        await WhepSessions(relay, presence).open(ONE, "tag", "", "")
    assert (relay.ended, presence.here()) == ([SESSION], [])
