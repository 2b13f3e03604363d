"""HTTP Range (RFC 9110 14) over a file that may grow, or be deleted, while it is sent."""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from aiohttp import web

from flow.errors import LagebildError

from .archive_calls import DiskReads

CHUNK_BYTES = 256 * 1024
TAKEN_WITHIN_S = 60.0
"""A player that pauses reads no further; it asks again for the rest."""

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class OpenFile:
    """The first `size` bytes of a file, which stay readable when it is deleted.

    Closed when nobody holds it any more: a thread may still read when who asked has gone.
    """

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Blocking; `size` None: all there is now. Raises FileNotFoundError, for what is no file too."""
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            self._descriptor = -1
            raise FileNotFoundError(path) from error
        told = os.fstat(self._descriptor)
        if not stat.S_ISREG(told.st_mode):
            raise FileNotFoundError(path)
        self.size = told.st_size if size is None else min(size, told.st_size)
        # RFC 9110 8.8.3: another one whenever any byte may be another; what has grown has another length.
        self.etag = f'"{told.st_ino:x}-{self.size:x}-{told.st_mtime_ns:x}"'
        self.modified = formatdate(told.st_mtime, usegmt=True)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def read(self, at: int, size: int) -> bytes:
        """Blocking."""
        return os.pread(self._descriptor, size, at)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `first` to `end` (exclusive); `whole`: no part was asked for."""

    first: int
    end: int
    whole: bool = False


def part_of(asked: str | None, size: int) -> Part | None:
    """What a Range header asks for; None: nothing that there is (416).

    Several ranges at once, and other units than bytes, are not understood and so ignored (RFC 9110 14.2).
    """
    match = _RANGE.fullmatch(asked.strip()) if asked else None
    if match is None or match.group(1, 2) == ("", ""):
        return Part(0, size, whole=True)
    if not match[1]:  # so many at the end
        return Part(max(0, size - int(match[2])), size) if int(match[2]) and size else None
    first, last = int(match[1]), int(match[2] or size - 1)
    if match[2] and last < first:
        return Part(0, size, whole=True)  # 14.1.1: invalid
    return Part(first, min(last + 1, size)) if first < size else None


async def send_file(
    request: web.Request, reads: DiskReads, opened: Callable[[], OpenFile], headers: dict[str, str]
) -> web.StreamResponse:
    """Answer GET or HEAD with the file that `opened` opens, in a thread. `headers`: its type and more."""
    file = await reads.call(opened)
    told = headers | {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",  # pictures of an incident do not stay in browsers
        "ETag": file.etag,
        "Last-Modified": file.modified,
    }
    part = part_of(_range_of(request, file), file.size)
    if part is None:
        return _unsatisfiable(file)
    if not part.whole:
        told["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{file.size}"
    response = web.StreamResponse(status=200 if part.whole else 206, headers=told)
    response.content_length = part.end - part.first
    await response.prepare(request)
    if request.method != "HEAD":
        await _send(request, response, reads, file, part)
    return response


def _range_of(request: web.Request, file: OpenFile) -> str | None:
    """RFC 9110 13.1.5: a part only of the very file that the rest was of. 14.2: only GET has parts."""
    if request.method != "GET" or request.headers.get("If-Range", file.etag) not in (
        file.etag,
        file.modified,
    ):
        return None
    return request.headers.get("Range")


def _unsatisfiable(file: OpenFile) -> web.Response:
    error = {"code": "range", "message": f"there are {file.size} bytes"}
    headers = {"Content-Range": f"bytes */{file.size}"}
    return web.json_response({"error": error}, status=416, headers=headers)


async def _send(
    request: web.Request, response: web.StreamResponse, reads: DiskReads, file: OpenFile, part: Part
) -> None:
    at = part.first
    try:
        while at < part.end and (data := await reads.call(file.read, at, min(CHUNK_BYTES, part.end - at))):
            at += len(data)
            async with asyncio.timeout(TAKEN_WITHIN_S):
                await response.write(data)
    except (LagebildError, TimeoutError):
        pass
    if at == part.end:
        await response.write_eof()
    elif request.transport is not None:
        request.transport.abort()  # the length was promised: what is short must not look whole
