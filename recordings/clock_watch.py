"""clock.json: what time it was when the server last looked. See protocol/clock_doubt.py."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from flow.clock import NS_PER_S
from flow.errors import MalformedError

from .folders import CLOCK_FILE
from .json_files import read_json, write_json
from .protocol.clock_doubt import VERSION, ClockSeen

log = logging.getLogger("lagebild.recordings")

STORE_EVERY_NS = 600 * NS_PER_S


class ClockWatch:
    """Remembers the time over restarts, and says whether to doubt it."""

    def __init__(self, root: Path) -> None:
        self._path = root / CLOCK_FILE
        self._seen: ClockSeen | None = None
        self._stored_ns = 0

    @property
    def doubted_days(self) -> int:
        """By how many it leapt ahead; 0 where its days count."""
        return self._seen.leapt_days if self._seen and self._seen.wait_ns else 0

    async def look(self, now_ns: int, newest_ns: int | None = None) -> None:
        """Again and again, first with `newest_ns`: the newest time that recordings tell. It counts where the
        file is gone, as on a machine to which only they were copied."""
        if self._seen is None:
            if newest_ns is None:
                return
            before = await asyncio.to_thread(self._load) or ClockSeen(newest_ns)
            self._seen = before.restarted(now_ns)
            if self.doubted_days:
                log.warning(
                    "the clock is %d days ahead of when this server last ran: if it is wrong, set it and "
                    "start again. Nothing is deleted by its days in the next %.0f h of running time",
                    self.doubted_days, self._seen.wait_ns / NS_PER_S / 3600,
                )  # fmt: skip
        elif now_ns < self._stored_ns + STORE_EVERY_NS:
            return
        self._seen = self._seen.ran(now_ns)
        self._stored_ns = now_ns
        try:
            await asyncio.to_thread(write_json, self._path, self._seen)
        except OSError as error:  # what is known in this run counts for this run
            log.warning("%s cannot be written: %s", self._path, error)

    def _load(self) -> ClockSeen | None:
        try:
            return read_json(self._path, ClockSeen, VERSION)
        except FileNotFoundError:
            return None
        except MalformedError as error:
            log.warning("%s is passed over: %s", self._path, error)
            return None
