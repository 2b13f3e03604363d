"""The seam to aiortc (relay/aiortc_seam.py): the only file that touches it, its private names included.

aiortc does the DTLS handshake (RFC 5763, RFC 5764) and parses SDP. ICE, SRTP and sending are our own.

Private names used (aiortc 1.16.0, pinned in pyproject.toml; `check_private_names` says which one is gone):
- `RTCDtlsTransport._setup_srtp`: makes two SRTP sessions that nobody needs; ours takes the keys instead.
- `RTCDtlsTransport._validate_peer_identity`, `._set_state`, `._set_role`, and of an object `._ssl`,
  `._srtp_profiles`, `._task`: to be the DTLS server, to say why a handshake failed, and to free all.
- of a `RTCIceTransport` `._recv` and `._send`: what RTCDtlsTransport calls, and so what ours are called.
- `RTCCertificate._create_ssl_context`: makes one OpenSSL context per viewer; ours are shared.
- `rtcdtlstransport.SRTP_AEAD_AES_128_GCM`, `.SRTP_AES128_CM_SHA1_80`, and of these `openssl_profile`,
  `key_length`, `salt_length`, `get_key_and_salt`; `rtcdtlstransport.State.FAILED`.
- of `aiortc.sdp`, which says nowhere that it is public: `SessionDescription` and what it parses,
  `parameters_to_sdp`, `DTLS_ROLE_SETUP`; and `aioice.ice.get_host_addresses`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal, TypeAlias

import aioice.ice
import aiortc
from aiortc import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceGatherer,
    rtcdtlstransport,
    sdp,
)
from OpenSSL import SSL

from flow.errors import LagebildError, OfferError, RemoteError

from .dtls_records import DtlsLink, records_of
from .sdp import H264Format, H265Format, Offer, OfferedCodec, Section, Transport
from .srtp import Profile

_DTLS_1_2 = 0xFEFD
_DAY_S = 86_400
_EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"  # RFC 5764 4.2


def _made(owner: Any, name: str, *arguments: Any) -> Any:
    """An object of that class, since only its constructor makes its attributes; None if there is none.

    One that cannot be made any more is no use to us either, and has none of them.
    """
    kind = getattr(owner, name, None)
    try:
        return kind and kind(*arguments)
    except Exception:
        return object()


PRIVATE_NAMES: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    (
        "aiortc.rtcdtlstransport",
        rtcdtlstransport,
        ("SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80", "State"),
    ),
    (
        "aiortc.rtcdtlstransport.SRTP_AEAD_AES_128_GCM",
        getattr(rtcdtlstransport, "SRTP_AEAD_AES_128_GCM", None),
        ("openssl_profile", "key_length", "salt_length", "get_key_and_salt"),
    ),
    ("aiortc.rtcdtlstransport.State", getattr(rtcdtlstransport, "State", None), ("FAILED",)),
    (
        "aiortc.RTCDtlsTransport",
        RTCDtlsTransport,
        ("_setup_srtp", "_validate_peer_identity", "_set_state", "_set_role"),
    ),
    (
        "aiortc.RTCDtlsTransport()",
        _made(aiortc, "RTCDtlsTransport", None, [RTCCertificate.generateCertificate()]),
        ("_ssl", "_srtp_profiles", "_task"),
    ),
    ("aiortc.RTCIceTransport()", _made(aiortc, "RTCIceTransport", RTCIceGatherer([])), ("_recv", "_send")),
    ("aiortc.RTCCertificate", RTCCertificate, ("_create_ssl_context",)),
    ("aiortc.sdp", sdp, ("SessionDescription", "parameters_to_sdp", "DTLS_ROLE_SETUP")),
    ("aiortc.sdp.SessionDescription", getattr(sdp, "SessionDescription", None), ("parse",)),
    ("aiortc.sdp.SessionDescription()", _made(sdp, "SessionDescription"), ("media", "group", "name")),
    (
        "aiortc.sdp.MediaDescription()",
        _made(sdp, "MediaDescription", "video", 9, "UDP/TLS/RTP/SAVPF", []),
        ("kind", "port", "profile", "fmt", "direction", "rtcp_mux", "rtp", "ssrc", "dtls", "ice"),
    ),
    ("aiortc.sdp.GroupDescription()", _made(sdp, "GroupDescription", "BUNDLE", []), ("semantic", "items")),
    ("aiortc.sdp.SsrcDescription()", _made(sdp, "SsrcDescription", 1), ("ssrc",)),
    ("aioice.ice", aioice.ice, ("get_host_addresses",)),
)
"""Where, the owner (None where that is itself a name that is gone), and its names."""


def check_private_names() -> None:
    """Raise LagebildError naming the private names that this aiortc no longer has."""
    gone = [
        f"{where}.{name}"
        for where, owner, names in PRIVATE_NAMES
        for name in names
        if owner is not None and not hasattr(owner, name)
    ]
    if gone:
        raise LagebildError(f"this version of aiortc or aioice lacks {', '.join(gone)}; 1.16.0 has them")


check_private_names()

Role: TypeAlias = Literal["server", "client"]

_PROFILES: dict[Profile, rtcdtlstransport.SRTPProtectionProfile] = {
    "gcm": rtcdtlstransport.SRTP_AEAD_AES_128_GCM,
    "cm80": rtcdtlstransport.SRTP_AES128_CM_SHA1_80,
}
"""In the order of preference. As server we choose: RFC 5764 4.1.1."""


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What the handshake agreed on: master key and salt of what we send and of what the other side sends."""

    profile: Profile
    ours: bytes
    theirs: bytes


class _Certificate(RTCCertificate):
    """Shares one OpenSSL context: 26 KB and 0.2 ms less for each viewer."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[rtcdtlstransport.SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # Records are told apart by their type, which DTLS 1.3 hides.
            self._context.set_max_proto_version(_DTLS_1_2)
            # 20 KB less for each viewer who watches and says nothing.
            self._context.set_mode(SSL.MODE_RELEASE_BUFFERS)
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context

    @cached_property
    def fingerprint(self) -> str:
        """As in `a=fingerprint`: "sha-256 AA:BB:…"."""
        value = next(f.value for f in self.getFingerprints() if f.algorithm == "sha-256")
        return f"sha-256 {value}"


@lru_cache(maxsize=1)
def _certificate(day: int) -> _Certificate:
    """The certificate of all who come on the same day of the service's running."""
    return _Certificate.generateCertificate()


class _Link(DtlsLink):
    """What RTCDtlsTransport takes for its ICE transport."""

    async def _recv(self) -> bytes:
        return await self.read()

    async def _send(self, data: bytes) -> None:
        await self.write(data)


class _Dtls(RTCDtlsTransport):
    """Hands over the SRTP keys instead of making sessions of them, and remembers why it failed."""

    _ours: int

    def __init__(self, link: _Link, certificate: _Certificate, role: Role) -> None:
        super().__init__(link, [certificate])  # type: ignore[arg-type]
        self._set_role(role)
        self._ours = int(role == "server")  # RFC 5764 4.2: the client's keys come first
        self._srtp_profiles = list(_PROFILES.values())
        self.keys: SrtpKeys | None = None
        self.failure = "its DTLS handshake was broken off"

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:
        super()._validate_peer_identity(remoteParameters)
        if self.state == "failed":
            self.failure = (
                "its certificate is not the one that the offer's 'a=fingerprint' names (RFC 5763 5)"
            )

    def _setup_srtp(self) -> None:
        assert self._ssl is not None
        chosen = self._ssl.get_selected_srtp_profile()
        for name, profile in _PROFILES.items():
            if profile.openssl_profile == chosen:
                size = 2 * (profile.key_length + profile.salt_length)
                exported = self._ssl.export_keying_material(_EXPORTER_LABEL, size)
                ours, theirs = (profile.get_key_and_salt(exported, n) for n in (self._ours, 1 - self._ours))
                self.keys = SrtpKeys(name, ours, theirs)
                return
        self.failure = "it has no SRTP profile of ours (AEAD_AES_128_GCM, AES128_CM_SHA1_80)"
        self._set_state(rtcdtlstransport.State.FAILED)


class DtlsServer:
    """DTLS-SRTP with one viewer or publisher, as server (RFC 5763 5). `send` gets each datagram for it.

    `remote_fingerprints` are (algorithm, value) of the offer's `a=fingerprint` lines. `refused` counts
    datagrams and records that were no DTLS, or too many. Holds about 90 KB, 75 of them resident,
    and less than 300 KB whatever an unfinished handshake sends.
    """

    ROLE: ClassVar[Role] = "server"  # as client, the browser would choose the SRTP profile

    def __init__(self, send: Callable[[bytes], None], remote_fingerprints: Sequence[tuple[str, str]]) -> None:
        certificate = _certificate(int(time.monotonic() // _DAY_S))
        self.fingerprint = certificate.fingerprint
        self.refused = 0
        self._remote = RTCDtlsParameters([RTCDtlsFingerprint(*f) for f in remote_fingerprints])
        self._link = _Link(send)
        self._dtls = _Dtls(self._link, certificate, self.ROLE)
        self._starting: asyncio.Future[None] | None = None

    @property
    def rtt_ms(self) -> float | None:
        """The round trip that the handshake took, with the viewer's reckoning; None: not known."""
        return self._link.rtt_ms

    def receive(self, datagram: bytes) -> None:
        """Take a datagram whose first byte is 20 to 63 (RFC 7983 7). Never raises."""
        records = list(records_of(datagram))
        wanted = [record for record in records if record is not None]
        self.refused += len(records) - len(wanted)
        if wanted and not self._link.push(b"".join(wanted)):
            self.refused += len(wanted)

    async def handshake(self) -> SrtpKeys:
        """Wait until the other side has shaken hands. Once; raises RemoteError saying why it did not succeed.

        One that says nothing is waited for without end: bound it with `asyncio.timeout()`.
        """
        self._starting = asyncio.ensure_future(self._dtls.start(self._remote))
        try:
            await asyncio.shield(self._starting)
        except SSL.Error:
            pass  # OpenSSL gave up sending again
        except asyncio.CancelledError:
            self._link.end()  # not cancelled: asyncio.wait_for of Python 3.11 may lose a cancellation
            await asyncio.gather(self._starting, return_exceptions=True)
            raise
        if self._dtls.keys is None:
            await self.close()
            raise RemoteError(f"it cannot be connected: {self._dtls.failure}")
        return self._dtls.keys

    async def closed(self) -> None:
        """Return when the other side has said close_notify (RFC 5246 7.2.1), or `close()` was called."""
        if self._dtls._task is not None:
            await asyncio.wait([self._dtls._task])

    async def close(self) -> None:
        """Say close_notify and free everything; harmless when repeated, or while shaking hands."""
        pump = self._dtls._task
        await self._dtls.stop()
        self._link.end()
        await asyncio.gather(*filter(None, (self._starting, pump)), return_exceptions=True)
        self._dtls._ssl = None  # the garbage collector does not know how much OpenSSL holds


class DtlsClient(DtlsServer):
    """The same as client, for publishers that are servers themselves (ffmpeg 9 says `a=setup:passive`).

    `handshake()` sends the first datagram, so the way must be known by then.
    """

    ROLE: ClassVar[Role] = "client"


def host_addresses() -> list[str]:
    """This host's IP addresses, IPv4 first, without loopback and link-local ones."""
    return [
        *aioice.ice.get_host_addresses(use_ipv4=True, use_ipv6=False),
        *aioice.ice.get_host_addresses(use_ipv4=False, use_ipv6=True),
    ]


def read_offer(offer_sdp: str) -> Offer:
    """Parse an offer that `relay.sdp.checked_offer` has let through; raises OfferError where it is none."""
    try:
        session = sdp.SessionDescription.parse(offer_sdp)
        sections = tuple(_section(media) for media in session.media)
    except Exception as error:  # aiortc asserts, indexes and unpacks as it parses
        raise OfferError(f"the SDP offer cannot be read: {_reason(error)}") from error
    bundle = next((group.items for group in session.group if group.semantic == "BUNDLE"), [])
    reduced_size = "\na=rtcp-rsize" in offer_sdp
    return Offer(sections, tuple(map(str, bundle)), reduced_size, str(session.name))


def _section(media: sdp.MediaDescription) -> Section:
    codecs = media.rtp.codecs
    first = next((c for c in codecs if str(c.payloadType) == str(media.fmt[0])), None)
    offered = [c for c in codecs if c.payloadType in media.fmt]
    return Section(
        kind=media.kind,
        mid=media.rtp.muxId or None,
        port=media.port,
        protocol=media.profile,
        formats=tuple(map(str, media.fmt)),
        rtpmap=f"{first.payloadType} {first}" if first else None,
        direction=media.direction or "sendrecv",
        rtcp_mux=media.rtcp_mux,
        transport=_transport(media),
        h264=tuple(_h264(c) for c in offered if c.mimeType.lower() == "video/h264"),
        extensions={e.uri: e.id for e in media.rtp.headerExtensions},
        ssrcs=tuple(s.ssrc for s in media.ssrc),
        h265=tuple(f for c in offered if c.mimeType.lower() == "video/h265" for f in _h265(c)),
        codecs=tuple(map(_codec, offered)),
    )


def _transport(media: sdp.MediaDescription) -> Transport | None:
    if media.dtls is None or media.ice is None or not media.dtls.fingerprints:
        return None
    ufrag, password = media.ice.usernameFragment, media.ice.password
    if not ufrag or not password:
        return None
    fingerprints = tuple((f.algorithm, f.value) for f in media.dtls.fingerprints)
    return Transport(ufrag, password, fingerprints, sdp.DTLS_ROLE_SETUP[media.dtls.role])


def _codec(codec: Any) -> OfferedCodec:
    return OfferedCodec(
        payload_type=codec.payloadType,
        name=codec.mimeType.partition("/")[2].upper(),
        parameters={str(k).strip().lower(): str(v).strip() for k, v in codec.parameters.items()},
        fmtp=sdp.parameters_to_sdp(codec.parameters),
        feedback=tuple(f"{f.type} {f.parameter}" if f.parameter else f.type for f in codec.rtcpFeedback),
    )


def _h264(codec: Any) -> H264Format:
    parameters = _parameters(codec)
    # RFC 6184 8.1: the mode is 0 where none is given, the profile Baseline at level 1.
    return H264Format(
        payload_type=codec.payloadType,
        packetization_mode=int(parameters.get("packetization-mode", "0")),
        profile_level_id=parameters.get("profile-level-id", "42000a").lower(),
        fmtp=sdp.parameters_to_sdp(codec.parameters),
        feedback=_feedback(codec),
    )


def _h265(codec: Any) -> list[H265Format]:
    """None where its numbers are none, or it cannot receive in one stream (RFC 7798 7.1: tx-mode)."""
    parameters = _parameters(codec)
    try:
        profile_id, level_id = int(parameters.get("profile-id", "1")), int(parameters.get("level-id", "93"))
    except ValueError:
        return []
    if parameters.get("tx-mode", "SRST").upper() != "SRST":
        return []
    fmtp = sdp.parameters_to_sdp(codec.parameters)
    return [H265Format(codec.payloadType, profile_id, level_id, fmtp, _feedback(codec))]


def _parameters(codec: Any) -> dict[str, str]:
    return {str(k).strip().lower(): str(v).strip() for k, v in codec.parameters.items()}


def _feedback(codec: Any) -> tuple[str, ...]:
    return tuple(f"{f.type} {f.parameter}" if f.parameter else f.type for f in codec.rtcpFeedback)


def _reason(error: Exception) -> str:
    if isinstance(error.__cause__, StopIteration) or isinstance(error, StopIteration):
        return "an 'a=fmtp' is of a format that no 'a=rtpmap' names (RFC 8866 6.15)"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
