"""Requests that are no HTTP, with a key in them: the key is in no log record and in no answer."""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from web.publish_keys import PublishKeys
from web.service import Running, running_service
from web.settings import (
    AircraftSettings,
    FeedSettings,
    PublishingSettings,
    RecordingSettings,
    ServerSettings,
    Settings,
    WebRtcSettings,
)

FEED = "f-whip"
SDP = "Content-Type: application/sdp"
ANSWER_WITHIN_S = 0.3
"""A request without an end is not answered; nothing depends on how long that is waited for."""


def requests(key: str) -> Iterator[bytes]:
    """Everything that a phone, an encoder or somebody with a hand-written client gets wrong."""
    target, keyed = f"/live/{FEED}/whip", f"/live/{FEED}/whip?key={key}"
    bearer = f"Authorization: Bearer {key}"
    heads = [
        f"Authorization Bearer {key}",  # no colon
        f"{bearer}\x01",
        f"{bearer}\x00",
        f"{bearer}\x7f",
        f" {bearer}",  # a header line that continues nothing
        f"{bearer}\r\n folded {key}",
        f"Authorization : Bearer {key}",
        f": {bearer}",
        f"{key}",
        f"{bearer}\rX: y",
        f"{bearer}\nX {key}",
        f"{bearer}{key * 500}",  # longer than a line may be
        f"{bearer}\r\nContent-Length: {key}",
        f"{bearer}\r\nContent-Length: -1",
        f"{bearer}\r\nContent-Length: 3\r\nContent-Length: 4",
        f"{bearer}\r\nTransfer-Encoding: {key}",
        f"{bearer}\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
        f"{bearer}\r\nContent-Encoding: {key}",
        f"{bearer}\r\nCookie: {key}=\x80; {key}",
        f"{bearer}\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: {key}",
        f"{bearer}\r\nExpect: {key}",
        "\r\n".join([bearer, *(f"X-{n}: {key}" for n in range(200))]),
        f"Authorization: Basic {key}\r\nContent-Type: {key}",
    ]
    for head in heads:
        yield f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode("latin-1")
    lines = [
        f"POST {keyed} HTTP/9.9",
        f"POST {keyed} HTTP/1.1 {key}",
        f"POST {keyed} {key}",
        f"POST {keyed}",
        f"POST {keyed}\x01 HTTP/1.1",
        f"POST {keyed}\xff\xfe HTTP/1.1",
        f"POST {keyed}%zz%ff%00 HTTP/1.1",
        f"POST http://[{keyed} HTTP/1.1",
        f"POST http://localhost:{key}{keyed} HTTP/1.1",
        f"POST //{keyed} HTTP/1.1",
        f"POST {keyed}#{key} HTTP/1.1",
        f"P@ST {keyed} HTTP/1.1",
        f"{key} {keyed} HTTP/1.1",
        f"P({key}) {keyed} HTTP/1.1",
        f"post {keyed} http/1.1",
        f"CONNECT {key}:80 HTTP/1.1",
        f"OPTIONS {key} HTTP/1.1",
        f"POST {keyed + 'k' * 9000} HTTP/1.1",
        f"GET {keyed} HTTP/1.1",
        f"POST /?key={key} HTTP/1.1",
        f"GET /nowhere?key={key} HTTP/1.1",
        f"ANNOUNCE rtsp://localhost/live/{FEED}?key={key} RTSP/1.0",
    ]
    for line in lines:
        yield f"{line}\r\nHost: localhost\r\n{bearer}\r\n{SDP}\r\n\r\n".encode("latin-1")
    full = f"POST {target} HTTP/1.1\r\nHost: localhost\r\n{bearer}\r\n{SDP}\r\n"
    chunked, gzip = f"{full}Transfer-Encoding: chunked\r\n\r\n", f"{full}Content-Encoding: gzip\r\n"
    yield f"{chunked}{key}\r\n{key}".encode()
    yield f"{chunked}5;{key * 500}\r\n".encode()
    yield f"{chunked}5\r\nabcde{key}\r\n0\r\n\r\n".encode()
    yield f"{chunked}0\r\nX {key}\r\n\r\n".encode()
    yield f"{gzip}Content-Length: {len(key)}\r\n\r\n{key}".encode()
    yield f"{full}Content-Length: 5\r\n\r\nabcde{key} / {key}\r\n\r\n".encode()  # and another after it
    yield f"{full}Content-Length: 2\r\n\r\n\xff\xfe".encode("latin-1")
    yield f"{full.replace('sdp', 'sdp; charset=' + key)}Content-Length: 2\r\n\r\nab".encode()
    whole = f"{full}Content-Length: 0\r\n\r\n".encode()
    chance = random.Random(4)
    for _ in range(40):  # a byte wrong somewhere, or the rest missing
        at = chance.randrange(len(whole))
        yield whole[:at] + chance.randbytes(1) + whole[at + chance.randrange(2) :]


async def answered(service: Running, request: bytes) -> bytes:
    """All that the service says to it."""
    at = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    said = b""
    try:
        writer.write(request)
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(ANSWER_WITHIN_S):
                while data := await reader.read(65_536):
                    said += data
    finally:
        writer.transport.abort()
    return said


def all_of(record: logging.LogRecord) -> str:
    """Whatever a handler may print of it."""
    trace = "".join(traceback.format_exception(record.exc_info[1])) if record.exc_info else ""
    return f"{record.getMessage()} {record.args!r} {record.__dict__!r} {trace}"


def house(data_dir: Path) -> Settings:
    return Settings(
        ServerSettings(port=0, data_dir=str(data_dir)),
        webrtc=WebRtcSettings(port=0),
        publish=PublishingSettings(rtmp_port=0, srt_port=0),
        aircraft=(AircraftSettings("x", feed=(FeedSettings(FEED, "whip"),)),),
        recording=RecordingSettings(enabled=False),
    )


async def test_a_key_in_a_malformed_request_is_written_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = PublishKeys(tmp_path).make(FEED)
    async with running_service(house(tmp_path)) as service:
        forms = list(requests(key))
        answers = await asyncio.gather(*(answered(service, form) for form in forms))
    told = [form for form, said in zip(forms, answers, strict=True) if key.encode() in said]
    assert not told, "an answer repeats the key"
    logged = [all_of(record) for record in caplog.records]
    assert not [entry for entry in logged if key in entry], "the log has the key"
    statuses = {said.split(b" ")[1] for said in answers if said}
    assert b"400" in statuses
    assert b"500" not in statuses
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]
    malformed = [record for record in caplog.records if "no HTTP" in record.getMessage()]
    assert 1 <= len(malformed) <= 3, "a flood of lines"
    assert "127.0.0.1" in malformed[0].getMessage()
