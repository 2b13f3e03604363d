from __future__ import annotations

import pytest

from flow.errors import MalformedError
from ingest.protocol.rtsp_messages import (
    BODY_LIMIT_BYTES,
    HEAD_LIMIT_BYTES,
    Interleaved,
    Message,
    MessageParser,
    Request,
    Response,
    serialize_request,
    serialize_response,
)

ANSWER = (
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Base: rtsp://192.0.2.7/main/\r\n"
    b"content-type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n"
)
FRAME = b"$\x00\x00\x04\x80\x60\x00\x01"
ASKED = b"OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n"


def read(data: bytes, *, step: int) -> list[Message]:
    parser = MessageParser()
    return [
        message for start in range(0, len(data), step) for message in parser.push(data[start : start + step])
    ]


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_messages_come_out_however_they_are_cut(step: int) -> None:
    answer, frame, asked, last = read(ANSWER + FRAME + ASKED + b"\r\n\r\n" + FRAME, step=step)
    assert isinstance(answer, Response)
    assert (answer.status, answer.body) == (200, b"v=0\r\n")
    assert answer.headers.first("Content-Type") == "application/sdp"
    assert answer.headers.first("content-base") == "rtsp://192.0.2.7/main/"
    assert frame == last == Interleaved(0, b"\x80\x60\x00\x01")
    assert isinstance(asked, Request)
    assert (asked.method, asked.headers.first("CSEQ"), asked.body) == ("OPTIONS", "7", b"")


def test_a_frame_is_given_out_with_its_last_byte() -> None:
    parser = MessageParser()
    assert parser.push(FRAME[:-1]) == []
    assert parser.push(FRAME[-1:]) == [Interleaved(0, b"\x80\x60\x00\x01")]


def test_bare_line_feeds_folded_lines_and_repeated_fields_are_read() -> None:
    (answer,) = read(
        b"RTSP/1.0 401 Unauthorized\nWWW-Authenticate: Digest\n realm=x\nWWW-Authenticate: Basic\nodd\n\n",
        step=100,
    )
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert answer.headers.all("www-authenticate") == ["Digest realm=x", "Basic"]
    assert answer.headers.first("CSeq") == ""


def test_what_is_written_is_read_again() -> None:
    fields = {"CSeq": "3", "Session": "äöü"}
    (asked,) = read(serialize_request("PLAY", "rtsp://192.0.2.7/main", fields), step=5)
    (answer,) = read(serialize_response("501 Not Implemented", fields), step=5)
    assert isinstance(asked, Request)
    assert isinstance(answer, Response)
    assert (asked.method, answer.status) == ("PLAY", 501)
    assert asked.headers.first("Session") == answer.headers.first("Session") == "äöü"
    assert Interleaved(3, b"abc").serialize() == b"$\x03\x00\x03abc"


@pytest.mark.parametrize(
    "data",
    [
        b"\x00",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"RTSP/1.0 OK\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 1e3\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: \xc2\xb2\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        f"RTSP/1.0 200 OK\r\nContent-Length: {BODY_LIMIT_BYTES + 1}\r\n\r\n".encode(),
        b"A" * HEAD_LIMIT_BYTES,
        b"RTSP/1.0 200 OK\r\n" + b"a: b\r\n" * (HEAD_LIMIT_BYTES // 6),
    ],
)
def test_what_is_no_rtsp_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        MessageParser().push(data)


def test_nothing_is_held_but_one_message() -> None:
    parser = MessageParser()
    for _ in range(1000):
        parser.push(b"\r\n" * 500)
        parser.push(FRAME)
    held = sum(len(value) for value in vars(parser).values() if isinstance(value, bytes))
    assert held == 0
