"""RTP of codecs that cannot be read is named, and never taken for H.264 or H.265."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec import h264, h265
from flow.codec.rtp import RtpPacket
from flow.flights import SourceStatus
from flow.units import Codec
from ingest.protocol.events import Opened, Restarted, SourceEvent, Unusable
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.rtp_foreign import foreign
from ingest.protocol.rtp_stream import RtpStream

from .material import coded
from .test_ingest_rtp_stream import SENDER, packets, pictures_of

FRAGMENT_BYTES = 1200
PICTURE_NS = NS_PER_S // 30
SENDER_LINE = f"from {SENDER}: in RTP only H.264 and H.265 are read; set the sender to H.264"


def chunks(data: bytes) -> list[bytes]:
    return [data[at : at + FRAGMENT_BYTES] for at in range(0, len(data), FRAGMENT_BYTES)]


def mpeg4(picture: bytes) -> list[bytes]:
    """RFC 6416 5: the bytes as they are."""
    return chunks(b"\x00\x00\x01\xb6" + picture)


def vp9_of_ffmpeg(picture: bytes) -> list[bytes]:
    """A descriptor of one byte: nothing but where the picture begins and ends."""
    parts = chunks(b"\x86" + picture)
    return [
        bytes((0x08 * (at == 0) | 0x04 * (at == len(parts) - 1),)) + part for at, part in enumerate(parts)
    ]


def vp9_of_browsers(picture: bytes) -> list[bytes]:
    """With an id of 15 bits and layers."""
    parts = chunks(b"\x86" + picture)
    return [bytes((0xA8 if at == 0 else 0xA0, 0x81, 0x02, 0, 0)) + part for at, part in enumerate(parts)]


def vp8_of_ffmpeg(picture: bytes) -> list[bytes]:
    parts = chunks(b"\x10\x02\x00\x9d\x01\x2a" + picture)
    return [bytes((0x90 if at == 0 else 0x80, 0x80, 0x05)) + part for at, part in enumerate(parts)]


def vp8_of_gstreamer(picture: bytes) -> list[bytes]:
    parts = chunks(b"\x10\x02\x00\x9d\x01\x2a" + picture)
    return [bytes((0x10 if at == 0 else 0x00,)) + part for at, part in enumerate(parts)]


FORMATS = pytest.mark.parametrize(
    ("packetize", "reason", "named"),
    [
        (mpeg4, "rtp_mpeg4", f"MPEG-4 Part 2 {SENDER_LINE}, or to MPEG-TS"),
        (vp9_of_ffmpeg, "rtp_vp9", f"VP9 {SENDER_LINE}"),
        (vp9_of_browsers, "rtp_vp9", f"VP9 {SENDER_LINE}"),
        (vp8_of_ffmpeg, "rtp_vp8", f"VP8 {SENDER_LINE}"),
        (vp8_of_gstreamer, "rtp_vp8", f"VP8 {SENDER_LINE}"),
    ],
    ids=["mpeg4", "vp9-ffmpeg", "vp9-browser", "vp8-ffmpeg", "vp8-gstreamer"],
)


def sent(packetize: object, seed: int, skip: int) -> Iterator[tuple[int, RtpPacket]]:
    """Some seconds of pictures of 20 kB, without the first `skip` packets, each with its time."""
    chance, sequence = random.Random(seed), 0
    assert callable(packetize)
    for index in range(75):
        payloads = packetize(chance.randbytes(20_000))
        for number, payload in enumerate(payloads, 1):
            sequence += 1
            if sequence > skip:
                packet = RtpPacket(96, number == len(payloads), sequence, 3000 * index, 7, payload)
                yield index * PICTURE_NS, packet


@FORMATS
@pytest.mark.parametrize("skip", [0, 1])
def test_it_is_named_from_wherever_one_listens_in(
    packetize: object, reason: str, named: str, skip: int
) -> None:
    for seed in range(8):
        stream, live = RtpStream(), Feed("f", "rtp:", Patience(lost_after_ns=2 * NS_PER_S), 0)
        live.handle(Opened("rtp:", 32), 0)
        for now_ns, packet in sent(packetize, seed, skip):
            for event in stream.handle(packet.serialize(), SENDER, now_ns):
                assert live.handle(event, now_ns) == []
            live.tick(now_ns)
        state = live.state()
        assert (state.status, state.reason) == (SourceStatus.LOST, reason), seed
        assert state.detail == f"rtp:: {named}"


@FORMATS
def test_a_sender_that_is_set_to_h264_is_followed_under_the_same_number(
    packetize: object, reason: str, named: str
) -> None:
    stream, last_ns = RtpStream(), 0
    for now_ns, packet in sent(packetize, 1, 0):
        stream.handle(packet.serialize(), SENDER, now_ns)
        last_ns = now_ns
    anew = packets(coded(5), ssrc=7, first=9, start=5_000_000)
    events = [
        event
        for packet in anew
        for event in stream.handle(packet.serialize(), SENDER, last_ns + 300 * NS_PER_MS)
    ]
    assert len(pictures_of(events)) == 5


def test_a_sender_that_changes_its_codec_and_back_has_started_anew() -> None:
    stream = RtpStream()

    def told(sent: list[RtpPacket], now_ns: int) -> list[SourceEvent]:
        return [event for packet in sent for event in stream.handle(packet.serialize(), SENDER, now_ns)]

    assert len(pictures_of(told(packets(coded(5), ssrc=7), 0))) == 5
    other = [packet for _, packet in sent(mpeg4, 1, 0)][:50]
    assert {event.reason for event in told(other, NS_PER_S) if isinstance(event, Unusable)} == {"rtp_mpeg4"}
    again = told(packets(coded(5), ssrc=7, first=9, start=5_000_000), 2 * NS_PER_S)
    assert isinstance(again[0], Restarted)
    assert len(pictures_of(again)) == 5


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("size", [60, 300, 1200])
def test_nothing_of_ours_is_taken_for_another(codec: Codec, size: int) -> None:
    packetize = h264.packetize if codec is Codec.H264 else h265.packetize
    made = coded(40, group=10, codec="libx264" if codec is Codec.H264 else "libx265")
    payloads = [payload for picture in made for payload in packetize(picture.data, size)]
    assert len(payloads) > 40
    assert [foreign(payload, SENDER) for payload in payloads] == [None] * len(payloads)


def test_no_header_of_ours_is_taken_for_another_whatever_follows() -> None:
    """All first two bytes that RFC 6184 and RFC 7798 allow, with a picture's rest at random."""
    chance = random.Random(3)
    for _ in range(40):
        rest = chance.randbytes(40)
        for kind in (1, 5, 6, 7, 8, 9, 24, 28):
            for importance in (1, 2, 3) if kind in (5, 7, 8) else (0, 1, 2, 3):
                assert foreign(bytes((importance << 5 | kind,)) + rest, SENDER) is None
        for kind in range(50):
            for layer in range(16):
                for number in range(1, 8):
                    assert foreign(bytes((kind << 1, layer << 3 | number)) + rest, SENDER) is None


@pytest.mark.parametrize("length", range(12))
def test_what_is_cut_short_is_nothing(length: int) -> None:
    for begins in (
        b"\x00\x00\x01\xb6",
        b"\x08\x86",
        b"\xa8\x81\x02\x00\x00\x86",
        b"\x90\xf0\x80\x00\x00\x00",
    ):
        assert foreign(begins[:length], SENDER) is None or length >= len(begins)


def test_a_static_type_is_named() -> None:
    (told,) = RtpStream().handle(RtpPacket(26, True, 1, 0, 9, b"\x65jpeg").serialize(), SENDER, 0)
    assert isinstance(told, Unusable)
    assert "type 26, Motion JPEG," in told.detail


def test_h264_with_a_parameter_set_that_looks_like_vp9_is_followed_all_the_same() -> None:
    """Of nal_ref_idc 0, which no encoder should send, and with the number of another sequence."""
    stream = RtpStream()
    made = packets(coded(20), first=0)
    events = [event for packet in made for event in stream.handle(packet.serialize(), SENDER, 0)]
    odd = RtpPacket(
        96, False, len(made), made[-1].timestamp + 3000, 1, b"\x08\xa0\x00\x00\x00\x00\x00\x00\x00"
    )
    events += stream.handle(odd.serialize(), SENDER, 0)
    assert not [event for event in events if isinstance(event, Unusable)]
    assert len(pictures_of(events)) == 20
