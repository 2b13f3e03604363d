"""Two network namespaces joined by a cable (veth) on which the kernel drops packets at random (nftables).

Needs root, `ip` (Debian: iproute2) and `nft` (nftables); `why_not()` says what is missing. Nothing outside
the two namespaces is touched, and they are gone afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

NEAR, FAR = "10.213.77.1", "10.213.77.2"


class NamespaceError(Exception):
    """A command of the set-up failed; the message has what it said."""


class Dropped(NamedTuple):
    """So many UDP packets were `lost` of those that `came`."""

    lost: int
    came: int


@dataclass(frozen=True, slots=True)
class Cable:
    """Programs started with `near` or `far` before their command live at NEAR or FAR."""

    name: str

    @property
    def near(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", f"{self.name}-near")

    @property
    def far(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", f"{self.name}-far")

    async def drop(self, percent: int) -> None:
        """From now on each UDP packet that arrives on either side is lost with this probability."""
        chain = "add chain ip cable arriving { type filter hook input priority 0; policy accept; }"
        rules = ("counter", f"numgen random mod 100 < {percent} counter drop")
        for side in (self.near, self.far):
            await _run(*side, "nft", "flush ruleset")
            await _run(*side, "nft", "add table ip cable")
            await _run(*side, "nft", chain)
            for rule in rules:
                await _run(*side, "nft", f"add rule ip cable arriving meta l4proto udp {rule}")

    async def dropped(self) -> list[Dropped]:
        """What was lost since `drop()` on its way to the near and to the far side."""
        counts = []
        for side in (self.near, self.far):
            chain = await _run(*side, "nft", "list chain ip cable arriving")
            came, lost = map(int, re.findall(r"counter packets (\d+)", chain))
            counts.append(Dropped(lost, came))
        return counts


def why_not() -> str | None:
    """Why namespaces cannot be had here, or None."""
    if os.geteuid() != 0:
        return "not root"
    missing = [tool for tool in ("ip", "nft") if shutil.which(tool) is None]
    return f"{', '.join(missing)} not installed (Debian: iproute2, nftables)" if missing else None


@asynccontextmanager
async def cable() -> AsyncIterator[Cable]:
    """Lay it, and take everything away at the end. Raises NamespaceError where the kernel refuses."""
    made = Cable(f"lagebild{os.getpid()}")
    near, far = f"{made.name}-near", f"{made.name}-far"
    one, other = f"lbn{os.getpid()}", f"lbf{os.getpid()}"
    try:
        await _run("ip", "netns", "add", near)
        await _run("ip", "netns", "add", far)
        # One segment a packet, so that a drop takes one datagram and not a whole offloaded run.
        segment = ("gso_max_segs", "1")
        await _run("ip", "link", "add", one, *segment, "netns", near, "type", "veth",
                   "peer", "name", other, *segment, "netns", far)  # fmt: skip
        for side, device, address in ((made.near, one, NEAR), (made.far, other, FAR)):
            await _run(*side, "ip", "address", "add", f"{address}/30", "dev", device)
            await _run(*side, "ip", "link", "set", device, "up")
            await _run(*side, "ip", "link", "set", "lo", "up")
        yield made
    finally:
        for name in (near, far):
            with contextlib.suppress(NamespaceError):  # it may never have been made
                await _run("ip", "netns", "delete", name)


async def _run(*command: str) -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    said, complained = await process.communicate()
    if process.returncode:
        raise NamespaceError(f"{' '.join(command)}: {complained.decode(errors='replace').strip()}")
    return said.decode()
