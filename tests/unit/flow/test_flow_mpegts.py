"""What a transport stream can do wrong, and that no picture waits for the next one."""

from __future__ import annotations

import random

import pytest

from flow.codec.mpegts import PesPacket, TsDemuxer
from flow.codec.pes import PesAssembler

from .transport import AUDIO, KLV, KLV_PID, PMT_PID, VIDEO, VIDEO_PID, Muxer, pat, pes, pmt

PICTURE = bytes(range(1, 201)) * 3
TAIL = 184 - 14  # PES payload that fills one packet: header of 9 and a PTS of 5 bytes


def started(*streams: tuple[int, int, bytes]) -> tuple[TsDemuxer, Muxer]:
    demuxer, muxer = TsDemuxer(), Muxer()
    assert demuxer.push(muxer.tables(*(streams or (VIDEO, KLV)))) == []
    return demuxer, muxer


def picture(pts: int, data: bytes = PICTURE, **flaws: bool) -> PesPacket:
    return PesPacket(VIDEO_PID, 0x1B, pts, None, data, **flaws)


@pytest.mark.parametrize("with_length", [False, True])
def test_a_picture_is_there_with_its_last_packet(with_length: bool) -> None:
    demuxer, muxer = started()
    packets = list(muxer.pes_packets(VIDEO_PID, pes(PICTURE, 9000, with_length=with_length)))
    assert [demuxer.push(packet) for packet in packets] == [[]] * 3 + [[picture(9000)]]


@pytest.mark.parametrize("with_length", [False, True])
def test_a_picture_of_one_packet(with_length: bool) -> None:
    demuxer, muxer = started()
    data = muxer.pes(VIDEO_PID, pes(b"abc", 9000, with_length=with_length))
    assert demuxer.push(data) == [picture(9000, b"abc")]


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_the_least_stuffing_is_stuffing(missing: int) -> None:
    """adaptation_field_length 0 (2.4.3.4) is how one byte is filled; two are filled with flags of nothing."""
    demuxer, muxer = started()
    data = PICTURE[: 2 * 184 - 14 - missing]
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(data, 0))) == [picture(0, data)]


def test_a_picture_that_fills_its_packets_ends_with_the_next_or_by_its_length() -> None:
    full = PICTURE[:TAIL]
    demuxer, muxer = started()
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(full, 0))) == []
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(full, 1))) == [picture(0, full)]
    assert demuxer.flush() == [picture(1, full)]
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(full, 2, with_length=True))) == [picture(2, full)]


def test_clock_references_are_no_stuffing() -> None:
    """2.4.3.5: PCR, private data and extension have sizes of their own."""
    demuxer, muxer = started()
    whole = pes(PICTURE, 5)
    pcr, private, extension = b"\x10" + bytes(6), b"\x02\x03abc", b"\x01\x01\x1f"
    at, done = 0, []
    for index, field in enumerate((pcr, private, extension)):
        size = 184 - 1 - len(field)
        done += demuxer.push(muxer.packet(VIDEO_PID, whole[at : at + size], start=index == 0, field=field))
        at += size
    assert done == []
    assert demuxer.push(muxer.packet(VIDEO_PID, whole[at:])) == [picture(5)]


def test_a_sender_that_stuffs_in_the_middle_is_found_out() -> None:
    demuxer, muxer = started()
    done = []
    for pts in range(3):
        whole = pes(PICTURE, pts)
        done += demuxer.push(muxer.packet(VIDEO_PID, whole[:100], start=True))
        for at in range(100, len(whole), 100):
            done += demuxer.push(muxer.packet(VIDEO_PID, whole[at : at + 100]))
    done += demuxer.flush()
    # Of the first only a part; the second says that something before it is missing.
    assert done[0] == picture(0, PICTURE[: 100 - 14])
    assert done[1:] == [picture(1, gap_before=True), picture(2)]


def test_pts_and_dts_of_33_bits() -> None:
    demuxer, muxer = started()
    pts, dts = 2**33 - 1, 0x1_2345_6789
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(b"x", pts, dts))) == [
        PesPacket(VIDEO_PID, 0x1B, pts, dts, b"x")
    ]
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(b"x", None)))[0].pts_90k is None


def test_klv_is_handed_out_and_audio_is_not() -> None:
    demuxer, muxer = started(VIDEO, KLV, AUDIO, (0x06, 0x103, b"\x05\x04Opus"))
    data = b"".join(muxer.pes(pid, pes(b"data", 7, with_length=True)) for pid in (KLV_PID, 0x102, 0x103))
    assert demuxer.push(data) == [PesPacket(KLV_PID, 0x06, 7, None, b"data")]
    assert demuxer.streams == {VIDEO_PID: 0x1B, KLV_PID: 0x06, 0x102: 0x0F, 0x103: 0x06}


def test_any_cut_of_the_stream_gives_the_same() -> None:
    muxer = Muxer()
    stream = b"".join([muxer.tables(VIDEO), *(muxer.pes(VIDEO_PID, pes(PICTURE, pts)) for pts in range(5))])
    for step in (1, 100, 188, 189, 1316, len(stream)):
        demuxer = TsDemuxer()
        done = [x for at in range(0, len(stream), step) for x in demuxer.push(stream[at : at + step])]
        assert done == [picture(pts) for pts in range(5)]


def test_junk_between_packets_is_passed_over() -> None:
    demuxer, muxer = started()
    first, second = (list(muxer.pes_packets(VIDEO_PID, pes(PICTURE, pts))) for pts in (1, 2))
    junk = b"\x47junk\x47" * 20
    stream = junk + b"".join(first[:2]) + junk + b"".join(first[2:] + second)
    assert demuxer.push(stream) == [picture(1), picture(2)]
    assert demuxer.discarded_bytes == 2 * len(junk)


@pytest.mark.parametrize("step", [1, 188, 5000])
def test_sync_bytes_in_junk_are_not_believed(step: int) -> None:
    demuxer, muxer = started()
    junk = b"junk\x47" * 200
    stream = junk + muxer.pes(VIDEO_PID, pes(PICTURE, 1)) + muxer.pes(VIDEO_PID, pes(PICTURE, 2))
    done = [x for at in range(0, len(stream), step) for x in demuxer.push(stream[at : at + step])]
    assert done == [picture(1), picture(2)]
    assert demuxer.discarded_bytes == len(junk)


def test_a_lost_packet_damages_its_picture() -> None:
    demuxer, muxer = started()
    packets = list(muxer.pes_packets(VIDEO_PID, pes(PICTURE, 1)))
    done = demuxer.push(packets[0] + packets[2] + packets[3] + muxer.pes(VIDEO_PID, pes(PICTURE, 2)))
    assert [(x.pts_90k, x.damaged, x.gap_before) for x in done] == [(1, True, False), (2, False, True)]
    assert demuxer.continuity_errors == 1


def test_a_lost_picture_shows_on_the_next() -> None:
    demuxer, muxer = started()
    pictures = [muxer.pes(VIDEO_PID, pes(PICTURE, pts)) for pts in range(3)]
    assert demuxer.push(pictures[0] + pictures[2]) == [picture(0), picture(2, gap_before=True)]


def test_duplicate_packets_are_dropped() -> None:
    """2.4.3.3: a packet may be sent twice, with the same continuity counter."""
    demuxer, muxer = started()
    doubled = b"".join(packet * 2 for packet in muxer.pes_packets(VIDEO_PID, pes(PICTURE, 1)))
    assert demuxer.push(doubled) == [picture(1)]
    assert demuxer.continuity_errors == 0


@pytest.mark.parametrize(
    ("at", "bits"), [(1, 0x80), (3, 0x80), (3, 0x40)], ids=["transport error", "scrambled", "scrambled"]
)
def test_unusable_packets_are_dropped_and_counted(at: int, bits: int) -> None:
    demuxer, muxer = started()
    packets = [bytearray(packet) for packet in muxer.pes_packets(VIDEO_PID, pes(PICTURE, 1))]
    packets[1][at] |= bits
    done = demuxer.push(b"".join(packets))
    assert [x.damaged for x in done] == [True]
    assert (demuxer.dropped_packets, demuxer.continuity_errors) == (1, 1)


def test_tables_with_a_wrong_crc_are_not_believed() -> None:
    demuxer, muxer = TsDemuxer(), Muxer()
    broken = bytearray(pat())
    broken[-1] ^= 1
    demuxer.push(muxer.section(0, bytes(broken)) + muxer.section(PMT_PID, pmt(VIDEO)))
    assert (demuxer.bad_sections, demuxer.streams) == (1, {})
    demuxer.push(muxer.tables(VIDEO))
    assert (demuxer.bad_sections, demuxer.streams) == (1, {VIDEO_PID: 0x1B})


def test_a_program_map_over_several_packets() -> None:
    streams = [(0x0F, 0x200 + i, b"\x0a\x04deu\x00") for i in range(30)]
    whole = b"\x00" + pmt(*streams[:10], VIDEO, *streams[10:15])
    assert len(whole) > 184
    demuxer, muxer = TsDemuxer(), Muxer()
    demuxer.push(muxer.section(0, pat()) + muxer.packet(PMT_PID, whole[:184], start=True))
    assert demuxer.streams == {}
    demuxer.push(muxer.packet(PMT_PID, whole[184:].ljust(184, b"\xff")))
    assert len(demuxer.streams) == 16


def test_a_changed_program_map_is_followed() -> None:
    demuxer, muxer = started(VIDEO)
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(PICTURE, 1))) == [picture(1)]
    hevc = (0x24, 0x300, b"")
    demuxer.push(muxer.section(PMT_PID, pmt(hevc)))
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(PICTURE, 2))) == []
    assert demuxer.push(muxer.pes(0x300, pes(PICTURE, 3))) == [PesPacket(0x300, 0x24, 3, None, PICTURE)]
    demuxer.push(muxer.section(0, pat(0x1001)) + muxer.section(0x1001, pmt(VIDEO)))
    assert demuxer.streams == {VIDEO_PID: 0x1B}


def test_a_repeated_program_map_does_not_disturb_an_open_picture() -> None:
    demuxer, muxer = started(VIDEO)
    packets = list(muxer.pes_packets(VIDEO_PID, pes(PICTURE, 1)))
    stream = packets[0] + muxer.tables(VIDEO) + muxer.tables(VIDEO, KLV) + b"".join(packets[1:])
    assert demuxer.push(stream) == [picture(1)]


def test_what_is_no_pes_packet_is_counted() -> None:
    demuxer, muxer = started()
    for bad in (
        b"\x00\x00\x02\xe0\x00\x00\x80\x00\x00",
        b"\x00\x00\x01\xe0\x00\x00\x00\x00\x00",
        b"\x00" * 7,
    ):
        assert demuxer.push(muxer.packet(VIDEO_PID, bad, start=True)) == []
    assert demuxer.bad_pes == 3


def test_an_endless_pes_packet_stays_bounded() -> None:
    demuxer, muxer = started()
    demuxer.push(muxer.packet(VIDEO_PID, pes(bytes(TAIL)), start=True))
    block = b"".join(muxer.packet(VIDEO_PID, bytes(184)) for _ in range(16))
    for _ in range(3000):
        assert demuxer.push(block) == []
    assert demuxer.bad_pes == 1
    assert demuxer._streams[VIDEO_PID]._size == 0
    assert demuxer.push(muxer.pes(VIDEO_PID, pes(PICTURE, 1))) == [picture(1, gap_before=True)]


@pytest.mark.parametrize("seed", range(12))
def test_the_short_way_of_a_packet_comes_to_what_the_long_one_does(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With packets lost, doubled, swapped and broken."""
    chance, muxer = random.Random(seed), Muxer()
    packets = [muxer.tables(VIDEO, KLV)]
    for at in range(30):
        whole = pes(chance.randbytes(chance.randrange(1, 3000)), at, with_length=chance.random() < 0.5)
        packets += muxer.pes_packets(chance.choice((VIDEO_PID, VIDEO_PID, KLV_PID)), whole)
    for _ in range(25):
        at = chance.randrange(1, len(packets))
        match chance.randrange(4):
            case 0:
                del packets[at]
            case 1:
                packets.insert(at, packets[at])
            case 2:
                packets.insert(chance.randrange(1, len(packets)), packets.pop(at))
            case _:
                where = chance.randrange(188)
                packets[at] = packets[at][:where] + chance.randbytes(1) + packets[at][where + 1 :]
    data = b"".join(packets)

    def demuxed() -> tuple[object, ...]:
        demuxer = TsDemuxer()
        found = [demuxer.push(data[at : at + 1316]) for at in range(0, len(data), 1316)]
        left = demuxer.flush()
        return found, left, demuxer.continuity_errors, demuxer.dropped_packets, demuxer.bad_pes

    short = demuxed()
    with monkeypatch.context() as patch:
        patch.setattr(PesAssembler, "extend", lambda *_: False)
        assert demuxed() == short
