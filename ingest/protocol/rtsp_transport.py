"""How the packets of a session come: the Transport and Session headers (RFC 2326 12.39 and 12.37)."""

from __future__ import annotations

import re
from dataclasses import dataclass

SESSION_TIMEOUT_S = 60
"""Where the server names none (RFC 2326 12.37)."""

_TIMEOUT_BOUNDS_S = (6, 3600)
_SESSION_ID = re.compile(r"[\x21-\x3a\x3c-\x7e]{1,256}")
_PAIR = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?$")
_CHANNELS = (0, 1)


@dataclass(frozen=True, slots=True)
class Udp:
    """Packets come to a pair of ports of ours; `server_ports` is where they come from, if it was told."""

    server_ports: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Tcp:
    """Packets come on the RTSP connection: RTP and RTCP on these channels (RFC 2326 10.12)."""

    channels: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SessionId:
    """A session, and how long it lives without a request."""

    name: str = ""
    timeout_s: int = SESSION_TIMEOUT_S


def wanted(client_ports: tuple[int, int] | None) -> str:
    """The Transport of a SETUP: to these ports, or on the connection."""
    if client_ports is None:
        return f"RTP/AVP/TCP;unicast;interleaved={_CHANNELS[0]}-{_CHANNELS[1]}"
    return f"RTP/AVP;unicast;client_port={client_ports[0]}-{client_ports[1]}"


def granted(header: str, asked_udp: bool) -> Udp | Tcp | None:
    """What the server made of it; None where that is none of the two.

    A server may answer UDP with interleaved channels; an answer that names nothing is what was asked for.
    """
    profile, *rest = (part.strip() for part in header.split(";"))
    parameters = {name.lower(): value for name, _, value in (part.partition("=") for part in rest)}
    if "multicast" in parameters:
        return None
    if "interleaved" in parameters or profile.upper().endswith("/TCP"):
        channels = _pair(parameters.get("interleaved", ""), 255) or _CHANNELS
        return Tcp(channels)
    if asked_udp:
        return Udp(_pair(parameters.get("server_port", ""), 65_535))
    return None if "client_port" in parameters or "server_port" in parameters else Tcp(_CHANNELS)


def _pair(value: str, most: int) -> tuple[int, int] | None:
    found = _PAIR.match(value.strip())
    if found is None:
        return None
    first = int(found[1])
    second = int(found[2]) if found[2] else first + 1
    return (first, second) if max(first, second) <= most else None


def session_id(header: str) -> SessionId:
    """Raises nothing: without a usable name the session has none, as with servers that know but one."""
    name, *rest = (part.strip() for part in header.split(";"))
    timeout_s = SESSION_TIMEOUT_S
    for part in rest:
        key, _, value = part.partition("=")
        if key.strip().lower() == "timeout" and re.fullmatch(r"\d{1,9}", value.strip(), re.ASCII):
            timeout_s = int(value) or SESSION_TIMEOUT_S
    least, most = _TIMEOUT_BOUNDS_S
    return SessionId(name if _SESSION_ID.fullmatch(name) else "", max(least, min(most, timeout_s)))
