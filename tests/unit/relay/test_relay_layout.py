"""Pictures laid out as RTP: what the bytes say, and what may leave by one call."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from flow.codec.rtp import parse_rtp
from relay.protocol.layout import MAX_RUN_BYTES, MAX_SEGMENTS, Run, Shape, WirePicture

GCM = Shape(payload_type=102, playout_delay_id=5, tag_bytes=16)
PLAIN = Shape(payload_type=96, playout_delay_id=None, tag_bytes=10)


def picture(*sizes: int, first: int = 0, keyframe: bool = False) -> WirePicture:
    payloads = [bytes([n & 0xFF]) * size for n, size in enumerate(sizes)]
    return WirePicture(first, 0xCAFE, 90_000, keyframe, 0, payloads)


def packets_of(run: Run) -> list[bytes]:
    lengths = array("i", run.lengths)
    return [run.data[at : at + length] for at, length in zip(run.starts, lengths, strict=True)]


def test_headers_say_what_rfc_3550_and_8285_say() -> None:
    run = picture(3, 3, first=70_000).runs((GCM, 5))[0]
    first, last = packets_of(run)
    assert first == bytes.fromhex(
        "90 66 1175 00015f90 0000cafebede 0001 52 000000"  # sequence 70,005 mod 2^16; delay 0/0 as id 5
    ) + bytes(3)
    assert last[1] == 0x80 | 102  # the marker is on the picture's last packet
    assert parse_rtp(last).payload == b"\1\1\1"


def test_a_viewer_without_the_extension_gets_a_plain_header() -> None:
    packet = parse_rtp(packets_of(picture(4).runs((PLAIN, 0xFFFF))[0])[0])
    assert (packet.payload_type, packet.marker, packet.sequence) == (96, True, 0xFFFF)
    assert (packet.timestamp, packet.ssrc, packet.payload) == (90_000, 0xCAFE, bytes(4))


def test_a_run_ends_where_offload_needs_it_to() -> None:
    sizes = [20, 1180, 1180, 1180, 700, 700, 900]
    runs = picture(*sizes).runs((GCM, 0))
    assert [(r.first, r.count) for r in runs] == [(0, 1), (1, 4), (5, 1), (6, 1)]


def test_one_packet_can_be_laid_out_alone_with_any_number() -> None:
    single = picture(1180, 1180, 9, first=100).single(2, GCM, 7)
    assert (single.first, single.count, single.segment) == (2, 1, 20 + 9 + 16)
    packet = parse_rtp(packets_of(single)[0])
    assert (packet.sequence, packet.marker, packet.payload) == (109, True, bytes([2]) * 9)


def test_a_picture_without_packets_is_no_run() -> None:
    assert picture().runs((GCM, 0)) == []


def test_viewers_of_one_shape_and_offset_share_bytes_until_they_are_forgotten() -> None:
    one = picture(1180, 5)
    runs = one.runs((GCM, 0))
    assert one.runs((GCM, 0)) is runs
    assert one.runs((GCM, 1)) is not runs
    one.forget_layouts()
    assert one.runs((GCM, 0)) is not runs


@given(st.lists(st.integers(1, 1180), min_size=1, max_size=200), st.sampled_from([GCM, PLAIN]))
def test_runs_hold_every_packet_once_and_stay_within_what_the_kernel_takes(
    sizes: list[int], shape: Shape
) -> None:
    whole = picture(*sizes, first=65_500)
    runs = whole.runs((shape, 3))
    packets = [packet for run in runs for packet in packets_of(run)]
    assert packets == [whole.packet(i, shape, 3) for i in range(len(sizes))]
    for run in runs:
        assert run.count <= MAX_SEGMENTS
        assert len(run.data) <= MAX_RUN_BYTES
        on_wire = [len(p) + shape.tag_bytes for p in packets_of(run)]
        assert all(size == run.segment for size in on_wire[:-1])
        assert on_wire[-1] <= run.segment
        assert sum(on_wire) == len(run.data)


@given(st.integers(1, 50), st.data())
def test_a_part_of_a_run_is_the_same_packets(count: int, data: st.DataObject) -> None:
    run = picture(*[1180] * (count - 1), 300).runs((GCM, 0))[0]
    start = data.draw(st.integers(0, count - 1))
    stop = data.draw(st.integers(start + 1, count))
    part = run.part(start, stop)
    assert packets_of(part) == packets_of(run)[start:stop]
    assert (part.first, part.segment) == (start, run.segment)
    assert len(part.data) == sum(len(p) + GCM.tag_bytes for p in packets_of(part))
