"""The little SDP a receive-only viewer needs: an offer like a browser's, an answer, a reader."""

from __future__ import annotations

import re
from dataclasses import dataclass

H264 = {102: "42e01f", 104: "42001f", 106: "4d001f", 108: "64001f"}
FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
EXTENSIONS = {
    2: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    4: "urn:ietf:params:rtp-hdrext:sdes:mid",
    6: "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
}


@dataclass(frozen=True, slots=True)
class Own:
    """What this viewer says of itself."""

    address: tuple[str, int]
    ufrag: str
    password: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Other:
    """What the server's description says: where it is and how to speak to it."""

    candidates: tuple[tuple[str, int], ...]
    ufrag: str
    password: str
    lite: bool
    setup: str
    mid: str
    payload_type: int
    fmtp: str


def read(sdp: str) -> Other:
    """Read an answer or an offer; raises ValueError naming what it lacks."""
    section = sdp[sdp.find("m=video") :] if "m=video" in sdp else ""
    if not section or section.startswith("m=video 0 "):
        raise ValueError(f"no video in the server's description:\n{sdp}")
    h264 = re.search(r"a=rtpmap:(\d+) H264/90000", section)
    if h264 is None:
        raise ValueError(f"no H.264 in the server's description:\n{sdp}")
    fmtp = re.search(rf"a=fmtp:{h264[1]} (\S.*\S)", section)
    found = re.findall(r"a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", sdp, re.IGNORECASE)
    return Other(
        candidates=tuple(dict.fromkeys((host, int(port)) for host, port in found)),
        ufrag=_value(sdp, "ice-ufrag"),
        password=_value(sdp, "ice-pwd"),
        lite="a=ice-lite" in sdp,
        setup=_value(sdp, "setup"),
        mid=_value(section, "mid"),
        payload_type=int(h264[1]),
        fmtp=fmtp[1] if fmtp else "",
    )


def offer(own: Own) -> str:
    formats = [line for number in H264 for line in _format(number, _fmtp(H264[number]))]
    return _description(own, "actpass", "0", list(H264), formats)


def answer(own: Own, other: Other) -> str:
    """Take the offered video as it is, as DTLS client."""
    formats = _format(other.payload_type, other.fmtp)
    return _description(own, "active", other.mid, [other.payload_type], formats)


def _fmtp(profile_level_id: str) -> str:
    return f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile_level_id}"


def _format(number: int, fmtp: str) -> list[str]:
    lines = [f"a=rtpmap:{number} H264/90000", *(f"a=rtcp-fb:{number} {kind}" for kind in FEEDBACK)]
    return [*lines, f"a=fmtp:{number} {fmtp}"] if fmtp else lines


def _description(own: Own, setup: str, mid: str, numbers: list[int], formats: list[str]) -> str:
    host, port = own.address
    lines = [
        "v=0",
        f"o=- {port} 1 IN IP4 {host}",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {mid}",
        "a=msid-semantic: WMS",
        f"m=video {port} UDP/TLS/RTP/SAVPF {' '.join(map(str, numbers))}",
        f"c=IN IP4 {host}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=candidate:1 1 udp 2130706431 {host} {port} typ host",
        "a=end-of-candidates",
        f"a=ice-ufrag:{own.ufrag}",
        f"a=ice-pwd:{own.password}",
        f"a=fingerprint:sha-256 {own.fingerprint}",
        f"a=setup:{setup}",
        f"a=mid:{mid}",
        *(f"a=extmap:{number} {uri}" for number, uri in EXTENSIONS.items() if setup == "actpass"),
        "a=recvonly",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        *formats,
    ]
    return "\r\n".join(lines) + "\r\n"


def _value(sdp: str, attribute: str) -> str:
    found = re.search(rf"a={attribute}:(\S+)", sdp)
    if found is None:
        raise ValueError(f"no 'a={attribute}' in the server's description:\n{sdp}")
    return found[1]
