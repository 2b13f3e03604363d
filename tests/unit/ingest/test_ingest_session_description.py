from __future__ import annotations

import base64

import pytest

from flow.codec.annexb import split_nal_units
from flow.errors import SourceError
from flow.units import Codec
from ingest.protocol.rtp_stream import VideoFormat
from ingest.protocol.session_description import Description, base_url, describe, resolved

SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300f23c60c658")
PPS = bytes.fromhex("68ebe3cb22c0")
BASE = "rtsp://192.0.2.7/main/"

# As a camera of 2019 sends it: sound and metadata beside the video.
CAMERA = f"""v=0\r
o=- 1573126341 1573126341 IN IP4 192.0.2.7\r
s=Media Presentation\r
c=IN IP4 0.0.0.0\r
t=0 0\r
a=control:*\r
m=audio 0 RTP/AVP 8\r
a=control:trackID=2\r
a=rtpmap:8 PCMA/8000\r
m=video 0 RTP/AVP 96\r
b=AS:5050\r
a=control:trackID=1\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 profile-level-id=640028; packetization-mode=1; \
sprop-parameter-sets={base64.b64encode(SPS).decode()},{base64.b64encode(PPS).decode()}\r
m=application 0 RTP/AVP 107\r
a=control:trackID=3\r
a=rtpmap:107 vnd.onvif.metadata/90000\r
"""


def video(*lines: str, media: str = "video 0 RTP/AVP 96") -> str:
    return "\r\n".join(["v=0", f"m={media}", *lines, ""])


def read(sdp: str) -> Description:
    return describe(sdp, BASE, "rtsp://192.0.2.7/main")


def test_the_video_of_a_camera_is_found_among_its_other_media() -> None:
    description = read(CAMERA)
    assert description.control == BASE
    assert description.video_control == "rtsp://192.0.2.7/main/trackID=1"
    assert description.video == VideoFormat(Codec.H264, 96)
    assert split_nal_units(description.parameter_sets) == [SPS, PPS]


@pytest.mark.parametrize("name", ["H265", "h265", "HEVC"])
def test_h265_brings_its_three_parameter_sets(name: str) -> None:
    vps, sps, pps = (bytes((kind << 1, 1, 9)) for kind in (32, 33, 34))
    coded = [base64.b64encode(nal).decode() for nal in (vps, sps, pps)]
    fmtp = f"a=fmtp:98 sprop-vps={coded[0]};sprop-sps={coded[1]};sprop-pps={coded[2]}"
    description = read(video(f"a=rtpmap:98 {name}/90000", fmtp, media="video 0 RTP/AVP 98"))
    assert description.video == VideoFormat(Codec.H265, 98)
    assert split_nal_units(description.parameter_sets) == [vps, sps, pps]


def test_broken_parameter_sets_are_left_out() -> None:
    unpadded = base64.b64encode(PPS + b"\x01").decode().rstrip("=")
    with_start_code = base64.b64encode(b"\x00\x00\x00\x01" + SPS).decode()
    fmtp = f"a=fmtp:96 sprop-parameter-sets=***,{with_start_code},ä,{unpadded},"
    description = read(video("a=rtpmap:96 H264/90000", fmtp))
    assert split_nal_units(description.parameter_sets) == [SPS, PPS + b"\x01"]
    assert read(video("a=rtpmap:96 H264/90000")).parameter_sets == b""


def test_the_first_usable_of_several_is_taken() -> None:
    sdp = video("a=rtpmap:26 JPEG/90000", "a=rtpmap:97 H264/90000", media="video 0 RTP/AVP 26 97")
    assert read(sdp).video == VideoFormat(Codec.H264, 97)
    two = video("a=rtpmap:96 JPEG/90000") + video("a=control:t2", "a=rtpmap:97 H265/90000")[5:].replace(
        "AVP 96", "AVP 97"
    )
    assert read(two).video == VideoFormat(Codec.H265, 97)
    assert read(two).video_control == BASE + "t2"


@pytest.mark.parametrize(
    ("sdp", "code", "said"),
    [
        ("", "no_video", "nothing"),
        ("v=0\r\nm=audio 0 RTP/AVP 8\r\n", "no_video", "audio"),
        (video(), "unsupported_codec", "payload?type?96"),
        (video(media="video"), "unsupported_codec", "nothing"),
        (video("a=rtpmap:96 MP4V-ES/90000"), "unsupported_codec", "MP4V-ES"),
        (video("a=rtpmap:96 H264/8000"), "unsupported_codec", "8000"),
        (video("a=rtpmap:96 H264/90000", media="video 0 RTP/SAVP 96"), "unsupported_codec", "encrypted"),
        (
            video("a=rtpmap:96 H264/90000", "a=fmtp:96 packetization-mode=2"),
            "unsupported_codec",
            "interleaved",
        ),
        (
            video("a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-max-don-diff=3"),
            "unsupported_codec",
            "interleaved",
        ),
        (
            video("a=rtpmap:200 H264/90000", media="video 0 RTP/AVP 200"),
            "unsupported_codec",
            "H264",
        ),
    ],
)
def test_what_cannot_be_shown_is_named(sdp: str, code: str, said: str) -> None:
    with pytest.raises(SourceError) as raised:
        read(sdp)
    assert raised.value.code == code
    assert said in str(raised.value)
    assert "rtsp://192.0.2.7/main" in str(raised.value)


@pytest.mark.parametrize(
    ("control", "base", "url"),
    [
        ("", BASE, BASE),
        ("*", BASE, BASE),
        ("trackID=1", BASE, BASE + "trackID=1"),
        ("trackID=1", "rtsp://h/main", "rtsp://h/main/trackID=1"),
        ("/trackID=1", "rtsp://h/main/", "rtsp://h/main/trackID=1"),
        ("/trackID=1", "rtsp://h/main", "rtsp://h/main/trackID=1"),
        ("?track=1", "rtsp://h/main", "rtsp://h/main?track=1"),
        ("trackID=1", "rtsp://h/cam?channel=1&subtype=0", "rtsp://h/cam?channel=1&subtype=0/trackID=1"),
        ("rtsp://10.0.0.1/x/track1", BASE, "rtsp://10.0.0.1/x/track1"),
        ("rtsp://u:p@10.0.0.1/x", BASE, "rtsp://10.0.0.1/x"),
        ("track 1", BASE, BASE + "track%201"),
    ],
)
def test_controls_are_resolved_as_cameras_mean_them(control: str, base: str, url: str) -> None:
    assert resolved(control, base) == url


@pytest.mark.parametrize(
    ("content_base", "content_location", "base"),
    [
        ("", "", "rtsp://h/main"),
        ("rtsp://h/main/", "rtsp://h/other", "rtsp://h/main/"),
        ("", "rtsp://h/other/", "rtsp://h/other/"),
        ("", "/other/", "rtsp://h/other/"),
        ("rtsp://u:p@h/main/", "", "rtsp://h/main/"),
        ("rtsp://[", "rtsp://h/other", "rtsp://h/other"),
    ],
)
def test_the_base_is_what_the_answer_says(content_base: str, content_location: str, base: str) -> None:
    assert base_url("rtsp://h/main", content_base, content_location) == base
