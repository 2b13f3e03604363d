from __future__ import annotations

import pytest

from flow.errors import RefusedError
from ingest.protocol.rtmp.address import feed_and_key


@pytest.mark.parametrize(
    ("app", "tc_url", "name"),
    [
        (
            "live",
            "rtmp://10.0.0.1:1935/live",
            "fritz-tag?key=abc",
        ),  # ffmpeg; OBS with FEED?key=KEY as its key
        ("live", "", "fritz-tag?flags=1&key=abc"),
        ("live/fritz-tag", "rtmp://10.0.0.1/live/fritz-tag", "abc"),  # server rtmp://…/live/FEED, key KEY
        ("live/fritz-tag?key=abc", "", ""),  # an encoder with one field that cuts nothing off
        ("live?key=abc", "rtmp://10.0.0.1/live?key=abc", "fritz-tag"),
        ("live", "rtmp://10.0.0.1/live?key=abc", "fritz-tag"),
        ("live/", "", "/fritz-tag?key=abc"),
        ("", "rtmp://10.0.0.1", "live/fritz-tag?key=abc"),
        ("live", "rtmp://[broken", "fritz-tag?key=%61bc"),
    ],
)
def test_wherever_an_encoder_puts_them(app: str, tc_url: str, name: str) -> None:
    assert feed_and_key(app, tc_url, name) == ("fritz-tag", "abc")


@pytest.mark.parametrize("name", ["fritz-tag", "fritz-tag?", "fritz-tag?key=", "fritz-tag?" + "a=b&" * 100])
def test_without_a_key_there_is_none(name: str) -> None:
    assert feed_and_key("live", "rtmp://10.0.0.1/live", name) == ("fritz-tag", "")


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("live", ""),
        ("", "secret"),
        ("secret", "secret"),
        ("live", "Secret?key=secret"),
        ("live", "secret\nsecret"),
        ("live/a/b", "secret"),
        ("live", "s" * 33),
    ],
)
def test_any_other_address_is_refused_and_not_repeated(app: str, name: str) -> None:
    with pytest.raises(RefusedError, match="rtmp://SERVER/live/FEED") as refused:
        feed_and_key(app, "rtmp://10.0.0.1/secret", name)
    assert refused.value.code == "bad_address"
    assert "secret" not in str(refused.value)
