"""The room: what is recorded, what is kept of it, and what there is to be seen of it, in the right order.

Whoever opens it has claimed the data folder (owner.py) before, or does as soon as that is possible.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from flow.bus import Bus
from flow.clock import NS_PER_S, Clock
from flow.errors import LagebildError, NotFoundError

from .archive import Archive
from .keeper import Keeper
from .protocol.retention import Days
from .recorder import Recorder
from .rules import Rules, read_incidents
from .settings import RecordingsSettings
from .start_up import Found, put_in_order

log = logging.getLogger("lagebild.recordings")

_AGAIN_NS = 5 * NS_PER_S


class Recordings:
    """`run()` until cancelled; until then, `archive` can be asked as soon as it has opened."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: RecordingsSettings,
        is_anothers: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_anothers`: whether another server has the data folder."""
        self._clock, self._settings, self._is_anothers = clock, settings, is_anothers
        self.archive = Archive(settings.root, clock, Days(settings.einsatz_days, settings.uebung_days))
        self.keeper = Keeper(bus, clock, settings, self.archive)
        self.rules = Rules(settings.records)
        self.archive.on_incident(self.rules.put)
        self.recorder = Recorder(bus, clock, settings, self.refusal, self._changed, rules=self.rules)
        self._news: dict[str, None] = {}  # flights that the archive must read again, in order
        self._is_news = asyncio.Event()

    async def run(self) -> None:
        """May be called again after it has failed."""
        try:
            self.rules.load(await asyncio.to_thread(read_incidents, self._settings.root))
            await self.archive.open()
            found = await self._put_in_order()
            for flight_id in found.changed:
                self._changed(flight_id)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._kept_going(self._tell_archive), name="recordings: news")
                tasks.create_task(self._kept_going(self.keeper.run), name="recordings: keeper")
                tasks.create_task(self.recorder.run(found), name="recordings: recorder")
        finally:
            await self.archive.aclose()

    async def _kept_going(self, work: Callable[[], Awaitable[None]]) -> None:
        """A defect in what lists and tidies flights must not end what records them."""
        while True:
            try:
                await work()
            except Exception:
                log.exception(
                    "recordings: a defect of Lagebild; flights are recorded, and it goes on in a second"
                )
            await self._clock.sleep_until(self._clock.now_ns() + NS_PER_S)

    def refusal(self) -> str:
        """ "" where recordings may be written, else why not."""
        return self.keeper.refusal() or ("disk_failed" if self._is_anothers() else "")

    async def _put_in_order(self) -> Found:
        """A disk that cannot be read now is recorded on as soon as it can be written."""
        settings = self._settings
        try:
            return await asyncio.to_thread(
                put_in_order, settings.root, self._clock.now_ns(), settings.aircraft
            )
        except OSError as error:
            log.error("recordings: what the last server left could not be looked through: %s", error)
            return Found()

    def _changed(self, flight_id: str) -> None:
        self._news[flight_id] = None
        self._is_news.set()

    async def _tell_archive(self) -> None:
        while True:
            await self._is_news.wait()
            self._is_news.clear()
            while self._news:
                flight_id = next(iter(self._news))
                del self._news[flight_id]
                await self._refresh(flight_id)

    async def _refresh(self, flight_id: str) -> None:
        try:
            await self.archive.refresh(flight_id)
        except NotFoundError:
            log.info("flight %s is gone", flight_id)
        except LagebildError as error:
            log.warning("flight %s is not up to date in the catalogue: %s", flight_id, error)
            await self._clock.sleep_until(self._clock.now_ns() + _AGAIN_NS)
            self._changed(flight_id)
