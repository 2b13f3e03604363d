"""JSON that is asked with, its type, its size, its form; and JSON that is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


def json_reply(view: object, status: int = 200) -> web.Response:
    return encoded_reply(msgspec.json.encode(view), status)


def encoded_reply(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, content_type=JSON, status=status)


def json_list(name: str, items: Iterable[T], view: Callable[[T], object]) -> bytes:
    """{name: [what `view` makes of each]}, for a thread (archive_calls.py): a flight may have 100,000 events.

    One by one: a single call that encodes all of them would not let the event loop run meanwhile.
    """
    made = [msgspec.json.encode(view(item)) for item in items]
    return b'{"%s":[%s]}' % (name.encode(), b",".join(made))
