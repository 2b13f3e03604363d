"""Key, length, value (SMPTE ST 336): finding sets in a stream, and the items of a set."""

from __future__ import annotations

from collections.abc import Iterator

from flow.errors import MalformedError

LABEL = bytes.fromhex("060e2b34")
"""With what every universal label begins (SMPTE ST 298)."""
KEY_BYTES = 16
SET_LIMIT_BYTES = 64 * 1024
"""Nobody's set is longer, key and length included."""

_LENGTH_BYTES_MOST = 4  # of the long form
_TAG_BYTES_MOST = 3


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """The BER length at `at` and where its value begins (ST 336 5.3). Raises MalformedError, also for one
    that is cut off."""
    first = _byte(data, at)
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    if not 1 <= first & 0x7F <= _LENGTH_BYTES_MOST:
        raise MalformedError(f"a KLV length of {first & 0x7F} bytes (SMPTE ST 336 5.3)")
    if end > len(data):
        raise MalformedError("a KLV length is cut off (SMPTE ST 336 5.3)")
    return int.from_bytes(data[at + 1 : end], "big"), end


def write_length(length: int) -> bytes:
    """The BER length, as short as it can be."""
    if length < 0x80:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def read_tag(data: bytes, at: int) -> tuple[int, int]:
    """The BER-OID tag at `at` and where its length begins (MISB ST 0107): seven bits a byte, all but the last
    with the top bit set. Raises MalformedError."""
    tag = 0
    for end in range(at, at + _TAG_BYTES_MOST):
        byte = _byte(data, end)
        tag = tag << 7 | byte & 0x7F
        if byte < 0x80:
            return tag, end + 1
    raise MalformedError(f"a KLV tag of more than {_TAG_BYTES_MOST} bytes (MISB ST 0107)")


def write_tag(tag: int) -> bytes:
    """The BER-OID tag."""
    encoded = bytes((tag & 0x7F,))
    while tag := tag >> 7:
        encoded = bytes((tag & 0x7F | 0x80,)) + encoded
    return encoded


def local_items(data: bytes, at: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """Tag, where the value begins, and the value, of each item of a local set from `at` to its end.

    Raises MalformedError where a length points outside the set.
    """
    while at < len(data):
        tag, at = read_tag(data, at)
        start, at = _bounds(data, at)
        yield tag, start, data[start:at]


def universal_items(data: bytes, at: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each item of a universal set from `at` to its end. Raises MalformedError."""
    while at < len(data):
        key = data[at : at + KEY_BYTES]
        start, at = _bounds(data, at + KEY_BYTES)
        yield key, data[start:at]


def opened(data: bytes) -> tuple[bytes, int]:
    """The key of a whole set and where its value begins.

    Raises MalformedError where it is not exactly one set.
    """
    if not data.startswith(LABEL):
        raise MalformedError("KLV that does not begin with a universal label (SMPTE ST 336 4.2)")
    start, end = _bounds(data, KEY_BYTES)
    if end != len(data):
        raise MalformedError(f"a KLV set of {end} bytes in {len(data)} (SMPTE ST 336 5)")
    return data[:KEY_BYTES], start


def checksum(data: bytes) -> int:
    """The running 16-bit sum of MISB ST 0601 6.3, over a set up to its checksum's value."""
    return (sum(data[0::2]) << 8) + sum(data[1::2]) & 0xFFFF


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Where the value begins and ends whose length is at `at`."""
    length, start = read_length(data, at)
    if start + length > len(data):
        raise MalformedError(f"a KLV length of {length} with {len(data) - start} bytes left (ST 336 5.3)")
    return start, start + length


def _byte(data: bytes, at: int) -> int:
    if at >= len(data):
        raise MalformedError("KLV is cut off (SMPTE ST 336 5)")
    return data[at]


class KlvSplitter:
    """A stream of KLV in pieces of any size in, whole sets (or other items with a universal key) out, each
    behind its key. What is no KLV, or longer than SET_LIMIT_BYTES, is passed over and counted."""

    def __init__(self) -> None:
        self.discarded_bytes = 0
        self.bad_sets = 0
        """Too long, of a length that is none, or never finished."""
        self._rest = b""

    def push(self, data: bytes) -> list[bytes]:
        """Take more of the stream; return the sets that it completes."""
        data = self._rest + data
        done: list[bytes] = []
        at = self._next_label(data, 0)
        while at < len(data):
            try:
                end = _end_of_set(data, at)
            except MalformedError:
                self.bad_sets += 1
                self.discarded_bytes += 1
                at = self._next_label(data, at + 1)
                continue
            if end is None:
                break
            done.append(data[at:end])
            at = self._next_label(data, end)
        self._rest = data[at:]
        return done

    def restart(self) -> None:
        """What comes next begins anew: an unfinished set will never be finished."""
        self.bad_sets += self._rest.startswith(LABEL)
        self.discarded_bytes += len(self._rest)
        self._rest = b""

    def _next_label(self, data: bytes, start: int) -> int:
        """The next label, or the first bytes of one at the very end, or the end."""
        at = data.find(LABEL, start)
        if at < 0:
            at = len(data) - next(size for size in (3, 2, 1, 0) if data.endswith(LABEL[:size]))
            at = max(start, at)
        self.discarded_bytes += at - start
        return at


def _end_of_set(data: bytes, at: int) -> int | None:
    """Where the set at `at` ends; None while it is not all there. Raises MalformedError for what is none."""
    head = data[at + KEY_BYTES : at + KEY_BYTES + 1 + _LENGTH_BYTES_MOST]
    if not head:
        return None
    long_form = head[0] - 0x80
    if len(head) <= long_form <= _LENGTH_BYTES_MOST:
        return None
    length, start = read_length(head, 0)
    end = at + KEY_BYTES + start + length
    if end - at > SET_LIMIT_BYTES:
        raise MalformedError(f"a KLV set of {end - at} bytes; at most {SET_LIMIT_BYTES} are taken")
    return end if end <= len(data) else None
