"""SRTP and SRTCP of one viewer or publisher (RFC 3711, RFC 7714), through pylibsrtp's binding of libsrtp.

pylibsrtp's own `Session.protect()` copies every packet twice; libsrtp itself protects in place, so whoever
sends (relay/outlet.py) hands it pointers into one buffer that all viewers share.

Private names used (pylibsrtp 1.0.0; `check_private_names` says which one is gone):
- `pylibsrtp._binding.ffi` and `.lib`: libsrtp's functions, and the means to point at memory.
- `pylibsrtp.Session._srtp`: the `srtp_t *` of a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any, Literal, TypeAlias

import pylibsrtp
from pylibsrtp import Policy, Session

from flow.errors import LagebildError

Profile: TypeAlias = Literal["gcm", "cm80"]
"""AEAD_AES_128_GCM (RFC 7714) or AES_CM_128_HMAC_SHA1_80 (RFC 3711)."""

TAG_BYTES: dict[Profile, int] = {"gcm": 16, "cm80": 10}
"""What protection adds to an RTP packet (RFC 7714 12, RFC 3711 8.2)."""

KEY_BYTES: dict[Profile, int] = {"gcm": 16 + 12, "cm80": 16 + 14}
"""Master key and salt as DTLS-SRTP exports them (RFC 5764 4.1.2, RFC 7714 12)."""

WINDOW_PACKETS = 1024
"""How far behind the newest packet one may be sent again: 2.4 s at 4 Mbit/s.

libsrtp shifts the whole window at each packet. A packet of 1200 bytes (GCM) costs 0.75 µs to protect with
128, 0.78 with 1024, 0.95 with 2048, 1.05 with 4096 and 1.4 with 8192; memory 5 to 7 KB.
"""

RECEIVE_WINDOW_PACKETS = 2048
"""How far behind the newest packet of a publisher one is still opened: it comes half a second late if it has
to be sent again, at 40 Mbit/s."""

MAX_RTCP_BYTES = 1400
MAX_REMOTE_SSRCS = 8
"""libsrtp keeps some 2 KB for each SSRC that it once heard of, and never forgets one."""

_binding: Any = getattr(pylibsrtp, "_binding", None)
PRIVATE_NAMES: tuple[tuple[str, Any, str], ...] = (
    ("pylibsrtp", pylibsrtp, "_binding"),
    ("pylibsrtp._binding", _binding, "ffi"),
    ("pylibsrtp._binding.lib", getattr(_binding, "lib", None), "srtp_protect"),
    ("pylibsrtp.Session()", Session(), "_srtp"),
)


def check_private_names() -> None:
    """Raise LagebildError naming the private names that this pylibsrtp no longer has."""
    gone = [f"{where}.{name}" for where, owner, name in PRIVATE_NAMES if not hasattr(owner, name)]
    if gone:
        raise LagebildError(f"this version of pylibsrtp lacks {', '.join(gone)}; 1.0.0 has them")


check_private_names()
ffi: Any = _binding.ffi
_protect: Any = _binding.lib.srtp_protect

_PROFILES = {"gcm": Policy.SRTP_PROFILE_AEAD_AES_128_GCM, "cm80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80}


def _session(profile: Profile, key: bytes, ssrc_type: int, window: int) -> Session:
    policy = Policy(key=key, ssrc_type=ssrc_type, srtp_profile=_PROFILES[profile])
    policy.allow_repeat_tx = True  # a NACK is answered by the very same packet
    policy.window_size = window
    return Session(policy)


class SrtpOut:
    """Protects what is sent to one viewer. `key` is master key and salt (KEY_BYTES)."""

    def __init__(self, profile: Profile, key: bytes, window: int = WINDOW_PACKETS) -> None:
        self._session = _session(profile, key, Policy.SSRC_ANY_OUTBOUND, window)
        self._srtp = self._session._srtp[0]

    def protect(self, packets: Iterable[Any], lengths: Iterable[Any]) -> bool:
        """Protect RTP packets where they are; each needs TAG_BYTES of room behind it.

        `packets` are pointers to their first bytes, `lengths` pointers to C ints that hold their lengths and
        get the new ones. The shorter of the two ends it. False if libsrtp refused one, for instance because
        it is older than the window: the rest is plaintext then, and nothing of it may be sent.
        """
        return not any(map(_protect, repeat(self._srtp), packets, lengths))

    def protect_rtcp(self, compound: bytes) -> bytes:
        """The SRTCP packet of a compound RTCP packet (RFC 3711 3.4)."""
        return bytes(self._session.protect_rtcp(compound))


class SrtpIn:
    """Opens what one viewer or publisher sends. `refused` counts what was forged, damaged, replayed or too
    much.

    Holds 5 KB, and 2 KB for each of at most MAX_REMOTE_SSRCS.
    """

    def __init__(self, profile: Profile, key: bytes, window: int = 128) -> None:
        self._session = _session(profile, key, Policy.SSRC_ANY_INBOUND, window)
        self._ssrcs: set[bytes] = set()
        self.refused = 0

    def unprotect_rtcp(self, packet: bytes) -> bytes | None:
        """The compound RTCP packet inside an SRTCP packet, or None."""
        if len(packet) > MAX_RTCP_BYTES:
            self.refused += 1
            return None
        return self._opened(packet, packet[4:8], self._session.unprotect_rtcp)

    def unprotect_rtp(self, packet: bytes) -> bytes | None:
        """The RTP packet inside an SRTP packet, or None."""
        return self._opened(packet, packet[8:12], self._session.unprotect)

    def _opened(self, packet: bytes, ssrc: bytes, unprotect: Callable[[bytes], Any]) -> bytes | None:
        known = ssrc in self._ssrcs
        if known or len(self._ssrcs) < MAX_REMOTE_SSRCS:
            try:
                plain = bytes(unprotect(packet))
            except pylibsrtp.Error:
                pass
            else:
                self._ssrcs.add(ssrc)
                return plain
        self.refused += 1
        return None
