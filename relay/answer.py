"""The SDP answer to a viewer's offer (RFC 8829 5.3, RFC 9143, RFC 8839): one video, sent only.

It is H.264, and H.265 beside it where the viewer shows it and the feed is that, or may still become it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flow.errors import OfferError
from flow.units import Codec, CodecConfig

from .protocol.rendition import H265Limits
from .sdp import H264Format, H265Format, Offer, Section, Transport

PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
"""Chromium shows pictures at once where it says 0/0; without it, late joiners stay seconds behind."""

MAX_ONE_BYTE_ID = 14  # RFC 8285 4.2
MAIN = 1  # general_profile_idc of H.265 (annex A.3.2)
FEEDBACK = ("nack", "nack pli", "ccm fir", "goog-remb")
_FALLBACK_PROFILES = ("42e0", "4200")
_STREAM = "lagebild video"  # identification of stream and track (RFC 8830 2)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What we send of what was offered: format, and header extension (None: not offered)."""

    section: int  # index in the offer
    payload_type: int
    fmtp: str
    feedback: tuple[str, ...]
    playout_delay_id: int | None
    remote: Transport
    h265: H265Format | None = None  # beside H.264, which `web` and `low` are

    @property
    def payload_types(self) -> dict[Codec, int]:
        """By the codecs that the viewer may be sent."""
        types = {Codec.H264: self.payload_type}
        return types | {Codec.H265: self.h265.payload_type} if self.h265 else types

    @property
    def h265_limits(self) -> H265Limits | None:
        return H265Limits(self.h265.profile_id, self.h265.level_id) if self.h265 else None


@dataclass(frozen=True, slots=True)
class Local:
    """Our side: ICE-lite credentials, "sha-256 AA:…", and where we listen, the best address first."""

    ufrag: str
    password: str
    fingerprint: str
    addresses: Sequence[str]
    port: int
    tcp: bool = True  # ICE-TCP, passive, on the same port number (RFC 6544)
    setup: str = "passive"  # the DTLS server (RFC 5763 5)


def choose_format(offer: Offer, profile_level_id: str, config: CodecConfig | None = None) -> Chosen:
    """Choose video section and format for a stream of this profile; its level is of no importance.

    `config` is the source's, None while nothing is known of it. H.265 that the viewer takes is chosen as
    well: a sender may go from one format of the answer to another at any time (RFC 3264 7), but never to one
    that is not in it, and a page may be open long before the aircraft sends.

    The stream's own profile where it is offered, else Constrained Baseline, Baseline, or whatever there is:
    browsers decode every profile that they can at all, whatever was negotiated (Debian's Chromium offers no
    High, and plays it). Raises OfferError.
    """
    reasons = []
    for index, section in enumerate(offer.sections):
        if section.kind == "video":
            reason = _hindrance(offer, section)
            if reason is None:
                return _chosen(offer, index, profile_level_id, config)
            reasons.append(reason)
    raise OfferError(reasons[0] if reasons else "the offer has no video section ('m=video')")


def _hindrance(offer: Offer, section: Section) -> str | None:
    """Why a video section of the offer cannot be used, or None."""
    name = f"video section '{section.mid or '?'}' of the offer"
    transport = remote_of(offer, section)
    if section.port == 0 and section.mid not in offer.bundle:
        return f"{name} is switched off (port 0, RFC 3264 6)"
    if section.direction not in ("recvonly", "sendrecv"):
        return f"{name} is '{section.direction}'; a viewer receives ('a=recvonly')"
    if not section.h264:
        return f"{name} has no H.264; this browser cannot show the picture"
    if not _mode_1(section):
        return f"{name} has H.264 without 'packetization-mode=1', which is needed (RFC 6184 6.3)"
    if not section.rtcp_mux or not section.protocol.endswith("RTP/SAVPF"):
        return f"{name} needs 'UDP/TLS/RTP/SAVPF' and 'a=rtcp-mux' (RFC 8834 4.5)"
    if transport is None:
        return f"{name} lacks one of 'a=ice-ufrag', 'a=ice-pwd', 'a=fingerprint', 'a=setup' (RFC 8829 5.2.1)"
    if transport.setup == "passive":
        return f"{name} says 'a=setup:passive', but the server is the passive one (RFC 5763 5)"
    return None


def remote_of(offer: Offer, section: Section) -> Transport | None:
    """Its own transport or, where it is bundle-only, that of the first of its bundle (RFC 9143 7.1.3)."""
    if section.transport is not None or section.mid not in offer.bundle:
        return section.transport
    return next((s.transport for s in offer.sections if s.mid == offer.bundle[0]), None)


def _mode_1(section: Section) -> list[H264Format]:
    return [f for f in section.h264 if f.packetization_mode == 1]


def _chosen(offer: Offer, index: int, profile_level_id: str, config: CodecConfig | None) -> Chosen:
    section = offer.sections[index]
    remote = remote_of(offer, section)
    assert remote is not None  # _hindrance has seen it
    wanted = [profile(profile_level_id), *map(profile, _FALLBACK_PROFILES)]
    fits = {profile(f.profile_level_id): f for f in reversed(_mode_1(section))}
    chosen = next((fits[w] for w in wanted if w in fits), _mode_1(section)[0])
    delay_id = section.extensions.get(PLAYOUT_DELAY, 0)
    return Chosen(
        section=index,
        payload_type=chosen.payload_type,
        fmtp=chosen.fmtp,
        feedback=tuple(f for f in FEEDBACK if f in chosen.feedback),
        playout_delay_id=delay_id if 1 <= delay_id <= MAX_ONE_BYTE_ID else None,
        remote=remote,
        h265=_h265(section, config),
    )


def _h265(section: Section, config: CodecConfig | None) -> H265Format | None:
    """What takes the source; while that is no H.265, what takes most of it: of Main, which nearly all cameras
    send, the highest level."""
    if config is not None and config.codec is Codec.H265:
        return next((f for f in section.h265 if _takes(f, config)), None)
    return max(section.h265, key=lambda f: (f.profile_id == MAIN, f.level_id), default=None)


def _takes(format_: H265Format, config: CodecConfig) -> bool:
    return H265Limits(format_.profile_id, format_.level_id).take(config)


def profile(profile_level_id: str) -> str:
    """The profile that the first four hex digits of a `profile-level-id` mean (RFC 6184 8.1, table 5)."""
    try:
        idc, flags = int(profile_level_id[:2], 16), int(profile_level_id[2:4], 16)
    except ValueError:
        return profile_level_id
    # Several spellings of one profile: constraint_set1 of Baseline, constraint_set0 of Main.
    if (
        (idc == 0x42 and flags & 0x40)
        or (idc == 0x4D and flags & 0x80)
        or (idc == 0x58 and flags & 0xC0 == 0xC0)
    ):
        return "constrained baseline"
    if idc == 0x42 or (idc == 0x58 and flags & 0x80):
        return "baseline"
    if idc == 0x64 and flags & 0x0C == 0x0C:
        return "constrained high"
    return f"{idc:02x}"


def answer_sdp(offer: Offer, chosen: Chosen, local: Local, ssrc: int, session_id: int) -> str:
    """The answer's text. `session_id` is a number of up to 62 bits for the o-line (RFC 8829 5.2.1)."""
    section = offer.sections[chosen.section]
    return described(offer, chosen.section, _video(section, chosen, local, ssrc), local, session_id)


def described(offer: Offer, chosen: int, video: Iterable[str], local: Local, session_id: int) -> str:
    """An answer of which the section with index `chosen` has the lines `video`; of the others nothing is
    wanted."""
    accepted = [i for i in range(len(offer.sections)) if i == chosen or _stays(offer, chosen, i)]
    bundle = [mid for mid in offer.bundle if any(offer.sections[i].mid == mid for i in accepted)]
    lines = ["v=0", f"o=- {session_id} 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite"]
    if bundle:
        lines.append(f"a=group:BUNDLE {' '.join(bundle)}")
    lines.append("a=msid-semantic:WMS *")
    for index, section in enumerate(offer.sections):
        # RFC 9143 7.3: all of a bundle is where its first section is.
        leads = section.mid == bundle[0] if bundle else index == chosen
        if index == chosen:
            lines += video
        elif index in accepted:
            lines += _inactive(section, local)
        else:
            lines += _rejected(section, local)
        if leads:
            lines += _candidates(local)
    return "\r\n".join(lines) + "\r\n"


def _stays(offer: Offer, chosen: int, index: int) -> bool:
    """Whether another section is kept, inactive: stock aiortc stumbles over rejected audio."""
    section, ours = offer.sections[index], offer.sections[chosen]
    together = section.mid in offer.bundle and ours.mid in offer.bundle
    return together and section.kind in ("audio", "video") and section.rtcp_mux


def _video(section: Section, chosen: Chosen, local: Local, ssrc: int) -> Iterator[str]:
    formats = " ".join(map(str, chosen.payload_types.values()))
    yield from head(section, local.port, formats, local)
    yield from ("a=sendonly", "a=rtcp-mux")
    yield from _format(chosen.payload_type, "H264", chosen.fmtp, chosen.feedback)
    if chosen.h265 is not None:
        yield from _format(chosen.h265.payload_type, "H265", chosen.h265.fmtp, chosen.h265.feedback)
    if chosen.playout_delay_id is not None:
        yield f"a=extmap:{chosen.playout_delay_id} {PLAYOUT_DELAY}"
    yield from (f"a=msid:{_STREAM}", f"a=ssrc:{ssrc} cname:lagebild", f"a=ssrc:{ssrc} msid:{_STREAM}")


def _format(payload_type: int, name: str, fmtp: str, offered: Sequence[str]) -> Iterator[str]:
    yield f"a=rtpmap:{payload_type} {name}/90000"
    if fmtp:
        yield f"a=fmtp:{payload_type} {fmtp}"
    yield from (f"a=rtcp-fb:{payload_type} {feedback}" for feedback in FEEDBACK if feedback in offered)


def _inactive(section: Section, local: Local) -> Iterator[str]:
    yield from head(section, local.port, section.formats[0], local)
    yield from ("a=inactive", "a=rtcp-mux")
    if section.rtpmap is not None:
        yield f"a=rtpmap:{section.rtpmap}"


def _rejected(section: Section, local: Local) -> Iterator[str]:
    """RFC 8829 5.3.1: port 0; what follows is not looked at, but stock aiortc wants it there."""
    yield from head(section, 0, " ".join(section.formats), local)
    yield "a=inactive"


def head(section: Section, port: int, formats: str, local: Local) -> Iterator[str]:
    """How every section begins: where we are, and who."""
    yield f"m={section.kind} {port} {section.protocol} {formats}"
    yield _connection(local.addresses[0])
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    yield from (f"a=ice-ufrag:{local.ufrag}", f"a=ice-pwd:{local.password}")
    yield from (f"a=fingerprint:{local.fingerprint}", f"a=setup:{local.setup}")


def _connection(address: str) -> str:
    return f"c=IN IP{ipaddress.ip_address(address).version} {address}"


def _candidates(local: Local) -> Iterator[str]:
    """Host candidates (RFC 8839 5.1), UDP before TCP; priorities of RFC 8445 5.1.2 and RFC 6544 4.2."""
    for i, address in enumerate(local.addresses):
        priority = 126 << 24 | (65535 - i) << 8 | 255
        yield f"a=candidate:u{i} 1 udp {priority} {address} {local.port} typ host"
    for i, address in enumerate(local.addresses if local.tcp else ()):
        priority = 90 << 24 | (4 << 13 | 8191 - i) << 8 | 255  # direction-pref of passive: 4
        yield f"a=candidate:t{i} 1 tcp {priority} {address} {local.port} typ host tcptype passive"
    yield "a=end-of-candidates"
