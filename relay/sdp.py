"""What the relay reads in, and removes from, a viewer's SDP offer (RFC 8866, RFC 8829)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flow.errors import OfferError

MAX_OFFER_BYTES = 32 * 1024
MAX_LINES = 600
MAX_PER_OFFER = {"m=": 4, "a=rtpmap:": 96, "a=rtcp-fb:": 256, "a=ssrc:": 64}
MAX_FEEDBACKS_PER_FORMAT = 32
"""aiortc parses on the event loop and multiplies codecs with their feedbacks: 60 KB of them took 6 s, the
worst that passes here takes about 10 ms.

To receive a video, Chromium 156 offers 5 KB, 175 lines, 34 codecs and 77 feedbacks (5 a format), aiortc 2 KB
and 6 codecs; with two videos, audio and data Chromium offers 11 KB, 377 lines, 76 codecs and 155 feedbacks.
"""

_H264 = re.compile(r"a=rtpmap:\d+ H264/90000\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Transport:
    """How the viewer is reached: ICE credentials (RFC 8839 5.4) and DTLS (RFC 8122 5, RFC 4145 4)."""

    ufrag: str
    password: str
    fingerprints: tuple[tuple[str, str], ...]  # (algorithm, value)
    setup: str  # "actpass" | "active" | "passive"


@dataclass(frozen=True, slots=True)
class H264Format:
    """One H.264 payload type of an offer (RFC 6184 8.2)."""

    payload_type: int
    packetization_mode: int
    profile_level_id: str  # six hex digits, lower case
    fmtp: str
    feedback: tuple[str, ...]  # of a=rtcp-fb, for instance "nack pli"


@dataclass(frozen=True, slots=True)
class H265Format:
    """One H.265 payload type of an offer (RFC 7798 7.1)."""

    payload_type: int
    profile_id: int
    level_id: int  # the highest that it takes
    fmtp: str
    feedback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferedCodec:
    """One payload type of an offer, whatever its codec (RFC 8866 6.6, 6.15)."""

    payload_type: int
    name: str  # upper case, for instance "H265"
    parameters: Mapping[str, str]  # of a=fmtp, names in lower case
    fmtp: str
    feedback: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One m-section of an offer. `transport` is None where it has none of its own (RFC 9143 7.1.3)."""

    kind: str  # "video" | "audio" | "application" | …
    mid: str | None
    port: int
    protocol: str
    formats: tuple[str, ...]  # as in the m-line
    rtpmap: str | None  # of the first format
    direction: str  # "sendrecv" | "sendonly" | "recvonly" | "inactive"
    rtcp_mux: bool
    transport: Transport | None
    h264: tuple[H264Format, ...]
    extensions: Mapping[str, int]  # id by URI (RFC 8285 5)
    ssrcs: tuple[int, ...]
    h265: tuple[H265Format, ...] = ()
    codecs: tuple[OfferedCodec, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """A parsed offer: its m-sections in order, and the mids that share one transport (RFC 9143).

    `reduced_size`: RTCP may come without a report in front (RFC 5506 5).
    """

    sections: tuple[Section, ...]
    bundle: tuple[str, ...]
    reduced_size: bool = False
    name: str = ""  # of the session (RFC 8866 5.3)


def checked_offer(offer_sdp: str, *, watches: bool = True) -> str:
    """Return the offer without its ICE candidates, or raise OfferError saying what it lacks.

    `watches`: it is a viewer's, who must have H.264.

    The browser checks us, never we the browser: we answer the viewer's own connectivity checks and learn
    from them where it is (RFC 8445 7.3.1.3, peer-reflexive candidates), so no offer can make this
    server send packets to an address it names, and no `.local` name is looked up (a second of mDNS each).
    """
    size = len(offer_sdp.encode(errors="replace"))
    if size > MAX_OFFER_BYTES:
        raise OfferError(f"the offer has {size} bytes; {MAX_OFFER_BYTES} are enough for any browser")
    if not offer_sdp.startswith("v=0"):
        raise OfferError("the request body is no SDP offer (it must start with 'v=0', RFC 8866 5.1)")
    lines = offer_sdp.replace("\r\n", "\n").split("\n")
    _check_lines(lines)
    _check_contents(lines)
    if watches and not any(_H264.fullmatch(line) for line in lines):
        raise OfferError("the offer has no H.264; this browser cannot show the picture")
    return "\r\n".join(line for line in lines if not line.startswith(("a=candidate", "a=end-of-candidates")))


def _check_lines(lines: list[str]) -> None:
    """Refuse what would cost too much to parse, and what aiortc would split into other lines than we do."""
    if len(lines) > MAX_LINES:
        raise OfferError(f"the offer has {len(lines)} lines; {MAX_LINES} are enough for any browser")
    for number, line in enumerate(lines, 1):
        # str.splitlines(), which aiortc uses, also ends lines at \v, \f, U+2028, a lone \r and others.
        if not line.isprintable():
            raise OfferError(f"line {number} of the offer has control characters (RFC 8866 5)")
    for start, most in MAX_PER_OFFER.items():
        count = sum(line.startswith(start) for line in lines)
        if count > most:
            raise OfferError(f"the offer has {count} lines '{start}…'; {most} are enough for any browser")
    formats = Counter(line.split(" ", 1)[0] for line in lines if line.startswith("a=rtcp-fb:"))
    start, count = formats.most_common(1)[0] if formats else ("", 0)
    if count > MAX_FEEDBACKS_PER_FORMAT:
        raise OfferError(f"the offer has {count} lines '{start} …'; {MAX_FEEDBACKS_PER_FORMAT} are enough")


def _check_contents(lines: list[str]) -> None:
    if not any(line.startswith("m=video ") for line in lines):
        raise OfferError("the offer has no video section ('m=video')")
    for attribute in ("ice-ufrag", "ice-pwd", "fingerprint"):
        if not any(line.startswith(f"a={attribute}:") for line in lines):
            raise OfferError(f"the offer has no 'a={attribute}'; WebRTC needs it (RFC 8829 5.2.1)")
    mids = [line.removeprefix("a=mid:") for line in lines if line.startswith("a=mid:")]
    bundled = [mid for line in lines if line.startswith("a=group:BUNDLE ") for mid in line.split()[1:]]
    if len(set(mids)) < len(mids) or not set(bundled) <= set(mids):
        raise OfferError("the offer's 'a=mid' and 'a=group:BUNDLE' do not fit (RFC 9143 7.2)")
