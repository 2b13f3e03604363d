"""DTLS-SRTP of one viewer (RFC 5764): the handshake, then SRTCP both ways. SRTP itself is never opened."""

from __future__ import annotations

from collections.abc import Iterator

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
)
from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

PROFILES = {"gcm": SRTP_AEAD_AES_128_GCM, "cm80": SRTP_AES128_CM_SHA1_80}
_RECORD_HEADER = 13


class Identity:
    """One certificate for all viewers of the process, and the one SRTP profile they take."""

    def __init__(self, profile: str) -> None:
        certificate = RTCCertificate.generateCertificate()
        self.profile = PROFILES[profile]
        self.context = certificate._create_ssl_context([self.profile])
        self.fingerprint = next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")


class Dtls:
    """`take()` and `due()` return records to be sent. `connected` once keys are there."""

    def __init__(self, identity: Identity, *, client: bool) -> None:
        self._identity, self._client = identity, client
        self._ssl = SSL.Connection(identity.context)
        if client:
            self._ssl.set_connect_state()
        else:
            self._ssl.set_accept_state()
        self._out: Session | None = None
        self._in: Session | None = None
        self._hello: list[bytes] = []
        self.begun = False

    @property
    def connected(self) -> bool:
        return self._out is not None

    def start(self) -> list[bytes]:
        self.begun = True
        self._hello = self._step() if self._client else []
        return self._hello

    def take(self, data: bytes) -> list[bytes]:
        self._hello = []
        self._ssl.bio_write(data)
        if not self.connected:
            return self._step()
        return []

    def due(self) -> list[bytes]:
        """Call now and then until connected: repeats what was lost, the hello at once.

        A server may hear us before it listens; OpenSSL would wait a second.
        """
        if self.begun and not self.connected and self._ssl.DTLSv1_get_timeout() == 0:
            self._ssl.DTLSv1_handle_timeout()
        return [*self._hello, *self._outgoing()]

    def close(self) -> list[bytes]:
        if self.connected:
            self._ssl.shutdown()
        return list(self._outgoing())

    def protect(self, rtcp: bytes) -> bytes:
        assert self._out is not None
        protected: bytes = self._out.protect_rtcp(rtcp)
        return protected

    def unprotect(self, srtcp: bytes) -> bytes | None:
        if self._in is None:
            return None
        try:
            plain: bytes = self._in.unprotect_rtcp(srtcp)
        except Error:
            return None
        return plain

    def _step(self) -> list[bytes]:
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return list(self._outgoing())
        profile = self._identity.profile
        if self._ssl.get_selected_srtp_profile() != profile.openssl_profile:
            raise ValueError(f"the server does not take {profile.openssl_profile.decode()}")
        keys = self._ssl.export_keying_material(
            b"EXTRACTOR-dtls_srtp", 2 * (profile.key_length + profile.salt_length)
        )
        ours, theirs = (0, 1) if self._client else (1, 0)
        kinds = ((ours, Policy.SSRC_ANY_OUTBOUND), (theirs, Policy.SSRC_ANY_INBOUND))
        self._out, self._in = (
            Session(Policy(profile.get_key_and_salt(keys, side), kind, 0, profile.libsrtp_profile))
            for side, kind in kinds
        )
        return list(self._outgoing())

    def _outgoing(self) -> Iterator[bytes]:
        """What OpenSSL wants sent, one record a datagram: the memory BIO knows no borders between them."""
        try:
            data = self._ssl.bio_read(16_384)
        except SSL.WantReadError:
            return
        while data:
            end = _RECORD_HEADER + int.from_bytes(data[11:13], "big")
            yield data[:end]
            data = data[end:]
