"""What an RTMP publisher with a key can do to everybody else: nothing that lasts longer than a moment."""

from __future__ import annotations

import logging
import time
from itertools import pairwise

import pytest

from flow.clock import NS_PER_S
from flow.codec.annexb import NAL_UNITS_MOST, START_CODE
from flow.errors import MalformedError
from flow.units import Codec
from ingest.protocol.assembly import Assembler
from ingest.protocol.events import Opened, ParameterSets, SourcePicture, Unusable
from ingest.protocol.feed import Feed
from ingest.protocol.lifecycle import Patience
from ingest.protocol.rtmp import amf0
from ingest.protocol.rtmp.chunks import ChunkReader
from ingest.protocol.rtmp.messages import Kind, Message, parts
from ingest.protocol.rtmp.session import COST_MOST, PublishRequested, State
from ingest.protocol.rtmp.video import VideoTags

from .material import coded
from .rtmp_publisher import nal_units, sequence_header
from .test_ingest_rtmp_server import House, encoder, serving
from .test_ingest_rtmp_session import Talk, small

KEPT: dict[int, int] = {Kind.VIDEO: 1 << 20}
TINY = bytes.fromhex("27 01 000000 00000002 61e0")
SPLINTERS = (NAL_UNITS_MOST + 1) * bytes.fromhex("00000001 61")


def flv_tag(kind: Kind, at_ms: int, body: bytes) -> bytes:
    """As in a file, and in an aggregate message (FLV E.4.1)."""
    time_bytes = (at_ms & 0xFF_FFFF).to_bytes(3, "big") + bytes((at_ms >> 24,))
    head = bytes((kind,)) + len(body).to_bytes(3, "big") + time_bytes + bytes(3)
    return head + body + (len(head) + len(body)).to_bytes(4, "big")


@pytest.mark.parametrize(
    "name",
    ["kdzwwm7h2hcm4r9q3xv5tnbf6pj", "kdzwwm7h2hcm4r9q3xv5tnbf6pj?key=k-tag", "unbekannt?key=k-unbekannt"],
)
async def test_a_key_where_the_feed_belongs_is_not_logged(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """`rtmp://SERVER/live` and the key as stream key: the commonest mistake there is."""
    caplog.set_level(logging.DEBUG)
    async with serving(House()) as house, encoder(house) as phone:
        assert await phone.publish(name) == "NetStream.Publish.BadName"
        assert "no feed of ours was named (" in caplog.text
        assert "kdzwwm" not in caplog.text
        assert "unbekannt" not in caplog.text


def test_a_picture_of_a_million_units_costs_nothing() -> None:
    """Behind lengths, and by start codes hidden in one unit."""
    for splinters in (SPLINTERS, b"\x00\x7f\xff\xff" + bytes.fromhex("000001 61") * 2_000_000):
        body = bytes.fromhex("27 01 000000") + splinters[: 0x7F_FFFF + 4]
        began = time.process_time()
        events = VideoTags().take(body, 0, 0)
        feed = Feed("f", "rtmp", Patience(), 0)
        feed.handle(Opened("rtmp://192.0.2.7:1", 64), 0)
        assert [unit for event in events for unit in feed.handle(event, 0)] == []
        assert time.process_time() - began < 0.5  # of 1.5 s if it were cut apart
        assert isinstance(events[0], Unusable) or feed.state().damaged == 1


def test_what_follows_such_a_picture_waits_for_a_keyframe() -> None:
    first, *others = coded(3)
    assembler = Assembler()
    data = START_CODE.join([b"", *[b"\x61"] * (NAL_UNITS_MOST + 1)])
    assert assembler.push(SourcePicture(Codec.H264, first.data, 0, 0, 0))
    assert assembler.push(SourcePicture(Codec.H264, data, 1, 1, 0)) == []
    assert assembler.push(SourcePicture(Codec.H264, others[0].data, 2, 2, 0)) == []
    assert assembler.push(SourcePicture(Codec.H264, first.data, 3, 3, 0))
    assert assembler.damaged == 1
    assembler.keep_parameter_sets(Codec.H264, data)
    assert assembler.push(SourcePicture(Codec.H264, others[0].data, 4, 4, 0))


def test_a_picture_whose_end_cannot_be_read_is_damaged() -> None:
    """As DJI's sometimes are. It is counted, and where keyframes are near, what follows waits for one."""
    feed, tags, units = Feed("f", "rtmp", Patience(), 0), VideoTags(), 0
    feed.handle(Opened("rtmp://192.0.2.7:1", 64), 0)
    pictures = small(40)  # a keyframe every ten
    feed.handle(tags.take(sequence_header(pictures[0].data), 0, 0)[0], 0)
    for index, picture in enumerate(pictures):
        now_ns = index * 40_000_000
        body = nal_units(picture.data, keyframe=index % 10 == 0) + (
            b"\x00\x00\x01\xff\x41" if index == 25 else b""
        )
        for event in tags.take(body, index * 40, now_ns):
            units += len(feed.handle(event, now_ns))
    assert feed.state().damaged == 1
    assert units == 35


def test_as_many_units_as_a_picture_may_have() -> None:
    (event,) = VideoTags().take(bytes.fromhex("27 01 000000") + SPLINTERS[5:], 0, 0)
    assert isinstance(event, SourcePicture)


def test_a_command_of_thousands_of_values_is_refused_at_once() -> None:
    for nonsense in (b"\x05" * 16_000, b"\x0a\xff\xff\xff\xff" + b"\x05" * 16_000):
        with pytest.raises(MalformedError, match="AMF 0 values"):
            amf0.read(amf0.write("x", 1.0) + nonsense)
    assert len(amf0.read(b"\x05" * amf0.VALUES_MOST)) == amf0.VALUES_MOST


def test_messages_without_end_end_the_connection() -> None:
    talk = Talk()
    talk.until_published()
    tiny = talk.publisher.message(Kind.VIDEO, TINY)
    for _ in range(10):  # as many a second as may be, for ten seconds
        talk.now_ns += NS_PER_S
        for _ in range(COST_MOST):
            talk.say(tiny)
            tiny = talk.publisher.message(Kind.VIDEO, TINY)
    assert sum(isinstance(event, SourcePicture) for event in talk.events) == 10 * COST_MOST
    with pytest.raises(MalformedError, match="messages a second"):
        talk.say(tiny)


def again_and_again(talk: Talk, *commands: tuple[str, amf0.Value]) -> None:
    talk.until_published()
    for _ in range(101):
        for name, third in commands:
            talk.say(talk.publisher.command(name, 2, None, third, "live", stream_id=1))


@pytest.mark.parametrize(
    "commands", [[("releaseStream", "x")], [("FCUnpublish", "tag"), ("publish", "tag?key=k-tag")]]
)
def test_commands_and_beginnings_without_end_do_too(commands: list[tuple[str, amf0.Value]]) -> None:
    talk = Talk()
    with pytest.raises(MalformedError, match="commands"):
        again_and_again(talk, *commands)
    assert sum(isinstance(event, PublishRequested) for event in talk.events) <= 4


def test_pictures_in_aggregate_messages_are_read() -> None:
    """RTMP 7.1.6: their times count from the first one's."""
    talk = Talk()
    talk.until_published()
    pictures = small(3)
    tags = flv_tag(Kind.VIDEO, 7000, sequence_header(pictures[0].data))
    for index, picture in enumerate(pictures):
        tags += flv_tag(Kind.AUDIO, 7000 + 40 * index, b"\xaf\x01")
        tags += flv_tag(Kind.VIDEO, 7000 + 40 * index, nal_units(picture.data, keyframe=index == 0))
    talk.say(talk.publisher.message(Kind.AGGREGATE, tags, at_ms=500))
    found = [event for event in talk.events if isinstance(event, SourcePicture)]
    assert [picture.dts for picture in found] == [500 * 90, 540 * 90, 580 * 90]
    assert any(isinstance(event, ParameterSets) for event in talk.events)


def test_aggregate_messages_within_each_other_and_cut_off() -> None:
    inner = flv_tag(Kind.VIDEO, 0, TINY)
    (nested,) = parts(Message(Kind.AGGREGATE, 1, 0, flv_tag(Kind.AGGREGATE, 0, inner)))
    assert nested.kind == Kind.AGGREGATE
    talk = Talk()
    talk.until_published()
    before = len(talk.events)
    talk.say(talk.publisher.message(Kind.AGGREGATE, flv_tag(Kind.AGGREGATE, 0, inner)))
    assert len(talk.events) == before  # of what is within, only pictures and sound count
    for end in range(1, len(inner) - 4):
        with pytest.raises(MalformedError, match="cut off"):
            list(parts(Message(Kind.AGGREGATE, 1, 0, inner[:end])))
    assert list(parts(Message(Kind.AGGREGATE, 1, 0, b""))) == []


@pytest.mark.parametrize("kind", [Kind.VIDEO, Kind.AUDIO, Kind.COMMAND_AMF0])
def test_an_aggregate_message_costs_what_is_in_it(kind: Kind) -> None:
    talk = Talk()
    talk.until_published()
    with pytest.raises(MalformedError, match="messages a second"):
        talk.say(talk.publisher.message(Kind.AGGREGATE, flv_tag(kind, 0, TINY) * (COST_MOST + 1)))


def test_what_dji_sends() -> None:
    """Set Peer Bandwidth from the publisher; steps back in time, as extended times of 32 bits, which
    other servers took for the beginning of the picture."""
    talk = Talk()
    talk.until_published()
    talk.say(talk.publisher.message(Kind.SET_PEER_BANDWIDTH, bytes.fromhex("0026 25a0 02"), chunk_stream=2))
    assert talk.session.state is State.PUBLISHING
    payload = bytes(range(200))
    back = bytes.fromhex("fffffef7")  # 265 ms
    data = (
        bytes.fromhex("06 0003e8 0000c8 09 01000000") + payload[:128] + b"\xc6" + payload[128:]
        + bytes.fromhex("46 ffffff 0000c8 09") + back + payload[:128] + b"\xc6" + back + payload[128:]
        + bytes.fromhex("86 000021") + payload[:128] + b"\xc6" + payload[128:]
    )  # fmt: skip
    heard = list(ChunkReader(KEPT).read(data))
    assert [(each.timestamp_ms, each.payload) for each in heard] == [
        (1000, payload), (735, payload), (768, payload),
    ]  # fmt: skip


def test_times_wrap_and_jump_without_harm() -> None:
    """Past 32 bits of milliseconds, back by an hour, ahead by a day: decoding times rise, nothing is lost."""
    feed, tags = Feed("f", "rtmp", Patience(), 0), VideoTags()
    feed.handle(Opened("rtmp://192.0.2.7:1", 64), 0)
    pictures = small(40)
    times_ms = [2**32 - 200 + 40 * index for index in range(10)]
    times_ms += [times_ms[-1] - 3_600_000 + 40 * index for index in range(10)]
    times_ms += [times_ms[-1] + 86_400_000 + 40 * index for index in range(20)]
    units = []
    for event in tags.take(sequence_header(pictures[0].data), times_ms[0], 0):
        feed.handle(event, 0)
    for index, (picture, at_ms) in enumerate(zip(pictures, times_ms, strict=True)):
        now_ns = (1 + index) * 40_000_000
        for event in tags.take(nal_units(picture.data, keyframe=index == 0), at_ms % 2**32, now_ns):
            units += feed.handle(event, now_ns)
    assert len(units) == 40
    steps = [after.dts_90k - before.dts_90k for before, after in pairwise(units)]
    assert all(0 < step <= 2 * 3600 for step in steps), steps
    assert sum(step == 3600 for step in steps) >= 37
    assert feed.state().restarts == 0


@pytest.mark.parametrize("size", [(16, 16), (7680, 4320)])
def test_the_least_and_the_largest_picture_are_described(size: tuple[int, int]) -> None:
    """8K is only said, by a parameter set that lies: ingest does not decode, so it holds nothing more."""
    feed = Feed("f", "rtmp", Patience(), 0)
    feed.handle(Opened("rtmp://192.0.2.7:1", 64), 0)
    real = coded(2, size=(16, 16))
    pictures = [each.data for each in real]
    if size != (16, 16):
        sps, pps = said_size(size)
        pictures[0] = sps + pps + pictures[0][pictures[0].index(b"\x00\x00\x01\x65") - 1 :]
    units = [
        unit
        for index, data in enumerate(pictures)
        for unit in feed.handle(SourcePicture(Codec.H264, data, index * 3000, index * 3000, index), index)
    ]
    config = feed.state().config
    assert len(units) == 2
    assert config is not None
    assert (config.width_px, config.height_px) == size


def test_a_size_that_changes_in_flight_is_told_at_its_keyframe() -> None:
    feed = Feed("f", "rtmp", Patience(), 0)
    feed.handle(Opened("rtmp://192.0.2.7:1", 64), 0)
    at, sizes = 0, []
    for size in ((64, 48), (128, 96), (64, 48)):
        for picture in coded(5, size=size):
            at += 3000
            assert feed.handle(SourcePicture(Codec.H264, picture.data, at, at, at), at)
        config = feed.state().config
        assert config is not None
        sizes.append((config.width_px, config.height_px))
    assert sizes == [(64, 48), (128, 96), (64, 48)]
    assert feed.state().restarts == 0


def said_size(size: tuple[int, int]) -> tuple[bytes, bytes]:
    """Parameter sets of a baseline stream of that size, as x264 would write them (H.264 7.3.2.1.1)."""
    bits = "010000101100000000111110"  # profile 66, constraints, level 6.2
    for value in (0, 0, 2, 1):  # id, log2_max_frame_num - 4, pic_order_cnt_type, max_num_ref_frames
        bits += exp_golomb(value)
    bits += "0" + exp_golomb(size[0] // 16 - 1) + exp_golomb(size[1] // 16 - 1) + "1" + "1" + "0" + "0"
    return START_CODE + b"\x67" + packed(bits), START_CODE + bytes.fromhex("68 ce 3c 80")


def exp_golomb(value: int) -> str:
    digits = f"{value + 1:b}"
    return "0" * (len(digits) - 1) + digits


def packed(bits: str) -> bytes:
    bits += "1"  # rbsp_stop_one_bit
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")
