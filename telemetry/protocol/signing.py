"""MAVLink 2 message signing, the receiving side: https://mavlink.io/en/guide/message_signing.html.

A signed frame ends in 13 bytes: the id of the link it was sent on, its time in units of 10 µs since the
beginning of 2015 (48 bits), and the first 48 bits of SHA-256(key + frame up to and with that time).

Radios put RADIO_STATUS into the stream themselves and hold no key ("Accepting Unsigned Packets"): fleet.py.

Unlike pymavlink, the signature is judged before the time is remembered: or a forged frame with a time in the
far future would shut the aircraft out.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum

from .parser import FLAG_SIGNED, START_V2, Frame

UNIT_NS = 10_000
EPOCH_NS = 1_420_070_400_000_000_000  # 2015-01-01T00:00:00Z
LATE_UNITS = 60 * 1_000_000_000 // UNIT_NS
"""How far behind the first frame of a stream may be: "Timestamp Handling" says one minute."""
UNSET_UNITS = 365 * 86_400 * 1_000_000_000 // UNIT_NS
"""A time within 2015, when there was no MAVLink 2 yet: the sender has never been told the time."""


class Refusal(StrEnum):
    """Why a frame does not count; codes of the UI catalogue."""

    MISSING = "signature_missing"
    WRONG = "signature_wrong"
    REPLAYED = "signature_replayed"


def key_of(text: str) -> bytes:
    """The 32 bytes of a configured key: 64 hexadecimal digits, or a passphrase, of which MAVProxy and Mission
    Planner take the SHA-256."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    return key if len(key) == 32 else hashlib.sha256(text.encode()).digest()


class Signatures:
    """Judges the frames of one aircraft, which holds the same key as we do."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hashlib.sha256(key)  # copied for every frame
        self._newest: dict[tuple[int, int, int], int] = {}  # by system, component and link; genuine ones only

    def refusal(self, frame: Frame, now_ns: int) -> Refusal | None:
        """Why `frame`, which has just arrived, does not count; None where it does."""
        raw = frame.raw
        if raw[0] != START_V2 or not raw[2] & FLAG_SIGNED:
            return Refusal.MISSING
        judged = self._keyed.copy()
        judged.update(raw[:-6])
        if not hmac.compare_digest(judged.digest()[:6], raw[-6:]):
            return Refusal.WRONG
        stream = frame.system_id, frame.component_id, raw[-13]
        sent = int.from_bytes(raw[-12:-6], "little")
        newest = self._newest.get(stream)
        if (newest is not None and sent <= newest) or (newest is None and self._is_old(sent, now_ns)):
            return Refusal.REPLAYED
        self._newest[stream] = sent
        return None

    def _is_old(self, sent: int, now_ns: int) -> bool:
        """Whether a stream that begins with `sent` is a recording.

        An aircraft that was never told the time is believed, but not one that has known it before.
        """
        newest = max(self._newest.values(), default=0)
        if sent < UNSET_UNITS:
            return newest >= UNSET_UNITS
        return sent + LATE_UNITS < max(newest, (now_ns - EPOCH_NS) // UNIT_NS)
