"""Answers to publishers' offers: what is taken, what is declined, and what is refused with which words."""

from __future__ import annotations

import pytest
from aiortc.sdp import SessionDescription

from flow.errors import OfferError, UnacceptableError
from flow.units import Codec
from relay.aiortc_seam import read_offer
from relay.answer import Local
from relay.protocol.receiver import Video
from relay.publish_answer import SETUP, Accepted, choose_video, publish_answer_sdp
from relay.sdp import checked_offer
from tests.fakes.offers import PUBLISHED, recorded

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
LOCAL = Local("me", "0123456789012345678901", FINGERPRINT, ["192.0.2.7"], 8189, tcp=False)
CHROMIUM = recorded("chromium_video").replace("a=recvonly", "a=sendonly")


def chosen(text: str) -> Accepted:
    return choose_video(read_offer(checked_offer(text, watches=False)))


def answered(text: str, local: Local = LOCAL) -> str:
    offer = read_offer(checked_offer(text, watches=False))
    return publish_answer_sdp(offer, choose_video(offer), local, 4711)


def test_the_answer_to_obs_line_by_line() -> None:
    transport = [
        "a=ice-ufrag:me",
        "a=ice-pwd:0123456789012345678901",
        f"a=fingerprint:{FINGERPRINT}",
        "a=setup:passive",
    ]
    assert answered(recorded("obs_publish")).split("\r\n") == [
        "v=0",
        "o=- 4711 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE 0 1",
        "a=msid-semantic:WMS *",
        "m=audio 8189 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 192.0.2.7",
        "a=mid:0",
        *transport,
        "a=inactive",
        "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
        "a=candidate:u0 1 udp 2130706431 192.0.2.7 8189 typ host",
        "a=end-of-candidates",
        "m=video 8189 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 192.0.2.7",
        "a=mid:1",
        *transport,
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:96 goog-remb",
        "",
    ]


def test_what_obs_and_ffmpeg_send_and_listen_to() -> None:
    all_kinds = frozenset({"nack", "nack pli", "goog-remb"})
    assert chosen(recorded("obs_publish")).video == Video(96, Codec.H264, all_kinds, reduced_size=False)
    ffmpeg = Video(
        106, Codec.H264, frozenset({"nack"}), reduced_size=True, rtx_payload_type=105, in_step=True
    )
    assert chosen(recorded("ffmpeg_publish")).video == ffmpeg


@pytest.mark.parametrize(
    ("offered", "ours"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")]
)
def test_both_roles_of_dtls(offered: str, ours: str) -> None:
    text = recorded("ffmpeg_publish").replace("a=setup:passive", f"a=setup:{offered}")
    accepted = chosen(text)
    assert accepted.remote.setup == offered
    assert SETUP[offered] == ours
    local = Local("me", "0123456789012345678901", FINGERPRINT, ["192.0.2.7"], 8189, setup=ours)
    assert f"\r\na=setup:{ours}\r\n" in answered(text, local)


def test_of_chromiums_formats_the_first_h264_in_fragments_and_no_retransmission_format() -> None:
    answer = answered(CHROMIUM)
    (media,) = SessionDescription.parse(answer).media
    (codec,) = media.rtp.codecs
    assert (codec.mimeType, media.direction) == ("video/H264", "recvonly")
    assert str(codec.parameters["packetization-mode"]) == "1"
    assert {f"{f.type} {f.parameter or ''}".strip() for f in codec.rtcpFeedback} == {
        "nack",
        "nack pli",
        "goog-remb",
    }
    assert "transport-cc" not in answer
    assert "extmap" not in answer
    assert "a=rtcp-rsize" in answer


def test_h265_is_taken_where_there_is_no_h264() -> None:
    text = recorded("obs_publish").replace("H264/90000", "H265/90000")
    assert chosen(text).video.codec is Codec.H265
    assert "a=rtpmap:96 H265/90000" in answered(text)
    both = text.replace("SAVPF 96", "SAVPF 96 97") + "a=rtpmap:97 H264/90000\r\n"
    assert chosen(both).video.payload_type == 97  # which every browser shows


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("H264/90000", "VP8/90000", "the offered video is VP8, but only H.264 and H.265"),
        ("a=sendonly", "a=recvonly", "sends no video"),
        ("a=sendonly", "a=inactive", "sends no video"),
    ],
)
def test_of_what_cannot_be_used_the_publisher_is_told_what_to_change(old: str, new: str, said: str) -> None:
    with pytest.raises(UnacceptableError, match=said):
        chosen(recorded("obs_publish").replace(old, new))


@pytest.mark.parametrize(
    "line", ["a=rtcp-mux", "a=setup:passive", "a=ice-pwd:45d830eee39d8f91e8af7fcfc39cea20"]
)
def test_an_offer_that_does_not_hold_together_is_told_what_it_lacks(line: str) -> None:
    text = recorded("ffmpeg_publish")
    assert line in text
    with pytest.raises(OfferError, match=line.partition(":")[0]):
        chosen(text.replace(f"{line}\r\n", ""))


@pytest.mark.parametrize("name", PUBLISHED)
def test_answers_are_read_by_an_independent_reader(name: str) -> None:
    parsed = SessionDescription.parse(answered(recorded(name)))
    assert [(m.kind, m.direction) for m in parsed.media][-1] == ("video", "recvonly")
