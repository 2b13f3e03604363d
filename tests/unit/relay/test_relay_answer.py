"""Answers to offers of browsers and others: which format, which lines, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import OfferError
from flow.units import Codec, CodecConfig
from relay.aiortc_seam import host_addresses, read_offer
from relay.answer import Chosen, Local, answer_sdp, choose_format, profile
from relay.sdp import Offer, checked_offer
from tests.fakes.offers import RECORDED, recorded

FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)
LOCAL = Local("me", "0123456789012345678901", FINGERPRINT, ["192.0.2.7", "2001:db8::7"], 8189)
SSRC = 0x1A6E_B11D
CONSTRAINED_BASELINE, BASELINE, MAIN, HIGH = "42c01e", "420029", "4d4028", "640028"


def read(text: str) -> Offer:
    return read_offer(checked_offer(text))


def answered(text: str, profile_level_id: str = HIGH) -> tuple[Chosen, str]:
    offer = read(text)
    chosen = choose_format(offer, profile_level_id)
    return chosen, answer_sdp(offer, chosen, LOCAL, SSRC, 4711)


def without(text: str, pattern: str) -> str:
    return re.sub(rf"^{pattern}\r\n", "", text, flags=re.MULTILINE)


def test_the_answer_to_chromium_line_by_line() -> None:
    _, answer = answered(recorded("chromium_video"), CONSTRAINED_BASELINE)
    assert answer.split("\r\n") == [
        "v=0",
        "o=- 4711 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE 0",
        "a=msid-semantic:WMS *",
        "m=video 8189 UDP/TLS/RTP/SAVPF 108",
        "c=IN IP4 192.0.2.7",
        "a=mid:0",
        "a=ice-ufrag:me",
        "a=ice-pwd:0123456789012345678901",
        f"a=fingerprint:{FINGERPRINT}",
        "a=setup:passive",
        "a=sendonly",
        "a=rtcp-mux",
        "a=rtpmap:108 H264/90000",
        "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "a=rtcp-fb:108 nack",
        "a=rtcp-fb:108 nack pli",
        "a=rtcp-fb:108 ccm fir",
        "a=rtcp-fb:108 goog-remb",
        "a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
        "a=msid:lagebild video",
        f"a=ssrc:{SSRC} cname:lagebild",
        f"a=ssrc:{SSRC} msid:lagebild video",
        "a=candidate:u0 1 udp 2130706431 192.0.2.7 8189 typ host",
        "a=candidate:u1 1 udp 2130706175 2001:db8::7 8189 typ host",
        "a=candidate:t0 1 tcp 1520435199 192.0.2.7 8189 typ host tcptype passive",
        "a=candidate:t1 1 tcp 1520434943 2001:db8::7 8189 typ host tcptype passive",
        "a=end-of-candidates",
        "",
    ]


@pytest.mark.parametrize(
    ("name", "bundle", "sections"),
    [
        ("chromium_video", ["0"], ["sendonly"]),
        ("chromium_audio_videos_data", ["0", "1", "2"], ["inactive", "sendonly", "inactive", "rejected"]),
        ("gstreamer_video", ["video0"], ["sendonly"]),
        ("gstreamer_audio_video", ["audio0", "video1"], ["inactive", "sendonly"]),
        ("firefox_audio_video", ["0", "1"], ["inactive", "sendonly"]),
    ],
)
def test_every_section_is_answered_in_its_place(name: str, bundle: list[str], sections: list[str]) -> None:
    offer = SessionDescription.parse(recorded(name))
    answer = SessionDescription.parse(answered(recorded(name))[1])
    same = [(m.kind, m.profile, m.rtp.muxId) for m in offer.media]
    assert [(m.kind, m.profile, m.rtp.muxId) for m in answer.media] == same
    assert [m.direction if m.port else "rejected" for m in answer.media] == sections
    assert [group.items for group in answer.group] == [bundle]
    for offered, media in zip(offer.media, answer.media, strict=True):
        assert set(media.fmt) <= set(offered.fmt)
        assert media.ice is not None
        assert media.dtls is not None
        assert (media.ice.iceLite, media.ice.usernameFragment, media.dtls.role) == (True, "me", "server")
    assert [len(m.ice_candidates) for m in answer.media] == [4] + [0] * (len(sections) - 1)
    assert [s.ssrc for m in answer.media for s in m.ssrc] == [SSRC]


@pytest.mark.parametrize(
    ("name", "payload_type", "playout_delay_id", "feedback"),
    [
        ("chromium_video", 108, 5, ("nack", "nack pli", "ccm fir", "goog-remb")),
        ("chromium_audio_videos_data", 108, 5, ("nack", "nack pli", "ccm fir", "goog-remb")),
        ("gstreamer_video", 96, None, ("nack pli", "ccm fir")),
        ("gstreamer_audio_video", 96, None, ("nack", "nack pli", "ccm fir")),
        ("firefox_audio_video", 126, 6, ("nack", "nack pli", "ccm fir", "goog-remb")),
    ],
)
def test_what_is_chosen(
    name: str, payload_type: int, playout_delay_id: int | None, feedback: tuple[str, ...]
) -> None:
    chosen, _ = answered(recorded(name))
    assert (chosen.payload_type, chosen.playout_delay_id) == (payload_type, playout_delay_id)
    assert chosen.feedback == feedback


def test_a_section_that_is_bundle_only_takes_the_transport_of_its_bundle() -> None:
    chosen, _ = answered(recorded("firefox_audio_video"))
    assert (chosen.section, chosen.remote.ufrag, chosen.remote.setup) == (1, "6f3a1c9e", "actpass")
    assert [algorithm for algorithm, _ in chosen.remote.fingerprints] == ["sha-256"]


@pytest.mark.parametrize(
    ("stream", "payload_type"),
    [
        (CONSTRAINED_BASELINE, 108),
        (BASELINE, 102),
        (MAIN, 116),
        (HIGH, 108),  # not offered: Constrained Baseline instead
        ("f4001e", 41),
        ("42e033", 108),  # whatever its level
        ("zz", 108),
    ],
)
def test_the_streams_own_profile_is_chosen_where_it_is_offered(stream: str, payload_type: int) -> None:
    assert choose_format(read(recorded("chromium_video")), stream).payload_type == payload_type


@pytest.mark.parametrize(
    ("left", "chosen"),
    [(("42001f", "4d001f"), "42001f"), (("4d001f", "f4001f"), "4d001f"), (("f4001f",), "f4001f")],
)
def test_without_constrained_baseline_the_next_best_is_chosen(left: tuple[str, ...], chosen: str) -> None:
    text = recorded("chromium_video")
    for gone in {"42001f", "42e01f", "4d001f", "f4001f"} - set(left):
        text = without(text, rf"a=fmtp:\d+ .*profile-level-id={gone}")
    assert f"profile-level-id={chosen}" in choose_format(read(text), HIGH).fmtp


def test_a_high_stream_goes_out_as_high_where_that_is_offered() -> None:
    text = recorded("chromium_video").replace("profile-level-id=f4001f", "profile-level-id=640034")
    assert choose_format(read(text), HIGH).payload_type == 41


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42e01f", "42c00a"),
        ("42e01f", "4d8028"),
        ("42e01f", "58c01e"),
        ("4d001f", "4d4028"),
        ("42001f", "588000"),
    ],
)
def test_spellings_of_one_profile(one: str, other: str) -> None:
    assert profile(one) == profile(other)


def test_profiles_are_told_apart() -> None:
    assert (
        len({profile(p) for p in ("42e01f", "42001f", "4d001f", "64001f", "640c1f", "f4001f", "58001e")}) == 7
    )


VIDEO = recorded("chromium_video")


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        (VIDEO.replace("packetization-mode=1", "packetization-mode=0"), "without 'packetization-mode=1'"),
        (VIDEO.replace("packetization-mode=1;", ""), "without 'packetization-mode=1'"),
        (VIDEO.replace("packetization-mode=1", "packetization-mode=x"), "cannot be read: ValueError"),
        (VIDEO.replace("a=recvonly", "a=sendonly"), "'0' of the offer is 'sendonly'"),
        (VIDEO.replace("a=recvonly", "a=inactive"), "is 'inactive'"),
        (VIDEO.replace("m=video 9 ", "m=video 0 ").replace("BUNDLE 0", "LS 0"), "is switched off"),
        (VIDEO.replace("a=rtcp-mux\r\n", ""), "a=rtcp-mux"),
        (VIDEO.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "UDP/TLS/RTP/SAVPF"),
        (VIDEO.replace("a=setup:actpass\r\n", ""), "'a=setup'"),
        (VIDEO.replace("a=setup:actpass", "a=setup:passive"), "the server is the passive one"),
        (VIDEO.replace("a=setup:actpass", "a=setup:holdconn"), "KeyError: 'holdconn'"),
        (VIDEO.replace("m=video 9 ", "m=video 9/2 "), "cannot be read"),
        (
            re.sub("H264/90000", "H265/90000", VIDEO) + "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 H264/90000\r\n",
            "no H.264",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_with_the_reason(offer: str, said: str) -> None:
    with pytest.raises(OfferError, match=said):
        answered(offer)


def test_an_offer_without_video_is_refused() -> None:
    with pytest.raises(OfferError, match="no video section"):
        choose_format(Offer((), ()), HIGH)


def test_of_several_videos_the_first_that_can_be_used_is() -> None:
    text = recorded("chromium_audio_videos_data")
    head, audio, video, other, data = re.split(r"(?=^m=)", text, flags=re.MULTILINE)
    for hindered in (
        video.replace("a=recvonly", "a=sendonly"),
        video.replace("H264/", "VP8/"),
        video.replace("packetization-mode=1", "packetization-mode=0"),
    ):
        chosen, answer = answered(head + audio + hindered + other + data)
        assert chosen.section == 2
        assert [m.direction for m in SessionDescription.parse(answer).media][:3] == [
            "inactive",
            "inactive",
            "sendonly",
        ]


def test_a_rejected_section_leaves_the_bundle_and_the_next_one_leads_it() -> None:
    text = recorded("chromium_audio_videos_data")
    head, audio, video, other, data = re.split(r"(?=^m=)", text, flags=re.MULTILINE)
    _, answer = answered(head.replace("BUNDLE 0 1 2 3", "BUNDLE 3 1 2") + data + video + other + audio)
    parsed = SessionDescription.parse(answer)
    assert parsed.group[0].items == ["1", "2"]
    assert [(m.rtp.muxId, bool(m.port)) for m in parsed.media] == [
        ("3", False),
        ("1", True),
        ("2", True),
        ("0", False),
    ]
    assert [len(m.ice_candidates) for m in parsed.media] == [0, 4, 0, 0]


def test_without_bundle_all_but_the_video_is_rejected() -> None:
    text = without(recorded("chromium_audio_videos_data"), "a=group:BUNDLE.*")
    _, answer = answered(text)
    parsed = SessionDescription.parse(answer)
    assert parsed.group == []
    assert [bool(m.port) for m in parsed.media] == [False, True, False, False]
    assert [len(m.ice_candidates) for m in parsed.media] == [0, 4, 0, 0]


def test_an_offer_without_mids_gets_an_answer_without() -> None:
    _, answer = answered(without(without(VIDEO, "a=mid:0"), "a=group:BUNDLE 0"))
    assert "a=mid" not in answer
    assert "BUNDLE" not in answer
    assert answer.count("a=candidate") == 4


def test_sendrecv_is_answered_by_sendonly() -> None:
    _, answer = answered(VIDEO.replace("a=recvonly", "a=sendrecv"))
    assert "a=sendonly" in answer
    _, answer = answered(VIDEO.replace("a=recvonly\r\n", ""))  # RFC 8866 6.7: sendrecv is what is meant
    assert "a=sendonly" in answer


@pytest.mark.parametrize("extension_id", [0, 15, 200])
def test_an_extension_that_needs_two_byte_headers_is_left_out(extension_id: int) -> None:
    text = VIDEO.replace("a=extmap:5 ", f"a=extmap:{extension_id} ")
    chosen, answer = answered(text)
    assert chosen.playout_delay_id is None
    assert "extmap" not in answer


def test_udp_only_and_ipv6_first() -> None:
    offer = read(VIDEO)
    local = Local("me", "0" * 22, FINGERPRINT, ["2001:db8::7", "192.0.2.7"], 9000, tcp=False)
    answer = answer_sdp(offer, choose_format(offer, HIGH), local, SSRC, 1)
    assert "c=IN IP6 2001:db8::7" in answer
    media = SessionDescription.parse(answer).media[0]
    assert [(c.protocol, c.ip, c.port) for c in media.ice_candidates] == [
        ("udp", "2001:db8::7", 9000),
        ("udp", "192.0.2.7", 9000),
    ]


def test_candidates_are_unlike_in_foundation_and_priority_and_udp_comes_first() -> None:
    candidates = SessionDescription.parse(answered(VIDEO)[1]).media[0].ice_candidates
    assert len({c.foundation for c in candidates}) == 4
    assert [c.priority for c in candidates] == sorted((c.priority for c in candidates), reverse=True)
    assert len({c.priority for c in candidates}) == 4
    assert [c.tcpType for c in candidates] == [None, None, "passive", "passive"]


@pytest.mark.parametrize(
    "kinds", [["video"], ["audio", "video"], ["video", "audio", "video"], ["video", "data"]]
)
async def test_a_stock_aiortc_client_takes_the_answer(kinds: list[str]) -> None:
    client = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        for kind in kinds:
            if kind == "data":
                client.createDataChannel("x")
            else:
                client.addTransceiver(kind, direction="recvonly")
        await client.setLocalDescription(await client.createOffer())
        chosen, answer = answered(client.localDescription.sdp)
        assert chosen.section == kinds.index("video")
        await client.setRemoteDescription(RTCSessionDescription(answer, "answer"))
        video = client.getTransceivers()[chosen.section]
        assert video.currentDirection == "recvonly"
        assert sum(t.currentDirection == "recvonly" for t in client.getTransceivers()) == 1
    finally:
        await client.close()


LINES = sorted({line for name in RECORDED for line in recorded(name).splitlines()})
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(LINES) | st.text(max_size=30)), max_size=12)


@given(name=st.sampled_from(RECORDED), changes=CHANGES)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_whatever_is_offered_is_answered_or_refused(name: str, changes: list[tuple[int, str]]) -> None:
    lines = recorded(name).splitlines()
    for at, line in changes:
        lines[at % len(lines)] = line
    try:
        _, answer = answered("\r\n".join(lines) + "\r\n")
    except OfferError:
        return
    parsed = SessionDescription.parse(answer)
    assert [m.direction for m in parsed.media].count("sendonly") == 1
    assert sum(len(m.ice_candidates) for m in parsed.media) == 4


def test_this_hosts_addresses_are_neither_loopback_nor_twice() -> None:
    addresses = host_addresses()
    assert not {"127.0.0.1", "::1"} & set(addresses)
    assert len(addresses) == len(set(addresses))


HEVC = CodecConfig(Codec.H265, 1920, 1080, 1, 0, 93, "4:2:0", 8, False, False)
H265_LINES = "\r\n".join(
    (
        "a=rtpmap:55 H265/90000",
        "a=rtcp-fb:55 nack",
        "a=rtcp-fb:55 nack pli",
        "a=rtcp-fb:55 transport-cc",
        "a=fmtp:55 level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST",
        "",
    )
)


def with_h265(lines: str = H265_LINES) -> str:
    """Chromium's offer where the machine decodes H.265 (its own lines, from a build that does)."""
    text = recorded("chromium_video")
    text = re.sub(r"^(m=video \S+ \S+)", r"\1 55", text, flags=re.MULTILINE)
    return re.sub(r"^(a=rtpmap:)", lines.replace("\\", r"\\") + r"\1", text, count=1, flags=re.MULTILINE)


def test_an_h265_feed_is_answered_with_both_codecs_where_the_viewer_takes_it() -> None:
    offer = read(with_h265())
    chosen = choose_format(offer, HEVC.profile_level_id, HEVC)
    assert chosen.payload_types == {Codec.H264: chosen.payload_type, Codec.H265: 55}
    answer = answer_sdp(offer, chosen, LOCAL, SSRC, 1)
    assert f"m=video 8189 UDP/TLS/RTP/SAVPF {chosen.payload_type} 55\r\n" in answer
    assert "a=rtpmap:55 H265/90000\r\n" in answer
    fmtp = next(line for line in answer.split("\r\n") if line.startswith("a=fmtp:55 "))
    assert set(fmtp.removeprefix("a=fmtp:55 ").split(";")) == {
        "level-id=93", "profile-id=1", "tier-flag=0", "tx-mode=SRST",
    }  # fmt: skip
    assert re.findall(r"a=rtcp-fb:55 (.*)\r\n", answer) == ["nack", "nack pli"]
    assert SessionDescription.parse(answer).media[0].fmt == [chosen.payload_type, 55]


@pytest.mark.parametrize(
    "lines",
    [
        H265_LINES.replace("level-id=93", "level-id=90"),
        H265_LINES.replace("profile-id=1", "profile-id=2"),
        H265_LINES.replace("tx-mode=SRST", "tx-mode=MRST"),
        H265_LINES.replace("level-id=93", "level-id=high"),
        "",
    ],
)
def test_h265_that_the_viewer_does_not_take_is_not_answered(lines: str) -> None:
    text = with_h265(lines) if lines else recorded("chromium_video")
    offer = read(text)
    chosen = choose_format(offer, HIGH, HEVC)
    assert (chosen.h265, chosen.h265_limits) == (None, None)
    assert "H265" not in answer_sdp(offer, chosen, LOCAL, SSRC, 1)


def test_h265_without_parameters_is_main_up_to_level_3_1() -> None:
    lines = re.sub(r"a=fmtp:55 .*\r\n", "", H265_LINES)
    chosen = choose_format(read(with_h265(lines)), HIGH, HEVC)
    assert chosen.h265_limits is not None
    assert (chosen.h265_limits.profile_id, chosen.h265_limits.level_id) == (1, 93)
    assert "a=fmtp:55" not in answer_sdp(read(with_h265(lines)), chosen, LOCAL, SSRC, 1)


@pytest.mark.parametrize("config", [None, replace(HEVC, codec=Codec.H264)], ids=["unknown", "H.264 so far"])
def test_a_feed_that_may_become_h265_is_answered_with_both_codecs(config: CodecConfig | None) -> None:
    chosen = choose_format(read(with_h265()), HIGH, config)
    assert chosen.payload_types == {Codec.H264: chosen.payload_type, Codec.H265: 55}
    assert f" {chosen.payload_type} 55\r\n" in answer_sdp(read(with_h265()), chosen, LOCAL, SSRC, 1)
    without = choose_format(read(recorded("chromium_video")), HIGH, config)
    assert (without.h265, list(without.payload_types)) == (None, [Codec.H264])


def test_of_several_h265_formats_the_one_that_takes_most_of_main_is_kept_until_the_source_is_known() -> None:
    formats = {
        "55": "level-id=93;profile-id=1",
        "57": "level-id=123;profile-id=1",
        "59": "level-id=153;profile-id=2",
    }
    lines = "".join(f"a=rtpmap:{n} H265/90000\r\na=fmtp:{n} {fmtp}\r\n" for n, fmtp in formats.items())
    text = re.sub(r"^(m=video \S+ \S+ 55)", r"\1 57 59", with_h265(lines), flags=re.MULTILINE)
    main_10 = replace(HEVC, profile=2, bit_depth=10)
    for config, payload_type in ((None, 57), (HEVC, 55), (replace(HEVC, level=120), 57), (main_10, 59)):
        assert choose_format(read(text), HIGH, config).payload_types[Codec.H265] == payload_type
