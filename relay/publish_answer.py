"""The SDP answer to a publisher's offer (RFC 9725 4.4, RFC 8829 5.3): one H.264 or H.265 video, received."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flow.errors import OfferError, UnacceptableError
from flow.units import Codec

from .answer import Local, described, head, remote_of
from .protocol.receiver import Video
from .sdp import Offer, OfferedCodec, Section, Transport

FEEDBACK = ("nack", "nack pli", "goog-remb")
"""No transport-cc: then browsers estimate by our REMB, which one datagram a second carries."""

FFMPEG = "FFmpegPublishSession"
"""How ffmpeg calls its session. It reads its socket before each packet that it sends, and the builds of its
version 9.0 wait there until something comes (seen with 9.0.2)."""

SETUP = {"actpass": "passive", "active": "passive", "passive": "active"}  # RFC 5763 5

_SENDS = ("sendonly", "sendrecv")


@dataclass(frozen=True, slots=True)
class Accepted:
    """What we take of what was offered."""

    section: int  # index in the offer
    codec: OfferedCodec
    video: Video
    remote: Transport


def choose_video(offer: Offer) -> Accepted:
    """Choose video section and codec: H.264 as the publisher likes it best, else H.265.

    Raises UnacceptableError where it sends neither, OfferError where the section does not hold together.
    """
    index = next(
        (i for i, s in enumerate(offer.sections) if s.kind == "video" and s.direction in _SENDS), None
    )
    if index is None:
        raise UnacceptableError("the offer sends no video ('m=video' with 'a=sendonly', RFC 9725 4.2)")
    section = offer.sections[index]
    chosen = _chosen(section)
    if chosen is None:
        offered = ", ".join(dict.fromkeys(codec.name for codec in section.codecs)) or "nothing"
        raise UnacceptableError(
            f"the offered video is {offered}, but only H.264 and H.265 are taken: set the encoder to H.264"
        )
    remote = remote_of(offer, section)
    if remote is None or not section.rtcp_mux or not section.protocol.endswith("RTP/SAVPF"):
        raise OfferError(
            "the offer's video lacks one of 'UDP/TLS/RTP/SAVPF', 'a=rtcp-mux', 'a=ice-ufrag', 'a=ice-pwd', "
            "'a=fingerprint', 'a=setup' (RFC 8829 5.2.1)"
        )
    codec = Codec.H264 if chosen.name == "H264" else Codec.H265
    video = Video(
        chosen.payload_type,
        codec,
        frozenset(FEEDBACK).intersection(chosen.feedback),
        offer.reduced_size,
        _rtx_of(section, chosen),
        in_step=offer.name == FFMPEG,
    )
    return Accepted(index, chosen, video, remote)


def publish_answer_sdp(offer: Offer, accepted: Accepted, local: Local, session_id: int) -> str:
    """The answer's text; audio stays switched off, as it is dropped unread. `session_id` as in answer_sdp."""
    video = _video(offer, accepted, local)
    return described(offer, accepted.section, video, local, session_id)


def _chosen(section: Section) -> OfferedCodec | None:
    """The first H.264 with packetization-mode 1, else any other (mode 0 is read as well), else H.265."""
    h264 = [c for c in section.codecs if c.name == "H264"]
    fragmented = [c for c in h264 if c.parameters.get("packetization-mode") == "1"]
    h265 = [c for c in section.codecs if c.name == "H265"]
    return next(iter([*fragmented, *h264, *h265]), None)


def _rtx_of(section: Section, chosen: OfferedCodec) -> int | None:
    """Payload type of the retransmissions of `chosen` (RFC 4588 8.1)."""
    wanted = str(chosen.payload_type)
    found = (c for c in section.codecs if c.name == "RTX" and c.parameters.get("apt") == wanted)
    return next((c.payload_type for c in found), None)


def _video(offer: Offer, accepted: Accepted, local: Local) -> Iterator[str]:
    section, codec = offer.sections[accepted.section], accepted.codec
    pt = codec.payload_type
    yield from head(section, local.port, str(pt), local)
    yield from ("a=recvonly", "a=rtcp-mux")
    if offer.reduced_size:
        yield "a=rtcp-rsize"
    yield f"a=rtpmap:{pt} {codec.name}/90000"
    if codec.fmtp:
        yield f"a=fmtp:{pt} {codec.fmtp}"
    yield from (f"a=rtcp-fb:{pt} {kind}" for kind in FEEDBACK if kind in accepted.video.feedback)
