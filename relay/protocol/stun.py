"""STUN as ICE uses it (RFC 8489 short-term credentials, RFC 8445 16): binding requests and their answers."""

from __future__ import annotations

import hmac
import ipaddress
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from flow.errors import MalformedError

Address: TypeAlias = tuple[str, int]
"""IP address without brackets or zone, and port."""

HEADER_SIZE = 20
TRANSACTION_SIZE = 12
MAX_ATTRIBUTES = 32
"""A check of today's browsers has six to nine; whoever sends hundreds wants to cost us time."""

BINDING_REQUEST = 0x0001
BINDING_INDICATION = 0x0011
BINDING_SUCCESS = 0x0101
BINDING_ERROR = 0x0111

USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

_COOKIE = bytes.fromhex("2112a442")
_FINGERPRINT_XOR = 0x5354554E
_FINGERPRINT_SIZE = 8
_INTEGRITY_SIZE = 24
_HEADER = struct.Struct("!HH4s12s")
_ATTRIBUTE = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class Message:
    """A STUN message; `attributes` by type, of several of one type the first (RFC 8489 14).

    What follows MESSAGE-INTEGRITY is not signed and therefore not kept, FINGERPRINT excepted (14.5).
    `signed` is what the HMAC in `integrity` covers, with the length it was made with; both empty if unsigned.
    """

    kind: int
    transaction_id: bytes
    attributes: Mapping[int, bytes]
    signed: bytes = b""

    def is_signed_with(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is there and was made with `key`, the password (RFC 8489 14.5, 9.1.1)."""
        if not self.signed:
            return False
        return hmac.compare_digest(self.attributes[MESSAGE_INTEGRITY], hmac.digest(key, self.signed, "sha1"))


def is_stun(datagram: bytes) -> bool:
    """Whether a datagram has a STUN header whose length is its own (RFC 8489 5, RFC 7983 7)."""
    return (
        len(datagram) >= HEADER_SIZE
        and datagram[0] <= 3
        and datagram[4:8] == _COOKIE
        and int.from_bytes(datagram[2:4], "big") == len(datagram) - HEADER_SIZE
        and len(datagram) % 4 == 0
    )


def username_of(datagram: bytes) -> str | None:
    """USERNAME of a binding request, "receiver's ufrag:sender's ufrag" (RFC 8445 7.2.2), unverified.

    None for everything else; never raises.
    """
    if not is_stun(datagram) or datagram[:2] != b"\x00\x01":
        return None
    try:
        for kind, start, end in _attributes(datagram):
            if kind == USERNAME:
                return datagram[start:end].decode("ascii")
    except (MalformedError, UnicodeDecodeError):
        return None
    return None


def parse(datagram: bytes) -> Message:
    """Read one message; a FINGERPRINT, where there is one, must be right and last (RFC 8489 14.7).

    Raises MalformedError for everything that is not one whole message.
    """
    if not is_stun(datagram):
        raise MalformedError("no STUN header, or its length is not the datagram's (RFC 8489 5)")
    attributes: dict[int, bytes] = {}
    signed = b""
    for kind, start, end in _attributes(datagram):
        if kind == FINGERPRINT:
            _check_fingerprint(datagram, start, end)
        elif signed:
            continue
        elif kind == MESSAGE_INTEGRITY:
            if end - start != _INTEGRITY_SIZE - 4:
                raise MalformedError(f"MESSAGE-INTEGRITY of {end - start} bytes (RFC 8489 14.5)")
            signed = _with_length(datagram[: start - 4], _INTEGRITY_SIZE)
        attributes.setdefault(kind, datagram[start:end])
    return Message(int.from_bytes(datagram[:2], "big"), datagram[8:HEADER_SIZE], attributes, signed)


def _attributes(datagram: bytes) -> Iterator[tuple[int, int, int]]:
    """Type, start and end of each attribute's value (RFC 8489 14)."""
    at = HEADER_SIZE
    for _ in range(MAX_ATTRIBUTES):
        if at == len(datagram):
            return
        kind, length = _ATTRIBUTE.unpack_from(
            datagram, at
        )  # the length is a multiple of 4, so they are there
        start, end = at + 4, at + 4 + length
        if end > len(datagram):
            raise MalformedError(f"STUN attribute 0x{kind:04x} is cut off (RFC 8489 14)")
        yield kind, start, end
        at = end + -length % 4
    if at != len(datagram):
        raise MalformedError(f"STUN message with more than {MAX_ATTRIBUTES} attributes")


def _check_fingerprint(datagram: bytes, start: int, end: int) -> None:
    if end - start != 4 or end != len(datagram):
        raise MalformedError("FINGERPRINT is not four bytes at the end (RFC 8489 14.7)")
    if datagram[start:end] != _fingerprint(datagram[: start - 4]):
        raise MalformedError("FINGERPRINT is wrong (RFC 8489 14.7)")


def _fingerprint(message: bytes) -> bytes:
    """The value for a message whose length already counts the attribute."""
    return (zlib.crc32(message) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def _with_length(message: bytes, more: int) -> bytes:
    """The message with the length it has once an attribute of `more` bytes is added."""
    return message[:2] + (len(message) - HEADER_SIZE + more).to_bytes(2, "big") + message[4:]


def serialize(
    kind: int, transaction_id: bytes, attributes: Iterable[tuple[int, bytes]], key: bytes | None = None
) -> bytes:
    """A message with FINGERPRINT, and with MESSAGE-INTEGRITY under `key` if there is one (RFC 8489 14.5)."""
    parts = [_HEADER.pack(kind, 0, _COOKIE, transaction_id)]
    parts += [_attribute(kind, value) for kind, value in attributes]
    message = b"".join(parts)
    if key is not None:
        message = _with_length(message, _INTEGRITY_SIZE)
        message += _attribute(MESSAGE_INTEGRITY, hmac.digest(key, message, "sha1"))
    message = _with_length(message, _FINGERPRINT_SIZE)
    return message + _attribute(FINGERPRINT, _fingerprint(message))


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(kind, len(value)) + value + bytes(-len(value) % 4)


def success(transaction_id: bytes, mapped: Address, key: bytes) -> bytes:
    """The answer to a good binding request that came from `mapped`."""
    address = xor_address(mapped, transaction_id)
    return serialize(BINDING_SUCCESS, transaction_id, [(XOR_MAPPED_ADDRESS, address)], key)


def error(transaction_id: bytes, code: int, reason: str, key: bytes, unknown: Iterable[int] = ()) -> bytes:
    """An error answer (RFC 8489 14.8); `unknown` are the attribute types that a 420 names (14.9)."""
    attributes = [(ERROR_CODE, bytes((0, 0, code // 100, code % 100)) + reason.encode())]
    types = b"".join(kind.to_bytes(2, "big") for kind in unknown)
    if types:
        attributes.append((UNKNOWN_ATTRIBUTES, types))
    return serialize(BINDING_ERROR, transaction_id, attributes, key)


def xor_address(address: Address, transaction_id: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS (RFC 8489 14.2)."""
    ip = ipaddress.ip_address(address[0])
    family = 1 if ip.version == 4 else 2
    return (
        bytes((0, family))
        + _xored(address[1].to_bytes(2, "big"), _COOKIE)
        + _xored(ip.packed, _COOKIE + transaction_id)
    )


def mapped_address(message: Message) -> Address:
    """XOR-MAPPED-ADDRESS of a success answer (RFC 8489 14.2); raises MalformedError."""
    value = message.attributes.get(XOR_MAPPED_ADDRESS, b"")
    if (len(value), value[1:2]) not in {(8, b"\x01"), (20, b"\x02")}:
        raise MalformedError("no XOR-MAPPED-ADDRESS of IPv4 or IPv6 (RFC 8489 14.2)")
    ip = ipaddress.ip_address(_xored(value[4:], _COOKIE + message.transaction_id))
    return str(ip), int.from_bytes(_xored(value[2:4], _COOKIE), "big")


def _xored(value: bytes, mask: bytes) -> bytes:
    size = len(value)
    return (int.from_bytes(value, "big") ^ int.from_bytes(mask[:size], "big")).to_bytes(size, "big")
