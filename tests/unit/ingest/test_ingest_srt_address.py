"""Stream ids of publishers, and URLs of encoders that we call."""

from __future__ import annotations

import pytest

from flow.errors import ConfigError, RefusedError
from ingest.protocol.srt_address import SrtUrl, feed_and_key
from ingest.sources.srt_caller import SrtSource
from tests.fakes.clock import FakeClock


@pytest.mark.parametrize(
    ("stream_id", "feed_id", "key"),
    [
        ("publish:tag:k-1", "tag", "k-1"),
        ("publish:tag:a:b=c", "tag", "a:b=c"),
        ("publish:tag:", "tag", ""),
        ("publish:tag", "tag", ""),
        ("#!::r=tag,s=k-1,m=publish", "tag", "k-1"),
        ("#!::m=publish,u=k-1,r=tag", "tag", "k-1"),
        ("#!::m=publish,u=otto,s=k-1,t=stream,r=tag,h=elw.example", "tag", "k-1"),
        ("#!::m=publish,r=tag", "tag", ""),
        ("#!::m=publish,r=tag,s=a=b", "tag", "a=b"),
    ],
)
def test_stream_ids(stream_id: str, feed_id: str, key: str) -> None:
    assert feed_and_key(stream_id) == (feed_id, key)


@pytest.mark.parametrize(
    ("stream_id", "said"),
    [
        ("", "publish:FEED:KEY"),
        ("secret", "publish:FEED:KEY"),
        ("read:tag:secret", "nobody can watch"),
        ("#!::r=tag,s=secret", "nobody can watch"),
        ("#!::r=tag,s=secret,m=request", "nobody can watch"),
        ("#!:{r=tag}", "nobody can watch"),
        ("publish:secret/tag", "no name of a feed"),
        ("publish::secret", "no name of a feed"),
        ("#!::m=publish,s=secret", "no name of a feed"),
        ("publish:" + "a" * 33 + ":secret", "no name of a feed"),
        ("publish:tag\n:secret", "no name of a feed"),
    ],
)
def test_stream_ids_that_say_nothing_are_refused_and_not_repeated(stream_id: str, said: str) -> None:
    with pytest.raises(RefusedError, match=said) as refused:
        feed_and_key(stream_id)
    assert refused.value.code == "bad_stream_id"
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("srt://192.0.2.7:9000", SrtUrl("192.0.2.7", 9000)),
        ("SRT://camera.example:9000/", SrtUrl("camera.example", 9000)),
        ("srt://[2001:db8::7]:9000?mode=caller", SrtUrl("2001:db8::7", 9000)),
        ("srt://h:1?latency=20&passphrase=0123456789", SrtUrl("h", 1, "", "0123456789", 20)),
        ("srt://h:1?streamid=#!::r=a,m=request", SrtUrl("h", 1, "#!::r=a,m=request")),
        ("srt://h:1?streamid=%23!%3A%3Ar%3Da+b&latency=0", SrtUrl("h", 1, "#!::r=a+b", "", 0)),
    ],
)
def test_urls_of_encoders(url: str, parsed: SrtUrl) -> None:
    assert SrtUrl.parse(url) == parsed


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("srt://192.0.2.7", "a host and a port"),
        ("srt://:9000?secret", "a host and a port"),
        ("srt://h:0", "a host and a port"),
        ("srt://h:65536", "a host and a port"),
        ("srt://h:٣", "a host and a port"),
        ("srt://otto:secret@h:9000", "a host and a port"),
        ("srt://se cret:9000", "a host and a port"),
        ("srt://secret/path:9000", "a host and a port"),
        ("srt://0.0.0.0:8890", 'source = "srt"'),
        ("srt://h:1?mode=listener", 'source = "srt"'),
        ("srt://h:1?mode=rendezvous", 'source = "srt"'),
        ("srt://h:1?latency=-1", "0 to 8000"),
        ("srt://h:1?latency=120000", "0 to 8000"),
        ("srt://h:1?latency=" + "0" * 5000 + "1", "0 to 8000"),
        ("srt://h:1?passphrase=secret", "10 to 79"),
        ("srt://h:1?passphrase=secret" + "ü" * 40, "10 to 79"),
        ("srt://h:1?passwort=secret", "streamid, passphrase and latency"),
        ("srt://h:1?streamid=secret" + "a" * 512, "512"),
    ],
)
def test_urls_that_nobody_can_call_are_refused_and_not_repeated(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as refused:
        SrtUrl.parse(url)
    assert refused.value.code == "unsupported_url"
    assert "secret" not in str(refused.value)


def test_secrets_are_not_shown() -> None:
    url = SrtUrl.parse("srt://[2001:db8::7]:9000?streamid=secret-id&passphrase=secret-phrase")
    assert url.shown == "srt://[2001:db8::7]:9000"
    source = SrtSource(url, FakeClock())
    assert "secret" not in f"{url} {url!r} {source}"
