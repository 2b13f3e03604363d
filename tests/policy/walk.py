"""The walk: every line of the table, every caller, inside and outside of his incident, at a real service."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from .asking import UNKNOWN, how
from .callers import Credentials
from .expected import CALLERS, Line
from .house import House, Ward

ABOUT = ("1", "2", "1, running", "2, running")
BOUND = "Gi"
"""Those who are bound to incident 1."""
ANSWERED_WITHIN_S = 20.0
_TEXT = ("json", "text", "xml", "kml", "gpx", "csv", "markdown", "event-stream")


@dataclass(slots=True)
class Walked:
    """How many single expectations were held against the service, and which were not met."""

    checked: int = 0
    violations: list[str] = field(default_factory=list)

    def check(self, holds: bool, told: str) -> None:
        self.checked += 1
        if not holds:
            self.violations.append(told)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    location: str = ""
    is_text: bool = True

    def letter(self, allowed: frozenset[int]) -> str:
        """As in the table; what is none of them stands for itself."""
        if self.status in allowed and not self.location.startswith("/login"):
            return "+"
        to_login = self.status == 303 and self.location.startswith("/login")
        return "L" if to_login else {401: "L", 403: "F", 404: "H"}.get(self.status, f"?{self.status}")


async def walk(house: House, table: Iterable[Line]) -> Walked:
    """All of it, one request after the other."""
    walked = Walked()
    async with contextlib.AsyncExitStack() as stack:
        asked = {
            letter: Asking(house, await stack.enter_async_context(_session(house, each)), each)
            for letter, each in house.callers.items()
        }
        for line in table:
            for number, column in enumerate(line.columns):
                for letter, asking in asked.items():
                    await _step(walked, asking, line, number, column[CALLERS.index(letter)])
    return walked


async def _step(walked: Walked, asking: Asking, line: Line, number: int, expected: str) -> None:
    """One caller, one route, one thing that it is about."""
    ward = asking.house.wards[number % 2]
    names = await asking.names(line, ward, is_running=number > 1, is_allowed=expected == "+")
    answer = await asking.ask(line, names)
    who = f"{asking.caller.letter}: {line.channel} {line.path} of {ABOUT[number]}"
    got = answer.letter(line.statuses)
    walked.check(got == expected, f"{who}: {got} for {expected}: {answer.status} {answer.body[:160]!r}")
    if asking.caller.letter in BOUND and got == "+" and answer.is_text:
        told = sorted(word for word in asking.house.foreign if word and word.encode() in answer.body)
        walked.check(not told, f"{who}: it tells of {told}: {answer.body[:2000]!r}")
    if expected == "H":
        unknown = await asking.ask(line, _unknown(names))
        same = (unknown.status, unknown.body) == (answer.status, answer.body)
        walked.check(same, f"{who}: another answer than for what there is not: {unknown.body[:160]!r}")
    if got in "LFH":
        told = [name for name in (ward.incident, ward.running, ward.export) if name.encode() in answer.body]
        walked.check(not told, f"{who}: the refusal tells of {told}")


def _unknown(names: dict[str, str]) -> dict[str, str]:
    """Nothing of it is there, but of the same form."""
    return {name: value if name in ("number", "piece") else UNKNOWN for name, value in names.items()}


class Asking:
    """One caller at the door."""

    def __init__(self, house: House, http: aiohttp.ClientSession, caller: Credentials) -> None:
        self.house, self.caller, self._http = house, caller, http
        self._used = itertools.count()

    async def names(self, line: Line, ward: Ward, *, is_running: bool, is_allowed: bool) -> dict[str, str]:
        """What the path is filled in with; things that are used up are made anew where he may use them."""
        names = {
            "feed": ward.pushed if "whip" in line.path else ward.feed,
            "aircraft": ward.aircraft,
            "flight": ward.running if is_running else ward.flight,
            "incident": ward.incident,
            "export": ward.export,
            "marker": ward.marker,
            "number": "1",
            "piece": "0",
            "session": UNKNOWN,
            "note": UNKNOWN,
            **dict.fromkeys(("name", "link", "guest", "account", "token"), UNKNOWN),
        }
        if is_allowed and "whep/{session}" in line.path:
            names["session"] = await self._watching(ward)
        if is_allowed and line.route == ("DELETE", "/api/v1/markers/{marker}"):
            names["marker"] = await self._made("/api/v1/markers", _marker(ward))
        if is_allowed and line.route == ("DELETE", "/api/v1/exports/{export}"):
            wish = {"by": "Kern", "parts": ["csv"]}
            names["export"] = await self._made(f"/api/v1/flights/{ward.flight}/exports", wish)
        return names

    async def ask(self, line: Line, names: Mapping[str, str]) -> Answer:
        path = line.path.format(**names)
        arguments = how(line.channel, line.path, dict(names))
        if line.path == "/api/v1/logout":  # on another device: this one is still needed
            arguments["headers"] = await self.house.another_device(self.caller)
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            if line.channel == "WS":
                return await self._socket(path)
            answer = await self._request(line.route[0], path, line.channel == "SSE", arguments)
        await self._leave(line, answer)
        return answer

    async def _request(self, method: str, path: str, streams: bool, how: Mapping[str, Any]) -> Answer:
        async with self._http.request(method, path, allow_redirects=False, **how) as reply:
            if streams and reply.status == 200:
                body = await _events(reply)
            else:
                body = await reply.read()
            is_text = any(kind in reply.content_type for kind in _TEXT)
            return Answer(reply.status, body, reply.headers.get("Location", ""), is_text)

    async def _socket(self, path: str) -> Answer:
        """Everything that is told until a question about the time is answered, or for the aircraft's, which
        hears nothing, the first sample."""
        try:
            async with self._http.ws_connect(path) as socket:
                return Answer(101, await _messages(socket, asks="/feeds/" in path))
        except aiohttp.WSServerHandshakeError as refused:
            return Answer(refused.status, b"")

    async def _leave(self, line: Line, answer: Answer) -> None:
        """End a session that was opened: places are few."""
        if line.channel == "POST" and answer.status == 201 and line.path.startswith("/live/"):
            await self._request("DELETE", answer.location, False, {})

    async def _watching(self, ward: Ward) -> str:
        """A session of his own; the answer to the line proper ends it, or the relay does."""
        arguments = how("POST", "/live/{feed}/whep", {})
        answer = await self._request("POST", f"/live/{ward.feed}/whep", False, arguments)
        return answer.location.rpartition("/")[2] or UNKNOWN

    async def _made(self, path: str, wish: Mapping[str, Any]) -> str:
        async with self._http.post(path, json=wish) as reply:
            return str((await reply.json()).get("id", UNKNOWN))


def _marker(ward: Ward) -> dict[str, Any]:
    return {"lat_deg": 49.4, "lon_deg": 7.7, "aircraft_id": ward.aircraft}


async def _events(reply: aiohttp.ClientResponse) -> bytes:
    """Until the first sample."""
    told = b""
    while b"event: telemetry" not in told or not told.endswith(b"\n\n"):
        told += await reply.content.readany()
    return told


async def _messages(socket: aiohttp.ClientWebSocketResponse, *, asks: bool) -> bytes:
    told, last = b"", b'"type":"time"' if asks else b'"type":"telemetry"'
    if asks:
        await socket.send_str('{"type":"time","t0":1.0}')
    while last not in told:
        message = await socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            return told
        told += str(message.data).encode() + b"\n"
    return told


@contextlib.asynccontextmanager
async def _session(house: House, caller: Credentials) -> AsyncIterator[aiohttp.ClientSession]:
    """From an address of its own: what is counted by address is counted for each."""
    connector = aiohttp.TCPConnector(local_addr=(caller.address, 0))
    async with aiohttp.ClientSession(
        house.service.url, connector=connector, headers=caller.headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as http:
        yield http
