"""Whatever a server says: the client ends with one of its own errors, holds little, and tells no secret."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.clock import NS_PER_S
from flow.codec.reception import Reception
from flow.errors import LagebildError, MalformedError, SourceError
from ingest.protocol.rtsp_auth import Authenticator, Credentials
from ingest.protocol.rtsp_client import RtspClient, Step
from ingest.protocol.rtsp_messages import (
    BODY_LIMIT_BYTES,
    HEAD_LIMIT_BYTES,
    Interleaved,
    MessageParser,
)
from ingest.protocol.rtsp_transport import granted, session_id
from ingest.protocol.rtsp_url import RtspUrl
from ingest.protocol.session_description import describe

RUNS = 40
SDP = (
    "v=0\r\nc=IN IP4 0.0.0.0\r\na=control:*\r\nm=video 0 RTP/AVP 96\r\na=control:t2\r\n"
    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;"
    "sprop-parameter-sets=Z2QAKKzZQHgCJ+XARA==,aOvjyw==\r\n"
)
ANSWERS = (
    b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n"
    b'WWW-Authenticate: Digest realm="c", nonce="n", qop="auth"\r\n\r\n',
    b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nPublic: OPTIONS, GET_PARAMETER\r\n\r\n",
    f"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Base: rtsp://192.0.2.7/main/\r\n"
    f"Content-Length: {len(SDP)}\r\n\r\n{SDP}".encode(),
    b"RTSP/1.0 200 OK\r\nCSeq: 4\r\nSession: 1234;timeout=60\r\n"
    b"Transport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n",
    b"RTSP/1.0 200 OK\r\nCSeq: 5\r\nSession: 1234\r\n\r\n",
    *(Interleaved(number % 2, bytes(40)).serialize() for number in range(10)),
    b"OPTIONS rtsp://192.0.2.1/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
)


def check(error: LagebildError) -> None:
    """One line, and no secret."""
    assert "geheim" not in str(error)
    assert "\n" not in str(error)


def talked(data: list[bytes]) -> tuple[RtspClient, LagebildError | None]:
    client = RtspClient(RtspUrl.parse("rtsp://admin:geheim@192.0.2.7/main"), "c" * 32, may_change=False)
    client.start(None, 0)
    for number, part in enumerate(data):
        try:
            client.receive(part, number * NS_PER_S // 10)
            client.tick(number * NS_PER_S // 10)
        except LagebildError as error:
            check(error)
            return client, error
        assert b"geheim" not in client.data_to_send()
    return client, None


def test_unharmed_they_lead_to_the_pictures() -> None:
    client, error = talked(list(ANSWERS))
    assert (client.step, error) == (Step.PLAYING, None)


@pytest.mark.parametrize("seed", range(RUNS))
def test_mutated_answers(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(20):
        whole = bytearray(b"".join(ANSWERS))
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(whole))
            match chance.randrange(3):
                case 0:
                    whole[at] = chance.randrange(256)
                case 1:
                    del whole[at : at + chance.randrange(1, 40)]
                case _:
                    whole[at:at] = chance.randbytes(chance.randrange(1, 40))
        size = chance.randrange(1, 200)
        talked([bytes(whole[start : start + size]) for start in range(0, len(whole), size)])


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_bytes_at_all(parts: list[bytes]) -> None:
    talked(parts)
    parser, held = MessageParser(), 0
    for part in parts:
        try:
            parser.push(b"$\x00" + part)
        except MalformedError:
            break
        held = max(held, sum(len(value) for value in vars(parser).values() if isinstance(value, bytes)))
    assert held <= HEAD_LIMIT_BYTES + BODY_LIMIT_BYTES


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(alphabet='Digest Basic,="\\realm nonceqopauth-SHA256MD5\u00e4\n', max_size=200))
def test_any_challenge_at_all(text: str) -> None:
    authenticator = Authenticator(Credentials("u", "geheim"), "c")
    for tries in (1, 2, 3):
        authenticator.challenged([text], tries)
        assert "geheim" not in authenticator.authorization("PLAY", "rtsp://h/")


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.text(max_size=200), st.integers(0, len(SDP)), st.text(max_size=60))
def test_any_description_and_header_at_all(inserted: str, at: int, header: str) -> None:
    granted(header, True)
    session_id(header)
    try:
        description = describe(SDP[:at] + inserted + SDP[at:], f"rtsp://h/{header}", "rtsp://h/")
    except SourceError as error:
        check(error)
    else:
        assert description.video_control.isascii()
        assert not any(sign <= " " for sign in description.video_control + description.control)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 2**63)), max_size=30))
def test_any_packets_at_all_can_be_reported(packets: list[tuple[bytes, int]]) -> None:
    reception = Reception(1)
    now_ns = 0
    for data, ns in packets:
        now_ns = max(now_ns, ns)
        reception.take(data, now_ns)
        assert len(reception.report(now_ns)) % 4 == 0
