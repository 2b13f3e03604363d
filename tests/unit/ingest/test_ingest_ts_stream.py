from __future__ import annotations

from pathlib import Path

import pytest

from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import Codec
from ingest.protocol.events import (
    ForeignPicture,
    Heard,
    PacketsLost,
    Restarted,
    SourceEvent,
    SourcePicture,
    StreamInfo,
    Unusable,
)
from ingest.protocol.ts_stream import TsStream
from tests.fakes.clock import START_NS

from .material import LIVE, WITH_B_FRAMES, Coded, coded, decoded, written

SENDER = "127.0.0.1:40000"


def datagrams(path: Path, *, packets: int = 7) -> list[bytes]:
    data = path.read_bytes()
    size = 188 * packets
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.fixture
def multiplex(tmp_path: Path) -> list[bytes]:
    return datagrams(written(tmp_path / "live.ts", coded(30), format="mpegts"))


def cut(sent: list[bytes], size: int, *, start: int = 0) -> list[bytes]:
    """The same bytes in datagrams of another size, from `start` on."""
    data = b"".join(sent)
    return [data[at : at + size] for at in range(start, len(data), size)]


def told(
    stream: TsStream, sent: list[bytes], *, sender: str = SENDER, start_ns: int = 0
) -> list[SourceEvent]:
    return [
        event
        for index, datagram in enumerate(sent)
        for event in stream.handle(datagram, sender, start_ns + index * 10**7)
    ]


def crc(section: bytearray) -> bytes:
    """CRC_32 of ISO/IEC 13818-1 annex A."""
    value = 0xFFFF_FFFF
    for byte in section:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C1_1DB7 if value >> 31 else 0)) & 0xFFFF_FFFF
    return value.to_bytes(4, "big")


def pictures_of(events: list[SourceEvent]) -> list[SourcePicture]:
    return [event for event in events if isinstance(event, SourcePicture)]


def test_every_picture_comes_out_whole_with_its_times(multiplex: list[bytes]) -> None:
    got = pictures_of(told(TsStream(), multiplex))
    assert len(got) == 30
    assert {(picture.codec, picture.damaged) for picture in got} == {(Codec.H264, False)}
    assert [picture.pts - got[0].pts for picture in got] == [3000 * index for index in range(30)]
    assert decoded(b"".join(picture.data for picture in got)) == 30


def test_transport_packets_inside_rtp_are_the_same(multiplex: list[bytes]) -> None:
    wrapped = [
        RtpPacket(33, False, index, 0, 1, datagram).serialize() for index, datagram in enumerate(multiplex)
    ]
    assert len(pictures_of(told(TsStream(), wrapped))) == 30


def test_b_frames_keep_both_times(tmp_path: Path) -> None:
    path = written(tmp_path / "b.ts", coded(30, options=WITH_B_FRAMES), format="mpegts")
    got = pictures_of(told(TsStream(), datagrams(path)))
    assert len(got) == 30
    decoding = [picture.dts for picture in got if picture.dts is not None]
    assert decoding == sorted(decoding)
    assert any(picture.pts > (picture.dts or 0) for picture in got)
    assert sorted(picture.pts for picture in got) != [picture.pts for picture in got]


def test_h265_is_told_apart(tmp_path: Path) -> None:
    made = coded(10, codec="libx265", options=LIVE)
    got = pictures_of(
        told(TsStream(), datagrams(written(tmp_path / "h.ts", made, codec="hevc", format="mpegts")))
    )
    assert {picture.codec for picture in got} == {Codec.H265}
    assert len(got) == 10


def test_a_lost_datagram_damages_pictures_and_is_counted(multiplex: list[bytes]) -> None:
    events = told(TsStream(), multiplex[:8] + multiplex[9:])
    assert sum(event.count for event in events if isinstance(event, PacketsLost)) == 1
    assert any(picture.damaged for picture in pictures_of(events))
    assert any(not picture.damaged for picture in pictures_of(events)[-5:])


def test_a_picture_whose_beginning_is_lost_damages_the_one_after_it(tmp_path: Path) -> None:
    sent = datagrams(written(tmp_path / "live.ts", coded(30), format="mpegts"), packets=1)
    starts = [index for index, packet in enumerate(sent) if packet[1] & 0x5F == 0x41 and packet[2] == 0]
    assert len(starts) == 30
    got = pictures_of(told(TsStream(), sent[: starts[4]] + sent[starts[4] + 1 :]))
    assert [(picture.pts - got[0].pts) // 3000 for picture in got if picture.damaged] == [5]
    assert len(got) == 29


def test_video_of_other_codecs_is_handed_on_as_that(tmp_path: Path) -> None:
    mpeg2 = coded(5, codec="mpeg2video", options=(("b", "500k"),))
    path = written(tmp_path / "other.ts", mpeg2, codec="mpegvideo", format="mpegts")
    events = told(TsStream(), datagrams(path))
    assert pictures_of(events) == []
    foreign = [event for event in events if isinstance(event, ForeignPicture)]
    assert {event.info for event in foreign} == {StreamInfo("mpeg2video")}
    assert [event.pts - foreign[0].pts for event in foreign] == [
        3000 * index for index in range(len(foreign))
    ]
    assert len(foreign) >= 4
    assert not [event for event in events if isinstance(event, Unusable)]


def test_video_that_nobody_can_decode_is_named(tmp_path: Path) -> None:
    """H.266 by its stream type (ISO/IEC 13818-1 table 2-34), in a program map made anew."""
    path = written(tmp_path / "live.ts", coded(5), format="mpegts")
    data = bytearray(path.read_bytes())
    at = data.index(b"\x02\xb0") - 5  # the packet of the program map
    section = at + 5
    length = (data[section + 1] << 8 | data[section + 2]) & 0xFFF
    entry = data.index(0x1B, section + 12)
    data[entry] = 0x33
    data[section + length - 1 : section + length + 3] = crc(data[section : section + length - 1])
    events = told(TsStream(), [bytes(data[:at]), bytes(data[at : at + 188])])
    named = {(event.reason, event.detail) for event in events if isinstance(event, Unusable)}
    assert named == {("unsupported_codec", f"H.266 from {SENDER}; it cannot be shown")}


@pytest.mark.parametrize("datagram", [b"", b"x", b"hello world", bytes(188), b"\x80\x60" + bytes(30)])
def test_what_is_no_transport_stream_is_named(datagram: bytes, multiplex: list[bytes]) -> None:
    stream = TsStream()
    (event,) = stream.handle(datagram, SENDER, 0)
    assert isinstance(event, Unusable)
    assert event.reason == "not_video"
    assert len(pictures_of(told(stream, multiplex))) == 30


def test_the_first_video_of_several_is_followed_until_it_is_silent(tmp_path: Path) -> None:
    stream = TsStream()
    assert stream._follows(256, 0)
    assert not stream._follows(257, NS_PER_S // 2)
    assert stream._follows(257, 2 * NS_PER_S)
    assert not stream._follows(256, 2 * NS_PER_S)


def test_packets_without_pictures_are_heard(multiplex: list[bytes]) -> None:
    assert told(TsStream(), multiplex[:1])[0] == Heard()


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\x47" + bytes(range(1, 200)), b"GET / HTTP/1.1", b"\xff" * 500, b"\x80\x21" + bytes(500)],
)
def test_what_is_no_transport_stream_is_named_as_that(datagram: bytes) -> None:
    (event,) = TsStream().handle(datagram, "10.0.0.7:1", 0)
    size = len(datagram)
    said = f"a datagram of {size} bytes from 10.0.0.7:1: no MPEG-TS packets (ISO/IEC 13818-1 2.4.3)"
    assert event == Unusable("not_video", said)


def test_rtcp_beside_a_transport_stream_is_no_sign_of_pictures() -> None:
    report = SenderReport(1, START_NS, 0, 0, 0).serialize()
    assert TsStream().handle(report, "10.0.0.7:1", 0) == []


def test_datagrams_may_cut_transport_packets_anywhere(multiplex: list[bytes]) -> None:
    """ffmpeg's default is 1472 bytes, no multiple of 188."""
    for sent in (cut(multiplex, 1472), cut(multiplex, 1000)):
        events = told(TsStream(), sent)
        assert not [event for event in events if isinstance(event, Unusable | PacketsLost)]
    assert len(pictures_of(told(TsStream(), cut(multiplex, 1472)))) == 30
    assert len(pictures_of(told(TsStream(), cut(multiplex, 1000)))) == 30


def test_a_sender_heard_from_the_middle_of_a_packet_on_is_known_by_its_sync_bytes(
    multiplex: list[bytes],
) -> None:
    events = told(TsStream(), cut(multiplex, 1472, start=1000))
    assert not [event for event in events if isinstance(event, Unusable)]
    assert [picture.damaged for picture in pictures_of(events)].count(False) >= 19


def test_a_lost_datagram_of_any_cut_costs_only_what_was_in_it(multiplex: list[bytes]) -> None:
    sent = cut(multiplex, 1472)
    events = told(TsStream(), sent[:8] + sent[9:])
    whole = [picture for picture in pictures_of(events) if not picture.damaged]
    assert len(whole) >= 25
    assert not [event for event in events if isinstance(event, Unusable)]


def test_garbage_of_a_known_sender_is_told_and_the_stream_goes_on(multiplex: list[bytes]) -> None:
    stream, half = TsStream(), len(multiplex) // 2
    junk = [b"", b"hello", b"\xff" * 700, b"\x80\xc8\x00\x06" + bytes(24)]
    events = told(stream, multiplex[:half])
    for datagram in junk:
        said = f"a datagram of {len(datagram)} bytes from {SENDER}: no MPEG-TS packets"
        assert said in str(stream.handle(datagram, SENDER, half * 10**7)[0])
    events += told(stream, multiplex[half:], start_ns=half * 10**7)
    assert [picture.damaged for picture in pictures_of(events)] == [False] * 30


def test_a_second_sender_is_told_and_kept_out_until_the_first_is_silent(multiplex: list[bytes]) -> None:
    stream, other = TsStream(), "127.0.0.1:40001"
    half = len(multiplex) // 2
    events = told(stream, multiplex[:half])
    last_ns = (half - 1) * 10**7
    beside = told(stream, multiplex[:1], sender=other, start_ns=last_ns + 199 * NS_PER_MS)
    said = f"a second sender, {other}, beside {SENDER} on one port"
    assert beside == [Unusable("not_video", said)]
    events += told(stream, multiplex[half:], start_ns=last_ns + 199 * NS_PER_MS)
    assert [picture.damaged for picture in pictures_of(events)] == [False] * 30
    assert Restarted() not in events
    taken = told(stream, multiplex, sender=other, start_ns=100 * NS_PER_S)
    assert (taken[0], taken.count(Restarted())) == (Restarted(), 1)
    assert [picture.damaged for picture in pictures_of(taken)] == [False] * 30
    assert not [event for event in taken if isinstance(event, PacketsLost)]


def test_garbage_of_another_socket_is_told_as_garbage(multiplex: list[bytes]) -> None:
    stream = TsStream()
    told(stream, multiplex[:3])
    (event,) = stream.handle(b"hello", "127.0.0.1:40001", 0)
    assert "no MPEG-TS packets" in str(event)


def test_a_sender_whose_time_steps_back_has_begun_anew(multiplex: list[bytes], tmp_path: Path) -> None:
    stream = TsStream()
    late = [Coded(each.pts + 900, each.dts + 900, each.data) for each in coded(30)]
    first = datagrams(written(tmp_path / "late.ts", tuple(late), format="mpegts"))
    assert Restarted() not in told(stream, first)
    events = told(stream, multiplex)
    again = events.index(Restarted())
    assert events.count(Restarted()) == 1
    assert events[again + 1] == pictures_of(events)[-30]


def test_neither_a_wrap_nor_a_small_step_back_is_a_restart(tmp_path: Path) -> None:
    stream = TsStream()
    wrap = (1 << 33) // 3000
    for shift in (wrap - 15, 5, 10):  # over the wrap, then nine pictures back, then twenty-four
        moved = tuple(Coded(each.pts + shift, each.dts + shift, each.data) for each in coded(30))
        path = written(tmp_path / f"{shift}.ts", moved, format="mpegts")
        assert Restarted() not in told(stream, datagrams(path))
