"""What SRT addresses say: the stream id that a publisher brings, and the URL of an encoder that we call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import unquote

from flow.errors import ConfigError, RefusedError
from flow.flights import ID_PATTERN
from ingest.addresses import shown, zoned

LATENCY_MS = 120  # libsrt's own
LATENCY_MOST_MS = 8000
PASSPHRASE_BYTES = range(10, 80)
STREAM_ID_MOST_BYTES = 512

_FORM = "the stream id has the form publish:FEED:KEY"
_KEYED = "#!::"
_POSSIBLE = "mode, streamid, passphrase and latency"


def feed_and_key(stream_id: str) -> tuple[str, str]:
    """Feed id and key ("" if there is none) of `publish:FEED:KEY`, or of `#!::r=FEED,s=KEY,m=publish`.

    The second form is SRT's own (Access Control Guidelines); encoders with fields for user and password put
    the key into u or s. Raises RefusedError, which repeats nothing of it: there may be a key in the wrong
    place.
    """
    if stream_id.startswith(_KEYED):
        said = dict(_keyed(stream_id.removeprefix(_KEYED)))
        mode, feed_id, key = said.get("m", ""), said.get("r", ""), said.get("s") or said.get("u", "")
    else:
        mode, _, rest = stream_id.partition(":")
        feed_id, _, key = rest.partition(":")
    if mode != "publish":
        raise RefusedError(f"nobody can watch by SRT, only publish: {_FORM}", code="bad_stream_id")
    if not ID_PATTERN.fullmatch(feed_id):
        raise RefusedError(f"that is no name of a feed; {_FORM}", code="bad_stream_id")
    return feed_id, key


def _keyed(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(","):
        name, _, value = part.partition("=")
        yield name, value


@dataclass(frozen=True, slots=True)
class SrtUrl:
    """An encoder that listens: `srt://HOST:PORT?streamid=…&passphrase=…&latency=MS`."""

    host: str
    port: int
    stream_id: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    latency_ms: int = LATENCY_MS

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ConfigError with code "unsupported_url", whose text holds nothing of the address."""
        scheme, _, rest = url.partition("://")
        place, _, query = rest.partition("?")  # a stream id may hold "#", and often does so bare
        host, port = _host_and_port(place.rstrip("/"))
        if scheme.lower() != "srt" or not host:
            raise _wrong("it needs a host and a port, like srt://192.0.2.7:9000")
        if host in ("0.0.0.0", "::"):
            raise _wrong('nobody can be called there; for encoders that call us, set source = "srt"')
        said = dict(_query(query))
        if said.pop("mode", "caller") != "caller":
            raise _wrong('only mode=caller is possible; for encoders that call us, set source = "srt"')
        stream_id, passphrase = said.pop("streamid", ""), said.pop("passphrase", "")
        latency_ms = _latency_ms(said.pop("latency", str(LATENCY_MS)))
        if said:
            raise _wrong(f"behind the ? there may be {_POSSIBLE}")
        if passphrase and len(passphrase.encode()) not in PASSPHRASE_BYTES:
            raise _wrong("a passphrase has 10 to 79 characters")
        if len(stream_id.encode()) > STREAM_ID_MOST_BYTES:
            raise _wrong(f"a stream id has {STREAM_ID_MOST_BYTES} characters at most")
        return cls(host, port, stream_id, passphrase, latency_ms)

    @property
    def shown(self) -> str:
        """For people: without secrets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return shown(f"srt://{host}:{self.port}")


def _host_and_port(place: str) -> tuple[str, int]:
    """("", 0) where there are none."""
    host, _, port = place.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    known = host.isprintable() and not set(host) & set("@/ ")
    if not known or not (port.isascii() and port.isdigit() and len(port) <= 5) or not 0 < int(port) < 65_536:
        return "", 0
    return zoned(host), int(port)


def _query(query: str) -> Iterator[tuple[str, str]]:
    """Unlike in forms, "+" is a plus: stream ids and passphrases hold it."""
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        yield unquote(name), unquote(value)


def _latency_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) <= LATENCY_MOST_MS):
        raise _wrong(f"latency is in ms, 0 to {LATENCY_MOST_MS} (ffmpeg has it in µs)")
    return int(text)


def _wrong(problem: str) -> ConfigError:
    return ConfigError(f"this srt:// source cannot be used: {problem}", code="unsupported_url")
