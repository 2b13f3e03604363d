"""What cameras do that no specification has, and what a hostile one might: none is believed too far."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from contextlib import suppress

import pytest

from flow.clock import NS_PER_S
from flow.errors import ConfigError, MalformedError, SourceError
from ingest.open import open_source
from ingest.protocol.events import SourcePicture
from ingest.protocol.rtsp_client import NothingByUdp
from ingest.protocol.rtsp_messages import (
    BODY_LIMIT_BYTES,
    HEAD_LIMIT_BYTES,
    MESSAGES_MOST,
    Interleaved,
    MessageParser,
    Response,
)
from ingest.protocol.rtsp_url import RtspUrl
from ingest.protocol.session_description import describe
from ingest.settings import FeedSource
from ingest.sources import rtsp
from ingest.sources.rtsp import RtspSource
from tests.fakes.clock import FakeClock

from .test_ingest_rtsp_client import DIGEST, SESSION, UDP, Camera, failure
from .test_ingest_rtsp_source import PICTURES, Caller, Watched, datagrams, serving, stay


def test_a_camera_that_knows_no_session_in_get_parameter_is_kept_alive_by_options() -> None:
    """thingino's answers 454 to every GET_PARAMETER, and plays on."""
    camera = Camera().until("")
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(5 * NS_PER_S)
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(5 * NS_PER_S)
    assert camera.asked.method == "GET_PARAMETER"
    assert camera.answer(454) == []
    for _ in range(2):
        camera.send(Interleaved(0, b"rtp").serialize())
        camera.wait(5 * NS_PER_S)
    assert camera.asked.method == "OPTIONS"
    assert failure(camera, 454).code == "connection_lost"  # that is meant


def test_an_answer_with_the_number_of_the_request_before_is_passed_over() -> None:
    """Tapo's cameras refuse a keep-alive so."""
    camera = Camera().until("")
    for _ in range(8):
        camera.send(Interleaved(0, b"rtp").serialize())
        camera.wait(5 * NS_PER_S)
        if camera.asked.method == "GET_PARAMETER":
            assert camera.answer(400, cseq=str(int(camera.asked.fields["CSeq"]) - 1)) == []
    assert len(camera.said) == 8


def test_a_password_that_was_right_and_is_refused_is_tried_again_later() -> None:
    camera = Camera()
    camera.answer(401, DIGEST)
    camera.until("SETUP")
    error = failure(camera, 401, DIGEST)
    assert isinstance(error, SourceError)  # which the supervisor retries, as it does not a ConfigError
    assert error.code == "auth_refused"
    assert "right before" in str(error)


def test_a_proxy_is_not_used() -> None:
    error = failure(Camera().until("DESCRIBE"), 305, "Location: rtsp://192.0.2.66/")
    assert error.code == "server_refused"
    assert "305" in str(error)
    assert failure(Camera().until("DESCRIBE"), 304, "Location: rtsp://192.0.2.66/").code == "server_refused"


def test_a_password_goes_to_no_other_host() -> None:
    url = RtspUrl.parse("rtsp://admin:geheim@192.0.2.7/main")
    assert url.moved("rtsp://192.0.2.8/main").credentials is None
    assert url.moved("/other").credentials == url.credentials


@pytest.mark.parametrize(
    ("referrer", "peer", "inside"),
    [
        ("192.0.2.7", "127.0.0.1", True),
        ("192.0.2.7", "169.254.169.254", True),
        ("2001:db8::7", "::1", True),
        ("2001:db8::7", "fe80::1%eth0", True),
        ("192.0.2.7", "::ffff:127.0.0.1", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("127.0.0.1", "127.0.0.2", False),
        ("fe80::7%eth0", "fe80::8%eth0", False),
    ],
)
def test_redirects_from_afar_lead_not_into_this_machine(referrer: str, peer: str, inside: bool) -> None:
    assert rtsp._leads_inside(referrer, peer) is inside


async def test_such_a_redirect_is_refused_before_a_word_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[bytes] = []

    async def secret_service(caller: Caller) -> None:
        heard.append(await caller.reader.read(100))

    async with serving(secret_service) as there:

        async def pointer(caller: Caller) -> None:
            caller.answer(await caller.request(), f"Location: {there}", status="302 Moved")
            await stay(caller)

        async with serving(pointer) as here:
            told = RtspSource(RtspUrl.parse(here), "tcp", FakeClock())
            # As if the camera were elsewhere: a test has no other machine.
            judge = rtsp._leads_inside
            monkeypatch.setattr(rtsp, "_leads_inside", lambda _, peer: judge("192.0.2.7", peer))
            with pytest.raises(SourceError, match="into this machine") as raised:
                await asyncio.wait_for(told.run(lambda event: None), 20)
    assert raised.value.code == "redirected"
    assert heard == [b""]


def test_tiny_messages_without_end_are_refused() -> None:
    parser = MessageParser()
    frame = Interleaved(0, b"").serialize()
    assert len(parser.push(frame * MESSAGES_MOST)) == MESSAGES_MOST
    with pytest.raises(MalformedError, match="messages at once"):
        parser.push(frame * (MESSAGES_MOST + 1))


def test_a_long_answer_a_byte_at_a_time_is_read_once() -> None:
    """Its headers, as many as may be, are not looked at again with every byte of its body."""
    head = b"RTSP/1.0 200 OK\r\nContent-Length: %d\r\n" % BODY_LIMIT_BYTES
    head += b"a: b\r\n" * ((HEAD_LIMIT_BYTES - len(head) - 2) // 6) + b"\r\n"
    parser, body = MessageParser(), bytes(BODY_LIMIT_BYTES)
    began = time.process_time()
    assert parser.push(head) == []
    for at in range(BODY_LIMIT_BYTES - 1):
        assert parser.push(body[at : at + 1]) == []
    (answer,) = parser.push(body[-1:])
    assert time.process_time() - began < 5  # of two minutes
    assert isinstance(answer, Response)
    assert answer.body == body
    assert parser.push(b"\r\n" + Interleaved(1, b"x").serialize()) == [Interleaved(1, b"x")]


def test_packets_that_come_by_udp_from_any_port_of_the_camera_count() -> None:
    """Some name server_port=0-1 and send from wherever they like."""
    camera = Camera(ports=(5000, 5001), may_change=True).until("SETUP")
    (set_up,) = camera.answer(200, SESSION, UDP.replace("6970-6971", "0-1"))
    assert set_up.transport.server_ports == (0, 1)  # type: ignore[union-attr]
    camera.until("")
    camera.client.heard(camera.now_ns)
    assert NothingByUdp() not in camera.wait(3 * NS_PER_S)


async def test_a_camera_that_names_no_ports_of_its_own_is_heard() -> None:
    async def camera(caller: Caller) -> None:
        setup = await caller.play("RTP/AVP;unicast;server_port=0-1")
        wanted = re.search(r"client_port=(\d+)", setup)
        assert wanted is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", 0))
            for datagram in datagrams():
                sock.sendto(datagram, ("127.0.0.1", int(wanted[1])))
            await stay(caller)

    async with serving(camera) as url:
        watched = Watched(url, "udp")
        await watched.until(lambda: watched.pictures == len(PICTURES))
        await watched.stop()


async def test_a_flood_of_tiny_packets_ends_the_connection_and_not_the_loop() -> None:
    async def flood(caller: Caller) -> None:
        await caller.play("RTP/AVP/TCP;interleaved=0-1")
        with suppress(ConnectionError):
            while True:
                caller.writer.write(Interleaved(7, b"").serialize() * 20_000)
                await caller.writer.drain()

    async with serving(flood) as url:
        error = await Watched(url).failure()
    assert error.code == "not_rtsp"
    assert "messages at once" in str(error)


async def test_one_that_is_cancelled_while_it_connects_leaves_nothing_open() -> None:
    """Ports and connection: a socket that is left to the garbage collector would fail this test."""

    async def camera(caller: Caller) -> None:
        await stay(caller)

    async with serving(camera) as url:
        for turns in range(8):
            watched = Watched(url, "udp")
            for _ in range(turns):
                await asyncio.sleep(0)
            await watched.stop()
            assert not any(isinstance(event, SourcePicture) for event in watched.events)


def test_encrypted_rtsp_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="VPN") as raised:
        open_source(FeedSource("f", "rtsps://u:geheim@192.0.2.7/main"), FakeClock())
    assert raised.value.code == "unsupported_url"
    assert "geheim" not in str(raised.value)


RTP = b"\x80\x60" + bytes(range(100, 200))
BITS_OF_FRAMES = (
    RTP[7:60],  # what is left of a frame whose beginning was lost
    b"\x24\x09",  # "$" and a channel that nobody has, which takes what follows for its length
    b"RTSQ and more of the kind",
    bytes(range(0x30, 0x70)) * 50,
)


@pytest.mark.parametrize("step", [1, 7, 8192])
@pytest.mark.parametrize("other", BITS_OF_FRAMES, ids=["rest", "false", "text", "long"])
def test_what_is_between_frames_is_passed_over(other: bytes, step: int) -> None:
    """Canon's and others, where the network was too slow for a moment: the frames around it are not lost."""
    parser = MessageParser()
    parser.expect_frames((0, 1))
    frame = Interleaved(0, RTP).serialize()
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n"
    data = (frame * 3 + other + frame * 200 + other + answer) * 2
    found = [message for at in range(0, len(data), step) for message in parser.push(data[at : at + step])]
    frames = [message for message in found if message == Interleaved(0, RTP)]
    swallows = other[:1] == b"$"  # 9216 bytes, which the next frame's beginning says as a length
    assert len(frames) == 406 or (swallows and len(frames) > 406 - 4 * 90)
    if not swallows:
        assert sum(isinstance(message, Response) for message in found) == 2


def pushed(parser: MessageParser, piece: bytes, times: int) -> None:
    parser.expect_frames((0, 1))
    for _ in range(times):
        parser.push(piece)


def test_what_never_becomes_a_frame_again_is_given_up() -> None:
    with pytest.raises(MalformedError, match="that are no message"):
        pushed(MessageParser(), b"\xaa" * 1000, 200)
    pushed(MessageParser(), Interleaved(0, RTP * 10).serialize() + b"\xaa" * 900, 1000)  # mostly well


def test_before_anything_plays_nothing_is_passed_over() -> None:
    with pytest.raises(MalformedError, match="no message begins"):
        MessageParser().push(Interleaved(0, RTP).serialize() + b"\xaa")


def test_a_camera_that_loses_its_place_plays_on() -> None:
    camera = Camera().until("")
    frame = Interleaved(0, RTP).serialize()
    assert camera.send(frame + RTP[30:] + frame) == [Interleaved(0, RTP)] * 2


def test_a_description_of_thousands_of_types_and_attributes_costs_nothing() -> None:
    types, attributes = " ".join(["96"] * 10_000), "a=b\r\n" * 6_000
    began = time.process_time()
    for text in (
        f"v=0\r\nm=video 0 RTP/AVP {types}\r\n{attributes}",
        f"m=video 0 RTP/AVP 96\r\n{attributes}" * 2,
    ):
        with pytest.raises(SourceError, match="offers video as"):
            describe(text, "rtsp://192.0.2.7/", "rtsp://192.0.2.7/")
    assert time.process_time() - began < 0.5  # of some seconds
