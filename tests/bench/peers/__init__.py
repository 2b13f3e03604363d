"""The relays that are measured side by side, each as a process of its own behind one interface.

All are fed plain RTP (H.264, payload type 96) at `rtp_target`. A viewer joins by `join` where it makes the
offer (WHEP), by `join_reversed` where the relay makes it (Janus): `offers` says which.

    async with namespace() as place:
        relays, missing = present(place)          # roster.py; `missing` says why one cannot be measured
        relay = relays["pion"]
        await relay.start(core=0)
        joined = await relay.join(offer_sdp)
        ...
        await relay.stop()
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

BUILD = Path("build/bench")
"""Everything made for measuring is kept here: the clip, the Pion relay, configurations, logs."""

AnswerTo = Callable[[str], Awaitable[str]]
"""Takes a relay's SDP offer and returns the viewer's answer."""


class MissingPeerError(Exception):
    """This relay cannot be measured on this machine; the text says why and what would help."""


class PeerError(Exception):
    """A relay did not start, ended on its own, or refused a viewer; the text carries what it said."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A viewer that is in. `sdp` is what the relay said: its answer, or its offer where it offers."""

    sdp: str
    leave: Callable[[], Awaitable[None]]


class Peer(Protocol):
    """One relay. `start` returns when viewers can join; `stop` leaves nothing behind and may be repeated."""

    name: str
    offers: bool

    @property
    def rtp_target(self) -> tuple[str, int]:
        """Where the feeder sends RTP and its sender reports, on one port; known before the start."""
        ...

    @property
    def pids(self) -> list[int]:
        """The process that `start` started (its descendants: tests/bench/procfs.py); [] when stopped."""
        ...

    async def start(self, core: int) -> None:
        """Start the relay, pinned to one core. Raises PeerError with the end of its log."""
        ...

    async def stop(self) -> None: ...

    async def join(self, offer_sdp: str) -> Joined:
        """Join as a viewer with an offer. Raises PeerError when refused."""
        ...

    async def join_reversed(self, answer_to: AnswerTo) -> Joined:
        """Join as a viewer that answers. Returns when the relay has taken the answer."""
        ...
