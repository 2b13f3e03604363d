"""What the service tells the audit log, written by a thread of its own. Nobody ever waits for the disk.

Where the disk takes nothing, entries wait in memory, as many as WAITING_MOST; those beyond are counted, and
as soon as there is room again the chain says how many are missing, and from when to when. Pictures go on.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from flow.clock import NS_PER_S, Clock
from flow.errors import ConfigError
from web.access.audit import Action, Detail, Entry

from .chain import End, utc_text
from .folder import SERVICE, AuditFolder
from .repeats import Repeats

log = logging.getLogger("lagebild.web")

WAITING_MOST = 20_000
BATCH_MOST = 1000
RETRY_S = 1.0
TICK_S = 1.0
"""So often the thread looks whether something is due, while something is."""
ANCHOR_EVERY_NS = 10 * NS_PER_S
TIDY_EVERY_NS = 24 * 3600 * NS_PER_S
TOLD_EVERY_NS = 60 * NS_PER_S
NS_PER_DAY = 24 * 3600 * NS_PER_S
CLOSED_WITHIN_S = 3.0


@dataclass(slots=True)
class _Lost:
    """Entries that could not be kept, and that the chain does not tell of yet."""

    count: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, entry: Entry) -> None:
        self.first_ns = self.first_ns if self.count else entry.utc_ns
        self.last_ns = entry.utc_ns
        self.count += 1

    def told(self, count: int) -> None:
        self.count -= count
        self.first_ns = self.last_ns


class AuditLog:
    """An Audit (web/access/audit.py). `days`: so long a month's file is kept after its last entry."""

    def __init__(
        self, folder: AuditFolder, clock: Clock, days: float = 730.0, most: int = WAITING_MOST
    ) -> None:
        self._folder, self._clock = folder, clock
        self._days_ns, self._most = round(days * NS_PER_DAY), most
        self._waiting: deque[Entry] = deque()
        self._repeats, self._lost = Repeats(), _Lost()
        self._changed = threading.Condition()
        self._closing = self._asked = self._is_well = False
        self._begun = self._ended = 0
        """Rounds of the thread."""
        self._anchored: End | None = None
        self._anchored_ns = self._tidied_ns = self._told_ns = 0
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self.written = self.lost = 0
        self.trouble = ""
        """Why nothing can be written just now; "": it can."""

    def open(self) -> None:
        self._thread.start()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def record(self, entry: Entry) -> None:
        """See web/access/audit.py Audit. Any thread may."""
        with self._changed:
            told = self._repeats.take(entry)
            if told is None:
                return
            if len(self._waiting) >= self._most:
                self.lost += 1
                self._lost.add(told)
                return
            self._waiting.append(told)
            self._changed.notify_all()

    def settle(self, within_s: float = CLOSED_WITHIN_S) -> bool:
        """Have the thread write what is due; whether the disk took it."""
        with self._changed:
            begun, self._asked = self._begun, True
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._ended > begun, within_s) and self._is_well

    def close(self, within_s: float = CLOSED_WITHIN_S) -> None:
        """Write what waits, and sign the end; a disk that hangs is not waited for."""
        if not self._thread.is_alive():
            return
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(within_s)
        if self._waiting or self._thread.is_alive():
            log.error("audit: the disk did not take the last %d entries: they are lost", self.waiting)

    def _run(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                self._changed.wait_for(self._has_work, TICK_S if self._is_pending else None)
                closing, self._asked = self._closing, False
                self._begun += 1
                self._count(closing)
            self._is_well = self._try(closing)
            with self._changed:
                self._ended = self._begun
                self._changed.notify_all()
                if not self._is_well:
                    self._changed.wait_for(lambda: self._closing or self._asked, RETRY_S)

    def _has_work(self) -> bool:
        return bool(self._waiting) or self._closing or self._asked

    @property
    def _is_pending(self) -> bool:
        """Something will be due without anybody telling us of it."""
        return self._repeats.is_counting or self._anchored != self._folder.end or self._lost.count > 0

    def _count(self, closing: bool) -> None:
        """Called with the lock: what was counted joins the queue."""
        self._waiting.extend(self._repeats.rest() if closing else self._repeats.due(self._clock.now_ns()))

    def _try(self, closing: bool) -> bool:
        """Whether the disk took all."""
        try:
            self._write()
            self._anchor(closing)
            self._tidy()
        except (OSError, ConfigError) as error:
            self._complain(error)
            return False
        except Exception as error:
            log.exception("audit: a defect of Lagebild; it is tried again")
            self._complain(error)
            return False
        if self.trouble:
            log.warning("audit: entries are written again")
            self.trouble = ""
        return True

    def _write(self) -> None:
        while self._waiting or self._lost.count:
            with self._changed:
                batch = list(itertools.islice(self._waiting, BATCH_MOST))
                lost = self._lost.count if len(batch) == len(self._waiting) else 0
                note = [self._note()] if lost else []
            written = self._folder.append([*batch, *note], self._clock.now_ns())
            with self._changed:
                for _ in range(min(written, len(batch))):
                    self._waiting.popleft()
                if note and written > len(batch):
                    self._lost.told(lost)
            self.written += written

    def _note(self) -> Entry:
        """What is missing."""
        lost = self._lost
        detail: dict[str, Detail] = {
            "found": "lost",
            "entries": lost.count,
            "from": utc_text(lost.first_ns),
            "to": utc_text(lost.last_ns),
            "why": self.trouble,
        }
        return Entry(self._clock.now_ns(), SERVICE, "", Action.MENDED, "audit", {}, detail)

    def _anchor(self, closing: bool) -> None:
        now_ns, end = self._clock.now_ns(), self._folder.end
        if end == self._anchored or not (closing or now_ns - self._anchored_ns >= ANCHOR_EVERY_NS):
            return
        anchor = self._folder.anchor(now_ns)
        self._anchored_ns = now_ns
        self._anchored = end
        if anchor is not None and (closing or now_ns - self._told_ns >= NS_PER_DAY):
            self._told_ns = now_ns
            log.info("audit: the log ends with entry %d, hash %s", anchor.seq, anchor.hash)

    def _tidy(self) -> None:
        """Let go of the months whose days are over; the chain says where it begins from then on."""
        now_ns = self._clock.now_ns()
        if self._tidied_ns and now_ns - self._tidied_ns < TIDY_EVERY_NS:
            return
        self._tidied_ns = now_ns
        for month, last in self._folder.over(now_ns - self._days_ns):
            detail: dict[str, Detail] = {"through_seq": last.seq, "through_hash": last.hash}
            named = {"month": month.name}
            entry = Entry(now_ns, SERVICE, "", Action.DELETED, "audit", named, detail)
            self._append_all([entry])
            self._folder.remove(month)
            log.info("audit: the entries of %s are removed: their days are over", month.name)

    def _append_all(self, entries: Iterable[Entry]) -> None:
        rest = list(entries)
        while rest:
            rest = rest[self._folder.append(rest, self._clock.now_ns()) :]

    def _complain(self, error: Exception) -> None:
        now_ns = self._clock.now_ns()
        why = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
        if why != self.trouble or now_ns - self._told_ns >= TOLD_EVERY_NS:
            self._told_ns = now_ns
            log.error(
                "audit: entries cannot be written: %s; %d wait, %d are lost", why, self.waiting, self.lost
            )
        self.trouble = why
