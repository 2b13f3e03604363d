"""The ports a configuration needs: free, ours already, or taken, and by whom."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.settings import PUSHED

from .doctor_report import Finding, fail, ok
from .listening import ANY_ADDRESS
from .settings import Settings
from .unsecured import host_of, port_of

_TABLES = {"tcp": ("tcp", "tcp6"), "udp": ("udp", "udp6")}
_TCP_LISTEN = "0A"  # include/net/tcp_states.h


@dataclass(frozen=True, slots=True)
class Port:
    """A port of ours. `kind` is "tcp" or "udp", `use` what it is for and which setting names it."""

    kind: str
    host: str
    port: int
    use: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host or "*"
        return f"{self.kind.upper()} {host}:{self.port}"


def ports_of(settings: Settings) -> Iterator[Port]:
    """Every port that the service opens with these settings."""
    server, publish = settings.server, settings.publish
    yield Port("tcp", server.host, server.port, "page (server.port)")
    yield Port("udp", server.host, settings.webrtc.port, "WebRTC (webrtc.port)")
    if settings.webrtc.tcp:
        yield Port("tcp", server.host, settings.webrtc.port, "WebRTC (webrtc.port)")
    pushed = {protocol for source in _sources(settings) for protocol in PUSHED.get(source, ())}
    if "rtmp" in pushed:
        yield Port("tcp", publish.host or server.host, publish.rtmp_port, "RTMP (publish.rtmp_port)")
    if "srt" in pushed:
        yield Port("udp", publish.host or server.host, publish.srt_port, "SRT (publish.srt_port)")
    for aircraft in settings.aircraft:
        for feed in aircraft.feed:
            if feed.source.partition(":")[0].lower() in ("rtp", "udp"):
                yield from _listening("udp", feed.source, f"feed '{feed.id}'")
    for link in dict.fromkeys(aircraft.mavlink for aircraft in settings.aircraft):  # several may share one
        scheme = link.partition(":")[0]
        if scheme in ("udpin", "tcpin"):
            yield from _listening("udp" if scheme == "udpin" else "tcp", link, "telemetry (mavlink)")


def check_ports(settings: Settings) -> Iterator[Finding]:
    """One finding for each port, and one for each that is needed twice."""
    first: dict[tuple[str, int], Port] = {}
    for port in ports_of(settings):
        other = first.setdefault((port.kind, port.port), port)
        if port.port and other is not port and _overlap(port.host, other.host):
            yield fail("port", f"{port} is for {port.use} and for {other.use}", "choose another port for one")
        else:
            yield check_port(port)


def check_port(port: Port) -> Finding:
    """Try to open the port as the service does."""
    if port.port == 0:
        return ok("port", f"{port.use}: any free {port.kind.upper()} port")
    try:
        _bound(port).close()
    except OSError as error:
        return _taken(port) if error.errno == errno.EADDRINUSE else _impossible(port, error)
    return ok("port", f"{port} is free, for {port.use}")


def _sources(settings: Settings) -> Iterator[str]:
    return (feed.source for aircraft in settings.aircraft for feed in aircraft.feed)


def _listening(kind: str, address: str, use: str) -> Iterator[Port]:
    rest = address.partition(":")[2]
    if host_of(rest):  # an address that is none is the configuration's finding
        yield Port(kind, host_of(rest), port_of(rest), use)


def _overlap(one: str, other: str) -> bool:
    return one == other or one in ANY_ADDRESS or other in ANY_ADDRESS


def _bound(port: Port) -> socket.socket:
    kind = socket.SOCK_STREAM if port.kind == "tcp" else socket.SOCK_DGRAM
    host = "127.0.0.1" if port.host == "localhost" else port.host
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if port.kind == "tcp":  # what lingers from an earlier run is no hindrance to the service either
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port.port))
        if port.kind == "tcp":
            sock.listen(1)
    except OSError:
        sock.close()
        raise
    return sock


def _impossible(port: Port, error: OSError) -> Finding:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        todo = "use an address of this machine, or 0.0.0.0 for all"
    elif error.errno == errno.EACCES:
        todo = "ports below 1024 are for the system: choose another, or give CAP_NET_BIND_SERVICE"
    else:
        todo = "check host and port in the configuration"
    return fail("port", f"{port} cannot be opened, for {port.use}: {error.strerror}", todo)


def _taken(port: Port) -> Finding:
    holder = holder_of(port)
    if holder is None:
        who = "by a program that this user may not see"
        return fail("port", f"{port} is in use {who}, for {port.use}", "run the doctor as root to see which")
    pid, command = holder
    if _is_lagebild(command):
        return ok("port", f"{port} is in use by Lagebild itself (process {pid}), for {port.use}")
    name = Path(command[0]).name if command else "?"
    todo = f"end process {pid}, or choose another port"
    return fail("port", f"{port} is in use by {name} (process {pid}), for {port.use}", todo)


def holder_of(port: Port) -> tuple[int, list[str]] | None:
    """Process id and command line of whoever has the port open; None where that cannot be seen."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port)}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if any(os.readlink(entry) in wanted for entry in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().decode(errors="replace")
                return int(process.name), [part for part in command.split("\0") if part]
    return None


def _inodes(port: Port) -> Iterator[str]:
    """Of the sockets that keep us from the port, from /proc/net (proc(5))."""
    for table in _TABLES[port.kind]:
        with suppress(OSError):
            for line in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                (host, _, number), state, inode = fields[1].partition(":"), fields[3], fields[9]
                listens = port.kind == "udp" or state == _TCP_LISTEN
                if listens and int(number, 16) == port.port and _overlap(port.host, _address(host)):
                    yield inode


def _address(words: str) -> str:
    """An address of /proc/net: words of 32 bits, each in the order of this machine."""
    parts = (bytes.fromhex(words[at : at + 8]) for at in range(0, len(words), 8))
    raw = b"".join(part[::-1] if sys.byteorder == "little" else part for part in parts)
    return str(ipaddress.ip_address(raw))


def _is_lagebild(command: list[str]) -> bool:
    return any(Path(part).name == "lagebild" for part in command[:2]) or command[1:3] == ["-m", "web"]
