"""From the URL of a feed to its source."""

from __future__ import annotations

from urllib.parse import urlsplit

from flow.clock import Clock
from flow.errors import ConfigError

from .addresses import zoned
from .protocol.rtsp_url import RtspUrl
from .protocol.srt_address import SrtUrl
from .settings import FeedSource
from .sources import Source
from .sources.file import FileSource
from .sources.mpegts import MpegTsSource
from .sources.rtp import RtpSource
from .sources.rtsp import TRANSPORTS, RtspSource
from .sources.srt_caller import SrtSource
from .sources.udp import Endpoint

POSSIBLE = (
    "rtp://127.0.0.1:5600 (H.264 or H.265), udp://127.0.0.1:5004 (MPEG-TS), rtsp://192.0.2.7/main, "
    "srt://192.0.2.7:9000, file:PATH"
)
_LATER = frozenset({"rtmp", "rtmps", "http", "https"})


def open_source(feed: FeedSource, clock: Clock) -> Source:
    """The source that a feed names. Raises ConfigError with code "unsupported_url"; opens nothing yet."""
    scheme, separator, rest = feed.url.partition(":")
    if not separator or "/" in scheme:
        return FileSource(feed.url, feed.fps, feed.loop, clock)
    match scheme.lower():
        case "file":
            return FileSource(rest.removeprefix("//"), feed.fps, feed.loop, clock)
        case "rtp":
            return RtpSource(_endpoint(feed), clock)
        case "udp":
            return MpegTsSource(_endpoint(feed), clock)
        case "rtsp":
            return RtspSource(RtspUrl.parse(feed.url), _transport(feed), clock)
        case "rtsps":
            how = "call the camera by rtsp://, through a VPN where the way to it is not yours"
            raise _unsupported(f"rtsps:// sources are not in this version: {how}")
        case "srt":
            return SrtSource(SrtUrl.parse(feed.url), clock)
        case later if later in _LATER:
            raise _unsupported(f"{later}:// sources are not in this version")
        case unknown:
            raise _unsupported(f"'{unknown}' is no kind of source")


def _endpoint(feed: FeedSource) -> Endpoint:
    try:
        parts = urlsplit(feed.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unsupported(f"{feed.url}: {error}") from None
    if host is None or port is None:
        raise _unsupported(f"{feed.url} needs an address and a port")
    return Endpoint(zoned(host), port, feed.allow_from)


def _transport(feed: FeedSource) -> str:
    if feed.transport not in TRANSPORTS:
        problem = f"'{feed.transport}' is no transport of RTSP: use {', '.join(TRANSPORTS)}"
        raise ConfigError(problem, code="unsupported_url")
    return feed.transport


def _unsupported(problem: str) -> ConfigError:
    return ConfigError(f"{problem}; possible are {POSSIBLE}", code="unsupported_url")
