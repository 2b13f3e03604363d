"""Our formats against libav's on clips that x264 and x265 made, and on real recordings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.frame import PictureType

from flow.codec import h264, h265
from flow.codec.annexb import AccessUnitSplitter, AvcConfig, HevcConfig, avcc_to_annexb, split_nal_units
from flow.codec.mpegts import PesPacket, StreamType, TsDemuxer
from flow.codec.nal import RULES
from flow.codec.parameter_sets import config_of, slice_type
from flow.codec.rtp import RtpPacket
from flow.errors import MalformedError
from flow.units import Codec, CodecConfig
from tests.fakes.clips import ENCODERS, PICTURES, Clips

CHROMA = {"420": "4:2:0", "422": "4:2:2", "444": "4:4:4", "gbr": "4:4:4"}


def codec_of(encoder: str) -> Codec:
    return Codec(encoder[:4])


def units_of(path: Path, codec: Codec) -> list[bytes]:
    splitter = AccessUnitSplitter(codec)
    data = path.read_bytes()
    units = [unit for at in range(0, len(data), 1400) for unit in splitter.push(data[at : at + 1400])]
    return units + splitter.flush()


def assert_config_is_libavs(config: CodecConfig | None, context: av.VideoCodecContext) -> None:
    assert config is not None
    assert context.format is not None
    assert config.height_px == context.height
    # A container may ask for narrower display than the stream's own cropping.
    assert config.width_px - 16 < context.width <= config.width_px
    pixels = context.format.name.removeprefix("yuvj").removeprefix("yuv")
    assert config.chroma in (CHROMA[pixels[:3]], "4:0:0")  # libav decodes 4:0:0 to 4:2:0
    assert config.bit_depth == context.format.components[0].bits


@pytest.mark.parametrize("encoder", ENCODERS)
def test_splitter_and_parameter_sets_agree_with_libav(clips: Clips, encoder: str) -> None:
    codec = codec_of(encoder)
    path = clips.make(encoder, codec)
    units = [split_nal_units(unit) for unit in units_of(path, codec)]
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert [len(split_nal_units(bytes(packet))) for packet in packets] == [len(unit) for unit in units]
        keyframes = [RULES[codec].is_keyframe(unit) for unit in units]
        assert keyframes == [packet.is_keyframe for packet in packets]
        config = config_of(codec, units[0])
        assert_config_is_libavs(config, stream.codec_context)
        assert config is not None
        assert config.reorders == bool(stream.codec_context.has_b_frames)
        assert config.interlaced == ("interlaced" in encoder)
        assert (config.chroma == "4:0:0") == ("grey" in encoder)
        assert config.width_px == stream.codec_context.width
        if codec is Codec.H264:
            assert config.profile_level_id == units[0][[n[0] & 31 for n in units[0]].index(7)][1:4].hex()


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name.startswith("h264")])
def test_slice_types_tell_b_pictures(clips: Clips, encoder: str) -> None:
    path = clips.make(encoder, "h264")
    ours = [slice_type(next(filter(RULES[Codec.H264].is_slice, split_nal_units(unit)))) for unit in
            units_of(path, Codec.H264)]  # fmt: skip
    with av.open(str(path)) as container:
        shown = [PictureType(frame.pict_type).name for frame in container.decode(video=0)]
    assert sorted(ours) == sorted(shown)
    assert ("B" in ours) == ("B-frames" in encoder or "10 bit" in encoder)


def demux(data: bytes, step: int = 1316) -> list[PesPacket]:
    demuxer = TsDemuxer()
    packets = [done for at in range(0, len(data), step) for done in demuxer.push(data[at : at + step])]
    packets += demuxer.flush()
    assert demuxer.continuity_errors == demuxer.dropped_packets == demuxer.discarded_bytes == 0
    assert demuxer.bad_pes == demuxer.bad_sections == 0
    return packets


def assert_demuxes_like_libav(path: Path) -> None:
    ours = [packet for packet in demux(path.read_bytes()) if packet.stream_type in (0x1B, 0x24)]
    with av.open(str(path), options={"fflags": "noparse"}) as container:
        stream = container.streams.video[0]
        assert stream.time_base == Fraction(1, 90_000)
        theirs = [
            (packet.pts, packet.dts, bytes(packet)) for packet in container.demux(stream) if packet.size
        ]
    for index in reversed(range(len(theirs))):
        if theirs[index][0] is None:  # libav cuts PES packets above 200 KiB
            rest = theirs.pop(index)[2]
            theirs[index - 1] = (*theirs[index - 1][:2], theirs[index - 1][2] + rest)
    assert [(x.pts_90k, x.pts_90k if x.dts_90k is None else x.dts_90k, x.data) for x in ours] == theirs
    assert not any(x.damaged or x.gap_before for x in ours)


@pytest.mark.parametrize("lengths", [(), ("-omit_video_pes_length", "0")], ids=["no length", "length"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_demuxer_agrees_with_libav(clips: Clips, encoder: str, lengths: tuple[str, ...]) -> None:
    assert_demuxes_like_libav(clips.make(encoder, "ts", *lengths))


def test_demuxer_is_not_a_frame_late_without_pes_lengths(clips: Clips) -> None:
    """ffmpeg leaves the length of video 0; its last transport packet of a picture is stuffed."""
    data = clips.make("h264 zerolatency, four slices", "ts").read_bytes()
    demuxer = TsDemuxer()
    early = late = 0
    for at in range(0, len(data), 188):
        packet = data[at : at + 188]
        starts_video = packet[1:3] == b"\x41\x00"  # payload_unit_start on PID 256
        done = len(demuxer.push(packet))
        late += done if starts_video else 0
        early += 0 if starts_video else done
    assert early + late + len(demuxer.flush()) == PICTURES
    assert early >= PICTURES - 2, (
        "only a picture that fills its last packet to the byte may wait for the next"
    )


def resent(units: list[bytes], codec: Codec) -> list[h264.Picture]:
    module = {Codec.H264: h264, Codec.H265: h265}[codec]
    depacketizer: h264.Depacketizer | h265.Depacketizer = module.Depacketizer()
    pictures, sequence = [], 65_000
    for number, unit in enumerate(units):
        payloads = module.packetize(unit, 1200)
        assert max(map(len, payloads)) <= 1200
        for index, payload in enumerate(payloads):
            marker = index == len(payloads) - 1
            datagram = RtpPacket(96, marker, sequence % 65_536, number * 3000, 1, payload)
            pictures += depacketizer.push(datagram)
            sequence += 1
        assert len(pictures) == number + 1, "a picture is there with its last packet"
    return pictures


def assert_comes_back(units: list[bytes], codec: Codec) -> None:
    received = resent(units, codec)
    assert [split_nal_units(picture.data) for picture in received] == [split_nal_units(u) for u in units]
    assert [x.keyframe for x in received] == [RULES[codec].is_keyframe(split_nal_units(u)) for u in units]
    assert not any(picture.damaged for picture in received)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_packets_give_back_the_same_nal_units(clips: Clips, encoder: str) -> None:
    codec = codec_of(encoder)
    assert_comes_back(units_of(clips.make(encoder, codec), codec), codec)


def assert_mp4_becomes_annexb(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = Codec.H265 if stream.codec_context.name == "hevc" else Codec.H264
        extradata = stream.codec_context.extradata
        assert extradata is not None
        record = (HevcConfig if codec is Codec.H265 else AvcConfig).parse(extradata)
        samples = [bytes(packet) for packet in container.demux(stream) if packet.size]
        assert_config_is_libavs(config_of(codec, record.parameter_sets), stream.codec_context)
        keyframes = sum(p.is_keyframe for p in av_packets(path))
    units = [avcc_to_annexb(sample, record.length_size) for sample in samples]
    assert sum(RULES[codec].is_keyframe(split_nal_units(unit)) for unit in units) == keyframes
    assert_comes_back(units, codec)
    return units


def av_packets(path: Path) -> list[av.Packet[av.VideoStream]]:
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(container.streams.video[0]) if packet.size]


@pytest.mark.parametrize("encoder", ["h264 zerolatency, four slices", "h264 with B-frames", "h265"])
def test_mp4_becomes_annexb(clips: Clips, encoder: str) -> None:
    assert len(assert_mp4_becomes_annexb(clips.make(encoder, "mp4"))) == PICTURES


REAL_TS = [
    "video/aerial_seashore_h264_720p.ts",
    "video/aerial_skatepark_h264_portrait720x1280.ts",
    "video/fmv_aphill_h264_480i_klv0104.ts",
    "video/kwiver_h264_yuv444_klv0601.ts",
    "video/kwiver_h265_gbrp_klv0601.ts",
    "video/kwiver_h264_noklv.ts",
    "derived/seashore_hevc_720p_nobf.ts",
]
REAL_MP4 = [
    "video/aerial_karma_h264_480p_gpmf.mp4",
    "video/street_h265_1376x1840.mp4",
    "derived/seashore_h264_720p30_live.mp4",
]


@pytest.mark.feeds
@pytest.mark.parametrize("name", REAL_TS)
def test_real_transport_streams(feeds: Path, name: str) -> None:
    path = feeds / name
    assert_demuxes_like_libav(path)
    video = [packet for packet in demux(path.read_bytes()) if packet.stream_type in (0x1B, 0x24)]
    codec = Codec.H264 if video[0].stream_type == StreamType.H264 else Codec.H265
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        config = config_of(codec, split_nal_units(video[0].data))
        assert_config_is_libavs(config, context)
    units = [split_nal_units(packet.data) for packet in video]
    assert [RULES[codec].is_keyframe(u) for u in units] == [p.is_keyframe for p in av_packets(path)]
    splitter = AccessUnitSplitter(codec)
    split = [unit for packet in video for unit in splitter.push(packet.data)] + splitter.flush()
    assert [split_nal_units(unit) for unit in split] == units
    assert_comes_back(split, codec)


@pytest.mark.feeds
def test_real_klv_is_handed_out(feeds: Path) -> None:
    data = (feeds / "derived/seashore_h264_plus_cheyenne_klv.ts").read_bytes()
    klv = [packet for packet in demux(data) if packet.stream_type == StreamType.KLV_ASYNCHRONOUS]
    assert len(klv) == 124
    assert all(packet.data.startswith(bytes.fromhex("060e2b34020b0101")) for packet in klv)
    assert all(packet.pts_90k is not None for packet in klv)


@pytest.mark.feeds
@pytest.mark.parametrize("name", REAL_MP4)
def test_real_mp4(feeds: Path, name: str) -> None:
    assert_mp4_becomes_annexb(feeds / name)


@pytest.mark.feeds
def test_real_tello_stream(feeds: Path) -> None:
    """A capture that is cut off, with slices whose beginning was lost on the radio link."""
    path = feeds / "video/tello_indoor_h264_960x720.h264"
    units = units_of(path, Codec.H264)
    assert sum(RULES[Codec.H264].is_keyframe(split_nal_units(unit)) for unit in units) == 1
    with av.open(str(path)) as container:
        assert_config_is_libavs(
            config_of(Codec.H264, split_nal_units(units[0])), container.streams.video[0].codec_context
        )
    assert len(units) == len(av_packets(path))
    assert b"".join(units) == path.read_bytes()[: sum(map(len, units))]


@pytest.mark.feeds
def test_garbage_is_no_parameter_set(feeds: Path) -> None:
    data = (feeds / "video/tello_indoor_h264_960x720.h264").read_bytes()
    sps = split_nal_units(data)[0]
    for cut in range(5):
        with pytest.raises(MalformedError):
            config_of(Codec.H264, [sps[: cut + 1]])
