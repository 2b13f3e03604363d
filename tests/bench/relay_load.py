"""One relay under load: N viewers on it, what they cost, what they lost, how late their pictures came."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import tempfile
import time
from bisect import bisect
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import clip, procfs
from tests.bench.feeder import STEP_90K, feeding
from tests.bench.figures import percentile
from tests.bench.peers import Peer, PeerError
from tests.bench.peers.lagebild import LagebildPeer
from tests.bench.peers.place import Place
from tests.bench.viewers.client import Viewers, viewers_process

SERVER_CORE, VIEWER_CORE = 0, 1
JOINS_AT_ONCE = 8
SAMPLED = 10
"""Viewers that note when pictures come."""
SETTLE_S = 1.0


MOST_PICTURES_LATE = 300

Arrivals = Sequence[Sequence[int]]
"""(RTP timestamp, time in ns) of the last packet of each picture, as one viewer saw them."""


class Sent(NamedTuple):
    """When the last packet of a picture left the feeder, ns."""

    last_ns: int
    keyframe: bool


@dataclass(frozen=True, slots=True)
class Load:
    """What one window found. Loss is of the packets of the viewer that lost most; None: not measured."""

    viewers: int
    began_ns: int
    nack_share: float
    telemetry: bool
    cpu_ms_per_viewer_s: float
    server_busy: float
    viewers_busy: float
    loss: float | None
    viewers_with_loss: int
    pictures_per_s: float | None
    delay_ms: dict[str, float | None]
    nacks: int
    answered: int
    telemetry_per_s: float | None
    rss_mb: float
    pss_mb: float


class Session:
    """A relay with viewers on it, fed."""

    def __init__(self, relay: Peer, viewers: Viewers, times: Path, group_s: int = clip.GROUP_S) -> None:
        self.relay, self.viewers = relay, viewers
        self.count = 0
        self._times, self._group = times, group_s * clip.FPS
        self._telemetry = False

    async def grow(self, count: int, *, telemetry: bool = False) -> None:
        """Have `count` viewers, ours with the page's WebSocket too. Raises PeerError if one gets no media."""
        gate = asyncio.Semaphore(JOINS_AT_ONCE)
        self._telemetry = telemetry and isinstance(self.relay, LagebildPeer)

        async def one() -> None:
            async with gate:
                number = await self.viewers.join(self.relay)
                if self._telemetry and isinstance(self.relay, LagebildPeer):
                    await self.viewers.listen(number, self.relay.telemetry_url)

        joined = await asyncio.gather(*(one() for _ in range(count - self.count)), return_exceptions=True)
        refused = [failure for failure in joined if isinstance(failure, BaseException)]
        if refused:
            raise PeerError(f"{len(refused)} of {count} viewers could not join: {refused[0]}") from refused[0]
        self.count = count

    async def measure(self, seconds: float, nack_share: float = 0.0) -> Load:
        """One window; whole groups (2 s) compare best."""
        step = max(1, self.count // SAMPLED)
        sampled = {*range(0, self.count, step), self.count - 1} if self.count >= SAMPLED else set()
        await self.viewers.mark(nack_share, sampled)
        cpu, busy, began_ns = _cpu_s(self.relay.pids), _busy(), time.monotonic_ns()
        await asyncio.sleep(seconds)
        used, busy_now, took = _cpu_s(self.relay.pids) - cpu, _busy(), (time.monotonic_ns() - began_ns) / 1e9
        counts = (await self.viewers.counts())["viewers"]
        memory = procfs.memory(self.relay.pids)
        lost = [_loss(c) for c in counts]
        arrivals = [c["arrivals"] for c in counts if c["arrivals"] is not None]
        told = [c["telemetry"] for c in counts if c["telemetry"] is not None]
        return Load(
            viewers=self.count,
            began_ns=began_ns,
            nack_share=nack_share,
            telemetry=self._telemetry,
            cpu_ms_per_viewer_s=round(1000 * used / took / self.count, 3),
            server_busy=round((busy_now[0] - busy[0]) / took, 3),
            viewers_busy=round((busy_now[1] - busy[1]) / took, 3),
            loss=round(max(lost), 5),
            viewers_with_loss=sum(share > 0 for share in lost),
            pictures_per_s=round(min(map(len, arrivals)) / took, 1) if arrivals else None,
            delay_ms=delays(self._sent(), arrivals),
            nacks=sum(c["nacks"] for c in counts),
            answered=sum(c["resent"] for c in counts),
            telemetry_per_s=round(statistics.median(told) / took, 1) if told else None,
            **asdict(memory),
        )

    def _sent(self) -> dict[int, Sent]:
        """RTP timestamp -> when that picture left, from the feeder's log."""
        port = str(self.relay.rtp_target[1])
        rows = [line.split() for line in self._times.read_text(encoding="ascii").splitlines()[:-1]]
        return {
            int(timestamp): Sent(int(last_ns), int(number) % self._group == 0)
            for to, number, timestamp, _, last_ns in rows
            if to == port
        }


@contextlib.asynccontextmanager
async def visiting(relay: Peer, place: Place, group_s: int = clip.GROUP_S) -> AsyncIterator[Session]:
    """Start the relay, feed it, and have viewers ready; all is over at the end."""
    await relay.start(SERVER_CORE)
    try:
        async with fed(relay, place, group_s) as session:
            yield session
    finally:
        await relay.stop()


@contextlib.asynccontextmanager
async def fed(relay: Peer, place: Place, group_s: int = clip.GROUP_S) -> AsyncIterator[Session]:
    """Feed a running relay, ours with an aircraft's telemetry too."""
    aircraft = relay.mavlink_target if isinstance(relay, LagebildPeer) else None
    with tempfile.TemporaryDirectory() as folder:
        times = Path(folder) / "times"
        async with (
            feeding([relay.rtp_target], VIEWER_CORE, group_s=group_s, times=times, telemetry=aircraft),
            viewers_process(place.viewer_address, VIEWER_CORE) as viewers,
        ):
            yield Session(relay, viewers, times, group_s)


def delays(sent: Mapping[int, Sent], arrivals: Sequence[Arrivals]) -> dict[str, float | None]:
    """From the last packet of a picture leaving the feeder to its last packet reaching a viewer, in ms.

    `sent` goes by RTP timestamp. `last_…` are of the viewer that waits longest, `key_p50` of keyframes.
    """
    each = [_delays_ms(sent, viewer) for viewer in arrivals]
    together = [ms for viewer in each for ms, _ in viewer]
    keys = [ms for viewer in each for ms, keyframe in viewer if keyframe]
    by_viewer = [[ms for ms, _ in viewer] for viewer in each if viewer]
    return {
        "p50": percentile(together, 0.5),
        "p99": percentile(together, 0.99),
        "last_p50": max((percentile(v, 0.5) or 0.0 for v in by_viewer), default=None),
        "last_p99": max((percentile(v, 0.99) or 0.0 for v in by_viewer), default=None),
        "key_p50": percentile(keys, 0.5),
    }


def _delays_ms(sent: Mapping[int, Sent], arrivals: Arrivals) -> list[tuple[float, bool]]:
    """Relays may count each viewer's timestamps from elsewhere. The right offset is the least with which no
    picture comes before it was sent: the quickest of them takes less than the time between two.
    """
    by_time = sorted((picture.last_ns, timestamp) for timestamp, picture in sent.items())
    if not by_time or not arrivals:
        return []
    first, arrived = arrivals[0]
    newest = by_time[max(0, bisect(by_time, (arrived, 0)) - 1)][1]
    for back in range(MOST_PICTURES_LATE):
        offset = first - newest + back * STEP_90K
        pairs = [(sent[t], at) for ts, at in arrivals if (t := (ts - offset) & 0xFFFF_FFFF) in sent]
        if all(at >= picture.last_ns for picture, at in pairs):
            return [((at - picture.last_ns) / 1e6, picture.keyframe) for picture, at in pairs]
    return []


def _loss(counts: dict[str, Any]) -> float:
    """The share of packets that never came; all of them where none did."""
    expected = counts["expected"]
    return (expected - counts["received"]) / expected if expected else 1.0


def _cpu_s(pids: Sequence[int]) -> float:
    """CPU seconds of a relay's processes, to the nanosecond: stat's ticks of 10 ms are too coarse here."""
    threads = [task for pid in procfs.tree(pids) for task in Path(f"/proc/{pid}/task").iterdir()]
    total_ns = 0
    for thread in threads:
        with contextlib.suppress(OSError):
            total_ns += int((thread / "schedstat").read_text(encoding="ascii").split()[0])
    return total_ns / 1e9


def _busy() -> tuple[float, float]:
    return procfs.core_busy_s(SERVER_CORE), procfs.core_busy_s(VIEWER_CORE)
