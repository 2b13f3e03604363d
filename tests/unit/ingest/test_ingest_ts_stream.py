from __future__ import annotations

from pathlib import Path

import pytest

from flow.clock import NS_PER_S
from flow.codec.rtp import RtpPacket, SenderReport
from flow.units import Codec
from ingest.protocol.events import Heard, PacketsLost, SourceEvent, SourcePicture, Unusable
from ingest.protocol.ts_stream import TsStream
from tests.fakes.clock import START_NS

from .material import LIVE, WITH_B_FRAMES, coded, decoded, written

SENDER = "127.0.0.1:40000"


def datagrams(path: Path, *, packets: int = 7) -> list[bytes]:
    data = path.read_bytes()
    size = 188 * packets
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.fixture
def multiplex(tmp_path: Path) -> list[bytes]:
    return datagrams(written(tmp_path / "live.ts", coded(30), format="mpegts"))


def told(stream: TsStream, sent: list[bytes]) -> list[SourceEvent]:
    return [
        event
        for index, datagram in enumerate(sent)
        for event in stream.handle(datagram, SENDER, index * 10**7)
    ]


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


def test_other_video_is_named(tmp_path: Path) -> None:
    mpeg2 = coded(5, codec="mpeg2video", options=(("b", "500k"),))
    path = written(tmp_path / "other.ts", mpeg2, codec="mpegvideo", format="mpegts")
    events = told(TsStream(), datagrams(path))
    assert pictures_of(events) == []
    named = {(event.reason, event.detail) for event in events if isinstance(event, Unusable)}
    assert named == {("unsupported_codec", f"MPEG-2 video from {SENDER}; only H.264 and H.265 can be shown")}


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
