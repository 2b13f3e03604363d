from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec import h264, h265
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import Codec
from ingest.protocol.events import (
    ClockReport,
    Heard,
    Opened,
    PacketsLost,
    Restarted,
    SourceEvent,
    SourcePicture,
    Unusable,
)
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.rtp_stream import RtpStream, VideoFormat, codec_of

from .material import Coded, coded

SENDER = "127.0.0.1:40000"


def packets(
    pictures: Iterable[Coded],
    *,
    ssrc: int = 1,
    codec: Codec = Codec.H264,
    first: int = 65_500,
    start: int = 0,
) -> list[RtpPacket]:
    """The pictures as RTP, with sequence numbers that soon wrap."""
    packetize = h264.packetize if codec is Codec.H264 else h265.packetize
    made: list[RtpPacket] = []
    for index, picture in enumerate(pictures):
        payloads = packetize(picture.data, 300)
        for number, payload in enumerate(payloads, 1):
            sequence = (first + len(made)) % 65_536
            made.append(RtpPacket(96, number == len(payloads), sequence, start + index * 3000, ssrc, payload))
    return made


def feed(
    stream: RtpStream, sent: Iterable[RtpPacket], *, sender: str = SENDER, now_ns: int = 0
) -> list[SourceEvent]:
    return [event for packet in sent for event in stream.handle(packet.serialize(), sender, now_ns)]


def pictures_of(events: Iterable[SourceEvent]) -> list[SourcePicture]:
    return [event for event in events if isinstance(event, SourcePicture)]


def unusable(events: Iterable[SourceEvent]) -> list[str]:
    return [event.reason for event in events if isinstance(event, Unusable)]


@pytest.mark.parametrize("codec", list(Codec))
def test_pictures_end_at_their_marker(codec: Codec) -> None:
    made = coded(20, codec="libx264" if codec is Codec.H264 else "libx265")
    stream = RtpStream()
    for index, picture in enumerate(made):
        sent = packets(made, codec=codec)
        events = feed(stream, [packet for packet in sent if packet.timestamp == index * 3000], now_ns=index)
        (got,) = pictures_of(events)
        assert (got.codec, got.pts, got.dts, got.arrival_ns) == (codec, index * 3000, None, index)
        assert not got.damaged
        assert len(got.data) >= len(picture.data) - 64


def test_a_lost_packet_is_counted_and_damages_its_picture() -> None:
    sent = packets(coded(12, group=6))
    timestamps = [packet.timestamp for packet in sent]
    hit = next(each for each in timestamps if each and timestamps.count(each) >= 3)
    missing = timestamps.index(hit) + 1  # neither its first packet nor its last
    events = feed(RtpStream(), sent[:missing] + sent[missing + 1 :])
    assert sum(event.count for event in events if isinstance(event, PacketsLost)) == 1
    assert [got.pts for got in pictures_of(events) if got.damaged] == [hit]
    assert len(pictures_of(events)) == 12


def test_reordered_packets_cost_nothing() -> None:
    sent = packets(coded(12))
    for index in range(0, len(sent) - 1, 2):
        sent[index], sent[index + 1] = sent[index + 1], sent[index]
    events = feed(RtpStream(), sent)
    assert not [got for got in pictures_of(events) if got.damaged]
    assert not [event for event in events if isinstance(event, PacketsLost)]
    assert len(pictures_of(events)) >= 11


def test_another_payload_type_of_the_same_sender_is_left_alone() -> None:
    stream = RtpStream()
    feed(stream, packets(coded(2)))
    audio = RtpPacket(97, True, 5, 160, 1, b"\x65audio")
    assert feed(stream, [audio]) == []


def test_static_payload_types_are_refused_by_number() -> None:
    events = feed(RtpStream(), [RtpPacket(26, True, 1, 0, 9, b"\x65jpeg")])
    assert unusable(events) == ["unsupported_codec"]
    assert "type 26" in str(events[0])


def test_a_restart_of_the_same_socket_is_followed_at_once() -> None:
    stream = RtpStream()
    feed(stream, packets(coded(5)))
    events = feed(stream, packets(coded(5), ssrc=2, first=7))
    assert isinstance(events[0], Restarted)
    assert len(pictures_of(events)) == 5


def test_a_restart_under_the_same_number_is_one() -> None:
    stream = RtpStream()
    feed(stream, packets(coded(5)))
    anew = packets(coded(5), first=30_000, start=5_000_000)
    late = packets(coded(5))[-1]
    events = feed(stream, [anew[0], late, *anew[1:]], now_ns=NS_PER_S)
    assert events.count(Restarted()) == 1
    after = pictures_of(events[events.index(Restarted()) :])
    assert [(got.pts, got.damaged) for got in after][-4:] == [
        (5_000_000 + index * 3000, False) for index in range(1, 5)
    ]


def test_nothing_of_a_run_that_begins_inside_a_group_is_shown_on_the_old_one() -> None:
    stream, live = RtpStream(), Feed("f", "rtp:", Patience(), 0)
    live.handle(Opened("rtp:", 32), 0)
    made = coded(90, group=60)
    old = packets(made[:40])
    anew = packets(made[20:], first=30_000, start=5_000_000)  # its next keyframe is the 41st
    for event in feed(stream, old):
        live.handle(event, 0)
    units = [unit for event in feed(stream, anew, now_ns=NS_PER_S) for unit in live.handle(event, NS_PER_S)]
    assert (len(units), units[0].keyframe, units[0].epoch) == (30, True, 1)


def test_a_long_loss_is_no_restart() -> None:
    stream = RtpStream()
    feed(stream, packets(coded(5)))
    events = feed(stream, packets(coded(5), first=8_000, start=10 * 90_000), now_ns=10 * NS_PER_S)
    assert Restarted() not in events
    assert len(pictures_of(events)) == 5


def test_a_stray_packet_of_the_same_socket_changes_nothing() -> None:
    stream = RtpStream()
    sent = packets(coded(10))
    half = len(sent) // 2
    events = feed(stream, sent[:half])
    events += feed(stream, [sent[half]._replace(ssrc=77), sent[half]._replace(ssrc=78)])
    events += feed(stream, sent[half:])
    assert Restarted() not in events
    assert [got.damaged for got in pictures_of(events)] == [False] * 10


def test_another_sender_takes_over_only_once_the_first_is_silent() -> None:
    stream = RtpStream()
    feed(stream, packets(coded(5)))
    second = packets(coded(5), ssrc=2)
    events = feed(stream, second, sender="127.0.0.1:40001", now_ns=NS_PER_S // 10)
    assert set(unusable(events)) == {"not_video"}
    assert pictures_of(events) == []
    events = feed(stream, second, sender="127.0.0.1:40001", now_ns=NS_PER_S)
    assert Restarted() in events
    assert len(pictures_of(events)) == 5


def test_sender_reports_are_told_for_the_followed_source_alone() -> None:
    stream = RtpStream()
    early = SenderReport(1, 5 * NS_PER_S, 77, 0, 0)
    assert stream.handle(early.serialize(), SENDER, 0) == []
    assert feed(stream, packets(coded(1)))[0] == ClockReport(5 * NS_PER_S, 77)
    assert stream.handle(replace(early, ssrc=9).serialize(), SENDER, 0) == []
    assert stream.handle(replace(early, rtp_timestamp=78).serialize(), SENDER, 0) == [
        ClockReport(5 * NS_PER_S, 78)
    ]


def test_a_report_that_comes_ahead_of_its_restarted_source_follows_the_restart() -> None:
    stream = RtpStream()
    feed(stream, packets(coded(2)))
    stream.handle(SenderReport(2, 9 * NS_PER_S, 1, 0, 0).serialize(), SENDER, 0)
    events = feed(stream, packets(coded(2), ssrc=2))
    assert events[:2] == [Restarted(), ClockReport(9 * NS_PER_S, 1)]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x00",
        b"hello",
        bytes(12),
        b"\x80\x60" + bytes(10),
        b"\x80\x60" + bytes(9),
        b"\x80\xc8\x00\x06" + bytes(8),
    ],
)
def test_what_is_no_rtp_is_named_and_harmless(datagram: bytes) -> None:
    stream = RtpStream()
    assert unusable(stream.handle(datagram, SENDER, 0)) == ["not_video"]
    assert len(pictures_of(feed(stream, packets(coded(3))))) == 3


def test_garbage_inside_a_good_stream_is_counted() -> None:
    stream = RtpStream()
    sent = packets(coded(3))
    feed(stream, sent)
    last = sent[-1]
    bad = last._replace(sequence=(last.sequence + 1) % 65_536, payload=b"\x1f\x00\x00")
    events = feed(stream, [bad], now_ns=NS_PER_S)
    assert events[0] == Heard()
    assert unusable(events) == ["not_video"]


def test_packets_are_heard_until_a_picture_tells_it_and_then_ten_times_a_second() -> None:
    (picture,) = coded(1)
    first, second, *rest = packets([picture])
    stream = RtpStream()
    assert feed(stream, [first]) == []  # one packet makes no source
    assert feed(stream, [second]) == [Heard()]
    assert feed(stream, rest[:1], now_ns=99 * NS_PER_MS) == []
    assert feed(stream, rest[1:2], now_ns=100 * NS_PER_MS) == [Heard()]
    told = feed(stream, rest[2:], now_ns=250 * NS_PER_MS)
    assert [type(event) for event in told] == [Heard, SourcePicture]
    (late,) = packets([picture], first=65_500 + 2 + len(rest))[:1]
    assert feed(stream, [late], now_ns=349 * NS_PER_MS) == []
    assert feed(stream, packets(coded(2), ssrc=2), now_ns=350 * NS_PER_MS)[:2] == [Restarted(), Heard()]


@pytest.mark.parametrize(
    ("payload", "codec"),
    [
        ("6742", Codec.H264), ("7cc5", Codec.H264), ("7800", Codec.H264), ("419a", Codec.H264),
        ("0605", Codec.H264), ("2801", Codec.H264), ("4001", Codec.H265), ("6201", Codec.H265),
        ("6001", Codec.H265), ("0201", Codec.H265), ("4e01", Codec.H265), ("ffff", None), ("47", None),
    ],
)  # fmt: skip
def test_codecs_are_told_apart_by_their_first_bytes(payload: str, codec: Codec | None) -> None:
    assert codec_of(bytes.fromhex(payload)) is codec


def test_what_was_announced_is_followed_whatever_its_packets_look_like() -> None:
    made = coded(4, codec="libx265")
    sent = [packet._replace(payload_type=35) for packet in packets(made, codec=Codec.H265)]
    sent[0] = sent[0]._replace(payload=b"\x26" + sent[0].payload[1:])  # as H.264 this would be an SEI
    assert unusable(feed(RtpStream(), sent)) != []
    events = feed(RtpStream(VideoFormat(Codec.H265, 35)), sent)
    assert [got.codec for got in pictures_of(events)] == [Codec.H265] * 4


def test_what_was_not_announced_is_named_until_the_rest_comes() -> None:
    sent = packets(coded(4))
    other = [packet._replace(payload_type=97, ssrc=9) for packet in sent]
    stream = RtpStream(VideoFormat(Codec.H264, 96))
    assert unusable(feed(stream, other)) == ["not_video"] * len(other)
    assert len(pictures_of(feed(stream, sent))) == 4
    assert feed(stream, other) == []  # forward error correction, say
