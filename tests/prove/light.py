"""Viewers that cost little (tests/bench/viewers) on this process's event loop: real ICE, DTLS and RTCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from flow.clock import NS_PER_S
from tests.bench.viewers.dtls import Identity
from tests.bench.viewers.viewer import Viewer

from .house import FEED, House

JOIN_WITHIN_S = 10.0


@cache
def identity(profile: str = "gcm") -> Identity:
    """The one certificate of this process's viewers."""
    return Identity(profile)


class LightViewer:
    """One session of `house`; a Viewer on the loop, on the house's clock."""

    def __init__(self, house: House, kind: type[Viewer] = Viewer) -> None:
        self.house = house
        self.session_id = ""
        self.viewer = kind(0, "127.0.0.1", identity(), house.clock.now_ns())
        self.viewer.mark(0.0, arrivals=True)  # see the last packet of each picture
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._media = asyncio.Event()
        self._loop.add_reader(self.viewer.socket, self._read)

    @property
    def pictures(self) -> int:
        """How many pictures' last packets came."""
        return len(self.viewer.arrivals or ())

    @property
    def missing(self) -> int:
        """Packets that did not come, up to the newest one that was looked at."""
        return self.viewer.tally.expected - self.viewer.tally.received

    async def offer(self) -> None:
        """Ask for a session and take the answer; the connection then makes itself."""
        answer = await self.house.relay.answer(FEED, self.viewer.offer())
        self.session_id = answer.session_id
        self.viewer.accept(answer.sdp, self.house.clock.now_ns())
        self._tick()

    async def join(self) -> None:
        """`offer()` and wait for media; needs a feed that runs, or a cached group."""
        await self.offer()
        async with asyncio.timeout(JOIN_WITHIN_S):
            await self._media.wait()

    def hang_up(self) -> None:
        """Say close_notify, close the socket."""
        self._stop()
        self.viewer.close()

    def vanish(self) -> None:
        """Close the socket without a word, as a phone in a tunnel."""
        self._stop()
        self.viewer.socket.close()

    async def delete(self) -> None:
        """End the session by its door, as WHEP's DELETE."""
        await self.house.relay.close(self.session_id)
        self.vanish()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self.viewer.socket)

    def _read(self) -> None:
        self.viewer.receive(self.house.clock.now_ns())
        if self.viewer.joined_ns is not None:
            self._media.set()
        self._tick()

    def _tick(self) -> None:
        now_ns = self.house.clock.now_ns()
        if self.viewer.due_ns <= now_ns:
            self.viewer.tick(now_ns)
        if self._timer is not None:
            self._timer.cancel()
        wait_s = max(0.0, (self.viewer.due_ns - now_ns) / NS_PER_S)
        self._timer = self._loop.call_later(wait_s, self._tick)


@asynccontextmanager
async def watching(
    house: House, count: int = 1, kind: type[Viewer] = Viewer
) -> AsyncIterator[list[LightViewer]]:
    """So many viewers, joined one after the other, until the block ends."""
    viewers: list[LightViewer] = []
    try:
        for _ in range(count):
            viewers.append(LightViewer(house, kind))
            await viewers[-1].join()
        yield viewers
    finally:
        for viewer in viewers:
            viewer.hang_up()


async def another_picture(viewer: LightViewer, within_s: float = 10.0) -> None:
    """The viewer has seen a picture since this was last asked, or sees one now; TimeoutError."""
    async with asyncio.timeout(within_s):
        while not viewer.viewer.arrivals:
            await asyncio.sleep(0.01)
    viewer.viewer.arrivals.clear()


async def until_sessions(house: House, count: int, within_s: float = 10.0) -> None:
    """Wait until the relay has exactly so many sessions."""
    async with asyncio.timeout(within_s):
        while len(house.relay.viewers()) != count:
            await asyncio.sleep(0.01)
