"""The RTSP client against a camera of written lines; nothing here has a socket or a clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from flow.clock import NS_PER_S
from flow.errors import ConfigError, LagebildError, SourceError
from flow.units import Codec
from ingest.protocol.rtp_stream import VideoFormat
from ingest.protocol.rtsp_client import (
    PROBE_NS,
    STEP_MOST_NS,
    UDP_PATIENCE_NS,
    NothingByUdp,
    Redirected,
    RtspClient,
    RtspEvent,
    SetUp,
    Step,
)
from ingest.protocol.rtsp_messages import Interleaved
from ingest.protocol.rtsp_transport import SESSION_TIMEOUT_S, SessionId, Tcp, Udp, granted, session_id
from ingest.protocol.rtsp_url import RtspUrl

URL = "rtsp://admin:geheim@192.0.2.7/main?key=geheim"
REQUEST = "rtsp://192.0.2.7/main?key=geheim"
SDP = (
    "v=0\r\nm=audio 0 RTP/AVP 8\r\na=control:t1\r\n"
    "m=video 0 RTP/AVP 96\r\na=control:t2\r\na=rtpmap:96 H264/90000\r\n"
)
BASE = "Content-Base: rtsp://192.0.2.7/main/"
VIDEO = "rtsp://192.0.2.7/main/t2"
PUBLIC = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
UDP = "Transport: RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971;ssrc=01020304"
TCP = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"
SESSION = "Session: 12345678;timeout=30"
DIGEST = 'WWW-Authenticate: Digest realm="cam", nonce="abc"'


@dataclass
class Said:
    """One request of the client."""

    method: str
    uri: str
    fields: dict[str, str]


@dataclass
class Camera:
    """The other side: what the client says is kept, what it is answered is written in the tests."""

    url: str = URL
    ports: tuple[int, int] | None = None
    may_change: bool = False
    now_ns: int = 0
    said: list[Said] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = RtspClient(RtspUrl.parse(self.url), "c" * 32, may_change=self.may_change)
        self.client.start(self.ports, self.now_ns)
        self.listen()

    def listen(self) -> None:
        for text in self.client.data_to_send().decode().split("\r\n\r\n")[:-1]:
            first, *lines = text.split("\r\n")
            method, uri, version = first.split(" ")
            if version == "RTSP/1.0":
                self.said.append(Said(method, uri, dict(line.split(": ", 1) for line in lines)))

    @property
    def asked(self) -> Said:
        return self.said[-1]

    def answer(self, status: int, *fields: str, body: str = "", cseq: str | None = None) -> list[RtspEvent]:
        number = self.asked.fields["CSeq"] if cseq is None else cseq
        lines = [f"RTSP/1.0 {status} Whatever", *fields, f"Content-Length: {len(body)}"]
        lines += [f"CSeq: {number}"] if number else []
        return self.send("\r\n".join([*lines, "", body]).encode())

    def send(self, data: bytes) -> list[RtspEvent]:
        events = self.client.receive(data, self.now_ns)
        self.listen()
        return events

    def wait(self, ns: int) -> list[RtspEvent]:
        self.now_ns += ns
        events = self.client.tick(self.now_ns)
        self.listen()
        return events

    def until(self, method: str) -> Camera:
        """Answer well until the client asks for this; "" until it plays."""
        answers: dict[str, tuple[tuple[str, ...], str]] = {
            "OPTIONS": ((PUBLIC,), ""),
            "DESCRIBE": ((BASE,), SDP),
            "SETUP": ((SESSION, UDP if self.ports else TCP), ""),
            "PLAY": ((), ""),
        }
        while self.asked.method != method and self.client.step is not Step.PLAYING:
            fields, body = answers[self.asked.method]
            self.answer(200, *fields, body=body)
        return self


def failure(camera: Camera, status: int, *fields: str, body: str = "") -> LagebildError:
    with pytest.raises(LagebildError) as raised:
        camera.answer(status, *fields, body=body)
    assert "geheim" not in str(raised.value)
    assert "rtsp://192.0.2.7/main" in str(raised.value)
    return raised.value


def test_the_way_to_the_pictures_by_tcp() -> None:
    camera = Camera()
    assert (camera.asked.method, camera.asked.uri) == ("OPTIONS", REQUEST)
    assert camera.answer(200, PUBLIC) == []
    assert (camera.asked.method, camera.asked.uri) == ("DESCRIBE", REQUEST)
    assert camera.asked.fields["Accept"] == "application/sdp"
    assert camera.answer(200, BASE, body=SDP) == []
    assert (camera.asked.method, camera.asked.uri) == ("SETUP", VIDEO)
    assert camera.asked.fields["Transport"] == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert "Session" not in camera.asked.fields
    (set_up,) = camera.answer(200, SESSION, TCP)
    assert isinstance(set_up, SetUp)
    assert set_up.transport == Tcp((0, 1))
    assert set_up.description.video == VideoFormat(Codec.H264, 96)
    assert (camera.asked.method, camera.asked.uri) == ("PLAY", "rtsp://192.0.2.7/main/")
    assert camera.asked.fields["Session"] == "12345678"
    assert camera.answer(200) == []
    assert camera.client.step is Step.PLAYING
    assert [said.method for said in camera.said].count("SETUP") == 1  # of two media only the video
    assert [said.fields["CSeq"] for said in camera.said] == ["1", "2", "3", "4"]
    assert "Authorization" not in camera.asked.fields  # nobody asked


def test_packets_come_on_the_video_s_channels_only_and_before_play_is_answered() -> None:
    camera = Camera().until("PLAY")
    rtp, rtcp = Interleaved(0, b"rtp"), Interleaved(1, b"rtcp")
    assert camera.send(rtp.serialize() + Interleaved(4, b"other").serialize() + rtcp.serialize()) == [
        rtp,
        rtcp,
    ]
    assert Camera().until("DESCRIBE").send(rtp.serialize()) == []


def test_by_udp_the_ports_are_told() -> None:
    camera = Camera(ports=(5000, 5001)).until("SETUP")
    assert camera.asked.fields["Transport"] == "RTP/AVP;unicast;client_port=5000-5001"
    (set_up,) = camera.answer(200, SESSION, UDP)
    assert isinstance(set_up, SetUp)
    assert set_up.transport == Udp((6970, 6971))
    assert camera.send(Interleaved(0, b"rtp").serialize()) == []


def test_where_udp_is_refused_tcp_is_taken_on_the_same_connection() -> None:
    for status, fields in ((461, ()), (500, ()), (200, ("Transport: RTP/AVP;multicast;port=5000-5001",))):
        camera = Camera(ports=(5000, 5001), may_change=True).until("SETUP")
        assert camera.answer(status, *fields) == []
        assert camera.asked.method == "SETUP"
        assert "interleaved" in camera.asked.fields["Transport"]
        (set_up,) = camera.answer(200, SESSION, TCP)
        assert isinstance(set_up, SetUp)
        assert set_up.transport == Tcp((0, 1))


@pytest.mark.parametrize("ports", [(5000, 5001), None])
def test_where_the_configured_transport_is_refused_it_says_so(ports: tuple[int, int] | None) -> None:
    error = failure(Camera(ports=ports).until("SETUP"), 461)
    assert error.code == "transport_refused"
    assert ("UDP" if ports else "TCP") in str(error)
    multicast = "Transport: RTP/AVP;multicast;port=5000-5001"
    assert failure(Camera(ports=ports).until("SETUP"), 200, SESSION, multicast).code == "transport_refused"


def test_where_nothing_comes_by_udp_tcp_is_to_be_tried() -> None:
    camera = Camera(ports=(5000, 5001), may_change=True).until("")
    assert camera.wait(UDP_PATIENCE_NS - 1) == []
    assert camera.wait(1) == [NothingByUdp()]
    heard = Camera(ports=(5000, 5001), may_change=True).until("")
    heard.client.heard(heard.now_ns)
    assert heard.wait(2 * UDP_PATIENCE_NS) == []


@pytest.mark.parametrize("ports", [(5000, 5001), None])
def test_silence_is_an_error_in_the_end(ports: tuple[int, int] | None) -> None:
    camera = Camera(ports=ports).until("")
    if ports:
        camera.client.heard(camera.now_ns)
    else:
        camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(STEP_MOST_NS - 1)
    if not ports:
        camera.send(Interleaved(1, b"reports are no packets").serialize())
    with pytest.raises(SourceError, match=f"no packets for 10 s by {'UDP' if ports else 'TCP'}") as raised:
        camera.wait(1)
    assert raised.value.code == "no_packets"


def test_a_camera_that_falls_silent_by_udp_is_asked_whether_it_still_knows_us() -> None:
    """One that has started anew does not: its TCP refuses what comes on a connection of before."""
    camera = Camera(ports=(5000, 5001)).until("")
    for _ in range(4):
        camera.client.heard(camera.now_ns)
        camera.wait(PROBE_NS - 1)
    assert camera.asked.method == "PLAY"
    for second in range(2, 10):
        camera.wait(NS_PER_S)
        assert [said.method for said in camera.said[4:]] == ["GET_PARAMETER"] * (second // 2)
    camera.client.heard(camera.now_ns)
    camera.wait(PROBE_NS - 1)
    assert len(camera.said) == 8


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_every_step_has_its_time(method: str) -> None:
    camera = Camera().until(method)
    camera.wait(STEP_MOST_NS - 1)
    camera.send(b"RTSP/1.0 200 O")  # a byte a second is no answer
    with pytest.raises(SourceError, match=f"did not answer to {method} for 10 s") as raised:
        camera.wait(1)
    assert raised.value.code == "no_answer"


def test_the_session_is_kept_alive_at_a_third_of_its_timeout() -> None:
    camera = Camera().until("")
    for _ in range(3):
        camera.send(Interleaved(0, b"rtp").serialize())
        camera.wait(5 * NS_PER_S)
    alive = camera.said[4:]
    assert [(said.method, said.uri) for said in alive] == [("GET_PARAMETER", "rtsp://192.0.2.7/main/")]
    assert alive[0].fields["Session"] == "12345678"
    camera.answer(501)  # it said that it could
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(5 * NS_PER_S)
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(5 * NS_PER_S)
    assert camera.asked.method == "OPTIONS"


def test_keep_alive_needs_no_answer_but_a_lost_session_is_one() -> None:
    camera = Camera().until("")
    for _ in range(200):
        camera.send(Interleaved(0, b"rtp").serialize())
        camera.wait(5 * NS_PER_S)
    assert len(camera.said) == 104
    error = failure(camera, 454)
    assert error.code == "connection_lost"


def test_a_camera_that_names_no_get_parameter_is_asked_for_options() -> None:
    camera = Camera()
    camera.answer(501)
    camera.until("")
    camera.wait(5 * NS_PER_S)
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(5 * NS_PER_S)
    assert [said.method for said in camera.said] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "OPTIONS"]


def test_who_asks_is_told_and_every_later_request_tells_by_itself() -> None:
    camera = Camera()
    camera.answer(200, PUBLIC)
    assert camera.answer(401, DIGEST, 'WWW-Authenticate: Basic realm="cam"') == []
    assert camera.asked.method == "DESCRIBE"
    assert camera.asked.fields["Authorization"].startswith('Digest username="admin"')
    assert camera.asked.fields["Accept"] == "application/sdp"
    camera.until("")
    assert all("Authorization" in said.fields for said in camera.said[2:])
    assert f'uri="{VIDEO}"' in camera.said[-2].fields["Authorization"]


def test_a_wrong_password_is_said_once() -> None:
    camera = Camera()
    camera.answer(200, PUBLIC)
    camera.answer(401, DIGEST)
    error = failure(camera, 401, DIGEST)
    assert isinstance(error, ConfigError)  # and so nobody tries again
    assert error.code == "auth_refused"
    assert [said.method for said in camera.said] == ["OPTIONS", "DESCRIBE", "DESCRIBE"]


def test_without_a_password_it_is_asked_for() -> None:
    error = failure(Camera(url="rtsp://192.0.2.7/main"), 401, DIGEST)
    assert "wants a user and a password" in str(error)
    assert isinstance(error, ConfigError)


def test_a_nonce_that_is_old_while_playing_is_replaced() -> None:
    camera = Camera()
    camera.answer(401, DIGEST)
    camera.until("")
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(STEP_MOST_NS - 1)
    camera.send(Interleaved(0, b"rtp").serialize())
    camera.wait(1)
    assert camera.asked.method == "GET_PARAMETER"
    camera.answer(401, DIGEST.replace("abc", "def"))
    assert 'nonce="def"' in camera.asked.fields["Authorization"]
    assert camera.asked.method == "GET_PARAMETER"
    assert camera.answer(200) == []


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [
        ("DESCRIBE", 403, "auth_refused"),
        ("DESCRIBE", 404, "not_found"),
        ("DESCRIBE", 500, "server_refused"),
        ("DESCRIBE", 302, "server_refused"),
        ("SETUP", 453, "server_refused"),
        ("PLAY", 455, "server_refused"),
    ],
)
def test_refusals_have_their_reasons(method: str, status: int, code: str) -> None:
    error = failure(Camera().until(method), status)
    assert isinstance(error, SourceError)
    assert error.code == code


def test_a_description_without_video_is_refused() -> None:
    assert failure(Camera().until("DESCRIBE"), 200, BASE, body="v=0\r\n").code == "no_video"


@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"])
def test_redirects_are_told(method: str) -> None:
    camera = Camera().until(method)
    assert camera.answer(302, "Location: rtsp://192.0.2.8/main") == [Redirected("rtsp://192.0.2.8/main")]


def test_the_server_may_ask_too() -> None:
    camera = Camera().until("")
    asked = b"OPTIONS rtsp://192.0.2.1/ RTSP/1.0\r\nCSeq: 5\r\n\r\nANNOUNCE x RTSP/1.0\r\nCSeq: 6\r\n\r\n"
    assert camera.client.receive(asked, 0) == []
    first, second = camera.client.data_to_send().decode().split("\r\n\r\n")[:2]
    assert first.startswith("RTSP/1.0 200 OK\r\nCSeq: 5\r\nPublic: ")
    assert second == "RTSP/1.0 501 Not Implemented\r\nCSeq: 6"
    redirect = b"REDIRECT x RTSP/1.0\r\nCSeq: 7\r\nLocation: rtsp://192.0.2.8/\r\n\r\n"
    assert camera.send(redirect) == [Redirected("rtsp://192.0.2.8/")]
    with pytest.raises(SourceError, match="has ended the session"):
        camera.send(b"TEARDOWN x RTSP/1.0\r\nCSeq: 8\r\n\r\n")


def test_a_server_that_asks_without_end_is_left() -> None:
    with pytest.raises(SourceError, match="floods"):
        Camera().until("").send(b"OPTIONS x RTSP/1.0\r\n\r\n" * 100)


def test_what_speaks_no_rtsp_is_named() -> None:
    for method, said in (("OPTIONS", "does not speak RTSP"), ("SETUP", "does not go on in RTSP")):
        with pytest.raises(SourceError, match=said) as raised:
            Camera().until(method).send(b"HTTP/1.1 400 Bad Request\r\n")
        assert raised.value.code == "not_rtsp"


def test_answers_to_something_else_are_passed_over() -> None:
    camera = Camera()
    for cseq in ("77", "1x", "²", "9" * 5000):
        assert camera.answer(404, cseq=cseq) == []
    assert camera.asked.method == "OPTIONS"
    camera.answer(100)
    assert camera.asked.method == "OPTIONS"
    camera.answer(200, cseq="")  # but a camera that forgets CSeq can mean only one
    assert camera.asked.method == "DESCRIBE"


def test_leave_is_taken_of_a_session_only() -> None:
    camera = Camera().until("SETUP")
    camera.client.end()
    assert camera.client.data_to_send() == b""
    camera = Camera().until("PLAY")
    camera.client.end()
    camera.listen()
    assert (camera.asked.method, camera.asked.fields["Session"]) == ("TEARDOWN", "12345678")
    assert camera.answer(200) == []
    assert camera.wait(STEP_MOST_NS) == []


@pytest.mark.parametrize(
    ("header", "asked_udp", "transport"),
    [
        ("RTP/AVP;unicast;client_port=5000-5001;server_port=6970-6971", True, Udp((6970, 6971))),
        ("RTP/AVP/UDP;unicast;server_port=6970", True, Udp((6970, 6971))),
        ("RTP/AVP;unicast;server_port=0-99999", True, Udp(None)),
        ("", True, Udp(None)),
        ("RTP/AVP/TCP;unicast;interleaved=2-3", True, Tcp((2, 3))),
        ("RTP/AVP/TCP;unicast", False, Tcp((0, 1))),
        ("RTP/AVP/TCP;interleaved=999-1000", False, Tcp((0, 1))),
        ("", False, Tcp((0, 1))),
        ("RTP/AVP;unicast;client_port=5000-5001", False, None),
        ("RTP/AVP;multicast;destination=239.0.0.1", True, None),
    ],
)
def test_what_a_server_makes_of_the_transport(
    header: str, asked_udp: bool, transport: Udp | Tcp | None
) -> None:
    assert granted(header, asked_udp) == transport


@pytest.mark.parametrize(
    ("header", "session"),
    [
        ("abc", SessionId("abc", SESSION_TIMEOUT_S)),
        ("abc;timeout=30", SessionId("abc", 30)),
        ("abc ; Timeout = 30", SessionId("abc", 30)),
        ("abc;timeout=0", SessionId("abc", SESSION_TIMEOUT_S)),
        ("abc;timeout=1", SessionId("abc", 6)),
        ("abc;timeout=999999999", SessionId("abc", 3600)),
        ("abc;timeout=soon", SessionId("abc", SESSION_TIMEOUT_S)),
        ("", SessionId()),
        ("a b", SessionId()),
    ],
)
def test_sessions_live_so_long(header: str, session: SessionId) -> None:
    assert session_id(header) == session
