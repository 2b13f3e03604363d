"""MPEG-TS as written: what the demultiplexer reads of it, and what the standard asks of its packets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flow.codec.mpegts import PACKET_SIZE, StreamType, TsDemuxer
from flow.codec.mpegts_writer import KLV_PID, PMT_PID, SET_LIMIT_BYTES, VIDEO_PID, TsWriter, datagrams
from flow.codec.pes import PesPacket
from flow.units import AccessUnit, Codec, Rendition, UtcOrigin

SLICE = b"\x00\x00\x00\x01\x65"
AUD = b"\x00\x00\x00\x01\x09\xf0"
ORIGIN_90K = 1_795_330_000 * 90_000


def unit(
    index: int = 0,
    data: bytes = SLICE + b"\x88",
    *,
    keyframe: bool = False,
    codec: Codec = Codec.H264,
    ahead: int = 0,
) -> AccessUnit:
    dts = ORIGIN_90K + index * 3000
    return AccessUnit(
        "tag", Rendition.SOURCE, codec, 1, index, dts, dts + ahead, 0, UtcOrigin.ARRIVAL, keyframe, data
    )


def packets(stream: bytes) -> list[bytes]:
    assert len(stream) % PACKET_SIZE == 0
    cut = [stream[at : at + PACKET_SIZE] for at in range(0, len(stream), PACKET_SIZE)]
    assert all(packet[0] == 0x47 for packet in cut)
    return cut


def pid_of(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def read(*stream: bytes) -> list[PesPacket]:
    demuxer = TsDemuxer()
    done = [packet for part in stream for packet in demuxer.push(part)] + demuxer.flush()
    assert demuxer.continuity_errors + demuxer.bad_sections + demuxer.bad_pes + demuxer.discarded_bytes == 0
    return done


def clocks(stream: bytes) -> Iterator[int]:
    for packet in packets(stream):
        if packet[3] & 0x20 and packet[4] and packet[5] & 0x10:
            yield int.from_bytes(packet[6:12], "big") >> 15


def test_a_picture_and_its_set_come_back() -> None:
    writer = TsWriter()
    [klv, picture] = read(
        writer.write(unit(1, AUD + SLICE + b"\x88", keyframe=True, ahead=6000), b"\x06\x0e" * 40)
    )
    wrapped = (ORIGIN_90K + 3000) % (1 << 33)
    assert (picture.pid, picture.stream_type) == (VIDEO_PID, StreamType.H264)
    assert (picture.pts_90k, picture.dts_90k) == (wrapped + 6000, wrapped)
    assert picture.data == AUD + SLICE + b"\x88"
    assert (klv.pid, klv.stream_type, klv.pts_90k) == (KLV_PID, StreamType.KLV_SYNCHRONOUS, wrapped + 6000)
    assert klv.data == b"\x00\x00\xdf\x00\x50" + b"\x06\x0e" * 40  # metadata AU cell, 13818-1 2.12.4.2


def test_the_asynchronous_kind_is_private_data() -> None:
    writer = TsWriter(synchronous=False)
    [klv, picture] = read(writer.write(unit(1, keyframe=True), b"\x06\x0e" * 40))
    assert (klv.stream_type, klv.data, klv.pts_90k) == (0x06, b"\x06\x0e" * 40, picture.pts_90k)


def test_sets_are_numbered() -> None:
    writer = TsWriter()
    stream = [writer.write(unit(index), b"set") for index in range(258)]
    numbers = [packet.data[1] for packet in read(*stream) if packet.pid == KLV_PID]
    assert numbers == [index % 256 for index in range(258)]


def test_pictures_of_every_size_end_with_their_own_packets() -> None:
    for size in (*range(1, 400), 65_535 - 8, 65_535 - 7, 200_000):
        data = AUD + bytes(1 + at % 251 for at in range(size))
        demuxer = TsDemuxer()
        done = demuxer.push(TsWriter().write(unit(0, data, keyframe=True)))
        if size < 60_000:  # its length is told, so nobody waits for the next one
            assert [packet.data for packet in done] == [data]
        assert [packet.data for packet in done + demuxer.flush()] == [data]


def test_counters_count_up_per_pid() -> None:
    writer, seen = TsWriter(), dict[int, int]()
    for index in range(40):
        for packet in packets(writer.write(unit(index, AUD + bytes(1000), keyframe=index % 10 == 0), b"set")):
            pid, counter = pid_of(packet), packet[3] & 15
            assert counter == (seen.get(pid, -1) + 1) % 16
            seen[pid] = counter
    assert seen.keys() == {0, PMT_PID, VIDEO_PID, KLV_PID}


def test_tables_come_before_keyframes_and_ten_times_a_second() -> None:
    writer = TsWriter()
    with_tables = [
        index
        for index in range(60)
        if PMT_PID in map(pid_of, packets(writer.write(unit(index, keyframe=index == 31))))
    ]
    assert with_tables == [*range(0, 31, 3), *range(31, 60, 3)]
    first = packets(TsWriter().write(unit(0), b"set"))
    assert [pid_of(packet) for packet in first[:4]] == [0, PMT_PID, KLV_PID, VIDEO_PID]


def test_every_picture_tells_the_clock_ahead_of_its_decoding() -> None:
    writer = TsWriter()
    for index in range(20):
        [clock] = clocks(writer.write(unit(index, AUD + bytes(5000))))
        assert (ORIGIN_90K + index * 3000 - clock) % (1 << 33) == 9000


def test_keyframes_are_where_decoding_may_begin() -> None:
    for keyframe in (True, False):
        video = [
            packet
            for packet in packets(TsWriter().write(unit(0, keyframe=keyframe)))
            if pid_of(packet) == VIDEO_PID
        ]
        assert bool(video[0][5] & 0x40) is keyframe


@pytest.mark.parametrize(
    ("codec", "picture", "delimiter"),
    [
        (Codec.H264, SLICE + b"\x88", AUD),
        (Codec.H264, b"\x00\x00\x01\x65\x88", AUD),
        (Codec.H265, b"\x00\x00\x00\x01\x26\x01\xaf", b"\x00\x00\x00\x01\x46\x01\x50"),
    ],
)
def test_a_delimiter_stands_before_every_picture_once(codec: Codec, picture: bytes, delimiter: bytes) -> None:
    for data in (picture, delimiter + picture):
        [read_back] = read(TsWriter().write(unit(0, data, codec=codec)))
        assert read_back.data == delimiter + picture


def test_the_program_map_names_the_codec_and_klv() -> None:
    writer, demuxer = TsWriter(), TsDemuxer()
    for codec, stream_type in ((Codec.H264, 0x1B), (Codec.H265, 0x24), (Codec.H264, 0x1B)):
        demuxer.push(writer.write(unit(0, codec=codec)))
        assert demuxer.streams == {VIDEO_PID: stream_type, KLV_PID: 0x15}


def test_a_set_that_does_not_fit_is_refused() -> None:
    TsWriter().write(unit(), bytes(SET_LIMIT_BYTES))
    with pytest.raises(ValueError, match="does not go into"):
        TsWriter().write(unit(), bytes(SET_LIMIT_BYTES + 1))


def test_datagrams_are_of_seven_packets() -> None:
    stream = TsWriter().write(unit(0, AUD + bytes(4000), keyframe=True))
    sent = datagrams(stream)
    assert b"".join(sent) == stream
    assert {len(datagram) for datagram in sent[:-1]} == {7 * 188}
    assert 0 < len(sent[-1]) <= 7 * 188
