"""The parsers of ingest, each with genuine input and a way to be fed one that has gone wrong.

`one()` feeds a single hostile input, with genuine ones around it so that it meets every state. What we raise
on purpose (LagebildError) is an answer; anything else is a defect. `reached` counts what was "taken" and what
was "refused", that nobody may take a parser for safe that is never reached.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Protocol, TypeAlias

import av
from av.container import InputContainer

from flow.clock import NS_PER_MS
from flow.codec import h264, h265
from flow.codec.rtp import RtpPacket, SenderReport
from flow.errors import LagebildError
from flow.units import Codec
from ingest.protocol.events import Opened, SourceEvent, SourcePicture, Unusable
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.rtmp import amf0
from ingest.protocol.rtmp.session import PublishRequested, PublishSession, Unpublished
from ingest.protocol.rtmp.video import VideoTags
from ingest.protocol.rtp_stream import RtpStream, VideoFormat
from ingest.protocol.rtsp_auth import Authenticator, Credentials
from ingest.protocol.rtsp_client import RtspClient
from ingest.protocol.rtsp_transport import granted, session_id
from ingest.protocol.rtsp_url import RtspUrl
from ingest.protocol.session_description import describe
from ingest.protocol.ts_stream import TsStream
from tests.fuzz.test_fuzz_rtsp import ANSWERS, SDP
from tests.unit.ingest.material import Coded, coded
from tests.unit.ingest.rtmp_publisher import C2, HELLO, RtmpPublisher, nal_units, sequence_header

from .mutation import Mutator

SECRET = "geheim"
PICTURES = 40


class Parser(Protocol):
    """See above."""

    reached: Counter[str]

    def one(self, mutator: Mutator) -> None: ...


MakeParser: TypeAlias = Callable[[], Parser]
Handle: TypeAlias = Callable[[bytes, str, int], list[SourceEvent]]


class Datagrams:
    """RTP or MPEG-TS by UDP, through to the access units of a feed."""

    def __init__(self, make: Callable[[], RtpStream | TsStream], genuine: Sequence[bytes]) -> None:
        self.reached: Counter[str] = Counter()
        self._make, self._genuine, self._next = make, genuine, cycle(genuine)
        self._now_ns = self._fed = 0
        self._begin()

    def _begin(self) -> None:
        self._handle: Handle = self._make().handle
        self._feed = Feed("prove", "rtp://127.0.0.1:0", Patience(), self._now_ns, trust_clock=True)
        self._feed.handle(Opened("rtp://127.0.0.1:1", 33), self._now_ns)

    def one(self, mutator: Mutator) -> None:
        self._fed += 1
        if self._fed % 5000 == 0:
            self._begin()
        self._take(next(self._next))
        self._take(mutator.next(self._genuine))

    def _take(self, datagram: bytes) -> None:
        self._now_ns += 5 * NS_PER_MS
        events = self._handle(datagram, "127.0.0.1:1", self._now_ns)
        _through(self._feed, events, self._now_ns, self.reached)
        self._feed.tick(self._now_ns)
        self._feed.state()


class RtspAnswers:
    """What a camera says on its connection."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()

    def one(self, mutator: Mutator) -> None:
        url = RtspUrl.parse(f"rtsp://admin:{SECRET}@192.0.2.7/main")
        client = RtspClient(url, "c" * 32, may_change=mutator.dice.random() < 0.5)
        client.start((5000, 5001) if mutator.dice.random() < 0.5 else None, 0)
        spoiled = mutator.dice.randrange(len(ANSWERS))
        try:
            for number, answer in enumerate(ANSWERS):
                now_ns = number * 400 * NS_PER_MS
                said = mutator.next([answer]) if number == spoiled else answer
                self.reached["taken"] += len(client.receive(said, now_ns))
                client.tick(now_ns)
                _check_secret(client.data_to_send())
        except LagebildError as error:
            self.reached["refused"] += 1
            _check_secret(str(error).encode())


class Descriptions:
    """SDP, and the header fields that are read on their own."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        self._genuine = [line.encode() for line in (SDP, *SDP.splitlines())]

    def one(self, mutator: Mutator) -> None:
        text = mutator.next(self._genuine).decode("utf-8", "replace")
        granted(text, mutator.dice.random() < 0.5)
        session_id(text)
        authenticator = Authenticator(Credentials("u", SECRET), "c")
        authenticator.challenged([f'Digest realm="c", nonce="n", {text}', text], 1)
        _check_secret(authenticator.authorization("PLAY", "rtsp://h/").encode())
        try:
            found = describe(text, f"rtsp://h/{text[:20]}", "rtsp://h/")
        except LagebildError as error:
            self.reached["refused"] += 1
            if "\n" in str(error):
                raise AssertionError("an error of more than one line") from None
            return
        self.reached["taken"] += 1
        if not found.video_control.isascii() or set(found.video_control) & set(" \r\n"):
            raise AssertionError("a description that would break a request")


class RtmpPublishers:
    """A publisher's whole connection, one piece of it spoiled."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        speech = RtmpPublisher()
        opening = [HELLO + C2, speech.connect(), speech.publish()]
        self._pieces = [*opening, *speech.pictures(coded(8, size=(64, 48)))]

    def one(self, mutator: Mutator) -> None:
        session = PublishSession(bytes(1528), 0)
        feed = Feed("prove", "rtmp", Patience(), 0)
        spoiled = mutator.dice.randrange(len(self._pieces))
        try:
            for number, piece in enumerate(self._pieces):
                self._say(session, feed, mutator.next([piece]) if number == spoiled else piece, number)
        except LagebildError as error:
            self.reached["refused"] += 1
            _check_secret(str(error).encode())

    def _say(self, session: PublishSession, feed: Feed, data: bytes, number: int) -> None:
        now_ns = number * 40 * NS_PER_MS
        for event in session.receive(data, now_ns):
            match event:
                case PublishRequested():
                    session.accept(now_ns)
                    feed.handle(Opened("rtmp://192.0.2.7:1", 64), now_ns)
                case Unpublished():
                    pass
                case _:
                    _through(feed, [event], now_ns, self.reached)
        session.data_to_send()


class Commands:
    """AMF 0."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        tree: amf0.Value = {"app": "live", "list": [1, None, True, {"a": "b" * 300}], "caps": {"x": 1.5}}
        self._genuine = [amf0.write("connect", 1, tree), amf0.write("publish", 5, None, "tag", "live")]

    def one(self, mutator: Mutator) -> None:
        try:
            self.reached["taken"] += len(amf0.read(mutator.next(self._genuine)))
        except LagebildError:
            self.reached["refused"] += 1


class VideoMessages:
    """The video tags of FLV and Enhanced RTMP, through to access units."""

    def __init__(self) -> None:
        self.reached: Counter[str] = Counter()
        pictures = coded(10, size=(64, 48))
        self._header = sequence_header(pictures[0].data)
        tags = [nal_units(each.data, keyframe=index == 0) for index, each in enumerate(pictures)]
        enhanced = [b"\xa1hvc1\x00\x00\x2a" + tag[5:] for tag in tags[:2]]
        self._genuine = [self._header, *tags, *enhanced, b"\xa7\x02\x01\x86\xa0\x03avc1" + tags[1][5:]]
        self._now_ns = self._fed = 0

    def one(self, mutator: Mutator) -> None:
        if self._fed % 1000 == 0:
            self._tags, self._feed = VideoTags(), Feed("prove", "rtmp", Patience(), self._now_ns)
            self._feed.handle(Opened("rtmp://192.0.2.7:1", 64), self._now_ns)
        self._fed += 1
        self._now_ns += 40 * NS_PER_MS
        genuine = self._header if self._fed % 50 == 1 else self._genuine[self._fed % len(self._genuine)]
        for body in (genuine, mutator.next(self._genuine)):
            at_ms = self._fed * 40 + mutator.dice.choice((0, 0, 0, 1 << 31, -500)) & 0xFFFF_FFFF
            _through(self._feed, self._tags.take(body, at_ms, self._now_ns), self._now_ns, self.reached)


def _through(feed: Feed, events: Sequence[SourceEvent], now_ns: int, reached: Counter[str]) -> None:
    for event in events:
        reached["refused"] += isinstance(event, Unusable)
        reached["pictures"] += isinstance(event, SourcePicture)
        reached["taken"] += len(feed.handle(event, now_ns))


def _check_secret(said: bytes) -> None:
    if SECRET.encode() in said:
        raise AssertionError("a secret was told")


def _rtp(codec: Codec) -> list[bytes]:
    pack, encoder = (h264, "libx264") if codec is Codec.H264 else (h265, "libx265")
    made: list[bytes] = []
    for index, picture in enumerate(_pictures(encoder)):
        payloads = pack.packetize(picture.data, 300)
        for number, payload in enumerate(payloads, 1):
            marker = number == len(payloads)
            made.append(RtpPacket(96, marker, len(made) & 0xFFFF, index * 3000, 5, payload).serialize())
        if index % 10 == 0:
            made.append(SenderReport(5, 1_700_000_000_000_000_000, index * 3000, 0, 0).serialize())
    return made


def _pictures(encoder: str) -> tuple[Coded, ...]:
    options = (("x265-params", "bframes=0:log-level=none"),) if encoder == "libx265" else None
    if options is None:
        return coded(PICTURES, size=(160, 128))
    return coded(PICTURES, codec=encoder, size=(160, 128), options=options)


def _ts() -> list[bytes]:
    raw, out = io.BytesIO(b"".join(each.data for each in _pictures("libx264"))), io.BytesIO()
    with av.open(raw, format="h264") as source, av.open(out, "w", format="mpegts") as target:
        assert isinstance(source, InputContainer)
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream, packet.pts = stream, (packet.pts or 0)
                target.mux(packet)
    data = out.getvalue()
    return [data[at : at + 1316] for at in range(0, len(data), 1316)]


PARSERS: dict[str, tuple[int, MakeParser]] = {
    "RTP, H.264": (150_000, lambda: Datagrams(RtpStream, _rtp(Codec.H264))),
    "RTP, H.265": (
        150_000,
        lambda: Datagrams(lambda: RtpStream(VideoFormat(Codec.H265, 96)), _rtp(Codec.H265)),
    ),
    "MPEG-TS": (200_000, lambda: Datagrams(TsStream, _ts())),
    "RTSP": (100_000, RtspAnswers),
    "SDP and RTSP fields": (150_000, Descriptions),
    "RTMP": (100_000, RtmpPublishers),
    "RTMP video messages": (100_000, VideoMessages),
    "AMF 0": (150_000, Commands),
}
"""By name: how many inputs, together more than a million, and the parser."""
