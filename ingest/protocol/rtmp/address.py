"""Which feed a publisher means, and the key it brings, from what its encoder makes of the address."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from flow.errors import RefusedError
from flow.flights import ID_PATTERN

APP = "live"
_FORM = f"the address has the form rtmp://SERVER/{APP}/FEED?key=KEY"
_FIELDS_MOST = 16


def feed_and_key(app: str, tc_url: str, stream_name: str) -> tuple[str, str]:
    """Feed id and key ("" if there is none) of `rtmp://SERVER/live/FEED?key=KEY`.

    Encoders cut it at different places, and put what is behind the "?" into the app, the tcUrl or the
    stream name. Those with two fields, server and stream key, may be given `rtmp://SERVER/live` and
    `FEED?key=KEY`, or `rtmp://SERVER/live/FEED` and `KEY`. Raises RefusedError, which repeats nothing of it:
    there may be a key in the wrong place.
    """
    path, _, query = app.partition("?")
    name, _, name_query = stream_name.partition("?")
    parts = [part for part in f"{path}/{name}".split("/") if part]
    match parts:
        case [first, feed_id] if first == APP:
            key = ""
        case [first, feed_id, key] if first == APP:
            pass
        case _:
            raise RefusedError(_FORM, code="bad_address")
    if not ID_PATTERN.fullmatch(feed_id):
        raise RefusedError(f"that is no name of a feed; {_FORM}", code="bad_address")
    queries = (name_query, query, _query_of(tc_url))
    return feed_id, next(filter(None, map(_key_in, queries)), key)


def _query_of(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def _key_in(query: str) -> str:
    try:
        return dict(parse_qsl(query, max_num_fields=_FIELDS_MOST)).get("key", "")
    except ValueError:
        return ""
