"""RTSP messages and interleaved frames, out of a stream of bytes and into one (RFC 2326 4 to 7 and 10.12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from flow.errors import MalformedError

MESSAGES_MOST = 512
"""In one `push()`: more of them in the 8 kB that are read at once would be of a few bytes each, and only keep
us busy."""

SKIPPED_MOST_BYTES = 128 * 1024
"""Of what is no message, between frames: a camera whose sending was interrupted comes back sooner."""

HEAD_LIMIT_BYTES = 16 * 1024
BODY_LIMIT_BYTES = 64 * 1024

_DOLLAR = 0x24
_FRAME_HEADER = 4  # "$", channel and 16 bits of length, RFC 2326 10.12
_CAPITALS = range(0x41, 0x5B)
_TEXTS = (
    b"RTSP/", b"OPTIONS ", b"GET_PARAMETER ", b"SET_PARAMETER ", b"REDIRECT ", b"TEARDOWN ", b"ANNOUNCE ",
)  # fmt: skip
_LOOK_AHEAD = 6  # of what was not found, so much may be its beginning
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"RTSP/\d\.\d (\d{3})(?: |$)")
_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) (\S+) RTSP/\d\.\d$")


class Headers:
    """The header fields of a message; names in any case, and each perhaps several times."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._values: dict[str, list[str]] = {}
        name = ""
        for line in lines:
            if line[:1] in (" ", "\t") and name:  # RFC 2326 15.1, as in RFC 822: the line before goes on
                self._values[name][-1] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                self._values.setdefault(name, []).append(value.strip())

    def all(self, name: str) -> list[str]:
        return self._values.get(name.lower(), [])

    def first(self, name: str) -> str:
        """The first field of that name, "" where there is none."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to one of our requests."""

    status: int
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """The server wants something (RFC 2326 10: OPTIONS, REDIRECT and others may come from it)."""

    method: str
    headers: Headers
    body: bytes


class Interleaved(NamedTuple):
    """One RTP or RTCP packet on the RTSP connection. A tuple: there are hundreds a second."""

    channel: int
    data: bytes

    def serialize(self) -> bytes:
        return bytes((_DOLLAR, self.channel)) + len(self.data).to_bytes(2, "big") + self.data


Message: TypeAlias = Response | Request | Interleaved


class MessageParser:
    """Takes bytes as they come and holds at most one incomplete message, of bounded size."""

    def __init__(self) -> None:
        self._buffer = b""
        self._ends = 0  # so long the buffer must be before its first message is whole: headers are read once
        self._again: re.Pattern[bytes] | None = None  # what a frame or an answer begins with
        self._skipped = 0

    def expect_frames(self, channels: tuple[int, int]) -> None:
        """From now on RTP comes on these channels, and what is between the frames is passed over.

        Cameras whose network was too slow for a moment go on in the middle of one, or lose its beginning.
        """
        either = b"|".join(re.escape(bytes((channel,))) for channel in channels)
        self._again = re.compile(rb"\$(?:" + either + rb")..[\x80-\xbf]|RTSP/1\.", re.DOTALL)

    def push(self, data: bytes) -> list[Message]:
        """The messages that are complete now. Raises MalformedError where the bytes are no RTSP."""
        self._buffer += data
        messages: list[Message] = []
        if len(self._buffer) < self._ends:
            return messages
        start = self._after_other(0)
        while (taken := self._take(start)) is not None:
            message, end = taken
            messages.append(message)
            if len(messages) > MESSAGES_MOST:
                raise MalformedError(f"more than {MESSAGES_MOST} messages at once, of a few bytes each")
            start = self._after_other(end)
        self._buffer = self._buffer[start:]
        self._ends = max(0, self._ends - start)
        return messages

    def _after_other(self, start: int) -> int:
        """Past empty lines, and what else is no message where frames are expected."""
        buffer, start = self._buffer, _after_blank(self._buffer, start)
        if self._again is None or not self._is_other(start):
            return start
        found = self._again.search(buffer, start)
        begin = max(start + 1, len(buffer) - _LOOK_AHEAD) if found is None else found.start()
        self._skipped += begin - start
        if self._skipped > SKIPPED_MOST_BYTES:
            raise MalformedError(f"more than {SKIPPED_MOST_BYTES} bytes that are no message (RFC 2326 10.12)")
        return begin

    def _is_other(self, start: int) -> bool:
        """Whether nothing that may come between frames begins like this."""
        head = self._buffer[start : start + 16]
        texts = any(head[: len(word)] == word[: len(head)] for word in _TEXTS)
        return self._again is not None and head != b"" and head[0] != _DOLLAR and not texts

    def _take(self, start: int) -> tuple[Message, int] | None:
        """The message at `start` and where it ends, or None if more bytes are needed."""
        buffer = self._buffer
        if start == len(buffer) or self._is_other(start):
            return None
        if buffer[start] != _DOLLAR:
            return self._take_text(start)
        data = start + _FRAME_HEADER
        end = data + int.from_bytes(buffer[start + 2 : data], "big")
        if len(buffer) < data or len(buffer) < end:
            return None
        self._skipped = max(0, self._skipped - (end - start))
        return Interleaved(buffer[start + 1], buffer[data:end]), end

    def _take_text(self, start: int) -> tuple[Message, int] | None:
        buffer, most = self._buffer, start + HEAD_LIMIT_BYTES
        if buffer[start] not in _CAPITALS:
            raise MalformedError(f"no message begins with byte 0x{buffer[start]:02x} (RFC 2326 4)")
        line_end = buffer.find(b"\n", start, most)
        if line_end >= 0:
            _check_start_line(buffer[start:line_end].decode("utf-8", "replace").rstrip("\r"))
        found = _HEAD_END.search(buffer, start, most)
        if found is None:
            if len(buffer) >= most:
                raise MalformedError(f"headers of more than {HEAD_LIMIT_BYTES} bytes")
            return None
        lines = buffer[start : found.start()].decode("utf-8", "replace").splitlines()
        headers = Headers(lines[1:])
        end = found.end() + _body_length(headers)
        if end > len(buffer):
            self._ends = end
            return None
        return _message(lines[0], headers, buffer[found.end() : end]), end


def _after_blank(buffer: bytes, start: int) -> int:
    """Past the empty lines that some servers send between messages (as RFC 7826 20.1 has it)."""
    while buffer[start : start + 1] in (b"\r", b"\n"):
        start += 1
    return start


def _check_start_line(line: str) -> None:
    if not (_STATUS_LINE.match(line) or _REQUEST_LINE.match(line)):
        raise MalformedError("a message's first line is neither a request nor a status (RFC 2326 6.1, 7.1)")


def _message(start_line: str, headers: Headers, body: bytes) -> Response | Request:
    status = _STATUS_LINE.match(start_line)
    if status is not None:
        return Response(int(status[1]), headers, body)
    request = _REQUEST_LINE.match(start_line)
    if request is None:
        raise MalformedError("a message's first line is neither a request nor a status (RFC 2326 6.1, 7.1)")
    return Request(request[1], headers, body)


def _body_length(headers: Headers) -> int:
    """RFC 2326 4.4: no body without Content-Length."""
    value = headers.first("Content-Length")
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) <= 9) or int(value) > BODY_LIMIT_BYTES:
        raise MalformedError(f"a body longer than {BODY_LIMIT_BYTES} bytes, or of no length (RFC 2326 12.14)")
    return int(value)


def serialize_request(method: str, uri: str, headers: Mapping[str, str]) -> bytes:
    """A request without a body; the caller sees to it that nothing in it breaks a line."""
    return _serialized(f"{method} {uri} RTSP/1.0", headers)


def serialize_response(status: str, headers: Mapping[str, str]) -> bytes:
    """An answer without a body, `status` as "200 OK"."""
    return _serialized(f"RTSP/1.0 {status}", headers)


def _serialized(start_line: str, headers: Mapping[str, str]) -> bytes:
    lines = [start_line, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8")
