"""JSON that is asked with: its type, its size, its form."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from aiohttp import web

from flow.errors import MalformedError

JSON = "application/json"
MOST_BYTES = 2048

T = TypeVar("T")


async def json_body(request: web.Request, kind: type[T], most_bytes: int = MOST_BYTES) -> T:
    """The body as `kind`. Raises MalformedError."""
    if request.content_type != JSON:  # also: no page of another site can send this type unasked
        raise MalformedError(f"Content-Type is {request.content_type}; it must be {JSON}")
    if (request.content_length or 0) > most_bytes:
        raise MalformedError(f"the body has {request.content_length} bytes; {most_bytes} are the limit")
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise MalformedError(f"the body is not what is asked for here: {error}") from None
