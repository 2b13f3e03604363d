"""Where a relay runs: on loopback, or in a network namespace behind a pair of virtual interfaces.

Janus cannot be measured on loopback addresses, and a comparison is fair only where all relays are reached
the same way: with root, put them all into one `namespace()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from . import MissingPeerError


@dataclass(frozen=True, slots=True)
class Place:
    """`relay_address` is the relays' own, `viewer_address` that of feeder and viewers seen from there."""

    relay_address: str
    viewer_address: str
    interface: str = "lo"
    namespace: str | None = None
    _ports: itertools.count[int] = field(default_factory=lambda: itertools.count(20_000))

    def free_port(self) -> int:
        """A port that nobody uses there, by UDP or TCP: a namespace is all ours."""
        if self.namespace:
            return next(self._ports)
        while True:
            with (
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
            ):
                udp.bind((self.relay_address, 0))
                port = int(udp.getsockname()[1])
                with contextlib.suppress(OSError):
                    tcp.bind((self.relay_address, port))
                    return port

    def command(self, core: int, *arguments: str) -> list[str]:
        """The command that runs `arguments` there on one core and ends with its parent: one process."""
        inside = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return ["setpriv", "--pdeathsig", "KILL", *inside, "taskset", "-c", str(core), *arguments]


LOOPBACK = Place("127.0.0.1", "127.0.0.1")


@contextlib.asynccontextmanager
async def namespace() -> AsyncIterator[Place]:
    """A fresh network namespace for as long as the context is open.

    Raises MissingPeerError where this machine does not allow it.
    """
    if os.geteuid() != 0 or shutil.which("ip") is None:
        raise MissingPeerError("a network namespace needs root and iproute2's `ip`")
    await _remove_left_behind()
    number = os.getpid()
    name, outside, inside = f"lb-bench-{number}", f"lbo{number}", f"lbi{number}"
    # RFC 2544 C.2.2: 198.18.0.0/15 is for measuring. Four addresses for each process that measures.
    block = number % (1 << 15) * 4
    first = f"198.{18 + (block >> 16)}.{block >> 8 & 0xFF}"
    viewer, relay = f"{first}.{(block & 0xFF) + 1}", f"{first}.{(block & 0xFF) + 2}"
    try:
        await _ip("netns", "add", name)
        await _ip("link", "add", outside, "type", "veth", "peer", "name", inside, "netns", name)
        await _ip("addr", "add", f"{viewer}/30", "dev", outside)
        await _ip("link", "set", outside, "up")
        await _ip("-n", name, "addr", "add", f"{relay}/30", "dev", inside)
        await _ip("-n", name, "link", "set", inside, "up")
        await _ip("-n", name, "link", "set", "lo", "up")
        yield Place(relay, viewer, inside, name)
    finally:
        await _ip("netns", "del", name, check=False)


async def _remove_left_behind() -> None:
    """Namespaces of measurements that were killed."""
    listed = await _ip("netns", "list")
    for name in (line.split()[0] for line in listed.splitlines() if line.startswith("lb-bench-")):
        if not os.path.exists(f"/proc/{name.removeprefix('lb-bench-')}"):
            await _ip("netns", "del", name, check=False)


async def _ip(*arguments: str, check: bool = True) -> str:
    process = await asyncio.create_subprocess_exec(
        "ip", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complaint = await process.communicate()
    if check and process.returncode:
        raise MissingPeerError(f"`ip {' '.join(arguments)}`: {complaint.decode().strip()}")
    return said.decode()
