"""Keeps every feed going: opens its source, tries again when that fails, and tells the bus how it is."""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections import deque
from collections.abc import Callable
from dataclasses import fields, replace
from operator import attrgetter

from flow.bus import Bus
from flow.clock import NS_PER_MS, NS_PER_S, Clock
from flow.doors import KeyDoor, NoKeys, RtpClaim, Still
from flow.errors import ConfigError, LagebildError, PortInUseError
from flow.flights import SourceState, SourceStatus

from .addresses import shown
from .foreign import ForeignPictures
from .open import open_source
from .protocol.events import (
    Awaited,
    Gone,
    Opened,
    Restarted,
    SourceEvent,
    SourceMetadata,
    SourcePicture,
    Unusable,
)
from .protocol.feed import Feed
from .protocol.lifecycle import Patience
from .protocol.retrying import Retrying
from .publications import Publications, Publisher
from .rtp_publication import WhipDesk
from .serving import keep_serving, servers_for
from .settings import PUSHED, FeedSource, IngestSettings
from .sources import Source
from .sources.pushed import PushedSource
from .stills import Stills
from .transcode import Transcoding

log = logging.getLogger("lagebild.ingest")

_TICK_NS = 100 * NS_PER_MS
_REPORT_NS = NS_PER_S
_PASSING = frozenset({PortInUseError.code, "srt_missing"})
"""What is wrong with the machine, not with the feed's settings: it may be mended while we run."""

_CALM_NS = 600 * NS_PER_S
"""So long after a failure, what was logged before it is not logged again: a broken file breaks each time."""
_LINES_KEPT = 8
_FLOOD_EVERY_NS = 60 * NS_PER_S

_ANY_PORT = re.compile(r"(rtp|udp)://.*:0", re.IGNORECASE)
"""Sources that wait on a port of ours, which the kernel is to choose."""

_FIGURES = frozenset({"fps", "bitrate_bps", "pictures", "lost_packets", "damaged", "clock"})
"""What of a state changes with every picture."""

_LASTING = attrgetter(*(field.name for field in fields(SourceState) if field.name not in _FIGURES))


class Ingest:
    """All feeds of the settings. One feed's failure touches no other."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: IngestSettings,
        chance: random.Random | None = None,
        keys: KeyDoor | None = None,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._publications = Publications(settings.sources, keys or NoKeys(), clock)
        self._whip = WhipDesk(self._publications, clock)
        self._stills = Stills(bus, clock, settings.cameras, health=settings.health)
        self._transcoding = Transcoding(
            bus, clock, settings.encode, [source.feed_id for source in settings.sources]
        )
        chance = chance or random.Random()
        self._feeds = [
            _SupervisedFeed(source, bus, clock, settings, chance, publications=self._publications)
            for source in settings.sources
        ]

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick(), name="ingest-tick")
            tasks.create_task(self._stills.run(), name="ingest-stills")
            tasks.create_task(self._transcoding.run(), name="ingest-renditions")
            for feed in self._feeds:
                tasks.create_task(feed.run(), name=f"ingest-{feed.feed_id}")
                tasks.create_task(feed.transcode(), name=f"ingest-{feed.feed_id}-foreign")
            for protocol, server in servers_for(self._publications, self._settings.publish, self._clock):
                keeping = keep_serving(protocol, server, self._publications, self._clock)
                tasks.create_task(keeping, name=f"ingest-{protocol}")

    def admit_rtp(self, feed_id: str, key: str, address: str) -> RtpClaim:
        """See flow/doors.py IngestDoor."""
        return self._whip.admit_rtp(feed_id, key, address)

    def on_publisher(self, told: Callable[[str, Publisher], None]) -> None:
        """Call `told` with the feed whenever somebody begins to publish to it, in whatever thread that is."""
        self._publications.told = told

    def dismiss(self, feed_id: str) -> None:
        """Cut off whoever publishes to a feed: its keys were withdrawn."""
        self._publications.dismiss(feed_id)

    def key_in_use(self, feed_id: str) -> str:
        """With which whoever publishes to a feed has come: secret; "": nobody publishes."""
        return self._publications.key_in_use(feed_id)

    async def still(self, feed_id: str) -> Still:
        """See flow/doors.py IngestDoor."""
        return await self._stills.still(feed_id)

    async def _tick(self) -> None:
        while True:
            for feed in self._feeds:
                feed.tick()
            await self._clock.sleep_until(self._clock.now_ns() + _TICK_NS)


class _SupervisedFeed:
    """One feed with its source, and what of it was told last."""

    def __init__(
        self,
        source: FeedSource,
        bus: Bus,
        clock: Clock,
        settings: IngestSettings,
        chance: random.Random,
        *,
        publications: Publications,
    ) -> None:
        self.feed_id = source.feed_id
        self._is_expected = source.expected
        self._publications = publications
        self._source, self._bus, self._clock, self._settings = source, bus, clock, settings
        self._chance = chance
        patience = Patience(
            round(settings.stalled_after_s * NS_PER_S), round(settings.lost_after_s * NS_PER_S)
        )
        self._feed = Feed(
            source.feed_id, shown(source.url), patience, clock.now_ns(), trust_clock=source.trust_clock
        )
        self._told: SourceState | None = None
        self._told_ns = 0
        self._flood = _Flood()
        self._foreign = ForeignPictures(source.feed_id, settings.encode, clock, self._take)
        self._retrying = Retrying(settings.retry_first_s, settings.retry_most_s)
        self._failed_ns: int | None = None  # when the source last failed
        self._logged: deque[str] = deque(maxlen=_LINES_KEPT)
        self._noted: dict[str, int] = {}  # when which notes were logged last

    async def transcode(self) -> None:
        """Make H.264 of what the source brings of other codecs, if it does; until cancelled."""
        await self._foreign.run()

    async def run(self) -> None:
        """Run the source again and again. Ends where trying again cannot help."""
        while (pause_ns := await self._run_once()) is not None:
            await self._clock.sleep_until(self._clock.now_ns() + pause_ns)

    async def _run_once(self) -> int | None:
        """Run the source until it fails; how long to wait until another try, None where none is worth it."""
        began_ns = self._clock.now_ns()
        try:
            await self._opened().run(self._take)
        except LagebildError as error:
            if error.code == "auth_refused":
                return self._refused(str(error))
            self._failed(error.code, str(error))
            if isinstance(error, ConfigError) and error.code not in _PASSING:
                return None
        except Exception as error:  # a fault of ours must not take the other feeds down
            log.exception("feed %s: its source failed unexpectedly", self.feed_id)
            self._failed("source_failed", f"{shown(self._source.url)}: {error!r}")
        else:
            self._failed("source_ended", f"{shown(self._source.url)} is at its end")
            return None
        pause_s = self._retrying.failed_s(self._clock.now_ns() - began_ns)
        return round(pause_s * self._chance.uniform(0.5, 1.0) * NS_PER_S)

    def _refused(self, detail: str) -> int:
        """User or password are refused: how long to wait until they are tried again."""
        pause_s = self._retrying.refused_s(self._feed.state().pictures)
        again = f"the next try is in {pause_s:g} s, for cameras lock accounts after several wrong ones"
        self._failed("auth_refused", f"{detail}; {again}")
        return round(pause_s * NS_PER_S)

    def _opened(self) -> Source:
        if self._source.url in PUSHED:
            return PushedSource(self.feed_id, self._publications)
        return open_source(self._source, self._clock)

    def _take(self, event: SourceEvent) -> None:
        if isinstance(event, SourceMetadata):
            for metadata in self._feed.place(event):
                self._bus.publish(metadata)
            return
        if isinstance(event, Opened) and _ANY_PORT.fullmatch(self._source.url):
            self._source = replace(self._source, url=event.address)  # senders know this port by now
        self._foreign.see(event)
        units = self._feed.handle(event, self._clock.now_ns())
        for unit in units:
            self._bus.publish(unit)
        match event:
            case SourcePicture():
                told = self._told
                if units and (told is None or told.status is not SourceStatus.LIVE or told.reason):
                    self._tell_changes()
            case Unusable(_, detail):
                self._flood.add(detail)
            case Opened() | Restarted() | Awaited() | Gone():
                self._tell_changes()  # at once; what changes slowly is seen by tick()

    def _failed(self, reason: str, detail: str) -> None:
        now_ns = self._clock.now_ns()
        self._foreign.end()
        self._feed.failed(reason, detail, now_ns)
        self._tell_changes()
        self._failed_ns = now_ns

    def tick(self) -> None:
        """Notice silence; once a second tell the figures, and now and then what was unusable beside them."""
        now_ns = self._clock.now_ns()
        for unit in self._feed.tick(now_ns):
            self._bus.publish(unit)
        self._tell_changes()
        if now_ns - self._told_ns >= _REPORT_NS and self._told_status() is SourceStatus.LIVE:
            self._publish(self._feed.state())
        # Without pictures, what came instead is the feed's state and logged as that.
        if self._told_status() is SourceStatus.LIVE and (line := self._flood.due(now_ns)) is not None:
            log.warning("feed %s: unusable: %s", self.feed_id, line)

    def _told_status(self) -> SourceStatus | None:
        return self._told.status if self._told else None

    def _tell_changes(self) -> None:
        state = self._feed.state()
        told = self._told
        if told is not None and _LASTING(state) == _LASTING(told):
            return
        if told is None or (told.status, told.reason, told.detail) != (
            state.status,
            state.reason,
            state.detail,
        ):
            self._log(state)
        if state.notes and (told is None or told.notes != state.notes):
            self._log_notes(", ".join(state.notes))
        self._publish(state)

    def _log(self, state: SourceState) -> None:
        """Write why the feed is as it is, at a level that lets nothing repeat itself."""
        line = f"{state.status}: {state.detail}"
        wavers = self._told is not None and self._told.status is state.status
        fails = self._failed_ns is not None and self._clock.now_ns() - self._failed_ns < _CALM_NS
        is_bad = state.status is SourceStatus.LOST and self._is_expected
        level = logging.WARNING if is_bad else logging.INFO
        known = line in self._logged and (wavers or fails)
        log.log(logging.DEBUG if known else level, "feed %s: %s", self.feed_id, line)
        self._logged.append(line)

    def _log_notes(self, line: str) -> None:
        """What the pictures are like, anew only now and then: each run of a source finds it out again."""
        now_ns = self._clock.now_ns()
        told_ns = self._noted.get(line)
        known = told_ns is not None and now_ns - told_ns < _CALM_NS
        log.log(logging.DEBUG if known else logging.INFO, "feed %s: %s", self.feed_id, line)
        if not known:
            self._noted = {n: ns for n, ns in self._noted.items() if now_ns - ns < _CALM_NS} | {line: now_ns}

    def _publish(self, state: SourceState) -> None:
        self._told, self._told_ns = state, self._clock.now_ns()
        self._bus.publish(state)


class _Flood:
    """Turns a flood of complaints into one line a minute."""

    def __init__(self) -> None:
        self._count = 0
        self._first = ""
        self._due_ns = 0

    def add(self, line: str) -> None:
        """Count a complaint; the first one of a minute stands for all."""
        self._first = self._first if self._count else line
        self._count += 1

    def due(self, now_ns: int) -> str | None:
        """The line to log now, if any."""
        if not self._count or now_ns < self._due_ns:
            return None
        self._due_ns = now_ns + _FLOOD_EVERY_NS
        count, self._count = self._count, 0
        return f"{self._first} (and {count - 1} more)" if count > 1 else self._first
