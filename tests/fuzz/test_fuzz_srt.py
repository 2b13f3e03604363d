"""Whatever stream ids and addresses say: a place, or a refusal that repeats nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.errors import ConfigError, LagebildError, RefusedError
from flow.flights import ID_PATTERN
from ingest.addresses import shown
from ingest.protocol.srt_address import LATENCY_MOST_MS, SrtUrl, feed_and_key

SECRET = "Qx7§"
WORDS = (
    "publish",
    "request",
    ":",
    "::",
    "#!::",
    "#!:{",
    "r=",
    "m=",
    "u=",
    "s=",
    ",",
    "tag",
    "=",
    SECRET,
    "%41",
)
QUERY = ("?", "&", "mode=", "caller", "listener", "streamid=", "passphrase=", "latency=", "20", "9" * 20, "+")
PLACE = ("srt://", "SRT:", "h", ":", "9000", "[", "::1", "]", "/", "@", "#", "0.0.0.0", "\x00", "٣")


def check_refusal(error: LagebildError, code: str) -> None:
    assert error.code == code
    assert SECRET not in str(error)


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=12).map("".join))
def test_stream_ids(stream_id: str) -> None:
    try:
        feed_id, key = feed_and_key(stream_id)
    except RefusedError as error:
        check_refusal(error, "bad_stream_id")
    else:
        assert ID_PATTERN.fullmatch(feed_id)
        assert key in stream_id


@settings(max_examples=500, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from((*PLACE, *QUERY, *WORDS)) | st.text(max_size=3), max_size=16).map("".join))
def test_urls(url: str) -> None:
    for tried in (url, f"srt://h:9000?{url}"):
        try:
            parsed = SrtUrl.parse(tried)
        except ConfigError as error:
            check_refusal(error, "unsupported_url")
        else:
            assert 0 < parsed.port < 65_536
            assert 0 <= parsed.latency_ms <= LATENCY_MOST_MS
            if tried is not url:
                assert SECRET not in parsed.shown + shown(tried) + repr(parsed)


def test_the_words_find_both() -> None:
    """Or the tests above could not fail."""
    assert feed_and_key("#!::" + "m=publish" + ",r=tag" + ",s=" + SECRET) == ("tag", SECRET)
    with pytest.raises(RefusedError):
        feed_and_key("#!::r=" + SECRET)
    assert SrtUrl.parse("srt://h:9000?streamid=" + SECRET).stream_id == SECRET
