"""The audit log of a running service: who writes to it, and how it is read beside the pictures."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from importlib.metadata import version
from pathlib import Path

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flow.clock import NS_PER_S, Clock
from flow.errors import BusyError, UnavailableError
from ingest.publications import Publisher

from .access.audit import Action, Detail, Entry
from .access.book import Book
from .access.caller import NOBODY, CallerKind
from .access.presence import Presence, Stay, Way
from .audit.chain import Line, utc_ns_of
from .audit.checking import Report
from .audit.folder import SERVICE, AuditFolder
from .audit.log import AuditLog
from .audit.searching import Query
from .audit.worker import Form, Question
from .audit_views import AuditEntryView, AuditPage, AuditReport, FindingView
from .children import child

log = logging.getLogger("lagebild.web")

WORKER = "web.audit.worker"
READERS_MOST = 2
WAITING_MOST = 8
PAGE_WITHIN_S = 20.0
CHECKED_WITHIN_S = 120.0
CHUNK_BYTES = 256 * 1024


class AuditDesk:
    """`record` is an Audit's. What is asked of the log is answered by processes of their own."""

    def __init__(self, root: Path, clock: Clock, days: float, book: Callable[[], Book]) -> None:
        self._root, self._clock, self._book = root, clock, book
        self.log = AuditLog(AuditFolder(root), clock, days)
        self.figures = AuditCollector(self.log)
        self._free = asyncio.Semaphore(READERS_MOST)
        self._asked = 0
        self._started = False

    def open(self) -> None:
        self.log.open()

    def record(self, entry: Entry) -> None:
        self.log.record(entry)

    def started(self, url: str) -> None:
        """The service listens."""
        self._started = True
        self._tell(Action.STARTED, {"version": version("lagebild"), "address": url})

    def close(self) -> None:
        """The service has stopped."""
        if self._started:
            self._tell(Action.STOPPED, {})
        self.log.close()

    def follow(self, presence: Presence) -> None:
        """Have the log told of everybody who watches no more, and how long he did."""
        presence.on_leave(self._left)

    def published(self, feed_id: str, publisher: Publisher) -> None:
        """Somebody begins to bring pictures to a feed. Any thread may say so."""
        detail: dict[str, Detail] = {"protocol": publisher.protocol}
        named = {"feed": feed_id}
        now_ns = self._clock.now_ns()
        self.record(Entry(now_ns, NOBODY, publisher.host, Action.PUBLISHED, "feed", named, detail))

    def _left(self, stay: Stay, ended: bool) -> None:
        if stay.way is not Way.PICTURE:
            return
        now_ns = self._clock.now_ns()
        seconds = round((now_ns - stay.since_ns) / NS_PER_S, 1)
        detail: dict[str, Detail] = {"watched_s": seconds}
        if ended:
            detail["cut_off"] = True
        named = {"feed": stay.feed_id}
        self.record(Entry(now_ns, stay.caller, stay.address, Action.LEFT, "feed", named, detail))

    def _tell(self, action: Action, detail: dict[str, Detail]) -> None:
        self.record(Entry(self._clock.now_ns(), SERVICE, "", action, "service", {}, detail))

    async def page(self, query: Query) -> AuditPage:
        """Raises BusyError, UnavailableError."""
        found = await self._answered(Question(str(self._root), "page", query), PAGE_WITHIN_S)
        lines = msgspec.json.decode(found, type=list[Line])
        before = lines[-1].seq if lines and len(lines) == query.limit and lines[-1].seq > 1 else None
        views = [self._view(line) for line in lines]
        return AuditPage(views, before, self.log.waiting, self.log.lost, bool(self.log.trouble))

    async def check(self) -> AuditReport:
        """Raises BusyError, UnavailableError."""
        said = await self._answered(Question(str(self._root), "check"), CHECKED_WITHIN_S)
        report = msgspec.json.decode(said, type=Report)
        found = [FindingView(str(each.found), each.seq, each.text) for each in report.findings]
        told = msgspec.structs.asdict(report)
        return AuditReport(**told | {"findings": found})

    async def sent(self, form: Form, query: Query) -> AsyncGenerator[bytes, None]:
        """An export, piece by piece. Raises BusyError, UnavailableError where it ends too soon."""
        async with aclosing(self._said(Question(str(self._root), form, query))) as pieces:
            async for piece in pieces:
                yield piece

    async def _answered(self, question: Question, within_s: float) -> bytes:
        try:
            async with asyncio.timeout(within_s), aclosing(self._said(question)) as pieces:
                return b"".join([piece async for piece in pieces])
        except TimeoutError:
            told = f"the audit log was not read within {within_s:g} s"
            raise UnavailableError(told, code="audit_busy") from None

    async def _said(self, question: Question) -> AsyncGenerator[bytes, None]:
        if self._asked >= WAITING_MOST:
            raise BusyError("too many read the audit log at once", code="audit_busy")
        self._asked += 1
        try:
            async with self._free, child(WORKER, [str(os.getpid())], talks=True) as process:
                assert process.stdin is not None
                assert process.stdout is not None
                process.stdin.write(msgspec.json.encode(question) + b"\n")
                while piece := await process.stdout.read(CHUNK_BYTES):
                    yield piece
                if await process.wait() != 0:
                    log.error("audit: the log cannot be read")
                    raise UnavailableError(
                        "the audit log cannot be read: the log says why", code="audit_unread"
                    )
        finally:
            self._asked -= 1

    def _view(self, line: Line) -> AuditEntryView:
        told = msgspec.structs.asdict(line)
        del told["prev"]
        name = line.name or self._name_of(line)
        return AuditEntryView(**told | {"name": name, "utc_ms": utc_ns_of(line.utc) / 1e6})

    def _name_of(self, line: Line) -> str:
        """Of guests, as long as it is kept beside the log."""
        if line.kind != CallerKind.GUEST:
            return ""
        return next((guest.name for guest in self._book().guests.values() if guest.id == line.id), "")


class AuditCollector(Collector):
    """Whether the log is written, for Prometheus."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("lagebild_audit_entries", "Entries written", value=self._log.written)
        yield CounterMetricFamily(
            "lagebild_audit_lost", "Entries that the disk did not take in time", value=self._log.lost
        )
        yield GaugeMetricFamily(
            "lagebild_audit_waiting", "Entries that are not on the disk yet", value=self._log.waiting
        )
        yield GaugeMetricFamily(
            "lagebild_audit_failed", "1 while none can be written", value=float(bool(self._log.trouble))
        )
