"""One open flight: a folder, and a thread of its own that writes it, so that no other flight waits for it.

What cannot be written is lost and counted, never kept without bound. While the disk is in trouble nothing is
taken in but events, which people made; every 5 s it is tried again, with new segments of the same flight.
"""

from __future__ import annotations

import contextlib
import errno
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from flow.bus import Event
from flow.clock import NS_PER_MS, NS_PER_S
from flow.codec.tlog import write_record
from flow.errors import OverflowedError
from flow.samples import Metadata, RawTelemetry, TelemetrySample
from flow.units import AccessUnit

from .disk import Disk
from .feed_track import FeedTrack
from .flight_file import FlightFile, KeptRule, encoded
from .folders import EVENTS_FILE, FLIGHT_FILE, METADATA_FILE, SAMPLES_FILE, TLOG_FILE, flight_folder
from .protocol.lines import line_of

log = logging.getLogger("lagebild.recordings")

TEXT_EVERY_NS = 500 * NS_PER_MS
RETRY_NS = 5 * NS_PER_S
WAITING_BYTES = 64 * 1024 * 1024  # for the disk, of one flight
STALLED_NS = 10 * NS_PER_S
"""A disk that has taken nothing for so long, though something waits, is told, though nothing is lost yet."""

_TRIAL_S = 2.0
_TEXT_LIMIT_BYTES = 1024 * 1024  # of each file, while it cannot be written


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing of the flight can be written: a reason of RecordingState, and one clear line."""

    reason: str
    detail: str

    @classmethod
    def of(cls, error: OSError) -> Trouble:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        return cls("disk_full" if full else "disk_failed", f"writing failed: {error}")


class FlightWriter:
    """Takes in what belongs to the flight; call `tick` four times a second, then `finish` and `aclose`.

    `segments` are those that a resumed flight has already, by feed. `refusal` says why nothing may be
    written.
    """

    def __init__(
        self,
        root: Path,
        flight: FlightFile,
        refusal: Callable[[], str],
        now_ns: int,
        segments: dict[str, int] | None = None,
    ) -> None:
        self.flight = flight
        self.pictures = 0
        self.trouble: Trouble | None = None
        self.has_news = False
        """The folder has something that the catalogue does not know of; whoever tells it sets this back."""
        self._folder = flight_folder(root, flight.id)
        self._refusal = refusal
        self._disk = Disk(flight.id, WAITING_BYTES)
        segments = segments or {}
        self._tracks = {
            feed.id: FeedTrack(self._folder, feed.id, self, segments.get(feed.id, 0)) for feed in flight.feeds
        }
        self._texts = {name: bytearray() for name in (TLOG_FILE, SAMPLES_FILE, METADATA_FILE, EVENTS_FILE)}
        self._texts_due_ns = now_ns + TEXT_EVERY_NS
        self._before_bytes = 0
        self._lost = 0
        self._halted = False  # nothing is taken in
        self._retry_ns = 0
        self._opened = False
        self._handed_bytes = 0
        self._unsure: deque[tuple[int, int]] = deque()  # handed on: bytes up to here, pictures among them
        self._steps = 0  # of the disk
        self._moved_ns = now_ns  # when that last changed
        if reason := refusal():
            self._halt(_refused(reason), now_ns)
        else:
            self._open()

    # --- what comes -------------------------------------------------------------------------------

    def picture(self, unit: AccessUnit, now_ns: int) -> None:
        """Raises KeyError for a feed that is none of this flight's."""
        track = self._tracks[unit.feed_id]
        self.pictures += 1
        if self._halted:
            self._lost += 1
            return
        segments = track.segments
        try:
            track.picture(unit, now_ns)
        except OverflowedError as error:
            self._lost += 1
            self._halt(Trouble("disk_slow", str(error)), now_ns)
        self.has_news |= track.segments != segments

    def raw(self, raw: RawTelemetry) -> None:
        self._keep(TLOG_FILE, write_record(raw.utc_ns // 1000, raw.data))

    def sample(self, sample: TelemetrySample) -> None:
        self._keep(SAMPLES_FILE, line_of(sample))

    def metadata(self, metadata: Metadata) -> None:
        self._keep(METADATA_FILE, line_of(metadata))

    def event(self, event: Event) -> None:
        """Kept also while nothing can be written: somebody made it."""
        self._texts[EVENTS_FILE] += self._fitting(EVENTS_FILE, line_of(event))

    def keep(self, rule: KeptRule) -> None:
        """From now on this is what is recorded; its flight.json says so."""
        self.flight = msgspec.structs.replace(self.flight, rules=(*self.flight.rules, rule))
        if self._opened and self._disk.trouble is None:
            self._write_flight_file()
            self.has_news = True

    def pause(self, feed_id: str) -> None:
        """No picture of it comes until its next keyframe: what came before goes to the disk. Raises nothing
        for a feed that is none of this flight's."""
        track = self._tracks.get(feed_id)
        if track is None or self._halted:
            return
        with contextlib.suppress(OverflowedError):  # then it is lost, and counted
            track.close()

    # --- how it stands ----------------------------------------------------------------------------

    @property
    def lost(self) -> int:
        """Pictures that came and could not be written."""
        return self._lost + sum(track.lost for track in self._tracks.values())

    @property
    def segments(self) -> dict[str, int]:
        """How many there are, by feed."""
        return {feed_id: track.segments for feed_id, track in self._tracks.items()}

    def count_before(self, pictures: int, written_bytes: int) -> None:
        """What a resumed flight had already."""
        self.pictures += pictures
        self._before_bytes = written_bytes

    def miss(self, pictures: int) -> None:
        """Pictures were lost on the way here."""
        self._lost += pictures

    @property
    def written_bytes(self) -> int:
        """Of this flight that are known to be on the disk."""
        return self._before_bytes + self._disk.written_bytes

    @property
    def is_settled(self) -> bool:
        return not self._disk.waiting_bytes

    # --- time passes ------------------------------------------------------------------------------

    async def tick(self, now_ns: int) -> None:
        if self._halted:
            await self._try_again(now_ns)
            return
        if error := self._disk.trouble:
            self._lose_unsure()
            self._halt(Trouble.of(error), now_ns)
        elif reason := self._refusal():
            with contextlib.suppress(OverflowedError):  # then this is lost, too
                self._hand_on_all()
            self._halt(_refused(reason), now_ns)
        else:
            self._watch(now_ns)
            self._flush(now_ns)

    def finish(self, ended_ns: int | None) -> None:
        """Hand on all that is left; None: the flight goes on without us, the next start may resume it."""
        if not self._opened:
            return
        if self._disk.trouble is not None:
            self._lose_unsure()
            self._disk.recovered()  # a last attempt: the texts, and the end
        self.flight = msgspec.structs.replace(self.flight, ended_ns=ended_ns)
        try:
            self._hand_on_all()
        except OverflowedError as error:
            log.warning("flight %s: its last data could not be written: %s", self.flight.id, error)
            self._abandon()
        self._write_flight_file()

    async def aclose(self, timeout_s: float) -> bool:
        """Wait until all is on the disk; False if that could not be."""
        return await self._disk.aclose(timeout_s)

    # --- Appender, for the tracks -----------------------------------------------------------------

    def append(self, path: Path, data: bytes, pictures: int) -> None:
        try:
            self._disk.append(path, data)
        except OverflowedError:
            self._lost += pictures
            raise
        self._handed_bytes += len(data)
        self._unsure.append((self._handed_bytes, pictures))

    def done(self, path: Path) -> None:
        self._disk.close(path)

    # --- the disk ---------------------------------------------------------------------------------

    def _open(self) -> None:
        """`flight.json` comes first: without it the rest of a folder says nothing."""
        self._disk.make_folder(self._folder)
        self._write_flight_file()
        self._opened = self.has_news = True

    def _write_flight_file(self) -> None:
        data = encoded(self.flight)
        self._disk.replace(self._folder / FLIGHT_FILE, data)
        self._handed_bytes += len(data)

    def _hand_on_all(self) -> None:
        for track in self._tracks.values():
            track.close()
        self._flush_texts()

    def _flush(self, now_ns: int) -> None:
        try:
            for track in self._tracks.values():
                track.flush(now_ns)
            if now_ns >= self._texts_due_ns:
                self._texts_due_ns = now_ns + TEXT_EVERY_NS
                self._flush_texts()
        except OverflowedError as error:
            self._halt(Trouble("disk_slow", str(error)), now_ns)

    def _flush_texts(self) -> None:
        for name, text in self._texts.items():
            if text:
                self.append(self._folder / name, bytes(text), 0)
                text.clear()

    def _watch(self, now_ns: int) -> None:
        """Follow what reaches the disk; one that takes nothing for long is told, though none is lost."""
        self._settle()
        if self._disk.steps != self._steps or self.is_settled:
            self._steps, self._moved_ns, self.trouble = self._disk.steps, now_ns, None
        elif now_ns - self._moved_ns >= STALLED_NS:
            self.trouble = Trouble("disk_stalled", "the disk has taken nothing for 10 s")

    def _settle(self) -> int:
        """Forget what is known to be on the disk; return how many bytes that are."""
        written = self._disk.written_bytes
        while self._unsure and self._unsure[0][0] <= written:
            self._unsure.popleft()
        return written

    def _lose_unsure(self) -> None:
        """What was handed on and is not known to be on the disk counts as lost."""
        self._handed_bytes = self._settle()
        self._lost += sum(pictures for _, pictures in self._unsure)
        self._unsure.clear()

    def _halt(self, trouble: Trouble, now_ns: int) -> None:
        self._halted, self.trouble = True, trouble
        self._retry_ns = now_ns + RETRY_NS
        self._abandon()

    def _abandon(self) -> None:
        for track in self._tracks.values():
            track.abandon()

    async def _try_again(self, now_ns: int) -> None:
        if now_ns < self._retry_ns:
            return
        self._retry_ns = now_ns + RETRY_NS
        if reason := self._refusal():
            self.trouble = _refused(reason)
            return
        if self._disk.trouble is not None:
            self._lose_unsure()
            self._disk.recovered()
            self._opened = False
        if not self._opened:
            self._open()
        if await self._disk.settled(_TRIAL_S):
            self._halted, self.trouble, self._moved_ns = False, None, now_ns
        elif error := self._disk.trouble:
            self.trouble = Trouble.of(error)

    # --- texts ------------------------------------------------------------------------------------

    def _keep(self, name: str, record: bytes) -> None:
        if not self._halted:
            self._texts[name] += self._fitting(name, record)

    def _fitting(self, name: str, record: bytes) -> bytes:
        return record if len(self._texts[name]) + len(record) <= _TEXT_LIMIT_BYTES else b""


def _refused(reason: str) -> Trouble:
    return Trouble(reason, "nothing may be written: there is no room left, or the folder is not to be had")
